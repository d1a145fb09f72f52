//! Which lists hold records, by what they are told apart, and which mappings may carry annotations.

use rustc_hash::FxHashSet;

use super::IDENTITY_FIELDS;
use super::placing::name_of;
use crate::yaml::{Document, EntryRef, Kind, NodeRef, Scalar};

/// The lists of the known kinds of context file, which hold records even while they are empty.
const KNOWN_LISTS: [&str; 6] = [
    "conventions",
    "decisions",
    "entries",
    "knowledge",
    "patterns",
    "todos",
];

/// The type of a list of identified records.
pub(super) const OR_SET: &str = "or_set";

/// The type of any other list.
pub(super) const LIST: &str = "list";

/// The field that tells the records apart in every one of these versions of a list; nothing if the members of one are no
/// records, or there is no member in any.
#[must_use]
pub fn identity_field<'d>(
    versions: impl Iterator<Item = NodeRef<'d>> + Clone,
) -> Option<&'static str> {
    IDENTITY_FIELDS.into_iter().find(|field| {
        let mut any = false;
        let fits = versions.clone().all(|list| {
            let mut seen = FxHashSet::default();
            list.kind() == Kind::Sequence
                && list.is_structured()
                && list.entries().all(|entry| {
                    any = true;
                    identity(entry.value(), field).is_some_and(|identity| seen.insert(identity))
                })
        });
        any && fits
    })
}

/// The name of two records of a list in `after` whose records a field tells apart in `before`: nobody can tell which of the
/// two is meant from now on.
#[must_use]
pub fn named_twice(before: &Document, after: &Document) -> Option<String> {
    second_of_a_name(before.root()?, after.root()?)
}

fn second_of_a_name(before: NodeRef<'_>, after: NodeRef<'_>) -> Option<String> {
    match after.kind() {
        Kind::Mapping => after.entries().find_map(|entry| {
            let before = before.get(&name_of(entry)?)?;
            second_of_a_name(before.value(), entry.value())
        }),
        Kind::Sequence => {
            let field = identity_field(std::iter::once(before))?;
            let mut seen = FxHashSet::default();
            let mut names = after.entries().filter_map(|entry| {
                let is_second = !seen.insert(identity(entry.value(), field)?);
                is_second.then(|| entry.value().get(field))?
            });
            Some(names.next()?.value().text().into_owned())
        }
        _ => None,
    }
}

/// What a record's identity field holds.
pub(crate) fn identity<'d>(record: NodeRef<'d>, field: &str) -> Option<Scalar<'d>> {
    if record.kind() != Kind::Mapping || !record.is_structured() {
        return None;
    }
    let scalar = record.get(field)?.value().scalar()?;
    (!matches!(scalar, Scalar::Null)).then_some(scalar)
}

/// The member of a list that annotations call `name`: by the first identity field in which exactly one member is called
/// so.
pub(crate) fn member<'d>(list: NodeRef<'d>, name: &str) -> Option<EntryRef<'d>> {
    if list.kind() != Kind::Sequence {
        return None;
    }
    let is_called = |entry: &EntryRef<'d>, field: &str| {
        identity(entry.value(), field).is_some()
            && entry
                .value()
                .get(field)
                .is_some_and(|entry| entry.value().text() == name)
    };
    IDENTITY_FIELDS.into_iter().find_map(|field| {
        let mut called = list.entries().filter(|entry| is_called(entry, field));
        let first = called.next()?;
        called.next().is_none().then_some(first)
    })
}

/// The CRDT type of the collection at the top of a document that is called `name`; nothing for what is no sequence.
#[must_use]
pub fn collection_type(name: &str, value: NodeRef<'_>) -> Option<&'static str> {
    if value.kind() != Kind::Sequence {
        return None;
    }
    let is_set = if value.is_empty() {
        KNOWN_LISTS.contains(&name)
    } else {
        identity_field(std::iter::once(value)).is_some()
    };
    Some(if is_set { OR_SET } else { LIST })
}

/// Whether a mapping may carry annotations of its own. One that is anchored, merged from others (`<<`), tagged as
/// something else than a mapping, or that has keys which are carried verbatim only, may not: its nearest ancestor does.
#[must_use]
pub fn may_carry(mapping: NodeRef<'_>) -> bool {
    mapping.kind() == Kind::Mapping
        && mapping.is_structured()
        && mapping.anchor().is_none()
        && matches!(mapping.tag(), None | Some("!!map"))
        && mapping.get("<<").is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::Limits;

    fn types(text: &str) -> Vec<Option<&'static str>> {
        let document = Document::from_text(text.to_owned(), &Limits::default()).unwrap();
        let root = document.root().unwrap();
        root.entries()
            .map(|entry| collection_type(&entry.key().unwrap().text(), entry.value()))
            .collect()
    }

    #[test]
    fn lists_of_identified_records_are_sets() {
        assert_eq!(
            types(
                "a: [{id: 1}, {id: 2}]\nb: [{id: 1}, {id: 1}]\nc: [{id: 1}, {name: x}]\nd: [x]\ne: 1\n"
            ),
            [Some(OR_SET), Some(LIST), Some(LIST), Some(LIST), None]
        );
        assert_eq!(
            types("a: [{id: 1, name: x}, {id: 1, name: y}]\n"),
            [Some(OR_SET)]
        );
    }

    #[test]
    fn empty_lists_go_by_their_names() {
        assert_eq!(
            types("todos: []\nentries: []\nother: []\n"),
            [Some(OR_SET), Some(OR_SET), Some(LIST)]
        );
    }

    #[test]
    fn some_mappings_carry_nothing() {
        for (text, carries) in [
            ("a: 1\n", true),
            ("{}\n", true),
            ("!!map\na: 1\n", true),
            ("!!set\na:\n", false),
            ("&x\na: 1\n", false),
            ("? [x]\n: 1\n", false),
            ("<<: {a: 1}\nb: 1\n", false),
            ("- a: 1\n", false),
        ] {
            let document = Document::from_text(text.to_owned(), &Limits::default()).unwrap();
            assert_eq!(may_carry(document.root().unwrap()), carries, "{text}");
        }
    }

    #[test]
    fn a_name_that_two_records_have_from_now_on_is_told() {
        let twice = |before: &str, after: &str| {
            let [before, after] = [before, after]
                .map(|text| Document::from_text(text.to_owned(), &Limits::default()).unwrap());
            named_twice(&before, &after)
        };
        let before = "a: {todos: [{id: x}, {id: y}]}\n";
        let told = twice(before, "a: {todos: [{id: x}, {id: y}, {id: y}]}\n");
        assert_eq!(told.as_deref(), Some("y"));
        assert_eq!(twice(before, "a: {todos: [{id: y}, {id: x}]}\n"), None);
        // Nothing told them apart before.
        assert_eq!(twice("a: [1, 2]\n", "a: [1, 1]\n"), None);
    }
}
