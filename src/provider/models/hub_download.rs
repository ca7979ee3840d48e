//! A model from the Hugging Face hub: a container downloads it into the host's cache, and ends.
//!
//! The hub's own client does the work, since it knows mirrors, tokens, large-file storage and how to go on with what was
//! begun. It comes with the image that will serve the model, so nothing is installed. The token is in the container's
//! environment, and nowhere once the container is gone, which is as soon as it has ended, however it did. Two downloads of
//! one model do not disturb each other: the client locks each file, and the containers know nothing of one another.

use super::model;
use super::schema::ModelModel;
use crate::container::labels::Ownership;
use crate::container::{ContainerSpec, Mount, MountSource};
use crate::dynamo::facts::release;
use crate::hosts::{Host, HostError};
use crate::provider::attributes::host_errors;
use crate::provider::lifecycle::job;
use crate::provider::lifecycle::job::Ended;
use crate::provider::machine::Machine;
use crate::provider::session::{self, Client};
use crate::reconcile::Effects;
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::provider::shown;
use crate::tf_provider::value::Path;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const DOWNLOAD: &str = include_str!("hub_download.py");
const REMOVE: &str = include_str!("remove.py");

/// Where the cache is in the container.
const CACHE: &str = "/cache";
/// A variable of the environment may have 128 KiB.
const MOST_LIST: usize = 100_000;

/// The image whose Python is used.
fn image(model: &ModelModel) -> String {
    let newest = || {
        let release = release::ALL.last()?;
        let engine = release.engines.first()?;
        Some(release.image(engine, release::newest()))
    };
    model.image.known().cloned().or_else(newest).unwrap_or_default()
}

/// Deployment of the containers that work for a model; no deployment of a user has its containers named so.
const MODELS: &str = "dynamo-model";

/// How the names of all containers for a model begin: what a killed run left is found by it.
fn prefix(model: &ModelModel) -> String {
    let middle = model::sha256(shown(&model.name)).chars().take(12).collect::<String>();
    format!("{MODELS}-{middle}-")
}

/// A container for a model, under a name that nothing else has.
fn container(
    client: &Client,
    model: &ModelModel,
    script: &str,
    cache: &str,
) -> Result<ContainerSpec, Diagnostic> {
    let owner = Ownership {
        deployment: MODELS.to_owned(),
        component: "model".to_owned(),
        role: None,
        run: client.run.clone(),
        spec: String::new(),
    };
    Ok(ContainerSpec {
        name: format!("{}{}", prefix(model), session::token()?),
        image: image(model),
        entrypoint: vec!["python3".to_owned()],
        command: vec!["-c".to_owned(), script.to_owned()],
        labels: owner.to_labels(),
        mounts: vec![Mount {
            source: MountSource::HostPath(cache.to_owned()),
            target: CACHE.to_owned(),
            read_only: false,
        }],
        stop_grace_seconds: 5,
        ..ContainerSpec::default()
    })
}

/// Downloads the model.
pub(crate) async fn run(
    client: &Client,
    machine: &Machine,
    config: &ModelModel,
    stopping: &CancellationToken,
    summary: &str,
) -> Result<(), Diagnostics> {
    let mut spec = container(client, config, DOWNLOAD, machine.cache_folder())?;
    let begins = prefix(config);
    if let Err(error) = job::sweep(&machine.host, MODELS, &begins, &client.run, stopping).await {
        tracing::warn!(host = machine.host.name(), %error, "what earlier downloads left could not be removed");
    }
    let mut set = |name: &str, value: String| drop(spec.env.insert(name.to_owned(), value));
    set("MODEL", shown(&config.name).to_owned());
    set("REVISION", shown(&config.revision).to_owned());
    set("HF_HUB_CACHE", format!("{CACHE}/hub"));
    for (name, value) in [
        ("HF_HOME", "/tmp/huggingface"),
        ("HF_HUB_OFFLINE", "0"),
        ("HF_HUB_DISABLE_PROGRESS_BARS", "1"),
        ("HF_HUB_DISABLE_TELEMETRY", "1"),
        ("NVIDIA_VISIBLE_DEVICES", "void"),
    ] {
        set(name, value.to_owned());
    }
    if let Some(source) = config.source.present() {
        if let Some(endpoint) = source.endpoint.known() {
            set("HF_ENDPOINT", endpoint.clone());
        }
        if let Some(token) = source.token.known() {
            spec.secret_env.values.insert("HF_TOKEN".to_owned(), token.clone());
        }
    }
    let ended = in_container(&machine.host, &spec, model::stall(config), stopping).await;
    machine.host.models_changed();
    let problem = match ended {
        Ok(Ended::Well(_)) => return Ok(()),
        Ok(Ended::Badly(words)) => words,
        Err(error) => return Err(host_errors::diagnostic(summary, &error, None).into()),
    };
    Err(said(&problem, &machine.host, machine.cache_folder(), &spec.image, summary).into())
}

