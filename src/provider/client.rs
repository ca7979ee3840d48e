//! What resources get to work with: the hosts by name, and what this process has promised to whom.
//!
//! Making a client connects to nothing. A host is reached when something first needs it.

use super::config::{HostModel, LOCAL, ProviderModel};
use super::drafts;
use crate::dynamo::amount::Amount;
use crate::dynamo::draft::Given;
use crate::dynamo::names;
use crate::dynamo::objection::Refusal;
use crate::dynamo::ports;
use crate::dynamo::spec::HostFacts;
use crate::hosts::{Host, HostError, LocalReach};
use crate::inventory::PortInUse;
use crate::tf_provider::attr::{Attr, Nested, NestedMap};
use crate::tf_provider::diagnostics::Diagnostic;
use crate::tf_provider::value::Path;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// A configured provider.
pub struct Client {
    /// `None` while the `hosts` of the configuration are not known, or where that of one of them is not.
    hosts: Option<BTreeMap<String, Option<Entry>>>,
    /// Random token of this process, on the label of everything that it makes.
    pub run: String,
    promises: Promises,
    /// One worker of a deployment's role is replaced at a time, whatever Terraform's parallelism.
    rolling: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

/// Ports that calls in flight have picked, by host: a port is taken once the Engine says so, and until then here.
#[derive(Clone, Default)]
struct Promises(Arc<Mutex<BTreeSet<(String, u16)>>>);

/// A host with what the configuration says about it.
#[derive(Clone)]
pub struct Entry {
    pub host: Host,
    reserved_cpus: Option<Amount>,
    reserved_memory_gb: Option<Amount>,
    model_cache: Attr<String>,
}

/// Why a host cannot be had.
pub enum NoHost {
    /// It will be known later: plan without it.
    NotKnownYet,
    Wrong(Diagnostic),
}

impl Client {
    /// Values may be unknown.
    pub fn new(config: &ProviderModel) -> Result<Self, Diagnostic> {
        let hosts = match &config.hosts {
            Attr::Unknown => None,
            Attr::Null => {
                let local = Entry::new(LOCAL, &HostModel::default());
                Some(BTreeMap::from([(LOCAL.to_owned(), Some(local))]))
            }
            Attr::Known(NestedMap(hosts)) => {
                Some(hosts.iter().map(|(name, host)| (name.clone(), entry(name, host))).collect())
            }
        };
        Ok(Self { hosts, run: token()?, promises: Promises::default(), rolling: Mutex::default() })
    }

    /// The name that `host` has when it is left out.
    pub fn default_host(&self) -> Result<&str, NoHost> {
        let hosts = self.hosts.as_ref().ok_or(NoHost::NotKnownYet)?;
        let mut names = hosts.keys();
        match (names.next(), names.next()) {
            (Some(only), None) => Ok(only),
            _ => Err(NoHost::Wrong(
                Diagnostic::error(
                    "Which host?",
                    format!("The provider has several hosts: {}. Name one of them.", self.names()),
                )
                .at(Path::of("host")),
            )),
        }
    }

    /// The host of that name. The error is at the attribute `host`.
    pub fn host(&self, name: &str) -> Result<Entry, NoHost> {
        let hosts = self.hosts.as_ref().ok_or(NoHost::NotKnownYet)?;
        match hosts.get(name) {
            Some(Some(entry)) => Ok(entry.clone()),
            Some(None) => Err(NoHost::NotKnownYet),
            None => {
                let detail = format!("The provider has no host {name:?}; it has {}.", self.names());
                Err(NoHost::Wrong(Diagnostic::error("Unknown host", detail).at(Path::of("host"))))
            }
        }
    }

    /// As [`Client::host`], where the host must be known by now.
    pub fn known_host(&self, name: &str) -> Result<Entry, Diagnostic> {
        self.host(name).map_err(|error| match error {
            NoHost::Wrong(diagnostic) => diagnostic,
            NoHost::NotKnownYet => Diagnostic::error(
                "The hosts are not known yet",
                "The provider's hosts depend on something that is not known before it is applied, but this object exists \
                 and has to be looked at now. Apply what the hosts depend on first, for example with -target.",
            ),
        })
    }

