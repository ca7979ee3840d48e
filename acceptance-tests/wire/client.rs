//! Terraform's side of the protocol, in terms of [`Value`]s.
//!
//! A configuration may be written sparsely: what it leaves out is filled in by the schema, which the client asks for once.
//! An RPC that fails as such is an `Err`; what the provider has to say about values is in the answer's diagnostics.

#![allow(dead_code, reason = "a client for all tests, of which each binary and each test uses a part")]

use std::sync::Arc;

use terraform_provider_dynamo::tf_provider::value::{Type, Value, msgpack};
use terraform_provider_dynamo::tf_provider::wire::plugin::Empty;
use terraform_provider_dynamo::tf_provider::wire::plugin::grpc_controller_client::GrpcControllerClient;
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::provider_client::ProviderClient;
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::schema::Block;
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::*;
use tonic::Status;
use tonic::transport::Channel;

use super::schema;

/// Like the SDKs of real providers, see the provider's own limit.
const MESSAGE_LIMIT: usize = 256 << 20;

type Answer<T> = Result<T, Status>;

/// A connected client. Clones share the connection.
#[derive(Clone)]
pub struct Client {
    /// For calls that are not wrapped here.
    pub rpc: ProviderClient<Channel>,
    pub channel: Channel,
    schemas: Option<Arc<get_provider_schema::Response>>,
    /// Sent with each call that takes them.
    pub capabilities: ClientCapabilities,
}

/// What a change of a resource starts from.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Null to create.
    pub prior: Value,
    /// As its author wrote it; null to destroy.
    pub config: Value,
    /// What the provider remembered with the prior state.
    pub private: Vec<u8>,
}

impl Change {
    pub fn create(config: Value) -> Self {
        Self { config, ..Self::default() }
    }

    pub fn update(prior: Value, config: Value) -> Self {
        Self { prior, config, ..Self::default() }
    }

    pub fn destroy(prior: Value) -> Self {
        Self { prior, ..Self::default() }
    }
}

/// A plan, decoded; `response` has the rest.
#[derive(Debug)]
pub struct Planned {
    pub state: Value,
    pub diagnostics: Vec<Diagnostic>,
    pub response: plan_resource_change::Response,
}

/// State after apply, read, import or upgrade.
#[derive(Debug)]
pub struct Stored {
    pub state: Value,
    pub diagnostics: Vec<Diagnostic>,
    pub private: Vec<u8>,
}

impl Client {
    pub fn new(channel: Channel) -> Self {
        let rpc = ProviderClient::new(channel.clone())
            .max_decoding_message_size(MESSAGE_LIMIT)
            .max_encoding_message_size(MESSAGE_LIMIT);
        let capabilities = ClientCapabilities { write_only_attributes_allowed: true, ..Default::default() };
        Self { rpc, channel, schemas: None, capabilities }
    }

    /// The same client, which takes the schemas from another one and never asks its own provider for them.
    pub async fn with_schemas_of(mut self, other: &mut Self) -> Self {
        self.schemas = Some(other.schemas().await.unwrap());
        self
    }

    // ---- The provider ----

    /// Asks anew.
    pub async fn get_schema(&mut self) -> Answer<get_provider_schema::Response> {
        Ok(self.rpc.get_provider_schema(get_provider_schema::Request {}).await?.into_inner())
    }

    pub async fn validate_provider(&mut self, config: Value) -> Answer<Vec<Diagnostic>> {
        let config = Some(self.provider_config(&config).await?);
        let request = validate_provider_config::Request { config };
        Ok(self.rpc.validate_provider_config(request).await?.into_inner().diagnostics)
    }

    pub async fn configure(&mut self, config: Value) -> Answer<Vec<Diagnostic>> {
        let request = configure_provider::Request {
            terraform_version: "1.11.4".into(),
            config: Some(self.provider_config(&config).await?),
            client_capabilities: Some(self.capabilities),
        };
        Ok(self.rpc.configure_provider(request).await?.into_inner().diagnostics)
    }

    /// The text of the answer, empty when all is well.
    pub async fn stop(&mut self) -> Answer<String> {
        Ok(self.rpc.stop_provider(stop_provider::Request {}).await?.into_inner().error)
    }

