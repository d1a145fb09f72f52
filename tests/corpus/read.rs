//! From a file's bytes to values and comments, by the events of `granit-parser`.

use std::collections::{BTreeMap, HashMap};

use granit_parser::{Event, Parser, ScalarStyle, Tag};

use crate::value::{Marks, Value};

/// A file that can be compared.
#[derive(Debug)]
pub(crate) struct File {
    /// The documents by their position; a file of blanks and comments has one that is null.
    pub(crate) documents: Vec<Value>,
    pub(crate) comments: Vec<Comment>,
    /// The content of every line that has any, without comments and surrounding blanks.
    pub(crate) lines: Vec<String>,
}

/// A comment and the content that it stands at.
#[derive(Debug)]
pub(crate) struct Comment {
    /// With its `#`, without surrounding blanks.
    pub(crate) text: String,
    /// The content of its line; for a comment on its own line that of the next line with content, or the last one.
    pub(crate) neighbour: String,
}

/// How much the reader asks of indentation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rigour {
    /// As the specification has it.
    Strict,
    /// As the common readers do: flow collections may be indented less.
    Lenient,
}

/// Reads a file; the error says why the oracle cannot model it.
pub(crate) fn read(bytes: &[u8], rigour: Rigour) -> Result<File, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("not UTF-8: {error}"))?;
    let options = granit_parser::options! {
        emit_anchor_events: true,
        strict_indentation: rigour == Rigour::Strict,
        // The default refuses long comment headers.
        max_buffered_comment_events: 1_000_000,
    };
    let mut builder = Builder::default();
    let mut comments = Vec::new();
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = next.map_err(|error| format!("unreadable: {error}"))?;
        if let Event::Comment(..) = event {
            comments.push((
                span.start.line(),
                span.slice(text).unwrap_or_default().trim().to_owned(),
            ));
        } else {
            builder
                .take(event)
                .map_err(|error| format!("line {}: {error}", span.start.line()))?;
        }
    }
    if builder.documents.is_empty() {
        builder.documents.push(Value::Null);
    }
    let (comments, lines) = with_neighbours(text, comments);
    Ok(File {
        documents: builder.documents,
        comments,
        lines,
    })
}

/// A collection that is still open.
struct Frame {
    marks: Marks,
    items: Vec<Value>,
    mapping: bool,
}

