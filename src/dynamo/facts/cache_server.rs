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

use super::connector::{CacheFacts, ConnectorSpec};
use super::topology::{Told, WorkerPort};
use crate::container::Ipc;
use crate::dynamo::spec::{Common, DockerOptions, NetworkMode, Role};
use crate::dynamo::terms::names;
use crate::dynamo::terms::objection::{DockerField, Field, Objection, Refusal};
use crate::dynamo::terms::ports::THIS_MACHINE;

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
        told: Told::Flag(flag),
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

impl CacheServer {
    /// Its host name on a private network. A worker knows the memory of one server only, so another image or size is another
    /// server.
    pub(in crate::dynamo) fn host_name(&self, common: &Common) -> String {
        let size = common.connector.cpu_cache_gb.unwrap_or_default().to_string();
        format!("{}-{}", self.name, names::generation([common.image.as_str(), &size]))
    }

    /// Its container's name.
    pub(in crate::dynamo) fn container(&self, common: &Common) -> String {
        names::container(&common.name, &self.host_name(common))
    }

    /// Where workers find it, and where it listens.
    pub(in crate::dynamo) fn address(&self, common: &Common) -> (String, &'static str) {
        match common.network {
            NetworkMode::Bridge => (self.host_name(common), "0.0.0.0"),
            NetworkMode::Host => (THIS_MACHINE.to_owned(), THIS_MACHINE),
        }
    }
}

/// The server that workers of a role use, if they use one.
pub(crate) fn used(connector: &ConnectorSpec, role: Role) -> Option<&'static CacheServer> {
    connector.facts.role(role).and(connector.facts.server.as_ref())
}

/// Options with which a worker could not hand its memory over.
pub(in crate::dynamo) fn must_share(server: Option<&CacheServer>, docker: &DockerOptions) -> Vec<Objection> {
    let Some(server) = server else { return Vec::new() };
    let refusal = || {
        let what =
            format!("the server of {:?} reads workers' memory in the host's IPC namespace", server.name);
        Refusal::new(what, "leave it out, or set connector.server = false where the engine has that")
    };
    let fields = [
        (DockerField::Ipc, docker.ipc.is_some_and(|ipc| ipc != Ipc::Host)),
        (DockerField::ShmSizeGb, docker.shm_bytes.is_some()),
    ];
    let wrong = fields.into_iter().filter(|(_, wrong)| *wrong);
    wrong.map(|(field, _)| refusal().at(Field::Docker(field))).collect()
}

#[cfg(test)]
mod tests {
    use crate::dynamo::check;
    use crate::dynamo::spec::draft::{CommonDraft, ConnectorDraft, DeploymentDraft, DockerDraft, Given};

    /// A deployment in words: release, mode, network, type of connector, whether a server is wanted.
    type Asked = (&'static str, &'static str, &'static str, Option<&'static str>, Option<bool>);

    fn draft((version, mode, network, connector, server): Asked) -> DeploymentDraft {
        let is = |text: &str| Given::Is(text.to_owned());
        let services = [("etcd".to_owned(), is("10.0.0.11:2379"))].into();
        let common = CommonDraft {
            name: is("chat"),
            engine: is("vllm"),
            dynamo_version: is(version),
            model: is("acme/tiny"),
            mode: is(mode),
            network: is(network),
            services,
            connector: ConnectorDraft {
                kind: connector.map_or(Given::Absent, is),
                server: server.map_or(Given::Absent, Given::Is),
                ..ConnectorDraft::default()
            },
            ..CommonDraft::default()
        };
        DeploymentDraft { common, port: Given::Is(8000), ..DeploymentDraft::default() }
    }

    #[test]
    fn there_is_a_server_where_it_works_and_nobody_says_otherwise() {
        let lmcache = Some("lmcache");
        let table: [(Asked, bool); 13] = [
            (("1.6.1", "disaggregated", "bridge", lmcache, Some(false)), false),
            (("1.6.1", "disaggregated", "host", lmcache, Some(false)), false),
            (("1.4.2", "disaggregated", "bridge", lmcache, None), false),
            (("1.6.1", "aggregated", "bridge", lmcache, None), true),
            (("1.6.1", "aggregated", "bridge", lmcache, Some(true)), true),
            (("1.6.1", "aggregated", "bridge", lmcache, Some(false)), false),
            (("1.6.1", "aggregated", "host", lmcache, None), true),
            (("1.6.1", "aggregated", "host", lmcache, Some(false)), false),
            (("1.6.1", "disaggregated", "host", lmcache, None), true),
            (("1.5.1", "disaggregated", "bridge", lmcache, None), true),
            (("1.4.2", "aggregated", "bridge", lmcache, None), false),
            (("1.6.1", "aggregated", "bridge", Some("nixl"), Some(false)), false),
            (("1.6.1", "aggregated", "bridge", None, Some(false)), false),
        ];
        for (asked, expected) in table {
            let spec = draft(asked).complete().unwrap_or_else(|wrong| panic!("{asked:?}: {wrong:?}"));
            let connector = &spec.common.connector;
            assert_eq!(connector.facts.server.is_some(), expected, "{asked:?}");
            assert_eq!(connector.cpu_cache_gb.is_some(), connector.facts.cache().is_some(), "{asked:?}");
        }
    }

    #[test]
    fn where_it_cannot_be_the_reason_is_said() {
        let lmcache = Some("lmcache");
        let table: [(Asked, &str, &str); 3] = [
            (("1.4.2", "aggregated", "bridge", lmcache, Some(true)), "connector.server", "without a server"),
            (
                ("1.6.1", "aggregated", "bridge", Some("nixl"), Some(true)),
                "connector.server",
                "without a server",
            ),
            (("1.6.1", "aggregated", "bridge", None, Some(true)), "connector.server", "connector.type"),
        ];
        for (asked, field, words) in table {
            let objections = check::deployment(&draft(asked));
            let texts: Vec<String> = objections.iter().map(ToString::to_string).collect();
            assert_eq!(texts.len(), 1, "{asked:?}: {texts:?}");
            assert!(texts[0].starts_with(field) && texts[0].contains(words), "{asked:?}: {texts:?}");
        }
        let mut unknown = draft(("1.6.1", "aggregated", "host", lmcache, Some(true)));
        unknown.common.network = Given::Unknown;
        assert_eq!(check::deployment(&unknown), []);
    }

    #[test]
    fn memory_must_be_where_the_server_finds_it() {
        let with = |docker: DockerDraft, server| {
            let mut draft = draft(("1.6.1", "aggregated", "bridge", Some("lmcache"), Some(server)));
            draft.common.docker = docker;
            let objections = check::deployment(&draft);
            objections.iter().map(|it| it.field.to_string()).collect::<Vec<_>>()
        };
        let own = |ipc: &str| DockerDraft { ipc: Given::Is(ipc.to_owned()), ..DockerDraft::default() };
        assert_eq!(with(own("private"), true), ["docker.ipc"]);
        assert_eq!(with(own("host"), true), [""; 0]);
        assert_eq!(with(own("private"), false), [""; 0]);
        let sized = DockerDraft {
            shm_size_gb: Given::Is(crate::dynamo::terms::amount::Amount::from_int(8)),
            ..DockerDraft::default()
        };
        assert_eq!(with(sized, true), ["docker.shm_size_gb"]);
    }
}
