//! From a QUIC connection to a line: the stream, and the proof that the peer let us in.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use quinn::{Connection, ConnectionError};

use super::ending::{Close, Ending};
use super::identity::PublicKey;
use super::limits;
use super::line::{Carrier, Line};

/// A connection as the carrier of its line.
struct Quic {
    connection: Connection,
    closed: OnceLock<Close>,
}

impl Carrier for Quic {
    fn close(&self, close: Close) {
        if self.connection.close_reason().is_none() {
            let _ = self.closed.set(close);
            self.connection.close(close.code(), &[]);
        }
    }

    fn ending(&self) -> Option<Ending> {
        Some(match self.connection.close_reason()? {
            ConnectionError::LocallyClosed => {
                Ending::Here(self.closed.get().copied().unwrap_or(Close::Left))
            }
            other => other.into(),
        })
    }

    fn remote(&self) -> SocketAddr {
        plain(self.connection.remote_address())
    }

    fn rtt(&self) -> Duration {
        self.connection.rtt()
    }

    fn udp(&self) -> (u64, u64) {
        let stats = self.connection.stats();
        (stats.udp_tx.bytes, stats.udp_rx.bytes)
    }
}

/// An address as people write it: the socket for both families shows IPv4 as a kind of IPv6.
pub(super) fn plain(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(v6) => match v6.ip().to_ipv4_mapped() {
            Some(v4) => SocketAddr::from((v4, v6.port())),
            None => address,
        },
        SocketAddr::V4(_) => address,
    }
}

/// The line of a connection that we called. Waits until the peer has checked our key: the handshake ends for a caller
/// before that.
pub(super) async fn called(
    connection: &Connection,
    peer: PublicKey,
) -> Result<Line, ConnectionError> {
    let (writer, reader) = connection.open_bi().await?;
    Ok(line(connection, peer, true, reader, writer))
}

/// The line of a connection that called us and is admitted.
pub(super) async fn answered(
    connection: &Connection,
    peer: PublicKey,
) -> Result<Line, ConnectionError> {
    connection.set_max_concurrent_bi_streams(limits::STREAMS.into());
    let (writer, reader) = connection.accept_bi().await?;
    Ok(line(connection, peer, false, reader, writer))
}

fn line(
    connection: &Connection,
    peer: PublicKey,
    dialled: bool,
    reader: quinn::RecvStream,
    writer: quinn::SendStream,
) -> Line {
    let carrier = Quic {
        connection: connection.clone(),
        closed: OnceLock::new(),
    };
    Line::new(peer, dialled, Box::new(carrier), reader, writer)
}
