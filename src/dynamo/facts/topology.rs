//! How the processes of a deployment find each other, and the services that takes.
//!
//! Dynamo's processes meet through a store: etcd, or, on one host, a folder that all of them see. Older releases need
//! NATS beside it. Which it is depends on the release and on the kind of network, so each release has a row per kind of
//! network ([`Topology`]), and containers are made from the row.
//!
//! The folder is a volume in memory (tmpfs): it can be written whatever user the image runs as, and it is empty after
//! a reboot and once nobody uses it, so no process ever meets the addresses of a life before. It must not be emptied
//! under a running frontend, which would never notice another worker.
//!
//! On a private network every container has an address of its own: ports are constants, and services go by their names.
//! On the hosts' own network all containers of a host share its ports, so each process is told at which address and at
//! which port to listen. The ports are picked when something is made, and from then on are part of what is wanted: that
//! is why they come with a spec ([`Endpoint`]) and not from here.

use crate::dynamo::terms::words::NetworkMode;

/// How processes meet on one kind of network.
#[derive(Debug, PartialEq)]
pub struct Topology {
    pub network: NetworkMode,
    /// Variables for the frontend and all workers. With services, those of [`Service::clients`] are added.
    pub env: &'static [(&'static str, &'static str)],
    /// Variables of the frontend that take the address by which other hosts reach this one.
    pub frontend_address_env: &'static [&'static str],
    /// The same of a worker.
    pub worker_address_env: &'static [&'static str],
    /// Ports at which a worker listens.
    pub worker_ports: &'static [WorkerPort],
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

/// A port of a worker that the provider decides.
#[derive(Debug, PartialEq)]
pub struct WorkerPort {
    pub name: &'static str,
    /// How the worker learns of it.
    pub told: PassedBy,
    /// The port on a private network; `None` = it is not told there, and what it uses then is in nobody's way.
    pub private: Option<u16>,
    /// Where the search for a free one begins on the host's network. Below 32768, where the kernel starts to hand out
    /// ports by itself.
    pub from: u16,
    /// Whether the frontend lists the worker's address with this port.
    pub listed: bool,
    /// Whether it must be free at every address of the host, because that is where the worker listens or may.
    pub any_address: bool,
    /// Whether each rank of data parallelism has one, from this on upwards.
    pub per_rank: bool,
    /// How far above it are others that come with it.
    pub also: &'static [u16],
}

impl WorkerPort {
    /// How far above it are all that a worker with so many ranks listens at, itself first.
    pub fn offsets(&self, ranks: u16) -> Vec<u16> {
        let ranks = if self.per_rank { ranks.max(1) } else { 1 };
        (0..ranks).chain(self.also.iter().copied()).collect()
    }
}

/// The worker's own HTTP server, by whatever release.
pub(crate) const SYSTEM: &str = "system";

/// The way in which a port is passed to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassedBy {
    Env(&'static str),
    Flag(&'static str),
    /// Its name stands in braces where it belongs, among the texts of the record that asks for it.
    Inline,
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
///
/// In `command` and `clients` stand `{address}` for the address by which others reach it, `{listen}` for the one at which
/// it listens, both as in a URL, and `{port}` for its port.
#[derive(Debug, PartialEq)]
pub struct Service {
    /// Component, and host name on the private network.
    pub name: &'static str,
    pub image: ServiceImage,
    /// Arguments after the entrypoint; empty = the image's own.
    pub command: &'static [&'static str],
    pub env: &'static [(&'static str, &'static str)],
    /// For clients, as [`WorkerPort::from`].
    pub port: u16,
    /// Where it answers with 200 when it works, if not at `port`. Only on a private network.
    pub health_port: Option<u16>,
    pub health_path: &'static str,
    /// Variables that tell Dynamo's processes of it.
    pub clients: &'static [(&'static str, &'static str)],
}

/// Where a service's program comes from.
#[derive(Debug, PartialEq)]
pub enum ServiceImage {
    /// The deployment's own image has it, so nothing more is downloaded.
    Bundled { program: &'static str },
    /// An image of its own, with its own entrypoint.
    Separate(&'static str),
}

/// The store of several hosts, and the default of every release.
///
/// The only member of its cluster: nobody else ever connects to its peer port, so that is one of the kernel's choice on
/// the loopback address. What it holds is worth nothing without the processes that wrote it, and stays in the container.
pub(crate) const ETCD: Service = Service {
    name: "etcd",
    image: ServiceImage::Bundled { program: "/usr/local/bin/etcd/etcd" },
    command: &[
        "--name=dynamo",
        "--data-dir=/tmp/etcd",
        "--listen-client-urls=http://{listen}:{port}",
        "--advertise-client-urls=http://{address}:{port}",
        "--listen-peer-urls=http://127.0.0.1:0",
        "--initial-advertise-peer-urls=http://127.0.0.1:0",
        "--initial-cluster=dynamo=http://127.0.0.1:0",
    ],
    env: &[],
    port: 2379,
    health_port: None,
    health_path: "/health",
    clients: &[("ETCD_ENDPOINTS", "http://{address}:{port}")],
};

/// Needed by release line 1.0. JetStream is not optional; its store is worth nothing after a restart.
pub(crate) const NATS: Service = Service {
    name: "nats",
    image: ServiceImage::Bundled { program: "/usr/bin/nats-server" },
    command: &["-js", "--store_dir=/tmp/nats", "-a={listen}", "-p={port}", "-m=8222"],
    env: &[],
    port: 4222,
    health_port: Some(8222),
    health_path: "/healthz",
    clients: &[("NATS_SERVER", "nats://{address}:{port}")],
};
