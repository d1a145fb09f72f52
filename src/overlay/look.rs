//! A look at a file: what it shows of what is known, and what somebody edited in it.

use std::collections::{BTreeMap, HashMap};

use super::effect::{
    has_as_added, has_before_edited, is_called_so, keeps_as_later, leaf_in, names, shows, tells_of,
    there, went_with_more,
};
use super::observers::Grounds;
use super::selection::{Judged, RULES, as_named_in, open_changes, seen_together};
use crate::context::Types;
use crate::crdt::{
    Act, Change, Document, Found, Loser, Map, Node, Path, Record, Records, Stamp, Stamps, Step,
    Type,
};

/// Whether a file shows an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// All that it did stands there, with its stamp.
    Named,
    /// All that it did stands there, or what another edit did that is shown there and saw it.
    Seen,
    /// Some of what it did stands there, and its stamp.
    Part,
    /// Some of what it did stands there, without its stamp: anybody may have done that, who need not have read the rest.
    Like,
    /// Nothing of it.
    Gone,
}

/// How a file shows each of `edits`, of those changes that HEAD does not contain. What `head` shows as well is no sign of
/// an edit.
#[must_use]
pub fn sights(file: &Document, head: &Document, edits: &[Judged<'_>]) -> Vec<Sight> {
    let mut sights: Vec<Sight> = edits
        .iter()
        .map(|judged| {
            let stamp = judged.known.stamp;
            let (mut is_named, mut is_seen, mut is_whole) = (false, false, true);
            let meant = open_changes(judged).filter(|change| !matches!(change.act, Act::Form(_)));
            for change in meant {
                let stands = shows(file, change, stamp) || keeps_as_later(file, change, stamp);
                let is_other = has_before_edited(file, change) || went_with_more(file, change);
                is_named |= names(file, change, stamp) && !is_other;
                let stood = shows(head, change, stamp) || keeps_as_later(head, change, stamp);
                is_seen |= is_other || (stands && !stood);
                is_whole &= stands && !is_other;
            }
            match (is_named, is_seen) {
                (false, false) => Sight::Gone,
                (true, _) if !is_whole => Sight::Part,
                (false, true) if !is_whole => Sight::Like,
                (true, _) => Sight::Named,
                (false, true) => Sight::Seen,
            }
        })
        .collect();
    let shown = edits.iter().zip(&sights);
    let grounds = Grounds::of(
        shown
            .filter(|(judged, sight)| match sight {
                Sight::Named | Sight::Part => true,
                // Somebody may have done the same by themselves.
                Sight::Seen | Sight::Like => judged.was_shown,
                Sight::Gone => false,
            })
            .flat_map(|(judged, _)| open_changes(judged)),
    );
    for (judged, sight) in edits.iter().zip(&mut sights) {
        let places = judged.known.changes().iter().map(|change| &change.at);
        let is_open = matches!(sight, Sight::Gone | Sight::Part | Sight::Like);
        if is_open && grounds.have(judged.known.stamp, places) {
            *sight = Sight::Seen;
        }
    }
    sights
}

/// Whether a change wrote a value that stands in a file without the stamp of the edit: with none, or with that of an older edit which
/// somebody put back.
#[must_use]
pub fn is_unnamed(file: &Document, stamp: Stamp, change: &Change) -> bool {
    let is_value = matches!(change.act, Act::Write(_) | Act::Replace(_) | Act::Last(_));
    is_value && leaf(file, &change.at).is_some_and(|(_, stamps)| !stamps.contains(&stamp))
}

/// Whether a change took away something in a record that an edit had brought or written: the record may still say so.
#[must_use]
pub fn takes_edit_away(change: &Change) -> bool {
    let is_field = matches!(change.at.steps(), [.., Step::Record(..), Step::Entry(_)]);
    is_field && change.act == Act::Remove && !change.observed.stamps().is_empty()
}

/// Whether an edit only took away what the file lacks. Nothing there tells whether somebody took that back, as where no commit ever
/// had what it took away.
#[must_use]
pub fn is_absent_as_meant(file: &Document, edit: &Judged<'_>) -> bool {
    let mut open = open_changes(edit).peekable();
    open.peek().is_some()
        && open.all(|change| change.act == Act::Remove && there(file, &change.at).is_none())
}

/// What was edited in a file, in one edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its stamp, where that stands in the file; the stamp of any other one is told to nobody but the store and the peers.
    pub stamp: Option<Stamp>,
    /// What it changed.
    pub changes: Vec<Change>,
}

