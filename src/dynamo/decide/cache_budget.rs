//! Whether the caches of a host's workers fit it together.
//!
//! Each worker's cache is held against its own limit where it is decided. But limits are upper bounds that may add up to
//! more than the machine, while a cache is memory that is pinned and disk that is filled: the worker that finds too little
//! ends minutes after it began. So the caches of all workers that one run has on a host are summed up.

use super::limits::gb_text;
use super::{limits, worker};
use crate::container::Limits;
use crate::dynamo::spec::{HostFacts, WorkerSpec};
use crate::dynamo::terms::objection::{ConnectorField, Field, Objection, Refusal};
use std::collections::BTreeMap;

/// Gigabytes are 2³⁰ bytes.
const GIB: u64 = crate::dynamo::terms::amount::GIB;

/// What a worker's cache takes from its host.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct CacheUse {
    /// Bytes that stay pinned while it runs, by who pins them: the worker, or a server for all workers of its deployment.
    pub memory: BTreeMap<Pinned, u64>,
    pub disk: Option<OnDisk>,
}

/// Who pins memory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pinned {
    /// The worker that is asked about.
    Itself,
    /// The server of this deployment.
    ServerOf(String),
}

/// A second tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OnDisk {
    /// Folder of the host; `None` = in Docker's own.
    pub folder: Option<String>,
    pub bytes: u64,
}

/// What a worker will take.
pub(crate) fn of(spec: &WorkerSpec) -> CacheUse {
    let (common, connector) = (&spec.deployment, &spec.deployment.connector);
    let row = connector.facts.role(spec.role).and_then(|role| role.cache.as_ref());
    let tier = row.and_then(|cache| cache.disk.as_ref()).and(connector.disk.as_ref());
    let own = Some((Pinned::Itself, worker::cache_bytes(spec)));
    let server = connector.facts.server.as_ref().and(connector.cpu_cache_gb);
    let server = server.map(|gb| (Pinned::ServerOf(common.name.clone()), u64::from(gb).saturating_mul(GIB)));
    CacheUse {
        memory: own.into_iter().chain(server).filter(|(_, bytes)| *bytes > 0).collect(),
        disk: tier
            .map(|disk| OnDisk { folder: disk.path.clone(), bytes: u64::from(disk.gb).saturating_mul(GIB) }),
    }
}

/// Whether so many bytes in so many caches can be pinned on a host that has `room` beyond its reserve.
pub(crate) fn memory_fits(host: &str, caches: &[u64], room: u64) -> Result<(), Objection> {
    let sum = caches.iter().fold(0, |sum: u64, bytes| sum.saturating_add(*bytes));
    if sum <= room {
        return Ok(());
    }
    let what = format!(
        "{} on host {host:?} would pin {} in all, and it has {} beyond its reserve",
        counted(caches.len()),
        gb_text(sum),
        gb_text(room)
    );
    let fix = "make them smaller, or have fewer workers there";
    Err(at(ConnectorField::CpuCacheGb, Refusal::new(what, fix)))
}

/// Whether the second tiers of so many new workers fit into what is free where `disk` is.
pub(crate) fn disk_fits(host: &str, disk: &OnDisk, caches: &[u64], free: u64) -> Result<(), Objection> {
    let sum = caches.iter().fold(0, |sum: u64, bytes| sum.saturating_add(*bytes));
    if sum <= free {
        return Ok(());
    }
    let place = disk.folder.as_deref().unwrap_or("Docker's data folder");
    let what = format!(
        "{} in {place} on host {host:?} would take {} in all, and {} are free there",
        counted(caches.len()),
        gb_text(sum),
        gb_text(free)
    );
    let fix = "make them smaller, or set connector.disk_cache_path to a larger disk";
    Err(at(ConnectorField::DiskCacheGb, Refusal::new(what, fix)))
}

/// The folder for the second tier is not there.
pub(crate) fn no_folder(host: &str, folder: &str) -> Objection {
    let what = format!("there is no folder {folder} on host {host:?}");
    at(
        ConnectorField::DiskCachePath,
        Refusal::new(what, "create it, writable for user 1000 or group 0, or name another"),
    )
}

fn counted(caches: usize) -> String {
    if caches == 1 { "the cache of one worker".to_owned() } else { format!("{caches} caches") }
}

fn at(field: ConnectorField, refusal: Refusal) -> Objection {
    refusal.at(Field::Connector(field)).of_the_deployment()
}

/// The check that a worker's own cache fits its limits and its host.
pub(crate) fn cache_fits(spec: &WorkerSpec, limits: Limits, host: &HostFacts) -> Result<(), Refusal> {
    pinned_fits(worker::cache_bytes(spec), limits, host, "a worker")
}

