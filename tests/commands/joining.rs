//! Invitations: a ticket is good for one, for a while, for what its maker said.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::thread;

use rhema_crdt::node::{Role, Secret, Ticket};
use serde_json::Value;

use crate::support::{BINARY, Run, Tree, World, run};
use crate::watcher::Watcher;

const MEMBERS: &str = ".rhema/crdt/members.yaml";
const TODOS: &str = ".rhema/todos.yaml";

/// Ann's repository, in which she is the only member, and clones of it that nobody set up.
fn clones<'w>(world: &'w World, names: &[&str]) -> (Tree<'w>, Vec<Tree<'w>>) {
    let ann = world.repo("ann", &[(TODOS, "todos:\n  - id: a\n    title: One\n")]);
    ann.rhema(&["init"]).exits(0);
    ann.commit("init");
    let clone = |name: &&str| {
        ann.git(&["clone", "-q", ".", &format!("../{name}")]);
        world.tree(name)
    };
    let clones = names.iter().map(clone).collect();
    (ann, clones)
}

#[track_caller]
fn invite(tree: &Tree<'_>, arguments: &[&str]) -> Value {
    let arguments = [&["invite", "--json"], arguments].concat();
    tree.rhema(&arguments).exits(0).json()
}

#[track_caller]
fn ticket(tree: &Tree<'_>, arguments: &[&str]) -> String {
    text(&invite(tree, arguments)["ticket"])
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn invitations(tree: &Tree<'_>) -> Value {
    tree.rhema(&["invite", "--list", "--json"]).exits(0).json()["invitations"].clone()
}

fn join(tree: &Tree<'_>, ticket: &str) -> Run {
    tree.rhema(&["join", ticket, "--json"])
}

/// Which says that nobody was let in, and why.
#[track_caller]
fn refused(run: Run, why: &str) {
    let run = run.exits(3);
    assert!(run.stderr.contains(why), "{}", run.stderr);
}

fn with_clock(tree: &Tree<'_>, millis: i64, arguments: &[&str]) -> Run {
    let mut command = tree.world.command(BINARY, &tree.top);
    command.env("RHEMA_CLOCK_OFF_BY_MILLIS", millis.to_string());
    run(command.arg("crdt").args(arguments))
}

#[test]
fn who_is_invited_joins_once_and_both_exchange_edits_at_once() {
    let world = World::new();
    let (ann, clones) = clones(&world, &["ben", "eve"]);
    let (ben, eve) = (&clones[0], &clones[1]);
    let watcher = Watcher::start(&ann);
    let invited = invite(&ann, &["--role", "agent", "--name", "Ben's bot"]);
    assert_eq!(invited["addresses"], serde_json::json!([watcher.address]));
    assert_eq!(invited["watching"], true);
    let ticket = text(&invited["ticket"]);

    let joined = join(ben, &ticket).exits(0).json();
    assert_eq!(joined["role"], "agent");
    assert_eq!(joined["set_up"], true);
    watcher.says("\"event\":\"joined\"");
    let members = ann.read(MEMBERS);
    let node = text(&joined["node"]);
    assert!(members.contains(&node), "{members}");
    assert!(
        members.contains("name: \"Ben's bot\"\n  role: agent\n"),
        "{members}"
    );
    assert!(!ben.read(MEMBERS).contains(&node), "that comes by git");
    let peer = &ann.rhema(&["peers", "--json"]).exits(0).json()["peers"][0];
    assert_eq!(
        (&peer["role"], &peer["why"]),
        (&Value::from("agent"), &Value::from("trusted here"))
    );

    ben.rhema(&["set", "todos/a", "title=Two"]).exits(0);
    ben.rhema(&["sync", "--peer", &watcher.address]).exits(0);
    watcher.says("\"event\":\"rendered\"");
    assert!(ann.read(TODOS).contains("title: Two"));

    // Nobody else comes with it; who did hears again that it did.
    refused(join(eve, &ticket), "somebody else has joined");
    assert_eq!(join(ben, &ticket).exits(0).json()["role"], "agent");
    let found = invitations(&ann);
    assert_eq!(found[0]["state"], "used");
    assert_eq!(found[0]["joined"]["node"], node.as_str());
    assert_eq!(ann.read(MEMBERS), members);

    // For all others it counts when it was committed.
    ann.git(&["commit", "-q", "-m", "Ben's bot joins", MEMBERS]);
    ben.git(&["stash", "-q"]);
    ben.git(&["pull", "-q", "--no-rebase", "../ann", "main"]);
    refused(join(ben, &ticket), "is a member already, as agent");
}

#[test]
fn what_counts_of_a_ticket_is_what_its_maker_keeps() {
    let world = World::new();
    let (ann, clones) = clones(&world, &["ben", "eve"]);
    let (ben, eve) = (&clones[0], &clones[1]);
    let watcher = Watcher::start(&ann);
    let made: Ticket = ticket(&ann, &["--role", "reader"]).parse().unwrap();
    let forged = Ticket {
        role: Role::Admin,
        expires: u32::MAX,
        ..made.clone()
    };
    let joined = join(ben, &forged.to_string()).exits(0).json();
    assert_eq!(joined["role"], "reader");
    assert!(ann.read(MEMBERS).contains("role: reader"));
    // A guess is as good as nothing.
    let guess = Ticket {
        secret: Secret::draw().unwrap(),
        ..made
    };
    refused(
        join(eve, &guess.to_string()),
        "knows nothing of this ticket",
    );
    drop(watcher);
    assert_eq!(invitations(&ann).as_array().unwrap().len(), 1);
}

#[test]
fn where_nobody_is_invited_nobody_hears_of_tickets() {
    let world = World::new();
    let (ann, clones) = clones(&world, &["eve"]);
    let watcher = Watcher::start(&ann);
    let key = ann.rhema(&["peers", "--json"]).exits(0).json()["key"].clone();
    let digits = text(&key);
    let byte = |at: usize| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap();
    let guess = Ticket {
        inviter: std::array::from_fn(byte),
        secret: Secret::draw().unwrap(),
        role: Role::Admin,
        expires: u32::MAX,
        addresses: vec![watcher.address.clone()],
    };
    refused(join(&clones[0], &guess.to_string()), "expects nobody");
    assert_eq!(watcher.count("joined"), 0);
}

#[test]
fn a_ticket_that_is_none_is_told_from_one_that_was_altered() {
    let world = World::new();
    let (ann, clones) = clones(&world, &["ben"]);
    let ben = &clones[0];
    let made = ticket(&ann, &["--address", "127.0.0.1:9"]);
    refused(join(ben, "please"), "this is no ticket");
    refused(join(ben, &made[..made.len() - 2]), "altered or cut off");
    let swapped = if made.ends_with('a') { "b" } else { "a" };
    let altered = format!("{}{swapped}", &made[..made.len() - 1]);
    refused(join(ben, &altered), "altered or cut off");
    refused(join(ben, &made.replacen('1', "2", 1)), "another version");
    // Nothing was set up for any of them.
    let status = ben.rhema(&["status", "--json"]).exits(0).json();
    assert_eq!(status["node"], Value::Null);
    refused(join(&ann, &made), "was made in this work tree");
    let (first, second) = made.split_at(50);
    let apart = ben.rhema(&["join", first, second]);
    refused(apart, "not reached at 127.0.0.1:9");
}

#[test]
fn a_ticket_whose_time_is_over_is_refused_by_either_side() {
    let world = World::new();
    let (ann, clones) = clones(&world, &["ben"]);
    let ben = &clones[0];
    let _watcher = Watcher::start(&ann);
    let made = with_clock(&ann, -65_000, &["invite", "--expires", "1m", "--json"]);
    let ticket = text(&made.exits(0).json()["ticket"]);
    refused(join(ben, &ticket), "its time is over");
    assert_eq!(invitations(&ann)[0]["state"], "expired");
    // His clock does not help him.
    let run = with_clock(ben, -60_000, &["join", &ticket]);
    refused(run, "its time is over");
    assert!(!ann.read(MEMBERS).contains("writer"));
}

#[test]
fn an_invitation_is_taken_back() {
    let world = World::new();
    let (ann, clones) = clones(&world, &["ben"]);
    let _watcher = Watcher::start(&ann);
    let made = invite(&ann, &[]);
    let id = text(&made["id"]);
    ann.rhema(&["invite", "--revoke", &id]).exits(0);
    refused(
        join(&clones[0], &text(&made["ticket"])),
        "took this invitation back",
    );
    assert_eq!(invitations(&ann)[0]["state"], "revoked");
    refused(
        ann.rhema(&["invite", "--revoke", "aaaaaaaa"]),
        "no invitation",
    );
}

#[test]
fn of_those_who_come_at_once_with_one_ticket_one_gets_in() {
    let world = World::new();
    let (ann, clones) = clones(&world, &["ben", "eve", "dan"]);
    let _watcher = Watcher::start(&ann);
    let ticket = ticket(&ann, &[]);
    // The keys are there, so that nothing keeps them apart but the answer.
    for tree in &clones {
        tree.rhema(&["init", "--no-join"]).exits(0);
    }
    let runs: Vec<Run> = thread::scope(|scope| {
        let come = |tree| {
            let ticket = &ticket;
            scope.spawn(move || join(tree, ticket))
        };
        let coming: Vec<_> = clones.iter().map(come).collect();
        coming.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let (inside, outside): (Vec<Run>, Vec<Run>) = runs.into_iter().partition(|run| run.status == 0);
    assert_eq!(inside.len(), 1);
    for run in outside {
        refused(run, "somebody else has joined");
    }
    let members = ann.read(MEMBERS);
    assert_eq!(members.matches("role: writer").count(), 1, "{members}");
}

#[test]
fn who_did_not_hear_the_answer_asks_again_after_a_crash() {
    for point in ["after-used", "after-member"] {
        let world = World::new();
        let (ann, clones) = clones(&world, &["ben", "eve"]);
        let (ben, eve) = (&clones[0], &clones[1]);
        let mut crashing = Watcher::start_at(&ann, "127.0.0.1:0", &[("RHEMA_CRASH_AT", point)]);
        let address = crashing.address.clone();
        let ticket = ticket(&ann, &[]);
        let _watcher = thread::scope(|scope| {
            let coming = scope.spawn(|| join(ben, &ticket));
            crashing.ends();
            // Who is called there again knows nothing of the call, and says so.
            let watcher = Watcher::start_at(&ann, &address, &[]);
            coming.join().unwrap().exits(3);
            watcher
        });
        refused(join(eve, &ticket), "somebody else has joined");
        join(ben, &ticket).exits(0);
        let members = ann.read(MEMBERS);
        assert_eq!(members.matches("role: writer").count(), 1, "{members}");
    }
}

#[test]
fn whoever_invites_may_wait_for_who_comes() {
    let world = World::new();
    let (ann, clones) = clones(&world, &["ben"]);
    let mut command: Command = ann.world.command(BINARY, &ann.top);
    let mut waiting = command
        .args(["crdt", "invite", "--wait", "--name", "Ben", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut said = BufReader::new(waiting.stdout.take().unwrap());
    said.read_line(&mut line).unwrap();
    let made: Value = serde_json::from_str(&line).unwrap();
    join(&clones[0], &text(&made["ticket"])).exits(0);
    assert!(waiting.wait().unwrap().success());
    assert!(ann.read(MEMBERS).contains("\"Ben\""));
}

#[test]
fn only_admins_invite() {
    let world = World::new();
    let (ann, clones) = clones(&world, &["ben"]);
    let ben = &clones[0];
    refused(ben.rhema(&["invite"]), "run `rhema crdt init` first");
    ben.rhema(&["init"]).exits(0);
    refused(ben.rhema(&["invite"]), "no member at HEAD");
    ben.commit("join");
    refused(ben.rhema(&["invite"]), "this node is writer");
    let told = ann.rhema(&["invite"]).exits(0).stderr;
    assert!(told.contains("names no address"), "{told}");
    assert!(told.contains("nobody answers here yet"), "{told}");
}

#[test]
fn who_made_itself_a_member_before_joins_as_what_it_is_invited_to() {
    let world = World::new();
    let (ann, clones) = clones(&world, &["ben"]);
    let ben = &clones[0];
    let before = ben.read(MEMBERS);
    ben.rhema(&["init"]).exits(0);
    assert_ne!(ben.read(MEMBERS), before);
    let _watcher = Watcher::start(&ann);
    let ticket = ticket(&ann, &["--role", "reader"]);
    let joined = join(ben, &ticket).exits(0).json();
    assert_eq!(
        (&joined["role"], &joined["set_up"]),
        (&"reader".into(), &false.into())
    );
    assert_eq!(ben.read(MEMBERS), before);
}

#[test]
fn an_invitation_is_not_used_up_by_who_cannot_use_it() {
    let world = World::new();
    let (ann, clones) = clones(&world, &["ben", "dan"]);
    let (ben, dan) = (&clones[0], &clones[1]);
    let _watcher = Watcher::start(&ann);
    let ticket = ticket(&ann, &[]);
    let eve = world.repo("eve", &[(TODOS, "todos: []\n")]);
    refused(join(&eve, &ticket), "no commit in common");
    // One who was removed does not come back by an invitation.
    ben.rhema(&["init"]).exits(0);
    let node = text(&ben.rhema(&["status", "--json"]).exits(0).json()["node"]);
    let key = text(&ben.rhema(&["peers", "--json"]).exits(0).json()["key"]);
    let removed = format!("\"{node}\":\n  key: \"{key}\"\n  name: ben\n  role: removed\n");
    ann.write(MEMBERS, format!("{}{removed}", ann.read(MEMBERS)));
    ann.git(&["commit", "-q", "-m", "Ben has left", MEMBERS]);
    refused(join(ben, &ticket), "was removed from the members");
    join(dan, &ticket).exits(0);
}