/// What is known of a stamp that stands beside a change in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Familiar {
    /// It was made here for just this.
    Fresh,
    /// The change is that of a known edit.
    Known,
    /// The change is that of a known edit that was superseded since: somebody put back what it did.
    Superseded,
    /// Its edit is over: taken back, or part of the history.
    Foreign,
    /// Its edit is not known.
    Unknown,
}

/// The records that `file` has again, which `head` has and its writer had read as gone: somebody put them back.
#[must_use]
pub fn put_back(read: &Document, head: &Document, file: &Document) -> Vec<Path> {
    let mut places = Vec::new();
    let maps = [&read.root, &head.root, &file.root];
    put_back_in(maps, &Path::default(), &mut places);
    places
}

fn put_back_in([read, head, file]: [&Map; 3], at: &Path, places: &mut Vec<Path>) {
    for (name, node) in file {
        let (read, head) = match (read.get(name), head.get(name), node) {
            (Some(Node::Map(read)), Some(Node::Map(head)), Node::Map(file)) => {
                put_back_in([read, head, file], &at.entry(name), places);
                continue;
            }
            (Some(Node::Set(read)), Some(Node::Set(head)), Node::Set(_)) => (read.as_slice(), head),
            (Some(Node::List(..)) | None, Some(Node::Set(head)), Node::Set(_)) => (&[][..], head),
            _ => continue,
        };
        let Node::Set(file) = node else { continue };
        let at = at.entry(name);
        let (read, head) = (by_name(read), by_name(head));
        for record in file {
            let name = record.name.canonical();
            match (read.get(name), head.get(name)) {
                (Some(read), Some(head)) if read.fields != record.fields => {
                    let maps = [&read.fields, &head.fields, &record.fields];
                    put_back_in(maps, &at.record(read), places);
                }
                (None, Some(head)) if head.birth.digest == record.birth.digest => {
                    places.push(at.record(head));
                }
                _ => {}
            }
        }
    }
}

fn by_name(records: &[Record]) -> HashMap<&str, &Record> {
    let named = records
        .iter()
        .map(|record| (record.name.canonical(), record));
    named.collect()
}

/// `read` with records of `head` that were put back, which hold what `body` tells: what was read for those that put them
/// back.
#[must_use]
pub fn with_put_back(
    read: &Document,
    head: &Document,
    places: &[Path],
    body: &dyn Fn(&Path) -> Map,
) -> Document {
    let mut read = read.clone();
    for at in places {
        let (Some(around), Some(Found::Record(record, records, index))) =
            (at.around(), head.found(at))
        else {
            continue;
        };
        let Some(set) = set_in(&mut read.root, around.steps()) else {
            continue;
        };
        let mut before = records.iter().take(index).rev();
        let behind = before.find_map(|before| set.iter().position(|one| one.name == before.name));
        let fields = body(at);
        let record = Record {
            fields,
            ..record.clone()
        };
        set.insert(behind.map_or(0, |behind| behind + 1), record);
    }
    read
}

/// The records in a place, which is a list of them from now on if it held nothing.
fn set_in<'m>(map: &'m mut Map, steps: &[Step]) -> Option<&'m mut Vec<Record>> {
    let (Step::Entry(name), rest) = steps.split_first()? else {
        return None;
    };
    if rest.is_empty() {
        let node = map
            .entry(name.clone())
            .or_insert_with(|| Node::Set(Records::default()));
        if matches!(node, Node::List(members, _) if members.is_empty()) {
            *node = Node::Set(Records::default());
        }
        return match node {
            Node::Set(records) => Some(records),
            _ => None,
        };
    }
    match (map.get_mut(name)?, rest) {
        (Node::Map(map), rest) => set_in(map, rest),
        (Node::Set(records), [Step::Record(name, birth), rest @ ..]) => {
            let is_it =
                |record: &&mut Record| record.name == *name && record.birth.digest == *birth;
            set_in(&mut records.iter_mut().find(is_it)?.fields, rest)
        }
        _ => None,
    }
}

