//! vLLM. It moves KV caches by what `--kv-transfer-config` says, and reports them by what `--kv-events-config` says.
//!
//! The offloading connector of a disaggregated deployment works on the prefill side only and hands over to NIXL, so the
//! decode side is told of NIXL alone. Both must lay their blocks out alike, which the hybrid KV cache manager of one side
//! would change.

use super::arg_rules::{ArgRules, ListStyle};
use super::{
    ADDRESS, CONNECTOR, DefaultArg, EVENTS, EVERYWHERE, EngineFacts, Events, GPU_CAPABILITIES, GPU_ULIMITS,
    KVBM_VARIABLES, MemoryArgs, ModelArgs, PORT, REGISTERS, ROLE, Serving,
};
use crate::dynamo::facts::cache::{CacheFacts, DiskFacts};
use crate::dynamo::facts::cache_server;
use crate::dynamo::facts::connector::{ConnectorFacts, NO_CONNECTOR, RoleFacts, TOLD_NOTHING};
use crate::dynamo::facts::topology::{PassedBy, WorkerPort};
use crate::dynamo::terms::amount::Amount;
use crate::dynamo::terms::words::{Connector, Engine, Mode, NetworkMode, Role};

/// Release line 1.6.
pub(crate) const V1_6: EngineFacts = EngineFacts {
    engine: Engine::Vllm,
    image: "vllm-runtime",
    module: "dynamo.vllm",
    model_flag: "--model",
    served_name_flag: "--served-model-name",
    renames: true,
    networks: NetworkMode::ALL,
    rank_args: &["data-parallel-size"],
    parallel_args: &[
        "tensor-parallel-size",
        "pipeline-parallel-size",
        "data-parallel-size",
        "prefill-context-parallel-size",
    ],
    gpu_args: &[
        "tensor-parallel-size",
        "pipeline-parallel-size",
        "data-parallel-size",
        "prefill-context-parallel-size",
    ],
    elsewhere_args: &[
        "nnodes",
        "data-parallel-size-local",
        "data-parallel-rank",
        "data-parallel-start-rank",
        "data-parallel-address",
        "data-parallel-hybrid-lb",
        "data-parallel-external-lb",
    ],
    default_args: &[DefaultArg { name: "block-size", value: "64", kv: Some(true), ..EVERYWHERE }],
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
    events: Some(REPORTS),
    connectors: &[
        NO_CONNECTOR,
        NIXL_ALONE,
        KVBM_ALONE,
        LMCACHE_SERVED,
        LMCACHE_ALONE,
        NIXL_BETWEEN,
        KVBM_BETWEEN,
        LMCACHE_BETWEEN,
        LMCACHE_OVER_NIXL,
    ],
    env: &[],
    // Blocks are hashed with Python's own hash, and all processes must come to the same: those of one worker for LMCache,
    // all workers for the router.
    env_defaults: HASH_SEED,
    kv_env_defaults: HASH_SEED,
    reserved_env: &[
        KVBM_VARIABLES,
        &[
            ("VLLM_NIXL_SIDE_CHANNEL_HOST", ADDRESS),
            ("VLLM_NIXL_SIDE_CHANNEL_PORT", PORT),
            ("DYN_CONNECTOR", CONNECTOR),
            ("DYN_VLLM_DISAGGREGATION_MODE", ROLE),
            ("DYN_VLLM_IS_PREFILL_WORKER", ROLE),
            ("DYN_VLLM_IS_DECODE_WORKER", ROLE),
            ("DYN_VLLM_HEADLESS", REGISTERS),
            ("LMCACHE_LOCAL_CPU", CONNECTOR),
            ("LMCACHE_MAX_LOCAL_CPU_SIZE", "set connector.cpu_cache_gb on the deployment"),
            ("LMCACHE_CONFIG_FILE", "leave it out: with it, LMCache would look at no variable"),
        ],
    ],
    args: ArgRules {
        // With one dash it knows them itself.
        spellings: &[
            ("tp", "tensor-parallel-size"),
            ("pp", "pipeline-parallel-size"),
            ("dp", "data-parallel-size"),
        ],
        maps: &[],
        // Those that are on unless they are switched off.
        negatable: &[
            "enable-prefix-caching",
            "enable-chunked-prefill",
            "async-scheduling",
            "disable-hybrid-kv-cache-manager",
        ],
        lists: ListStyle::Words,
        reserved: &[
            ("headless", REGISTERS),
            ("kv-transfer-config", CONNECTOR),
            ("connector", CONNECTOR),
            ("kv-events-config", EVENTS),
        ],
    },
    ulimits: GPU_ULIMITS,
    shm_bytes: None,
    ipc_host: true,
    cap_add: GPU_CAPABILITIES,
    simulates: false,
    memory_args: Some(MemoryArgs {
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
    }),
    model_args: Some(ModelArgs {
        tool_calls: "dyn-tool-call-parser",
        reasoning: "dyn-reasoning-parser",
        context: "max-model-len",
    }),
};

