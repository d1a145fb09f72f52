//! The draft of a text that holds what a view holds: opened where the two differ, kept as it stands everywhere else.

mod records;

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use records::drop_all_but;
use rustc_hash::{FxHashMap, FxHashSet};

use super::dressing::Dressing;
use super::parts;
use super::sources::Sources;
use super::values::{holds_same, of_atom, of_node};
use crate::context::{
    Fields, Neighbours, NewValue, Role, atom, is_null, is_ours, lift_value, name_of,
};
use crate::crdt::{Atom, Document, Map, Node, Part, Path, Step, diff};
use crate::merge::trivia;
use crate::yaml::{
    self, Body, Collection, Draft, EntryDraft, EntryRef, Kind, Limits, MadeEntry, Manner, NodeRef,
    PartDraft, Piece, Value,
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
            return Some(self.sourced(source, wanted, place));
        }
        let mut made = MadeEntry::of(entry);
        let valued =
            wanted.is_some_and(|wanted| self.value(&mut made, entry.value(), known, wanted, place));
        let dressed = self.dressing.entry(&mut made, place);
        let took_in = self.take_in(&mut made);
        (valued || dressed || took_in).then(|| EntryDraft::Made(Box::new(made)))
    }

    /// An entry as somebody wrote it, with the value that it has now.
    fn sourced(&self, source: EntryRef<'d>, wanted: Option<&Node>, place: &Path) -> EntryDraft<'d> {
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
            let entry = self.sourced(source, Some(value), place);
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
