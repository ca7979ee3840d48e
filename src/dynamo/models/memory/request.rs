//! What the engine arguments say of memory: how long sequences are, in what numbers the cache is, how the model is spread,
//! how much of a GPU may be used.
//!
//! Engines differ in what they do with a context that does not fit: vLLM does not start, the others serve shorter sequences.
//! And each has arguments with which weights or cache are no longer what the model's files say (quantising while loading,
//! offloading to memory, a cache of a given size). Where one of those is set nothing is said: an estimate that refuses what
//! would work is worse than none.

use super::shape::Split;
use crate::dynamo::spec::engine_args::{ArgValue, EngineArgs};
use crate::dynamo::terms::amount::Amount;
use crate::dynamo::terms::words::Engine;

/// An engine's arguments about memory, by the names under which they are kept.
struct Flags {
    engine: Engine,
    context: &'static [&'static str],
    cache_type: &'static [&'static str],
    utilisation: &'static [&'static str],
    /// The largest that is taken when none is set, by any release.
    usual: Amount,
    tensor: &'static [&'static str],
    pipeline: &'static [&'static str],
    /// It does not start unless a sequence of the whole context fits.
    insists: bool,
    /// With one of these the estimate is none.
    beyond: &'static [&'static str],
}

/// The simulator holds nothing, so it has no row.
const FLAGS: &[Flags] = &[
    Flags {
        engine: Engine::Vllm,
        context: &["max-model-len"],
        cache_type: &["kv-cache-dtype"],
        utilisation: &["gpu-memory-utilization"],
        usual: Amount::from_milli(920),
        tensor: &["tensor-parallel-size"],
        pipeline: &["pipeline-parallel-size"],
        insists: true,
        beyond: &[
            "quantization",
            "load-format",
            "hf-overrides",
            "cpu-offload-gb",
            "offload-backend",
            "kv-cache-memory-bytes",
            "num-gpu-blocks-override",
            "data-parallel-size",
            "decode-context-parallel-size",
            "prefill-context-parallel-size",
            "nnodes",
        ],
    },
    Flags {
        engine: Engine::Sglang,
        context: &["context-length"],
        cache_type: &["kv-cache-dtype"],
        utilisation: &["mem-fraction-static"],
        usual: Amount::from_milli(950),
        tensor: &["tp"],
        pipeline: &["pp-size"],
        insists: false,
        beyond: &[
            "quantization",
            "load-format",
            "json-model-override-args",
            "torchao-config",
            "cpu-offload-gb",
            "dp-size",
            "enable-dp-attention",
            "nnodes",
        ],
    },
    Flags {
        engine: Engine::Trtllm,
        context: &["max-seq-len"],
        cache_type: &[],
        utilisation: &[],
        usual: Amount::from_milli(1000),
        tensor: &["tensor-parallel-size"],
        pipeline: &["pipeline-parallel-size"],
        insists: false,
        beyond: &["extra-engine-args", "quantization", "load-format", "enable-attention-dp"],
    },
];

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
pub(crate) fn read(engine: Engine, args: &EngineArgs, gpus: u32) -> Option<Request> {
    let flags = FLAGS.iter().find(|flags| flags.engine == engine)?;
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

    fn args(entries: &[(&str, &str)]) -> EngineArgs {
        entries
            .iter()
            .map(|(name, value)| ((*name).to_owned(), ArgValue::Text((*value).to_owned())))
            .collect()
    }

    #[test]
    fn left_out_arguments_are_what_the_engine_takes() {
        let vllm = read(Engine::Vllm, &EngineArgs::new(), 4).unwrap();
        assert_eq!((vllm.context, vllm.cache_half_bytes, vllm.insists), (None, 4, true));
        assert_eq!(
            (vllm.split, vllm.utilisation),
            (Split { tensor: 4, pipeline: 1 }, Amount::from_milli(920))
        );
        assert!(!read(Engine::Sglang, &EngineArgs::new(), 1).unwrap().insists);
        assert_eq!(read(Engine::Mocker, &EngineArgs::new(), 1), None);
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
        let vllm = read(Engine::Vllm, &written, 8).unwrap();
        assert_eq!((vllm.context, vllm.cache_half_bytes), (Some(8192), 2));
        assert_eq!(
            (vllm.split, vllm.utilisation),
            (Split { tensor: 2, pipeline: 2 }, Amount::from_milli(500))
        );
        let sglang = read(Engine::Sglang, &args(&[("tp", "2"), ("context-length", "4096")]), 8).unwrap();
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
            let fitted = read(Engine::Vllm, &args(&[("max-model-len", text)]), 1).unwrap();
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
            assert_eq!(read(Engine::Vllm, &args(&[(name, value)]), 1), None, "{name}");
        }
        let list = EngineArgs::from([("max-model-len".to_owned(), ArgValue::List(vec!["1".into()]))]);
        assert_eq!(read(Engine::Vllm, &list, 1), None);
    }
}
