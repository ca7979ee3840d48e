//! Release line 1.0: four router modes; vLLM reports its cache unless it is told not to; the simulator does not start
//! without NATS, whatever the event plane is.
//!
//! NATS is there on a private network only, where nothing else can take its second port, from which it says that it works.

use super::record::Release;
use super::{v1_1, v1_5, v1_6};
use crate::dynamo::facts::engine::{mocker, sglang, trtllm, vllm};
use crate::dynamo::facts::router::RouterMode;
use crate::dynamo::facts::topology::{NATS, Topology};

pub(crate) const RELEASE: Release = Release {
    line: "1.0",
    versions: &["1.0.0", "1.0.1", "1.0.2"],
    router_modes: &[
        RouterMode { word: "round-robin", kv: false },
        RouterMode { word: "random", kv: false },
        RouterMode { word: "kv", kv: true },
        RouterMode { word: "direct", kv: false },
    ],
    topologies: &[Topology { services: &[NATS], ..v1_6::BRIDGE }, v1_5::HOST],
    engines: &[vllm::V1_0, sglang::V1_6, trtllm::V1_2, mocker::V1_0],
    ..v1_1::RELEASE
};
