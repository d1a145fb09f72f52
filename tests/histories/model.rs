//! The rules as a small program: documents in the abstract, stamped and merged as `docs/design.md` says, sharing no code
//! with the driver but the spelling of stamps and digests.

use std::collections::{BTreeMap, BTreeSet};

use rhema_crdt::crdt::{Digest, Stamp};

use crate::view::{Change, Choice, NAME, ORIGIN, Roomy, Seen, Tool, Value, View, group_of};

/// When a record came into being, and what its title held then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Birth {
    stamp: Option<Stamp>,
    title: Digest,
}

/// A record, or the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Record {
    values: BTreeMap<String, String>,
    tags: BTreeSet<String>,
    /// Its birth, once that is written down.
    birth: Option<Birth>,
    /// For each leaf the stamps beside it, each with the value that it was made for.
    stamps: BTreeMap<String, BTreeSet<(Stamp, String)>>,
    /// What the edit with a stamp superseded and no commit held.
    superseded: BTreeMap<Stamp, BTreeSet<Stamp>>,
    /// What lost.
    losers: BTreeMap<(String, Value), Option<Stamp>>,
}

/// A file in the abstract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    records: BTreeMap<String, Record>,
    roomy: Roomy,
}

/// The leaf that stands for the tags, whose stamp is that of their last edit; they are merged one by one all the same.
const TAGS: &str = "tags";

/// The rules.
pub(crate) struct Model;

fn digest(value: &str) -> Digest {
    Digest::of(format!("\"{value}\"").as_bytes())
}

impl Record {
    fn born(title: &str, origin: &str) -> Self {
        let values = [("title", title), (ORIGIN, origin), ("meta.owner", origin)];
        let values = values.map(|(leaf, value)| (leaf.to_owned(), value.to_owned()));
        Record {
            values: values.into(),
            ..Self::default()
        }
    }

    /// Its birth: as written down, else as it stands.
    fn birth(&self) -> Birth {
        let title = self.values.get("title").map_or("", String::as_str);
        self.birth.unwrap_or(Birth {
            stamp: None,
            title: digest(title),
        })
    }

    /// Every stamp that it names.
    fn stamps(&self) -> BTreeSet<Stamp> {
        let leaves = self.stamps.values().flatten().map(|(stamp, _)| *stamp);
        let superseded = self.superseded.values().flatten().copied();
        let birth = self.birth.and_then(|birth| birth.stamp);
        leaves.chain(superseded).chain(birth).collect()
    }

    /// The stamps beside a leaf that fit its value.
    fn fitting(&self, leaf: &str) -> BTreeSet<Stamp> {
        let value = self.values.get(leaf);
        let stamps = self.stamps.get(leaf).into_iter().flatten();
        stamps
            .filter(|(_, of)| Some(of) == value)
            .map(|(stamp, _)| *stamp)
            .collect()
    }

    /// Whether a leaf shows or keeps this value.
    fn has_value(&self, loser: &(String, Value)) -> bool {
        let (leaf, value) = loser;
        self.losers.contains_key(loser)
            || !leaf.is_empty() && self.values.get(leaf) == value.as_ref()
    }

    /// Whether this version of a record already knows `stamp` at `leaf`.
    fn contains(&self, leaf: &str, stamp: Stamp) -> bool {
        self.stamps
            .get(leaf)
            .into_iter()
            .flatten()
            .any(|(known, _)| *known == stamp)
            || self
                .superseded
                .values()
                .any(|superseded| superseded.contains(&stamp))
            || self.birth.is_some_and(|birth| birth.stamp == Some(stamp))
    }

    /// Stamps `leaves`, which supersede the stamps beside them; `gone` are those of losers that were settled with them.
    fn restamp(&mut self, leaves: &[String], gone: &[Stamp], head: &Record, stamp: Stamp) {
        let mut superseded: BTreeSet<Stamp> = gone.iter().copied().collect();
        for leaf in leaves {
            for (old, _) in self.stamps.remove(leaf).into_iter().flatten() {
                superseded.insert(old);
                superseded.extend(self.superseded.get(&old).into_iter().flatten());
            }
            superseded.retain(|old| !head.contains(leaf, *old));
            if let Some(value) = self.values.get(leaf) {
                self.stamps
                    .insert(leaf.clone(), [(stamp, value.clone())].into());
            }
        }
        let standing: BTreeSet<Stamp> = self
            .stamps
            .values()
            .flatten()
            .map(|(stamp, _)| *stamp)
            .collect();
        self.superseded.retain(|by, _| standing.contains(by));
        superseded.remove(&stamp);
        if !superseded.is_empty() {
            self.superseded.entry(stamp).or_default().extend(superseded);
        }
    }

