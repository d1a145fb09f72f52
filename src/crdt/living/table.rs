//! The records of one list: rows of bytes as long as nothing in them is contested, and where they stand.

use std::collections::HashSet;

use rustc_hash::FxHashMap;
use xxhash_rust::xxh3::xxh3_64;

use crate::crdt::document::{Atom, Birth, Map, Node, Path, Record, Stamps, Step};
use crate::crdt::edit::{Act, Change};
use crate::crdt::set::{Key, Order, born_as, split_second_name};
use crate::crdt::view::records::Member;
use crate::crdt::view::{Touch, Viewing};
use crate::crdt::{Digest, Observed, Rules, Stamp};

use super::row::{Cell, Content, Head, Members, Origin, Row, Spot, Superseding, Value, Writing};
use super::units::{Open, Touches};

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
    fn key(&self) -> Option<(&str, Digest)> {
        match self {
            Self::Row(row) => row_key(row),
            Self::Gone(gone) => row_key(&gone.row),
            Self::Open(open) => Some((&open.key.family, open.key.birth)),
        }
    }

    fn is_of(&self, family: &str, birth: Option<Digest>) -> bool {
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

/// The names of fields, each written once.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    names: Vec<Box<str>>,
    numbers: FxHashMap<Box<str>, u32>,
}

impl Names {
    pub(super) fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len() as u32;
        self.names.push(name.into());
        self.numbers.insert(name.into(), number);
        number
    }

    pub(super) fn known(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    pub(super) fn name(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or("", |name| name)
    }

    #[cfg(feature = "node")]
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(AsRef::as_ref)
    }
}

/// What a table needs of the document that it is in.
pub(super) struct Around<'a> {
    pub(super) rules: &'a Rules<'a>,
    pub(super) names: &'a mut Names,
    pub(super) scratch: &'a mut Vec<u8>,
    /// Whether something lost in the place that is edited.
    pub(super) has_losers: bool,
    /// The number of the edit, and the last one that any edit has.
    pub(super) edit: usize,
    pub(super) last_edit: &'a mut usize,
    /// Whether the edit changes several fields of this record that change together.
    pub(super) in_group: bool,
}

/// The records of one list.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    rows: Vec<Kept>,
    /// The numbers of rows by the hashes of the names that they were born under; what finds its place taken takes the next.
    index: FxHashMap<u64, u32>,
    /// The first so many rows stand in the document that the edits were made on, which has the list.
    base: u32,
    pub(super) in_base: bool,
    /// Rows in order, those that are gone among them; nothing as long as that has to be found out.
    spots: Option<Vec<u32>>,
    /// Whether two were born under one name.
    has_twins: bool,
}

impl Table {
    /// The list that the document has which the edits were made on. Records in which something counts are viewed from scratch.
    pub(super) fn of_base(
        records: &[Record],
        counting: &HashSet<(String, Digest)>,
        around: &mut Around<'_>,
    ) -> Self {
        let mut table = Self {
            in_base: true,
            spots: Some(Vec::with_capacity(records.len())),
            base: records.len() as u32,
            rows: Vec::with_capacity(records.len()),
            ..Self::default()
        };
        for record in records {
            let counts =
                || counting.contains(&(record.name.said().to_owned(), record.birth.digest));
            let kept = match base_row(record, around) {
                Some(row) if counting.is_empty() || !counts() => Kept::Row(row),
                _ => Kept::Open(Box::new(Open {
                    key: Key::of(record),
                    base: Some(record.clone()),
                    touches: Touches::default(),
                })),
            };
            let number = table.push(kept);
            table.spots.iter_mut().for_each(|spots| spots.push(number));
        }
        table
    }

    pub(super) fn new() -> Self {
        Self {
            spots: Some(Vec::new()),
            ..Self::default()
        }
    }

    /// What was saved: rows in the order in which they came to be known.
    #[cfg(feature = "node")]
    pub(super) fn restored(
        rows: Vec<Kept>,
        base: u32,
        in_base: bool,
        spots: Option<Vec<u32>>,
    ) -> Option<Self> {
        let fits = base as usize <= rows.len()
            && spots
                .iter()
                .flatten()
                .all(|spot| (*spot as usize) < rows.len());
        if !fits {
            return None;
        }
        let mut table = Self {
            base,
            in_base,
            rows: Vec::with_capacity(rows.len()),
            spots: None,
            ..Self::default()
        };
        table.index.reserve(rows.len());
        for row in rows {
            table.push(row);
        }
        if !table.has_twins {
            table.spots = spots;
        }
        Some(table)
    }

