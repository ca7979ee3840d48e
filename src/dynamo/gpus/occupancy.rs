//! Who has which GPU now.
//!
//! A container that runs holds what it was given, whoever made it: Docker itself hands one GPU to any number of
//! containers. A container that does not run holds nothing, so that a stopped worker frees the machine. A process that
//! computes on a card which no container holds is somebody's too, be it a notebook or a container that got its devices by
//! other ways.

use std::collections::BTreeMap;
use std::fmt;

use crate::container::labels::Ownership;
use crate::container::{ObservedContainer, RunState};
use crate::dynamo::terms::names;
use crate::inventory::gpu::{Gpu, GpuInventory, GpuProcess};

/// Who holds a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A container of ours, by the name that it has once it works.
    Worker {
        container: String,
        deployment: String,
    },
    /// A container that we did not make.
    Container(String),
    Process(GpuProcess),
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worker { container, deployment } => {
                write!(f, "container {container} of deployment {deployment:?}")
            }
            Self::Container(name) => write!(f, "container {name}, which this provider did not make"),
            Self::Process(GpuProcess { pid, name: Some(name) }) => write!(f, "process {name} (pid {pid})"),
            Self::Process(GpuProcess { pid, name: None }) => write!(f, "a process (pid {pid})"),
        }
    }
}

impl Holder {
    /// The name by which users find it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Worker { container, .. } => container.clone(),
            Self::Container(name) => name.clone(),
            Self::Process(GpuProcess { pid, name: Some(name) }) => format!("{name} (pid {pid})"),
            Self::Process(GpuProcess { pid, name: None }) => format!("pid {pid}"),
        }
    }
}

/// Holders by device; a device that is free is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Occupancy(BTreeMap<String, Holder>);

impl Occupancy {
    /// `containers` are all of the host, running or not.
    pub(crate) fn of(inventory: &GpuInventory, containers: &[ObservedContainer]) -> Self {
        let mut held = BTreeMap::new();
        let holding = containers.iter().filter(|it| holds(&it.state) && !looks_on(it));
        for container in holding {
            for device in container.spec.gpus.iter().flat_map(|id| devices(inventory, id)) {
                held.entry(device.to_owned()).or_insert_with(|| holder(container));
            }
        }
        for gpu in &inventory.gpus {
            let explained = gpu.devices().iter().any(|device| held.contains_key(*device));
            if let (Some(process), false) = (gpu.processes.first(), explained) {
                let devices = gpu.devices().into_iter();
                held.extend(devices.map(|device| (device.to_owned(), Holder::Process(process.clone()))));
            }
        }
        Self(held)
    }

    /// The holder of a device; `None` = it is free.
    pub(crate) fn holder(&self, device: &str) -> Option<&Holder> {
        self.0.get(device)
    }

    /// Devices that nobody holds, by index of the card.
    pub(crate) fn free<'a>(&self, inventory: &'a GpuInventory) -> Vec<&'a str> {
        inventory.devices().into_iter().filter(|device| self.holder(device).is_none()).collect()
    }
}

fn holds(state: &RunState) -> bool {
    match state {
        RunState::Running | RunState::Paused | RunState::Restarting { .. } => true,
        RunState::Created | RunState::Exited { .. } | RunState::Removing | RunState::Dead => false,
    }
}

/// A container of ours that is no worker sees GPUs without computing on them: what keeps a cache for all workers of a host.
pub(crate) fn looks_on(container: &ObservedContainer) -> bool {
    Ownership::from_labels(&container.spec.labels).is_some_and(|owner| owner.role.is_none())
}

fn holder(container: &ObservedContainer) -> Holder {
    let name = &container.spec.name;
    match Ownership::from_labels(&container.spec.labels) {
        // A worker is replaced under a name of its own until it works.
        Some(ownership) => Holder::Worker {
            container: names::final_name(name).unwrap_or(name).to_owned(),
            deployment: ownership.deployment,
        },
        None => Holder::Container(name.clone()),
    }
}

