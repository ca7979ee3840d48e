//! The words of a configuration that stand for a choice, one enum each.

pub(crate) use crate::container::PullPolicy;

/// An enum whose values have one spelling each, in configurations and in messages alike.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$value_doc])* $value,)+ }

        impl $name {
            /// Every value, in the order in which messages list them.
            pub const ALL: &'static [Self] = &[$(Self::$value,)+];

            /// The word for it in a configuration.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$value => $word,)+ }
            }

            /// `None` when no value is spelled so.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.word() == word)
            }
        }
    };
}

words!(
    /// What computes the tokens.
    Engine {
        Vllm = "vllm",
        Sglang = "sglang",
        Trtllm = "trtllm",
        /// Dynamo's own simulator: no GPU needed.
        Mocker = "mocker",
    }
);

words!(
    /// Whether prefill and decode are done by the same workers.
    Mode {
        Aggregated = "aggregated",
        Disaggregated = "disaggregated",
    }
);

words!(
    /// What a worker does. Aggregated workers are `Decode` and do both phases.
    Role {
        Decode = "decode",
        Prefill = "prefill",
    }
);

words!(
    /// How containers of a deployment reach each other.
    NetworkMode {
        /// One host, a private network.
        Bridge = "bridge",
        /// The hosts' own network, for several hosts.
        Host = "host",
    }
);

words!(
    /// Whether containers should run.
    DesiredState {
        Running = "running",
        /// The environment stays, the machine is free.
        Stopped = "stopped",
    }
);

words!(
    /// Where KV caches go.
    Connector {
        /// They stay on the GPU.
        None = "none",
        /// To the GPU of another worker.
        Nixl = "nixl",
        /// To memory and disk of the host, by Dynamo's own block manager.
        Kvbm = "kvbm",
        /// To memory of the host, by LMCache.
        Lmcache = "lmcache",
    }
);

words!(
    /// An option of the router block.
    RouterOption {
        /// How much a cached prefix counts when a worker is chosen; 0 ignores the cache.
        OverlapScoreCredit = "overlap_score_credit",
        /// 0 = always the best worker; more = more chance.
        Temperature = "temperature",
        /// Whether workers report what they cache, or the router guesses from what it sent.
        KvEvents = "kv_events",
        /// How long a guess about a worker's cache is believed.
        TtlSeconds = "ttl_seconds",
        /// Whether several frontends tell each other what they sent.
        ReplicaSync = "replica_sync",
    }
);
