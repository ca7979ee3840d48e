//! The labels by which our containers, networks and volumes are known: written here and parsed here only.
//!
//! Ownership, import and crash recovery all read labels. They never hold a secret: anybody who may talk to the Engine
//! may read them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::spec::{ContainerSpec, PortBinding};

/// Prefix of every label of ours.
pub const PREFIX: &str = "io.dynamo-terraform.";
/// Always `terraform-provider-dynamo`; the filter by which our objects are listed.
pub const MANAGER: &str = "io.dynamo-terraform.manager";
/// The value of [`MANAGER`] on everything that is ours.
pub const MANAGER_VALUE: &str = "terraform-provider-dynamo";
/// Name of the deployment the object belongs to.
pub const DEPLOYMENT: &str = "io.dynamo-terraform.deployment";
/// `frontend`, `etcd`, `nats`, `worker`, …
pub const COMPONENT: &str = "io.dynamo-terraform.component";
/// `decode` or `prefill`; workers only.
pub const ROLE: &str = "io.dynamo-terraform.role";
/// Random token of the provider run that made the object; tells a leftover of a killed run from work in progress.
pub const RUN: &str = "io.dynamo-terraform.run";
/// Random token of one container. An image that was made of a container of ours has its labels, this one too, and so have
/// all containers of that image: those of ours have another token.
pub const MADE: &str = "io.dynamo-terraform.made";
/// `address:port …` at which a container of the host's own network listens: the Engine publishes nothing for it and so has
/// no other place where this could be read.
pub const PORTS: &str = "io.dynamo-terraform.ports";
/// Which ulimits, log options and runtime were asked for. The Engine adds its own defaults to these, and shows both alike.
pub const ASKED: &str = "io.dynamo-terraform.asked";
/// Names of the variables whose values are secret, so that they can be told from the others. Never a value.
pub const SECRET_ENV: &str = "io.dynamo-terraform.secret-env";
/// Another one than before when secret variables have other values.
pub const SECRET_ENV_VERSION: &str = "io.dynamo-terraform.secret-env-version";
/// Raised when the administrator of an Open WebUI is to be given another password, which takes a new container.
pub const PASSWORD_VERSION: &str = "io.dynamo-terraform.password-version";
/// Name of the container that keeps a worker's cache; on the worker, and on that container itself.
pub const CACHE_SERVER: &str = "io.dynamo-terraform.cache-server";
/// The resource's configuration as JSON, so that import can rebuild it. No secrets.
pub const SPEC: &str = "io.dynamo-terraform.spec";

/// All that say something of a container. Others with the prefix, as images may have them, are labels like any other.
const ALL: [&str; 13] = [
    MANAGER,
    DEPLOYMENT,
    COMPONENT,
    ROLE,
    RUN,
    MADE,
    PORTS,
    ASKED,
    SECRET_ENV,
    SECRET_ENV_VERSION,
    PASSWORD_VERSION,
    CACHE_SERVER,
    SPEC,
];

/// Whether this provider writes a label of that name.
pub fn is_written(key: &str) -> bool {
    ALL.contains(&key)
}

/// The ownership of an object: which deployment it belongs to, as which component, and of which run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ownership {
    pub deployment: String,
    pub component: String,
    /// `Some` for workers.
    pub role: Option<String>,
    pub run: String,
    /// Configuration as JSON; empty on networks and volumes.
    pub spec: String,
}

