//! Repositories with a long history, for measuring: a document of many records, and edits of them that the store knows, as
//! one work tree would have made them over a month.
//!
//! ```sh
//! LARGE=/tmp/committed cargo test --release --test history -- --ignored --nocapture large
//! LARGE=/tmp/waiting COMMITS=0 cargo test --release --test history -- --ignored --nocapture large
//! ```
//!
//! `RECORDS` (10,000), `EDITS` (500,000) and `COMMITS` (1,000; with 0 nothing is committed behind the first version) say
//! otherwise how large.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rhema_crdt::context::lift;
use rhema_crdt::crdt::{
    Act, Atom, Change, Clock, Digest, Node as Held, Observed, Path as Place, Record, Run, Stamp,
};
use rhema_crdt::git::Repo;
use rhema_crdt::node::Node;
use rhema_crdt::overlay::{CommitId, Deed, DocumentPath, Known};
use rhema_crdt::store::{Author, Durability, Mark, Marks, Opened, Store, Way};
use rhema_crdt::yaml::{Document, Limits};

const FILE: &str = ".rhema/todos.yaml";

/// How much.
struct Size {
    records: usize,
    edits: usize,
    commits: usize,
}

/// What was edited in a record last, and all that this replaced.
#[derive(Clone)]
struct Last {
    number: usize,
    first: Stamp,
    stamp: Stamp,
    /// The one that it replaced, and nothing of which HEAD contains.
    before: Option<Run>,
}

