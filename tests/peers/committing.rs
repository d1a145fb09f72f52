//! What is shown of several people's edits, and committed.

use crate::pair::{lose_store, pair, send, sync, third, without_lines, write_later};
use crate::support::{BINARY, Tree, World, run};

pub(crate) const FILE: &str = ".rhema/todos.yaml";

pub(crate) const TODOS: &str = "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    owner: q\n    title: Alpha\n  - id: b\n    title: Beta\n";

/// Ann's repository and Ben's clone of it, both with these todos, at which both looked.
pub(crate) fn with_todos(world: &World) -> (Tree<'_>, Tree<'_>) {
    let (ann, ben) = pair(world);
    ann.write(".rhema/todos.yaml", TODOS);
    ann.commit("todos");
    ben.git(&["pull", "-q", "../ann", "main"]);
    sync(&ann);
    sync(&ben);
    (ann, ben)
}

#[test]
fn a_clean_tree_stays_clean_whoever_wrote_the_keys_in_which_order() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    let with = |owner: &str| TODOS.replace("    owner: q\n", owner);
    ann.write(
        ".rhema/todos.yaml",
        with("    owner:\n      name: ann\n      at: 1\n"),
    );
    ben.write(
        ".rhema/todos.yaml",
        with("    owner:\n      name: ben\n      of: 2\n"),
    );
    sync(&ann);
    sync(&ben);
    send(&ann, &ben);
    send(&ben, &ann);
    sync(&ann);
    sync(&ben);
    let shown = ann.read(".rhema/todos.yaml");
    assert_eq!(ben.read(".rhema/todos.yaml"), shown);
    for tree in [&ann, &ben] {
        tree.git(&["commit", "-qam", "both"]);
        sync(tree);
        assert_eq!(tree.read(".rhema/todos.yaml"), shown);
        assert_eq!(tree.git(&["status", "--short"]), "");
    }
}

#[test]
fn a_document_that_was_removed_leaves_no_remnant_where_somebody_else_edited_it() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    ann.git(&["rm", "-q", ".rhema/todos.yaml"]);
    sync(&ann);
    ben.rhema(&["set", "todos/b", "title=Bet"]).exits(0);
    send(&ben, &ann);
    sync(&ann);
    ann.git(&["commit", "-qm", "rm"]);
    sync(&ann);
    assert!(!ann.path(".rhema/todos.yaml").exists());
    assert_eq!(ann.git(&["status", "--short"]), "");
}

#[test]
fn a_document_that_was_moved_leaves_no_ghost_at_its_old_place() {
    let world = World::new();
    let (ann, ben) = pair(&world);
    ann.write("sub/.rhema/todos.yaml", TODOS);
    ann.commit("todos");
    ben.git(&["pull", "-q", "../ann", "main"]);
    sync(&ann);
    sync(&ben);
    ann.git(&["mv", "sub", "pub"]);
    ann.git(&["commit", "-qm", "mv"]);
    sync(&ann);
    ben.rhema(&["set", "--scope", "sub", "todos/b", "title=Bet"])
        .exits(0);
    send(&ben, &ann);
    sync(&ann);
    assert_eq!(ann.git(&["status", "--short", "-uall"]), "");
}

#[test]
fn whose_clean_tree_a_peer_changed_is_told_how_git_gets_a_clean_one() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    let is_told = |tree: &Tree<'_>| {
        let text = tree.rhema(&["status"]).exits(0).stdout;
        text.contains("`rhema crdt park` puts it out of git's way")
    };
    ann.git(&["switch", "-qc", "feature"]);
    ann.rhema(&["set", "todos/b", "title=Bet"]).exits(0);
    ann.commit("Bet");
    ann.rhema(&["set", "todos/a", "title=Aleph"]).exits(0);
    send(&ann, &ben);
    sync(&ben);
    assert!(!is_told(&ann), "she edited that herself");
    assert!(is_told(&ben));
    ben.git(&["fetch", "-q", "../ann", "feature:feature"]);
    ben.try_git(&["switch", "-q", "feature"]).exits(1);
    ben.rhema(&["park"]).exits(0);
    assert!(!is_told(&ben));
    ben.git(&["switch", "-q", "feature"]);
    sync(&ben);
    assert!(ben.read(".rhema/todos.yaml").contains("title: Aleph"));
    ben.rhema(&["set", "todos/b", "title=Beth"]).exits(0);
    assert!(!is_told(&ben), "now it is his work, too");
}

