//! This work tree among others: whom it talks to, what comes of it, and what is kept of it.
//!
//! `net` brings lines, `exchange` says what is to be said on them, `store` has the edits. Here one thread, the keeper
//! (`keeper.rs`), has the store and a session for each line, and `line.rs` carries frames between the two; `rounds.rs` looks at the files meanwhile. `visit.rs` calls
//! on everybody once, as `sync` does, `stay.rs` goes on until it is ended, as `watch` does; `admission.rs` knows who is
//! trusted, `ruling.rs` what the access rules make of edits, `joining.rs` lets in who was invited, `rotating.rs` gives a node another key,
//! `finding.rs` knows where others may be, `answering.rs` answers commands that ask,
//! `meeting.rs` exchanges edits through the git remote, `meetings.rs` does so now and then, `requests.rs` joins people there,
//! `shelf.rs` has the store as sessions see it, `party.rs` holds conversations that a simulation carries, `telling.rs` the words for people.
//! Depends on `net`, `asking`, `exchange`, `watch`, `replica`, `store` and `node`; never on `cli`.

mod admission;
mod answering;
mod error;
mod finding;
mod joining;
mod keeper;
mod line;
mod meeting;
mod meetings;
mod party;
mod requests;
mod rotating;
mod rounds;
mod ruling;
mod shelf;
mod stay;
mod telling;
mod visit;

pub use admission::{Admission, known_peers};
pub use error::Error;
pub use finding::is_address;
pub use joining::{Asked, Joiner, answer_request, join, list_who_joined, refusal};
pub use keeper::Heard;
pub use meeting::{LastMet, Met, hear_first, last_met, left_there, meet};
pub use party::Party;
pub use rotating::{Rotated, last_edits, rotate};
pub use rounds::Sight;
pub use ruling::{NotTaken, Untaken, forbidden, not_taken, untaken};
pub use stay::{Staying, stay};
pub use visit::{Called, Peer, Visit, visit};
