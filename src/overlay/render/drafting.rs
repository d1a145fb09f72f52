//! The draft of a text that holds what a view holds: opened where the two differ, kept as it stands everywhere else.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};

use rustc_hash::{FxHashMap, FxHashSet};

use super::dressing::Dressing;
use super::parts;
use super::sources::Sources;
use crate::context::{
    Fields, Neighbours, NewValue, Role, atom, identity_field, is_null, is_ours, lift_fields,
    lift_value, name_of,
};
use crate::crdt::{
    Atom, Digest, Document, Map, Node, Part, Path, Record, Step, born_as, diff, order,
};
use crate::merge::trivia;
use crate::yaml::{
    self, Body, Collection, Draft, EntryDraft, EntryRef, Kind, Limits, MadeEntry, Manner, NodeRef,
    PartDraft, Piece, Scalar, Value,
};

/// Drafts what a view holds.
pub(super) struct Drafting<'d, 'v> {
    pub(super) manner: Manner,
    pub(super) dressing: Dressing<'v>,
    pub(super) sources: &'d Sources,
    /// Whether the text holds the values of the view already, and forms alone are to be put on it.
    pub(super) values_stand: bool,
    /// Whether people's ways of writing a value are still to be merged.
    pub(super) is_unfinished: Cell<bool>,
    /// Comments that found no place yet.
    pub(super) waiting: RefCell<Vec<String>>,
}

/// A mapping of the text, and what stands in it by the view.
#[derive(Clone, Copy)]
struct Held<'d, 'v> {
    node: NodeRef<'d>,
    role: Role,
    /// What tells the record apart: the field, and the name.
    identity: Option<(&'static str, &'v Atom)>,
    /// What it holds as it stands.
    known: &'v Map,
    /// What it is to hold.
    wanted: &'v Map,
}

/// What a record is known by: the name that it was born under, and what named it then.
type Key<'r> = (&'r str, Digest);

fn key(record: &Record) -> Key<'_> {
    (
        born_as(&record.name, record.birth.digest),
        record.birth.digest,
    )
}

impl<'d, 'v> Drafting<'d, 'v> {
    /// Gives a file its root.
    pub(super) fn root(
        &self,
        part: &mut PartDraft<'d>,
        root: Option<NodeRef<'d>>,
        base: &Document,
        view: &Document,
    ) {
        let at = Path::default();
        match root {
            Some(root) if root.kind() == Kind::Mapping && root.is_structured() => {
                let held = Held {
                    node: root,
                    role: Role::Root,
                    identity: None,
                    known: &base.root,
                    wanted: &view.root,
                };
                if let Some(collection) = self.mapping(held, &at, None) {
                    part.root = Draft::Collection(Box::new(collection));
                }
            }
            Some(root) => {
                let mut made = MadeEntry {
                    lead: Piece::default(),
                    head: Cow::Borrowed(""),
                    body: Body {
                        sep: Piece::default(),
                        value: Draft::Keep(root),
                        beside: Cow::Borrowed(""),
                    },
                    below: Piece::default(),
                    origin: None,
                };
                let [known, wanted] = [base, view].map(|document| document.root.get(""));
                if let Some(wanted) = wanted
                    && self.value(&mut made, root, known, wanted, &at.entry(""))
                {
                    part.root = made.body.value;
                }
            }
            None => {
                if let Some(collection) = part.open_as(Kind::Mapping, self.manner) {
                    for (name, value) in &view.root {
                        self.add(collection, name, value, &at, None);
                    }
                }
            }
        }
        self.dressing.root(part);
        for lines in self.waiting.take() {
            part.rest = Cow::Owned(format!("{}{lines}", part.rest));
        }
    }

