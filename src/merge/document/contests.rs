//! The contests inside a record or the root: which value of a leaf wins, and what is kept of the others.

use std::collections::BTreeMap;

use super::about::{identity_draft, key_of, lost_draft, record_name};
use super::lost_value;
use super::observed::{Version, is_old_loser};
use crate::context::{
    Annotation, GROUPS, IDENTITY_FIELDS, Loser, Lost, digest, leaf_at, same_entry,
};
use crate::crdt::{Digest, Observed, Stamp, StampSet, Write, heads, second_name};
use crate::merge::identity::{self, By, Matched, Slot};
use crate::merge::sides::Sides;
use crate::yaml::{Draft, EntryDraft, EntryRef, Kind, NodeRef, Piece, Side, double_quoted};

/// How the contests of a root or record ended.
pub(super) struct Settled {
    /// What lost, with its stamp.
    pub(super) losers: Vec<(Loser, Option<Stamp>)>,
    /// The side that won a contested leaf.
    pub(super) winners: BTreeMap<String, Side>,
}

/// Settles everything contested in the entries of a root or record.
pub(super) fn settle<'d>(
    versions: Sides<Option<NodeRef<'d>>>,
    seen: &Sides<Version<'_, 'd>>,
    slots: &[Slot<'d>],
    entries: &mut [Option<EntryDraft<'d>>],
) -> Settled {
    let mut settling = Settling {
        versions,
        seen,
        settled: Settled {
            losers: Vec::new(),
            winners: BTreeMap::new(),
        },
    };
    settling.groups(slots, entries);
    settling.written_anew(slots, entries);
    for (slot, entry) in slots.iter().zip(entries.iter_mut()) {
        if let Some(key) = key(slot)
            && let Some(draft) = entry.take()
        {
            let mut names = Names::default();
            names.push(&key, &key, &key);
            *entry = settling.entry(draft, &mut names, Standing::Named).pop();
        }
    }
    settling.settled
}

/// The key of a slot of a mapping.
fn key(slot: &Slot<'_>) -> Option<String> {
    let key = slot.iter().flatten().find_map(|entry| entry.key())?;
    Some(key.text().into_owned())
}

struct Settling<'k, 'd> {
    versions: Sides<Option<NodeRef<'d>>>,
    seen: &'k Sides<Version<'k, 'd>>,
    settled: Settled,
}

/// One side's view of a contested leaf.
struct Claim {
    value: Lost,
    stamp: Option<Stamp>,
    superseded: StampSet,
}

impl Claim {
    fn write(&self) -> Write<Lost> {
        let mut observed = Observed::default();
        observed.add_stamps(&self.superseded);
        Write {
            value: self.value.clone(),
            digest: Digest::of(format!("{:?}", self.value).as_bytes()),
            stamp: self.stamp,
            observed,
        }
    }
}

/// What leads to a leaf: a record may be called otherwise on each side.
#[derive(Clone, Default)]
struct Names {
    merged: Vec<String>,
    ours: Vec<String>,
    theirs: Vec<String>,
}

impl Names {
    fn push(&mut self, merged: &str, ours: &str, theirs: &str) {
        self.merged.push(merged.to_owned());
        self.ours.push(ours.to_owned());
        self.theirs.push(theirs.to_owned());
    }

    fn pop(&mut self) {
        self.merged.pop();
        self.ours.pop();
        self.theirs.pop();
    }

    /// The leaf in the merge.
    fn leaf(&self) -> String {
        path(&self.merged)
    }

    fn of(&self, side: Side) -> &[String] {
        match side {
            Side::Ours => &self.ours,
            Side::Theirs => &self.theirs,
        }
    }
}

/// Where an entry stands, as far as that decides how it is named.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// In a mapping, or as a record in a list: it has a name of its own.
    Named,
    /// As a member of a list whose members nothing tells apart: that list is the leaf, and keeps what both sides wrote.
    Member,
    /// Inside such a member: the values of the list as a whole contest it.
    Within,
}

