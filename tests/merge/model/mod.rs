//! Documents like people's and edits like people's, made up from a tape of bytes: a shorter tape of smaller bytes gives
//! a smaller document, so whoever shrinks tapes shrinks documents. Nothing here knows how merging works.
//!
//! Every word that a document holds is unique (`q17z`), so what became of it can be seen in any text. `tree.rs` is the
//! document, `render.rs` writes it, `generate.rs` makes it up, `edit.rs` changes it.

pub(crate) mod edit;
pub(crate) mod generate;
pub(crate) mod render;
pub(crate) mod tree;

/// Bytes that decide; at the end of the tape everything is 0.
pub(crate) struct Tape<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl<'t> Tape<'t> {
    pub(crate) fn new(bytes: &'t [u8]) -> Self {
        Tape { bytes, at: 0 }
    }

    /// A number below `count`.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(byte) % count.max(1)
    }

    /// True one time in `count`; false at the end of the tape.
    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == count - 1
    }
}

/// Hands out words that occur once.
#[derive(Clone)]
pub(crate) struct Words {
    next: usize,
}

impl Words {
    /// Two dispensers that begin far enough apart never give the same word.
    pub(crate) fn from(next: usize) -> Self {
        Words { next }
    }

    pub(crate) fn word(&mut self) -> String {
        self.next += 1;
        format!("q{}z", self.next)
    }

    pub(crate) fn number(&mut self) -> usize {
        self.next += 1;
        self.next
    }
}

/// The words of a text, in order.
pub(crate) fn words(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('q') {
        let digits = text[at + 1..]
            .bytes()
            .take_while(u8::is_ascii_digit)
            .count();
        if digits > 0 && text[at + 1 + digits..].starts_with('z') {
            found.push(&text[at..at + digits + 2]);
        }
    }
    found
}
