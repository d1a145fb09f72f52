//! A look at a file: what it shows of what is known, and what somebody edited in it.

use std::collections::BTreeMap;

use super::effect::{names, shows};
use super::selection::{Judged, RULES, as_named_in, open_changes};
use crate::crdt::{Act, Change, Document, Found, Node, Path, Record, Stamp};

/// Whether a file shows an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Its stamp stands there.
    Named,
    /// What it did stands there, or what another edit did that is shown there and saw it.
    Seen,
    /// Nothing of it.
    Gone,
}

/// How a file shows each of `edits`, of those changes that HEAD does not contain. What `head` shows as well is no sign of
/// an edit.
#[must_use]
pub fn sights(file: &Document, head: &Document, edits: &[Judged<'_>]) -> Vec<Sight> {
    let mut sights: Vec<Sight> = edits
        .iter()
        .map(|judged| {
            let mut sight = Sight::Gone;
            for change in open_changes(judged) {
                if names(file, change, judged.known.stamp) {
                    return Sight::Named;
                }
                if shows(file, change, judged.known.stamp)
                    && !shows(head, change, judged.known.stamp)
                {
                    sight = Sight::Seen;
                }
            }
            sight
        })
        .collect();
    let shown: Vec<&Judged<'_>> = edits
        .iter()
        .zip(&sights)
        .filter_map(|(judged, sight)| (*sight != Sight::Gone).then_some(judged))
        .collect();
    let saw = |stamp: Stamp| {
        let mut changes = shown.iter().flat_map(|judged| open_changes(judged));
        changes.any(|change| change.observed.has_stamp(stamp))
    };
    for (judged, sight) in edits.iter().zip(&mut sights) {
        if *sight == Sight::Gone && saw(judged.known.stamp) {
            *sight = Sight::Seen;
        }
    }
    sights
}

/// What was edited in a file, in one edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its stamp, where that stands in the file; the stamp of any other one is told to nobody but the store and the peers.
    pub stamp: Option<Stamp>,
    /// What it changed.
    pub changes: Vec<Change>,
}

/// What is known of a stamp that stands beside a change in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Familiar {
    /// It was made here for just this.
    Fresh,
    /// The change is that of a known edit.
    Known,
    /// Its edit is not known, or is over: taken back, or part of the history.
    Foreign,
}

/// What was edited in `file`, which its writer had read as `read`; `view` is what is shown of the known edits: each edit
/// observed what stands there.
#[must_use]
pub fn findings(
    read: &Document,
    view: &Document,
    file: &Document,
    familiar: &dyn Fn(Stamp, &Change) -> Familiar,
) -> Vec<Finding> {
    let mut found = Vec::new();
    // Each record's by themselves: they can be committed, and taken back, one by one.
    let mut unnamed: BTreeMap<Path, Vec<Change>> = BTreeMap::new();
    for edit in RULES.edits(read, file) {
        let mut named = Vec::new();
        for mut change in edit.changes {
            if !matches!(change.act, Act::Add { .. }) {
                change.at = as_named_in(view, &change.at, &|_| false);
            }
            let stamp = edit.stamp.map(|stamp| (stamp, familiar(stamp, &change)));
            let mut observed = change.observed.clone();
            if !matches!(
                change.act,
                Act::Move { .. } | Act::Lose(_) | Act::Settle(_) | Act::Form(_)
            ) {
                observed.extend(&RULES.observed(view, &change.at));
            }
            let changes = match stamp {
                Some((_, Familiar::Known)) => continue,
                Some((_, Familiar::Fresh)) => &mut named,
                Some((stamp, Familiar::Foreign)) => {
                    if observed.has_stamp(stamp) && shows(view, &change, stamp) {
                        continue;
                    }
                    observed.add_stamp(stamp);
                    unnamed.entry(change.at.outermost_record()).or_default()
                }
                None => unnamed.entry(change.at.outermost_record()).or_default(),
            };
            change.observed = observed;
            changes.push(change);
        }
        if !named.is_empty() {
            found.push(Finding {
                stamp: edit.stamp,
                changes: named,
            });
        }
    }
    found.extend(unnamed.into_values().map(|changes| Finding {
        stamp: None,
        changes,
    }));
    found
}

