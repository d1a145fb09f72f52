//! The view of a set of records: which stand, under which names, with which fields.

use std::collections::{BTreeMap, HashSet};

use super::{Touch, Value, Viewing};
use crate::crdt::document::{Birth, Map, Node, Path, Record, Stamps, Step};
use crate::crdt::edit::Act;
use crate::crdt::register::stamps_of;
use crate::crdt::set::{self, Key, Order, born_as};
use crate::crdt::{Digest, Observed, Stamp, Write, heads};

/// Whether a record was removed, and the stamp of its removal where that has one.
pub(in crate::crdt) type Gone = Option<Option<Stamp>>;

/// A record of a set, as long as it stands.
pub(in crate::crdt) struct Member {
    pub(in crate::crdt) key: Key,
    pub(in crate::crdt) birth: Birth,
    /// When it came under its name: at its birth, or later where it had another name before.
    pub(in crate::crdt) came: Option<Stamp>,
    pub(in crate::crdt) gone: Gone,
    pub(in crate::crdt) record: Option<Record>,
}

impl Viewing<'_> {
    pub(super) fn set(&mut self, base: &[Record], touches: Vec<Touch>, at: &Path) -> Vec<Record> {
        let mut touched: BTreeMap<Key, Vec<Touch>> = BTreeMap::new();
        for (step, touches) in Touch::by_step(touches) {
            if let Step::Record(name, birth) = step {
                let key = Key::new(&name, birth);
                touched.entry(key).or_default().extend(touches);
            }
        }
        let stays = |touch: &Touch| {
            !touch.is_here()
                && !matches!(touch.act, Act::Add { .. } | Act::Remove | Act::Move { .. })
        };
        let is_named =
            |record: &Record| born_as(&record.name, record.birth.digest) == record.name.said();
        if touched.values().flatten().all(stays)
            && base.iter().all(is_named)
            && has_all(base, &touched)
        {
            return self.updated(base, touched, at);
        }
        let mut order = Order::of(base);
        let mut family = Vec::with_capacity(base.len());
        for record in base {
            let key = Key::of(record);
            let touches = touched.remove(&key).unwrap_or_default();
            family.extend(self.record(key, Some(record), touches, &mut order, at));
        }
        for (key, touches) in touched {
            family.extend(self.record(key, None, touches, &mut order, at));
        }
        order.arrange(self.named(family))
    }

    /// Records of which each stays what and where it is.
    fn updated(
        &mut self,
        base: &[Record],
        mut touched: BTreeMap<Key, Vec<Touch>>,
        at: &Path,
    ) -> Vec<Record> {
        let update = |record: &Record| {
            let touches = touched.remove(&Key::of(record)).unwrap_or_default();
            let mut updated = record.clone();
            if !touches.is_empty() {
                updated.fields = self.fields(&record.fields, touches, &at.record(record));
            }
            updated
        };
        base.iter().map(update).collect()
    }

    /// Names the records that stand. Of those born under one name the earliest birth keeps it, also when it is gone by
    /// now, from all that came under it before it went.
    pub(in crate::crdt) fn named(&self, members: Vec<Member>) -> BTreeMap<Key, Record> {
        let mut families: BTreeMap<String, Vec<Member>> = BTreeMap::new();
        for member in members {
            families
                .entry(member.key.family.clone())
                .or_default()
                .push(member);
        }
        let mut named = BTreeMap::new();
        for (name, family) in families {
            let births: Vec<(Birth, Gone)> = family
                .iter()
                .map(|member| (member.birth, member.gone))
                .collect();
            for Member {
                key,
                birth,
                came,
                record,
                ..
            } in family
            {
                let Some(mut record) = record else { continue };
                let met = |(other, gone): &&(Birth, Gone)| {
                    *other != birth && gone.is_none_or(|gone| gone > came)
                };
                let earliest = births.iter().filter(met).map(|(other, _)| *other).min();
                if let Some(earliest) = earliest {
                    record.name = self.spelled(if earliest < birth {
                        set::second_name(&name, key.birth)
                    } else {
                        name.clone()
                    });
                }
                named.insert(key, record);
            }
        }
        named
    }

    /// A record with all that was done to it: gone where a removal observed everything, else whole. Nothing as long as its
    /// birth is not known.
    pub(in crate::crdt) fn record(
        &mut self,
        key: Key,
        base: Option<&Record>,
        touches: Vec<Touch>,
        order: &mut Order,
        at: &Path,
    ) -> Option<Member> {
        let mut record = base.cloned();
        let mut removals = Vec::new();
        let mut updates = Vec::new();
        let added = |touch: &&Touch| touch.is_here() && matches!(touch.act, Act::Add { .. });
        let added = touches.iter().filter(added).map(|touch| touch.stamp).min();
        let came = added.filter(|_| base.is_none());
        for touch in touches {
            match &touch.act {
                Act::Add {
                    record: born,
                    behind,
                } if touch.is_here() => {
                    order.put(&key, behind.as_ref(), touch.stamp);
                    let known = record.get_or_insert_with(|| Record {
                        fields: Map::new(),
                        ..born.clone()
                    });
                    known.birth = known.birth.min(born.birth);
                    updates.extend(as_writes(&touch, &born.fields));
                }
                Act::Move { behind } if touch.is_here() => {
                    order.put(&key, behind.as_ref(), touch.stamp);
                }
                Act::Remove if touch.is_here() => removals.push(touch),
                _ => updates.push(touch),
            }
        }
        // An edit of a record whose birth is not known yet waits for it.
        let mut record = record?;
        let at = at.record(&record);
        let came = came.unwrap_or(record.birth.stamp);
        // A record that was born again after a removal has nothing of what was removed.
        let (ended, open): (Vec<Touch>, Vec<Touch>) = removals
            .into_iter()
            .partition(|removal| updates.iter().any(|update| update.has_seen(removal.stamp)));
        if !ended.is_empty() {
            record.fields = self.unseen_fields(&ended, &record.fields);
            updates.retain(|update| !ended.iter().any(|removal| removal.sees(update)));
        }
        if !open.is_empty() {
            let unseen = |update: &Touch| !open.iter().any(|removal| removal.sees(update));
            let kept = (base.is_some() && !saw(&open, &updates, &record.fields))
                || self.keeps_unseen(&open, &at);
            if !kept && !updates.iter().any(unseen) {
                self.lose_no_more(&at);
                let stamps = open.iter().filter_map(|removal| removal.stamp);
                self.removed.entry(at).or_default().extend(stamps.clone());
                return Some(Member {
                    key,
                    birth: record.birth,
                    came,
                    gone: Some(stamps.max()),
                    record: None,
                });
            }
            self.lose(
                &at,
                None,
                open.iter().filter_map(|removal| removal.stamp).max(),
            );
        }
        let fields = std::mem::take(&mut record.fields);
        record.fields = self.fields(&fields, updates, &at);
        Some(Member {
            key,
            birth: record.birth,
            came,
            gone: None,
            record: Some(record),
        })
    }

    /// The fields of a record of which these removals had not seen all, with those that change together with them.
    fn unseen_fields(&self, removals: &[Touch], fields: &Map) -> Map {
        let mut unseen = unseen(removals, fields);
        for group in self.rules.groups {
            if group.iter().any(|name| unseen.contains_key(*name)) {
                let of_group = fields
                    .iter()
                    .filter(|(name, _)| group.contains(&name.as_str()));
                unseen.extend(of_group.map(|(name, node)| (name.clone(), node.clone())));
            }
        }
        unseen
    }

    /// The fields of a record: groups as one register each, all others by themselves.
    fn fields(&mut self, base: &Map, touches: Vec<Touch>, at: &Path) -> Map {
        let mut rest = touches;
        let mut grouped = Vec::new();
        for group in self.rules.groups {
            let is_in = |touch: &Touch| matches!(touch.rest.as_slice(), [Step::Entry(name)] if group.contains(&name.as_str()));
            let (inside, outside) = rest.into_iter().partition(is_in);
            rest = outside;
            grouped.push((*group, inside));
        }
        let mut fields = self.map(base, rest, at);
        for (group, touches) in grouped {
            self.group(group, base, touches, &mut fields, at);
        }
        fields
    }

    /// Fields that change together: every edit of some of them wrote all.
    fn group(
        &mut self,
        group: &[&str],
        base: &Map,
        touches: Vec<Touch>,
        fields: &mut Map,
        at: &Path,
    ) {
        let standing: Vec<Value> = group
            .iter()
            .map(|name| match base.get(*name) {
                Some(Node::Register(value, _)) => Some(value.clone()),
                _ => None,
            })
            .collect();
        let mut by_edit: BTreeMap<usize, Write<Vec<Value>>> = BTreeMap::new();
        // What stands is a value like any other to whoever did not see it.
        let fields_here = || group.iter().filter_map(|name| base.get(*name));
        let saw = |touch: &Touch| fields_here().all(|node| touch.observed.saw(node));
        for touch in &touches {
            let write = by_edit.entry(touch.edit).or_insert_with(|| Write {
                value: standing.clone(),
                digest: Digest::of(b""),
                stamp: None,
                observed: Observed::default(),
            });
            let is_here = |name: &&str| matches!(touch.rest.first(), Some(Step::Entry(first)) if first == *name);
            let place = group.iter().position(is_here);
            if let Some((place, value)) = place.zip(touch.value()) {
                write.value[place] = value;
            }
            write.stamp = write.stamp.max(touch.stamp);
            write.observed.extend(&touch.observed);
        }
        let mut writes: Vec<Write<Vec<Value>>> = by_edit.into_values().collect();
        if !writes.is_empty() && !touches.iter().any(saw) {
            writes.push(Write {
                value: standing.clone(),
                digest: Digest::of(b""),
                stamp: fields_here().filter_map(latest).max(),
                observed: Observed::default(),
            });
        }
        let Some(heads) = heads(&writes) else { return };
        let (won, _) = heads.winner;
        let stamps = stamps_of(&won, &writes);
        for (lost, _) in heads.losers {
            let stamps = stamps_of(&lost, &writes);
            for ((name, lost), won) in group.iter().zip(lost).zip(&won) {
                if lost != *won {
                    self.lose(&at.entry(name), lost, stamps.iter().copied());
                }
            }
        }
        for ((name, value), before) in group.iter().zip(won).zip(standing) {
            match value {
                value if value == before && stamps.is_empty() => {}
                Some(value) => {
                    fields.insert((*name).to_owned(), Node::Register(value, stamps.clone()));
                }
                None => {
                    fields.remove(*name);
                    let removed = self.removed.entry(at.entry(name)).or_default();
                    removed.extend(&stamps);
                }
            }
        }
    }
}

