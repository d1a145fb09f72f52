//! Laws of edits by command, over random files and random commands: they do what they say, leave the lines of all else
//! alone, and once stamped there is nothing left to stamp.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rhema_crdt::context::{
    Address, Assignment, Change, Position, Types, Unedited, canonical, stamp, strip,
};
use rhema_crdt::crdt::{Clock, Replica, Stamp};
use rhema_crdt::yaml::{Document, Kind, NodeRef, double_quoted};

use crate::branches::{config, read};

/// How somebody writes a file.
#[derive(Clone, Debug)]
struct Hand {
    indent: usize,
    gap: usize,
    braces: bool,
    quotes: bool,
    blank: bool,
    remarks: bool,
    crlf: bool,
    mark: bool,
    ends: bool,
}

fn hands() -> impl Strategy<Value = Hand> {
    let flags = proptest::collection::vec(prop::bool::weighted(0.3), 7);
    (0usize..3, 1usize..4, flags).prop_map(|(indent, gap, flags)| Hand {
        indent: indent * 2,
        gap,
        braces: flags[0],
        quotes: flags[1],
        blank: flags[2],
        remarks: flags[3],
        crlf: flags[4],
        mark: flags[5],
        ends: !flags[6],
    })
}

/// Fields of a record beside its id, in the order in which people write them, each there or not.
const FIELDS: [&str; 5] = ["title", "status", "tags", "notes", "meta"];

impl Hand {
    fn field(&self, name: &str, id: usize) -> String {
        let quote = if self.quotes { "\"" } else { "" };
        match name {
            "tags" => format!("tags: [t{id}, x]"),
            "meta" => format!("meta: {{owner: o{id}, team: red}}"),
            name => format!("{name}: {quote}{name} {id}{quote}"),
        }
    }

    fn file(&self, records: &[u8]) -> String {
        let mut lines = vec!["# About".to_owned(), "_crdt: v1 todos=or_set".to_owned()];
        if self.blank {
            lines.push(String::new());
        }
        if records.is_empty() {
            lines.push("todos: []".to_owned());
        } else {
            lines.push("todos:".to_owned());
        }
        let (indent, gap) = (" ".repeat(self.indent), " ".repeat(self.gap));
        for (id, fields) in records.iter().enumerate() {
            if self.blank && id > 0 {
                lines.push(String::new());
            }
            if self.remarks {
                lines.push(format!("{indent}# about r{id}"));
            }
            let mut all = vec![format!("id: r{id}")];
            let there = |at: &usize| fields & (1 << at) != 0;
            all.extend(
                (0..FIELDS.len())
                    .filter(there)
                    .map(|at| self.field(FIELDS[at], id)),
            );
            if self.braces {
                lines.push(format!("{indent}-{gap}{{{}}}", all.join(", ")));
                continue;
            }
            for (index, field) in all.iter().enumerate() {
                let dash = if index == 0 { "-" } else { " " };
                let remark = if self.remarks && index == 1 {
                    "  # beside"
                } else {
                    ""
                };
                lines.push(format!("{indent}{dash}{gap}{field}{remark}"));
            }
        }
        lines.push("owner: me".to_owned());
        let newline = if self.crlf { "\r\n" } else { "\n" };
        let mark = if self.mark { "\u{feff}" } else { "" };
        let end = if self.ends { newline } else { "" };
        format!("{mark}{}{end}", lines.join(newline))
    }
}

/// What people type, and what that means.
fn values() -> Vec<(&'static str, String)> {
    let text = |text: &str| double_quoted(text);
    vec![
        ("plain", text("plain")),
        ("3", "3".to_owned()),
        ("\"3\"", text("3")),
        ("0x10", "16".to_owned()),
        ("1.50", "1.5".to_owned()),
        ("true", "true".to_owned()),
        ("no", text("no")),
        ("", text("")),
        (
            "Fix: it, [now] {or} never",
            text("Fix: it, [now] {or} never"),
        ),
        ("#12 # twelve", text("#12 # twelve")),
        ("'it''s'", text("it's")),
        ("2025-11-03", text("2025-11-03")),
        ("[a, \"b, c\", 3]", "[\"a\",\"b, c\",3]".to_owned()),
        ("two\nlines", text("two\nlines")),
        ("  deep\n\nlines\n", text("  deep\n\nlines\n")),
        ("größe \u{1f600}", text("größe \u{1f600}")),
    ]
}

/// A command. Records are chosen by index, so that scripts shrink.
#[derive(Clone, Debug)]
enum Step {
    Add {
        fields: Vec<(usize, usize)>,
        id: Option<u8>,
    },
    Set {
        record: usize,
        fields: Vec<(usize, usize)>,
    },
    Unset {
        record: usize,
        field: usize,
    },
    Root {
        value: usize,
    },
    Remove {
        record: usize,
    },
    Move {
        record: usize,
        to: usize,
        how: u8,
    },
}

