//! A deployment's connector, with its sizes decided.

use crate::dynamo::facts::connector::ConnectorFacts;

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
