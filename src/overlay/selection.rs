//! Which of the known edits stand over HEAD's version of a document, and what that shows.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::{Closings, CommitId, Deed, Known};
use crate::context::GROUPS;
use crate::crdt::{
    Act, Change, Document, Edit, Found, Loser, Map, Node, Observed, Path, Record, Rules, Stamp,
    Stamps, Step,
};
use crate::yaml::double_quoted;

/// What a view must know of the values in documents.
pub const RULES: Rules<'static> = Rules {
    groups: &GROUPS,
    spell: double_quoted,
};

/// A known edit, and what is decided about it.
#[derive(Clone, Debug)]
pub struct Judged<'k> {
    /// The edit.
    pub known: &'k Known,
    /// Which of its changes HEAD contains.
    pub contained: Vec<bool>,
    /// Whether it may be shown: it is neither taken back, nor parked, nor elsewhere, nor held back.
    pub may_show: bool,
    /// Whether the file was seen to show it: who did the same without having read of it had not seen what it saw.
    pub was_shown: bool,
}

/// The document as it was where an edit was made.
#[derive(Clone, Debug)]
pub struct Origin {
    /// What the edit's base commit holds.
    pub document: Rc<Document>,
    /// What the newest commit holds that is in the ancestry of both that one and HEAD.
    pub common: Rc<Document>,
    /// Whether the edit's base is that commit: HEAD stands on it or further on.
    pub is_behind_head: bool,
}

/// The edits of a document that stand over `head`. `origin` finds the version that an edit was made on; nothing where it is
/// not at hand.
pub fn overlay<E>(
    head: &Document,
    judged: &[Judged<'_>],
    origin: &mut dyn FnMut(&Known) -> Result<Option<Origin>, E>,
) -> Result<Vec<Edit>, E> {
    let standing: Vec<&Judged<'_>> = judged.iter().collect();
    let shown = standing.iter().filter(|judged| judged.may_show);
    let mut selecting = Selecting {
        head,
        closed: Closings::about(
            standing.iter().flat_map(|judged| contained_changes(judged)),
            shown.flat_map(|judged| judged.known.changes()),
        ),
        births: births(&standing),
        standing: &standing,
        origin,
        edits: Vec::new(),
    };
    selecting.select()?;
    selecting.bring_back_bodies()?;
    Ok(selecting.edits)
}

/// The stamps that retractions name.
pub fn retracted<'k>(known: impl Iterator<Item = &'k Known>) -> BTreeSet<Stamp> {
    known
        .filter_map(|known| match &known.deed {
            Deed::Retract(stamps) => Some(stamps),
            Deed::Change(_) => None,
        })
        .flatten()
        .copied()
        .collect()
}

/// A place as a document names it: a record that nobody knows the birth of goes by what it is called. `is_born` where somebody
/// does.
#[must_use]
pub fn as_named_in(document: &Document, at: &Path, is_born: &dyn Fn(&Path) -> bool) -> Path {
    let mut named = Path::default();
    for step in at.steps() {
        let exact = named.then(step.clone());
        named = match step {
            Step::Record(name, _) if document.found(&exact).is_none() && !is_born(&exact) => {
                match document.found(&named) {
                    Some(Found::Node(Node::Set(records))) => {
                        let mut called = records
                            .called(name)
                            .filter(|(_, record)| record.birth.stamp.is_none());
                        match (called.next(), called.next()) {
                            (Some((_, only)), None) => named.record(only),
                            _ => exact,
                        }
                    }
                    _ => exact,
                }
            }
            _ => exact,
        };
    }
    named
}

/// Whether a place is a field that changes together with others.
fn is_grouped(at: &Path) -> bool {
    seen_together(at).len() > 1
}

/// The places that whoever sees this one sees along with it, and writes along with it.
pub(super) fn seen_together(at: &Path) -> Vec<Path> {
    let group = match at.steps() {
        [.., Step::Record(..), Step::Entry(field)] => {
            GROUPS.iter().find(|group| group.contains(&field.as_str()))
        }
        _ => None,
    };
    match (group, at.around()) {
        (Some(group), Some(record)) => group.iter().map(|name| record.entry(name)).collect(),
        _ => vec![at.clone()],
    }
}

