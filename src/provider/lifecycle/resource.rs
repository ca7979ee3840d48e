//! The life that the resources of containers share: making one, with other ports where one was taken, stopping it and
//! reading it back, removing it, and what is kept of it meanwhile.

use super::spec_label;
use crate::container::ObservedContainer;
use crate::dynamo::terms::words::DesiredState;
use crate::provider::attributes::blocks::{TextMap, TimeoutsModel};
use crate::provider::attributes::containers::ContainerModel;
use crate::provider::attributes::{host_errors, timeouts};
use crate::provider::machine::Machine;
use crate::provider::plan_checks::secret_values;
use crate::provider::session::Client;
use crate::reconcile;
use crate::reconcile::{Deadline, ReconcileError};
use crate::tf_provider::attr::{Attr, Block, NestedMap};
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::model::Model;
use crate::tf_provider::provider::{Call, Failed};
use async_trait::async_trait;

/// How often ports are picked when others take them between looking and binding.
const ATTEMPTS: usize = 5;

/// A resource that is one or more containers on a host.
pub(crate) trait ContainerResource: Model {
    /// What is only ever observed of it.
    fn observed(&mut self) -> Observed<'_>;
    fn host(&self) -> &Attr<String>;
    fn secret_env_status(&self) -> &Attr<TextMap>;
    /// The name of the container that has its secret variables.
    fn main_container(&self) -> String;
    /// The folder that the model is mounted from, for errors about mounts.
    fn model_folder(&self) -> Option<&str> {
        None
    }
}

/// Attributes that only a look at the host fills.
pub(crate) struct Observed<'a> {
    pub image_id: &'a mut Attr<String>,
    pub status: &'a mut Attr<String>,
    pub drift: &'a mut Attr<Vec<Attr<String>>>,
    pub containers: Option<&'a mut Attr<NestedMap<ContainerModel>>>,
    pub registered: Option<&'a mut Attr<bool>>,
}

/// The text that import rebuilds a resource from: its attributes without what is only ever observed.
pub(crate) fn label(model: &impl ContainerResource) -> Result<String, Diagnostic> {
    let mut lasting = model.clone();
    let Observed { image_id, status, drift, containers, registered } = lasting.observed();
    (*image_id, *status, *drift) = (Attr::Null, Attr::Null, Attr::Null);
    if let Some(containers) = containers {
        *containers = Attr::Null;
    }
    if let Some(registered) = registered {
        *registered = Attr::Null;
    }
    spec_label::to_text(&lasting)
}

/// The state of a resource that exists in parts: everything known, so that it can be removed again.
pub(crate) fn half_made<M: ContainerResource>(mut wanted: M) -> M {
    let Observed { image_id, status, drift, containers, registered } = wanted.observed();
    (*image_id, *status, *drift) = (Attr::Null, "failed".into(), Attr::Known(Vec::new()));
    if let Some(containers) = containers {
        *containers = Attr::Null;
    }
    if let Some(registered) = registered {
        *registered = Attr::Known(false);
    }
    wanted
}

/// The secret variables of a resource that is there, for a plan. `changes`: something else of it changes.
pub(crate) fn secrets_of(prior: &impl ContainerResource, changes: bool) -> secret_values::Prior<'_> {
    let (status, container) = (prior.secret_env_status(), prior.main_container());
    secret_values::Prior { status, host: prior.host(), container, changes }
}

/// A failure of work that was begun for a resource.
pub(crate) fn not_done(summary: &str, failed: &ReconcileError, model: &impl ContainerResource) -> Diagnostic {
    host_errors::not_done(summary, failed, model.model_folder())
}

/// What an attempt at making a resource came to: what was asked for in the end, and whether it is up.
pub(crate) type Attempt<M> = (M, Result<(), ReconcileError>);

/// How one resource is made.
#[async_trait]
pub(crate) trait Maker<M: ContainerResource>: Sync {
    /// Picks what is to be picked, and brings the containers up.
    async fn bring_up(&self, wanted: M) -> Result<Attempt<M>, Diagnostics>;
    /// Stops what should not run, and reads back.
    async fn read_back(&self, wanted: M) -> Result<M, Diagnostics>;
}

/// Makes a resource. Where a port was taken by somebody else meanwhile, it is tried again with other ones, if it `picks`
/// them.
pub(crate) async fn make<M: ContainerResource>(
    maker: &impl Maker<M>,
    planned: &M,
    picks: bool,
    summary: &str,
) -> Result<M, Failed<M>> {
    let mut attempt = 1;
    loop {
        let (wanted, made) = maker.bring_up(planned.clone()).await?;
        let Err(failed) = made else {
            let state = maker.read_back(wanted.clone()).await;
            return state.map_err(|diagnostics| Failed { state: Some(half_made(wanted)), diagnostics });
        };
        let again = picks && failed.left.is_empty() && failed.is_port_taken();
        if !again || attempt >= ATTEMPTS {
            let diagnostics = not_done(summary, &failed, &wanted).into();
            let state = (!failed.left.is_empty()).then(|| half_made(wanted));
            return Err(Failed { state, diagnostics });
        }
        attempt = attempt.saturating_add(1);
    }
}

