//! A worker before apply has decided everything: provisional values stand for its name, GPUs, ports, the addresses of services and
//! secret values, so that a plan can look at all the rest. Pure: no host is asked.
//!
//! This is the only place where they are filled in. Nothing that they say is planned or made.

use super::model::{deployment, draft, topology};
use super::schema::WorkerModel;
use crate::dynamo::check;
use crate::dynamo::facts::cache_server::CacheServer;
use crate::dynamo::facts::topology::WorkerPort;
use crate::dynamo::spec::WorkerSpec;
use crate::dynamo::spec::arguments;
use crate::dynamo::spec::draft::{DockerDraft, ResourceDraft, SecretDraft, WorkerDraft};
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::names;
use crate::provider::attributes::blocks::TextMap;
use crate::provider::attributes::model_args::texts;
use crate::provider::attributes::picked_ports::Ports;
use crate::provider::attributes::{paths, picked_ports};
use crate::tf_provider::attr::{Attr, Dynamic};
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};

/// The spec with provisional values for what apply decides; `None` while something else is not known, or is wrong.
pub(crate) fn provisional(model: &WorkerModel) -> Result<Option<WorkerSpec>, Diagnostic> {
    Ok(filled(model, draft(model)?).complete().ok())
}

/// As [`provisional`], where everything else must be known.
pub(crate) fn provisional_spec(model: &WorkerModel) -> Result<WorkerSpec, Diagnostics> {
    filled(model, draft(model)?).complete().map_err(paths::diagnostics)
}

/// The draft with a provisional value for each of what apply decides and has not yet.
fn filled(model: &WorkerModel, mut draft: WorkerDraft) -> WorkerDraft {
    if draft.suffix.is_unknown() {
        draft.suffix = Given::Is(names::suffix([0; names::SUFFIX_LENGTH]));
    }
    draft.secret_env.stand_in();
    if draft.gpus.assigned.is_unknown() {
        draft.gpus.assigned = Given::Absent;
    }
    if deployment(model).services.is_unknown() {
        draft.deployment.services = picked_ports::provisional_services(topology(model));
    }
    if model.ports.is_unknown() {
        draft.ports = picked_ports::provisional_ports(&check::picked_ports(&draft).unwrap_or_default());
    }
    draft
}

/// The worker with a provisional port wherever it has none.
pub(crate) fn with_provisional_ports(model: &WorkerModel) -> WorkerModel {
    let ports = match &model.ports {
        Attr::Unknown => Attr::Known(Ports::new()),
        known => known.clone(),
    };
    WorkerModel { ports: picked_ports::with_provisional_ports(&ports, &picked(model)), ..model.clone() }
}

/// The ports that are picked when the worker's container is made; none while what they depend on is not known.
pub(crate) fn picked(model: &WorkerModel) -> Vec<&'static WorkerPort> {
    let draft = draft(model).ok().map(|draft| filled(model, draft));
    draft.and_then(|draft| check::picked_ports(&draft)).unwrap_or_default()
}

/// The cache server that the worker uses, with its container's name.
pub(crate) fn server_of(model: &WorkerModel) -> Option<(&'static CacheServer, String)> {
    check::cache_server(&filled(model, draft(model).ok()?))
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
    // None of these says anything to the engine.
    draft.secret_env = SecretDraft::default();
    (draft.docker, draft.deployment.docker) = (DockerDraft::default(), DockerDraft::default());
    (draft.resources, draft.deployment.resources) = (None, ResourceDraft::default());
    let spec = filled(model, draft).complete();
    spec.map_or(Attr::Unknown, |spec| Attr::Known(texts(&arguments::arguments(&spec))))
}

fn is_open(written: &Attr<Dynamic>) -> bool {
    match written {
        Attr::Null => false,
        Attr::Unknown => true,
        Attr::Known(Dynamic(value)) => !value.is_wholly_known(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::worker::schema::DeploymentView;
    use crate::tf_provider::attr::{Block, Nested};
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
            open(DeploymentView { mode: Attr::Unknown, ..view.clone() }),
            // As a `dynamic` block whose `for_each` is not known. The KV router adds an argument.
            open(DeploymentView { router: Attr::Unknown, ..view.clone() }),
            open(DeploymentView { connector: Attr::Unknown, ..view.clone() }),
        ] {
            assert_eq!(effective_args(&unknown), Attr::Unknown, "{unknown:?}");
        }
        // What says nothing to the engine leaves its arguments known.
        for known in [
            WorkerModel { docker: Block::Unknown, ..worker.clone() },
            WorkerModel { resources: Block::Unknown, ..worker.clone() },
            WorkerModel {
                deployment: Attr::Known(Nested(DeploymentView {
                    docker: Attr::Unknown,
                    resources: Attr::Unknown,
                    ..view
                })),
                ..worker
            },
        ] {
            assert_eq!(effective_args(&known), expected, "{known:?}");
        }
    }
}