#[test]
fn what_only_a_peer_added_is_removed_by_command_for_all() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    ann.rhema(&["add", "todos", "id=z", "title=Zeta"]).exits(0);
    send(&ann, &ben);
    sync(&ben);
    ben.rhema(&["remove", "todos/z"]).exits(0);
    assert_eq!(ben.git(&["status", "--short"]), "", "as in HEAD, by chance");
    send(&ben, &ann);
    sync(&ann);
    assert_eq!(ann.git(&["status", "--short"]), "");
    sync(&ben);
    ben.rhema(&["unpark", "--all"]).exits(0);
    assert!(!ben.read(".rhema/todos.yaml").contains("Zeta"));
}

#[test]
fn one_persons_values_one_after_the_other_are_no_conflict_wherever_each_was_committed() {
    let world = World::new();
    let (ann, ben) = pair(&world);
    ann.write(".rhema/todos.yaml", TODOS);
    ann.commit("todos");
    ben.git(&["pull", "-q", "../ann", "main"]);
    let cat = third(&world, &ann, "cat");
    for tree in [&ann, &ben, &cat] {
        sync(tree);
    }
    let sets = |value: &str, whose: Option<&Tree<'_>>| {
        ben.rhema(&["set", "todos/a", &format!("title={value}")])
            .exits(0);
        if let Some(tree) = whose {
            send(&ben, tree);
            sync(tree);
            tree.git(&["commit", "-qam", value]);
        }
    };
    sets("v0", None);
    sets("v1", Some(&cat));
    sets("v2", Some(&ann));
    sets("v3", Some(&ann));
    ann.git(&["pull", "-q", "--no-rebase", "--no-edit", "../cat", "main"]);
    let merged = ann.read(".rhema/todos.yaml");
    assert!(
        merged.contains("title: v3") && !merged.contains("_crdt_conflicts"),
        "{merged}"
    );
}

#[test]
fn a_record_that_was_changed_before_any_commit_has_it_stands_the_same_with_all_who_know_of_it() {
    let world = World::new();
    let (ann, ben) = pair(&world);
    ann.write(
        ".rhema/todos.yaml",
        "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    title: Alpha\n",
    );
    ann.commit("todos");
    ben.git(&["pull", "-q", "../ann", "main"]);
    sync(&ann);
    sync(&ben);
    let added = ann.read(".rhema/todos.yaml")
        + "  - id: b\n    title: Beta\n    owner: nobody\n    status: open\n";
    ann.write(".rhema/todos.yaml", added);
    sync(&ann);
    send(&ann, &ben);
    sync(&ben);
    ann.write(
        ".rhema/todos.yaml",
        ann.read(".rhema/todos.yaml")
            .replace("owner: nobody", "owner: ann"),
    );
    sync(&ann);
    send(&ann, &ben);
    sync(&ben);
    assert!(ben.read(".rhema/todos.yaml").contains("owner: ann"));
    assert_eq!(ann.read(".rhema/todos.yaml"), ben.read(".rhema/todos.yaml"));
}

