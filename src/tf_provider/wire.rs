//! What travels: messages and services, generated from the files in `proto/`.
//!
//! Generated code follows its generator's taste, so the crate's lints are off in here. One thing is not left to the
//! generator: `Debug` of the messages that carry users' values. A request printed in a log line must not print a
//! password, so these two say only how long they are, and every message around them inherits that.

/// Terraform's provider protocol.
#[allow(clippy::all, clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, rustdoc::all)]
pub mod tfplugin6 {
    tonic::include_proto!("tfplugin6");
}

/// go-plugin's own services.
#[allow(clippy::all, clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, rustdoc::all)]
pub mod plugin {
    tonic::include_proto!("plugin");
}

use std::fmt;

impl fmt::Debug for tfplugin6::DynamicValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DynamicValue(msgpack: {} bytes, json: {} bytes)", self.msgpack.len(), self.json.len())
    }
}

impl fmt::Debug for tfplugin6::RawState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawState(json: {} bytes, flatmap: {} entries)", self.json.len(), self.flatmap.len())
    }
}

#[cfg(test)]
mod tests {
    use super::tfplugin6::*;

    #[test]
    fn a_printed_request_shows_no_value() {
        let secret = || DynamicValue { msgpack: b"hunter2".to_vec(), json: b"\"hunter2\"".to_vec() };
        let request = apply_resource_change::Request { config: Some(secret()), ..Default::default() };
        let text = format!("{request:?} {:?}", RawState { json: b"hunter2".to_vec(), ..Default::default() });
        assert!(text.contains("msgpack: 7 bytes"), "{text}");
        assert!(!text.contains("hunter2") && !text.contains("104, 117"), "{text}");
    }
}
