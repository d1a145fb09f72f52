//! What others may not know is left at the git remote: edits, where we listen, and answers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::super::Error;
use super::super::requests::{self, ANSWER, REQUEST};
use super::super::shelf::Shelf;
use super::super::visit::introduction;
use super::{Meeting, Met, blobs, is_ours, made_by};
use crate::crdt::{Replica, Stamp};
use crate::exchange::{Introduction, Message, Shelf as _, write_down};
use crate::git::{Namespace, Outpost, Piece, Pushed, Tip};
use crate::node::{Role, crypto};
use crate::overlay::BlobId;
use crate::remote::{PeerRecord, RECORD, Segment, VOUCHERS, packed, to_join};
use crate::store::Moment;

/// Commits of a ref before they are squashed. Each keeps what it replaced on the host; a squash costs readers nothing, as
/// the files stay the same.
const LONGEST_CHAIN: usize = 32;

/// How long a record of where a node listens counts; it is written anew when half of that is over.
const RECORD_COUNTS: Duration = Duration::from_secs(24 * 3_600);

/// How long others may take us to know what we knew then.
const MARKS_COUNT: Duration = Duration::from_secs(600);

/// A segment as it is to be left there.
struct Written {
    segment: Segment,
    content: Vec<u8>,
    /// How many edits it has.
    edits: usize,
}