    /// A mapping that holds what is wanted; nothing if it does already.
    fn mapping(
        &self,
        held: Held<'d, '_>,
        at: &Path,
        neighbours: Option<&Neighbours<'d>>,
    ) -> Option<Collection<'d>> {
        let Held {
            node,
            role,
            identity,
            known,
            wanted,
        } = held;
        let mut opened = None;
        let mut gone = Vec::new();
        let mut names = FxHashSet::default();
        for (index, entry) in node.entries().enumerate() {
            let Some(name) = name_of(entry) else { continue };
            let place = at.entry(&name);
            let formed = self.dressing.is_formed(&place);
            let is_about = role.is_holder() && is_ours(entry);
            let named = identity.filter(|(field, _)| *field == name);
            let (old, new) = match named {
                Some((_, name)) => (
                    Some(Node::Register(atom(entry.value()), Default::default())),
                    Some(Node::Register(name.clone(), Default::default())),
                ),
                None => (None, None),
            };
            let (old, new) = match named {
                Some(_) => (old.as_ref(), new.as_ref()),
                None if is_about => (None, None),
                None => (known.get(name.as_ref()), wanted.get(name.as_ref())),
            };
            let is_same = !formed && old == new;
            let stands = is_same || is_about || new.is_some() || self.stays_null(entry, &place);
            if stands {
                names.insert(name);
            } else {
                gone.push(index);
            }
            if is_same || !stands {
                continue;
            }
            if let Some(draft) = self.entry(entry, old, new, &place) {
                let collection = opened.get_or_insert_with(|| Collection::of(node));
                if let Some(place) = collection.entries.get_mut(index) {
                    *place = draft;
                }
            }
        }
        let added: Vec<&String> = wanted
            .keys()
            .filter(|name| !names.contains(name.as_str()))
            .collect();
        let nulls = self
            .sources
            .nulls(at, |name| names.contains(name) || wanted.contains_key(name));
        let places = self.dressing.places(at);
        let lost = self.dressing.lost(at, |step| match step {
            Step::Entry(name) => names.contains(name.as_str()) || wanted.contains_key(name),
            Step::Record(..) => false,
        });
        if added.is_empty()
            && nulls.is_empty()
            && places.is_empty()
            && gone.is_empty()
            && lost.is_empty()
        {
            return opened;
        }
        let mut collection = opened.unwrap_or_else(|| Collection::of(node));
        for index in gone.into_iter().rev() {
            collection.remove(index);
        }
        for name in added {
            if let Some(value) = wanted.get(name) {
                self.add(&mut collection, name, value, at, neighbours);
            }
        }
        for null in nulls {
            collection.entries.push(EntryDraft::Keep(null));
        }
        for (name, behind) in places {
            put_behind(&mut collection, role, name, behind);
        }
        let stood = |step: &Step| match step {
            Step::Entry(name) => node.get(name),
            Step::Record(..) => None,
        };
        self.adopt(&mut collection, lost, stood);
        Some(collection)
    }

    /// Whether an entry without a value stays in the file as a null.
    fn stays_null(&self, entry: EntryRef<'d>, place: &Path) -> bool {
        match self.sources.replacing(place) {
            Some(source) => is_null(source.value()),
            None => is_null(entry.value()) && !self.dressing.is_dropped(place),
        }
    }

    /// An entry of a mapping as it is to be; nothing if it is so.
    fn entry(
        &self,
        entry: EntryRef<'d>,
        known: Option<&Node>,
        wanted: Option<&Node>,
        place: &Path,
    ) -> Option<EntryDraft<'d>> {
        let in_brackets = entry.parent().data().flow;
        if let Some(source) = self.sources.replacing(place).filter(|_| !in_brackets) {
            return Some(self.from_source(source, wanted, place));
        }
        let mut made = MadeEntry::of(entry);
        let valued =
            wanted.is_some_and(|wanted| self.value(&mut made, entry.value(), known, wanted, place));
        let dressed = self.dressing.entry(&mut made, place);
        let took_in = self.take_in(&mut made);
        (valued || dressed || took_in).then(|| EntryDraft::Made(Box::new(made)))
    }

    /// An entry as somebody wrote it, with the value that it has now.
    fn from_source(
        &self,
        source: EntryRef<'d>,
        wanted: Option<&Node>,
        place: &Path,
    ) -> EntryDraft<'d> {
        let mut made = MadeEntry::of(source);
        let known = lift_value(source.value());
        if let Some(wanted) = wanted {
            self.value(&mut made, source.value(), known.as_ref(), wanted, place);
        }
        self.dressing.entry(&mut made, place);
        self.take_in(&mut made);
        EntryDraft::Made(Box::new(made))
    }

    /// Gives an entry its value; whether that is a change.
    fn value(
        &self,
        made: &mut MadeEntry<'d>,
        node: NodeRef<'d>,
        known: Option<&Node>,
        wanted: &Node,
        place: &Path,
    ) -> bool {
        let is_it =
            |source: NodeRef<'d>| lift_value(source).is_some_and(|node| holds_same(&node, wanted));
        if self.as_written(made, place, is_it) {
            return true;
        }
        match (known, wanted) {
            (Some(Node::Map(known)), Node::Map(wanted)) => {
                let held = Held {
                    node,
                    role: Role::Inner,
                    identity: None,
                    known,
                    wanted,
                };
                self.nested(made, self.mapping(held, place, None))
            }
            (Some(Node::Set(known)), Node::Set(wanted)) => {
                self.nested(made, self.records(node, known, wanted, place))
            }
            (Some(Node::List(known, _)), Node::List(wanted, _))
                if known != wanted || self.sources.lists(place).next().is_some() =>
            {
                self.nested(made, Some(self.members(node, known, wanted, place)))
            }
            (Some(known), wanted) if holds_same(known, wanted) => false,
            _ => {
                let old = match &made.body.value {
                    Draft::Keep(node) => Some(*node),
                    _ => None,
                };
                match of_node(wanted).to_be_written(old) {
                    NewValue::Meant(value) => made.set(&value, self.manner),
                    NewValue::Typed(text) => made.set_token(text),
                }
                true
            }
        }
    }

    /// Gives an entry its value as somebody wrote it, if it is that.
    fn as_written(
        &self,
        made: &mut MadeEntry<'d>,
        place: &Path,
        is_it: impl Fn(NodeRef<'d>) -> bool,
    ) -> bool {
        let mut sources = self.sources.values(place).enumerate().peekable();
        let is_formed = sources.peek().is_some();
        // A value that stands is not exchanged for what one of them wrote.
        let count = if self.values_stand { 1 } else { usize::MAX };
        let written = sources
            .take(count)
            .find(|(_, source)| is_it(source.value()));
        // Somebody wrote it otherwise: once its value stands, his lines can be merged with these.
        if is_formed && written.is_none_or(|(index, _)| index > 0) {
            self.is_unfinished.set(true);
        }
        let Some((_, source)) = written else {
            return false;
        };
        let source = MadeEntry::of(source);
        made.body.sep = source.body.sep;
        made.body.value = source.body.value;
        true
    }

    fn nested(&self, made: &mut MadeEntry<'d>, collection: Option<Collection<'d>>) -> bool {
        let changed = collection.is_some();
        if let Some(collection) = collection {
            made.body.value = Draft::Collection(Box::new(collection));
        }
        changed
    }

    /// Adds an entry to a mapping: as somebody wrote it, else in the manner of the records beside it.
    fn add(
        &self,
        collection: &mut Collection<'d>,
        name: &str,
        value: &Node,
        at: &Path,
        neighbours: Option<&Neighbours<'d>>,
    ) {
        let place = &at.entry(name);
        if let Some(source) = self.sources.written(place).filter(|_| !collection.flow) {
            let entry = self.from_source(source, Some(value), place);
            collection.entries.push(entry);
            return;
        }
        if let Some((entry, behind)) = self.sources.in_brackets(at, name).filter(|(entry, _)| {
            collection.flow
                && lift_value(entry.value()).is_some_and(|node| holds_same(&node, value))
        }) {
            collection.entries.push(EntryDraft::Keep(entry));
            if let Some(behind) = behind {
                put_behind(collection, Role::Inner, name, Some(&behind));
            }
            return;
        }
        let behind = neighbours.map(|all| all.before(name)).unwrap_or_default();
        let like = neighbours.and_then(|all| all.like(name));
        Fields::of(collection, self.manner).put(name, &of_node(value), &behind, like);
    }

    /// A list of records as it is to be; nothing if it is so.
    fn records(
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
        let neighbours = || neighbours.get_or_init(|| Neighbours::of(list));
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
            if let Some(draft) =
                self.record(*entry, field, &old.fields, record, &place, neighbours())
            {
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
            self.add_record(
                &mut collection,
                index,
                field,
                record,
                &at.record(record).as_born(),
                neighbours(),
            );
        }
        let stood = |step: &Step| match step {
            Step::Record(name, birth) => entries.get(*olds.get(&(name.said(), *birth))?).copied(),
            Step::Entry(_) => None,
        };
        self.adopt(&mut collection, lost, stood);
        Some(collection)
    }

    /// Puts comments that lost their entry above the next one that stands, else behind the last one, or above what is
    /// around.
    fn adopt(
        &self,
        collection: &mut Collection<'d>,
        lost: Vec<(&Step, String)>,
        stood: impl Fn(&Step) -> Option<EntryRef<'d>>,
    ) {
        let origin = |entry: &EntryDraft<'d>| match entry {
            EntryDraft::Keep(entry) => Some(*entry),
            EntryDraft::Made(made) => made.origin,
            EntryDraft::Contested(..) | EntryDraft::Only(..) => None,
        };
        for (step, lines) in lost {
            if collection.flow || collection.entries.is_empty() {
                self.waiting.borrow_mut().push(lines);
                continue;
            }
            let next = stood(step).and_then(|gone| {
                let entries = collection.entries.iter_mut();
                let behind = entries.filter_map(|entry| {
                    let from = origin(entry).filter(|from| from.parent() == gone.parent())?;
                    let at = from.data().lead;
                    (at > gone.data().lead).then_some((at, entry))
                });
                let (_, next) = behind.min_by_key(|(at, _)| *at)?;
                next.open()
            });
            match next {
                Some(next) => trivia::put_above(&mut next.lead, &lines),
                None => trivia::put_above(&mut collection.foot, &lines),
            }
        }
    }

    /// Puts comments that found no place in an entry above it; whether there are any.
    fn take_in(&self, made: &mut MadeEntry<'d>) -> bool {
        if made
            .origin
            .is_some_and(|origin| origin.parent().data().flow)
        {
            return false;
        }
        let waiting: Vec<String> = self.waiting.take();
        for lines in &waiting {
            trivia::put_above(&mut made.lead, lines);
        }
        !waiting.is_empty()
    }

    /// The entry of a record as it is to be; nothing if it is so.
    fn record(
        &self,
        entry: EntryRef<'d>,
        field: &'static str,
        known: &Map,
        wanted: &Record,
        place: &Path,
        neighbours: &Neighbours<'d>,
    ) -> Option<EntryDraft<'d>> {
        let in_brackets = entry.parent().data().flow;
        if let Some(source) = self.sources.replacing(place).filter(|_| !in_brackets) {
            return Some(self.record_from_source(source, field, wanted, place, neighbours));
        }
        let mut made = MadeEntry::of(entry);
        let valued = self.record_value(
            &mut made,
            entry.value(),
            field,
            known,
            wanted,
            place,
            neighbours,
        );
        let dressed = self.dressing.entry(&mut made, place);
        let took_in = self.take_in(&mut made);
        (valued || dressed || took_in).then(|| EntryDraft::Made(Box::new(made)))
    }

    fn record_from_source(
        &self,
        source: EntryRef<'d>,
        field: &'static str,
        wanted: &Record,
        place: &Path,
        neighbours: &Neighbours<'d>,
    ) -> EntryDraft<'d> {
        let mut known = lift_fields(source.value());
        known.remove(field);
        let mut made = MadeEntry::of(source);
        self.record_value(
            &mut made,
            source.value(),
            field,
            &known,
            wanted,
            place,
            neighbours,
        );
        self.dressing.entry(&mut made, place);
        self.take_in(&mut made);
        EntryDraft::Made(Box::new(made))
    }

    #[allow(clippy::too_many_arguments)]
    fn record_value(
        &self,
        made: &mut MadeEntry<'d>,
        node: NodeRef<'d>,
        field: &'static str,
        known: &Map,
        wanted: &Record,
        place: &Path,
        neighbours: &Neighbours<'d>,
    ) -> bool {
        let is_it = |source: NodeRef<'d>| {
            let mut fields = lift_fields(source);
            fields.remove(field);
            let named = source.get(field);
            named.is_some_and(|named| atom(named.value()) == wanted.name)
                && same_fields(&fields, &wanted.fields)
        };
        if self.as_written(made, place, is_it) {
            return true;
        }
        let held = Held {
            node,
            role: Role::of_member(node),
            identity: Some((field, &wanted.name)),
            known,
            wanted: &wanted.fields,
        };
        self.nested(made, self.mapping(held, place, Some(neighbours)))
    }

    /// Adds a record to a list: as somebody wrote it, else in the manner of the others.
    fn add_record(
        &self,
        list: &mut Collection<'d>,
        index: usize,
        field: &'static str,
        record: &Record,
        place: &Path,
        neighbours: &Neighbours<'d>,
    ) {
        let index = index.min(list.entries.len());
        if let Some(source) = self.sources.written(place).filter(|_| !list.flow) {
            let entry = self.record_from_source(source, field, record, place, neighbours);
            list.entries.insert(index, entry);
            return;
        }
        list.insert(index, None, &Value::Mapping(Vec::new()), self.manner);
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

    /// A list whose members nothing tells apart: those that stay keep their lines.
    fn members(
        &self,
        list: NodeRef<'d>,
        known: &[Atom],
        wanted: &[Atom],
        place: &Path,
    ) -> Collection<'d> {
        let mut collection = Collection::of(list);
        let matches = diff::matches(known, wanted);
        let kept: FxHashSet<usize> = matches.iter().map(|(old, _)| *old).collect();
        let stays: FxHashSet<usize> = matches.iter().map(|(_, new)| *new).collect();
        drop_all_but(&mut collection, &kept);
        for (index, member) in wanted
            .iter()
            .enumerate()
            .filter(|(index, _)| !stays.contains(index))
        {
            match self
                .sources
                .member(place, member)
                .filter(|source| source.parent().data().flow == collection.flow)
            {
                Some(source) => collection.entries.insert(
                    index.min(collection.entries.len()),
                    EntryDraft::Keep(source),
                ),
                None => match of_atom(member) {
                    NewValue::Meant(value) => collection.insert(index, None, &value, self.manner),
                    NewValue::Typed(text) => {
                        collection.insert(index, None, &Value::Sequence(Vec::new()), self.manner);
                        if let Some(made) =
                            collection.entries.get_mut(index).and_then(EntryDraft::open)
                        {
                            made.set_token(text);
                        }
                    }
                },
            }
        }
        self.dress_members(&mut collection, wanted, place);
        collection
    }

    /// Puts on the members of a list what people wrote at them: the n-th of a kind is the n-th of that kind.
    fn dress_members(&self, collection: &mut Collection<'d>, wanted: &[Atom], place: &Path) {
        if collection.flow {
            return;
        }
        let numbers = numbered(wanted.iter().cloned());
        for (before, after) in self.sources.lists(place) {
            let [before, after] = [before, after].map(|list| {
                let members = list.entries().map(|entry| atom(entry.value()));
                let numbers = numbered(members);
                let members: FxHashMap<_, _> = numbers.into_iter().zip(list.entries()).collect();
                (list, members)
            });
            for (entry, number) in collection.entries.iter_mut().zip(&numbers) {
                let versions = before.1.get(number).zip(after.1.get(number));
                if let (Some((before, after)), Some(made)) = (versions, entry.open()) {
                    parts::dress(made, *before, *after);
                }
            }
            let now = parts::of_piece(&collection.foot, Part::Foot);
            let [was, is] = [before.0, after.0].map(|list| parts::of_collection(list, Part::Foot));
            if was != is {
                collection.foot = Piece::new(parts::patched(Part::Foot, &now, &was, &is), 0);
            }
        }
    }
}

