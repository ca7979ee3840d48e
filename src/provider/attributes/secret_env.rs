//! `secret_env`: what Terraform hands over and never keeps, and how a change of it shows in a plan all the same.
//!
//! Values are in the configuration alone, at plan and at apply. So a plan holds them against those that the container has,
//! and nothing of them needs to be stored. What shows is `secret_env_status`: the names, each `set`; one whose value will be
//! another is planned as not known yet, which is the change that Terraform needs to see, and names the variable. A refresh
//! has no configuration: it takes the values that are there for right, and sees only whether each variable is.
//!
//! With `secret_env_version` no values are compared, since those of ephemeral resources are others in each run; the version
//! is an ordinary attribute, and its change an ordinary one.
//!
//! A plan must not take back in apply what it said: what was known stays known. An ephemeral value may be another one by
//! then. So only where nothing else changes, and there would be no plan without it, is another value planned as not known
//! yet; beside other changes it is a warning, which is no promise. A value that is not known leaves the whole map open, since
//! it may turn out to be null. One hole is left, for the sake of a plan that says which variable it is about: of two
//! variables one has another value at plan, and the other one only by apply. Terraform refuses that apply, and the next
//! plan is right.

use super::blocks::TextMap;
use super::to_draft::given;
use crate::container::{ObservedContainer, Secret};
use crate::dynamo::spec::draft::SecretDraft;
use crate::tf_provider::attr::Attr;
use std::collections::BTreeMap;

/// The type of `secret_env`.
pub(crate) type SecretMap = BTreeMap<String, Attr<Secret>>;

/// The status of a variable that the container has.
pub(crate) const SET: &str = "set";
/// The status of a variable that the container lacks.
pub(crate) const MISSING: &str = "missing";

/// The draft that the attributes make. A null element is as if not written, and a map that is unknown as a whole is empty.
pub(crate) fn draft(values: &Attr<SecretMap>, version: &Attr<String>) -> SecretDraft {
    SecretDraft {
        values: written(values).map(|(name, value)| (name.clone(), given(value))).collect(),
        version: given(version),
    }
}

/// The variables that are written, which null elements are not.
pub(crate) fn written(values: &Attr<SecretMap>) -> impl Iterator<Item = (&String, &Attr<Secret>)> {
    values.known().into_iter().flatten().filter(|(_, value)| !value.is_null())
}

/// A model that has `secret_env`, its version and its status.
pub(crate) trait HasSecrets {
    fn secrets(&mut self) -> Attributes<'_>;
}

/// The three attributes of a model, borrowed to be changed.
pub(crate) struct Attributes<'a> {
    pub values: &'a mut Attr<SecretMap>,
    pub version: &'a mut Attr<String>,
    pub status: &'a mut Attr<TextMap>,
}

/// Implements [`HasSecrets`] for a model that declares the three attributes. It stands next to the model.
macro_rules! has_secrets {
    ($model:ty) => {
        impl $crate::provider::attributes::secret_env::HasSecrets for $model {
            fn secrets(&mut self) -> $crate::provider::attributes::secret_env::Attributes<'_> {
                $crate::provider::attributes::secret_env::Attributes {
                    values: &mut self.secret_env,
                    version: &mut self.secret_env_version,
                    status: &mut self.secret_env_status,
                }
            }
        }
    };
}
pub(crate) use has_secrets;

/// Fills in the values for containers that are to be created, and the status that they then have.
pub(crate) fn take(values: &Attr<SecretMap>, planned: &mut impl HasSecrets) {
    let attributes = planned.secrets();
    let settled = attributes.status.known().is_some_and(|map| map.values().all(|it| !it.is_unknown()));
    if !settled && !attributes.status.is_null() {
        let set = written(values).map(|(name, _)| (name.clone(), SET.into()));
        *attributes.status = Attr::Known(set.collect());
    }
    *attributes.values = values.clone();
}

/// Fills in the values for a refresh: those that `container` has. One that it lacks differs from whatever there is.
pub(crate) fn take_found(state: &mut impl HasSecrets, container: Option<&ObservedContainer>) {
    let attributes = state.secrets();
    let found = container.map(|seen| &seen.spec.secret_env.values);
    let value = |name: &String| found.and_then(|found| found.get(name)).cloned();
    let names = attributes.status.known().into_iter().flatten().map(|(name, _)| name);
    let values =
        names.map(|name| (name.clone(), Attr::Known(value(name).unwrap_or_else(|| Secret::new("")))));
    *attributes.values = Attr::Known(values.collect());
}

/// Writes what a container has into the attributes. Without one they stay as they are.
pub(crate) fn show(state: &mut impl HasSecrets, container: Option<&ObservedContainer>) {
    let Attributes { status, version, .. } = state.secrets();
    let mut names = status.known().cloned().unwrap_or_default();
    if let Some(found) = container.map(|seen| &seen.spec.secret_env) {
        names.values_mut().for_each(|status| *status = MISSING.into());
        names.extend(found.values.keys().map(|name| (name.clone(), SET.into())));
        // A version of nothing is in no label.
        if !names.is_empty() && found.version.as_deref() != version.known().map(String::as_str) {
            *version = found.version.clone().into();
        }
    }
    *status = Attr::Known(names);
}
