//! The map `models` of the provider block: models of the user's own, and what the user knows better than the table.
//!
//! As in `hosts`, Terraform drops a key that the schema does not know, and a wrong number shows only when a model does not
//! start. So what can be held against something is: sizes are positive, heads come together, two names do not differ in case
//! alone, arguments have names.

use crate::dynamo::check::engine_args;
use crate::dynamo::models::catalog::Catalog;
use crate::dynamo::models::catalog::own::{Attention, OwnModel};
use crate::dynamo::models::catalog::table::row::Tag;
use crate::dynamo::spec::model::ModelRef;
use crate::dynamo::terms::amount::{Amount, GIB};
use crate::dynamo::terms::objection::Refusal;
use crate::model;
use crate::provider::attributes::blocks::TextMap;
use crate::tf_provider::attr::{Attr, Nested, NestedMap};
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::model::Model;
use crate::tf_provider::schema::{Check, check, optional};
use crate::tf_provider::value::{Number, Path};
use std::collections::BTreeMap;

model! {
    /// An entry of `models`: a model of the user's own.
    pub struct OwnModelModel {
        tags: Attr<Vec<Attr<String>>> = optional("What it is good for; those that follow from the rest are added. They replace the \
            tags of the catalog's model of that name.").check(tag().each()),
        parameters: Attr<i64> = optional("Number of parameters.").check(check::at_least(1)),
        active_parameters: Attr<i64> = optional("Number of parameters that a token passes; less than `parameters` in a mixture of \
            experts.").check(check::at_least(1)),
        weights_gb: Attr<Number> = optional("Size of the weight files in GB (2³⁰ bytes).").check(check::positive()),
        dtype: Attr<String> = optional("In what numbers the weights are, for example `bfloat16` or `fp8`.").check(check::not_empty()),
        context_length: Attr<i64> = optional("Longest context in tokens.").check(check::at_least(1)),
        layers: Attr<i64> = optional("Layers with attention: `num_hidden_layers` of its `config.json`. With `attention_heads`, and \
            `kv_heads` and `head_dim` or `latent_width`, the memory of its cache can be reckoned.").check(count()),
        attention_heads: Attr<i64> = optional("`num_attention_heads`.").check(count()),
        kv_heads: Attr<i64> = optional("`num_key_value_heads`.").check(count()),
        head_dim: Attr<i64> = optional("`head_dim`; where there is none, `hidden_size` divided by `num_attention_heads`.").check(count()),
        latent_width: Attr<i64> = optional("Instead of `kv_heads` and `head_dim` for a model with latent attention (MLA): `kv_lora_rank` \
            + `qk_rope_head_dim`.").check(count()),
        window_layers: Attr<i64> = optional("How many of the layers keep a window of tokens only.").check(check::between(0, 1_000_000)),
        window: Attr<i64> = optional("Tokens of that window: `sliding_window`.").check(count()),
        tool_call_parser: Attr<String> = optional("Dynamo's parser for its tool calls.").check(check::not_empty()),
        reasoning_parser: Attr<String> = optional("Dynamo's parser for its reasoning.").check(check::not_empty()),
        license: Attr<String> = optional("Its licence.").check(check::not_empty()),
        gated: Attr<bool> = optional("Whether downloading it takes a token."),
        engine_args: Attr<TextMap> = optional("Arguments of the engine that it is served with unless a deployment or worker says \
            otherwise, as text; `\"true\"` for a flag."),
    }
}

fn tag() -> Check {
    check::one_of(Tag::ALL.iter().map(|tag| tag.word()))
}

fn count() -> Check {
    check::between(1, 1_000_000)
}

type Models = Attr<NestedMap<OwnModelModel>>;

