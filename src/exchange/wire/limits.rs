//! What a message may cost. The numbers are part of the protocol: both sides count the same way, so that whoever sends
//! knows what the other one takes.

/// Bytes of the longest frame's payload: what is allocated for a peer before anything it says is understood.
pub const FRAME: usize = 1 << 20;

/// Bytes of a message's body that one frame carries at most, compressed or not: so unpacking a frame costs no more memory
/// than a plain one does.
pub const PIECE: usize = FRAME - 16;

/// Bytes of the longest body. An edit of all of a file of 20 MB fits; larger ones travel by git alone.
pub const BODY: usize = 32 << 20;

/// Bytes that a body of edits is meant to have: small enough that the first are stored soon, large enough that what they
/// share is said once.
pub const BATCH: usize = 256 << 10;

/// Nested values of a record. The reader of YAML takes no more, so nothing that stands in a file is refused.
pub const DEPTH: usize = 200;

/// The room that a message may take in memory: what names a long text again and again in a few bytes is refused.
pub const ROOM: usize = 256 << 20;

/// The room that a batch of edits is meant to take.
pub const BATCH_ROOM: usize = 16 << 20;

/// Room for each number, digest, name of a commit or of a replica, stamp, and step.
pub(super) const ITEM_ROOM: usize = 64;

/// Room for each value, change, edit, and for each set or map that is not empty.
pub(super) const NODE_ROOM: usize = 512;

/// Room for each use of a text of so many bytes.
pub(super) fn text_room(bytes: usize) -> usize {
    32 + bytes
}