impl<'k, 'd> Settling<'k, 'd> {
    /// Decides groups of fields that both sides changed to something different: all fields are the winner's.
    fn groups(&mut self, slots: &[Slot<'d>], entries: &mut [Option<EntryDraft<'d>>]) {
        for group in GROUPS {
            // In the group's own order: that of the slots depends on which side is ours.
            let members: Vec<(usize, String)> = group
                .iter()
                .filter_map(|name| {
                    let at = slots
                        .iter()
                        .position(|slot| key(slot).as_deref() == Some(*name))?;
                    Some((at, (*name).to_owned()))
                })
                .collect();
            let values = |of: fn(&Slot<'d>) -> Option<EntryRef<'d>>| -> Vec<Option<NodeRef<'d>>> {
                let slots = members.iter().map(|(index, _)| &slots[*index]);
                slots.map(|slot| of(slot).map(EntryRef::value)).collect()
            };
            let base = values(|slot| slot.base);
            let ours = values(|slot| slot.ours);
            let theirs = values(|slot| slot.theirs);
            let shown = |values: &[Option<NodeRef<'_>>]| -> Vec<Lost> {
                values.iter().map(|value| lost_value(*value)).collect()
            };
            // A stamp beside what base has, too, claims nothing for the others, unless it is known to be new.
            let latest = |values: &[Option<NodeRef<'d>>], side| {
                let edited = members.iter().zip(values).zip(&base);
                let edited = edited.filter(|((member, value), base)| {
                    let leaf = Annotation::path([member.1.as_str()]);
                    !same_entry(**value, **base)
                        || self.seen(side).is_restamped(self.seen.base, &leaf)
                });
                let claims = edited.map(|((member, _), _)| {
                    self.claim(std::slice::from_ref(&member.1), side, None)
                });
                claims.filter_map(|claim| claim.stamp).max()
            };
            let (mine, others) = (latest(&ours, Side::Ours), latest(&theirs, Side::Theirs));
            // What was written anew was chosen, though it is what stood there.
            let differ = |a: &[Option<NodeRef<'_>>], b: &[Option<NodeRef<'_>>]| {
                a.iter().zip(b).any(|(a, b)| !same_entry(*a, *b))
            };
            let leaves = members
                .iter()
                .map(|(_, key)| Annotation::path([key.as_str()]));
            let leaves: Vec<String> = leaves.collect();
            let changed = |values: &[Option<NodeRef<'_>>], side| {
                let restamped = |leaf: &String| self.seen(side).is_restamped(self.seen.base, leaf);
                differ(values, &base) || leaves.iter().any(restamped)
            };
            let contested = changed(&ours, Side::Ours)
                && changed(&theirs, Side::Theirs)
                && differ(&ours, &theirs);
            if members.len() < 2 || !contested {
                continue;
            }
            let replaces = |side, stamp: Option<Stamp>| {
                let replaces = |stamp| {
                    leaves
                        .iter()
                        .any(|leaf| self.seen(side).supersedes(leaf, stamp))
                };
                stamp.is_some_and(replaces)
            };
            let replaced = (replaces(Side::Ours, others), replaces(Side::Theirs, mine));
            let is_replaced = replaced.0 != replaced.1;
            let is_ours = if is_replaced {
                replaced.0
            } else {
                (mine, shown(&ours)) >= (others, shown(&theirs))
            };
            let (winner, lost, lost_stamp) = if is_ours {
                (Side::Ours, &theirs, others)
            } else {
                (Side::Theirs, &ours, mine)
            };
            for (((index, key), lost), base) in members.iter().zip(lost).zip(&base) {
                let slot = &slots[*index];
                let won = match winner {
                    Side::Ours => slot.ours,
                    Side::Theirs => slot.theirs,
                };
                let leaf = Annotation::path([key.as_str()]);
                let is_edit =
                    !same_entry(won.map(EntryRef::value), *lost) && !same_entry(*base, *lost);
                if is_edit && !is_replaced {
                    self.lose_to(winner, leaf.clone(), lost_value(*lost), lost_stamp);
                }
                self.settled.winners.insert(leaf, winner);
                entries[*index] = won.map(EntryDraft::Keep);
            }
        }
    }

