//! A work tree that takes part in conversations which somebody else carries: no socket, no thread and no clock but what it is
//! given. What `keeper.rs` does with lines, for a simulation.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::shelf::Shelf;
use super::visit::manner;
use super::{Admission, Error, admission};
use crate::exchange::{Action, Config, Event, Now, Session, Stay, Them, Us};
use crate::git::Repo;
use crate::net::PublicKey;
use crate::node::Node;
use crate::replica::{self, Replica, Report};
use crate::store::Store;

/// A work tree among others.
pub struct Party {
    shelf: Shelf,
    admission: Admission,
    us: Us,
    config: Config,
    key: PublicKey,
}

impl Party {
    /// Opens a work tree, which becomes a replica if it is none.
    ///
    /// # Errors
    /// When its key, its store or its members cannot be read.
    pub fn open(repo: Repo) -> Result<Self, Error> {
        let (node, _) = Node::create(repo.git_dir())?;
        let mut store = Store::open(repo.git_dir())?.store;
        // A copy, or one with another store than before, goes by another name from here on.
        drop(Replica::with(&repo, &mut store)?);
        let trusted = admission::trusted(&repo, &node, &mut store)?;
        let manner = manner(&repo, &mut store, &node, &trusted, Stay::On)?;
        let key = node.key().public().to_bytes();
        let admission = Admission::new(key, trusted);
        Ok(Self {
            shelf: Shelf::new(repo, store, admission.clone()),
            admission,
            us: manner.us,
            config: manner.config,
            key,
        })
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The store, for one who wants to know what it holds.
    pub fn store(&mut self) -> &mut Store {
        &mut self.shelf.store
    }

    /// A conversation with whoever proved to have this key; nothing with those who are not trusted.
    #[must_use]
    pub fn session(&self, with: &PublicKey, stay: Stay, seed: u64) -> Option<Session> {
        let peer = self.admission.of(with)?;
        let us = Us {
            stay,
            ..self.us.clone()
        };
        let them = Them {
            key: *with,
            access: admission::access(peer.role),
        };
        Some(Session::new(us, them, self.config, seed))
    }

    /// Tells a conversation what happened; what it answers is to be done.
    ///
    /// # Errors
    /// When the store or the repository cannot be used.
    pub fn step(
        &mut self,
        session: &mut Session,
        now: Now,
        event: Event,
    ) -> Result<Vec<Action>, Error> {
        session.step(now, event, &mut self.shelf)
    }

    /// The documents of edits that came, from the top of the work tree, since this was asked last.
    pub fn take_new(&mut self) -> BTreeSet<PathBuf> {
        self.shelf.take_new().into_iter().collect()
    }

    /// Records what was edited in the work tree, and shows what is known. `files` are all that may have changed; nothing where
    /// everything is to be looked at.
    ///
    /// # Errors
    /// As [`Replica::round`]; [`Error::Store`] with damage where the store is to be opened anew.
    pub fn look(
        &mut self,
        files: Option<&BTreeSet<PathBuf>>,
        report: &mut Report,
    ) -> Result<(), replica::Error> {
        let Shelf { repo, store, .. } = &mut self.shelf;
        let mut replica = Replica::with(repo, store)?;
        match files {
            Some(files) if replica.look_over(files, report)? => Ok(()),
            _ => replica.round_while_git_rests(false, report),
        }
    }

    /// Sees what git did since, and a store that took the place of the one before.
    ///
    /// # Errors
    /// When either cannot be opened.
    pub fn open_anew(&mut self, top: &Path) -> Result<(), Error> {
        self.shelf.repo = Repo::at(top)?;
        self.shelf.store = Store::open(self.shelf.repo.git_dir())?.store;
        Ok(())
    }

    /// Packs all that is over.
    ///
    /// # Errors
    /// As [`Replica::compact`].
    pub fn pack(&mut self) -> Result<(), replica::Error> {
        let Shelf { repo, store, .. } = &mut self.shelf;
        Replica::with(repo, store)?.compact(Duration::ZERO, false)?;
        Ok(())
    }

    /// What is done before a commit.
    ///
    /// # Errors
    /// As [`Replica::round_before_commit`].
    pub fn look_before_commit(&mut self) -> Result<Report, replica::Error> {
        let Shelf { repo, store, .. } = &mut self.shelf;
        Replica::with(repo, store)?.round_before_commit()
    }
}
