//! The known edits as entries: what each did, and what stood there before.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::rc::Rc;

use super::changes::{Happened, are_the_same, named, node_at, node_in, number};
use super::versions::{Versions, lifted, mentions};
use super::{Error, Kind, State};
use crate::context::GROUPS;
use crate::crdt::{
    Act, Atom, Change, Document, Node, Observed, Path, Stamp, StampSet, Stamps, Step,
};
use crate::overlay::{BlobId, CommitId, DocumentPath, Known, Mentioned};
use crate::store::{Mark, Reading, StoredEdit};

/// How many edits of a place are looked at to find what stood there before, and how many of these at first.
const MOST_LOOKED_AT: usize = 256;
const FIRST_LOOKED_AT: usize = 2;

/// How many places are asked for one by one in a version before it is read whole, and how many of these are kept.
const ONE_BY_ONE: usize = 8;
const WHOLE_KEPT: usize = 2;

/// How many changes are kept of edits that were read.
const CHANGES_KEPT: usize = 100_000;

/// What the store knows of one document.
pub(super) struct KnownEdits<'k> {
    pub(super) reading: &'k Reading<'k>,
    pub(super) document: DocumentPath,
    retracted: BTreeSet<Stamp>,
    bases: RefCell<Bases>,
    read: RefCell<HashMap<Stamp, Rc<Read>>>,
}

/// Versions on which edits were made, as far as they were asked for.
#[derive(Default)]
struct Bases {
    parts: HashMap<BlobId, HashMap<Path, Rc<Document>>>,
    whole: VecDeque<(BlobId, Rc<Document>)>,
}

/// A known edit that was read. One look may have found thousands of changes.
struct Read {
    known: Known,
    /// Where the changes stand, by the first two names on the way to them.
    by_place: OnceCell<HashMap<Vec<String>, Vec<usize>>>,
    seen: OnceCell<StampSet>,
}

impl Read {
    /// The changes that may be at a place, around it or in it, in their order.
    fn about(&self, at: &Path) -> Vec<&Change> {
        let changes = self.known.changes();
        let at = names(at);
        if changes.len() == 1 || at.len() < 2 {
            return changes.iter().collect();
        }
        let by_place = self.by_place.get_or_init(|| {
            let mut by_place: HashMap<Vec<String>, Vec<usize>> = HashMap::new();
            for (index, change) in changes.iter().enumerate() {
                by_place.entry(names(&change.at)).or_default().push(index);
            }
            by_place
        });
        let around = (0..=at.len()).filter_map(|many| by_place.get(at.get(..many)?));
        let mut found: Vec<usize> = around.flatten().copied().collect();
        found.sort_unstable();
        let found = found.into_iter();
        found.filter_map(|index| changes.get(index)).collect()
    }

    /// The stamps that all of its changes saw.
    fn seen(&self) -> &StampSet {
        self.seen.get_or_init(|| {
            let mut seen = StampSet::default();
            for change in self.known.changes() {
                seen.union(change.observed.stamps());
            }
            seen
        })
    }

    fn left(&self, at: &Path) -> Option<Left> {
        left_by_changes(self.about(at).into_iter(), at)
    }
}

/// The first two names on a way.
fn names(at: &Path) -> Vec<String> {
    let born = at.as_born();
    let steps = born.steps().iter().take(2);
    let names = steps.map(|step| match step {
        Step::Entry(name) => format!(".{name}"),
        Step::Record(name, _) => name.canonical().to_owned(),
    });
    names.collect()
}

/// What an edit left at a place.
pub(super) enum Left {
    /// This.
    Value(Option<Node>),
    /// It added so much to what stood there.
    Sum(i64),
}

impl<'k> KnownEdits<'k> {
    pub(super) fn of(reading: &'k Reading<'k>, document: DocumentPath) -> Result<Self, Error> {
        Ok(Self {
            retracted: reading.retracted(&document)?,
            reading,
            document,
            bases: RefCell::default(),
            read: RefCell::default(),
        })
    }

