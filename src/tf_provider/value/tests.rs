//! What holds for all values, and for all bytes: tested over generated types, values and damage.

use crate::tf_provider::value::*;
use proptest::prelude::*;

fn number(text: &str) -> Value {
    fit::number(text).unwrap()
}

#[test]
fn dynamics_answer_as_what_they_hold() {
    let entries = Value::object([("a", Value::List(vec!["x".into(), 2.into()]))]);
    for value in [entries.clone(), Value::dynamic(Type::Map(Box::new(Type::Dynamic)), entries)] {
        assert_eq!(value.get("a").as_list().unwrap()[0].as_str(), Some("x"));
        assert_eq!(value.get("a").kind(), "a list");
        assert!(value.get("b").is_null() && value.get("a").get("b").is_null());
        assert_eq!(value.at(&Path::of("a").index(1)), Some(&Value::from(2)));
        assert_eq!(value.at(&Path::root().key("a")), Some(value.get("a")));
        assert_eq!(value.at(&Path::root()), Some(&value));
        for nowhere in
            [Path::of("b"), Path::of("a").index(2), Path::root().index(0), Path::of("a").attribute("b")]
        {
            assert_eq!(value.at(&nowhere), None, "{nowhere}");
        }
    }
    let (null, unknown) =
        (Value::dynamic(Type::Bool, Value::Null), Value::dynamic(Type::Bool, Value::Unknown));
    assert!(null.is_null() && null.is_known() && null.is_wholly_known());
    assert!(unknown.is_unknown() && !unknown.is_known() && !unknown.is_wholly_known());
    assert_eq!((null.kind(), unknown.kind()), ("null", "an unknown value"));
}

#[test]
fn accessors_answer_to_their_own_kind_only() {
    for (value, kind, answers) in [
        (Value::Null, "null", [false; 5]),
        (Value::Unknown, "an unknown value", [false; 5]),
        (true.into(), "a bool", [true, false, false, false, false]),
        (7.into(), "a number", [false, true, false, false, false]),
        ("x".into(), "a string", [false, false, true, false, false]),
        (vec![].into(), "a list", [false, false, false, true, false]),
        (BTreeMap::new().into(), "a map", [false, false, false, false, true]),
    ] {
        let got = [
            value.as_bool().is_some(),
            value.as_number().is_some(),
            value.as_str().is_some(),
            value.as_list().is_some(),
            value.as_map().is_some(),
        ];
        assert_eq!((value.kind(), got), (kind, answers));
    }
}

#[test]
fn wholly_known_looks_at_all_parts() {
    for (value, wholly) in [
        (Value::Null, true),
        (Value::Unknown, false),
        (Value::List(vec![1.into(), Value::Unknown]), false),
        (Value::object([("a", Value::List(vec![Value::Null]))]), true),
        (Value::object([("a", Value::List(vec![Value::Unknown]))]), false),
    ] {
        assert_eq!(value.is_wholly_known(), wholly, "{value:?}");
        assert_eq!(value.is_known(), value != Value::Unknown);
    }
}

#[test]
fn unicode_forms_are_one_string() {
    let (composed, decomposed) = ("\u{e9}", "e\u{301}");
    assert_eq!(Value::from(decomposed), Value::from(composed));
    assert_eq!(Value::from(decomposed.to_owned()), Value::string(composed));
    assert_eq!(Value::object([(decomposed, 1)]), Value::object([(composed, 1)]));
    assert_eq!(Value::set([decomposed, composed]), Value::set([composed]));
}

#[test]
fn sets_are_ordered_and_without_duplicates() {
    let twins = || Value::object([("id", Value::Unknown)]);
    assert_eq!(Value::set([3, 1, 3, 2]), Value::List(vec![1.into(), 2.into(), 3.into()]));
    assert_eq!(Value::set([number("1.0"), number("1")]), Value::List(vec![1.into()]));
    assert_eq!(Value::set([twins(), twins()]), Value::List(vec![twins(), twins()]), "may turn out different");
}

