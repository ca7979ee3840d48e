//! User names and passwords for registries, and which registry an image is of.

use std::collections::BTreeMap;
use std::fmt;

use crate::container::Secret;

/// User name and password for a registry.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub username: String,
    pub password: Secret,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Credentials by registry (`nvcr.io`), in whatever spelling they were given.
pub(super) struct RegistryAuth(BTreeMap<String, Credentials>);

impl RegistryAuth {
    /// Credentials as configured.
    pub(super) fn new(credentials: BTreeMap<String, Credentials>) -> Self {
        Self(credentials)
    }

    /// `registry` in its canonical spelling.
    pub(super) fn credentials_of(&self, registry: &str) -> Option<&Credentials> {
        let mut known = self.0.iter();
        known.find(|(key, _)| canonical_registry(key) == registry).map(|(_, credentials)| credentials)
    }
}

/// The registry of images whose reference names none.
pub(super) const DOCKER_HUB: &str = "docker.io";

/// The registry in an image reference: the part before the first slash when it looks like a host.
pub(super) fn registry_of(reference: &str) -> String {
    match reference.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => canonical_registry(first),
        _ => DOCKER_HUB.to_owned(),
    }
}

/// `https://index.docker.io/v1/`, as Docker's own configuration spells it, is `docker.io`.
fn canonical_registry(key: &str) -> String {
    let host = key.split_once("://").map_or(key, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or(host);
    if matches!(host, "index.docker.io" | "registry-1.docker.io") {
        DOCKER_HUB.to_owned()
    } else {
        host.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_found_under_any_spelling_of_the_registry() {
        let table = [
            ("busybox:1", "https://index.docker.io/v1/"),
            ("org/x", "docker.io"),
            ("nvcr.io/nvidia/ai-dynamo/vllm-runtime:1.6.1", "nvcr.io"),
            ("localhost:5000/x", "http://localhost:5000"),
        ];
        for (image, key) in table {
            assert_eq!(registry_of(image), canonical_registry(key), "{image}");
        }
        assert_ne!(registry_of("nvcr.io/x"), canonical_registry("docker.io"));
    }

    #[test]
    fn a_password_is_not_printed() {
        let credentials = Credentials { username: "u".into(), password: Secret::new("hunter2") };
        assert!(!format!("{credentials:?}").contains("hunter2"));
    }
}
