//! A clock that is set back or ahead between two edits.

use crate::check::{FILE, OTHER, SYNC, TODOS, bare, is_whole, set_up, writes};
use crate::support::{BINARY, World, run};

#[test]
fn a_clock_that_is_set_back_and_ahead_leaves_the_order_of_edits() {
    if !cfg!(debug_assertions) {
        eprintln!("skipped: only debug builds take a clock that is off");
        return;
    }
    let world = World::new();
    let tree = set_up(&world);
    let mut text = TODOS.to_owned();
    let hours = ["0", "-3600000", "0", "3600000", "-3600000", "0"];
    for (round, off_by) in hours.into_iter().enumerate() {
        let rhema = |arguments: &[&str]| {
            let mut command = world.command(BINARY, &tree.top);
            command.env("RHEMA_CLOCK_OFF_BY_MILLIS", off_by);
            run(command.arg("crdt").args(arguments)).exits(0)
        };
        let line = text.lines().find(|line| line.contains("title: ")).unwrap();
        let typed = format!("    title: Typed {round}");
        tree.write(FILE, tree.read(FILE).replacen(line, &typed, 1));
        assert_eq!(rhema(&SYNC).json()["edits_recorded"], 1, "round {round}");
        text = text.replacen(line, &typed, 1);
        let next = format!("title=Set {round}");
        rhema(&["set", "--file", FILE, "todos/a", &next]);
        text = text.replacen(&typed, &format!("    title: Set {round}"), 1);
        if round == 2 {
            tree.git(&["commit", "-q", "-a", "-m", "some"]);
        }
        rhema(&["status"]);
        // The time is right again for a moment. Where it was set back own edits that are not committed were issued anew.
        assert_eq!(tree.rhema(&SYNC).exits(0).json()["edits_recorded"], 0);
        assert_eq!(bare(&tree.read(FILE)), text, "round {round}");
        assert_eq!(tree.read(OTHER), TODOS, "round {round}");
        is_whole(&tree.path(".git"), off_by);
    }
    assert!(!tree.read(FILE).contains("_crdt_conflicts"));
    let known = writes(&tree.path(".git"), FILE);
    assert_eq!(known.len(), 2 * hours.len(), "each is known: {known:?}");
    tree.rhema(&["verify"]).exits(0);
}
