//! Writes a body: numbers, texts, and tables of what it names more than once.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::limits::{BODY, DEPTH, ITEM_ROOM, ROOM, text_room};
use super::{Coded, Unsendable};
use crate::crdt::{Path, Replica, Stamp};
use crate::overlay::{CommitId, DocumentPath, Known};

/// A body that is being written.
#[derive(Debug, Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    room: usize,
    is_too_deep: bool,
    depth: usize,
    texts: Table<String>,
    documents: Table<DocumentPath>,
    commits: Table<CommitId>,
    replicas: Table<Replica>,
    last_millis: u64,
    pub(super) last_edit: Option<Header>,
    pub(super) last_path: Path,
}

/// What an edit may share with the one before it.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) stamp: Stamp,
    pub(super) document: DocumentPath,
    pub(super) base: Option<CommitId>,
    pub(super) published: Vec<CommitId>,
    pub(super) branch: Option<String>,
}

impl Header {
    /// That of an edit, behind one whose header is at hand: mostly only the stamp is another one.
    pub(super) fn following(before: Option<Self>, edit: &Known) -> Self {
        match before {
            Some(before)
                if before.document == edit.document
                    && before.base == edit.base
                    && before.published == edit.published
                    && before.branch == edit.branch =>
            {
                Self {
                    stamp: edit.stamp,
                    ..before
                }
            }
            _ => Self::of(edit),
        }
    }

    fn of(edit: &Known) -> Self {
        Self {
            stamp: edit.stamp,
            document: edit.document.clone(),
            base: edit.base,
            published: edit.published.clone(),
            branch: edit.branch.clone(),
        }
    }
}

/// What was named so far, and its number.
#[derive(Debug)]
struct Table<T>(FxHashMap<T, u64>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(FxHashMap::default())
    }
}

impl<T: Eq + Hash> Table<T> {
    /// The number of what has one; else it gets the next one.
    fn number<Q: ?Sized + Eq + Hash>(&mut self, named: &Q, owned: impl Fn(&Q) -> T) -> Option<u64>
    where
        T: std::borrow::Borrow<Q>,
    {
        if let Some(number) = self.0.get(named) {
            return Some(*number);
        }
        self.0.insert(owned(named), self.0.len() as u64);
        None
    }
}

impl Writer {
    /// The body.
    ///
    /// # Errors
    /// When nobody would take it.
    pub(super) fn finish(self) -> Result<Vec<u8>, Unsendable> {
        self.check()?;
        Ok(self.bytes)
    }

    /// All that was written, whether or not anybody would take it.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Whether what was written so far would be taken.
    ///
    /// # Errors
    /// When it would not.
    pub(super) fn check(&self) -> Result<(), Unsendable> {
        if self.is_too_deep {
            Err(Unsendable::Depth)
        } else if self.bytes.len() > BODY {
            Err(Unsendable::Bytes(self.bytes.len()))
        } else if self.room > ROOM {
            Err(Unsendable::Room(self.room))
        } else {
            Ok(())
        }
    }

    /// Bytes written.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Room that what was written takes where it is read.
    pub(super) fn room(&self) -> usize {
        self.room
    }

    /// Counts room.
    pub(super) fn charge(&mut self, room: usize) {
        self.room = self.room.saturating_add(room);
    }

    /// Writes what is nested; not where it is nested too deeply.
    pub(super) fn nested(&mut self, write: impl FnOnce(&mut Self)) {
        if self.depth == DEPTH {
            self.is_too_deep = true;
            return;
        }
        self.depth += 1;
        write(self);
        self.depth -= 1;
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Seven bits a byte, the low ones first; all bytes but the last have the high bit.
    pub(super) fn number(&mut self, mut number: u64) {
        while number > 0x7f {
            self.byte(number as u8 | 0x80);
            number >>= 7;
        }
        self.byte(number as u8);
    }

    pub(super) fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    /// How many, and then each.
    pub(super) fn all<'t, T: Coded + 't>(&mut self, items: impl ExactSizeIterator<Item = &'t T>) {
        self.count(items.len());
        items.for_each(|item| item.write(self));
    }

    /// The first number of a text, which tells whether it has a number in the table; and whether its bytes must follow.
    fn head(&mut self, text: &str) -> (u64, bool) {
        self.charge(text_room(text.len()));
        match self.texts.number(text, str::to_owned) {
            Some(number) => (number << 1 | 1, false),
            None => ((text.len() as u64) << 1, true),
        }
    }

    /// A text whose first number has `form` in its low bits.
    pub(super) fn text_in_form(&mut self, text: &str, form: u64, form_bits: u32) {
        let (head, is_new) = self.head(text);
        self.number(head << form_bits | form);
        if is_new {
            self.raw(text.as_bytes());
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        self.text_in_form(text, 0, 0);
    }

    /// A text that might be missing.
    pub(super) fn optional_text(&mut self, text: &str) {
        let (head, is_new) = self.head(text);
        self.number(head + 1);
        if is_new {
            self.raw(text.as_bytes());
        }
    }

    pub(super) fn document(&mut self, document: &DocumentPath) {
        self.charge(text_room(document.as_bytes().len()));
        let named = self.documents.number(document, Clone::clone);
        let length = document.as_bytes().len() as u64;
        self.number(named.map_or(length << 1, |number| number << 1 | 1));
        if named.is_none() {
            self.raw(document.as_bytes());
        }
    }

    /// A commit, by its number if it has one, else by the next one; one more where it may be missing.
    pub(super) fn commit(&mut self, commit: CommitId, offset: u64) {
        self.charge(ITEM_ROOM);
        let next = self.commits.0.len() as u64;
        let named = self.commits.number(&commit, Clone::clone);
        self.number(named.unwrap_or(next) + offset);
        if named.is_none() {
            self.raw(commit.as_bytes());
        }
    }

    /// A replica, by its number if it has one, else by the next one.
    pub(super) fn replica(&mut self, replica: Replica) {
        let next = self.replicas.0.len() as u64;
        let named = self.replicas.number(&replica, Clone::clone);
        self.number(named.unwrap_or(next));
        if named.is_none() {
            self.raw(&replica.bits().to_le_bytes());
        }
    }

    /// Its replica, and how much later than the stamp before it it is.
    pub(super) fn stamp(&mut self, stamp: Stamp) {
        self.charge(ITEM_ROOM);
        self.replica(stamp.replica());
        let later = stamp.unix_millis().wrapping_sub(self.last_millis) as i64;
        self.number((later << 1 ^ later >> 63) as u64);
        self.last_millis = stamp.unix_millis();
    }
}
