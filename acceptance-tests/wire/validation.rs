//! Validation: rules 25, 26 and 28, offline by nature and so tried where there is nothing to connect to.

use libtest_mimic::Trial;
use terraform_provider_dynamo::tf_provider::value::Value;
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::schema::nested_block::NestingMode as BlockNesting;
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::schema::object::NestingMode;
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::schema::{Attribute, Block};

use super::harness::Setup;
use super::samples::{DEAD_ENGINE, DEPLOYMENT, RESOURCES, WORKER, error_paths, sample, with};
use super::trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("validation_25_a_configuration_of_unknowns_is_valid", unknown),
        trial("validation_26_without_network_host_or_configuration", offline),
        trial("validation_28_all_errors_at_once_each_at_its_argument", several),
    ]
}

/// How much of a configuration is written out, down to which its attributes are unknown.
#[derive(Clone, Copy, PartialEq)]
pub enum Depth {
    /// Every argument of the root; no block.
    Root,
    /// Every block and nested object too, each repeated one once.
    Full,
}

/// A configuration in which every argument is unknown.
pub fn unknown_block(block: &Block, depth: Depth) -> Value {
    let attributes = block.attributes.iter().filter(|it| it.required || it.optional);
    // Instead of `deployment`, and never beside it.
    let attributes = attributes.filter(|it| it.name != "deployments");
    let attributes = attributes.map(|it| (it.name.clone(), unknown_attribute(it, depth)));
    let blocks = block.block_types.iter().map(|nested| {
        let inner = || unknown_block(nested.block.as_ref().unwrap(), depth);
        let value = match nested.nesting() {
            _ if depth == Depth::Root => Value::Null,
            BlockNesting::List | BlockNesting::Set => Value::List(vec![inner()]),
            BlockNesting::Map => Value::object([("key", inner())]),
            _ => inner(),
        };
        (nested.type_name.clone(), value)
    });
    Value::object(attributes.chain(blocks))
}

fn unknown_attribute(attribute: &Attribute, depth: Depth) -> Value {
    let Some(object) = attribute.nested_type.as_ref().filter(|_| depth == Depth::Full) else {
        return Value::Unknown;
    };
    let inner =
        || Value::object(object.attributes.iter().map(|it| (it.name.clone(), unknown_attribute(it, depth))));
    match object.nesting() {
        NestingMode::List | NestingMode::Set => Value::List(vec![inner(), Value::Unknown]),
        NestingMode::Map => Value::object([("key", inner()), ("other", Value::Unknown)]),
        _ => inner(),
    }
}

async fn unknown() {
    let provider = Setup::terraform().with("DOCKER_HOST", DEAD_ENGINE).start();
    let mut client = provider.client().await;
    let schemas = client.schemas().await.unwrap();
    for depth in [Depth::Root, Depth::Full] {
        let config = unknown_block(schemas.provider.as_ref().unwrap().block.as_ref().unwrap(), depth);
        assert_eq!(client.validate_provider(config).await.unwrap(), [], "the provider block");
        for (resource, schema) in &schemas.resource_schemas {
            // A model has to say where it comes from, and that is a block.
            if depth == Depth::Root && resource == "dynamo_model" {
                continue;
            }
            let config = unknown_block(schema.block.as_ref().unwrap(), depth);
            assert_eq!(client.validate_resource(resource, config).await.unwrap(), [], "{resource}");
        }
    }
}

/// What is right is taken and what is wrong refused, with an Engine that cannot be reached, an address that is none, and
/// a process that nobody ever configured.
async fn offline() {
    for engine in [DEAD_ENGINE, "tcp://203.0.113.1:2375", "nonsense"] {
        let provider = Setup::terraform().with("DOCKER_HOST", engine).start();
        let mut client = provider.client().await;
        for resource in RESOURCES {
            assert_eq!(client.validate_resource(resource, sample(resource)).await.unwrap(), []);
            let wrong = with(&sample(resource), [("desired_state", "asleep".into())]);
            let said = client.validate_resource(resource, wrong).await.unwrap();
            assert!(error_paths(&said).contains(&"desired_state".to_owned()), "{said:?}");
        }
        let hosts =
            Value::object([("hosts", Value::object([("gpu", Value::object([("docker_host", engine)]))]))]);
        let said = client.validate_provider(hosts).await.unwrap();
        assert_eq!(error_paths(&said).is_empty(), engine != "nonsense", "{said:?}");
        // What crosses a network in clear text is warned of.
        let warnings = said.len() - error_paths(&said).len();
        assert_eq!(warnings > 0, engine.starts_with("tcp://"), "{said:?}");
    }
}

async fn several() {
    let provider = Setup::terraform().with("DOCKER_HOST", DEAD_ENGINE).start();
    let mut client = provider.client().await;
    let volume = Value::object([("host_path", "data"), ("container_path", "/data")]);
    let mistakes = with(
        &sample(DEPLOYMENT),
        [
            ("name", Value::from("Chat Room")),
            ("port", 0.into()),
            ("bind_address", "here".into()),
            ("env", Value::object([("2FAST", "x")])),
            ("secret_env", Value::object([("2FAST", "x")])),
            ("secret_env_version", "".into()),
            ("router", Value::object([("mode", "guess")])),
            ("docker", Value::object([("volume", Value::List(vec![volume]))])),
            ("timeouts", Value::object([("create", "soon")])),
        ],
    );
    let said = client.validate_resource(DEPLOYMENT, mistakes).await.unwrap();
    let paths = error_paths(&said);
    for place in [
        "name",
        "port",
        "bind_address",
        "env[\"2FAST\"]",
        "secret_env[\"2FAST\"]",
        "secret_env_version",
        "router.mode",
        "docker.volume[0].host_path",
        "timeouts.create",
    ] {
        assert!(paths.iter().any(|at| at == place), "nothing is said of {place}: {said:#?}");
    }

    let said = client.validate_resource(
        WORKER,
        with(
            &sample(WORKER),
            [
                ("role", Value::from("cook")),
                ("desired_state", "asleep".into()),
                ("resources", Value::object([("cpus", -1)])),
                ("timeouts", Value::object([("delete", "never")])),
            ],
        ),
    );
    let said = said.await.unwrap();
    let paths = error_paths(&said);
    for place in ["role", "desired_state", "resources.cpus", "timeouts.delete"] {
        assert!(paths.iter().any(|at| at == place), "nothing is said of {place}: {said:#?}");
    }

    let entry = Value::object([("port", Value::from(70_000)), ("docker_host", "nonsense".into())]);
    let hosts = Value::object([("a b", entry.clone()), ("gpu", entry), ("none", Value::Null)]);
    let said = client.validate_provider(Value::object([("hosts", hosts)])).await.unwrap();
    let paths = error_paths(&said);
    for place in [
        "hosts[\"a b\"]",
        "hosts[\"a b\"].docker_host",
        "hosts[\"gpu\"].docker_host",
        "hosts[\"gpu\"].port",
        "hosts[\"none\"]",
    ] {
        assert!(paths.iter().any(|at| at == place), "nothing is said of {place}: {said:#?}");
    }
}
