//! Between the attributes of a deployment and the domain's words. Pure: no host is asked.

use super::schema::DeploymentModel;
use crate::dynamo::check;
use crate::dynamo::check::image_tag;
use crate::dynamo::facts::engine::EngineFacts;
use crate::dynamo::facts::release;
use crate::dynamo::facts::release::Release;
use crate::dynamo::facts::topology::Topology;
use crate::dynamo::spec::draft::{CommonDraft, DeploymentDraft};
use crate::dynamo::spec::model::ModelRef;
use crate::dynamo::terms::endpoint::Endpoint;
use crate::dynamo::terms::names;
use crate::dynamo::terms::names::FRONTEND;
use crate::dynamo::terms::objection::Objection;
use crate::dynamo::terms::ports::{frontend_url, is_everywhere};
use crate::dynamo::terms::words::{DesiredState, Engine, NetworkMode};
use crate::provider::attributes::blocks::TextMap;
use crate::provider::attributes::picked_ports::advertised;
use crate::provider::attributes::to_draft::given;
use crate::provider::attributes::{connector, model_args, secret_env, to_draft};
use crate::provider::lifecycle::resource::{ContainerResource, Observed};
use crate::provider::plan_checks::model_source::ModelSource;
use crate::tf_provider::attr::Attr;
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::provider::shown;
use crate::tf_provider::value::Path;

/// The draft that the attributes make, known or not.
pub(crate) fn draft(model: &DeploymentModel) -> Result<DeploymentDraft, Diagnostic> {
    // Each by name: a new attribute does not compile until it is considered here.
    let DeploymentModel {
        id: _,
        name: _,
        host: _,
        engine: _,
        dynamo_version: _,
        image: _,
        image_pull_policy: _,
        model: _,
        served_model_name: _,
        mode: _,
        network: _,
        port: _,
        bind_address: _,
        env: _,
        secret_env: _,
        secret_env_version: _,
        engine_args: _,
        prefill_engine_args: _,
        decode_engine_args: _,
        model_args: _,
        desired_state: _,
        endpoint: _,
        image_id: _,
        network_name: _,
        secret_env_status: _,
        model_source: _,
        model_path: _,
        discovery: _,
        services: _,
        status: _,
        drift: _,
        containers: _,
        router: _,
        connector: _,
        resources: _,
        docker: _,
        timeouts: _,
    } = model;
    Ok(DeploymentDraft {
        common: CommonDraft {
            name: given(&model.name),
            engine: given(&model.engine),
            dynamo_version: given(&model.dynamo_version),
            image: given(&model.image),
            image_pull_policy: given(&model.image_pull_policy),
            model: given(&model.model),
            served_model_name: given(&model.served_model_name),
            mode: given(&model.mode),
            network: given(&model.network),
            services: to_draft::texts(&model.services),
            router: to_draft::router(&model.router.open()),
            env: to_draft::texts(&model.env),
            connector: connector::draft(&model.connector.open()),
            model_args: model_args::draft(&model.model_args),
            engine_args: to_draft::engine_args(&model.engine_args, &Path::of("engine_args"))?,
            prefill_engine_args: to_draft::engine_args(
                &model.prefill_engine_args,
                &Path::of("prefill_engine_args"),
            )?,
            decode_engine_args: to_draft::engine_args(
                &model.decode_engine_args,
                &Path::of("decode_engine_args"),
            )?,
            resources: to_draft::resources(&model.resources.open()),
            docker: to_draft::docker(&model.docker.open()),
        },
        secret_env: secret_env::draft(&model.secret_env, &model.secret_env_version),
        port: given(&model.port),
        bind_address: given(&model.bind_address),
        desired_state: given(&model.desired_state),
    })
}

/// What is wrong with a configuration, as far as it is known.
pub(crate) fn objections(model: &DeploymentModel) -> Result<Vec<Objection>, Diagnostics> {
    Ok(check::deployment(&draft(model)?))
}

/// What the configuration says of a deployment's host; all unknown while the host is.
#[derive(Clone, Copy)]
pub(crate) struct HostConfigView<'a> {
    /// Folder for downloads; null = the release's.
    pub model_cache: &'a Attr<String>,
    /// By which other hosts reach it; null = nothing is said.
    pub advertise_address: &'a Attr<String>,
}

