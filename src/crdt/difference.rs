//! The difference of two versions of a document as edits: what was done to the one to make the other.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::document::{Atom, Document, Found, Loser, Map, Node, Path, Record, Stamps, Step};
use super::edit::{Act, Change, Edit};
use super::set::Key;
use super::{Observed, Stamp, order, unaccounted};

/// The edits that made `new` of `old`: one for each stamp that `new` has and `old` has not, and one for what carries
/// none. Each observed what `old` holds in its place, losing values included, and wrote all fields of the `groups` of which
/// it changed one.
///
/// A place that `counts`, or at which either knows amounts, is a counter: what was done to it is added to it.
pub(super) fn edits(
    old: &Document,
    new: &Document,
    groups: &[&[&str]],
    counts: &dyn Fn(&Path) -> bool,
    alike: Alike,
) -> Vec<Edit> {
    let mut difference = Difference {
        old,
        new,
        groups,
        counts,
        alike,
        births: Vec::new(),
        changes: BTreeMap::new(),
    };
    difference.maps(&old.root, &new.root, &Path::default());
    let news = |losers: &BTreeMap<Loser, Stamps>, known: &BTreeMap<Loser, Stamps>| -> Vec<Loser> {
        let unknown = losers.keys().filter(|loser| !known.contains_key(loser));
        unknown.cloned().collect()
    };
    let lost = lost_as_called_in(old, new);
    for Loser { at, value } in news(&lost, &old.losers) {
        difference.push(None, at, Act::Lose(value), Observed::default());
    }
    for Loser { at, value } in news(&old.losers, &lost) {
        // Whoever shows what lost, and was known to have, chose it.
        let shows = |document: &Document| match document.found(&at) {
            Some(Found::Node(Node::Register(shown, _))) => Some(shown) == value.as_ref(),
            _ => false,
        };
        let loser = Loser {
            at: at.clone(),
            value: value.clone(),
        };
        let is_named = old
            .losers
            .get(&loser)
            .is_some_and(|stamps| !stamps.is_empty());
        if is_named && shows(new) && !shows(old) {
            continue;
        }
        // What lost in a record that is gone went with it.
        if has_records_on(&old.root, at.steps()) && !has_records_on(&new.root, at.steps()) {
            continue;
        }
        difference.push(None, at, Act::Settle(value), Observed::default());
    }
    difference
        .changes
        .into_iter()
        .map(|(stamp, changes)| Edit { stamp, changes })
        .collect()
}

/// What lost in `new`, in the places that `old` knows: a record whose birth nobody told is the one that is called so, whatever names it by
/// now.
fn lost_as_called_in<'n>(old: &Document, new: &'n Document) -> Cow<'n, BTreeMap<Loser, Stamps>> {
    let as_called = |at: &Path| {
        let mut called = Path::default();
        for step in at.steps() {
            let exact = called.then(step.clone());
            let other = match (step, old.found(&called)) {
                (Step::Record(name, _), Some(Found::Node(Node::Set(records))))
                    if old.found(&exact).is_none() =>
                {
                    let named = records.called(name).map(|(_, record)| record);
                    named
                        .into_iter()
                        .find(|record| record.birth.stamp.is_none())
                }
                _ => None,
            };
            called = other.map_or(exact, |record| called.record(record));
        }
        called
    };
    let is_known = |loser: &Loser| old.losers.contains_key(loser);
    if new.losers.keys().all(is_known) {
        return Cow::Borrowed(&new.losers);
    }
    let losers = new.losers.iter().map(|(loser, stamps)| {
        let loser = Loser {
            at: as_called(&loser.at),
            value: loser.value.clone(),
        };
        (loser, stamps.clone())
    });
    Cow::Owned(losers.collect())
}

/// Whether all records on a way are there: they are the same as long as they are called the same.
fn has_records_on(map: &Map, steps: &[Step]) -> bool {
    let (Some(Step::Entry(name)), rest) = (steps.first(), steps.get(1..).unwrap_or_default())
    else {
        return true;
    };
    match (map.get(name), rest) {
        (Some(Node::Map(map)), rest) => has_records_on(map, rest),
        (Some(Node::Set(records)), [Step::Record(name, _), rest @ ..]) => {
            let named = records.called(name).next();
            named.is_some_and(|(_, record)| has_records_on(&record.fields, rest))
        }
        (_, [Step::Record(..), ..]) => false,
        _ => true,
    }
}

