//! What was edited in a file: stamps beside it, and the edits that make it known.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeSet;

use super::Looking;
use crate::context;
use crate::crdt::{self, Act, Change, Replica, Stamp, StampSet};
use crate::overlay::{
    self, Deed, Familiar, Finding, Knowledge, Known, RULES, Sight, findings, mass_deletion, sights,
};
use crate::replica::Error;
use crate::replica::document::{Edits, Standing, Text};
use crate::store::{ContentDigest, Durability, Issuer, Mark, Store, StoredEdit};
use crate::yaml;

/// Whether more was deleted than this must be told from whole lists: they may have lost most of their records.
const MOST_REMOVED: usize = 9;

/// How many of the newest edits about a place are asked what HEAD contains of them.
const MOST_ABOUT: usize = 256;

/// How long a file must stay as it is before a deletion of most of a list is believed.
const HELD_MILLIS: u64 = 10_000;

/// What was read, with the records that the store had forgotten and somebody sent again since: each stood there, as it was born, for
/// whoever left its stamp there. Nothing where there are none.
fn with_forgotten(
    read: &crdt::Document,
    file: &crdt::Document,
    edits: &Edits,
    fresh: &BTreeSet<Stamp>,
) -> Option<crdt::Document> {
    let born = |at: &crdt::Path| {
        let Some(crdt::Found::Record(shown, ..)) = file.found(at) else {
            return None;
        };
        let birth = shown.birth.stamp.filter(|stamp| !fresh.contains(stamp))?;
        // What was shown before, and taken away since, is put back.
        let is_news = |edit: &&Standing| !edit.has(Mark::Shown) && !edit.is_retracted;
        let sent_again = edits.get(birth).filter(is_news)?;
        let mut changes = sent_again.changes().iter();
        changes.find_map(|change| match &change.act {
            Act::Add { record, .. } if change.at == *at => Some(&record.fields),
            _ => None,
        })
    };
    let mut forgotten = overlay::put_back(read, file, file);
    forgotten.retain(|at| born(at).is_some());
    let body = |at: &crdt::Path| born(at).cloned().unwrap_or_default();
    (!forgotten.is_empty()).then(|| overlay::with_put_back(read, file, &forgotten, &body))
}

/// What was edited in a file.
pub(super) struct Found {
    /// How much, as people count.
    pub(super) edits: usize,
    /// The edits.
    pub(super) findings: Vec<Finding>,
    /// Whether the file got stamps for what known edits did: it is to have theirs.
    pub(super) stands_again: bool,
}

impl Found {
    /// Whether something was added to a counter: what the file is to say of that is told by the edit alone.
    pub(super) fn counts(&self) -> bool {
        let mut changes = self.findings.iter().flat_map(|finding| &finding.changes);
        changes.any(|change| matches!(change.act, Act::Count(_)))
    }
}

