//! Volumes. "Ensure" creates what is missing; what is there under the name must be ours.

use bollard::models::{Volume, VolumeCreateRequest};
use bollard::query_parameters::RemoveVolumeOptions;

use super::host::Host;
use super::networks::{Ensured, is_ours};
use crate::container::VolumeSpec;
use crate::hosts::docker::CHANGE;
use crate::hosts::error::{HostError, if_found};

impl Host {
    /// Makes a volume unless there is one of ours by that name. One of somebody else's is an error.
    pub async fn ensure_volume(&self, spec: &VolumeSpec) -> Result<Ensured, HostError> {
        let subject = volume(&spec.name);
        if let Some(found) = self.find_volume(&spec.name).await? {
            return self.ours(&subject, found.labels);
        }
        self.change("create", &subject, CHANGE, |docker| {
            let request = VolumeCreateRequest {
                name: Some(spec.name.clone()),
                driver: Some("local".to_owned()),
                driver_opts: Some(spec.options.clone().into_iter().collect()),
                labels: Some(spec.labels.clone().into_iter().collect()),
                ..Default::default()
            };
            async move { docker.create_volume(request).await }
        })
        .await?;
        Ok(Ensured::Created)
    }

    /// Removes a volume of ours with what is in it; one that is gone or somebody else's is left as it is.
    pub async fn remove_volume(&self, name: &str) -> Result<(), HostError> {
        let Some(found) = self.find_volume(name).await? else { return Ok(()) };
        if !is_ours(found.labels) {
            return Ok(());
        }
        let removed = self
            .change("remove", &volume(name), CHANGE, |docker| async move {
                docker.remove_volume(name, None::<RemoveVolumeOptions>).await
            })
            .await;
        if_found(removed).map(|_| ())
    }

    async fn find_volume(&self, name: &str) -> Result<Option<Volume>, HostError> {
        let answer = self
            .ask("inspect", &volume(name), |docker| async move { docker.inspect_volume(name).await })
            .await;
        if_found(answer)
    }
}

fn volume(name: &str) -> String {
    format!("volume {name}")
}
