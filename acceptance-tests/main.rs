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
    let conclusion = libtest_mimic::run(&arguments, spread(trials));
    terraform::hosts::tear_down();
    conclusion.exit();
}

/// Cases on lab hosts take turns. Side by side in the list they would keep all threads waiting for one of them, so they
/// are spread evenly among the others.
fn spread(trials: Vec<libtest_mimic::Trial>) -> Vec<libtest_mimic::Trial> {
    let (in_turn, free): (Vec<_>, Vec<_>) =
        trials.into_iter().partition(|trial| trial.name().starts_with("hosts::"));
    let (many, few) = (free.len().max(1), in_turn.len());
    let mut in_turn = in_turn.into_iter();
    let mut all = Vec::with_capacity(many + few);
    for (at, trial) in free.into_iter().enumerate() {
        all.push(trial);
        let due = (at + 1) * few / many - at * few / many;
        all.extend(in_turn.by_ref().take(due));
    }
    all.extend(in_turn);
    all
}