    fn names(&self) -> String {
        let names = self.hosts.iter().flat_map(BTreeMap::keys).map(|name| format!("{name:?}"));
        names.collect::<Vec<_>>().join(", ")
    }

    /// The first port from `from` that nobody has and nobody was promised. The promise ends with the returned value.
    pub fn promise_port(
        &self,
        host: &str,
        from: u16,
        bind_address: &str,
        taken: &[PortInUse],
    ) -> Result<PromisedPort, Refusal> {
        let mut promised = self.promises.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut port = ports::pick(from, bind_address, taken)?;
        while promised.contains(&(host.to_owned(), port)) {
            port = ports::pick(port.saturating_add(1), bind_address, taken)?;
        }
        let key = (host.to_owned(), port);
        promised.insert(key.clone());
        Ok(PromisedPort { key, promises: self.promises.clone() })
    }

    /// The turn to replace a worker of a deployment's role.
    pub async fn rolling_turn(&self, deployment: &str, role: &str) -> tokio::sync::OwnedMutexGuard<()> {
        let lock = {
            let mut rolling = self.rolling.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(rolling.entry(format!("{deployment}/{role}")).or_default())
        };
        lock.lock_owned().await
    }
}

/// `None` while it is not known where the host is: what is left out means this machine, which must not be asked in its
/// place.
fn entry(name: &str, host: &Attr<Nested<HostModel>>) -> Option<Entry> {
    let Nested(host) = host.known()?;
    let placed = !host.address.is_unknown() && !host.docker_host.is_unknown();
    placed.then(|| Entry::new(name, host))
}

impl Entry {
    fn new(name: &str, model: &HostModel) -> Self {
        let reserved = model.reserved.known().map(|Nested(reserved)| reserved);
        let amount = |given: Given<Amount>| given.known().copied();
        let reach = LocalReach { docker_host: model.docker_host.known().cloned() };
        Self {
            host: Host::new(name, Arc::new(reach), BTreeMap::new()),
            reserved_cpus: reserved.and_then(|it| amount(drafts::amount(&it.cpus))),
            reserved_memory_gb: reserved.and_then(|it| amount(drafts::amount(&it.memory_gb))),
            model_cache: model.model_cache.clone(),
        }
    }

    /// What decisions need to know of the host, and the ports that are taken there.
    pub async fn facts(&self) -> Result<(HostFacts, Vec<PortInUse>), HostError> {
        let inventory = self.host.inventory().await?;
        let facts = HostFacts {
            cpus: inventory.cpus,
            memory_bytes: inventory.memory_bytes,
            reserved_cpus: self.reserved_cpus,
            reserved_memory_gb: self.reserved_memory_gb,
            model_cache: self.model_cache.known().cloned(),
        };
        Ok((facts, inventory.ports))
    }

    /// Where downloaded models are kept; null where the configuration leaves that to the release.
    pub fn model_cache(&self) -> &Attr<String> {
        &self.model_cache
    }
}

/// A port that is ours until this is dropped.
pub struct PromisedPort {
    key: (String, u16),
    promises: Promises,
}

impl PromisedPort {
    pub fn port(&self) -> u16 {
        self.key.1
    }
}

impl Drop for PromisedPort {
    fn drop(&mut self) {
        self.promises.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// A random token for names and labels.
pub fn token() -> Result<String, Diagnostic> {
    random().map(names::suffix)
}

/// Random bytes for [`names::suffix`] and [`names::generated`].
pub fn random() -> Result<[u8; names::SUFFIX_LENGTH], Diagnostic> {
    let mut bytes = [0; names::SUFFIX_LENGTH];
    getrandom::fill(&mut bytes).map_err(|error| {
        Diagnostic::error(
            "No random numbers",
            format!("The operating system gave no random numbers: {error}."),
        )
    })?;
    Ok(bytes)
}
