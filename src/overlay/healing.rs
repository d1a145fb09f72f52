//! What a merge that was made without the driver lost or mixed, told from the text that the driver would have made, and put
//! right in what stands now.
//!
//! Each place at which the two differ is judged by itself. It is to be put right if nobody decided on it: lines were merged
//! there and nobody settled anything, and it stands as the merge left it. Where records stand in a list is no difference:
//! merges of lines and of records order what is new differently, and lose nothing by it.

use std::collections::BTreeSet;

use super::render::{Unrendered, find, forms, render};
use super::selection::{RULES, seen_together};
use crate::context::{Types, lift};
use crate::crdt::{Act, Atom, Change, Document, Edit, Found, Map, Node, Path, Record, Step};
use crate::yaml;

/// What became of a place since a merge got it wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Nobody decided on it: it is to be put right.
    Lost,
    /// It is not what a merge of lines makes of it either: whoever committed the merge wanted it so.
    Decided,
    /// It was changed after the merge.
    Changed,
}

/// A place that a merge got wrong.
#[derive(Clone, Debug)]
pub struct Loss {
    /// What became of it since.
    pub fate: Fate,
    /// What the merge left there.
    pub from: Held,
    /// What belongs there.
    pub to: Held,
    change: Change,
}

/// What stands at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// Nothing.
    Nothing,
    /// A value, a list or more.
    Node(Node),
    /// A record.
    Record(Record),
    /// A value that is kept as one that lost; none for a deletion.
    Loser(Option<Atom>),
}

impl Loss {
    /// Where it is.
    #[must_use]
    pub fn at(&self) -> &Path {
        &self.change.at
    }
}

/// A merge that was made without the driver, and the same made with it.
#[derive(Debug)]
pub struct MadeTwice<'d> {
    /// The text that was committed.
    pub held: &'d yaml::Document,
    /// The texts that the driver makes: two where places are left to people, one for each side.
    pub right: &'d [yaml::Document],
    /// The texts that merges of lines make: for each way of doing that one in which all marked places are as one side has
    /// them, and one in which they are as the other has.
    pub by_lines: &'d [[yaml::Document; 2]],
    /// Whether the text that was committed is just what a machine makes of lines.
    pub is_by_machine: bool,
}

/// What stands now, and what stood there since the merge.
#[derive(Debug)]
pub struct Since<'d> {
    /// The text now.
    pub now: &'d yaml::Document,
    /// Versions from after the merge.
    pub versions: &'d [Document],
}

