//! What apply picks on the hosts' own network: ports of the supporting services, and of each worker.
//!
//! A plan cannot pick them, since it runs twice and must say the same; so they are unknown until apply, where they are
//! leased to the first that asks, and from then on they are in the state. For what a plan can check without them there are
//! stand-ins.

use crate::dynamo::facts::topology::{Topology, WorkerPort};
use crate::dynamo::terms::endpoint::Endpoint;
use crate::dynamo::terms::objection::{Field, Refusal};
use crate::dynamo::terms::ports;
use crate::dynamo::terms::words::NetworkMode;
use crate::hosts::sync::locked::Locked;
use crate::inventory::PortInUse;
use crate::provider::attributes::blocks::TextMap;
use crate::provider::attributes::paths;
use crate::provider::attributes::picked_ports::{Ports, advertised};
use crate::provider::machine::Machine;
use crate::tf_provider::attr::Attr;
use crate::tf_provider::diagnostics::Diagnostics;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Addresses for the services of a deployment, and the leases on their ports; `None` on a private network, where
/// they are constants. `taken` are the ports that others have.
pub(crate) fn services(
    leases: &PortLeases,
    machine: &Machine,
    topology: Option<&Topology>,
    taken: &[PortInUse],
) -> Result<Option<(TextMap, Vec<PortLease>)>, Diagnostics> {
    let Some(topology) = topology.filter(|row| row.network == NetworkMode::Host) else { return Ok(None) };
    let address = advertised(machine.advertise_address());
    let (mut services, mut held) = (TextMap::new(), Vec::new());
    for service in topology.services {
        let lease = lease(leases, machine, service.port, taken, Field::Services)?;
        let endpoint = Endpoint { address: address.to_owned(), port: lease.port() };
        services.insert(service.name.to_owned(), Attr::Known(endpoint.to_string()));
        held.push(lease);
    }
    Ok(Some((services, held)))
}

/// Ports for a worker with so many ranks of data parallelism, and the leases on them.
pub(crate) fn worker(
    leases: &PortLeases,
    machine: &Machine,
    rows: &[&WorkerPort],
    ranks: u16,
    taken: &[PortInUse],
) -> Result<(Ports, Vec<PortLease>), Diagnostics> {
    at(leases, machine, rows, ranks, taken, advertised(machine.advertise_address()))
}

/// Ports as for [`worker`], for what listens at `own_address`.
pub(crate) fn at(
    leases: &PortLeases,
    machine: &Machine,
    rows: &[&WorkerPort],
    ranks: u16,
    taken: &[PortInUse],
    own_address: &str,
) -> Result<(Ports, Vec<PortLease>), Diagnostics> {
    let (mut ports, mut held) = (Ports::new(), Vec::new());
    for row in rows {
        let address = if row.any_address { "0.0.0.0" } else { own_address };
        let (host, offsets) = (machine.host.name(), row.offsets(ranks));
        let lease = leases.take(host, row.from, address, taken, &offsets);
        let lease =
            lease.map_err(|refusal| paths::diagnostics(vec![refusal.at(Field::WorkerPort(row.name))]))?;
        ports.insert(row.name.to_owned(), Attr::Known(i64::from(lease.port())));
        held.push(lease);
    }
    Ok((ports, held))
}

fn lease(
    leases: &PortLeases,
    machine: &Machine,
    from: u16,
    taken: &[PortInUse],
    field: Field,
) -> Result<PortLease, Diagnostics> {
    let address = advertised(machine.advertise_address());
    let lease = leases.take(machine.host.name(), from, address, taken, &[0]);
    lease.map_err(|refusal| paths::diagnostics(vec![refusal.at(field)]))
}

/// Ports that calls in flight have picked, by host: a port is taken once the Engine says so, and until then here.
#[derive(Clone, Default)]
pub struct PortLeases(Arc<Locked<BTreeSet<(String, u16)>>>);

impl PortLeases {
    /// The first port from `from` that is neither taken nor leased, with those that are so far above it. The lease
    /// ends with the returned value.
    pub(crate) fn take(
        &self,
        host: &str,
        from: u16,
        bind_address: &str,
        taken: &[PortInUse],
        offsets: &[u16],
    ) -> Result<PortLease, Refusal> {
        let mut leased = self.0.lock();
        let leased_there = |port| leased.contains(&(host.to_owned(), port));
        let port = ports::pick(from, bind_address, taken, offsets, leased_there)?;
        let all = offsets.iter().filter_map(|above| port.checked_add(*above));
        let keys: Vec<_> = all.map(|port| (host.to_owned(), port)).collect();
        leased.extend(keys.iter().cloned());
        Ok(PortLease { port, keys, leases: self.clone() })
    }
}

/// The lease on a port, with the ports that come with it. It ends when this is dropped.
pub(crate) struct PortLease {
    port: u16,
    keys: Vec<(String, u16)>,
    leases: PortLeases,
}

impl PortLease {
    /// The first of the leased ports.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for PortLease {
    fn drop(&mut self) {
        let mut leased = self.leases.0.lock();
        for key in &self.keys {
            leased.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::facts::release::v1_6;
    use crate::inventory::PortHolder;
    use crate::provider::attributes::picked_ports::set;
    use crate::provider::attributes::picked_ports::with_provisional_ports;
    use crate::provider::config::schema::ProviderModel;
    use crate::provider::session::Client;

    #[test]
    fn nobody_is_promised_what_somebody_else_has() {
        let client = Client::new(&ProviderModel::default()).unwrap();
        let Ok(machine) = client.host("local") else { panic!("this machine is a host by default") };
        let taken = |port| PortInUse {
            address: "127.0.0.1".to_owned(),
            port,
            holder: PortHolder::Process { name: None },
        };
        let topology = v1_6::RELEASE.topology(NetworkMode::Host);
        let rows = [&v1_6::SYSTEM, &v1_6::RPC];
        let numbers =
            |ports: &Ports| -> Vec<i64> { ports.values().filter_map(|port| port.known().copied()).collect() };
        let pick = || worker(&client.ports, &machine, &rows, 1, &[taken(9091)]).unwrap();
        let (one, held) = pick();
        let (other, _more) = pick();
        assert_eq!([numbers(&one), numbers(&other)].concat(), [9092, 9090, 9094, 9093]);
        drop(held);
        assert_eq!(pick().0, one);
        let (services, _) = services(&client.ports, &machine, topology, &[taken(2379)]).unwrap().unwrap();
        assert_eq!(services, TextMap::from([("etcd".to_owned(), "127.0.0.1:2380".into())]));
        let had = Attr::Known(Ports::from([("rpc".to_owned(), Attr::Known(7))]));
        assert_eq!(numbers(with_provisional_ports(&had, &rows).known().unwrap()), [7, 9090]);
        let more = Attr::Known(Ports::from([
            ("rpc".to_owned(), Attr::Known(7)),
            ("nixl".to_owned(), Attr::Known(8)),
        ]));
        assert_eq!(with_provisional_ports(&more, &rows), with_provisional_ports(&had, &rows));
        let mut ports = Attr::Unknown;
        set(&mut ports, Ports::from([("rpc".to_owned(), Attr::Known(7))]));
        set(
            &mut ports,
            Ports::from([("rpc".to_owned(), Attr::Known(8)), ("system".to_owned(), Attr::Known(9))]),
        );
        assert_eq!(numbers(ports.known().unwrap()), [8, 9]);
    }
}
