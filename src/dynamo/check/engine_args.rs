//! `engine_args` and the arguments of roles and workers, read: one spelling of each name, and none of the arguments that
//! the provider decides.

use crate::dynamo::facts::engine::EngineFacts;
use crate::dynamo::facts::engine::arg_rules::ArgRules;
use crate::dynamo::spec::engine_args::{ArgValue, EngineArgs};
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::objection::{Field, Refusal};
use crate::dynamo::terms::reader::Reader;
use std::collections::BTreeMap;

/// Reads a map of the configuration. What is reserved can only be told when the engine is known.
pub(in crate::dynamo) fn read(
    reader: &mut Reader,
    given: &BTreeMap<String, Given<ArgValue>>,
    engine: Option<&EngineFacts>,
    at: impl Fn(String) -> Field,
) -> EngineArgs {
    let mut args = EngineArgs::new();
    let mut spelled: BTreeMap<String, &str> = BTreeMap::new();
    for (key, value) in given {
        let field = || at(key.clone());
        let rules = engine.map(|engine| &engine.args);
        let Some((name, value)) = reader.keep(field(), meant(key, value, rules)) else { continue };
        if let Some(refusal) = engine.and_then(|engine| refused(&name, engine)) {
            reader.object(field(), refusal);
        }
        if let Some(other) = spelled.insert(name.clone(), key) {
            let what = format!("is the same argument as {other:?}");
            reader.object(field(), Refusal::new(what, "keep one of them"));
        }
        if let Some(value) = reader.needed(field(), &value, check_value) {
            args.insert(name, value);
        }
    }
    args
}

/// Which argument is written there, and what it is to be. `--no-name` says of `name` that it is not.
pub(in crate::dynamo) fn meant(
    key: &str,
    value: &Given<ArgValue>,
    rules: Option<&ArgRules>,
) -> Result<(String, Given<ArgValue>), Refusal> {
    let name = canonical(key)?;
    let Some(rules) = rules else { return Ok((name, value.clone())) };
    if let Some((_, kept)) = rules.spellings.iter().find(|(other, _)| *other == name) {
        return Ok(((*kept).to_owned(), value.clone()));
    }
    let denied = name.strip_prefix("no-").filter(|name| rules.negatable.contains(name));
    Ok(match (denied, value) {
        (Some(name), Given::Is(ArgValue::Bool(on))) => (name.to_owned(), Given::Is(ArgValue::Bool(!on))),
        (Some(name), Given::Unknown) => (name.to_owned(), Given::Unknown),
        _ => (name, value.clone()),
    })
}

