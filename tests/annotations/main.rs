//! Annotations put into files and taken out again: every byte comes back, no value changes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../support/digits.rs"]
mod digits;
mod files;
mod judged;
mod stored;
#[path = "../yaml/suite.rs"]
#[allow(dead_code)]
mod suite;

use proptest::prelude::*;
use rhema_crdt::context::{
    Claim, Marking, canonical, mark, marker, marker_of, may_carry, mentions, strip, strip_to_show,
};
use rhema_crdt::yaml::{Document, Kind, Limits};

fn read(text: &str) -> Option<Document> {
    Document::read(text.as_bytes(), &Limits::default()).ok()
}

/// Marks a text, and checks all that marking promises; whether it has a marker now.
fn there_and_back(name: &str, text: &str) -> bool {
    let Some(document) = read(text) else {
        return false;
    };
    let before = document.root().map(canonical);
    match mark(&document) {
        Marking::Marked(marked) => {
            let with = read(&marked).unwrap();
            let root = with.root().unwrap();
            assert_eq!(mark(&with), Marking::Present, "{name}: a second time");
            let first = root.entries().next().unwrap();
            assert_eq!(first.key().unwrap().text(), "_crdt", "{name}: it is first");
            assert_eq!(
                marker(&with),
                Some(marker_of(document.root().unwrap())),
                "{name}: it reads back"
            );
            let added = marked.len() - text.len();
            assert!(added < 80 + text.len() / 2, "{name}: {added} bytes");
            if !root.data().flow {
                assert_eq!(
                    marked.matches('\n').count(),
                    text.matches('\n').count() + 1,
                    "{name}: one line more"
                );
            }
            assert_eq!(strip(&with).as_deref(), Some(text), "{name}: back again");
            assert_eq!(strip_to_show(&with).as_deref(), Some(text), "{name}");
            true
        }
        Marking::Nowhere => {
            let can = document.root().is_some_and(may_carry);
            assert!(!can, "{name}: a marker could stand here\n{text}");
            false
        }
        Marking::Present | Marking::Taken { .. } => {
            if let Some(stripped) = strip(&document) {
                let after = read(&stripped).unwrap();
                assert!(
                    mentions(&after)
                        .iter()
                        .all(|mention| mention.claim != Claim::Ours),
                    "{name}: all of it is gone"
                );
                assert_ne!(after.root().map(canonical), before, "{name}");
            }
            false
        }
    }
}

#[test]
fn every_file_at_hand_comes_back_byte_by_byte() {
    let mut marked = 0;
    for (name, text) in files::all() {
        for (variant, text) in files::variants(&text) {
            marked += usize::from(there_and_back(&format!("{name}, {variant}"), &text));
        }
    }
    assert!(marked > 50, "{marked} files had a place for a marker");
}

#[test]
fn the_cases_of_the_yaml_test_suite_come_back_too() {
    for case in suite::cases().unwrap_or_default() {
        there_and_back(&case.id, &case.yaml);
    }
}

#[test]
fn the_marker_stands_below_the_header_and_names_the_lists() {
    let marked = |text: &str| match mark(&read(text).unwrap()) {
        Marking::Marked(text) => text,
        other => panic!("{other:?}: {text}"),
    };
    for (text, expected) in [
        (
            "# Todos\n\ntodos: []\n",
            "# Todos\n\n_crdt: v1 todos=or_set\ntodos: []\n",
        ),
        (
            "a: 1\r\nb: [x]\r\n",
            "_crdt: v1 b=list\r\na: 1\r\nb: [x]\r\n",
        ),
        ("\u{feff}a: 1", "\u{feff}_crdt: v1\na: 1"),
        ("---\n  a: 1\n  b: 2", "---\n  _crdt: v1\n  a: 1\n  b: 2"),
        ("{}", "{_crdt: v1}"),
        ("{ }\n", "{_crdt: v1 }\n"),
        ("{a: [{id: 1}]}\n", "{_crdt: v1 a=or_set,a: [{id: 1}]}\n"),
        ("{\n  \"a\": 1 # x\n}\n", "{_crdt: v1,\n  \"a\": 1 # x\n}\n"),
        (
            "my list: []\nöl: [1]\n\"a, b\": []\n",
            "_crdt: v1 a%2C+b=list my+list=list öl=list\nmy list: []\nöl: [1]\n\"a, b\": []\n",
        ),
    ] {
        assert_eq!(marked(text), expected);
    }
}

#[test]
fn some_documents_have_no_place_for_a_marker() {
    for text in [
        "",
        "# only a remark\n",
        "- a\n",
        "text\n",
        "a: 1\n---\nb: 1\n",
        "&x\na: 1\n",
        "? [a]\n: 1\n",
        "<<: {x: 1}\na: 1\n",
        "!!set {a, b}\n",
    ] {
        assert_eq!(mark(&read(text).unwrap()), Marking::Nowhere, "{text}");
    }
}

