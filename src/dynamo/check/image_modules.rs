//! What to say when an image has not got a connector.
//!
//! A release's images come with some connectors for certain, with others perhaps, and an image of the user's own with who knows
//! what. An engine that finds out by itself does so after minutes, in the middle of its log. So images are asked, and here
//! is what is made of the answer.

use crate::dynamo::facts::release;
use crate::dynamo::facts::release::Release;
use crate::dynamo::spec::Common;
use crate::dynamo::terms::objection::{ConnectorField, Field, Objection, Refusal};

/// Why workers of a deployment cannot run by their image, which has not got these Python modules.
pub(crate) fn lacking(common: &Common, modules: &[&str]) -> Objection {
    lacking_from(release::ALL, common, modules)
}

fn lacking_from(releases: &[&'static Release], common: &Common, modules: &[&str]) -> Objection {
    let connector = common.connector.facts.connector.word();
    let noun = if modules.len() == 1 { "module" } else { "modules" };
    let what = format!(
        "the image {} has no Python {noun} {}, without which there is no connector {connector:?}",
        common.image,
        modules.join(" and ")
    );
    let image = match with(releases, common, modules).as_slice() {
        [] => "set image to one that has it (no release is known to come with it for certain)".to_owned(),
        versions => format!(
            "set dynamo_version to one whose image has it ({}), or image to one of your own that has",
            versions.join(", ")
        ),
    };
    let others = others(common, modules);
    let fix = match others.as_slice() {
        [] => image,
        words => format!("{image}, or connector.type to {}", words.join(" or ")),
    };
    Refusal::new(what, fix).at(Field::Connector(ConnectorField::Type))
}

/// What works with that engine and mode without them.
fn others(common: &Common, modules: &[&str]) -> Vec<String> {
    let rows = common.engine.connectors.iter().filter(|row| row.mode == common.mode);
    let without = rows.filter(|row| !row.modules.iter().any(|module| modules.contains(module)));
    let mut words: Vec<String> = without.map(|row| format!("{:?}", row.connector.word())).collect();
    words.dedup();
    words
}

/// The newest version of each line of releases, newest first, whose images have them and where that connector can be had in
/// that mode.
fn with(releases: &[&'static Release], common: &Common, modules: &[&str]) -> Vec<&'static str> {
    let (engine, mode) = (common.engine.engine, common.mode);
    let connector = common.connector.facts.connector;
    let fitting = releases.iter().rev().filter(|release| {
        let rows = release.engine(engine).into_iter().flat_map(|engine| engine.connectors);
        let offered = rows.filter(|row| row.mode == mode).any(|row| row.connector == connector);
        offered && modules.iter().all(|module| release.image_modules.contains(module))
    });
    fitting.filter_map(|release| release.versions.last().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::spec::draft::{CommonDraft, ConnectorDraft, DeploymentDraft};
    use crate::dynamo::terms::given::Given;

    fn common(engine: &str, mode: &str, connector: &str) -> Common {
        let is = |text: &str| Given::Is(text.to_owned());
        let draft = DeploymentDraft {
            common: CommonDraft {
                name: is("chat"),
                engine: is(engine),
                image: is("acme/own:1"),
                dynamo_version: is("1.6.1"),
                model: is("acme/tiny"),
                mode: is(mode),
                connector: ConnectorDraft {
                    kind: is(connector),
                    cpu_cache_gb: Given::Is(4),
                    ..ConnectorDraft::default()
                },
                ..CommonDraft::default()
            },
            port: Given::Is(8000),
            ..DeploymentDraft::default()
        };
        draft.complete().unwrap().common
    }

    #[test]
    fn it_says_which_release_or_connector_to_take() {
        let releases = "set dynamo_version to one whose image has it (1.4.2, 1.3.1, 1.2.1, 1.1.1, 1.0.2), or image to one \
                        of your own that has, or connector.type to ";
        let none = "set image to one that has it (no release is known to come with it for certain), or connector.type to ";
        let table = [
            (("vllm", "aggregated", "kvbm"), releases, r#""none" or "nixl" or "lmcache""#),
            (("vllm", "disaggregated", "kvbm"), releases, r#""nixl" or "lmcache""#),
            (("trtllm", "aggregated", "kvbm"), releases, r#""none""#),
            (("vllm", "aggregated", "lmcache"), none, r#""none" or "nixl" or "kvbm""#),
        ];
        for ((engine, mode, connector), image, others) in table {
            let common = common(engine, mode, connector);
            let objection = lacking(&common, common.connector.facts.modules);
            assert_eq!(objection.fix, format!("{image}{others}"));
            assert_eq!(objection.field, Field::Connector(ConnectorField::Type));
            assert!(objection.what.contains("acme/own:1") && objection.what.contains(connector));
        }
    }

    /// A module that no row asks for would be a line of the table that nobody reads.
    #[test]
    fn images_are_said_to_come_with_what_connectors_ask_for() {
        for release in release::ALL {
            let rows = release.engines.iter().flat_map(|engine| engine.connectors);
            let asked: Vec<&str> = rows.flat_map(|row| row.modules).copied().collect();
            for module in release.image_modules {
                assert!(asked.contains(module), "{}: {module}", release.line);
            }
        }
    }
}
