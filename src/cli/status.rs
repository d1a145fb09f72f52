//! `rhema crdt status`: how the context files and the merge driver stand.

use std::collections::BTreeMap;
use std::fmt::Write;

use anstyle::Style;
use serde::Serialize;

use super::Outcome;
use super::ui::{BAD, FAINT, GOOD, NOTABLE, STRONG, Ui, printable};
use crate::git::{Document, Documents, Repo, State};
use crate::setup::node_of;

pub(super) const EXAMPLES: &str = "Examples:\n  \
    rhema crdt status              one line for each context file\n  \
    rhema crdt status --json | jq -r '.documents[] | select(.state == \"conflicted\").path'\n\n\
    States: clean (as in HEAD), edited, conflicted (git's markers or kept losers in it, or\n\
    unmerged), unparsable, unmigrated (no marker yet, or not merged by the driver: `rhema crdt init`).";

/// What is printed for scripts; the names are a contract.
#[derive(Serialize)]
struct Status {
    node: Option<String>,
    repo: String,
    branch: Option<String>,
    driver: DriverStatus,
    documents: Vec<DocumentStatus>,
    peers: Vec<String>,
    watching: bool,
}

#[derive(Serialize)]
struct DriverStatus {
    configured: bool,
}

#[derive(Serialize)]
struct DocumentStatus {
    path: String,
    scope: String,
    state: &'static str,
    records: usize,
    conflicts: usize,
    pending: usize,
}

pub(super) fn run(ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    let branch = repo.branch()?;
    let configured = repo.driver_command()?.is_some() && repo.attributes_are_set_up()?;
    let Documents { all, problems } = repo.documents()?;
    for problem in problems {
        let problem = anyhow::Error::from(problem);
        ui.warn(format_args!("{problem:#}"));
    }
    for document in &all {
        if let Some(problem) = &document.problem {
            ui.warn(format_args!("{}:{problem}", repo.shown(&document.path)));
        }
    }
    if ui.wants_json() {
        ui.json(&Status {
            node: node_of(&repo).map(|node| node.to_string()),
            repo: repo.shown_top(),
            branch,
            driver: DriverStatus { configured },
            documents: all
                .iter()
                .map(|document| for_scripts(&repo, document))
                .collect(),
            peers: Vec::new(),
            watching: false,
        })?;
    } else {
        ui.show(&for_people(&repo, branch.as_deref(), configured, &all))?;
    }
    Ok(Outcome::Done)
}

fn for_scripts(repo: &Repo, document: &Document) -> DocumentStatus {
    DocumentStatus {
        path: repo.shown(&document.path),
        scope: scope(repo, document),
        state: document.state.name(),
        records: document.records,
        conflicts: document.conflicts,
        pending: document.pending,
    }
}

/// The top is a scope like any other; it is called `.`.
fn scope(repo: &Repo, document: &Document) -> String {
    if document.scope.as_os_str().is_empty() {
        ".".to_owned()
    } else {
        repo.shown(&document.scope)
    }
}

fn for_people(
    repo: &Repo,
    branch: Option<&str>,
    configured: bool,
    documents: &[Document],
) -> String {
    let branch = branch.map_or("a detached HEAD".to_owned(), |branch| {
        format!("branch {branch}")
    });
    let mut text = format!("{STRONG}{}{STRONG:#} on {branch}\n", repo.shown_top());
    let rows: Vec<(String, &Document)> = documents
        .iter()
        .map(|document| (printable(&repo.shown(&document.path)), document))
        .collect();
    let width = rows
        .iter()
        .map(|(path, _)| path.chars().count())
        .max()
        .unwrap_or(0);
    for (path, document) in &rows {
        let style = style(document.state);
        let gap = width - path.chars().count();
        let state = document.state.name();
        let detail = detail(document);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "  {path}{:gap$}  {style}{state:<10}{style:#}  {FAINT}{detail}{FAINT:#}",
            ""
        );
    }
    let _ = writeln!(text, "{}", summary(documents));
    for hint in hints(configured, documents) {
        let _ = writeln!(text, "{NOTABLE}hint:{NOTABLE:#} {hint}");
    }
    text
}

fn style(state: State) -> Style {
    match state {
        State::Clean => GOOD,
        State::Conflicted | State::Unparsable => BAD,
        _ => NOTABLE,
    }
}

fn detail(document: &Document) -> String {
    match document.state {
        State::Unparsable => document.problem.clone().unwrap_or_default(),
        State::Conflicted if document.conflicts == 0 => "unmerged in the index".to_owned(),
        State::Conflicted => format!("{} to settle", super::merge::places(document.conflicts)),
        _ if document.records == 1 => "1 record".to_owned(),
        _ => format!("{} records", document.records),
    }
}

/// "3 documents in 2 scopes: 1 clean, 2 edited".
fn summary(documents: &[Document]) -> String {
    let mut states: BTreeMap<State, usize> = BTreeMap::new();
    for document in documents {
        *states.entry(document.state).or_default() += 1;
    }
    let mut scopes: Vec<_> = documents.iter().map(|document| &document.scope).collect();
    scopes.sort();
    scopes.dedup();
    let counted =
        |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let states: Vec<String> = states
        .iter()
        .map(|(state, count)| format!("{count} {}", state.name()))
        .collect();
    match documents.len() {
        0 => "No documents: context files live in `.rhema` folders and end in `.yaml`.".to_owned(),
        count => format!(
            "{} in {}: {}",
            counted(count, "document"),
            counted(scopes.len(), "scope"),
            states.join(", ")
        ),
    }
}

fn hints(configured: bool, documents: &[Document]) -> Vec<&'static str> {
    let mut hints = Vec::new();
    let has = |state: State| documents.iter().any(|document| document.state == state);
    if !configured {
        hints.push(
            "git merges these files line by line here; `rhema crdt init` sets up the merge driver",
        );
    } else if has(State::Unmigrated) {
        hints.push(
            "`rhema crdt init` puts the marker into new files; if it finds nothing to do, attributes keep the file from \
             the merge driver: `git check-attr merge FILE` tells",
        );
    }
    if has(State::Conflicted) {
        hints.push("`rhema crdt resolve` shows what is open and settles it");
    }
    hints
}
