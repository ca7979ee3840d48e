//! Secret environment variables: the same rules as for the others, and one more: a name is in one of the two maps.
//!
//! A deployment's are its frontend's. They cannot reach workers the way everything else does, inside the deployment's
//! attributes, since nothing that is only written is in those; so a worker has its own.

use super::env;
use crate::container::{Secret, SecretEnv};
use crate::dynamo::spec::draft::SecretDraft;
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::objection::{Field, Refusal};
use crate::dynamo::terms::reader::Reader;
use std::collections::BTreeMap;

/// Longest version, in bytes: it is a number, a date or a hash.
const LONGEST_VERSION: usize = 256;

/// Whether the value of a variable, or of an engine's argument, of that name is usually secret.
pub(crate) fn looks_secret(name: &str) -> bool {
    let name = name.trim_start_matches('-').replace('-', "_").to_uppercase();
    let (before, last) = name.rsplit_once('_').map_or(("", name.as_str()), |(before, last)| (before, last));
    let of_text = || matches!(before.rsplit('_').next(), Some(word) if TOKENS_OF_TEXT.contains(&word));
    match last {
        "TOKEN" => !of_text(),
        "KEY" => !before.is_empty(),
        "PASSWORD" | "PASSWD" | "SECRET" | "PASSPHRASE" | "APIKEY" => true,
        _ => false,
    }
}

/// What stands before `TOKEN` where it is a piece of a model's text.
const TOKENS_OF_TEXT: [&str; 12] =
    ["BOS", "EOS", "PAD", "UNK", "SEP", "CLS", "MASK", "START", "STOP", "END", "IMAGE", "THINK"];

/// Reads a map of the configuration. `plain` is the map beside it; `reserved` are the names that the provider decides, each
/// with what to do instead.
pub(in crate::dynamo) fn read(
    reader: &mut Reader,
    draft: &SecretDraft,
    plain: &BTreeMap<String, Given<String>>,
    reserved: &[(&str, &str)],
) -> Option<SecretEnv> {
    let mut secrets = SecretEnv::default();
    let mut complete = true;
    for (name, value) in &draft.values {
        let field = || Field::SecretEnv(name.clone());
        env::check(reader, field(), name, reserved);
        if plain.contains_key(name) {
            let refusal = Refusal::new(format!("{name} is in env as well"), "remove it from one of the two");
            reader.object(field(), refusal);
        }
        let checked = |value: &Secret| env::check_value(name, value.reveal()).map(|()| value.clone());
        match reader.needed(field(), value, checked) {
            Some(value) => drop(secrets.values.insert(name.clone(), value)),
            None => complete = false,
        }
    }
    let version = reader.maybe(Field::SecretEnvVersion, &draft.version, |text| check_version(text))?;
    // A version of nothing says nothing.
    secrets.version = version.filter(|_| !secrets.values.is_empty());
    complete.then_some(secrets)
}

fn check_version(text: &str) -> Result<String, Refusal> {
    if (1..=LONGEST_VERSION).contains(&text.len()) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    let what = format!("it has {} bytes, or a control character", text.len());
    Err(Refusal::new(what, format!("write a number, a date or a name of at most {LONGEST_VERSION} bytes")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::ContainerSpec;
    use crate::dynamo::decide::secret_env::give;

    fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, Given<Secret>> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), Given::Is(Secret::new(*value)))).collect()
    }

    fn read_of(draft: &SecretDraft) -> (Option<SecretEnv>, Reader) {
        let mut reader = Reader::default();
        let plain = BTreeMap::from([("PLAIN".to_owned(), Given::Is("x".to_owned()))]);
        let secrets = read(&mut reader, draft, &plain, &[("OURS", "leave it out")]);
        (secrets, reader)
    }

    #[test]
    fn mistakes_are_found_at_their_names_and_without_their_values() {
        let long = format!("hush{}", "x".repeat(128 << 10));
        for (name, value) in
            [("1A", "hush"), ("OURS", "hush"), ("PLAIN", "hush"), ("NUL", "hush\0"), ("LONG", &long)]
        {
            let draft =
                SecretDraft { values: given(&[(name, value), ("GOOD", "hush")]), ..Default::default() };
            let (_, reader) = read_of(&draft);
            let [objection] = reader.objections.as_slice() else { panic!("{name}: {:?}", reader.objections) };
            assert_eq!(objection.field, Field::SecretEnv(name.to_owned()));
            assert!(!objection.to_string().contains("hush"), "{objection}");
        }
    }

    #[test]
    fn secrets_are_told_by_their_names() {
        for name in [
            "HF_TOKEN",
            "OUR_API_KEY",
            "DB_PASSWORD",
            "SESSION_SECRET",
            "TOKEN",
            "PASSWORD",
            "secret",
            "api-key",
            "--api-key",
            "hf_token",
            "hf-token",
            "apikey",
            "ssl_keyfile_passphrase",
            "MYSQL_PASSWD",
        ] {
            assert!(looks_secret(name), "{name}");
        }
        for name in [
            "TOKENIZERS_PARALLELISM",
            "max-num-batched-tokens",
            "tokenizer",
            "KEY",
            "ssl-keyfile",
            "eos-token",
            "PAD_TOKEN",
            "SECRET_NAME",
            "PASSWORDLESS",
            "DYN_LOG",
            "",
            "-",
            "_",
            "max_tokens",
            "MONKEY",
        ] {
            assert!(!looks_secret(name), "{name}");
        }
    }

    #[test]
    fn versions() {
        for (version, good) in [("1", true), ("2026-11-23", true), ("", false), ("a\nb", false), ("é", true)]
        {
            let version = Given::Is(version.to_owned());
            let (secrets, reader) = read_of(&SecretDraft { values: given(&[("A", "1")]), version });
            assert_eq!((secrets.is_some(), reader.objections.is_empty()), (good, good));
        }
        let version = Given::Is("1".to_owned());
        let (none, _) = read_of(&SecretDraft { version, ..Default::default() });
        assert_eq!(none, Some(SecretEnv::default()));
    }

    #[test]
    fn what_is_unknown_is_missing_and_no_mistake() {
        let values = BTreeMap::from([("A".to_owned(), Given::Unknown)]);
        let draft = SecretDraft { values, version: Given::Absent };
        let (secrets, reader) = read_of(&draft);
        assert!(secrets.is_none() && reader.objections.is_empty() && reader.missing.len() == 1);
        let mut draft = SecretDraft { version: Given::Unknown, ..draft };
        draft.stand_in();
        assert!(read_of(&draft).0.is_some());
    }

    #[test]
    fn a_secret_takes_the_place_of_a_variable_from_further_away() {
        let env = [("A", "theirs"), ("B", "2")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        let mut spec = ContainerSpec { env: env.into(), ..Default::default() };
        let values = BTreeMap::from([("A".to_owned(), Secret::new("own"))]);
        let secrets = SecretEnv { values, version: None };
        give(&mut spec, &secrets);
        assert_eq!((spec.env.len(), &spec.secret_env), (1, &secrets));
    }
}
