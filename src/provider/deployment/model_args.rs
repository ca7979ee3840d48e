//! The arguments that a model comes with, worked out for a plan of its deployment.

use super::schema::DeploymentModel;
use crate::dynamo::facts::release;
use crate::dynamo::spec::engine_args::EngineArgs;
use crate::dynamo::terms::words::Engine;
use crate::provider::attributes::model_args::texts;
use crate::provider::session::Client;
use crate::tf_provider::attr::Attr;

/// Fills in what the model comes with. While the provider's `models` are not known it stays as it is.
pub(crate) fn derive(client: &Client, planned: &mut DeploymentModel) {
    let Some(catalog) = &client.catalog else { return };
    let (Attr::Known(model), Attr::Known(engine)) = (&planned.model, &planned.engine) else {
        planned.model_args = Attr::Unknown;
        return;
    };
    let version = match &planned.dynamo_version {
        Attr::Known(version) => version.as_str(),
        Attr::Null => release::newest(),
        Attr::Unknown => {
            planned.model_args = Attr::Unknown;
            return;
        }
    };
    let args = match (Engine::parse(engine), release::find(release::ALL, version), catalog.find(model)) {
        (Some(engine), Ok((release, _)), Some(model)) => {
            let names = release.engine(engine).and_then(|facts| facts.model_args.as_ref());
            model.engine_args(names, release.line_numbers())
        }
        // What is wrong with them is said where they are.
        _ => EngineArgs::new(),
    };
    planned.model_args = Attr::Known(texts(&args));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::config::models::OwnModelModel;
    use crate::provider::config::schema::ProviderModel;
    use crate::tf_provider::attr::{Nested, NestedMap};
    use std::collections::BTreeMap;

    fn client(models: Attr<NestedMap<OwnModelModel>>) -> Client {
        Client::new(&ProviderModel { models, ..ProviderModel::default() }).unwrap()
    }

    fn planned(engine: &str, model: &str) -> DeploymentModel {
        DeploymentModel {
            engine: engine.into(),
            model: model.into(),
            dynamo_version: "1.6.1".into(),
            model_args: Attr::Unknown,
            ..DeploymentModel::default()
        }
    }

    fn derived(client: &Client, mut planned: DeploymentModel) -> String {
        derive(client, &mut planned);
        match planned.model_args {
            Attr::Known(args) => {
                let words = args.iter().map(|(key, value)| format!("{key}={}", value.known().unwrap()));
                words.collect::<Vec<_>>().join(" ")
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_model_brings_its_arguments_where_the_engine_has_them() {
        let client = client(Attr::Null);
        let parsers = "dyn-reasoning-parser=qwen3 dyn-tool-call-parser=hermes";
        assert_eq!(derived(&client, planned("vllm", "Qwen/Qwen3-8B")), parsers);
        assert_eq!(derived(&client, planned("mocker", "Qwen/Qwen3-8B")), "");
        assert_eq!(derived(&client, planned("vllm", "/models/tiny")), "");
        let open = DeploymentModel { model: Attr::Unknown, ..planned("vllm", "") };
        assert_eq!(derived(&client, open), "Unknown");
    }

    #[test]
    fn the_users_entries_go_over_the_catalog_and_are_waited_for() {
        let own = OwnModelModel {
            engine_args: Attr::Known(BTreeMap::from([("enforce_eager".to_owned(), "true".into())])),
            ..OwnModelModel::default()
        };
        let models = NestedMap([("Qwen/Qwen3-8B".to_owned(), Attr::Known(Nested(own)))].into());
        let args = derived(&client(Attr::Known(models)), planned("vllm", "Qwen/Qwen3-8B"));
        assert!(args.ends_with("enforce-eager=true"), "{args}");
        let waiting = client(Attr::Unknown);
        assert_eq!(derived(&waiting, planned("vllm", "Qwen/Qwen3-8B")), "Unknown");
        let had = Attr::Known(BTreeMap::from([("a".to_owned(), "b".into())]));
        let before = DeploymentModel { model_args: had, ..planned("vllm", "Qwen/Qwen3-8B") };
        assert_eq!(derived(&waiting, before), "a=b");
    }
}
