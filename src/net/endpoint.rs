//! The socket and the QUIC endpoint on it: one for all lines, called and calling.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use quinn::crypto::rustls::QuicServerConfig;
use quinn::{
    EndpointConfig, IdleTimeout, Runtime as _, ServerConfig, TokioRuntime, TransportConfig, VarInt,
};
use quinn_proto::HashedConnectionIdGenerator;
use socket2::{Domain, Protocol, Socket, Type};

use super::identity::{Identity, PublicKey, Purpose};
use super::{Error, limits};

/// Where to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// At exactly this address; port 0 for any.
    At(SocketAddr),
    /// At all addresses, on the port that served last time: peers call there, and those who had a line to us learn at
    /// once that it is gone. Any other port if somebody has taken it.
    Remembered(u16),
    /// At all addresses, on a port that the system chooses.
    Anywhere,
}

impl Listen {
    /// A bound socket.
    pub(super) fn bind(self) -> Result<UdpSocket, Error> {
        match self {
            Self::At(address) => bind(address).map_err(|source| Error::Listen { address, source }),
            Self::Remembered(port) => everywhere(port).or_else(|_| Self::Anywhere.bind()),
            Self::Anywhere => everywhere(0),
        }
    }
}

/// A socket for both families, or for IPv4 alone where the system has no IPv6.
fn everywhere(port: u16) -> Result<UdpSocket, Error> {
    let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)))
        .or_else(|_| bind(v4))
        .map_err(|source| Error::Listen {
            address: v4,
            source,
        })
}

fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    if address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
        // Systems disagree on whether this is the default.
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// A QUIC endpoint of this identity on a socket. Must be called on a runtime of tokio.
pub(super) fn open(identity: &Identity, socket: UdpSocket) -> Result<quinn::Endpoint, Error> {
    let mut config = EndpointConfig::new(Arc::new(identity.reset_key()?));
    let cid_key = identity.connection_id_key()?;
    config.cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(cid_key)));

    let mut server = answering(identity, identity.server()?)?;
    server.max_incoming(limits::INCOMING);
    server.incoming_buffer_size(limits::INCOMING_BUFFER);
    server.incoming_buffer_size_total(limits::INCOMING_BUFFER * limits::INCOMING as u64);
    let runtime = Arc::new(TokioRuntime);
    let socket = runtime.wrap_udp_socket(socket).map_err(Error::Start)?;
    #[cfg(debug_assertions)]
    let socket = super::fault::wrap(socket).map_err(Error::Start)?;
    quinn::Endpoint::new_with_abstract_socket(config, Some(server), socket, runtime)
        .map_err(Error::Start)
}

/// How one call is answered while somebody is invited.
pub(super) fn answering_strangers(identity: &Identity) -> Result<ServerConfig, Error> {
    answering(identity, identity.server_for_strangers()?)
}

fn answering(identity: &Identity, tls: QuicServerConfig) -> Result<ServerConfig, Error> {
    let mut server = ServerConfig::new(Arc::new(tls), Arc::new(identity.token_key()?));
    server.transport_config(transport());
    Ok(server)
}

/// How to call: the node with this key, or whoever is admitted.
pub(super) fn calling(
    identity: &Identity,
    expected: Option<PublicKey>,
    purpose: Purpose,
) -> Result<quinn::ClientConfig, Error> {
    let tls = identity.client(expected, purpose)?;
    let mut config = quinn::ClientConfig::new(Arc::new(tls));
    config.transport_config(transport());
    Ok(config)
}

fn transport() -> Arc<TransportConfig> {
    let mut config = TransportConfig::default();
    // Whoever is called lets the caller open its one stream when it has been admitted, and never opens any itself.
    config.max_concurrent_bidi_streams(VarInt::from_u32(0));
    config.max_concurrent_uni_streams(VarInt::from_u32(0));
    config.datagram_receive_buffer_size(None);
    config.stream_receive_window(VarInt::from_u32(limits::STREAM_WINDOW));
    config.receive_window(VarInt::from_u32(limits::RECEIVE_WINDOW));
    config.send_window(limits::SEND_WINDOW);
    config.initial_rtt(limits::INITIAL_RTT);
    config.keep_alive_interval(Some(limits::KEEP_ALIVE));
    config.max_idle_timeout(IdleTimeout::try_from(limits::IDLE).ok());
    // An observer has no business with our delays.
    config.allow_spin(false);
    Arc::new(config)
}
