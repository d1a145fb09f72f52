//! What a row can hold of what a document holds, and the rows of records that nobody has edited yet.

use crate::crdt::document::{Atom, Birth, Map, Node, Record, Step};
use crate::crdt::edit::{Act, Change};
use crate::crdt::set::born_as;
use crate::crdt::{Digest, Rules, Stamp};

use super::cell::{Origin, Writing};
use super::row::{Head, Row};
use super::table::Around;
use super::value::{Content, Members, Value};

/// A field as a row holds it, and the edit that made it if there is one; nothing for what no row holds.
fn held<'n: 'm, 'm>(
    node: &'n Node,
    members: &'m mut Vec<Value<'n>>,
    rules: &Rules<'_>,
) -> Option<(Content<'m>, Option<Stamp>)> {
    let (content, stamps) = match node {
        Node::Register(value, stamps) => (Content::One(Value::of(value, rules)), stamps),
        Node::List(list, stamps) => {
            members.extend(list.iter().map(|member| Value::of(member, rules)));
            (Content::List(Members::new(members)), stamps)
        }
        Node::Map(_) | Node::Set(_) => return None,
    };
    (stamps.len() <= 1).then(|| (content, stamps.first().copied()))
}

fn row_of(head: &Head<'_>, fields: &Map, origin: Origin, around: &mut Around<'_>) -> Option<Row> {
    let mut members: Vec<Vec<Value<'_>>> = fields.iter().map(|_| Vec::new()).collect();
    let mut cells = Vec::with_capacity(fields.len());
    for ((name, node), members) in fields.iter().zip(&mut members) {
        let (content, stamp) = held(node, members, around.rules)?;
        let is_known = origin == Origin::Base || stamp.is_none() || stamp == head.birth.stamp;
        if !is_known {
            return None;
        }
        cells.push(Writing {
            field: around.names.number(name),
            origin,
            stamp: stamp.filter(|_| origin == Origin::Base),
            content,
        });
    }
    Some(Row::new(head, cells, around.scratch))
}

pub(super) fn base_row(record: &Record, around: &mut Around<'_>) -> Option<Row> {
    let head = Head {
        in_base: true,
        birth: record.birth,
        name: Value::of(&record.name, around.rules),
        behind: None,
    };
    if born_as(&record.name, record.birth.digest) != record.name.said() {
        return None;
    }
    row_of(&head, &record.fields, Origin::Base, around)
}

/// The row of a record that nobody knew.
pub(super) fn born_row(
    change: &Change,
    name: &Atom,
    birth: Digest,
    rest: &[Step],
    stamp: Option<Stamp>,
    around: &mut Around<'_>,
) -> Option<Row> {
    let Act::Add { record, behind } = &change.act else {
        return None;
    };
    let is_plain = rest.is_empty()
        && stamp.is_some()
        && record.birth
            == Birth {
                stamp,
                digest: birth,
            }
        && record.name == *name
        && born_as(name, birth) == name.said()
        && change.observed.is_empty();
    if !is_plain {
        return None;
    }
    let head = Head {
        in_base: false,
        birth: record.birth,
        name: Value::of(&record.name, around.rules),
        behind: behind
            .as_ref()
            .map(|behind| Value::of(behind, around.rules)),
    };
    row_of(&head, &record.fields, Origin::Birth, around)
}
