//! What was seen at the last look: by it the next one sees within microseconds that nothing changed.

use std::fs::Metadata;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::columns::{Whole, as_number};
use super::{Error, Moment, Reading, Writing};
use crate::crdt::Replica;
use crate::git::LogPosition;
use crate::overlay::{CommitId, DocumentPath};

/// A file that changed within so many milliseconds before it was looked at may change again and keep its times: those of
/// some file systems are that coarse (FAT: two seconds).
const COARSEST_MILLIS: u64 = 2_000;

/// What tells, without reading a file, that it is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    stat: Option<Stat>,
    /// When it was taken.
    taken: Moment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stat {
    /// Nanoseconds since the Unix epoch.
    modified: i64,
    /// When the file or what is known about it changed, in nanoseconds since the Unix epoch; only some systems tell.
    changed: Option<i64>,
    size: u64,
    inode: Option<u64>,
}

impl Stat {
    fn of(metadata: &Metadata) -> Self {
        let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
        let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        let (changed, inode) = of_system(metadata);
        Self {
            modified: i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
            changed,
            size: metadata.len(),
            inode,
        }
    }

    fn newest_millis(self) -> u64 {
        let newest = self.modified.max(self.changed.unwrap_or(0));
        u64::try_from(newest / 1_000_000).unwrap_or(0)
    }
}

#[cfg(unix)]
fn of_system(metadata: &Metadata) -> (Option<i64>, Option<u64>) {
    use std::os::unix::fs::MetadataExt;
    let seconds = metadata.ctime().saturating_mul(1_000_000_000);
    let changed = seconds.saturating_add(metadata.ctime_nsec());
    (Some(changed), Some(metadata.ino()))
}

#[cfg(not(unix))]
fn of_system(_metadata: &Metadata) -> (Option<i64>, Option<u64>) {
    (None, None)
}

impl Fingerprint {
    /// That of the file with this metadata, which were read at `taken` and *before* its content; without any, that there is no
    /// file.
    #[must_use]
    pub fn of(metadata: Option<&Metadata>, taken: Moment) -> Self {
        Self {
            stat: metadata.map(Stat::of),
            taken,
        }
    }

    /// When it was taken.
    #[must_use]
    pub fn taken(&self) -> Moment {
        self.taken
    }

    /// Whether the file with this metadata holds what it held when the fingerprint was taken. No means that it has to be read.
    #[must_use]
    pub fn vouches_for(&self, metadata: Option<&Metadata>) -> bool {
        let settled = |stat: Stat| {
            stat.newest_millis().saturating_add(COARSEST_MILLIS) < self.taken.unix_millis()
        };
        self.stat == metadata.map(Stat::of) && self.stat.is_none_or(settled)
    }
}

/// What `status` says about a document without reading it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// How many records it has.
    pub records: u64,
    /// How many conflicts are open in it.
    pub conflicts: u64,
}

/// What a file held when the current rendering of its document was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Holds {
    /// That rendering: it was there already, or was written since.
    #[default]
    Current,
    /// The rendering before it. The current one was to be written then, and may have been.
    Before,
    /// The same, but for annotations, which were to be written then.
    Bare,
}

as_number!(Holds {
    Current = 0,
    Before = 1,
    Bare = 2,
});

/// The last look at a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// HEAD then; none before the first commit.
    pub head: Option<CommitId>,
    /// The file then; none where edits were added since, so that the file has to be looked at however it stands.
    pub file: Option<Fingerprint>,
    /// What it held.
    pub facts: Facts,
    /// What that is to the current rendering.
    pub holds: Holds,
    /// How far HEAD's reflog was read then, where that is known.
    pub reflog: Option<LogPosition>,
}

/// The last look at the work tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastLook {
    /// HEAD then; none before the first commit.
    pub head: Option<CommitId>,
    /// How far HEAD's reflog was read; none where there was none.
    pub reflog: Option<LogPosition>,
}

