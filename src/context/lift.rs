//! Lifting: a context file as the CRDTs see it. A pure function of the file: stamps count where their digests fit, what
//! is mangled says nothing, and what has no structure is one leaf.

use super::births::birth;
use super::own::{Own, Role};
use super::placing::{is_ours, name_of};
use super::records::identity_field;
use super::value::{is_null, normal};
use super::{Annotation, Conflicts, Lost, StampedValue, digest};
use crate::crdt::{Amounts, Atom, Document, Loser, Map, Node, Path, Record, Stamps, Step};
use crate::yaml::{self, Kind, NodeRef, Scalar};

/// Lifts a file. A file whose root is no mapping holds a single entry without a name.
#[must_use]
pub fn lift(file: &yaml::Document) -> Document {
    lift_but(file, &mut |_, _| Vec::new())
}

/// Lifts a file but for some records of its lists: `omitted` tells of a list, by its place, which of its members are left
/// out; those behind the last that it tells of are not.
pub(crate) fn lift_but(
    file: &yaml::Document,
    omitted: &mut dyn FnMut(&Path, NodeRef<'_>) -> Vec<bool>,
) -> Document {
    let mut lifting = Lifting::new(omitted);
    let Some(root) = file.root() else {
        return lifting.document;
    };
    let holder = Holder::of(root, Role::Root);
    match root.kind() {
        Kind::Mapping if root.is_structured() => {
            lifting.document.root = lifting.entries(root, &holder, &mut Vec::new());
            lifting.keep(&holder);
        }
        _ => {
            lifting.at.push(Step::Entry(String::new()));
            let node = lifting.node(root, &holder, &mut vec![String::new()]);
            lifting
                .document
                .root
                .extend(node.map(|node| (String::new(), node)));
        }
    }
    lifting.document
}

/// A value as the CRDTs see it, without stamps; nothing for one that is absent.
pub(crate) fn lift_value(node: NodeRef<'_>) -> Option<Node> {
    let omitted = &mut |_: &Path, _: NodeRef<'_>| Vec::new();
    let mut lifting = Lifting::new(omitted);
    lifting.node(node, &Holder::default(), &mut vec![String::new()])
}

/// The fields of a record, that which tells it apart among them, without stamps.
pub(crate) fn lift_fields(record: NodeRef<'_>) -> Map {
    let omitted = &mut |_: &Path, _: NodeRef<'_>| Vec::new();
    let mut lifting = Lifting::new(omitted);
    let mut names = match Role::of_member(record).is_holder() {
        true => Vec::new(),
        false => vec![String::new()],
    };
    lifting.entries(record, &Holder::default(), &mut names)
}

/// The document so far.
struct Lifting<'o> {
    document: Document,
    /// Where it has come to.
    at: Path,
    /// Which members of a list are left out.
    omitted: &'o mut dyn FnMut(&Path, NodeRef<'_>) -> Vec<bool>,
}

/// The mapping whose annotation tells of a leaf.
#[derive(Default)]
struct Holder {
    annotation: Annotation,
    conflicts: Conflicts,
}

impl Holder {
    fn of(node: NodeRef<'_>, role: Role) -> Self {
        let own = Own::of(node, role);
        Self {
            annotation: own.annotation,
            conflicts: own.conflicts,
        }
    }

