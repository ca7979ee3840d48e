//! Managed resources: validate, upgrade, read, plan, apply, import.

use super::convert::{attribute_path, decode, encode, to_wire};
use super::{Server, unknown_type};
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::erased::{AnyResource, identity_of, identity_type};
use crate::tf_provider::provider::{Applied, Call, Failed, ImportBy, Provider};
use crate::tf_provider::schema::object_type;
use crate::tf_provider::value::{Type, Value, json};
use crate::tf_provider::wire::tfplugin6 as wire;
use std::collections::BTreeMap;

type Answer<T> = Result<T, Diagnostics>;

/// A resource with what every RPC needs of it.
struct Found<'a, C> {
    resource: &'a dyn AnyResource<C>,
    ty: Type,
}

impl<C: Send + Sync + 'static> Found<'_, C> {
    /// The identity in a state, where the resource has one and the state has all of it.
    ///
    /// `unknown_allowed`: a plan of something new may leave parts open.
    fn identity(&self, state: &Value, unknown_allowed: bool) -> Answer<Option<wire::ResourceIdentityData>> {
        let attributes = self.resource.identity();
        let identity = identity_of(attributes, state);
        let complete = attributes.iter().all(|name| match identity.get(name) {
            Value::Null => false,
            Value::Unknown => unknown_allowed,
            _ => true,
        });
        if attributes.is_empty() || state.is_null() || !complete {
            return Ok(None);
        }
        let identity_data = encode(&identity, &identity_type(attributes))?;
        Ok(Some(wire::ResourceIdentityData { identity_data }))
    }

    /// An object's identity as private bytes.
    fn to_keep(&self, state: &Value) -> Answer<Option<Vec<u8>>> {
        let identity = self.identity(state, false)?;
        Ok(identity.and_then(|identity| identity.identity_data).map(|data| data.msgpack))
    }

    /// The identity in private bytes; `None` when there is none in them.
    fn kept(&self, private: &[u8]) -> Option<Value> {
        let data = wire::DynamicValue { msgpack: private.to_vec(), json: Vec::new() };
        let ty = identity_type(self.resource.identity());
        (!private.is_empty()).then(|| decode(Some(&data), &ty).ok())?
    }
}