/// Whether removals observed all that stands in a record, or whoever changed it did.
pub(super) fn saw(removals: &[Touch], updates: &[Touch], fields: &Map) -> bool {
    fields.iter().all(|(name, node)| {
        let leads_here = |update: &&Touch| matches!(update.rest.first(), Some(Step::Entry(first)) if first == name);
        let mut observed = Observed::default();
        for touch in removals.iter().chain(updates.iter().filter(leads_here)) {
            observed.extend(&touch.observed);
        }
        observed.saw(node)
    })
}

/// What of these nodes no removal had seen.
pub(super) fn unseen(removals: &[Touch], nodes: &Map) -> Map {
    let saw = |node: &Node| removals.iter().any(|removal| removal.observed.saw(node));
    let left = nodes.iter().filter_map(|(name, node)| {
        let left = match node {
            Node::Map(map) => {
                let left = unseen(removals, map);
                (!left.is_empty()).then_some(Node::Map(left))
            }
            node => (!saw(node)).then(|| node.clone()),
        };
        left.map(|node| (name.clone(), node))
    });
    left.collect()
}

/// The latest edit of a value.
fn latest(node: &Node) -> Option<Stamp> {
    match node {
        Node::Register(_, stamps) | Node::List(_, stamps) => stamps.last().copied(),
        Node::Map(_) | Node::Set(_) => None,
    }
}

