//! No mapping holds a key twice (YAML 1.2.2, section 3.2.1.3).

use std::collections::HashMap;

use super::super::error::{Problem, line_of};
use super::super::scalar::{Scalar, is_word, resolve};
use super::super::tree::{Kind, NodeId, Style};
use super::{Reader, Result};

impl<'t> Reader<'t> {
    /// Refuses a mapping, whose entries are the open ones since `from`, that holds a scalar key twice. Empty keys and
    /// keys that are collections or aliases are carried verbatim with their mapping, so nothing is looked up by them.
    pub(super) fn refuse_duplicate_keys(&self, from: usize) -> Result<()> {
        const FEW: usize = 8;
        let keys = self.open[from..].iter().filter_map(|entry| entry.key);
        if self.open.len() - from > FEW {
            let mut seen = HashMap::with_capacity(self.open.len() - from);
            for key in keys {
                if let Some(first) = self.value(key).and_then(|value| seen.insert(value, key)) {
                    return self.duplicate(first, key);
                }
            }
            return Ok(());
        }
        // Few keys are compared faster than hashed, and nearly all of them are plain words.
        let mut words = [None; FEW];
        for (index, key) in keys.clone().enumerate() {
            words[index] = self.word(key);
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
        Ok(())
    }

    /// The bytes of a key that is equal to another such key exactly if the bytes are.
    fn word(&self, key: NodeId) -> Option<&'t str> {
        let node = &self.nodes[key.0 as usize];
        let word = node.kind == Kind::Scalar(Style::Plain) && node.tag.is_empty();
        word.then(|| self.raw(node.span)).filter(|raw| is_word(raw))
    }

    fn value(&self, key: NodeId) -> Option<Scalar<'t>> {
        let node = &self.nodes[key.0 as usize];
        match node.kind {
            Kind::Scalar(style) if style != Style::Empty => {
                let column = node.column as usize;
                Some(resolve(
                    style,
                    self.raw(node.span),
                    column,
                    self.raw(node.tag),
                ))
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
