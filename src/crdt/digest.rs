//! Short digests of values: they tell whether a stamp still belongs to the value beside it.

use std::fmt;
use std::str::FromStr;

use xxhash_rust::xxh3::xxh3_64;

use super::stamp::{NotAStamp, read_base32, write_base32};

/// Characters of a digest: 15 bits. A stamp that stands beside a value it was not made for is taken for fitting once in
/// 32,768 times.
const CHARS: usize = 3;

/// A digest of a value's canonical bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "node", derive(serde::Serialize, serde::Deserialize))]
pub struct Digest(u16);

impl Digest {
    /// The digest of these bytes; the same for whoever computes it (XXH3, as its specification 0.2.0 fixes it).
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self((xxh3_64(bytes) & 0x7fff) as u16)
    }

    /// Its 15 bits.
    #[must_use]
    pub fn bits(self) -> u16 {
        self.0
    }

    /// The digest with these bits; none where there are more than 15.
    #[must_use]
    pub fn from_bits(bits: u16) -> Option<Self> {
        (bits <= 0x7fff).then_some(Self(bits))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_base32(f, self.0.into(), CHARS)
    }
}

impl FromStr for Digest {
    type Err = NotAStamp;

    fn from_str(text: &str) -> Result<Self, NotAStamp> {
        if text.len() != CHARS {
            return Err(NotAStamp);
        }
        let bits = read_base32(text.as_bytes()).ok_or(NotAStamp)?;
        u16::try_from(bits).map(Self).map_err(|_| NotAStamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_fixed_for_all_times() {
        // These stand in files: another function would make every stamp of every file unfitting.
        assert_eq!(Digest::of(b"").to_string(), "562");
        assert_eq!(
            Digest::of(b"\"pending\"").to_string().parse(),
            Ok(Digest::of(b"\"pending\""))
        );
    }
}
