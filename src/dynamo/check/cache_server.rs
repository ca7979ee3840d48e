//! What a worker must leave as it is to share memory with a cache server.

use crate::container::Ipc;
use crate::dynamo::facts::cache_server::CacheServer;
use crate::dynamo::spec::docker::DockerOptions;
use crate::dynamo::terms::objection::{DockerField, Field, Objection, Refusal};

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
    use crate::dynamo::spec::draft::{CommonDraft, ConnectorDraft, DeploymentDraft, DockerDraft};
    use crate::dynamo::terms::given::Given;

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
