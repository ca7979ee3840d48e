//! The template of all containers of a deployment on one host: image, labels, mounts, network and environment, over the
//! options of `docker run` that users set.

use crate::container::labels::Ownership;
use crate::container::{
    ContainerSpec, Limits, Mount, MountSource, Network, PortBinding, Restart, VolumeSpec,
};
use crate::dynamo::blueprint::{Planned, Readiness};
use crate::dynamo::check::env;
use crate::dynamo::facts::topology::{Service, ServiceImage, Topology};
use crate::dynamo::spec::docker::DockerOptions;
use crate::dynamo::spec::{Common, HostFacts, Owner, WorkerSpec, arguments, worker_ports};
use crate::dynamo::terms::endpoint::Endpoint;
use crate::dynamo::terms::objection::{Field, Objection, Refusal};
use crate::dynamo::terms::words::{NetworkMode, Role};
use crate::dynamo::terms::{names, ports};
use std::collections::BTreeMap;

/// [`crate::dynamo::check`] saw to it that there is one.
pub(crate) fn topology(common: &Common) -> Result<&'static Topology, Vec<Objection>> {
    common.release.topology(common.network).ok_or_else(|| {
        let what = format!("Dynamo {} cannot be run on it", common.release.line);
        vec![Refusal::new(what, "choose another network").at(Field::Network)]
    })
}

/// Where nothing is configured, there is no other host to reach this one.
fn advertised(host: &HostFacts) -> Result<String, Objection> {
    let text = host.advertise_address.as_deref().unwrap_or(ports::THIS_MACHINE);
    ports::check_advertised(text).map_err(|refusal| refusal.at(Field::HostAdvertiseAddress))
}

/// The template of all containers of a deployment on one host.
pub(crate) struct Template<'a> {
    pub(super) common: &'a Common,
    pub(super) topology: &'static Topology,
    pub(super) host: &'a HostFacts,
    owner: &'a Owner,
    /// By which other hosts reach this one; `None` on a private network, where nobody outside asks.
    pub(super) address: Option<String>,
    network_name: String,
}

impl<'a> Template<'a> {
    /// The template of a deployment on a host; objections where the host cannot have it.
    pub(super) fn new(
        common: &'a Common,
        host: &'a HostFacts,
        owner: &'a Owner,
    ) -> Result<Self, Vec<Objection>> {
        let address = match common.network {
            NetworkMode::Bridge => None,
            NetworkMode::Host => Some(advertised(host).map_err(|objection| vec![objection])?),
        };
        let network_name = names::network(&common.name);
        Ok(Self { common, topology: topology(common)?, host, owner, address, network_name })
    }

    /// What the frontend and the workers have in common. Name, command, environment, network and grace are still open.
    pub(super) fn dynamo_container(
        &self,
        docker: &DockerOptions,
        component: &str,
        role: Option<Role>,
        limits: Limits,
    ) -> ContainerSpec {
        let mut container = ContainerSpec::from(docker);
        container.labels.extend(self.labels(component, role, &self.owner.spec_json));
        ContainerSpec {
            image: self.common.image.clone(),
            entrypoint: self.common.release.entrypoint.iter().map(|word| (*word).to_owned()).collect(),
            mounts: self.mounts().into_iter().chain(container.mounts).collect(),
            limits,
            ..container
        }
    }

    /// Services, each with its seat.
    fn seats(&self) -> impl Iterator<Item = (&'static Service, &Endpoint)> {
        let seats = &self.common.services;
        self.topology.services.iter().filter_map(|service| Some((service, seats.get(service.name)?)))
    }

    /// The containers of the supporting services.
    pub(super) fn services(&self) -> Vec<Planned> {
        self.seats().map(|(service, seat)| self.service(service, seat)).collect()
    }

    fn service(&self, service: &Service, seat: &Endpoint) -> Planned {
        let (image, entrypoint) = match service.image {
            ServiceImage::Bundled { program } => (self.common.image.clone(), vec![program.to_owned()]),
            ServiceImage::Separate(image) => (image.to_owned(), Vec::new()),
        };
        // Never at more addresses than it has clients at: it asks nobody for a password.
        let listen = self.address.as_deref().unwrap_or("0.0.0.0");
        Planned {
            component: service.name.to_owned(),
            spec: ContainerSpec {
                name: names::container(&self.common.name, service.name),
                image,
                entrypoint,
                command: service.command.iter().map(|word| seat.fill(word, listen)).collect(),
                env: strings(service.env),
                labels: self.labels(service.name, None, ""),
                ports: self.on_the_host([seat.port]),
                network: self.network(&[service.name]),
                restart: Restart::UnlessStopped,
                stop_grace_seconds: self.common.release.grace.service,
                ..ContainerSpec::default()
            },
            ready: Readiness::Http {
                port: service.health_port.unwrap_or(seat.port),
                path: service.health_path.to_owned(),
            },
        }
    }