/// Fields that are set.
const PATHS: [&str; 6] = ["title", "status", "tags", "notes", "meta.owner", "new"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let fields = || proptest::collection::vec((0..PATHS.len(), 0..values().len()), 1..4);
    let step = prop_oneof![
        3 => (fields(), proptest::option::of(0u8..6)).prop_map(|(fields, id)| Step::Add { fields, id }),
        5 => (0usize..5, fields()).prop_map(|(record, fields)| Step::Set { record, fields }),
        1 => (0usize..5, 0..PATHS.len()).prop_map(|(record, field)| Step::Unset { record, field }),
        1 => (0..values().len()).prop_map(|value| Step::Root { value }),
        2 => (0usize..5).prop_map(|record| Step::Remove { record }),
        2 => (0usize..5, 0usize..5, 0u8..4).prop_map(|(record, to, how)| Step::Move { record, to, how }),
    ];
    proptest::collection::vec(step, 1..6)
}

/// Paths and canonical values.
type Leaves = BTreeMap<String, String>;

/// What a file says: the leaves of its root, and its records in order.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Says {
    root: Leaves,
    records: Vec<Leaves>,
}

impl Says {
    fn of(text: &str) -> Self {
        let bare = strip(&read(text)).unwrap_or_else(|| text.to_owned());
        let document = read(&bare);
        let root = document.root().unwrap();
        let mut says = Says {
            root: leaves(root),
            records: Vec::new(),
        };
        says.root.remove("todos");
        let list = root.get("todos").unwrap().value();
        says.records = list.entries().map(|entry| leaves(entry.value())).collect();
        says
    }

    fn ids(&self) -> Vec<String> {
        let id = |record: &Leaves| record["id"].trim_matches('"').to_owned();
        self.records.iter().map(id).collect()
    }
}

fn leaves(node: NodeRef<'_>) -> Leaves {
    fn collect(node: NodeRef<'_>, path: &str, into: &mut Leaves) {
        for entry in node.entries() {
            let name = entry.key().unwrap().text();
            let path = format!("{path}{name}");
            match entry.value().kind() {
                Kind::Mapping => collect(entry.value(), &format!("{path}."), into),
                _ => drop(into.insert(path, canonical(entry.value()))),
            }
        }
    }
    let mut found = Leaves::new();
    collect(node, "", &mut found);
    found
}

fn assignments(fields: &[(usize, usize)]) -> Vec<(&'static str, &'static str, String)> {
    let mut seen: Vec<&str> = Vec::new();
    let mut all = Vec::new();
    for (field, value) in fields {
        let (typed, means) = values()[*value].clone();
        if !seen.contains(&PATHS[*field]) {
            seen.push(PATHS[*field]);
            all.push((PATHS[*field], typed, means));
        }
    }
    all
}

fn typed(fields: &[(&'static str, &'static str, String)]) -> Vec<Assignment> {
    let parse =
        |(path, typed, _): &(&str, &str, String)| format!("{path}={typed}").parse().unwrap();
    fields.iter().map(parse).collect()
}

/// The change that a step asks for, and what the file is to say then; nothing where there is nothing to choose from.
fn asked(step: &Step, says: &Says) -> Option<(Change, Says)> {
    let mut then = says.clone();
    let ids = says.ids();
    let pick = |index: usize| (!ids.is_empty()).then(|| index % ids.len());
    let at = |record: usize| Address::new("todos").join(&ids[record]);
    let change = match step {
        Step::Add { fields, id } => {
            let given = assignments(fields);
            let mut fields = typed(&given);
            let id = id.map_or_else(|| format!("n{}", ids.len()), |id| format!("r{id}"));
            fields.push(format!("id={id}").parse().unwrap());
            let mut record: Leaves = given
                .into_iter()
                .map(|(path, _, means)| (path.to_owned(), means))
                .collect();
            record.insert("id".to_owned(), double_quoted(&id));
            then.records.push(record);
            Change::Add {
                to: Address::new("todos"),
                fields,
            }
        }
        Step::Set { record, fields } => {
            let record = pick(*record)?;
            let given = assignments(fields);
            for (path, _, means) in &given {
                then.records[record].insert((*path).to_owned(), means.clone());
            }
            Change::Set {
                at: at(record),
                fields: typed(&given),
                unset: Vec::new(),
            }
        }
        Step::Unset { record, field } => {
            let record = pick(*record)?;
            then.records[record].remove(PATHS[*field])?;
            Change::Set {
                at: at(record),
                fields: Vec::new(),
                unset: vec![PATHS[*field].to_owned()],
            }
        }
        Step::Root { value } => {
            let (typed, means) = values()[*value].clone();
            then.root.insert("owner".to_owned(), means);
            let fields = vec![format!("owner={typed}").parse().unwrap()];
            Change::Set {
                at: Address::new("."),
                fields,
                unset: Vec::new(),
            }
        }
        Step::Remove { record } => {
            let record = pick(*record)?;
            then.records.remove(record);
            Change::Remove { at: at(record) }
        }
        Step::Move { record, to, how } => {
            let (record, to) = (pick(*record)?, pick(*to)?);
            if record == to {
                return None;
            }
            let moved = then.records.remove(record);
            let other = to - usize::from(record < to);
            let (index, to) = match how {
                0 => (0, Position::First),
                1 => (then.records.len(), Position::Last),
                2 => (other, Position::Before(ids[to].clone())),
                _ => (other + 1, Position::After(ids[to].clone())),
            };
            then.records.insert(index, moved);
            Change::Move { at: at(record), to }
        }
    };
    Some((change, then))
}

