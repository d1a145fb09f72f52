//! A host, or somebody with access to it, that forges, alters, repeats and withholds.

use std::io::Write as _;
use std::process::Stdio;

use crate::support::{Tree, World};
use crate::team::{TODOS, add, origin, refs, same, sync, sync_all, team};

/// What somebody may do to the files of a ref.
struct Files<'w> {
    origin: Tree<'w>,
    name: String,
    /// Their names and objects.
    all: Vec<(String, String)>,
}

impl<'w> Files<'w> {
    /// What somebody left there.
    fn of(world: &'w World, clone: &Tree<'_>) -> Self {
        let clock = clone.read(".git/rhema/clock");
        Self::which(world, |replica| {
            clock.contains(&format!("replica: {replica}\n"))
        })
    }

    /// What anybody left there.
    fn of_any(world: &'w World) -> Self {
        Self::which(world, |_| true)
    }

    fn which(world: &'w World, is_it: impl Fn(&str) -> bool) -> Self {
        let origin = origin(world);
        let mut names = refs(&origin).into_iter();
        let name = names.find(|name| is_it(name.rsplit('/').next().unwrap()));
        let name = name.unwrap();
        let listed = origin.git(&["ls-tree", &name]);
        let all = listed.lines().map(|line| {
            let (meta, file) = line.split_once('\t').unwrap();
            let object = meta.split(' ').nth(2).unwrap();
            (file.to_owned(), object.to_owned())
        });
        let all = all.collect();
        Self { origin, name, all }
    }

    fn content(&self, object: &str) -> Vec<u8> {
        let mut command = self.origin.world.command("git", &self.origin.top);
        command
            .args(["cat-file", "blob", object])
            .output()
            .unwrap()
            .stdout
    }

