//! Lists in which each item is judged alone, may be unknown alone, and stands once.

use super::at;
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::objection::{DockerField, Refusal};
use crate::dynamo::terms::reader::Reader;

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
