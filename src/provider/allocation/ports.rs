//! What apply picks on the hosts' own network: ports of the supporting services, and of each worker.
//!
//! A plan cannot pick them, since it runs twice and must say the same; so they are unknown until apply, where they are
//! promised to whoever asks first, and from then on they are in the state. For what a plan can check without them there are
//! stand-ins.

use crate::dynamo::facts::topology::{Topology, WorkerPort};
use crate::dynamo::terms::endpoint::Endpoint;
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::objection::Field;
use crate::dynamo::terms::ports::THIS_MACHINE;
use crate::dynamo::terms::words::NetworkMode;
use crate::hosts::Cause;
use crate::inventory::PortInUse;
use crate::provider::attributes::blocks::TextMap;
use crate::provider::attributes::paths;
use crate::provider::session::{Client, Entry, PromisedPort};
use crate::reconcile::{Failure, ReconcileError};
use crate::tf_provider::attr::Attr;
use crate::tf_provider::diagnostics::Diagnostics;
use std::collections::BTreeMap;

/// How often ports are picked when others take them between looking and binding.
pub(crate) const ATTEMPTS: usize = 5;

/// Ports by name, as the state has them.
pub(crate) type Ports = BTreeMap<String, Attr<i64>>;

/// The address of a host of which the configuration says that (null: nothing).
pub(crate) fn advertised(advertise: &Attr<String>) -> &str {
    advertise.known().map_or(THIS_MACHINE, String::as_str)
}

/// Addresses for the services of a deployment, and the promises that hold their ports; `None` on a private network, where
/// they are constants. `taken` are the ports that others have.
pub(crate) fn services(
    client: &Client,
    entry: &Entry,
    topology: Option<&Topology>,
    taken: &[PortInUse],
) -> Result<Option<(TextMap, Vec<PromisedPort>)>, Diagnostics> {
    let Some(topology) = topology.filter(|row| row.network == NetworkMode::Host) else { return Ok(None) };
    let address = advertised(entry.advertise_address());
    let (mut services, mut promises) = (TextMap::new(), Vec::new());
    for service in topology.services {
        let promise = promise(client, entry, service.port, taken, Field::Services)?;
        let seat = Endpoint { address: address.to_owned(), port: promise.port() };
        services.insert(service.name.to_owned(), Attr::Known(seat.to_string()));
        promises.push(promise);
    }
    Ok(Some((services, promises)))
}

/// Ports for a worker with so many ranks of data parallelism, and the promises that hold them.
pub(crate) fn worker(
    client: &Client,
    entry: &Entry,
    rows: &[&WorkerPort],
    ranks: u16,
    taken: &[PortInUse],
) -> Result<(Ports, Vec<PromisedPort>), Diagnostics> {
    at(client, entry, rows, ranks, taken, advertised(entry.advertise_address()))
}

/// As [`worker`], for what listens at `own_address`.
pub(crate) fn at(
    client: &Client,
    entry: &Entry,
    rows: &[&WorkerPort],
    ranks: u16,
    taken: &[PortInUse],
    own_address: &str,
) -> Result<(Ports, Vec<PromisedPort>), Diagnostics> {
    let (mut ports, mut promises) = (Ports::new(), Vec::new());
    for row in rows {
        let address = if row.any_address { "0.0.0.0" } else { own_address };
        let (host, offsets) = (entry.host.name(), row.offsets(ranks));
        let promise = client.promise_ports(host, row.from, address, taken, &offsets);
        let promise =
            promise.map_err(|refusal| paths::diagnostics(vec![refusal.at(Field::WorkerPort(row.name))]))?;
        ports.insert(row.name.to_owned(), Attr::Known(i64::from(promise.port())));
        promises.push(promise);
    }
    Ok((ports, promises))
}

