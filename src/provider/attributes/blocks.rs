//! The blocks that a deployment and a worker share, and the objects by which a worker sees them in its deployment.
//!
//! Gigabytes are 2³⁰ bytes everywhere, as `docker run --memory 1g` counts them.

use crate::model;
use crate::tf_provider::attr::{Attr, Block, Blocks, Nested, NestedList};
use crate::tf_provider::schema::{block, check, optional, required};
use crate::tf_provider::value::Number;
use std::collections::BTreeMap;

/// Text → text.
pub(crate) type TextMap = BTreeMap<String, Attr<String>>;

/// A model of a block, and its view: the same attributes as a worker receives them inside `deployment`, where blocks are
/// attributes, since blocks cannot stand in an object, and nothing is computed. `attribute: Type = declaration => "text of the view",`
macro_rules! viewed {
    ($(#[$meta:meta])* $vis:vis struct $model:ident, $view:ident {
        $($field:ident: $ty:ty = $declaration:expr => $text:literal),+ $(,)?
    }) => {
        model! { $(#[$meta])* $vis struct $model { $($field: $ty = $declaration),+ } }
        model! {
            /// The block as a worker sees it in its deployment.
            $vis struct $view { $($field: <$ty as Viewed>::View = optional($text)),+ }
        }

        impl From<$view> for $model {
            fn from(view: $view) -> Self {
                Self { $($field: Viewed::of(view.$field)),+ }
            }
        }

        impl Viewed for Blocks<$model> {
            type View = Attr<NestedList<$view>>;
            fn of(view: Self::View) -> Self {
                blocks(view)
            }
        }
    };
}

/// What an attribute or block is in a view.
pub trait Viewed {
    type View;
    fn of(view: Self::View) -> Self;
}

impl<T> Viewed for Attr<T> {
    type View = Self;
    fn of(view: Self) -> Self {
        view
    }
}

model! {
    /// The block `router`: how the frontend spreads requests over workers.
    pub struct RouterModel {
        mode: Attr<String> = optional("How requests are spread over workers: `round-robin`, `random`, `kv` (to the worker \
            that has most of the prompt in its KV cache), `direct` (the request names the worker in `x-worker-instance-id`, and where the deployment is \
            disaggregated the prefill worker in `x-prefill-instance-id`), `power-of-two`, \
            `least-loaded` or `device-aware-weighted`, as the Dynamo release knows them.").default("round-robin"),
        overlap_score_credit: Attr<Number> = optional("With `mode = \"kv\"`: how much a cached block counts when a \
            worker is chosen. Left out: Dynamo's default."),
        temperature: Attr<Number> = optional("With `mode = \"kv\"`: randomness of the choice; 0 takes the best worker always. \
            Left out: Dynamo's default."),
        kv_events: Attr<bool> = optional("With `mode = \"kv\"`: whether workers report what is in their KV cache. `false` lets the \
            router guess from what it sent where. Left out: Dynamo's default (`true`)."),
        ttl_seconds: Attr<Number> = optional("With `mode = \"kv\"` and `kv_events = false`: after how many seconds the router takes a \
            block for evicted."),
        replica_sync: Attr<bool> = optional("With `mode = \"kv\"`: whether several frontends share what they know."),
    }
}

model! {
    /// The router as a worker sees it: what of it decides about workers.
    pub struct RouterView {
        mode: Attr<String> = optional("Router mode."),
        kv_events: Attr<bool> = optional("Whether workers report their KV cache."),
    }
}

impl From<RouterView> for RouterModel {
    fn from(RouterView { mode, kv_events }: RouterView) -> Self {
        Self { mode, kv_events, ..Self::default() }
    }
}

viewed! {
    /// Limits of each container.
    pub struct ResourcesModel, ResourcesView {
        cpus: Attr<Number> = optional("CPUs that each container may use, fractions allowed. Left out: all but the host's \
            reserve.") =>
            "CPUs for each container.",
        memory_gb: Attr<Number> = optional("Memory that each container may use, in GB (2³⁰ bytes). Left out: all but the \
            host's reserve.") =>
            "Memory for each container in GB.",
        no_limit: Attr<bool> = optional("`true`: no limits at all. Excludes `cpus` and `memory_gb`.") =>
            "No limits.",
    }
}

viewed! {
    /// Further options of `docker run`.
    pub struct DockerModel, DockerView {
        shm_size_gb: Attr<Number> = optional("Size of `/dev/shm` in GB (2³⁰ bytes).") =>
            "Size of `/dev/shm` in GB.",
        extra_hosts: Attr<TextMap> = optional("Host names to add to `/etc/hosts`, each with its address, or with \
            `host-gateway` for the host itself.") =>
            "Additional host names.",
        labels: Attr<TextMap> = optional("Labels of the containers, beside the provider's own.") =>
            "Labels.",
        networks: Attr<Vec<Attr<String>>> = optional("Docker networks of the host to be in beside the deployment's own, by name. \
            They must exist. Not with `network = \"host\"`.").unordered() =>
            "Further networks.",
        cap_add: Attr<Vec<Attr<String>>> = optional("Capabilities of the kernel that are added, for example `IPC_LOCK`; with or \
            without `CAP_`.").unordered() =>
            "Capabilities.",
        devices: Attr<Vec<Attr<String>>> = optional("Devices of the host, as `/dev/on-host`, `/dev/on-host:/dev/in-container` or \
            `/dev/on-host:/dev/in-container:rwm`. GPUs are given by `gpus` and `gpu_count` of a worker, and refused here.").unordered() =>
            "Devices.",
        privileged: Attr<bool> = optional("All capabilities and all devices of the host, its GPUs among them, whoever else has \
            them. Gives a warning. Left out: `false`.") =>
            "All capabilities and devices.",
        ipc: Attr<String> = optional("`private`, `shareable` (other containers may join) or `host`. Left out: `private`.") =>
            "Shared memory.",
        runtime: Attr<String> = optional("OCI runtime by the name that Docker knows it by, for example `nvidia`. Left out: Docker's \
            default.") =>
            "OCI runtime.",
        log_driver: Attr<String> = optional("Docker's log driver, for example `local` or `journald`. With one that Docker cannot read \
            again (`none`, …) errors and `dynamo_containers` have no log lines. Left out: Docker's default.") =>
            "Log driver.",
        log_options: Attr<TextMap> = optional("Options of the log driver, for example `{ max-size = \"50m\", max-file = \"3\" }`. They are \
            in the state: no place for a secret.") =>
            "Options of the log driver.",
        restart: Attr<String> = optional("When Docker starts a container again: `unless-stopped`, `always`, `no`, `on-failure` or \
            `on-failure:5`. Dynamo's processes end with exit code 0 when they lose each other, which is no failure to Docker. \
            Changed in place. Left out: `unless-stopped`.") =>
            "Restart policy.",
        stop_grace_seconds: Attr<i64> = optional("Seconds that a container has to finish its requests before it is killed. Left out: \
            what the release needs.") =>
            "Seconds to end in.",
        volume: Blocks<VolumeModel> = block("A folder of the host in the containers.") =>
            "Folders of the host.",
        ulimit: Blocks<UlimitModel> = block("A limit of the kernel for processes in the containers.") =>
            "Kernel limits.",
    }
}

viewed! {
    /// A folder of the host in the containers.
    pub struct VolumeModel, VolumeView {
        host_path: Attr<String> = required("Absolute path on the host. It must exist, unless `create` is set.") =>
            "Path on the host.",
        container_path: Attr<String> = required("Absolute path in the container.") =>
            "Path in the container.",
        read_only: Attr<bool> = optional("Whether the container may only read.").default(false) =>
            "Read only.",
        create: Attr<bool> = optional("Whether a folder that is missing is made before the container starts. It belongs to user 1000 \
            and group 0, the user of Dynamo's images, and both may write; behind an Engine at a TCP address, where the host's files cannot be seen, it stays root's. \
            It is never removed.").default(false) =>
            "Made where it is missing.",
    }
}

viewed! {
    /// A limit of the kernel.
    pub struct UlimitModel, UlimitView {
        name: Attr<String> = required("Name of the limit, for example `memlock` or `nofile`.") =>
            "Name of the limit.",
        soft: Attr<i64> = required("Soft limit; -1 = unlimited.") =>
            "Soft limit.",
        hard: Attr<i64> = optional("Hard limit; -1 = unlimited. Left out: the soft limit.") =>
            "Hard limit.",
    }
}

model! {
    /// The block `timeouts`: how long operations may take.
    pub struct TimeoutsModel {
        create: Attr<String> = optional("Time for creation, from the first call to the host until it works, for example \
            `45m` or `1h30m`. The download of an image is not counted as long as it makes progress. Default: `30m`.")
            .check(check::text("be a duration such as \"90s\", \"30m\" or \"1h30m\"", super::duration::is_valid)),
        update: Attr<String> = optional("Time for an update. Default: `30m`.")
            .check(check::text("be a duration such as \"90s\", \"30m\" or \"1h30m\"", super::duration::is_valid)),
        delete: Attr<String> = optional("Time for a removal, draining included. Default: `10m`.")
            .check(check::text("be a duration such as \"90s\", \"30m\" or \"1h30m\"", super::duration::is_valid)),
    }
}

/// A nested attribute as the block it came from.
pub(crate) fn block_of<V, M: From<V>>(view: Attr<Nested<V>>) -> Block<M> {
    match view {
        Attr::Null => Block::Absent,
        Attr::Unknown => Block::Unknown,
        Attr::Known(Nested(view)) => Block::Present(view.into()),
    }
}

fn blocks<V, M: From<V> + Default>(views: Attr<NestedList<V>>) -> Blocks<M> {
    match views {
        Attr::Null => Blocks::default(),
        Attr::Unknown => Blocks::Unknown,
        Attr::Known(NestedList(items)) => Blocks::List(
            items
                .into_iter()
                .map(|item| item.into_known().map_or_else(M::default, |it| it.0.into()))
                .collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tf_provider::model::Model;
    use crate::tf_provider::planning::propose;
    use crate::tf_provider::value::{Path, Value};

    /// The Engine has capabilities, networks and devices in no order.
    #[test]
    fn another_order_is_no_change() {
        let list = |words: &[&str]| Value::List(words.iter().map(|word| Value::from(*word)).collect());
        let entries = DockerModel::entries();
        for name in ["cap_add", "networks", "devices"] {
            let with = |words: &[&str]| {
                let model = Value::object([(name, list(words))]);
                DockerModel::from_value(&model, &Path::root()).unwrap().to_value()
            };
            let prior = with(&["a", "b", "a"]);
            let proposal = propose(&entries, &with(&["a", "a", "b"]), &prior);
            assert!(!proposal.changed && proposal.planned == prior, "{name}");
            for other in [&["a", "b", "b"][..], &["a", "b"], &["a", "b", "c"], &[]] {
                assert!(propose(&entries, &with(other), &prior).changed, "{name} {other:?}");
            }
        }
    }
}
