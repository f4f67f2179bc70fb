//! From a venue's name to its addresses: a name that leads into a private network is refused, unless that was meant.
//!
//! A resolver that is poisoned, or a captive portal, sends a venue's name to a machine nearby. TLS would refuse that
//! machine's certificate as well; this refuses the connection.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

/// How names become addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Addresses of some names, such as a hosts file would give; all other names are asked of the system.
    pub known: BTreeMap<String, Vec<IpAddr>>,
    /// Whether a name may lead to this machine or into a private network. An address that is written as a number, and
    /// `localhost`, may always: they say so themselves.
    pub private: bool,
}

impl Names {
    /// The addresses of `host` that may be connected to.
    ///
    /// # Errors
    /// A text that names the host and what is wrong with it.
    pub(crate) async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let found: Vec<IpAddr> = match self.known.get(host) {
            Some(known) => known.clone(),
            None => {
                let asked = tokio::net::lookup_host((host, port)).await;
                asked.map_err(|error| format!("the name {host} has no address: {error}"))?.map(|it| it.ip()).collect()
            }
        };
        let may = |address: &IpAddr| self.private || host == "localhost" || !is_private(*address);
        let allowed: Vec<SocketAddr> = found.iter().filter(|it| may(it)).map(|it| SocketAddr::new(*it, port)).collect();
        match (allowed.is_empty(), found.first()) {
            (false, _) => Ok(allowed),
            (true, None) => Err(format!("the name {host} has no address")),
            (true, Some(first)) => Err(format!("the name {host} leads to the private address {first}")),
        }
    }
}

/// Whether an address belongs to no host of the public Internet.
///
/// Source: IANA IPv4 and IPv6 Special-Purpose Address Registries.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => {
            let [a, b, ..] = it.octets();
            let shared = a == 100 && (64..128).contains(&b); // RFC 6598
            let benchmark = a == 198 && (b == 18 || b == 19); // RFC 2544
            it.is_loopback()
                || it.is_private()
                || it.is_link_local()
                || it.is_unspecified()
                || it.is_broadcast()
                || it.is_multicast()
                || it.is_documentation()
                || a == 0
                || a >= 240
                || shared
                || benchmark
        }
        IpAddr::V6(it) => is_private_v6(it),
    }
}

fn is_private_v6(it: Ipv6Addr) -> bool {
    if let Some(v4) = it.to_ipv4_mapped() {
        return is_private(IpAddr::V4(v4));
    }
    it.is_loopback() || it.is_unspecified() || it.is_multicast() || it.is_unique_local() || it.is_unicast_link_local()
}

/// The same rule for the HTTP client.
#[derive(Debug)]
pub(crate) struct HttpNames(pub(crate) Arc<Names>);

impl reqwest::dns::Resolve for HttpNames {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let names = Arc::clone(&self.0);
        Box::pin(async move {
            let found = names.resolve(name.as_str(), 0).await?; // the client puts in the port
            let addresses: reqwest::dns::Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_nobodys_on_the_internet_are_known() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "255.255.255.255",
            "224.0.0.1",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
        ] {
            assert!(is_private(private.parse().unwrap()), "{private}");
        }
        for public in ["1.1.1.1", "52.84.150.39", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1"] {
            assert!(!is_private(public.parse().unwrap()), "{public}");
        }
    }
}
