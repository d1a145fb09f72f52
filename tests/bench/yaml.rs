//! Reading, writing and merging todo files of four sizes: `cargo bench --bench yaml`.

use std::fmt::Write;

use divan::Bencher;
use divan::counter::BytesCount;
use rhema_crdt::merge::{Options, merge};
use rhema_crdt::yaml::{Document, FileDraft, Limits, Manner, Side, Value};

fn main() {
    divan::main();
}

/// Sizes of the files in bytes: 10 KB, 100 KB, 300 KB, 3.8 MB.
const SIZES: [usize; 4] = [10_000, 100_000, 300_000, 3_800_000];

/// Which version of a todo file: each side edits records of its own and adds some.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    Base,
    Ours,
    Theirs,
}

/// A todo file of about `size` bytes, as people write it.
fn todos(size: usize, version: Version) -> String {
    let mut text = "# What is to be done.\n# One record a task.\n\ntodos:\n".to_owned();
    let mut number = 0;
    while text.len() < size {
        let turn = match version {
            Version::Base => usize::MAX,
            Version::Ours => 0,
            Version::Theirs => 5,
        };
        let edited = number % 10 == turn;
        record(&mut text, number, edited);
        if edited && number % 50 == turn {
            record(&mut text, 1_000_000 + number * 10 + turn, false);
        }
        number += 1;
    }
    text
}

fn record(text: &mut String, number: usize, edited: bool) {
    let status = if edited { "done" } else { "open" };
    let what = if edited {
        "has been looked at"
    } else {
        "needs a look"
    };
    if !text.ends_with("todos:\n") {
        text.push('\n');
    }
    let _ = write!(
        text,
        "  - id: todo-{number:07}\n    title: Task number {number}\n    description: >-\n      The part of the \
         program with the number {number} {what},\n      and so do the parts that stand around it.\n    # asked for \
         by the users\n    priority: {}\n    status: {status}\n    assignee: person-{}\n    created: \
         2026-01-{:02}\n    tags: [tag-{}, tag-{}]\n    subtasks:\n      - read it\n      - write it down\n",
        number % 4,
        number % 7,
        number % 28 + 1,
        number % 11,
        number % 13
    );
}

fn document(size: usize) -> Document {
    read(todos(size, Version::Base))
}

fn read(text: String) -> Document {
    Document::from_text(text, &Limits::default()).unwrap_or_else(|error| panic!("{error}"))
}

#[divan::bench(args = SIZES)]
fn read_a_file(bencher: Bencher<'_, '_>, size: usize) {
    bencher
        .counter(BytesCount::new(size))
        .with_inputs(|| todos(size, Version::Base))
        .bench_values(read);
}

#[divan::bench(args = SIZES)]
fn emit_unchanged(bencher: Bencher<'_, '_>, size: usize) {
    let document = document(size);
    bencher
        .counter(BytesCount::new(size))
        .bench(|| FileDraft::of(&document).emit(Side::Ours));
}

#[divan::bench(args = SIZES)]
fn edit_one_record_and_emit(bencher: Bencher<'_, '_>, size: usize) {
    let document = document(size);
    bencher
        .counter(BytesCount::new(size))
        .bench(|| one_edit(&document).emit(Side::Ours));
}

#[divan::bench(args = SIZES)]
fn check_one_edit(bencher: Bencher<'_, '_>, size: usize) {
    let document = document(size);
    let draft = one_edit(&document);
    let written = read(draft.emit(Side::Ours));
    bencher
        .counter(BytesCount::new(size))
        .bench(|| assert!(draft.agrees(&written, Side::Ours)));
}

fn one_edit(document: &Document) -> FileDraft<'_> {
    let mut draft = FileDraft::of(document);
    edit_the_middle(&mut draft).unwrap_or_else(|| panic!("no record to edit"));
    draft
}

/// Sets the status of the record in the middle anew.
fn edit_the_middle(draft: &mut FileDraft<'_>) -> Option<()> {
    let root = draft.parts.first_mut()?.root.open()?;
    let todos = root.entries.first_mut()?.open()?.body.value.open()?;
    let middle = todos.entries.len() / 2;
    let record = todos.entries.get_mut(middle)?.open()?.body.value.open()?;
    let status = record.entries.get_mut(4)?.open()?;
    status.set(&Value::from("started"), Manner::default());
    Some(())
}

#[divan::bench(args = SIZES)]
fn merge_many_edits(bencher: Bencher<'_, '_>, size: usize) {
    let [base, ours, theirs] =
        [Version::Base, Version::Ours, Version::Theirs].map(|version| todos(size, version));
    bencher.counter(BytesCount::new(size)).bench(|| {
        let merged = merge(
            base.as_bytes(),
            ours.as_bytes(),
            theirs.as_bytes(),
            &Options::default(),
        );
        merged.unwrap_or_else(|error| panic!("{error}"))
    });
}