/// A record as it is to be brought back.
struct Body {
    record: Record,
    /// On which commit it is so.
    base: Option<CommitId>,
    /// Whether HEAD went on from there, and so took it away.
    gone: bool,
}

impl Body {
    /// What an edit's origin, the version in `base`, has at `at`.
    fn of(at: &Path, origin: &Origin, base: Option<CommitId>) -> Option<Self> {
        match origin.document.found(at) {
            Some(Found::Record(record, ..)) => Some(Self {
                record: record.clone(),
                base,
                gone: origin.is_behind_head,
            }),
            _ => None,
        }
    }
}

struct Selecting<'s, 'k, E> {
    head: &'s Document,
    standing: &'s [&'s Judged<'k>],
    /// The changes that HEAD contains.
    closed: Closings<'s>,
    /// The records that edits added, by their places.
    births: HashMap<&'s Path, &'s Change>,
    origin: &'s mut dyn FnMut(&Known) -> Result<Option<Origin>, E>,
    edits: Vec<Edit>,
}

impl<E> Selecting<'_, '_, E> {
    fn select(&mut self) -> Result<(), E> {
        let standing = self.standing;
        for judged in standing.iter().filter(|judged| judged.may_show) {
            let mut changes = Vec::new();
            for change in open_changes(judged) {
                if self.closed.close(change, judged.known.stamp) {
                    continue;
                }
                let mut change = change.clone();
                change.at = self.as_head_names(&change.at);
                let typed = self.typed_in(judged.known.stamp, &mut change);
                if !self.leave_out_what_head_says(&mut change) {
                    changes.extend(self.on_head(judged.known, change)?);
                }
                for typed in typed {
                    changes.extend(self.on_head(judged.known, typed)?);
                }
            }
            if !changes.is_empty() {
                self.edits.push(Edit {
                    stamp: Some(judged.known.stamp),
                    changes,
                });
            }
        }
        Ok(())
    }

    /// Of a record that was found where its edits had been lost, and that HEAD has by now, what HEAD says as well is no news, whatever
    /// stamps it was found with. Says whether nothing is left.
    fn leave_out_what_head_says(&self, change: &mut Change) -> bool {
        let (Act::Add { record, .. }, Some(Found::Record(there, ..))) =
            (&mut change.act, self.head.found(&change.at))
        else {
            return false;
        };
        if there.birth.stamp.is_none() || there.birth.stamp != record.birth.stamp {
            return false;
        }
        let is_news = |name: &String, node: &Node| {
            let there = there.fields.get(name);
            there.is_none_or(|there| !there.says_the_same_as(node))
        };
        record.fields.retain(|name, node| is_news(name, node));
        record.fields.is_empty()
    }

    /// What somebody had typed in a record whose edits they had lost. Told of with it, and without stamps, it goes by its birth; what the
    /// record was born with tells that it was written since.
    fn typed_in(&self, stamp: Stamp, change: &mut Change) -> Vec<Change> {
        let Act::Add { record, .. } = &mut change.act else {
            return Vec::new();
        };
        let Some(birth) = record.birth.stamp.filter(|birth| *birth != stamp) else {
            return Vec::new();
        };
        let Some(born) = self.born(birth) else {
            return Vec::new();
        };
        let mut typed = Vec::new();
        record.fields.retain(|name, node| {
            let Some(was) = born
                .fields
                .get(name)
                .filter(|was| !was.says_the_same_as(node))
            else {
                return true;
            };
            let act = match node {
                Node::Register(value, stamps) if stamps.iter().eq([&birth]) => {
                    Act::Write(value.clone())
                }
                Node::List(members, stamps) if stamps.iter().eq([&birth]) => {
                    Act::Replace(members.clone())
                }
                _ => return true,
            };
            let mut observed = Observed::default();
            observed.add_node(was);
            observed.add_stamp(birth);
            typed.push(Change {
                at: change.at.entry(name),
                act,
                observed,
            });
            false
        });
        typed
    }

