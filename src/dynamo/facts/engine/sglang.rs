//! SGLang. Prefill and decode workers meet at the prefill worker's bootstrap port and move blocks over NIXL by
//! themselves, so the transfer is a flag here and not a connector; nothing else is offered for it.

use super::arg_rules::{ArgRules, ListStyle};
use super::vllm::HASH_SEED;
use super::{
    ADDRESS, CONNECTOR, DefaultArg, EVENTS, EVERYWHERE, EngineFacts, Events, GPU_CAPABILITIES, GPU_ULIMITS,
    MemoryArgs, ModelArgs, PORT, Serving,
};
use crate::dynamo::facts::connector::{ConnectorFacts, NO_CONNECTOR, RoleFacts, TOLD_NOTHING};
use crate::dynamo::facts::topology::{PassedBy, WorkerPort};
use crate::dynamo::terms::amount::Amount;
use crate::dynamo::terms::words::{Connector, Engine, Mode, NetworkMode, Role};

/// Release line 1.6.
pub(crate) const V1_6: EngineFacts = EngineFacts {
    engine: Engine::Sglang,
    image: "sglang-runtime",
    module: "dynamo.sglang",
    model_flag: "--model-path",
    served_name_flag: "--served-model-name",
    renames: true,
    networks: NetworkMode::ALL,
    rank_args: &["dp-size"],
    parallel_args: &["tp", "pp-size", "dp-size"],
    // Of data parallelism it depends: that of attention is over the same GPUs.
    gpu_args: &["tp", "pp-size"],
    elsewhere_args: &["nnodes"],
    default_args: &[
        DefaultArg { name: "page-size", value: "16", ..EVERYWHERE },
        DefaultArg {
            name: "page-size",
            value: "64",
            mode: Some(Mode::Disaggregated),
            kv: Some(true),
            ..EVERYWHERE
        },
    ],
    shared_args: &["page-size"],
    role_args: &["context-length"],
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
    events: Some(Events {
        args: &[
            "--kv-events-config",
            r#"{"publisher":"zmq","topic":"kv-events","endpoint":"tcp://*:{kv_events}"}"#,
        ],
        silent_args: &[],
        ports: &[KV_EVENTS],
        off_by: Some(("disable-radix-cache", true)),
    }),
    connectors: &[
        NO_CONNECTOR,
        ConnectorFacts {
            connector: Connector::Nixl,
            mode: Mode::Disaggregated,
            roles: &[OVER_NIXL, RoleFacts { role: Role::Prefill, ..OVER_NIXL }],
            ..NO_CONNECTOR
        },
    ],
    env: &[],
    env_defaults: &[],
    kv_env_defaults: HASH_SEED,
    reserved_env: &[&[("SGLANG_HOST_IP", ADDRESS)]],
    args: ArgRules {
        spellings: &[
            ("tp-size", "tp"),
            ("tensor-parallel-size", "tp"),
            ("pp", "pp-size"),
            ("pipeline-parallel-size", "pp-size"),
            ("dp", "dp-size"),
            ("data-parallel-size", "dp-size"),
        ],
        maps: &[],
        negatable: &[],
        lists: ListStyle::Words,
        reserved: &[
            ("disaggregation-transfer-backend", CONNECTOR),
            ("disaggregation-bootstrap-port", PORT),
            ("kv-events-config", EVENTS),
            ("host", ADDRESS),
            ("port", PORT),
        ],
    },
    ulimits: GPU_ULIMITS,
    shm_bytes: None,
    ipc_host: true,
    cap_add: GPU_CAPABILITIES,
    simulates: false,
    memory_args: Some(MemoryArgs {
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
    }),
    model_args: Some(ModelArgs {
        tool_calls: "dyn-tool-call-parser",
        reasoning: "dyn-reasoning-parser",
        context: "context-length",
    }),
};

/// Decode workers learn of each prefill worker's port from Dynamo, but are given one all the same.
pub(crate) const OVER_NIXL: RoleFacts = RoleFacts {
    args: &["--disaggregation-transfer-backend", "nixl", "--host", "{listen}"],
    address_env: &["SGLANG_HOST_IP"],
    ports: &[BOOTSTRAP, PORT_OF_ITS_OWN],
    ..TOLD_NOTHING
};

/// Where it reports what it caches.
pub(crate) const KV_EVENTS: WorkerPort = WorkerPort {
    name: "kv_events",
    told: PassedBy::Inline,
    private: Some(5557),
    from: 5557,
    listed: false,
    any_address: true,
    per_rank: true,
    also: &[],
};
/// Where decode workers are introduced to a prefill worker.
pub(crate) const BOOTSTRAP: WorkerPort = WorkerPort {
    name: "bootstrap",
    told: PassedBy::Flag("--disaggregation-bootstrap-port"),
    private: Some(12345),
    from: 12345,
    listed: false,
    any_address: false,
    per_rank: false,
    also: &[],
};
/// The base of ports that it opens by itself; the default would be the same for all workers of a host.
pub(crate) const PORT_OF_ITS_OWN: WorkerPort = WorkerPort {
    name: "engine",
    told: PassedBy::Flag("--port"),
    private: None,
    from: 30000,
    listed: false,
    any_address: true,
    per_rank: false,
    also: &[],
};
