//! What stands at the host, and how it grows.

use std::fmt::Write as _;
use std::time::Instant;

use crate::support::{Tree, World};
use crate::team::{TODOS, add, beside, origin, refs, same, sync, sync_all, team};

fn files(origin: &Tree<'_>, name: &str) -> usize {
    origin
        .git(&["ls-tree", "--name-only", name])
        .lines()
        .count()
}

#[test]
fn many_pushes_leave_few_files_and_a_short_chain() {
    let world = World::new();
    let clones = team(&world, 2);
    let origin = origin(&world);
    for round in 0..36 {
        add(&clones[0], &format!("t{round}"));
        assert_eq!(sync(&clones[0])["sent"], 1);
    }
    let name = &refs(&origin)[0];
    let chain = origin.git(&["rev-list", "--count", name]);
    assert!(chain.trim().parse::<usize>().unwrap() <= 32, "{chain}");
    assert!(
        files(&origin, name) <= 8,
        "{}",
        origin.git(&["ls-tree", "-l", name])
    );
    // Who saw the first of them reads the rest, and who saw none reads all.
    let said = sync(&clones[1]);
    assert_eq!(said["received"], 36, "{said}");
    same(&clones);
}

#[test]
fn a_host_that_shows_an_old_state_again_loses_nothing() {
    let world = World::new();
    let clones = team(&world, 2);
    let origin = origin(&world);
    add(&clones[0], "b");
    sync(&clones[0]);
    let name = refs(&origin)[0].clone();
    let old = origin.git(&["rev-parse", &name]);
    add(&clones[0], "c");
    sync(&clones[0]);
    origin.git(&["update-ref", &name, old.trim()]);
    sync(&clones[1]);
    assert!(!clones[1].read(TODOS).contains("id: c"), "it is not there");
    let seen = origin.git(&["rev-parse", &name]);
    add(&clones[0], "d");
    sync(&clones[0]);
    sync(&clones[1]);
    origin.git(&["update-ref", &name, seen.trim()]);
    let said = clones[1].rhema(&["sync"]).exits(0);
    assert!(
        said.stderr.contains("shows an older state"),
        "{}",
        said.stderr
    );
    sync_all(&clones);
    let shown = same(&clones);
    assert!(
        shown.contains("id: b") && shown.contains("id: c"),
        "{shown}"
    );
}

#[test]
fn a_ref_that_was_deleted_is_made_anew() {
    let world = World::new();
    let clones = team(&world, 2);
    let origin = origin(&world);
    add(&clones[0], "b");
    sync(&clones[0]);
    origin.git(&["update-ref", "-d", &refs(&origin)[0]]);
    sync_all(&clones);
    assert!(same(&clones).contains("id: b"));
}

#[test]
fn the_repository_beside_may_be_deleted_or_broken() {
    let world = World::new();
    let clones = team(&world, 2);
    add(&clones[0], "b");
    sync_all(&clones);
    std::fs::remove_dir_all(beside(&clones[0])).unwrap();
    std::fs::write(beside(&clones[1]).join("HEAD"), "nothing").unwrap();
    add(&clones[0], "c");
    sync_all(&clones);
    std::fs::remove_dir_all(beside(&clones[1]).join("objects")).unwrap();
    std::fs::create_dir(beside(&clones[1]).join("objects")).unwrap();
    add(&clones[0], "d");
    add(&clones[1], "e");
    sync_all(&clones);
    let shown = same(&clones);
    assert!(
        ["b", "c", "d", "e"]
            .iter()
            .all(|id| shown.contains(&format!("id: {id}\n"))),
        "{shown}"
    );
}

#[test]
fn what_programs_left_behind_that_were_ended_stops_nobody() {
    let world = World::new();
    let clones = team(&world, 2);
    add(&clones[0], "b");
    sync_all(&clones);
    let name = refs(&origin(&world))[0].clone();
    for clone in &clones {
        std::fs::write(beside(clone).join(format!("{name}.lock")), "").unwrap();
        std::fs::write(beside(clone).join("packed-refs.lock"), "").unwrap();
    }
    add(&clones[0], "c");
    sync_all(&clones);
    // A power cut leaves files empty.
    for clone in &clones {
        std::fs::write(beside(clone).join(&name), "").unwrap();
    }
    add(&clones[1], "d");
    sync_all(&clones);
    let shown = same(&clones);
    assert!(
        ["b", "c", "d"]
            .iter()
            .all(|id| shown.contains(&format!("id: {id}\n"))),
        "{shown}"
    );
}