    /// The record that the edit with this stamp added.
    fn born(&self, birth: Stamp) -> Option<&Record> {
        let mut standing = self.standing.iter();
        let born = standing.find(|judged| judged.known.stamp == birth)?;
        born.known
            .changes()
            .iter()
            .find_map(|change| match &change.act {
                Act::Add { record, .. } if record.birth.stamp == Some(birth) => Some(record),
                _ => None,
            })
    }

    /// The place as HEAD names it.
    fn as_head_names(&self, at: &Path) -> Path {
        as_named_in(self.head, at, &|at| self.is_born(at))
    }

    fn is_born(&self, at: &Path) -> bool {
        self.birth(at).is_some()
    }

    /// The record that a known edit added at this place.
    fn birth(&self, at: &Path) -> Option<&Change> {
        self.births.get(at).copied()
    }

    /// A change as it meets HEAD, like its commit would in a merge: what HEAD has as the common ancestor does was seen,
    /// and what it changed in a list, or in a text of several lines, is changed in HEAD's version.
    fn on_head(&mut self, known: &Known, mut change: Change) -> Result<Vec<Change>, E> {
        if matches!(change.act, Act::Count(_)) {
            // Whatever stands there, so much is added.
            return Ok(vec![change]);
        }
        let sees_all = match self.head.found(&change.at) {
            None => true,
            Some(Found::Node(node)) => change.observed.saw(node) && !is_grouped(&change.at),
            Some(Found::Record(record, ..)) => {
                change.act != Act::Remove
                    || record.fields.values().all(|node| change.observed.saw(node))
            }
        };
        if sees_all {
            return Ok(vec![change]);
        }
        let Some(origin) = (self.origin)(known)? else {
            return Ok(vec![change]);
        };
        for at in seen_together(&change.at) {
            if let Some(head) = self.head.found(&at) {
                see_what_is_common(&mut change.observed, head, origin.common.found(&at));
            }
        }
        let is_mergeable = match &change.act {
            Act::Replace(_) => true,
            Act::Write(value) => value.lines().is_some(),
            _ => false,
        };
        let unseen = match self.head.found(&change.at) {
            Some(Found::Node(node)) if is_mergeable && !change.observed.saw(node) => node,
            _ => return Ok(vec![change]),
        };
        let Some(Found::Node(before)) = origin.common.found(&change.at) else {
            return Ok(vec![change]);
        };
        let place = Path::default().entry("");
        let holding = |node: &Node| Document {
            root: [(String::new(), node.clone())].into(),
            ..Document::default()
        };
        let mut both = RULES.edits(&holding(before), &holding(unseen));
        both.push(Edit {
            stamp: Some(known.stamp),
            changes: vec![Change {
                at: place.clone(),
                act: change.act.clone(),
                observed: change.observed.clone(),
            }],
        });
        let merged = RULES.view(&holding(before), &both);
        let mut observed = change.observed.clone();
        observed.add_node(unseen);
        let mut changes: Vec<Change> = merged
            .losers
            .into_keys()
            .map(|Loser { value, .. }| Change {
                at: change.at.clone(),
                act: Act::Lose(value),
                observed: Observed::default(),
            })
            .collect();
        let act = match merged.root.into_values().next() {
            Some(Node::Register(value, _)) => Act::Write(value),
            Some(Node::List(members, _)) => Act::Replace(members),
            _ => change.act,
        };
        changes.push(Change {
            at: change.at,
            act,
            observed,
        });
        Ok(changes)
    }

