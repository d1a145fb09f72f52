//! Which of many a question is about, and in which order.

use std::cmp::Ordering;

use super::{Comparison, Condition, Direction, Query, Test, Value};
use crate::yaml::{Kind, NodeRef};

/// What has fields.
pub trait Fields {
    /// The value of a field, by its name or by the way to it, with dots; null where there is none.
    fn field(&self, name: &str) -> Value;
}

/// A record: its fields, and with dots those of the mappings in it.
impl Fields for NodeRef<'_> {
    fn field(&self, name: &str) -> Value {
        if let Some(entry) = self.get(name) {
            return Value::of(entry.value());
        }
        let mut dots = name.match_indices('.');
        let found = dots.find_map(|(at, _)| {
            let inside = self.get(&name[..at])?.value();
            (inside.kind() == Kind::Mapping).then(|| inside.field(&name[at + 1..]))
        });
        found.unwrap_or(Value::Null)
    }
}

/// The places, among all, of those that a question is about, in its order.
#[must_use]
pub fn select<F: Fields>(query: &Query, all: &[F]) -> Vec<usize> {
    let mut found: Vec<usize> = (0..all.len())
        .filter(|place| {
            all.get(*place)
                .is_some_and(|one| query.condition.holds(one))
        })
        .collect();
    if !query.order.is_empty() {
        let keys = |place: usize| -> Vec<Value> {
            let fields = query.order.iter().map(|order| &order.field);
            let one = all.get(place);
            fields
                .map(|name| one.map_or(Value::Null, |one| one.field(name)))
                .collect()
        };
        let mut keyed: Vec<(Vec<Value>, usize)> = found
            .into_iter()
            .map(|place| (keys(place), place))
            .collect();
        // What is equal stays as it stood.
        keyed.sort_by(|(one, _), (other, _)| query.compare(one, other));
        found = keyed.into_iter().map(|(_, place)| place).collect();
    }
    let limit = query.limit.unwrap_or(usize::MAX);
    found.into_iter().skip(query.offset).take(limit).collect()
}

