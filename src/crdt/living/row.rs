//! A record as one run of bytes, as long as nothing in it is contested: its birth, its place, and of each field the value
//! that stands with the stamp of the edit that wrote it and what that edit superseded.
//!
//! One allocation for a record, and no more bytes than what it says: what came with the birth has no stamp of its own. What
//! is in memory is what is saved.

use crate::crdt::document::Birth;
use crate::crdt::{Digest, Stamp};

use super::bytes::Bytes;
use super::cell::{Cell, Origin, Superseding, Writing};
#[cfg(feature = "node")]
use super::value::{Content, Members, Source};
use super::value::{SPELLED, Value};

const IN_BASE: u8 = 1;
const BIRTH_STAMPED: u8 = 1 << 1;
const BEHIND: u8 = 1 << 2;

/// What stands at the front of a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'r> {
    /// Whether the record stands in the document that the edits were made on.
    pub(super) in_base: bool,
    pub(super) birth: Birth,
    pub(super) name: Value<'r>,
    /// The record that it was born behind; nothing for one of the base.
    pub(super) behind: Option<Value<'r>>,
}

/// A record as bytes.
#[derive(Clone, Debug)]
pub(super) struct Row(Vec<u8>);

/// Bytes that a row gets beyond what it needs once it has to grow: most values that replace others are about as long.
const SLACK: usize = 32;

