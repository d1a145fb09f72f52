//! Canonical bytes of values: equal for nodes that mean the same, so that digests, ties and losing values do not depend
//! on how a value is written.

use crate::crdt::Digest;
use crate::yaml::{Kind, NodeRef, Scalar};

/// The canonical text of a node: JSON where JSON can say it, keys in order; tags, anchors and aliases as YAML writes them.
#[must_use]
pub fn canonical(node: NodeRef<'_>) -> String {
    let mut out = String::new();
    write(node, &mut out);
    out
}

/// The digest of a node's value.
#[must_use]
pub fn digest(node: NodeRef<'_>) -> Digest {
    Digest::of(canonical(node).as_bytes())
}

fn write(node: NodeRef<'_>, out: &mut String) {
    if let Some(anchor) = node.anchor() {
        out.push('&');
        out.push_str(anchor);
        out.push(' ');
    }
    match node.kind() {
        Kind::Alias => out.push_str(node.raw()),
        Kind::Scalar(_) => {
            if let Some(scalar) = node.scalar() {
                write_scalar(&scalar, out);
            }
        }
        Kind::Sequence => {
            write_tag(node, out);
            out.push('[');
            for (index, entry) in node.entries().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(entry.value(), out);
            }
            out.push(']');
        }
        Kind::Mapping => {
            write_tag(node, out);
            let mut pairs: Vec<(String, String)> = node
                .entries()
                .map(|entry| {
                    let key = entry.key().map(canonical).unwrap_or_default();
                    (key, canonical(entry.value()))
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

fn write_tag(node: NodeRef<'_>, out: &mut String) {
    if let Some(tag) = node.tag() {
        out.push_str(tag);
        out.push(' ');
    }
}

fn write_scalar(scalar: &Scalar<'_>, out: &mut String) {
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
        Scalar::Str(text) => out.push_str(&crate::yaml::double_quoted(text)),
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
}
