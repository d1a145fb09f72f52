//! What a text means, as a tree that can be edited and compared: read by our reader and, independently, by another one.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle};
use rhema_crdt::yaml::{Document, Kind, NodeRef, Scalar, Style, Value};

/// Anchor and tag of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Props {
    pub(crate) anchor: Option<String>,
    pub(crate) tag: Option<String>,
}

/// A node without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Type and value in one text.
    Scalar(Props, String),
    Alias(String),
    Sequence(Props, Vec<Meaning>),
    Mapping(Props, Vec<(Meaning, Meaning)>),
}

impl Meaning {
    pub(crate) fn props(&self) -> Props {
        match self {
            Meaning::Scalar(props, _)
            | Meaning::Sequence(props, _)
            | Meaning::Mapping(props, _) => props.clone(),
            Meaning::Alias(_) => Props::default(),
        }
    }

    pub(crate) fn set_props(&mut self, new: Props) {
        match self {
            Meaning::Scalar(props, _)
            | Meaning::Sequence(props, _)
            | Meaning::Mapping(props, _) => *props = new,
            Meaning::Alias(_) => {}
        }
    }

    /// The value of the entry `index` of a collection.
    pub(crate) fn child(&mut self, index: usize) -> &mut Meaning {
        match self {
            Meaning::Sequence(_, items) => &mut items[index],
            Meaning::Mapping(_, entries) => &mut entries[index].1,
            _ => panic!("no collection"),
        }
    }

    pub(crate) fn at(&mut self, path: &[usize]) -> &mut Meaning {
        path.iter().fold(self, |node, &index| node.child(index))
    }
}

/// The type and value of a scalar in one text.
fn canonical(text: &str, plain: bool) -> String {
    let number = || -> Option<String> {
        let (digits, radix) = match (text.strip_prefix("0x"), text.strip_prefix("0o")) {
            (Some(digits), _) => (digits, 16),
            (_, Some(digits)) => (digits, 8),
            _ => (text, 10),
        };
        if let Ok(value) = i128::from_str_radix(digits, radix)
            && (radix == 10 || !digits.starts_with(['+', '-']))
        {
            return Some(format!("int {value}"));
        }
        let shape = text.trim_start_matches(['+', '-']);
        let starts = shape.starts_with(|c: char| c.is_ascii_digit())
            || (shape.starts_with('.') && shape[1..].starts_with(|c: char| c.is_ascii_digit()));
        let signs = text.len() - shape.len();
        let value = text.parse::<f64>().ok().filter(|_| starts && signs < 2)?;
        Some(format!("float {value:?}"))
    };
    let known = match text {
        _ if !plain => None,
        "" | "~" | "null" | "Null" | "NULL" => Some("null".to_owned()),
        "true" | "True" | "TRUE" => Some("bool true".to_owned()),
        "false" | "False" | "FALSE" => Some("bool false".to_owned()),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some("float inf".to_owned()),
        "-.inf" | "-.Inf" | "-.INF" => Some("float -inf".to_owned()),
        ".nan" | ".NaN" | ".NAN" => Some("float NaN".to_owned()),
        _ => number(),
    };
    known.unwrap_or_else(|| format!("text {text:?}"))
}

fn scalar(props: Props, text: &str, plain: bool) -> Meaning {
    let plain = plain && props.tag.is_none();
    Meaning::Scalar(props, canonical(text, plain))
}

/// The suffix of a tag, which is all that both readers spell alike.
fn suffix(tag: &str) -> String {
    let tag = tag.trim_start_matches("!<").trim_end_matches('>');
    tag.rsplit(['!', ':']).next().unwrap_or_default().to_owned()
}

/// All documents of a text as our reader sees them.
pub(crate) fn ours(document: &Document) -> Vec<Meaning> {
    let parts = document.parts().iter();
    parts.map(|part| of(document.node(part.root))).collect()
}

fn of(node: NodeRef<'_>) -> Meaning {
    let props = Props {
        anchor: node.anchor().map(str::to_owned),
        tag: node.tag().map(suffix),
    };
    match node.kind() {
        Kind::Scalar(style) => {
            let plain = matches!(style, Style::Plain | Style::Empty);
            scalar(props, &node.text(), plain)
        }
        Kind::Alias => Meaning::Alias(node.text().into_owned()),
        Kind::Sequence => Meaning::Sequence(
            props,
            node.entries().map(|entry| of(entry.value())).collect(),
        ),
        Kind::Mapping => {
            let entries = node.entries();
            let entries = entries.map(|entry| (of(entry.key().unwrap()), of(entry.value())));
            Meaning::Mapping(props, entries.collect())
        }
    }
}

