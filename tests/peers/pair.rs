//! Two clones of one repository.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use crate::cloned::cloned;
pub(crate) use crate::sent::send;
use crate::support::{Tree, World};

/// Ann's repository and Ben's clone of it, both set up.
pub(crate) fn pair(world: &World) -> (Tree<'_>, Tree<'_>) {
    cloned(world, &[("README", "hello\n")])
}

/// Another clone of a repository, set up; no member.
pub(crate) fn third<'w>(world: &'w World, of: &Tree<'_>, name: &str) -> Tree<'w> {
    of.git(&["clone", "-q", ".", &format!("../{name}")]);
    let third = world.tree(name);
    third.rhema(&["init", "--no-join"]).exits(0);
    third
}

/// A text as a tool writes it that drops some lines.
pub(crate) fn without_lines(text: &str, is_dropped: impl Fn(&str) -> bool) -> String {
    let lines = text.split_inclusive('\n');
    lines.filter(|line| !is_dropped(line)).collect()
}

/// Records and shows.
pub(crate) fn sync(tree: &Tree<'_>) {
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
}

/// Writes a file as if a minute had passed: whoever does had read what stood there.
pub(crate) fn write_later(tree: &Tree<'_>, file: &str, text: &str) {
    tree.write(file, text);
    let file = File::options().write(true).open(tree.path(file)).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(60))
        .unwrap();
}

/// Everything that somebody's store knew is gone; where they were in git's log, and their clock, are not.
pub(crate) fn lose_store(tree: &Tree<'_>) {
    for file in ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"] {
        let _ = fs::remove_file(tree.path(".git/rhema").join(file));
    }
}
