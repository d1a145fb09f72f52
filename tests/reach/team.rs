//! Clones of one bare repository, whose people are found through it.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Tree, World};

/// The document that they share.
pub(crate) const TODOS: &str = ".rhema/todos.yaml";

const BEGINNING: &str = "todos:\n  - id: a\n    title: Alpha\n    status: open\n";

/// The bare repository.
pub(crate) fn origin(world: &World) -> Tree<'_> {
    world.tree("origin.git")
}

/// So many clones, each of a member; what each has committed all have.
pub(crate) fn team(world: &World, people: usize) -> Vec<Tree<'_>> {
    let first = world.repo("clone-0", &[(TODOS, BEGINNING)]);
    first.git(&["init", "-q", "--bare", "-b", "main", "../origin.git"]);
    first.git(&["remote", "add", "origin", "../origin.git"]);
    first.rhema(&["init", "--discovery", "git"]).exits(0);
    first.commit("init");
    first.git(&["push", "-q", "-u", "origin", "main"]);
    let mut clones = vec![first];
    for person in 1..people {
        let clone = world.tree(format!("clone-{person}"));
        clones[0].git(&["clone", "-q", "../origin.git", &clone.top.to_string_lossy()]);
        clone.rhema(&["init"]).exits(0);
        clone.commit("join");
        clone.git(&["push", "-q"]);
        clones.push(clone);
    }
    for clone in &clones {
        clone.git(&["pull", "-q"]);
    }
    clones
}

/// Adds a todo by command.
pub(crate) fn add(clone: &Tree<'_>, id: &str) {
    let arguments = ["add", "todos", &format!("id={id}"), "title=One more"];
    clone.rhema(&arguments).exits(0);
}

/// What `sync` says of the git remote; it must have nothing to complain about.
#[track_caller]
pub(crate) fn sync(clone: &Tree<'_>) -> Value {
    let report = clone.rhema(&["sync", "--json"]).exits(0).json();
    report["remote"].clone()
}

/// Has all clones exchange what they know, one after the other, so often that all know it.
pub(crate) fn sync_all(clones: &[Tree<'_>]) {
    for clone in clones.iter().chain(clones) {
        sync(clone);
    }
}

/// All clones show the same bytes: these.
#[track_caller]
pub(crate) fn same(clones: &[Tree<'_>]) -> String {
    let first = clones[0].read(TODOS);
    for clone in clones {
        assert_eq!(clone.read(TODOS), first, "{}", clone.top.display());
    }
    first
}

/// The refs that replicas have at the host.
pub(crate) fn refs(origin: &Tree<'_>) -> Vec<String> {
    let listed = origin.git(&["for-each-ref", "--format=%(refname)"]);
    let ours = |name: &&str| name.contains("/rhema/");
    listed.lines().filter(ours).map(str::to_owned).collect()
}

/// The repository beside a clone's own.
pub(crate) fn beside(clone: &Tree<'_>) -> PathBuf {
    clone.path(".git/rhema/remote.git")
}
