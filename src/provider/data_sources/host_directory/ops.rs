//! Reading a folder of a host.

use super::model;
use super::schema::{ABOUT, HostDirectoryModel};
use crate::hosts::HostError;
use crate::provider::attributes::{convert, host_errors};
use crate::provider::session::Client;
use crate::tf_provider::attr::{Attr, NestedList};
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::provider::{About, Applied, Call, DataSource};
use crate::tf_provider::value::Path;
use async_trait::async_trait;

/// The data source `dynamo_host_directory`.
pub(crate) struct HostDirectory;

#[async_trait]
impl DataSource for HostDirectory {
    type Model = HostDirectoryModel;
    type Client = Client;

    fn about(&self) -> About {
        ABOUT
    }

    async fn read(
        &self,
        call: &Call<Client>,
        mut config: HostDirectoryModel,
    ) -> Result<Applied<HostDirectoryModel>, Diagnostics> {
        let host = call.client.host_to_read(&mut config.host)?.host;
        let failed =
            |error: HostError| host_errors::diagnostic("Unable to read the host's files", &error, None);
        let mut warnings = Diagnostics::new();
        config.entries = Attr::Known(NestedList(Vec::new()));
        if let Some(path) = config.path.known() {
            let folder = host.folder(path).await.map_err(failed)?;
            if folder.truncated {
                let detail =
                    format!("{path} holds more entries than are listed: only the first of them are there.");
                warnings.push(Diagnostic::warning("Not all entries are listed", detail).at(Path::of("path")));
            }
            config.size_gb = convert::gigabytes(folder.size_bytes);
            config.free_gb = convert::gigabytes(folder.free_bytes);
            config.entries = convert::list(folder.entries.into_iter().map(model::entry));
        }
        config.disks = convert::list(host.disks().await.map_err(failed)?.into_iter().map(model::disk));
        config.host = convert::text(host.name());
        Ok(Applied { state: config, warnings })
    }
}