impl HostConfigView<'_> {
    pub(crate) const UNKNOWN: HostConfigView<'static> =
        HostConfigView { model_cache: &Attr::Unknown, advertise_address: &Attr::Unknown };
}

/// Fills in what follows from other attributes without asking a host. `config` tells what the user left out; what cannot
/// be worked out yet stays as it is.
pub(crate) fn derive(config: &DeploymentModel, planned: &mut DeploymentModel, host: HostConfigView<'_>) {
    if config.dynamo_version.is_null() && planned.dynamo_version.is_unknown() {
        planned.dynamo_version = tagged(config).unwrap_or_else(|| release::newest().into());
    }
    if config.image.is_null() {
        planned.image = derived_image(planned).map_or(Attr::Unknown, Attr::Known);
    }
    if let Some(model) = planned.model.known().and_then(|text| ModelRef::parse(text).ok())
        && config.served_model_name.is_null()
    {
        planned.served_model_name = model.default_served_name().into();
    }
    let mut model = model_source(planned);
    let before = model.clone();
    model.derive(Some(&before), host.model_cache);
    (planned.model_source, planned.model_path) = (model.source, model.path);
    if let Some(name) = planned.name.known() {
        planned.network_name = match network_of(planned) {
            Some(NetworkMode::Bridge) => names::network(name).as_str().into(),
            Some(NetworkMode::Host) => Attr::Null,
            None => Attr::Unknown,
        };
        planned.id = planned.host.known().map_or(Attr::Unknown, |host| Attr::Known(format!("{host}/{name}")));
    }
    (planned.discovery, planned.services) = match topology_of(planned) {
        Some(topology) => (topology.word().into(), services(topology, planned, host.advertise_address)),
        None => (Attr::Unknown, Attr::Unknown),
    };
    planned.endpoint = match (planned.bind_address.known(), planned.port.known()) {
        // A host that is not known for a while does not move it.
        (Some(address), Some(_)) if is_everywhere(address) && host.advertise_address.is_unknown() => {
            planned.endpoint.clone()
        }
        (Some(address), Some(port)) => {
            Attr::Known(frontend_url(address, *port, host.advertise_address.known().map(String::as_str)))
        }
        _ => Attr::Unknown,
    };
    planned.status = expected_status(planned);
    planned.drift = Attr::Known(Vec::new());
}

/// The version that is in the tag of the image that was chosen, if that names one; unknown while the image is.
pub(crate) fn tagged(config: &DeploymentModel) -> Option<Attr<String>> {
    match &config.image {
        Attr::Null => None,
        Attr::Unknown => Some(Attr::Unknown),
        Attr::Known(image) => image_tag::version_of(image, release::ALL).map(Attr::from),
    }
}

/// Addresses of the supporting services. On the hosts' own network their ports are picked once; the address is the
/// host's, wherever that moves.
fn services(topology: &Topology, planned: &DeploymentModel, advertise: &Attr<String>) -> Attr<TextMap> {
    let seats = topology.services.iter().map(|service| {
        let seat = match topology.network {
            NetworkMode::Bridge => Endpoint { address: service.name.to_owned(), port: service.port },
            NetworkMode::Host => {
                let before = planned.services.known()?.get(service.name)?.known()?;
                moved(Endpoint::parse(before)?, advertise)
            }
        };
        Some((service.name.to_owned(), Attr::Known(seat.to_string())))
    });
    seats.collect::<Option<_>>().map_or(Attr::Unknown, Attr::Known)
}

fn moved(seat: Endpoint, advertise: &Attr<String>) -> Endpoint {
    match advertise {
        Attr::Unknown => seat,
        _ => Endpoint { address: advertised(advertise).to_owned(), ..seat },
    }
}

/// Where the model comes from, as far as the attributes say.
pub(crate) fn model_source(model: &DeploymentModel) -> ModelSource {
    ModelSource {
        model: model.model.clone(),
        engine: model.engine.clone(),
        dynamo_version: model.dynamo_version.clone(),
        source: model.model_source.clone(),
        path: model.model_path.clone(),
    }
}

