//! Models that are known before anybody asks a host or the hub: how big they are, what they are good at, and with which
//! arguments an engine serves them as they are meant to be served.
//!
//! A table of well-known ones ([`table`]), and over it the entries that users write into the provider block ([`own`]): for
//! models of their own, or where they know better. From the facts follow the memory that a model needs ([`Model::needed_bytes`])
//! and the defaults of its engine arguments ([`defaults`]), the lowest layer, which every other overrides.

pub(crate) mod defaults;
pub(crate) mod own;
pub(crate) mod parsers;
pub(crate) mod row;
pub(crate) mod table;

use crate::dynamo::models::memory::shape::{Shape, Split};
use crate::dynamo::models::memory::{Load, Verdict};
use crate::dynamo::terms::amount::Amount;
use own::OwnModel;
use row::{Dtype, Row, Tag};
use std::collections::{BTreeMap, BTreeSet};

/// Tokens of the sequence in [`Model::needed_bytes`].
pub(crate) const SHORT_CONTEXT: u64 = 8192;
/// From here a context is long.
const LONG_CONTEXT: u64 = 131_072;
/// Up to here a model is small.
const SMALL: u64 = 4_500_000_000;
/// Numbers of GPUs that machines have, and one is suggested from.
const SIZES: [u32; 5] = [1, 2, 4, 8, 16];
/// What [`Model::suggested_gpus`] lets an engine use of a GPU.
const UTILISATION: Amount = Amount::from_milli(900);

/// A model as far as it is known. From the table everything is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Model {
    /// On the Hugging Face hub, or a path on hosts.
    pub name: String,
    pub tags: BTreeSet<Tag>,
    pub parameters: Option<u64>,
    /// Parameters that a token passes.
    pub active_parameters: Option<u64>,
    /// Bytes of the weight files.
    pub weights_bytes: Option<u64>,
    pub dtype: Option<String>,
    /// Tokens.
    pub context_length: Option<u64>,
    pub shape: Option<Shape>,
    /// Dynamo's names of its parsers.
    pub tool_calls: Option<String>,
    pub reasoning: Option<String>,
    pub licence: Option<String>,
    pub gated: Option<bool>,
    /// Engine arguments that the user wants for it, by name without dashes.
    pub engine_args: BTreeMap<String, String>,
    /// Where the table's facts are from; `None` for an entry of the user's alone.
    pub source: Option<String>,
}

impl From<&Row> for Model {
    fn from(row: &Row) -> Self {
        let quantized = (row.dtype != Dtype::Bf16).then_some(Tag::Quantized);
        Self {
            name: row.name.to_owned(),
            tags: row.tags.iter().copied().chain(quantized).collect(),
            parameters: Some(row.parameters),
            active_parameters: Some(row.active_parameters),
            weights_bytes: Some(row.weights_bytes),
            dtype: Some(row.dtype.word().to_owned()),
            context_length: Some(row.context_length),
            shape: Some(row.shape),
            tool_calls: row.tool_calls.map(str::to_owned),
            reasoning: row.reasoning.map(str::to_owned),
            licence: Some(row.licence.to_owned()),
            gated: Some(row.gated),
            engine_args: BTreeMap::new(),
            source: Some(row.source()),
        }
        .tagged()
    }
}

impl Row {
    /// Where layers, heads and context were looked up.
    pub fn source(&self) -> String {
        format!("https://huggingface.co/{}/blob/main/config.json", self.name)
    }
}

impl Model {
    /// With the tags that follow from the facts.
    fn tagged(mut self) -> Self {
        let follows = [
            (Tag::Small, self.parameters.is_some_and(|count| count <= SMALL)),
            (Tag::LongContext, self.context_length.is_some_and(|tokens| tokens >= LONG_CONTEXT)),
            (Tag::Tools, self.tool_calls.is_some()),
            (Tag::Moe, self.active_parameters.zip(self.parameters).is_some_and(|(some, all)| some < all)),
        ];
        self.tags.extend(follows.into_iter().filter(|(_, is)| *is).map(|(tag, _)| tag));
        self
    }

    /// One sequence of so many tokens, or of the whole context where that is shorter, with a cache of 16 bits.
    pub fn load(&self, context: u64, tensor: u32) -> Option<Load> {
        Some(Load {
            weights_bytes: self.weights_bytes?,
            shape: self.shape,
            context: self.context_length.map_or(context, |most| most.min(context)),
            sequences: 1,
            cache_half_bytes: 4,
            split: Split { tensor, pipeline: 1 },
        })
    }

    /// Bytes of GPU memory for weights, a short sequence and what an engine needs beside them.
    pub fn needed_bytes(&self) -> Option<u64> {
        self.load(SHORT_CONTEXT, 1).map(|load| load.estimate().total())
    }

