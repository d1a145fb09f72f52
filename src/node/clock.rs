//! The clock of a work tree, on disk: no stamp is used before it is written down.
//!
//! The file names the replica, its incarnation, its last stamp and the last one that is known to stand in the store. An
//! incarnation is a random number: of two copies of one checkout each picks its own. That it is a copy shows in the folder,
//! which is another one than the one written down: it has another number (inode), or the same one but was made at another
//! time, as where a backup is unpacked over what it was made of.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::{Error, NodeKey, id, read};
use crate::crdt::{Clock, ClockExhausted, Replica, Stamp};
use crate::git::{self, replace, replace_durably};

const FILE: &str = "clock";
const LOCK: &str = "clock.lock";

/// How long another process may hold the clock: it is done within milliseconds, unless it was stopped.
const MOST_WAITED: Duration = Duration::from_secs(5);

/// What the file holds.
#[derive(Debug, Deserialize, Serialize)]
struct State {
    replica: String,
    incarnation: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recorded: Option<String>,
    #[serde(flatten)]
    folder: Folder,
}

/// What tells a folder from a copy of it; what the system does not tell is missing.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
struct Folder {
    /// Its number.
    #[serde(default, rename = "folder", skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
    /// When it was made, in nanoseconds since the Unix epoch.
    #[serde(default, rename = "made", skip_serializing_if = "Option::is_none")]
    made: Option<u64>,
}

impl Folder {
    fn at(path: &Path) -> Self {
        let Ok(metadata) = fs::metadata(path) else {
            return Self::default();
        };
        let made = metadata.created().ok();
        let since = made.and_then(|made| made.duration_since(UNIX_EPOCH).ok());
        Self {
            number: number_of(&metadata),
            made: since.and_then(|since| u64::try_from(since.as_nanos()).ok()),
        }
    }

    /// Whether this is another folder than `other`. What either does not tell proves nothing.
    fn differs_from(self, other: Self) -> bool {
        let differ =
            |one: Option<u64>, other: Option<u64>| one.is_some() && other.is_some() && one != other;
        differ(self.number, other.number) || differ(self.made, other.made)
    }
}

/// The clock of a work tree, held by this process alone.
#[derive(Debug)]
pub struct ClockFile {
    path: PathBuf,
    incarnation: u32,
    replica: Replica,
    clock: Clock,
    recorded: Option<Stamp>,
    _lock: File,
}

impl ClockFile {
    /// Makes the clock where there is none; says whether it did.
    pub(super) fn create(folder: &Path, key: &NodeKey) -> Result<bool, Error> {
        let lock = lock(folder)?;
        let path = folder.join(FILE);
        if read(&path)?.is_some() {
            return Ok(false);
        }
        Self::begin(path, key, None, lock)?;
        Ok(true)
    }

    /// Opens the clock, and begins a new incarnation where it is lost, another key's, or a copy.
    pub(super) fn open(folder: &Path, key: &NodeKey) -> Result<Self, Error> {
        let lock = lock(folder)?;
        let path = folder.join(FILE);
        let Some(bytes) = read(&path)? else {
            return Self::begin(path, key, None, lock);
        };
        let state: State = serde_yaml::from_slice(&bytes).map_err(|error| {
            let place = error.location();
            Error::Malformed {
                path: path.clone(),
                line: place.as_ref().map_or(1, |place| place.line()),
                column: place.as_ref().map_or(1, |place| place.column()),
                what: "this is no clock: remove it, and a new incarnation begins".to_owned(),
            }
        })?;
        let stamp = |text: Option<String>| text.as_deref().map(str::parse::<Stamp>).transpose();
        let (Ok(last), Ok(recorded), Ok(replica)) = (
            stamp(state.last),
            stamp(state.recorded),
            state.replica.parse::<Replica>(),
        ) else {
            return Err(Error::malformed(
                &path,
                "this is no clock: remove it, and a new incarnation begins",
            ));
        };
        let is_copy = Folder::at(folder).differs_from(state.folder);
        if is_copy || replica != id::replica(&key.public(), state.incarnation) {
            tracing::info!("a copied or restored clock: a new incarnation begins");
            return Self::begin(path, key, last, lock);
        }
        Ok(Self {
            path,
            incarnation: state.incarnation,
            replica,
            clock: Clock::new(replica, last),
            recorded,
            _lock: lock,
        })
    }

