use crate::tf_provider::value::msgpack::*;

fn list(element: Type) -> Type {
    Type::List(Box::new(element))
}

fn set(element: Type) -> Type {
    Type::Set(Box::new(element))
}

fn map(element: Type) -> Type {
    Type::Map(Box::new(element))
}

fn object(attributes: &[(&str, Type)]) -> Type {
    Type::Object(attributes.iter().map(|(name, ty)| ((*name).to_owned(), ty.clone())).collect())
}

fn number(text: &str) -> Value {
    fit::number(text).unwrap()
}

fn text(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    write::write_str(&mut bytes, text).unwrap();
    bytes
}

/// An array (0x90) or map (0x80) of what follows.
fn sequence(marker: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let pairs = if marker == 0x80 { 2 } else { 1 };
    let mut bytes = vec![marker + u8::try_from(parts.len() / pairs).unwrap()];
    bytes.extend(parts.concat());
    bytes
}

fn dynamic(ty: &str, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x92, 0xc4, u8::try_from(ty.len()).unwrap()];
    bytes.extend(ty.as_bytes());
    bytes.extend(value);
    bytes
}

fn fault(bytes: &[u8], ty: &Type) -> String {
    decode(bytes, ty).unwrap_err().to_string()
}

#[test]
fn numbers_decode_from_every_form() {
    for (bytes, expected) in [
        (vec![0x00], "0"),
        (vec![0x7f], "127"),
        (vec![0xff], "-1"),
        (vec![0xe0], "-32"),
        (vec![0xcc, 0xff], "255"),
        (vec![0xcd, 0xff, 0xff], "65535"),
        (vec![0xce, 0xff, 0xff, 0xff, 0xff], "4294967295"),
        (vec![0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0], "9223372036854775808"),
        (vec![0xcf, 0, 0x20, 0, 0, 0, 0, 0, 1], "9007199254740993"),
        (vec![0xd0, 0x80], "-128"),
        (vec![0xd1, 0xff, 0xff], "-1"),
        (vec![0xd2, 0x80, 0, 0, 0], "-2147483648"),
        (vec![0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0], "-9223372036854775808"),
        (vec![0xd3, 0, 0x20, 0, 0, 0, 0, 0, 1], "9007199254740993"),
        (vec![0xca, 0x3f, 0, 0, 0], "0.5"),
        (vec![0xcb, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0], "0.5"),
        (vec![0xcb, 0, 0, 0, 0, 0, 0, 0, 0], "0"),
        (
            [&[0xcb], 0.1_f64.to_be_bytes().as_slice()].concat(),
            "0.1000000000000000055511151231257827021181583404541015625",
        ),
        ([&[0xcb], 1e22_f64.to_be_bytes().as_slice()].concat(), "10000000000000000000000"),
        (text("0"), "0"),
        (text("-1"), "-1"),
        (text("0.1"), "0.1"),
        (text("1e100"), "1e100"),
        (text("9007199254740993"), "9007199254740993"),
        (text("9223372036854775808"), "9223372036854775808"),
        (text("12345678901234567890.5"), "12345678901234567890.5"),
    ] {
        assert_eq!(decode(&bytes, &Type::Number), Ok(number(expected)), "{bytes:02x?}");
    }
}

