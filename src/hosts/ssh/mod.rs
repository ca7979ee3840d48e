//! Hosts over SSH, in this process: no `ssh` program, no agent on the host.
//!
//! One connection per host carries everything: the Docker Engine by a forwarded socket or a command, TCP ports of containers
//! by forwarded channels, and looks at files by a shell. Begin reading at [`SshTransport`], here.
//!
//! | file | is |
//! | --- | --- |
//! | `settings`, `config_file` | what the configuration, the environment and `~/.ssh/config` say |
//! | `connection` | one connection per host, made again when it breaks |
//! | `host_key`, `known_hosts` | whom we talk to, judged before anything is said |
//! | `auth` | logging in, once |
//! | `channel`, `session_channels` | channels as streams, and how many may be open |
//! | `engine_route` | the route to the Docker Engine |
//! | `tcp_through_shell` | ports of the host where sshd forwards none |

mod auth;
mod channel;
mod config_file;
mod connection;
mod engine_route;
mod host_key;
mod known_hosts;
mod questions;
mod session_channels;
mod settings;
mod tcp_through_shell;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use russh::{ChannelMsg, ChannelOpenFailure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::OnceCell;
use tokio::sync::oneshot::Receiver;
use zeroize::Zeroizing;

pub(crate) use settings::{HostKeys, KeySource, Login, ProcessEnvironment, Settings, SshServer};

use crate::container::Secret;
use crate::hosts::error::Cause;
use crate::hosts::error::ssh::SshError;
use crate::hosts::shell::quoted;
use crate::hosts::transport::engine_address::EngineAddress;
use crate::hosts::transport::listening_sockets;
use crate::hosts::transport::listening_sockets::ListeningSocket;
use crate::hosts::transport::{CommandExit, RunningCommand, ShellOutput, Stream, Transport};
use channel::{ChannelIo, MOST_STDERR, RawExit, carry};
use connection::Connection;
use engine_route::{EngineRoute, SocketReport, SudoPrompt};

/// For a script, and for a command to answer.
const SHELL: Duration = Duration::from_secs(60);
const PROBE: Duration = Duration::from_secs(10);
/// What is read of a script's output, in bytes.
const MOST_OUTPUT: u64 = 16 << 20;

/// Whether text is what `host_key` takes: lines of `type base64`.
pub(crate) fn is_host_key(text: &str) -> bool {
    known_hosts::KnownHosts::pinned(text).is_ok()
}

/// A host that is reached over SSH.
pub(crate) struct SshTransport {
    connection: Connection,
    /// The route to the Engine that worked.
    route: OnceCell<EngineRoute>,
}

impl SshTransport {
    /// Connects to nothing yet.
    pub(crate) fn new(settings: Settings, environment: ProcessEnvironment) -> Self {
        Self { connection: Connection::new(settings, environment), route: OnceCell::new() }
    }

    /// Where Docker listens on the host.
    fn address(&self) -> Result<EngineAddress, Cause> {
        match &self.connection.settings().docker_host {
            Some(text) => EngineAddress::parse(text, false),
            None => Ok(EngineAddress::default_socket()),
        }
    }

    async fn forwarded_tcp(
        &self,
        host: &str,
        port: u16,
    ) -> Result<Result<ChannelIo, ChannelRefusal>, SshError> {
        let session = self.connection.session().await?;
        let opened = session.handle.channel_open_direct_tcpip(host, port.into(), "127.0.0.1", 0).await;
        opened_or_refused(opened, &session.at)
    }

    async fn forwarded_socket(&self, socket: &str) -> Result<Result<ChannelIo, ChannelRefusal>, SshError> {
        let session = self.connection.session().await?;
        let opened = session.handle.channel_open_direct_streamlocal(socket).await;
        opened_or_refused(opened, &session.at)
    }

