//! Lifting: a context file as the CRDTs see it. A pure function of the file: stamps count where their digests fit, what
//! is mangled says nothing, and what has no structure is one leaf.

use std::collections::{BTreeMap, BTreeSet};

use super::births::birth;
use super::own::{Own, Role};
use super::placing::{is_ours, name_of};
use super::records::{identity, identity_field};
use super::value::normal;
use super::{Annotation, Conflicts, Lost, digest};
use crate::crdt::{self, Atom, Loser, Map, Node, Path, Record, Stamp};
use crate::yaml::{self, Kind, NodeRef, Scalar};

/// A file as the CRDTs see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lifted {
    /// What it holds and what lost in it.
    pub document: crdt::Document,
    /// For an edit the stamps that it superseded and that were in no commit then.
    pub superseded: BTreeMap<Stamp, BTreeSet<Stamp>>,
}

/// Lifts a file. A file whose root is no mapping holds a single entry without a name.
#[must_use]
pub fn lift(file: &yaml::Document) -> Lifted {
    let mut lifting = Lifted::default();
    let Some(root) = file.root() else {
        return lifting;
    };
    let holder = Holder::of(root, Role::Root, Path::default());
    match root.kind() {
        Kind::Mapping if root.is_structured() => {
            lifting.document.root = lifting.entries(root, &holder, &mut Vec::new());
            lifting.keep(&holder);
        }
        _ => {
            let node = lifting.node(root, &holder, &mut vec![String::new()]);
            lifting
                .document
                .root
                .extend(node.map(|node| (String::new(), node)));
        }
    }
    lifting
}

/// The mapping whose annotation tells of a leaf.
struct Holder {
    annotation: Annotation,
    conflicts: Conflicts,
    at: Path,
}

impl Holder {
    fn of(node: NodeRef<'_>, role: Role, at: Path) -> Self {
        let own = Own::of(node, role);
        Self {
            annotation: own.annotation,
            conflicts: own.conflicts,
            at,
        }
    }

    fn stamp(&self, names: &[String], node: NodeRef<'_>) -> Option<Stamp> {
        let leaf = Annotation::path(names.iter().map(String::as_str));
        self.annotation.fitting(&leaf, digest(node)).max()
    }
}

impl Lifted {
    fn keep(&mut self, holder: &Holder) {
        for (stamp, superseded) in &holder.annotation.superseded {
            self.superseded
                .entry(*stamp)
                .or_default()
                .extend(superseded);
        }
        for (loser, _) in holder.conflicts.iter() {
            let names = Annotation::names(&loser.leaf);
            let at = names
                .iter()
                .fold(holder.at.clone(), |at, name| at.join(name));
            let value = match &loser.lost {
                Lost::Deletion => None,
                Lost::Value(canonical) => Some(Atom::new(canonical.clone())),
            };
            self.document.losers.insert(Loser { at, value });
        }
    }

    fn entries(&mut self, mapping: NodeRef<'_>, holder: &Holder, names: &mut Vec<String>) -> Map {
        let mut map = Map::new();
        for entry in mapping.entries() {
            let Some(name) = name_of(entry).filter(|_| !(names.is_empty() && is_ours(entry)))
            else {
                continue;
            };
            names.push(name.into_owned());
            let node = self.node(entry.value(), holder, names);
            if let Some((name, node)) = names.pop().zip(node) {
                map.insert(name, node);
            }
        }
        map
    }

    /// A value; nothing for one that is absent: other tools write that as null.
    fn node(
        &mut self,
        node: NodeRef<'_>,
        holder: &Holder,
        names: &mut Vec<String>,
    ) -> Option<Node> {
        let structured = node.is_structured() && node.tag().is_none() && node.anchor().is_none();
        match node.kind() {
            Kind::Mapping if structured && !node.is_empty() => {
                Some(Node::Map(self.entries(node, holder, names)))
            }
            Kind::Sequence if structured => Some(match identity_field(std::iter::once(node)) {
                Some(field) => Node::Set(self.records(node, field, holder, names)),
                None => {
                    let members = node.entries().map(|entry| atom(entry.value()));
                    Node::List(members.collect(), holder.stamp(names, node))
                }
            }),
            _ if matches!(node.scalar(), Some(Scalar::Null)) => None,
            _ => Some(Node::Register(atom(node), holder.stamp(names, node))),
        }
    }

    fn records(
        &mut self,
        list: NodeRef<'_>,
        field: &str,
        around: &Holder,
        names: &mut Vec<String>,
    ) -> Vec<Record> {
        let mut records = Vec::with_capacity(list.len());
        for entry in list.entries() {
            let record = entry.value();
            let Some(name) = record
                .get(field)
                .filter(|_| identity(record, field).is_some())
            else {
                continue;
            };
            let name = atom(name.value());
            let mut fields = if Role::of_member(record).is_holder() {
                let at = names
                    .iter()
                    .fold(around.at.clone(), |at, name| at.join(name));
                let own = Holder::of(record, Role::Record, at.join(name.canonical()));
                let fields = self.entries(record, &own, &mut Vec::new());
                self.keep(&own);
                fields
            } else {
                names.push(name.said().to_owned());
                let fields = self.entries(record, around, names);
                names.pop();
                fields
            };
            fields.remove(field);
            records.push(Record {
                name,
                birth: birth(record),
                fields,
            });
        }
        records
    }
}

fn atom(node: NodeRef<'_>) -> Atom {
    let canonical = normal(node);
    match node.scalar() {
        Some(Scalar::Str(text)) if node.anchor().is_none() => {
            Atom::text(canonical, text.into_owned())
        }
        _ => Atom::new(canonical),
    }
}
