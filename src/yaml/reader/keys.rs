//! No mapping holds a key twice (YAML 1.2.2, section 3.2.1.3).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::super::error::{Problem, line_of};
use super::super::scalar::{Scalar, is_word, resolve};
use super::super::tree::{Kind, NodeId, Style};
use super::{Reader, Result};

impl<'t> Reader<'t> {
    /// Refuses a mapping, whose entries are the open ones since `from`, that holds a scalar key twice. Empty keys and
    /// keys that are collections or aliases are carried verbatim with their mapping, so nothing is looked up by them. Whether two
    /// keys have one text, as `1` and `"1"` do: then they cannot be told apart by it.
    pub(super) fn refuse_duplicate_keys(&self, from: usize) -> Result<bool> {
        const FEW: usize = 8;
        let keys = self.open[from..].iter().filter_map(|entry| entry.key);
        let is_text = |value: Option<&Scalar<'_>>| matches!(value, None | Some(Scalar::Str(_)));
        let mut are_texts = true;
        if self.open.len() - from > FEW {
            let mut seen = HashMap::with_capacity(self.open.len() - from);
            for key in keys.clone() {
                let value = self.value(key);
                are_texts &= is_text(value.as_ref());
                if let Some(first) = value.and_then(|value| seen.insert(value, key)) {
                    return self.duplicate(first, key);
                }
            }
            return Ok(!are_texts && self.share_text(keys));
        }
        // Few keys are compared faster than hashed, and nearly all of them are plain words.
        let mut words = [None; FEW];
        for (index, key) in keys.clone().enumerate() {
            words[index] = self.word(key);
            are_texts &= words[index].is_some() || is_text(self.value(key).as_ref());
            for (earlier, first) in keys.clone().take(index).enumerate() {
                let same = match (words[earlier], words[index]) {
                    (Some(a), Some(b)) => a == b,
                    _ => self
                        .value(first)
                        .is_some_and(|value| Some(value) == self.value(key)),
                };
                if same {
                    return self.duplicate(first, key);
                }
            }
        }
        Ok(!are_texts && self.share_text(keys))
    }

    fn share_text(&self, keys: impl Iterator<Item = NodeId>) -> bool {
        let mut seen = HashSet::new();
        let mut texts = keys.filter_map(|key| self.text(key));
        texts.any(|text| !seen.insert(text))
    }

    /// The bytes of a key that is equal to another such key exactly if the bytes are.
    fn word(&self, key: NodeId) -> Option<&'t str> {
        let node = &self.nodes[key.0 as usize];
        let word = node.kind == Kind::Scalar(Style::Plain) && node.tag.is_empty();
        word.then(|| self.raw(node.span)).filter(|raw| is_word(raw))
    }

    fn value(&self, key: NodeId) -> Option<Scalar<'t>> {
        let node = &self.nodes[key.0 as usize];
        self.tagged(key, self.raw(node.tag))
    }

    fn text(&self, key: NodeId) -> Option<Cow<'t, str>> {
        match self.tagged(key, "!")? {
            Scalar::Str(text) => Some(text),
            _ => None,
        }
    }

    /// What a key would mean with this tag.
    fn tagged(&self, key: NodeId, tag: &'t str) -> Option<Scalar<'t>> {
        let node = &self.nodes[key.0 as usize];
        match node.kind {
            Kind::Scalar(style) if style != Style::Empty => {
                let column = node.column as usize;
                Some(resolve(style, self.raw(node.span), column, tag))
            }
            _ => None,
        }
    }

    fn duplicate<T>(&self, first: NodeId, second: NodeId) -> Result<T> {
        let first = self.nodes[first.0 as usize].span;
        let second = self.nodes[second.0 as usize].span;
        let before = &self.bytes[..first.start as usize];
        let mut name = self.raw(second).to_owned();
        if let Some(line) = name.find(['\n', '\r']) {
            name.replace_range(line.., "…");
        }
        let problem = Problem::DuplicateKey {
            key: name,
            first_line: line_of(before).0,
        };
        self.fail(problem, second.start as usize)
    }
}

#[cfg(test)]
mod tests {
    use crate::yaml::{Document, Limits};

    #[test]
    fn keys_of_one_text_that_mean_different_things_cannot_be_told_apart() {
        for (text, are_told_apart) in [
            ("1: a\n2: b\n", true),
            ("1: a\n\"1\": b\n", false),
            ("{true: a, 'true': b}", false),
            ("a: 1\n!<t> a: 2\n", false),
            ("a: 1\n!<t> b: 2\n", true),
            ("1: a\n1.0: b\n", true),
            (
                "a: 1\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\ng: 7\nh: 8\n1: 9\n'1': 0\n",
                false,
            ),
        ] {
            let document = Document::from_text(text.to_owned(), &Limits::default()).unwrap();
            let root = document.root().unwrap();
            assert_eq!(root.is_structured(), are_told_apart, "{text}");
        }
    }
}
