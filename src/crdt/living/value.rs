//! Values as rows hold them: borrowed, each as short as it can be spelled.

use crate::crdt::document::Atom;
use crate::crdt::{Digest, Rules};

use super::bytes::{Bytes, put_text};

// The kinds of what stands in a field, in the lowest bits of its flags; those of values stand before members of lists and names, too.
pub(super) const KIND: u8 = 0b11;
pub(super) const PLAIN: u8 = 0;
pub(super) const TEXT: u8 = 1;
pub(super) const SPELLED: u8 = 2;
pub(super) const LIST: u8 = 3;

/// A value that is written as a whole, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'v> {
    /// Any value but a text, as it is spelled canonically.
    Plain(&'v str),
    /// A text that is spelled as [`Rules::spell`] does.
    Text(&'v str),
    /// A text that is spelled in another way, and how.
    Spelled {
        /// Its canonical text.
        canonical: &'v str,
        /// What it says.
        text: &'v str,
    },
}

impl<'v> Value<'v> {
    pub(super) fn of(atom: &'v Atom, rules: &Rules<'_>) -> Self {
        let canonical = atom.canonical();
        match atom.as_text() {
            None => Self::Plain(canonical),
            Some(text) if (rules.spell)(text) == canonical => Self::Text(text),
            Some(text) => Self::Spelled { canonical, text },
        }
    }

    /// What it says: the text, or any other value as it is spelled.
    #[must_use]
    pub fn said(self) -> &'v str {
        match self {
            Self::Plain(said) | Self::Text(said) | Self::Spelled { text: said, .. } => said,
        }
    }

    pub(super) fn atom(self, rules: &Rules<'_>) -> Atom {
        match self {
            Self::Plain(canonical) => Atom::new(canonical.to_owned()),
            Self::Text(text) => Atom::text((rules.spell)(text), text.to_owned()),
            Self::Spelled { canonical, text } => Atom::text(canonical.to_owned(), text.to_owned()),
        }
    }

    pub(super) fn digest(self, rules: &Rules<'_>) -> Digest {
        match self {
            Self::Plain(canonical) | Self::Spelled { canonical, .. } => {
                Digest::of(canonical.as_bytes())
            }
            Self::Text(text) => Digest::of((rules.spell)(text).as_bytes()),
        }
    }

    /// Whether it is a text of several lines, which are merged one by one.
    fn has_lines(self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Text(text) | Self::Spelled { text, .. } => text.trim_end().contains('\n'),
        }
    }

    pub(super) const fn kind(self) -> u8 {
        match self {
            Self::Plain(_) => PLAIN,
            Self::Text(_) => TEXT,
            Self::Spelled { .. } => SPELLED,
        }
    }

    pub(super) fn put_body(self, to: &mut Vec<u8>) {
        match self {
            Self::Plain(text) | Self::Text(text) => put_text(to, text),
            Self::Spelled { canonical, text } => {
                put_text(to, canonical);
                put_text(to, text);
            }
        }
    }

    pub(super) fn body(kind: u8, from: &mut Bytes<'v>) -> Option<Self> {
        Some(match kind {
            PLAIN => Self::Plain(from.text()?),
            TEXT => Self::Text(from.text()?),
            SPELLED => Self::Spelled {
                canonical: from.text()?,
                text: from.text()?,
            },
            _ => return None,
        })
    }

    pub(super) fn put(self, to: &mut Vec<u8>) {
        to.push(self.kind());
        self.put_body(to);
    }

    pub(super) fn take(from: &mut Bytes<'v>) -> Option<Self> {
        let kind = from.byte()?;
        Self::body(kind, from)
    }
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub enum Content<'v> {
    /// One value.
    One(Value<'v>),
    /// A list.
    List(Members<'v>),
}

impl<'v> Content<'v> {
    /// About how many bytes it takes.
    pub(super) fn length(self) -> usize {
        match self {
            Self::One(value) => value.said().len(),
            Self::List(members) => members.map(|member| member.said().len() + 2).sum(),
        }
    }

    /// Whether what was written before it is needed where somebody writes something else at the same time.
    pub(super) fn is_merged(self) -> bool {
        match self {
            Self::One(value) => value.has_lines(),
            Self::List(_) => true,
        }
    }
}

/// The members of a list.
#[derive(Clone, Copy, Debug)]
pub struct Members<'v>(pub(super) Source<'v>);

#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'v> {
    Packed(Bytes<'v>),
    Given(&'v [Value<'v>]),
}

impl<'v> Members<'v> {
    /// These.
    #[must_use]
    pub fn new(members: &'v [Value<'v>]) -> Self {
        Self(Source::Given(members))
    }
}

impl<'v> Iterator for Members<'v> {
    type Item = Value<'v>;

    fn next(&mut self) -> Option<Value<'v>> {
        match &mut self.0 {
            Source::Packed(bytes) => Value::take(bytes),
            Source::Given(members) => {
                let (first, rest) = members.split_first()?;
                *members = rest;
                Some(*first)
            }
        }
    }
}