/// The devices that NVIDIA's runtime gives out for an id of a request: `all`, an index, a UUID or the beginning of one,
/// `0:1` for an instance of a split card.
fn devices<'a>(inventory: &'a GpuInventory, id: &str) -> Vec<&'a str> {
    if id == "all" {
        return inventory.devices();
    }
    if let Some((card, part)) = id.split_once(':') {
        let devices = card.parse().ok().and_then(|index| inventory.by_index(index)).map(Gpu::devices);
        let part = part.parse().ok().and_then(|part: usize| devices?.get(part).copied());
        return part.into_iter().collect();
    }
    if let Ok(index) = id.parse() {
        return inventory.by_index(index).map(Gpu::devices).unwrap_or_default();
    }
    let is_meant =
        |uuid: &str| id.len() > 4 && uuid.get(..id.len()).is_some_and(|head| head.eq_ignore_ascii_case(id));
    let cards = inventory.gpus.iter().filter(|gpu| is_meant(&gpu.uuid)).flat_map(Gpu::devices);
    let parts = inventory.gpus.iter().flat_map(|gpu| &gpu.mig).map(|part| part.uuid.as_str());
    cards.chain(parts.filter(|uuid| is_meant(uuid))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::ContainerSpec;
    use crate::inventory::gpu::MigInstance;

    fn gpu(index: u32) -> Gpu {
        Gpu { index, uuid: format!("GPU-{index}000-cafe"), ..Gpu::default() }
    }

    fn machine() -> GpuInventory {
        let part = |n: u32| MigInstance { uuid: format!("MIG-{n}000-cafe"), profile: String::new() };
        let split = Gpu { mig_enabled: true, mig: vec![part(1), part(2)], ..gpu(2) };
        GpuInventory { gpus: vec![gpu(0), gpu(1), split], ..GpuInventory::default() }
    }

    fn container(name: &str, gpus: &[&str], state: RunState) -> ObservedContainer {
        let gpus = gpus.iter().map(|id| (*id).to_owned()).collect();
        let spec = ContainerSpec { name: name.to_owned(), gpus, ..ContainerSpec::default() };
        ObservedContainer::in_state(spec, state)
    }

    #[test]
    fn every_way_of_asking_for_a_gpu_is_understood() {
        let table: [(&str, &[&str]); 11] = [
            ("all", &["GPU-0000-cafe", "GPU-1000-cafe", "MIG-1000-cafe", "MIG-2000-cafe"]),
            ("1", &["GPU-1000-cafe"]),
            ("2", &["MIG-1000-cafe", "MIG-2000-cafe"]),
            ("2:1", &["MIG-2000-cafe"]),
            ("2:9", &[]),
            ("GPU-1000-cafe", &["GPU-1000-cafe"]),
            ("gpu-1000", &["GPU-1000-cafe"]),
            ("GPU-", &[]),
            ("MIG-2000-cafe", &["MIG-2000-cafe"]),
            ("7", &[]),
            ("void", &[]),
        ];
        for (id, expected) in table {
            assert_eq!(devices(&machine(), id), expected, "{id}");
        }
    }

    #[test]
    fn only_what_runs_holds() {
        let exited = RunState::Exited { exit_code: 0, oom_killed: false };
        let table = [
            (RunState::Running, true),
            (RunState::Paused, true),
            (RunState::Restarting { exit_code: 1 }, true),
            (RunState::Created, false),
            (exited, false),
            (RunState::Removing, false),
            (RunState::Dead, false),
        ];
        for (state, held) in table {
            let seen = [container("notebook", &["0"], state.clone())];
            let occupancy = Occupancy::of(&machine(), &seen);
            assert_eq!(occupancy.holder("GPU-0000-cafe").is_some(), held, "{state:?}");
        }
    }

    #[test]
    fn what_serves_all_workers_holds_nothing() {
        let with_role = |role: Option<&str>| {
            let owner = Ownership {
                deployment: "chat".to_owned(),
                component: "lmcache".to_owned(),
                role: role.map(str::to_owned),
                run: "run-1".to_owned(),
                spec: String::new(),
            };
            let mut seen = container("chat-lmcache", &["all"], RunState::Running);
            seen.spec.labels = owner.to_labels();
            Occupancy::of(&machine(), &[seen])
        };
        assert_eq!(with_role(None).free(&machine()).len(), 4);
        assert_eq!(with_role(Some("decode")).free(&machine()).len(), 0);
        let theirs = container("notebook", &["all"], RunState::Running);
        assert_eq!(Occupancy::of(&machine(), &[theirs]).free(&machine()).len(), 0);
    }

    #[test]
    fn a_process_counts_where_no_container_explains_it() {
        let mut machine = machine();
        let process = GpuProcess { pid: 7, name: Some("python3".into()) };
        machine.gpus[0].processes.push(process.clone());
        machine.gpus[1].processes.push(process.clone());
        let seen = [container("notebook", &["0"], RunState::Running)];
        let occupancy = Occupancy::of(&machine, &seen);
        assert_eq!(occupancy.holder("GPU-0000-cafe"), Some(&Holder::Container("notebook".into())));
        assert_eq!(occupancy.holder("GPU-1000-cafe"), Some(&Holder::Process(process)));
        assert_eq!(occupancy.free(&machine), ["MIG-1000-cafe", "MIG-2000-cafe"]);
    }
}