    pub async fn shutdown(&mut self) -> Answer<()> {
        GrpcControllerClient::new(self.channel.clone()).shutdown(Empty {}).await.map(drop)
    }

    // ---- Managed resources ----

    pub async fn validate_resource(&mut self, resource: &str, config: Value) -> Answer<Vec<Diagnostic>> {
        let block = self.resource_block(resource).await?;
        let request = validate_resource_config::Request {
            type_name: resource.into(),
            config: Some(encode(&block, &schema::complete(&block, &config))),
            client_capabilities: Some(self.capabilities),
        };
        Ok(self.rpc.validate_resource_config(request).await?.into_inner().diagnostics)
    }

    pub async fn plan(&mut self, resource: &str, change: &Change) -> Answer<Planned> {
        let block = self.resource_block(resource).await?;
        let (config, proposed) = configured(&block, change);
        let request = plan_resource_change::Request {
            type_name: resource.into(),
            prior_state: Some(encode(&block, &change.prior)),
            proposed_new_state: Some(encode(&block, &proposed)),
            config: Some(encode(&block, &config)),
            prior_private: change.private.clone(),
            client_capabilities: Some(self.capabilities),
            ..Default::default()
        };
        let response = self.rpc.plan_resource_change(request).await?.into_inner();
        let state = decode(&block, response.planned_state.as_ref());
        Ok(Planned { state, diagnostics: response.diagnostics.clone(), response })
    }

    pub async fn apply(&mut self, resource: &str, change: &Change, planned: &Planned) -> Answer<Stored> {
        let block = self.resource_block(resource).await?;
        let request = apply_resource_change::Request {
            type_name: resource.into(),
            prior_state: Some(encode(&block, &change.prior)),
            planned_state: planned.response.planned_state.clone(),
            config: Some(encode(&block, &configured(&block, change).0)),
            planned_private: planned.response.planned_private.clone(),
            planned_identity: planned.response.planned_identity.clone(),
            ..Default::default()
        };
        let response = self.rpc.apply_resource_change(request).await?.into_inner();
        let state = decode(&block, response.new_state.as_ref());
        Ok(Stored { state, diagnostics: response.diagnostics, private: response.private })
    }

    pub async fn read(&mut self, resource: &str, state: &Value, private: &[u8]) -> Answer<Stored> {
        let block = self.resource_block(resource).await?;
        let request = read_resource::Request {
            type_name: resource.into(),
            current_state: Some(encode(&block, state)),
            private: private.to_vec(),
            client_capabilities: Some(self.capabilities),
            ..Default::default()
        };
        let response = self.rpc.read_resource(request).await?.into_inner();
        let state = decode(&block, response.new_state.as_ref());
        Ok(Stored { state, diagnostics: response.diagnostics, private: response.private })
    }

    /// `state` is the JSON object of a state file, of schema version `version`.
    pub async fn upgrade(&mut self, resource: &str, version: i64, state: &[u8]) -> Answer<Stored> {
        let block = self.resource_block(resource).await?;
        let raw_state = Some(RawState { json: state.to_vec(), ..Default::default() });
        let request = upgrade_resource_state::Request { type_name: resource.into(), version, raw_state };
        let response = self.rpc.upgrade_resource_state(request).await?.into_inner();
        let state = decode(&block, response.upgraded_state.as_ref());
        Ok(Stored { state, diagnostics: response.diagnostics, private: Vec::new() })
    }

    /// The imported object, which Terraform reads next; null if there is none.
    pub async fn import(&mut self, resource: &str, id: &str) -> Answer<Stored> {
        let block = self.resource_block(resource).await?;
        let request = import_resource_state::Request {
            type_name: resource.into(),
            id: id.into(),
            client_capabilities: Some(self.capabilities),
            ..Default::default()
        };
        let response = self.rpc.import_resource_state(request).await?.into_inner();
        let imported = response.imported_resources.into_iter().next().unwrap_or_default();
        let state = decode(&block, imported.state.as_ref());
        Ok(Stored { state, diagnostics: response.diagnostics, private: imported.private })
    }

    // ---- Data sources and functions ----

