//! Who may come in: asked at each handshake, and brought up to date while the program runs.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use super::{Error, ruling};
use crate::crdt::Stamp;
use crate::exchange::{Access, Author, Denial, Judge, Objection, Standing};
use crate::git::Repo;
use crate::net::{Company, PublicKey, Trust};
use crate::node::{Admitted, Ground, Node, Pace, Role, Trusted};
use crate::overlay::Known;
use crate::store::{self, Durability, Moment, Store};

/// Who is trusted now.
#[derive(Clone, Debug)]
pub struct Admission {
    /// This work tree's own key.
    own: PublicKey,
    trusted: Arc<RwLock<Trusted>>,
    /// How much those have written of whom only so much is taken in an hour.
    paces: Arc<Mutex<BTreeMap<PublicKey, Pace>>>,
    /// Until when strangers may say with what they were invited, in milliseconds since the Unix epoch.
    strangers: Arc<AtomicU64>,
}

impl Admission {
    /// Whom the work tree with this key trusts.
    pub(super) fn new(own: PublicKey, trusted: Trusted) -> Self {
        Self {
            own,
            trusted: Arc::new(RwLock::new(trusted)),
            paces: Arc::default(),
            strangers: Arc::default(),
        }
    }

    /// Those of whom only so much is taken in an hour.
    pub(super) fn limited(&self) -> Vec<(PublicKey, NonZeroU32)> {
        let trusted = self.now();
        let limited = trusted.others.keys().filter_map(|key| {
            let writer = trusted.writer(key)?;
            Some((*key, trusted.access.edits_per_hour(writer)?))
        });
        limited.collect()
    }

    pub(super) fn set_paces(&self, paces: impl IntoIterator<Item = (PublicKey, Pace)>) {
        *self.paces.lock().unwrap_or_else(PoisonError::into_inner) = paces.into_iter().collect();
    }

    /// When an edit of somebody of whom only so many are taken in an hour is due. One that is due now counts as taken.
    fn due(&self, key: &PublicKey, per_hour: NonZeroU32, stamp: Stamp) -> Option<u64> {
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        let pace = paces.entry(*key).or_insert_with(|| Pace::new(per_hour, []));
        let due = pace.due(stamp);
        if due > Moment::now().unix_millis() {
            return Some(due);
        }
        pace.take(stamp);
        None
    }

    /// Lets strangers say with what they were invited until this moment; those who come later hear nothing of it.
    pub(super) fn expect_strangers_until(&self, moment: Moment) {
        self.strangers
            .store(moment.unix_millis(), Ordering::Relaxed);
    }

    /// Whether these and nobody else are trusted, to do the same.
    pub(super) fn is_now(&self, trusted: &Trusted) -> bool {
        *self.now() == *trusted
    }

    /// Trusts these and nobody else from now on.
    pub(super) fn set(&self, trusted: Trusted) {
        *self.trusted.write().unwrap_or_else(PoisonError::into_inner) = trusted;
    }

    fn now(&self) -> RwLockReadGuard<'_, Trusted> {
        self.trusted.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who has this key.
    pub(super) fn of(&self, key: &PublicKey) -> Option<Admitted> {
        self.now().others.get(key).cloned()
    }

    /// The keys of all who are trusted.
    pub(super) fn keys(&self) -> Vec<PublicKey> {
        self.now().others.keys().copied().collect()
    }

    /// How many those are.
    pub(super) fn company(&self) -> Company {
        Company::of(self.now().others.len())
    }
}

impl Judge for Admission {
    fn standing(&self, key: &PublicKey) -> Standing {
        let trusted = self.now();
        if trusted.removed.contains_key(key) {
            return Standing::Removed;
        }
        if *key == self.own {
            return Standing::Writes;
        }
        match trusted.others.get(key) {
            Some(peer) if peer.role.writes() => Standing::Writes,
            Some(_) => Standing::Reads,
            None => Standing::Unknown,
        }
    }

    fn judge(&self, author: &Author, edit: &Known) -> Result<(), Objection> {
        let trusted = self.now();
        if let Some(removed) = trusted.removed.get(&author.key) {
            return match removed.until.includes(edit.stamp) {
                true => Ok(()),
                false => Err(Objection::Denied(Denial::Removed)),
            };
        }
        // What was made here was taken before anybody asked.
        let is_own = author.key == self.own;
        let counts_as = author.by.unwrap_or(author.key);
        let writer = ruling::writer_of(&trusted, &self.own, &counts_as);
        let Some(writer) = writer.filter(|_| !is_own) else {
            return Ok(());
        };
        if let Some(denial) = ruling::against(&trusted.access, writer, edit) {
            return Err(Objection::Denied(denial));
        }
        let per_hour = trusted.access.edits_per_hour(writer);
        match per_hour.and_then(|per_hour| self.due(&author.key, per_hour, edit.stamp)) {
            Some(due) => Err(Objection::Early(due)),
            None => Ok(()),
        }
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

/// Makes ready what proves to others whose edits are whose: seals what was recorded here by a program that did not, and vouches.
///
/// # Errors
/// When the store cannot be written.
pub(super) fn prove(store: &mut Store, node: &Node, trusted: &Trusted) -> Result<(), Error> {
    let writing = store.write(Durability::Process)?;
    writing.seal_unsealed(node.key())?;
    writing.commit()?;
    vouch(store, node, trusted)
}

/// Vouches for those whom this work tree knows and others may not, its siblings and those whom its user trusts, and for nobody else.
///
/// # Errors
/// When the store cannot be written.
pub(super) fn vouch(store: &mut Store, node: &Node, trusted: &Trusted) -> Result<(), Error> {
    let is_ours = |peer: &Admitted| matches!(peer.ground, Ground::Sibling | Ground::Local);
    let others = trusted.others.iter();
    // What holds for whoever vouches would hold for an agent then, and rules may let that do less.
    let is_agent = |peer: &Admitted| peer.role == Role::Agent;
    let vouched = others.filter(|(_, peer)| is_ours(peer) && peer.role.writes() && !is_agent(peer));
    let vouched: BTreeSet<PublicKey> = vouched.map(|(key, _)| *key).collect();
    let writing = store.write(Durability::Process)?;
    writing.vouch_for(&vouched, node.key())?;
    Ok(writing.commit()?)
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
