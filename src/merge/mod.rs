//! Merges three versions of a YAML file by structure.
//!
//! A pure function of three texts: the same bytes with or without a repository, symmetric in its two sides, and it
//! never guesses. What it returns was read again and compared with what it should mean. Depends on [`yaml`],
//! `context` and `crdt`. `files.rs` merges whole files, `tree.rs` one tree of a file; `identity.rs` and `similar.rs` say
//! which entries are the same one, `crdt::order` where they stand, `text.rs` merges texts, `trivia.rs` comments and
//! spacing; `document.rs` decides what is contested in documents, `rewrite.rs` and `regraft.rs` make edits of what tools
//! wrote anew there,
//! `counting.rs` adds up what both sides added to counters, `markers.rs` writes what is contested elsewhere between git's conflict markers.

mod ancestry;
mod counting;
mod document;
mod files;
mod identity;
mod markers;
mod regraft;
mod rewrite;
mod sides;
mod similar;
mod text;
mod tree;
pub(crate) mod trivia;

use std::borrow::Cow;

use crate::context::{Types, is_marked, marked_like};
use crate::yaml::{self, Document, FileDraft, Limits, Problem, Side};
pub(crate) use sides::Sides;

pub use ancestry::Ancestry;
pub use markers::Labels;
pub use regraft::regraft;

/// How a merge is to be done.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Length of the conflict markers.
    pub marker_size: usize,
    /// What stands behind the conflict markers.
    pub labels: Labels<'a>,
    /// Bounds on the three texts.
    pub limits: Limits,
    /// What stood in the ancestries of both sides, where git merges them and tells. Without it, the merge is a function of
    /// the three texts alone.
    pub ancestry: Option<&'a dyn Ancestry>,
    /// The types of places, where a configuration names some.
    pub types: Option<&'a Types>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options {
            marker_size: 7,
            labels: Labels::default(),
            limits: Limits::default(),
            ancestry: None,
            types: None,
        }
    }
}

/// What a document keeps since a merge for people to look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Values that lost against concurrent ones.
    pub losers: usize,
    /// Records that got another identity, because another one was born under theirs.
    pub renamed: usize,
}

/// A merged file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// How many leaves and entries are contested: each stands in `bytes` between conflict markers.
    pub contested: usize,
    /// What a document keeps since this merge.
    pub kept: Kept,
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
    /// One side emptied the file while the other changed it.
    #[error("one side emptied the file while the other changed it")]
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
    let mut texts = Sides { base, ours, theirs }.map(Cow::Borrowed);
    // With the ancestries, a side that is as the base was may have had what the other has, and given it up again.
    if let Some(merged) = one_changed(&texts)
        && (options.ancestry.is_none() || ours == theirs)
    {
        return Ok(merged);
    }
    let mut versions = Versions::read(&texts, &options.limits)?;
    if take(&mut texts, versions.regrafted()) {
        versions = Versions::read(&texts, &options.limits)?;
    }
    if take(&mut texts, versions.counted(options.types)) {
        versions = Versions::read(&texts, &options.limits)?;
    }
    if let Some(ancestry) = options.ancestry
        && take(&mut texts, versions.without_superseded(ancestry))
    {
        versions = Versions::read(&texts, &options.limits)?;
    }
    match one_changed(&texts) {
        Some(merged) => Ok(merged),
        None => versions.merged(options),
    }
}

/// Both sides as they were changed; whether one was.
fn take(texts: &mut Sides<Cow<'_, [u8]>>, changed: (Option<Vec<u8>>, Option<Vec<u8>>)) -> bool {
    let (ours, theirs) = changed;
    let is_changed = ours.is_some() || theirs.is_some();
    if let Some(ours) = ours {
        texts.ours = Cow::Owned(ours);
    }
    if let Some(theirs) = theirs {
        texts.theirs = Cow::Owned(theirs);
    }
    is_changed
}

/// The merge of versions of which no two differ from the third.
fn one_changed(texts: &Sides<Cow<'_, [u8]>>) -> Option<Merged> {
    let Sides { base, ours, theirs } = texts;
    let bytes = if ours == theirs || base == theirs {
        ours
    } else if base == ours {
        theirs
    } else {
        return None;
    };
    Some(Merged {
        bytes: bytes.to_vec(),
        contested: 0,
        kept: Kept::default(),
    })
}

/// Three versions, read, and what frames each of them.
struct Versions {
    frames: Sides<Frame>,
    documents: Sides<Document>,
}

impl Versions {
    fn read(texts: &Sides<Cow<'_, [u8]>>, limits: &Limits) -> Result<Self, Error> {
        let texts = texts.as_ref().map(Cow::as_ref);
        let frames = texts.map(Frame::of);
        let texts = Sides {
            base: frames.base.strip(Cow::Borrowed(texts.base)),
            ours: frames.ours.strip(Cow::Borrowed(texts.ours)),
            theirs: frames.theirs.strip(Cow::Borrowed(texts.theirs)),
        };
        Ok(Self {
            frames,
            documents: read(&texts, limits)?,
        })
    }

