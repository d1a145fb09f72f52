//! The view: what a set of edits shows over the document that they were made on. A function of the set alone: the order,
//! grouping and repetition of edits do not matter.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Atom, Birth, Document, Loser, Map, Node, Path, Record};
use super::edit::{Act, Change, Edit};
use super::set::{self, Order};
use super::text::{self, Overlap};
use super::{Digest, Observed, Stamp, Write, heads, list};

/// What a view must know of the values.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'r> {
    /// Fields of a record that change together, as one register.
    pub groups: &'r [&'r [&'r str]],
    /// How a text is spelled canonically.
    pub spell: fn(&str) -> String,
}

impl Rules<'_> {
    /// What `edits` show over `base`.
    #[must_use]
    pub fn view(&self, base: &Document, edits: &[Edit]) -> Document {
        let mut known: Vec<&Edit> = Vec::with_capacity(edits.len());
        for edit in edits {
            if !known.contains(&edit) {
                known.push(edit);
            }
        }
        let mut viewing = Viewing {
            rules: self,
            losers: base.losers.clone(),
        };
        let mut settled = BTreeSet::new();
        let mut touches = Vec::new();
        for (number, edit) in known.iter().enumerate() {
            for change in &edit.changes {
                match &change.act {
                    Act::Lose(value) => viewing.lose(&change.at, value.clone()),
                    Act::Settle(value) => {
                        settled.insert(Loser {
                            at: change.at.clone(),
                            value: value.clone(),
                        });
                    }
                    _ => touches.push(Touch::of(change, edit.stamp, number)),
                }
            }
        }
        let root = viewing.map(&base.root, touches, &Path::default());
        let mut losers = viewing.losers;
        losers.retain(|loser| !settled.contains(loser));
        Document { root, losers }
    }
}

/// A change as seen from the place that is being viewed.
#[derive(Clone)]
struct Touch {
    /// The names that lead on from here.
    rest: Vec<String>,
    act: Act,
    observed: Observed,
    stamp: Option<Stamp>,
    /// Which edit it belongs to.
    edit: usize,
}

/// The value of a register, or its absence.
type Value = Option<Atom>;

impl Touch {
    fn of(change: &Change, stamp: Option<Stamp>, edit: usize) -> Self {
        Self {
            rest: change.at.names().to_vec(),
            act: change.act.clone(),
            observed: change.observed.clone(),
            stamp,
            edit,
        }
    }

    fn is_here(&self) -> bool {
        self.rest.is_empty()
    }

    /// What it does to a register; nothing if it does something else.
    fn value(&self) -> Option<Value> {
        match &self.act {
            Act::Write(value) => Some(Some(value.clone())),
            Act::Remove => Some(None),
            _ => None,
        }
    }

    /// Those that lead on, by the first name on their way.
    fn by_name(touches: Vec<Self>) -> BTreeMap<String, Vec<Self>> {
        let mut by_name: BTreeMap<String, Vec<Self>> = BTreeMap::new();
        for mut touch in touches.into_iter().filter(|touch| !touch.is_here()) {
            let name = touch.rest.remove(0);
            by_name.entry(name).or_default().push(touch);
        }
        by_name
    }
}

/// A write into a register.
fn write(value: Value, stamp: Option<Stamp>, observed: Observed) -> Write<Value> {
    let digest = value.as_ref().map_or_else(|| Digest::of(b""), Atom::digest);
    Write {
        value,
        digest,
        stamp,
        observed,
    }
}

struct Viewing<'r> {
    rules: &'r Rules<'r>,
    losers: BTreeSet<Loser>,
}

