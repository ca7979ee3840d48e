//! Typed traits behind object-safe faces: values in, values out. The registry and the server know only these.
//!
//! Here, once for every resource, models are decoded and encoded and write-only values are kept out of what is stored.

use super::diagnostics::Diagnostics;
use super::model::Model;
use super::provider::{
    About, Applied, Call, DataSource, EphemeralResource, Failed, ImportBy, Opened, Plan, Renewal, Resource,
};
use super::{planning, schema, validate};
use crate::tf_provider::schema::{AttributeType, Entry, Kind, Nesting};
use crate::tf_provider::value::{Path, Type, Value};
use async_trait::async_trait;
use std::collections::BTreeMap;

/// A typed resource, data source or ephemeral resource made dynamic.
pub struct Erased<T>(pub T);

/// A managed resource as the server sees it.
#[async_trait]
pub trait AnyResource<C>: Send + Sync {
    fn about(&self) -> About;
    fn version(&self) -> i64;
    fn entries(&self) -> Vec<Entry>;
    fn identity(&self) -> &'static [&'static str];
    fn validate(&self, config: &Value, write_only_allowed: bool) -> Diagnostics;
    async fn plan(&self, call: &Call<C>, config: Value, prior: Value) -> Result<Plan<Value>, Diagnostics>;
    async fn create(
        &self,
        call: &Call<C>,
        config: Value,
        planned: Value,
    ) -> Result<Applied<Value>, Failed<Value>>;
    async fn update(
        &self,
        call: &Call<C>,
        config: Value,
        prior: Value,
        planned: Value,
    ) -> Result<Applied<Value>, Failed<Value>>;
    async fn delete(&self, call: &Call<C>, state: Value) -> Result<(), Failed<Value>>;
    async fn read(&self, call: &Call<C>, state: Value) -> Result<Value, Diagnostics>;
    async fn import(&self, call: &Call<C>, by: ImportBy) -> Result<Value, Diagnostics>;
    fn upgrade(&self, version: i64, raw: serde_json::Value) -> Result<serde_json::Value, Diagnostics>;
    /// A state with all its parts: what the stored JSON left out is null, or empty where it is a list of blocks.
    fn complete(&self, state: &Value) -> Result<Value, Diagnostics>;
}

fn model<M: Model>(value: &Value) -> Result<M, Diagnostics> {
    M::from_value(value, &Path::root()).map_err(Diagnostics::from)
}

/// State as it may be stored.
fn stored<M: Model>(model: &M) -> Value {
    let mut value = model.to_value();
    forget_write_only(&M::entries(), &mut value);
    value
}

fn failed<M: Model>(failed: Failed<M>) -> Failed<Value> {
    Failed { state: failed.state.as_ref().map(stored), diagnostics: failed.diagnostics }
}

fn applied<M: Model>(applied: Applied<M>) -> Applied<Value> {
    Applied { state: stored(&applied.state), warnings: applied.warnings }
}

/// Nulls every write-only attribute, at any depth.
pub fn forget_write_only(entries: &[Entry], value: &mut Value) {
    let Value::Map(items) = value else { return };
    for entry in entries {
        let Some(item) = items.get_mut(&entry.name) else { continue };
        match &entry.kind {
            Kind::Attribute(attribute) if attribute.write_only => *item = Value::Null,
            Kind::Attribute(attribute) => {
                if let AttributeType::Nested { nesting, entries } = &attribute.ty {
                    forget_nested(*nesting, entries, item);
                }
            }
            Kind::Block { nesting, entries } => forget_nested(*nesting, entries, item),
        }
    }
}

fn forget_nested(nesting: Nesting, entries: &[Entry], value: &mut Value) {
    match (nesting, value) {
        (Nesting::Single, value) => forget_write_only(entries, value),
        (Nesting::List, Value::List(items)) => {
            items.iter_mut().for_each(|item| forget_write_only(entries, item))
        }
        (Nesting::Map, Value::Map(items)) => {
            items.values_mut().for_each(|item| forget_write_only(entries, item))
        }
        (Nesting::List | Nesting::Map, _) => {}
    }
}

#[async_trait]
impl<R: Resource> AnyResource<R::Client> for Erased<R> {
    fn about(&self) -> About {
        self.0.about()
    }

    fn version(&self) -> i64 {
        self.0.version()
    }

    fn entries(&self) -> Vec<Entry> {
        R::Model::entries()
    }

