//! Secret variables of a container, which take the place of plain ones of the same name.

use crate::container::{ContainerSpec, SecretEnv};

/// Gives a container its secrets, in the place of variables of the same names from further away.
pub(in crate::dynamo) fn give(spec: &mut ContainerSpec, secrets: &SecretEnv) {
    spec.env.retain(|name, _| !secrets.values.contains_key(name));
    spec.secret_env = secrets.clone();
}