#[test]
#[ignore = "an instrument: minutes"]
#[allow(clippy::print_stdout)]
fn large() {
    let number = |name: &str, usual: usize| {
        let given = std::env::var(name).ok();
        given.and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let size = Size {
        records: number("RECORDS", 10_000),
        edits: number("EDITS", 500_000),
        commits: number("COMMITS", 1_000),
    };
    let top = std::env::var_os("LARGE").map(PathBuf::from);
    let temporary = tempfile::tempdir().unwrap();
    let top = top.unwrap_or_else(|| temporary.path().to_path_buf());
    let began = Instant::now();
    build(&top, &size);
    println!("built {} in {:?}", top.display(), began.elapsed());
    let store = fs::metadata(top.join(".git/rhema/store.sqlite")).unwrap();
    println!("store: {} bytes", store.len());
    for arguments in [
        ["sync", "--timeout", "0"].as_slice(),
        &["sync", "--timeout", "0"],
        &["status"],
    ] {
        let began = Instant::now();
        let said = rhema(&top, arguments);
        println!("{arguments:?} {:?}: {said}", began.elapsed());
    }
}

/// Makes such a repository in a new folder.
fn build(top: &Path, size: &Size) {
    fs::create_dir_all(top.join(".rhema")).unwrap();
    fs::write(top.join(FILE), text(size.records, &[])).unwrap();
    git(top, &["init", "-q", "-b", "main"]);
    for (name, value) in [
        ("user.name", "Ann"),
        ("user.email", "ann@example.org"),
        ("gc.auto", "0"),
    ] {
        git(top, &["config", name, value]);
    }
    rhema(top, &["init"]);
    let month = Duration::from_secs(30 * 24 * 3600);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let begin = now.saturating_sub(month);
    git(top, &["add", "-A"]);
    let date = format!("@{} +0000", begin.as_secs());
    let status = Command::new("git")
        .args(["commit", "-q", "-m", "start"])
        .env("GIT_AUTHOR_DATE", &date)
        .env("GIT_COMMITTER_DATE", &date)
        .current_dir(top)
        .status();
    assert!(status.unwrap().success());

    let repo = Repo::at(top).unwrap();
    let node = Node::load(repo.git_dir()).unwrap().unwrap();
    let mut clock_file = node.clock().unwrap();
    let replica = clock_file.replica();
    let mut clock = Clock::new(replica, None);
    let step = month.as_millis() as u64 / (size.edits as u64 + 2);
    let stamps: Vec<Stamp> = (0..size.edits as u64)
        .map(|number| {
            let millis = begin.as_millis() as u64 + (number + 1) * step;
            clock.tick(millis).unwrap()
        })
        .collect();
    clock_file.keep(clock).unwrap();

    let head = repo.head_commit().unwrap().unwrap();
    let mut last: Vec<Option<Last>> = vec![None; size.records];
    let each = size.edits.checked_div(size.commits).unwrap_or(size.edits);
    let commits = match size.commits {
        0 => {
            for (number, stamp) in stamps.iter().enumerate() {
                note(&mut last, number, *stamp, false);
            }
            fs::write(top.join(FILE), text(size.records, &last)).unwrap();
            vec![head]
        }
        _ => commit_all(top, size, each, &stamps, head),
    };
    record(top, size, each, &stamps, &commits, &node, clock_file);
}

/// Which record an edit is about: all in turn, in no order.
fn record_of(number: usize, records: usize) -> usize {
    number * 7_919 % records
}

fn note(last: &mut [Option<Last>], number: usize, stamp: Stamp, committed: bool) -> Option<Last> {
    let of = record_of(number, last.len());
    let before = last[of].take();
    last[of] = Some(Last {
        number,
        first: match &before {
            Some(before) if !committed => before.first,
            _ => stamp,
        },
        stamp,
        before: before
            .as_ref()
            .filter(|_| !committed)
            .map(|before| Run::new(before.first, before.stamp).unwrap()),
    });
    before
}

fn title(record: usize) -> String {
    format!("Record number {record}")
}

fn notes(number: Option<usize>) -> String {
    number.map_or_else(|| "none yet".to_owned(), |number| format!("note {number}"))
}

fn canonical(text: &str) -> String {
    format!("\"{text}\"")
}

/// The document after some edits.
fn text(records: usize, last: &[Option<Last>]) -> String {
    let mut text = String::with_capacity(records * 320);
    if !last.is_empty() {
        text.push_str("_crdt: v1 todos=or_set\n");
    }
    text.push_str("todos:\n");
    for record in 0..records {
        let edited = last.get(record).and_then(Option::as_ref);
        let _ = writeln!(text, "  - id: record-{record:05}");
        let said = notes(edited.map(|last| last.number));
        if let Some(last) = edited {
            let digest = Digest::of(canonical(&said).as_bytes());
            let _ = write!(text, "    _crdt: {} notes~{digest}", last.stamp);
            if let Some(run) = last.before {
                let _ = match run.single() {
                    Some(stamp) => write!(text, " -{stamp}"),
                    None => {
                        let (first, last) = (run.first().to_string(), run.last());
                        let (millis, _) = first.split_once('-').unwrap();
                        write!(text, " -{millis}..{last}")
                    }
                };
            }
            text.push('\n');
        }
        let _ = writeln!(
            text,
            "    title: {}\n    description: The customer says that the amount of invoice {record} differs from what was \
             agreed upon last week.\n    status: pending\n    priority: medium\n    owner: ann\n    tags: [billing, \
             customer]\n    notes: {said}",
            title(record)
        );
    }
    text
}

/// Commits the edits in equal parts; all versions are told to git at once.
fn commit_all(
    top: &Path,
    size: &Size,
    each: usize,
    stamps: &[Stamp],
    head: CommitId,
) -> Vec<CommitId> {
    let mut import = Command::new("git")
        .args(["fast-import", "--quiet", "--export-marks=.git/marks"])
        .current_dir(top)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut to = import.stdin.take().unwrap();
    let mut last: Vec<Option<Last>> = vec![None; size.records];
    for commit in 0..size.commits {
        let numbers = commit * each..(commit + 1) * each;
        for number in numbers.clone() {
            note(&mut last, number, stamps[number], true);
        }
        let text = text(size.records, &last);
        let seconds = stamps[numbers.end - 1].unix_millis() / 1_000 + 1;
        let from = match commit {
            0 => head.to_string(),
            _ => format!(":{commit}"),
        };
        write!(
            to,
            "commit refs/heads/main\nmark :{}\ncommitter Ann <ann@example.org> {seconds} +0000\ndata 4\nwork\nfrom {from}\n\
             M 644 inline {FILE}\ndata {}\n{text}\n",
            commit + 1,
            text.len()
        )
        .unwrap();
    }
    drop(to);
    assert!(import.wait().unwrap().success());
    git(top, &["reset", "-q", "--hard", "main"]);
    let marks = fs::read_to_string(top.join(".git/marks")).unwrap();
    let mut commits: Vec<(usize, CommitId)> = marks
        .lines()
        .map(|line| {
            let (mark, id) = line[1..].split_once(' ').unwrap();
            (mark.parse().unwrap(), commit_of(id))
        })
        .collect();
    commits.sort();
    let commits: Vec<CommitId> = std::iter::once(head)
        .chain(commits.into_iter().map(|(_, commit)| commit))
        .collect();
    let times =
        (1..=size.commits).map(|commit| stamps[commit * each - 1].unix_millis() / 1_000 + 1);
    note_in_reflog(top, &commits, times);
    commits
}

/// HEAD's log as it would be had each of these commits been made here, behind the first: who asks what this work tree had at a time is told
/// by it.
fn note_in_reflog(top: &Path, commits: &[CommitId], seconds: impl Iterator<Item = u64>) {
    let path = top.join(".git/logs/HEAD");
    let log = fs::read_to_string(&path).unwrap();
    let mut text = log.lines().take(1).collect::<String>();
    text.push('\n');
    for (pair, seconds) in commits.windows(2).zip(seconds) {
        let _ = writeln!(
            text,
            "{} {} Ann <ann@example.org> {seconds} +0000\tcommit: work",
            pair[0], pair[1]
        );
    }
    fs::write(path, text).unwrap();
}

fn commit_of(id: &str) -> CommitId {
    let mut bytes = [0; 20];
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&id[at..at + 2], 16).unwrap();
    }
    CommitId::from_bytes(bytes)
}