#[test]
fn who_edits_again_what_they_committed_before_anybody_looked_had_seen_it() {
    for removes in [false, true] {
        let world = World::new();
        let (ann, ben) = with_todos(&world);
        let owned = |owner: &str| TODOS.replace("owner: q", owner);
        ann.write(".rhema/todos.yaml", owned("owner: ann"));
        ann.git(&["commit", "-q", "--no-verify", "-a", "-m", "an edit"]);
        let record = "  - id: a\n    owner: q\n    title: Alpha\n";
        ann.write(
            ".rhema/todos.yaml",
            match removes {
                true => TODOS.replace(record, ""),
                false => owned("owner: somebody"),
            },
        );
        sync(&ann);
        // Ben has not merged ann's commit, but has it.
        ben.git(&["fetch", "-q", "../ann", "main"]);
        send(&ann, &ben);
        sync(&ben);
        let shown = ben.read(".rhema/todos.yaml");
        assert!(!shown.contains("_crdt_conflicts"), "{shown}");
        assert_eq!(shown.contains("owner: somebody"), !removes, "{shown}");
        assert_eq!(shown.contains("id: a"), !removes, "{shown}");
        ben.commit("what is known");
        ben.git(&["pull", "-q", "--no-rebase", "--no-edit", "../ann", "main"]);
        ann.commit("the rest");
        ben.git(&["pull", "-q", "--no-rebase", "--no-edit", "../ann", "main"]);
        let merged = ben.read(".rhema/todos.yaml");
        assert!(!merged.contains("_crdt_conflicts"), "{merged}");
        assert_eq!(merged.contains("id: a"), !removes, "{merged}");
    }
}

#[test]
fn a_record_that_an_edit_brings_back_is_as_it_was_when_it_was_removed() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    let record = "  - id: a\n    owner: q\n    title: Alpha\n";
    ann.rhema(&["set", "todos/a", "owner=ann"]).exits(0);
    ann.rhema(&["remove", "todos/a"]).exits(0);
    ann.commit("without it");
    assert!(!ann.read(".rhema/todos.yaml").contains("id: a"));
    ben.write(
        ".rhema/todos.yaml",
        TODOS.replace(record, &record.replace("Alpha", "Omega")),
    );
    sync(&ben);
    send(&ben, &ann);
    send(&ann, &ben);
    sync(&ann);
    sync(&ben);
    for tree in [&ann, &ben] {
        let shown = tree.read(".rhema/todos.yaml");
        assert!(shown.contains("owner: ann\n"), "{shown}");
        assert!(shown.contains("title: Omega\n"), "{shown}");
        assert!(!shown.contains("owner: q"), "{shown}");
    }
}

#[test]
fn two_records_that_were_called_alike_stay_two_whoever_commits_them() {
    // Which of them gets a second name is as it happens.
    for (anns, bens) in [("Gamma", "Delta"), ("Delta", "Gamma")] {
        let world = World::new();
        let (ann, ben) = with_todos(&world);
        let added =
            |title: &str| format!("{TODOS}  - id: c\n    title: {title}\n    owner: of {title}\n");
        ann.write(".rhema/todos.yaml", added(anns));
        sync(&ann);
        ben.write(".rhema/todos.yaml", added(bens));
        sync(&ben);
        ben.commit("one more");
        sync(&ben);
        send(&ann, &ben);
        send(&ben, &ann);
        sync(&ben);
        sync(&ann);
        let shown = ben.read(".rhema/todos.yaml");
        for tree in [&ben, &ann] {
            tree.git(&["commit", "-q", "--no-verify", "-a", "-m", "both"]);
            sync(tree);
            tree.rhema(&["status"]).exits(0);
            let after = tree.read(".rhema/todos.yaml");
            assert!(!after.contains("_crdt_conflicts"), "{shown}{after}");
            assert_eq!(after.matches("title: Gamma").count(), 1, "{shown}{after}");
            assert_eq!(after.matches("title: Delta").count(), 1, "{shown}{after}");
        }
        send(&ann, &ben);
        send(&ben, &ann);
        sync(&ben);
        sync(&ann);
        ben.git(&["pull", "-q", "--no-rebase", "--no-edit", "../ann", "main"]);
        sync(&ben);
        let after = ben.read(".rhema/todos.yaml");
        assert!(!after.contains("_crdt_conflicts"), "{after}");
        assert_eq!(after.matches("title: Gamma").count(), 1, "{after}");
        assert_eq!(after.matches("title: Delta").count(), 1, "{after}");
    }
}

