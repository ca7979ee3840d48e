//! The only module that talks: to Docker Engines, to containers' ports, to a host's files.
//!
//! Everything comes through a [`Host`], one per machine and process. It connects when first asked, speaks in the words of
//! [`crate::container`] and [`crate::inventory`], gives every call a deadline, and says in its errors what the user has
//! to do. Begin reading in `host`; its verbs are in the files named after what they are about.
//!
//! | file or folder | is |
//! | --- | --- |
//! | `sync` | locks, and one call for many askers |
//! | `error` | what can go wrong, and what to do about it |
//! | [`transport`] | how bytes get to a machine; `local` is this machine, and [`ssh`] any other |
//! | `docker` | the Engine's API, and the translation from and to its JSON |
//! | `host`, `registry_auth`, `shell`, `http` | what the verbs have in common |
//! | `containers`, `container_files`, `logs`, `usage` | containers |
//! | `images`, `registry` | images on the host, and their tags in a registry |
//! | `networks`, `volumes` | networks and volumes |
//! | `snapshot`, `inventory`, `machine`, `gpu` | looking at the whole host |
//! | `files`, [`transfer`] | looking at the host's files, and copying them from host to host |
//!
//! Two habits of real hosts shape it. Docker 20.10 can lock up for good when two containers leave one network at the
//! same time, so containers of a network are started, stopped and removed one at a time (`Host::lock_network`). And
//! Terraform reads ten resources at once, so what was just learned about a host is shared by the whole walk
//! (`sync::single_flight`).

mod container_files;
mod containers;
mod docker;
mod error;
mod files;
mod gpu;
mod host;
mod http;
mod images;
mod inventory;
mod logs;
mod machine;
mod networks;
mod registry;
mod registry_auth;
mod shell;
mod snapshot;
pub(crate) mod ssh;
pub(crate) mod sync;
#[cfg(test)]
mod tests;
pub(crate) mod transfer;
pub(crate) mod transport;
mod usage;
mod volumes;

pub(crate) use error::{Cause, HostError};
pub(crate) use host::Host;
pub(crate) use images::PullProgress;
pub(crate) use networks::Ensured;
pub(crate) use registry_auth::Credentials;
pub(crate) use snapshot::{Age, Filter};
#[cfg(test)]
pub(crate) use transport::ShellOutput;
#[cfg(test)]
pub(crate) use transport::Stream;
pub(crate) use transport::Transport;
pub(crate) use transport::engine_address::{is_in_clear_text, is_loopback};
#[cfg(test)]
pub(crate) use transport::listening_sockets::ListeningSocket;
pub(crate) use transport::local::LocalTransport;
pub(crate) use usage::Usage;
