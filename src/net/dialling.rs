//! Calling a peer: all its addresses are tried nearly at once, because some are dead and only time tells which.

use std::net::SocketAddr;

use quinn::{ClientConfig, Connection, ConnectionError, Endpoint};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::identity::{self, Objection};
use super::line::Line;
use super::{DialError, Ending, limits, quic};

/// The addresses behind `HOST:PORT`.
pub(super) async fn resolve(text: &str) -> Result<Vec<SocketAddr>, DialError> {
    let found = timeout(limits::DIAL_TIME, tokio::net::lookup_host(text)).await;
    let addresses: Vec<_> = match found {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(_)) | Err(_) => Vec::new(),
    };
    if addresses.is_empty() {
        return Err(DialError::NoAddress(text.to_owned()));
    }
    Ok(addresses)
}

/// The first line that comes of calling these addresses. The other calls are given up.
///
/// # Errors
/// What is most telling of what went wrong: an answer says more than silence.
pub(super) async fn race(
    endpoint: &Endpoint,
    config: &ClientConfig,
    addresses: &[SocketAddr],
) -> Result<(Connection, Line), DialError> {
    first(addresses, |address| {
        let (endpoint, config) = (endpoint.clone(), config.clone());
        async move {
            let connection = call(&endpoint, config, address).await?;
            let peer = identity::proved(&connection).ok_or(DialError::Stranger)?;
            let line = quic::called(&connection, peer).await?;
            Ok((connection, line))
        }
    })
    .await
}

/// The first connection that comes of calling these addresses, without a line on it.
///
/// # Errors
/// As [`race`].
pub(super) async fn reach(
    endpoint: &Endpoint,
    config: &ClientConfig,
    addresses: &[SocketAddr],
) -> Result<Connection, DialError> {
    first(addresses, |address| {
        let (endpoint, config) = (endpoint.clone(), config.clone());
        async move { call(&endpoint, config, address).await }
    })
    .await
}

/// What comes first of calling these addresses, each a little later than the one before.
async fn first<T, C>(
    addresses: &[SocketAddr],
    call: impl Fn(SocketAddr) -> C,
) -> Result<T, DialError>
where
    T: Send + 'static,
    C: Future<Output = Result<T, DialError>> + Send + 'static,
{
    let mut calls = JoinSet::new();
    for (place, address) in (0..).zip(addresses.iter().copied()) {
        let call = call(address);
        calls.spawn(async move {
            sleep(limits::STAGGER * place).await;
            call.await
        });
    }
    let mut failure = DialError::NoAnswer;
    let first = timeout(limits::DIAL_TIME, async {
        while let Some(call) = calls.join_next().await {
            match call {
                Ok(Ok(answered)) => return Some(answered),
                Ok(Err(DialError::NoAnswer)) | Err(_) => {}
                Ok(Err(error)) => failure = error,
            }
        }
        None
    });
    first.await.ok().flatten().ok_or(failure)
}

async fn call(
    endpoint: &Endpoint,
    config: ClientConfig,
    address: SocketAddr,
) -> Result<Connection, DialError> {
    let mut connecting = endpoint
        .connect_with(config, address, identity::NO_NAME)
        .map_err(|error| DialError::Other(error.to_string()))?;
    let answer = timeout(limits::ADDRESS_TIME, connecting.handshake_data()).await;
    answer.map_err(|_| DialError::NoAnswer)??;
    Ok(connecting.await?)
}

impl From<ConnectionError> for DialError {
    fn from(error: ConnectionError) -> Self {
        /// TLS: no protocol in common (RFC 7301, section 3.2), as QUIC has it (RFC 9001, section 4.8).
        const NO_PROTOCOL: u64 = 0x100 + 120;
        match error {
            ConnectionError::TransportError(error) => {
                match Objection::from_alert(error.code.into()) {
                    Some(Objection::Stranger) => Self::Stranger,
                    Some(Objection::Ourselves) => Self::Ourselves,
                    Some(Objection::Another) => Self::Another,
                    None => Self::Other(error.to_string()),
                }
            }
            ConnectionError::ConnectionClosed(frame)
                if u64::from(frame.error_code) == NO_PROTOCOL =>
            {
                Self::Protocol
            }
            ConnectionError::VersionMismatch => Self::Protocol,
            ConnectionError::TimedOut => Self::NoAnswer,
            other => match Ending::from(other) {
                Ending::NotAdmitted => Self::NotAdmitted,
                other => Self::Other(other.to_string()),
            },
        }
    }
}
