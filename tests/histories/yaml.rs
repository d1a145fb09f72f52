//! The real thing: YAML texts as people write them, the real driver and the real stamping.

use std::collections::BTreeSet;

use rhema_crdt::context::{self, Conflicts, Lost};
use rhema_crdt::crdt::Stamp;
use rhema_crdt::merge::{self, Ancestry, Options, Version};
use rhema_crdt::yaml::{Document, Limits, NodeRef, Scalar};

use crate::view::{Change, Choice, LEAVES, NAME, ORIGIN, Past, Roomy, Seen, Tool, View};

/// The driver and the commands behind it.
pub(crate) struct Driver;

/// A file as text.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) text: String,
    roomy: Roomy,
}

impl Text {
    /// The text with the members of plain lists sorted: where several branches touch one place of such a list, the members are
    /// the same in any order of merging, their order need not be.
    pub(crate) fn in_any_list_order(&self) -> String {
        let line = |line: &str| match line.split_once("tags: [") {
            Some((before, tags)) => {
                let mut tags: Vec<&str> = tags.trim_end_matches(']').split(", ").collect();
                tags.sort_unstable();
                format!("{before}tags: {tags:?}\n")
            }
            None => format!("{line}\n"),
        };
        self.text.lines().map(line).collect()
    }

    pub(crate) fn of(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            roomy: false,
        }
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

pub(crate) fn read(text: &str) -> Document {
    Document::from_text(text.to_owned(), &Limits::default())
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

pub(crate) fn merged(base: &str, ours: &str, theirs: &str) -> String {
    merged_knowing(base, ours, theirs, None)
}

fn merged_knowing(base: &str, ours: &str, theirs: &str, past: Option<&Past<Text>>) -> String {
    let merge = |ours: &str, theirs: &str, is_swapped| {
        let told = past.map(|past| Told { past, is_swapped });
        let options = Options {
            ancestry: told.as_ref().map(|told| told as &dyn Ancestry),
            ..Options::default()
        };
        let texts = [base, ours, theirs].map(str::as_bytes);
        merge::merge(texts[0], texts[1], texts[2], &options)
            .unwrap_or_else(|error| panic!("{error}\n{base}\n{ours}\n{theirs}"))
    };
    let merged = merge(ours, theirs, false);
    assert_eq!(
        merged.contested, 0,
        "a document is never contested\n{base}\n{ours}\n{theirs}"
    );
    let text = String::from_utf8(merged.bytes).unwrap();
    let swapped = String::from_utf8(merge(theirs, ours, true).bytes).unwrap();
    assert_eq!(
        text, swapped,
        "the sides can be swapped\n--- base\n{base}--- ours\n{ours}--- theirs\n{theirs}"
    );
    text
}

/// The past of two commits as the driver asks for it.
#[derive(Debug)]
struct Told<'p> {
    past: &'p Past<Text>,
    is_swapped: bool,
}

impl Ancestry for Told<'_> {
    fn versions(&self, of: Version) -> Option<Vec<Vec<u8>>> {
        let files = match (of, self.is_swapped) {
            (Version::Base, _) => &self.past.both,
            (Version::Ours, false) | (Version::Theirs, true) => &self.past.ours,
            (Version::Theirs, false) | (Version::Ours, true) => &self.past.theirs,
        };
        Some(files.iter().map(|file| file.text.clone().into()).collect())
    }
}

/// A value as somebody might quote it.
fn quoted(value: &str, id: &str) -> String {
    match value
        .bytes()
        .chain(id.bytes())
        .map(usize::from)
        .sum::<usize>()
        % 3
    {
        0 => format!("'{value}'"),
        1 => format!("\"{value}\""),
        _ => value.to_owned(),
    }
}

/// Enough of a text for all stamps that a record can have.
fn filler(origin: &str, roomy: Roomy) -> String {
    if roomy {
        format!(
            "    about: {}\n",
            format!("{origin} ").repeat(300).trim_end()
        )
    } else {
        String::new()
    }
}

fn born(id: &str, title: &str, origin: &str, roomy: Roomy) -> String {
    format!(
        "  # about {id}\n  - id: {id}\n    title: {}  # beside\n    {ORIGIN}: {origin}\n    meta:\n      # who\n      owner: {origin}\n{}",
        quoted(title, id),
        filler(origin, roomy)
    )
}

