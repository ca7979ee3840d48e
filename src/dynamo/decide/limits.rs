//! How much of a machine containers may use, and how much stays with the system.
//!
//! Without limits one container that grows takes the machine with it, SSH included. So a host keeps a reserve, and what
//! a container gets is never more than the rest. Where nothing else is said the reserve is
//!
//! * CPUs: 5 % rounded up to whole ones, at least 1, and never the last one;
//! * memory: 10 %, at least 2 GB and at most 32 GB, and never more than half of it.
//!
//! | machine | kept | left for each container |
//! | --- | --- | --- |
//! | 1 CPU, 1 GB | 0, 0.5 GB | 1, 0.5 GB |
//! | 8 CPUs, 32 GB | 1, 3.2 GB | 7, 28.8 GB |
//! | 128 CPUs, 1024 GB | 7, 32 GB | 121, 992 GB |
//!
//! A limit is an upper bound and not a share: several containers that are given all but the reserve compete for it.
//! A gigabyte (GB) is 2³⁰ bytes, as everywhere in this provider.

use crate::container::Limits;
use crate::dynamo::spec::{HostFacts, LEAST_CPUS, LEAST_MEMORY_GB, ResourceSpec};
use crate::dynamo::terms::amount::{Amount, GIB, NANO};
use crate::dynamo::terms::objection::{Field, Objection, ResourceField};

/// What a host keeps for itself, or has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    pub nano_cpus: u64,
    pub memory_bytes: u64,
}

/// What stays with the system: as configured, else worked out.
pub(crate) fn reserve(host: &HostFacts) -> Share {
    let given =
        |amount: Option<Amount>, factor| amount.map(|amount| amount.times(factor).unwrap_or(u64::MAX));
    Share {
        nano_cpus: given(host.reserved_cpus, NANO)
            .unwrap_or_else(|| u64::from(reserved_cpus(host.cpus)).saturating_mul(NANO)),
        memory_bytes: given(host.reserved_memory_gb, GIB)
            .unwrap_or_else(|| reserved_memory(host.memory_bytes)),
    }
}

fn reserved_cpus(cpus: u32) -> u32 {
    cpus.div_ceil(20).max(1).min(cpus.saturating_sub(1))
}

fn reserved_memory(bytes: u64) -> u64 {
    (bytes / 10).clamp(2 * GIB, 32 * GIB).min(bytes / 2)
}

/// What containers may use, or why the reserve leaves nothing.
pub(crate) fn available(host: &HostFacts) -> Result<Share, Vec<Objection>> {
    let reserve = reserve(host);
    let all = u64::from(host.cpus).saturating_mul(NANO);
    let left = Share {
        nano_cpus: all.saturating_sub(reserve.nano_cpus),
        memory_bytes: host.memory_bytes.saturating_sub(reserve.memory_bytes),
    };
    let mut objections = Vec::new();
    if left.nano_cpus < nano(LEAST_CPUS) {
        let what = format!("{} of {} are reserved", cpus_text(reserve.nano_cpus), cpus_text(all));
        objections.push(nothing_left(ResourceField::Cpus, what));
    }
    if left.memory_bytes < bytes(LEAST_MEMORY_GB) {
        let what =
            format!("{} of {} are reserved", gb_text(reserve.memory_bytes), gb_text(host.memory_bytes));
        objections.push(nothing_left(ResourceField::MemoryGb, what));
    }
    if objections.is_empty() { Ok(left) } else { Err(objections) }
}

fn nothing_left(field: ResourceField, what: String) -> Objection {
    let what = format!("{what} for the system, which leaves none");
    Objection::new(Field::HostReserved(field), what, "reserve less")
}

/// The limits of a container on a host.
pub(crate) fn decide(wanted: ResourceSpec, host: &HostFacts) -> Result<Limits, Vec<Objection>> {
    let ResourceSpec::Limited { nano_cpus, memory_bytes } = wanted else {
        return Ok(Limits::default());
    };
    let left = available(host)?;
    let mut objections = Vec::new();
    if let Some(cpus) = nano_cpus.filter(|cpus| *cpus > left.nano_cpus) {
        let all = u64::from(host.cpus).saturating_mul(NANO);
        objections.push(too_much(ResourceField::Cpus, cpus, left.nano_cpus, all, cpus_text));
    }
    if let Some(memory) = memory_bytes.filter(|memory| *memory > left.memory_bytes) {
        let all = host.memory_bytes;
        objections.push(too_much(ResourceField::MemoryGb, memory, left.memory_bytes, all, gb_text));
    }
    if !objections.is_empty() {
        return Err(objections);
    }
    Ok(Limits {
        nano_cpus: Some(nano_cpus.unwrap_or(left.nano_cpus)),
        memory_bytes: Some(memory_bytes.unwrap_or(left.memory_bytes)),
    })
}

