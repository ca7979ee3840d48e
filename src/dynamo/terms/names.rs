//! Names: of deployments, and of what is made for them on a host.
//!
//! A name is how a container is found again by people and by the Engine, so it is fully decided by the deployment, the
//! component and, for workers, a short random end. Three rules keep names apart without asking anybody:
//!
//! * A deployment's name is a DNS label without two dashes in a row, so `--` is ours to give a meaning to.
//! * A worker's end has exactly [`SUFFIX_LENGTH`] characters, no component of ours has such a name, so the frontend of a
//!   deployment `chat-decode` cannot be mistaken for a worker of `chat`.
//! * A container that is still being brought up is called `<name>--starting`. The final name belongs to what works:
//!   a leftover of a killed run is told by its name alone, and an old container keeps its name until it is replaced.

use super::objection::Refusal;
use super::words::Role;
pub(crate) use crate::container::names::{final_name, starting};

/// Longest deployment name. Leaves room for component, end and `--starting` within the 63 bytes of a host name.
pub(crate) const MAX_LENGTH: usize = 40;
/// Characters of a worker's end.
pub(crate) const SUFFIX_LENGTH: usize = 6;

/// Without the characters that look like another one.
const ALPHABET: &[u8] = b"23456789abcdefghjkmnpqrstuvwxyz";

/// The name of a deployment, if it is one.
pub(crate) fn deployment(name: &str) -> Result<String, Refusal> {
    let wrong = |what: &str| {
        Err(Refusal::new(
            format!("{name:?} {what}"),
            format!(
                "use 1 to {MAX_LENGTH} lower-case letters, digits and single dashes, with a letter or digit first and last"
            ),
        ))
    };
    if name.is_empty() || name.len() > MAX_LENGTH {
        return wrong(&format!("has {} characters", name.chars().count()));
    }
    if let Some(bad) = name.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-')) {
        return wrong(&format!("has the character {bad:?} in it"));
    }
    if name.starts_with('-') || name.ends_with('-') {
        return wrong("begins or ends with a dash");
    }
    if name.contains("--") {
        return wrong("has two dashes in a row");
    }
    Ok(name.to_owned())
}

/// A name for a deployment that was given none. `token` is random.
pub(crate) fn generated(token: [u8; SUFFIX_LENGTH]) -> String {
    format!("dynamo-{}", suffix(token))
}

/// The end of a worker's name. `token` is random.
pub(crate) fn suffix(token: [u8; SUFFIX_LENGTH]) -> String {
    token
        .into_iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte) % ALPHABET.len()))
        .map(|letter| char::from(*letter))
        .collect()
}

/// The end of a worker's name, read back.
pub(crate) fn check_suffix(text: &str) -> Result<String, Refusal> {
    let good = text.len() == SUFFIX_LENGTH && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9'));
    if good {
        return Ok(text.to_owned());
    }
    Err(Refusal::new(
        format!("{text:?} is not the end of a worker's name"),
        format!("it has {SUFFIX_LENGTH} lower-case letters and digits"),
    ))
}

/// Container of a component of which a deployment has one: the frontend, a service.
pub(crate) fn container(deployment: &str, component: &str) -> String {
    format!("{deployment}-{component}")
}

/// Container of a worker.
pub(crate) fn worker(deployment: &str, role: Role, suffix: &str) -> String {
    format!("{deployment}-{}-{suffix}", role.word())
}

/// The deployment's private network.
pub(crate) fn network(deployment: &str) -> String {
    format!("{deployment}-dynamo-net")
}

/// The volume through which processes of one host find each other.
pub(crate) fn discovery_volume(deployment: &str) -> String {
    format!("{deployment}-dynamo-discovery")
}

/// The volume that holds what an Open WebUI must not lose.
pub(crate) fn openwebui_volume(name: &str) -> String {
    format!("{name}-openwebui-data")
}

/// Beginning of the Dynamo namespaces of a deployment's workers. No other deployment's namespace begins so, because no
/// deployment's name has two dashes in a row.
pub(crate) fn namespace_prefix(deployment: &str) -> String {
    format!("{deployment}--")
}

/// Dynamo's own namespace of workers: those of one generation, or all of the deployment.
pub(crate) fn namespace(deployment: &str, generation: Option<&str>) -> String {
    generation.map_or_else(|| deployment.to_owned(), |generation| namespace_prefix(deployment) + generation)
}

/// A short name for what the parts say: equal for equal parts, in every build of this provider (FNV-1a).
pub(crate) fn generation<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    // The separator is no byte of UTF-8, so that ["ab", "c"] and ["a", "bc"] differ.
    let bytes = parts.into_iter().flat_map(|part| part.bytes().chain([0xff]));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{:08x}", (hash >> 32) ^ (hash & 0xffff_ffff))
}

/// Container that asks something of an image for a deployment, and ends. It never comes to more than being brought up, so one
/// that a killed run left is told and removed like any other that was.
pub(crate) fn question(deployment: &str, parts: &[&str]) -> String {
    starting(&format!("{deployment}-ask-{}", generation(parts.iter().copied())))
}

/// Component of the frontend's container.
pub(crate) const FRONTEND: &str = "frontend";

/// Component of a worker's container.
pub(crate) const WORKER: &str = "worker";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deployment_names() {
        let longest = "a".repeat(MAX_LENGTH);
        for good in ["a", "chat", "chat-2", "0-0", longest.as_str()] {
            assert_eq!(deployment(good), Ok(good.to_owned()));
        }
        let too_long = "a".repeat(MAX_LENGTH + 1);
        for bad in ["", "-a", "a-", "a--b", "Chat", "a_b", "a.b", "a b", "ä", "a/b", too_long.as_str()] {
            assert!(deployment(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn generated_names_are_names() {
        for byte in 0..=u8::MAX {
            let token = [byte, byte.wrapping_mul(7), 0, 255, byte.wrapping_add(31), 30];
            assert!(deployment(&generated(token)).is_ok());
            assert!(check_suffix(&suffix(token)).is_ok());
        }
        assert_ne!(generated([0; SUFFIX_LENGTH]), generated([1; SUFFIX_LENGTH]));
    }

    #[test]
    fn no_final_name_reads_as_a_starting_one() {
        let name = worker("chat", Role::Decode, "abc234");
        assert_eq!(final_name(&name), None);
        assert_eq!(final_name(&starting(&name)), Some(name.as_str()));
        assert_eq!(final_name("--starting"), None);
        assert!(deployment("chat--starting").is_err());
    }

    #[test]
    fn generations_are_the_same_for_ever() {
        // Written down: a build that hashes otherwise would restart everybody's workers.
        assert_eq!(generation(["a", "bc"]), "b91a5487");
        assert_ne!(generation(["a", "bc"]), generation(["ab", "c"]));
        assert_eq!(namespace("chat", Some("0a")), "chat--0a");
        assert_eq!(namespace("chat", None), "chat");
    }

    #[test]
    fn the_longest_worker_fits_a_host_name() {
        let name = worker(&"a".repeat(MAX_LENGTH), Role::Prefill, &suffix([0; SUFFIX_LENGTH]));
        assert!(name.len() <= 63, "{}", name.len());
    }
}
