//! What commands tell of edits: values, who, when, and what happened.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value};

use super::times;
use super::ui::{BAD, FAINT, GOOD, NOTABLE, STRONG, printable};
use crate::crdt::{Atom, Node, Path, Step};
use crate::git::Repo;
use crate::history::{Entry, Happened, Kind, State, Who};

/// How many letters of a value are told in a line.
const MOST_LETTERS: usize = 60;

/// An entry as scripts read it; the names are a contract.
#[derive(Debug, Serialize)]
pub(super) struct EntryReport {
    when: String,
    stamp: Option<String>,
    node: Option<String>,
    name: Option<String>,
    branch: Option<String>,
    commit: Option<String>,
    path: String,
    field: String,
    kind: &'static str,
    from: Value,
    to: Value,
    state: &'static str,
}

impl EntryReport {
    pub(super) fn of(entry: &Entry) -> Self {
        Self {
            when: times::for_scripts(entry.unix_millis),
            stamp: entry.stamp.map(|stamp| stamp.to_string()),
            node: entry.who.node.map(|node| node.to_string()),
            name: entry.who.name.clone(),
            branch: entry.branch.clone(),
            commit: entry.commit.map(|commit| commit.to_string()),
            path: entry.document.to_string(),
            field: field(&entry.at),
            kind: entry.kind.name(),
            from: value(entry.from.as_ref()),
            to: value(entry.to.as_ref()),
            state: entry.state.name(),
        }
    }
}

/// A place as commands name it.
pub(super) fn field(at: &Path) -> String {
    match at.steps() {
        [] => ".".to_owned(),
        [Step::Entry(name)] if name.is_empty() => ".".to_owned(),
        _ => at.to_string().trim_start_matches('/').to_owned(),
    }
}

