//! What the demo found: the JSON that scripts get, and what the narration is made of.

use serde::Serialize;

use super::change::Changed;

/// The whole demo.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Whether everything went as told.
    pub(crate) ok: bool,
    /// Where it was played; it is still there.
    pub(crate) folder: String,
    /// The version of git.
    pub(crate) git: String,
    /// Files of the example.
    pub(crate) files: usize,
    /// Records in them.
    pub(crate) records: usize,
    /// What was edited on both sides, and what came of it.
    pub(crate) steps: Vec<Step>,
    /// The merge of all of it by git alone.
    pub(crate) git_alone: Conflicts,
    /// The merge of all of it by git with the driver.
    pub(crate) with_rhema: Disagreements,
    /// What was looked at after the merge, for all files together.
    pub(crate) checks: Vec<Check>,
    /// How the disagreement was settled.
    pub(crate) settled: Settled,
    /// What happened while both clones were watched.
    pub(crate) live: Live,
    /// The time it took.
    pub(crate) seconds: f64,
}

/// One pair of edits.
#[derive(Debug, Serialize)]
pub(crate) struct Step {
    pub(crate) title: &'static str,
    pub(crate) file: &'static str,
    pub(crate) record: Option<&'static str>,
    pub(crate) ada: Side,
    pub(crate) ben: Side,
    pub(crate) git_alone: GitAlone,
    /// The lines that are new in the merge, or the list of what is open where they disagree.
    pub(crate) merged: Vec<String>,
    /// In one sentence.
    pub(crate) lesson: &'static str,
    pub(crate) checks: Vec<Check>,
}

/// What one of the two did.
#[derive(Debug, Serialize)]
pub(crate) struct Side {
    pub(crate) does: &'static str,
    /// What changed, or nothing where a diff would be long and say little.
    pub(crate) changes: Vec<Changed>,
}

/// What `git merge-file` makes of this pair of edits.
#[derive(Debug, Serialize)]
pub(crate) struct GitAlone {
    pub(crate) conflicts: usize,
    /// Why there are some.
    pub(crate) because: &'static str,
}

/// Places that git marked for people.
#[derive(Debug, Serialize)]
pub(crate) struct Conflicts {
    pub(crate) conflicts: usize,
    pub(crate) files: Vec<String>,
}

/// Places where people really disagree, as `rhema crdt status` counts them.
#[derive(Debug, Serialize)]
pub(crate) struct Disagreements {
    pub(crate) conflicts: usize,
    pub(crate) files: Vec<String>,
    /// Places that git marked for people none the less.
    pub(crate) marked: usize,
}

/// Something that was said, and whether it holds.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    pub(crate) claim: String,
    pub(crate) holds: bool,
}

impl Check {
    pub(super) fn new(claim: impl Into<String>, holds: bool) -> Self {
        Self {
            claim: claim.into(),
            holds,
        }
    }
}

/// How the disagreement ended.
#[derive(Debug, Serialize)]
pub(crate) struct Settled {
    pub(crate) file: String,
    /// What was contested, as the list names it.
    pub(crate) field: String,
    /// The value that stood after the merge.
    pub(crate) winner: Option<Written>,
    /// The value that was kept beside it.
    pub(crate) loser: Option<Written>,
    /// The value that both agreed on.
    pub(crate) value: &'static str,
    /// The command that settled it.
    pub(crate) command: String,
    pub(crate) checks: Vec<Check>,
}

/// A value, and who wrote it when.
#[derive(Debug, Serialize)]
pub(crate) struct Written {
    pub(crate) value: String,
    pub(crate) by: &'static str,
    pub(crate) stamp: String,
    /// In milliseconds since 1970.
    pub(crate) unix_millis: u64,
}

/// What happened while a watcher ran in each clone.
#[derive(Debug, Serialize)]
pub(crate) struct Live {
    /// Whether watchers could be started here.
    pub(crate) played: bool,
    /// Why not, or why it broke off.
    pub(crate) why: Option<String>,
    pub(crate) moments: Vec<Moment>,
    /// What was looked at when all was over.
    pub(crate) checks: Vec<Check>,
}

impl Live {
    /// A scene that cannot be shown, and why.
    pub(super) fn not_played(why: impl Into<String>) -> Self {
        Self {
            played: false,
            why: Some(why.into()),
            moments: Vec::new(),
            checks: Vec::new(),
        }
    }
}

/// Something that was done in one clone or both, and how long it took until they had the same files again.
#[derive(Debug, Serialize)]
pub(crate) struct Moment {
    pub(crate) title: &'static str,
    /// What was done: sentences, and commands, which are indented.
    pub(crate) does: Vec<String>,
    /// From then until both clones had the same files with it in them, as measured.
    pub(crate) milliseconds: f64,
    /// What was so by then.
    pub(crate) in_words: &'static str,
    /// What a command printed about it.
    pub(crate) shown: Vec<String>,
    pub(crate) checks: Vec<Check>,
}

impl Report {
    /// Every check of the demo.
    pub(crate) fn all_checks(&self) -> impl Iterator<Item = &Check> {
        let of_steps = self.steps.iter().flat_map(|step| &step.checks);
        let of_live = self.live.moments.iter().flat_map(|moment| &moment.checks);
        of_steps
            .chain(&self.checks)
            .chain(&self.settled.checks)
            .chain(of_live)
            .chain(&self.live.checks)
    }
}
