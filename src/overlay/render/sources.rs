//! What people wrote, read again: so that it stands in a text just as it was written.

use std::collections::BTreeMap;

use super::parts;
use crate::context::{atom, identity_field, is_null, name_of};
use crate::crdt::{Atom, Form, Formed, Part, Path, Step};
use crate::yaml::{Document, EntryRef, Kind, Limits, NodeRef};

/// An entry as somebody wrote it.
struct Whole {
    source: Document,
    /// Whether something stood in its place.
    replaces: bool,
}

/// The texts of values and of whole entries that edits brought along, each the latest first. Each is a document of one entry.
#[derive(Default)]
pub(super) struct Sources {
    wholes: BTreeMap<Path, Vec<Whole>>,
    values: BTreeMap<Path, Vec<Document>>,
    /// Lists before and after somebody wrote them otherwise, the earliest first.
    lists: BTreeMap<Path, Vec<[Document; 2]>>,
}

impl Sources {
    /// Those of a view. `stands` finds what stands at a place of the text that is rendered.
    pub(super) fn of<'d>(
        forms: &BTreeMap<Path, Vec<Formed>>,
        stands: impl Fn(&Path) -> Option<EntryRef<'d>>,
    ) -> Self {
        let mut sources = Self::default();
        for (at, formed) in forms {
            let mut now = None;
            let mut texts = Vec::new();
            for Form {
                part,
                before,
                after,
            } in formed.iter().map(|formed| &formed.form)
            {
                match part {
                    Part::Whole if !after.is_empty() => {
                        // Behind another entry the lines above this one are its own, and no head of the file.
                        let first = if is_member(at) { "-" } else { "_crdt:" };
                        let text = format!("{first}\n{after}");
                        let read = Document::from_text(text, &Limits::default());
                        let wholes = sources.wholes.entry(at.clone()).or_default();
                        let replaces = !before.is_empty();
                        wholes.extend(read.map(|source| Whole { source, replaces }));
                    }
                    Part::Value => {
                        let old = now
                            .take()
                            .or_else(|| Some(parts::of_entry(stands(at)?, *part)));
                        let old = old.unwrap_or_else(|| before.clone());
                        now = Some(parts::patched(*part, &old, before, after));
                        texts.push(after.clone());
                    }
                    _ => {}
                }
            }
            if let Some(wholes) = sources.wholes.get_mut(at) {
                wholes.reverse();
            }
            if let Some(now) = now {
                texts.retain(|text| *text != now);
                texts.push(now);
            }
            let lists = formed.iter().filter_map(|formed| lists_of(&formed.form));
            let lists: Vec<[Document; 2]> = lists.collect();
            if !lists.is_empty() {
                sources.lists.insert(at.clone(), lists);
            }
            let head = if is_member(at) { "-" } else { "k:" };
            let documents = texts.into_iter().rev();
            let documents: Vec<Document> =
                documents.filter_map(|text| entry(head, &text)).collect();
            if !documents.is_empty() {
                sources.values.insert(at.clone(), documents);
            }
        }
        sources
    }

    /// The entry that somebody wrote in the place of what stands there.
    pub(super) fn replacing(&self, place: &Path) -> Option<EntryRef<'_>> {
        let latest = self
            .wholes
            .get(place)?
            .first()
            .filter(|whole| whole.replaces)?;
        entry_of_whole(latest)
    }

    /// The entry that somebody wrote at this place, by itself or as a part of something around it.
    pub(super) fn written(&self, place: &Path) -> Option<EntryRef<'_>> {
        let steps = place.steps();
        (1..=steps.len()).rev().find_map(|count| {
            let (above, rest) = steps.split_at(count);
            let wholes = self.wholes.get(&above.iter().cloned().collect())?;
            let mut entries = wholes.iter().filter_map(entry_of_whole);
            entries.find_map(|entry| descend(entry, rest))
        })
    }

    /// How people wrote the value at this place: as all of them did together, if that can be, and as each of them did.
    pub(super) fn values(&self, place: &Path) -> impl Iterator<Item = EntryRef<'_>> {
        let values = self.values.get(place).into_iter().flatten();
        let wholes = self.wholes.get(place).into_iter().flatten();
        values
            .filter_map(entry_of)
            .chain(wholes.filter_map(entry_of_whole))
    }

    /// A list before and after each time that somebody wrote it otherwise.
    pub(super) fn lists(&self, place: &Path) -> impl Iterator<Item = (NodeRef<'_>, NodeRef<'_>)> {
        let lists = self.lists.get(place).into_iter().flatten();
        lists.filter_map(|[before, after]| {
            Some((entry_of(before)?.value(), entry_of(after)?.value()))
        })
    }

    /// An entry of a mapping as somebody wrote it in brackets, and the name of the one before it.
    pub(super) fn in_brackets(
        &self,
        at: &Path,
        name: &str,
    ) -> Option<(EntryRef<'_>, Option<String>)> {
        let mappings = self.values(at).map(EntryRef::value);
        let mut written = mappings.filter(|mapping| mapping.data().flow);
        written.find_map(|mapping| {
            let mut before = None;
            for entry in mapping.entries() {
                let known = name_of(entry)?;
                if known == name {
                    return Some((entry, before));
                }
                before = Some(known.into_owned());
            }
            None
        })
    }

    /// The member of a list as somebody wrote it.
    pub(super) fn member(&self, place: &Path, member: &Atom) -> Option<EntryRef<'_>> {
        let lists = self.values(place).map(EntryRef::value);
        let mut members = lists
            .filter(|list| list.kind() == Kind::Sequence)
            .flat_map(NodeRef::entries);
        members.find(|entry| atom(entry.value()) == *member)
    }

    /// The entries of a mapping that somebody wrote and that say nothing, but for those that stand there.
    pub(super) fn nulls(&self, at: &Path, stands: impl Fn(&str) -> bool) -> Vec<EntryRef<'_>> {
        let inside = self
            .wholes
            .range(at.clone()..)
            .take_while(|(path, _)| path.steps().starts_with(at.steps()));
        let here = inside.filter(|(path, _)| path.steps().len() == at.steps().len() + 1);
        let latest = here.filter_map(|(_, wholes)| entry_of_whole(wholes.first()?));
        latest
            .filter(|entry| {
                is_null(entry.value()) && name_of(*entry).is_some_and(|name| !stands(&name))
            })
            .collect()
    }
}