impl Query {
    fn compare(&self, one: &[Value], other: &[Value]) -> Ordering {
        let pairs = one.iter().zip(other).zip(&self.order);
        pairs
            .map(|((one, other), order)| in_order(one, other, order.direction))
            .find(|ordering| ordering.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

/// Null stands behind all else whichever way the order goes; kinds that cannot be compared stand apart.
fn in_order(one: &Value, other: &Value, direction: Direction) -> Ordering {
    match (one.is_null(), other.is_null()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let ordering = one
        .compare(other)
        .unwrap_or_else(|| rank(one).cmp(&rank(other)));
    match direction {
        Direction::Ascending => ordering,
        Direction::Descending => ordering.reverse(),
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 4,
        Value::Bool(_) => 0,
        Value::Int(_) | Value::Float(_) => 1,
        Value::Text(_) => 2,
        Value::List(_) => 3,
    }
}

impl Condition {
    /// Whether it holds.
    #[must_use]
    pub fn holds(&self, of: &impl Fields) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|one| one.holds(of)),
            Self::Any(conditions) => conditions.iter().any(|one| one.holds(of)),
            Self::Not(condition) => !condition.holds(of),
            Self::Field { name, test } => test.passes(&of.field(name)),
        }
    }
}

impl Test {
    fn passes(&self, value: &Value) -> bool {
        match self {
            Self::IsNull => value.is_null(),
            Self::In(values) => values.iter().any(|one| one.is(value)),
            Self::Compares(comparison, other) => comparison.holds(value, other),
            Self::Like(form) => match value {
                Value::Text(text) => is_like(&letters(text), &letters(form)),
                _ => false,
            },
            Self::Contains(part) => match (value, part) {
                (Value::List(values), part) => values.iter().any(|one| one.is(part)),
                (Value::Text(text), Value::Text(part)) => text.contains(part.as_str()),
                _ => false,
            },
        }
    }
}

impl Comparison {
    fn holds(self, value: &Value, other: &Value) -> bool {
        let ordering = value.compare(other);
        match self {
            Self::Equal => value.is(other),
            Self::Unequal => !value.is(other),
            Self::Less => ordering == Some(Ordering::Less),
            Self::LessOrEqual => ordering.is_some_and(Ordering::is_le),
            Self::Greater => ordering == Some(Ordering::Greater),
            Self::GreaterOrEqual => ordering.is_some_and(Ordering::is_ge),
        }
    }
}

fn letters(text: &str) -> Vec<char> {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Whether a text is of a form. Where a `%` may stand for more than it was tried with it is tried again from the last one alone:
/// the time is at most the product of both lengths.
fn is_like(text: &[char], form: &[char]) -> bool {
    let (mut at, mut in_form) = (0, 0);
    let mut again: Option<(usize, usize)> = None;
    while at < text.len() {
        match form.get(in_form) {
            Some('%') => {
                again = Some((in_form, at));
                in_form += 1;
            }
            Some(letter) if *letter == '_' || text.get(at) == Some(letter) => {
                at += 1;
                in_form += 1;
            }
            _ => {
                let Some((percent, tried)) = again else {
                    return false;
                };
                again = Some((percent, tried + 1));
                in_form = percent + 1;
                at = tried + 1;
            }
        }
    }
    form.get(in_form..)
        .unwrap_or_default()
        .iter()
        .all(|letter| *letter == '%')
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use crate::yaml::{Document, Limits};

    const TODOS: &str = "\
- {id: a, status: pending, priority: 2, created_at: 2026-01-03T00:00:00Z, tags: [ui, bug]}
- {id: b, status: done, priority: 10, created_at: 2026-01-01T00:00:00+01:00, title: Ship it}
- {id: c, status: pending, priority: 3.5, owner: {name: Ann}, title: ship THAT}
- {id: d, status: null, created_at: 2026-01-02T00:00:00Z}
";

    fn found(query: &str) -> String {
        let document = Document::from_text(TODOS.to_owned(), &Limits::default()).unwrap();
        let root = document.root().unwrap();
        let records: Vec<_> = root.entries().map(|entry| entry.value()).collect();
        let query = parse(query).unwrap();
        let places = select(&query, &records).into_iter();
        let ids = places.map(|place| match records[place].field("id") {
            Value::Text(id) => id,
            other => format!("{other:?}"),
        });
        ids.collect()
    }

    #[test]
    fn records_are_found_by_what_they_hold() {
        for (query, ids) in [
            ("todos", "abcd"),
            ("todos WHERE status = 'pending'", "ac"),
            ("todos WHERE status != 'pending'", "bd"),
            ("todos WHERE status IS NULL", "d"),
            ("todos WHERE owner IS NOT NULL", "c"),
            ("todos WHERE priority > 2", "bc"),
            ("todos WHERE priority >= 2 AND priority < 10", "ac"),
            ("todos WHERE priority <= 2 OR status = done", "ab"),
            ("todos WHERE id IN ('a', 'd', 'z')", "ad"),
            ("todos WHERE id NOT IN (a, d)", "bc"),
            ("todos WHERE title LIKE 'ship %'", "bc"),
            ("todos WHERE title LIKE '%T'", "bc"),
            ("todos WHERE title LIKE 'ship __'", "b"),
            ("todos WHERE tags CONTAINS 'bug'", "a"),
            ("todos WHERE title CONTAINS 'it'", "b"),
            ("todos WHERE owner.name = 'Ann'", "c"),
            ("todos WHERE created_at < '2026-01-01T12:00:00Z'", "b"),
            ("todos WHERE NOT (status = pending OR status = done)", "d"),
            (
                "todos WHERE status = pending AND priority = 2 OR id = d",
                "ad",
            ),
            (
                "todos WHERE status = pending AND (priority = 2 OR id = d)",
                "a",
            ),
            ("todos WHERE nothing = 1", ""),
        ] {
            assert_eq!(found(query), ids, "{query}");
        }
    }

    #[test]
    fn records_are_put_in_order_and_what_has_no_value_comes_last() {
        for (query, ids) in [
            ("todos ORDER BY created_at", "bdac"),
            ("todos ORDER BY created_at DESC", "adbc"),
            ("todos ORDER BY priority DESC LIMIT 2", "bc"),
            ("todos ORDER BY status, id DESC", "bcad"),
            ("todos ORDER BY id LIMIT 2 OFFSET 1", "bc"),
            ("todos LIMIT 0", ""),
        ] {
            assert_eq!(found(query), ids, "{query}");
        }
    }

    #[test]
    fn a_form_is_tried_in_time() {
        let text = "a".repeat(2_000);
        let form = "%a".repeat(500) + "b";
        assert!(!is_like(&letters(&text), &letters(&form)));
        assert!(is_like(&letters(""), &letters("%%")));
        assert!(!is_like(&letters(""), &letters("_")));
    }
}