impl Looking<'_, '_, '_> {
    /// The file with stamps beside what was edited, if it is another one then; which stamps are fresh.
    pub(super) fn stamped(
        &mut self,
        work: &yaml::Document,
        edits: &Edits,
    ) -> Result<(Option<String>, Option<BTreeSet<Stamp>>), Error> {
        let policy = self.replica.policy()?;
        let mut fresh: BTreeSet<Stamp> = self.made_stamps.iter().copied().collect();
        let mut stamps = Vec::new();
        let mut clock = self.replica.clock;
        let now = self.replica.now.unix_millis();
        let mut failed = None;
        let mut made = std::iter::from_fn(|| match clock.tick(now) {
            Ok(stamp) => {
                stamps.push(stamp);
                Some(stamp)
            }
            Err(error) => {
                failed = Some(error);
                None
            }
        });
        let head = self.versions.head_yaml();
        let stamped = context::stamp_beside(
            head,
            work,
            None,
            &mut made,
            &Beside {
                edits,
                own: self.replica.clock_file.replica(),
                store: RefCell::new(&mut self.replica.store),
                marks: OnceCell::new(),
            },
            &policy.types,
        );
        if let Some(source) = failed {
            return Err(Error::Clock { source });
        }
        self.replica.clock = clock;
        fresh.extend(stamps);
        Ok((stamped.text, Some(fresh)))
    }

    /// What was edited in the file, in which these records were put back, and how much; why it is not taken for edits. What was read
    /// may be known to show, `has_all_shown`, all that was shown at the last look: also what HEAD shows as well.
    pub(super) fn found(
        &mut self,
        read: Option<&crdt::Document>,
        has_all_shown: bool,
        text: &Text,
        returned: &[crdt::Path],
        edits: &mut Edits,
        fresh: &BTreeSet<Stamp>,
    ) -> Result<Result<Found, String>, Error> {
        let file = text.lifted();
        let policy = self.replica.policy()?;
        let types = &policy.types;
        let with_forgotten = read.and_then(|read| with_forgotten(read, file, edits, fresh));
        let read = with_forgotten.as_ref().or(read);
        // What came since was not there to be seen; what its author took back, and what is still there from when it was
        // shown, is nobody's edit.
        let seen = sights(
            read.unwrap_or(file),
            &self.versions.head_document,
            &edits.judged(),
        );
        let mut known = edits.judged();
        for ((judged, sight), edit) in known.iter_mut().zip(seen).zip(&edits.all) {
            let is_left = edit.is_retracted && edit.has(Mark::Shown);
            // How something is written shows in no value.
            let mut changes = judged.known.changes().iter();
            let is_form = changes.all(|change| matches!(change.act, Act::Form(_)));
            judged.may_show = match sight {
                Sight::Named | Sight::Seen | Sight::Part => judged.may_show || is_left,
                Sight::Like => judged.may_show && edit.has(Mark::Shown) || is_left,
                Sight::Gone if is_form => judged.may_show && edit.has(Mark::Shown),
                Sight::Gone => {
                    // A rendering that was kept from being written was read by nobody.
                    let is_read = || self.was_written() || !self.came_just_now(edit.known.stamp);
                    let is_told = has_all_shown || (read.is_none() && is_read());
                    judged.may_show && is_told && edit.has(Mark::Shown)
                }
            };
        }
        let shown = self.select(&known)?;
        let view = RULES.view(&self.versions.head_document, &shown);
        let made = self.made_stamps;
        let stands_again = Cell::new(false);
        // An own stamp that the store does not know was made by somebody who had no store, unless it is older than what is recorded
        // or newer than the clock: then another state of this work tree made it, and goes by it.
        let own = self.replica.clock_file.replica();
        let recorded = self.replica.store.read()?.last_of(own)?;
        let ticked = self.replica.clock_file.last();
        let is_to_be_recorded = |stamp: Stamp| {
            stamp.replica() == own && Some(stamp) > recorded && Some(stamp) <= ticked
        };
        // Whoever had read that it lost, and has it stand there, chose it.
        let was_lost = |stamp: Stamp, change: &crdt::Change| {
            let read = read?;
            let loser = overlay::loser_in(read, change)?;
            read.losers.get(&loser)?.contains(&stamp).then_some(())
        };
        let mut renderings = self.recorded.renderings.iter();
        let all_over_head = renderings.all(|rendering| rendering.head == self.versions.commit);
        // What has a stamp because a commit changed it meanwhile stood there for who had read an earlier version.
        // So did what others have taken back since.
        let is_of_others = |stamp: &Stamp| {
            let edit = edits.get(*stamp);
            edit.is_some_and(|edit| edit.is_retracted && edit.issuer == Issuer::Other)
        };
        let is_as_read = |change: &crdt::Change| {
            read.is_some_and(|read| {
                let stamps = overlay::stamps_of(read, &change.at).filter(|all| !all.is_empty());
                let was_taken_back = stamps.is_some_and(|all| all.iter().all(is_of_others));
                (!all_over_head || was_taken_back) && overlay::is_left(read, file, change)
            })
        };
        let familiar = |stamp: Stamp, change: &crdt::Change| {
            if fresh.contains(&stamp) {
                // What is bare in the file, and shown of an edit, is that edit.
                let is_again = !made.contains(&stamp)
                    && (overlay::is_shown_by(&view, file, change) || is_as_read(change));
                stands_again.set(stands_again.get() || is_again);
                return match is_again {
                    true => Familiar::Known,
                    false => Familiar::Fresh,
                };
            }
            match edits.get(stamp) {
                Some(edit)
                    if (edit.may_show() || edit.has(Mark::Shown))
                        && edit.changes_at(&change.at) =>
                {
                    let is_superseded =
                        || was_lost(stamp, change).is_some() || edits.supersede(stamp, &change.at);
                    match overlay::is_shown_by(&view, file, change) || !is_superseded() {
                        true => Familiar::Known,
                        false => Familiar::Superseded,
                    }
                }
                None if is_to_be_recorded(stamp) => Familiar::Fresh,
                None => Familiar::Unknown,
                Some(_) => Familiar::Foreign,
            }
        };
        let read = read.unwrap_or(&view);
        // Whoever edits again what they edited since HEAD had seen HEAD's value, too.
        let below = self.is_same_head && all_over_head;
        let below = below.then_some(&*self.versions.head_document);
        // A record that was put back stood there for whoever did: as it is shown, or with nothing in it where somebody else's
        // removal stands, which is replaced by writing all of it.
        let with_returned;
        let read = match returned {
            [] => read,
            returned => {
                let body = |at: &crdt::Path| match view.found(at) {
                    Some(crdt::Found::Record(record, ..)) => record.fields.clone(),
                    _ => crdt::Map::new(),
                };
                let head = &self.versions.head_document;
                with_returned = overlay::with_put_back(read, head, returned, &body);
                &with_returned
            }
        };
        if let Some(misfit) = types.misfit(read, &text.yaml) {
            // As it was typed: without stamps, and all of it.
            let typed = yaml::Document::read(&self.seen.was, &yaml::Limits::default());
            let misfit = typed.map_or(misfit.clone(), |typed| misfit.placed_in(&typed, types));
            return Ok(Err(misfit.to_string()));
        }
        let found = findings(read, &view, below, file, types, &familiar);
        if self.excerpts.is_some() && removals(&found) > MOST_REMOVED {
            return Ok(Err(
                "excerpts do not tell how much of a list is gone".to_owned()
            ));
        }
        if let Some(deleted) = mass_deletion(read, &found)
            && !self.confirmed
            && !self.is_made
            && !self.has_stood()?
        {
            return Ok(Err(format!(
                "{} of {} records of `{}` are gone, which looks like an accident; it is recorded once the file has stood so \
                 for ten seconds at the next `rhema crdt sync`, with `--confirm`, or once it is committed",
                deleted.gone, deleted.of, deleted.list
            )));
        }
        Ok(Ok(Found {
            edits: overlay::count(read, &found),
            findings: found,
            stands_again: stands_again.get(),
        }))
    }

    /// An edit of what was written in another way, without another meaning.
    pub(super) fn formed(
        &mut self,
        read: Option<&yaml::Document>,
        file: &Text,
        edits: &Edits,
        new: &[Known],
    ) -> Result<Option<Known>, Error> {
        let stands = self.stands_after(edits, new)?;
        let (head, base) = (&self.versions.ground, &self.versions.head_document);
        let view = RULES.view(base, &stands);
        if !file.lifted().says_the_same_as(&view) {
            return Ok(None);
        }
        match overlay::forms(head, base, &view, read.unwrap_or(head), &file.yaml) {
            Ok(changes) if changes.is_empty() => Ok(None),
            Ok(changes) => self.known(Deed::Change(changes)).map(Some),
            Err(error) => {
                tracing::info!("how it is written is told to nobody: {error}");
                Ok(None)
            }
        }
    }

    /// The edits of order that are still missing. What was found puts each record behind another one as of the time when that
    /// was found: where the other one moved in the same look, or was born in it, that may be too early.
    pub(super) fn put_in_order(
        &mut self,
        file: &Text,
        edits: &Edits,
        new: &[Known],
    ) -> Result<Vec<Known>, Error> {
        let orders = |change: &Change| matches!(change.act, Act::Move { .. } | Act::Add { .. });
        if !new.iter().flat_map(Known::changes).any(orders) {
            return Ok(Vec::new());
        }
        let stands = self.stands_after(edits, new)?;
        let view = RULES.view(&self.versions.head_document, &stands);
        if file.lifted().says_the_same_as(&view) {
            return Ok(Vec::new());
        }
        let familiar = |_: Stamp, _: &Change| Familiar::Foreign;
        let policy = self.replica.policy()?;
        let missing = findings(&view, &view, None, file.lifted(), &policy.types, &familiar);
        let mut missing = missing.into_iter().flat_map(|finding| finding.changes);
        // Each one after the other: by then the one that it is put behind has its place.
        let is_move = |change: &Change| matches!(change.act, Act::Move { .. });
        let mut moves = Vec::new();
        for change in missing.by_ref().filter(is_move) {
            moves.push(self.known(Deed::Change(vec![change]))?);
        }
        Ok(moves)
    }

    /// What stands over HEAD for one who saw what is shown, and then made the new edits.
    fn stands_after(&mut self, edits: &Edits, new: &[Known]) -> Result<Vec<crdt::Edit>, Error> {
        let mut known = edits.judged();
        for (judged, edit) in known.iter_mut().zip(&edits.all) {
            judged.may_show &= edit.has(Mark::Shown) || edit.has(Mark::TakenUp);
        }
        known.extend(new.iter().map(|known| overlay::Judged {
            known,
            contained: Vec::new(),
            may_show: true,
            was_shown: true,
        }));
        self.select(&known)
    }

    /// Whether the file was the same at a look long enough ago. If nobody looked at it yet, that is remembered.
    fn has_stood(&mut self) -> Result<bool, Error> {
        let held =
            ContentDigest::of(&[b"held", self.versions.path.as_bytes(), &self.seen.was].concat());
        let now = self.replica.now;
        let first = self.replica.store.read()?.state(held)?;
        let first = first.and_then(|first| Some(u64::from_be_bytes(first.try_into().ok()?)));
        if let Some(first) = first {
            return Ok(now.unix_millis() >= first.saturating_add(HELD_MILLIS));
        }
        let writing = self.replica.store.write(Durability::Process)?;
        writing.keep_state(held, &now.unix_millis().to_be_bytes())?;
        writing.commit()?;
        Ok(false)
    }

    /// New edits with their stamps.
    pub(super) fn named(&mut self, found: Vec<Finding>) -> Result<Vec<Known>, Error> {
        let mut named: Vec<Known> = Vec::with_capacity(found.len());
        for finding in found {
            let deed = Deed::Change(finding.changes);
            named.push(match finding.stamp {
                Some(stamp) => self.known_as(stamp, deed)?,
                None => self.known(deed)?,
            });
        }
        named.sort_by_key(|known| known.stamp);
        Ok(named)
    }

    /// Whoever changes what HEAD has had seen all edits that HEAD contains there, also those of which no stamp stands in it: what was
    /// typed and committed before anybody looked, or is there with another stamp. Elsewhere these may stand over an older HEAD. Says
    /// whether there are any; then the file is to name them.
    pub(super) fn see_what_head_contains(
        &mut self,
        found: &mut [Finding],
        edits: &Edits,
    ) -> Result<bool, Error> {
        let mut are_there = false;
        let reading = self.replica.store.read()?;
        let changes = found.iter_mut().flat_map(|finding| &mut finding.changes);
        let is_value = |change: &&mut Change| {
            matches!(
                change.act,
                Act::Write(_) | Act::Replace(_) | Act::Last(_) | Act::Remove
            )
        };
        for change in changes.filter(is_value) {
            let about = reading.edits_about(&self.versions.path, &change.at, None, MOST_ABOUT)?;
            let about: Vec<&StoredEdit> = about
                .iter()
                .filter(|edit| meets(&edit.known, &change.at, &self.versions.head_document))
                .collect();
            let is_over = |stamp: Stamp| {
                let mut others = about.iter().flat_map(|edit| edit.known.changes());
                others.any(|other| other.observed.has_stamp(stamp))
            };
            for edit in &about {
                let stamp = edit.known.stamp;
                // Of what was passed over the store has it.
                let standing = edits.peek(stamp);
                let marks = standing.map_or(edit.marks, |standing| standing.marks);
                let is_seen = change.observed.has_stamp(stamp);
                if marks.contains(Mark::Contained) && !is_seen && !is_over(stamp) {
                    change.observed.add_stamp(stamp);
                    are_there = true;
                }
            }
        }
        Ok(are_there)
    }

    pub(super) fn known(&mut self, deed: Deed) -> Result<Known, Error> {
        let stamp = self.replica.tick()?;
        self.known_as(stamp, deed)
    }

    /// A new edit with this stamp.
    pub(super) fn known_as(&mut self, stamp: Stamp, deed: Deed) -> Result<Known, Error> {
        self.replica.known(
            stamp,
            self.versions.path.clone(),
            self.versions.commit,
            deed,
        )
    }
}

