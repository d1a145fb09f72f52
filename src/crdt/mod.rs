//! The CRDT core: documents as views of a set of edits.
//!
//! What is known is a grow-only set of *edits*; what is shown is a function of the document that they were made on and of that
//! set: the order, grouping and repetition of edits do not matter. An edit names what it *observed* and so supersedes;
//! stamps only order what is concurrent.
//!
//! `stamp.rs` names edits and orders them, `stamp_set.rs` is sets of such names, `digest.rs` tells values apart,
//! `observed.rs` is what an edit saw. `document.rs` is what a document holds (`records.rs` finds one of many records in it), `edit.rs` what is done to it, `difference.rs` the
//! edits between two documents, `view.rs` what a set of them shows. What documents hold: `register.rs` (one value), `set.rs`
//! (records in an order), `list.rs` (order and multiplicity), `text.rs` (lines); maps are in the view itself,
//! `view/records.rs` has the sets, `view/counters.rs` the numbers that add up. `order.rs`, `runs.rs` and `diff.rs` compare
//! sequences for them, and for the merge of files. `types/` is the library of types for programs.
//!
//! Pure: no clock, no I/O, no randomness; time and replica are arguments. It imports nothing of ours, and knows neither
//! YAML nor git.

pub(crate) mod diff;
mod difference;
mod digest;
mod document;
mod edit;
mod list;
mod living;
mod observed;
pub(crate) mod order;
mod records;
mod register;
mod reissue;
mod runs;
mod set;
mod stamp;
mod stamp_set;
pub(crate) mod text;
pub mod types;
mod view;

pub use digest::Digest;
pub use document::{
    Atom, Birth, Document, Form, Formed, Found, Loser, Map, Node, Part, Path, Record, Stamps, Step,
};
pub use edit::{Act, Change, Edit};
#[cfg(feature = "node")]
pub use living::Damaged;
pub use living::{Content, Living, Made, Members, Standing, Value};
pub use observed::Observed;
pub use records::Records;
pub use register::{Heads, Write, heads};
pub use reissue::Renamed;
pub(crate) use set::born_as;
pub use set::{second_name, split_second_name};
pub use stamp::{Clock, ClockExhausted, NotAStamp, Replica, Stamp, WITHIN_A_DEED};
pub use stamp_set::{Run, StampSet};
pub use types::{Amounts, Counted, NotAType, Type, joined, total, unaccounted};
pub use view::Rules;
