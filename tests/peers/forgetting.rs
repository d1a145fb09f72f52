//! Stores that are lost, or older than what the files show.

use std::fs;
use std::path::Path;

use rhema_crdt::overlay::DocumentPath;
use rhema_crdt::store::{Store, Which};

use crate::committing::{FILE, TODOS, with_todos};
use crate::pair::{lose_store, send, sync, without_lines, write_later};
use crate::support::World;

#[test]
fn a_state_that_is_put_back_from_a_backup_tells_nothing_that_cannot_have_been() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    let (file, state) = (".rhema/todos.yaml", ann.path(".git/rhema"));
    let copied = |from: &Path, to: &Path| {
        for entry in fs::read_dir(from).unwrap().flatten() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    };
    let backup = world.tree("").path("backup");
    fs::create_dir(&backup).unwrap();
    copied(&state, &backup);
    let typed = |before: &str, after: &str| ann.write(file, ann.read(file).replace(before, after));
    typed("owner: q", "owner: ann");
    ann.git(&["commit", "-q", "--no-verify", "-a", "-m", "an edit"]);
    sync(&ann);
    typed("Beta", "Omega");
    sync(&ann);
    for entry in fs::read_dir(&state).unwrap().flatten() {
        fs::remove_file(entry.path()).unwrap();
    }
    copied(&backup, &state);
    sync(&ann);
    let mut store = Store::open(&ann.path(".git")).unwrap().store;
    let edits = store.read().unwrap();
    let edits = edits.edits(&DocumentPath::new(file), Which::All).unwrap();
    assert!(edits.len() > 1, "{edits:?}");
    for edit in edits {
        assert!(edit.known.previous < Some(edit.known.stamp), "{edit:?}");
    }
    send(&ann, &ben);
    ben.git(&["pull", "-q", "../ann", "main"]);
    sync(&ben);
    assert!(
        ben.read(file).contains("title: Omega"),
        "{}",
        ben.read(file)
    );
}

#[test]
fn what_was_found_again_after_a_store_was_lost_leaves_a_clean_tree_clean() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    ann.rhema(&["add", "todos", "id=c", "title=Gamma", "owner=nobody"])
        .exits(0);
    sync(&ann);
    ann.rhema(&["set", "todos/c", "title=Other"]).exits(0);
    send(&ann, &ben);
    sync(&ben);
    ann.git(&["commit", "-qam", "Other"]);
    ben.rhema(&["set", "todos/c", "owner=ben"]).exits(0);
    send(&ben, &ann);
    sync(&ann);
    lose_store(&ben);
    // He finds the record in his file, with the stamps of edits that he knows nothing of any more.
    sync(&ben);
    ben.rhema(&["sync", "--timeout", "0", "--confirm"]).exits(0);
    send(&ben, &ann);
    sync(&ann);
    for round in ["first", "second"] {
        ann.write("README", round);
        ann.git(&["commit", "-qam", round]);
        sync(&ann);
        assert_eq!(ann.git(&["status", "--short"]), "", "{}", ann.read(FILE));
    }
}

#[test]
fn who_edits_a_record_that_their_store_forgot_keeps_what_they_wrote() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    let store = ann.path(".git/rhema/store.sqlite");
    let kept = ann.path("kept.sqlite");
    // All of it is in one file, as nobody has it open.
    fs::copy(&store, &kept).unwrap();
    ben.rhema(&["add", "todos", "id=c", "title=Gamma", "owner=ben"])
        .exits(0);
    send(&ben, &ann);
    sync(&ann);
    let read = ann.read(FILE);
    lose_store(&ann);
    fs::rename(&kept, &store).unwrap();
    write_later(&ann, FILE, &read.replace("owner: ben", "owner: ann"));
    send(&ben, &ann);
    sync(&ann);
    let text = ann.read(FILE);
    assert!(text.contains("owner: ann\n"), "{text}");
    assert!(text.contains("title: Gamma\n"), "{text}");
    send(&ann, &ben);
    sync(&ben);
    assert_eq!(ben.read(FILE), text);
}

