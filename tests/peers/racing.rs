//! Files that are saved by somebody who had read them before others' edits came in.

use crate::pair::{pair, send, sync, third, without_lines, write_later};
use crate::support::{BINARY, Run, Tree, World, run};

const FILE: &str = ".rhema/todos.yaml";

const TODOS: &str = "\
_crdt: v1 todos=or_set
todos:
  - id: a
    title: Alpha
    owner: nobody
  - id: b
    title: Beta
    owner: nobody
  - id: c
    title: Gamma
    owner: nobody
";

/// Two clones of which both know the document.
fn ground(world: &World) -> (Tree<'_>, Tree<'_>) {
    let (ann, ben) = pair(world);
    ann.write(FILE, TODOS);
    ann.commit("todos");
    ben.git(&["pull", "-q", "../ann", "main"]);
    sync(&ann);
    sync(&ben);
    (ann, ben)
}

/// The text with another owner of a record.
fn owned(text: &str, id: &str, owner: &str) -> String {
    let at = text.find(&format!("id: {id}\n")).unwrap();
    let (before, after) = text.split_at(at);
    let (own, rest) = after.split_once("owner: ").unwrap();
    let (_, rest) = rest.split_once('\n').unwrap();
    format!("{before}{own}owner: {owner}\n{rest}")
}

/// Somebody else's edit comes in beside what is typed.
fn ben_edits(ann: &Tree<'_>, ben: &Tree<'_>, id: &str, owner: &str) {
    ben.rhema(&["set", &format!("todos/{id}"), &format!("owner={owner}")])
        .exits(0);
    send(ben, ann);
}

#[test]
fn who_saves_again_what_they_typed_just_before_undoes_nothing() {
    let world = World::new();
    let (ann, ben) = ground(&world);
    ben_edits(&ann, &ben, "c", "ben");
    let typed = owned(TODOS, "a", "ann");
    ann.write(FILE, &typed);
    sync(&ann);
    assert!(ann.read(FILE).contains("owner: ben"));
    // The editor has not read that.
    ann.write(FILE, owned(&typed, "b", "ann"));
    sync(&ann);
    let text = ann.read(FILE);
    assert_eq!(text.matches("owner: ann\n").count(), 2, "{text}");
    assert_eq!(text.matches("owner: ben\n").count(), 1, "{text}");
    assert!(!text.contains("_crdt_conflicts"), "{text}");
}

#[test]
fn whatever_came_since_they_read_it_stands() {
    let world = World::new();
    let (ann, ben) = ground(&world);
    for (id, owner) in [("b", "ben"), ("c", "bob")] {
        ben_edits(&ann, &ben, id, owner);
        sync(&ann);
    }
    ben.rhema(&["add", "todos", "id=d", "title=Delta"]).exits(0);
    send(&ben, &ann);
    sync(&ann);
    ann.write(FILE, owned(TODOS, "a", "ann"));
    sync(&ann);
    let text = ann.read(FILE);
    for words in ["owner: ann\n", "owner: ben\n", "owner: bob\n", "id: d\n"] {
        assert!(text.contains(words), "{words}{text}");
    }
}

#[test]
fn what_was_not_seen_is_not_replaced_but_contested() {
    let world = World::new();
    let (ann, ben) = ground(&world);
    ben_edits(&ann, &ben, "a", "ben");
    sync(&ann);
    ann.write(FILE, owned(TODOS, "a", "ann"));
    sync(&ann);
    let text = ann.read(FILE);
    assert!(text.contains("owner: ann\n"), "{text}");
    assert!(text.contains("s.ben"), "the other one is kept: {text}");
}

/// `sync` of a debug build that is told something by its environment.
fn sync_with(world: &World, tree: &Tree<'_>, name: &str, value: &str) -> Run {
    let mut command = world.command(BINARY, &tree.top);
    let command = command.args(["crdt", "sync", "--timeout", "0"]);
    run(command.env(name, value))
}

/// The text without a record.
fn without(text: &str, id: &str) -> String {
    let at = text.find(&format!("  - id: {id}\n")).unwrap();
    let (before, after) = text.split_at(at);
    let end = after[1..]
        .find("  - id: ")
        .map_or(after.len(), |end| end + 1);
    format!("{before}{}", &after[end..])
}

