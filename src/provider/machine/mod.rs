//! A host of the configuration, with what the provider block says about it: connection, reserve, model folders, address.
//!
//! [`Machine`] is what every resource asks for its host; [`facts`] asks the host what a plan and a refresh need of it.

pub(crate) mod facts;

use crate::dynamo::decide::limits;
use crate::dynamo::facts::release;
use crate::dynamo::spec::HostFacts;
use crate::dynamo::terms::amount::Amount;
use crate::dynamo::terms::given::Given;
use crate::hosts::ssh::{ProcessEnvironment, SshTransport};
use crate::hosts::{Credentials, Host, HostError, LocalTransport, Transport};
use crate::inventory::PortInUse;
use crate::inventory::files::Tree;
use crate::provider::attributes::to_draft;
use crate::provider::config::schema::HostModel;
use crate::provider::config::ssh;
use crate::tf_provider::attr::{Attr, Nested};
use crate::tf_provider::diagnostics::Diagnostic;
use crate::tf_provider::model::Model;
use crate::tf_provider::value::Path;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A host with what the configuration says about it.
#[derive(Clone)]
pub struct Machine {
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
/// The environment of the process and the logins for registries, which hold for all hosts.
pub struct Surroundings {
    pub(crate) environment: ProcessEnvironment,
    pub registries: BTreeMap<String, Credentials>,
}

/// The machine of an entry of `hosts`; `None` while it is not known where the host is, or how to get there: what is left out means
/// this machine, which must not be asked in its place. What only matters once there may come later.
pub(crate) fn configured(
    name: &str,
    host: &Attr<Nested<HostModel>>,
    surroundings: &Surroundings,
) -> Option<Machine> {
    let Nested(host) = host.known()?;
    let once_there = HostModel {
        advertise_address: Attr::Null,
        model_cache: Attr::Null,
        model_paths: Attr::Null,
        reserved: Attr::Null,
        ..host.clone()
    };
    once_there.to_value().is_wholly_known().then(|| Machine::new(name, host, surroundings))
}

impl Machine {
    /// A machine with its entry of the configuration. Nothing is connected yet.
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

    /// The facts that decisions need about the host, and the ports that are taken there.
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

    /// The share of the host that is kept for the system, as configured or estimated.
    pub async fn reserve(&self) -> Result<limits::Share, HostError> {
        let (facts, _) = self.facts().await?;
        Ok(limits::reserve(&facts))
    }

    /// The files in the model folders: the cache first, then the others as they are listed.
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

    /// An error at `host` while one of the model folders is not known, for callers that have to look now.
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

    /// The folder of downloaded models: as configured, or the newest release's.
    pub fn cache_folder(&self) -> &str {
        let default_cache = || release::ALL.last().map_or("", |release| release.model_cache);
        self.model_cache.known().map_or_else(default_cache, String::as_str).trim_end_matches('/')
    }

    /// Folders in which models are looked for, besides the cache.
    pub fn model_paths(&self) -> &[String] {
        &self.model_paths
    }

    /// The folder of downloaded models; null where the configuration leaves it to the release.
    pub fn model_cache(&self) -> &Attr<String> {
        &self.model_cache
    }

    /// The address at which other hosts reach this one; null where the configuration has none.
    pub fn advertise_address(&self) -> &Attr<String> {
        &self.advertise_address
    }
}
