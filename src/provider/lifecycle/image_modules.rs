//! Whether an image has the Python modules of a connector: the image is asked, before a worker of it starts.
//!
//! A worker without them ends after minutes of loading, with a line deep in its log; and one that is being replaced would
//! be stopped for that. So a container of the image looks for them first, without a GPU, a network or the model, and ends.
//! An image never changes under its id, so what it answered holds for the whole run. One that cannot be asked (it has no
//! Python) is not refused for that: its worker will say more.

use super::job::Ended;
use super::{assembly, comparison, deployment_containers, job};
use crate::container::labels::Ownership;
use crate::container::{ContainerSpec, Mount, MountSource, Network, ObservedContainer};
use crate::dynamo::blueprint::Blueprint;
use crate::dynamo::check::image_modules;
use crate::dynamo::gpus::NO_GPUS;
use crate::dynamo::spec::Common;
use crate::dynamo::terms::names;
use crate::dynamo::terms::objection::Objection;
use crate::hosts::{Age, HostError};
use crate::provider::allocation::image_answers::{Python, Question};
use crate::provider::attributes::{host_errors, paths};
use crate::provider::machine::Machine;
use crate::provider::session::{self, Client};
use crate::reconcile;
use crate::reconcile::ReconcileError;
use crate::tf_provider::diagnostics::Diagnostics;
use crate::tf_provider::provider::Call;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Component of a container that asks.
const COMPONENT: &str = "ask";
/// Looks for modules without importing them, and says which are not there.
const LOOK: &str = "import importlib.util, sys\n\
                    print('missing', *[m for m in sys.argv[1:] if importlib.util.find_spec(m) is None])";
/// What its answer begins with.
const ANSWER: &str = "missing";
/// Starting Python from a cold disk takes seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Refuses a worker whose image has not got what its connector needs. The image is fetched for that, as it would be for the
/// worker.
pub(crate) async fn of_a_worker(
    call: &Call<Client>,
    entry: &Machine,
    deployment: &Common,
    worker: &Blueprint,
    summary: &str,
) -> Result<(), Diagnostics> {
    let python = worker.containers.first().map(|it| python(&it.spec)).unwrap_or_default();
    let refused = check(call, entry, deployment, python, summary).await?;
    refused.map_or(Ok(()), |it| Err(paths::diagnostics(vec![it.of_the_deployment()])))
}

async fn check(
    call: &Call<Client>,
    entry: &Machine,
    common: &Common,
    python: Python,
    summary: &str,
) -> Result<Option<Objection>, Diagnostics> {
    let modules = common.connector.facts.modules;
    if modules.is_empty() {
        return Ok(None);
    }
    let fetched = reconcile::fetch(&entry.host, &common.image, common.pull_policy, &call.stopping).await;
    fetched.map_err(|failure| host_errors::not_done(summary, &ReconcileError::from(failure), None))?;
    let failed = |error: HostError| host_errors::diagnostic(summary, &error, None);
    let Some(image) = entry.host.image(&common.image).await.map_err(failed)? else { return Ok(None) };
    let question = Question { host: entry.host.name().to_owned(), image_id: image.id, modules, python };
    let answer = call.client.answers.of(&question);
    match answer.get_or_try_init(|| ask(call, entry, common, &question)).await {
        Ok(missing) if missing.is_empty() => Ok(None),
        Ok(missing) => {
            let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
            Ok(Some(image_modules::lacking(common, &missing)))
        }
        Err(why) => {
            tracing::warn!(
                host = entry.host.name(),
                image = common.image,
                why,
                "the image could not be asked"
            );
            Ok(None)
        }
    }
}

/// Which modules are missing; the error is why it is not known.
async fn ask(
    call: &Call<Client>,
    entry: &Machine,
    common: &Common,
    question: &Question,
) -> Result<Vec<String>, String> {
    sweep(entry, &common.name, &call.client.run).await.map_err(|error| error.to_string())?;
    let token = session::token().map_err(|error| error.to_string())?;
    let spec = container(common, question, &call.client.run, &token);
    let stopping: &CancellationToken = &call.stopping;
    match job::run(&entry.host, &spec, PATIENCE, stopping).await {
        Ok(Ended::Well(log)) => answered(&log).ok_or_else(|| format!("it said {log:?}")),
        Ok(Ended::Badly(words)) => Err(words),
        Err(error) => Err(error.to_string()),
    }
}