/// The lines of a text, of which those of one record can be found.
struct Lines(Vec<String>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.lines().map(str::to_owned).collect())
    }

    fn text(&self) -> String {
        self.0.iter().map(|line| format!("{line}\n")).collect()
    }

    /// The lines of a record from its `-` on.
    fn record(&self, id: &str) -> (usize, usize) {
        if id.is_empty() {
            let list = self
                .0
                .iter()
                .position(|line| line.starts_with("todos:"))
                .unwrap();
            return (0, list);
        }
        let starts = (0..self.0.len()).filter(|&at| self.0[at].starts_with("  - "));
        let inside = |line: &&String| line.starts_with("    ") || line.is_empty();
        let mut records = starts.map(|start| {
            let rest = self.0[start + 1..].iter().take_while(inside).count();
            (start, start + 1 + rest)
        });
        let is_it = |line: &String| {
            let rest = line.trim_start_matches([' ', '-']).strip_prefix("id:");
            rest.is_some_and(|rest| rest.trim().trim_matches(['"', '\'']) == id)
        };
        records
            .find(|(start, end)| self.0[*start..*end].iter().any(is_it))
            .unwrap_or_else(|| panic!("{id} in\n{}", self.text()))
    }

    fn line(&self, id: &str, key: &str) -> Option<usize> {
        let (start, end) = self.record(id);
        (start..end).find(|&at| {
            self.0[at]
                .trim_start()
                .strip_prefix("- ")
                .unwrap_or(self.0[at].trim_start())
                .starts_with(&format!("{key}:"))
        })
    }

    fn set(&mut self, id: &str, leaf: &str, value: Option<&str>) {
        let key = leaf.rsplit('.').next().unwrap();
        match (self.line(id, key), value) {
            (Some(at), Some(value)) => {
                let line = &self.0[at];
                let (head, rest) = line.split_once(':').unwrap();
                let beside = rest.find(" #").map_or("", |at| rest[at..].trim_start());
                let gap = if beside.is_empty() { "" } else { "  " };
                self.0[at] = format!("{head}: {}{gap}{beside}", quoted(value, id));
            }
            (Some(at), None) => {
                self.0.remove(at);
            }
            (None, Some(value)) => {
                let (_, end) = self.record(id);
                self.0
                    .insert(end, format!("    {key}: {}", quoted(value, id)));
            }
            (None, None) => {}
        }
    }

    fn tags(&mut self, id: &str, change: impl FnOnce(&mut Vec<String>)) {
        let at = self.line(id, "tags").unwrap_or_else(|| {
            let (_, end) = self.record(id);
            self.0.insert(end, "    tags: []".to_owned());
            end
        });
        let list = self.0[at].trim_start().trim_start_matches("tags:").trim();
        let list = list.trim_start_matches('[').trim_end_matches(']');
        let mut tags: Vec<String> = list
            .split(',')
            .map(|tag| tag.trim().to_owned())
            .filter(|tag| !tag.is_empty())
            .collect();
        change(&mut tags);
        self.0[at] = format!("    tags: [{}]", tags.join(", "));
    }

    fn remove(&mut self, id: &str) {
        let (mut start, end) = self.record(id);
        while start > 0 && self.0[start - 1].starts_with("  #") {
            start -= 1;
        }
        self.0.drain(start..end);
        if !self.0.iter().any(|line| line.starts_with("  - ")) {
            let list = self
                .0
                .iter()
                .position(|line| line.starts_with("todos:"))
                .unwrap();
            self.0[list] = "todos: []".to_owned();
        }
    }

    fn add(&mut self, record: &str) {
        let list = self
            .0
            .iter()
            .position(|line| line.starts_with("todos:"))
            .unwrap();
        if self.0[list] != "todos:" {
            self.0[list] = "todos:".to_owned();
        }
        self.0.extend(record.lines().map(str::to_owned));
    }
}

/// What the file shows of a leaf; null is nothing.
fn leaf(record: NodeRef<'_>, path: &str) -> Option<String> {
    let node = path
        .split('.')
        .try_fold(record, |node, name| Some(node.get(name)?.value()))?;
    match node.scalar()? {
        Scalar::Null => None,
        _ => Some(node.text().into_owned()),
    }
}

fn seen(record: NodeRef<'_>) -> Seen {
    let leaves = LEAVES
        .map(|(leaf, _)| leaf)
        .into_iter()
        .chain([ORIGIN, NAME]);
    let kept = record
        .get("_crdt_conflicts")
        .map_or_else(Conflicts::default, |entry| {
            Conflicts::parse(&entry.value().text()).unwrap()
        });
    let kept = kept.iter().map(|(loser, _)| {
        let value = match &loser.lost {
            Lost::Deletion => None,
            Lost::Value(value) => Some(value.trim_matches('"').to_owned()),
        };
        (loser.leaf.clone(), value)
    });
    let tags: Vec<String> = record
        .get("tags")
        .into_iter()
        .flat_map(|entry| entry.value().entries())
        .map(|tag| tag.value().text().into_owned())
        .collect();
    let unique: BTreeSet<String> = tags.iter().cloned().collect();
    assert_eq!(
        tags.len(),
        unique.len(),
        "a member stands twice in {}",
        record.raw()
    );
    Seen {
        leaves: leaves
            .filter_map(|path| Some((path.to_owned(), leaf(record, path)?)))
            .collect(),
        tags: unique,
        kept: kept.collect(),
    }
    .tidy()
}

impl Tool for Driver {
    type File = Text;

