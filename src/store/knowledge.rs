//! What is known of each replica's edits, so that another replica can tell what is missing here.
//!
//! A replica's edits form a chain: each names the one before it. So one mark says how far it is known, and only what came
//! out of turn has to be listed.

use super::edits::{StoredEdit, proved_after};
use super::{Error, Reading, Writing};
use crate::crdt::{Replica, Stamp};
use crate::overlay::{Chain, Knowledge, Links};

/// How many edits are read at a time.
const PAGE: usize = 1_024;

impl Reading<'_> {
    /// What is known and proved here of each replica's edits.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn knowledge(&self) -> Result<Knowledge, Error> {
        let sql = "SELECT replica, upto FROM chains";
        let marks: Vec<(Replica, Stamp)> =
            self.all(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut knowledge = Knowledge::new();
        for (replica, upto) in marks {
            knowledge.entry(replica).or_default().upto = Some(upto);
        }
        // A join from each replica, so that what lies within the chains is not read.
        let sql = "WITH RECURSIVE replicas (replica) AS (
                SELECT min(replica) FROM edits
                UNION ALL
                SELECT (SELECT min(replica) FROM edits WHERE replica > replicas.replica)
                FROM replicas WHERE replica IS NOT NULL
            )
            SELECT edits.stamp, edits.previous FROM replicas
            LEFT JOIN chains USING (replica)
            CROSS JOIN edits ON edits.replica = replicas.replica AND edits.stamp > coalesce(upto, '')
                AND edits.seal IS NOT NULL
            ORDER BY edits.replica, edits.stamp";
        let beyond: Vec<(Stamp, Option<Stamp>)> =
            self.all(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for (stamp, previous) in beyond {
            let islands = &mut knowledge.entry(stamp.replica()).or_default().islands;
            match islands.last_mut() {
                Some(last) if Some(*last.end()) == previous => *last = *last.start()..=stamp,
                _ => islands.push(stamp..=stamp),
            }
        }
        Ok(knowledge)
    }

    /// The edits that are known and proved here, and not known there, each replica's in the order in which it made them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn beyond(&self, there: &Knowledge) -> Result<Vec<StoredEdit>, Error> {
        self.first_beyond(there, usize::MAX)
    }

    /// As [`beyond`](Self::beyond), the first of them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn first_beyond(&self, there: &Knowledge, most: usize) -> Result<Vec<StoredEdit>, Error> {
        let mut beyond = Vec::new();
        for replica in self.replicas()? {
            let chain = there.get(&replica);
            let mut after = chain.and_then(|chain| chain.upto);
            loop {
                let page = most.saturating_sub(beyond.len()).min(PAGE);
                if page == 0 {
                    return Ok(beyond);
                }
                let mut edits: Vec<StoredEdit> = proved_after(self, replica, after, page)?;
                let is_last = edits.len() < page;
                after = edits.last().map(|edit| edit.known.stamp);
                edits.retain(|edit| !chain.is_some_and(|chain| chain.contains(edit.known.stamp)));
                beyond.append(&mut edits);
                if is_last {
                    break;
                }
            }
        }
        Ok(beyond)
    }

    /// The edits of a replica that are known and proved, from behind one of them or from the first on, in the order in which it made them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn made_behind(
        &self,
        replica: Replica,
        behind: Option<Stamp>,
    ) -> Result<Vec<StoredEdit>, Error> {
        proved_after(self, replica, behind, usize::MAX)
    }

    /// The replicas of which edits are known.
    fn replicas(&self) -> Result<Vec<Replica>, Error> {
        let sql = "WITH RECURSIVE replicas (replica) AS (
                SELECT min(replica) FROM edits
                UNION ALL
                SELECT (SELECT min(replica) FROM edits WHERE replica > replicas.replica)
                FROM replicas WHERE replica IS NOT NULL
            )
            SELECT replica FROM replicas WHERE replica IS NOT NULL";
        self.all(sql, [], |row| row.get(0))
    }
}

impl Reading<'_> {
    /// The edits of a replica that are known and proved, each with the one that it was made after.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn links(&self, replica: Replica) -> Result<Links, Error> {
        let sql = "SELECT stamp, previous FROM edits WHERE replica = ?1 AND seal IS NOT NULL ORDER BY stamp";
        let mut links: Links = self.all(sql, [replica], |row| Ok((row.get(0)?, row.get(1)?)))?;
        links.extend(self.packed_links(replica)?);
        Ok(links)
    }
}

