//! A provider that talks to a real Engine, and a name that nobody else uses there.

use std::future::Future;

use terraform_provider_dynamo::tf_provider::value::{Type, Value};
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::*;

use crate::terraform::harness::{IMAGE, MODEL, Scene, model_folder};
use crate::wire::client::{Change, Client, Planned, Stored, decode};
use crate::wire::harness::{Provider, Setup};
use crate::wire::samples::WORKER;
use crate::wire::schema::block_type;

pub fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(test);
}

/// A provider with this machine's Engine, and a deployment name of its own, whose objects go when the stage does.
pub struct Stage {
    pub scene: Scene,
    pub provider: Provider,
    pub client: Client,
}

impl Stage {
    pub async fn new() -> Self {
        let (provider, client) = another_client().await;
        Self { scene: Scene::new(""), provider, client }
    }

    pub fn deployment(&self) -> Value {
        Value::object([
            ("name", self.scene.name.as_str()),
            ("engine", "mocker"),
            ("image", IMAGE),
            ("image_pull_policy", "never"),
            ("model", model_folder().to_str().unwrap()),
            ("served_model_name", MODEL),
        ])
    }

    /// A worker of the deployment in `state`: the attributes that it asks for, the rest dropped, as Terraform does it.
    pub async fn worker(&mut self, state: &Value) -> Value {
        let ty = block_type(&self.client.resource_block(WORKER).await.unwrap());
        let Type::Object(attributes) = ty else { panic!("a worker is an object") };
        Value::object([("deployment", narrowed(&attributes["deployment"], state))])
    }

    /// Plans and applies without an error.
    pub async fn apply(&mut self, resource: &str, change: &Change) -> (Planned, Stored) {
        let planned = self.client.plan(resource, change).await.unwrap();
        assert_eq!(planned.diagnostics, [], "plan of {resource}");
        let applied = self.client.apply(resource, change, &planned).await.unwrap();
        assert_eq!(applied.diagnostics, [], "apply of {resource}");
        (planned, applied)
    }

    pub async fn create(&mut self, resource: &str, config: &Value) -> Value {
        self.apply(resource, &Change::create(config.clone())).await.1.state
    }

    pub async fn destroy(&mut self, resource: &str, state: &Value) {
        let gone = self.apply(resource, &Change::destroy(state.clone())).await.1;
        assert!(gone.state.is_null());
    }

    pub async fn read(
        &mut self,
        resource: &str,
        request: read_resource::Request,
    ) -> (Value, read_resource::Response) {
        let block = self.client.resource_block(resource).await.unwrap();
        let request = read_resource::Request { type_name: resource.into(), ..request };
        let answer = self.client.rpc.read_resource(request).await.unwrap().into_inner();
        assert_eq!(answer.diagnostics, [], "read of {resource}");
        (decode(&block, answer.new_state.as_ref()), answer)
    }
}

/// A configured provider with this machine's Engine, which shares nothing with any other.
pub async fn another_client() -> (Provider, Client) {
    configured(std::env::var("DOCKER_HOST").ok()).await
}

/// A configured provider that finds its Engine at `engine`, or where it is when nothing is said.
pub async fn configured(engine: Option<String>) -> (Provider, Client) {
    let setup = Setup::terraform().with("TF_LOG", "trace");
    let setup = match &engine {
        Some(engine) => setup.with("DOCKER_HOST", engine),
        None => setup,
    };
    let provider = setup.start();
    let mut client = provider.client().await;
    assert_eq!(client.configure(Value::Null).await.unwrap(), []);
    (provider, client)
}

fn narrowed(ty: &Type, value: &Value) -> Value {
    match (ty, value) {
        (Type::Object(attributes), Value::Map(_)) => {
            Value::object(attributes.iter().map(|(name, ty)| (name.clone(), narrowed(ty, value.get(name)))))
        }
        (Type::List(element), Value::List(values)) => {
            Value::List(values.iter().map(|value| narrowed(element, value)).collect())
        }
        (_, value) => value.clone(),
    }
}