    /// An update of a record that HEAD does not have brings it back whole: with what it held where the update was made.
    fn bring_back_bodies(&mut self) -> Result<(), E> {
        let mut missing: BTreeMap<Path, Stamp> = BTreeMap::new();
        let changes = self.edits.iter().flat_map(|edit| &edit.changes);
        let removed = Closings::of(changes.filter(|change| change.act == Act::Remove));
        for edit in &self.edits {
            for change in &edit.changes {
                let is_update =
                    !matches!(change.act, Act::Add { .. } | Act::Remove | Act::Move { .. });
                let inside = missing_record(self.head, &change.at);
                if let (Some(record), Some(stamp), true) = (inside, edit.stamp, is_update)
                    && !removed.close(change, stamp)
                {
                    missing.entry(record).or_insert(stamp);
                }
            }
        }
        self.call_alike(&mut missing);
        let changes = self.edits.iter().flat_map(|edit| &edit.changes);
        let births = changes.filter(|change| matches!(change.act, Act::Add { .. }));
        let born: HashSet<Path> = births.map(|change| change.at.clone()).collect();
        let standing = self.standing.iter();
        let standing: HashMap<Stamp, &Judged<'_>> = standing
            .map(|judged| (judged.known.stamp, *judged))
            .collect();
        for (at, stamp) in missing {
            if born.contains(&at) {
                continue;
            }
            let Some(judged) = standing.get(&stamp) else {
                continue;
            };
            if let Some(Body { record, base, gone }) = self.body(&at, judged)? {
                let lived = self.lived_in(&at, base);
                self.bring_back(at, record, gone);
                self.edits.extend(lived);
            }
        }
        Ok(())
    }

    /// What a record held that HEAD does not have, for who edited it there: in the version that the edit was made on, or else at its birth. Who
    /// edited what somebody else's edit had brought back did so where nobody has it; the other one did not.
    fn body(&mut self, at: &Path, judged: &Judged<'_>) -> Result<Option<Body>, E> {
        let origin = (self.origin)(judged.known)?;
        let gone = origin.as_ref().is_none_or(|origin| origin.is_behind_head);
        if let Some(body) = origin.and_then(|origin| Body::of(at, &origin, judged.known.base)) {
            return Ok(Some(body));
        }
        if let Some(Act::Add { record, .. }) = self.birth(at).map(|birth| &birth.act) {
            return Ok(Some(Body {
                record: record.clone(),
                base: judged.known.base,
                gone,
            }));
        }
        for other in self.standing {
            let mut changes = other.known.changes().iter();
            let is_inside = |change: &Change| change.at.steps().starts_with(at.steps());
            if other.known.base == judged.known.base || !changes.any(is_inside) {
                continue;
            }
            let origin = (self.origin)(other.known)?;
            let body = origin.and_then(|origin| Body::of(at, &origin, other.known.base));
            if body.is_some() {
                return Ok(body);
            }
        }
        Ok(None)
    }

    /// What was edited in a record over the commit from which it is brought back, before it was removed: HEAD has it in that it has
    /// the removal.
    fn lived_in(&self, at: &Path, base: Option<CommitId>) -> Vec<Edit> {
        let over_it = self
            .standing
            .iter()
            .filter(|judged| judged.known.base == base);
        let changes = over_it.flat_map(|judged| {
            let changes = contained_changes(judged);
            changes.map(|change| (judged.known.stamp, change))
        });
        let inside = changes.filter(|(_, change)| {
            change.at != *at
                && change.at.steps().starts_with(at.steps())
                && matches!(change.act, Act::Write(_) | Act::Replace(_) | Act::Remove)
        });
        let edit = |(stamp, change): (Stamp, &Change)| Edit {
            stamp: Some(stamp),
            changes: vec![change.clone()],
        };
        inside.map(edit).collect()
    }

    /// Records of one name that HEAD does not have and nobody knows the birth of are one, whatever named them where they were
    /// edited: as they are where HEAD has it.
    fn call_alike(&mut self, missing: &mut BTreeMap<Path, Stamp>) {
        let mut alike: BTreeMap<Path, Path> = BTreeMap::new();
        let mut others: Vec<(Path, Path)> = Vec::new();
        for at in missing.keys().filter(|at| !self.is_born(at)) {
            let (Some(Step::Record(name, _)), Some(around)) = (at.steps().last(), at.around())
            else {
                continue;
            };
            match alike.entry(around.entry(name.said())) {
                Entry::Vacant(first) => {
                    first.insert(at.clone());
                }
                Entry::Occupied(first) => others.push((at.clone(), first.get().clone())),
            }
        }
        for (other, first) in others {
            missing.remove(&other);
            for change in self.edits.iter_mut().flat_map(|edit| &mut edit.changes) {
                if let Some(rest) = change.at.steps().strip_prefix(other.steps()) {
                    change.at = first.steps().iter().chain(rest).cloned().collect();
                }
            }
        }
    }

