//! GPUs of one run: what its workers ask for, and what was promised to whom.
//!
//! Plan and apply need two different memories. The plan remembers *claims*, to hold each worker against those that were
//! planned before it ([`claims`]); nothing is decided by them. Apply makes *promises*: a GPU is somebody's once a
//! container that has it runs, and until then here. A host's GPUs are decided one worker at a time.

use super::client::Entry;
use super::errors;
use crate::container::ObservedContainer;
use crate::dynamo::gpus::choose::{Unsatisfiable, choose};
use crate::dynamo::gpus::claims::{self, Claim, Scene, Wish, label};
use crate::dynamo::gpus::occupancy::{Holder, Occupancy};
use crate::dynamo::gpus::{GpuName, GpuRequest};
use crate::dynamo::objection::{Field, Objection, Refusal};
use crate::dynamo::spec::WorkerSpec;
use crate::hosts::{Filter, HostError};
use crate::inventory::gpu::{GpuInventory, GpuSight};
use crate::provider::objections;
use crate::tf_provider::diagnostics::Diagnostics;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The memory of one run.
#[derive(Clone, Default)]
pub struct GpuLedger(Arc<Mutex<Memory>>);

#[derive(Default)]
struct Memory {
    claims: BTreeMap<(String, Claimant), Claim>,
    /// Counts workers that have no container yet.
    newcomers: u64,
    /// By host and device: the container that it was promised to.
    promises: BTreeMap<(String, String), String>,
    turns: HashMap<String, Arc<tokio::sync::Mutex<()>>>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Claimant {
    Container(String),
    Newcomer(u64),
}

/// A host's GPUs, and who has them.
pub struct Sight {
    pub inventory: GpuInventory,
    pub occupancy: Occupancy,
}

impl GpuLedger {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses, at plan, what cannot be had beside all that was planned before on that host.
    pub async fn plan(
        &self,
        entry: &Entry,
        request: &GpuRequest,
        deployment: &str,
        container: Option<&str>,
    ) -> Result<(), Diagnostics> {
        if *request == GpuRequest::None {
            return Ok(());
        }
        let sight =
            look(entry, "Unable to check the plan").await?.map_err(|refusal| said(request, refusal))?;
        let wish = match request {
            GpuRequest::Count(count) => Wish::Cards(*count),
            _ => Wish::Devices(devices(entry, request, &sight.inventory)?.into_iter().collect()),
        };
        let claim =
            Claim { deployment: deployment.to_owned(), container: container.map(str::to_owned), wish };
        let others = self.claim(entry.host.name(), &claim);
        sight.check(entry, &claim, &others).map_err(|refusal| said(request, refusal))
    }

    /// Remembers what a worker has that stays as it is. The host is only asked if somebody planned before might be in
    /// its way.
    pub async fn stays(
        &self,
        entry: &Entry,
        request: &GpuRequest,
        deployment: &str,
        container: &str,
        has: &[String],
    ) -> Result<(), Diagnostics> {
        let claim = Claim {
            deployment: deployment.to_owned(),
            container: Some(container.to_owned()),
            wish: Wish::Devices(has.iter().cloned().collect()),
        };
        let others = self.claim(entry.host.name(), &claim);
        if has.is_empty() || others.iter().all(|other| other.container.is_some()) {
            return Ok(());
        }
        match look(entry, "Unable to check the plan").await? {
            Ok(sight) => sight.check(entry, &claim, &others).map_err(|refusal| said(request, refusal)),
            Err(_) => Ok(()),
        }
    }

    /// Leaves the claim, and returns those of the others on that host.
    fn claim(&self, host: &str, claim: &Claim) -> Vec<Claim> {
        let mut memory = self.memory();
        let claimant = match &claim.container {
            Some(container) => Claimant::Container(container.clone()),
            None => {
                memory.newcomers = memory.newcomers.saturating_add(1);
                Claimant::Newcomer(memory.newcomers)
            }
        };
        let others = memory.claims.iter().filter(|((on, other), _)| on == host && *other != claimant);
        let others = others.map(|(_, claim)| claim.clone()).collect();
        memory.claims.insert((host.to_owned(), claimant), claim.clone());
        others
    }

