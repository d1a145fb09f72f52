//! How the known edits of each document stand, for `status`: nothing is recorded, nothing written, nobody waited for.

use super::Error;
use super::around::Around;
use super::containing::Remembered;
use super::document::{Edits, Since, Standing};
use super::look::are_checked;
use super::policy::Policy;
use crate::crdt::{Act, Change, Stamp};
use crate::git::Repo;
use crate::overlay::{Contents, Deed, DocumentPath};
use crate::store::{Issuer, Mark, Reading, Store, StoredEdit, Which};

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
        let history = repo.history_of(&path);
        let since = Since::between(look.head, commit, &history)?;
        let overview = |edits: Vec<StoredEdit>, since: Since| -> Result<Overview, Error> {
            let mut edits = Edits::of(edits, &policy);
            edits.judge(commit, since, |head, open| {
                let mut contents = Contents::of(&history);
                let remembered = Remembered::of(&reading, &contents, &path, head, open)?;
                remembered.held(&mut contents, head, open)
            })?;
            let mut overview = Overview::default();
            for edit in &edits.all {
                overview.add(edit, look.head == commit);
            }
            Ok(overview)
        };
        let found = overview(those_that_tell(&reading, &path, since)?, since)?;
        if are_checked() {
            let by_marks = match since {
                Since::Same => Since::Same,
                Since::Further | Since::Elsewhere => Since::Elsewhere,
            };
            let all = overview(reading.edits(&path, Which::All)?, by_marks)?;
            assert_eq!(found, all, "the open edits tell otherwise");
        }
        all.push((path, found));
    }
    Ok(all)
}

/// The edits that tell how a document stands: the open ones, and of those that HEAD contains the ones that may have closed one of these since.
fn those_that_tell(
    reading: &Reading<'_>,
    path: &DocumentPath,
    since: Since,
) -> Result<Vec<StoredEdit>, Error> {
    let mut told = reading.open_edits(path, Which::All)?;
    let around = Around::open(reading, path, &told, since)?;
    let (contained, _) = around.contained(reading, path, &Around::default())?;
    told.extend(contained);
    told.sort_by_key(|edit| edit.known.stamp);
    Ok(told)
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
