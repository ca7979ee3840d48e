//! Between the attributes of a page and the domain's words. Pure: no host is asked.

use super::schema::{OpenWebuiModel, SourceView};
use crate::dynamo::openwebui::{COMPONENT, OpenWebuiDraft, SourceDraft, check, release};
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::names;
use crate::dynamo::terms::objection::{Field, Objection, Refusal};
use crate::dynamo::terms::ports::{frontend_url, is_everywhere};
use crate::dynamo::terms::words::{DesiredState, NetworkMode};
use crate::provider::attributes::blocks::TextMap;
use crate::provider::attributes::to_draft::given;
use crate::provider::attributes::{secret_env, to_draft};
use crate::provider::lifecycle::resource::{ContainerResource, Observed};
use crate::tf_provider::attr::{Attr, Nested, NestedList};
use crate::tf_provider::diagnostics::Diagnostic;
use crate::tf_provider::model::Model as _;
use crate::tf_provider::provider::shown;
use crate::tf_provider::value::Path;

/// The deployments, in their order. Unknown as a whole, or each by itself.
pub(crate) fn sources(model: &OpenWebuiModel) -> Given<Vec<SourceView>> {
    let view = |item: &Attr<Nested<SourceView>>| match item {
        Attr::Known(Nested(view)) => view.clone(),
        Attr::Null => SourceView::default(),
        Attr::Unknown => SourceView::unknown(),
    };
    match (&model.deployment, &model.deployments) {
        (Attr::Null, Attr::Known(NestedList(items))) => Given::Is(items.iter().map(view).collect()),
        (Attr::Null, Attr::Unknown) => Given::Unknown,
        (Attr::Null, Attr::Null) => Given::Absent,
        (one, _) => Given::Is(vec![view(one)]),
    }
}

/// What the first deployment says, unknown while it is.
fn first<T: Clone>(model: &OpenWebuiModel, of: impl Fn(&SourceView) -> Attr<T>) -> Attr<T> {
    match sources(model) {
        Given::Is(sources) => sources.first().map_or(Attr::Null, of),
        Given::Unknown => Attr::Unknown,
        Given::Absent => Attr::Null,
    }
}

/// The draft that the attributes make, known or not. `advertise` tells by which address others reach a host.
pub(crate) fn draft(model: &OpenWebuiModel, advertise: &dyn Fn(&str) -> Attr<String>) -> OpenWebuiDraft {
    let source = |view: &SourceView| source(view, advertise);
    OpenWebuiDraft {
        name: given(&model.name),
        host: given(&model.host),
        sources: sources(model).map(|views| views.iter().map(source).collect()),
        version: given(&model.version),
        image: given(&model.image),
        image_pull_policy: given(&model.image_pull_policy),
        port: given(&model.port),
        bind_address: given(&model.bind_address),
        auth: given(&model.auth),
        admin_email: given(&model.admin_email),
        admin_password_version: given(&model.admin_password_version),
        env: to_draft::texts(&model.env),
        secret_env: secret_env::draft(&model.secret_env, &model.secret_env_version),
        resources: to_draft::resources(&model.resources.open()),
        docker: to_draft::docker(&model.docker.open()),
        desired_state: given(&model.desired_state),
    }
}

fn source(view: &SourceView, advertise: &dyn Fn(&str) -> Attr<String>) -> SourceDraft {
    let SourceView {
        id: _,
        name,
        host,
        dynamo_version,
        engine,
        served_model_name,
        network,
        port,
        bind_address,
        desired_state: _,
    } = view;
    SourceDraft {
        name: given(name),
        host: given(host),
        dynamo_version: given(dynamo_version),
        engine: given(engine),
        network: given(network),
        port: given(port),
        bind_address: given(bind_address),
        served_model_name: given(served_model_name),
        advertise_address: host.known().map_or(Given::Absent, |host| given(&advertise(host))),
    }
}

/// What is wrong with a configuration, as far as it is known and no host is needed.
pub(crate) fn objections(model: &OpenWebuiModel) -> Vec<Objection> {
    let mut found = check::openwebui(&draft(model, &|_| Attr::Unknown));
    let neither = model.deployment.is_null() && model.deployments.is_null();
    if neither || model.deployment.known().is_some() && model.deployments.known().is_some() {
        let what = if neither { "there is none" } else { "deployments is set beside it" };
        let fix = "set deployment for one, or deployments for several";
        found.push(Refusal::new(what, fix).at(Field::Deployment));
    }
    found.into_iter().map(|objection| at_its_attribute(model, objection)).collect()
}

/// What is wrong with how people log in; only a configuration tells.
pub(crate) fn login_objections(config: &OpenWebuiModel) -> Vec<Objection> {
    let password = given(&config.admin_password).map(|_| ());
    check::login(&given(&config.auth), &given(&config.admin_email), &password)
}

/// One deployment is an attribute, and several are a list.
pub(crate) fn at_its_attribute(model: &OpenWebuiModel, objection: Objection) -> Objection {
    match (&objection.field, model.deployment.is_null()) {
        (Field::Source(_), false) => Objection { field: Field::Deployment, ..objection },
        _ => objection,
    }
}

