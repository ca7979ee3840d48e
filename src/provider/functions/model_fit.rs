//! `provider::dynamo::model_fit`: the check that a plan makes of every worker, for preconditions and for choosing machines.

use crate::dynamo::models::catalog::own::{Attention, OwnModel};
use crate::dynamo::models::catalog::{Catalog, CatalogModel};
use crate::dynamo::models::memory::opinion::{Opinion, Room, judge};
use crate::dynamo::models::memory::request::cache_half_bytes;
use crate::dynamo::models::memory::shape::Split;
use crate::dynamo::models::memory::{Load, Verdict};
use crate::dynamo::terms::amount::{Amount, GIB};
use crate::provider::attributes::convert::ratio;
use crate::provider::config::models;
use crate::tf_provider::provider::{Function, FunctionError, Parameter, Signature};
use crate::tf_provider::value::{Type, Value};
use std::collections::BTreeMap;

/// `model_fit`.
pub(crate) struct ModelFit;

const OPTIONS: &[&str] =
    &["gpus", "pipeline_parallel", "max_model_len", "sequences", "kv_cache_dtype", "gpu_memory_utilization"];
/// What the documentation of vLLM calls the default, and a safe one for the others.
const UTILISATION: Amount = Amount::from_milli(900);
const MOST: u64 = 1 << 40;

impl Function for ModelFit {
    fn signature(&self) -> Signature {
        let parameter = |name, description, ty| Parameter {
            name,
            description,
            ty,
            allow_null: false,
            allow_unknown: false,
        };
        Signature {
            name: "model_fit",
            summary: "Whether a model fits GPUs",
            description: "Reckons what a model takes of each GPU, with the formula of the guide on models and memory, and whether that \
                fits. Asks nobody: neither hosts nor the hub.\n\nReturns an object: `fits` (bool), `verdict` (`fits`, `close`: it depends \
                on what the engine needs besides, `too_much`, or `uneven`: the heads cannot be shared by so many GPUs), per GPU \
                `usable_gb`, `weights_gb`, `cache_gb` and `overhead_gb`, `longest_context` (tokens of one sequence that fit; null where \
                the attention is not known), and `message`, a sentence with the numbers for `error_message`.",
            parameters: vec![
                parameter(
                    "model",
                    "Name of a model of the built-in catalog, or an object with what is known of it: `weights_gb`, `context_length`, \
                     `layers`, `attention_heads`, `kv_heads`, `head_dim`, `latent_width`, `window_layers`, `window`, as in \
                     `dynamo_model_catalog`, whose elements will do.",
                    Type::Dynamic,
                ),
                parameter("gpu_memory_gb", "Memory of each GPU in GB (2³⁰ bytes).", Type::Number),
            ],
            variadic: Some(parameter(
                "options",
                "An object; all of it may be left out. `gpus`: GPUs that share each layer (tensor parallel; 1). `pipeline_parallel` (1). \
                 `max_model_len`: tokens of a sequence (the model's context). `sequences`: how many of that length are held at once (1). \
                 `kv_cache_dtype`: `auto` or `fp8`. `gpu_memory_utilization` (0.9).",
                Type::Dynamic,
            )),
            returns: returns(),
        }
    }

    fn call(&self, arguments: Vec<Value>) -> Result<Value, FunctionError> {
        let mut arguments = arguments.into_iter();
        let (model, memory) = (arguments.next().unwrap_or_default(), arguments.next().unwrap_or_default());
        let options = arguments.next().unwrap_or_default();
        if arguments.next().is_some() {
            return Err(wrong(3, "There is one object of options."));
        }
        let model = described(&model)?;
        let memory_bytes = memory.as_number().and_then(models::gigabytes).filter(|bytes| *bytes > 0);
        let memory_bytes =
            memory_bytes.ok_or_else(|| wrong(1, "The memory of a GPU must be a number greater than 0."))?;
        let Options { load, utilisation } = Options::read(&model, &options)?;
        Ok(answer(&model, &load, Room { memory_bytes, utilisation }))
    }
}

fn wrong(argument: usize, text: impl Into<String>) -> FunctionError {
    FunctionError { text: text.into(), argument: Some(argument) }
}

