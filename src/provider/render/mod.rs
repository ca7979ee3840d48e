//! `render`: what a deployment and its workers come to, without Terraform and without a host.
//!
//! The way is that of a plan: schema, defaults, drafts, checks, decisions. Only what apply asks a host for has a stand-in
//! here: ports are the first ones of their kind, GPUs are given out in order, a model of the hub is not there yet. So whoever
//! wonders which command a worker will run, and whoever tests the provider against Dynamo's own parsers, sees the truth.

mod file;
mod output;

use crate::dynamo::blueprint::Blueprint;
use crate::dynamo::decide::cache_budget::Pinned;
use crate::dynamo::decide::{cache_budget, limits};
use crate::dynamo::facts::topology::WorkerPort;
use crate::dynamo::gpus::choose;
use crate::dynamo::spec::gpus::{GpuName, GpuRequest};
use crate::dynamo::spec::{HostFacts, Owner, WorkerSpec};
use crate::dynamo::terms::amount::GIB;
use crate::dynamo::terms::endpoint::Endpoint;
use crate::dynamo::terms::objection::{Field, Objection, Refusal};
use crate::dynamo::terms::words::NetworkMode;
use crate::dynamo::terms::{names, ports};
use crate::dynamo::{check, decide};
use crate::inventory::gpu::{Gpu, GpuInventory};
use crate::provider::attributes::blocks::TextMap;
use crate::provider::attributes::picked_ports::Ports;
use crate::provider::attributes::{paths, picked_ports, to_draft};
use crate::provider::deployment::model::HostConfigView;
use crate::provider::deployment::schema::DeploymentModel;
use crate::provider::deployment::{image_tag, model as deployments};
use crate::provider::lifecycle::resource;
use crate::provider::plan_checks::docker;
use crate::provider::plan_checks::secrets;
use crate::provider::worker::model as workers;
use crate::provider::worker::provisional;
use crate::provider::worker::provisional::provisional_spec;
use crate::provider::worker::schema::{DeploymentView, WorkerModel};
use crate::tf_provider::attr::{Attr, Nested};
use crate::tf_provider::diagnostics::Diagnostics;
use crate::tf_provider::model::Model;
use crate::tf_provider::provider::shown;
use crate::tf_provider::value::{Path, Value};
use file::HostFile;
use output::Output;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// The host of a file that names none.
const LOCAL: &str = "local";
/// GPUs of a host of which nothing is said.
const GPUS: u32 = 8;
/// Workers of one entry.
const MOST_WORKERS: u64 = 64;

/// The containers that a file asks for, as JSON, and warnings. Errors have their paths in the file.
pub fn render(text: &str) -> Result<(String, Diagnostics), Diagnostics> {
    let json = file::parse(text)?;
    let root = Path::root();
    let members = file::members(&json, &["hosts", "deployment", "workers"], &root)?;
    let mut stage = Stage { hosts: hosts(members.get("hosts"))?, output: Output::default() };
    let deployment = members.get("deployment").ok_or_else(|| file::wrong(&root, "It has no deployment"))?;
    let (deployment, mut warnings) = stage.deployment(deployment)?;
    let entries = match members.get("workers") {
        None => &[],
        Some(Json::Array(entries)) => entries.as_slice(),
        Some(_) => return Err(file::wrong(&Path::of("workers"), "This is not a list")),
    };
    let mut made = 0_u8;
    for (position, entry) in entries.iter().enumerate() {
        let path = Path::of("workers").index(position);
        let (entry, count) = counted(entry, &path)?;
        for _ in 0..count {
            warnings.extend(stage.worker(&entry, &deployment, made, &path)?);
            made = made.checked_add(1).ok_or_else(|| file::wrong(&path, "These are too many workers"))?;
        }
    }
    let text = serde_json::to_string_pretty(&stage.output);
    text.map(|text| (text + "\n", warnings)).map_err(|error| file::wrong(&root, &error.to_string()))
}

/// Terraform's own `count` of an entry, and the rest of it.
fn counted(entry: &Json, path: &Path) -> Result<(Json, u64), Diagnostics> {
    let mut entry = entry.clone();
    let count = entry.as_object_mut().and_then(|members| members.remove("count"));
    let count = count.map_or(Some(1), |count| count.as_u64().filter(|count| *count <= MOST_WORKERS));
    let wrong = || file::wrong(&path.attribute("count"), &format!("Give 0 to {MOST_WORKERS}"));
    Ok((entry, count.ok_or_else(wrong)?))
}