    fn bring_back(&mut self, at: Path, body: Record, gone: bool) {
        let mut seen = Observed::default();
        body.fields.values().for_each(|node| seen.add_node(node));
        if let Some(birth) = body.birth.stamp {
            seen.add_stamp(birth);
        }
        let edit = |stamp, act, observed| Edit {
            stamp,
            changes: vec![Change {
                at: at.clone(),
                act,
                observed,
            }],
        };
        let removals: Vec<Edit> = self
            .standing
            .iter()
            .flat_map(|judged| {
                let of_record = |change: &&Change| change.at == at && change.act == Act::Remove;
                let changes = contained_changes(judged).filter(of_record);
                changes.map(|change| (judged.known.stamp, change))
            })
            .map(|(stamp, change)| edit(Some(stamp), Act::Remove, change.observed.clone()))
            .collect();
        if removals.is_empty() && gone {
            self.edits.push(edit(None, Act::Remove, seen));
        }
        self.edits.extend(removals);
        let birth = body.birth.stamp;
        let add = Act::Add {
            record: body,
            behind: None,
        };
        self.edits.push(edit(birth, add, Observed::default()));
    }
}

/// Adds what HEAD has in a place, as far as the common ancestor has the same. What somebody wrote anew since, though it said the
/// same, was not seen: they may have put it back.
fn see_what_is_common(observed: &mut Observed, head: Found<'_>, common: Option<Found<'_>>) {
    match (head, common) {
        (Found::Node(Node::Map(head)), Some(Found::Node(Node::Map(common)))) => {
            see_common_fields(observed, head, common);
        }
        (Found::Node(head), Some(Found::Node(common)))
            if head.says_the_same_as(common) && !is_written_since(head, common) =>
        {
            observed.add_node(head);
        }
        (Found::Record(head, ..), Some(Found::Record(common, ..))) => {
            see_common_fields(observed, &head.fields, &common.fields);
        }
        _ => {}
    }
}

/// Whether a value or a list carries a stamp that the same one does not carry in an older version.
fn is_written_since(node: &Node, older: &Node) -> bool {
    let stamps = |node: &Node| match node {
        Node::Register(_, stamps) | Node::List(_, stamps) => stamps.clone(),
        Node::Map(_) | Node::Set(_) => Stamps::new(),
    };
    !stamps(node).is_subset(&stamps(older))
}

fn see_common_fields(observed: &mut Observed, head: &Map, common: &Map) {
    for (name, head) in head {
        if let Some(common) = common.get(name) {
            see_what_is_common(observed, Found::Node(head), Some(Found::Node(common)));
        }
    }
}

/// The first birth at every place.
fn births<'s>(standing: &'s [&Judged<'_>]) -> HashMap<&'s Path, &'s Change> {
    let mut births = HashMap::new();
    for change in standing.iter().flat_map(|judged| judged.known.changes()) {
        if matches!(change.act, Act::Add { .. }) {
            births.entry(&change.at).or_insert(change);
        }
    }
    births
}

/// The changes of an edit that HEAD does not contain.
pub(super) fn open_changes<'j>(judged: &'j Judged<'_>) -> impl Iterator<Item = &'j Change> {
    let changes = judged.known.changes().iter().enumerate();
    changes
        .filter(|(index, _)| !judged.contained.get(*index).copied().unwrap_or(false))
        .map(|(_, change)| change)
}

/// The changes of an edit that HEAD contains.
fn contained_changes<'j>(judged: &'j Judged<'_>) -> impl Iterator<Item = &'j Change> {
    let changes = judged.known.changes().iter().zip(&judged.contained);
    changes.filter(|(_, held)| **held).map(|(change, _)| change)
}

/// The outermost record on the way to `at` that a document does not have.
fn missing_record(document: &Document, at: &Path) -> Option<Path> {
    let mut here = Path::default();
    for step in at.steps() {
        here = here.then(step.clone());
        if matches!(step, Step::Record(..)) && document.found(&here).is_none() {
            return Some(here);
        }
    }
    None
}
