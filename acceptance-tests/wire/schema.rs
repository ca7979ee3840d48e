//! From a schema to the values that belong to it, as Terraform works them out before it calls a provider.

use std::collections::BTreeMap;

use libtest_mimic::Trial;

use terraform_provider_dynamo::tf_provider::value::{Type, Value};
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::schema::nested_block::NestingMode as BlockNesting;
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::schema::object::NestingMode;
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::schema::{
    Attribute, Block, NestedBlock, Object,
};

use super::trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("schema_a_sparse_configuration_is_completed", async || completes()),
        trial("schema_what_is_proposed_keeps_computed_values", async || proposes()),
    ]
}

/// The object type of everything in a block.
pub fn block_type(block: &Block) -> Type {
    let attributes =
        block.attributes.iter().map(|attribute| (attribute.name.clone(), attribute_type(attribute)));
    let blocks = block.block_types.iter().map(|nested| (nested.type_name.clone(), nested_type(nested)));
    Type::Object(attributes.chain(blocks).collect())
}

fn nested_type(nested: &NestedBlock) -> Type {
    let inner = Box::new(block_type(&body(nested)));
    match nested.nesting() {
        BlockNesting::List => Type::List(inner),
        BlockNesting::Set => Type::Set(inner),
        BlockNesting::Map => Type::Map(inner),
        _ => *inner,
    }
}

fn attribute_type(attribute: &Attribute) -> Type {
    let Some(object) = &attribute.nested_type else { return Type::from_json(&attribute.r#type).unwrap() };
    let inner = object_type(object);
    match object.nesting() {
        NestingMode::List => Type::List(Box::new(inner)),
        NestingMode::Set => Type::Set(Box::new(inner)),
        NestingMode::Map => Type::Map(Box::new(inner)),
        _ => inner,
    }
}

fn object_type(object: &Object) -> Type {
    Type::Object(object.attributes.iter().map(|inner| (inner.name.clone(), attribute_type(inner))).collect())
}

fn body(nested: &NestedBlock) -> Block {
    nested.block.clone().unwrap_or_default()
}

/// A configuration with everything that its author left out: null, or for repeated blocks none. What the schema does not
/// know stays, so that encoding it fails with its name.
pub fn complete(block: &Block, written: &Value) -> Value {
    let attributes = complete_attributes(&block.attributes, written);
    let blocks = block.block_types.iter().map(|nested| {
        let inner = |one: &Value| complete(&body(nested), one);
        let value = match (written.get(&nested.type_name), nested.nesting()) {
            (Value::Null, BlockNesting::List | BlockNesting::Set) => Value::List(Vec::new()),
            (Value::Null, BlockNesting::Map) => Value::Map(BTreeMap::new()),
            (value, BlockNesting::Group) => inner(value),
            (value, nesting) => complete_each(value, nesting == BlockNesting::Single, &inner),
        };
        (nested.type_name.clone(), value)
    });
    Value::object(as_written(written).chain(attributes).chain(blocks))
}

fn complete_attributes(attributes: &[Attribute], written: &Value) -> impl Iterator<Item = (String, Value)> {
    attributes.iter().map(|attribute| {
        let value = written.get(&attribute.name);
        let value = match &attribute.nested_type {
            None => value.clone(),
            Some(object) => complete_each(value, object.nesting() == NestingMode::Single, &|one| {
                Value::object(as_written(one).chain(complete_attributes(&object.attributes, one)))
            }),
        };
        (attribute.name.clone(), value)
    })
}

fn as_written(value: &Value) -> impl Iterator<Item = (String, Value)> {
    value.as_map().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone()))
}

fn complete_each(value: &Value, single: bool, one: &dyn Fn(&Value) -> Value) -> Value {
    // A null or unknown element has nothing in it to complete.
    let one = |value: &Value| if value.as_map().is_some() { one(value) } else { value.clone() };
    match value {
        Value::Map(_) if single => one(value),
        Value::Map(entries) => Value::object(entries.iter().map(|(key, value)| (key.clone(), one(value)))),
        Value::List(elements) => Value::List(elements.iter().map(one).collect()),
        other => other.clone(),
    }
}

