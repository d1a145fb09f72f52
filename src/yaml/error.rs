//! What can be wrong with a text that should be YAML, and where.

use std::fmt;

/// Bounds on what [`Document::read`](super::Document::read) accepts, so that hostile input costs little.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest text, in bytes. Never more than `u32::MAX`, whatever is asked for.
    pub max_bytes: usize,
    /// Deepest nesting of collections.
    pub max_depth: usize,
    /// Most nodes that the text may stand for once every alias is replaced by what it names.
    pub max_expanded: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            // Memory for one whose every record changed is some 140 times as much.
            max_bytes: 32 << 20,
            max_depth: 200,
            max_expanded: 50_000_000,
        }
    }
}

impl Limits {
    /// Whether a text may be so long.
    ///
    /// # Errors
    /// When it is too long.
    pub fn allow(&self, bytes: u64) -> Result<(), Error> {
        let limit = self.max_bytes.min(u32::MAX as usize - 1);
        match bytes <= limit as u64 {
            true => Ok(()),
            false => Err(Error::at(Problem::TooLarge(limit), &[], 0)),
        }
    }
}

/// Why a text was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A byte that UTF-8 does not allow.
    #[error("this is not UTF-8 text")]
    NotUtf8,
    /// A control character that YAML does not allow (YAML 1.2, section 5.1).
    #[error("control character U+{0:04X} is not allowed in YAML")]
    ControlCharacter(u32),
    /// Longer than [`Limits::max_bytes`].
    #[error(
        "the file has more than {0} bytes, the most that is read as one document: split it into several"
    )]
    TooLarge(usize),
    /// Nested deeper than [`Limits::max_depth`].
    #[error("collections are nested deeper than the limit of {0} levels")]
    TooDeep(usize),
    /// Aliases that would expand to more than [`Limits::max_expanded`] nodes.
    #[error("aliases expand to more than the limit of {0} nodes")]
    AliasBomb(u64),
    /// Git conflict markers: the file waits for its merge to be finished.
    #[error("git conflict marker: settle the conflict first")]
    ConflictMarker,
    /// A tab where only spaces may indent.
    #[error("a tab cannot indent YAML: use spaces")]
    Tab,
    /// An entry that stands in no column where its collection, or one around it, has entries.
    #[error("wrong indentation: {0}")]
    Indentation(&'static str),
    /// The same key twice in one mapping.
    #[error("key `{key}` stands twice in one mapping (first in line {first_line})")]
    DuplicateKey {
        /// The key as written.
        key: String,
        /// Line of its first occurrence, 1-based.
        first_line: usize,
    },
    /// An alias for which no anchor stands before it.
    #[error("alias `*{0}` names no anchor above it")]
    DanglingAlias(String),
    /// A tag shorthand whose handle no `%TAG` directive declares.
    #[error("tag handle `{0}` is not declared by a %TAG directive")]
    UnknownTagHandle(String),
    /// The text ends inside something.
    #[error("{0} is never closed")]
    Unclosed(&'static str),
    /// Anything else that the grammar does not allow here.
    #[error("{0}")]
    Syntax(&'static str),
}

/// A refused text: what is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    problem: Problem,
    offset: usize,
    line: usize,
    column: usize,
}

impl Error {
    /// The error at byte `offset` of `bytes`; line and column are counted here, once, as errors are rare.
    pub(crate) fn at(problem: Problem, bytes: &[u8], offset: usize) -> Self {
        let offset = offset.min(bytes.len());
        let before = bytes.get(..offset).unwrap_or_default();
        let (line, start) = line_of(before);
        let column = String::from_utf8_lossy(before.get(start..).unwrap_or_default())
            .chars()
            .count()
            + 1;
        Error {
            problem,
            offset,
            line,
            column,
        }
    }

    /// What is wrong.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// Byte offset of the place.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Line of the place, 1-based.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Column of the place in characters, 1-based.
    pub fn column(&self) -> usize {
        self.column
    }
}

impl fmt::Display for Error {
    /// `line:column: what is wrong`; whoever knows the file's name puts it before.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.problem)
    }
}

impl std::error::Error for Error {}

/// The 1-based number of the line that `before` ends in, and the offset of that line's first byte.
pub(crate) fn line_of(before: &[u8]) -> (usize, usize) {
    let mut line = 1;
    let mut start = 0;
    let mut at = 0;
    while let Some(&byte) = before.get(at) {
        at += 1;
        if byte == b'\n' || (byte == b'\r' && before.get(at) != Some(&b'\n')) {
            line += 1;
            start = at;
        }
    }
    (line, start)
}
