//! The skin: Terraform's nouns on the domain. Each noun is a folder of three files: `schema` declares the attributes,
//! `model` turns them into the domain's words and back (pure), `ops` plans, applies, reads and imports (talks, through
//! `reconcile` and `hosts`).

pub mod blocks;
mod bring;
mod cache_servers;
mod caches;
pub mod client;
pub mod config;
pub mod connector;
pub mod containers;
pub mod deployment;
mod docker_checks;
mod drafts;
mod drift;
mod duration;
mod errand;
mod errors;
mod facts;
mod fit;
mod functions;
mod gpus;
pub mod host;
pub mod host_directory;
pub mod host_gpus;
mod image_modules;
pub mod images;
mod import_id;
pub mod installed_models;
mod look;
mod model_args;
pub mod model_catalog;
mod model_source;
pub mod models;
mod objections;
mod one_at_a_time;
pub mod openwebui;
mod own_models;
mod pages;
mod picked_ports;
mod plan_checks;
mod remote;
pub mod rendering;
mod secrets;
mod stored;
mod timeouts;
mod turns;
pub mod worker;

use crate::tf_provider::diagnostics::Diagnostics;
use crate::tf_provider::provider::{Provider, Registry};
use async_trait::async_trait;
use client::Client;
use config::ProviderModel;

/// Address in `required_providers`, without the registry.
pub const ADDRESS: &str = "terraform-provider-dynamo/dynamo";

/// The provider `dynamo`.
pub struct Dynamo;

#[async_trait]
impl Provider for Dynamo {
    type Config = ProviderModel;
    type Client = Client;

    fn description(&self) -> &'static str {
        "Serves large language models with [NVIDIA Dynamo](https://github.com/ai-dynamo/dynamo) on plain Docker hosts: a \
         frontend with its router, and workers, as containers. No agent on the host, no Kubernetes."
    }

    fn validate(&self, config: &ProviderModel) -> Diagnostics {
        config::validate(config)
    }

    fn configure(&self, config: ProviderModel) -> Result<Client, Diagnostics> {
        config::validate(&config).into_result()?;
        Ok(Client::new(&config)?)
    }

    async fn close(&self, client: &Client) {
        client.close().await;
    }

    fn register(&self, registry: &mut Registry<Client>) {
        registry.resource(deployment::Deployments);
        registry.resource(models::Models);
        registry.resource(worker::Workers);
        registry.resource(openwebui::OpenWebuis);
        registry.data_source(containers::Containers);
        registry.data_source(host::HostFacts);
        registry.data_source(host_directory::HostDirectory);
        registry.data_source(host_gpus::HostGpus);
        registry.data_source(images::Images);
        registry.data_source(installed_models::InstalledModels);
        registry.data_source(model_catalog::ModelCatalog);
        registry.function(functions::ModelFit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tf_provider::model::Model;
    use crate::tf_provider::schema::rules::{Use, violations};

    #[test]
    fn every_schema_is_one_that_terraform_takes() {
        let mut found = violations("provider", &ProviderModel::entries(), Use::Provider);
        let registry = Registry::of(&Dynamo);
        for (name, resource) in &registry.resources {
            found.extend(violations(name, &resource.entries(), Use::Resource));
        }
        for (name, source) in &registry.data_sources {
            found.extend(violations(name, &source.entries(), Use::DataSource));
        }
        assert!(registry.resources.len() > 1);
        assert_eq!(found, Vec::<String>::new());
    }
}