    pub async fn validate_data(&mut self, source: &str, config: Value) -> Answer<Vec<Diagnostic>> {
        let block = self.data_block(source).await?;
        let config = Some(encode(&block, &schema::complete(&block, &config)));
        let request = validate_data_resource_config::Request { type_name: source.into(), config };
        Ok(self.rpc.validate_data_resource_config(request).await?.into_inner().diagnostics)
    }

    pub async fn read_data(&mut self, source: &str, config: Value) -> Answer<Stored> {
        let block = self.data_block(source).await?;
        let request = read_data_source::Request {
            type_name: source.into(),
            config: Some(encode(&block, &schema::complete(&block, &config))),
            client_capabilities: Some(self.capabilities),
            ..Default::default()
        };
        let response = self.rpc.read_data_source(request).await?.into_inner();
        let state = decode(&block, response.state.as_ref());
        Ok(Stored { state, diagnostics: response.diagnostics, private: Vec::new() })
    }

    /// Arguments are of the types that the function's signature names.
    pub async fn call(&mut self, name: &str, arguments: Vec<Value>) -> Answer<Result<Value, FunctionError>> {
        let schemas = self.schemas().await?;
        let signature = schemas.functions.get(name).ok_or_else(|| Status::not_found(name.to_owned()))?;
        let repeated = signature.variadic_parameter.iter().cycle();
        let parameters = signature.parameters.iter().chain(repeated);
        let arguments = arguments
            .iter()
            .zip(parameters)
            .map(|(value, parameter)| encode_as(&Type::from_json(&parameter.r#type).unwrap(), value));
        let request = call_function::Request { name: name.into(), arguments: arguments.collect() };
        let response = self.rpc.call_function(request).await?.into_inner();
        let result = Type::from_json(&signature.r#return.clone().unwrap_or_default().r#type).unwrap();
        Ok(match response.error {
            Some(error) => Err(error),
            None => Ok(decode_as(&result, response.result.as_ref())),
        })
    }

    // ---- Schemas ----

    /// All types, asked for once.
    pub async fn schemas(&mut self) -> Answer<Arc<get_provider_schema::Response>> {
        if let Some(known) = &self.schemas {
            return Ok(known.clone());
        }
        let schemas = Arc::new(self.get_schema().await?);
        self.schemas = Some(schemas.clone());
        Ok(schemas)
    }

    pub async fn resource_block(&mut self, name: &str) -> Answer<Block> {
        found(name, self.schemas().await?.resource_schemas.get(name))
    }

    pub async fn data_block(&mut self, name: &str) -> Answer<Block> {
        found(name, self.schemas().await?.data_source_schemas.get(name))
    }

    async fn provider_config(&mut self, config: &Value) -> Answer<DynamicValue> {
        let block = found("provider", self.schemas().await?.provider.as_ref())?;
        Ok(encode(&block, &schema::complete(&block, config)))
    }
}

fn found(name: &str, schema: Option<&Schema>) -> Answer<Block> {
    let schema = schema.ok_or_else(|| Status::not_found(format!("the provider has no {name}")))?;
    Ok(schema.block.clone().unwrap_or_default())
}

/// The configuration as Terraform completes it, and the state that it proposes.
fn configured(block: &Block, change: &Change) -> (Value, Value) {
    if change.config.is_null() {
        return (Value::Null, Value::Null);
    }
    let config = schema::complete(block, &change.config);
    let proposed = schema::proposed(block, &change.prior, &config);
    (config, proposed)
}

pub fn encode(block: &Block, value: &Value) -> DynamicValue {
    encode_as(&schema::block_type(block), value)
}

pub fn decode(block: &Block, value: Option<&DynamicValue>) -> Value {
    decode_as(&schema::block_type(block), value)
}

fn encode_as(ty: &Type, value: &Value) -> DynamicValue {
    DynamicValue { msgpack: msgpack::encode(value, ty).unwrap(), json: Vec::new() }
}

fn decode_as(ty: &Type, value: Option<&DynamicValue>) -> Value {
    let Some(value) = value else { return Value::Null };
    assert!(value.json.is_empty(), "answers are msgpack");
    if value.msgpack.is_empty() { Value::Null } else { msgpack::decode(&value.msgpack, ty).unwrap() }
}