/// What stands at a place as JSON has it.
pub(super) fn value(node: Option<&Node>) -> Value {
    match node {
        None => Value::Null,
        Some(Node::Register(value, _)) => atom(value),
        Some(Node::List(members, _)) => members.iter().map(atom).collect(),
        Some(Node::Map(map)) => {
            let entries = map.iter();
            let entries = entries.map(|(name, node)| (name.clone(), value(Some(node))));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Some(Node::Set(records)) => {
            let records = records.iter().map(|record| {
                let name = ("id".to_owned(), atom(&record.name));
                let fields = record.fields.iter();
                let fields = fields.map(|(name, node)| (name.clone(), value(Some(node))));
                Value::Object(std::iter::once(name).chain(fields).collect())
            });
            records.collect()
        }
    }
}

fn atom(atom: &Atom) -> Value {
    match atom.as_text() {
        Some(text) => text.into(),
        // Tags and aliases are told as YAML writes them.
        None => serde_json::from_str(atom.canonical())
            .unwrap_or_else(|_| atom.canonical().to_owned().into()),
    }
}

/// What stands at a place, for people: in one line.
pub(super) fn shown(node: Option<&Node>) -> String {
    let text = match node {
        None => return "nothing".to_owned(),
        Some(Node::Register(value, _)) => match atom(value) {
            Value::String(text) if is_plain(&text) => text,
            Value::String(_) => value.canonical().to_owned(),
            other => other.to_string(),
        },
        Some(node @ (Node::List(..) | Node::Set(_))) => value(Some(node)).to_string(),
        Some(Node::Map(map)) => {
            let title = ["title", "name", "summary"]
                .iter()
                .find_map(|name| map.get(*name));
            match title {
                Some(title) => return shown(Some(title)),
                None => value(node).to_string(),
            }
        }
    };
    cut(&printable(&text))
}

/// Whether a text is told without quotes.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.trim() == text
        && !text.contains(|c: char| c.is_control())
        && !["null", "true", "false", "nothing", "~"].contains(&text)
        && text.parse::<f64>().is_err()
        && !text.starts_with(['"', '[', '{'])
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST_LETTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Who did something, for people.
pub(super) fn who(who: &Who) -> String {
    let name = who.name.clone();
    let name = name.or_else(|| who.node.map(|node| node.to_string()));
    printable(&name.unwrap_or_else(|| "somebody".to_owned()))
}

/// What happened, for people.
pub(super) fn happened(at: &Path, kind: Kind, from: Option<&Node>, to: Option<&Node>) -> String {
    let place = printable(&field(at));
    let is_record = matches!(at.steps().last(), Some(Step::Record(..)));
    let text = is_multiline(from) || is_multiline(to);
    match kind {
        Kind::Born => format!("{GOOD}+{GOOD:#} {place}: {}", shown(to)),
        Kind::Removed if is_record => format!("{BAD}-{BAD:#} {place}: {}", shown(from)),
        Kind::Removed => format!("{BAD}-{BAD:#} {place}: {}", shown(from)),
        Kind::Moved => match to {
            Some(to) => format!(
                "{NOTABLE}>{NOTABLE:#} {place} moved behind {}",
                shown(Some(to))
            ),
            None => format!("{NOTABLE}>{NOTABLE:#} {place} moved to the front"),
        },
        Kind::Renamed => format!("{NOTABLE}~{NOTABLE:#} {place} renamed from {}", shown(from)),
        Kind::Changed if from.is_none() => format!("{GOOD}+{GOOD:#} {place}: {}", shown(to)),
        Kind::Changed if text => format!("{NOTABLE}~{NOTABLE:#} {place}: {}", lines(from, to)),
        Kind::Changed => format!(
            "{NOTABLE}~{NOTABLE:#} {place}: {} -> {}",
            shown(from),
            shown(to)
        ),
        Kind::Counted => {
            let number = |node: Option<&Node>| node.and_then(Node::as_number).unwrap_or(0);
            format!(
                "{NOTABLE}~{NOTABLE:#} {place}: {} -> {} ({:+})",
                shown(from),
                shown(to),
                number(to).saturating_sub(number(from))
            )
        }
        Kind::Conflict => format!(
            "{BAD}!{BAD:#} {place}: {} lost against {}",
            lost(from),
            lost(to)
        ),
        Kind::Settled => format!(
            "{GOOD}={GOOD:#} {place} settled: {} stands, {} does not",
            lost(to),
            lost(from)
        ),
    }
}

/// What lost, or stands: nothing is what a deletion leaves.
fn lost(node: Option<&Node>) -> String {
    match node {
        None => "its deletion".to_owned(),
        node => shown(node),
    }
}

fn text_of(node: Option<&Node>) -> Option<&str> {
    match node {
        Some(Node::Register(value, _)) => value.as_text(),
        _ => None,
    }
}

fn is_multiline(node: Option<&Node>) -> bool {
    text_of(node).is_some_and(|text| text.trim_end().contains('\n'))
}

/// How a text of several lines changed.
fn lines(from: Option<&Node>, to: Option<&Node>) -> String {
    let (from, to) = (
        text_of(from).unwrap_or_default(),
        text_of(to).unwrap_or_default(),
    );
    let (was, is): (Vec<&str>, Vec<&str>) = (from.lines().collect(), to.lines().collect());
    let same = was.iter().zip(&is).take_while(|(a, b)| a == b).count();
    let rest = was.len().min(is.len()) - same;
    let tail = was.iter().rev().zip(is.iter().rev());
    let tail = tail.take(rest).take_while(|(a, b)| a == b).count();
    let first = is.get(same).or_else(|| was.get(same)).copied();
    let (gone, new) = (was.len() - same - tail, is.len() - same - tail);
    let told = first
        .map(|line| cut(&printable(line.trim())))
        .unwrap_or_default();
    format!("line {}: -{gone} +{new} “{told}”", same + 1)
}

/// What an entry says beside what happened.
pub(super) fn notes(entry: &Entry, repo: &Repo) -> String {
    let mut notes = String::new();
    if let Some(stamp) = entry.stamp {
        let _ = write!(notes, "  {FAINT}{stamp}{FAINT:#}");
    }
    if let Some(commit) = entry.commit {
        let _ = write!(notes, "  {FAINT}{}{FAINT:#}", repo.short_name(commit));
    }
    match entry.state {
        State::Committed => {}
        State::Pending => notes.push_str("  not committed"),
        State::Parked => notes.push_str("  parked"),
        State::Elsewhere => notes.push_str("  on another branch"),
        State::Retracted => notes.push_str("  taken back"),
    }
    notes
}

/// A line of the log.
pub(super) fn line(entry: &Entry, repo: &Repo, with_file: bool) -> String {
    let file = match with_file {
        true => format!(
            "  {FAINT}in {}{FAINT:#}",
            printable(&entry.document.to_string())
        ),
        false => String::new(),
    };
    format!(
        "{FAINT}{}{FAINT:#}  {STRONG}{}{STRONG:#}  {}{file}{}\n",
        times::for_people(entry.unix_millis),
        who(&entry.who),
        happened(
            &entry.at,
            entry.kind,
            entry.from.as_ref(),
            entry.to.as_ref()
        ),
        notes(entry, repo)
    )
}

/// A line of a difference.
pub(super) fn difference_line(one: &Happened) -> String {
    format!(
        "{}\n",
        happened(&one.at, one.kind, one.from.as_ref(), one.to.as_ref())
    )
}
