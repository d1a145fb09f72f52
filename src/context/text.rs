//! Spelling of names and values inside annotations.
//!
//! An annotation is one plain scalar: it must be a string in YAML 1.1 and 1.2, in block and in flow context, and stay in
//! one line. So whatever is not a letter, a digit or one of a few harmless signs is percent-encoded, as in a URL.

use std::borrow::Cow;

/// Signs that stand for themselves. No blank, none of `,[]{}#:&*!|>'"%@` and the backtick, and none that separates the
/// parts of an annotation (`~`, `+`, `=`).
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(c, '_' | '.' | '-' | '/' | '(' | ')')
        || (!c.is_ascii() && c.is_alphanumeric())
}

/// Spells a text. A blank becomes `+`, which reads better than `%20`.
pub(super) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_plain(c) {
            out.push(c);
        } else if c == ' ' {
            out.push('+');
        } else {
            let mut buffer = [0; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    out
}

/// Spells the path of a leaf. One that begins with a sign has a dot in front of it: in an annotation it would say what the
/// word is, and no plain string begins with `%`.
pub(super) fn encode_path<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.into_iter().map(encode_name).collect();
    let path = names.join(".");
    if path.starts_with(['+', '-', '%']) {
        format!(".{path}")
    } else {
        path
    }
}

/// Undoes [`encode_path`]; nothing if the text was not spelled by it.
pub(super) fn decode_path(path: &str) -> Option<Vec<String>> {
    let names = path.strip_prefix('.').unwrap_or(path);
    names.split('.').map(decode_name).collect()
}

/// Spells a name that stands in a path: its own dots are no separators, and even an empty one is something.
fn encode_name(name: &str) -> String {
    match name {
        "" => EMPTY.to_owned(),
        name => encode(name).replace('.', "%2E"),
    }
}

/// The spelling of a name without characters.
const EMPTY: &str = "%";

fn decode_name(text: &str) -> Option<String> {
    match text {
        "" => None,
        EMPTY => Some(String::new()),
        text => decode(text).map(Cow::into_owned),
    }
}

/// Undoes [`encode`]; nothing if the text was not spelled by it.
pub(super) fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return text.chars().all(is_plain).then_some(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                let digits = std::str::from_utf8(&digits).ok()?;
                out.push(u8::from_str_radix(digits, 16).ok()?);
            }
            other => out.push(other),
        }
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Document, Limits, Scalar};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_text_reads_back_from_one_plain_string(text: String) {
            let encoded = encode(&text);
            let decoded = decode(&encoded);
            prop_assert_eq!(decoded.as_deref(), Some(text.as_str()));
            for yaml in [format!("a: s.{encoded}\n"), format!("{{a: s.{encoded}}}\n")] {
                let document = Document::from_text(yaml, &Limits::default()).unwrap();
                let value = document.root().unwrap().get("a").unwrap().value();
                prop_assert_eq!(value.scalar(), Some(Scalar::Str(format!("s.{encoded}").into())));
            }
        }
    }

    #[test]
    fn broken_spelling_is_told_from_text() {
        for text in ["%", "%2", "%zz", "a b", "%FF"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
