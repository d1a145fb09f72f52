//! Between YAML and the CRDTs: what a context file says about its own edits.
//!
//! `value.rs` gives every node canonical bytes; `annotation.rs` reads and writes what stands under `_crdt`,
//! `conflicts.rs` what stands under `_crdt_conflicts`; `text.rs` spells names and values so that the whole is one plain
//! string in every version of YAML. `kinds.rs` knows the fields that matter, `records.rs` tells which mappings carry annotations, `mentions.rs` finds those that
//! stand in a file, `marker.rs` puts the marker in and takes everything out again; `stamping.rs` finds what was edited and
//! gives it its stamps, `placing.rs` knows where they stand, `settling.rs` lists what lost and settles it. Depends on
//! `crdt` and `yaml`.

mod annotation;
mod conflicts;
mod difference;
mod kinds;
mod lift;
mod marker;
mod mentions;
mod placing;
mod records;
mod settling;
mod stamping;
mod text;
mod value;
mod verbose;

pub use crate::crdt::Birth;
pub use annotation::{Annotation, Marker, NotAnAnnotation, StampedValue};
pub use conflicts::{Conflicts, Loser, Lost};
pub use difference::edits;
pub use kinds::{ANNOTATION_KEY, CONFLICTS_KEY, DEFINING_FIELDS, GROUPS, IDENTITY_FIELDS};
pub use lift::{Lifted, lift};
pub use marker::{Marking, mark, marker, marker_of, strip, without};
pub use mentions::{Claim, Mention, Says, mentions};
pub use records::{collection_type, identity_field, may_carry};
pub use settling::{Choice, Contest, Unsettled, contests, settle};
pub use stamping::{Stamped, stamp};
pub use value::{canonical, digest};
pub use verbose::from_verbose;
