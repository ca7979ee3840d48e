//! A release that does not exist: it needs etcd and NATS, and has an engine with every trait that the real rows do not
//! use yet. With it the paths that older releases and other engines will take are walked by the same tests.

use crate::dynamo::facts::connector::{ConnectorFacts, NO_CONNECTOR};
use crate::dynamo::facts::engine::arg_rules::{ArgRules, ListStyle};
use crate::dynamo::facts::engine::{EngineFacts, vllm};
use crate::dynamo::facts::release::{Release, v1_0, v1_1, v1_2, v1_3, v1_4, v1_5, v1_6};
use crate::dynamo::facts::topology::{ETCD, NATS, Service, ServiceImage, Topology};
use crate::dynamo::terms::words::{Engine, Mode, NetworkMode};

/// The made-up release, as the oldest, and the real ones.
pub(crate) const ALL: &[&Release] = &[
    &WITH_SERVICES,
    &v1_0::RELEASE,
    &v1_1::RELEASE,
    &v1_2::RELEASE,
    &v1_3::RELEASE,
    &v1_4::RELEASE,
    &v1_5::RELEASE,
    &v1_6::RELEASE,
];

pub(crate) const WITH_SERVICES: Release = Release {
    line: "0.0",
    versions: &["0.0.1"],
    topologies: &[Topology {
        network: NetworkMode::Bridge,
        env: &[("DYN_DISCOVERY_BACKEND", "etcd")],
        frontend_address_env: &[],
        worker_address_env: &[],
        worker_ports: &[v1_6::SYSTEM],
        store: None,
        services: &[ETCD, Service { image: ServiceImage::Separate("nats:2.11.4"), ..NATS }],
    }],
    engines: &[EngineFacts {
        engine: Engine::Vllm,
        image: "vllm-runtime",
        module: "dynamo.vllm",
        model_flag: "--model",
        served_name_flag: "--served-model-name",
        rank_args: &[],
        parallel_args: &[],
        default_args: &[],
        events: None,
        ipc_host: false,
        cap_add: &[],
        kv_env_defaults: &[],
        serving: vllm::V1_6.serving,
        connectors: &[NO_CONNECTOR, ConnectorFacts { mode: Mode::Disaggregated, ..NO_CONNECTOR }],
        env: &[],
        args: ArgRules {
            spellings: &[],
            maps: &[],
            negatable: &["enforce-eager"],
            lists: ListStyle::Words,
            reserved: &[],
        },
        ulimits: &[("memlock", -1, -1), ("stack", 67_108_864, 67_108_864)],
        shm_bytes: Some(10 << 30),
        ..vllm::V1_6
    }],
    namespace_prefix_flag: None,
    ..v1_6::RELEASE
};
