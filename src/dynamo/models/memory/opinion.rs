//! What to say of a model on GPUs: the verdict with its numbers, and what would help.

use super::shape::Split;
use super::{Estimate, Load, Verdict, gigabytes};
use crate::dynamo::terms::amount::Amount;

/// Numbers of GPUs that may be proposed instead.
const SIZES: [u32; 4] = [2, 4, 8, 16];
/// Shorter contexts are not worth proposing.
const WORTHWHILE: u64 = 1024;

/// A GPU, as an engine may use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    pub memory_bytes: u64,
    /// The part of it that the engine takes.
    pub utilisation: Amount,
}

impl Room {
    /// The bytes of a GPU that the engine may use.
    pub(crate) fn usable(&self) -> u64 {
        self.utilisation.times(self.memory_bytes).unwrap_or(0).min(self.memory_bytes)
    }
}

/// A verdict, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opinion {
    pub verdict: Verdict,
    pub estimate: Estimate,
    /// Tokens of one sequence that fit; `None` where the attention is not known.
    pub longest: Option<u64>,
    /// No capital at the start and no full stop, unless a name has one.
    pub what: String,
    pub fix: String,
}

/// Judges `load`, which is of the model `name`.
pub(crate) fn judge(name: &str, load: &Load, room: Room) -> Opinion {
    let (estimate, usable) = (load.estimate(), room.usable());
    let longest = load.longest(usable);
    Opinion {
        verdict: estimate.verdict(usable),
        estimate,
        longest,
        what: what(name, load, room),
        fix: fix(load, usable),
    }
}

fn what(name: &str, load: &Load, room: Room) -> String {
    let estimate = load.estimate();
    let sequences = match load.sequences {
        _ if load.shape.is_none() || load.sequences == 0 => String::new(),
        1 => {
            format!(", {} for the cache of a sequence of {} tokens", gigabytes(estimate.cache), load.context)
        }
        many => format!(
            ", {} for the cache of {many} sequences of {} tokens",
            gigabytes(estimate.cache),
            load.context
        ),
    };
    format!(
        "{name} takes {} for weights{sequences} and about {} besides on each of {} GPUs, of whose {} the engine may use {} \
         (utilisation {})",
        gigabytes(estimate.weights),
        gigabytes(estimate.overhead),
        load.split.gpus(),
        gigabytes(room.memory_bytes),
        gigabytes(room.usable()),
        room.utilisation,
    )
}

fn fix(load: &Load, usable: u64) -> String {
    let mut ways = Vec::new();
    let fits = |load: &Load| load.estimate().verdict(usable) == Verdict::Fits;
    let more = SIZES.into_iter().filter(|size| *size > load.split.gpus());
    let mut more = more.map(|tensor| Load { split: Split { tensor, pipeline: 1 }, ..*load });
    let shared =
        |load: &Load| load.shape.is_none_or(|it| it.check_tensor_parallel(load.split.tensor).is_ok());
    if let Some(enough) = more.find(|load| shared(load) && fits(load)) {
        ways.push(format!("give it {} such GPUs", enough.split.tensor));
    }
    let longest = load.longest(usable).filter(|tokens| *tokens >= WORTHWHILE && *tokens < load.context);
    if let Some(tokens) = longest.filter(|_| load.sequences > 0) {
        // Round numbers are remembered.
        ways.push(format!("limit the context to {} tokens", tokens / WORTHWHILE * WORTHWHILE));
    }
    ways.push("use larger GPUs or a quantized or smaller model".to_owned());
    ways.join(", or ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::models::memory::shape::Shape;
    use crate::dynamo::terms::amount::GIB;

    fn llama(context: u64, sequences: u64) -> Load {
        Load {
            weights_bytes: 2 * 8_030_261_248,
            shape: Some(Shape::uniform(32, 32, 8, 128)),
            context,
            sequences,
            cache_half_bytes: 4,
            split: Split::ONE,
        }
    }

    const ROOM: Room = Room { memory_bytes: 24 * GIB, utilisation: Amount::from_milli(900) };

    #[test]
    fn an_opinion_has_the_numbers_and_ways_out() {
        let opinion = judge("acme/L", &llama(131_072, 1), ROOM);
        assert_eq!(opinion.verdict, Verdict::TooMuch);
        assert_eq!(
            opinion.what,
            "acme/L takes 15.0 GB for weights, 16.0 GB for the cache of a sequence of 131072 tokens and about 2.0 GB besides on \
             each of 1 GPUs, of whose 24.0 GB the engine may use 21.6 GB (utilisation 0.9)"
        );
        assert_eq!(
            opinion.fix,
            "give it 2 such GPUs, or limit the context to 37888 tokens, or use larger GPUs or a quantized or smaller model"
        );
        let longest = opinion.longest.unwrap();
        assert_eq!(judge("x", &llama(longest, 1), ROOM).verdict, Verdict::Fits);
    }

    #[test]
    fn nothing_is_proposed_that_does_not_help() {
        let small = Room { memory_bytes: 8 * GIB, ..ROOM };
        let opinion = judge("x", &llama(8192, 1), small);
        assert_eq!(opinion.fix, "give it 4 such GPUs, or use larger GPUs or a quantized or smaller model");
        let huge = Load { weights_bytes: 1 << 50, ..llama(8192, 1) };
        assert_eq!(judge("x", &huge, ROOM).fix, "use larger GPUs or a quantized or smaller model");
        let weights = judge("x", &Load { shape: None, ..llama(8192, 1) }, ROOM);
        assert!(!weights.what.contains("cache") && weights.longest.is_none(), "{}", weights.what);
    }

    #[test]
    fn a_utilisation_beyond_all_is_all() {
        assert_eq!(Room { utilisation: Amount::from_int(5), ..ROOM }.usable(), 24 * GIB);
        assert_eq!(Room { utilisation: "-1".parse().unwrap(), ..ROOM }.usable(), 0);
    }
}
