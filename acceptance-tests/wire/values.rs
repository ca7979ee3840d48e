//! Values on their way in and out: rules 20 to 24. Our own encoder is too polite for these tests, so they splice bytes into
//! what it makes: each spelling that a core may send, and some that none should.

use libtest_mimic::Trial;
use terraform_provider_dynamo::tf_provider::value::{Number, Path, Type, Value, msgpack};
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::*;

use super::client::{Change, decode, encode};
use super::samples::{
    DEPLOYMENT, HERE, RESOURCES, WORKER, deployment, error_paths, only_error, plan_bytes, plan_spliced,
    sample, spliced, state_of, with, with_a_dead_host, without_hosts,
};
use super::schema::{block_type, complete};
use super::trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("values_20_a_state_of_five_mebibytes_comes_back", large_state),
        trial("values_21_numbers_arrive_exactly_in_every_spelling", numbers),
        trial("values_21_what_is_no_whole_number_is_an_error_at_its_path", not_whole),
        trial("values_21_wrong_kinds_are_errors_at_their_paths", wrong_kinds),
        trial("values_22_unknown_in_every_spelling_everywhere", unknowns),
        trial("values_23_missing_and_extra_attributes_are_errors", shape),
        trial("values_23_answers_have_all_attributes_and_no_null_for_blocks", whole_answers),
        trial("values_24_an_absent_value_is_null", absent),
        trial("values_24_two_spellings_of_a_letter_are_one", unicode),
    ]
}

async fn large_state() {
    let long = "x".repeat(5 << 20);
    let labels = Value::object([("PADDING", long.as_str())]);
    let config = with(&deployment(), [("docker", Value::object([("labels", labels)]))]);
    let (_without, mut client) = without_hosts().await;
    let state = state_of(&mut client, DEPLOYMENT, &config).await;
    let padding = |state: &Value| state.get("docker").get("labels").get("PADDING").clone();
    assert_eq!(padding(&state).as_str().unwrap().len(), long.len());
    let again = client.plan(DEPLOYMENT, &Change::update(state.clone(), config)).await.unwrap();
    assert!(again.state == state && again.diagnostics.is_empty());

    let json = format!("{{\"name\":\"chat\",\"docker\":{{\"labels\":{{\"PADDING\":\"{long}\"}}}}}}");
    let upgraded = client.upgrade(DEPLOYMENT, 0, json.as_bytes()).await.unwrap();
    assert_eq!(padding(&upgraded.state), padding(&state));

    // Nobody is there to ask, so the state comes back as it was.
    let (_dead, mut client) = with_a_dead_host().await;
    assert_eq!(client.read(DEPLOYMENT, &state, b"").await.unwrap().state, state);
}

/// `text` as a msgpack string.
fn text(text: &str) -> Vec<u8> {
    msgpack::encode(&text.into(), &Type::String).unwrap()
}

/// A 64-bit number behind its marker.
fn wide(marker: u8, bits: u64) -> Vec<u8> {
    [&[marker][..], &bits.to_be_bytes()].concat()
}

const INT64: u8 = 0xd3;
const UINT64: u8 = 0xcf;
const FLOAT64: u8 = 0xcb;

/// The number that each of several spellings means.
fn spellings() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let past_floats = (1_u64 << 53) + 1;
    vec![
        ("0", vec![vec![0x00], wide(INT64, 0), wide(FLOAT64, 0.0_f64.to_bits()), text("0"), text("0.0")]),
        ("-1", vec![vec![0xff], wide(INT64, -1_i64 as u64), wide(FLOAT64, (-1.0_f64).to_bits()), text("-1")]),
        (
            "9007199254740993",
            vec![wide(INT64, past_floats), wide(UINT64, past_floats), text("9007199254740993")],
        ),
        (
            "9223372036854775808",
            vec![
                wide(UINT64, 1 << 63),
                wide(FLOAT64, 9_223_372_036_854_775_808.0_f64.to_bits()),
                text("9223372036854775808"),
            ],
        ),
        ("1e100", vec![text("1e100"), text("1e+100")]),
        ("0.1", vec![text("0.1"), text("0.10")]),
        ("0.5", vec![wide(FLOAT64, 0.5_f64.to_bits()), vec![0xca, 0x3f, 0, 0, 0], text("0.5"), text("5e-1")]),
        ("12345678901234567890.5", vec![text("12345678901234567890.5")]),
    ]
}

