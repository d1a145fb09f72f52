//! What a work tree shows: HEAD's version of a document, and over it the known edits that HEAD does not contain.
//!
//! A replica *knows* a grow-only set of edits ([`Known`]); what it shows is a function of HEAD and of that set. Git's graph
//! ([`History`]) tells which of them HEAD contains.
//!
//! Pure: commits, time and stamps are arguments. Depends on `crdt`, `context`, `merge` and `yaml`, and knows neither git2
//! nor the store.

mod contained;
mod effect;
mod excerpt;
mod healing;
mod history;
mod knowledge;
mod known;
mod look;
mod observers;
mod render;
mod selection;

pub use contained::{Containment, Contents};
pub use excerpt::{Excerpts, Mentioned, stamps_in};
pub use healing::{Fate, Held, Loss, MadeTwice, Since, position};
pub use history::{BlobId, CommitId, History, Version};
pub use knowledge::{Chain, Knowledge, Links};
pub use known::{Deed, DocumentPath, Known};
pub use look::{
    Distance, Familiar, Finding, MassDeletion, Reading, Sight, as_typed, count, findings,
    is_absent_as_meant, is_left, is_of_others, is_shown_by, is_unnamed, loser_in, mass_deletion,
    put_back, sights, stamps_of, takes_edit_away, was_read_before, with_put_back,
};
pub use observers::{Closings, Grounds};
pub use render::{Unrendered, forms, render};
pub use selection::{Judged, Origin, RULES, as_named_in, overlay, retracted};