    /// Gives a new record its birth.
    fn newborn(&self, stamp: Stamp) -> Self {
        let birth = Birth {
            stamp: Some(stamp),
            ..self.birth()
        };
        Record {
            birth: Some(birth),
            stamps: BTreeMap::new(),
            superseded: BTreeMap::new(),
            ..self.clone()
        }
    }

    /// Gives what differs from HEAD its stamp.
    fn stamped(&self, head: Option<&Record>, roomy: Roomy, stamp: Stamp) -> Self {
        let mut record = self.clone();
        let nothing = Record::default();
        // What a record was born with needs no stamp of its own.
        let born = self.birth.filter(|_| head.is_none());
        let head = head.unwrap_or(&nothing);
        let edited = |leaf: &&String| {
            let fresh = |fits: bool| {
                self.stamps
                    .get(*leaf)
                    .into_iter()
                    .flatten()
                    .any(|(stamp, of)| {
                        !head.contains(leaf, *stamp)
                            && (!fits || Some(of) == self.values.get(*leaf))
                    })
            };
            let differs = match (born, leaf.as_str()) {
                (None, _) => self.values.get(*leaf) != head.values.get(*leaf),
                (Some(birth), "title") => digest(&self.values["title"]) != birth.title,
                (Some(_), _) => false,
            };
            (differs || fresh(false)) && !fresh(true)
        };
        let edited: BTreeSet<&str> = self
            .values
            .keys()
            .filter(edited)
            .map(String::as_str)
            .collect();
        if edited.is_empty() && self.tags == head.tags {
            return record;
        }
        let fresh: Vec<String> = self
            .values
            .keys()
            .filter(|leaf| group_of(leaf).iter().any(|member| edited.contains(member)))
            .cloned()
            .collect();
        record.losers.retain(|(leaf, lost), _| {
            let known = head.losers.contains_key(&(leaf.clone(), lost.clone()));
            !(fresh.contains(leaf) && (known || self.stamps.contains_key(leaf)))
        });
        if record.birth.is_none() && fresh.iter().any(|leaf| leaf == "title") {
            record.birth = Some(head.birth());
        }
        record.restamp(&fresh, &[], head, stamp);
        let values = record.values.clone();
        let open: BTreeSet<String> = record.losers.keys().map(|(leaf, _)| leaf.clone()).collect();
        let stands = |leaf: &str, of: &String, stamp: Stamp| {
            values.get(leaf) == Some(of)
                && (roomy || open.contains(leaf) || !head.contains(leaf, stamp))
        };
        for (leaf, stamps) in &mut record.stamps {
            stamps.retain(|(stamp, of)| stands(leaf, of, *stamp));
        }
        let tags = |record: &Record| record.tags.iter().cloned().collect::<String>();
        if self.tags != head.tags {
            record
                .stamps
                .insert(TAGS.to_owned(), [(stamp, tags(self))].into());
        } else if let Some(stamps) = self.stamps.get(TAGS).filter(|_| roomy) {
            record.stamps.insert(TAGS.to_owned(), stamps.clone());
        }
        record.stamps.retain(|_, stamps| !stamps.is_empty());
        let standing: BTreeSet<Stamp> = record
            .stamps
            .values()
            .flatten()
            .map(|(stamp, _)| *stamp)
            .collect();
        record.superseded.retain(|by, _| standing.contains(by));
        record
    }
}

impl Document {
    fn record(&mut self, id: &str) -> &mut Record {
        self.records.get_mut(id).expect("a record that is there")
    }
}

impl Tool for Model {
    type File = Document;

    fn start(roomy: Roomy) -> Document {
        let root = Record {
            values: [(NAME.to_owned(), "start".to_owned())].into(),
            ..Record::default()
        };
        let records = (0..3).map(|index| {
            let mut record = Record::born(&format!("T{index}"), &format!("r{index}-T{index}"));
            record.values.insert("status".to_owned(), "v0".to_owned());
            record.tags = ["x".to_owned(), "y".to_owned()].into();
            (format!("r{index}"), record)
        });
        Document {
            records: records.chain([(String::new(), root)]).collect(),
            roomy,
        }
    }

