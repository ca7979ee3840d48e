//! Ports on the host: is one free, which is the next, and who has it.
//!
//! Two listeners are in each other's way when their ports are equal and their addresses overlap. A wildcard overlaps
//! every address of both families: Docker binds `0.0.0.0` and `::` together, and a dual-stack `::` takes IPv4 as well.

use super::objection::Refusal;
use crate::inventory::{PortHolder, PortInUse};
use std::net::IpAddr;

/// Where the search for a frontend's port begins.
pub(crate) const FRONTEND_FROM: u16 = 8000;

/// By which a host is reached of which nothing else is said: there is no other host then.
pub(crate) const THIS_MACHINE: &str = "127.0.0.1";

/// A port as users write it.
pub(crate) fn check(port: i64) -> Result<u16, Refusal> {
    u16::try_from(port).ok().filter(|port| *port > 0).ok_or_else(|| {
        Refusal::new(format!("{port} is not a port"), "use 1 to 65535, or leave it out to have one picked")
    })
}

/// An address to listen on, in canonical spelling.
pub(crate) fn check_address(text: &str) -> Result<String, Refusal> {
    text.parse::<IpAddr>().map(|address| address.to_string()).map_err(|_| {
        let what = format!("{text:?} is not an IP address");
        Refusal::new(what, "use 127.0.0.1 for this host alone, 0.0.0.0 for every network it is in")
    })
}

/// The address by which other hosts reach one, in canonical spelling.
pub(crate) fn check_advertised(text: &str) -> Result<String, Refusal> {
    let address = text.parse::<IpAddr>().ok().filter(|address| !address.is_unspecified());
    address.map(|address| address.to_string()).ok_or_else(|| {
        let what = format!("{text:?} is not an IP address at which other hosts can reach the host");
        Refusal::new(what, "set advertise_address in its entry of hosts to one that the machine has")
    })
}

/// Who is in the way of listening on `port` at `bind_address`.
pub(crate) fn conflict<'a>(port: u16, bind_address: &str, used: &'a [PortInUse]) -> Option<&'a PortInUse> {
    used.iter().find(|taken| taken.port == port && overlap(&taken.address, bind_address))
}

/// The first port from `from` upwards that is free and not `promised`, as are those that are so far above it.
pub(crate) fn pick(
    from: u16,
    bind_address: &str,
    used: &[PortInUse],
    offsets: &[u16],
    promised: impl Fn(u16) -> bool,
) -> Result<u16, Refusal> {
    let free = |port: u16| conflict(port, bind_address, used).is_none() && !promised(port);
    let all_free = |port: &u16| offsets.iter().all(|above| port.checked_add(*above).is_some_and(free));
    (from..=u16::MAX).find(all_free).ok_or_else(|| {
        let what = format!("no port from {from} upwards is free on {bind_address}");
        Refusal::new(what, "free one, or name a lower one that is free")
    })
}

/// The complaint about a port that is taken.
pub(crate) fn taken(by: &PortInUse) -> Refusal {
    let what = format!("port {} is taken on {} by {}", by.port, by.address, holder(&by.holder));
    Refusal::new(what, "choose another port, leave it out to have a free one picked, or stop what holds it")
}

fn holder(holder: &PortHolder) -> String {
    match holder {
        PortHolder::Container { name, ours: true } => format!("the container {name} of this provider"),
        PortHolder::Container { name, ours: false } => format!("the container {name}"),
        PortHolder::Process { name: Some(name) } => format!("the process {name}"),
        PortHolder::Process { name: None } => "a process of the host".to_owned(),
    }
}

/// Whether two listeners at these addresses would be in each other's way.
pub(crate) fn overlap(one: &str, other: &str) -> bool {
    match (address(one), address(other)) {
        (Some(one), Some(other)) => one.is_unspecified() || other.is_unspecified() || one == other,
        // An address that cannot be read might be any.
        _ => true,
    }
}

fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// The URL under which the frontend is found: where it listens at all addresses of its host, at the one by which others
/// reach the host.
pub(crate) fn frontend_url(bind_address: &str, port: i64, advertise: Option<&str>) -> String {
    let advertised = advertise.filter(|_| is_everywhere(bind_address));
    match advertised.unwrap_or_else(|| reachable(bind_address)) {
        address if address.contains(':') => format!("http://[{address}]:{port}"),
        address => format!("http://{address}:{port}"),
    }
}

/// Whether an address to listen at stands for all of the host.
pub(crate) fn is_everywhere(bind_address: &str) -> bool {
    reachable(bind_address) != bind_address
}

/// An address to connect to for one to listen at: nobody can connect to "all addresses".
pub(crate) fn reachable(bind_address: &str) -> &str {
    match bind_address {
        "0.0.0.0" => "127.0.0.1",
        "::" => "::1",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(address: &str, port: u16) -> PortInUse {
        let holder = PortHolder::Container { name: "nginx".to_owned(), ours: false };
        PortInUse { address: address.to_owned(), port, holder }
    }

    #[test]
    fn addresses_overlap() {
        let rows = [
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("0.0.0.0", "127.0.0.1", true),
            ("127.0.0.1", "0.0.0.0", true),
            ("::", "10.0.0.1", true),
            ("::1", "127.0.0.1", false),
            ("::1", "::1", true),
            ("::ffff:127.0.0.1", "127.0.0.1", true),
            ("::ffff:0.0.0.0", "127.0.0.1", true),
            ("*", "127.0.0.1", true),
        ];
        for (one, other, expected) in rows {
            assert_eq!(overlap(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn the_first_free_port_is_picked() {
        let taken = [used("0.0.0.0", 8000), used("127.0.0.1", 8001), used("10.0.0.1", 8002)];
        let pick = |from, address: &str, used: &[PortInUse]| pick(from, address, used, &[0], |_| false);
        assert_eq!(pick(8000, "127.0.0.1", &taken), Ok(8002));
        assert_eq!(pick(8000, "0.0.0.0", &taken), Ok(8003));
        assert_eq!(pick(65535, "127.0.0.1", &[]), Ok(65535));
        assert!(pick(65535, "127.0.0.1", &[used("::", 65535)]).is_err());
    }

    #[test]
    fn a_taken_port_names_its_holder() {
        let taken_ports = [used("0.0.0.0", 8000)];
        let by = conflict(8000, "127.0.0.1", &taken_ports).unwrap();
        assert!(taken(by).what.contains("the container nginx"));
        assert!(conflict(8001, "127.0.0.1", &taken_ports).is_none());
    }

    #[test]
    fn ports_and_addresses_as_written() {
        assert!(check(0).is_err() && check(65536).is_err() && check(-1).is_err());
        assert_eq!(check(65535), Ok(65535));
        assert_eq!(check_address("::0001").as_deref(), Ok("::1"));
        assert!(check_address("localhost").is_err());
        assert_eq!(check_advertised("10.0.0.11").as_deref(), Ok("10.0.0.11"));
        assert!(check_advertised("gpu-a").is_err() && check_advertised("0.0.0.0").is_err());
    }

    #[test]
    fn ports_that_come_together_are_free_together() {
        let taken = [used("0.0.0.0", 20081), used("0.0.0.0", 21082)];
        let pick = |offsets: &[u16]| pick(20080, "0.0.0.0", &taken, offsets, |port| port == 20083);
        assert_eq!(pick(&[0]), Ok(20080));
        assert_eq!(pick(&[0, 1]), Ok(20084));
        assert_eq!(pick(&[0, 1000]), Ok(20080));
        assert_eq!(pick(&[0, 1002]), Ok(20082));
        assert!(pick(&[0, 65_000]).is_err());
    }
}
