//! Edits that are over, packed: many in one piece, compressed, instead of a row and four index entries for each.
//!
//! A packed edit is known like any other, to the byte, and whoever reads the store is told of it as before: what is packed makes
//! no difference but in size. So compaction can go wrong in no way that loses anything, it needs nobody's consent, and two
//! who packed at different times show the same. Whatever changes more of a packed edit than its marks unpacks it first.
//!
//! Over are edits that HEAD contains or that others replaced, that are neither parked nor taken up, and not of late.

use std::cell::{OnceCell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::RangeInclusive;
use std::rc::Rc;

use rusqlite::types::{FromSql, ValueRef};
use rusqlite::{Params, Row};
use serde::{Deserialize, Serialize};

use super::columns::limit;
use super::edits::with_body;
use super::format::Body;
use super::touched;
use super::{Error, Issuer, Mark, Marks, Moment, Reading, StoredEdit, Way, Which, Writing};
use crate::crdt::{Replica, Stamp};
use crate::overlay::{CommitId, DocumentPath, Known};

/// Edits in one piece at most.
const MOST: usize = 256;

/// Fewer are not worth a piece of their own.
const FEWEST: usize = 16;

/// How hard zstd tries: about 100 MB a second.
const LEVEL: i32 = 9;

/// An edit as it stood in its row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Packed {
    pub(super) stamp: Stamp,
    pub(super) previous: Option<Stamp>,
    base: Option<CommitId>,
    branch: Option<String>,
    issuer: i64,
    way: i64,
    pub(super) seal: i64,
    body: Vec<u8>,
}

/// A piece.
#[derive(Debug)]
pub(super) struct Pack {
    id: i64,
    document: DocumentPath,
    counting: bool,
    marks: Vec<u8>,
    pub(super) edits: Vec<Packed>,
    /// The edits as their rows would tell them, each with the hashes of what it is about, once somebody asked.
    told: OnceCell<Vec<(StoredEdit, BTreeSet<i64>)>>,
}

/// The pieces that were read last: whoever reads one edit of a piece most often reads others soon.
#[derive(Debug, Default)]
pub(super) struct Pieces(RefCell<VecDeque<Rc<Pack>>>);

/// How many pieces are kept.
const KEPT: usize = 64;

impl Pieces {
    pub(super) fn forget(&self) {
        self.0.borrow_mut().clear();
    }
}

/// Which edits may stand in one piece.
#[derive(Clone, Copy)]
struct Of {
    document: i64,
    replica: Replica,
    superseded: bool,
}

/// What packing did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packing {
    /// Edits that were packed.
    pub edits: usize,
    /// Pieces that they stand in.
    pub pieces: usize,
}

impl Pack {
    /// The place of an edit in it.
    fn place(&self, stamp: Stamp) -> Option<usize> {
        let found = self.edits.binary_search_by_key(&stamp, |edit| edit.stamp);
        found.ok()
    }

    /// All of them as their rows would tell them, with hashes of what they are about.
    fn told(&self) -> rusqlite::Result<&[(StoredEdit, BTreeSet<i64>)]> {
        if let Some(told) = self.told.get() {
            return Ok(told);
        }
        let mut told = Vec::with_capacity(self.edits.len());
        for place in 0..self.edits.len() {
            let edit = self.stored(place)?;
            told.extend(edit.map(|edit| {
                let places = touched::places(&edit.known.deed);
                (edit, places)
            }));
        }
        Ok(self.told.get_or_init(|| told))
    }

    fn marks_at(&self, place: usize) -> rusqlite::Result<Marks> {
        let bits = self.marks.get(place).copied().unwrap_or_default();
        Ok(Marks::column_result(ValueRef::Integer(bits.into()))?)
    }

