//! What a look at a large document costs: `cargo bench --bench look`. On a disk, not in memory: set `TMPDIR` where `/tmp` is none.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use divan::{Bencher, black_box};
use rhema_crdt::git::Repo;
use rhema_crdt::overlay::{Excerpts, Mentioned};
use rhema_crdt::replica::round;
use tempfile::TempDir;

fn main() {
    divan::main();
}

const FILE: &str = ".rhema/todos.yaml";

/// A document of so many records.
fn todos(count: usize) -> String {
    let record = |number| {
        format!(
            "  - id: todo-{number:05}\n    title: Check invoice {number}\n    description: |\n      The customer says \
             that the amount differs from\n      what was agreed upon.\n    status: pending\n    tags: [billing]\n"
        )
    };
    let records: String = (0..count).map(record).collect();
    format!("_crdt: v1 todos=or_set\ntodos:\n{records}")
}

/// The same with the title of a record in the middle.
fn edited(text: &str, title: &str) -> String {
    let at = text.find("title: Check invoice 5000\n").unwrap();
    let end = at + text[at..].find('\n').unwrap();
    format!("{}title: {title}{}", &text[..at], &text[end..])
}

fn git(folder: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"];
    let mut command = Command::new("git");
    let done = command.args(identity).args(arguments).current_dir(folder);
    assert!(done.status().unwrap().success());
}

/// A repository with the document in its commit, looked at once.
fn repository(text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".rhema")).unwrap();
    fs::write(folder.path().join(FILE), text).unwrap();
    git(folder.path(), &["init", "-q"]);
    git(folder.path(), &["add", "-A"]);
    git(folder.path(), &["commit", "-q", "-m", "start"]);
    round(&Repo::at(folder.path()).unwrap(), false).unwrap();
    folder
}

#[divan::bench]
fn excerpts_of_10000_records(bencher: Bencher) {
    let before = todos(10_000);
    let after = edited(&before, "New");
    bencher.bench(|| {
        let excerpts = Excerpts::of(
            black_box(&[after.as_str(), before.as_str()]),
            &Mentioned::default(),
            0,
        );
        excerpts.unwrap().texts()[0].len()
    });
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn one_edit_in_10000_records(bencher: Bencher) {
    let text = todos(10_000);
    let folder = repository(&text);
    let last = AtomicUsize::new(0);
    bencher
        .with_inputs(|| {
            let number = last.fetch_add(1, Ordering::Relaxed);
            fs::write(
                folder.path().join(FILE),
                edited(&text, &format!("New {number}")),
            )
            .unwrap();
            Repo::at(folder.path()).unwrap()
        })
        .bench_refs(|repo| round(repo, false).unwrap().edits);
}
