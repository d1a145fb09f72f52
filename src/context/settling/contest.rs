//! What is contested in a document, and what it was before.

use super::Choice;
use crate::context::births::{birth, original_identity};
use crate::context::conflicts::plain_text;
use crate::context::own::{Own, Role, is_free};
use crate::context::records::{identity_field, may_carry, member};
use crate::context::value::said;
use crate::context::{Annotation, GROUPS, Loser, Lost, digest, leaves, placing};
use crate::crdt::{Stamp, split_second_name};
use crate::yaml::{Document, EntryRef, Kind, NodeRef, Scalar, double_quoted};

/// What is disagreed about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Matter {
    /// The value of a leaf.
    Value,
    /// A text of several lines, of which both changed the same ones.
    Text,
    /// Whether a leaf or a record is there at all.
    Deletion,
    /// The name of a record: two were born under it, and one goes by a second name.
    Name,
    /// A value that does not fit the type of its place: it stands in the file and is recorded by nobody.
    Misfit {
        /// What is the matter, and what to do.
        why: String,
    },
}

/// A leaf, or a whole record, with values that lost there; or a record whose name another one has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contest {
    /// What it is about.
    pub matter: Matter,
    /// The record and the leaf: `todos/a/status`.
    pub field: String,
    /// The leaf as annotations name it; empty for the record as a whole.
    pub(super) leaf: String,
    /// Which of the document's roots and records it is in.
    pub(super) holder: usize,
    /// The names that lead to that.
    pub(super) names: Vec<String>,
    /// The canonical text of the value that is shown, and its stamp.
    pub winner: (Option<String>, Option<Stamp>),
    /// What lost, in order.
    pub losers: Vec<(Lost, Option<Stamp>)>,
}

/// The open conflicts of a document, in the order of the file.
#[must_use]
pub fn contests(document: &Document) -> Vec<Contest> {
    let mut contests: Vec<Contest> = Vec::new();
    for (number, holder) in holders(document).into_iter().enumerate() {
        let Holder {
            node, role, names, ..
        } = &holder;
        let own = Own::of(*node, *role);
        let of_holder = contests.len();
        contests.extend(holder.contested_name(number, &own));
        for (loser, stamp) in own.conflicts.iter() {
            if holder.is_kept_name(loser) {
                continue;
            }
            let lost = (loser.lost.clone(), stamp);
            let mut known = contests[of_holder..].iter_mut();
            let known =
                known.find(|known| known.leaf == loser.leaf && known.matter != Matter::Name);
            match known {
                Some(known) => known.losers.push(lost),
                None => contests.push(Contest {
                    matter: Matter::Value,
                    field: shown(names, &loser.leaf),
                    names: names.clone(),
                    leaf: loser.leaf.clone(),
                    holder: number,
                    winner: winner(*node, &own.annotation, &loser.leaf),
                    losers: vec![lost],
                }),
            }
        }
        for contest in &mut contests[of_holder..] {
            contest.matter = contest.matter_of_values();
        }
        as_groups_go(&mut contests[of_holder..]);
    }
    contests
}

/// Puts the contests about fields that change together in the order of their group: what they are asked about is the first.
fn as_groups_go(contests: &mut [Contest]) {
    for group in GROUPS {
        let place = |contest: &Contest| group.iter().position(|name| *name == contest.leaf);
        let at = contests.iter().enumerate();
        let at: Vec<usize> = at
            .filter(|(_, contest)| place(contest).is_some())
            .map(|(at, _)| at)
            .collect();
        let mut members: Vec<Contest> = at.iter().map(|at| contests[*at].clone()).collect();
        members.sort_by_key(place);
        for (at, member) in at.into_iter().zip(members) {
            contests[at] = member;
        }
    }
}

impl Contest {
    /// What it is about, as far as the values tell.
    fn matter_of_values(&self) -> Matter {
        let mut losers = self.losers.iter().map(|(lost, _)| lost);
        if self.matter == Matter::Name {
            return Matter::Name;
        }
        if losers.clone().any(|lost| *lost == Lost::Deletion) {
            return Matter::Deletion;
        }
        let has_lines = |lost: &Lost| matches!(lost, Lost::Value(value) if is_text_of_lines(value));
        let winner = self.winner.0.as_deref();
        match winner.is_some_and(is_text_of_lines) && losers.any(has_lines) {
            true => Matter::Text,
            false => Matter::Value,
        }
    }

