//! The cache server that a host has for its workers, as one of them sees it: brought along before the worker, looked at with it,
//! and left to those that are still there.

use super::apply::WorkerHosts;
use super::model::deployment;
use super::provisional::{picked, server_of, with_provisional_ports};
use super::schema::WorkerModel;
use crate::container::ObservedContainer;
use crate::dynamo::blueprint::Blueprint;
use crate::dynamo::facts::cache_server::CacheServer;
use crate::dynamo::facts::topology::{PassedBy, WorkerPort};
use crate::dynamo::terms::ports::THIS_MACHINE;
use crate::dynamo::terms::words::DesiredState;
use crate::hosts::{Age, Filter, HostError};
use crate::provider::allocation::cache_servers::Lease;
use crate::provider::allocation::port_leases;
use crate::provider::attributes::picked_ports::Ports;
use crate::provider::attributes::{host_errors, picked_ports};
use crate::provider::lifecycle::comparison::Comparison;
use crate::provider::lifecycle::{assembly, drift, resource};
use crate::provider::machine::{Machine, facts};
use crate::provider::session::Client;
use crate::reconcile;
use crate::reconcile::{Deadline, ReconcileError as NotDone};
use crate::tf_provider::attr::Attr;
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::provider::{Call, shown};
use std::time::Instant;

/// Removes and stops what nobody on the host has any more of the servers that one of `models` has or had.
pub(super) async fn sweep(
    call: &Call<Client>,
    entry: &Machine,
    models: &[&WorkerModel],
    summary: &str,
) -> Result<(), Diagnostics> {
    let Some(model) = models.iter().find(|model| server_of(model).is_some()) else { return Ok(()) };
    let name = shown(&deployment(model).name).to_owned();
    let swept = call.client.servers.sweep(entry, &name, &call.stopping).await;
    swept.map_err(|failure| Diagnostic::from_error(summary.to_owned(), &failure).into())
}

impl WorkerHosts {
    /// Sees to it that the worker's server runs, and holds it until the worker has a container. Where `picks`, the ports at
    /// which it answers become the worker's.
    pub(super) async fn bring_server(
        &self,
        call: &Call<Client>,
        planned: &mut WorkerModel,
        picks: bool,
        budget: &Deadline,
        summary: &str,
    ) -> Result<Result<Option<Lease>, NotDone>, Diagnostics> {
        let Some((server, name)) = server_of(planned) else { return Ok(Ok(None)) };
        // On a private network they are constants, and no part of the worker's.
        let picks = picks && !picked(planned).is_empty();
        let (host, began) = (&self.entry.host, Instant::now());
        let _lock = call.client.servers.lock(host.name(), shown(&deployment(planned).name)).await;
        let seen =
            host.inspect(&name).await.map_err(|error| host_errors::diagnostic(summary, &error, None))?;
        let mut promised = Vec::new();
        match &seen {
            Some(seen) if picks => picked_ports::set(&mut planned.ports, ports_of(server, seen)),
            Some(_) => {}
            None => {
                self.image_is_complete(call, planned, summary).await?;
                if picks {
                    let (_, taken) = facts::facts(&self.entry, summary).await?;
                    let rows = the_same_again(server, &planned.ports);
                    let rows: Vec<&WorkerPort> = rows.iter().collect();
                    let ports;
                    (ports, promised) =
                        port_leases::at(&call.client.ports, &self.entry, &rows, 1, &taken, THIS_MACHINE)?;
                    picked_ports::set(&mut planned.ports, ports);
                }
            }
        }
        let (blueprint, spec) = self.blueprint(call, &with_provisional_ports(planned), summary).await?;
        let alone = Blueprint { containers: blueprint.shared, ..Blueprint::default() };
        let seen: Vec<ObservedContainer> = seen.into_iter().collect();
        let pull = spec.deployment.pull_policy;
        let assembly = assembly::assembly(alone, pull, host, host, DesiredState::Running, &seen);
        // It waited for its turn.
        let budget = Deadline { time: budget.time.saturating_sub(began.elapsed()), ..budget.clone() };
        let running = reconcile::converge(host, &assembly, &[], &budget).await;
        drop(promised);
        Ok(running.map(|_| Some(call.client.servers.hold(host.name(), &name))))
    }

    /// As [`WorkerHosts::bring_server`], for a worker that is there.
    pub(super) async fn keep_server(
        &self,
        call: &Call<Client>,
        planned: &mut WorkerModel,
        picks: bool,
        budget: &Deadline,
        summary: &str,
    ) -> Result<Option<Lease>, Diagnostics> {
        let brought = self.bring_server(call, planned, picks, budget, summary).await?;
        brought.map_err(|failed| resource::not_done(summary, &failed, planned).into())
    }

    /// What is wrong with the server of a worker that should run, as sentences.
    pub(super) async fn of_the_server(
        &self,
        blueprint: &Blueprint,
        summary: &str,
    ) -> Result<Vec<String>, Diagnostics> {
        let names: Vec<String> = blueprint.shared.iter().map(|planned| planned.spec.name.clone()).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let compared = async {
            let seen = self.entry.host.observe(&Filter::Names(names.clone()), Age::Walk).await?;
            let alone = Blueprint { containers: blueprint.shared.clone(), ..Blueprint::default() };
            Comparison::of(&self.entry.host, &alone, &seen).await
        };
        let compared =
            compared.await.map_err(|error: HostError| host_errors::diagnostic(summary, &error, None))?;
        let mut sentences = Vec::new();
        for (name, seen) in names.iter().zip(compared.containers()) {
            match seen.map(|seen| seen.state.word()) {
                Some("running") => {}
                word => sentences.push(format!("container {name} is {}", word.unwrap_or("missing"))),
            }
        }
        for (differences, seen) in compared.differing() {
            sentences.extend(drift::sentences(differences, seen));
        }
        Ok(sentences)
    }
}

/// The ports of a server whose workers know it at those ports: at others they would have to start anew.
fn the_same_again(server: &CacheServer, had: &Attr<Ports>) -> Vec<WorkerPort> {
    let had = |row: &WorkerPort| u16::try_from(*had.known()?.get(row.name)?.known()?).ok();
    server.ports.iter().map(|row| WorkerPort { from: had(row).unwrap_or(row.from), ..*row }).collect()
}

/// The ports that a server was given.
fn ports_of(server: &CacheServer, seen: &ObservedContainer) -> Ports {
    let after = |flag: &str| seen.spec.command.iter().skip_while(|word| *word != flag).nth(1);
    let read = server.ports.iter().filter_map(|row| match row.told {
        PassedBy::Flag(flag) => Some((row.name.to_owned(), Attr::Known(after(flag)?.parse::<i64>().ok()?))),
        PassedBy::Env(_) | PassedBy::Inline => None,
    });
    read.collect()
}