/// What the hub's client said, with what to do about it.
const WORDS: [(&str, &str, &str); 8] = [
    ("No module named 'huggingface_hub'", "image", "Set image to one that has huggingface_hub."),
    ("GatedRepo", "source", "Accept the model's terms on the hub, and give source.token."),
    ("401", "source", "Give source.token, or correct it."),
    ("RepositoryNotFound", "name", "Correct name; a private model needs source.token."),
    ("RevisionNotFound", "revision", "Correct revision."),
    ("no room", "name", "Make room in the host's model_cache, or set another one."),
    ("PermissionError", "host", "Let user 1000 or group 0 write to the host's model_cache."),
    ("Connect", "source", "The host must reach the hub, or the mirror that source.endpoint names."),
];

fn said(words: &str, host: &Host, cache: &str, image: &str, summary: &str) -> Diagnostic {
    let row = WORDS.iter().find(|(word, ..)| words.contains(word));
    let (at, step) =
        row.map_or(("source", "Apply again: what was downloaded is kept."), |(_, at, step)| (*at, *step));
    let detail = format!(
        "The download into {cache} on host {:?} (by image {image}) ended without the model: {words}. {step}",
        host.name()
    );
    Diagnostic::error(summary, detail).at(Path::of(at))
}

/// Removes files of a model that such a container has made: they are its user's.
pub(crate) async fn remove(
    client: &Client,
    machine: &Machine,
    model: &ModelModel,
    folder: &str,
    files: &[String],
    stopping: &CancellationToken,
) -> Result<(), HostError> {
    let inside = folder.strip_prefix(machine.cache_folder()).map(|rest| format!("{CACHE}{rest}"));
    let there = machine.host.image(&image(model)).await?.is_some();
    let Some(inside) = inside.filter(|_| there) else {
        return machine.host.remove_files(folder, files).await;
    };
    // They are told apart by the ends of lines there; no file of a model has one in its name.
    let files: Vec<String> = files.iter().filter(|file| !file.contains('\n')).cloned().collect();
    let mut rest = files.as_slice();
    while !rest.is_empty() {
        let mut length = 0;
        let most = rest.iter().take_while(|file| {
            length += file.len() + 1;
            length < MOST_LIST
        });
        let (now, later) = rest.split_at(most.count().max(1));
        rest = later;
        // Without a name for a container the files are still removed as the user.
        let Ok(mut spec) = container(client, model, REMOVE, machine.cache_folder()) else {
            return machine.host.remove_files(folder, &files).await;
        };
        spec.env =
            BTreeMap::from([("FOLDER".to_owned(), inside.clone()), ("FILES".to_owned(), now.join("\n"))]);
        let ended = in_container(&machine.host, &spec, model::stall(model), stopping).await?;
        if let Ended::Badly(words) = ended {
            tracing::warn!(words, folder, "a container could not remove the files");
            return machine.host.remove_files(folder, &files).await;
        }
    }
    machine.host.models_changed();
    Ok(())
}

/// Runs a container of an image that is fetched first where it is missing.
async fn in_container(
    host: &Host,
    spec: &ContainerSpec,
    stall: Duration,
    stopping: &CancellationToken,
) -> Result<Ended, HostError> {
    if host.image(&spec.image).await?.is_none() {
        Effects::pull(host, &spec.image).await?;
    }
    job::run(host, spec, stall, stopping).await
}
