//! The forms of an edit: what its author wrote otherwise than it would be written for him.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::{Unrendered, find, parts, render};
use crate::context::{identity_field, is_null, is_ours, lift, name_of};
use crate::crdt::{
    self, Act, Change, Digest, Form, Formed, Map, Node, Observed, Part, Path, Record, order,
};
use crate::merge::Frame;
use crate::yaml::{Document, EntryRef, Kind, Limits, NodeRef, PartDraft};

/// The changes of form that made `work` of `shown`, beside those of values: with them, what `view` is rendered as is
/// `work`. `text` and `base` are what [`render`] takes; `view` holds the values of `work` already. What annotations say is
/// no form.
///
/// # Errors
/// As [`render`].
pub fn forms(
    text: &Document,
    base: &crdt::Document,
    view: &crdt::Document,
    shown: &Document,
    work: &Document,
) -> Result<Vec<Change>, Unrendered> {
    let mut view = view.clone();
    let mut changes = Vec::new();
    let plain = loop {
        let at = match render(text, base, &view) {
            Ok(plain) => break plain,
            Err(Unrendered::Differs { at }) if changes.len() < MOST_UNWRITABLE => at.as_born(),
            Err(error) if changes.iter().any(is_about_all) => return Err(error),
            Err(_) => Path::default(),
        };
        // What cannot be written from its value alone stands as its author wrote it.
        let change = as_written(&view, shown, work, at);
        let stamp = None;
        if let Act::Form(form) = change.act.clone() {
            let forms = view.forms.entry(change.at.clone()).or_default();
            forms.push(Formed { stamp, form });
        }
        changes.push(change);
    };
    if plain == work.text() {
        return Ok(changes);
    }
    let view = &view;
    let frames = [plain.as_bytes(), work.text().as_bytes()].map(Frame::of);
    let bare = |text: &str| {
        Document::from_text(self::bare(text), &Limits::default()).map_err(Unrendered::Unreadable)
    };
    let (plain, shown, work) = (bare(&plain)?, bare(shown.text())?, bare(work.text())?);
    let mut extracting = Extracting { view, changes };
    let [before, after] = frames.map(parts::frame);
    extracting.push(&Path::default(), Part::Frame, before, after);
    extracting.root(&plain, &work, &shown);
    Ok(extracting.changes)
}

/// So many values that cannot be written from what they mean are sought for one by one.
const MOST_UNWRITABLE: usize = 8;

fn is_about_all(change: &Change) -> bool {
    change.at == Path::default()
}

/// A place as its author wrote it: its value, or the whole file.
fn as_written(view: &crdt::Document, shown: &Document, work: &Document, at: Path) -> Change {
    let held = lift(work);
    let steps = at.steps();
    let place = (1..=steps.len()).rev().find_map(|count| {
        let at: Path = steps.iter().take(count).cloned().collect();
        let entry = find(work, &held, &at).filter(|entry| !entry.parent().data().flow)?;
        let is_leaf = !entry.value().is_block_collection() || !entry.value().is_structured();
        is_leaf.then_some((at, entry))
    });
    let (at, part, before, after) = match place {
        Some((at, entry)) => {
            let before = find(shown, view, &at).filter(|entry| !entry.parent().data().flow);
            let of = |entry| parts::of_entry(entry, Part::Value);
            (
                at,
                Part::Value,
                before.map(of).unwrap_or_default(),
                of(entry),
            )
        }
        None => {
            let [before, after] = [shown, work].map(|document| bare(document.text()));
            (Path::default(), Part::Whole, before, after)
        }
    };
    let mut observed = Observed::default();
    observed.add(None, Digest::of(before.as_bytes()));
    let form = Form {
        part,
        before,
        after,
    };
    Change {
        at,
        act: Act::Form(form),
        observed,
    }
}

/// A text without what frames it.
fn bare(text: &str) -> String {
    let bytes = Frame::of(text.as_bytes()).strip(Cow::Borrowed(text.as_bytes()));
    String::from_utf8_lossy(&bytes).into_owned()
}

struct Extracting<'v> {
    view: &'v crdt::Document,
    changes: Vec<Change>,
}

