//! The GPUs that a worker asks for.

use crate::dynamo::terms::objection::Refusal;
use crate::inventory::gpu::{Gpu, GpuInventory};
use std::fmt;

/// What a worker asks for.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum GpuRequest {
    #[default]
    None,
    Named(Vec<GpuName>),
    /// So many cards, whichever. At least 1.
    Count(u32),
}

/// A GPU as users name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GpuName {
    Index(u32),
    /// `GPU-…` or `MIG-…`, as `nvidia-smi -L` prints it.
    Uuid(String),
}

impl fmt::Display for GpuName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "GPU {index}"),
            Self::Uuid(uuid) => write!(f, "GPU {uuid}"),
        }
    }
}

impl GpuName {
    /// The name that a text is: an index or a UUID.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if let Ok(index) = text.parse() {
            return Ok(Self::Index(index));
        }
        let uuid = ["GPU-", "MIG-"].iter().any(|kind| {
            text.strip_prefix(kind).is_some_and(|rest| {
                rest.len() >= 8 && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"-/".contains(&b))
            })
        });
        if uuid {
            return Ok(Self::Uuid(text.to_owned()));
        }
        let what = format!("{text:?} is neither the index of a GPU nor a UUID");
        Err(Refusal::new(what, "use \"0\", or what nvidia-smi -L prints: \"GPU-…\" or \"MIG-…\""))
    }

    /// The device of that name, on a host called `host`.
    pub fn find<'a>(&self, inventory: &'a GpuInventory, host: &str) -> Result<&'a str, Refusal> {
        match self {
            Self::Uuid(uuid) => {
                let devices = inventory.devices();
                let found = devices.into_iter().find(|device| device == uuid);
                found.ok_or_else(|| match inventory.gpus.iter().find(|gpu| gpu.uuid == *uuid) {
                    Some(split) => self.is_split(split),
                    None => self.is_missing(inventory, host),
                })
            }
            Self::Index(index) => match inventory.by_index(*index) {
                Some(gpu) if gpu.is_whole() => Ok(&gpu.uuid),
                Some(split) => Err(self.is_split(split)),
                None => Err(self.is_missing(inventory, host)),
            },
        }
    }

    fn is_split(&self, gpu: &Gpu) -> Refusal {
        let what = format!("{self} is split (MIG) and cannot be used as a whole");
        let parts = gpu.devices().join(", ");
        let fix = match parts.as_str() {
            "" => "make instances of it with nvidia-smi mig, or switch MIG off".to_owned(),
            parts => format!("name instances of it: {parts}"),
        };
        Refusal::new(what, fix)
    }

    fn is_missing(&self, inventory: &GpuInventory, host: &str) -> Refusal {
        let there: Vec<String> =
            inventory.gpus.iter().map(|gpu| format!("{} ({}, {})", gpu.index, gpu.name, gpu.uuid)).collect();
        let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
        let what = format!("there is no {self} on host {host:?}, which has {there}");
        Refusal::new(
            what,
            "name one of those; a worker whose card is gone gets another with terraform apply -replace",
        )
    }
}
