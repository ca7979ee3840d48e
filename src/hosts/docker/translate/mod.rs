//! Our words to the Engine's JSON (`request`) and back (`answer`); nothing else in the program knows both.
//!
//! The Engine normalizes what it is given: it adds an alias to every network, defaults to `/dev/shm`, a prefix to
//! capabilities. Read naively, that would show up as drift. So `observed` gives back exactly the
//! [`ContainerSpec`](crate::container::ContainerSpec) that `create_body` was given, in its
//! [canonical spelling](crate::container::spelling), and the tests hold that for recorded answers of real
//! Engines. Fields that a spec does not have (set by whoever made a container that is not ours) are dropped.

mod answer;
mod request;

pub(in crate::hosts) use answer::{image_facts, local_image, observed};
pub(in crate::hosts) use request::{create_body, update_body};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::labels::Ownership;
    use crate::container::spelling::canonical;
    use crate::container::{
        ContainerSpec, Ipc, Limits, Log, Mount, MountSource, Network, PortBinding, Restart, RunState, Secret,
        SecretEnv, Ulimit, image_defaults, labels,
    };
    use crate::inventory::ImageFacts;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn map(pairs: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn port(container_port: u16, host_address: &str, host_port: u16) -> PortBinding {
        PortBinding { container_port, host_address: host_address.into(), host_port }
    }

    /// Every field set, nothing in canonical order.
    fn bridge() -> ContainerSpec {
        let ownership = Ownership {
            deployment: "hosts-chat".into(),
            component: "worker".into(),
            role: Some("decode".into()),
            run: "r1".into(),
            spec: "{}".into(),
        };
        let mut labels = ownership.to_labels();
        labels.insert("team".into(), "a".into());
        let mount = |source, target: &str, read_only| Mount { source, target: target.into(), read_only };
        let ulimit = |name: &str, value| Ulimit { name: name.into(), soft: value, hard: value };
        ContainerSpec {
            name: "hosts-full".into(),
            image: "busybox:local".into(),
            entrypoint: words(&["/bin/sh"]),
            command: words(&["-c", "sleep 1000"]),
            env: map(&[("B", "2"), ("A", "x=y"), ("EMPTY", "")]),
            secret_env: Default::default(),
            user: Some("0:0".into()),
            labels,
            mounts: vec![
                mount(MountSource::Volume("hosts-vol".into()), "/vol", false),
                mount(MountSource::HostPath("/tmp".into()), "/host tmp", true),
            ],
            ports: vec![
                port(8000, "127.0.0.1", 18801),
                port(8000, "0.0.0.0", 18800),
                port(9090, "127.0.0.1", 18802),
            ],
            network: Network::Bridge { name: "hosts-net".into(), aliases: words(&["worker", "decode"]) },
            restart: Restart::UnlessStopped,
            limits: Limits { nano_cpus: Some(1_500_000_000), memory_bytes: Some(256 << 20) },
            shm_bytes: Some(128 << 20),
            ulimits: vec![ulimit("stack", 67_108_864), ulimit("memlock", 65_536)],
            extra_hosts: map(&[("host.docker.internal", "host-gateway"), ("six", "fd00::1")]),
            cap_add: words(&["IPC_LOCK", "CAP_SYS_NICE"]),
            devices: words(&["/dev/null:/dev/infinite", "/dev/zero"]),
            gpus: vec![],
            ipc: Ipc::Shareable,
            privileged: false,
            runtime: Some("runc".into()),
            log: Some(Log {
                driver: Some("json-file".into()),
                options: map(&[("max-size", "10m"), ("max-file", "3")]),
            }),
            networks: words(&["hosts-other"]),
            make_folders: vec![],
            stop_grace_seconds: 3,
        }
    }

    fn host_gpu() -> ContainerSpec {
        ContainerSpec {
            name: "hosts-two".into(),
            entrypoint: vec![],
            command: vec![],
            user: None,
            ports: vec![],
            network: Network::Host,
            limits: Limits::default(),
            shm_bytes: None,
            gpus: words(&["GPU-1", "GPU-0"]),
            ipc: Ipc::Host,
            privileged: true,
            runtime: None,
            log: None,
            networks: vec![],
            ..bridge()
        }
    }

    fn image() -> ImageFacts {
        image_facts(serde_json::from_str(include_str!("testdata/image.json")).unwrap())
    }

    fn seen(json: &str) -> crate::container::ObservedContainer {
        observed(serde_json::from_str(json).unwrap(), Some(&image()))
    }

    #[test]
    fn a_real_engine_gives_back_what_it_was_given() {
        let table = [
            (bridge(), include_str!("testdata/bridge.json")),
            (host_gpu(), include_str!("testdata/host-gpu.json")),
        ];
        for (spec, json) in table {
            let mut wanted = canonical(&spec);
            image_defaults::subtract(&mut wanted, &image());
            assert_eq!(seen(json).spec, wanted);
        }
    }

    #[test]
    fn the_state_around_the_spec_is_read() {
        let running = seen(include_str!("testdata/bridge.json"));
        assert_eq!(running.state, RunState::Running);
        assert_eq!(running.ip_address.as_deref(), Some("172.19.0.2"));
        assert_eq!(running.networks, ["hosts-net", "hosts-other"]);
        assert_eq!(running.image_id, image().id);
        assert!(running.started_at.starts_with("2026-"));
        let refused = seen(include_str!("testdata/host-gpu.json"));
        assert_eq!((refused.state, refused.started_at.as_str()), (RunState::Created, ""));
        assert_eq!(refused.ip_address, None);
    }

    #[test]
    fn containers_of_others_are_understood_too() {
        let spec = seen(include_str!("testdata/foreign.json")).spec;
        assert_eq!(
            spec,
            ContainerSpec {
                name: "hosts-foreign".into(),
                image: "busybox:local".into(),
                command: words(&["sleep", "5"]),
                env: map(&[("PATH", "/mine")]),
                mounts: vec![
                    Mount {
                        source: MountSource::HostPath("/tmp".into()),
                        target: "/x".into(),
                        read_only: true
                    },
                    Mount {
                        source: MountSource::Volume("hosts-v".into()),
                        target: "/y".into(),
                        read_only: false
                    },
                ],
                ports: vec![port(80, "0.0.0.0", 18811)],
                network: Network::Bridge { name: "bridge".into(), aliases: vec![] },
                restart: Restart::OnFailure(3),
                runtime: Some("runc".into()),
                log: Some(Log { driver: Some("json-file".into()), ..Log::default() }),
                limits: Limits { nano_cpus: Some(500_000_000), memory_bytes: Some(64 << 20) },
                devices: words(&["/dev/zero:/dev/z:r"]),
                gpus: words(&["0", "1"]),
                stop_grace_seconds: 10,
                ..Default::default()
            }
        );
    }

    #[test]
    fn gpus_that_were_handed_out_in_other_ways_are_seen() {
        let gpus = |host: &str, env: &str| {
            let text = format!(
                r#"{{"Id":"1","HostConfig":{host},"Config":{{"Env":["NVIDIA_VISIBLE_DEVICES={env}"]}}}}"#
            );
            // An image that asks for all GPUs, as CUDA's do: what it sets counts too.
            let image = ImageFacts {
                id: String::new(),
                size_bytes: 0,
                env: vec!["NVIDIA_VISIBLE_DEVICES=all".into()],
                user: String::new(),
                labels: Default::default(),
                entrypoint: vec![],
                command: vec![],
            };
            observed(serde_json::from_str(&text).unwrap(), Some(&image)).spec.gpus
        };
        let nvidia = r#"{"Runtime":"nvidia"}"#;
        let cdi = r#"{"Runtime":"runc","DeviceRequests":[{"Driver":"cdi","DeviceIDs":["nvidia.com/gpu=1","vendor.com/net=a"]}]}"#;
        let both = r#"{"Runtime":"nvidia","DeviceRequests":[{"DeviceIDs":["1"],"Capabilities":[["gpu"]]}]}"#;
        let table: [(&str, &str, &[&str]); 7] = [
            (nvidia, "all", &["all"]),
            (nvidia, "0,GPU-1", &["0", "GPU-1"]),
            (nvidia, "void", &[]),
            (nvidia, "none", &[]),
            (r#"{"Runtime":"runc"}"#, "all", &[]),
            (cdi, "all", &["1"]),
            (both, "all", &["1"]),
        ];
        for (host, env, expected) in table {
            assert_eq!(gpus(host, env), expected, "{host} {env}");
        }
    }

    #[test]
    fn what_the_engine_adds_was_not_asked_for() {
        let text = |labels: &str| {
            format!(
                r#"{{"Id":"1","HostConfig":{{"Runtime":"nvidia","LogConfig":{{"Type":"journald","Config":{{"tag":"a"}}}},
                "Ulimits":[{{"Name":"nofile","Soft":1,"Hard":2}}]}},"Config":{{"Labels":{{{labels}}}}}}}"#
            )
        };
        let spec = |labels: &str| observed(serde_json::from_str(&text(labels)).unwrap(), None).spec;
        let ours = r#""io.dynamo-terraform.manager":"terraform-provider-dynamo","io.dynamo-terraform.deployment":"a","io.dynamo-terraform.component":"b""#;
        let silent = spec(ours);
        assert_eq!((silent.runtime, silent.log, silent.ulimits), (None, None, vec![]));
        let asked = spec(&format!(r#"{ours},"io.dynamo-terraform.asked":"log-opt:tag ulimit:nofile""#));
        let log = Log { driver: None, options: map(&[("tag", "a")]) };
        assert_eq!((asked.runtime, asked.log, asked.ulimits.len()), (None, Some(log), 1));
        assert!(!asked.labels.contains_key(crate::container::labels::ASKED));
        // Nobody asked us for those of somebody else, so all of it is what they have.
        let foreign = spec("");
        assert_eq!((foreign.runtime.as_deref(), foreign.ulimits.len()), (Some("nvidia"), 1));
    }

    #[test]
    fn secret_variables_are_told_from_the_others() {
        let values = ["TOKEN", "B"].map(|name| (name.to_owned(), Secret::new("hunter2")));
        let secret_env = SecretEnv { values: values.into(), version: Some("7".into()) };
        let spec = ContainerSpec { secret_env, env: map(&[("A", "1")]), ..bridge() };
        let body = create_body(&spec, "m1", None);
        let (env, labels) = (body.env.unwrap(), body.labels.unwrap());
        assert_eq!(env, words(&["A=1", "B=hunter2", "TOKEN=hunter2"]));
        assert!(!format!("{labels:?}").contains("hunter2"), "{labels:?}");
        let config = serde_json::json!({ "Id": "1", "Config": { "Env": env, "Labels": labels } });
        let seen = observed(serde_json::from_value(config).unwrap(), None).spec;
        assert_eq!((&seen.env, &seen.secret_env, &seen.labels), (&spec.env, &spec.secret_env, &spec.labels));
        assert!(!format!("{seen:?}").contains("hunter2"));
    }

    #[test]
    fn labels_of_the_image_say_nothing_of_the_container() {
        // As an image of the frontend of another deployment on the host's own network has them.
        let others = map(&[
            (labels::MANAGER, labels::MANAGER_VALUE),
            (labels::DEPLOYMENT, "other"),
            (labels::ROLE, "prefill"),
            (labels::PORTS, "127.0.0.1:1"),
            (labels::SECRET_ENV, "PATH"),
            (labels::MADE, "m0"),
        ]);
        let image = ImageFacts { labels: others.clone(), ..image() };
        let spec = ContainerSpec { network: Network::Host, ports: vec![], ..bridge() };
        let inherit = |own: std::collections::HashMap<String, String>| {
            let mut all = others.clone();
            all.extend(own);
            let config = serde_json::json!({ "Id": "1", "Config": { "Labels": all, "Env": ["PATH=/bin"] }, "HostConfig": { "NetworkMode": "host" } });
            observed(serde_json::from_value(config).unwrap(), Some(&image)).spec
        };
        let seen = inherit(create_body(&spec, "m1", Some(&image)).labels.unwrap());
        assert_eq!(
            (&seen.labels, seen.ports.len(), seen.secret_env),
            (&spec.labels, 0, SecretEnv::default())
        );
        let strangers = inherit(std::collections::HashMap::new());
        assert_eq!(
            (strangers.labels, strangers.ports.len(), strangers.secret_env),
            (map(&[]), 0, SecretEnv::default())
        );
    }

    #[test]
    fn folders_to_be_made_are_binds() {
        let spec = ContainerSpec { make_folders: words(&["/tmp"]), ..bridge() };
        let host = create_body(&spec, "m1", None).host_config.unwrap();
        assert_eq!(host.binds, Some(words(&["/tmp:/host tmp:ro"])));
        assert_eq!(host.mounts.unwrap().len(), 1);
        // Whichever way it was asked for, it is the same mount.
        let seen = observed(
            serde_json::from_str(r#"{"Id":"1","HostConfig":{"Binds":["/tmp:/host tmp:ro"]}}"#).unwrap(),
            None,
        );
        assert_eq!(seen.spec.mounts, bridge().mounts[1..]);
    }

    #[test]
    fn requests_say_what_the_engine_would_otherwise_choose() {
        let host = create_body(&host_gpu(), "m1", None).host_config.unwrap();
        assert_eq!(host.init, Some(true));
        assert_eq!(host.shm_size, Some(64 << 20));
        let limited = create_body(&bridge(), "m1", None).host_config.unwrap();
        assert_eq!(limited.memory_swap, limited.memory);
    }
}