    fn start(roomy: Roomy) -> Text {
        let mut text = format!(
            "# The context of a walk\n_crdt: v1 todos=or_set\n{NAME}: start  # of it all\n\ntodos:\n"
        );
        for index in 0..3 {
            let (id, title) = (format!("r{index}"), format!("T{index}"));
            text.push_str(&born(&id, &title, &format!("{id}-{title}"), roomy));
            text.push_str("    status: v0\n    tags: [x, y]\n");
        }
        Text { text, roomy }
    }

    fn view(file: &Text) -> View {
        let document = read(&file.text);
        let root = document.root().unwrap();
        let todos = root.get("todos").unwrap().value();
        let mut view = View::default();
        view.records.insert(String::new(), seen(root));
        for record in todos.entries().map(|entry| entry.value()) {
            let id = record.get("id").unwrap().value().text().into_owned();
            assert!(
                view.records.insert(id, seen(record)).is_none(),
                "an identity stands twice in\n{}",
                file.text
            );
        }
        view
    }

    fn change(file: &mut Text, change: &Change) {
        let mut lines = Lines::of(&file.text);
        match change {
            Change::Set { id, leaf, value } => lines.set(id, leaf, value.as_deref()),
            Change::Add { id, title, origin } => {
                lines.add(&(born(id, title, origin, file.roomy) + "    tags: []\n"))
            }
            Change::Remove { id } => lines.remove(id),
            Change::Tag { id, tag } => lines.tags(id, |tags| tags.push(tag.clone())),
            Change::Untag { id, tag } => lines.tags(id, |tags| tags.retain(|known| known != tag)),
        }
        file.text = lines.text();
    }

    fn stamp(
        head: &Text,
        work: &Text,
        stamp: Stamp,
        births: &mut dyn Iterator<Item = Stamp>,
    ) -> Text {
        let stamped = context::stamp(Some(&read(&head.text)), &read(&work.text), stamp, births);
        let text = stamped.text.unwrap_or_else(|| work.text.clone());
        Text {
            text,
            roomy: work.roomy,
        }
    }

    fn resolve(head: &Text, choice: &Choice, stamp: Stamp) -> Text {
        let document = read(&head.text);
        let contests = context::contests(&document);
        let field = |contest: &context::Contest| {
            let leaf = choice.leaf.replace('.', "/");
            let mut parts = vec![leaf.as_str()];
            if !choice.id.is_empty() {
                parts.splice(0..0, ["todos", &choice.id]);
            }
            parts.retain(|part| !part.is_empty());
            contest.field == parts.join("/")
        };
        let contest = contests
            .iter()
            .find(|contest| field(contest))
            .unwrap_or_else(|| panic!("{choice:?} in\n{}", head.text));
        let which = match &choice.taken {
            None => context::Choice::Winner,
            Some(taken) => {
                let is_it = |lost: &Lost| match (lost, taken) {
                    (Lost::Deletion, None) => true,
                    (Lost::Value(lost), Some(value)) => lost.trim_matches('"') == value,
                    _ => false,
                };
                context::Choice::Loser(
                    contest
                        .losers
                        .iter()
                        .position(|(lost, _)| is_it(lost))
                        .unwrap(),
                )
            }
        };
        let text = context::settle(&document, contest, &which, None, stamp, &head.text).unwrap();
        Text {
            text,
            roomy: head.roomy,
        }
    }

    fn merge(base: &Text, ours: &Text, theirs: &Text) -> Text {
        Text {
            text: merged(&base.text, &ours.text, &theirs.text),
            roomy: ours.roomy,
        }
    }

    fn merge_commits(files: [&Text; 3], past: &Past<Text>) -> Text {
        let [base, ours, theirs] = files.map(|file| file.text.as_str());
        Text {
            text: merged_knowing(base, ours, theirs, Some(past)),
            roomy: files[1].roomy,
        }
    }

    fn rewrite(file: &Text) -> Text {
        let view = Self::view(file);
        let document = read(&file.text);
        let todos = document.root().unwrap().get("todos").unwrap().value();
        let mut text = format!(
            "_crdt: v1 todos=or_set\n{NAME}: {}\n",
            view.records[""].shown(NAME).unwrap()
        );
        text.push_str(if todos.is_empty() {
            "todos: []\n"
        } else {
            "todos:\n"
        });
        for record in todos.entries().map(|entry| entry.value()) {
            let id = record.get("id").unwrap().value().text();
            let seen = &view.records[id.as_ref()];
            text.push_str(&format!("  - id: {id}\n"));
            for (leaf, value) in &seen.leaves {
                match leaf.split_once('.') {
                    Some((outer, inner)) => {
                        text.push_str(&format!("    {outer}:\n      {inner}: {value}\n"))
                    }
                    None => text.push_str(&format!("    {leaf}: {value}\n")),
                }
            }
            if let Some(tags) = record.get("tags") {
                let tags: Vec<_> = tags
                    .value()
                    .entries()
                    .map(|tag| tag.value().text())
                    .collect();
                text.push_str(&format!("    tags: [{}]\n", tags.join(", ")));
            }
            text.push_str(&filler(&seen.leaves[ORIGIN], file.roomy));
        }
        Text {
            text,
            roomy: file.roomy,
        }
    }
}
