//! The `provider` block.
//!
//! In an entry of `hosts` Terraform drops a key that the schema does not know, without a word. So `address` is in the
//! schema although this version only reaches local Docker: an entry with an address must be refused, not applied to
//! the wrong machine.

use crate::model;
use crate::tf_provider::attr::{Attr, Nested, NestedMap};
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::schema::{check, optional};
use crate::tf_provider::value::{Number, Path};

/// The host when `hosts` is left out.
pub const LOCAL: &str = "local";

model! {
    pub struct ProviderModel {
        hosts: Attr<NestedMap<HostModel>> = optional("The machines, by a name of your choice; `host` of every resource \
            names one of them. Left out: one host, `local`, which is this machine's Docker (`DOCKER_HOST` is \
            honoured).").check(check::text("be a name of letters, digits, `-`, `_` and `.`", is_host_name).each_key()),
    }
}

model! {
    pub struct HostModel {
        address: Attr<String> = optional("Not supported by this version: only this machine's Docker can be reached, \
            which is what leaving it out means."),
        docker_host: Attr<String> = optional("Where the Docker Engine listens: `unix:///path` or `tcp://host:port`. Left \
            out: `DOCKER_HOST` from the environment, else the socket of this machine.")
            .check(check::text("begin with \"unix:///\", \"tcp://\" or \"http://\"", is_engine_address)),
        model_cache: Attr<String> = optional("Folder on the host where downloaded models are kept. Left out: \
            `/var/lib/dynamo/huggingface`.").check(check::text("be an absolute path", |text| text.starts_with('/'))),
        reserved: Attr<Nested<ReservedModel>> = optional("What is kept for the system when limits are worked out. Left \
            out: 5 % of the CPUs but at least one, and 10 % of the memory but at least 2 GB and at most 32 GB."),
    }
}

model! {
    pub struct ReservedModel {
        cpus: Attr<Number> = optional("CPUs kept for the system."),
        memory_gb: Attr<Number> = optional("Memory kept for the system, in GB (2³⁰ bytes)."),
    }
}

/// A name that can stand in an import id (`host/name`) without quoting.
fn is_host_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 63
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn is_engine_address(text: &str) -> bool {
    ["unix:///", "tcp://", "http://"]
        .iter()
        .any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
}

/// Offline checks of the block.
pub fn validate(config: &ProviderModel) -> Diagnostics {
    let mut found = Diagnostics::new();
    let Attr::Known(NestedMap(hosts)) = &config.hosts else { return found };
    let path = Path::of("hosts");
    if hosts.is_empty() {
        let detail = "The map is empty. Leave it out for this machine's Docker, or name at least one host.";
        found.push(Diagnostic::error("No host", detail).at(path.clone()));
    }
    for (name, host) in hosts {
        let Attr::Known(Nested(host)) = host else { continue };
        if host.address.known().is_some() {
            let detail = format!(
                "Host {name:?} has an address, but this version of the provider reaches only this machine's Docker. \
                 Leave the address out, or name the Engine with docker_host."
            );
            let at = path.key(name).attribute("address");
            found.push(Diagnostic::error("Remote hosts are not supported yet", detail).at(at));
        }
    }
    found
}
