//! What apply picks on the hosts' own network: ports of the supporting services, and of each worker.
//!
//! A plan cannot pick them, since it runs twice and must say the same; so they are unknown until apply, where they are
//! promised to whoever asks first, and from then on they are in the state. For what a plan can check without them there are
//! stand-ins.

use crate::dynamo::facts::topology::{Topology, WorkerPort};
use crate::dynamo::terms::endpoint::Endpoint;
use crate::dynamo::terms::objection::{Field, Refusal};
use crate::dynamo::terms::ports;
use crate::dynamo::terms::words::NetworkMode;
use crate::inventory::PortInUse;
use crate::provider::attributes::blocks::TextMap;
use crate::provider::attributes::paths;
use crate::provider::attributes::picked_ports::{Ports, advertised};
use crate::provider::machine::Machine;
use crate::tf_provider::attr::Attr;
use crate::tf_provider::diagnostics::Diagnostics;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Addresses for the services of a deployment, and the promises that hold their ports; `None` on a private network, where
/// they are constants. `taken` are the ports that others have.
pub(crate) fn services(
    leases: &PortLeases,
    entry: &Machine,
    topology: Option<&Topology>,
    taken: &[PortInUse],
) -> Result<Option<(TextMap, Vec<PortLease>)>, Diagnostics> {
    let Some(topology) = topology.filter(|row| row.network == NetworkMode::Host) else { return Ok(None) };
    let address = advertised(entry.advertise_address());
    let (mut services, mut promises) = (TextMap::new(), Vec::new());
    for service in topology.services {
        let promise = promise(leases, entry, service.port, taken, Field::Services)?;
        let seat = Endpoint { address: address.to_owned(), port: promise.port() };
        services.insert(service.name.to_owned(), Attr::Known(seat.to_string()));
        promises.push(promise);
    }
    Ok(Some((services, promises)))
}

/// Ports for a worker with so many ranks of data parallelism, and the promises that hold them.
pub(crate) fn worker(
    leases: &PortLeases,
    entry: &Machine,
    rows: &[&WorkerPort],
    ranks: u16,
    taken: &[PortInUse],
) -> Result<(Ports, Vec<PortLease>), Diagnostics> {
    at(leases, entry, rows, ranks, taken, advertised(entry.advertise_address()))
}

/// As [`worker`], for what listens at `own_address`.
pub(crate) fn at(
    leases: &PortLeases,
    entry: &Machine,
    rows: &[&WorkerPort],
    ranks: u16,
    taken: &[PortInUse],
    own_address: &str,
) -> Result<(Ports, Vec<PortLease>), Diagnostics> {
    let (mut ports, mut promises) = (Ports::new(), Vec::new());
    for row in rows {
        let address = if row.any_address { "0.0.0.0" } else { own_address };
        let (host, offsets) = (entry.host.name(), row.offsets(ranks));
        let promise = leases.take(host, row.from, address, taken, &offsets);
        let promise =
            promise.map_err(|refusal| paths::diagnostics(vec![refusal.at(Field::WorkerPort(row.name))]))?;
        ports.insert(row.name.to_owned(), Attr::Known(i64::from(promise.port())));
        promises.push(promise);
    }
    Ok((ports, promises))
}

fn promise(
    leases: &PortLeases,
    entry: &Machine,
    from: u16,
    taken: &[PortInUse],
    field: Field,
) -> Result<PortLease, Diagnostics> {
    let address = advertised(entry.advertise_address());
    let promise = leases.take(entry.host.name(), from, address, taken, &[0]);
    promise.map_err(|refusal| paths::diagnostics(vec![refusal.at(field)]))
}

/// Ports that calls in flight have picked, by host: a port is taken once the Engine says so, and until then here.
#[derive(Clone, Default)]
pub struct PortLeases(Arc<Mutex<BTreeSet<(String, u16)>>>);

impl PortLeases {
    /// The first port from `from` that nobody has and nobody was promised, with those that are so far above it. The lease
    /// ends with the returned value.
    pub(crate) fn take(
        &self,
        host: &str,
        from: u16,
        bind_address: &str,
        taken: &[PortInUse],
        offsets: &[u16],
    ) -> Result<PortLease, Refusal> {
        let mut leased = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let leased_there = |port| leased.contains(&(host.to_owned(), port));
        let port = ports::pick(from, bind_address, taken, offsets, leased_there)?;
        let all = offsets.iter().filter_map(|above| port.checked_add(*above));
        let keys: Vec<_> = all.map(|port| (host.to_owned(), port)).collect();
        leased.extend(keys.iter().cloned());
        Ok(PortLease { port, keys, leases: self.clone() })
    }
}

/// A port that is ours until this is dropped, with those that come with it.
pub(crate) struct PortLease {
    port: u16,
    keys: Vec<(String, u16)>,
    leases: PortLeases,
}

impl PortLease {
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for PortLease {
    fn drop(&mut self) {
        let mut promised = self.leases.0.lock().unwrap_or_else(PoisonError::into_inner);
        for key in &self.keys {
            promised.remove(key);
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
    use crate::provider::config::ProviderModel;
    use crate::provider::session::Client;

    #[test]
    fn nobody_is_promised_what_somebody_else_has() {
        let client = Client::new(&ProviderModel::default()).unwrap();
        let Ok(entry) = client.host("local") else { panic!("this machine is a host by default") };
        let taken = |port| PortInUse {
            address: "127.0.0.1".to_owned(),
            port,
            holder: PortHolder::Process { name: None },
        };
        let topology = v1_6::RELEASE.topology(NetworkMode::Host);
        let rows = [&v1_6::SYSTEM, &v1_6::RPC];
        let numbers =
            |ports: &Ports| -> Vec<i64> { ports.values().filter_map(|port| port.known().copied()).collect() };
        let pick = || worker(&client.ports, &entry, &rows, 1, &[taken(9091)]).unwrap();
        let (one, promises) = pick();
        let (other, _more) = pick();
        assert_eq!([numbers(&one), numbers(&other)].concat(), [9092, 9090, 9094, 9093]);
        drop(promises);
        assert_eq!(pick().0, one);
        let (services, _) = services(&client.ports, &entry, topology, &[taken(2379)]).unwrap().unwrap();
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
