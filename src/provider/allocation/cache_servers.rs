//! Servers that keep the cache of a host's workers: the first worker of a host brings one along, the others share it, and it
//! goes with the last.
//!
//! Terraform makes and removes workers side by side, and each knows of itself only. So what is done about the servers of a
//! deployment on a host is done by one at a time ([`CacheServers::lock`]), and who uses which is read from the labels of the
//! containers, which outlive any run. A worker that has its server and no container yet holds it meanwhile ([`Lease`]).

use crate::container::labels::{CACHE_SERVER, ROLE};
use crate::container::{ObservedContainer, RunState};
use crate::hosts::sync::keyed_lock::KeyedLock;
use crate::hosts::sync::locked::Locked;
use crate::hosts::{Age, Filter};
use crate::provider::machine::Machine;
use crate::reconcile;
use crate::reconcile::Failure;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

/// The cache servers that operations of this run work on. Clones are the same.
#[derive(Clone, Default)]
pub struct CacheServers(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// By host and deployment.
    locks: KeyedLock<(String, String)>,
    /// By host and container, how many hold it.
    held: Locked<BTreeMap<(String, String), usize>>,
}

/// The lease on a cache server, which must stay until its worker has a container.
pub struct Lease {
    servers: CacheServers,
    key: (String, String),
}

impl CacheServers {
    /// Waits until no other operation works on the servers of a deployment on a host. The lock ends with the result.
    pub async fn lock(&self, host: &str, deployment: &str) -> OwnedMutexGuard<()> {
        self.0.locks.lock((host.to_owned(), deployment.to_owned())).await
    }

    /// Leases a server: no sweep removes or stops it until the lease is dropped.
    pub fn hold(&self, host: &str, container: &str) -> Lease {
        let key = (host.to_owned(), container.to_owned());
        *self.0.held.lock().entry(key.clone()).or_default() += 1;
        Lease { servers: self.clone(), key }
    }

    fn held(&self, host: &str) -> BTreeSet<String> {
        let held = self.0.held.lock();
        held.keys().filter(|(on, _)| on == host).map(|(_, container)| container.clone()).collect()
    }

    /// Removes the servers of a deployment on a host that no worker has any more, and stops those whose workers are stopped.
    pub async fn sweep(
        &self,
        machine: &Machine,
        deployment: &str,
        cancel: &CancellationToken,
    ) -> Result<(), Failure> {
        let _lock = self.lock(machine.host.name(), deployment).await;
        let seen = machine.host.observe(&Filter::Deployment(deployment.to_owned()), Age::Now).await?;
        for (server, fate) in fates(&seen, &self.held(machine.host.name())) {
            match fate {
                Fate::Remove => reconcile::take_down(&machine.host, &[server], &[], &[], cancel).await?,
                Fate::Stop => reconcile::halt(&machine.host, &[server], cancel).await?,
            }
        }
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut held = self.servers.0.held.lock();
        if let Some(count) = held.get_mut(&self.key) {
            *count = count.saturating_sub(1);
        }
        held.retain(|_, count| *count > 0);
    }
}

/// Whether a container is a server that workers brought along: theirs, and not their deployment's.
pub(crate) fn is_one(container: &ObservedContainer) -> bool {
    let labels = &container.spec.labels;
    labels.contains_key(CACHE_SERVER) && !labels.contains_key(ROLE)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Remove,
    Stop,
}

/// What is to be done about the servers among `seen`, by their names; nothing about those that are used or held.
fn fates(seen: &[ObservedContainer], held: &BTreeSet<String>) -> BTreeMap<String, Fate> {
    let name_of = |container: &ObservedContainer| container.spec.labels.get(CACHE_SERVER).cloned();
    let servers = seen.iter().filter(|it| is_one(it));
    let fates = servers.filter_map(|server| {
        let name = name_of(server).filter(|name| !held.contains(name))?;
        let uses = |it: &&ObservedContainer| !is_one(it) && name_of(it).as_ref() == Some(&name);
        let users: Vec<&RunState> = seen.iter().filter(uses).map(|it| &it.state).collect();
        let idle = is_up(&server.state) && !users.iter().any(|state| is_up(state));
        let fate = if users.is_empty() { Some(Fate::Remove) } else { idle.then_some(Fate::Stop) };
        fate.map(|fate| (name, fate))
    });
    fates.collect()
}

fn is_up(state: &RunState) -> bool {
    match state {
        RunState::Running | RunState::Restarting { .. } | RunState::Paused => true,
        RunState::Created | RunState::Exited { .. } | RunState::Removing | RunState::Dead => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::ContainerSpec;

    fn container(name: &str, server: &str, role: Option<&str>, state: RunState) -> ObservedContainer {
        let role = role.map(|role| (ROLE.to_owned(), role.to_owned()));
        let labels = [(CACHE_SERVER.to_owned(), server.to_owned())].into_iter().chain(role).collect();
        let spec = ContainerSpec { name: name.to_owned(), labels, ..ContainerSpec::default() };
        ObservedContainer::in_state(spec, state)
    }

    #[test]
    fn a_server_is_there_while_a_worker_has_it_and_runs_while_one_runs() {
        use RunState::{Created, Running};
        let exited = || RunState::Exited { exit_code: 0, oom_killed: false };
        let up = container("chat-lmcache-1", "chat-lmcache-1", None, Running);
        let down = container("chat-lmcache-1", "chat-lmcache-1", None, exited());
        let half = container("chat-lmcache-1--starting", "chat-lmcache-1", None, Created);
        let worker = |state| container("chat-decode-abc234", "chat-lmcache-1", Some("decode"), state);
        let other = container("chat-decode-def234", "chat-lmcache-2", Some("decode"), Running);
        let table: [(&[ObservedContainer], &str, Option<Fate>); 10] = [
            (std::slice::from_ref(&up), "", Some(Fate::Remove)),
            (&[up.clone(), other.clone()], "", Some(Fate::Remove)),
            (&[half, other], "", Some(Fate::Remove)),
            (std::slice::from_ref(&down), "", Some(Fate::Remove)),
            (std::slice::from_ref(&up), "chat-lmcache-1", None),
            (std::slice::from_ref(&up), "chat-lmcache-2", Some(Fate::Remove)),
            (&[up.clone(), worker(Running)], "", None),
            (&[up.clone(), worker(exited())], "", Some(Fate::Stop)),
            (&[up.clone(), worker(exited()), worker(Running)], "", None),
            (&[down.clone(), worker(exited())], "", None),
        ];
        for (seen, held, fate) in table {
            let held = BTreeSet::from([held.to_owned()]);
            let expected: BTreeMap<_, _> =
                fate.into_iter().map(|fate| ("chat-lmcache-1".to_owned(), fate)).collect();
            assert_eq!(fates(seen, &held), expected, "{seen:?}");
        }
    }

    #[test]
    fn one_is_held_until_the_last_lets_go() {
        let servers = CacheServers::default();
        let (one, other) = (servers.hold("a", "x"), servers.hold("a", "x"));
        drop(one);
        assert_eq!(servers.held("a"), ["x".to_owned()].into());
        assert!(servers.held("b").is_empty());
        drop(other);
        assert!(servers.held("a").is_empty());
    }
}
