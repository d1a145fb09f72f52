//! Conflicts for scripts; the names are a contract.

use serde::Serialize;
use serde_json::Value;

use super::showing::{place, quoted};
use crate::cli::ui::printable;
use crate::cli::{get, times};
use crate::context::Choice;
use crate::git::Repo;
use crate::settling::{Conflict, Side, Way};
use crate::yaml::{Document, Limits};

#[derive(Serialize)]
pub(super) struct Report {
    conflicts: Vec<ConflictReport>,
    settled: Vec<Settled>,
}

#[derive(Serialize)]
pub(in crate::cli) struct ConflictReport {
    path: String,
    field: String,
    kind: &'static str,
    line: usize,
    winner: SideReport,
    losers: Vec<SideReport>,
    /// The record around, without annotations.
    record: Value,
    /// Of two births of one id the other record.
    namesake: Value,
    /// Why a value does not fit.
    why: Option<String>,
    ways: Vec<WayReport>,
}

#[derive(Serialize)]
struct SideReport {
    value: Value,
    stamp: Option<String>,
    node: Option<String>,
    name: Option<String>,
    when: Option<String>,
    branch: Option<String>,
    commit: Option<String>,
}

#[derive(Serialize)]
struct WayReport {
    take: String,
    what: String,
    command: String,
}

/// A conflict that was settled.
#[derive(Serialize)]
pub(super) struct Settled {
    path: String,
    field: String,
    kind: &'static str,
    took: String,
}

impl Settled {
    pub(super) fn of(repo: &Repo, conflict: &Conflict, choice: &Choice) -> Self {
        Self {
            path: repo.shown(&conflict.path),
            field: conflict.field.clone(),
            kind: conflict.kind.name(),
            took: match choice {
                Choice::Winner => "winner".to_owned(),
                Choice::Loser(index) => (index + 1).to_string(),
                Choice::Value(_) | Choice::Text(_) => "value".to_owned(),
            },
        }
    }
}

impl Settled {
    /// What was settled by what, in words.
    pub(super) fn for_people(&self) -> String {
        let took = match self.took.as_str() {
            "winner" => "the winner",
            "value" => "the value given",
            number => &format!("number {number}"),
        };
        format!(
            "{} in {}: took {took}",
            printable(&self.field),
            printable(&self.path)
        )
    }
}

impl Report {
    pub(super) fn of(repo: &Repo, conflicts: &[Conflict], settled: Vec<Settled>) -> Self {
        Self {
            conflicts: conflicts
                .iter()
                .map(|conflict| ConflictReport::of(repo, conflict))
                .collect(),
            settled,
        }
    }
}

impl ConflictReport {
    pub(in crate::cli) fn of(repo: &Repo, conflict: &Conflict) -> Self {
        let place = place(repo, conflict);
        let way = |Way { take, what }: Way| {
            let chosen = match take.as_str() {
                "value" => "--value VALUE".to_owned(),
                take => format!("--take {take}"),
            };
            WayReport {
                command: format!("rhema crdt resolve --path {} {chosen}", quoted(&place)),
                take,
                what,
            }
        };
        Self {
            path: repo.shown(&conflict.path),
            field: conflict.field.clone(),
            kind: conflict.kind.name(),
            line: conflict.line,
            winner: SideReport::of(&conflict.winner),
            losers: conflict.losers.iter().map(SideReport::of).collect(),
            record: of_yaml(conflict.record.as_deref()),
            namesake: of_yaml(conflict.namesake.as_deref()),
            why: conflict.why.clone(),
            ways: conflict.ways().into_iter().map(way).collect(),
        }
    }
}

impl SideReport {
    fn of(side: &Side) -> Self {
        let value = match &side.value {
            None => Value::Null,
            // What JSON cannot say (a tag, an alias) is told as YAML writes it.
            Some(text) => serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into()),
        };
        let origin = side.origin.clone();
        Self {
            value,
            stamp: side.stamp.map(|stamp| stamp.to_string()),
            node: origin.node,
            name: origin.name,
            when: origin.when.map(times::for_scripts),
            branch: origin.branch,
            commit: origin.commit,
        }
    }
}

fn of_yaml(text: Option<&str>) -> Value {
    let read = text.map(|text| Document::from_text(text.to_owned(), &Limits::default()));
    match read {
        Some(Ok(document)) => document.root().map_or(Value::Null, get::value),
        Some(Err(_)) | None => Value::Null,
    }
}
