//! Equality and hashing of nodes by what they mean: comments, quoting, block or flow style, the order of keys and
//! blank lines do not count; types, order and multiplicity of list members, anchors and tags do.

use std::hash::{Hash, Hasher};

use super::tree::{Kind, NodeRef};

impl NodeRef<'_> {
    /// Whether both nodes mean the same.
    pub fn means(self, other: NodeRef<'_>) -> bool {
        if self.kind_class() != other.kind_class() || self.anchor() != other.anchor() {
            return false;
        }
        let (mine, theirs) = (self.data(), other.data());
        match self.kind() {
            Kind::Scalar(style) => {
                // The same bytes in the same style mean the same, but for a block text in another column.
                let literal = other.kind() == Kind::Scalar(style)
                    && mine.column == theirs.column
                    && self.raw() == other.raw()
                    && self.tag() == other.tag();
                literal || self.scalar() == other.scalar()
            }
            Kind::Alias => self.raw() == other.raw(),
            _ if self.tag() != other.tag() || self.len() != other.len() => false,
            Kind::Sequence => self
                .entries()
                .zip(other.entries())
                .all(|(a, b)| a.value().means(b.value())),
            Kind::Mapping if mine.opaque || theirs.opaque => self
                .entries()
                .zip(other.entries())
                .all(|(a, b)| same_key(a.key(), b.key()) && a.value().means(b.value())),
            Kind::Mapping => mapping_means(self, other),
        }
    }

    /// A hash that is equal for nodes that mean the same.
    pub fn meaning_hash(self) -> u64 {
        let mut hasher = rustc_hash::FxHasher::default();
        self.hash_meaning(&mut hasher);
        hasher.finish()
    }

    fn hash_meaning(self, state: &mut rustc_hash::FxHasher) {
        self.anchor().hash(state);
        match self.kind() {
            Kind::Scalar(_) => self.scalar().hash(state),
            Kind::Alias => self.raw().hash(state),
            Kind::Sequence => {
                self.tag().hash(state);
                for entry in self.entries() {
                    entry.value().hash_meaning(state);
                }
            }
            Kind::Mapping => {
                self.tag().hash(state);
                // Addition makes the order of the keys irrelevant.
                let sum = self.entries().fold(0u64, |sum, entry| {
                    let mut inner = rustc_hash::FxHasher::default();
                    if let Some(key) = entry.key() {
                        key.hash_meaning(&mut inner);
                    }
                    entry.value().hash_meaning(&mut inner);
                    sum.wrapping_add(inner.finish())
                });
                sum.hash(state);
            }
        }
        self.len().hash(state);
    }

    fn kind_class(self) -> u8 {
        match self.kind() {
            Kind::Scalar(_) => 0,
            Kind::Alias => 1,
            Kind::Mapping => 2,
            Kind::Sequence => 3,
        }
    }
}

/// Whether both keys mean the same; nothing is the same as nothing.
pub(crate) fn same_key(a: Option<NodeRef<'_>>, b: Option<NodeRef<'_>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => {
            a.raw_with_props() == b.raw_with_props() && a.kind() == b.kind() || a.means(b)
        }
        (None, None) => true,
        _ => false,
    }
}

fn mapping_means(a: NodeRef<'_>, b: NodeRef<'_>) -> bool {
    let mut rest: Vec<_> = Vec::new();
    // Keys nearly always stand in the same order; what does not is looked up.
    for (x, y) in a.entries().zip(b.entries()) {
        if same_key(x.key(), y.key()) {
            if !x.value().means(y.value()) {
                return false;
            }
        } else {
            rest.push((x, y));
        }
    }
    if rest.is_empty() {
        return true;
    }
    let others: std::collections::HashMap<_, _> = rest
        .iter()
        .filter_map(|(_, y)| Some((y.key()?.scalar()?, y.value())))
        .collect();
    rest.iter().all(|(x, _)| {
        x.key()
            .and_then(NodeRef::scalar)
            .and_then(|key| others.get(&key).copied())
            .is_some_and(|value| x.value().means(value))
    })
}
