//! Edits that their own replica does not leave at the git remote: those of the names that this node had before, and those of
//! others who reach us and not the host. They are proved by their authors, so anybody may pass them on.

use std::collections::BTreeMap;

use super::super::Error;
use super::super::shelf::Shelf;
use super::{Meeting, Met, is_ours, made_by};
use crate::crdt::{Replica, Stamp};
use crate::exchange::{Shelf as _, write_down};
use crate::git::{Outpost, Piece};
use crate::node::crypto;
use crate::overlay::Known;
use crate::remote::{Segment, packed};
use crate::store::{Issuer, Mark, Moment};

/// How old an edit of somebody else must be to be passed on, in milliseconds: until then they leave it there themselves, if they can.
const GRACE: u64 = 60_000;

impl Meeting<'_> {
    /// Puts what nobody else left there among our files; says whether that is anything else than before.
    pub(super) fn leave_for_others(
        &self,
        outpost: &Outpost<'_>,
        own: Replica,
        pieces: &mut BTreeMap<String, Piece>,
        shelf: &mut Shelf,
        met: &mut Met,
    ) -> Result<bool, Error> {
        let mut relayed = BTreeMap::new();
        for edits in self.missing_there(outpost, own, shelf)? {
            let (Some(first), Some(last)) = (edits.first(), edits.last()) else {
                continue;
            };
            let segment = Segment::new(first.stamp, last.stamp);
            let count = edits.len();
            let messages = write_down(edits, &crypto(), shelf)?;
            let piece = outpost.keep(&packed(&messages).map_err(Error::Unsendable)?)?;
            let name = segment.to_string();
            if pieces.get(&name) != Some(&piece) {
                met.sent += count;
                met.bytes_sent += piece.size as u64;
            }
            relayed.insert(name, piece);
        }
        let is_relayed = |name: &str| made_by(name).is_some_and(|replica| replica != own);
        let (before, others): (BTreeMap<_, _>, _) = std::mem::take(pieces)
            .into_iter()
            .partition(|(name, _)| is_relayed(name));
        *pieces = others;
        pieces.extend(relayed.clone());
        Ok(before != relayed)
    }

    /// The edits of each other replica that HEAD lacks and nobody else's ref has, in the order in which they were made.
    fn missing_there(
        &self,
        outpost: &Outpost<'_>,
        own: Replica,
        shelf: &mut Shelf,
    ) -> Result<Vec<Vec<Known>>, Error> {
        let there = self.left_by_others(outpost, own, shelf)?;
        let known = shelf.knowledge()?.into_keys();
        let key = self.node.key().public().to_bytes();
        let oldest = Moment::now().unix_millis().saturating_sub(GRACE);
        let mut missing = Vec::new();
        for replica in known.filter(|replica| *replica != own) {
            let reading = shelf.store.read()?;
            let owners = reading.owners(replica)?;
            let was_ours = owners.iter().any(|owner| owner.key == key);
            let edits = reading.made_behind(replica, there.get(&replica).copied())?;
            let edits = edits.into_iter().filter(|edit| {
                let is_due = was_ours
                    || edit.issuer == Issuer::Own
                    || edit.known.stamp.unix_millis() < oldest;
                is_due && !edit.marks.contains(Mark::Contained)
            });
            let edits: Vec<Known> = edits.map(|edit| edit.known).collect();
            if !edits.is_empty() {
                missing.push(edits);
            }
        }
        Ok(missing)
    }

    /// The last edit of each replica that others left there.
    fn left_by_others(
        &self,
        outpost: &Outpost<'_>,
        own: Replica,
        shelf: &mut Shelf,
    ) -> Result<BTreeMap<Replica, Stamp>, Error> {
        let mut there: BTreeMap<Replica, Stamp> = BTreeMap::new();
        let own = own.to_string();
        for tip in outpost.tips()?.into_iter().filter(|tip| tip.name != own) {
            let seen = self.seen(&tip, shelf)?;
            let pieces = outpost.pieces(tip.commit, is_ours)?.unwrap_or_default();
            for (name, piece) in &pieces {
                // What was not taken as a whole is not relied upon.
                let segment = name.parse::<Segment>().ok();
                let Some(segment) = segment.filter(|_| seen.contains(&piece.blob)) else {
                    continue;
                };
                // Of several who pass the same on, the first by name goes on doing so.
                let replica = segment.last.replica();
                if tip.name == replica.to_string() || tip.name < own {
                    let last = there.entry(replica).or_insert(segment.last);
                    *last = segment.last.max(*last);
                }
            }
        }
        Ok(there)
    }
}
