//! The block `connector` of a deployment, the object by which a worker sees it, and the draft that both make.

use super::drafts::given;
use crate::dynamo::draft::{ConnectorDraft, Given};
use crate::model;
use crate::tf_provider::attr::{Attr, Block};
use crate::tf_provider::schema::optional;

model! {
    /// How KV caches leave a GPU.
    pub struct ConnectorModel {
        r#type: Attr<String> = optional("How KV caches leave a GPU. `none`: they do not. `nixl`: to the GPU of another worker. `kvbm`: to \
            memory and disk of the host, by Dynamo's block manager (and over NIXL where the deployment is disaggregated). \
            `lmcache`: to memory of the host, by LMCache. Left out: `none` where the deployment is aggregated, and what its \
            engine transfers with where it is not. Not every engine has each, and not every image: before a worker starts, its \
            image is asked whether it has what the connector needs."),
        cpu_cache_gb: Attr<i64> = optional("With `kvbm` and `lmcache`: memory of the host that a worker keeps for its cache, in whole GB \
            (2³⁰ bytes), within the worker's memory limit. With `lmcache` it is that of each of the worker's GPUs (left out: \
            5); `kvbm` must be told."),
        disk_cache_gb: Attr<i64> = optional("With `kvbm`: size of a second cache on disk, in whole GB, for each worker. It is filled from \
            the one in memory."),
        disk_cache_path: Attr<String> = optional("Folder of the worker's host for the cache on disk: a fast disk, writable for user \
            1000 or group 0. Left out: the container's own layer, in Docker's data folder."),
    }
}

model! {
    pub struct ConnectorView {
        r#type: Attr<String> = optional("How KV caches leave a GPU."),
        cpu_cache_gb: Attr<i64> = optional("Cache in memory in GB."),
        disk_cache_gb: Attr<i64> = optional("Cache on disk in GB."),
        disk_cache_path: Attr<String> = optional("Folder for the cache on disk."),
    }
}

impl From<ConnectorView> for ConnectorModel {
    fn from(ConnectorView { r#type, cpu_cache_gb, disk_cache_gb, disk_cache_path }: ConnectorView) -> Self {
        Self { r#type, cpu_cache_gb, disk_cache_gb, disk_cache_path }
    }
}

/// What the block says; all unknown while the block is.
pub fn draft(block: &Block<ConnectorModel>) -> ConnectorDraft {
    match block {
        Block::Absent => ConnectorDraft::default(),
        Block::Unknown => ConnectorDraft {
            kind: Given::Unknown,
            cpu_cache_gb: Given::Unknown,
            disk_cache_gb: Given::Unknown,
            disk_cache_path: Given::Unknown,
        },
        Block::Present(ConnectorModel { r#type, cpu_cache_gb, disk_cache_gb, disk_cache_path }) => {
            ConnectorDraft {
                kind: given(r#type),
                cpu_cache_gb: given(cpu_cache_gb),
                disk_cache_gb: given(disk_cache_gb),
                disk_cache_path: given(disk_cache_path),
            }
        }
    }
}
