//! GPUs of one run: what its workers ask for, and which of them has a lease on which.
//!
//! Plan and apply need two different memories. The plan remembers *claims*, to hold each worker against those that were
//! planned before it ([`claims`]); nothing is decided by them. Apply gives *leases*: a GPU is taken once a
//! container that has it runs, and until then its lease is here. A host's GPUs are decided one worker at a time.

use crate::container::{ObservedContainer, RunState};
use crate::dynamo::gpus::assign::Assigning;
use crate::dynamo::gpus::claims::{Demand, PlanScope, Reservation, label};
use crate::dynamo::gpus::occupancy;
use crate::dynamo::gpus::occupancy::Occupancy;
use crate::dynamo::spec::WorkerSpec;
use crate::dynamo::spec::gpus::{GpuName, GpuRequest};
use crate::dynamo::terms::objection::{Field, Objection, Refusal};
use crate::hosts::sync::keyed_lock::KeyedLock;
use crate::hosts::sync::locked::Locked;
use crate::hosts::{Age, Filter, HostError};
use crate::inventory::gpu::{GpuInventory, GpuSight};
use crate::provider::allocation::claimant::{Claimant, Newcomers};
use crate::provider::attributes::{host_errors, paths};
use crate::provider::machine::Machine;
use crate::tf_provider::diagnostics::Diagnostics;
use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard};

/// The GPU claims and leases of one run. Clones are the same.
#[derive(Clone, Default)]
pub struct GpuLedger(Arc<Inner>);

#[derive(Default)]
struct Inner {
    memory: Locked<Memory>,
    /// By host: its GPUs are assigned to one worker at a time.
    assigning: KeyedLock<String>,
}

#[derive(Default)]
struct Memory {
    claims: BTreeMap<(String, Claimant), Reservation>,
    newcomers: Newcomers,
    /// By host and device: the container that has the lease.
    leased: BTreeMap<(String, String), String>,
}

/// The GPUs of a host at one moment, and which container or process has them.
pub(crate) struct GpuSnapshot {
    pub inventory: GpuInventory,
    pub occupancy: Occupancy,
}

impl GpuLedger {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.memory.lock()
    }

    /// Refuses, at plan, what cannot be had beside all that was planned before on that host.
    pub async fn plan(
        &self,
        machine: &Machine,
        request: &GpuRequest,
        deployment: &str,
        container: Option<&str>,
    ) -> Result<(), Diagnostics> {
        if *request == GpuRequest::None {
            return Ok(());
        }
        let snapshot = look(machine, Age::Walk, "Unable to check the plan")
            .await?
            .map_err(|refusal| said(request, refusal))?;
        let demand = match request {
            GpuRequest::Count(count) => Demand::Count(*count),
            _ => Demand::Devices(devices(machine, request, &snapshot.inventory)?.into_iter().collect()),
        };
        let claim = Reservation {
            deployment: deployment.to_owned(),
            container: container.map(str::to_owned),
            demand,
        };
        let others = self.claim(machine.host.name(), &claim);
        snapshot.check(machine, &claim, &others).map_err(|refusal| said(request, refusal))
    }

    /// Remembers what a worker has that stays as it is. The host is only asked if somebody planned before might be in
    /// its way.
    pub async fn stays(
        &self,
        machine: &Machine,
        request: &GpuRequest,
        deployment: &str,
        container: &str,
        has: &[String],
    ) -> Result<(), Diagnostics> {
        let claim = Reservation {
            deployment: deployment.to_owned(),
            container: Some(container.to_owned()),
            demand: Demand::Devices(has.iter().cloned().collect()),
        };
        let others = self.claim(machine.host.name(), &claim);
        if has.is_empty() || others.iter().all(|other| other.container.is_some()) {
            return Ok(());
        }
        match look(machine, Age::Walk, "Unable to check the plan").await? {
            Ok(snapshot) => {
                snapshot.check(machine, &claim, &others).map_err(|refusal| said(request, refusal))
            }
            Err(_) => Ok(()),
        }
    }

    /// Leaves the claim, and returns those of the others on that host.
    fn claim(&self, host: &str, claim: &Reservation) -> Vec<Reservation> {
        let mut memory = self.memory();
        let claimant = memory.newcomers.claimant(claim.container.as_deref());
        let others = memory.claims.iter().filter(|((on, other), _)| on == host && *other != claimant);
        let others = others.map(|(_, claim)| claim.clone()).collect();
        memory.claims.insert((host.to_owned(), claimant), claim.clone());
        others
    }

    /// Decides which GPUs `container` gets, at apply, and keeps them for it until the result is dropped. `held` are those
    /// that it had.
    pub async fn assign(
        &self,
        machine: &Machine,
        request: &GpuRequest,
        container: &str,
        held: &[String],
        summary: &str,
    ) -> Result<GpuLease, Diagnostics> {
        let mut lease = GpuLease { devices: Vec::new(), host: String::new(), ledger: self.clone() };
        if *request == GpuRequest::None {
            return Ok(lease);
        }
        let host = machine.host.name();
        let _lock = self.0.assigning.lock(host.to_owned()).await;
        // Before the look: a lease that ends meanwhile is a container that the look may have missed.
        let others = self.leased(host);
        let snapshot = look(machine, Age::Now, summary).await?.map_err(|refusal| said(request, refusal))?;
        let named = match request {
            GpuRequest::Count(_) => Vec::new(),
            _ => devices(machine, request, &snapshot.inventory)?,
        };
        let GpuSnapshot { inventory, occupancy } = &snapshot;
        let assigning = Assigning { inventory, occupancy, container, promised: &others };
        let decided = match request {
            GpuRequest::Count(count) => assigning.pick(host, *count, held),
            _ => assigning.all_free(named),
        };
        let devices = decided.map_err(|refusal| said(request, refusal))?;
        let mut memory = self.memory();
        for device in &devices {
            memory.leased.insert((host.to_owned(), device.clone()), container.to_owned());
        }
        drop(memory);
        lease.devices = devices;
        lease.host = host.to_owned();
        Ok(lease)
    }

    /// By device: the container that has the lease.
    fn leased(&self, host: &str) -> BTreeMap<String, String> {
        let memory = self.memory();
        let there = memory.leased.iter().filter(|((on, _), _)| on == host);
        there.map(|((_, device), container)| (device.clone(), container.clone())).collect()
    }
}

