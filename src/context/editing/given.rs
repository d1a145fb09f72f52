//! Values as people type them: `priority=3`, `title=Ship it`, `tags=[a, b]`.

use std::fmt;
use std::str::FromStr;

use super::super::same;
use super::super::settling::{BEGINNINGS, checked, writing::NewValue};
use crate::yaml::{Document, Limits, NodeRef, Scalar, Value};

/// A value that was typed: YAML of one line, or a text.
///
/// A text in several lines is one as it stands, and so is what YAML does not take for a value (`Fix: the bug`, `#12`,
/// `50 % @ home`), unless it begins like one that was meant: with a quote, a bracket, `&`, `*` or `!`. Nothing at all is
/// the empty text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// In one line, as YAML; nothing where it is a text as it stands.
    typed: Option<String>,
    value: NewValue,
}

/// Why something typed is no value, or no field with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotGiven {
    /// Begun like YAML, and none.
    #[error(
        "that begins like a quoted text, a list, a mapping, an anchor, an alias or a tag, and is none: put quotes around it, as in 'field=\"…\"'"
    )]
    NotAValue,
    /// No field, or no `=` behind it.
    #[error("say what is to hold what, as in `status=completed`")]
    NotAnAssignment,
}

impl FromStr for Given {
    type Err = NotGiven;

    fn from_str(text: &str) -> Result<Self, NotGiven> {
        if text.contains(['\n', '\r']) || text.trim().is_empty() {
            return Ok(Self::text_of(text));
        }
        match checked(text) {
            Ok(typed) => Ok(Self {
                value: value_of(&typed),
                typed: Some(typed),
            }),
            Err(_) if text.trim_start().starts_with(BEGINNINGS) => Err(NotGiven::NotAValue),
            Err(_) => Ok(Self::text_of(text.trim())),
        }
    }
}

/// As it may be typed: whoever reads that gets the same.
impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.typed, &self.value) {
            (Some(typed), _) => f.write_str(typed),
            (None, NewValue::Meant(Value::Scalar(Scalar::Str(text)))) => f.write_str(text),
            // Nothing else is untyped.
            (None, _) => Ok(()),
        }
    }
}

impl Given {
    /// A text as it stands.
    pub(super) fn text_of(text: &str) -> Self {
        Self {
            typed: None,
            value: NewValue::of_text(text),
        }
    }

    /// A number.
    pub(super) fn number(number: i64) -> Self {
        Self {
            typed: Some(number.to_string()),
            value: NewValue::Meant(Scalar::Int(number.into()).into()),
        }
    }

    /// The scalar that it is, as a text; nothing for null and for collections.
    pub(super) fn text(&self) -> Option<String> {
        match (&self.value, &self.typed) {
            (NewValue::Meant(Value::Scalar(Scalar::Str(text))), _) => {
                Some(text.clone().into_owned())
            }
            (
                NewValue::Meant(
                    Value::Scalar(Scalar::Null) | Value::Sequence(_) | Value::Mapping(_),
                ),
                _,
            ) => None,
            (_, typed) => typed.clone(),
        }
        .filter(|text| !text.is_empty())
    }

    /// As it is to be written in the place of `old`, or in the manner of it: a collection that was typed in brackets is
    /// written by indentation where `old` is.
    pub(super) fn beside(&self, old: Option<NodeRef<'_>>) -> NewValue {
        let is_collection = matches!(
            self.value,
            NewValue::Meant(Value::Sequence(_) | Value::Mapping(_))
        );
        match &self.typed {
            Some(typed)
                if is_collection
                    && !old.is_some_and(|old| old.is_collection() && !old.is_empty()) =>
            {
                NewValue::Typed(typed.clone())
            }
            _ => self.value.clone(),
        }
    }

    /// Whether a node holds just this.
    #[must_use]
    pub fn is(&self, node: NodeRef<'_>) -> bool {
        let text = match (&self.typed, &self.value) {
            (Some(typed), _) => typed.clone(),
            (None, NewValue::Meant(Value::Scalar(Scalar::Str(text)))) => {
                crate::yaml::double_quoted(text)
            }
            (None, _) => return false,
        };
        with_node(&text, |given| same(given, node)).unwrap_or(false)
    }
}