/// What an edit of `at` observes in `document`. Fields that change together are observed together.
pub(super) fn observed(document: &Document, at: &Path, groups: &[&[&str]]) -> Observed {
    let difference = Difference {
        old: document,
        new: document,
        groups,
        counts: &|_| false,
        alike: Alike::Called,
        births: Vec::new(),
        changes: BTreeMap::new(),
    };
    let births = births_on(document, at);
    let seen = |at: &Path| match document.found(at) {
        Some(Found::Node(node)) => difference.observed(Some(node), at),
        Some(Found::Record(record, ..)) => {
            let mut observed = difference.observed(None, at);
            observed.extend(&difference.in_map(&record.fields, at));
            record
                .birth
                .stamp
                .into_iter()
                .for_each(|birth| observed.add_stamp(birth));
            observed
        }
        None => difference.observed(None, at),
    };
    let together = match at.steps() {
        [around @ .., Step::Record(..), Step::Entry(field)] => groups
            .iter()
            .find(|group| group.contains(&field.as_str()))
            .map(|group| (around.len() + 1, group)),
        _ => None,
    };
    let mut observed = match together {
        None => seen(at),
        Some((record, group)) => {
            let record = at.first(record);
            let mut observed = Observed::default();
            for name in *group {
                observed.extend(&seen(&record.entry(name)));
            }
            observed
        }
    };
    births
        .into_iter()
        .for_each(|birth| observed.add_stamp(birth));
    observed
}

/// The births of the records on a way. What they were born with goes by these names as long as nobody wrote anything else.
fn births_on(document: &Document, at: &Path) -> Vec<Stamp> {
    let ways = (1..at.steps().len()).map(|steps| at.first(steps));
    ways.filter_map(|way| match document.found(&way) {
        Some(Found::Record(record, ..)) => record.birth.stamp,
        _ => None,
    })
    .collect()
}

/// Which records of two versions are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alike {
    /// Those of one name.
    Called,
    /// The same, unless that is another one by now, which got a second name or lost it.
    Born,
}

/// What each of the new records was: the one of its name.
fn called_alike<'o>(old: &'o [Record], new: &[Record]) -> Vec<Option<&'o Record>> {
    let named: HashMap<&Atom, &Record> = old.iter().map(|record| (&record.name, record)).collect();
    let partner = |record: &Record| named.get(&record.name).copied();
    new.iter().map(partner).collect()
}

/// What each of the new records was, whatever it is called by now.
fn born_alike<'o>(old: &'o [Record], new: &[Record]) -> Vec<Option<&'o Record>> {
    let key = |record: &Record| Key::new(&record.name, record.birth.digest);
    let named: HashMap<&Atom, &Record> = old.iter().map(|record| (&record.name, record)).collect();
    let is_named_anew = |record: &&Record| {
        let called_so = named.get(&record.name);
        called_so.is_none_or(|old| old.birth.digest != record.birth.digest)
    };
    let mut partners: HashMap<&Atom, &Record> = HashMap::new();
    if new.iter().any(|record| is_named_anew(&record)) {
        let keyed: HashMap<Key, &Record> = old.iter().map(|record| (key(record), record)).collect();
        for record in new.iter().filter(is_named_anew) {
            let found = keyed.get(&key(record));
            partners.extend(found.map(|old| (&record.name, *old)));
        }
    }
    let taken: HashSet<&Atom> = partners.values().map(|old| &old.name).collect();
    let partner = |record: &Record| {
        let by_name = || {
            named
                .get(&record.name)
                .filter(|old| !taken.contains(&old.name))
        };
        partners.get(&record.name).or_else(by_name).copied()
    };
    new.iter().map(partner).collect()
}

struct Difference<'l> {
    old: &'l Document,
    new: &'l Document,
    groups: &'l [&'l [&'l str]],
    /// Whether a place is a counter, whatever is known of it.
    counts: &'l dyn Fn(&Path) -> bool,
    alike: Alike,
    /// Those of the records in which it has come to, as `old` has them.
    births: Vec<Stamp>,
    changes: BTreeMap<Option<Stamp>, Vec<Change>>,
}