    /// An edit as its row would tell it.
    fn stored(&self, place: usize) -> rusqlite::Result<Option<StoredEdit>> {
        let Some(edit) = self.edits.get(place) else {
            return Ok(None);
        };
        let body = Body::column_result(ValueRef::Blob(&edit.body))?;
        let issuer = Issuer::column_result(ValueRef::Integer(edit.issuer))?;
        let way = Way::column_result(ValueRef::Integer(edit.way))?;
        Ok(Some(StoredEdit {
            known: Known {
                previous: edit.previous,
                base: edit.base,
                branch: edit.branch.clone(),
                ..with_body(body, edit.stamp, self.document.clone())
            },
            issuer,
            way,
            marks: self.marks_at(place)?,
        }))
    }
}

/// The name of an edit, and its body.
fn touching(edit: &Packed) -> (Stamp, &[u8]) {
    (edit.stamp, &edit.body)
}

fn pack(row: &Row<'_>) -> rusqlite::Result<Pack> {
    let packed: Vec<u8> = row.get(4)?;
    let damaged = |error: Box<dyn std::error::Error + Send + Sync>| {
        rusqlite::Error::FromSqlConversionFailure(4, rusqlite::types::Type::Blob, error)
    };
    let bytes =
        zstd::stream::decode_all(packed.as_slice()).map_err(|error| damaged(error.into()))?;
    let edits = super::format::decode(&bytes).map_err(|error| damaged(error.into()))?;
    Ok(Pack {
        id: row.get(0)?,
        document: row.get(1)?,
        counting: row.get(2)?,
        marks: row.get(3)?,
        edits,
        told: OnceCell::new(),
    })
}

/// A query for pieces.
macro_rules! packs_where {
    ($condition:literal) => {
        concat!(
            "SELECT packs.id, path, counting, marks, edits FROM packs
            JOIN documents ON documents.id = packs.document WHERE ",
            $condition
        )
    };
}

