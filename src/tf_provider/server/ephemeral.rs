//! Ephemeral resources: validate, open, renew, close.

use super::convert::{decode, encode, to_wire};
use super::{Server, unknown_type};
use crate::tf_provider::diagnostics::Diagnostics;
use crate::tf_provider::erased::AnyEphemeral;
use crate::tf_provider::provider::Provider;
use crate::tf_provider::schema::object_type;
use crate::tf_provider::wire::tfplugin6 as wire;

impl<P: Provider> Server<P> {
    fn ephemeral(&self, name: &str) -> Result<&dyn AnyEphemeral<P::Client>, Diagnostics> {
        let found =
            self.registry().ephemerals.get(name).ok_or_else(|| unknown_type("ephemeral resource", name))?;
        Ok(found.as_ref())
    }

    pub(super) fn validate_ephemeral(
        &self,
        request: &wire::validate_ephemeral_resource_config::Request,
    ) -> Result<wire::validate_ephemeral_resource_config::Response, Diagnostics> {
        let resource = self.ephemeral(&request.type_name)?;
        let config = decode(request.config.as_ref(), &object_type(&resource.entries()))?;
        let diagnostics = to_wire(resource.validate(&config));
        Ok(wire::validate_ephemeral_resource_config::Response { diagnostics })
    }

    pub(super) async fn open_ephemeral(
        &self,
        request: wire::open_ephemeral_resource::Request,
    ) -> Result<wire::open_ephemeral_resource::Response, Diagnostics> {
        let resource = self.ephemeral(&request.type_name)?;
        let ty = object_type(&resource.entries());
        let opened = resource.open(&self.call()?, decode(request.config.as_ref(), &ty)?).await?;
        Ok(wire::open_ephemeral_resource::Response {
            renew_at: opened.renewal.at.map(prost_types::Timestamp::from),
            result: encode(&opened.result, &ty)?,
            private: Some(opened.renewal.private),
            ..Default::default()
        })
    }

    pub(super) async fn renew_ephemeral(
        &self,
        request: wire::renew_ephemeral_resource::Request,
    ) -> Result<wire::renew_ephemeral_resource::Response, Diagnostics> {
        let resource = self.ephemeral(&request.type_name)?;
        let renewal = resource.renew(&self.call()?, request.private.unwrap_or_default()).await?;
        Ok(wire::renew_ephemeral_resource::Response {
            renew_at: renewal.at.map(prost_types::Timestamp::from),
            private: Some(renewal.private),
            diagnostics: Vec::new(),
        })
    }

    pub(super) async fn close_ephemeral(
        &self,
        request: wire::close_ephemeral_resource::Request,
    ) -> Result<wire::close_ephemeral_resource::Response, Diagnostics> {
        let resource = self.ephemeral(&request.type_name)?;
        resource.close(&self.call()?, request.private.unwrap_or_default()).await?;
        Ok(wire::close_ephemeral_resource::Response::default())
    }
}
