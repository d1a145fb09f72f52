//! Reads and writes YAML 1.2 without losing a byte.
//!
//! [`Document::read`] turns a file into a tree over its own text: every node and entry knows its exact bytes, its
//! comments and blank lines. This folder knows nothing of git, of merging or of CRDTs, and depends on nothing of ours.

mod draft;
mod emit;
mod equal;
mod error;
mod reader;
mod scalar;
mod tree;

pub use draft::{BlockText, Body, Collection, Draft, EntryDraft, MadeEntry, Piece, Side};
pub(crate) use emit::newline_of;
pub use emit::{FileDraft, PartDraft};
pub(crate) use equal::same_key;
pub use error::{Error, Limits, Problem};
pub use scalar::{Scalar, double_quoted};
pub use tree::{Document, Entry, EntryRef, Kind, Node, NodeId, NodeRef, Part, Span, Style};
