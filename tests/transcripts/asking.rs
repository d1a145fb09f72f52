//! Reading and editing by command.

use crate::support::World;
use crate::tour::Tour;

const TODOS: &str = "\
# What is to be done, most urgent first.
todos:
  - id: ship-it
    title: Ship the first release
    status: in_progress
    priority: high
    created_at: 2026-10-02
  - id: docs
    title: Write the guide
    status: pending
    priority: medium
    created_at: 2026-10-05
  - id: logo
    title: Draw a logo
    status: pending
    created_at: 2026-09-28
";

#[test]
fn editing_by_command_reads_as_it_is_told() {
    let world = World::new();
    let ann = world.repo("notes", &[(".rhema/todos.yaml", TODOS)]);
    let mut tour = Tour::new(&world, "editing", "Editing by command");
    tour.say("A repository whose todos are kept in `.rhema/todos.yaml`.");
    tour.types(&ann, "rhema crdt init");
    tour.quietly(&ann, "git add -A && git commit -qm 'set up rhema crdt'");
    tour.say("Commands name what they mean by `collection/id/field`. A value is a YAML scalar.");
    tour.types(
        &ann,
        "rhema crdt set todos/docs status=in_progress priority=high",
    );
    tour.types(
        &ann,
        "rhema crdt add todos id=faq title='Collect questions' status=pending",
    );
    tour.types(&ann, "rhema crdt move todos/faq --first");
    tour.types(&ann, "rhema crdt get todos/docs");
    tour.types(&ann, "git diff --stat");
    tour.say("Whoever prefers an editor edits the file. What was typed is an edit like any other.");
    tour.edits(
        &ann,
        ".rhema/todos.yaml",
        "    title: Draw a logo",
        "    title: Draw a better logo",
    );
    tour.types(&ann, "rhema crdt sync --timeout 0");
    tour.types(&ann, "rhema crdt status");
    tour.say("What cannot be done is told with what could be meant, and nothing is changed.");
    tour.types(&ann, "rhema crdt set todos/dosc status=done");
    tour.ends();
}