/// Ben's edits come in, and one value wins against another one; then Ann, who had not read that yet, removes the record that Ben
/// had removed as well: the losing value is still kept.
fn removes_it_too(ann: &Tree<'_>, ben: &Tree<'_>, wins: &str, loses: &str) {
    let read = ann.read(FILE);
    send(ben, ann);
    sync(ann);
    let is_kept = |text: &str| {
        text.contains(&format!("owner: {wins}\n")) && text.contains(&format!("s.{loses}"))
    };
    let text = ann.read(FILE);
    assert!(is_kept(&text), "{text}");
    ann.write(FILE, without(&read, "c"));
    sync(ann);
    let text = ann.read(FILE);
    assert!(is_kept(&text), "{text}");
    assert!(!text.contains("id: c"), "{text}");
}

#[test]
fn who_removes_what_somebody_else_removed_just_then_settles_nothing_that_came_with_that() {
    let world = World::new();
    let (ann, ben) = ground(&world);
    ann.write(FILE, owned(TODOS, "b", "ann"));
    sync(&ann);
    ben.write(FILE, without(&owned(TODOS, "b", "ben"), "c"));
    sync(&ben);
    removes_it_too(&ann, &ben, "ben", "ann");
}

#[test]
fn nor_where_only_what_lost_came_with_it() {
    let world = World::new();
    let (ann, ben) = ground(&world);
    ben.write(FILE, without(&owned(TODOS, "b", "ben"), "c"));
    sync(&ben);
    ann.write(FILE, owned(TODOS, "b", "ann"));
    sync(&ann);
    removes_it_too(&ann, &ben, "ann", "ben");
}

#[test]
fn who_reads_what_git_just_wrote_takes_nothing_back_that_is_shown_upon_it() {
    let world = World::new();
    let (ann, ben) = ground(&world);
    ben.write(FILE, TODOS.replace("title: ", "title: The "));
    ben.commit("other titles");
    ben_edits(&ann, &ben, "c", "bob");
    ann.git(&["pull", "-q", "../ben", "main"]);
    let read = ann.read(FILE);
    assert!(!read.contains("owner: bob\n"), "{read}");
    sync(&ann);
    assert!(ann.read(FILE).contains("owner: bob\n"));
    ann.write(FILE, owned(&read, "b", "ann"));
    sync(&ann);
    let text = ann.read(FILE);
    assert!(text.contains("owner: bob\n"), "{text}");
    assert!(text.contains("owner: ann\n"), "{text}");
}

#[test]
fn whoever_puts_back_a_record_that_somebody_removed_gets_all_of_it() {
    let world = World::new();
    let (ann, ben) = ground(&world);
    ben_edits(&ann, &ben, "b", "ben");
    sync(&ann);
    let read = ann.read(FILE);
    ben.write(FILE, without(&ben.read(FILE), "b"));
    sync(&ben);
    send(&ben, &ann);
    sync(&ann);
    assert!(!ann.read(FILE).contains("id: b"));
    ann.write(FILE, &read);
    sync_with(&world, &ann, "RHEMA_RACE_MILLIS", "0").exits(0);
    let text = ann.read(FILE);
    assert!(text.contains("owner: ben\n"), "{text}");
    ann.commit("back");
    sync(&ann);
    let text = ann.read(FILE);
    assert!(text.contains("owner: ben\n"), "{text}");
}

#[test]
fn what_was_kept_from_being_written_was_seen_by_nobody() {
    let world = World::new();
    let (ann, ben) = ground(&world);
    ben_edits(&ann, &ben, "b", "ben");
    ann.write(FILE, owned(TODOS, "b", "ann"));
    sync_with(&world, &ann, "RHEMA_CRASH_AT", "before-file");
    let text = ann.read(FILE);
    assert_eq!(text, owned(TODOS, "b", "ann"));
    ann.write(FILE, without(&text, "b"));
    sync(&ann);
    let text = ann.read(FILE);
    assert!(text.contains("ben"), "{text}");
}

