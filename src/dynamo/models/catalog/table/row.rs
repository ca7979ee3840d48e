//! A row of the table of models, and the words in it.

use crate::dynamo::models::memory::shape::Shape;

/// What a model is good for, or like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tag {
    Chat,
    Code,
    Reasoning,
    Vision,
    // What follows from the facts.
    LongContext,
    Moe,
    Quantized,
    Small,
    Tools,
}

impl Tag {
    pub const ALL: &'static [Self] = &[
        Self::Chat,
        Self::Code,
        Self::Reasoning,
        Self::Vision,
        Self::LongContext,
        Self::Moe,
        Self::Quantized,
        Self::Small,
        Self::Tools,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Code => "code",
            Self::Reasoning => "reasoning",
            Self::Vision => "vision",
            Self::LongContext => "long-context",
            Self::Moe => "moe",
            Self::Quantized => "quantized",
            Self::Small => "small",
            Self::Tools => "tools",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|tag| tag.word() == word)
    }
}

/// In what numbers most of the weights are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    Bf16,
    /// Eight bits, with a scale for each block.
    Fp8,
    /// Four bits of an integer, with a scale for each group (AWQ).
    Int4,
    /// Four bits of a float, with a scale for each block of 32.
    Mxfp4,
}

impl Dtype {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bf16 => "bfloat16",
            Self::Fp8 => "fp8",
            Self::Int4 => "int4",
            Self::Mxfp4 => "mxfp4",
        }
    }
}

/// A model of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// On the Hugging Face hub.
    pub name: &'static str,
    pub parameters: u64,
    /// Parameters that a token passes, as the maker counts them.
    pub active_parameters: u64,
    /// Bytes of the weight files.
    pub weights_bytes: u64,
    pub dtype: Dtype,
    /// Tokens, without stretching (YaRN).
    pub context_length: u64,
    pub shape: Shape,
    /// Those that do not follow from the rest.
    pub tags: &'static [Tag],
    pub tool_calls: Option<&'static str>,
    pub reasoning: Option<&'static str>,
    /// The hub's word for it.
    pub licence: &'static str,
    /// The hub wants the licence accepted, and a token.
    pub gated: bool,
}

/// A dense model of 16 bits, free for all.
pub(crate) const fn row(name: &'static str, parameters: u64, context_length: u64, shape: Shape) -> Row {
    Row {
        name,
        parameters,
        active_parameters: parameters,
        weights_bytes: parameters.saturating_mul(2),
        dtype: Dtype::Bf16,
        context_length,
        shape,
        tags: &[Tag::Chat],
        tool_calls: None,
        reasoning: None,
        licence: "apache-2.0",
        gated: false,
    }
}

impl Row {
    /// The row with the parameters that a token passes.
    pub const fn active(self, active_parameters: u64) -> Self {
        Self { active_parameters, ..self }
    }

    /// Weights that are not 16 bits each, or are stored twice.
    pub const fn stored(self, dtype: Dtype, weights_bytes: u64) -> Self {
        Self { dtype, weights_bytes, ..self }
    }

    /// The row with tags.
    pub const fn tags(self, tags: &'static [Tag]) -> Self {
        Self { tags, ..self }
    }

    /// The row with the parser of tool calls.
    pub const fn tools(self, parser: &'static str) -> Self {
        Self { tool_calls: Some(parser), ..self }
    }

    /// The row with the parser of reasoning.
    pub const fn thinks(self, parser: &'static str) -> Self {
        Self { reasoning: Some(parser), ..self }
    }

    /// The row with a license.
    pub const fn licence(self, licence: &'static str) -> Self {
        Self { licence, ..self }
    }

    /// The row with a license that has to be accepted on the hub.
    pub const fn gated(self, licence: &'static str) -> Self {
        Self { licence, gated: true, ..self }
    }
}

impl Row {
    /// Where layers, heads and context were looked up.
    pub fn source(&self) -> String {
        format!("https://huggingface.co/{}/blob/main/config.json", self.name)
    }
}