async fn numbers() {
    let (_provider, mut client) = without_hosts().await;
    let object = Type::Object([("depth".to_owned(), Type::Number)].into());
    let block = client.resource_block(DEPLOYMENT).await.unwrap();
    for (number, spellings) in spellings() {
        let meant = Value::from(number.parse::<Number>().unwrap());
        for bytes in spellings {
            // The type of a dynamic value is spelt before it: [type, value].
            let ty = object.to_json().to_string();
            let typed = [
                &[0x92, 0xc4, u8::try_from(ty.len()).unwrap()],
                ty.as_bytes(),
                &[0x81],
                &text("depth"),
                &bytes,
            ];
            let config = with(&deployment(), [("engine_args", HERE.into())]);
            let response = plan_spliced(&mut client, DEPLOYMENT, &config, &typed.concat()).await;
            assert_eq!(response.diagnostics, [], "{number} as {bytes:x?}");
            let planned = decode(&block, response.planned_state.as_ref());
            assert_eq!(planned.get("engine_args").get("depth"), &meant, "{number} as {bytes:x?}");
        }
    }
}

/// The configuration with [`HERE`] in one place, and that place.
fn places() -> Vec<(&'static str, Value, &'static str)> {
    let in_volume = |name| {
        let volume = [("host_path", Value::from("/a")), ("container_path", "/b".into())];
        let volume = with(&Value::object(volume), [(name, HERE.into())]);
        Value::object([("volume", Value::List(vec![volume]))])
    };
    let ulimit = Value::object([("name", Value::from("nofile")), ("soft", HERE.into())]);
    let ulimits = Value::object([("ulimit", Value::List(vec![ulimit]))]);
    let env = Value::object([("DYN_LOG", HERE)]);
    let resources = || Value::object([("cpus", HERE)]);
    let seen = Value::object([("env", env.clone())]);
    let (deployment, worker) = (sample(DEPLOYMENT), sample(WORKER));
    vec![
        (DEPLOYMENT, with(&deployment, [("port", HERE.into())]), "port"),
        (DEPLOYMENT, with(&deployment, [("engine", HERE.into())]), "engine"),
        (DEPLOYMENT, with(&deployment, [("resources", resources())]), "resources.cpus"),
        (DEPLOYMENT, with(&deployment, [("env", env.clone())]), "env[\"DYN_LOG\"]"),
        (DEPLOYMENT, with(&deployment, [("docker", in_volume("host_path"))]), "docker.volume[0].host_path"),
        (DEPLOYMENT, with(&deployment, [("docker", in_volume("read_only"))]), "docker.volume[0].read_only"),
        (DEPLOYMENT, with(&deployment, [("docker", ulimits)]), "docker.ulimit[0].soft"),
        (WORKER, with(&worker, [("resources", resources())]), "resources.cpus"),
        (WORKER, with(&worker, [("env", env)]), "env[\"DYN_LOG\"]"),
        (WORKER, with(&worker, [("deployment", seen)]), "deployment.env[\"DYN_LOG\"]"),
    ]
}

async fn not_whole() {
    let (_provider, mut client) = without_hosts().await;
    let odd = [text("0.5"), text("1e100"), wide(UINT64, 1 << 63), wide(FLOAT64, 8000.5_f64.to_bits())];
    for (resource, config, place) in places() {
        if !["port", "docker.ulimit[0].soft"].contains(&place) {
            continue;
        }
        for bytes in &odd {
            let response = plan_spliced(&mut client, resource, &config, bytes).await;
            let (said, at) = only_error(&response.diagnostics);
            assert_eq!(at, place, "{bytes:x?}: {said}");
            assert!(response.planned_state.is_none());
        }
    }
}

async fn wrong_kinds() {
    let (_provider, mut client) = without_hosts().await;
    for (resource, config, place) in places() {
        // A list is of no type here; `true` is of one, "word" of some.
        let mut wrong = vec![vec![0x91, 0x01], vec![0x81, 0xa1, b'a', 0x01]];
        if !place.ends_with("read_only") {
            wrong.push(vec![0xc3]);
        }
        if ["port", "cpus", "soft", "read_only"].iter().any(|name| place.ends_with(name)) {
            wrong.push(text("word"));
        }
        for bytes in wrong {
            let response = plan_spliced(&mut client, resource, &config, &bytes).await;
            let (said, at) = only_error(&response.diagnostics);
            assert_eq!(at, place, "{bytes:x?}: {said}");

            let block = client.resource_block(resource).await.unwrap();
            let request = validate_resource_config::Request {
                type_name: resource.into(),
                config: Some(spliced(&block_type(&block), &complete(&block, &config), &bytes)),
                client_capabilities: None,
            };
            let answer = client.rpc.validate_resource_config(request).await.unwrap().into_inner();
            assert_eq!(error_paths(&answer.diagnostics), [place], "{bytes:x?}");
        }
    }
}

