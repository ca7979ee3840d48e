//! From what a host and a registry have to rows. Pure.

use super::schema::ImageModel;
use crate::dynamo::facts::release::Release;
use crate::dynamo::terms::words::Engine;
use crate::inventory::LocalImage;
use crate::provider::attributes::convert::{gigabytes, text};
use crate::tf_provider::attr::Attr;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// NVIDIA's repository for an engine, in the newest release that can run it.
pub(super) fn repository(releases: &[&'static Release], engine: Engine) -> Option<String> {
    let mut newest_first = releases.iter().rev();
    newest_first.find_map(|release| {
        release.engine(engine).map(|facts| format!("{}/{}", release.registry, facts.image))
    })
}

/// The versions that can be run with an engine.
pub(super) fn known_versions(releases: &[&'static Release], engine: Engine) -> BTreeSet<String> {
    let able = releases.iter().filter(|release| release.engine(engine).is_some());
    able.flat_map(|release| release.versions.iter().map(|version| (*version).to_owned())).collect()
}

/// The sources that the rows are made from.
pub(super) struct Sources<'a> {
    pub repository: &'a str,
    pub known: &'a BTreeSet<String>,
    pub local: &'a [LocalImage],
    /// Tags that the registry has; `None` = it was not asked.
    pub registry: Option<&'a [String]>,
}

/// A row for each tag that anybody knows, newest first; with `only`, for that tag.
pub(super) fn rows(sources: &Sources<'_>, only: Option<&str>) -> Vec<ImageModel> {
    let familiar = familiar(sources.repository);
    let here: Vec<(&str, &LocalImage)> = sources
        .local
        .iter()
        .flat_map(|image| image.tags.iter().map(move |name| (name, image)))
        .filter_map(|(name, image)| Some((name.strip_prefix(familiar)?.strip_prefix(':')?, image)))
        .collect();
    let local = here.iter().map(|(tag, _)| *tag);
    let known = sources.known.iter().map(String::as_str);
    let registry = sources.registry.into_iter().flatten().map(String::as_str);
    let tags: BTreeSet<&str> = local.chain(known).chain(registry).chain(only).collect();
    let mut tags: Vec<&str> = tags.into_iter().filter(|tag| only.is_none_or(|only| only == *tag)).collect();
    tags.sort_by_cached_key(|tag| Reverse(age(tag)));
    let row = |tag| {
        let installed = here.iter().find(|(there, _)| *there == tag).map(|(_, image)| *image);
        ImageModel {
            version: text(tag),
            image: text(format!("{}:{tag}", sources.repository)),
            known: Attr::Known(sources.known.contains(tag)),
            installed: Attr::Known(installed.is_some()),
            available: sources.registry.map(|tags| tags.iter().any(|it| it == tag)).into(),
            id: installed.map(|image| image.id.clone()).into(),
            size_gb: installed.map_or(Attr::Null, |image| gigabytes(image.size_bytes)),
            digest: installed.and_then(|image| digest(image, familiar)).into(),
        }
    };
    tags.into_iter().map(row).collect()
}

/// The Engine leaves out what is understood of itself.
fn familiar(repository: &str) -> &str {
    let short = repository.strip_prefix("docker.io/").unwrap_or(repository);
    short.strip_prefix("library/").unwrap_or(short)
}

fn digest(image: &LocalImage, familiar: &str) -> Option<String> {
    let mut digests = image.digests.iter();
    digests.find_map(|name| name.strip_prefix(familiar)?.strip_prefix('@').map(str::to_owned))
}

/// A tag in its parts, so that 1.10 is newer than 1.9 and words are older than numbers.
fn age(tag: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for word in tag.split(['.', '-', '_']) {
        parts.push(word.parse().map_or_else(|_| Part::Word(word.to_owned()), Part::Number));
    }
    // 1.6.1-rc1 comes before 1.6.1, as every word does before the end.
    parts.push(Part::End);
    parts
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Word(String),
    End,
    Number(u64),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(tags: &[&str], digests: &[&str]) -> LocalImage {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        LocalImage { id: "sha256:1".into(), tags: owned(tags), digests: owned(digests), size_bytes: 3 << 29 }
    }

    fn shown(row: &ImageModel) -> String {
        let flag = |attr: &Attr<bool>| attr.known().map_or('?', |flag| if *flag { '1' } else { '0' });
        let text = |attr: &Attr<String>| attr.known().cloned().unwrap_or_default();
        let flags: String = [&row.known, &row.installed, &row.available].into_iter().map(flag).collect();
        format!("{} {flags} {}", text(&row.version), text(&row.digest))
    }

    #[test]
    fn everything_that_anybody_knows_is_one_list() {
        let local = [
            image(&["nvcr.io/x/y:1.6.1", "other:1"], &["mirror/y@sha256:9", "nvcr.io/x/y@sha256:a"]),
            image(&["nvcr.io/x/y:mine", "nvcr.io/x/y-z:1.7.0"], &[]),
            image(&[], &["nvcr.io/x/y@sha256:b"]),
        ];
        let known = BTreeSet::from(["1.6.1".to_owned(), "1.10.0".to_owned()]);
        let tags = ["1.10.0", "1.9.0", "1.10.0-rc1", "latest"].map(str::to_owned);
        let sources =
            |registry| Sources { repository: "nvcr.io/x/y", known: &known, local: &local, registry };
        let seen: Vec<String> = rows(&sources(Some(&tags)), None).iter().map(shown).collect();
        assert_eq!(
            seen,
            [
                "1.10.0 101 ",
                "1.10.0-rc1 001 ",
                "1.9.0 001 ",
                "1.6.1 110 sha256:a",
                "mine 010 ",
                "latest 001 "
            ]
        );
        let seen: Vec<String> = rows(&sources(None), None).iter().map(shown).collect();
        assert_eq!(seen, ["1.10.0 10? ", "1.6.1 11? sha256:a", "mine 01? "]);
        let first = &rows(&sources(None), Some("1.6.1"))[0];
        assert_eq!(first.image.known().map(String::as_str), Some("nvcr.io/x/y:1.6.1"));
        assert_eq!(first.size_gb.known().map(ToString::to_string).as_deref(), Some("1.5"));
        let unheard: Vec<String> = rows(&sources(None), Some("0.1")).iter().map(shown).collect();
        assert_eq!(unheard, ["0.1 00? "]);
    }

    #[test]
    fn docker_hub_is_understood_of_itself() {
        let local = [image(&["busybox:1"], &["busybox@sha256:a"])];
        for repository in ["busybox", "docker.io/busybox", "docker.io/library/busybox"] {
            let sources = Sources { repository, known: &BTreeSet::new(), local: &local, registry: None };
            let seen: Vec<String> = rows(&sources, None).iter().map(shown).collect();
            assert_eq!(seen, ["1 01? sha256:a"], "{repository}");
        }
    }

    #[test]
    fn an_engine_that_a_release_can_run_has_a_repository_and_versions() {
        use crate::dynamo::facts::release::{ALL, newest};
        let repository = repository(ALL, Engine::Mocker).unwrap();
        assert_eq!(repository, "nvcr.io/nvidia/ai-dynamo/dynamo-planner");
        assert!(known_versions(ALL, Engine::Mocker).contains(newest()));
    }
}
