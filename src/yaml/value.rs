//! Plain values: what a node means, without its bytes; what new nodes are made of.

use std::borrow::Cow;

use super::scalar::Scalar;
use super::tree::{Kind, NodeRef};

/// A value to be written. Mappings keep the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A scalar.
    Scalar(Scalar<'static>),
    /// A list.
    Sequence(Vec<Value>),
    /// Keys and values.
    Mapping(Vec<(Scalar<'static>, Value)>),
}

impl Value {
    /// What a node means; nothing if it holds an alias, an anchor, a tag on a collection, or a key that is no scalar.
    pub fn of(node: NodeRef<'_>) -> Option<Self> {
        if node.anchor().is_some() || (node.is_collection() && node.tag().is_some()) {
            return None;
        }
        Some(match node.kind() {
            Kind::Scalar(_) => Value::Scalar(node.scalar()?.into_owned()),
            Kind::Alias => return None,
            Kind::Sequence => {
                let items = node.entries().map(|entry| Value::of(entry.value()));
                Value::Sequence(items.collect::<Option<_>>()?)
            }
            Kind::Mapping => {
                let entries = node.entries().map(|entry| {
                    let key = entry.key()?;
                    let bare = key.anchor().is_none();
                    let key = key.scalar().filter(|_| bare)?.into_owned();
                    Some((key, Value::of(entry.value())?))
                });
                Value::Mapping(entries.collect::<Option<_>>()?)
            }
        })
    }
}

impl Scalar<'_> {
    /// The same scalar, holding its own text.
    pub fn into_owned(self) -> Scalar<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        match self {
            Scalar::Null => Scalar::Null,
            Scalar::Bool(value) => Scalar::Bool(value),
            Scalar::Int(value) => Scalar::Int(value),
            Scalar::Float(value) => Scalar::Float(value),
            Scalar::Str(text) => Scalar::Str(own(text)),
            Scalar::Tagged(tag, text) => Scalar::Tagged(own(tag), own(text)),
        }
    }
}

impl From<Scalar<'static>> for Value {
    fn from(scalar: Scalar<'static>) -> Self {
        Value::Scalar(scalar)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Scalar(Scalar::Str(Cow::Owned(text.to_owned())))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Scalar(Scalar::Bool(value))
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Scalar(Scalar::Int(value.into()))
    }
}
