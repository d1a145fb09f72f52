//! The leaves of a root or record: how they are named, and in what they differ from HEAD's.
//!
//! A leaf is a value that changes as a whole: a scalar, or a list whose members nothing tells apart. The leaves of nested
//! mappings belong to the record around them and are named by their path, and so are those of a record that may carry no
//! annotation: `todos.a.status`.

use super::own::Role;
use super::placing::{self, name_of};
use super::records::{identity_field, member};
use super::{Annotation, Birth, GROUPS, births, digest, matching, same_entry};
use crate::crdt::Digest;
use crate::yaml::{EntryRef, Kind, NodeRef};

/// A leaf of the work tree's version.
pub(crate) struct Leaf {
    /// Its name in annotations.
    pub(crate) path: String,
    /// The digest of its value.
    pub(crate) digest: Digest,
    /// Whether its value is another than HEAD's.
    pub(crate) differs: bool,
    /// Its own name, where it stands in the record itself.
    pub(crate) field: Option<String>,
    /// Where its value begins in the file.
    pub(crate) start: u32,
}

impl Leaf {
    fn of(value: NodeRef<'_>, old: Option<NodeRef<'_>>, names: &[String]) -> Self {
        Self {
            path: Annotation::path(names.iter().map(String::as_str)),
            digest: digest(value),
            differs: !same_entry(Some(value), old),
            field: match names {
                [name] => Some(name.clone()),
                _ => None,
            },
            start: value.data().span.start,
        }
    }

    /// Which of the [`GROUPS`] it moves with.
    pub(crate) fn group(&self) -> Option<usize> {
        let field = self.field.as_deref()?;
        GROUPS.iter().position(|group| group.contains(&field))
    }
}

/// A record of the work tree.
pub(crate) struct Record<'w, 'h> {
    pub(crate) node: NodeRef<'w>,
    /// HEAD's version of it.
    pub(crate) old: Option<NodeRef<'h>>,
    /// Whether its annotation is another record's: it was written by copying that one.
    pub(crate) copied: bool,
}

impl<'w> Record<'w, '_> {
    fn alone(entry: EntryRef<'w>) -> Self {
        Self {
            node: entry.value(),
            old: None,
            copied: false,
        }
    }
}

/// What a root or record holds: leaves of its own, and records that speak for themselves.
#[derive(Default)]
pub(crate) struct Held<'w, 'h> {
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) records: Vec<Record<'w, 'h>>,
    /// The bytes of what it holds, its records not counted.
    pub(crate) bytes: usize,
    /// Whether its leaves alone are wanted.
    leaves_alone: bool,
}

impl<'w, 'h> Held<'w, 'h> {
    /// What `work` holds, compared with HEAD's version of it.
    pub(crate) fn of(work: NodeRef<'w>, head: Option<NodeRef<'h>>) -> Self {
        Self::default().filled(work, head)
    }

    /// What `work` holds itself: without its records, and compared with nothing.
    pub(super) fn leaves_of(work: NodeRef<'w>) -> Self {
        let held = Self {
            leaves_alone: true,
            ..Self::default()
        };
        held.filled(work, None)
    }

    fn filled(mut self, work: NodeRef<'w>, head: Option<NodeRef<'h>>) -> Self {
        let held = &mut self;
        let mut names = Vec::new();
        match shape(work, head) {
            Shape::Mapping => held.mapping(work, head, &mut names),
            Shape::Records(field) => held.list(work, head, field, &mut names),
            Shape::Leaf => {}
        }
        self
    }

    fn mapping(&mut self, work: NodeRef<'w>, head: Option<NodeRef<'h>>, names: &mut Vec<String>) {
        for entry in work.entries() {
            let Some(name) = name_of(entry) else { continue };
            if names.is_empty() && placing::is_ours(entry) {
                continue;
            }
            let value = entry.value();
            let old = head.and_then(|head| head.get(&name)).map(EntryRef::value);
            names.push(name.into_owned());
            let shape = shape(value, old);
            if names.len() == 1 && !matches!(shape, Shape::Records(_)) {
                self.bytes += entry.raw().len();
            }
            match shape {
                Shape::Mapping => {
                    let old = old.filter(|old| is_map(*old));
                    if !value.is_empty() {
                        self.mapping(value, old, names);
                    } else if old.is_none() {
                        self.leaves.push(Leaf::of(value, None, names));
                    }
                }
                Shape::Records(field) => self.list(value, old, field, names),
                Shape::Leaf => self.leaves.push(Leaf::of(value, old, names)),
            }
            names.pop();
        }
    }