const REPORTS: Events = Events {
    args: &[
        "--kv-events-config",
        r#"{"publisher":"zmq","topic":"kv-events","endpoint":"tcp://*:{kv_events}","enable_kv_cache_events":true}"#,
    ],
    silent_args: &[],
    ports: &[KV_EVENTS],
    off_by: Some(("enable-prefix-caching", false)),
};

const NIXL_ALONE: ConnectorFacts = ConnectorFacts {
    connector: Connector::Nixl,
    mode: Mode::Aggregated,
    roles: &[RoleFacts { args: &[TRANSFER, NIXL], ..OVER_NIXL }],
    ..NO_CONNECTOR
};
const KVBM_ALONE: ConnectorFacts = ConnectorFacts {
    connector: Connector::Kvbm,
    mode: Mode::Aggregated,
    roles: &[RoleFacts {
        args: &[TRANSFER, KVBM],
        env: KVBM_ENV,
        ports: &KVBM_PORTS,
        cache: Some(KVBM_CACHE),
        ..TOLD_NOTHING
    }],
    modules: &["kvbm"],
    one_rank: true,
    ..NO_CONNECTOR
};
const LMCACHE_ALONE: ConnectorFacts = ConnectorFacts {
    connector: Connector::Lmcache,
    mode: Mode::Aggregated,
    roles: &[RoleFacts {
        args: &[TRANSFER, LMCACHE],
        env: LMCACHE_ENV,
        cache: Some(LMCACHE_CACHE),
        ..TOLD_NOTHING
    }],
    modules: &["lmcache"],
    ..NO_CONNECTOR
};
/// A server keeps the cache for all workers. Blocks must be laid out as it expects them.
const LMCACHE_SERVED: ConnectorFacts = ConnectorFacts {
    connector: Connector::Lmcache,
    roles: &[TOLD_OF_THE_SERVER],
    modules: &["lmcache"],
    server: Some(cache_server::LMCACHE),
    ..NO_CONNECTOR
};
const TOLD_OF_THE_SERVER: RoleFacts =
    RoleFacts { args: &[ONE_LAYOUT, TRANSFER, LMCACHE_SERVER], ..TOLD_NOTHING };
/// Prefill hands over through the server too.
const LMCACHE_BETWEEN: ConnectorFacts = ConnectorFacts {
    mode: Mode::Disaggregated,
    roles: &[TOLD_OF_THE_SERVER, RoleFacts { role: Role::Prefill, ..TOLD_OF_THE_SERVER }],
    ..LMCACHE_SERVED
};
const NIXL_BETWEEN: ConnectorFacts = ConnectorFacts {
    connector: Connector::Nixl,
    mode: Mode::Disaggregated,
    roles: &[
        RoleFacts { args: &[TRANSFER, NIXL], ..OVER_NIXL },
        RoleFacts { role: Role::Prefill, args: &[TRANSFER, NIXL], ..OVER_NIXL },
    ],
    ..NO_CONNECTOR
};
const KVBM_BETWEEN: ConnectorFacts = ConnectorFacts {
    connector: Connector::Kvbm,
    mode: Mode::Disaggregated,
    roles: &[
        RoleFacts { args: &[ONE_LAYOUT, TRANSFER, NIXL], ..OVER_NIXL },
        RoleFacts {
            role: Role::Prefill,
            args: &[ONE_LAYOUT, TRANSFER, KVBM_THEN_NIXL],
            env: KVBM_ENV,
            ports: &[NIXL_PORT, KVBM_PUB, KVBM_ACK],
            cache: Some(KVBM_CACHE),
            ..OVER_NIXL
        },
    ],
    modules: &["kvbm"],
    one_rank: true,
    ..NO_CONNECTOR
};

