//! Numbers, texts and runs of bytes, one behind the other.

/// Bytes that are read from the front.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(self) -> usize {
        self.0.len()
    }

    pub(super) fn rest(self) -> &'b [u8] {
        self.0
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<&'b [u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(first)
    }

    /// A number in groups of seven bits, the least significant first.
    pub(super) fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// A run of bytes behind its length.
    pub(super) fn run(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.varint()?).ok()?;
        let (run, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(run)
    }

    pub(super) fn text(&mut self) -> Option<&'b str> {
        std::str::from_utf8(self.run()?).ok()
    }
}

/// Appends a number.
pub(super) fn put_varint(to: &mut Vec<u8>, number: usize) {
    let mut rest = number;
    while rest >= 0x80 {
        to.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    to.push(rest as u8);
}

/// Appends a run of bytes behind its length.
pub(super) fn put_run(to: &mut Vec<u8>, run: &[u8]) {
    put_varint(to, run.len());
    to.extend_from_slice(run);
}

pub(super) fn put_text(to: &mut Vec<u8>, text: &str) {
    put_run(to, text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_runs_of_any_length_come_back() {
        for length in [0, 1, 0x7f, 0x80, 0x81, 0x3fff, 0x4000, 0x12345] {
            let run = vec![7; length];
            let mut bytes = Vec::new();
            put_varint(&mut bytes, length);
            put_run(&mut bytes, &run);
            let mut from = Bytes::new(&bytes);
            assert_eq!(from.varint(), Some(length as u64));
            assert_eq!(from.run(), Some(&run[..]));
            assert!(from.is_empty(), "{length}");
        }
        assert_eq!(Bytes::new(&[0x80]).varint(), None, "cut off");
        assert_eq!(Bytes::new(&[2, 7]).run(), None, "cut off");
    }
}
