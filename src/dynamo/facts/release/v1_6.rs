//! Release line 1.6: no NATS, etcd only for several hosts, workers that hand out their tokenizer files themselves.

use super::record::{Frontend, Grace, Release};
use crate::dynamo::facts::engine::{mocker, sglang, trtllm, vllm};
use crate::dynamo::facts::router::{OptionFacts, OptionFlag, RouterMode};
use crate::dynamo::facts::topology;
use crate::dynamo::facts::topology::{ETCD, PassedBy, Store, Topology, WorkerPort};
use crate::dynamo::terms::words::{NetworkMode, RouterOption};

pub(crate) const RELEASE: Release = Release {
    line: "1.6",
    versions: &["1.6.0", "1.6.1"],
    registry: "nvcr.io/nvidia/ai-dynamo",
    entrypoint: &["python3"],
    frontend: Frontend {
        module: "dynamo.frontend",
        address_flag: "--http-host",
        port_flag: "--http-port",
        // A request whose worker dies goes on with another one instead of failing.
        defaults: &[("DYN_MIGRATION_LIMIT", "3")],
        port: 8000,
        alias: "frontend",
        health_path: "/health",
        models_path: "/v1/models",
    },
    router_mode_flag: "--router-mode",
    router_modes: &[
        RouterMode { word: "round-robin", kv: false },
        RouterMode { word: "random", kv: false },
        RouterMode { word: "kv", kv: true },
        RouterMode { word: "direct", kv: false },
        RouterMode { word: "power-of-two", kv: false },
        RouterMode { word: "least-loaded", kv: false },
        RouterMode { word: "device-aware-weighted", kv: false },
    ],
    router_options: &[CREDIT, TEMPERATURE, KV_EVENTS, TTL_SECONDS, REPLICA_SYNC],
    topologies: &[BRIDGE, HOST],
    engines: &[vllm::V1_6, sglang::V1_6, trtllm::V1_6, mocker::V1_6],
    image_modules: &[],
    namespace_env: "DYN_NAMESPACE",
    namespace_prefix_flag: Some("--namespace-prefix"),
    // The defaults of this line, said aloud: all processes must agree, whatever an image sets.
    env: &[("DYN_REQUEST_PLANE", "tcp"), ("DYN_EVENT_PLANE", "zmq")],
    reserved_env: &[
        ("DYN_NAMESPACE", "leave it out: the deployment's name decides it"),
        ("DYN_NAMESPACE_PREFIX", "leave it out: the deployment's name decides it"),
        ("DYN_NAMESPACE_WORKER_SUFFIX", "leave it out: the deployment's name decides it"),
        ("DYN_ENDPOINT", "leave it out: the deployment's name decides it"),
        ("DYN_DISCOVERY_BACKEND", DISCOVERY_ADVICE),
        ("DYN_FILE_KV", DISCOVERY_ADVICE),
        ("ETCD_ENDPOINTS", DISCOVERY_ADVICE),
        ("NATS_SERVER", DISCOVERY_ADVICE),
        ("DYN_REQUEST_PLANE", PLANE_ADVICE),
        ("DYN_RESPONSE_PLANE", PLANE_ADVICE),
        ("DYN_EVENT_PLANE", PLANE_ADVICE),
        ("DYN_SYSTEM_PORT", PORT_ADVICE),
        ("DYN_TCP_RPC_PORT", PORT_ADVICE),
        ("DYN_SYSTEM_HOST", ADDRESS_ADVICE),
        ("DYN_TCP_RPC_HOST", ADDRESS_ADVICE),
        ("DYN_TCP_RESPONSE_STREAM_HOST", ADDRESS_ADVICE),
        ("DYN_EVENT_PLANE_HOST", ADDRESS_ADVICE),
        ("DYN_SYSTEM_ENABLED", "leave it out: it is always on"),
        ("DYN_SYSTEM_STARTING_HEALTH_STATUS", "leave it out: the engine decides it"),
        ("DYN_HTTP_HOST", "set bind_address on the deployment"),
        ("DYN_HTTP_PORT", "set port on the deployment"),
        ("DYN_HTTP_SVC_HEALTH_PATH", PATH_ADVICE),
        ("DYN_HTTP_SVC_MODELS_PATH", PATH_ADVICE),
        ("DYN_SYSTEM_HEALTH_PATH", PATH_ADVICE),
        ("DYN_TLS_CERT_PATH", "put a proxy with the certificate before the frontend"),
        ("DYN_TLS_KEY_PATH", "put a proxy with the certificate before the frontend"),
        ("DYN_SELF_HOST_METADATA", "leave it out: the release decides it"),
        ("DYN_MODEL_NAME", "set served_model_name on the deployment"),
        ("DYN_MODEL_PATH", "set model on the deployment"),
        ("DYN_ROUTER_MODE", "set router.mode on the deployment"),
        ("DYN_ROUTER_LOAD_AWARE", "set router.mode on the deployment"),
        ("DYN_ROUTER_KV_OVERLAP_SCORE_CREDIT", "set router.overlap_score_credit on the deployment"),
        ("DYN_ROUTER_TEMPERATURE", "set router.temperature on the deployment"),
        ("DYN_ROUTER_USE_KV_EVENTS", "set router.kv_events on the deployment"),
        ("DYN_ROUTER_TTL_SECS", "set router.ttl_seconds on the deployment"),
        ("DYN_ROUTER_REPLICA_SYNC", "set router.replica_sync on the deployment"),
        ("HF_HOME", CACHE_ADVICE),
        ("HF_HUB_CACHE", CACHE_ADVICE),
        ("NVIDIA_VISIBLE_DEVICES", "leave it out: no GPU may be handed out past the provider"),
        ("CUDA_VISIBLE_DEVICES", "leave it out: a container sees the GPUs it was given and no other"),
    ],
    hf_home: "/var/lib/dynamo/huggingface",
    model_cache: "/var/lib/dynamo/huggingface",
    // Requests in flight are waited for; two minutes is what Dynamo's own documentation gives them.
    grace: Grace { frontend: 120, worker: 120, service: 15 },
};

