//! Between the attributes of a worker and the domain's words. Pure: no host is asked.

use super::schema::{DeploymentView, WorkerModel};
use crate::dynamo::check;
use crate::dynamo::facts::release;
use crate::dynamo::facts::topology::Topology;
use crate::dynamo::spec::draft::{CommonDraft, WorkerDraft};
use crate::dynamo::spec::gpus::GpuName;
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::names;
use crate::dynamo::terms::objection::Objection;
use crate::dynamo::terms::words::{DesiredState, NetworkMode, Role};
use crate::provider::attributes::blocks::{DockerModel, ResourcesModel, RouterModel, TextMap, block_of};
use crate::provider::attributes::connector::ConnectorModel;
use crate::provider::attributes::to_draft::given;
use crate::provider::attributes::{connector, model_args, secret_env, to_draft};
use crate::provider::lifecycle::resource::{ContainerResource, Observed};
use crate::provider::plan_checks::model_source::ModelSource;
use crate::tf_provider::attr::{Attr, Block, Nested};
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::model::Model as _;
use crate::tf_provider::provider::shown;
use crate::tf_provider::value::Path;
use std::collections::BTreeMap;

/// The deployment as the worker sees it; all unknown while it is unknown as a whole.
pub(crate) fn deployment(model: &WorkerModel) -> DeploymentView {
    match &model.deployment {
        Attr::Known(Nested(view)) => view.clone(),
        Attr::Null => DeploymentView::default(),
        Attr::Unknown => DeploymentView::unknown(),
    }
}

fn common(view: DeploymentView) -> Result<CommonDraft, Diagnostic> {
    let DeploymentView {
        id: _,
        name,
        host: _,
        engine,
        dynamo_version,
        image,
        image_pull_policy,
        model,
        served_model_name,
        mode,
        network,
        services,
        env,
        model_args,
        engine_args,
        prefill_engine_args,
        decode_engine_args,
        desired_state: _,
        router,
        connector,
        resources,
        docker,
    } = view;
    let router: Block<RouterModel> = block_of(router);
    let connector: Block<ConnectorModel> = block_of(connector);
    let resources: Block<ResourcesModel> = block_of(resources);
    let docker: Block<DockerModel> = block_of(docker);
    Ok(CommonDraft {
        name: given(&name),
        engine: given(&engine),
        dynamo_version: given(&dynamo_version),
        image: given(&image),
        image_pull_policy: given(&image_pull_policy),
        model: given(&model),
        served_model_name: given(&served_model_name),
        mode: given(&mode),
        network: given(&network),
        services: to_draft::texts(&services),
        router: to_draft::router(&router.open()),
        env: to_draft::texts(&env),
        connector: connector::draft(&connector.open()),
        model_args: model_args::draft(&model_args),
        engine_args: to_draft::engine_args(&engine_args, &Path::of("deployment"))?,
        prefill_engine_args: to_draft::engine_args(&prefill_engine_args, &Path::of("deployment"))?,
        decode_engine_args: to_draft::engine_args(&decode_engine_args, &Path::of("deployment"))?,
        resources: to_draft::resources(&resources.open()),
        docker: to_draft::docker(&docker.open()),
    })
}

/// The draft that the attributes make, known or not.
pub(crate) fn draft(model: &WorkerModel) -> Result<WorkerDraft, Diagnostic> {
    // Each by name: a new attribute does not compile until it is considered here.
    let WorkerModel {
        id: _,
        deployment: _,
        host: _,
        role: _,
        gpus: _,
        gpu_count: _,
        env: _,
        secret_env: _,
        secret_env_version: _,
        engine_args: _,
        desired_state: _,
        container: _,
        model_source: _,
        model_path: _,
        secret_env_status: _,
        ports: _,
        effective_engine_args: _,
        image_id: _,
        gpu_uuids: _,
        status: _,
        registered: _,
        drift: _,
        resources: _,
        docker: _,
        timeouts: _,
    } = model;
    Ok(WorkerDraft {
        deployment: common(deployment(model))?,
        role: given(&model.role),
        suffix: suffix(model),
        env: to_draft::texts(&model.env),
        secret_env: secret_env::draft(&model.secret_env, &model.secret_env_version),
        engine_args: to_draft::engine_args(&model.engine_args, &Path::of("engine_args"))?,
        resources: model.resources.open_if_written().as_ref().map(to_draft::resources),
        docker: to_draft::docker(&model.docker.open()),
        gpus: to_draft::gpus(&model.gpus, &model.gpu_count, &model.gpu_uuids),
        desired_state: given(&model.desired_state),
        ports: to_draft::ports(&model.ports),
    })
}

