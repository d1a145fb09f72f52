//! Canonical bytes of values, and which values of a document are the same.
//!
//! The canonical text is equal for nodes that mean the same in YAML: ties and losing values do not depend on how a value is
//! written. Documents are coarser: tools that read them into structures and write them back give every absent optional
//! field as `null` and every timestamp in another zone. Two values that such a rewrite tells apart are the [`same`], and
//! have the same [`digest`].

use super::instant;
use super::mentions::{Claim, mentions_in};
use super::placing::is_ours;
use crate::crdt::Digest;
use crate::yaml::{EntryRef, Kind, NodeRef, Scalar};

/// The canonical text of a node: JSON where JSON can say it, keys in order; tags, anchors and aliases as YAML writes them.
#[must_use]
pub fn canonical(node: NodeRef<'_>) -> String {
    text(node, Grain::Yaml)
}

/// The canonical text of what a record says, without what is said about it.
pub(super) fn said(node: NodeRef<'_>) -> String {
    text(node, Grain::Said)
}

/// The canonical text with timestamps in UTC and without the entries of mappings that are null: values that are the
/// [`same`] have the same.
pub(super) fn normal(node: NodeRef<'_>) -> String {
    text(node, Grain::Document)
}

/// The digest of a node's value in a document: values that are the [`same`] have the same.
#[must_use]
pub fn digest(node: NodeRef<'_>) -> Digest {
    Digest::of(normal(node).as_bytes())
}

/// Whether two values are the same in a document: what YAML takes for the same, timestamps of one instant, and mappings
/// that differ in nothing but entries that are null on one side and absent on the other.
#[must_use]
pub fn same(a: NodeRef<'_>, b: NodeRef<'_>) -> bool {
    a.means(b) || (may_be_same(a, b) && normal(a) == normal(b))
}

/// A hash that is equal for values that are the [`same`].
#[must_use]
pub fn sameness(node: NodeRef<'_>) -> u64 {
    xxhash_rust::xxh3::xxh3_64(normal(node).as_bytes())
}

/// Whether two entries of a mapping are the [`same`] in a document, absent ones among them: null says no more than
/// nothing does.
#[must_use]
pub fn same_entry(a: Option<NodeRef<'_>>, b: Option<NodeRef<'_>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => same(a, b),
        (Some(only), None) | (None, Some(only)) => is_null(only),
        (None, None) => true,
    }
}

/// Whether a node is a null that nothing can refer to.
#[must_use]
pub fn is_null(node: NodeRef<'_>) -> bool {
    node.anchor().is_none() && node.scalar() == Some(Scalar::Null)
}

/// A look that spares the texts of most values that differ: only collections, and texts that begin like timestamps, can
/// be the same without meaning the same.
fn may_be_same(a: NodeRef<'_>, b: NodeRef<'_>) -> bool {
    let dated = |node: NodeRef<'_>| {
        matches!(node.kind(), Kind::Scalar(_)) && instant::in_utc(&node.text()).is_some()
    };
    a.is_collection() && b.is_collection() || dated(a) && dated(b)
}

/// How finely values are told apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Grain {
    /// As YAML does.
    Yaml,
    /// As YAML does, without annotations.
    Said,
    /// As documents do.
    Document,
}

fn text(node: NodeRef<'_>, grain: Grain) -> String {
    let mut out = String::new();
    write(node, grain, &mut out);
    out
}

fn write(node: NodeRef<'_>, grain: Grain, out: &mut String) {
    if let Some(anchor) = node.anchor() {
        out.push('&');
        out.push_str(anchor);
        out.push(' ');
    }
    match node.kind() {
        Kind::Alias => out.push_str(node.raw()),
        Kind::Scalar(_) => {
            if let Some(scalar) = node.scalar() {
                write_scalar(&scalar, grain, out);
            }
        }
        Kind::Sequence => {
            write_tag(node, out);
            out.push('[');
            for (index, entry) in node.entries().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(entry.value(), grain, out);
            }
            out.push(']');
        }
        Kind::Mapping => {
            write_tag(node, out);
            let mut pairs: Vec<(String, String)> = node
                .entries()
                .filter(|entry| match grain {
                    Grain::Yaml => true,
                    Grain::Said => !is_annotation(*entry),
                    Grain::Document => !is_null(entry.value()),
                })
                .map(|entry| {
                    let key = entry.key().map(canonical).unwrap_or_default();
                    (key, text(entry.value(), grain))
                })
                .collect();
            if !node.data().opaque {
                pairs.sort();
            }
            out.push('{');
            for (index, (key, value)) in pairs.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(key);
                out.push(':');
                out.push_str(value);
            }
            out.push('}');
        }
    }
}