/// The status that a deployment should have; unknown when it is not known whether it should run.
pub(crate) fn expected_status(model: &DeploymentModel) -> Attr<String> {
    match &model.desired_state {
        Attr::Known(word) => word.as_str().into(),
        Attr::Null => DesiredState::Running.word().into(),
        Attr::Unknown => Attr::Unknown,
    }
}

fn release_of(model: &DeploymentModel) -> Option<&'static Release> {
    release::find(release::ALL, model.dynamo_version.known()?).ok().map(|(release, _)| release)
}

fn network_of(model: &DeploymentModel) -> Option<NetworkMode> {
    match &model.network {
        Attr::Known(word) => NetworkMode::parse(word),
        Attr::Null => Some(NetworkMode::Bridge),
        Attr::Unknown => None,
    }
}

/// How processes of the deployment meet, once release and network are known.
pub(crate) fn topology_of(model: &DeploymentModel) -> Option<&'static Topology> {
    release_of(model)?.topology(network_of(model)?)
}

/// Names of the deployment's own containers, in the order in which they start.
pub(crate) fn containers(model: &DeploymentModel) -> Vec<String> {
    let services = topology_of(model).map(|row| row.services).unwrap_or_default().iter();
    let components = services.map(|service| service.name).chain([FRONTEND]);
    components.map(|component| names::container(shown(&model.name), component)).collect()
}

fn derived_image(model: &DeploymentModel) -> Option<String> {
    let version = model.dynamo_version.known()?;
    let release = release_of(model)?;
    let engine: &EngineFacts = release.engine(Engine::parse(model.engine.known()?)?)?;
    Some(release.image(engine, version))
}

