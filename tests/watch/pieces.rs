//! Files that somebody writes in pieces, with pauses in which others edit and commands are asked for: half of a file is valid
//! YAML, too, and says that records are gone.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::clones::Clones;
use crate::editor::{Save, beginning};
use crate::support::{BINARY, Run, run};
use crate::text::ids;
use crate::watching::{Watch, eventually};

/// How many records the file has.
const RECORDS: usize = 4;

/// How the file is opened.
#[derive(Clone, Copy, Debug)]
enum Opened {
    /// It is emptied first.
    Emptied,
    /// What is there is written over, record by record.
    Kept,
}

/// Two clones that are watched, one of which has a file that is about to be written.
struct Scene {
    clones: Clones,
    watches: Vec<Watch>,
}

impl Scene {
    fn begin() -> Self {
        let clones = Clones::new(2, &beginning(RECORDS));
        let watches = clones.watch_all();
        watches[0].says("\"state\":\"in step\"");
        Self { clones, watches }
    }

    /// How many edits were recorded where the file is written.
    fn recorded(&self) -> u64 {
        let lines = self.watches[0].said.matching("\"event\":\"recorded\"", 0);
        let events = lines.iter().map(|(_, line)| line);
        let events = events.map(|line| serde_json::from_str::<Value>(line).unwrap());
        events.map(|event| event["edits"].as_u64().unwrap()).sum()
    }

    /// Writes the file record by record with pauses, the one line in the place of the other; `meanwhile` after the first piece.
    fn write(
        &self,
        opened: Opened,
        pause: u64,
        before: &str,
        after: &str,
        meanwhile: impl FnOnce(),
    ) {
        let text = self.clones.text(0);
        assert!(text.contains(before), "{text}");
        let typed = text.replacen(before, after, 1);
        let path = self.clones.file(0);
        let mut file = match opened {
            Opened::Emptied => File::create(&path).unwrap(),
            Opened::Kept => OpenOptions::new().write(true).open(&path).unwrap(),
        };
        let records = typed.match_indices("  - id:").map(|(at, _)| at);
        let ends: Vec<usize> = records.skip(1).chain([typed.len()]).collect();
        file.write_all(&typed.as_bytes()[..ends[0]]).unwrap();
        meanwhile();
        for piece in ends.windows(2) {
            thread::sleep(Duration::from_millis(pause));
            let piece = &typed.as_bytes()[piece[0]..piece[1]];
            file.write_all(piece).unwrap();
        }
        file.set_len(typed.len() as u64).unwrap();
    }

    /// An edit in the other clone.
    fn edit_there(&self, before: &str, after: &str) {
        let text = self.clones.text(1);
        assert!(text.contains(before), "{text}");
        Save::Rename.write(&self.clones.file(1), &text.replacen(before, after, 1));
    }

    /// A command here that cannot record anything by itself: it has to ask who watches.
    fn asks(&self, arguments: &[&str]) -> Run {
        let tree = self.clones.tree(0);
        let point = match arguments[0] {
            "sync" => "before-end",
            _ => "before-store",
        };
        let mut command = tree.world.command(BINARY, &tree.top);
        command.env("RHEMA_CRASH_AT", point);
        run(command.arg("crdt").args(arguments))
    }

    /// Waits until both clones hold these words, and all records still.
    fn agree_on(&self, words: &[&str]) {
        self.clones.agree_on(words);
        let text = self.clones.text(0);
        let all: BTreeSet<String> = (0..RECORDS).map(|number| format!("r{number}")).collect();
        let there: BTreeSet<String> = ids(&text).into_iter().map(str::to_owned).collect();
        assert_eq!(there, all, "{}", self.clones.told());
    }
}

/// What stands at first in the last record, which is written last.
const LAST: &str = "    owner: v16\n";

/// A file is written with such pauses while an edit of the other clone comes.
fn an_edit_comes_meanwhile(opened: Opened, pause: u64) {
    let scene = Scene::begin();
    scene.write(opened, pause, LAST, "    owner: v100\n", || {
        scene.edit_there("    owner: v1\n", "    owner: v200\n");
        scene.watches[0].says("\"event\":\"received\"");
    });
    scene.agree_on(&["owner: v100\n", "owner: v200\n"]);
    assert_eq!(scene.recorded(), 1, "{}", scene.watches[0].all());
}

