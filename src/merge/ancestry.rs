//! What one side had from the other and replaced or deleted since.
//!
//! Three files cannot tell a value that one side never had from one that it had, by a pick or a squash merge, and replaced.
//! The ancestries of both sides can: a value or record of one side whose stamps the base's ancestry does not hold, and
//! that stood in a version of the other side, or was replaced in one by somebody who had seen it, is not concurrent to what that side made of it. It is taken out of the side
//! that still has it before the two are merged as ever.
//!
//! What has no stamp is never taken out, nor is a value whose stamps all stand in the base's ancestry: somebody brought that
//! back. A record goes only if everything stood on the other side that it holds beyond the base, losing values included.
//!
//! `claims.rs` finds what one side has and the other does not, `facts.rs` what stood in versions, `taking.rs` takes out.

mod claims;
mod facts;
mod taking;

use std::collections::BTreeSet;
use std::fmt;

use super::Version;
use super::document::are_documents;
use super::sides::Sides;
use crate::crdt::Stamp;
use crate::yaml::Document;

use claims::Claims;
use facts::named_in;

/// The versions of a file in its history, as far as a merge asks for them.
pub trait Ancestry: fmt::Debug {
    /// The versions that stood in the ancestry of one side and not of the other, newest first; for [`Version::Base`], of
    /// both. Nothing where they are not at hand.
    fn versions(&self, of: Version) -> Option<Vec<Vec<u8>>>;
}

/// Both sides without what the other one superseded; nothing for a side that stays as it is.
pub(super) fn without_superseded(
    documents: &Sides<Document>,
    ancestry: &dyn Ancestry,
) -> (Option<String>, Option<String>) {
    let Sides { base, ours, theirs } = documents;
    let (Some(mine), Some(others), true) = (ours.root(), theirs.root(), are_documents(documents))
    else {
        return (None, None);
    };
    let mut of_ours = Claims::of(base.root(), mine, others);
    let mut of_theirs = Claims::of(base.root(), others, mine);
    of_ours.find_stamps(ancestry, Version::Ours);
    of_theirs.find_stamps(ancestry, Version::Theirs);
    of_ours.retain_known(ancestry, Version::Theirs);
    of_theirs.retain_known(ancestry, Version::Ours);
    let wanted: BTreeSet<Stamp> = of_ours.stamps().chain(of_theirs.stamps()).collect();
    if wanted.is_empty() {
        return (None, None);
    }
    let Some(before) = ancestry.versions(Version::Base) else {
        return (None, None);
    };
    let shared = before.iter().flat_map(|version| named_in(version, &wanted));
    let shared: BTreeSet<Stamp> = shared.collect();
    of_ours.retain_new(&shared);
    of_theirs.retain_new(&shared);
    // What each side took from the other and gave back changes sides in both, and is contested as before.
    (of_ours.taken_out(ours), of_theirs.taken_out(theirs))
}
