//! Between the attributes of a worker and the domain's words. Pure: no host is asked.

use super::schema::{DeploymentView, WorkerModel};
use crate::dynamo::check;
use crate::dynamo::facts::cache_server::CacheServer;
use crate::dynamo::facts::release;
use crate::dynamo::facts::topology::{Topology, WorkerPort};
use crate::dynamo::spec::draft::{CommonDraft, WorkerDraft};
use crate::dynamo::spec::gpus::GpuName;
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::names;
use crate::dynamo::terms::objection::Objection;
use crate::dynamo::terms::words::{DesiredState, NetworkMode, Role};
use crate::provider::attributes::blocks::{DockerModel, ResourcesModel, RouterModel, TextMap, block_of};
use crate::provider::attributes::to_draft::given;
use crate::provider::attributes::{connector, model_args, picked_ports, secret_env, to_draft};
use crate::provider::lifecycle::spec_label;
use crate::provider::plan_checks::model_source::ModelSource;
use crate::tf_provider::attr::{Attr, Block, Dynamic, Nested};
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::value::Path;
use std::collections::BTreeMap;

/// The deployment as the worker sees it; all unknown while it is unknown as a whole.
pub(crate) fn deployment(model: &WorkerModel) -> DeploymentView {
    match &model.deployment {
        Attr::Known(Nested(view)) => view.clone(),
        Attr::Null => DeploymentView::default(),
        Attr::Unknown => DeploymentView {
            id: Attr::Unknown,
            name: Attr::Unknown,
            host: Attr::Unknown,
            engine: Attr::Unknown,
            dynamo_version: Attr::Unknown,
            image: Attr::Unknown,
            image_pull_policy: Attr::Unknown,
            model: Attr::Unknown,
            served_model_name: Attr::Unknown,
            mode: Attr::Unknown,
            network: Attr::Unknown,
            services: Attr::Unknown,
            env: Attr::Unknown,
            model_args: Attr::Unknown,
            engine_args: Attr::Unknown,
            prefill_engine_args: Attr::Unknown,
            decode_engine_args: Attr::Unknown,
            desired_state: Attr::Unknown,
            router: Attr::Unknown,
            connector: Attr::Unknown,
            resources: Attr::Unknown,
            docker: Attr::Unknown,
        },
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
        router: to_draft::router(&router),
        env: to_draft::texts(&env),
        connector: connector::draft(&block_of(connector)),
        model_args: model_args::draft(&model_args),
        engine_args: to_draft::engine_args(&engine_args, &Path::of("deployment"))?,
        prefill_engine_args: to_draft::engine_args(&prefill_engine_args, &Path::of("deployment"))?,
        decode_engine_args: to_draft::engine_args(&decode_engine_args, &Path::of("deployment"))?,
        resources: resources.present().map(to_draft::resources).unwrap_or_default(),
        docker: to_draft::docker(&docker),
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
        resources: model.resources.present().map(to_draft::resources),
        docker: to_draft::docker(&model.docker),
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

/// The ports that are picked when the worker's container is made; none while what they depend on is not known.
pub(crate) fn picked(model: &WorkerModel) -> Vec<&'static WorkerPort> {
    let Ok(mut draft) = draft(model) else { return Vec::new() };
    if deployment(model).services.is_unknown() {
        draft.deployment.services = picked_ports::services_to_come(topology(model));
    }
    check::picked_ports(&draft).unwrap_or_default()
}

/// The cache server that the worker uses, with its container's name.
pub(crate) fn server_of(model: &WorkerModel) -> Option<(&'static CacheServer, String)> {
    let mut draft = draft(model).ok()?;
    if deployment(model).services.is_unknown() {
        draft.deployment.services = picked_ports::services_to_come(topology(model));
    }
    check::cache_server(&draft)
}

/// The ports that are picked for the worker alone.
pub(crate) fn own_rows(model: &WorkerModel) -> Vec<&'static WorkerPort> {
    let server = server_of(model).map_or(&[][..], |(server, _)| server.ports);
    picked(model).into_iter().filter(|row| server.iter().all(|other| other.name != row.name)).collect()
}

/// What the worker's engine is told; unknown while some of it is.
pub(crate) fn effective_args(model: &WorkerModel) -> Attr<TextMap> {
    let view = deployment(model);
    let written =
        [&view.engine_args, &view.prefill_engine_args, &view.decode_engine_args, &model.engine_args];
    if view.model_args.is_unknown() || written.into_iter().any(is_open) {
        return Attr::Unknown;
    }
    let Ok(mut draft) = draft(model) else { return Attr::Unknown };
    if view.services.is_unknown() {
        draft.deployment.services = picked_ports::services_to_come(topology(model));
    }
    if model.ports.is_unknown() {
        draft.ports = picked_ports::ports_to_come(&picked(model));
    }
    model_args::effective(draft)
}

fn is_open(written: &Attr<Dynamic>) -> bool {
    match written {
        Attr::Null => false,
        Attr::Unknown => true,
        Attr::Known(Dynamic(value)) => !value.is_wholly_known(),
    }
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

/// What import rebuilds a worker from: its attributes without what is only ever observed.
pub(crate) fn label(model: &WorkerModel) -> Result<String, Diagnostic> {
    let lasting = WorkerModel {
        status: Attr::Null,
        registered: Attr::Null,
        drift: Attr::Null,
        image_id: Attr::Null,
        ..model.clone()
    };
    spec_label::to_text(&lasting)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tf_provider::value::{Type, Value};

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
    fn the_arguments_of_all_layers_are_shown_as_far_as_they_are_known() {
        let texts = |entries: &[(&str, &str)]| -> Attr<TextMap> {
            Attr::Known(entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect())
        };
        let args = |name: &str, value: &str| {
            let ty = Type::Object([(name.to_owned(), Type::String)].into());
            Attr::Known(Dynamic(Value::dynamic(ty, Value::object([(name, value)]))))
        };
        let view = DeploymentView {
            engine: "vllm".into(),
            model: "Qwen/Qwen3-8B".into(),
            model_args: texts(&[("dyn-reasoning-parser", "qwen3"), ("dyn-tool-call-parser", "hermes")]),
            engine_args: args("dyn_reasoning_parser", "basic"),
            ..chat()
        };
        let worker = WorkerModel {
            gpu_count: Attr::Known(2),
            engine_args: args("seed", "7"),
            ..with_deployment(view.clone())
        };
        let expected = texts(&[
            ("dyn-reasoning-parser", "basic"),
            ("dyn-tool-call-parser", "hermes"),
            ("seed", "7"),
            ("tensor-parallel-size", "2"),
        ]);
        assert_eq!(effective_args(&worker), expected);
        let open = |view: DeploymentView| WorkerModel { gpu_count: Attr::Known(2), ..with_deployment(view) };
        for unknown in [
            WorkerModel { engine_args: Attr::Unknown, ..worker.clone() },
            WorkerModel { gpu_count: Attr::Unknown, ..worker.clone() },
            open(DeploymentView { model_args: Attr::Unknown, ..view.clone() }),
            open(DeploymentView { engine_args: Attr::Unknown, ..view.clone() }),
            open(DeploymentView { prefill_engine_args: Attr::Unknown, ..view.clone() }),
            open(DeploymentView { mode: Attr::Unknown, ..view }),
        ] {
            assert_eq!(effective_args(&unknown), Attr::Unknown, "{unknown:?}");
        }
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
