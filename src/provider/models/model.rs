//! Between the attributes of a model and what has to be done for it. Pure: no host is asked.

use super::schema::{ModelModel, SourceModel};
use crate::dynamo::models::files::ModelOnDisk;
use crate::dynamo::spec::model::ModelRef;
use crate::dynamo::terms::{hub_paths, paths};
use crate::hosts::is_loopback;
use crate::provider::attributes::duration;
use crate::tf_provider::attr::{Attr, Block};
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::value::Path;
use aws_lc_rs::digest::{SHA256, digest};
use std::time::Duration;

const STALL: Duration = Duration::from_secs(120);

/// The status of a model with all of its files.
pub(crate) const COMPLETE: &str = "complete";
/// The status of a model whose weight files are missing.
pub(crate) const WITHOUT_WEIGHTS: &str = "without weights";

/// The origin of a model: a folder that is there, another host, or the Hugging Face hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ModelOrigin {
    /// A folder that is there.
    Path(String),
    Host {
        host: String,
        path: Option<String>,
    },
    Hub,
}

/// The origin of a model; `None` while it is not known.
pub(crate) fn source(model: &ModelModel) -> Option<ModelOrigin> {
    let block = model.source.present()?;
    match (&block.host, &block.path, &block.huggingface) {
        (Attr::Unknown, ..) | (_, Attr::Unknown, _) | (.., Attr::Unknown) => None,
        (Attr::Known(host), path, _) => {
            Some(ModelOrigin::Host { host: host.clone(), path: path.known().map(|path| trimmed(path)) })
        }
        (Attr::Null, Attr::Known(path), _) => Some(ModelOrigin::Path(trimmed(path))),
        (Attr::Null, Attr::Null, Attr::Known(true)) => Some(ModelOrigin::Hub),
        (Attr::Null, Attr::Null, _) => None,
    }
}