    fn view(file: &Document) -> View {
        let seen = |record: &Record| Seen {
            leaves: record.values.clone(),
            tags: record.tags.clone(),
            kept: record.losers.keys().cloned().collect(),
        };
        View {
            records: file
                .records
                .iter()
                .map(|(id, record)| (id.clone(), seen(record).tidy()))
                .collect(),
        }
    }

    fn change(file: &mut Document, change: &Change) {
        match change {
            Change::Set {
                id,
                leaf,
                value: Some(value),
            } => {
                file.record(id).values.insert(leaf.clone(), value.clone());
            }
            Change::Set {
                id,
                leaf,
                value: None,
            } => {
                file.record(id).values.remove(leaf);
            }
            Change::Add { id, title, origin } => {
                file.records.insert(id.clone(), Record::born(title, origin));
            }
            Change::Remove { id } => {
                file.records.remove(id);
            }
            Change::Tag { id, tag } => {
                file.record(id).tags.insert(tag.clone());
            }
            Change::Untag { id, tag } => {
                file.record(id).tags.remove(tag);
            }
        }
    }

    fn stamp(
        head: &Document,
        work: &Document,
        stamp: Stamp,
        births: &mut dyn Iterator<Item = Stamp>,
    ) -> Document {
        let stamped = |(id, record): (&String, &Record)| {
            let before = head.records.get(id);
            let is_new = before.is_none() && !id.is_empty() && record.birth.is_none();
            let record = match births.next().filter(|_| is_new) {
                Some(birth) => record.newborn(birth),
                None => record.stamped(before, work.roomy, stamp),
            };
            (id.clone(), record)
        };
        Document {
            records: work.records.iter().map(stamped).collect(),
            roomy: work.roomy,
        }
    }

    fn resolve(head: &Document, choice: &Choice, stamp: Stamp) -> Document {
        let mut file = head.clone();
        let Some(record) = file.records.get_mut(&choice.id) else {
            return file;
        };
        let before = record.clone();
        let leaf = if choice.leaf.is_empty() {
            "title"
        } else {
            &choice.leaf
        };
        if choice.leaf.is_empty() && choice.taken.is_some() {
            file.records.remove(&choice.id);
            return file;
        }
        let leaves: Vec<String> = group_of(leaf).into_iter().map(str::to_owned).collect();
        if let Some(taken) = &choice.taken {
            // Leaves that move together are taken together, as far as one edit wrote them.
            let by = before.losers.get(&(choice.leaf.clone(), taken.clone()));
            for leaf in &leaves {
                let mut lost = before
                    .losers
                    .iter()
                    .filter(|((of, value), stamp)| {
                        of == leaf && Some(*stamp) == by && (*of != choice.leaf || value == taken)
                    })
                    .map(|((_, value), _)| value.clone());
                match (lost.next(), lost.next()) {
                    (Some(Some(value)), None) => record.values.insert(leaf.clone(), value),
                    (Some(None), None) => record.values.remove(leaf),
                    _ => None,
                };
            }
        }
        let settled =
            |of: &String| *of == choice.leaf || !choice.leaf.is_empty() && leaves.contains(of);
        record.losers.retain(|(of, _), _| !settled(of));
        let known: BTreeSet<Stamp> = before
            .losers
            .values()
            .flatten()
            .copied()
            .chain(before.stamps())
            .collect();
        let mut contained = before.clone();
        for leaf in &leaves {
            // HEAD shows or keeps them all: none need be named.
            contained
                .stamps
                .entry(leaf.clone())
                .or_default()
                .extend(known.iter().map(|stamp| (*stamp, String::new())));
        }
        record.restamp(&leaves, &[], &contained, stamp);
        file
    }

