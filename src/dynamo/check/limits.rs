//! The `resources` block, read: limits that Docker can set on any host. Whether a host has as much is said in
//! [`crate::dynamo::decide`], which knows the host.

use crate::dynamo::spec::draft::ResourceDraft;
use crate::dynamo::spec::{LEAST_CPUS, LEAST_MEMORY_GB, ResourceSpec};
use crate::dynamo::terms::amount::{Amount, GIB, NANO};
use crate::dynamo::terms::objection::{Field, Refusal, ResourceField};
use crate::dynamo::terms::reader::Reader;

/// Reads a resources block: ranges that hold on every host.
pub(in crate::dynamo) fn read(reader: &mut Reader, draft: &ResourceDraft) -> Option<ResourceSpec> {
    let cpus = reader.maybe(Field::Resources(ResourceField::Cpus), &draft.cpus, |amount| {
        at_least(*amount, LEAST_CPUS, "CPUs", NANO)
    });
    let memory = reader.maybe(Field::Resources(ResourceField::MemoryGb), &draft.memory_gb, |amount| {
        at_least(*amount, LEAST_MEMORY_GB, "GB", GIB)
    });
    let no_limit = reader.or(Field::Resources(ResourceField::NoLimit), &draft.no_limit, false, |on| Ok(*on));
    if no_limit == Some(true) && !(draft.cpus.is_absent() && draft.memory_gb.is_absent()) {
        let refusal = Refusal::new("there are limits beside it", "remove cpus and memory_gb, or no_limit");
        reader.object(Field::Resources(ResourceField::NoLimit), refusal);
    }
    let (nano_cpus, memory_bytes) = (cpus?, memory?);
    Some(if no_limit? { ResourceSpec::NoLimit } else { ResourceSpec::Limited { nano_cpus, memory_bytes } })
}

fn at_least(amount: Amount, least: Amount, unit: &str, factor: u64) -> Result<u64, Refusal> {
    match amount.times(factor) {
        Some(value) if amount >= least && i64::try_from(value).is_ok() => Ok(value),
        _ if amount < least => {
            let what = format!("{amount} {unit} is less than Docker can limit a container to");
            Err(Refusal::new(what, format!("use {least} or more")))
        }
        _ => Err(Refusal::new(format!("{amount} {unit} is more than any machine has"), "use less")),
    }
}