fn trimmed(path: &str) -> String {
    paths::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The time without any data after which a transfer is aborted.
pub(crate) fn stall(model: &ModelModel) -> Duration {
    let given = model.timeouts.present().and_then(|block| block.stall.known());
    given.and_then(|text| duration::parse(text)).unwrap_or(STALL)
}

/// The errors of a configuration, as far as it is known.
pub(crate) fn validate(model: &ModelModel) -> Diagnostics {
    let mut found = Diagnostics::new();
    let mut wrong = |path: Path, summary: &str, detail: String| {
        found.push(Diagnostic::error(summary, detail).at(path));
    };
    if let Some(name) = model.name.known()
        && !matches!(ModelRef::parse(name), Ok(ModelRef::HuggingFace(_)))
    {
        let detail =
            format!("{name:?} is not a name as on the Hugging Face hub. Write it like Qwen/Qwen3-8B.");
        wrong(Path::of("name"), "Invalid name of a model", detail);
    }
    if let Some(Err(refusal)) = model.path.known().map(|path| folder(path)) {
        wrong(Path::of("path"), "Invalid path", refusal);
    }
    if let Some(revision) = model.revision.known().filter(|revision| !is_revision(revision)) {
        let detail =
            format!("{revision:?} is not a commit, branch or tag: use letters, digits and any of ._-/");
        wrong(Path::of("revision"), "Invalid revision", detail);
    }
    match &model.source {
        Block::Present(source) => {
            validate_source(model, source, &mut wrong);
            found.extend(token_in_clear_text(source));
        }
        Block::Unknown => {}
        Block::Absent => wrong(
            Path::of("source"),
            "No source",
            "The model needs a block source with path, host or huggingface = true.".to_owned(),
        ),
    }
    found
}

fn validate_source(model: &ModelModel, source: &SourceModel, wrong: &mut impl FnMut(Path, &str, String)) {
    let at = |name: &str| Path::of("source").attribute(name);
    let (hub, elsewhere) = (source.huggingface.known() == Some(&true), source.host.known().is_some());
    let known = !source.host.is_unknown() && !source.path.is_unknown() && !source.huggingface.is_unknown();
    if known && !hub && source.host.is_null() && source.path.is_null() {
        let detail = "Give path, host or huggingface = true.".to_owned();
        wrong(Path::of("source"), "No source", detail);
    }
    if hub && (elsewhere || source.path.known().is_some()) {
        let detail =
            "A model comes from the hub or from a host: remove huggingface, or path and host.".to_owned();
        wrong(at("huggingface"), "Two sources", detail);
    }
    if let Some(Err(refusal)) = source.path.known().map(|path| folder(path)) {
        wrong(at("path"), "Invalid path", refusal);
    }
    if let Some(endpoint) = source.endpoint.known().filter(|text| !is_url(text)) {
        let detail = format!("{endpoint:?} is not a URL. Write it like https://hub.example.com.");
        wrong(at("endpoint"), "Invalid endpoint", detail);
    }
    let only_hub = [
        (at("endpoint"), source.endpoint.known().is_some()),
        (at("token"), source.token.known().is_some()),
        (Path::of("image"), model.image.known().is_some()),
    ];
    for (path, _) in only_hub.into_iter().filter(|(_, given)| *given && known && !hub) {
        let detail = format!("{path} is only for source.huggingface = true. Remove it.");
        wrong(path, "Nothing is downloaded", detail);
    }
    if model.path.known().is_some() && known && !elsewhere {
        let detail =
            "path is where a copy from another host goes. Leave it out here: it is computed.".to_owned();
        wrong(Path::of("path"), "Nothing is copied", detail);
    }
}

/// A warning about a token that everybody on the way to the hub can read.
fn token_in_clear_text(source: &SourceModel) -> Diagnostics {
    let endpoint = source.endpoint.known().filter(|_| !source.token.is_null());
    let in_clear_text = endpoint.filter(|endpoint| is_http_beyond_loopback(endpoint));
    let warning = |endpoint: &String| {
        let detail = format!(
            "{endpoint} is an http:// address: the token crosses the network in clear text, and who reads it can use it. Give an \
             https:// address, or leave token out where the mirror needs none."
        );
        Diagnostic::warning("A token in clear text", detail).at(Path::of("source").attribute("endpoint"))
    };
    Diagnostics(in_clear_text.map(warning).into_iter().collect())
}

fn is_http_beyond_loopback(endpoint: &str) -> bool {
    let url = endpoint.parse::<hyper::Uri>().ok().filter(|url| url.scheme_str() == Some("http"));
    url.is_some_and(|url| !url.host().is_some_and(is_loopback))
}

pub(crate) fn folder(path: &str) -> Result<(), String> {
    match paths::absolute(path) {
        Ok(path) if path == "/" => Err("/ is no model's folder. Name a folder below it.".to_owned()),
        Ok(_) => Ok(()),
        Err(refusal) => Err(format!("{}; {}.", refusal.what, refusal.fix)),
    }
}

/// Becomes part of a path in the cache (`refs/pr/1` is a revision of the hub's).
fn is_revision(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            && !part.starts_with(['.', '-'])
            && !part.contains("..")
    };
    text.len() <= 100 && text.split('/').count() <= MOST_PARTS && text.split('/').all(is_part)
}

/// Of a revision; a look at a cache goes no deeper.
const MOST_PARTS: usize = 4;

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(|c: char| c.is_whitespace() || c.is_control()))
}

/// Whether what `prior` stands for is not what `planned` asks for, beyond what the schema tells. To be told that the model
/// lies where it lies is no wish for another one: a host from which it was copied may be gone for good.
pub(crate) fn needs_another(prior: &ModelModel, planned: &ModelModel) -> bool {
    let is_there = |path: &str| {
        let own = prior.path.known().map(|own| (own.as_str(), hub_paths::folder_of(own)));
        own.is_some_and(|(own, folder)| [own, folder].contains(&path))
    };
    match (source(prior), source(planned)) {
        (_, Some(ModelOrigin::Path(after))) if is_there(&after) => false,
        (Some(ModelOrigin::Path(before)), Some(ModelOrigin::Path(after))) => before != after,
        (Some(ModelOrigin::Hub), Some(ModelOrigin::Hub)) => false,
        (Some(ModelOrigin::Host { path: before, .. }), Some(ModelOrigin::Host { path: after, .. })) => {
            before != after
        }
        // An imported model has no source yet.
        (None, _) | (_, None) => false,
        _ => true,
    }
}