#[test]
fn what_a_round_after_a_commit_had_not_written_yet_is_not_taken_for_taken_back() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    ben.rhema(&["set", "todos/b", "title=by ben"]).exits(0);
    send(&ben, &ann);
    let file = ".rhema/todos.yaml";
    ann.write(file, ann.read(file).replace("Alpha", "Omega"));
    ann.git(&["commit", "-q", "--no-verify", "-a", "-m", "an edit"]);
    ann.write(file, ann.read(file).replace("owner: q", "owner: ann"));
    let mut ending = world.command(BINARY, &ann.top);
    ending.args(["crdt", "sync", "--timeout", "0"]);
    run(ending.env("RHEMA_CRASH_AT", "after-store"));
    assert!(!ann.read(file).contains("by ben"));
    sync(&ann);
    assert!(
        ann.read(file).contains("title: by ben"),
        "{}",
        ann.read(file)
    );
    send(&ann, &ben);
    sync(&ben);
    assert!(
        ben.read(file).contains("title: by ben"),
        "{}",
        ben.read(file)
    );
}

#[test]
fn what_was_removed_before_any_commit_had_it_stays_away_when_others_commit() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    let file = ".rhema/todos.yaml";
    ann.write(file, ann.read(file) + "  - id: c\n    title: Gamma\n");
    sync(&ann);
    send(&ann, &ben);
    sync(&ben);
    assert!(ben.read(file).contains("id: c"));
    // What else ben edited is left: the file is not as HEAD has it.
    ben.rhema(&["set", "todos/b", "title=by ben"]).exits(0);
    ben.rhema(&["remove", "todos/c"]).exits(0);
    send(&ben, &ann);
    sync(&ann);
    assert!(!ann.read(file).contains("id: c"));
    ann.commit("what is left");
    ben.git(&["checkout", "-q", file]);
    ben.git(&["pull", "-q", "--no-rebase", "--no-edit", "../ann", "main"]);
    sync(&ben);
    send(&ben, &ann);
    sync(&ann);
    for tree in [&ann, &ben] {
        assert!(!tree.read(file).contains("id: c"), "{}", tree.read(file));
    }
}

#[test]
fn a_record_that_came_back_stays_when_it_is_edited_again() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    let file = ".rhema/todos.yaml";
    ann.rhema(&["remove", "todos/a"]).exits(0);
    ann.commit("without it");
    sync(&ann);
    ben.rhema(&["set", "todos/a", "title=by ben"]).exits(0);
    send(&ben, &ann);
    sync(&ann);
    assert!(
        ann.read(file).contains("title: by ben"),
        "{}",
        ann.read(file)
    );
    ann.rhema(&["set", "todos/a", "title=by ann"]).exits(0);
    // Whatever makes it look again.
    ben.rhema(&["set", "todos/b", "title=Omega"]).exits(0);
    send(&ben, &ann);
    for _ in 0..2 {
        sync(&ann);
        let shown = ann.read(file);
        assert!(shown.contains("title: by ann"), "{shown}");
        assert!(shown.contains("owner: q"), "{shown}");
    }
}

#[test]
fn a_record_that_has_its_first_name_again_is_written_alike_by_all() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    ann.rhema(&["set", "todos/b", "title=Bet"]).exits(0);
    send(&ann, &ben);
    sync(&ben);
    write_later(&ann, ".rhema/todos.yaml", &TODOS.replace("Alpha", "Alfa"));
    sync(&ann);
    send(&ann, &ben);
    sync(&ben);
    let shown = ann.read(".rhema/todos.yaml");
    assert!(
        shown.contains("title: Beta\n") && shown.contains("title: Alfa\n"),
        "{shown}"
    );
    assert_eq!(ben.read(".rhema/todos.yaml"), shown);
}

#[test]
fn who_edits_what_was_not_written_yet_had_not_read_it_whatever_they_committed_before() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    ben.rhema(&["set", "todos/b", "title=bens"]).exits(0);
    send(&ben, &ann);
    let file = ".rhema/todos.yaml";
    ann.write(file, TODOS.replace("Alpha", "Omega"));
    let mut ending = world.command(BINARY, &ann.top);
    ending.args(["crdt", "sync", "--timeout", "0"]);
    run(ending.env("RHEMA_CRASH_AT", "after-store"));
    assert!(!ann.read(file).contains("bens"));
    ann.git(&["commit", "-q", "--no-verify", "-a", "-m", "an edit"]);
    ann.write(file, ann.read(file).replace("Beta", "anns"));
    sync(&ann);
    let shown = ann.read(file);
    assert!(shown.contains("bens") && shown.contains("anns"), "{shown}");
}

