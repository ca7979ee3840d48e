//! An Open WebUI from its draft to its container.

use crate::container::labels::Ownership;
use crate::container::{ContainerSpec, Network, labels};
use crate::dynamo::blueprint::{Blueprint, Readiness};
use crate::dynamo::openwebui::*;
use crate::dynamo::spec::draft::{DockerDraft, VolumeDraft};
use crate::dynamo::spec::{HostFacts, Owner};
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::objection::{Field, Objection};

fn is(text: &str) -> Given<String> {
    Given::Is(text.to_owned())
}

fn chat(name: &str) -> SourceDraft {
    SourceDraft {
        name: is(name),
        host: is("local"),
        port: Given::Is(8000),
        served_model_name: is("tiny"),
        ..SourceDraft::default()
    }
}

fn draft() -> OpenWebuiDraft {
    OpenWebuiDraft {
        name: is("chat"),
        host: is("local"),
        sources: Given::Is(vec![chat("chat")]),
        port: Given::Is(3000),
        ..OpenWebuiDraft::default()
    }
}

fn decided(draft: &OpenWebuiDraft) -> Result<Blueprint, Vec<Objection>> {
    let host = HostFacts { cpus: 4, memory_bytes: 8 << 30, ..HostFacts::default() };
    let owner = Owner { run: "run-1".to_owned(), spec_json: "{}".to_owned() };
    decide::openwebui(&draft.complete()?, &host, &owner)
}

fn container(draft: &OpenWebuiDraft) -> ContainerSpec {
    decided(draft).unwrap().containers.remove(0).spec
}

fn fields(objections: &[Objection]) -> Vec<&Field> {
    objections.iter().map(|objection| &objection.field).collect()
}

