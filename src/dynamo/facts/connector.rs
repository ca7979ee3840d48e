//! How KV caches leave a GPU: to another worker (NIXL), or to memory and disk of the host (KVBM, LMCache).
//!
//! What a connector is told differs by release, engine, mode and role, and most combinations do not exist: they would
//! start, and fail at the first request or hang at a transfer. So each engine has a row per mode and connector that does
//! work ([`ConnectorFacts`]), its first row of a mode is the default there, and what has no row is refused with the list
//! of those that have one.
//!
//! A row's texts may hold `{cpu_cache_gb}` and `{disk_cache_gb}` beside what [`crate::dynamo::decide::worker`] fills in everywhere, and
//! `{server}` for the address of its [`CacheServer`] and the names of that one's ports.

use super::cache_server::CacheServer;
use super::topology::WorkerPort;
use crate::dynamo::facts::engine::EngineFacts;
use crate::dynamo::spec::draft::{ConnectorDraft, Given};
use crate::dynamo::spec::{Mode, Role, words};
use crate::dynamo::terms::objection::{ConnectorField, Field, Refusal};
use crate::dynamo::terms::paths;
use crate::dynamo::terms::reader::{Reader, word};

words!(
    /// Where KV caches go.
    Connector {
        /// They stay on the GPU.
        None = "none",
        /// To the GPU of another worker.
        Nixl = "nixl",
        /// To memory and disk of the host, by Dynamo's own block manager.
        Kvbm = "kvbm",
        /// To memory of the host, by LMCache.
        Lmcache = "lmcache",
    }
);

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

/// A cache of a worker on its host.
#[derive(Debug, PartialEq)]
pub struct CacheFacts {
    /// Gigabytes of memory when the user says nothing; `None` = the user must say.
    pub cpu_default_gb: Option<u32>,
    /// Whether the size is that of each of the worker's GPUs.
    pub per_gpu: bool,
    /// `None` = it has no tier on disk.
    pub disk: Option<DiskFacts>,
}

/// The second tier of a cache.
#[derive(Debug, PartialEq)]
pub struct DiskFacts {
    pub env: &'static [(&'static str, &'static str)],
    /// Takes the folder in the container, where one of the host is mounted.
    pub folder_env: &'static str,
    /// That folder.
    pub folder: &'static str,
    /// Said instead where none is mounted and the files lie in the container's own layer.
    pub unmounted_env: &'static [(&'static str, &'static str)],
}

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

/// A deployment's connector, with what was decided of its sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectorSpec {
    pub facts: &'static ConnectorFacts,
    /// Gigabytes (2³⁰ bytes); `None` = it has no cache.
    pub cpu_cache_gb: Option<u32>,
    pub disk: Option<DiskCache>,
}

/// A tier on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskCache {
    pub gb: u32,
    /// Folder of the host; `None` = the container's own layer.
    pub path: Option<String>,
}