fn too_much(field: ResourceField, wanted: u64, left: u64, all: u64, text: fn(u64) -> String) -> Objection {
    let kept = all.saturating_sub(left);
    Objection::new(
        Field::Resources(field),
        format!(
            "{} is more than there is: the host has {} and keeps {}",
            text(wanted),
            text(all),
            text(kept)
        ),
        format!("use {} or less, or change what is reserved for the host", text(left)),
    )
}

fn nano(amount: Amount) -> u64 {
    amount.times(NANO).unwrap_or(u64::MAX)
}

fn bytes(amount: Amount) -> u64 {
    amount.times(GIB).unwrap_or(u64::MAX)
}

/// `1.5 CPUs`
fn cpus_text(nano_cpus: u64) -> String {
    let unit = if nano_cpus == NANO { "CPU" } else { "CPUs" };
    format!("{} {unit}", thousandths(nano_cpus, NANO))
}

/// `28.8 GB`, rounded down so that what is printed can be used.
pub(in crate::dynamo) fn gb_text(bytes: u64) -> String {
    format!("{} GB", thousandths(bytes, GIB))
}

fn thousandths(value: u64, unit: u64) -> Amount {
    let milli = u128::from(value).saturating_mul(1000) / u128::from(unit);
    Amount::from_milli(u32::try_from(milli).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(cpus: u32, gb: u64) -> HostFacts {
        HostFacts { cpus, memory_bytes: gb * GIB, ..HostFacts::default() }
    }

    #[test]
    fn the_reserve_by_size_of_machine() {
        let rows = [
            // CPUs, GB, CPUs kept, GB × 10 kept
            (1, 1, 0, 5),
            (2, 4, 1, 20),
            (8, 32, 1, 32),
            (20, 64, 1, 64),
            (21, 320, 2, 320),
            (128, 1024, 7, 320),
        ];
        for (cpus, gb, kept_cpus, kept_tenths) in rows {
            let kept = reserve(&host(cpus, gb));
            assert_eq!(kept.nano_cpus, kept_cpus * NANO, "{cpus} CPUs");
            assert_eq!(kept.memory_bytes, kept_tenths * GIB / 10, "{gb} GB");
        }
    }

    #[test]
    fn a_machine_always_has_something_left_by_default() {
        for cpus in 1..300 {
            let facts = host(cpus, u64::from(cpus));
            let left = available(&facts).unwrap();
            assert!(left.nano_cpus >= NANO && left.memory_bytes >= facts.memory_bytes / 2);
        }
    }

    #[test]
    fn more_than_is_left_is_refused_with_the_numbers() {
        let wanted = ResourceSpec::Limited { nano_cpus: Some(8 * NANO), memory_bytes: Some(30 * GIB) };
        let objections = decide(wanted, &host(8, 32)).unwrap_err();
        let texts: Vec<_> = objections.iter().map(ToString::to_string).collect();
        assert!(
            texts[0].contains("8 CPUs") && texts[0].contains("keeps 1 CPU") && texts[0].contains("7 CPUs")
        );
        assert!(texts[1].contains("30 GB") && texts[1].contains("28.8 GB"), "{}", texts[1]);
    }

    #[test]
    fn what_the_provider_is_told_to_reserve_counts() {
        let facts = HostFacts { reserved_cpus: Some(Amount::from_milli(500)), ..host(2, 8) };
        assert_eq!(available(&facts).unwrap().nano_cpus, 1_500_000_000);
        let all = HostFacts { reserved_memory_gb: Some(Amount::from_int(8)), ..host(2, 8) };
        assert_eq!(available(&all).unwrap_err()[0].field, Field::HostReserved(ResourceField::MemoryGb));
        assert_eq!(decide(ResourceSpec::NoLimit, &all), Ok(Limits::default()));
    }
}
