//! Between YAML and the CRDTs: what a context file says about its own edits.
//!
//! *What is said*: `annotation.rs` reads and writes what stands under `_crdt`, `conflicts.rs` what stands under
//! `_crdt_conflicts`; `own.rs` is both, as one root or record says it; `text.rs` spells names and values so that the whole
//! is one plain string in every version of YAML, `value.rs` gives every node canonical bytes and says which values
//! are the same, timestamps (`instant.rs`) among them. *About what*: `kinds.rs`
//! knows the fields that matter, `records.rs` what tells records apart, `births.rs` how they came into being,
//! `matching.rs` which records of several versions are one, `leaves.rs` what they hold; `lift.rs` is a whole file as the
//! CRDTs see it, and `types.rs` what the configuration makes of its places. *Where*: `placing.rs` knows the place, `mentions.rs` finds all of
//! it in a file, `marker.rs` puts the marker in and takes everything out again, `verbose.rs` reads another way of writing
//! it, and gives it back. *When*: `stamping.rs` finds what was edited and `annotate.rs` writes it down, `settling.rs` lists
//! what lost and settles it. *By command*: `address.rs` finds what a path names, `editing.rs` changes it. Depends on
//! `crdt` and `yaml`.

mod address;
mod annotate;
mod annotation;
mod births;
mod conflicts;
mod editing;
mod instant;
mod kinds;
mod leaves;
mod lift;
mod marker;
mod matching;
mod mentions;
mod own;
mod placing;
mod records;
mod settling;
mod stamping;
mod telling;
mod text;
mod types;
mod value;
mod verbose;

pub use crate::crdt::Birth;
pub use address::Address;
pub use annotation::{Annotation, Marker, NotAnAnnotation, StampedValue, runs_in};
pub use births::birth_in_lines;
pub(crate) use births::{are_one, birth, original_identity};
pub use conflicts::{Conflicts, Loser, Lost};
pub(crate) use editing::Neighbours;
pub use editing::{
    Assignment, Change, Edited, Given, NotGiven, Pick, Position, Unedited, matching, picked,
    stamp_at,
};
pub(crate) use instant::in_utc;
pub use kinds::{ANNOTATION_KEY, CONFLICTS_KEY, DEFINING_FIELDS, GROUPS, IDENTITY_FIELDS};
pub(crate) use leaves::{Held, Leaf, at as leaf_at};
pub use lift::lift;
pub(crate) use lift::{atom, lift_but, lift_fields, lift_value, number};
pub(crate) use marker::marked_like;
pub use marker::{Marking, mark, marker, marker_of, retyped, strip, strip_to_show, without};
pub(crate) use matching::numbered;
pub use mentions::{Claim, Mention, Says, mentions};
pub(crate) use own::{Own, Role, is_annotated, is_free, is_marked};
pub(crate) use placing::{is_one_line, is_ours, name_of, place_among};
pub use records::{collection_type, identity_field, may_carry, named_twice};
pub(crate) use settling::writing::{Fields, NewValue};
pub use settling::{Choice, Contest, Matter, Unsettled, contests, misfits, settle};
pub use stamping::{
    FilesAlone, KnownEdits, Stamped, stamp, stamp_beside, takes_stamps, with_annotations_of,
    with_births_of,
};
pub(crate) use telling::told;
pub use types::{BUILT_IN, Misfit, Place, Types, Untyped};
pub use value::{canonical, digest, is_null, same, same_entry, sameness};
pub use verbose::{from_verbose, to_verbose};