/// Whether an edit brought, wrote or took away something in a place, or in what stands there; by the names that HEAD has for them.
fn meets(edit: &Known, at: &crdt::Path, head: &crdt::Document) -> bool {
    let named = |at: &crdt::Path| overlay::as_named_in(head, at, &|_| false).as_born();
    let at = named(at);
    let mut changes = edit.changes().iter();
    changes.any(|change| {
        let is_value = matches!(
            change.act,
            Act::Add { .. } | Act::Write(_) | Act::Replace(_) | Act::Last(_) | Act::Remove
        );
        is_value && named(&change.at).steps().starts_with(at.steps())
    })
}

/// What is known beside a file of the edits whose stamps stand in it.
struct Beside<'b> {
    edits: &'b Edits,
    own: Replica,
    store: RefCell<&'b mut Store>,
    /// Up to where each replica's edits are known.
    marks: OnceCell<Knowledge>,
}

impl Beside<'_> {
    /// Whether all that a replica stamped up to here is known.
    fn knows_all_until(&self, stamp: Stamp) -> bool {
        let marks = || {
            let mut store = self.store.borrow_mut();
            let knowledge = store.read().and_then(|reading| reading.knowledge());
            knowledge.unwrap_or_else(|error| {
                tracing::info!("stamps are told one by one: {error}");
                Knowledge::new()
            })
        };
        let mark = |marks: &Knowledge| marks.get(&stamp.replica())?.upto;
        stamp.replica() == self.own || mark(self.marks.get_or_init(marks)) >= Some(stamp)
    }
}