impl Meeting<'_> {
    /// Leaves there what is not there; says whether that is done, or somebody else was faster.
    pub(super) fn leave(
        &self,
        outpost: &Outpost<'_>,
        evades: bool,
        shelf: &mut Shelf,
        met: &mut Met,
    ) -> Result<bool, Error> {
        if self.trusted.own_role == Some(Role::Reader) {
            return Ok(true);
        }
        let introduction = introduction(&self.node)?;
        let name = introduction.replica.to_string();
        let mut tips = outpost.tips()?;
        tips.retain(|tip| tip.name == name);
        // A host that did not take the one takes the other.
        let there = tips.into_iter().max_by_key(|tip| tip.namespace);
        let found = there
            .as_ref()
            .map(|tip| outpost.pieces(tip.commit, is_ours));
        let found = found.transpose()?.flatten();
        let chain = there
            .as_ref()
            .filter(|_| found.is_some())
            .map(|tip| tip.commit);
        let mut pieces = found.unwrap_or_default();
        let is_edited = self.leave_edits(outpost, introduction, &mut pieces, shelf, met)?;
        let is_written = self.leave_letters(outpost, &mut pieces, shelf, met)?;
        let is_vouched = self.leave_vouchers(outpost, &mut pieces, shelf)?;
        let own = introduction.replica;
        let is_passed_on = self.leave_for_others(outpost, own, &mut pieces, shelf, met)?;
        let is_pushed = is_edited || is_written || is_vouched || is_passed_on;
        let is_renewed = self.renew_record(outpost, &mut pieces, is_pushed, shelf)?;
        if !is_pushed && !is_renewed {
            return Ok(true);
        }
        let parent = match chain {
            Some(tip) if outpost.depth(tip, LONGEST_CHAIN)? < LONGEST_CHAIN => Some(tip),
            _ => None,
        };
        let seconds = Moment::now().unix_millis() / 1_000;
        let message = format!("Edits of {name}\n\nMade by `rhema crdt`. [skip ci]\n");
        let commit = outpost.commit(&pieces, parent, &message, seconds.cast_signed())?;
        let namespace = there.map_or(Namespace::Own, |tip| tip.namespace);
        let tip = Tip {
            name,
            namespace,
            commit,
        };
        let about_to = self.about_to_leave_name(introduction.replica);
        let own = blobs_of(&pieces, &|name| is_segment_of(introduction.replica, name));
        self.keep(about_to, &own, shelf)?;
        let Some(tip) = self.push(outpost, tip, evades, met)? else {
            return Ok(false);
        };
        self.note_seen(&tip, &blobs_of(&pieces, &|_| true), shelf)?;
        let name = self.left_name(introduction.replica);
        self.keep(name, &own, shelf)?;
        Ok(true)
    }

    /// Pushes to where the host takes it; nothing where somebody else was faster. `evades` where that was so again and again.
    fn push(
        &self,
        outpost: &Outpost<'_>,
        tip: Tip,
        evades: bool,
        met: &mut Met,
    ) -> Result<Option<Tip>, Error> {
        let push = |tip: &Tip| outpost.push(&self.remote, tip, self.prompts, &self.patience);
        let why = match push(&tip)? {
            Pushed::Done => return Ok(Some(tip)),
            Pushed::Overtaken if evades && tip.namespace == Namespace::Own => {
                "it does not let it be seen and pushed by the same".to_owned()
            }
            Pushed::Overtaken => return Ok(None),
            Pushed::Forbidden(why) => why,
        };
        let there = Namespace::Own.there(&tip.name);
        let branch = Tip {
            namespace: Namespace::Branches,
            ..tip.clone()
        };
        let pushed = match tip.namespace {
            Namespace::Own => push(&branch)?,
            Namespace::Branches => Pushed::Forbidden(why.clone()),
        };
        match pushed {
            Pushed::Done => {
                met.note(format!(
                    "{} does not take {there} ({why}): the branch rhema/{} is used in its place",
                    self.remote, branch.name
                ));
                Ok(Some(branch))
            }
            Pushed::Overtaken => Ok(None),
            Pushed::Forbidden(_) => Err(Error::Forbidden {
                remote: self.remote.clone(),
                there: format!("{there} nor a branch rhema/{}", branch.name),
                why,
            }),
        }
    }

    /// Puts there for whom this node vouches; says whether that is anything else than before.
    fn leave_vouchers(
        &self,
        outpost: &Outpost<'_>,
        pieces: &mut BTreeMap<String, Piece>,
        shelf: &mut Shelf,
    ) -> Result<bool, Error> {
        let own = self.node.key().public().to_bytes();
        let keys: Vec<_> = self.trusted.others.keys().copied().collect();
        let mut vouchers = shelf.vouchers(&keys)?;
        vouchers.retain(|voucher| voucher.by == own);
        let mut replicas = shelf.store.read()?.all_owners()?;
        replicas.retain(|owner| vouchers.iter().any(|voucher| voucher.key == owner.key));
        let before = pieces.remove(VOUCHERS);
        if !vouchers.is_empty() {
            let message = Message::Introductions { replicas, vouchers };
            let content = packed(&[message]).map_err(Error::Unsendable)?;
            pieces.insert(VOUCHERS.to_owned(), outpost.keep(&content)?);
        }
        Ok(before != pieces.get(VOUCHERS).copied())
    }

    /// Puts edits that are not there into segments; says whether there were any.
    fn leave_edits(
        &self,
        outpost: &Outpost<'_>,
        introduction: Introduction,
        pieces: &mut BTreeMap<String, Piece>,
        shelf: &mut Shelf,
        met: &mut Met,
    ) -> Result<bool, Error> {
        let mut segments: Vec<(Segment, Piece)> = pieces
            .iter()
            .filter_map(|(name, piece)| Some((name.parse::<Segment>().ok()?, *piece)))
            .filter(|(segment, _)| segment.first.replica() == introduction.replica)
            .collect();
        let name = self.left_name(introduction.replica);
        let mut left = blobs(shelf.store.read()?.state(name)?);
        let about_to = self.about_to_leave_name(introduction.replica);
        let about_to = blobs(shelf.store.read()?.state(about_to)?);
        // What an older program wrote is written anew as a whole.
        let is_old = segments
            .iter()
            .any(|(segment, _)| *segment != Segment::new(segment.first, segment.last));
        let there: BTreeSet<BlobId> = segments.iter().map(|(_, piece)| piece.blob).collect();
        if there == about_to {
            // It arrived, and who left it did not hear that.
            left = about_to;
        }
        if there != left && !left.is_empty() {
            met.note(format!(
                "{} does not have what this work tree left there: it was lost, put back or altered, and is left there anew",
                self.remote
            ));
        }
        if is_old || there != left {
            segments.clear();
        }
        segments.sort_by_key(|(segment, _)| segment.first);
        let end = |segments: &[(Segment, Piece)]| segments.last().map(|(segment, _)| segment.last);
        let Some(new) = self.segment(introduction, end(&segments), shelf)? else {
            return Ok(false);
        };
        met.sent = new.edits;
        let sizes: Vec<usize> = segments.iter().map(|(_, piece)| piece.size).collect();
        let joined = to_join(&sizes, new.content.len());
        segments.truncate(sizes.len() - joined);
        let written = match joined {
            0 => Some(new),
            _ => self.segment(introduction, end(&segments), shelf)?,
        };
        let Some(Written {
            segment, content, ..
        }) = written
        else {
            return Ok(false);
        };
        met.bytes_sent += content.len() as u64;
        pieces.retain(|name, _| !is_segment_of(introduction.replica, name));
        for (segment, piece) in segments {
            pieces.insert(segment.to_string(), piece);
        }
        pieces.insert(segment.to_string(), outpost.keep(&content)?);
        Ok(true)
    }

    /// The edits of our replica behind one of them, as a segment; nothing where there are none.
    fn segment(
        &self,
        introduction: Introduction,
        behind: Option<Stamp>,
        shelf: &mut Shelf,
    ) -> Result<Option<Written>, Error> {
        let edits = shelf.made_behind(introduction.replica, behind)?;
        let (Some(first), Some(last)) = (edits.first(), edits.last()) else {
            return Ok(None);
        };
        let segment = Segment::new(first.stamp, last.stamp);
        let count = edits.len();
        shelf.introduce(&[introduction], &[])?;
        let messages = write_down(edits, &crypto(), shelf)?;
        let content = packed(&messages).map_err(Error::Unsendable)?;
        Ok(Some(Written {
            segment,
            content,
            edits: count,
        }))
    }

    /// Writes anew where we listen and what we know, where that is due; says whether it was.
    fn renew_record(
        &self,
        outpost: &Outpost<'_>,
        pieces: &mut BTreeMap<String, Piece>,
        is_edited: bool,
        shelf: &mut Shelf,
    ) -> Result<bool, Error> {
        let now = Moment::now().unix_millis();
        let there = match pieces.get(RECORD) {
            Some(piece) => PeerRecord::read(&outpost.content(piece.blob)?).ok(),
            None => None,
        };
        let knowledge = shelf.knowledge()?;
        let counts = millis(RECORD_COUNTS);
        let is_due = match (&self.listening, &there) {
            (listening, Some(there)) => {
                let is_moved = listening.as_ref().is_some_and(|listening| {
                    there.addresses != *listening || there.expires < now.saturating_add(counts / 2)
                });
                let is_stale = there.written.saturating_add(millis(MARKS_COUNT)) < now;
                is_moved || is_stale && there.knowledge != knowledge
            }
            (listening, None) => listening.is_some() || !knowledge.is_empty(),
        };
        if !is_due && !is_edited {
            return Ok(false);
        }
        let (addresses, expires) = match (&self.listening, there) {
            (Some(listening), _) => (listening.clone(), now.saturating_add(counts)),
            (None, Some(there)) if there.expires > now => (there.addresses, there.expires),
            (None, _) => (Vec::new(), now),
        };
        let record = PeerRecord {
            key: self.node.key().public().to_bytes(),
            written: now,
            expires,
            addresses,
            knowledge,
        };
        match record.signed(self.node.key()) {
            Some(bytes) => {
                pieces.insert(RECORD.to_owned(), outpost.keep(&bytes)?);
                Ok(is_due)
            }
            None => Ok(false),
        }
    }

    /// Puts what this node asks and answers among its files; says whether that is anything else than before.
    fn leave_letters(
        &self,
        outpost: &Outpost<'_>,
        pieces: &mut BTreeMap<String, Piece>,
        shelf: &mut Shelf,
        met: &Met,
    ) -> Result<bool, Error> {
        let is_letter = |name: &str| name == REQUEST || name.starts_with(ANSWER);
        let mut letters = BTreeMap::new();
        for (name, answer) in &met.answers {
            letters.insert(name.clone(), outpost.keep(answer)?);
        }
        if let Some(pending) = requests::pending(&shelf.store.read()?)? {
            letters.insert(REQUEST.to_owned(), outpost.keep(&pending.request)?);
        }
        let (before, others): (BTreeMap<_, _>, _) = std::mem::take(pieces)
            .into_iter()
            .partition(|(name, _)| is_letter(name));
        *pieces = others;
        pieces.extend(letters.clone());
        Ok(before != letters)
    }
}

/// The contents of those files of which that holds.
fn blobs_of(pieces: &BTreeMap<String, Piece>, is_it: &dyn Fn(&str) -> bool) -> BTreeSet<BlobId> {
    let pieces = pieces.iter().filter(|(name, _)| is_it(name));
    pieces.map(|(_, piece)| piece.blob).collect()
}

/// Whether a file has edits of this replica.
fn is_segment_of(replica: Replica, name: &str) -> bool {
    made_by(name) == Some(replica)
}

/// A time as records have it.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
