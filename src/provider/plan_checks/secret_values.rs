//! Plans `secret_env`: compares the values of the configuration with those of the container.

use crate::container::{Secret, SecretEnv};
use crate::hosts::{Age, Filter, HostError};
use crate::provider::attributes::blocks::TextMap;
use crate::provider::attributes::secret_env::{HasSecrets, SET, SecretMap, written};
use crate::provider::session::Client;
use crate::tf_provider::attr::Attr;
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::value::Path;

/// The state before: its status, and where its container is.
pub(crate) struct Prior<'a> {
    pub status: &'a Attr<TextMap>,
    pub host: &'a Attr<String>,
    pub container: String,
    /// Whether something else of the plan changes.
    pub changes: bool,
}

/// Plans the attributes, of which `values` are only in the configuration. `prior` is null for something new.
///
/// The host is asked only where values have to be compared; one that does not answer leaves that to apply, with a warning.
pub(crate) async fn plan(
    client: &Client,
    values: &Attr<SecretMap>,
    prior: Option<Prior<'_>>,
    planned: &mut impl HasSecrets,
) -> Diagnostics {
    let attributes = planned.secrets();
    let before = prior.as_ref().map(|prior| prior.status);
    let beside = prior.as_ref().is_some_and(|prior| prior.changes || has_other_names(values, prior.status));
    let secrets = Secrets { values, version: attributes.version, before, beside };
    let (found, mut warnings) = match prior.filter(|_| secrets.counts()) {
        Some(prior) => look(client, &prior).await,
        None => (None, Diagnostics::new()),
    };
    if let Some(found) = found.as_ref().filter(|_| beside) {
        warnings.extend(Diagnostics(others_warning(&secrets.others(found)).into_iter().collect()));
    }
    let status = secrets.status(found.as_ref());
    (*attributes.values, *attributes.status) = (values.clone(), status);
    warnings
}

/// Whether the configuration has other variables than the state.
pub(crate) fn has_other_names(values: &Attr<SecretMap>, before: &Attr<TextMap>) -> bool {
    let before = before.known().into_iter().flatten().map(|(name, _)| name);
    !values.is_unknown() && !written(values).map(|(name, _)| name).eq(before)
}

/// What the container has, if there is one.
async fn look(client: &Client, prior: &Prior<'_>) -> (Option<SecretEnv>, Diagnostics) {
    let machine = prior.host.known().and_then(|host| client.host(host).ok());
    let Some(machine) = machine else { return (None, Diagnostics::new()) };
    match machine.host.observe(&Filter::Names(vec![prior.container.clone()]), Age::Walk).await {
        Ok(seen) => (seen.into_iter().next().map(|seen| seen.spec.secret_env), Diagnostics::new()),
        Err(error) => (None, not_compared(&error).into()),
    }
}

/// The variables of the configuration, and those that there were before.
pub(crate) struct Secrets<'a> {
    values: &'a Attr<SecretMap>,
    version: &'a Attr<String>,
    /// `secret_env_status` as it was; `None` for something new.
    before: Option<&'a Attr<TextMap>>,
    /// Whether something else of the plan changes.
    beside: bool,
}

impl Secrets<'_> {
    /// Whether values say anything that the version does not.
    fn counts(&self) -> bool {
        self.version.is_null() && written(self.values).any(|(_, value)| value.known().is_some())
    }

    /// Variables that `found` has with another value.
    fn others(&self, found: &SecretEnv) -> Vec<&str> {
        let differs = |name: &String, value: &Attr<Secret>| {
            found.values.get(name).is_some_and(|found| value.known().is_some_and(|value| value != found))
        };
        let written = written(self.values).filter(|_| self.version.is_null());
        written.filter(|(name, value)| differs(name, value)).map(|(name, _)| name.as_str()).collect()
    }

    /// `secret_env_status` as it is planned. `found` is what the container has, where that was looked at.
    fn status(&self, found: Option<&SecretEnv>) -> Attr<TextMap> {
        let before = self.before.and_then(Attr::known);
        // Of something that is there, what is not known may be another value; with a version, a name is enough.
        let stays = |name: &String| !self.version.is_null() && before.is_some_and(|it| it.contains_key(name));
        let open = |(name, value): (&String, &Attr<Secret>)| value.is_unknown() && !stays(name);
        if self.values.is_unknown() || written(self.values).any(open) {
            return Attr::Unknown;
        }
        let others = found.filter(|_| !self.beside).map(|found| self.others(found)).unwrap_or_default();
        let planned = written(self.values).map(|(name, _)| {
            let status = if others.contains(&name.as_str()) { Attr::Unknown } else { SET.into() };
            (name.clone(), status)
        });
        match (planned.collect::<TextMap>(), self.before) {
            // As an older version of the provider left it.
            (none, Some(Attr::Null)) if none.is_empty() => Attr::Null,
            (planned, _) => Attr::Known(planned),
        }
    }
}

