//! The engine arguments that a model comes with: the lowest layer, under the deployment's, a role's and a worker's.
//!
//! Tool calls and reasoning come out of a model as text. Without the right parser clients see the markup instead of calls, and
//! which parser is the right one is written in a table of somebody else's. A context of millions of tokens is what nobody has
//! the memory for, and vLLM does not start without it; so such a model is served with a shorter one.

use super::model::CatalogModel;
use super::parsers::{self, Line};
use crate::dynamo::check::engine_args::canonical;
use crate::dynamo::facts::engine::ModelArgs;
use crate::dynamo::spec::engine_args::{ArgValue, EngineArgs};

/// Contexts beyond this are cut to [`CUT`] tokens.
const LONGEST: u64 = 262_144;
const CUT: u64 = 131_072;

impl CatalogModel {
    /// The model's engine arguments with an engine that has these names for them, in a line of releases. The user's go over
    /// those that follow from the facts.
    pub fn engine_args(&self, flags: Option<&ModelArgs>, line: Line) -> EngineArgs {
        let mut args = EngineArgs::new();
        if let Some(flags) = flags {
            let text = |name: &str| ArgValue::Text(name.to_owned());
            if let Some(name) =
                self.tool_calls.as_deref().filter(|it| parsers::is_in(parsers::TOOL_CALLS, it, line))
            {
                args.insert(flags.tool_calls.to_owned(), text(name));
            }
            if let Some(name) =
                self.reasoning.as_deref().filter(|it| parsers::is_in(parsers::REASONING, it, line))
            {
                args.insert(flags.reasoning.to_owned(), text(name));
            }
            if self.context_length.is_some_and(|tokens| tokens > LONGEST) {
                args.insert(flags.context.to_owned(), ArgValue::Number(CUT.to_string()));
            }
        }
        let own =
            self.engine_args.iter().filter_map(|(key, value)| Some((canonical(key).ok()?, written(value))));
        args.extend(own);
        args
    }
}

/// A value of the provider block, which has text for everything.
pub(crate) fn written(text: &str) -> ArgValue {
    match text {
        "true" => ArgValue::Bool(true),
        "false" => ArgValue::Bool(false),
        text => ArgValue::Text(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::facts::engine::{EngineFacts, mocker, sglang, trtllm, vllm};
    use crate::dynamo::models::catalog::Catalog;
    use crate::dynamo::models::catalog::own::OwnModel;
    use crate::dynamo::spec::arguments::gives_way;
    use std::collections::BTreeMap;

    fn args(name: &str, engine: &EngineFacts, line: Line) -> String {
        let catalog = Catalog::new(BTreeMap::new());
        format!("{:?}", catalog.find(name).unwrap().engine_args(engine.model_args.as_ref(), line))
    }

    #[test]
    fn parsers_are_given_to_engines_that_have_them() {
        let expected =
            r#"{"dyn-reasoning-parser": Text("gpt_oss"), "dyn-tool-call-parser": Text("harmony")}"#;
        for engine in [&vllm::V1_6, &sglang::V1_6, &trtllm::V1_6] {
            assert_eq!(args("openai/gpt-oss-20b", engine, (1, 6)), expected);
        }
        assert_eq!(args("openai/gpt-oss-20b", &mocker::V1_6, (1, 6)), "{}");
    }

    #[test]
    fn a_default_gives_way_to_what_excludes_it() {
        let others = |name: &str| EngineArgs::from([(name.to_owned(), ArgValue::Text("x".into()))]);
        assert!(gives_way("dyn-tool-call-parser", &others("dyn-tool-call-parser")));
        assert!(gives_way("dyn-tool-call-parser", &others("tool-call-parser")));
        assert!(!gives_way("dyn-reasoning-parser", &others("tool-call-parser")));
    }

    #[test]
    fn an_immense_context_is_cut() {
        let scout = "meta-llama/Llama-4-Scout-17B-16E-Instruct";
        for (engine, flag) in [
            (&vllm::V1_6, "max-model-len"),
            (&sglang::V1_6, "context-length"),
            (&trtllm::V1_6, "max-seq-len"),
        ] {
            let args = args(scout, engine, (1, 6));
            assert!(args.contains(&format!("\"{flag}\": Number(\"131072\")")), "{args}");
        }
        assert!(!args("Qwen/Qwen3-30B-A3B-Instruct-2507", &vllm::V1_6, (1, 6)).contains("max-model-len"));
    }

    #[test]
    fn a_release_that_does_not_know_a_parser_is_not_given_it() {
        let model = CatalogModel {
            tool_calls: Some("gemma4".into()),
            reasoning: Some("gemma4".into()),
            ..CatalogModel::default()
        };
        assert_eq!(model.engine_args(vllm::V1_6.model_args.as_ref(), (1, 1)), EngineArgs::new());
        assert_eq!(model.engine_args(vllm::V1_6.model_args.as_ref(), (1, 2)).len(), 2);
    }

    #[test]
    fn the_users_arguments_go_over_what_follows() {
        let own = OwnModel {
            engine_args: BTreeMap::from([
                ("--dyn_tool_call_parser".to_owned(), "mine".to_owned()),
                ("enforce-eager".to_owned(), "true".to_owned()),
            ]),
            ..OwnModel::default()
        };
        let catalog = Catalog::new(BTreeMap::from([("Qwen/Qwen3-8B".to_owned(), own)]));
        let args = catalog.find("Qwen/Qwen3-8B").unwrap().engine_args(vllm::V1_6.model_args.as_ref(), (1, 6));
        assert_eq!(args.get("dyn-tool-call-parser"), Some(&ArgValue::Text("mine".into())));
        assert_eq!(args.get("enforce-eager"), Some(&ArgValue::Bool(true)));
        assert_eq!(args.get("dyn-reasoning-parser"), Some(&ArgValue::Text("qwen3".into())));
    }
}
