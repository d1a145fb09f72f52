//! The living document: what [`Rules::view`] shows, kept up to date edit by edit.
//!
//! It holds the document that the edits were made on and what was done to it since, less what was superseded: what it takes is
//! bounded by what the document holds and by what was removed from it, not by the number of edits. Edits come in any order and any number
//! of times. What it shows is what the view from scratch shows over the same edits; a test says so for any script of any
//! number of replicas (`tests/documents/living.rs`).
//!
//! The one requirement is that edits observe transitively, as all do that are made by [`Rules::edits`] or here: who saw a
//! value saw all that it superseded. Then what is superseded can be forgotten, but for its stamp. An edit that is taken back
//! leaves another set behind, in which what it superseded stands again: that is a living document of its own.
//!
//! `table.rs` is the records of a list, `placing.rs` their order, `kept.rs` the ways in which a record is kept. In which nothing is
//! contested is one run of bytes: `row.rs`, with its fields (`cell.rs`) and their values (`value.rs`); `holding.rs` says what can be
//! held so, `writing.rs` what edits do to it. `units.rs` is what is contested or nested, kept as edits and viewed from
//! scratch, place by place. `making.rs` makes edits, `showing.rs` and `reading.rs` read, `saved.rs` is all of it as
//! bytes, `bytes.rs` numbers and texts in them, `names.rs` the names of fields.

mod bytes;
mod cell;
mod holding;
mod kept;
mod making;
mod names;
mod placing;
mod reading;
mod row;
#[cfg(feature = "node")]
mod saved;
mod showing;
mod table;
#[cfg(test)]
mod tests;
mod units;
mod value;
mod writing;

use std::collections::{BTreeMap, HashSet};

use super::document::{Document, Loser, Map, Node, Path, Stamps, Step};
use super::edit::{Act, Change, Edit};
use super::view::{Forms, Touch, Viewing, choose};
use super::{Digest, Rules, Stamp, StampSet};

pub use making::Made;
use names::Names;
pub use reading::Standing;
#[cfg(feature = "node")]
pub use saved::Damaged;
use table::{Around, Table};
use units::Touches;
pub use value::{Content, Members, Value};

/// A document that edits are added to.
#[derive(Clone, Debug)]
pub struct Living<'r> {
    rules: Rules<'r>,
    root: BTreeMap<String, Slot>,
    names: Names,
    /// What the edits were made on, less what stands in it.
    frame: Document,
    /// Changes that settle or form something, or say what lost, with the stamps of their edits.
    beside: Vec<(Option<Stamp>, Change)>,
    edits: usize,
    scratch: Vec<u8>,
}

/// An entry of the root.
#[derive(Clone, Debug)]
enum Slot {
    /// Records.
    Table(Table),
    /// Anything else, or records of which the whole list was edited.
    Open {
        base: Option<Node>,
        touches: Touches,
    },
}

impl<'r> Living<'r> {
    /// A document to which nobody has done anything yet.
    #[must_use]
    pub fn new(rules: Rules<'r>, base: Document) -> Self {
        let mut living = Self {
            rules,
            root: BTreeMap::new(),
            names: Names::default(),
            frame: Document {
                root: Map::new(),
                ..base
            },
            beside: Vec::new(),
            edits: 0,
            scratch: Vec::new(),
        };
        for (name, node) in base.root {
            let slot = match node {
                Node::Set(records) => {
                    let counting = living.counting(&name);
                    let (_, mut around) = living.parts(0, false, false);
                    Slot::Table(Table::of_base(&records, &counting, &mut around))
                }
                node => Slot::Open {
                    base: Some(node),
                    touches: Touches::default(),
                },
            };
            living.root.insert(name, slot);
        }
        living
    }

    /// The records of a list in which something counts, by their names and births.
    fn counting(&self, list: &str) -> HashSet<(String, Digest)> {
        let records = self.frame.amounts.keys().filter_map(|at| match at.steps() {
            [Step::Entry(entry), Step::Record(name, birth), ..] if entry == list => {
                Some((name.said().to_owned(), *birth))
            }
            _ => None,
        });
        records.collect()
    }

