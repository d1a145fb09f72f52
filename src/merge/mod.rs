//! Merges three versions of a YAML file by structure.
//!
//! A pure function of three texts: the same bytes with or without a repository, symmetric in its two sides, and it
//! never guesses. What it returns was read again and compared with what it should mean. Depends on [`yaml`](crate::yaml)
//! only. `tree.rs` is the merge; `identity.rs` and `similar.rs` say which entries are the same one, `order.rs` where
//! they stand, `text.rs` merges texts, `trivia.rs` comments and spacing; `lines.rs`, `runs.rs` and `diff.rs` compare
//! sequences; `markers.rs` writes what is contested between git's conflict markers.

pub(crate) mod diff;
mod identity;
mod lines;
mod markers;
mod order;
mod runs;
mod sides;
mod similar;
mod text;
mod tree;
mod trivia;

use std::borrow::Cow;

use crate::yaml::{self, Document, FileDraft, Limits, PartDraft, Piece, Side};
use sides::Sides;
use tree::{Merger, Outcome};

pub use markers::Labels;

/// How a merge is to be done.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Length of the conflict markers.
    pub marker_size: usize,
    /// What stands behind the conflict markers.
    pub labels: Labels<'a>,
    /// Bounds on the three texts.
    pub limits: Limits,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options {
            marker_size: 7,
            labels: Labels::default(),
            limits: Limits::default(),
        }
    }
}

/// A merged file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// How many leaves and entries are contested: each stands in `bytes` between conflict markers.
    pub contested: usize,
}

/// Which of the three versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The common ancestor.
    Base,
    /// The version called ours.
    Ours,
    /// The version called theirs.
    Theirs,
}

/// Why three texts cannot be merged by structure; they can still be merged as lines of text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A version that cannot be read.
    #[error("{1}")]
    Unreadable(Version, #[source] yaml::Error),
    /// The versions hold different numbers of YAML documents.
    #[error("the versions hold different numbers of YAML documents")]
    Documents,
    /// The merged text would not read back as what was merged.
    #[error("the merge has a form that cannot be written down safely")]
    Unwritable,
}

/// Merges `ours` and `theirs`, which both come from `base`.
///
/// # Errors
/// If a version is no YAML, or the result cannot be represented. Nothing is known of the merge then.
pub fn merge(
    base: &[u8],
    ours: &[u8],
    theirs: &[u8],
    options: &Options<'_>,
) -> Result<Merged, Error> {
    let whole = |bytes: &[u8]| {
        Ok(Merged {
            bytes: bytes.to_vec(),
            contested: 0,
        })
    };
    if ours == theirs || base == theirs {
        return whole(ours);
    }
    if base == ours {
        return whole(theirs);
    }
    let frames = Sides { base, ours, theirs }.map(Frame::of);
    let frame = frames.merged();
    let texts = Sides { base, ours, theirs }.map(Cow::Borrowed);
    let texts = Sides {
        base: frames.base.strip(texts.base),
        ours: frames.ours.strip(texts.ours),
        theirs: frames.theirs.strip(texts.theirs),
    };
    let documents = read(&texts, &options.limits)?;
    let (draft, contested) = merged(&documents)?;
    let ours = checked(&draft, Side::Ours, &options.limits)?;
    if contested == 0 {
        return Ok(Merged {
            bytes: frame.dress(ours),
            contested,
        });
    }
    let theirs = checked(&draft, Side::Theirs, &options.limits)?;
    let marked = markers::mark(&ours, &theirs, options.marker_size, &options.labels);
    Ok(Merged {
        bytes: frame.dress(marked),
        contested,
    })
}

/// Files of this size and more are read side by side.
const WORTH_A_THREAD: usize = 256 << 10;

fn read(texts: &Sides<Cow<'_, [u8]>>, limits: &Limits) -> Result<Sides<Document>, Error> {
    let document = |bytes: &[u8], version| {
        Document::read(bytes, limits).map_err(|error| Error::Unreadable(version, error))
    };
    if texts.ours.len() < WORTH_A_THREAD {
        return Ok(Sides {
            ours: document(&texts.ours, Version::Ours)?,
            theirs: document(&texts.theirs, Version::Theirs)?,
            base: document(&texts.base, Version::Base)?,
        });
    }
    std::thread::scope(|scope| {
        let base = scope.spawn(|| document(&texts.base, Version::Base));
        let theirs = scope.spawn(|| document(&texts.theirs, Version::Theirs));
        let ours = document(&texts.ours, Version::Ours);
        // A thread that panicked passes its panic on.
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        let (base, theirs) = (join(base), join(theirs));
        Ok(Sides {
            ours: ours?,
            theirs: theirs?,
            base: base?,
        })
    })
}

