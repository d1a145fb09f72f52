//! The verbose form of annotated files, which is read but never written.
//!
//! ```yaml
//! todos:
//!   _crdt_metadata: {type: or_set, version: "1.0"}
//!   items:
//!     - id: todo_001
//!       _crdt_metadata: {added_by: node_001}
//! ```

use crate::yaml::{
    Collection, Document, Draft, EntryDraft, EntryRef, FileDraft, Kind, Limits, MadeEntry, NodeRef,
    Piece, Side, newline_of,
};

const METADATA: &str = "_crdt_metadata";
const ITEMS: &str = "items";

/// A document of the verbose form as an ordinary one: the collections themselves stand where their wrappers stood, and
/// no metadata are left. Nothing for a document that has no such wrapper.
#[must_use]
pub fn from_verbose(document: &Document) -> Option<String> {
    let root = document.root()?;
    if root.kind() != Kind::Mapping || !root.is_structured() {
        return None;
    }
    if !root.entries().any(|entry| items(entry.value()).is_some()) {
        return None;
    }
    let mut file = FileDraft::of(document);
    let opened = file.parts.first_mut()?.root.open()?;
    for entry in &mut opened.entries {
        let EntryDraft::Keep(kept) = *entry else {
            continue;
        };
        if let Some(items) = items(kept.value()) {
            *entry = EntryDraft::Made(Box::new(unwrapped(kept, items)));
        }
    }
    let text = file.emit(Side::Ours);
    let read = Document::from_text(text, &Limits::default()).ok()?;
    is_faithful(root, read.root()?).then(|| read.into_text())
}

/// Whether the new root says all that the old one said, but for wrappers and metadata.
fn is_faithful(old: NodeRef<'_>, new: NodeRef<'_>) -> bool {
    let is_record = |old: NodeRef<'_>, new: NodeRef<'_>| {
        if old.kind() != Kind::Mapping || old.get(METADATA).is_none() {
            return old.means(new);
        }
        old.entries()
            .filter_map(|entry| Some((entry.key()?.text(), entry.value())))
            .filter(|(key, _)| key != METADATA)
            .all(|(key, value)| {
                new.get(&key)
                    .is_some_and(|entry| value.means(entry.value()))
            })
    };
    new.kind() == Kind::Mapping
        && old.len() == new.len()
        && old.entries().zip(new.entries()).all(|(old, new)| {
            let (old, new) = (old.value(), new.value());
            match items(old).map(EntryRef::value) {
                None => old.means(new),
                Some(items) => {
                    items.len() == new.len()
                        && items
                            .entries()
                            .zip(new.entries())
                            .all(|(old, new)| is_record(old.value(), new.value()))
                }
            }
        })
}

