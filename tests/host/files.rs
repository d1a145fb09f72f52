//! Every annotated file loads in the host tool's structures, and their rewrite loses no value.

use std::fs;
use std::path::Path;

use rhema_crdt::context::{Marking, mark, mentions, same, stamp, strip};
use rhema_crdt::crdt::{Clock, Replica};
use rhema_crdt::merge::regraft;
use rhema_crdt::yaml::{Document, FileDraft, Kind, Manner, NodeRef, Side, Value};

use crate::model::read;
use crate::shapes::{
    Conventions, Decisions, Knowledge, Patterns, Scope, Todos, Workflows, rewritten,
};

/// What the host tool makes of a file of this name; nothing for one that it does not load.
fn by_host(name: &str, text: &str) -> Option<String> {
    let written = match name.split(['-', '.']).next()? {
        "rhema" => rewritten::<Scope>(text),
        "knowledge" => rewritten::<Knowledge>(text),
        "todos" => rewritten::<Todos>(text),
        "decisions" => rewritten::<Decisions>(text),
        "patterns" => rewritten::<Patterns>(text),
        "conventions" => rewritten::<Conventions>(text),
        "workflows" => rewritten::<Workflows>(text),
        _ => return None,
    };
    written.ok()
}

/// The context files at hand: their names and texts.
fn files() -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(Path::new("fixtures/context"), &mut found);
    collect(Path::new(".rhema-example"), &mut found);
    found.sort();
    found
}

