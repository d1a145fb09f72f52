//! How the known edits of each document stand, for `status`: nothing is recorded, nothing written, nobody waited for.

use std::collections::{BTreeMap, BTreeSet};

use super::Error;
use super::containing::Remembered;
use super::document::{Edits, Standing};
use super::look::are_checked;
use super::policy::Policy;
use crate::crdt::{Act, Change, Path, Stamp};
use crate::git::Repo;
use crate::overlay::{Contents, Deed, DocumentPath};
use crate::store::{Issuer, Mark, Marks, Reading, Store, StoredEdit, Which};

/// Edits of more places than these are as soon read all.
const MOST_PLACES: usize = 64;

/// The edits of one document that HEAD does not contain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// Those that the file shows.
    pub pending: usize,
    /// Those of them that others made.
    pub of_others: usize,
    /// Those that it does not show, and why.
    pub hidden: Vec<HiddenEdit>,
}

/// An edit that is known and not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HiddenEdit {
    /// The edit.
    pub stamp: Stamp,
    /// What it does, in words: the places that it changes.
    pub what: String,
    /// Why it is not shown.
    pub why: Why,
}

/// Why an edit is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It was parked, or git put HEAD's version of the file back.
    Parked,
    /// It belongs to another branch.
    Elsewhere,
    /// The policy keeps it on the branch that it was made on.
    OtherBranch,
    /// What it was made on is not at hand.
    Held,
}

impl Why {
    /// What scripts read.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Why::Parked => "parked",
            Why::Elsewhere => "elsewhere",
            Why::OtherBranch => "of another branch",
            Why::Held => "held back",
        }
    }
}

/// How the documents of a work tree stand, as of now.
///
/// # Errors
/// When the store or the history cannot be read.
pub fn overview(repo: &Repo, store: &mut Store) -> Result<Vec<(DocumentPath, Overview)>, Error> {
    let commit = repo.head_commit()?;
    let reading = store.read()?;
    let policy = Policy::of(repo, &reading)?;
    let mut all = Vec::new();
    for (path, look) in reading.looks()? {
        let is_same_head = look.head == commit;
        let overview = |edits: Vec<StoredEdit>| -> Result<Overview, Error> {
            let mut edits = Edits::of(edits, &policy);
            edits.judge(commit, is_same_head, |head, open| {
                let history = repo.history_of(&path);
                let mut contents = Contents::of(&history);
                let remembered = Remembered::of(&reading, &contents, &path, head, open)?;
                remembered.held(&mut contents, head, open)
            })?;
            let mut overview = Overview::default();
            for edit in &edits.all {
                overview.add(edit, is_same_head);
            }
            Ok(overview)
        };
        let told = match is_same_head {
            true => those_that_tell(&reading, &path)?,
            false => None,
        };
        let found = match told {
            Some(told) => {
                let found = overview(told)?;
                if are_checked() {
                    let all = overview(reading.edits(&path, Which::All)?)?;
                    assert_eq!(found, all, "the open edits tell otherwise");
                }
                found
            }
            None => overview(reading.edits(&path, Which::All)?)?,
        };
        all.push((path, found));
    }
    Ok(all)
}

/// The edits that tell how a document stands, if HEAD stands where it stood at the last look: the open ones, and of those that HEAD contains
/// the ones that may have closed an edit which came since. Nothing where only all of them can tell.
fn those_that_tell(
    reading: &Reading<'_>,
    path: &DocumentPath,
) -> Result<Option<Vec<StoredEdit>>, Error> {
    let mut told = reading.open_edits(path)?;
    let retracted = reading.retracted(path)?;
    let is_new = |edit: &&StoredEdit| {
        edit.marks == Marks::default() && !retracted.contains(&edit.known.stamp)
    };
    let news = told.iter().filter(is_new);
    let places: BTreeSet<&Path> = news
        .flat_map(|edit| edit.known.changes())
        .map(|change| &change.at)
        .collect();
    let mut around = BTreeSet::new();
    for at in places {
        // What closes an edit of a whole entry may be anywhere in it.
        if at.steps().len() < 2 || around.len() > MOST_PLACES {
            return Ok(None);
        }
        around.extend((0..=2).map(|many| at.steps().iter().take(many).cloned().collect::<Path>()));
    }
    let mut closing: BTreeMap<Stamp, StoredEdit> = BTreeMap::new();
    for at in around {
        let about = reading.edits_about(path, &at, None, usize::MAX)?;
        let contained = about
            .into_iter()
            .filter(|edit| edit.marks.contains(Mark::Contained));
        closing.extend(contained.map(|edit| (edit.known.stamp, edit)));
    }
    told.extend(closing.into_values());
    told.sort_by_key(|edit| edit.known.stamp);
    Ok(Some(told))
}

impl Overview {
    fn add(&mut self, edit: &Standing, is_same_head: bool) {
        let why = if edit.is_retracted || edit.has(Mark::Contained) {
            return;
        } else if edit.is_held {
            Why::Held
        } else if edit.is_of_another_branch {
            Why::OtherBranch
        } else if edit.has(Mark::Parked) && is_same_head {
            Why::Parked
        } else if edit.is_elsewhere() {
            Why::Elsewhere
        } else {
            let is_form = |change: &Change| matches!(change.act, Act::Form(_));
            let counts = usize::from(!edit.changes().iter().all(is_form));
            self.pending += counts;
            if edit.issuer != Issuer::Own {
                self.of_others += counts;
            }
            return;
        };
        self.hidden.push(HiddenEdit {
            stamp: edit.known.stamp,
            what: in_words(&edit.known.deed),
            why,
        });
    }
}

/// The places that an edit changes, and to what.
fn in_words(deed: &Deed) -> String {
    let Deed::Change(changes) = deed else {
        return String::new();
    };
    let words = changes.iter().map(|change| {
        let at = &change.at;
        match &change.act {
            Act::Write(value) | Act::Last(value) => format!("{at} = {}", value.canonical()),
            Act::Replace(_) => format!("{at} = […]"),
            Act::Remove => format!("- {at}"),
            Act::Add { .. } => format!("+ {at}"),
            Act::Move { .. } => format!("{at} moved"),
            Act::Lose(_) | Act::Settle(_) => format!("{at} settled"),
            Act::Count(amount) => format!("{at} {amount:+}"),
            Act::Raise(number) => format!("{at} = {number}"),
            Act::Form(_) => format!("{at} written otherwise"),
        }
    });
    words.collect::<Vec<_>>().join(", ")
}