impl Difference<'_> {
    fn push(&mut self, stamp: Option<Stamp>, at: Path, act: Act, mut observed: Observed) {
        let superseded = stamp.and_then(|stamp| self.new.superseded.get(&stamp));
        if let Some(superseded) = superseded {
            let at = at.as_born();
            let here = superseded.iter().filter(|(place, _)| place.meets(&at));
            here.for_each(|(_, stamps)| observed.add_stamps(stamps));
        }
        if matches!(act, Act::Write(_) | Act::Replace(_) | Act::Remove) {
            self.births
                .iter()
                .for_each(|birth| observed.add_stamp(*birth));
        }
        let typed_over = self.new.typed_over.get(&at);
        for &stamp in typed_over.into_iter().flatten() {
            observed.add_stamp(stamp);
            let superseded = self.new.superseded.get(&stamp).into_iter();
            superseded
                .flat_map(BTreeMap::values)
                .for_each(|stamps| observed.add_stamps(stamps));
        }
        let changes = self.changes.entry(stamp).or_default();
        changes.push(Change { at, act, observed });
    }

    fn maps(&mut self, old: &Map, new: &Map, at: &Path) {
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names {
            let (old, new) = (old.get(name), new.get(name));
            if old != new {
                self.nodes(old, new, &at.entry(name));
            }
        }
    }

    fn nodes(&mut self, old: Option<&Node>, new: Option<&Node>, at: &Path) {
        match (old, new) {
            (Some(Node::Map(old)), Some(Node::Map(new))) => self.maps(old, new, at),
            (None, Some(Node::Map(new))) => self.maps(&Map::new(), new, at),
            (Some(Node::Set(old)), Some(Node::Set(new))) => self.sets(old, new, at),
            (None, Some(Node::Set(new))) => self.sets(&[], new, at),
            (Some(Node::List(old, _)), Some(Node::Set(new))) if old.is_empty() => {
                self.sets(&[], new, at);
            }
            (Some(Node::Set(old)), Some(Node::List(new, _))) if new.is_empty() => {
                self.sets(old, &[], at);
            }
            (old, None) => {
                // Each record goes by itself: who updates one brings back that one alone.
                if let Some(Node::Set(records)) = old {
                    self.sets(records, &[], at);
                }
                let observed = self.observed(old, at);
                self.push(None, at.clone(), Act::Remove, observed);
            }
            (old, Some(new)) => self.leaf(old, new, at),
        }
    }

    /// A leaf, or what became one: another value, or the same one written anew.
    fn leaf(&mut self, old: Option<&Node>, new: &Node, at: &Path) {
        if self.counter(old, new, at) {
            return;
        }
        let observed = self.observed(old, at);
        let (act, stamps) = match new {
            Node::Register(value, stamps) => (Act::Write(value.clone()), stamps),
            Node::List(members, stamps) => (Act::Replace(members.clone()), stamps),
            Node::Map(_) | Node::Set(_) => return self.nested(old, new, at),
        };
        // What stood in another kind of value goes piece by piece: whoever changes a piece of it brings that back.
        match old {
            Some(Node::Map(old)) => self.maps(old, &Map::new(), at),
            Some(Node::Set(old)) => self.sets(old, &[], at),
            _ => {}
        }
        let none = Stamps::new();
        let (same, before) = match (old, new) {
            (Some(Node::Register(old, before)), Node::Register(new, _)) => (old == new, before),
            (Some(Node::List(old, before)), Node::List(new, _)) => (old == new, before),
            _ => (false, &none),
        };
        let fresh = stamps.difference(before).max().copied();
        if !same || fresh.is_some() {
            self.push(fresh, at.clone(), act, observed);
        }
    }

    /// A number that is a counter: each amount that is known as an edit's is that edit, and what is left another one. Whether
    /// it is a counter.
    fn counter(&mut self, old: Option<&Node>, new: &Node, at: &Path) -> bool {
        let place = at.as_born();
        let [before, now] = [self.old, self.new].map(|document| document.amounts.get(&place));
        if before.is_none() && now.is_none() && !(self.counts)(at) {
            return false;
        }
        let (Some(was), Some(is)) = (old.map_or(Some(0), Node::as_number), new.as_number()) else {
            return false;
        };
        let is_new = |stamp: &Stamp| before.is_none_or(|before| !before.contains_key(stamp));
        let news: Vec<(Stamp, i64)> = now
            .into_iter()
            .flatten()
            .filter(|(stamp, _)| is_new(stamp))
            .map(|(stamp, amount)| (*stamp, *amount))
            .collect();
        let rest = unaccounted(was, is, news.iter().map(|(_, amount)| *amount));
        let named = news
            .into_iter()
            .map(|(stamp, amount)| (Some(stamp), amount));
        let unnamed = (rest != 0).then_some((None, rest));
        for (stamp, amount) in named.chain(unnamed) {
            self.changes.entry(stamp).or_default().push(Change {
                at: at.clone(),
                act: Act::Count(amount),
                observed: Observed::default(),
            });
        }
        true
    }

    /// What came into the place of another kind of value, and supersedes that.
    fn nested(&mut self, old: Option<&Node>, new: &Node, at: &Path) {
        let observed = self.observed(old, at);
        match old {
            Some(Node::Map(old)) => self.maps(old, &Map::new(), at),
            Some(Node::Set(old)) => self.sets(old, &[], at),
            _ => {}
        }
        self.nodes(None, Some(new), at);
        let inside = |change: &&mut Change| change.at.steps().starts_with(at.steps());
        for change in self.changes.values_mut().flatten().filter(inside) {
            change.observed.extend(&observed);
        }
    }

    fn sets(&mut self, old: &[Record], new: &[Record], at: &Path) {
        let partners = match self.alike {
            Alike::Called => called_alike(old, new),
            Alike::Born => born_alike(old, new),
        };
        let stays: HashSet<&Atom> = partners.iter().flatten().map(|old| &old.name).collect();
        for record in old.iter().filter(|record| !stays.contains(&record.name)) {
            let at = at.record(record);
            let mut observed = self.observed(None, &at);
            observed.extend(&self.in_map(&record.fields, &at));
            if let Some(birth) = record.birth.stamp {
                observed.add_stamp(birth);
            }
            self.push(None, at, Act::Remove, observed);
        }
        // Who has another name by now stands where it stood.
        let names = new.iter().zip(&partners);
        let names = names.map(|(record, old)| old.map_or(&record.name, |old| &old.name));
        let is: Vec<&Atom> = names.collect();
        let was: Vec<&Atom> = old.iter().map(|record| &record.name).collect();
        let moved = if was == is {
            BTreeSet::new()
        } else {
            order::moved(&was, &is)
        };
        let mut before: Option<&Atom> = None;
        for (record, partner) in new.iter().zip(partners) {
            let behind = before.replace(&record.name);
            let Some(old) = partner else {
                let at = at.record(record);
                let act = Act::Add {
                    record: record.clone(),
                    behind: behind.cloned(),
                };
                let observed = self.observed(None, &at);
                self.push(record.birth.stamp, at, act, observed);
                continue;
            };
            let is_moved = moved.contains(&&old.name);
            if !is_moved && old.fields == record.fields {
                continue;
            }
            let at = at.record(old);
            if is_moved {
                let behind = behind.cloned();
                self.push(None, at.clone(), Act::Move { behind }, Observed::default());
            }
            self.births.extend(old.birth.stamp);
            self.fields(&old.fields, &record.fields, &at);
            if old.birth.stamp.is_some() {
                self.births.pop();
            }
        }
    }

    /// The fields of a record: those that change together are written together.
    fn fields(&mut self, old: &Map, new: &Map, at: &Path) {
        let (mut old, mut new) = (old.clone(), new.clone());
        for group in self.groups {
            let take = |fields: &mut Map| -> Map {
                let taken = group.iter().filter_map(|name| fields.remove_entry(*name));
                taken.collect()
            };
            let (old, new) = (take(&mut old), take(&mut new));
            let mut part = Difference {
                births: Vec::new(),
                changes: BTreeMap::new(),
                ..*self
            };
            part.maps(&old, &new, at);
            let Some(stamp) = part.changes.into_keys().max() else {
                continue;
            };
            let mut observed = Observed::default();
            for name in *group {
                observed.extend(&self.observed(old.get(*name), &at.entry(name)));
            }
            for name in group
                .iter()
                .filter(|name| old.contains_key(**name) || new.contains_key(**name))
            {
                let act = match new.get(*name) {
                    Some(Node::Register(value, _)) => Act::Write(value.clone()),
                    Some(Node::List(members, _)) => Act::Replace(members.clone()),
                    _ => Act::Remove,
                };
                self.push(stamp, at.entry(name), act, observed.clone());
            }
        }
        self.maps(&old, &new, at);
    }

    /// What stands at a place, and what lost there.
    fn observed(&self, node: Option<&Node>, at: &Path) -> Observed {
        let mut observed = match node {
            None => Observed::default(),
            Some(Node::Register(value, stamps)) => {
                let mut observed = self.value(value, stamps);
                if let Some(number) = self.before_counting(value, at) {
                    observed.add(None, number.digest());
                }
                observed
            }
            Some(Node::List(members, stamps)) => {
                // One without members has its stamps all the same.
                let mut observed = Observed::default();
                for &stamp in stamps {
                    observed.extend(&self.stamp(stamp));
                }
                for member in members {
                    observed.add(None, member.digest());
                }
                observed
            }
            Some(Node::Map(map)) => self.in_map(map, at),
            Some(Node::Set(records)) => {
                let mut observed = Observed::default();
                for record in records {
                    observed.extend(&self.in_map(&record.fields, &at.record(record)));
                }
                observed
            }
        };
        // What was taken away here, in here, or together with all around.
        let here = |(path, _): &(&Path, _)| path.meets(at);
        for (_, stamps) in self.old.removed.iter().filter(here) {
            for &stamp in stamps {
                observed.extend(&self.stamp(stamp));
            }
        }
        if !self.old.forms.is_empty() {
            let at = at.as_born();
            let inside = self.old.forms.range(at.clone()..);
            let inside = inside.take_while(|(path, _)| path.steps().starts_with(at.steps()));
            for stamp in inside
                .flat_map(|(_, formed)| formed)
                .filter_map(|formed| formed.stamp)
            {
                observed.add_stamp(stamp);
            }
        }
        let lost = |(loser, _): &(&Loser, _)| loser.at.steps().starts_with(at.steps());
        for (loser, stamps) in self.old.losers.iter().filter(lost) {
            for &stamp in stamps {
                observed.extend(&self.stamp(stamp));
            }
            if let (Some(value), true) = (&loser.value, stamps.is_empty()) {
                observed.add(None, value.digest());
            }
        }
        observed
    }

    /// The number to which all amounts were added that are known at a place: what stands there for whoever knows none of them.
    fn before_counting(&self, value: &Atom, at: &Path) -> Option<Atom> {
        if self.old.amounts.is_empty() {
            return None;
        }
        let amounts = self.old.amounts.get(&at.as_born())?;
        let added: i128 = amounts.values().map(|amount| i128::from(*amount)).sum();
        let before = i128::from(value.as_number()?) - added;
        Some(Atom::number(i64::try_from(before).ok()?))
    }

    fn in_map(&self, map: &Map, at: &Path) -> Observed {
        let mut observed = Observed::default();
        for (name, node) in map {
            observed.extend(&self.observed(Some(node), &at.entry(name)));
        }
        observed
    }

    fn value(&self, value: &Atom, stamps: &Stamps) -> Observed {
        // Another version of the file may hold the value and have dropped its stamps: it is the same one.
        let mut observed = Observed::default();
        observed.add(None, value.digest());
        for &stamp in stamps {
            observed.extend(&self.stamp(stamp));
        }
        observed
    }

    /// An edit and all that it superseded.
    fn stamp(&self, stamp: Stamp) -> Observed {
        let mut observed = Observed::default();
        observed.add_stamp(stamp);
        let superseded = self.old.superseded.get(&stamp).into_iter();
        superseded
            .flat_map(BTreeMap::values)
            .for_each(|stamps| observed.add_stamps(stamps));
        observed
    }
}
