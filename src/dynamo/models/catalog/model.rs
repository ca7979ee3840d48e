//! A model of the catalog: its facts, and the memory and GPUs that follow from them.

use super::table::row::{Dtype, Row, Tag};
use crate::dynamo::models::memory::shape::{Shape, Split};
use crate::dynamo::models::memory::{Load, Verdict};
use crate::dynamo::terms::amount::Amount;
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
pub struct CatalogModel {
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

impl From<&Row> for CatalogModel {
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

impl CatalogModel {
    /// With the tags that follow from the facts.
    pub(super) fn tagged(mut self) -> Self {
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
