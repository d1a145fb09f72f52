//! The peers: where they were met, whom this work tree trusts by itself, what they said last that they know; whose replicas
//! are whose; and the log of what happened with them.

use std::collections::BTreeMap;

use super::columns::{Whole, as_number, limit};
use super::{Error, Moment, Reading, Writing};
use crate::crdt::{Replica, Stamp};
use crate::node::Role;
use crate::overlay::{Chain, CommitId, Knowledge};

/// A node's public key.
pub type Key = [u8; 32];

/// How many events the log keeps: some weeks of a busy team.
const MOST_EVENTS: i64 = 1_000;

/// How many addresses of one peer are kept, the last ones at which it was met.
const MOST_ADDRESSES: i64 = 8;

/// What somebody who is trusted by this work tree alone may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trust {
    /// Know everything.
    Reads,
    /// Edit, too.
    Writes,
    /// Edit, told apart from what people edit.
    WritesAsAgent,
}

as_number!(Trust {
    Reads = 0,
    Writes = 1,
    WritesAsAgent = 2,
});

impl From<Role> for Trust {
    /// Who may do what for all is told by git alone: here an admin is one who writes.
    fn from(role: Role) -> Self {
        match role {
            Role::Admin | Role::Writer => Self::Writes,
            Role::Agent => Self::WritesAsAgent,
            Role::Reader | Role::Removed => Self::Reads,
        }
    }
}

impl From<Trust> for Role {
    fn from(trust: Trust) -> Self {
        match trust {
            Trust::Reads => Self::Reader,
            Trust::Writes => Self::Writer,
            Trust::WritesAsAgent => Self::Agent,
        }
    }
}

/// A peer, as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its key.
    pub key: Key,
    /// Whether this work tree trusts it by itself.
    pub trust: Option<Trust>,
    /// What it is called where it is trusted so.
    pub name: Option<String>,
    /// When it was met last.
    pub met: Option<Moment>,
    /// When all was said with it last.
    pub exchanged: Option<Moment>,
    /// How long the way there and back took last, in microseconds.
    pub latency_micros: Option<u32>,
    /// Where it may be found: where it was met last comes first.
    pub addresses: Vec<String>,
    /// What it said last that it knows.
    pub knowledge: Option<Knowledge>,
}

/// Something that happened with a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Moment,
    /// With whom; none where nobody proved who they are.
    pub key: Option<Key>,
    /// What, in words for people.
    pub what: String,
}

/// Knowledge as it stands in a column: each replica, how far its chain is known, and its islands.
type Marks = Vec<(Replica, Option<Stamp>, Vec<(Stamp, Stamp)>)>;

fn marks_of(knowledge: &Knowledge) -> Marks {
    let islands = |chain: &Chain| {
        let islands = chain.islands.iter();
        islands.map(|run| (*run.start(), *run.end())).collect()
    };
    let chains = knowledge.iter();
    chains
        .map(|(replica, chain)| (*replica, chain.upto, islands(chain)))
        .collect()
}

fn knowledge_of(marks: Marks) -> Knowledge {
    let chain = |(replica, upto, islands): (Replica, _, Vec<(_, _)>)| {
        let islands = islands.into_iter().map(|(first, last)| first..=last);
        let islands = islands.collect();
        (replica, Chain { upto, islands })
    };
    marks.into_iter().map(chain).collect()
}