/// All documents of a text as the other reader sees them; nothing if it refuses the text.
pub(crate) fn others(text: &str) -> Result<Vec<Meaning>, String> {
    let options = granit_parser::options! {
        emit_anchor_events: true,
        emit_comments: false,
    };
    let mut documents = Vec::new();
    // Open collections, with the nodes that they hold so far.
    let mut open: Vec<(Props, Vec<Meaning>)> = Vec::new();
    let mut names = HashMap::new();
    let mut done: Vec<Meaning> = Vec::new();
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, _) = event.map_err(|error| error.to_string())?;
        let tag = |tag: &Option<std::borrow::Cow<'_, granit_parser::Tag>>| {
            tag.as_ref().map(|tag| suffix(&tag.to_string()))
        };
        let node = match event {
            Event::Scalar(text, style, _, name) => {
                let props = Props {
                    anchor: None,
                    tag: tag(&name),
                };
                Some(scalar(props, &text, style == ScalarStyle::Plain))
            }
            Event::Alias(id) => Some(Meaning::Alias(names.get(&id).cloned().unwrap_or_default())),
            Event::SequenceStart(_, _, name) | Event::MappingStart(_, _, name) => {
                let props = Props {
                    anchor: None,
                    tag: tag(&name),
                };
                open.push((props, Vec::new()));
                None
            }
            Event::SequenceEnd => {
                let (props, nodes) = open.pop().unwrap();
                Some(Meaning::Sequence(props, nodes))
            }
            Event::MappingEnd => {
                let (props, nodes) = open.pop().unwrap();
                let mut nodes = nodes.into_iter();
                let mut entries = Vec::new();
                while let (Some(key), Some(value)) = (nodes.next(), nodes.next()) {
                    entries.push((key, value));
                }
                Some(Meaning::Mapping(props, entries))
            }
            Event::Anchor(id, name) => {
                names.insert(id, name.to_string());
                anchor(&mut open, &mut done, name.to_string());
                None
            }
            Event::DocumentEnd => {
                documents.append(&mut done);
                None
            }
            _ => None,
        };
        if let Some(node) = node {
            open.last_mut()
                .map_or(&mut done, |(_, nodes)| nodes)
                .push(node);
        }
    }
    Ok(documents)
}

/// Names the node that the last event began: a collection without children yet, or else the last scalar.
fn anchor(open: &mut [(Props, Vec<Meaning>)], done: &mut [Meaning], name: String) {
    match open.last_mut() {
        Some((props, nodes)) => match nodes.last_mut() {
            Some(node) => {
                let mut props = node.props();
                props.anchor = Some(name);
                node.set_props(props);
            }
            None => props.anchor = Some(name),
        },
        None => {
            if let Some(node) = done.last_mut() {
                let mut props = node.props();
                props.anchor = Some(name);
                node.set_props(props);
            }
        }
    }
}

/// What a new value means.
pub(crate) fn of_value(value: &Value) -> Meaning {
    match value {
        Value::Scalar(value) => of_scalar(value),
        Value::Sequence(items) => {
            Meaning::Sequence(Props::default(), items.iter().map(of_value).collect())
        }
        Value::Mapping(entries) => {
            let entries = entries.iter();
            let entries = entries.map(|(key, value)| (of_scalar(key), of_value(value)));
            Meaning::Mapping(Props::default(), entries.collect())
        }
    }
}

/// What a new scalar means.
pub(crate) fn of_scalar(value: &Scalar<'_>) -> Meaning {
    let text = match value {
        Scalar::Null => "null".to_owned(),
        Scalar::Bool(value) => format!("bool {value}"),
        Scalar::Int(value) => format!("int {value}"),
        Scalar::Float(value) => format!("float {value:?}"),
        Scalar::Str(text) => format!("text {text:?}"),
        Scalar::Tagged(tag, text) => {
            let props = Props {
                anchor: None,
                tag: Some(suffix(tag)),
            };
            return Meaning::Scalar(props, format!("text {text:?}"));
        }
    };
    Meaning::Scalar(Props::default(), text)
}
