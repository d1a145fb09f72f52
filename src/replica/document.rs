//! One document: what git has of it, what the store knows of it.

use std::cell::{Cell, OnceCell};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::rc::Rc;

use super::around::Around;
use super::policy::Policy;
use super::{Error, Replica};
use crate::context::lift;
use crate::crdt::{self, Act, Change, Observed};
use crate::git::{DocumentHistory, HeadVersion, Moved, Repo, git_path};
use crate::overlay::{
    self, Closings, CommitId, Containment, DocumentPath, History, Judged, Known, Origin, RULES,
    as_named_in, retracted,
};
use crate::store::{Issuer, Mark, Marks, StoredEdit};
use crate::yaml;

/// A text of a document, and what the CRDTs see in it once somebody asks.
pub(super) struct Text {
    pub(super) yaml: yaml::Document,
    lifted: OnceCell<crdt::Document>,
}

impl Text {
    pub(super) fn of(yaml: yaml::Document) -> Self {
        Self {
            yaml,
            lifted: OnceCell::new(),
        }
    }

    pub(super) fn lifted(&self) -> &crdt::Document {
        self.lifted.get_or_init(|| lift(&self.yaml))
    }
}

/// A document that holds nothing.
pub(super) const LEAST: &[u8] = b"_crdt: v1\n";

/// A document as git has it.
pub(super) struct Versions<'r> {
    /// Its path.
    pub(super) path: DocumentPath,
    /// HEAD.
    pub(super) commit: Option<CommitId>,
    /// HEAD's version, as this work tree would hold it.
    pub(super) head: Option<HeadVersion>,
    /// The text over which edits are shown: HEAD's, or the least that a document can be.
    pub(super) ground: yaml::Document,
    /// The same as the CRDTs see it.
    pub(super) head_document: Rc<crdt::Document>,
    pub(super) history: DocumentHistory<'r>,
    origins: HashMap<CommitId, Option<Origin>>,
}

impl<'r> Versions<'r> {
    pub(super) fn new(
        path: DocumentPath,
        commit: Option<CommitId>,
        head: Option<HeadVersion>,
        ground: yaml::Document,
        history: DocumentHistory<'r>,
    ) -> Self {
        let head_document = Rc::new(lift(&ground));
        Self {
            path,
            commit,
            head,
            ground,
            head_document,
            history,
            origins: HashMap::new(),
        }
    }

    /// HEAD's version, read.
    pub(super) fn head_yaml(&self) -> Option<&yaml::Document> {
        self.head.as_ref().map(|_| &self.ground)
    }

    /// The version that an edit was made on.
    pub(super) fn origin(&mut self, repo: &Repo, known: &Known) -> Result<Option<Origin>, Error> {
        // Whoever lacks the base has what was published of it.
        for base in known.base.iter().chain(&known.published) {
            let origin = match self.origins.get(base) {
                Some(origin) => origin.clone(),
                None => {
                    let origin = self.read_origin(repo, *base)?;
                    self.origins.insert(*base, origin.clone());
                    origin
                }
            };
            if origin.is_some() {
                return Ok(origin);
            }
        }
        Ok(None)
    }

    fn read_origin(&self, repo: &Repo, base: CommitId) -> Result<Option<Origin>, Error> {
        // A base that is not at hand tells nothing.
        let Some(document) = self.at(repo, base) else {
            return Ok(None);
        };
        let met = match self.commit {
            Some(head) => repo.common_ancestor(head, base)?,
            None => None,
        };
        let is_behind_head = met == Some(base);
        let common = match met {
            Some(met) if !is_behind_head => self.at(repo, met).unwrap_or_default(),
            _ => Rc::clone(&document),
        };
        Ok(Some(Origin {
            document,
            common,
            is_behind_head,
        }))
    }

    /// The document in a commit; nothing where that, or its version, cannot be read.
    pub(super) fn at(&self, repo: &Repo, commit: CommitId) -> Option<Rc<crdt::Document>> {
        if Some(commit) == self.commit && self.head.as_ref().and_then(former).is_none() {
            return Some(Rc::clone(&self.head_document));
        }
        let blob = repo.blob_in(commit, &self.path).ok()?;
        let Some(blob) = blob else {
            return Some(Rc::default());
        };
        let bytes = self.history.bytes(blob).ok()?;
        let read = yaml::Document::read(&bytes, &yaml::Limits::default()).ok()?;
        Some(Rc::new(lift(&read)))
    }
}