fn promise(
    client: &Client,
    entry: &Entry,
    from: u16,
    taken: &[PortInUse],
    field: Field,
) -> Result<PromisedPort, Diagnostics> {
    let address = advertised(entry.advertise_address());
    let promise = client.promise_port(entry.host.name(), from, address, taken);
    promise.map_err(|refusal| paths::diagnostics(vec![refusal.at(field)]))
}

/// Whether somebody else took a port between the look at the host and the start: another Terraform, for example. Docker says
/// so of what it publishes; on the host's own network it is the last words of the process.
pub(crate) fn is_taken(failed: &ReconcileError) -> bool {
    match failed.failure.as_ref() {
        Failure::Host(error) => matches!(error.cause, Cause::PortTaken { .. }),
        Failure::Died { logs, .. } => logs.to_ascii_lowercase().contains("already in use"),
        _ => false,
    }
}

/// Addresses of services that are not picked yet; at ports that no user has for a frontend.
pub(crate) fn services_to_come(topology: Option<&Topology>) -> BTreeMap<String, Given<String>> {
    let services = topology.into_iter().flat_map(|row| row.services).zip(1_u16..);
    services
        .map(|(service, port)| (service.name.to_owned(), Given::Is(format!("{THIS_MACHINE}:{port}"))))
        .collect()
}

/// Ports of a worker that are not picked yet.
pub(crate) fn ports_to_come(rows: &[&WorkerPort]) -> BTreeMap<String, Given<i64>> {
    rows.iter().map(|row| (row.name.to_owned(), Given::Is(i64::from(row.from)))).collect()
}

/// The ports that a worker had, with stand-ins for those that it did not need until now, and without those that it needs no
/// more.
pub(crate) fn with_those_to_come(had: &Attr<Ports>, rows: &[&WorkerPort]) -> Attr<Ports> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::facts::release::v1_6;
    use crate::inventory::PortHolder;
    use crate::provider::config::ProviderModel;

    #[test]
    fn a_lost_race_is_told_from_other_deaths() {
        let died = |logs: &str| {
            ReconcileError::from(Failure::Died {
                host: "local".into(),
                name: "chat-etcd".into(),
                exit_code: Some(1),
                oom_killed: false,
                restarts: 0,
                logs: logs.into(),
            })
        };
        // As etcd, the frontend and a worker say it.
        for words in [
            "listen tcp 127.0.0.1:2379: bind: address already in use",
            "Failed to start HTTP server: port 8000 already in use",
            "Address already in use (os error 98)",
        ] {
            assert!(is_taken(&died(words)), "{words}");
        }
        assert!(!is_taken(&died("no such model")));
    }

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
        let pick = || worker(&client, &entry, &rows, 1, &[taken(9091)]).unwrap();
        let (one, promises) = pick();
        let (other, _more) = pick();
        assert_eq!([numbers(&one), numbers(&other)].concat(), [9092, 9090, 9094, 9093]);
        drop(promises);
        assert_eq!(pick().0, one);
        let (services, _) = services(&client, &entry, topology, &[taken(2379)]).unwrap().unwrap();
        assert_eq!(services, TextMap::from([("etcd".to_owned(), "127.0.0.1:2380".into())]));
        let had = Attr::Known(Ports::from([("rpc".to_owned(), Attr::Known(7))]));
        assert_eq!(numbers(with_those_to_come(&had, &rows).known().unwrap()), [7, 9090]);
        let more = Attr::Known(Ports::from([
            ("rpc".to_owned(), Attr::Known(7)),
            ("nixl".to_owned(), Attr::Known(8)),
        ]));
        assert_eq!(with_those_to_come(&more, &rows), with_those_to_come(&had, &rows));
        let mut ports = Attr::Unknown;
        set(&mut ports, Ports::from([("rpc".to_owned(), Attr::Known(7))]));
        set(
            &mut ports,
            Ports::from([("rpc".to_owned(), Attr::Known(8)), ("system".to_owned(), Attr::Known(9))]),
        );
        assert_eq!(numbers(ports.known().unwrap()), [8, 9]);
    }
}
