//! Stamps: when and where an edit was made (a hybrid logical clock after Kulkarni et al., "Logical Physical Clocks",
//! 2014, with the logical part folded into the milliseconds).

use std::fmt;
use std::str::FromStr;

/// Crockford's base 32: no letter that is taken for a digit, and in the order of its values.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// What each byte stands for in it; those that are none of its letters for [`NO_DIGIT`]. A large file holds tens of thousands of stamps.
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < ALPHABET.len() {
        digits[ALPHABET[digit] as usize] = digit as u8;
        digit += 1;
    }
    digits
};
const NO_DIGIT: u8 = u8::MAX;

/// Characters of a stamp's time: 40 bits of milliseconds, enough until 2054.
const TIME_CHARS: usize = 8;

/// Characters of a replica's name: 30 bits.
const REPLICA_CHARS: usize = 6;

/// Milliseconds from the Unix epoch to that of stamps, 2020-01-01T00:00:00Z.
const EPOCH_MILLIS: u64 = 1_577_836_800_000;

/// The last time that a stamp can hold.
const LAST_MILLIS: u64 = (1 << (5 * TIME_CHARS)) - 1;

/// The short name of a replica: a fingerprint of a node's key and an incarnation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "node", derive(serde::Serialize, serde::Deserialize))]
pub struct Replica(u32);

impl Replica {
    /// The replica whose fingerprint begins with these bits; all but the last 30 are dropped.
    #[must_use]
    pub fn from_bits(bits: u32) -> Self {
        Self(bits & ((1 << (5 * REPLICA_CHARS)) - 1))
    }

    /// Its 30 bits: the replica is [`from_bits`](Self::from_bits) of them.
    #[must_use]
    pub fn bits(self) -> u32 {
        self.0
    }
}

/// Names an edit: unique, totally ordered by time and then by replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "node", derive(serde::Serialize, serde::Deserialize))]
pub struct Stamp {
    millis: u64,
    replica: Replica,
}

impl Stamp {
    /// Length of a stamp as text.
    pub const CHARS: usize = TIME_CHARS + 1 + REPLICA_CHARS;

    /// Length of a stamp as bytes.
    pub(super) const BYTES: usize = 9;

    /// The stamp of this time, in milliseconds since the Unix epoch, and place; none for times that no stamp can hold.
    #[must_use]
    pub fn from_unix_millis(unix_millis: u64, replica: Replica) -> Option<Self> {
        let millis = unix_millis.checked_sub(EPOCH_MILLIS)?;
        (millis <= LAST_MILLIS).then_some(Self { millis, replica })
    }

    /// The last stamp that a replica could ever make.
    #[must_use]
    pub fn last_of(replica: Replica) -> Self {
        Self {
            millis: LAST_MILLIS,
            replica,
        }
    }

    /// When the edit was made, in milliseconds since the Unix epoch, as far as its author's clock could be trusted.
    #[must_use]
    pub fn unix_millis(self) -> u64 {
        EPOCH_MILLIS + self.millis
    }

    /// The least stamp of a later time than this one, in milliseconds since the Unix epoch; the greatest of all where no stamp can
    /// be that late.
    #[must_use]
    pub fn first_after(unix_millis: u64) -> Self {
        let millis = unix_millis.saturating_sub(EPOCH_MILLIS).saturating_add(1);
        match millis <= LAST_MILLIS {
            true => Self {
                millis,
                replica: Replica(0),
            },
            false => Self {
                millis: LAST_MILLIS,
                replica: Replica::from_bits(u32::MAX),
            },
        }
    }

    /// Where it was made.
    #[must_use]
    pub fn replica(self) -> Replica {
        self.replica
    }

    /// Its 70 bits as bytes: the time, then the replica, the least significant byte of each first.
    pub(super) fn to_bytes(self) -> [u8; Self::BYTES] {
        let [a, b, c, d, e, ..] = self.millis.to_le_bytes();
        let [w, x, y, z] = self.replica.0.to_le_bytes();
        [a, b, c, d, e, w, x, y, z]
    }

    /// The stamp of these bytes.
    pub(super) fn from_bytes([a, b, c, d, e, w, x, y, z]: [u8; Self::BYTES]) -> Self {
        Self {
            millis: u64::from_le_bytes([a, b, c, d, e, 0, 0, 0]),
            replica: Replica::from_bits(u32::from_le_bytes([w, x, y, z])),
        }
    }

    /// The same replica's stamp of another time that a stamp can hold.
    pub(super) fn at(self, unix_millis: u64) -> Self {
        Self {
            millis: unix_millis.saturating_sub(EPOCH_MILLIS).min(LAST_MILLIS),
            ..self
        }
    }

    /// Its time as it is written.
    pub(super) fn time(self) -> impl fmt::Display {
        struct Time(u64);
        impl fmt::Display for Time {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_base32(f, self.0, TIME_CHARS)
            }
        }
        Time(self.millis)
    }

    /// The stamp of a replica with this time, as [`time`](Self::time) writes it.
    pub(super) fn at_time(time: &str, replica: Replica) -> Result<Self, NotAStamp> {
        if time.len() != TIME_CHARS {
            return Err(NotAStamp);
        }
        let millis = read_base32(time.as_bytes()).ok_or(NotAStamp)?;
        Ok(Self { millis, replica })
    }
}

