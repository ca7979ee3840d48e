//! Dynamo's simulator of an engine: real processes, real registration, made-up tokens, no GPU.
//!
//! It has no image of its own. The planner's image carries it, and it is what Dynamo's own manifests use.

use super::arg_rules::{ArgRules, ListStyle};
use super::{EngineFacts, Serving};
use crate::dynamo::facts::connector::{ConnectorFacts, NO_CONNECTOR};
use crate::dynamo::terms::words::{Engine, Mode, NetworkMode, Role};

/// Release line 1.6.
pub(crate) const V1_6: EngineFacts = EngineFacts {
    engine: Engine::Mocker,
    image: "dynamo-planner",
    module: "dynamo.mocker",
    model_flag: "--model-path",
    served_name_flag: "--model-name",
    renames: true,
    networks: NetworkMode::ALL,
    rank_args: &[],
    parallel_args: &[],
    gpu_args: &[],
    elsewhere_args: &[],
    default_args: &[],
    shared_args: &["block-size"],
    role_args: &["max-model-len"],
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
    events: None,
    // It only simulates that it moves something.
    connectors: &[NO_CONNECTOR, ConnectorFacts { mode: Mode::Disaggregated, ..NO_CONNECTOR }],
    // Without it the worker's own health page says 503 for as long as it lives.
    env: &[("DYN_SYSTEM_STARTING_HEALTH_STATUS", "ready")],
    env_defaults: &[],
    kv_env_defaults: &[],
    reserved_env: &[],
    args: ArgRules {
        spellings: &[],
        maps: &[],
        // The only two flags that are on by default; any other is off when it is left out.
        negatable: &["enable-prefix-caching", "enable-chunked-prefill"],
        lists: ListStyle::Commas,
        reserved: &[(
            "num-workers",
            "use count on the worker resource: each worker is a container of its own",
        )],
    },
    ulimits: &[],
    shm_bytes: None,
    ipc_host: false,
    cap_add: &[],
    simulates: true,
    memory_args: None,
    model_args: None,
};

/// Release lines 1.2 and 1.3: the frontend finds a folder's tokenizer under another name only if the worker hands it out.
pub(crate) const V1_3: EngineFacts = EngineFacts {
    env: &[("DYN_SYSTEM_STARTING_HEALTH_STATUS", "ready"), ("DYN_SELF_HOST_METADATA", "1")],
    ..V1_6
};

/// Release line 1.1, where no worker does: the frontend looks for the model by the name it is served under.
pub(crate) const V1_1: EngineFacts = EngineFacts { renames: false, ..V1_6 };

/// Release line 1.0: the planner had no image yet, but every engine's image has the simulator. It needs NATS, which is
/// there on a private network only.
pub(crate) const V1_0: EngineFacts =
    EngineFacts { image: "vllm-runtime", networks: &[NetworkMode::Bridge], ..V1_1 };
