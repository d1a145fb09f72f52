//! What commits did to documents, as it was found out once. It follows from the versions, which never change: so it is never wrong, whatever
//! becomes of the commits.

use super::{ContentDigest, Error, Reading, Writing};
use crate::overlay::CommitId;

/// How many bytes are kept.
const KEPT: i64 = 64 << 20;

/// How many bytes of one commit are.
const MOST_OF_ONE: usize = 1 << 20;

/// How hard zstd tries.
const LEVEL: i32 = 3;

/// What a commit did to a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// The digest of the versions behind and before.
    pub versions: ContentDigest,
    /// Hashes of what it is about, in ascending order.
    pub about: Vec<u32>,
    /// What was done, in a format of the caller's.
    pub what: Vec<u8>,
}

impl Reading<'_> {
    /// Hashes of what a commit did something to, in ascending order, by the digest of its versions; nothing where that is not remembered.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn happening_about(&self, versions: ContentDigest) -> Result<Option<Vec<u32>>, Error> {
        let sql = "SELECT about FROM happenings WHERE versions = ?1";
        self.first(sql, [versions], |row| {
            let bytes = row.get_ref(0)?.as_blob()?;
            let (hashes, _) = bytes.as_chunks();
            Ok(hashes.iter().copied().map(u32::from_le_bytes).collect())
        })
    }

    /// What a commit did; nothing where that is not remembered.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn happening(&self, versions: ContentDigest) -> Result<Option<Vec<u8>>, Error> {
        let sql = "SELECT what FROM happenings WHERE versions = ?1";
        self.first(sql, [versions], |row| {
            let packed = row.get_ref(0)?.as_blob()?;
            zstd::stream::decode_all(packed).map_err(|error| {
                let kind = rusqlite::types::Type::Blob;
                rusqlite::Error::FromSqlConversionFailure(0, kind, error.into())
            })
        })
    }
}

impl Reading<'_> {
    /// The HEAD at which all had been found out that is worth it ([`Writing::set_learned`]).
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn learned(&self) -> Result<Option<CommitId>, Error> {
        let sql = "SELECT learned FROM work_tree WHERE learned IS NOT NULL";
        self.first(sql, [], |row| row.get(0))
    }
}

impl Writing<'_> {
    /// Notes that what the commits did which this HEAD has is remembered, as far as that is worth it.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn set_learned(&self, head: CommitId) -> Result<(), Error> {
        self.run("UPDATE work_tree SET learned = ?1", [head])?;
        Ok(())
    }

    /// Remembers what commits did. What was remembered first makes room, and what would need much room itself is not remembered.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn remember_happenings(&self, happenings: &[Happening]) -> Result<(), Error> {
        let sql = "INSERT INTO happenings (versions, about, what) VALUES (?1, ?2, ?3)
            ON CONFLICT (versions) DO NOTHING";
        for happening in happenings {
            let packed = zstd::stream::encode_all(happening.what.as_slice(), LEVEL);
            let packed = packed.map_err(|error| {
                self.failed(rusqlite::Error::ToSqlConversionFailure(error.into()))
            })?;
            let about = happening.about.iter().flat_map(|hash| hash.to_le_bytes());
            let about: Vec<u8> = about.collect();
            if about.len() + packed.len() <= MOST_OF_ONE {
                self.run(sql, (happening.versions, about, packed))?;
            }
        }
        let sql = "DELETE FROM happenings WHERE id IN (SELECT id FROM (
                SELECT id, sum(length(about) + length(what)) OVER (ORDER BY id DESC) AS bytes FROM happenings)
            WHERE bytes > ?1)";
        self.run(sql, [KEPT])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Durability;
    use super::super::samples::store;
    use super::*;

    fn happening(number: u8, length: usize) -> Happening {
        // Bytes that do not compress.
        let mut state = u64::from(number) + 1;
        let what = std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        });
        Happening {
            versions: ContentDigest::of(&[number]),
            about: vec![u32::from(number), u32::MAX],
            what: what.take(length).collect(),
        }
    }

    #[test]
    fn what_commits_did_is_told_by_their_versions() {
        let (_git_dir, mut store) = store();
        let writing = store.write(Durability::Process).unwrap();
        let all = [happening(1, 0), happening(2, 300)];
        writing.remember_happenings(&all).unwrap();
        writing.remember_happenings(&all).unwrap();
        for one in &all {
            let about = writing.happening_about(one.versions).unwrap();
            assert_eq!(about.as_ref(), Some(&one.about));
            let what = writing.happening(one.versions).unwrap();
            assert_eq!(what.as_ref(), Some(&one.what));
        }
        let other = ContentDigest::of(b"other");
        assert_eq!(writing.happening_about(other).unwrap(), None);
        assert_eq!(writing.happening(other).unwrap(), None);
    }

    #[test]
    fn what_was_remembered_first_makes_room() {
        let (_git_dir, mut store) = store();
        let writing = store.write(Durability::Process).unwrap();
        let all: Vec<Happening> = (0..80).map(|number| happening(number, 1 << 20)).collect();
        writing.remember_happenings(&all).unwrap();
        assert_eq!(
            writing.happening(all[79].versions).unwrap(),
            None,
            "too large"
        );
        let all: Vec<Happening> = (0..80).map(|number| happening(number, 1_000_000)).collect();
        writing.remember_happenings(&all).unwrap();
        let is_kept = |index: usize| writing.happening(all[index].versions).unwrap().is_some();
        assert!(!is_kept(0));
        assert!(is_kept(20) && is_kept(79));
    }
}
