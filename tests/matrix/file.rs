//! The file of the rows, as a person with an editor changes it and as anybody who reads YAML sees it. Nothing here knows of
//! annotations but to step over them.

use std::collections::BTreeMap;

use serde_yaml::Value;

use crate::script::AT_FIRST;

/// What is in the file at first.
pub(crate) const FIRST: &str = "\
# What is to be done
todos:
  - id: a
    title: Alpha
    status: open
    priority: low
  - id: b
    title: Beta
    status: open
    priority: low
  - id: c
    title: Gamma
    status: open
    priority: low
  - id: d
    title: Delta
    status: open
    priority: low
";

/// The names of the records in `FIRST`.
const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// Fields of a record that somebody adds, and of those that are there at first but for their titles.
const USUAL: [(&str, &str); 2] = [("status", "open"), ("priority", "low")];

/// The text after somebody made these changes, with spaces between them: `a.status=done`, `-b`, `+e`, `d>a` for a record
/// that is put behind another one.
#[track_caller]
pub(crate) fn edited(text: &str, changes: &str) -> String {
    let end = match text.contains("\r\n") {
        true => "\r\n",
        false => "\n",
    };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for change in changes.split_whitespace() {
        if let Some(name) = change.strip_prefix('-') {
            lines.drain(record(&lines, name));
        } else if let Some(name) = change.strip_prefix('+') {
            lines.push(format!("  - id: {name}"));
            lines.push(format!("    title: New {name}"));
            lines.extend(USUAL.map(|(field, value)| format!("    {field}: {value}")));
        } else if let Some((name, behind)) = change.split_once('>') {
            let moved: Vec<String> = lines.drain(record(&lines, name)).collect();
            let end = record(&lines, behind).end;
            lines.splice(end..end, moved);
        } else {
            let (place, value) = change.split_once('=').unwrap();
            let (name, field) = place.split_once('.').unwrap();
            let of_record = record(&lines, name);
            let key = format!("    {field}: ");
            let line = format!("{key}{value}");
            match lines[of_record.clone()]
                .iter()
                .position(|line| line.starts_with(&key))
            {
                Some(index) => lines[of_record.start + index] = line,
                None => lines.insert(of_record.end, line),
            }
        }
    }
    lines.iter().map(|line| format!("{line}{end}")).collect()
}

/// The lines of a record.
#[track_caller]
fn record(lines: &[String], name: &str) -> std::ops::Range<usize> {
    let begins = |line: &String| line.starts_with("  - id: ");
    let head = format!("  - id: {name}");
    let start = lines.iter().position(|line| *line == head);
    let start = start.unwrap_or_else(|| panic!("no record {name} in\n{}", lines.join("\n")));
    let length = lines[start + 1..].iter().position(begins);
    start..length.map_or(lines.len(), |length| start + 1 + length)
}

/// What a file holds, in the words of a script.
pub(crate) fn told(text: &str) -> String {
    if text.lines().any(|line| line.starts_with("<<<<<<<")) {
        return "markers".to_owned();
    }
    let Ok(Value::Mapping(root)) = serde_yaml::from_str::<Value>(text) else {
        return "broken".to_owned();
    };
    let mut told = Vec::new();
    let mut order = Vec::new();
    for (key, value) in &root {
        match key.as_str().unwrap_or_default() {
            "todos" => {
                for record in value.as_sequence().into_iter().flatten() {
                    order.push(tell_record(record, &mut told));
                }
            }
            key if key.starts_with("_crdt") => {}
            key => told.push(format!("{key}={}", plain(value))),
        }
    }
    let kept = |name: &&&str| order.iter().any(|there| there == *name);
    told.extend(
        NAMES
            .iter()
            .filter(|name| !kept(name))
            .map(|name| format!("-{name}")),
    );
    let usual = NAMES.iter().filter(kept).map(|name| (*name).to_owned());
    let new = order.iter().filter(|name| !NAMES.contains(&name.as_str()));
    if !order
        .iter()
        .eq(&usual.chain(new.cloned()).collect::<Vec<_>>())
    {
        told.push(format!("order:{}", order.join("")));
    }
    match told.is_empty() {
        true => AT_FIRST.to_owned(),
        false => told.join(" "),
    }
}

fn tell_record(record: &Value, told: &mut Vec<String>) -> String {
    let fields: BTreeMap<&str, String> = record
        .as_mapping()
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.as_str()?, plain(value))))
        .filter(|(key, _)| !key.starts_with("_crdt"))
        .collect();
    let name = fields.get("id").cloned().unwrap_or_default();
    let titles = [
        ("a", "Alpha"),
        ("b", "Beta"),
        ("c", "Gamma"),
        ("d", "Delta"),
    ];
    let title = titles.iter().find(|(of, _)| *of == name);
    if title.is_none() {
        told.push(format!("+{name}"));
    }
    let title = title.map_or(format!("New {name}"), |(_, title)| (*title).to_owned());
    let mut usual: BTreeMap<&str, String> = USUAL
        .iter()
        .map(|(field, value)| (*field, (*value).to_owned()))
        .collect();
    usual.insert("id", name.clone());
    usual.insert("title", title);
    for (field, value) in &fields {
        if usual.get(field) != Some(value) {
            told.push(format!("{name}.{field}={value}"));
        }
    }
    let gone = usual.keys().filter(|field| !fields.contains_key(*field));
    told.extend(gone.map(|field| format!("{name}.{field}=∅")));
    name
}

fn plain(value: &Value) -> String {
    serde_yaml::to_string(value).unwrap().trim_end().to_owned()
}

/// The words in a fixed order: which comes first means nothing.
pub(crate) fn sorted(words: &str) -> Vec<&str> {
    let mut words: Vec<&str> = words.split_whitespace().collect();
    words.sort_unstable();
    words
}
