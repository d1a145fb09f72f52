//! The versions of a document in the history, what a commit holds, and what is published.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use rhema_crdt::git::Repo;
use rhema_crdt::overlay::{BlobId, CommitId, DocumentPath, History, Version};

use crate::support::{Tree, World};

const FILE: &str = ".rhema/deep/todos.yaml";

fn repo(tree: &Tree<'_>) -> Repo {
    Repo::at(&tree.top).unwrap()
}

fn path() -> DocumentPath {
    DocumentPath::new(FILE)
}

fn bytes(hex: &str) -> [u8; 20] {
    let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    std::array::from_fn(|at| digit(at * 2))
}

fn commit(tree: &Tree<'_>, name: &str) -> CommitId {
    CommitId::from_bytes(bytes(tree.git(&["rev-parse", name]).trim()))
}

fn blob(tree: &Tree<'_>, name: &str) -> BlobId {
    BlobId::from_bytes(bytes(tree.git(&["rev-parse", name]).trim()))
}

/// The subjects of the commits that changed the document.
#[track_caller]
fn changes(tree: &Tree<'_>, of: &str, without: Option<&str>) -> Option<Vec<String>> {
    let repo = repo(tree);
    let history = repo.history_of(&path());
    let without = without.map(|without| commit(tree, without));
    let versions = history.versions(commit(tree, of), without).unwrap()?;
    let subject = |version: &Version| {
        let shown = tree.git(&["log", "-1", "--format=%s", &version.commit.to_string()]);
        shown.trim().to_owned()
    };
    Some(versions.iter().map(subject).collect())
}

#[track_caller]
fn is_ancestor(tree: &Tree<'_>, ancestor: &str, of: &str) -> Option<bool> {
    let repo = repo(tree);
    let history = repo.history_of(&path());
    history
        .is_ancestor(commit(tree, ancestor), commit(tree, of))
        .unwrap()
}

fn writes(tree: &Tree<'_>, content: &str) {
    tree.write(FILE, content);
    tree.commit(content);
}

#[test]
fn commits_that_change_the_document_newest_first() {
    let world = World::new();
    let tree = world.repo("tree", &[("other.txt", "x")]);
    writes(&tree, "a");
    tree.write("other.txt", "y");
    tree.commit("something else");
    writes(&tree, "b");
    tree.git(&["tag", "b"]);
    tree.git(&["rm", "-q", FILE]);
    tree.git(&["commit", "-q", "-m", "gone"]);
    writes(&tree, "a");
    let all = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(changes(&tree, "main", None), all(&["a", "gone", "b", "a"]));
    assert_eq!(changes(&tree, "main", Some("b")), all(&["a", "gone"]));
    assert_eq!(changes(&tree, "b", Some("main")), all(&[]));
    assert_eq!(changes(&tree, "b", Some("b")), all(&[]));

    let repo = repo(&tree);
    let history = repo.history_of(&path());
    let versions = history
        .versions(commit(&tree, "main"), None)
        .unwrap()
        .unwrap();
    let at = |name: &str| Some(blob(&tree, &format!("{name}:{FILE}")));
    assert_eq!(
        (&versions[1].before[..], versions[1].after),
        (&[at("b")][..], None)
    );
    assert_eq!(
        (&versions[3].before[..], versions[3].after),
        (&[None][..], at("main"))
    );
    assert_eq!(history.bytes(versions[2].after.unwrap()).unwrap(), b"b");
}

#[test]
fn a_folder_or_a_submodule_at_the_path_is_no_document() {
    let world = World::new();
    let tree = world.repo("tree", &[(FILE, "a")]);
    fs::remove_file(tree.path(FILE)).unwrap();
    tree.write(format!("{FILE}/inside"), "b");
    tree.commit("folder");
    assert_eq!(repo(&tree).blob_in_head(&path()).unwrap(), None);
    let names = changes(&tree, "main", None).unwrap();
    assert_eq!(names, ["folder", "start"]);
}

#[test]
fn a_merge_is_among_them_where_it_differs_from_some_parent() {
    let world = World::new();
    let tree = world.repo("tree", &[(FILE, "a")]);
    tree.on_branch("one", FILE, "b");
    tree.on_branch("two", "other.txt", "x");
    tree.git(&["merge", "-q", "--no-ff", "-m", "takes one", "one"]);
    tree.git(&["merge", "-q", "--no-ff", "-m", "takes two", "two"]);
    let names = changes(&tree, "main", Some("main~2")).unwrap();
    assert_eq!(names, ["takes two", "takes one", "one"]);
}

