//! Which of the edits that came are taken: the one place that judges them, whatever way they come.

use std::collections::{BTreeMap, BTreeSet};

use super::limits::{MOST_EDITS, MOST_INTRODUCTIONS, MOST_KEYS};
use super::seal::{self, Author, Crypto, Denial, Key, Link, MOST_IN_RUN, Objection, Proved, Run};
use super::{
    Added, Introduction, Judge, Message, Millis, Refusal, Shelf, Standing, Violation, Voucher,
    may_be_synced, wire,
};
use crate::crdt::{Replica, Stamp};
use crate::overlay::{Knowledge, Known};

/// What became of edits that came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Those that are stored now, known before or not, each with the one that it was made after.
    pub links: Vec<(Stamp, Option<Stamp>)>,
    /// What that changed.
    pub added: Added,
    /// Why others are not: whoever brought them is to be told, and people.
    pub refused: Vec<Refusal>,
}

impl Taken {
    /// The replicas of the edits that are stored now.
    #[must_use]
    pub fn replicas(&self) -> BTreeSet<Replica> {
        self.links
            .iter()
            .map(|(stamp, _)| stamp.replica())
            .collect()
    }
}

/// What there is against edits, gathered from all of a message.
#[derive(Debug, Default)]
struct Against {
    /// The first of each replica that is of a time that has not come; what the replica made after it is not taken either.
    future: BTreeMap<Replica, Stamp>,
    documents: Vec<Stamp>,
    unproved: Vec<Stamp>,
    denied: BTreeMap<Denial, Vec<Stamp>>,
    /// The first of each replica that comes too early, and when it is due.
    early: BTreeMap<Replica, (Stamp, Millis)>,
}

impl Against {
    fn deny(&mut self, why: &Denial, stamps: impl Iterator<Item = Stamp>) {
        self.denied.entry(why.clone()).or_default().extend(stamps);
    }

    fn refusals(self, now: Millis) -> Vec<Refusal> {
        let mut refused = Vec::new();
        if !self.future.is_empty() {
            let from = self.future.into_values().collect();
            refused.push(Refusal::Future { from, now });
        }
        if !self.documents.is_empty() {
            refused.push(Refusal::Document(self.documents));
        }
        if !self.unproved.is_empty() {
            refused.push(Refusal::Unproved(self.unproved));
        }
        let denied = self.denied.into_iter();
        refused.extend(denied.map(|(why, edits)| Refusal::Denied { edits, why }));
        refused.extend(self.early.into_values().map(|(from, due)| Refusal::Early {
            from: vec![from],
            millis: due.saturating_sub(now),
        }));
        refused
    }
}

