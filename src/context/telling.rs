//! What a text is to say of the edits that a view holds and HEAD does not: births, stamps, what lost.
//!
//! A root or record in which nothing was edited says what it said. One in which something was says what it would say had
//! it been edited here: its birth, the stamps that HEAD does not contain, and of the rest the newest.

use rustc_hash::{FxHashMap, FxHashSet};

use super::annotate::{Contained, add, kept};
use super::births::defining;
use super::leaves::{self, Held, is_map};
use super::own::{Own, Role};
use super::placing::{self, Splice, name_of};
use super::records::identity_field;
use super::stamping::takes_stamps;
use super::{Annotation, Birth, Loser, Lost, StampedValue};
use crate::crdt::{
    Amounts, Digest, Document, Map, Node, Path, Record, Stamp, StampSet, Stamps, Step, born_as,
};
use crate::yaml::{self, Kind, NodeRef};

/// The text of a file that holds the values of `view`, saying what `view` says; nothing if it does already. `head` is the
/// text that the view's edits were made on, `base` what it holds.
pub(crate) fn told(
    text: &yaml::Document,
    head: &yaml::Document,
    base: &Document,
    view: &Document,
) -> Option<String> {
    let root = text.root().filter(|_| takes_stamps(Some(head), text))?;
    let mut telling = Telling {
        view,
        contested: contested(base, view),
        splices: Vec::new(),
    };
    let before = head.root();
    match root.kind() {
        Kind::Sequence => {
            let lists = [base, view].map(|document| document.root.get(""));
            telling.list(
                root,
                lists[1],
                before.zip(lists[0]),
                &Path::default().entry(""),
                &[],
            );
        }
        _ => telling.holder(Holder {
            node: root,
            role: Role::Root,
            birth: None,
            wanted: &view.root,
            before: before.map(|before| (before, &base.root)),
            at: &Path::default(),
            births: &[],
        }),
    }
    if telling.splices.is_empty() {
        return None;
    }
    placing::apply(text.text(), telling.splices)
}

/// The places about which something lost, or was settled, and all that is around them.
fn contested(base: &Document, view: &Document) -> FxHashSet<Path> {
    let mut around = FxHashSet::default();
    let changed = |of: &Document, other: &Document| -> Vec<Path> {
        let news = of
            .losers
            .iter()
            .filter(|(loser, stamps)| other.losers.get(loser) != Some(*stamps));
        news.map(|(loser, _)| loser.at.as_born()).collect()
    };
    for path in changed(base, view).into_iter().chain(changed(view, base)) {
        let steps = path.steps();
        for count in 0..=steps.len() {
            around.insert(steps.iter().take(count).cloned().collect());
        }
    }
    around
}

struct Telling<'v> {
    view: &'v Document,
    contested: FxHashSet<Path>,
    splices: Vec<Splice>,
}

/// A root or record that speaks for itself.
#[derive(Clone, Copy)]
struct Holder<'a, 'v> {
    node: NodeRef<'a>,
    role: Role,
    birth: Option<(&'v Record, Birth)>,
    wanted: &'v Map,
    before: Option<(NodeRef<'a>, &'v Map)>,
    at: &'a Path,
    /// The births of the records around it: what was born along with them needs no stamp of its own.
    births: &'a [Stamp],
}

impl<'v> Telling<'v> {
    fn holder(&mut self, holder: Holder<'_, 'v>) {
        let Holder {
            node,
            wanted,
            before,
            at,
            births,
            ..
        } = holder;
        let mut births = births.to_vec();
        births.extend(holder.birth.and_then(|(_, birth)| birth.stamp));
        let inner = Holder {
            births: &births,
            ..holder
        };
        let edited = self.mapping(node, wanted, before, at, &births, true);
        // What was written anew says nothing of what it said.
        let is_anew = before.is_none_or(|(before, _)| {
            holder.role == Role::Record
                && Own::of(before, Role::Record) != Own::of(node, Role::Record)
        });
        // What named it may be gone, of which no stamp tells.
        let is_unnamed = || {
            let before = before.map(|(before, _)| Own::of(before, holder.role));
            before.is_some_and(|before| self.birth(inner, &before) != before.annotation.birth)
        };
        if edited || is_anew || self.contested.contains(at) || is_unnamed() {
            self.tell(inner);
        }
    }