#[test]
fn numbers_encode_in_the_first_exact_form() {
    for (spelled, bytes) in [
        ("0", vec![0x00]),
        ("127", vec![0x7f]),
        ("128", vec![0xcc, 0x80]),
        ("256", vec![0xcd, 1, 0]),
        ("65536", vec![0xce, 0, 1, 0, 0]),
        ("4294967296", vec![0xcf, 0, 0, 0, 1, 0, 0, 0, 0]),
        ("-1", vec![0xff]),
        ("-33", vec![0xd0, 0xdf]),
        ("-129", vec![0xd1, 0xff, 0x7f]),
        ("-32769", vec![0xd2, 0xff, 0xff, 0x7f, 0xff]),
        ("-9223372036854775808", vec![0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        ("9007199254740993", vec![0xcf, 0, 0x20, 0, 0, 0, 0, 0, 1]),
        ("9223372036854775807", vec![0xcf, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        ("9223372036854775808", text("9223372036854775808")),
        ("1e100", text(&format!("1{}", "0".repeat(100)))),
        ("0.5", vec![0xcb, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0]),
        ("0.1", text("0.1")),
        ("12345678901234567890.5", text("12345678901234567890.5")),
    ] {
        assert_eq!(encode(&number(spelled), &Type::Number), Ok(bytes), "{spelled}");
    }
}

#[test]
fn numbers_that_are_none_are_refused() {
    for (bytes, message) in [
        ([&[0xcb], f64::NAN.to_be_bytes().as_slice()].concat(), "a float that is not a finite number"),
        (
            [&[0xca], f32::NEG_INFINITY.to_be_bytes().as_slice()].concat(),
            "a float that is not a finite number",
        ),
        (text("ten"), "text that is not a decimal number"),
        (text("1e999999999"), "a number of more than 2048 digits before or after the point"),
    ] {
        assert_eq!(fault(&bytes, &Type::Number), format!("expected a number, got {message}"));
    }
}

/// Every spelling of "unknown"bare ones of any code, and refined ones with each key that Terraform defines, with one
/// that it does not, and with a payload that is not even msgpack.
fn unknowns() -> Vec<Vec<u8>> {
    let refined = |payload: &[u8]| [&[0xc7, u8::try_from(payload.len()).unwrap(), 12], payload].concat();
    let long = [&[0x81, 2, 0xd9, 200], [b'x'; 200].as_slice()].concat();
    vec![
        vec![0xd4, 0, 0],
        vec![0xd4, 7, 0],
        vec![0xc7, 0, 0],
        vec![0xc7, 0, 12],
        vec![0xc8, 0, 1, 0, 0],
        vec![0xc9, 0, 0, 0, 0, 0],
        refined(&[0x81, 1, 0xc2]),
        refined(&[0x81, 2, 0xa3, b's', b'h', b'a']),
        refined(&[0x81, 3, 0x92, 1, 0xc3]),
        refined(&[0x81, 4, 0x92, 9, 0xc2]),
        refined(&[0x81, 5, 0]),
        refined(&[0x81, 6, 8]),
        refined(&[0x83, 1, 0xc2, 5, 0, 6, 8]),
        refined(&[0x81, 99, 1]),
        refined(&[0xc1, 0xff]),
        refined(&long),
        vec![0xd5, 12, 0x81, 1],
        [&[0xc8, 1, 0, 12], [0; 256].as_slice()].concat(),
    ]
}

#[test]
fn unknown_is_unknown_anywhere() {
    let string = || Type::String;
    for unknown in unknowns() {
        let name = || text("a");
        for ty in [
            Type::String,
            Type::Number,
            Type::Bool,
            Type::Dynamic,
            list(string()),
            object(&[("a", Type::Bool)]),
        ] {
            assert_eq!(decode(&unknown, &ty), Ok(Value::Unknown), "{unknown:02x?} as {ty}");
        }
        let both = Value::List(vec!["x".into(), Value::Unknown]);
        for (ty, bytes, value) in [
            (list(string()), sequence(0x90, &[text("x"), unknown.clone()]), both.clone()),
            (
                Type::Tuple(vec![Type::String, Type::Number]),
                sequence(0x90, &[text("x"), unknown.clone()]),
                both.clone(),
            ),
            (
                set(string()),
                sequence(0x90, &[unknown.clone(), text("x")]),
                Value::set([Value::Unknown, "x".into()]),
            ),
            (
                map(string()),
                sequence(0x80, &[name(), unknown.clone()]),
                Value::object([("a", Value::Unknown)]),
            ),
            (
                object(&[("a", Type::Number)]),
                sequence(0x80, &[name(), unknown.clone()]),
                Value::object([("a", Value::Unknown)]),
            ),
            (
                list(object(&[("a", set(Type::Bool))])),
                sequence(0x90, &[sequence(0x80, &[name(), unknown.clone()])]),
                Value::List(vec![Value::object([("a", Value::Unknown)])]),
            ),
            (Type::Dynamic, dynamic("\"string\"", &unknown), Value::dynamic(Type::String, Value::Unknown)),
        ] {
            assert_eq!(decode(&bytes, &ty), Ok(value), "{unknown:02x?} in {ty}");
        }
    }
    assert_eq!(encode(&Value::Unknown, &Type::Number), Ok(vec![0xd4, 0, 0]));
}

#[test]
fn other_extensions_are_refused() {
    for bytes in [&[0xd5, 0, 1, 2][..], &[0xc7, 3, 11, 0, 0, 0], &[0xd6, 0xff, 0, 0, 0, 0]] {
        let message = "expected a string, got a msgpack extension with no meaning to Terraform";
        assert_eq!(fault(bytes, &Type::String), message);
    }
}

#[test]
fn faults_are_told_at_their_path() {
    let nested = object(&[("docker", map(list(Type::Number)))]);
    let nested_bytes = sequence(
        0x80,
        &[text("docker"), sequence(0x80, &[text("gpu-a"), sequence(0x90, &[vec![1], text("x y")])])],
    );
    let one = object(&[("a", Type::Bool)]);
    let yes = || vec![0xc3];
    for (bytes, ty, message) in [
        (text("no"), Type::Bool, "expected a bool, got a string"),
        (yes(), Type::Number, "expected a number, got a bool"),
        (vec![1], Type::String, "expected a string, got a number"),
        (vec![0xc4, 1, b'a'], Type::String, "expected a string, got binary data"),
        (vec![0x80], list(Type::String), "expected a list of string, got a map"),
        (vec![0x90], one.clone(), "expected an object, got a list"),
        (
            nested_bytes,
            nested,
            r#"docker["gpu-a"][1]: expected a number, got text that is not a decimal number"#,
        ),
        (sequence(0x80, &[]), one.clone(), "a: this attribute is missing"),
        (sequence(0x80, &[text("b"), yes()]), one.clone(), "b: no attribute of this name is expected"),
        (
            sequence(0x80, &[text("a"), yes(), text("b"), yes()]),
            one.clone(),
            "b: no attribute of this name is expected",
        ),
        (sequence(0x80, &[text("a"), yes(), text("a"), yes()]), one.clone(), "a: this name appears twice"),
        (
            sequence(0x80, &[text("\u{e9}"), yes(), text("e\u{301}"), yes()]),
            map(Type::Bool),
            "[\"\u{e9}\"]: this name appears twice",
        ),
        (sequence(0x80, &[vec![1], yes()]), one.clone(), "expected a string as key, got a number"),
        (sequence(0x90, &[yes(), vec![1]]), list(Type::Bool), "[1]: expected a bool, got a number"),
        (sequence(0x90, &[yes(), vec![1]]), set(Type::Bool), "expected a bool, got a number"),
        (
            sequence(0x80, &[text("a"), sequence(0x90, &[sequence(0x80, &[text("b"), yes()])])]),
            object(&[("a", set(object(&[("b", Type::Number)])))]),
            "a: expected a number, got a bool",
        ),
        (sequence(0x90, &[yes()]), Type::Tuple(vec![]), "expected a tuple of 0 elements, got 1"),
        (vec![1], Type::Dynamic, "expected a value of any type, got a number"),
        (vec![0x91, 1], Type::Dynamic, "expected a value of any type, got a list"),
        (vec![0x92, 1, 1], Type::Dynamic, "expected a type, got a number"),
        (dynamic("\"text\"", &[1]), Type::Dynamic, "this is not the JSON spelling of a Terraform type"),
        (
            sequence(0x90, &[dynamic("[\"list\",\"bool\"]", &[0x91, 1])]),
            list(Type::Dynamic),
            "[0][0]: expected a bool, got a number",
        ),
        (vec![0xa2, 0xc3, 0x28], Type::String, "this string is not valid UTF-8"),
        (vec![0xc1], Type::String, "the byte 0xc1 has no meaning in msgpack"),
        (vec![0xc3, 0xc3], Type::Bool, "the encoded value is followed by 1 bytes"),
        (vec![], Type::Bool, "the encoded value ends early"),
    ] {
        assert_eq!(fault(&bytes, &ty), message, "{bytes:02x?}");
    }
}

#[test]
fn declared_lengths_are_not_believed() {
    for (bytes, ty) in [
        (vec![0xdd, 0xff, 0xff, 0xff, 0xff], list(Type::Bool)),
        (vec![0xdd, 0xff, 0xff, 0xff, 0xff, 0xc3], set(Type::Bool)),
        (vec![0xdf, 0xff, 0xff, 0xff, 0xff], map(Type::Bool)),
        (vec![0xdf, 0xff, 0xff, 0xff, 0xff], object(&[("a", Type::Bool)])),
        (vec![0xdb, 0xff, 0xff, 0xff, 0xff, b'a'], Type::String),
        (vec![0xc9, 0xff, 0xff, 0xff, 0xff, 12], Type::String),
        (vec![0x92, 0xc6, 0xff, 0xff, 0xff, 0xff], Type::Dynamic),
    ] {
        let error = decode(&bytes, &ty).unwrap_err();
        assert_eq!(error.message, "the encoded value ends early", "{bytes:02x?}");
    }
}

#[test]
fn dynamics_keep_their_type() {
    let string = Value::dynamic(Type::String, "x".into());
    for (bytes, value) in [
        (dynamic("\"string\"", &text("x")), string.clone()),
        (vec![0xc0], Value::Null),
        (vec![0xd4, 0, 0], Value::Unknown),
        (dynamic("\"string\"", &[0xc0]), Value::dynamic(Type::String, Value::Null)),
        (dynamic("[\"tuple\",[\"dynamic\"]]", &sequence(0x90, &[dynamic("\"string\"", &text("x"))])), {
            Value::dynamic(Type::Tuple(vec![Type::Dynamic]), Value::List(vec![string.clone()]))
        }),
    ] {
        assert_eq!(decode(&bytes, &Type::Dynamic).as_ref(), Ok(&value), "{bytes:02x?}");
        assert_eq!(encode(&value, &Type::Dynamic), Ok(bytes), "{value:?}");
    }
    let as_text = [&[0x92], text("\"string\"").as_slice(), &text("x")].concat();
    assert_eq!(decode(&as_text, &Type::Dynamic), Ok(string.clone()));
    assert_eq!(
        decode(&dynamic("\"dynamic\"", &dynamic("\"string\"", &text("x"))), &Type::Dynamic),
        Ok(string)
    );
}

#[test]
fn nesting_is_bounded() {
    let nested = |levels: usize| {
        let mut bytes = dynamic("\"dynamic\"", &[]).repeat(levels);
        bytes.push(0xc0);
        bytes
    };
    assert_eq!(decode(&nested(MAX_DEPTH), &Type::Dynamic), Ok(Value::Null));
    for levels in [MAX_DEPTH + 1, 100_000] {
        let error = decode(&nested(levels), &Type::Dynamic).unwrap_err();
        assert_eq!(error.message, "this value is nested more than 256 levels deep");
    }
    let tuples = dynamic("[\"tuple\",[\"dynamic\"]]", &[0x91]);
    let deepest = [tuples.repeat(MAX_DEPTH / 2), vec![0xc0]].concat();
    let value = decode(&deepest, &Type::Dynamic).unwrap();
    assert_eq!(encode(&value, &Type::Dynamic), Ok(deepest));
}

#[test]
fn sets_are_canonical_both_ways() {
    let ty = set(Type::String);
    let bytes = sequence(0x90, &[text("b"), text("a"), text("b"), vec![0xd4, 0, 0], vec![0xd4, 0, 0]]);
    let value = Value::List(vec![Value::Unknown, Value::Unknown, "a".into(), "b".into()]);
    assert_eq!(decode(&bytes, &ty), Ok(value));
    let untidy = Value::List(vec!["b".into(), "a".into(), "b".into()]);
    assert_eq!(encode(&untidy, &ty), Ok(sequence(0x90, &[text("a"), text("b")])));
    assert_eq!(encode(&untidy, &list(Type::String)), Ok(sequence(0x90, &[text("b"), text("a"), text("b")])));
}

#[test]
fn strings_and_keys_are_in_nfc() {
    let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}");
    assert_eq!(decode(&text(decomposed), &Type::String), Ok(Value::String(composed.to_owned())));
    let entry = |key| decode(&sequence(0x80, &[text(key), vec![1]]), &map(Type::Number));
    assert_eq!(entry(decomposed), entry(composed));
    let both = sequence(0x90, &[text(decomposed), text(composed)]);
    assert_eq!(decode(&both, &set(Type::String)), Ok(Value::set([composed])));
}

#[test]
fn objects_encode_all_and_only_their_attributes_in_order() {
    let ty = object(&[("b", Type::Bool), ("a", Type::String)]);
    let value = Value::object([("b", true.into()), ("a", Value::Null)]);
    assert_eq!(encode(&value, &ty), Ok(sequence(0x80, &[text("a"), vec![0xc0], text("b"), vec![0xc3]])));
    for (value, message) in [
        (Value::object([("a", "x")]), "b: this attribute is missing"),
        (Value::object([("a", Value::Null), ("b", "x".into())]), "b: expected a bool, got a string"),
        (
            Value::object([("a", Value::Null), ("b", Value::Null), ("c", Value::Null)]),
            "c: no attribute of this name is expected",
        ),
        (Value::List(vec![]), "expected an object, got a list"),
    ] {
        assert_eq!(encode(&value, &ty).unwrap_err().to_string(), message);
    }
    let untyped = encode(&"x".into(), &Type::Dynamic).unwrap_err();
    assert_eq!(untyped.message, "a string in a place of any type has to say its type");
    let typed = encode(&Value::dynamic(Type::Bool, true.into()), &Type::Bool).unwrap_err();
    assert_eq!(typed.message, "expected a bool, got a value with a type of its own");
}

#[test]
fn megabytes_come_back() {
    let ty = map(list(Type::String));
    let entries = (0..100).map(|key| (key.to_string(), Value::List(vec!["x".repeat(60).into(); 1000])));
    let value = Value::object(entries);
    let bytes = encode(&value, &ty).unwrap();
    assert!(bytes.len() > 5 << 20);
    assert_eq!(decode(&bytes, &ty), Ok(value));
}