    /// Runs `command`. With a password, first waits until sudo asks for it by that prompt.
    async fn command(
        &self,
        command: &str,
        password: Option<(&Secret, &SudoPrompt)>,
    ) -> Result<(ChannelIo, Receiver<RawExit>), SshError> {
        let session = self.connection.session().await?;
        let (mut channel, permit) = session.channels.open(&session.handle).await?;
        let cut = |error: russh::Error| SshError::Cut { at: session.at.clone(), text: error.to_string() };
        channel.exec(false, command).await.map_err(cut)?;
        let mut heard = RawExit::default();
        if let Some((password, prompt)) = password {
            // Who asks for no password is not waited for, and what is said meanwhile is kept as far as it matters.
            let until = tokio::time::Instant::now() + PROBE;
            // The prompt comes last, however much a login prints before it.
            let mut newest = Vec::new();
            while let Ok(Some(message)) = tokio::time::timeout_at(until, channel.wait()).await {
                match message {
                    ChannelMsg::ExtendedData { data, .. } => {
                        heard.hear(&data);
                        newest.extend(data.iter());
                        newest.drain(..newest.len().saturating_sub(MOST_STDERR));
                    }
                    ChannelMsg::ExitStatus { exit_status } => {
                        heard.status = Some(exit_status);
                        break;
                    }
                    ChannelMsg::Close => break,
                    _ => {}
                }
                if prompt.is_in(&newest) {
                    let line = Zeroizing::new(format!("{}\n", password.reveal()));
                    channel.data(line.as_bytes()).await.map_err(cut)?;
                    break;
                }
            }
        }
        Ok(carry(channel, Some(permit), heard))
    }

    /// Runs `command` with `input` to its end.
    async fn run(&self, command: &str, input: &str) -> Result<ShellOutput, Cause> {
        let running = async {
            let (mut io, ending) = self.command(command, None).await?;
            // A command that does not read its input to the end has its reasons, and an exit status.
            drop(io.write_all(input.as_bytes()).await);
            drop(io.shutdown().await);
            let mut stdout = Vec::new();
            drop((&mut io).take(MOST_OUTPUT + 1).read_to_end(&mut stdout).await);
            if stdout.len() as u64 > MOST_OUTPUT {
                return Err(Cause::AnswerTooLong { mebibytes: MOST_OUTPUT >> 20 });
            }
            let ended = ending.await.unwrap_or_default();
            let stderr = String::from_utf8_lossy(&ended.stderr).into_owned();
            let status = ended.status.ok_or_else(|| SshError::SessionRefused {
                text: format!("`{command}` ended without a status {stderr}").trim().to_owned(),
            })?;
            Ok(ShellOutput {
                status: i32::try_from(status).unwrap_or(i32::MAX),
                stdout: String::from_utf8_lossy(&stdout).into_owned(),
                stderr,
            })
        };
        let slow = || SshError::Slow { what: format!("`{command}`"), seconds: SHELL.as_secs() };
        tokio::time::timeout(SHELL, running).await.unwrap_or_else(|_| Err(slow().into()))
    }

    /// A stream to the Engine's socket by the route that works here, which is found out once.
    async fn engine_socket(&self, socket: &str) -> Result<Stream, Cause> {
        let route = *self.route.get_or_try_init(|| self.find_route(socket)).await?;
        match route {
            EngineRoute::Forward => match self.forwarded_socket(socket).await? {
                Ok(io) => Ok(Box::new(io)),
                // It worked before, so it is allowed, and something is wrong at the other end.
                Err(_) => match self.socket_report(socket).await?.socket {
                    engine_route::SocketAccess::Missing => {
                        Err(Cause::SocketMissing { path: socket.to_owned() })
                    }
                    engine_route::SocketAccess::Denied => {
                        Err(Cause::PermissionDenied { address: format!("unix://{socket}") })
                    }
                    engine_route::SocketAccess::Open => {
                        Err(Cause::NothingListening { address: format!("unix://{socket}") })
                    }
                },
            },
            route => Ok(Box::new(self.dial_stdio(route, socket).await?.0)),
        }
    }