/// Takes what may be taken of edits that came, and stores it with what proves it. `now` is what the clock on the wall shows, in
/// milliseconds since the Unix epoch, and `ahead` how far ahead of it edits may be.
///
/// # Errors
/// Those of the shelf; inside, what no honest replica would say: nothing is taken then.
pub fn take<S: Shelf>(
    runs: Vec<Run>,
    crypto: &Crypto,
    now: Millis,
    ahead: Millis,
    shelf: &mut S,
) -> Result<Result<Taken, Violation>, S::Error> {
    if let Err(violation) = check(&runs) {
        return Ok(Err(violation));
    }
    let latest = now.saturating_add(ahead);
    let judge = shelf.judge();
    let mut against = Against::default();
    for stamp in runs.iter().flat_map(Run::edits).map(|edit| edit.stamp) {
        if stamp.unix_millis() > latest {
            let first = against.future.entry(stamp.replica()).or_insert(stamp);
            *first = stamp.min(*first);
        }
    }
    let mut taken = Taken::default();
    let mut proved = Vec::new();
    let mut keys = Keys::default();
    let mut knowledge = None;
    for run in runs {
        let Some(replica) = run.links.first().map(|link| link.stamp().replica()) else {
            continue;
        };
        let stamps = || run.edits().map(|edit| edit.stamp);
        let of_replica = keys.of(replica, shelf)?;
        if of_replica.is_empty() {
            against.deny(&Denial::Stranger, stamps());
            continue;
        }
        let seal = run.seal(crypto);
        let Some(key) = of_replica.iter().find(|key| seal.is_by(key, crypto)) else {
            against.unproved.extend(stamps());
            continue;
        };
        let vouchers = match judge.standing(key) {
            Standing::Unknown => shelf.vouchers(&[*key])?,
            _ => Vec::new(),
        };
        let authors = match seal::authors(*key, &judge, &vouchers) {
            Ok(authors) => authors,
            Err(why) => {
                against.deny(&why, stamps());
                continue;
            }
        };
        let is_removed = judge.standing(key) == Standing::Removed;
        if is_removed && knowledge.is_none() {
            knowledge = Some(shelf.knowledge()?);
        }
        let mut edits = Vec::new();
        for link in run.links {
            let Link::Edit(edit) = link else { continue };
            if edit.stamp.unix_millis() > latest {
                continue;
            }
            if !may_be_synced(&edit.document) {
                against.documents.push(edit.stamp);
                continue;
            }
            match judged(&judge, &authors, &edit) {
                Ok(()) => {}
                Err(Objection::Denied(why)) => {
                    against.deny(&why, [edit.stamp].into_iter());
                    continue;
                }
                Err(Objection::Early(due)) => {
                    let first = against.early.entry(replica).or_insert((edit.stamp, due));
                    *first = (edit.stamp, due).min(*first);
                    continue;
                }
            }
            taken.links.push((edit.stamp, edit.previous));
            // Whoever was removed adds nothing to what is told to be whole: it is known, or was made up since.
            let is_told = |knowledge: &Knowledge| {
                let chain = knowledge.get(&replica);
                chain.is_some_and(|chain| chain.contains(edit.stamp))
            };
            if !(is_removed && knowledge.as_ref().is_some_and(is_told)) {
                edits.push(edit);
            }
        }
        if !edits.is_empty() {
            let author = *key;
            proved.push(Proved {
                author,
                seal,
                edits,
            });
        }
    }
    if !proved.is_empty() {
        taken.added = shelf.add(proved)?;
    }
    taken.refused = against.refusals(now);
    Ok(Ok(taken))
}

/// Whether somebody who may have made an edit may make it; what there is against the first of them where nobody may.
fn judged(judge: &impl Judge, authors: &[Author], edit: &Known) -> Result<(), Objection> {
    let mut judged = authors.iter().map(|author| judge.judge(author, edit));
    let first = judged.next().unwrap_or(Ok(()));
    match first.is_err() && judged.any(|judged| judged.is_ok()) {
        true => Ok(()),
        false => first,
    }
}

/// Whether these are edits as an honest replica says them.
fn check(runs: &[Run]) -> Result<(), Violation> {
    if runs.iter().map(|run| run.links.len()).sum::<usize>() > MOST_EDITS {
        return Err(Violation::TooMany("edits"));
    }
    for run in runs {
        if run.links.len() > MOST_IN_RUN {
            return Err(Violation::TooMany("edits in a run"));
        }
        run.is_run().map_err(Violation::Chain)?;
    }
    Ok(())
}

/// The keys of replicas, as far as they were asked for.
#[derive(Default)]
struct Keys(BTreeMap<Replica, Vec<Key>>);

impl Keys {
    /// Those of one name, the first ones that were told of.
    fn of<S: Shelf>(&mut self, replica: Replica, shelf: &mut S) -> Result<Vec<Key>, S::Error> {
        if let Some(keys) = self.0.get(&replica) {
            return Ok(keys.clone());
        }
        let mut keys: Vec<Key> = Vec::new();
        for introduction in shelf.introductions(&[replica])? {
            if introduction.replica == replica && !keys.contains(&introduction.key) {
                keys.push(introduction.key);
            }
        }
        keys.truncate(MOST_KEYS);
        self.0.insert(replica, keys.clone());
        Ok(keys)
    }
}

/// Notes whose replicas are whose, and who vouches for whom, as far as anybody who is known here says so.
///
/// # Errors
/// Those of the shelf; inside, what no honest replica would say: nothing is noted then.
pub(super) fn introduce<S: Shelf>(
    replicas: &[Introduction],
    vouchers: &[Voucher],
    crypto: &Crypto,
    shelf: &mut S,
) -> Result<Result<(), Violation>, S::Error> {
    if replicas.len() > MOST_INTRODUCTIONS || vouchers.len() > MOST_INTRODUCTIONS {
        return Ok(Err(Violation::TooMany("introductions")));
    }
    for introduction in replicas {
        if let Err(violation) = super::greeting::check(introduction, crypto.naming) {
            return Ok(Err(violation));
        }
    }
    let judge = shelf.judge();
    let is_known = |voucher: &&Voucher| judge.standing(&voucher.by) == Standing::Writes;
    let mut new: Vec<Voucher> = Vec::new();
    for voucher in vouchers.iter().filter(is_known) {
        if !voucher.is_true(crypto) {
            return Ok(Err(Violation::Voucher));
        }
        new.push(*voucher);
    }
    let keys: Vec<Key> = replicas
        .iter()
        .map(|introduction| introduction.key)
        .collect();
    let mut known = shelf.vouchers(&keys)?;
    known.extend(&new);
    let replicas = seal::known_here(replicas, &judge, &known);
    shelf.introduce(&replicas, &new)?;
    Ok(Ok(()))
}

