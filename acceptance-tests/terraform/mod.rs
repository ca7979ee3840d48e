//! The real Terraform, on a real Docker Engine, with NVIDIA's real Dynamo: what a user would do, and what goes wrong for
//! users, once each.
//!
//! A case never names a port and makes up its own deployment name, so that cases run side by side. What a case needs and
//! this machine lacks (Terraform, Docker, the lab's images) fails the case with one sentence: a skipped test is a test
//! that nobody misses.

mod bad_input;
mod conformance;
mod data_sources;
mod disaggregated;
mod docker_options;
mod drift;
mod examples;
mod faults;
mod harness;
mod host_network;
pub mod hosts;
mod lifecycle;
mod models;
mod openwebui;
mod process;
mod registry;
mod releases;
mod report;
mod routing;
mod secrets;
mod trust;
mod world;

use libtest_mimic::{Failed, Trial};

/// A case and the name it is listed under.
type Case = (&'static str, fn());

pub fn trials() -> Vec<Trial> {
    let groups: &[(&str, &[Case])] = &[
        ("lifecycle", lifecycle::CASES),
        ("drift", drift::CASES),
        ("bad_input", bad_input::CASES),
        ("faults", faults::CASES),
        ("docker_options", docker_options::CASES),
        ("disaggregated", disaggregated::CASES),
        ("process", process::CASES),
        ("openwebui", openwebui::CASES),
        ("host_network", host_network::CASES),
        ("conformance", conformance::CASES),
        ("data_sources", data_sources::CASES),
        ("models", models::CASES),
        ("examples", examples::CASES),
        ("routing", routing::CASES),
        ("secrets", secrets::CASES),
    ];
    let written = groups.iter().flat_map(|(group, cases)| {
        cases.iter().map(move |(name, case)| trial("terraform", &format!("{group}::{name}"), *case))
    });
    let found = bad_input::files().into_iter().map(|file| {
        let name = format!("bad_input::{}", file.name());
        trial("terraform", &name, move || file.run())
    });
    let shown = examples::folders().into_iter().map(|example| {
        let name = format!("examples::{}", example.name());
        trial("terraform", &name, move || example.run())
    });
    let older =
        releases::CASES.iter().map(|(name, case)| trial("releases", name, *case).with_ignored_flag(true));
    // What takes an image of its own: `make test-openwebui`.
    let real = openwebui::REAL.iter().map(|(name, case)| {
        trial("terraform", &format!("openwebui_real::{name}"), *case).with_ignored_flag(true)
    });
    written
        .chain(found)
        .chain(shown)
        .chain(older)
        .chain(real)
        .chain(hosts::trials())
        .chain(trust::trials())
        .collect()
}

fn trial(tier: &str, name: &str, case: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(format!("{tier}::{name}"), move || {
        harness::preflight().map_err(Failed::from)?;
        case();
        Ok(())
    })
}