/// What becomes of a value in one line once it is read.
fn with_node<T>(text: &str, then: impl FnOnce(NodeRef<'_>) -> T) -> Option<T> {
    let document = Document::from_text(format!("a: {text}\n"), &Limits::default()).ok()?;
    Some(then(document.root()?.get("a")?.value()))
}

/// What a value of one line means. What would be written otherwise than it was typed, though nobody asked for that (a
/// number in another spelling), stays as it was typed.
fn value_of(typed: &str) -> NewValue {
    let as_typed = || NewValue::Typed(typed.to_owned());
    match with_node(typed, Value::of).flatten() {
        None | Some(Value::Scalar(Scalar::Float(_))) => as_typed(),
        Some(Value::Scalar(Scalar::Int(number))) if number.to_string() != typed => as_typed(),
        Some(value) => NewValue::Meant(value),
    }
}

/// A field and the value that it is to have: `status=completed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The field, or the path to it.
    pub path: String,
    /// Its value.
    pub value: Given,
}

impl FromStr for Assignment {
    type Err = NotGiven;

    fn from_str(text: &str) -> Result<Self, NotGiven> {
        let (path, value) = text.split_once('=').ok_or(NotGiven::NotAnAssignment)?;
        let path = path.trim().trim_matches('/');
        if path.is_empty() {
            return Err(NotGiven::NotAnAssignment);
        }
        Ok(Self {
            path: path.to_owned(),
            value: value.parse()?,
        })
    }
}

impl Assignment {
    /// Whether a record holds this.
    #[must_use]
    pub fn holds_in(&self, record: NodeRef<'_>) -> bool {
        let walk = super::super::address::Address::new(&self.path);
        let walk = walk.walk(record);
        walk.rest.is_empty() && self.value.is(walk.node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str) -> Given {
        text.parse().unwrap()
    }

    fn str(text: &str) -> NewValue {
        NewValue::Meant(text.into())
    }

    #[test]
    fn values_are_yaml_and_what_is_none_is_a_text() {
        for (typed, value) in [
            ("Ship it", str("Ship it")),
            ("", str("")),
            ("\"3\"", str("3")),
            ("Fix: the bug", str("Fix: the bug")),
            ("#12 again", str("#12 again")),
            ("not # a comment", str("not # a comment")),
            ("- dash", str("- dash")),
            ("@home", str("@home")),
            ("> all", str("> all")),
            ("two\nlines\n", str("two\nlines\n")),
            ("3", NewValue::Meant(3.into())),
            ("true", NewValue::Meant(true.into())),
            ("~", NewValue::Meant(Scalar::Null.into())),
            ("0x10", NewValue::Typed("0x10".to_owned())),
            ("1.50", NewValue::Typed("1.50".to_owned())),
        ] {
            assert_eq!(given(typed).value, value, "{typed}");
        }
    }

    #[test]
    fn what_was_typed_can_be_told_and_read_again() {
        for typed in [
            "Ship it",
            "",
            " ",
            " padded ",
            "\"3\"",
            "'it''s'",
            "Fix: the bug",
            "#12 again",
            "not # a comment",
            "two\r\nlines\n",
            " two\nlines ",
            "0x10",
            "1.50",
            " [a, 'b c']",
            "{a: 1}",
            "~",
            "2024-01-15T09:00:00Z",
        ] {
            let meant = given(typed);
            assert_eq!(given(&meant.to_string()), meant, "{typed:?}");
        }
    }

    #[test]
    fn what_begins_like_yaml_and_is_none_is_refused() {
        for typed in ["[a, b", "\"open", "'it's'", "{a: 1", "*nobody", "\"a\" b"] {
            assert_eq!(typed.parse::<Given>(), Err(NotGiven::NotAValue), "{typed}");
        }
        for typed in ["status", "=done", ""] {
            assert_eq!(typed.parse::<Assignment>(), Err(NotGiven::NotAnAssignment));
        }
    }

    #[test]
    fn a_record_is_picked_by_what_its_fields_hold() {
        let text =
            "{id: a, n: 3, t: '3', at: 2024-01-15T09:00:00Z, meta: {owner: me}, tags: [x, y]}";
        let document = Document::from_text(text.to_owned(), &Limits::default()).unwrap();
        let holds = |typed: &str| {
            let assignment: Assignment = typed.parse().unwrap();
            assignment.holds_in(document.root().unwrap())
        };
        for typed in [
            "n=3",
            "t=\"3\"",
            "at=2024-01-15T10:00:00+01:00",
            "meta.owner=me",
            "tags=[x,y]",
        ] {
            assert!(holds(typed), "{typed}");
        }
        for typed in ["n=\"3\"", "t=3", "nothing=x", "meta.owner=you", "tags=x"] {
            assert!(!holds(typed), "{typed}");
        }
    }
}