#[test]
fn ancestry() {
    let world = World::new();
    let tree = world.repo("tree", &[(FILE, "a")]);
    tree.on_branch("one", FILE, "b");
    tree.on_branch("two", "other.txt", "x");
    tree.git(&["checkout", "-q", "--orphan", "unrelated"]);
    tree.git(&["commit", "-q", "-m", "unrelated"]);
    assert_eq!(is_ancestor(&tree, "main", "one"), Some(true));
    assert_eq!(is_ancestor(&tree, "one", "one"), Some(true));
    assert_eq!(is_ancestor(&tree, "one", "main"), Some(false));
    assert_eq!(is_ancestor(&tree, "one", "two"), Some(false));
    assert_eq!(is_ancestor(&tree, "one", "unrelated"), Some(false));
}

/// Histories with merges at random and dates that say little: git itself tells what is right.
#[test]
fn ancestry_does_not_hang_on_dates() {
    let world = World::new();
    let tree = world.repo("tree", &[(FILE, "a")]);
    let mut seed = 7_u32;
    let mut below = |bound: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) % bound
    };
    let mut stream = Vec::new();
    for mark in 1..=60_u32 {
        let date = 1_700_000_000 + below(1_000);
        writeln!(
            stream,
            "commit refs/heads/c{mark}\nmark :{mark}\ncommitter a <a@b> {date} +0000\ndata 0"
        )
        .unwrap();
        if mark > 1 {
            writeln!(stream, "from :{}", mark - 1 - below((mark - 1).min(4))).unwrap();
        }
        if mark > 4 && below(3) == 0 {
            writeln!(stream, "merge :{}", mark - 1 - below(4)).unwrap();
        }
        writeln!(stream).unwrap();
    }
    import(&tree, &stream);
    for _ in 0..300 {
        let [a, b] = [below(60) + 1, below(60) + 1].map(|mark| format!("c{mark}"));
        let told = tree
            .try_git(&["merge-base", "--is-ancestor", &a, &b])
            .status
            == 0;
        assert_eq!(is_ancestor(&tree, &a, &b), Some(told), "{a} {b}");
    }
}