/// A host as the file has it.
struct Host {
    facts: HostFacts,
    says: HostFile,
    gpus: GpuInventory,
    free: Vec<String>,
    /// Ports on its own network.
    taken: BTreeSet<u16>,
    /// Ports of servers that workers share, by their containers.
    servers: BTreeMap<String, Ports>,
    /// Bytes that are pinned for caches, by who pins them.
    pinned: BTreeMap<String, u64>,
}

fn hosts(json: Option<&Json>) -> Result<BTreeMap<String, Host>, Diagnostics> {
    let path = Path::of("hosts");
    let Some(json) = json else {
        return Ok(BTreeMap::from([(LOCAL.to_owned(), host(&Json::Object(Default::default()), &path)?)]));
    };
    let entries = json.as_object().ok_or_else(|| file::wrong(&path, "This is not an object"))?;
    entries.iter().map(|(name, json)| Ok((name.clone(), host(json, &path.key(name))?))).collect()
}

fn host(json: &Json, path: &Path) -> Result<Host, Diagnostics> {
    let written = file::read::<HostFile>(json, &[], path)?;
    let (_, says, _) = file::proposed::<HostFile>(&written, path, |_| Diagnostics::new())?;
    let too_much = |name| file::wrong(&path.attribute(name), "This is more than any machine has");
    let memory = to_draft::amount(&says.memory_gb).known().and_then(|amount| amount.times(GIB));
    let cpus = says.cpus.known().and_then(|cpus| u32::try_from(*cpus).ok());
    let reserved = match &says.reserved {
        Attr::Known(Nested(reserved)) => reserved.clone(),
        Attr::Null | Attr::Unknown => Default::default(),
    };
    let uuids = match &says.gpus {
        Attr::Known(_) => to_draft::known_texts(&says.gpus),
        Attr::Null | Attr::Unknown => (0..GPUS).map(|index| format!("GPU-0000000{index}")).collect(),
    };
    let gpu = |(index, uuid): (u32, &String)| Gpu { index, uuid: uuid.clone(), ..Gpu::default() };
    Ok(Host {
        facts: HostFacts {
            cpus: cpus.ok_or_else(|| too_much("cpus"))?,
            memory_bytes: memory.ok_or_else(|| too_much("memory_gb"))?,
            reserved_cpus: to_draft::amount(&reserved.cpus).known().cloned(),
            reserved_memory_gb: to_draft::amount(&reserved.memory_gb).known().cloned(),
            model_cache: says.model_cache.known().cloned(),
            advertise_address: says.advertise_address.known().cloned(),
            model_place: None,
        },
        gpus: GpuInventory { gpus: (0..).zip(&uuids).map(gpu).collect(), ..GpuInventory::default() },
        free: uuids,
        says,
        taken: BTreeSet::new(),
        servers: BTreeMap::new(),
        pinned: BTreeMap::new(),
    })
}

struct Stage {
    hosts: BTreeMap<String, Host>,
    output: Output,
}

impl Stage {
    /// The name of the host that is meant where none is named.
    fn default_host(&self) -> Option<&str> {
        let mut names = self.hosts.keys();
        names.next().filter(|_| names.next().is_none()).map(String::as_str)
    }

    fn host(&mut self, name: &str, path: &Path) -> Result<&mut Host, Diagnostics> {
        let there = self.hosts.keys().cloned().collect::<Vec<_>>().join(", ");
        let what = if name.is_empty() {
            format!("Name one of the hosts {there}")
        } else {
            format!("There is no host {name:?}; the file has {there}")
        };
        self.hosts.get_mut(name).ok_or_else(|| file::wrong(&path.attribute("host"), &what))
    }

