//! What does not fit the type of its place, as conflicts: nobody else sees it, and what stood there before still stands for
//! everybody.

use super::contest::{Contest, Matter, at, holders, shown};
use crate::context::value::said;
use crate::context::{Annotation, Lost, Misfit, Types, lift};
use crate::crdt::Step;
use crate::yaml::{Document, EntryRef};

/// What somebody wrote into a document, who had read `before`, and what is not recorded because it does not fit: the value
/// from before wins until somebody writes one that does.
#[must_use]
pub fn misfits(before: &Document, document: &Document, types: &Types) -> Vec<Contest> {
    let full = types.full(document);
    let is_fullness = |misfit: &Misfit| full.iter().any(|full| full.at == misfit.at);
    let mut found = types.misfits(document);
    let changed = types.misfit(&lift(before), document);
    found.extend(changed.filter(|changed| found.iter().all(|one| one.at != changed.at)));
    found.retain(|misfit| !is_fullness(misfit));
    let mut contests = found.into_iter();
    let contest = |misfit| contest(before, document, misfit);
    contests.by_ref().filter_map(contest).collect()
}

fn contest(before: &Document, document: &Document, misfit: Misfit) -> Option<Contest> {
    let names = misfit.at.steps().iter().map(|step| match step {
        Step::Entry(name) => name.clone(),
        Step::Record(name, _) => name.said().to_owned(),
    });
    let names: Vec<String> = names.collect();
    // The innermost root or record that it is in.
    let (number, holder) = holders(document)
        .into_iter()
        .enumerate()
        .filter(|(_, holder)| names.starts_with(&holder.names))
        .max_by_key(|(_, holder)| holder.names.len())?;
    let leaf = Annotation::path(names[holder.names.len()..].iter().map(String::as_str));
    let contest = Contest {
        matter: Matter::Misfit { why: misfit.why },
        field: shown(&holder.names, &leaf),
        holder: number,
        names: holder.names.clone(),
        winner: (None, None),
        losers: vec![(at(holder.node, &leaf).map_or(Lost::Deletion, value), None)],
        leaf,
    };
    let stood = contest.holder_like(before);
    let stood = stood.and_then(|stood| Some(said(at(stood.node, &contest.leaf)?.value())));
    Some(Contest {
        winner: (stood, None),
        ..contest
    })
}

fn value(entry: EntryRef<'_>) -> Lost {
    Lost::Value(said(entry.value()))
}

impl Contest {
    /// Whether a misfit still stands where it stood.
    #[must_use]
    pub fn still_misfits(&self, document: &Document) -> bool {
        let holder = self.holder_like(document);
        let stands = holder.and_then(|holder| at(holder.node, &self.leaf));
        let stands = stands.map_or(Lost::Deletion, value);
        matches!(self.matter, Matter::Misfit { .. })
            && self.losers.first().is_some_and(|(lost, _)| *lost == stands)
    }
}
