//! Writes a document.

use super::tree::{Entry, File, Frame, Group, Quotes, Value};

impl File {
    pub(crate) fn render(&self) -> String {
        let mut out = String::new();
        let writer = Writer { frame: self.frame };
        writer.block(&self.root, 0, false, &mut out);
        if self.root.entries.is_empty() {
            out.push_str("{}\n");
        }
        if !self.frame.final_newline && out.ends_with('\n') {
            out.pop();
        }
        if self.frame.crlf {
            out = out.replace('\n', "\r\n");
        }
        if self.frame.bom {
            out.insert(0, '\u{feff}');
        }
        out
    }
}

struct Writer {
    frame: Frame,
}

impl Writer {
    fn block(&self, group: &Group, column: usize, compact: bool, out: &mut String) {
        for (index, entry) in group.entries.iter().enumerate() {
            let compact = compact && index == 0;
            if !compact {
                comments(&entry.lead, column, out);
                out.push_str(&" ".repeat(column));
            }
            self.entry(entry, column, out);
        }
        comments(&group.foot, column, out);
    }

    fn entry(&self, entry: &Entry, column: usize, out: &mut String) {
        match &entry.key {
            Some(key) => out.push_str(&format!("{key}:")),
            None => out.push('-'),
        }
        let beside = entry.beside.as_ref().map(|comment| format!(" # {comment}"));
        let beside = beside.unwrap_or_default();
        match &entry.value {
            Value::Text(style, lines) => {
                out.push_str(&format!(" {style}{beside}\n"));
                for line in lines {
                    if !line.is_empty() {
                        out.push_str(&" ".repeat(column + self.frame.step));
                        out.push_str(line);
                    }
                    out.push('\n');
                }
            }
            Value::Map(group) | Value::Seq(group) if !group.flow && !group.entries.is_empty() => {
                let first = &group.entries[0];
                let is_list = matches!(entry.value, Value::Seq(_));
                if entry.key.is_none() && beside.is_empty() && first.lead.is_empty() {
                    out.push(' ');
                    self.block(group, column + 2, true, out);
                } else {
                    out.push_str(&format!("{beside}\n"));
                    let deeper = if is_list && entry.key.is_some() && self.frame.flush_lists {
                        0
                    } else if entry.key.is_none() {
                        2
                    } else {
                        self.frame.step
                    };
                    self.block(group, column + deeper, false, out);
                }
            }
            value => {
                out.push(' ');
                flow(value, out);
                out.push_str(&format!("{beside}\n"));
                if let Some(group) = value.group() {
                    comments(&group.foot, column + 2, out);
                }
            }
        }
    }
}

fn comments(lines: &[String], column: usize, out: &mut String) {
    for line in lines {
        if !line.is_empty() {
            out.push_str(&format!("{}# {line}", " ".repeat(column)));
        }
        out.push('\n');
    }
}

fn flow(value: &Value, out: &mut String) {
    match value {
        Value::Leaf(text, Quotes::Plain) => out.push_str(text),
        Value::Leaf(text, Quotes::Single) => out.push_str(&format!("'{text}'")),
        Value::Leaf(text, Quotes::Double) => out.push_str(&format!("\"{text}\"")),
        Value::Text(..) => unreachable!("a block text inside brackets"),
        Value::Map(group) | Value::Seq(group) => {
            let is_map = matches!(value, Value::Map(_));
            out.push(if is_map { '{' } else { '[' });
            for (index, entry) in group.entries.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                if let Some(key) = &entry.key {
                    out.push_str(&format!("{key}: "));
                }
                flow(&entry.value, out);
            }
            out.push(if is_map { '}' } else { ']' });
        }
    }
}
