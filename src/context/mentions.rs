//! Where a document speaks of its own edits: every `_crdt` and `_crdt_conflicts` of the root and of records.
//!
//! Only these mappings carry annotations; in any other one the same key is somebody's data. Even where it may be ours a
//! key is taken for ours only if all of it is understood.

use super::{ANNOTATION_KEY, Annotation, CONFLICTS_KEY, Conflicts, Marker};
use crate::crdt::{Digest, Stamp};
use crate::yaml::{Document, EntryRef, Kind, NodeRef, Scalar};

/// Whose a key of ours is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Ours: all of it is understood.
    Ours,
    /// A marker of another version of the format.
    OtherVersion,
    /// Ours once, by the look of it, but not understood as a whole; or empty.
    Mangled,
    /// Somebody else's.
    Foreign,
}

/// What a mention says, if it is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// It is the marker of the document.
    Marker(Marker),
    /// It is the annotation of a record.
    Annotation(Annotation),
    /// It keeps losers.
    Conflicts(Conflicts),
}

/// An entry with one of our keys in a mapping that may carry annotations.
#[derive(Clone, Debug)]
pub struct Mention<'d> {
    /// The entry.
    pub entry: EntryRef<'d>,
    /// Whose it is.
    pub claim: Claim,
    /// What it says; nothing unless it is ours.
    pub says: Option<Says>,
}

impl Mention<'_> {
    /// Line and column of the entry, both 1-based.
    #[must_use]
    pub fn position(&self) -> (usize, usize) {
        let document = self.entry.parent().document();
        document.position(self.entry.data().start)
    }
}

/// All mentions of a file, in the order of the text.
#[must_use]
pub fn mentions(document: &Document) -> Vec<Mention<'_>> {
    let mut found = Vec::new();
    for part in document.parts() {
        let root = document.node(part.root);
        collect(root, true, root.kind() == Kind::Mapping, &mut found);
    }
    found
}

/// The mentions in one mapping, as the root's or as a record's.
pub(super) fn mentions_in<'d>(
    mapping: NodeRef<'d>,
    is_root: bool,
) -> impl Iterator<Item = Mention<'d>> {
    mapping
        .entries()
        .filter_map(move |entry| mention(entry, is_root))
}

fn collect<'d>(node: NodeRef<'d>, is_root: bool, carries: bool, found: &mut Vec<Mention<'d>>) {
    for entry in node.entries() {
        if carries && let Some(mention) = mention(entry, is_root) {
            found.push(mention);
            continue;
        }
        let value = entry.value();
        if value.is_collection() {
            // The members of a list are the records; whether they have an identity is no matter here: it may be lost
            // to a hand edit while the annotation stands.
            let is_member = node.kind() == Kind::Sequence;
            collect(
                value,
                false,
                is_member && value.kind() == Kind::Mapping,
                found,
            );
        }
    }
}

fn mention(entry: EntryRef<'_>, is_root: bool) -> Option<Mention<'_>> {
    let key = entry.key()?;
    if !matches!(key.kind(), Kind::Scalar(_)) {
        return None;
    }
    let key = key.text();
    let read = match key.as_ref() {
        ANNOTATION_KEY if is_root => read_marker,
        ANNOTATION_KEY => read_annotation,
        CONFLICTS_KEY => read_conflicts,
        _ => return None,
    };
    let (claim, says) = match entry.value().scalar() {
        Some(Scalar::Null) => (Claim::Mangled, None),
        Some(Scalar::Str(text)) if text.trim().is_empty() => (Claim::Mangled, None),
        Some(Scalar::Str(text)) => match read(&text) {
            Ok(says) => (Claim::Ours, Some(says)),
            Err(claim) => (claim, None),
        },
        _ => (Claim::Foreign, None),
    };
    Some(Mention { entry, claim, says })
}

fn read_marker(text: &str) -> Result<Says, Claim> {
    if let Ok(marker) = Marker::parse(text) {
        return Ok(Says::Marker(marker));
    }
    let first = text.split(' ').next().unwrap_or_default();
    let version = first.strip_prefix('v').map(str::as_bytes);
    Err(match version {
        Some([b'1']) => Claim::Mangled,
        Some(digits) if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => {
            Claim::OtherVersion
        }
        _ => Claim::Foreign,
    })
}

fn read_annotation(text: &str) -> Result<Says, Claim> {
    Annotation::parse(text)
        .map(Says::Annotation)
        .map_err(|_| mangled_or_foreign(text))
}

fn read_conflicts(text: &str) -> Result<Says, Claim> {
    Conflicts::parse(text)
        .map(Says::Conflicts)
        .map_err(|_| mangled_or_foreign(text))
}

/// A text of which at least one word has the shape of a stamp or of a digest was ours once.
fn mangled_or_foreign(text: &str) -> Claim {
    let is_ours = |word: &str| {
        let word = word.trim_start_matches(['+', '-']);
        word.split('~')
            .any(|part| part.parse::<Stamp>().is_ok() && part.len() == Stamp::CHARS)
            || word
                .split_once('~')
                .is_some_and(|(_, digest)| digest.parse::<Digest>().is_ok())
    };
    if text.split(' ').any(is_ours) {
        Claim::Mangled
    } else {
        Claim::Foreign
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::Limits;

    fn claims(text: &str) -> Vec<Claim> {
        let document = Document::from_text(text.to_owned(), &Limits::default()).unwrap();
        mentions(&document)
            .iter()
            .map(|mention| mention.claim)
            .collect()
    }

    #[test]
    fn ours_is_told_from_what_is_not() {
        use Claim::{Foreign, Mangled, OtherVersion, Ours};
        for (text, claim) in [
            ("_crdt: v1 todos=or_set\n", Ours),
            ("'_crdt': 'v1'\n", Ours),
            ("{_crdt: v1}\n", Ours),
            ("_crdt: v1 todos\n", Mangled),
            ("_crdt:\n", Mangled),
            ("_crdt: v2 whatever\n", OtherVersion),
            ("_crdt: my own\n", Foreign),
            ("_crdt: {a: 1}\n", Foreign),
            ("_crdt: 7\n", Foreign),
            ("- _crdt: 4k2m9xa7-7f3kqd a~a1f\n", Ours),
            ("- _crdt: 4k2m9xa7-7f3kqd a\n", Mangled),
            ("- _crdt: my own\n", Foreign),
            ("- _crdt: v1\n", Foreign),
            ("a: [{_crdt_conflicts: a~~deleted}]\n", Ours),
            ("a: [{_crdt_conflicts: no~more}]\n", Foreign),
            ("_crdt_conflicts: a~4k2m9xa7-7f3kqd~x\n", Mangled),
        ] {
            assert_eq!(claims(text), [claim], "{text}");
        }
    }

    #[test]
    fn in_other_mappings_the_key_is_data() {
        assert_eq!(claims("a: {_crdt: v1}\nb:\n  _crdt: +~a1f\n"), []);
        assert_eq!(claims("- a: {_crdt: +~a1f}\n  b: 1\n"), []);
    }

    #[test]
    fn records_are_found_at_any_depth_and_in_every_document() {
        let text = "--- \na:\n- id: x\n  _crdt: +~a1f\n  b:\n    c: [{_crdt: +~a1f}]\n---\n- [{_crdt: +~a1f}]\n";
        assert_eq!(claims(text), [Claim::Ours; 3]);
    }
}
