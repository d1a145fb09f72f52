//! The verbose form of annotated files, which is read, and written again only for who had it.
//!
//! ```yaml
//! todos:
//!   _crdt_metadata: {type: or_set, version: "1.0"}
//!   items:
//!     - id: todo_001
//!       _crdt_metadata: {added_by: node_001}
//! ```

use super::matching::numbered;
use super::records::identity_field;
use crate::yaml::{
    Body, Collection, Document, Draft, EntryDraft, EntryRef, FileDraft, Kind, Limits, MadeEntry,
    NodeRef, Piece, Side, newline_of,
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

/// An ordinary document in the verbose form again that `original` had: the wrappers stand around the lists that still are
/// there, with their metadata and those of the records that still are in them. Nothing if no list is left that had one,
/// or if the result would not say the same.
#[must_use]
pub fn to_verbose(original: &Document, now: &Document) -> Option<String> {
    let (before, root) = (original.root()?, now.root()?);
    let mut file = FileDraft::of(now);
    let opened = file.parts.first_mut()?.root.open()?;
    for entry in &mut opened.entries {
        let EntryDraft::Keep(kept) = *entry else {
            continue;
        };
        let wrapper = kept.key().and_then(|key| before.get(&key.text()));
        let wrapper = wrapper.filter(|_| kept.value().kind() == Kind::Sequence);
        if let Some(wrapper) = wrapper
            && let Some(items) = items(wrapper.value())
        {
            *entry = EntryDraft::Made(Box::new(wrapped(kept, wrapper, items)));
        }
    }
    let text = file.emit(Side::Ours);
    let read = Document::from_text(text, &Limits::default()).ok()?;
    let plain = Document::from_text(from_verbose(&read)?, &Limits::default()).ok()?;
    plain.root()?.means(root).then(|| read.into_text())
}

/// The entry of a list with its wrapper around it.
fn wrapped<'d>(list: EntryRef<'d>, wrapper: EntryRef<'d>, items: EntryRef<'d>) -> MadeEntry<'d> {
    let mut outer = MadeEntry::of(list);
    let mut inner = MadeEntry::of(items);
    let mut around = Collection::of(wrapper.value());
    if around.flow && list.value().is_block_collection() {
        (around.flow, around.offset) = (false, 2);
        inner.lead = Piece::default();
    }
    let now = list.parent().document().text();
    if around
        .foot
        .text
        .lines()
        .all(|line| now.contains(line.trim()))
    {
        // It stands behind the list since.
        around.foot = Piece::default();
    }
    let mut sep = MadeEntry::of(wrapper).body.sep;
    // Remarks go back to where they were, if they still stand where `from_verbose` put them.
    let moved = remarks(wrapper, newline_of(now));
    match outer.lead.text.strip_suffix(&moved) {
        Some(lead) => outer.lead = Piece::new(lead.to_owned(), outer.lead.column),
        None => {
            inner.lead = without_remarks(inner.lead);
            sep = without_remarks(sep);
        }
    }
    if !around.flow && !sep.text.ends_with('\n') {
        sep = Piece::new("\n", 0);
    }
    inner.body = std::mem::replace(
        &mut outer.body,
        Body {
            sep,
            value: Draft::Token("".into()),
            beside: "".into(),
        },
    );
    restore_metadata(&mut inner.body.value, list.value(), items.value());
    for entry in &mut around.entries {
        if matches!(entry, EntryDraft::Keep(kept) if kept.key() == items.key()) {
            *entry = EntryDraft::Made(Box::new(inner.clone()));
        }
    }
    outer.body.value = Draft::Collection(Box::new(around));
    outer
}

/// Gives the records of a list the metadata back that they had.
fn restore_metadata<'d>(draft: &mut Draft<'d>, now: NodeRef<'d>, before: NodeRef<'d>) {
    let Some(field) = identity_field([before, now].into_iter()) else {
        return;
    };
    let [olds, news] = numbered([Some(before), Some(now)], field);
    let Some(list) = draft.open() else { return };
    for (record, number) in list.entries.iter_mut().zip(news) {
        let old = before.entries().zip(&olds).find(|(_, old)| **old == number);
        let metadata = old.and_then(|(old, _)| old.value().get(METADATA));
        let has_some =
            matches!(record, EntryDraft::Keep(kept) if kept.value().get(METADATA).is_some());
        if let Some(metadata) = metadata.filter(|_| !has_some)
            && let Some(made) = record.open()
            && let Some(fields) = made.body.value.open()
        {
            let at = place_of(metadata, fields);
            fields.entries.insert(at, EntryDraft::Keep(metadata));
        }
    }
}

/// Where metadata stand among the fields of a record: behind the field that they followed.
fn place_of(metadata: EntryRef<'_>, fields: &Collection<'_>) -> usize {
    let mut before = metadata.parent().entries();
    if before.next_back().map(|last| last.value()) == Some(metadata.value()) {
        return fields.entries.len();
    }
    let above = metadata
        .parent()
        .entries()
        .take_while(|entry| entry.value() != metadata.value())
        .last()
        .and_then(EntryRef::key);
    let is_above = |entry: &EntryDraft<'_>| {
        matches!((entry, above), (EntryDraft::Keep(entry), Some(above))
            if entry.key().is_some_and(|key| key.text() == above.text()))
    };
    let found = fields.entries.iter().position(is_above);
    found.map_or(0, |found| found + 1)
}