#[test]
fn what_took_the_place_of_something_removed_is_written_alike_by_all() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    let file = ".rhema/todos.yaml";
    write_later(&ann, file, &TODOS.replace("    owner: q\n", ""));
    sync(&ann);
    write_later(&ann, file, &TODOS.replace("owner: q", "owner: ann"));
    sync(&ann);
    send(&ann, &ben);
    sync(&ben);
    assert_eq!(ann.read(file), ben.read(file));
}

#[test]
fn who_typed_a_part_of_what_somebody_else_did_at_once_takes_none_of_the_rest_back() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    let file = ".rhema/todos.yaml";
    let both = TODOS.replace("owner: q", "owner: ben");
    write_later(&ben, file, &both.replace("Alpha", "Alfa"));
    sync(&ben);
    ann.write("README", "something else\n");
    ann.commit("something else");
    ann.write(file, TODOS.replace("Alpha", "Alfa"));
    send(&ben, &ann);
    sync(&ann);
    let shown = ann.read(file);
    assert!(
        shown.contains("owner: ben\n") && shown.contains("title: Alfa\n"),
        "{shown}"
    );
}

#[test]
fn who_removes_what_somebody_else_removed_as_well_had_not_seen_what_they_saw() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    let file = ".rhema/todos.yaml";
    // What is committed before anybody looks is one edit, and so is what it did to both records.
    let both = TODOS.replace("owner: q", "owner: ben");
    ben.write(file, both.replace("Beta", "Bet"));
    ben.git(&["commit", "-q", "--no-verify", "-a", "-m", "both"]);
    sync(&ben);
    ben.rhema(&["remove", "todos/a"]).exits(0);
    let (_, others) = TODOS.split_once("  - id: b\n").unwrap();
    ann.write("README", "something else\n");
    ann.commit("something else");
    let without = format!("_crdt: v1 todos=or_set\ntodos:\n  - id: b\n{others}");
    ann.write(file, &without);
    send(&ben, &ann);
    sync(&ann);
    let shown = ann.read(file);
    assert!(shown.contains("title: Bet\n"), "{shown}");
    assert!(!shown.contains("id: a\n"), "{shown}");
}

#[test]
fn what_was_taken_away_in_a_record_before_any_commit_had_it_stays_away() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    let with = |record: &str| format!("{TODOS}  - id: c\n{record}");
    ann.write(FILE, with("    title: Gamma\n    owner: ann\n"));
    sync(&ann);
    write_later(
        &ann,
        FILE,
        &ann.read(FILE).replace("    title: Gamma\n", ""),
    );
    sync(&ann);
    ann.write(FILE, ann.read(FILE) + "  - id: d\n    title: Delta\n");
    ann.git(&["commit", "-qnam", "both"]);
    sync(&ann);
    send(&ann, &ben);
    sync(&ben);
    for tree in [&ann, &ben] {
        let text = tree.read(FILE);
        assert!(text.contains("owner: ann"), "{text}");
        assert!(!text.contains("Gamma"), "{text}");
    }
    assert_eq!(ann.git(&["status", "--short"]), "");
}

/// Ann adds a record, of which Ben hears, and which he removes before she commits it; then her commit comes to him.
fn removed_before_it_was_committed(bring: impl Fn(&Tree<'_>)) -> bool {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    ann.rhema(&["add", "todos", "id=c", "title=Gamma"]).exits(0);
    send(&ann, &ben);
    sync(&ben);
    ben.rhema(&["remove", "todos/c"]).exits(0);
    sync(&ben);
    ann.git(&["commit", "-qam", "Gamma"]);
    ben.git(&["fetch", "-q", "../ann", "main"]);
    bring(&ben);
    sync(&ben);
    ben.read(FILE).contains("Gamma")
}

#[test]
fn a_commit_that_brings_what_somebody_had_removed_does_not_bring_it_back() {
    let merge = |ben: &Tree<'_>| {
        ben.git(&["merge", "-q", "FETCH_HEAD"]);
    };
    assert!(!removed_before_it_was_committed(merge));
    // Whoever throws away what they did gets what is there.
    let reset = |ben: &Tree<'_>| {
        ben.git(&["reset", "-q", "--hard", "FETCH_HEAD"]);
    };
    assert!(removed_before_it_was_committed(reset));
}