#[test]
fn faults_of_conformance_start_at_the_given_path() {
    let ty = Type::List(Box::new(Type::Bool));
    let error = Value::List(vec![true.into(), 1.into()]).conforms(&ty, &Path::of("a").key("k")).unwrap_err();
    assert_eq!(error.to_string(), r#"a["k"][1]: expected a bool, got a number"#);
    assert_eq!(Value::from(1).conforms(&Type::Bool, &Path::root()).unwrap_err().to_string(), error.message);
}

/// Types without a dynamic, up to three levels deep.
fn plain_type() -> impl Strategy<Value = Type> + Clone {
    let leaf = prop_oneof![Just(Type::String), Just(Type::Number), Just(Type::Bool)];
    leaf.prop_recursive(3, 12, 3, containers)
}

fn any_type() -> impl Strategy<Value = Type> + Clone {
    prop_oneof![3 => plain_type(), 1 => Just(Type::Dynamic)].prop_recursive(2, 8, 3, containers)
}

fn containers(inner: impl Strategy<Value = Type> + Clone + 'static) -> impl Strategy<Value = Type> {
    prop_oneof![
        inner.clone().prop_map(|ty| Type::List(Box::new(ty))),
        inner.clone().prop_map(|ty| Type::Set(Box::new(ty))),
        inner.clone().prop_map(|ty| Type::Map(Box::new(ty))),
        prop::collection::vec(inner.clone(), 0..3).prop_map(Type::Tuple),
        prop::collection::btree_map("[a-e]", inner, 0..3).prop_map(Type::Object),
    ]
}

fn any_number() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(|whole| Number::from(whole).into()),
        any::<f64>().prop_filter_map("finite", Number::from_f64).prop_map(Value::from),
        "-?[0-9]{1,40}(\\.[0-9]{1,40})?".prop_map(|text| number(&text)),
    ]
}

fn any_text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop_oneof![any::<char>(), Just('e'), Just('\u{301}')], 0..40)
        .prop_map(|chars| nfc(chars.into_iter().collect()))
}

/// Values of type `ty`; nulls anywhere, and unknowns if `unknown`.
fn value_of(ty: &Type, unknown: bool) -> BoxedStrategy<Value> {
    let known = match ty {
        Type::Bool => any::<bool>().prop_map(Value::from).boxed(),
        Type::Number => any_number().boxed(),
        Type::String => any_text().prop_map(Value::from).boxed(),
        Type::Dynamic => {
            let typed = |ty: Type, unknown| {
                value_of(&ty, unknown).prop_map(move |value| Value::dynamic(ty.clone(), value))
            };
            plain_type().prop_flat_map(move |ty| typed(ty, unknown)).boxed()
        }
        Type::List(element) => {
            prop::collection::vec(value_of(element, unknown), 0..4).prop_map(Value::from).boxed()
        }
        Type::Set(element) => {
            prop::collection::vec(value_of(element, unknown), 0..4).prop_map(Value::set).boxed()
        }
        Type::Map(element) => prop::collection::btree_map(any_text(), value_of(element, unknown), 0..4)
            .prop_map(Value::from)
            .boxed(),
        Type::Tuple(elements) => {
            let elements: Vec<_> = elements.iter().map(|ty| value_of(ty, unknown)).collect();
            elements.prop_map(Value::from).boxed()
        }
        Type::Object(attributes) => {
            let names: Vec<_> = attributes.keys().cloned().collect();
            let values: Vec<_> = attributes.values().map(|ty| value_of(ty, unknown)).collect();
            values.prop_map(move |values| Value::object(names.iter().cloned().zip(values))).boxed()
        }
    };
    prop_oneof![8 => known, 1 => Just(Value::Null), u32::from(unknown) => Just(Value::Unknown)].boxed()
}

fn typed(unknown: bool) -> impl Strategy<Value = (Type, Value)> {
    any_type().prop_flat_map(move |ty| {
        let value = value_of(&ty, unknown);
        (Just(ty), value)
    })
}