/// The entry with the items of a wrapper: a mapping with metadata and items and nothing else.
fn items(wrapper: NodeRef<'_>) -> Option<EntryRef<'_>> {
    if wrapper.kind() != Kind::Mapping || !wrapper.is_structured() || wrapper.len() != 2 {
        return None;
    }
    let metadata = wrapper.get(METADATA)?.value();
    let items = wrapper.get(ITEMS)?;
    let is_wrapper = metadata.kind() == Kind::Mapping
        && items.value().kind() == Kind::Sequence
        && items.value().is_structured()
        && wrapper.props().is_empty();
    is_wrapper.then_some(items)
}

/// The entry of a wrapper with the items in its place; remarks above them go above it.
fn unwrapped<'d>(wrapper: EntryRef<'d>, items: EntryRef<'d>) -> MadeEntry<'d> {
    let mut made = MadeEntry::of(wrapper);
    let mut inner = MadeEntry::of(items);
    if !wrapper.value().data().flow {
        let newline = newline_of(wrapper.parent().document().text());
        let inside = wrapper.value().entries().map(EntryRef::lead);
        let remarks: String = std::iter::once(wrapper.sep())
            .chain(inside)
            .flat_map(str::lines)
            .map(str::trim)
            .filter(|line| line.starts_with('#'))
            .map(|line| format!("{line}{newline}"))
            .collect();
        if !remarks.is_empty() {
            let lead = format!("{}{remarks}", made.lead.text);
            made.lead = Piece::new(lead, made.lead.column);
        }
    }
    if let Some(list) = inner.body.value.open() {
        list.entries.iter_mut().for_each(without_metadata);
    }
    made.body = inner.body;
    if made.below.text.is_empty() {
        made.below = inner.below;
    }
    made
}

fn without_metadata(record: &mut EntryDraft<'_>) {
    let EntryDraft::Keep(kept) = *record else {
        return;
    };
    let value = kept.value();
    let has_metadata = value.kind() == Kind::Mapping
        && value.is_structured()
        && value.len() > 1
        && value.get(METADATA).is_some();
    if !has_metadata {
        return;
    }
    if let Some(made) = record.open()
        && let Draft::Keep(_) = made.body.value
        && let Some(Collection { entries, .. }) = made.body.value.open()
    {
        entries.retain(|entry| match entry {
            EntryDraft::Keep(entry) => entry.key().is_none_or(|key| key.text() != METADATA),
            _ => true,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Option<String> {
        let document = Document::from_text(text.to_owned(), &Limits::default()).unwrap();
        from_verbose(&document)
    }

    #[test]
    fn wrappers_and_metadata_go_and_everything_else_stays() {
        let verbose = "# Todos\n\ntodos:\n  _crdt_metadata:\n    type: \"or_set\"\n    version: \"1.0\"\n  \n  items:\n    - id: \"todo_001\"\n      title: \"Implement\" # soon\n      _crdt_metadata:\n        added_by: \"node_001\"\n    \n    - _crdt_metadata: {added_by: b}\n      id: \"todo_002\"\n      title: \"Test\"\nowner: me\n";
        let text = plain(verbose).unwrap();
        let document = Document::from_text(text.clone(), &Limits::default()).unwrap();
        assert_eq!(
            crate::context::canonical(document.root().unwrap()),
            "{\"owner\":\"me\",\"todos\":[{\"id\":\"todo_001\",\"title\":\"Implement\"},{\"id\":\"todo_002\",\"title\":\"Test\"}]}",
            "{text}"
        );
        assert!(
            text.starts_with(
                "# Todos\n\ntodos:\n  - id: \"todo_001\"\n    title: \"Implement\" # soon\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn remarks_and_line_endings_are_kept() {
        let verbose = "a: 1\r\ntodos: # all\r\n  _crdt_metadata: {type: or_set}\r\n  # the items\r\n  items:\r\n  - id: x\r\n    # inside\r\n    n: |\r\n      one\r\n        two\r\n    _crdt_metadata: {a: b}\r\n# end\r\n";
        let text = plain(verbose).unwrap();
        for remark in ["# all\r\n", "# the items\r\n", "# inside\r\n", "# end\r\n"] {
            assert!(text.contains(remark), "{remark} in {text:?}");
        }
        assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "{text:?}");
    }

    #[test]
    fn flow_and_empty_wrappers_are_understood() {
        assert_eq!(
            plain("todos: {_crdt_metadata: {type: or_set}, items: [{id: a, _crdt_metadata: {x: y}}]}\n").as_deref(),
            Some("todos: [{id: a}]\n")
        );
        assert_eq!(
            plain("todos:\n  _crdt_metadata: {}\n  items: []\n").as_deref(),
            Some("todos: []\n")
        );
    }

    #[test]
    fn what_holds_more_is_somebodys_data() {
        for text in [
            "todos:\n  items: []\n",
            "todos:\n  _crdt_metadata: {}\n  items: []\n  more: 1\n",
            "todos:\n  _crdt_metadata: {}\n  items: {}\n",
            "- _crdt_metadata: {}\n  items: []\n",
        ] {
            assert_eq!(plain(text), None, "{text}");
        }
    }
}
