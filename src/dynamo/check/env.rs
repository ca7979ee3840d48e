//! Environment variables: what users may set, and whose value wins.
//!
//! Every Dynamo flag has a variable, so a variable can undo a decision of the provider's without a trace in the plan: a
//! worker in another namespace simply never shows up. The release lists the variables that it decides
//! ([`crate::dynamo::facts::release::Release::reserved_env`]); each is refused with the attribute to use instead. For the rest the
//! nearest wins: the provider's, then the deployment's, then the worker's.
//!
//! Values are never printed: they may be secrets.

use crate::container::SecretEnv;
use crate::dynamo::facts::engine::EngineFacts;
use crate::dynamo::facts::release::Release;
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::objection::{Field, Refusal};
use crate::dynamo::terms::reader::Reader;
use std::collections::BTreeMap;

/// Bytes of a variable, which are those of a page 32 times (`MAX_ARG_STRLEN`).
const LONGEST: usize = 128 << 10;
/// Bytes of all variables. Arguments and variables together may take a quarter of the stack, which is 2 MiB where nobody
/// changed it; the rest of it is for what is not the user's.
const MOST: usize = 3 << 19;

/// Reads a map of the configuration. What is reserved can only be told when the release is known.
pub(in crate::dynamo) fn read(
    reader: &mut Reader,
    given: &BTreeMap<String, Given<String>>,
    release: Option<&Release>,
    engine: Option<&EngineFacts>,
) -> BTreeMap<String, String> {
    read_reserving(reader, given, &reserved(release, engine))
}

/// The names that the provider decides, each with what to do instead.
pub(in crate::dynamo) fn reserved(
    release: Option<&Release>,
    engine: Option<&EngineFacts>,
) -> Vec<(&'static str, &'static str)> {
    let releases = release.iter().flat_map(|release| release.reserved_env);
    let engines = engine.iter().flat_map(|engine| engine.reserved_env.iter().copied().flatten());
    releases.chain(engines).copied().collect()
}

/// As [`read`]. `reserved` are the names that the provider decides, each with what to do instead.
pub(in crate::dynamo) fn read_reserving(
    reader: &mut Reader,
    given: &BTreeMap<String, Given<String>>,
    reserved: &[(&str, &str)],
) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    for (name, value) in given {
        let field = || Field::Env(name.clone());
        check(reader, field(), name, reserved);
        let checked = |value: &String| check_value(name, value).map(|()| value.clone());
        if let Some(value) = reader.needed(field(), value, checked) {
            env.insert(name.clone(), value);
        }
    }
    env
}

/// Whether a variable may have that name.
pub(in crate::dynamo) fn check(reader: &mut Reader, field: Field, name: &str, reserved: &[(&str, &str)]) {
    reader.keep(field.clone(), check_name(name));
    if let Some(refusal) = refused(name, reserved) {
        reader.object(field, refusal);
    }
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let good = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if good {
        return Ok(());
    }
    let what = format!("{name:?} is not the name of a variable");
    Err(Refusal::new(what, "use letters, digits and underscores, with no digit first"))
}

fn refused(name: &str, reserved: &[(&str, &str)]) -> Option<Refusal> {
    let (_, instead) = reserved.iter().find(|(reserved, _)| *reserved == name)?;
    Some(Refusal::new(format!("{name} is decided by the provider"), *instead))
}

/// The check of a variable's value, which is never in the refusal.
pub(in crate::dynamo) fn check_value(name: &str, value: &str) -> Result<(), Refusal> {
    if value.contains('\0') {
        return Err(Refusal::new(
            "its value has a NUL character in it",
            "remove it: no variable can hold one",
        ));
    }
    let bytes = length(name, value);
    if bytes > LONGEST {
        let what = format!(
            "with its name it has {bytes} bytes, and Linux starts no program with more than {LONGEST}"
        );
        return Err(Refusal::new(what, "put it into a file, and mount that with docker.volume"));
    }
    Ok(())
}

/// What a variable takes: `NAME=value` and a NUL.
fn length(name: &str, value: &str) -> usize {
    name.len() + value.len() + 2
}

/// Whether a program can be started with all of these variables. The objection is at the longest one of `own` names.
pub(in crate::dynamo) fn fit(
    reader: &mut Reader,
    env: &BTreeMap<String, String>,
    secrets: &SecretEnv,
    own: impl Fn(&str) -> bool,
) {
    let plain = env.iter().map(|(name, value)| (Field::Env(name.clone()), name, length(name, value)));
    let secret = secrets.values.iter();
    let secret =
        secret.map(|(name, value)| (Field::SecretEnv(name.clone()), name, length(name, value.reveal())));
    let all: Vec<_> = plain.chain(secret).collect();
    let bytes: usize = all.iter().map(|(.., length)| length).sum();
    let longest = all.into_iter().filter(|(_, name, _)| own(name)).max_by_key(|(.., length)| *length);
    if let Some((field, ..)) = longest.filter(|_| bytes > MOST) {
        let what = format!(
            "all variables together have {bytes} bytes, and Linux starts no program with more than {MOST}"
        );
        reader.object(field, Refusal::new(what, "put it into a file, and mount that with docker.volume"));
    }
}

/// Later layers win.
pub(in crate::dynamo) fn layered<'a>(
    layers: impl IntoIterator<Item = &'a BTreeMap<String, String>>,
) -> BTreeMap<String, String> {
    layers.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::facts::release;
    use crate::dynamo::terms::words::Engine;

    #[test]
    fn names() {
        for good in ["A", "_x", "DYN_LOG", "a1"] {
            assert!(check_name(good).is_ok());
        }
        for bad in ["", "1A", "A-B", "A B", "A=B", "Ä"] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
    }

    /// Each would undo without a word what the provider says by leaving a flag out.
    #[test]
    fn variables_that_stand_for_a_flag_are_refused() {
        for (engine, name) in [
            (Engine::Vllm, "DYN_CONNECTOR"),
            (Engine::Vllm, "DYN_VLLM_IS_PREFILL_WORKER"),
            (Engine::Vllm, "DYN_VLLM_HEADLESS"),
            (Engine::Trtllm, "DYN_CONNECTOR"),
            (Engine::Trtllm, "DYN_TRTLLM_PUBLISH_KV_EVENTS"),
            (Engine::Sglang, "DYN_SYSTEM_HEALTH_PATH"),
            (Engine::Mocker, "DYN_ROUTER_MODE"),
        ] {
            for release in release::ALL {
                let names = reserved(Some(release), release.engine(engine));
                assert!(refused(name, &names).is_some(), "{} {engine:?} {name}", release.line);
            }
        }
    }

    #[test]
    fn the_nearest_layer_wins() {
        let layer = |value: &str| BTreeMap::from([("A".to_owned(), value.to_owned())]);
        assert_eq!(layered([&layer("1"), &layer("2"), &BTreeMap::new()]), layer("2"));
    }

    #[test]
    fn no_value_is_ever_in_a_complaint() {
        let mut reader = Reader::default();
        let given = BTreeMap::from([
            ("DYN_NAMESPACE".to_owned(), Given::Is("hush".to_owned())),
            ("1".to_owned(), Given::Is("hush\0".to_owned())),
        ]);
        read(&mut reader, &given, Some(&crate::dynamo::facts::release::v1_6::RELEASE), None);
        assert_eq!(reader.objections.len(), 3);
        assert!(reader.objections.iter().all(|objection| !objection.to_string().contains("hush")));
    }
}
