//! What differs between a container wanted and a container seen, field by field.
//!
//! A hash would say only "something". A [`ContainerDifference`] names the field with its old and new value, so that a plan can
//! say why a container must be replaced, and whether it must be at all: limits can be changed on the living container.
//!
//! Order is never a difference, nor is spelling, nor what the image says anyway; nor the labels in which a run leaves
//! its token and its configuration, since replacing a container to refresh a note about it would be absurd.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::container::spelling::canonical;
use crate::container::{
    ContainerSpec, Limits, Log, Mount, MountSource, Network, ObservedContainer, PLACEHOLDER, PortBinding,
    SecretEnv, Ulimit, image_defaults, labels,
};
use crate::inventory::ImageFacts;

/// A container wanted, and what is needed to compare it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WantedContainer<'a> {
    pub spec: &'a ContainerSpec,
    /// Facts of the image that `spec.image` names on the host now; `None` = it is not there.
    pub image: Option<&'a ImageFacts>,
    /// The container must run the very image that the name stands for now, not one that it stood for earlier.
    pub follow_image: bool,
}

/// A difference: one field that is not as wanted. Values are texts for people; a secret one is `(secret)`, an absent one
/// `(none)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContainerDifference {
    pub field: ContainerField,
    pub old: String,
    pub new: String,
    pub change: ChangeKind,
}

/// What it takes to change a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    /// Only a new container can have it.
    Replace,
    /// It can be given to the container while that runs.
    Update,
}

/// A field and what it is called, in a line: `Field = "its name"`, `Field(key) = "its name"` for entries of a map.
macro_rules! fields {
    ($(#[$doc:meta])* $name:ident { $($field:ident $(($key:ident))? = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum $name { $($field $((fields!(@String $key)))?,)+ }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Self::$field $(($key))? => {
                    f.write_str($text)?;
                    $(write!(f, " {}", $key)?;)?
                    Ok(())
                })+ }
            }
        }
    };
    (@String $key:ident) => { String };
}

fields!(
    /// A field of a [`ContainerSpec`], or an entry of one that is a map.
    ContainerField {
        Name = "name",
        Image = "image",
        Entrypoint = "entrypoint",
        Command = "command",
        Env(key) = "environment variable",
        SecretEnv(key) = "secret variable",
        SecretEnvVersion = "version of the secret variables",
        User = "user",
        Label(key) = "label",
        Mounts = "mounts",
        Ports = "ports",
        Network = "network",
        Restart = "restart policy",
        Cpus = "CPU limit",
        Memory = "memory limit",
        SharedMemory = "shared memory",
        Ulimits = "ulimits",
        ExtraHosts = "extra hosts",
        Capabilities = "capabilities",
        Devices = "devices",
        Gpus = "GPUs",
        Ipc = "IPC mode",
        Privileged = "privileged mode",
        Runtime = "runtime",
        Log = "logging",
        Networks = "further networks",
        StopGrace = "stop grace",
    }
);

impl fmt::Display for ContainerDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let change = match self.change {
            ChangeKind::Replace => "which takes a new container",
            ChangeKind::Update => "which is done in place",
        };
        write!(f, "the {} changes from {} to {}, {change}", self.field, self.old, self.new)
    }
}

const NONE: &str = "(none)";

