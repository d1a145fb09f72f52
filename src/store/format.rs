//! Values that are written and read as a whole: a byte that names the format, then what `postcard` makes of them.
//!
//! `body.rs` has what edits do, of which there was another format before.

mod body;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) use body::Body;

/// The format of all but the bodies of edits, and the only one so far.
const FORMAT: u8 = 1;

/// Bytes that are no such value.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    /// They are in a format of a newer version.
    #[error("format {0} is not known here")]
    Format(u8),
    /// They are damaged.
    #[error("not what was written: {0}")]
    Malformed(#[from] postcard::Error),
}

/// The bytes of a value.
pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, postcard::Error> {
    encode_as(FORMAT, value)
}

fn encode_as<T: Serialize + ?Sized>(format: u8, value: &T) -> Result<Vec<u8>, postcard::Error> {
    postcard::to_extend(value, vec![format])
}

/// The value that these bytes, all of them, are of.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unreadable> {
    match parted(bytes)? {
        (FORMAT, rest) => whole(rest),
        (format, _) => Err(Unreadable::Format(format)),
    }
}

/// The format of a value, and the rest of it.
fn parted(bytes: &[u8]) -> Result<(u8, &[u8]), Unreadable> {
    let parted = bytes.split_first().map(|(format, rest)| (*format, rest));
    parted.ok_or(postcard::Error::DeserializeUnexpectedEnd.into())
}

fn whole<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unreadable> {
    match postcard::take_from_bytes(bytes)? {
        (value, []) => Ok(value),
        _ => Err(postcard::Error::DeserializeBadEncoding.into()),
    }
}