fn is_annotation(entry: EntryRef<'_>) -> bool {
    let mentions = |is_root| mentions_in(entry.parent(), is_root);
    is_ours(entry)
        && mentions(false).chain(mentions(true)).any(|mention| {
            mention.entry.data().start == entry.data().start && mention.claim == Claim::Ours
        })
}

fn write_tag(node: NodeRef<'_>, out: &mut String) {
    if let Some(tag) = node.tag() {
        out.push_str(tag);
        out.push(' ');
    }
}

fn write_scalar(scalar: &Scalar<'_>, grain: Grain, out: &mut String) {
    match scalar {
        Scalar::Null => out.push_str("null"),
        Scalar::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Scalar::Int(value) => out.push_str(&value.to_string()),
        Scalar::Float(value) if value.is_nan() => out.push_str(".nan"),
        Scalar::Float(value) if value.is_infinite() => {
            out.push_str(if *value > 0.0 { ".inf" } else { "-.inf" });
        }
        // The shortest text that reads back, always with a point or an exponent: no integer is a float.
        Scalar::Float(value) => out.push_str(&format!("{value:?}")),
        Scalar::Str(text) => {
            let instant = (grain == Grain::Document).then(|| instant::in_utc(text));
            let instant = instant.flatten();
            out.push_str(&crate::yaml::double_quoted(
                instant.as_deref().unwrap_or(text),
            ));
        }
        Scalar::Tagged(tag, text) => {
            out.push_str(tag);
            out.push(' ');
            out.push_str(&crate::yaml::double_quoted(text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Document, Limits};

    fn of(text: &str) -> String {
        let document = Document::from_text(text.to_owned(), &Limits::default()).unwrap();
        canonical(document.root().unwrap())
    }

    #[test]
    fn style_and_key_order_do_not_show_but_types_do() {
        assert_eq!(
            of("b: 'x'\na: [1, 0x10, \"1\"]\n"),
            of("{a: [1, 16, '1'], b: x}")
        );
        assert_eq!(of("a: |\n  x\n  y\n"), of("a: \"x\\ny\\n\""));
        assert_ne!(of("1"), of("'1'"));
        assert_ne!(of("1"), of("1.0"));
        assert_ne!(of("~"), of("''"));
    }

    /// Whether two texts are the same in a document; their digests must agree.
    fn are_same(a: &str, b: &str) -> bool {
        let read = |text: &str| Document::from_text(text.to_owned(), &Limits::default()).unwrap();
        let (a, b) = (read(a), read(b));
        let (a, b) = (a.root().unwrap(), b.root().unwrap());
        assert_eq!(same(a, b), same(b, a));
        assert_eq!(same(a, b), digest(a) == digest(b));
        same(a, b)
    }

    #[test]
    fn timestamps_of_one_instant_are_the_same_in_documents_alone() {
        let (zulu, shifted) = ("2024-01-15T09:00:00Z", "'2024-01-15T11:00:00.000+02:00'");
        assert!(are_same(zulu, shifted));
        assert!(are_same(
            &format!("- a: {zulu}\n"),
            &format!("[a: {shifted}]")
        ));
        assert!(!are_same(zulu, "2024-01-15T11:00:00Z"));
        assert!(!are_same(zulu, "2024-01-15"));
        assert!(!are_same("2024-01-15T09:00:00", "2024-01-15T09:00:00.0"));
        assert_ne!(of(zulu), of(shifted));
    }

    #[test]
    fn null_entries_are_the_same_as_absent_ones_but_null_members_are_not() {
        assert!(are_same("a: 1\nb: ~\n", "b:\na: 1\nc: null\n"));
        assert!(are_same("a: {b: [{c: null}]}\n", "a: {b: [{}]}\n"));
        assert!(!are_same("[1, ~]", "[1]"));
        assert!(!are_same("a: ~\n", "a: {}\n"));
        assert!(!are_same("a: ~\n", "a: ''\n"));
        assert!(!are_same("a: &x ~\n", "{}"));
        assert_ne!(of("a: ~\n"), of("{}"));
    }
}