#[test]
fn half_of_a_file_is_no_edit_though_others_edits_come() {
    an_edit_comes_meanwhile(Opened::Emptied, 60);
}

#[test]
fn half_of_a_file_that_is_written_over_is_no_edit_though_others_edits_come() {
    an_edit_comes_meanwhile(Opened::Kept, 60);
}

#[test]
fn whoever_writes_may_take_their_time() {
    an_edit_comes_meanwhile(Opened::Emptied, 400);
}

#[test]
fn an_edit_that_is_asked_for_waits_for_the_writer() {
    let scene = Scene::begin();
    thread::scope(|threads| {
        scene.write(Opened::Emptied, 200, LAST, "    owner: v100\n", || {
            threads.spawn(|| scene.asks(&["set", "todos/r1", "owner=v300"]).exits(0));
        });
    });
    scene.agree_on(&["owner: v100\n", "owner: v300\n"]);
    // What was saved before the command edited the file is not counted.
    assert_eq!(scene.recorded(), 1, "{}", scene.watches[0].all());
}

#[test]
fn a_sync_that_is_asked_for_waits_for_the_writer() {
    let scene = Scene::begin();
    let told = Mutex::new(Value::Null);
    thread::scope(|threads| {
        scene.write(Opened::Emptied, 200, LAST, "    owner: v100\n", || {
            threads.spawn(|| {
                let run = scene.asks(&["sync", "--json"]).exits(0);
                *told.lock().unwrap() = run.json();
            });
        });
    });
    let told = told.into_inner().unwrap();
    assert_eq!(told["edits_recorded"], 1, "{told}");
    scene.agree_on(&["owner: v100\n"]);
    assert_eq!(scene.recorded(), 1, "{}", scene.watches[0].all());
}

#[test]
fn a_file_that_stays_open_is_looked_at_after_all() {
    let scene = Scene::begin();
    let text = scene.clones.text(0);
    let typed = text.replacen("owner: v1\n", "owner: v100\n", 1);
    let mut file = File::create(scene.clones.file(0)).unwrap();
    file.write_all(typed.as_bytes()).unwrap();
    eventually(
        || scene.clones.text(1).contains("owner: v100\n"),
        || scene.clones.told(),
    );
    drop(file);
    assert_eq!(scene.recorded(), 1, "{}", scene.watches[0].all());
}

#[test]
fn a_file_that_gets_its_name_by_a_link_is_looked_at() {
    let scene = Scene::begin();
    let path = scene.clones.file(0);
    let typed = scene
        .clones
        .text(0)
        .replacen("owner: v1\n", "owner: v100\n", 1);
    let fresh = path.with_extension("fresh");
    fs::write(&fresh, typed).unwrap();
    fs::remove_file(&path).unwrap();
    fs::hard_link(&fresh, &path).unwrap();
    fs::remove_file(&fresh).unwrap();
    scene.agree_on(&["owner: v100\n"]);
    assert_eq!(scene.recorded(), 1, "{}", scene.watches[0].all());
}

#[test]
#[cfg(debug_assertions)]
fn a_command_alone_waits_until_nothing_was_written_for_a_moment() {
    const AFTER: &str = "    owner: v100\n";
    // The machine may keep an attempt from its work for so long that it looks like one who is done.
    for _ in 0..10 {
        let clones = Clones::new(1, &beginning(RECORDS));
        let tree = clones.tree(0);
        tree.rhema(&["sync", "--timeout", "0"]).exits(0);
        let waits = clones.world.path("waits");
        let text = clones.text(0);
        let typed = text.replacen(LAST, AFTER, 1);
        let (first, rest) = typed.split_at(text.find("  - id: r2").unwrap());
        let mut file = File::create(clones.file(0)).unwrap();
        file.write_all(first.as_bytes()).unwrap();
        let told = thread::scope(|threads| {
            let asked = threads.spawn(|| {
                let mut command = clones.world.command(BINARY, &tree.top);
                command
                    .env("RHEMA_WAIT_AT", "unsettled")
                    .env("RHEMA_WAIT_FILE", &waits)
                    .args(["crdt", "sync", "--timeout", "0", "--json"]);
                run(&mut command)
            });
            while !waits.exists() && !asked.is_finished() {
                file.set_modified(SystemTime::now()).unwrap();
                thread::sleep(Duration::from_millis(1));
            }
            let has_waited = waits.exists();
            file.write_all(rest.as_bytes()).unwrap();
            let _ = fs::remove_file(&waits);
            let run = asked.join().unwrap();
            has_waited.then(|| run.exits(0).json())
        });
        let Some(told) = told else {
            continue;
        };
        assert_eq!(told["edits_recorded"], 1, "{told}");
        assert_eq!(ids(&clones.text(0)), ids(&typed));
        assert!(clones.text(0).contains(AFTER), "{}", clones.text(0));
        return;
    }
    panic!("it does not wait");
}

