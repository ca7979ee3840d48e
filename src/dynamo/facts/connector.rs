//! How KV caches leave a GPU: to another worker (NIXL), or to memory and disk of the host (KVBM, LMCache).
//!
//! What a connector is told differs by release, engine, mode and role, and most combinations do not exist: they would
//! start, and fail at the first request or hang at a transfer. So each engine has a row per mode and connector that does
//! work ([`ConnectorFacts`]), its first row of a mode is the default there, and what has no row is refused with the list
//! of those that have one.
//!
//! A row's texts may hold `{cpu_cache_gb}` and `{disk_cache_gb}` beside what [`crate::dynamo::decide::worker`] fills in everywhere, and
//! `{server}` for the address of its [`CacheServer`] and the names of that one's ports.

use super::cache::CacheFacts;
use super::cache_server::CacheServer;
use super::topology::WorkerPort;
use crate::dynamo::terms::words::{Connector, Mode, Role};

/// A connector as an engine is run with it in a mode.
#[derive(Debug, PartialEq)]
pub struct ConnectorFacts {
    pub connector: Connector,
    pub mode: Mode,
    /// What each role is told; a role without a row is told nothing.
    pub roles: &'static [RoleFacts],
    /// Python modules that an image must have for it, and may not.
    pub modules: &'static [&'static str],
    /// Whether its workers have one rank of data parallelism and no more.
    pub one_rank: bool,
    /// What keeps its cache beside the workers; `None` = they do.
    pub server: Option<CacheServer>,
}

/// Keeps nothing and needs nothing: what others are made from.
pub(crate) const NO_CONNECTOR: ConnectorFacts = ConnectorFacts {
    connector: Connector::None,
    mode: Mode::Aggregated,
    roles: &[],
    modules: &[],
    one_rank: false,
    server: None,
};

/// What a role is told.
#[derive(Debug, PartialEq)]
pub struct RoleFacts {
    pub role: Role,
    pub args: &'static [&'static str],
    pub env: &'static [(&'static str, &'static str)],
    /// Variables that take the address by which other hosts reach this one, on the hosts' own network.
    pub address_env: &'static [&'static str],
    pub ports: &'static [WorkerPort],
    /// What it keeps on the host; `None` = nothing.
    pub cache: Option<CacheFacts>,
}

/// Tells nothing: what others are made from.
pub(crate) const TOLD_NOTHING: RoleFacts =
    RoleFacts { role: Role::Decode, args: &[], env: &[], address_env: &[], ports: &[], cache: None };

impl ConnectorFacts {
    /// What that role is told, if anything.
    pub fn role(&self, role: Role) -> Option<&'static RoleFacts> {
        self.roles.iter().find(|row| row.role == role)
    }

    /// What it keeps on the host: its server, or its workers in whichever role.
    pub fn cache(&'static self) -> Option<&'static CacheFacts> {
        let server = self.server.as_ref().map(|server| &server.cache);
        server.or_else(|| self.roles.iter().find_map(|row| row.cache.as_ref()))
    }
}
