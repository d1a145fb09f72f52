//! Two clones of one repository.

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
