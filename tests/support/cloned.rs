//! Two clones that know each other.

use crate::support::{Tree, World};

/// A repository with these files and a clone of it, `ann` and `ben`, both set up, each a member for the other.
pub(crate) fn cloned<'w>(world: &'w World, files: &[(&str, &str)]) -> (Tree<'w>, Tree<'w>) {
    let ann = world.repo("ann", files);
    ann.rhema(&["init"]).exits(0);
    ann.commit("init");
    ann.git(&["clone", "-q", ".", "../ben"]);
    let ben = world.tree("ben");
    ben.rhema(&["init"]).exits(0);
    ben.commit("join");
    ann.git(&["pull", "-q", "../ben", "main"]);
    (ann, ben)
}