    /// Decides a deployment, and gives it back as its workers get it.
    fn deployment(&mut self, json: &Json) -> Result<(Value, Diagnostics), Diagnostics> {
        let path = Path::of("deployment");
        let own = |model: &DeploymentModel| {
            let mut found = deployments::objections(model).map_or_else(|error| error, paths::diagnostics);
            found.extend(docker::warnings(&model.docker));
            found.extend(secrets::warnings(
                &model.env,
                &[
                    ("engine_args", &model.engine_args),
                    ("prefill_engine_args", &model.prefill_engine_args),
                    ("decode_engine_args", &model.decode_engine_args),
                ],
            ));
            found
        };
        let written = file::read::<DeploymentModel>(json, &[], &path)?;
        let (config, mut planned, mut warnings) = file::proposed::<DeploymentModel>(&written, &path, own)?;
        planned.secret_env = config.secret_env.clone();
        if planned.host.known().is_none() {
            planned.host = self.default_host().unwrap_or_default().into();
        }
        if planned.name.known().is_none() {
            planned.name = Attr::Known(names::generated([0; names::SUFFIX_LENGTH]));
        }
        if planned.port.known().is_none() {
            planned.port = Attr::Known(i64::from(ports::FRONTEND_FROM));
        }
        // Nothing was looked for, so nothing was found.
        planned.model_source = "download".into();
        let host_name = shown(&planned.host).to_owned();
        let host = self.host(&host_name, &path)?;
        let says = HostConfigView {
            model_cache: &host.says.model_cache,
            advertise_address: &host.says.advertise_address,
        };
        deployments::derive(&config, &mut planned, says);
        if planned.services.is_unknown() {
            planned.services = services(&planned, says.advertise_address);
            deployments::derive(&config, &mut planned, says);
        }
        let blueprint =
            decide_deployment(&planned, &host.facts).map_err(|found| file::below(&path, found))?;
        let ports = blueprint.containers.iter().flat_map(|planned| &planned.spec.ports);
        host.taken.extend(ports.map(|port| port.host_port));
        self.output.add(&host_name, blueprint);
        warnings.extend(file::below(&path, image_tag::warnings(&config, &planned)));
        Ok((file::part(&DeploymentView::entries(), &planned.to_value()), warnings))
    }

    /// Decides the worker that is the `number`th of the file.
    fn worker(
        &mut self,
        json: &Json,
        deployment: &Value,
        number: u8,
        path: &Path,
    ) -> Result<Diagnostics, Diagnostics> {
        let own = |model: &WorkerModel| {
            let mut found = workers::objections(model).map_or_else(|error| error, paths::diagnostics);
            found.extend(docker::warnings(&model.docker));
            found.extend(secrets::warnings(&model.env, &[("engine_args", &model.engine_args)]));
            found
        };
        let written = file::read::<WorkerModel>(json, &["deployment"], path)?;
        let with_deployment = file::with(written, "deployment", deployment);
        let (config, mut planned, warnings) = file::proposed::<WorkerModel>(&with_deployment, path, own)?;
        planned.secret_env = config.secret_env.clone();
        planned.container = workers::container_name(&planned, &names::suffix(token(number))).into();
        planned.model_source = "download".into();
        workers::derive(&config, &mut planned);
        let host_name = shown(&planned.host).to_owned();
        let host = self.host(&host_name, path)?;
        if planned.ports.is_unknown() {
            let ports = host.ports_of(&planned).map_err(|found| file::below(path, found))?;
            planned.ports = Attr::Known(ports);
        }
        let blueprint = decide_worker(&mut planned, &host_name, host);
        let blueprint = blueprint.map_err(|found| file::below(path, found))?;
        self.output.add(&host_name, blueprint);
        Ok(warnings)
    }
}

/// A different one for each number.
fn token(number: u8) -> [u8; names::SUFFIX_LENGTH] {
    [0, 0, 0, 0, number / 16, number % 16]
}

/// Every service at its own port.
fn services(planned: &DeploymentModel, advertise: &Attr<String>) -> Attr<TextMap> {
    let rows = deployments::topology_of(planned).filter(|row| row.network == NetworkMode::Host);
    let address = picked_ports::advertised(advertise);
    let seat = |port| Endpoint { address: address.to_owned(), port }.to_string();
    let services = rows.into_iter().flat_map(|row| row.services);
    Attr::Known(services.map(|row| (row.name.to_owned(), Attr::Known(seat(row.port)))).collect())
}

fn owner(spec_json: String) -> Owner {
    Owner { run: String::new(), spec_json }
}

fn decide_deployment(planned: &DeploymentModel, facts: &HostFacts) -> Result<Blueprint, Diagnostics> {
    let spec = deployments::draft(planned)?.complete().map_err(paths::diagnostics)?;
    decide::deployment(&spec, facts, &owner(resource::label(planned)?)).map_err(paths::diagnostics)
}

