//! What goes wrong where edits of two people meet, one test for each: the draft layer must write something that means
//! what was asked for, or be stopped by its gate.

use rhema_crdt::yaml::{
    Collection, Document, Draft, EntryDraft, FileDraft, Kind, Limits, Manner, Scalar, Side, Value,
};

fn read(text: &str) -> Document {
    Document::from_text(text.to_owned(), &Limits::default()).unwrap()
}

/// The text after an edit of the root collection, once it has passed the gate.
fn edited(text: &str, edit: impl FnOnce(&mut Collection<'_>, Manner)) -> String {
    edited_in(&read(text), edit)
}

fn edited_in<'d>(document: &'d Document, edit: impl FnOnce(&mut Collection<'d>, Manner)) -> String {
    let mut draft = FileDraft::of(document);
    edit(draft.parts[0].root.open().unwrap(), Manner::of(document));
    gated(&draft)
}

fn gated(draft: &FileDraft<'_>) -> String {
    let text = draft.emit(Side::Ours);
    assert!(draft.agrees(&read(&text), Side::Ours), "{text}");
    text
}

/// The value of an entry, opened as a collection.
fn open<'a, 'd>(entry: &'a mut EntryDraft<'d>) -> &'a mut Collection<'d> {
    entry.open().unwrap().body.value.open().unwrap()
}

fn key(text: &str) -> Scalar<'static> {
    Scalar::Str(text.to_owned().into())
}

#[test]
fn columns_are_relative_so_parts_of_two_files_fit_together() {
    let narrow = read("a:\n - x: |2\n     deep\n   # note\n   y: 1\n");
    let wide = read("root:\n    list:\n        - z: 0\n");
    let item = narrow.root().unwrap().get("a").unwrap().value();
    let item = item.entries().next().unwrap();
    let mut draft = FileDraft::of(&wide);
    let root = draft.parts[0].root.open().unwrap();
    open(&mut open(&mut root.entries[0]).entries[0])
        .entries
        .push(EntryDraft::Keep(item));
    assert_eq!(
        gated(&draft),
        "root:\n    list:\n        - z: 0\n        - x: |2\n            deep\n          # note\n          y: 1\n"
    );
}

#[test]
fn a_first_entry_makes_one_block_list_of_an_empty_one() {
    for (before, after) in [
        (
            "todos: []  # none yet\n",
            "todos:  # none yet\n  - one\n  - two\n",
        ),
        ("todos:\n", "todos:\n  - one\n  - two\n"),
        ("todos: # open\n", "todos: # open\n  - one\n  - two\n"),
        ("todos: null\nb: 1\n", "todos:\n  - one\n  - two\nb: 1\n"),
        ("todos: &a []\n", "todos: &a\n  - one\n  - two\n"),
    ] {
        let text = edited(before, |root, manner| {
            let value = &mut root.entries[0].open().unwrap().body.value;
            let list = value.open_as(Kind::Sequence, manner).unwrap();
            list.insert(0, None, &Value::from("two"), manner);
            list.insert(0, None, &Value::from("one"), manner);
        });
        assert_eq!(text, after);
    }
}

#[test]
fn the_last_entry_leaves_an_empty_collection_in_its_place() {
    for (before, after) in [
        ("a:\n  - x\nb: 1\n", "a: []\nb: 1\n"),
        ("a: # c\n  x: 1\n\nb: 1\n", "a: {} # c\n\nb: 1\n"),
        ("a: &n\n- x # y\n# foot\nb: 1\n", "a: &n []\n# foot\nb: 1\n"),
        ("a: [x]\n", "a: []\n"),
        ("a:\n  - x\n  # end of list\n", "a: []\n  # end of list\n"),
    ] {
        let text = edited(before, |root, _| {
            open(&mut root.entries[0]).remove(0);
        });
        assert_eq!(text, after);
    }
}

#[test]
fn a_key_that_is_added_twice_is_stopped() {
    let document = read("a: 1\n");
    let mut draft = FileDraft::of(&document);
    let root = draft.parts[0].root.open().unwrap();
    root.insert(1, Some(&key("a")), &Value::from(2), Manner::default());
    assert!(Document::from_text(draft.emit(Side::Ours), &Limits::default()).is_err());
}

