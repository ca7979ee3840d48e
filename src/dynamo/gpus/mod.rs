//! Which worker gets which GPUs: never one twice, and those that reach each other best.
//!
//! What users write ([`GpuRequest`]) are indexes, UUIDs or a number; what is decided are UUIDs of devices
//! ([`crate::inventory::gpu`]). In between stand three pure questions: who has what now ([`occupancy`]), whether everything
//! that one plan asks for can be had together ([`claims`]), and which of the free ones to take ([`choose`]). Apply puts them
//! together for one worker ([`assign`]).

pub(crate) mod assign;
pub(crate) mod choose;
pub(crate) mod claims;
pub(crate) mod occupancy;

/// A container without GPUs says so: where NVIDIA's runtime is the host's default, images that ask for all GPUs, as
/// CUDA's do, would otherwise see them all.
pub(crate) const NO_GPUS: (&str, &str) = ("NVIDIA_VISIBLE_DEVICES", "void");
