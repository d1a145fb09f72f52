//! The other processes: this very program, started again with a part to play.

use std::env;
use std::io::{BufRead, BufReader, Lines, Write, stdout};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use rhema_crdt::crdt::{Act, Atom, Change, Clock, Observed, Replica};
use rhema_crdt::exchange::{EditDigest, Seal};
use rhema_crdt::overlay::{Deed, DocumentPath, Known};
use rhema_crdt::store::{
    Content, Durability, Facts, Holds, Issuer, Look, Moment, Reading, Store, Way, Which, Writing,
};

const ROLE: &str = "RHEMA_TEST_STORE_ROLE";
const GIT_DIR: &str = "RHEMA_TEST_STORE_GIT_DIR";

/// How many edits a batch has.
const BATCH: u64 = 3;

/// How many threads hammer, over all processes.
pub(crate) const HAMMERS: u32 = 6;

/// How many edits each of them makes.
pub(crate) const EDITS_OF_A_HAMMER: u64 = 40;

/// A part to play.
#[derive(Clone, Copy)]
pub(crate) enum Role {
    /// Commits batches of edits until it is killed, and says `batch <n>` after each.
    Batches,
    /// Writes much, says `half 1`, and never commits.
    Half,
    /// Says `made 1` if it made the store and `made 0` if not; two threads write as fast as they can, one reads.
    Hammer(u32),
}

/// A process that plays a part, killed when it is dropped.
pub(crate) struct Player {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Player {
    /// The number behind the next line that begins with this word; none if the process ends before.
    pub(crate) fn next(&mut self, word: &str) -> Option<u64> {
        let number = |line: String| line.strip_prefix(word)?.trim().parse().ok();
        let lines = self.said.by_ref().map_while(Result::ok);
        lines.filter_map(number).next()
    }

