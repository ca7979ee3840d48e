//! The provider `dynamo`: Terraform's resources, data sources and functions on top of the domain.
//!
//! Each folder imports only from those before it in this list, which the architecture test holds:
//!
//! * `attributes`: attributes that several resources share. `config`: the `provider` block.
//! * `machine`: a host with what the configuration says about it. `allocation`: claims and leases of one run.
//! * `session`: the client that every operation gets: hosts and allocations. `plan_checks`: the checks of a plan on a host.
//! * `lifecycle`: starting, probing and comparing containers.
//! * `deployment`, `worker`, `openwebui`, `models`: the resources. In each, `schema` declares the attributes, `model` turns
//!   them into the domain's values and back (pure), and `ops` plans, applies, reads and imports.
//! * `data_sources`, `functions`; and `render`, which prints containers without Terraform and without a host.
//!
//! Begin with `worker/schema.rs`, then `worker/ops.rs`.

pub(crate) mod allocation;
pub(crate) mod attributes;
pub(crate) mod config;
pub(crate) mod data_sources;
pub mod deployment;
pub(crate) mod functions;
pub(crate) mod lifecycle;
pub(crate) mod machine;
pub(crate) mod models;
pub mod openwebui;
pub(crate) mod plan_checks;
pub mod render;
pub(crate) mod session;
pub mod worker;

use crate::tf_provider::diagnostics::Diagnostics;
use crate::tf_provider::provider::{Provider, Registry};
use async_trait::async_trait;
use config::schema::ProviderModel;
use session::Client;

/// Address in `required_providers`, without the registry.
pub const ADDRESS: &str = "terraform-provider-dynamo/dynamo";

/// The provider `dynamo`.
pub struct Dynamo;

/// Where the environment says that Docker is.
fn docker_host() -> Option<String> {
    std::env::var("DOCKER_HOST").ok().filter(|value| !value.is_empty())
}

#[async_trait]
impl Provider for Dynamo {
    type Config = ProviderModel;
    type Client = Client;

    fn description(&self) -> &'static str {
        "Serves large language models with [NVIDIA Dynamo](https://github.com/ai-dynamo/dynamo) on plain Docker hosts: a \
         frontend with its router, and workers, as containers. No agent on the host, no Kubernetes."
    }

    fn validate(&self, config: &ProviderModel) -> Diagnostics {
        config::validate(config, docker_host().as_deref())
    }

    fn configure(&self, config: ProviderModel) -> Result<Client, Diagnostics> {
        config::validate(&config, None).into_result()?;
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
        registry.data_source(data_sources::containers::Containers);
        registry.data_source(data_sources::host::HostDataSource);
        registry.data_source(data_sources::host_directory::HostDirectory);
        registry.data_source(data_sources::host_gpus::HostGpus);
        registry.data_source(data_sources::images::Images);
        registry.data_source(data_sources::installed_models::InstalledModels);
        registry.data_source(data_sources::model_catalog::ModelCatalog);
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
