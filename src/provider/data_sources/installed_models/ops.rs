//! Reading the models of a host.

use super::model;
use super::schema::{ABOUT, InstalledModelsModel};
use crate::provider::attributes::{convert, host_errors};
use crate::provider::session::Client;
use crate::tf_provider::diagnostics::Diagnostics;
use crate::tf_provider::provider::{About, Applied, Call, DataSource};
use async_trait::async_trait;

/// The data source `dynamo_installed_models`.
pub(crate) struct InstalledModels;

#[async_trait]
impl DataSource for InstalledModels {
    type Model = InstalledModelsModel;
    type Client = Client;

    fn about(&self) -> About {
        ABOUT
    }

    async fn read(
        &self,
        call: &Call<Client>,
        mut config: InstalledModelsModel,
    ) -> Result<Applied<InstalledModelsModel>, Diagnostics> {
        let machine = call.client.host_to_read(&mut config.host)?;
        machine.roots_are_known()?;
        let trees = machine.model_trees().await;
        let trees =
            trees.map_err(|error| host_errors::diagnostic("Unable to look for models", &error, None))?;
        let warnings = model::warnings(machine.host.name(), machine.model_paths(), &trees);
        config.models = convert::list(model::models(&trees).into_iter().map(model::row));
        config.host = convert::text(machine.host.name());
        Ok(Applied { state: config, warnings })
    }
}