/// What HEAD calls a document, where it was moved since.
pub(super) fn former(head: &HeadVersion) -> Option<DocumentPath> {
    let former = head.former.as_ref()?;
    Some(DocumentPath::new(git_path(former)))
}

/// Where HEAD stands, as seen from where it stood at the last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    /// There.
    Same,
    /// On a descendant of that commit: it contains what that contained.
    Further,
    /// Nobody can tell, or not there.
    Elsewhere,
}

impl Since {
    /// From one commit to another.
    pub(super) fn between(
        before: Option<CommitId>,
        now: Option<CommitId>,
        history: &DocumentHistory<'_>,
    ) -> Result<Self, Error> {
        match before == now {
            true => Ok(Self::Same),
            false => Self::moved(before, now, history),
        }
    }

    /// The same where something moved HEAD, even if it is back where it was.
    pub(super) fn moved(
        before: Option<CommitId>,
        now: Option<CommitId>,
        history: &DocumentHistory<'_>,
    ) -> Result<Self, Error> {
        let is_further = match (before, now) {
            (Some(before), Some(now)) => history.is_ancestor(before, now)? == Some(true),
            _ => false,
        };
        Ok(match is_further {
            true => Self::Further,
            false => Self::Elsewhere,
        })
    }
}

/// The known edits of a document, and what is decided about each.
pub(super) struct Edits {
    /// All of them; whoever adds some does so by [`add`](Self::add).
    pub(super) all: Vec<Standing>,
    /// Where each stands among them.
    by_stamp: HashMap<crdt::Stamp, usize>,
    /// Whether those are missing that the last look showed to be superseded.
    pub(super) lacks_superseded: bool,
    /// Where those were looked for that HEAD contains; none where all of them are there.
    pub(super) around: Option<Around>,
    /// Those that were asked for and that nobody knows.
    unknown: HashSet<crdt::Stamp>,
    /// Whether something was asked that only those tell that are missing.
    has_missed: Cell<bool>,
    /// Whether some were left out that are shown, and whether the file stood as all edits together say.
    is_shown_left_out: bool,
    is_told_left_out: bool,
}

/// A known edit in a document.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) known: Known,
    pub(super) issuer: Issuer,
    pub(super) marks: Marks,
    /// Those that the store has; none of an edit that it does not know yet.
    pub(super) before: Option<Marks>,
    /// Which of its changes HEAD contains.
    pub(super) contained: Vec<bool>,
    /// Whether nobody can tell what HEAD contains of it.
    pub(super) is_held: bool,
    pub(super) is_retracted: bool,
    /// Whether the branch policy keeps it away from the branch that is checked out.
    pub(super) is_of_another_branch: bool,
}

impl Standing {
    pub(super) fn known(edit: StoredEdit, policy: &Policy) -> Self {
        let contained = match edit.marks.contains(Mark::Contained) {
            true => vec![true; edit.known.changes().len()],
            false => Vec::new(),
        };
        Self {
            is_of_another_branch: policy.keeps_away(&edit.known, edit.issuer),
            known: policy.placed(edit.known),
            issuer: edit.issuer,
            marks: edit.marks,
            before: Some(edit.marks),
            contained,
            is_held: false,
            is_retracted: false,
        }
    }

    /// An edit that was just made here: no commit can contain it.
    pub(super) fn made_now(known: Known) -> Self {
        Self {
            known,
            issuer: Issuer::Own,
            marks: Marks::default(),
            before: None,
            contained: Vec::new(),
            is_held: false,
            is_retracted: false,
            is_of_another_branch: false,
        }
    }

    /// The part of an edit that HEAD contains, as an edit of its own.
    pub(super) fn made_of_what_is_contained(known: Known) -> Self {
        Self {
            contained: vec![true; known.changes().len()],
            marks: Marks::default().with(Mark::Contained).with(Mark::Committed),
            ..Self::made_now(known)
        }
    }

