//! `rhema crdt status`: how the context files and the merge driver stand, and the others.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use anstyle::Style;
use serde::Serialize;

use super::Outcome;
use super::peers::RemovedReport;
use super::round::{counted, warn_of_full_counters};
use super::team::{EventStatus, PeerStatus, RefusedEdit, RemoteStatus, Team, UntakenEdit};
use super::ui::{BAD, FAINT, GOOD, NOTABLE, STRONG, Ui, printable};
use crate::asking::{Answer, Question, Reply, ask};
use crate::git::{Document, Documents, Repo, State, git_path};
use crate::node::Watch;
use crate::overlay::DocumentPath;
use crate::replica::{Overview, Why, overview};
use crate::setup::{AtLogin, node_of};
use crate::store::Store;

/// How long one who stays may take to tell how it stands; it may be in the middle of a round.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) const EXAMPLES: &str = "Examples:\n  \
    rhema crdt status              one line for each context file\n  \
    rhema crdt status --verbose    and the peers, what they lack, what happened last\n  \
    rhema crdt status --json | jq -r '.documents[] | select(.state == \"conflicted\").path'\n\n\
    States: clean (as in HEAD), edited, conflicted (git's markers or kept losers in it, or\n\
    unmerged), unparsable, parked (as in HEAD, with edits out of sight: `rhema crdt unpark`),\n\
    unmigrated (no marker yet, or not merged by the driver: `rhema crdt init`).\n\n\
    Peers: in step (lacked nothing at the last exchange, and nothing came here since), behind, never met.\n\
    Nobody is contacted: `rhema crdt sync` does that.";

/// What is printed for scripts; the names are a contract.
#[derive(Serialize)]
struct Status {
    node: Option<String>,
    repo: String,
    branch: Option<String>,
    driver: DriverStatus,
    documents: Vec<DocumentStatus>,
    peers: Vec<PeerStatus>,
    /// The git remote through which others are met; null where they are not.
    remote: Option<RemoteStatus>,
    removed: Vec<RemovedReport>,
    /// Edits made here that others do not take, or not yet.
    untaken: Vec<UntakenEdit>,
    /// Edits that others brought and that were not taken here.
    refused: Vec<RefusedEdit>,
    watching: bool,
    /// What the program that stays here tells; null where it was not asked.
    watcher: Option<Watcher>,
    /// How `watch` starts at login; null where it does not.
    auto_sync: Option<AutoSyncStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Vec<EventStatus>>,
}

/// How the program that stays here stands.
#[derive(Serialize)]
struct Watcher {
    /// How it learns that a file was written: `events` or `polling`.
    files: &'static str,
}

#[derive(Serialize)]
struct DriverStatus {
    configured: bool,
}

#[derive(Serialize)]
struct AutoSyncStatus {
    path: String,
    stale: bool,
}

#[derive(Serialize)]
struct DocumentStatus {
    path: String,
    scope: String,
    state: &'static str,
    records: usize,
    conflicts: usize,
    pending: usize,
    parked: Vec<ParkedEdit>,
}

/// An edit that is known and not shown.
#[derive(Serialize)]
struct ParkedEdit {
    stamp: String,
    what: String,
    why: &'static str,
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
    warn_of_full_counters(&repo, ui)?;
    let known = Beside::look(&repo, ui.wants_more()).unwrap_or_else(|error| {
        ui.warn(format_args!(
            "what is known beside the files cannot be told: {error:#}"
        ));
        Beside::default()
    });
    for problem in &known.team.problems {
        ui.warn(problem);
    }
    let Beside {
        overviews,
        mut team,
    } = known;
    let watching = Watch::is_kept(repo.git_dir());
    let standing = match ask(&repo, &Question::Status, PATIENCE) {
        Reply::Answered(Answer::Stands(standing)) => Some(standing),
        Reply::Answered(_) | Reply::Nobody | Reply::Lost => None,
    };
    if let Some(standing) = &standing {
        team.add_lines(&standing.lines);
    }
    let at_login = AtLogin::of(&repo).unwrap_or_else(|error| {
        let error = anyhow::Error::from(error);
        ui.warn(format_args!(
            "whether it starts at login cannot be told: {error:#}"
        ));
        None
    });
    let all: Vec<Row> = all
        .into_iter()
        .map(|document| Row::of(document, &overviews))
        .collect();
    if ui.wants_json() {
        ui.json(&Status {
            node: node_of(&repo).map(|node| node.to_string()),
            repo: repo.shown_top(),
            branch,
            driver: DriverStatus { configured },
            documents: all.iter().map(|row| for_scripts(&repo, row)).collect(),
            removed: team.removed.iter().map(RemovedReport::of).collect(),
            untaken: team.untaken,
            refused: team.refused,
            peers: team.peers,
            remote: team.remote,
            watching,
            watcher: standing.map(|standing| Watcher {
                files: standing.files.name(),
            }),
            auto_sync: at_login.map(|at_login| AutoSyncStatus {
                path: repo.shown(&at_login.path),
                stale: at_login.is_stale,
            }),
            events: team.events,
        })?;
    } else {
        let mut text = for_people(&repo, branch.as_deref(), configured, &all);
        text.push_str(&team.for_people(watching, ui.wants_more()));
        match at_login {
            Some(AtLogin { is_stale: false, .. }) => {
                text.push_str(&format!("{FAINT}`rhema crdt watch` starts here at login{FAINT:#}\n"));
            }
            Some(_) => text.push_str(&format!(
                "{NOTABLE}hint:{NOTABLE:#} what starts `rhema crdt watch` at login is stale; `rhema crdt verify --fix` mends it\n"
            )),
            None => {}
        }
        ui.show(&text)?;
    }
    Ok(Outcome::Done)
}

/// What is known beside the files.
#[derive(Default)]
struct Beside {
    overviews: BTreeMap<DocumentPath, Overview>,
    team: Team,
}

impl Beside {
    /// Nobody is contacted; a store that is not there is not made.
    fn look(repo: &Repo, in_full: bool) -> anyhow::Result<Self> {
        let mut store = match Store::path_in(repo.git_dir()).exists() {
            true => Some(Store::open(repo.git_dir())?.store),
            false => None,
        };
        let overviews = match &mut store {
            Some(store) => overview(repo, store)?,
            None => Vec::new(),
        };
        Ok(Self {
            overviews: overviews.into_iter().collect(),
            team: Team::look(repo, store.as_mut(), in_full)?,
        })
    }
}

/// A document, and what is known beside its file.
struct Row {
    document: Document,
    overview: Overview,
}

impl Row {
    fn of(mut document: Document, overviews: &BTreeMap<DocumentPath, Overview>) -> Self {
        let path = DocumentPath::new(git_path(&document.path));
        let overview = match overviews.get(&path) {
            Some(overview) => overview.clone(),
            // Nobody looked yet: what the file says.
            None => Overview {
                pending: document.pending,
                ..Overview::default()
            },
        };
        let is_parked = overview.hidden.iter().any(|edit| edit.why == Why::Parked);
        if is_parked && document.state == State::Clean {
            document.state = State::Parked;
        }
        Self { document, overview }
    }
}

fn for_scripts(repo: &Repo, row: &Row) -> DocumentStatus {
    let Row { document, overview } = row;
    let parked = overview.hidden.iter().map(|edit| ParkedEdit {
        stamp: edit.stamp.to_string(),
        what: edit.what.clone(),
        why: edit.why.name(),
    });
    DocumentStatus {
        path: repo.shown(&document.path),
        scope: scope(repo, document),
        state: document.state.name(),
        records: document.records,
        conflicts: document.conflicts,
        pending: overview.pending,
        parked: parked.collect(),
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

fn for_people(repo: &Repo, branch: Option<&str>, configured: bool, rows: &[Row]) -> String {
    let documents: Vec<&Document> = rows.iter().map(|row| &row.document).collect();
    let branch = branch.map_or("a detached HEAD".to_owned(), |branch| {
        format!("branch {branch}")
    });
    let mut text = format!("{STRONG}{}{STRONG:#} on {branch}\n", repo.shown_top());
    let rows: Vec<(String, &Row)> = rows
        .iter()
        .map(|row| (printable(&repo.shown(&row.document.path)), row))
        .collect();
    let width = rows
        .iter()
        .map(|(path, _)| path.chars().count())
        .max()
        .unwrap_or(0);
    for (path, row) in &rows {
        let document = &row.document;
        let style = style(document.state);
        let gap = width - path.chars().count();
        let state = document.state.name();
        let detail = detail(row);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "  {path}{:gap$}  {style}{state:<10}{style:#}  {FAINT}{detail}{FAINT:#}",
            ""
        );
    }
    let _ = writeln!(text, "{}", summary(&documents));
    let mut hints = hints(configured, &documents);
    if is_edited_by_others_alone(rows.iter().map(|(_, row)| *row)) {
        hints.push(
            "only peers edited what is not committed here: if git refuses to switch, pull or `stash pop` because of that, \
             `rhema crdt park` puts it out of git's way",
        );
    }
    for hint in hints {
        let _ = writeln!(text, "{NOTABLE}hint:{NOTABLE:#} {hint}");
    }
    text
}

/// Whether files differ from HEAD, and in none of them anything that was edited here.
fn is_edited_by_others_alone<'r>(rows: impl Iterator<Item = &'r Row>) -> bool {
    let mut edited = rows.filter(|row| row.overview.pending > 0).peekable();
    edited.peek().is_some() && edited.all(|row| row.overview.of_others == row.overview.pending)
}

fn style(state: State) -> Style {
    match state {
        State::Clean => GOOD,
        State::Conflicted | State::Unparsable => BAD,
        _ => NOTABLE,
    }
}

fn detail(row: &Row) -> String {
    let Row { document, overview } = row;
    let mut detail = detail_of(document);
    if overview.pending > 0 {
        let _ = write!(
            detail,
            ", {} not committed",
            counted(overview.pending, "edit")
        );
    }
    for why in [Why::Parked, Why::Elsewhere, Why::OtherBranch, Why::Held] {
        let edits = overview
            .hidden
            .iter()
            .filter(|edit| edit.why == why)
            .count();
        if edits > 0 {
            let _ = write!(detail, ", {} {}", counted(edits, "edit"), why.name());
        }
    }
    detail
}

fn detail_of(document: &Document) -> String {
    match document.state {
        State::Unparsable => document.problem.clone().unwrap_or_default(),
        State::Conflicted if document.conflicts == 0 => "unmerged in the index".to_owned(),
        State::Conflicted => format!("{} to settle", super::merge::places(document.conflicts)),
        _ if document.records == 1 => "1 record".to_owned(),
        _ => format!("{} records", document.records),
    }
}

/// "3 documents in 2 scopes: 1 clean, 2 edited".
fn summary(documents: &[&Document]) -> String {
    let mut states: BTreeMap<State, usize> = BTreeMap::new();
    for document in documents {
        *states.entry(document.state).or_default() += 1;
    }
    let mut scopes: Vec<_> = documents.iter().map(|document| &document.scope).collect();
    scopes.sort();
    scopes.dedup();
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

fn hints(configured: bool, documents: &[&Document]) -> Vec<&'static str> {
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
    if has(State::Parked) {
        hints.push("`rhema crdt unpark` shows again what was parked");
    }
    if has(State::Conflicted) {
        hints.push("`rhema crdt resolve` shows what is open and settles it");
    }
    hints
}