fn decide_worker(planned: &mut WorkerModel, name: &str, host: &mut Host) -> Result<Blueprint, Diagnostics> {
    let request = provisional_spec(planned)?.gpu_request;
    let mut gpus = host.give(&request, name).map_err(|objection| paths::diagnostics(vec![objection]))?;
    gpus.sort_unstable();
    planned.gpu_uuids = Attr::Known(gpus.iter().map(|uuid| uuid.as_str().into()).collect());
    let spec = workers::draft(planned)?.complete().map_err(paths::diagnostics)?;
    host.pin(&spec, shown(&planned.container), name)
        .map_err(|objection| paths::diagnostics(vec![objection]))?;
    decide::worker(&spec, &host.facts, &owner(resource::label(planned)?)).map_err(paths::diagnostics)
}

impl Host {
    /// Ports of its own, and those of the server that it shares with others.
    fn ports_of(&mut self, worker: &WorkerModel) -> Result<Ports, Diagnostics> {
        let mut ports = self.pick(&provisional::own_rows(worker), check::ranks(&workers::draft(worker)?))?;
        if let Some((server, name)) = provisional::server_of(worker) {
            let theirs = match self.servers.get(&name) {
                Some(theirs) => theirs.clone(),
                None => self.pick(&server.ports.iter().collect::<Vec<_>>(), 1)?,
            };
            self.servers.insert(name, theirs.clone());
            ports.extend(theirs);
        }
        Ok(ports)
    }

    /// The first ports of their kind that nobody else of the file has.
    fn pick(&mut self, rows: &[&WorkerPort], ranks: u16) -> Result<Ports, Diagnostics> {
        let picked = rows.iter().map(|row| {
            let offsets = row.offsets(ranks);
            let port = ports::pick(row.from, "0.0.0.0", &[], &offsets, |port| self.taken.contains(&port));
            let port =
                port.map_err(|refusal| paths::diagnostics(vec![refusal.at(Field::WorkerPort(row.name))]))?;
            self.taken.extend(offsets.iter().filter_map(|above| port.checked_add(*above)));
            Ok((row.name.to_owned(), Attr::Known(i64::from(port))))
        });
        picked.collect()
    }

    /// Sums up the caches of the file's workers, as a plan does.
    fn pin(&mut self, spec: &WorkerSpec, container: &str, name: &str) -> Result<(), Objection> {
        let cache = cache_budget::of(spec);
        for (pinned, bytes) in cache.memory {
            let who = match pinned {
                Pinned::Itself => container.to_owned(),
                Pinned::ServerOf(deployment) => format!("the server of {deployment}"),
            };
            self.pinned.insert(who, bytes);
        }
        let all: Vec<u64> = self.pinned.values().copied().collect();
        match limits::available(&self.facts) {
            Ok(room) => cache_budget::memory_fits(name, &all, room.memory_bytes),
            Err(_) => Ok(()), // The reserve is refused where the container is decided.
        }
    }

    /// GPUs that nobody else of the file has.
    fn give(&mut self, request: &GpuRequest, name: &str) -> Result<Vec<String>, Objection> {
        let given = match request {
            GpuRequest::None => Vec::new(),
            GpuRequest::Named(names) => {
                let find = |(at, gpu): (usize, &GpuName)| {
                    let uuid = gpu.find(&self.gpus, name).map_err(|refusal| refusal.at(Field::Gpu(at)))?;
                    if self.free.iter().any(|free| free == uuid) {
                        return Ok(uuid.to_owned());
                    }
                    let refusal = Refusal::new(
                        format!("{gpu} is given to another worker as well"),
                        "give each its own",
                    );
                    Err(refusal.at(Field::Gpu(at)))
                };
                names.iter().enumerate().map(find).collect::<Result<_, _>>()?
            }
            GpuRequest::Count(count) => {
                let free: Vec<&str> = self.free.iter().map(String::as_str).collect();
                choose::choose(&self.gpus, &free, *count, &[]).map_err(|short| {
                    let what = format!(
                        "{} GPUs are free on host {name:?}, and {} are asked for",
                        short.free, short.wanted
                    );
                    Refusal::new(what, "give the host more in the file").at(Field::GpuCount)
                })?
            }
        };
        self.free.retain(|uuid| !given.contains(uuid));
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("testdata/example.json");

    #[test]
    fn a_file_comes_to_what_it_came_to() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/provider/render/testdata/example.out.json");
        let (text, warnings) = render(EXAMPLE).unwrap();
        if std::env::var("UPDATE_GOLDEN").is_ok() {
            std::fs::write(path, &text).unwrap();
        }
        assert_eq!(text, std::fs::read_to_string(path).unwrap(), "UPDATE_GOLDEN=1 accepts this");
        assert_eq!(warnings.0.len(), 1, "{warnings:?}");
    }

