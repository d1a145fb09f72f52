//! Hosts that find each other without being told anything.

use std::thread;

use crate::host::{Team, agree};

#[test]
fn two_hosts_hold_the_same_files() {
    let Some(team) = Team::new("two", 2) else {
        return;
    };
    let (ann, ben) = (&team.hosts[0], &team.hosts[1]);
    let (first, second) = (ann.watch(), ben.watch());
    first.says("in step");
    second.says("in step");
    ann.edit("title: Alpha", "title: Aleph");
    println!("an edit by hand: {:?}", team.agree_on(&["title: Aleph"]));
    ben.set("todos/b", "title=Bravo");
    println!("an edit by command: {:?}", team.agree_on(&["title: Bravo"]));
    // Both at once, at different places and at the same one.
    ann.set("todos/a", "status=done");
    ben.set("todos/b", "status=done");
    ann.set("todos/c", "title=Gimel");
    ben.set("todos/c", "title=Jim");
    team.agree_on(&[
        "title: Aleph\n    status: done",
        "title: Bravo\n    status: done",
    ]);
    first.end("TERM");
    second.end("INT");
    for host in &team.hosts {
        assert!(host.left_behind().is_empty(), "{:?}", host.left_behind());
        host.rhema(&["verify"]).exits(0);
    }
}

fn all_agree(name: &str, count: usize) {
    let Some(team) = Team::new(name, count) else {
        return;
    };
    let watches = team.all_watch();
    let (first, last) = (&team.hosts[0], &team.hosts[count - 1]);
    first.edit("title: Alpha", "title: Aleph");
    println!(
        "{count} hosts, found each other and agree: {:?}",
        team.agree_on(&["title: Aleph"])
    );
    last.set("todos/b", "title=Bravo");
    println!(
        "{count} hosts, one more edit: {:?}",
        team.agree_on(&["title: Bravo"])
    );
    for (number, host) in team.hosts.iter().enumerate() {
        host.rhema(&["add", "todos", &format!("title=Number {number}")])
            .exits(0);
    }
    let added: Vec<String> = (0..count)
        .map(|number| format!("title: Number {number}"))
        .collect();
    let added: Vec<&str> = added.iter().map(String::as_str).collect();
    println!(
        "{count} hosts, an edit of each: {:?}",
        team.agree_on(&added)
    );
    for watch in watches {
        watch.end("TERM");
    }
}

#[test]
fn three_hosts_hold_the_same_files() {
    all_agree("three", 3);
}

/// `cargo test --test hosts eight -- --ignored --nocapture`
#[test]
#[ignore = "eight times a debug build"]
fn eight_hosts_hold_the_same_files() {
    all_agree("eight", 8);
}

/// Hosts without any IPv4 address find each other, and are called at those that they have.
fn agree_by_ipv6(name: &str, prefix: Option<&str>) {
    let Some(team) = Team::new(name, 2) else {
        return;
    };
    team.have_ipv6_only(prefix);
    let (ann, ben) = (&team.hosts[0], &team.hosts[1]);
    let watches = team.all_watch();
    ann.edit("title: Alpha", "title: Aleph");
    let found = team.agree_on(&["title: Aleph"]);
    println!("{name}: found each other and agree: {found:?}");
    ben.set("todos/b", "title=Bravo");
    team.agree_on(&["title: Bravo"]);
    let [first, second] = watches.try_into().ok().unwrap();
    second.end("TERM");
    ben.set("todos/c", "title=Jim");
    let report = ben.sync(&[]);
    assert_eq!(report["peers"].as_array().unwrap().len(), 1, "{report}");
    agree(&[ann, ben], &["title: Jim"]);
    first.end("TERM");
    if let Some(prefix) = prefix {
        let there = format!("[{prefix}1]:4711");
        let named = ann.watch_with(&[], &["--listen", &there, "--discovery", "off"]);
        ben.set("todos/c", "title=Gimel");
        ben.sync(&["--peer", &there]);
        agree(&[ann, ben], &["title: Gimel"]);
        named.end("TERM");
    }
}

#[test]
fn hosts_with_ipv6_only_hold_the_same_files() {
    agree_by_ipv6("six", Some("fd77::"));
}

#[test]
fn hosts_with_nothing_but_the_addresses_of_their_link_hold_the_same_files() {
    agree_by_ipv6("link", None);
}

#[test]
fn who_calls_once_finds_who_watches() {
    let Some(team) = Team::new("once", 2) else {
        return;
    };
    let (ann, ben) = (&team.hosts[0], &team.hosts[1]);
    let watch = ann.watch();
    ben.edit("title: Alpha", "title: Aleph");
    ann.set("todos/b", "title=Bravo");
    let report = ben.sync(&[]);
    println!("one call: {} ms with the other", report["peers"][0]["ms"]);
    assert_eq!(report["peers"].as_array().unwrap().len(), 1, "{report}");
    assert!(
        ben.text().contains("title: Bravo"),
        "what came is shown at once"
    );
    team.agree_on(&["title: Aleph", "title: Bravo"]);
    watch.end("TERM");
}

#[test]
fn two_who_call_at_the_same_time_meet() {
    let Some(team) = Team::new("both", 2) else {
        return;
    };
    let (ann, ben) = (&team.hosts[0], &team.hosts[1]);
    ann.edit("title: Alpha", "title: Aleph");
    ben.edit("title: Beta", "title: Bravo");
    let call = ["--timeout", "15"];
    thread::scope(|both| {
        both.spawn(|| ann.sync(&call));
        both.spawn(|| ben.sync(&call));
    });
    agree(&[ann, ben], &["title: Aleph", "title: Bravo"]);
}

#[test]
fn who_calls_and_finds_nobody_is_done_soon() {
    let Some(team) = Team::new("nobody", 2) else {
        return;
    };
    let ben = &team.hosts[1];
    ben.edit("title: Alpha", "title: Aleph");
    let call = ben.rhema(&["sync", "--json"]).exits(0);
    let report = call.json();
    assert_eq!(report["edits_recorded"], 1);
    assert_eq!(report["peers"].as_array().unwrap().len(), 0, "{report}");
    assert!(
        call.stderr.contains("name it with `--peer HOST:PORT`"),
        "{}",
        call.stderr
    );
}

#[test]
fn commands_and_those_who_watch_do_not_get_in_each_others_way() {
    let Some(team) = Team::new("busy", 2) else {
        return;
    };
    let watches = team.all_watch();
    let titles = |at: usize| (0..8).map(move |number| format!("Of host {at}, number {number}"));
    thread::scope(|all| {
        for (at, host) in team.hosts.iter().enumerate() {
            all.spawn(move || {
                for title in titles(at) {
                    host.rhema(&["add", "todos", &format!("title={title}")])
                        .exits(0);
                    host.rhema(&["status"]);
                }
                // Whoever watches may call, too.
                let report = host.sync(&[]);
                assert_eq!(report["peers"].as_array().unwrap().len(), 1, "{report}");
            });
        }
    });
    let added: Vec<String> = titles(0).chain(titles(1)).collect();
    let added: Vec<&str> = added.iter().map(String::as_str).collect();
    team.agree_on(&added);
    for watch in watches {
        assert!(!watch.has_said("warning"), "{}", watch.all());
        watch.end("TERM");
    }
}