/// Fills in what follows from other attributes.
pub(crate) fn derive(planned: &mut ModelModel) {
    if let (Attr::Known(host), Attr::Known(name)) = (&planned.host, &planned.name) {
        planned.id = Attr::Known(format!("{host}/{name}"));
    }
}

/// Whether a status is as it should be.
pub(crate) fn is_well(status: &Attr<String>) -> bool {
    status.known().is_some_and(|status| [COMPLETE, WITHOUT_WEIGHTS].contains(&status.as_str()))
}

/// Writes a model that was found into the state. `checksum` is what was found out while copying, where the names of files
/// do not tell.
pub(crate) fn show(state: &mut ModelModel, found: &ModelOnDisk, checksum: Option<String>) {
    let count = |number: usize| Attr::Known(i64::try_from(number).unwrap_or(i64::MAX));
    state.status = match (&found.about.problem, found.about.is_usable(false)) {
        (None, _) => COMPLETE.into(),
        (Some(_), true) => WITHOUT_WEIGHTS.into(),
        (Some(problem), false) => problem.as_str().into(),
    };
    state.path = found.about.path.as_str().into();
    if state.revision.known().is_none() {
        state.revision = found.about.revision.clone().into();
    }
    state.size_bytes = Attr::Known(i64::try_from(found.size_bytes()).unwrap_or(i64::MAX));
    state.files = count(found.files.len());
    let told = found.listing().map(|listing| sha256(&listing));
    state.checksum = told.or(checksum).map_or_else(|| kept(&state.checksum), Attr::Known);
}

fn kept(checksum: &Attr<String>) -> Attr<String> {
    if checksum.is_unknown() { Attr::Null } else { checksum.clone() }
}