impl Row {
    pub(super) fn new<'w>(
        head: &Head<'_>,
        cells: impl IntoIterator<Item = Writing<'w>>,
        scratch: &mut Vec<u8>,
    ) -> Self {
        scratch.clear();
        let flag = |is: bool, flag: u8| if is { flag } else { 0 };
        scratch.push(
            flag(head.in_base, IN_BASE)
                | flag(head.birth.stamp.is_some(), BIRTH_STAMPED)
                | flag(head.behind.is_some(), BEHIND),
        );
        scratch.extend_from_slice(&head.birth.digest.bits().to_le_bytes());
        if let Some(stamp) = head.birth.stamp {
            scratch.extend_from_slice(&stamp.to_bytes());
        }
        head.name.put(scratch);
        if let Some(behind) = head.behind {
            behind.put(scratch);
        }
        // What is short stands in front: long texts are rarely edited, and to find what stands behind them takes longer.
        let mut cells: Vec<Writing<'_>> = cells.into_iter().collect();
        cells.sort_by_key(|cell| cell.content.length());
        for cell in cells {
            cell.put(scratch, None);
        }
        let mut row = Vec::with_capacity(scratch.len());
        row.extend_from_slice(scratch);
        Self(row)
    }

    /// The row of these bytes, if they are one whose fields have numbers below `fields`.
    #[cfg(feature = "node")]
    pub(super) fn read(bytes: &[u8], fields: usize) -> Option<Self> {
        let row = Self(bytes.to_vec());
        let (_, mut cells) = row.parts()?;
        while !cells.is_empty() {
            let cell = Cell::take(&mut cells)?;
            if cell.field as usize >= fields {
                return None;
            }
            if let Content::List(Members(Source::Packed(mut packed))) = cell.content {
                while !packed.is_empty() {
                    Value::take(&mut packed)?;
                }
            }
        }
        Some(row)
    }

    #[cfg(feature = "node")]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn parts(&self) -> Option<(Head<'_>, Bytes<'_>)> {
        let mut from = Bytes::new(&self.0);
        let (flags, birth) = begin(&mut from)?;
        let name = Value::take(&mut from)?;
        let behind = match flags & BEHIND {
            0 => None,
            _ => Some(Value::take(&mut from)?),
        };
        let head = Head {
            in_base: flags & IN_BASE != 0,
            birth,
            name,
            behind,
        };
        Some((head, from))
    }

    /// Whether it is the row of a record that was born under this name, and with this digest if one is asked for.
    pub(super) fn is_of(&self, name: &str, birth: Option<Digest>) -> bool {
        let is_it = || {
            let mut from = Bytes::new(&self.0);
            let (_, born) = begin(&mut from)?;
            if birth.is_some_and(|birth| birth != born.digest) {
                return None;
            }
            if from.byte()? == SPELLED {
                from.run()?;
            }
            Some(from.run()? == name.as_bytes())
        };
        is_it().unwrap_or_default()
    }

    /// The stamp of the birth, and the bytes of all cells.
    fn behind_head(&self) -> Option<(Option<Stamp>, Bytes<'_>)> {
        let mut from = Bytes::new(&self.0);
        let (flags, birth) = begin(&mut from)?;
        let values = if flags & BEHIND == 0 { 1 } else { 2 };
        for _ in 0..values {
            if from.byte()? == SPELLED {
                from.run()?;
            }
            from.run()?;
        }
        Some((birth.stamp, from))
    }

    /// The stamp of the birth.
    pub(super) fn birth(&self) -> Option<Stamp> {
        self.behind_head()?.0
    }

    /// The numbers of the fields that stand.
    pub(super) fn fields(&self) -> impl Iterator<Item = u32> {
        let mut from = self
            .behind_head()
            .map(|(_, cells)| cells)
            .unwrap_or_default();
        std::iter::from_fn(move || {
            while !from.is_empty() {
                let (field, stands, _) = Cell::skip(&mut from)?;
                if stands {
                    return Some(field);
                }
            }
            None
        })
    }

    /// What it begins with; nothing for bytes that are no row, which nobody makes.
    pub(super) fn head(&self) -> Option<Head<'_>> {
        self.parts().map(|(head, _)| head)
    }

    pub(super) fn cells(&self) -> Cells<'_> {
        Cells(self.parts().map(|(_, cells)| cells).unwrap_or_default())
    }

    /// The field that stands under this number.
    pub(super) fn cell(&self, field: u32) -> Option<Cell<'_>> {
        let spot = self.spot(field);
        Cell::take(&mut Bytes::new(self.0.get(spot.start..)?)).filter(|_| spot.is_list.is_some())
    }

    /// Where a field stands, or would stand.
    pub(super) fn spot(&self, field: u32) -> Spot {
        let find = || {
            let (_, mut from) = self.behind_head()?;
            while !from.is_empty() {
                let start = self.0.len() - from.len();
                let (found, stands, is_list) = Cell::skip(&mut from)?;
                if found == field && stands {
                    return Some(Spot {
                        start,
                        end: self.0.len() - from.len(),
                        is_list: Some(is_list),
                    });
                }
            }
            None
        };
        find().unwrap_or(Spot {
            start: self.0.len(),
            end: self.0.len(),
            is_list: None,
        })
    }

    /// Puts a value into a field, in place of what stands there. What stood in the base is kept if `keeps` says so.
    pub(super) fn write(
        &mut self,
        spot: Spot,
        writing: &Writing<'_>,
        by: &Superseding<'_>,
        keeps: impl FnOnce(&Cell<'_>) -> bool,
        scratch: &mut Vec<u8>,
    ) {
        let Spot { start, end, .. } = spot;
        let mut old = Bytes::new(self.0.get(start..end).unwrap_or_default());
        let before = Cell::take(&mut old);
        scratch.clear();
        if let Some(before) = before.filter(|before| before.origin == Origin::Base && keeps(before))
        {
            let ancestor = Writing {
                field: before.field,
                origin: Origin::Ancestor,
                stamp: before.stamp,
                content: before.content,
            };
            ancestor.put(scratch, None);
        }
        writing.put(scratch, Some((before.as_ref(), by, self.birth())));
        self.replace(start, end, scratch);
    }

    /// Puts bytes in the place of others; what follows moves on or back.
    fn replace(&mut self, start: usize, end: usize, with: &[u8]) {
        let (length, now) = (self.0.len(), start + with.len());
        if now > end {
            let more = now - end;
            if self.0.capacity() - length < more {
                self.0.reserve_exact(more + SLACK);
            }
            self.0.resize(length + more, 0);
        }
        self.0.copy_within(end..length, now);
        self.0.truncate(length - end + now);
        if let Some(place) = self.0.get_mut(start..now) {
            place.copy_from_slice(with);
        }
    }
}

/// Where in a row a field stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    start: usize,
    end: usize,
    /// Whether it holds a list; nothing where it does not stand.
    pub(super) is_list: Option<bool>,
}

/// How a row begins: its flags, and the birth of its record.
fn begin(from: &mut Bytes<'_>) -> Option<(u8, Birth)> {
    let flags = from.byte()?;
    let digest = Digest::from_bits(u16::from_le_bytes(*from.array()?))?;
    let stamp = match flags & BIRTH_STAMPED {
        0 => None,
        _ => Some(Stamp::from_bytes(*from.array()?)),
    };
    Some((flags, Birth { stamp, digest }))
}

/// The fields of a row, what was overwritten and is still needed among them.
pub(super) struct Cells<'r>(Bytes<'r>);

impl<'r> Iterator for Cells<'r> {
    type Item = Cell<'r>;

    fn next(&mut self) -> Option<Cell<'r>> {
        Cell::take(&mut self.0)
    }
}