    /// Decides leaves to which one side gave the value that they had, under a stamp of its own, while the other side gave
    /// them another one: whoever settles a conflict in favour of what stands there has made an edit. Texts and lists are
    /// merged instead.
    fn written_anew(&mut self, slots: &[Slot<'d>], entries: &mut [Option<EntryDraft<'d>>]) {
        for (side, other) in [(Side::Ours, Side::Theirs), (Side::Theirs, Side::Ours)] {
            let (version, annotation) = self.version(side);
            for leaf in annotation.leaves.keys() {
                let names = Annotation::names(leaf);
                let at = |root: Option<NodeRef<'d>>| Some(leaf_at(root?, &names)?.value());
                let standing = at(self.versions.base);
                let is_chosen = standing.is_some_and(is_line)
                    && same_entry(at(version), standing)
                    && !same_entry(at(self.version(other).0), standing);
                if !is_chosen || self.settled.winners.contains_key(leaf) {
                    continue;
                }
                let mine = self.claim(&names, side, None);
                let others = self.claim(&names, other, None);
                if !self.seen(side).is_restamped(self.seen.base, leaf) {
                    continue;
                }
                let (winner, losers) = self.decide(&mine, &others);
                let winner = match winner {
                    Side::Ours => side,
                    Side::Theirs => other,
                };
                for (lost, stamp) in losers {
                    self.lose_to(winner, leaf.clone(), lost, stamp);
                }
                self.settled.winners.insert(leaf.clone(), winner);
                if winner == side {
                    self.put(&names, side, slots, entries);
                }
            }
        }
    }

