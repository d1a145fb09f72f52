//! YAML values as the oracle compares them: by meaning, not by spelling.

use std::collections::BTreeMap;
use std::fmt;

/// A value after core-schema resolution. Mappings have no order here, sequences do.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i128),
    /// The bits of the number: the oracle asks for equality only.
    Float(u64),
    Text(String),
    /// An alias stays a reference: expanding it would show one edit of the anchor as many.
    Alias(String),
    Seq(Vec<Value>),
    Map(BTreeMap<Value, Value>),
    /// A node with an anchor or a tag that the core schema does not know.
    Marked(Marks, Box<Value>),
}

/// What stands before a node's content.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(crate) struct Marks {
    pub(crate) tag: Option<String>,
    pub(crate) anchor: Option<String>,
}

impl Value {
    /// The value without its marks, and the marks.
    pub(crate) fn split(&self) -> (&Value, Marks) {
        match self {
            Self::Marked(marks, inner) => (inner, marks.clone()),
            plain => (plain, Marks::default()),
        }
    }

    pub(crate) fn is_scalar(&self) -> bool {
        !matches!(self.split().0, Self::Seq(_) | Self::Map(_))
    }

    /// A plain scalar under the core schema of YAML 1.2.
    pub(crate) fn resolve(text: &str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Self::Null,
            "true" | "True" | "TRUE" => return Self::Bool(true),
            "false" | "False" | "FALSE" => return Self::Bool(false),
            ".nan" | ".NaN" | ".NAN" => return Self::Float(f64::NAN.to_bits()),
            _ => {}
        }
        number(text).unwrap_or_else(|| Self::Text(text.to_owned()))
    }
}

fn number(text: &str) -> Option<Value> {
    let radix = |digits: &str, radix| i128::from_str_radix(digits, radix).ok();
    let unsigned = |digits: &str| !digits.starts_with(['+', '-']);
    if let Some(digits) = text.strip_prefix("0o").filter(|d| unsigned(d)) {
        return radix(digits, 8).map(Value::Int);
    }
    if let Some(digits) = text.strip_prefix("0x").filter(|d| unsigned(d)) {
        return radix(digits, 16).map(Value::Int);
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        // Longer numbers are told apart by their text.
        return text.parse().ok().map(Value::Int);
    }
    if matches!(digits, ".inf" | ".Inf" | ".INF") {
        let infinity = if text.starts_with('-') {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        };
        return Some(Value::Float(infinity.to_bits()));
    }
    // Rust reads `inf`, `nan` and `infinity` too: the core schema does not.
    let float = digits.starts_with(|c: char| c == '.' || c.is_ascii_digit())
        && digits.contains(|c: char| c.is_ascii_digit())
        && digits
            .bytes()
            .all(|b| b.is_ascii_digit() || b".eE+-".contains(&b));
    if float {
        text.parse::<f64>().ok().map(|f| Value::Float(f.to_bits()))
    } else {
        None
    }
}

impl fmt::Display for Value {
    /// One short line for reasons and paths.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = match self {
            Self::Null => "null".to_owned(),
            Self::Bool(b) => b.to_string(),
            Self::Int(i) => i.to_string(),
            Self::Float(bits) => f64::from_bits(*bits).to_string(),
            Self::Text(text) => format!("{text:?}"),
            Self::Alias(name) => format!("*{name}"),
            Self::Seq(items) => {
                let items: Vec<String> = items.iter().take(6).map(Self::to_string).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Map(entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .take(6)
                    .map(|(k, v)| format!("{k}: {v}"))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
            Self::Marked(marks, inner) => {
                let anchor = marks.anchor.as_ref().map(|a| format!("&{a} "));
                let tag = marks.tag.as_ref().map(|t| format!("!{t} "));
                format!(
                    "{}{}{inner}",
                    anchor.unwrap_or_default(),
                    tag.unwrap_or_default()
                )
            }
        };
        if let Some((end, _)) = text.char_indices().nth(90) {
            text.truncate(end);
            text.push('…');
        }
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_resolve_by_the_core_schema() {
        assert_eq!(Value::resolve("0x1F"), Value::Int(31));
        assert_eq!(Value::resolve("0o17"), Value::Int(15));
        assert_eq!(Value::resolve("+12"), Value::Int(12));
        assert_eq!(Value::resolve("1e3"), Value::resolve("1000.0"));
        assert_ne!(
            Value::resolve("1"),
            Value::resolve("1.0"),
            "a type change is an edit"
        );
        for text in [
            "yes",
            "inf",
            "nan",
            "1.2.3",
            "-",
            ".",
            "e5",
            "2020-01-01",
            "0x-1",
            "1_000",
        ] {
            assert_eq!(Value::resolve(text), Value::Text(text.to_owned()), "{text}");
        }
    }
}
