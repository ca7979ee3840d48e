//! Ports as state and plan have them, and provisional ones for what is picked in apply.

use crate::dynamo::facts::topology::{Topology, WorkerPort};
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::ports::THIS_MACHINE;
use crate::tf_provider::attr::Attr;
use std::collections::BTreeMap;

/// Ports by name, as the state has them.
pub(crate) type Ports = BTreeMap<String, Attr<i64>>;

/// The address of a host of which the configuration says that (null: nothing).
pub(crate) fn advertised(advertise: &Attr<String>) -> &str {
    advertise.known().map_or(THIS_MACHINE, String::as_str)
}

/// Addresses of services that are not picked yet; at ports that no user has for a frontend.
pub(crate) fn provisional_services(topology: Option<&Topology>) -> BTreeMap<String, Given<String>> {
    let services = topology.into_iter().flat_map(|row| row.services).zip(1_u16..);
    services
        .map(|(service, port)| (service.name.to_owned(), Given::Is(format!("{THIS_MACHINE}:{port}"))))
        .collect()
}

/// Ports of a worker that are not picked yet.
pub(crate) fn provisional_ports(rows: &[&WorkerPort]) -> BTreeMap<String, Given<i64>> {
    rows.iter().map(|row| (row.name.to_owned(), Given::Is(i64::from(row.from)))).collect()
}

/// The ports that a worker had, with stand-ins for those that it did not need until now, and without those that it needs no
/// more.
pub(crate) fn with_provisional_ports(had: &Attr<Ports>, rows: &[&WorkerPort]) -> Attr<Ports> {
    let had = |row: &WorkerPort| had.known().and_then(|ports| ports.get(row.name)).cloned();
    let port = |row: &WorkerPort| had(row).unwrap_or(Attr::Known(i64::from(row.from)));
    Attr::Known(rows.iter().map(|row| (row.name.to_owned(), port(row))).collect())
}

/// Writes `picked` over what is there.
pub(crate) fn set(ports: &mut Attr<Ports>, picked: Ports) {
    match ports {
        Attr::Known(ports) => ports.extend(picked),
        Attr::Null | Attr::Unknown => *ports = Attr::Known(picked),
    }
}
