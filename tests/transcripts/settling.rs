//! What is contested: seen, explained, settled.

use crate::support::World;
use crate::tour::Tour;

const TODOS: &str = "\
todos:
  - id: ship-it
    title: Ship the first release
    status: in_progress
    priority: high
    votes: 3
    notes: |
      Ask the others.
      Write it down.
      Tell everybody.
  - id: logo
    title: Draw a logo
    status: pending
";

#[test]
fn settling_reads_as_it_is_told() {
    let world = World::new();
    let config = "discovery: off\ntypes:\n  todos[].votes: pn_counter\n";
    let files = [
        (".rhema/todos.yaml", TODOS),
        (".rhema/crdt/config.yaml", config),
    ];
    let ann = world.repo("ann", &files);
    let mut tour = Tour::new(&world, "settling", "Seeing and settling conflicts");
    tour.say(
        "Ann and Ben each worked on a branch. Both set the priority of a todo and rewrote the same line of its notes; Ben \
         deleted a todo that Ann changed; and both added one called `faq`.",
    );
    tour.quietly(
        &ann,
        "git config user.name Ann && rhema crdt init && git add -A && git commit -qm 'set up' && git clone -q . ../ben",
    );
    let ben = world.tree("ben");
    let done = "rhema crdt sync --timeout 0 && git commit -qam work";
    tour.quietly(
        &ben,
        &format!(
            "git config user.name Ben && rhema crdt init && git add -A && git commit -qm 'join' && git switch -qc bens && \
             rhema crdt set todos/ship-it priority=low && rhema crdt remove todos/logo && \
             rhema crdt add todos id=faq title='Collect questions' status=pending && \
             sed -i 's/Write it down./Write a page./' .rhema/todos.yaml && {done}"
        ),
    );
    tour.quietly(
        &ann,
        &format!(
            "rhema crdt set todos/ship-it priority=urgent && rhema crdt set todos/logo status=in_progress && \
             rhema crdt add todos id=faq title='Answer by mail' status=pending && \
             sed -i 's/Write it down./Write a letter./' .rhema/todos.yaml && {done} && git fetch -q ../ben bens:bens"
        ),
    );
    tour.types(&ann, "git merge -q --no-edit bens");
    tour.say("The file holds a whole, valid document. What lost is kept in it until somebody settles it.");
    tour.types(&ann, "rhema crdt resolve --list");
    tour.say("On a terminal `rhema crdt resolve` asks about each in turn. Why does something stand as it does?");
    tour.types(&ann, "rhema crdt why todos/ship-it/priority");
    tour.say("Each is settled by what stands, by what lost, or by another value.");
    tour.types(
        &ann,
        "rhema crdt resolve --path todos/ship-it/priority --value medium",
    );
    tour.types(
        &ann,
        "rhema crdt resolve --path todos/ship-it/notes --take 1",
    );
    tour.types(&ann, "rhema crdt resolve --path todos/logo --take winner");
    tour.types(
        &ann,
        "rhema crdt get \"todos WHERE id LIKE 'faq%'\" --conflicts",
    );
    tour.types(&ann, "rhema crdt resolve --path todos/faq-bkk --value mail");
    tour.types(
        &ann,
        "rhema crdt get \"todos WHERE status = 'pending' ORDER BY title LIMIT 10\"",
    );
    tour.say("What does not fit the type of its place is recorded by nobody, and listed as well.");
    tour.edits(&ann, ".rhema/todos.yaml", "    votes: 3", "    votes: many");
    tour.types(&ann, "rhema crdt resolve");
    tour.types(
        &ann,
        "rhema crdt resolve --path todos/ship-it --take winner",
    );
    tour.types(&ann, "rhema crdt why todos/ship-it/priority");
    tour.ends();
}
