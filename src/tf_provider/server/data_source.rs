//! Data sources: validate and read. And the provider block: validate and configure.

use super::convert::{decode, encode, to_wire};
use super::{Server, unknown_type};
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::erased::validated;
use crate::tf_provider::model::Model;
use crate::tf_provider::provider::Provider;
use crate::tf_provider::schema::object_type;
use crate::tf_provider::value::Path;
use crate::tf_provider::wire::tfplugin6 as wire;

impl<P: Provider> Server<P> {
    pub(super) fn validate_data_source(
        &self,
        request: &wire::validate_data_resource_config::Request,
    ) -> Result<wire::validate_data_resource_config::Response, Diagnostics> {
        let name = &request.type_name;
        let source = self
            .registry()
            .data_sources
            .get(name.as_str())
            .ok_or_else(|| unknown_type("data source", name))?;
        let config = decode(request.config.as_ref(), &object_type(&source.entries()))?;
        Ok(wire::validate_data_resource_config::Response { diagnostics: to_wire(source.validate(&config)) })
    }

    pub(super) async fn read_source(
        &self,
        request: wire::read_data_source::Request,
    ) -> Result<wire::read_data_source::Response, Diagnostics> {
        let name = &request.type_name;
        let source = self
            .registry()
            .data_sources
            .get(name.as_str())
            .ok_or_else(|| unknown_type("data source", name))?;
        let ty = object_type(&source.entries());
        let config = decode(request.config.as_ref(), &ty)?;
        let read = source.read(&self.call()?, config).await?;
        Ok(wire::read_data_source::Response {
            state: encode(&read.state, &ty)?,
            diagnostics: to_wire(read.warnings),
            ..Default::default()
        })
    }

    pub(super) fn validate_provider(
        &self,
        request: &wire::validate_provider_config::Request,
    ) -> Result<wire::validate_provider_config::Response, Diagnostics> {
        let entries = P::Config::entries();
        let config = decode(request.config.as_ref(), &object_type(&entries))?;
        let diagnostics = validated::<P::Config>(&config, false, |config| self.provider().validate(config));
        Ok(wire::validate_provider_config::Response { diagnostics: to_wire(diagnostics) })
    }

    pub(super) fn configure(
        &self,
        request: &wire::configure_provider::Request,
    ) -> Result<wire::configure_provider::Response, Diagnostics> {
        let config = decode(request.config.as_ref(), &object_type(&P::Config::entries()))?;
        let config = if config.is_null() {
            P::Config::default()
        } else {
            P::Config::from_value(&config, &Path::root()).map_err(Diagnostic::from)?
        };
        self.begin_session(self.provider().configure(config)?);
        tracing::debug!(terraform_version = request.terraform_version, "provider configured");
        Ok(wire::configure_provider::Response::default())
    }
}