/// Goes over the fields of two [`ContainerSpec`]s, all of them: `field(old, new) => what to do with the two,`.
macro_rules! each_field {
    ($seen:expr, $wanted:expr; $($field:ident($old:pat, $new:pat) => $body:expr,)+) => {
        let ContainerSpec { $($field),+ } = &$seen;
        $({
            let ($old, $new) = ($field, &$wanted.$field);
            $body
        })+
    };
}
/// Everything in which `observed` is not as `wanted`, in the order of the fields of [`ContainerSpec`].
pub(crate) fn differences(
    wanted: &WantedContainer<'_>,
    observed: &ObservedContainer,
) -> Vec<ContainerDifference> {
    let mut spec = canonical(wanted.spec);
    if let Some(image) = wanted.image {
        image_defaults::subtract(&mut spec, image);
    }
    let seen = canonical(&observed.spec);
    let mut found = Found::default();
    // Each in turn: a new field of a container does not compile until it is compared here.
    each_field!(seen, spec;
        name(old, new) => found.compare(ContainerField::Name, old, new),
        image(old, new) => {
            found.compare(ContainerField::Image, old, new);
            found.image_id(wanted, observed);
        },
        entrypoint(old, new) => found.compare(ContainerField::Entrypoint, &argv(old), &argv(new)),
        command(old, new) => found.compare(ContainerField::Command, &argv(old), &argv(new)),
        env(old, new) => found.env((old, &seen.secret_env), (new, &spec.secret_env)),
        secret_env(old, new) => found.secret_env(old, new),
        user(old, new) => found.texts(ContainerField::User, old, new, |it| or_none(it.as_deref())),
        labels(old, new) => found.labels(old, new),
        mounts(old, new) => found.texts(ContainerField::Mounts, old, new, |it| list(it, mount)),
        ports(old, new) => found.texts(ContainerField::Ports, old, new, |it| list(it, port)),
        network(old, new) => found.texts(ContainerField::Network, old, new, network_text),
        restart(old, new) => {
            let (old, new) = (old.to_string(), new.to_string());
            found.with_change(ContainerField::Restart, &old, &new, ChangeKind::Update);
        },
        limits(old, new) => found.limits(old, new),
        shm_bytes(old, new) => found.texts(ContainerField::SharedMemory, old, new, |it| size(*it)),
        ulimits(old, new) => found.texts(ContainerField::Ulimits, old, new, |it| list(it, ulimit)),
        extra_hosts(old, new) => found.texts(ContainerField::ExtraHosts, old, new, pairs),
        cap_add(old, new) => found.texts(ContainerField::Capabilities, old, new, |it| words(it)),
        devices(old, new) => found.texts(ContainerField::Devices, old, new, |it| words(it)),
        gpus(old, new) => found.texts(ContainerField::Gpus, old, new, |it| words(it)),
        ipc(old, new) => found.compare(ContainerField::Ipc, old.word(), new.word()),
        privileged(old, new) => found.compare(ContainerField::Privileged, on_or_off(*old), on_or_off(*new)),
        runtime(old, new) => found.texts(ContainerField::Runtime, old, new, |it| or_default(it.as_deref())),
        log(old, new) => found.texts(ContainerField::Log, old, new, |it| log_text(it.as_ref())),
        networks(old, new) => found.texts(ContainerField::Networks, old, new, |it| words(it)),
        // Not a property of a container that is there.
        make_folders(_old, _new) => (),
        stop_grace_seconds(old, new) => found.texts(ContainerField::StopGrace, old, new, |it| seconds(*it)),
    );
    found.0
}

/// Differences found so far. Two values are equal exactly when their texts are.
#[derive(Default)]
struct Found(Vec<ContainerDifference>);

impl Found {
    fn compare(&mut self, field: ContainerField, old: &str, new: &str) {
        self.with_change(field, old, new, ChangeKind::Replace);
    }

    /// Compares what a field is to people.
    fn texts<T>(&mut self, field: ContainerField, old: &T, new: &T, text: impl Fn(&T) -> String) {
        self.compare(field, &text(old), &text(new));
    }

    fn with_change(&mut self, field: ContainerField, old: &str, new: &str, change: ChangeKind) {
        if old != new {
            self.0.push(ContainerDifference { field, old: old.to_owned(), new: new.to_owned(), change });
        }
    }

    /// The same name may stand for another image than when the container was made.
    fn image_id(&mut self, wanted: &WantedContainer<'_>, observed: &ObservedContainer) {
        let renamed = observed.spec.image != wanted.spec.image;
        if let Some(image) = wanted.image.filter(|_| wanted.follow_image && !renamed) {
            self.compare(ContainerField::Image, &observed.image_id, &image.id);
        }
    }

