//! Git's log of HEAD: what each command writes there, and where reading goes on.

use std::fs;

use rhema_crdt::git::Action::{self, *};
use rhema_crdt::git::{HeadLog, LogPosition, Reach, Repo};

use crate::support::{Tree, World};

const FILE: &str = "notes.txt";

/// A repository with one commit, and a branch `other` with two more that go well with `main`.
fn with_branch<'w>(world: &'w World, name: &str) -> Tree<'w> {
    let tree = world.repo(name, &[(FILE, "one\n")]);
    tree.git(&["checkout", "-q", "-b", "other"]);
    tree.write("first.txt", "a\n");
    tree.commit("first");
    tree.write("second.txt", "b\n");
    tree.commit("second");
    tree.git(&["checkout", "-q", "main"]);
    tree
}

/// The same, with a commit of its own on `main`.
fn with_fork<'w>(world: &'w World, name: &str) -> Tree<'w> {
    let tree = with_branch(world, name);
    tree.write("here.txt", "c\n");
    tree.commit("here");
    tree
}

fn repo(tree: &Tree<'_>) -> Repo {
    Repo::at(&tree.top).unwrap()
}

fn log(tree: &Tree<'_>, since: Option<&LogPosition>) -> HeadLog {
    repo(tree).head_log_since(since).unwrap().unwrap()
}

/// What the log says of these commands.
#[track_caller]
fn actions(tree: &Tree<'_>, commands: &[&[&str]]) -> Vec<Action> {
    let start = log(tree, None);
    assert_eq!(start.movements, []);
    for command in commands {
        tree.git(command);
    }
    let log = log(tree, Some(&start.position));
    assert_eq!(log.reach, Reach::Whole);
    let mut at = None;
    for movement in &log.movements {
        assert!(
            at.is_none() || at == movement.from,
            "each goes on where the last one ended"
        );
        at = Some(movement.to);
    }
    log.movements
        .into_iter()
        .map(|movement| movement.action)
        .collect()
}

/// The commits of these names that are own ones since `start`.
#[track_caller]
fn own(tree: &Tree<'_>, since: &LogPosition) -> Vec<String> {
    let commits = repo(tree)
        .own_commits(&log(tree, Some(since)).movements)
        .unwrap();
    let subject = |id: String| {
        tree.git(&["log", "-1", "--format=%s", &id])
            .trim()
            .to_owned()
    };
    commits.iter().map(|id| subject(id.to_string())).collect()
}

#[test]
fn commits() {
    let world = World::new();
    let tree = with_branch(&world, "tree");
    let empty = ["commit", "-q", "--allow-empty", "-m"];
    let commit = [&empty[..], &["new"]].concat();
    // What the subject says does not count.
    let feigned = [&empty[..], &["revert: rebase (pick): x"]].concat();
    let amend = ["commit", "-q", "--amend", "--allow-empty", "-m", "again"];
    assert_eq!(
        actions(&tree, &[&commit, &feigned, &amend]),
        [Commit, Commit, CommitAmend]
    );
    let orphan = ["checkout", "-q", "--orphan", "else"];
    assert_eq!(actions(&tree, &[&orphan, &commit]), [CommitInitial]);
}

#[test]
fn merges() {
    let world = World::new();
    let forward = with_branch(&world, "forward");
    assert_eq!(actions(&forward, &[&["merge", "-q", "other"]]), [Merge]);
    let commit = ["commit", "-q", "-m", "by hand"];
    let merged = with_fork(&world, "merged");
    assert_eq!(
        actions(&merged, &[&["merge", "-q", "--no-edit", "other"]]),
        [Merge]
    );
    let stopped = with_fork(&world, "stopped");
    assert_eq!(
        actions(
            &stopped,
            &[&["merge", "-q", "--no-commit", "other"], &commit]
        ),
        [CommitMerge]
    );
    // A squash merge is a commit like any other.
    let squashed = with_fork(&world, "squashed");
    assert_eq!(
        actions(&squashed, &[&["merge", "-q", "--squash", "other"], &commit]),
        [Commit]
    );
}

