//! How the processes of a deployment find each other, and the services that takes.
//!
//! Dynamo's processes meet through a store: etcd, or, on one host, a folder that all of them see. Older releases need
//! NATS beside it. Which it is depends on the release and on the kind of network, so each release has a row per kind of
//! network ([`Topology`]), and containers are made from the row.
//!
//! The folder is a volume in memory (tmpfs): it can be written whatever user the image runs as, and it is empty after
//! a reboot and once nobody uses it, so no process ever meets the addresses of a life before. It must not be emptied
//! under a running frontend, which would never notice another worker.

use super::spec::NetworkMode;

/// How processes meet on one kind of network.
#[derive(Debug, PartialEq)]
pub struct Topology {
    pub network: NetworkMode,
    /// Variables for the frontend and all workers. With services, those of [`Service::clients`] are added.
    pub env: &'static [(&'static str, &'static str)],
    /// A folder that all of them see.
    pub store: Option<Store>,
    /// In start order.
    pub services: &'static [Service],
}

impl Topology {
    /// The word for it: `file` or `etcd`.
    pub fn word(&self) -> &'static str {
        if self.store.is_some() { "file" } else { "etcd" }
    }
}

impl Service {
    /// `name:port` on the private network.
    pub fn address(&self) -> String {
        format!("{}:{}", self.name, self.health_port)
    }
}

/// A volume that all containers of a deployment mount.
#[derive(Debug, PartialEq)]
pub struct Store {
    /// In the containers.
    pub path: &'static str,
    /// Of Docker's `local` volume driver.
    pub options: &'static [(&'static str, &'static str)],
}

/// A container that Dynamo needs beside its own.
#[derive(Debug, PartialEq)]
pub struct Service {
    /// Component, and host name on the private network.
    pub name: &'static str,
    pub image: &'static str,
    /// Arguments after the image's own entrypoint; empty = the image's own.
    pub command: &'static [&'static str],
    pub env: &'static [(&'static str, &'static str)],
    /// Answers with 200 when it works.
    pub health_port: u16,
    pub health_path: &'static str,
    /// Variables that tell Dynamo's processes of it.
    pub clients: &'static [(&'static str, &'static str)],
}

/// The store of several hosts, and the default of every release.
pub const ETCD: Service = Service {
    name: "etcd",
    image: "bitnamilegacy/etcd:3.6.1",
    command: &[],
    env: &[("ALLOW_NONE_AUTHENTICATION", "yes")],
    health_port: 2379,
    health_path: "/health",
    clients: &[("ETCD_ENDPOINTS", "http://etcd:2379")],
};

/// Needed up to release 1.2. JetStream is not optional; the payload limit is that of Dynamo's own compose file.
pub const NATS: Service = Service {
    name: "nats",
    image: "nats:2.11.4",
    command: &["-js", "-m", "8222", "--max_payload", "15728640"],
    env: &[],
    health_port: 8222,
    health_path: "/healthz",
    clients: &[("NATS_SERVER", "nats://nats:4222")],
};
