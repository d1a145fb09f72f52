//! What is remembered of commits tells the same as comparing them.

use std::ops::ControlFlow;
use std::path::PathBuf;

use rhema_crdt::crdt::Path;
use rhema_crdt::git::Repo;
use rhema_crdt::history::{Asked, Blame, Entry, Memory, People, blame, learn, log};
use rhema_crdt::overlay::DocumentPath;
use rhema_crdt::store::{Reading, Store};

use crate::support::{Tree, World};

const FILE: &str = ".rhema/todos.yaml";
const OTHER: &str = ".rhema/work.yaml";

/// A number that looks like any other.
fn next(state: &mut u64, below: u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % below
}

fn record(name: usize, state: &mut u64) -> String {
    format!(
        "  - id: record-{name}\n    title: Title {name}\n    status: pending\n    notes: note {}\n",
        next(state, 9)
    )
}

fn text(records: &[String]) -> String {
    format!(
        "_crdt: v1 todos=or_set\nowner: ann\ntodos:\n{}",
        records.concat()
    )
}

fn commit(tree: &Tree<'_>, message: &str) {
    tree.git(&["add", "-A"]);
    tree.git(&["commit", "-q", "--allow-empty", "-m", message]);
}

/// One step of a history: by the tool or by hand, committed or not, on this branch or on another one.
fn step(tree: &Tree<'_>, state: &mut u64, number: usize) {
    let file = if tree.path(FILE).exists() {
        FILE
    } else {
        OTHER
    };
    let name = next(state, 8);
    let place = format!("todos/record-{name}");
    let value = format!("notes=step {number}");
    let typed = |from: &str, to: &str| {
        let text = tree.read(file);
        if text.contains(from) {
            tree.write(file, text.replacen(from, to, 1));
        }
    };
    match next(state, 14) {
        0 | 1 => drop(tree.rhema(&["set", &place, &value])),
        2 => drop(tree.rhema(&["set", &place, "status=completed", &value])),
        3 => drop(tree.rhema(&["remove", &place])),
        4 => drop(tree.rhema(&[
            "add",
            "todos",
            &format!("id=record-{name}"),
            &value,
            "title=New",
        ])),
        5 => drop(tree.rhema(&["move", &place, "--first"])),
        6 => drop(tree.rhema(&["set", &place, &format!("id=other-{number}")])),
        7 => typed(
            &format!("title: Title {name}\n"),
            &format!("title: Typed {number}\n"),
        ),
        8 => typed("owner: ann", "owner: bob"),
        9 => {
            let to = if file == FILE { OTHER } else { FILE };
            tree.git(&["mv", file, to]);
            commit(tree, "renamed");
        }
        10 => {
            // Two branches, and a merge of them.
            commit(tree, "before");
            tree.git(&["checkout", "-q", "-b", &format!("side-{number}"), "HEAD~1"]);
            let there = if tree.path(FILE).exists() {
                FILE
            } else {
                OTHER
            };
            let text = tree.read(there);
            tree.write(
                there,
                text.replacen("status: pending", "status: blocked", 1),
            );
            commit(tree, "side");
            tree.git(&["checkout", "-q", "main"]);
            let side = format!("side-{number}");
            tree.try_git(&["merge", "-q", "--no-edit", &side]);
            if tree.path(".git/MERGE_HEAD").exists() {
                tree.git(&["merge", "--abort"]);
            }
        }
        11 => drop(tree.rhema(&["sync", "--timeout", "0"])),
        _ => commit(tree, &format!("commit {number}")),
    }
}

fn told(
    repo: &Repo,
    reading: Option<&Reading<'_>>,
    within: Option<&str>,
    memory: &Memory,
) -> Vec<Entry> {
    let people = People::of(repo, reading).unwrap();
    let asked = Asked {
        documents: vec![DocumentPath::new(FILE), DocumentPath::new(OTHER)],
        within: within.map(str::to_owned),
        ..Asked::default()
    };
    let mut entries = Vec::new();
    log(repo, reading, &people, &asked, memory, &mut |entry| {
        entries.push(entry);
        ControlFlow::Continue(())
    })
    .unwrap();
    entries
}