/// Each prefill worker keeps a cache for itself and hands over by NIXL.
const LMCACHE_OVER_NIXL: ConnectorFacts = ConnectorFacts {
    connector: Connector::Lmcache,
    mode: Mode::Disaggregated,
    roles: &[
        RoleFacts { args: &[ONE_LAYOUT, TRANSFER, NIXL], ..OVER_NIXL },
        RoleFacts { args: &[ONE_LAYOUT, TRANSFER, LMCACHE_THEN_NIXL], ..LMCACHE_HANDS_OVER },
    ],
    // The connector of two connectors is the block manager's.
    modules: &["lmcache", "kvbm"],
    ..NO_CONNECTOR
};
const LMCACHE_HANDS_OVER: RoleFacts =
    RoleFacts { role: Role::Prefill, env: LMCACHE_ENV, cache: Some(LMCACHE_CACHE), ..OVER_NIXL };

/// Release line 1.4: LMCache's server cannot stand between prefill and decode, and was not released for its vLLM.
pub(crate) const V1_4: EngineFacts = EngineFacts { connectors: CONNECTORS_1_4, ..V1_6 };
const CONNECTORS_1_4: &[ConnectorFacts] =
    &[NO_CONNECTOR, NIXL_ALONE, KVBM_ALONE, LMCACHE_ALONE, NIXL_BETWEEN, KVBM_BETWEEN, LMCACHE_OVER_NIXL];

/// Release lines 1.2 and 1.3: the block manager's own connector has one layout on both sides, and is told nothing of it.
pub(crate) const V1_3: EngineFacts = EngineFacts { connectors: CONNECTORS_1_3, ..V1_6 };
const CONNECTORS_1_3: &[ConnectorFacts] =
    &[NO_CONNECTOR, NIXL_ALONE, KVBM_ALONE, LMCACHE_ALONE, NIXL_BETWEEN, KVBM_BETWEEN_1_3, LMCACHE_OVER_NIXL];
const KVBM_BETWEEN_1_3: ConnectorFacts = ConnectorFacts {
    roles: &[
        RoleFacts { args: &[TRANSFER, NIXL], ..OVER_NIXL },
        RoleFacts {
            role: Role::Prefill,
            args: &[TRANSFER, KVBM_THEN_NIXL],
            env: KVBM_ENV,
            ports: &[NIXL_PORT, KVBM_PUB, KVBM_ACK],
            cache: Some(KVBM_CACHE),
            ..OVER_NIXL
        },
    ],
    ..KVBM_BETWEEN
};

/// Release line 1.1: so does LMCache.
pub(crate) const V1_1: EngineFacts = EngineFacts { connectors: CONNECTORS_1_1, ..V1_6 };
const CONNECTORS_1_1: &[ConnectorFacts] = &[
    NO_CONNECTOR,
    NIXL_ALONE,
    KVBM_ALONE,
    LMCACHE_ALONE,
    NIXL_BETWEEN,
    KVBM_BETWEEN_1_3,
    LMCACHE_OVER_NIXL_1_1,
];
const LMCACHE_OVER_NIXL_1_1: ConnectorFacts = ConnectorFacts {
    roles: &[
        RoleFacts { args: &[TRANSFER, NIXL], ..OVER_NIXL },
        RoleFacts { args: &[TRANSFER, LMCACHE_THEN_NIXL], ..LMCACHE_HANDS_OVER },
    ],
    ..LMCACHE_OVER_NIXL
};

