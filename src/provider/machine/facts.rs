//! Capacity and taken ports of a host, for a plan, a refresh and an apply: the three differ in what an unreachable host means.

use super::Machine;
use crate::dynamo::spec::HostFacts;
use crate::hosts::HostError;
use crate::inventory::PortInUse;
use crate::provider::attributes::host_errors;
use crate::tf_provider::diagnostics::Diagnostic;
use crate::tf_provider::value::Path;

/// Capacity of the host and the ports taken there.
pub(crate) async fn facts(
    machine: &Machine,
    summary: &str,
) -> Result<(HostFacts, Vec<PortInUse>), Diagnostic> {
    machine.facts().await.map_err(|error| host_errors::diagnostic(summary, &error, None))
}

/// Capacity of the host for a refresh: a host that is off keeps Terraform from planning anything, unless it is told not to look.
pub(crate) async fn for_refresh(machine: &Machine, summary: &str) -> Result<HostFacts, Diagnostic> {
    let (facts, _) = machine.facts().await.map_err(|error| not_refreshed(summary, &error))?;
    Ok(facts)
}

/// What a host did not say in a refresh.
pub(crate) fn not_refreshed(summary: &str, error: &HostError) -> Diagnostic {
    if !error.is_unreachable() {
        return host_errors::diagnostic(summary, error, None);
    }
    let detail = format!("{error}\n\nTo plan without asking the hosts: terraform plan -refresh=false");
    Diagnostic::error(summary, detail).at(Path::of("host"))
}

/// As [`facts`], for checking a plan. The error is a warning where a `new` object's host cannot be reached: it may be made
/// in the same run, and what could not be checked is found again in apply.
pub(crate) async fn for_plan(
    machine: &Machine,
    new: bool,
) -> Result<(HostFacts, Vec<PortInUse>), Diagnostic> {
    machine.facts().await.map_err(|error| {
        if !(new && error.is_unreachable()) {
            return host_errors::diagnostic("Unable to check the plan", &error, None);
        }
        let detail = format!(
            "{error}\n\nThat is all right if the host is made or started in this run. Whether GPUs, ports and images are \
             as the plan needs them is then seen when it is applied."
        );
        Diagnostic::warning("The plan was not checked on the host", detail).at(Path::of("host"))
    })
}

/// Whether a path is certainly not there; what cannot be seen from here is left to Docker.
pub(crate) async fn is_missing(machine: &Machine, path: &str) -> bool {
    matches!(machine.host.path_exists(path).await, Ok(Some(false)))
}