#[test]
fn what_uninit_leaves_is_nothing() {
    let world = World::new();
    let clones = team(&world, 1);
    add(&clones[0], "b");
    sync(&clones[0]);
    let name = refs(&origin(&world))[0].clone();
    let said = clones[0].rhema(&["uninit"]).exits(0).stdout;
    assert!(
        said.contains(&format!("`git push origin :{name}` removes it")),
        "{said}"
    );
    clones[0].git(&["push", "-q", "origin", &format!(":{name}")]);
    assert!(refs(&origin(&world)).is_empty());
    assert!(!clones[0].path(".git/rhema").exists());
}

/// What stands at the host after many edits, with and without squashing, and what it costs to fetch it:
/// `EDITS=10000 EACH=10 cargo test --release --test reach -- --ignored --nocapture growth`.
#[test]
#[ignore = "an instrument: minutes"]
#[allow(clippy::print_stdout)]
fn growth_at_the_host() {
    let number = |name: &str, usual: usize| {
        let given = std::env::var(name).ok();
        given.and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let (edits, each) = (number("EDITS", 10_000), number("EACH", 10));
    let world = World::new();
    let clones = team(&world, 2);
    let origin = origin(&world);
    origin.git(&["config", "core.logAllRefUpdates", "always"]);
    origin.git(&["config", "receive.autoGc", "false"]);
    let ann = &clones[0];
    let text = |round: usize| {
        let mut text = "_crdt: v1 todos=or_set\ntodos:\n".to_owned();
        for record in 0..each {
            let _ = writeln!(
                text,
                "  - id: r{record}\n    title: Title {record} of round {round}\n    status: open"
            );
        }
        text
    };
    ann.write(TODOS, text(0));
    ann.commit("records");
    let (mut pushed, mut took) = (0, 0);
    for round in 1..=edits / each {
        ann.write(TODOS, text(round));
        let said = sync(ann);
        pushed += said["bytes_sent"].as_u64().unwrap();
        took += said["ms"].as_u64().unwrap();
    }
    let pushes = edits / each;
    println!(
        "{edits} edits in {pushes} pushes: {pushed} bytes of files, {} ms each",
        took / pushes as u64
    );
    let name = &refs(&origin)[0];
    println!("files: {}", files(&origin, name));
    // All that was ever pushed, as one chain: what there would be without squashing.
    let log = origin.git(&["log", "--walk-reflogs", "--format=%T", name]);
    let mut parent = String::new();
    for tree in log.lines().rev() {
        let mut arguments = vec!["commit-tree", tree, "-m", "x"];
        if !parent.is_empty() {
            arguments.extend(["-p", &parent]);
        }
        parent = origin.git(&arguments).trim().to_owned();
    }
    origin.git(&["update-ref", "refs/whole/chain", &parent]);
    for (what, of) in [
        ("one chain", "refs/whole/chain"),
        ("squashed", name.as_str()),
    ] {
        let bare = world.path(what.replace(' ', "-"));
        ann.git(&["init", "-q", "--bare", &bare.to_string_lossy()]);
        let bare = world.tree(bare);
        let began = Instant::now();
        let refspec = format!("{of}:refs/x");
        bare.git(&["fetch", "-q", &origin.top.to_string_lossy(), &refspec]);
        let took = began.elapsed();
        bare.git(&["repack", "-adq"]);
        let counted = bare.git(&["count-objects", "-v"]);
        let of = |name: &str| {
            let mut lines = counted.lines();
            lines
                .find_map(|line| line.strip_prefix(name))
                .unwrap_or("?")
                .trim()
                .to_owned()
        };
        println!(
            "{what}: {} objects, {} KiB packed, fetched in {took:.1?}",
            of("in-pack:"),
            of("size-pack:")
        );
    }
    let began = Instant::now();
    let said = sync(&clones[1]);
    println!(
        "a first sync there: {} edits in {:.1?}",
        said["received"],
        began.elapsed()
    );
}
