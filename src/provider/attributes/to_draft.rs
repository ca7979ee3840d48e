//! From models to the domain's drafts: null is absent, unknown is unknown, and every field is named once.
//!
//! Of a block they take its model ([`Block::open`](crate::tf_provider::attr::Block::open)): one that is not known yet is all
//! unknown, whichever it is.

use super::blocks::{DockerModel, ResourcesModel, RouterModel, TextMap, UlimitModel, VolumeModel};
use super::picked_ports::Ports;
use crate::dynamo::spec::draft::{
    DockerDraft, GpuDraft, ResourceDraft, RouterDraft, UlimitDraft, VolumeDraft,
};
use crate::dynamo::spec::engine_args::ArgValue;
use crate::dynamo::terms::amount::Amount;
use crate::dynamo::terms::given::Given;
use crate::tf_provider::attr::{Attr, Dynamic};
use crate::tf_provider::diagnostics::Diagnostic;
use crate::tf_provider::value::{Number, Path, Value, json};
use std::collections::BTreeMap;

/// An attribute as the domain takes it.
pub(crate) fn given<T: Clone>(attribute: &Attr<T>) -> Given<T> {
    match attribute {
        Attr::Null => Given::Absent,
        Attr::Unknown => Given::Unknown,
        Attr::Known(value) => Given::Is(value.clone()),
    }
}

/// A number as an exact decimal.
pub(crate) fn amount(attribute: &Attr<Number>) -> Given<Amount> {
    match given(attribute) {
        Given::Absent => Given::Absent,
        Given::Unknown => Given::Unknown,
        // A Number prints as the decimal that it is.
        Given::Is(number) => number.to_string().parse().map_or(Given::Unknown, Given::Is),
    }
}

/// The entries of a map. One that is unknown as a whole is empty: nothing can be said of it yet. A null element is as if not
/// written.
pub(crate) fn texts(attribute: &Attr<TextMap>) -> BTreeMap<String, Given<String>> {
    let items = attribute.known().into_iter().flatten();
    items.filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.clone(), given(value))).collect()
}

/// The ports by name. A map that is unknown as a whole is empty.
pub(crate) fn ports(attribute: &Attr<Ports>) -> BTreeMap<String, Given<i64>> {
    attribute.known().into_iter().flatten().map(|(key, value)| (key.clone(), given(value))).collect()
}

/// The elements of a list that are known by now.
pub(crate) fn known_texts(attribute: &Attr<Vec<Attr<String>>>) -> Vec<String> {
    attribute.known().into_iter().flatten().filter_map(Attr::known).cloned().collect()
}

/// The draft of the block `router`.
pub(crate) fn router(block: &RouterModel) -> RouterDraft {
    let RouterModel { mode, overlap_score_credit, temperature, kv_events, ttl_seconds, replica_sync } = block;
    RouterDraft {
        mode: given(mode),
        overlap_score_credit: amount(overlap_score_credit),
        temperature: amount(temperature),
        kv_events: given(kv_events),
        ttl_seconds: amount(ttl_seconds),
        replica_sync: given(replica_sync),
    }
}

/// The draft of the GPU attributes. A list as a whole and its elements may each be unknown. A null element is left to be refused
/// as unknown.
pub(crate) fn gpus(
    gpus: &Attr<Vec<Attr<String>>>,
    gpu_count: &Attr<i64>,
    assigned: &Attr<Vec<Attr<String>>>,
) -> GpuDraft {
    GpuDraft {
        gpus: given(gpus).map(|items| items.iter().map(given).collect()),
        gpu_count: given(gpu_count),
        assigned: given(assigned).map(|items| items.iter().filter_map(Attr::known).cloned().collect()),
    }
}

/// The draft of the block `resources`.
pub(crate) fn resources(ResourcesModel { cpus, memory_gb, no_limit }: &ResourcesModel) -> ResourceDraft {
    ResourceDraft { cpus: amount(cpus), memory_gb: amount(memory_gb), no_limit: given(no_limit) }
}