impl Ownership {
    /// The labels that say all this.
    pub fn to_labels(&self) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::from([
            (MANAGER.to_owned(), MANAGER_VALUE.to_owned()),
            (DEPLOYMENT.to_owned(), self.deployment.clone()),
            (COMPONENT.to_owned(), self.component.clone()),
            (RUN.to_owned(), self.run.clone()),
        ]);
        if let Some(role) = &self.role {
            labels.insert(ROLE.to_owned(), role.clone());
        }
        if !self.spec.is_empty() {
            labels.insert(SPEC.to_owned(), self.spec.clone());
        }
        labels
    }

    /// `None` when the labels are not ours: then the object is somebody else's and must not be touched.
    pub fn from_labels(labels: &BTreeMap<String, String>) -> Option<Self> {
        if labels.get(MANAGER).map(String::as_str) != Some(MANAGER_VALUE) {
            return None;
        }
        Some(Self {
            deployment: labels.get(DEPLOYMENT)?.clone(),
            component: labels.get(COMPONENT)?.clone(),
            role: labels.get(ROLE).cloned(),
            run: labels.get(RUN).cloned().unwrap_or_default(),
            spec: labels.get(SPEC).cloned().unwrap_or_default(),
        })
    }
}

/// The labels of a container without those that say something of the container which its image (with `image` as labels)
/// was made of. The Engine gives a container all labels of its image that it does not set itself.
pub fn without_inherited(
    labels: BTreeMap<String, String>,
    image: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let has_own = |key: &str| labels.get(key).is_some_and(|value| image.get(key) != Some(value));
    let of_an_image_of_ours = image.contains_key(MANAGER);
    // Containers of earlier versions have no token of their own, but that of their run.
    let is_ours = labels.contains_key(MANAGER) && (!of_an_image_of_ours || has_own(MADE) || has_own(RUN));
    let kept = |key: &String, value: &mut String| {
        !is_written(key) || if is_ours { !value.is_empty() } else { image.get(key) != Some(value) }
    };
    let mut labels = labels;
    labels.retain(kept);
    labels
}

/// The labels of ours that a container of an image with these labels must set to nothing: they are about another one.
pub fn not_inherited<'a>(
    wanted: &'a BTreeMap<String, String>,
    image: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = &'a str> {
    let foreign = image.keys().filter(|key| is_written(key) && !wanted.contains_key(*key));
    foreign.map(String::as_str)
}

/// The value of [`PORTS`].
pub fn ports_text(ports: &[PortBinding]) -> String {
    let texts = ports.iter().map(|port| match port.host_address.parse::<IpAddr>() {
        Ok(address) => SocketAddr::new(address, port.host_port).to_string(),
        Err(_) => format!("{}:{}", port.host_address, port.host_port),
    });
    texts.collect::<Vec<_>>().join(" ")
}

/// The ports in a value of [`PORTS`]. What cannot be read is left out.
pub fn ports_of(text: &str) -> Vec<PortBinding> {
    let seats = text.split(' ').filter_map(|text| text.parse::<SocketAddr>().ok());
    let binding = |seat: SocketAddr| PortBinding {
        container_port: seat.port(),
        host_address: seat.ip().to_string(),
        host_port: seat.port(),
    };
    seats.map(binding).collect()
}

/// The value of [`ASKED`]: a word for each option of `spec` that the Engine would otherwise choose; empty for none.
pub fn asked_text(spec: &ContainerSpec) -> String {
    let mut words: Vec<String> = spec.ulimits.iter().map(|limit| asked_ulimit(&limit.name)).collect();
    words.extend(spec.runtime.iter().map(|_| ASKED_RUNTIME.to_owned()));
    if let Some(log) = &spec.log {
        words.extend(log.driver.iter().map(|_| ASKED_LOG_DRIVER.to_owned()));
        words.extend(log.options.keys().map(|name| asked_log_option(name)));
    }
    words.sort_unstable();
    words.join(" ")
}

/// Takes out of `spec` what the words in `text` do not say was asked for.
pub fn only_asked(spec: &mut ContainerSpec, text: &str) {
    let asked = |word: &str| text.split(' ').any(|asked| asked == word);
    spec.ulimits.retain(|limit| asked(&asked_ulimit(&limit.name)));
    spec.runtime = spec.runtime.take().filter(|_| asked(ASKED_RUNTIME));
    if let Some(mut log) = spec.log.take() {
        log.driver = log.driver.filter(|_| asked(ASKED_LOG_DRIVER));
        log.options.retain(|name, _| asked(&asked_log_option(name)));
        spec.log = (log.driver.is_some() || !log.options.is_empty()).then_some(log);
    }
}

