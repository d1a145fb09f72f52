//! What a change does, as two versions of a document show it: whether one holds it, whether another one makes it.

use super::selection::as_named_in;
use crate::crdt::{Act, Atom, Change, Document, Found, Loser, Node, Path, Stamp, Stamps, Step};

/// What a document holds at `at`, also where a record's defining field is another one by now and nothing tells its birth.
pub(super) fn there<'d>(document: &'d Document, at: &Path) -> Option<Found<'d>> {
    let exact = document.found(at);
    exact.or_else(|| document.found(&as_named_in(document, at, &|_| false)))
}

/// The value or list at `at`, with its stamps.
fn leaf<'d>(document: &'d Document, at: &Path) -> Option<(&'d Node, &'d Stamps)> {
    leaf_in(there(document, at)?)
}

/// The value or list that was found, with its stamps.
pub(super) fn leaf_in(found: Found<'_>) -> Option<(&Node, &Stamps)> {
    match found {
        Found::Node(node @ (Node::Register(_, stamps) | Node::List(_, stamps))) => {
            Some((node, stamps))
        }
        _ => None,
    }
}

/// Whether a document says of the place of a change that `stamp` made it, or was superseded by what did; also where the
/// value that it wrote lost there.
pub(super) fn names(document: &Document, change: &Change, stamp: Stamp) -> bool {
    let told = |stamps: &Stamps| tells(document, stamps, stamp);
    let stands = match &change.act {
        Act::Write(_) | Act::Replace(_) | Act::Raise(_) | Act::Last(_) => {
            leaf(document, &change.at).is_some_and(|(_, stamps)| told(stamps))
        }
        Act::Count(_) => leaf(document, &change.at).is_some_and(|(_, stamps)| {
            told(stamps) || stamps.iter().any(|name| change.observed.has_stamp(*name))
        }),
        Act::Add { record, .. } => match document.found(&change.at) {
            Some(Found::Record(there, ..)) => {
                let is_told = |node: &Node| match node {
                    Node::Register(_, stamps) | Node::List(_, stamps) => told(stamps),
                    _ => false,
                };
                // A record that was put back keeps the birth that HEAD has, and only its fields tell.
                let is_born =
                    there.birth.stamp.is_some() && there.birth.stamp == record.birth.stamp;
                (is_born && !has_before_edited(document, change))
                    || there.fields.values().any(is_told)
            }
            _ => false,
        },
        Act::Remove => puts_back(document, &change.at, stamp),
        _ => false,
    };
    let lost = |at: &Path, stamps: &Stamps| *at == change.at && told(stamps);
    stands
        || document
            .losers
            .iter()
            .any(|(loser, stamps)| lost(&loser.at, stamps))
}

/// Whether a document says of something in a place that whoever put it there had seen the removal with this stamp. A run of stamps
/// means only what was done in its own place.
fn puts_back(document: &Document, at: &Path, stamp: Stamp) -> bool {
    let born = at.as_born();
    let is_inside = |place: &Path| place.steps().starts_with(born.steps());
    let mut places = document.superseded.values().flatten();
    places.any(|(place, stamps)| {
        let mut singles = stamps.runs().iter().filter_map(|run| run.single());
        is_inside(place)
            && (singles.any(|one| one == stamp) || (*place == born && stamps.contains(stamp)))
    }) && there(document, at).is_some()
}

/// Whether a document tells of a change: it [`names`] it, or has its stamp beside what somebody typed over it.
pub(super) fn tells_of(document: &Document, change: &Change, stamp: Stamp) -> bool {
    let typed_over = document.typed_over.get(&change.at);
    names(document, change, stamp) || typed_over.is_some_and(|stamps| stamps.contains(&stamp))
}

/// Whether a document shows what a change did, whoever did it.
pub(super) fn shows(document: &Document, change: &Change, stamp: Stamp) -> bool {
    let settled = |value: &Option<Atom>| !keeps(document, &change.at, value);
    let stands = match &change.act {
        Act::Write(value) | Act::Last(value) => matches!(
            leaf(document, &change.at), Some((Node::Register(there, _), _)) if there == value
        ),
        Act::Replace(members) => matches!(
            leaf(document, &change.at), Some((Node::List(there, _), _)) if there == members
        ),
        // Anybody may have added as much.
        Act::Count(_) => false,
        Act::Raise(number) => {
            let there = leaf(document, &change.at).and_then(|(there, _)| there.as_number());
            there.is_some_and(|there| there >= *number)
        }
        Act::Remove => there(document, &change.at).is_none(),
        Act::Add { .. } => document.found(&change.at).is_some(),
        Act::Move { behind } => match there(document, &change.at) {
            Some(Found::Record(_, records, index)) => {
                let before = index.checked_sub(1).and_then(|index| records.get(index));
                before.map(|record| &record.name) == behind.as_ref()
            }
            _ => false,
        },
        Act::Lose(value) => !settled(value),
        Act::Settle(value) => settled(value),
        Act::Form(_) => false,
    };
    stands || names(document, change, stamp)
}

