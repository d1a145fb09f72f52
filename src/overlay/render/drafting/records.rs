//! Records of a list: those that stay keep their lines, those that are new stand as somebody wrote them.

use std::cell::OnceCell;

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::values::{of_node, same_fields};
use super::{Drafting, Held};
use crate::context::{Fields, Neighbours, Role, atom, identity_field, lift_fields};
use crate::crdt::{Digest, Map, Node, Path, Record, Step, born_as, order};
use crate::yaml::{Collection, Draft, EntryDraft, EntryRef, MadeEntry, NodeRef, Value};

/// What a record is known by: the name that it was born under, and what named it then.
type Key<'r> = (&'r str, Digest);

fn key(record: &Record) -> Key<'_> {
    (
        born_as(&record.name, record.birth.digest),
        record.birth.digest,
    )
}

/// A record that is to stand in a list.
#[derive(Clone, Copy)]
struct Member<'m, 'd> {
    /// What tells the records of the list apart.
    field: &'static str,
    record: &'m Record,
    place: &'m Path,
    list: NodeRef<'d>,
    neighbours: &'m OnceCell<Neighbours<'d>>,
}

impl<'m, 'd> Member<'m, 'd> {
    fn neighbours(&self) -> &'m Neighbours<'d> {
        self.neighbours.get_or_init(|| Neighbours::of(self.list))
    }
}

impl<'d> Drafting<'d, '_> {
    /// A list of records as it is to be; nothing if it is so.
    pub(super) fn records(
        &self,
        list: NodeRef<'d>,
        known: &[Record],
        wanted: &[Record],
        at: &Path,
    ) -> Option<Collection<'d>> {
        let field = identity_field(std::iter::once(list))?;
        let olds: FxHashMap<Key<'_>, usize> = known
            .iter()
            .enumerate()
            .map(|(index, record)| (key(record), index))
            .collect();
        let from: Vec<Option<usize>> = wanted
            .iter()
            .map(|record| olds.get(&key(record)).copied())
            .collect();
        let formed = self.dressing.formed_records(at);
        let mut collection = None;
        let neighbours = OnceCell::new();
        let neighbours = &neighbours;
        let entries: Vec<EntryRef<'d>> = list.entries().collect();
        for (record, index) in wanted.iter().zip(&from) {
            let Some((old, entry, index)) =
                index.and_then(|index| Some((known.get(index)?, entries.get(index)?, index)))
            else {
                continue;
            };
            if old == record && !formed.contains(&key(record)) {
                continue;
            }
            let place = at.record(record).as_born();
            let member = Member {
                field,
                record,
                place: &place,
                list,
                neighbours,
            };
            if let Some(draft) = self.record(*entry, &old.fields, member) {
                let collection = collection.get_or_insert_with(|| Collection::of(list));
                if let Some(place) = collection.entries.get_mut(index) {
                    *place = draft;
                }
            }
        }
        let kept: FxHashSet<usize> = from.iter().copied().flatten().collect();
        let is_shuffled = !from.iter().flatten().is_sorted();
        let all_kept = kept.len() == known.len() && from.iter().all(Option::is_some);
        let names: FxHashSet<Key<'_>> = wanted.iter().map(key).collect();
        let lost = self.dressing.lost(at, |step| match step {
            Step::Record(name, birth) => names.contains(&(name.said(), *birth)),
            Step::Entry(_) => false,
        });
        if all_kept && !is_shuffled && lost.is_empty() {
            return collection;
        }
        let mut collection = collection.unwrap_or_else(|| Collection::of(list));
        drop_all_but(&mut collection, &kept);
        reorder(&mut collection, &kept, &from);
        for (index, (record, _)) in wanted
            .iter()
            .zip(&from)
            .enumerate()
            .filter(|(_, (_, from))| from.is_none())
        {
            let member = Member {
                field,
                record,
                place: &at.record(record).as_born(),
                list,
                neighbours,
            };
            self.add_record(&mut collection, index, member);
        }
        let stood = |step: &Step| match step {
            Step::Record(name, birth) => entries.get(*olds.get(&(name.said(), *birth))?).copied(),
            Step::Entry(_) => None,
        };
        self.adopt(&mut collection, lost, stood);
        Some(collection)
    }

    /// The entry of a record as it is to be; nothing if it is so.
    fn record(
        &self,
        entry: EntryRef<'d>,
        known: &Map,
        member: Member<'_, 'd>,
    ) -> Option<EntryDraft<'d>> {
        let in_brackets = entry.parent().data().flow;
        if let Some(source) = self
            .sources
            .replacing(member.place)
            .filter(|_| !in_brackets)
        {
            return Some(self.sourced_record(source, member));
        }
        let mut made = MadeEntry::of(entry);
        let valued = self.record_value(&mut made, entry.value(), known, member);
        let dressed = self.dressing.entry(&mut made, member.place);
        let took_in = self.take_in(&mut made);
        (valued || dressed || took_in).then(|| EntryDraft::Made(Box::new(made)))
    }

    fn sourced_record(&self, source: EntryRef<'d>, member: Member<'_, 'd>) -> EntryDraft<'d> {
        let mut known = lift_fields(source.value());
        known.remove(member.field);
        let mut made = MadeEntry::of(source);
        self.record_value(&mut made, source.value(), &known, member);
        self.dressing.entry(&mut made, member.place);
        self.take_in(&mut made);
        EntryDraft::Made(Box::new(made))
    }

    fn record_value(
        &self,
        made: &mut MadeEntry<'d>,
        node: NodeRef<'d>,
        known: &Map,
        member: Member<'_, 'd>,
    ) -> bool {
        let Member { field, record, .. } = member;
        let is_it = |source: NodeRef<'d>| {
            let mut fields = lift_fields(source);
            fields.remove(field);
            let named = source.get(field);
            named.is_some_and(|named| atom(named.value()) == record.name)
                && same_fields(&fields, &record.fields)
        };
        if self.as_written(made, member.place, is_it) {
            return true;
        }
        let held = Held {
            node,
            role: Role::of_member(node),
            identity: Some((field, &record.name)),
            known,
            wanted: &record.fields,
        };
        self.nested(
            made,
            self.mapping(held, member.place, Some(member.neighbours())),
        )
    }

    /// Adds a record to a list: as somebody wrote it, else in the manner of the others.
    fn add_record(&self, list: &mut Collection<'d>, index: usize, member: Member<'_, 'd>) {
        let Member {
            field,
            record,
            place,
            ..
        } = member;
        let index = index.min(list.entries.len());
        if let Some(source) = self.sources.written(place).filter(|_| !list.flow) {
            let entry = self.sourced_record(source, member);
            list.entries.insert(index, entry);
            return;
        }
        list.insert(index, None, &Value::Mapping(Vec::new()), self.manner);
        let neighbours = member.neighbours();
        let flow = neighbours.is_flow() || list.flow;
        let Some(made) = list.entries.get_mut(index).and_then(EntryDraft::open) else {
            return;
        };
        neighbours.shape(made, flow);
        let Draft::Collection(mapping) = &mut made.body.value else {
            return;
        };
        let name = Node::Register(record.name.clone(), Default::default());
        let mut fields = Fields::of(mapping, self.manner);
        let all = std::iter::once((field, &name)).chain(
            record
                .fields
                .iter()
                .map(|(name, value)| (name.as_str(), value)),
        );
        for (name, value) in all {
            fields.put(
                name,
                &of_node(value),
                &neighbours.before(name),
                neighbours.like(name),
            );
        }
        neighbours.space(mapping);
        self.dressing.entry(made, place);
    }
}