    /// What HEAD contains of it.
    pub(super) fn contained_changes(&self) -> impl Iterator<Item = &crdt::Change> {
        let changes = self.changes().iter().zip(&self.contained);
        changes
            .filter(|(_, is_contained)| **is_contained)
            .map(|(change, _)| change)
    }

    pub(super) fn has(&self, mark: Mark) -> bool {
        self.marks.contains(mark)
    }

    pub(super) fn mark(&mut self, mark: Mark) {
        self.marks = self.marks.with(mark);
    }

    pub(super) fn unmark(&mut self, mark: Mark) {
        self.marks = self.marks.without(mark);
    }

    /// Brings it back into sight, whatever kept it out.
    pub(super) fn bring_back(&mut self) {
        self.unmark(Mark::Parked);
        if self.is_elsewhere() {
            self.mark(Mark::TakenUp);
        }
    }

    /// Whether it belongs to another branch: it was in a HEAD of this work tree and is not in this one.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.has(Mark::Committed) && !self.has(Mark::Contained) && !self.has(Mark::TakenUp)
    }

    /// Whether it stands over HEAD.
    pub(super) fn may_show(&self) -> bool {
        !self.has(Mark::Contained)
            && !self.has(Mark::Parked)
            && !self.is_elsewhere()
            && !self.is_held
            && !self.is_retracted
            && !self.is_of_another_branch
    }

    /// Whether others know of it, or it comes back from out of sight: it is written as its changes say.
    fn is_told(&self) -> bool {
        self.may_show()
            && !self.changes().is_empty()
            && (self.issuer != Issuer::Own || !self.has(Mark::Shown))
    }

    pub(super) fn judged(&self) -> Judged<'_> {
        Judged {
            known: &self.known,
            contained: self.contained.clone(),
            may_show: self.may_show(),
            was_shown: self.has(Mark::Shown),
        }
    }
}

impl Edits {
    pub(super) fn of(stored: Vec<StoredEdit>, policy: &Policy) -> Self {
        let mut edits = Self {
            all: Vec::with_capacity(stored.len()),
            by_stamp: HashMap::with_capacity(stored.len()),
            lacks_superseded: false,
            around: None,
            unknown: HashSet::new(),
            has_missed: Cell::new(false),
            is_shown_left_out: false,
            is_told_left_out: false,
        };
        edits.add(stored.into_iter().map(|edit| Standing::known(edit, policy)));
        edits
    }

    pub(super) fn add(&mut self, edits: impl IntoIterator<Item = Standing>) {
        for edit in edits {
            self.by_stamp.insert(edit.known.stamp, self.all.len());
            self.all.push(edit);
        }
    }

    /// Puts all of them in the order of their stamps.
    pub(super) fn put_in_order(&mut self) {
        self.all.sort_by_key(|edit| edit.known.stamp);
        self.note_places();
    }

    fn note_places(&mut self) {
        let stamps = self.all.iter().map(|edit| edit.known.stamp);
        self.by_stamp = stamps.zip(0..).collect();
    }

    /// Notes that nobody knows an edit of this document with this stamp.
    pub(super) fn note_unknown(&mut self, stamp: crdt::Stamp) {
        self.unknown.insert(stamp);
    }

    /// Leaves some out that are shown as they were shown before, and that are about nothing that is looked at.
    pub(super) fn leave_out(&mut self, is_left_out: impl Fn(&Standing) -> bool) {
        let were_told = self.were_told();
        let before = self.all.len();
        self.all.retain(|edit| !is_left_out(edit));
        if self.all.len() < before {
            self.is_shown_left_out = true;
            self.is_told_left_out |= were_told;
        }
        self.note_places();
    }

    /// Whether the file is to stand as all edits together say: others know of some of the first of these that it shows, or is to
    /// show. What was edited here alone stands as it was typed.
    pub(super) fn are_told(&self, first: usize) -> bool {
        self.is_told_left_out || self.all.iter().take(first).any(Standing::is_told)
    }