#[test]
fn a_key_that_is_somebody_elses_is_left_alone_and_named() {
    for (text, claim) in [
        ("a: 1\n_crdt: mine\n", Claim::Foreign),
        ("a: 1\n_crdt: {type: x}\n", Claim::Foreign),
        ("a: 1\n_crdt: v9 x\n", Claim::OtherVersion),
        ("a: 1\n_crdt:\n", Claim::Mangled),
    ] {
        let document = read(text).unwrap();
        assert_eq!(
            mark(&document),
            Marking::Taken {
                line: 2,
                column: 1,
                claim
            },
            "{text}"
        );
        assert_eq!(strip(&document), None, "{text}");
    }
}

#[test]
fn annotations_go_with_their_lines_and_nothing_else() {
    const NOTE: &str = "4k2m9xa7-7f3kqd a~a1f";
    for (with, without) in [
        (
            "- id: x # hi\n  _crdt: @\n  # about a\n  a: 1\n",
            "- id: x # hi\n  # about a\n  a: 1\n",
        ),
        ("- _crdt: @\n  a: |\n    x\n", "- a: |\n    x\n"),
        ("- _crdt: @\n  # about\n  a: 1\n", "- # about\n  a: 1\n"),
        ("- - _crdt: @\n    a: 1\n", "- - a: 1\n"),
        (
            "- _crdt: @\n  _crdt_conflicts: a~~s.x\n  a: 1\n  b: 2\n",
            "- a: 1\n  b: 2\n",
        ),
        ("-\n  _crdt: @\n  a: 1\n", "-\n  a: 1\n"),
        (
            "- a: 1\n  _crdt: @\n  _crdt_conflicts: a~~s.x\n- b\n",
            "- a: 1\n- b\n",
        ),
        ("- a: 1\n  _crdt: @", "- a: 1\n"),
        ("- a: 1\n  _crdt: @ # mine\n", "- a: 1\n  # mine\n"),
        ("- a: 1\n  _crdt: @ \t \n  b: 1\n", "- a: 1\n  b: 1\n"),
        (
            "- a: 1\r\n  _crdt: @  \r\n  b: 1\r\n",
            "- a: 1\r\n  b: 1\r\n",
        ),
        ("- a: 1\r\n  _crdt: \"@\"\r\n", "- a: 1\r\n"),
        ("- a: 1\n  _crdt: >-\n    @\n  b: 1\n", "- a: 1\n  b: 1\n"),
        ("- _crdt: @\n", "- {}\n"),
        (
            "- _crdt: @\n  _crdt_conflicts: a~~s.x\n- 1\n",
            "- {}\n- 1\n",
        ),
        ("[{_crdt: @,a: 1}]", "[{a: 1}]"),
        ("[{a: 1, _crdt: @}]", "[{a: 1}]"),
        ("[{a: 1, _crdt: @,}]", "[{a: 1, }]"),
        ("[{a: 1, _crdt: @, _crdt_conflicts: a~~s.x}]", "[{a: 1}]"),
        ("[{_crdt: @, _crdt_conflicts: a~~s.x}]", "[{}]"),
        ("[{_crdt: @}]", "[{}]"),
        ("_crdt: v1\n", "{}\n"),
        ("# x\n_crdt: v1 # y\na: 1\n", "# x\n# y\na: 1\n"),
    ] {
        let with = with.replace('@', NOTE);
        let document = read(&with).unwrap();
        assert_eq!(strip(&document).as_deref(), Some(without), "{with}");
        assert_eq!(strip_to_show(&document).as_deref(), Some(without), "{with}");
    }
}

/// Texts that often can be read, with annotations in between.
fn annotated_lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        3 => " {0,4}(- )?_crdt: (v1|4k2m9xa7-7f3kqd a~a1f)( # x)?",
        4 => " {0,4}(- ){0,2}[ab]:( x| 'y'| \\[z| \\|| >-| \\|\\+| \"q)?",
        1 => " {0,6}(#|x|\"|\\]|- x|\\}|: |---|\t)",
        1 => Just(String::new()),
    ];
    proptest::collection::vec(line, 1..9).prop_map(|lines| lines.join("\n") + "\n")
}

