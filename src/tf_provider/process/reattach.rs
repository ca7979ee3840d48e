//! How a developer points Terraform at a provider that is already running.
//!
//! Terraform and OpenTofu look the provider up by its full address, with their own registry in front, so both are named.

use std::path::Path;

use serde_json::{Value, json};

use super::handshake::PROTOCOL;

const REGISTRIES: [&str; 2] = ["registry.terraform.io", "registry.opentofu.org"];

/// What to print: a sentence, and a variable to paste into another shell. `provider` is `<namespace>/<name>`.
pub(super) fn instructions(provider: &str, process: u32, socket: &Path) -> String {
    format!(
        "Provider started. To use it, set this in another shell and run Terraform or OpenTofu there; Ctrl-C ends it.\n\n\
         TF_REATTACH_PROVIDERS='{}'\n",
        addresses(provider, process, socket)
    )
}

/// The variable's value: JSON that holds no single quote, whatever the path.
fn addresses(provider: &str, process: u32, socket: &Path) -> String {
    let reattach = json!({
        "Protocol": "grpc",
        "ProtocolVersion": PROTOCOL,
        "Pid": process,
        // The host must not end a process that it did not start.
        "Test": true,
        "Addr": { "Network": "unix", "String": socket.to_string_lossy() },
    });
    let all = REGISTRIES.iter().map(|registry| (format!("{registry}/{provider}"), reattach.clone()));
    Value::Object(all.collect()).to_string().replace('\'', "\\u0027")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_registries_and_a_path_with_quotes() {
        let text = addresses("space/name", 7, Path::new("/tmp/it's/socket"));
        assert!(!text.contains('\''), "{text}");
        let value: Value = serde_json::from_str(&text).unwrap();
        for registry in REGISTRIES {
            let one = &value[format!("{registry}/space/name")];
            assert_eq!(one["Addr"]["String"], "/tmp/it's/socket");
            assert_eq!(
                (&one["ProtocolVersion"], &one["Test"], &one["Pid"]),
                (&json!(6), &json!(true), &json!(7))
            );
        }
        assert_eq!(value.as_object().unwrap().len(), 2);
    }
}
