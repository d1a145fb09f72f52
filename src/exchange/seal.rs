//! Who made an edit, and that nobody altered it: seals over runs of edits, and vouchers for those whom not everybody knows.
//!
//! An author is a *key*. The name of a replica has 30 bits, so that whoever tries long enough finds a key of the same name: a name is
//! only a hint at which keys to try.

use std::collections::BTreeMap;

use super::{Introduction, Millis, wire};
use crate::crdt::{Replica, Stamp};
use crate::overlay::Known;

/// A node's public key.
pub type Key = [u8; 32];

/// A signature by such a key: Ed25519 (RFC 8032).
pub type Signature = [u8; 64];

/// Edits in one run at most: so few that the digests of all but one weigh no more than a small file.
pub const MOST_IN_RUN: usize = 256;

/// Bytes of the edits of a run at most, each said alone, unless it is one that is longer: a run fits into one message.
const MOST_BYTES_IN_RUN: usize = 64 << 10;

/// What is signed begins with one of these, so that nothing that is signed for one purpose can be taken for another.
const EDIT: &[u8] = b"rhema-crdt edit 1\0";
const SEAL: &[u8] = b"rhema-crdt seal 1\0";
const VOUCHER: &[u8] = b"rhema-crdt voucher 1\0";

/// What there is to be calculated: given from outside, so that nothing here depends on how.
#[derive(Clone, Copy, Debug)]
pub struct Crypto {
    /// How a replica is named after a key and an incarnation.
    pub naming: fn(&Key, u32) -> Replica,
    /// SHA-256 (FIPS 180-4) of these pieces, one behind the other.
    pub hash: fn(&[&[u8]]) -> [u8; 32],
    /// Whether a key signed a text.
    pub verify: fn(&Key, &[u8], &Signature) -> bool,
}

/// The digest of an edit: SHA-256 of a prefix and the edit as a message says it that says nothing else. Two edits of one digest are
/// the same to the byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EditDigest(pub [u8; 32]);

impl EditDigest {
    /// That of an edit.
    #[must_use]
    pub fn of(edit: &Known, crypto: &Crypto) -> Self {
        Self((crypto.hash)(&[EDIT, &wire::alone(edit)]))
    }
}

/// Whether two edits are the same to the byte: equal ones may spell their values in another way.
#[must_use]
pub fn is_same(one: &Known, other: &Known) -> bool {
    one == other && wire::alone(one) == wire::alone(other)
}

/// By this the author of a run of edits, which one replica made one after the other, proves them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The edit that the replica made before the first of them; none where that is its first of all.
    pub before: Option<Stamp>,
    /// Their stamps and digests, in the order in which they were made; one at least.
    pub run: Vec<(Stamp, EditDigest)>,
    /// By the author's key, over all of this.
    pub signature: Signature,
}

impl Seal {
    /// What is signed: a prefix, and the SHA-256 of the replica's name, the stamp before the run, and the stamps and digests of
    /// the run. Numbers are little endian; a stamp is its time in milliseconds since the Unix epoch, as the replica is named before.
    fn text(before: Option<Stamp>, run: &[(Stamp, EditDigest)], crypto: &Crypto) -> Vec<u8> {
        let replica = run.first().map_or(0, |(stamp, _)| stamp.replica().bits());
        let mut said = Vec::with_capacity(4 + 9 + 4 + 40 * run.len());
        said.extend_from_slice(&replica.to_le_bytes());
        said.push(before.is_some().into());
        let before = before.map_or(0, |before| before.unix_millis());
        said.extend_from_slice(&before.to_le_bytes());
        said.extend_from_slice(&(run.len() as u32).to_le_bytes());
        for (stamp, digest) in run {
            said.extend_from_slice(&stamp.unix_millis().to_le_bytes());
            said.extend_from_slice(&digest.0);
        }
        [SEAL, &(crypto.hash)(&[&said])].concat()
    }

    /// Whether this key made these edits, and in this order.
    #[must_use]
    pub fn is_by(&self, key: &Key, crypto: &Crypto) -> bool {
        let text = Self::text(self.before, &self.run, crypto);
        (crypto.verify)(key, &text, &self.signature)
    }
}

