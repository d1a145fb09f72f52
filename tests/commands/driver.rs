//! The merge driver, called by git and called as git would.

use crate::support::{BINARY, Tree, World, run};
use std::fs;

const BASE: &str = "title: first\nowner: ann\nstate: open\n\nnotes: none\n";

/// A repository with the driver and one committed file.
fn set_up<'w>(world: &'w World, file: &str, content: impl AsRef<[u8]>) -> Tree<'w> {
    let repo = world.repo("repo", &[]);
    repo.rhema(&["init"]).exits(0);
    repo.write(file, content);
    repo.commit("base");
    repo
}

/// Three files and the arguments for a direct call.
fn three<'w>(world: &'w World, base: &[u8], ours: &[u8], theirs: &[u8]) -> Tree<'w> {
    let tree = world.tree("three");
    tree.write("base", base);
    tree.write("ours", ours);
    tree.write("theirs", theirs);
    tree
}

#[test]
fn git_merges_through_it() {
    let world = World::new();
    let repo = set_up(&world, ".rhema/todos.yaml", BASE);
    repo.on_branch("theirs", ".rhema/todos.yaml", BASE.replace("none", "some"));
    repo.write(".rhema/todos.yaml", BASE.replace("first", "second"));
    repo.commit("ours");
    repo.git(&["merge", "-q", "--no-edit", "theirs"]);
    assert_eq!(
        repo.read(".rhema/todos.yaml"),
        BASE.replace("first", "second").replace("none", "some")
    );
}

#[test]
fn what_lost_in_a_document_is_told_and_no_conflict_for_git() {
    let world = World::new();
    let base = "_crdt: v1\ntitle: first\nowner: ann\n";
    let (ours, theirs) = (
        base.replace("first", "mine"),
        base.replace("first", "yours"),
    );
    let tree = three(&world, base.as_bytes(), ours.as_bytes(), theirs.as_bytes());
    let arguments = ["merge-driver", "base", "ours", "theirs", ".rhema/x.yaml"];
    let told = tree.rhema(&arguments).exits(0).stderr;
    assert_eq!(
        told,
        "note: .rhema/x.yaml: 1 value lost against a concurrent one and is kept; `rhema crdt resolve` lists and settles\n"
    );
    assert_eq!(
        tree.read("ours"),
        "_crdt: v1\n_crdt_conflicts: title~~s.mine\ntitle: yours\nowner: ann\n"
    );
}

#[test]
fn what_both_changed_is_marked_and_git_reports_a_conflict() {
    let world = World::new();
    let repo = set_up(&world, ".rhema/todos.yaml", BASE);
    repo.on_branch("theirs", ".rhema/todos.yaml", BASE.replace("open", "done"));
    repo.write(".rhema/todos.yaml", BASE.replace("open", "blocked"));
    repo.commit("ours");
    let merge = repo.try_git(&["merge", "--no-edit", "theirs"]).exits(1);
    assert!(
        merge.stdout.contains("CONFLICT (content)"),
        "{}",
        merge.stdout
    );
    let merged = repo.read(".rhema/todos.yaml");
    for part in [
        "<<<<<<< ",
        "state: blocked\n",
        "=======\n",
        "state: done\n",
        ">>>>>>> ",
    ] {
        assert!(merged.contains(part), "{part} in {merged}");
    }
}

#[test]
fn markers_name_the_sides_as_git_does_where_git_tells() {
    let world = World::new();
    let repo = set_up(&world, ".rhema/todos.yaml", BASE);
    repo.on_branch(
        "it's-theirs",
        ".rhema/todos.yaml",
        BASE.replace("open", "done"),
    );
    repo.write(".rhema/todos.yaml", BASE.replace("open", "blocked"));
    repo.commit("ours");
    repo.try_git(&["merge", "--no-edit", "it's-theirs"])
        .exits(1);
    let merged = repo.read(".rhema/todos.yaml");
    // Git tells drivers since 2.44.
    let named = merged.contains("<<<<<<< HEAD\n") && merged.contains(">>>>>>> it's-theirs\n");
    let plain = merged.contains("<<<<<<< ours\n") && merged.contains(">>>>>>> theirs\n");
    assert!(named || plain, "{merged}");
}

#[test]
fn any_path_will_do() {
    let world = World::new();
    for (index, folder) in [
        "with space",
        "it's \"quoted\"",
        "new\nline",
        "ünï/çödé 日本",
        "-n",
        "$(false) `x` %P",
    ]
    .iter()
    .enumerate()
    {
        let repo = world.repo(format!("repo {index}"), &[]);
        repo.rhema(&["init"]).exits(0);
        let file = format!("{folder}/.rhema/to dos.yaml");
        repo.write(&file, BASE);
        repo.commit("base");
        repo.on_branch("theirs", &file, BASE.replace("none", "some"));
        repo.write(&file, BASE.replace("first", "second"));
        repo.commit("ours");
        repo.git(&["merge", "-q", "--no-edit", "theirs"]);
        assert_eq!(
            repo.read(&file),
            BASE.replace("first", "second").replace("none", "some"),
            "{folder}"
        );
    }
}