#[test]
fn a_compact_mapping_that_loses_its_first_entry_keeps_the_next_ones_comment() {
    let remove = |text| {
        edited(text, |root, _| {
            open(&mut root.entries[0]).remove(0);
        })
    };
    assert_eq!(remove("- a: 1\n  b: 2\n"), "- b: 2\n");
    assert_eq!(remove("- a: 1\n\n  b: 2\n"), "- b: 2\n");
    assert_eq!(
        remove("- a: 1\n  # why b\n  b: 2\n"),
        "-\n  # why b\n  b: 2\n"
    );
    assert_eq!(remove("- a:\n    - x\n  b: 2\n"), "- b: 2\n");
}

#[test]
fn a_first_entry_that_goes_takes_the_blank_line_behind_it_along() {
    let text = edited(
        "list:\n  # one\n  - 1\n\n  # two\n  - 2\n\n  - 3\n",
        |root, _| {
            open(&mut root.entries[0]).remove(0);
        },
    );
    assert_eq!(text, "list:\n  # two\n  - 2\n\n  - 3\n");
}

#[test]
fn a_new_entry_stands_apart_as_its_neighbours_do() {
    let add = |index: usize| {
        edited("- 1\n\n# two\n- 2\n# end\n", |root, manner| {
            root.insert(index, None, &Value::from("new"), manner);
        })
    };
    assert_eq!(add(0), "- new\n\n- 1\n\n# two\n- 2\n# end\n");
    assert_eq!(add(1), "- 1\n\n- new\n\n# two\n- 2\n# end\n");
    assert_eq!(add(2), "- 1\n\n# two\n- 2\n\n- new\n# end\n");
}

#[test]
fn what_is_illegal_in_brackets_is_written_otherwise_there() {
    let source = read("- a, b\n- |\n  two\n  lines\n- &x plain\n- k: v\n  l: [1]\n- !t it's\n");
    let entries: Vec<_> = source.root().unwrap().entries().collect();
    let target = read("list: [x]\n");
    let text = edited_in(&target, |root, _| {
        let list = open(&mut root.entries[0]);
        list.entries
            .extend(entries.iter().copied().map(EntryDraft::Keep));
    });
    assert_eq!(
        text,
        "list: [x, \"a, b\", \"two\\nlines\\n\", &x plain, {k: v, l: [1]}, !t it's]\n"
    );
}

#[test]
fn what_stood_in_brackets_is_written_as_lines_outside_them() {
    let source =
        read("list: [a, # first\n  \"b\", {\"c\":1}, d: 2]\nmap: {\"k\":1, l: [x,\n  y]}\n");
    let root = source.root().unwrap();
    let (list, map) = (
        root.get("list").unwrap().value(),
        root.get("map").unwrap().value(),
    );
    // A list with a pair in it is carried verbatim, yet its elements can be taken.
    let target = read("- x\n");
    let text = edited_in(&target, |collection, _| {
        collection
            .entries
            .extend(list.entries().map(EntryDraft::Keep));
    });
    assert_eq!(text, "- x\n- a # first\n- \"b\"\n- {\"c\":1}\n- {d: 2}\n");
    let target = read("m:\n  z: 0\n");
    let text = edited_in(&target, |collection, _| {
        let inner = open(&mut collection.entries[0]);
        inner.entries.extend(map.entries().map(EntryDraft::Keep));
    });
    assert_eq!(text, "m:\n  z: 0\n  \"k\": 1\n  l: [x,\n    y]\n");
}

#[test]
fn an_anchor_that_goes_while_somebody_names_it_is_stopped() {
    let document = read("a: &x 1\nb: *x\n");
    let mut draft = FileDraft::of(&document);
    draft.parts[0].root.open().unwrap().remove(0);
    assert!(Document::from_text(draft.emit(Side::Ours), &Limits::default()).is_err());
}

#[test]
fn an_alias_that_would_name_another_node_is_stopped() {
    let document = read("- &x 1\n- &x 2\n- *x\n");
    let mut draft = FileDraft::of(&document);
    draft.parts[0].root.open().unwrap().remove(1);
    let text = draft.emit(Side::Ours);
    assert!(!draft.agrees(&read(&text), Side::Ours), "{text}");
}

#[test]
fn a_merge_key_is_an_ordinary_entry() {
    let text = edited("a: &a {x: 1}\nb:\n  <<: *a\n  y: 2\n", |root, manner| {
        let b = open(&mut root.entries[1]);
        b.remove(1);
        b.insert(1, Some(&key("z")), &Value::from(3), manner);
    });
    assert_eq!(text, "a: &a {x: 1}\nb:\n  <<: *a\n  z: 3\n");
}