/// Has the store know the edits.
fn record(
    top: &Path,
    size: &Size,
    each: usize,
    stamps: &[Stamp],
    commits: &[CommitId],
    node: &Node,
    mut clock_file: rhema_crdt::node::ClockFile,
) {
    let first = Document::from_text(text(size.records, &[]), &Limits::default()).unwrap();
    let lifted = lift(&first);
    let Some(Held::Set(records)) = lifted.root.get("todos") else {
        panic!("no records");
    };
    let Opened { mut store, .. } = Store::open(&top.join(".git")).unwrap();
    let author = || Author {
        key: node.key(),
        incarnation: clock_file.incarnation(),
        replica: clock_file.replica(),
    };
    let marks: Marks = match size.commits {
        0 => Marks::default().with(Mark::Shown),
        _ => [Mark::Contained, Mark::Committed].into_iter().collect(),
    };
    let mut last: Vec<Option<Last>> = vec![None; size.records];
    let mut previous = None;
    for (part, base) in (0..size.edits).step_by(each.max(1)).zip(commits) {
        let upto = (part + each).min(size.edits);
        let mut edits = Vec::with_capacity(upto - part);
        for number in part..upto {
            let before = note(&mut last, number, stamps[number], size.commits > 0);
            let record = &records[record_of(number, size.records)];
            edits.push(edit(
                number,
                stamps[number],
                previous,
                *base,
                record,
                before,
            ));
            previous = Some(stamps[number]);
        }
        for edits in edits.chunks(10_000) {
            let writing = store.write(Durability::Process).unwrap();
            writing.record(edits, Way::Recorded, author()).unwrap();
            let marked = edits.iter().map(|edit| (edit.stamp, marks));
            writing.set_marks(marked).unwrap();
            writing.commit().unwrap();
        }
    }
    clock_file.note_recorded(previous).unwrap();
}

fn edit(
    number: usize,
    stamp: Stamp,
    previous: Option<Stamp>,
    base: CommitId,
    record: &Record,
    before: Option<Last>,
) -> Known {
    let mut observed = Observed::default();
    observed.add(
        None,
        Digest::of(canonical(&notes(before.as_ref().map(|last| last.number))).as_bytes()),
    );
    if let Some(before) = before {
        let mut seen = rhema_crdt::crdt::StampSet::default();
        seen.insert(Run::new(before.first, before.stamp).unwrap());
        observed.add_stamps(&seen);
    }
    let said = notes(Some(number));
    Known {
        stamp,
        previous,
        document: DocumentPath::new(FILE),
        base: Some(base),
        published: Vec::new(),
        branch: Some("main".to_owned()),
        deed: Deed::Change(vec![Change {
            at: Place::default()
                .entry("todos")
                .record(record)
                .entry("notes"),
            act: Act::Write(Atom::text(canonical(&said), said)),
            observed,
        }]),
    }
}

fn git(top: &Path, arguments: &[&str]) {
    let done = Command::new("git")
        .args(arguments)
        .current_dir(top)
        .status();
    assert!(done.unwrap().success(), "{arguments:?}");
}

fn rhema(top: &Path, arguments: &[&str]) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_rhema"))
        .arg("crdt")
        .args(arguments)
        .current_dir(top)
        .output()
        .unwrap();
    let said = [done.stdout, done.stderr].concat();
    String::from_utf8_lossy(&said).into_owned()
}
