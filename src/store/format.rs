//! Values that are written and read as a whole: a byte that names the format, then what `postcard` makes of them.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The format that is written, and the only one so far.
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
    postcard::to_extend(value, vec![FORMAT])
}

/// The value that these bytes, all of them, are of.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unreadable> {
    let (format, rest) = bytes
        .split_first()
        .ok_or(postcard::Error::DeserializeUnexpectedEnd)?;
    if *format != FORMAT {
        return Err(Unreadable::Format(*format));
    }
    match postcard::take_from_bytes(rest)? {
        (value, []) => Ok(value),
        _ => Err(postcard::Error::DeserializeBadEncoding.into()),
    }
}
