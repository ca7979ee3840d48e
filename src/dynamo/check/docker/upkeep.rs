//! How a container is kept: when Docker starts it again, how long it may take to end, where its output goes, and which
//! networks it is in beside that of its deployment.

use super::lists::{self, at, read_map, runtime_name};
use crate::container::{Log, Restart};
use crate::dynamo::spec::docker::DockerOptions;
use crate::dynamo::spec::draft::DockerDraft;
use crate::dynamo::terms::objection::{DockerField, Refusal};
use crate::dynamo::terms::reader::Reader;

/// A day: whoever wants to wait longer wants to wait for ever.
const LONGEST_GRACE_SECONDS: i64 = 86_400;

/// What a configuration may say of [`Restart`]; `on-failure` may have a number behind it.
const RESTART: &[Restart] = &[Restart::No, Restart::UnlessStopped, Restart::Always, Restart::OnFailure(0)];

/// Names that Docker understands in a way of its own.
const NO_NETWORKS: &[&str] = &["host", "none", "default"];

/// Reads these options into `options`.
pub(in crate::dynamo::check::docker) fn read(
    reader: &mut Reader,
    draft: &DockerDraft,
    options: &mut DockerOptions,
) {
    options.restart = reader.maybe(at(DockerField::Restart), &draft.restart, |word| restart(word)).flatten();
    let grace = reader.maybe(at(DockerField::StopGraceSeconds), &draft.stop_grace_seconds, grace_seconds);
    options.stop_grace_seconds = grace.flatten();
    let driver = reader.maybe(at(DockerField::LogDriver), &draft.log_driver, |name| driver_name(name));
    let log = Log {
        driver: driver.flatten(),
        options: read_map(reader, &draft.log_options, DockerField::LogOption, log_option),
    };
    options.log = (log != Log::default()).then_some(log);
    options.networks = lists::read(reader, &draft.networks, DockerField::Network, network, lists::whole);
}

fn restart(text: &str) -> Result<Restart, Refusal> {
    if let Some(restart) = RESTART.iter().find(|known| known.word() == text) {
        return Ok(*restart);
    }
    match text.strip_prefix("on-failure:").map(str::parse) {
        Some(Ok(retries)) if retries > 0 => Ok(Restart::OnFailure(retries)),
        _ => {
            let words: Vec<&str> = RESTART.iter().map(|known| known.word()).collect();
            let fix = format!("use one of {}, on-failure:5", words.join(", "));
            Err(Refusal::new(format!("there is no {text:?}"), fix))
        }
    }
}

fn grace_seconds(seconds: &i64) -> Result<u32, Refusal> {
    let fix = format!("use 1 to {LONGEST_GRACE_SECONDS}");
    let wrong = || Refusal::new(format!("{seconds} seconds are no time to end in"), fix);
    let known = (1..=LONGEST_GRACE_SECONDS).contains(seconds);
    u32::try_from(*seconds).ok().filter(|_| known).ok_or_else(wrong)
}

/// Drivers may be plugins, which are named as images are.
fn driver_name(name: &str) -> Result<String, Refusal> {
    let plain: String = name.chars().filter(|c| !matches!(c, '/' | ':')).collect();
    runtime_name(&plain).map_err(|_| {
        let fix = "use a driver of Docker's, such as local, json-file or journald";
        Refusal::new(format!("there is no log driver {name:?}"), fix)
    })?;
    Ok(name.to_owned())
}

fn log_option(key: &str, value: Option<&str>) -> Result<(), Refusal> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if key.is_empty() || !key.bytes().all(plain) || value.is_some_and(|value| value.contains('\0')) {
        return Err(Refusal::new(format!("{key:?} is not a log option"), "use an option such as max-size"));
    }
    Ok(())
}

fn network(name: &str) -> Result<String, Refusal> {
    if NO_NETWORKS.contains(&name) {
        return Err(Refusal::new(
            format!("{name:?} is no network that can be joined"),
            "use the name of a network from `docker network ls`",
        ));
    }
    let looks_like_an_id = name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit());
    match runtime_name(name) {
        Ok(name) if !looks_like_an_id => Ok(name),
        _ => Err(Refusal::new(
            format!("{name:?} is not the name of a network"),
            "use letters, digits, dots, dashes and underscores",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restart_policies_are_dockers() {
        assert_eq!(restart("on-failure"), Ok(Restart::OnFailure(0)));
        assert_eq!(restart("on-failure:5"), Ok(Restart::OnFailure(5)));
        assert_eq!(restart("no"), Ok(Restart::No));
        for bad in
            ["", "No", "never", "on-failure:", "on-failure:0", "on-failure:-1", "on-failure:x", "always:3"]
        {
            assert!(restart(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_grace_is_at_least_a_second() {
        assert_eq!(grace_seconds(&1), Ok(1));
        for bad in [i64::MIN, -1, 0, 86_401, i64::MAX] {
            assert!(grace_seconds(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_of_networks_drivers_and_options() {
        for good in ["monitoring", "bridge", "a.b-c_d"] {
            assert!(network(good).is_ok(), "{good}");
        }
        for bad in ["", "host", "none", "container:x", "a b", "-a", "ä", "a\n", &"0f".repeat(32)] {
            assert!(network(bad).is_err(), "{bad:?}");
        }
        for good in ["local", "json-file", "none", "grafana/loki-docker-driver:latest"] {
            assert!(driver_name(good).is_ok(), "{good}");
        }
        for bad in ["", " local", "/", "a\0"] {
            assert!(driver_name(bad).is_err(), "{bad:?}");
        }
        assert!(log_option("max-size", Some("10m")).is_ok());
        for (key, value) in [("", "a"), ("max size", "a"), ("tag", "a\0")] {
            assert!(log_option(key, Some(value)).is_err(), "{key:?}");
        }
    }
}