impl Extracting<'_> {
    /// A part of a place that is written otherwise now.
    fn push(&mut self, at: &Path, part: Part, before: String, after: String) {
        if before == after {
            return;
        }
        let mut observed = Observed::default();
        observed.add(None, Digest::of(before.as_bytes()));
        let known = self.view.forms.get(at).into_iter().flatten();
        for stamp in known
            .filter(|formed| formed.form.part == part)
            .filter_map(|formed| formed.stamp)
        {
            observed.add_stamp(stamp);
        }
        let form = Form {
            part,
            before,
            after,
        };
        self.changes.push(Change {
            at: at.clone(),
            act: Act::Form(form),
            observed,
        });
    }

    fn root(&mut self, plain: &Document, work: &Document, shown: &Document) {
        let at = Path::default();
        let whole = |this: &mut Self| {
            let [before, after] = [shown, work].map(|document| document.text().to_owned());
            this.push(&at, Part::Whole, before, after);
        };
        let ([before], [after]) = (plain.parts(), work.parts()) else {
            return whole(self);
        };
        let roots = [plain, work].map(|document| document.root());
        let [Some(was), Some(is)] = roots else {
            return whole(self);
        };
        if !is_nested_alike(was, is) {
            return whole(self);
        }
        let drafts = [PartDraft::of(plain, before), PartDraft::of(work, after)];
        let of = |part: fn(&PartDraft<'_>) -> String| drafts.each_ref().map(part);
        for (part, [before, after]) in [
            (Part::Lead, of(|draft| draft.head.to_string())),
            (Part::Beside, of(|draft| draft.beside.to_string())),
            (Part::Below, of(|draft| draft.rest.to_string())),
            (
                Part::Shape,
                roots.map(|root| {
                    root.map(|root| parts::of_collection(root, Part::Shape))
                        .unwrap_or_default()
                }),
            ),
            (
                Part::Foot,
                roots.map(|root| {
                    root.map(|root| parts::of_collection(root, Part::Foot))
                        .unwrap_or_default()
                }),
            ),
        ] {
            self.push(&at, part, before, after);
        }
        let view = self.view;
        match (is.kind(), view.root.get("")) {
            (Kind::Sequence, Some(Node::Set(records))) => {
                self.records(was, is, shown.root(), records, &at.entry(""));
            }
            (Kind::Sequence, _) => whole(self),
            _ => self.mapping(was, is, shown.root(), &view.root, &at),
        }
    }

    fn mapping(
        &mut self,
        plain: NodeRef<'_>,
        work: NodeRef<'_>,
        shown: Option<NodeRef<'_>>,
        values: &Map,
        at: &Path,
    ) {
        let shown: FxHashMap<Cow<'_, str>, EntryRef<'_>> = by_name(shown);
        let old = by_name(Some(plain));
        let new = by_name(Some(work));
        for entry in plain.entries() {
            let Some(name) = name_of(entry) else { continue };
            if !new.contains_key(&name) && is_null(entry.value()) {
                self.push(
                    &at.entry(&name),
                    Part::Whole,
                    parts::of_entry(entry, Part::Whole),
                    String::new(),
                );
            }
        }
        let mut order: Vec<Cow<'_, str>> = plain
            .entries()
            .filter(|entry| !is_ours(*entry))
            .filter_map(name_of)
            .collect();
        order.retain(|name| new.contains_key(name));
        for entry in work.entries() {
            let Some(name) = name_of(entry) else { continue };
            let place = at.entry(&name);
            match old.get(&name) {
                Some(plain) => {
                    let shown = shown.get(&name).copied();
                    self.entry(
                        *plain,
                        entry,
                        shown,
                        Held::of(values.get(name.as_ref())),
                        &place,
                    );
                }
                None if is_null(entry.value()) && !is_ours(entry) => {
                    self.push(
                        &place,
                        Part::Whole,
                        String::new(),
                        parts::of_entry(entry, Part::Whole),
                    );
                    order.push(name);
                }
                None => {}
            }
        }
        let now: Vec<Cow<'_, str>> = work
            .entries()
            .filter(|entry| !is_ours(*entry))
            .filter_map(name_of)
            .filter(|name| order.contains(name))
            .collect();
        let [was, is] =
            [&order, &now].map(|names| names.iter().map(AsRef::as_ref).collect::<Vec<&str>>());
        let moved = order::moved(&was, &is);
        for (index, name) in is
            .iter()
            .enumerate()
            .filter(|(_, name)| moved.contains(*name))
        {
            let behind = |names: &[&str]| {
                let index = names.iter().position(|other| other == name)?;
                names
                    .get(index.checked_sub(1)?)
                    .map(|name| (*name).to_owned())
            };
            let before = behind(&was).unwrap_or_default();
            let after = index
                .checked_sub(1)
                .and_then(|index| is.get(index))
                .map(|name| (*name).to_owned());
            self.push(
                &at.entry(name),
                Part::Place,
                before,
                after.unwrap_or_default(),
            );
        }
    }

    fn records(
        &mut self,
        plain: NodeRef<'_>,
        work: NodeRef<'_>,
        shown: Option<NodeRef<'_>>,
        records: &[Record],
        at: &Path,
    ) {
        let field = identity_field(std::iter::once(work));
        let name =
            |entry: EntryRef<'_>| Some(entry.value().get(field?)?.value().text().into_owned());
        let shown: FxHashMap<String, EntryRef<'_>> = shown
            .into_iter()
            .flat_map(NodeRef::entries)
            .filter_map(|entry| Some((name(entry)?, entry)))
            .collect();
        let now: FxHashMap<String, EntryRef<'_>> = work
            .entries()
            .filter_map(|entry| Some((name(entry)?, entry)))
            .collect();
        for (plain, record) in plain.entries().zip(records) {
            let Some(work) = name(plain).and_then(|name| now.get(&name)) else {
                continue;
            };
            let shown = shown.get(record.name.said()).copied();
            let place = at.record(record).as_born();
            self.entry(plain, *work, shown, Held::Map(&record.fields), &place);
        }
    }

    fn entry(
        &mut self,
        plain: EntryRef<'_>,
        work: EntryRef<'_>,
        shown: Option<EntryRef<'_>>,
        held: Held<'_>,
        at: &Path,
    ) {
        if shown.is_some() && is_same(plain, work) {
            return;
        }
        let is_about = is_ours(work);
        let (was, is) = (plain.value(), work.value());
        let nested = !matches!(held, Held::Leaf)
            && is_nested_alike(was, is)
            && is.props().is_empty()
            && was.props().is_empty();
        let is_leaf = !was.is_block_collection() && !is.is_block_collection();
        let is_list = matches!(held, Held::Leaf) && was.kind() == is.kind();
        if !is_about && (shown.is_none() || !(nested || is_leaf || is_list)) {
            let before = shown
                .map(|shown| parts::of_entry(shown, Part::Whole))
                .unwrap_or_default();
            // As it would be written for him it depends on what stands around it.
            let after = parts::of_entry(work, Part::Whole);
            self.push(at, Part::Whole, before, after);
            return;
        }
        let kinds: &[Part] = match (is_about, nested) {
            (true, _) => &[Part::Lead, Part::Head, Part::Beside, Part::Below],
            (_, true) => &[
                Part::Lead,
                Part::Head,
                Part::Gap,
                Part::Beside,
                Part::Below,
                Part::Shape,
                Part::Foot,
            ],
            (_, false) => &[
                Part::Lead,
                Part::Head,
                Part::Value,
                Part::Beside,
                Part::Below,
            ],
        };
        for part in kinds {
            let [before, after] = [plain, work].map(|entry| parts::of_entry(entry, *part));
            self.push(at, *part, before, after);
        }
        let shown = shown.map(EntryRef::value);
        match held {
            Held::Map(fields) if nested => self.mapping(was, is, shown, fields, at),
            Held::Set(records) if nested => self.records(was, is, shown, records, at),
            _ => {}
        }
    }
}