/// Whether these are records of a list in which every name stands once.
fn has_all(records: &[Record], touched: &BTreeMap<Key, Vec<Touch>>) -> bool {
    let mut names = HashSet::with_capacity(records.len());
    let is_alone = |record: &Record| names.insert(record.name.said().to_owned());
    let keys: HashSet<Key> = records.iter().map(Key::of).collect();
    records.iter().all(is_alone) && touched.keys().all(|key| keys.contains(key))
}

/// The fields of a record that was added, as writes of the edit that added it.
fn as_writes(add: &Touch, fields: &Map) -> Vec<Touch> {
    let mut touches = Vec::new();
    for (name, node) in fields {
        let touch = |act| Touch {
            rest: vec![Step::Entry(name.clone())],
            act,
            ..add.clone()
        };
        // What was edited since the birth has its own stamp.
        let written = |act, stamps: &Stamps| Touch {
            stamp: stamps.last().copied().or(add.stamp),
            ..touch(act)
        };
        match node {
            Node::Register(value, stamps) => {
                touches.push(written(Act::Write(value.clone()), stamps));
            }
            Node::List(members, stamps) => {
                touches.push(written(Act::Replace(members.clone()), stamps));
            }
            Node::Map(map) => touches.extend(as_writes(add, map).into_iter().map(|mut touch| {
                touch.rest.insert(0, Step::Entry(name.clone()));
                touch
            })),
            Node::Set(records) => {
                let mut behind = None;
                for record in records {
                    let mut touch = touch(Act::Add {
                        record: record.clone(),
                        behind: behind.replace(record.name.clone()),
                    });
                    touch
                        .rest
                        .push(Step::Record(record.name.clone(), record.birth.digest));
                    touches.push(touch);
                }
            }
        }
    }
    touches
}