    /// Waits for its end; whether it played its part well.
    pub(crate) fn ends_well(mut self) -> bool {
        self.said.by_ref().for_each(drop);
        self.child.wait().unwrap().success()
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        // It may have come to an end by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Role {
    /// Starts a process that plays it.
    pub(crate) fn start(self, git_dir: &Path) -> Player {
        let role = match self {
            Self::Batches => "batches".to_owned(),
            Self::Half => "half".to_owned(),
            Self::Hammer(number) => number.to_string(),
        };
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "child::plays_its_part", "--ignored"])
            .env(ROLE, role)
            .env(GIT_DIR, git_dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Player { child, said }
    }
}

#[test]
#[ignore = "the other process of the tests here, which start it"]
fn plays_its_part() {
    let git_dir = PathBuf::from(env::var_os(GIT_DIR).unwrap());
    match env::var(ROLE).unwrap().as_str() {
        "batches" => commit_batches(&git_dir),
        "half" => write_half(&git_dir),
        number => hammer(&git_dir, number.parse().unwrap()),
    }
}

fn say(word: &str, number: u64) {
    let mut out = stdout();
    // A line of its own, whatever the test harness wrote before.
    writeln!(out, "\n{word} {number}").unwrap();
    out.flush().unwrap();
}

fn now() -> Moment {
    Moment::from(std::time::SystemTime::now())
}

/// Adds the next edit of a replica.
fn add(writing: &Writing<'_>, replica: u32, document: &DocumentPath) {
    let replica = Replica::from_bits(replica);
    let previous = writing.last_of(replica).unwrap();
    let stamp = Clock::new(replica, previous).tick(0).unwrap();
    let edit = Known {
        stamp,
        previous,
        document: document.clone(),
        base: None,
        published: Vec::new(),
        branch: Some("main".to_owned()),
        deed: Deed::Change(vec![Change {
            at: rhema_crdt::crdt::Path::default().entry("title"),
            act: Act::Write(Atom::new(stamp.to_string())),
            observed: Observed::default(),
        }]),
    };
    writing.add(&edit, Issuer::Own, Way::Recorded).unwrap();
    // What proves it nobody asks here.
    let seal = Seal {
        before: previous,
        run: vec![(stamp, EditDigest([7; 32]))],
        signature: [7; 64],
    };
    writing.prove(&[7; 32], &seal, [stamp]).unwrap();
}

fn look(records: u64) -> Look {
    Look {
        head: None,
        file: None,
        facts: Facts {
            records,
            conflicts: 0,
        },
        holds: Holds::Current,
        reflog: None,
    }
}

/// The document of the batches.
pub(crate) fn batch_document() -> DocumentPath {
    DocumentPath::new("batches.yaml")
}

/// How many batches stand: by the edits, by the rendering and by the look, which must agree.
pub(crate) fn batches(reading: &Reading<'_>) -> u64 {
    let document = batch_document();
    let edits = reading.edits(&document, Which::All).unwrap().len() as u64;
    let looked = reading.look(&document).unwrap();
    let rendered = reading.rendering(&document).unwrap();
    let batches = looked.map_or(0, |look| look.facts.records);
    assert_eq!(edits, BATCH * batches);
    let expected = (batches > 0).then(|| content(batches));
    assert_eq!(rendered.map(|rendered| rendered.content), expected);
    batches
}

fn content(batch: u64) -> Content {
    // Several pages.
    Content::Bytes(batch.to_be_bytes().repeat(2_000))
}

fn write_batch(writing: &Writing<'_>, batch: u64, content: &Content) {
    let document = batch_document();
    for _ in 0..BATCH {
        add(writing, 1, &document);
    }
    writing.render(&document, content, None, now()).unwrap();
    writing.set_look(&document, &look(batch)).unwrap();
}

fn commit_batches(git_dir: &Path) {
    let mut store = Store::open(git_dir).unwrap().store;
    loop {
        let writing = store.write(Durability::Power).unwrap();
        let batch = batches(&writing) + 1;
        write_batch(&writing, batch, &content(batch));
        writing.commit().unwrap();
        say("batch", batch);
    }
}

fn write_half(git_dir: &Path) {
    let mut store = Store::open(git_dir).unwrap().store;
    let writing = store.write(Durability::Power).unwrap();
    // More than SQLite holds in memory: a part is in the log before the commit.
    let large = Content::Bytes(vec![7; 16 << 20]);
    write_batch(&writing, 1, &large);
    say("half", 1);
    thread::sleep(Duration::from_secs(600));
}

/// The document of a thread that hammers.
pub(crate) fn hammered_document(replica: u32) -> DocumentPath {
    DocumentPath::new(format!("{replica}.yaml"))
}

/// How many edits a thread that hammers has made: by the edits and by the look, which must agree.
pub(crate) fn is_whole(reading: &Reading<'_>, replica: u32) -> u64 {
    let document = hammered_document(replica);
    let looked = reading.look(&document).unwrap();
    let edits = reading.edits(&document, Which::All).unwrap().len() as u64;
    assert_eq!(looked.map_or(0, |look| look.facts.records), edits);
    edits
}

fn hammer(git_dir: &Path, number: u32) {
    let opened = Store::open(git_dir).unwrap();
    say("made", u64::from(opened.is_new()));
    thread::scope(|threads| {
        for replica in [2 * number, 2 * number + 1] {
            threads.spawn(move || {
                for _ in 0..EDITS_OF_A_HAMMER {
                    // As commands do: each opens the store.
                    let mut store = Store::open(git_dir).unwrap().store;
                    let writing = store.write(Durability::Power).unwrap();
                    let edits = is_whole(&writing, replica);
                    let document = hammered_document(replica);
                    add(&writing, replica, &document);
                    writing.set_look(&document, &look(edits + 1)).unwrap();
                    writing.commit().unwrap();
                }
            });
        }
        // As a watcher does: it keeps the store open.
        let mut store = opened.store;
        threads.spawn(move || {
            let edits = |store: &mut Store| -> u64 {
                let reading = store.read().unwrap();
                (0..HAMMERS)
                    .map(|replica| is_whole(&reading, replica))
                    .sum()
            };
            while edits(&mut store) < EDITS_OF_A_HAMMER * u64::from(HAMMERS) {}
        });
    });
}