fn look(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Look> {
    let file: Option<Whole<Fingerprint>> = row.get(first + 1)?;
    let facts: Option<Whole<Facts>> = row.get(first + 2)?;
    let reflog: Option<Whole<LogPosition>> = row.get(first + 4)?;
    Ok(Look {
        head: row.get(first)?,
        file: file.map(|Whole(file)| file),
        facts: facts.map(|Whole(facts)| facts).unwrap_or_default(),
        holds: row.get(first + 3)?,
        reflog: reflog.map(|Whole(reflog)| reflog),
    })
}

impl Reading<'_> {
    /// The documents of which edits are known and at which nobody ever looked here.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn unseen(&self) -> Result<Vec<DocumentPath>, Error> {
        let sql = "SELECT path FROM documents WHERE looked = 0
            AND (EXISTS (SELECT 1 FROM edits WHERE document = documents.id)
                OR EXISTS (SELECT 1 FROM packs WHERE document = documents.id)) ORDER BY path";
        self.all(sql, [], |row| row.get(0))
    }

    /// The last look at a document; none where it was never looked at.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn look(&self, document: &DocumentPath) -> Result<Option<Look>, Error> {
        let sql =
            "SELECT head, file, facts, holds, reflog FROM documents WHERE path = ?1 AND looked";
        self.first(sql, [document], |row| look(row, 0))
    }

    /// The last look at each document that was ever looked at, by their paths.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn looks(&self) -> Result<Vec<(DocumentPath, Look)>, Error> {
        let sql = "SELECT path, head, file, facts, holds, reflog FROM documents WHERE looked ORDER BY path";
        self.all(sql, [], |row| Ok((row.get(0)?, look(row, 1)?)))
    }

    /// The last look at the work tree; none before the first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn last_look(&self) -> Result<Option<LastLook>, Error> {
        let sql = "SELECT look FROM work_tree WHERE look IS NOT NULL";
        self.first(sql, [], |row| row.get(0).map(|Whole(look)| look))
    }

    /// The replica that this work tree was when the store was last written on its behalf; none while a new store was not. Where
    /// it is not the clock's, what the clock's replica did before is not known here: another incarnation has to begin.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn writer(&self) -> Result<Option<Replica>, Error> {
        let sql = "SELECT writer FROM work_tree WHERE writer IS NOT NULL";
        self.first(sql, [], |row| row.get(0))
    }
}

