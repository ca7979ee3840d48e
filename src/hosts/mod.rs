//! The only module that talks: to Docker Engines, to containers' ports, to a host's files.
//!
//! Everything comes through a [`Host`], one per machine and process. It connects when first asked, speaks in the words of
//! [`crate::container`] and [`crate::inventory`], gives every call a deadline, and says in its errors what the user has
//! to do. How bytes get to the machine is behind [`Reach`].
//!
//! Two habits of real hosts shape it. Docker 20.10 can lock up for good when two containers leave one network at the
//! same time, so containers of a network are started, stopped and removed one at a time (`Host::turn`). And Terraform
//! reads ten resources at once, so what was just learned about a host is shared by the whole walk (`flight`).

mod containers;
mod docker;
mod error;
mod files;
mod folders;
mod gpu;
mod http;
mod images;
pub(crate) mod listening_sockets;
mod logs;
mod machine;
pub(crate) mod networks;
mod registry;
pub(crate) mod single_flight;
pub(crate) mod snapshot;
pub(crate) mod ssh;
#[cfg(test)]
mod tests;
pub(crate) mod transfer;
pub(crate) mod transport;
mod upload;
mod usage;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bollard::models::SystemInfo;
use tokio::sync::OwnedMutexGuard;

pub(crate) use docker::{canonical, subtract_image_defaults};
pub(crate) use error::{Cause, HostError};
pub(crate) use images::{Credentials, PullProgress};
#[cfg(test)]
pub(crate) use listening_sockets::ListeningSocket;
pub(crate) use networks::Ensured;
pub(crate) use snapshot::{Age, Filter};
pub(crate) use transfer::{FileTrouble, Transfer, TransferFile};
pub(crate) use transport::{LocalReach, Reach, ShellOutput, Stream};
pub(crate) use usage::Usage;

use crate::container::ObservedContainer;
use crate::inventory::files::Tree;
use crate::inventory::gpu::GpuSight;
use crate::inventory::{HostInventory, ImageFacts};
use docker::{Engine, Patience};
use single_flight::{Flight, Flights, Freshness};

/// One machine with Docker. Clones are the same host: they share connection, snapshots and locks.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    name: String,
    reach: Arc<dyn Reach>,
    registry_auth: BTreeMap<String, Credentials>,
    engine: Flight<Engine, HostError>,
    ours: Flight<Arc<Vec<ObservedContainer>>, HostError>,
    everything: Flight<Arc<Vec<ObservedContainer>>, HostError>,
    info: Flight<Arc<SystemInfo>, HostError>,
    inventory: Flight<HostInventory, HostError>,
    images: Flights<Option<ImageFacts>, HostError>,
    pages: Flights<(u16, String), HostError>,
    gpus: Flight<GpuSight, HostError>,
    model_trees: Flights<Arc<Vec<Tree>>, HostError>,
    /// Counts our changes in folders of models.
    models_changed: AtomicU64,
    /// Counts our changes; a snapshot from before a change is stale.
    generation: AtomicU64,
    /// Facts by image id, which never change.
    image_facts: Flights<Option<ImageFacts>, HostError>,
    /// One lock per network.
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

/// How long what was seen is shared: by one walk over all resources, which is one look at the world. Our own changes end
/// it earlier.
const WALK: Freshness = Freshness { pause: Duration::from_secs(1), at_most: Duration::from_secs(30) };
/// An agreed connection stays agreed; requests open their own streams.
const FOR_EVER: Freshness = Freshness::aged(Duration::from_secs(u32::MAX as u64));

impl Host {
    /// A host named as in the provider's `hosts` map. Connects to nothing yet. `registry_auth` maps a registry
    /// (`nvcr.io`) to the credentials for it.
    pub fn new(name: &str, reach: Arc<dyn Reach>, registry_auth: BTreeMap<String, Credentials>) -> Self {
        Self(Arc::new(Inner {
            name: name.to_owned(),
            reach,
            registry_auth,
            engine: Flight::default(),
            ours: Flight::default(),
            everything: Flight::default(),
            info: Flight::default(),
            inventory: Flight::default(),
            images: Flights::default(),
            pages: Flights::default(),
            gpus: Flight::default(),
            model_trees: Flights::default(),
            models_changed: AtomicU64::new(0),
            generation: AtomicU64::new(0),
            image_facts: Flights::default(),
            turns: Mutex::default(),
        }))
    }

    /// Name in the provider's `hosts` map.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Runs a POSIX shell script on the host; `None` where that is not done, which is so for this machine. Its exit status
    /// is part of the answer. `operation` completes "could not".
    pub async fn shell(&self, operation: &str, script: &str) -> Result<Option<ShellOutput>, HostError> {
        self.0.reach.shell(script).await.transpose().map_err(|cause| self.error(operation, cause))
    }

    /// Ends connections that are kept; the host cannot be asked any more.
    pub async fn close(&self) {
        self.0.reach.close().await;
    }

    /// The connection, made by whoever asks first.
    async fn engine(&self) -> Result<Engine, HostError> {
        let connect = || async {
            Engine::connect(Arc::clone(&self.0.reach))
                .await
                .map_err(|cause| self.error("reach Docker", cause))
        };
        self.0.engine.share(FOR_EVER, 0, connect).await
    }

    /// Asks the Engine something. `verb` and `subject` make the operation's name: `inspect` `container chat-etcd`.
    async fn ask<T, F>(
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
    async fn change<T, F>(
        &self,
        verb: &str,
        subject: &str,
        patience: Patience,
        call: impl Fn(bollard::Docker) -> F,
    ) -> Result<T, HostError>
    where
        F: Future<Output = Result<T, bollard::errors::Error>>,
    {
        let engine = self.engine().await?;
        let answer = engine.call(subject, patience, call).await;
        self.0.generation.fetch_add(1, Ordering::SeqCst);
        answer.map_err(|cause| self.error(&format!("{verb} {subject}"), cause))
    }

    fn error(&self, operation: &str, cause: Cause) -> HostError {
        HostError { host: self.0.name.clone(), operation: operation.to_owned(), cause }
    }

    fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::SeqCst)
    }

    /// The right to start, stop or remove a container of `network` (or the network), held until dropped.
    async fn turn(&self, network: &str) -> OwnedMutexGuard<()> {
        let lock = {
            let mut turns = self.0.turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(network.to_owned()).or_default())
        };
        lock.lock_owned().await
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("name", &self.0.name)
            .field("reach", &self.0.reach)
            .finish_non_exhaustive()
    }
}