/// Whether a document has a record that a change adds as it was before some of what it adds was edited: whoever lost their store, and
/// tells anew of what they find, adds what others know with what was edited in it since.
pub(super) fn has_before_edited(document: &Document, change: &Change) -> bool {
    let Act::Add { record, .. } = &change.act else {
        return false;
    };
    let Some(Found::Record(there, ..)) = document.found(&change.at) else {
        return false;
    };
    let birth = record.birth.stamp;
    let is_later = |stamp: &&Stamp| Some(**stamp) != birth;
    let is_news = |(name, node): (&String, &Node)| {
        // As it was born it has no stamps of its own, and what differs was typed since.
        let edited = leaf_in(Found::Node(node)).map(|(_, stamps)| stamps);
        let Some(edited) = edited.filter(|stamps| !stamps.is_empty()) else {
            return false;
        };
        let Some((shown, stamps)) = leaf(document, &change.at.entry(name)) else {
            return true;
        };
        let is_born = !stamps.iter().any(|stamp| is_later(&stamp));
        let mut edited = edited.iter().filter(is_later);
        (is_born && !shown.says_the_same_as(node))
            || edited.any(|stamp| !tells(document, stamps, *stamp))
    };
    birth.is_some() && there.birth.stamp == birth && record.fields.iter().any(is_news)
}

/// Whether what a change takes away is not there as all that is around it is gone: whoever took that away need not have read of the change.
pub(super) fn went_with_more(document: &Document, change: &Change) -> bool {
    let around = change.at.around().filter(|at| !at.steps().is_empty());
    change.act == Act::Remove && around.is_some_and(|around| there(document, &around).is_none())
}

/// Whether stamps in a document have this one, or what superseded it there.
fn tells(document: &Document, stamps: &Stamps, stamp: Stamp) -> bool {
    let superseded = |by: &Stamp| {
        document
            .superseded
            .get(by)
            .is_some_and(|places| places.values().any(|stamps| stamps.contains(stamp)))
    };
    stamps.contains(&stamp) || stamps.iter().any(superseded)
}

/// Whether a document keeps the value that a change wrote, which lost, and names a later edit of it: of several that wrote one
/// losing value the latest is named for all.
pub(super) fn keeps_as_later(document: &Document, change: &Change, stamp: Stamp) -> bool {
    let value = match &change.act {
        Act::Write(value) | Act::Last(value) => Some(value),
        Act::Remove => None,
        _ => return false,
    };
    let is_it = |loser: &Loser| loser.at == change.at && loser.value.as_ref() == value;
    let mut losers = document.losers.iter();
    losers.any(|(loser, stamps)| is_it(loser) && stamps.last() > Some(&stamp))
}

/// Whether a document keeps a value that lost at a place.
fn keeps(document: &Document, at: &Path, value: &Option<Atom>) -> bool {
    let of_value = |loser: &Loser| loser.at == *at && loser.value == *value;
    document.losers.keys().any(of_value)
}

/// Whether a document holds a value at a place, shown or lost.
fn has(document: &Document, at: &Path, value: &Option<Atom>) -> bool {
    let shown = match leaf(document, at) {
        Some((Node::Register(shown, _), _)) => Some(shown),
        _ => None,
    };
    (value.is_some() && shown == value.as_ref()) || keeps(document, at, value)
}

/// Whether a record that was added is there, and holds what it was born with.
pub(super) fn has_as_added(document: &Document, change: &Change) -> bool {
    is_called_so(document, &change.at) && is_whole(document, change)
}

/// Whether a record is there under this very name: who has it by its first name need not have read that it got its second one.
pub(super) fn is_called_so(document: &Document, at: &Path) -> bool {
    match (at.steps().last(), there(document, at)) {
        (Some(Step::Record(name, _)), Some(Found::Record(there, ..))) => there.name == *name,
        (_, there) => there.is_some(),
    }
}

/// Whether a record that was added holds there what it was born with: two people may add one record with other values.
fn is_whole(after: &Document, change: &Change) -> bool {
    match (&change.act, after.found(&change.at)) {
        (Act::Add { record, .. }, Some(Found::Record(there, ..))) => {
            record.fields.iter().all(|(name, node)| {
                let same = |there: &Node| there.says_the_same_as(node);
                there.fields.get(name).is_some_and(same)
            })
        }
        _ => true,
    }
}

/// Whether a commit that made `after` of `before` made the same change: there stood what the change observed, or what the
/// commit has that it was made on, and here stands what it did.
pub(super) fn makes(
    before: &Document,
    after: &Document,
    base: &Document,
    change: &Change,
    stamp: Stamp,
) -> bool {
    let saw = |at: &Path, node: &Node| {
        let as_in_base = match base.found(at) {
            Some(Found::Node(base)) => node.says_the_same_as(base),
            _ => false,
        };
        as_in_base || change.observed.saw(node)
    };
    if let Act::Settle(value) = &change.act {
        // What lost to an edit before that was committed stood there until then.
        return has(before, &change.at, value) && !has(after, &change.at, value);
    }
    shows(after, change, stamp)
        && !shows(before, change, stamp)
        && is_whole(after, change)
        && match there(before, &change.at) {
            Some(Found::Node(node)) => saw(&change.at, node),
            Some(Found::Record(record, ..)) if change.act == Act::Remove => record
                .fields
                .iter()
                .all(|(name, node)| saw(&change.at.entry(name), node)),
            _ => true,
        }
}
