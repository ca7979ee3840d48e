//! Caches of one run: what its workers will pin in memory and keep on disk, host by host.
//!
//! As with GPUs, Terraform plans one worker at a time, so each leaves what it will take and the next one is held against all
//! of them. What a worker that is there already keeps on disk is no longer free, and so only new ones are counted there;
//! and once something was made, what is free says by itself what is left.

use crate::dynamo::decide::cache_budget::{CacheUse, OnDisk, Pinned};
use crate::dynamo::decide::{cache_budget, limits};
use crate::dynamo::spec::{HostFacts, WorkerSpec, cache_server};
use crate::dynamo::terms::words::{Mode, NetworkMode};
use crate::hosts::sync::locked::Locked;
use crate::provider::allocation::claimant::{Claimant, Newcomers};
use crate::provider::attributes::paths;
use crate::provider::machine::{Machine, facts};
use crate::tf_provider::diagnostics::Diagnostics;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard};

/// The cache memory and disk space that the workers of one run claim. Clones are the same.
#[derive(Clone, Default)]
pub struct CacheLedger(Arc<Inner>);

#[derive(Default)]
struct Inner {
    claims: Locked<Claims>,
    making: AtomicBool,
}

#[derive(Default)]
struct Claims {
    /// Bytes by host and by who pins them.
    memory: BTreeMap<(String, Claimant), u64>,
    /// Second tiers of new workers, by host.
    disks: Vec<(String, OnDisk)>,
    newcomers: Newcomers,
    /// By deployment, the hosts in whose memory its workers meet.
    meetings: BTreeMap<String, BTreeSet<String>>,
}

impl CacheLedger {
    fn claims(&self) -> MutexGuard<'_, Claims> {
        self.0.claims.lock()
    }

    /// From now on things are made.
    pub fn making(&self) {
        self.0.making.store(true, Ordering::Relaxed);
    }

    /// Another host in whose memory workers of that deployment meet, where they must all meet in that of one: prefill workers
    /// hand over to decode workers there.
    /// Two deployments may have one name on different hosts, so `frontend` is the host of its frontend; `None` while that is not
    /// known, and then nothing is either.
    pub fn elsewhere(&self, frontend: Option<&str>, host: &str, spec: &WorkerSpec) -> Option<String> {
        let common = &spec.deployment;
        let meets = cache_server::used(&common.connector, spec.role).is_some();
        // A private network is on one host anyway.
        if !meets || common.mode != Mode::Disaggregated || common.network != NetworkMode::Host {
            return None;
        }
        let deployment = format!("{}/{}", frontend?, common.name);
        let mut claims = self.claims();
        let hosts = claims.meetings.entry(deployment).or_default();
        hosts.insert(host.to_owned());
        hosts.iter().find(|other| *other != host).cloned()
    }

    /// Remembers what a worker that stays as it is takes.
    pub fn stays(&self, frontend: Option<&str>, machine: &Machine, spec: &WorkerSpec, container: &str) {
        self.elsewhere(frontend, machine.host.name(), spec);
        self.claim(machine.host.name(), &cache_budget::of(spec), Some(container));
    }

    /// Refuses, at plan, what does not fit beside all that was planned before on that host. `container` is that of the worker
    /// as it is, if there is one.
    pub async fn plan(
        &self,
        machine: &Machine,
        facts: &HostFacts,
        spec: &WorkerSpec,
        container: Option<&str>,
    ) -> Diagnostics {
        let (host, cache) = (machine.host.name(), cache_budget::of(spec));
        if cache == CacheUse::default() {
            return Diagnostics::new();
        }
        let (memory, disks) = self.claim(host, &cache, container);
        let mut found = Vec::new();
        if let (false, Ok(room)) = (cache.memory.is_empty(), limits::available(facts)) {
            found.extend(cache_budget::memory_fits(host, &memory, room.memory_bytes).err());
        }
        if let Some(disk) = &cache.disk {
            if let Some(folder) = &disk.folder
                && facts::is_missing(machine, folder).await
            {
                found.push(cache_budget::no_folder(host, folder));
            } else if container.is_none()
                && let Some(free) = free(machine, disk).await
            {
                found.extend(cache_budget::disk_fits(host, disk, &disks, free).err());
            }
        }
        paths::diagnostics(found)
    }

    /// Leaves the claim, and returns all caches of the host: in memory, and new ones on the same disk.
    fn claim(&self, host: &str, cache: &CacheUse, container: Option<&str>) -> (Vec<u64>, Vec<u64>) {
        let mut claims = self.claims();
        let own = claims.newcomers.claimant(container);
        for (pinned, bytes) in &cache.memory {
            let claimant = match pinned {
                Pinned::Itself => own.clone(),
                Pinned::ServerOf(deployment) => Claimant::ServerOf(deployment.clone()),
            };
            claims.memory.insert((host.to_owned(), claimant), *bytes);
        }
        if let (Some(disk), None) = (&cache.disk, container) {
            if self.0.making.load(Ordering::Relaxed) {
                claims.disks.clear();
            }
            claims.disks.push((host.to_owned(), disk.clone()));
        }
        let memory = claims.memory.iter().filter(|((on, _), _)| on == host).map(|(_, bytes)| *bytes);
        let folder = cache.disk.as_ref().map(|disk| &disk.folder);
        let there = claims.disks.iter().filter(|(on, disk)| on == host && Some(&disk.folder) == folder);
        (memory.collect(), there.map(|(_, disk)| disk.bytes).collect())
    }
}