fn without_remarks(piece: Piece<'_>) -> Piece<'_> {
    let lines = piece.text.split_inclusive('\n');
    let text: String = lines
        .map(|line| match line.find('#') {
            Some(at) if line[..at].trim().is_empty() => "",
            Some(at) => line[..at].trim_end(),
            None => line,
        })
        .collect();
    Piece::new(text, piece.column)
}

/// The remarks in a wrapper that belong to none of its entries' values, as lines.
fn remarks(wrapper: EntryRef<'_>, newline: &str) -> String {
    if wrapper.value().data().flow {
        return String::new();
    }
    let inside = wrapper.value().entries().map(EntryRef::lead);
    std::iter::once(wrapper.sep())
        .chain(inside)
        .flat_map(str::lines)
        .map(str::trim)
        .filter(|line| line.starts_with('#'))
        .map(|line| format!("{line}{newline}"))
        .collect()
}

/// The entry of a wrapper with the items in its place; remarks above them go above it.
fn unwrapped<'d>(wrapper: EntryRef<'d>, items: EntryRef<'d>) -> MadeEntry<'d> {
    let mut made = MadeEntry::of(wrapper);
    let mut inner = MadeEntry::of(items);
    let remarks = remarks(wrapper, newline_of(wrapper.parent().document().text()));
    if !remarks.is_empty() {
        let lead = format!("{}{remarks}", made.lead.text);
        made.lead = Piece::new(lead, made.lead.column);
    }
    if let Some(list) = inner.body.value.open() {
        list.entries.iter_mut().for_each(without_metadata);
    }
    made.body = inner.body;
    if made.below.text.is_empty() {
        made.below = inner.below;
    }
    let foot = wrapper.value().foot();
    if made.below.text.is_empty() && !foot.is_empty() {
        made.below = Piece::new(foot, wrapper.value().data().column as i32);
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
        let verbose = "a: 1\r\ntodos: # all\r\n  _crdt_metadata: {type: or_set}\r\n  # the items\r\n  items:\r\n  - id: x\r\n    # inside\r\n    n: |\r\n      one\r\n        two\r\n    _crdt_metadata: {a: b}\r\n  # below\r\n# end\r\n";
        let text = plain(verbose).unwrap();
        for remark in [
            "# all\r\n",
            "# the items\r\n",
            "# inside\r\n",
            "# below\r\n",
            "# end\r\n",
        ] {
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

    /// As tools write it, with remarks.
    const VERBOSE: &str = "\
# .rhema/todos.yaml - CRDT-enabled todos
todos:
  _crdt_metadata:
    type: \"or_set\"
    version: \"1.0\"
    last_sync: \"2024-01-15T10:30:00Z\"
  
  # the items
  items:
    - id: \"todo_001\"
      title: \"Implement user authentication\" # soon
      status: \"in_progress\"
      priority: 2
      _crdt_metadata:
        added_by: \"node_001\"
        added_at: \"2024-01-15T09:00:00Z\"
        last_modified: \"2024-01-15T10:15:00Z\"
    
    - id: \"todo_002\"
      _crdt_metadata: {added_by: node_002}
      title: \"Add unit tests for auth module\"
      status: \"todo\"
owner: me
";

    fn rebuilt(original: &str, edit: impl Fn(String) -> String) -> String {
        let read = |text: String| Document::from_text(text, &Limits::default()).unwrap();
        let edited = edit(plain(original).unwrap());
        to_verbose(&read(original.to_owned()), &read(edited)).unwrap()
    }

    #[test]
    fn what_nobody_edited_comes_back_to_the_byte() {
        for original in [
            VERBOSE,
            &VERBOSE.replace('\n', "\r\n"),
            "a: 1\ntodos: # all\n  _crdt_metadata: {type: or_set}\n  items:\n  - id: x\n    n: |\n      one\n        two\n    _crdt_metadata: {a: b}\n# end\n",
            "todos: {_crdt_metadata: {type: or_set}, items: [{id: a, _crdt_metadata: {x: y}}]}\n",
            "todos:\n  items: []\n  _crdt_metadata: {}\n",
            "- a\n"
                .replace(
                    "- a",
                    "todos:\n    items:\n    - id: 1\n    _crdt_metadata: {type: or_set}",
                )
                .as_str(),
        ] {
            assert_eq!(rebuilt(original, |text| text), original);
        }
    }

    #[test]
    fn edits_show_in_the_form_that_the_file_had() {
        let text = rebuilt(VERBOSE, |text| {
            let text = text.replace("Add unit tests", "Add all tests");
            text.replace("owner: me", "  - id: todo_003\n    title: New\nowner: you")
        });
        let expected = VERBOSE.replace("Add unit tests", "Add all tests").replace(
            "owner: me",
            "    - id: todo_003\n      title: New\nowner: you",
        );
        assert_eq!(text, expected);
        // What is gone is gone with its metadata, what was moved takes them along.
        let text = rebuilt(VERBOSE, |_| {
            "todos:\n- {title: Second, id: todo_002}\n".to_owned()
        });
        assert!(!text.contains("node_001"), "{text}");
        assert!(
            text.contains("_crdt_metadata: {added_by: node_002}"),
            "{text}"
        );
    }

    #[test]
    fn without_a_list_that_had_a_wrapper_there_is_nothing_to_rebuild() {
        let read = |text: &str| Document::from_text(text.to_owned(), &Limits::default()).unwrap();
        for now in ["todos: none\n", "other: []\n", "- a\n", ""] {
            assert_eq!(to_verbose(&read(VERBOSE), &read(now)), None, "{now}");
        }
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