    /// Whether two were born under one name.
    pub(super) fn has_twins(&self) -> bool {
        self.has_twins
    }

    #[cfg(feature = "node")]
    pub(super) fn rows(&self) -> &[Kept] {
        &self.rows
    }

    #[cfg(feature = "node")]
    pub(super) fn base(&self) -> u32 {
        self.base
    }

    pub(super) fn spots(&self) -> Option<&[u32]> {
        self.spots.as_deref()
    }

    pub(super) fn row(&self, number: u32) -> Option<&Kept> {
        self.rows.get(number as usize)
    }

    /// Adds a record that is not in any order yet.
    fn push(&mut self, kept: Kept) -> u32 {
        let number = self.rows.len() as u32;
        let family = kept.key().map(|(family, _)| family).unwrap_or_default();
        let mut hash = xxh3_64(family.as_bytes());
        while let Some(taken) = self.index.get(&hash) {
            let other = self.rows.get(*taken as usize).and_then(Kept::key);
            self.has_twins |= other.is_some_and(|(other, _)| other == family);
            hash = hash.wrapping_add(1);
        }
        self.index.insert(hash, number);
        self.rows.push(kept);
        if self.has_twins {
            self.spots = None;
        }
        number
    }

    /// The row of the record that was born under a name, with this digest if one is asked for.
    pub(super) fn find(&self, family: &str, birth: Option<Digest>) -> Option<u32> {
        let mut hash = xxh3_64(family.as_bytes());
        while let Some(number) = self.index.get(&hash) {
            if self.row(*number)?.is_of(family, birth) {
                return Some(*number);
            }
            hash = hash.wrapping_add(1);
        }
        None
    }

    /// An edit changed a record, or what it holds.
    pub(super) fn apply(
        &mut self,
        change: &Change,
        name: &Atom,
        birth: Digest,
        rest: &[Step],
        stamp: Option<Stamp>,
        around: &mut Around<'_>,
    ) {
        let family = born_as(name, birth);
        let Some(number) = self.find(family, Some(birth)) else {
            if let Some(row) = born_row(change, name, birth, rest, stamp, around) {
                self.place(row, stamp);
                return;
            }
            let number = self.push(Kept::Open(Box::new(Open {
                key: Key::new(name, birth),
                base: None,
                touches: Touches::default(),
            })));
            return self.open(number, change, rest, stamp, around);
        };
        let Some(kept) = self.rows.get_mut(number as usize) else {
            return;
        };
        let is_done = match (kept, stamp) {
            (Kept::Row(row), Some(stamp)) => match &change.act {
                Act::Remove if rest.is_empty() => self.remove(number, change, stamp, around),
                _ => write(row, change, rest, stamp, around),
            },
            (Kept::Gone(gone), Some(stamp)) => is_past(gone, change, rest, stamp, around),
            _ => false,
        };
        if !is_done {
            self.open(number, change, rest, stamp, around);
        }
    }

    /// Something that a row cannot hold.
    fn open(
        &mut self,
        number: u32,
        change: &Change,
        rest: &[Step],
        stamp: Option<Stamp>,
        around: &mut Around<'_>,
    ) {
        if rest.is_empty() && matches!(change.act, Act::Add { .. } | Act::Move { .. }) {
            self.spots = None;
        }
        let touch = Touch {
            rest: rest.to_vec(),
            act: change.act.clone(),
            observed: change.observed.clone(),
            stamp,
            edit: around.edit,
        };
        if let Some(open) = self.opened(number, around) {
            open.touches.push(touch);
        }
    }

    /// Views a record from scratch from now on, if it is known.
    pub(super) fn open_known(&mut self, name: &Atom, birth: Digest, around: &mut Around<'_>) {
        if let Some(number) = self.find(born_as(name, birth), Some(birth)) {
            self.opened(number, around);
        }
    }