/// Takes what may be taken of messages that somebody left in writing, each where it stands: introductions and edits.
///
/// # Errors
/// As [`take`]; what stood before is taken then.
pub fn take_written<S: Shelf>(
    messages: impl IntoIterator<Item = Message>,
    crypto: &Crypto,
    now: Millis,
    ahead: Millis,
    shelf: &mut S,
) -> Result<Result<Taken, Violation>, S::Error> {
    let mut all = Taken::default();
    for message in messages {
        let violation = match message {
            Message::Introductions { replicas, vouchers } => {
                introduce(&replicas, &vouchers, crypto, shelf)?.err()
            }
            Message::Edits(runs) => match take(runs, crypto, now, ahead, shelf)? {
                Ok(taken) => {
                    all.links.extend(taken.links);
                    all.added.new += taken.added.new;
                    all.added.forks.extend(taken.added.forks);
                    all.added.equivocations.extend(taken.added.equivocations);
                    all.refused.extend(taken.refused);
                    None
                }
                Err(violation) => Some(violation),
            },
            _ => Some(Violation::NoHello),
        };
        if let Some(violation) = violation {
            return Ok(Err(violation));
        }
    }
    Ok(Ok(all))
}

/// The messages that say these edits to anybody who knows nothing, to be left in writing. Edits that are too large for a message
/// are left out: they travel by git.
///
/// # Errors
/// Those of the shelf.
pub fn write_down<S: Shelf>(
    edits: Vec<Known>,
    crypto: &Crypto,
    shelf: &mut S,
) -> Result<Vec<Message>, S::Error> {
    let replicas: BTreeSet<Replica> = edits.iter().map(|edit| edit.stamp.replica()).collect();
    let mut messages = introductions(&replicas, shelf)?;
    let seals = shelf.seals(&edits)?;
    let mut runs = seal::runs(edits, seals);
    while !runs.is_empty() {
        if let Ok(fitting) = first_fitting(&mut runs, crypto) {
            messages.push(Message::Edits(fitting));
        }
    }
    Ok(messages)
}

/// What says whose these replicas are; nothing where nobody knows.
pub(super) fn introductions<S: Shelf>(
    replicas: &BTreeSet<Replica>,
    shelf: &mut S,
) -> Result<Vec<Message>, S::Error> {
    let replicas: Vec<Replica> = replicas.iter().copied().collect();
    let replicas = shelf.introductions(&replicas)?;
    let keys: BTreeSet<Key> = replicas
        .iter()
        .map(|introduction| introduction.key)
        .collect();
    let keys: Vec<Key> = keys.into_iter().collect();
    let vouchers = shelf.vouchers(&keys)?;
    let is_empty = replicas.is_empty();
    let message = Message::Introductions { replicas, vouchers };
    Ok(Some(message).filter(|_| !is_empty).into_iter().collect())
}

/// Takes as many runs from the front as one message holds; a part of the first one where that alone is longer.
///
/// # Errors
/// The first edit where that fits into no message: it is taken away.
pub(super) fn first_fitting(runs: &mut Vec<Run>, crypto: &Crypto) -> Result<Vec<Run>, Stamp> {
    if let Ok(fitting) = wire::fitting(&*runs) {
        return Ok(runs.drain(..fitting).collect());
    }
    let (first, rest) = runs.remove(0).parted(crypto);
    if let Some(rest) = rest {
        runs.insert(0, rest);
    }
    let stamp = first.edits().next().map(|edit| edit.stamp);
    match (wire::fitting([&first]), stamp) {
        (Err(_), Some(stamp)) => Err(stamp),
        _ => Ok(vec![first]),
    }
}