/// Each member with how many equal ones stand before it.
fn numbered(members: impl Iterator<Item = Atom>) -> Vec<(Atom, usize)> {
    let mut counts: FxHashMap<Atom, usize> = FxHashMap::default();
    members
        .map(|member| {
            let count = counts.entry(member.clone()).or_default();
            *count += 1;
            (member, *count)
        })
        .collect()
}

/// Takes all entries out of a collection but those at these places.
fn drop_all_but(collection: &mut Collection<'_>, kept: &FxHashSet<usize>) {
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

/// Puts an entry of a mapping directly behind another one, and behind what is said of the mapping there.
fn put_behind(collection: &mut Collection<'_>, role: Role, name: &str, behind: Option<&str>) {
    let named =
        |entry: &EntryDraft<'_>, name: &str| draft_name(entry).is_some_and(|known| known == name);
    let Some(from) = collection
        .entries
        .iter()
        .position(|entry| named(entry, name))
    else {
        return;
    };
    let entry = collection.entries.remove(from);
    let to = match behind {
        None => Some(0),
        Some(behind) => collection
            .entries
            .iter()
            .position(|entry| named(entry, behind))
            .map(|at| at + 1),
    };
    let mut to = to.unwrap_or(from);
    let is_about = |entry: &EntryDraft<'_>| match entry {
        EntryDraft::Keep(entry) => is_ours(*entry),
        EntryDraft::Made(made) => made.origin.is_some_and(is_ours),
        EntryDraft::Contested(..) | EntryDraft::Only(..) => false,
    };
    while role.is_holder() && collection.entries.get(to).is_some_and(is_about) {
        to += 1;
    }
    collection.entries.insert(to, entry);
}

