//! Where this host can be reached.

use std::net::{IpAddr, SocketAddr};

/// At most so many addresses of this host are told: a ticket is copied by hand.
const MOST: usize = 4;

/// The addresses at which others may reach somebody who listens there, those first that are of most use: nearly everybody has a
/// way to IPv4 addresses of the network that both are in. Those of the loopback only where there are no others.
#[must_use]
pub fn reachable_at(listening: SocketAddr) -> Vec<SocketAddr> {
    if !listening.ip().is_unspecified() {
        return vec![listening];
    }
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let mut ips: Vec<IpAddr> = interfaces.iter().map(if_addrs::Interface::ip).collect();
    if listening.is_ipv4() {
        ips.retain(IpAddr::is_ipv4);
    }
    ips.retain(|ip| !matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local()));
    if ips.iter().any(|ip| !ip.is_loopback()) {
        ips.retain(|ip| !ip.is_loopback());
    }
    ips.sort_by_key(IpAddr::is_ipv6);
    ips.dedup();
    ips.truncate(MOST);
    let with_port = |ip| SocketAddr::new(ip, listening.port());
    ips.into_iter().map(with_port).collect()
}
