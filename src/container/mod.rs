//! What a container should be ([`ContainerSpec`]) and what one is ([`ObservedContainer`]), in the same words.
//!
//! Both sides of every comparison use these types, so that a difference is a difference of values and never of
//! spelling: sizes are bytes, CPUs are nano-CPUs, times are seconds, an absent option is `None` or empty. Translation
//! from and to the Engine's JSON lives in `hosts::docker::translate` and nowhere else.
//!
//! `spec` and `observed` hold the types: begin reading in `spec`. [`spelling`] is the one spelling of their values,
//! [`image_defaults`] tells what a container has from its image, [`labels`] and [`names`] are what our containers are known
//! by, and `secret` keeps texts that must not be shown.
//!
//! Plain data: this module talks to nothing.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod image_defaults;
pub mod labels;
pub mod names;
mod observed;
mod secret;
mod spec;
pub mod spelling;

pub use observed::{ObservedContainer, RunState};
pub use secret::{PLACEHOLDER, Redactions, Secret, SecretEnv};
pub use spec::{
    ContainerSpec, Ipc, Limits, Log, Mount, MountSource, Network, NetworkSpec, PortBinding, PullPolicy,
    Restart, Ulimit, VolumeSpec,
};