#[test]
fn the_stamp_of_a_value_goes_with_it_wherever_it_is_taken_away() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    ann.write(FILE, TODOS.replace("owner: q", "owner: ann"));
    sync(&ann);
    let text = ann.read(FILE);
    assert!(text.contains("_crdt: "), "{text}");
    write_later(&ann, FILE, &text.replace("    owner: ann\n", ""));
    sync(&ann);
    send(&ann, &ben);
    sync(&ben);
    assert_eq!(ann.read(FILE), ben.read(FILE));
}

#[test]
fn who_drops_the_annotations_of_what_they_just_committed_gets_them_back() {
    let world = World::new();
    let (ann, _ben) = with_todos(&world);
    ann.rhema(&["set", "todos/a", "owner=ann"]).exits(0);
    ann.git(&["commit", "-qam", "ann"]);
    let committed = ann.read(FILE);
    let bare = without_lines(&committed, |line| line.contains(" owner~"));
    assert!(bare.len() < committed.len(), "{committed}");
    ann.write(FILE, bare + "  - id: c\n    title: Gamma\n");
    sync(&ann);
    let text = ann.read(FILE);
    assert!(text.starts_with(&committed), "{text}");
    assert!(text.contains("Gamma"), "{text}");
}

#[test]
fn who_saves_after_a_commit_what_they_read_before_it_undoes_nothing() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    let read = ann.read(FILE);
    ben.rhema(&["set", "todos/a", "owner=ben"]).exits(0);
    send(&ben, &ann);
    sync(&ann);
    ann.git(&["commit", "-qnam", "Ben's"]);
    ann.write(FILE, read.replace("title: Alpha", "title: Other"));
    sync(&ann);
    let text = ann.read(FILE);
    assert!(text.contains("owner: ben\n"), "{text}");
    assert!(text.contains("title: Other\n"), "{text}");
    assert!(!text.contains("_crdt_conflicts"), "{text}");
}

#[test]
fn who_edits_what_somebodys_edit_had_brought_back_keeps_it_whoever_removes_that_edit() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    ben.rhema(&["set", "todos/a", "owner=ben"]).exits(0);
    ann.write(
        FILE,
        TODOS.replace("  - id: a\n    owner: q\n    title: Alpha\n", ""),
    );
    ann.git(&["commit", "-qnam", "without a"]);
    send(&ben, &ann);
    sync(&ann);
    let text = ann.read(FILE);
    assert!(text.contains("owner: ben\n"), "{text}");
    ann.rhema(&["set", "todos/a", "owner=ann"]).exits(0);
    ben.rhema(&["remove", "todos/a"]).exits(0);
    send(&ben, &ann);
    sync(&ann);
    let text = ann.read(FILE);
    for words in ["owner: ann\n", "title: Alpha\n", "~deleted"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn who_puts_a_record_back_had_not_seen_what_somebody_committed_in_it_meanwhile() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    let cyd = third(&world, &ann, "cyd");
    cyd.write(FILE, TODOS.replace("owner: q", "owner: cyd"));
    cyd.git(&["commit", "-qnam", "owner"]);
    ben.rhema(&["remove", "todos/a"]).exits(0);
    send(&ben, &ann);
    sync(&ann);
    let removed = ann.read(FILE);
    assert!(!removed.contains("id: a\n"), "{removed}");
    write_later(&ann, FILE, &TODOS.replace("Beta", "Bet"));
    sync(&ann);
    assert!(ann.read(FILE).contains("id: a\n"));
    for from in [&ann, &ben] {
        send(from, &cyd);
    }
    sync(&cyd);
    let text = cyd.read(FILE);
    assert!(text.contains("cyd"), "{text}");
    assert!(text.contains("Bet\n"), "{text}");
}

