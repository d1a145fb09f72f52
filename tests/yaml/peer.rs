//! What an independent parser reads: the events of `granit-parser`, in the notation of `events.rs`.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, StructureStyle, Tag, options};

use crate::events::escape;

/// The events of the whole text, or the refusal. Whether `...` closes a document is not said.
pub(crate) fn events(text: &str) -> Result<Vec<String>, String> {
    let options = options! {
        strict_indentation: true,
        emit_anchor_events: true,
        emit_comments: false,
        // Our own bound: what only the peer's smaller one refuses would tell nothing.
        simple_key_max_lookahead: 4096,
        max_directive_bytes: 1 << 20,
        max_reserved_directive_params: 1 << 16,
    };
    let mut events = Vec::new();
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = next.map_err(|error| error.to_string())?;
        events.push((event, span.slice(text).unwrap_or_default().to_owned()));
    }
    let mut out = Vec::with_capacity(events.len());
    let names: HashMap<usize, String> = events
        .iter()
        .filter_map(|(event, _)| match event {
            Event::Anchor(id, name) => Some((*id, name.to_string())),
            _ => None,
        })
        .collect();
    let props = |anchor: usize, tag: Option<&Tag>| {
        let mut props = names
            .get(&anchor)
            .map_or_else(String::new, |name| format!(" &{name}"));
        if let Some(tag) = tag {
            let (handle, suffix) = tag.parts();
            props.push_str(&format!(" <{handle}{suffix}>"));
        }
        props
    };
    for (event, source) in &events {
        out.push(match event {
            Event::StreamStart => "+STR".to_owned(),
            Event::StreamEnd => "-STR".to_owned(),
            Event::DocumentStart(true, _) => "+DOC ---".to_owned(),
            Event::DocumentStart(false, _) => "+DOC".to_owned(),
            Event::DocumentEnd => "-DOC".to_owned(),
            Event::Alias(_) => format!("=ALI {source}"),
            Event::MappingStart(style, anchor, tag) => {
                let flow = if *style == StructureStyle::Flow {
                    " {}"
                } else {
                    ""
                };
                format!("+MAP{flow}{}", props(*anchor, tag.as_deref()))
            }
            Event::SequenceStart(style, anchor, tag) => {
                let flow = if *style == StructureStyle::Flow {
                    " []"
                } else {
                    ""
                };
                format!("+SEQ{flow}{}", props(*anchor, tag.as_deref()))
            }
            Event::MappingEnd => "-MAP".to_owned(),
            Event::SequenceEnd => "-SEQ".to_owned(),
            Event::Scalar(value, style, anchor, tag) => {
                let sign = match style {
                    ScalarStyle::Plain => ':',
                    ScalarStyle::SingleQuoted => '\'',
                    ScalarStyle::DoubleQuoted => '"',
                    ScalarStyle::Literal => '|',
                    ScalarStyle::Folded => '>',
                };
                // The peer reads nothing at all as a `~` that stands nowhere in the text.
                let empty = *style == ScalarStyle::Plain && source.is_empty();
                let value = if empty { "" } else { value.as_ref() };
                format!(
                    "=VAL{} {sign}{}",
                    props(*anchor, tag.as_deref()),
                    escape(value)
                )
            }
            _ => continue,
        });
    }
    Ok(out)
}
