//! What proves edits: the seals of their authors, whose replicas are whose, and who vouches for whom.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Row;

use super::columns::Whole;
use super::{Error, Issuer, Key, Reading, Way, Writing};
use crate::crdt::{Replica, Stamp};
use crate::exchange::{EditDigest, Introduction, Seal, Voucher, sealed};
use crate::node::{NodeKey, crypto};
use crate::overlay::Known;

/// How many edits are sealed at a time where many are not.
const PAGE: usize = 1_024;

/// A run as it stands in a column: the time of each edit, in milliseconds since the Unix epoch, and its digest.
type Run = Vec<(u64, [u8; 32])>;

/// Whose edits are made here.
#[derive(Clone, Copy, Debug)]
pub struct Author<'k> {
    /// Its key.
    pub key: &'k NodeKey,
    /// Which of its incarnations it is.
    pub incarnation: u32,
    /// The replica's name in it.
    pub replica: Replica,
}

impl Reading<'_> {
    /// The seals of these edits, in the order of the first edit of each; of those that are not proved none.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn seals(&self, edits: impl IntoIterator<Item = Stamp>) -> Result<Vec<Seal>, Error> {
        let (mut seals, mut seen) = (Vec::new(), BTreeSet::new());
        let mut pack = None;
        for stamp in edits {
            let sql = "SELECT seal FROM edits WHERE stamp = ?1 AND seal IS NOT NULL";
            let mut seal: Option<i64> = self.first(sql, [stamp], |row| row.get(0))?;
            if seal.is_none() {
                seal = self.packed_seal(stamp, &mut pack)?;
            }
            let Some(seal) = seal.filter(|seal| seen.insert(*seal)) else {
                continue;
            };
            let sql = "SELECT before, run, signature FROM seals WHERE id = ?1";
            let seal = self.first(sql, [seal], |row| seal_of(stamp.replica(), row))?;
            seals.extend(seal);
        }
        Ok(seals)
    }

    /// Who proved to have made an edit; none where that is not proved.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn author(&self, edit: Stamp) -> Result<Option<Key>, Error> {
        let sql = "SELECT author FROM edits JOIN seals ON seals.id = edits.seal WHERE stamp = ?1";
        let author = self.first(sql, [edit], |row| row.get(0))?;
        match (author, self.packed_seal(edit, &mut None)?) {
            (None, Some(seal)) => {
                let sql = "SELECT author FROM seals WHERE id = ?1";
                self.first(sql, [seal], |row| row.get(0))
            }
            (author, _) => Ok(author),
        }
    }

    /// Whose the replicas of this name are, as far as anybody told: those first who were told of first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn owners(&self, replica: Replica) -> Result<Vec<Introduction>, Error> {
        let sql = "SELECT key, incarnation FROM owners WHERE replica = ?1";
        self.all(sql, [replica], |row| {
            Ok(Introduction {
                key: row.get(0)?,
                incarnation: row.get(1)?,
                replica,
            })
        })
    }

    /// Whose all replicas are of which anybody told.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn all_owners(&self) -> Result<Vec<Introduction>, Error> {
        let sql = "SELECT replica, key, incarnation FROM owners";
        self.all(sql, [], |row| {
            Ok(Introduction {
                replica: row.get(0)?,
                key: row.get(1)?,
                incarnation: row.get(2)?,
            })
        })
    }

    /// Who vouches for a key.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn vouchers(&self, key: &Key) -> Result<Vec<Voucher>, Error> {
        let sql = "SELECT by, signature FROM vouchers WHERE key = ?1";
        self.all(sql, [key], |row| {
            Ok(Voucher {
                key: *key,
                by: row.get(0)?,
                signature: row.get(1)?,
            })
        })
    }
}

fn seal_of(replica: Replica, row: &Row<'_>) -> rusqlite::Result<Seal> {
    let Whole(run) = row.get::<_, Whole<Run>>(1)?;
    let of_replica = |(millis, digest)| {
        let stamp = Stamp::from_unix_millis(millis, replica);
        Some((stamp?, EditDigest(digest)))
    };
    Ok(Seal {
        before: row.get(0)?,
        run: run.into_iter().filter_map(of_replica).collect(),
        signature: row.get(2)?,
    })
}