    /// The stamps beside a value: those that belong to it, and those of what was typed over.
    fn stamps(&self, names: &[String], node: NodeRef<'_>) -> (Stamps, Stamps) {
        if self.annotation.leaves.is_empty() {
            return (Stamps::new(), Stamps::new());
        }
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

impl Holder {
    /// What edits added to a number.
    fn amounts(&self, names: &[String], node: NodeRef<'_>) -> Option<&Amounts> {
        if self.annotation.amounts.is_empty() || number(node).is_none() {
            return None;
        }
        let leaf = Annotation::path(names.iter().map(String::as_str));
        self.annotation.amounts.get(&leaf)
    }
}

impl<'o> Lifting<'o> {
    fn new(omitted: &'o mut dyn FnMut(&Path, NodeRef<'_>) -> Vec<bool>) -> Self {
        Self {
            document: Document::default(),
            at: Path::default(),
            omitted,
        }
    }

    /// The stamps of a value where it has come to.
    fn stamps(&mut self, holder: &Holder, names: &[String], node: NodeRef<'_>) -> Stamps {
        let (mut stamps, others) = holder.stamps(names, node);
        if let Some(amounts) = holder.amounts(names, node) {
            stamps.extend(amounts.keys());
            let at = self.place(names, node).as_born();
            self.document.amounts.insert(at, amounts.clone());
        }
        if stamps.is_empty() && !others.is_empty() {
            let at = self.place(names, node);
            self.document.typed_over.insert(at, others);
        }
        stamps
    }

    /// Where a value stands: what is nested has a place already.
    fn place(&self, names: &[String], node: NodeRef<'_>) -> Path {
        match names.last().filter(|_| !node.is_collection()) {
            Some(name) => self.at.entry(name),
            None => self.at.clone(),
        }
    }

    /// Keeps what the root or record where it has come to says beside its stamps.
    fn keep(&mut self, holder: &Holder) {
        for (stamp, superseded) in &holder.annotation.superseded {
            let places = self.document.superseded.entry(*stamp).or_default();
            places
                .entry(self.at.as_born())
                .or_default()
                .union(superseded);
        }
        for (loser, stamp) in holder.conflicts.iter() {
            let names = Annotation::names(&loser.leaf);
            let at = names
                .iter()
                .fold(self.at.clone(), |at, name| at.entry(name));
            let value = match &loser.lost {
                Lost::Deletion => None,
                Lost::Value(canonical) => Some(Atom::new(canonical.clone())),
            };
            self.document
                .losers
                .insert(Loser { at, value }, stamp.into_iter().collect());
        }
    }

    fn entries(&mut self, mapping: NodeRef<'_>, holder: &Holder, names: &mut Vec<String>) -> Map {
        let mut map = Map::new();
        for entry in mapping.entries() {
            let Some(name) = name_of(entry).filter(|_| !(names.is_empty() && is_ours(entry)))
            else {
                continue;
            };
            let value = entry.value();
            // Only what is nested has places of its own.
            let nests = value.is_collection();
            if nests {
                self.at.push(Step::Entry(name.clone().into_owned()));
            }
            names.push(name.into_owned());
            let node = self.node(value, holder, names);
            if nests {
                self.at.pop();
            }
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
                Some(field) => Node::Set(self.records(node, field, holder, names).into()),
                None => {
                    let members = node.entries().map(|entry| atom(entry.value()));
                    Node::List(members.collect(), self.stamps(holder, names, node))
                }
            }),
            _ if is_null(node) => None,
            _ => Some(Node::Register(atom(node), self.stamps(holder, names, node))),
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
        let omitted = (self.omitted)(&self.at, list);
        for (index, entry) in list.entries().enumerate() {
            if omitted.get(index) == Some(&true) {
                continue;
            }
            let node = entry.value();
            let Some(name) = node.get(field).map(|entry| atom(entry.value())) else {
                continue;
            };
            let mut record = Record {
                name,
                birth: birth(node),
                fields: Map::new(),
            };
            let digest = record.birth.digest;
            self.at.push(Step::Record(record.name.clone(), digest));
            record.fields = if Role::of_member(node).is_holder() {
                let own = Holder::of(node, Role::Record);
                self.keep(&own);
                self.entries(node, &own, &mut Vec::new())
            } else {
                names.push(record.name.said().to_owned());
                let fields = self.entries(node, around, names);
                names.pop();
                fields
            };
            self.at.pop();
            record.fields.remove(field);
            records.push(record);
        }
        records
    }
}

/// The number that a value is, if it is one that a counter can hold.
pub(crate) fn number(node: NodeRef<'_>) -> Option<i64> {
    match node.scalar() {
        Some(Scalar::Int(number)) if node.anchor().is_none() => i64::try_from(number).ok(),
        _ => None,
    }
}

pub(crate) fn atom(node: NodeRef<'_>) -> Atom {
    let canonical = normal(node);
    match node.scalar() {
        Some(Scalar::Str(text)) if node.anchor().is_none() => {
            Atom::text(canonical, text.into_owned())
        }
        _ => Atom::new(canonical),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::Limits;

    #[test]
    fn stamps_beside_other_values_tell_what_was_typed_over() {
        let text = "_crdt: v1 | 4k2m9xa7-7f3kqd name~000 list~000\nname: a\nlist: [x]\ntodos:\n  \
                    - id: a\n    _crdt: 4k2m9xa8-7f3kqd status~000\n    status: b\n";
        let file = yaml::Document::from_text(text.to_owned(), &Limits::default()).unwrap();
        let lifted = lift(&file);
        let places: Vec<String> = lifted.typed_over.keys().map(Path::to_string).collect();
        assert_eq!(places, ["list", "name", "todos/a/status"]);
    }
}