/// What Terraform proposes as the new state: the configuration, and where that says nothing about a computed attribute, what
/// was there before. Sets of blocks come as configured: no test relies on their pairing.
pub fn proposed(block: &Block, prior: &Value, config: &Value) -> Value {
    let attributes = block.attributes.iter().map(|attribute| {
        let (before, now) = (prior.get(&attribute.name), config.get(&attribute.name));
        (
            attribute.name.clone(),
            if attribute.computed && now.is_null() { before.clone() } else { now.clone() },
        )
    });
    let blocks = block.block_types.iter().map(|nested| {
        let (before, now) = (prior.get(&nested.type_name), config.get(&nested.type_name));
        let pair = |before: &Value, now: &Value| proposed(&body(nested), before, now);
        let value = match (nested.nesting(), now) {
            (BlockNesting::Single | BlockNesting::Group, Value::Map(_)) => pair(before, now),
            (BlockNesting::Map, Value::Map(entries)) => {
                Value::object(entries.iter().map(|(key, one)| (key.clone(), pair(before.get(key), one))))
            }
            (BlockNesting::List, Value::List(elements)) => {
                let was =
                    |index| before.as_list().and_then(|before| before.get(index)).unwrap_or(&Value::Null);
                Value::List(elements.iter().enumerate().map(|(index, one)| pair(was(index), one)).collect())
            }
            _ => now.clone(),
        };
        (nested.type_name.clone(), value)
    });
    Value::object(attributes.chain(blocks))
}

/// `name` required, `size` computed, `tags` a map of objects; blocks `one` (single), `many` (list) and `group`, each with an
/// attribute `x` and a computed `y`.
fn example() -> Block {
    let attribute = |name: &str, computed| Attribute {
        name: name.into(),
        r#type: b"\"string\"".to_vec(),
        computed,
        ..Default::default()
    };
    let object = |nesting: NestingMode| Object {
        attributes: vec![attribute("x", false), attribute("y", true)],
        nesting: nesting.into(),
        ..Default::default()
    };
    let tags =
        Attribute { name: "tags".into(), nested_type: Some(object(NestingMode::Map)), ..Default::default() };
    let nested = |name: &str, nesting: BlockNesting| NestedBlock {
        type_name: name.into(),
        nesting: nesting.into(),
        block: Some(Block { attributes: object(NestingMode::Single).attributes, ..Default::default() }),
        ..Default::default()
    };
    Block {
        attributes: vec![attribute("name", false), attribute("size", true), tags],
        block_types: vec![
            nested("one", BlockNesting::Single),
            nested("many", BlockNesting::List),
            nested("group", BlockNesting::Group),
        ],
        ..Default::default()
    }
}

fn xy(x: impl Into<Value>, y: impl Into<Value>) -> Value {
    Value::object([("x", x.into()), ("y", y.into())])
}

fn completes() {
    let x = || Value::object([("x", "1")]);
    let written = Value::object([
        ("name", Value::from("n")),
        ("tags", Value::object([("t", x()), ("null", Value::Null), ("unknown", Value::Unknown)])),
        ("many", Value::List(vec![x(), x()])),
    ]);
    let complete = complete(&example(), &written);
    let expected = Value::object([
        ("name", Value::from("n")),
        ("size", Value::Null),
        (
            "tags",
            Value::object([("t", xy("1", Value::Null)), ("null", Value::Null), ("unknown", Value::Unknown)]),
        ),
        ("one", Value::Null),
        ("many", Value::List(vec![xy("1", Value::Null), xy("1", Value::Null)])),
        ("group", xy(Value::Null, Value::Null)),
    ]);
    assert_eq!(complete, expected);
    complete.conforms(&block_type(&example()), &Default::default()).unwrap();
}

fn proposes() {
    let block = example();
    let prior = Value::object([
        ("name", Value::from("old")),
        ("size", "big".into()),
        ("many", Value::List(vec![xy("1", "first"), xy("2", "second")])),
        ("group", xy("0", "kept")),
    ]);
    let config = Value::object([
        ("name", Value::from("new")),
        ("many", Value::List(vec![xy("3", Value::Null), xy("4", "set"), xy("5", Value::Null)])),
    ]);
    let proposed = proposed(&block, &complete(&block, &prior), &complete(&block, &config));
    let expected = [
        ("name", Value::from("new")),
        ("size", "big".into()),
        ("many", Value::List(vec![xy("3", "first"), xy("4", "set"), xy("5", Value::Null)])),
        ("group", xy(Value::Null, "kept")),
        ("one", Value::Null),
    ];
    for (name, value) in expected {
        assert_eq!(proposed.get(name), &value, "{name}");
    }
}
