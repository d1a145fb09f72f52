//! A look at excerpts of a document finds what a look at all of it finds: the program compares the two itself, for random
//! documents, random edits by hand, by command, by git and by another work tree.
//!
//! `EXCERPTS_SEED` and `EXCERPTS_WALKS` look for failures elsewhere.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stderr)]

#[allow(dead_code)]
#[path = "../support/mod.rs"]
mod support;

mod random;
mod text;

use random::Random;
use rhema_crdt::overlay::DocumentPath;
use rhema_crdt::store::{Durability, Issuer, Store, Way, Which};
use support::{BINARY, Tree, World, run};

const FILE: &str = ".rhema/todos.yaml";
const STEPS: usize = 18;

/// How often the program looked at excerpts.
#[derive(Default)]
struct Tally {
    looks: usize,
    /// Of these, how often edits were left alone.
    settled: usize,
}

struct Walk<'w> {
    trees: [Tree<'w>; 2],
    world: &'w World,
    random: Random,
    done: Vec<String>,
    tally: Tally,
}

impl<'w> Walk<'w> {
    fn new(world: &'w World, seed: u64) -> Self {
        let mut random = Random(seed);
        let text = text::document(&mut random);
        let first = world.repo("one", &[(FILE, &text)]);
        first.rhema(&["init"]).exits(0);
        first.git(&["add", "-A"]);
        first.git(&["commit", "-q", "-m", "init"]);
        first.rhema(&["sync", "--timeout", "0"]).exits(0);
        first.git(&["clone", "-q", ".", "../two"]);
        let second = world.tree("two");
        second.rhema(&["init"]).exits(0);
        let mut walk = Self {
            trees: [first, second],
            world,
            random,
            done: Vec::new(),
            tally: Tally::default(),
        };
        walk.tool(1, &["sync", "--timeout", "0"]);
        walk
    }

    /// Runs the program, which must not find that excerpts tell otherwise.
    fn tool(&mut self, at: usize, arguments: &[&str]) {
        let top = self.trees[at].path("");
        let mut command = self.world.command(BINARY, &top);
        command.arg("crdt").arg("-vv").args(arguments);
        let ran = run(command.env("RHEMA_CHECK_EXCERPTS", "1"));
        assert!(
            !ran.stderr.contains("panicked"),
            "{}\n{}",
            self.done.join("\n"),
            ran.stderr
        );
        let looks = ran.stderr.lines();
        for look in looks.filter(|line| line.contains("looked at in excerpts")) {
            self.tally.looks += 1;
            self.tally.settled += usize::from(!look.contains("settled=0"));
        }
    }

    fn step(&mut self) {
        let at = self.random.below(2);
        let file = self.trees[at].read(FILE);
        let names = text::names(&file);
        let Some(name) = self.random.of(&names).cloned() else {
            return;
        };
        let word = format!("w{}", self.random.below(1000));
        let path = format!("todos/{name}");
        let deed = self.random.below(16);
        self.done.push(format!("{at}: {deed} {name} {word}"));
        match deed {
            0..=6 => {
                let edited = text::edited(
                    &file,
                    &names,
                    &mut self.random,
                    &self.trees[1 - at].read(FILE),
                );
                self.trees[at].write(FILE, &edited);
                self.tool(at, &["sync", "--timeout", "0"]);
            }
            7 => self.tool(at, &["set", &path, &format!("title={word}")]),
            8 => self.tool(at, &["add", "todos", &format!("id={word}"), "title=New"]),
            9 => self.tool(at, &["remove", &path]),
            10 => self.tool(at, &["move", &path, "--first"]),
            11 => {
                self.trees[at].git(&["add", "-A"]);
                self.trees[at].git(&["commit", "-q", "--allow-empty", "-m", &word]);
                self.tool(at, &["sync", "--timeout", "0"]);
            }
            12 => {
                self.trees[at].git(&["checkout", "-q", "--", "."]);
                self.tool(at, &["sync", "--timeout", "0"]);
            }
            13 => self.tool(at, &["park"]),
            14 => self.tool(at, &["unpark"]),
            _ => {
                self.tell(at);
                self.tool(1 - at, &["status"]);
                self.tool(1 - at, &["sync", "--timeout", "0"]);
            }
        }
        self.tool(at, &["status"]);
    }

    /// Tells the other work tree what this one knows.
    fn tell(&self, at: usize) {
        let store = |at: usize| Store::open(&self.trees[at].path(".git")).unwrap().store;
        let edits = {
            let mut store = store(at);
            let edits = store
                .read()
                .unwrap()
                .edits(&DocumentPath::new(FILE), Which::All);
            edits.unwrap()
        };
        let mut other = store(1 - at);
        let writing = other.write(Durability::Process).unwrap();
        for edit in edits {
            writing
                .add(&edit.known, Issuer::Other, Way::Received)
                .unwrap();
        }
        writing.commit().unwrap();
    }
}

fn asked(name: &str, otherwise: u64) -> u64 {
    let asked = std::env::var(name).ok();
    asked.map_or(otherwise, |asked| asked.parse().unwrap())
}

#[test]
fn excerpts_tell_what_the_whole_tells() {
    let (mut looks, mut settled) = (0, 0);
    let seed = asked("EXCERPTS_SEED", 1);
    for seed in seed..seed + asked("EXCERPTS_WALKS", 6) {
        let world = World::new();
        let mut walk = Walk::new(&world, seed);
        walk.done.push(format!("seed {seed}"));
        for _ in 0..STEPS {
            walk.step();
        }
        looks += walk.tally.looks;
        settled += walk.tally.settled;
    }
    eprintln!("{looks} looks at excerpts, {settled} of them without all that is settled");
    assert!(looks > 20, "only {looks} looks at excerpts");
    assert!(settled > 5, "only {settled} without what is settled");
}