/// In hexadecimal.
pub(crate) fn sha256(text: &str) -> String {
    digest(&SHA256, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::Secret;
    use crate::provider::allocation::model_folders::ModelFolders;

    fn with(source: SourceModel) -> ModelModel {
        ModelModel { name: "acme/Tiny".into(), source: Block::Present(source), ..ModelModel::default() }
    }

    fn path(path: &str) -> SourceModel {
        SourceModel { path: path.into(), ..SourceModel::default() }
    }

    fn host(host: &str) -> SourceModel {
        SourceModel { host: host.into(), ..SourceModel::default() }
    }

    fn hub() -> SourceModel {
        SourceModel { huggingface: Attr::Known(true), ..SourceModel::default() }
    }

    #[test]
    fn what_cannot_be_is_refused_at_its_attribute() {
        let named = |name: &str| ModelModel { name: name.into(), ..with(hub()) };
        let at = |model: ModelModel, path: &str| ModelModel { path: path.into(), ..model };
        let revision = |text: &str| ModelModel { revision: text.into(), ..with(hub()) };
        let endpoint = |text: &str| with(SourceModel { endpoint: text.into(), ..hub() });
        let table: Vec<(ModelModel, &[&str])> = vec![
            (with(path("/data/x")), &[]),
            (with(host("a")), &[]),
            (with(SourceModel { path: "/x".into(), ..host("a") }), &[]),
            (with(hub()), &[]),
            (with(SourceModel { host: Attr::Unknown, ..SourceModel::default() }), &[]),
            (ModelModel { source: Block::Absent, ..with(hub()) }, &["source"]),
            (with(SourceModel::default()), &["source"]),
            (with(SourceModel { huggingface: Attr::Known(false), ..SourceModel::default() }), &["source"]),
            (with(SourceModel { host: "a".into(), ..hub() }), &["source.huggingface"]),
            (with(path("relative")), &["source.path"]),
            (with(path("/")), &["source.path"]),
            (with(path("/data/../etc")), &["source.path"]),
            (with(path("/data/\0")), &["source.path"]),
            (with(path("/data/\n")), &["source.path"]),
            (named("../../etc"), &["name"]),
            (named("/data/x"), &["name"]),
            (named("a\nb"), &["name"]),
            (named("a\0b"), &["name"]),
            (named(""), &["name"]),
            (at(with(host("a")), "/data/x"), &[]),
            (at(with(host("a")), "/data/.."), &["path"]),
            (at(with(path("/data/x")), "/data/x"), &["path"]),
            (at(with(hub()), "/data/x"), &["path"]),
            (revision("v1.0"), &[]),
            (revision("../x"), &["revision"]),
            (revision("refs/pr/1"), &[]),
            (revision("feature/a-b"), &[]),
            (revision("/main"), &["revision"]),
            (revision("a//b"), &["revision"]),
            (revision("a/../b"), &["revision"]),
            (revision("a/b/c/d/e"), &["revision"]),
            (revision(""), &["revision"]),
            (endpoint("http://127.0.0.1:80"), &[]),
            (endpoint("hub.example.com"), &["source.endpoint"]),
            (with(SourceModel { endpoint: "http://x".into(), ..path("/x") }), &["source.endpoint"]),
            (with(SourceModel { token: Attr::Known(Secret::new("t")), ..host("a") }), &["source.token"]),
            (ModelModel { image: "x".into(), ..with(host("a")) }, &["image"]),
        ];
        for (model, expected) in table {
            let found: Vec<String> = validate(&model)
                .0
                .iter()
                .filter_map(|it| it.path.as_ref())
                .map(ToString::to_string)
                .collect();
            assert_eq!(found, expected, "{model:?}");
        }
    }

    #[test]
    fn another_kind_of_source_is_another_model_and_another_host_is_not() {
        let table = [
            (path("/a"), path("/a/"), false),
            (path("/a"), path("/b"), true),
            (path("/a"), hub(), true),
            (host("a"), host("b"), false),
            (host("a"), SourceModel { path: "/x".into(), ..host("a") }, true),
            (host("a"), hub(), true),
            (hub(), SourceModel { endpoint: "http://x".into(), ..hub() }, false),
            (SourceModel::default(), path("/a"), false),
        ];
        for (before, after, expected) in table {
            assert_eq!(
                needs_another(&with(before.clone()), &with(after.clone())),
                expected,
                "{before:?} {after:?}"
            );
        }
    }

    /// Replacing it would remove the copy first, and there would be nothing to register.
    #[test]
    fn the_place_where_a_copy_lies_is_no_other_source() {
        let at = |place: &str| ModelModel { path: place.into(), ..with(host("a")) };
        let snapshot = "/c/hub/models--acme--Tiny/snapshots/1";
        let table = [
            (at("/m/tiny"), "/m/tiny", false),
            (at("/m/tiny"), "/m/tiny/", false),
            (at("/m/tiny"), "/m/other", true),
            (at(snapshot), snapshot, false),
            (at(snapshot), "/c/hub/models--acme--Tiny", false),
            (at(snapshot), "/c", true),
        ];
        for (prior, after, expected) in table {
            assert_eq!(needs_another(&prior, &with(path(after))), expected, "{after}");
        }
    }

    #[test]
    fn a_folder_belongs_to_one_model() {
        let claims = ModelFolders::default();
        assert_eq!(claims.claim("a", "/x", "m"), Ok(()));
        assert_eq!(claims.claim("a", "/x", "m"), Ok(()), "it is planned more than once");
        assert_eq!(claims.claim("b", "/x", "n"), Ok(()));
        assert_eq!(claims.claim("a", "/x", "n"), Err("m".to_owned()));
    }
}
