//! The attributes of the `provider` block, each declared once.
//!
//! In an entry of `hosts` Terraform drops a key that the schema does not know, without a word. What can be checked offline
//! is checked here, so that a misspelt `address` shows as SSH arguments without one and not as Docker of the wrong machine.

use super::models::OwnModelModel;
use crate::container::Secret;
use crate::hosts::ssh::is_host_key;
use crate::model;
use crate::tf_provider::attr::{Attr, AttrValue, Nested, NestedMap};
use crate::tf_provider::schema::{AttributeType, Check, check, optional, required};
use crate::tf_provider::value::{Number, Path, PathError, Value};
use std::net::IpAddr;

model! {
    /// The `provider` block.
    pub struct ProviderModel {
        hosts: Attr<NestedMap<HostModel>> = optional("The machines, by a name of your choice; `host` of every resource \
            names one of them. Left out: one host, `local`, which is this machine's Docker (`DOCKER_HOST` is \
            honoured).").check(check::text("be a name of letters, digits, `-`, `_` and `.`", is_host_name).each_key()),
        registry_auth: Attr<NestedMap<RegistryAuthModel>> = optional("Logins for image registries, by the registry's \
            name as it stands in image references, for example `nvcr.io`; `docker.io` is Docker Hub. Used for pulls and \
            to list tags.").sensitive().check(check::not_empty().each_key()),
        models: Attr<NestedMap<OwnModelModel>> = optional("Models of your own, by the name or path that `model` of a deployment has; \
            for `dynamo_model_catalog`, for default engine arguments and for the check whether a model fits its GPUs. An entry for \
            a model of the catalog changes what it says and keeps the rest."),
    }
}

model! {
    /// An entry of `registry_auth`: the login for a registry.
    pub struct RegistryAuthModel {
        username: Attr<String> = required("User name; `$oauthtoken` at `nvcr.io`."),
        password: Attr<Secret> = required("Password or token.").sensitive(),
    }
}

model! {
    /// An entry of `hosts`: how a machine is reached, and what holds for it.
    pub struct HostModel {
        address: Attr<String> = optional("Name or IP address of the machine, which is reached over SSH. With \
            `ssh_config = true` also an alias of `~/.ssh/config`. Left out: this machine.").check(check::not_empty()),
        port: Attr<i64> = optional("Port of the SSH server. Default: 22.").check(check::between(1, 65535)),
        user: Attr<String> = optional("User to log in as; one who may use Docker, or sudo. Left out: the `User` of \
            `~/.ssh/config` if that is read, else the user who runs Terraform.").check(check::not_empty()),
        private_key: Attr<Secret> = optional("Private key to log in with, as text (OpenSSH or PEM; Ed25519, ECDSA, RSA). Without \
            any key, agent or password: the environment variable `DYNAMO_SSH_PRIVATE_KEY`.").sensitive().check(pem()),
        private_key_path: Attr<String> = optional("File with the private key, where Terraform runs. `~` is your home \
            folder. As ssh, the provider refuses a file of yours that others may read.").check(check::not_empty()),
        private_key_passphrase: Attr<Secret> = optional("Passphrase of the private key.").sensitive(),
        certificate: Attr<String> = optional("OpenSSH certificate of the private key, as text (the content of \
            `id_ed25519-cert.pub`).").check(certificate()),
        password: Attr<Secret> = optional("Password to log in with. It is offered after the key, and answers the server's \
            question where it asks for it (keyboard-interactive), but none for a code or for another host.").sensitive(),
        agent: Attr<bool> = optional("`true`: log in with the keys of the SSH agent at `SSH_AUTH_SOCK`, at most five of them."),
        host_key: Attr<String> = optional("Public key of the server, as in `/etc/ssh/ssh_host_ed25519_key.pub`; several on lines of \
            their own. A server with another key is not logged in to.").check(host_key()),
        known_hosts_path: Attr<String> = optional("File with known hosts, where Terraform runs; without `host_key` the server has to \
            be in it, by its key or by a certificate authority. Left out: `~/.ssh/known_hosts` and \
            `/etc/ssh/ssh_known_hosts`.").check(check::not_empty()),
        insecure_ignore_host_key: Attr<bool> = optional("`true`: log in to whatever answers. Who stands in between can read and \
            change everything, passwords included."),
        ssh_config: Attr<bool> = optional("`true`: take `HostName`, `User`, `Port`, `IdentityFile` (the first), `ProxyJump`, \
            `UserKnownHostsFile`, `GlobalKnownHostsFile`, `HostKeyAlias` and `RevokedHostKeys` (a text file) from `~/.ssh/config`, and the files that it includes, where they are left out here. A `Match` counts \
            if it asks for `all`, `host` or `originalhost` only."),
        bastion: Attr<Nested<BastionModel>> = optional("SSH server on the way to the machine."),
        docker_host: Attr<String> = optional("Where the Docker Engine listens, as seen on the machine: `unix:///path` or \
            `tcp://host:port`. Left out: `unix:///var/run/docker.sock`; on this machine first `DOCKER_HOST` from the environment. \
            A `tcp://` address beyond loopback gives a warning: all that is said there is in clear text.")
            .check(check::text("begin with \"unix:///\", \"tcp://\" or \"http://\"", is_engine_address)),
        sudo_password: Attr<Secret> = optional("Password for sudo, which is used only where the user may not open the Docker \
            socket (`sudo docker system dial-stdio`). Not needed where sudo asks for none.").sensitive(),
        advertise_address: Attr<String> = optional("IP address of the machine at which the other hosts of a deployment reach \
            it. Dynamo has no login between its processes: use an address of a private network. Left out: `address`, else \
            `127.0.0.1`, which serves a deployment that is on this machine alone. Needed for `network = \"host\"` only.")
            .check(check::text("be an IP address that others can connect to", is_reachable)),
        model_cache: Attr<String> = optional("Folder on the host where downloaded models are kept. Left out: \
            `/var/lib/dynamo/huggingface`.").check(check::text("be an absolute path", |text| text.starts_with('/'))),
        model_paths: Attr<Vec<Attr<String>>> = optional("Folders on the host in which `dynamo_installed_models` looks for \
            models: Hugging Face caches, or folders with a folder for each model. `model_cache` is searched in any \
            case.").check(check::text("be an absolute path", |text| text.starts_with('/')).each()),
        reserved: Attr<Nested<ReservedModel>> = optional("What is kept for the system when limits are worked out. Left \
            out: 5 % of the CPUs but at least one, and 10 % of the memory but at least 2 GB and at most 32 GB."),
    }
}