fn blamed(
    repo: &Repo,
    reading: Option<&Reading<'_>>,
    tree: &Tree<'_>,
    at: &Path,
    memory: &Memory,
) -> Vec<Blame> {
    let file = if tree.path(FILE).exists() {
        FILE
    } else {
        OTHER
    };
    let people = People::of(repo, reading).unwrap();
    let document = DocumentPath::new(file);
    let blames = blame(
        repo,
        reading,
        &people,
        &document,
        &tree.read(file),
        at,
        memory,
    );
    blames.unwrap().unwrap_or_default()
}

/// All that is asked of one history.
fn all(
    tree: &Tree<'_>,
    store: &mut Option<Store>,
    memory: &Memory,
) -> (Vec<Vec<Entry>>, Vec<Vec<Blame>>) {
    let repo = Repo::at(&tree.top).unwrap();
    let reading = store.as_mut().map(|store| store.read().unwrap());
    let reading = reading.as_ref();
    let mut within: Vec<Option<String>> =
        vec![None, Some("owner".to_owned()), Some("todos".to_owned())];
    within.extend((0..8).map(|name| Some(format!("todos/record-{name}"))));
    within.extend((0..8).map(|name| Some(format!("todos.record-{name}.notes"))));
    let logs = within
        .iter()
        .map(|within| told(&repo, reading, within.as_deref(), memory));
    let logs = logs.collect();
    let whole = blamed(&repo, reading, tree, &Path::default(), memory);
    let places = whole.iter().map(|blame| blame.at.outermost_record());
    let mut places: Vec<Path> = places.filter(|place| !place.steps().is_empty()).collect();
    places.dedup();
    let mut blames = vec![whole];
    blames.extend(
        places
            .iter()
            .map(|at| blamed(&repo, reading, tree, at, memory)),
    );
    (logs, blames)
}

/// The first of what was asked in which two answers differ.
#[track_caller]
fn check<A: std::fmt::Debug + PartialEq>(found: &[Vec<A>], expected: &[Vec<A>], told: &str) {
    assert_eq!(found.len(), expected.len(), "{told}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(found, expected, "{told}, {index}");
        }
        assert_eq!(found.len(), expected.len(), "{told}, {index}");
    }
}

