//! What resources get to work with: the hosts by name, and what this process has promised to whom.
//!
//! Making a client connects to nothing. A host is reached when something first needs it.

use crate::dynamo::decide::limits;
use crate::dynamo::facts::release;
use crate::dynamo::models::catalog::Catalog;
use crate::dynamo::spec::HostFacts;
use crate::dynamo::terms::amount::Amount;
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::objection::Refusal;
use crate::dynamo::terms::words::Role;
use crate::dynamo::terms::{names, ports};
use crate::hosts::ssh::{ProcessEnvironment, SshTransport};
use crate::hosts::{Credentials, Host, HostError, LocalTransport, Transport};
use crate::inventory::PortInUse;
use crate::inventory::files::Tree;
use crate::provider::allocation::cache_memory::CacheLedger;
use crate::provider::allocation::cache_servers::Servers;
use crate::provider::allocation::gpus::GpuLedger;
use crate::provider::allocation::rolling_update::{Turn, Turns};
use crate::provider::attributes::to_draft;
use crate::provider::config::{HostModel, LOCAL, ProviderModel, RegistryAuthModel, models, ssh};
use crate::provider::lifecycle::image_modules::Answers;
use crate::provider::models::Claims;
use crate::tf_provider::attr::{Attr, Nested, NestedMap};
use crate::tf_provider::diagnostics::Diagnostic;
use crate::tf_provider::model::Model;
use crate::tf_provider::value::Path;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// A configured provider.
pub struct Client {
    /// `None` while the `hosts` of the configuration are not known, or where that of one of them is not.
    hosts: Option<BTreeMap<String, Option<Entry>>>,
    /// Random token of this process, on the label of everything that it makes.
    pub run: String,
    promises: Promises,
    /// The models that are known by name; `None` while the user's own are not known.
    pub catalog: Option<Catalog>,
    /// Which folders were planned for which models.
    pub models: Claims,
    /// Who asks for which GPUs, and to whom some were promised.
    pub gpus: GpuLedger,
    /// What workers will pin in memory and keep on disk.
    pub caches: CacheLedger,
    /// Whether all logins for registries are known.
    pub logins_known: bool,
    /// Who is at work on the servers that workers of a host share.
    pub servers: Servers,
    /// What images said of what they have.
    pub answers: Answers,
    /// One worker of a deployment is replaced at a time, whatever Terraform's parallelism.
    rolling: Turns,
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
    advertise_address: Attr<String>,
    model_paths: Vec<String>,
    /// Whether all folders in which models are looked for are known.
    roots_known: bool,
}

/// What holds for all hosts.
#[derive(Clone, Default)]
pub struct Surroundings {
    environment: ProcessEnvironment,
    registries: BTreeMap<String, Credentials>,
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
        let surroundings =
            Surroundings { environment: ProcessEnvironment::of_process(), registries: registry_auth(config) };
        let hosts = match &config.hosts {
            Attr::Unknown => None,
            Attr::Null => {
                let local = Entry::new(LOCAL, &HostModel::default(), &surroundings);
                Some(BTreeMap::from([(LOCAL.to_owned(), Some(local))]))
            }
            Attr::Known(NestedMap(hosts)) => {
                let entries =
                    hosts.iter().map(|(name, host)| (name.clone(), entry(name, host, &surroundings)));
                Some(entries.collect())
            }
        };
        Ok(Self {
            hosts,
            run: token()?,
            promises: Promises::default(),
            catalog: models::catalog(&config.models),
            models: Claims::default(),
            gpus: GpuLedger::default(),
            caches: CacheLedger::default(),
            logins_known: logins_known(config),
            servers: Servers::default(),
            answers: Answers::default(),
            rolling: Turns::default(),
        })
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

