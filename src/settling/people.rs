//! Whose edits are whose.

use std::collections::{BTreeMap, HashMap};

use super::Origin;
use crate::crdt::{Replica, Stamp};
use crate::git::Repo;
use crate::node::{Members, NodeId};
use crate::overlay::Known;
use crate::store::Reading;

/// The nodes that made edits, and what they are called.
#[derive(Debug, Default)]
pub(super) struct People {
    keys: HashMap<Replica, [u8; 32]>,
    names: BTreeMap<[u8; 32], String>,
}

impl People {
    /// Those whom HEAD names as members, and whom this work tree trusts. What cannot be read names nobody.
    pub(super) fn of(repo: &Repo, reading: Option<&Reading<'_>>) -> Self {
        let mut people = Self::default();
        if let Some(reading) = reading {
            let owners = reading.all_owners().unwrap_or_default();
            people.keys = owners
                .into_iter()
                .map(|owner| (owner.replica, owner.key))
                .collect();
            let peers = reading.peers().unwrap_or_default().into_iter();
            people.names = peers
                .filter_map(|peer| Some((peer.key, peer.name?)))
                .collect();
        }
        if let Ok(members) = Members::at_head(repo) {
            let (members, _) = members.by_key();
            let members = members.into_iter();
            let names = members.map(|(key, member)| (key, member.name.clone()));
            people.names.extend(names);
        }
        people
    }

    /// Whether it is known whose key is behind an edit.
    pub(super) fn knows(&self, stamp: Stamp) -> bool {
        self.keys.contains_key(&stamp.replica())
    }

    /// Where an edit comes from, as its stamp and what is known of it tell.
    pub(super) fn origin(&self, stamp: Stamp, known: Option<&Known>) -> Origin {
        let (node, name) = self.who(stamp);
        Origin {
            when: Some(stamp.unix_millis()),
            node: Some(node),
            name,
            branch: known.and_then(|known| known.branch.clone()),
            commit: None,
        }
    }

    /// The node that made an edit, and what it is called; where its key is not known, the replica.
    fn who(&self, stamp: Stamp) -> (String, Option<String>) {
        match self.keys.get(&stamp.replica()) {
            Some(key) => (
                NodeId::of_bytes(key).to_string(),
                self.names.get(key).cloned(),
            ),
            None => (stamp.replica().to_string(), None),
        }
    }
}