    fn parts(
        &mut self,
        edit: usize,
        has_losers: bool,
        in_group: bool,
    ) -> (&mut BTreeMap<String, Slot>, Around<'_>) {
        let around = Around {
            rules: &self.rules,
            names: &mut self.names,
            scratch: &mut self.scratch,
            has_losers,
            edit,
            last_edit: &mut self.edits,
            in_group,
        };
        (&mut self.root, around)
    }

    /// Adds an edit. One that is known already changes nothing.
    pub fn apply(&mut self, edit: &Edit) {
        self.edits += 1;
        let number = self.edits;
        for change in &edit.changes {
            match &change.act {
                Act::Lose(_) => {
                    self.keep_beside(edit.stamp, change);
                    self.touch(number, edit, change, true);
                }
                Act::Settle(_) | Act::Form(_) => self.keep_beside(edit.stamp, change),
                Act::Write(_) if !self.frame.losers.is_empty() => {
                    let mut left = self.frame.losers.clone();
                    choose(&mut left, change);
                    if left != self.frame.losers {
                        self.keep_beside(edit.stamp, change);
                    }
                    self.touch(number, edit, change, false);
                }
                _ => self.touch(number, edit, change, false),
            }
        }
    }

    fn keep_beside(&mut self, stamp: Option<Stamp>, change: &Change) {
        let known = |(other, known): &(Option<Stamp>, Change)| *other == stamp && known == change;
        if !self.beside.iter().any(known) {
            self.beside.push((stamp, change.clone()));
        }
    }

    /// Something was done in a place; or it was said what lost there, to which rows have no answer.
    fn touch(&mut self, number: usize, edit: &Edit, change: &Change, only_opens: bool) {
        let [Step::Entry(entry), rest @ ..] = change.at.steps() else {
            return;
        };
        let has_losers = matches!(change.act, Act::Remove) && self.has_lost_in(&change.at);
        let in_group = is_in_group(&self.rules, edit, &change.at);
        let (root, mut around) = self.parts(number, has_losers, in_group);
        if only_opens {
            if let (Some(Slot::Table(table)), [Step::Record(name, birth), ..]) =
                (root.get_mut(entry), rest)
            {
                table.open_known(name, *birth, &mut around);
            }
            return;
        }
        let is_birth = matches!(change.act, Act::Add { .. }) && rest.len() == 1;
        if is_birth && !root.contains_key(entry) {
            root.insert(entry.clone(), Slot::Table(Table::new()));
        }
        let slot = root.entry(entry.clone()).or_insert_with(|| Slot::Open {
            base: None,
            touches: Touches::default(),
        });
        if let (Slot::Table(table), [Step::Record(name, birth), rest @ ..]) = (&mut *slot, rest) {
            table.apply(change, name, *birth, rest, edit.stamp, &mut around);
            return;
        }
        if let Slot::Table(table) = slot {
            let (base, touches) = std::mem::take(table).into_history(&mut around);
            let mut kept = Touches::default();
            touches.into_iter().for_each(|touch| kept.push(touch));
            *slot = Slot::Open {
                base,
                touches: kept,
            };
        }
        if let Slot::Open { touches, .. } = slot {
            touches.push(Touch {
                rest: rest.to_vec(),
                act: change.act.clone(),
                observed: change.observed.clone(),
                stamp: edit.stamp,
                edit: number,
            });
        }
    }

    /// Whether something lost in a place, by what is known so far.
    fn has_lost_in(&self, at: &Path) -> bool {
        let is_in = |other: &Path| other.steps().starts_with(at.steps());
        let told =
            |(_, change): &(_, Change)| matches!(change.act, Act::Lose(_)) && is_in(&change.at);
        self.frame.losers.keys().any(|loser| is_in(&loser.at)) || self.beside.iter().any(told)
    }

