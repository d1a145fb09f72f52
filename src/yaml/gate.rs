//! The gate before every write: what was written is read again and must mean what the draft means.

use super::draft::{
    Body, Collection, Draft, EntryDraft, FileDraft, MadeEntry, PartDraft, Piece, Side,
};
use super::lines::lines;
use super::tree::{Document, EntryRef, Kind, NodeRef, Part};

impl FileDraft<'_> {
    /// Whether `document` reads as what this draft means, with the values of `side`: the same nodes with the same
    /// anchors and tags, every alias naming the node that it named, under the same directives.
    pub fn agrees(&self, document: &Document, side: Side) -> bool {
        let parts = document.parts();
        if parts.is_empty() {
            return self.parts.len() == 1
                && self
                    .parts
                    .iter()
                    .all(|part| matches!(&part.root, Draft::Token(text) if text.is_empty()));
        }
        let gate = Gate { side };
        self.parts.len() == parts.len()
            && self
                .parts
                .iter()
                .zip(parts)
                .all(|(part, found)| gate.part(part, document, found))
    }
}

struct Gate {
    side: Side,
}

impl Gate {
    fn part(&self, part: &PartDraft<'_>, document: &Document, found: &Part) -> bool {
        let head = document.slice(found.span);
        directives(&part.head).eq(directives(&head[..part.head.len().min(head.len())]))
            && self.node(&part.root, document.node(found.root))
    }

    fn node(&self, draft: &Draft<'_>, node: NodeRef<'_>) -> bool {
        match draft {
            Draft::Keep(kept) => same_text(*kept, node) || kept.means(node),
            Draft::Token(text) => token_agrees(text, node),
            Draft::Block(text) => {
                let raw = text.raw();
                let expected = super::scalar::decode(text.style(), &raw, 0);
                let props = Props::of(&text.props);
                matches!(node.kind(), Kind::Scalar(_))
                    && props.anchor == node.anchor()
                    && props.tag == node.tag()
                    && node.text() == expected
            }
            Draft::Collection(collection) => self.collection(collection, node),
        }
    }

    fn collection(&self, collection: &Collection<'_>, node: NodeRef<'_>) -> bool {
        let mut entries = node.entries();
        let Piece { text, .. } = &collection.props;
        let props = Props::of(text);
        let same = node.kind() == collection.kind
            && props.anchor == node.anchor()
            && props.tag == node.tag()
            && collection
                .entries
                .iter()
                .filter(|entry| !matches!(entry, EntryDraft::Only(only, _) if *only != self.side))
                .all(|entry| entries.next().is_some_and(|found| self.entry(entry, found)));
        same && entries.next().is_none()
    }

    fn entry(&self, draft: &EntryDraft<'_>, found: EntryRef<'_>) -> bool {
        match draft {
            EntryDraft::Keep(kept) => {
                super::same_key(kept.key(), found.key())
                    && (same_text(kept.value(), found.value()) || kept.value().means(found.value()))
            }
            EntryDraft::Made(made) => self.made(made, &made.body, found),
            EntryDraft::Contested(made, theirs) if self.side == Side::Theirs => {
                self.made(made, theirs, found)
            }
            EntryDraft::Contested(made, _) => self.made(made, &made.body, found),
            EntryDraft::Only(_, entry) => self.entry(entry, found),
        }
    }

    fn made(&self, made: &MadeEntry<'_>, body: &Body<'_>, found: EntryRef<'_>) -> bool {
        (found.key().is_none() || made.head == found.head())
            && self.node(&body.value, found.value())
    }
}

/// Whether a new token was read as one node, of the kind that its first byte announces.
fn token_agrees(text: &str, node: NodeRef<'_>) -> bool {
    let bare = node.raw();
    let kind = match bare.bytes().next() {
        Some(b'{') => Kind::Mapping,
        Some(b'[') => Kind::Sequence,
        Some(b'*') => Kind::Alias,
        _ => match node.kind() {
            Kind::Scalar(style) => Kind::Scalar(style),
            _ => return false,
        },
    };
    node.kind() == kind && node.raw_with_props() == text
}

/// Whether two nodes are the same bytes in the same columns, and so mean the same.
fn same_text(kept: NodeRef<'_>, node: NodeRef<'_>) -> bool {
    let (a, b) = (kept.data(), node.data());
    kept.kind() == node.kind()
        && a.flow == b.flow
        && a.parent_column == b.parent_column
        && a.column == b.column
        && kept.raw_with_props() == node.raw_with_props()
}

/// The directives before a document's `---`.
fn directives(head: &str) -> impl Iterator<Item = &str> {
    lines(head)
        .map(|line| line.trim_start_matches('\u{feff}').trim_end())
        .filter(|line| line.starts_with('%'))
}

/// The anchor and the tag in a text of properties and comments.
struct Props<'p> {
    anchor: Option<&'p str>,
    tag: Option<&'p str>,
}

impl<'p> Props<'p> {
    fn of(text: &'p str) -> Self {
        let words = lines(text).flat_map(|line| {
            line.split_whitespace()
                .take_while(|word| !word.starts_with('#'))
        });
        let mut props = Props {
            anchor: None,
            tag: None,
        };
        for word in words {
            match word.strip_prefix('&') {
                Some(name) => props.anchor = Some(name),
                None => props.tag = Some(word),
            }
        }
        props
    }
}
