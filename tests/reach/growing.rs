//! What stands at the host, and how it grows.

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
fn what_uninit_leaves_is_nothing() {
    let world = World::new();
    let clones = team(&world, 1);
    add(&clones[0], "b");
    sync(&clones[0]);
    clones[0].rhema(&["uninit"]).exits(0);
    assert!(!clones[0].path(".git/rhema").exists());
}