fn merged(documents: &Sides<Document>) -> Result<(FileDraft<'_>, usize), Error> {
    let Sides { base, ours, theirs } = documents;
    let count = ours.parts().len();
    if theirs.parts().len() != count || base.parts().len() != count || count == 0 {
        return Err(Error::Documents);
    }
    let mut merger = Merger::default();
    let parts = base.parts().iter().zip(ours.parts()).zip(theirs.parts());
    let parts = parts.map(|((b, o), t)| {
        let drafts = Sides {
            base: PartDraft::of(base, b),
            ours: PartDraft::of(ours, o),
            theirs: PartDraft::of(theirs, t),
        };
        let root = match merger.node(
            Some(base.node(b.root)),
            ours.node(o.root),
            theirs.node(t.root),
        ) {
            Outcome::Clean(root) => root,
            // A root that is contested as a whole is left to a merge of lines.
            Outcome::Contested(..) => return Err(Error::Unwritable),
        };
        Ok(PartDraft {
            head: around(drafts.as_ref().map(|part| part.head.as_ref())),
            beside: trivia::beside(drafts.as_ref().map(|part| Some(part.beside.clone()))),
            rest: around(drafts.as_ref().map(|part| part.rest.as_ref())),
            root,
        })
    });
    let parts: Vec<PartDraft<'_>> = parts.collect::<Result<_, Error>>()?;
    let draft = FileDraft {
        parts,
        newline: yaml::newline_of(ours.text()),
        final_newline: true,
    };
    Ok((draft, merger.contested))
}

/// Merges what stands before or behind a root.
fn around<'d>(versions: Sides<&str>) -> Cow<'d, str> {
    if versions
        .iter()
        .all(|text| text.is_empty() || text.ends_with('\n'))
    {
        let lines = trivia::lines(versions.map(|text| Some(Piece::new(text, 0))));
        return Cow::Owned(lines.text.into_owned());
    }
    Cow::Owned(
        trivia::pick(versions.map(Some))
            .unwrap_or_default()
            .to_owned(),
    )
}

/// The text of one side of a draft, once it has been read again and found to mean what it should.
fn checked(draft: &FileDraft<'_>, side: Side, limits: &Limits) -> Result<String, Error> {
    let text = draft.emit(side);
    let document = Document::from_text(text, limits).map_err(|_| Error::Unwritable)?;
    if draft.agrees(&document, side) {
        Ok(document.into_text())
    } else {
        Err(Error::Unwritable)
    }
}

/// What frames a file's text: merged on its own, so that two versions with different line ends can be compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Frame {
    bom: bool,
    crlf: bool,
    final_newline: bool,
}

const BOM: &[u8] = "\u{feff}".as_bytes();

impl Frame {
    fn of(bytes: &[u8]) -> Self {
        let breaks = bytes.iter().filter(|&&byte| byte == b'\n').count();
        let pairs = bytes.windows(2).filter(|pair| pair == b"\r\n").count();
        Frame {
            bom: bytes.starts_with(BOM),
            // A file with both kinds of line ends keeps them as they are.
            crlf: breaks > 0 && breaks == pairs,
            final_newline: bytes.ends_with(b"\n") || bytes.is_empty(),
        }
    }

    /// The text without its frame: no byte order mark, `\n` only, and one at the end.
    fn strip<'t>(self, bytes: Cow<'t, [u8]>) -> Cow<'t, [u8]> {
        let bytes = match bytes {
            Cow::Borrowed(bytes) if self.bom => Cow::Borrowed(&bytes[BOM.len()..]),
            other => other,
        };
        if !self.crlf && self.final_newline {
            return bytes;
        }
        let mut out = Vec::with_capacity(bytes.len() + 1);
        let mut rest = bytes.iter().copied().peekable();
        while let Some(byte) = rest.next() {
            if !(self.crlf && byte == b'\r' && rest.peek() == Some(&b'\n')) {
                out.push(byte);
            }
        }
        if !self.final_newline {
            out.push(b'\n');
        }
        Cow::Owned(out)
    }

    /// The text in this frame.
    fn dress(self, text: String) -> Vec<u8> {
        let text = if self.final_newline {
            text.as_str()
        } else {
            text.strip_suffix('\n').unwrap_or(&text)
        };
        let mut out = Vec::with_capacity(text.len() + 3);
        if self.bom {
            out.extend_from_slice(BOM);
        }
        if self.crlf {
            out.extend_from_slice(text.replace('\n', "\r\n").as_bytes());
        } else {
            out.extend_from_slice(text.as_bytes());
        }
        out
    }
}

impl Sides<Frame> {
    fn merged(self) -> Frame {
        let pick = |of: fn(Frame) -> bool| {
            trivia::pick(self.map(|frame| Some(of(frame)))).unwrap_or_default()
        };
        Frame {
            bom: pick(|frame| frame.bom),
            crlf: pick(|frame| frame.crlf),
            final_newline: pick(|frame| frame.final_newline),
        }
    }
}