    async fn find_route(&self, socket: &str) -> Result<EngineRoute, Cause> {
        let refusal = match self.forwarded_socket(socket).await? {
            Ok(_) => return Ok(EngineRoute::Forward),
            Err(refusal) => refusal,
        };
        tracing::debug!(refusal = refusal.text, "the server does not forward to Docker's socket");
        let socket_report = self.socket_report(socket).await?;
        let mut last = None;
        for route in socket_report.routes(socket, self.connection.settings().sudo_password.is_some())? {
            match self.probe(*route, socket).await {
                Ok(()) => return Ok(*route),
                Err(cause) => last = Some(cause),
            }
        }
        Err(last.unwrap_or_else(|| Cause::SocketMissing { path: socket.to_owned() }))
    }

    async fn socket_report(&self, socket: &str) -> Result<SocketReport, Cause> {
        let output = self.run("sh -s", &engine_route::socket_report_script(socket)).await?;
        Ok(SocketReport::parse(&output.stdout))
    }

    async fn dial_stdio(
        &self,
        route: EngineRoute,
        socket: &str,
    ) -> Result<(ChannelIo, Receiver<RawExit>), SshError> {
        let password = self.connection.settings().sudo_password.as_ref();
        match (route, password) {
            (EngineRoute::SudoPassword, Some(password)) => {
                let prompt = SudoPrompt::new()?;
                let command = route.command(socket, Some(&prompt)).unwrap_or_default();
                self.command(&command, Some((password, &prompt))).await
            }
            _ => self.command(&route.command(socket, None).unwrap_or_default(), None).await,
        }
    }

    /// What sudo says to the password: `None` where it takes it.
    async fn sudo_refuses(&self, password: &Secret) -> Result<Option<String>, SshError> {
        let prompt = SudoPrompt::new()?;
        let checking = async {
            let (mut io, ending) = self.command(&prompt.check(), Some((password, &prompt))).await?;
            // It would ask three times.
            drop(io.shutdown().await);
            let ended = ending.await.unwrap_or_default();
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            Ok((ended.status != Some(0)).then_some(said))
        };
        let slow = || SshError::Slow { what: "`sudo -v`".to_owned(), seconds: SHELL.as_secs() };
        tokio::time::timeout(SHELL, checking).await.unwrap_or_else(|_| Err(slow()))
    }

    /// A connection to a port, as seen from the host, by the way that works here.
    async fn connected(&self, address: &str, port: u16) -> Result<io::Result<ChannelIo>, SshError> {
        match self.forwarded_tcp(address, port).await? {
            Ok(io) => Ok(Ok(io)),
            Err(ChannelRefusal { prohibited: true, .. }) => self.shell_tcp(address, port).await,
            Err(refusal) => Ok(Err(io::Error::new(io::ErrorKind::ConnectionRefused, refusal.text))),
        }
    }

    /// A connection that a shell there makes.
    async fn shell_tcp(&self, address: &str, port: u16) -> Result<io::Result<ChannelIo>, SshError> {
        let (mut io, ending) = self.command(&tcp_through_shell::command(address, port), None).await?;
        if io.read_u8().await.is_ok_and(|first| first == tcp_through_shell::CONNECTED) {
            return Ok(Ok(io));
        }
        let said = ending.await.unwrap_or_default().stderr;
        let why = tcp_through_shell::failure(&String::from_utf8_lossy(&said));
        Ok(Err(io::Error::new(io::ErrorKind::ConnectionRefused, why)))
    }