#[test]
fn files_that_are_new_on_both_sides_have_an_empty_ancestor() {
    let world = World::new();
    let repo = set_up(&world, "README", "hello\n");
    repo.on_branch("theirs", ".rhema/new.yaml", "a: 1\n");
    repo.write(".rhema/new.yaml", "a: 1\n");
    repo.write("more", "to differ\n");
    repo.commit("ours");
    repo.git(&["merge", "-q", "--no-edit", "theirs"]);
    assert_eq!(repo.read(".rhema/new.yaml"), "a: 1\n");
}

#[test]
fn rebase_and_cherry_pick_and_stash_go_through_it_too() {
    let world = World::new();
    let repo = set_up(&world, ".rhema/todos.yaml", BASE);
    repo.on_branch("theirs", ".rhema/todos.yaml", BASE.replace("none", "some"));
    repo.write(".rhema/todos.yaml", BASE.replace("first", "second"));
    repo.commit("ours");
    repo.git(&["cherry-pick", "theirs"]);
    assert_eq!(
        repo.read(".rhema/todos.yaml"),
        BASE.replace("first", "second").replace("none", "some")
    );
    repo.git(&["checkout", "-q", "-b", "late", "main~2"]);
    repo.write(".rhema/todos.yaml", BASE.replace("ann", "bob"));
    repo.commit("late");
    repo.git(&["rebase", "-q", "main"]);
    repo.write(
        ".rhema/todos.yaml",
        repo.read(".rhema/todos.yaml").replace("open", "done"),
    );
    repo.git(&["stash", "-q"]);
    repo.write(
        ".rhema/todos.yaml",
        repo.read(".rhema/todos.yaml").replace("second", "third"),
    );
    repo.commit("more");
    repo.git(&["stash", "pop", "-q"]);
    assert_eq!(
        repo.read(".rhema/todos.yaml"),
        "title: third\nowner: bob\nstate: done\n\nnotes: some\n"
    );
}

#[test]
fn the_merge_replaces_our_file() {
    let world = World::new();
    let tree = three(
        &world,
        b"a: 1\nb: 1\nc: 1\nd: 1\n",
        b"a: 2\nb: 1\nc: 1\nd: 1\n",
        b"a: 1\nb: 1\nc: 1\nd: 2\n",
    );
    let done = tree
        .rhema(&["merge-driver", "base", "ours", "theirs", ".rhema/a.yaml"])
        .exits(0);
    assert_eq!(done.stdout, "");
    assert_eq!(tree.read("ours"), "a: 2\nb: 1\nc: 1\nd: 2\n");
    assert_eq!(tree.read("theirs"), "a: 1\nb: 1\nc: 1\nd: 2\n");
    assert_eq!(
        fs::read_dir(&tree.top).unwrap().count(),
        3,
        "nothing else is left behind"
    );
}

#[test]
fn markers_are_as_long_as_git_asks() {
    let world = World::new();
    let tree = three(&world, b"a: 1\n", b"a: 2\n", b"a: 3\n");
    tree.rhema(&[
        "merge-driver",
        "base",
        "ours",
        "theirs",
        "a.yaml",
        "-L",
        "11",
    ])
    .exits(1);
    let merged = tree.read("ours");
    assert!(merged.starts_with("<<<<<<<<<<< ours\na: 2\n"), "{merged}");
    assert!(merged.contains("\n===========\n"), "{merged}");
}

#[test]
fn a_missing_input_leaves_our_file_alone_and_exits_1() {
    let world = World::new();
    for missing in ["base", "ours", "theirs"] {
        let tree = three(&world, b"a: 1\n", b"a: 2\n", b"a: 3\n");
        fs::remove_file(tree.path(missing)).unwrap();
        let failed = tree
            .rhema(&[
                "merge-driver",
                "base",
                "ours",
                "theirs",
                "dir/a.yaml",
                "-L",
                "7",
            ])
            .exits(1);
        assert!(
            failed.stderr.starts_with("error: dir/a.yaml"),
            "{}",
            failed.stderr
        );
        assert!(failed.stderr.contains(missing), "{}", failed.stderr);
        if missing != "ours" {
            assert_eq!(tree.read("ours"), "a: 2\n");
        }
    }
}

#[test]
fn it_never_exits_with_anything_but_0_and_1() {
    let world = World::new();
    let tree = three(&world, b"a: 1\n", b"a: 2\n", b"a: 3\n");
    for arguments in [
        &["merge-driver"][..],
        &["merge-driver", "base", "ours"],
        &["merge-driver", "base", "ours", "theirs", "p", "-L", "many"],
        &["merge-driver", "base", "ours", "theirs", "p", "-L", "0"],
        &["merge-driver", "--what", "base", "ours", "theirs", "p"],
        &[
            "-C",
            "nowhere",
            "merge-driver",
            "base",
            "ours",
            "theirs",
            "p",
        ],
        &["merge-driver", ".", ".", ".", "p"],
    ] {
        let failed = tree.rhema(arguments).exits(1);
        assert!(
            failed.stderr.starts_with("error: "),
            "{arguments:?}: {}",
            failed.stderr
        );
        assert_eq!(tree.read("ours"), "a: 2\n");
    }
}

