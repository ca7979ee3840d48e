use crate::tf_provider::value::json::*;
use serde_json::json;

fn list(element: Type) -> Type {
    Type::List(Box::new(element))
}

fn object(attributes: &[(&str, Type)]) -> Type {
    Type::Object(attributes.iter().map(|(name, ty)| ((*name).to_owned(), ty.clone())).collect())
}

fn number(text: &str) -> Value {
    fit::number(text).unwrap()
}

#[test]
fn every_type_decodes() {
    for (json, ty, value) in [
        ("null", Type::String, Value::Null),
        ("null", Type::Dynamic, Value::Null),
        ("true", Type::Bool, true.into()),
        (r#""x""#, Type::String, "x".into()),
        (r#""cafe\u0301""#, Type::String, Value::String("caf\u{e9}".to_owned())),
        ("[1,2,1]", list(Type::Number), Value::List(vec![1.into(), 2.into(), 1.into()])),
        ("[2,1,2]", Type::Set(Box::new(Type::Number)), Value::List(vec![1.into(), 2.into()])),
        (
            r#"["x",null]"#,
            Type::Tuple(vec![Type::String, Type::Bool]),
            Value::List(vec!["x".into(), Value::Null]),
        ),
        (r#"{"e\u0301":1}"#, Type::Map(Box::new(Type::Number)), Value::object([("\u{e9}", 1)])),
        (r#"{"a":"x"}"#, object(&[("a", Type::String)]), Value::object([("a", "x")])),
        (r#"{"value":"x","type":"string"}"#, Type::Dynamic, Value::dynamic(Type::String, "x".into())),
        (r#"{"value":null,"type":"string"}"#, Type::Dynamic, Value::dynamic(Type::String, Value::Null)),
    ] {
        let json = parse(json.as_bytes()).unwrap();
        assert_eq!(decode(&json, &ty).as_ref(), Ok(&value), "{json}");
        assert_eq!(decode_lenient(&json, &ty), Ok(value), "{json}");
    }
}

#[test]
fn numbers_keep_every_digit() {
    for text in [
        "0",
        "-1",
        "9007199254740993",
        "9223372036854775808",
        "1e100",
        "0.1",
        "12345678901234567890.5",
        "1.50E+3",
    ] {
        let bare = parse(text.as_bytes()).unwrap();
        assert_eq!(decode(&bare, &Type::Number), Ok(number(text)));
        assert_eq!(decode(&json!(text), &Type::Number), Ok(number(text)), "as a string");
        let again = encode_json(&number(text)).unwrap();
        assert_eq!(again.to_string(), number(text).as_number().unwrap().to_string());
    }
    let absurd = parse(b"[1e999999999]").unwrap();
    let error = decode(&absurd, &list(Type::Number)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "[0]: expected a number, got a number of more than 2048 digits before or after the point"
    );
    assert_eq!(from_plain_json(&absurd), Err(error));
}

#[test]
fn faults_are_told_at_their_path() {
    let one = || object(&[("a", Type::Bool)]);
    for (json, ty, message) in [
        ("1", Type::String, "expected a string, got a number"),
        (r#""true""#, Type::Bool, "expected a bool, got a string"),
        (r#""x""#, Type::Number, "expected a number, got text that is not a decimal number"),
        ("{}", list(Type::Bool), "expected a list of bool, got an object"),
        ("[]", one(), "expected an object, got a list"),
        ("{}", one(), "a: this attribute is missing"),
        (r#"{"a":true,"b":1}"#, one(), "b: no attribute of this name is expected"),
        (r#"{"h":[true,{"a":1}]}"#, Type::Map(Box::new(Type::Dynamic)), {
            r#"["h"]: expected a value of any type, got a list"#
        }),
        (r#"[{"a":true},{"a":1}]"#, list(one()), "[1].a: expected a bool, got a number"),
        (r#"[{"a":1}]"#, Type::Set(Box::new(one())), "expected a bool, got a number"),
        ("[1]", Type::Tuple(vec![]), "expected a tuple of 0 elements, got 1"),
        (
            r#"{"e\u0301":1,"\u00e9":1}"#,
            Type::Map(Box::new(Type::Number)),
            "[\"\u{e9}\"]: this name appears twice",
        ),
        (r#"{"value":1}"#, Type::Dynamic, r#"expected an object of "value" and "type""#),
        (r#"{"value":1,"type":"string"}"#, Type::Dynamic, "expected a string, got a number"),
        (r#"{"value":1,"type":1}"#, Type::Dynamic, "this is not the JSON spelling of a Terraform type"),
    ] {
        let json = parse(json.as_bytes()).unwrap();
        assert_eq!(decode(&json, &ty).unwrap_err().to_string(), message, "{json}");
    }
    let secret = parse(br#"{"password": "hunter2}"#).unwrap_err().to_string();
    assert_eq!(secret, "this is not valid JSON (line 1, column 22)");
    assert!(parse("[".repeat(100_000).as_bytes()).is_err());
}

#[test]
fn lenient_decoding_fits_old_state_to_a_new_schema() {
    let ty = object(&[
        ("name", Type::String),
        ("ports", list(object(&[("host", Type::Number), ("ip", Type::String)]))),
    ]);
    let json = json!({"name": "x", "gone": {"deep": []}, "ports": [{"host": 1, "gone": true}]});
    let port = Value::object([("host", 1.into()), ("ip", Value::Null)]);
    let upgraded = Value::object([("name", "x".into()), ("ports", Value::List(vec![port]))]);
    assert_eq!(decode_lenient(&json, &ty), Ok(upgraded));
    assert!(decode(&json, &ty).is_err());
    let wrong = decode_lenient(&json!({"name": 1}), &ty).unwrap_err();
    assert_eq!(wrong.to_string(), "name: expected a string, got a number");
}

#[test]
fn plain_json_is_rebuilt_with_its_type() {
    let json = json!({"a": [1, "x", null], "b": {"c": true}, "d": [], "e": {}});
    let (ty, value) = from_plain_json(&json).unwrap();
    let tuple = Type::Tuple(vec![Type::Number, Type::String, Type::Dynamic]);
    let inner = object(&[("c", Type::Bool)]);
    assert_eq!(ty, object(&[("a", tuple), ("b", inner), ("d", Type::Tuple(vec![])), ("e", object(&[]))]));
    assert_eq!(value.conforms(&ty, &crate::tf_provider::value::Path::root()), Ok(()));
    assert_eq!(encode_json(&value), Ok(json.clone()));
    assert_eq!(encode_json(&Value::dynamic(ty, value)), Ok(json));
}

#[test]
fn unknown_has_no_json() {
    let value =
        Value::object([("a", Value::List(vec![1.into(), Value::dynamic(Type::Bool, Value::Unknown)]))]);
    assert_eq!(
        encode_json(&value).unwrap_err().to_string(),
        r#"["a"][1]: an unknown value cannot be written as JSON"#
    );
}