/// Stops the containers of a resource that should not run.
pub(crate) async fn stop_if_wanted(
    machine: &Machine,
    containers: &[String],
    wanted: DesiredState,
    deadline: &Deadline,
    summary: &str,
) -> Result<(), Diagnostics> {
    if wanted == DesiredState::Stopped {
        let halted = reconcile::halt(&machine.host, containers, &deadline.cancel).await;
        halted.map_err(|failure| Diagnostic::from_error(summary, &failure))?;
    }
    Ok(())
}

/// Stops a container that should not run, and reads it back.
pub(crate) async fn stop_if_wanted_and_read(
    machine: &Machine,
    container: String,
    wanted: DesiredState,
    deadline: &Deadline,
    summary: &str,
) -> Result<ObservedContainer, Diagnostics> {
    stop_if_wanted(machine, std::slice::from_ref(&container), wanted, deadline, summary).await?;
    let seen = machine.host.inspect(&container).await;
    let seen = seen.map_err(|error| host_errors::diagnostic(summary, &error, None))?;
    seen.ok_or_else(|| {
        let detail = format!("Container {container} on host {:?} vanished.", machine.host.name());
        Diagnostic::error(summary, detail).into()
    })
}

/// What a resource has on its host, by name.
#[derive(Default)]
pub(crate) struct Belongings {
    pub containers: Vec<String>,
    pub networks: Vec<String>,
    pub volumes: Vec<String>,
}

/// Removes what a resource has on its host, in the time that it allows.
pub(crate) async fn remove(
    call: &Call<Client>,
    machine: &Machine,
    all: &Belongings,
    allowed: &Block<TimeoutsModel>,
    summary: &str,
) -> Result<(), Diagnostics> {
    let time = timeouts::delete(allowed);
    let Belongings { containers, networks, volumes } = all;
    let removal = reconcile::take_down(&machine.host, containers, networks, volumes, &call.stopping);
    match tokio::time::timeout(time, removal).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(failure)) => Err(Diagnostic::from_error(summary, &failure).into()),
        Err(_) => Err(timeouts::expired(summary, machine.host.name(), time).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::worker::schema::WorkerModel;
    use crate::reconcile::Failure;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Its first containers die with these last words.
    struct Dying {
        times: usize,
        words: &'static str,
        made: AtomicUsize,
        vanishes: bool,
    }

    #[async_trait]
    impl Maker<WorkerModel> for Dying {
        async fn bring_up(&self, wanted: WorkerModel) -> Result<Attempt<WorkerModel>, Diagnostics> {
            if self.made.fetch_add(1, Ordering::Relaxed) >= self.times {
                return Ok((wanted, Ok(())));
            }
            let died = Failure::Died {
                host: "local".into(),
                name: "chat-decode-a".into(),
                exit_code: Some(1),
                oom_killed: false,
                restarts: 0,
                logs: self.words.into(),
            };
            Ok((wanted, Err(died.into())))
        }

        async fn read_back(&self, wanted: WorkerModel) -> Result<WorkerModel, Diagnostics> {
            if self.vanishes {
                return Err(Diagnostic::error("s", "It vanished.").into());
            }
            Ok(WorkerModel { status: "running".into(), ..wanted })
        }
    }

    const TAKEN: &str = "bind: address already in use";

    #[tokio::test]
    async fn only_a_lost_race_for_a_picked_port_is_run_again() {
        for (times, words, picks, is_up, attempts) in [
            (0, "", true, true, 1),
            (4, TAKEN, true, true, 5),
            (5, TAKEN, true, false, 5),
            (1, TAKEN, false, false, 1),
            (1, "no such model", true, false, 1),
        ] {
            let maker = Dying { times, words, made: AtomicUsize::new(0), vanishes: false };
            let made = make(&maker, &WorkerModel::default(), picks, "s").await;
            assert_eq!((made.is_ok(), maker.made.into_inner()), (is_up, attempts), "{times} {words}");
            // Nothing was left, so nothing is kept.
            assert!(made.err().is_none_or(|failed| failed.state.is_none()));
        }
    }

    #[tokio::test]
    async fn what_is_up_and_cannot_be_read_back_is_kept_to_be_removed() {
        let maker = Dying { times: 0, words: "", made: AtomicUsize::new(0), vanishes: true };
        let planned = WorkerModel {
            container: "chat-decode-a".into(),
            status: "running".into(),
            ..WorkerModel::default()
        };
        let kept = make(&maker, &planned, true, "s").await.err().and_then(|failed| failed.state).unwrap();
        assert_eq!((kept.main_container().as_str(), &kept.status), ("chat-decode-a", &"failed".into()));
        assert_eq!(kept.registered, Attr::Known(false));
        let text = label(&kept).unwrap();
        assert!(text.contains("chat-decode-a") && !text.contains("failed"), "{text}");
    }
}
