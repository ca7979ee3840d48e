//! The real provider binary, started as Terraform starts it and driven by a client of our own.
//!
//! Terraform shows only what it chooses to ask. This client can also leave out its certificate, say nothing, say nonsense,
//! stop in the middle and die, which is what a provider that holds SSH keys has to stand. Names of tests begin with the
//! number of the rule that they check, so that a rule without a test is seen.
//!
//! [`harness`] starts and ends processes, [`peer`] connects to them, [`client`] speaks the protocol in terms of values,
//! with [`schema`] filling in what a configuration leaves out and [`samples`] having some to start from. The other modules
//! are the tests.

pub mod client;
pub mod harness;
pub mod peer;
pub mod samples;
pub mod schema;

mod conversation;
mod declarations;
mod departure;
mod garbage;
mod handshake;
mod hostless;
mod planning;
mod validation;
mod values;

use std::future::Future;
use std::time::Duration;

use libtest_mimic::Trial;

/// A test that takes this long hangs. No test measures itself against a shorter time.
const HANGS: Duration = Duration::from_secs(120);

pub fn trials() -> Vec<Trial> {
    let modules = [
        schema::trials,
        handshake::trials,
        conversation::trials,
        garbage::trials,
        departure::trials,
        declarations::trials,
        values::trials,
        validation::trials,
        planning::trials,
        hostless::trials,
    ];
    modules.into_iter().flat_map(|trials| trials()).collect()
}

/// An asynchronous test, named `wire::<name>`. It fails by panicking.
pub fn trial<F>(name: &str, test: impl FnOnce() -> F + Send + 'static) -> Trial
where
    F: Future<Output = ()>,
{
    Trial::test(format!("wire::{name}"), move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let outcome = runtime.block_on(async { tokio::time::timeout(HANGS, test()).await });
        runtime.shutdown_background();
        outcome.map_err(|_| format!("still not done after {HANGS:?}").into())
    })
}
