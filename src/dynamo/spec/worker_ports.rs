//! The rows of the tables that apply to a worker, and the ports among them.

use super::{Common, cache_server};
use crate::dynamo::facts::connector::RoleFacts;
use crate::dynamo::facts::engine::Events;
use crate::dynamo::facts::topology::{PassedBy, Topology, WorkerPort};
use crate::dynamo::terms::words::{NetworkMode, Role};
use std::collections::BTreeMap;

/// The ports of which a worker is told: its own, and those of the server that keeps its cache.
pub(crate) fn ports(common: &Common, role: Role) -> Vec<&'static WorkerPort> {
    let server = cache_server::used(&common.connector, role).into_iter();
    own_ports(common, role).into_iter().chain(server.flat_map(|server| server.ports)).collect()
}

/// The ports at which a worker listens and of which it is told.
pub(crate) fn own_ports(common: &Common, role: Role) -> Vec<&'static WorkerPort> {
    let Some(topology) = common.release.topology(common.network) else { return Vec::new() };
    let parts = WorkerRows::of(common, role, topology);
    let told = |row: &&WorkerPort| common.network == NetworkMode::Host || row.private.is_some();
    parts.ports().filter(told).collect()
}

/// The rows that a worker is put together from.
pub(crate) struct WorkerRows {
    topology: &'static Topology,
    pub connector: Option<&'static RoleFacts>,
    /// What it is told about reporting what it caches.
    events: Option<&'static Events>,
    reports: bool,
}

impl WorkerRows {
    pub(crate) fn of(common: &Common, role: Role, topology: &'static Topology) -> Self {
        let engine = common.engine;
        let publishes = engine.serving(common.mode, role).is_some_and(|row| row.publishes);
        let reports = publishes && common.reports_caches();
        Self {
            topology,
            connector: common.connector.facts.role(role),
            events: engine.events.as_ref(),
            reports,
        }
    }

    fn ports(&self) -> impl Iterator<Item = &'static WorkerPort> {
        let connector = self.connector.into_iter().flat_map(|role| role.ports);
        let events = self.events.filter(|_| self.reports).into_iter().flat_map(|events| events.ports);
        self.topology.worker_ports.iter().chain(connector).chain(events)
    }

    pub(crate) fn args(&self) -> impl Iterator<Item = &'static &'static str> {
        let connector = self.connector.into_iter().flat_map(|role| role.args);
        let told = |events: &'static Events| if self.reports { events.args } else { events.silent_args };
        connector.chain(self.events.into_iter().flat_map(told))
    }

    pub(crate) fn flags(&self, ports: &BTreeMap<&'static str, u16>) -> Vec<String> {
        let told = self.ports().filter_map(|row| match row.told {
            PassedBy::Flag(flag) => Some([flag.to_owned(), ports.get(row.name)?.to_string()]),
            PassedBy::Env(_) | PassedBy::Inline => None,
        });
        told.flatten().collect()
    }

    pub(crate) fn variables(&self, ports: &BTreeMap<&'static str, u16>) -> Vec<(String, String)> {
        let told = self.ports().filter_map(|row| match row.told {
            PassedBy::Env(name) => Some((name.to_owned(), ports.get(row.name)?.to_string())),
            PassedBy::Flag(_) | PassedBy::Inline => None,
        });
        told.collect()
    }

    pub(crate) fn addresses(&self, address: Option<&str>) -> Vec<(String, String)> {
        let connector = self.connector.into_iter().flat_map(|role| role.address_env);
        let names = self.topology.worker_address_env.iter().chain(connector);
        names.filter_map(|name| Some(((*name).to_owned(), address?.to_owned()))).collect()
    }

    /// What is said of the tier on disk, if this role has one.
    pub(crate) fn disk(&self, common: &Common, blanks: &[(&str, String)]) -> BTreeMap<String, String> {
        let facts = self.connector.and_then(|role| role.cache.as_ref()?.disk.as_ref());
        let (Some(facts), Some(disk)) = (facts, &common.connector.disk) else { return BTreeMap::new() };
        let mut env = pairs(facts.env, blanks);
        match &disk.path {
            Some(_) => env.extend([(facts.folder_env.to_owned(), facts.folder.to_owned())]),
            None => env.extend(pairs(facts.unmounted_env, blanks)),
        }
        env
    }
}

pub(crate) fn filled(text: &str, blanks: &[(&str, String)]) -> String {
    // Only a name that is known is a blank: the braces of JSON stay.
    blanks.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

pub(crate) fn pairs(rows: &[(&str, &str)], blanks: &[(&str, String)]) -> BTreeMap<String, String> {
    rows.iter().map(|(name, value)| ((*name).to_owned(), filled(value, blanks))).collect()
}
