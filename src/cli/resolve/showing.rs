//! Conflicts as people see them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::ago;
use crate::cli::ui::{FAINT, GOOD, NOTABLE, STRONG, printable};
use crate::git::Repo;
use crate::settling::{Conflict, Kind, Origin, Side, Way};

/// Up to which width values are padded, so that their origins stand in a column.
const COLUMN: usize = 40;

/// How narrow two columns may be, and what stands between them.
const NARROWEST: usize = 24;
const GAP: usize = 2;

/// How much of a value, and of a record, is shown when somebody is asked.
const MOST_LINES: usize = 20;

/// Where a conflict is, as `--path` takes it.
pub(super) fn place(repo: &Repo, conflict: &Conflict) -> String {
    format!("{}:{}", repo.shown(&conflict.path), conflict.field)
}

/// A word as a shell takes it.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-.:".contains(&byte);
    match word.bytes().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", printable(word).replace('\'', r"'\''")),
    }
}

/// What to type for a way of settling, and what comes of it.
pub(super) fn option(way: &Way) -> String {
    match way.take.as_str() {
        "value" => format!("--value VALUE ({})", way.what),
        take => format!("--take {take} ({})", way.what),
    }
}

/// What a conflict is about, where its values do not tell.
fn what(conflict: &Conflict) -> Option<String> {
    match conflict.kind {
        Kind::Value => match conflict.settled_with().as_slice() {
            [] => None,
            others => Some(format!("settled together with {}", others.join(" and "))),
        },
        Kind::Text => Some("both changed the same lines".to_owned()),
        Kind::Deleted => Some("one deleted what the other changed".to_owned()),
        Kind::Id => {
            let of = |side: &Side| printable(side.value.as_deref().unwrap_or_default());
            let first = conflict.losers.first().map(of).unwrap_or_default();
            Some(format!(
                "two records were born as {first}; this one goes by {} since",
                of(&conflict.winner)
            ))
        }
        Kind::Validator => Some(format!(
            "not recorded: {}",
            printable(conflict.why.as_deref().unwrap_or_default())
        )),
    }
}

/// What each side is called, its value, and where that comes from.
fn sides(conflict: &Conflict) -> Vec<(String, String, Vec<String>)> {
    let value = |side: &Side, gone: &str| side.value.clone().unwrap_or_else(|| gone.to_owned());
    let shown = match conflict.is_of_a_record() {
        true => "(kept)".to_owned(),
        false => value(&conflict.winner, "(not there)"),
    };
    // What does not fit its place was typed and never recorded, and cannot be taken.
    let is_misfit = conflict.kind == Kind::Validator;
    let origin = |side: &Side, here: &str| match is_misfit {
        true => vec![here.to_owned()],
        false => told(&side.origin),
    };
    let winner = origin(&conflict.winner, "stood there before");
    let mut sides = vec![("winner".to_owned(), shown, winner)];
    for (number, loser) in (1..).zip(&conflict.losers) {
        let number: usize = number;
        let name = match is_misfit {
            true => TYPED.to_owned(),
            false => number.to_string(),
        };
        sides.push((
            name,
            value(loser, "(deleted)"),
            origin(loser, "in the file"),
        ));
    }
    sides
}

/// What a value is called that does not fit its place.
const TYPED: &str = "typed";

/// A conflict in a list.
pub(super) fn listed(repo: &Repo, conflict: &Conflict) -> String {
    let rows: Vec<_> = sides(conflict)
        .into_iter()
        .map(|(name, value, origin)| (name, in_lines(&value), origin))
        .collect();
    let width = |value: &str| value.chars().count();
    let widest = rows.iter().map(|(_, (value, _), _)| width(value)).max();
    // A long value does not push the others' origins out of sight.
    let column = widest.unwrap_or_default().min(COLUMN);
    let mut text = format!(
        "{STRONG}{}{STRONG:#} in {}:{}\n",
        printable(&conflict.field),
        printable(&repo.shown(&conflict.path)),
        conflict.line,
    );
    if let Some(what) = what(conflict) {
        text.push_str(&format!("          {NOTABLE}{what}{NOTABLE:#}\n"));
    }
    for (name, (value, lines), origin) in rows {
        let gap = column.saturating_sub(width(&value));
        let origin = origin.join(", ");
        text.push_str(&format!(
            "  {name:>6}  {value}{:gap$}  {FAINT}{origin}{FAINT:#}\n",
            ""
        ));
        for line in lines {
            text.push_str(&format!("          {line}\n"));
        }
    }
    if !matches!(conflict.kind, Kind::Value | Kind::Text) {
        for way in conflict.ways() {
            text.push_str(&format!("          {FAINT}{}{FAINT:#}\n", option(&way)));
        }
    }
    text
}

