//! Execution against a scripted host. Time is paused: waits take none.

use super::failure::{Leftover, Object, PreviousContainer};
use super::scripted_host::ScriptedHost;
use crate::container::labels::Ownership;
use crate::container::{
    ContainerSpec, Limits, NetworkSpec, ObservedContainer, PullPolicy, Restart, RunState, Secret, VolumeSpec,
};
use crate::hosts::Cause;
use crate::reconcile::assembly::{Assembly, Deadline, Part, PrivateFile, Rollout};
use crate::reconcile::effects::Effects;
use crate::reconcile::execute::{bring_up, converge, halt, take_down};
use crate::reconcile::failure::Failure;
use crate::reconcile::order::ContainerStep;
use crate::reconcile::wait::{Probe, ProbeAnswer};
use async_trait::async_trait;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

fn labels(run: &str) -> std::collections::BTreeMap<String, String> {
    let (deployment, component) = ("chat".into(), "worker".into());
    Ownership { deployment, component, role: None, run: run.into(), spec: String::new() }.to_labels()
}

fn spec(name: &str, run: &str) -> ContainerSpec {
    ContainerSpec {
        name: name.into(),
        image: "a:1".into(),
        labels: labels(run),
        stop_grace_seconds: 7,
        ..Default::default()
    }
}

/// Ready after so many questions.
struct After(AtomicU32);

#[async_trait]
impl Probe for After {
    async fn probe(&self, _: &ObservedContainer) -> ProbeAnswer {
        let left = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_ok() {
            ProbeAnswer::NotYet("the model is not listed yet".into())
        } else {
            ProbeAnswer::Ready
        }
    }
}

fn part_of(spec: ContainerSpec) -> Part {
    Part { spec, files: Vec::new(), probe: Arc::new(After(AtomicU32::new(3))), rollout: Rollout::StartFirst }
}

fn part(name: &str) -> Part {
    part_of(spec(name, "now"))
}

fn assembly(parts: Vec<Part>) -> Assembly {
    Assembly {
        networks: vec![NetworkSpec { name: "net".into(), labels: labels("now") }],
        volumes: vec![VolumeSpec { name: "vol".into(), labels: labels("now"), ..Default::default() }],
        parts,
        pull: PullPolicy::Missing,
    }
}

fn deadline() -> Deadline {
    Deadline { time: Duration::from_secs(60), cancel: CancellationToken::new() }
}

fn exited(exit_code: i64) -> RunState {
    RunState::Exited { exit_code, oom_killed: false }
}

