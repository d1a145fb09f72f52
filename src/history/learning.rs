//! What commits did, found out before anybody asks: whoever asks first would wait for as many comparisons as there are commits.
//!
//! Each round finds out some, the newest first, so that it never takes long; where HEAD stood when all was found out is remembered, and the next
//! ones ask only what came since.

use super::Error;
use super::memory::{Commits, Memory};
use super::versions::Versions;
use crate::git::Repo;
use crate::node::Config;
use crate::overlay::{DocumentPath, History, Version};
use crate::store::{Durability, Store};

/// How many bytes of versions are compared in one round of somebody who stays: that takes some tenths of a second.
pub const AT_ONCE: u64 = 16 << 20;

/// The same where somebody waits for the round: what was committed since the one before, most often.
pub const IN_PASSING: u64 = 1 << 20;

/// How many of the newest versions of a document are asked about: few ask about older ones, and room is bounded.
const MOST_VERSIONS: usize = 1_024;

/// Finds out what commits did to these documents, as far as it is not remembered and `memory` takes it in, until versions of so many bytes
/// were compared; one is, however long.
///
/// # Errors
/// When the repository cannot be read, or the store written.
pub fn learn(
    repo: &Repo,
    store: &mut Store,
    documents: &[DocumentPath],
    memory: &Memory,
    most: u64,
) -> Result<(), Error> {
    let Some(head) = repo.head_commit()? else {
        return Ok(());
    };
    let reading = store.read()?;
    let learned = reading.learned()?;
    if learned == Some(head) {
        return Ok(());
    }
    let types = Config::at_head(repo).unwrap_or_default().types;
    let commits = Commits::of(Some(&reading), memory, types);
    let mut rest = most;
    let mut is_done = true;
    for document in documents {
        let versions = Versions::of(repo, document.clone());
        let is_large = match versions.version_in(head)? {
            Some(blob) => repo.length_of(blob)? >= memory.least() as u64,
            None => false,
        };
        if !is_large || versions.are_converted() {
            continue;
        }
        let history = repo.history_of(document);
        let since = match history.versions(head, learned)? {
            // What was learned may be gone, or another branch's.
            None => history.versions(head, None)?,
            since => since,
        };
        let since = since.unwrap_or_default();
        // How a document came to be, or got its name, is asked once, and takes a search.
        let is_asked = |version: &&Version| version.before.first().is_some_and(Option::is_some);
        for version in since.iter().filter(is_asked).take(MOST_VERSIONS) {
            if rest == 0 {
                is_done = false;
                break;
            }
            if commits.learn(&versions, version)? {
                let length = version.after.map(|blob| repo.length_of(blob)).transpose()?;
                rest = rest.saturating_sub(length.unwrap_or(0));
            }
        }
    }
    drop(commits);
    drop(reading);
    let writing = store.write(Durability::Process)?;
    memory.write(&writing)?;
    if is_done {
        writing.set_learned(head)?;
    }
    Ok(writing.commit()?)
}