/// Bytes that are free where the second tier will be; `None` where that cannot be seen.
async fn free(machine: &Machine, disk: &OnDisk) -> Option<u64> {
    match &disk.folder {
        Some(folder) => machine.host.folder(folder).await.ok().map(|listing| listing.free_bytes),
        None => machine.host.machine().await.ok()?.disk.map(|disk| disk.free_bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::check;
    use crate::dynamo::spec::draft::{CommonDraft, ConnectorDraft, GpuDraft, WorkerDraft};
    use crate::dynamo::terms::given::Given;

    const GB: u64 = 1 << 30;

    fn pinned(by: Pinned, gb: u64) -> CacheUse {
        CacheUse { memory: BTreeMap::from([(by, gb * GB)]), disk: None }
    }

    #[test]
    fn each_worker_counts_once_and_each_server_once() {
        let ledger = CacheLedger::default();
        let own = pinned(Pinned::Itself, 4);
        ledger.claim("a", &own, None);
        ledger.claim("a", &own, Some("chat-decode-1"));
        // Looked at once more, and with another size.
        let (memory, _) = ledger.claim("a", &pinned(Pinned::Itself, 8), Some("chat-decode-1"));
        assert_eq!(memory.iter().sum::<u64>(), 12 * GB);
        let server = pinned(Pinned::ServerOf("chat".to_owned()), 16);
        ledger.claim("a", &server, None);
        let (memory, _) = ledger.claim("a", &server, None);
        assert_eq!(memory.iter().sum::<u64>(), 28 * GB);
        assert_eq!(ledger.claim("b", &own, None).0, [4 * GB]);
    }

    #[test]
    fn workers_that_hand_over_in_memory_are_told_where_the_others_are() {
        let worker = |connector: &str, mode: &str| {
            let is = |text: &str| Given::Is(text.to_owned());
            let mut draft = WorkerDraft {
                deployment: CommonDraft {
                    name: is("chat"),
                    engine: is("vllm"),
                    dynamo_version: is("1.6.1"),
                    model: is("acme/tiny"),
                    mode: is(mode),
                    network: is("host"),
                    services: [("etcd".to_owned(), is("10.0.0.1:2379"))].into(),
                    connector: ConnectorDraft { kind: is(connector), ..ConnectorDraft::default() },
                    ..CommonDraft::default()
                },
                suffix: is("abc234"),
                gpus: GpuDraft { gpu_count: Given::Is(1), ..GpuDraft::default() },
                ..WorkerDraft::default()
            };
            for (port, row) in (9000..).zip(check::picked_ports(&draft).unwrap()) {
                draft.ports.insert(row.name.to_owned(), Given::Is(port));
            }
            draft.complete().unwrap()
        };
        let (lmcache, nixl) = (worker("lmcache", "disaggregated"), worker("nixl", "disaggregated"));
        // Host of the frontend, host of the worker, the other one.
        let rows = [
            (&lmcache, Some("a"), "a", None),
            (&lmcache, Some("a"), "a", None),
            (&lmcache, Some("b"), "b", None),
            (&lmcache, None, "b", None),
            (&worker("lmcache", "aggregated"), Some("a"), "b", None),
            (&nixl, Some("a"), "b", None),
            (&lmcache, Some("a"), "b", Some("a")),
        ];
        let ledger = CacheLedger::default();
        for (spec, frontend, host, other) in rows {
            assert_eq!(ledger.elsewhere(frontend, host, spec).as_deref(), other, "{spec:?}");
        }
    }

    #[test]
    fn only_new_workers_fill_a_disk_and_only_until_they_are_made() {
        let ledger = CacheLedger::default();
        let on = |folder: &str| CacheUse {
            disk: Some(OnDisk { folder: Some(folder.to_owned()), bytes: GB }),
            ..CacheUse::default()
        };
        ledger.claim("a", &on("/x"), Some("chat-decode-1"));
        ledger.claim("a", &on("/y"), None);
        assert_eq!(ledger.claim("a", &on("/x"), None).1, [GB]);
        assert_eq!(ledger.claim("a", &on("/x"), None).1, [GB, GB]);
        ledger.making();
        assert_eq!(ledger.claim("a", &on("/x"), None).1, [GB]);
    }
}