#[test]
fn who_takes_away_what_names_a_record_had_seen_what_they_committed_there_before_anybody_looked() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    let texts = [
        "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    title: ",
        "    owner: q\n",
    ];
    let with = |title: &str| format!("{}{title}\n{}", texts[0], texts[1]);
    ann.write(FILE, with("Alpha"));
    ann.git(&["commit", "-qam", "a alone"]);
    ben.git(&["pull", "-q", "../ann", "main"]);
    for tree in [&ann, &ben] {
        sync(tree);
    }
    ann.write(FILE, with("Aleph"));
    ann.git(&["commit", "-qnam", "Aleph"]);
    let text = ann.read(FILE);
    ann.write(FILE, text.replace("    title: Aleph\n", ""));
    sync(&ann);
    ben.git(&["fetch", "-q", "../ann", "main"]);
    send(&ann, &ben);
    sync(&ben);
    let text = ben.read(FILE);
    assert!(!text.contains("Aleph"), "{text}");
}

#[test]
fn who_commits_a_record_under_its_second_name_keeps_it() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    ben.rhema(&["add", "todos", "id=c", "title=Gamma", "owner=ben"])
        .exits(0);
    send(&ben, &ann);
    ann.write(
        FILE,
        format!("{TODOS}  - id: c\n    title: Chi\n    owner: ann\n"),
    );
    sync(&ann);
    let text = ann.read(FILE);
    assert!(text.contains("id: c-"), "{text}");
    ann.git(&["commit", "-qnam", "both"]);
    write_later(&ann, FILE, &text.replace("owner: q", "owner: ann"));
    sync(&ann);
    send(&ann, &ben);
    sync(&ben);
    for tree in [&ann, &ben] {
        let text = tree.read(FILE);
        assert!(text.contains("title: Chi\n"), "{text}");
        assert!(text.contains("title: Gamma\n"), "{text}");
    }
}

#[test]
fn who_puts_back_what_they_had_edited_meanwhile_shows_what_others_show() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    ann.rhema(&["set", "todos/a", "owner=ann"]).exits(0);
    let read = ann.read(FILE);
    ann.rhema(&["set", "todos/a", "owner=anna"]).exits(0);
    ann.rhema(&["set", "todos/b", "title=Bet"]).exits(0);
    write_later(&ann, FILE, &read.replace("Beta", "Bet"));
    sync(&ann);
    send(&ann, &ben);
    sync(&ben);
    assert_eq!(ann.read(FILE), ben.read(FILE));
    assert!(
        ann.read(FILE).contains("owner: ann\n"),
        "{}",
        ann.read(FILE)
    );
}

#[test]
fn who_commits_what_they_typed_in_a_record_that_nobody_had_committed_had_read_of_it() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    ben.rhema(&["add", "todos", "id=c", "title=Gamma", "owner=ben"])
        .exits(0);
    ben.rhema(&["set", "todos/c", "title=Game"]).exits(0);
    send(&ben, &ann);
    sync(&ann);
    write_later(&ann, FILE, &ann.read(FILE).replace("Game", "Chi"));
    ann.git(&["commit", "-qnam", "Chi"]);
    sync(&ann);
    send(&ann, &ben);
    sync(&ben);
    let text = ben.read(FILE);
    assert!(text.contains("title: Chi\n"), "{text}");
    assert!(!text.contains("_crdt_conflicts"), "{text}");
}

#[test]
fn who_switches_branches_takes_back_no_removal_of_what_somebody_had_edited() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    ann.git(&["switch", "-qc", "side"]);
    ann.rhema(&["add", "todos", "id=c", "title=Gamma", "owner=ann"])
        .exits(0);
    ann.rhema(&["add", "todos", "id=d", "title=Delta"]).exits(0);
    send(&ann, &ben);
    sync(&ben);
    ben.rhema(&["set", "todos/c", "owner=ben"]).exits(0);
    send(&ben, &ann);
    sync(&ann);
    ann.rhema(&["remove", "todos/c"]).exits(0);
    ann.git(&["commit", "-qnam", "Delta"]);
    sync(&ann);
    ann.git(&["switch", "-q", "main"]);
    sync(&ann);
    ann.git(&["merge", "-q", "side"]);
    sync(&ann);
    let text = ann.read(FILE);
    assert!(!text.contains("Gamma"), "{text}");
    send(&ann, &ben);
    sync(&ben);
    let text = ben.read(FILE);
    assert!(!text.contains("Gamma"), "{text}");
}

