//! KV caches that a connector keeps on a host, beside those in the memory of GPUs: in memory, and on disk behind it.

/// A cache of a worker or of a cache server on its host.
#[derive(Debug, PartialEq)]
pub struct CacheFacts {
    /// Gigabytes of memory when the user says nothing; `None` = the user must say.
    pub cpu_default_gb: Option<u32>,
    /// Whether the size is that of each of the worker's GPUs.
    pub per_gpu: bool,
    /// `None` = it has no tier on disk.
    pub disk: Option<DiskFacts>,
}

/// The second tier of a cache: files on the host's disk.
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
