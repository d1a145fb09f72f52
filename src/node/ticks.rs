//! Stamps for what is edited in a work tree, from its node's clock.

use std::error::Error as StdError;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use super::Node;
use crate::crdt::Stamp;
use crate::git::{Repo, Stamps};
use crate::surroundings;

/// The clock of the node that a work tree is, asked when the first stamp is needed.
#[derive(Debug)]
pub struct Ticks {
    git_dir: PathBuf,
}

impl Ticks {
    /// The clock of this work tree.
    #[must_use]
    pub fn of(repo: &Repo) -> Self {
        Self {
            git_dir: repo.git_dir().to_path_buf(),
        }
    }
}

impl Stamps for Ticks {
    fn take(&mut self, count: usize) -> Result<Vec<Stamp>, Box<dyn StdError + Send + Sync>> {
        // Whoever edits a document in a clone that nobody set up is a replica all the same.
        let (node, _) = Node::create(&self.git_dir)?;
        let now = surroundings::now().duration_since(UNIX_EPOCH);
        let millis = now.map_or(0, |now| now.as_millis() as u64);
        Ok(node.clock()?.stamps(millis, count)?)
    }
}