/// The offline checks of the map.
pub(crate) fn validate(models: &Models) -> Diagnostics {
    let mut found = Diagnostics::new();
    let Attr::Known(NestedMap(models)) = models else { return found };
    let path = Path::of("models");
    let mut spelled: BTreeMap<String, &str> = BTreeMap::new();
    for (name, model) in models {
        let at = path.key(name);
        if let Err(refusal) = ModelRef::parse(name) {
            found.push(said("Not the name of a model", refusal, at.clone()));
        }
        if let Some(other) = spelled.insert(name.to_ascii_lowercase(), name) {
            let detail = format!(
                "{name:?} and {other:?} are the same model: names differ in more than upper and lower case."
            );
            found.push(Diagnostic::error("A model is there twice", detail).at(at.clone()));
        }
        if let Attr::Known(Nested(model)) = model {
            found.extend(entry(model, &at));
        }
    }
    found
}

fn entry(model: &OwnModelModel, at: &Path) -> Diagnostics {
    let mut found = Diagnostics::new();
    let numbers = [
        &model.layers,
        &model.attention_heads,
        &model.kv_heads,
        &model.head_dim,
        &model.latent_width,
        &model.window_layers,
        &model.window,
    ];
    if !numbers.iter().any(|number| number.is_unknown())
        && let Err(refusal) = attention(model).shape()
    {
        found.push(said("The attention is not described", refusal, at.attribute("layers")));
    }
    if let (Attr::Known(active), Attr::Known(all)) = (&model.active_parameters, &model.parameters)
        && active > all
    {
        let detail = format!("active_parameters is {active}, which is more than the {all} that there are.");
        found.push(
            Diagnostic::error("Too many active parameters", detail).at(at.attribute("active_parameters")),
        );
    }
    if let Some(size) = model.weights_gb.known().filter(|size| gigabytes(size).is_none()) {
        let refusal = Refusal::new(
            format!("weights_gb is {size}, which no disk has room for"),
            "give it in GB (2³⁰ bytes)",
        );
        found.push(said("No size of a model", refusal, at.attribute("weights_gb")));
    }
    for name in model.engine_args.known().into_iter().flat_map(BTreeMap::keys) {
        if let Err(refusal) = engine_args::canonical(name) {
            found.push(said("Invalid engine argument", refusal, at.attribute("engine_args").key(name)));
        }
    }
    found
}

fn said(summary: &str, refusal: Refusal, at: Path) -> Diagnostic {
    Diagnostic::error(summary, format!("{}; {}.", refusal.what, refusal.fix)).at(at)
}

fn attention(model: &OwnModelModel) -> Attention {
    let number = |attribute: &Attr<i64>| attribute.known().and_then(|number| u32::try_from(*number).ok());
    Attention {
        layers: number(&model.layers),
        attention_heads: number(&model.attention_heads),
        kv_heads: number(&model.kv_heads),
        head_dim: number(&model.head_dim),
        latent_width: number(&model.latent_width),
        window_layers: number(&model.window_layers),
        window: number(&model.window),
    }
}

/// The catalog with these entries; `None` while something of them is not known.
pub(crate) fn catalog(models: &Models) -> Option<Catalog> {
    let entries = match models {
        Attr::Unknown => return None,
        Attr::Null => return Some(Catalog::new(BTreeMap::new())),
        Attr::Known(NestedMap(entries)) => entries,
    };
    let own = entries.iter().map(|(name, entry)| match entry {
        Attr::Unknown => None,
        Attr::Null => Some((name.clone(), OwnModel::default())),
        Attr::Known(Nested(model)) => model.to_value().is_wholly_known().then(|| (name.clone(), own(model))),
    });
    own.collect::<Option<BTreeMap<_, _>>>().map(Catalog::new)
}

