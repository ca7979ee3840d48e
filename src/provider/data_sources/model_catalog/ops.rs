//! Reading the catalog.

use super::model;
use super::schema::{ABOUT, ModelCatalogModel};
use crate::dynamo::facts::release::{self, Release};
use crate::dynamo::terms::words::Engine;
use crate::provider::attributes::convert;
use crate::provider::config::models;
use crate::provider::session::Client;
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::provider::{About, Applied, Call, DataSource, shown};
use crate::tf_provider::value::Path;
use async_trait::async_trait;

/// The data source `dynamo_model_catalog`.
pub(crate) struct ModelCatalog;

#[async_trait]
impl DataSource for ModelCatalog {
    type Model = ModelCatalogModel;
    type Client = Client;

    fn about(&self) -> About {
        ABOUT
    }

    async fn read(
        &self,
        call: &Call<Client>,
        mut config: ModelCatalogModel,
    ) -> Result<Applied<ModelCatalogModel>, Diagnostics> {
        let Some(catalog) = &call.client.catalog else {
            let detail = "The provider's models depend on something that is not known before it is applied, and a data source \
                          reads while planning. Apply what they depend on first, for example with -target.";
            return Err(Diagnostic::error("The models are not known yet", detail).into());
        };
        let release = release_of(&config)?;
        let engine = Engine::parse(shown(&config.engine)).unwrap_or(Engine::Vllm);
        let names = release.engine(engine).and_then(|facts| facts.model_args.as_ref());
        let line = release.line_numbers();
        let gpu_memory = config.gpu_memory_gb.known().and_then(models::gigabytes).unwrap_or(u64::MAX);
        let wanted = catalog.models().filter(|it| model::is_wanted(&config, it));
        config.models = convert::list(wanted.map(|it| model::row(it, names, line, gpu_memory)));
        Ok(config.into())
    }
}

fn release_of(config: &ModelCatalogModel) -> Result<&'static Release, Diagnostic> {
    let version = config.dynamo_version.known().map_or(release::newest(), String::as_str);
    let (release, _) = release::find(release::ALL, version).map_err(|refusal| {
        let detail = format!("{}; {}.", refusal.what, refusal.fix);
        Diagnostic::error("Unknown Dynamo version", detail).at(Path::of("dynamo_version"))
    })?;
    Ok(release)
}
