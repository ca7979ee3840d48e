//! Models that are known before anybody asks a host or the hub: how big they are, what they are good at, and with which
//! arguments an engine serves them as they are meant to be served.
//!
//! A table of well-known ones ([`table`]), and over it the entries that users write into the provider block ([`own`]): for
//! models of their own, or where they know better. From the facts follow the memory that a model needs ([`Model::needed_bytes`])
//! and the defaults of its engine arguments ([`defaults`]), the lowest layer, which every other overrides.

pub(crate) mod defaults;
pub(crate) mod model;
pub(crate) mod own;
pub(crate) mod parsers;
pub(crate) mod table;

pub(crate) use model::CatalogModel;
use own::OwnModel;
use std::collections::BTreeMap;

/// The table with the user's entries over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalog(BTreeMap<String, CatalogModel>);

impl Catalog {
    /// By the name that a deployment's `model` has.
    pub fn new(own: BTreeMap<String, OwnModel>) -> Self {
        let mut models: BTreeMap<String, CatalogModel> =
            table::rows().map(|row| (row.name.to_owned(), CatalogModel::from(row))).collect();
        for (name, entry) in own {
            let below = models
                .remove(&name)
                .unwrap_or_else(|| CatalogModel { name: name.clone(), ..CatalogModel::default() });
            models.insert(name, entry.over(below).tagged());
        }
        Self(models)
    }

    /// The hub takes names in any case, and so do users.
    pub fn find(&self, name: &str) -> Option<&CatalogModel> {
        self.0.get(name).or_else(|| self.0.values().find(|model| model.name.eq_ignore_ascii_case(name)))
    }

    /// By name.
    pub fn models(&self) -> impl Iterator<Item = &CatalogModel> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use super::table::row::Tag;
    use super::*;
    use crate::dynamo::terms::amount::GIB;
    use std::collections::BTreeSet;

    fn catalog() -> Catalog {
        Catalog::new(BTreeMap::new())
    }

    #[test]
    fn memory_needed_is_weights_and_somewhat_more() {
        for model in catalog().models() {
            let (needed, weights) = (model.needed_bytes().unwrap(), model.weights_bytes.unwrap());
            assert!(needed > weights + 2 * GIB && needed < weights + 12 * GIB, "{}: {needed}", model.name);
        }
    }

    #[test]
    fn models_are_suggested_the_gpus_that_they_are_run_on() {
        let catalog = catalog();
        let on = |name: &str, gib: u64| catalog.find(name).unwrap().suggested_gpus(gib * GIB);
        assert_eq!(on("meta-llama/Llama-3.1-8B-Instruct", 80), Some(1));
        assert_eq!(on("meta-llama/Llama-3.1-8B-Instruct", 16), Some(2));
        assert_eq!(on("meta-llama/Llama-3.3-70B-Instruct", 80), Some(2));
        assert_eq!(on("openai/gpt-oss-120b", 80), Some(1));
        assert_eq!(on("deepseek-ai/DeepSeek-R1", 141), Some(8));
        assert_eq!(on("deepseek-ai/DeepSeek-R1", 80), Some(16));
        assert_eq!(on("moonshotai/Kimi-K2-Instruct", 24), None);
        // Its ten heads of keys and values cannot be shared by four.
        assert_eq!(on("microsoft/phi-4", 24), Some(2));
        assert_eq!(on("microsoft/phi-4", 12), None);
    }

    #[test]
    fn tags_follow_from_facts() {
        let catalog = catalog();
        let tags = |name: &str| -> Vec<&str> {
            catalog.find(name).unwrap().tags.iter().map(|tag| tag.word()).collect()
        };
        assert_eq!(
            tags("openai/gpt-oss-20b"),
            ["chat", "reasoning", "long-context", "moe", "quantized", "tools"]
        );
        assert_eq!(tags("google/gemma-3-1b-it"), ["chat", "small"]);
    }

    #[test]
    fn a_name_is_found_in_any_case() {
        assert_eq!(catalog().find("qwen/qwen3-8b").map(|model| model.name.as_str()), Some("Qwen/Qwen3-8B"));
        assert!(catalog().find("Qwen/Qwen3-9B").is_none());
    }

    #[test]
    fn an_entry_of_the_users_changes_what_it_says_and_adds_what_is_not_there() {
        let own =
            |tool_calls: &str| OwnModel { tool_calls: Some(tool_calls.to_owned()), ..OwnModel::default() };
        let catalog = Catalog::new(BTreeMap::from([
            ("Qwen/Qwen3-8B".to_owned(), own("qwen3_coder")),
            ("/data/mine".to_owned(), OwnModel { parameters: Some(1_000_000_000), ..own("hermes") }),
        ]));
        let changed = catalog.find("Qwen/Qwen3-8B").unwrap();
        assert_eq!(changed.tool_calls.as_deref(), Some("qwen3_coder"));
        assert_eq!((changed.reasoning.as_deref(), changed.context_length), (Some("qwen3"), Some(40_960)));
        let added = catalog.find("/data/mine").unwrap();
        assert_eq!(added.tags, BTreeSet::from([Tag::Small, Tag::Tools]));
        assert_eq!((added.needed_bytes(), &added.source), (None, &None));
    }
}
