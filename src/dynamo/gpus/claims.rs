//! Whether everything that is asked for in one run can be had together.
//!
//! Terraform plans one resource at a time and tells none of the others. So each planned worker leaves a [`Reservation`], and the
//! next one is held against all of them: a GPU that two workers name, or five cards wanted of four, is an error of the
//! plan although no container has any of them yet.
//!
//! A container of ours that holds a GPU may be about to go, and Terraform does not say so: of what is tainted it plans
//! only the successor. Therefore a worker of the same deployment that nobody has claimed to stay is not in the way at
//! plan. It is at apply, where it has gone or not.

use std::collections::BTreeSet;

use super::occupancy::{Holder, Occupancy};
use crate::dynamo::terms::objection::Refusal;
use crate::inventory::gpu::GpuInventory;

/// What one worker of a run wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reservation {
    pub deployment: String,
    /// Its container, if it has one already that stays or is replaced by its own successor.
    pub container: Option<String>,
    pub demand: Demand,
}

/// The GPUs that a reservation is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    /// These devices.
    Devices(BTreeSet<String>),
    /// So many cards, whichever.
    Count(u32),
}

impl Reservation {
    fn names(&self, device: &str) -> bool {
        matches!(&self.demand, Demand::Devices(devices) if devices.contains(device))
    }

    fn cards(&self) -> u32 {
        match &self.demand {
            Demand::Devices(_) => 0,
            Demand::Count(count) => *count,
        }
    }

    /// As another worker's error mentions it.
    fn owner(&self) -> String {
        match &self.container {
            Some(container) => format!("worker {container}"),
            None => format!("another worker of deployment {:?}", self.deployment),
        }
    }
}

/// A host as one run sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlanScope<'a> {
    pub host: &'a str,
    pub inventory: &'a GpuInventory,
    pub occupancy: &'a Occupancy,
    /// What the other workers of this run want there.
    pub others: &'a [Reservation],
}

impl PlanScope<'_> {
    /// Whether `own` can be had beside all others.
    pub(crate) fn check(&self, own: &Reservation) -> Result<(), Refusal> {
        if let Demand::Devices(devices) = &own.demand {
            for device in devices {
                self.check_device(own, device)?;
            }
        }
        self.check_sum(own)
    }

    fn check_device(&self, own: &Reservation, device: &str) -> Result<(), Refusal> {
        let label = label(self.inventory, device);
        if let Some(other) = self.others.iter().find(|other| other.names(device)) {
            let what = format!("{label} is given to {} as well", other.owner());
            return Err(Refusal::new(what, "give each worker its own, or use gpu_count"));
        }
        match self.occupancy.holder(device) {
            Some(holder) if !self.may_go(own, holder) => Err(held(&label, holder)),
            _ => Ok(()),
        }
    }

    /// Whether the holder's claim on what it holds ends with this run, as far as can be known.
    fn may_go(&self, own: &Reservation, holder: &Holder) -> bool {
        let Holder::Worker { container, deployment } = holder else { return false };
        if own.container.as_ref() == Some(container) {
            return true;
        }
        match self.others.iter().find(|other| other.container.as_ref() == Some(container)) {
            // It stays, and what it will have is in its claim.
            Some(_) => true,
            None => *deployment == own.deployment,
        }
    }

    /// Whether the cards that nobody names are enough for all who want some.
    fn check_sum(&self, own: &Reservation) -> Result<(), Refusal> {
        let claims = || self.others.iter().chain([own]);
        let whole = self.inventory.gpus.iter().filter(|gpu| gpu.is_whole());
        let (left, gone): (Vec<&str>, Vec<&str>) = whole.map(|gpu| gpu.uuid.as_str()).partition(|device| {
            let stays = self.occupancy.holder(device).is_some_and(|holder| !self.may_go(own, holder));
            !stays && !claims().any(|claim| claim.names(device))
        });
        let wanted: u32 = claims().map(Reservation::cards).fold(0, u32::saturating_add);
        if usize::try_from(wanted).is_ok_and(|wanted| wanted <= left.len()) {
            return Ok(());
        }
        let others = wanted.saturating_sub(own.cards());
        let besides = if others == 0 { String::new() } else { format!(", and other workers want {others}") };
        let all = left.len().saturating_add(gone.len());
        let what = format!(
            "the worker wants {}{besides}, but host {:?} has {} free of {all}{}",
            match own.cards() {
                0 => "those it names".to_owned(),
                count => count.to_string(),
            },
            self.host,
            left.len(),
            self.told(&gone)
        );
        Err(Refusal::new(what, "free some, ask for fewer, or use another host"))
    }

    fn told(&self, gone: &[&str]) -> String {
        let tell = |device: &&str| {
            let claim = self.others.iter().find(|other| other.names(device));
            let holder = self.occupancy.holder(device).map(ToString::to_string);
            let who = claim.map(Reservation::owner).or(holder)?;
            Some(format!("{} is held by {who}", label(self.inventory, device)))
        };
        let told: Vec<String> = gone.iter().filter_map(tell).collect();
        if told.is_empty() { String::new() } else { format!(" ({})", told.join("; ")) }
    }
}

/// The complaint about a device that somebody has.
pub(crate) fn held(label: &str, holder: &Holder) -> Refusal {
    Refusal::new(format!("{label} is held by {holder}"), "choose another, or stop what holds it")
}