    fn merge(base: &Document, ours: &Document, theirs: &Document) -> Document {
        let mut merged = Document {
            records: BTreeMap::new(),
            roomy: ours.roomy,
        };
        for (base, ours, theirs) in matched(base, ours, theirs) {
            let named = |side: Option<(&String, &Record)>| {
                side.map(|(id, record)| (id.clone(), record.clone()))
            };
            match (base, ours, theirs) {
                (_, None, None) => {}
                (None, Some(one), None) | (None, None, Some(one)) => {
                    merged.records.extend(named(Some(one)));
                }
                (Some((_, base)), Some((id, record)), None)
                | (Some((_, base)), None, Some((id, record))) => {
                    if updates(base, record) {
                        let mut record = record.clone();
                        record.losers.entry((String::new(), None)).or_default();
                        merged.records.insert(id.clone(), record);
                    }
                }
                (base, Some((mine, ours)), Some((others, theirs))) => {
                    if base.is_none() && are_different(ours, theirs) {
                        let order = |record: &Record| (record.birth(), record.values.clone());
                        let (first, second) = if order(ours) <= order(theirs) {
                            (ours, theirs)
                        } else {
                            (theirs, ours)
                        };
                        let birth = second.birth();
                        let second = Record {
                            birth: Some(birth),
                            ..second.clone()
                        };
                        merged.records.insert(mine.clone(), first.clone());
                        merged
                            .records
                            .insert(format!("{mine}-{}", birth.title), second);
                        continue;
                    }
                    // A record that was renamed for its birth has that name wherever it is known under the old one.
                    let id = if mine.len() >= others.len() {
                        mine
                    } else {
                        others
                    };
                    merged.records.insert(
                        id.clone(),
                        merge_record(base.map(|(_, base)| base), ours, theirs),
                    );
                }
            }
        }
        deal(&mut merged.records);
        merged
    }

    fn rewrite(file: &Document) -> Document {
        let plain = |record: &Record| Record {
            values: record.values.clone(),
            tags: record.tags.clone(),
            ..Record::default()
        };
        let records = file
            .records
            .iter()
            .map(|(id, record)| (id.clone(), plain(record)));
        Document {
            records: records.collect(),
            roomy: file.roomy,
        }
    }
}

type Named<'d> = (&'d String, &'d Record);
type Versions<'d> = (Option<Named<'d>>, Option<Named<'d>>, Option<Named<'d>>);

/// The versions of every record: by birth first, then by name.
fn matched<'d>(base: &'d Document, ours: &'d Document, theirs: &'d Document) -> Vec<Versions<'d>> {
    // The name under which a renamed record was born.
    let former = |(id, record): Named<'_>| {
        let birth = record.birth?;
        let name = id.strip_suffix(&format!("-{}", birth.title))?;
        Some((name.to_owned(), birth.title))
    };
    let all = [base, ours, theirs];
    let renamed: BTreeSet<(String, Digest)> = all
        .iter()
        .flat_map(|file| &file.records)
        .filter_map(former)
        .collect();
    let key = |named: Named<'_>| {
        former(named).or_else(|| {
            let born = (named.0.clone(), named.1.birth().title);
            renamed.contains(&born).then_some(born)
        })
    };
    let mut found: BTreeMap<(String, Option<Digest>), Versions<'d>> = BTreeMap::new();
    for (index, file) in all.into_iter().enumerate() {
        for named in &file.records {
            let key =
                key(named).map_or((named.0.clone(), None), |(name, title)| (name, Some(title)));
            let versions = found.entry(key).or_default();
            match index {
                0 => versions.0 = Some(named),
                1 => versions.1 = Some(named),
                _ => versions.2 = Some(named),
            }
        }
    }
    found.into_values().collect()
}

/// Deals the names of records that were born under one name by their births, whatever was merged first.
fn deal(records: &mut BTreeMap<String, Record>) {
    let former = |(id, record): (&String, &Record)| {
        let birth = record.birth?;
        id.strip_suffix(&format!("-{}", birth.title))
            .map(str::to_owned)
    };
    let names: BTreeSet<String> = records.iter().filter_map(former).collect();
    for name in names {
        let is_relative = |(id, record): (&String, &Record)| {
            *id == name || former((id, record)).as_ref() == Some(&name)
        };
        if !records.contains_key(&name) {
            continue;
        }
        let ids: Vec<String> = records
            .iter()
            .filter(|named| is_relative(*named))
            .map(|(id, _)| id.clone())
            .collect();
        let mut family: Vec<Record> = ids.iter().filter_map(|id| records.remove(id)).collect();
        family.sort_by_key(Record::birth);
        for (number, mut record) in family.into_iter().enumerate() {
            let birth = record.birth();
            if number == 0 {
                records.insert(name.clone(), record);
            } else {
                record.birth = Some(birth);
                records.insert(format!("{name}-{}", birth.title), record);
            }
        }
    }
}

