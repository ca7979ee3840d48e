//! Releases of Open WebUI: what each line is told, and in which words.

use crate::dynamo::terms::objection::Refusal;

/// A line of releases, from its first one until the next line begins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OpenWebuiRelease {
    pub first: [u32; 3],
    /// In the container, on a private network.
    pub port: u16,
    /// Answers 200 once it serves.
    pub health_path: &'static str,
    /// Folder with all that must last.
    pub data: &'static str,
    /// What users may change through `env`.
    pub defaults: &'static [(&'static str, &'static str)],
    /// Variables that the provider decides, each with what to do instead.
    pub reserved: &'static [(&'static str, &'static str)],
    /// Seconds between SIGTERM and SIGKILL.
    pub grace_seconds: u32,
}

/// Oldest first.
pub(crate) const ALL: &[&OpenWebuiRelease] = &[&V0_7];

/// The first release that makes an administrator by itself.
static V0_7: OpenWebuiRelease = OpenWebuiRelease {
    first: [0, 7, 0],
    port: 8080,
    health_path: "/health",
    data: "/app/backend/data",
    // It looks for updates and models at its own start otherwise, and waits where there is no way out.
    defaults: &[("OFFLINE_MODE", "true"), ("SCARF_NO_ANALYTICS", "true"), ("DO_NOT_TRACK", "true")],
    reserved: RESERVED,
    grace_seconds: 30,
};

const RESERVED: &[(&str, &str)] = &[
    ("DATA_DIR", "leave it out: it is a volume that outlives the container"),
    ("ENABLE_OPENAI_API", "set deployment or deployments"),
    ("ENABLE_OLLAMA_API", "leave it out: the models are those of the deployments"),
    ("ENABLE_PERSISTENT_CONFIG", "leave it out: settings are kept here, and not in its database"),
    ("HOST", "set bind_address"),
    ("OPENAI_API_BASE_URL", "set deployment or deployments"),
    ("OPENAI_API_BASE_URLS", "set deployment or deployments"),
    ("OPENAI_API_KEY", "leave it out: a frontend asks for none"),
    ("OPENAI_API_KEYS", "leave it out: a frontend asks for none"),
    ("PORT", "set port"),
    ("WEBUI_ADMIN_EMAIL", "set admin_email"),
    ("WEBUI_ADMIN_PASSWORD", "set admin_password"),
    ("WEBUI_AUTH", "set auth"),
    ("WEBUI_JWT_SECRET_KEY", "leave it out: the container makes a key and keeps it in its volume"),
    ("WEBUI_SECRET_KEY", "leave it out: the container makes a key and keeps it in its volume"),
    ("WEBUI_SECRET_KEY_FILE", "leave it out: the container makes a key and keeps it in its volume"),
];

/// The release that this provider was tested with, which is meant where none is named.
pub(crate) const NEWEST: &str = "0.12.4";

/// The line of a release. A release that came out after this provider is taken for one of the newest line.
pub(crate) fn find(version: &str) -> Result<&'static OpenWebuiRelease, Refusal> {
    let number = numbers(version).ok_or_else(|| {
        let what = format!("{version:?} is not a release of Open WebUI");
        Refusal::new(what, format!("write it like {NEWEST:?}; for another tag or another registry set image"))
    })?;
    ALL.iter().rev().copied().find(|line| line.first <= number).ok_or_else(|| {
        let oldest = ALL.first().map_or([0; 3], |line| line.first).map(|part| part.to_string()).join(".");
        let what = format!("Open WebUI {version} is older than this provider knows");
        Refusal::new(what, format!("use {oldest} or newer"))
    })
}

/// The line of the release that is meant where none is named.
pub(crate) fn newest() -> &'static OpenWebuiRelease {
    &V0_7
}

/// The project's own image of a release.
pub(crate) fn image(version: &str) -> String {
    format!("ghcr.io/open-webui/open-webui:v{version}")
}

fn numbers(version: &str) -> Option<[u32; 3]> {
    let part = |text: &str| {
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let padded = text.len() > 1 && text.starts_with('0');
        text.parse().ok().filter(|_| plain && !padded)
    };
    let mut parts = version.split('.').map(part);
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_newest_release_is_of_the_newest_line() {
        assert_eq!(find(NEWEST).unwrap(), newest());
        assert_eq!(ALL.last(), Some(&newest()));
        assert!(ALL.is_sorted_by_key(|line| line.first));
    }

    #[test]
    fn later_releases_are_taken_and_older_ones_refused() {
        for good in ["0.7.0", "0.9.6", "0.12.4", "0.13.0", "1.0.0", "10.20.30"] {
            assert!(find(good).is_ok(), "{good}");
        }
        for bad in ["0.6.43", "0.0.0"] {
            assert!(find(bad).unwrap_err().fix.contains("0.7.0"), "{bad}");
        }
        for odd in ["", "v0.9.0", "main", "0.9", "0.9.0.1", "0.09.0", "0.9.x", "0.9.-1", " 0.9.0", "+1.0.0"] {
            assert!(find(odd).unwrap_err().what.contains("is not a release"), "{odd}");
        }
    }

    #[test]
    fn nothing_is_both_free_and_decided() {
        for line in ALL {
            let reserved: BTreeSet<_> = line.reserved.iter().map(|(name, _)| *name).collect();
            assert_eq!(reserved.len(), line.reserved.len());
            assert!(line.defaults.iter().all(|(name, _)| !reserved.contains(name)));
            assert!(
                line.reserved
                    .iter()
                    .all(|(_, instead)| instead.starts_with("set ") || instead.starts_with("leave "))
            );
            assert!(
                line.data.starts_with('/') && line.health_path.starts_with('/') && line.grace_seconds >= 10
            );
        }
    }
}
