//! Bodies in frames: cut where they are long, packed where that makes them smaller.

use super::limits::{BODY, FRAME, PIECE};
use super::reader::Reader;
use super::{Malformed, messages};
use crate::exchange::Message;

/// The message goes on in the next frame.
const GOES_ON: u8 = 1;
/// The piece is packed.
const PACKED: u8 = 2;

/// Cuts a body into the payloads of frames.
pub(super) fn frames(body: &[u8]) -> Vec<Vec<u8>> {
    let last = body.len().div_ceil(PIECE).saturating_sub(1);
    let frame = |(index, piece): (usize, &[u8])| {
        let goes_on = if index < last { GOES_ON } else { 0 };
        match packing::packed(piece) {
            Some(packed) => [&[goes_on | PACKED], &packed[..]].concat(),
            None => [&[goes_on], piece].concat(),
        }
    };
    body.chunks(PIECE).enumerate().map(frame).collect()
}

/// Puts messages together from the payloads of frames, as they come.
#[derive(Debug, Default)]
pub struct Assembly {
    body: Vec<u8>,
}

impl Assembly {
    /// Takes the next payload. Gives the message that it completes; nothing where more is to come, or where the message is
    /// of an optional kind that is not known here.
    ///
    /// # Errors
    /// When this is not what the protocol allows; nothing that follows on the same connection means anything then.
    pub fn add(&mut self, payload: &[u8]) -> Result<Option<Message>, Malformed> {
        if payload.len() > FRAME {
            return Err(Malformed::Frame(payload.len()));
        }
        let (bits, piece) = payload.split_first().ok_or(Malformed::Short)?;
        let unpacked;
        let piece = match bits & !GOES_ON {
            0 => piece,
            PACKED => {
                unpacked = packing::unpacked(piece)?;
                &unpacked
            }
            _ => return Err(Malformed::Tag("frame", (*bits).into())),
        };
        if piece.is_empty() {
            return Err(Malformed::Short);
        }
        if self.body.len() + piece.len() > BODY {
            return Err(Malformed::Body);
        }
        let goes_on = bits & GOES_ON != 0;
        if self.body.is_empty() && !goes_on {
            return messages::read(&mut Reader::new(piece));
        }
        self.body.extend_from_slice(piece);
        if goes_on {
            return Ok(None);
        }
        messages::read(&mut Reader::new(&std::mem::take(&mut self.body)))
    }
}

#[cfg(feature = "net")]
mod packing {
    use super::{Malformed, PIECE};

    /// Pieces below this stay as they are.
    const WORTH_IT: usize = 256;

    /// zstd's level.
    const LEVEL: i32 = 3;

    /// A piece as one zstd frame, if it is smaller so.
    pub(super) fn packed(piece: &[u8]) -> Option<Vec<u8>> {
        let worth_it = piece.len() >= WORTH_IT;
        let packed = worth_it.then(|| zstd::bulk::compress(piece, LEVEL).ok())??;
        (packed.len() < piece.len()).then_some(packed)
    }

    /// What was packed, if that is no more than a frame may carry.
    pub(super) fn unpacked(packed: &[u8]) -> Result<Vec<u8>, Malformed> {
        zstd::bulk::decompress(packed, PIECE).map_err(|_| Malformed::Packing)
    }
}

#[cfg(not(feature = "net"))]
mod packing {
    use super::Malformed;

    pub(super) fn packed(_: &[u8]) -> Option<Vec<u8>> {
        None
    }

    pub(super) fn unpacked(_: &[u8]) -> Result<Vec<u8>, Malformed> {
        Err(Malformed::Packing)
    }
}
