//! Grafts what a tool wrote back on what it had read.
//!
//! A tool's rewrite of a file ([`super::rewrite`]) holds the edits that were made through the tool, and drops the file's
//! formatting and perhaps its annotations. Grafted back, a version holds these edits and nothing else: every node whose
//! value is the same keeps the bytes of the base, a changed leaf gets its new value in the manner of the old one, what was
//! added is written in the manner of the file. From then on it is merged and recorded as if a person had made the edits.
//!
//! What is grafted must read back as the values of the rewrite; otherwise the rewrite stands as it is.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::document::is_one_line_draft;
use super::{rewrite, similar};
use crate::context::{self, ANNOTATION_KEY, CONFLICTS_KEY, Role, is_free, is_ours, place_among};
use crate::crdt::order;
use crate::yaml::{
    Collection, Document, Draft, EntryDraft, EntryRef, FileDraft, Kind, Limits, Manner, NodeId,
    NodeRef, Scalar, Side, Value,
};

/// Deeper documents are left as they are: no tool has structures for them.
const DEEPEST: usize = 40;

/// `side` with the formatting of the document `base`, if it is a tool's rewrite of it; nothing for what people wrote, for
/// files without a marker, and where the two cannot be brought together.
#[must_use]
pub fn regraft(base: &Document, side: &Document) -> Option<Document> {
    let is_document = base.root().is_some_and(context::is_marked);
    is_document.then(|| grafted(base, side)).flatten()
}

/// [`regraft`], whether `base` has a marker or not.
pub(super) fn grafted(base: &Document, side: &Document) -> Option<Document> {
    if base.depth().max(side.depth()) > DEEPEST || !rewrite::is_rewrite(base, side) {
        return None;
    }
    let (before, after) = (base.root()?, side.root()?);
    let graft = Graft {
        manner: Manner::of(base),
        anchors: Anchors::of(base),
    };
    let mut file = FileDraft::of(base);
    let [part] = file.parts.as_mut_slice() else {
        return None;
    };
    let root = part.root.open()?;
    let role = role_of_root(before);
    graft.mapping(root, before, after, role)?;
    let grafted = Document::from_text(file.emit(Side::Ours), &Limits::default()).ok()?;
    let anchors = Anchors::of(&grafted);
    let reads_back =
        file.agrees(&grafted, Side::Ours) && anchors.is_unchanged(grafted.root()?, after, role);
    // Whatever was in another form may be what was deleted: only what is still there shows who wrote it.
    (reads_back && rewrite::is_rewrite(&grafted, side)).then_some(grafted)
}

/// The role of a root: that of a mapping like any other if somebody else uses our keys in it.
fn role_of_root(root: NodeRef<'_>) -> Role {
    if is_free(root, Role::Root) {
        Role::Root
    } else {
        Role::Inner
    }
}

/// Whether a mapping says anything about itself.
fn is_annotated(node: NodeRef<'_>) -> bool {
    node.entries().any(is_ours)
}

/// The anchored nodes of the base by name, in order: structures hold copies of what aliases name.
struct Anchors<'d>(HashMap<&'d str, Vec<NodeRef<'d>>>);

impl<'d> Anchors<'d> {
    fn of(document: &'d Document) -> Self {
        let mut anchors: HashMap<&str, Vec<NodeRef<'_>>> = HashMap::new();
        for id in 0..document.nodes.len() as u32 {
            let node = document.node(NodeId(id));
            if let Some(name) = node.anchor() {
                anchors.entry(name).or_default().push(node);
            }
        }
        for nodes in anchors.values_mut() {
            nodes.sort_by_key(|node| node.data().anchor.start);
        }
        Self(anchors)
    }