impl Reading<'_> {
    fn packs(&self, sql: &str, values: impl Params) -> Result<Vec<Pack>, Error> {
        self.all(sql, values, pack)
    }

    /// A piece.
    fn piece(&self, id: i64) -> Result<Option<Rc<Pack>>, Error> {
        let pieces = &self.pieces.0;
        let known = pieces.borrow().iter().position(|pack| pack.id == id);
        let known = known.and_then(|at| pieces.borrow_mut().remove(at));
        let pack = match known {
            Some(pack) => Some(pack),
            None => self
                .first(packs_where!("packs.id = ?1"), [id], pack)?
                .map(Rc::new),
        };
        let mut pieces = pieces.borrow_mut();
        pieces.extend(pack.clone());
        if pieces.len() > KEPT {
            pieces.pop_front();
        }
        Ok(pack)
    }

    /// The piece that an edit stands in, and its place there.
    pub(super) fn packed(&self, stamp: Stamp) -> Result<Option<(Rc<Pack>, usize)>, Error> {
        let sql =
            "SELECT id FROM packs WHERE replica = ?1 AND last >= ?2 AND first <= ?2 ORDER BY last";
        let pieces: Vec<i64> = self.all(sql, (stamp.replica(), stamp), |row| row.get(0))?;
        for id in pieces {
            if let Some(pack) = self.piece(id)?
                && let Some(place) = pack.place(stamp)
            {
                return Ok(Some((pack, place)));
            }
        }
        Ok(None)
    }

    /// The number of the seal of a packed edit; `last` is the piece in which one was found last.
    pub(super) fn packed_seal(
        &self,
        stamp: Stamp,
        last: &mut Option<Rc<Pack>>,
    ) -> Result<Option<i64>, Error> {
        let place = last.as_ref().and_then(|pack| pack.place(stamp));
        if place.is_none() {
            let Some((pack, _)) = self.packed(stamp)? else {
                return Ok(None);
            };
            *last = Some(pack);
        }
        let edit = last
            .as_ref()
            .and_then(|pack| pack.edits.get(pack.place(stamp)?));
        Ok(edit.map(|edit| edit.seal))
    }

    /// The packed edit with this stamp.
    pub(super) fn packed_edit(&self, stamp: Stamp) -> Result<Option<StoredEdit>, Error> {
        let Some((pack, place)) = self.packed(stamp)? else {
            return Ok(None);
        };
        pack.stored(place).map_err(|source| self.failed(source))
    }

    /// The newest packed edits that were made here, at least `most` if there are so many.
    pub(super) fn packed_last_own(&self, most: usize) -> Result<Vec<StoredEdit>, Error> {
        let sql = "SELECT id, last FROM packs ORDER BY last DESC";
        let pieces: Vec<(i64, Stamp)> = self.all(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut found: Vec<StoredEdit> = Vec::new();
        for (id, last) in pieces {
            // All that is later than this piece stands in the ones that were read.
            if found.iter().filter(|edit| edit.known.stamp > last).count() >= most {
                break;
            }
            let packs = self.packs(packs_where!("packs.id = ?1"), [id])?;
            let mut edits = self.unpacked(packs, |_| true)?;
            edits.retain(|edit| edit.issuer == Issuer::Own);
            found.extend(edits);
        }
        Ok(found)
    }

    /// The packed edits of a document, of those that count all that may.
    pub(super) fn packed_of(
        &self,
        document: &DocumentPath,
        which: Which,
    ) -> Result<Vec<StoredEdit>, Error> {
        let all = packs_where!("path = ?1");
        let counting = packs_where!("path = ?1 AND counting = 1");
        let sql = match which {
            Which::All => all,
            Which::Counting => counting,
        };
        self.unpacked(self.packs(sql, [document])?, |_| true)
    }

    /// The packed edits of a document that its HEAD does not contain, of those that count all that may.
    pub(super) fn packed_open(
        &self,
        document: &DocumentPath,
        which: Which,
    ) -> Result<Vec<StoredEdit>, Error> {
        let open = self.packed_marked(which, |marks| !marks.contains(Mark::Contained))?;
        let open = open.into_iter().filter(|(path, _)| path == document);
        Ok(open.map(|(_, edit)| edit).collect())
    }

    /// The newest packed edits of a document among those before a stamp, at least `most` if there are so many, the newest first; with
    /// a number by which places are found, from the pieces alone in which some edits are about that.
    pub(super) fn packed_before(
        &self,
        document: &DocumentPath,
        place: Option<i64>,
        before: Option<Stamp>,
        most: usize,
    ) -> Result<Vec<StoredEdit>, Error> {
        let sql =
            "SELECT id, last FROM packs WHERE document = (SELECT id FROM documents WHERE path = ?1)
            AND first < coalesce(?2, '~') AND (?3 IS NULL OR id IN (
                SELECT pack FROM packed_touched WHERE document = packs.document AND place = ?3))
            ORDER BY last DESC";
        let pieces: Vec<(i64, Stamp)> = self.all(sql, (document, before, place), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        let mut found: Vec<StoredEdit> = Vec::new();
        for (id, last) in pieces {
            // All that comes after this piece stands in the ones that were read.
            let after = found.iter().filter(|edit| edit.known.stamp > last).count();
            if after >= most {
                break;
            }
            let Some(pack) = self.piece(id)? else {
                continue;
            };
            let told = pack.told().map_err(|source| self.failed(source))?;
            let wanted = told.iter().filter(|(edit, places)| {
                before.is_none_or(|before| edit.known.stamp < before)
                    && place.is_none_or(|place| places.contains(&place))
            });
            found.extend(wanted.map(|(edit, _)| edit.clone()));
        }
        found.sort_unstable_by_key(|edit| Reverse(edit.known.stamp));
        Ok(found)
    }

    fn unpacked(
        &self,
        packs: Vec<Pack>,
        wanted: impl Fn(&Packed) -> bool,
    ) -> Result<Vec<StoredEdit>, Error> {
        let mut all = Vec::new();
        for pack in packs {
            for (place, _) in pack
                .edits
                .iter()
                .enumerate()
                .filter(|(_, edit)| wanted(edit))
            {
                all.extend(pack.stored(place).map_err(|source| self.failed(source))?);
            }
        }
        Ok(all)
    }

    /// The first packed edits of a replica after one of them, at least `most` if there are so many, in their order.
    pub(super) fn packed_after(
        &self,
        replica: Replica,
        after: Option<Stamp>,
        most: usize,
    ) -> Result<Vec<StoredEdit>, Error> {
        let sql = "SELECT id, first, last FROM packs WHERE replica = ?1 AND last > coalesce(?2, '') ORDER BY first";
        let pieces: Vec<(i64, Stamp, Stamp)> = self.all(sql, (replica, after), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
        let mut found: Vec<StoredEdit> = Vec::new();
        for (id, first, _) in pieces {
            // All that comes before this piece stands in the ones that were read.
            let before = found.iter().filter(|edit| edit.known.stamp < first).count();
            if before >= most {
                break;
            }
            let pack = self.packs(packs_where!("packs.id = ?1"), [id])?;
            found.extend(self.unpacked(pack, |edit| Some(edit.stamp) > after)?);
        }
        found.sort_unstable_by_key(|edit| edit.known.stamp);
        Ok(found)
    }

    /// The packed edits that were made here from this stamp on.
    pub(super) fn packed_own_from(&self, from: Stamp) -> Result<Vec<StoredEdit>, Error> {
        let packs = self.packs(packs_where!("last >= ?1"), [from])?;
        let mut edits = self.unpacked(packs, |edit| edit.stamp >= from)?;
        edits.retain(|edit| edit.issuer == Issuer::Own);
        Ok(edits)
    }

    /// The packed edits of a replica, each with the one that it was made after.
    pub(super) fn packed_links(
        &self,
        replica: Replica,
    ) -> Result<Vec<(Stamp, Option<Stamp>)>, Error> {
        let packs = self.packs(packs_where!("replica = ?1"), [replica])?;
        let links = packs.iter().flat_map(|pack| &pack.edits);
        Ok(links.map(|edit| (edit.stamp, edit.previous)).collect())
    }

    /// A packed edit of a replica that was made after `previous`: two write under one name where another one was, too.
    pub(super) fn packed_behind(
        &self,
        replica: Replica,
        previous: Option<Stamp>,
    ) -> Result<Option<Stamp>, Error> {
        let sql = packs_where!("replica = ?1 AND last > coalesce(?2, '')");
        let packs = self.packs(sql, (replica, previous))?;
        let all = packs.iter().flat_map(|pack| &pack.edits);
        let behind = all.filter(|edit| edit.previous == previous);
        Ok(behind.map(|edit| edit.stamp).min())
    }

    /// The packed edits with their documents of which `wanted` holds of the marks; of those that count all that may.
    fn packed_marked(
        &self,
        which: Which,
        wanted: impl Fn(Marks) -> bool,
    ) -> Result<Vec<(DocumentPath, StoredEdit)>, Error> {
        let sql = "SELECT id, marks FROM packs WHERE counting >= ?1";
        let marks: Vec<(i64, Vec<u8>)> = self.all(sql, [which == Which::Counting], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        let mut found = Vec::new();
        for (id, bits) in marks {
            let of = |bits: &u8| Marks::column_result(ValueRef::Integer((*bits).into()));
            if !bits.iter().any(|bits| of(bits).is_ok_and(&wanted)) {
                continue;
            }
            let packs = self.packs(packs_where!("packs.id = ?1"), [id])?;
            let edits = self.unpacked(packs, |_| true)?;
            let marked = edits.into_iter().filter(|edit| wanted(edit.marks));
            found.extend(marked.map(|edit| (edit.known.document.clone(), edit)));
        }
        Ok(found)
    }

    /// The packed edits that were made here, are shown and not contained.
    pub(super) fn packed_uncommitted(&self) -> Result<Vec<Stamp>, Error> {
        let is_open =
            |marks: Marks| marks.contains(Mark::Shown) && !marks.contains(Mark::Contained);
        let found = self.packed_marked(Which::All, is_open)?.into_iter();
        let own = found.filter(|(_, edit)| edit.issuer == Issuer::Own);
        Ok(own.map(|(_, edit)| edit.known.stamp).collect())
    }

    /// The documents of which packed edits are parked.
    pub(super) fn packed_parked(&self) -> Result<BTreeSet<DocumentPath>, Error> {
        let found = self.packed_marked(Which::All, |marks| marks.contains(Mark::Parked))?;
        Ok(found.into_iter().map(|(document, _)| document).collect())
    }

    /// The bases of the packed edits of others that are not contained, with what was published of each.
    pub(super) fn packed_bases(&self) -> Result<BTreeMap<CommitId, Vec<CommitId>>, Error> {
        let found = self.packed_marked(Which::All, |marks| !marks.contains(Mark::Contained))?;
        let others = found
            .into_iter()
            .filter(|(_, edit)| edit.issuer == Issuer::Other);
        let base = |(_, edit): (_, StoredEdit)| Some((edit.known.base?, edit.known.published));
        Ok(others.filter_map(base).collect())
    }

    /// The marks of the packed edits of a document.
    pub(super) fn packed_marks(
        &self,
        document: &DocumentPath,
    ) -> Result<Vec<(Stamp, Marks)>, Error> {
        let mut marks = Vec::new();
        for pack in self.packs(packs_where!("path = ?1"), [document])? {
            for (place, edit) in pack.edits.iter().enumerate() {
                let of = pack.marks_at(place).map_err(|source| self.failed(source))?;
                marks.push((edit.stamp, of));
            }
        }
        Ok(marks)
    }

    /// The stamps of a document that are packed as superseded.
    pub(super) fn packed_superseded(&self, document: i64) -> Result<Vec<Stamp>, Error> {
        let packs = self.packs(
            packs_where!("packs.document = ?1 AND counting = 0"),
            [document],
        )?;
        let edits = packs.iter().flat_map(|pack| &pack.edits);
        Ok(edits.map(|edit| edit.stamp).collect())
    }
}

impl Reading<'_> {
    /// When all was packed that was over, by itself.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn last_packing(&self) -> Result<Option<Moment>, Error> {
        let sql = "SELECT packed FROM work_tree WHERE packed IS NOT NULL";
        self.first(sql, [], |row| row.get(0))
    }
}

impl Writing<'_> {
    /// Packs what is over of the edits that were made before a moment, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn pack(&self, before_unix_millis: u64) -> Result<Packing, Error> {
        self.pack_in(before_unix_millis, FEWEST..=MOST, usize::MAX)
    }

    /// As [`pack`](Self::pack), so many pieces at most; notes that it is done at this moment once nothing is left.
    ///
    /// # Errors
    /// As there.
    pub fn pack_some(
        &self,
        before_unix_millis: u64,
        most: usize,
        now: Moment,
    ) -> Result<Packing, Error> {
        let packing = self.pack_in(before_unix_millis, FEWEST..=MOST, most)?;
        if packing.pieces < most {
            self.run("UPDATE work_tree SET packed = ?1", [now])?;
        }
        Ok(packing)
    }

    /// The same in pieces of so many edits.
    fn pack_in(
        &self,
        before_unix_millis: u64,
        sizes: RangeInclusive<usize>,
        most: usize,
    ) -> Result<Packing, Error> {
        let mut packing = Packing::default();
        let forked: BTreeSet<Replica> = self.forked()?.into_iter().collect();
        let sql = "SELECT DISTINCT document, replica, superseded FROM edits";
        let chains: Vec<(i64, Replica, bool)> =
            self.all(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        for (document, replica, superseded) in chains {
            if forked.contains(&replica) {
                continue;
            }
            let of = Of {
                document,
                replica,
                superseded,
            };
            while packing.pieces < most {
                let edits = self.over(of, before_unix_millis, *sizes.end())?;
                if edits.len() < *sizes.start() {
                    break;
                }
                packing.edits += edits.len();
                packing.pieces += 1;
                self.keep_pack(of, edits)?;
            }
        }
        Ok(packing)
    }

    /// The first of these edits that are over, with the numbers of their rows and their marks.
    fn over(
        &self,
        of: Of,
        before_unix_millis: u64,
        most: usize,
    ) -> Result<Vec<(i64, u8, Packed)>, Error> {
        // The last one of a replica tells which comes next, and what is behind a hole is no part of its mark.
        let sql = "SELECT edits.id, coalesce(bits, 0), stamp, previous, base, branch, issuer, way, seal, body
            FROM edits JOIN chains USING (replica) LEFT JOIN marks ON marks.edit = edits.id
            WHERE document = ?1 AND edits.replica = ?2 AND superseded = ?7 AND seal IS NOT NULL
                AND stamp < ?3 AND stamp < upto
                AND (superseded OR coalesce(bits, 0) & ?4) AND NOT coalesce(bits, 0) & ?5
                AND NOT EXISTS (SELECT 1 FROM equivocations WHERE equivocations.stamp = edits.stamp)
            ORDER BY stamp LIMIT ?6";
        let before = Stamp::first_after(before_unix_millis);
        let contained = Marks::default().with(Mark::Contained);
        let marked: Marks = [Mark::Parked, Mark::TakenUp].into_iter().collect();
        let most = limit(most);
        let values = (
            of.document,
            of.replica,
            before,
            contained,
            marked,
            most,
            of.superseded,
        );
        self.all(sql, values, |row| {
            let packed = Packed {
                stamp: row.get(2)?,
                previous: row.get(3)?,
                base: row.get(4)?,
                branch: row.get(5)?,
                issuer: row.get(6)?,
                way: row.get(7)?,
                seal: row.get(8)?,
                body: row.get(9)?,
            };
            Ok((row.get(0)?, row.get(1)?, packed))
        })
    }

    fn keep_pack(&self, of: Of, edits: Vec<(i64, u8, Packed)>) -> Result<(), Error> {
        let (mut rows, mut marks, mut packed) = (Vec::new(), Vec::new(), Vec::new());
        for (row, bits, edit) in edits {
            rows.push(row);
            marks.push(bits);
            packed.push(edit);
        }
        let (Some(first), Some(last)) = (packed.first(), packed.last()) else {
            return Ok(());
        };
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
            self.failed(rusqlite::Error::ToSqlConversionFailure(error))
        };
        let bytes = super::format::encode(&packed).map_err(|error| failed(error.into()))?;
        let bytes = zstd::stream::encode_all(bytes.as_slice(), LEVEL)
            .map_err(|error| failed(error.into()))?;
        self.run(
            "INSERT INTO packs (document, replica, first, last, counting, marks, edits)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            (
                of.document,
                of.replica,
                first.stamp,
                last.stamp,
                !of.superseded,
                marks,
                bytes,
            ),
        )?;
        let pack = self.transaction.last_insert_rowid();
        self.pack_touched(of.document, pack, packed.iter().map(touching))?;
        for row in rows {
            self.run("DELETE FROM marks WHERE edit = ?1", [row])?;
            self.run("DELETE FROM edits WHERE id = ?1", [row])?;
        }
        Ok(())
    }

    /// Gives those of these edits that are packed other marks: what `change` makes of the ones that they have.
    pub(super) fn mark_packed(
        &self,
        stamps: &BTreeSet<Stamp>,
        change: impl Fn(Stamp, u8) -> u8,
    ) -> Result<(), Error> {
        let sql = "SELECT id, replica, first, last FROM packs";
        let pieces: Vec<(i64, Replica, Stamp, Stamp)> = self.all(sql, [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?;
        for (id, replica, first, last) in pieces {
            let mut within = stamps.range(first..=last);
            if !within.any(|stamp| stamp.replica() == replica) {
                continue;
            }
            for mut pack in self.packs(packs_where!("packs.id = ?1"), [id])? {
                let mut is_changed = false;
                for (edit, bits) in pack.edits.iter().zip(&mut pack.marks) {
                    if stamps.contains(&edit.stamp) {
                        let changed = change(edit.stamp, *bits);
                        is_changed |= changed != *bits;
                        *bits = changed;
                    }
                }
                if is_changed {
                    let sql = "UPDATE packs SET marks = ?2 WHERE id = ?1";
                    self.run(sql, (pack.id, pack.marks))?;
                }
            }
        }
        Ok(())
    }

    /// Notes that all packed edits of a document may count.
    pub(super) fn note_packed_counting(&self, document: i64) -> Result<(), Error> {
        let sql = "UPDATE packs SET counting = 1 WHERE document = ?1 AND counting = 0";
        self.run(sql, [document])?;
        Ok(())
    }

    /// Notes which pieces of a document hold nothing that counts.
    pub(super) fn note_packed_superseded(
        &self,
        document: &DocumentPath,
        superseded: &BTreeSet<Stamp>,
    ) -> Result<(), Error> {
        let sql = packs_where!("path = ?1 AND counting = 1");
        for pack in self.packs(sql, [document])? {
            if pack
                .edits
                .iter()
                .all(|edit| superseded.contains(&edit.stamp))
            {
                self.run("UPDATE packs SET counting = 0 WHERE id = ?1", [pack.id])?;
            }
        }
        Ok(())
    }

    /// Unpacks the edits of a replica behind one of them, or all.
    pub(super) fn unpack_behind(
        &self,
        replica: Replica,
        behind: Option<Stamp>,
    ) -> Result<(), Error> {
        let sql = packs_where!("replica = ?1 AND last > coalesce(?2, '')");
        self.unpack(self.packs(sql, (replica, behind))?)
    }

    /// Unpacks what was packed together with an edit.
    pub(super) fn unpack_with(&self, stamp: Stamp) -> Result<(), Error> {
        match self.packed(stamp)? {
            Some((pack, _)) => {
                let packs = self.packs(packs_where!("packs.id = ?1"), [pack.id])?;
                self.unpack(packs)
            }
            None => Ok(()),
        }
    }

    /// Unpacks everything.
    pub(super) fn unpack_all(&self) -> Result<(), Error> {
        self.unpack(self.packs(packs_where!("1"), [])?)
    }

    fn unpack(&self, packs: Vec<Pack>) -> Result<(), Error> {
        for pack in packs {
            let document = self.number_of(&pack.document)?;
            let superseded = !pack.counting;
            for (edit, bits) in pack.edits.iter().zip(&pack.marks) {
                self.run(
                    "INSERT INTO edits (stamp, replica, previous, document, base, branch, issuer, way, seal, body, superseded)
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                    (
                        edit.stamp,
                        edit.stamp.replica(),
                        edit.previous,
                        document,
                        edit.base,
                        &edit.branch,
                        edit.issuer,
                        edit.way,
                        edit.seal,
                        &edit.body,
                        superseded,
                    ),
                )?;
                self.run(
                    "INSERT INTO marks (edit, bits) VALUES (?1, ?2)",
                    (self.transaction.last_insert_rowid(), bits),
                )?;
            }
            self.unpack_touched(document, pack.id, pack.edits.iter().map(touching))?;
            self.run("DELETE FROM packs WHERE id = ?1", [pack.id])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