    /// The value of a variable that becomes secret, or was, is one now.
    fn env(
        &mut self,
        (old, old_secrets): (&BTreeMap<String, String>, &SecretEnv),
        (new, new_secrets): (&BTreeMap<String, String>, &SecretEnv),
    ) {
        for (key, old, new) in changed(old, new) {
            let secret = old_secrets.values.contains_key(key) || new_secrets.values.contains_key(key);
            let shown = |value: Option<&String>| match value {
                Some(_) if secret => PLACEHOLDER.to_owned(),
                Some(value) => format!("{value:?}"),
                None => NONE.to_owned(),
            };
            let (old, new) = (shown(old), shown(new));
            self.0.push(ContainerDifference {
                field: ContainerField::Env(key.clone()),
                old,
                new,
                change: ChangeKind::Replace,
            });
        }
    }

    fn secret_env(&mut self, old: &SecretEnv, new: &SecretEnv) {
        for key in new.changed(old) {
            let shown = |env: &SecretEnv| env.values.get(key).map_or(NONE, |_| PLACEHOLDER).to_owned();
            let (old, new) = (shown(old), shown(new));
            self.0.push(ContainerDifference {
                field: ContainerField::SecretEnv(key.to_owned()),
                old,
                new,
                change: ChangeKind::Replace,
            });
        }
        let version = |env: &SecretEnv| or_none(env.version.as_deref());
        self.compare(ContainerField::SecretEnvVersion, &version(old), &version(new));
    }

    fn labels(&mut self, old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) {
        for (key, old, new) in
            changed(old, new).filter(|(key, ..)| *key != labels::RUN && *key != labels::SPEC)
        {
            let shown = |value: Option<&String>| value.map_or(NONE.to_owned(), |value| format!("{value:?}"));
            self.compare(ContainerField::Label(key.clone()), &shown(old), &shown(new));
        }
    }

    /// A limit can be set or moved in place, but the Engine has no word for lifting one.
    fn limits(&mut self, old: &Limits, new: &Limits) {
        let change = |new: Option<u64>| if new.is_some() { ChangeKind::Update } else { ChangeKind::Replace };
        self.with_change(
            ContainerField::Cpus,
            &cpus(old.nano_cpus),
            &cpus(new.nano_cpus),
            change(new.nano_cpus),
        );
        self.with_change(
            ContainerField::Memory,
            &size(old.memory_bytes),
            &size(new.memory_bytes),
            change(new.memory_bytes),
        );
    }
}

/// Keys whose values differ, with both values.
fn changed<'a>(
    old: &'a BTreeMap<String, String>,
    new: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = (&'a String, Option<&'a String>, Option<&'a String>)> {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    keys.into_iter().map(|key| (key, old.get(key), new.get(key))).filter(|(_, old, new)| old != new)
}

fn or_none(text: Option<&str>) -> String {
    text.unwrap_or(NONE).to_owned()
}

/// Words as JSON, so that one word with a space differs from two words.
fn argv(words: &[String]) -> String {
    if words.is_empty() { "(the image's)".to_owned() } else { format!("{words:?}") }
}

fn list<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    if items.is_empty() { NONE.to_owned() } else { items.iter().map(text).collect::<Vec<_>>().join(", ") }
}

fn words(items: &[String]) -> String {
    list(items, String::clone)
}

fn pairs(map: &BTreeMap<String, String>) -> String {
    let items: Vec<(&String, &String)> = map.iter().collect();
    list(&items, |(key, value)| format!("{key}:{value}"))
}

fn mount(mount: &Mount) -> String {
    let source = match &mount.source {
        MountSource::HostPath(path) => path.clone(),
        MountSource::Volume(name) => format!("volume {name}"),
    };
    let mode = if mount.read_only { " (read-only)" } else { "" };
    format!("{source} at {}{mode}", mount.target)
}

fn port(port: &PortBinding) -> String {
    format!("{}:{} to {}", port.host_address, port.host_port, port.container_port)
}

fn network_text(network: &Network) -> String {
    match network {
        Network::Host => "host".to_owned(),
        Network::Bridge { name, aliases } if aliases.is_empty() => format!("bridge {name}"),
        Network::Bridge { name, aliases } => format!("bridge {name} as {}", aliases.join(", ")),
    }
}

