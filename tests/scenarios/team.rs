//! The language of the scenarios: a team, its people, what they do, and what comes of it.
//!
//! Everybody works on one file, in a linked work tree (a node of its own) on a branch that has the person's name. Stamps
//! are shown as who made them: `@ann1` is Ann's first.

use std::cell::RefCell;

use serde_json::Value;

use crate::support::{Run, Tree, World};
use crate::text::dedent;

/// The file that everybody edits.
pub(crate) const FILE: &str = ".rhema/todos.yaml";

const SYNC: [&str; 3] = ["sync", "--timeout", "0"];

/// Two records, a comment, an empty line: what most scenarios begin with.
pub(crate) const TODOS: &str = "
    # Things to do
    todos:
      - id: tide
        title: Show the tide
        status: pending
        priority: low
      - id: swell
        title: Show the swell
        status: pending
        priority: high
    ";

/// Whether people run `sync` before they commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// They do: their edits carry stamps.
    Stamped,
    /// They do not, as somebody without the tool.
    Plain,
}

/// Tells a story twice: with edits that are stamped before each commit, and with edits that are not.
pub(crate) fn both_ways(file: &str, story: impl Fn(&Team)) {
    for way in [Way::Stamped, Way::Plain] {
        story(&Team::of(file, way));
    }
}

/// Tells a story of edits that are stamped before each commit.
pub(crate) fn stamped(file: &str, story: impl Fn(&Team)) {
    story(&Team::of(file, Way::Stamped));
}

/// People who work on one repository.
pub(crate) struct Team {
    world: World,
    pub(crate) way: Way,
    /// Each stamp that was seen, and what it is called.
    stamps: RefCell<Vec<(String, String)>>,
}

impl Team {
    /// A team whose branch `main` holds the file, set up by `init`.
    pub(crate) fn of(file: &str, way: Way) -> Self {
        let team = Self::before_init(file, way);
        let desk = team.desk();
        desk.rhema(&["init", "-q"]).exits(0);
        desk.commit("set up");
        team
    }

    /// A team that has not been set up yet.
    pub(crate) fn before_init(file: &str, way: Way) -> Self {
        let team = Self {
            world: World::new(),
            way,
            stamps: RefCell::default(),
        };
        // Thousands of commits are made here; git need not tidy up after each.
        team.world.tree("home").write(
            ".gitconfig",
            "[maintenance]\nauto = false\n[gc]\nauto = 0\n",
        );
        team.world.repo("desk", &[(FILE, &dedent(file))]);
        team
    }