/// What was edited in `file`, which its writer had read as `read`; `view` is what is shown of the known edits: each edit
/// observed what stands there, but for amounts that were added, and what stood there in the version `below` all that was read.
#[must_use]
pub fn findings(
    read: &Document,
    view: &Document,
    below: Option<&Document>,
    file: &Document,
    types: &Types,
    familiar: &dyn Fn(Stamp, &Change) -> Familiar,
) -> Vec<Finding> {
    let mut found = Vec::new();
    // Each record's by themselves: they can be committed, and taken back, one by one.
    // In the order of the file, so that a record is put behind one that has its place already.
    let mut unnamed = ByRecord::default();
    for edit in RULES.edits_counting(read, file, &|at| types.counts(at)) {
        let mut named = Vec::new();
        for mut change in edit.changes {
            if !matches!(change.act, Act::Add { .. }) {
                change.at = as_named_in(view, &change.at, &|_| false);
            }
            let stamp = edit.stamp.map(|stamp| (stamp, familiar(stamp, &change)));
            as_typed(&mut change.act, types.at(&change.at));
            let mut observed = change.observed.clone();
            if !matches!(
                change.act,
                Act::Move { .. } | Act::Lose(_) | Act::Settle(_) | Act::Form(_) | Act::Count(_)
            ) {
                observed.extend(&RULES.observed(view, &change.at));
                if let Some(below) = below {
                    let at = as_named_in(below, &change.at, &|_| false);
                    observed.extend(&RULES.observed(below, &at));
                }
            }
            let changes = match stamp {
                Some((_, Familiar::Known)) => continue,
                Some((_, Familiar::Fresh)) => &mut named,
                Some((stamp, Familiar::Unknown)) if is_birth(&mut change.act, stamp) => {
                    unnamed.of(&change.at)
                }
                Some((_, Familiar::Superseded)) => unnamed.of(&change.at),
                Some((stamp, Familiar::Foreign | Familiar::Unknown)) => {
                    if observed.has_stamp(stamp) && shows(view, &change, stamp) {
                        continue;
                    }
                    observed.add_stamp(stamp);
                    unnamed.of(&change.at)
                }
                None => unnamed.of(&change.at),
            };
            change.observed = observed;
            changes.push(change);
        }
        if !named.is_empty() {
            found.push(Finding {
                stamp: edit.stamp,
                changes: named,
            });
        }
    }
    found.extend(unnamed.changes.into_iter().map(|changes| Finding {
        stamp: None,
        changes,
    }));
    for finding in &mut found {
        write_what_stays_away(&mut finding.changes, view, file);
    }
    found
}

/// What a change writes, where a document has it among what lost.
#[must_use]
pub fn loser_in(document: &Document, change: &Change) -> Option<Loser> {
    let Act::Write(value) = &change.act else {
        return None;
    };
    let loser = Loser {
        at: change.at.clone(),
        value: Some(value.clone()),
    };
    document.losers.contains_key(&loser).then_some(loser)
}

/// Whoever writes a field writes all that change together with it: also that those are not there which were taken away before.
fn write_what_stays_away(changes: &mut Vec<Change>, view: &Document, file: &Document) {
    let mut away: Vec<Change> = Vec::new();
    for change in changes.iter() {
        for at in seen_together(&change.at) {
            let is_written = changes.iter().chain(&away).any(|other| other.at == at);
            if !is_written && view.removed.contains_key(&at) && there(file, &at).is_none() {
                away.push(Change {
                    at,
                    act: Act::Remove,
                    observed: change.observed.clone(),
                });
            }
        }
    }
    changes.extend(away);
}

/// What writing a value is in a place of a type.
pub fn as_typed(act: &mut Act, kind: Option<Type>) {
    let Act::Write(value) = act else { return };
    match kind {
        Some(Type::Max) => {
            if let Some(number) = value.as_number() {
                *act = Act::Raise(number);
            }
        }
        Some(Type::Lww) => *act = Act::Last(value.clone()),
        _ => {}
    }
}

/// Changes by the records that they are of, in the order in which these came.
#[derive(Default)]
struct ByRecord {
    changes: Vec<Vec<Change>>,
    places: BTreeMap<Path, usize>,
}

impl ByRecord {
    /// Those of the record that this place is in.
    fn of(&mut self, at: &Path) -> &mut Vec<Change> {
        let next = self.changes.len();
        let place = *self.places.entry(at.outermost_record()).or_insert(next);
        if place == next {
            self.changes.push(Vec::new());
        }
        &mut self.changes[place]
    }
}

