//! `undo` of what was done here last: where one deed ends and the next one begins.

use crate::support::{Tree, World};

const FILE: &str = ".rhema/todos.yaml";

const TODOS: &str = "\
todos:
  - id: a
    title: First
  - id: b
    title: Second
";

fn set_up<'w>(world: &'w World, todos: &str) -> Tree<'w> {
    let tree = world.repo("repo", &[(FILE, todos)]);
    tree.rhema(&["init", "--no-join"]).exits(0);
    tree.commit("set up");
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
    tree
}

#[test]
fn what_was_saved_before_a_command_is_not_taken_back_with_it() {
    let world = World::new();
    let tree = set_up(&world, TODOS);
    let typed = tree.read(FILE).replace("First", "By hand");
    tree.write(FILE, &typed);
    tree.rhema(&["set", "todos/b", "title=By command"]).exits(0);
    tree.rhema(&["undo"]).exits(0);
    let text = tree.read(FILE);
    assert!(
        text.contains("By hand") && text.contains("Second"),
        "{text}"
    );
    tree.write(FILE, text.replace("By hand", "By hand again"));
    tree.rhema(&["remove", "todos/b"]).exits(0);
    tree.rhema(&["undo"]).exits(0);
    let text = tree.read(FILE);
    assert!(
        text.contains("By hand again") && text.contains("Second"),
        "{text}"
    );
}

#[test]
fn all_that_one_save_did_to_many_records_is_taken_back() {
    let world = World::new();
    let record = |number| format!("  - id: r{number}\n    title: Title {number}\n");
    let todos: String = (0..20).map(record).collect();
    let tree = set_up(&world, &format!("todos:\n{todos}"));
    let before = tree.read(FILE);
    let edited = before.replace("title: Title", "title: Another");
    let gone = edited.find("  - id: r3\n").unwrap()..edited.find("  - id: r4\n").unwrap();
    let mut edited = edited;
    edited.replace_range(gone, "");
    tree.write(FILE, edited);
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
    tree.rhema(&["undo"]).exits(0);
    assert_eq!(tree.read(FILE), before);
}

#[test]
fn what_nobody_sees_is_not_what_was_done_last() {
    let world = World::new();
    let tree = set_up(&world, TODOS);
    let whole = tree.read(FILE);
    tree.write(FILE, &whole[..whole.find("  - id: b").unwrap()]);
    tree.rhema(&["add", "todos", "id=b", "title=New", "note=[]"])
        .exits(0);
    let before = tree.read(FILE);
    tree.write(FILE, before.replace("note: []", "note: typed"));
    // What was typed replaces how the record had been written, too: that is taken back when this is looked at.
    tree.commit("typed");
    tree.rhema(&["undo"]).exits(0);
    assert!(tree.read(FILE).contains("note: []"), "{}", tree.read(FILE));
}

#[test]
#[ignore = "not mended: a commit that nobody had looked at takes a removal back, and the look after it takes the other name for that removal"]
fn what_was_typed_after_a_commit_is_taken_back_without_what_the_commit_did() {
    let world = World::new();
    let tree = set_up(&world, TODOS);
    let whole = tree.read(FILE);
    let first = whole.find("  - id: a").unwrap()..whole.find("  - id: b").unwrap();
    let cut = whole.replace(&whole[first.clone()], "");
    tree.write(FILE, &cut);
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
    // It is put back in another place, and committed before anybody looks.
    tree.write(FILE, cut + &whole[first]);
    tree.commit("put back");
    let before = tree.read(FILE);
    tree.write(FILE, before.replace("id: a", "id: c"));
    tree.rhema(&["undo"]).exits(0);
    assert_eq!(tree.read(FILE), before);
}

#[test]
fn a_record_gets_the_name_of_one_that_was_edited_and_removed_and_gives_it_back() {
    let world = World::new();
    let tree = set_up(&world, TODOS);
    tree.rhema(&["set", "todos/a", "note=x"]).exits(0);
    tree.rhema(&["remove", "todos/a"]).exits(0);
    tree.commit("removed");
    let before = tree.read(FILE);
    tree.write(FILE, before.replace("id: b", "id: a"));
    tree.rhema(&["undo"]).exits(0);
    assert_eq!(tree.read(FILE), before);
}