#[test]
fn a_page_joins_its_deployments_network_and_keeps_its_data_apart() {
    let blueprint = decided(&draft()).unwrap();
    let [planned] = blueprint.containers.as_slice() else { panic!("one container") };
    let spec = &planned.spec;
    assert_eq!(spec.name, "chat-openwebui");
    assert_eq!(spec.image, "ghcr.io/open-webui/open-webui:v0.12.4");
    let network = Network::Bridge { name: "chat-dynamo-net".into(), aliases: vec!["openwebui".into()] };
    assert_eq!(spec.network, network);
    assert!(blueprint.network.is_none(), "the network is the deployment's");
    assert_eq!(blueprint.volumes[0].name, "chat-openwebui-data");
    assert_eq!(planned.ready, Readiness::Http { port: 8080, path: "/health".into() });
    assert_eq!((spec.ports[0].host_port, spec.ports[0].container_port), (3000, 8080));
    assert_eq!(spec.ports[0].host_address, "127.0.0.1");
    for (name, value) in [
        ("OPENAI_API_BASE_URL", "http://chat-frontend:8000/v1"),
        ("OPENAI_API_BASE_URLS", "http://chat-frontend:8000/v1"),
        ("ENABLE_PERSISTENT_CONFIG", "false"),
        ("WEBUI_AUTH", "true"),
        ("DEFAULT_MODELS", "tiny"),
        ("OFFLINE_MODE", "true"),
    ] {
        assert_eq!(spec.env.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(!spec.env.contains_key("WEBUI_SECRET_KEY") && !spec.env.contains_key("ENABLE_SIGNUP"));
    let owner = Ownership::from_labels(&spec.labels).unwrap();
    assert_eq!((owner.deployment.as_str(), owner.component.as_str()), ("chat", COMPONENT));
}

#[test]
fn several_deployments_are_one_list() {
    let sources = Given::Is(vec![chat("chat"), chat("code")]);
    let spec = container(&OpenWebuiDraft { sources, ..draft() });
    assert_eq!(spec.env["OPENAI_API_BASE_URLS"], "http://chat-frontend:8000/v1;http://code-frontend:8000/v1");
    assert_eq!(spec.env["OPENAI_API_KEYS"], "none;none");
    assert_eq!(spec.networks, ["code-dynamo-net"]);
}

#[test]
fn the_simulator_is_told_how_long_its_answers_may_be() {
    let of = |engines: &[&str]| {
        let source = |engine: &&str| SourceDraft { engine: is(engine), ..chat(engine) };
        let sources = Given::Is(engines.iter().map(source).collect());
        container(&OpenWebuiDraft { sources, ..draft() }).env.contains_key("DEFAULT_MODEL_PARAMS")
    };
    assert!(of(&["mocker"]));
    // A limit would cut short what a real model has to say.
    assert!(!of(&["vllm"]) && !of(&["mocker", "vllm"]));
}

#[test]
fn on_the_hosts_network_it_listens_itself_where_it_is_wanted() {
    let source = SourceDraft { network: is("host"), ..chat("chat") };
    let draft = OpenWebuiDraft { sources: Given::Is(vec![source]), ..draft() };
    let planned = decided(&draft).unwrap().containers.remove(0);
    assert_eq!(planned.spec.network, Network::Host);
    assert_eq!((planned.spec.env["HOST"].as_str(), planned.spec.env["PORT"].as_str()), ("127.0.0.1", "3000"));
    assert_eq!(planned.spec.ports[0].container_port, 3000);
    assert_eq!(planned.ready, Readiness::Http { port: 3000, path: "/health".into() });
    assert_eq!(planned.spec.env["OPENAI_API_BASE_URL"], "http://127.0.0.1:8000/v1");
}

#[test]
fn an_administrator_closes_the_sign_up_unless_told_otherwise() {
    let admin = OpenWebuiDraft {
        admin_email: is("Ada@Example.org"),
        admin_password_version: Given::Is(2),
        ..draft()
    };
    let spec = container(&admin);
    assert_eq!(spec.env["WEBUI_ADMIN_EMAIL"], "ada@example.org");
    assert_eq!(spec.env["ENABLE_SIGNUP"], "false");
    assert_eq!(spec.labels[labels::PASSWORD_VERSION], "2");
    assert!(!spec.env.contains_key("WEBUI_ADMIN_PASSWORD"));
    let open = OpenWebuiDraft { env: [("ENABLE_SIGNUP".to_owned(), is("true"))].into(), ..admin };
    assert_eq!(container(&open).env["ENABLE_SIGNUP"], "true");
}

#[test]
fn mistakes_are_found_at_their_fields() {
    let env = |name: &str| [(name.to_owned(), is("x"))].into();
    let table: [(OpenWebuiDraft, Field); 11] = [
        (OpenWebuiDraft { name: is("Chat"), ..draft() }, Field::Name),
        (OpenWebuiDraft { version: is("v0.9.0"), ..draft() }, Field::Version),
        (OpenWebuiDraft { image: is("Open WebUI"), ..draft() }, Field::Image),
        (OpenWebuiDraft { port: Given::Is(0), ..draft() }, Field::Port),
        (OpenWebuiDraft { bind_address: is("localhost"), ..draft() }, Field::BindAddress),
        (OpenWebuiDraft { admin_email: is("ada"), ..draft() }, Field::AdminEmail),
        (OpenWebuiDraft { admin_email: is("a b@example.org"), ..draft() }, Field::AdminEmail),
        (OpenWebuiDraft { env: env("WEBUI_SECRET_KEY"), ..draft() }, Field::Env("WEBUI_SECRET_KEY".into())),
        (OpenWebuiDraft { env: env("1"), ..draft() }, Field::Env("1".into())),
        (OpenWebuiDraft { sources: Given::Is(Vec::new()), ..draft() }, Field::Deployment),
        (OpenWebuiDraft { sources: Given::Is(vec![chat("a"), chat("a")]), ..draft() }, Field::Source(1)),
    ];
    assert_eq!(check::openwebui(&draft()), []);
    for (draft, field) in table {
        assert_eq!(fields(&check::openwebui(&draft)), [&field]);
    }
}

#[test]
fn what_is_unknown_is_not_judged_before_it_is_needed() {
    let open = OpenWebuiDraft {
        name: Given::Unknown,
        host: Given::Unknown,
        sources: Given::Is(vec![SourceDraft { name: Given::Unknown, ..chat("chat") }]),
        version: Given::Unknown,
        port: Given::Unknown,
        ..OpenWebuiDraft::default()
    };
    assert_eq!(check::openwebui(&open), []);
    let missing = open.complete().unwrap_err();
    assert!(fields(&missing).contains(&&Field::Source(0)), "{missing:?}");
    let all = OpenWebuiDraft { sources: Given::Unknown, ..open };
    assert_eq!(check::openwebui(&all), []);
}

#[test]
fn an_account_has_a_password_and_a_page_without_login_has_neither() {
    let (yes, no) = (Given::Is(true), Given::Is(false));
    let (email, none) = (is("ada@example.org"), Given::Absent);
    let (password, missing) = (Given::Is(()), Given::Absent);
    let table = [
        (&yes, &email, &password, None),
        (&yes, &none, &missing, None),
        (&no, &none, &missing, None),
        (&yes, &email, &missing, Some(Field::AdminEmail)),
        (&yes, &none, &password, Some(Field::AdminPassword)),
        (&no, &email, &password, Some(Field::AdminEmail)),
        (&no, &none, &password, Some(Field::AdminPassword)),
        (&yes, &email, &Given::Unknown, None),
        (&yes, &Given::Unknown, &password, None),
    ];
    for (auth, email, password, wrong) in table {
        let found = check::login(auth, email, password);
        assert_eq!(fields(&found), wrong.iter().collect::<Vec<_>>(), "{auth:?} {email:?} {password:?}");
    }
}

#[test]
fn what_the_host_refuses_is_said_together() {
    let volume = VolumeDraft {
        host_path: is("/x"),
        container_path: is("/app/backend/data"),
        ..VolumeDraft::default()
    };
    let docker = DockerDraft { volumes: vec![volume], ..DockerDraft::default() };
    let elsewhere = SourceDraft { host: is("other"), ..chat("chat") };
    let refused =
        decided(&OpenWebuiDraft { docker, sources: Given::Is(vec![elsewhere]), ..draft() }).unwrap_err();
    assert_eq!(refused.len(), 2);
    assert_eq!(refused[0].field, Field::Source(0));
}

#[test]
fn the_start_is_given_no_secret() {
    let spec = container(&draft());
    assert_eq!(spec.entrypoint, ["bash", "-c"]);
    assert_eq!(spec.command[3], PASSWORD_FILE);
    assert!(spec.command[0].contains("exec bash start.sh") && spec.command[2].contains("bcrypt"));
    assert!(spec.command[4].contains("/health") && spec.command[0].contains("\"$3\""));
}