    /// Decides which GPUs `container` gets, at apply, and keeps them for it until the result is dropped. `held` are those
    /// that it had.
    pub async fn assign(
        &self,
        entry: &Entry,
        request: &GpuRequest,
        container: &str,
        held: &[String],
        summary: &str,
    ) -> Result<PromisedGpus, Diagnostics> {
        let mut promised = PromisedGpus { devices: Vec::new(), host: String::new(), ledger: self.clone() };
        if *request == GpuRequest::None {
            return Ok(promised);
        }
        let host = entry.host.name();
        let turn = Arc::clone(self.memory().turns.entry(host.to_owned()).or_default());
        let _turn = turn.lock_owned().await;
        // Before the look: a promise that ends meanwhile is a container that the look may have missed.
        let others = self.promises(host);
        let sight = look(entry, summary).await?.map_err(|refusal| said(request, refusal))?;
        let named = match request {
            GpuRequest::Count(_) => Vec::new(),
            _ => devices(entry, request, &sight.inventory)?,
        };
        let decided = match request {
            GpuRequest::Count(count) => sight.pick(host, *count, container, held, &others),
            _ => sight.all_free(named, container, &others),
        };
        let devices = decided.map_err(|refusal| said(request, refusal))?;
        let mut memory = self.memory();
        for device in &devices {
            memory.promises.insert((host.to_owned(), device.clone()), container.to_owned());
        }
        drop(memory);
        promised.devices = devices;
        promised.host = host.to_owned();
        Ok(promised)
    }

    /// By device: the container that it was promised to.
    fn promises(&self, host: &str) -> BTreeMap<String, String> {
        let memory = self.memory();
        let there = memory.promises.iter().filter(|((on, _), _)| on == host);
        there.map(|((_, device), container)| (device.clone(), container.clone())).collect()
    }
}

/// GPUs that are a container's until this is dropped.
pub struct PromisedGpus {
    devices: Vec<String>,
    host: String,
    ledger: GpuLedger,
}

impl PromisedGpus {
    /// UUIDs, sorted.
    pub fn devices(&self) -> &[String] {
        &self.devices
    }
}

impl Drop for PromisedGpus {
    fn drop(&mut self) {
        let mut memory = self.ledger.memory();
        for device in self.devices.drain(..) {
            memory.promises.remove(&(self.host.clone(), device));
        }
    }
}

/// What a host has; the inner error is that it has no GPUs, or none that can be seen.
pub async fn look(entry: &Entry, summary: &str) -> Result<Result<Sight, Refusal>, Diagnostics> {
    let failed = |error: HostError| Diagnostics::from(errors::diagnostic(summary, &error, None));
    let host = entry.host.name();
    let inventory = match entry.host.gpus().await.map_err(failed)? {
        GpuSight::Seen(inventory) => inventory,
        GpuSight::Absent(why) => {
            let what = format!("host {host:?} has no GPU to give: {why}");
            return Ok(Err(Refusal::new(what, "install the driver, use another host, or ask for no GPU")));
        }
        GpuSight::Unseen(why) => {
            let what = format!("the GPUs of host {host:?} cannot be seen: {why}");
            return Ok(Err(Refusal::new(what, "reach the host itself, or ask for no GPU")));
        }
    };
    let seen: Vec<ObservedContainer> = entry.host.observe(&Filter::Everything).await.map_err(failed)?;
    let occupancy = Occupancy::of(&inventory, &seen);
    Ok(Ok(Sight { inventory, occupancy }))
}

/// The named devices, sorted. Refused is each at its place in the list.
fn devices(
    entry: &Entry,
    request: &GpuRequest,
    inventory: &GpuInventory,
) -> Result<Vec<String>, Diagnostics> {
    let GpuRequest::Named(named) = request else { return Ok(Vec::new()) };
    let (mut devices, mut wrong) = (Vec::new(), Vec::new());
    for (at, name) in named.iter().enumerate() {
        match name.find(inventory, entry.host.name()) {
            Ok(device) if devices.iter().any(|other| other == device) => {
                let what = format!("{} is named twice", label(inventory, device));
                wrong.push(Refusal::new(what, "name it once").at(Field::Gpu(at)));
            }
            Ok(device) => devices.push(device.to_owned()),
            Err(refusal) => wrong.push(refusal.at(Field::Gpu(at))),
        }
    }
    devices.sort_unstable();
    if wrong.is_empty() { Ok(devices) } else { Err(objections::diagnostics(wrong)) }
}

/// A refusal at the attribute through which the GPUs were asked for.
fn said(request: &GpuRequest, refusal: Refusal) -> Diagnostics {
    let field = match request {
        GpuRequest::Named(_) => Field::Gpus,
        GpuRequest::Count(_) | GpuRequest::None => Field::GpuCount,
    };
    let objection: Objection = refusal.at(field);
    objections::diagnostics(vec![objection])
}

impl Sight {
    fn check(&self, entry: &Entry, own: &Claim, others: &[Claim]) -> Result<(), Refusal> {
        let Self { inventory, occupancy } = self;
        Scene { host: entry.host.name(), inventory, occupancy, others }.check(own)
    }