/// What a place holds, as far as forms tell it apart.
#[derive(Clone, Copy)]
enum Held<'v> {
    Map(&'v Map),
    Set(&'v [Record]),
    Leaf,
}

impl<'v> Held<'v> {
    fn of(node: Option<&'v Node>) -> Self {
        match node {
            Some(Node::Map(map)) => Held::Map(map),
            Some(Node::Set(records)) => Held::Set(records),
            _ => Held::Leaf,
        }
    }
}

fn by_name(node: Option<NodeRef<'_>>) -> FxHashMap<Cow<'_, str>, EntryRef<'_>> {
    let entries = node
        .into_iter()
        .filter(|node| node.kind() == Kind::Mapping)
        .flat_map(NodeRef::entries);
    entries
        .filter_map(|entry| Some((name_of(entry)?, entry)))
        .collect()
}

/// Whether both are collections by indentation whose entries can be compared one by one.
fn is_nested_alike(a: NodeRef<'_>, b: NodeRef<'_>) -> bool {
    let is_open = |node: NodeRef<'_>| node.is_block_collection() && node.is_structured();
    is_open(a) && is_open(b) && a.kind() == b.kind()
}

fn is_same(a: EntryRef<'_>, b: EntryRef<'_>) -> bool {
    let (x, y) = (a.parent().data(), b.parent().data());
    a.raw() == b.raw() && x.column == y.column && x.parent_column == y.parent_column
}
