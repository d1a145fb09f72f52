//! A host whose clock is off.

use crate::host::{Team, agree};
use crate::watching::eventually;

const SECOND: &str = "1000";
const HOUR: &str = "3600000";
const YEAR: &str = "31536000000";

fn off_by(millis: &str) -> [(&str, &str); 1] {
    [("RHEMA_CLOCK_OFF_BY_MILLIS", millis)]
}

#[test]
fn a_second_is_nobodys_concern() {
    let Some(team) = Team::new("second", 2) else {
        return;
    };
    let (ann, ben) = (&team.hosts[0], &team.hosts[1]);
    let off = off_by(SECOND);
    let (first, second) = (ann.watch_with(&off, &[]), ben.watch());
    ann.edit("title: Alpha", "title: Aleph");
    team.agree_on(&["title: Aleph"]);
    ben.set("todos/b", "title=Bravo");
    team.agree_on(&["title: Bravo"]);
    // The one who is behind edits what the one ahead has just edited, and is right.
    ann.rhema_with(&off, &["set", "todos/c", "title=Gimel"])
        .exits(0);
    team.agree_on(&["title: Gimel"]);
    ben.set("todos/c", "title=Jim");
    team.agree_on(&["title: Jim"]);
    assert!(!ann.text().contains("_crdt_conflicts"), "{}", ann.text());
    for watch in [first, second] {
        assert!(!watch.has_said("warning"), "{}", watch.all());
        watch.end("TERM");
    }
}

fn far_ahead(name: &str, millis: &str, by: &str) {
    let Some(team) = Team::new(name, 2) else {
        return;
    };
    let (ann, ben) = (&team.hosts[0], &team.hosts[1]);
    let (ahead, right) = (ann.watch_with(&off_by(millis), &[]), ben.watch());
    ahead.says("in step");
    ann.edit("title: Alpha", "title: Aleph");
    ann.rhema_with(&off_by(millis), &["add", "todos", "title=Delta"])
        .exits(0);
    // Each is told, and what to do.
    right.says(&format!("its clock is {by} ahead of ours"));
    right.says("not taken from it: edits of a time that has not come");
    ahead.says(&format!("its clock is {by} behind ours"));
    ahead.says("it did not take: edits of a time that has not come");
    // The others' edits are taken on both sides, and nothing is lost.
    ben.set("todos/b", "title=Bravo");
    eventually(|| ann.text().contains("title: Bravo"), || ann.text());
    for title in ["title: Aleph", "title: Delta"] {
        assert!(ann.text().contains(title), "{}", ann.text());
        assert!(!ben.text().contains(title), "{}", ben.text());
    }
    println!(
        "{by} ahead: {} and {} warnings",
        ahead.count("\"warning\""),
        right.count("\"warning\"")
    );
    ahead.end("TERM");
    // The clock is set right.
    let set_right = ann.watch();
    let again = team.agree_on(&["title: Aleph", "title: Bravo", "title: Delta"]);
    println!("{by} ahead: both agree {again:?} after the clock was set right");
    assert!(!ann.text().contains("_crdt_conflicts"), "{}", ann.text());
    // Life goes on.
    ann.set("todos/a", "title=Alif");
    team.agree_on(&["title: Alif"]);
    ben.set("todos/a", "title=Alfa");
    agree(&[ann, ben], &["title: Alfa"]);
    set_right.end("TERM");
    right.end("TERM");
}

#[test]
fn an_hour_ahead_is_told_to_both_and_mended() {
    far_ahead("hour", HOUR, "60 minutes");
}

#[test]
fn a_year_ahead_is_told_to_both_and_mended() {
    far_ahead("year", YEAR, "365 days");
}
