//! Open WebUI in front of deployments, pure: what is asked for, checked, and decided down to its container.
//!
//! A chat page is one container and one volume, and three things about it are easily got wrong.
//!
//! * **Where the model is.** On a private network it joins the networks of its deployments, so that no frontend has
//!   to be opened for it; a deployment on its hosts' network is found at an address, and then it is on the host's
//!   network itself ([`place`]).
//! * **Who decides.** Open WebUI keeps settings in its database and prefers them to its environment from the second start
//!   on. Then a change here would do nothing, so it is told to keep none: what Terraform says holds at every start.
//! * **What must last.** Chats, accounts and the key that signs sessions are in the volume, which outlives every container.
//!   The key is made there by the container itself, and nobody else has it.
//!
//! What differs between releases is a row in [`release`].

pub(crate) mod check;
pub(crate) mod decide;
pub(crate) mod place;
pub(crate) mod release;
pub(crate) mod spec;

pub(crate) use spec::{OpenWebuiDraft, OpenWebuiSpec, SourceDraft};

/// Component of the container.
pub(crate) const COMPONENT: &str = "openwebui";

/// Where the search for a port begins.
pub(crate) const PORT_FROM: u16 = 3000;

/// Where the container finds the administrator's password, if it is given one: in a file that only root reads, since
/// whoever may look at the container sees its environment.
pub(crate) const PASSWORD_FILE: &str = "/run/dynamo-admin-password";

#[cfg(test)]
mod tests;