    /// Both sides as edits of the base, where a tool rewrote them or took their marker away, in documents.
    fn regrafted(&self) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        let Sides { base, ours, theirs } = &self.documents;
        let is_document = |document: &Document| document.root().is_some_and(is_marked);
        if !self.documents.iter().any(is_document) {
            return (None, None);
        }
        let restored = |side: &Document, frame: &Frame| match regraft::grafted(base, side) {
            Some(grafted) => Some(self.frames.base.dress(grafted.into_text())),
            None => Some(frame.dress(marked_like(side, base)?.into_text())),
        };
        (
            restored(ours, &self.frames.ours),
            restored(theirs, &self.frames.theirs),
        )
    }

    /// Both sides with the numbers that come of what both of them did, in documents.
    fn counted(&self, types: Option<&Types>) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        let is_document = |document: &Document| document.root().is_some_and(is_marked);
        if !self.documents.iter().any(is_document) {
            return (None, None);
        }
        let types = types.cloned().unwrap_or_default();
        let (ours, theirs) = counting::joined_numbers(&self.documents, &types);
        (
            ours.map(|text| self.frames.ours.dress(text)),
            theirs.map(|text| self.frames.theirs.dress(text)),
        )
    }

    /// Both sides without what the other one superseded.
    fn without_superseded(&self, ancestry: &dyn Ancestry) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        // Deeper documents have no room here; they are merged as the three texts say.
        if self
            .documents
            .iter()
            .any(|document| document.depth() > SHALLOW)
        {
            return (None, None);
        }
        let (ours, theirs) = ancestry::without_superseded(&self.documents, ancestry);
        (
            ours.map(|text| self.frames.ours.dress(text)),
            theirs.map(|text| self.frames.theirs.dress(text)),
        )
    }

    fn merged(self, options: &Options<'_>) -> Result<Merged, Error> {
        let Self { frames, documents } = self;
        let frame = frames.merged();
        let Options { limits, types, .. } = options;
        let written = with_room(&documents, || Written::of(&documents, limits, *types))?;
        let text = match written.theirs {
            None => written.ours,
            Some(theirs) => {
                markers::mark(&written.ours, &theirs, options.marker_size, &options.labels)
            }
        };
        Ok(Merged {
            bytes: frame.dress(text),
            contested: written.contested,
            kept: written.kept,
        })
    }
}

/// Deeper documents than this are merged on a stack of their own.
const SHALLOW: usize = 40;

/// Enough for the deepest document that is read.
const STACK: usize = 64 << 20;

/// Runs a merge, which goes as deep as its documents, where there is room for it.
fn with_room<T: Send>(documents: &Sides<Document>, merge: impl FnOnce() -> T + Send) -> T {
    if documents.iter().all(|document| document.depth() <= SHALLOW) {
        return merge();
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        match thread.spawn_scoped(scope, merge) {
            Ok(merge) => merge
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(error) => std::panic::panic_any(error.to_string()),
        }
    })
}

/// A merge as text: the same for both sides, or once with the values of each.
struct Written {
    ours: String,
    theirs: Option<String>,
    contested: usize,
    kept: Kept,
}

/// Why a draft could not be written down.
enum Unwritten {
    /// It uses an anchor that is not there.
    Torn(String),
    /// It would mean something else, or nothing.
    Unsafe,
}

impl Written {
    fn of(
        documents: &Sides<Document>,
        limits: &Limits,
        types: Option<&Types>,
    ) -> Result<Self, Error> {
        if let Some(ours) = files::comments_alone(documents) {
            return Ok(Written {
                ours,
                theirs: None,
                contested: 0,
                kept: Kept::default(),
            });
        }
        // An anchor that one side took away while the other began to use it shows when the text is read again: then
        // everything that tears the two apart is contested.
        const MOST_TORN: usize = 8;
        let mut torn: Vec<String> = Vec::new();
        loop {
            match Self::with_torn(documents, &torn, limits, types)? {
                Ok(written) => return Ok(written),
                Err(Unwritten::Torn(name)) if torn.len() < MOST_TORN && !torn.contains(&name) => {
                    torn.push(name);
                }
                Err(_) => return Err(Error::Unwritable),
            }
        }
    }

    fn with_torn(
        documents: &Sides<Document>,
        torn: &[String],
        limits: &Limits,
        types: Option<&Types>,
    ) -> Result<Result<Self, Unwritten>, Error> {
        let merge = files::merge(documents, torn, types)?;
        let texts = || {
            let ours = checked(&merge.ours, Side::Ours, limits)?;
            let theirs = match merge.contested {
                0 => None,
                _ => {
                    let theirs = merge.theirs.as_ref().unwrap_or(&merge.ours);
                    Some(checked(theirs, Side::Theirs, limits)?)
                }
            };
            Ok(Written {
                ours,
                theirs,
                contested: merge.contested,
                kept: merge.kept,
            })
        };
        Ok(texts())
    }
}

/// The text of one side of a draft, once it has been read again and found to mean what it should.
fn checked(draft: &FileDraft<'_>, side: Side, limits: &Limits) -> Result<String, Unwritten> {
    let text = draft.emit(side);
    let document = Document::from_text(text, limits).map_err(|error| match error.problem() {
        Problem::DanglingAlias(name) => Unwritten::Torn(name.clone()),
        _ => Unwritten::Unsafe,
    })?;
    if draft.agrees(&document, side) {
        Ok(document.into_text())
    } else {
        Err(Unwritten::Unsafe)
    }
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

/// What frames a file's text: merged on its own, so that two versions with different line ends can be compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Frame {
    pub(crate) bom: bool,
    pub(crate) crlf: bool,
    pub(crate) final_newline: bool,
}

const BOM: &[u8] = "\u{feff}".as_bytes();

impl Frame {
    pub(crate) fn of(bytes: &[u8]) -> Self {
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
    pub(crate) fn strip<'t>(self, bytes: Cow<'t, [u8]>) -> Cow<'t, [u8]> {
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
    pub(crate) fn dress(self, text: String) -> Vec<u8> {
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
