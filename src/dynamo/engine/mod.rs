//! What is known of an engine in a release: its image, its module, its flags.
//!
//! Deciding code asks these records and never an engine's name. An engine that Dynamo has and no release lists here is
//! known by its word ([`super::spec::Engine`]) and refused by its name; writing its record makes it work.

pub mod args;
pub mod mocker;

use super::spec::{Engine, Mode, Role};
use args::ArgRules;

/// An engine as one line of releases runs it.
#[derive(Debug, PartialEq)]
pub struct EngineFacts {
    pub engine: Engine,
    /// Repository below the release's registry; the tag is the version.
    pub image: &'static str,
    /// Python module of the worker.
    pub module: &'static str,
    /// Flag for what to load: a Hugging Face name or a path.
    pub model_flag: &'static str,
    /// Flag for the name clients use.
    pub served_name_flag: &'static str,
    /// The modes and roles it can be run in.
    pub serving: &'static [Serving],
    /// Further environment of a worker.
    pub env: &'static [(&'static str, &'static str)],
    pub args: ArgRules,
    /// Limits that the engine needs raised: name, soft, hard.
    pub ulimits: &'static [(&'static str, i64, i64)],
    /// Size of `/dev/shm` in bytes; `None` = Docker's default will do.
    pub shm_bytes: Option<u64>,
}

/// A role in a mode: how it is asked for, and as what it shows up.
#[derive(Debug, PartialEq)]
pub struct Serving {
    pub mode: Mode,
    pub role: Role,
    /// Arguments that ask for it.
    pub args: &'static [&'static str],
    /// The component under which the frontend lists its instances.
    pub component: &'static str,
}

impl EngineFacts {
    /// `None` when the engine is not run like that.
    pub fn serving(&self, mode: Mode, role: Role) -> Option<&'static Serving> {
        self.serving.iter().find(|row| row.mode == mode && row.role == role)
    }

    /// Whether a model without weights is of no use to it. A simulator reads only the tokenizer.
    pub fn needs_weights(&self) -> bool {
        self.engine != Engine::Mocker
    }

    /// Whether the engine is run in that mode at all.
    pub fn has_mode(&self, mode: Mode) -> bool {
        self.serving.iter().any(|row| row.mode == mode)
    }
}