impl ContainerResource for DeploymentModel {
    fn observed(&mut self) -> Observed<'_> {
        Observed {
            image_id: &mut self.image_id,
            status: &mut self.status,
            drift: &mut self.drift,
            containers: Some(&mut self.containers),
            registered: None,
        }
    }

    fn host(&self) -> &Attr<String> {
        &self.host
    }

    fn secret_env_status(&self) -> &Attr<TextMap> {
        &self.secret_env_status
    }

    fn main_container(&self) -> String {
        names::container(shown(&self.name), FRONTEND)
    }

    fn model_folder(&self) -> Option<&str> {
        let model = self.model.known().map(String::as_str);
        model.filter(|text| matches!(ModelRef::parse(text), Ok(ModelRef::Path(_))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SILENT: HostConfigView<'static> =
        HostConfigView { model_cache: &Attr::Null, advertise_address: &Attr::Null };

    fn minimal() -> DeploymentModel {
        DeploymentModel {
            engine: "mocker".into(),
            model: "/models/tiny".into(),
            name: "chat".into(),
            host: "local".into(),
            desired_state: "running".into(),
            bind_address: "127.0.0.1".into(),
            ..DeploymentModel::default()
        }
    }

    #[test]
    fn everything_that_follows_is_known_at_plan() {
        let config = minimal();
        let mut planned =
            DeploymentModel { dynamo_version: Attr::Unknown, port: Attr::Known(8001), ..minimal() };
        derive(&config, &mut planned, SILENT);
        assert_eq!(planned.id, "local/chat".into());
        assert_eq!(planned.endpoint, "http://127.0.0.1:8001".into());
        assert_eq!(planned.served_model_name, "tiny".into());
        assert_eq!(planned.model_source, "local".into());
        assert_eq!(planned.model_path, "/models/tiny".into());
        assert_eq!(planned.dynamo_version, release::newest().into());
        assert!(planned.image.known().is_some_and(|image| image.contains(release::newest())));
        assert_eq!(planned.discovery, "file".into());
        assert_eq!(planned.status, "running".into());
    }

    #[test]
    fn an_image_is_run_as_what_its_tag_says() {
        for (image, version) in [
            (Attr::from("r/vllm-runtime:1.3.1-cuda13"), Attr::from("1.3.1")),
            ("mine:latest".into(), release::newest().into()),
            (Attr::Null, release::newest().into()),
            (Attr::Unknown, Attr::Unknown),
        ] {
            let config = DeploymentModel { image, ..minimal() };
            let mut planned = DeploymentModel { dynamo_version: Attr::Unknown, ..config.clone() };
            derive(&config, &mut planned, SILENT);
            assert_eq!(planned.dynamo_version, version, "{:?}", config.image);
            let config = DeploymentModel { dynamo_version: "1.5.1".into(), ..config };
            let mut planned = config.clone();
            derive(&config, &mut planned, SILENT);
            assert_eq!(planned.dynamo_version, "1.5.1".into());
        }
    }

    #[test]
    fn what_depends_on_an_unknown_is_unknown() {
        let config = minimal();
        let mut planned = DeploymentModel {
            name: Attr::Unknown,
            id: Attr::Unknown,
            port: Attr::Unknown,
            desired_state: Attr::Unknown,
            ..minimal()
        };
        derive(&config, &mut planned, SILENT);
        assert!(planned.id.is_unknown() && planned.endpoint.is_unknown() && planned.status.is_unknown());
    }

    #[test]
    fn deriving_twice_changes_nothing() {
        let config = minimal();
        let mut once =
            DeploymentModel { dynamo_version: Attr::Unknown, port: Attr::Known(8000), ..minimal() };
        derive(&config, &mut once, SILENT);
        let mut twice = once.clone();
        derive(&config, &mut twice, SILENT);
        assert_eq!(once, twice);
    }

    #[test]
    fn where_a_model_of_the_hub_comes_from_is_kept() {
        let config = DeploymentModel { model: "acme/tiny".into(), ..minimal() };
        let mut planned = DeploymentModel { model_source: Attr::Unknown, ..config.clone() };
        derive(&config, &mut planned, SILENT);
        assert!(planned.model_source.is_unknown() && planned.model_path.is_null());
        let decided = DeploymentModel {
            dynamo_version: release::newest().into(),
            model_source: "download".into(),
            model_path: "/data/hf".into(),
            ..config.clone()
        };
        for (cache, path) in [
            ("/other".into(), "/other"),
            (Attr::Null, "/var/lib/dynamo/huggingface"),
            // A host that is not known for a while does not move it.
            (Attr::Unknown, "/data/hf"),
        ] {
            let mut later = decided.clone();
            derive(&config, &mut later, HostConfigView { model_cache: &cache, ..SILENT });
            assert_eq!((later.model_source, later.model_path), ("download".into(), path.into()));
        }
    }

    #[test]
    fn endpoints_are_addresses_one_can_connect_to() {
        for (bind, url) in [
            ("0.0.0.0", "http://127.0.0.1:80"),
            ("::", "http://[::1]:80"),
            ("10.0.0.1", "http://10.0.0.1:80"),
            ("fd00::1", "http://[fd00::1]:80"),
        ] {
            assert_eq!(frontend_url(bind, 80, None), url);
        }
        let known_as = "10.0.0.11";
        assert_eq!(frontend_url("0.0.0.0", 80, Some(known_as)), "http://10.0.0.11:80");
        assert_eq!(frontend_url("127.0.0.1", 80, Some(known_as)), "http://127.0.0.1:80");
    }

    #[test]
    fn services_keep_their_port_and_follow_their_host() {
        let config = DeploymentModel { network: "host".into(), ..minimal() };
        let mut planned = DeploymentModel {
            dynamo_version: Attr::Unknown,
            services: Attr::Unknown,
            network_name: Attr::Unknown,
            ..config.clone()
        };
        derive(&config, &mut planned, SILENT);
        assert_eq!((&planned.discovery, &planned.network_name), (&"etcd".into(), &Attr::Null));
        assert!(planned.services.is_unknown());
        let at = |seat: &str| Attr::Known(TextMap::from([("etcd".to_owned(), seat.into())]));
        planned.services = at("127.0.0.1:2380");
        for (advertise, seat) in [
            (Attr::Null, "127.0.0.1:2380"),
            ("10.0.0.11".into(), "10.0.0.11:2380"),
            (Attr::Unknown, "10.0.0.11:2380"),
            ("fd00::11".into(), "[fd00::11]:2380"),
        ] {
            derive(&config, &mut planned, HostConfigView { advertise_address: &advertise, ..SILENT });
            assert_eq!(planned.services, at(seat));
        }
    }
}
