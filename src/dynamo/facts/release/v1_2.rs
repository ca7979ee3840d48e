//! Release line 1.2: TensorRT-LLM reports caches and metrics by one flag. The event plane would be NATS by default; it is
//! told to be ZMQ, as in every line, and NATS is not needed then.

use super::record::Release;
use super::v1_3;
use crate::dynamo::facts::engine::{mocker, sglang, trtllm, vllm};

pub(crate) const RELEASE: Release = Release {
    line: "1.2",
    versions: &["1.2.0", "1.2.1"],
    engines: &[vllm::V1_3, sglang::V1_6, trtllm::V1_2, mocker::V1_3],
    ..v1_3::RELEASE
};