/// Both versions of a list of which a form is, if both are written by indentation.
fn lists_of(form: &Form) -> Option<[Document; 2]> {
    if form.part != Part::Value {
        return None;
    }
    let read = |text: &str| {
        let document = entry("k:", text)?;
        let list = entry_of(&document)?.value();
        let is_list = list.kind() == Kind::Sequence && list.is_block_collection();
        is_list.then_some(document)
    };
    Some([read(&form.before)?, read(&form.after)?])
}

/// A document of one entry with this value. A line more at its end would belong to a text that keeps all of them.
fn entry(head: &str, value: &str) -> Option<Document> {
    let end = if value.ends_with('\n') { "" } else { "\n" };
    Document::from_text(format!("{head}{value}{end}"), &Limits::default()).ok()
}

fn is_member(at: &Path) -> bool {
    matches!(at.steps().last(), Some(Step::Record(..)))
}

fn entry_of_whole(whole: &Whole) -> Option<EntryRef<'_>> {
    whole.source.root()?.entries().nth(1)
}

fn entry_of(source: &Document) -> Option<EntryRef<'_>> {
    source.root()?.entries().next()
}

fn descend<'d>(from: EntryRef<'d>, steps: &[Step]) -> Option<EntryRef<'d>> {
    steps
        .iter()
        .try_fold(from, |entry, step| child(entry.value(), step))
}

fn child<'d>(node: NodeRef<'d>, step: &Step) -> Option<EntryRef<'d>> {
    match step {
        Step::Entry(name) => node.get(name),
        Step::Record(name, _) => {
            let field = identity_field(std::iter::once(node))?;
            let mut entries = node.entries();
            entries.find(|entry| {
                let named = entry.value().get(field);
                named.is_some_and(|named| atom(named.value()).said() == name.said())
            })
        }
    }
}
