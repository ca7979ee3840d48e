//! From a container as it was seen to a row. Pure.

use super::schema::{PortModel, SeenContainerModel};
use crate::container::labels::Ownership;
use crate::container::{ObservedContainer, Redactions, RunState};
use crate::hosts::Usage;
use crate::provider::attributes::convert::{gigabytes, list, text};
use crate::tf_provider::attr::Attr;
use crate::tf_provider::value::Number;

/// The row of a container that was seen.
pub(super) fn row(seen: ObservedContainer, log_tail: String, usage: Option<Usage>) -> SeenContainerModel {
    let ownership = Ownership::from_labels(&seen.spec.labels);
    let (exit_code, oom_killed) = match seen.state {
        RunState::Exited { exit_code, oom_killed } => (Some(exit_code), Some(oom_killed)),
        RunState::Restarting { exit_code } => (Some(exit_code), None),
        RunState::Created | RunState::Running | RunState::Paused | RunState::Removing | RunState::Dead => {
            (None, None)
        }
    };
    let port = |port: &crate::container::PortBinding| PortModel {
        address: text(&port.host_address),
        port: Attr::Known(i64::from(port.host_port)),
        container_port: Attr::Known(i64::from(port.container_port)),
    };
    SeenContainerModel {
        name: text(&seen.spec.name),
        id: text(seen.id),
        image: text(&seen.spec.image),
        state: text(seen.state.word()),
        health: seen.health.into(),
        restarts: Attr::Known(i64::from(seen.restart_count)),
        exit_code: exit_code.into(),
        oom_killed: oom_killed.into(),
        started_at: Some(seen.started_at).filter(|at| !at.is_empty()).into(),
        ports: list(seen.spec.ports.iter().map(port)),
        gpus: Attr::Known(seen.spec.gpus.iter().map(text).collect()),
        deployment: ownership.as_ref().map(|it| it.deployment.clone()).into(),
        component: ownership.as_ref().map(|it| it.component.clone()).into(),
        role: ownership.and_then(|it| it.role).into(),
        log_tail: text(Redactions::of(&seen.spec.secret_env).apply(&log_tail)),
        cpu_percent: usage.and_then(|usage| percent(usage.cpu_percent)).into(),
        memory_gb: usage.map_or(Attr::Null, |usage| gigabytes(usage.memory_bytes)),
    }
}

/// With one digit after the point: more would be noise.
fn percent(percent: f64) -> Option<Number> {
    format!("{percent:.1}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::{ContainerSpec, PortBinding, Secret};

    fn seen(state: RunState) -> ObservedContainer {
        let own = Ownership {
            deployment: "chat".into(),
            component: "worker".into(),
            role: Some("decode".into()),
            run: String::new(),
            spec: String::new(),
        };
        let binding = PortBinding { container_port: 8000, host_address: "127.0.0.1".into(), host_port: 8001 };
        let spec = ContainerSpec {
            name: "w".into(),
            labels: own.to_labels(),
            ports: vec![binding],
            gpus: vec!["GPU-1".into()],
            ..ContainerSpec::default()
        };
        ObservedContainer { id: "1".into(), restart_count: 2, ..ObservedContainer::in_state(spec, state) }
    }

    #[test]
    fn a_log_is_shown_without_the_secrets_of_its_container() {
        let mut container = seen(RunState::Running);
        container.spec.secret_env.values.insert("TOKEN".into(), Secret::new("canary"));
        let shown = row(container, "TOKEN=canary\nready\n".into(), None).log_tail;
        assert_eq!(shown, "TOKEN=(secret)\nready\n".into());
    }

    #[test]
    fn what_is_not_so_is_null() {
        let usage = Some(Usage { cpu_percent: 12.34, memory_bytes: 1 << 29 });
        let running = row(seen(RunState::Running), "log".into(), usage);
        assert!(running.exit_code.is_null() && running.oom_killed.is_null() && running.started_at.is_null());
        assert_eq!(running.cpu_percent.known().map(ToString::to_string).as_deref(), Some("12.3"));
        assert_eq!(running.memory_gb.known().map(ToString::to_string).as_deref(), Some("0.5"));
        assert_eq!(running.role.known().map(String::as_str), Some("decode"));
        let exited = row(seen(RunState::Exited { exit_code: 137, oom_killed: true }), String::new(), None);
        assert_eq!((exited.exit_code, exited.oom_killed), (Attr::Known(137), Attr::Known(true)));
        assert!(exited.cpu_percent.is_null() && exited.memory_gb.is_null());
        let restarting = row(seen(RunState::Restarting { exit_code: 3 }), String::new(), None);
        assert_eq!((restarting.exit_code, restarting.oom_killed), (Attr::Known(3), Attr::Null));
    }
}
