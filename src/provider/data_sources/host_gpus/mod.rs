//! `dynamo_host_gpus`: which GPUs a host has, and who has them.

pub(crate) mod schema;

use crate::hosts::Age;
use crate::inventory::gpu::{Gpu, MigInstance};
use crate::provider::allocation::gpus;
use crate::provider::allocation::gpus::GpuSnapshot;
use crate::provider::attributes::convert::gigabytes;
use crate::provider::session::Client;
use crate::tf_provider::attr::{Attr, Nested, NestedList};
use crate::tf_provider::diagnostics::Diagnostics;
use crate::tf_provider::provider::{About, Applied, Call, DataSource};
use async_trait::async_trait;
use schema::{ABOUT, GpuModel, GpusModel, MigModel};

/// The data source `dynamo_host_gpus`.
pub(crate) struct HostGpus;

#[async_trait]
impl DataSource for HostGpus {
    type Model = GpusModel;
    type Client = Client;

    fn about(&self) -> About {
        ABOUT
    }

    async fn read(
        &self,
        call: &Call<Client>,
        mut config: GpusModel,
    ) -> Result<Applied<GpusModel>, Diagnostics> {
        let machine = call.client.host_to_read(&mut config.host)?;
        let summary = format!("Unable to read the GPUs of host {:?}", machine.host.name());
        let model = match gpus::look(&machine, Age::Walk, &summary).await? {
            Ok(snapshot) => shown(config.host, &snapshot),
            Err(refusal) => GpusModel {
                host: config.host,
                gpus: Attr::Known(NestedList(Vec::new())),
                available: Attr::Known(Vec::new()),
                problem: Attr::Known(refusal.what),
                ..GpusModel::default()
            },
        };
        Ok(model.into())
    }
}

fn shown(host: Attr<String>, snapshot: &GpuSnapshot) -> GpusModel {
    let GpuSnapshot { inventory, occupancy } = snapshot;
    let free = occupancy.free(inventory).into_iter();
    let gpus = inventory.gpus.iter().map(|gpu| Attr::Known(Nested(gpu_model(gpu, snapshot))));
    GpusModel {
        host,
        gpus: Attr::Known(NestedList(gpus.collect())),
        available: Attr::Known(free.map(Attr::from).collect()),
        driver_version: inventory.driver.clone().into(),
        problem: Attr::Null,
    }
}

fn gpu_model(gpu: &Gpu, snapshot: &GpuSnapshot) -> GpuModel {
    let others = snapshot.inventory.gpus.iter().filter(|other| other.index != gpu.index);
    let links = others.map(|other| {
        let link = snapshot.inventory.links.between(gpu.index, other.index);
        (other.index.to_string(), Attr::Known(link.word()))
    });
    let mig = gpu.mig.iter().map(|part| Attr::Known(Nested(mig_model(part, snapshot))));
    GpuModel {
        index: Attr::Known(i64::from(gpu.index)),
        uuid: gpu.uuid.as_str().into(),
        name: gpu.name.as_str().into(),
        memory_gb: gpu.memory_bytes.map_or(Attr::Null, gigabytes),
        used_gb: gpu.used_bytes.map_or(Attr::Null, gigabytes),
        utilisation: gpu.utilization.map(i64::from).into(),
        temperature: gpu.temperature.map(i64::from).into(),
        compute_capability: gpu.compute_capability.clone().into(),
        mig_enabled: Attr::Known(gpu.mig_enabled),
        mig: Attr::Known(NestedList(mig.collect())),
        links: Attr::Known(if snapshot.inventory.links.is_empty() {
            Default::default()
        } else {
            links.collect()
        }),
        assigned_to: holder(snapshot, &gpu.uuid),
    }
}

fn mig_model(part: &MigInstance, snapshot: &GpuSnapshot) -> MigModel {
    MigModel {
        uuid: part.uuid.as_str().into(),
        profile: part.profile.as_str().into(),
        assigned_to: holder(snapshot, &part.uuid),
    }
}

fn holder(snapshot: &GpuSnapshot, device: &str) -> Attr<String> {
    snapshot.occupancy.holder(device).map(|holder| holder.name()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::gpus::occupancy::Occupancy;
    use crate::inventory::gpu::{GpuInventory, GpuProcess, Link};
    use crate::tf_provider::model::Model;

    #[test]
    fn holders_are_named_and_the_free_are_listed() {
        let gpu = |index: u32| Gpu { index, uuid: format!("GPU-{index}"), ..Gpu::default() };
        let part = MigInstance { uuid: "MIG-2".into(), profile: "1g.10gb".into() };
        let mut inventory = GpuInventory {
            gpus: vec![gpu(0), gpu(1), Gpu { mig_enabled: true, mig: vec![part], ..gpu(2) }],
            ..GpuInventory::default()
        };
        inventory.gpus[0].processes.push(GpuProcess { pid: 7, name: Some("python3".into()) });
        inventory.links.set(0, 1, Link::Nvlink(4));
        let occupancy = Occupancy::of(&inventory, &[]);
        let model = shown("a".into(), &GpuSnapshot { inventory, occupancy });
        assert!(model.to_value().is_wholly_known());
        assert_eq!(model.available, Attr::Known(vec!["GPU-1".into(), "MIG-2".into()]));
        let Attr::Known(NestedList(gpus)) = model.gpus else { panic!("no list") };
        let gpus: Vec<GpuModel> = gpus.into_iter().map(|gpu| gpu.into_known().unwrap().0).collect();
        assert_eq!(gpus[0].assigned_to, "python3 (pid 7)".into());
        assert!(gpus[1].assigned_to.is_null() && gpus[0].memory_gb.is_null());
        let links = gpus[0].links.known().unwrap();
        assert_eq!((&links["1"], &links["2"]), (&"NV4".into(), &"SYS".into()));
    }
}
