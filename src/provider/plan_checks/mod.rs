//! The checks of a plan on a host: nothing is decided by them, and all that they find wrong is an error before anything is
//! touched. Apply finds the same again, by doing it.
//!
//! * `mod.rs`: the host itself, images, model folders and mounted folders.
//! * `docker.rs`: networks, runtime and log driver. `gpu_memory.rs`: whether the model fits the GPUs.
//! * `model_source.rs`: whether the host has a copy of the model. `secret_values.rs`: whether a value of `secret_env` changed.

pub(crate) mod docker;
pub(crate) mod gpu_memory;
pub(crate) mod model_source;
pub(crate) mod secret_values;
pub(crate) mod secrets;

use crate::container::MountSource;
use crate::dynamo::spec::docker::DockerOptions;
use crate::dynamo::spec::model::ModelRef;
use crate::dynamo::spec::{Common, HostFacts};
use crate::dynamo::terms::words::PullPolicy;
use crate::hosts::HostError;
use crate::provider::attributes::host_errors;
use crate::provider::machine::Machine;
use crate::provider::machine::facts::is_missing;
use crate::provider::session::{Client, NoHost};
use crate::tf_provider::attr::Attr;
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::value::Path;

/// Fills in the host where the configuration leaves it out, and looks it up. `None`: it is not known yet, and the plan does
/// without.
pub(crate) fn host(
    client: &Client,
    configured: &Attr<String>,
    planned: &mut Attr<String>,
) -> Result<Option<Machine>, Diagnostic> {
    let found = match (configured, &planned) {
        // Something else will decide it: what is not known must not be planned as known.
        (Attr::Unknown, _) => return Ok(None),
        (_, Attr::Known(name)) => client.host(name),
        (_, Attr::Null | Attr::Unknown) => client.default_host().and_then(|name| {
            *planned = name.into();
            client.host(name)
        }),
    };
    match found {
        Ok(machine) => Ok(Some(machine)),
        Err(NoHost::NotKnownYet) => Ok(None),
        Err(NoHost::Wrong(diagnostic)) => Err(diagnostic),
    }
}

/// The image with policy `never`, the model's folder, and the folders of `docker.volume`.
///
/// `own` are the options of the resource that is planned: only its own volumes are its to complain about. `model_at` and
/// `image_at` are the attributes through which it has its model and image.
pub(crate) async fn files(
    machine: &Machine,
    facts: &HostFacts,
    common: &Common,
    own: &DockerOptions,
    model_at: &Path,
    image_at: &Path,
) -> Diagnostics {
    let mut found = image(machine, &common.image, common.pull_policy, image_at).await;
    // The cache that is meant may not be known yet.
    let elsewhere = matches!(common.model, ModelRef::HuggingFace(_))
        && facts.model_place.is_none()
        && machine.model_cache().is_unknown();
    if let MountSource::HostPath(folder) = &common.model.mount(common.release, facts).source
        && !elsewhere
        && is_missing(machine, folder).await
    {
        found.push(no_model(&common.model, folder, machine.host.name()).at(model_at.clone()));
    }
    found.extend(folders(machine, own).await);
    found
}

/// The folders of `docker.volume`.
pub(crate) async fn folders(machine: &Machine, own: &DockerOptions) -> Diagnostics {
    let mut found = Diagnostics::new();
    for (index, volume) in own.volumes.iter().enumerate() {
        if let MountSource::HostPath(folder) = &volume.source
            && !own.make_folders.contains(folder)
            && is_missing(machine, folder).await
        {
            let detail = format!(
                "There is no {folder} on host {:?}. Create it, set create = true, or mount another path.",
                machine.host.name()
            );
            let path = Path::of("docker").attribute("volume").index(index).attribute("host_path");
            found.push(Diagnostic::error("The folder is not there", detail).at(path));
        }
    }
    found.extend(docker::on_host(machine, own).await);
    found
}

fn no_model(model: &ModelRef, folder: &str, host: &str) -> Diagnostic {
    match model {
        ModelRef::Path(_) => {
            let detail = format!(
                "There is no {folder} on host {host:?}. Give the path as it is on that host, or a Hugging Face name."
            );
            Diagnostic::error("The model is not there", detail)
        }
        ModelRef::HuggingFace(_) => {
            let detail = format!(
                "Models are downloaded to {folder} on host {host:?}, which does not exist. Create it so that user 1000 or group 0 \
                 can write there (`sudo install -d -o 1000 -g 0 -m 2775 {folder}`), or set model_cache of the host."
            );
            Diagnostic::error("The model cache is not there", detail)
        }
    }
}

/// An image that must be there already, because nobody may download it.
pub(crate) async fn image(machine: &Machine, image: &str, policy: PullPolicy, at: &Path) -> Diagnostics {
    match missing_image(machine, image, policy).await {
        Ok(problem) => Diagnostics(problem.into_iter().map(|it| it.at(at.clone())).collect()),
        Err(error) => host_errors::diagnostic("Unable to look for the image", &error, None).into(),
    }
}

async fn missing_image(
    machine: &Machine,
    image: &str,
    policy: PullPolicy,
) -> Result<Option<Diagnostic>, HostError> {
    if policy != PullPolicy::Never || machine.host.image(image).await?.is_some() {
        return Ok(None);
    }
    let detail = format!(
        "Image {image} is not on host {:?}, and image_pull_policy is \"never\". Pull or load it there, or set the policy to \
         \"missing\".",
        machine.host.name()
    );
    Ok(Some(Diagnostic::error("The image is not there", detail)))
}
