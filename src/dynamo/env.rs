//! Environment variables: what users may set, and whose value wins.
//!
//! Every Dynamo flag has a variable, so a variable can undo a decision of the provider's without a trace in the plan: a
//! worker in another namespace simply never shows up. The release lists the variables that it decides
//! ([`super::release::Release::reserved_env`]); each is refused with the attribute to use instead. For the rest the
//! nearest wins: the provider's, then the deployment's, then the worker's.
//!
//! Values are never printed: they may be secrets.

use std::collections::BTreeMap;

use super::draft::Given;
use super::engine::EngineFacts;
use super::objection::{Field, Refusal};
use super::reader::Reader;
use super::release::Release;

/// Reads a map of the configuration. What is reserved can only be told when the release is known.
pub(super) fn read(
    reader: &mut Reader,
    given: &BTreeMap<String, Given<String>>,
    release: Option<&Release>,
    engine: Option<&EngineFacts>,
) -> BTreeMap<String, String> {
    let ours = [release.map(|release| release.reserved_env), engine.map(|engine| engine.reserved_env)];
    read_reserving(reader, given, &ours.into_iter().flatten().flatten().copied().collect::<Vec<_>>())
}

/// As [`read`]. `reserved` are the names that the provider decides, each with what to do instead.
pub(super) fn read_reserving(
    reader: &mut Reader,
    given: &BTreeMap<String, Given<String>>,
    reserved: &[(&str, &str)],
) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    for (name, value) in given {
        let field = || Field::Env(name.clone());
        reader.keep(field(), check_name(name));
        if let Some(refusal) = refused(name, reserved) {
            reader.object(field(), refusal);
        }
        if let Some(value) = reader.needed(field(), value, |value| check_value(value)) {
            env.insert(name.clone(), value);
        }
    }
    env
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

fn check_value(value: &str) -> Result<String, Refusal> {
    if value.contains('\0') {
        return Err(Refusal::new(
            "its value has a NUL character in it",
            "remove it: no variable can hold one",
        ));
    }
    Ok(value.to_owned())
}

/// Later layers win.
pub(super) fn layered<'a>(
    layers: impl IntoIterator<Item = &'a BTreeMap<String, String>>,
) -> BTreeMap<String, String> {
    layers.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["A", "_x", "DYN_LOG", "a1"] {
            assert!(check_name(good).is_ok());
        }
        for bad in ["", "1A", "A-B", "A B", "A=B", "Ä"] {
            assert!(check_name(bad).is_err(), "{bad:?}");
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
        read(&mut reader, &given, Some(&super::super::release::v1_6::RELEASE), None);
        assert_eq!(reader.objections.len(), 3);
        assert!(reader.objections.iter().all(|objection| !objection.to_string().contains("hush")));
    }
}