    /// The work tree in which branches are merged that nobody merges himself.
    pub(crate) fn desk(&self) -> Tree<'_> {
        self.world.tree("desk")
    }

    /// Somebody on a new branch from `main`.
    pub(crate) fn person(&self, name: &'static str) -> Person<'_> {
        self.person_on(name, "main")
    }

    /// Somebody on a new branch from any commit.
    pub(crate) fn person_on(&self, name: &'static str, start: &str) -> Person<'_> {
        let tree = self.world.tree(name);
        let top = tree.top.to_str().unwrap();
        self.desk()
            .git(&["worktree", "add", "-q", "-b", name, top, start]);
        Person {
            team: self,
            name,
            tree,
        }
    }

    /// Ann and Ben, who begin where `main` is.
    pub(crate) fn two(&self) -> [Person<'_>; 2] {
        ["ann", "ben"].map(|name| self.person(name))
    }

    /// What becomes of two branches merged in either direction: the same bytes, nothing left to do for git.
    #[track_caller]
    pub(crate) fn merge(&self, one: &Person<'_>, other: &Person<'_>) -> Merged<'_> {
        self.merge_all(&[
            in_turn(&[one.name, other.name]),
            in_turn(&[other.name, one.name]),
        ])
    }

    /// What becomes of branches merged in each of these ways: the same bytes.
    #[track_caller]
    pub(crate) fn merge_all(&self, ways: &[Plan]) -> Merged<'_> {
        let desk = self.desk();
        let mut texts = ways.iter().map(|plan| {
            self.carry_out(plan);
            assert_eq!(desk.git(&["status", "--porcelain"]), "");
            self.named(&desk.read(FILE))
        });
        let first = texts.next().unwrap();
        for (index, text) in texts.enumerate() {
            assert_eq!(text, first, "{:?} and {:?}", ways[index + 1], ways[0]);
        }
        self.merged(first)
    }

    #[track_caller]
    fn carry_out(&self, plan: &Plan) -> String {
        match plan {
            Plan::Branch(name) => (*name).to_owned(),
            Plan::Merge(into, from) => {
                let [into, from] = [into, from].map(|plan| self.carry_out(plan));
                self.merge_commits(&into, &from)
            }
        }
    }

    /// Merges two commits at the desk, which must do without anybody's help.
    #[track_caller]
    fn merge_commits(&self, into: &str, from: &str) -> String {
        let desk = self.desk();
        desk.git(&["checkout", "-q", "--detach", into]);
        desk.git(&["merge", "-q", "--no-edit", from]);
        // On no branch, this is the name of the commit.
        desk.read(".git/HEAD").trim().to_owned()
    }

    /// What stands at the desk, which must be sound.
    #[track_caller]
    fn merged(&self, text: String) -> Merged<'_> {
        self.desk().rhema(&["verify", "-q"]).exits(0);
        Merged { team: self, text }
    }

    /// A text with stamps called by the names of those who made them.
    pub(crate) fn named(&self, text: &str) -> String {
        let known = self.stamps.borrow();
        let names = known.iter().fold(text.to_owned(), |text, (stamp, name)| {
            text.replace(stamp, name)
        });
        assert_eq!(stamps_in(&names), [""; 0], "whose stamps are these?");
        names
    }

    /// Calls the stamps in `text` that nobody has seen yet by the name of `who`.
    fn name_new_stamps(&self, text: &str, who: &str) {
        let mut known = self.stamps.borrow_mut();
        for stamp in stamps_in(text) {
            if !known.iter().any(|(old, _)| old == stamp) {
                let of_theirs = known.iter().filter(|(_, name)| {
                    name.trim_start_matches('@')
                        .trim_end_matches(|c: char| c.is_ascii_digit())
                        == who
                });
                let name = format!("@{who}{}", of_theirs.count() + 1);
                known.push((stamp.to_owned(), name));
            }
        }
    }
}

/// How several branches come together.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// A branch as it is.
    Branch(&'static str),
    /// The second merged into the first.
    Merge(Box<Plan>, Box<Plan>),
}

