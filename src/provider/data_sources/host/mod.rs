//! `dynamo_host`: a machine and its Engine.

pub(crate) mod schema;

use crate::dynamo::decide::limits::Share;
use crate::hosts::HostError;
use crate::inventory::gpu::GpuSight;
use crate::inventory::{DiskSpace, HostDetails};
use crate::provider::attributes::convert::{gigabytes, ratio};
use crate::provider::attributes::host_errors;
use crate::provider::session::Client;
use crate::tf_provider::attr::{Attr, Nested};
use crate::tf_provider::diagnostics::Diagnostics;
use crate::tf_provider::provider::{About, Applied, Call, DataSource};
use async_trait::async_trait;
use schema::{ABOUT, HostDiskModel, HostInfoModel, HostReserveModel};

/// The data source `dynamo_host`.
pub(crate) struct HostDataSource;

#[async_trait]
impl DataSource for HostDataSource {
    type Model = HostInfoModel;
    type Client = Client;

    fn about(&self) -> About {
        ABOUT
    }

    async fn read(
        &self,
        call: &Call<Client>,
        mut config: HostInfoModel,
    ) -> Result<Applied<HostInfoModel>, Diagnostics> {
        let machine = call.client.host_to_read(&mut config.host)?;
        let asked = async {
            Ok((machine.host.machine().await?, machine.reserve().await?, machine.host.gpus().await?))
        };
        let (details, reserve, gpus) = asked.await.map_err(|error: HostError| {
            host_errors::diagnostic(format!("Unable to read host {:?}", machine.host.name()), &error, None)
        })?;
        Ok(shown(config.host, details, reserve, &gpus).into())
    }
}

fn shown(host: Attr<String>, details: HostDetails, reserve: Share, gpus: &GpuSight) -> HostInfoModel {
    let driver = match gpus {
        GpuSight::Seen(inventory) => inventory.driver.clone(),
        GpuSight::Absent(_) | GpuSight::Unseen(_) => None,
    };
    let HostDetails {
        name,
        cpus,
        memory_bytes,
        docker_version,
        api_version,
        runtimes,
        default_runtime,
        cdi_folders,
        root_folder,
        disk,
    } = details;
    HostInfoModel {
        host,
        hostname: Attr::Known(name),
        cpus: Attr::Known(i64::from(cpus)),
        memory_gb: gigabytes(memory_bytes),
        disk: disk.map(|disk| Nested(disk_model(root_folder, disk))).into(),
        docker_version: Attr::Known(docker_version),
        api_version: Attr::Known(api_version),
        driver_version: driver.into(),
        runtimes: texts(runtimes),
        default_runtime: Attr::Known(default_runtime),
        cdi_folders: texts(cdi_folders),
        reserved: Attr::Known(Nested(HostReserveModel {
            cpus: ratio(reserve.nano_cpus, 1_000_000_000).into(),
            memory_gb: gigabytes(reserve.memory_bytes),
        })),
    }
}

fn disk_model(path: String, DiskSpace { size_bytes, free_bytes }: DiskSpace) -> HostDiskModel {
    HostDiskModel { path: Attr::Known(path), size_gb: gigabytes(size_bytes), free_gb: gigabytes(free_bytes) }
}

fn texts(items: Vec<String>) -> Attr<Vec<Attr<String>>> {
    Attr::Known(items.into_iter().map(Attr::Known).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::terms::amount::GIB;
    use crate::tf_provider::model::Model;

    #[test]
    fn everything_is_known_and_what_cannot_be_seen_is_null() {
        let details = HostDetails {
            memory_bytes: 3 * GIB / 2,
            cpus: 8,
            runtimes: vec!["nvidia".into(), "runc".into()],
            ..HostDetails::default()
        };
        let reserve = Share { nano_cpus: 1_500_000_000, memory_bytes: GIB };
        let model = shown("a".into(), details, reserve, &GpuSight::Unseen("far away".into()));
        assert!(model.to_value().is_wholly_known());
        assert!(model.disk.is_null() && model.driver_version.is_null());
        assert_eq!(model.memory_gb, Attr::Known("1.5".parse().unwrap()));
        let Attr::Known(Nested(reserved)) = model.reserved else { panic!("no reserve") };
        assert_eq!(reserved.cpus, Attr::Known("1.5".parse().unwrap()));
    }
}