    /// Tells of what a mapping holds; whether a leaf in it that its holder speaks for was edited.
    fn mapping(
        &mut self,
        node: NodeRef<'_>,
        wanted: &'v Map,
        before: Option<(NodeRef<'_>, &'v Map)>,
        at: &Path,
        births: &[Stamp],
        is_holder: bool,
    ) -> bool {
        let mut edited = false;
        for entry in node.entries() {
            let Some(name) = name_of(entry).filter(|_| !(is_holder && placing::is_ours(entry)))
            else {
                continue;
            };
            let Some(value) = wanted.get(name.as_ref()) else {
                continue;
            };
            let old = before.and_then(|(_, known)| known.get(name.as_ref()));
            let is_told =
                old == Some(value) && (self.contested.is_empty() && self.view.forms.is_empty());
            if is_told {
                continue;
            }
            let stood = before
                .and_then(|(node, _)| node.get(&name))
                .map(|entry| entry.value());
            let at = at.entry(&name);
            match value {
                Node::Map(map) => {
                    let old = stood.zip(old).and_then(|(node, old)| match old {
                        Node::Map(old) => Some((node, old)),
                        _ => None,
                    });
                    edited |= self.mapping(entry.value(), map, old, &at, births, false);
                }
                Node::Set(_) => {
                    edited |= self.list(entry.value(), Some(value), stood.zip(old), &at, births);
                }
                Node::Register(..) | Node::List(..) => edited |= old != Some(value),
            }
        }
        edited
    }

    /// Tells of the records of a list; whether one that cannot speak for itself was edited.
    fn list(
        &mut self,
        list: NodeRef<'_>,
        wanted: Option<&'v Node>,
        before: Option<(NodeRef<'_>, &'v Node)>,
        at: &Path,
        births: &[Stamp],
    ) -> bool {
        let Some(Node::Set(wanted)) = wanted else {
            return false;
        };
        let (stood, known): (Option<NodeRef<'_>>, &[Record]) = match before {
            Some((list, Node::Set(known))) => (Some(list), known.as_slice()),
            _ => (None, &[]),
        };
        fn key(record: &Record) -> (&str, Digest) {
            (
                born_as(&record.name, record.birth.digest),
                record.birth.digest,
            )
        }
        let olds: FxHashMap<_, _> = known
            .iter()
            .enumerate()
            .map(|(index, record)| (key(record), index))
            .collect();
        let stood: Vec<NodeRef<'_>> = stood
            .into_iter()
            .flat_map(NodeRef::entries)
            .map(|entry| entry.value())
            .collect();
        let touched = self.touched(at);
        let mut edited = false;
        for (entry, record) in list.entries().zip(wanted) {
            let old = olds
                .get(&key(record))
                .and_then(|index| Some((*stood.get(*index)?, known.get(*index)?)));
            let is_same = old.is_some_and(|(_, old)| old == record);
            let is_touched = || {
                let (name, birth) = key(record);
                touched.contains(&(name.to_owned(), birth))
            };
            if is_same && (touched.is_empty() || !is_touched()) {
                continue;
            }
            let at = at.record(record).as_born();
            let node = entry.value();
            let before = old.map(|(node, old)| (node, &old.fields));
            if Role::of_member(node).is_holder() {
                self.holder(Holder {
                    node,
                    role: Role::Record,
                    birth: Some((record, record.birth)),
                    wanted: &record.fields,
                    before,
                    at: &at,
                    births,
                });
            } else {
                edited |= !is_same;
                self.mapping(node, &record.fields, before, &at, births, false);
            }
        }
        edited
    }

    /// The records of a list in which something lost, or was settled, or that have a form: they may have been written anew.
    fn touched(&self, at: &Path) -> FxHashSet<(String, Digest)> {
        let depth = at.steps().len();
        let inside = |path: &&Path| path.steps().starts_with(at.steps());
        let formed = self.view.forms.range(at.clone()..).map(|(path, _)| path);
        let touched = formed
            .take_while(inside)
            .chain(self.contested.iter().filter(inside));
        let steps = touched.filter_map(|path| path.steps().get(depth));
        let records = steps.filter_map(|step| match step {
            Step::Record(name, birth) => Some((name.said().to_owned(), *birth)),
            Step::Entry(_) => None,
        });
        records.collect()
    }