    /// Who else has a device, as far as `container` is concerned.
    fn obstacle(&self, device: &str, container: &str, others: &BTreeMap<String, String>) -> Option<Refusal> {
        let label = label(&self.inventory, device);
        if let Some(other) = others.get(device).filter(|other| *other != container) {
            let what = format!("{label} was just given to worker {other}");
            return Some(Refusal::new(what, "give each worker its own, or use gpu_count"));
        }
        let holder = self.occupancy.holder(device).filter(|holder| !is_own(holder, container))?;
        Some(claims::held(&label, holder))
    }

    fn all_free(
        &self,
        named: Vec<String>,
        container: &str,
        others: &BTreeMap<String, String>,
    ) -> Result<Vec<String>, Refusal> {
        match named.iter().find_map(|device| self.obstacle(device, container, others)) {
            Some(refusal) => Err(refusal),
            None => Ok(named),
        }
    }

    fn pick(
        &self,
        host: &str,
        count: u32,
        container: &str,
        held: &[String],
        others: &BTreeMap<String, String>,
    ) -> Result<Vec<String>, Refusal> {
        let (free, taken): (Vec<&str>, Vec<&str>) = self
            .inventory
            .devices()
            .into_iter()
            .partition(|device| self.obstacle(device, container, others).is_none());
        let held: Vec<&str> = held.iter().map(String::as_str).collect();
        choose(&self.inventory, &free, count, &held).map_err(|Unsatisfiable { wanted, free }| {
            let told = taken.iter().filter_map(|device| self.obstacle(device, container, others));
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

/// What a worker asks for now: those that were decided for it, unless it names them itself.
pub fn wanted(spec: &WorkerSpec) -> GpuRequest {
    let by_uuid = |names: &[GpuName]| names.iter().all(|name| matches!(name, GpuName::Uuid(_)));
    match &spec.gpu_request {
        GpuRequest::Named(names) if by_uuid(names) => spec.gpu_request.clone(),
        request if spec.gpus.is_empty() => request.clone(),
        _ => the_same(&spec.gpus),
    }
}

/// What keeps a worker's GPUs: those that it was given before, by name.
pub fn the_same(devices: &[String]) -> GpuRequest {
    match devices {
        [] => GpuRequest::None,
        devices => GpuRequest::Named(devices.iter().cloned().map(GpuName::Uuid).collect()),
    }
}
