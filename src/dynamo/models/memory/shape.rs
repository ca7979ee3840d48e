//! What attention keeps of each token, which is all of a model that its KV cache depends on.
//!
//! Models differ in three ways. Most keep a key and a value for each of a few heads; some (MLA) keep one vector from which
//! all heads are computed, and every GPU needs the whole of it. Most layers keep all tokens; some only those of a window.
//! Layers without attention (Mamba and the like) keep a state of fixed size, which is small beside the rest and not counted.

use crate::dynamo::terms::objection::Refusal;

/// The attention of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Heads that ask; tensor parallelism deals them out.
    pub attention_heads: u32,
    /// Layers that keep every token.
    pub full_layers: u32,
    /// Layers that keep the last `window` tokens only.
    pub window_layers: u32,
    pub window: u32,
    pub cache: Cache,
}

/// What a layer keeps of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    /// A key and a value for each of these heads.
    Heads { kv_heads: u32, head_dim: u32 },
    /// One vector of so many numbers for all heads (MLA).
    Latent { width: u32 },
}

impl Shape {
    /// Every layer keeps every token, a key and a value per head.
    pub const fn uniform(layers: u32, attention_heads: u32, kv_heads: u32, head_dim: u32) -> Self {
        let cache = Cache::Heads { kv_heads, head_dim };
        Self { attention_heads, full_layers: layers, window_layers: 0, window: 0, cache }
    }

    /// Every layer keeps one vector per token.
    pub const fn latent(layers: u32, attention_heads: u32, width: u32) -> Self {
        let cache = Cache::Latent { width };
        Self { attention_heads, full_layers: layers, window_layers: 0, window: 0, cache }
    }

    /// So many of its layers keep a window only.
    pub const fn windowed(self, window_layers: u32, window: u32) -> Self {
        Self { full_layers: self.full_layers.saturating_sub(window_layers), window_layers, window, ..self }
    }

    /// Layers with attention.
    pub const fn layers(&self) -> u32 {
        self.full_layers.saturating_add(self.window_layers)
    }

    /// Numbers that one of `tensor_parallel` GPUs keeps of a token in one layer. Heads are dealt out as far as there are
    /// enough, and kept twice where not.
    fn numbers_per_layer(&self, tensor_parallel: u32) -> u64 {
        match self.cache {
            Cache::Heads { kv_heads, head_dim } => {
                let heads = kv_heads.div_ceil(tensor_parallel.max(1)).max(1);
                u64::from(heads).saturating_mul(u64::from(head_dim)).saturating_mul(2)
            }
            Cache::Latent { width } => u64::from(width),
        }
    }

    /// Bytes that one GPU keeps of a sequence. Pipeline stages share the layers.
    pub fn sequence_bytes(&self, tokens: u64, split: Split, half_bytes: u32) -> u64 {
        let stages = split.pipeline.max(1);
        let held = |layers: u32, tokens: u64| u64::from(layers.div_ceil(stages)).saturating_mul(tokens);
        let kept = held(self.full_layers, tokens)
            .saturating_add(held(self.window_layers, tokens.min(u64::from(self.window))));
        let numbers = kept.saturating_mul(self.numbers_per_layer(split.tensor));
        numbers.saturating_mul(u64::from(half_bytes)) / 2
    }

    /// The longest sequence that fits into so many bytes of each GPU.
    pub fn tokens_in(&self, bytes: u64, split: Split, half_bytes: u32) -> u64 {
        let (mut fits, mut too_many) = (0_u64, 1_u64 << 32);
        while too_many - fits > 1 {
            let middle = fits + (too_many - fits) / 2;
            if self.sequence_bytes(middle, split, half_bytes) <= bytes {
                fits = middle
            } else {
                too_many = middle
            }
        }
        fits
    }

    /// Whether so many GPUs can share its heads evenly.
    pub fn check_tensor_parallel(&self, size: u32) -> Result<(), Refusal> {
        let heads = self.attention_heads;
        let uneven = |one: u32, other: u32| other == 0 || !one.is_multiple_of(other);
        if size == 0 || uneven(heads, size) {
            let what = format!("its {heads} attention heads cannot be shared evenly by {size} GPUs");
            return Err(Refusal::new(what, format!("use {}", self.sizes())));
        }
        if let Cache::Heads { kv_heads, .. } = self.cache {
            let (more, fewer) = (kv_heads.max(size), kv_heads.min(size));
            if uneven(more, fewer) {
                let what = format!("its {kv_heads} key-value heads cannot be shared evenly by {size} GPUs");
                return Err(Refusal::new(what, format!("use {}", self.sizes())));
            }
        }
        Ok(())
    }

    /// The tensor parallel sizes of one machine that it takes, as words.
    fn sizes(&self) -> String {
        let there = (1..=16).filter(|size| self.attention_heads.is_multiple_of(*size));
        let there = there.filter(|size| match self.cache {
            Cache::Heads { kv_heads, .. } => kv_heads.max(*size).is_multiple_of(kv_heads.min(*size).max(1)),
            Cache::Latent { .. } => true,
        });
        let words: Vec<String> = there.map(|size| size.to_string()).collect();
        match words.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => "1".to_owned(),
        }
    }
}