    fn tell(&mut self, holder: Holder<'_, 'v>) {
        let Holder {
            node, role, before, ..
        } = holder;
        let own = Own::of(node, role);
        let stood = before.map(|(node, _)| node);
        let before = before
            .map(|(node, _)| Own::of(node, role))
            .unwrap_or_default();
        let mut told = Own {
            conflicts: self.conflicts(holder),
            annotation: Annotation::default(),
            ..if role == Role::Root {
                before.clone()
            } else {
                own.clone()
            }
        };
        let head = Contained(&before.annotation);
        let Held {
            leaves: held,
            bytes,
            ..
        } = Held::leaves_of(node);
        let counted = self.amounts(holder);
        let mut known = Annotation::default();
        let (mut fresh, mut rest) = (Vec::new(), Vec::new());
        for leaf in &held {
            let names = Annotation::names(&leaf.path);
            // A mapping that was emptied says no more than its entries, which are gone.
            let stood = stood.and_then(|stood| leaves::at(stood, &names));
            if stood.is_some_and(|stood| is_map(stood.value()) && !stood.value().is_empty()) {
                continue;
            }
            let stamps = stamps_at(holder.wanted, &names, holder.births);
            let amounts = counted.get(&leaf.path);
            let is_new = |stamp: &Stamp| !head.holds(&leaf.path, *stamp);
            match stamps.iter().any(is_new) {
                true => fresh.push(leaf),
                false => rest.push(leaf),
            }
            for stamp in stamps {
                if let Some(amount) = amounts.and_then(|amounts| amounts.get(&stamp)) {
                    let amounts = known.amounts.entry(leaf.path.clone()).or_default();
                    amounts.insert(stamp, *amount);
                    continue;
                }
                let digest = leaf.digest;
                add(&mut known, &leaf.path, StampedValue { stamp, digest });
                let superseded = self.superseded(holder, stamp, &leaf.path, &before);
                if is_new(&stamp) && !superseded.is_empty() {
                    let all = known.superseded.entry(stamp).or_default();
                    all.union(&superseded);
                }
            }
        }
        let birth = self.birth(holder, &before);
        let says_else = !fresh.is_empty()
            || birth != before.annotation.birth
            || told.conflicts != before.conflicts;
        told.annotation = if says_else {
            let mut annotation = Annotation {
                birth,
                ..Annotation::default()
            };
            for leaf in &fresh {
                for stamped in known.leaves.get(&leaf.path).into_iter().flatten() {
                    add(&mut annotation, &leaf.path, *stamped);
                    if let Some(superseded) = known.superseded.get(&stamped.stamp) {
                        annotation
                            .superseded
                            .insert(stamped.stamp, superseded.clone());
                    }
                }
            }
            let own = Own {
                annotation: known,
                ..told.clone()
            };
            kept(annotation, &rest, &own, &before.annotation, bytes)
        } else {
            before.annotation
        };
        if told.annotation != own.annotation || told.conflicts != own.conflicts {
            self.splices.extend(told.placed(node, role));
        }
    }

    /// What edits added to the counters of a root or record, its own records not counted, by their names.
    fn amounts(&self, holder: Holder<'_, 'v>) -> FxHashMap<String, &'v Amounts> {
        let inside = self.view.amounts.range(holder.at.clone()..);
        let inside = inside.map_while(|(at, amounts)| {
            Some((at.steps().strip_prefix(holder.at.steps())?, amounts))
        });
        let named =
            inside.filter_map(|(rest, amounts)| Some((leaf_of(holder.node, rest)?, amounts)));
        named.collect()
    }