impl Writing<'_> {
    /// Adds edits that this work tree made, with what proves them.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn record(&self, edits: &[Known], way: Way, by: Author<'_>) -> Result<(), Error> {
        let Author {
            key,
            incarnation,
            replica,
        } = by;
        self.set_writer(replica)?;
        for edit in edits {
            self.add(edit, Issuer::Own, way)?;
        }
        if edits.is_empty() {
            return Ok(());
        }
        self.introduce(replica, &key.public().to_bytes(), incarnation)?;
        self.seal_with(edits, key)
    }

    /// Adds what proves edits to them: `proved` are those of the run that are known as their author made them.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn prove(
        &self,
        author: &Key,
        seal: &Seal,
        proved: impl IntoIterator<Item = Stamp>,
    ) -> Result<(), Error> {
        match self.add_proof(author, seal, proved)? {
            Some(first) => self.move_mark(first),
            None => Ok(()),
        }
    }

    /// Adds what proves edits to them, and leaves the mark of their replica where it is. The first of them that was not proved before.
    fn add_proof(
        &self,
        author: &Key,
        seal: &Seal,
        proved: impl IntoIterator<Item = Stamp>,
    ) -> Result<Option<Stamp>, Error> {
        let mut number = None;
        let mut first: Option<Stamp> = None;
        for stamp in proved {
            let sql = "SELECT 1 FROM edits WHERE stamp = ?1 AND seal IS NULL";
            if self.first(sql, [stamp], |_| Ok(()))?.is_none() {
                continue;
            }
            let seal = match number {
                Some(number) => number,
                None => *number.insert(self.keep_seal(author, seal)?),
            };
            self.run("UPDATE edits SET seal = ?2 WHERE stamp = ?1", (stamp, seal))?;
            first = Some(first.map_or(stamp, |first| first.min(stamp)));
        }
        Ok(first)
    }

    fn keep_seal(&self, author: &Key, seal: &Seal) -> Result<i64, Error> {
        let run = seal.run.iter();
        let run: Run = run
            .map(|(stamp, digest)| (stamp.unix_millis(), digest.0))
            .collect();
        let sql = "SELECT seals.id FROM seals JOIN edits ON edits.seal = seals.id
            WHERE replica = ?1 AND stamp BETWEEN ?2 AND ?3 AND signature = ?4 LIMIT 1";
        let stamps = seal.run.first().zip(seal.run.last());
        if let Some(((first, _), (last, _))) = stamps {
            let kept = (first.replica(), first, last, seal.signature);
            if let Some(kept) = self.first(sql, kept, |row| row.get(0))? {
                return Ok(kept);
            }
        }
        let mut pack = None;
        for (stamp, _) in &seal.run {
            let Some(kept) = self.packed_seal(*stamp, &mut pack)? else {
                continue;
            };
            let sql = "SELECT 1 FROM seals WHERE id = ?1 AND signature = ?2";
            let is_it = self.first(sql, (kept, seal.signature), |_| Ok(()))?;
            if is_it.is_some() {
                return Ok(kept);
            }
        }
        self.run(
            "INSERT INTO seals (author, before, run, signature) VALUES (?1, ?2, ?3, ?4)",
            (author, seal.before, Whole(run), seal.signature),
        )?;
        Ok(self.transaction.last_insert_rowid())
    }

    /// Seals the edits that were recorded under names of this key and are not: by a program that did not do so.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn seal_unsealed(&self, key: &NodeKey) -> Result<(), Error> {
        let key_bytes = key.public().to_bytes();
        let sql = "SELECT replica FROM owners WHERE key = ?1";
        let replicas: Vec<Replica> = self.all(sql, [key_bytes], |row| row.get(0))?;
        for replica in replicas {
            let mut after = None;
            loop {
                let edits = self.unsealed(replica, after, PAGE)?;
                let Some(last) = edits.last() else { break };
                after = Some(last.stamp);
                self.seal_with(&edits, key)?;
            }
        }
        Ok(())
    }

    fn seal_with(&self, edits: &[Known], key: &NodeKey) -> Result<(), Error> {
        let author = key.public().to_bytes();
        // The mark goes on once: from each edit it would look through all that are not sealed yet.
        let mut firsts = BTreeMap::new();
        for seal in sealed(edits, &crypto(), |text| key.sign(text)) {
            let stamps = seal.run.iter().map(|(stamp, _)| *stamp);
            if let Some(first) = self.add_proof(&author, &seal, stamps)? {
                let earliest = firsts.entry(first.replica()).or_insert(first);
                *earliest = first.min(*earliest);
            }
        }
        firsts
            .into_values()
            .try_for_each(|first| self.move_mark(first))
    }

    /// Notes whose replica one is, beside what was told of that name before.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn introduce(&self, replica: Replica, key: &Key, incarnation: u32) -> Result<(), Error> {
        let sql = "INSERT OR IGNORE INTO owners (replica, key, incarnation) VALUES (?1, ?2, ?3)";
        self.run(sql, (replica, key, incarnation))?;
        Ok(())
    }

    /// Notes that somebody vouches for another one.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn vouch(&self, voucher: &Voucher) -> Result<(), Error> {
        let Voucher { key, by, signature } = voucher;
        let sql = "INSERT OR IGNORE INTO vouchers (key, by, signature) VALUES (?1, ?2, ?3)";
        self.run(sql, (key, by, signature))?;
        Ok(())
    }

    /// Notes for whom this key vouches, and for nobody else.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn vouch_for(&self, keys: &BTreeSet<Key>, by: &NodeKey) -> Result<(), Error> {
        let voucher = by.public().to_bytes();
        let sql = "SELECT key FROM vouchers WHERE by = ?1";
        let before: BTreeSet<Key> = self.all(sql, [voucher], |row| row.get(0))?;
        for key in before.difference(keys) {
            self.run(
                "DELETE FROM vouchers WHERE key = ?1 AND by = ?2",
                (key, voucher),
            )?;
        }
        for key in keys.difference(&before) {
            self.vouch(&Voucher::new(*key, voucher, |text| by.sign(text)))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{AUTHOR, chain, receive, seal, store};
    use super::super::{Added, Durability, Store};
    use super::*;
    use crate::node::Node;
    use crate::overlay::Knowledge;

    fn author(node: &Node) -> Author<'_> {
        let incarnation = 3;
        let replica = (crypto().naming)(node.key().public().as_bytes(), incarnation);
        Author {
            key: node.key(),
            incarnation,
            replica,
        }
    }

    /// Edits as the node makes them.
    fn own(node: &Node, count: usize) -> Vec<Known> {
        chain(author(node).replica.bits(), count)
    }

    fn node() -> (tempfile::TempDir, Node) {
        let git_dir = tempfile::tempdir().unwrap();
        let (node, _) = Node::create(git_dir.path()).unwrap();
        (git_dir, node)
    }

    fn stamps(edits: &[Known]) -> Vec<Stamp> {
        edits.iter().map(|edit| edit.stamp).collect()
    }

    fn knowledge(store: &mut Store) -> Knowledge {
        store.read().unwrap().knowledge().unwrap()
    }

    #[test]
    fn what_is_recorded_is_sealed_and_a_burst_once() {
        let ((_folder, node), (_git_dir, mut store)) = (node(), store());
        let edits = own(&node, 300);
        let writing = store.write(Durability::Power).unwrap();
        writing
            .record(&edits, Way::Recorded, author(&node))
            .unwrap();
        writing.commit().unwrap();
        let reading = store.read().unwrap();
        let seals = reading.seals(stamps(&edits)).unwrap();
        let lengths: Vec<usize> = seals.iter().map(|seal| seal.run.len()).collect();
        assert_eq!(lengths, [256, 44]);
        let key = node.key().public().to_bytes();
        assert!(seals.iter().all(|seal| seal.is_by(&key, &crypto())));
        assert!(!seals[0].is_by(&[7; 32], &crypto()));
        assert_eq!(reading.author(edits[299].stamp).unwrap(), Some(key));
        let owner = Introduction {
            key,
            incarnation: 3,
            replica: author(&node).replica,
        };
        assert_eq!(reading.owners(owner.replica).unwrap(), [owner]);
        drop(reading);
        let upto = knowledge(&mut store)[&owner.replica].upto;
        assert_eq!(upto, Some(edits[299].stamp));
    }

    #[test]
    fn what_is_not_proved_is_told_to_nobody_until_it_is() {
        let (_git_dir, mut store) = store();
        let edits = chain(7, 3);
        let add = |store: &mut Store, proves: bool| {
            let writing = store.write(Durability::Process).unwrap();
            for edit in &edits {
                writing.add(edit, Issuer::Other, Way::Received).unwrap();
            }
            if proves {
                writing
                    .prove(&AUTHOR, &seal(&edits), stamps(&edits))
                    .unwrap();
            }
            writing.commit().unwrap();
        };
        add(&mut store, false);
        assert_eq!(knowledge(&mut store), Knowledge::new());
        let reading = store.read().unwrap();
        assert_eq!(reading.beyond(&Knowledge::new()).unwrap(), []);
        assert_eq!(reading.seals(stamps(&edits)).unwrap(), []);
        assert_eq!(reading.author(edits[0].stamp).unwrap(), None);
        drop(reading);
        // Somebody brings them again, with what proves them.
        add(&mut store, true);
        assert_eq!(knowledge(&mut store).len(), 1);
        assert_eq!(
            store
                .read()
                .unwrap()
                .beyond(&Knowledge::new())
                .unwrap()
                .len(),
            3
        );
    }

    #[test]
    fn a_seal_stands_once_and_has_the_digests_of_what_is_not_known() {
        let (_git_dir, mut store) = store();
        let edits = chain(7, 4);
        let whole = seal(&edits);
        for known in [&edits[..1], &edits[2..3], &edits[..1]] {
            let writing = store.write(Durability::Process).unwrap();
            for edit in known {
                writing.add(edit, Issuer::Other, Way::Received).unwrap();
            }
            writing.prove(&AUTHOR, &whole, stamps(known)).unwrap();
            writing.commit().unwrap();
        }
        let reading = store.read().unwrap();
        assert_eq!(reading.seals(stamps(&edits)).unwrap(), [whole]);
        let kept: i64 = reading
            .first("SELECT count(*) FROM seals", [], |row| row.get(0))
            .unwrap()
            .unwrap();
        assert_eq!(kept, 1);
    }

    #[test]
    fn an_edit_that_says_the_same_in_another_spelling_is_another_one() {
        use crate::crdt::{Act, Atom};
        use crate::overlay::Deed;
        let (_git_dir, mut store) = store();
        let mut edits = chain(7, 1);
        receive(&mut store, &edits);
        let Deed::Change(changes) = &mut edits[0].deed else {
            unreachable!()
        };
        let Act::Write(value) = &mut changes[0].act else {
            unreachable!()
        };
        *value = Atom::new(value.canonical().to_owned());
        let writing = store.write(Durability::Process).unwrap();
        let again = writing
            .add(&edits[0], Issuer::Other, Way::Received)
            .unwrap();
        assert_eq!(
            again,
            Added::Equivocation,
            "its seal would prove the other one"
        );
    }

    #[test]
    fn what_an_older_program_recorded_is_sealed_and_what_came_is_not() {
        let ((_folder, node), (_git_dir, mut store)) = (node(), store());
        let edits = own(&node, 3);
        let writing = store.write(Durability::Process).unwrap();
        let Author {
            replica,
            incarnation,
            ..
        } = author(&node);
        let key = node.key().public().to_bytes();
        writing.introduce(replica, &key, incarnation).unwrap();
        writing.add(&edits[0], Issuer::Own, Way::Recorded).unwrap();
        writing.add(&edits[1], Issuer::Own, Way::Committed).unwrap();
        // Our own edit as somebody brought it back, whoever that was.
        writing
            .add(&edits[2], Issuer::Other, Way::Received)
            .unwrap();
        // A copy of this work tree goes on with what was made before it was copied.
        writing.disown().unwrap();
        writing.seal_unsealed(node.key()).unwrap();
        writing.commit().unwrap();
        let upto = knowledge(&mut store)[&replica].upto;
        assert_eq!(upto, Some(edits[1].stamp));
        let seals = store.read().unwrap().seals(stamps(&edits)).unwrap();
        assert_eq!(seals.len(), 1);
        assert!(seals[0].is_by(&key, &crypto()));
    }

    #[test]
    fn several_may_have_replicas_of_one_name() {
        let (_git_dir, mut store) = store();
        let replica = Replica::from_bits(7);
        let writing = store.write(Durability::Process).unwrap();
        for (key, incarnation) in [(7, 3), (8, 4), (7, 3)] {
            writing.introduce(replica, &[key; 32], incarnation).unwrap();
        }
        let owners = writing.owners(replica).unwrap();
        let of = |key: u8, incarnation| Introduction {
            key: [key; 32],
            incarnation,
            replica,
        };
        assert_eq!(owners, [of(7, 3), of(8, 4)]);
        assert_eq!(writing.all_owners().unwrap(), owners);
    }

    #[test]
    fn one_vouches_for_whom_it_trusts_now_and_for_nobody_else() {
        let ((_folder, node), (_git_dir, mut store)) = (node(), store());
        let writing = store.write(Durability::Process).unwrap();
        let by = node.key().public().to_bytes();
        let vouched = |writing: &Writing<'_>, key: u8| writing.vouchers(&[key; 32]).unwrap();
        let for_both = BTreeSet::from([[7; 32], [8; 32]]);
        writing.vouch_for(&for_both, node.key()).unwrap();
        let voucher = vouched(&writing, 7)[0];
        assert_eq!((voucher.key, voucher.by), ([7; 32], by));
        assert!(voucher.is_true(&crypto()));
        let another = Voucher {
            by: [9; 32],
            ..voucher
        };
        writing.vouch(&another).unwrap();
        writing
            .vouch_for(&BTreeSet::from([[8; 32]]), node.key())
            .unwrap();
        assert_eq!(vouched(&writing, 7), [another], "what others say stays");
        assert_eq!(vouched(&writing, 8).len(), 1);
    }
}