fn seeds() -> Vec<u64> {
    let given = std::env::var("HISTORY_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    given.map_or_else(|| vec![1, 2, 11], |seed| vec![seed])
}

#[test]
fn what_is_remembered_tells_what_comparing_tells() {
    for seed in seeds() {
        let world = World::new();
        let mut state = seed;
        let records: Vec<String> = (0..6).map(|name| record(name, &mut state)).collect();
        let tree = world.repo("repo", &[(FILE, &text(&records))]);
        tree.rhema(&["init"]).exits(0);
        tree.commit("set up");
        tree.rhema(&["sync", "--timeout", "0"]).exits(0);
        let git_dir: PathBuf = tree.path(".git");
        for number in 0..24 {
            step(&tree, &mut state, number);
            if number % 8 != 7 {
                continue;
            }
            let never = || Memory::of_documents_from(usize::MAX);
            let mut store = Some(Store::open(&git_dir).unwrap().store);
            // Nothing is ever taken out of these: `never` leaves the store as it is.
            let forget = rusqlite::Connection::open(git_dir.join("rhema/store.sqlite")).unwrap();
            let kept: Vec<Row> = rows(&forget);
            forget.execute("DELETE FROM happenings", []).unwrap();
            let slow = all(&tree, &mut store, &never());
            let same = |store: &mut Option<Store>, memory: &Memory, told: &str| {
                let told = format!("seed {seed}, {number}: {told}");
                let (logs, blames) = all(&tree, store, memory);
                check(&logs, &slow.0, &told);
                check(&blames, &slow.1, &told);
            };
            let memory = Memory::of_documents_from(0);
            same(&mut store, &memory, "nothing is remembered");
            let documents = [DocumentPath::new(FILE), DocumentPath::new(OTHER)];
            let repo = Repo::at(&tree.top).unwrap();
            let all = store.as_mut().unwrap();
            let anew = "UPDATE work_tree SET learned = NULL";
            forget.execute(anew, []).unwrap();
            learn(
                &repo,
                all,
                &documents,
                &Memory::of_documents_from(0),
                u64::MAX,
            )
            .unwrap();
            same(&mut store, &never(), "rounds remember");
            forget.execute("DELETE FROM happenings", []).unwrap();
            // What went before is remembered, the rest is not.
            for row in &kept {
                let sql = "INSERT INTO happenings VALUES (?1, ?2, ?3, ?4)";
                forget
                    .execute(sql, (row.0, &row.1, &row.2, &row.3))
                    .unwrap();
            }
            same(&mut store, &never(), "some is remembered");
            memory.keep(store.as_mut().unwrap()).unwrap();
            assert!(!rows(&forget).is_empty(), "something is remembered");
            same(&mut store, &never(), "all is remembered");
            if number == 15 {
                // Commits that are gone, and others in their place.
                tree.rhema(&["sync", "--timeout", "0"]);
                tree.git(&["reset", "-q", "--hard", "HEAD~2"]);
                tree.git(&["commit", "-q", "--amend", "--allow-empty", "-m", "amended"]);
                tree.git(&["reflog", "expire", "--expire=now", "--all"]);
                tree.git(&["gc", "-q", "--prune=now"]);
            }
        }
    }
}

#[test]
fn rounds_find_out_what_commits_did_some_at_a_time() {
    let world = World::new();
    let mut state = 5;
    let records: Vec<String> = (0..8).map(|name| record(name, &mut state)).collect();
    let tree = world.repo("repo", &[(FILE, &text(&records))]);
    tree.rhema(&["init"]).exits(0);
    tree.commit("set up");
    for number in 0..6 {
        let notes = format!("notes=step {number}");
        tree.rhema(&["set", "todos/record-1", &notes]).exits(0);
        commit(&tree, &notes);
    }
    let git_dir = tree.path(".git");
    let repo = Repo::at(&tree.top).unwrap();
    let mut store = Store::open(&git_dir).unwrap().store;
    let connection = rusqlite::Connection::open(git_dir.join("rhema/store.sqlite")).unwrap();
    // Rounds noted that nothing is worth it in so short a document.
    let anew = "UPDATE work_tree SET learned = NULL";
    connection.execute(anew, []).unwrap();
    let mut learned = |most: u64| {
        let memory = Memory::of_documents_from(0);
        learn(&repo, &mut store, &[DocumentPath::new(FILE)], &memory, most).unwrap();
        let head = store.read().unwrap().learned().unwrap();
        (rows(&connection).len(), head == repo.head_commit().unwrap())
    };
    for number in 1..6 {
        assert_eq!(learned(1), (number, false), "one at a time");
    }
    assert_eq!(learned(1), (6, true), "nothing is left");
    assert_eq!(learned(1), (6, true));
    connection.execute("DELETE FROM happenings", []).unwrap();
    assert_eq!(
        learned(u64::MAX),
        (0, true),
        "what was found out once is not asked again"
    );
    let more = tree.read(FILE).replace("notes: step 5", "notes: more");
    tree.write(FILE, more);
    commit(&tree, "more");
    assert_eq!(learned(u64::MAX), (1, true), "only what came since");
}

#[test]
fn a_round_remembers_what_commits_did_to_a_large_document() {
    let world = World::new();
    let mut state = 5;
    let records: Vec<String> = (0..600).map(|name| record(name, &mut state)).collect();
    let tree = world.repo("repo", &[(FILE, &text(&records))]);
    tree.rhema(&["init"]).exits(0);
    tree.commit("set up");
    tree.rhema(&["set", "todos/record-1", "notes=other"])
        .exits(0);
    commit(&tree, "other");
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
    let store = tree.path(".git/rhema/store.sqlite");
    let connection = rusqlite::Connection::open(store).unwrap();
    assert_eq!(rows(&connection).len(), 1, "the edit");
}

/// What is remembered of a commit, as it stands in the store.
type Row = (i64, Vec<u8>, Vec<u8>, Vec<u8>);

fn rows(connection: &rusqlite::Connection) -> Vec<Row> {
    let mut statement = connection.prepare("SELECT * FROM happenings").unwrap();
    let rows = statement.query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    });
    rows.unwrap().map(Result::unwrap).collect()
}