#[test]
fn who_commits_a_record_takes_back_nothing_that_somebody_without_a_store_tells_of_it() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    ann.rhema(&["add", "todos", "id=c", "title=Gamma", "owner=ann"])
        .exits(0);
    send(&ann, &ben);
    sync(&ben);
    ann.git(&["commit", "-qnam", "Gamma"]);
    let text = ben.read(FILE).replace("title: Gamma", "title: Other");
    write_later(&ben, FILE, &text);
    lose_store(&ben);
    sync(&ben);
    ben.rhema(&["sync", "--timeout", "0", "--confirm"]).exits(0);
    write_later(
        &ann,
        FILE,
        &ann.read(FILE).replace("owner: q", "owner: ann"),
    );
    send(&ben, &ann);
    sync(&ann);
    let text = ann.read(FILE);
    assert!(text.contains("title: Other\n"), "{text}");
    send(&ann, &ben);
    sync(&ben);
    let text = ben.read(FILE);
    assert!(text.contains("title: Other\n"), "{text}");
}

#[test]
fn who_commits_two_values_beside_one_another_and_forgets_it_takes_neither_for_replaced() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    ann.rhema(&["set", "todos/a", "owner=ann"]).exits(0);
    let store = ann.path(".git/rhema/store.sqlite");
    let kept = ann.path("kept.sqlite");
    fs::copy(&store, &kept).unwrap();
    ben.rhema(&["set", "todos/a", "owner=ben"]).exits(0);
    for (from, to) in [(&ann, &ben), (&ben, &ann)] {
        send(from, to);
        sync(to);
    }
    assert!(ben.read(FILE).contains("_crdt_conflicts: "));
    ann.git(&["commit", "-qnam", "both"]);
    lose_store(&ann);
    fs::rename(&kept, &store).unwrap();
    sync(&ann);
    send(&ann, &ben);
    sync(&ben);
    let text = ben.read(FILE);
    assert!(text.contains("_crdt_conflicts: "), "{text}");
}

#[test]
fn who_removes_a_record_had_not_seen_what_somebody_took_away_in_it() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    ben.rhema(&["set", "todos/a", "title=Aleph", "owner=ben"])
        .exits(0);
    let text = without_lines(&ben.read(FILE), |line| line == "    owner: ben\n");
    write_later(&ben, FILE, &text);
    sync(&ben);
    // She removes it before anybody ever looked.
    lose_store(&ann);
    let (rest, _) = TODOS.split_once("  - id: a").unwrap();
    ann.write(FILE, format!("{rest}  - id: b\n    title: Beta\n"));
    send(&ben, &ann);
    sync(&ann);
    for (from, to) in [(&ann, &ben), (&ben, &ann)] {
        send(from, to);
        sync(to);
        let text = to.read(FILE);
        assert!(text.contains("title: Aleph\n"), "{text}");
    }
}

#[test]
fn what_was_typed_in_a_record_whose_edits_were_lost_stands_beside_what_somebody_else_wrote_there() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    ben.rhema(&["add", "todos", "id=c", "title=Gamma", "owner=nobody"])
        .exits(0);
    send(&ben, &ann);
    sync(&ann);
    ben.rhema(&["set", "todos/c", "owner=ben"]).exits(0);
    lose_store(&ann);
    write_later(
        &ann,
        FILE,
        &ann.read(FILE).replace("owner: nobody", "owner: ann"),
    );
    sync(&ann);
    for (from, to) in [(&ben, &ann), (&ann, &ben)] {
        send(from, to);
        sync(to);
    }
    let text = ann.read(FILE);
    assert!(text.contains("owner: ann\n"), "{text}");
    assert!(text.contains("s.ben"), "{text}");
    assert_eq!(ben.read(FILE), text);
}