    /// Puts one side's version of a leaf in its place.
    fn put(
        &self,
        names: &[String],
        side: Side,
        slots: &[Slot<'d>],
        entries: &mut [Option<EntryDraft<'d>>],
    ) {
        let (root, _) = self.version(side);
        let chosen = root.and_then(|root| leaf_at(root, names));
        let (Some(chosen), Some((name, rest))) = (chosen, names.split_first()) else {
            return;
        };
        let Some(at) = slots
            .iter()
            .position(|slot| key(slot).as_ref() == Some(name))
        else {
            return;
        };
        let whole = match side {
            Side::Ours => slots[at].ours,
            Side::Theirs => slots[at].theirs,
        };
        match &mut entries[at] {
            Some(entry) => put_in(entry, rest, chosen),
            entry => *entry = whole.map(EntryDraft::Keep),
        }
    }

    fn seen(&self, side: Side) -> Version<'k, 'd> {
        match side {
            Side::Ours => self.seen.ours,
            Side::Theirs => self.seen.theirs,
        }
    }

    /// Keeps what lost to the value of `winner`, unless that side has seen it.
    fn lose_to(&mut self, winner: Side, leaf: String, lost: Lost, stamp: Option<Stamp>) {
        let loser = Loser { leaf, lost };
        if !is_old_loser(self.seen.base, self.seen(other(winner)), &loser) {
            self.settled.losers.push((loser, stamp));
        }
    }

    /// Every leaf that `names` lead to stands as on one side.
    fn win_all(&mut self, names: &Names, winner: Side) {
        for side in [Side::Ours, Side::Theirs] {
            for leaf in self.version(side).1.leaves.keys() {
                if Annotation::names(leaf).starts_with(names.of(side)) {
                    self.settled.winners.insert(leaf.clone(), winner);
                }
            }
        }
    }

    fn lose(&mut self, leaf: String, lost: Lost, stamp: Option<Stamp>) {
        self.settled.losers.push((Loser { leaf, lost }, stamp));
    }

    /// Settles an entry and all that it holds. `names` leads to it, or to the list that is its leaf.
    fn entry(
        &mut self,
        draft: EntryDraft<'d>,
        names: &mut Names,
        standing: Standing,
    ) -> Vec<EntryDraft<'d>> {
        match draft {
            EntryDraft::Keep(_) => vec![draft],
            EntryDraft::Made(mut made) => {
                self.value(&mut made.body.value, names, standing);
                vec![EntryDraft::Made(made)]
            }
            EntryDraft::Only(side, kept) => {
                match standing {
                    Standing::Named => {
                        self.lose(names.leaf(), Lost::Deletion, None);
                        self.win_all(names, side);
                    }
                    Standing::Member => {}
                    Standing::Within => {
                        let side = other(side);
                        let others = self.claim(names.of(side), side, None);
                        self.lose(names.leaf(), others.value, others.stamp);
                    }
                }
                vec![*kept]
            }
            // What one side emptied while the other changed it comes back, entry by entry.
            EntryDraft::Contested(mut made, theirs)
                if matches!(theirs.value, Draft::Collection(_))
                    || matches!(made.body.value, Draft::Collection(_)) =>
            {
                if matches!(theirs.value, Draft::Collection(_)) {
                    made.body = theirs;
                }
                self.value(&mut made.body.value, names, standing);
                vec![EntryDraft::Made(made)]
            }
            EntryDraft::Contested(made, theirs) if standing == Standing::Member => {
                let mut other = made.clone();
                other.body = theirs;
                other.lead = Piece::default();
                let mut both = [made, other];
                both.sort_by_key(|made| lost_draft(&made.body.value));
                both.map(EntryDraft::Made).into()
            }
            EntryDraft::Contested(mut made, theirs) => {
                let leaf = names.leaf();
                let (mine, others) = if standing == Standing::Named {
                    (Some(&made.body.value), Some(&theirs.value))
                } else {
                    (None, None)
                };
                let mine = self.claim(&names.ours, Side::Ours, mine);
                let others = self.claim(&names.theirs, Side::Theirs, others);
                let (winner, losers) = self.decide(&mine, &others);
                for (lost, stamp) in losers {
                    self.lose_to(winner, leaf.clone(), lost, stamp);
                }
                if standing == Standing::Named {
                    self.settled.winners.insert(leaf, winner);
                }
                if winner == Side::Theirs {
                    made.body = theirs;
                }
                vec![EntryDraft::Made(made)]
            }
        }
    }

    fn value(&mut self, value: &mut Draft<'d>, names: &mut Names, standing: Standing) {
        if !holds_contest(value) {
            return;
        }
        let Draft::Collection(collection) = value else {
            return;
        };
        let is_named = standing == Standing::Named;
        let list = collection.kind == Kind::Sequence;
        let matched = (list && is_named).then(|| self.matched(names));
        for entry in std::mem::take(&mut collection.entries) {
            let called = match &matched {
                Some(matched) => self.record(&entry, matched, names),
                None if list || !is_named => None,
                None => key_of(&entry).map(|key| [key.clone(), key.clone(), key]),
            };
            let standing = match (&called, list) {
                (Some(_), _) => Standing::Named,
                (None, true) => Standing::Member,
                (None, false) => Standing::Within,
            };
            if let Some([merged, ours, theirs]) = &called {
                names.push(merged, ours, theirs);
            }
            let settled = self.entry(entry, names, standing);
            collection.entries.extend(settled);
            if called.is_some() {
                names.pop();
            }
        }
    }

    /// The versions of the list that `names` lead to, matched.
    fn matched(&self, names: &Names) -> Matched<'d> {
        let Sides { base, ours, theirs } = self.versions;
        let list = |root: Option<NodeRef<'d>>, names: &[String]| {
            let list = leaf_at(root?, names).map(EntryRef::value);
            list.filter(|list| list.kind() == Kind::Sequence)
        };
        identity::matched(Sides {
            base: list(base, &names.ours).or_else(|| list(base, &names.theirs)),
            ours: list(ours, &names.ours),
            theirs: list(theirs, &names.theirs),
        })
    }

    /// What a record will be called, and what it is called on each side; nothing for a member that nothing tells apart.
    fn record(
        &self,
        entry: &EntryDraft<'d>,
        matched: &Matched<'d>,
        names: &Names,
    ) -> Option<[String; 3]> {
        let By::Field(field) = matched.by else {
            return None;
        };
        let name = record_name(entry, field)?;
        let called = |entry: Option<EntryRef<'_>>| {
            Some(entry?.value().get(field)?.value().text().into_owned())
        };
        let slot = matched.slots.iter().find(|slot| {
            [slot.ours, slot.theirs]
                .into_iter()
                .any(|entry| called(entry).as_ref() == Some(&name))
        });
        let on = |side: fn(&Slot<'d>) -> Option<EntryRef<'d>>| {
            slot.and_then(|slot| called(side(slot)))
                .unwrap_or_else(|| name.clone())
        };
        let (ours, theirs) = (on(|slot| slot.ours), on(|slot| slot.theirs));
        let mut names = names.clone();
        names.push(&name, &ours, &theirs);
        // Either the record as a whole is contested, or what it is called.
        let contest = match entry {
            EntryDraft::Contested(made, body) => Some((made, body)),
            _ => match identity_draft(entry, field) {
                Some(EntryDraft::Contested(made, body)) => {
                    names.push(field, field, field);
                    Some((made, body))
                }
                _ => None,
            },
        };
        let merged = contest.map_or(name, |(made, body)| {
            let mine = self.claim(&names.ours, Side::Ours, Some(&made.body.value));
            let others = self.claim(&names.theirs, Side::Theirs, Some(&body.value));
            match self.decide(&mine, &others).0 {
                Side::Ours => ours.clone(),
                Side::Theirs => theirs.clone(),
            }
        });
        Some([merged, ours, theirs])
    }

    /// What one side has to say for its value of a leaf: the one that stands there, unless it is to be written as a
    /// `draft`.
    fn claim(&self, names: &[String], side: Side, draft: Option<&Draft<'d>>) -> Claim {
        let (root, annotation) = self.version(side);
        let leaf = path(names);
        let node = root
            .and_then(|root| leaf_at(root, names))
            .map(EntryRef::value);
        let known = self.seen.base.known(&leaf);
        let stamp = node.and_then(|node| {
            annotation
                .fitting(&leaf, digest(node))
                .filter(|stamp| !known.contains(*stamp))
                .max()
        });
        let superseded = stamp
            .and_then(|stamp| annotation.superseded.get(&stamp))
            .cloned()
            .unwrap_or_default();
        Claim {
            value: draft.map_or_else(|| lost_value(node), lost_draft),
            stamp,
            superseded,
        }
    }

    /// One side's version, and what it knows of itself.
    fn version(&self, side: Side) -> (Option<NodeRef<'d>>, &'k Annotation) {
        match side {
            Side::Ours => (self.versions.ours, self.seen.ours.annotation),
            Side::Theirs => (self.versions.theirs, self.seen.theirs.annotation),
        }
    }

    /// Which of two claims stands, the first as ours, and what is kept of the other's: nothing if it was superseded.
    fn decide(&self, mine: &Claim, others: &Claim) -> (Side, Vec<(Lost, Option<Stamp>)>) {
        // A record that got a new name because of its birth has it wherever it is known under the old one.
        if self.is_former_name(&mine.value, &others.value) {
            return (Side::Theirs, Vec::new());
        }
        if self.is_former_name(&others.value, &mine.value) {
            return (Side::Ours, Vec::new());
        }
        let (winner, losers) = match heads(&[mine.write(), others.write()]) {
            Some(heads) => (heads.winner.0, heads.losers),
            None => (mine.value.clone().max(others.value.clone()), Vec::new()),
        };
        if winner == mine.value {
            (Side::Ours, losers)
        } else {
            (Side::Theirs, losers)
        }
    }

    /// Whether `new` is the name that the record's birth gave to it in the place of `old`.
    fn is_former_name(&self, old: &Lost, new: &Lost) -> bool {
        let births = [self.seen.ours.annotation, self.seen.theirs.annotation];
        let (Lost::Value(old), Lost::Value(new)) = (old, new) else {
            return false;
        };
        births
            .into_iter()
            .filter_map(|annotation| annotation.birth)
            .any(|birth| {
                let old = old.trim_matches('"');
                !old.is_empty() && *new == double_quoted(&second_name(old, birth.digest))
            })
    }
}

