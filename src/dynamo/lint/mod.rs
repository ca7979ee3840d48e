//! A second reader of blueprints, which shares no code with the deciding one.
//!
//! Golden files show that blueprints did not change; this shows that they can work: each rule is something that Docker
//! or Dynamo refuses, or that would break one of our promises, looked at in the finished containers alone. Tests run it
//! over every blueprint they can think of.

pub(crate) mod set;

use crate::container::labels::Ownership;
use crate::container::{ContainerSpec, MountSource, Network, Restart};
use crate::dynamo::blueprint::{Blueprint, Planned, Readiness};
use std::collections::{BTreeMap, BTreeSet};

type Rule = fn(&Planned) -> Option<String>;

/// What must hold for each container alone.
const RULES: &[Rule] = &[
    name_is_final,
    image_is_pinned,
    command_has_each_flag_once,
    environment_can_be_set,
    mounts_do_not_hide_each_other,
    paths_are_plain,
    owner_can_be_told,
    starts_again_by_itself,
    has_time_to_stop,
    limits_are_possible,
    ports_are_those_of_its_network,
    one_address_is_said_everywhere,
    ulimits_are_set_once,
    gpus_are_said,
    readiness_can_be_asked,
];

/// Everything that is wrong with a blueprint; empty when nothing is.
pub(crate) fn lint(blueprint: &Blueprint) -> Vec<String> {
    let alone = blueprint.shared.iter().chain(&blueprint.containers).flat_map(|planned| {
        let complaint = move |rule: &Rule| rule(planned).map(|what| format!("{}: {what}", planned.spec.name));
        RULES.iter().filter_map(complaint)
    });
    alone.chain(together(blueprint)).collect()
}

/// What must hold between the containers.
fn together(blueprint: &Blueprint) -> Vec<String> {
    let all = blueprint.shared.iter().chain(&blueprint.containers);
    let specs: Vec<&ContainerSpec> = all.map(|planned| &planned.spec).collect();
    let mut wrong = Vec::new();
    if let Some(name) = twice(specs.iter().map(|spec| spec.name.as_str())) {
        wrong.push(format!("two containers are called {name}"));
    }
    if let Some(port) = twice(specs.iter().flat_map(|spec| &spec.ports).map(|port| port.host_port)) {
        wrong.push(format!("port {port} is published twice"));
    }
    if let Some(alias) = twice(specs.iter().flat_map(|spec| aliases(spec))) {
        wrong.push(format!("two containers answer to {alias}"));
    }
    for spec in &specs {
        let Network::Bridge { name, .. } = &spec.network else { continue };
        if blueprint.network.as_ref().is_some_and(|network| network.name != *name) {
            wrong.push(format!("{} is on the network {name}, which is not this blueprint's", spec.name));
        }
    }
    let made: BTreeSet<&str> = blueprint.volumes.iter().map(|volume| volume.name.as_str()).collect();
    let used: BTreeSet<&str> = specs.iter().flat_map(|spec| volumes(spec)).collect();
    if blueprint.network.is_some() && made != used {
        wrong.push(format!("volumes made are {made:?}, volumes used are {used:?}"));
    }
    wrong
}

fn aliases(spec: &ContainerSpec) -> &[String] {
    match &spec.network {
        Network::Bridge { aliases, .. } => aliases,
        Network::Host => &[],
    }
}

fn volumes(spec: &ContainerSpec) -> impl Iterator<Item = &str> {
    spec.mounts.iter().filter_map(|mount| match &mount.source {
        MountSource::Volume(name) => Some(name.as_str()),
        MountSource::HostPath(_) => None,
    })
}

fn twice<T: Ord + Copy>(items: impl IntoIterator<Item = T>) -> Option<T> {
    let mut seen = BTreeSet::new();
    items.into_iter().find(|item| !seen.insert(*item))
}

