//! How those who watch begin and end.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::clones::Clones;
use crate::editor::{Save, beginning};
use crate::support::BINARY;
use crate::watching::eventually;

fn edit(clones: &Clones, at: usize, before: &str, after: &str) {
    let text = clones.text(at);
    assert!(text.contains(before), "{text}");
    Save::Rename.write(&clones.file(at), &text.replacen(before, after, 1));
}

#[test]
fn the_second_to_watch_says_where_the_first_one_is() {
    let clones = Clones::new(1, &beginning(1));
    let first = clones.watch(0);
    let second = clones
        .tree(0)
        .rhema(&[
            "watch",
            "--json",
            "--discovery",
            "off",
            "--listen",
            "127.0.0.1:0",
        ])
        .exits(3);
    assert!(
        second.stderr.contains(&first.address()),
        "{}",
        second.stderr
    );
    assert_eq!(second.stdout, "");
    first.end("TERM");
    clones.watch(0).end("INT");
}

#[test]
fn whoever_was_killed_or_away_catches_up() {
    let clones = Clones::new(2, &beginning(2));
    let ann = clones.watch(0);
    let ben = clones.watch(1);
    edit(&clones, 0, "owner: v1\n", "owner: v100\n");
    clones.agree_on(&["owner: v100\n"]);
    ben.kill();
    edit(&clones, 0, "owner: v100\n", "owner: v101\n");
    edit(&clones, 1, "owner: v6\n", "owner: v102\n");
    let ben = clones.watch(1);
    clones.agree_on(&["owner: v101\n", "owner: v102\n"]);
    ann.end("TERM");
    edit(&clones, 0, "title: v0\n", "title: v103\n");
    edit(&clones, 1, "title: v5\n", "title: v104\n");
    let ann = clones.watch(0);
    clones.agree_on(&["title: v103\n", "title: v104\n"]);
    ann.end("INT");
    ben.end("TERM");
}

#[test]
fn who_watches_alone_records_all_the_same() {
    let clones = Clones::new(1, &beginning(2));
    let mut command = clones.world.command(BINARY, &clones.tree(0).top);
    command.args(["crdt", "watch", "--json", "--discovery", "off"]);
    let watch = crate::watching::Watch::begin(&mut command, Default::default());
    edit(&clones, 0, "owner: v1\n", "owner: v100\n");
    watch.says("\"event\":\"recorded\"");
    eventually(|| clones.text(0).contains(" owner~"), || clones.told());
    watch.end("TERM");
    let report = clones
        .tree(0)
        .rhema(&["sync", "--timeout", "0", "--json"])
        .exits(0)
        .json();
    assert_eq!(
        report["edits_recorded"], 0,
        "nothing was left to be recorded"
    );
}

#[test]
#[cfg(debug_assertions)]
fn where_the_system_tells_nothing_files_are_looked_at_again_and_again() {
    let clones = Clones::new(1, &beginning(2));
    let mut command = clones.world.command(BINARY, &clones.tree(0).top);
    command
        .args(["crdt", "watch", "--json", "--discovery", "off"])
        .env("RHEMA_BLIND", "1");
    let watch = crate::watching::Watch::begin(&mut command, Default::default());
    watch.says("files are looked at every half a second");
    let files = || clones.tree(0).rhema(&["status", "--json"]).exits(0).json();
    assert_eq!(files()["watcher"]["files"], "polling");
    edit(&clones, 0, "owner: v1\n", "owner: v100\n");
    eventually(|| clones.text(0).contains(" owner~"), || clones.told());
    watch.says("\"event\":\"recorded\"");
    watch.end("TERM");
}

#[test]
fn events_are_told_a_line_each() {
    let clones = Clones::new(2, &beginning(2));
    let (ann, ben) = (clones.watch(0), clones.watch(1));
    ann.says("\"state\":\"in step\"");
    edit(&clones, 0, "owner: v1\n", "owner: v100\n");
    clones.agree_on(&["owner: v100\n"]);
    ben.says("\"event\":\"rendered\"");
    let events = |watch: &crate::watching::Watch| -> Vec<serde_json::Value> {
        let lines = watch.said.matching("{", 0).into_iter();
        lines
            .map(|(_, line)| serde_json::from_str(&line).unwrap())
            .collect()
    };
    let (at_ann, at_ben) = (events(&ann), events(&ben));
    for all in [&at_ann, &at_ben] {
        assert_eq!(all[0]["event"], "listening");
        assert!(all[0]["node"].is_string() && all[0]["address"].is_string());
    }
    let find = |all: &[serde_json::Value], name: &str| {
        all.iter()
            .find(|event| event["event"] == name)
            .cloned()
            .unwrap_or_default()
    };
    assert_eq!(find(&at_ann, "recorded")["edits"], 1);
    assert_eq!(find(&at_ben, "received")["edits"], 1);
    assert_eq!(find(&at_ben, "received")["node"], at_ann[0]["node"]);
    assert_eq!(find(&at_ben, "rendered")["documents"][0], crate::text::FILE);
    assert_eq!(find(&at_ben, "peer")["state"], "connected");
    assert_eq!(find(&at_ben, "peer")["node"], at_ann[0]["node"]);
}

#[test]
fn what_is_contested_is_told() {
    let clones = Clones::new(2, &beginning(2));
    edit(&clones, 0, "owner: v1\n", "owner: v100\n");
    edit(&clones, 1, "owner: v1\n", "owner: v101\n");
    let watches = clones.watch_all();
    clones.agree_that(|text| text.contains("_crdt_conflicts"), "a conflict");
    let event = "\"event\":\"conflict\",\"document\":\".rhema/todos.yaml\"";
    eventually(
        || watches.iter().any(|watch| watch.has_said(event)),
        || clones.told(),
    );
}

#[test]
fn what_git_puts_out_of_sight_is_told() {
    let clones = Clones::new(2, &beginning(2));
    let watches = clones.watch_all();
    edit(&clones, 1, "owner: v1\n", "owner: v100\n");
    clones.agree_on(&["owner: v100\n"]);
    clones.tree(0).git(&["restore", crate::text::FILE]);
    watches[0].says("\"event\":\"parked\",\"document\":\".rhema/todos.yaml\",\"edits\":1");
    assert!(clones.text(0).contains("owner: v1\n"), "{}", clones.text(0));
}

#[test]
#[cfg(unix)]
fn a_pipe_in_the_place_of_a_document_keeps_nobody() {
    let clones = Clones::new(2, &beginning(2));
    let watches = clones.watch_all();
    let (path, text) = (clones.file(0), clones.text(0));
    fs::remove_file(&path).unwrap();
    let made = clones
        .world
        .command("mkfifo", &clones.tree(0).top)
        .arg(&path)
        .status();
    assert!(made.unwrap().success());
    thread::sleep(Duration::from_millis(300));
    fs::remove_file(&path).unwrap();
    fs::write(&path, text.replacen("owner: v1\n", "owner: v100\n", 1)).unwrap();
    clones.agree_on(&["owner: v100\n"]);
    drop(watches);
}

#[test]
fn whoever_watches_what_is_removed_says_so_once_and_ends() {
    let clones = Clones::new(1, &beginning(2));
    let mut watch = clones.watch(0);
    fs::remove_dir_all(clones.tree(0).path(".git/rhema")).unwrap();
    fs::write(clones.file(0), "todos: []\n").unwrap();
    eventually(|| !watch.is_running(), || "it runs on".to_owned());
    let said = watch.all();
    let told = said.matches("nobody watches it from now on\"}").count();
    assert_eq!(told, 1, "{said}");
}
