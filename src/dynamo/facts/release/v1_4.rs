//! Release line 1.4: the command line of 1.5, without LMCache's server. The first in which workers hand out their tokenizer files unasked, and in
//! which both sides of an offloading connector must be kept to one layout.

use super::record::Release;
use super::v1_5;
use crate::dynamo::facts::engine::{mocker, sglang, trtllm, vllm};

pub(crate) const RELEASE: Release = Release {
    line: "1.4",
    versions: &["1.4.0", "1.4.1", "1.4.2"],
    // Later ones are documented without, and their requirements contradict each other.
    image_modules: &["kvbm"],
    engines: &[vllm::V1_4, sglang::V1_6, trtllm::V1_6, mocker::V1_6],
    ..v1_5::RELEASE
};
