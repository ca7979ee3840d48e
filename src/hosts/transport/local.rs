//! This machine's own Docker, ports and files, without any program that is started.

use std::io;
use std::path::Path;

use async_trait::async_trait;
use tokio::net::{TcpStream, UnixStream};

use super::engine_address::EngineAddress;
use super::listening_sockets;
use super::listening_sockets::ListeningSocket;
use super::{Stream, Transport};
use crate::hosts::error::Cause;

/// The transport to this machine's Docker, or to the one that `DOCKER_HOST` names.
#[derive(Clone, Debug, Default)]
pub(crate) struct LocalTransport {
    /// From the provider's configuration; wins over the environment.
    pub docker_host: Option<String>,
}

impl LocalTransport {
    fn address(&self) -> Result<EngineAddress, Cause> {
        let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        EngineAddress::choose(self.docker_host.as_deref(), environment, Path::exists)
    }

    /// Docker's socket may belong to another machine's Engine (a virtual machine, a container's host). Both have
    /// a name for themselves; where the names agree, what we see of this machine is what the Engine's machine has.
    fn is_this_machine(&self, engine_name: &str) -> bool {
        let ours = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        matches!(self.address(), Ok(EngineAddress::Unix(_))) && ours.trim() == engine_name
    }
}

#[async_trait]
impl Transport for LocalTransport {
    async fn engine(&self) -> Result<Stream, Cause> {
        let address = self.address()?;
        let opened = match &address {
            EngineAddress::Unix(path) => {
                UnixStream::connect(path).await.map(|stream| Box::new(stream) as Stream)
            }
            EngineAddress::Tcp { host, port } => self.tcp(host, *port).await,
        };
        opened.map_err(|error| address.cause_of(&error))
    }

    async fn tcp(&self, address: &str, port: u16) -> io::Result<Stream> {
        let stream = TcpStream::connect((address, port)).await?;
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }

    async fn path_exists(&self, path: &Path, engine_name: &str) -> Option<bool> {
        if !self.is_this_machine(engine_name) {
            return None;
        }
        tokio::fs::try_exists(path).await.ok()
    }

    async fn listening(&self, engine_name: &str) -> Option<Vec<ListeningSocket>> {
        if !self.is_this_machine(engine_name) {
            return None;
        }
        tokio::task::spawn_blocking(listening_sockets::of_this_machine).await.ok()
    }

    fn is_here(&self, engine_name: &str) -> bool {
        self.is_this_machine(engine_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_missing_socket_and_a_dead_one_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docker.sock");
        let reach = LocalTransport { docker_host: Some(format!("unix://{}", path.display())) };
        assert!(matches!(reach.engine().await, Err(Cause::SocketMissing { .. })));
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(matches!(reach.engine().await, Err(Cause::NothingListening { .. })));
    }
}
