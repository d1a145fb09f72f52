//! Numbers that both sides changed and that nobody has to decide about: counters, to which both added, and those of which the
//! greatest stands. Both sides get the number that comes of it, before they are merged as ever.

use std::collections::BTreeMap;

use super::Sides;
use crate::context::{Place, Types, lift, number};
use crate::crdt::{self, Amounts, Counted, Map, Node, Path, Step, Type, joined};
use crate::yaml::Document;

/// The texts of both sides in which the numbers stand that come of what both did; nothing for a side that has them already.
pub(super) fn joined_numbers(
    documents: &Sides<Document>,
    types: &Types,
) -> (Option<String>, Option<String>) {
    let lifted = documents.as_ref().map(lift);
    let types = types.with_counters(lifted.iter().flat_map(|version| version.amounts.keys()));
    if !types.have(is_joined) {
        return (None, None);
    }
    let versions = Sides {
        base: Version::of(&documents.base, &lifted.base, &types),
        ours: Version::of(&documents.ours, &lifted.ours, &types),
        theirs: Version::of(&documents.theirs, &lifted.theirs, &types),
    };
    let mut changed: (Vec<_>, Vec<_>) = (Vec::new(), Vec::new());
    for (names, ours) in &versions.ours.numbers {
        let Some(theirs) = versions.theirs.numbers.get(names) else {
            continue;
        };
        let Some(becomes) = becomes(names, &versions, ours, theirs) else {
            continue;
        };
        for (side, at) in [(&mut changed.0, ours), (&mut changed.1, theirs)] {
            if at.shown != becomes {
                side.push((at.span, becomes));
            }
        }
    }
    (
        rewritten(&documents.ours, changed.0),
        rewritten(&documents.theirs, changed.1),
    )
}

/// What a number becomes that both sides have; nothing where one of them left it alone, so that it is the other's.
fn becomes(
    names: &[Name],
    versions: &Sides<Version<'_>>,
    ours: &Number<'_>,
    theirs: &Number<'_>,
) -> Option<i64> {
    let none = Amounts::new();
    let nothing = Counted {
        shown: 0,
        amounts: &none,
    };
    let base = match versions.base.numbers.get(names) {
        Some(base) => base.counted(&none),
        // What a record was born with on both sides, or took the place of something else, is a value like any other.
        None if versions.base.has_room_for(names) => nothing,
        None => return None,
    };
    let becomes = match ours.kind {
        Type::Max => ours.shown.max(theirs.shown),
        kind => {
            let joined = joined(base, ours.counted(&none), theirs.counted(&none));
            // Of what both took back in the same manner nothing tells that it was the same.
            let least = match kind {
                Type::GCounter => 0.min(base.shown).min(ours.shown).min(theirs.shown),
                _ => i64::MIN,
            };
            joined.max(least)
        }
    };
    let is_known = |side: &Number<'_>| side.shown == base.shown;
    let by_itself = match (is_known(ours), is_known(theirs)) {
        (true, _) => Some(theirs.shown),
        (_, true) => Some(ours.shown),
        _ => None,
    };
    let is_left_alone = ours.kind == Type::Max && by_itself.is_some();
    (!is_left_alone && by_itself != Some(becomes)).then_some(becomes)
}

/// Whether numbers of this type are joined.
fn is_joined(kind: Type) -> bool {
    kind.is_counter() || kind == Type::Max
}

/// The name of a step, and whether it leads to a record.
type Name = (bool, String);

/// A number in a version.
struct Number<'v> {
    span: (usize, usize),
    shown: i64,
    kind: Type,
    amounts: Option<&'v Amounts>,
}

impl<'v> Number<'v> {
    fn counted<'a>(&self, none: &'a Amounts) -> Counted<'a>
    where
        'v: 'a,
    {
        Counted {
            shown: self.shown,
            amounts: self.amounts.unwrap_or(none),
        }
    }
}

/// A version, with its numbers by the names that lead to them.
struct Version<'v> {
    lifted: &'v crdt::Document,
    numbers: BTreeMap<Vec<Name>, Number<'v>>,
}

impl<'v> Version<'v> {
    fn of(document: &Document, lifted: &'v crdt::Document, types: &Types) -> Self {
        let of_number = |Place { at, node, kind, .. }: Place<'_>| {
            let shown = number(node).filter(|_| is_joined(kind))?;
            let span = node.data().span;
            let number = Number {
                span: (span.start as usize, span.end as usize),
                shown,
                kind,
                amounts: lifted.amounts.get(&at.as_born()),
            };
            Some((names(&at), number))
        };
        let places = types.places(document).into_iter();
        Self {
            lifted,
            numbers: places.filter_map(of_number).collect(),
        }
    }

    /// Whether what the names lead to could stand here and does not.
    fn has_room_for(&self, names: &[Name]) -> bool {
        let mut map: &Map = &self.lifted.root;
        let mut names = names.iter().map(|(_, name)| name).peekable();
        while let Some(name) = names.next() {
            map = match map.get(name) {
                None => return true,
                Some(Node::Map(map)) => map,
                Some(Node::Set(records)) => {
                    let record = names.next();
                    let found = records.iter().find(|record_there| {
                        Some(record_there.name.said()) == record.map(String::as_str)
                    });
                    match found {
                        Some(found) => &found.fields,
                        None => return false,
                    }
                }
                Some(Node::Register(..) | Node::List(..)) => return false,
            };
        }
        false
    }
}

fn names(at: &Path) -> Vec<Name> {
    let name = |step: &Step| match step {
        Step::Entry(name) => (false, name.clone()),
        Step::Record(name, _) => (true, name.said().to_owned()),
    };
    at.steps().iter().map(name).collect()
}

/// The text with other numbers in some places.
fn rewritten(document: &Document, mut numbers: Vec<((usize, usize), i64)>) -> Option<String> {
    if numbers.is_empty() {
        return None;
    }
    numbers.sort_unstable();
    let text = document.text();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for ((start, end), number) in numbers {
        out.push_str(text.get(done..start)?);
        out.push_str(&number.to_string());
        done = end;
    }
    out.push_str(text.get(done..)?);
    Some(out)
}