    fn opened(&mut self, number: u32, around: &mut Around<'_>) -> Option<&mut Open> {
        let kept = self.rows.get_mut(number as usize)?;
        if let Some((base, touches)) = history(kept, around.rules, around.names, around.last_edit) {
            let (family, birth) = kept.key()?;
            let key = Key {
                family: family.to_owned(),
                birth,
            };
            let mut kept_touches = Touches::default();
            touches
                .into_iter()
                .for_each(|touch| kept_touches.push(touch));
            *kept = Kept::Open(Box::new(Open {
                key,
                base,
                touches: kept_touches,
            }));
        }
        match kept {
            Kept::Open(open) => Some(open),
            _ => None,
        }
    }

    /// Somebody put a record behind another one at its birth.
    pub(super) fn place(&mut self, row: Row, stamp: Option<Stamp>) -> u32 {
        let number = self.push(Kept::Row(row));
        let spot = self
            .spots
            .as_ref()
            .and_then(|spots| self.spot(spots, number, stamp));
        match (&mut self.spots, spot) {
            (Some(spots), Some(spot)) => spots.insert(spot, number),
            (spots, _) => *spots = None,
        }
        number
    }

    /// Where in the order a new record comes: directly behind its anchor, but for what was put there later. Nothing where names are
    /// not clear.
    fn spot(&self, spots: &[u32], number: u32, stamp: Option<Stamp>) -> Option<usize> {
        let behind = |number: u32| -> Option<Option<u32>> {
            let (row, _) = self.rows.get(number as usize)?.row()?;
            match row.head()?.behind {
                None => Some(None),
                Some(behind) => self.anchor(behind.said()).map(Some),
            }
        };
        let anchor = behind(number)?;
        let mut at = match anchor {
            None => 0,
            Some(anchor) if spots.last() == Some(&anchor) => return Some(spots.len()),
            Some(anchor) => spots.iter().position(|spot| *spot == anchor)? + 1,
        };
        // What follows the anchor itself, latest first, each with all that follows it.
        let mut followers = HashSet::new();
        while let Some(next) = spots.get(at) {
            if *next < self.base {
                break;
            }
            let its_anchor = behind(*next)?;
            if its_anchor == anchor {
                let (row, _) = self.rows.get(*next as usize)?.row()?;
                if row.head()?.birth.stamp < stamp {
                    break;
                }
                followers.clear();
            } else if !its_anchor.is_some_and(|anchor| followers.contains(&anchor)) {
                break;
            }
            followers.insert(*next);
            at += 1;
        }
        Some(at)
    }

    /// The record that an edit means by a name, where only one can be meant.
    fn anchor(&self, name: &str) -> Option<u32> {
        let could_be_second =
            split_second_name(name).is_some_and(|(first, _)| self.find(first, None).is_some());
        if could_be_second {
            return None;
        }
        self.find(name, None)
    }

