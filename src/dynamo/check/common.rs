//! Reads what a deployment decides for all its containers: release, engine, model, mode, network, services, image, and the
//! blocks that frontend and workers share. A worker reads it again, from the object that it gets of its deployment.

use super::{cache_server, connector, docker, engine_args, env, limits, router, shared_args};
use crate::dynamo::facts::engine::EngineFacts;
use crate::dynamo::facts::release;
use crate::dynamo::facts::release::Release;
use crate::dynamo::spec::draft::CommonDraft;
use crate::dynamo::spec::model::ModelRef;
use crate::dynamo::spec::{Common, model};
use crate::dynamo::terms::endpoint::Endpoint;
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::objection::{Field, Refusal};
use crate::dynamo::terms::reader::{Reader, word};
use crate::dynamo::terms::words::{DesiredState, Engine, Mode, NetworkMode, PullPolicy};
use crate::dynamo::terms::{image, names};
use std::collections::BTreeMap;

pub(super) type Releases = &'static [&'static Release];

pub(super) fn read_common(reader: &mut Reader, draft: &CommonDraft, releases: Releases) -> Option<Common> {
    let name = reader.needed(Field::Name, &draft.name, |name| names::deployment(name));
    let version = read_version(reader, draft, releases);
    let release = version.map(|(release, _)| release);
    let engine = read_engine(reader, draft, release);
    let mode = read_mode(reader, draft, engine);
    let image = read_image(reader, draft, version, engine);
    let pull = word(PullPolicy::ALL, PullPolicy::word);
    let pull_policy = reader.or(Field::ImagePullPolicy, &draft.image_pull_policy, PullPolicy::Missing, pull);
    let model = reader.needed(Field::Model, &draft.model, |text| ModelRef::parse(text));
    let served_model_name = read_served_name(reader, draft, model.as_ref(), engine);
    let network = read_network(reader, draft, release, engine);
    let services = read_services(reader, draft, release.zip(network));
    let router = router::read(reader, &draft.router, release);
    let env = env::read(reader, &draft.env, release, engine);
    let connector = connector::read(reader, &draft.connector, engine.zip(mode));
    let engine_args = engine_args::read(reader, &draft.engine_args, engine, Field::EngineArg);
    let model_args = engine_args::read(reader, &draft.model_args, engine, Field::ModelArg);
    shared_args::of_the_connector(reader, &draft.model_args, engine, connector.as_ref(), Field::ModelArg);
    let role_args = shared_args::of_roles(reader, draft, engine.zip(mode));
    let layers = shared_args::layers(draft);
    for (written, at, _) in layers {
        shared_args::of_the_connector(reader, written, engine, connector.as_ref(), at);
    }
    shared_args::must_be_cached(reader, &draft.router, engine.zip(mode), &layers);
    let resources = limits::read(reader, &draft.resources);
    let docker = docker::read(reader, &draft.docker);
    let server = connector.as_ref().and_then(|connector| connector.facts.server.as_ref());
    reader.objections.extend(cache_server::must_share(server, &docker));
    Some(Common {
        name: name?,
        release: release?,
        dynamo_version: version?.1.to_owned(),
        engine: engine?,
        image: image?,
        pull_policy: pull_policy?,
        model: model?,
        served_model_name: served_model_name?,
        mode: mode?,
        network: network?,
        services: services?,
        router: router?,
        env,
        connector: connector?,
        model_args,
        engine_args,
        role_args,
        resources: resources?,
        docker,
    })
}

pub(super) fn read_version(
    reader: &mut Reader,
    draft: &CommonDraft,
    releases: Releases,
) -> Option<(&'static Release, &'static str)> {
    let newest = Given::Is(release::newest_of(releases).to_owned());
    let version = if draft.dynamo_version.is_absent() { &newest } else { &draft.dynamo_version };
    reader.needed(Field::DynamoVersion, version, |version| release::find(releases, version))
}

pub(super) fn read_engine(
    reader: &mut Reader,
    draft: &CommonDraft,
    release: Option<&'static Release>,
) -> Option<&'static EngineFacts> {
    let engine = reader.needed(Field::Engine, &draft.engine, word(Engine::ALL, Engine::word))?;
    let release = release?;
    reader.keep(
        Field::Engine,
        release.engine(engine).ok_or_else(|| {
            let there: Vec<_> = release.engines.iter().map(|facts| facts.engine.word()).collect();
            not_yet(&format!("the engine {:?}", engine.word()), &there)
        }),
    )
}

