//! Between YAML and the CRDTs: what a context file says about its own edits.
//!
//! `value.rs` gives every node canonical bytes; `annotation.rs` reads and writes what stands under `_crdt`,
//! `conflicts.rs` what stands under `_crdt_conflicts`; `text.rs` spells names and values so that the whole is one plain
//! string in every version of YAML. `stamping.rs` finds what was edited and gives it its stamps, `placing.rs` knows where
//! they stand, `settling.rs` lists what lost and settles it. Depends on `crdt` and `yaml`.

mod annotation;
mod conflicts;
mod placing;
mod settling;
mod stamping;
mod text;
mod value;

pub use annotation::{Annotation, Birth, Marker, NotAnAnnotation, StampedValue};
pub use conflicts::{Conflicts, Loser, Lost};
pub use settling::{Choice, Contest, Unsettled, contests, settle};
pub use stamping::{Stamped, stamp};
pub use value::{canonical, digest};