/// Seals edits that one key made, each behind the one that it names: as few seals as there can be.
#[must_use]
pub fn sealed(edits: &[Known], crypto: &Crypto, sign: impl Fn(&[u8]) -> Signature) -> Vec<Seal> {
    let mut seals = Vec::new();
    let mut before = None;
    let mut run: Vec<(Stamp, EditDigest)> = Vec::new();
    let mut bytes = 0;
    let mut seal = |before: Option<Stamp>, run: Vec<(Stamp, EditDigest)>| {
        if !run.is_empty() {
            let signature = sign(&Seal::text(before, &run, crypto));
            seals.push(Seal {
                before,
                run,
                signature,
            });
        }
    };
    for edit in edits {
        let alone = wire::alone(edit);
        let digest = EditDigest((crypto.hash)(&[EDIT, &alone]));
        let follows = run.last().is_some_and(|(last, _)| {
            edit.previous == Some(*last) && edit.stamp.replica() == last.replica()
        });
        let is_full = run.len() == MOST_IN_RUN || bytes + alone.len() > MOST_BYTES_IN_RUN;
        if !follows || is_full {
            seal(before, std::mem::take(&mut run));
            before = edit.previous;
            bytes = 0;
        }
        bytes += alone.len();
        run.push((edit.stamp, digest));
    }
    seal(before, run);
    seals
}

/// A run of edits as it is said: with what proves them, and of edits that are not said their digests in their place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The edit that the replica made before the first of them.
    pub before: Option<Stamp>,
    /// The edits, in the order in which they were made.
    pub links: Vec<Link>,
    /// By their author's key.
    pub signature: Signature,
}

/// A place in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// An edit.
    Edit(Known),
    /// One that is not said here: the receiver knows it, or the sender does not.
    Digest(Stamp, EditDigest),
}

impl Link {
    /// The stamp of the edit.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        match self {
            Self::Edit(edit) => edit.stamp,
            Self::Digest(stamp, _) => *stamp,
        }
    }
}

impl Run {
    /// The edits that are said.
    pub fn edits(&self) -> impl Iterator<Item = &Known> {
        self.links.iter().filter_map(|link| match link {
            Link::Edit(edit) => Some(edit),
            Link::Digest(..) => None,
        })
    }

    /// Whether it does not end with an edit that is said.
    pub(super) fn goes_on(&self) -> bool {
        matches!(self.links.last(), Some(Link::Digest(..)))
    }

    /// Whether it is a run: edits of one replica, each naming the one before it, and not too many.
    pub(super) fn is_run(&self) -> Result<(), Stamp> {
        let mut before = self.before;
        for link in &self.links {
            let stamp = link.stamp();
            let is_next =
                before.is_none_or(|before| before.replica() == stamp.replica() && before < stamp);
            let names_it = match link {
                Link::Edit(edit) => edit.previous == before,
                Link::Digest(..) => true,
            };
            if !is_next || !names_it {
                return Err(stamp);
            }
            before = Some(stamp);
        }
        Ok(())
    }

    /// The seal by which the edits are proved if it is the author's.
    pub(super) fn seal(&self, crypto: &Crypto) -> Seal {
        let digest = |link: &Link| match link {
            Link::Edit(edit) => (edit.stamp, EditDigest::of(edit, crypto)),
            Link::Digest(stamp, digest) => (*stamp, *digest),
        };
        Seal {
            before: self.before,
            run: self.links.iter().map(digest).collect(),
            signature: self.signature,
        }
    }

    /// The run of which the first edit is said, and that of which the others are, if there are any.
    pub(super) fn parted(self, crypto: &Crypto) -> (Self, Option<Self>) {
        let (mut first, mut rest) = (self.clone(), self);
        let at = rest
            .links
            .iter()
            .position(|link| matches!(link, Link::Edit(_)));
        for (index, (first, rest)) in first.links.iter_mut().zip(&mut rest.links).enumerate() {
            let unsaid = if Some(index) == at { rest } else { first };
            if let Link::Edit(edit) = unsaid {
                *unsaid = Link::Digest(edit.stamp, EditDigest::of(edit, crypto));
            }
        }
        let has_more = rest.edits().next().is_some();
        (first, has_more.then_some(rest))
    }
}