impl Viewing<'_> {
    fn lose(&mut self, at: &Path, value: Value) {
        self.losers.insert(Loser {
            at: at.clone(),
            value,
        });
    }

    fn map(&mut self, base: &Map, touches: Vec<Touch>, at: &Path) -> Map {
        let mut map = base.clone();
        for (name, touches) in Touch::by_name(touches) {
            match self.node(base.get(&name), touches, &at.join(&name)) {
                Some(node) => map.insert(name, node),
                None => map.remove(&name),
            };
        }
        map
    }

    fn node(&mut self, base: Option<&Node>, touches: Vec<Touch>, at: &Path) -> Option<Node> {
        let touched = |is: fn(&Touch) -> bool| touches.iter().any(is);
        let removed = touched(|touch| touch.is_here() && touch.act == Act::Remove);
        let births = touched(|touch| touch.rest.len() == 1 && matches!(touch.act, Act::Add { .. }));
        let leads_on = touched(|touch| !touch.is_here());
        let replaced = touched(|touch| matches!(touch.act, Act::Replace(_)));
        let node = match base {
            Some(Node::Set(records)) => Node::Set(self.set(records, touches, at)),
            _ if births => Node::Set(self.set(&[], touches, at)),
            Some(Node::Map(map)) => Node::Map(self.map(map, touches, at)),
            _ if leads_on => Node::Map(self.map(&Map::new(), touches, at)),
            Some(Node::List(members, stamp)) => self.list(Some((members, *stamp)), &touches),
            _ if replaced => self.list(None, &touches),
            Some(Node::Register(value, stamp)) => {
                return self.register(Some((value, *stamp)), &touches, at);
            }
            None => return self.register(None, &touches, at),
        };
        let is_empty = match &node {
            Node::Map(map) => map.is_empty(),
            Node::Set(records) => removed && records.is_empty(),
            Node::List(..) => removed && !replaced,
            Node::Register(..) => false,
        };
        if removed && !is_empty {
            self.lose(at, None);
        }
        (!is_empty).then_some(node)
    }

    /// A register whose absence yields to every concurrent value; texts of several lines are merged.
    fn register(
        &mut self,
        base: Option<(&Atom, Option<Stamp>)>,
        touches: &[Touch],
        at: &Path,
    ) -> Option<Node> {
        let standing =
            base.map(|(value, stamp)| write(Some(value.clone()), stamp, Observed::default()));
        let touched = touches
            .iter()
            .filter_map(|touch| Some(write(touch.value()?, touch.stamp, touch.observed.clone())));
        let writes: Vec<Write<Value>> = standing.into_iter().chain(touched).collect();
        let heads = heads(&writes)?;
        let mut live = heads.losers;
        live.push(heads.winner);
        live.sort_by(|(a, x), (b, y)| (a.is_some(), x, a).cmp(&(b.is_some(), y, b)));
        let (value, stamp) = live.pop()?;
        let value = value?;
        let merged = base.and_then(|(base, _)| self.texts(base, &live, &value, at));
        if merged.is_none() {
            for (lost, _) in live {
                self.lose(at, lost);
            }
        }
        Some(Node::Register(merged.unwrap_or(value), stamp))
    }

    /// Concurrent texts as one: where they overlap the later one stands and the other is kept.
    fn texts(
        &mut self,
        base: &Atom,
        earlier: &[(Value, Option<Stamp>)],
        latest: &Atom,
        at: &Path,
    ) -> Option<Atom> {
        let base = base.lines()?;
        let mut texts = Vec::with_capacity(earlier.len() + 1);
        for (value, _) in earlier {
            texts.push(value.as_ref()?.lines()?);
        }
        texts.push(latest.lines()?);
        let mut texts = texts.into_iter();
        let mut merged = texts.next()?;
        let mut lost = Vec::new();
        for lines in texts {
            let with = |overlap| text::merge(&base, &merged, &lines, overlap);
            let both = with(Overlap::Theirs);
            if both.overlapped {
                lost.push(with(Overlap::Ours).lines.join("\n"));
            }
            merged = both.lines;
        }
        let merged = self.spelled(merged.join("\n"));
        for text in lost {
            let text = self.spelled(text);
            self.lose(at, Some(text));
        }
        Some(merged)
    }

    fn spelled(&self, text: String) -> Atom {
        Atom::text((self.rules.spell)(&text), text)
    }

    fn list(&mut self, base: Option<(&Vec<Atom>, Option<Stamp>)>, touches: &[Touch]) -> Node {
        let seen = |stamp: Option<Stamp>| {
            touches
                .iter()
                .any(|touch| touch.observed.stamps().any(|seen| Some(seen) == stamp))
        };
        let mut versions: Vec<(Option<Stamp>, &Vec<Atom>)> = touches
            .iter()
            .filter_map(|touch| match &touch.act {
                Act::Replace(members) => Some((touch.stamp, members)),
                _ => None,
            })
            .filter(|(stamp, _)| !seen(*stamp))
            .collect();
        versions.sort();
        versions.dedup();
        let none = Vec::new();
        let (before, mut stamp) = base.unwrap_or((&none, None));
        let merged =
            versions
                .into_iter()
                .fold(None, |merged: Option<Vec<Atom>>, (latest, members)| {
                    stamp = stamp.max(latest);
                    Some(match merged {
                        Some(merged) => list::merge(before, &merged, members),
                        None => members.clone(),
                    })
                });
        Node::List(merged.unwrap_or_else(|| before.clone()), stamp)
    }

    fn set(&mut self, base: &[Record], touches: Vec<Touch>, at: &Path) -> Vec<Record> {
        let touched = Touch::by_name(touches);
        let mut order = Order::of(base);
        let mut records: BTreeMap<Atom, Record> = base
            .iter()
            .filter(|record| !touched.contains_key(record.name.canonical()))
            .map(|record| (record.name.clone(), record.clone()))
            .collect();
        for (name, touches) in touched {
            let standing = base.iter().find(|record| record.name.canonical() == name);
            let at = at.join(&name);
            let mut births: Vec<(Record, Vec<Touch>)> = Vec::new();
            let mut updates = Vec::new();
            for touch in touches {
                match &touch.act {
                    Act::Add { record, behind } if touch.is_here() => {
                        order.put(&record.name, behind.as_ref(), touch.stamp, touch.edit);
                        let writes = written(&touch, &record.fields);
                        match births
                            .iter_mut()
                            .find(|(known, _)| is_one(known.birth, record.birth))
                        {
                            Some((known, touches)) => {
                                known.birth = known.birth.min(record.birth);
                                touches.extend(writes);
                            }
                            None => births.push((record.clone(), writes)),
                        }
                    }
                    Act::Move { behind } if touch.is_here() => {
                        if let Some(record) = standing {
                            order.put(&record.name, behind.as_ref(), touch.stamp, touch.edit);
                        }
                    }
                    _ => updates.push(touch),
                }
            }
            let removed = updates
                .iter()
                .any(|touch| touch.is_here() && touch.act == Act::Remove);
            let standing = standing.and_then(|record| self.record(record, updates, &at));
            if let Some(record) = standing.as_ref().filter(|_| removed) {
                order.revive(&record.name);
            }
            births.sort_by_key(|(record, _)| record.birth);
            let born: Vec<Record> = births
                .into_iter()
                .map(|(record, touches)| Record {
                    fields: self.fields(&Map::new(), touches, &at),
                    ..record
                })
                .collect();
            for record in standing.into_iter().chain(born) {
                if records.contains_key(&record.name) {
                    let first = record.name.clone();
                    let name = self.spelled(set::second_name(first.said(), record.birth.digest));
                    order.follow(&first, Record { name, ..record });
                } else {
                    records.insert(record.name.clone(), record);
                }
            }
        }
        order.arrange(records)
    }

    /// A record of the base: gone where a removal observed all that was done to it, else whole.
    fn record(&mut self, record: &Record, touches: Vec<Touch>, at: &Path) -> Option<Record> {
        let (removals, updates): (Vec<Touch>, Vec<Touch>) = touches
            .into_iter()
            .partition(|touch| touch.is_here() && touch.act == Act::Remove);
        if !removals.is_empty() {
            let mut observed = Observed::default();
            for removal in &removals {
                observed.extend(&removal.observed);
            }
            let all_seen = updates.iter().all(|update| {
                let digest = update.value().flatten().map(|value| value.digest());
                observed.contains(update.stamp, digest.unwrap_or(Digest::of(b"")))
            });
            if all_seen {
                return None;
            }
            self.lose(at, None);
        }
        let fields = self.fields(&record.fields, updates, at);
        Some(Record {
            fields,
            ..record.clone()
        })
    }

    /// The fields of a record: groups as one register each, all others by themselves.
    fn fields(&mut self, base: &Map, touches: Vec<Touch>, at: &Path) -> Map {
        let mut rest = touches;
        let mut grouped = Vec::new();
        for group in self.rules.groups {
            let is_in = |touch: &Touch| matches!(touch.rest.as_slice(), [name] if group.contains(&name.as_str()));
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
        for touch in &touches {
            let write = by_edit.entry(touch.edit).or_insert_with(|| Write {
                value: standing.clone(),
                digest: Digest::of(b""),
                stamp: None,
                observed: Observed::default(),
            });
            let place = group
                .iter()
                .position(|name| touch.rest.first().is_some_and(|first| first == name));
            if let Some((place, value)) = place.zip(touch.value()) {
                write.value[place] = value;
            }
            write.stamp = write.stamp.max(touch.stamp);
            write.observed.extend(&touch.observed);
        }
        let writes: Vec<Write<Vec<Value>>> = by_edit.into_values().collect();
        let Some(heads) = heads(&writes) else { return };
        let (won, stamp) = heads.winner;
        for (lost, _) in heads.losers {
            for ((name, lost), won) in group.iter().zip(lost).zip(&won) {
                if lost != *won {
                    self.lose(&at.join(name), lost);
                }
            }
        }
        for ((name, value), before) in group.iter().zip(won).zip(standing) {
            match value {
                value if value == before => {}
                Some(value) => {
                    fields.insert((*name).to_owned(), Node::Register(value, stamp));
                }
                None => {
                    fields.remove(*name);
                }
            }
        }
    }
}

/// Whether two births under one name are births of one record: of the same one, or of what two people wrote alike.
fn is_one(a: Birth, b: Birth) -> bool {
    a.digest == b.digest
}

/// The fields of a record that was added, as writes of the edit that added it.
fn written(add: &Touch, fields: &Map) -> Vec<Touch> {
    let mut touches = Vec::new();
    for (name, node) in fields {
        let touch = |act| Touch {
            rest: vec![name.clone()],
            act,
            ..add.clone()
        };
        match node {
            Node::Register(value, _) => touches.push(touch(Act::Write(value.clone()))),
            Node::List(members, _) => touches.push(touch(Act::Replace(members.clone()))),
            Node::Map(map) => touches.extend(written(add, map).into_iter().map(|mut touch| {
                touch.rest.insert(0, name.clone());
                touch
            })),
            Node::Set(records) => {
                let mut behind = None;
                for record in records {
                    let mut touch = touch(Act::Add {
                        record: record.clone(),
                        behind: behind.replace(record.name.clone()),
                    });
                    touch.rest.push(record.name.canonical().to_owned());
                    touches.push(touch);
                }
            }
        }
    }
    touches
}