#[derive(Default)]
struct Builder {
    documents: Vec<Value>,
    open: Vec<Frame>,
    anchors: HashMap<usize, String>,
    /// A scalar is kept back for one event: its anchor's name may follow.
    scalar: Option<(Value, Marks)>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        if let Event::Anchor(id, name) = event {
            let marks = match &mut self.scalar {
                Some((_, marks)) => marks,
                None => {
                    &mut self
                        .open
                        .last_mut()
                        .ok_or("an anchor without a node")?
                        .marks
                }
            };
            marks.anchor = Some(name.to_string());
            self.anchors.insert(id, name.into_owned());
            return Ok(());
        }
        if let Some((value, marks)) = self.scalar.take() {
            self.put(value, marks);
        }
        match event {
            Event::Scalar(text, style, _, tag) => {
                self.scalar = Some(scalar(&text, style, tag.as_deref()))
            }
            Event::Alias(id) => {
                let name = self
                    .anchors
                    .get(&id)
                    .cloned()
                    .ok_or("an alias without its anchor")?;
                self.put(Value::Alias(name), Marks::default());
            }
            Event::SequenceStart(_, _, tag) => self.start(tag.as_deref(), false),
            Event::MappingStart(_, _, tag) => self.start(tag.as_deref(), true),
            Event::SequenceEnd | Event::MappingEnd => {
                let frame = self.open.pop().ok_or("an end without a start")?;
                let value = if frame.mapping {
                    mapping(frame.items)?
                } else {
                    Value::Seq(frame.items)
                };
                self.put(value, frame.marks);
            }
            _ => {}
        }
        Ok(())
    }

    fn start(&mut self, tag: Option<&Tag>, mapping: bool) {
        // `!!map` and `!!seq` say nothing new.
        let tag = tag
            .filter(|tag| tag.core_suffix().is_none())
            .map(ToString::to_string);
        self.open.push(Frame {
            marks: Marks { tag, anchor: None },
            items: Vec::new(),
            mapping,
        });
    }

    fn put(&mut self, value: Value, marks: Marks) {
        let value = if marks == Marks::default() {
            value
        } else {
            Value::Marked(marks, Box::new(value))
        };
        match self.open.last_mut() {
            Some(frame) => frame.items.push(value),
            None => self.documents.push(value),
        }
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> (Value, Marks) {
    let mut marks = Marks::default();
    let value = match tag {
        None if style == ScalarStyle::Plain => Value::resolve(text),
        Some(tag) if !tag.is_yaml_core_schema_tag("str") && tag.core_suffix().is_some() => {
            Value::resolve(text)
        }
        Some(tag) if tag.core_suffix().is_none() => {
            marks.tag = Some(tag.to_string());
            Value::Text(text.to_owned())
        }
        _ => Value::Text(text.to_owned()),
    };
    (value, marks)
}

fn mapping(items: Vec<Value>) -> Result<Value, String> {
    let mut entries = BTreeMap::new();
    let mut items = items.into_iter();
    while let (Some(key), Some(value)) = (items.next(), items.next()) {
        if let Some((key, _)) = entries.remove_entry(&key) {
            return Err(format!("duplicate key {key}"));
        }
        entries.insert(key, value);
    }
    Ok(Value::Map(entries))
}

fn with_neighbours(text: &str, comments: Vec<(usize, String)>) -> (Vec<Comment>, Vec<String>) {
    // Several events may share a line in no way that matters: the first comment of a line cuts its content.
    let mut contents: Vec<&str> = text.lines().map(str::trim).collect();
    for (line, comment) in &comments {
        if let Some(content) = contents.get_mut(line.wrapping_sub(1)) {
            *content = content
                .strip_suffix(comment.as_str())
                .unwrap_or(content)
                .trim_end();
        }
    }
    let telling = |content: &&&str| !content.is_empty() && **content != "---";
    // Filled from the end once, not searched for every comment: long headers would make that quadratic.
    let mut next = vec![""; contents.len() + 1];
    for at in (0..contents.len()).rev() {
        next[at] = Some(&contents[at]).filter(telling).unwrap_or(&next[at + 1]);
    }
    let last = contents.iter().rev().find(telling).copied().unwrap_or("");
    let comments = comments
        .into_iter()
        .map(|(line, text)| {
            let next = next.get(line.wrapping_sub(1)).copied().unwrap_or("");
            let neighbour = if next.is_empty() { last } else { next }.to_owned();
            Comment { text, neighbour }
        })
        .collect();
    let lines = contents
        .iter()
        .filter(|line| !line.is_empty())
        .map(|line| (*line).to_owned())
        .collect();
    (comments, lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Value {
        let mut file = read(text.as_bytes(), Rigour::Strict).unwrap();
        assert_eq!(file.documents.len(), 1);
        file.documents.remove(0)
    }

    #[test]
    fn spelling_does_not_count() {
        assert_eq!(one("a: 1\nb: [x, 'y']\n"), one("{b: [\"x\", y], a: 0x1}"));
        assert_eq!(one("a: |\n  x\n"), one("a: \"x\\n\""));
        assert_eq!(one("a:\n"), one("a: ~"));
        assert_ne!(one("a: '1'"), one("a: 1"));
        assert_eq!(one("a: !!str 1"), one("a: '1'"));
    }

    #[test]
    fn anchors_and_tags_stay() {
        let Value::Map(entries) = one("a: &x {k: 1}\nb: *x\nc: &y v\nd: !t v\n") else {
            panic!()
        };
        let values: Vec<String> = entries.values().map(ToString::to_string).collect();
        assert_eq!(values[..3], ["&x {\"k\": 1}", "*x", "&y \"v\""]);
        assert!(
            matches!(&entries[&Value::Text("d".into())], Value::Marked(marks, _) if marks.tag.is_some())
        );
    }

    #[test]
    fn duplicate_keys_are_refused() {
        assert!(read(b"a: 1\na: 2\n", Rigour::Strict).is_err());
        assert!(read(b"- {a: 1, 'a': 2}\n", Rigour::Strict).is_err());
    }

    #[test]
    fn documents_are_counted() {
        assert_eq!(
            read(b"a: 1\n---\nb: 2\n", Rigour::Strict)
                .unwrap()
                .documents
                .len(),
            2
        );
        assert_eq!(
            read(b"# nothing\n", Rigour::Strict).unwrap().documents,
            [Value::Null]
        );
    }

    #[test]
    fn comments_know_their_neighbours() {
        let file = read(
            b"# head\n\n# more\na: 1 # tail\nb: '# no'\n# end\n",
            Rigour::Strict,
        )
        .unwrap();
        let found: Vec<_> = file
            .comments
            .iter()
            .map(|c| (c.text.as_str(), c.neighbour.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("# head", "a: 1"),
                ("# more", "a: 1"),
                ("# tail", "a: 1"),
                ("# end", "b: '# no'")
            ]
        );
    }
}