    /// Takes a record away if whoever did that had seen all of it.
    fn remove(&mut self, number: u32, change: &Change, stamp: Stamp, around: &Around<'_>) -> bool {
        let Some(Kept::Row(row)) = self.rows.get(number as usize) else {
            return false;
        };
        let birth = row.birth();
        let observed = &change.observed;
        let saw = |cell: Cell<'_>| {
            let made_by = cell.made_by(birth);
            let saw_value = |value: Value<'_>| observed.contains(None, value.digest(around.rules));
            let saw = match (cell.origin, cell.content) {
                (Origin::Ancestor, Content::List(_)) => false,
                (Origin::Ancestor, Content::One(_)) => true,
                (_, Content::One(value)) => {
                    made_by.map_or_else(|| saw_value(value), |stamp| observed.has_stamp(stamp))
                }
                (_, Content::List(mut members)) => made_by
                    .map_or_else(|| members.all(saw_value), |stamp| observed.has_stamp(stamp)),
            };
            saw && !cell.seen.has(stamp, birth)
        };
        if around.has_losers || birth == Some(stamp) || !row.cells().all(saw) {
            return false;
        }
        self.take_away(number, stamp, change.observed.clone());
        true
    }

    pub(super) fn take_away(&mut self, number: u32, stamp: Stamp, observed: Observed) {
        if let Some(kept) = self.rows.get_mut(number as usize)
            && let Kept::Row(row) = kept
        {
            let row = row.clone();
            *kept = Kept::Gone(Box::new(Gone {
                row,
                stamp,
                observed,
            }));
        }
    }

    /// Writes into a field of a record that is called so, by whoever sees all of it, and tells its row; nothing where that takes more
    /// than the row.
    pub(super) fn rewrite(
        &mut self,
        name: &str,
        writing: &Writing<'_>,
        stamp: Stamp,
        around: &mut Around<'_>,
    ) -> Option<u32> {
        let number = self.find(name, None).filter(|_| !self.has_twins)?;
        let Some(Kept::Row(row)) = self.rows.get_mut(number as usize) else {
            return None;
        };
        let spot = row.spot(writing.field);
        let is_list = matches!(writing.content, Content::List(_));
        if spot.is_list == Some(!is_list) || shares_group(row, writing.field, around) {
            return None;
        }
        let by = Superseding::All(*around.rules, stamp);
        put(row, spot, writing, &by, around);
        Some(number)
    }

    /// All that was done, as if the whole list were contested: its records in the base, and edits from the list on.
    pub(super) fn into_history(self, around: &mut Around<'_>) -> (Option<Node>, Vec<Touch>) {
        let mut records = Vec::new();
        let mut all = Vec::new();
        for kept in &self.rows {
            let (key, base, touches) = match kept {
                Kept::Open(open) => (open.key.clone(), open.base.clone(), open.touches.cloned()),
                kept => {
                    let (Some((family, birth)), Some((base, touches))) = (
                        kept.key(),
                        history(kept, around.rules, around.names, around.last_edit),
                    ) else {
                        continue;
                    };
                    (
                        Key {
                            family: family.to_owned(),
                            birth,
                        },
                        base,
                        touches,
                    )
                }
            };
            let name = match kept.row().and_then(|(row, _)| row.head()) {
                Some(head) => head.name.atom(around.rules),
                None => Atom::text((around.rules.spell)(&key.family), key.family.clone()),
            };
            records.extend(base);
            all.extend(touches.into_iter().map(|mut touch| {
                touch.rest.insert(0, Step::Record(name.clone(), key.birth));
                touch
            }));
        }
        (self.in_base.then_some(Node::Set(records)), all)
    }

    /// What is kept of the edits of records, one by one, with their places.
    pub(super) fn kept(
        &self,
        rules: &Rules<'_>,
        names: &Names,
        at: &Path,
        each: &mut dyn FnMut(Path, &Touch),
    ) {
        let mut last_edit = 0;
        for kept in &self.rows {
            let Some(key) = owned_key(kept) else { continue };
            let name = Atom::text((rules.spell)(&key.family), key.family);
            let at = at.then(Step::Record(name, key.birth));
            let mut tell = |touch: &Touch| {
                let steps = at.steps().iter().chain(&touch.rest);
                each(steps.cloned().collect(), touch);
            };
            match kept {
                Kept::Open(open) => open.touches.iter().for_each(&mut tell),
                kept => {
                    let Some((_, touches)) = history(kept, rules, names, &mut last_edit) else {
                        continue;
                    };
                    touches.iter().for_each(&mut tell);
                }
            }
        }
    }

    /// The list as it is shown; nothing where no record was ever born.
    pub(super) fn view(&self, viewing: &mut Viewing<'_>, names: &Names, at: &Path) -> Option<Node> {
        let is_known = self.in_base
            || self.rows.iter().any(|kept| match kept {
                Kept::Open(open) => open
                    .touches
                    .iter()
                    .any(|touch| touch.rest.is_empty() && matches!(touch.act, Act::Add { .. })),
                _ => true,
            });
        if !is_known {
            return None;
        }
        if let Some(spots) = &self.spots {
            let mut nowhere = Order::of_keys(Vec::new());
            let mut records = Vec::with_capacity(spots.len());
            for number in spots {
                let member = self
                    .row(*number)
                    .and_then(|kept| member(kept, viewing, &mut nowhere, names, at));
                records.extend(member.and_then(|member| member.record));
            }
            // Births that are not known yet leave something behind, too.
            for kept in self.rows.iter().filter(|kept| is_waiting(kept)) {
                member(kept, viewing, &mut nowhere, names, at);
            }
            return Some(Node::Set(records));
        }
        let base = self.rows.iter().take(self.base as usize);
        let mut order = Order::of_keys(base.filter_map(owned_key).collect());
        let mut family = Vec::with_capacity(self.rows.len());
        for kept in &self.rows {
            if let Some(head) = kept.row().and_then(|(row, _)| row.head())
                && !head.in_base
                && let Some(key) = owned_key(kept)
            {
                let behind = head.behind.map(|behind| behind.atom(viewing.rules));
                order.put(&key, behind.as_ref(), head.birth.stamp);
            }
            family.extend(member(kept, viewing, &mut order, names, at));
        }
        Some(Node::Set(order.arrange(viewing.named(family))))
    }
}

