//! From a spec and a host to a container with its volume.

use super::place::{Place, place};
use super::spec::OpenWebuiSpec;
use super::{COMPONENT, PASSWORD_FILE};
use crate::container::labels::Ownership;
use crate::container::{ContainerSpec, Mount, MountSource, Network, PortBinding, VolumeSpec, labels};
use crate::dynamo::blueprint::{Blueprint, Planned, Readiness};
use crate::dynamo::check::env;
use crate::dynamo::decide::{docker, limits, secret_env};
use crate::dynamo::spec::{HostFacts, Owner};
use crate::dynamo::terms::names;
use crate::dynamo::terms::objection::Objection;
use crate::dynamo::terms::words::{Engine, NetworkMode};
use std::collections::{BTreeMap, BTreeSet};
use std::iter;

/// The name by which other containers of its network find Open WebUI.
pub(crate) const ALIAS: &str = "openwebui";

/// Runs before the image's own start: see the files.
const START: &str = include_str!("start.sh");
const ADMIN: &str = include_str!("admin.py");
const ANSWERS: &str = include_str!("answers.py");

/// The container and its volume. Networks are those of the deployments, and are not made here.
pub(crate) fn openwebui(
    spec: &OpenWebuiSpec,
    host: &HostFacts,
    owner: &Owner,
) -> Result<Blueprint, Vec<Objection>> {
    let place = place(&spec.host, &spec.sources);
    let limits = limits::decide(spec.resources, host);
    let clashes = clashes(spec, place.as_ref().ok());
    let (place, limits) = match (place, limits) {
        (Ok(place), Ok(limits)) if clashes.is_empty() => (place, limits),
        (place, limits) => {
            let wrong = place.err().into_iter().chain(limits.err()).flatten().chain(clashes);
            return Err(wrong.collect());
        }
    };
    let volume = VolumeSpec {
        name: names::openwebui_volume(&spec.name),
        labels: ownership("data", spec, owner, "").to_labels(),
        ..VolumeSpec::default()
    };
    let container = container(spec, &place, owner, limits);
    Ok(Blueprint { volumes: vec![volume], containers: vec![container], ..Blueprint::default() })
}

/// What stands in the way of the provider's own; without a place, as far as that does not matter.
fn clashes(spec: &OpenWebuiSpec, place: Option<&Place>) -> Vec<Objection> {
    let network = place.map_or(NetworkMode::Bridge, |place| place.network);
    let joined = place.and_then(|place| place.networks.first()).map_or("", String::as_str);
    docker::clashes(&spec.docker, &[data(spec)], &[ALIAS.to_owned()], (network, joined))
}

fn container(
    spec: &OpenWebuiSpec,
    place: &Place,
    owner: &Owner,
    limits: crate::container::Limits,
) -> Planned {
    let mut options = ContainerSpec::from(&spec.docker);
    options.labels.extend(ownership(COMPONENT, spec, owner, &owner.spec_json).to_labels());
    if let Some(version) = spec.admin_password_version {
        options.labels.insert(labels::PASSWORD_VERSION.to_owned(), version.to_string());
    }
    let (address, port) = listens_at(spec, place);
    let binding =
        PortBinding { container_port: port, host_address: spec.bind_address.clone(), host_port: spec.port };
    let mut planned = Planned {
        component: COMPONENT.to_owned(),
        spec: ContainerSpec {
            name: names::container(&spec.name, COMPONENT),
            image: spec.image.clone(),
            entrypoint: ["bash", "-c"].map(str::to_owned).to_vec(),
            command: [START, "start", ADMIN, PASSWORD_FILE, ANSWERS].map(str::to_owned).to_vec(),
            env: environment(spec, place, &address, port),
            mounts: iter::once(data(spec)).chain(options.mounts).collect(),
            ports: vec![binding],
            network: network(place),
            networks: further_networks(spec, place),
            limits,
            stop_grace_seconds: spec.docker.stop_grace_seconds.unwrap_or(spec.release.grace_seconds),
            ..options
        },
        ready: Readiness::Http { port, path: spec.release.health_path.to_owned() },
    };
    secret_env::give(&mut planned.spec, &spec.secret_env);
    planned
}

/// Those of further deployments, and those that the user names; each once.
fn further_networks(spec: &OpenWebuiSpec, place: &Place) -> Vec<String> {
    let all: BTreeSet<&String> = place.networks.iter().skip(1).chain(&spec.docker.networks).collect();
    all.into_iter().cloned().collect()
}

/// On a private network it listens at all addresses of its container, and Docker publishes the port.
fn listens_at(spec: &OpenWebuiSpec, place: &Place) -> (String, u16) {
    match place.network {
        NetworkMode::Bridge => ("0.0.0.0".to_owned(), spec.release.port),
        NetworkMode::Host => (spec.bind_address.clone(), spec.port),
    }
}

fn network(place: &Place) -> Network {
    match place.networks.first() {
        Some(first) => Network::Bridge { name: first.clone(), aliases: vec![ALIAS.to_owned()] },
        None => Network::Host,
    }
}

fn data(spec: &OpenWebuiSpec) -> Mount {
    Mount {
        source: MountSource::Volume(names::openwebui_volume(&spec.name)),
        target: spec.release.data.to_owned(),
        read_only: false,
    }
}

/// Defaults, then what users set, then what the provider decides; users may set none of the last.
fn environment(spec: &OpenWebuiSpec, place: &Place, address: &str, port: u16) -> BTreeMap<String, String> {
    let strings = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let mut defaults = strings(spec.release.defaults);
    if let Some(model) = spec.sources.first().and_then(|source| source.served_model_name.clone()) {
        defaults.insert("DEFAULT_MODELS".to_owned(), model);
    }
    if spec.sources.iter().all(|source| source.engine == Some(Engine::Mocker)) {
        // It refuses a question that does not say how long the answer may be, and Open WebUI's do not.
        defaults.insert("DEFAULT_MODEL_PARAMS".to_owned(), r#"{"max_tokens": 64}"#.to_owned());
    }
    if spec.admin_email.is_some() {
        // Else everyone who finds it may ask for an account.
        defaults.insert("ENABLE_SIGNUP".to_owned(), "false".to_owned());
    }
    let urls = place.urls.join(";");
    let keys = vec!["none"; place.urls.len()].join(";");
    let auth = spec.auth.to_string();
    let first = place.urls.first().map_or("", String::as_str);
    let port = port.to_string();
    let mut decided = strings(&[
        ("DATA_DIR", spec.release.data),
        ("ENABLE_OLLAMA_API", "false"),
        ("ENABLE_OPENAI_API", "true"),
        ("ENABLE_PERSISTENT_CONFIG", "false"),
        ("HOST", address),
        // Where only one is asked for it would be OpenAI's own otherwise.
        ("OPENAI_API_BASE_URL", first),
        ("OPENAI_API_BASE_URLS", &urls),
        ("OPENAI_API_KEY", "none"),
        ("OPENAI_API_KEYS", &keys),
        ("PORT", &port),
        ("WEBUI_AUTH", &auth),
    ]);
    if let Some(email) = &spec.admin_email {
        decided.insert("WEBUI_ADMIN_EMAIL".to_owned(), email.clone());
    }
    env::layered([&defaults, &spec.env, &decided])
}

fn ownership(component: &str, spec: &OpenWebuiSpec, owner: &Owner, configuration: &str) -> Ownership {
    Ownership {
        deployment: spec.name.clone(),
        component: component.to_owned(),
        role: None,
        run: owner.run.clone(),
        spec: configuration.to_owned(),
    }
}