#[test]
fn new_lines_take_the_files_line_break_and_its_end_stays_as_it_was() {
    let add = |text: &str| {
        edited(text, |root, manner| {
            root.insert(1, Some(&key("b")), &Value::from("x\ny\n"), manner);
        })
    };
    assert_eq!(
        add("\u{feff}a: 1\r\n"),
        "\u{feff}a: 1\r\nb: |\r\n  x\r\n  y\r\n"
    );
    assert_eq!(add("a: 1\r\nc: 2"), "a: 1\r\nb: |\r\n  x\r\n  y\r\nc: 2");
    let text = edited("a: 1\nb: 2", |root, _| {
        root.remove(1);
    });
    assert_eq!(text, "a: 1");
    // A lone carriage return is a line break too.
    let text = edited("a:\r  b: 1\r  c: 2\r", |root, _| {
        open(&mut root.entries[0]).offset = 4;
    });
    assert_eq!(text, "a:\r    b: 1\r    c: 2\r");
}

#[test]
fn an_indentation_indicator_says_what_the_column_is() {
    let document = read("--- |1\n  x\n");
    let target = read("a: 0\n");
    let mut draft = FileDraft::of(&target);
    let root = draft.parts[0].root.open().unwrap();
    root.entries[0].open().unwrap().body.value = Draft::Keep(document.root().unwrap());
    assert_eq!(
        read(&gated(&draft))
            .root()
            .unwrap()
            .get("a")
            .unwrap()
            .value()
            .text(),
        " x\n"
    );
}

#[test]
fn a_block_text_takes_up_neither_blank_lines_nor_comments_behind_it() {
    // Kept line breaks: the blank line above `c` would be part of the text.
    let text = edited("a: |+\n  x\n\nb: 1\n\nc: 2\n", |root, _| {
        root.remove(1);
    });
    assert_eq!(text, "a: |+\n  x\n\nc: 2\n");
    // A deep comment and a blank line of spaces below what becomes a block text.
    let text = edited("a: 1\n     # deep\nb: 2\n     \n", |root, manner| {
        root.entries[0]
            .open()
            .unwrap()
            .set(&Value::from("x\ny\n"), manner);
        root.entries[1]
            .open()
            .unwrap()
            .set(&Value::from("x\ny\n"), manner);
    });
    assert_eq!(text, "a: \"x\\ny\\n\"\n     # deep\nb: |\n  x\n  y\n\n");
}

#[test]
fn what_would_not_read_back_is_stopped_by_the_gate() {
    let document = read("a: 1\nb: 2\n");
    let mut draft = FileDraft::of(&document);
    let root = draft.parts[0].root.open().unwrap();
    root.entries[0].open().unwrap().body.value = Draft::Token("[x, y".into());
    assert!(Document::from_text(draft.emit(Side::Ours), &Limits::default()).is_err());
    let root = draft.parts[0].root.open().unwrap();
    root.entries[0].open().unwrap().body.value = Draft::Token("x # y".into());
    let text = draft.emit(Side::Ours);
    assert!(!draft.agrees(&read(&text), Side::Ours));
}

#[test]
fn the_gate_sees_a_lost_anchor_a_lost_tag_and_a_lost_document() {
    for (draft, found) in [
        ("a: &x\n  - 1\n", "a:\n  - 1\n"),
        ("a: !t\n  b: 1\n", "a:\n  b: 1\n"),
        ("a: !t x\n", "a: x\n"),
        ("a: &x 1\n", "a: &y 1\n"),
        ("--- 1\n--- 2\n", "--- 1\n"),
        (
            "%TAG !e! tag:a,1:\n---\na: !e!x 1\n",
            "%TAG !e! tag:b,1:\n---\na: !e!x 1\n",
        ),
    ] {
        let document = read(draft);
        let mut opened = FileDraft::of(&document);
        for part in &mut opened.parts {
            crate::unchanged::open_everything(&mut part.root);
        }
        assert!(opened.agrees(&document, Side::Ours), "{draft}");
        assert!(!opened.agrees(&read(found), Side::Ours), "{draft}");
    }
}

#[test]
fn a_file_without_documents_takes_a_first_entry() {
    let document = read("# only a comment\n");
    let mut draft = FileDraft::of(&document);
    let root = draft.parts[0]
        .open_as(Kind::Mapping, Manner::default())
        .unwrap();
    root.insert(0, Some(&key("a")), &Value::from(true), Manner::default());
    assert_eq!(gated(&draft), "# only a comment\na: true\n");
}