/// Removes what a killed run left of its questions for that deployment.
async fn sweep(entry: &Machine, deployment: &str, run: &str) -> Result<(), HostError> {
    let seen = deployment_containers::of_deployment(&entry.host, deployment, Age::Now).await?;
    let asked =
        seen.into_iter().filter(|it| assembly::ownership(it).is_some_and(|it| it.component == COMPONENT));
    let asked: Vec<ObservedContainer> = asked.collect();
    let names = comparison::leftovers(&asked, run);
    for left in asked.iter().filter(|it| names.contains(&it.spec.name)) {
        entry.host.remove(&left.id).await?;
    }
    Ok(())
}

/// `token` keeps its name apart from those of others who ask the same.
fn container(common: &Common, question: &Question, run: &str, token: &str) -> ContainerSpec {
    let Question { host: _, image_id, modules, python } = question;
    let owner = Ownership {
        deployment: common.name.clone(),
        component: COMPONENT.to_owned(),
        role: None,
        run: run.to_owned(),
        spec: String::new(),
    };
    let parts: Vec<&str> = [image_id.as_str(), token].into_iter().chain(modules.iter().copied()).collect();
    let mut env = python.env.clone();
    env.insert(NO_GPUS.0.to_owned(), NO_GPUS.1.to_owned());
    let words = ["-c", LOOK].into_iter().chain(modules.iter().copied());
    ContainerSpec {
        name: names::question(&common.name, &parts),
        // By its id: its name may stand for another one by now.
        image: image_id.clone(),
        entrypoint: common.release.entrypoint.iter().map(|word| (*word).to_owned()).collect(),
        command: words.map(str::to_owned).collect(),
        env,
        labels: owner.to_labels(),
        mounts: python.mounts.clone(),
        network: Network::nowhere(),
        stop_grace_seconds: 1,
        ..ContainerSpec::default()
    }
}

fn python(worker: &ContainerSpec) -> Python {
    let looks = |name: &str| name.starts_with("PYTHON") || name == "PATH" || name == "VIRTUAL_ENV";
    let env = worker.env.iter().filter(|(name, _)| looks(name));
    let env: BTreeMap<String, String> = env.map(|(name, value)| (name.clone(), value.clone())).collect();
    let places = env.keys().any(|name| name != "PYTHONHASHSEED");
    let of_the_host = |mount: &&Mount| matches!(mount.source, MountSource::HostPath(_)) && places;
    let mounts = worker.mounts.iter().filter(of_the_host);
    Python { env, mounts: mounts.map(|mount| Mount { read_only: true, ..mount.clone() }).collect() }
}

/// The modules in an answer; `None` where there is none.
fn answered(log: &str) -> Option<Vec<String>> {
    let words = log.lines().rev().find_map(|line| line.strip_prefix(ANSWER))?;
    Some(words.split_whitespace().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_line_among_others() {
        let table: [(&str, Option<&[&str]>); 5] = [
            ("missing\n", Some(&[])),
            ("missing kvbm lmcache\n", Some(&["kvbm", "lmcache"])),
            ("WARNING: no GPU\nmissing kvbm\nbye\n", Some(&["kvbm"])),
            ("Traceback (most recent call last):\n", None),
            ("", None),
        ];
        for (log, expected) in table {
            let expected = expected.map(|words| words.iter().map(|word| (*word).to_owned()).collect());
            assert_eq!(answered(log), expected, "{log:?}");
        }
    }

    /// A user may bring modules along, in a folder that Python is told of.
    #[test]
    fn what_a_worker_tells_python_is_told_here_too_and_nothing_else_is() {
        let mount = |source: MountSource| Mount { source, target: "/own".to_owned(), read_only: false };
        let folder = mount(MountSource::HostPath("/opt/own".to_owned()));
        let with = |name: &str| ContainerSpec {
            env: BTreeMap::from([
                (name.to_owned(), "/own".to_owned()),
                ("HF_TOKEN".to_owned(), "x".to_owned()),
            ]),
            mounts: vec![folder.clone(), mount(MountSource::Volume("v".to_owned()))],
            ..ContainerSpec::default()
        };
        let told = python(&with("PYTHONPATH"));
        assert_eq!(told.env, BTreeMap::from([("PYTHONPATH".to_owned(), "/own".to_owned())]));
        assert_eq!(told.mounts, [Mount { read_only: true, ..folder.clone() }]);
        assert_eq!(python(&with("PYTHONHASHSEED")).mounts, []);
        assert_eq!(python(&with("OTHER")), Python::default());
    }
}