model! {
    /// Left out, user and keys are those for the machine behind it.
    pub struct BastionModel {
        address: Attr<String> = required("Name or IP address of the bastion.").check(check::not_empty()),
        port: Attr<i64> = optional("Port of its SSH server. Default: 22.").check(check::between(1, 65535)),
        user: Attr<String> = optional("User to log in as. Left out: as on the machine behind it.").check(check::not_empty()),
        private_key: Attr<Secret> = optional("Private key, as text. Without any key, agent or password: keys or agent of the \
            machine behind it, and never its password.").sensitive().check(pem()),
        private_key_path: Attr<String> = optional("File with the private key, where Terraform runs.").check(check::not_empty()),
        private_key_passphrase: Attr<Secret> = optional("Passphrase of the private key.").sensitive(),
        certificate: Attr<String> = optional("OpenSSH certificate of the private key, as text.").check(certificate()),
        password: Attr<Secret> = optional("Password to log in with.").sensitive(),
        agent: Attr<bool> = optional("`true`: log in with the keys of the SSH agent at `SSH_AUTH_SOCK`."),
        host_key: Attr<String> = optional("Public key of the bastion; several on lines of their own.").check(host_key()),
        known_hosts_path: Attr<String> = optional("File with known hosts, where Terraform runs. Left out: \
            `~/.ssh/known_hosts` and `/etc/ssh/ssh_known_hosts`.").check(check::not_empty()),
        insecure_ignore_host_key: Attr<bool> = optional("`true`: log in to whatever answers."),
    }
}

model! {
    /// The object `reserved` of a host: the share that is kept for the system.
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

fn is_reachable(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok_and(|address| !address.is_unspecified())
}

/// Secrets are strings to Terraform, and print as a placeholder here.
impl AttrValue for Secret {
    fn attribute_type() -> AttributeType {
        String::attribute_type()
    }
    fn decode(value: &Value, path: &Path) -> Result<Self, PathError> {
        String::decode(value, path).map(Self::new)
    }
    fn encode(&self) -> Value {
        Value::string(self.reveal())
    }
}

fn pem() -> Check {
    check::text("be a private key from -----BEGIN to -----END", |text| {
        text.contains("-----BEGIN ") && text.contains("-----END ")
    })
}

fn certificate() -> Check {
    check::text("be an OpenSSH certificate (type, base64)", |text| {
        text.split_whitespace().next().is_some_and(|kind| kind.contains("-cert-v01@"))
    })
}

fn host_key() -> Check {
    check::text("be lines such as \"ssh-ed25519 AAAA…\"", is_host_key)
}

fn is_engine_address(text: &str) -> bool {
    ["unix:///", "tcp://", "http://"]
        .iter()
        .any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_configuration_shows_no_login() {
        let login = RegistryAuthModel {
            username: "$oauthtoken".into(),
            password: Attr::Known(Secret::new("canary-registry")),
        };
        let logins = NestedMap([("nvcr.io".to_owned(), Attr::Known(Nested(login)))].into());
        let config = ProviderModel { registry_auth: Attr::Known(logins), ..ProviderModel::default() };
        let text = format!("{config:?}");
        assert!(text.contains("nvcr.io") && !text.contains("canary"), "{text}");
    }
}