impl MadeTwice<'_> {
    /// The places that the merge got wrong and that are not right by now, in the order of the document.
    #[must_use]
    pub fn losses(&self, since: &Since<'_>, types: &Types) -> Vec<Loss> {
        let Some((right, others)) = self.right.split_first() else {
            return Vec::new();
        };
        let (held, right) = (lift(self.held), lift(right));
        let others: Vec<Document> = others.iter().map(lift).collect();
        let by_lines: Vec<[Document; 2]> = self
            .by_lines
            .iter()
            .map(|[ours, theirs]| [lift(ours), lift(theirs)])
            .collect();
        let now = lift(since.now);
        let is_decided = |at: &Path| {
            let place = Place::of(&held, at);
            let is_as_held = |made: &Document| Place::of(made, at).is_like(&place);
            !self.is_by_machine && !by_lines.iter().any(|sides| sides.iter().all(is_as_held))
        };
        let is_changed = |at: &Path| {
            let place = Place::of(&held, at);
            let mut stood = since.versions.iter().chain([&now]);
            stood.any(|version| !Place::of(version, at).is_like(&place))
        };
        let mut losses: Vec<Loss> = RULES
            .edits_counting(&held, &right, &|at| types.counts(at))
            .into_iter()
            .flat_map(|edit| edit.changes)
            .filter(|change| {
                let is_left_open = |other: &Document| {
                    !Place::of(other, &change.at).is_like(&Place::of(&right, &change.at))
                };
                !others.iter().any(is_left_open)
            })
            .filter_map(|change| Some((held_at(&held, &right, &change)?, change)))
            .map(|((from, to), change)| Loss {
                fate: match (is_changed(&change.at), is_decided(&change.at)) {
                    (true, _) => Fate::Changed,
                    (false, true) => Fate::Decided,
                    (false, false) => Fate::Lost,
                },
                from,
                to,
                change,
            })
            .collect();
        losses.retain(|loss| {
            let is_right = || {
                let [now, right] = [&now, &right].map(|document| Place::of(document, loss.at()));
                now.is_like(&right)
            };
            let is_loser = matches!(loss.change.act, Act::Lose(_));
            loss.fate != Fate::Changed || !(is_loser || is_right())
        });
        together(&mut losses);
        keep_losers_of_the_lost(&mut losses);
        losses
    }

    /// What stands now with these losses put right.
    ///
    /// # Errors
    /// When it cannot be written down in the form that the file has.
    pub fn healed(&self, now: &yaml::Document, losses: &[&Loss]) -> Result<String, Unrendered> {
        let document = lift(now);
        let changes: Vec<Change> = losses
            .iter()
            .map(|loss| {
                let at = named_in(&document, &loss.change.at);
                Change {
                    observed: match loss.change.act {
                        Act::Lose(_) | Act::Count(_) => loss.change.observed.clone(),
                        _ => RULES.observed(&document, &at),
                    },
                    at,
                    act: loss.change.act.clone(),
                }
            })
            .collect();
        let rendered = |forms: Vec<Change>| {
            let mut changes = changes.clone();
            changes.extend(forms);
            let edit = Edit {
                stamp: None,
                changes,
            };
            render(now, &document, &RULES.view(&document, &[edit]))
        };
        // Comments and the manner of writing come along where they can.
        match self.forms_at(losses) {
            forms if forms.is_empty() => rendered(forms),
            forms => rendered(forms).or_else(|_| rendered(Vec::new())),
        }
    }

    /// How what was lost is written where it was not.
    fn forms_at(&self, losses: &[&Loss]) -> Vec<Change> {
        let Some(right) = self.right.first() else {
            return Vec::new();
        };
        let base = lift(self.held);
        let mut forms = forms(self.held, &base, &lift(right), self.held, right).unwrap_or_default();
        let places: BTreeSet<Path> = losses.iter().map(|loss| loss.at().as_born()).collect();
        forms.retain(|form| {
            let starts_with = |at: &Path| form.at.steps().starts_with(at.steps());
            places.iter().any(starts_with)
        });
        forms
    }
}

/// Where a place is in a text, which holds `document`: the entry or, where there is none, what is around it.
#[must_use]
pub fn position(text: &yaml::Document, document: &Document, at: &Path) -> (usize, usize) {
    let mut at = Some(named_in(document, at));
    while let Some(place) = at {
        if let Some(entry) = find(text, document, &place) {
            return text.position(entry.data().start);
        }
        at = place.around();
    }
    (1, 1)
}

/// What a change takes away and what it brings; nothing for one that nobody would call a loss.
fn held_at(held: &Document, right: &Document, change: &Change) -> Option<(Held, Held)> {
    let stands = |document: &Document| match Place::of(document, &change.at) {
        Place::Node(node) => Held::Node(node.clone()),
        Place::Record(record) => Held::Record(record.clone()),
        Place::Nothing | Place::Nowhere(_) => Held::Nothing,
    };
    match &change.act {
        Act::Lose(value) => Some((Held::Nothing, Held::Loser(value.clone()))),
        Act::Move { .. } | Act::Settle(_) | Act::Form(_) => None,
        Act::Add { record, .. } => Some((Held::Nothing, Held::Record(record.clone()))),
        Act::Remove => Some((stands(held), Held::Nothing)),
        Act::Write(_) | Act::Replace(_) | Act::Count(_) | Act::Raise(_) | Act::Last(_) => {
            Some((stands(held), stands(right)))
        }
    }
}

