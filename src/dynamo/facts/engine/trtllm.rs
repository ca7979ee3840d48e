//! TensorRT-LLM. What it transfers and how is part of its own configuration: a cache transceiver, which both roles need,
//! and a scheduler that does not run ahead of a prefill worker's transfers.

use super::arg_rules::{ArgRules, ListStyle};
use super::vllm::{HASH_SEED, KVBM_CACHE, KVBM_ENV, KVBM_PORTS};
use super::{
    CONNECTOR, DefaultArg, EVENTS, EVERYWHERE, EngineFacts, Events, GPU_CAPABILITIES, GPU_ULIMITS,
    KVBM_VARIABLES, MemoryArgs, ModelArgs, ROLE, Serving,
};
use crate::dynamo::facts::connector::{ConnectorFacts, NO_CONNECTOR, RoleFacts, TOLD_NOTHING};
use crate::dynamo::terms::amount::Amount;
use crate::dynamo::terms::words::{Connector, Engine, Mode, NetworkMode, Role};

/// Release line 1.6.
pub(crate) const V1_6: EngineFacts = EngineFacts {
    engine: Engine::Trtllm,
    image: "tensorrtllm-runtime",
    module: "dynamo.trtllm",
    model_flag: "--model-path",
    served_name_flag: "--served-model-name",
    renames: true,
    networks: NetworkMode::ALL,
    rank_args: &[],
    parallel_args: &["tensor-parallel-size", "pipeline-parallel-size"],
    gpu_args: &["tensor-parallel-size", "pipeline-parallel-size"],
    elsewhere_args: &[],
    default_args: &[
        DefaultArg { name: "override-engine-args", value: DECODE, role: Some(Role::Decode), ..TRANSCEIVER },
        DefaultArg { name: "override-engine-args", value: PREFILL, role: Some(Role::Prefill), ..TRANSCEIVER },
    ],
    shared_args: &["kv-block-size"],
    role_args: &["max-seq-len"],
    serving: &[
        Serving {
            mode: Mode::Aggregated,
            role: Role::Decode,
            args: &[],
            component: "backend",
            publishes: true,
        },
        Serving {
            mode: Mode::Disaggregated,
            role: Role::Decode,
            args: &["--disaggregation-mode", "decode"],
            component: "backend",
            publishes: false,
        },
        Serving {
            mode: Mode::Disaggregated,
            role: Role::Prefill,
            args: &["--disaggregation-mode", "prefill"],
            component: "prefill",
            publishes: true,
        },
    ],
    events: Some(Events { args: &["--publish-kv-events"], ..SPEAKS }),
    connectors: &[
        NO_CONNECTOR,
        ConnectorFacts {
            connector: Connector::Kvbm,
            mode: Mode::Aggregated,
            roles: &[RoleFacts {
                args: &["--connector", "kvbm"],
                env: KVBM_ENV,
                ports: &KVBM_PORTS,
                cache: Some(KVBM_CACHE),
                ..TOLD_NOTHING
            }],
            modules: &["kvbm"],
            ..NO_CONNECTOR
        },
        ConnectorFacts { connector: Connector::Nixl, mode: Mode::Disaggregated, ..NO_CONNECTOR },
    ],
    env: &[],
    env_defaults: &[],
    kv_env_defaults: HASH_SEED,
    reserved_env: &[
        KVBM_VARIABLES,
        &[
            ("DYN_TRTLLM_DISAGGREGATION_MODE", ROLE),
            ("DYN_CONNECTOR", CONNECTOR),
            ("DYN_TRTLLM_PUBLISH_KV_EVENTS", EVENTS),
            ("DYN_TRTLLM_PUBLISH_EVENTS_AND_METRICS", EVENTS),
        ],
    ],
    args: ArgRules {
        spellings: &[],
        // Since 1.1 it knows them too, and does not take both.
        maps: &[("trtllm", "override-engine-args")],
        negatable: &[],
        lists: ListStyle::Words,
        reserved: &[
            ("connector", CONNECTOR),
            ("publish-kv-events", EVENTS),
            ("publish-events-and-metrics", EVENTS),
        ],
    },
    ulimits: GPU_ULIMITS,
    shm_bytes: None,
    ipc_host: true,
    cap_add: GPU_CAPABILITIES,
    simulates: false,
    memory_args: Some(MemoryArgs {
        context: &["max-seq-len"],
        cache_type: &[],
        utilisation: &[],
        usual: Amount::from_milli(1000),
        tensor: &["tensor-parallel-size"],
        pipeline: &["pipeline-parallel-size"],
        insists: false,
        beyond: &["extra-engine-args", "quantization", "load-format", "enable-attention-dp"],
    }),
    model_args: Some(ModelArgs {
        tool_calls: "dyn-tool-call-parser",
        reasoning: "dyn-reasoning-parser",
        context: "max-seq-len",
    }),
};

/// Users with a configuration of their own say it there.
const TRANSCEIVER: DefaultArg =
    DefaultArg { mode: Some(Mode::Disaggregated), unless: &["extra-engine-args"], ..EVERYWHERE };
const DECODE: &str = r#"{"cache_transceiver_config":{"backend":"DEFAULT"}}"#;
const PREFILL: &str =
    r#"{"cache_transceiver_config":{"backend":"DEFAULT"},"disable_overlap_scheduler":true}"#;

const SPEAKS: Events = Events { args: &[], silent_args: &[], ports: &[], off_by: None };

/// Up to release line 1.2 one flag asked for these reports and for metrics, and workers that decode had a component of
/// their own name.
pub(crate) const V1_2: EngineFacts = EngineFacts {
    serving: &[
        Serving {
            mode: Mode::Aggregated,
            role: Role::Decode,
            args: &[],
            component: "tensorrt_llm",
            publishes: true,
        },
        Serving {
            mode: Mode::Disaggregated,
            role: Role::Decode,
            args: &["--disaggregation-mode", "decode"],
            component: "tensorrt_llm",
            publishes: false,
        },
        Serving {
            mode: Mode::Disaggregated,
            role: Role::Prefill,
            args: &["--disaggregation-mode", "prefill"],
            component: "prefill",
            publishes: true,
        },
    ],
    events: Some(Events { args: &["--publish-events-and-metrics"], ..SPEAKS }),
    ..V1_6
};