/// Plain, and refined with all that cty can tell of an unknown: that it is not null, its prefix, its bounds, its length.
fn unknown_spellings() -> Vec<Vec<u8>> {
    let refined = |payload: &[u8]| [&[0xc7, u8::try_from(payload.len()).unwrap(), 0x0c], payload].concat();
    let bound = |key: u8, number: u8| [&[0x81, key, 0x92, number][..], &[0xc3]].concat();
    vec![
        vec![0xd4, 0x00, 0x00],
        vec![0xc7, 0x00, 0x00],
        refined(&[0x80]),
        refined(&[0x81, 0x01, 0xc2]),
        refined(&[&[0x82, 0x01, 0xc2, 0x02][..], &text("chat-")].concat()),
        refined(&bound(0x03, 0x01)),
        refined(&bound(0x04, 0x7f)),
        refined(&[0x82, 0x05, 0x01, 0x06, 0x09]),
        refined(&[0x81, 0x2a, 0xc3]), // a key of the future
    ]
}

async fn unknowns() {
    let (_provider, mut client) = without_hosts().await;
    let whole = [
        (DEPLOYMENT, with(&deployment(), [("env", HERE.into())]), "env"),
        (DEPLOYMENT, with(&deployment(), [("engine_args", HERE.into())]), "engine_args"),
        (DEPLOYMENT, with(&deployment(), [("resources", HERE.into())]), "resources"),
        (DEPLOYMENT, with(&deployment(), [("docker", Value::object([("volume", HERE)]))]), "docker.volume"),
        (WORKER, with(&sample(WORKER), [("deployment", HERE.into())]), "deployment"),
    ];
    for (resource, config, place) in places().into_iter().chain(whole) {
        let block = client.resource_block(resource).await.unwrap();
        for bytes in unknown_spellings() {
            let response = plan_spliced(&mut client, resource, &config, &bytes).await;
            assert_eq!(response.diagnostics, [], "{place} as {bytes:x?}");
            let planned = decode(&block, response.planned_state.as_ref());
            let at = planned.at(&parse(place)).unwrap_or_else(|| panic!("nothing is planned at {place}"));
            assert!(at.is_unknown(), "{place} as {bytes:x?} is planned as {at:?}");
        }
    }
}

/// The path that prints so.
fn parse(place: &str) -> Path {
    place.split('.').fold(Path::root(), |path, part| match part.split_once('[') {
        None => path.attribute(part),
        Some((name, rest)) => match rest.trim_end_matches(']') {
            key if key.starts_with('"') => path.attribute(name).key(key.trim_matches('"')),
            index => path.attribute(name).index(index.parse().unwrap()),
        },
    })
}

/// The bytes of an object that lacks its first attribute, and of one that has one too many.
fn misshapen(ty: &Type, value: &Value) -> [Vec<u8>; 2] {
    let (Type::Object(types), Value::Map(values)) = (ty, value) else { panic!("{value:?} is no object") };
    let (mut fewer_types, mut fewer_values) = (types.clone(), values.clone());
    fewer_types.pop_first();
    fewer_values.pop_first();
    let (mut more_types, mut more_values) = (types.clone(), values.clone());
    more_types.insert("surplus".into(), Type::Bool);
    more_values.insert("surplus".into(), true.into());
    let encoded = |types, values| msgpack::encode(&Value::Map(values), &Type::Object(types)).unwrap();
    [encoded(fewer_types, fewer_values), encoded(more_types, more_values)]
}

