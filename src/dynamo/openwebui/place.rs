//! Where an Open WebUI runs so that it reaches its deployments, and at which addresses it finds them.
//!
//! | deployment | Open WebUI | joins | finds the frontend at |
//! | --- | --- | --- | --- |
//! | private network, same host | private | its network | the container's name |
//! | private network, same host, beside one below | host's network | – | where it is published |
//! | hosts' network, same host | host's network | – | where it listens |
//! | hosts' network, other host | host's network | – | where it listens, or the host's advertised address |
//! | private network, other host | refused | | |

use super::spec::SourceDeployment;
use crate::dynamo::terms::names;
use crate::dynamo::terms::names::FRONTEND;
use crate::dynamo::terms::objection::{Field, Objection, Refusal};
use crate::dynamo::terms::words::NetworkMode;
use std::net::IpAddr;

/// The place of an Open WebUI: its network, and the deployments as it finds them there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub network: NetworkMode,
    /// Private networks that it joins, in the order of its deployments; none on the host's network.
    pub networks: Vec<String>,
    /// The API of each deployment, in their order.
    pub urls: Vec<String>,
}

/// The place of an Open WebUI on `host`. A deployment's objection is at [`Field::Source`].
pub(crate) fn place(host: &str, sources: &[SourceDeployment]) -> Result<Place, Vec<Objection>> {
    let network = match sources.iter().all(|source| source.network == NetworkMode::Bridge) {
        true => NetworkMode::Bridge,
        false => NetworkMode::Host,
    };
    let (mut networks, mut urls, mut objections) = (Vec::new(), Vec::new(), Vec::new());
    for (index, source) in sources.iter().enumerate() {
        match url(host, network, source) {
            Ok(url) => urls.push(url),
            Err(refusal) => objections.push(refusal.at(Field::Source(index))),
        }
        if network == NetworkMode::Bridge {
            networks.push(names::network(&source.name));
        }
    }
    if objections.is_empty() { Ok(Place { network, networks, urls }) } else { Err(objections) }
}

fn url(host: &str, network: NetworkMode, source: &SourceDeployment) -> Result<String, Refusal> {
    let local = source.host == host;
    if !local && source.network == NetworkMode::Bridge {
        return Err(Refusal::new(
            format!(
                "deployment {:?} is on host {:?} and its containers share a private network there, which nothing on host \
                 {host:?} can join",
                source.name, source.host
            ),
            "set network = \"host\" on the deployment, or leave host out here to have the page beside it",
        ));
    }
    let (address, port) = match (network, source.port) {
        (NetworkMode::Bridge, _) => (names::container(&source.name, FRONTEND), source.container_port),
        (NetworkMode::Host, Some(port)) if local => (here(&source.bind_address), port),
        (NetworkMode::Host, Some(port)) => (elsewhere(source)?, port),
        (NetworkMode::Host, None) => {
            let what = format!("the port of deployment {:?} is not known when it is needed", source.name);
            return Err(Refusal::new(what, "apply the deployment first"));
        }
    };
    Ok(format!("http://{}:{port}/v1", bracketed(&address)))
}

/// An address to connect to from the same host: nobody can connect to "all addresses".
fn here(bind_address: &str) -> String {
    match bind_address {
        "0.0.0.0" => "127.0.0.1".to_owned(),
        "::" => "::1".to_owned(),
        other => other.to_owned(),
    }
}

fn elsewhere(source: &SourceDeployment) -> Result<String, Refusal> {
    let listens = source.bind_address.parse::<IpAddr>().ok();
    if listens.is_some_and(|address| address.is_loopback()) {
        let what = format!(
            "the frontend of deployment {:?} listens at {} and so only to its own host {:?}",
            source.name, source.bind_address, source.host
        );
        let fix = "set bind_address on the deployment to the address by which other hosts reach it, or leave host out here";
        return Err(Refusal::new(what, fix));
    }
    if listens.is_some_and(|address| !address.is_unspecified()) {
        return Ok(source.bind_address.clone());
    }
    source.advertise_address.clone().ok_or_else(|| {
        let what = format!("no address is known at which other hosts reach host {:?}", source.host);
        Refusal::new(what, "set advertise_address in its entry of the provider's hosts")
    })
}

fn bracketed(address: &str) -> String {
    if address.contains(':') { format!("[{address}]") } else { address.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str, host: &str, network: NetworkMode, bind_address: &str) -> SourceDeployment {
        SourceDeployment {
            name: name.to_owned(),
            host: host.to_owned(),
            network,
            container_port: 8000,
            port: Some(8001),
            bind_address: bind_address.to_owned(),
            served_model_name: None,
            engine: None,
            advertise_address: Some("10.0.0.11".to_owned()),
        }
    }

    use NetworkMode::{Bridge, Host};

    #[test]
    fn beside_private_networks_it_joins_them_all() {
        let sources = [source("chat", "a", Bridge, "127.0.0.1"), source("code", "a", Bridge, "0.0.0.0")];
        let place = place("a", &sources).unwrap();
        assert_eq!(place.network, Bridge);
        assert_eq!(place.networks, ["chat-dynamo-net", "code-dynamo-net"]);
        assert_eq!(place.urls, ["http://chat-frontend:8000/v1", "http://code-frontend:8000/v1"]);
    }

    #[test]
    fn on_the_hosts_network_each_has_an_address() {
        for (host, bind_address, url) in [
            ("a", "127.0.0.1", "http://127.0.0.1:8001/v1"),
            ("a", "0.0.0.0", "http://127.0.0.1:8001/v1"),
            ("a", "::", "http://[::1]:8001/v1"),
            ("a", "10.0.0.7", "http://10.0.0.7:8001/v1"),
            ("b", "0.0.0.0", "http://10.0.0.11:8001/v1"),
            ("b", "10.0.0.7", "http://10.0.0.7:8001/v1"),
            ("b", "fd00::7", "http://[fd00::7]:8001/v1"),
        ] {
            let found = place(host, &[source("chat", "a", Host, bind_address)]).unwrap();
            assert_eq!((found.network, found.networks.len()), (Host, 0));
            assert_eq!(found.urls, [url], "{host} {bind_address}");
        }
    }

    #[test]
    fn beside_both_kinds_it_takes_what_is_published() {
        let sources = [source("chat", "a", Bridge, "127.0.0.1"), source("code", "b", Host, "10.0.0.12")];
        let place = place("a", &sources).unwrap();
        assert_eq!((place.network, place.networks.len()), (Host, 0));
        assert_eq!(place.urls, ["http://127.0.0.1:8001/v1", "http://10.0.0.12:8001/v1"]);
    }

    #[test]
    fn what_cannot_be_reached_is_refused_with_what_to_do() {
        let silent = SourceDeployment { advertise_address: None, ..source("chat", "a", Host, "0.0.0.0") };
        let open = SourceDeployment { port: None, ..source("chat", "a", Host, "0.0.0.0") };
        for (far, fix) in [
            (source("chat", "a", Bridge, "0.0.0.0"), "network = \"host\""),
            (source("chat", "a", Host, "127.0.0.1"), "bind_address"),
            (silent, "advertise_address"),
            (open, "apply the deployment first"),
        ] {
            let near = source("code", "b", Bridge, "127.0.0.1");
            let refused = place("b", &[near, far]).unwrap_err();
            assert_eq!(refused.len(), 1);
            assert_eq!(refused[0].field, Field::Source(1));
            assert!(refused[0].fix.contains(fix), "{}", refused[0]);
        }
    }
}
