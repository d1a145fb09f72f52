//! The CRDT core: what a set of edits shows.
//!
//! Pure: no clock, no I/O, no randomness; time and replica are arguments. It imports nothing of ours, and knows neither
//! YAML nor git. A *stamp* names an edit and orders concurrent ones; what an edit *observed* it supersedes; a *register*
//! shows the values that no known edit supersedes, one of them as the winner. Everything is a function of the set of
//! writes alone: their order, grouping and repetition do not matter.

pub(crate) mod diff;
mod difference;
mod digest;
mod document;
mod edit;
mod list;
mod observed;
pub(crate) mod order;
mod register;
mod runs;
mod set;
mod stamp;
pub(crate) mod text;
mod view;

pub use digest::Digest;
pub use document::{Atom, Birth, Document, Loser, Map, Node, Path, Record, Stamps, Step};
pub use edit::{Act, Change, Edit};
pub use observed::Observed;
pub use register::{Heads, Write, heads};
pub use set::second_name;
pub use stamp::{Clock, ClockExhausted, NotAStamp, Replica, Stamp};
pub use view::Rules;