/// Edits with the seals that cover them. Those that none covers cannot be said.
pub(super) fn runs(edits: Vec<Known>, seals: Vec<Seal>) -> Vec<Run> {
    let mut edits: BTreeMap<Stamp, Known> =
        edits.into_iter().map(|edit| (edit.stamp, edit)).collect();
    let mut link = |(stamp, digest): (Stamp, EditDigest)| match edits.remove(&stamp) {
        Some(edit) => Link::Edit(edit),
        None => Link::Digest(stamp, digest),
    };
    let run = |seal: Seal| Run {
        before: seal.before,
        links: seal.run.into_iter().map(&mut link).collect(),
        signature: seal.signature,
    };
    let runs = seals.into_iter().map(run);
    runs.filter(|run| run.edits().next().is_some()).collect()
}

/// Somebody whom everybody trusts says that another one may write: a work tree beside its own, or one that its user trusts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voucher {
    /// Who may write.
    pub key: Key,
    /// Who says so.
    pub by: Key,
    /// By that one's key, over both.
    pub signature: Signature,
}

impl Voucher {
    fn text(key: &Key, by: &Key) -> Vec<u8> {
        [VOUCHER, key, by].concat()
    }

    /// That of the one who signs so.
    #[must_use]
    pub fn new(key: Key, by: Key, sign: impl Fn(&[u8]) -> Signature) -> Self {
        let signature = sign(&Self::text(&key, &by));
        Self { key, by, signature }
    }

    /// Whether the one that it names said so.
    #[must_use]
    pub fn is_true(&self, crypto: &Crypto) -> bool {
        (crypto.verify)(&self.by, &Self::text(&self.key, &self.by), &self.signature)
    }
}

/// Who made an edit, as it is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Author {
    /// The key.
    pub key: Key,
    /// Who vouches for it, where it is not known here by itself: what holds for that one holds for it, too.
    pub by: Option<Key>,
}

/// What is known here of a key by itself, whoever vouches for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may write.
    Writes,
    /// It may only read: nothing that it made is taken, whoever brings it.
    Reads,
    /// It could write once. What it made until then is taken.
    Removed,
    /// Nothing.
    Unknown,
}

/// Why an edit is not taken although it is proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objection {
    /// It will not be taken, unless something else comes to hold here.
    Denied(Denial),
    /// It will be taken, but not before this moment, in milliseconds since the Unix epoch.
    Early(Millis),
}

/// Why somebody may not make an edit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Denial {
    /// The author is nobody whom this work tree, or one whom it trusts, knows.
    Stranger,
    /// The author may only read.
    Reads,
    /// The author was removed before.
    Removed,
    /// A rule of the repository, in words for people.
    Rule(String),
}

/// Whose edits are taken. This is the one place that says so, whatever way they come.
pub trait Judge {
    /// What is known here of a key. This work tree's own may write: what it made was taken already.
    fn standing(&self, key: &Key) -> Standing;

    /// Whether an edit of one who may write, or who was removed, is taken.
    ///
    /// # Errors
    /// Why it is not.
    fn judge(&self, author: &Author, edit: &Known) -> Result<(), Objection>;
}

/// All who may have this key, by what is known of it and by who vouches for it.
pub(super) fn authors(
    key: Key,
    judge: &impl Judge,
    vouchers: &[Voucher],
) -> Result<Vec<Author>, Denial> {
    match judge.standing(&key) {
        Standing::Writes | Standing::Removed => Ok(vec![Author { key, by: None }]),
        Standing::Reads => Err(Denial::Reads),
        Standing::Unknown => {
            let vouchers = vouchers.iter().filter(|voucher| {
                voucher.key == key && judge.standing(&voucher.by) == Standing::Writes
            });
            let author = |voucher: &Voucher| Author {
                key,
                by: Some(voucher.by),
            };
            let authors: Vec<Author> = vouchers.map(author).collect();
            match authors.is_empty() {
                true => Err(Denial::Stranger),
                false => Ok(authors),
            }
        }
    }
}

/// A run that was proved, without what is not taken of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved {
    /// Who made it.
    pub author: Key,
    /// By what it is proved.
    pub seal: Seal,
    /// Those of its edits that are taken.
    pub edits: Vec<Known>,
}

/// Those of these who may be told from others here: nobody needs to know whose the replicas of strangers are.
pub(super) fn known_here(
    introductions: &[Introduction],
    judge: &impl Judge,
    vouchers: &[Voucher],
) -> Vec<Introduction> {
    let is_known = |introduction: &&Introduction| {
        let stranger = Err(Denial::Stranger);
        authors(introduction.key, judge, vouchers) != stranger
    };
    introductions.iter().filter(is_known).copied().collect()
}
