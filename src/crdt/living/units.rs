//! What is contested, or nested: kept as the edits that were made of it, and viewed as a whole.

use crate::crdt::Observed;
use crate::crdt::document::Record;
use crate::crdt::edit::Act;
use crate::crdt::set::Key;
use crate::crdt::view::Touch;

/// What was done in one place and in what it holds, less what was superseded there.
#[derive(Clone, Debug, Default)]
pub(super) struct Touches(Vec<Touch>);

impl Touches {
    /// Adds what an edit did. What is known already, or superseded, is not kept.
    pub(super) fn push(&mut self, mut touch: Touch) {
        let is_same = |other: &Touch| {
            other.rest == touch.rest && other.act == touch.act && other.stamp == touch.stamp
        };
        let mut same = self.0.iter_mut().filter(|other| is_same(other));
        if let Some(known) = same.find(|other| is_write(&touch) || other.observed == touch.observed)
        {
            known.observed.extend(&touch.observed);
            return;
        }
        if is_write(&touch) && touch.stamp.is_some() {
            let supersedes = |one: &Touch, other: &Touch| {
                is_write(other)
                    && one.rest == other.rest
                    && other
                        .stamp
                        .is_some_and(|stamp| one.observed.has_stamp(stamp))
            };
            if let Some(later) = self
                .0
                .iter_mut()
                .find(|later| is_write(later) && supersedes(later, &touch))
            {
                later.observed.extend(&touch.observed);
                return;
            }
            let mut seen = Observed::default();
            self.0.retain(|earlier| {
                let stays = !supersedes(&touch, earlier);
                if !stays {
                    seen.extend(&earlier.observed);
                }
                stays
            });
            touch.observed.extend(&seen);
        }
        self.0.push(touch);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Touch> {
        self.0.iter()
    }

    pub(super) fn cloned(&self) -> Vec<Touch> {
        self.0.clone()
    }
}

fn is_write(touch: &Touch) -> bool {
    matches!(touch.act, Act::Write(_) | Act::Replace(_))
}

/// A record in which something is contested or nested, or of which no birth is known yet.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) key: Key,
    /// As it stands in the document that the edits were made on.
    pub(super) base: Option<Record>,
    pub(super) touches: Touches,
}

impl Open {
    /// Whether its birth is not known yet: until then it stands nowhere.
    pub(super) fn is_waiting(&self) -> bool {
        let is_birth =
            |touch: &Touch| touch.rest.is_empty() && matches!(touch.act, Act::Add { .. });
        self.base.is_none() && !self.touches.iter().any(is_birth)
    }
}