/// How many edits these are, as people count them: leaves that changed, records that came and went.
#[must_use]
pub fn count(read: &Document, findings: &[Finding]) -> usize {
    let counts = |change: &&Change| match &change.act {
        Act::Add { .. } => true,
        Act::Write(_) | Act::Replace(_) | Act::Remove => !stood(read, change),
        _ => false,
    };
    let changes = findings.iter().flat_map(|finding| &finding.changes);
    changes.filter(counts).count()
}

/// Whether what a change writes stood there before: it was written again along with what it belongs to.
fn stood(read: &Document, change: &Change) -> bool {
    match (read.found(&change.at), &change.act) {
        (Some(Found::Node(Node::Register(there, _))), Act::Write(value)) => there == value,
        (Some(Found::Node(Node::List(there, _))), Act::Replace(members)) => there == members,
        (None, Act::Remove) => true,
        _ => false,
    }
}

/// More was deleted from a list than people delete at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MassDeletion {
    /// The list.
    pub list: String,
    /// How many of its records are gone.
    pub gone: usize,
    /// Of how many.
    pub of: usize,
}

/// The fewest records of a list of which a deletion can be suspicious.
const SUSPICIOUS_FROM: usize = 20;

/// Whether more than half of a long list is gone.
#[must_use]
pub fn mass_deletion(read: &Document, findings: &[Finding]) -> Option<MassDeletion> {
    let mut gone: BTreeMap<Path, usize> = BTreeMap::new();
    for change in findings.iter().flat_map(|finding| &finding.changes) {
        let list = change.at.around();
        if change.act == Act::Remove
            && let (Some(Found::Record(..)), Some(list)) = (read.found(&change.at), list)
        {
            *gone.entry(list).or_default() += 1;
        }
    }
    gone.into_iter().find_map(|(list, gone)| {
        let of = match read.found(&list) {
            Some(Found::Node(Node::Set(records))) => records.len(),
            _ => 0,
        };
        let list = list.to_string();
        (of >= SUSPICIOUS_FROM && gone * 2 > of).then_some(MassDeletion { list, gone, of })
    })
}

/// Whether `file` was written by somebody who had read `earlier` and did not know of what came between that and `current`:
/// nothing of what the two differ in is shown by it, and something of that stands as it was. So what came between was not
/// undone. `is_foreign` tells whose edits came between: what others did is never undone without being seen.
#[must_use]
pub fn was_read_before(
    earlier: &Document,
    current: &Document,
    file: &Document,
    is_foreign: &dyn Fn(Stamp) -> bool,
) -> bool {
    let between: Vec<(Option<Stamp>, Change)> = RULES
        .edits(earlier, current)
        .into_iter()
        .flat_map(|edit| {
            edit.changes
                .into_iter()
                .map(move |change| (edit.stamp, change))
        })
        .filter(|(_, change)| !stood(earlier, change))
        .collect();
    let unseen = |(stamp, change): &(Option<Stamp>, Change)| match stamp {
        Some(stamp) => !shows(file, change, *stamp),
        None => same_there(earlier, file, change),
    };
    let untouched = |(_, change): &(Option<Stamp>, Change)| same_there(earlier, file, change);
    let others = |(stamp, _): &(Option<Stamp>, Change)| stamp.is_some_and(is_foreign);
    !between.is_empty()
        && between.iter().all(unseen)
        && between.iter().any(untouched)
        && (between.iter().all(others) || !RULES.edits(earlier, file).is_empty())
}

/// Whether both hold the same in the place of a change.
fn same_there(a: &Document, b: &Document, change: &Change) -> bool {
    match (a.found(&change.at), b.found(&change.at)) {
        (None, None) => true,
        (Some(Found::Node(Node::Register(a, _))), Some(Found::Node(Node::Register(b, _)))) => {
            a == b
        }
        (Some(Found::Node(Node::List(a, _))), Some(Found::Node(Node::List(b, _)))) => a == b,
        (Some(Found::Record(_, a, at_a)), Some(Found::Record(_, b, at_b))) => {
            let behind = |records: &[Record], index: usize| {
                let before = index.checked_sub(1).and_then(|index| records.get(index));
                before.map(|record| record.name.clone())
            };
            !matches!(change.act, Act::Move { .. }) || behind(a, at_a) == behind(b, at_b)
        }
        (Some(Found::Node(a)), Some(Found::Node(b))) => a == b,
        _ => false,
    }
}
