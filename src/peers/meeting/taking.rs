//! What others left at the git remote is taken: edits, where they listen, and what they ask.

use std::collections::BTreeMap;

use super::super::joining::{Joiner, answer_request, list_who_joined, refusal};
use super::super::requests::{self, REQUEST};
use super::super::shelf::Shelf;
use super::super::{Error, ruling, telling};
use super::{Meeting, Met, is_ours};
use crate::crdt::Replica;
use crate::exchange::take_written;
use crate::git::{Outpost, Piece, Tip};
use crate::node::{LONGEST_REQUEST, Verdict, crypto};
use crate::remote::{PeerRecord, RECORD, Segment, VOUCHERS, unpacked};
use crate::store::{Durability, Moment};

/// A segment that is longer than this, in bytes, nobody wrote who keeps to the format.
const LONGEST_SEGMENT: usize = 64 << 20;

impl Meeting<'_> {
    /// Takes what others left there since it was looked at last.
    pub(super) fn take(
        &self,
        outpost: &Outpost<'_>,
        shelf: &mut Shelf,
        met: &mut Met,
    ) -> Result<(), Error> {
        let mut found = Vec::new();
        for tip in outpost.tips()? {
            let Ok(replica) = tip.name.parse::<Replica>() else {
                continue;
            };
            let Some(pieces) = outpost.pieces(tip.commit, is_ours)? else {
                met.note(format!(
                    "{} at {} is nothing that this program left there: it is passed over",
                    tip.namespace.there(&tip.name),
                    self.remote
                ));
                continue;
            };
            if let Some(record) = pieces.get(RECORD) {
                self.note_record(&outpost.content(record.blob)?, &tip, &pieces, shelf, met)?;
            }
            if let Some(request) = pieces.get(REQUEST) {
                self.answer(outpost, *request, shelf, met)?;
            }
            if let Some(answer) = pieces.get(&self.answer_name(self.node.id())) {
                self.take_answer(outpost, *answer, shelf, met)?;
            }
            if let Some(vouchers) = pieces.get(VOUCHERS) {
                let taken = self.take_said(outpost, *vouchers, shelf, met)?;
                if let Err(why) = taken {
                    met.note(format!(
                        "for whom {replica} vouches at {}: {why}",
                        self.remote
                    ));
                }
            }
            found.push((tip, replica, pieces));
        }
        // Only now it is known who vouches for whom.
        for (tip, replica, pieces) in found {
            self.take_edits(outpost, &tip, replica, &pieces, shelf, met)?;
        }
        Ok(())
    }

    /// Takes the edits of a ref that were not taken before.
    fn take_edits(
        &self,
        outpost: &Outpost<'_>,
        tip: &Tip,
        replica: Replica,
        pieces: &BTreeMap<String, Piece>,
        shelf: &mut Shelf,
        met: &mut Met,
    ) -> Result<(), Error> {
        let mut seen = self.seen(tip, shelf)?;
        let before = seen.clone();
        for (name, piece) in pieces {
            let Ok(segment) = name.parse::<Segment>() else {
                continue;
            };
            if seen.contains(&piece.blob) {
                continue;
            }
            match self.take_segment(outpost, segment, *piece, shelf, met)? {
                Ok(()) => {
                    seen.insert(piece.blob);
                }
                Err(why) => met.note(format!("what {replica} left at {}: {why}", self.remote)),
            }
        }
        seen.retain(|blob| pieces.values().any(|piece| piece.blob == *blob));
        match seen == before {
            true => Ok(()),
            false => self.note_seen(tip, &seen, shelf),
        }
    }

    /// Lets in who asks this node and was invited by it.
    fn answer(
        &self,
        outpost: &Outpost<'_>,
        request: Piece,
        shelf: &mut Shelf,
        met: &mut Met,
    ) -> Result<(), Error> {
        if request.size > LONGEST_REQUEST {
            return Ok(());
        }
        let request = outpost.content(request.blob)?;
        let Some(node) = requests::asks(&request, self.node.key()) else {
            return Ok(());
        };
        let (verdict, joiner) = answer_request(self.repo, &mut shelf.store, &request, None)?;
        let answer = requests::answer(&verdict, &request, self.node.key());
        met.answers.insert(self.answer_name(node), answer);
        if let Some(Joiner { name, role, .. }) = joiner {
            list_who_joined(self.repo, &mut shelf.store)?;
            met.trusts_others = true;
            met.note(format!(
                "{name} joined as {}; for everybody once it is committed: git commit .rhema/crdt/members.yaml",
                role.name()
            ));
        }
        Ok(())
    }

    /// Takes the answer to what this node asked.
    fn take_answer(
        &self,
        outpost: &Outpost<'_>,
        answer: Piece,
        shelf: &mut Shelf,
        met: &mut Met,
    ) -> Result<(), Error> {
        let pending = requests::pending(&shelf.store.read()?)?;
        let Some(pending) = pending.filter(|_| answer.size <= LONGEST_REQUEST) else {
            return Ok(());
        };
        let answer = outpost.content(answer.blob)?;
        let store = &mut shelf.store;
        let verdict = requests::take_answer(self.repo, store, &self.node, &pending, &answer)?;
        match verdict {
            Some(Verdict::Welcome { role, name }) => {
                met.trusts_others = true;
                met.note(format!(
                    "{name} let this work tree in as {}: the others do once {name} has committed that and they have pulled it",
                    role.name()
                ));
            }
            Some(other) => met.note(format!(
                "this work tree was not let in: {}",
                refusal(&other)
            )),
            None => {}
        }
        Ok(())
    }

    fn take_segment(
        &self,
        outpost: &Outpost<'_>,
        segment: Segment,
        piece: Piece,
        shelf: &mut Shelf,
        met: &mut Met,
    ) -> Result<Result<(), String>, Error> {
        if !segment.is_readable() {
            let version = segment.version;
            return Ok(Err(format!(
                "it is written in version {version} of the protocol, which this program does not know: a newer one does"
            )));
        }
        self.take_said(outpost, piece, shelf, met)
    }

    /// Takes what a file says; inside, why not all of it is taken.
    fn take_said(
        &self,
        outpost: &Outpost<'_>,
        piece: Piece,
        shelf: &mut Shelf,
        met: &mut Met,
    ) -> Result<Result<(), String>, Error> {
        if piece.size > LONGEST_SEGMENT {
            return Ok(Err(format!("{} bytes are too long for it", piece.size)));
        }
        let content = outpost.content(piece.blob)?;
        met.bytes_received += content.len() as u64;
        let mut damage = None;
        let messages =
            unpacked(&content).map_while(|said| said.map_err(|it| damage = Some(it)).ok());
        let now = Moment::now().unix_millis();
        let taken = take_written(messages, &crypto(), now, self.ahead, shelf)?;
        let taken = match (taken, damage) {
            (Ok(taken), None) => taken,
            (Ok(_), Some(malformed)) => return Ok(Err(malformed.to_string())),
            (Err(violation), _) => return Ok(Err(violation.to_string())),
        };
        met.received += taken.added.new;
        for refusal in &taken.refused {
            ruling::note(&mut shelf.store, refusal);
        }
        Ok(match taken.refused.first() {
            None => Ok(()),
            Some(refusal) => Err(format!("not taken: {}", telling::reason(refusal))),
        })
    }

    /// Where somebody listens and what they know, if that is somebody who is trusted.
    fn note_record(
        &self,
        bytes: &[u8],
        tip: &Tip,
        pieces: &BTreeMap<String, Piece>,
        shelf: &mut Shelf,
        met: &mut Met,
    ) -> Result<(), Error> {
        let record = match PeerRecord::read(bytes) {
            Ok(record) => record,
            Err(unreadable) => {
                met.note(format!(
                    "where {} can be reached, as {} has it: {unreadable}",
                    tip.name, self.remote
                ));
                return Ok(());
            }
        };
        let Some(peer) = self.trusted.others.get(&record.key) else {
            return Ok(());
        };
        // Whoever says what it knows has left its own edits up to there.
        let own = tip.name.parse::<Replica>().ok();
        let made = own.and_then(|own| record.knowledge.get(&own)?.upto);
        let there = pieces
            .keys()
            .filter_map(|name| name.parse::<Segment>().ok());
        let there = there.map(|segment| segment.last);
        let there = there.filter(|last| Some(last.replica()) == own).max();
        if there < made {
            met.note(format!(
                "{} withholds edits that {} left there, or lost them",
                self.remote, peer.name
            ));
        }
        let now = Moment::now().unix_millis();
        if record.expires > now {
            let addresses = met.addresses.entry(record.key).or_default();
            addresses.extend(record.addresses);
        }
        let name = self.name("the newest record", tip);
        let newest = shelf.store.read()?.state(name)?;
        let newest = newest.and_then(|bytes| bytes.try_into().ok());
        let newest = newest.map_or(0, u64::from_le_bytes);
        if record.written < newest {
            met.note(format!(
                "{} shows an older state of what {} left there than it did: it was put back there, or is withheld",
                self.remote, peer.name
            ));
        }
        if record.written > newest {
            let at = Moment::from_unix_millis(record.written.min(now));
            let writing = shelf.store.write(Durability::Process)?;
            writing.exchanged(&record.key, &record.knowledge, None, at)?;
            writing.keep_state(name, &record.written.to_le_bytes())?;
            writing.commit()?;
        }
        Ok(())
    }
}
