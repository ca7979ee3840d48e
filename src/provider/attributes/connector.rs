//! The block `connector` of a deployment, the object by which a worker sees it, and the draft that both make.

use super::to_draft::given;
use crate::dynamo::spec::draft::ConnectorDraft;
use crate::model;
use crate::tf_provider::attr::Attr;
use crate::tf_provider::schema::optional;

model! {
    /// The block `connector`: how KV caches leave a GPU.
    pub struct ConnectorModel {
        r#type: Attr<String> = optional("How KV caches leave a GPU. `none`: they do not. `nixl`: to the GPU of another worker. `kvbm`: to \
            memory and disk of the host, by Dynamo's block manager (and over NIXL where the deployment is disaggregated). \
            `lmcache`: to memory of the host, by LMCache. Left out: `none` where the deployment is aggregated, and what its \
            engine transfers with where it is not. Not every engine has each, and not every image: before a worker starts, its \
            image is asked whether it has what the connector needs."),
        cpu_cache_gb: Attr<i64> = optional("With `kvbm` and `lmcache`: memory of the host that a worker keeps for its cache, in whole GB \
            (2³⁰ bytes), within the worker's memory limit. With `lmcache` it is that of each of the worker's GPUs, or what \
            its server keeps for all of them (left out: 5); `kvbm` must be told."),
        disk_cache_gb: Attr<i64> = optional("With `kvbm`: size of a second cache on disk, in whole GB, for each worker. It is filled from \
            the one in memory."),
        disk_cache_path: Attr<String> = optional("Folder of the worker's host for the cache on disk: a fast disk, writable for user \
            1000 or group 0. Left out: the container's own layer, in Docker's data folder."),
        server: Attr<bool> = optional("With `lmcache`: whether a server keeps one cache for all workers of a host, in a container that shares \
            the host's IPC namespace and sees all its GPUs, or each worker one of its own. Left out: a server where there is one, \
            which is with `vllm` from Dynamo 1.5 on. It comes with the first worker of a host and goes with the last. With \
            `network = \"host\"` it listens at 127.0.0.1 (its page of measurements: everywhere). Where prefill and decode are apart, a server \
            hands over between them too, so that all of them must be on one host; without one prefill workers have caches, and \
            hand over by NIXL."),
    }
}

model! {
    /// The `connector` block as a worker receives it.
    pub struct ConnectorView {
        r#type: Attr<String> = optional("How KV caches leave a GPU."),
        cpu_cache_gb: Attr<i64> = optional("Cache in memory in GB."),
        disk_cache_gb: Attr<i64> = optional("Cache on disk in GB."),
        disk_cache_path: Attr<String> = optional("Folder for the cache on disk."),
        server: Attr<bool> = optional("Whether a server keeps the cache."),
    }
}

impl From<ConnectorView> for ConnectorModel {
    fn from(view: ConnectorView) -> Self {
        let ConnectorView { r#type, cpu_cache_gb, disk_cache_gb, disk_cache_path, server } = view;
        Self { r#type, cpu_cache_gb, disk_cache_gb, disk_cache_path, server }
    }
}

/// The draft that the block makes.
pub(crate) fn draft(block: &ConnectorModel) -> ConnectorDraft {
    let ConnectorModel { r#type, cpu_cache_gb, disk_cache_gb, disk_cache_path, server } = block;
    ConnectorDraft {
        kind: given(r#type),
        cpu_cache_gb: given(cpu_cache_gb),
        disk_cache_gb: given(disk_cache_gb),
        disk_cache_path: given(disk_cache_path),
        server: given(server),
    }
}
