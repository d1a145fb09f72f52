//! One person alone, by command and by hand: what they did stands, what they took away stays away, and nothing is contested.
//! Each of these was found by the walks of one person alone (`tests/walks/commands.rs`), or would have been.

use crate::support::{Tree, World};

const FILE: &str = ".rhema/todos.yaml";

const TODOS: &str = "\
t: x
todos:
  - id: a
    title: First
    note: {z: 1}
  - id: b
    title: Second
";

fn set_up(world: &World) -> Tree<'_> {
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    tree.rhema(&["init", "--no-join"]).exits(0);
    tree.commit("set up");
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
    tree
}

/// What the file says, without what is said about it; nothing is contested in it.
#[track_caller]
fn said(tree: &Tree<'_>) -> String {
    let text = tree.read(FILE);
    assert!(!text.contains("_crdt_conflicts"), "{text}");
    let lines = text.lines().filter(|line| !line.contains("_crdt:"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Everything committed, the tree is clean and stays so.
#[track_caller]
fn committed(tree: &Tree<'_>) {
    tree.commit("an edit");
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
    assert_eq!(tree.git(&["status", "--porcelain"]), "");
}

#[test]
fn an_empty_list_that_is_taken_away_is_gone() {
    let world = World::new();
    let tree = set_up(&world);
    tree.rhema(&["set", ".", "l=[]"]).exits(0);
    tree.rhema(&["set", ".", "--unset", "l"]).exits(0);
    assert_eq!(said(&tree), TODOS);
    tree.rhema(&["set", "todos/b", "tags=[]"]).exits(0);
    tree.rhema(&["remove", "todos/b"]).exits(0);
    assert!(!said(&tree).contains("id: b"), "{}", said(&tree));
    committed(&tree);
}

#[test]
fn what_took_the_place_of_a_mapping_is_taken_away_like_anything_else() {
    let world = World::new();
    let tree = set_up(&world);
    for value in ["note=[1, 2]", "note=1"] {
        tree.rhema(&["set", "todos/a", value]).exits(0);
        tree.rhema(&["set", "todos/a", "--unset", "note"]).exits(0);
        assert_eq!(said(&tree), TODOS.replace("    note: {z: 1}\n", ""));
    }
    committed(&tree);
}

#[test]
fn a_mapping_takes_the_place_of_an_empty_list_that_was_taken_away() {
    let world = World::new();
    let tree = set_up(&world);
    tree.rhema(&["set", ".", "l=[]"]).exits(0);
    committed(&tree);
    tree.rhema(&["set", ".", "--unset", "l"]).exits(0);
    tree.rhema(&["set", ".", "l={z: 1}"]).exits(0);
    assert_eq!(said(&tree), TODOS.to_owned() + "l: {z: 1}\n");
    committed(&tree);
}

#[test]
fn a_mapping_comes_back_in_the_place_of_records() {
    let world = World::new();
    let tree = set_up(&world);
    tree.write(FILE, tree.read(FILE).replace("t: x", "t: y"));
    tree.rhema(&["set", "todos/a", "note=[{id: p, v: 1}]"])
        .exits(0);
    tree.rhema(&["undo"]).exits(0);
    assert_eq!(said(&tree), TODOS.replace("t: x", "t: y"));
    committed(&tree);
}

#[test]
fn a_record_gets_the_name_of_one_that_went_after_it_was_born() {
    let world = World::new();
    let tree = set_up(&world);
    tree.rhema(&["add", "todos", "id=c", "title=Third"])
        .exits(0);
    tree.rhema(&["remove", "todos/b"]).exits(0);
    tree.rhema(&["set", "todos/c", "id=b"]).exits(0);
    assert_eq!(said(&tree), TODOS.replace("Second", "Third"));
    committed(&tree);
}

#[test]
fn a_field_that_was_taken_away_stays_away_when_one_that_changes_with_it_is_set() {
    let world = World::new();
    let tree = set_up(&world);
    tree.rhema(&["set", "todos/b", "status=pending"]).exits(0);
    committed(&tree);
    tree.rhema(&["set", "todos/b", "--unset", "status"])
        .exits(0);
    tree.rhema(&["set", "todos/b", "outcome=Done"]).exits(0);
    assert_eq!(said(&tree), TODOS.to_owned() + "    outcome: Done\n");
    committed(&tree);
    assert_eq!(said(&tree), TODOS.to_owned() + "    outcome: Done\n");
}

#[test]
fn a_record_that_lost_its_title_is_the_same_record() {
    let world = World::new();
    let tree = set_up(&world);
    tree.rhema(&["set", "todos/a", "--unset", "title"]).exits(0);
    committed(&tree);
    let before = said(&tree);
    tree.rhema(&["remove", "todos/a"]).exits(0);
    tree.rhema(&["undo"]).exits(0);
    assert_eq!(said(&tree), before);
}

#[test]
fn what_stood_in_the_place_of_a_mapping_that_was_committed_is_over() {
    let world = World::new();
    let tree = set_up(&world);
    for value in ["t=[1]", "t={z: 1}"] {
        tree.rhema(&["set", ".", value]).exits(0);
    }
    committed(&tree);
    tree.rhema(&["set", ".", "t=q"]).exits(0);
    assert_eq!(said(&tree), TODOS.replace("t: x", "t: q"));
    committed(&tree);
}

/// A record lost its title, got the name of one that was removed, and lost that again, three times taken back; what the file said before.
fn renamed_and_taken_back(tree: &Tree<'_>) -> String {
    tree.rhema(&["set", "todos/a", "--unset", "title"]).exits(0);
    tree.rhema(&["remove", "todos/b"]).exits(0);
    let before = said(tree);
    tree.write(FILE, tree.read(FILE).replace("id: a", "id: b"));
    let renamed = said(tree);
    for expected in [&before, &renamed, &before] {
        tree.rhema(&["undo"]).exits(0);
        assert_eq!(said(tree), *expected);
    }
    before
}

#[test]
fn a_record_without_a_title_gets_the_name_of_another_one_again() {
    let world = World::new();
    renamed_and_taken_back(&set_up(&world));
}

#[test]
#[ignore = "not mended: the removal counts as contained, as HEAD had another record of that name, and what it removed is shown again"]
fn a_record_that_went_by_the_name_of_a_removed_one_stays_away_once_that_is_committed() {
    let world = World::new();
    let tree = set_up(&world);
    let before = renamed_and_taken_back(&tree);
    committed(&tree);
    assert_eq!(said(&tree), before);
}