    fn identity(&self) -> &'static [&'static str] {
        self.0.identity()
    }

    fn validate(&self, config: &Value, write_only_allowed: bool) -> Diagnostics {
        validated::<R::Model>(config, write_only_allowed, |model| self.0.validate(model))
    }

    async fn plan(
        &self,
        call: &Call<R::Client>,
        config: Value,
        prior: Value,
    ) -> Result<Plan<Value>, Diagnostics> {
        let entries = R::Model::entries();
        let proposal = planning::propose(&entries, &config, &prior);
        let (config, planned) = (model::<R::Model>(&config)?, model::<R::Model>(&proposal.planned)?);
        let plan = if prior.is_null() {
            self.0.plan_create(call, &config, planned).await?
        } else {
            let prior = model::<R::Model>(&prior)?;
            self.0.plan_update(call, &config, &prior, planned, proposal.changed).await?
        };
        let planned = stored(&plan.planned);
        let mut replace = planning::replacements(&entries, &prior, &planned);
        if !prior.is_null() {
            replace.extend(plan.replace);
        }
        Ok(Plan { planned, replace, warnings: plan.warnings })
    }

    async fn create(
        &self,
        call: &Call<R::Client>,
        config: Value,
        planned: Value,
    ) -> Result<Applied<Value>, Failed<Value>> {
        let (config, planned) = (model(&config)?, model(&planned)?);
        self.0.create(call, config, planned).await.map(applied).map_err(failed)
    }

    async fn update(
        &self,
        call: &Call<R::Client>,
        config: Value,
        prior: Value,
        planned: Value,
    ) -> Result<Applied<Value>, Failed<Value>> {
        let (config, prior, planned) = (model(&config)?, model(&prior)?, model(&planned)?);
        self.0.update(call, config, prior, planned).await.map(applied).map_err(failed)
    }

    async fn delete(&self, call: &Call<R::Client>, state: Value) -> Result<(), Failed<Value>> {
        let state = model(&state)?;
        self.0.delete(call, state).await.map_err(failed)
    }

    async fn read(&self, call: &Call<R::Client>, state: Value) -> Result<Value, Diagnostics> {
        let state = self.0.read(call, model(&state)?).await?;
        Ok(state.as_ref().map_or(Value::Null, stored))
    }

    async fn import(&self, call: &Call<R::Client>, by: ImportBy) -> Result<Value, Diagnostics> {
        self.0.import(call, by).await.map(|state| stored(&state))
    }

    fn upgrade(&self, version: i64, raw: serde_json::Value) -> Result<serde_json::Value, Diagnostics> {
        self.0.upgrade(version, raw)
    }

    fn complete(&self, state: &Value) -> Result<Value, Diagnostics> {
        model::<R::Model>(state).map(|state| stored(&state))
    }
}

/// Schema checks, then — if the values have the right types — the author's own.
pub fn validated<M: Model>(
    config: &Value,
    write_only_allowed: bool,
    own: impl FnOnce(&M) -> Diagnostics,
) -> Diagnostics {
    let mut found = validate::config(&M::entries(), config, write_only_allowed);
    match model::<M>(config) {
        Ok(model) => found.extend(own(&model)),
        Err(error) => found.extend(error),
    }
    found
}

/// A data source as the server sees it.
#[async_trait]
pub trait AnyDataSource<C>: Send + Sync {
    fn about(&self) -> About;
    fn entries(&self) -> Vec<Entry>;
    fn validate(&self, config: &Value) -> Diagnostics;
    async fn read(&self, call: &Call<C>, config: Value) -> Result<Applied<Value>, Diagnostics>;
}

#[async_trait]
impl<D: DataSource> AnyDataSource<D::Client> for Erased<D> {
    fn about(&self) -> About {
        self.0.about()
    }

    fn entries(&self) -> Vec<Entry> {
        D::Model::entries()
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        validated::<D::Model>(config, false, |model| self.0.validate(model))
    }

    async fn read(&self, call: &Call<D::Client>, config: Value) -> Result<Applied<Value>, Diagnostics> {
        self.0.read(call, model(&with_defaults(&D::Model::entries(), &config))?).await.map(applied)
    }
}

/// An ephemeral resource as the server sees it.
#[async_trait]
pub trait AnyEphemeral<C>: Send + Sync {
    fn about(&self) -> About;
    fn entries(&self) -> Vec<Entry>;
    fn validate(&self, config: &Value) -> Diagnostics;
    async fn open(&self, call: &Call<C>, config: Value) -> Result<Opened<Value>, Diagnostics>;
    async fn renew(&self, call: &Call<C>, private: Vec<u8>) -> Result<Renewal, Diagnostics>;
    async fn close(&self, call: &Call<C>, private: Vec<u8>) -> Result<(), Diagnostics>;
}

#[async_trait]
impl<E: EphemeralResource> AnyEphemeral<E::Client> for Erased<E> {
    fn about(&self) -> About {
        self.0.about()
    }

    fn entries(&self) -> Vec<Entry> {
        E::Model::entries()
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        validated::<E::Model>(config, false, |model| self.0.validate(model))
    }

    async fn open(&self, call: &Call<E::Client>, config: Value) -> Result<Opened<Value>, Diagnostics> {
        let opened = self.0.open(call, model(&with_defaults(&E::Model::entries(), &config))?).await?;
        Ok(Opened { result: opened.result.to_value(), renewal: opened.renewal })
    }

    async fn renew(&self, call: &Call<E::Client>, private: Vec<u8>) -> Result<Renewal, Diagnostics> {
        self.0.renew(call, private).await
    }

    async fn close(&self, call: &Call<E::Client>, private: Vec<u8>) -> Result<(), Diagnostics> {
        self.0.close(call, private).await
    }
}

/// A configuration with the defaults of its schema; computed attributes stay null.
fn with_defaults(entries: &[Entry], config: &Value) -> Value {
    let Value::Map(items) = config else { return config.clone() };
    let mut filled = items.clone();
    for entry in entries {
        let Kind::Attribute(schema::Attribute { default: Some(default), .. }) = &entry.kind else { continue };
        if items.get(&entry.name).is_none_or(Value::is_null) {
            filled.insert(entry.name.clone(), default.clone());
        }
    }
    Value::Map(filled)
}

/// The type of a resource's identity: a string for each attribute.
pub fn identity_type(attributes: &[&str]) -> Type {
    Type::Object(attributes.iter().map(|name| ((*name).to_owned(), Type::String)).collect())
}

/// The identity within a state; unknown and null parts stay what they are.
pub fn identity_of(attributes: &[&str], state: &Value) -> Value {
    let parts = attributes.iter().map(|name| ((*name).to_owned(), state.get(name).clone()));
    Value::Map(parts.collect::<BTreeMap<_, _>>())
}
