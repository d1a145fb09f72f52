//! Why lines end, in the codes that go over the wire and in words.

use std::fmt;

use quinn::{ConnectionError, VarInt};

use super::identity::Objection;

/// Why somebody ends a line. The numbers go over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Close {
    /// All is said, or the program ends.
    Left,
    /// There is another line between the same two processes.
    Duplicate,
    /// The peer was started anew, and this was a line to its former process.
    Replaced,
    /// The peer is no member any more.
    NotAdmitted,
    /// The peer does not read, or does not finish what it began to say.
    Slow,
    /// The peer does not keep to the protocol.
    Faulty,
    /// There are too many lines.
    Full,
    /// Another number: a later version has more reasons.
    Other(u32),
}

impl Close {
    const NUMBERED: [Self; 7] = [
        Self::Left,
        Self::Duplicate,
        Self::Replaced,
        Self::NotAdmitted,
        Self::Slow,
        Self::Faulty,
        Self::Full,
    ];

    pub(super) fn code(self) -> VarInt {
        let place = Self::NUMBERED.iter().position(|known| *known == self);
        let other = match self {
            Self::Other(code) => code,
            _ => 0,
        };
        VarInt::from_u32(place.and_then(|at| u32::try_from(at).ok()).unwrap_or(other))
    }

    pub(super) fn from_code(code: VarInt) -> Self {
        let code = code.into_inner();
        let known = usize::try_from(code)
            .ok()
            .and_then(|at| Self::NUMBERED.get(at));
        known
            .copied()
            .unwrap_or(Self::Other(u32::try_from(code).unwrap_or(u32::MAX)))
    }
}

impl fmt::Display for Close {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Left => "left",
            Self::Duplicate => "there is another line",
            Self::Replaced => "the peer was started anew",
            Self::NotAdmitted => "no member",
            Self::Slow => "too slow",
            Self::Faulty => "does not keep to the protocol",
            Self::Full => "too many lines",
            Self::Other(code) => return write!(f, "reason {code}"),
        })
    }
}

/// How a line ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Ending {
    /// The peer has said all that it had to say.
    #[error("the peer finished")]
    Finished,
    /// We ended it.
    #[error("closed here: {0}")]
    Here(Close),
    /// The peer ended it.
    #[error("closed by the peer: {0}")]
    There(Close),
    /// Nothing came for too long.
    #[error("the peer is silent")]
    Silent,
    /// The peer's process was ended without a word and runs anew.
    #[error("the peer was started anew")]
    Restarted,
    /// The peer does not know us.
    #[error("the peer does not admit us")]
    NotAdmitted,
    /// We do not know the peer.
    #[error("the peer is nobody whom we admit")]
    Stranger,
    /// Something else.
    #[error("{0}")]
    Other(String),
}

impl From<ConnectionError> for Ending {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::ApplicationClosed(frame) => {
                Self::There(Close::from_code(frame.error_code))
            }
            ConnectionError::ConnectionClosed(frame)
                if Objection::from_alert(u64::from(frame.error_code)).is_some() =>
            {
                Self::NotAdmitted
            }
            ConnectionError::TransportError(error)
                if Objection::from_alert(error.code.into()).is_some() =>
            {
                Self::Stranger
            }
            ConnectionError::Reset => Self::Restarted,
            ConnectionError::TimedOut => Self::Silent,
            other => Self::Other(other.to_string()),
        }
    }
}