/// Fills in what follows from other attributes without asking a host. `config` tells what the user left out; `advertise` is
/// the address by which others reach the page's host.
pub(crate) fn derive(config: &OpenWebuiModel, planned: &mut OpenWebuiModel, advertise: &Attr<String>) {
    if config.host.is_null() && planned.host.known().is_none() {
        planned.host = first(planned, |view| view.host.clone());
    }
    if config.name.is_null() && planned.name.known().is_none() {
        planned.name = first(planned, |view| view.name.clone());
    }
    if config.version.is_null() {
        planned.version = match (&config.image, planned.version.known()) {
            (Attr::Null, Some(kept)) => kept.as_str().into(),
            (Attr::Null, None) => release::NEWEST.into(),
            // Which release an image of the user's own has, only they know.
            _ => Attr::Null,
        };
    }
    if config.image.is_null() {
        planned.image = planned.version.clone().map(|version| release::image(&version));
    }
    if let Some(name) = planned.name.known() {
        planned.container = Attr::Known(names::container(name, COMPONENT));
        planned.data_volume = Attr::Known(names::openwebui_volume(name));
        planned.id = planned.host.known().map_or(Attr::Unknown, |host| Attr::Known(format!("{host}/{name}")));
    }
    planned.endpoint = match (planned.bind_address.known(), planned.port.known()) {
        // A host that is not known for a while does not move it.
        (Some(address), Some(_)) if is_everywhere(address) && advertise.is_unknown() => {
            planned.endpoint.clone()
        }
        (Some(address), Some(port)) => {
            Attr::Known(frontend_url(address, *port, advertise.known().map(String::as_str)))
        }
        _ => Attr::Unknown,
    };
    planned.status = planned.desired_state.clone();
    planned.drift = Attr::Known(Vec::new());
}

/// Whether the page should run. What is not known yet is taken for yes.
pub(crate) fn wanted_state(model: &OpenWebuiModel) -> DesiredState {
    model.desired_state.known().and_then(|word| DesiredState::parse(word)).unwrap_or(DesiredState::Running)
}

/// Deployments that are told not to run: their models are not there to talk to.
pub(crate) fn stopped(model: &OpenWebuiModel) -> Option<Diagnostic> {
    let all = sources(model).known().cloned().unwrap_or_default();
    let is_stopped = |view: &&SourceView| view.desired_state == DesiredState::Stopped.word().into();
    let names: Vec<String> = all
        .iter()
        .filter(is_stopped)
        .filter_map(|view| view.name.known())
        .map(|name| format!("{name:?}"))
        .collect();
    if names.is_empty() || wanted_state(model) == DesiredState::Stopped {
        return None;
    }
    let detail = format!(
        "The page will run, and its chats can be read, but desired_state of deployment {} is \"stopped\": there is no model to \
         answer. Stop the page as well (desired_state = \"stopped\"), or start the deployment.",
        names.join(", ")
    );
    let at = if model.deployment.is_null() { "deployments" } else { "deployment" };
    Some(Diagnostic::warning("A deployment of the page is stopped", detail).at(Path::of(at)))
}

/// Whether a deployment is another one now: one on another network, which the page cannot join while it runs, and which may
/// be gone before it does.
pub(crate) fn other_deployments(prior: &OpenWebuiModel, planned: &OpenWebuiModel) -> bool {
    let network = |network: Attr<String>| match network {
        Attr::Null => NetworkMode::Bridge.word().into(),
        said => said,
    };
    let of = |model| -> Vec<_> {
        let all = sources(model).known().cloned().unwrap_or_default();
        all.into_iter().map(|view| (view.host, view.name, network(view.network))).collect()
    };
    let planned = of(planned);
    // One that goes takes its network along; one that comes does no harm.
    of(prior).iter().any(|before| !planned.contains(before))
}