/// The end of the container's name, which is all of a worker's name that others do not decide.
fn suffix(model: &WorkerModel) -> Given<String> {
    match &model.container {
        Attr::Known(name) => Given::Is(name.rsplit('-').next().unwrap_or(name).to_owned()),
        Attr::Null | Attr::Unknown => Given::Unknown,
    }
}

/// What a worker does; decoding, while nothing else is known.
pub(crate) fn role(model: &WorkerModel) -> Role {
    model.role.known().and_then(|word| Role::parse(word)).unwrap_or(Role::Decode)
}

/// The name of the container of a worker with that end.
pub(crate) fn container_name(model: &WorkerModel, suffix: &str) -> Option<String> {
    let role = model.role.known().and_then(|role| Role::parse(role))?;
    Some(names::worker(deployment(model).name.known()?, role, suffix))
}

/// How the deployment's processes meet, once its release and network are known.
pub(crate) fn topology(model: &WorkerModel) -> Option<&'static Topology> {
    let DeploymentView { dynamo_version, network, .. } = deployment(model);
    let version = if dynamo_version.is_null() { release::newest() } else { dynamo_version.known()? };
    let network = match &network {
        Attr::Null => NetworkMode::Bridge,
        word => NetworkMode::parse(word.known()?)?,
    };
    release::find(release::ALL, version).ok()?.0.topology(network)
}

/// What is wrong with a configuration, as far as it is known.
pub(crate) fn objections(model: &WorkerModel) -> Result<Vec<Objection>, Diagnostics> {
    Ok(check::worker(&draft(model)?))
}

/// Whether the worker should run: only if both it and its deployment should.
pub(crate) fn expected_state(model: &WorkerModel) -> Attr<DesiredState> {
    let parse = |attribute: &Attr<String>| match attribute {
        Attr::Null => Attr::Known(DesiredState::Running),
        Attr::Unknown => Attr::Unknown,
        Attr::Known(word) => Attr::Known(DesiredState::parse(word).unwrap_or(DesiredState::Running)),
    };
    match (parse(&model.desired_state), parse(&deployment(model).desired_state)) {
        (Attr::Known(DesiredState::Stopped), _) | (_, Attr::Known(DesiredState::Stopped)) => {
            Attr::Known(DesiredState::Stopped)
        }
        (Attr::Known(own), Attr::Known(_)) => Attr::Known(own),
        _ => Attr::Unknown,
    }
}

/// Fills in what follows from other attributes without asking a host.
pub(crate) fn derive(config: &WorkerModel, planned: &mut WorkerModel) {
    if config.host.is_null() {
        planned.host = deployment(planned).host;
    }
    let state = expected_state(planned);
    planned.status = state.clone().map(|state| state.word().to_owned());
    planned.registered = state.map(|state| state == DesiredState::Running);
    planned.drift = Attr::Known(Vec::new());
    if topology(planned).is_some_and(|row| row.network == NetworkMode::Bridge) {
        planned.ports = Attr::Known(BTreeMap::new());
    }
    let mut model = model_source(planned);
    let before = model.clone();
    model.derive(Some(&before), &Attr::Unknown);
    (planned.model_source, planned.model_path) = (model.source, model.path);
    if let (Attr::Known(host), Attr::Known(container)) = (&planned.host, &planned.container) {
        planned.id = Attr::Known(format!("{host}/{container}"));
    }
}

/// Where the model comes from, as far as the attributes say.
pub(crate) fn model_source(worker: &WorkerModel) -> ModelSource {
    let DeploymentView { model, engine, dynamo_version, .. } = deployment(worker);
    let (source, path) = (worker.model_source.clone(), worker.model_path.clone());
    ModelSource { model, engine, dynamo_version, source, path }
}

