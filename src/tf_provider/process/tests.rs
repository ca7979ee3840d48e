//! The server in this process, with a provider that misbehaves. The real one is tested as a process, over the wire.

use std::path::PathBuf;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};

use crate::tf_provider::process::*;
use crate::tf_provider::wire::plugin::Empty;
use crate::tf_provider::wire::plugin::grpc_controller_client::GrpcControllerClient;
use crate::tf_provider::wire::tfplugin6::provider_client::ProviderClient;
use crate::tf_provider::wire::tfplugin6::{get_functions, get_metadata, read_resource, stop_provider};

/// `ReadResource` panics, `GetFunctions` answers once it is told to stop, `StopProvider` stops.
struct Misbehaving(Lifetime);

#[tonic::async_trait]
impl Provider for Misbehaving {
    async fn read_resource(
        &self,
        _: Request<read_resource::Request>,
    ) -> Result<Response<read_resource::Response>, Status> {
        panic!("of the test")
    }

    async fn get_functions(
        &self,
        _: Request<get_functions::Request>,
    ) -> Result<Response<get_functions::Response>, Status> {
        self.0.stopping().cancelled().await;
        Ok(Response::new(Default::default()))
    }

    async fn stop_provider(
        &self,
        _: Request<stop_provider::Request>,
    ) -> Result<Response<stop_provider::Response>, Status> {
        self.0.stop();
        Ok(Response::new(Default::default()))
    }
}

struct Started {
    lifetime: Lifetime,
    channel: Channel,
    socket: PathBuf,
    server: tokio::task::JoinHandle<Result<(), StartError>>,
    _directory: tempfile::TempDir,
}

async fn start(mode: LaunchMode) -> Started {
    let directory = tempfile::tempdir().unwrap();
    let (listener, file) = socket::bind(None, directory.path()).unwrap();
    let lifetime = Lifetime::new(mode);
    let socket = file.path().to_owned();
    let connector = {
        let socket = socket.clone();
        tower::service_fn(move |_: tonic::codegen::http::Uri| {
            let socket = socket.clone();
            async move { UnixStream::connect(socket).await.map(TokioIo::new) }
        })
    };
    let server =
        tokio::spawn(converse(Misbehaving(lifetime.clone()), lifetime.clone(), listener, None, file));
    let endpoint = Endpoint::from_static("http://localhost");
    let channel = endpoint.connect_with_connector(connector).await.unwrap();
    Started { lifetime, channel, socket, server, _directory: directory }
}

#[tokio::test]
async fn a_panic_in_one_call_leaves_the_others_alone() {
    let started = start(LaunchMode::Plugin).await;
    let mut client = ProviderClient::new(started.channel);
    let mut other = client.clone();
    let waiting = tokio::spawn(async move { other.get_functions(get_functions::Request {}).await });
    for _ in 0..3 {
        assert!(client.read_resource(read_resource::Request::default()).await.is_err());
    }
    client.stop_provider(stop_provider::Request {}).await.unwrap();
    waiting.await.unwrap().unwrap();
    assert!(!started.lifetime.closing().is_cancelled(), "a stop is not the end");
}

#[tokio::test]
async fn an_rpc_that_is_not_written_is_unimplemented() {
    let mut client = ProviderClient::new(start(LaunchMode::Plugin).await.channel);
    let answer = client.get_metadata(get_metadata::Request {}).await.unwrap_err();
    assert_eq!(answer.code(), Code::Unimplemented);
}

#[tokio::test]
async fn shutdown_answers_calls_in_flight_says_goodbye_and_removes_the_socket() {
    let started = start(LaunchMode::Plugin).await;
    let farewell = CancellationToken::new();
    let told = farewell.clone();
    started.lifetime.on_close(async move { told.cancel() });
    let mut provider = ProviderClient::new(started.channel.clone());
    let in_flight = tokio::spawn(async move { provider.get_functions(get_functions::Request {}).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut controller = GrpcControllerClient::new(started.channel);
    controller.shutdown(Empty {}).await.unwrap();
    in_flight.await.unwrap().unwrap();
    started.server.await.unwrap().unwrap();
    assert!(farewell.is_cancelled());
    assert!(!started.socket.exists());
}

#[tokio::test]
async fn in_debug_mode_a_client_cannot_end_the_process() {
    let started = start(LaunchMode::Debug).await;
    GrpcControllerClient::new(started.channel.clone()).shutdown(Empty {}).await.unwrap();
    assert!(!started.lifetime.closing().is_cancelled());
    started.lifetime.close(Departure::Interrupted);
    started.server.await.unwrap().unwrap();
}
