//! Very many documents, and a very large one. They take minutes in a debug build:
//!
//! ```text
//! cargo test --release --test crashes -- --ignored --nocapture sizes
//! ```
//!
//! `RHEMA_CRASH_DOCUMENTS` says how many documents there are, otherwise 10,000; `RHEMA_CRASH_MEGABYTES` how large the large one
//! is, otherwise 100.

use std::fmt::Write as _;
use std::time::Instant;

use crate::check::{SYNC, bare};
use crate::support::{Run, Tree, World};

const LARGE: &str = ".rhema/large.yaml";

fn number(name: &str, otherwise: usize) -> usize {
    let asked = std::env::var(name).ok();
    asked
        .and_then(|asked| asked.parse().ok())
        .unwrap_or(otherwise)
}

/// Runs a command and prints for how long.
fn timed(tree: &Tree<'_>, arguments: &[&str]) -> Run {
    let began = Instant::now();
    let ran = tree.rhema(arguments);
    println!(
        "{arguments:?}: {:.1?}, exit status {}",
        began.elapsed(),
        ran.status
    );
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    ran
}

#[test]
#[ignore = "it takes a minute"]
fn very_many_documents_are_looked_at_to_the_end() {
    let documents = number("RHEMA_CRASH_DOCUMENTS", 10_000);
    let world = World::new();
    let tree = world.repo("repo", &[]);
    let name = |document: usize| format!(".rhema/{}/todos-{document}.yaml", document % 100);
    let text = "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    title: First\n";
    (0..documents).for_each(|document| tree.write(name(document), text));
    timed(&tree, &["init"]).exits(0);
    tree.commit("init");
    assert_eq!(timed(&tree, &SYNC).exits(0).json()["edits_recorded"], 0);
    for document in 0..documents {
        tree.write(name(document), text.replace("First", "Alpha"));
    }
    let recorded = timed(&tree, &SYNC).exits(0).json();
    assert_eq!(recorded["edits_recorded"], documents);
    assert_eq!(timed(&tree, &SYNC).exits(0).json()["edits_recorded"], 0);
    let status = timed(&tree, &["status", "--json"]).exits(0).json();
    assert_eq!(status["documents"].as_array().unwrap().len(), documents);
    let last = tree.read(name(documents - 1));
    assert_eq!(bare(&last), text.replace("First", "Alpha"));
}

#[test]
fn what_is_larger_than_any_document_is_left_alone_and_merged_by_lines() {
    let world = World::new();
    let record = |at: usize| format!("  - id: r{at}\n    title: {}\n", "long ".repeat(100_000));
    let text: String = (0..70).map(record).collect();
    let text = format!("todos:\n{text}");
    let tree = world.repo("repo", &[(LARGE, &text)]);
    let told = |ran: &Run| {
        assert!(ran.stderr.contains(LARGE), "{}", ran.stderr);
        assert!(ran.stderr.contains("split it"), "{}", ran.stderr);
    };
    told(&tree.rhema(&["init"]).exits(0));
    tree.commit("init");
    let typed = text.replacen("id: r7\n", "id: seven\n", 1);
    tree.on_branch("other", LARGE, text.replacen("id: r9\n", "id: nine\n", 1));
    tree.write(LARGE, &typed);
    told(&tree.rhema(&SYNC).exits(1));
    told(
        &tree
            .rhema(&["set", "--file", LARGE, "todos/r1", "title=x"])
            .exits(3),
    );
    let status = tree.rhema(&["status", "--json"]).exits(0).json();
    assert_eq!(status["documents"][0]["state"], "unparsable");
    assert!(tree.read(LARGE) == typed, "it was harmed");
    tree.commit("typed");
    told(
        &tree
            .try_git(&["merge", "-q", "--no-edit", "other"])
            .exits(0),
    );
    let both = typed.replacen("id: r9\n", "id: nine\n", 1);
    assert!(tree.read(LARGE) == both, "it is not merged");
}

#[test]
#[ignore = "it takes minutes"]
fn a_very_large_document_is_done_or_refused_and_never_harmed() {
    let bytes = number("RHEMA_CRASH_MEGABYTES", 100) * 1_000_000;
    let mut text = "_crdt: v1 todos=or_set\ntodos:\n".to_owned();
    for record in 0.. {
        if text.len() >= bytes {
            break;
        }
        let title = format!("Of some length, number {record}");
        let _ = write!(
            text,
            "  - id: r{record}\n    title: {title}\n    note: {title}, {title}\n"
        );
    }
    let world = World::new();
    let tree = world.repo("repo", &[(LARGE, &text)]);
    timed(&tree, &["init"]).exits(0);
    tree.commit("init");
    let typed = text.replacen("number 7\n", "number seven\n", 1);
    tree.write(LARGE, &typed);
    for arguments in [&["status"][..], &["verify"], &SYNC] {
        let ran = timed(&tree, arguments);
        match ran.status {
            0 | 1 => {}
            _ => assert!(ran.exits(3).stderr.starts_with("error: ")),
        }
        assert!(bare(&tree.read(LARGE)) == typed, "{arguments:?} harmed it");
    }
    let theirs = text.replacen("number 9\n", "number nine\n", 1);
    for (file, text) in [("base", &text), ("ours", &typed), ("theirs", &theirs)] {
        tree.write(file, text);
    }
    let merged = timed(&tree, &["merge-driver", "base", "ours", "theirs", LARGE]);
    assert!((0..=1).contains(&merged.status), "{}", merged.stderr);
    let held = tree.read("ours");
    let whole = bare(&held) == typed.replacen("number 9\n", "number nine\n", 1);
    assert!(
        whole || merged.status == 1,
        "it is neither merged nor marked"
    );
}