/// What is known at plan of the GPUs that a worker will have. Those it has it keeps for as long as it asks for the same,
/// except that a stopped worker gave up what it was picked.
pub(crate) fn planned_gpus(prior: Option<&WorkerModel>, planned: &WorkerModel) -> Attr<Vec<Attr<String>>> {
    let keeps = |prior: &&WorkerModel| {
        let same =
            prior.gpus == planned.gpus && prior.gpu_count == planned.gpu_count && prior.host == planned.host;
        let starts =
            wanted_state(prior) == DesiredState::Stopped && wanted_state(planned) != DesiredState::Stopped;
        let gave_up = starts && !prior.gpu_count.is_null();
        same && !prior.gpu_uuids.is_null() && !gave_up
    };
    if let Some(prior) = prior.filter(keeps) {
        return prior.gpu_uuids.clone();
    }
    if planned.gpu_count.known().is_some_and(|count| *count > 0) || planned.gpu_count.is_unknown() {
        return Attr::Unknown;
    }
    match &planned.gpus {
        Attr::Null => Attr::Known(Vec::new()),
        Attr::Known(items) if items.iter().all(is_uuid) => {
            let mut uuids: Vec<String> = items.iter().filter_map(Attr::known).cloned().collect();
            uuids.sort_unstable();
            Attr::Known(uuids.into_iter().map(Attr::Known).collect())
        }
        // An index means nothing until the host was asked.
        Attr::Known(_) | Attr::Unknown => Attr::Unknown,
    }
}

fn is_uuid(item: &Attr<String>) -> bool {
    item.known().is_some_and(|text| matches!(GpuName::parse(text), Ok(GpuName::Uuid(_))))
}

/// The UUIDs in an attribute; none while they are not known.
pub(crate) fn uuids(attribute: &Attr<Vec<Attr<String>>>) -> Vec<String> {
    attribute.known().into_iter().flatten().filter_map(Attr::known).cloned().collect()
}

/// Whether the worker should run. What is not known yet is taken for yes.
pub(crate) fn wanted_state(model: &WorkerModel) -> DesiredState {
    expected_state(model).known().copied().unwrap_or(DesiredState::Running)
}

