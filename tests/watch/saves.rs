//! All manners in which a file comes to say something else, each seen in the other clone.

use std::fs;

use crate::clones::Clones;
use crate::editor::{Save, beginning};
use crate::text::FILE;

/// Two clones that are watched, and a file whose record `r0` has the title `v0`.
fn pair() -> (Clones, Vec<crate::watching::Watch>) {
    let clones = Clones::new(2, &beginning(3));
    let watches = clones.watch_all();
    (clones, watches)
}

#[test]
fn every_manner_of_saving_is_seen() {
    let (clones, watches) = pair();
    let manners = [
        Save::InPlace,
        Save::Rename,
        Save::Backup,
        Save::Sed,
        Save::InPieces,
    ];
    for (number, save) in manners.into_iter().enumerate() {
        let at = number % 2;
        let line = |number: usize| format!("    owner: v{number}\n");
        let text = clones.text(at);
        let (before, after) = (
            line(if number == 0 { 1 } else { 100 + number - 1 }),
            line(100 + number),
        );
        assert!(text.contains(&before), "{text}");
        save.write(&clones.file(at), &text.replacen(&before, &after, 1));
        clones.agree_on(&[&after]);
    }
    for at in 0..2 {
        let left = clones
            .tree(at)
            .git(&["status", "--porcelain", "--untracked-files=all"]);
        assert_eq!(
            left,
            format!(" M {FILE}\n"),
            "nothing else was taken for a document"
        );
    }
    for watch in watches {
        watch.end("INT");
    }
}

#[test]
fn branches_that_are_switched_keep_what_is_theirs() {
    let (clones, _watches) = pair();
    let ann = clones.tree(0);
    ann.git(&["switch", "-q", "-c", "side"]);
    let text = clones.text(0).replacen("owner: v1\n", "owner: v100\n", 1);
    Save::Rename.write(&clones.file(0), &text);
    clones.agree_on(&["owner: v100\n"]);
    ann.git(&["commit", "-q", "-a", "-m", "on a branch"]);
    ann.git(&["switch", "-q", "main"]);
    // What was committed on a branch stays there; the other one has it as a peer's edit.
    assert!(!clones.text(0).contains("v100"), "{}", clones.text(0));
    let text = clones.text(1).replacen("owner: v6\n", "owner: v101\n", 1);
    Save::InPlace.write(&clones.file(1), &text);
    crate::watching::eventually(
        || clones.text(0).contains("owner: v101\n"),
        || clones.told(),
    );
    assert!(!clones.text(0).contains("v100"), "{}", clones.text(0));
    ann.git(&["commit", "-q", "-a", "-m", "on main"]);
    ann.git(&["switch", "-q", "side"]);
    // What was committed on the other branch stays there, too.
    let text = clones.text(0);
    assert!(text.contains("v100") && !text.contains("v101"), "{text}");
    assert!(clones.text(1).contains("v101"), "{}", clones.text(1));
}

#[test]
fn scopes_and_documents_appear_and_go_by_themselves() {
    let (clones, _watches) = pair();
    let (ann, ben) = (clones.tree(0), clones.tree(1));
    const NEW: &str = "parts/engine/.rhema/knowledge.yaml";
    ann.write(
        NEW,
        "_crdt: v1 entries=or_set\nentries:\n  - id: a\n    title: Alpha\n",
    );
    let is_there =
        |words: &str| fs::read_to_string(ben.path(NEW)).is_ok_and(|text| text.contains(words));
    crate::watching::eventually(|| is_there("title: Alpha"), || clones.told());
    ann.write(NEW, ann.read(NEW).replace("Alpha", "Aleph"));
    crate::watching::eventually(|| is_there("title: Aleph"), || clones.told());
    // A document that is deleted and put back is as it was, there as here.
    let text = ann.read(NEW);
    fs::remove_file(ann.path(NEW)).unwrap();
    ann.write(
        FILE,
        ann.read(FILE).replacen("owner: v1\n", "owner: v100\n", 1),
    );
    clones.agree_on(&["owner: v100\n"]);
    ann.write(NEW, &text);
    ann.write(NEW, text.replace("Aleph", "Alif"));
    crate::watching::eventually(|| is_there("title: Alif"), || clones.told());
}