#[tokio::test(start_paused = true)]
async fn everything_comes_up_in_order_under_its_own_name_once_it_is_ready() {
    let script = ScriptedHost::new();
    let containers = bring_up(&script, &assembly(vec![part("etcd"), part("fe")]), &deadline()).await.unwrap();
    assert_eq!(containers.iter().map(|c| c.spec.name.as_str()).collect::<Vec<_>>(), ["etcd", "fe"]);
    assert_eq!(
        script.log(),
        [
            "create network net",
            "create volume vol",
            "create etcd--starting",
            "start etcd--starting",
            "rename etcd--starting",
            "create fe--starting",
            "start fe--starting",
            "rename fe--starting",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_container_finds_its_files_when_it_starts_and_no_error_quotes_them() {
    let script = ScriptedHost::new().with_fate("a:1", exited(1), 0).with_logs("hunter2 is no good");
    let mut wanted = assembly(vec![part("ui")]);
    wanted.parts[0].files = vec![PrivateFile { path: "/run/secret".into(), content: Secret::new("hunter2") }];
    assert!(!format!("{:?}", wanted.parts[0].files).contains("hunter2"));
    let failed = bring_up(&script, &wanted, &deadline()).await.unwrap_err();
    let done = ["create ui--starting", "put /run/secret into ui--starting", "start ui--starting"];
    assert_eq!(script.log()[2..5], done);
    assert!(failed.to_string().contains("(secret) is no good"), "{failed}");
}

#[tokio::test(start_paused = true)]
async fn docker_restarts_a_container_only_once_it_has_worked() {
    let script = ScriptedHost::new();
    let mut wanted = assembly(vec![part("fe")]);
    wanted.parts[0].spec.restart = Restart::UnlessStopped;
    wanted.parts[0].spec.limits.memory_bytes = Some(1 << 30);
    let containers = bring_up(&script, &wanted, &deadline()).await.unwrap();
    assert_eq!(
        script.log()[2..],
        ["create fe--starting", "start fe--starting", "update fe--starting", "rename fe--starting"]
    );
    assert_eq!(containers[0].spec, wanted.parts[0].spec);
}

#[tokio::test(start_paused = true)]
async fn a_death_while_starting_is_an_error_with_its_last_words_and_leaves_nothing() {
    // state, restarts, what the error says
    let table = [
        (exited(1), 0, "ended with exit code 1"),
        (exited(0), 0, "ended by itself (exit code 0)"),
        (RunState::Exited { exit_code: 137, oom_killed: true }, 0, "memory limit was reached"),
        (
            RunState::Restarting { exit_code: 2 },
            1,
            "ended with exit code 2 and was restarted by Docker 1 time(s)",
        ),
        (RunState::Running, 2, "was restarted by Docker 2 time(s)"),
        (RunState::Dead, 0, "ended while starting"),
    ];
    for (state, restarts, said) in table {
        let script = ScriptedHost::new()
            .with_image("bad:1", "b")
            .with_fate("bad:1", state, restarts)
            .with_logs("boom hunter2\n");
        let mut bad = part("fe");
        bad.spec.image = "bad:1".into();
        let name = "container fe on host \"h\"";
        bad.spec.secret_env.values.insert("TOKEN".into(), Secret::new("hunter2"));
        let failed = bring_up(&script, &assembly(vec![part("etcd"), bad]), &deadline()).await.unwrap_err();
        let text = failed.to_string();
        assert!(text.contains(name) && text.contains(said), "{text}");
        assert!(text.contains("boom (secret)") && !text.contains("hunter2"), "{text}");
        assert!(text.contains("was removed again"), "{text}");
        assert_eq!(script.objects(), [""; 0]);
    }
}

/// Somebody else answers at its port, and it dies of that.
struct Impostor(Arc<ScriptedHost>);

#[async_trait]
impl Probe for Impostor {
    async fn probe(&self, container: &ObservedContainer) -> ProbeAnswer {
        self.0.stop(&container.spec.name, 0).await.unwrap();
        ProbeAnswer::Ready
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_the_place_of_a_dead_container_counts_for_nothing() {
    let script = Arc::new(ScriptedHost::new().with_logs("address already in use"));
    let mut wanted = assembly(vec![part("etcd")]);
    wanted.parts[0].probe = Arc::new(Impostor(Arc::clone(&script)));
    let failed = bring_up(&*script, &wanted, &deadline()).await.unwrap_err();
    assert!(failed.to_string().contains("address already in use"), "{failed}");
    assert_eq!(failed.left, vec![]);
}

#[tokio::test(start_paused = true)]
async fn what_was_there_before_survives_a_failed_call() {
    let script = ScriptedHost::new().with_container(spec("other", "before"), RunState::Running);
    script.ensure_network(&assembly(vec![]).networks[0]).await.unwrap();
    let script = script.failing("start fe--starting", Cause::PortTaken { port: "8000".into() });
    let failed = bring_up(&script, &assembly(vec![part("fe")]), &deadline()).await.unwrap_err();
    assert!(
        matches!(failed.failure.as_ref(), Failure::Host(error) if matches!(error.cause, Cause::PortTaken { .. }))
    );
    assert_eq!(script.objects(), ["other running", "net"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_removed_again_is_reported() {
    let script = ScriptedHost::new()
        .failing("start fe--starting", Cause::NoSpace { text: String::new() })
        .failing("remove fe--starting", Cause::EngineSilent { seconds: 1 });
    let failed = bring_up(&script, &assembly(vec![part("fe")]), &deadline()).await.unwrap_err();
    let left: Vec<String> = failed.left.iter().map(|left| left.object.to_string()).collect();
    assert_eq!(left, ["container fe--starting"]);
    assert!(failed.to_string().contains("Still there: container fe--starting"), "{failed}");
    assert_eq!(script.objects(), ["fe--starting created"]);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_never_gets_ready_runs_into_the_deadline() {
    let script = ScriptedHost::new();
    let mut slow = part("fe");
    slow.probe = Arc::new(After(AtomicU32::new(u32::MAX)));
    let failed = bring_up(&script, &assembly(vec![slow]), &deadline()).await.unwrap_err();
    let text = failed.to_string();
    assert!(text.contains("not ready within 60 s: the model is not listed yet"), "{text}");
    assert_eq!(script.objects(), [""; 0]);
}

/// A probe that never answers.
struct Hangs;

#[async_trait]
impl Probe for Hangs {
    async fn probe(&self, _: &ObservedContainer) -> ProbeAnswer {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn cancelling_ends_a_wait_at_once_and_cleans_up() {
    let script = ScriptedHost::new();
    let mut slow = part("fe");
    slow.probe = Arc::new(Hangs);
    let deadline = Deadline { time: Duration::from_secs(3600), cancel: CancellationToken::new() };
    let cancel = deadline.cancel.clone();
    let before = Instant::now();
    let wanted = assembly(vec![slow]);
    let (outcome, ()) = tokio::join!(bring_up(&script, &wanted, &deadline), async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        cancel.cancel();
    });
    assert!(matches!(*outcome.unwrap_err().failure, Failure::Cancelled { .. }));
    assert_eq!(before.elapsed().as_secs(), 2);
    assert_eq!(script.objects(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn names_that_are_taken_are_left_alone() {
    let foreign = ContainerSpec { labels: Default::default(), ..spec("fe", "") };
    let starting = |spec: ContainerSpec| ContainerSpec { name: "fe--starting".into(), ..spec };
    let table = [
        (foreign.clone(), "made by somebody else"),
        (spec("fe", "before"), "made by this provider"),
        (starting(foreign), "made by somebody else"),
        (starting(spec("fe", "now")), "started by another resource of this run"),
    ];
    for (there, said) in table {
        let script = ScriptedHost::new().with_container(there, exited(0));
        let before = script.objects();
        let failed = bring_up(&script, &assembly(vec![part("fe")]), &deadline()).await.unwrap_err();
        assert!(failed.to_string().contains(said), "{failed}");
        assert_eq!(script.objects(), before);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_killed_run_left_half_started_is_removed_first() {
    let script = ScriptedHost::new().with_container(spec("fe--starting", "killed"), RunState::Running);
    bring_up(&script, &assembly(vec![part("fe")]), &deadline()).await.unwrap();
    assert_eq!(script.objects(), ["fe running", "net", "vol"]);
}

#[tokio::test(start_paused = true)]
async fn images_come_as_the_policy_says() {
    // policy, image, pulls, works
    let table = [
        (PullPolicy::Missing, "a:1", false, true),
        (PullPolicy::Missing, "new:1", true, true),
        (PullPolicy::Always, "a:1", true, true),
        (PullPolicy::Never, "a:1", false, true),
        (PullPolicy::Never, "new:1", false, false),
    ];
    for (pull, image, pulls, works) in table {
        let script = ScriptedHost::new();
        let mut wanted = assembly(vec![part("fe")]);
        wanted.pull = pull;
        wanted.parts[0].spec.image = image.into();
        let outcome = bring_up(&script, &wanted, &deadline()).await;
        assert_eq!(outcome.is_ok(), works, "{pull:?} {image}");
        assert_eq!(script.log().contains(&format!("pull {image}")), pulls, "{pull:?} {image}");
    }
}

/// A worker that runs as `old`, and its wanted form with another command.
fn replaceable(rollout: Rollout) -> (ScriptedHost, Assembly) {
    let old = ContainerSpec { stop_grace_seconds: 30, ..spec("w", "before") };
    let script = ScriptedHost::new().with_image("new:1", "n").with_container(old, RunState::Running);
    let mut new = part("w");
    new.rollout = rollout;
    new.spec.image = "new:1".into();
    (script, Assembly { networks: vec![], volumes: vec![], ..assembly(vec![new]) })
}

#[tokio::test(start_paused = true)]
async fn start_first_drains_the_old_one_only_when_the_new_one_works() {
    let (script, wanted) = replaceable(Rollout::StartFirst);
    let converged = converge(&script, &wanted, &[], &deadline()).await.unwrap();
    assert_eq!(converged.containers[0].spec.image, "new:1");
    assert_eq!(
        script.log(),
        ["create w--starting", "start w--starting", "stop(30) w", "remove w", "rename w--starting"]
    );
    let (script, wanted) = replaceable(Rollout::StartFirst);
    let script = script.with_fate("new:1", exited(1), 0);
    let failed = converge(&script, &wanted, &[], &deadline()).await.unwrap_err();
    assert_eq!((failed.left.len(), failed.previous), (0, None));
    assert_eq!(script.objects(), ["w running"]);
    assert!(!script.log().contains(&"stop(30) w".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn stop_first_brings_the_old_one_back_when_the_new_one_fails() {
    let (script, wanted) = replaceable(Rollout::StopFirst);
    converge(&script, &wanted, &[], &deadline()).await.unwrap();
    assert_eq!(
        script.log(),
        ["stop(30) w", "create w--starting", "start w--starting", "remove w", "rename w--starting"]
    );
    let (script, wanted) = replaceable(Rollout::StopFirst);
    let script = script.with_fate("new:1", exited(1), 0);
    let failed = converge(&script, &wanted, &[], &deadline()).await.unwrap_err();
    assert_eq!(failed.previous, Some(PreviousContainer::RunsAgain { name: "w".into() }));
    assert_eq!(script.objects(), ["w running"]);
    assert!(failed.to_string().ends_with("The previous container w runs again."), "{failed}");
}

#[tokio::test(start_paused = true)]
async fn an_old_container_that_was_only_told_to_stop_is_started_again() {
    let (script, wanted) = replaceable(Rollout::StopFirst);
    let script = script.failing("stop(30) w", Cause::EngineSilent { seconds: 1 });
    let failed = converge(&script, &wanted, &[], &deadline()).await.unwrap_err();
    assert_eq!(failed.previous, Some(PreviousContainer::RunsAgain { name: "w".into() }));
    assert_eq!(script.log(), ["stop(30) w", "start w"]);
}

#[tokio::test(start_paused = true)]
async fn a_new_container_that_works_is_kept_even_if_the_old_one_will_not_go() {
    let (script, wanted) = replaceable(Rollout::StartFirst);
    let script = script.failing("stop(30) w", Cause::DoesNotStop { container: "w".into() });
    let failed = converge(&script, &wanted, &[], &deadline()).await.unwrap_err();
    assert_eq!(script.objects(), ["w running", "w--starting running"]);
    assert_eq!(failed.left, [Leftover { object: Object::Container("w--starting".into()), why: None }]);
}

#[tokio::test(start_paused = true)]
async fn converging_twice_changes_nothing_the_second_time() {
    let script = ScriptedHost::new();
    let wanted = assembly(vec![part("etcd"), part("fe")]);
    converge(&script, &wanted, &[], &deadline()).await.unwrap();
    let before = script.log();
    // The next run has another token.
    let later = assembly(vec![part_of(spec("etcd", "later")), part_of(spec("fe", "later"))]);
    let converged = converge(&script, &later, &[], &deadline()).await.unwrap();
    assert!(
        converged.steps.iter().all(|step| matches!(step, ContainerStep::Keep { .. })),
        "{:?}",
        converged.steps
    );
    assert_eq!(script.log(), before);
}

#[tokio::test(start_paused = true)]
async fn converging_removes_updates_and_starts() {
    let script = ScriptedHost::new()
        .with_container(spec("nats", "before"), RunState::Running)
        .with_container(spec("etcd", "before"), exited(0))
        .with_container(spec("fe", "before"), RunState::Running);
    let mut fe = part("fe");
    fe.spec.limits = Limits { memory_bytes: Some(1 << 30), nano_cpus: None };
    let wanted = Assembly { networks: vec![], volumes: vec![], ..assembly(vec![part("etcd"), fe]) };
    converge(&script, &wanted, &["nats".into(), "etcd".into(), "fe".into()], &deadline()).await.unwrap();
    assert_eq!(script.log(), ["stop(7) nats", "remove nats", "start etcd", "update fe"]);
}

#[tokio::test(start_paused = true)]
async fn an_image_that_moved_replaces_only_where_it_is_followed() {
    for (pull, replaced) in [(PullPolicy::Missing, false), (PullPolicy::Always, true)] {
        let script = ScriptedHost::new().with_container(spec("w", "before"), RunState::Running);
        let script = script.with_image("a:1", "sha256:moved");
        let wanted = Assembly { networks: vec![], volumes: vec![], pull, ..assembly(vec![part("w")]) };
        let converged = converge(&script, &wanted, &[], &deadline()).await.unwrap();
        assert_eq!(matches!(converged.steps[0], ContainerStep::Replace { .. }), replaced, "{pull:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn taking_down_goes_backwards_and_touches_only_ours() {
    let foreign = ContainerSpec { labels: Default::default(), ..spec("mine", "") };
    let script = ScriptedHost::new()
        .with_container(spec("etcd", "before"), RunState::Running)
        .with_container(foreign, RunState::Running)
        .with_container(spec("fe", "before"), RunState::Running)
        .with_container(spec("fe--starting", "killed"), RunState::Running);
    let names = ["etcd", "mine", "fe", "gone"].map(str::to_owned);
    let cancel = CancellationToken::new();
    take_down(&script, &names, &["net".into()], &["vol".into()], &cancel).await.unwrap();
    assert_eq!(
        script.log(),
        [
            "stop(7) fe--starting",
            "remove fe--starting",
            "stop(7) fe",
            "remove fe",
            "stop(7) etcd",
            "remove etcd",
            "remove network net",
            "remove volume vol",
        ]
    );
    assert_eq!(script.objects(), ["mine running"]);
}

#[tokio::test(start_paused = true)]
async fn halting_stops_and_keeps() {
    let script = ScriptedHost::new().with_container(spec("fe", "before"), RunState::Running);
    halt(&script, &["fe".into(), "gone".into()], &CancellationToken::new()).await.unwrap();
    assert_eq!(script.objects(), ["fe exited"]);
}
