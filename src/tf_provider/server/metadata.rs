//! What the provider offers: schemas, metadata, identities, capabilities.

use super::Server;
use super::convert::{schema, type_bytes};
use crate::tf_provider::model::Model;
use crate::tf_provider::provider::Provider;
use crate::tf_provider::value::Type;
use crate::tf_provider::wire::tfplugin6 as wire;

/// `get_provider_schema_optional`: no RPC here depends on GetProviderSchema having been called.
fn capabilities() -> Option<wire::ServerCapabilities> {
    Some(wire::ServerCapabilities {
        plan_destroy: true,
        get_provider_schema_optional: true,
        move_resource_state: false,
        generate_resource_config: false,
    })
}

impl<P: Provider> Server<P> {
    pub(super) fn metadata(&self) -> wire::get_metadata::Response {
        use wire::get_metadata as m;
        let registry = self.registry();
        let name = |name: &&'static str| (*name).to_owned();
        m::Response {
            server_capabilities: capabilities(),
            resources: registry
                .resources
                .keys()
                .map(|it| m::ResourceMetadata { type_name: name(it) })
                .collect(),
            data_sources: registry
                .data_sources
                .keys()
                .map(|it| m::DataSourceMetadata { type_name: name(it) })
                .collect(),
            ephemeral_resources: registry
                .ephemerals
                .keys()
                .map(|it| m::EphemeralMetadata { type_name: name(it) })
                .collect(),
            functions: registry.functions.keys().map(|it| m::FunctionMetadata { name: name(it) }).collect(),
            ..m::Response::default()
        }
    }

    pub(super) fn provider_schema(&self) -> wire::get_provider_schema::Response {
        let registry = self.registry();
        let resources = registry.resources.iter().map(|(name, it)| {
            ((*name).to_owned(), schema(it.version(), it.about().description, &it.entries()))
        });
        let data_sources = registry
            .data_sources
            .iter()
            .map(|(name, it)| ((*name).to_owned(), schema(0, it.about().description, &it.entries())));
        let ephemerals = registry
            .ephemerals
            .iter()
            .map(|(name, it)| ((*name).to_owned(), schema(0, it.about().description, &it.entries())));
        wire::get_provider_schema::Response {
            provider: Some(schema(0, self.provider().description(), &P::Config::entries())),
            resource_schemas: resources.collect(),
            data_source_schemas: data_sources.collect(),
            ephemeral_resource_schemas: ephemerals.collect(),
            functions: self.functions(),
            server_capabilities: capabilities(),
            ..Default::default()
        }
    }

    pub(super) fn identity_schemas(&self) -> wire::get_resource_identity_schemas::Response {
        let identities = self.registry().resources.iter().filter(|(_, it)| !it.identity().is_empty());
        let schemas = identities.map(|(name, it)| {
            let entries = it.entries();
            let attributes =
                it.identity().iter().map(|attribute| wire::resource_identity_schema::IdentityAttribute {
                    name: (*attribute).to_owned(),
                    r#type: type_bytes(&Type::String),
                    required_for_import: true,
                    optional_for_import: false,
                    description: entries
                        .iter()
                        .find(|entry| entry.name == *attribute)
                        .map(|entry| entry.description.clone())
                        .unwrap_or_default(),
                });
            let schema =
                wire::ResourceIdentitySchema { version: 0, identity_attributes: attributes.collect() };
            ((*name).to_owned(), schema)
        });
        wire::get_resource_identity_schemas::Response {
            identity_schemas: schemas.collect(),
            diagnostics: Vec::new(),
        }
    }
}