/// The one spelling of an argument's name, as far as it can be told without the engine.
pub(crate) fn canonical(key: &str) -> Result<String, Refusal> {
    let name = key.strip_prefix("--").unwrap_or(key);
    let (flag, keys) = name.split_at(name.find('.').unwrap_or(name.len()));
    let flag = flag.replace('_', "-");
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let part = |key: &str| {
        !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let good = name.len() <= LONGEST
        && flag.starts_with(|c: char| c.is_ascii_lowercase())
        && flag.bytes().all(plain)
        && keys.split('.').skip(1).all(part);
    if good {
        return Ok(flag + keys);
    }
    Err(Refusal::new(
        format!("{key:?} is not the name of an argument"),
        "write the flag's long name in lower case, like max-model-len; its value goes to the right of the equals sign",
    ))
}

/// Bytes of a name.
const LONGEST: usize = 200;

/// The refusal of an argument that the provider decides; `None` where users may set it.
pub(crate) fn refused(name: &str, engine: &EngineFacts) -> Option<Refusal> {
    let flag = name.split('.').next().unwrap_or(name);
    if let Some((reserved, instead)) = engine.reserved_args().find(|(reserved, _)| reserved.starts_with(flag))
    {
        let what = match reserved == flag {
            true => format!("--{flag} is decided by the provider"),
            false => format!("--{flag} is short for --{reserved}, which is decided by the provider"),
        };
        return Some(Refusal::new(what, instead));
    }
    let known = engine.known_args();
    let whole = known.iter().find(|known| known.starts_with(name)).filter(|_| !known.contains(&name))?;
    let what = format!("--{name} is short for --{whole}, which the provider would not recognise in it");
    Some(Refusal::new(what, format!("write {whole}")))
}

fn check_value(value: &ArgValue) -> Result<ArgValue, Refusal> {
    let texts = match value {
        ArgValue::Bool(_) => [].as_slice(),
        ArgValue::Number(text) | ArgValue::Text(text) | ArgValue::Json(text) => std::slice::from_ref(text),
        ArgValue::List(elements) => elements,
    };
    if texts.iter().any(|text| text.contains('\0')) {
        return Err(Refusal::new("has a NUL character in it", "remove it: no program can be given one"));
    }
    if matches!(value, ArgValue::List(elements) if elements.is_empty()) {
        return Err(Refusal::new("is an empty list", "leave the argument out, or list something"));
    }
    Ok(value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::facts::engine::arg_rules::ListStyle;
    use crate::dynamo::facts::engine::{mocker, sglang, trtllm, vllm};
    use crate::dynamo::spec::engine_args::{fold, over, render};

    fn rendered(value: ArgValue) -> Vec<String> {
        render(&EngineArgs::from([("x".to_owned(), value)]), &mocker::V1_6.args)
    }

    #[test]
    fn values_become_arguments() {
        assert_eq!(rendered(ArgValue::Number("16".into())), ["--x", "16"]);
        assert_eq!(rendered(ArgValue::Number("-1".into())), ["--x=-1"]);
        assert_eq!(rendered(ArgValue::Text(String::new())), ["--x", ""]);
        assert_eq!(rendered(ArgValue::Bool(true)), ["--x"]);
        assert_eq!(rendered(ArgValue::Bool(false)), [""; 0]);
        assert_eq!(rendered(ArgValue::List(vec!["1".into(), "2".into()])), ["--x", "1,2"]);
        assert_eq!(rendered(ArgValue::Json("{\"a\":1}".into())), ["--x", "{\"a\":1}"]);
    }

    #[test]
    fn other_engines_rules_are_followed() {
        let rules =
            ArgRules { spellings: &[], maps: &[], negatable: &["x"], lists: ListStyle::Words, reserved: &[] };
        let args = EngineArgs::from([
            ("x".to_owned(), ArgValue::Bool(false)),
            ("y".to_owned(), ArgValue::List(vec!["1".into(), "2".into()])),
        ]);
        assert_eq!(render(&args, &rules), ["--no-x", "--y", "1", "2"]);
    }

    #[test]
    fn names_have_one_spelling() {
        for key in ["max-model-len", "--max-model-len", "max_model_len", "--max_model_len"] {
            assert_eq!(canonical(key), Ok("max-model-len".to_owned()));
        }
        for bad in
            ["", "--", "-x", "---x", "a=b", "a b", "ä", "1x", "Max-Model-Len", ".a", "a.", "a..b", "a.b="]
        {
            assert!(canonical(bad).is_err(), "{bad:?}");
        }
    }

    /// `kv_cache_config` is TensorRT-LLM's own name of a field; it knows no other.
    #[test]
    fn keys_behind_a_dot_stay_as_they_are_and_have_a_value() {
        let spelled = canonical("--trtllm_x.kv_cache_config.Sub-Key").unwrap();
        assert_eq!(spelled, "trtllm-x.kv_cache_config.Sub-Key");
        for (value, text) in [
            (ArgValue::Bool(true), "true"),
            (ArgValue::Bool(false), "false"),
            (ArgValue::Number("-1".into()), "-1"),
            (ArgValue::Text("a".into()), "a"),
            (ArgValue::Json(r#"{"a":1}"#.into()), r#"{"a":1}"#),
            (ArgValue::List(vec!["1".into(), "b".into()]), r#"[1,"b"]"#),
        ] {
            let args = EngineArgs::from([("x.y_z".to_owned(), value)]);
            assert_eq!(render(&args, &mocker::V1_6.args), ["--x.y_z", text]);
        }
        assert!(refused("model-path.x", &mocker::V1_6).is_some());
    }

    #[test]
    fn maps_are_laid_over_each_other_key_by_key() {
        let below = r#"{"a":{"b":1,"c":2},"d":3}"#;
        for (above, all) in [
            (r#"{"a":{"b":5}}"#, r#"{"a":{"b":5,"c":2},"d":3}"#),
            (r#"{"a":null,"e":[1]}"#, r#"{"a":null,"d":3,"e":[1]}"#),
            (r#"{"a":7}"#, r#"{"a":7,"d":3}"#),
            ("no map", "no map"),
        ] {
            assert_eq!(over(above, below), ArgValue::Json(all.to_owned()));
        }
    }

    /// TensorRT-LLM ends when it is given its configuration in both ways.
    #[test]
    fn keys_go_into_the_map_that_is_given() {
        let args = |pairs: &[(&str, ArgValue)]| -> EngineArgs {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
        };
        let mut all = args(&[
            ("trtllm.kv_cache_config.fraction", ArgValue::Text("0.7".into())),
            ("trtllm.sizes", ArgValue::List(vec!["1".into()])),
            ("trtllm.off", ArgValue::Bool(false)),
            ("override-engine-args", ArgValue::Text(r#"{"kv_cache_config":{"x":1}}"#.into())),
            ("y.z", ArgValue::Bool(true)),
        ]);
        fold(&mut all, &trtllm::V1_6.args);
        let map = r#"{"kv_cache_config":{"fraction":0.7,"x":1},"off":false,"sizes":[1]}"#;
        let map = ArgValue::Json(map.to_owned());
        assert_eq!(all, args(&[("override-engine-args", map), ("y.z", ArgValue::Bool(true))]));
    }

    #[test]
    fn an_argument_has_one_name_whatever_it_is_called() {
        let is = |name: &str, value: ArgValue| (name.to_owned(), Given::Is(value));
        let number = || ArgValue::Number("2".into());
        for spelled in ["tp", "tp_size", "--tensor-parallel-size"] {
            let meant = meant(spelled, &Given::Is(number()), Some(&sglang::V1_6.args));
            assert_eq!(meant, Ok(is("tp", number())));
        }
        let vllm = |key: &str, value| meant(key, &Given::Is(value), Some(&vllm::V1_6.args)).unwrap();
        assert_eq!(vllm("tp", number()), is("tensor-parallel-size", number()));
        for (key, on) in [("enable-prefix-caching", false), ("no_enable_prefix_caching", true)] {
            let meant = vllm(key, ArgValue::Bool(on));
            assert_eq!(meant, is("enable-prefix-caching", ArgValue::Bool(false)), "{key}");
        }
        assert_eq!(vllm("no-x", ArgValue::Bool(true)), is("no-x", ArgValue::Bool(true)));
    }

    /// A default that stands behind the user's abbreviation on the command line would win.
    #[test]
    fn what_has_a_default_is_written_out() {
        for (engine, short, whole) in [
            (&vllm::V1_6, "tensor-par", "tensor-parallel-size"),
            (&vllm::V1_6, "block", "block-size"),
            (&sglang::V1_6, "page", "page-size"),
            (&sglang::V1_6, "disable-radix", "disable-radix-cache"),
            (&trtllm::V1_6, "override", "override-engine-args"),
        ] {
            let refusal = refused(short, engine).unwrap_or_else(|| panic!("{short}"));
            assert_eq!(refusal.fix, format!("write {whole}"));
            assert!(refused(whole, engine).is_none());
        }
        assert!(refused("tp", &sglang::V1_6).is_none() && refused("max-num-seqs", &vllm::V1_6).is_none());
    }

    #[test]
    fn every_reserved_argument_and_its_abbreviation_is_refused() {
        for (name, _) in mocker::V1_6.reserved_args() {
            assert!(refused(name, &mocker::V1_6).is_some());
            let short: String = name.chars().take(name.len() - 1).collect();
            assert!(refused(&short, &mocker::V1_6).is_some(), "{short}");
        }
        assert!(refused("block-size", &mocker::V1_6).is_none());
    }
}
