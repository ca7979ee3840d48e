//! What an author of a provider implements: [`Provider`], [`Resource`], [`DataSource`], [`EphemeralResource`], [`Function`].
//!
//! Typed inside, dynamic at the registry: each trait has its model as an associated type; [`Registry`] holds them behind
//! object-safe faces (see `erased.rs`). Methods return values; an answer for Terraform is put together elsewhere.

use super::attr::Attr;
use super::diagnostics::Diagnostics;
use super::erased::{AnyDataSource, AnyEphemeral, AnyResource, Erased};
use super::model::Model;
use crate::tf_provider::value::{Path, Type, Value};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// A provider: its configuration, and what it makes of it.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// The `provider` block.
    type Config: Model;
    /// What resources get to work with. Made once per configuration; must not connect to anything.
    type Client: Send + Sync + 'static;

    /// Markdown for the registry's front page.
    fn description(&self) -> &'static str;

    /// Offline checks beyond those of the schema. Anything may be unknown.
    fn validate(&self, _config: &Self::Config) -> Diagnostics {
        Diagnostics::new()
    }

    /// Values may be unknown at plan: keep them, and complain only where one is needed.
    fn configure(&self, config: Self::Config) -> Result<Self::Client, Diagnostics>;

    fn register(&self, registry: &mut Registry<Self::Client>);

    /// Called once when the process ends: close connections.
    async fn close(&self, _client: &Self::Client) {}
}

/// What a call brings besides its values.
pub struct Call<C> {
    pub client: Arc<C>,
    /// Cancelled when Terraform asks to stop: end waits early, and return the state as it is.
    pub stopping: CancellationToken,
    /// In [`Resource::plan_create`]: the identity of the object that the new one replaces, where Terraform plans both.
    /// Of a tainted object it plans only the successor.
    pub predecessor: Option<Value>,
}

impl<C> Clone for Call<C> {
    fn clone(&self) -> Self {
        Self {
            client: Arc::clone(&self.client),
            stopping: self.stopping.clone(),
            predecessor: self.predecessor.clone(),
        }
    }
}

/// Words about a type, for the schema and the docs.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The full name, `dynamo_deployment`.
    pub type_name: &'static str,
    /// Markdown; the first sentence stands alone in lists.
    pub description: &'static str,
}

/// A planned change, typed.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan<M> {
    pub planned: M,
    /// Paths whose change replaces the resource, beyond those the schema names.
    pub replace: Vec<Path>,
    /// Warnings for the user.
    pub warnings: Diagnostics,
}

impl<M> From<M> for Plan<M> {
    fn from(planned: M) -> Self {
        Self { planned, replace: Vec::new(), warnings: Diagnostics::new() }
    }
}

/// A change that failed, with what is really there now.
#[derive(Clone, Debug)]
pub struct Failed<M> {
    /// On create: `None` = nothing was left behind; `Some` = the object exists and Terraform marks it tainted.
    /// On update: `None` = nothing changed. On delete: `None` = everything is as before.
    pub state: Option<M>,
    pub diagnostics: Diagnostics,
}

impl<M> From<Diagnostics> for Failed<M> {
    fn from(diagnostics: Diagnostics) -> Self {
        Self { state: None, diagnostics }
    }
}

/// A change that was made.
#[derive(Clone, Debug)]
pub struct Applied<M> {
    pub state: M,
    pub warnings: Diagnostics,
}

impl<M> From<M> for Applied<M> {
    fn from(state: M) -> Self {
        Self { state, warnings: Diagnostics::new() }
    }
}

/// How the user names an object to import.
#[derive(Clone, Debug, PartialEq)]
pub enum ImportBy {
    Id(String),
    /// Identity attributes, by name; absent ones are left out.
    Identity(BTreeMap<String, Value>),
}

/// A managed resource.
///
/// The framework has done, before any method sees a value: schema checks, defaults, nulling of write-only values, unknown
/// marks, and the replacement rules of the schema. Write-only values are in `config` and nowhere else; what a method
/// returns has them nulled again.
#[async_trait]
pub trait Resource: Send + Sync + 'static {
    type Model: Model;
    type Client: Send + Sync + 'static;

    fn about(&self) -> About;

    /// Version of the state; raise it with an [`Resource::upgrade`] when stored state must be changed.
    fn version(&self) -> i64 {
        0
    }

    /// Attributes that identify an object for ever: required strings or computed-once strings of the model.
    fn identity(&self) -> &'static [&'static str] {
        &[]
    }

    /// Offline checks beyond those of the schema. Anything may be unknown.
    fn validate(&self, _config: &Self::Model) -> Diagnostics {
        Diagnostics::new()
    }

    /// Must give the same plan for the same input: it runs again in apply. Live facts may refuse, never decide.
    async fn plan_create(
        &self,
        _call: &Call<Self::Client>,
        _config: &Self::Model,
        planned: Self::Model,
    ) -> Result<Plan<Self::Model>, Diagnostics> {
        Ok(planned.into())
    }

    /// As [`Resource::plan_create`]. `changed` is false when the schema sees no difference between `prior` and `planned`.
    async fn plan_update(
        &self,
        _call: &Call<Self::Client>,
        _config: &Self::Model,
        _prior: &Self::Model,
        planned: Self::Model,
        _changed: bool,
    ) -> Result<Plan<Self::Model>, Diagnostics> {
        Ok(planned.into())
    }

    async fn create(
        &self,
        call: &Call<Self::Client>,
        config: Self::Model,
        planned: Self::Model,
    ) -> Result<Applied<Self::Model>, Failed<Self::Model>>;

    async fn update(
        &self,
        call: &Call<Self::Client>,
        config: Self::Model,
        prior: Self::Model,
        planned: Self::Model,
    ) -> Result<Applied<Self::Model>, Failed<Self::Model>>;

    /// `Ok(None)` = the object is gone. A host that does not answer is an error, never "gone".
    async fn read(
        &self,
        call: &Call<Self::Client>,
        state: Self::Model,
    ) -> Result<Option<Self::Model>, Diagnostics>;

    /// Something already gone is a success.
    async fn delete(&self, call: &Call<Self::Client>, state: Self::Model) -> Result<(), Failed<Self::Model>>;

    /// Enough state for [`Resource::read`], which Terraform calls next.
    async fn import(&self, call: &Call<Self::Client>, by: ImportBy) -> Result<Self::Model, Diagnostics>;

    /// State of an older version, as JSON, to state of the current one. Unknown attributes are dropped and missing ones
    /// null afterwards, so that only renames and changes of meaning need code.
    fn upgrade(&self, _version: i64, raw: serde_json::Value) -> Result<serde_json::Value, Diagnostics> {
        Ok(raw)
    }
}