    fn begin(path: PathBuf, key: &NodeKey, last: Option<Stamp>, lock: File) -> Result<Self, Error> {
        let (incarnation, replica) = new_incarnation(key)?;
        let clock = Self {
            path,
            incarnation,
            replica,
            clock: Clock::new(replica, last),
            recorded: None,
            _lock: lock,
        };
        clock.save(clock.clock)?;
        Ok(clock)
    }

    /// Whose stamps it makes.
    #[must_use]
    pub fn replica(&self) -> Replica {
        self.replica
    }

    /// Which incarnation of its node that is.
    #[must_use]
    pub fn incarnation(&self) -> u32 {
        self.incarnation
    }

    /// The clock, to make stamps with. None of them is shown to anybody before [`keep`](Self::keep).
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Writes down how far a clock that was taken from here went. What was made with its stamps must go into the store so that
    /// it outlives a loss of power before anybody sees it: a clock that is then behind the store shows itself
    /// ([`agrees_with`](Self::agrees_with)), so that the file needs no wait for the disk.
    ///
    /// # Errors
    /// When the file cannot be written; none of the stamps must be used then.
    pub fn keep(&mut self, clock: Clock) -> Result<(), Error> {
        if clock != self.clock {
            let text = self.text(clock)?;
            replace(&self.path, text.as_bytes()).map_err(Error::write(&self.path))?;
            self.clock = clock;
        }
        Ok(())
    }

    /// Whether `known`, the last stamp of this replica that the store knows, is what it should know: neither less than was
    /// recorded, as in a store that was lost or came from a backup, nor more than was ever made here, as where the clock did.
    #[must_use]
    pub fn agrees_with(&self, known: Option<Stamp>) -> bool {
        self.recorded <= known && known <= self.last()
    }

    /// Notes the last stamp of this replica that stands in the store. Lost with a crash, it only tells less
    /// ([`agrees_with`](Self::agrees_with)).
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn note_recorded(&mut self, last: Option<Stamp>) -> Result<(), Error> {
        if self.recorded == last {
            return Ok(());
        }
        self.recorded = last;
        let text = self.text(self.clock)?;
        replace(&self.path, text.as_bytes()).map_err(Error::write(&self.path))
    }

    /// Goes on as another replica: what this one made is not known any more.
    ///
    /// # Errors
    /// When there is no randomness, or the file cannot be written.
    pub fn begin_incarnation(&mut self, key: &NodeKey) -> Result<(), Error> {
        let (incarnation, replica) = new_incarnation(key)?;
        let clock = Clock::new(replica, self.clock.last());
        self.incarnation = incarnation;
        self.replica = replica;
        self.recorded = None;
        self.save(clock)?;
        self.clock = clock;
        Ok(())
    }

    /// As [`begin_incarnation`](Self::begin_incarnation), and its stamps need not be later than those that were made before.
    ///
    /// # Errors
    /// As there.
    pub fn begin_incarnation_now(&mut self, key: &NodeKey) -> Result<(), Error> {
        self.clock = Clock::new(self.replica, None);
        self.begin_incarnation(key)
    }

    /// The last stamp that was made.
    #[must_use]
    pub fn last(&self) -> Option<Stamp> {
        self.clock.last()
    }

    /// Makes `count` stamps in ascending order; they are written down before they are handed out.
    ///
    /// # Errors
    /// When the time cannot be told any more, or the file not written; no stamp is used then.
    pub fn stamps(&mut self, unix_millis: u64, count: usize) -> Result<Vec<Stamp>, Error> {
        let mut clock = self.clock;
        let stamps = (0..count)
            .map(|_| clock.tick(unix_millis))
            .collect::<Result<Vec<_>, ClockExhausted>>()?;
        if !stamps.is_empty() {
            self.save(clock)?;
            self.clock = clock;
        }
        Ok(stamps)
    }

    fn save(&self, clock: Clock) -> Result<(), Error> {
        let text = self.text(clock)?;
        replace_durably(&self.path, text.as_bytes()).map_err(Error::write(&self.path))
    }

    fn text(&self, clock: Clock) -> Result<String, Error> {
        let stamp = |stamp: Stamp| stamp.to_string();
        let state = State {
            replica: self.replica.to_string(),
            incarnation: self.incarnation,
            last: clock.last().map(stamp),
            recorded: self.recorded.map(stamp),
            folder: self.path.parent().map(Folder::at).unwrap_or_default(),
        };
        serde_yaml::to_string(&state)
            .map_err(|error| Error::write(&self.path)(std::io::Error::other(error)))
    }
}

