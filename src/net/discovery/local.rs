//! Nodes on the local network, by multicast DNS (RFC 6762) and DNS service discovery (RFC 6763).
//!
//! What is announced tells outsiders that some node is there, and nothing else: the names of instance and host are drawn
//! at every start, and who it is only those recognise who know its key. It is a hint where to call, and no proof: that is
//! TLS' matter.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::sync::Arc;
use std::time::Duration;

use mdns_sd::{
    DaemonEvent, IfKind, Receiver, ResolvedService, ScopedIp, ServiceDaemon, ServiceEvent,
    ServiceInfo,
};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::Sighting;
use super::tag::{Nonce, Tag, from_hex, tag, to_hex};
use crate::net::identity::PublicKey;

/// What nodes announce themselves as.
const SERVICE: &str = "_rhema-crdt._udp.local.";

/// The version of the announcement.
const VERSION: &str = "1";

/// The port of multicast DNS.
const PORT: u16 = 5353;

/// How often the addresses of this host are looked at, in seconds: a network that came back is used that late.
const IP_CHECK: u32 = 2;

/// How long nobody may be found before it is said that the network may be to blame.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long after a failure announcing is tried again.
const AGAIN: Duration = Duration::from_secs(30);

/// Announcements that are kept in mind, strangers' included: their keys may become known. Anybody can announce anything.
const ANNOUNCEMENTS: usize = 256;

/// Addresses that one announcement may name.
const ADDRESSES: usize = 16;

/// How to look around on the local network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalNetwork {
    /// Whether to be found, beside finding.
    pub announce: bool,
    /// The port of the multicast; another one than the usual sees only those who use it too.
    pub port: u16,
    /// Whether nothing leaves this host.
    pub loopback_only: bool,
}

impl Default for LocalNetwork {
    fn default() -> Self {
        Self {
            announce: true,
            port: PORT,
            loopback_only: false,
        }
    }
}

/// Looks around until nobody listens to what is seen.
pub(in crate::net) struct Local {
    pub(in crate::net) settings: LocalNetwork,
    /// Where we listen.
    pub(in crate::net) listening: SocketAddr,
    pub(in crate::net) own: PublicKey,
    /// Whom to recognise.
    pub(in crate::net) keys: watch::Receiver<Arc<BTreeSet<PublicKey>>>,
    pub(in crate::net) sightings: mpsc::Sender<Sighting>,
    /// Asks to begin anew, as after a sleep: sockets of multicast do not always survive that.
    pub(in crate::net) anew: Arc<Notify>,
}

/// One daemon, while it serves.
struct Daemon {
    daemon: ServiceDaemon,
    found: Receiver<ServiceEvent>,
    monitor: Receiver<DaemonEvent>,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It says good-bye for us, in its own thread.
        let _ = self.daemon.shutdown();
    }
}

/// What somebody announced.
struct Announcement {
    nonce: Nonce,
    tag: Tag,
    addresses: Vec<SocketAddr>,
}

impl Announcement {
    fn read(service: &ResolvedService) -> Option<Self> {
        let text = |name| service.get_property_val_str(name);
        if text("v")? != VERSION {
            return None;
        }
        let mut addresses: Vec<_> = service
            .get_addresses()
            .iter()
            .map(|ip| socket_address(ip, service.get_port()))
            .collect();
        addresses.sort_unstable();
        addresses.truncate(ADDRESSES);
        Some(Self {
            nonce: from_hex(text("n")?)?,
            tag: from_hex(text("t")?)?,
            addresses,
        })
    }

    fn is(&self, key: &PublicKey) -> bool {
        tag(&self.nonce, key) == self.tag
    }
}

/// An address of the local link is of use only with the interface on which it was heard.
fn socket_address(ip: &ScopedIp, port: u16) -> SocketAddr {
    match ip {
        ScopedIp::V6(v6) => {
            let scope = if v6.addr().is_unicast_link_local() {
                v6.scope_id().index
            } else {
                0
            };
            SocketAddrV6::new(*v6.addr(), port, 0, scope).into()
        }
        other => SocketAddr::new(other.to_ip_addr(), port),
    }
}

impl Local {
    pub(in crate::net) async fn run(mut self) {
        loop {
            let served = match self.begin() {
                Ok(daemon) => self.serve(&daemon).await,
                Err(error) => {
                    let told = self.tell(Sighting::Blocked(error.to_string())).await;
                    tokio::select! {
                        () = self.anew.notified() => {}
                        () = sleep(AGAIN) => {}
                    }
                    told
                }
            };
            if served.is_none() {
                return;
            }
        }
    }

    fn begin(&self) -> mdns_sd::Result<Daemon> {
        let daemon = ServiceDaemon::new_with_port(self.settings.port)?;
        if self.settings.loopback_only {
            daemon.disable_interface(IfKind::All)?;
            daemon.enable_interface(IfKind::LoopbackV4)?;
        }
        daemon.set_ip_check_interval(IP_CHECK)?;
        let monitor = daemon.monitor()?;
        let found = daemon.browse(SERVICE)?;
        if self.settings.announce {
            daemon.register(self.announcement()?)?;
        }
        Ok(Daemon {
            daemon,
            found,
            monitor,
        })
    }