/// A data source.
#[async_trait]
pub trait DataSource: Send + Sync + 'static {
    type Model: Model;
    type Client: Send + Sync + 'static;

    fn about(&self) -> About;

    fn validate(&self, _config: &Self::Model) -> Diagnostics {
        Diagnostics::new()
    }

    /// `config` is wholly known, with defaults filled in.
    async fn read(
        &self,
        call: &Call<Self::Client>,
        config: Self::Model,
    ) -> Result<Applied<Self::Model>, Diagnostics>;
}

/// Something opened for the length of a plan or apply, and never stored.
#[async_trait]
pub trait EphemeralResource: Send + Sync + 'static {
    type Model: Model;
    type Client: Send + Sync + 'static;

    fn about(&self) -> About;

    fn validate(&self, _config: &Self::Model) -> Diagnostics {
        Diagnostics::new()
    }

    async fn open(
        &self,
        call: &Call<Self::Client>,
        config: Self::Model,
    ) -> Result<Opened<Self::Model>, Diagnostics>;

    /// `private` is what `open` or the last `renew` returned.
    async fn renew(&self, _call: &Call<Self::Client>, private: Vec<u8>) -> Result<Renewal, Diagnostics> {
        Ok(Renewal { at: None, private })
    }

    /// Closing twice, or something that is gone, is a success.
    async fn close(&self, call: &Call<Self::Client>, private: Vec<u8>) -> Result<(), Diagnostics>;
}

/// An open ephemeral resource.
#[derive(Clone, Debug)]
pub struct Opened<M> {
    pub result: M,
    pub renewal: Renewal,
}

/// When to renew next, if ever, and what to hand to the next renewal and to close.
#[derive(Clone, Debug, Default)]
pub struct Renewal {
    pub at: Option<std::time::SystemTime>,
    pub private: Vec<u8>,
}

/// A parameter of a function.
#[derive(Clone, Debug)]
pub struct Parameter {
    pub name: &'static str,
    pub description: &'static str,
    pub ty: Type,
    pub allow_null: bool,
    pub allow_unknown: bool,
}

/// Words about a function.
#[derive(Clone, Debug)]
pub struct Signature {
    pub name: &'static str,
    pub summary: &'static str,
    pub description: &'static str,
    pub parameters: Vec<Parameter>,
    /// Takes any number of further arguments.
    pub variadic: Option<Parameter>,
    pub returns: Type,
}

/// A function call that cannot be answered; `argument` is zero-based, `None` = the call as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    pub text: String,
    pub argument: Option<usize>,
}

/// A pure function: the same arguments give the same result, configured or not.
pub trait Function: Send + Sync + 'static {
    fn signature(&self) -> Signature;
    fn call(&self, arguments: Vec<Value>) -> Result<Value, FunctionError>;
}

/// Everything a provider offers, by name.
pub struct Registry<C> {
    pub(crate) resources: BTreeMap<&'static str, Box<dyn AnyResource<C>>>,
    pub(crate) data_sources: BTreeMap<&'static str, Box<dyn AnyDataSource<C>>>,
    pub(crate) ephemerals: BTreeMap<&'static str, Box<dyn AnyEphemeral<C>>>,
    pub(crate) functions: BTreeMap<&'static str, Box<dyn Function>>,
}

impl<C: Send + Sync + 'static> Registry<C> {
    /// The registry of a provider: everything that it serves.
    pub fn of<P: Provider<Client = C>>(provider: &P) -> Self {
        let mut registry = Self {
            resources: BTreeMap::new(),
            data_sources: BTreeMap::new(),
            ephemerals: BTreeMap::new(),
            functions: BTreeMap::new(),
        };
        provider.register(&mut registry);
        registry
    }

    /// Adds a resource.
    pub fn resource<R: Resource<Client = C>>(&mut self, resource: R) {
        self.resources.insert(resource.about().type_name, Box::new(Erased(resource)));
    }

    /// Adds a data source.
    pub fn data_source<D: DataSource<Client = C>>(&mut self, source: D) {
        self.data_sources.insert(source.about().type_name, Box::new(Erased(source)));
    }

    /// Adds an ephemeral resource.
    pub fn ephemeral<E: EphemeralResource<Client = C>>(&mut self, resource: E) {
        self.ephemerals.insert(resource.about().type_name, Box::new(Erased(resource)));
    }

    /// Adds a function.
    pub fn function<F: Function>(&mut self, function: F) {
        self.functions.insert(function.signature().name, Box::new(function));
    }
}

/// A known string attribute; the empty string when it is null or unknown. For ids in messages.
pub fn shown(attribute: &Attr<String>) -> &str {
    attribute.known().map_or("", String::as_str)
}