/// Reads the block. What fits the engine can only be told when engine and mode are known.
pub(in crate::dynamo) fn read(
    reader: &mut Reader,
    draft: &ConnectorDraft,
    on: Option<(&'static EngineFacts, Mode)>,
) -> Option<ConnectorSpec> {
    let named = reader.maybe(at(ConnectorField::Type), &draft.kind, word(Connector::ALL, Connector::word));
    let cpu = reader.maybe(at(ConnectorField::CpuCacheGb), &draft.cpu_cache_gb, |gb| size(*gb));
    let disk = reader.maybe(at(ConnectorField::DiskCacheGb), &draft.disk_cache_gb, |gb| size(*gb));
    let path =
        reader.maybe(at(ConnectorField::DiskCachePath), &draft.disk_cache_path, |text| paths::absolute(text));
    if draft.disk_cache_gb.is_absent() && !draft.disk_cache_path.is_absent() {
        let refusal = Refusal::new(
            "there is no cache on disk to put there",
            "set connector.disk_cache_gb too, or leave it out",
        );
        reader.object(at(ConnectorField::DiskCachePath), refusal);
    }
    let server = reader.maybe(at(ConnectorField::Server), &draft.server, |server| Ok(*server));
    let (engine, mode) = on?;
    let wish = Wish { engine, mode, connector: named?, server: server? };
    let facts = wish.choose().map_err(|(field, refusal)| reader.object(at(field), refusal)).ok()?;
    misplaced(reader, draft, engine, facts);
    let default = facts.cache().and_then(|cache| cache.cpu_default_gb);
    let (disk, path) = (disk?, path?);
    Some(ConnectorSpec { facts, cpu_cache_gb: cpu?.or(default), disk: disk.map(|gb| DiskCache { gb, path }) })
}

fn at(field: ConnectorField) -> Field {
    Field::Connector(field)
}

fn size(gb: i64) -> Result<u32, Refusal> {
    u32::try_from(gb).ok().filter(|gb| (1..=1_000_000).contains(gb)).ok_or_else(|| {
        Refusal::new(format!("{gb} GB is no size of a cache"), "use a whole number of gigabytes, 1 or more")
    })
}

/// What a row must fit.
struct Wish {
    engine: &'static EngineFacts,
    mode: Mode,
    /// `None` = the first that fits.
    connector: Option<Connector>,
    server: Option<bool>,
}

impl Wish {
    /// The first row that fits, or which field is at fault.
    fn choose(&self) -> Result<&'static ConnectorFacts, (ConnectorField, Refusal)> {
        let mut there = self.engine.connectors.iter().filter(|row| row.mode == self.mode);
        let Some(named) = self.connector else {
            let first = there.find(|row| row.server.is_none());
            return match (first, self.server) {
                (Some(row), None | Some(false)) => Ok(row),
                (_, Some(true)) => {
                    Err((ConnectorField::Server, no_server("without connector.type there is no server")))
                }
                (None, _) => Err((ConnectorField::Type, self.not_there("a connector", there))),
            };
        };
        let rows: Vec<_> = there.clone().filter(|row| row.connector == named).collect();
        if rows.is_empty() {
            return Err((ConnectorField::Type, self.not_there(&format!("{:?}", named.word()), there)));
        }
        let fits = |row: &&&ConnectorFacts| self.server.is_none_or(|server| row.server.is_some() == server);
        rows.iter().find(fits).copied().ok_or_else(|| {
            let (engine, mode, word) = (self.engine.engine.word(), self.mode.word(), named.word());
            let what = match self.server {
                Some(true) => {
                    format!("{mode} workers of {engine} use {word:?} without a server in this release")
                }
                _ => format!("{mode} workers use {word:?} by a server only"),
            };
            (ConnectorField::Server, no_server(&what))
        })
    }

    fn not_there<'a>(&self, what: &str, there: impl Iterator<Item = &'a ConnectorFacts>) -> Refusal {
        let mut words: Vec<&str> = there.map(|row| row.connector.word()).collect();
        words.dedup();
        let (engine, mode) = (self.engine.engine.word(), self.mode.word());
        Refusal::new(
            format!("the engine {engine:?} cannot have {what} where its deployment is {mode}"),
            format!("use {}", words.join(" or ")),
        )
    }
}

fn no_server(what: &str) -> Refusal {
    Refusal::new(what, "leave it out")
}

/// Sizes where there is nothing to size, and the other way round.
fn misplaced(
    reader: &mut Reader,
    draft: &ConnectorDraft,
    engine: &EngineFacts,
    facts: &'static ConnectorFacts,
) {
    let word = facts.connector.word();
    let there = |fits: fn(&CacheFacts) -> bool| {
        let rows = engine.connectors.iter().filter(|row| row.mode == facts.mode);
        let fitting = rows.filter(|row| row.cache().is_some_and(fits)).map(|row| row.connector.word());
        let mut fitting: Vec<&str> = fitting.collect();
        fitting.dedup();
        match fitting.join(" or ") {
            none if none.is_empty() => "leave it out".to_owned(),
            words => format!("leave it out, or set connector.type to {words}"),
        }
    };
    let cache = facts.cache();
    if cache.is_none() && !draft.cpu_cache_gb.is_absent() {
        let what = format!("the connector {word:?} keeps nothing in memory");
        reader.object(at(ConnectorField::CpuCacheGb), Refusal::new(what, there(|_| true)));
    }
    if cache.is_none_or(|cache| cache.disk.is_none()) && !draft.disk_cache_gb.is_absent() {
        let what = format!("the connector {word:?} keeps nothing on disk");
        reader.object(at(ConnectorField::DiskCacheGb), Refusal::new(what, there(|it| it.disk.is_some())));
    }
    if cache.is_some_and(|cache| cache.cpu_default_gb.is_none()) && draft.cpu_cache_gb == Given::Absent {
        let what = match draft.disk_cache_gb.is_absent() {
            true => format!("the connector {word:?} needs a cache in memory"),
            false => "the cache on disk is filled from one in memory, and there is none".to_owned(),
        };
        let fix = "set it to the gigabytes that each worker may pin";
        reader.object(at(ConnectorField::CpuCacheGb), Refusal::new(what, fix));
    }
}