    /// The node itself, or what it names.
    fn resolved(&self, node: NodeRef<'d>) -> NodeRef<'d> {
        if node.kind() != Kind::Alias {
            return node;
        }
        let named = self
            .0
            .get(node.text().as_ref())
            .map_or(&[][..], Vec::as_slice);
        let at = node.data().span.start;
        let before = named.partition_point(|named| named.data().anchor.start < at);
        named[..before].last().copied().unwrap_or(node)
    }

    /// Whether a tool that read `base` may have written `side` for it without changing it.
    fn is_unchanged(&self, base: NodeRef<'d>, side: NodeRef<'_>, role: Role) -> bool {
        let base = self.resolved(base);
        match (base.kind(), side.kind()) {
            (Kind::Scalar(_), Kind::Scalar(_)) => is_same_scalar(base, side),
            (Kind::Sequence, Kind::Sequence) => {
                same_tag(base, side)
                    && base.len() == side.len()
                    && base.entries().zip(side.entries()).all(|(old, new)| {
                        let old = old.value();
                        self.is_unchanged(old, new.value(), Role::of_member(old))
                    })
            }
            (Kind::Mapping, Kind::Mapping) if base.is_structured() && side.is_structured() => {
                same_tag(base, side) && self.is_mapping_unchanged(base, side, role)
            }
            _ => base.means(side),
        }
    }

    fn is_mapping_unchanged(&self, base: NodeRef<'d>, side: NodeRef<'_>, role: Role) -> bool {
        // A tool that knows no annotations drops those of a record all together.
        let dropped = role.is_holder() && !is_annotated(side);
        let news = by_key(side);
        let mut known = 0;
        base.entries()
            .filter(|entry| !dropped || !is_ours(*entry))
            .all(|old| {
                let key = old.key().map(NodeRef::text).unwrap_or_default();
                match news.get(&key) {
                    Some(new) => {
                        known += 1;
                        self.is_unchanged(old.value(), new.value(), Role::Inner)
                    }
                    None => context::is_null(old.value()),
                }
            })
            && (known == side.len() || {
                let olds = by_key(base);
                news.iter()
                    .all(|(key, new)| olds.contains_key(key) || context::is_null(new.value()))
            })
    }
}

/// Whether two scalars are the same to a document; a structure's text field holds a number as it was written.
fn is_same_scalar(base: NodeRef<'_>, side: NodeRef<'_>) -> bool {
    let (old, new) = (base.scalar(), side.scalar());
    let is_its_text = match (&old, &new) {
        (Some(Scalar::Bool(_) | Scalar::Int(_) | Scalar::Float(_)), Some(Scalar::Str(text))) => {
            base.text() == *text
        }
        _ => false,
    };
    old == new || is_its_text || (base.anchor().is_none() && context::same(base, side))
}

fn same_tag(base: NodeRef<'_>, side: NodeRef<'_>) -> bool {
    let tag = |node: NodeRef<'_>| {
        let tag = node.tag().filter(|tag| !matches!(*tag, "!!map" | "!!seq"));
        tag.map(str::to_owned)
    };
    tag(base) == tag(side)
}

fn by_key<'d>(mapping: NodeRef<'d>) -> HashMap<Cow<'d, str>, EntryRef<'d>> {
    mapping
        .entries()
        .filter_map(|entry| Some((entry.key()?.text(), entry)))
        .collect()
}

/// Puts the values of one version into a draft of another.
struct Graft<'d> {
    manner: Manner,
    anchors: Anchors<'d>,
}

impl<'d> Graft<'d> {
    /// Grafts the value of an entry; nothing if that is not possible.
    fn entry(
        &self,
        draft: &mut EntryDraft<'d>,
        base: NodeRef<'d>,
        side: NodeRef<'_>,
        role: Role,
    ) -> Option<()> {
        if self.anchors.is_unchanged(base, side, role) {
            return Some(());
        }
        let made = draft.open()?;
        let both = |kind| base.kind() == kind && side.kind() == kind;
        let structured = base.is_structured() && side.is_structured() && same_tag(base, side);
        if structured && both(Kind::Mapping) {
            return self.mapping(made.body.value.open()?, base, side, role);
        }
        if structured && both(Kind::Sequence) {
            return self.sequence(made.body.value.open()?, base, side);
        }
        made.set(&value_of(side)?, self.manner);
        Some(())
    }