pub(super) fn draft_name<'d>(entry: &EntryDraft<'d>) -> Option<Cow<'d, str>> {
    match entry {
        EntryDraft::Keep(entry) => name_of(*entry),
        EntryDraft::Made(made) => match made.origin {
            Some(origin) => name_of(origin),
            None => {
                let head = made.head.strip_suffix(':')?;
                read_key(head)
            }
        },
        EntryDraft::Contested(..) | EntryDraft::Only(..) => None,
    }
}

/// The name that a key spells.
fn read_key<'d>(head: &str) -> Option<Cow<'d, str>> {
    let document = yaml::Document::from_text(format!("{head}:\n"), &Limits::default()).ok()?;
    let entry = document.root()?.entries().next()?;
    Some(Cow::Owned(name_of(entry)?.into_owned()))
}

/// Whether two values are the same, whoever wrote them.
pub(super) fn holds_same(a: &Node, b: &Node) -> bool {
    match (a, b) {
        (Node::Register(a, _), Node::Register(b, _)) => a == b,
        (Node::List(a, _), Node::List(b, _)) => a == b,
        (Node::Map(a), Node::Map(b)) => same_fields(a, b),
        (Node::Set(a), Node::Set(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|(a, b)| a.name == b.name && same_fields(&a.fields, &b.fields))
        }
        _ => false,
    }
}

