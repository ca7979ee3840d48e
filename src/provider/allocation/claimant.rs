//! The worker or server that a claim of a plan belongs to.

/// The one that a claim belongs to. A second claim of the same claimant takes the place of the first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Claimant {
    /// A worker that has this container.
    Container(String),
    /// A worker that has no container yet.
    Newcomer(u64),
    /// The cache server of this deployment on the claim's host.
    ServerOf(String),
}

/// The count of workers that have no container yet, each of which is a claimant of its own.
#[derive(Debug, Default)]
pub(crate) struct Newcomers(u64);

impl Newcomers {
    /// The claimant that a worker is, by the container that it has, if it has one.
    pub(crate) fn claimant(&mut self, container: Option<&str>) -> Claimant {
        match container {
            Some(container) => Claimant::Container(container.to_owned()),
            None => {
                self.0 = self.0.saturating_add(1);
                Claimant::Newcomer(self.0)
            }
        }
    }
}
