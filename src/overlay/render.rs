//! The text of a document that shows a view: the smallest change of the text that its edits were made on.
//!
//! A function of that text and of the view alone, so that all who know the same edits hold the same bytes. What the view
//! did not change keeps its bytes. What an edit changed stands as its author wrote it, as long as nobody else changed it
//! too: edits bring their *forms* along ([`forms`]), and those of comments are merged line by line. What is written by
//! nobody, as the text that two people's lines were merged to, is written in the manner of what stood there.
//!
//! `drafting.rs` puts values, records and their order into the text, `dressing.rs` forms; `sources.rs` reads what authors
//! wrote, `parts.rs` knows the parts of a form, `values.rs` writes
//! what nobody wrote, `extracting.rs` finds the forms of an edit, `gate.rs` reads again what was written. What the text is to say of the edits comes last.

mod drafting;
mod dressing;
mod extracting;
mod gate;
mod parts;
mod sources;
mod values;

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use drafting::Drafting;
use dressing::Dressing;
use sources::Sources;

pub use extracting::forms;

use crate::context::{lift, told};
use crate::crdt::{self, Formed, Node, Part, Path, Record, Step, born_as};
use crate::merge::Frame;
use crate::yaml::{self, Document, EntryRef, FileDraft, Limits, Manner, Side};

/// How places are written.
type Forms = BTreeMap<Path, Vec<Formed>>;

/// Why no text could be made that shows a view. Nothing is to be written then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unrendered {
    /// What was written cannot be read.
    #[error("what the edits make of the file could not be read again: {0}")]
    Unreadable(#[source] yaml::Error),
    /// What was written holds something else than the view.
    #[error("the form of the file does not allow what its edits make of it, first at {at}")]
    Differs {
        /// Where.
        at: Path,
    },
}

/// The text that shows `view`, which holds `base` and the edits that were made on it. `text` holds `base`: it is what
/// [`lift`] made `base` of.
///
/// What comes back reads as the view does: what stands in it is compared before it is handed out.
///
/// # Errors
/// When the view cannot be written down in the form that the file has.
pub fn render(
    text: &Document,
    base: &crdt::Document,
    view: &crdt::Document,
) -> Result<String, Unrendered> {
    if base == view {
        return Ok(text.text().to_owned());
    }
    let read = |text: String| {
        Document::from_text(text, &Limits::default()).map_err(Unrendered::Unreadable)
    };
    let frame = Frame::of(text.text().as_bytes());
    let dressing = Dressing::new(&view.forms);
    let framed = dressing.frame(frame);
    let bare = frame.strip(Cow::Borrowed(text.text().as_bytes()));
    let text = match bare == text.text().as_bytes() {
        true => Cow::Borrowed(text),
        false => {
            Cow::Owned(Document::read(&bare, &Limits::default()).map_err(Unrendered::Unreadable)?)
        }
    };
    let rewritten = dressing.part(&Path::default(), Part::Whole, || text.text().to_owned());
    let (written, is_finished) = match rewritten {
        Some(rewritten) => {
            let rewritten = read(rewritten)?;
            written(&rewritten, &lift(&rewritten), view, &view.forms, false)
        }
        None => written(&text, base, view, &view.forms, false),
    };
    let mut written = read(written)?;
    if !is_finished {
        let values = values_of(&view.forms);
        let (merged, _) = self::written(&written, view, view, &values, true);
        written = read(merged)?;
    }
    let written = match told(&written, &text, base, view) {
        Some(told) => read(told)?,
        None => written,
    };
    let before = gate::Held {
        text: &text,
        document: base,
    };
    if let Some(at) = gate::difference(&written, view, before) {
        return Err(Unrendered::Differs { at });
    }
    let written = framed.dress(written.into_text());
    String::from_utf8(written).map_err(|_| Unrendered::Differs {
        at: Path::default(),
    })
}

/// The forms of values alone.
fn values_of(forms: &Forms) -> Forms {
    let mut values = forms.clone();
    for formed in values.values_mut() {
        formed.retain(|formed| formed.form.part == Part::Value);
    }
    values.retain(|_, formed| !formed.is_empty());
    values
}

/// The text with the values and the records of the view, unless these stand already, and with `forms`; and whether no value is written otherwise than
/// somebody wrote it.
fn written(
    text: &Document,
    base: &crdt::Document,
    view: &crdt::Document,
    forms: &Forms,
    values_stand: bool,
) -> (String, bool) {
    let sources = Sources::of(forms, |at| find(text, base, at));
    let drafting = Drafting {
        manner: Manner::of(text),
        dressing: Dressing::new(forms),
        sources: &sources,
        values_stand,
        is_unfinished: Cell::new(false),
        waiting: RefCell::default(),
    };
    let mut file = FileDraft::of(text);
    if let [part] = file.parts.as_mut_slice() {
        drafting.root(part, text.root(), base, view);
    }
    (file.emit(Side::Ours), !drafting.is_unfinished.get())
}

/// What stands at a place of a text that holds `base`.
pub(super) fn find<'d>(
    text: &'d Document,
    base: &crdt::Document,
    at: &Path,
) -> Option<EntryRef<'d>> {
    let mut node = text.root()?;
    let mut found = None;
    let mut map = Some(&base.root);
    let mut records = None;
    for step in at.steps() {
        let (entry, held) = match step {
            Step::Entry(name) => (node.get(name)?, map.and_then(|map| map.get(name))),
            Step::Record(name, birth) => {
                let known: &[Record] = records?;
                let is_it = |record: &Record| {
                    record.birth.digest == *birth && born_as(&record.name, *birth) == name.said()
                };
                let index = known.iter().position(is_it)?;
                map = known.get(index).map(|record| &record.fields);
                let entry = node.entries().nth(index)?;
                (node, found) = (entry.value(), Some(entry));
                continue;
            }
        };
        (map, records) = match held {
            Some(Node::Map(map)) => (Some(map), None),
            Some(Node::Set(known)) => (None, Some(known.as_slice())),
            _ => (None, None),
        };
        (node, found) = (entry.value(), Some(entry));
    }
    found
}