/// Whether what `view` shows of edits in the place of a change, and all that is written along with it, is what `file` holds.
#[must_use]
pub fn is_shown_by(view: &Document, file: &Document, change: &Change) -> bool {
    let is_edited = leaf(view, &change.at).is_some_and(|(_, stamps)| !stamps.is_empty());
    is_edited && say_the_same(view, file, &change.at)
}

/// The stamps of the value or list in a place.
#[must_use]
pub fn stamps_of<'d>(document: &'d Document, at: &Path) -> Option<&'d Stamps> {
    leaf(document, at).map(|(_, stamps)| stamps)
}

/// Whether a change writes what stood there for who had read `read`, and all that is written along with it.
#[must_use]
pub fn is_left(read: &Document, file: &Document, change: &Change) -> bool {
    leaf(read, &change.at).is_some() && say_the_same(read, file, &change.at)
}

/// Whether two documents hold the same in a place, and in those that are written along with it.
fn say_the_same(a: &Document, b: &Document, at: &Path) -> bool {
    seen_together(at)
        .iter()
        .all(|at| match (leaf(a, at), leaf(b, at)) {
            (Some((a, _)), Some((b, _))) => a.says_the_same_as(b),
            (None, None) => true,
            _ => false,
        })
}

/// A value or list just there, under no other name, with its stamps.
fn leaf<'d>(document: &'d Document, at: &Path) -> Option<(&'d Node, &'d Stamps)> {
    leaf_in(document.found(at)?)
}

/// Whether an act adds the record that was born with this stamp; what it holds goes by that name then, for whoever knows
/// its birth.
fn is_birth(act: &mut Act, stamp: Stamp) -> bool {
    match act {
        Act::Add { record, .. } if record.birth.stamp == Some(stamp) => {
            name(&mut record.fields, stamp);
            true
        }
        _ => false,
    }
}

/// Gives what has no stamp this one.
fn name(fields: &mut Map, stamp: Stamp) {
    for node in fields.values_mut() {
        match node {
            Node::Register(_, stamps) | Node::List(_, stamps) if stamps.is_empty() => {
                stamps.insert(stamp);
            }
            Node::Map(map) => name(map, stamp),
            Node::Register(..) | Node::List(..) | Node::Set(_) => {}
        }
    }
}

/// How many edits these are, as people count them: leaves that changed, records that came and went.
#[must_use]
pub fn count(read: &Document, findings: &[Finding]) -> usize {
    let counts = |change: &&Change| match &change.act {
        Act::Add { .. } | Act::Count(_) | Act::Raise(_) => true,
        Act::Write(_) | Act::Replace(_) | Act::Last(_) | Act::Remove => !stood(read, change),
        _ => false,
    };
    let changes = findings.iter().flat_map(|finding| &finding.changes);
    changes.filter(counts).count()
}

/// Whether what a change writes stood there before: it was written again along with what it belongs to.
fn stood(read: &Document, change: &Change) -> bool {
    match (read.found(&change.at), &change.act) {
        (Some(Found::Node(Node::Register(there, _))), Act::Write(value) | Act::Last(value)) => {
            there == value
        }
        (Some(Found::Node(Node::List(there, _))), Act::Replace(members)) => there == members,
        (None, Act::Remove) => true,
        _ => false,
    }
}

/// More was deleted from a list than people delete at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MassDeletion {
    /// The list.
    pub list: String,
    /// How many of its records are gone.
    pub gone: usize,
    /// Of how many.
    pub of: usize,
}

/// The fewest records of a list of which a deletion can be suspicious.
const SUSPICIOUS_FROM: usize = 20;

/// Whether more than half of a long list is gone.
#[must_use]
pub fn mass_deletion(read: &Document, findings: &[Finding]) -> Option<MassDeletion> {
    let mut gone: BTreeMap<Path, usize> = BTreeMap::new();
    for change in findings.iter().flat_map(|finding| &finding.changes) {
        let list = change.at.around();
        if change.act == Act::Remove
            && let (Some(Found::Record(..)), Some(list)) = (read.found(&change.at), list)
        {
            *gone.entry(list).or_default() += 1;
        }
    }
    gone.into_iter().find_map(|(list, gone)| {
        let of = match read.found(&list) {
            Some(Found::Node(Node::Set(records))) => records.len(),
            _ => 0,
        };
        let list = list.to_string();
        (of >= SUSPICIOUS_FROM && gone * 2 > of).then_some(MassDeletion { list, gone, of })
    })
}

/// How much somebody edited who had read one version when they wrote another: how many changes tell them apart. Of as many, those
/// are less that settle less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Distance {
    changes: usize,
    settled: usize,
}

