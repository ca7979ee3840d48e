//! The attributes of `dynamo_model_catalog`, each declared once.

use crate::dynamo::models::catalog::table::row::Tag;
use crate::dynamo::terms::words::Engine;
use crate::model;
use crate::provider::attributes::blocks::TextMap;
use crate::tf_provider::attr::{Attr, NestedList};
use crate::tf_provider::provider::About;
use crate::tf_provider::schema::{check, computed, optional};
use crate::tf_provider::value::Number;

/// The name and description of the data source.
pub(crate) const ABOUT: About = About {
    type_name: "dynamo_model_catalog",
    description: "Well-known open models and what is known of them: size, memory, context, how many GPUs they want, and the arguments \
        that an engine serves them with. Entries of the provider's `models` are among them.\n\nA deployment whose `model` is in the \
        catalog gets those arguments by itself; its `engine_args` and those of its workers go over them. Costs nothing: no host \
        and no registry is asked. How memory is reckoned is in the guide on [models and memory](../guides/models-and-memory.md).",
};

model! {
    /// The data source `dynamo_model_catalog`.
    pub(crate) struct ModelCatalogModel {
        name: Attr<String> = optional("Only models whose name contains this, in upper or lower case.").check(check::not_empty()),
        tags: Attr<Vec<Attr<String>>> = optional("Only models that have all of these tags.")
            .check(check::one_of(Tag::ALL.iter().map(|tag| tag.word())).each()),
        max_memory_gb: Attr<Number> = optional("Only models whose `memory_gb` is known and not more than this.").check(check::positive()),
        gated: Attr<bool> = optional("`false`: only models that can be downloaded without a token; `true`: only the others."),
        gpu_memory_gb: Attr<Number> = optional("Memory of a GPU in GB (2³⁰ bytes), for `gpus`.").default(80_i64).check(check::positive()),
        engine: Attr<String> = optional("Engine, for `engine_args`.").default("vllm")
            .check(check::one_of(Engine::ALL.iter().map(|engine| engine.word()))),
        dynamo_version: Attr<String> = optional("Dynamo version, for `engine_args`. Left out: the newest that this provider knows."),
        models: Attr<NestedList<CatalogModelModel>> = computed("The models, by name."),
    }
}

model! {
    /// A model of `dynamo_model_catalog`. What is not known of an entry of the provider's `models` is null.
    pub(crate) struct CatalogModelModel {
        name: Attr<String> = computed("Name on the Hugging Face hub, or the path of one of your own; for `model` of a deployment."),
        tags: Attr<Vec<Attr<String>>> = computed("`chat`, `code`, `reasoning`, `vision`; `tools` (its tool calls can be parsed), `small` \
            (up to 4.5 thousand million parameters), `moe` (mixture of experts), `quantized`, `long-context` (131,072 tokens or more)."),
        parameters: Attr<i64> = computed("Number of parameters."),
        active_parameters: Attr<i64> = computed("Number of parameters that a token passes, as its maker counts them."),
        weights_gb: Attr<Number> = computed("Size of the weight files in GB (2³⁰ bytes)."),
        dtype: Attr<String> = computed("In what numbers most weights are: `bfloat16`, `fp8`, `int4`, `mxfp4`."),
        context_length: Attr<i64> = computed("Longest context in tokens, without stretching."),
        memory_gb: Attr<Number> = computed("GPU memory in GB that it takes at least: weights, the cache of one sequence of 8,192 tokens, \
            and 2 GB that engines need beside."),
        gpus: Attr<i64> = computed("The smallest number of GPUs of `gpu_memory_gb` that hold it, of 1, 2, 4, 8 and 16, and that its heads \
            can be shared by. Null when 16 do not."),
        layers: Attr<i64> = computed("Layers with attention."),
        attention_heads: Attr<i64> = computed("Attention heads. The tensor parallel size must divide them."),
        kv_heads: Attr<i64> = computed("Heads of keys and values; null for latent attention (MLA)."),
        head_dim: Attr<i64> = computed("Size of a head; null for latent attention."),
        latent_width: Attr<i64> = computed("Numbers that a layer with latent attention keeps of a token; else null."),
        window_layers: Attr<i64> = computed("How many of the layers keep a window of tokens only."),
        window: Attr<i64> = computed("Tokens of that window; null where no layer has one."),
        tool_call_parser: Attr<String> = computed("Dynamo's parser for its tool calls."),
        reasoning_parser: Attr<String> = computed("Dynamo's parser for its reasoning."),
        license: Attr<String> = computed("Licence, in the hub's word for it."),
        gated: Attr<bool> = computed("Whether the hub wants the licence accepted, and a token (`HF_TOKEN`)."),
        engine_args: Attr<TextMap> = computed("Arguments that `engine` serves it with."),
        source: Attr<String> = computed("Where layers, heads and context were looked up; null for a model of your own."),
    }
}
