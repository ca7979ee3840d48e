//! Release line 1.5: as 1.6, but no process can be told by which of its host's addresses others should reach it.
//!
//! A frontend takes the name of a network interface there, which the provider does not know, so it is left to take the
//! address of the default route; so is the event plane. On the hosts' own network, `advertise_address` must therefore be
//! the address of the default route.

use super::record::Release;
use super::v1_6;
use crate::dynamo::facts::topology::Topology;

pub(crate) const RELEASE: Release = Release {
    line: "1.5",
    versions: &["1.5.0", "1.5.1"],
    topologies: &[v1_6::BRIDGE, HOST],
    ..v1_6::RELEASE
};

/// The only addresses that can be given as addresses are those at which a worker listens.
pub(crate) const HOST: Topology = Topology {
    frontend_address_env: &[],
    worker_address_env: &["DYN_TCP_RPC_HOST", "DYN_SYSTEM_HOST"],
    ..v1_6::HOST
};