fn own(model: &OwnModelModel) -> OwnModel {
    let count = |attribute: &Attr<i64>| attribute.known().and_then(|number| u64::try_from(*number).ok());
    let tags = model
        .tags
        .known()
        .map(|tags| tags.iter().filter_map(Attr::known).filter_map(|it| Tag::parse(it)).collect());
    let args = model.engine_args.known().into_iter().flatten();
    OwnModel {
        tags,
        parameters: count(&model.parameters),
        active_parameters: count(&model.active_parameters),
        weights_bytes: model.weights_gb.known().and_then(gigabytes),
        dtype: model.dtype.known().cloned(),
        context_length: count(&model.context_length),
        shape: attention(model).shape().ok().flatten(),
        tool_calls: model.tool_call_parser.known().cloned(),
        reasoning: model.reasoning_parser.known().cloned(),
        licence: model.license.known().cloned(),
        gated: model.gated.known().copied(),
        engine_args: args.filter_map(|(key, value)| Some((key.clone(), value.known()?.clone()))).collect(),
    }
}

/// Bytes of a number of GB (2³⁰ bytes); `None` when it is negative or beyond everything.
pub(crate) fn gigabytes(number: &Number) -> Option<u64> {
    number.to_string().parse::<Amount>().ok()?.times(GIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models(entries: Vec<(&str, OwnModelModel)>) -> Models {
        let entries = entries.into_iter().map(|(name, model)| (name.to_owned(), Attr::Known(Nested(model))));
        Attr::Known(NestedMap(entries.collect()))
    }

    fn heads() -> OwnModelModel {
        OwnModelModel {
            layers: Attr::Known(2),
            attention_heads: Attr::Known(4),
            kv_heads: Attr::Known(2),
            head_dim: Attr::Known(64),
            ..OwnModelModel::default()
        }
    }

    fn complaints(entries: Vec<(&str, OwnModelModel)>) -> Vec<String> {
        let found = validate(&models(entries)).0.into_iter();
        found.map(|it| format!("{}: {}", it.path.unwrap_or_default(), it.detail)).collect()
    }

    #[test]
    fn what_is_wrong_is_said_where_it_is() {
        let some = OwnModelModel::default;
        let args = |name: &str| OwnModelModel {
            engine_args: Attr::Known(BTreeMap::from([(name.to_owned(), "1".into())])),
            ..some()
        };
        let huge: Number = "1e30".parse().unwrap();
        let table = [
            (vec![("a b", some())], r#"models["a b"]"#, "neither a Hugging Face name"),
            (vec![("me/x", some()), ("Me/X", some())], r#"models["me/x"]"#, "the same model"),
            (vec![("x", OwnModelModel { kv_heads: Attr::Null, ..heads() })], "layers", "either kv_heads"),
            (vec![("x", OwnModelModel { window: Attr::Known(9), ..heads() })], "layers", "belong together"),
            (
                vec![(
                    "x",
                    OwnModelModel { parameters: Attr::Known(1), active_parameters: Attr::Known(2), ..some() },
                )],
                "active_parameters",
                "more than the 1",
            ),
            (vec![("x", OwnModelModel { weights_gb: Attr::Known(huge), ..some() })], "weights_gb", "no disk"),
            (vec![("x", args("a=b"))], "engine_args", "not the name of an argument"),
        ];
        for (entries, path, detail) in table {
            let said = complaints(entries);
            assert!(said.len() == 1 && said[0].contains(path) && said[0].contains(detail), "{said:?}");
        }
        assert_eq!(
            complaints(vec![("me/x", heads()), ("/data/x", some()), ("y", args("--max_model_len"))]),
            [""; 0]
        );
    }

    #[test]
    fn what_is_not_known_yet_leaves_no_catalog_and_no_complaint() {
        let unknown = OwnModelModel { kv_heads: Attr::Unknown, ..heads() };
        assert_eq!(complaints(vec![("x", unknown.clone())]), [""; 0]);
        assert_eq!(catalog(&models(vec![("x", unknown)])), None);
        assert_eq!(catalog(&Attr::Unknown), None);
        assert!(catalog(&Attr::Null).is_some());
        let known =
            catalog(&models(vec![("x", OwnModelModel { weights_gb: Attr::Known(2_i64.into()), ..heads() })]));
        assert_eq!(known.unwrap().find("x").unwrap().weights_bytes, Some(2 << 30));
    }
}