/// Whether two records that both sides have under one name, and base has not, are two.
fn are_different(a: &Record, b: &Record) -> bool {
    let (x, y) = (a.birth(), b.birth());
    !(x.stamp.is_some() && x.stamp == y.stamp || x.title == y.title)
}

/// Whether `side` holds an edit that a removal of `base` did not observe: another value, a losing one included, or a
/// fresh stamp. That it was deleted elsewhere, too, is none.
fn updates(base: &Record, side: &Record) -> bool {
    let values = base.values != side.values || base.tags != side.tags;
    let fresh = side
        .values
        .keys()
        .any(|leaf| fresh_stamp(Some(base), side, leaf).is_some());
    let lost = side
        .losers
        .keys()
        .any(|loser| !loser.0.is_empty() && !base.losers.contains_key(loser));
    values || fresh || lost
}

/// The stamp by which a side claims a leaf: one that fits, and that base does not know.
fn claim(base: Option<&Record>, side: &Record, leaf: &str) -> Option<Stamp> {
    let known = base.map(|base| {
        let lost = base
            .losers
            .iter()
            .filter(|((of, _), _)| of == leaf)
            .filter_map(|(_, stamp)| *stamp);
        base.stamps()
            .into_iter()
            .chain(lost)
            .collect::<BTreeSet<_>>()
    });
    let known = known.unwrap_or_default();
    side.fitting(leaf)
        .into_iter()
        .rfind(|stamp| !known.contains(stamp))
}

/// The stamp of a leaf that was stamped since base, whatever its value. A stamp beside a value that base has, too, is an edit
/// only if it is later than the one that base has there, or if it settles what base left open: what base does not name may
/// only have been dropped to save space.
fn fresh_stamp(base: Option<&Record>, side: &Record, leaf: &str) -> Option<Stamp> {
    let stamp = claim(base, side, leaf)?;
    let Some(base) = base else { return Some(stamp) };
    let is_open = |record: &Record| record.losers.keys().any(|(of, _)| of == leaf);
    let is_edit = match base.fitting(leaf).last() {
        Some(before) => stamp > *before,
        None => base.values.get(leaf) != side.values.get(leaf) || is_open(base) && !is_open(side),
    };
    is_edit.then_some(stamp)
}

/// What becomes of a register.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Ours,
    Theirs,
    /// Both did the same, or nothing.
    Same,
}

/// A version of a record with base's annotation where another tool dropped its own.
fn annotated(base: Option<&Record>, side: &Record) -> Record {
    // Tools keep the marker of the root.
    let is_root = side.values.contains_key(NAME);
    let is_bare = side.stamps.is_empty() && side.birth.is_none() && side.losers.is_empty();
    match base.filter(|_| !is_root && is_bare) {
        None => side.clone(),
        Some(base) => Record {
            birth: base.birth,
            stamps: base.stamps.clone(),
            superseded: base.superseded.clone(),
            ..side.clone()
        },
    }
}