fn name_is_final(planned: &Planned) -> Option<String> {
    let name = &planned.spec.name;
    let characters = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let good = characters && !name.contains("--") && !name.starts_with('-') && !name.ends_with('-');
    (!good || name.is_empty() || name.len() > 63).then(|| "is not a name for a working container".to_owned())
}

fn image_is_pinned(planned: &Planned) -> Option<String> {
    let image = &planned.spec.image;
    (image.is_empty() || image.contains(char::is_whitespace)).then(|| format!("has the image {image:?}"))
}

fn command_has_each_flag_once(planned: &Planned) -> Option<String> {
    let flags = planned.spec.command.iter().filter(|word| word.starts_with("--"));
    let names = flags.map(|word| word.split_once('=').map_or(word.as_str(), |(name, _)| name));
    twice(names).map(|flag| format!("is given {flag} twice"))
}

fn environment_can_be_set(planned: &Planned) -> Option<String> {
    let bad =
        |key: &str, value: &str| key.is_empty() || key.contains(['=', '\0', ' ']) || value.contains('\0');
    planned
        .spec
        .env
        .iter()
        .find(|(key, value)| bad(key, value))
        .map(|(key, _)| format!("has the variable {key:?}"))
}

fn mounts_do_not_hide_each_other(planned: &Planned) -> Option<String> {
    let targets = planned.spec.mounts.iter().map(|mount| mount.target.as_str());
    twice(targets).map(|target| format!("has two mounts at {target}"))
}

fn paths_are_plain(planned: &Planned) -> Option<String> {
    let plain =
        |path: &str| path.starts_with('/') && !path.contains([':', ',', '\0']) && !path.contains("/..");
    let bad = planned.spec.mounts.iter().find(|mount| {
        let source_bad = matches!(&mount.source, MountSource::HostPath(path) if !plain(path));
        source_bad || !plain(&mount.target) || mount.target == "/"
    })?;
    Some(format!("has the mount {bad:?}"))
}

fn owner_can_be_told(planned: &Planned) -> Option<String> {
    let owner = Ownership::from_labels(&planned.spec.labels);
    let good = owner.is_some_and(|owner| {
        owner.component == planned.component
            && !owner.run.is_empty()
            && planned.spec.name.starts_with(&format!("{}-", owner.deployment))
            && owner.role.is_some() == (planned.component == "worker")
    });
    (!good).then(|| "has labels that do not say whose it is".to_owned())
}

fn starts_again_by_itself(planned: &Planned) -> Option<String> {
    let comes_back = matches!(planned.spec.restart, Restart::UnlessStopped | Restart::Always);
    (!comes_back).then(|| "would stay down".to_owned())
}

fn has_time_to_stop(planned: &Planned) -> Option<String> {
    (planned.spec.stop_grace_seconds < 10).then(|| "would be killed in the middle of requests".to_owned())
}

fn limits_are_possible(planned: &Planned) -> Option<String> {
    let limits = planned.spec.limits;
    let bad = limits.nano_cpus.is_some_and(|cpus| cpus < 10_000_000)
        || limits.memory_bytes.is_some_and(|bytes| bytes < 6 << 20);
    bad.then(|| format!("has limits that Docker refuses: {limits:?}"))
}

/// On a private network only the frontend is published; on the host's own everything says where it listens.
fn ports_are_those_of_its_network(planned: &Planned) -> Option<String> {
    let ports = &planned.spec.ports;
    let good = match planned.spec.network {
        Network::Bridge { .. } => ports.len() == usize::from(planned.component == "frontend"),
        Network::Host => !ports.is_empty() && ports.iter().all(|port| port.container_port == port.host_port),
    };
    (!good).then(|| format!("has the ports {ports:?}"))
}

/// Variables that take the address of the host on its own network.
const ADDRESSES: &[&str] =
    &["DYN_TCP_RESPONSE_STREAM_HOST", "DYN_EVENT_PLANE_HOST", "DYN_TCP_RPC_HOST", "DYN_SYSTEM_HOST"];