/// Fields that change together are put right together, or not at all; and where all that differs of one is its stamp there is
/// nothing to be put right.
fn together(losses: &mut Vec<Loss>) {
    let is_value = |loss: &Loss| !matches!(loss.change.act, Act::Lose(_));
    for index in 0..losses.len() {
        let Some(loss) = losses.get(index).filter(|loss| is_value(loss)) else {
            continue;
        };
        let places = seen_together(loss.at());
        let with = losses.iter().filter(|loss| is_value(loss));
        let fates = with.filter(|one| places.contains(one.at()));
        if let Some(fate) = fates.map(|one| one.fate).max()
            && let Some(loss) = losses.get_mut(index)
        {
            loss.fate = fate;
        }
    }
    losses.retain(|loss| {
        let is_same = match (&loss.from, &loss.to) {
            (Held::Node(from), Held::Node(to)) => from.says_the_same_as(to),
            (from, to) => from == to,
        };
        !is_same
    });
}

/// What lost is kept beside what is put right; alone it is nothing that a merge of lines loses.
fn keep_losers_of_the_lost(losses: &mut Vec<Loss>) {
    let is_loser = |loss: &Loss| matches!(loss.change.act, Act::Lose(_));
    let lost: BTreeSet<Path> = losses
        .iter()
        .filter(|loss| !is_loser(loss) && loss.fate == Fate::Lost)
        .flat_map(|loss| seen_together(loss.at()))
        .collect();
    losses.retain(|loss| !is_loser(loss) || lost.iter().any(|at| at.meets(loss.at())));
}

/// What stands at a place, found by what records are called.
enum Place<'d> {
    /// Nothing, and so much of the way is there.
    Nowhere(usize),
    /// Nothing, in what is there.
    Nothing,
    Node(&'d Node),
    Record(&'d Record),
}

impl<'d> Place<'d> {
    fn of(document: &'d Document, at: &Path) -> Self {
        let mut map: Option<&Map> = Some(&document.root);
        let mut records: Option<&[Record]> = None;
        let mut place = Self::Nothing;
        for (index, step) in at.steps().iter().enumerate() {
            let is_last = index + 1 == at.steps().len();
            place = match step {
                Step::Entry(name) => match map.map(|map| map.get(name)) {
                    None => return Self::Nowhere(index),
                    Some(None) if is_last => Self::Nothing,
                    Some(None) => return Self::Nowhere(index),
                    Some(Some(node)) => Self::Node(node),
                },
                Step::Record(name, _) => {
                    let Some(records) = records else {
                        return Self::Nowhere(index);
                    };
                    match records.iter().find(|record| record.name == *name) {
                        None if is_last => Self::Nothing,
                        None => return Self::Nowhere(index),
                        Some(record) => Self::Record(record),
                    }
                }
            };
            (map, records) = match place {
                Self::Node(Node::Map(map)) => (Some(map), None),
                Self::Node(Node::Set(records)) => (None, Some(records.as_slice())),
                // Whether an empty list is one of records nobody can see.
                Self::Node(Node::List(members, _)) if members.is_empty() => (None, Some(&[][..])),
                Self::Record(record) => (Some(&record.fields), None),
                _ => (None, None),
            };
        }
        place
    }

    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nowhere(a), Self::Nowhere(b)) => a == b,
            (Self::Nothing, Self::Nothing) => true,
            (Self::Node(a), Self::Node(b)) => a.says_the_same_as(b),
            (Self::Record(a), Self::Record(b)) => {
                Node::Map(a.fields.clone()).says_the_same_as(&Node::Map(b.fields.clone()))
            }
            _ => false,
        }
    }
}

/// A place as a document names it, which is found by what records are called.
fn named_in(document: &Document, at: &Path) -> Path {
    let mut named = Path::default();
    for step in at.steps() {
        let exact = named.then(step.clone());
        named = match (step, document.found(&named)) {
            (Step::Record(name, _), Some(Found::Node(Node::Set(records)))) => {
                let found = records.called(name).next();
                found.map_or(exact, |(_, record)| named.record(record))
            }
            _ => exact,
        };
    }
    named
}
