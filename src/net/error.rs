//! What can go wrong on the way to other work trees.

use std::io;
use std::net::SocketAddr;

/// Why there is no network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No socket.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The cryptography refuses to be set up.
    #[error("cannot set up TLS")]
    Tls(#[from] rustls::Error),
    /// There is no cipher for the first packets.
    #[error("cannot set up QUIC")]
    Cipher(#[from] quinn::crypto::rustls::NoInitialCipherSuite),
    /// No keys could be derived from the node's.
    #[error("cannot derive keys from the node's key")]
    Derivation,
    /// The endpoint does not start.
    #[error("cannot start the network")]
    Start(#[source] io::Error),
}

/// Why a call came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// The text is no address, or its name resolves to none.
    #[error("{0} is no address that can be reached: expected HOST:PORT")]
    NoAddress(String),
    /// Nobody answered.
    #[error("nobody answers")]
    NoAnswer,
    /// Whoever answered is nobody whom we know.
    #[error("whoever answers there is no member: add its key with `rhema crdt peers trust`")]
    Stranger,
    /// They do not know us.
    #[error(
        "they do not know this work tree: they have no commit that makes it a member, or do not trust it"
    )]
    NotAdmitted,
    /// The address is our own.
    #[error("this is our own address")]
    Ourselves,
    /// Another member answered than the one who was called.
    #[error("somebody else answers there")]
    Another,
    /// They speak another protocol.
    #[error("they speak another version of the protocol")]
    Protocol,
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// What people should know of the network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// The local network cannot be looked at.
    #[error("peers on the local network cannot be found ({0}): name one with `--peer HOST:PORT`")]
    LocalNetwork(String),
    /// There are members, and nobody shows himself.
    #[error(
        "no peer shows itself on the local network: if one runs there, the network, a firewall or a VPN keeps multicast \
         back; name it with `--peer HOST:PORT`"
    )]
    NobodyFound,
}
