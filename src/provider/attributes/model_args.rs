//! The arguments that a model comes with (`model_args` of a deployment), and those that a worker ends up with
//! (`effective_engine_args`): both as text, so that a plan shows them.
//!
//! They are worked out anew in every plan from the catalog and the provider's `models`: what is in the configuration and in the
//! version of the provider decides, and a change of either shows in the plan before it rolls through the workers.

use super::blocks::TextMap;
use crate::dynamo::models::catalog::defaults::written;
use crate::dynamo::spec::engine_args::{ArgValue, EngineArgs};
use crate::dynamo::terms::given::Given;
use crate::tf_provider::attr::Attr;
use std::collections::BTreeMap;

/// The arguments as the domain reads them.
pub(crate) fn draft(attribute: &Attr<TextMap>) -> BTreeMap<String, Given<ArgValue>> {
    let items = attribute.known().into_iter().flatten();
    let given = |value: &Attr<String>| value.known().map_or(Given::Unknown, |text| Given::Is(written(text)));
    items.map(|(name, value)| (name.clone(), given(value))).collect()
}

/// Engine arguments as text, by name.
pub(crate) fn texts(args: &EngineArgs) -> TextMap {
    args.iter().map(|(name, value)| (name.clone(), Attr::Known(text(value)))).collect()
}

fn text(value: &ArgValue) -> String {
    match value {
        ArgValue::Bool(value) => value.to_string(),
        ArgValue::Number(text) | ArgValue::Text(text) | ArgValue::Json(text) => text.clone(),
        ArgValue::List(items) => items.join(","),
    }
}