/// How a model is spread over GPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// GPUs that share each layer.
    pub tensor: u32,
    /// Groups of GPUs that have some of the layers each.
    pub pipeline: u32,
}

impl Split {
    /// A model on one GPU, whole.
    pub const ONE: Self = Self { tensor: 1, pipeline: 1 };

    /// GPUs that it takes.
    pub fn gpus(self) -> u32 {
        self.tensor.max(1).saturating_mul(self.pipeline.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;
    const BF16: u32 = 4;
    const FP8: u32 = 2;
    const LLAMA_8B: Shape = Shape::uniform(32, 32, 8, 128);

    fn over(tensor: u32) -> Split {
        Split { tensor, pipeline: 1 }
    }

    /// Each figure was printed by the engine itself; the source is where its log is.
    #[test]
    fn caches_have_the_sizes_that_engines_report() {
        // 16.00 GiB for 131,072 tokens of Llama 3.1 8B: vllm-project/tpu-inference#223.
        assert_eq!(LLAMA_8B.sequence_bytes(131_072, Split::ONE, BF16), 16 * GIB);
        // SGLang, Qwen3-235B-A22B on 4 GPUs: 367,404 tokens in twice 8.23 GiB: vllm-project/vllm#21348.
        let qwen3_235b = Shape::uniform(94, 64, 4, 128);
        let both = qwen3_235b.sequence_bytes(367_404, over(4), BF16);
        assert!(both.abs_diff(2 * 823 * GIB / 100) < 2 * GIB / 100, "{both}");
        // vLLM, the same model and thread: 178,880 tokens in 8.11 GiB.
        let tokens = qwen3_235b.tokens_in(811 * GIB / 100, over(4), BF16);
        assert!(tokens.abs_diff(178_880) * 100 < 178_880 * 2, "{tokens}");
        // vLLM, Llama 3.1 8B: 1,478 blocks of 16 tokens in 2.89 GiB: vllm-project/vllm#10517.
        let tokens = LLAMA_8B.tokens_in(289 * GIB / 100, Split::ONE, BF16);
        assert!(tokens.abs_diff(1478 * 16) * 1000 < 1478 * 16 * 3, "{tokens}");
    }

    #[test]
    fn heads_are_dealt_out_and_a_latent_vector_is_not() {
        let one = LLAMA_8B.sequence_bytes(1000, Split::ONE, BF16);
        assert_eq!(LLAMA_8B.sequence_bytes(1000, over(8), BF16) * 8, one);
        // Nobody has less than one head.
        assert_eq!(LLAMA_8B.sequence_bytes(1000, over(16), BF16) * 8, one);
        assert_eq!(LLAMA_8B.sequence_bytes(1000, Split { tensor: 1, pipeline: 4 }, BF16) * 4, one);
        assert_eq!(LLAMA_8B.sequence_bytes(1000, Split::ONE, FP8) * 2, one);
        let deepseek = Shape::latent(61, 128, 576);
        assert_eq!(deepseek.sequence_bytes(1, over(8), BF16), 61 * 576 * 2);
    }

    #[test]
    fn a_window_bounds_what_its_layers_keep() {
        let gpt_oss = Shape::uniform(24, 64, 8, 64).windowed(12, 128);
        assert_eq!((gpt_oss.full_layers, gpt_oss.layers()), (12, 24));
        let whole = Shape::uniform(24, 64, 8, 64);
        assert_eq!(
            gpt_oss.sequence_bytes(100, Split::ONE, BF16),
            whole.sequence_bytes(100, Split::ONE, BF16)
        );
        let long = gpt_oss.sequence_bytes(131_072, Split::ONE, BF16);
        assert_eq!(long, (12 * 131_072 + 12 * 128) * 2 * 8 * 64 * 2);
        assert_eq!(gpt_oss.tokens_in(long, Split::ONE, BF16), 131_072);
    }

    #[test]
    fn heads_must_divide() {
        let table: [(Shape, u32, Option<&str>); 9] = [
            (LLAMA_8B, 1, None),
            (LLAMA_8B, 8, None),
            (LLAMA_8B, 16, None),
            (LLAMA_8B, 3, Some("32 attention heads")),
            (LLAMA_8B, 0, Some("0 GPUs")),
            (Shape::uniform(28, 28, 4, 128), 7, Some("4 key-value heads")),
            (Shape::uniform(28, 28, 4, 128), 8, Some("use 1, 2 or 4")),
            (Shape::uniform(40, 40, 10, 128), 4, Some("10 key-value heads")),
            (Shape::latent(61, 128, 576), 16, None),
        ];
        for (shape, size, expected) in table {
            let said = shape.check_tensor_parallel(size).map_err(|it| format!("{}; {}", it.what, it.fix));
            match expected {
                None => assert_eq!(said, Ok(()), "{size}"),
                Some(part) => assert!(said.clone().is_err_and(|text| text.contains(part)), "{said:?}"),
            }
        }
    }

    #[test]
    fn absurd_numbers_do_not_overflow() {
        let huge = Shape::uniform(u32::MAX, u32::MAX, u32::MAX, u32::MAX);
        assert!(huge.sequence_bytes(u64::MAX, Split { tensor: 0, pipeline: 0 }, u32::MAX) > 1 << 62);
        assert_eq!(huge.tokens_in(0, Split::ONE, BF16), 0);
    }
}
