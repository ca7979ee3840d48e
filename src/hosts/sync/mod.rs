//! Sharing between tasks: a lock that no panic poisons ([`locked`]), a lock for each key ([`keyed_lock`]), and one call for
//! many askers ([`single_flight`]).

pub(crate) mod keyed_lock;
pub(crate) mod locked;
pub(crate) mod single_flight;