/// The draft of the block `docker`.
pub(crate) fn docker(block: &DockerModel) -> DockerDraft {
    let DockerModel {
        shm_size_gb,
        extra_hosts,
        labels,
        networks,
        cap_add,
        devices,
        privileged,
        ipc,
        runtime,
        log_driver,
        log_options,
        restart,
        stop_grace_seconds,
        volume,
        ulimit,
    } = block;
    DockerDraft {
        volumes: volume.list().iter().map(self::volume).collect(),
        extra_hosts: texts(extra_hosts),
        shm_size_gb: amount(shm_size_gb),
        ulimits: ulimit.list().iter().map(self::ulimit).collect(),
        labels: texts(labels),
        networks: list(networks),
        cap_add: list(cap_add),
        devices: list(devices),
        privileged: given(privileged),
        ipc: given(ipc),
        runtime: given(runtime),
        log_driver: given(log_driver),
        log_options: texts(log_options),
        restart: given(restart),
        stop_grace_seconds: given(stop_grace_seconds),
    }
}

/// A list as a whole and its elements may each be unknown. A null element is left to be complained about as absent.
fn list(attribute: &Attr<Vec<Attr<String>>>) -> Given<Vec<Given<String>>> {
    given(attribute).map(|items| items.iter().map(given).collect())
}

fn volume(VolumeModel { host_path, container_path, read_only, create }: &VolumeModel) -> VolumeDraft {
    VolumeDraft {
        create: given(create),
        host_path: given(host_path),
        container_path: given(container_path),
        read_only: given(read_only),
    }
}

fn ulimit(UlimitModel { name, soft, hard }: &UlimitModel) -> UlimitDraft {
    UlimitDraft { name: given(name), soft: given(soft), hard: given(hard) }
}

/// Engine arguments out of the object that the user wrote. Errors name what is not an object, at `path`.
pub(crate) fn engine_args(
    attribute: &Attr<Dynamic>,
    path: &Path,
) -> Result<BTreeMap<String, Given<ArgValue>>, Diagnostic> {
    let Attr::Known(Dynamic(value)) = attribute else { return Ok(BTreeMap::new()) };
    if value.is_null() || value.is_unknown() {
        return Ok(BTreeMap::new());
    }
    let Some(items) = value.as_map() else {
        let detail = format!("Expected an object such as {{ max-model-len = 8192 }}, got {}.", value.kind());
        return Err(Diagnostic::error("Invalid engine arguments", detail).at(path.clone()));
    };
    let mut arguments = BTreeMap::new();
    for (name, value) in items {
        if !value.is_null() {
            arguments.insert(name.clone(), argument(value).map_err(|error| error.at(path.clone()))?);
        }
    }
    Ok(arguments)
}

fn argument(value: &Value) -> Result<Given<ArgValue>, Diagnostic> {
    if !value.is_wholly_known() {
        return Ok(Given::Unknown);
    }
    let argument = if let Some(flag) = value.as_bool() {
        ArgValue::Bool(flag)
    } else if let Some(number) = value.as_number() {
        ArgValue::Number(number.to_string())
    } else if let Some(text) = value.as_str() {
        ArgValue::Text(text.to_owned())
    } else if let Some(items) = value.as_list() {
        ArgValue::List(items.iter().map(element).collect::<Result<_, _>>()?)
    } else {
        ArgValue::Json(plain(value)?.to_string())
    };
    Ok(Given::Is(argument))
}

/// An element of a list as it would stand alone on a command line.
fn element(value: &Value) -> Result<String, Diagnostic> {
    if value.is_null() {
        let detail = "A list of engine arguments has a null in it: leave the element out.";
        return Err(Diagnostic::error("Invalid engine arguments", detail));
    }
    match value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None => plain(value).map(|json| json.to_string()),
    }
}

fn plain(value: &Value) -> Result<serde_json::Value, Diagnostic> {
    json::encode_json(value)
        .map_err(|error| Diagnostic::error("Invalid engine arguments", format!("{error}.")))
}
