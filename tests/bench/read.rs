//! How fast files are read: `cargo bench --bench read`.
#![allow(clippy::unwrap_used, missing_docs)]

use divan::{Bencher, black_box, counter::BytesCount};
use rhema_crdt::yaml::{Document, Limits};

fn main() {
    divan::main();
}

/// A list of records as people write them: comments, block texts, quotes, lists in brackets.
fn todos(bytes: usize) -> String {
    let mut text = "# Todos\n\ntodos:\n".to_owned();
    let mut number = 0;
    while text.len() < bytes {
        text += &format!(
            r#"  - id: "todo-{number:05}"
    title: "Implement feature number {number} of the product"
    description: >-
      A somewhat longer description of the thing that has to be done, with words
      and more words, so that it looks like the real thing number {number}.
    # a comment
    priority: high
    status: completed # beside
    assignee: team-{}
    created: 2025-01-{:02}
    tags: ["a{number}", 'b{number}', compilation]
    subtasks:
      - Do the first thing {number}
      - Do the second thing, over
        two lines

"#,
            number % 7,
            number % 28 + 1,
        );
        number += 1;
    }
    text
}

/// One mapping with very many keys.
fn translations(bytes: usize) -> String {
    let line = |number: usize| format!("  dialog.button_{number}.label: Text of label {number}\n");
    std::iter::once("en:\n".to_owned())
        .chain((0..bytes / 48).map(line))
        .collect()
}

/// What other programs write: no comments, much nesting, long lists of short items.
fn generated(bytes: usize) -> String {
    let mut text = String::new();
    let mut number = 0;
    while text.len() < bytes {
        text += &format!(
            "package_{number}:\n  source:\n    type: git\n    url: https://example.com/{number}.git\n"
        );
        text += "    version: main\n  maintainers:\n  - a\n  - b\n  - c\n  released: true\n";
        number += 1;
    }
    text
}

fn read(bencher: Bencher, text: &str) {
    bencher
        .counter(BytesCount::of_str(text))
        .bench(|| Document::read(black_box(text.as_bytes()), &Limits::default()).unwrap());
}

#[divan::bench(args = [10_000, 100_000, 300_000, 3_800_000])]
fn records(bencher: Bencher, bytes: usize) {
    read(bencher, &todos(bytes));
}

#[divan::bench(args = [300_000])]
fn one_big_mapping(bencher: Bencher, bytes: usize) {
    read(bencher, &translations(bytes));
}

#[divan::bench(args = [300_000])]
fn nested_mappings(bencher: Bencher, bytes: usize) {
    read(bencher, &generated(bytes));
}