impl Reading<'_> {
    /// The peers that were ever met, are trusted here or have an address.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn peers(&self) -> Result<Vec<Peer>, Error> {
        let sql = "SELECT key, address FROM addresses JOIN peers ON peers.id = peer
            ORDER BY peer, addresses.met DESC, address";
        let pairs: Vec<(Key, String)> = self.all(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut addresses: BTreeMap<Key, Vec<String>> = BTreeMap::new();
        for (key, address) in pairs {
            addresses.entry(key).or_default().push(address);
        }
        let sql =
            "SELECT key, role, name, met, exchanged, latency, knowledge FROM peers ORDER BY key";
        self.all(sql, [], |row| {
            let key: Key = row.get(0)?;
            let knowledge: Option<Whole<Marks>> = row.get(6)?;
            Ok(Peer {
                key,
                trust: row.get(1)?,
                name: row.get(2)?,
                met: row.get(3)?,
                exchanged: row.get(4)?,
                latency_micros: row.get(5)?,
                addresses: addresses.remove(&key).unwrap_or_default(),
                knowledge: knowledge.map(|Whole(marks)| knowledge_of(marks)),
            })
        })
    }

    /// The last events, the newest last.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn events(&self, most: usize) -> Result<Vec<Event>, Error> {
        let sql = "SELECT at, key, event FROM
            (SELECT * FROM events ORDER BY id DESC LIMIT ?1) ORDER BY id";
        let most = limit(most);
        self.all(sql, [most], |row| {
            Ok(Event {
                at: row.get(0)?,
                key: row.get(1)?,
                what: String::from_utf8_lossy(&row.get::<_, Vec<u8>>(2)?).into_owned(),
            })
        })
    }

    /// For commits that are not at hand, ancestors of theirs that somebody named who has them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn ancestors(&self) -> Result<BTreeMap<CommitId, Vec<CommitId>>, Error> {
        let sql = "SELECT base, ancestor FROM ancestors";
        let pairs: Vec<(CommitId, CommitId)> =
            self.all(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut ancestors: BTreeMap<CommitId, Vec<CommitId>> = BTreeMap::new();
        for (base, ancestor) in pairs {
            ancestors.entry(base).or_default().push(ancestor);
        }
        Ok(ancestors)
    }
}

