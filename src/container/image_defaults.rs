//! Telling what a container was given from what it has from its image.
//!
//! The Engine mixes the two when it answers `inspect`. Which was which cannot be told where both say the same: an
//! environment variable set to the very value that the image has. So the same subtraction is done on both sides of
//! every comparison, on the container seen and on the container wanted, and "set to the image's value" equals "not set".

use super::labels::is_written;
use super::spec::ContainerSpec;
use crate::inventory::ImageFacts;

/// Takes out of `spec` what `image` says anyway.
pub fn subtract(spec: &mut ContainerSpec, image: &ImageFacts) {
    spec.env.retain(|key, value| !image.env.iter().any(|entry| entry.split_once('=') == Some((key, value))));
    // Those of ours are judged apart: whether they are the container's own decides whose the container is.
    spec.labels.retain(|key, value| is_written(key) || image.labels.get(key) != Some(value));
    if spec.user.as_ref() == Some(&image.user) {
        spec.user = None;
    }
    subtract_program(spec, image);
}

/// An entrypoint of one's own drops the image's command, so the two are judged together.
fn subtract_program(spec: &mut ContainerSpec, image: &ImageFacts) {
    let images_entrypoint = spec.entrypoint.is_empty() || spec.entrypoint == image.entrypoint;
    let images_command = spec.command == image.command;
    match (images_entrypoint, images_command, spec.command.is_empty()) {
        (true, true, _) => {
            spec.entrypoint.clear();
            spec.command.clear();
        }
        (true, false, false) => spec.entrypoint.clear(),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn image() -> ImageFacts {
        ImageFacts {
            id: "sha256:1".into(),
            size_bytes: 1,
            env: words("PATH=/bin A=1 EMPTY="),
            user: "1000".into(),
            labels: [("vendor".to_owned(), "x".to_owned())].into(),
            entrypoint: words("/entry"),
            command: words("serve"),
        }
    }

    #[test]
    fn what_the_image_says_goes_and_what_differs_stays() {
        let mut spec = ContainerSpec {
            env: [("PATH", "/bin"), ("A", "2"), ("EMPTY", ""), ("B", "1")]
                .map(|(k, v)| (k.into(), v.into()))
                .into(),
            labels: [("vendor", "x"), ("mine", "y")].map(|(k, v)| (k.into(), v.into())).into(),
            user: Some("1000".into()),
            ..Default::default()
        };
        subtract(&mut spec, &image());
        assert_eq!(spec.env.keys().collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(spec.labels.keys().collect::<Vec<_>>(), ["mine"]);
        assert_eq!(spec.user, None);
    }

    #[test]
    fn entrypoint_and_command_are_judged_together() {
        // entrypoint, command → entrypoint, command
        let table = [
            ("/entry", "serve", "", ""),
            ("", "serve", "", ""),
            ("", "", "", ""),
            ("/entry", "other", "", "other"),
            ("/entry", "", "/entry", ""),
            ("/mine", "serve", "/mine", "serve"),
        ];
        for (entrypoint, command, left_entrypoint, left_command) in table {
            let mut spec = ContainerSpec {
                entrypoint: words(entrypoint),
                command: words(command),
                ..Default::default()
            };
            subtract(&mut spec, &image());
            assert_eq!((spec.entrypoint, spec.command), (words(left_entrypoint), words(left_command)));
        }
    }
}