    /// The newest edits that may be about a place among those before a stamp, the newest first.
    fn earlier(&self, at: &Path, before: Stamp, most: usize) -> Result<Vec<Rc<Read>>, Error> {
        let stamps = self
            .reading
            .stamps_about(&self.document, at, Some(before), most)?;
        let mut earlier = Vec::with_capacity(stamps.len());
        for stamp in stamps {
            earlier.extend(self.read(stamp)?);
        }
        Ok(earlier)
    }

    fn read(&self, stamp: Stamp) -> Result<Option<Rc<Read>>, Error> {
        if let Some(read) = self.read.borrow().get(&stamp) {
            return Ok(Some(Rc::clone(read)));
        }
        let Some(edit) = self.reading.edit(stamp)? else {
            return Ok(None);
        };
        let edit = Rc::new(Read {
            known: edit.known,
            by_place: OnceCell::new(),
            seen: OnceCell::new(),
        });
        let mut read = self.read.borrow_mut();
        let kept = read.values().map(|read| read.known.changes().len());
        if read.len() % 256 == 255 && kept.sum::<usize>() > CHANGES_KEPT {
            read.clear();
        }
        read.insert(stamp, Rc::clone(&edit));
        Ok(Some(edit))
    }

    /// What became of an edit, which this commit has.
    pub(super) fn state(&self, edit: &StoredEdit, commit: Option<CommitId>) -> State {
        let has = |mark| edit.marks.contains(mark);
        if commit.is_some() || has(Mark::Contained) {
            State::Committed
        } else if self.retracted.contains(&edit.known.stamp) {
            State::Retracted
        } else if has(Mark::Committed) && !has(Mark::TakenUp) {
            State::Elsewhere
        } else if has(Mark::Parked) {
            State::Parked
        } else {
            State::Pending
        }
    }

    pub(super) fn is_retracted(&self, stamp: Stamp) -> bool {
        self.retracted.contains(&stamp)
    }

    /// What an edit did.
    pub(super) fn happened(
        &self,
        versions: &Versions<'_>,
        edit: &Known,
    ) -> Result<Vec<Happened>, Error> {
        let mut happened = Vec::new();
        let changes = edit.changes();
        let mut written: HashMap<&Path, &Atom> = HashMap::new();
        for change in changes {
            if let Act::Write(value) = &change.act {
                written.entry(&change.at).or_insert(value);
            }
        }
        for change in changes {
            let at = &change.at;
            let was = || self.before(versions, edit, change);
            let stood = || -> Result<Option<Node>, Error> {
                let value = written.get(at).map(|value| named((*value).clone()));
                match value {
                    Some(value) => Ok(Some(value)),
                    None => was(),
                }
            };
            let (kind, from, to) = match &change.act {
                Act::Form(_) => continue,
                Act::Add { record, .. } => {
                    (Kind::Born, None, Some(Node::Map(record.fields.clone())))
                }
                Act::Move { behind } => (Kind::Moved, None, behind.clone().map(named)),
                Act::Remove => match was()? {
                    // It goes with others of its group, and was not there.
                    None if is_of_group(at) && changes.len() > 1 => continue,
                    from => (Kind::Removed, from, None),
                },
                Act::Count(by) => {
                    let from = was()?;
                    let before = from.as_ref().and_then(Node::as_number);
                    let to = before.unwrap_or(0).saturating_add(*by);
                    (Kind::Counted, from, Some(number(to)))
                }
                Act::Lose(lost) => (Kind::Conflict, lost.clone().map(named), stood()?),
                Act::Settle(lost) => (Kind::Settled, lost.clone().map(named), stood()?),
                Act::Write(value) | Act::Last(value) => {
                    let (from, to) = (was()?, named(value.clone()));
                    if let Some(lost) = self.settled(edit, change, &to)? {
                        (Kind::Settled, Some(lost), Some(to))
                    } else if are_the_same(from.as_ref(), Some(&to)) && changes.len() > 1 {
                        continue;
                    } else {
                        (Kind::Changed, from, Some(to))
                    }
                }
                Act::Raise(value) => (Kind::Changed, was()?, Some(number(*value))),
                Act::Replace(members) => {
                    let to = Node::List(members.clone(), Stamps::new());
                    (Kind::Changed, was()?, Some(to))
                }
            };
            happened.push(Happened {
                stamp: Some(edit.stamp),
                at: at.clone(),
                kind,
                from,
                to,
            });
        }
        Ok(happened)
    }

