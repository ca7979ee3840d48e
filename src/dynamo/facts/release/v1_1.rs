//! Release line 1.1: no credit for a cached prefix but a weight, which means something else, so it is not offered under
//! the same name (its variable is the user's to set). The simulator cannot rename a model.

use super::record::Release;
use super::{v1_2, v1_6};
use crate::dynamo::facts::engine::{mocker, sglang, trtllm, vllm};

pub(crate) const RELEASE: Release = Release {
    line: "1.1",
    versions: &["1.1.0", "1.1.1"],
    router_options: &[v1_6::TEMPERATURE, v1_6::KV_EVENTS, v1_6::TTL_SECONDS, v1_6::REPLICA_SYNC],
    engines: &[vllm::V1_1, sglang::V1_6, trtllm::V1_2, mocker::V1_1],
    ..v1_2::RELEASE
};
