//! Lifting: a context file as the CRDTs see it. A pure function of the file: stamps count where their digests fit, what
//! is mangled says nothing, and what has no structure is one leaf.

use super::births::birth;
use super::own::{Own, Role};
use super::placing::{is_ours, name_of};
use super::records::identity_field;
use super::value::{is_null, normal};
use super::{Annotation, Conflicts, Lost, StampedValue, digest};
use crate::crdt::{Atom, Document, Loser, Map, Node, Path, Record, Stamps};
use crate::yaml::{self, Kind, NodeRef, Scalar};

/// Lifts a file. A file whose root is no mapping holds a single entry without a name.
#[must_use]
pub fn lift(file: &yaml::Document) -> Document {
    let mut lifting = Lifting::default();
    let Some(root) = file.root() else {
        return lifting.document;
    };
    let holder = Holder::of(root, Role::Root, Path::default());
    match root.kind() {
        Kind::Mapping if root.is_structured() => {
            lifting.document.root =
                lifting.entries(root, &Path::default(), &holder, &mut Vec::new());
            lifting.keep(&holder);
        }
        _ => {
            let node = lifting.node(
                root,
                &Path::default().entry(""),
                &holder,
                &mut vec![String::new()],
            );
            lifting
                .document
                .root
                .extend(node.map(|node| (String::new(), node)));
        }
    }
    lifting.document
}

/// The document so far.
#[derive(Default)]
struct Lifting {
    document: Document,
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

    /// The stamps beside a value: those that belong to it, and those of what was typed over.
    fn stamps(&self, names: &[String], node: NodeRef<'_>) -> (Stamps, Stamps) {
        let leaf = Annotation::path(names.iter().map(String::as_str));
        let digest = digest(node);
        let beside = self.annotation.leaves.get(&leaf).into_iter().flatten();
        let (fitting, others): (Vec<_>, Vec<_>) =
            beside.partition(|stamped| stamped.digest == digest);
        let stamps =
            |stamped: Vec<&StampedValue>| stamped.into_iter().map(|one| one.stamp).collect();
        (stamps(fitting), stamps(others))
    }
}

impl Lifting {
    /// The stamps of a value.
    fn stamps(
        &mut self,
        at: &Path,
        holder: &Holder,
        names: &[String],
        node: NodeRef<'_>,
    ) -> Stamps {
        let (stamps, others) = holder.stamps(names, node);
        if stamps.is_empty() && !others.is_empty() {
            self.document.typed_over.insert(at.clone(), others);
        }
        stamps
    }

    fn keep(&mut self, holder: &Holder) {
        for (stamp, superseded) in &holder.annotation.superseded {
            self.document
                .superseded
                .entry(*stamp)
                .or_default()
                .extend(superseded);
        }
        for (loser, stamp) in holder.conflicts.iter() {
            let names = Annotation::names(&loser.leaf);
            let at = names
                .iter()
                .fold(holder.at.clone(), |at, name| at.entry(name));
            let value = match &loser.lost {
                Lost::Deletion => None,
                Lost::Value(canonical) => Some(Atom::new(canonical.clone())),
            };
            self.document
                .losers
                .insert(Loser { at, value }, stamp.into_iter().collect());
        }
    }

    fn entries(
        &mut self,
        mapping: NodeRef<'_>,
        at: &Path,
        holder: &Holder,
        names: &mut Vec<String>,
    ) -> Map {
        let mut map = Map::new();
        for entry in mapping.entries() {
            let Some(name) = name_of(entry).filter(|_| !(names.is_empty() && is_ours(entry)))
            else {
                continue;
            };
            let at = at.entry(&name);
            names.push(name.into_owned());
            let node = self.node(entry.value(), &at, holder, names);
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
        at: &Path,
        holder: &Holder,
        names: &mut Vec<String>,
    ) -> Option<Node> {
        let structured = node.is_structured() && node.tag().is_none() && node.anchor().is_none();
        match node.kind() {
            Kind::Mapping if structured && !node.is_empty() => {
                Some(Node::Map(self.entries(node, at, holder, names)))
            }
            Kind::Sequence if structured => Some(match identity_field(std::iter::once(node)) {
                Some(field) => Node::Set(self.records(node, field, at, holder, names)),
                None => {
                    let members = node.entries().map(|entry| atom(entry.value()));
                    Node::List(members.collect(), self.stamps(at, holder, names, node))
                }
            }),
            _ if is_null(node) => None,
            _ => Some(Node::Register(
                atom(node),
                self.stamps(at, holder, names, node),
            )),
        }
    }

    fn records(
        &mut self,
        list: NodeRef<'_>,
        field: &str,
        at: &Path,
        around: &Holder,
        names: &mut Vec<String>,
    ) -> Vec<Record> {
        let mut records = Vec::with_capacity(list.len());
        for entry in list.entries() {
            let node = entry.value();
            let Some(name) = node.get(field).map(|entry| atom(entry.value())) else {
                continue;
            };
            let mut record = Record {
                name,
                birth: birth(node),
                fields: Map::new(),
            };
            let at = at.record(&record);
            record.fields = if Role::of_member(node).is_holder() {
                let own = Holder::of(node, Role::Record, at.clone());
                self.keep(&own);
                self.entries(node, &at, &own, &mut Vec::new())
            } else {
                names.push(record.name.said().to_owned());
                let fields = self.entries(node, &at, around, names);
                names.pop();
                fields
            };
            record.fields.remove(field);
            records.push(record);
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
