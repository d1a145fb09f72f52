//! What edits do to a row, as long as it can hold that: they supersede all that stands where they write.

use crate::crdt::document::{Atom, Node, Step};
use crate::crdt::edit::{Act, Change};
use crate::crdt::{Rules, Stamp};

use super::cell::{Cell, Origin, Superseding, Writing};
use super::kept::Gone;
use super::row::{Row, Spot};
use super::table::Around;
use super::value::{Content, Members, Value};

/// Whether an edit was known of what is gone, or superseded.
pub(super) fn is_past(
    gone: &Gone,
    change: &Change,
    rest: &[Step],
    stamp: Stamp,
    around: &Around<'_>,
) -> bool {
    let birth = gone.row.birth();
    match (&change.act, rest) {
        (Act::Remove, []) => stamp == gone.stamp && change.observed == gone.observed,
        (Act::Write(_) | Act::Replace(_), [Step::Entry(field)]) => {
            let cell = around
                .names
                .known(field)
                .and_then(|field| gone.row.cell(field));
            cell.is_some_and(|cell| {
                cell.seen.has(stamp, birth)
                    || cell.made_by(birth) == Some(stamp)
                        && is_same(cell.content, &change.act, around.rules)
            })
        }
        _ => is_birth(&gone.row, change, rest, stamp, around),
    }
}

/// Whether this is the birth of a row, told again.
fn is_birth(row: &Row, change: &Change, rest: &[Step], stamp: Stamp, around: &Around<'_>) -> bool {
    let (Act::Add { record, behind }, [], Some(head)) = (&change.act, rest, row.head()) else {
        return false;
    };
    let is_it = !head.in_base
        && record.birth == head.birth
        && head.birth.stamp == Some(stamp)
        && change.observed.is_empty()
        && behind.as_ref().map(Atom::said) == head.behind.map(Value::said);
    is_it
        && record.fields.iter().all(|(name, node)| {
            let cell = around.names.known(name).and_then(|field| row.cell(field));
            cell.is_some_and(|cell| {
                let same = match node {
                    Node::Register(value, _) => {
                        is_same(cell.content, &Act::Write(value.clone()), around.rules)
                    }
                    Node::List(members, _) => {
                        is_same(cell.content, &Act::Replace(members.clone()), around.rules)
                    }
                    Node::Map(_) | Node::Set(_) => false,
                };
                cell.seen.has(stamp, Some(stamp)) || cell.origin == Origin::Birth && same
            })
        })
}

fn is_same(content: Content<'_>, act: &Act, rules: &Rules<'_>) -> bool {
    match (content, act) {
        (Content::One(value), Act::Write(written)) => value.atom(rules) == *written,
        (Content::List(members), Act::Replace(written)) => members
            .map(|member| member.atom(rules))
            .eq(written.iter().cloned()),
        _ => false,
    }
}

/// Writes into a field if that supersedes all that stands there; also done where it was done before, or is superseded.
pub(super) fn write(
    row: &mut Row,
    change: &Change,
    rest: &[Step],
    stamp: Stamp,
    around: &mut Around<'_>,
) -> bool {
    let [Step::Entry(name)] = rest else {
        return is_birth(row, change, rest, stamp, around);
    };
    let mut members = Vec::new();
    let content = match &change.act {
        Act::Write(value) => Content::One(Value::of(value, around.rules)),
        Act::Replace(list) => {
            members.extend(list.iter().map(|member| Value::of(member, around.rules)));
            Content::List(Members::new(&members))
        }
        _ => return false,
    };
    let birth = row.birth();
    let field = around.names.number(name);
    if let Some(cell) = row.cell(field) {
        if cell.seen.has(stamp, birth) {
            return true;
        }
        let made_by = cell.made_by(birth);
        if made_by == Some(stamp) {
            return is_same(cell.content, &change.act, around.rules);
        }
        let supersedes = match (cell.content, content) {
            (Content::One(value), Content::One(_)) => match made_by {
                Some(made_by) => change.observed.has_stamp(made_by),
                None => change.observed.contains(None, value.digest(around.rules)),
            },
            (Content::List(_), Content::List(_)) => {
                cell.origin == Origin::Base
                    || made_by.is_some_and(|stamp| change.observed.has_stamp(stamp))
            }
            _ => false,
        };
        if !supersedes {
            return false;
        }
    }
    if Some(stamp) == birth || shares_group(row, field, around) || around.in_group {
        return false;
    }
    let writing = Writing {
        field,
        origin: Origin::Written,
        stamp: Some(stamp),
        content,
    };
    let spot = row.spot(field);
    put(
        row,
        spot,
        &writing,
        &Superseding::Told(&change.observed),
        around,
    );
    true
}

/// Whether another field of a row changes together with this one.
pub(super) fn shares_group(row: &Row, field: u32, around: &Around<'_>) -> bool {
    let name = around.names.name(field);
    let Some(group) = around
        .rules
        .groups
        .iter()
        .find(|group| group.contains(&name))
    else {
        return false;
    };
    row.fields()
        .any(|other| other != field && group.contains(&around.names.name(other)))
}

pub(super) fn put(
    row: &mut Row,
    spot: Spot,
    writing: &Writing<'_>,
    by: &Superseding<'_>,
    around: &mut Around<'_>,
) {
    let name = around.names.name(writing.field);
    let is_grouped = around
        .rules
        .groups
        .iter()
        .any(|group| group.contains(&name));
    let is_merged = writing.content.is_merged();
    let keeps = |before: &Cell<'_>| is_grouped || is_merged || before.content.is_merged();
    row.write(spot, writing, by, keeps, around.scratch);
}
