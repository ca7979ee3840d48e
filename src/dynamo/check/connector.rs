//! The `connector` block, read: the row of the engine's table that is meant, and the sizes of its caches. A combination
//! without a row is refused with the list of those that have one.

use crate::dynamo::facts::cache::CacheFacts;
use crate::dynamo::facts::connector::ConnectorFacts;
use crate::dynamo::facts::engine::EngineFacts;
use crate::dynamo::spec::connector::{ConnectorSpec, DiskCache};
use crate::dynamo::spec::draft::ConnectorDraft;
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::objection::{ConnectorField, Field, Refusal};
use crate::dynamo::terms::paths;
use crate::dynamo::terms::reader::{Reader, word};
use crate::dynamo::terms::words::{Connector, Mode};

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
    let demand = Demand { engine, mode, connector: named?, server: server? };
    let facts = demand.choose().map_err(|(field, refusal)| reader.object(at(field), refusal)).ok()?;
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
struct Demand {
    engine: &'static EngineFacts,
    mode: Mode,
    /// `None` = the first that fits.
    connector: Option<Connector>,
    server: Option<bool>,
}

impl Demand {
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
