//! What can go wrong between this work tree and others.

use crate::{git, net, node, replica, store};

/// A refusal or failure.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The repository.
    #[error(transparent)]
    Git(#[from] git::Error),
    /// The node, its key or the list of members.
    #[error(transparent)]
    Node(#[from] node::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Recording and showing edits.
    #[error(transparent)]
    Replica(#[from] replica::Error),
    /// The network.
    #[error(transparent)]
    Net(#[from] net::Error),
    /// A thread or a runtime could not be begun.
    #[error("cannot begin to work with the network")]
    Runtime(#[source] std::io::Error),
    /// What holds the conversations came to an end by itself.
    #[error("the conversations broke off: this is a bug; `-v` says more")]
    Keeper,
    /// Another program stays in this work tree.
    #[error(
        "`rhema crdt watch` runs in this work tree already{}: end it, or go on with it",
        .0.map_or(String::new(), |address| format!(" and listens at {address}"))
    )]
    Watched(Option<std::net::SocketAddr>),
    /// Somebody else pushes under the name of this replica all the time.
    #[error(
        "somebody else pushed to {0} under the name of this work tree each time that it did: if that is a copy of it, `rhema crdt peers rotate` gives one of them another key"
    )]
    Overtaken(String),
    /// The host lets nobody push what is exchanged through it.
    #[error(
        "{remote} takes neither {there}: {why}; whoever runs it may allow refs/rhema/*, or `discovery: local` or `static` do without it"
    )]
    Forbidden {
        /// The git remote.
        remote: String,
        /// The refs.
        there: String,
        /// What the host said.
        why: String,
    },
    /// Edits cannot be written as others read them.
    #[error(transparent)]
    Unsendable(crate::exchange::wire::Unsendable),
    /// Nobody is trusted.
    #[error(
        "{0} was not called: this work tree trusts nobody; HEAD's .rhema/crdt/members.yaml names whom to trust, `rhema crdt peers` shows it"
    )]
    Nobody(String),
    /// Nobody of this name is trusted.
    #[error(
        "{0} is neither HOST:PORT nor a peer that is trusted here: `rhema crdt peers list` has them"
    )]
    NoSuchPeer(String),
    /// The work tree, or what was kept of it beside the repository, was removed.
    #[error("{} is no work tree of this node any more: nobody watches it from now on", .0.display())]
    Removed(std::path::PathBuf),
    /// Nobody knows where a peer is.
    #[error("nobody knows where {0} is: name it as HOST:PORT")]
    NoAddress(String),
    /// Who made a ticket cannot be asked.
    #[error(
        "the inviter was not reached at {}: {why}; `rhema crdt watch` has to run there, and the way to it be open",
        if addresses.is_empty() { "any address: the ticket names none" } else { addresses.as_str() }
    )]
    InviterAway {
        /// Where it should be.
        addresses: String,
        /// What came of the call.
        why: net::DialError,
    },
    /// Who made a ticket expects nobody.
    #[error(
        "the inviter expects nobody: its invitations are over, or it speaks another version of the protocol; ask for another ticket"
    )]
    NotExpected,
    /// The clone has no node.
    #[error("this clone has no node yet: `rhema crdt init` makes one")]
    NoNode,
    /// A program stays here that has to end first.
    #[error(
        "`rhema crdt watch` runs here, with the key as it is: end it, then run the command again"
    )]
    MustEnd,
}