async fn shape() {
    let (_provider, mut client) = without_hosts().await;
    for resource in RESOURCES {
        let block = client.resource_block(resource).await.unwrap();
        let (ty, whole) = (block_type(&block), complete(&block, &sample(resource)));
        let Type::Object(types) = &ty else { panic!("{resource} is no object") };
        for msgpack in misshapen(&ty, &whole) {
            let config = DynamicValue { msgpack, json: Vec::new() };
            let (said, at) = only_error(&plan_bytes(&mut client, resource, config).await.diagnostics);
            assert!(said.contains("attribute") && !at.contains('.'), "{at}: {said}");
        }
        for inner in ["resources", "docker", "timeouts"] {
            let config = with(&sample(resource), [(inner, HERE.into())]);
            for bytes in misshapen(&types[inner], whole.get(inner)) {
                let answer = plan_spliced(&mut client, resource, &config, &bytes).await;
                let (said, at) = only_error(&answer.diagnostics);
                assert!(said.contains("attribute") && at.starts_with(inner), "{at}: {said}");
            }
        }
    }
}

/// Decoding insists on all attributes and no others, so a plan, an upgraded state and a read one only have to decode.
async fn whole_answers() {
    let (_without, mut client) = without_hosts().await;
    let (_dead, mut unable) = with_a_dead_host().await;
    for resource in RESOURCES {
        let block = client.resource_block(resource).await.unwrap();
        let none: [(&str, Value); 0] = [];
        let config = with(&sample(resource), [("docker", Value::object(none))]);
        let state = state_of(&mut client, resource, &config).await;
        let upgraded = client.upgrade(resource, 0, b"{\"docker\": {}}").await.unwrap().state;
        let read = unable.read(resource, &state, b"").await.unwrap().state;
        for answer in [state, upgraded, read] {
            answer.conforms(&block_type(&block), &Path::root()).unwrap();
            for repeated in ["volume", "ulimit"] {
                assert_eq!(answer.get("docker").get(repeated), &Value::List(Vec::new()), "{resource}");
            }
        }
    }
}

async fn absent() {
    let (_provider, mut client) = without_hosts().await;
    let block = client.resource_block(DEPLOYMENT).await.unwrap();
    let config = complete(&block, &deployment());
    let state = state_of(&mut client, DEPLOYMENT, &deployment()).await;
    let absent = [None, Some(DynamicValue::default())];
    for nothing in absent {
        let create = plan_resource_change::Request {
            type_name: DEPLOYMENT.into(),
            prior_state: nothing.clone(),
            proposed_new_state: Some(encode(&block, &config)),
            config: Some(encode(&block, &config)),
            ..Default::default()
        };
        let created = client.rpc.plan_resource_change(create).await.unwrap().into_inner();
        assert_eq!(created.diagnostics, []);
        assert!(!decode(&block, created.planned_state.as_ref()).is_null());
        let destroy = plan_resource_change::Request {
            type_name: DEPLOYMENT.into(),
            prior_state: Some(encode(&block, &state)),
            proposed_new_state: nothing.clone(),
            config: nothing.clone(),
            ..Default::default()
        };
        let destroyed = client.rpc.plan_resource_change(destroy).await.unwrap().into_inner();
        assert_eq!(destroyed.diagnostics, []);
        assert!(decode(&block, destroyed.planned_state.as_ref()).is_null());
        let read = read_resource::Request {
            type_name: DEPLOYMENT.into(),
            current_state: nothing.clone(),
            ..Default::default()
        };
        let read = client.rpc.read_resource(read).await.unwrap().into_inner();
        assert!(read.diagnostics.is_empty() && decode(&block, read.new_state.as_ref()).is_null());
    }
}

async fn unicode() {
    let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}");
    assert_ne!(composed, decomposed);
    let (_provider, mut client) = without_hosts().await;
    let block = client.resource_block(DEPLOYMENT).await.unwrap();
    let config = |value: &str| with(&deployment(), [("env", Value::object([("WHERE", value)]))]);
    let prior = encode(&block, &state_of(&mut client, DEPLOYMENT, &config(composed)).await);
    let bytes = [&[0xa6], decomposed.as_bytes()].concat();
    let config = Some(spliced(&block_type(&block), &complete(&block, &config(HERE)), &bytes));
    let request = plan_resource_change::Request {
        type_name: DEPLOYMENT.into(),
        prior_state: Some(prior.clone()),
        proposed_new_state: config.clone(),
        config,
        ..Default::default()
    };
    let planned = client.rpc.plan_resource_change(request).await.unwrap().into_inner();
    assert_eq!(planned.diagnostics, []);
    assert!(planned.planned_state == Some(prior), "another spelling is no change");
}
