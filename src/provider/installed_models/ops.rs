//! Reading the models of a host.

use super::model;
use super::schema::{ABOUT, InstalledModelsModel};
use crate::dynamo::release;
use crate::provider::client::Client;
use crate::provider::{errors, facts};
use crate::tf_provider::diagnostics::Diagnostics;
use crate::tf_provider::provider::{About, Applied, Call, DataSource};
use async_trait::async_trait;

/// `dynamo_installed_models`.
pub struct InstalledModels;

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
        let entry = call.client.host_to_read(&mut config.host)?;
        let default_cache = || release::ALL.last().map(|release| release.model_cache);
        let cache = entry.model_cache().known().map(String::as_str).or_else(default_cache).map(str::to_owned);
        let mut roots: Vec<String> = entry.model_paths().iter().cloned().chain(cache).collect();
        roots.sort_unstable();
        roots.dedup();
        let trees = entry.host.trees(&roots).await;
        let trees = trees.map_err(|error| errors::diagnostic("Unable to look for models", &error, None))?;
        let warnings = model::warnings(entry.host.name(), entry.model_paths(), &trees);
        config.models = facts::list(model::models(&trees).into_iter().map(model::row));
        config.host = facts::text(entry.host.name());
        Ok(Applied { state: config, warnings })
    }
}