impl Distance {
    /// From what was read to what was written.
    #[must_use]
    pub fn between(read: &Document, file: &Document) -> Self {
        let mut distance = Self::default();
        let edits = RULES.edits(read, file).into_iter();
        let changes = edits.flat_map(|edit| edit.changes);
        for change in changes.filter(|change| !stood(read, change)) {
            distance.changes += 1;
            distance.settled += usize::from(matches!(change.act, Act::Settle(_)));
        }
        distance
    }

    /// How many changes these are.
    #[must_use]
    pub fn changes(self) -> usize {
        self.changes
    }
}

/// Whether nothing of what tells two versions apart was made here.
#[must_use]
pub fn is_of_others(
    earlier: &Document,
    later: &Document,
    is_own: &dyn Fn(Option<Stamp>, &Change) -> bool,
) -> bool {
    let mut between = changes_between(earlier, later);
    !between.any(|(stamp, change)| is_own(stamp, &change))
}

/// What was changed between two versions, with the stamps of who did.
fn changes_between<'d>(
    earlier: &'d Document,
    later: &Document,
) -> impl Iterator<Item = (Option<Stamp>, Change)> + 'd {
    let edits = RULES.edits(earlier, later).into_iter();
    let changes = edits.flat_map(|edit| {
        let stamp = edit.stamp;
        edit.changes.into_iter().map(move |change| (stamp, change))
    });
    changes.filter(|(_, change)| !stood(earlier, change))
}

/// Whether `file` may have been written by somebody who had read `earlier` and did not know of what came between that and
/// `current`. Nobody had who left the stamp of something that came between in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Nobody had read that.
    No,
    /// Somebody may have: nothing tells.
    Maybe,
    /// Somebody may have, and of something that came between, the stamp is missing that whoever had read it would have left.
    Unstamped,
}

/// Whether somebody may have read `earlier` and not `current` who wrote `file`. `is_own` tells which of the changes that came
/// between were made here: who takes back nothing but what they did themselves does so on purpose.
#[must_use]
pub fn was_read_before(
    earlier: &Document,
    current: &Document,
    file: &Document,
    is_own: &dyn Fn(Option<Stamp>, &Change) -> bool,
) -> Reading {
    let is_shown = |stamp: Option<Stamp>, change: &Change| match stamp {
        Some(stamp) => shows(file, change, stamp),
        None => !same_there(earlier, file, change),
    };
    let mut reading = Reading::No;
    for (stamp, change) in changes_between(earlier, current) {
        if is_own(stamp, &change) {
            // Who has a record that was born here since had read of it, whatever they made of it.
            if matches!(change.act, Act::Add { .. }) && is_called_so(file, &change.at) {
                return Reading::No;
            }
            if !is_shown(stamp, &change) && Distance::between(earlier, file).changes == 0 {
                return Reading::No;
            }
        } else if let Some(stamp) = stamp {
            // Nobody makes just the record that somebody else has made.
            if matches!(change.act, Act::Add { .. }) && has_as_added(file, &change) {
                return Reading::No;
            }
            // What came back when later edits were taken back was told of before.
            if tells_of(file, &change, stamp) && !tells_of(earlier, &change, stamp) {
                return Reading::No;
            }
            if tells_of(current, &change, stamp) {
                reading = Reading::Unstamped;
            }
        }
        if reading == Reading::No {
            reading = Reading::Maybe;
        }
    }
    reading
}

/// Whether both hold the same in the place of a change.
fn same_there(a: &Document, b: &Document, change: &Change) -> bool {
    match (there(a, &change.at), there(b, &change.at)) {
        (None, None) => true,
        (Some(Found::Node(Node::Register(a, _))), Some(Found::Node(Node::Register(b, _)))) => {
            a == b
        }
        (Some(Found::Node(Node::List(a, _))), Some(Found::Node(Node::List(b, _)))) => a == b,
        (Some(Found::Record(_, a, at_a)), Some(Found::Record(_, b, at_b))) => {
            let behind = |records: &[Record], index: usize| {
                let before = index.checked_sub(1).and_then(|index| records.get(index));
                before.map(|record| record.name.clone())
            };
            !matches!(change.act, Act::Move { .. }) || behind(a, at_a) == behind(b, at_b)
        }
        (Some(Found::Node(a)), Some(Found::Node(b))) => a == b,
        _ => false,
    }
}