    fn refused(text: &str) -> Vec<String> {
        let found = render(text).unwrap_err().0;
        let said = found.iter().map(|error| {
            let path = error.path.clone().unwrap_or_default();
            assert!(!error.detail.is_empty());
            format!("{path}: {}", error.detail)
        });
        said.collect()
    }

    #[test]
    fn what_is_wrong_is_said_at_its_place_in_the_file() {
        let deployment = r#""deployment":{"name":"chat","engine":"mocker","model":"/m"}"#;
        let table = [
            ("", ": "),
            ("[]", ": This is not an object"),
            ("{}", ": It has no deployment"),
            (r#"{"deployments":{}}"#, "deployments: There is no"),
            (r#"{"deployment":{}}"#, "deployment.engine: Is not set"),
            (
                r#"{"deployment":{"engine":"mocker","model":"/m","modle":"x"}}"#,
                "deployment.modle: There is no",
            ),
            (
                r#"{"deployment":{"engine":"mocker","model":"/m","docker":{"volume":[{"host_path":"a","container_path":"/b"}]}}}"#,
                "deployment.docker.volume[0].host_path: \"a\" is not an absolute path",
            ),
            (
                r#"{"deployment":{"engine":"mocker","model":"/m","docker":{"volume":[{"path":"a"}]}}}"#,
                "deployment.docker.volume[0].path: There is no",
            ),
            (r#"{"deployment":{"engine":"mocker","model":1}}"#, "deployment.model: "),
            (r#"{"deployment":{"engine":"mocker","model":"/m","port":0}}"#, "deployment.port: "),
            (
                r#"{"deployment":{"engine":"mocker","model":"/m","host":"x"}}"#,
                "deployment.host: There is no host",
            ),
            (r#"{D,"workers":{}}"#, "workers: This is not a list"),
            (r#"{D,"workers":[{"deployment":{}}]}"#, "workers[0].deployment: There is no"),
            (r#"{D,"workers":[{},{"role":"x"}]}"#, "workers[1].role: There is no \"x\""),
            (r#"{D,"workers":[{"count":-1}]}"#, "workers[0].count: Give"),
            (r#"{D,"workers":[{"gpus":["0"]},{"gpus":["0"]}]}"#, "workers[1].gpus[0]: GPU 0 is given"),
            (r#"{D,"workers":[{"gpu_count":9}]}"#, "workers[0].gpu_count: 8 GPUs are free"),
            (r#"{D,"workers":[{"engine_args":{"x":["a",null]}}]}"#, "workers[0].engine_args: A list of"),
            (r#"{D,"workers":[{"resources":{"cpus":1000}}]}"#, "workers[0].resources.cpus: "),
            (r#"{D,"hosts":{"a":{"cpus":0}}}"#, "hosts[\"a\"].cpus: "),
            (r#"{D,"hosts":{"a":{},"b":{}}}"#, "deployment.host: Name one of the hosts a, b"),
        ];
        for (text, expected) in table {
            let found = refused(&text.replacen('D', deployment, usize::from(text.starts_with("{D"))));
            assert!(found.first().is_some_and(|error| error.starts_with(expected)), "{text}: {found:?}");
        }
    }

    /// What one worker alone may have, two may not.
    #[test]
    fn caches_of_a_host_are_summed_up() {
        let text = |workers: u8| {
            format!(
                r#"{{
                    "deployment": {{
                        "name": "chat", "engine": "vllm", "model": "acme/tiny", "dynamo_version": "1.6.1",
                        "connector": {{ "type": "kvbm", "cpu_cache_gb": 150 }}
                    }},
                    "workers": [{{ "gpu_count": 1, "count": {workers} }}]
                }}"#
            )
        };
        assert!(render(&text(1)).is_ok());
        let found = refused(&text(2));
        assert!(found[0].starts_with("workers[0].deployment: ") && found[0].contains("300 GB"), "{found:?}");
    }

    #[test]
    fn an_image_of_another_release_is_warned_of() {
        let text = |more: &str| {
            format!(
                r#"{{"deployment": {{"name": "chat", "engine": "mocker", "model": "/m", "image": "x:1.3.1"{more}}}}}"#
            )
        };
        assert_eq!(render(&text("")).unwrap().1, Diagnostics::new());
        let (_, warnings) = render(&text(r#", "dynamo_version": "1.6.1""#)).unwrap();
        assert_eq!(warnings.0[0].path, Some(Path::of("deployment").attribute("image")));
    }

    /// Each rank reports at a port of its own, and the block manager's reports go out far above its port.
    #[test]
    fn no_port_of_a_host_is_given_twice() {
        let ranks = r#""engine_args": {"dp": 2}"#;
        let blocks = r#""connector": {"type": "kvbm", "cpu_cache_gb": 4}"#;
        for (more, among) in [(ranks, 20_085), (blocks, 27_005)] {
            let text = format!(
                r#"{{
                    "deployment": {{
                        "name": "chat", "engine": "vllm", "model": "acme/tiny", "network": "host", "port": 9091,
                        "router": {{"mode": "kv"}}, {more}
                    }},
                    "workers": [{{"gpu_count": 2, "count": 3}}]
                }}"#
            );
            let rendered: Json = serde_json::from_str(&render(&text).unwrap().0).unwrap();
            let containers = rendered["containers"].as_array().unwrap();
            let ports = containers.iter().flat_map(|it| it["ports"].as_array().unwrap());
            let ports: Vec<u64> = ports.map(|port| port["host_port"].as_u64().unwrap()).collect();
            assert_eq!(ports.len(), ports.iter().collect::<BTreeSet<_>>().len(), "{ports:?}");
            assert!(ports.contains(&among), "{ports:?}");
        }
    }

    #[test]
    fn workers_of_a_host_share_one_cache_server() {
        let text = r#"{
            "hosts": {"a": {"advertise_address": "10.0.0.1"}, "b": {"advertise_address": "10.0.0.2"}},
            "deployment": {"name": "chat", "host": "a", "engine": "vllm", "model": "/m", "network": "host",
                           "connector": {"type": "lmcache"}},
            "workers": [{"host": "b", "gpu_count": 1, "count": 2}]
        }"#;
        let json: Json = serde_json::from_str(&render(text).unwrap().0).unwrap();
        let of = |container: &Json, name: &str| container[name].as_str().unwrap_or_default().to_owned();
        let containers = json["containers"].as_array().unwrap();
        let made = containers.iter().map(|it| of(it, "component") + "@" + &of(it, "host"));
        assert_eq!(
            made.collect::<Vec<_>>(),
            ["etcd@a", "frontend@a", "lmcache@b", "worker@b", "worker@b"],
            "before its workers, and once"
        );
        let (server, workers) = (&containers[2], &containers[3..]);
        assert_eq!(server["ports"][0]["address"], "127.0.0.1");
        let told = format!(r#""lmcache.mp.port":{}"#, server["ports"][0]["host_port"]);
        for worker in workers {
            let mut words = worker["argv"].as_array().unwrap().iter().filter_map(Json::as_str);
            assert!(words.any(|word| word.contains(&told)), "{told}: {worker}");
        }
        assert_ne!(workers[0]["ports"], workers[1]["ports"]);
    }

    #[test]
    fn several_hosts_share_nothing_and_workers_have_names_of_their_own() {
        let text = r#"{
            "hosts": {"a": {"advertise_address": "10.0.0.1"}, "b": {"advertise_address": "10.0.0.2"}},
            "deployment": {"name": "chat", "host": "a", "engine": "mocker", "model": "/m", "network": "host"},
            "workers": [{"gpu_count": 2}, {"host": "b", "gpu_count": 2, "count": 40}]
        }"#;
        let few = render(&text.replace("40", "2")).unwrap().0;
        let few: Json = serde_json::from_str(&few).unwrap();
        let of = |index: usize, name: &str| few["containers"][index][name].clone();
        assert_eq!((of(0, "component"), of(1, "component")), ("etcd".into(), "frontend".into()));
        assert_eq!((of(2, "host"), of(3, "host")), ("a".into(), "b".into()));
        assert_eq!(of(2, "gpus"), of(3, "gpus"), "each host has its own");
        assert_ne!(of(3, "gpus"), of(4, "gpus"));
        assert_ne!(of(3, "ports"), of(4, "ports"));
        let many = text.replace(r#""gpu_count": 2, "count""#, r#""count""#);
        let many: Json = serde_json::from_str(&render(&many).unwrap().0).unwrap();
        let names: std::collections::BTreeSet<String> =
            many["containers"].as_array().unwrap().iter().map(|it| it["name"].to_string()).collect();
        assert_eq!(names.len(), 43);
    }
}