fn ulimit(limit: &Ulimit) -> String {
    format!("{}={}:{}", limit.name, limit.soft, limit.hard)
}

fn on_or_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

const DEFAULT: &str = "(Docker's default)";

fn or_default(text: Option<&str>) -> String {
    text.unwrap_or(DEFAULT).to_owned()
}

fn log_text(log: Option<&Log>) -> String {
    let Some(Log { driver, options }) = log else { return DEFAULT.to_owned() };
    let options: String = options.iter().map(|(name, value)| format!(" {name}={value}")).collect();
    or_default(driver.as_deref()) + &options
}

fn seconds(seconds: u32) -> String {
    format!("{seconds} s")
}

/// Nano-CPUs as CPUs, exactly.
fn cpus(nano_cpus: Option<u64>) -> String {
    const NANO: u64 = 1_000_000_000;
    let Some(nano_cpus) = nano_cpus else { return NONE.to_owned() };
    let text = format!("{}.{:09}", nano_cpus / NANO, nano_cpus % NANO);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Bytes in the largest unit that says them exactly.
fn size(bytes: Option<u64>) -> String {
    let Some(bytes) = bytes else { return NONE.to_owned() };
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let exact = units.into_iter().find(|(shift, _)| bytes > 0 && bytes.is_multiple_of(1 << shift));
    exact.map_or(format!("{bytes} bytes"), |(shift, unit)| format!("{} {unit}", bytes >> shift))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::{Ipc, Restart, Secret};

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn secrets(pairs: &[(&str, &str)], version: Option<&str>) -> SecretEnv {
        let values = pairs.iter().map(|(key, value)| ((*key).to_owned(), Secret::new(*value)));
        SecretEnv { values: values.collect(), version: version.map(str::to_owned) }
    }

    fn base() -> ContainerSpec {
        let mount = |path: &str| Mount {
            source: MountSource::HostPath(path.into()),
            target: path.into(),
            read_only: false,
        };
        let port =
            |port| PortBinding { container_port: port, host_address: "127.0.0.1".into(), host_port: port };
        ContainerSpec {
            name: "chat-worker".into(),
            image: "vllm:1".into(),
            entrypoint: words(&["python3"]),
            command: words(&["-m", "dynamo.vllm"]),
            env: map(&[("A", "1"), ("B", "hunter2")]),
            secret_env: secrets(&[("TOKEN", "hunter2")], None),
            user: Some("1000".into()),
            labels: map(&[("team", "a"), (labels::RUN, "r1"), (labels::SPEC, "{}")]),
            mounts: vec![mount("/a"), mount("/b")],
            ports: vec![port(1), port(2)],
            network: Network::Bridge { name: "chat".into(), aliases: words(&["x", "y"]) },
            restart: Restart::UnlessStopped,
            limits: Limits { nano_cpus: Some(2_000_000_000), memory_bytes: Some(4 << 30) },
            shm_bytes: Some(1 << 30),
            ulimits: vec![
                Ulimit { name: "memlock".into(), soft: -1, hard: -1 },
                Ulimit { name: "stack".into(), soft: 1, hard: 2 },
            ],
            extra_hosts: map(&[("a", "10.0.0.1")]),
            cap_add: words(&["IPC_LOCK", "SYS_NICE"]),
            devices: words(&["/dev/a", "/dev/b"]),
            gpus: words(&["GPU-0", "GPU-1"]),
            ipc: Ipc::Private,
            privileged: false,
            runtime: None,
            log: None,
            networks: words(&["monitoring", "storage"]),
            make_folders: vec![],
            stop_grace_seconds: 30,
        }
    }

    fn observed(spec: ContainerSpec) -> ObservedContainer {
        ObservedContainer { image_id: "sha256:old".into(), ..ObservedContainer::running(spec) }
    }

    fn between(new: &ContainerSpec, old: ContainerSpec) -> Vec<ContainerDifference> {
        differences(&WantedContainer { spec: new, image: None, follow_image: false }, &observed(old))
    }

    #[test]
    fn every_field_changed_alone_is_one_difference_in_that_field() {
        type Change = fn(&mut ContainerSpec);
        let table: Vec<(ContainerField, ChangeKind, Change)> = vec![
            (ContainerField::Name, ChangeKind::Replace, |s| s.name = "other".into()),
            (ContainerField::Image, ChangeKind::Replace, |s| s.image = "vllm:2".into()),
            (ContainerField::Entrypoint, ChangeKind::Replace, |s| s.entrypoint.clear()),
            (ContainerField::Command, ChangeKind::Replace, |s| s.command = words(&["-m dynamo.vllm"])),
            (ContainerField::Command, ChangeKind::Replace, |s| s.command.reverse()),
            (ContainerField::Env("A".into()), ChangeKind::Replace, |s| {
                s.env = map(&[("A", "2"), ("B", "hunter2")])
            }),
            (ContainerField::Env("A".into()), ChangeKind::Replace, |s| s.env = map(&[("B", "hunter2")])),
            (ContainerField::SecretEnv("TOKEN".into()), ChangeKind::Replace, |s| {
                s.secret_env = secrets(&[], None)
            }),
            (ContainerField::SecretEnv("TOKEN".into()), ChangeKind::Replace, |s| {
                s.secret_env = secrets(&[("TOKEN", "other")], None);
            }),
            // Whatever the value is.
            (ContainerField::SecretEnvVersion, ChangeKind::Replace, |s| {
                s.secret_env = secrets(&[("TOKEN", "other")], Some("1"));
            }),
            (ContainerField::User, ChangeKind::Replace, |s| s.user = None),
            (ContainerField::Label("team".into()), ChangeKind::Replace, |s| s.labels = map(&[("team", "b")])),
            (ContainerField::Mounts, ChangeKind::Replace, |s| s.mounts.truncate(1)),
            (ContainerField::Mounts, ChangeKind::Replace, |s| s.mounts[0].read_only = true),
            (ContainerField::Mounts, ChangeKind::Replace, |s| {
                s.mounts[0].source = MountSource::Volume("/a".into())
            }),
            (ContainerField::Ports, ChangeKind::Replace, |s| s.ports[0].host_port = 9),
            (ContainerField::Ports, ChangeKind::Replace, |s| s.ports[0].host_address = "0.0.0.0".into()),
            (ContainerField::Network, ChangeKind::Replace, |s| s.network = Network::Host),
            (ContainerField::Network, ChangeKind::Replace, |s| {
                s.network = Network::Bridge { name: "chat".into(), aliases: vec![] };
            }),
            (ContainerField::Restart, ChangeKind::Update, |s| s.restart = Restart::No),
            (ContainerField::Cpus, ChangeKind::Update, |s| s.limits.nano_cpus = Some(1)),
            (ContainerField::Cpus, ChangeKind::Replace, |s| s.limits.nano_cpus = None),
            (ContainerField::Memory, ChangeKind::Update, |s| s.limits.memory_bytes = Some(8 << 30)),
            (ContainerField::Memory, ChangeKind::Replace, |s| s.limits.memory_bytes = None),
            (ContainerField::SharedMemory, ChangeKind::Replace, |s| s.shm_bytes = None),
            (ContainerField::Ulimits, ChangeKind::Replace, |s| s.ulimits[0].soft = 5),
            (ContainerField::Ulimits, ChangeKind::Replace, |s| {
                s.ulimits.push(Ulimit { name: "nofile".into(), soft: 1, hard: 1 });
            }),
            (ContainerField::ExtraHosts, ChangeKind::Replace, |s| s.extra_hosts.clear()),
            (ContainerField::Capabilities, ChangeKind::Replace, |s| s.cap_add.truncate(1)),
            (ContainerField::Devices, ChangeKind::Replace, |s| s.devices.truncate(1)),
            (ContainerField::Gpus, ChangeKind::Replace, |s| s.gpus = words(&["GPU-0", "GPU-2"])),
            (ContainerField::Ipc, ChangeKind::Replace, |s| s.ipc = Ipc::Host),
            (ContainerField::Privileged, ChangeKind::Replace, |s| s.privileged = true),
            (ContainerField::Runtime, ChangeKind::Replace, |s| s.runtime = Some("nvidia".into())),
            (ContainerField::Log, ChangeKind::Replace, |s| {
                s.log = Some(Log { driver: Some("local".into()), options: map(&[("max-size", "1m")]) });
            }),
            (ContainerField::Log, ChangeKind::Replace, |s| {
                s.log = Some(Log { driver: None, options: map(&[("max-size", "1m")]) });
            }),
            (ContainerField::Networks, ChangeKind::Replace, |s| s.networks.clear()),
            (ContainerField::Restart, ChangeKind::Update, |s| s.restart = Restart::OnFailure(3)),
            (ContainerField::StopGrace, ChangeKind::Replace, |s| s.stop_grace_seconds = 31),
        ];
        for (field, kind, change) in table {
            let mut new = base();
            change(&mut new);
            let found = between(&new, base());
            let seen: Vec<_> =
                found.iter().map(|difference| (difference.field.clone(), difference.change)).collect();
            assert_eq!(seen, [(field, kind)], "{found:?}");
        }
    }

    #[test]
    fn order_spelling_and_notes_are_no_differences() {
        let mut new = base();
        new.mounts.reverse();
        new.ports.reverse();
        new.ulimits.reverse();
        new.devices = words(&["/dev/b:/dev/b:rwm", "/dev/a:/dev/a"]);
        new.cap_add = words(&["sys_nice", "CAP_IPC_LOCK"]);
        new.gpus.reverse();
        new.networks.reverse();
        new.make_folders = words(&["/a"]);
        new.log = Some(Log::default());
        new.network = Network::Bridge { name: "chat".into(), aliases: words(&["y", "x"]) };
        new.labels = map(&[("team", "a"), (labels::RUN, "r2"), (labels::SPEC, "{\"port\":1}")]);
        assert_eq!(between(&new, base()), []);
        // The default of the Engine is the same, said or not.
        let said = ContainerSpec { shm_bytes: Some(64 << 20), ..base() };
        assert_eq!(between(&said, ContainerSpec { shm_bytes: None, ..base() }), []);
    }

    #[test]
    fn what_the_image_says_need_not_be_said() {
        let image = ImageFacts {
            id: "sha256:new".into(),
            size_bytes: 0,
            env: words(&["A=1"]),
            user: "1000".into(),
            labels: map(&[("team", "a")]),
            entrypoint: words(&["python3"]),
            command: vec![],
        };
        let mut old = base();
        image_defaults::subtract(&mut old, &image);
        assert_ne!(old, base(), "the image says nothing of this spec");
        let spec = base();
        let wanted = WantedContainer { spec: &spec, image: Some(&image), follow_image: false };
        assert_eq!(differences(&wanted, &observed(old.clone())), []);
        // Only a policy that follows the name minds that it stands for another image now.
        let found = differences(&WantedContainer { follow_image: true, ..wanted }, &observed(old));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].old.as_str(), found[0].new.as_str()), ("sha256:old", "sha256:new"));
    }

    #[test]
    fn a_difference_is_a_sentence_and_keeps_a_secret() {
        let mut new = base();
        new.secret_env = secrets(&[("B", "hunter2"), ("TOKEN", "other")], None);
        new.env.remove("B");
        new.limits = Limits { nano_cpus: Some(1_500_000_000), memory_bytes: Some(8 << 30) };
        let said: Vec<String> = between(&new, base()).iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "the environment variable B changes from (secret) to (none), which takes a new container",
                "the secret variable B changes from (none) to (secret), which takes a new container",
                "the secret variable TOKEN changes from (secret) to (secret), which takes a new container",
                "the CPU limit changes from 2 to 1.5, which is done in place",
                "the memory limit changes from 4 GiB to 8 GiB, which is done in place",
            ]
        );
    }
}