/// A program that opened a file without emptying it, and writes only now.
fn write_late(mut file: File, typed: &str) {
    file.write_all(typed.as_bytes()).unwrap();
    file.set_len(typed.len() as u64).unwrap();
}

#[test]
fn whoever_opened_a_file_before_it_was_replaced_loses_nothing() {
    let scene = Scene::begin();
    let read = scene.clones.text(0);
    let path = scene.clones.file(0);
    let file = OpenOptions::new().write(true).open(path).unwrap();
    scene.edit_there("    owner: v1\n", "    owner: v200\n");
    scene.clones.agree_on(&["owner: v200\n"]);
    write_late(file, &read.replacen(LAST, "    owner: v100\n", 1));
    scene.agree_on(&["owner: v100\n", "owner: v200\n"]);
    assert_eq!(scene.recorded(), 1, "{}", scene.watches[0].all());
}

#[test]
fn where_something_was_edited_since_it_is_kept_aside() {
    let scene = Scene::begin();
    let read = scene.clones.text(0);
    let path = scene.clones.file(0);
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    scene.edit_there("    owner: v1\n", "    owner: v200\n");
    scene.clones.agree_on(&["owner: v200\n"]);
    let text = scene.clones.text(0);
    Save::Rename.write(&path, &text.replacen("owner: v200\n", "owner: v300\n", 1));
    scene.clones.agree_on(&["owner: v300\n"]);
    let typed = read.replacen(LAST, "    owner: v100\n", 1);
    write_late(file, &typed);
    scene.watches[0].says("what that wrote is kept in");
    let aside = scene.clones.tree(0).path(".git/rhema/late");
    let kept: Vec<_> = fs::read_dir(aside).unwrap().collect();
    let [Ok(kept)] = kept.as_slice() else {
        panic!("{kept:?}");
    };
    assert_eq!(fs::read_to_string(kept.path()).unwrap(), typed);
    assert!(scene.clones.text(0).contains("owner: v300\n"));
}

#[test]
#[cfg(debug_assertions)]
fn nor_does_whoever_writes_what_a_command_alone_replaces() {
    let clones = Clones::new(2, &beginning(RECORDS));
    let watch = clones.watch(1);
    let tree = clones.tree(0);
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
    let text = clones.text(1).replacen("owner: v1\n", "owner: v200\n", 1);
    Save::Rename.write(&clones.file(1), &text);
    watch.says("\"event\":\"recorded\"");
    let read = clones.text(0);
    let file = OpenOptions::new().write(true).open(clones.file(0)).unwrap();
    let waits = clones.world.path("waits");
    let address = watch.address();
    thread::scope(|threads| {
        threads.spawn(|| {
            let mut command = clones.world.command(BINARY, &tree.top);
            command
                .env("RHEMA_WAIT_AT", "after-file")
                .env("RHEMA_WAIT_FILE", &waits)
                .args(["crdt", "sync", "--peer", &address]);
            run(&mut command).exits(0)
        });
        eventually(|| waits.exists(), || "it shows nothing".to_owned());
        assert!(clones.text(0).contains("owner: v200\n"));
        write_late(file, &read.replacen(LAST, "    owner: v100\n", 1));
        fs::remove_file(&waits).unwrap();
    });
    let text = clones.text(0);
    assert!(
        text.contains("owner: v100\n") && text.contains("owner: v200\n"),
        "{text}"
    );
}