fn described(value: &Value) -> Result<CatalogModel, FunctionError> {
    let catalog = |own| Catalog::new(own);
    if let Some(name) = value.as_str() {
        return catalog(BTreeMap::new()).find(name).cloned().ok_or_else(|| {
            wrong(
                0,
                format!("The catalog has no model {name:?}. The data source dynamo_model_catalog lists those it has; of others give an \
                         object with weights_gb, layers, attention_heads, kv_heads, head_dim and context_length."),
            )
        });
    }
    if value.as_map().is_none() {
        return Err(wrong(0, format!("A model is a name or an object, got {}.", value.kind())));
    }
    let number = |key: &str| whole(value, key, 0);
    let small = |key: &str| -> Result<Option<u32>, FunctionError> {
        number(key)?
            .map(|it| u32::try_from(it).map_err(|_| wrong(0, format!("{key} is too large."))))
            .transpose()
    };
    let attention = Attention {
        layers: small("layers")?,
        attention_heads: small("attention_heads")?,
        kv_heads: small("kv_heads")?,
        head_dim: small("head_dim")?,
        latent_width: small("latent_width")?,
        // In the catalog no layers have a window of no tokens.
        window_layers: if value.get("window").is_null() { None } else { small("window_layers")? },
        window: small("window")?,
    };
    let weights = value.get("weights_gb").as_number().and_then(models::gigabytes).filter(|bytes| *bytes > 0);
    let name = value.get("name").as_str().unwrap_or("The model").to_owned();
    let own = OwnModel {
        weights_bytes: Some(weights.ok_or_else(|| wrong(0, "weights_gb must be a number greater than 0."))?),
        context_length: number("context_length")?,
        shape: attention
            .shape()
            .map_err(|refusal| wrong(0, format!("{}; {}.", refusal.what, refusal.fix)))?,
        ..OwnModel::default()
    };
    Ok(own.alone(name))
}

/// A whole number above zero, or none.
fn whole(value: &Value, key: &str, argument: usize) -> Result<Option<u64>, FunctionError> {
    let value = value.get(key);
    if value.is_null() {
        return Ok(None);
    }
    let number =
        value.as_number().and_then(|number| number.to_u64()).filter(|number| (1..=MOST).contains(number));
    number.map(Some).ok_or_else(|| wrong(argument, format!("{key} must be a whole number greater than 0.")))
}

struct Options {
    load: Load,
    utilisation: Amount,
}

impl Options {
    fn read(model: &CatalogModel, value: &Value) -> Result<Self, FunctionError> {
        let none = BTreeMap::new();
        let entries = match value.as_map() {
            Some(entries) => entries,
            None if value.is_null() => &none,
            None => return Err(wrong(2, format!("Options are an object, got {}.", value.kind()))),
        };
        if let Some(key) = entries.keys().find(|key| !OPTIONS.contains(&key.as_str())) {
            return Err(wrong(2, format!("There is no option {key:?}; there are {}.", OPTIONS.join(", "))));
        }
        let count = |key: &str| -> Result<u32, FunctionError> {
            let number = whole(value, key, 2)?.unwrap_or(1);
            u32::try_from(number).map_err(|_| wrong(2, format!("{key} is too large.")))
        };
        let context = whole(value, "max_model_len", 2)?.or(model.context_length);
        let context = match (context, model.shape) {
            (Some(context), _) => context,
            (None, None) => 0,
            (None, Some(_)) => return Err(wrong(2, "The model has no context_length: set max_model_len.")),
        };
        let cache_type = value.get("kv_cache_dtype").as_str().unwrap_or("auto");
        let load = Load {
            weights_bytes: model.weights_bytes.unwrap_or_default(),
            shape: model.shape,
            context,
            sequences: whole(value, "sequences", 2)?.unwrap_or(1),
            cache_half_bytes: cache_half_bytes(cache_type).ok_or_else(|| {
                wrong(2, format!("kv_cache_dtype must be \"auto\" or \"fp8\", got {cache_type:?}."))
            })?,
            split: Split { tensor: count("gpus")?, pipeline: count("pipeline_parallel")? },
        };
        Ok(Self { load, utilisation: utilisation(value.get("gpu_memory_utilization"))? })
    }
}

fn utilisation(value: &Value) -> Result<Amount, FunctionError> {
    if value.is_null() {
        return Ok(UTILISATION);
    }
    let part = value.as_number().and_then(|number| number.to_string().parse::<Amount>().ok());
    part.filter(|part| *part > Amount::ZERO && *part <= Amount::from_int(1))
        .ok_or_else(|| wrong(2, "gpu_memory_utilization must be above 0 and at most 1."))
}

fn returns() -> Type {
    let numbers = ["usable_gb", "weights_gb", "cache_gb", "overhead_gb", "longest_context"];
    let words = [("fits", Type::Bool), ("verdict", Type::String), ("message", Type::String)];
    let numbers = numbers.into_iter().map(|name| (name, Type::Number));
    Type::Object(words.into_iter().chain(numbers).map(|(name, ty)| (name.to_owned(), ty)).collect())
}