    fn keep(&self, content: &[u8]) -> String {
        let mut command = self.origin.world.command("git", &self.origin.top);
        command.args(["hash-object", "-w", "--stdin"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(content).unwrap();
        let output = child.wait_with_output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Has the host show these files instead, under this name.
    fn show(&self, name: &str) {
        let mut command = self.origin.world.command("git", &self.origin.top);
        command
            .arg("mktree")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        for (file, object) in &self.all {
            writeln!(stdin, "100644 blob {object}\t{file}").unwrap();
        }
        drop(stdin);
        let tree = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        let commit = self.origin.git(&["commit-tree", tree.trim(), "-m", "x"]);
        self.origin.git(&["update-ref", name, commit.trim()]);
    }

    /// The files with edits.
    fn segments(&self) -> Vec<usize> {
        let is_one = |at: &usize| self.all[*at].0.starts_with("edits-");
        (0..self.all.len()).filter(is_one).collect()
    }
}

/// Two clones, of which the first left one edit there; its files, and which of them has the edit.
fn one_segment(world: &World) -> (Vec<Tree<'_>>, Files<'_>, usize) {
    let clones = team(world, 2);
    add(&clones[0], "b");
    sync(&clones[0]);
    let files = Files::of(world, &clones[0]);
    let [segment] = files.segments()[..] else {
        panic!("{:?}", files.all)
    };
    (clones, files, segment)
}

#[test]
fn an_edit_that_was_altered_on_the_way_is_refused_and_comes_right_again() {
    let world = World::new();
    let (clones, mut files, segment) = one_segment(&world);
    let content = files.content(&files.all[segment].1);
    let at = content
        .windows(8)
        .position(|bytes| bytes == b"One more")
        .unwrap();
    let mut altered = content.clone();
    altered[at..at + 8].copy_from_slice(b"One less");
    files.all[segment].1 = files.keep(&altered);
    files.show(&files.name);
    let said = clones[1].rhema(&["sync"]).exits(0);
    assert!(
        said.stderr.contains("made up or altered on the way"),
        "{}",
        said.stderr
    );
    assert!(!clones[1].read(TODOS).contains("id: b"));
    let said = clones[0].rhema(&["sync"]).exits(0);
    assert!(
        said.stderr
            .contains("does not have what this work tree left there"),
        "{}",
        said.stderr
    );
    sync_all(&clones);
    assert!(same(&clones).contains("title: One more"));
}

#[test]
fn no_byte_of_a_segment_can_be_changed() {
    let world = World::new();
    let (clones, mut files, segment) = one_segment(&world);
    let content = files.content(&files.all[segment].1);
    let before = clones[1].read(TODOS);
    // Every seventh byte: a program is run for each.
    for at in (0..content.len()).step_by(7) {
        let mut altered = content.clone();
        altered[at] ^= 1;
        files.all[segment].1 = files.keep(&altered);
        files.show(&files.name);
        clones[1].rhema(&["sync"]).exits(0);
        assert_eq!(clones[1].read(TODOS), before, "byte {at}");
    }
    sync_all(&clones);
    assert!(same(&clones).contains("id: b"));
}

#[test]
fn edits_of_a_stranger_are_refused_under_whatever_name() {
    let world = World::new();
    let clones = team(&world, 2);
    add(&clones[0], "b");
    sync(&clones[0]);
    let ann = Files::of(&world, &clones[0]).name;
    let mallory = world.tree("mallory");
    clones[0].git(&["clone", "-q", "../origin.git", "../mallory"]);
    mallory.rhema(&["init", "--no-join"]).exits(0);
    add(&mallory, "evil");
    sync(&mallory);
    let said = clones[1].rhema(&["sync"]).exits(0);
    assert!(
        said.stderr.contains("somebody who is no member"),
        "{}",
        said.stderr
    );
    let files = Files::of(&world, &mallory);
    assert_ne!(files.name, ann);
    files.show(&ann);
    clones[1].rhema(&["sync"]).exits(0);
    assert!(!clones[1].read(TODOS).contains("evil"));
    sync(&clones[0]);
    sync(&clones[1]);
    assert!(same(&clones).contains("id: b"));
}

#[test]
fn what_is_repeated_under_other_names_changes_nothing() {
    let world = World::new();
    let clones = team(&world, 2);
    add(&clones[0], "b");
    sync_all(&clones);
    clones[1].rhema(&["remove", "todos/b"]).exits(0);
    sync_all(&clones);
    let before = same(&clones);
    let files = Files::of_any(&world);
    files.show("refs/rhema/000007");
    files.show("refs/heads/rhema/000008");
    sync_all(&clones);
    assert_eq!(same(&clones), before);
}

#[test]
fn edits_that_are_withheld_are_missed_and_come_from_their_author_again() {
    let world = World::new();
    let clones = team(&world, 3);
    add(&clones[0], "b");
    sync(&clones[0]);
    // Large enough to stay a segment of its own.
    let long: Vec<String> = (0_u32..200)
        .map(|number| (number * number * 7_919).to_string())
        .collect();
    let long = long.join("-");
    clones[0]
        .rhema(&["set", "todos/b", &format!("title={long}")])
        .exits(0);
    sync(&clones[0]);
    add(&clones[0], "c");
    sync(&clones[0]);
    let mut files = Files::of(&world, &clones[0]);
    let segments = files.segments();
    assert!(segments.len() >= 2, "{:?}", files.all);
    files.all.remove(segments[0]);
    files.show(&files.name);
    sync(&clones[1]);
    assert!(!clones[1].read(TODOS).contains(&long));
    let mut none = Files::of(&world, &clones[0]);
    none.all.retain(|(name, _)| name == "peer");
    none.show(&none.name);
    let said = clones[2].rhema(&["sync"]).exits(0);
    assert!(
        said.stderr.contains("origin withholds edits"),
        "{}",
        said.stderr
    );
    let said = clones[0].rhema(&["sync"]).exits(0);
    assert!(
        said.stderr
            .contains("does not have what this work tree left there"),
        "{}",
        said.stderr
    );
    sync_all(&clones);
    assert!(same(&clones).contains(&long));
}

#[test]
fn what_a_removed_member_leaves_there_later_is_refused() {
    let world = World::new();
    let clones = team(&world, 3);
    let [ann, ben, cleo] = clones.as_slice() else {
        unreachable!()
    };
    add(cleo, "before");
    sync_all(&clones);
    let node = cleo.rhema(&["status", "--json"]).exits(0).json()["node"]
        .as_str()
        .unwrap()
        .to_owned();
    ann.rhema(&["peers", "remove", &node]).exits(0);
    ann.git(&["add", ".rhema/crdt"]);
    ann.git(&["commit", "-q", "-m", "without Cleo"]);
    ann.git(&["push", "-q"]);
    ben.git(&["pull", "-q"]);
    add(cleo, "after");
    cleo.rhema(&["sync"]);
    let said = ben.rhema(&["sync"]).exits(0);
    assert!(said.stderr.contains("removed"), "{}", said.stderr);
    let shown = ben.read(TODOS);
    assert!(
        shown.contains("id: before") && !shown.contains("id: after"),
        "{shown}"
    );
    // One who never heard of what came before gets it still.
    let late = world.tree("late");
    ann.git(&["clone", "-q", "../origin.git", "../late"]);
    late.rhema(&["init", "--no-join"]).exits(0);
    late.rhema(&["sync"]).exits(0);
    let shown = late.read(TODOS);
    assert!(
        shown.contains("id: before") && !shown.contains("id: after"),
        "{shown}"
    );
}

#[test]
fn refs_that_hold_anything_else_stop_nobody() {
    let world = World::new();
    let clones = team(&world, 2);
    add(&clones[0], "b");
    sync_all(&clones);
    let files = Files::of(&world, &clones[0]);
    let origin = &files.origin;
    let blob = files.keep(b"anything");
    let tree = origin.git(&["rev-parse", "main^{tree}"]);
    origin.git(&["tag", "-a", "tagged", "-m", "x", "main"]);
    let tag = origin.git(&["rev-parse", "tagged"]);
    let main = origin.git(&["rev-parse", "main"]);
    for (name, object) in [
        ("refs/rhema/zzzzz1", blob.as_str()),
        ("refs/rhema/zzzzz2", tree.trim()),
        ("refs/rhema/zzzzz3", tag.trim()),
        ("refs/rhema/zzzzz4", main.trim()),
        ("refs/rhema/not-a-replica", main.trim()),
        ("refs/rhema/deep/er/zzzzz5", main.trim()),
        // Her own, too.
        (files.name.as_str(), blob.as_str()),
    ] {
        origin.git(&["update-ref", name, object]);
    }
    let said = clones[1].rhema(&["sync"]).exits(0);
    assert!(
        said.stderr
            .contains("refs/rhema/zzzzz1 at origin is nothing that this program left"),
        "{}",
        said.stderr
    );
    add(&clones[1], "c");
    sync_all(&clones);
    let shown = same(&clones);
    assert!(
        shown.contains("id: b") && shown.contains("id: c"),
        "{shown}"
    );
    assert_eq!(
        origin.git(&["cat-file", "-t", &files.name]).trim(),
        "commit"
    );
}

#[test]
fn files_that_somebody_else_put_there_hide_nothing_and_do_not_stay() {
    let world = World::new();
    let clones = team(&world, 2);
    add(&clones[0], "b");
    sync_all(&clones);
    let mut files = Files::of(&world, &clones[0]);
    let blob = files.keep(b"anything");
    files
        .all
        .extend((0..1_500).map(|number| (format!("a{number:04}"), blob.clone())));
    files.show(&files.name);
    add(&clones[0], "c");
    sync_all(&clones);
    assert!(same(&clones).contains("id: c"));
    let listed = files.origin.git(&["ls-tree", "--name-only", &files.name]);
    assert!(listed.lines().count() < 10, "{listed}");
}
