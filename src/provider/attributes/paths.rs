//! The domain's objections as diagnostics: each field of a spec has its attribute.

use crate::dynamo::terms::objection::{DockerField, Field, Objection};
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::value::Path;

/// The objections as errors, each at its attribute.
pub(crate) fn diagnostics(objections: Vec<Objection>) -> Diagnostics {
    Diagnostics(objections.into_iter().map(diagnostic).collect())
}

fn diagnostic(objection: Objection) -> Diagnostic {
    let summary = format!("Invalid {}", objection.field);
    let detail = format!("{}; {}.", capitalised(&objection.what), objection.fix);
    let error = Diagnostic::error(summary, detail);
    match path(&objection.field) {
        Some(path) => error.at(path),
        None => error,
    }
}

/// `None` where the fault is in the provider block, which a resource's diagnostic cannot point at.
fn path(field: &Field) -> Option<Path> {
    let path = match field {
        Field::Name => Path::of("name"),
        Field::Engine => Path::of("engine"),
        Field::DynamoVersion => Path::of("dynamo_version"),
        Field::Image => Path::of("image"),
        Field::ImagePullPolicy => Path::of("image_pull_policy"),
        Field::Model => Path::of("model"),
        Field::ServedModelName => Path::of("served_model_name"),
        Field::Mode => Path::of("mode"),
        Field::Network => Path::of("network"),
        Field::Port => Path::of("port"),
        Field::BindAddress => Path::of("bind_address"),
        Field::DesiredState => Path::of("desired_state"),
        Field::Deployment => Path::of("deployment"),
        Field::Role => Path::of("role"),
        Field::Suffix => Path::of("container"),
        Field::Gpus => Path::of("gpus"),
        Field::Gpu(at) => Path::of("gpus").index(*at),
        Field::GpuCount => Path::of("gpu_count"),
        Field::Env(key) => Path::of("env").key(key),
        Field::SecretEnv(key) => Path::of("secret_env").key(key),
        Field::SecretEnvVersion => Path::of("secret_env_version"),
        // The value is an object: its arguments are attributes of it.
        Field::EngineArg(key) => Path::of("engine_args").attribute(key),
        Field::ModelArg(_) => Path::of("model"),
        Field::RoleArg(role, key) => Path::of(&format!("{}_engine_args", role.word())).attribute(key),
        Field::Connector(field) => Path::of("connector").attribute(field.word()),
        Field::RouterMode => Path::of("router").attribute("mode"),
        Field::Router(option) => Path::of("router").attribute(option.word()),
        Field::Resources(field) => Path::of("resources").attribute(field.word()),
        Field::Docker(field) => docker(field),
        Field::Services => Path::of("services"),
        Field::Host => Path::of("host"),
        Field::Version => Path::of("version"),
        Field::Source(at) => Path::of("deployments").index(*at),
        Field::Auth => Path::of("auth"),
        Field::AdminEmail => Path::of("admin_email"),
        Field::AdminPassword => Path::of("admin_password"),
        Field::AdminPasswordVersion => Path::of("admin_password_version"),
        Field::WorkerPort(name) => Path::of("ports").key(name),
        Field::HostReserved(_) | Field::HostAdvertiseAddress => return None,
    };
    Some(path)
}

fn docker(field: &DockerField) -> Path {
    let docker = Path::of("docker");
    let volume = |at: &usize, name| docker.attribute("volume").index(*at).attribute(name);
    let ulimit = |at: &usize, name| docker.attribute("ulimit").index(*at).attribute(name);
    match field {
        DockerField::VolumeHostPath(at) => volume(at, "host_path"),
        DockerField::VolumeContainerPath(at) => volume(at, "container_path"),
        DockerField::ExtraHost(key) => docker.attribute("extra_hosts").key(key),
        DockerField::ShmSizeGb => docker.attribute("shm_size_gb"),
        DockerField::UlimitName(at) => ulimit(at, "name"),
        DockerField::UlimitSoft(at) => ulimit(at, "soft"),
        DockerField::UlimitHard(at) => ulimit(at, "hard"),
        DockerField::Label(key) => docker.attribute("labels").key(key),
        DockerField::Network(at) => docker.attribute("networks").index(*at),
        DockerField::CapAdd(at) => docker.attribute("cap_add").index(*at),
        DockerField::Device(at) => docker.attribute("devices").index(*at),
        DockerField::Privileged => docker.attribute("privileged"),
        DockerField::Ipc => docker.attribute("ipc"),
        DockerField::Runtime => docker.attribute("runtime"),
        DockerField::LogDriver => docker.attribute("log_driver"),
        DockerField::LogOption(key) => docker.attribute("log_options").key(key),
        DockerField::Restart => docker.attribute("restart"),
        DockerField::StopGraceSeconds => docker.attribute("stop_grace_seconds"),
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
