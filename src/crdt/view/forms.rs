//! The forms that edits gave to places, in the order in which they are to be given again: those that somebody had seen
//! before those that he gave, and what is concurrent by stamp.

use std::collections::BTreeMap;

use crate::crdt::document::{Document, Form, Formed, Part, Path};
use crate::crdt::edit::Change;
use crate::crdt::{Observed, Stamp};

/// The forms of one place, each with what its edit had seen.
type Given = Vec<(Formed, Observed)>;

/// All forms by place and part, and what removals had seen.
#[derive(Default)]
pub(in crate::crdt) struct Forms {
    given: BTreeMap<(Path, Part), Given>,
    removed: BTreeMap<Path, Observed>,
}

impl Forms {
    /// Those that a document has already: all others come behind them.
    pub(in crate::crdt) fn of(base: &Document) -> Self {
        let mut forms = Self::default();
        for (at, formed) in &base.forms {
            for formed in formed {
                let given = forms
                    .given
                    .entry((at.clone(), formed.form.part))
                    .or_default();
                given.push((formed.clone(), Observed::default()));
            }
        }
        forms
    }

    pub(in crate::crdt) fn add(&mut self, change: &Change, form: &Form, stamp: Option<Stamp>) {
        let given = self
            .given
            .entry((change.at.as_born(), form.part))
            .or_default();
        let form = form.clone();
        given.push((Formed { stamp, form }, change.observed.clone()));
    }

    /// Something was taken away: with it go the forms that whoever did that had seen.
    pub(in crate::crdt) fn remove(&mut self, change: &Change) {
        let removed = self.removed.entry(change.at.as_born()).or_default();
        removed.extend(&change.observed);
    }

    /// Whether nobody gave any.
    pub(in crate::crdt) fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    pub(in crate::crdt) fn in_order(self) -> BTreeMap<Path, Vec<Formed>> {
        let mut by_place: BTreeMap<Path, Vec<Formed>> = BTreeMap::new();
        for ((at, _), mut given) in self.given {
            for above in (0..=at.steps().len()).filter(|_| !self.removed.is_empty()) {
                let above = at.steps().iter().take(above).cloned().collect();
                let Some(seen) = self.removed.get(&above) else {
                    continue;
                };
                given.retain(|(formed, _)| {
                    let stamp = formed.stamp;
                    stamp.is_none_or(|stamp| !seen.has_stamp(stamp))
                });
            }
            if !given.is_empty() {
                by_place.entry(at).or_default().extend(in_order(given));
            }
        }
        by_place
    }
}

fn in_order(mut given: Given) -> Vec<Formed> {
    given.sort_by(|(a, _), (b, _)| (a.stamp, &a.form).cmp(&(b.stamp, &b.form)));
    given.dedup_by(|(a, _), (b, _)| a == b);
    let mut ordered = Vec::with_capacity(given.len());
    while !given.is_empty() {
        let is_next = |(_, observed): &(Formed, Observed)| {
            !given
                .iter()
                .any(|(other, _)| other.stamp.is_some_and(|stamp| observed.has_stamp(stamp)))
        };
        // Clocks that disagree cannot make a circle of what was seen; were there one, the earliest stamp breaks it.
        let next = given.iter().position(is_next).unwrap_or_default();
        ordered.push(given.remove(next).0);
    }
    ordered
}
