//! What a replica knows, in memory that all replicas of a world share: quick where there are a thousand of them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::rc::Rc;

use rhema_crdt::crdt::{Replica, Stamp};
use rhema_crdt::exchange::{
    Added, Author, Crypto, Introduction, Judge, Key, Objection, Proved, Seal, Shelf, Signature,
    Standing, Voucher,
};
use rhema_crdt::overlay::{Chain, CommitId, Knowledge, Known, Links};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// As good as the real ones here, where nobody cheats, and far cheaper.
pub(crate) const CRYPTO: Crypto = Crypto {
    naming,
    hash,
    verify: |key, text, signature| signed(key, text) == *signature,
};

/// What a replica is named after: as even as keys are.
pub(crate) fn naming(key: &Key, incarnation: u32) -> Replica {
    let [a, b, c, d, ..] = *key;
    Replica::from_bits(u32::from_le_bytes([a, b, c, d]).wrapping_add(incarnation) & 0x3fff_ffff)
}

fn hash(pieces: &[&[u8]]) -> [u8; 32] {
    let mut hash = [0; 32];
    for (seed, bytes) in (0..).zip(hash.chunks_exact_mut(8)) {
        let digest = pieces
            .iter()
            .fold(seed, |seed, piece| xxh3_64_with_seed(piece, seed));
        bytes.copy_from_slice(&digest.to_le_bytes());
    }
    hash
}

/// A signature by this key.
pub(crate) fn signed(key: &Key, text: &[u8]) -> Signature {
    let mut signature = [0; 64];
    let (one, other) = signature.split_at_mut(32);
    one.copy_from_slice(&hash(&[key, text]));
    other.copy_from_slice(&hash(&[text, key]));
    signature
}

/// Everybody may write.
pub(crate) struct Everybody;

impl Judge for Everybody {
    fn standing(&self, _: &Key) -> Standing {
        Standing::Writes
    }

    fn judge(&self, _: &Author, _: &Known) -> Result<(), Objection> {
        Ok(())
    }
}

/// Edits, and whose they are. What is added is durable; all commits are at hand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared {
    pub(crate) edits: BTreeMap<Stamp, Rc<Known>>,
    seals: BTreeMap<Stamp, Rc<Seal>>,
    links: BTreeMap<Replica, Links>,
    known: Knowledge,
    introductions: BTreeMap<Replica, Introduction>,
}

impl Shared {
    /// Adds an edit; whether it was not known.
    pub(crate) fn learn(&mut self, edit: Rc<Known>, seal: Rc<Seal>) -> bool {
        let (stamp, previous) = (edit.stamp, edit.previous);
        self.seals.entry(stamp).or_insert(seal);
        if self.edits.insert(stamp, edit).is_some() {
            return false;
        }
        let links = self.links.entry(stamp.replica()).or_default();
        links.insert(stamp, previous);
        let chain = self.known.entry(stamp.replica()).or_default();
        match chain.islands.is_empty() && chain.upto == previous {
            true => chain.upto = Some(stamp),
            false => *chain = Chain::of(links),
        }
        true
    }

    pub(crate) fn known(&self) -> &Knowledge {
        &self.known
    }
}

impl Shelf for Shared {
    type Error = Infallible;
    type Judge = Everybody;

    fn judge(&self) -> Everybody {
        Everybody
    }

    fn seals(&mut self, edits: &[Known]) -> Result<Vec<Seal>, Infallible> {
        let mut seals: Vec<Seal> = Vec::new();
        for edit in edits {
            let seal = &self.seals[&edit.stamp];
            if seals.last() != Some(&**seal) {
                seals.push((**seal).clone());
            }
        }
        Ok(seals)
    }

    fn knowledge(&mut self) -> Result<Knowledge, Infallible> {
        Ok(self.known.clone())
    }

    fn beyond(&mut self, there: &Knowledge, most: usize) -> Result<Vec<Known>, Infallible> {
        let mut beyond = Vec::new();
        for (replica, chain) in &self.known {
            let theirs = there.get(replica);
            if theirs == Some(chain) {
                continue;
            }
            let upto = theirs.and_then(|chain| chain.upto);
            let lacks = |stamp: &Stamp| !theirs.is_some_and(|chain| chain.contains(*stamp));
            let links = &self.links[replica];
            let links = links.keys().filter(|stamp| Some(**stamp) > upto);
            beyond.extend(links.filter(|stamp| lacks(stamp)).copied());
        }
        beyond.sort_unstable();
        beyond.truncate(most);
        Ok(beyond
            .iter()
            .map(|stamp| (*self.edits[stamp]).clone())
            .collect())
    }

    fn astray(
        &mut self,
        there: &Knowledge,
        after: Option<Stamp>,
        most: usize,
    ) -> Result<Vec<Known>, Infallible> {
        let mut astray = Vec::new();
        for (replica, chain) in there {
            let is_equal = self.known.get(replica) == Some(chain);
            if let Some(links) = self.links.get(replica).filter(|_| !is_equal) {
                astray.extend(chain.astray(links));
            }
        }
        astray.sort_unstable();
        let astray = astray.iter().filter(|stamp| Some(**stamp) > after);
        let edits = astray.map(|stamp| (*self.edits[stamp]).clone());
        Ok(edits.take(most).collect())
    }

    fn uncommitted(&mut self) -> Result<Vec<Stamp>, Infallible> {
        Ok(Vec::new())
    }

    fn add(&mut self, proved: Vec<Proved>) -> Result<Added, Infallible> {
        let mut added = Added::default();
        for Proved { seal, edits, .. } in proved {
            let seal = Rc::new(seal);
            for edit in edits {
                added.new += usize::from(self.learn(Rc::new(edit), seal.clone()));
            }
        }
        Ok(added)
    }

    fn introductions(&mut self, replicas: &[Replica]) -> Result<Vec<Introduction>, Infallible> {
        let known = replicas
            .iter()
            .filter_map(|replica| self.introductions.get(replica));
        Ok(known.copied().collect())
    }

    fn vouchers(&mut self, _: &[Key]) -> Result<Vec<Voucher>, Infallible> {
        Ok(Vec::new())
    }

    fn introduce(
        &mut self,
        introductions: &[Introduction],
        _: &[Voucher],
    ) -> Result<(), Infallible> {
        let named = introductions.iter().map(|it| (it.replica, *it));
        self.introductions.extend(named);
        Ok(())
    }

    fn lost_bases(&mut self, _: usize) -> Result<Vec<CommitId>, Infallible> {
        Ok(Vec::new())
    }

    fn commits(&mut self, _: usize) -> Result<Vec<CommitId>, Infallible> {
        Ok(Vec::new())
    }

    fn common(
        &mut self,
        _: &[CommitId],
        _: &[CommitId],
    ) -> Result<Vec<(CommitId, Vec<CommitId>)>, Infallible> {
        Ok(Vec::new())
    }

    fn found(&mut self, _: &[(CommitId, Vec<CommitId>)]) -> Result<usize, Infallible> {
        Ok(0)
    }
}
