//! What a replica leaves on the git remote, and how others read it.
//!
//! Each replica has a ref of its own. The commit that it names has a few files: `peer`, where the node can be reached
//! and what it knows (`record.rs`), and *segments*, which together are all edits of the replica (`segment.rs`), as they would be
//! said to somebody who knows nothing. Nothing here talks to a host or opens a store: `git` carries the commits, `peers` knows when.
//! Depends on `exchange`, `overlay` and `crdt`, and on `node` for signatures.

mod record;
mod segment;

pub use record::{PeerRecord, Unreadable};
pub use segment::{Segment, packed, to_join, unpacked};

/// The file of a ref in which its node vouches for others.
pub const VOUCHERS: &str = "vouchers";

/// The file of a ref that says where the node can be reached.
pub const RECORD: &str = "peer";
