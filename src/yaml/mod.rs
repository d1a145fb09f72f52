//! Reads and writes YAML 1.2 without losing a byte.
//!
//! [`Document::read`] turns a file into a tree over its own text: every node and entry knows its exact bytes, its
//! comments and blank lines. This folder knows nothing of git, of merging or of CRDTs, and depends on nothing of ours.

mod draft;
mod edit;
mod emit;
mod equal;
mod error;
mod gate;
mod lines;
mod reader;
mod render;
mod scalar;
mod tree;
mod value;

pub(crate) use draft::newline_of;
pub use draft::{
    BlockText, Body, Collection, Draft, EntryDraft, FileDraft, MadeEntry, PartDraft, Piece, Side,
};
pub(crate) use equal::same_key;
pub use error::{Error, Limits, Problem};
pub use render::Manner;
pub(crate) use scalar::needs_no_escape;
pub use scalar::{Scalar, double_quoted};
pub use tree::{Document, Entry, EntryRef, Kind, Node, NodeId, NodeRef, Part, Span, Style};
pub use value::Value;
