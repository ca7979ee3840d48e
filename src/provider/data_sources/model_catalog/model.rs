//! From the catalog to rows. Pure.

use super::schema::{CatalogModelModel, ModelCatalogModel};
use crate::dynamo::facts::engine::ModelArgs;
use crate::dynamo::models::catalog::CatalogModel;
use crate::dynamo::models::catalog::parsers::Line;
use crate::dynamo::models::catalog::table::row::Tag;
use crate::dynamo::models::memory::shape::Cache;
use crate::provider::attributes::convert::gigabytes;
use crate::provider::attributes::model_args;
use crate::provider::config::models;
use crate::tf_provider::attr::Attr;

/// Whether the filters let a model through.
pub(super) fn is_wanted(config: &ModelCatalogModel, model: &CatalogModel) -> bool {
    let named = config.name.known().is_none_or(|part| contains(&model.name, part));
    let mut tags = config.tags.known().into_iter().flatten().filter_map(Attr::known);
    let tagged = tags.all(|tag| Tag::parse(tag).is_some_and(|tag| model.tags.contains(&tag)));
    let most = config.max_memory_gb.known().and_then(models::gigabytes);
    let fits = most.is_none_or(|most| model.needed_bytes().is_some_and(|needed| needed <= most));
    let open = config.gated.known().is_none_or(|gated| model.gated.unwrap_or(false) == *gated);
    named && tagged && fits && open
}

fn contains(name: &str, part: &str) -> bool {
    name.to_lowercase().contains(&part.to_lowercase())
}

/// `gpu_memory` in bytes.
pub(super) fn row(
    model: &CatalogModel,
    names: Option<&ModelArgs>,
    line: Line,
    gpu_memory: u64,
) -> CatalogModelModel {
    let count = |number: Option<u64>| number.and_then(|it| i64::try_from(it).ok()).into();
    let shape = model.shape.as_ref();
    let (kv_heads, head_dim, latent_width) = match shape.map(|shape| shape.cache) {
        Some(Cache::Heads { kv_heads, head_dim }) => (Some(kv_heads), Some(head_dim), None),
        Some(Cache::Latent { width }) => (None, None, Some(width)),
        None => (None, None, None),
    };
    let small = |number: Option<u32>| number.map(i64::from).into();
    CatalogModelModel {
        name: Attr::Known(model.name.clone()),
        tags: Attr::Known(model.tags.iter().map(|tag| tag.word().into()).collect()),
        parameters: count(model.parameters),
        active_parameters: count(model.active_parameters),
        weights_gb: model.weights_bytes.map_or(Attr::Null, gigabytes),
        dtype: model.dtype.clone().into(),
        context_length: count(model.context_length),
        memory_gb: model.needed_bytes().map_or(Attr::Null, gigabytes),
        gpus: small(model.suggested_gpus(gpu_memory)),
        layers: small(shape.map(|it| it.layers())),
        attention_heads: small(shape.map(|it| it.attention_heads)),
        kv_heads: small(kv_heads),
        head_dim: small(head_dim),
        latent_width: small(latent_width),
        window_layers: small(shape.map(|it| it.window_layers)),
        window: small(shape.map(|it| it.window).filter(|window| *window > 0)),
        tool_call_parser: model.tool_calls.clone().into(),
        reasoning_parser: model.reasoning.clone().into(),
        license: model.licence.clone().into(),
        gated: model.gated.into(),
        engine_args: Attr::Known(model_args::texts(&model.engine_args(names, line))),
        source: model.source.clone().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::facts::engine::vllm;
    use crate::dynamo::models::catalog::Catalog;
    use std::collections::BTreeMap;

    fn wanted(config: &ModelCatalogModel) -> Vec<String> {
        let catalog = Catalog::new(BTreeMap::new());
        catalog.models().filter(|model| is_wanted(config, model)).map(|model| model.name.clone()).collect()
    }

    #[test]
    fn filters_are_all_to_be_fulfilled() {
        let all = wanted(&ModelCatalogModel::default());
        assert!(all.len() >= 80, "{}", all.len());
        let named = ModelCatalogModel { name: "GPT-OSS".into(), ..ModelCatalogModel::default() };
        assert_eq!(wanted(&named), ["openai/gpt-oss-120b", "openai/gpt-oss-20b"]);
        let small = ModelCatalogModel { max_memory_gb: Attr::Known(20_i64.into()), ..named };
        assert_eq!(wanted(&small), ["openai/gpt-oss-20b"]);
        let vision = ModelCatalogModel {
            tags: Attr::Known(vec!["moe".into(), "vision".into()]),
            ..Default::default()
        };
        let open = ModelCatalogModel { gated: Attr::Known(false), ..vision.clone() };
        assert_eq!(wanted(&vision).len(), 3);
        assert_eq!(wanted(&open), ["Qwen/Qwen3-VL-30B-A3B-Instruct"]);
    }

    #[test]
    fn a_row_says_what_is_known() {
        let catalog = Catalog::new(BTreeMap::new());
        let row = |name: &str| {
            super::row(catalog.find(name).unwrap(), vllm::V1_6.model_args.as_ref(), (1, 6), 80 << 30)
        };
        let deepseek = row("deepseek-ai/DeepSeek-R1");
        assert_eq!((deepseek.kv_heads, deepseek.latent_width), (Attr::Null, Attr::Known(576)));
        assert_eq!((deepseek.gpus, deepseek.window), (Attr::Known(16), Attr::Null));
        let qwen = row("Qwen/Qwen3-8B");
        assert_eq!(qwen.engine_args.known().unwrap().len(), 2);
        assert_eq!(
            qwen.source.known().unwrap(),
            "https://huggingface.co/Qwen/Qwen3-8B/blob/main/config.json"
        );
    }
}
