//! What `add`, `set`, `remove` and `move` have in common: making a change, and telling of it.

use anyhow::bail;
use serde::Serialize;

use super::Outcome;
use super::find::Where;
use super::ui::{GOOD, Ui, printable};
use crate::context::Change;
use crate::git::Repo;
use crate::node::Node;
use crate::replica::Replica;

/// What is printed for scripts; the names are a contract.
#[derive(Serialize)]
struct Report {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    file: String,
    changed: bool,
    stamp: Option<String>,
}

/// What the JSON means; for the help of each command.
pub(super) const JSON: &str = "With --json: {path, file, changed, stamp}: what was changed as it is called now, its \
    document, whether that is another one now, and the stamp of the edit, or null where it leaves none.";

/// Makes a change. `field` helps to find the document of a root.
pub(super) fn run(
    change: &Change,
    place: &Where,
    field: Option<&str>,
    done: &str,
    ui: &Ui,
) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    if Node::load(repo.git_dir())?.is_none() {
        bail!("rhema crdt is not set up in this clone: run `rhema crdt init` first");
    }
    let file = place.document(&repo, change.address(), field)?;
    let written = Replica::open(&repo)?.edit(&file, change)?;
    let report = Report {
        path: written.at.to_string(),
        id: written.new_name,
        file: repo.shown(&file),
        changed: written.changed,
        stamp: written.stamp.map(|stamp| stamp.to_string()),
    };
    if ui.wants_json() {
        ui.json(&report)?;
    } else if let Some(id) = &report.id {
        ui.show(&format!("{}\n", printable(id)))?;
    } else if report.changed {
        let (path, file) = (printable(&report.path), printable(&report.file));
        ui.say(&format!("{GOOD}{done}{GOOD:#} {path} in {file}.\n"))?;
    } else {
        let path = printable(&report.path);
        ui.say(&format!("Nothing to change: {path} is as you say.\n"))?;
    }
    Ok(Outcome::Done)
}
