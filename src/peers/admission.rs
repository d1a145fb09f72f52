//! Who may come in: asked at each handshake, and brought up to date while the program runs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::Error;
use crate::exchange::Access;
use crate::git::Repo;
use crate::net::{PublicKey, Trust};
use crate::node::{Admitted, Node, Role, Trusted};
use crate::store::{self, Moment, Store};

/// Who is trusted now.
#[derive(Clone, Debug, Default)]
pub struct Admission {
    others: Arc<RwLock<BTreeMap<PublicKey, Admitted>>>,
    /// Until when strangers may say with what they were invited, in milliseconds since the Unix epoch.
    strangers: Arc<AtomicU64>,
}

impl Admission {
    /// Lets strangers say with what they were invited until this moment; those who come later hear nothing of it.
    pub(super) fn expect_strangers_until(&self, moment: Moment) {
        self.strangers
            .store(moment.unix_millis(), Ordering::Relaxed);
    }

    /// Trusts these and nobody else from now on; says whether that is another set, or others may do other things.
    pub(super) fn set(&self, others: BTreeMap<PublicKey, Admitted>) -> bool {
        let mut trusted = self.others.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = *trusted != others;
        *trusted = others;
        is_new
    }

    /// Who has this key.
    pub(super) fn of(&self, key: &PublicKey) -> Option<Admitted> {
        let trusted = self.others.read().unwrap_or_else(PoisonError::into_inner);
        trusted.get(key).cloned()
    }

    /// The keys of all who are trusted.
    pub(super) fn keys(&self) -> Vec<PublicKey> {
        let trusted = self.others.read().unwrap_or_else(PoisonError::into_inner);
        trusted.keys().copied().collect()
    }
}

impl Trust for Admission {
    fn admits(&self, key: &PublicKey) -> bool {
        self.of(key).is_some()
    }

    fn expects_strangers(&self) -> bool {
        Moment::now().unix_millis() < self.strangers.load(Ordering::Relaxed)
    }
}

/// Whom a work tree trusts, those included whom its user named.
pub(super) fn trusted(repo: &Repo, node: &Node, store: &mut Store) -> Result<Trusted, Error> {
    Ok(known_peers(repo, node, Some(store))?.0)
}

/// Whom a work tree trusts, and what its store, if there is one, knows of each.
///
/// # Errors
/// When the repository or the store cannot be read.
pub fn known_peers(
    repo: &Repo,
    node: &Node,
    store: Option<&mut Store>,
) -> Result<(Trusted, Vec<store::Peer>), Error> {
    let peers = match store {
        Some(store) => store.read()?.peers()?,
        None => Vec::new(),
    };
    let local = peers.iter().filter_map(|peer| {
        let role = Role::from(peer.trust?);
        Some((peer.key, peer.name.clone().unwrap_or_default(), role))
    });
    let trusted = Trusted::of(repo, node, local)?;
    Ok((trusted, peers))
}

/// What somebody in this role may do in a session.
pub(super) fn access(role: Role) -> Access {
    match role.writes() {
        true => Access::Writes,
        false => Access::Reads,
    }
}

/// What this work tree may do by its own account. Whoever is no member finds out from the others.
pub(super) fn own_access(trusted: &Trusted) -> Access {
    trusted.own_role.map_or(Access::Writes, access)
}
