//! The contests inside a record or the root: which value of a leaf wins, and what is kept of the others.

use std::collections::{BTreeMap, BTreeSet};

use super::about::{key_of, lost_draft, record_name};
use super::lost_value;
use crate::context::{Annotation, GROUPS, Loser, Lost, digest, identity_field, leaf_at, renamed};
use crate::crdt::{Digest, Observed, Stamp, Write, heads};
use crate::merge::identity::Slot;
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
    annotations: &Sides<Annotation>,
    slots: &[Slot<'d>],
    entries: &mut [Option<EntryDraft<'d>>],
) -> Settled {
    let mut settling = Settling {
        versions,
        annotations,
        settled: Settled {
            losers: Vec::new(),
            winners: BTreeMap::new(),
        },
    };
    settling.groups(slots, entries);
    for (slot, entry) in slots.iter().zip(entries.iter_mut()) {
        if let Some(key) = key(slot)
            && let Some(draft) = entry.take()
        {
            *entry = settling.entry(draft, &mut vec![key], Standing::Named).pop();
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
    annotations: &'k Sides<Annotation>,
    settled: Settled,
}

/// One side's view of a contested leaf.
struct Claim {
    value: Lost,
    stamp: Option<Stamp>,
    superseded: BTreeSet<Stamp>,
}

impl Claim {
    fn write(&self) -> Write<Lost> {
        let mut observed = Observed::default();
        for &stamp in &self.superseded {
            observed.add_stamp(stamp);
        }
        Write {
            value: self.value.clone(),
            digest: Digest::of(format!("{:?}", self.value).as_bytes()),
            stamp: self.stamp,
            observed,
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

impl<'d> Settling<'_, 'd> {
    /// Decides groups of fields that both sides changed to something different: all fields are the winner's.
    fn groups(&mut self, slots: &[Slot<'d>], entries: &mut [Option<EntryDraft<'d>>]) {
        for group in GROUPS {
            let members: Vec<(usize, String)> = slots
                .iter()
                .enumerate()
                .filter_map(|(index, slot)| Some((index, key(slot)?)))
                .filter(|(_, key)| group.contains(&key.as_str()))
                .collect();
            let values = |of: fn(&Slot<'d>) -> Option<EntryRef<'d>>| -> Vec<Lost> {
                let slots = members.iter().map(|(index, _)| &slots[*index]);
                slots
                    .map(|slot| lost_value(of(slot).map(EntryRef::value)))
                    .collect()
            };
            let base = values(|slot| slot.base);
            let ours = values(|slot| slot.ours);
            let theirs = values(|slot| slot.theirs);
            if members.len() < 2 || ours == base || theirs == base || ours == theirs {
                continue;
            }
            let latest = |side| {
                let claims = members
                    .iter()
                    .map(|(_, key)| self.claim(std::slice::from_ref(key), side, None));
                claims.filter_map(|claim| claim.stamp).max()
            };
            let (mine, others) = (latest(Side::Ours), latest(Side::Theirs));
            let (winner, lost, lost_stamp) = if (mine, &ours) >= (others, &theirs) {
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
                if lost_value(won.map(EntryRef::value)) != *lost && lost != base {
                    self.lose(leaf.clone(), lost.clone(), lost_stamp);
                }
                self.settled.winners.insert(leaf, winner);
                entries[*index] = won.map(EntryDraft::Keep);
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
        names: &mut Vec<String>,
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
                    Standing::Named => self.lose(path(names), Lost::Deletion, None),
                    Standing::Member => {}
                    Standing::Within => {
                        let others = self.claim(names, other(side), None);
                        self.lose(path(names), others.value, others.stamp);
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
                let leaf = path(names);
                let (mine, others) = if standing == Standing::Named {
                    (Some(&made.body.value), Some(&theirs.value))
                } else {
                    (None, None)
                };
                let mine = self.claim(names, Side::Ours, mine);
                let others = self.claim(names, Side::Theirs, others);
                let winner = self.decide(&leaf, &mine, &others);
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

    fn value(&mut self, value: &mut Draft<'d>, names: &mut Vec<String>, standing: Standing) {
        let Draft::Collection(collection) = value else {
            return;
        };
        let is_named = standing == Standing::Named;
        let list = collection.kind == Kind::Sequence;
        let field = (list && is_named)
            .then(|| self.identity_field(names))
            .flatten();
        for entry in std::mem::take(&mut collection.entries) {
            let name = match field {
                Some(field) => record_name(&entry, field),
                None if list || !is_named => None,
                None => key_of(&entry),
            };
            let standing = match (&name, list) {
                (Some(_), _) => Standing::Named,
                (None, true) => Standing::Member,
                (None, false) => Standing::Within,
            };
            let above = names.len();
            names.extend(name);
            let settled = self.entry(entry, names, standing);
            collection.entries.extend(settled);
            names.truncate(above);
        }
    }

    /// The field that tells apart the records of the list that `names` leads to.
    fn identity_field(&self, names: &[String]) -> Option<&'static str> {
        let lists = self.versions.map(|root| {
            let list = leaf_at(root?, names).map(EntryRef::value);
            list.filter(|list| list.kind() == Kind::Sequence)
        });
        identity_field(lists.iter().copied().flatten())
    }

    /// What one side has to say for its value of a leaf: the one that stands there, unless it is to be written as a
    /// `draft`.
    fn claim(&self, names: &[String], side: Side, draft: Option<&Draft<'d>>) -> Claim {
        let (root, annotation) = match side {
            Side::Ours => (self.versions.ours, &self.annotations.ours),
            Side::Theirs => (self.versions.theirs, &self.annotations.theirs),
        };
        let leaf = path(names);
        let node = root
            .and_then(|root| leaf_at(root, names))
            .map(EntryRef::value);
        let known: BTreeSet<Stamp> = self.annotations.base.stamps().collect();
        let stamp = node.and_then(|node| {
            annotation
                .fitting(&leaf, digest(node))
                .filter(|stamp| !known.contains(stamp))
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

    /// The side whose value stands; the other's is kept unless it was superseded.
    fn decide(&mut self, leaf: &str, mine: &Claim, others: &Claim) -> Side {
        // A record that got a new name because of its birth has it wherever it is known under the old one.
        if self.is_former_name(&mine.value, &others.value) {
            return Side::Theirs;
        }
        if self.is_former_name(&others.value, &mine.value) {
            return Side::Ours;
        }
        let Some(heads) = heads(&[mine.write(), others.write()]) else {
            return if mine.value >= others.value {
                Side::Ours
            } else {
                Side::Theirs
            };
        };
        for (lost, stamp) in heads.losers {
            self.lose(leaf.to_owned(), lost, stamp);
        }
        if heads.winner.0 == mine.value {
            Side::Ours
        } else {
            Side::Theirs
        }
    }

    /// Whether `new` is the name that the record's birth gave to it in the place of `old`.
    fn is_former_name(&self, old: &Lost, new: &Lost) -> bool {
        let births = [&self.annotations.ours, &self.annotations.theirs];
        let (Lost::Value(old), Lost::Value(new)) = (old, new) else {
            return false;
        };
        births
            .into_iter()
            .filter_map(|annotation| annotation.birth)
            .any(|birth| {
                let old = old.trim_matches('"');
                !old.is_empty() && *new == double_quoted(&renamed(old, birth))
            })
    }
}

fn other(side: Side) -> Side {
    match side {
        Side::Ours => Side::Theirs,
        Side::Theirs => Side::Ours,
    }
}

fn path(names: &[String]) -> String {
    Annotation::path(names.iter().map(String::as_str))
}