pub(super) fn read_mode(
    reader: &mut Reader,
    draft: &CommonDraft,
    engine: Option<&EngineFacts>,
) -> Option<Mode> {
    let mode = reader.or(Field::Mode, &draft.mode, Mode::Aggregated, word(Mode::ALL, Mode::word))?;
    let Some(engine) = engine else { return Some(mode) };
    let there = Mode::ALL.iter().filter(|mode| engine.has_mode(**mode)).map(|mode| mode.word());
    let supported = if engine.has_mode(mode) {
        Ok(mode)
    } else {
        let what = format!("the mode {:?} with the engine {:?}", mode.word(), engine.engine.word());
        Err(not_yet(&what, &there.collect::<Vec<_>>()))
    };
    reader.keep(Field::Mode, supported)
}

fn read_network(
    reader: &mut Reader,
    draft: &CommonDraft,
    release: Option<&Release>,
    engine: Option<&EngineFacts>,
) -> Option<NetworkMode> {
    let spelled = word(NetworkMode::ALL, NetworkMode::word);
    let network = reader.or(Field::Network, &draft.network, NetworkMode::Bridge, spelled)?;
    let release = release?;
    let runs = |network: &NetworkMode| engine.is_none_or(|engine| engine.networks.contains(network));
    let there = release.topologies.iter().map(|row| row.network).filter(|network| runs(network));
    let there: Vec<_> = there.map(NetworkMode::word).collect();
    let supported = release.topology(network).map(|_| network).filter(runs);
    let what = format!("the network {:?} with this engine in Dynamo {}", network.word(), release.line);
    reader.keep(Field::Network, supported.ok_or_else(|| not_yet(&what, &there)))
}

/// Services of a private network are found by their names.
fn read_services(
    reader: &mut Reader,
    draft: &CommonDraft,
    on: Option<(&Release, NetworkMode)>,
) -> Option<BTreeMap<&'static str, Endpoint>> {
    let (release, network) = on?;
    let services = release.topology(network)?.services.iter();
    let seats = services.map(|service| {
        let seat = match network {
            NetworkMode::Bridge => Some(Endpoint { address: service.name.to_owned(), port: service.port }),
            NetworkMode::Host => {
                let given = draft.services.get(service.name).unwrap_or(&Given::Absent);
                reader.needed(Field::Services, given, |text| seat(service.name, text))
            }
        };
        Some((service.name, seat?))
    });
    seats.collect::<Vec<_>>().into_iter().collect()
}

pub(super) fn seat(service: &str, text: &str) -> Result<Endpoint, Refusal> {
    Endpoint::parse(text).ok_or_else(|| {
        let what = format!("{text:?} is not an address of {service}");
        Refusal::new(what, "an address has the form 10.0.0.11:2379")
    })
}

fn not_yet(what: &str, instead: &[&str]) -> Refusal {
    let what = format!("{what} is not supported yet by this version of the provider");
    Refusal::new(what, format!("use {}", instead.join(" or ")))
}

fn read_image(
    reader: &mut Reader,
    draft: &CommonDraft,
    version: Option<(&Release, &str)>,
    engine: Option<&EngineFacts>,
) -> Option<String> {
    if !draft.image.is_absent() {
        return reader.needed(Field::Image, &draft.image, |text| image::reference(text));
    }
    let (release, version) = version?;
    Some(release.image(engine?, version))
}

/// A folder's name need not be one that clients can use: then the user must choose one.
fn read_served_name(
    reader: &mut Reader,
    draft: &CommonDraft,
    model: Option<&ModelRef>,
    engine: Option<&EngineFacts>,
) -> Option<String> {
    let chosen = !draft.served_model_name.is_absent();
    let name = if chosen {
        reader.needed(Field::ServedModelName, &draft.served_model_name, |text| model::served_name(text))
    } else {
        reader.keep(Field::ServedModelName, model::served_name(model?.default_served_name()))
    }?;
    if engine.is_some_and(|engine| !engine.renames)
        && let Some(model) = model.filter(|model| model.argument() != name)
    {
        reader.object(if chosen { Field::ServedModelName } else { Field::Model }, cannot_rename(model));
    }
    Some(name)
}

fn cannot_rename(model: &ModelRef) -> Refusal {
    let what = "this engine can serve a model only under its own name on the hub in this release of Dynamo";
    match model {
        ModelRef::Path(_) => {
            Refusal::new(what, "name a model of the hub, or choose a dynamo_version from 1.2 on")
        }
        ModelRef::HuggingFace(_) => Refusal::new(what, "leave served_model_name out"),
    }
}

/// The desired state; running where users say nothing.
pub(in crate::dynamo) fn read_state(reader: &mut Reader, given: &Given<String>) -> Option<DesiredState> {
    let spelled = word(DesiredState::ALL, DesiredState::word);
    reader.or(Field::DesiredState, given, DesiredState::Running, spelled)
}
