//! Tells what a tool wrote from what a person wrote.
//!
//! Tools that read a file into structures write all of it anew: values survive, comments, blank lines and everybody's way
//! of writing do not. None of that is anybody's wish. A person who deletes comments, however many, leaves everything else
//! as it was. So a version is a *rewrite* of its base if it has the form in which tools write throughout (no comment, no
//! blank line, nothing in brackets, one indentation, no quotes that are not needed), and if that cannot have come from
//! deleting comments and blank lines: the base was written in another form, or the document's marker, which every
//! person leaves at the top and which structures know only as a key among others, is gone from there.

use crate::context::{self, ANNOTATION_KEY};
use crate::yaml::{Document, Kind, NodeRef, PartDraft, Style};

/// Whether `side` is what a tool wrote that had read `base`. Asked again of what `side` gives with the formatting of `base`,
/// it tells whether anything that is left was written in another form, or nothing but what was deleted.
pub(super) fn is_rewrite(base: &Document, side: &Document) -> bool {
    let (Some(before), Some(after)) = (base.root(), side.root()) else {
        return false;
    };
    if before.kind() != Kind::Mapping || after.kind() != Kind::Mapping {
        return false;
    }
    let Some(form) = Form::of(side, Remarks::Forbidden) else {
        return false;
    };
    let moved = starts_with_marker(before) && !starts_with_marker(after);
    (moved || !Form::of(base, Remarks::Ignored).is_some_and(|old| old.agrees(form)))
        // Somebody asked for that.
        && context::strip(base).as_deref() != Some(side.text())
}

fn starts_with_marker(root: NodeRef<'_>) -> bool {
    let first = root.entries().next().and_then(|entry| entry.key());
    first.is_some_and(|key| key.text() == ANNOTATION_KEY) && context::is_marked(root)
}

/// What comments and blank lines mean for the form of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Remarks {
    /// A tool would not have written them.
    Forbidden,
    /// The file is taken as if they were not there.
    Ignored,
}

/// How a tool indents: the columns between a mapping and the mappings and lists in it, as far as the file has any.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Form {
    mapping: Option<i32>,
    sequence: Option<i32>,
}

impl Form {
    /// The form of a file that a tool may have written; nothing for any other file.
    fn of(document: &Document, remarks: Remarks) -> Option<Self> {
        let [part] = document.parts() else {
            return None;
        };
        let draft = PartDraft::of(document, part);
        let alone = matches!(draft.head.as_ref(), "" | "---\n") && draft.rest.is_empty();
        if remarks == Remarks::Forbidden && !alone {
            return None;
        }
        let mut reader = Reader {
            form: Form::default(),
            remarks,
        };
        reader.node(document.node(part.root)).then_some(reader.form)
    }

    /// Whether one tool may have written files of both forms.
    fn agrees(self, other: Self) -> bool {
        let agree = |a: Option<i32>, b: Option<i32>| a.is_none() || b.is_none() || a == b;
        agree(self.mapping, other.mapping) && agree(self.sequence, other.sequence)
    }
}

struct Reader {
    form: Form,
    remarks: Remarks,
}

impl Reader {
    /// Whether a node has the form that all nodes before it have.
    fn node(&mut self, node: NodeRef<'_>) -> bool {
        let raw = node.raw();
        let in_one_line = || !raw.contains('\n');
        if node.anchor().is_some() {
            return false;
        }
        match node.kind() {
            Kind::Alias | Kind::Scalar(Style::Empty | Style::Folded) => false,
            Kind::Scalar(Style::Literal) => self.is_bare(raw.lines().next().unwrap_or_default()),
            Kind::Scalar(Style::Plain | Style::Single) => in_one_line(),
            // Quotes of this kind are written for what cannot be said without a backslash.
            Kind::Scalar(Style::Double) => in_one_line() && raw.contains('\\'),
            Kind::Mapping | Kind::Sequence if node.data().flow => node.is_empty() && raw.len() == 2,
            Kind::Mapping | Kind::Sequence => node.is_structured() && self.entries(node),
        }
    }

    fn entries(&mut self, node: NodeRef<'_>) -> bool {
        self.has_no_remarks(node.foot())
            && node.entries().all(|entry| {
                let value = entry.value();
                let is_below = value.is_block_collection() && entry.key().is_some();
                let sep = if is_below { "\n" } else { " " };
                let spaced = if is_below {
                    self.without_remarks(entry.sep()).trim_start_matches(' ') == sep
                } else {
                    entry.sep() == sep
                };
                spaced
                    && self.has_no_remarks(entry.lead())
                    && self.has_no_remarks(entry.tail().strip_prefix('\n').unwrap_or(entry.tail()))
                    && (!is_below || self.is_indented_likewise(value))
                    && self.node(value)
            })
    }

    /// Whether a collection below its key stands as deep as those before it.
    fn is_indented_likewise(&mut self, value: NodeRef<'_>) -> bool {
        let data = value.data();
        let offset = data.column as i32 - data.parent_column;
        let known = match value.kind() {
            Kind::Sequence => &mut self.form.sequence,
            _ => &mut self.form.mapping,
        };
        *known.get_or_insert(offset) == offset
    }

    /// Whether a text of blanks and comments is one that a tool may have left.
    fn has_no_remarks(&self, text: &str) -> bool {
        text.is_empty() || self.remarks == Remarks::Ignored
    }

    fn is_bare(&self, header: &str) -> bool {
        self.remarks == Remarks::Ignored || !header.contains('#')
    }

    /// A separator without the comment in it, where comments do not count.
    fn without_remarks<'t>(&self, sep: &'t str) -> &'t str {
        match sep.find('\n') {
            Some(at) if self.remarks == Remarks::Ignored => &sep[at..=at],
            _ => sep,
        }
    }
}