/// A cache is pinned memory: the kernel ends who pins more than his limit, and swaps everything else out for one that pins
/// more than the machine can spare.
pub(crate) fn pinned_fits(wanted: u64, limits: Limits, host: &HostFacts, who: &str) -> Result<(), Refusal> {
    let there = match limits.memory_bytes {
        Some(limit) => limit,
        None => limits::available(host).map_or(0, |share| share.memory_bytes),
    };
    if wanted == 0 || wanted < there {
        return Ok(());
    }
    let what = format!(
        "{who} would pin {} for its cache, and may use {}",
        limits::gb_text(wanted),
        limits::gb_text(there)
    );
    Err(Refusal::new(what, "make the cache smaller, or raise its resources.memory_gb"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::decide;
    use crate::dynamo::spec::draft::{
        CommonDraft, ConnectorDraft, DockerDraft, GpuDraft, VolumeDraft, WorkerDraft,
    };
    use crate::dynamo::spec::{HostFacts, Owner};
    use crate::dynamo::terms::given::Given;

    fn worker(connector: &str, role: &str, mode: &str, volume: Option<&str>) -> WorkerSpec {
        let is = |text: &str| Given::Is(text.to_owned());
        let kvbm = connector == "kvbm";
        let volumes = volume.into_iter().map(|path| VolumeDraft {
            host_path: is("/data"),
            container_path: is(path),
            ..VolumeDraft::default()
        });
        let draft = WorkerDraft {
            deployment: CommonDraft {
                name: is("chat"),
                engine: is("vllm"),
                dynamo_version: is("1.6.1"),
                model: is("acme/tiny"),
                mode: is(mode),
                connector: ConnectorDraft {
                    kind: is(connector),
                    cpu_cache_gb: Given::Is(32),
                    disk_cache_gb: if kvbm { Given::Is(200) } else { Given::Absent },
                    disk_cache_path: if kvbm { is("/nvme/kv") } else { Given::Absent },
                    ..ConnectorDraft::default()
                },
                ..CommonDraft::default()
            },
            role: is(role),
            suffix: is("abc234"),
            gpus: GpuDraft { gpu_count: Given::Is(2), ..GpuDraft::default() },
            docker: DockerDraft { volumes: volumes.collect(), ..DockerDraft::default() },
            ..WorkerDraft::default()
        };
        draft.complete().unwrap()
    }

    #[test]
    fn a_cache_is_its_workers_or_its_servers() {
        let alone = of(&worker("kvbm", "decode", "aggregated", None));
        let disk = OnDisk { folder: Some("/nvme/kv".to_owned()), bytes: 200 * GIB };
        assert_eq!(
            alone,
            CacheUse { memory: BTreeMap::from([(Pinned::Itself, 32 * GIB)]), disk: Some(disk) }
        );
        // Of a disaggregated deployment it is on one side only.
        assert_eq!(of(&worker("kvbm", "decode", "disaggregated", None)), CacheUse::default());
        assert_eq!(of(&worker("kvbm", "prefill", "disaggregated", None)), alone);
        let served = of(&worker("lmcache", "decode", "aggregated", None));
        assert_eq!(served.memory, BTreeMap::from([(Pinned::ServerOf("chat".to_owned()), 32 * GIB)]));
    }

    #[test]
    fn nothing_of_the_users_covers_the_cache() {
        let host = HostFacts { cpus: 64, memory_bytes: 512 * GIB, ..HostFacts::default() };
        let owner = Owner { run: "run-1".to_owned(), spec_json: String::new() };
        let decided =
            |volume| decide::worker(&worker("kvbm", "decode", "aggregated", Some(volume)), &host, &owner);
        assert!(decided("/var/lib/other").is_ok());
        for volume in ["/var/lib/dynamo/kvbm", "/var/lib/dynamo/kvbm/x"] {
            let objections = decided(volume).unwrap_err();
            assert_eq!(objections.len(), 1, "{volume}: {objections:?}");
            assert!(
                objections[0].to_string().starts_with("docker.volume[0].container_path"),
                "{objections:?}"
            );
        }
    }

    #[test]
    fn what_fits_alone_may_not_fit_together() {
        assert_eq!(memory_fits("a", &[40 * GIB, 24 * GIB], 64 * GIB), Ok(()));
        let objection = memory_fits("a", &[40 * GIB, 25 * GIB], 64 * GIB).unwrap_err();
        assert_eq!(
            objection.what,
            "its connector.cpu_cache_gb: 2 caches on host \"a\" would pin 65 GB in all, and it has 64 GB beyond its reserve"
        );
        assert_eq!(memory_fits("a", &[u64::MAX, u64::MAX], 64 * GIB).unwrap_err().field, Field::Deployment);
    }

    #[test]
    fn a_disk_is_said_by_its_folder() {
        for (folder, said) in [(Some("/nvme/kv"), "in /nvme/kv on"), (None, "in Docker's data folder on")] {
            let disk = OnDisk { folder: folder.map(str::to_owned), bytes: 10 * GIB };
            assert_eq!(disk_fits("a", &disk, &[10 * GIB], 10 * GIB), Ok(()));
            let objection = disk_fits("a", &disk, &[10 * GIB], 9 * GIB).unwrap_err();
            assert!(objection.what.contains(said) && objection.what.contains("9 GB are free"), "{objection}");
            assert!(objection.what.contains("the cache of one worker"), "{objection}");
        }
    }
}