    /// The records of a list. The leaves of one that carries nothing belong to the mapping around it.
    fn list(
        &mut self,
        work: NodeRef<'w>,
        head: Option<NodeRef<'h>>,
        field: &str,
        names: &mut Vec<String>,
    ) {
        let head = head.filter(|head| head.kind() == Kind::Sequence);
        let records = match self.leaves_alone {
            false => records(work, head, field),
            true => work.entries().map(Record::alone).collect(),
        };
        for record in records {
            if Role::of_member(record.node).is_holder() {
                self.records.push(record);
            } else if let Some(entry) = record.node.get(field) {
                names.push(entry.value().text().into_owned());
                self.mapping(record.node, record.old, names);
                names.pop();
            }
        }
    }
}

/// What a value is to the CRDT.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A mapping, merged entry by entry.
    Mapping,
    /// A list of records with the field that tells them apart.
    Records(&'static str),
    /// A value that changes as a whole.
    Leaf,
}

fn shape(value: NodeRef<'_>, old: Option<NodeRef<'_>>) -> Shape {
    if is_map(value) {
        return Shape::Mapping;
    }
    let old = old.filter(|old| old.kind() == Kind::Sequence);
    let versions = [Some(value), old].into_iter().flatten();
    identity_field(versions).map_or(Shape::Leaf, Shape::Records)
}

pub(super) fn is_map(value: NodeRef<'_>) -> bool {
    value.kind() == Kind::Mapping && value.is_structured() && value.tag().is_none()
}

/// The records of a list, each with HEAD's version of it.
fn records<'w, 'h>(
    work: NodeRef<'w>,
    head: Option<NodeRef<'h>>,
    field: &str,
) -> Vec<Record<'w, 'h>> {
    let [before, now] = matching::numbered([head, Some(work)], field);
    let mut olds: Vec<Option<NodeRef<'h>>> = vec![None; before.len()];
    for (entry, number) in head.into_iter().flat_map(NodeRef::entries).zip(before) {
        olds[number as usize] = Some(entry.value());
    }
    let old = |number: u32| olds.get(number as usize).copied().flatten();
    let copied = copies(work, head);
    let members = work.entries().map(EntryRef::value).zip(now).zip(copied);
    members
        .map(|((node, number), copied)| {
            let old = old(number);
            Record {
                node,
                old,
                copied: copied && old.is_none(),
            }
        })
        .collect()
}

/// For each record of the work tree whether its birth is that of another record: HEAD's, or one that it was copied
/// from, which still has the name that it was born with, or else stands before it.
fn copies(work: NodeRef<'_>, head: Option<NodeRef<'_>>) -> Vec<bool> {
    let birth = |record: NodeRef<'_>| births::written(record).filter(|birth| birth.stamp.is_some());
    let entries = head.into_iter().flat_map(NodeRef::entries);
    let in_head: rustc_hash::FxHashSet<Birth> =
        entries.filter_map(|entry| birth(entry.value())).collect();
    let mut owners: rustc_hash::FxHashMap<Birth, (bool, usize)> = Default::default();
    let found: Vec<Option<Birth>> = work.entries().map(|entry| birth(entry.value())).collect();
    for (index, (entry, birth)) in work.entries().zip(&found).enumerate() {
        let Some(birth) = birth else { continue };
        let fits = birth.digest == births::defining(entry.value());
        let owner = owners.entry(*birth).or_insert((fits, index));
        if fits && !owner.0 {
            *owner = (fits, index);
        }
    }
    let is_copy = |(index, birth): (usize, &Option<Birth>)| {
        birth.is_some_and(|birth| {
            in_head.contains(&birth) || owners.get(&birth).is_some_and(|owner| owner.1 != index)
        })
    };
    found.iter().enumerate().map(is_copy).collect()
}

/// The leaves that stand for what a name leads to: those of the mapping that is there, else the one so called.
pub(super) fn at_or_below(holder: NodeRef<'_>, leaf: &str) -> Vec<String> {
    let mut paths: Vec<String> = Held::of(holder, None)
        .leaves
        .into_iter()
        .map(|leaf| leaf.path)
        .filter(|path| is_at_or_below(path, leaf))
        .collect();
    if paths.is_empty() {
        paths.push(leaf.to_owned());
    }
    paths
}

/// Whether a leaf is the one called `above`, or one in the mapping of that name.
pub(super) fn is_at_or_below(leaf: &str, above: &str) -> bool {
    Annotation::names(leaf).starts_with(&Annotation::names(above))
}

/// The entry that a leaf's name leads to in a root or record.
pub(crate) fn at<'d>(holder: NodeRef<'d>, names: &[String]) -> Option<EntryRef<'d>> {
    let (last, above) = names.split_last()?;
    above
        .iter()
        .try_fold(holder, |node, name| child(node, name).map(EntryRef::value))
        .and_then(|node| child(node, last))
}

/// What one of the names in a leaf's path leads to: the entry of a mapping, or the record of a list.
fn child<'d>(node: NodeRef<'d>, name: &str) -> Option<EntryRef<'d>> {
    match node.kind() {
        Kind::Sequence => member(node, name),
        _ => node.get(name),
    }
}