#[test]
fn picks_and_reverts() {
    let world = World::new();
    let tree = with_fork(&world, "tree");
    assert_eq!(
        actions(
            &tree,
            &[
                &["cherry-pick", "other~1"],
                &["revert", "--no-edit", "HEAD"],
                &["cherry-pick", "--no-commit", "other"],
                &["commit", "-q", "-m", "as one's own"],
            ]
        ),
        [CherryPick, Revert, Commit]
    );
}

#[test]
fn picks_and_reverts_that_stop() {
    let world = World::new();
    let tree = world.repo("tree", &[(FILE, "one\n")]);
    tree.on_branch("other", FILE, "two\n");
    tree.write(FILE, "three\n");
    tree.commit("three");
    tree.write(FILE, "four\n");
    tree.commit("four");
    let start = log(&tree, None).position;
    tree.try_git(&["cherry-pick", "other"]).exits(1);
    tree.write(FILE, "five\n");
    tree.git(&["add", "-A"]);
    tree.git(&["-c", "core.editor=true", "cherry-pick", "--continue"]);
    tree.try_git(&["revert", "--no-edit", "HEAD~2"]).exits(1);
    tree.write(FILE, "six\n");
    tree.git(&["add", "-A"]);
    tree.git(&["-c", "core.editor=true", "revert", "--continue"]);
    let moves = log(&tree, Some(&start)).movements;
    let actions: Vec<Action> = moves.iter().map(|movement| movement.action).collect();
    assert_eq!(actions, [CherryPick, Commit]);
}

#[test]
fn rebases() {
    let world = World::new();
    let plain = with_fork(&world, "plain");
    let all = |actions: Vec<Action>| {
        (
            actions.iter().all(|action| *action == Rebase),
            actions.len(),
        )
    };
    // Start, one commit, end.
    assert_eq!(
        all(actions(&plain, &[&["rebase", "-q", "other"]])),
        (true, 3)
    );
    let interactive = with_fork(&world, "interactive");
    interactive.git(&["checkout", "-q", "other"]);
    let squash = [
        "-c",
        "sequence.editor=sed -i '2s/pick/squash/'",
        "-c",
        "core.editor=true",
    ];
    let command = [&squash[..], &["rebase", "-q", "-i", "main"]].concat();
    let (only, count) = all(actions(&interactive, &[&command]));
    assert!(only && count >= 4, "{count}");
}

#[test]
fn a_commit_amended_while_a_rebase_waits_is_an_own_one() {
    let world = World::new();
    let tree = with_fork(&world, "tree");
    tree.git(&["checkout", "-q", "other"]);
    let edit = ["-c", "sequence.editor=sed -i '1s/pick/edit/'"];
    let start = log(&tree, None).position;
    tree.git(&[&edit[..], &["rebase", "-q", "-i", "main"]].concat());
    tree.git(&["commit", "-q", "--amend", "-m", "amended"]);
    tree.git(&["rebase", "--continue"]);
    assert_eq!(own(&tree, &start), ["amended"]);
}

#[test]
fn checkouts_and_resets() {
    let world = World::new();
    let tree = with_fork(&world, "tree");
    assert_eq!(
        actions(
            &tree,
            &[
                &["switch", "-q", "-c", "new"],
                &["checkout", "-q", "other"],
                &["switch", "-q", "--detach", "main"],
                &["reset", "-q", "--hard", "HEAD~1"],
                &["reset", "-q", "--soft", "main"],
            ]
        ),
        [Checkout, Checkout, Checkout, Reset, Reset]
    );
}

#[test]
fn a_stash_resets() {
    let world = World::new();
    let tree = with_fork(&world, "tree");
    tree.write(FILE, "changed\n");
    assert_eq!(
        actions(&tree, &[&["stash", "-q"], &["stash", "pop", "-q"]]),
        [Reset]
    );
}

