//! Reads a body that anybody may have written: every count is checked against the bytes that are left, all that is
//! allocated against the room of a message.

use super::limits::{DEPTH, ITEM_ROOM, ROOM, text_room};
use super::writer::Header;
use super::{Coded, Malformed};
use crate::crdt::{Path, Replica, Stamp};
use crate::overlay::{CommitId, DocumentPath};

/// What is left of a body, and what it named so far.
#[derive(Debug)]
pub(super) struct Reader<'b> {
    rest: &'b [u8],
    room: usize,
    depth: usize,
    texts: Vec<&'b str>,
    documents: Vec<&'b [u8]>,
    commits: Vec<CommitId>,
    replicas: Vec<Replica>,
    last_millis: u64,
    pub(super) last_edit: Option<Header>,
    pub(super) last_path: Path,
}

impl<'b> Reader<'b> {
    pub(super) fn new(body: &'b [u8]) -> Self {
        Self {
            rest: body,
            room: ROOM,
            depth: 0,
            texts: Vec::new(),
            documents: Vec::new(),
            commits: Vec::new(),
            replicas: Vec::new(),
            last_millis: 0,
            last_edit: None,
            last_path: Path::default(),
        }
    }

    /// Bytes that are left.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    /// Room that was taken.
    #[cfg(test)]
    pub(super) fn room(&self) -> usize {
        ROOM - self.room
    }

    /// Takes room.
    ///
    /// # Errors
    /// When none is left.
    pub(super) fn charge(&mut self, room: usize) -> Result<(), Malformed> {
        self.room = self.room.checked_sub(room).ok_or(Malformed::Room)?;
        Ok(())
    }

    /// Reads what is nested.
    ///
    /// # Errors
    /// Those of `read`, and when it is nested too deeply.
    pub(super) fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<T, Malformed> {
        if self.depth == DEPTH {
            return Err(Malformed::Depth);
        }
        self.depth += 1;
        let nested = read(self);
        self.depth -= 1;
        nested
    }

    pub(super) fn raw(&mut self, length: usize) -> Result<&'b [u8], Malformed> {
        let (raw, rest) = self.rest.split_at_checked(length).ok_or(Malformed::Short)?;
        self.rest = rest;
        Ok(raw)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(Malformed::Short)?;
        self.rest = rest;
        Ok(*array)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    /// The byte that comes next, which stays.
    pub(super) fn next(&self) -> Result<u8, Malformed> {
        self.rest.first().copied().ok_or(Malformed::Short)
    }

    pub(super) fn number(&mut self) -> Result<u64, Malformed> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            let is_longest_or_empty = byte == 0 && shift > 0;
            if is_longest_or_empty || bits << shift >> shift != bits {
                return Err(Malformed::Number);
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Malformed::Number)
    }

    /// A number that a smaller type holds.
    pub(super) fn small<T: TryFrom<u64>>(&mut self) -> Result<T, Malformed> {
        T::try_from(self.number()?).map_err(|_| Malformed::Number)
    }

    /// How many items follow, each of which takes a byte at least.
    pub(super) fn count(&mut self) -> Result<usize, Malformed> {
        let count = self.small()?;
        match count <= self.left() {
            true => Ok(count),
            false => Err(Malformed::Short),
        }
    }

    /// How many, and then each.
    pub(super) fn all<T: Coded>(&mut self) -> Result<Vec<T>, Malformed> {
        let count = self.count()?;
        (0..count).map(|_| T::read(self)).collect()
    }

    /// The text of this first number.
    pub(super) fn text_of(&mut self, head: u64) -> Result<&'b str, Malformed> {
        let number = usize::try_from(head >> 1).map_err(|_| Malformed::Number)?;
        let text = if head & 1 == 1 {
            *self.texts.get(number).ok_or(Malformed::Unnamed)?
        } else {
            let text = str::from_utf8(self.raw(number)?)?;
            self.texts.push(text);
            text
        };
        self.charge(text_room(text.len()))?;
        Ok(text)
    }

    pub(super) fn text(&mut self) -> Result<&'b str, Malformed> {
        let head = self.number()?;
        self.text_of(head)
    }

    pub(super) fn document(&mut self) -> Result<DocumentPath, Malformed> {
        let head = self.number()?;
        let number = usize::try_from(head >> 1).map_err(|_| Malformed::Number)?;
        let bytes = if head & 1 == 1 {
            *self.documents.get(number).ok_or(Malformed::Unnamed)?
        } else {
            let bytes = self.raw(number)?;
            self.documents.push(bytes);
            bytes
        };
        self.charge(text_room(bytes.len()))?;
        Ok(DocumentPath::new(bytes))
    }

    /// The commit with this number, or a new one where it is the next.
    pub(super) fn commit_of(&mut self, number: u64) -> Result<CommitId, Malformed> {
        self.charge(ITEM_ROOM)?;
        let number = usize::try_from(number).map_err(|_| Malformed::Number)?;
        if let Some(commit) = self.commits.get(number) {
            return Ok(*commit);
        }
        if number != self.commits.len() {
            return Err(Malformed::Unnamed);
        }
        let commit = CommitId::from_bytes(self.array()?);
        self.commits.push(commit);
        Ok(commit)
    }

    pub(super) fn replica(&mut self) -> Result<Replica, Malformed> {
        let number: usize = self.small()?;
        if let Some(replica) = self.replicas.get(number) {
            return Ok(*replica);
        }
        if number != self.replicas.len() {
            return Err(Malformed::Unnamed);
        }
        let replica = Replica::read(self)?;
        self.replicas.push(replica);
        Ok(replica)
    }

    pub(super) fn stamp(&mut self) -> Result<Stamp, Malformed> {
        self.charge(ITEM_ROOM)?;
        let replica = self.replica()?;
        let number = self.number()?;
        let later = (number >> 1) as i64 ^ -((number & 1) as i64);
        let millis = self.last_millis.wrapping_add(later as u64);
        self.last_millis = millis;
        Stamp::from_unix_millis(millis, replica).ok_or(Malformed::Time)
    }
}