    fn announcement(&self) -> mdns_sd::Result<ServiceInfo> {
        let [nonce, instance, host] = [random()?, random()?, random()?];
        let host = format!("{}.local.", to_hex(host));
        let properties = [
            ("v", VERSION.to_owned()),
            ("n", to_hex(nonce)),
            ("t", to_hex(tag(&nonce, &self.own))),
        ];
        let ip = self.listening.ip();
        let certain: &[IpAddr] = if ip.is_unspecified() { &[] } else { &[ip] };
        let port = self.listening.port();
        let mut info = ServiceInfo::new(
            SERVICE,
            &to_hex(instance),
            &host,
            certain,
            port,
            properties.as_slice(),
        )?;
        if ip.is_unspecified() {
            info = info.enable_addr_auto();
        }
        if ip.is_ipv4() {
            info.set_interfaces(vec![IfKind::IPv4]);
        }
        // Nobody else draws these names, so nobody need be asked whether he has them: that takes most of a second.
        info.set_requires_probe(false);
        Ok(info)
    }

    /// Tells what is seen until it is to begin anew; `None` when nobody listens any more.
    async fn serve(&mut self, daemon: &Daemon) -> Option<()> {
        let mut announcements = BTreeMap::new();
        let mut somebody = false;
        let patience = sleep_until(Instant::now() + PATIENCE);
        tokio::pin!(patience);
        loop {
            tokio::select! {
                event = daemon.found.recv_async() => match event {
                    Ok(event) => somebody |= self.found(event, &mut announcements).await?,
                    Err(_) => {
                        sleep(AGAIN).await;
                        return Some(());
                    }
                },
                event = daemon.monitor.recv_async() => match event {
                    Ok(DaemonEvent::Error(error)) => {
                        self.tell(Sighting::Blocked(error.to_string())).await?;
                    }
                    Ok(DaemonEvent::IpAdd(_)) => self.tell(Sighting::Moved).await?,
                    Ok(_) => {}
                    Err(_) => {
                        sleep(AGAIN).await;
                        return Some(());
                    }
                },
                changed = self.keys.changed() => {
                    changed.ok()?;
                    let here: BTreeSet<_> = announcements.values().filter_map(|one| self.whose(one)).collect();
                    for key in here {
                        somebody |= self.tell_of(Some(key), &announcements).await?;
                    }
                }
                () = self.anew.notified() => return Some(()),
                () = &mut patience, if !somebody && !self.keys.borrow().is_empty() => {
                    somebody = true;
                    self.tell(Sighting::Nobody).await?;
                }
            }
        }
    }

    /// Whether somebody was recognised; `None` when nobody listens any more.
    async fn found(
        &self,
        event: ServiceEvent,
        announcements: &mut BTreeMap<String, Announcement>,
    ) -> Option<bool> {
        match event {
            ServiceEvent::ServiceResolved(service) => {
                let Some(announcement) = Announcement::read(&service) else {
                    return Some(false);
                };
                let key = self.whose(&announcement);
                if announcements.len() >= ANNOUNCEMENTS {
                    announcements.pop_first();
                }
                announcements.insert(service.get_fullname().to_owned(), announcement);
                self.tell_of(key, announcements).await
            }
            ServiceEvent::ServiceRemoved(_, name) => {
                let gone = announcements.remove(&name);
                let key = gone.and_then(|gone| self.whose(&gone));
                self.tell_of(key, announcements).await?;
                Some(false)
            }
            _ => Some(false),
        }
    }

    /// Tells where the node with this key is by all that it announces: it may run as watcher and as command, and what it
    /// announced before it was started anew may stand for a while. Whether there is anything to tell.
    async fn tell_of(
        &self,
        key: Option<PublicKey>,
        announcements: &BTreeMap<String, Announcement>,
    ) -> Option<bool> {
        let Some(key) = key else {
            return Some(false);
        };
        let by_it = announcements.values().filter(|one| one.is(&key));
        let addresses: BTreeSet<_> = by_it
            .flat_map(|one| one.addresses.iter().copied())
            .collect();
        self.tell(match addresses.is_empty() {
            true => Sighting::Gone(key),
            false => Sighting::Here(key, addresses.into_iter().collect()),
        })
        .await?;
        Some(true)
    }

    fn whose(&self, announcement: &Announcement) -> Option<PublicKey> {
        let keys = self.keys.borrow();
        keys.iter().find(|key| announcement.is(key)).copied()
    }

    async fn tell(&self, sighting: Sighting) -> Option<()> {
        self.sightings.send(sighting).await.ok()
    }
}

fn random() -> mdns_sd::Result<[u8; 8]> {
    let mut bytes = [0; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(mdns_sd::Error::Msg(error.to_string())),
    }
}