    fn mapping(
        &self,
        collection: &mut Collection<'d>,
        base: NodeRef<'d>,
        side: NodeRef<'_>,
        role: Role,
    ) -> Option<()> {
        let carries = role.is_holder();
        let news = by_key(side);
        let mut names: Vec<Cow<'_, str>> = Vec::with_capacity(base.len());
        for old in base.entries() {
            let name = old.key()?.text();
            let at = names.len();
            let is_gone = match news.get(&name) {
                _ if carries && is_ours(old) => false,
                None => !context::is_null(old.value()),
                Some(new) => {
                    let draft = collection.entries.get_mut(at)?;
                    self.entry(draft, old.value(), new.value(), Role::Inner)?;
                    false
                }
            };
            if is_gone {
                collection.remove(at);
            } else {
                names.push(name);
            }
        }
        let known: HashSet<Cow<'_, str>> = by_key(base).into_keys().collect();
        let mut behind = None;
        for new in side.entries() {
            let name = new.key()?.text();
            if carries && is_ours(new) {
                continue;
            }
            if known.contains(&name) {
                behind = names.iter().position(|known| *known == name).or(behind);
            } else if !context::is_null(new.value()) {
                let mut at = behind.map_or(names.len(), |at| at + 1);
                while names.get(at).is_some_and(|name| {
                    carries && [ANNOTATION_KEY, CONFLICTS_KEY].contains(&name.as_ref())
                }) {
                    at += 1;
                }
                let key = new.key()?.scalar()?;
                collection.insert(at, Some(&key), &value_of(new.value())?, self.manner);
                names.insert(at, Cow::Owned(name.into_owned()));
                behind = Some(at);
            }
        }
        if carries && is_annotated(side) {
            return self.annotations(collection, names, side, role);
        }
        Some(())
    }