    /// Whether some edit after the first of these put something in the place of what another one had taken away, whose stamp stands in
    /// no file: whoever sees that removal elsewhere is to hear that it is over.
    pub(super) fn fill_again(&self, first: usize) -> bool {
        let is_removal = |change: &Change| change.act == Act::Remove;
        let removals = self
            .all
            .iter()
            .filter(|edit| !edit.has(Mark::Contained) && edit.changes().iter().any(is_removal));
        let removals: Vec<crdt::Stamp> = removals.map(|edit| edit.known.stamp).collect();
        let mut new = self.all.iter().skip(first).flat_map(Standing::changes);
        new.any(|change| {
            let mut removals = removals.iter();
            !is_removal(change) && removals.any(|stamp| change.observed.has_stamp(*stamp))
        })
    }

    /// Whether edits were left out that nobody but the author of the file knew of, so that what they did stands as it was typed.
    pub(super) fn were_left_out_as_typed(&self) -> bool {
        self.is_shown_left_out && !self.is_told_left_out
    }

    /// Whether that was so at the last look, if HEAD stands where it stood then.
    fn were_told(&self) -> bool {
        let mut shown = self.all.iter().filter(|edit| edit.has(Mark::Shown));
        shown.any(Standing::is_told)
    }

    /// Those that stand over HEAD, whose changes it does not contain.
    pub(super) fn judged(&self) -> Vec<Judged<'_>> {
        self.all.iter().map(Standing::judged).collect()
    }

    pub(super) fn get(&self, stamp: crdt::Stamp) -> Option<&Standing> {
        let there = self.peek(stamp);
        if there.is_none() && !self.unknown.contains(&stamp) {
            self.has_missed.set(true);
        }
        there
    }

    /// The edit with this stamp, if it is among those that were read.
    pub(super) fn peek(&self, stamp: crdt::Stamp) -> Option<&Standing> {
        self.all.get(*self.by_stamp.get(&stamp)?)
    }

    /// Whether one that may be shown observed what the edit with this stamp did in a place.
    pub(super) fn supersede(&self, stamp: crdt::Stamp, at: &crdt::Path) -> bool {
        let mut shown = self.all.iter().filter(|edit| edit.may_show());
        let at = at.as_born();
        shown.any(|edit| {
            let mut changes = edit.changes().iter();
            changes.any(|change| change.observed.has_stamp(stamp) && change.at.as_born().meets(&at))
        })
    }

    /// Something is asked of them that only those tell as well that were superseded.
    pub(super) fn must_be_all(&self) {
        self.has_missed
            .set(self.has_missed.get() || self.lacks_superseded);
    }

    /// Something is asked that is told by those that HEAD contains, about where these changes are.
    pub(super) fn must_have_all_about<'c>(&self, mut changes: impl Iterator<Item = &'c Change>) {
        let has_missed = |around: &Around| changes.any(|change| !around.has(change));
        let has_missed = self.around.as_ref().is_some_and(has_missed);
        self.has_missed.set(self.has_missed.get() || has_missed);
    }

    /// Whether some are missing.
    pub(super) fn is_partial(&self) -> bool {
        self.lacks_superseded || self.around.is_some()
    }

    /// Whether all of them may tell something else than these do.
    pub(super) fn are_too_few(&self) -> bool {
        self.is_partial() && self.has_missed.get()
    }

    /// Those that only took away what the file lacks, of what others had brought, or had edited. Nobody may have taken them back: no
    /// commit need ever have had what they took away.
    pub(super) fn removals_of_what_others_edited(
        &self,
        file: &crdt::Document,
    ) -> BTreeSet<crdt::Stamp> {
        let is_open = |edit: &&Standing| {
            !(edit.has(Mark::Contained) || edit.is_retracted || edit.is_held)
                && overlay::is_absent_as_meant(file, &edit.judged())
        };
        let mut absent = self.all.iter().filter(is_open).peekable();
        if absent.peek().is_none() {
            return BTreeSet::new();
        }
        let others = self.all.iter().filter(|edit| edit.issuer == Issuer::Other);
        let others = others.flat_map(Standing::changes);
        let edited: BTreeSet<crdt::Path> = others.map(|change| change.at.as_born()).collect();
        let are_of_others = |edit: &&Standing| {
            let mut changes = edit.changes().iter();
            changes.any(|change| {
                let at = change.at.as_born();
                let mut inside = edited.range(&at..);
                inside
                    .next()
                    .is_some_and(|inside| inside.steps().starts_with(at.steps()))
            })
        };
        absent
            .filter(are_of_others)
            .map(|edit| edit.known.stamp)
            .collect()
    }

    /// Those of which nothing is seen any more, whatever comes, as long as HEAD stands where it stands: all that they write was
    /// replaced by others that may show, and that had seen all that they had seen: every edit, and every value of HEAD. What
    /// brings records, moves them or takes them away is never among them: others find their places by it. Nor is what HEAD
    /// contains: what is still to come may be closed by it.
    pub(super) fn superseded(&self, head: &crdt::Document) -> BTreeSet<crdt::Stamp> {
        let is_write = |change: &Change| matches!(change.act, Act::Write(_));
        let mut writes: HashMap<&crdt::Path, Vec<&Change>> = HashMap::new();
        let visible = self.all.iter().filter(|edit| edit.may_show());
        for change in visible.clone().flat_map(Standing::changes) {
            if is_write(change) {
                writes.entry(&change.at).or_default().push(change);
            }
        }
        // Where HEAD lacks the record, the first edit in it tells what that was.
        let births = visible.clone().flat_map(Standing::changes);
        let births = births.filter(|change| matches!(change.act, Act::Add { .. }));
        let born: BTreeSet<&crdt::Path> = births.map(|change| &change.at).collect();
        let is_there = |at: &crdt::Path| {
            let record = at.outermost_record();
            let as_head_has_it = as_named_in(head, &record, &|_| false);
            record.steps().is_empty()
                || born.contains(&record)
                || head.found(&as_head_has_it).is_some()
        };
        let is_superseded = |edit: &&Standing| {
            let is_replaced = |change: &Change| {
                if !is_write(change) {
                    return false;
                }
                // The latest has seen most.
                let others = writes.get(&change.at).into_iter().flatten().rev();
                let saw_it = |other: &&&Change| other.observed.has_stamp(edit.known.stamp);
                let mut others = others.filter(saw_it).peekable();
                if others.peek().is_none() || !is_there(&change.at) {
                    return false;
                }
                let head = RULES.observed(head, &as_named_in(head, &change.at, &|_| false));
                let digests = head.digests();
                let digests = digests.filter(|digest| change.observed.has_digest(*digest));
                let needed = Observed::new(change.observed.stamps().clone(), digests.collect());
                others.any(|other| other.observed.has_all_of(&needed))
            };
            let changes = edit.changes();
            !changes.is_empty() && changes.iter().all(is_replaced)
        };
        let superseded = visible.filter(is_superseded);
        superseded.map(|edit| edit.known.stamp).collect()
    }

    /// Whether some of what is shown was made by others.
    pub(super) fn are_told_by_others(&self) -> bool {
        let mut others = self.all.iter().filter(|edit| edit.issuer != Issuer::Own);
        others.any(|edit| edit.may_show() && edit.has(Mark::Shown))
    }

    /// Finds out which edits are taken back.
    pub(super) fn note_retractions(&mut self) {
        let retracted = retracted(self.all.iter().map(|edit| &edit.known));
        for edit in &mut self.all {
            edit.is_retracted = retracted.contains(&edit.known.stamp);
        }
    }

    /// Finds out what HEAD contains of each, as `held` tells of those of which the marks do not.
    pub(super) fn judge(
        &mut self,
        head: Option<CommitId>,
        since: Since,
        held: impl FnOnce(CommitId, &[&Known]) -> Result<Vec<Containment>, Error>,
    ) -> Result<(), Error> {
        self.note_retractions();
        let Some(head) = head else {
            return Ok(());
        };
        let open_again = match since {
            Since::Same | Since::Elsewhere => HashSet::new(),
            Since::Further => self.closed_by_what_is_retracted(),
        };
        let is_judged = |edit: &Standing| {
            since != Since::Elsewhere
                && edit.has(Mark::Contained)
                && !open_again.contains(&edit.known.stamp)
        };
        let open = self.all.iter().filter(|edit| !is_judged(edit));
        let open: Vec<&Known> = open.map(|edit| &edit.known).collect();
        let mut held = held(head, &open)?.into_iter();
        for edit in &mut self.all {
            let changes = edit.changes().len();
            let containment = match is_judged(edit) {
                false => held.next().unwrap_or(Containment::OutOfReach),
                true => {
                    edit.contained = vec![true; changes];
                    continue;
                }
            };
            edit.is_held = containment == Containment::OutOfReach;
            let is_whole = changes > 0 && containment.is_whole();
            edit.contained = match containment {
                Containment::Known(contained) => contained,
                Containment::OutOfReach => Vec::new(),
            };
            if is_whole {
                edit.marks = edit.marks.with(Mark::Contained).with(Mark::Committed);
                edit.unmark(Mark::Parked);
                edit.unmark(Mark::TakenUp);
            } else {
                edit.unmark(Mark::Contained);
            }
        }
        self.note_what_went_along();
        Ok(())
    }

    /// Those that HEAD contains, and that may have been closed by one which is retracted by now: that closes nothing any more.
    fn closed_by_what_is_retracted(&self) -> HashSet<crdt::Stamp> {
        let contained = self.all.iter().filter(|edit| edit.has(Mark::Contained));
        let retracted = contained.clone().filter(|edit| edit.is_retracted);
        let closings = Closings::of(retracted.flat_map(Standing::changes));
        let are_closed = |edit: &&Standing| {
            let mut changes = edit.changes().iter();
            changes.any(|change| closings.close(change, edit.known.stamp))
        };
        let closed = contained.filter(are_closed);
        closed.map(|edit| edit.known.stamp).collect()
    }

    /// What a committed edit replaced went into its commit along with it: a removal leaves nothing there that could tell.
    fn note_what_went_along(&mut self) {
        for mark in [Mark::Contained, Mark::Committed] {
            let marked = |edit: &&Standing| edit.has(mark) && !edit.is_retracted;
            let marked = self.all.iter().filter(marked);
            let open = self.all.iter().filter(|edit| !edit.has(mark));
            let open = open.flat_map(Standing::changes);
            let closings = Closings::about(marked.flat_map(Standing::changes), open);
            let went_along: Vec<bool> = self
                .all
                .iter()
                .map(|edit| {
                    let replaced = |change| closings.close(change, edit.known.stamp);
                    !edit.has(mark)
                        && !edit.changes().is_empty()
                        && edit.changes().iter().all(replaced)
                })
                .collect();
            let edits = self.all.iter_mut().zip(went_along);
            for (edit, _) in edits.filter(|(_, went_along)| *went_along) {
                edit.mark(Mark::Committed);
                if mark == Mark::Contained {
                    edit.contained = vec![true; edit.changes().len()];
                    edit.mark(mark);
                    edit.unmark(Mark::Parked);
                    edit.unmark(Mark::TakenUp);
                }
            }
        }
    }
}

impl Standing {
    /// What it changes.
    pub(super) fn changes(&self) -> &[Change] {
        self.known.changes()
    }

    /// Whether it changes something there.
    pub(super) fn changes_at(&self, at: &crdt::Path) -> bool {
        self.changes().iter().any(|change| change.at == *at)
    }
}

impl<'r> Replica<'r> {
    /// What git has of the document in a file; why nothing can be recorded there, if HEAD's version is no YAML.
    pub(super) fn versions(
        &self,
        file: &Path,
        bytes: &[u8],
        commit: Option<CommitId>,
    ) -> Result<Result<Versions<'r>, String>, Error> {
        let path = DocumentPath::new(git_path(file));
        let head = self.repo.head_version(file, bytes, &mut Moved::default())?;
        let text = head.as_ref().map_or(LEAST, |head| &head.bytes);
        let ground = match yaml::Document::read(text, &yaml::Limits::default()) {
            Ok(ground) => ground,
            Err(error) => {
                return Ok(Err(format!(
                    "HEAD's version cannot be read ({error}), so that nothing tells what was edited: commit this one"
                )));
            }
        };
        let history = self.repo.history_of(&path);
        Ok(Ok(Versions::new(path, commit, head, ground, history)))
    }
}
