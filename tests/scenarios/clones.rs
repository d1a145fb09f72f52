//! The same with clones, a remote, `git pull` and `git push`, as in everyday work.

use crate::support::{Tree, World};
use crate::team::{FILE, TODOS};
use crate::text::dedent;

/// Two clones of one repository, both set up.
fn clones(world: &World) -> [Tree<'_>; 2] {
    let start = world.repo("start", &[(FILE, &dedent(TODOS))]);
    let folder = world.path("");
    let clone = |from: &str, to: &str, more: &[&str]| {
        let arguments = [&["clone", "-q"], more, &[from, to]].concat();
        crate::support::run(world.command("git", &folder).args(arguments)).exits(0);
        world.tree(to)
    };
    start.rhema(&["init", "-q", "--no-join"]).exits(0);
    start.commit("set up");
    clone("start", "hub", &["--bare"]);
    ["ann", "ben"].map(|name| {
        let tree = clone("hub", name, &[]);
        tree.rhema(&["init", "-q"]).exits(0);
        tree.commit("join");
        pull(&tree);
        tree
    })
}

/// Takes what others pushed, and pushes.
#[track_caller]
fn pull(tree: &Tree<'_>) {
    tree.git(&["pull", "-q", "--no-rebase", "--no-edit"]);
    tree.git(&["push", "-q"]);
}

#[track_caller]
fn priority(tree: &Tree<'_>, value: &str) {
    let text = tree.read(FILE);
    let old = text.lines().find(|line| line.contains("priority: "));
    tree.write(
        FILE,
        text.replacen(old.unwrap(), &format!("    priority: {value}"), 1),
    );
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
    tree.commit("an edit");
}

fn settle(tree: &Tree<'_>, choice: &str) {
    tree.rhema(&["resolve", "--path", "todos/tide/priority", "--take", choice])
        .exits(0);
    tree.commit("settled");
}

#[test]
fn clones_converge_over_a_conflict_that_both_settle_differently() {
    let world = World::new();
    let [ann, ben] = clones(&world);
    priority(&ann, "medium");
    pull(&ann);
    priority(&ben, "critical");
    pull(&ben);
    pull(&ann);
    assert_eq!(ann.read(FILE), ben.read(FILE));
    ann.rhema(&["resolve", "--list"]).exits(1);

    settle(&ann, "winner");
    settle(&ben, "1");
    pull(&ben);
    pull(&ann);
    pull(&ben);
    assert_eq!(ann.read(FILE), ben.read(FILE));
    assert!(ann.read(FILE).contains("    priority: medium\n"));
    ben.rhema(&["resolve", "--list"]).exits(1);

    settle(&ann, "winner");
    pull(&ann);
    pull(&ben);
    assert_eq!(ann.read(FILE), ben.read(FILE));
    ben.rhema(&["resolve", "--list"]).exits(0);
    for tree in [&ann, &ben] {
        tree.rhema(&["verify"]).exits(0);
        assert_eq!(tree.git(&["status", "--porcelain"]), "");
    }
}

#[test]
fn work_is_pulled_with_a_rebase() {
    let world = World::new();
    let [ann, ben] = clones(&world);
    priority(&ann, "medium");
    pull(&ann);
    for value in ["one", "two", "three"] {
        priority(&ben, value);
    }
    ben.git(&["pull", "-q", "--rebase"]);
    ben.git(&["push", "-q"]);
    pull(&ann);
    assert_eq!(ann.read(FILE), ben.read(FILE));
    // Each commit says what its author wrote, and Ann's value is kept all along.
    let file = format!(":{FILE}");
    for (commit, value) in [("HEAD~2", "one"), ("HEAD~1", "two"), ("HEAD", "three")] {
        let text = ben.git(&["show", &format!("{commit}{file}")]);
        assert!(text.contains(&format!("    priority: {value}\n")), "{text}");
        assert_eq!(text.matches("~s.medium\n").count(), 1, "{text}");
    }
}
