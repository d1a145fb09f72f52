//! Open conflicts as people and programs see them: what stands, what lost, who wrote it, and what can be done about it.
//!
//! `conflict.rs` is one of them, `listing.rs` finds all, `walk.rs` goes from one to the
//! next and does what is answered; it asks nobody itself, so that it can be tried without a terminal. `why.rs` tells which edits competed for a place and what
//! decided between them. Depends on `history`, `store`, `node`, `git` and
//! `context`, never on `cli`.

mod conflict;
mod listing;
mod walk;
mod why;

pub use conflict::{Conflict, Kind, Origin, Side, Way};
pub use listing::{Listing, Settler};
pub use walk::{Answer, NotAnAnswer, Step, Table, Walk};
pub use why::{Competitor, Explanation, Fate, Rule, explain};
