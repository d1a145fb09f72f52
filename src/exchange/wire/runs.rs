//! Runs of edits: what proves them, and then each, or its digest.

use super::limits::{ITEM_ROOM, NODE_ROOM};
use super::reader::Reader;
use super::writer::Writer;
use super::{Coded, Malformed};
use crate::exchange::{EditDigest, Link, Run};
use crate::overlay::Known;

/// In place of an edit's bits: its digest stands here.
const DIGEST: u8 = 128;
/// Added for the first of a run, where its replica made none before it.
const FIRST: u8 = 2;

impl Coded for Run {
    /// The signature, how many places there are, and each. The edit before the run is told by the first place.
    fn write(&self, to: &mut Writer) {
        to.charge(NODE_ROOM);
        to.raw(&self.signature);
        to.count(self.links.len());
        for (index, link) in self.links.iter().enumerate() {
            match link {
                Link::Edit(edit) => edit.write(to),
                Link::Digest(stamp, digest) => {
                    to.charge(ITEM_ROOM);
                    let before = self.before.filter(|_| index == 0);
                    let is_first = index == 0 && before.is_none();
                    to.byte(DIGEST | if is_first { FIRST } else { 0 });
                    to.stamp(*stamp);
                    before.into_iter().for_each(|before| to.stamp(before));
                    to.raw(&digest.0);
                }
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.charge(NODE_ROOM)?;
        let signature = from.array()?;
        let count = from.count()?;
        let mut before = None;
        let mut links = Vec::new();
        for index in 0..count {
            let bits = from.next()?;
            if bits & DIGEST == 0 {
                let edit = Known::read(from)?;
                if index == 0 {
                    before = edit.previous;
                }
                links.push(Link::Edit(edit));
                continue;
            }
            from.charge(ITEM_ROOM)?;
            let stamp = match (from.byte()? & !DIGEST, index) {
                (0, 0) => {
                    let stamp = from.stamp()?;
                    before = Some(from.stamp()?);
                    stamp
                }
                (FIRST, 0) | (0, _) => from.stamp()?,
                _ => return Err(Malformed::Tag("edit", bits.into())),
            };
            links.push(Link::Digest(stamp, EditDigest(from.array()?)));
        }
        match links.is_empty() {
            true => Err(Malformed::Tag("run", 0)),
            false => Ok(Self {
                before,
                links,
                signature,
            }),
        }
    }
}
