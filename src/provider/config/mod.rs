//! The `provider` block: its attributes, and what they mean to the parts that use them.
//!
//! * `schema.rs`: the attributes, with the checks of single values. Begin here.
//! * `ssh.rs`: from an entry of `hosts` to the settings of an SSH connection.
//! * `models.rs`: the map `models`, models of the user's own.

pub(crate) mod models;
pub(crate) mod schema;
pub(crate) mod ssh;

use crate::tf_provider::attr::{Attr, Nested, NestedMap};
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::value::Path;
use schema::ProviderModel;

/// The name of the only host when `hosts` is left out.
pub(crate) const LOCAL: &str = "local";

/// The offline checks of the block.
pub(crate) fn validate(config: &ProviderModel) -> Diagnostics {
    let mut found = models::validate(&config.models);
    let Attr::Known(NestedMap(hosts)) = &config.hosts else { return found };
    let path = Path::of("hosts");
    if hosts.is_empty() {
        let detail = "The map is empty. Leave it out for this machine's Docker, or name at least one host.";
        found.push(Diagnostic::error("No host", detail).at(path.clone()));
    }
    for (name, host) in hosts {
        if host.is_null() {
            let detail = format!(
                "Host {name:?} is null. Write {{}} for this machine's Docker, or leave the entry out."
            );
            found.push(Diagnostic::error("No host", detail).at(path.key(name)));
        }
        if let Attr::Known(Nested(host)) = host {
            found.extend(ssh::validate(host, &path.key(name)));
        }
    }
    found
}
