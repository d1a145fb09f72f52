//! Edits that others brought and that were not taken, for people who look later.

use super::{Error, Moment, Reading, Writing};
use crate::crdt::Stamp;

/// How many are kept.
const MOST: i64 = 1_000;

/// An edit that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The edit.
    pub stamp: Stamp,
    /// Why, in words for people.
    pub why: String,
    /// When that was said last.
    pub at: Moment,
}

impl Reading<'_> {
    /// The edits that were not taken since a moment, and were not since then either; the last one last.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn refused(&self, since: Moment) -> Result<Vec<Refused>, Error> {
        let sql = "SELECT stamp, why, at FROM refusals
            WHERE at >= ?1 AND stamp NOT IN (SELECT stamp FROM edits) ORDER BY at, stamp";
        let refused: Vec<Refused> = self.all(sql, [since], |row| {
            Ok(Refused {
                stamp: row.get(0)?,
                why: row.get(1)?,
                at: row.get(2)?,
            })
        })?;
        let mut still = Vec::with_capacity(refused.len());
        for one in refused {
            if self.packed(one.stamp)?.is_none() {
                still.push(one);
            }
        }
        Ok(still)
    }
}

impl Writing<'_> {
    /// Notes edits that are not taken; the oldest of many go.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn refuse(&self, stamps: &[Stamp], why: &str, at: Moment) -> Result<(), Error> {
        for stamp in stamps {
            self.run(
                "INSERT INTO refusals (stamp, why, at) VALUES (?1, ?2, ?3)
                ON CONFLICT (stamp) DO UPDATE SET why = excluded.why, at = excluded.at",
                (stamp, why, at),
            )?;
        }
        let sql = "DELETE FROM refusals WHERE id <= (SELECT max(id) FROM refusals) - ?1";
        self.run(sql, [MOST])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Durability;
    use super::super::samples::{chain, receive, stamps, store};
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_unix_millis(1_800_000_000_000 + 1_000 * seconds)
    }

    #[test]
    fn what_is_not_taken_is_told_until_it_is() {
        let (_git_dir, mut store) = store();
        let (known, unknown) = (chain(7, 1), stamps(8, 2));
        let writing = store.write(Durability::Process).unwrap();
        let all = [known[0].stamp, unknown[0], unknown[1]];
        writing.refuse(&all, "too early", at(1)).unwrap();
        writing.refuse(&unknown[1..], "never", at(5)).unwrap();
        let refused = |stamp, why: &str, seconds| Refused {
            stamp,
            why: why.to_owned(),
            at: at(seconds),
        };
        let expected = [
            refused(known[0].stamp, "too early", 1),
            refused(unknown[0], "too early", 1),
            refused(unknown[1], "never", 5),
        ];
        let mut found = writing.refused(at(0)).unwrap();
        found.sort_by_key(|refused| (refused.at, refused.stamp));
        let mut expected = expected.to_vec();
        expected.sort_by_key(|refused| (refused.at, refused.stamp));
        assert_eq!(found, expected);
        assert_eq!(
            writing.refused(at(2)).unwrap(),
            [refused(unknown[1], "never", 5)]
        );
        writing.commit().unwrap();
        receive(&mut store, &known);
        assert_eq!(store.read().unwrap().refused(at(0)).unwrap().len(), 2);
    }
}
