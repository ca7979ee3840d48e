//! Servers that keep the cache of a host's workers: the first worker of a host brings one along, the others share it, and it
//! goes with the last.
//!
//! Terraform makes and removes workers side by side, and each knows of itself only. So what is done about the servers of a
//! deployment on a host is done by one at a time ([`Servers::alone`]), and who uses which is read from the labels of the
//! containers, which outlive any run. A worker that has its server and no container yet holds it meanwhile ([`Held`]).

use crate::container::labels::{CACHE_SERVER, ROLE};
use crate::container::{ObservedContainer, RunState};
use crate::hosts::sync::keyed_lock::KeyedLock;
use crate::hosts::{Age, Filter};
use crate::provider::machine::Machine;
use crate::reconcile;
use crate::reconcile::Failure;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

/// Who is at work on which servers. Clones are the same.
#[derive(Clone, Default)]
pub struct Servers(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// By host and deployment.
    turns: KeyedLock<(String, String)>,
    /// By host and container, how many hold it.
    held: Mutex<BTreeMap<(String, String), usize>>,
}

/// A server that must stay until its worker has a container.
pub struct Held {
    servers: Servers,
    key: (String, String),
}

impl Servers {
    /// Waits until nobody else is at work on the servers of a deployment on a host; the turn ends with the result.
    pub async fn alone(&self, host: &str, deployment: &str) -> OwnedMutexGuard<()> {
        self.0.turns.lock((host.to_owned(), deployment.to_owned())).await
    }

    pub fn hold(&self, host: &str, container: &str) -> Held {
        let key = (host.to_owned(), container.to_owned());
        *locked(&self.0.held).entry(key.clone()).or_default() += 1;
        Held { servers: self.clone(), key }
    }

    fn held(&self, host: &str) -> BTreeSet<String> {
        let held = locked(&self.0.held);
        held.keys().filter(|(on, _)| on == host).map(|(_, container)| container.clone()).collect()
    }

    /// Removes the servers of a deployment on a host that no worker has any more, and stops those whose workers are stopped.
    pub async fn sweep(
        &self,
        entry: &Machine,
        deployment: &str,
        cancel: &CancellationToken,
    ) -> Result<(), Failure> {
        let _alone = self.alone(entry.host.name(), deployment).await;
        let seen = entry.host.observe(&Filter::Deployment(deployment.to_owned()), Age::Now).await?;
        for (server, fate) in fates(&seen, &self.held(entry.host.name())) {
            match fate {
                Fate::Remove => reconcile::take_down(&entry.host, &[server], &[], &[], cancel).await?,
                Fate::Stop => reconcile::halt(&entry.host, &[server], cancel).await?,
            }
        }
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = locked(&self.servers.0.held);
        if let Some(count) = held.get_mut(&self.key) {
            *count = count.saturating_sub(1);
        }
        held.retain(|_, count| *count > 0);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
        ObservedContainer {
            id: name.to_owned(),
            spec,
            image_id: String::new(),
            state,
            health: None,
            restart_count: 0,
            started_at: String::new(),
            ip_address: None,
            networks: Vec::new(),
        }
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
        let servers = Servers::default();
        let (one, other) = (servers.hold("a", "x"), servers.hold("a", "x"));
        drop(one);
        assert_eq!(servers.held("a"), ["x".to_owned()].into());
        assert!(servers.held("b").is_empty());
        drop(other);
        assert!(servers.held("a").is_empty());
    }
}
