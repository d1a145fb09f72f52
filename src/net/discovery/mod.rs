//! How nodes find each other: by what they announce on the local network, and by what they leave in the repository for
//! their sibling work trees. Addresses that somebody named need no finding.

pub(super) mod local;
pub(super) mod siblings;
mod tag;

use std::net::SocketAddr;

use super::identity::PublicKey;

/// What was found out about where peers are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sighting {
    /// A node whose key we know is at these addresses.
    Here(PublicKey, Vec<SocketAddr>),
    /// It said that it leaves, or was not heard for long.
    Gone(PublicKey),
    /// This host has other addresses than before: what failed may work now.
    Moved,
    /// Nobody can be found this way, for this reason.
    Blocked(String),
    /// Nobody was found for a while although there is somebody to be found.
    Nobody,
}
