//! What is contested in a document, and what it was before.

use super::Choice;
use crate::context::own::{Own, Role, is_free};
use crate::context::records::{identity_field, may_carry};
use crate::context::value::said;
use crate::context::{Annotation, Lost, digest, leaves, placing};
use crate::crdt::Stamp;
use crate::yaml::{Document, EntryRef, Kind, NodeRef};

/// A leaf, or a whole record, with values that lost there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contest {
    /// The record and the leaf: `todos/a/status`.
    pub field: String,
    /// The leaf as annotations name it; empty for the record as a whole.
    pub(super) leaf: String,
    /// Which of the document's roots and records it is in.
    holder: usize,
    /// The names that lead to that.
    names: Vec<String>,
    /// The canonical text of the value that is shown, and its stamp.
    pub winner: (Option<String>, Option<Stamp>),
    /// What lost, in order.
    pub losers: Vec<(Lost, Option<Stamp>)>,
}

/// The open conflicts of a document, in the order of the file.
#[must_use]
pub fn contests(document: &Document) -> Vec<Contest> {
    let mut contests: Vec<Contest> = Vec::new();
    for (holder, Holder { node, role, names }) in holders(document).into_iter().enumerate() {
        let own = Own::of(node, role);
        for (loser, stamp) in own.conflicts.iter() {
            let lost = (loser.lost.clone(), stamp);
            match contests.last_mut() {
                Some(last) if last.holder == holder && last.leaf == loser.leaf => {
                    last.losers.push(lost)
                }
                _ => contests.push(Contest {
                    field: shown(&names, &loser.leaf),
                    names: names.clone(),
                    leaf: loser.leaf.clone(),
                    holder,
                    winner: winner(node, &own.annotation, &loser.leaf),
                    losers: vec![lost],
                }),
            }
        }
    }
    contests
}

impl Contest {
    /// Whether a whole record is contested, and not a leaf of it.
    #[must_use]
    pub fn is_of_a_record(&self) -> bool {
        self.leaf.is_empty()
    }

    /// Whether it is about this leaf of a root or record, or about one inside it.
    pub(in crate::context) fn is_about(
        &self,
        document: &Document,
        holder: NodeRef<'_>,
        leaf: &str,
    ) -> bool {
        let inside = self.leaf.strip_prefix(leaf);
        let is_inside = inside.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let is_here = || self.holder_in(document).map(|holder| holder.node) == Some(holder);
        !leaf.is_empty() && is_inside && is_here()
    }

    /// The record or root that it is about.
    pub(super) fn holder_in<'d>(&self, document: &'d Document) -> Option<Holder<'d>> {
        holders(document).into_iter().nth(self.holder)
    }

    /// The same root or record in another version of the document.
    pub(super) fn holder_like<'d>(&self, document: &'d Document) -> Option<Holder<'d>> {
        holders(document)
            .into_iter()
            .find(|holder| holder.names == self.names)
    }

    /// What stands here in another version of the document; nothing if it is contested there, too.
    #[must_use]
    pub fn in_version(&self, document: &Document) -> Option<Lost> {
        let is_open = contests(document)
            .iter()
            .any(|other| other.field == self.field);
        if is_open {
            return None;
        }
        let value = self
            .holder_like(document)
            .and_then(|holder| match self.leaf.as_str() {
                "" => Some(said(holder.node)),
                leaf => at(holder.node, leaf).map(|entry| said(entry.value())),
            });
        Some(value.map_or(Lost::Deletion, Lost::Value))
    }

    /// The choice that brings `value` back; nothing if it is not among those that are open.
    #[must_use]
    pub fn choice_of(&self, value: &Lost) -> Option<Choice> {
        let wins = match &self.winner.0 {
            _ if self.is_of_a_record() => *value != Lost::Deletion,
            Some(winner) => *value == Lost::Value(winner.clone()),
            None => *value == Lost::Deletion,
        };
        if wins {
            return Some(Choice::Winner);
        }
        let index = self.losers.iter().position(|(lost, _)| lost == value)?;
        Some(Choice::Loser(index))
    }

    /// The choice that is left when `value` is not wanted: the winner, or the latest of those that lost against it.
    /// Nothing if `value` is not among those that are open.
    #[must_use]
    pub fn choice_against(&self, value: &Lost) -> Option<Choice> {
        if self.choice_of(value)? != Choice::Winner {
            return Some(Choice::Winner);
        }
        let losers = self.losers.iter().enumerate();
        let (index, _) = losers.max_by_key(|(_, (_, stamp))| *stamp)?;
        Some(Choice::Loser(index))
    }
}

/// A root or record that may carry annotations.
pub(super) struct Holder<'d> {
    pub(super) node: NodeRef<'d>,
    pub(super) role: Role,
    names: Vec<String>,
}

fn holders(document: &Document) -> Vec<Holder<'_>> {
    let mut found = Vec::new();
    if let Some(root) = document.root() {
        collect(root, Role::Root, &mut Vec::new(), &mut found);
    }
    found
}

fn collect<'d>(
    node: NodeRef<'d>,
    role: Role,
    names: &mut Vec<String>,
    found: &mut Vec<Holder<'d>>,
) {
    let carries = node.kind() == Kind::Mapping && (role == Role::Root || role == Role::Record);
    if carries && may_carry(node) && is_free(node, role) {
        found.push(Holder {
            node,
            role,
            names: names.clone(),
        });
    }
    let field = identity_field(std::iter::once(node));
    for (index, entry) in node.entries().enumerate() {
        let value = entry.value();
        if !value.is_collection() {
            continue;
        }
        let is_member = node.kind() == Kind::Sequence;
        let identity = field
            .and_then(|field| value.get(field))
            .map(|entry| entry.value().text().into_owned());
        let name = placing::name_of(entry).map(|name| name.into_owned());
        names.push(name.or(identity).unwrap_or_else(|| index.to_string()));
        let role = if is_member { Role::Record } else { Role::Inner };
        collect(value, role, names, found);
        names.pop();
    }
}

fn shown(names: &[String], leaf: &str) -> String {
    let mut parts = names.to_vec();
    parts.extend(Annotation::names(leaf));
    parts.join("/")
}

/// The entry of a leaf, where it is there.
pub(super) fn at<'d>(holder: NodeRef<'d>, leaf: &str) -> Option<EntryRef<'d>> {
    leaves::at(holder, &Annotation::names(leaf))
}

fn winner(
    holder: NodeRef<'_>,
    annotation: &Annotation,
    leaf: &str,
) -> (Option<String>, Option<Stamp>) {
    match at(holder, leaf) {
        None if leaf.is_empty() => (Some(said(holder)), annotation.named().max()),
        None => (None, None),
        Some(entry) => {
            let value = entry.value();
            (
                Some(said(value)),
                annotation.fitting(leaf, digest(value)).max(),
            )
        }
    }
}