/// One after the other into the first.
pub(crate) fn in_turn(branches: &[&'static str]) -> Plan {
    branches
        .iter()
        .map(|name| Plan::Branch(name))
        .reduce(|into, from| into.and(from))
        .unwrap()
}

impl Plan {
    /// This, and the other merged into it.
    pub(crate) fn and(self, from: Plan) -> Plan {
        Plan::Merge(Box::new(self), Box::new(from))
    }
}

/// All orders of three branches, and both ways to begin.
pub(crate) fn every_way(branches: [&'static str; 3]) -> Vec<Plan> {
    let [a, b, c] = branches;
    let orders = [
        [a, b, c],
        [a, c, b],
        [b, a, c],
        [b, c, a],
        [c, a, b],
        [c, b, a],
    ];
    let left = orders.iter().map(|order| in_turn(order));
    let right = orders
        .iter()
        .map(|[x, y, z]| Plan::Branch(x).and(in_turn(&[y, z])));
    left.chain(right).collect()
}

/// Somebody with a work tree and a branch.
pub(crate) struct Person<'t> {
    team: &'t Team,
    pub(crate) name: &'static str,
    pub(crate) tree: Tree<'t>,
}

impl Person<'_> {
    /// Changes one place of the file, and commits.
    #[track_caller]
    pub(crate) fn changes(&self, from: &str, to: &str) -> &Self {
        self.types(from, to).commits("an edit")
    }

    /// Changes one place of the file.
    #[track_caller]
    pub(crate) fn types(&self, from: &str, to: &str) -> &Self {
        let text = self.tree.read(FILE);
        assert_eq!(text.matches(from).count(), 1, "{from:?} in\n{text}");
        self.tree.write(FILE, text.replace(from, to));
        self
    }

    /// Gives the file other content, and commits.
    #[track_caller]
    pub(crate) fn writes(&self, text: &str) -> &Self {
        self.tree.write(FILE, dedent(text));
        self.commits("an edit")
    }

    /// Adds lines at the end of the file, and commits.
    #[track_caller]
    pub(crate) fn appends(&self, lines: &str) -> &Self {
        let text = self.tree.read(FILE) + &indented(lines);
        self.tree.write(FILE, text);
        self.commits("an addition")
    }

    /// Takes a record (written as in [`Person::appends`]) out of the file, and commits.
    #[track_caller]
    pub(crate) fn deletes(&self, id: &str) -> &Self {
        let text = self.tree.read(FILE);
        let mut inside = false;
        let rest: String = text
            .split_inclusive('\n')
            .filter(|line| {
                if line.starts_with("  - ") {
                    inside = line.trim_end() == format!("  - id: {id}");
                }
                !inside
            })
            .collect();
        assert_ne!(rest, text, "no {id} in\n{text}");
        self.tree.write(FILE, rest);
        self.commits("a deletion")
    }

    /// Stamps, if people do that in this story.
    #[track_caller]
    pub(crate) fn syncs(&self) -> &Self {
        if self.team.way == Way::Stamped {
            self.rhema(&SYNC).exits(0);
        }
        self
    }

    /// Stamps, if people do that in this story, and commits everything.
    #[track_caller]
    pub(crate) fn commits(&self, message: &str) -> &Self {
        self.syncs().git(&["commit", "-q", "-a", "-m", message]);
        self
    }

    /// `rhema crdt ARGUMENTS`; new stamps in the file are this person's.
    #[track_caller]
    pub(crate) fn rhema(&self, arguments: &[&str]) -> Run {
        if !self.tree.path(".git").exists() {
            panic!("{} has no work tree", self.name);
        }
        let run = self.tree.rhema(arguments);
        self.team.name_new_stamps(&self.tree.read(FILE), self.name);
        run
    }

    /// `git ARGUMENTS`, which must succeed.
    #[track_caller]
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.tree.git(arguments)
    }

    /// The newest commit.
    #[track_caller]
    pub(crate) fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    /// Merges somebody's branch into the own one, which must do without help.
    #[track_caller]
    pub(crate) fn merges(&self, other: &Person<'_>) -> &Self {
        self.git(&["merge", "-q", "--no-edit", other.name]);
        assert_eq!(self.git(&["status", "--porcelain"]), "");
        self
    }

    /// The file as it stands.
    #[track_caller]
    pub(crate) fn has(&self) -> Merged<'_> {
        let text = self.team.named(&self.tree.read(FILE));
        Merged {
            team: self.team,
            text,
        }
    }

    /// The open conflicts, as scripts see them.
    #[track_caller]
    pub(crate) fn conflicts(&self) -> Vec<Value> {
        listed(&self.tree)
    }

    /// What `status` says of the file.
    #[track_caller]
    pub(crate) fn status(&self) -> Value {
        let report = self.tree.rhema(&["status", "--json"]).exits(0).json();
        let documents = report["documents"].as_array().unwrap();
        let file = documents.iter().find(|document| document["path"] == FILE);
        file.unwrap().clone()
    }
}

/// A file that something came of.
pub(crate) struct Merged<'t> {
    team: &'t Team,
    pub(crate) text: String,
}