/// The lease of a container on its GPUs; it ends when this is dropped.
pub struct GpuLease {
    devices: Vec<String>,
    host: String,
    ledger: GpuLedger,
}

impl GpuLease {
    /// UUIDs, sorted.
    pub fn devices(&self) -> &[String] {
        &self.devices
    }
}

impl Drop for GpuLease {
    fn drop(&mut self) {
        let mut memory = self.ledger.memory();
        for device in self.devices.drain(..) {
            memory.leased.remove(&(self.host.clone(), device));
        }
    }
}

/// The GPUs of a host; the inner error is that it has none, or none that can be seen.
pub(crate) async fn look(
    machine: &Machine,
    age: Age,
    summary: &str,
) -> Result<Result<GpuSnapshot, Refusal>, Diagnostics> {
    let failed = |error: HostError| Diagnostics::from(host_errors::diagnostic(summary, &error, None));
    let host = machine.host.name();
    let inventory = match machine.host.gpus().await.map_err(failed)? {
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
    let seen: Vec<ObservedContainer> =
        machine.host.observe(&Filter::Everything, age).await.map_err(failed)?;
    // It has memory on the GPUs of workers that are gone, too, and would seem to hold them.
    let onlookers = seen
        .iter()
        .filter(|it| occupancy::looks_on(it) && it.state == RunState::Running && !it.spec.gpus.is_empty());
    let mut inventory = inventory;
    for onlooker in onlookers {
        let own = machine.host.processes(&onlooker.id).await.map_err(failed)?;
        for gpu in &mut inventory.gpus {
            gpu.processes.retain(|process| !own.contains(&process.pid));
        }
    }
    let occupancy = Occupancy::of(&inventory, &seen);
    Ok(Ok(GpuSnapshot { inventory, occupancy }))
}

/// The named devices, sorted. Refused is each at its place in the list.
fn devices(
    machine: &Machine,
    request: &GpuRequest,
    inventory: &GpuInventory,
) -> Result<Vec<String>, Diagnostics> {
    let GpuRequest::Named(named) = request else { return Ok(Vec::new()) };
    let (mut devices, mut wrong) = (Vec::new(), Vec::new());
    for (at, name) in named.iter().enumerate() {
        match name.find(inventory, machine.host.name()) {
            Ok(device) if devices.iter().any(|other| other == device) => {
                let what = format!("{} is named twice", label(inventory, device));
                wrong.push(Refusal::new(what, "name it once").at(Field::Gpu(at)));
            }
            Ok(device) => devices.push(device.to_owned()),
            Err(refusal) => wrong.push(refusal.at(Field::Gpu(at))),
        }
    }
    devices.sort_unstable();
    if wrong.is_empty() { Ok(devices) } else { Err(paths::diagnostics(wrong)) }
}

/// A refusal at the attribute through which the GPUs were asked for.
fn said(request: &GpuRequest, refusal: Refusal) -> Diagnostics {
    let field = match request {
        GpuRequest::Named(_) => Field::Gpus,
        GpuRequest::Count(_) | GpuRequest::None => Field::GpuCount,
    };
    let objection: Objection = refusal.at(field);
    paths::diagnostics(vec![objection])
}

impl GpuSnapshot {
    fn check(&self, machine: &Machine, own: &Reservation, others: &[Reservation]) -> Result<(), Refusal> {
        let Self { inventory, occupancy } = self;
        PlanScope { host: machine.host.name(), inventory, occupancy, others }.check(own)
    }
}

/// The GPUs that a worker asks for now: those that were decided for it, unless it names them itself.
pub(crate) fn wanted(spec: &WorkerSpec) -> GpuRequest {
    let by_uuid = |names: &[GpuName]| names.iter().all(|name| matches!(name, GpuName::Uuid(_)));
    match &spec.gpu_request {
        GpuRequest::Named(names) if by_uuid(names) => spec.gpu_request.clone(),
        request if spec.gpus.is_empty() => request.clone(),
        _ => the_same(&spec.gpus),
    }
}

/// The request that keeps a worker's GPUs: those that it was given before, by name.
pub(crate) fn the_same(devices: &[String]) -> GpuRequest {
    match devices {
        [] => GpuRequest::None,
        devices => GpuRequest::Named(devices.iter().cloned().map(GpuName::Uuid).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::{Cause, Host, ListeningSocket, ShellOutput, Stream, Transport};
    use crate::provider::config::schema::HostModel;
    use crate::provider::machine::Surroundings;
    use std::path::Path;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Name, deployment (none: somebody else's) and GPU of a running container.
    type Container = (&'static str, &'static str, &'static str);

    /// A machine with two cards, and an Engine with the containers of the list.
    #[derive(Debug, Default)]
    struct FakeEngine(Arc<Vec<Container>>);

    impl FakeEngine {
        fn answer(&self, path: &str) -> String {
            let containers = &self.0;
            let path = path.split('?').next().unwrap_or_default();
            if path.ends_with("/version") {
                return r#"{"ApiVersion":"1.41","MinAPIVersion":"1.12"}"#.to_owned();
            }
            if path.ends_with("/containers/json") {
                let ids = containers.iter().map(|(name, ..)| format!(r#"{{"Id":"{name}"}}"#));
                return format!("[{}]", ids.collect::<Vec<_>>().join(","));
            }
            let found =
                containers.iter().find(|(name, ..)| path.ends_with(&format!("/containers/{name}/json")));
            let Some((name, deployment, gpu)) = found else { return r#"{"Id":"sha256:1"}"#.to_owned() };
            let labels = serde_json::json!({
                "io.dynamo-terraform.manager": "terraform-provider-dynamo",
                "io.dynamo-terraform.deployment": deployment,
                "io.dynamo-terraform.component": "worker",
                "io.dynamo-terraform.role": "decode",
                "io.dynamo-terraform.run": "r",
                "io.dynamo-terraform.spec": "{}",
            });
            let labels = if deployment.is_empty() { serde_json::json!({}) } else { labels };
            let requests = serde_json::json!([{"DeviceIDs": [gpu], "Capabilities": [["gpu"]]}]);
            serde_json::json!({
                "Id": name, "Name": format!("/{name}"), "Image": "sha256:1", "State": {"Status": "running"},
                "Config": {"Labels": labels}, "HostConfig": {"DeviceRequests": requests},
            })
            .to_string()
        }
    }

    #[async_trait::async_trait]
    impl Transport for FakeEngine {
        async fn engine(&self) -> Result<Stream, Cause> {
            let (ours, mut theirs) = tokio::io::duplex(1 << 16);
            let machine = Self(Arc::clone(&self.0));
            tokio::spawn(async move {
                let mut request = vec![0; 1 << 16];
                let length = theirs.read(&mut request).await.unwrap_or(0);
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                let body = machine.answer(request.split_whitespace().nth(1).unwrap_or_default());
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                theirs.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            });
            Ok(Box::new(ours))
        }

        async fn tcp(&self, _: &str, _: u16) -> std::io::Result<Stream> {
            Err(std::io::ErrorKind::ConnectionRefused.into())
        }

        async fn path_exists(&self, _: &Path, _: &str) -> Option<bool> {
            None
        }

        async fn listening(&self, _: &str) -> Option<Vec<ListeningSocket>> {
            None
        }

        async fn shell(&self, _: &str) -> Option<Result<ShellOutput, Cause>> {
            let cards = (0..2).map(|n| format!("{n}, GPU-{n}, H100, 81559, 4, 0, 30, 580.95.05\n"));
            let stdout = format!("==dynamo cards\n{}", cards.collect::<String>());
            Some(Ok(ShellOutput { status: 0, stdout, stderr: String::new() }))
        }
    }

    fn machine(containers: &[Container]) -> Machine {
        let machine = FakeEngine(Arc::new(containers.to_vec()));
        let host = Host::new("a", Arc::new(machine), BTreeMap::new());
        let mut machine = Machine::new("a", &HostModel::default(), &Surroundings::default());
        machine.host = host;
        machine
    }

    fn named(texts: &[&str]) -> GpuRequest {
        GpuRequest::Named(texts.iter().map(|text| GpuName::parse(text).unwrap()).collect())
    }

    fn said_by<T>(result: Result<T, Diagnostics>) -> String {
        format!("{:?}", result.err().expect("it should be refused"))
    }

    #[tokio::test]
    async fn workers_made_at_once_get_different_gpus_and_the_third_none() {
        let (machine, ledger) = (machine(&[]), GpuLedger::default());
        let one = GpuRequest::Count(1);
        let get = |name| ledger.assign(&machine, &one, name, &[], "s");
        let (a, b, c) = tokio::join!(get("chat-decode-a"), get("chat-decode-b"), get("chat-decode-c"));
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_eq!((a.devices(), b.devices()), (&["GPU-0".to_owned()][..], &["GPU-1".to_owned()][..]));
        let refused = said_by(c);
        assert!(refused.contains("has 0 free") && refused.contains("chat-decode-a"), "{refused}");
        // What came to nothing is free again.
        drop(a);
        assert_eq!(get("chat-decode-c").await.unwrap().devices(), ["GPU-0"]);
    }

    #[tokio::test]
    async fn whoever_holds_a_gpu_is_named_at_plan_and_at_apply() {
        let machine = machine(&[("notebook", "", "0"), ("code-decode-x", "code", "GPU-1")]);
        let ledger = GpuLedger::default();
        for (gpu, holder) in [("0", "notebook"), ("1", "code-decode-x")] {
            let plan = said_by(ledger.plan(&machine, &named(&[gpu]), "chat", None).await);
            assert!(plan.contains(holder), "{plan}");
            let apply = said_by(ledger.assign(&machine, &named(&[gpu]), "chat-decode-a", &[], "s").await);
            assert!(apply.contains(holder), "{apply}");
        }
        let missing =
            said_by(ledger.plan(&machine, &named(&["1", "7"]), "code", Some("code-decode-x")).await);
        assert!(missing.contains("There is no GPU 7 on host"), "{missing}");
    }

    #[tokio::test]
    async fn a_worker_may_keep_what_it_has() {
        let machine = machine(&[("chat-decode-a", "chat", "GPU-1")]);
        let ledger = GpuLedger::default();
        let had = ["GPU-1".to_owned()];
        let one = GpuRequest::Count(1);
        let kept = ledger.assign(&machine, &one, "chat-decode-a", &had, "s").await.unwrap();
        assert_eq!(kept.devices(), had);
        let same = ledger.assign(&machine, &the_same(&had), "chat-decode-a", &had, "s").await.unwrap();
        assert_eq!(same.devices(), had);
    }

    #[tokio::test]
    async fn a_plan_counts_all_its_workers_whatever_their_order() {
        let machine = machine(&[("chat-decode-a", "chat", "GPU-1")]);
        let has = ["GPU-1".to_owned()];
        let one = GpuRequest::Count(1);
        // The worker that stays is planned first; the second newcomer is one too many.
        let ledger = GpuLedger::default();
        ledger.stays(&machine, &one, "chat", "chat-decode-a", &has).await.unwrap();
        ledger.plan(&machine, &one, "chat", None).await.unwrap();
        assert!(said_by(ledger.plan(&machine, &one, "chat", None).await).contains("other workers want 1"));
        // It is planned last: then it is the one that is told.
        let ledger = GpuLedger::default();
        ledger.plan(&machine, &named(&["1"]), "chat", None).await.unwrap();
        let told = said_by(ledger.stays(&machine, &one, "chat", "chat-decode-a", &has).await);
        assert!(told.contains("GPU 1 (GPU-1) is given to another worker"), "{told}");
        // It is replaced: planned as it is and then anew, it is in its own way neither time.
        let ledger = GpuLedger::default();
        ledger.stays(&machine, &one, "chat", "chat-decode-a", &has).await.unwrap();
        ledger.plan(&machine, &named(&["0", "1"]), "chat", Some("chat-decode-a")).await.unwrap();
    }
}
