//! The cache server's container.

use super::cache_budget::pinned_fits;
use super::docker::{with_engine_capabilities, with_engine_ulimits};
use super::template::Template;
use crate::container::{ContainerSpec, Ipc, Limits, PortBinding, Restart, labels};
use crate::dynamo::blueprint::{Planned, Readiness};
use crate::dynamo::facts::cache_server::{ALL_GPUS, CacheServer};
use crate::dynamo::facts::topology::{PassedBy, WorkerPort};
use crate::dynamo::terms::amount::GIB;
use crate::dynamo::terms::objection::{ConnectorField, Field, Objection};
use crate::dynamo::terms::words::NetworkMode;
use std::collections::BTreeMap;

/// What keeps the workers' cache for them. `picked` are its ports.
pub(crate) fn container(
    server: &'static CacheServer,
    shared: &Template<'_>,
    limits: Limits,
    picked: &BTreeMap<&'static str, u16>,
) -> Result<Planned, Vec<Objection>> {
    let common = shared.common;
    let gb = common.connector.cpu_cache_gb.unwrap_or_default();
    let fits = pinned_fits(u64::from(gb).saturating_mul(GIB), limits, shared.host, "the cache's server");
    fits.map_err(|refusal| vec![refusal.at(Field::Connector(ConnectorField::CpuCacheGb))])?;
    let (alias, listen) = (server.host_name(common), server.address(common).1);
    let port = |row: &WorkerPort| picked.get(row.name).copied().or(row.private).unwrap_or(row.from);
    let told = server.ports.iter().filter_map(|row| match row.told {
        PassedBy::Flag(flag) => Some([flag.to_owned(), port(row).to_string()]),
        PassedBy::Env(_) | PassedBy::Inline => None,
    });
    let words = server.command.iter();
    let words = words.map(|word| word.replace("{cpu_cache_gb}", &gb.to_string()).replace("{listen}", listen));
    let container = server.container(common);
    let mut labels = shared.labels(server.name, None, "");
    labels.extend(label(&container));
    let mut ports = Vec::new();
    if common.network == NetworkMode::Host {
        let address = |row: &WorkerPort| if row.any_address { "0.0.0.0" } else { listen };
        ports.extend(server.ports.iter().map(|row| PortBinding {
            container_port: port(row),
            host_address: address(row).to_owned(),
            host_port: port(row),
        }));
    }
    let health_port = server.ports.iter().find(|row| row.name == server.health_port).map_or(0, port);
    let spec = ContainerSpec {
        name: container,
        image: common.image.clone(),
        entrypoint: vec![server.program.to_owned()],
        command: words.chain(told.flatten()).collect(),
        labels,
        ports,
        network: shared.network(&[&alias]),
        restart: Restart::UnlessStopped,
        limits,
        ulimits: with_engine_ulimits(common.docker.ulimits.clone(), common.engine.ulimits),
        cap_add: with_engine_capabilities(common.docker.cap_add.clone(), common.engine.cap_add),
        gpus: vec![ALL_GPUS.to_owned()],
        ipc: Ipc::Host,
        runtime: common.docker.runtime.clone(),
        log: common.docker.log.clone(),
        stop_grace_seconds: common.release.grace.service,
        ..ContainerSpec::default()
    };
    let ready = Readiness::Http { port: health_port, path: server.health_path.to_owned() };
    Ok(Planned { component: server.name.to_owned(), spec, ready })
}

/// By which a server and those who use it are told together.
pub(crate) fn label(container: &str) -> [(String, String); 1] {
    [(labels::CACHE_SERVER.to_owned(), container.to_owned())]
}
