//! What the engine arguments say of memory: how long sequences are, in what numbers the cache is, how the model is spread,
//! how much of a GPU may be used.
//!
//! Engines differ in what they do with a context that does not fit: vLLM does not start, the others serve shorter sequences.
//! And each has arguments with which weights or cache are no longer what the model's files say (quantising while loading,
//! offloading to memory, a cache of a given size). Where one of those is set nothing is said: an estimate that refuses what
//! would work is worse than none.

use super::shape::Split;
use crate::dynamo::facts::engine::EngineFacts;
use crate::dynamo::spec::engine_args::{ArgValue, EngineArgs};
use crate::dynamo::terms::amount::Amount;

/// Numbers of the cache by the engines' words: half bytes of each.
const CACHE_TYPES: &[(&str, u32)] = &[
    ("auto", 4),
    ("bfloat16", 4),
    ("bf16", 4),
    ("float16", 4),
    ("fp8", 2),
    ("fp8_e4m3", 2),
    ("fp8_e5m2", 2),
];

/// Half bytes of a number in a cache of that type; `None` for one that is not known.
pub(crate) fn cache_half_bytes(word: &str) -> Option<u32> {
    CACHE_TYPES.iter().find(|(known, _)| *known == word).map(|(_, size)| *size)
}

/// What is asked of a worker's GPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// Tokens; `None` = the model's own context.
    pub context: Option<u64>,
    pub cache_half_bytes: u32,
    pub utilisation: Amount,
    pub split: Split,
    /// A sequence of the whole context must fit.
    pub insists: bool,
}

/// Reads the arguments of a worker with so many GPUs; `None` where nothing can be said.
pub(crate) fn read(engine: &EngineFacts, args: &EngineArgs, gpus: u32) -> Option<Request> {
    let flags = engine.memory_args.as_ref()?;
    if flags.beyond.iter().any(|name| args.contains_key(*name)) {
        return None;
    }
    let text = |names: &[&str]| names.iter().find_map(|name| args.get(*name)).map(plain);
    let number = |names: &[&str]| match text(names) {
        None => Some(None),
        Some(text) => text?.parse::<u32>().ok().map(Some),
    };
    let pipeline = number(flags.pipeline)?.unwrap_or(1).max(1);
    let tensor = number(flags.tensor)?.unwrap_or(if pipeline > 1 { 1 } else { gpus }).max(1);
    let (context, fitted) = match text(flags.context) {
        None => (None, false),
        Some(text) => match text?.as_str() {
            "-1" | "auto" => (None, true),
            text => (Some(tokens(text)?), false),
        },
    };
    let cache_half_bytes = match text(flags.cache_type) {
        None => 4,
        Some(text) => cache_half_bytes(&text?)?,
    };
    let utilisation = match text(flags.utilisation) {
        None => flags.usual,
        Some(text) => text?.parse().ok()?,
    };
    let split = Split { tensor, pipeline };
    Some(Request { context, cache_half_bytes, utilisation, split, insists: flags.insists && !fitted })
}

fn plain(value: &ArgValue) -> Option<String> {
    match value {
        ArgValue::Number(text) | ArgValue::Text(text) => Some(text.clone()),
        ArgValue::Bool(_) | ArgValue::List(_) | ArgValue::Json(_) => None,
    }
}

/// `8192`, `8k` (thousands) or `8K` (2¹⁰), as vLLM takes them.
fn tokens(text: &str) -> Option<u64> {
    let factor = |unit: char| match unit {
        'k' => Some(1000),
        'K' => Some(1 << 10),
        'm' => Some(1_000_000),
        'M' => Some(1 << 20),
        _ => None,
    };
    let last = text.chars().next_back()?;
    match factor(last) {
        Some(factor) => text.strip_suffix(last)?.parse::<Amount>().ok()?.times(factor),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::facts::engine::{mocker, sglang, vllm};

    fn args(entries: &[(&str, &str)]) -> EngineArgs {
        entries
            .iter()
            .map(|(name, value)| ((*name).to_owned(), ArgValue::Text((*value).to_owned())))
            .collect()
    }

    #[test]
    fn left_out_arguments_are_what_the_engine_takes() {
        let vllm = read(&vllm::V1_6, &EngineArgs::new(), 4).unwrap();
        assert_eq!((vllm.context, vllm.cache_half_bytes, vllm.insists), (None, 4, true));
        assert_eq!(
            (vllm.split, vllm.utilisation),
            (Split { tensor: 4, pipeline: 1 }, Amount::from_milli(920))
        );
        assert!(!read(&sglang::V1_6, &EngineArgs::new(), 1).unwrap().insists);
        assert_eq!(read(&mocker::V1_6, &EngineArgs::new(), 1), None);
    }

    #[test]
    fn what_is_written_counts() {
        let written = args(&[
            ("max-model-len", "8192"),
            ("kv-cache-dtype", "fp8"),
            ("gpu-memory-utilization", "0.5"),
            ("tensor-parallel-size", "2"),
            ("pipeline-parallel-size", "2"),
        ]);
        let vllm = read(&vllm::V1_6, &written, 8).unwrap();
        assert_eq!((vllm.context, vllm.cache_half_bytes), (Some(8192), 2));
        assert_eq!(
            (vllm.split, vllm.utilisation),
            (Split { tensor: 2, pipeline: 2 }, Amount::from_milli(500))
        );
        let sglang = read(&sglang::V1_6, &args(&[("tp", "2"), ("context-length", "4096")]), 8).unwrap();
        assert_eq!((sglang.split.tensor, sglang.context), (2, Some(4096)));
    }

    #[test]
    fn lengths_are_read_as_the_engine_reads_them() {
        for (text, expected) in [
            ("8192", Some(8192)),
            ("8k", Some(8000)),
            ("8K", Some(8192)),
            ("1.5K", Some(1536)),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(tokens(text), expected, "{text}");
        }
        for text in ["-1", "auto"] {
            let fitted = read(&vllm::V1_6, &args(&[("max-model-len", text)]), 1).unwrap();
            assert!(!fitted.insists && fitted.context.is_none(), "{text}");
        }
    }

    #[test]
    fn nothing_is_said_of_what_is_not_understood() {
        for (name, value) in [
            ("quantization", "fp8"),
            ("cpu-offload-gb", "10"),
            ("kv-cache-dtype", "nvfp4"),
            ("max-model-len", "long"),
            ("gpu-memory-utilization", "most"),
            ("tensor-parallel-size", "two"),
            ("data-parallel-size", "2"),
        ] {
            assert_eq!(read(&vllm::V1_6, &args(&[(name, value)]), 1), None, "{name}");
        }
        let list = EngineArgs::from([("max-model-len".to_owned(), ArgValue::List(vec!["1".into()]))]);
        assert_eq!(read(&vllm::V1_6, &list, 1), None);
    }
}
