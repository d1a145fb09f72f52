//! `rhema crdt why`: which edits competed for a place, and what decided.

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::find::Where;
use super::merge_driver::types;
use super::resolve::{is_settled_by, told};
use super::ui::{FAINT, GOOD, NOTABLE, STRONG, Ui, printable};
use super::{Outcome, times};
use crate::context::Address;
use crate::git::Repo;
use crate::settling::{Competitor, Explanation, Fate, explain};
use crate::store::Store;

/// Tell why something stands as it does
///
/// Which edits of a field or a record are known, what each did, and which rule decided between them: whoever had seen an edit
/// replaces it; among those that had not seen each other a change stands before a deletion, what carries a stamp before what
/// carries none, and then the later one. Nobody is asked and nothing written.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt why todos/ship-it/status\n  \
    rhema crdt why todos/ship-it                 a record: its birth, its place, whether it was deleted\n  \
    rhema crdt why todos/ship-it/status --json | jq -r .rule\n\n\
    With --json: {path, file, value, there, rule, why, together, edits}; edits are {stamp, node, name, when, branch, commit, did,\n\
    value, fate, by, committed}. Rules: unedited, alone, seen, later, stamped, greater, changed, lines, members, sum,\n\
    greatest, last, place, name, gone, absent. Fates: stands, counts, replaced (by), lost, settled, taken back, parked, elsewhere,\n\
    of another branch.")]
pub(super) struct Arguments {
    /// The field (LIST/ID/FIELD) or the record (LIST/ID)
    path: String,
    #[command(flatten)]
    place: Where,
}

/// What is printed for scripts; the names are a contract.
#[derive(Serialize)]
struct Report {
    path: String,
    file: String,
    value: Value,
    there: bool,
    rule: &'static str,
    why: &'static str,
    together: Vec<&'static str>,
    edits: Vec<EditReport>,
}

#[derive(Serialize)]
struct EditReport {
    stamp: Option<String>,
    node: Option<String>,
    name: Option<String>,
    when: Option<String>,
    branch: Option<String>,
    commit: Option<String>,
    did: &'static str,
    value: Value,
    fate: &'static str,
    /// The edit that replaced it.
    by: Option<String>,
    committed: bool,
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    let at = Address::new(&arguments.path);
    let (file, place, document) = arguments.place.place(&repo, &at)?;
    let mut store = match Store::path_in(repo.git_dir()).exists() {
        true => Some(Store::open(repo.git_dir())?.store),
        false => None,
    };
    let reading = store.as_mut().map(Store::read).transpose()?;
    let explained = explain(&repo, reading.as_ref(), &file, &document, &place, &types())?;
    if ui.wants_json() {
        ui.json(&Report {
            path: at.to_string(),
            file: repo.shown(&file),
            value: value(explained.value.as_deref()),
            there: explained.is_there,
            rule: explained.rule.name(),
            why: explained.rule.in_words(),
            together: explained.together.clone(),
            edits: explained.competitors.iter().map(EditReport::of).collect(),
        })?;
    } else {
        ui.show(&for_people(&at, &repo.shown(&file), &explained))?;
    }
    Ok(Outcome::Done)
}

/// A canonical text as JSON has it.
fn value(canonical: Option<&str>) -> Value {
    let parse = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| text.into());
    canonical.map_or(Value::Null, parse)
}

impl EditReport {
    fn of(one: &Competitor) -> Self {
        let origin = one.origin.clone();
        Self {
            stamp: one.stamp.map(|stamp| stamp.to_string()),
            node: origin.node,
            name: origin.name,
            when: origin.when.map(times::for_scripts),
            branch: origin.branch,
            commit: origin.commit,
            did: one.did,
            value: value(one.value.as_deref()),
            fate: one.fate.name(),
            by: match one.fate {
                Fate::Replaced(by) => by.map(|by| by.to_string()),
                _ => None,
            },
            committed: one.is_committed,
        }
    }
}

fn for_people(at: &Address, file: &str, explained: &Explanation) -> String {
    let stands = match (&explained.value, explained.is_there) {
        (Some(value), _) => format!(" is {}", short(value)),
        (None, true) => " is there".to_owned(),
        (None, false) => " is not there".to_owned(),
    };
    let mut text = format!(
        "{STRONG}{}{STRONG:#}{stands} in {}\n{}\n",
        printable(&at.to_string()),
        printable(file),
        explained.rule.in_words(),
    );
    if !explained.together.is_empty() {
        let others = explained.together.join(" and ");
        text.push_str(&format!("it changes together with {others}, as one\n"));
    }
    for one in &explained.competitors {
        let style = match one.fate {
            Fate::Stands | Fate::Counts => GOOD,
            Fate::Lost => NOTABLE,
            _ => FAINT,
        };
        let stamp = one.stamp.map(|stamp| format!(" ({stamp})"));
        let did = match &one.value {
            Some(value) => format!("{} {}", one.did, short(value)),
            None => one.did.to_owned(),
        };
        let fate = match one.fate {
            Fate::Replaced(Some(by)) => format!("replaced by {by}"),
            fate => fate.name().to_owned(),
        };
        text.push_str(&format!(
            "  {style}{fate}{style:#}: {did}  {FAINT}{}{}{FAINT:#}\n",
            told(&one.origin).join(", "),
            stamp.unwrap_or_default(),
        ));
    }
    if explained
        .competitors
        .iter()
        .any(|one| one.fate == Fate::Lost)
    {
        text.push_str(&is_settled_by(&at.to_string()));
    }
    text
}

/// A value in one line that is not too long.
fn short(canonical: &str) -> String {
    const MOST: usize = 60;
    let line = printable(canonical);
    match line.chars().count() > MOST {
        true => format!("{}…", line.chars().take(MOST).collect::<String>()),
        false => line,
    }
}