/// Whether all lines of `fewer` stand in `more`, in the same order.
fn is_among(fewer: &str, more: &str) -> bool {
    let mut lines = more.lines();
    fewer.lines().all(|line| lines.any(|other| other == line))
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

/// Whether the same leaves are there, and those that changed are texts of one line before and after.
fn in_place(before: &Says, after: &Says) -> bool {
    let all = |says: &Says| -> Vec<(String, String)> {
        let each = std::iter::once(&says.root).chain(&says.records);
        each.flat_map(|leaves| leaves.clone()).collect()
    };
    let (before, after) = (all(before), all(after));
    before.len() == after.len()
        && before.iter().zip(&after).all(|(old, new)| {
            let has_lines = |value: &str| value.contains("\\n");
            old.0 == new.0 && (old == new || !(has_lines(&old.1) || has_lines(&new.1)))
        })
}

/// What stands in a file beside the lines that a change is about.
fn keeps_all_else(
    change: &Change,
    hand: &Hand,
    (before, says): (&str, &Says),
    (after, then): (&str, &Says),
) -> bool {
    let records = says.records.len();
    let newline = if hand.crlf { "\r\n" } else { "\n" };
    let bare = after.replace("\r\n", "");
    let same_form = after.starts_with('\u{feff}') == hand.mark
        && after.ends_with('\n') == hand.ends
        && bare.contains('\n') != (hand.crlf || (!hand.ends && after.lines().count() == 1))
        && before.contains(newline);
    let lines = match change {
        Change::Add { .. } => {
            let last = before.lines().rev().nth(1).unwrap_or_default();
            let in_braces = last.trim_start().starts_with('-') && last.ends_with('}');
            let more = after.lines().count() - before.lines().count();
            // One line, and a blank one.
            records == 0 || (is_among(before, after) && (!in_braces || more <= 2))
        }
        Change::Remove { .. } => records == 1 || is_among(after, before),
        Change::Move { .. } => sorted(before) == sorted(after),
        Change::Increment { .. } => unreachable!("nothing is a counter here"),
        Change::Set { fields, .. } => {
            let (before, after) = (before.lines(), after.lines());
            let differ = || before.clone().zip(after.clone()).filter(|(a, b)| a != b);
            !in_place(says, then)
                || before.clone().any(|line| line.contains(": |"))
                || (before.clone().count() == after.clone().count()
                    && differ().count() <= fields.len())
        }
    };
    let count = |text: &str| text.matches("# about").count() + text.matches("# beside").count();
    let kept = match change {
        Change::Remove { .. } => count(after) <= count(before),
        // What stands beside a field goes with it.
        Change::Set { unset, .. } if !unset.is_empty() => count(after) <= count(before),
        _ => count(after) == count(before),
    };
    same_form && lines && kept
}

fn stamps(clock: &mut Clock) -> Vec<Stamp> {
    (0..8)
        .map(|_| clock.tick(1_700_000_000_000).unwrap())
        .collect()
}

/// A file with its edits stamped.
fn stamped(head: &Document, work: &str, clock: &mut Clock) -> String {
    let new = stamps(clock);
    let found = stamp(
        Some(head),
        &read(work),
        new[0],
        &mut new[1..].iter().copied(),
    );
    found.text.unwrap_or_else(|| work.to_owned())
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn commands_do_what_they_say_and_nothing_else(
        hand in hands(),
        records in proptest::collection::vec(0u8..32, 0..4),
        steps in steps(),
    ) {
        let mut text = hand.file(&records);
        let head = read(&text);
        let mut clock = Clock::new(Replica::from_bits(7), None);
        for step in steps {
            let says = Says::of(&text);
            let Some((change, then)) = asked(&step, &says) else { continue };
            let edited = match change.apply(&read(&text), &Types::default()) {
                Ok(edited) => edited,
                Err(Unedited::Taken { name, .. }) => {
                    prop_assert!(says.ids().contains(&name));
                    continue;
                }
                Err(error) => return Err(TestCaseError::fail(format!("{error}\n{change:?}\n{text}"))),
            };
            let after = edited.document.into_text();
            prop_assert_eq!(&Says::of(&after), &then, "{:?}\n{}\n{}", change, text, after);
            prop_assert!(
                keeps_all_else(&change, &hand, (&text, &says), (&after, &then)),
                "{:?}\n{}\n{}", change, text, after
            );
            text = stamped(&head, &after, &mut clock);
            prop_assert_eq!(&Says::of(&text), &then, "{}", text);
            let again = stamp(Some(&head), &read(&text), stamps(&mut clock)[0], &mut std::iter::empty());
            prop_assert_eq!((again.text, again.edits), (None, 0), "{}", text);
        }
    }
}
