//! Lists and maps of the block `docker`: each item is judged alone and may be unknown alone, and an item of a list stands
//! once. And the names that Docker gives to runtimes, networks and drivers.

use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::objection::{DockerField, Field, Refusal};
use crate::dynamo::terms::reader::Reader;
use std::collections::BTreeMap;

/// The field of the block as a field of its resource.
pub(crate) fn at(field: DockerField) -> Field {
    Field::Docker(field)
}

/// Items in the order written. Two of the same `key` are one too many. What is unknown or wrong is left out and was complained about.
pub(in crate::dynamo::check::docker) fn read(
    reader: &mut Reader,
    given: &Given<Vec<Given<String>>>,
    field: fn(usize) -> DockerField,
    parse: fn(&str) -> Result<String, Refusal>,
    key: fn(&str) -> &str,
) -> Vec<String> {
    let all = reader.or(at(field(0)), given, Vec::new(), |items| Ok(items.clone())).unwrap_or_default();
    let mut items: Vec<String> = Vec::new();
    for (position, item) in all.iter().enumerate() {
        let Some(item) = reader.needed(at(field(position)), item, |text| parse(text)) else { continue };
        if items.iter().any(|other| key(other) == key(&item)) {
            let what = format!("{:?} is in the list already", key(&item));
            reader.object(at(field(position)), Refusal::new(what, "keep one of them"));
        } else {
            items.push(item);
        }
    }
    items
}

/// The key of items that are what they are called.
pub(in crate::dynamo::check::docker) fn whole(item: &str) -> &str {
    item
}

/// The entries of a map, each checked with its key. What is unknown or wrong is left out and was complained about.
pub(in crate::dynamo::check::docker) fn read_map(
    reader: &mut Reader,
    given: &BTreeMap<String, Given<String>>,
    field: fn(String) -> DockerField,
    check: fn(&str, Option<&str>) -> Result<(), Refusal>,
) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    for (key, value) in given {
        let field = || at(field(key.clone()));
        reader.keep(field(), check(key, value.known().map(String::as_str)));
        if let Some(value) = reader.needed(field(), value, |value| Ok(value.clone())) {
            map.insert(key.clone(), value);
        }
    }
    map
}

/// A name as Docker takes it for runtimes and networks.
pub(in crate::dynamo::check::docker) fn runtime_name(name: &str) -> Result<String, Refusal> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.bytes().all(plain) {
        return Ok(name.to_owned());
    }
    let fix = "use the name of a runtime from `docker info`, such as runc or nvidia";
    Err(Refusal::new(format!("there is no runtime {name:?}"), fix))
}
