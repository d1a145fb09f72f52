//! Two clones of one repository.

use std::fs::File;
use std::time::{Duration, SystemTime};

use crate::cloned::cloned;
pub(crate) use crate::sent::send;
use crate::support::{Tree, World};

/// Ann's repository and Ben's clone of it, both set up.
pub(crate) fn pair(world: &World) -> (Tree<'_>, Tree<'_>) {
    cloned(world, &[("README", "hello\n")])
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