#[test]
fn a_file_without_structure_is_merged_as_git_does_it() {
    let world = World::new();
    let template = "{% if x %}\na: 1\n{% endif %}\nb: [1\nc: 1\nd: 1\ne: 1\n";
    let (ours, theirs) = (
        template.replace("a: 1", "a: 2"),
        template.replace("e: 1", "e: 2"),
    );
    let tree = three(
        &world,
        template.as_bytes(),
        ours.as_bytes(),
        theirs.as_bytes(),
    );
    let merged = tree
        .rhema(&[
            "merge-driver",
            "base",
            "ours",
            "theirs",
            "chart/.rhema/a.yaml",
        ])
        .exits(0);
    assert_eq!(tree.read("ours"), ours.replace("e: 1", "e: 2"));
    assert_eq!(merged.stderr.lines().count(), 1, "{}", merged.stderr);
    assert!(
        merged.stderr.starts_with("warning: chart/.rhema/a.yaml:1:")
            && merged.stderr.contains("merged as text"),
        "{}",
        merged.stderr
    );
}

#[test]
fn text_conflicts_are_byte_for_byte_those_of_git() {
    let world = World::new();
    let (base, ours, theirs) = (
        "a: [1\nb: 1\nc: 1\n",
        "a: [1\nb: 2\nc: 1\n",
        "a: [1\nb: 3\nc: 1\n",
    );
    for style in ["merge", "diff3"] {
        let repo = world.repo(style, &[]);
        repo.git(&["config", "merge.conflictStyle", style]);
        repo.write("base", base);
        repo.write("ours", ours);
        repo.write("theirs", theirs);
        let expected = repo
            .try_git(&[
                "merge-file",
                "-p",
                "-L",
                "ours",
                "-L",
                "base",
                "-L",
                "theirs",
                "ours",
                "base",
                "theirs",
            ])
            .exits(1);
        repo.rhema(&["merge-driver", "base", "ours", "theirs", "a.yaml"])
            .exits(1);
        assert_eq!(repo.read("ours"), expected.stdout);
    }
}

#[test]
fn other_encodings_are_merged_as_bytes() {
    let world = World::new();
    let tree = three(
        &world,
        b"a: caf\xe9\nb: 1\nc: 1\nd: 1\n",
        b"a: caf\xe8\nb: 1\nc: 1\nd: 1\n",
        b"a: caf\xe9\nb: 1\nc: 1\nd: \xfc\n",
    );
    tree.rhema(&["merge-driver", "base", "ours", "theirs", "a.yaml"])
        .exits(0);
    assert_eq!(
        fs::read(tree.path("ours")).unwrap(),
        b"a: caf\xe8\nb: 1\nc: 1\nd: \xfc\n"
    );
}

#[test]
fn binary_content_stays_as_our_side_has_it() {
    let world = World::new();
    let tree = three(&world, b"\0a", b"\0b", b"\0c");
    let failed = tree
        .rhema(&["merge-driver", "base", "ours", "theirs", "a.yaml"])
        .exits(1);
    assert!(
        failed.stderr.contains("error: a.yaml is binary"),
        "{}",
        failed.stderr
    );
    assert_eq!(fs::read(tree.path("ours")).unwrap(), b"\0b");
}

#[test]
fn without_git_both_sides_are_marked() {
    let world = World::new();
    let tree = three(&world, b"a: [1\n", b"a: [2\n", b"a: [3\n");
    run(world.command(BINARY, &tree.top).env("PATH", "").args([
        "crdt",
        "merge-driver",
        "base",
        "ours",
        "theirs",
        "a.yaml",
    ]))
    .exits(1);
    assert_eq!(
        tree.read("ours"),
        "<<<<<<< ours\na: [2\n=======\na: [3\n>>>>>>> theirs\n"
    );
}

#[test]
fn a_repository_that_is_gone_is_no_obstacle() {
    let world = World::new();
    let tree = three(
        &world,
        b"a: [1\nb\nc\nd\n",
        b"a: [2\nb\nc\nd\n",
        b"a: [1\nb\nc\nD\n",
    );
    run(world
        .command(BINARY, &tree.top)
        .env("GIT_DIR", "/nowhere/.git")
        .args(["crdt", "merge-driver", "base", "ours", "theirs", "a.yaml"]))
    .exits(0);
    assert_eq!(tree.read("ours"), "a: [2\nb\nc\nD\n");
}

#[cfg(unix)]
#[test]
fn permissions_are_kept() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let tree = three(&world, b"a: 1\n", b"a: 1\n", b"a: 2\n");
    fs::set_permissions(tree.path("ours"), fs::Permissions::from_mode(0o640)).unwrap();
    tree.rhema(&["merge-driver", "base", "ours", "theirs", "a.yaml"])
        .exits(0);
    assert_eq!(tree.read("ours"), "a: 2\n");
    assert_eq!(
        tree.path("ours").metadata().unwrap().permissions().mode() & 0o777,
        0o640
    );
}