    /// What is shown.
    #[must_use]
    pub fn document(&self) -> Document {
        let mut viewing = Viewing {
            rules: &self.rules,
            losers: self.losers(),
            removed: self.frame.removed.clone(),
            amounts: self.frame.amounts.clone(),
        };
        let mut root = Map::new();
        for (name, slot) in &self.root {
            let at = Path::default().entry(name);
            let node = match slot {
                Slot::Table(table) => table.view(&mut viewing, &self.names, &at),
                Slot::Open { base, touches } if touches.iter().next().is_none() => base.clone(),
                Slot::Open { base, touches } => viewing.node(base.as_ref(), touches.cloned(), &at),
            };
            root.extend(node.map(|node| (name.clone(), node)));
        }
        self.settle(&mut viewing.losers);
        Document {
            root,
            losers: viewing.losers,
            removed: viewing.removed,
            amounts: viewing.amounts,
            superseded: self.superseded(),
            typed_over: self.frame.typed_over.clone(),
            forms: self.forms(),
        }
    }

    /// Leaves out what was settled.
    fn settle(&self, losers: &mut BTreeMap<Loser, Stamps>) {
        for (_, change) in &self.beside {
            if let Act::Settle(value) = &change.act {
                losers.remove(&Loser {
                    at: change.at.clone(),
                    value: value.clone(),
                });
            }
        }
    }

    /// What lost before, and what edits say that lost, less what was settled.
    fn losers(&self) -> BTreeMap<Loser, Stamps> {
        let mut losers = self.frame.losers.clone();
        for (_, change) in &self.beside {
            choose(&mut losers, change);
        }
        for (stamp, change) in &self.beside {
            if let Act::Lose(value) = &change.act {
                let loser = Loser {
                    at: change.at.clone(),
                    value: value.clone(),
                };
                losers.entry(loser).or_default().extend(*stamp);
            }
        }
        self.settle(&mut losers);
        losers
    }

    /// What is kept of all edits, one by one.
    fn kept(&self, mut each: impl FnMut(Path, &Touch)) {
        for (name, slot) in &self.root {
            let at = Path::default().entry(name);
            match slot {
                Slot::Table(table) => table.kept(&self.rules, &self.names, &at, &mut each),
                Slot::Open { touches, .. } => {
                    for touch in touches.iter() {
                        each(
                            at.steps().iter().chain(&touch.rest).cloned().collect(),
                            touch,
                        );
                    }
                }
            }
        }
    }

    /// What the edits that are kept superseded.
    fn superseded(&self) -> BTreeMap<Stamp, BTreeMap<Path, StampSet>> {
        let mut superseded = self.frame.superseded.clone();
        let mut add = |stamp: Option<Stamp>, at: &Path, stamps: &StampSet| {
            if let Some(stamp) = stamp.filter(|_| !stamps.is_empty()) {
                let places = superseded.entry(stamp).or_default();
                places.entry(at.as_born()).or_default().union(stamps);
            }
        };
        self.kept(|at, touch| add(touch.stamp, &at, touch.observed.stamps()));
        for (stamp, change) in &self.beside {
            add(*stamp, &change.at, change.observed.stamps());
        }
        superseded
    }

    fn forms(&self) -> BTreeMap<Path, Vec<super::Formed>> {
        let mut forms = Forms::of(&self.frame);
        for (stamp, change) in &self.beside {
            if let Act::Form(form) = &change.act {
                forms.add(change, form, *stamp);
            }
        }
        if !forms.is_empty() {
            self.kept(|at, touch| {
                if touch.act == Act::Remove {
                    forms.remove(&Change {
                        at,
                        act: Act::Remove,
                        observed: touch.observed.clone(),
                    });
                }
            });
        }
        forms.in_order()
    }
}

/// Whether an edit changes several of the fields of a record that change together, of which this is one.
fn is_in_group(rules: &Rules<'_>, edit: &Edit, at: &Path) -> bool {
    let [record @ .., Step::Entry(field)] = at.steps() else {
        return false;
    };
    let Some(group) = rules
        .groups
        .iter()
        .find(|group| group.contains(&field.as_str()))
    else {
        return false;
    };
    edit.changes.iter().any(|other| match other.at.steps() {
        [around @ .., Step::Entry(name)] => {
            around == record && name != field && group.contains(&name.as_str())
        }
        _ => false,
    })
}