fn merge_record(base: Option<&Record>, ours: &Record, theirs: &Record) -> Record {
    if base == Some(ours) || ours == theirs {
        return theirs.clone();
    }
    if base == Some(theirs) {
        return ours.clone();
    }
    let mut merged = Record::default();
    let mut losers = merged_losers(base, ours, theirs);
    let (ours, theirs) = (&annotated(base, ours), &annotated(base, theirs));
    let leaves: BTreeSet<&String> = [base, Some(ours), Some(theirs)]
        .into_iter()
        .flatten()
        .flat_map(|record| record.values.keys().chain(record.stamps.keys()))
        .collect();
    let mut decided: BTreeMap<String, Verdict> = BTreeMap::new();
    let mut contested: BTreeSet<String> = BTreeSet::new();
    for leaf in &leaves {
        let register = group_of(leaf);
        if register[0] != leaf.as_str() && leaves.iter().any(|other| other.as_str() == register[0])
        {
            continue;
        }
        let (verdict, is_contested, lost) = decide(base, ours, theirs, &register);
        for (leaf, value, stamp) in lost {
            let known = losers.entry((leaf, value)).or_default();
            *known = (*known).max(stamp);
        }
        for leaf in register {
            decided.insert(leaf.to_owned(), verdict);
            contested.extend(is_contested.then(|| leaf.to_owned()));
        }
    }
    for (leaf, verdict) in decided {
        let (winner, other) = match verdict {
            Verdict::Theirs => (theirs, ours),
            _ => (ours, theirs),
        };
        if let Some(value) = winner.values.get(&leaf) {
            losers.remove(&(leaf.clone(), Some(value.clone())));
            merged.values.insert(leaf.clone(), value.clone());
        } else {
            losers.remove(&(leaf.clone(), None));
        }
        let of = |record: &Record| record.stamps.get(&leaf).cloned().unwrap_or_default();
        let (mine, others, before) = (of(winner), of(other), base.map(of).unwrap_or_default());
        let in_both = &mine & &others;
        let mut stamps = match verdict {
            Verdict::Same if mine == before => others,
            Verdict::Same if others == before => mine,
            Verdict::Same => {
                // One value is as old as its latest stamp; what earlier edits superseded stays so.
                let all: BTreeSet<(Stamp, String)> = mine.union(&others).cloned().collect();
                let stays = |stamped: &&(Stamp, String)| {
                    let (by, value) = *stamped;
                    all.iter().rfind(|(_, other)| other == value) == Some(*stamped)
                        || winner.superseded.contains_key(by)
                        || other.superseded.contains_key(by)
                };
                all.iter().filter(stays).cloned().collect()
            }
            _ if contested.contains(&leaf) => {
                // What an edit superseded stays so although it lost.
                let says = |(by, _): &&(Stamp, String)| other.superseded.contains_key(by);
                mine.into_iter()
                    .chain(others.iter().filter(says).cloned())
                    .collect()
            }
            _ => mine,
        };
        // What either side dropped is gone whatever else is merged.
        stamps.retain(|stamped| !before.contains(stamped) || in_both.contains(stamped));
        if !stamps.is_empty() {
            merged.stamps.insert(leaf, stamps);
        }
    }
    let standing: BTreeSet<Stamp> = merged
        .stamps
        .values()
        .flatten()
        .map(|(stamp, _)| *stamp)
        .collect();
    for side in [ours, theirs] {
        for (by, superseded) in side
            .superseded
            .iter()
            .filter(|(by, _)| standing.contains(by))
        {
            merged.superseded.entry(*by).or_default().extend(superseded);
        }
    }
    merged.tags = merged_set(base.map(|base| &base.tags), &ours.tags, &theirs.tags);
    merged.birth = match (ours.birth, theirs.birth) {
        (None, None) => None,
        // Two births that are one: the earlier, whether it was written down or not.
        _ if base.is_none() => Some(ours.birth().min(theirs.birth())),
        (Some(mine), Some(others)) => Some(mine.min(others)),
        (mine, others) => mine.or(others),
    };
    merged.losers = losers;
    merged
}

/// What either side added, less what either side removed.
fn merged_set(
    base: Option<&BTreeSet<String>>,
    ours: &BTreeSet<String>,
    theirs: &BTreeSet<String>,
) -> BTreeSet<String> {
    let old = |tag: &&String| base.is_some_and(|base| base.contains(*tag));
    let stays = |tag: &&String| ours.contains(*tag) && theirs.contains(*tag) || !old(tag);
    ours.union(theirs).filter(stays).cloned().collect()
}

/// The losers of two versions: what either side keeps, less what the other side had from base, shown or kept, and has no
/// more, and less what an edit of the other side names as superseded.
fn merged_losers(
    base: Option<&Record>,
    ours: &Record,
    theirs: &Record,
) -> BTreeMap<(String, Value), Option<Stamp>> {
    let mut merged: BTreeMap<(String, Value), Option<Stamp>> = BTreeMap::new();
    for (side, other) in [(ours, theirs), (theirs, ours)] {
        for (loser, stamp) in &side.losers {
            let settled = base.is_some_and(|base| base.has_value(loser)) && !other.has_value(loser);
            let superseded = stamp.is_some_and(|stamp| supersedes(other, &loser.0, stamp));
            // A tool that drops annotations settles nothing: it takes the stamp of the same value along.
            let bare = other.stamps.is_empty() && other.birth.is_none() && other.losers.is_empty();
            let dropped = bare
                && base.is_some_and(|base| {
                    let leaf = &loser.0;
                    base.losers.contains_key(loser)
                        && !base.fitting(leaf).is_empty()
                        && base.values.get(leaf) == other.values.get(leaf)
                });
            if (!settled || dropped) && !superseded {
                let known = merged.entry(loser.clone()).or_default();
                *known = (*known).max(*stamp);
            }
        }
    }
    merged
}

