//! Blueprints as text for golden files: one fact a line, in a fixed order, and nothing left out.
//!
//! Test code only: it prints the environment, and that may hold secrets.

use std::fmt::Write;

use crate::container::{ContainerSpec, Ipc, Mount, MountSource, Network};
use crate::dynamo::blueprint::{Blueprint, Planned, Readiness};
use crate::dynamo::terms::objection::Objection;

pub(crate) fn blueprint(blueprint: &Blueprint) -> String {
    let mut text = String::new();
    if let Some(network) = &blueprint.network {
        line(&mut text, &format!("network {}", network.name));
        pairs(&mut text, "label", &network.labels);
    }
    for volume in &blueprint.volumes {
        line(&mut text, &format!("volume {}", volume.name));
        pairs(&mut text, "option", &volume.options);
        pairs(&mut text, "label", &volume.labels);
    }
    let containers = blueprint.shared.iter().chain(&blueprint.containers);
    containers.for_each(|planned| container(&mut text, planned));
    text
}

pub(crate) fn objections(objections: &[Objection]) -> String {
    objections.iter().fold(String::new(), |text, objection| text + &objection.to_string() + "\n")
}

fn container(text: &mut String, planned: &Planned) {
    // Every field by name, so that a new one cannot be forgotten here.
    let ContainerSpec {
        name,
        image,
        entrypoint,
        command,
        env,
        secret_env,
        user,
        labels,
        mounts,
        ports,
        network,
        restart,
        limits,
        shm_bytes,
        ulimits,
        extra_hosts,
        cap_add,
        devices,
        gpus,
        ipc,
        privileged,
        runtime,
        log,
        networks,
        make_folders,
        stop_grace_seconds,
    } = &planned.spec;
    line(text, &format!("container {name} ({})", planned.component));
    line(text, &format!("  image {image}"));
    line(text, &format!("  run {:?}", [entrypoint.as_slice(), command].concat()));
    pairs(text, "env", env);
    secret_env.values.keys().for_each(|name| line(text, &format!("  secret env {name}")));
    secret_env.version.iter().for_each(|version| line(text, &format!("  secret env version {version}")));
    pairs(text, "label", labels);
    mounts.iter().for_each(|mount| line(text, &format!("  mount {}", mount_text(mount))));
    for port in ports {
        line(text, &format!("  port {}:{} -> {}", port.host_address, port.host_port, port.container_port));
    }
    match network {
        Network::Host => line(text, "  network of the host"),
        Network::Bridge { name, aliases } => line(text, &format!("  network {name} as {aliases:?}")),
    }
    line(text, &format!("  restart {restart:?}, stop within {stop_grace_seconds} s"));
    line(text, &format!("  nano-cpus {:?}, memory {:?}", limits.nano_cpus, limits.memory_bytes));
    for (what, value) in [("shm", shm_bytes.map(|b| b.to_string())), ("user", user.clone())] {
        value.iter().for_each(|value| line(text, &format!("  {what} {value}")));
    }
    for limit in ulimits {
        line(text, &format!("  ulimit {} {} {}", limit.name, limit.soft, limit.hard));
    }
    pairs(text, "host", extra_hosts);
    for (what, list) in [
        ("cap", cap_add),
        ("device", devices),
        ("gpu", gpus),
        ("further network", networks),
        ("make folder", make_folders),
    ] {
        list.iter().for_each(|item| line(text, &format!("  {what} {item}")));
    }
    if *ipc != Ipc::Private {
        line(text, &format!("  ipc {ipc:?}"));
    }
    if *privileged {
        line(text, "  privileged");
    }
    runtime.iter().for_each(|runtime| line(text, &format!("  runtime {runtime}")));
    log.iter().for_each(|log| line(text, &format!("  log {:?} {:?}", log.driver, log.options)));
    line(text, &format!("  ready {}", ready_text(&planned.ready)));
}

fn mount_text(mount: &Mount) -> String {
    let source = match &mount.source {
        MountSource::HostPath(path) => path.clone(),
        MountSource::Volume(name) => format!("volume {name}"),
    };
    format!("{source} at {}{}", mount.target, if mount.read_only { ", read-only" } else { "" })
}

fn ready_text(ready: &Readiness) -> String {
    match ready {
        Readiness::Http { port, path } => format!("when :{port}{path} answers"),
        Readiness::WorkerListed(listing) => format!(
            "when {}:{} lists {}.{}.{}{} at {}{}",
            listing.frontend,
            listing.frontend_port,
            listing.namespace,
            listing.component,
            listing.endpoint,
            listing.seat.as_ref().map(|seat| format!(" of {seat}")).unwrap_or_default(),
            listing.instances_path,
            match listing.model_listed {
                true => format!(" and {} at {}", listing.served_model_name, listing.models_path),
                false => String::new(),
            }
        ),
    }
}

fn pairs(text: &mut String, what: &str, map: &std::collections::BTreeMap<String, String>) {
    map.iter().for_each(|(key, value)| line(text, &format!("  {what} {key}={value}")));
}

fn line(text: &mut String, what: &str) {
    writeln!(text, "{what}").unwrap();
}