/// Takes all entries out of a collection but those at these places.
pub(super) fn drop_all_but(collection: &mut Collection<'_>, kept: &FxHashSet<usize>) {
    let count = collection.entries.len();
    let Some(first) = (0..count).find(|index| kept.contains(index)) else {
        collection.entries.clear();
        return;
    };
    let mut index = 0;
    collection.entries.retain(|_| {
        index += 1;
        index == 1 || kept.contains(&(index - 1))
    });
    if first > 0 {
        // What is first now stands where the first one stood.
        collection.remove(0);
    }
}

/// Puts the entries that were kept into the order in which they are wanted.
fn reorder(collection: &mut Collection<'_>, kept: &FxHashSet<usize>, wanted: &[Option<usize>]) {
    let mut now: Vec<usize> = kept.iter().copied().collect();
    now.sort_unstable();
    let then: Vec<usize> = wanted.iter().copied().flatten().collect();
    let moved = order::moved(&now, &then);
    let mut before: Option<usize> = None;
    for entry in then {
        let behind = before.replace(entry);
        if !moved.contains(&entry) {
            continue;
        }
        let place = |entry: usize| now.iter().position(|other| *other == entry);
        let Some(from) = place(entry) else { continue };
        let behind = behind.and_then(place);
        let to = match behind {
            None => 0,
            Some(behind) => behind + usize::from(behind < from),
        };
        collection.shift(from, to);
        let entry = now.remove(from);
        now.insert(to, entry);
    }
}