impl context::KnownEdits for Beside<'_> {
    fn is_spent(&self, stamp: Stamp) -> bool {
        self.edits.get(stamp).is_some_and(|edit| {
            (edit.is_retracted && !edit.has(Mark::Shown)) || edit.has(Mark::Contained)
        })
    }

    fn is_seen_between(&self, after: Stamp, until: Stamp, seen: &StampSet) -> bool {
        let replicas_own = |edit: &&Standing| {
            let stamp = edit.known.stamp;
            stamp.replica() == after.replica() && after < stamp && stamp <= until
        };
        let mut between: Vec<&Standing> = self.edits.all.iter().filter(replicas_own).collect();
        let last = between.iter().position(|edit| edit.known.stamp == until);
        // Where nothing is known of the later one nobody can tell where it was made.
        let Some(last) = last.map(|last| between.swap_remove(last)) else {
            return false;
        };
        self.edits.must_have_all_about(last.changes().iter());
        let in_its_place = |edit: &Standing| {
            let mut changes = edit.changes().iter();
            changes.any(|change| {
                last.changes()
                    .iter()
                    .any(|other| change.at.meets(&other.at))
            })
        };
        let is_seen = |edit: &Standing| {
            let stood = edit.may_show() || edit.has(Mark::Contained) || edit.changes().is_empty();
            seen.contains(edit.known.stamp) || (stood && !in_its_place(edit))
        };
        between.into_iter().all(is_seen) && self.knows_all_until(until)
    }
}

/// How much was taken away.
fn removals(found: &[Finding]) -> usize {
    let changes = found.iter().flat_map(|finding| &finding.changes);
    changes.filter(|change| change.act == Act::Remove).count()
}
