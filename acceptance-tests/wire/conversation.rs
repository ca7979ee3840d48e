//! What a host can say once it is connected, and what goes to stderr meanwhile.

use futures_util::stream;
use libtest_mimic::Trial;
use terraform_provider_dynamo::tf_provider::wire::plugin::ConnInfo;
use terraform_provider_dynamo::tf_provider::wire::plugin::grpc_broker_client::GrpcBrokerClient;
use terraform_provider_dynamo::tf_provider::wire::plugin::grpc_stdio_client::GrpcStdioClient;
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::{
    DynamicValue, RawState, plan_resource_change, read_resource, upgrade_resource_state,
};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::client::Client;
use super::garbage;
use super::harness::{Provider, Setup};
use super::peer::{Identity, Peer};
use super::trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("conversation_11_health_says_serving", health),
        trial("conversation_11_broker_and_stdio_stay_open_and_silent", silent_streams),
        trial("conversation_15_two_processes_have_the_same_schema", same_schema),
        trial("conversation_20_five_mebibytes_are_not_too_much", large_messages),
        trial("conversation_64_every_line_of_stderr_is_a_log_line", log_lines),
        trial("conversation_71_no_child_process_and_no_home_needed", no_children),
    ]
}

async fn health() {
    let provider = Provider::start();
    let mut health = HealthClient::new(provider.client().await.channel);
    let mut check = async |service: &str| health.check(HealthCheckRequest { service: service.into() }).await;
    assert_eq!(check("plugin").await.unwrap().into_inner().status(), ServingStatus::Serving);
    assert_eq!(check("something else").await.unwrap_err().code(), Code::NotFound);
}

async fn silent_streams() {
    let provider = Provider::start();
    let client = provider.client().await;
    let mut stdio = GrpcStdioClient::new(client.channel.clone()).stream_stdio(()).await.unwrap().into_inner();
    let mut broker = GrpcBrokerClient::new(client.channel.clone());
    let mut held = broker.start_stream(stream::pending::<ConnInfo>()).await.unwrap().into_inner();
    let knock = stream::iter([ConnInfo { service_id: 1, ..Default::default() }]);
    let mut ended = broker.start_stream(knock).await.unwrap().into_inner();
    assert!(ended.message().await.unwrap().is_none(), "a broker stream ends when the host ends it");

    // The others are open until the end of the process, which they do not hold up.
    let (finished, output, brokered) = tokio::join!(provider.shut_down(), stdio.message(), held.message());
    assert!(finished.status.success() && output.unwrap().is_none() && brokered.unwrap().is_none());
}

async fn same_schema() {
    let (one, other) = (Provider::start(), Provider::start());
    let one = one.client().await.get_schema().await.unwrap();
    assert_eq!(one, other.client().await.get_schema().await.unwrap());
}

/// The answer does not matter, only that it is one of the provider's code and not of the message layer.
async fn large_messages() {
    const SIZE: usize = 5 << 20;
    let provider = Provider::start();
    let mut client = provider.client().await;
    let resource = client.schemas().await.unwrap().resource_schemas.keys().next().cloned();
    let type_name = resource.unwrap_or_else(|| "dynamo_none".into());
    // A msgpack string (32-bit length) of a state that is no object.
    let text = [&[0xdb][..], &u32::to_be_bytes(SIZE as u32), &vec![b'x'; SIZE]].concat();
    let state = Some(DynamicValue { msgpack: text, json: Vec::new() });
    let json = format!("{{\"padding\":\"{}\"}}", "x".repeat(SIZE)).into_bytes();

    let read = read_resource::Request {
        type_name: type_name.clone(),
        current_state: state.clone(),
        ..Default::default()
    };
    let plan = plan_resource_change::Request {
        type_name: type_name.clone(),
        prior_state: state,
        ..Default::default()
    };
    let raw_state = Some(RawState { json, ..Default::default() });
    let upgrade = upgrade_resource_state::Request { type_name, version: 0, raw_state };
    let answers = [
        client.rpc.read_resource(read).await.err(),
        client.rpc.plan_resource_change(plan).await.err(),
        client.rpc.upgrade_resource_state(upgrade).await.err(),
    ];
    for error in answers.into_iter().flatten() {
        assert!(!matches!(error.code(), Code::OutOfRange | Code::ResourceExhausted), "{error}");
    }
}

async fn log_lines() {
    let provider = Setup::terraform().with("TF_LOG_PROVIDER_DYNAMO", "trace").start();
    let mut client = provider.client().await;
    client.get_schema().await.unwrap();
    garbage::send_everything(&mut client).await;
    let server = provider.handshake.certificate.clone().unwrap();
    let intruder = Peer::encrypted(&provider.handshake.socket, server, Some(Identity::new()));
    if let Ok(channel) = intruder.channel().await {
        Client::new(channel).get_schema().await.unwrap_err();
    }
    let finished = provider.shut_down().await;
    assert!(finished.stderr.contains("refused a connection"), "{}", finished.stderr);
    for line in finished.stderr.lines() {
        assert_log_line(line);
    }
}

/// As unforgiving as Terraform.
fn assert_log_line(line: &str) {
    assert!(line.len() < 64 * 1024, "a line of {} bytes", line.len());
    let value: serde_json::Value =
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let text = |name: &str| value[name].as_str().unwrap_or_else(|| panic!("no {name}: {line}"));
    assert!(["trace", "debug", "info", "warn", "error"].contains(&text("@level")), "{line}");
    assert!(!text("@message").is_empty() && !text("@module").is_empty(), "{line}");
    let shape: String =
        text("@timestamp").chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000000Z", "{line}");
}

async fn no_children() {
    // The environment has neither HOME nor PATH.
    let provider = Provider::start();
    assert!(children(std::process::id()).contains(&provider.process.id()), "children can be found here");
    let mut client = provider.client().await;
    client.get_schema().await.unwrap();
    garbage::send_everything(&mut client).await;
    assert_eq!(children(provider.process.id()), Vec::<u32>::new());
    let finished = provider.shut_down().await;
    assert!(finished.status.success());
}

/// Process ids whose parent is `parent`, as Linux knows them.
fn children(parent: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_child = |id: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // After the name in brackets, which may hold anything: the state, then the parent.
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        after_name.split_whitespace().nth(1).and_then(|id| id.parse().ok()) == Some(parent)
    };
    ids.filter(is_child).collect()
}