    /// Whether the Engine answers by that route.
    async fn probe(&self, route: EngineRoute, socket: &str) -> Result<(), Cause> {
        if let (EngineRoute::SudoPassword, Some(password)) =
            (route, &self.connection.settings().sudo_password)
            && let Some(said) = self.sudo_refuses(password).await?
        {
            return Err(route.failure(socket, &said));
        }
        let asking = async {
            let (mut io, ending) = self.dial_stdio(route, socket).await?;
            drop(io.write_all(b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n").await);
            let mut first = [0; 5];
            match io.read_exact(&mut first).await {
                Ok(_) if &first == b"HTTP/" => Ok(()),
                _ => {
                    let ended = ending.await.unwrap_or_default();
                    Err(route.failure(socket, &String::from_utf8_lossy(&ended.stderr)))
                }
            }
        };
        let silent = || Cause::EngineSilent { seconds: PROBE.as_secs() };
        tokio::time::timeout(PROBE, asking).await.unwrap_or_else(|_| Err(silent()))
    }
}

/// The refusal of a server to open a channel.
struct ChannelRefusal {
    text: String,
    /// It opens none of that kind, whatever is at the other end.
    prohibited: bool,
}

/// A refused channel is an answer of the server, anything else the end of the connection.
fn opened_or_refused(
    opened: Result<russh::Channel<russh::client::Msg>, russh::Error>,
    at: &str,
) -> Result<Result<ChannelIo, ChannelRefusal>, SshError> {
    match opened {
        Ok(channel) => Ok(Ok(carry(channel, None, RawExit::default()).0)),
        Err(ref error @ russh::Error::ChannelOpenFailure(ref reason)) => Ok(Err(ChannelRefusal {
            text: error.to_string(),
            prohibited: *reason == ChannelOpenFailure::AdministrativelyProhibited,
        })),
        Err(error) => Err(SshError::Cut { at: at.to_owned(), text: error.to_string() }),
    }
}

#[async_trait]
impl Transport for SshTransport {
    async fn engine(&self) -> Result<Stream, Cause> {
        let address = self.address()?;
        match &address {
            EngineAddress::Unix(path) => self.engine_socket(&path.display().to_string()).await,
            EngineAddress::Tcp { host, port } => match self.connected(host, *port).await? {
                Ok(io) => Ok(Box::new(io)),
                Err(_) => Err(Cause::NothingListening { address: address.to_string() }),
            },
        }
    }

    async fn tcp(&self, address: &str, port: u16) -> io::Result<Stream> {
        Ok(Box::new(self.connected(address, port).await.map_err(io::Error::other)??))
    }

    async fn path_exists(&self, path: &Path, _: &str) -> Option<bool> {
        if matches!(self.address(), Ok(EngineAddress::Tcp { .. })) {
            return None;
        }
        let output = self.run("sh -s", &exists_script(&path.display().to_string())).await.ok()?;
        match output.stdout.trim() {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        }
    }

    async fn listening(&self, _: &str) -> Option<Vec<ListeningSocket>> {
        if matches!(self.address(), Ok(EngineAddress::Tcp { .. })) {
            return None;
        }
        let output =
            self.run("sh -s", "cat /proc/net/tcp /proc/net/tcp6 2>/dev/null; exit 0\n").await.ok()?;
        Some(listening_sockets::of_table(&output.stdout))
    }

    async fn shell(&self, script: &str) -> Option<Result<ShellOutput, Cause>> {
        Some(self.run("sh -s", script).await)
    }

    async fn exec(&self, command: &str) -> Option<Result<RunningCommand, Cause>> {
        let started = self.command(command, None).await;
        let running = started.map(|(io, ending)| {
            let exit = async move {
                let ending = ending.await.unwrap_or_default();
                let stderr = String::from_utf8_lossy(&ending.stderr).into_owned();
                CommandExit { status: ending.status, stderr }
            };
            RunningCommand { stream: Box::new(io), exit: exit.boxed() }
        });
        Some(running.map_err(Cause::from))
    }

    async fn close(&self) {
        self.connection.close().await;
    }
}

/// Says `yes`, `no`, or nothing where a folder on the way may not be entered: Docker may see what this user does not.
fn exists_script(path: &str) -> String {
    let path = quoted(path);
    format!(
        "p={path}\nif [ -e \"$p\" ]; then echo yes; exit 0; fi\n\
         while [ \"$p\" != / ] && [ ! -d \"$p\" ]; do p=$(dirname \"$p\"); done\n\
         if [ -x \"$p\" ]; then echo no; fi\nexit 0\n"
    )
}

impl fmt::Debug for SshTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SshTransport").field("settings", self.connection.settings()).finish_non_exhaustive()
    }
}
