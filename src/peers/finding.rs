//! Where others may be.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use super::{Admission, Error};
use crate::git::Repo;
use crate::net::{Place, PublicKey, Sought};
use crate::node::{Config, Discovery};
use crate::store::Store;

/// Whom one who stays keeps lines with.
pub(super) struct Wanted {
    /// How others are found.
    pub(super) discovery: Discovery,
    /// Where somebody is, as the user said.
    pub(super) named: BTreeSet<Place>,
    /// Where others listen, as they say on the git remote.
    pub(super) published: BTreeMap<PublicKey, Vec<SocketAddr>>,
}

impl Wanted {
    /// Where they may be, as far as is known now.
    pub(super) fn sought(
        &self,
        repo: &Repo,
        store: &mut Store,
        admission: &Admission,
    ) -> Result<Sought, Error> {
        let mut sought = match self.discovery {
            Discovery::Off => Sought {
                company: admission.company(),
                ..Sought::default()
            },
            _ => everywhere(repo, store, admission, &Config::in_work_tree(repo)?)?,
        };
        sought.places.extend(self.named.iter().cloned());
        for (key, addresses) in &self.published {
            if let Some(known) = sought.peers.get_mut(key) {
                known.extend(addresses);
            }
        }
        Ok(sought)
    }
}

/// All places at which those who are trusted may be: where they were met last, where the configuration says that somebody
/// always is, and where sibling work trees left their addresses.
pub(super) fn everywhere(
    repo: &Repo,
    store: &mut Store,
    admission: &Admission,
    config: &Config,
) -> Result<Sought, Error> {
    let mut sought = Sought {
        company: admission.company(),
        ..Sought::default()
    };
    for key in admission.keys() {
        sought.peers.insert(key, Vec::new());
    }
    for peer in store.read()?.peers()? {
        if let Some(addresses) = sought.peers.get_mut(&peer.key) {
            for address in peer.addresses {
                match address.parse() {
                    Ok(address) => addresses.push(address),
                    Err(_) => {
                        sought.places.insert(Place::Address(address));
                    }
                }
            }
        }
    }
    let always = config.peers.iter().cloned().map(Place::Address);
    sought.places.extend(always);
    for top in repo.other_work_trees()? {
        if let Ok(sibling) = Repo::at(&top) {
            let git_dir = sibling.git_dir().to_path_buf();
            sought.places.insert(Place::Sibling(git_dir));
        }
    }
    Ok(sought)
}

/// Whether a text is written as `HOST:PORT`; a host that is an IPv6 address stands in brackets.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let is_bracketed = host.starts_with('[') && host.ends_with(']');
    let is_host = !host.is_empty() && !host.contains(char::is_whitespace);
    is_host
        && (is_bracketed || !host.contains(':'))
        && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// The place or the peer that somebody named: `HOST:PORT`, the name of a node, its key, or what it is called.
pub(super) fn named(
    name: &str,
    everywhere: &Sought,
    admission: &Admission,
) -> Result<Sought, Error> {
    let mut sought = Sought::default();
    let is_it = |key: &PublicKey| {
        let admitted = admission.of(key);
        admitted.is_some_and(|peer| peer.id.to_string() == name || peer.name == name)
    };
    let mut keys = admission.keys().into_iter().filter(is_it);
    if let Some(key) = keys.next() {
        let addresses = everywhere.peers.get(&key).cloned().unwrap_or_default();
        sought.peers.insert(key, addresses);
        return Ok(sought);
    }
    if !is_address(name) {
        return Err(Error::NoSuchPeer(name.to_owned()));
    }
    sought.places.insert(Place::Address(name.to_owned()));
    Ok(sought)
}