impl ContainerResource for WorkerModel {
    fn observed(&mut self) -> Observed<'_> {
        Observed {
            image_id: &mut self.image_id,
            status: &mut self.status,
            drift: &mut self.drift,
            containers: None,
            registered: Some(&mut self.registered),
        }
    }

    fn host(&self) -> &Attr<String> {
        &self.host
    }

    fn secret_env_status(&self) -> &Attr<TextMap> {
        &self.secret_env_status
    }

    fn main_container(&self) -> String {
        shown(&self.container).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_deployment(view: DeploymentView) -> WorkerModel {
        WorkerModel {
            deployment: Attr::Known(Nested(view)),
            role: "decode".into(),
            desired_state: "running".into(),
            ..WorkerModel::default()
        }
    }

    fn chat() -> DeploymentView {
        DeploymentView {
            id: "local/chat".into(),
            name: "chat".into(),
            host: "local".into(),
            engine: "mocker".into(),
            model: "/models/tiny".into(),
            desired_state: "running".into(),
            ..DeploymentView::default()
        }
    }

    #[test]
    fn the_host_is_the_deployments_when_left_out() {
        let mut planned = WorkerModel { host: Attr::Unknown, ..with_deployment(chat()) };
        derive(&with_deployment(chat()), &mut planned);
        assert_eq!(planned.host, "local".into());
        assert_eq!(planned.registered, Attr::Known(true));
        assert!(planned.id.is_null());
    }

    #[test]
    fn a_stopped_deployment_stops_its_workers() {
        let stopped = DeploymentView { desired_state: "stopped".into(), ..chat() };
        assert_eq!(expected_state(&with_deployment(stopped)), Attr::Known(DesiredState::Stopped));
        assert_eq!(expected_state(&with_deployment(chat())), Attr::Known(DesiredState::Running));
        let unknown = WorkerModel { deployment: Attr::Unknown, ..with_deployment(chat()) };
        assert_eq!(expected_state(&unknown), Attr::Unknown);
    }

    #[test]
    fn gpus_are_planned_as_far_as_they_are_known_and_kept() {
        let list = |items: &[&str]| Attr::Known(items.iter().map(|item| (*item).into()).collect::<Vec<_>>());
        let (a, b) = ("GPU-aaaaaaaa", "GPU-bbbbbbbb");
        let asking = |gpus: Attr<Vec<Attr<String>>>, gpu_count: Attr<i64>| WorkerModel {
            gpus,
            gpu_count,
            ..with_deployment(chat())
        };
        let has = |worker: WorkerModel, uuids: &[&str]| WorkerModel { gpu_uuids: list(uuids), ..worker };
        let stopped = |worker: WorkerModel| WorkerModel { desired_state: "stopped".into(), ..worker };
        let count = |count| asking(Attr::Null, Attr::Known(count));
        type Row = (Option<WorkerModel>, WorkerModel, Attr<Vec<Attr<String>>>);
        let table: [Row; 11] = [
            (None, asking(Attr::Null, Attr::Null), list(&[])),
            (None, asking(list(&[]), Attr::Null), list(&[])),
            (None, asking(list(&[b, a]), Attr::Null), list(&[a, b])),
            (None, asking(list(&[a, "0"]), Attr::Null), Attr::Unknown),
            (None, asking(Attr::Unknown, Attr::Null), Attr::Unknown),
            (None, count(0), list(&[])),
            (None, count(2), Attr::Unknown),
            (Some(has(count(1), &[a])), count(1), list(&[a])),
            (Some(has(count(1), &[a])), count(2), Attr::Unknown),
            (Some(stopped(has(count(1), &[a]))), count(1), Attr::Unknown),
            (Some(has(asking(list(&["0"]), Attr::Null), &[a])), asking(list(&["0"]), Attr::Null), list(&[a])),
        ];
        for (prior, planned, expected) in table {
            assert_eq!(planned_gpus(prior.as_ref(), &planned), expected, "{prior:?} → {:?}", planned.gpus);
        }
    }

    #[test]
    fn a_block_that_is_not_known_is_all_unknown_whichever_it_is() {
        let open = DeploymentView {
            router: Attr::Unknown,
            connector: Attr::Unknown,
            resources: Attr::Unknown,
            docker: Attr::Unknown,
            ..chat()
        };
        let worker =
            WorkerModel { resources: Block::Unknown, docker: Block::Unknown, ..with_deployment(open) };
        let draft = draft(&worker).unwrap();
        let common = &draft.deployment;
        assert!(common.router.mode.is_unknown() && common.router.kv_events.is_unknown());
        assert!(common.connector.kind.is_unknown() && common.connector.server.is_unknown());
        assert!(common.resources.cpus.is_unknown() && common.docker.ipc.is_unknown());
        assert!(draft.docker.networks.is_unknown());
        assert!(draft.resources.is_some_and(|own| own.memory_gb.is_unknown()));
        assert_eq!(objections(&worker).unwrap(), []);
        let absent = super::draft(&with_deployment(chat())).unwrap();
        assert_eq!(absent.resources, None);
        assert!(absent.deployment.router.mode.is_absent() && absent.docker.networks.is_absent());
    }

    #[test]
    fn the_name_reads_back() {
        let mut worker = with_deployment(chat());
        let name = container_name(&worker, "abc234").unwrap();
        worker.container = Attr::Known(name);
        assert_eq!(suffix(&worker), Given::Is("abc234".to_owned()));
    }

    #[test]
    fn a_prefill_worker_of_an_aggregated_deployment_is_objected_to() {
        let worker = WorkerModel { role: "prefill".into(), ..with_deployment(chat()) };
        let found = objections(&worker).unwrap();
        assert!(found.iter().any(|objection| objection.to_string().contains("prefill")), "{found:?}");
    }

    #[test]
    fn an_unknown_deployment_is_not_objected_to() {
        let worker = WorkerModel { deployment: Attr::Unknown, ..with_deployment(chat()) };
        assert_eq!(objections(&worker).unwrap(), vec![]);
    }
}