    /// The hosts that are known.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.hosts.iter().flat_map(BTreeMap::values).flatten()
    }

    /// Ends the connections to all hosts.
    pub async fn close(&self) {
        futures_util::future::join_all(self.entries().map(|entry| entry.host.close())).await;
    }

    /// The host that a data source reads, filled in where it was left out.
    pub fn host_to_read(&self, host: &mut Attr<String>) -> Result<Entry, Diagnostic> {
        let named = match host {
            Attr::Known(name) => Ok(name.clone()),
            Attr::Null | Attr::Unknown => self.default_host().map(str::to_owned),
        };
        let found = named.and_then(|name| {
            let entry = self.host(&name)?;
            *host = Attr::Known(name);
            Ok(entry)
        });
        found.map_err(|error| match error {
            NoHost::Wrong(diagnostic) => diagnostic,
            NoHost::NotKnownYet => Diagnostic::error(
                "The hosts are not known yet",
                "The provider's hosts depend on something that is not known before it is applied, and a data source reads \
                 while planning. Apply what the hosts depend on first, for example with -target.",
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
        self.promise_ports(host, from, bind_address, taken, &[0])
    }

    /// As [`Client::promise_port`], with those that are so far above it.
    pub fn promise_ports(
        &self,
        host: &str,
        from: u16,
        bind_address: &str,
        taken: &[PortInUse],
        offsets: &[u16],
    ) -> Result<PromisedPort, Refusal> {
        let mut promised = self.promises.0.lock().unwrap_or_else(PoisonError::into_inner);
        let promised_there = |port| promised.contains(&(host.to_owned(), port));
        let port = ports::pick(from, bind_address, taken, offsets, promised_there)?;
        let all = offsets.iter().filter_map(|above| port.checked_add(*above));
        let keys: Vec<_> = all.map(|port| (host.to_owned(), port)).collect();
        promised.extend(keys.iter().cloned());
        Ok(PromisedPort { port, keys, promises: self.promises.clone() })
    }

    /// The turn to replace a worker of a deployment's role.
    pub async fn rolling_turn(&self, deployment: &str, role: Role) -> Turn {
        self.rolling.take(deployment, role).await
    }
}

/// `None` while it is not known where the host is, or how to get there: what is left out means this machine, which must not
/// be asked in its place. What only matters once there may come later.
fn entry(name: &str, host: &Attr<Nested<HostModel>>, surroundings: &Surroundings) -> Option<Entry> {
    let Nested(host) = host.known()?;
    let once_there = HostModel {
        advertise_address: Attr::Null,
        model_cache: Attr::Null,
        model_paths: Attr::Null,
        reserved: Attr::Null,
        ..host.clone()
    };
    once_there.to_value().is_wholly_known().then(|| Entry::new(name, host, surroundings))
}

impl Entry {
    pub fn new(name: &str, model: &HostModel, surroundings: &Surroundings) -> Self {
        let reserved = model.reserved.known().map(|Nested(reserved)| reserved);
        let amount = |given: Given<Amount>| given.known().copied();
        let (cache, paths) = (model.model_cache.clone(), model.model_paths.clone());
        let roots = HostModel { model_cache: cache, model_paths: paths, ..HostModel::default() };
        let transport: Arc<dyn Transport> = match ssh::settings(name, model) {
            Some(settings) => Arc::new(SshTransport::new(settings, surroundings.environment.clone())),
            None => Arc::new(LocalTransport { docker_host: model.docker_host.known().cloned() }),
        };
        Self {
            host: Host::new(name, transport, surroundings.registries.clone()),
            reserved_cpus: reserved.and_then(|it| amount(to_draft::amount(&it.cpus))),
            reserved_memory_gb: reserved.and_then(|it| amount(to_draft::amount(&it.memory_gb))),
            model_cache: model.model_cache.clone(),
            advertise_address: match &model.advertise_address {
                Attr::Null => model.address.clone(),
                given => given.clone(),
            },
            model_paths: to_draft::known_texts(&model.model_paths),
            roots_known: roots.to_value().is_wholly_known(),
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
            model_place: None,
            advertise_address: self.advertise_address.known().cloned(),
        };
        Ok((facts, inventory.ports))
    }

    /// What is kept for the system there, as configured or worked out.
    pub async fn reserve(&self) -> Result<limits::Share, HostError> {
        let (facts, _) = self.facts().await?;
        Ok(limits::reserve(&facts))
    }

    /// What lies in the folders in which models are looked for: the cache first, then as they are listed.
    pub async fn model_trees(&self) -> Result<Arc<Vec<Tree>>, HostError> {
        self.host.model_trees(&self.model_roots()).await
    }

    /// The folders in which models are looked for: the cache, and those that are listed.
    pub fn model_roots(&self) -> Vec<String> {
        let mut roots = vec![self.cache_folder().to_owned()];
        for root in &self.model_paths {
            if !roots.contains(root) {
                roots.push(root.clone());
            }
        }
        roots
    }

    /// For who has to look now: an error at `host` while one of those folders is not known.
    pub fn roots_are_known(&self) -> Result<(), Diagnostic> {
        if self.roots_known {
            return Ok(());
        }
        let detail = format!(
            "model_cache or model_paths of host {:?} depends on something that is not known before it is applied, and a data \
             source reads while planning. Apply that first, for example with -target.",
            self.host.name()
        );
        Err(Diagnostic::error("The folders are not known yet", detail).at(Path::of("host")))
    }

    /// Where downloaded models are kept: as configured, or the newest release's.
    pub fn cache_folder(&self) -> &str {
        let default_cache = || release::ALL.last().map_or("", |release| release.model_cache);
        self.model_cache.known().map_or_else(default_cache, String::as_str).trim_end_matches('/')
    }

    /// Folders in which models are looked for, besides the cache.
    pub fn model_paths(&self) -> &[String] {
        &self.model_paths
    }

    /// Where downloaded models are kept; null where the configuration leaves that to the release.
    pub fn model_cache(&self) -> &Attr<String> {
        &self.model_cache
    }

    /// By which other hosts reach this one; null where the configuration names no address of it.
    pub fn advertise_address(&self) -> &Attr<String> {
        &self.advertise_address
    }
}

fn logins_known(config: &ProviderModel) -> bool {
    let known = |login: &Attr<Nested<RegistryAuthModel>>| match login {
        Attr::Known(Nested(login)) => !login.username.is_unknown() && !login.password.is_unknown(),
        Attr::Null => true,
        Attr::Unknown => false,
    };
    match &config.registry_auth {
        Attr::Known(NestedMap(logins)) => logins.values().all(known),
        Attr::Null => true,
        Attr::Unknown => false,
    }
}

/// What is known of the logins.
fn registry_auth(config: &ProviderModel) -> BTreeMap<String, Credentials> {
    let Attr::Known(NestedMap(logins)) = &config.registry_auth else { return BTreeMap::new() };
    let known = logins.iter().filter_map(|(registry, login)| {
        let Nested(RegistryAuthModel { username, password }) = login.known()?;
        let credentials =
            Credentials { username: username.known()?.clone(), password: password.known()?.clone() };
        Some((registry.clone(), credentials))
    });
    known.collect()
}

/// A port that is ours until this is dropped, with those that come with it.
pub struct PromisedPort {
    port: u16,
    keys: Vec<(String, u16)>,
    promises: Promises,
}

impl PromisedPort {
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for PromisedPort {
    fn drop(&mut self) {
        let mut promised = self.promises.0.lock().unwrap_or_else(PoisonError::into_inner);
        for key in &self.keys {
            promised.remove(key);
        }
    }
}

/// A random token for names and labels.
pub(crate) fn token() -> Result<String, Diagnostic> {
    random().map(names::suffix)
}

/// Random bytes for [`names::suffix`] and [`names::generated`].
pub(crate) fn random() -> Result<[u8; names::SUFFIX_LENGTH], Diagnostic> {
    let mut bytes = [0; names::SUFFIX_LENGTH];
    getrandom::fill(&mut bytes).map_err(|error| {
        Diagnostic::error(
            "No random numbers",
            format!("The operating system gave no random numbers: {error}."),
        )
    })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::Secret;

    #[test]
    fn a_login_that_is_to_come_is_told_from_none() {
        let login = |password: Attr<Secret>| {
            let login = RegistryAuthModel { username: "u".into(), password };
            Attr::Known(NestedMap(BTreeMap::from([("nvcr.io".to_owned(), Attr::Known(Nested(login)))])))
        };
        let rows = [
            (Attr::Null, true),
            (Attr::Unknown, false),
            (login(Attr::Unknown), false),
            (login(Attr::Known(Secret::new("p"))), true),
        ];
        for (registry_auth, known) in rows {
            let config = ProviderModel { registry_auth, ..ProviderModel::default() };
            assert_eq!(Client::new(&config).unwrap().logins_known, known);
        }
    }

    /// Never this machine in place of one whose address is not known, and never a login without the key that is to come.
    #[test]
    fn a_host_of_which_something_is_not_known_is_planned_without() {
        let host = |model: HostModel| Attr::Known(Nested(model));
        let hosts = BTreeMap::from([
            ("address".to_owned(), host(HostModel { address: Attr::Unknown, ..HostModel::default() })),
            (
                "key".to_owned(),
                host(HostModel {
                    address: "10.0.0.1".into(),
                    private_key: Attr::<Secret>::Unknown,
                    ..HostModel::default()
                }),
            ),
            ("known".to_owned(), host(HostModel { address: "10.0.0.2".into(), ..HostModel::default() })),
        ]);
        let client =
            Client::new(&ProviderModel { hosts: Attr::Known(NestedMap(hosts)), ..ProviderModel::default() })
                .unwrap();
        for name in ["address", "key"] {
            assert!(matches!(client.host(name), Err(NoHost::NotKnownYet)), "{name}");
        }
        let known = client.host("known").ok().unwrap();
        assert!(known.roots_are_known().is_ok());
        let later = [
            HostModel { model_cache: Attr::Unknown, ..HostModel::default() },
            HostModel { model_paths: Attr::Known(vec![Attr::Unknown]), ..HostModel::default() },
            HostModel { model_paths: Attr::Unknown, ..HostModel::default() },
        ];
        for model in later {
            let entry = entry("later", &host(model), &Surroundings::default()).unwrap();
            assert!(entry.roots_are_known().is_err());
        }
        assert_eq!(known.advertise_address(), &"10.0.0.2".into());
        assert!(matches!(client.host("other"), Err(NoHost::Wrong(_))));
    }
}
