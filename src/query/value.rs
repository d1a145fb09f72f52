//! Values as questions see them, and how they compare.

use std::cmp::Ordering;

use crate::context::in_utc;
use crate::yaml::{Kind, NodeRef, Scalar};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i128),
    /// Any other number.
    Float(f64),
    /// A text.
    Text(String),
    /// Several; of a mapping its keys.
    List(Vec<Value>),
}

impl Value {
    /// That of a node.
    #[must_use]
    pub fn of(node: NodeRef<'_>) -> Self {
        match node.kind() {
            Kind::Sequence => Self::List(
                node.entries()
                    .map(|entry| Self::of(entry.value()))
                    .collect(),
            ),
            Kind::Mapping => {
                let keys = node.entries().filter_map(|entry| entry.key());
                Self::List(keys.map(Self::of).collect())
            }
            Kind::Alias => Self::Text(node.raw().to_owned()),
            Kind::Scalar(_) => match node.scalar() {
                None | Some(Scalar::Null) => Self::Null,
                Some(Scalar::Bool(value)) => Self::Bool(value),
                Some(Scalar::Int(value)) => Self::Int(value),
                Some(Scalar::Float(value)) => Self::Float(value),
                Some(Scalar::Str(text)) => Self::Text(text.into_owned()),
                Some(Scalar::Tagged(..)) => Self::Text(node.text().into_owned()),
            },
        }
    }

    /// Whether it is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// How it is to another one; nothing where the two cannot be compared, as a text and a number, or anything and null.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(one), Self::Bool(other)) => Some(one.cmp(other)),
            (Self::Int(one), Self::Int(other)) => Some(one.cmp(other)),
            (Self::Text(one), Self::Text(other)) => Some(compare_texts(one, other)),
            _ => self.number()?.partial_cmp(&other.number()?),
        }
    }

    /// Whether it is another one: null is, too.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::List(one), Self::List(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.is(other))
            }
            _ => self.compare(other) == Some(Ordering::Equal),
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "whole numbers are compared as such among themselves"
    )]
    fn number(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }
}

/// Moments are compared as such, in whatever time zone they are written; all else letter by letter.
fn compare_texts(one: &str, other: &str) -> Ordering {
    match (in_utc(one), in_utc(other)) {
        (Some(one), Some(other)) => compare_moments(&one, &other),
        _ => one.cmp(other),
    }
}

/// Of two moments in UTC the fractions may be of different lengths: `…05Z` comes before `…05.5Z`.
fn compare_moments(one: &str, other: &str) -> Ordering {
    one.trim_end_matches('Z').cmp(other.trim_end_matches('Z'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn numbers_compare_whatever_their_kind() {
        assert_eq!(
            Value::Int(2).compare(&Value::Float(2.5)),
            Some(Ordering::Less)
        );
        assert!(Value::Int(2).is(&Value::Float(2.0)));
        let large = i128::from(i64::MAX);
        assert!(!Value::Int(large).is(&Value::Int(large - 1)), "exactly");
        assert_eq!(Value::Float(f64::NAN).compare(&Value::Int(1)), None);
    }

    #[test]
    fn moments_compare_in_whatever_zone() {
        let early = text("2026-01-01T12:00:00+02:00");
        let late = text("2026-01-01T10:00:00.5Z");
        assert_eq!(early.compare(&late), Some(Ordering::Less));
        assert!(early.is(&text("2026-01-01T10:00:00Z")));
    }

    #[test]
    fn what_cannot_be_compared_is_not_equal() {
        assert_eq!(text("3").compare(&Value::Int(3)), None);
        assert_eq!(Value::Null.compare(&Value::Null), None);
        assert!(Value::Null.is(&Value::Null));
        assert!(!Value::Null.is(&text("")));
    }
}
