//! A cache that a server keeps for all workers of a host, instead of each worker for itself.
//!
//! Workers hand it the memory of their GPUs, so it must share their machine, its IPC namespace and its view of all GPUs. That
//! it sees GPUs does not make them its own: it computes nothing.
//!
//! A deployment does not know on which hosts its workers will be. So the first worker of a host brings it along, the others
//! share it, and it goes with the last ([`crate::dynamo::blueprint::Blueprint::shared`]). Servers of several images and sizes can be
//! side by side, as long as each has a worker: so each worker of a deployment that changes goes over to another one when it is
//! its turn, and none loses the one that it knows.
//!
//! It asks nobody for a password. On the private network of a deployment its workers find it by its name there. On the hosts'
//! own network it listens at the loopback address, where nobody outside reaches it, at ports that are picked and are part of
//! what its workers are told.

use super::cache::CacheFacts;
use super::topology::{PassedBy, WorkerPort};

/// The server of a connector.
#[derive(Debug, PartialEq)]
pub struct CacheServer {
    /// Component, and the beginning of its host name on the private network.
    pub name: &'static str,
    /// In the deployment's image.
    pub program: &'static str,
    /// Its arguments, without its ports; `{cpu_cache_gb}` stands for the size, `{listen}` for the address where it listens.
    pub command: &'static [&'static str],
    /// The ports at which it listens, by the flags that tell it. A worker is told of those whose names stand in braces among
    /// the texts of its connector.
    pub ports: &'static [WorkerPort],
    /// The one of them where it answers with 200 when it works.
    pub health_port: &'static str,
    pub health_path: &'static str,
    /// What it keeps, once for all workers.
    pub cache: CacheFacts,
}

/// A port of a server that is told by this flag.
const fn port(name: &'static str, flag: &'static str, private: u16, from: u16) -> WorkerPort {
    WorkerPort {
        name,
        told: PassedBy::Flag(flag),
        private: Some(private),
        from,
        listed: false,
        any_address: false,
        per_rank: false,
        also: &[],
    }
}

/// From release line 1.5 on. It has a page of measurements at a port of its own, and up to LMCache 0.4.4 no way not to have it
/// nor to say at which address; without being told it takes 9090, where the first worker of a host has its own.
pub(crate) const LMCACHE: CacheServer = CacheServer {
    name: "lmcache",
    program: "lmcache",
    command: &[
        "server",
        "--host",
        "{listen}",
        "--http-host",
        "{listen}",
        "--l1-size-gb",
        "{cpu_cache_gb}",
        "--eviction-policy",
        "LRU",
    ],
    ports: &[
        port("lmcache", "--port", 5555, 5555),
        port("lmcache_http", "--http-port", 8080, 5655),
        WorkerPort { any_address: true, ..port("lmcache_metrics", "--prometheus-port", 9090, 5755) },
    ],
    health_port: "lmcache_http",
    health_path: "/healthcheck",
    cache: CacheFacts { cpu_default_gb: Some(5), per_gpu: false, disk: None },
};

/// What stands for all GPUs of a host in a container's list of them.
pub(crate) const ALL_GPUS: &str = "all";