const ASKED_RUNTIME: &str = "runtime";
const ASKED_LOG_DRIVER: &str = "log-driver";

fn asked_ulimit(name: &str) -> String {
    format!("ulimit:{name}")
}

fn asked_log_option(name: &str) -> String {
    format!("log-opt:{name}")
}

/// The labels that are not ours: what the user asked for.
pub fn without_ours(labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    labels.iter().filter(|(key, _)| !key.starts_with(PREFIX)).map(|(k, v)| (k.clone(), v.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ownership_survives_the_labels() {
        let own = Ownership {
            deployment: "chat".into(),
            component: "worker".into(),
            role: Some("decode".into()),
            run: "r1".into(),
            spec: "{}".into(),
        };
        assert_eq!(Ownership::from_labels(&own.to_labels()), Some(own));
    }

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn an_image_with_our_labels_makes_nothing_ours() {
        let image = [
            (MANAGER, MANAGER_VALUE),
            (DEPLOYMENT, "first"),
            (COMPONENT, "worker"),
            (ROLE, "decode"),
            (RUN, "r1"),
            (MADE, "m1"),
            ("vendor", "x"),
            ("io.dynamo-terraform.recipe", "y"),
        ];
        let inherited = |own: &[(&str, &str)]| {
            let mut labels = map(&image);
            labels.extend(map(own));
            without_inherited(labels, &map(&image))
        };
        let owner =
            |own: &[(&str, &str)]| Ownership::from_labels(&inherited(own)).map(|it| (it.deployment, it.role));
        // A stranger's, of such an image, with a label of the stranger's own.
        assert_eq!(
            inherited(&[("team", "a")]),
            map(&[("io.dynamo-terraform.recipe", "y"), ("team", "a"), ("vendor", "x")])
        );
        assert_eq!(owner(&[]), None);
        let ours = [(DEPLOYMENT, "second"), (COMPONENT, "frontend"), (ROLE, ""), (MADE, "m2")];
        assert_eq!(owner(&ours), Some(("second".to_owned(), None)));
        // The same deployment, made by the same run, of an image of its own container.
        assert_eq!(owner(&[(MADE, "m2")]), Some(("first".to_owned(), Some("decode".to_owned()))));
        // Made by a version that writes no token.
        assert!(owner(&[(RUN, "r2")]).is_some());
        // Of an image that names the deployment and no manager.
        let half = without_inherited(map(&image), &map(&[(DEPLOYMENT, "first"), (ROLE, "decode")]));
        assert_eq!(half, map(&image));
        // Of an ordinary image.
        let plain = without_inherited(map(&image), &map(&[("vendor", "x")]));
        assert_eq!(plain, map(&image));
        let wanted = map(&[(DEPLOYMENT, "second"), (MANAGER, MANAGER_VALUE)]);
        let image = map(&image);
        assert_eq!(not_inherited(&wanted, &image).collect::<Vec<_>>(), [COMPONENT, MADE, ROLE, RUN]);
    }

    #[test]
    fn ports_survive_their_label() {
        let binding = |address: &str, port| PortBinding {
            container_port: port,
            host_address: address.into(),
            host_port: port,
        };
        let ports = vec![binding("10.0.0.11", 9090), binding("fd00::11", 9091)];
        assert_eq!(ports_text(&ports), "10.0.0.11:9090 [fd00::11]:9091");
        assert_eq!(ports_of(&ports_text(&ports)), ports);
        assert_eq!(ports_of("nonsense 9090"), vec![]);
    }

    #[test]
    fn foreign_labels_are_not_ours() {
        let mut labels = BTreeMap::from([(DEPLOYMENT.to_owned(), "chat".to_owned())]);
        assert_eq!(Ownership::from_labels(&labels), None);
        labels.insert(MANAGER.to_owned(), "somebody".to_owned());
        assert_eq!(Ownership::from_labels(&labels), None);
    }
}