/// The clock has run past the last time that a stamp can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the clock is past the last time that a stamp can hold (in the year 2054): set it right")]
pub struct ClockExhausted;

/// Makes a replica's stamps, each greater than the one before it whatever the wall clock does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    replica: Replica,
    last: Option<Stamp>,
    is_apart: bool,
}

/// How far the stamps of one deed lie apart at most that follow each other, in milliseconds: of one command's edits, or of those that
/// one save made. Those of two deeds lie further apart.
pub const WITHIN_A_DEED: u64 = 4;

impl Clock {
    /// The clock of `replica`, whose last stamp was `last`.
    #[must_use]
    pub fn new(replica: Replica, last: Option<Stamp>) -> Self {
        Self {
            replica,
            last,
            is_apart: false,
        }
    }

    /// Its last stamp. Whoever keeps the clock must store it before a new stamp is shown to anybody.
    #[must_use]
    pub fn last(self) -> Option<Stamp> {
        self.last
    }

    /// Begins another deed: the next stamp tells that it is none of what was done before.
    pub fn begin_deed(&mut self) {
        self.is_apart = true;
    }

    /// A new stamp: the time now, or one tick behind the last stamp where the wall clock stood still or went back.
    ///
    /// # Errors
    /// When that time cannot be written down.
    pub fn tick(&mut self, unix_millis: u64) -> Result<Stamp, ClockExhausted> {
        let now = unix_millis.saturating_sub(EPOCH_MILLIS);
        let apart = if self.is_apart { WITHIN_A_DEED } else { 0 };
        let next = self.last.map_or(0, |last| last.millis + 1 + apart);
        let millis = now.max(next);
        if millis > LAST_MILLIS {
            return Err(ClockExhausted);
        }
        let stamp = Stamp {
            millis,
            replica: self.replica,
        };
        self.last = Some(stamp);
        self.is_apart = false;
        Ok(stamp)
    }
}

/// A text that is no stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stamp reads like 4k2m9xa7-7f3kqd")]
pub struct NotAStamp;

pub(super) fn write_base32(f: &mut fmt::Formatter<'_>, bits: u64, chars: usize) -> fmt::Result {
    for index in (0..chars).rev() {
        let digit = (bits >> (5 * index)) & 31;
        write!(f, "{}", char::from(ALPHABET[digit as usize]))?;
    }
    Ok(())
}

pub(super) fn read_base32(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0u64, |bits, byte| {
        let digit = DIGITS[usize::from(*byte)];
        (digit != NO_DIGIT).then_some((bits << 5) | u64::from(digit))
    })
}

impl fmt::Display for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_base32(f, self.0.into(), REPLICA_CHARS)
    }
}

impl FromStr for Replica {
    type Err = NotAStamp;

    fn from_str(text: &str) -> Result<Self, NotAStamp> {
        if text.len() != REPLICA_CHARS {
            return Err(NotAStamp);
        }
        let bits = read_base32(text.as_bytes()).ok_or(NotAStamp)?;
        u32::try_from(bits).map(Self).map_err(|_| NotAStamp)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.time(), self.replica)
    }
}

impl FromStr for Stamp {
    type Err = NotAStamp;

    fn from_str(text: &str) -> Result<Self, NotAStamp> {
        let (time, replica) = text.split_once('-').ok_or(NotAStamp)?;
        Self::at_time(time, replica.parse()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_stamp_reads_back_and_sorts_as_text(a in 0..=LAST_MILLIS, b in 0..=LAST_MILLIS, x: u32, y: u32) {
            let stamp = |millis, bits| Stamp { millis, replica: Replica::from_bits(bits) };
            let (a, b) = (stamp(a, x), stamp(b, y));
            prop_assert_eq!(a.to_string().parse(), Ok(a));
            prop_assert_eq!(a.to_string().len(), Stamp::CHARS);
            prop_assert_eq!(Stamp::from_bytes(a.to_bytes()), a);
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }

        #[test]
        fn a_clock_never_repeats_a_stamp(times in proptest::collection::vec(any::<u32>(), 1..50)) {
            let mut clock = Clock::new(Replica::from_bits(7), None);
            let mut last = None;
            for time in times {
                let stamp = clock.tick(EPOCH_MILLIS + u64::from(time)).unwrap();
                prop_assert!(Some(stamp) > last);
                prop_assert!(stamp.unix_millis() >= EPOCH_MILLIS + u64::from(time));
                last = Some(stamp);
            }
        }
    }

    #[test]
    fn what_is_no_stamp_is_refused() {
        for text in [
            "",
            "4k2m9xa7",
            "4k2m9xa7-7f3kq",
            "4k2m9xa7-7f3kqdd",
            "4K2M9XA7-7F3KQD",
            "4k2m9xai-7f3kqd",
            "4k2m9xa-77f3kqd",
        ] {
            assert_eq!(text.parse::<Stamp>(), Err(NotAStamp), "{text}");
        }
    }

    #[test]
    fn a_clock_set_past_the_end_of_time_is_an_error() {
        let mut clock = Clock::new(Replica::from_bits(1), None);
        assert_eq!(clock.tick(u64::MAX), Err(ClockExhausted));
        assert!(clock.tick(EPOCH_MILLIS).is_ok());
    }
}