/// Release line 1.0: it reports what it caches unless it is told not to, all workers of a host at one port.
pub(crate) const V1_0: EngineFacts = EngineFacts {
    events: Some(Events {
        silent_args: &["--kv-events-config", r#"{"enable_kv_cache_events":false}"#],
        ..REPORTS
    }),
    ..V1_1
};

const TRANSFER: &str = "--kv-transfer-config";
const ONE_LAYOUT: &str = "--disable-hybrid-kv-cache-manager";

macro_rules! nixl {
    () => {
        r#"{"kv_connector":"NixlConnector","kv_role":"kv_both"}"#
    };
}
macro_rules! kvbm {
    () => {
        r#"{"kv_connector":"DynamoConnector","kv_connector_module_path":"kvbm.vllm_integration.connector","kv_role":"kv_both"}"#
    };
}
macro_rules! lmcache {
    () => {
        r#"{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}"#
    };
}
/// Two connectors in one: the one that offloads first, NIXL second, and no other order.
macro_rules! then_nixl {
    ($first:expr) => {
        concat!(
            r#"{"kv_connector":"PdConnector","kv_role":"kv_both","kv_connector_extra_config":{"connectors":["#,
            $first,
            ",",
            nixl!(),
            r#"]},"kv_connector_module_path":"kvbm.vllm_integration.connector"}"#
        )
    };
}

pub(crate) const NIXL: &str = nixl!();
pub(crate) const KVBM: &str = kvbm!();
pub(crate) const LMCACHE: &str = lmcache!();
/// What workers are told of the server.
pub(crate) const LMCACHE_SERVER: &str = r#"{"kv_connector":"LMCacheMPConnector","kv_role":"kv_both","kv_connector_extra_config":{"lmcache.mp.host":"tcp://{server}","lmcache.mp.port":{lmcache}}}"#;
pub(crate) const KVBM_THEN_NIXL: &str = then_nixl!(kvbm!());
pub(crate) const LMCACHE_THEN_NIXL: &str = then_nixl!(lmcache!());

/// A worker that others connect to for its blocks.
pub(crate) const OVER_NIXL: RoleFacts =
    RoleFacts { address_env: &["VLLM_NIXL_SIDE_CHANNEL_HOST"], ports: &[NIXL_PORT], ..TOLD_NOTHING };

/// Where it reports what it caches; the process beside it in the container listens.
pub(crate) const KV_EVENTS: WorkerPort = WorkerPort {
    name: "kv_events",
    told: PassedBy::Inline,
    private: Some(20080),
    from: 20080,
    listed: false,
    any_address: true,
    per_rank: true,
    also: &[],
};
/// Where other workers ask for the layout of its blocks. In a container of its own vLLM's default does.
pub(crate) const NIXL_PORT: WorkerPort = WorkerPort {
    name: "nixl",
    told: PassedBy::Env("VLLM_NIXL_SIDE_CHANNEL_PORT"),
    private: None,
    from: 20480,
    listed: false,
    any_address: false,
    per_rank: true,
    also: &[],
};
/// The block manager's two ports between its leader and its workers. Reports of its cache go out 1000 above the first.
pub(crate) const KVBM_PUB: WorkerPort = WorkerPort {
    name: "kvbm_pub",
    told: PassedBy::Env("DYN_KVBM_LEADER_ZMQ_PUB_PORT"),
    private: None,
    from: 26001,
    listed: false,
    any_address: true,
    per_rank: false,
    also: &[1000],
};
pub(crate) const KVBM_ACK: WorkerPort = WorkerPort {
    name: "kvbm_ack",
    told: PassedBy::Env("DYN_KVBM_LEADER_ZMQ_ACK_PORT"),
    also: &[],
    ..KVBM_PUB
};
pub(crate) const KVBM_PORTS: [WorkerPort; 2] = [KVBM_PUB, KVBM_ACK];

pub(crate) const KVBM_ENV: &[(&str, &str)] = &[("DYN_KVBM_CPU_CACHE_GB", "{cpu_cache_gb}")];
pub(crate) const KVBM_CACHE: CacheFacts = CacheFacts {
    cpu_default_gb: None,
    per_gpu: false,
    disk: Some(DiskFacts {
        env: &[("DYN_KVBM_DISK_CACHE_GB", "{disk_cache_gb}")],
        folder_env: "DYN_KVBM_DISK_CACHE_DIR",
        folder: "/var/lib/dynamo/kvbm",
        // A container's own layer may be of a file system that cannot pass its cache.
        unmounted_env: &[("DYN_KVBM_DISK_DISABLE_O_DIRECT", "true")],
    }),
};

pub(crate) const LMCACHE_ENV: &[(&str, &str)] =
    &[("LMCACHE_LOCAL_CPU", "true"), ("LMCACHE_MAX_LOCAL_CPU_SIZE", "{cpu_cache_gb}")];
/// Every process of the engine, one per GPU, has a cache of its own.
pub(crate) const LMCACHE_CACHE: CacheFacts =
    CacheFacts { cpu_default_gb: Some(5), per_gpu: true, disk: None };

pub(crate) const HASH_SEED: &[(&str, &str)] = &[("PYTHONHASHSEED", "0")];