/// A device as messages name it: `GPU 0 (GPU-…)`.
pub(crate) fn label(inventory: &GpuInventory, device: &str) -> String {
    match inventory.card_of(device) {
        Some(gpu) => format!("GPU {} ({device})", gpu.index),
        None => format!("GPU {device}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::labels::Ownership;
    use crate::container::{ContainerSpec, ObservedContainer};
    use crate::inventory::gpu::{Gpu, GpuProcess};

    fn machine(cards: u32) -> GpuInventory {
        let gpus = (0..cards).map(|index| Gpu { index, uuid: format!("GPU-{index}"), ..Gpu::default() });
        GpuInventory { gpus: gpus.collect(), ..GpuInventory::default() }
    }

    fn container(name: &str, deployment: Option<&str>, gpu: &str) -> ObservedContainer {
        let ownership = deployment.map(|deployment| Ownership {
            deployment: deployment.to_owned(),
            component: "worker".to_owned(),
            role: Some("decode".to_owned()),
            run: "run".to_owned(),
            spec: String::new(),
        });
        ObservedContainer::running(ContainerSpec {
            name: name.to_owned(),
            labels: ownership.map(|ownership| ownership.to_labels()).unwrap_or_default(),
            gpus: vec![gpu.to_owned()],
            ..ContainerSpec::default()
        })
    }

    fn devices(container: Option<&str>, gpus: &[&str]) -> Reservation {
        let demand = Demand::Devices(gpus.iter().map(|gpu| (*gpu).to_owned()).collect());
        Reservation { deployment: "chat".to_owned(), container: container.map(str::to_owned), demand }
    }

    fn cards(container: Option<&str>, count: u32) -> Reservation {
        Reservation { demand: Demand::Count(count), ..devices(container, &[]) }
    }

    /// Four cards: 0 with a worker of the deployment, 1 with another deployment's, 2 with a notebook, 3 free.
    fn verdict(own: &Reservation, others: &[Reservation]) -> Result<(), String> {
        let inventory = machine(4);
        let seen = [
            container("chat-decode-a", Some("chat"), "0"),
            container("code-decode-b", Some("code"), "GPU-1"),
            container("notebook", None, "2"),
        ];
        let occupancy = Occupancy::of(&inventory, &seen);
        let scope = PlanScope { host: "a", inventory: &inventory, occupancy: &occupancy, others };
        scope.check(own).map_err(|refusal| refusal.what)
    }

    #[test]
    fn named_devices() {
        assert_eq!(verdict(&devices(None, &["GPU-3"]), &[]), Ok(()));
        let notebook = verdict(&devices(None, &["GPU-2"]), &[]).unwrap_err();
        assert_eq!(notebook, "GPU 2 (GPU-2) is held by container notebook, which this provider did not make");
        let theirs = verdict(&devices(None, &["GPU-1"]), &[]).unwrap_err();
        assert!(theirs.contains("code-decode-b of deployment \"code\""), "{theirs}");
        let twice = verdict(&devices(None, &["GPU-3"]), &[devices(None, &["GPU-3"])]).unwrap_err();
        assert_eq!(twice, "GPU 3 (GPU-3) is given to another worker of deployment \"chat\" as well");
    }

    #[test]
    fn a_worker_is_not_in_its_own_way_and_one_that_may_go_is_in_nobodys() {
        let own = devices(Some("chat-decode-a"), &["GPU-0"]);
        assert_eq!(verdict(&own, &[]), Ok(()));
        // The successor of a tainted worker.
        assert_eq!(verdict(&devices(None, &["GPU-0"]), &[]), Ok(()));
        // The same, but the worker is known to stay.
        let twice = verdict(&devices(None, &["GPU-0"]), &[own]).unwrap_err();
        assert!(twice.contains("worker chat-decode-a"), "{twice}");
        // It stays, and gives up this card for another.
        let moves = devices(Some("chat-decode-a"), &["GPU-3"]);
        assert_eq!(verdict(&devices(None, &["GPU-0"]), &[moves]), Ok(()));
    }

    #[test]
    fn numbers_are_added_up_over_the_whole_run() {
        assert_eq!(verdict(&cards(None, 1), &[]), Ok(()));
        let two = [cards(None, 1), cards(None, 1)];
        let refused = verdict(&cards(None, 1), &two).unwrap_err();
        assert!(
            refused
                .starts_with("the worker wants 1, and other workers want 2, but host \"a\" has 2 free of 4")
        );
        assert!(refused.contains("GPU 2 (GPU-2) is held by container notebook"), "{refused}");
        let stays = devices(Some("chat-decode-a"), &["GPU-0"]);
        assert_eq!(verdict(&cards(None, 1), std::slice::from_ref(&stays)), Ok(()));
        assert!(verdict(&cards(None, 2), &[stays]).is_err());
        // Naming the last card takes it from those who take any.
        assert!(verdict(&devices(None, &["GPU-3"]), &[cards(None, 2)]).is_err());
        assert_eq!(verdict(&cards(Some("chat-decode-a"), 2), &[]), Ok(()));
    }

    #[test]
    fn a_process_is_named() {
        let mut inventory = machine(1);
        inventory.gpus[0].processes.push(GpuProcess { pid: 7, name: None });
        let occupancy = Occupancy::of(&inventory, &[]);
        let scope = PlanScope { host: "a", inventory: &inventory, occupancy: &occupancy, others: &[] };
        let refused = scope.check(&cards(None, 1)).unwrap_err();
        assert!(
            refused.what.contains("0 free of 1 (GPU 0 (GPU-0) is held by a process (pid 7))"),
            "{refused:?}"
        );
    }
}