/// Random values as text in block or flow style, with remarks and blank lines in between.
fn documents() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        Just("todos"),
        Just("a"),
        Just("'quoted key'"),
        Just("ключ"),
        Just("\"x: y\""),
        Just("1"),
        Just("~"),
    ];
    let value = prop_oneof![
        Just(" 1"),
        Just(""),
        Just(" 'x # y'"),
        Just(" |\n  text\n\n  more"),
        Just(" []"),
        Just(" {}"),
        Just("\n- id: 1\n  a: 2\n\n- id: 2"),
        Just("\n  - x\n  # remark\n  - x"),
        Just(" [{id: a}, {id: b}]"),
        Just(" # beside\n  sub: {x: [1]}"),
        Just(" &anchor v"),
        Just(" !tag v"),
    ];
    let gap = prop_oneof![
        4 => Just(""),
        1 => Just("\n"),
        1 => Just("# remark\n"),
        1 => Just("   # indented\n\n"),
    ];
    let head = prop_oneof![
        4 => Just(""),
        1 => Just("---\n"),
        1 => Just("%YAML 1.2\n--- # start\n"),
        1 => Just("# header\n\n"),
        1 => Just("--- !!map\n"),
    ];
    let foot =
        prop_oneof![4 => Just("\n"), 1 => Just(""), 1 => Just("\n...\n"), 1 => Just("\n\n# end")];
    let entries = proptest::collection::btree_map(key, (gap, value), 1..5);
    (head, entries, foot, any::<bool>(), any::<bool>()).prop_map(
        |(head, entries, foot, crlf, bom)| {
            let lines: Vec<String> = entries
                .iter()
                .map(|(key, (gap, value))| format!("{gap}{key}:{value}"))
                .collect();
            let text = format!("{head}{}{foot}", lines.join("\n"));
            let text = if crlf {
                text.replace('\n', "\r\n")
            } else {
                text
            };
            if bom { format!("\u{feff}{text}") } else { text }
        },
    )
}

/// Records with and without annotations: the same text twice, once with the lines of ours and once without.
fn records() -> impl Strategy<Value = (String, String)> {
    let notes = prop_oneof![
        2 => Just(vec![]),
        1 => Just(vec!["_crdt: +~a1f"]),
        1 => Just(vec!["_crdt: 4k2m9xa7-7f3kqd a~a1f", "_crdt_conflicts: a~~deleted"]),
        1 => Just(vec!["\"_crdt\": '+4k2m9xa7-7f3kqd~a1f'"]),
        1 => Just(vec!["_crdt_conflicts: ~~deleted a~~s.x+y"]),
    ];
    let fields = prop_oneof![
        Just(vec!["a: 1"]),
        Just(vec!["a: |\n      text", "b: x # beside"]),
        Just(vec!["# above", "a: 1", "b:\n      _crdt: mine"]),
        Just(vec!["a: [1, 2]", "", "_other: 2"]),
    ];
    let record = (any::<u8>(), notes, fields, 0usize..4);
    let records = proptest::collection::vec(record, 1..5);
    (records, any::<bool>()).prop_map(|(records, crlf)| {
        let (mut with, mut without) = (String::from("todos:\n"), String::from("todos:\n"));
        for (id, notes, fields, at) in records {
            let mut lines = vec![format!("id: {id}")];
            lines.extend(fields.into_iter().map(str::to_owned));
            let write = |lines: &[String], out: &mut String| {
                for (index, line) in lines.iter().enumerate() {
                    let dash = if index == 0 { "  - " } else { "    " };
                    out.push_str(&format!("{dash}{line}\n"));
                }
            };
            write(&lines, &mut without);
            // Not above a remark in the first line: that would have no line of its own without them.
            let at = at.min(lines.len());
            lines.splice(at..at, notes.into_iter().map(str::to_owned));
            write(&lines, &mut with);
        }
        let ended = |text: String| {
            if crlf {
                text.replace('\n', "\r\n")
            } else {
                text
            }
        };
        (ended(with), ended(without))
    })
}

proptest! {
    #[test]
    fn annotated_records_come_back((with, without) in records()) {
        let document = read(&with).expect("the generator writes YAML");
        let stripped = strip(&document).unwrap_or_else(|| with.clone());
        prop_assert_eq!(stripped, without);
    }

    #[test]
    fn generated_documents_come_back(text in documents()) {
        let document = read(&text).expect("the generator writes YAML");
        prop_assume!(document.root().is_some_and(|root| root.kind() == Kind::Mapping));
        prop_assert!(there_and_back("generated", &text), "{}", text);
    }

    #[test]
    fn what_is_shown_is_what_can_be_read(text in annotated_lines()) {
        if let Some(document) = read(&text) {
            prop_assert_eq!(strip_to_show(&document), strip(&document), "{}", text);
        }
    }

    #[test]
    fn no_text_upsets_it(text in "[a_:{}\\[\\], #\n\r-]{0,30}") {
        there_and_back("any text", &text);
    }
}