fn is_waiting(kept: &Kept) -> bool {
    matches!(kept, Kept::Open(open) if open.is_waiting())
}

fn owned_key(kept: &Kept) -> Option<Key> {
    let (family, birth) = kept.key()?;
    Some(Key {
        family: family.to_owned(),
        birth,
    })
}

/// A record as it is shown.
pub(super) fn member(
    kept: &Kept,
    viewing: &mut Viewing<'_>,
    order: &mut Order,
    names: &Names,
    at: &Path,
) -> Option<Member> {
    let (row, stands) = match kept {
        Kept::Open(open) => {
            return viewing.record(
                open.key.clone(),
                open.base.as_ref(),
                open.touches.cloned(),
                order,
                at,
            );
        }
        Kept::Row(row) => (row, None),
        Kept::Gone(gone) => (&gone.row, Some(gone.stamp)),
    };
    let head = row.head()?;
    let mut record = Record {
        name: head.name.atom(viewing.rules),
        birth: head.birth,
        fields: Map::new(),
    };
    let key = Key::of(&record);
    let at = at.record(&record);
    if let Some(stamp) = stands {
        viewing.removed.entry(at).or_default().insert(stamp);
        return Some(Member {
            key,
            birth: head.birth,
            gone: Some(Some(stamp)),
            record: None,
        });
    }
    for cell in row.cells().filter(|cell| cell.origin != Origin::Ancestor) {
        let stamps = cell.made_by(head.birth.stamp).into_iter().collect();
        record.fields.insert(
            names.name(cell.field).to_owned(),
            node(cell.content, stamps, viewing.rules),
        );
    }
    // Whoever wrote some of the fields that change together left the others away.
    for group in viewing.rules.groups {
        let edited = row
            .cells()
            .filter(|cell| !matches!(cell.origin, Origin::Base | Origin::Ancestor));
        let mut edited = edited.filter(|cell| group.contains(&names.name(cell.field)));
        let Some(stamp) = edited
            .next()
            .and_then(|cell| cell.made_by(head.birth.stamp))
        else {
            continue;
        };
        for field in group
            .iter()
            .filter(|field| !record.fields.contains_key(**field))
        {
            viewing
                .removed
                .entry(at.entry(field))
                .or_default()
                .insert(stamp);
        }
    }
    Some(Member {
        key,
        birth: head.birth,
        gone: None,
        record: Some(record),
    })
}

pub(super) fn node(content: Content<'_>, stamps: Stamps, rules: &Rules<'_>) -> Node {
    match content {
        Content::One(value) => Node::Register(value.atom(rules), stamps),
        Content::List(members) => {
            Node::List(members.map(|member| member.atom(rules)).collect(), stamps)
        }
    }
}

