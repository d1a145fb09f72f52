//! A living document as bytes: rows as they are, all else by its parts, and a digest of the whole behind it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use xxhash_rust::xxh3::xxh3_64;

use crate::crdt::document::{Atom, Document, Form, Formed, Loser, Map, Node, Path, Record, Stamps};
use crate::crdt::edit::Change;
use crate::crdt::set::Key;
use crate::crdt::view::Touch;
use crate::crdt::{Amounts, Digest, Observed, Rules, Stamp, StampSet};

use super::bytes::{Bytes, put_run, put_text, put_varint};
use super::kept::{Gone, Kept};
use super::names::Names;
use super::row::Row;
use super::table::Table;
use super::units::{Open, Touches};
use super::{Living, Slot};

/// What it begins with; another form of it begins with another number.
const MAGIC: &[u8; 4] = b"rhl1";

/// Bytes are no document as it was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is damaged, or was saved in another form")]
pub struct Damaged;

/// A form, and the edit that gave it.
type Given = (Option<Stamp>, Form);

/// What stands in no row.
#[derive(Serialize, Deserialize)]
struct Frame {
    losers: Vec<(Path, Option<Atom>, Stamps)>,
    removed: BTreeMap<Path, Stamps>,
    superseded: BTreeMap<Stamp, BTreeMap<Path, StampSet>>,
    typed_over: BTreeMap<Path, Stamps>,
    amounts: BTreeMap<Path, Amounts>,
    forms: Vec<(Path, Vec<Given>)>,
    beside: Vec<(Option<Stamp>, Change)>,
}

/// What was done to a place, each with its edit.
type Told = Vec<(Option<Stamp>, usize, Change)>;

fn told(touches: &Touches) -> Told {
    let told = touches.iter().map(|touch| {
        let change = Change {
            at: touch.rest.iter().cloned().collect(),
            act: touch.act.clone(),
            observed: touch.observed.clone(),
        };
        (touch.stamp, touch.edit, change)
    });
    told.collect()
}

fn touches(told: Told) -> Touches {
    let mut touches = Touches::default();
    for (stamp, edit, change) in told {
        touches.push(Touch {
            rest: change.at.steps().to_vec(),
            act: change.act,
            observed: change.observed,
            stamp,
            edit,
        });
    }
    touches
}

fn put<T: Serialize>(to: &mut Vec<u8>, value: &T) {
    // Nothing of it can fail to be written to memory; were it to fail, the digest behind it would not fit.
    put_run(to, &postcard::to_allocvec(value).unwrap_or_default());
}

fn take<T: for<'d> Deserialize<'d>>(from: &mut Bytes<'_>) -> Option<T> {
    postcard::from_bytes(from.run()?).ok()
}

