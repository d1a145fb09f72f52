//! How somebody becomes a member who is none yet: one request, one answer, on a connection of its own.
//!
//! Who calls knows the key of whom it calls; its own key is proved and judged by nobody. What is said is the matter of whoever
//! takes the [`Knock`].

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use quinn::Connection;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::ending::{Close, Ending};
use super::hub::{HubEvent, Inner};
use super::identity::{Identity, PublicKey, Purpose};
use super::{DialError, Listen, dialling, endpoint, limits, quic};
use crate::node::{LONGEST_REQUEST, LONGEST_VERDICT, NodeKey};

/// Somebody who wants to join.
#[derive(Debug)]
pub struct Knock {
    /// The key that it proved to have.
    pub key: PublicKey,
    /// What it said.
    pub said: Vec<u8>,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Reply>,
}

/// What is said to somebody who wants to join.
#[derive(Debug)]
pub enum Reply {
    /// It is let in.
    Welcome(Vec<u8>),
    /// It is not.
    Refused(Vec<u8>),
}

/// Hears what a stranger says, and has it answered. The whole of it is bounded by the time of a handshake.
pub(super) async fn answer(
    inner: &Arc<Inner>,
    connection: &Connection,
    key: PublicKey,
) -> Result<(), Ending> {
    if !inner.callers.hears() {
        connection.close(Close::Full.code(), &[]);
        return Err(Ending::Here(Close::Full));
    }
    let mut place = Place {
        inner,
        from: quic::plain(connection.remote_address()).ip(),
        is_welcome: false,
    };
    connection.set_max_concurrent_bi_streams(limits::STREAMS.into());
    let (mut writer, mut reader) = connection.accept_bi().await?;
    let failed = |error: &dyn std::error::Error| Ending::Other(error.to_string());
    let Ok(said) = reader.read_to_end(LONGEST_REQUEST).await else {
        connection.close(Close::Faulty.code(), &[]);
        return Err(Ending::Here(Close::Faulty));
    };
    let (reply, replied) = oneshot::channel();
    inner
        .tell(HubEvent::Knocked(Knock { key, said, reply }))
        .await;
    let reply = replied.await.map_err(|error| failed(&error))?;
    let bytes = match reply {
        Reply::Welcome(bytes) => {
            place.is_welcome = true;
            bytes
        }
        Reply::Refused(bytes) => bytes,
    };
    writer
        .write_all(&bytes)
        .await
        .map_err(|error| failed(&error))?;
    writer.finish().map_err(|error| failed(&error))?;
    // Who got it hangs up.
    connection.closed().await;
    Ok(())
}

/// A stranger's place among those that are heard.
struct Place<'i> {
    inner: &'i Inner,
    from: IpAddr,
    is_welcome: bool,
}

impl Drop for Place<'_> {
    /// However it ends: whoever is not welcome, or says nothing of use, counts like anybody else with an unknown key.
    fn drop(&mut self) {
        let callers = &self.inner.callers;
        callers.told();
        match self.is_welcome {
            true => callers.admitted(self.from),
            false => callers.refused(self.from, Instant::now()),
        }
    }
}

/// Says something to the node with the key `inviter`, which is at one of these addresses, as the node with the key `key`; what
/// that answers. Must be called on a runtime of tokio.
///
/// # Errors
/// When nobody answers there, or somebody else; [`DialError::Protocol`] where nobody is expected.
pub async fn knock(
    key: &NodeKey,
    inviter: PublicKey,
    addresses: &[String],
    said: &[u8],
) -> Result<Vec<u8>, DialError> {
    let other = |error: &dyn std::error::Error| DialError::Other(error.to_string());
    let mut found: Vec<SocketAddr> = Vec::new();
    for address in addresses {
        found.extend(dialling::resolve(address).await.unwrap_or_default());
    }
    if found.is_empty() {
        return Err(DialError::NoAnswer);
    }
    let trust = move |key: &PublicKey| *key == inviter;
    let identity = Identity::new(key, Arc::new(trust)).map_err(|error| other(&error))?;
    let socket = Listen::Anywhere.bind().map_err(|error| other(&error))?;
    let local = endpoint::open(&identity, socket).map_err(|error| other(&error))?;
    let config = endpoint::calling(&identity, Some(inviter), Purpose::Joining);
    let config = config.map_err(|error| other(&error))?;
    let asked = async {
        let connection = dialling::reach(&local, &config, &found).await?;
        let (mut writer, mut reader) = connection.open_bi().await?;
        writer
            .write_all(said)
            .await
            .map_err(|error| other(&error))?;
        writer.finish().map_err(|error| other(&error))?;
        let answer = reader.read_to_end(LONGEST_VERDICT).await;
        let closed = connection.close_reason();
        connection.close(Close::Left.code(), &[]);
        match (answer, closed) {
            (Ok(answer), _) => Ok(answer),
            (Err(_), Some(closed)) => Err(closed.into()),
            (Err(error), None) => Err(other(&error)),
        }
    };
    // The other side may be in the middle of something.
    let answer = timeout(limits::DIAL_TIME + limits::HANDSHAKE_TIME, asked).await;
    local.close(Close::Left.code(), &[]);
    let _ = timeout(limits::GOOD_BYE, local.wait_idle()).await;
    answer.unwrap_or(Err(DialError::NoAnswer))
}
