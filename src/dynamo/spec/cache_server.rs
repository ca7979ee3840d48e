//! Where the cache server of a deployment is found, and which workers use it.

use super::Common;
use super::connector::ConnectorSpec;
use crate::dynamo::facts::cache_server::CacheServer;
use crate::dynamo::terms::names;
use crate::dynamo::terms::ports::THIS_MACHINE;
use crate::dynamo::terms::words::{NetworkMode, Role};

impl CacheServer {
    /// Its host name on a private network. A worker knows the memory of one server only, so another image or size is another
    /// server.
    pub(in crate::dynamo) fn host_name(&self, common: &Common) -> String {
        let size = common.connector.cpu_cache_gb.unwrap_or_default().to_string();
        format!("{}-{}", self.name, names::generation([common.image.as_str(), &size]))
    }

    /// Its container's name.
    pub(in crate::dynamo) fn container(&self, common: &Common) -> String {
        names::container(&common.name, &self.host_name(common))
    }

    /// Where workers find it, and where it listens.
    pub(in crate::dynamo) fn address(&self, common: &Common) -> (String, &'static str) {
        match common.network {
            NetworkMode::Bridge => (self.host_name(common), "0.0.0.0"),
            NetworkMode::Host => (THIS_MACHINE.to_owned(), THIS_MACHINE),
        }
    }
}

/// The server that workers of a role use, if they use one.
pub(crate) fn used(connector: &ConnectorSpec, role: Role) -> Option<&'static CacheServer> {
    connector.facts.role(role).and(connector.facts.server.as_ref())
}
