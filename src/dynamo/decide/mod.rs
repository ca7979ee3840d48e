//! From a spec and a host to a blueprint.
//!
//! Nothing is looked up by name here and nothing is chosen: the spec carries the rows of the tables, the host its
//! numbers, the owner its token. The same input gives the same blueprint, which is what lets a plan be compared with
//! an apply. What can still go wrong is what only the host decides: limits that do not fit, and options that would
//! cover a mount of the provider's.

pub(crate) mod cache_budget;
pub(crate) mod cache_server;
pub(crate) mod docker;
pub(crate) mod frontend;
pub(crate) mod limits;
pub(crate) mod router;
pub(crate) mod secret_env;
pub(crate) mod template;
pub(crate) mod worker;

use crate::container::{Limits, Mount, NetworkSpec};
use crate::dynamo::blueprint::Blueprint;
use crate::dynamo::spec::cache_server::used as used_cache_server;
use crate::dynamo::spec::{DeploymentSpec, HostFacts, Owner, WorkerSpec};
use crate::dynamo::terms::names;
use crate::dynamo::terms::objection::{ConnectorField, Field, Objection};
use crate::dynamo::terms::words::NetworkMode;
use cache_budget::cache_fits;
use frontend::frontend;
use template::Template;
use worker::serving;

/// Network, volumes, services and frontend of a deployment.
pub(crate) fn deployment(
    spec: &DeploymentSpec,
    host: &HostFacts,
    owner: &Owner,
) -> Result<Blueprint, Vec<Objection>> {
    let common = &spec.common;
    let shared = Template::new(common, host, owner)?;
    let limits = limits::decide(common.resources, host);
    let clashes = docker::clashes(&common.docker, &shared.mounts(), &shared.aliases(), shared.place());
    let limits = agreed(limits, clashes)?;
    let mut containers = shared.services();
    containers.push(frontend(spec, &shared, limits));
    Ok(Blueprint {
        network: (common.network == NetworkMode::Bridge).then(|| NetworkSpec {
            name: names::network(&common.name),
            labels: shared.labels("network", None, ""),
        }),
        volumes: shared.volumes(),
        containers,
        shared: Vec::new(),
    })
}

/// The container of a worker.
pub(crate) fn worker(
    spec: &WorkerSpec,
    host: &HostFacts,
    owner: &Owner,
) -> Result<Blueprint, Vec<Objection>> {
    let common = &spec.deployment;
    let shared = Template::new(common, host, owner)?;
    let serving = serving(common, spec.role)?;
    let limits = match spec.resources {
        Some(own) => limits::decide(own, host),
        None => limits::decide(common.resources, host).map_err(theirs),
    };
    let mounts: Vec<Mount> = shared.mounts().into_iter().chain(worker::cache_folder(spec)).collect();
    let mut clashes = docker::clashes(&spec.docker, &mounts, &shared.aliases(), shared.place());
    clashes.extend(theirs(docker::clashes(&common.docker, &mounts, &shared.aliases(), shared.place())));
    let limits = agreed(limits, clashes)?;
    cache_fits(spec, limits, host).map_err(|refusal| {
        vec![refusal.at(Field::Connector(ConnectorField::CpuCacheGb)).of_the_deployment()]
    })?;
    let mut container = worker::container(spec, serving, &shared, limits);
    let server = used_cache_server(&common.connector, spec.role).map(|server| {
        let limits = limits::decide(common.resources, host).map_err(theirs)?;
        cache_server::container(server, &shared, limits, &spec.ports).map_err(theirs)
    });
    let server = server.transpose()?;
    container.spec.labels.extend(server.iter().flat_map(|server| cache_server::label(&server.spec.name)));
    Ok(Blueprint {
        containers: vec![container],
        shared: server.into_iter().collect(),
        ..Blueprint::default()
    })
}

fn theirs(objections: Vec<Objection>) -> Vec<Objection> {
    objections.into_iter().map(Objection::of_the_deployment).collect()
}

fn agreed(limits: Result<Limits, Vec<Objection>>, clashes: Vec<Objection>) -> Result<Limits, Vec<Objection>> {
    match limits {
        Ok(limits) if clashes.is_empty() => Ok(limits),
        other => Err(other.err().into_iter().flatten().chain(clashes).collect()),
    }
}
