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

/// Whether `url` names this machine: `localhost`, an address of 127.0.0.0/8 or `[::1]`.
///
/// A name that leads here does not: what it leads to is another's to say.
#[must_use]
pub fn is_on_this_machine(url: &str) -> bool {
    let is_loopback = |host: &str| host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    host_of(url).is_some_and(|host| host == "localhost" || is_loopback(host))
}

/// The host that `url` names, an address of IPv6 without its brackets. What stands before an `@` is a user, whatever it
/// looks like.
pub(crate) fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let place = authority.rsplit('@').next()?;
    let (host, port) = match place.strip_prefix('[') {
        Some(inner) => inner.split_once(']')?,
        None => place.split_at(place.find(':').unwrap_or(place.len())),
    };
    let fits = !host.is_empty() && !host.contains(char::is_whitespace) && (port.is_empty() || port.starts_with(':'));
    fits.then_some(host)
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

    #[test]
    fn this_machine_is_named_by_its_own_addresses_alone() {
        for here in [
            "http://127.0.0.1:9000",
            "ws://127.0.0.2/ws-api/v3",
            "https://127.255.255.254",
            "http://[::1]:9000",
            "ws://[::1]",
            "http://localhost",
            "ws://localhost:9000/ws-api/v3",
            "http://user@localhost",
        ] {
            assert!(is_on_this_machine(here), "{here}");
        }
        for elsewhere in [
            "https://api.binance.com",
            "https://127.0.0.1.evil.example",
            "https://localhost.evil.example",
            "http://127.0.0.1:80@evil.example",
            "http://[::1].evil.example",
            "http://[::1]@evil.example",
            "http://[::1",
            "http://[::2]",
            "http://128.0.0.1",
            "http://10.0.0.1",
            "http://0.0.0.0",
            "http://0177.0.0.1",
            "http://127.0.0.1\n.evil.example",
            "http://",
            "127.0.0.1",
            "",
        ] {
            assert!(!is_on_this_machine(elsewhere), "{elsewhere}");
        }
    }
}