/// Puts a version of a leaf into what holds it.
fn put_in<'d>(entry: &mut EntryDraft<'d>, names: &[String], chosen: EntryRef<'d>) {
    let Some((name, rest)) = names.split_first() else {
        *entry = EntryDraft::Keep(chosen);
        return;
    };
    let Some(collection) = entry.open().and_then(|made| made.body.value.open()) else {
        return;
    };
    let is_called = |entry: &EntryDraft<'d>| {
        let record = || {
            IDENTITY_FIELDS
                .iter()
                .any(|field| record_name(entry, field).as_ref() == Some(name))
        };
        key_of(entry).map_or_else(record, |key| key == *name)
    };
    match collection.entries.iter().position(is_called) {
        Some(at) => put_in(&mut collection.entries[at], rest, chosen),
        None if rest.is_empty() => collection.entries.push(EntryDraft::Keep(chosen)),
        None => {}
    }
}

/// Whether a node is a scalar that is decided as a whole, not a text that is merged by lines.
fn is_line(node: NodeRef<'_>) -> bool {
    matches!(node.kind(), Kind::Scalar(_)) && !node.text().trim_end().contains('\n')
}

fn other(side: Side) -> Side {
    match side {
        Side::Ours => Side::Theirs,
        Side::Theirs => Side::Ours,
    }
}

/// Whether something in a value is still contested.
fn holds_contest(value: &Draft<'_>) -> bool {
    let Draft::Collection(collection) = value else {
        return false;
    };
    collection.entries.iter().any(|entry| match entry {
        EntryDraft::Keep(_) => false,
        EntryDraft::Made(made) => holds_contest(&made.body.value),
        EntryDraft::Contested(..) | EntryDraft::Only(..) => true,
    })
}

fn path(names: &[String]) -> String {
    Annotation::path(names.iter().map(String::as_str))
}