/// What to type, for the first of those that are open.
pub(super) fn hint(repo: &Repo, conflicts: &[Conflict]) -> String {
    let Some(first) = conflicts.first() else {
        return String::new();
    };
    let is_alone = conflicts
        .iter()
        .filter(|other| other.field == first.field)
        .count()
        == 1;
    let path = match is_alone {
        true => first.field.clone(),
        false => place(repo, first),
    };
    let ways = first
        .ways()
        .into_iter()
        .skip(1)
        .map(|way| match way.take.as_str() {
            "value" => "`--value VALUE`".to_owned(),
            take => format!("`--take {take}`"),
        });
    let ways: Vec<String> = ways.collect();
    format!(
        "{NOTABLE}hint:{NOTABLE:#} `rhema crdt resolve --path {} --take winner`, or {}, settles it; `rhema crdt resolve` on a \
         terminal asks about each; `--all --strategy latest` takes all winners\n",
        quoted(&path),
        ways.join(" or ")
    )
}

/// That one was settled, and how many are left.
pub(super) fn settled(what: &str, left: usize) -> String {
    let left = match left {
        0 => "No conflict is open.".to_owned(),
        1 => "1 is left: `rhema crdt resolve --list` shows it.".to_owned(),
        many => format!("{many} are left: `rhema crdt resolve --list` shows them."),
    };
    format!("{GOOD}Settled{GOOD:#} {what}.\n{left}\n")
}

/// A conflict in one line: what lost, or what it is about.
pub(in crate::cli) fn in_one_line(conflict: &Conflict) -> String {
    let lost = sides(conflict).into_iter().skip(1);
    let lost =
        lost.map(|(_, value, origin)| format!("{} ({})", printable(&value), origin.join(", ")));
    let lost: Vec<String> = lost.collect();
    let what = what(conflict).map_or_else(String::new, |what| format!("{what}; "));
    format!(
        "{}: {what}lost: {}",
        printable(&conflict.field),
        lost.join(", ")
    )
}

/// What settles a conflict at a path.
pub(in crate::cli) fn is_settled_by(path: &str) -> String {
    format!(
        "{NOTABLE}hint:{NOTABLE:#} `rhema crdt resolve --path {} --take winner`, or `--take 1`, settles it\n",
        quoted(path)
    )
}

/// A conflict as somebody is asked about it, on a terminal of this width.
pub(super) fn asked(
    repo: &Repo,
    conflict: &Conflict,
    number: usize,
    of: usize,
    width: usize,
) -> String {
    let mut text = format!(
        "\n{STRONG}{}{STRONG:#}  {FAINT}{}:{}  ({number} of {of}){FAINT:#}\n",
        printable(&conflict.field),
        printable(&repo.shown(&conflict.path)),
        conflict.line,
    );
    if let Some(what) = what(conflict) {
        text.push_str(&format!("{NOTABLE}{what}{NOTABLE:#}\n"));
    }
    let columns: Vec<Column> = sides(conflict)
        .into_iter()
        .map(|(name, value, origin)| Column::of(&name, &value, origin))
        .collect();
    text.push('\n');
    text.push_str(&side_by_side(&columns, width));
    let mut around = Vec::new();
    if let Some(record) = &conflict.namesake {
        around.push(("the other record", record));
    }
    if let Some(record) = &conflict.record {
        around.push(("the record", record));
    }
    for (name, record) in around {
        text.push_str(&format!("\n{FAINT}{name}:\n"));
        for line in cut(record.lines().map(printable).collect()) {
            text.push_str(&format!("  | {line}\n"));
        }
        text.push_str(&format!("{FAINT:#}"));
    }
    text.push('\n');
    for way in conflict.ways() {
        let key = match way.take.as_str() {
            "winner" => "w",
            "value" => "=VALUE",
            number => number,
        };
        text.push_str(&format!("  {STRONG}{key:>6}{STRONG:#}  {}\n", way.what));
    }
    text
}

/// One side of a conflict: what it is called, its value in lines, and where it comes from.
struct Column {
    name: String,
    value: Vec<String>,
    origin: Vec<String>,
}

impl Column {
    fn of(name: &str, value: &str, origin: Vec<String>) -> Self {
        let name = match name {
            "winner" => "[w] winner".to_owned(),
            TYPED => TYPED.to_owned(),
            number => format!("[{number}]"),
        };
        let (line, lines) = in_lines(value);
        Self {
            name,
            value: cut(if lines.is_empty() { vec![line] } else { lines }),
            origin,
        }
    }

    fn width(&self) -> usize {
        let lines = self.value.iter().chain(&self.origin).chain([&self.name]);
        lines.map(|line| line.chars().count()).max().unwrap_or(0)
    }
}

/// Columns beside each other where there is room for them, else one below the other.
fn side_by_side(columns: &[Column], width: usize) -> String {
    let room = width.saturating_sub(GAP * columns.len()) / columns.len().max(1);
    let widest = columns.iter().map(Column::width).max().unwrap_or(0);
    if room < NARROWEST.min(widest) {
        let alone = columns
            .iter()
            .map(|column| rows(&[column], width.saturating_sub(GAP)));
        return alone.collect::<Vec<_>>().join("\n");
    }
    rows(&columns.iter().collect::<Vec<_>>(), widest.min(room))
}