    /// On how many GPUs of that memory it runs: the smallest number that its heads allow, of those that machines have.
    pub fn suggested_gpus(&self, memory_bytes: u64) -> Option<u32> {
        let usable = UTILISATION.times(memory_bytes)?;
        SIZES.into_iter().find(|size| {
            let shared = self.shape.is_none_or(|shape| shape.check_tensor_parallel(*size).is_ok());
            let load = self.load(SHORT_CONTEXT, *size);
            shared && load.is_some_and(|load| load.estimate().verdict(usable) == Verdict::Fits)
        })
    }
}

/// The table with the user's entries over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalog(BTreeMap<String, Model>);

impl Catalog {
    /// By the name that a deployment's `model` has.
    pub fn new(own: BTreeMap<String, OwnModel>) -> Self {
        let mut models: BTreeMap<String, Model> =
            table::rows().map(|row| (row.name.to_owned(), Model::from(row))).collect();
        for (name, entry) in own {
            let below =
                models.remove(&name).unwrap_or_else(|| Model { name: name.clone(), ..Model::default() });
            models.insert(name, entry.over(below).tagged());
        }
        Self(models)
    }

    /// The hub takes names in any case, and so do users.
    pub fn find(&self, name: &str) -> Option<&Model> {
        self.0.get(name).or_else(|| self.0.values().find(|model| model.name.eq_ignore_ascii_case(name)))
    }

    /// By name.
    pub fn models(&self) -> impl Iterator<Item = &Model> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::terms::amount::GIB;

    fn catalog() -> Catalog {
        Catalog::new(BTreeMap::new())
    }

    #[test]
    fn memory_needed_is_weights_and_somewhat_more() {
        for model in catalog().models() {
            let (needed, weights) = (model.needed_bytes().unwrap(), model.weights_bytes.unwrap());
            assert!(needed > weights + 2 * GIB && needed < weights + 12 * GIB, "{}: {needed}", model.name);
        }
    }

    #[test]
    fn models_are_suggested_the_gpus_that_they_are_run_on() {
        let catalog = catalog();
        let on = |name: &str, gib: u64| catalog.find(name).unwrap().suggested_gpus(gib * GIB);
        assert_eq!(on("meta-llama/Llama-3.1-8B-Instruct", 80), Some(1));
        assert_eq!(on("meta-llama/Llama-3.1-8B-Instruct", 16), Some(2));
        assert_eq!(on("meta-llama/Llama-3.3-70B-Instruct", 80), Some(2));
        assert_eq!(on("openai/gpt-oss-120b", 80), Some(1));
        assert_eq!(on("deepseek-ai/DeepSeek-R1", 141), Some(8));
        assert_eq!(on("deepseek-ai/DeepSeek-R1", 80), Some(16));
        assert_eq!(on("moonshotai/Kimi-K2-Instruct", 24), None);
        // Its ten heads of keys and values cannot be shared by four.
        assert_eq!(on("microsoft/phi-4", 24), Some(2));
        assert_eq!(on("microsoft/phi-4", 12), None);
    }

    #[test]
    fn tags_follow_from_facts() {
        let catalog = catalog();
        let tags = |name: &str| -> Vec<&str> {
            catalog.find(name).unwrap().tags.iter().map(|tag| tag.word()).collect()
        };
        assert_eq!(
            tags("openai/gpt-oss-20b"),
            ["chat", "reasoning", "long-context", "moe", "quantized", "tools"]
        );
        assert_eq!(tags("google/gemma-3-1b-it"), ["chat", "small"]);
    }

    #[test]
    fn a_name_is_found_in_any_case() {
        assert_eq!(catalog().find("qwen/qwen3-8b").map(|model| model.name.as_str()), Some("Qwen/Qwen3-8B"));
        assert!(catalog().find("Qwen/Qwen3-9B").is_none());
    }

    #[test]
    fn an_entry_of_the_users_changes_what_it_says_and_adds_what_is_not_there() {
        let own =
            |tool_calls: &str| OwnModel { tool_calls: Some(tool_calls.to_owned()), ..OwnModel::default() };
        let catalog = Catalog::new(BTreeMap::from([
            ("Qwen/Qwen3-8B".to_owned(), own("qwen3_coder")),
            ("/data/mine".to_owned(), OwnModel { parameters: Some(1_000_000_000), ..own("hermes") }),
        ]));
        let changed = catalog.find("Qwen/Qwen3-8B").unwrap();
        assert_eq!(changed.tool_calls.as_deref(), Some("qwen3_coder"));
        assert_eq!((changed.reasoning.as_deref(), changed.context_length), (Some("qwen3"), Some(40_960)));
        let added = catalog.find("/data/mine").unwrap();
        assert_eq!(added.tags, BTreeSet::from([Tag::Small, Tag::Tools]));
        assert_eq!((added.needed_bytes(), &added.source), (None, &None));
    }
}
