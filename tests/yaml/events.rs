//! The event notation of the YAML test suite, printed from a [`Document`].

use std::collections::HashMap;

use rhema_crdt::yaml::{Document, Kind, NodeRef, Style};

/// The whole file as events, one a line, without indentation.
pub(crate) fn events(document: &Document) -> Vec<String> {
    let mut out = vec!["+STR".to_owned()];
    for part in document.parts() {
        let handles = handles(document.slice(part.span));
        out.push(
            if part.explicit_start {
                "+DOC ---"
            } else {
                "+DOC"
            }
            .to_owned(),
        );
        node(document.node(part.root), &handles, &mut out);
        out.push(
            if part.explicit_end {
                "-DOC ..."
            } else {
                "-DOC"
            }
            .to_owned(),
        );
    }
    out.push("-STR".to_owned());
    out
}

/// The text of a scalar in one line.
pub(crate) fn escape(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('\t', "\\t")
        .replace('\r', "\\r")
        .replace('\u{8}', "\\b")
}

/// The tag handles that stand for something in a document: its directives stand above its `---`.
fn handles(part: &str) -> HashMap<String, String> {
    let predefined = HashMap::from([("!!".to_owned(), "tag:yaml.org,2002:".to_owned())]);
    let mut handles = predefined.clone();
    for line in part.split(['\n', '\r']) {
        let line = line.trim_start_matches('\u{feff}');
        if line
            .strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
        {
            return handles;
        }
        let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
        if words.next() == Some("%TAG")
            && let (Some(handle), Some(prefix)) = (words.next(), words.next())
        {
            handles.insert(handle.to_owned(), prefix.to_owned());
        }
    }
    predefined
}

fn tag(tag: &str, handles: &HashMap<String, String>) -> String {
    if tag == "!" {
        // No handle: it says that the node has no tag but is not to be guessed at either.
        return "<!>".to_owned();
    }
    if let Some(verbatim) = tag.strip_prefix("!<").and_then(|tag| tag.strip_suffix('>')) {
        return format!("<{}>", percent_decoded(verbatim));
    }
    let split = tag[1..].find('!').map_or(1, |at| at + 2);
    let (handle, name) = tag.split_at(split);
    let prefix = handles.get(handle).map_or(handle, String::as_str);
    format!("<{}>", percent_decoded(&format!("{prefix}{name}")))
}

fn percent_decoded(text: &str) -> String {
    let mut decoded = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let code: String = bytes.by_ref().take(2).map(char::from).collect();
            decoded.push(u8::from_str_radix(&code, 16).unwrap_or(b'?'));
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn node(node: NodeRef<'_>, handles: &HashMap<String, String>, out: &mut Vec<String>) {
    let mut props = String::new();
    if let Some(anchor) = node.anchor() {
        props.push_str(&format!(" &{anchor}"));
    }
    if let Some(text) = node.tag() {
        props.push_str(&format!(" {}", tag(text, handles)));
    }
    let flow = node.data().flow;
    match node.kind() {
        Kind::Scalar(style) => {
            let sign = match style {
                Style::Empty | Style::Plain => ':',
                Style::Single => '\'',
                Style::Double => '"',
                Style::Literal => '|',
                Style::Folded => '>',
            };
            out.push(format!("=VAL{props} {sign}{}", escape(&node.text())));
        }
        Kind::Alias => out.push(format!("=ALI {}", node.raw())),
        Kind::Mapping => {
            out.push(format!("+MAP{}{props}", if flow { " {}" } else { "" }));
            for entry in node.entries() {
                if let Some(key) = entry.key() {
                    self::node(key, handles, out);
                }
                self::node(entry.value(), handles, out);
            }
            out.push("-MAP".to_owned());
        }
        Kind::Sequence => {
            out.push(format!("+SEQ{}{props}", if flow { " []" } else { "" }));
            for entry in node.entries() {
                self::node(entry.value(), handles, out);
            }
            out.push("-SEQ".to_owned());
        }
    }
}