/// Columns of this width, line by line.
fn rows(columns: &[&Column], width: usize) -> String {
    let width = width.max(8);
    let parts = |part: fn(&Column) -> Vec<&str>| -> Vec<Vec<String>> {
        let wrapped = columns.iter().map(|column| {
            let lines = part(column).into_iter();
            lines.flat_map(|line| wrapped(line, width)).collect()
        });
        wrapped.collect()
    };
    let names = parts(|column| vec![&column.name]);
    let values = parts(|column| column.value.iter().map(String::as_str).collect());
    let origins = parts(|column| column.origin.iter().map(String::as_str).collect());
    let mut text = String::new();
    for (cells, style) in [
        (names, STRONG),
        (values, anstyle::Style::new()),
        (origins, FAINT),
    ] {
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        for row in 0..height {
            let mut line = String::new();
            for cell in &cells {
                let part = cell.get(row).map(String::as_str).unwrap_or_default();
                let fill = width.saturating_sub(part.chars().count());
                line.push_str(&format!("{:GAP$}{part}{:fill$}", "", ""));
            }
            text.push_str(&format!("{style}{}{style:#}\n", line.trim_end()));
        }
    }
    text
}

/// A line in pieces of at most this many letters.
fn wrapped(line: &str, width: usize) -> Vec<String> {
    let letters: Vec<char> = line.chars().collect();
    match letters.is_empty() {
        true => vec![String::new()],
        false => letters
            .chunks(width)
            .map(|piece| piece.iter().collect())
            .collect(),
    }
}

/// The first lines, and how many there are more.
fn cut(lines: Vec<String>) -> Vec<String> {
    let more = lines.len().saturating_sub(MOST_LINES);
    let mut cut: Vec<String> = lines.into_iter().take(MOST_LINES).collect();
    if more > 0 {
        cut.push(format!("… {more} more"));
    }
    cut
}

/// A value as it is listed: in one line, or a word for it and the lines of a text.
fn in_lines(canonical: &str) -> (String, Vec<String>) {
    match serde_json::from_str::<String>(canonical) {
        Ok(text) if text.trim_end().contains('\n') => {
            let lines: Vec<String> = text.lines().map(printable).collect();
            (format!("{} lines", lines.len()), lines)
        }
        _ => (printable(canonical), Vec::new()),
    }
}

/// When, by whom and where a value was written, as far as anybody knows.
pub(in crate::cli) fn told(origin: &Origin) -> Vec<String> {
    let mut parts = Vec::new();
    let when = origin.when.map(|when| {
        let at = UNIX_EPOCH + Duration::from_millis(when);
        ago(SystemTime::now().duration_since(at).unwrap_or_default())
    });
    let who = origin.name.as_ref().or(origin.node.as_ref());
    let who = who.map(|who| format!("by {}", printable(who)));
    let first: Vec<String> = when.into_iter().chain(who).collect();
    if !first.is_empty() {
        parts.push(first.join(" "));
    }
    let branch = origin
        .branch
        .as_ref()
        .map(|branch| format!("on {}", printable(branch)));
    let commit = origin.commit.as_ref().map(|commit| format!("in {commit}"));
    let second: Vec<String> = branch.into_iter().chain(commit).collect();
    if !second.is_empty() {
        parts.push(second.join(" "));
    }
    if parts.is_empty() {
        parts.push("without a stamp".to_owned());
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, value: &str) -> Column {
        let origin = Origin {
            name: Some("ada".to_owned()),
            ..Origin::default()
        };
        Column::of(name, value, told(&origin))
    }

    /// What is shown without its colours.
    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn sides_stand_beside_each_other_where_there_is_room() {
        let columns = [column("winner", "\"done\""), column("1", "\"blocked\"")];
        assert_eq!(
            plain(&side_by_side(&columns, 80)),
            "  [w] winner  [1]\n  \"done\"      \"blocked\"\n  by ada      by ada\n"
        );
    }

    #[test]
    fn on_a_narrow_terminal_they_stand_below_each_other_and_no_line_is_longer() {
        let columns = [
            column("winner", "\"a rather long value of a field\""),
            column("1", "\"One\\nTwo\\n\""),
        ];
        let text = plain(&side_by_side(&columns, 30));
        assert!(
            text.lines().all(|line| line.chars().count() <= 30),
            "{text}"
        );
        assert!(text.contains("  [w] winner\n"), "{text}");
        assert!(text.contains("  One\n  Two\n"), "{text}");
    }

    #[test]
    fn what_is_long_is_cut() {
        let lines = (0..30).map(|line| line.to_string()).collect();
        let cut = cut(lines);
        assert_eq!(cut.len(), MOST_LINES + 1);
        assert_eq!(cut.last().map(String::as_str), Some("… 10 more"));
    }

    #[test]
    fn a_word_is_quoted_where_a_shell_would_read_it_otherwise() {
        assert_eq!(quoted("todos/a.b/x-y"), "todos/a.b/x-y");
        assert_eq!(quoted("todos/it's"), r"'todos/it'\''s'");
    }
}
