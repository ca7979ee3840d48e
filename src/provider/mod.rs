//! The skin: Terraform's nouns on the domain. Each noun is a folder of three files: `schema` declares the attributes,
//! `model` turns them into the domain's words and back (pure), `ops` plans, applies, reads and imports (talks, through
//! `reconcile` and `hosts`).

pub mod blocks;
mod bring;
pub mod client;
pub mod config;
pub mod deployment;
mod drafts;
mod drift;
mod duration;
mod errors;
mod import_id;
mod look;
mod objections;
mod plan_checks;
mod stored;
mod timeouts;
pub mod worker;

use crate::tf_provider::diagnostics::Diagnostics;
use crate::tf_provider::provider::{Provider, Registry};
use client::Client;
use config::ProviderModel;

/// Address in `required_providers`, without the registry.
pub const ADDRESS: &str = "terraform-provider-dynamo/dynamo";

/// The provider `dynamo`.
pub struct Dynamo;

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

    fn register(&self, registry: &mut Registry<Client>) {
        registry.resource(deployment::Deployments);
        registry.resource(worker::Workers);
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