/// Those of a worker in every release.
const WORKERS: &[&str] = &["DYN_TCP_RPC_HOST", "DYN_SYSTEM_HOST"];

/// A process of the host's own network that is left to guess its address may take one that no other host reaches; and one
/// that listens everywhere can be reached from where it should not. Up to release 1.5 a frontend can be told nothing, and a
/// worker only where it listens.
fn one_address_is_said_everywhere(planned: &Planned) -> Option<String> {
    let ContainerSpec { env, command, ports, network, .. } = &planned.spec;
    let said: Vec<&str> = ADDRESSES.iter().filter_map(|name| env.get(*name).map(String::as_str)).collect();
    let told = ports.iter().filter(|port| !is_told_no_address(&planned.spec, port.host_port));
    let listens = told.map(|port| port.host_address.as_str());
    let addresses: BTreeSet<&str> = match planned.component.as_str() {
        // It listens to clients where users want it to.
        "frontend" => said.iter().copied().collect(),
        _ => said.iter().copied().chain(listens).collect(),
    };
    let everywhere = |text: &str| text.contains("0.0.0.0") || text.contains("[::]");
    let one = addresses.len() == 1 && !addresses.contains("::") && !addresses.iter().any(|it| everywhere(it));
    let good = match (network, planned.component.as_str()) {
        (Network::Bridge { .. }, _) => said.is_empty(),
        (Network::Host, "frontend") => said.is_empty() || (one && said.len() == 2),
        (Network::Host, "worker") => one && WORKERS.iter().all(|name| env.contains_key(*name)),
        (Network::Host, _) => one && !command.iter().any(|word| everywhere(word)),
    };
    (!good).then(|| format!("says the addresses {said:?} and listens at {ports:?}"))
}

/// Ports of engines that take no address: reports of caches, the block manager's own, and SGLang's.
fn is_told_no_address(spec: &ContainerSpec, port: u16) -> bool {
    let text = port.to_string();
    let word_after = |flag: &str| spec.command.iter().skip_while(|word| *word != flag).nth(1);
    let named = |name: &str| spec.env.get(name).and_then(|text| text.parse::<u16>().ok());
    // One for each rank, and the block manager's reports far above its port.
    let ranks = word_after("--data-parallel-size").and_then(|text| text.parse::<u16>().ok()).unwrap_or(1);
    let reports = spec.command.iter().find_map(|word| word.split_once("tcp://*:")?.1.split('"').next());
    let reports = reports.and_then(|text| text.parse::<u16>().ok());
    let leads = named("DYN_KVBM_LEADER_ZMQ_PUB_PORT");
    reports.is_some_and(|first| (first..first.saturating_add(ranks)).contains(&port))
        || word_after("--port").filter(|_| spec.entrypoint.iter().all(|word| word != "lmcache"))
            == Some(&text)
        || word_after("--prometheus-port") == Some(&text)
        || leads.is_some_and(|first| port == first || Some(port) == first.checked_add(1000))
        || named("DYN_KVBM_LEADER_ZMQ_ACK_PORT") == Some(port)
}

fn ulimits_are_set_once(planned: &Planned) -> Option<String> {
    let limits = &planned.spec.ulimits;
    if let Some(name) = twice(limits.iter().map(|limit| limit.name.as_str())) {
        return Some(format!("has the limit {name} twice"));
    }
    let bad =
        limits.iter().find(|limit| limit.hard != -1 && (limit.soft == -1 || limit.soft > limit.hard))?;
    Some(format!("has the limit {bad:?}"))
}