    /// What stood where an edit changed something, as far as anybody knows: what the newest of the edits that it had seen left
    /// there, if that is what it saw; else what the commit has on which it was made.
    fn before(
        &self,
        versions: &Versions<'_>,
        edit: &Known,
        change: &Change,
    ) -> Result<Option<Node>, Error> {
        let is_counter = matches!(change.act, Act::Count(_));
        let earlier = |most| self.earlier(&change.at, edit.stamp, most);
        if let (Act::Remove, Some(Step::Record(..))) = (&change.act, change.at.steps().last()) {
            let earlier = earlier(MOST_LOOKED_AT)?;
            return self.record_before(versions, edit, change, &earlier);
        }
        let base = || self.at_base(versions, edit, &change.at);
        let base_of_counter = if is_counter { base()? } else { None };
        // The newest one most often tells.
        let first = earlier(FIRST_LOOKED_AT)?;
        let is_all = first.len() < FIRST_LOOKED_AT;
        let mut before = self.left_before(&first, change, &base_of_counter);
        if !is_all && !before.is_sure {
            before = self.left_before(&earlier(MOST_LOOKED_AT)?, change, &base_of_counter);
        }
        let Before { left, sum, is_sure } = before;
        if is_sure {
            return Ok(left.flatten());
        }
        let base = match base_of_counter {
            Some(base) => Some(base),
            None => base()?,
        };
        let base = base.and_then(|base| node_at(&base, &change.at));
        Ok(match (base, left) {
            (Some(base), None) => Some(added(base, sum)),
            (Some(base), Some(_)) if saw(&change.observed, &base) => Some(base),
            (base, Some(left)) => left.or(base),
            (None, None) if is_counter && sum != 0 => Some(number(sum)),
            (None, None) => None,
        })
    }

    /// What these edits, the newest first, left where another one changed something.
    fn left_before(
        &self,
        earlier: &[Rc<Read>],
        change: &Change,
        base_of_counter: &Option<Rc<Document>>,
    ) -> Before {
        let is_counter = matches!(change.act, Act::Count(_));
        let mut sum = 0i64;
        let mut left = None;
        for other in earlier {
            let stamp = other.known.stamp;
            let seen = if is_counter {
                // Increments see nothing: what HEAD did not contain came one after the other.
                !self.is_retracted(stamp) && !is_within(base_of_counter, &change.at, stamp)
            } else {
                change.observed.has_stamp(stamp)
            };
            if !seen {
                continue;
            }
            match other.left(&change.at) {
                Some(Left::Value(value)) => {
                    let saw_it = |value: &Node| saw(&change.observed, value);
                    if is_counter || value.as_ref().is_none_or(saw_it) {
                        return Before {
                            left: Some(value.map(|value| added(value, sum))),
                            sum,
                            is_sure: true,
                        };
                    }
                    left = left.or(Some(value));
                }
                Some(Left::Sum(by)) => sum = sum.saturating_add(by),
                None => {}
            }
        }
        Before {
            left,
            sum,
            is_sure: false,
        }
    }

