//! How much room an edit takes, about.

use crate::crdt::{Act, Atom, Change, Map, Node, Observed, Path, Record, Step};
use crate::overlay::{Deed, Known};

/// What an edit takes beside its texts: its stamps, its commits, numbers and lengths.
const FRAME: usize = 64;

/// What each part of it takes beside its texts: stamps, digests, lengths.
const PART: usize = 16;

/// How many bytes the edit takes in a message at most.
#[must_use]
pub fn weight(edit: &Known) -> usize {
    let branch = edit.branch.as_ref().map_or(0, String::len);
    let deed = match &edit.deed {
        Deed::Change(changes) => changes.iter().map(of_change).sum(),
        Deed::Retract(stamps) => PART * stamps.len(),
    };
    FRAME + edit.document.as_bytes().len() + branch + 20 * edit.published.len() + deed
}

fn of_change(change: &Change) -> usize {
    let act = match &change.act {
        Act::Write(atom) => of_atom(atom),
        Act::Replace(members) => members.iter().map(of_atom).sum(),
        Act::Remove => 0,
        Act::Add { record, behind } => of_record(record) + behind.as_ref().map_or(0, of_atom),
        Act::Move { behind: value } | Act::Lose(value) | Act::Settle(value) => {
            value.as_ref().map_or(0, of_atom)
        }
        Act::Form(form) => form.before.len() + form.after.len(),
    };
    PART + of_path(&change.at) + of_observed(&change.observed) + act
}

fn of_atom(atom: &Atom) -> usize {
    PART + atom.canonical().len() + atom.said().len()
}

fn of_path(path: &Path) -> usize {
    let step = |step: &Step| match step {
        Step::Entry(name) => PART + name.len(),
        Step::Record(name, _) => PART + of_atom(name),
    };
    path.steps().iter().map(step).sum()
}

fn of_observed(observed: &Observed) -> usize {
    PART * (observed.stamps().len() + observed.digests().len())
}

fn of_record(record: &Record) -> usize {
    PART + of_atom(&record.name) + of_map(&record.fields)
}

fn of_map(map: &Map) -> usize {
    map.iter()
        .map(|(name, node)| PART + name.len() + of_node(node))
        .sum()
}

fn of_node(node: &Node) -> usize {
    match node {
        Node::Register(atom, stamps) => of_atom(atom) + PART * stamps.len(),
        Node::List(members, stamps) => {
            members.iter().map(of_atom).sum::<usize>() + PART * stamps.len()
        }
        Node::Map(map) => of_map(map),
        Node::Set(records) => records.iter().map(of_record).sum(),
    }
}
