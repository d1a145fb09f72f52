//! Other work trees over the network: how they are found, proved and talked to.
//!
//! A [`Hub`] listens, calls and answers; what comes of it are [`Line`]s, each a conversation in frames with a peer whose
//! key is proved and admitted. What is said in the frames is `exchange`'s matter, and who is admitted is told by a
//! [`Trust`]. QUIC carries the lines: TLS 1.3 on both sides with the nodes' own keys.

mod answering;
mod circle;
mod conduct;
mod dialling;
mod discovery;
mod ending;
mod endpoint;
mod error;
#[cfg(debug_assertions)]
mod fault;
mod hub;
mod identity;
mod interfaces;
mod joining;
mod limits;
mod line;
mod lines;
mod memory;
mod quic;
mod seeking;
mod vigil;
mod waiting;

pub use circle::{Circle, Degree};
pub use discovery::local::LocalNetwork;
pub use discovery::siblings::{address_left, leave_address, take_address};
pub use ending::{Close, Ending};
pub use endpoint::Listen;
pub use error::{DialError, Error, Warning};
pub use hub::{Hub, HubEvent, Settings};
pub use identity::{PublicKey, Trust};
pub use interfaces::reachable_at;
pub use joining::{Knock, Reply, knock};
pub use limits::{CALLED_ON, FRAME};
pub use line::{Gauge, Line, LineId, Traffic};
pub use memory::conversation;
pub use seeking::{Company, Place, Sought, Target, Until};