/// State JSON as Terraform writes it. The provider never does, so it is here and not in [`json`].
fn state_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Dynamic(typed) => {
            serde_json::json!({"type": typed.0.to_json(), "value": state_json(&typed.1)})
        }
        Value::List(elements) => elements.iter().map(state_json).collect(),
        Value::Map(entries) => {
            entries.iter().map(|(name, value)| (name.clone(), state_json(value))).collect()
        }
        other => json::encode_json(other).unwrap(),
    }
}

/// Types whose decoders see the arbitrary bytes; between them they reach every arm.
fn some_types() -> Vec<Type> {
    let object = br#"["object",{"a":"string","b":["list","number"],"c":["set",["map","dynamic"]],"d":["tuple",["bool"]]}]"#;
    vec![Type::Bool, Type::Number, Type::String, Type::Dynamic, Type::from_json(object).unwrap(), {
        Type::Map(Box::new(Type::List(Box::new(Type::Dynamic))))
    }]
}

proptest! {
    #[test]
    fn types_round_trip(ty in any_type()) {
        prop_assert_eq!(Type::from_json(ty.to_json().to_string().as_bytes()), Ok(ty));
    }

    #[test]
    fn values_round_trip_through_msgpack((ty, value) in typed(true)) {
        let bytes = msgpack::encode(&value, &ty).unwrap();
        prop_assert_eq!(msgpack::decode(&bytes, &ty), Ok(value));
    }

    #[test]
    fn known_values_round_trip_through_json((ty, value) in typed(false)) {
        let text = state_json(&value).to_string();
        let json = json::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(json::decode_lenient(&json, &ty), Ok(value.clone()));
        prop_assert_eq!(json::decode(&json, &ty), Ok(value));
    }

    #[test]
    fn plain_json_round_trips((_, value) in typed(false)) {
        let json = json::encode_json(&value).unwrap();
        let (ty, plain) = json::from_plain_json(&json).unwrap();
        prop_assert_eq!(plain.conforms(&ty, &Path::root()), Ok(()));
        prop_assert_eq!(json::encode_json(&Value::dynamic(ty, plain)), Ok(json));
    }

    /// The check and the encoder walk alike, whether or not the value is of the type.
    #[test]
    fn what_conforms_can_be_encoded((own, value) in typed(true), other in any_type()) {
        prop_assert_eq!(value.conforms(&own, &Path::root()), Ok(()));
        let conforms = value.conforms(&other, &Path::root());
        prop_assert_eq!(conforms.is_ok(), msgpack::encode(&value, &other).is_ok(), "{:?}", conforms);
    }

    #[test]
    fn any_bytes_are_a_value_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for ty in some_types() {
            if let Ok(value) = msgpack::decode(&bytes, &ty) {
                prop_assert_eq!(value.conforms(&ty, &Path::root()), Ok(()));
            }
            let _ = json::parse(&bytes).and_then(|json| json::decode_lenient(&json, &ty));
        }
        let _ = Type::from_json(&bytes);
    }

    #[test]
    fn any_json_is_a_value_or_an_error((_, value) in typed(false)) {
        let json = state_json(&value);
        for ty in some_types() {
            for decoded in [json::decode(&json, &ty), json::decode_lenient(&json, &ty)].into_iter().flatten() {
                prop_assert_eq!(decoded.conforms(&ty, &Path::root()), Ok(()));
            }
        }
    }

    #[test]
    fn damaged_values_are_values_or_errors((ty, value) in typed(true), at: prop::sample::Index, byte: u8) {
        let bytes = msgpack::encode(&value, &ty).unwrap();
        let at = at.index(bytes.len());
        prop_assert!(msgpack::decode(&bytes[..at], &ty).is_err(), "a value cut short is no value");
        let mut flipped = bytes.clone();
        flipped[at] = byte;
        if let Ok(decoded) = msgpack::decode(&flipped, &ty) {
            prop_assert_eq!(decoded.conforms(&ty, &Path::root()), Ok(()));
        }
    }
}