/// What a container without GPUs would see is the host's to say, so it must be told; and the same variable beside a
/// device request would hand out others than those that were decided.
fn gpus_are_said(planned: &Planned) -> Option<String> {
    let (gpus, visible) = (&planned.spec.gpus, planned.spec.env.get("NVIDIA_VISIBLE_DEVICES"));
    if twice(gpus.iter().map(String::as_str)).is_some() {
        return Some(format!("is given a GPU twice: {gpus:?}"));
    }
    let could_see_gpus = ["frontend", "worker"].contains(&planned.component.as_str());
    // Who serves all workers of a host computes on none of its GPUs and looks into all.
    let for_all = !could_see_gpus && gpus == &["all"];
    if !for_all && gpus.iter().any(|gpu| !gpu.starts_with("GPU-") && !gpu.starts_with("MIG-")) {
        return Some(format!("is given GPUs by other than their UUIDs: {gpus:?}"));
    }
    let said = visible.is_some_and(|visible| visible == "void");
    (could_see_gpus && said != gpus.is_empty())
        .then(|| format!("has the GPUs {gpus:?} and is told {visible:?}"))
}

fn readiness_can_be_asked(planned: &Planned) -> Option<String> {
    let told = |name: &str| planned.spec.env.get(name).map(String::as_str);
    let good = match &planned.ready {
        Readiness::Http { port, path } => {
            let there = planned.spec.ports.iter().any(|binding| binding.container_port == *port);
            *port > 0 && path.starts_with('/') && (there || planned.spec.network != Network::Host)
        }
        Readiness::WorkerListed(listing) => {
            told("DYN_NAMESPACE") == Some(&listing.namespace)
                && planned.spec.command.contains(&listing.served_model_name)
                && listing.instances_path.starts_with('/')
                && listing.models_path.starts_with('/')
                && listing.seat.is_some() == (planned.spec.network == Network::Host)
        }
    };
    (!good).then(|| format!("could never be seen to work: {:?}", planned.ready))
}

/// What a deployment and its worker must agree on to meet. Empty when they do.
pub(crate) fn lint_pair(deployment: &Blueprint, worker: &Blueprint) -> Vec<String> {
    let frontend = deployment.containers.iter().find(|planned| planned.component == "frontend");
    let (Some(frontend), Some(worker)) = (frontend, worker.containers.first()) else {
        return vec!["there is no frontend or no worker".to_owned()];
    };
    let meeting = |env: &BTreeMap<String, String>| -> BTreeMap<String, String> {
        let names = ["DYN_DISCOVERY_BACKEND", "DYN_FILE_KV", "ETCD_ENDPOINTS", "NATS_SERVER"];
        let planes = ["DYN_REQUEST_PLANE", "DYN_EVENT_PLANE", "HF_HOME"];
        let wanted = names.into_iter().chain(planes);
        wanted.filter_map(|name| env.get_key_value(name)).map(|(k, v)| (k.clone(), v.clone())).collect()
    };
    let network = |spec: &ContainerSpec| match &spec.network {
        Network::Bridge { name, .. } => Some(name.clone()),
        Network::Host => None,
    };
    let mut wrong = Vec::new();
    if meeting(&frontend.spec.env) != meeting(&worker.spec.env) {
        wrong.push("frontend and worker do not meet: their environments differ".to_owned());
    }
    if !serves(&frontend.spec, worker.spec.env.get("DYN_NAMESPACE")) {
        wrong.push("the frontend does not serve the worker's namespace".to_owned());
    }
    if network(&frontend.spec) != network(&worker.spec) {
        wrong.push("frontend and worker are on different networks".to_owned());
    }
    if frontend.spec.image != worker.spec.image {
        wrong.push("frontend and worker run different images".to_owned());
    }
    let host_ports = |planned: &Planned| -> Vec<(String, u16)> {
        planned.spec.ports.iter().map(|port| (port.host_address.clone(), port.host_port)).collect()
    };
    let taken: Vec<_> = deployment.containers.iter().flat_map(host_ports).collect();
    if let Some((address, port)) = host_ports(worker).into_iter().find(|port| taken.contains(port)) {
        wrong.push(format!("port {port} of {address} is the worker's and the deployment's"));
    }
    let shared: BTreeSet<&str> = volumes(&frontend.spec).collect();
    if shared != volumes(&worker.spec).collect() {
        wrong.push("frontend and worker do not share their volumes".to_owned());
    }
    let listed_by =
        matches!(&worker.ready, Readiness::WorkerListed(listing) if listing.frontend == frontend.spec.name);
    if !listed_by {
        wrong.push("the worker waits for another frontend".to_owned());
    }
    wrong
}

