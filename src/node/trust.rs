//! Whom this work tree talks to: the members as HEAD has them, the other work trees of the same repository, and whom its
//! user trusts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Access, Config, Error, Member, Members, Node, NodeId, Role, Until, Writer};
use crate::git::Repo;

/// Why somebody is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ground {
    /// HEAD names it as a member.
    Member,
    /// It is another work tree of this repository.
    Sibling,
    /// The user said so, for this work tree alone.
    Local,
}

/// Somebody who is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The name of the node.
    pub id: NodeId,
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Why.
    pub ground: Ground,
}

/// Somebody whom HEAD names as removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// The name of the node.
    pub id: NodeId,
    /// What it is called.
    pub name: String,
    /// Up to where its edits are taken, whoever brings them.
    pub until: Until,
}

/// All who are trusted, by their public keys; this node itself is not among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trusted {
    /// The others.
    pub others: BTreeMap<[u8; 32], Admitted>,
    /// Those whom HEAD names as removed, this node too where it is one; none of them is among the others, whatever else would
    /// speak for it.
    pub removed: BTreeMap<[u8; 32], Removed>,
    /// What this node may do, if HEAD names it.
    pub own_role: Option<Role>,
    /// What HEAD calls this node, if it names it.
    own_name: Option<String>,
    /// Who may write what, by HEAD's configuration.
    pub access: Access,
    /// What is wrong with the list of members.
    pub problems: Vec<String>,
}

impl Trusted {
    /// Whom a work tree trusts: `local` are those whom its user named. Where several reasons hold, members come before siblings,
    /// and these before the others.
    ///
    /// # Errors
    /// When the repository cannot be read. A list of members that is not what it should be is told in the result.
    pub fn of(
        repo: &Repo,
        node: &Node,
        local: impl IntoIterator<Item = ([u8; 32], String, Role)>,
    ) -> Result<Self, Error> {
        let mut trusted = Self::default();
        for (key, name, role) in local {
            trusted.admit(key, name, role, Ground::Local);
        }
        for top in repo.other_work_trees().map_err(Error::Git)? {
            let sibling = git_dir_of(&top).and_then(|git_dir| Node::load(&git_dir).ok().flatten());
            if let Some(sibling) = sibling {
                let name = top.display().to_string();
                let key = sibling.key().public().to_bytes();
                trusted.admit(key, name, Role::Writer, Ground::Sibling);
            }
        }
        trusted.read_head(repo, node)?;
        trusted.others.remove(node.key().public().as_bytes());
        Ok(trusted)
    }

    /// What HEAD says, without the other work trees and whom the user named: enough to know what this node may do.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn of_itself(repo: &Repo, node: &Node) -> Result<Self, Error> {
        let mut trusted = Self::default();
        trusted.read_head(repo, node)?;
        Ok(trusted)
    }

    /// Reads who the members are, and what they may do.
    fn read_head(&mut self, repo: &Repo, node: &Node) -> Result<(), Error> {
        match Members::at_head(repo) {
            Ok(members) => {
                let (members, others) = members.by_key();
                let own = members.get(node.key().public().as_bytes());
                self.own_role = own.map(|member| member.role);
                self.own_name = own.map(|member| member.name.clone());
                for (key, member) in members {
                    match member.role {
                        Role::Removed => self.remove(key, member),
                        role => self.admit(key, member.name.clone(), role, Ground::Member),
                    }
                }
                self.problems.extend(others.iter().map(|name| {
                    format!("HEAD's list of members names {name}, which is no fingerprint of the key beside it: it is passed over")
                }));
            }
            Err(error @ Error::Malformed { .. }) => self.problems.push(error.to_string()),
            Err(error) => return Err(error),
        }
        self.access = match Config::at_head(repo) {
            Ok(config) => config.access,
            Err(error @ Error::Malformed { .. }) => {
                self.problems.push(error.to_string());
                Access::unreadable()
            }
            Err(error) => return Err(error),
        };
        Ok(())
    }

    /// Somebody else as the access rules see it.
    #[must_use]
    pub fn writer(&self, key: &[u8; 32]) -> Option<Writer<'_>> {
        let Admitted {
            id,
            name,
            role,
            ground,
        } = self.others.get(key)?;
        Some(Writer {
            id: *id,
            name: (*ground == Ground::Member).then_some(name),
            role: *role,
        })
    }

    /// This node, of this name, as the access rules of all others see it. Who is no member yet counts as one who writes.
    #[must_use]
    pub fn own_writer(&self, id: NodeId) -> Writer<'_> {
        Writer {
            id,
            name: self.own_name.as_deref(),
            role: self.own_role.unwrap_or(Role::Writer),
        }
    }

    /// Somebody who is trusted no longer.
    fn remove(&mut self, key: [u8; 32], member: &Member) {
        self.others.remove(&key);
        if let Ok(public) = ed25519_dalek::VerifyingKey::from_bytes(&key) {
            let removed = Removed {
                id: NodeId::of(&public),
                name: member.name.clone(),
                until: member.until.clone(),
            };
            self.removed.insert(key, removed);
        }
    }

    /// Somebody more, in place of what was said of the same key before.
    fn admit(&mut self, key: [u8; 32], name: String, role: Role, ground: Ground) {
        let Ok(public) = ed25519_dalek::VerifyingKey::from_bytes(&key) else {
            self.problems
                .push(format!("the key of {name} is none: it is passed over"));
            return;
        };
        let admitted = Admitted {
            id: NodeId::of(&public),
            name,
            role,
            ground,
        };
        self.others.insert(key, admitted);
    }
}

/// The git directory of the work tree with this top.
fn git_dir_of(top: &Path) -> Option<PathBuf> {
    match Repo::at(top) {
        Ok(repo) => Some(repo.git_dir().to_path_buf()),
        Err(error) => {
            tracing::info!("{}: {error}", top.display());
            None
        }
    }
}
