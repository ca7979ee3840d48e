//! The frontend's container.

use super::template::{Template, strings};
use super::{router, secret_env, worker};
use crate::container::{ContainerSpec, Limits, PortBinding};
use crate::dynamo::blueprint::{Planned, Readiness};
use crate::dynamo::gpus::NO_GPUS;
use crate::dynamo::spec::{Common, DeploymentSpec};
use crate::dynamo::terms::names;
use crate::dynamo::terms::names::FRONTEND;
use crate::dynamo::terms::words::NetworkMode;
use std::collections::BTreeMap;

/// The frontend's container.
pub(crate) fn frontend(spec: &DeploymentSpec, shared: &Template<'_>, limits: Limits) -> Planned {
    let common = shared.common;
    let facts = &common.release.frontend;
    // On a private network it listens at all addresses of its container, and Docker publishes the port.
    let (address, port) = match common.network {
        NetworkMode::Bridge => ("0.0.0.0", facts.port),
        NetworkMode::Host => (spec.bind_address.as_str(), spec.port),
    };
    let listen = [facts.address_flag, address, facts.port_flag, &port.to_string()].map(str::to_owned);
    let mut command = vec!["-m".to_owned(), facts.module.to_owned()];
    command.extend(listen);
    command.extend(router::arguments(&common.router, common.release));
    if let Some(flag) = common.release.namespace_prefix_flag {
        command.extend([flag.to_owned(), names::namespace_prefix(&common.name)]);
    }
    let mut decided_env = frontend_env(common);
    decided_env.extend(shared.address_env(shared.topology.frontend_address_env));
    let base = shared.dynamo_container(&common.docker, FRONTEND, None, limits);
    let mut planned = Planned {
        component: FRONTEND.to_owned(),
        spec: ContainerSpec {
            name: names::container(&common.name, FRONTEND),
            command,
            env: shared.env(&worker::env_defaults(common, facts.defaults), &BTreeMap::new(), decided_env),
            ports: vec![PortBinding {
                container_port: port,
                host_address: spec.bind_address.clone(),
                host_port: spec.port,
            }],
            network: shared.network(&[facts.alias]),
            stop_grace_seconds: common.docker.stop_grace_seconds.unwrap_or(common.release.grace.frontend),
            ..base
        },
        ready: Readiness::Http { port, path: facts.health_path.to_owned() },
    };
    secret_env::give(&mut planned.spec, &spec.secret_env);
    planned
}

/// A frontend that serves a prefix has no namespace of its own.
fn frontend_env(common: &Common) -> BTreeMap<String, String> {
    let mut env = strings([&NO_GPUS]);
    if common.release.namespace_prefix_flag.is_none() {
        env.insert(common.release.namespace_env.to_owned(), names::namespace(&common.name, None));
    }
    env
}