fn answer(model: &CatalogModel, load: &Load, room: Room) -> Value {
    let Opinion { verdict, estimate, longest, what, fix } = judge(&model.name, load, room);
    let uneven = model.shape.and_then(|shape| shape.check_tensor_parallel(load.split.tensor).err());
    let (word, message) = match (uneven, verdict) {
        (Some(refusal), _) => ("uneven", format!("{}: {}; {}.", model.name, refusal.what, refusal.fix)),
        (None, Verdict::Fits) => ("fits", format!("{what}.")),
        (None, Verdict::Close) => ("close", format!("{what}. If that is not enough: {fix}.")),
        (None, Verdict::TooMuch) => ("too_much", format!("{what}; {fix}.")),
    };
    let gigabytes = |bytes: u64| ratio(bytes, GIB).map_or(Value::Null, Value::from);
    Value::object([
        ("fits", Value::Bool(word == "fits")),
        ("verdict", word.into()),
        ("usable_gb", gigabytes(room.usable())),
        ("weights_gb", gigabytes(estimate.weights)),
        ("cache_gb", gigabytes(estimate.cache)),
        ("overhead_gb", gigabytes(estimate.overhead)),
        (
            "longest_context",
            longest.and_then(|tokens| i64::try_from(tokens).ok()).map_or(Value::Null, Value::from),
        ),
        ("message", message.into()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(model: Value, memory: i64, options: &[(&str, Value)]) -> Result<Value, FunctionError> {
        let mut arguments = vec![model, memory.into()];
        if !options.is_empty() {
            arguments.push(Value::object(options.iter().map(|(key, value)| (*key, value.clone()))));
        }
        ModelFit.call(arguments)
    }

    fn word(model: &str, memory: i64, options: &[(&str, Value)]) -> String {
        call(model.into(), memory, options).unwrap().get("verdict").as_str().unwrap().to_owned()
    }

    #[test]
    fn verdicts_are_those_of_a_plan() {
        let llama = "meta-llama/Llama-3.1-8B-Instruct";
        assert_eq!(word(llama, 80, &[]), "fits");
        assert_eq!(word(llama, 24, &[]), "too_much");
        assert_eq!(word(llama, 24, &[("max_model_len", 8192.into())]), "fits");
        assert_eq!(word(llama, 24, &[("max_model_len", 45_000.into())]), "close");
        assert_eq!(
            word(llama, 24, &[("max_model_len", 45_000.into()), ("kv_cache_dtype", "fp8".into())]),
            "fits"
        );
        assert_eq!(word(llama, 24, &[("gpus", 2.into())]), "fits");
        assert_eq!(word(llama, 24, &[("gpus", 3.into())]), "uneven");
        let answer = call(llama.into(), 24, &[]).unwrap();
        assert!(answer.conforms(&returns(), &Default::default()).is_ok());
        assert_eq!(answer.get("fits").as_bool(), Some(false));
        assert_eq!(answer.get("cache_gb").as_number().map(ToString::to_string).as_deref(), Some("16"));
        assert!(answer.get("message").as_str().unwrap().contains("limit the context to 37888 tokens"));
    }

    fn mine(more: &[(&str, Value)]) -> Value {
        let base =
            [("weights_gb", Value::from(10)), ("name", "mine".into()), ("context_length", 4096.into())];
        Value::object(base.into_iter().chain(more.iter().map(|(key, value)| (*key, value.clone()))))
    }

    #[test]
    fn a_model_of_ones_own_is_an_object() {
        let heads = [
            ("layers", Value::from(32)),
            ("attention_heads", 32.into()),
            ("kv_heads", 8.into()),
            ("head_dim", 128.into()),
            ("latent_width", Value::Null),
            ("window_layers", 0.into()),
            ("window", Value::Null),
        ];
        let answer = call(mine(&heads), 24, &[("sequences", 4.into())]).unwrap();
        assert_eq!(answer.get("cache_gb").as_number().map(ToString::to_string).as_deref(), Some("2"));
        let weights_only = call(mine(&[]), 24, &[]).unwrap();
        assert!(
            weights_only.get("fits").as_bool() == Some(true) && weights_only.get("longest_context").is_null()
        );
    }

    #[test]
    fn bad_arguments_are_named() {
        type Row<'a> = (Value, i64, &'a [(&'a str, Value)], usize, &'a str);
        let table: [Row<'_>; 11] = [
            ("acme/none".into(), 24, &[], 0, "no model \"acme/none\""),
            (Value::from(3), 24, &[], 0, "a name or an object"),
            (Value::object([("layers", 3)]), 24, &[], 0, "weights_gb"),
            (mine(&[("layers", 3.into())]), 24, &[], 0, "belong together"),
            (mine(&[("layers", (-3).into())]), 24, &[], 0, "layers must be a whole number"),
            (mine(&[]), 0, &[], 1, "greater than 0"),
            (mine(&[]), -24, &[], 1, "greater than 0"),
            (mine(&[]), 24, &[("gpu", 2.into())], 2, "no option \"gpu\""),
            (mine(&[]), 24, &[("gpus", 0.into())], 2, "gpus must be a whole number"),
            (mine(&[]), 24, &[("kv_cache_dtype", "int3".into())], 2, "\"int3\""),
            (mine(&[]), 24, &[("gpu_memory_utilization", 2.into())], 2, "at most 1"),
        ];
        for (model, memory, options, argument, part) in table {
            let error = call(model, memory, options).unwrap_err();
            assert!(error.argument == Some(argument) && error.text.contains(part), "{error:?}");
        }
        let twice = ModelFit.call(vec!["openai/gpt-oss-20b".into(), 24.into(), Value::Null, Value::Null]);
        assert_eq!(twice.unwrap_err().argument, Some(3));
    }
}
