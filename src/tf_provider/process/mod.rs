//! The provider as a process: started by Terraform, found by it, spoken to, and gone in time.
//!
//! Terraform starts one process per provider configuration and walk, so this code runs several times in every plan. It
//! knows nothing of what is provided; that comes in as the generated service trait. What it owns is the contract that
//! no trait can express: the environment and the one line on stdout ([`handshake`]), the socket and who may use it
//! ([`socket`], [`tls`], [`incoming`]), go-plugin's own services ([`goplugin`]), the end ([`lifetime`]), and what goes to
//! stderr ([`log`], [`crash`]). No child process is started and stdin is never read: it is Terraform's own.

mod crash;
mod error;
mod goplugin;
mod handshake;
mod incoming;
mod lifetime;
mod log;
mod reattach;
mod socket;
mod tls;

use std::io::{self, Write as _};
use std::process::ExitCode;

use tokio::net::UnixListener;
use tonic::transport::Server;

use crate::tf_provider::wire::plugin::grpc_broker_server::GrpcBrokerServer;
use crate::tf_provider::wire::plugin::grpc_controller_server::GrpcControllerServer;
use crate::tf_provider::wire::plugin::grpc_stdio_server::GrpcStdioServer;
use crate::tf_provider::wire::tfplugin6::provider_server::{Provider, ProviderServer};
pub use error::StartError;
use goplugin::GoPlugin;
use handshake::Environment;
pub use lifetime::{Departure, LaunchMode, Lifetime};
use socket::SocketFile;

/// Bytes of one message, in either direction: what Go providers take. tonic alone would refuse states over 4 MiB.
pub const MESSAGE_LIMIT: usize = 256 << 20;

/// The service name under which go-plugin hosts ask for health.
const HEALTH_SERVICE: &str = "plugin";

/// What the process must know about the provider that it serves.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// `<namespace>/<name>` as in `required_providers`, without a registry.
    pub address: &'static str,
    pub mode: LaunchMode,
}

impl Options {
    fn name(&self) -> &'static str {
        self.address.rsplit('/').next().unwrap_or(self.address)
    }
}

/// Runs the provider that `build` makes, until its time is over. Blocks; call it from `main` and return its result.
///
/// `build` runs inside the runtime, before the address is announced, and should be quick.
pub fn run<P: Provider>(options: Options, build: impl FnOnce(Lifetime) -> P) -> ExitCode {
    let parent = rustix::process::getppid();
    if options.mode == LaunchMode::Plugin {
        keep_memory_private();
    }
    log::install(options.name());
    crash::install();
    let outcome =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(StartError::Runtime);
    let outcome = outcome.and_then(|runtime| {
        let outcome = runtime.block_on(serve(options, parent, build));
        // Work that ignored every request to stop is not waited for.
        runtime.shutdown_background();
        outcome
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error),
    }
}

/// Other processes of the same user, and whoever finds a core dump, do not read the secrets in this one. A process that is
/// debugged stays open to debuggers. Where the system does not know how, the process is as any other.
fn keep_memory_private() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

/// For a person in plain words, for a host as a log line.
fn report(error: &StartError) -> ExitCode {
    match error {
        StartError::NotStartedByAHost => drop(writeln!(io::stderr(), "{error}")),
        _ => tracing::error!("{error}"),
    }
    ExitCode::FAILURE
}

async fn serve<P: Provider>(
    options: Options,
    parent: Option<rustix::process::Pid>,
    build: impl FnOnce(Lifetime) -> P,
) -> Result<(), StartError> {
    let environment = Environment::of_process();
    if options.mode == LaunchMode::Plugin {
        environment.check_cookie()?;
        environment.check_protocol()?;
    }
    let identity = match (&environment.client_certificate, options.mode) {
        (Some(pem), LaunchMode::Plugin) => Some(tls::identity(pem)?),
        _ => None,
    };
    let (listener, file) = socket::bind(environment.socket_directory.as_deref(), &environment.temporary)?;
    let lifetime = Lifetime::new(options.mode);
    lifetime.watch(parent).map_err(StartError::Runtime)?;
    let provider = build(lifetime.clone());

    let certificate = identity.as_ref().map(|identity| identity.certificate.as_slice());
    announce(&match options.mode {
        LaunchMode::Plugin => handshake::line(file.path(), certificate, environment.multiplex),
        LaunchMode::Debug => reattach::instructions(options.address, std::process::id(), file.path()),
    })?;
    converse(provider, lifetime, listener, identity.map(|identity| identity.acceptor), file).await
}

/// The only thing that ever goes to stdout.
fn announce(text: &str) -> Result<(), StartError> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(StartError::Announcement)
}

/// Serves until the lifetime ends, then lets calls in flight answer, and says goodbye.
async fn converse<P: Provider>(
    provider: P,
    lifetime: Lifetime,
    listener: UnixListener,
    tls: Option<tokio_rustls::TlsAcceptor>,
    file: SocketFile,
) -> Result<(), StartError> {
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_service_status(HEALTH_SERVICE, tonic_health::ServingStatus::Serving).await;
    let provider = ProviderServer::new(provider)
        .max_decoding_message_size(MESSAGE_LIMIT)
        .max_encoding_message_size(MESSAGE_LIMIT);
    let goplugin = GoPlugin(lifetime.clone());
    let server = Server::builder()
        .add_service(provider)
        .add_service(GrpcControllerServer::new(goplugin.clone()))
        .add_service(GrpcStdioServer::new(goplugin.clone()))
        .add_service(GrpcBrokerServer::new(goplugin))
        .add_service(health_service)
        .serve_with_incoming_shutdown(
            incoming::connections(listener, tls),
            lifetime.closing().cancelled_owned(),
        );
    let mut server = std::pin::pin!(server);

    let departure = tokio::select! {
        ended = &mut server => return Ok(ended?),
        departure = lifetime.departure() => departure,
    };
    // Nobody new finds us from here on.
    drop(file);
    if tokio::time::timeout(departure.patience(), server).await.is_err() {
        tracing::debug!(?departure, "left before every call was answered");
    }
    lifetime.say_farewell().await;
    Ok(())
}

#[cfg(test)]
mod tests;