    /// The other fields that are settled together with this one, since they change together.
    #[must_use]
    pub fn settled_with(&self) -> Vec<&'static str> {
        let group = GROUPS
            .iter()
            .find(|group| group.contains(&self.leaf.as_str()));
        let others = group.into_iter().flat_map(|group| group.iter().copied());
        others.filter(|other| *other != self.leaf).collect()
    }

    /// The record that it is in, or that it is about; nothing where it is in the root.
    #[must_use]
    pub fn record(&self) -> Option<String> {
        (!self.names.is_empty()).then(|| self.names.join("/"))
    }

    /// The record that has the name under which this one was born, where that is what it is about.
    #[must_use]
    pub fn namesake(&self) -> Option<String> {
        let (Lost::Value(name), _) = self.losers.first()? else {
            return None;
        };
        let (_, around) = self.names.split_last()?;
        let name = plain_text(name)?;
        let namesake = || around.iter().map(String::as_str).chain([name]);
        let joined = namesake().collect::<Vec<_>>().join("/");
        (self.matter == Matter::Name).then_some(joined)
    }

    /// The entry that it is about in a document, or the record: where it stands in the text.
    #[must_use]
    pub fn offset_in(&self, document: &Document) -> Option<u32> {
        let holder = self.holder_in(document)?.node;
        let leaf = at(holder, &self.leaf).filter(|_| !self.leaf.is_empty());
        let node = leaf.map_or(holder, EntryRef::value);
        Some(node.data().span.start)
    }

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
        self.in_version_with(document, &contests(document))
    }

    /// The same, where those that are open there are known.
    #[must_use]
    pub fn in_version_with(&self, document: &Document, open: &[Contest]) -> Option<Lost> {
        if open.iter().any(|other| other.field == self.field) {
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
        if matches!(self.matter, Matter::Name | Matter::Misfit { .. }) {
            // Both records stand, whatever the one was called before; what does not fit came from neither side.
            return Some(Choice::Winner);
        }
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

/// Whether a canonical text is that of a text of several lines.
fn is_text_of_lines(canonical: &str) -> bool {
    let body = canonical.strip_suffix('"').unwrap_or_default();
    body.starts_with('"') && body.trim_end_matches("\\n").contains("\\n")
}

/// A root or record that may carry annotations.
pub(super) struct Holder<'d> {
    pub(super) node: NodeRef<'d>,
    pub(super) role: Role,
    pub(super) names: Vec<String>,
    /// The list that a record is in, and what tells it apart there.
    pub(super) among: Option<(NodeRef<'d>, &'static str)>,
}

impl<'d> Holder<'d> {
    /// The record that keeps the name under which this one was born, too; nothing where no other one stands under it.
    pub(super) fn namesake(&self) -> Option<NodeRef<'d>> {
        let (list, field) = self.among?;
        let born_as = original_identity(self.node, field)?;
        Some(member(list, &born_as)?.value())
    }

    /// The contest about the name of a record that goes by a second one, until somebody left it at that.
    fn contested_name(&self, holder: usize, own: &Own) -> Option<Contest> {
        let (_, field) = self.among?;
        let name = self.node.get(field)?.value();
        // The digest at the end of a second name: most names have none.
        split_second_name(&name.text())?;
        let namesake = self.namesake()?;
        let is_kept = own
            .conflicts
            .iter()
            .any(|(loser, _)| self.is_kept_name(loser));
        let stands = namesake.get(field)?.value();
        let leaf = Annotation::path([field]);
        (!is_kept).then(|| Contest {
            matter: Matter::Name,
            field: shown(&self.names, &leaf),
            leaf,
            holder,
            names: self.names.clone(),
            winner: (Some(said(name)), birth(self.node).stamp),
            losers: vec![(Lost::Value(said(stands)), birth(namesake).stamp)],
        })
    }

    /// What says that somebody left a record at its second name: that lost against itself.
    pub(super) fn kept_name(&self) -> Option<Loser> {
        let (_, field) = self.among?;
        let Scalar::Str(name) = self.node.get(field)?.value().scalar()? else {
            return None;
        };
        Some(Loser {
            leaf: Annotation::path([field]),
            lost: Lost::Value(double_quoted(&name)),
        })
    }

    /// Whether a loser says that: also where the record got its first name after all, since then.
    fn is_kept_name(&self, loser: &Loser) -> bool {
        let Some((_, field)) = self.among else {
            return false;
        };
        let Lost::Value(value) = &loser.lost else {
            return false;
        };
        let is_second = |name: &str| {
            split_second_name(name).is_some_and(|(_, digest)| digest == birth(self.node).digest)
        };
        loser.leaf == Annotation::path([field]) && is_second(value.trim_matches('"'))
    }
}

pub(super) fn holders(document: &Document) -> Vec<Holder<'_>> {
    let mut found = Vec::new();
    if let Some(root) = document.root() {
        collect(root, Role::Root, None, &mut Vec::new(), &mut found);
    }
    found
}

fn collect<'d>(
    node: NodeRef<'d>,
    role: Role,
    among: Option<(NodeRef<'d>, &'static str)>,
    names: &mut Vec<String>,
    found: &mut Vec<Holder<'d>>,
) {
    let carries = node.kind() == Kind::Mapping && (role == Role::Root || role == Role::Record);
    if carries && may_carry(node) && is_free(node, role) {
        found.push(Holder {
            node,
            role,
            names: names.clone(),
            among,
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
        let among = field.map(|field| (node, field)).filter(|_| is_member);
        collect(value, role, among, names, found);
        names.pop();
    }
}

pub(super) fn shown(names: &[String], leaf: &str) -> String {
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