/// Whether an edit that `side` names at a leaf superseded `stamp`.
fn supersedes(side: &Record, leaf: &str, stamp: Stamp) -> bool {
    let edits = side.stamps.get(leaf).into_iter().flatten();
    edits
        .filter_map(|(by, _)| side.superseded.get(by))
        .any(|superseded| superseded.contains(&stamp))
}

type Lost = Vec<(String, Value, Option<Stamp>)>;

/// Decides a register, a leaf or leaves that move together: for whom, whether both had changed it, and what lost.
fn decide(
    base: Option<&Record>,
    ours: &Record,
    theirs: &Record,
    register: &[&str],
) -> (Verdict, bool, Lost) {
    let values = |record: &Record| -> Vec<Value> {
        register
            .iter()
            .map(|leaf| record.values.get(*leaf).cloned())
            .collect()
    };
    let before = base.map_or_else(|| vec![None; register.len()], values);
    let (mine, others) = (values(ours), values(theirs));
    if mine == others {
        return (Verdict::Same, false, Vec::new());
    }
    let touched = |side: &Record, values: &Vec<Value>| {
        *values != before
            || register
                .iter()
                .any(|leaf| fresh_stamp(base, side, leaf).is_some())
    };
    match (touched(ours, &mine), touched(theirs, &others)) {
        (_, false) => return (Verdict::Ours, false, Vec::new()),
        (false, true) => return (Verdict::Theirs, false, Vec::new()),
        (true, true) => {}
    }
    let claims = |side: &Record| {
        register
            .iter()
            .filter(|leaf| {
                let value = |record: &Record| record.values.get(**leaf).cloned();
                // A stamp beside what base has, too, claims nothing for the others, unless it is known to be new.
                base.and_then(value) != value(side) || fresh_stamp(base, side, leaf).is_some()
            })
            .filter_map(|leaf| claim(base, side, leaf))
            .max()
    };
    let (my_stamp, other_stamp) = (claims(ours), claims(theirs));
    let is_gone = |values: &Vec<Value>| register.len() == 1 && values[0].is_none();
    let named = |by: &Record, stamp: Option<Stamp>| {
        stamp.is_some_and(|stamp| register.iter().any(|leaf| supersedes(by, leaf, stamp)))
    };
    let (verdict, silent) = if is_gone(&mine) || is_gone(&others) {
        // An update beats a deletion.
        (
            if is_gone(&mine) {
                Verdict::Theirs
            } else {
                Verdict::Ours
            },
            false,
        )
    } else if named(ours, other_stamp) && !named(theirs, my_stamp) {
        (Verdict::Ours, true)
    } else if named(theirs, my_stamp) && !named(ours, other_stamp) {
        (Verdict::Theirs, true)
    } else if (my_stamp, &mine) >= (other_stamp, &others) {
        (Verdict::Ours, false)
    } else {
        (Verdict::Theirs, false)
    };
    let (won, lost, stamp, loser) = match verdict {
        Verdict::Theirs => (others, mine, my_stamp, ours),
        _ => (mine, others, other_stamp, theirs),
    };
    // Base kept it, and the winner's side settled that: it was observed. (No stamp could say more of a deletion: it is kept.)
    let observed = |key: &(String, Value)| {
        stamp.is_none()
            && key.1.is_some()
            && base.is_some_and(|base| base.losers.contains_key(key))
            && !loser.losers.contains_key(key)
    };
    let mut losers = Vec::new();
    for (index, leaf) in register.iter().enumerate().filter(|_| !silent) {
        let is_old = register.len() > 1 && lost[index] == before[index];
        let key = ((*leaf).to_owned(), lost[index].clone());
        if lost[index] != won[index] && !is_old && !observed(&key) {
            let stamp = stamp.filter(|_| lost[index].is_some());
            losers.push(((*leaf).to_owned(), lost[index].clone(), stamp));
        }
    }
    (verdict, true, losers)
}
