//! What `add`, `set`, `remove` and `move` have in common: making a change, and telling of it.

use std::time::Duration;

use anyhow::bail;
use serde::Serialize;

use super::Outcome;
use super::find::Where;
use super::ui::{GOOD, Ui, printable};
use crate::asking::{Answer, Edited, Question, Reply, ask};
use crate::context::Change;
use crate::git::{Repo, git_path};
use crate::node::Node;
use crate::overlay::DocumentPath;
use crate::peers::forbidden;
use crate::replica::{Done, Errand, ErrandName, Replica};

/// How long one who stays may take to make an edit: it may be in the middle of a round over large files.
const PATIENCE: Duration = Duration::from_secs(20);

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

/// Makes a change, or has it made. `field` helps to find the document of a root.
pub(super) fn run(
    change: Change,
    place: &Where,
    field: Option<&str>,
    done: &str,
    ui: &Ui,
) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    if Node::load(repo.git_dir())?.is_none() {
        bail!("rhema crdt is not set up in this clone: run `rhema crdt init` first");
    }
    let errand = Errand {
        name: ErrandName::draw()?,
        within: place.within(&repo)?,
        field: field.map(str::to_owned),
        change,
    };
    warn_of_rules(&repo, &errand, ui);
    let edited = edited(&repo, &errand)?;
    let report = Report {
        path: edited.path,
        id: edited.id,
        file: edited.file,
        changed: edited.changed,
        stamp: edited.stamp,
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

/// Warns of an edit that nobody else will take.
fn warn_of_rules(repo: &Repo, errand: &Errand, ui: &Ui) {
    let Errand {
        within,
        field,
        change,
        ..
    } = errand;
    let at = change.address();
    let find = || {
        // What is wrong with the address is told in a moment.
        let file = repo.document_of(within, at, field.as_deref()).ok()?;
        let part = match at.is_root() {
            true => field.clone(),
            false => Some(at.first_name().to_owned()),
        };
        Some((DocumentPath::new(git_path(&file)), part))
    };
    match forbidden(repo, find) {
        Ok(None) => {}
        Ok(Some(why)) => ui.warn(format_args!(
            "no other work tree takes this edit: {why}; it reaches others once it is committed"
        )),
        Err(error) => tracing::info!("{error}"),
    }
}

/// Has an edit made by the program that stays here, or makes it.
fn edited(repo: &Repo, errand: &Errand) -> anyhow::Result<Edited> {
    let question = Question::Edit(errand.into());
    let done = match ask(repo, &question, PATIENCE) {
        Reply::Answered(Answer::Edited(edited)) => return Ok(edited),
        Reply::Answered(Answer::Failed(failure)) => return Err(failure.into()),
        Reply::Nobody => {
            let Errand { within, change, .. } = errand;
            let file = repo.document_of(within, change.address(), errand.field.as_deref())?;
            let edited = Replica::open(repo)?.edit(&file, change)?;
            Done { file, edited }
        }
        // It may be made already, or be about to be.
        Reply::Answered(_) | Reply::Lost => Replica::open(repo)?.perform(errand)?,
    };
    Ok(Edited::of(repo, &done))
}
