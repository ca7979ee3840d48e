//! msgpack as a flat sequence of tokens over borrowed bytes.
//!
//! What msgpack spells in many widths (eight integers, three string headers, eight extensions) is one token here, so
//! that the walk along a type has one arm per meaning. A token of known length is a slice of the input: a header that
//! declares more than there is ends in an error before anything is allocated. The length of an array or map is only
//! reported; its elements are tokens of their own.

use super::PathError;
use rmp::Marker;

pub(super) enum Token<'a> {
    Nil,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Str(&'a str),
    Bin(&'a [u8]),
    /// Declared number of elements.
    Array(usize),
    /// Declared number of entries, each a key and a value.
    Map(usize),
    /// Code and payload of an extension.
    Ext(i8, &'a [u8]),
}

impl Token<'_> {
    /// What it is, for messages: "a string".
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "null",
            Self::Bool(_) => "a bool",
            Self::Int(_) | Self::Uint(_) | Self::Float(_) => "a number",
            Self::Str(_) => "a string",
            Self::Bin(_) => "binary data",
            Self::Array(_) => "a list",
            Self::Map(_) => "a map",
            Self::Ext(..) => "a msgpack extension with no meaning to Terraform",
        }
    }
}

pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes not yet read.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn next(&mut self) -> Result<Token<'a>, PathError> {
        let [marker] = self.array()?;
        Ok(match Marker::from_u8(marker) {
            Marker::Null => Token::Nil,
            Marker::False => Token::Bool(false),
            Marker::True => Token::Bool(true),
            Marker::FixPos(int) => Token::Int(int.into()),
            Marker::FixNeg(int) => Token::Int(int.into()),
            Marker::I8 => Token::Int(i8::from_be_bytes(self.array()?).into()),
            Marker::I16 => Token::Int(i16::from_be_bytes(self.array()?).into()),
            Marker::I32 => Token::Int(i32::from_be_bytes(self.array()?).into()),
            Marker::I64 => Token::Int(i64::from_be_bytes(self.array()?)),
            Marker::U8 => Token::Uint(u8::from_be_bytes(self.array()?).into()),
            Marker::U16 => Token::Uint(u16::from_be_bytes(self.array()?).into()),
            Marker::U32 => Token::Uint(u32::from_be_bytes(self.array()?).into()),
            Marker::U64 => Token::Uint(u64::from_be_bytes(self.array()?)),
            Marker::F32 => Token::Float(f32::from_be_bytes(self.array()?).into()),
            Marker::F64 => Token::Float(f64::from_be_bytes(self.array()?)),
            Marker::FixStr(length) => self.text(length.into())?,
            Marker::Str8 => self.length8().and_then(|length| self.text(length))?,
            Marker::Str16 => self.length16().and_then(|length| self.text(length))?,
            Marker::Str32 => self.length32().and_then(|length| self.text(length))?,
            Marker::Bin8 => self.length8().and_then(|length| self.take(length)).map(Token::Bin)?,
            Marker::Bin16 => self.length16().and_then(|length| self.take(length)).map(Token::Bin)?,
            Marker::Bin32 => self.length32().and_then(|length| self.take(length)).map(Token::Bin)?,
            Marker::FixArray(length) => Token::Array(length.into()),
            Marker::Array16 => Token::Array(self.length16()?),
            Marker::Array32 => Token::Array(self.length32()?),
            Marker::FixMap(length) => Token::Map(length.into()),
            Marker::Map16 => Token::Map(self.length16()?),
            Marker::Map32 => Token::Map(self.length32()?),
            Marker::FixExt1 => self.extension(1)?,
            Marker::FixExt2 => self.extension(2)?,
            Marker::FixExt4 => self.extension(4)?,
            Marker::FixExt8 => self.extension(8)?,
            Marker::FixExt16 => self.extension(16)?,
            Marker::Ext8 => self.length8().and_then(|length| self.extension(length))?,
            Marker::Ext16 => self.length16().and_then(|length| self.extension(length))?,
            Marker::Ext32 => self.length32().and_then(|length| self.extension(length))?,
            Marker::Reserved => return Err(PathError::here("the byte 0xc1 has no meaning in msgpack")),
        })
    }

    fn text(&mut self, length: usize) -> Result<Token<'a>, PathError> {
        let text = str::from_utf8(self.take(length)?);
        text.map(Token::Str).map_err(|_| PathError::here("this string is not valid UTF-8"))
    }

    fn extension(&mut self, length: usize) -> Result<Token<'a>, PathError> {
        let code = i8::from_be_bytes(self.array()?);
        Ok(Token::Ext(code, self.take(length)?))
    }

    fn length8(&mut self) -> Result<usize, PathError> {
        self.array().map(|bytes| u8::from_be_bytes(bytes).into())
    }

    fn length16(&mut self) -> Result<usize, PathError> {
        self.array().map(|bytes| u16::from_be_bytes(bytes).into())
    }

    fn length32(&mut self) -> Result<usize, PathError> {
        self.array().map(|bytes| usize::try_from(u32::from_be_bytes(bytes)).unwrap_or(usize::MAX))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], PathError> {
        let (array, rest) = self.rest.split_first_chunk().ok_or_else(ends_early)?;
        self.rest = rest;
        Ok(*array)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], PathError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(ends_early)?;
        self.rest = rest;
        Ok(taken)
    }
}

fn ends_early() -> PathError {
    PathError::here("the encoded value ends early")
}
