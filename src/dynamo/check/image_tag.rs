//! Which release an image is of, as far as its tag tells.
//!
//! A user's own image is run with the command lines of `dynamo_version`; when none is said, of the version in its tag, or of
//! the newest where that names none. If that is not the release in the image, a worker ends with "unrecognized arguments" after a pull of twenty minutes, or
//! worse, runs and means something else. The tag is a hint and no proof, so this warns and does not refuse.

use crate::dynamo::facts::release::Release;
use crate::dynamo::terms::objection::Refusal;

/// What speaks against running `image` as `version`; `chosen` = the user said that it is that version.
pub(crate) fn doubt(
    image: &str,
    version: &str,
    chosen: bool,
    releases: &[&'static Release],
) -> Option<Refusal> {
    match release_of(image, releases) {
        Some((release, _)) if release.versions.contains(&version) => None,
        Some((_, tagged)) => Some(Refusal::new(
            format!(
                "{image:?} is Dynamo {tagged} by its tag, and is run with the command lines of {version}"
            ),
            format!("set dynamo_version = {tagged:?}, or take an image of {version}"),
        )),
        None if chosen => None,
        None => Some(Refusal::new(
            format!(
                "the tag of {image:?} names no release of Dynamo, so it is run with the command lines of {version}"
            ),
            "set dynamo_version to the release that is in it",
        )),
    }
}

/// The version in the tag of an image, if that names one.
pub(crate) fn version_of(image: &str, releases: &[&'static Release]) -> Option<&'static str> {
    release_of(image, releases).map(|(_, version)| version)
}

/// The version that a tag is, or begins with before a dash: `1.2.1-cuda13`.
fn release_of(image: &str, releases: &[&'static Release]) -> Option<(&'static Release, &'static str)> {
    let tag = tag(image)?;
    let named = |version: &str| {
        tag.strip_prefix(version).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    releases.iter().find_map(|release| {
        release.versions.iter().find(|version| named(version)).map(|version| (*release, *version))
    })
}

/// A colon before the last slash is that of a registry's port.
fn tag(image: &str) -> Option<&str> {
    let named = image.split_once('@').map_or(image, |(named, _)| named);
    named.rsplit_once(':').map(|(_, tag)| tag).filter(|tag| !tag.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::facts::release::ALL;

    #[test]
    fn a_tag_that_fits_the_version_is_no_doubt() {
        for image in
            ["r/x:1.3.1", "r/x:1.3.0", "r/x:1.3.1-cuda13", "localhost:5000/x:1.3.1", "x:1.3.1@sha256:00"]
        {
            assert_eq!(doubt(image, "1.3.1", true, ALL), None, "{image}");
            assert_eq!(doubt(image, "1.3.1", false, ALL), None, "{image}");
        }
    }

    #[test]
    fn the_tag_of_another_line_is_one_even_if_the_version_was_chosen() {
        let doubt = doubt("r/vllm-runtime:1.3.1", "1.6.1", true, ALL).unwrap();
        assert!(doubt.what.contains("1.3.1") && doubt.fix.contains("\"1.3.1\""), "{doubt:?}");
    }

    #[test]
    fn a_tag_that_says_nothing_is_one_until_a_version_is_chosen() {
        for image in ["mine:latest", "mine", "localhost:5000/mine", "mine:1.30.1", "mine@sha256:00", "mine:"]
        {
            assert!(
                doubt(image, "1.6.1", false, ALL).is_some_and(|it| it.fix.contains("dynamo_version")),
                "{image}"
            );
            assert_eq!(doubt(image, "1.6.1", true, ALL), None, "{image}");
        }
    }
}
