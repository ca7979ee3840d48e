//! The client that every resource and data source works with: the hosts by name, and the allocations of one run.
//!
//! Making a client connects to nothing. A host is reached when something first needs it.

use crate::dynamo::models::catalog::Catalog;
use crate::dynamo::terms::names;
use crate::dynamo::terms::words::Role;
use crate::hosts::Credentials;
use crate::hosts::ssh::ProcessEnvironment;
use crate::provider::allocation::cache_memory::CacheLedger;
use crate::provider::allocation::cache_servers::CacheServers;
use crate::provider::allocation::gpus::GpuLedger;
use crate::provider::allocation::image_answers::ImageAnswers;
use crate::provider::allocation::model_folders::ModelFolders;
use crate::provider::allocation::port_leases::PortLeases;
use crate::provider::allocation::rolling_update::{RollingUpdates, Slot};
use crate::provider::config::schema::{HostModel, ProviderModel, RegistryAuthModel};
use crate::provider::config::{LOCAL, models};
use crate::provider::machine;
use crate::provider::machine::{Machine, Surroundings};
use crate::tf_provider::attr::{Attr, Nested, NestedMap};
use crate::tf_provider::diagnostics::Diagnostic;
use crate::tf_provider::value::Path;
use std::collections::BTreeMap;

/// A configured provider.
pub struct Client {
    /// `None` while the `hosts` of the configuration are not known, or where that of one of them is not.
    hosts: Option<BTreeMap<String, Option<Machine>>>,
    /// Random token of this process, on the label of everything that it makes.
    pub run: String,
    /// The leases of ports.
    pub ports: PortLeases,
    /// The models that are known by name; `None` while the user's own are not known.
    pub catalog: Option<Catalog>,
    /// The folders that models are planned for.
    pub models: ModelFolders,
    /// The claims and leases of GPUs.
    pub gpus: GpuLedger,
    /// The memory and disk space that caches of workers claim.
    pub caches: CacheLedger,
    /// Whether all logins for registries are known.
    pub logins_known: bool,
    /// The locks and leases of cache servers.
    pub servers: CacheServers,
    /// The answers of images about their modules.
    pub answers: ImageAnswers,
    /// One worker of a deployment is replaced at a time, whatever Terraform's parallelism.
    rolling: RollingUpdates,
}

/// The reason why a host is not available.
pub enum NoHost {
    /// It will be known later: plan without it.
    NotKnownYet,
    Wrong(Diagnostic),
}

impl Client {
    /// A client of a configuration, in which values may be unknown.
    pub fn new(config: &ProviderModel) -> Result<Self, Diagnostic> {
        let surroundings =
            Surroundings { environment: ProcessEnvironment::of_process(), registries: registry_auth(config) };
        let hosts = match &config.hosts {
            Attr::Unknown => None,
            Attr::Null => {
                let local = Machine::new(LOCAL, &HostModel::default(), &surroundings);
                Some(BTreeMap::from([(LOCAL.to_owned(), Some(local))]))
            }
            Attr::Known(NestedMap(hosts)) => {
                let entries = hosts
                    .iter()
                    .map(|(name, host)| (name.clone(), machine::configured(name, host, &surroundings)));
                Some(entries.collect())
            }
        };
        Ok(Self {
            hosts,
            run: token()?,
            ports: PortLeases::default(),
            catalog: models::catalog(&config.models),
            models: ModelFolders::default(),
            gpus: GpuLedger::default(),
            caches: CacheLedger::default(),
            logins_known: logins_known(config),
            servers: CacheServers::default(),
            answers: ImageAnswers::default(),
            rolling: RollingUpdates::default(),
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
    pub fn host(&self, name: &str) -> Result<Machine, NoHost> {
        let hosts = self.hosts.as_ref().ok_or(NoHost::NotKnownYet)?;
        match hosts.get(name) {
            Some(Some(machine)) => Ok(machine.clone()),
            Some(None) => Err(NoHost::NotKnownYet),
            None => {
                let detail = format!("The provider has no host {name:?}; it has {}.", self.names());
                Err(NoHost::Wrong(Diagnostic::error("Unknown host", detail).at(Path::of("host"))))
            }
        }
    }

    /// The host of that name, which must be known by now.
    pub fn known_host(&self, name: &str) -> Result<Machine, Diagnostic> {
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
    pub fn entries(&self) -> impl Iterator<Item = &Machine> {
        self.hosts.iter().flat_map(BTreeMap::values).flatten()
    }

    /// Ends the connections to all hosts.
    pub async fn close(&self) {
        futures_util::future::join_all(self.entries().map(|machine| machine.host.close())).await;
    }

    /// The host that a data source reads, filled in where it was left out.
    pub fn host_to_read(&self, host: &mut Attr<String>) -> Result<Machine, Diagnostic> {
        let named = match host {
            Attr::Known(name) => Ok(name.clone()),
            Attr::Null | Attr::Unknown => self.default_host().map(str::to_owned),
        };
        let found = named.and_then(|name| {
            let machine = self.host(&name)?;
            *host = Attr::Known(name);
            Ok(machine)
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

    /// Waits for the slot to replace a worker of a deployment's role.
    pub async fn rolling_slot(&self, deployment: &str, role: Role) -> Slot {
        self.rolling.take(deployment, role).await
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
            let machine = machine::configured("later", &host(model), &Surroundings::default()).unwrap();
            assert!(machine.roots_are_known().is_err());
        }
        assert_eq!(known.advertise_address(), &"10.0.0.2".into());
        assert!(matches!(client.host("other"), Err(NoHost::Wrong(_))));
    }
}
