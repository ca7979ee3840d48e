//! Release line 1.3: workers hand out their tokenizer files when asked to, and the router's credit for a cached prefix
//! ends at 1.

use super::record::Release;
use super::{v1_4, v1_6};
use crate::dynamo::facts::engine::{mocker, sglang, trtllm, vllm};
use crate::dynamo::facts::router::OptionFacts;
use crate::dynamo::terms::amount::Amount;

pub(crate) const RELEASE: Release = Release {
    line: "1.3",
    versions: &["1.3.0", "1.3.1"],
    router_options: &[CREDIT, v1_6::TEMPERATURE, v1_6::KV_EVENTS, v1_6::TTL_SECONDS, v1_6::REPLICA_SYNC],
    engines: &[vllm::V1_3, sglang::V1_6, trtllm::V1_6, mocker::V1_3],
    ..v1_4::RELEASE
};

/// Its frontend ends at once when it is more.
const CREDIT: OptionFacts = OptionFacts { most: Some(Amount::from_int(1)), ..v1_6::CREDIT };
