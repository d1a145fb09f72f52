//! What a commit that was made here changed before anybody looked, of which no edit is known.

use std::collections::BTreeSet;

use super::is_seen;
use crate::context::Types;
use crate::crdt::{
    self, Act, Change, Edit, Found, Loser, Node, Path as Place, Record, Stamp, Stamps,
};
use crate::overlay::{RULES, as_named_in, as_typed, is_left, loser_in, stamps_of};
use crate::replica::document::Standing;
use crate::store::{self, Mark};

/// What is told of edits by their stamps.
pub(super) struct Told<'t> {
    /// Whether it is one of the document's.
    pub(super) is_known: &'t dyn Fn(Stamp) -> Result<bool, store::Error>,
    /// Whether whoever made a commit had read of it, if it was shown.
    pub(super) is_read: &'t dyn Fn(&Stamp) -> bool,
}

/// What a commit changed of which no edit is known; `held` are those that its parent contains, of which some may be missing among
/// `all`.
pub(super) fn unrecorded(
    all: &[Standing],
    held: &BTreeSet<Stamp>,
    before: &crdt::Document,
    after: &crdt::Document,
    types: &Types,
    told: &Told<'_>,
) -> Result<Vec<Change>, store::Error> {
    let Told { is_known, is_read } = told;
    // What the file was seen to show before it was committed is known, and so is what an amended commit had.
    let mut seen: Vec<&Change> = all
        .iter()
        .filter(|edit| is_seen(edit) && !held.contains(&edit.known.stamp))
        .flat_map(Standing::changes)
        .collect();
    let mut unrecorded = Vec::new();
    // What lost to an edit that is known is no edit.
    let lost_to_known = |change: &Change| {
        let Act::Lose(value) = &change.act else {
            return Ok(false);
        };
        let loser = Loser {
            at: change.at.clone(),
            value: value.clone(),
        };
        let Some(stamps) = after.losers.get(&loser).filter(|stamps| !stamps.is_empty()) else {
            return Ok(false);
        };
        for stamp in stamps {
            if !is_known(*stamp)? {
                return Ok(false);
            }
        }
        Ok(true)
    };
    for edit in RULES.edits_of_the_same(before, after, &|at| types.counts(at)) {
        if let Some(stamp) = edit.stamp
            && is_known(stamp)?
        {
            continue;
        }
        for mut change in edit.changes {
            // Of an amount nothing would tell in which commits it is: it travels with them alone.
            if matches!(change.act, Act::Count(_)) || lost_to_known(&change)? {
                continue;
            }
            as_typed(&mut change.act, types.at(&change.at));
            let same = |known: &&&Change| {
                does_the_same(&known.act, &change.act)
                    && (known.at == change.at
                        || as_named_in(before, &known.at, &|_| false) == change.at)
            };
            if let Some(known) = seen.iter().position(|known| same(&known)) {
                seen.swap_remove(known);
                continue;
            }
            if let Some(stamp) = edit.stamp {
                change.observed.add_stamp(stamp);
            }
            // What the file showed there when it was edited was seen, whatever the commit before holds.
            let was_read = |edit: &&Standing| edit.has(Mark::Shown) && is_read(&edit.known.stamp);
            for shown in all.iter().filter(was_read) {
                let there = |shown: &&Change| shown.at.steps().starts_with(change.at.steps());
                // What the commit says that lost was not replaced.
                let is_kept = |shown_change: &&Change| {
                    let loser = loser_in(after, shown_change);
                    let stamps = loser.and_then(|loser| after.losers.get(&loser));
                    stamps.and_then(Stamps::last) >= Some(&shown.known.stamp)
                };
                for seen in shown
                    .changes()
                    .iter()
                    .filter(there)
                    .filter(|seen| !is_kept(seen))
                {
                    change.observed.add_stamp(shown.known.stamp);
                    change.observed.extend(&seen.observed);
                }
            }
            unrecorded.push(change);
        }
    }
    if !unrecorded.is_empty() {
        // What a known edit brought with the stamp of another one is not told by its own.
        let view = shown_over(before, all, held);
        let is_value = |change: &Change| matches!(change.act, Act::Write(_) | Act::Replace(_));
        unrecorded.retain(|change| !(is_value(change) && is_left(&view, after, change)));
    }
    Ok(unrecorded)
}

/// Whether two versions have a record that says the same in both.
pub(super) fn same_record(a: &crdt::Document, b: &crdt::Document, at: &Place) -> bool {
    match (a.found(at), b.found(at)) {
        (Some(Found::Record(a, ..)), Some(Found::Record(b, ..))) => {
            let fields = |record: &Record| Node::Map(record.fields.clone());
            fields(a).says_the_same_as(&fields(b))
        }
        _ => false,
    }
}

/// What the edits that were shown when a commit was made show over the commit before.
fn shown_over(before: &crdt::Document, all: &[Standing], held: &BTreeSet<Stamp>) -> crdt::Document {
    let shown = all
        .iter()
        .filter(|edit| edit.has(Mark::Shown) && !held.contains(&edit.known.stamp));
    let edits: Vec<Edit> = shown
        .map(|edit| Edit {
            stamp: Some(edit.known.stamp),
            changes: edit.changes().to_vec(),
        })
        .collect();
    RULES.view(before, &edits)
}

/// What was typed over what edits show in records that a commit brings with them: the stamps of those, which stand in the text,
/// tell that whoever typed had read of them.
pub(super) fn typed_over(
    all: &[Standing],
    held: &BTreeSet<Stamp>,
    before: &crdt::Document,
    after: &crdt::Document,
    named: &BTreeSet<Stamp>,
    types: &Types,
) -> Vec<Change> {
    let is_brought = |change: &Change| {
        let Act::Add { record, .. } = &change.act else {
            return false;
        };
        let is_named = record
            .birth
            .stamp
            .is_some_and(|birth| named.contains(&birth));
        is_named && before.found(&change.at).is_none() && after.found(&change.at).is_some()
    };
    let seen = all
        .iter()
        .filter(|edit| edit.has(Mark::Shown) && !held.contains(&edit.known.stamp));
    let adds = seen
        .flat_map(Standing::changes)
        .filter(|change| is_brought(change));
    let brought: Vec<&Place> = adds.map(|change| &change.at).collect();
    if brought.is_empty() {
        return Vec::new();
    }
    let is_inside = |at: &Place| {
        let mut around = brought
            .iter()
            .filter(|record| record.steps().len() < at.steps().len());
        around.any(|record| at.steps().starts_with(record.steps()))
    };
    let view = shown_over(before, all, held);
    let typed = RULES.edits_of_the_same(&view, after, &|at| types.counts(at));
    let typed = typed.into_iter().filter(|edit| edit.stamp.is_none());
    let changes = typed.flat_map(|edit| edit.changes).filter(|change| {
        let stamps = stamps_of(&view, &change.at);
        let is_value = matches!(change.act, Act::Write(_) | Act::Replace(_) | Act::Remove);
        is_value
            && is_inside(&change.at)
            && stamps.is_some_and(|stamps| stamps.iter().all(|stamp| named.contains(stamp)))
    });
    changes
        .map(|mut change| {
            as_typed(&mut change.act, types.at(&change.at));
            change
        })
        .collect()
}

/// Whether two acts in one place make the same of it.
fn does_the_same(a: &Act, b: &Act) -> bool {
    match (a, b) {
        (Act::Add { .. }, Act::Add { .. }) => true,
        _ => a == b,
    }
}
