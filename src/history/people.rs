//! Whose edits are whose.

use std::collections::{BTreeMap, HashMap};

use super::{Error, Who};
use crate::crdt::{Replica, Stamp};
use crate::git::Repo;
use crate::node::{Members, Node, NodeId};
use crate::overlay::CommitId;
use crate::store::Reading;

/// The nodes that made edits, and what they are called.
#[derive(Debug, Default)]
pub struct People {
    keys: HashMap<Replica, [u8; 32]>,
    names: BTreeMap<[u8; 32], String>,
    own: Option<[u8; 32]>,
}

impl People {
    /// Those whom HEAD names as members, whom this work tree trusts or knows of, and itself. What cannot be read names nobody.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn of(repo: &Repo, reading: Option<&Reading<'_>>) -> Result<Self, Error> {
        let mut people = Self::default();
        if let Some(reading) = reading {
            for owner in reading.all_owners()? {
                people.keys.entry(owner.replica).or_insert(owner.key);
            }
            for peer in reading.peers()? {
                people.names.extend(peer.name.map(|name| (peer.key, name)));
            }
        }
        match Members::at_head(repo) {
            Ok(members) => {
                let (members, _) = members.by_key();
                let names = members.into_iter();
                let names = names.map(|(key, member)| (key, member.name.clone()));
                people.names.extend(names);
            }
            Err(error) => tracing::info!("{error}"),
        }
        match Node::load(repo.git_dir()) {
            Ok(node) => people.own = node.map(|node| node.key().public().to_bytes()),
            Err(error) => tracing::info!("{error}"),
        }
        Ok(people)
    }

    /// Who made the edit with this stamp, which this commit has.
    #[must_use]
    pub fn who(&self, repo: &Repo, stamp: Option<Stamp>, commit: Option<CommitId>) -> Who {
        let key = stamp.and_then(|stamp| self.keys.get(&stamp.replica()));
        let author = || commit.and_then(|commit| repo.author_of(commit));
        match key {
            Some(key) => Who {
                node: Some(NodeId::of_bytes(key)),
                name: self.names.get(key).cloned(),
                is_own: Some(*key) == self.own,
            },
            None => Who {
                node: None,
                name: author(),
                is_own: false,
            },
        }
    }
}
