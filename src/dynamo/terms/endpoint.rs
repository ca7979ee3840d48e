//! Address and port at which a process is reached, spelled as in URLs.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// Where a service is found: `etcd:2379` on a private network, `10.0.0.11:2379` on the hosts' own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// A host name of the private network, or an IP address in canonical spelling.
    pub address: String,
    pub port: u16,
}

impl Endpoint {
    /// Reads `address:port`, with an IP address and a port that one can connect to.
    pub fn parse(text: &str) -> Option<Self> {
        let read: SocketAddr = text.parse().ok()?;
        let good = read.port() > 0 && !read.ip().is_unspecified();
        good.then(|| Self { address: read.ip().to_string(), port: read.port() })
    }

    /// `template` with the placeholders of a [`Service`] filled in.
    pub fn fill(&self, template: &str, listen: &str) -> String {
        template
            .replace("{address}", &in_url(&self.address))
            .replace("{listen}", &in_url(listen))
            .replace("{port}", &self.port.to_string())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", in_url(&self.address), self.port)
    }
}

fn in_url(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_spelled_as_in_urls_and_read_back() {
        for text in ["10.0.0.11:2379", "[fd00::11]:2379"] {
            assert_eq!(Endpoint::parse(text).unwrap().to_string(), text);
        }
        for bad in ["", "etcd:2379", "10.0.0.11", "10.0.0.11:0", "0.0.0.0:2379", "fd00::11:2379", "[::]:1"] {
            assert_eq!(Endpoint::parse(bad), None, "{bad}");
        }
        let seat = Endpoint::parse("[fd00::11]:2379").unwrap();
        assert_eq!(seat.fill("http://{address}:{port} {listen}", "::1"), "http://[fd00::11]:2379 [::1]");
    }
}
