//! Dynamo's simulator of an engine: real processes, real registration, made-up tokens, no GPU.
//!
//! It has no image of its own. The planner's image carries it, and it is what Dynamo's own manifests use.

use super::args::{ArgRules, ListStyle};
use super::{EngineFacts, Serving};
use crate::dynamo::spec::{Engine, Mode, Role};

/// Release line 1.6.
pub const V1_6: EngineFacts = EngineFacts {
    engine: Engine::Mocker,
    image: "dynamo-planner",
    module: "dynamo.mocker",
    model_flag: "--model-path",
    served_name_flag: "--model-name",
    serving: &[Serving { mode: Mode::Aggregated, role: Role::Decode, args: &[], component: "backend" }],
    // Without it the worker's own health page says 503 for as long as it lives.
    env: &[("DYN_SYSTEM_STARTING_HEALTH_STATUS", "ready")],
    args: ArgRules {
        // The only two flags that are on by default; any other is off when it is left out.
        negatable: &["enable-prefix-caching", "enable-chunked-prefill"],
        lists: ListStyle::Commas,
        reserved: &[
            ("model-path", "set model on the deployment"),
            ("model-name", "set served_model_name on the deployment"),
            ("endpoint", "leave it out: the deployment's name decides it"),
            ("disaggregation-mode", "set mode on the deployment and role on the worker"),
            ("is-prefill-worker", "set mode on the deployment and role on the worker"),
            ("is-decode-worker", "set mode on the deployment and role on the worker"),
            ("num-workers", "use count on the worker resource: each worker is a container of its own"),
            ("router-mode", "set router.mode on the deployment"),
            ("discovery-backend", "leave it out: the release and the network decide it"),
            ("request-plane", "leave it out: the release decides it for all containers"),
            ("response-plane", "leave it out: the release decides it for all containers"),
            ("event-plane", "leave it out: the release decides it for all containers"),
        ],
    },
    ulimits: &[],
    shm_bytes: None,
};