/// A number that no incarnation had before, and the replica's name in it.
fn new_incarnation(key: &NodeKey) -> Result<(u32, Replica), Error> {
    let incarnation = super::drawn().map(u32::from_be_bytes)?;
    Ok((incarnation, id::replica(&key.public(), incarnation)))
}

/// Waits until no other process holds the clock, but not for one that never lets go of it.
fn lock(folder: &Path) -> Result<File, Error> {
    let path = folder.join(LOCK);
    let locked = git::lock(&path, MOST_WAITED).map_err(Error::write(&path))?;
    locked.ok_or(Error::Busy { path })
}

#[cfg(unix)]
fn number_of(metadata: &fs::Metadata) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    Some(metadata.ino())
}

#[cfg(not(unix))]
fn number_of(_metadata: &fs::Metadata) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::super::Node;
    use super::*;

    #[test]
    fn stamps_ascend_over_restarts_even_when_the_wall_clock_goes_back() {
        let git_dir = tempfile::tempdir().unwrap();
        let (node, made) = Node::create(git_dir.path()).unwrap();
        assert!(made);
        assert!(!Node::create(git_dir.path()).unwrap().1);
        let now = 1_800_000_000_000;
        let first = node.clock().unwrap().stamps(now, 3).unwrap();
        let second = node.clock().unwrap().stamps(now - 5_000, 1).unwrap();
        let all: Vec<_> = first.iter().chain(&second).collect();
        assert!(all.is_sorted_by(|a, b| a < b), "{all:?}");
        assert!(all.iter().all(|stamp| stamp.replica() == all[0].replica()));
    }

    #[test]
    fn a_clock_that_is_held_for_good_is_not_waited_for() {
        let git_dir = tempfile::tempdir().unwrap();
        let (node, _) = Node::create(git_dir.path()).unwrap();
        let held = node.clock().unwrap();
        assert!(matches!(node.clock(), Err(Error::Busy { .. })));
        drop(held);
        node.clock().unwrap();
    }

    #[test]
    fn a_clock_tells_whether_a_store_is_its_own() {
        let git_dir = tempfile::tempdir().unwrap();
        let (node, _) = Node::create(git_dir.path()).unwrap();
        let mut clock = node.clock().unwrap();
        assert!(clock.agrees_with(None));
        let stamps = clock.stamps(1_800_000_000_000, 3).unwrap();
        let [first, second, third] = stamps.try_into().unwrap();
        assert!(clock.agrees_with(None), "none of them was recorded yet");
        clock.note_recorded(Some(second)).unwrap();
        drop(clock);
        let clock = node.clock().unwrap();
        assert!(!clock.agrees_with(None), "a lost store");
        assert!(!clock.agrees_with(Some(first)), "an old store");
        assert!(clock.agrees_with(Some(second)));
        assert!(
            clock.agrees_with(Some(third)),
            "stopped before it was noted"
        );
        drop(clock);
        fs::remove_file(node.folder().join("clock")).unwrap();
        let lost = node.clock().unwrap();
        assert!(!lost.agrees_with(Some(third)), "an old clock");
    }

    #[cfg(unix)]
    #[test]
    fn a_copy_is_another_incarnation_and_so_is_a_lost_clock() {
        let git_dir = tempfile::tempdir().unwrap();
        let (node, _) = Node::create(git_dir.path()).unwrap();
        let stamp = node.clock().unwrap().stamps(1_800_000_000_000, 1).unwrap()[0];
        let copy = git_dir.path().join("copy");
        fs::create_dir_all(copy.join("rhema")).unwrap();
        for file in ["key", "clock"] {
            fs::copy(node.folder().join(file), copy.join("rhema").join(file)).unwrap();
        }
        let copied = Node::load(&copy).unwrap().unwrap();
        assert_eq!(copied.id(), node.id());
        let mut clock = copied.clock().unwrap();
        assert_ne!(clock.replica(), stamp.replica());
        assert!(clock.stamps(0, 1).unwrap()[0] > stamp);
        fs::remove_file(node.folder().join("clock")).unwrap();
        assert_ne!(node.clock().unwrap().replica(), stamp.replica());
    }
}
