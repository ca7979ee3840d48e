//! Which GPUs a worker gets at apply, where each worker is decided alone: those that it names, or the best of the free ones.

use super::choose::{Unsatisfiable, choose};
use super::claims::{held, label};
use super::occupancy::{Holder, Occupancy};
use crate::dynamo::terms::objection::Refusal;
use crate::inventory::gpu::GpuInventory;
use std::collections::BTreeMap;

/// The GPUs of a host, as far as one container can have them.
pub(crate) struct Assigning<'a> {
    pub inventory: &'a GpuInventory,
    pub occupancy: &'a Occupancy,
    pub container: &'a str,
    /// By device: the container that it was promised to.
    pub promised: &'a BTreeMap<String, String>,
}

impl Assigning<'_> {
    /// Who else has a device.
    fn obstacle(&self, device: &str) -> Option<Refusal> {
        let label = label(self.inventory, device);
        if let Some(other) = self.promised.get(device).filter(|other| *other != self.container) {
            let what = format!("{label} was just given to worker {other}");
            return Some(Refusal::new(what, "give each worker its own, or use gpu_count"));
        }
        let holder = self.occupancy.holder(device).filter(|holder| !is_own(holder, self.container))?;
        Some(held(&label, holder))
    }

    /// The named devices, if nobody else has one of them.
    pub(crate) fn all_free(&self, named: Vec<String>) -> Result<Vec<String>, Refusal> {
        match named.iter().find_map(|device| self.obstacle(device)) {
            Some(refusal) => Err(refusal),
            None => Ok(named),
        }
    }

    /// So many devices that nobody else has; those in `had` first.
    pub(crate) fn pick(&self, host: &str, count: u32, had: &[String]) -> Result<Vec<String>, Refusal> {
        let devices = self.inventory.devices().into_iter();
        let (free, taken): (Vec<&str>, Vec<&str>) =
            devices.partition(|device| self.obstacle(device).is_none());
        let had: Vec<&str> = had.iter().map(String::as_str).collect();
        choose(self.inventory, &free, count, &had).map_err(|Unsatisfiable { wanted, free }| {
            let told = taken.iter().filter_map(|device| self.obstacle(device));
            let told: Vec<String> = told.map(|refusal| refusal.what).collect();
            let told = if told.is_empty() { String::new() } else { format!(" ({})", told.join("; ")) };
            let what = format!("the worker wants {wanted}, but host {host:?} has {free} free{told}");
            Refusal::new(what, "free some, ask for fewer, or use another host")
        })
    }
}

fn is_own(holder: &Holder, container: &str) -> bool {
    matches!(holder, Holder::Worker { container: name, .. } if name == container)
}