#[test]
fn what_came_just_before_somebody_saved_and_committed_stays_in_sight() {
    let world = World::new();
    let (ann, ben) = ground(&world);
    ben_edits(&ann, &ben, "b", "ben");
    sync(&ann);
    assert!(ann.read(FILE).contains("owner: ben\n"));
    ann.write(FILE, owned(TODOS, "a", "ann"));
    ann.git(&["commit", "-qam", "an edit"]);
    sync(&ann);
    let text = ann.read(FILE);
    assert!(text.contains("owner: ben\n"), "{text}");
    assert!(text.contains("owner: ann\n"), "{text}");
    // Who puts everything back means all of it.
    ann.git(&["checkout", "-q", FILE]);
    sync(&ann);
    assert!(!ann.read(FILE).contains("owner: ben\n"));
}

#[test]
fn nor_where_somebody_commits_what_came_before_the_tool_saves() {
    let world = World::new();
    let (ann, ben) = ground(&world);
    ben_edits(&ann, &ben, "b", "ben");
    sync(&ann);
    ann.git(&["commit", "-qam", "what came"]);
    sync(&ann);
    ann.write(FILE, owned(TODOS, "a", "ann"));
    sync(&ann);
    let text = ann.read(FILE);
    assert!(text.contains("owner: ben\n"), "{text}");
    assert!(text.contains("owner: ann\n"), "{text}");
}

#[test]
fn what_was_typed_over_can_be_put_back_with_its_stamp() {
    let world = World::new();
    let (ann, ben) = ground(&world);
    for by in [&ann, &ben] {
        by.write(FILE, owned(TODOS, "a", "one"));
        sync(by);
        send(&ben, &ann);
        sync(&ann);
        let first = ann.read(FILE);
        ann.write(FILE, owned(&first, "a", "two"));
        sync(&ann);
        ann.write(FILE, &first);
        sync(&ann);
        let text = ann.read(FILE);
        assert!(text.contains("owner: one\n"), "{text}");
        ann.git(&["checkout", "-q", FILE]);
        sync(&ann);
    }
}