#[test]
fn a_bisection_checks_out() {
    let world = World::new();
    let tree = with_branch(&world, "tree");
    tree.git(&["checkout", "-q", "other"]);
    let moves = actions(
        &tree,
        &[
            &["bisect", "start", "HEAD", "HEAD~2"],
            &["bisect", "bad"],
            &["bisect", "reset"],
        ],
    );
    assert!(
        moves.len() >= 2 && moves.iter().all(|action| *action == Checkout),
        "{moves:?}"
    );
}

#[test]
fn patches_from_mail() {
    let world = World::new();
    let tree = with_fork(&world, "tree");
    tree.git(&["format-patch", "-q", "-o", "../patches", "main..other"]);
    let patch = fs::read_dir(world.path("patches")).unwrap();
    let mut patches: Vec<_> = patch.map(|entry| entry.unwrap().path()).collect();
    patches.sort();
    let names: Vec<&str> = patches.iter().map(|path| path.to_str().unwrap()).collect();
    let command = [&["am", "-q"], &names[..]].concat();
    let moves = actions(&tree, &[&command]);
    assert!(
        !moves.is_empty() && moves.iter().all(|action| *action == Am),
        "{moves:?}"
    );
}

#[test]
fn pulls() {
    let world = World::new();
    let origin = world.repo("origin", &[(FILE, "one\n")]);
    let clone = |name: &str| {
        origin.git(&["clone", "-q", ".", world.path(name).to_str().unwrap()]);
        world.tree(name)
    };
    let [forward, merging, rebasing, configured] =
        ["forward", "merging", "rebasing", "configured"].map(clone);
    // A clone has a log from the start.
    assert_eq!(log(&forward, None).movements, []);
    origin.write("more.txt", "a\n");
    origin.commit("more");
    let only_pulls = |tree: &Tree<'_>, command: &[&str]| {
        let moves = actions(tree, &[command]);
        assert!(
            !moves.is_empty() && moves.iter().all(|action| *action == Pull),
            "{moves:?}"
        );
    };
    only_pulls(&forward, &["pull", "-q"]);
    for tree in [&merging, &rebasing, &configured] {
        tree.write("own.txt", "b\n");
        tree.commit("own");
    }
    only_pulls(&merging, &["pull", "-q", "--no-rebase", "--no-edit"]);
    only_pulls(&rebasing, &["pull", "-q", "--rebase", "origin", "main"]);
    configured.git(&["config", "pull.rebase", "true"]);
    only_pulls(&configured, &["pull", "-q"]);
}

#[test]
fn a_linked_work_tree_has_a_log_of_its_own() {
    let world = World::new();
    let tree = with_branch(&world, "tree");
    let start = log(&tree, None).position;
    tree.git(&["worktree", "add", "-q", "../linked", "other"]);
    let linked = world.tree("linked");
    let there = log(&linked, None).position;
    linked.git(&["commit", "-q", "--allow-empty", "-m", "there"]);
    assert_eq!(log(&tree, Some(&start)).movements, []);
    assert_eq!(own(&linked, &there), ["there"]);
}

#[test]
fn own_commits_are_those_made_here_that_are_still_in_the_history() {
    let world = World::new();
    let tree = with_fork(&world, "tree");
    let start = log(&tree, None).position;
    let commit = |subject: &str| {
        tree.git(&["commit", "-q", "--allow-empty", "-m", subject]);
    };
    commit("kept");
    commit("before it was amended");
    tree.git(&["commit", "-q", "--amend", "--allow-empty", "-m", "amended"]);
    tree.git(&["merge", "-q", "--no-edit", "other"]);
    tree.git(&["commit", "-q", "--amend", "-m", "an amended merge"]);
    commit("kept, too");
    tree.git(&["cherry-pick", "--allow-empty", "HEAD"]);
    commit("dropped");
    tree.git(&["reset", "-q", "--hard", "HEAD~1"]);
    assert_eq!(own(&tree, &start), ["kept", "amended", "kept, too"]);
    tree.git(&["checkout", "-q", "other"]);
    assert_eq!(own(&tree, &start), [""; 0], "these are not in that branch");
}