/// The warning about variables whose values differ beside other changes.
pub(crate) fn others_warning(names: &[&str]) -> Option<Diagnostic> {
    let detail = || {
        format!(
            "Beside what the plan shows, the container has another value of {}. Applying mends that too.",
            names.join(", ")
        )
    };
    let warning =
        || Diagnostic::warning("Secret variables have other values", detail()).at(Path::of("secret_env"));
    (!names.is_empty()).then(warning)
}

fn not_compared(error: &HostError) -> Diagnostic {
    let detail = format!(
        "{error}\n\nWhether the values of secret_env are those that the container has was not seen. A change of them is \
         made by the next plan that reaches the host, or by another secret_env_version."
    );
    Diagnostic::warning("Secret variables were not compared", detail).at(Path::of("secret_env"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::ContainerSpec;
    use crate::container::ObservedContainer;
    use crate::provider::attributes::secret_env::{MISSING, show, take, take_found};
    use crate::provider::worker::schema::WorkerModel;

    fn values(pairs: &[(&str, Attr<&str>)]) -> Attr<SecretMap> {
        let value = |value: &Attr<&str>| value.clone().map(Secret::new);
        Attr::Known(pairs.iter().map(|(name, it)| ((*name).to_owned(), value(it))).collect())
    }

    fn is(pairs: &[(&str, &str)]) -> Attr<SecretMap> {
        values(&pairs.iter().map(|(name, value)| (*name, Attr::Known(*value))).collect::<Vec<_>>())
    }

    fn status(pairs: &[(&str, Attr<&str>)]) -> Attr<TextMap> {
        let text = |it: &Attr<&str>| it.clone().map(str::to_owned);
        Attr::Known(pairs.iter().map(|(name, it)| ((*name).to_owned(), text(it))).collect())
    }

    fn found(pairs: &[(&str, &str)], version: Option<&str>) -> SecretEnv {
        let values = pairs.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value)));
        SecretEnv { values: values.collect(), version: version.map(str::to_owned) }
    }

    const SET_: Attr<&str> = Attr::Known(SET);
    const OPEN: Attr<&str> = Attr::Unknown;

    #[test]
    fn what_is_planned() {
        let (none, one, seven) = (Attr::Null, found(&[("A", "1")], None), Attr::Known("7".to_owned()));
        let (a_set, empty) = (status(&[("A", SET_)]), status(&[]));
        let unknown = values(&[("A", Attr::Unknown)]);
        type Row<'a> = (
            &'a str,
            Attr<SecretMap>,
            &'a Attr<String>,
            Option<&'a Attr<TextMap>>,
            Option<&'a SecretEnv>,
            Attr<TextMap>,
        );
        let table: [Row<'_>; 16] = [
            ("new", is(&[("A", "1")]), &none, None, None, a_set.clone()),
            ("new and null", values(&[("A", Attr::Null)]), &none, None, None, empty.clone()),
            ("new and not written", Attr::Null, &none, None, None, empty.clone()),
            ("new and open", unknown.clone(), &none, None, None, Attr::Unknown),
            ("the same", is(&[("A", "1")]), &none, Some(&a_set), Some(&one), a_set.clone()),
            ("another", is(&[("A", "2")]), &none, Some(&a_set), Some(&one), status(&[("A", OPEN)])),
            ("another, not seen", is(&[("A", "2")]), &none, Some(&a_set), None, a_set.clone()),
            ("another, by version", is(&[("A", "2")]), &seven, Some(&a_set), Some(&one), a_set.clone()),
            ("another, version open", is(&[("A", "2")]), &Attr::Unknown, Some(&a_set), None, a_set.clone()),
            (
                "one more",
                is(&[("A", "1"), ("B", "2")]),
                &none,
                Some(&a_set),
                Some(&one),
                status(&[("A", SET_), ("B", SET_)]),
            ),
            ("one less", Attr::Null, &none, Some(&a_set), Some(&one), empty.clone()),
            ("open", unknown.clone(), &none, Some(&a_set), Some(&one), Attr::Unknown),
            ("open, by version", unknown.clone(), &seven, Some(&a_set), Some(&one), a_set.clone()),
            ("new and open, by version", unknown, &seven, Some(&empty), None, Attr::Unknown),
            ("all open", Attr::Unknown, &seven, Some(&a_set), Some(&one), Attr::Unknown),
            ("of an older provider", Attr::Null, &none, Some(&Attr::Null), None, Attr::Null),
        ];
        for (about, values, version, before, found, planned) in table {
            let secrets = Secrets { values: &values, version, before, beside: false };
            assert_eq!(secrets.status(found), planned, "{about}");
            // Beside other changes no value is ever open that is known.
            let beside = Secrets { beside: true, ..secrets }.status(found);
            let names = |it: &Attr<TextMap>| it.clone().map(|map| map.into_keys().collect::<Vec<_>>());
            assert_eq!(names(&beside), names(&planned), "{about}");
            assert!(beside.known().into_iter().flatten().all(|(_, status)| !status.is_unknown()), "{about}");
        }
    }

    #[test]
    fn another_set_of_names_is_another_change() {
        let before = status(&[("A", SET_)]);
        for (values, other) in [
            (is(&[("A", "2")]), false),
            (values(&[("A", Attr::Unknown), ("B", Attr::Null)]), false),
            (Attr::Unknown, false),
            (is(&[("A", "1"), ("B", "2")]), true),
            (Attr::Null, true),
        ] {
            assert_eq!(has_other_names(&values, &before), other);
        }
        assert!(!has_other_names(&Attr::Null, &Attr::Null));
    }

    #[test]
    fn a_warning_names_variables_and_no_values() {
        let values = is(&[("A", "canary-1"), ("B", "canary-2"), ("C", "canary-3")]);
        let found = found(&[("A", "canary-0"), ("B", "canary-2")], None);
        let secrets = Secrets { values: &values, version: &Attr::Null, before: None, beside: true };
        let warning = others_warning(&secrets.others(&found)).unwrap();
        assert!(warning.detail.contains("value of A.") && !warning.detail.contains("canary"), "{warning:?}");
        assert!(others_warning(&[]).is_none());
    }

    #[test]
    fn values_are_looked_at_only_where_they_count() {
        let seven = Attr::Known("7".to_owned());
        for (values, version, counts) in [
            (is(&[("A", "1")]), &Attr::Null, true),
            (is(&[("A", "1")]), &seven, false),
            (is(&[("A", "1")]), &Attr::Unknown, false),
            (values(&[("A", Attr::Unknown)]), &Attr::Null, false),
            (Attr::Null, &Attr::Null, false),
        ] {
            assert_eq!(Secrets { values: &values, version, before: None, beside: false }.counts(), counts);
        }
    }

    #[test]
    fn what_was_planned_is_what_comes() {
        let values = values(&[("A", Attr::Known("1")), ("B", Attr::Null)]);
        let set = status(&[("A", SET_)]);
        for (planned, applied) in [
            (set.clone(), set.clone()),
            (status(&[("A", OPEN)]), set.clone()),
            (Attr::Unknown, set.clone()),
            (Attr::Null, Attr::Null),
        ] {
            let mut model = WorkerModel { secret_env_status: planned, ..WorkerModel::default() };
            take(&values, &mut model);
            assert_eq!((&model.secret_env, model.secret_env_status), (&values, applied));
        }
    }

    fn seen(secret_env: SecretEnv) -> ObservedContainer {
        ObservedContainer::running(ContainerSpec { secret_env, ..ContainerSpec::default() })
    }

    #[test]
    fn a_refresh_takes_what_is_there_for_right_and_sees_what_is_not() {
        let both = status(&[("A", SET_), ("B", SET_)]);
        let container = seen(found(&[("A", "1"), ("C", "3")], Some("2")));
        let of = |status: &Attr<TextMap>| WorkerModel {
            secret_env_status: status.clone(),
            secret_env_version: "1".into(),
            ..WorkerModel::default()
        };
        let mut state = of(&both);
        take_found(&mut state, Some(&container));
        assert_eq!(state.secret_env, is(&[("A", "1"), ("B", "")]));
        let shown = |status: &Attr<TextMap>, container: Option<&ObservedContainer>| {
            let mut state = of(status);
            show(&mut state, container);
            (state.secret_env_status, state.secret_env_version)
        };
        let each = status(&[("A", SET_), ("B", Attr::Known(MISSING)), ("C", SET_)]);
        assert_eq!(shown(&both, Some(&container)), (each, "2".into()));
        // A container that is gone says nothing, and nor does a version of nothing.
        assert_eq!(shown(&both, None), (both, "1".into()));
        let bare = seen(SecretEnv::default());
        assert_eq!(shown(&Attr::Null, Some(&bare)), (status(&[]), "1".into()));
    }
}