/// A frontend serves its own namespace, or all that begin with its prefix.
fn serves(frontend: &ContainerSpec, namespace: Option<&String>) -> bool {
    let Some(namespace) = namespace else { return false };
    let mut arguments =
        frontend.command.iter().skip_while(|argument| *argument != "--namespace-prefix").skip(1);
    match (arguments.next(), frontend.env.get("DYN_NAMESPACE")) {
        (Some(prefix), None) => namespace.starts_with(prefix),
        (None, Some(own)) => namespace == own,
        // Both or none: it would serve too little or everybody's workers.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::{Mount, PortBinding, Ulimit};
    use crate::dynamo::decide;
    use crate::dynamo::spec::draft::{CommonDraft, DeploymentDraft, WorkerDraft};
    use crate::dynamo::spec::{HostFacts, Owner};
    use crate::dynamo::terms::given::Given;
    use crate::dynamo::tests::test_release;

    fn good() -> (Blueprint, Blueprint) {
        on(CommonDraft::default(), BTreeMap::new())
    }

    fn on_the_host() -> (Blueprint, Blueprint) {
        let is = |text: &str| Given::Is(text.to_owned());
        let services = BTreeMap::from([("etcd".to_owned(), is("127.0.0.1:2379"))]);
        let ports = [("system", 9090), ("rpc", 9091)].map(|(name, port)| (name.to_owned(), Given::Is(port)));
        on(CommonDraft { network: is("host"), services, ..CommonDraft::default() }, ports.into())
    }

    fn on(common: CommonDraft, ports: BTreeMap<String, Given<i64>>) -> (Blueprint, Blueprint) {
        let is = |text: &str| Given::Is(text.to_owned());
        let common = CommonDraft { name: is("chat"), engine: is("mocker"), model: is("/m"), ..common };
        let deployment =
            DeploymentDraft { common: common.clone(), port: Given::Is(8000), ..DeploymentDraft::default() };
        let worker =
            WorkerDraft { deployment: common, suffix: is("abc234"), ports, ..WorkerDraft::default() };
        let host = HostFacts { cpus: 4, memory_bytes: 8 << 30, ..HostFacts::default() };
        let owner = Owner { run: "run-1".to_owned(), spec_json: String::new() };
        let deployment = deployment.complete_from(test_release::ALL).unwrap();
        let worker = worker.complete_from(test_release::ALL).unwrap();
        (
            decide::deployment(&deployment, &host, &owner).unwrap(),
            decide::worker(&worker, &host, &owner).unwrap(),
        )
    }

    /// One way to break each rule for a container alone, in the order of [`RULES`].
    const BREAKS: &[fn(&mut Planned)] = &[
        |planned| planned.spec.name.push_str("--starting"),
        |planned| planned.spec.image.clear(),
        |planned| planned.spec.command.extend(["--http-port=1".to_owned()]),
        |planned| drop(planned.spec.env.insert("A=B".to_owned(), String::new())),
        |planned| planned.spec.mounts.extend(planned.spec.mounts.clone()),
        |planned| {
            let source = MountSource::HostPath("data".to_owned());
            planned.spec.mounts.push(Mount { source, target: "/x".to_owned(), read_only: false });
        },
        |planned| planned.spec.labels.clear(),
        |planned| planned.spec.restart = Restart::OnFailure(0),
        |planned| planned.spec.stop_grace_seconds = 9,
        |planned| planned.spec.limits.memory_bytes = Some(1),
        |planned| {
            let (container_port, host_port, host_address) = (1, 1, "::1".to_owned());
            planned.spec.ports.push(PortBinding { container_port, host_address, host_port });
        },
        |planned| drop(planned.spec.env.insert("DYN_EVENT_PLANE_HOST".to_owned(), "10.0.0.1".to_owned())),
        |planned| {
            planned.spec.ulimits.push(Ulimit { name: "core".to_owned(), soft: 2, hard: 1 });
        },
        |planned| planned.spec.gpus.push("GPU-0".to_owned()),
        |planned| planned.ready = Readiness::Http { port: 0, path: "/".to_owned() },
    ];

    #[test]
    fn every_rule_can_be_broken_and_says_so() {
        assert_eq!(RULES.len(), BREAKS.len());
        assert_eq!(lint(&good().0), [""; 0]);
        for (rule, (check, damage)) in RULES.iter().zip(BREAKS).enumerate() {
            let mut planned = good().0.containers[0].clone();
            damage(&mut planned);
            assert!(check(&planned).is_some(), "rule {rule}");
        }
    }

    /// A component, and the damage to its container.
    type Break = (&'static str, fn(&mut Planned));

    /// What can only go wrong on the host's own network.
    const HOST_BREAKS: &[Break] = &[
        ("worker", |planned| drop(planned.spec.env.remove("DYN_SYSTEM_HOST"))),
        ("worker", |planned| drop(planned.spec.env.insert("DYN_TCP_RPC_HOST".into(), "10.0.0.1".into()))),
        ("worker", |planned| planned.spec.ports.clear()),
        ("frontend", |planned| drop(planned.spec.env.insert("DYN_EVENT_PLANE_HOST".into(), "::".into()))),
        ("frontend", |planned| planned.spec.ports[0].container_port += 1),
        ("etcd", |planned| planned.spec.ports[0].host_address = "0.0.0.0".into()),
        ("etcd", |planned| planned.spec.command.push("--listen-metrics-urls=http://0.0.0.0:1".into())),
    ];

    #[test]
    fn on_the_hosts_network_everything_says_where_it_is() {
        let (deployment, worker) = on_the_host();
        assert_eq!([lint(&deployment), lint(&worker), lint_pair(&deployment, &worker)].concat(), [""; 0]);
        for (number, (component, damage)) in HOST_BREAKS.iter().enumerate() {
            let mut all = deployment.clone();
            all.containers.extend(worker.containers.clone());
            let broken = all.containers.iter_mut().find(|planned| planned.component == *component);
            damage(broken.unwrap());
            assert!(!lint(&all).is_empty(), "{number}");
        }
        let mut crowded = worker;
        crowded.containers[0].spec.ports[0].host_port = 2379;
        assert_eq!(lint_pair(&deployment, &crowded).len(), 1);
    }

    #[test]
    fn containers_that_do_not_go_together_are_told() {
        let (deployment, worker) = good();
        let mut twins = deployment.clone();
        twins.containers.extend(deployment.containers.clone());
        assert_eq!(lint(&twins).len(), 3, "name, port and alias: {:?}", lint(&twins));
        let mut astray = deployment.clone();
        astray.network = Some(crate::container::NetworkSpec::default());
        astray.volumes.clear();
        assert_eq!(lint(&astray).len(), 2);
        assert_eq!(lint_pair(&deployment, &worker), [""; 0]);
        let mut stranger = worker.clone();
        let spec = &mut stranger.containers[0].spec;
        spec.env.remove("DYN_NAMESPACE");
        spec.image.push('x');
        spec.mounts.clear();
        spec.network = Network::Host;
        assert_eq!(lint_pair(&deployment, &stranger).len(), 4);
        stranger.containers[0].spec.env.insert("DYN_FILE_KV".into(), "/elsewhere".into());
        assert_eq!(lint_pair(&deployment, &stranger).len(), 5);
    }
}