impl Writing<'_> {
    /// Moves the mark of a replica, of which this edit and perhaps later ones were proved, to where it is to be: what is known is
    /// told by the proved edits alone, whatever the order in which they came ([`Chain::of`]).
    pub(super) fn move_mark(&self, proved: Stamp) -> Result<(), Error> {
        let replica = proved.replica();
        let sql = "SELECT upto FROM chains WHERE replica = ?1";
        let before: Option<Stamp> = self.first(sql, [replica], |row| row.get(0))?;
        let is_within = before.is_some_and(|before| proved < before);
        let upto = match is_within {
            true => Chain::of(&self.links(replica)?).upto,
            false => self.followed(replica, before)?,
        };
        if upto < before {
            // Beyond the mark each edit is listed.
            self.unpack_behind(replica, upto)?;
        }
        match upto {
            _ if upto == before => {}
            Some(upto) => {
                let sql = "INSERT INTO chains (replica, upto) VALUES (?1, ?2)
                    ON CONFLICT (replica) DO UPDATE SET upto = excluded.upto";
                self.run(sql, (replica, upto))?;
            }
            None => {
                self.run("DELETE FROM chains WHERE replica = ?1", [replica])?;
            }
        }
        Ok(())
    }

    /// How far the edits of a replica follow one another from here on.
    fn followed(&self, replica: Replica, from: Option<Stamp>) -> Result<Option<Stamp>, Error> {
        let sql = "SELECT stamp, previous FROM edits
            WHERE replica = ?1 AND stamp > coalesce(?2, '') AND seal IS NOT NULL ORDER BY stamp LIMIT 1";
        let mut upto = from;
        loop {
            let next = self.first(sql, (replica, upto), |row| {
                Ok((row.get::<_, Stamp>(0)?, row.get::<_, Option<Stamp>>(1)?))
            })?;
            match next {
                Some((next, previous)) if previous == upto => upto = Some(next),
                _ => return Ok(upto),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::super::samples::{chain, edit, receive, stamps, store};
    use super::*;
    use crate::overlay::Known;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    fn chain_of(store: &mut Store, replica: Replica) -> Chain {
        let mut knowledge = store.read().unwrap().knowledge().unwrap();
        knowledge.remove(&replica).unwrap()
    }

    #[test]
    fn a_chain_without_hole_is_one_mark() {
        let (_git_dir, mut store) = store();
        let edits = chain(7, 20);
        receive(&mut store, edits.iter().rev());
        let expected = Chain {
            upto: Some(edits[19].stamp),
            islands: Vec::new(),
        };
        assert_eq!(chain_of(&mut store, edits[0].stamp.replica()), expected);
    }

    #[test]
    fn what_lies_beyond_a_hole_is_an_island_until_the_hole_is_filled() {
        let (_git_dir, mut store) = store();
        let edits = chain(7, 9);
        let replica = edits[0].stamp.replica();
        let stamp = |index: usize| edits[index].stamp;
        receive(&mut store, [0, 1, 3, 4, 7].map(|index| &edits[index]));
        let expected = Chain {
            upto: Some(stamp(1)),
            islands: vec![stamp(3)..=stamp(4), stamp(7)..=stamp(7)],
        };
        assert_eq!(chain_of(&mut store, replica), expected);
        receive(&mut store, [&edits[2]]);
        let expected = Chain {
            upto: Some(stamp(4)),
            islands: vec![stamp(7)..=stamp(7)],
        };
        assert_eq!(chain_of(&mut store, replica), expected);
    }

    #[test]
    fn nothing_is_known_without_hole_where_the_first_edit_is_missing() {
        let (_git_dir, mut store) = store();
        let edits = chain(7, 3);
        receive(&mut store, &edits[1..]);
        let expected = Chain {
            upto: None,
            islands: vec![edits[1].stamp..=edits[2].stamp],
        };
        assert_eq!(chain_of(&mut store, edits[0].stamp.replica()), expected);
    }

    #[test]
    fn where_two_write_under_one_name_the_order_of_coming_does_not_matter() {
        let stamps = stamps(7, 5);
        let after = |index: usize, before: usize| {
            edit(stamps[index], Some(stamps[before]), "under one name")
        };
        let edits = [
            edit(stamps[0], None, "first"),
            after(1, 0),
            after(2, 0),
            after(3, 1),
            after(4, 2),
        ];
        let links = edits.iter().map(|edit| (edit.stamp, edit.previous));
        let expected = Chain::of(&links.collect());
        for order in [
            [0, 1, 2, 3, 4],
            [4, 3, 2, 1, 0],
            [0, 1, 3, 2, 4],
            [2, 4, 0, 3, 1],
        ] {
            let (_git_dir, mut store) = store();
            receive(&mut store, order.map(|index: usize| &edits[index]));
            assert_eq!(
                chain_of(&mut store, stamps[0].replica()),
                expected,
                "{order:?}"
            );
        }
    }

    /// Few cases and always the same ones, unless `PROPTEST_CASES` asks for others.
    fn config() -> ProptestConfig {
        let mut config = ProptestConfig::default();
        if std::env::var_os("PROPTEST_CASES").is_none() {
            config.cases = 24;
            config.rng_seed = RngSeed::Fixed(20_261_121);
        }
        config
    }

    proptest! {
        #![proptest_config(config())]

        /// Two stores that tell each other what the other one lacks know the same in the end, whatever each began with.
        #[test]
        fn what_is_beyond_the_knowledge_of_another_is_what_it_lacks(
            here in proptest::collection::vec(any::<bool>(), 24),
            there in proptest::collection::vec(any::<bool>(), 24),
        ) {
            let edits: Vec<Known> = [7, 8, 9].into_iter().flat_map(|replica| chain(replica, 8)).collect();
            let chosen = |which: &[bool]| -> Vec<Known> {
                let chosen = edits.iter().zip(which).filter(|(_, chosen)| **chosen);
                chosen.map(|(edit, _)| edit.clone()).collect()
            };
            let (here, there) = (chosen(&here), chosen(&there));
            let (_ours, mut store) = store();
            receive(&mut store, &here);
            let (_theirs, mut other) = self::store();
            receive(&mut other, &there);
            let theirs = other.read().unwrap().knowledge().unwrap();
            let beyond = store.read().unwrap().beyond(&theirs).unwrap();
            let beyond: Vec<Known> = beyond.into_iter().map(|edit| edit.known).collect();
            let lacking: Vec<Known> = here.into_iter().filter(|edit| !there.contains(edit)).collect();
            prop_assert_eq!(beyond, lacking);
        }
    }

    #[test]
    fn a_store_that_knows_nothing_has_no_knowledge() {
        let (_git_dir, mut store) = store();
        assert_eq!(store.read().unwrap().knowledge().unwrap(), Knowledge::new());
    }
}