    /// What had lost, or stood, where an edit settled a conflict: it had seen several values of which none had replaced the other.
    fn settled(&self, edit: &Known, change: &Change, to: &Node) -> Result<Option<Node>, Error> {
        let seen_runs = change.observed.stamps().runs();
        if matches!(seen_runs, [] | [_]) && seen_runs.iter().all(|run| run.single().is_some()) {
            return Ok(None);
        }
        let earlier = self.earlier(&change.at, edit.stamp, MOST_LOOKED_AT)?;
        let mut covered = StampSet::default();
        let mut heads = Vec::new();
        for other in earlier {
            let stamp = other.known.stamp;
            if !change.observed.has_stamp(stamp) || self.is_retracted(stamp) {
                continue;
            }
            let Some(Left::Value(Some(value))) = other.left(&change.at) else {
                continue;
            };
            if !covered.contains(stamp) {
                heads.push(value);
            }
            covered.union(other.seen());
        }
        if heads.len() < 2 {
            return Ok(None);
        }
        Ok(heads
            .into_iter()
            .find(|value| !are_the_same(Some(value), Some(to))))
    }

    /// A record as it stood when it was removed: as it was born, or as the commit has it, with what the removal saw of later edits.
    fn record_before(
        &self,
        versions: &Versions<'_>,
        edit: &Known,
        change: &Change,
        earlier: &[Rc<Read>],
    ) -> Result<Option<Node>, Error> {
        let base = self.at_base(versions, edit, &change.at)?;
        let mut record = base.and_then(|base| node_at(&base, &change.at));
        let committed = match edit.base {
            Some(base) if record.is_some() => versions.time_of(base)?,
            _ => 0,
        };
        let at = change.at.as_born();
        let seen = earlier.iter().rev().filter(|other| {
            let stamp = other.known.stamp;
            change.observed.has_stamp(stamp) && stamp.unix_millis() >= committed
        });
        for one in seen.flat_map(|other| other.about(&at)) {
            let here = one.at.as_born();
            match (&one.act, way_on(&here, &at)) {
                (Act::Add { record: born, .. }, Some([])) => {
                    record = Some(Node::Map(born.fields.clone()));
                }
                (Act::Write(value), Some([Step::Entry(field)])) => {
                    if let Some(Node::Map(fields)) = &mut record {
                        fields.insert(field.clone(), named(value.clone()));
                    }
                }
                (Act::Remove, Some([Step::Entry(field)])) => {
                    if let Some(Node::Map(fields)) = &mut record {
                        fields.remove(field);
                    }
                }
                _ => {}
            }
        }
        Ok(record)
    }

    /// The version on which an edit was made, as far as it is about a place.
    fn at_base(
        &self,
        versions: &Versions<'_>,
        edit: &Known,
        at: &Path,
    ) -> Result<Option<Rc<Document>>, Error> {
        for base in edit.base.iter().chain(&edit.published) {
            if versions.time_of(*base)? == 0 {
                continue;
            }
            let Some(blob) = versions.version_in(*base)? else {
                return Ok(None);
            };
            return self.part_of(versions, blob, at);
        }
        Ok(None)
    }

    /// A version, as far as it is about a place.
    fn part_of(
        &self,
        versions: &Versions<'_>,
        blob: BlobId,
        at: &Path,
    ) -> Result<Option<Rc<Document>>, Error> {
        let around = at.outermost_record();
        let mut bases = self.bases.borrow_mut();
        if let Some((_, whole)) = bases.whole.iter().find(|(known, _)| *known == blob) {
            return Ok(Some(Rc::clone(whole)));
        }
        let parts = bases.parts.entry(blob).or_default();
        if let Some(known) = parts.get(&around) {
            return Ok(Some(Rc::clone(known)));
        }
        let Some(text) = versions.text(blob)? else {
            return Ok(None);
        };
        let is_whole = parts.len() >= ONE_BY_ONE;
        let mentioned = if around.steps().is_empty() {
            at
        } else {
            &around
        };
        let read = match is_whole {
            true => lifted(&[Some(&*text), None], &Mentioned::default()),
            false => lifted(&[Some(&*text)], &mentions([mentioned])),
        };
        let Some(document) = read.and_then(|read| read.into_iter().next()) else {
            return Ok(None);
        };
        if is_whole {
            bases.parts.remove(&blob);
            bases.whole.push_back((blob, Rc::clone(&document)));
            if bases.whole.len() > WHOLE_KEPT {
                bases.whole.pop_front();
            }
        } else {
            parts.insert(around, Rc::clone(&document));
        }
        Ok(Some(document))
    }
}

