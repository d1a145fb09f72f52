//! The gate before every write: what was written is read again and must mean what the draft means.

use std::collections::HashMap;

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
            && aliases_agree(self, document, side)
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

/// Whether every kept alias names what it named where it was read. Only a name that several anchors have can come to
/// name another node; one that names nothing any more was refused by the reader.
fn aliases_agree(draft: &FileDraft<'_>, document: &Document, side: Side) -> bool {
    if !document.nodes.iter().any(|node| node.kind == Kind::Alias) {
        return true;
    }
    let mut kept = Vec::new();
    for part in &draft.parts {
        kept_aliases(&part.root, side, &mut kept);
    }
    let mut found = Vec::new();
    for part in document.parts() {
        aliases_of(document.node(part.root), &mut found);
    }
    let mut anchors = Anchors::default();
    kept.len() == found.len()
        && kept.into_iter().zip(found).all(|(kept, found)| {
            let (Some(kept), Some(found)) = (kept, found) else {
                return true;
            };
            let (was, many) = anchors.target(kept);
            let (is, more) = anchors.target(found);
            match (was, is) {
                (Some(was), Some(is)) => !(many || more) || was.means(is),
                _ => false,
            }
        })
}

/// The aliases of a draft in the order in which they are written; nothing for a new one.
fn kept_aliases<'d>(draft: &Draft<'d>, side: Side, out: &mut Vec<Option<NodeRef<'d>>>) {
    match draft {
        Draft::Keep(node) => aliases_of(*node, out),
        Draft::Token(text) if text.starts_with('*') => out.push(None),
        Draft::Token(_) | Draft::Block(_) => {}
        Draft::Collection(collection) => {
            for entry in &collection.entries {
                entry_aliases(entry, side, out);
            }
        }
    }
}

fn entry_aliases<'d>(entry: &EntryDraft<'d>, side: Side, out: &mut Vec<Option<NodeRef<'d>>>) {
    match entry {
        EntryDraft::Keep(entry) => {
            if let Some(key) = entry.key() {
                aliases_of(key, out);
            }
            aliases_of(entry.value(), out);
        }
        EntryDraft::Contested(_, theirs) if side == Side::Theirs => {
            kept_aliases(&theirs.value, side, out);
        }
        EntryDraft::Made(made) | EntryDraft::Contested(made, _) => {
            kept_aliases(&made.body.value, side, out);
        }
        EntryDraft::Only(only, entry) => {
            if *only == side {
                entry_aliases(entry, side, out);
            }
        }
    }
}

fn aliases_of<'d>(node: NodeRef<'d>, out: &mut Vec<Option<NodeRef<'d>>>) {
    if node.kind() == Kind::Alias {
        out.push(Some(node));
    }
    for entry in node.entries() {
        if let Some(key) = entry.key() {
            aliases_of(key, out);
        }
        aliases_of(entry.value(), out);
    }
}

/// The nodes of a document that have an anchor, by its name and in order.
type Anchored<'d> = HashMap<&'d str, Vec<NodeRef<'d>>>;

/// The anchored nodes of documents, looked up once for each.
#[derive(Default)]
struct Anchors<'d> {
    documents: HashMap<*const Document, Anchored<'d>>,
}

impl<'d> Anchors<'d> {
    /// What an alias names, and whether its document has several anchors of that name.
    fn target(&mut self, alias: NodeRef<'d>) -> (Option<NodeRef<'d>>, bool) {
        let document = alias.document;
        let anchored = self.documents.entry(document).or_insert_with(|| {
            let mut anchored = Anchored::new();
            for id in 0..document.nodes.len() as u32 {
                let node = document.node(super::tree::NodeId(id));
                if let Some(name) = node.anchor() {
                    anchored.entry(name).or_default().push(node);
                }
            }
            for nodes in anchored.values_mut() {
                nodes.sort_by_key(|node| node.data().anchor.start);
            }
            anchored
        });
        let name = alias.text();
        let named = anchored.get(name.as_ref()).map_or(&[][..], Vec::as_slice);
        let at = alias.data().span.start;
        let before = named.partition_point(|node| node.data().anchor.start < at);
        let target = named.get(..before).and_then(<[_]>::last);
        (target.copied(), named.len() > 1)
    }
}