    /// Takes over what the side says about a record or the root. `names` are the keys of the collection.
    fn annotations(
        &self,
        collection: &mut Collection<'d>,
        mut names: Vec<Cow<'_, str>>,
        side: NodeRef<'_>,
        role: Role,
    ) -> Option<()> {
        for key in [ANNOTATION_KEY, CONFLICTS_KEY] {
            let place = |names: &[Cow<'_, str>], key| names.iter().position(|name| name == key);
            let new = side.get(key).map(EntryRef::value);
            match (place(&names, key), new) {
                (Some(at), Some(new)) => {
                    let made = collection.entries.get_mut(at)?.open()?;
                    if !matches!(&made.body.value, Draft::Keep(old) if old.means(new)) {
                        made.set(&value_of(new)?, self.manner);
                    }
                }
                (Some(at), None) => {
                    collection.remove(at);
                    names.remove(at);
                }
                (None, Some(new)) => {
                    // Where a marker would have to go only `init` knows.
                    if role == Role::Root && key == ANNOTATION_KEY {
                        return None;
                    }
                    let first = collection.entries.first();
                    let is_one_line = || first.is_some_and(is_one_line_draft);
                    let at = match place(&names, ANNOTATION_KEY) {
                        Some(at) => at + 1,
                        None => place_among(role, collection.flow, names.len(), is_one_line),
                    };
                    let name = Scalar::Str(Cow::Borrowed(key));
                    collection.insert(at, Some(&name), &value_of(new)?, self.manner);
                    names.insert(at, Cow::Borrowed(key));
                }
                (None, None) => {}
            }
        }
        Some(())
    }

    fn sequence(
        &self,
        collection: &mut Collection<'d>,
        base: NodeRef<'d>,
        side: NodeRef<'_>,
    ) -> Option<()> {
        let found = matched(base, side);
        let olds: Vec<EntryRef<'d>> = base.entries().collect();
        let stays: HashSet<usize> = found.iter().flatten().copied().collect();
        let in_base: Vec<u32> = (0..olds.len() as u32)
            .filter(|at| stays.contains(&(*at as usize)))
            .collect();
        let in_side: Vec<u32> = found.iter().flatten().map(|at| *at as u32).collect();
        let unmoved = order::unmoved(&in_base, &in_side, olds.len());
        // What was moved is taken out first, and comes back where it stands now.
        let mut moved = HashMap::new();
        for at in (0..olds.len()).rev() {
            if !unmoved[at] {
                let entry = collection.remove(at)?;
                if stays.contains(&at) {
                    moved.insert(at, entry);
                }
            }
        }
        for (at, (found, new)) in found.into_iter().zip(side.entries()).enumerate() {
            let Some(old) = found else {
                collection.insert(at, None, &value_of(new.value())?, self.manner);
                continue;
            };
            if let Some(entry) = moved.remove(&old) {
                collection.place(at, entry);
            }
            let draft = collection.entries.get_mut(at)?;
            let old = olds[old].value();
            self.entry(draft, old, new.value(), Role::of_member(old))?;
        }
        Some(())
    }
}

/// For every member of `side` the index of the member of `base` that it is.
fn matched(base: NodeRef<'_>, side: NodeRef<'_>) -> Vec<Option<usize>> {
    if let Some(field) = context::identity_field([base, side].into_iter()) {
        return matched_records(base, side, field);
    }
    let hashes = |nodes: &[NodeRef<'_>]| -> Vec<u64> {
        nodes.iter().map(|node| context::sameness(*node)).collect()
    };
    let olds: Vec<_> = base.entries().map(EntryRef::value).collect();
    let news: Vec<_> = side.entries().map(EntryRef::value).collect();
    similar::align(&olds, &hashes(&olds), &news, &hashes(&news))
}

/// The same for records that `field` tells apart: by birth and identity, else by the text of the identity, as a structure
/// has a text where the file has a number.
fn matched_records(base: NodeRef<'_>, side: NodeRef<'_>, field: &str) -> Vec<Option<usize>> {
    let [olds, news] = context::numbered([Some(base), Some(side)], field);
    let known: HashMap<u32, usize> = olds.into_iter().zip(0..).collect();
    let found: Vec<Option<usize>> = news
        .into_iter()
        .map(|number| known.get(&number).copied())
        .collect();
    let text = |entry: EntryRef<'_>| {
        let identity = entry.value().get(field)?;
        Some(identity.value().text().into_owned())
    };
    let taken: HashSet<usize> = found.iter().flatten().copied().collect();
    let mut free: HashMap<String, usize> = base
        .entries()
        .enumerate()
        .filter(|(at, _)| !taken.contains(at))
        .filter_map(|(at, entry)| Some((text(entry)?, at)))
        .collect();
    found
        .into_iter()
        .zip(side.entries())
        .map(|(found, entry)| found.or_else(|| free.remove(&text(entry)?)))
        .collect()
}

/// A value to be written anew: without the nulls that stand for what is absent, annotations where they belong.
fn value_of(node: NodeRef<'_>) -> Option<Value> {
    Value::of(node).map(tidied)
}

fn tidied(value: Value) -> Value {
    match value {
        Value::Scalar(_) => value,
        Value::Sequence(members) => Value::Sequence(members.into_iter().map(tidied).collect()),
        Value::Mapping(entries) => {
            let is_about = |(key, _): &(Scalar<'_>, Value)| matches!(key, Scalar::Str(name) if [ANNOTATION_KEY, CONFLICTS_KEY].contains(&name.as_ref()));
            let (mut about, mut entries): (Vec<_>, Vec<_>) = entries
                .into_iter()
                .filter(|(_, value)| *value != Value::Scalar(Scalar::Null))
                .map(|(key, value)| (key, tidied(value)))
                .partition(is_about);
            about.sort_by_key(|(key, _)| *key != Scalar::Str(Cow::Borrowed(ANNOTATION_KEY)));
            let behind_first = entries.len() > 1
                && matches!(entries.first(), Some((_, Value::Scalar(first)))
                    if !matches!(first, Scalar::Str(text) if text.contains('\n')));
            let at = usize::from(behind_first);
            entries.splice(at..at, about);
            Value::Mapping(entries)
        }
    }
}