/// What stood at a place before, as far as edits tell.
struct Before {
    left: Option<Option<Node>>,
    sum: i64,
    /// Whether nothing else has to be asked.
    is_sure: bool,
}

/// Whether a version holds what an edit added to a counter.
fn is_within(base: &Option<Rc<Document>>, at: &Path, stamp: Stamp) -> bool {
    let amounts = base
        .as_ref()
        .and_then(|base| base.amounts.get(&at.as_born()));
    amounts.is_some_and(|amounts| amounts.contains_key(&stamp))
}

fn added(node: Node, sum: i64) -> Node {
    match node.as_number() {
        Some(before) if sum != 0 => number(before.saturating_add(sum)),
        _ => node,
    }
}

/// Whether whoever saw this saw a value, or something of it.
fn saw(observed: &Observed, node: &Node) -> bool {
    let has = |value: &Atom| observed.has_digest(value.digest());
    match node {
        Node::Register(value, _) => has(value),
        Node::List(members, _) => members.is_empty() || members.iter().any(has),
        Node::Map(map) => map.is_empty() || map.values().any(|node| saw(observed, node)),
        Node::Set(records) => {
            let mut fields = records.iter().flat_map(|record| record.fields.values());
            records.is_empty() || fields.any(|node| saw(observed, node))
        }
    }
}

fn is_of_group(at: &Path) -> bool {
    match at.steps() {
        [.., Step::Record(..), Step::Entry(field)] => {
            GROUPS.iter().any(|group| group.contains(&field.as_str()))
        }
        _ => false,
    }
}

/// What of a way leads on from another one; nothing where it does not come by there. What names a record by now does not matter.
fn way_on<'p>(at: &'p Path, from: &Path) -> Option<&'p [Step]> {
    let is_same = |(one, other): (&Step, &Step)| match (one, other) {
        (Step::Record(one, _), Step::Record(other, _)) => one == other,
        (one, other) => one == other,
    };
    let (first, rest) = at.steps().split_at_checked(from.steps().len())?;
    first.iter().zip(from.steps()).all(is_same).then_some(rest)
}

/// What an edit left at a place; nothing where it did not touch it.
pub(super) fn left_by(edit: &Known, at: &Path) -> Option<Left> {
    left_by_changes(edit.changes().iter(), at)
}

fn left_by_changes<'c>(
    changes: impl DoubleEndedIterator<Item = &'c Change>,
    at: &Path,
) -> Option<Left> {
    let at = at.as_born();
    changes.rev().find_map(|change| {
        let here = change.at.as_born();
        let rest = way_on(&at, &here)?;
        Some(match (&change.act, rest) {
            (Act::Write(value) | Act::Last(value), []) => Left::Value(Some(named(value.clone()))),
            (Act::Raise(value), []) => Left::Value(Some(number(*value))),
            (Act::Replace(members), []) => {
                Left::Value(Some(Node::List(members.clone(), Stamps::new())))
            }
            (Act::Count(by), []) => Left::Sum(*by),
            (Act::Remove, _) => Left::Value(None),
            (Act::Add { record, .. }, []) => Left::Value(Some(Node::Map(record.fields.clone()))),
            (Act::Add { record, .. }, rest) => Left::Value(node_in(record, rest)),
            _ => return None,
        })
    })
}
