//! What a model is called, where it comes from, and where containers see it.
//!
//! The frontend tokenizes, so it needs the model's small files as well as the workers do. Both get the same mount at
//! the same path, which holds for every release, whether or not its workers hand the files out themselves.
//!
//! * A folder of the host is mounted read-only, at its own path: error messages of the engine then name a path that
//!   exists on the host.
//! * A Hugging Face name of which the host has a complete copy means that copy, read-only and offline
//!   ([`crate::dynamo::models::place`]).
//! * Any other Hugging Face name means the host's model cache, mounted writable, with `HF_HOME` pointing to it: what is
//!   there is used, what is not is downloaded once for all deployments of the host. `HF_HOME` is set together with this
//!   mount and only then; the image's own default lies in a home folder that a mount would make unwritable.

use super::{HostFacts, model};
use crate::container::{Mount, MountSource};
use crate::dynamo::facts::release::Release;
use crate::dynamo::terms::objection::Refusal;
use crate::dynamo::terms::{hub_paths, paths};

/// Longest part of a Hugging Face name.
const MAX_PART: usize = 96;

/// A model to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelRef {
    /// A folder on the host, absolute.
    Path(String),
    /// `organisation/name` or `name` on the Hugging Face hub.
    HuggingFace(String),
}

impl ModelRef {
    /// What starts with a slash is a path.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.starts_with('/') {
            return match paths::absolute(text)?.as_str() {
                "/" => Err(Refusal::new("/ is no model", "name the folder with the model's config.json")),
                path => Ok(Self::Path(path.to_owned())),
            };
        }
        let parts: Vec<_> = text.split('/').collect();
        if parts.len() <= 2 && parts.iter().all(|part| is_hub_part(part)) {
            return Ok(Self::HuggingFace(text.to_owned()));
        }
        Err(Refusal::new(
            format!("{text:?} is neither a Hugging Face name nor an absolute path"),
            "write it like Qwen/Qwen3-8B, or give the folder's absolute path on the host",
        ))
    }

    /// What it is called in the configuration.
    pub fn argument(&self) -> &str {
        match self {
            Self::Path(text) | Self::HuggingFace(text) => text,
        }
    }

    /// What the engine is told to load on that host.
    pub fn argument_on<'a>(&'a self, host: &'a HostFacts) -> &'a str {
        self.place(host).map_or(self.argument(), |place| place.argument(self.argument()))
    }

    /// The copy of a named model that is used. A path is its own.
    fn place<'a>(&self, host: &'a HostFacts) -> Option<&'a ModelPlace> {
        host.model_place.as_ref().filter(|_| matches!(self, Self::HuggingFace(_)))
    }

    /// The name clients use when none was chosen: the folder's own, or the name on the hub.
    pub fn default_served_name(&self) -> &str {
        match self {
            Self::Path(path) => {
                let folder = hub_paths::folder_of(path);
                let last = folder.rsplit('/').next().unwrap_or(folder);
                last.strip_prefix("models--").unwrap_or(last)
            }
            Self::HuggingFace(name) => name,
        }
    }

    /// What containers need mounted to see the model.
    pub fn mount(&self, release: &Release, host: &HostFacts) -> Mount {
        if let Some(place) = self.place(host) {
            return place.mount(release);
        }
        match self {
            Self::Path(path) => {
                // A snapshot of a cache is links to beside it.
                let folder = hub_paths::folder_of(path).to_owned();
                Mount { source: MountSource::HostPath(folder.clone()), target: folder, read_only: true }
            }
            Self::HuggingFace(_) => Mount {
                source: MountSource::HostPath(
                    host.model_cache.clone().unwrap_or_else(|| release.model_cache.to_owned()),
                ),
                target: release.hf_home.to_owned(),
                read_only: false,
            },
        }
    }

    /// Environment that goes with the mount.
    pub fn env(&self, release: &Release) -> Option<(String, String)> {
        match self {
            Self::Path(_) => None,
            Self::HuggingFace(_) => Some(("HF_HOME".to_owned(), release.hf_home.to_owned())),
        }
    }

    /// Environment that goes with the mount unless users set it themselves.
    pub fn default_env(&self, host: &HostFacts) -> &'static [(&'static str, &'static str)] {
        self.place(host).map_or(&[], |_| model::OFFLINE)
    }
}