fn same_fields(a: &Map, b: &Map) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|((x, a), (y, b))| x == y && holds_same(a, b))
}

/// A value to be written.
fn of_node(node: &Node) -> NewValue {
    match plain(node) {
        Some(value) => NewValue::Meant(value),
        None => NewValue::Typed(spelled(node)),
    }
}

fn of_atom(atom: &Atom) -> NewValue {
    NewValue::of_canonical(atom.canonical())
}

/// A value without anchors, aliases and tags, which cannot be had as one.
fn plain(node: &Node) -> Option<Value> {
    let of_atom = |atom: &Atom| match of_atom(atom) {
        NewValue::Meant(value) => Some(value),
        NewValue::Typed(_) => None,
    };
    let key = |name: &str| Scalar::Str(Cow::Owned(name.to_owned()));
    let fields = |fields: &Map| -> Option<Vec<_>> {
        fields
            .iter()
            .map(|(name, value)| Some((key(name), plain(value)?)))
            .collect()
    };
    Some(match node {
        Node::Register(atom, _) => of_atom(atom)?,
        Node::List(members, _) => {
            Value::Sequence(members.iter().map(of_atom).collect::<Option<_>>()?)
        }
        Node::Map(map) => Value::Mapping(fields(map)?),
        Node::Set(records) => {
            let record = |record: &Record| {
                let mut entries = vec![(key("id"), of_atom(&record.name)?)];
                entries.extend(fields(&record.fields)?);
                Some(Value::Mapping(entries))
            };
            Value::Sequence(records.iter().map(record).collect::<Option<_>>()?)
        }
    })
}

/// A value in one line, as its parts are spelled canonically.
fn spelled(node: &Node) -> String {
    let fields = |fields: &Map| -> Vec<String> {
        let each = fields.iter();
        each.map(|(name, value)| {
            format!("{}: {}", crate::yaml::double_quoted(name), spelled(value))
        })
        .collect()
    };
    match node {
        Node::Register(atom, _) => atom.canonical().to_owned(),
        Node::List(members, _) => {
            let members: Vec<&str> = members.iter().map(Atom::canonical).collect();
            format!("[{}]", members.join(", "))
        }
        Node::Map(map) => format!("{{{}}}", fields(map).join(", ")),
        Node::Set(records) => {
            let record = |record: &Record| {
                let mut all = vec![format!("id: {}", record.name.canonical())];
                all.extend(fields(&record.fields));
                format!("{{{}}}", all.join(", "))
            };
            let records: Vec<String> = records.iter().map(record).collect();
            format!("[{}]", records.join(", "))
        }
    }
}
