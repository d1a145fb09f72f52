//! Values to be written, and whether two are the same.

use std::borrow::Cow;

use crate::context::NewValue;
use crate::crdt::{Atom, Map, Node, Record};
use crate::yaml::{Scalar, Value};

/// Whether two values are the same, whoever wrote them.
pub(super) fn holds_same(a: &Node, b: &Node) -> bool {
    match (a, b) {
        (Node::Register(a, _), Node::Register(b, _)) => a == b,
        (Node::List(a, _), Node::List(b, _)) => a == b,
        (Node::Map(a), Node::Map(b)) => same_fields(a, b),
        (Node::Set(a), Node::Set(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|(a, b)| a.name == b.name && same_fields(&a.fields, &b.fields))
        }
        _ => false,
    }
}

pub(super) fn same_fields(a: &Map, b: &Map) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|((x, a), (y, b))| x == y && holds_same(a, b))
}

/// A value to be written.
pub(super) fn of_node(node: &Node) -> NewValue {
    match plain(node) {
        Some(value) => NewValue::Meant(value),
        None => NewValue::Typed(spelled(node)),
    }
}

pub(super) fn of_atom(atom: &Atom) -> NewValue {
    NewValue::of_canonical(atom.canonical())
}

/// A value without anchors, aliases and tags, which cannot be had as one.
fn plain(node: &Node) -> Option<Value> {
    let of_atom = |atom: &Atom| match of_atom(atom) {
        NewValue::Meant(value) => Some(value),
        NewValue::Typed(_) => None,
    };
    let key = |name: &str| Scalar::Str(Cow::Owned(name.to_owned()));
    let fields = |fields: &Map| -> Option<Vec<_>> {
        fields
            .iter()
            .map(|(name, value)| Some((key(name), plain(value)?)))
            .collect()
    };
    Some(match node {
        Node::Register(atom, _) => of_atom(atom)?,
        Node::List(members, _) => {
            Value::Sequence(members.iter().map(of_atom).collect::<Option<_>>()?)
        }
        Node::Map(map) => Value::Mapping(fields(map)?),
        Node::Set(records) => {
            let record = |record: &Record| {
                let mut entries = vec![(key("id"), of_atom(&record.name)?)];
                entries.extend(fields(&record.fields)?);
                Some(Value::Mapping(entries))
            };
            Value::Sequence(records.iter().map(record).collect::<Option<_>>()?)
        }
    })
}

/// A value in one line, as its parts are spelled canonically.
fn spelled(node: &Node) -> String {
    let fields = |fields: &Map| -> Vec<String> {
        let each = fields.iter();
        each.map(|(name, value)| {
            format!("{}: {}", crate::yaml::double_quoted(name), spelled(value))
        })
        .collect()
    };
    match node {
        Node::Register(atom, _) => atom.canonical().to_owned(),
        Node::List(members, _) => {
            let members: Vec<&str> = members.iter().map(Atom::canonical).collect();
            format!("[{}]", members.join(", "))
        }
        Node::Map(map) => format!("{{{}}}", fields(map).join(", ")),
        Node::Set(records) => {
            let record = |record: &Record| {
                let mut all = vec![format!("id: {}", record.name.canonical())];
                all.extend(fields(&record.fields));
                format!("{{{}}}", all.join(", "))
            };
            let records: Vec<String> = records.iter().map(record).collect();
            format!("[{}]", records.join(", "))
        }
    }
}