impl<'r> Living<'r> {
    /// All of it as bytes. Their number does not depend on how many edits were made, but for the stamps of those that were superseded.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        put(&mut out, &self.frame());
        put_varint(&mut out, self.edits);
        put_varint(&mut out, self.names.iter().len());
        self.names.iter().for_each(|name| put_text(&mut out, name));
        put_varint(&mut out, self.root.len());
        for (name, slot) in &self.root {
            put_text(&mut out, name);
            match slot {
                Slot::Open { base, touches } => {
                    out.push(0);
                    put(&mut out, base);
                    put(&mut out, &told(touches));
                }
                Slot::Table(table) => {
                    out.push(
                        1 | u8::from(table.in_base) << 1 | u8::from(table.spots().is_some()) << 2,
                    );
                    save_table(table, &mut out);
                }
            }
        }
        let digest = xxh3_64(&out);
        out.extend_from_slice(&digest.to_le_bytes());
        out
    }

    fn frame(&self) -> Frame {
        let losers = self.frame.losers.iter();
        let forms = self.frame.forms.iter();
        Frame {
            losers: losers
                .map(|(loser, stamps)| (loser.at.clone(), loser.value.clone(), stamps.clone()))
                .collect(),
            removed: self.frame.removed.clone(),
            superseded: self.frame.superseded.clone(),
            typed_over: self.frame.typed_over.clone(),
            amounts: self.frame.amounts.clone(),
            forms: forms
                .map(|(at, forms)| {
                    let forms = forms
                        .iter()
                        .map(|formed| (formed.stamp, formed.form.clone()));
                    (at.clone(), forms.collect())
                })
                .collect(),
            beside: self.beside.clone(),
        }
    }

    /// What was saved.
    ///
    /// # Errors
    /// When the bytes are not what [`save`](Self::save) made.
    pub fn load(rules: Rules<'r>, bytes: &[u8]) -> Result<Self, Damaged> {
        let (body, digest) = bytes.split_last_chunk().ok_or(Damaged)?;
        if u64::from_le_bytes(*digest) != xxh3_64(body) {
            return Err(Damaged);
        }
        let body = body.strip_prefix(MAGIC).ok_or(Damaged)?;
        Self::read(rules, &mut Bytes::new(body)).ok_or(Damaged)
    }

    fn read(rules: Rules<'r>, from: &mut Bytes<'_>) -> Option<Self> {
        let frame: Frame = take(from)?;
        let edits = usize::try_from(from.varint()?).ok()?;
        let mut names = Names::default();
        for _ in 0..from.varint()? {
            names.number(from.text()?);
        }
        let mut root = BTreeMap::new();
        for _ in 0..from.varint()? {
            let name = from.text()?.to_owned();
            let slot = match from.byte()? {
                0 => Slot::Open {
                    base: take::<Option<Node>>(from)?,
                    touches: touches(take(from)?),
                },
                flags => Slot::Table(read_table(flags, names.iter().len(), from)?),
            };
            root.insert(name, slot);
        }
        let losers = frame.losers.into_iter();
        let forms = frame.forms.into_iter();
        Some(Self {
            rules,
            root,
            names,
            frame: Document {
                root: Map::new(),
                losers: losers
                    .map(|(at, value, stamps)| (Loser { at, value }, stamps))
                    .collect(),
                removed: frame.removed,
                superseded: frame.superseded,
                typed_over: frame.typed_over,
                amounts: frame.amounts,
                forms: forms
                    .map(|(at, forms)| {
                        let forms = forms
                            .into_iter()
                            .map(|(stamp, form)| Formed { stamp, form });
                        (at, forms.collect())
                    })
                    .collect(),
            },
            beside: frame.beside,
            edits,
            scratch: Vec::new(),
        })
    }
}

fn save_table(table: &Table, out: &mut Vec<u8>) {
    put_varint(out, table.base as usize);
    put_varint(out, table.rows.len());
    for kept in &table.rows {
        match kept {
            Kept::Row(row) => {
                out.push(0);
                put_run(out, row.bytes());
            }
            Kept::Gone(gone) => {
                out.push(1);
                put_run(out, gone.row.bytes());
                put(out, &(gone.stamp, &gone.observed));
            }
            Kept::Open(open) => {
                out.push(2);
                put(
                    out,
                    &(
                        &open.key.family,
                        open.key.birth,
                        &open.base,
                        told(&open.touches),
                    ),
                );
            }
        }
    }
    // Mostly a row follows the one before it.
    let mut expected = 0;
    for spot in table.spots().unwrap_or_default() {
        put_varint(out, spot.wrapping_sub(expected) as usize);
        expected = spot + 1;
    }
}

fn read_table(flags: u8, fields: usize, from: &mut Bytes<'_>) -> Option<Table> {
    let base = u32::try_from(from.varint()?).ok()?;
    let count = usize::try_from(from.varint()?).ok()?;
    let mut rows = Vec::with_capacity(count.min(from.len()));
    let mut waiting = 0;
    for _ in 0..count {
        rows.push(match from.byte()? {
            0 => Kept::Row(Row::read(from.run()?, fields)?),
            1 => {
                let row = Row::read(from.run()?, fields)?;
                let (stamp, observed): (Stamp, Observed) = take(from)?;
                Kept::Gone(Box::new(Gone {
                    row,
                    stamp,
                    observed,
                }))
            }
            _ => {
                let (family, birth, base, told): (String, Digest, Option<Record>, Told) =
                    take(from)?;
                let open = Open {
                    key: Key { family, birth },
                    base,
                    touches: touches(told),
                };
                waiting += usize::from(open.is_waiting());
                Kept::Open(Box::new(open))
            }
        });
    }
    let spots = match flags & 4 {
        0 => None,
        _ => {
            let mut spots = Vec::with_capacity(rows.len());
            let mut expected = 0u32;
            for _ in 0..rows.len() - waiting {
                let spot = expected.wrapping_add(from.varint()? as u32);
                expected = spot.wrapping_add(1);
                spots.push(spot);
            }
            Some(spots)
        }
    };
    Table::restored(rows, base, flags & 2 != 0, spots)
}
