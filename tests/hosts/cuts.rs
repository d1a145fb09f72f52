//! Networks that fail and come back, hosts that go and come.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::host::{Team, agree};
use crate::net::ip;
use crate::watching::{Watch, eventually};

/// Lets a program stand still for a while, as when its host sleeps.
fn sleep(watch: &Watch, time: Duration) {
    let signal = |name: &str| {
        let process = watch.process().to_string();
        let sent = Command::new("kill").args(["-s", name, &process]).status();
        assert!(sent.unwrap().success());
    };
    signal("STOP");
    thread::sleep(time);
    signal("CONT");
}

#[test]
fn edits_on_both_sides_of_a_cut_meet_once_it_is_healed() {
    let Some(team) = Team::new("cut", 3) else {
        return;
    };
    let [ann, ben, cleo] = &team.hosts[..] else {
        unreachable!()
    };
    let watches = team.all_watch();
    ann.edit("title: Alpha", "title: Aleph");
    team.agree_on(&["title: Aleph"]);
    team.net.cable(3, "down");
    // On the one side two who still see each other, on the other one alone.
    ann.set("todos/b", "title=Bravo");
    cleo.edit("title: Gamma", "title: Gimel");
    cleo.rhema(&["add", "todos", "title=Delta"]).exits(0);
    agree(&[ann, ben], &["title: Bravo"]);
    eventually(|| cleo.text().contains("title: Delta"), || cleo.text());
    assert!(
        !ann.text().contains("Gimel") && !cleo.text().contains("Bravo"),
        "there is a cut"
    );
    team.net.cable(3, "up");
    let healed = team.agree_on(&["title: Bravo", "title: Gimel", "title: Delta"]);
    println!("three hosts agree {healed:?} after the cable was put in again");
    for watch in watches {
        watch.end("TERM");
    }
}

#[test]
fn one_who_was_killed_is_noticed_when_it_is_back() {
    let Some(team) = Team::new("killed", 2) else {
        return;
    };
    let (ann, ben) = (&team.hosts[0], &team.hosts[1]);
    let (first, second) = (ann.watch(), ben.watch());
    first.says("in step");
    second.says("in step");
    let met = first.count("\"connected\"");
    drop(second);
    // What happens between is heard after.
    ann.set("todos/a", "title=Aleph");
    ben.edit("title: Beta", "title: Bravo");
    let second = ben.watch();
    let agreed = team.agree_on(&["title: Aleph", "title: Bravo"]);
    println!("killed and begun anew: both agree after {agreed:?}");
    assert!(
        first.count("\"connected\"") > met,
        "a new line:\n{}",
        first.all()
    );
    first.end("TERM");
    second.end("TERM");
}

#[test]
fn one_that_slept_goes_on_when_it_wakes() {
    let Some(team) = Team::new("slept", 2) else {
        return;
    };
    let (ann, ben) = (&team.hosts[0], &team.hosts[1]);
    let (first, second) = (ann.watch(), ben.watch());
    first.says("in step");
    second.says("in step");
    let met = first.count("\"connected\"");
    // Longer than a silent line counts as alive; both are edited meanwhile.
    thread::scope(|both| {
        both.spawn(|| sleep(&first, Duration::from_secs(20)));
        ben.set("todos/b", "title=Bravo");
        ann.edit("title: Alpha", "title: Aleph");
    });
    let agreed = team.agree_on(&["title: Aleph", "title: Bravo"]);
    println!("asleep for 20 s: both agree {agreed:?} after it woke");
    eventually(|| first.count("\"connected\"") > met, || first.all());
    first.end("TERM");
    second.end("TERM");
}

