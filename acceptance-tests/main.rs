//! The tests that run real things. Three tiers in one binary, named `wire::…`, `terraform::…` and `hosts::…`:
//!
//! * `wire`: the real provider binary, driven by our own tfplugin6 client, which can misbehave;
//! * `terraform`: the real Terraform on a real Docker Engine with NVIDIA's real Dynamo (mocker engine);
//! * `hosts`: the same on hosts of the lab, reached over SSH.
//!
//! `cargo test --test acceptance -- wire::` runs one tier; any other filter of cargo's works as well.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

mod terraform;
mod wire;

fn main() {
    let arguments = libtest_mimic::Arguments::from_args();
    let trials = wire::trials().into_iter().chain(terraform::trials()).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    terraform::hosts::tear_down();
    conclusion.exit();
}
