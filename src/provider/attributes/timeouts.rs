//! How long operations may take.

use super::blocks::TimeoutsModel;
use super::duration;
use crate::tf_provider::attr::{Attr, Block};
use crate::tf_provider::diagnostics::Diagnostic;
use std::time::Duration;

const MAKE: Duration = Duration::from_secs(30 * 60);
const REMOVE: Duration = Duration::from_secs(10 * 60);

fn time(attribute: Option<&Attr<String>>, default: Duration) -> Duration {
    attribute.and_then(Attr::known).and_then(|text| duration::parse(text)).unwrap_or(default)
}

/// The time limit of a creation.
pub(crate) fn create(block: &Block<TimeoutsModel>) -> Duration {
    time(block.present().map(|block| &block.create), MAKE)
}

/// The time limit of an update.
pub(crate) fn update(block: &Block<TimeoutsModel>) -> Duration {
    time(block.present().map(|block| &block.update), MAKE)
}

/// The time limit of a removal, draining included.
pub(crate) fn delete(block: &Block<TimeoutsModel>) -> Duration {
    time(block.present().map(|block| &block.delete), REMOVE)
}

/// The error of a removal that took too long. What is gone is gone; a second removal goes on from there.
pub(crate) fn expired(summary: &str, host: &str, time: Duration) -> Diagnostic {
    let detail = format!(
        "The removal on host {host:?} was not done within {} s (timeouts.delete). Requests in flight are waited for; apply \
         again to go on, or allow more time.",
        time.as_secs()
    );
    Diagnostic::error(summary, detail)
}