impl Writing<'_> {
    /// Writes a look at a document down.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn set_look(&self, document: &DocumentPath, look: &Look) -> Result<(), Error> {
        let sql = "UPDATE documents SET looked = 1, head = ?2, file = ?3, facts = ?4, holds = ?5, reflog = ?6
            WHERE id = ?1";
        let document = self.number_of(document)?;
        let (file, facts) = (look.file.map(Whole), Whole(look.facts));
        let reflog = look.reflog.map(Whole);
        let values = (document, look.head, file, facts, look.holds, reflog);
        self.run(sql, values)?;
        Ok(())
    }

    /// Writes a look at the work tree down.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn set_last_look(&self, look: &LastLook) -> Result<(), Error> {
        self.run("UPDATE work_tree SET look = ?1", [Whole(look)])?;
        Ok(())
    }

    /// Writes down which replica the work tree is.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn set_writer(&self, replica: Replica) -> Result<(), Error> {
        let sql = "UPDATE work_tree SET writer = ?1 WHERE writer IS NOT ?1";
        self.run(sql, [replica])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    use super::super::format::encode;
    use super::super::samples::{chain, commit, hexadecimal, receive, store, todos};
    use super::super::{Durability, Store};
    use super::*;

    fn later() -> Moment {
        Moment::from(SystemTime::now() + Duration::from_secs(60))
    }

    fn fingerprint(path: &Path) -> Fingerprint {
        Fingerprint::of(path.metadata().ok().as_ref(), later())
    }

    fn is_vouched_for(fingerprint: Fingerprint, path: &Path) -> bool {
        fingerprint.vouches_for(path.metadata().ok().as_ref())
    }

    #[test]
    fn a_fingerprint_vouches_for_a_file_until_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("todos.yaml");
        let absent = fingerprint(&file);
        assert!(is_vouched_for(absent, &file));
        fs::write(&file, "title: a").unwrap();
        assert!(!is_vouched_for(absent, &file));
        let there = fingerprint(&file);
        assert!(is_vouched_for(there, &file));
        fs::write(&file, "title: ab").unwrap();
        assert!(!is_vouched_for(there, &file), "its size");
        let there = fingerprint(&file);
        let earlier = SystemTime::now() - Duration::from_secs(3_600);
        let handle = fs::File::options().write(true).open(&file).unwrap();
        handle.set_modified(earlier).unwrap();
        assert!(!is_vouched_for(there, &file), "its time");
        fs::remove_file(&file).unwrap();
        assert!(!is_vouched_for(there, &file), "its end");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_in_the_place_of_another_of_the_same_size_and_time_is_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let [file, other] = ["file", "other"].map(|name| folder.path().join(name));
        let time = SystemTime::now() - Duration::from_secs(3_600);
        for (path, content) in [(&file, "a"), (&other, "b")] {
            fs::write(path, content).unwrap();
            let handle = fs::File::options().write(true).open(path).unwrap();
            handle.set_modified(time).unwrap();
        }
        let there = fingerprint(&file);
        assert!(is_vouched_for(there, &file));
        fs::rename(&other, &file).unwrap();
        assert!(!is_vouched_for(there, &file));
    }

    #[test]
    fn a_file_that_had_just_changed_is_not_vouched_for() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("todos.yaml");
        fs::write(&file, "title: a").unwrap();
        let metadata = file.metadata().unwrap();
        let changed = Moment::from(metadata.modified().unwrap()).unix_millis();
        let taken = |after| {
            let taken = Moment::from_unix_millis(changed + after);
            Fingerprint::of(Some(&metadata), taken)
        };
        assert!(!taken(0).vouches_for(Some(&metadata)));
        assert!(!taken(1_900).vouches_for(Some(&metadata)));
        assert!(taken(2_100).vouches_for(Some(&metadata)));
    }

    fn position() -> LogPosition {
        let position = r#"{"offset": 1200, "digest": 3400, "time": 5600}"#;
        serde_json::from_str(position).unwrap()
    }

    #[test]
    fn the_first_format_of_looks_is_fixed_for_all_times() {
        // These stand in stores: whoever changes one of the types makes another format of it, and reads this one on.
        let stat = Stat {
            modified: 1_800_000_000_000_000_000,
            changed: Some(1_800_000_000_000_000_001),
            size: 4_096,
            inode: Some(12),
        };
        let fingerprint = Fingerprint {
            stat: Some(stat),
            taken: Moment::from_unix_millis(1_800_000_000_000),
        };
        let facts = Facts {
            records: 300,
            conflicts: 2,
        };
        let last = LastLook {
            head: Some(commit(1)),
            reflog: Some(position()),
        };
        let bytes = hexadecimal(&encode(&fingerprint).unwrap());
        let expected = "01018080a0bbd29df1fa31018280a0bbd29df1fa318020010c80a0f1c2b134";
        assert_eq!(bytes, expected);
        assert_eq!(hexadecimal(&encode(&facts).unwrap()), "01ac0202");
        let bytes = hexadecimal(&encode(&last).unwrap());
        let expected = "010101010101010101010101010101010101010101010101b009c81ac057";
        assert_eq!(bytes, expected);
    }

    fn a_look() -> Look {
        Look {
            head: Some(commit(1)),
            file: Some(Fingerprint::of(None, Moment::from_unix_millis(9))),
            facts: Facts {
                records: 12,
                conflicts: 3,
            },
            holds: Holds::Before,
            reflog: Some(position()),
        }
    }

    fn write(store: &mut Store, document: &DocumentPath, look: &Look) {
        let writing = store.write(Durability::Process).unwrap();
        writing.set_look(document, look).unwrap();
        writing.commit().unwrap();
    }

    #[test]
    fn looks_come_back_by_document() {
        let (_git_dir, mut store) = store();
        let before_the_first_commit = Look {
            head: None,
            file: None,
            facts: Facts::default(),
            holds: Holds::Bare,
            reflog: None,
        };
        let other = DocumentPath::new("a/.rhema/todos.yaml");
        write(&mut store, &other, &before_the_first_commit);
        write(&mut store, &todos(), &a_look());
        let reading = store.read().unwrap();
        assert_eq!(reading.look(&todos()).unwrap(), Some(a_look()));
        let all = [(todos(), a_look()), (other, before_the_first_commit)];
        assert_eq!(reading.looks().unwrap(), all);
    }

    #[test]
    fn a_document_of_which_only_edits_are_known_was_never_looked_at() {
        let (_git_dir, mut store) = store();
        receive(&mut store, &chain(7, 1));
        let reading = store.read().unwrap();
        assert_eq!(reading.look(&todos()).unwrap(), None);
        assert_eq!(reading.looks().unwrap(), []);
    }

    #[test]
    fn an_edit_that_came_since_asks_for_another_look() {
        let (_git_dir, mut store) = store();
        let edits = chain(7, 2);
        receive(&mut store, &edits[..1]);
        write(&mut store, &todos(), &a_look());
        receive(&mut store, &edits[..1]);
        let look = |store: &mut Store| store.read().unwrap().look(&todos()).unwrap();
        assert_eq!(look(&mut store), Some(a_look()), "it was known");
        receive(&mut store, &edits[1..]);
        let without_file = Look {
            file: None,
            ..a_look()
        };
        assert_eq!(look(&mut store), Some(without_file));
    }

    #[test]
    fn the_last_look_at_the_work_tree_and_its_replica_come_back() {
        let (git_dir, mut store) = store();
        assert_eq!(store.read().unwrap().last_look().unwrap(), None);
        assert_eq!(store.read().unwrap().writer().unwrap(), None);
        let look = LastLook {
            head: Some(commit(1)),
            reflog: Some(position()),
        };
        let replica = Replica::from_bits(7);
        let writing = store.write(Durability::Process).unwrap();
        writing.set_last_look(&look).unwrap();
        writing.set_writer(replica).unwrap();
        writing.commit().unwrap();
        drop(store);
        let mut store = Store::open(git_dir.path()).unwrap().store;
        let reading = store.read().unwrap();
        assert_eq!(reading.last_look().unwrap(), Some(look));
        assert_eq!(reading.writer().unwrap(), Some(replica));
    }
}
