//! Reading a draft: every complaint that can be made without a host, and a spec once all is known.

use super::release;
use super::release::OpenWebuiRelease;
use super::spec::{OpenWebuiDraft, OpenWebuiSpec, SourceDeployment, SourceDraft};
use crate::dynamo::check::common::read_state;
use crate::dynamo::check::{DEFAULT_BIND_ADDRESS, docker, env, finish, limits, secret_env};
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::objection::{Field, Objection, Refusal};
use crate::dynamo::terms::reader::{Reader, word};
use crate::dynamo::terms::words::{Engine, NetworkMode, PullPolicy};
use crate::dynamo::terms::{image, names, ports};
use std::collections::BTreeSet;

/// What is wrong, as far as it is known.
pub(crate) fn openwebui(draft: &OpenWebuiDraft) -> Vec<Objection> {
    let mut reader = Reader::default();
    read(&mut reader, draft);
    reader.objections
}

/// What is wrong with how people log in. `password` is there or not: it is only ever in the configuration, so that this is
/// asked apart from the rest.
pub(crate) fn login(auth: &Given<bool>, email: &Given<String>, password: &Given<()>) -> Vec<Objection> {
    let mut objections = Vec::new();
    let mut object = |field: Field, what: &str, fix: &str| objections.push(Refusal::new(what, fix).at(field));
    if auth.known() == Some(&false) && !email.is_absent() {
        object(Field::AdminEmail, "nobody logs in where auth is false", "remove it, or set auth = true");
    } else if auth.known() == Some(&false) && !password.is_absent() {
        object(Field::AdminPassword, "nobody logs in where auth is false", "remove it, or set auth = true");
    } else if email.known().is_some() && password.is_absent() {
        let fix = "set admin_password beside it, or remove it to let the first one who signs up be the administrator";
        object(Field::AdminEmail, "there is no password for it", fix);
    } else if password.known().is_some() && email.is_absent() {
        object(Field::AdminPassword, "there is no account for it", "set admin_email beside it");
    }
    objections
}

impl OpenWebuiDraft {
    /// The spec; every field that has no default must be known.
    pub(crate) fn complete(&self) -> Result<OpenWebuiSpec, Vec<Objection>> {
        let mut reader = Reader::default();
        let spec = read(&mut reader, self);
        finish(spec, reader)
    }
}

fn read(reader: &mut Reader, draft: &OpenWebuiDraft) -> Option<OpenWebuiSpec> {
    let name = reader.needed(Field::Name, &draft.name, |name| names::deployment(name));
    let host = reader.needed(Field::Host, &draft.host, |host| Ok(host.clone()));
    let sources = read_sources(reader, &draft.sources);
    let release = read_release(reader, draft);
    let image = read_image(reader, draft);
    let pull = word(PullPolicy::ALL, PullPolicy::word);
    let pull_policy = reader.or(Field::ImagePullPolicy, &draft.image_pull_policy, PullPolicy::Missing, pull);
    let port = reader.needed(Field::Port, &draft.port, |port| ports::check(*port));
    let address = DEFAULT_BIND_ADDRESS.to_owned();
    let bind_address =
        reader.or(Field::BindAddress, &draft.bind_address, address, |text| ports::check_address(text));
    let auth = reader.or(Field::Auth, &draft.auth, true, |on| Ok(*on));
    let admin_email = reader.maybe(Field::AdminEmail, &draft.admin_email, |text| email(text));
    let version = reader.maybe(Field::AdminPasswordVersion, &draft.admin_password_version, |it| Ok(*it));
    let reserved = release.unwrap_or_else(release::newest).reserved;
    let env = env::read_reserving(reader, &draft.env, reserved);
    let secret_env = secret_env::read(reader, &draft.secret_env, &draft.env, reserved);
    if let Some(secrets) = &secret_env {
        env::fit(reader, &env, secrets, |_| true);
    }
    let resources = limits::read(reader, &draft.resources);
    let docker = docker::read(reader, &draft.docker);
    let desired_state = read_state(reader, &draft.desired_state);
    Some(OpenWebuiSpec {
        name: name?,
        host: host?,
        sources: sources?,
        release: release?,
        image: image?,
        pull_policy: pull_policy?,
        port: port?,
        bind_address: bind_address?,
        auth: auth?,
        admin_email: admin_email?,
        admin_password_version: version?,
        env,
        secret_env: secret_env?,
        resources: resources?,
        docker,
        desired_state: desired_state?,
    })
}