    /// The birth that is to be written down: one with a stamp, one that was written down, and one that what the record
    /// is called now does not tell.
    fn birth(&self, holder: Holder<'_, '_>, before: &Own) -> Option<Birth> {
        let (record, birth) = holder.birth?;
        let is_told = birth.stamp.is_none()
            && before.annotation.birth.is_none()
            && birth.digest == defining(holder.node)
            && born_as(&record.name, birth.digest) == record.name.said();
        (!is_told).then_some(birth)
    }

    /// The stamps that an edit of a leaf superseded in a root or record, that HEAD does not contain and no birth tells of.
    fn superseded(
        &self,
        holder: Holder<'_, 'v>,
        stamp: Stamp,
        leaf: &str,
        before: &Own,
    ) -> StampSet {
        let Holder { at, births, .. } = holder;
        let places = self.view.superseded.get(&stamp).into_iter().flatten();
        let mut superseded = StampSet::default();
        for (_, stamps) in places.filter(|(place, _)| self.speaks_for(at, place)) {
            superseded.union(stamps);
        }
        let mut known = before.annotation.known(leaf);
        known.extend(before.conflicts.iter().filter_map(|(_, stamp)| stamp));
        known.extend(births.iter().copied());
        known.insert(stamp);
        superseded.leave_out(&known);
        superseded
    }

    /// Whether what is said about a place is said at `at`: no record between the two.
    fn speaks_for(&self, at: &Path, place: &Path) -> bool {
        place
            .steps()
            .strip_prefix(at.steps())
            .is_some_and(|rest| !rest.iter().any(|step| matches!(step, Step::Record(..))))
    }

    /// What lost in a root or record, its own records not counted.
    fn conflicts(&self, holder: Holder<'_, '_>) -> super::Conflicts {
        let mut conflicts = super::Conflicts::default();
        for (loser, stamps) in &self.view.losers {
            let at = loser.at.as_born();
            let Some(rest) = at.steps().strip_prefix(holder.at.steps()) else {
                continue;
            };
            let Some(leaf) = leaf_of(holder.node, rest) else {
                continue;
            };
            let lost = loser.value.as_ref();
            let lost = lost.map_or(Lost::Deletion, |value| {
                Lost::Value(value.canonical().to_owned())
            });
            conflicts.add(Loser { leaf, lost }, stamps.last().copied());
        }
        conflicts
    }
}

/// The stamps of a leaf, but for those of births that tell of it already.
fn stamps_at(wanted: &Map, names: &[String], births: &[Stamp]) -> Stamps {
    let Some((first, rest)) = names.split_first() else {
        return Stamps::new();
    };
    let mut stamps = match wanted.get(first) {
        Some(Node::Register(_, stamps) | Node::List(_, stamps)) if rest.is_empty() => {
            stamps.clone()
        }
        Some(Node::Map(map)) => stamps_at(map, rest, &[]),
        Some(Node::Set(records)) => {
            let named = rest.split_first().and_then(|(name, rest)| {
                let record = records.iter().find(|record| record.name.said() == name)?;
                Some(stamps_at(
                    &record.fields,
                    rest,
                    &record.birth.stamp.into_iter().collect::<Vec<_>>(),
                ))
            });
            named.unwrap_or_default()
        }
        _ => Stamps::new(),
    };
    stamps.retain(|stamp| !births.contains(stamp));
    stamps
}

/// The name of what lost, as the root or record around it says it; nothing where a record in between speaks for itself.
fn leaf_of(holder: NodeRef<'_>, rest: &[Step]) -> Option<String> {
    let mut names: Vec<&str> = Vec::with_capacity(rest.len());
    let mut node = Some(holder);
    for step in rest {
        let child = match step {
            Step::Entry(name) => {
                names.push(name);
                node.and_then(|node| node.get(name))
            }
            Step::Record(name, _) => {
                names.push(name.said());
                let list = node?;
                let field = identity_field(std::iter::once(list))?;
                let mut members = list.entries();
                let member = members.find(|member| {
                    let named = member.value().get(field);
                    named.is_some_and(|named| named.value().text() == name.said())
                });
                if member.is_none_or(|member| Role::of_member(member.value()).is_holder()) {
                    return None;
                }
                member
            }
        };
        node = child.map(|child| child.value());
    }
    Some(Annotation::path(names))
}
