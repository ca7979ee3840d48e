//! A host: one machine with Docker, and what is known of it at the moment.
//!
//! The verbs are in the files around: containers, images, networks, volumes, files, GPUs. Here is what all of them use: the
//! connection, a question ([`Host::ask`]), a change ([`Host::change`]), and the locks by network.

use super::docker;
use super::registry_auth::{Credentials, RegistryAuth};
use crate::container::ObservedContainer;
use crate::hosts::docker::{CallPolicy, Engine};
use crate::hosts::error::{Cause, HostError};
use crate::hosts::sync::keyed_lock::KeyedLock;
use crate::hosts::sync::single_flight::{Freshness, SingleFlight, SingleFlightGroup};
use crate::hosts::transport::{ShellOutput, Transport};
use crate::inventory::files::Tree;
use crate::inventory::gpu::GpuSight;
use crate::inventory::{HostInventory, ImageFacts};
use bollard::models::SystemInfo;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;

/// One machine with Docker. Clones are the same host: they share connection, snapshots and locks.
#[derive(Clone)]
pub struct Host(pub(super) Arc<Inner>);

/// What the clones of a host share.
pub(super) struct Inner {
    name: String,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) registry_auth: RegistryAuth,
    engine: SingleFlight<Engine, HostError>,
    pub(super) own_containers: SingleFlight<Arc<Vec<ObservedContainer>>, HostError>,
    pub(super) all_containers: SingleFlight<Arc<Vec<ObservedContainer>>, HostError>,
    pub(super) info: SingleFlight<Arc<SystemInfo>, HostError>,
    pub(super) inventory: SingleFlight<HostInventory, HostError>,
    pub(super) images: SingleFlightGroup<Option<ImageFacts>, HostError>,
    pub(super) http_answers: SingleFlightGroup<(u16, String), HostError>,
    pub(super) gpus: SingleFlight<GpuSight, HostError>,
    pub(super) model_trees: SingleFlightGroup<Arc<Vec<Tree>>, HostError>,
    /// Counts our changes in folders of models.
    pub(super) models_changed: AtomicU64,
    /// Counts our changes; a snapshot from before a change is stale.
    pub(super) generation: AtomicU64,
    /// Facts by image id, which never change.
    pub(super) image_facts: SingleFlightGroup<Option<ImageFacts>, HostError>,
    network_locks: KeyedLock<String>,
}

/// How long what was seen is shared: by one walk over all resources, which is one look at the world. Our own changes end
/// it earlier.
pub(super) const WALK: Freshness =
    Freshness { pause: Duration::from_secs(1), at_most: Duration::from_secs(30) };
/// An agreed connection stays agreed; requests open their own streams.
pub(super) const FOR_EVER: Freshness = Freshness::aged(Duration::from_secs(u32::MAX as u64));

impl Host {
    /// A host named as in the provider's `hosts` map. Connects to nothing yet. `registry_auth` maps a registry
    /// (`nvcr.io`) to the credentials for it.
    pub fn new(
        name: &str,
        transport: Arc<dyn Transport>,
        registry_auth: BTreeMap<String, Credentials>,
    ) -> Self {
        Self(Arc::new(Inner {
            name: name.to_owned(),
            transport,
            registry_auth: RegistryAuth::new(registry_auth),
            engine: SingleFlight::default(),
            own_containers: SingleFlight::default(),
            all_containers: SingleFlight::default(),
            info: SingleFlight::default(),
            inventory: SingleFlight::default(),
            images: SingleFlightGroup::default(),
            http_answers: SingleFlightGroup::default(),
            gpus: SingleFlight::default(),
            model_trees: SingleFlightGroup::default(),
            models_changed: AtomicU64::new(0),
            generation: AtomicU64::new(0),
            image_facts: SingleFlightGroup::default(),
            network_locks: KeyedLock::default(),
        }))
    }

    /// Name in the provider's `hosts` map.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Runs a POSIX shell script on the host; `None` where that is not done, which is so for this machine. Its exit status
    /// is part of the answer. `operation` completes "could not".
    pub async fn shell(&self, operation: &str, script: &str) -> Result<Option<ShellOutput>, HostError> {
        self.0.transport.shell(script).await.transpose().map_err(|cause| self.error(operation, cause))
    }

    /// Ends connections that are kept; the host cannot be asked any more.
    pub async fn close(&self) {
        self.0.transport.close().await;
    }

    /// The connection, made by whoever asks first.
    pub(super) async fn engine(&self) -> Result<Engine, HostError> {
        let connect = || async {
            let connected = Engine::connect(Arc::clone(&self.0.transport)).await;
            connected.map_err(|cause| self.error("reach Docker", cause))
        };
        self.0.engine.share(FOR_EVER, 0, connect).await
    }

    /// Asks the Engine something. `verb` and `subject` make the operation's name: `inspect` `container chat-etcd`.
    pub(super) async fn ask<T, F>(
        &self,
        verb: &str,
        subject: &str,
        call: impl Fn(bollard::Docker) -> F,
    ) -> Result<T, HostError>
    where
        F: Future<Output = Result<T, bollard::errors::Error>>,
    {
        let engine = self.engine().await?;
        let answer = engine.call(subject, docker::READ, call).await;
        answer.map_err(|cause| self.error(&format!("{verb} {subject}"), cause))
    }

    /// Has the Engine change something; snapshots from before are stale from now on, whatever came of it.
    pub(super) async fn change<T, F>(
        &self,
        verb: &str,
        subject: &str,
        policy: CallPolicy,
        call: impl Fn(bollard::Docker) -> F,
    ) -> Result<T, HostError>
    where
        F: Future<Output = Result<T, bollard::errors::Error>>,
    {
        let engine = self.engine().await?;
        let answer = engine.call(subject, policy, call).await;
        self.0.generation.fetch_add(1, Ordering::SeqCst);
        answer.map_err(|cause| self.error(&format!("{verb} {subject}"), cause))
    }

    /// An error of this host. `operation` follows "could not".
    pub(super) fn error(&self, operation: &str, cause: Cause) -> HostError {
        HostError { host: self.0.name.clone(), operation: operation.to_owned(), cause }
    }

    /// The number of our changes so far: what was seen in an earlier generation is stale.
    pub(super) fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::SeqCst)
    }

    /// The lock under which containers of `network` are started, stopped and removed, and the network itself is.
    pub(super) async fn lock_network(&self, network: &str) -> OwnedMutexGuard<()> {
        self.0.network_locks.lock(network.to_owned()).await
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("name", &self.0.name)
            .field("transport", &self.0.transport)
            .finish_non_exhaustive()
    }
}
