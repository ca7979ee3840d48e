//! Whether a model fits into GPUs, before anything is downloaded.
//!
//! An engine finds out after minutes, or an hour of download, that weights and cache do not fit, and says so in a stack trace.
//! What it will find can be computed beforehand. Per GPU, with the weights shared evenly:
//!
//! ```text
//! usable   = memory × utilisation
//! weights  = bytes on disk / (tensor parallel × pipeline parallel)
//! cache    = 2 × layers × key-value heads × head size × bytes × tokens   (shared by heads and layers)
//! overhead = 2 GiB                                                       (activations, CUDA graphs, buffers)
//! ```
//!
//! Weights and cache are known to a percent or two, the overhead only roughly (it was 1 to 3.3 GiB in the logs of the tests).
//! So there are two lines. Refused is only what is too much without any overhead; what is too much with it is warned of.

pub(crate) mod config;
pub(crate) mod opinion;
pub(crate) mod request;
pub(crate) mod shape;

use crate::dynamo::terms::amount::GIB;
use shape::{Shape, Split};

/// What a GPU needs beside weights and cache, roughly, in bytes.
pub(crate) const OVERHEAD_BYTES: u64 = 2 * GIB;

/// A model on GPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Bytes of the weights, as on disk.
    pub weights_bytes: u64,
    /// `None`: not known, and only the weights are looked at.
    pub shape: Option<Shape>,
    /// Tokens of the longest sequence.
    pub context: u64,
    /// Sequences of that length which must be held at once. An engine that cuts sequences to what fits needs none.
    pub sequences: u64,
    /// Half bytes of a number in the cache: 4 for 16 bits, 2 for 8.
    pub cache_half_bytes: u32,
    pub split: Split,
}

/// What one GPU has to hold, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    pub weights: u64,
    /// Of the sequences that must be held.
    pub cache: u64,
    pub overhead: u64,
}

/// How an estimate stands to what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Fits,
    /// It depends on what the engine needs beside weights and cache.
    Close,
    /// Too much even if the engine needed nothing else.
    TooMuch,
}

impl Load {
    /// The estimate of the memory that a load takes of each GPU.
    pub fn estimate(&self) -> Estimate {
        let weights = self.weights_bytes / u64::from(self.split.gpus());
        let one = |shape: Shape| shape.sequence_bytes(self.context, self.split, self.cache_half_bytes);
        let cache = self.shape.map_or(0, one).saturating_mul(self.sequences);
        Estimate { weights, cache, overhead: OVERHEAD_BYTES }
    }

    /// Tokens of one sequence that fit beside weights and overhead into so many bytes of each GPU.
    pub fn longest(&self, usable: u64) -> Option<u64> {
        let estimate = self.estimate();
        let left = usable.saturating_sub(estimate.weights).saturating_sub(estimate.overhead);
        self.shape.map(|shape| shape.tokens_in(left, self.split, self.cache_half_bytes))
    }
}

impl Estimate {
    /// With all that is reckoned with, in bytes.
    pub fn total(&self) -> u64 {
        self.least().saturating_add(self.overhead)
    }

    /// Without what is only reckoned with, in bytes.
    pub fn least(&self) -> u64 {
        self.weights.saturating_add(self.cache)
    }

    /// `usable`: bytes of a GPU that the engine may use.
    pub fn verdict(&self, usable: u64) -> Verdict {
        if self.least() > usable {
            Verdict::TooMuch
        } else if self.total() > usable {
            Verdict::Close
        } else {
            Verdict::Fits
        }
    }
}

/// Bytes as `12.3 GB` (2³⁰ bytes).
pub(crate) fn gigabytes(bytes: u64) -> String {
    let tenths = (u128::from(bytes) * 10 + u128::from(GIB / 2)) / u128::from(GIB);
    format!("{}.{} GB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(weights_bytes: u64, shape: Shape, context: u64, tensor: u32) -> Load {
        Load {
            weights_bytes,
            shape: Some(shape),
            context,
            sequences: 1,
            cache_half_bytes: 4,
            split: Split { tensor, pipeline: 1 },
        }
    }

    const LLAMA_8B: Shape = Shape::uniform(32, 32, 8, 128);
    const LLAMA_8B_BYTES: u64 = 2 * 8_030_261_248;

    /// What vLLM reports of weights: bytes on disk, number of GPUs, hundredths of a GiB that a GPU holds.
    #[test]
    fn weights_are_what_engines_load_within_two_percent() {
        let table = [
            (LLAMA_8B_BYTES, 1, 1499),         // vllm-project/vllm#10517
            (LLAMA_8B_BYTES, 2, 748),          // vllm-project/vllm#10511
            (2 * 30_532_122_624, 4, 1425),     // vllm-project/vllm#17327
            (2 * 14_770_033_664_u64, 2, 1395), // vllm-project/vllm#13061
        ];
        for (bytes, tensor, loaded) in table {
            let estimate = load(bytes, LLAMA_8B, 1, tensor).estimate();
            let loaded = loaded * GIB / 100;
            assert!(estimate.weights.abs_diff(loaded) * 100 <= loaded * 2, "{bytes} on {tensor}");
        }
    }

    /// GPU's memory and what was left for the cache, in hundredths of a GiB, with a utilisation of 0.9.
    #[test]
    fn the_overhead_is_of_the_size_that_engines_report() {
        let table = [(7922, 1496, 5329), (2358, 1499, 381), (2358, 1499, 289)]; // vllm-project/vllm#10511, #10517
        for (memory, weights, cache) in table {
            let overhead = memory * 9 / 10 - weights - cache;
            assert!((150..=350).contains(&overhead), "{overhead}");
        }
    }

    #[test]
    fn a_card_of_24_gb_holds_an_8b_model_with_a_short_context_only() {
        let usable = 2358 * GIB / 100 * 9 / 10;
        let verdict = |context| load(LLAMA_8B_BYTES, LLAMA_8B, context, 1).estimate().verdict(usable);
        assert_eq!(verdict(8192), Verdict::Fits);
        assert_eq!(verdict(45_000), Verdict::Close);
        assert_eq!(verdict(131_072), Verdict::TooMuch);
        let longest = load(LLAMA_8B_BYTES, LLAMA_8B, 131_072, 1).longest(usable).unwrap();
        assert_eq!(verdict(longest), Verdict::Fits);
        assert_eq!(verdict(longest + 16), Verdict::Close);
    }

    #[test]
    fn sequences_add_up_and_none_costs_nothing() {
        let one = load(LLAMA_8B_BYTES, LLAMA_8B, 8192, 1);
        assert_eq!(one.estimate().cache, GIB);
        assert_eq!(Load { sequences: 16, ..one }.estimate().cache, 16 * GIB);
        assert_eq!(Load { sequences: 0, ..one }.estimate().cache, 0);
        assert_eq!(Load { shape: None, ..one }.estimate().cache, 0);
        assert_eq!(Load { shape: None, ..one }.longest(GIB), None);
        let absurd = Load { sequences: u64::MAX, context: u64::MAX, weights_bytes: u64::MAX, ..one };
        assert_eq!(absurd.estimate().verdict(GIB), Verdict::TooMuch);
    }

    #[test]
    fn bytes_are_told_in_tenths() {
        for (bytes, text) in
            [(0, "0.0 GB"), (GIB, "1.0 GB"), (GIB / 4, "0.3 GB"), (u64::MAX, "17179869184.0 GB")]
        {
            assert_eq!(gigabytes(bytes), text);
        }
    }
}
