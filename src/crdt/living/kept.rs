//! A record, whichever way it is kept: as a row, as a row that was taken away, or as its edits.

use rustc_hash::FxHashMap;

use crate::crdt::document::{Map, Record, Step};
use crate::crdt::edit::Act;
use crate::crdt::set::Key;
use crate::crdt::view::Touch;
use crate::crdt::{Digest, Observed, Rules, Stamp};

use super::cell::Origin;
use super::names::Names;
use super::row::Row;
use super::showing::node;
use super::units::Open;
use super::value::Content;

/// A record that was taken away: it is kept, as somebody may have edited it unseen.
#[derive(Clone, Debug)]
pub(super) struct Gone {
    pub(super) row: Row,
    pub(super) stamp: Stamp,
    pub(super) observed: Observed,
}

/// A record, standing or not.
#[derive(Clone, Debug)]
pub(super) enum Kept {
    Row(Row),
    Gone(Box<Gone>),
    Open(Box<Open>),
}

impl Kept {
    pub(super) fn key(&self) -> Option<(&str, Digest)> {
        match self {
            Self::Row(row) => row_key(row),
            Self::Gone(gone) => row_key(&gone.row),
            Self::Open(open) => Some((&open.key.family, open.key.birth)),
        }
    }

    pub(super) fn is_of(&self, family: &str, birth: Option<Digest>) -> bool {
        match self {
            Self::Row(row) => row.is_of(family, birth),
            Self::Gone(gone) => gone.row.is_of(family, birth),
            Self::Open(open) => {
                open.key.family == family && birth.is_none_or(|birth| birth == open.key.birth)
            }
        }
    }

    /// The row of what is not contested, and whether it stands.
    pub(super) fn row(&self) -> Option<(&Row, bool)> {
        match self {
            Self::Row(row) => Some((row, true)),
            Self::Gone(gone) => Some((&gone.row, false)),
            Self::Open(_) => None,
        }
    }
}

fn row_key(row: &Row) -> Option<(&str, Digest)> {
    let head = row.head()?;
    Some((head.name.said(), head.birth.digest))
}

pub(super) fn is_waiting(kept: &Kept) -> bool {
    matches!(kept, Kept::Open(open) if open.is_waiting())
}

pub(super) fn owned_key(kept: &Kept) -> Option<Key> {
    let (family, birth) = kept.key()?;
    Some(Key {
        family: family.to_owned(),
        birth,
    })
}

/// A record as it stands in the base and the edits that were made of it; nothing for what is kept in that way already.
pub(super) fn history(
    kept: &Kept,
    rules: &Rules<'_>,
    names: &Names,
    last_edit: &mut usize,
) -> Option<(Option<Record>, Vec<Touch>)> {
    let (row, _) = kept.row()?;
    let head = row.head()?;
    let born = head.birth.stamp;
    let mut record = Record {
        name: head.name.atom(rules),
        birth: head.birth,
        fields: Map::new(),
    };
    let mut touches = Vec::new();
    let mut numbers: FxHashMap<Option<Stamp>, usize> = FxHashMap::default();
    let mut number = |stamp: Option<Stamp>| {
        *numbers.entry(stamp).or_insert_with(|| {
            *last_edit += 1;
            *last_edit
        })
    };
    for cell in row.cells() {
        let name = names.name(cell.field).to_owned();
        if cell.origin != Origin::Written {
            let stamps = cell.made_by(born).into_iter().collect();
            record
                .fields
                .insert(name, node(cell.content, stamps, rules));
            continue;
        }
        let act = match cell.content {
            Content::One(value) => Act::Write(value.atom(rules)),
            Content::List(members) => {
                Act::Replace(members.map(|member| member.atom(rules)).collect())
            }
        };
        touches.push(Touch {
            rest: vec![Step::Entry(name)],
            act,
            observed: cell.seen.observed(born),
            stamp: cell.stamp,
            edit: number(cell.stamp),
        });
    }
    if let Kept::Gone(gone) = kept {
        touches.push(Touch {
            rest: Vec::new(),
            act: Act::Remove,
            observed: gone.observed.clone(),
            stamp: Some(gone.stamp),
            edit: number(Some(gone.stamp)),
        });
    }
    if head.in_base {
        return Some((Some(record), touches));
    }
    touches.push(Touch {
        rest: Vec::new(),
        act: Act::Add {
            record,
            behind: head.behind.map(|behind| behind.atom(rules)),
        },
        observed: Observed::default(),
        stamp: born,
        edit: number(born),
    });
    Some((None, touches))
}
