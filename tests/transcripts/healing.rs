//! Merges that ran without the driver, found and put right; the store, made small.

use crate::support::World;
use crate::tour::Tour;

const FILE: &str = ".rhema/todos.yaml";

const TODOS: &str = "todos:\n  - id: plan\n    title: Plan the fair\n    status: done\n";

const SHIP: &str = "  - id: ship
    title: Ship it
    status: pending
    priority: high
    assigned: nobody
    tags: [fair]
    place: hall 3
";

const TEST: &str = "  - id: test
    title: Test it
    status: pending
    priority: high
    assigned: nobody
    tags: [fair]
    owner: ada
";

#[test]
fn healing_reads_as_it_is_told() {
    let world = World::new();
    let ann = world.repo("notes", &[(FILE, TODOS)]);
    let mut tour = Tour::new(&world, "healing", "A merge without the driver");
    tour.quietly(
        &ann,
        "rhema crdt init && git add -A && git commit -qm 'set up rhema crdt' && git tag v1",
    );
    let text = ann.read(FILE);
    ann.on_branch("ship", FILE, format!("{text}{SHIP}"));
    ann.on_branch("test", FILE, format!("{text}{TEST}"));
    tour.say(
        "Two branches add a todo each. Somebody merges them in a clone in which nobody ran `rhema crdt init`, with git's own \
         `merge=union`: where both added lines at one place it keeps all of them, and those that are alike once.",
    );
    let clone = world.path("clone");
    tour.quietly(&ann, &format!("git clone -q . {}", clone.display()));
    let clone = world.tree("clone");
    tour.quietly(
        &clone,
        "echo '*.yaml merge=union' > .git/info/attributes && git checkout -q ship && git merge -q -m 'Merge test into ship' \
         origin/test && git push -q origin HEAD:refs/heads/merged",
    );
    tour.quietly(&ann, "git checkout -q merged");
    tour.types(&ann, "rhema crdt get todos");
    tour.say("No conflict, and yet `ship` lost most of its fields, and `test` has one of them. `verify` finds it.");
    tour.types(&ann, "rhema crdt verify --since v1");
    tour.say("In a workflow (`docs/workflow.yml`) the same is an annotation of the file.");
    tour.types(&ann, "rhema crdt verify --since v1 --format github");
    tour.say("Meanwhile somebody goes on working.");
    tour.types(&ann, "rhema crdt set todos/test owner=ben");
    tour.quietly(&ann, "git commit -qam 'Ben tests'");
    tour.say("`heal` makes the merge again as the driver would have, and shows what differs.");
    tour.types(&ann, "rhema crdt heal --dry-run");
    tour.types(&ann, "rhema crdt heal");
    tour.types(&ann, "rhema crdt get todos");
    tour.say("Nothing of either side is lost, what was edited since stayed, and it is an edit like any other.");
    tour.types(&ann, "rhema crdt verify --since v1");
    tour.types(
        &ann,
        "git commit -qam 'Put right what the merge lost' && rhema crdt heal",
    );
    tour.ends();
}