#[test]
fn a_host_that_gets_another_address_goes_on() {
    let Some(team) = Team::new("moved", 2) else {
        return;
    };
    let (ann, ben) = (&team.hosts[0], &team.hosts[1]);
    let (first, second) = (ann.watch(), ben.watch());
    first.says("in step");
    second.says("in step");
    ip(&format!(
        "-n {} addr flush dev net scope global",
        ben.namespace
    ));
    ip(&format!(
        "-n {} addr add 10.77.0.99/24 dev net",
        ben.namespace
    ));
    ben.set("todos/a", "title=Aleph");
    println!(
        "another address, an edit there: {:?}",
        team.agree_on(&["title: Aleph"])
    );
    ann.set("todos/b", "title=Bravo");
    println!(
        "another address, an edit here: {:?}",
        team.agree_on(&["title: Bravo"])
    );
    first.end("TERM");
    second.end("TERM");
}

#[test]
fn who_calls_one_who_is_cut_off_does_not_wait_for_ever() {
    let Some(team) = Team::new("gone", 2) else {
        return;
    };
    let (ann, ben) = (&team.hosts[0], &team.hosts[1]);
    let watch = ann.watch();
    let met = ben.sync(&[]);
    assert_eq!(met["peers"].as_array().unwrap().len(), 1, "{met}");
    team.net.cable(1, "down");
    ben.edit("title: Alpha", "title: Aleph");
    // Where the other was last is known, but nobody answers there: that is no failure, unless just this one is called.
    for (arguments, status) in [
        (&["sync", "--json"][..], 0),
        (&["sync", "--json", "--timeout", "2"], 0),
        (&["sync", "--json", "--peer", &ann.node()], 3),
        (&["sync", "--json", "--peer", "10.77.0.1:4711"], 3),
    ] {
        let began = Instant::now();
        let call = ben.rhema(arguments);
        println!(
            "nobody answers, {arguments:?}: {:?} {}",
            began.elapsed(),
            call.stderr.trim()
        );
        call.exits(status);
    }
    watch.end("TERM");
}

#[test]
fn one_who_joins_late_gets_everything() {
    let Some(team) = Team::strangers("joins", 2) else {
        return;
    };
    let (ann, ben) = (&team.hosts[0], &team.hosts[1]);
    let first = ann.watch();
    ann.set("todos/a", "title=Aleph");
    ann.rhema(&["add", "todos", "title=Delta"]).exits(0);
    // The new one's commit is what lets it in.
    ben.join();
    ann.pull(ben);
    let second = ben.watch();
    let agreed = team.agree_on(&["title: Aleph", "title: Delta"]);
    println!("one who joins late has everything after {agreed:?}");
    first.end("TERM");
    second.end("TERM");
}

const LOSS: &[(&str, &str)] = &[("RHEMA_NET_FAULTS", "loss=30,seed=7")];
const DELAY: &[(&str, &str)] = &[(
    "RHEMA_NET_FAULTS",
    "delay=200,jitter=100,duplicate=5,seed=7",
)];

fn agree_on_a_bad_network(name: &str, faults: &[(&str, &str)]) {
    let Some(team) = Team::new(name, 2) else {
        return;
    };
    let (ann, ben) = (&team.hosts[0], &team.hosts[1]);
    let watches = team.all_watch_with(faults);
    ann.set("todos/a", "title=Aleph");
    println!(
        "{name}: found each other and agree: {:?}",
        team.agree_on(&["title: Aleph"])
    );
    for number in 0..5 {
        ann.rhema(&["add", "todos", &format!("title=Of Ann {number}")])
            .exits(0);
        ben.rhema(&["add", "todos", &format!("title=Of Ben {number}")])
            .exits(0);
    }
    println!(
        "{name}: ten more edits: {:?}",
        team.agree_on(&["Of Ann 4", "Of Ben 4"])
    );
    for watch in watches {
        watch.end("TERM");
    }
}

#[test]
fn they_agree_where_30_percent_of_the_datagrams_are_lost() {
    agree_on_a_bad_network("loss", LOSS);
}

#[test]
fn they_agree_where_datagrams_are_200_ms_late_and_out_of_order() {
    agree_on_a_bad_network("late", DELAY);
}
