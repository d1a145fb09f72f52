//! Edits by hand: lines are changed, and those around them stay as they are.

/// The lines of a text that are about one thing.
type Lines = std::ops::Range<usize>;

/// A text as somebody has it in an editor.
pub(crate) struct Page {
    lines: Vec<String>,
}

impl Page {
    pub(crate) fn of(text: &str) -> Self {
        Self {
            lines: text.lines().map(str::to_owned).collect(),
        }
    }

    pub(crate) fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// Writes a value into a field of a record, or of the root.
    pub(crate) fn write(&mut self, record: Option<&str>, field: &str, value: &str) {
        let (within, indent) = self.within(record);
        let line = format!("{}{field}: {value}", " ".repeat(indent));
        let at = match self.field(&within, indent, field) {
            Some(lines) => lines,
            None if record.is_none() => {
                let at = self.list();
                at..at
            }
            None => within.end..within.end,
        };
        self.lines.splice(at, [line]);
    }

    /// Deletes a field.
    pub(crate) fn delete(&mut self, record: Option<&str>, field: &str) {
        let (within, indent) = self.within(record);
        if let Some(lines) = self.field(&within, indent, field) {
            self.lines.drain(lines);
        }
    }

    /// Cuts a record out.
    pub(crate) fn cut(&mut self, record: &str) -> Vec<String> {
        let (lines, _) = self.within(Some(record));
        let cut = self.lines.drain(lines).collect();
        let list = self.list();
        let is_empty = !self.lines.iter().any(|line| line.starts_with("  - id: "));
        if let Some(line) = self.lines.get_mut(list).filter(|_| is_empty) {
            *line = "todos: []".to_owned();
        }
        cut
    }

    /// Puts a record behind all others.
    pub(crate) fn paste(&mut self, record: Vec<String>) {
        let list = self.list();
        if let Some(line) = self.lines.get_mut(list) {
            *line = "todos:".to_owned();
        }
        let at = self.end(list, 0);
        self.lines.splice(at..at, record);
    }

    /// Gives a record another id.
    pub(crate) fn rename(&mut self, record: &str, id: &str) {
        let (lines, _) = self.within(Some(record));
        self.lines[lines.start] = format!("  - id: {id}");
    }

    /// The line that begins the list of the records.
    fn list(&self) -> usize {
        let mut lines = self.lines.iter();
        let list = lines.position(|line| line.starts_with("todos:"));
        list.unwrap_or(self.lines.len())
    }

    /// The lines of a record, or all, and how far its fields are indented.
    fn within(&self, record: Option<&str>) -> (Lines, usize) {
        let Some(record) = record else {
            return (0..self.lines.len(), 0);
        };
        let first = format!("  - id: {record}");
        let mut lines = self.lines.iter();
        let start = lines.position(|line| *line == first).unwrap();
        (start..self.end(start, 2), 4)
    }

    fn field(&self, within: &Lines, indent: usize, field: &str) -> Option<Lines> {
        let begins = format!("{}{field}:", " ".repeat(indent));
        let mut lines = within.clone();
        let start = lines.find(|at| self.lines[*at].starts_with(&begins))?;
        Some(start..self.end(start, indent))
    }

    /// Where what begins in a line, so far indented, ends.
    fn end(&self, start: usize, indent: usize) -> usize {
        let is_member =
            |line: &str| !self.lines[start][indent..].starts_with('-') && line.starts_with("- ");
        let is_inside = |line: &String| {
            let said = line.trim_start();
            line.len() - said.len() > indent
                || said.is_empty()
                || line.get(indent..).is_some_and(is_member)
        };
        let inside = self.lines[start + 1..]
            .iter()
            .take_while(|line| is_inside(line));
        start + 1 + inside.count()
    }
}