fn collect(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name() != Some("crdt".as_ref()) {
            collect(&path, found);
        } else if path.extension() == Some("yaml".as_ref()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The file as a document in which every text that may change has changed, and carries its stamp.
fn annotated(text: &str) -> String {
    let marked = match mark(&read(text)) {
        Marking::Marked(text) => text,
        _ => text.to_owned(),
    };
    let document = read(&marked);
    let mut draft = FileDraft::of(&document);
    let root = draft.parts[0].root.open().unwrap();
    for entry in &mut root.entries {
        let entry = entry.open().unwrap();
        if entry.head.starts_with('_') {
            continue;
        }
        change(&mut entry.body.value, &entry.head);
    }
    let edited = draft.emit(Side::Ours);
    let mut clock = Clock::new(Replica::from_bits(9), None);
    let now = clock.tick(1_800_000_000_000).unwrap();
    stamp(
        Some(&document),
        &read(&edited),
        now,
        &mut std::iter::empty(),
    )
    .text
    .unwrap_or(marked)
}

/// Adds a word to every description below.
fn change(value: &mut rhema_crdt::yaml::Draft<'_>, head: &str) {
    if head.starts_with("description") {
        let text = match value {
            rhema_crdt::yaml::Draft::Keep(node) => format!("{} (changed)", node.text().trim_end()),
            _ => return,
        };
        value.set(&Value::from(text.as_str()), Manner::default(), false);
        return;
    }
    let Some(collection) = value.open() else {
        return;
    };
    for entry in &mut collection.entries {
        if let Some(entry) = entry.open() {
            let head = entry.head.clone();
            change(&mut entry.body.value, &head);
        }
    }
}

/// How many mappings of a file carry annotations.
fn annotations(document: &Document) -> usize {
    mentions(document).len()
}

/// Whether two files hold the same values.
fn hold_the_same(a: &str, b: &str) -> bool {
    let bare = |text: &str| strip(&read(text)).unwrap_or_else(|| text.to_owned());
    let (a, b) = (read(&bare(a)), read(&bare(b)));
    same(a.root().unwrap(), b.root().unwrap())
}

#[test]
fn annotated_files_load_and_are_rewritten_without_loss() {
    let mut loaded = Vec::new();
    for (name, text) in files() {
        let annotated = annotated(&text);
        let Some(written) = by_host(&name, &annotated) else {
            assert!(
                by_host(&name, &text).is_none(),
                "{name} loads no more: {annotated}"
            );
            continue;
        };
        assert!(hold_the_same(&annotated, &written), "{name}\n{written}");
        let grafted = regraft(&read(&annotated), &read(&written));
        assert_eq!(
            grafted.map(Document::into_text).as_ref(),
            Some(&annotated),
            "{name}"
        );
        loaded.push(name);
    }
    for kind in [
        "rhema",
        "knowledge",
        "todos",
        "decisions",
        "patterns",
        "conventions",
    ] {
        assert!(
            loaded.iter().any(|name| name.starts_with(kind)),
            "{kind}: {loaded:?}"
        );
    }
}

#[test]
fn annotations_survive_where_the_structures_keep_keys_that_they_do_not_know() {
    let text = annotated(TODOS);
    let written = rewritten::<Todos>(&text).unwrap();
    assert_eq!(annotations(&read(&text)), 3, "{text}");
    assert_eq!(
        mentioned(&read(&text)),
        mentioned(&read(&written)),
        "{written}"
    );
    assert_ne!(
        text.lines().next(),
        written.lines().next(),
        "the marker has moved"
    );

    // The lists of the protocol are kept in structures without such keys; so are workflows in all their parts.
    let scope = annotated(SCOPE);
    let written = rewritten::<Scope>(&scope).unwrap();
    assert_eq!(annotations(&read(&scope)), 2, "{scope}");
    assert_eq!(annotations(&read(&written)), 1, "{written}");
    let workflows = annotated(WORKFLOWS);
    let written = rewritten::<Workflows>(&workflows).unwrap();
    assert_eq!(annotations(&read(&workflows)), 3, "{workflows}");
    assert_eq!(annotations(&read(&written)), 0, "{written}");
    let grafted = regraft(&read(&workflows), &read(&written)).unwrap();
    assert_eq!(grafted.text(), workflows);
}

/// The annotations of a file with the identity of what carries them, in any order.
fn mentioned(document: &Document) -> Vec<(Option<String>, String)> {
    let id = |node: NodeRef<'_>| Some(node.get("id")?.value().text().into_owned());
    let mut found: Vec<_> = mentions(document)
        .iter()
        .map(|mention| {
            (
                id(mention.entry.parent()),
                mention.entry.value().text().into_owned(),
            )
        })
        .collect();
    found.sort();
    found
}

#[test]
fn a_text_field_that_looks_like_a_number_comes_back_as_it_was() {
    let text = "# numbers\n_crdt: v1\nname: x\nscope_type: app\nversion: 1.10\nschema_version: 2\n";
    let written = rewritten::<Scope>(text).unwrap();
    assert!(written.contains("version: '1.10'"), "{written}");
    let grafted = regraft(&read(text), &read(&written)).unwrap();
    assert_eq!(grafted.text(), text);
    let edited = written.replace("'1.10'", "'1.1'");
    let grafted = regraft(&read(text), &read(&edited)).unwrap();
    assert_eq!(
        grafted.text(),
        text.replace("version: 1.10", "version: \"1.1\"")
    );
}

#[test]
fn records_are_known_again_by_ids_that_look_like_numbers() {
    let text = "# one\n_crdt: v1 todos=or_set\ntodos:\n  # the first\n  - id: 1\n    title: A  # a\n    status: pending\n    priority: low\n    created_at: 2024-01-01T00:00:00Z\n";
    let written = rewritten::<Todos>(text).unwrap();
    assert!(written.contains("id: '1'"), "{written}");
    let grafted = regraft(&read(text), &read(&written.replace("title: A", "title: B"))).unwrap();
    assert_eq!(grafted.text(), text.replace("title: A", "title: B"));
}

#[test]
fn aliases_come_back_while_their_copies_agree() {
    let text = "# who\n_crdt: v1 todos=or_set\nlinks: &links {docs: a, chat: b}\ntodos:\n  - id: a\n    title: A\n    status: pending\n    priority: low\n    created_at: 2024-01-01T00:00:00Z\n    links: *links\n";
    let written = rewritten::<Todos>(text).unwrap();
    assert!(!written.contains('*'), "{written}");
    let grafted = regraft(&read(text), &read(&written.replace("title: A", "title: B"))).unwrap();
    assert_eq!(grafted.text(), text.replace("title: A", "title: B"));
    // One copy was changed: the alias gives way to it.
    let (head, tail) = written.split_once("todos:").unwrap();
    let written = if tail.contains("docs: a") && head.contains("docs: a") {
        format!("{head}todos:{}", tail.replace("docs: a", "docs: c"))
    } else {
        written.replacen("docs: a", "docs: c", 1)
    };
    let grafted = regraft(&read(text), &read(&written)).unwrap();
    let root = grafted.root().unwrap();
    let todo = root
        .get("todos")
        .unwrap()
        .value()
        .entries()
        .next()
        .unwrap()
        .value();
    assert_eq!(
        todo.get("links").unwrap().value().kind(),
        Kind::Mapping,
        "{}",
        grafted.text()
    );
    assert!(
        grafted.text().contains("&links {docs: a, chat: b}"),
        "{}",
        grafted.text()
    );
}

const TODOS: &str = "\
# Todos
todos:
  - id: a
    title: First  # soon
    description: 'What is to be done'
    status: pending
    priority: high
    created_at: 2024-01-15T11:00:00+02:00
    effort: 3
  - id: b
    title: Second
    description: >-
      More of
      it
    status: in_progress
    priority: low
    created_at: 2024-01-15T09:00:00.000Z
";

const SCOPE: &str = "\
# The scope
name: shop
scope_type: service
description: Sells things
version: 1.0.0
protocol_info:
  version: 1.0.0
  concepts:
    - name: Order  # what people buy
      description: Things and an address
      related: [Cart]
";

const WORKFLOWS: &str = "\
# Workflows
workflows:
  - id: w
    name: Review
    description: Two steps
    steps:
      - id: s1
        name: Read
        description: Read it
        prompt_pattern: p
        order: 1
        required: true
    metadata:
      version: 1.0.0
      created_at: 2024-01-15T11:00:00+02:00
      updated_at: 2024-01-15T11:00:00+02:00
";