/// Ann's value lost against Ben's, and she chooses it in some way.
fn chosen_again(choose: impl Fn(&Tree<'_>, &str)) {
    let world = World::new();
    let (ann, ben) = ground(&world);
    ann.rhema(&["set", "todos/a", "owner=ann"]).exits(0);
    let alone = ann.read(FILE);
    ben_edits(&ann, &ben, "a", "ben");
    sync(&ann);
    let contested = ann.read(FILE);
    assert!(contested.contains("~s.ann"), "{contested}");
    choose(&ann, &alone);
    sync(&ann);
    let chosen = ann.read(FILE);
    assert!(chosen.contains("owner: ann\n"), "{chosen}");
    assert!(!chosen.contains("_crdt_conflicts"), "{chosen}");
    // What was chosen can lose again.
    ben.rhema(&["set", "todos/a", "owner=bob"]).exits(0);
    send(&ben, &ann);
    sync(&ann);
    let text = ann.read(FILE);
    assert!(text.contains("owner: bob\n"), "{text}");
    assert!(text.contains("~s.ann"), "{text}");
}

#[test]
fn what_lost_can_be_put_back_with_its_stamp() {
    chosen_again(|ann, alone| {
        write_later(ann, FILE, alone);
    });
}

#[test]
fn what_lost_and_was_taken_all_the_same_can_lose_again() {
    chosen_again(|ann, _| {
        ann.rhema(&["resolve", "--path", "todos/a", "--take", "1"])
            .exits(0);
    });
    chosen_again(|ann, _| {
        ann.rhema(&["set", "todos/a", "owner=ann"]).exits(0);
    });
}

#[test]
fn what_was_seen_is_replaced() {
    let world = World::new();
    let (ann, ben) = ground(&world);
    ben_edits(&ann, &ben, "a", "ben");
    sync(&ann);
    ann.write(FILE, owned(&ann.read(FILE), "a", "ann"));
    sync(&ann);
    let text = ann.read(FILE);
    assert!(text.contains("owner: ann\n"), "{text}");
    assert!(!text.contains("s.ben"), "{text}");
}

#[test]
fn what_one_typed_oneself_can_be_taken_back_at_once() {
    let world = World::new();
    let (ann, _ben) = ground(&world);
    ann.write(FILE, owned(TODOS, "a", "ann"));
    sync(&ann);
    ann.write(FILE, TODOS);
    sync(&ann);
    let text = ann.read(FILE);
    assert_eq!(text.matches("owner: nobody\n").count(), 3, "{text}");
}

#[test]
fn who_removes_a_record_in_which_a_value_lost_that_two_had_written_removes_it_for_all() {
    let world = World::new();
    let (ann, ben) = ground(&world);
    let cyd = third(&world, &ann, "cyd");
    for (tree, owner) in [(&ann, "them"), (&ben, "them"), (&cyd, "cyd")] {
        tree.rhema(&["set", "todos/a", &format!("owner={owner}")])
            .exits(0);
    }
    // Of the value that lost the file names one edit only.
    for from in [&ann, &cyd] {
        send(from, &ben);
    }
    sync(&ben);
    let text = ben.read(FILE);
    assert!(text.contains("owner: cyd\n"), "{text}");
    assert!(text.contains("s.them"), "{text}");
    ben.write(FILE, without(&text, "a"));
    // It was read long ago.
    sync_with(&world, &ben, "RHEMA_RACE_MILLIS", "0").exits(0);
    for tree in [&ben, &ann, &cyd] {
        send(&ben, tree);
        sync(tree);
        let text = tree.read(FILE);
        assert!(!text.contains("id: a\n"), "{text}");
    }
}

#[test]
fn a_removal_that_was_taken_back_is_over_once_that_is_committed() {
    let world = World::new();
    let (ann, ben) = ground(&world);
    ben.rhema(&["set", "todos/b", "owner=ben"]).exits(0);
    ben.commit("owner");
    ann.git(&["pull", "-q", "../ben", "main"]);
    sync(&ann);
    ann.rhema(&["remove", "todos/b"]).exits(0);
    ann.rhema(&["set", "todos/a", "--unset", "owner"]).exits(0);
    send(&ann, &ben);
    sync(&ben);
    assert!(!ben.read(FILE).contains("id: b\n"));
    ben.write(
        FILE,
        ben.git(&["show", &format!("HEAD:{FILE}")]) + "  - id: d\n    title: Delta\n",
    );
    sync_with(&world, &ben, "RHEMA_RACE_MILLIS", "0").exits(0);
    send(&ben, &ann);
    sync(&ann);
    assert_eq!(ann.read(FILE), ben.read(FILE));
    ann.commit("all");
    ben.git(&["checkout", "-q", "."]);
    ben.git(&["pull", "-q", "../ann", "main"]);
    for tree in [&ann, &ben] {
        sync(tree);
        assert_eq!(
            tree.git(&["status", "--porcelain"]),
            "",
            "{}",
            tree.read(FILE)
        );
    }
}

#[test]
fn a_record_that_somebody_just_made_is_no_other_one_however_much_they_go_on_to_change_in_it() {
    let world = World::new();
    let (ann, ben) = ground(&world);
    let typed = format!("{TODOS}  - id: d\n    title: Delta\n    owner: ann\n    status: new\n");
    ann.write(FILE, &typed);
    sync(&ann);
    ben_edits(&ann, &ben, "b", "ben");
    sync(&ann);
    // Three saves that nobody had time to look at.
    let later = typed.replace("title: Delta", "title: Other");
    let later = later.replace("owner: ann", "owner: eve");
    ann.write(FILE, later.replace("status: new", "status: old"));
    sync(&ann);
    let text = ann.read(FILE);
    assert_eq!(text.matches("  - id: ").count(), 4, "{text}");
    for words in [
        "title: Other\n",
        "owner: eve\n",
        "status: old\n",
        "owner: ben\n",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn what_somebody_wrote_over_a_commit_is_not_taken_for_what_that_had_changed() {
    let world = World::new();
    let (ann, ben) = ground(&world);
    ann.write(FILE, owned(TODOS, "b", "ann"));
    ann.git(&["commit", "-qam", "before anybody looked"]);
    sync(&ann);
    ann.write(FILE, ann.read(FILE) + "  - id: d\n    title: Delta\n");
    ben.git(&["pull", "-q", "../ann", "main"]);
    sync(&ben);
    ben_edits(&ann, &ben, "b", "ben");
    sync(&ann);
    let text = ann.read(FILE);
    assert!(text.contains("owner: ben\n"), "{text}");
    assert!(text.contains("Delta"), "{text}");
    assert!(!text.contains("_crdt_conflicts"), "{text}");
}

#[test]
fn of_what_may_have_been_read_it_is_what_lacks_somebody_elses_stamp() {
    let world = World::new();
    let (ann, ben) = ground(&world);
    let read = ann.read(FILE);
    ben_edits(&ann, &ben, "a", "ben");
    sync(&ann);
    let with_ben = ann.read(FILE);
    // She edits by hand while a tool of hers still holds what it read before.
    ann.write(FILE, owned(&with_ben, "c", "ann"));
    sync(&ann);
    ann.write(FILE, owned(&read, "a", "tool"));
    sync(&ann);
    let text = ann.read(FILE);
    assert!(text.contains("owner: tool\n"), "{text}");
    assert!(text.contains("s.ben"), "the other one is kept: {text}");
}

#[test]
fn what_stands_again_as_later_edits_were_taken_back_is_no_sign_of_having_read_that() {
    let world = World::new();
    let (ann, ben) = ground(&world);
    let cyd = third(&world, &ann, "cyd");
    cyd.rhema(&["set", "todos/a", "owner=cyd"]).exits(0);
    for tree in [&ann, &ben] {
        send(&cyd, tree);
        sync(tree);
    }
    ben_edits(&ann, &ben, "a", "ben");
    sync(&ann);
    let read = ann.read(FILE);
    assert!(read.contains("owner: ben\n"), "{read}");
    ben.git(&["checkout", "-q", FILE]);
    sync(&ben);
    ben_edits(&ann, &ben, "c", "eve");
    sync(&ann);
    let text = ann.read(FILE);
    assert!(text.contains("owner: cyd\n"), "{text}");
    assert!(text.contains("owner: eve\n"), "{text}");
    ann.write(FILE, owned(&read, "b", "tool"));
    sync(&ann);
    let text = ann.read(FILE);
    for owner in ["tool", "cyd", "eve"] {
        assert!(text.contains(&format!("owner: {owner}\n")), "{text}");
    }
}

#[test]
fn whoever_has_a_record_that_just_came_had_read_of_it_though_they_drop_what_is_said_of_it() {
    let world = World::new();
    let (ann, ben) = ground(&world);
    ben.rhema(&["add", "todos", "id=d", "title=Delta", "owner=ben"])
        .exits(0);
    send(&ben, &ann);
    sync(&ann);
    let bare = without_lines(&ann.read(FILE), |line| line.starts_with("    _crdt: "));
    ann.write(FILE, owned(&bare, "a", "ann"));
    ben_edits(&ann, &ben, "d", "bob");
    sync(&ann);
    let text = ann.read(FILE);
    assert!(text.contains("owner: bob\n"), "{text}");
    assert!(text.contains("owner: ann\n"), "{text}");
    assert!(!text.contains("_crdt_conflicts"), "{text}");
}

#[test]
fn who_saves_again_a_record_that_got_its_second_name_meanwhile_changes_no_other() {
    let world = World::new();
    let (ann, ben) = ground(&world);
    ben.rhema(&["add", "todos", "id=d", "title=Delta", "owner=ben"])
        .exits(0);
    send(&ben, &ann);
    let typed = format!("{TODOS}  - id: d\n    title: Dalet\n    owner: ann\n");
    ann.write(FILE, &typed);
    sync(&ann);
    assert!(ann.read(FILE).contains("id: d-"), "{}", ann.read(FILE));
    // The editor has not read that.
    ann.write(FILE, owned(&typed, "b", "ann"));
    sync(&ann);
    let text = ann.read(FILE);
    for said in ["title: Delta\n", "title: Dalet\n", "owner: ben\n"] {
        assert!(text.contains(said), "{text}");
    }
    assert_eq!(text.matches("owner: ann\n").count(), 2, "{text}");
}
