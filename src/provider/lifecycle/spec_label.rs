//! A model as plain JSON text on a label, and back: how import finds out what somebody once configured.
//!
//! Plain JSON has no types, so a `dynamic` value comes back with the types that its JSON has. Nothing unknown and nothing
//! write-only is ever in such a text.

use super::spec_label;
use crate::container::labels::Ownership;
use crate::hosts::Host;
use crate::provider::attributes::host_errors;
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::erased::forget_write_only;
use crate::tf_provider::model::Model;
use crate::tf_provider::schema::{AttributeType, Entry, Kind, Nesting, object_type};
use crate::tf_provider::value::{Path, PathError, Type, Value, json};
use serde_json::Value as Json;

/// Parts that are unknown or write-only are left out.
pub(crate) fn to_text<M: Model>(model: &M) -> Result<String, Diagnostic> {
    let mut value = model.to_value();
    forget_write_only(&M::entries(), &mut value);
    let known = without_unknown(value);
    let json = json::encode_json(&known).map_err(|error| {
        Diagnostic::error("Unable to describe the object on its label", format!("{error}."))
    })?;
    Ok(without_null(json).to_string())
}

/// Refuses what is not the text of such a model; attributes that it lacks are null.
pub(crate) fn from_text<M: Model>(text: &str) -> Result<M, String> {
    let json: Json = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let value = value_of(&M::entries(), json).map_err(|error| error.to_string())?;
    M::from_value(&value, &Path::root()).map_err(|error| error.to_string())
}

/// Plain JSON as a value of these entries; attributes that it lacks are null, others are dropped.
pub(crate) fn value_of(entries: &[Entry], mut json: Json) -> Result<Value, PathError> {
    with_types(entries, &mut json)?;
    json::decode_lenient(&json, &object_type(entries))
}

fn without_unknown(value: Value) -> Value {
    match value {
        value if value.is_unknown() => Value::Null,
        Value::List(items) => Value::List(items.into_iter().map(without_unknown).collect()),
        Value::Map(items) => {
            Value::Map(items.into_iter().map(|(key, item)| (key, without_unknown(item))).collect())
        }
        other => other,
    }
}

/// A label is read by people too: what is not set is not said.
fn without_null(json: Json) -> Json {
    match json {
        Json::Object(items) => {
            let set = items.into_iter().filter(|(_, item)| !item.is_null());
            Json::Object(set.map(|(key, item)| (key, without_null(item))).collect())
        }
        other => other,
    }
}

/// Puts the types of dynamic values where the decoder looks for them.
fn with_types(entries: &[Entry], json: &mut Json) -> Result<(), PathError> {
    let Json::Object(items) = json else { return Ok(()) };
    for entry in entries {
        let Some(item) = items.get_mut(&entry.name) else { continue };
        match &entry.kind {
            Kind::Attribute(attribute) => match &attribute.ty {
                AttributeType::Plain(Type::Dynamic) if !item.is_null() => {
                    let (ty, _) = json::from_plain_json(item)?;
                    *item = serde_json::json!({ "type": ty.to_json(), "value": item.take() });
                }
                AttributeType::Plain(_) => {}
                AttributeType::Nested { nesting, entries } => nested(*nesting, entries, item)?,
            },
            Kind::Block { nesting, entries } => nested(*nesting, entries, item)?,
        }
    }
    Ok(())
}

fn nested(nesting: Nesting, entries: &[Entry], json: &mut Json) -> Result<(), PathError> {
    match (nesting, json) {
        (Nesting::Single, json) => with_types(entries, json),
        (Nesting::List, Json::Array(items)) => {
            items.iter_mut().try_for_each(|item| with_types(entries, item))
        }
        (Nesting::Map, Json::Object(items)) => {
            items.values_mut().try_for_each(|item| with_types(entries, item))
        }
        (Nesting::List | Nesting::Map, _) => Ok(()),
    }
}

/// The model that the label of a container of ours holds, if it is one of that component: a label of another one has
/// attributes of the same names, and would be read as half a `kind`.
pub(crate) async fn imported<M: Model>(
    host: &Host,
    container: &str,
    component: &str,
    kind: &str,
) -> Result<M, Diagnostics> {
    let summary = format!("Unable to import a {kind}");
    let seen = host
        .inspect(container)
        .await
        .map_err(|error| host_errors::diagnostic(summary.clone(), &error, None))?;
    let fail = |detail: String| Diagnostics::from(Diagnostic::error(summary.clone(), detail));
    let seen = seen.ok_or_else(|| {
        fail(format!("There is no container {container} on host {:?}. Check host and name.", host.name()))
    })?;
    let ownership = Ownership::from_labels(&seen.spec.labels).ok_or_else(|| {
        fail(format!(
            "Container {container} on host {:?} was not made by this provider, so nothing is known of its configuration.",
            host.name()
        ))
    })?;
    if ownership.component != component {
        return Err(fail(format!(
            "Container {container} on host {:?} is the {} of deployment {:?}, which is no {kind}.",
            host.name(),
            ownership.component,
            ownership.deployment
        )));
    }
    spec_label::from_text(&ownership.spec).map_err(|error| {
        fail(format!(
            "The label of container {container} on host {:?} does not describe a {kind}: {error}. It may have been made by \
             another version of the provider.",
            host.name()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::worker::schema::{DeploymentView, WorkerModel};
    use crate::tf_provider::attr::{Attr, Dynamic, Nested};

    #[test]
    fn a_model_survives_its_text_with_dynamic_values_at_any_depth() {
        let arguments = |text: &str| {
            let (ty, value) = json::from_plain_json(&serde_json::from_str(text).unwrap()).unwrap();
            Attr::Known(Dynamic(Value::dynamic(ty, value)))
        };
        let deployment = DeploymentView {
            name: "chat".into(),
            engine_args: arguments(r#"{"max-model-len":8192,"nested":{"a":[1,true]}}"#),
            ..DeploymentView::default()
        };
        let model = WorkerModel {
            deployment: Attr::Known(Nested(deployment)),
            engine_args: arguments(r#"{"speedup-ratio":0.1}"#),
            status: Attr::Unknown,
            ..WorkerModel::default()
        };
        let text = to_text(&model).unwrap();
        assert!(!text.contains("status") && text.contains("8192"), "{text}");
        assert_eq!(from_text::<WorkerModel>(&text).unwrap(), WorkerModel { status: Attr::Null, ..model });
    }

    #[test]
    fn what_is_no_such_text_is_refused() {
        for text in ["", "[1]", "\"x\"", r#"{"env":"x"}"#] {
            assert!(from_text::<WorkerModel>(text).is_err(), "{text}");
        }
    }
}