impl<P: Provider> Server<P> {
    fn resource(&self, name: &str) -> Answer<Found<'_, P::Client>> {
        let resource =
            self.registry().resources.get(name).ok_or_else(|| unknown_type("resource", name))?.as_ref();
        Ok(Found { resource, ty: object_type(&resource.entries()) })
    }

    pub(super) fn validate_resource(
        &self,
        request: &wire::validate_resource_config::Request,
    ) -> Answer<wire::validate_resource_config::Response> {
        let found = self.resource(&request.type_name)?;
        let config = decode(request.config.as_ref(), &found.ty)?;
        let write_only =
            request.client_capabilities.as_ref().is_some_and(|it| it.write_only_attributes_allowed);
        let diagnostics = to_wire(found.resource.validate(&config, write_only));
        Ok(wire::validate_resource_config::Response { diagnostics })
    }

    pub(super) fn upgrade_resource(
        &self,
        request: &wire::upgrade_resource_state::Request,
    ) -> Answer<wire::upgrade_resource_state::Response> {
        let found = self.resource(&request.type_name)?;
        let raw = request.raw_state.as_ref().map(|state| state.json.as_slice()).unwrap_or_default();
        if raw.is_empty() {
            let detail =
                "The stored state is in a format older than Terraform 0.12, which this provider never wrote.";
            return Err(Diagnostic::error("Unable to read the stored state", detail).into());
        }
        let mut raw: serde_json::Value = serde_json::from_slice(raw).map_err(|error| {
            Diagnostic::error("Unable to read the stored state", format!("It is not JSON: {error}."))
        })?;
        if request.version < found.resource.version() {
            raw = found.resource.upgrade(request.version, raw)?;
        }
        let state = found.resource.complete(&json::decode_lenient(&raw, &found.ty)?)?;
        Ok(wire::upgrade_resource_state::Response {
            upgraded_state: encode(&state, &found.ty)?,
            diagnostics: Vec::new(),
        })
    }

    /// Identities have had one version so far: what is stored is what is meant.
    pub(super) fn upgrade_identity(
        &self,
        request: &wire::upgrade_resource_identity::Request,
    ) -> Answer<wire::upgrade_resource_identity::Response> {
        let found = self.resource(&request.type_name)?;
        let ty = identity_type(found.resource.identity());
        let raw = request.raw_identity.as_ref().map(|state| state.json.as_slice()).unwrap_or_default();
        let raw: serde_json::Value = serde_json::from_slice(raw).map_err(|error| {
            Diagnostic::error("Unable to read the stored identity", format!("It is not JSON: {error}."))
        })?;
        let identity_data = encode(&json::decode_lenient(&raw, &ty)?, &ty)?;
        Ok(wire::upgrade_resource_identity::Response {
            upgraded_identity: Some(wire::ResourceIdentityData { identity_data }),
            diagnostics: Vec::new(),
        })
    }

    pub(super) async fn read_managed(
        &self,
        request: wire::read_resource::Request,
    ) -> Answer<wire::read_resource::Response> {
        let found = self.resource(&request.type_name)?;
        let state = decode(request.current_state.as_ref(), &found.ty)?;
        let unchanged = |diagnostics| wire::read_resource::Response {
            new_state: request.current_state.clone(),
            diagnostics: to_wire(diagnostics),
            private: request.private.clone(),
            new_identity: request.current_identity.clone(),
            ..Default::default()
        };
        if state.is_null() {
            return Ok(unchanged(Diagnostics::new()));
        }
        let call = self.call()?;
        let new = match found.resource.read(&call, state).await {
            Ok(new) => new,
            Err(diagnostics) => return Ok(unchanged(diagnostics)),
        };
        // An identity never changes; one that an older version did not store yet is filled in.
        let new_identity = match (&request.current_identity, new.is_null()) {
            (Some(identity), false) => Some(identity.clone()),
            (None, false) => found.identity(&new, false)?,
            (_, true) => None,
        };
        Ok(wire::read_resource::Response {
            new_state: encode(&new, &found.ty)?,
            private: request.private.clone(),
            new_identity,
            ..Default::default()
        })
    }

    pub(super) async fn plan_resource(
        &self,
        request: wire::plan_resource_change::Request,
    ) -> Answer<wire::plan_resource_change::Response> {
        let found = self.resource(&request.type_name)?;
        let prior = decode(request.prior_state.as_ref(), &found.ty)?;
        let proposed = decode(request.proposed_new_state.as_ref(), &found.ty)?;
        if proposed.is_null() {
            return Ok(wire::plan_resource_change::Response {
                planned_state: encode(&Value::Null, &found.ty)?,
                planned_private: request.prior_private,
                ..Default::default()
            });
        }
        let config = decode(request.config.as_ref(), &found.ty)?;
        // A replacement is planned twice, the second time as if there were nothing. What the first answer kept tells it
        // from the plan of something new.
        let (call, planned_private) = if prior.is_null() {
            (Call { predecessor: found.kept(&request.prior_private), ..self.call()? }, Vec::new())
        } else {
            (self.call()?, found.to_keep(&prior)?.unwrap_or(request.prior_private))
        };
        let plan = found.resource.plan(&call, config, prior).await?;
        let planned_identity = match request.prior_identity {
            Some(identity) if plan.replace.is_empty() => Some(identity),
            _ => found.identity(&plan.planned, true)?,
        };
        Ok(wire::plan_resource_change::Response {
            planned_state: encode(&plan.planned, &found.ty)?,
            requires_replace: plan.replace.into_iter().map(attribute_path).collect(),
            planned_private,
            diagnostics: to_wire(plan.warnings),
            planned_identity,
            ..Default::default()
        })
    }

    pub(super) async fn apply_resource(
        &self,
        request: wire::apply_resource_change::Request,
    ) -> Answer<wire::apply_resource_change::Response> {
        let found = self.resource(&request.type_name)?;
        let prior = decode(request.prior_state.as_ref(), &found.ty)?;
        let planned = decode(request.planned_state.as_ref(), &found.ty)?;
        let config = decode(request.config.as_ref(), &found.ty)?;
        let call = self.call()?;
        let outcome = match (prior.is_null(), planned.is_null()) {
            (true, true) => Ok(Applied::from(Value::Null)),
            (true, false) => found.resource.create(&call, config, planned).await,
            (false, false) => found.resource.update(&call, config, prior.clone(), planned).await,
            (false, true) => {
                found.resource.delete(&call, prior.clone()).await.map(|()| Applied::from(Value::Null))
            }
        };
        let (state, diagnostics) = match outcome {
            Ok(applied) => (applied.state, applied.warnings),
            // Without a state of its own a failure means that everything is as it was before.
            Err(Failed { state, diagnostics }) => (state.unwrap_or(prior), diagnostics),
        };
        Ok(wire::apply_resource_change::Response {
            new_state: encode(&state, &found.ty)?,
            private: request.planned_private,
            diagnostics: to_wire(diagnostics),
            new_identity: found.identity(&state, false)?,
            ..Default::default()
        })
    }

    pub(super) async fn import_resource(
        &self,
        request: wire::import_resource_state::Request,
    ) -> Answer<wire::import_resource_state::Response> {
        let found = self.resource(&request.type_name)?;
        let identity = request.identity.as_ref().and_then(|identity| identity.identity_data.as_ref());
        let by = match identity {
            Some(data) => ImportBy::Identity(identity_parts(decode(
                Some(data),
                &identity_type(found.resource.identity()),
            )?)),
            None => ImportBy::Id(request.id),
        };
        let state = found.resource.import(&self.call()?, by).await?;
        Ok(wire::import_resource_state::Response {
            imported_resources: vec![wire::import_resource_state::ImportedResource {
                type_name: request.type_name,
                state: encode(&state, &found.ty)?,
                private: Vec::new(),
                identity: found.identity(&state, false)?,
            }],
            ..Default::default()
        })
    }

    pub(super) fn move_resource(
        &self,
        request: &wire::move_resource_state::Request,
    ) -> Answer<wire::move_resource_state::Response> {
        let detail = format!(
            "There is no way to turn {} of {} into {}. Use an import block with a removed block instead.",
            request.source_type_name, request.source_provider_address, request.target_type_name
        );
        Err(Diagnostic::error("Unable to move the resource", detail).into())
    }
}

fn identity_parts(identity: Value) -> BTreeMap<String, Value> {
    match identity {
        Value::Map(parts) => parts.into_iter().filter(|(_, part)| part.is_known()).collect(),
        _ => BTreeMap::new(),
    }
}