impl ContainerResource for OpenWebuiModel {
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
        names::container(shown(&self.name), COMPONENT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::Secret;

    fn chat(name: &str) -> SourceView {
        SourceView {
            name: name.into(),
            host: "local".into(),
            port: Attr::Known(8000),
            ..SourceView::default()
        }
    }

    fn minimal() -> OpenWebuiModel {
        OpenWebuiModel {
            deployment: Attr::Known(Nested(chat("chat"))),
            bind_address: "127.0.0.1".into(),
            desired_state: "running".into(),
            ..OpenWebuiModel::default()
        }
    }

    fn planned_of(config: &OpenWebuiModel) -> OpenWebuiModel {
        let open = OpenWebuiModel { version: Attr::Unknown, port: Attr::Known(3000), ..config.clone() };
        let mut planned = OpenWebuiModel { name: Attr::Unknown, host: Attr::Unknown, ..open };
        derive(config, &mut planned, &Attr::Null);
        planned
    }

    #[test]
    fn what_is_left_out_is_the_deployments() {
        let planned = planned_of(&minimal());
        assert_eq!((&planned.id, &planned.container), (&"local/chat".into(), &"chat-openwebui".into()));
        assert_eq!(planned.data_volume, "chat-openwebui-data".into());
        assert_eq!(planned.endpoint, "http://127.0.0.1:3000".into());
        assert_eq!(planned.version, release::NEWEST.into());
        assert!(planned.image.known().is_some_and(|image| image.ends_with(release::NEWEST)));
        assert_eq!(planned.status, "running".into());
        let several = NestedList(vec![Attr::Known(Nested(chat("code"))), Attr::Known(Nested(chat("chat")))]);
        let config =
            OpenWebuiModel { deployment: Attr::Null, deployments: Attr::Known(several), ..minimal() };
        assert_eq!(planned_of(&config).id, "local/code".into());
        let mut again = planned_of(&config);
        derive(&config, &mut again, &Attr::Null);
        assert_eq!(again, planned_of(&config), "deriving twice changes nothing");
    }

    #[test]
    fn an_image_of_ones_own_has_no_version_unless_it_is_said() {
        let config = OpenWebuiModel { image: "mine/webui:1".into(), ..minimal() };
        let mut planned = planned_of(&config);
        assert!(planned.version.is_null());
        // And back.
        derive(&minimal(), &mut planned, &Attr::Null);
        assert_eq!(planned.version, release::NEWEST.into());
        let said = OpenWebuiModel { version: "0.9.0".into(), ..config };
        let mut planned = said.clone();
        derive(&said, &mut planned, &Attr::Null);
        assert_eq!((planned.version, planned.image), ("0.9.0".into(), "mine/webui:1".into()));
    }

    #[test]
    fn what_depends_on_an_unknown_deployment_is_unknown() {
        let config = OpenWebuiModel { deployment: Attr::Unknown, ..minimal() };
        let mut planned = OpenWebuiModel { name: Attr::Unknown, port: Attr::Unknown, ..config.clone() };
        (planned.id, planned.container) = (Attr::Unknown, Attr::Unknown);
        derive(&config, &mut planned, &Attr::Null);
        for attribute in [&planned.id, &planned.name, &planned.host, &planned.container, &planned.endpoint] {
            assert!(attribute.is_unknown());
        }
        assert_eq!(objections(&planned), []);
    }

    #[test]
    fn exactly_one_of_the_two_ways_to_name_deployments() {
        let several = || Attr::Known(NestedList(vec![Attr::Known(Nested(chat("code")))]));
        for (config, wrong) in [
            (minimal(), false),
            (OpenWebuiModel { deployment: Attr::Null, deployments: several(), ..minimal() }, false),
            (OpenWebuiModel { deployments: several(), ..minimal() }, true),
            (OpenWebuiModel { deployment: Attr::Null, ..minimal() }, true),
            (OpenWebuiModel { deployment: Attr::Unknown, ..minimal() }, false),
        ] {
            let found = objections(&config);
            assert_eq!(found.iter().any(|it| it.field == Field::Deployment), wrong, "{found:?}");
        }
    }

    #[test]
    fn only_a_deployment_that_goes_replaces_the_page() {
        let list = |names: &[&str]| OpenWebuiModel {
            deployment: Attr::Null,
            deployments: Attr::Known(NestedList(
                names.iter().map(|name| Attr::Known(Nested(chat(name)))).collect(),
            )),
            ..minimal()
        };
        for (before, after, replaced) in [
            (minimal(), minimal(), false),
            (minimal(), list(&["chat"]), false),
            (list(&["a"]), list(&["b", "a"]), false),
            (list(&["a", "b"]), list(&["b"]), true),
            (minimal(), list(&["code"]), true),
        ] {
            assert_eq!(other_deployments(&before, &after), replaced);
        }
        let moved = SourceView { network: "host".into(), ..chat("chat") };
        let moved = OpenWebuiModel { deployment: Attr::Known(Nested(moved)), ..minimal() };
        assert!(other_deployments(&minimal(), &moved));
        let port = SourceView { port: Attr::Known(9000), network: "bridge".into(), ..chat("chat") };
        let port = OpenWebuiModel { deployment: Attr::Known(Nested(port)), ..minimal() };
        assert!(!other_deployments(&minimal(), &port));
    }

    #[test]
    fn a_stopped_deployment_is_warned_of_while_the_page_runs() {
        let view = SourceView { desired_state: "stopped".into(), ..chat("chat") };
        let page = OpenWebuiModel { deployment: Attr::Known(Nested(view)), ..minimal() };
        assert!(stopped(&page).is_some_and(|warning| warning.detail.contains("\"chat\"")));
        assert!(stopped(&minimal()).is_none());
        assert!(stopped(&OpenWebuiModel { desired_state: "stopped".into(), ..page }).is_none());
    }

    #[test]
    fn no_password_is_on_the_label() {
        let model = OpenWebuiModel { admin_password: Attr::Known(Secret::new("canary-1")), ..minimal() };
        let text = crate::provider::lifecycle::resource::label(&model).unwrap();
        assert!(!text.contains("canary") && text.contains("chat"), "{text}");
        assert!(!format!("{model:?}").contains("canary"));
    }
}
