//! Segments: runs of a replica's edits, each in a file of its own.
//!
//! New edits are another segment. When the last ones are of about one size they are written anew as one, so that n edits stand in
//! about log n segments, each edit is written anew about log n times, and who has read a large segment never
//! has to again. (The idea is that of log-structured merge trees, O'Neil and others, 1996.)

use std::fmt;
use std::str::FromStr;

use crate::crdt::Stamp;
use crate::exchange::wire::{self, Assembly, Malformed, Unsendable};
use crate::exchange::{Message, VERSIONS};

/// Segments that are longer, in bytes, are never written anew.
const LONGEST_JOINED: usize = 8 << 20;

/// Which edits a segment has: its file is called after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Segment {
    /// The version of the protocol in which it is written.
    pub version: u16,
    /// The first edit.
    pub first: Stamp,
    /// The last one, which the same replica made.
    pub last: Stamp,
}

impl Segment {
    /// The segment from one edit to another as this program writes it.
    #[must_use]
    pub fn new(first: Stamp, last: Stamp) -> Self {
        let (_, version) = VERSIONS;
        Self {
            version,
            first,
            last,
        }
    }

    /// Whether this program can read it.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        let (oldest, newest) = VERSIONS;
        (oldest..=newest).contains(&self.version)
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            version,
            first,
            last,
        } = self;
        write!(f, "edits-{version}.{first}.{last}")
    }
}

/// A file that is no segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no segment of edits")]
pub struct NoSegment;

impl FromStr for Segment {
    type Err = NoSegment;

    fn from_str(name: &str) -> Result<Self, NoSegment> {
        let parts = name.strip_prefix("edits-").ok_or(NoSegment)?;
        let mut parts = parts.split('.');
        let mut next = || parts.next().ok_or(NoSegment);
        let version = next()?.parse().map_err(|_| NoSegment)?;
        let first: Stamp = next()?.parse().map_err(|_| NoSegment)?;
        let last: Stamp = next()?.parse().map_err(|_| NoSegment)?;
        let is_run = first.replica() == last.replica() && first <= last;
        match is_run && parts.next().is_none() {
            true => Ok(Self {
                version,
                first,
                last,
            }),
            false => Err(NoSegment),
        }
    }
}

/// How many of the last segments, of these sizes from the oldest to the newest, are to be written anew together with one
/// of `new` bytes.
#[must_use]
pub fn to_join(sizes: &[usize], new: usize) -> usize {
    let mut joined = new;
    sizes
        .iter()
        .rev()
        .take_while(|size| {
            let is_joined = **size <= 2 * joined && **size + joined <= LONGEST_JOINED;
            joined += **size;
            is_joined
        })
        .count()
}

/// Messages as the content of a segment: the frames in which they would be said, each after its length.
///
/// # Errors
/// When nobody would take one of them.
pub fn packed(messages: &[Message]) -> Result<Vec<u8>, Unsendable> {
    let mut content = Vec::new();
    for message in messages {
        for payload in wire::encode(message)? {
            let length =
                u32::try_from(payload.len()).map_err(|_| Unsendable::Bytes(payload.len()))?;
            content.extend_from_slice(&length.to_le_bytes());
            content.extend_from_slice(&payload);
        }
    }
    Ok(content)
}

/// What a segment says, message by message; nothing more after the first that is not as it should be.
pub fn unpacked(content: &[u8]) -> impl Iterator<Item = Result<Message, Malformed>> {
    let mut rest = content;
    let mut assembly = Assembly::default();
    let mut next = move || -> Result<Option<Message>, Malformed> {
        while !rest.is_empty() {
            let (length, behind) = rest.split_first_chunk().ok_or(Malformed::Short)?;
            let length = u32::from_le_bytes(*length) as usize;
            let (payload, behind) = behind.split_at_checked(length).ok_or(Malformed::Short)?;
            rest = behind;
            if let Some(message) = assembly.add(payload)? {
                return Ok(Some(message));
            }
        }
        Ok(None)
    };
    let mut is_broken = false;
    std::iter::from_fn(move || {
        if is_broken {
            return None;
        }
        let said = next();
        is_broken = said.is_err();
        said.transpose()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crdt::Replica;
    use crate::exchange::Introduction;

    fn stamp(millis: u64) -> Stamp {
        let time = 1_800_000_000_000 + millis;
        Stamp::from_unix_millis(time, Replica::from_bits(7)).unwrap()
    }

    fn messages() -> Vec<Message> {
        let introduction = |incarnation| Introduction {
            key: [7; 32],
            incarnation,
            replica: Replica::from_bits(incarnation),
        };
        vec![
            Message::Introductions {
                replicas: (0..100).map(introduction).collect(),
                vouchers: Vec::new(),
            },
            Message::Done,
            Message::Pulse(7),
        ]
    }

    #[test]
    fn a_segment_is_named_after_its_edits() {
        let segment = Segment::new(stamp(1), stamp(2));
        assert_eq!(segment.to_string().parse(), Ok(segment));
        assert!(segment.is_readable());
        for other in [
            "peer",
            "edits-",
            "edits-3",
            "edits-3.6gn6h800-000007",
            "edits-3.6gn6h801-000007.6gn6h800-000007",
            "edits-3.6gn6h800-000007.6gn6h801-000008",
            "edits-3.6gn6h800-000007.6gn6h801-000007.x",
            "edits-x.6gn6h800-000007.6gn6h801-000007",
        ] {
            assert_eq!(other.parse::<Segment>(), Err(NoSegment), "{other}");
        }
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        let content = packed(&messages()).unwrap();
        let said: Result<Vec<_>, _> = unpacked(&content).collect();
        assert_eq!(said.unwrap(), messages());
        assert_eq!(unpacked(&[]).count(), 0);
    }

    #[test]
    fn damage_ends_a_segment_and_what_stood_before_it_counts() {
        let content = packed(&messages()).unwrap();
        for end in 1..content.len() {
            let said: Vec<_> = unpacked(&content[..end]).collect();
            let whole = said.iter().filter(|said| said.is_ok()).count();
            assert!(whole <= 3 && said.len() <= whole + 1, "{end}");
        }
        let mut flipped = content.clone();
        for at in 0..content.len() {
            flipped[at] ^= 0xff;
            // Whatever it is taken for: it is no panic, and it ends.
            assert!(unpacked(&flipped).count() <= content.len());
            flipped[at] ^= 0xff;
        }
    }

    #[test]
    fn many_edits_stand_in_few_segments_and_are_seldom_written_anew() {
        let mut sizes: Vec<usize> = Vec::new();
        let mut written = 0;
        for _ in 0..10_000 {
            let joined = sizes.len() - to_join(&sizes, 200);
            let size = sizes.drain(joined..).sum::<usize>() + 200;
            written += size;
            sizes.push(size);
        }
        assert!(sizes.len() <= 14, "{sizes:?}");
        assert!(written <= 200 * 10_000 * 14, "{written}");
    }

    #[test]
    fn what_is_very_long_is_never_written_anew() {
        assert_eq!(to_join(&[LONGEST_JOINED], LONGEST_JOINED), 0);
        assert_eq!(to_join(&[100, 100, 40], 50), 3);
        assert_eq!(to_join(&[1_000, 100, 40], 50), 2);
    }
}