impl Merged<'_> {
    /// The file holds these bytes; in the story without stamps the same but for the annotations of records.
    #[track_caller]
    pub(crate) fn gives(&self, expected: &str) -> &Self {
        let expected = dedent(expected);
        match self.team.way {
            Way::Stamped => self.holds(&expected),
            Way::Plain => self.holds(&without_annotations(&expected)),
        }
    }

    /// The file holds these bytes with stamps, and those without.
    #[track_caller]
    pub(crate) fn gives_or(&self, stamped: &str, plain: &str) -> &Self {
        match self.team.way {
            Way::Stamped => self.holds(&dedent(stamped)),
            Way::Plain => self.holds(&dedent(plain)),
        }
    }

    /// Without annotations and conflicts, the file holds these bytes.
    #[track_caller]
    pub(crate) fn shows(&self, expected: &str) -> &Self {
        assert_same(&self.shown(), &dedent(expected));
        self
    }

    /// The file without annotations and conflicts.
    pub(crate) fn shown(&self) -> String {
        without_annotations(&self.text)
            .split_inclusive('\n')
            .filter(|line| !line.trim_start().starts_with("_crdt_conflicts:"))
            .collect()
    }

    #[track_caller]
    fn holds(&self, expected: &str) -> &Self {
        assert_same(&self.text, expected);
        self
    }

    /// The open conflicts at the desk, as scripts see them.
    #[track_caller]
    pub(crate) fn conflicts(&self) -> Vec<Value> {
        listed(&self.team.desk())
    }
}

#[track_caller]
fn listed(tree: &Tree<'_>) -> Vec<Value> {
    let run = tree.rhema(&["resolve", "--list", "--json"]);
    let conflicts = run.json()["conflicts"].as_array().unwrap().clone();
    assert_eq!(run.status, i32::from(!conflicts.is_empty()));
    conflicts
}

/// `field: value`, and what lost, in brackets: what a conflict is about.
pub(crate) fn brief(conflict: &Value) -> String {
    let field = conflict["field"].as_str().unwrap();
    let losers = conflict["losers"].as_array().unwrap();
    let losers: Vec<String> = losers.iter().map(|loser| shown(&loser["value"])).collect();
    let kind = conflict["kind"].as_str().unwrap();
    if kind == "deleted" {
        format!("{field}: deleted")
    } else {
        let winner = shown(&conflict["winner"]["value"]);
        format!("{field}: {winner} [{}]", losers.join(", "))
    }
}

fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[track_caller]
fn assert_same(text: &str, expected: &str) {
    assert!(
        text == expected,
        "--- it is\n{text}--- not, as it should be,\n{expected}---"
    );
}

/// Lines as they stand in a list of records.
fn indented(lines: &str) -> String {
    dedent(lines)
        .split_inclusive('\n')
        .map(|line| format!("  {line}"))
        .collect()
}

/// The bytes without what records and the marker say of stamps.
fn without_annotations(text: &str) -> String {
    let lines = text.split_inclusive('\n');
    lines
        .filter(|line| {
            let line = line.trim_start();
            !line.starts_with("_crdt: ") || line.starts_with("_crdt: v1")
        })
        .map(|line| match line.split_once(" | ") {
            Some((marker, _)) if marker.starts_with("_crdt: v1") => format!("{marker}\n"),
            _ => line.to_owned(),
        })
        .collect()
}

/// The stamps in a text, in the order of their first appearance.
fn stamps_in(text: &str) -> Vec<&str> {
    let is_part = |part: &str, length| {
        part.len() == length
            && part
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
    };
    let mut stamps = Vec::new();
    for line in text.lines().filter(|line| line.contains("_crdt")) {
        for word in line.split(['+', ' ', '~']) {
            let stamp = word.trim_start_matches('-');
            let parts = stamp.split_once('-');
            let is_stamp = parts.is_some_and(|(time, who)| is_part(time, 8) && is_part(who, 6));
            if is_stamp && !stamps.contains(&stamp) {
                stamps.push(stamp);
            }
        }
    }
    stamps
}
