//! What was edited, by whom, and back again.

use crate::support::World;
use crate::tour::Tour;

const TODOS: &str = "\
todos:
  - id: ship-it
    title: Ship the first release
    status: in_progress
    priority: high
  - id: logo
    title: Draw a logo
    status: pending
";

#[test]
fn history_reads_as_it_is_told() {
    let world = World::new();
    let files = [
        (".rhema/todos.yaml", TODOS),
        (".rhema/crdt/config.yaml", "discovery: off\n"),
    ];
    let ann = world.repo("ann", &files);
    let mut tour = Tour::new(
        &world,
        "history",
        "What was edited, by whom, and back again",
    );
    tour.say("Before there was `rhema crdt` in this repository somebody wrote two todos. Then Ann set it up and worked for a while.");
    tour.quietly(
        &ann,
        "git config user.name Ann && rhema crdt init && git add -A && git commit -qm 'set up' && sleep 1",
    );
    tour.types(
        &ann,
        "rhema crdt set todos/ship-it status=completed outcome='Out since Friday'",
    );
    tour.types(&ann, "rhema crdt remove todos/logo");
    tour.quietly(&ann, "git commit -qam 'work' && sleep 1");
    tour.types(
        &ann,
        "rhema crdt add todos id=faq title='Collect questions' status=pending",
    );
    tour.types(&ann, "rhema crdt set todos/ship-it priority=low");
    tour.say("What happened? Edits, not lines, the newest first, with the commit that has each.");
    tour.types(&ann, "rhema crdt log");
    tour.types(&ann, "rhema crdt log todos/logo");
    tour.types(
        &ann,
        "rhema crdt log --where \"kind = 'changed' AND to = 'completed'\" --json",
    );
    tour.say("Who wrote what stands there now?");
    tour.types(&ann, "rhema crdt blame todos/ship-it");
    tour.say("How did it look, and what is different?");
    tour.types(&ann, "rhema crdt show todos --at HEAD~1");
    tour.types(&ann, "rhema crdt diff HEAD");
    tour.types(&ann, "rhema crdt diff HEAD~1 HEAD todos/ship-it");
    tour.say("The last edit is taken back, and given again.");
    tour.types(&ann, "rhema crdt undo");
    tour.types(&ann, "rhema crdt undo");
    tour.say(
        "A whole commit is taken back, but nothing of it that something else was done to since.",
    );
    tour.types(&ann, "rhema crdt set todos/ship-it status=in_progress");
    tour.types(&ann, "rhema crdt undo HEAD");
    tour.types(&ann, "rhema crdt undo HEAD --force");
    tour.types(&ann, "rhema crdt get todos");
    tour.ends();
}