    /// Defaults, then what users set, then what the provider decides; users may set none of the last.
    pub(super) fn env(
        &self,
        defaults: &BTreeMap<String, String>,
        nearest: &BTreeMap<String, String>,
        decided: BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let release = self.common.release;
        let mut shared = strings(release.env.iter().chain(self.topology.env));
        for (service, seat) in self.seats() {
            let clients = service.clients.iter();
            shared.extend(clients.map(|(name, value)| ((*name).to_owned(), seat.fill(value, ""))));
        }
        shared.extend(self.common.model.env(release));
        let mut below = defaults.clone();
        below.extend(strings(self.common.model.default_env(self.host)));
        env::layered([&below, &self.common.env, nearest, &shared, &decided])
    }

    /// What the provider mounts into the frontend and every worker.
    pub(super) fn mounts(&self) -> Vec<Mount> {
        let store = self.topology.store.as_ref().map(|store| Mount {
            source: MountSource::Volume(names::discovery_volume(&self.common.name)),
            target: store.path.to_owned(),
            read_only: false,
        });
        store.into_iter().chain([self.common.model.mount(self.common.release, self.host)]).collect()
    }

    /// The volumes that all containers of the deployment share.
    pub(super) fn volumes(&self) -> Vec<VolumeSpec> {
        let store = self.topology.store.as_ref().map(|store| VolumeSpec {
            name: names::discovery_volume(&self.common.name),
            labels: self.labels("discovery", None, ""),
            options: strings(store.options),
        });
        store.into_iter().collect()
    }

    /// Host names that mean a container of this deployment.
    pub(super) fn aliases(&self) -> Vec<String> {
        if self.common.network == NetworkMode::Host {
            return Vec::new();
        }
        let services = self.topology.services.iter().map(|service| service.name);
        let server = self.common.connector.facts.server.iter().map(|it| it.host_name(self.common));
        let named = services.chain([self.common.release.frontend.alias]).map(str::to_owned);
        named.chain(server).collect()
    }

    /// The kind of the deployment's network, and its name where it has one of its own.
    pub(super) fn place(&self) -> (NetworkMode, &str) {
        (self.common.network, &self.network_name)
    }

    /// The network of a container, with its names there.
    pub(super) fn network(&self, aliases: &[&str]) -> Network {
        match self.common.network {
            NetworkMode::Host => Network::Host,
            NetworkMode::Bridge => Network::Bridge {
                name: self.network_name.clone(),
                aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            },
        }
    }

    /// Ports that are taken at the host's address by a container of its network; none on a private network.
    fn on_the_host(&self, ports: impl IntoIterator<Item = u16>) -> Vec<PortBinding> {
        let Some(address) = &self.address else { return Vec::new() };
        let binding =
            |port| PortBinding { container_port: port, host_address: address.clone(), host_port: port };
        ports.into_iter().map(binding).collect()
    }

    /// The ports of a worker on the host's network.
    pub(super) fn worker_ports(&self, spec: &WorkerSpec) -> Vec<PortBinding> {
        let ranks = arguments::ranks(self.common, spec.role, &spec.engine_args);
        let rows = worker_ports::own_ports(self.common, spec.role).into_iter();
        let bindings = rows.flat_map(|row| {
            let first = spec.ports.get(row.name).copied();
            let all = row.offsets(ranks).into_iter().filter_map(move |above| first?.checked_add(above));
            self.on_the_host(all).into_iter().map(|mut binding| {
                if row.any_address {
                    "0.0.0.0".clone_into(&mut binding.host_address);
                }
                binding
            })
        });
        bindings.collect()
    }

    /// The variables that take the host's address, on the hosts' own network.
    pub(super) fn address_env(&self, names: &[&str]) -> Vec<(String, String)> {
        let address = self.address.iter();
        address.flat_map(|address| names.iter().map(|name| ((*name).to_owned(), address.clone()))).collect()
    }

    /// The labels by which the provider finds a container again.
    pub(super) fn labels(&self, component: &str, role: Option<Role>, spec: &str) -> BTreeMap<String, String> {
        let ownership = Ownership {
            deployment: self.common.name.clone(),
            component: component.to_owned(),
            role: role.map(|role| role.word().to_owned()),
            run: self.owner.run.clone(),
            spec: spec.to_owned(),
        };
        ownership.to_labels()
    }
}

/// The pairs of a table as a map.
pub(crate) fn strings<'a>(
    pairs: impl IntoIterator<Item = &'a (&'a str, &'a str)>,
) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}
