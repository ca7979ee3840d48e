//! Terraform's types and their JSON spelling (`"string"`, `["list","string"]`, `["object",{…}]`).
//!
//! The spelling is part of the protocol: schemas carry it, and so does every value of type `dynamic`.

use super::path::{Path, PathError};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::fmt;

/// The type of a value, as Terraform knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    String,
    Number,
    Bool,
    /// Any type; the value says which.
    Dynamic,
    List(Box<Type>),
    Set(Box<Type>),
    Map(Box<Type>),
    Object(BTreeMap<String, Type>),
    Tuple(Vec<Type>),
}

impl Type {
    /// Reads the JSON spelling.
    pub fn from_json(bytes: &[u8]) -> Result<Self, PathError> {
        serde_json::from_slice(bytes).ok().as_ref().and_then(Self::read).ok_or_else(Self::malformed)
    }

    /// Reads the JSON spelling, parsed.
    pub fn from_json_value(json: &Json) -> Result<Self, PathError> {
        Self::read(json).ok_or_else(Self::malformed)
    }

    /// The JSON spelling.
    pub fn to_json(&self) -> Json {
        match self {
            Self::String => json!("string"),
            Self::Number => json!("number"),
            Self::Bool => json!("bool"),
            Self::Dynamic => json!("dynamic"),
            Self::List(element) => json!(["list", element.to_json()]),
            Self::Set(element) => json!(["set", element.to_json()]),
            Self::Map(element) => json!(["map", element.to_json()]),
            Self::Object(attributes) => {
                let attributes = attributes.iter().map(|(name, ty)| (name.clone(), ty.to_json()));
                json!(["object", Json::Object(attributes.collect())])
            }
            Self::Tuple(elements) => json!(["tuple", elements.iter().map(Self::to_json).collect::<Vec<_>>()]),
        }
    }

    /// An object type may have a third member, the names of its optional attributes. It matters to constraints in
    /// configuration and says nothing about values.
    fn read(json: &Json) -> Option<Self> {
        if let Some(name) = json.as_str() {
            return match name {
                "string" => Some(Self::String),
                "number" => Some(Self::Number),
                "bool" => Some(Self::Bool),
                "dynamic" => Some(Self::Dynamic),
                _ => None,
            };
        }
        let (kind, rest) = json.as_array()?.split_first()?;
        match (kind.as_str()?, rest) {
            ("list", [element]) => Self::read(element).map(|ty| Self::List(Box::new(ty))),
            ("set", [element]) => Self::read(element).map(|ty| Self::Set(Box::new(ty))),
            ("map", [element]) => Self::read(element).map(|ty| Self::Map(Box::new(ty))),
            ("object", [attributes] | [attributes, Json::Array(_)]) => {
                let attributes = attributes.as_object()?.iter();
                attributes
                    .map(|(name, ty)| Some((name.clone(), Self::read(ty)?)))
                    .collect::<Option<_>>()
                    .map(Self::Object)
            }
            ("tuple", [elements]) => {
                elements.as_array()?.iter().map(Self::read).collect::<Option<_>>().map(Self::Tuple)
            }
            _ => None,
        }
    }

    fn malformed() -> PathError {
        PathError::new(&Path::root(), "this is not the JSON spelling of a Terraform type")
    }
}

/// As a user would say it: `list of string`, `object`.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String => f.write_str("string"),
            Self::Number => f.write_str("number"),
            Self::Bool => f.write_str("bool"),
            Self::Dynamic => f.write_str("value of any type"),
            Self::List(element) => write!(f, "list of {element}"),
            Self::Set(element) => write!(f, "set of {element}"),
            Self::Map(element) => write!(f, "map of {element}"),
            Self::Object(_) => f.write_str("object"),
            Self::Tuple(_) => f.write_str("tuple"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_every_spelling() {
        let list = |ty| Type::List(Box::new(ty));
        let object =
            Type::Object([("a".to_owned(), Type::Bool), ("b".to_owned(), list(Type::String))].into());
        for (text, ty, shown) in [
            (r#""string""#, Type::String, "string"),
            (r#""number""#, Type::Number, "number"),
            (r#""bool""#, Type::Bool, "bool"),
            (r#""dynamic""#, Type::Dynamic, "value of any type"),
            (r#"["list","string"]"#, list(Type::String), "list of string"),
            (
                r#"["list",["list","dynamic"]]"#,
                list(list(Type::Dynamic)),
                "list of list of value of any type",
            ),
            (r#"["set","number"]"#, Type::Set(Box::new(Type::Number)), "set of number"),
            (r#"["map","bool"]"#, Type::Map(Box::new(Type::Bool)), "map of bool"),
            (r#"["object",{"a":"bool","b":["list","string"]}]"#, object, "object"),
            (r#"["object",{}]"#, Type::Object(BTreeMap::new()), "object"),
            (r#"["tuple",["string","bool"]]"#, Type::Tuple(vec![Type::String, Type::Bool]), "tuple"),
            (r#"["tuple",[]]"#, Type::Tuple(vec![]), "tuple"),
        ] {
            assert_eq!(Type::from_json(text.as_bytes()), Ok(ty.clone()), "{text}");
            assert_eq!(ty.to_json().to_string(), text);
            assert_eq!(ty.to_string(), shown);
        }
    }

    #[test]
    fn optional_attributes_are_ignored() {
        let ty = Type::from_json(br#"["object",{"a":"bool"},["a"]]"#);
        assert_eq!(ty, Ok(Type::Object([("a".to_owned(), Type::Bool)].into())));
    }

    #[test]
    fn refuses_everything_else() {
        let deep = format!("{}\"string\"{}", r#"["list","#.repeat(100_000), "]".repeat(100_000));
        for text in [
            "",
            "null",
            "1",
            "{}",
            "[]",
            "string",
            r#""text""#,
            r#"["list"]"#,
            r#"["list","string","string"]"#,
            r#"["string"]"#,
            r#"["object",["a"]]"#,
            r#"["object",{"a":1}]"#,
            r#"["object",{"a":"bool"},"a"]"#,
            r#"["tuple","string"]"#,
            r#"["tuple",[null]]"#,
            r#"[["list","string"]]"#,
            r#""string" "string""#,
            &deep,
        ] {
            assert_eq!(Type::from_json(text.as_bytes()), Err(Type::malformed()), "{text:.40}");
        }
    }
}
