//! The attributes of `dynamo_installed_models`, each declared once.

use crate::model;
use crate::provider::attributes::convert;
use crate::tf_provider::attr::{Attr, NestedList};
use crate::tf_provider::provider::About;
use crate::tf_provider::schema::{computed, optional_computed};
use crate::tf_provider::value::Number;

/// The name and description of the data source.
pub(crate) const ABOUT: About = About {
    type_name: "dynamo_installed_models",
    description: "The models that a host has, complete or not: below the `model_paths` of its entry in the provider's `hosts`, and \
        in its `model_cache`. Hugging Face caches are found (also in `hub`, as below `HF_HOME`), and plain folders with a \
        model's `config.json`.\n\nA model is complete when its tokenizer is there and every weight file that its index names; \
        safetensors files are held against the length that their own headers give, so a download that was cut off is seen. \
        Links count only if they end below the same folder, since nothing else is mounted into containers. A model for the \
        simulated engine `mocker` may lack its weights.\n\nCosts one walk over the folders; over SSH one script, whatever the \
        number of files.",
};

model! {
    /// The data source `dynamo_installed_models`.
    pub(crate) struct InstalledModelsModel {
        host: Attr<String> = optional_computed(convert::HOST),
        models: Attr<NestedList<InstalledModelModel>> = computed("The models, by name."),
    }
}

model! {
    /// A model on the host of `dynamo_installed_models`.
    pub(crate) struct InstalledModelModel {
        name: Attr<String> = computed("Name on the Hugging Face hub for a model in a cache; for one in a folder, its path below the \
            searched folder."),
        layout: Attr<String> = computed("`cache`: in a Hugging Face cache, used by its name. `folder`: used by its path."),
        path: Attr<String> = computed("Folder with the model's files."),
        revision: Attr<String> = computed("Commit in the cache that is used: the one called main, else the only one; null for a \
            folder."),
        size_gb: Attr<Number> = computed("Size of its files in GB (2³⁰ bytes)."),
        complete: Attr<bool> = computed("Whether nothing is missing."),
        problem: Attr<String> = computed("What is missing; null when it is complete."),
        architecture: Attr<String> = computed("Architecture that its `config.json` names, for example `Qwen3ForCausalLM`."),
        quantization: Attr<String> = computed("Quantisation method that its `config.json` names, for example `fp8`; null for none."),
        context_length: Attr<i64> = computed("Longest context in tokens that its `config.json` names."),
    }
}
