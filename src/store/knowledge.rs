//! What is known of each replica's edits, so that another replica can tell what is missing here.
//!
//! A replica's edits form a chain: each names the one before it. So one mark says how far it is known, and only what came
//! out of turn has to be listed.

use super::edits::{StoredEdit, stored_after};
use super::{Error, Reading, Writing};
use crate::crdt::{Replica, Stamp};
use crate::overlay::Knowledge;

impl Reading<'_> {
    /// What is known here of each replica's edits.
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

    /// The edits that are known here and not there, each replica's in the order in which it made them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn beyond(&self, there: &Knowledge) -> Result<Vec<StoredEdit>, Error> {
        let mut beyond = Vec::new();
        for replica in self.knowledge()?.into_keys() {
            let chain = there.get(&replica);
            let upto = chain.and_then(|chain| chain.upto);
            let mut edits: Vec<StoredEdit> = stored_after(self, replica, upto)?;
            edits.retain(|edit| !chain.is_some_and(|chain| chain.contains(edit.known.stamp)));
            beyond.append(&mut edits);
        }
        Ok(beyond)
    }
}

impl Writing<'_> {
    /// Moves the mark of a replica on while exactly one known edit names it as the previous one.
    pub(super) fn lengthen_chain(&self, replica: Replica) -> Result<(), Error> {
        let sql = "SELECT upto FROM chains WHERE replica = ?1";
        let before: Option<Stamp> = self.first(sql, [replica], |row| row.get(0))?;
        let mut upto = before;
        while let Some(next) = self.only_next(replica, upto)? {
            upto = Some(next);
        }
        if upto != before {
            let sql = "INSERT INTO chains (replica, upto) VALUES (?1, ?2)
                ON CONFLICT (replica) DO UPDATE SET upto = excluded.upto";
            self.run(sql, (replica, upto))?;
        }
        Ok(())
    }

    fn only_next(&self, replica: Replica, upto: Option<Stamp>) -> Result<Option<Stamp>, Error> {
        // An edit that is older than the one it names is nobody's next.
        let sql = "SELECT min(stamp) FROM edits
            WHERE replica = ?1 AND previous IS ?2 AND (?2 IS NULL OR stamp > ?2) HAVING count(*) = 1";
        self.first(sql, (replica, upto), |row| row.get(0))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::super::samples::{chain, edit, receive, stamps, store};
    use super::*;
    use crate::overlay::{Chain, Known};
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
    fn behind_a_fork_each_edit_is_listed() {
        let (_git_dir, mut store) = store();
        let stamps = stamps(7, 4);
        let after = |index: usize| edit(stamps[index], Some(stamps[0]), "after the first");
        let first = edit(stamps[0], None, "first");
        // The fork comes to be known before its branches are followed.
        receive(&mut store, [&after(1), &after(2), &first]);
        let expected = Chain {
            upto: Some(stamps[0]),
            islands: vec![stamps[1]..=stamps[1], stamps[2]..=stamps[2]],
        };
        assert_eq!(chain_of(&mut store, stamps[0].replica()), expected);
    }

    #[test]
    fn an_edit_that_is_older_than_the_one_before_it_harms_no_chain() {
        let (_git_dir, mut store) = store();
        let stamps = stamps(7, 3);
        let backwards = edit(stamps[0], Some(stamps[1]), "says that it came later");
        let itself = edit(stamps[2], Some(stamps[2]), "came after itself");
        receive(
            &mut store,
            [&edit(stamps[1], None, "first"), &backwards, &itself],
        );
        let chain = chain_of(&mut store, stamps[0].replica());
        assert_eq!(chain.upto, Some(stamps[1]));
        assert!(chain.contains(stamps[2]));
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