#[test]
fn without_a_log_there_is_no_witness() {
    let world = World::new();
    let tree = with_branch(&world, "tree");
    fs::remove_file(tree.path(".git/logs/HEAD")).unwrap();
    assert_eq!(repo(&tree).head_log_since(None).unwrap(), None);
}

#[test]
fn before_the_first_commit_the_log_is_empty() {
    let world = World::new();
    for (name, keeps) in [
        ("kept", None),
        ("always", Some("always")),
        ("none", Some("false")),
    ] {
        fs::create_dir(world.path(name)).unwrap();
        let tree = world.tree(name);
        tree.git(&["init", "-q"]);
        if let Some(keeps) = keeps {
            tree.git(&["config", "core.logAllRefUpdates", keeps]);
        }
        let start = repo(&tree).head_log_since(None).unwrap();
        let Some(start) = start else {
            assert_eq!(keeps, Some("false"));
            continue;
        };
        tree.git(&["commit", "-q", "--allow-empty", "-m", "first"]);
        assert_eq!(own(&tree, &start.position), ["first"]);
        let movement = log(&tree, Some(&start.position)).movements[0];
        assert_eq!((movement.from, movement.action), (None, CommitInitial));
    }
}

#[test]
fn a_position_is_found_again_where_entries_before_it_are_gone() {
    let world = World::new();
    let tree = with_fork(&world, "tree");
    let start = log(&tree, None).position;
    tree.git(&["commit", "-q", "--allow-empty", "-m", "later"]);
    let before = log(&tree, Some(&start));
    for _ in 0..2 {
        tree.git(&["reflog", "delete", "--rewrite", "HEAD@{2}"]);
        let after = log(&tree, Some(&start));
        assert_eq!(after.reach, Reach::Whole);
        assert_eq!(after.movements, before.movements);
    }
}

#[test]
fn a_position_whose_entry_is_gone_is_lost() {
    let world = World::new();
    let tree = with_fork(&world, "tree");
    let start = log(&tree, None).position;
    tree.git(&["reset", "-q", "--hard", "HEAD~1"]);
    tree.git(&["reflog", "delete", "HEAD@{1}"]);
    let lost = log(&tree, Some(&start));
    assert_eq!(lost.reach, Reach::Lost);
    assert_eq!(lost.movements.last().unwrap().action, Reset);
    // From there on it is whole again.
    let now = log(&tree, Some(&lost.position));
    assert_eq!(
        (now.movements.as_slice(), now.reach),
        (&[][..], Reach::Whole)
    );

    tree.git(&["reflog", "expire", "--expire=all", "--all"]);
    let emptied = log(&tree, Some(&lost.position));
    assert_eq!(
        (emptied.movements.as_slice(), emptied.reach),
        (&[][..], Reach::Lost)
    );
    tree.git(&["commit", "-q", "--allow-empty", "-m", "new"]);
    assert_eq!(own(&tree, &emptied.position), ["new"]);
}

#[test]
fn an_entry_that_is_half_written_is_read_when_it_is_whole() {
    let world = World::new();
    let tree = with_fork(&world, "tree");
    let start = log(&tree, None).position;
    tree.git(&["commit", "-q", "--allow-empty", "-m", "later"]);
    let path = tree.path(".git/logs/HEAD");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 3]).unwrap();
    let half = log(&tree, Some(&start));
    assert_eq!(half.movements, []);
    assert_eq!(log(&tree, None).position, start);
    fs::write(&path, &whole).unwrap();
    assert_eq!(own(&tree, &half.position), ["later"]);
}