/// A record as it stands in the base and the edits that were made of it; nothing for what is kept in that way already.
fn history(
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

fn base_row(record: &Record, around: &mut Around<'_>) -> Option<Row> {
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
fn born_row(
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

/// Whether an edit was known of what is gone, or superseded.
fn is_past(gone: &Gone, change: &Change, rest: &[Step], stamp: Stamp, around: &Around<'_>) -> bool {
    let birth = gone.row.birth();
    match (&change.act, rest) {
        (Act::Remove, []) => stamp == gone.stamp && change.observed == gone.observed,
        (Act::Write(_) | Act::Replace(_), [Step::Entry(field)]) => {
            let cell = around
                .names
                .known(field)
                .and_then(|field| gone.row.cell(field));
            cell.is_some_and(|cell| {
                cell.seen.has(stamp, birth)
                    || cell.made_by(birth) == Some(stamp)
                        && is_same(cell.content, &change.act, around.rules)
            })
        }
        _ => is_birth(&gone.row, change, rest, stamp, around),
    }
}

/// Whether this is the birth of a row, told again.
fn is_birth(row: &Row, change: &Change, rest: &[Step], stamp: Stamp, around: &Around<'_>) -> bool {
    let (Act::Add { record, behind }, [], Some(head)) = (&change.act, rest, row.head()) else {
        return false;
    };
    let is_it = !head.in_base
        && record.birth == head.birth
        && head.birth.stamp == Some(stamp)
        && change.observed.is_empty()
        && behind.as_ref().map(Atom::said) == head.behind.map(Value::said);
    is_it
        && record.fields.iter().all(|(name, node)| {
            let cell = around.names.known(name).and_then(|field| row.cell(field));
            cell.is_some_and(|cell| {
                let same = match node {
                    Node::Register(value, _) => {
                        is_same(cell.content, &Act::Write(value.clone()), around.rules)
                    }
                    Node::List(members, _) => {
                        is_same(cell.content, &Act::Replace(members.clone()), around.rules)
                    }
                    Node::Map(_) | Node::Set(_) => false,
                };
                cell.seen.has(stamp, Some(stamp)) || cell.origin == Origin::Birth && same
            })
        })
}

fn is_same(content: Content<'_>, act: &Act, rules: &Rules<'_>) -> bool {
    match (content, act) {
        (Content::One(value), Act::Write(written)) => value.atom(rules) == *written,
        (Content::List(members), Act::Replace(written)) => members
            .map(|member| member.atom(rules))
            .eq(written.iter().cloned()),
        _ => false,
    }
}

/// Writes into a field if that supersedes all that stands there; also done where it was done before, or is superseded.
fn write(
    row: &mut Row,
    change: &Change,
    rest: &[Step],
    stamp: Stamp,
    around: &mut Around<'_>,
) -> bool {
    let [Step::Entry(name)] = rest else {
        return is_birth(row, change, rest, stamp, around);
    };
    let mut members = Vec::new();
    let content = match &change.act {
        Act::Write(value) => Content::One(Value::of(value, around.rules)),
        Act::Replace(list) => {
            members.extend(list.iter().map(|member| Value::of(member, around.rules)));
            Content::List(Members::new(&members))
        }
        _ => return false,
    };
    let birth = row.birth();
    let field = around.names.number(name);
    if let Some(cell) = row.cell(field) {
        if cell.seen.has(stamp, birth) {
            return true;
        }
        let made_by = cell.made_by(birth);
        if made_by == Some(stamp) {
            return is_same(cell.content, &change.act, around.rules);
        }
        let supersedes = match (cell.content, content) {
            (Content::One(value), Content::One(_)) => match made_by {
                Some(made_by) => change.observed.has_stamp(made_by),
                None => change.observed.contains(None, value.digest(around.rules)),
            },
            (Content::List(_), Content::List(_)) => {
                cell.origin == Origin::Base
                    || made_by.is_some_and(|stamp| change.observed.has_stamp(stamp))
            }
            _ => false,
        };
        if !supersedes {
            return false;
        }
    }
    if Some(stamp) == birth || shares_group(row, field, around) || around.in_group {
        return false;
    }
    let writing = Writing {
        field,
        origin: Origin::Written,
        stamp: Some(stamp),
        content,
    };
    let spot = row.spot(field);
    put(
        row,
        spot,
        &writing,
        &Superseding::Told(&change.observed),
        around,
    );
    true
}

/// Whether another field of a row changes together with this one.
fn shares_group(row: &Row, field: u32, around: &Around<'_>) -> bool {
    let name = around.names.name(field);
    let Some(group) = around
        .rules
        .groups
        .iter()
        .find(|group| group.contains(&name))
    else {
        return false;
    };
    row.fields()
        .any(|other| other != field && group.contains(&around.names.name(other)))
}

fn put(
    row: &mut Row,
    spot: Spot,
    writing: &Writing<'_>,
    by: &Superseding<'_>,
    around: &mut Around<'_>,
) {
    let name = around.names.name(writing.field);
    let is_grouped = around
        .rules
        .groups
        .iter()
        .any(|group| group.contains(&name));
    let is_merged = writing.content.is_merged();
    let keeps = |before: &Cell<'_>| is_grouped || is_merged || before.content.is_merged();
    row.write(spot, writing, by, keeps, around.scratch);
}
