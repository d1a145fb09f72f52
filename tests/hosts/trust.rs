//! Who gets something, and who gets nothing.

use crate::host::Team;
use crate::watching::eventually;

const MEMBERS: &str = ".rhema/crdt/members.yaml";

#[test]
fn a_clone_whose_key_nobody_committed_gets_nothing() {
    let Some(team) = Team::strangers("stranger", 2) else {
        return;
    };
    let (ann, eve) = (&team.hosts[0], &team.hosts[1]);
    let before = eve.text();
    // She knows everybody, and has a key of which nobody knows.
    eve.rhema(&["init"]).exits(0);
    let first = ann.watch();
    ann.set("todos/a", "title=Secret");
    // The first call is answered; whoever calls again and again is not answered for a while.
    let call = eve.rhema(&["sync", "--timeout", "2"]);
    println!("a stranger's call: {}{}", call.stdout, call.stderr);
    assert!(call.stdout.contains("they do not know this work tree"));
    call.exits(1);
    eve.rhema(&["sync", "--timeout", "2", "--peer", &ann.node()])
        .exits(3);
    let second = eve.watch();
    second.says("they do not know this work tree");
    assert_eq!(eve.known_edits(), 0, "something reached a stranger");
    assert_eq!(ann.known_edits(), 1);
    assert_eq!(eve.text(), before);
    assert!(!first.has_said("\"connected\""), "{}", first.all());
    first.end("TERM");
    second.end("TERM");
}

#[test]
fn one_whom_a_commit_removes_is_cut_off() {
    let Some(team) = Team::new("removed", 2) else {
        return;
    };
    let (ann, ben) = (&team.hosts[0], &team.hosts[1]);
    let (first, second) = (ann.watch(), ben.watch());
    ann.set("todos/a", "title=Aleph");
    team.agree_on(&["title: Aleph"]);
    ann.rhema(&["peers", "remove", &ben.node()]).exits(0);
    ann.git(&["commit", "-q", "-m", "Ben has left", MEMBERS]);
    first.says("gone");
    second.says("gone");
    ann.set("todos/b", "title=Secret");
    // He calls again, and is refused.
    second.says("they do not know this work tree");
    ben.rhema(&["sync", "--timeout", "3"]);
    assert!(!ben.text().contains("Secret"), "{}", ben.text());
    assert!(ann.text().contains("title: Secret"));
    first.end("TERM");
    second.end("TERM");
}

#[test]
fn a_reader_gets_everything_and_is_told_that_nothing_is_taken_from_it() {
    let Some(team) = Team::strangers("reader", 2) else {
        return;
    };
    let (ann, ben) = (&team.hosts[0], &team.hosts[1]);
    ben.rhema(&["init", "--no-join"]).exits(0);
    ann.rhema(&[
        "peers",
        "add",
        &ben.key(),
        "--name",
        "ben",
        "--role",
        "reader",
    ])
    .exits(0);
    ann.tree().commit("Ben may read");
    // By his own account he is no member yet: he learns from the others what he may do.
    ben.rhema(&["peers", "trust", &ann.key()]).exits(0);
    let (first, second) = (ann.watch(), ben.watch());
    ben.set("todos/b", "title=Bravo");
    ann.set("todos/a", "title=Aleph");
    eventually(|| ben.text().contains("title: Aleph"), || second.all());
    second.says("it takes no edits from this work tree");
    first.says("not taken from it: edits of a member that may read only");
    // Now HEAD tells him himself.
    ben.git(&["stash", "-q"]);
    ben.pull(ann);
    ben.set("todos/b", "title=Bravo");
    second.says("lets this work tree read only");
    ann.set("todos/c", "title=Gimel");
    eventually(|| ben.text().contains("title: Gimel"), || second.all());
    assert!(!ann.text().contains("Bravo"), "{}", ann.text());
    // He becomes a writer, and his pulling that is enough.
    let members = ann.tree().read(MEMBERS);
    assert!(members.contains("role: reader"), "{members}");
    ann.tree()
        .write(MEMBERS, members.replace("role: reader", "role: writer"));
    ann.git(&["commit", "-q", "-m", "Ben may write", MEMBERS]);
    ben.pull(ann);
    ben.set("todos/b", "title=Beth");
    team.agree_on(&["title: Aleph", "title: Beth", "title: Gimel"]);
    println!(
        "to the reader:\n{}\nto the other:\n{}",
        second.all(),
        first.all()
    );
    first.end("TERM");
    second.end("TERM");
}

#[test]
fn one_may_be_trusted_in_one_work_tree_alone() {
    let Some(team) = Team::strangers("local", 2) else {
        return;
    };
    let (ann, ben) = (&team.hosts[0], &team.hosts[1]);
    ben.rhema(&["init", "--no-join"]).exits(0);
    let (first, second) = (ann.watch(), ben.watch());
    ann.set("todos/a", "title=Aleph");
    // While both are there: it counts at once.
    ann.rhema(&["peers", "trust", &ben.key(), "--name", "ben"])
        .exits(0);
    ben.rhema(&["peers", "trust", &ann.key(), "--name", "ann"])
        .exits(0);
    println!("trusted here: {:?}", team.agree_on(&["title: Aleph"]));
    ben.set("todos/b", "title=Bravo");
    team.agree_on(&["title: Bravo"]);
    ann.rhema(&["peers", "remove", "ben"]).exits(0);
    first.says("gone");
    ann.set("todos/c", "title=Secret");
    second.says("they do not know this work tree");
    assert!(!ben.text().contains("Secret"));
    first.end("TERM");
    second.end("TERM");
}

#[test]
fn work_trees_of_one_clone_sync_without_being_members() {
    let Some(team) = Team::strangers("trees", 1) else {
        return;
    };
    let ann = &team.hosts[0];
    let other = ann.work_tree("second");
    let text = || std::fs::read_to_string(other.join(crate::host::TODOS)).unwrap_or_default();
    let first = ann.watch();
    let second = ann.watch_in(&other, &[], &[]);
    ann.set("todos/a", "title=Aleph");
    eventually(
        || text() == ann.text() && text().contains("title: Aleph"),
        || format!("{}\n{}\n{}", text(), first.all(), second.all()),
    );
    first.end("TERM");
    second.end("TERM");
}