/// An image of the user's own is taken for one of the newest line, unless a version says otherwise.
fn read_release(reader: &mut Reader, draft: &OpenWebuiDraft) -> Option<&'static OpenWebuiRelease> {
    reader.or(Field::Version, &draft.version, release::newest(), |version| release::find(version))
}

fn read_image(reader: &mut Reader, draft: &OpenWebuiDraft) -> Option<String> {
    if !draft.image.is_absent() {
        return reader.needed(Field::Image, &draft.image, |text| image::reference(text));
    }
    let version = draft.version.known().map_or(release::NEWEST, String::as_str);
    (!draft.version.is_unknown()).then(|| release::image(version))
}

/// As the account is called in the database: in small letters.
fn email(text: &str) -> Result<String, Refusal> {
    let parts = text.split_once('@').filter(|(name, domain)| {
        let domain_is_one =
            *domain == "localhost" || domain.split('.').filter(|part| !part.is_empty()).count() > 1;
        !name.is_empty() && !domain.contains('@') && domain_is_one
    });
    let plain = text.chars().all(|c| !c.is_whitespace() && !c.is_control());
    match parts {
        Some(_) if plain => Ok(text.to_lowercase()),
        _ => {
            Err(Refusal::new(format!("{text:?} is not an e-mail address"), "write it like admin@example.org"))
        }
    }
}

fn read_sources(reader: &mut Reader, given: &Given<Vec<SourceDraft>>) -> Option<Vec<SourceDeployment>> {
    let drafts = reader.needed(Field::Deployment, given, |drafts| match drafts.is_empty() {
        true => Err(Refusal::new("there is none to talk to", "name at least one")),
        false => Ok(drafts.clone()),
    })?;
    let mut seen = BTreeSet::new();
    for (index, draft) in drafts.iter().enumerate() {
        let (Some(host), Some(name)) = (draft.host.known(), draft.name.known()) else { continue };
        if !seen.insert((host, name)) {
            let what = format!("deployment {name:?} of host {host:?} is there already");
            reader.object(Field::Source(index), Refusal::new(what, "name each deployment once"));
        }
    }
    let sources = drafts.iter().enumerate().map(|(index, draft)| read_source(reader, index, draft));
    sources.collect::<Vec<_>>().into_iter().collect()
}

/// What is wrong with a deployment is the deployment's own complaint, and here only a reason why it cannot be used.
fn read_source(reader: &mut Reader, index: usize, draft: &SourceDraft) -> Option<SourceDeployment> {
    let mut theirs = Reader::default();
    let source = source(&mut theirs, draft);
    let told = |objection: Objection| Objection {
        field: Field::Source(index),
        what: format!("its {}: {}", objection.field, objection.what),
        fix: objection.fix,
    };
    reader.missing.extend(theirs.objections.into_iter().chain(theirs.missing).map(told));
    source
}

fn source(reader: &mut Reader, draft: &SourceDraft) -> Option<SourceDeployment> {
    let newest = Given::Is(crate::dynamo::facts::release::newest().to_owned());
    let version = if draft.dynamo_version.is_absent() { &newest } else { &draft.dynamo_version };
    let release = reader.needed(Field::DynamoVersion, version, |text| {
        crate::dynamo::facts::release::find(crate::dynamo::facts::release::ALL, text)
            .map(|(release, _)| release)
    });
    let name = reader.needed(Field::Name, &draft.name, |name| names::deployment(name));
    let host = reader.needed(Field::Host, &draft.host, |host| Ok(host.clone()));
    let spelled = word(NetworkMode::ALL, NetworkMode::word);
    let network = reader.or(Field::Network, &draft.network, NetworkMode::Bridge, spelled);
    let address = DEFAULT_BIND_ADDRESS.to_owned();
    let bind_address =
        reader.or(Field::BindAddress, &draft.bind_address, address, |text| ports::check_address(text));
    Some(SourceDeployment {
        name: name?,
        host: host?,
        network: network?,
        container_port: release?.frontend.port,
        port: draft.port.known().and_then(|port| ports::check(*port).ok()),
        bind_address: bind_address?,
        engine: draft.engine.known().and_then(|word| Engine::parse(word)),
        served_model_name: draft.served_model_name.known().cloned(),
        advertise_address: draft.advertise_address.known().cloned(),
    })
}
