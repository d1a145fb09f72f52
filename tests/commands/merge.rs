//! `merge`: the same by hand.

use crate::support::{Tree, World, run};
use std::fs;

fn three<'w>(world: &'w World, base: &str, ours: &str, theirs: &str) -> Tree<'w> {
    let tree = world.tree("three");
    tree.write("base.yaml", base);
    tree.write("ours.yaml", ours);
    tree.write("theirs.yaml", theirs);
    tree
}

const FILES: [&str; 4] = ["merge", "base.yaml", "ours.yaml", "theirs.yaml"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    FILES.iter().chain(more).copied().collect()
}

#[test]
fn the_merge_is_printed_and_no_file_is_touched() {
    let world = World::new();
    let tree = three(
        &world,
        "a: 1\nb: 1\nc: 1\nd: 1\n",
        "a: 2\nb: 1\nc: 1\nd: 1\n",
        "a: 1\nb: 1\nc: 1\nd: 2\n",
    );
    let before = tree.snapshot();
    assert_eq!(
        tree.rhema(&FILES).exits(0).stdout,
        "a: 2\nb: 1\nc: 1\nd: 2\n"
    );
    assert_eq!(tree.snapshot(), before);
}

#[test]
fn or_written_to_a_file_even_one_of_the_three() {
    let world = World::new();
    let tree = three(&world, "a: 1\n", "a: 1\n", "a: 2\n");
    for output in ["new.yaml", "ours.yaml"] {
        let done = tree.rhema(&with(&["-o", output])).exits(0);
        assert_eq!(done.stdout, "");
        assert_eq!(tree.read(output), "a: 2\n");
    }
}

#[test]
fn markers_mean_exit_1_and_a_word_about_them() {
    let world = World::new();
    let tree = three(&world, "a: 1\n", "a: 2\n", "a: 3\n");
    let marked = tree.rhema(&with(&["--path", "app/.rhema/a.yaml"])).exits(1);
    assert!(
        marked.stdout.starts_with("<<<<<<< ours\na: 2\n"),
        "{}",
        marked.stdout
    );
    assert!(
        marked.stderr.contains("app/.rhema/a.yaml: 1 place marked"),
        "{}",
        marked.stderr
    );
}

#[test]
fn an_unreadable_input_is_refused_and_nothing_is_written() {
    let world = World::new();
    let tree = three(&world, "a: 1\n", "a: 2\n", "a: 3\n");
    fs::remove_file(tree.path("base.yaml")).unwrap();
    let refused = tree.rhema(&with(&["-o", "out.yaml"])).exits(3);
    assert!(
        refused.stderr.starts_with("error: cannot read base.yaml"),
        "{}",
        refused.stderr
    );
    assert!(
        refused.stderr.contains("\n  caused by: "),
        "{}",
        refused.stderr
    );
    assert!(!tree.path("out.yaml").exists());
}

#[test]
fn binary_files_are_refused() {
    let world = World::new();
    let tree = three(&world, "\0a", "\0b", "\0c");
    let refused = tree.rhema(&FILES).exits(3);
    assert_eq!(refused.stdout, "");
    assert!(refused.stderr.contains("binary"), "{}", refused.stderr);
}

#[test]
fn an_output_that_cannot_be_written_is_an_error() {
    let world = World::new();
    let tree = three(&world, "a: 1\n", "a: 1\n", "a: 2\n");
    let refused = tree
        .rhema(&with(&["-o", "no/such/folder/out.yaml"]))
        .exits(3);
    assert!(
        refused
            .stderr
            .starts_with("error: cannot write no/such/folder/out.yaml"),
        "{}",
        refused.stderr
    );
}

#[test]
fn json_tells_what_happened() {
    let world = World::new();
    let tree = three(&world, "a: 1\n", "a: 2\n", "a: 3\n");
    let json = tree
        .rhema(&with(&["--json", "-o", "out.yaml"]))
        .exits(1)
        .json();
    assert_eq!(json["conflicts"], 1);
    assert_eq!(json["output"], "out.yaml");
    assert!(json["merged"].is_null());
    let json = tree.rhema(&with(&["--json"])).exits(1).json();
    assert_eq!(json["merged"], tree.read("out.yaml"));
}

#[test]
fn the_example_of_the_readme_merges_without_a_conflict() {
    let world = World::new();
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/merge");
    let merged = world.rhema(&examples, &FILES).exits(0);
    assert_eq!(merged.stderr, "");
    for line in [
        "status: completed",
        "priority: medium",
        "tags: [docs, blog, release]",
        "id: better-errors",
        "id: windows",
    ] {
        assert!(merged.stdout.contains(line), "{line} in {}", merged.stdout);
    }
    let git = run(world.command("git", &examples).args([
        "merge-file",
        "-p",
        "ours.yaml",
        "base.yaml",
        "theirs.yaml",
    ]));
    assert_eq!(git.exits(2).stdout.matches("<<<<<<<").count(), 2);
}