pub(crate) const CREDIT: OptionFacts = OptionFacts {
    option: RouterOption::OverlapScoreCredit,
    flag: OptionFlag::Value("--router-kv-overlap-score-credit"),
    env: "DYN_ROUTER_KV_OVERLAP_SCORE_CREDIT",
    only_without_events: false,
    most: None,
};
pub(crate) const TEMPERATURE: OptionFacts = OptionFacts {
    option: RouterOption::Temperature,
    flag: OptionFlag::Value("--router-temperature"),
    env: "DYN_ROUTER_TEMPERATURE",
    only_without_events: false,
    most: None,
};
pub(crate) const KV_EVENTS: OptionFacts = OptionFacts {
    option: RouterOption::KvEvents,
    flag: OptionFlag::Switch { on: "--router-kv-events", off: "--no-router-kv-events" },
    env: "DYN_ROUTER_USE_KV_EVENTS",
    only_without_events: false,
    most: None,
};
pub(crate) const TTL_SECONDS: OptionFacts = OptionFacts {
    option: RouterOption::TtlSeconds,
    flag: OptionFlag::Value("--router-ttl-secs"),
    env: "DYN_ROUTER_TTL_SECS",
    only_without_events: true,
    most: None,
};
pub(crate) const REPLICA_SYNC: OptionFacts = OptionFacts {
    option: RouterOption::ReplicaSync,
    flag: OptionFlag::Switch { on: "--router-replica-sync", off: "--no-router-replica-sync" },
    env: "DYN_ROUTER_REPLICA_SYNC",
    only_without_events: false,
    most: None,
};

/// One host: processes meet in a folder in memory.
pub(crate) const BRIDGE: Topology = Topology {
    network: NetworkMode::Bridge,
    env: &[("DYN_DISCOVERY_BACKEND", "file"), ("DYN_FILE_KV", DISCOVERY)],
    frontend_address_env: &[],
    worker_address_env: &[],
    worker_ports: &[SYSTEM],
    store: Some(Store {
        path: DISCOVERY,
        options: &[("type", "tmpfs"), ("device", "tmpfs"), ("o", "mode=0777,size=64m")],
    }),
    services: &[],
};

/// Several hosts: processes meet in etcd.
pub(crate) const HOST: Topology = Topology {
    network: NetworkMode::Host,
    env: &[("DYN_DISCOVERY_BACKEND", "etcd")],
    // Workers send their answers to the first, which would else be an address of the frontend's own choice.
    frontend_address_env: &["DYN_TCP_RESPONSE_STREAM_HOST", "DYN_EVENT_PLANE_HOST"],
    worker_address_env: &["DYN_TCP_RPC_HOST", "DYN_EVENT_PLANE_HOST", "DYN_SYSTEM_HOST"],
    worker_ports: &[SYSTEM, RPC],
    store: None,
    services: &[ETCD],
};

/// A worker's own HTTP server: health, metrics, and the tokenizer files that the frontend fetches.
pub(crate) const SYSTEM: WorkerPort = WorkerPort {
    name: topology::SYSTEM,
    told: PassedBy::Env("DYN_SYSTEM_PORT"),
    private: Some(9090),
    from: 9090,
    listed: false,
    any_address: false,
    per_rank: false,
    also: &[],
};
/// Where a worker takes requests.
pub(crate) const RPC: WorkerPort = WorkerPort {
    name: "rpc",
    told: PassedBy::Env("DYN_TCP_RPC_PORT"),
    private: None,
    listed: true,
    ..SYSTEM
};

const DISCOVERY: &str = "/var/lib/dynamo/discovery";
const DISCOVERY_ADVICE: &str =
    "leave it out: the release and the network decide how processes find each other";
const PLANE_ADVICE: &str = "leave it out: all containers of a deployment must agree on it";
const PATH_ADVICE: &str = "leave it out: the provider asks the usual path";
const PORT_ADVICE: &str = "leave it out: the provider picks a port that is free";
const ADDRESS_ADVICE: &str = "set advertise_address on the provider's entry for the host";
const CACHE_ADVICE: &str = "set model_cache on the provider's entry for the host";