impl Writing<'_> {
    /// Notes that a peer was met, and where.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn met(&self, key: &Key, address: Option<&str>, at: Moment) -> Result<(), Error> {
        let peer = self.peer(key)?;
        self.run("UPDATE peers SET met = ?2 WHERE id = ?1", (peer, at))?;
        if let Some(address) = address {
            self.run(
                "INSERT INTO addresses (peer, address, met) VALUES (?1, ?2, ?3)
                ON CONFLICT (peer, address) DO UPDATE SET met = excluded.met",
                (peer, address, at),
            )?;
            self.run(
                "DELETE FROM addresses WHERE peer = ?1 AND met IS NOT NULL AND address NOT IN
                (SELECT address FROM addresses WHERE peer = ?1 AND met IS NOT NULL ORDER BY met DESC LIMIT ?2)",
                (peer, MOST_ADDRESSES),
            )?;
        }
        Ok(())
    }

    /// Notes that all was said with a peer, what it knows then, and how long the way there and back takes.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn exchanged(
        &self,
        key: &Key,
        knows: &Knowledge,
        latency_micros: Option<u32>,
        at: Moment,
    ) -> Result<(), Error> {
        let peer = self.peer(key)?;
        self.run(
            "UPDATE peers SET met = ?2, exchanged = ?2, knowledge = ?3, latency = coalesce(?4, latency) WHERE id = ?1",
            (peer, at, Whole(marks_of(knows)), latency_micros),
        )?;
        Ok(())
    }

    /// Notes an address at which somebody says a peer is.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn add_address(&self, key: &Key, address: &str) -> Result<(), Error> {
        let peer = self.peer(key)?;
        let sql = "INSERT OR IGNORE INTO addresses (peer, address) VALUES (?1, ?2)";
        self.run(sql, (peer, address))?;
        Ok(())
    }

    /// Lets this work tree trust a peer by itself.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn trust(&self, key: &Key, trust: Trust, name: Option<&str>) -> Result<(), Error> {
        let peer = self.peer(key)?;
        let sql = "UPDATE peers SET role = ?2, name = coalesce(?3, name) WHERE id = ?1";
        self.run(sql, (peer, trust, name))?;
        Ok(())
    }

    /// Ends that this work tree trusts a peer by itself; says whether it did. What is known of the peer goes, too.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn forget_peer(&self, key: &Key) -> Result<bool, Error> {
        Ok(self.run("DELETE FROM peers WHERE key = ?1", [key])? > 0)
    }

    /// Notes an event; the oldest of many go.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn note(&self, event: &Event) -> Result<(), Error> {
        self.run(
            "INSERT INTO events (at, key, event) VALUES (?1, ?2, ?3)",
            (event.at, event.key, event.what.as_bytes()),
        )?;
        let sql = "DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?1";
        self.run(sql, [MOST_EVENTS])?;
        Ok(())
    }

    /// Notes ancestors of a commit that is not at hand.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn add_ancestors(&self, base: CommitId, ancestors: &[CommitId]) -> Result<(), Error> {
        let sql = "INSERT OR IGNORE INTO ancestors (base, ancestor) VALUES (?1, ?2)";
        for ancestor in ancestors {
            self.run(sql, (base, ancestor))?;
        }
        // What could not be placed can be now.
        self.run(
            "UPDATE documents SET file = NULL WHERE id IN (SELECT document FROM edits WHERE base = ?1)
                OR id IN (SELECT document FROM packs)",
            [base],
        )?;
        Ok(())
    }

    /// The number of a peer, which gets one where it has none.
    fn peer(&self, key: &Key) -> Result<i64, Error> {
        let sql = "SELECT id FROM peers WHERE key = ?1";
        if let Some(number) = self.first(sql, [key], |row| row.get(0))? {
            return Ok(number);
        }
        self.run("INSERT INTO peers (key) VALUES (?1)", [key])?;
        Ok(self.transaction.last_insert_rowid())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Durability;
    use super::super::samples::{chain, commit, receive, store};
    use super::*;

    const KEY: Key = [7; 32];

    fn at(seconds: u64) -> Moment {
        Moment::from_unix_millis(1_800_000_000_000 + 1_000 * seconds)
    }

    #[test]
    fn a_peer_comes_back_as_it_was_noted() {
        let (_git_dir, mut store) = store();
        let edits = chain(7, 3);
        receive(&mut store, [&edits[0], &edits[2]]);
        let writing = store.write(Durability::Process).unwrap();
        let known = writing.knowledge().unwrap();
        writing.add_address(&KEY, "given:1").unwrap();
        writing.met(&KEY, Some("10.0.0.1:7"), at(1)).unwrap();
        writing.met(&KEY, Some("10.0.0.2:7"), at(2)).unwrap();
        writing.exchanged(&KEY, &known, Some(420), at(3)).unwrap();
        writing.trust(&KEY, Trust::Reads, Some("Ann")).unwrap();
        writing.trust(&KEY, Trust::Writes, None).unwrap();
        let expected = Peer {
            key: KEY,
            trust: Some(Trust::Writes),
            name: Some("Ann".to_owned()),
            met: Some(at(3)),
            exchanged: Some(at(3)),
            latency_micros: Some(420),
            addresses: ["10.0.0.2:7", "10.0.0.1:7", "given:1"]
                .map(str::to_owned)
                .to_vec(),
            knowledge: Some(known),
        };
        assert_eq!(writing.peers().unwrap(), [expected]);
        assert!(writing.forget_peer(&KEY).unwrap());
        assert!(!writing.forget_peer(&KEY).unwrap());
        assert_eq!(writing.peers().unwrap(), []);
    }

    #[test]
    fn of_many_addresses_the_last_are_kept_and_those_that_were_given() {
        let (_git_dir, mut store) = store();
        let writing = store.write(Durability::Process).unwrap();
        writing.add_address(&KEY, "given:1").unwrap();
        for second in 0..20 {
            let address = format!("10.0.0.{second}:7");
            writing.met(&KEY, Some(&address), at(second)).unwrap();
        }
        let addresses = &writing.peers().unwrap()[0].addresses;
        assert_eq!(addresses.len(), 9);
        assert_eq!(addresses[0], "10.0.0.19:7");
        assert_eq!(addresses[8], "given:1");
    }

    #[test]
    fn the_log_keeps_the_last_events() {
        let (_git_dir, mut store) = store();
        let writing = store.write(Durability::Process).unwrap();
        let event = |second: u64| Event {
            at: at(second),
            key: second.is_multiple_of(2).then_some(KEY),
            what: format!("event {second}"),
        };
        for second in 0..1_010 {
            writing.note(&event(second)).unwrap();
        }
        assert_eq!(writing.events(2).unwrap(), [event(1_008), event(1_009)]);
        assert_eq!(writing.events(usize::MAX).unwrap().len(), 1_000);
    }

    #[test]
    fn ancestors_of_a_base_void_what_was_seen_of_its_documents() {
        let (_git_dir, mut store) = store();
        let edits = chain(7, 1);
        receive(&mut store, &edits);
        let base = edits[0].base.unwrap();
        let writing = store.write(Durability::Process).unwrap();
        writing
            .add_ancestors(base, &[commit(8), commit(9)])
            .unwrap();
        writing.add_ancestors(base, &[commit(9)]).unwrap();
        let ancestors = writing.ancestors().unwrap();
        assert_eq!(
            ancestors,
            BTreeMap::from([(base, vec![commit(8), commit(9)])])
        );
    }
}