fn is_hub_part(part: &str) -> bool {
    (1..=MAX_PART).contains(&part.len())
        && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        && !part.starts_with(['.', '-'])
        && !part.contains("..")
}

/// A name under which clients ask for the model.
pub(crate) fn served_name(text: &str) -> Result<String, Refusal> {
    let good = (1..=256).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/:@+".contains(&b))
        && text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    if good {
        return Ok(text.to_owned());
    }
    Err(Refusal::new(
        format!("{text:?} cannot be the name of a served model"),
        "set served_model_name to letters, digits and any of ._-/:@+ with a letter or digit first",
    ))
}

/// Where a complete copy of a named model is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum ModelPlace {
    /// The folder `models--…` of a Hugging Face cache: used by its name.
    Cache(String),
    /// A plain folder: used by its path.
    Folder(String),
}

/// No look at the hub; code that a model brings along is copied to where it can be written.
pub(in crate::dynamo) const OFFLINE: &[(&str, &str)] =
    &[("HF_HUB_OFFLINE", "1"), ("HF_MODULES_CACHE", "/tmp/huggingface-modules")];

impl ModelPlace {
    /// As it is stored: the path, and the model's name, which tells the two kinds apart.
    pub fn of_path(model: &ModelRef, path: &str) -> Option<Self> {
        let ModelRef::HuggingFace(name) = model else { return None };
        let last = path.rsplit('/').next().unwrap_or(path);
        let in_cache = last == hub_paths::cache_folder(name);
        Some(if in_cache { Self::Cache(path.to_owned()) } else { Self::Folder(path.to_owned()) })
    }

    /// Absolute path on the host.
    pub fn path(&self) -> &str {
        match self {
            Self::Cache(path) | Self::Folder(path) => path,
        }
    }

    /// What the engine is told to load.
    pub(in crate::dynamo) fn argument<'a>(&'a self, name: &'a str) -> &'a str {
        match self {
            Self::Cache(_) => name,
            Self::Folder(path) => path,
        }
    }

    /// The whole cache, since what is in a snapshot are links to beside it; or the folder.
    pub(in crate::dynamo) fn mount(&self, release: &Release) -> Mount {
        let (source, target) = match self {
            Self::Cache(path) => {
                let hub = path.rsplit_once('/').map_or("/", |(hub, _)| hub);
                (hub.to_owned(), format!("{}/hub", release.hf_home))
            }
            Self::Folder(path) => (path.clone(), path.clone()),
        };
        Mount { source: MountSource::HostPath(source), target, read_only: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths() {
        assert_eq!(ModelRef::parse("/data/llama/"), Ok(ModelRef::Path("/data/llama".into())));
        for name in ["gpt2", "Qwen/Qwen3-8B", "meta-llama/Llama-3.1-8B_x"] {
            assert_eq!(ModelRef::parse(name), Ok(ModelRef::HuggingFace(name.into())));
        }
        let long = format!("a/{}", "b".repeat(MAX_PART + 1));
        for bad in ["", "a/b/c", "a/", "/", "a b", "../x", "a/..", "~/m", "./m", "a:b", "-x", long.as_str()] {
            assert!(ModelRef::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn served_names() {
        assert_eq!(ModelRef::Path("/data/llama".into()).default_served_name(), "llama");
        let snapshot = "/hf/hub/models--acme--Tiny/snapshots/89b3";
        assert_eq!(ModelRef::Path(snapshot.into()).default_served_name(), "acme--Tiny");
        assert_eq!(ModelRef::HuggingFace("a/b".into()).default_served_name(), "a/b");
        for bad in ["", "a b", "-a", "a,b", "a\"", "ä"] {
            assert!(served_name(bad).is_err(), "{bad:?}");
        }
    }
}