fn import(tree: &Tree<'_>, stream: &[u8]) {
    let mut command = tree.world.command("git", &tree.top);
    let mut child = command
        .args(["fast-import", "--quiet", "--force"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stream).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn one_misdated_commit_leads_nobody_astray() {
    let world = World::new();
    let tree = world.repo("tree", &[(FILE, "a")]);
    writes(&tree, "b");
    // As if it had been made long before everything else.
    tree.write(FILE, "c");
    tree.git(&["add", "-A"]);
    let mut early = world.command("git", &tree.top);
    early.env("GIT_COMMITTER_DATE", "2001-01-01T00:00:00Z");
    assert!(
        early
            .args(["commit", "-q", "-m", "c"])
            .status()
            .unwrap()
            .success()
    );
    tree.git(&["branch", "side"]);
    tree.git(&["checkout", "-q", "-b", "fork", "HEAD~1"]);
    writes(&tree, "d");
    assert_eq!(changes(&tree, "fork", Some("side")).unwrap(), ["d"]);
    assert_eq!(changes(&tree, "side", Some("fork")).unwrap(), ["c"]);
}

#[test]
fn where_a_shallow_clone_ends_nothing_is_told() {
    let world = World::new();
    let origin = world.repo("origin", &[(FILE, "a")]);
    for content in ["b", "c", "d"] {
        writes(&origin, content);
    }
    let url = format!("file://{}", origin.top.display());
    let [clone, partial] = ["clone", "partial"].map(|name| world.path(name));
    origin.git(&["clone", "-q", "--depth", "2", &url, clone.to_str().unwrap()]);
    let clone = world.tree("clone");
    assert_eq!(changes(&clone, "HEAD", None), None);
    assert_eq!(changes(&clone, "HEAD", Some("HEAD~1")).unwrap(), ["d"]);
    assert_eq!(is_ancestor(&clone, "HEAD~1", "HEAD"), Some(true));
    assert_eq!(is_ancestor(&clone, "HEAD", "HEAD~1"), Some(false));
    let tree = clone.git(&["write-tree"]);
    let root = clone.git(&["commit-tree", "-m", "root", tree.trim()]);
    assert_eq!(
        is_ancestor(&clone, root.trim(), "HEAD"),
        None,
        "it may be, beyond the end"
    );
    assert_eq!(is_ancestor(&clone, "HEAD", root.trim()), Some(false));
    let absent = commit(&origin, "HEAD~2");
    let repo = repo(&clone);
    let history = repo.history_of(&path());
    let head = commit(&clone, "HEAD");
    assert_eq!(history.versions(head, Some(absent)).unwrap(), None);
    assert_eq!(history.is_ancestor(absent, head).unwrap(), None);
    assert_eq!(history.is_ancestor(head, absent).unwrap(), None);

    origin.git(&["config", "uploadpack.allowFilter", "true"]);
    let filter = ["clone", "-q", "--filter=tree:0", "--no-checkout", &url];
    origin.git(&[&filter[..], &[partial.to_str().unwrap()]].concat());
    let partial = world.tree("partial");
    assert_eq!(changes(&partial, "HEAD", None), None);
    assert_eq!(is_ancestor(&partial, "HEAD~3", "HEAD"), Some(true));
}

#[test]
fn what_head_a_commit_and_the_index_hold() {
    let world = World::new();
    let top = world.path("tree");
    fs::create_dir(&top).unwrap();
    let tree = world.tree("tree");
    tree.git(&["init", "-q", "-b", "main"]);
    let unborn = repo(&tree);
    assert_eq!(unborn.head_commit().unwrap(), None);
    assert_eq!(unborn.blob_in_head(&path()).unwrap(), None);
    assert_eq!(unborn.blob_in_index(&path()).unwrap(), None);
    writes(&tree, "a");
    let repo = repo(&tree);
    assert_eq!(repo.head_commit().unwrap(), Some(commit(&tree, "HEAD")));
    let a = blob(&tree, &format!("HEAD:{FILE}"));
    assert_eq!(repo.blob_in_head(&path()).unwrap(), Some(a));
    assert_eq!(repo.blob_in_index(&path()).unwrap(), Some(a));
    // The same repository, opened before git went on.
    tree.write(FILE, "longer");
    tree.git(&["add", "-A"]);
    let staged = blob(&tree, &format!(":{FILE}"));
    assert_eq!(repo.blob_in_index(&path()).unwrap(), Some(staged));
    assert_eq!(repo.blob_in_head(&path()).unwrap(), Some(a));
    tree.git(&["commit", "-q", "-m", "longer"]);
    assert_eq!(repo.blob_in_head(&path()).unwrap(), Some(staged));
    let first = commit(&tree, "HEAD~1");
    assert_eq!(repo.blob_in(first, &path()).unwrap(), Some(a));
    assert_eq!(repo.bytes(staged).unwrap(), b"longer");
    for strange in [
        "",
        "/",
        "/etc/passwd",
        "../x",
        ".rhema/",
        "a\0b",
        ".rhema/deep",
        "./x",
    ] {
        let strange = DocumentPath::new(strange);
        assert_eq!(repo.blob_in_index(&strange).unwrap(), None);
        assert_eq!(repo.blob_in_head(&strange).unwrap(), None);
    }
}

#[test]
fn an_unmerged_document_has_no_version_in_the_index() {
    let world = World::new();
    let tree = world.repo("tree", &[(FILE, "a")]);
    tree.on_branch("other", FILE, "b");
    writes(&tree, "c");
    tree.try_git(&["merge", "-q", "other"]).exits(1);
    assert_eq!(repo(&tree).blob_in_index(&path()).unwrap(), None);
}

#[test]
fn published_ancestors() {
    let world = World::new();
    let origin = world.repo("origin", &[(FILE, "a")]);
    assert_eq!(
        repo(&origin).published(commit(&origin, "HEAD")).unwrap(),
        []
    );
    origin.on_branch("side", FILE, "b");
    origin.git(&["clone", "-q", ".", world.path("clone").to_str().unwrap()]);
    let clone = world.tree("clone");
    let published = |name: &str| repo(&clone).published(commit(&clone, name)).unwrap();
    let at = |name: &str| commit(&clone, name);
    assert_eq!(published("HEAD"), [at("origin/main")]);
    writes(&clone, "c");
    writes(&clone, "d");
    assert_eq!(published("HEAD"), [at("origin/main")]);
    clone.git(&["merge", "-q", "-s", "ours", "--no-edit", "origin/side"]);
    assert_eq!(published("HEAD"), [at("origin/side")]);
    clone.git(&["checkout", "-q", "--orphan", "unrelated"]);
    writes(&clone, "e");
    assert_eq!(published("HEAD"), []);
    // What others have built on it is no matter.
    origin.write("later.txt", "x");
    origin.commit("later");
    clone.git(&["fetch", "-q"]);
    assert_eq!(published("origin/main~1"), [at("origin/main~1")]);
}

#[test]
fn two_published_branches_that_were_merged_here() {
    let world = World::new();
    let origin = world.repo("origin", &[(FILE, "a")]);
    origin.on_branch("one", "one.txt", "b");
    origin.on_branch("two", "two.txt", "c");
    origin.git(&["clone", "-q", ".", world.path("clone").to_str().unwrap()]);
    let clone = world.tree("clone");
    clone.git(&["merge", "-q", "origin/one"]);
    clone.git(&["merge", "-q", "--no-edit", "origin/two"]);
    let mut published = repo(&clone).published(commit(&clone, "HEAD")).unwrap();
    let mut tips = ["origin/one", "origin/two"].map(|name| commit(&clone, name));
    published.sort_unstable();
    tips.sort_unstable();
    assert_eq!(published, tips);
}
