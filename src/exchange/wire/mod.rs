//! Messages as bytes: compact, versioned by hand, and read without trust. `docs/protocol.md` has every byte.
//!
//! `writer.rs` and `reader.rs` have the numbers, texts and tables, `values.rs`, `edits.rs` and `messages.rs` what is made of
//! them, writing beside reading (`runs.rs`: what proves edits); `frames.rs` cuts and packs bodies, `fitting.rs` tells how many edits a message holds,
//! `limits.rs` what anything may cost.

mod edits;
mod fitting;
mod frames;
pub mod limits;
mod messages;
mod reader;
mod runs;
#[cfg(test)]
mod tests;
mod values;
mod writer;

use std::str::Utf8Error;

pub use fitting::fitting;
pub use frames::Assembly;

use self::reader::Reader;
use self::writer::Writer;
use super::Message;
use crate::overlay::Known;

/// What is not said as the protocol has it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It ends before all is said.
    #[error("the message ends early")]
    Short,
    /// All is said, and bytes are left.
    #[error("{0} bytes are left at the end of the message")]
    Long(usize),
    /// A number is longer than it has to be, or too large.
    #[error("a number is too long or too large")]
    Number,
    /// Something is named by a number that was not given to anything.
    #[error("something is named that was never said")]
    Unnamed,
    /// A byte means nothing in its place.
    #[error("{1} is no known kind of {0}")]
    Tag(&'static str, u64),
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    Text(#[from] Utf8Error),
    /// What must stand in order, each once, does not.
    #[error("what must be in order is not")]
    Order,
    /// A time that no stamp can hold.
    #[error("a stamp's time is out of range")]
    Time,
    /// More bits than a digest has.
    #[error("a digest has too many bits")]
    Digest,
    /// More bits than a replica's name has.
    #[error("a replica's name has too many bits")]
    Replica,
    /// A value is nested too deeply.
    #[error("a value is nested more than {} levels deep", limits::DEPTH)]
    Depth,
    /// It would take too much memory.
    #[error("the message would take more than {} bytes of memory", limits::ROOM)]
    Room,
    /// A frame is too long.
    #[error("a frame of {0} bytes is longer than {limit}", limit = limits::FRAME)]
    Frame(usize),
    /// A body is too long.
    #[error("a message is longer than {} bytes", limits::BODY)]
    Body,
    /// A piece cannot be unpacked, or not into what a frame may carry.
    #[error("a packed frame is damaged or holds more than {} bytes", limits::PIECE)]
    Packing,
}

/// What nobody would take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// So many bytes are too long.
    #[error("it is {0} bytes long, and {limit} is the most", limit = limits::BODY)]
    Bytes(usize),
    /// It would take so much memory.
    #[error("it takes {0} bytes of memory, and {limit} is the most", limit = limits::ROOM)]
    Room(usize),
    /// A value is nested too deeply.
    #[error("a value is nested more than {} levels deep", limits::DEPTH)]
    Depth,
}

/// The payloads of the frames that say a message, in order; one, but for edits that are very large.
///
/// # Errors
/// When nobody would take it; as many edits as are [`fitting`] are always taken.
pub fn encode(message: &Message) -> Result<Vec<Vec<u8>>, Unsendable> {
    let mut writer = Writer::default();
    messages::write(message, &mut writer);
    Ok(frames::frames(&writer.finish()?))
}

/// An edit as a message says it that says nothing else, for all times: what its digest is of.
pub(super) fn alone(edit: &Known) -> Vec<u8> {
    let mut writer = Writer::default();
    edit.write(&mut writer);
    writer.into_bytes()
}

/// What has a place in a body.
trait Coded: Sized {
    /// Appends it.
    fn write(&self, to: &mut Writer);

    /// Takes it from the front of what is left.
    ///
    /// # Errors
    /// When no such thing stands there.
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed>;
}