#[test]
fn who_commits_one_of_two_values_and_takes_the_other_back_keeps_the_first_in_sight_of_all() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    let typed = TODOS
        .replace("owner: q", "owner: ann")
        .replace("Alpha", "Aleph");
    write_later(&ann, FILE, &typed);
    sync(&ann);
    send(&ann, &ben);
    sync(&ben);
    ann.write(FILE, TODOS.replace("owner: q", "owner: ann"));
    ann.git(&["commit", "-qnam", "ann"]);
    sync(&ann);
    send(&ann, &ben);
    sync(&ben);
    let text = ben.read(FILE);
    assert!(text.contains("owner: ann\n"), "{text}");
    assert!(text.contains("title: Alpha\n"), "{text}");
    ben.git(&["fetch", "-q", "../ann", "main"]);
    ben.git(&["-c", "core.hooksPath=/dev/null", "stash", "-q"]);
    ben.git(&["merge", "-q", "FETCH_HEAD"]);
    sync(&ben);
    assert_eq!(ben.git(&["status", "--porcelain"]), "");
}

#[test]
fn who_types_on_another_branch_had_not_read_what_they_left_behind() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    ben.rhema(&["set", "todos/a", "owner=ben"]).exits(0);
    send(&ben, &ann);
    sync(&ann);
    ann.git(&["branch", "side"]);
    ann.git(&["commit", "-qnam", "Ben's"]);
    ann.git(&["switch", "-q", "side"]);
    write_later(&ann, FILE, &TODOS.replace("owner: q", "owner: ann"));
    ann.git(&["commit", "-qnam", "ann"]);
    sync(&ann);
    send(&ann, &ben);
    sync(&ben);
    let text = ben.read(FILE);
    for owner in ["ann", "ben"] {
        assert!(text.contains(owner), "{text}");
    }
}

#[test]
fn who_commits_another_title_beside_a_value_that_lost_settles_nothing() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    for (tree, owner) in [(&ann, "ann"), (&ben, "ben")] {
        tree.rhema(&["set", "todos/a", &format!("owner={owner}")])
            .exits(0);
    }
    for (from, to) in [(&ann, &ben), (&ben, &ann)] {
        send(from, to);
        sync(to);
    }
    ann.git(&["commit", "-qnam", "both"]);
    ann.write(FILE, ann.read(FILE).replace("Alpha", "Aleph"));
    ann.git(&["commit", "-qnam", "Aleph"]);
    sync(&ann);
    send(&ann, &ben);
    sync(&ben);
    for tree in [&ann, &ben] {
        let text = tree.read(FILE);
        assert!(text.contains("_crdt_conflicts: owner"), "{text}");
    }
}

#[test]
fn who_commits_what_somebodys_edit_had_brought_brings_nothing_themselves() {
    let world = World::new();
    let (ann, ben) = with_todos(&world);
    ann.write(
        FILE,
        format!("{TODOS}  - id: c\n    title: Gamma\n    owner: ann\n"),
    );
    ann.git(&["commit", "-qnam", "Gamma"]);
    // Nobody told of that: the program begins here.
    lose_store(&ann);
    sync(&ann);
    ann.rhema(&["set", "todos/c", "owner=anna"]).exits(0);
    // He has the commit, and not on his branch.
    ben.git(&["fetch", "-q", "../ann", "main"]);
    send(&ann, &ben);
    sync(&ben);
    assert!(ben.read(FILE).contains("Gamma"), "{}", ben.read(FILE));
    ben.git(&["commit", "-qnam", "anna's"]);
    sync(&ben);
    ann.rhema(&["remove", "todos/c"]).exits(0);
    for (from, to) in [(&ben, &ann), (&ann, &ben)] {
        send(from, to);
        sync(to);
        assert!(!to.read(FILE).contains("Gamma"), "{}", to.read(FILE));
    }
}
