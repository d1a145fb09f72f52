//! What was edited since HEAD gets its stamp: the text of a file with annotations for everything that differs.
//!
//! A pure function of HEAD's file, the work tree's file and one new stamp. A leaf whose value differs from HEAD's and
//! that carries no stamp of its own for it (one whose digest fits and that HEAD's file does not carry) gets the new one,
//! with the stamps that it supersedes and that HEAD does not know; a record that is new gets a birth. Removals write
//! nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::placing::{self, Splice, name_of};
use super::{
    ANNOTATION_KEY, Annotation, Birth, CONFLICTS_KEY, Conflicts, DEFINING_FIELDS, GROUPS,
    IDENTITY_FIELDS, Marker, StampedValue, canonical, digest,
};
use crate::crdt::{Digest, Stamp};
use crate::yaml::{Document, EntryRef, Kind, Limits, NodeRef, Scalar};

/// How much of a record, in percent of its bytes, older stamps may take up once it is annotated anew.
const KEPT_PERCENT: usize = 15;

/// What came of stamping a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped {
    /// What the file is to hold; nothing if it stays as it is.
    pub text: Option<String>,
    /// How many leaves were changed and records added that no stamp told of.
    pub edits: usize,
}

impl Stamped {
    const UNCHANGED: Self = Self {
        text: None,
        edits: 0,
    };
}

/// Stamps what differs from `head`, the file as HEAD has it. A file without a marker is left alone, unless it is a list.
#[must_use]
pub fn stamp(head: Option<&Document>, work: &Document, stamp: Stamp) -> Stamped {
    let known = |root: &NodeRef<'_>| is_document(*root) || lost_its_marker(*root, head);
    let Some(root) = work.root().filter(known) else {
        return Stamped::UNCHANGED;
    };
    if let Some(head) = head.filter(|head| equals_but_for_annotations(head, work)) {
        let differs = head.text() != work.text();
        return Stamped {
            text: differs.then(|| head.text().to_owned()),
            edits: 0,
        };
    }
    let before = head.and_then(Document::root);
    let mut stamping = Stamping {
        stamp,
        splices: Vec::new(),
        edits: 0,
    };
    match root.kind() {
        Kind::Mapping => {
            let before = before.filter(|before| before.kind() == Kind::Mapping);
            let own = Own::of(root, Role::Root);
            // Another tool dropped the marker: it comes back with the first edit.
            let lost = !own.marked;
            let own = match before {
                Some(before) if lost => Own::of(before, Role::Root),
                _ => own,
            };
            let placed = stamping.holder(root, own.clone(), before, Role::Root);
            if lost && !placed && !stamping.splices.is_empty() {
                stamping.splices.extend(own.placed(root, Role::Root));
            }
        }
        _ => {
            let before = before.filter(|before| before.kind() == Kind::Sequence);
            if let Some(field) = record_field(root, before) {
                let mut rest = Vec::new();
                stamping.records(root, before, field, false, &mut Vec::new(), &mut rest);
            }
        }
    }
    let edits = stamping.edits;
    if stamping.splices.is_empty() {
        return Stamped { text: None, edits };
    }
    // Nothing is written that does not read back as the same values.
    let text = placing::apply(work.text(), stamping.splices).filter(|text| {
        Document::from_text(text.clone(), &Limits::default())
            .is_ok_and(|document| document.root().map(plain) == Some(plain(root)))
    });
    match text {
        Some(text) => Stamped {
            text: Some(text),
            edits,
        },
        None => Stamped::UNCHANGED,
    }
}

/// Whether a root is a document's: a mapping with a marker, or a list (which has nowhere to put one).
fn is_document(root: NodeRef<'_>) -> bool {
    match root.kind() {
        Kind::Mapping => may_carry(root) && Own::of(root, Role::Root).marked,
        Kind::Sequence => root.is_structured() && root.tag().is_none() && root.anchor().is_none(),
        _ => false,
    }
}

/// Whether a root is that of a document whose marker is gone, though HEAD's file has one.
fn lost_its_marker(root: NodeRef<'_>, head: Option<&Document>) -> bool {
    let before = head.and_then(Document::root);
    root.get(ANNOTATION_KEY).is_none()
        && may_carry(root)
        && before.is_some_and(|before| before.kind() == Kind::Mapping && is_document(before))
}

/// Whether both files hold the same bytes once annotations are taken out; losers that are kept are no annotations.
fn equals_but_for_annotations(head: &Document, work: &Document) -> bool {
    let marker = |document: &Document| {
        let root = document.root()?;
        Some((is_document(root), Own::of(root, Role::Root).types))
    };
    let picked = |name: &str| name == ANNOTATION_KEY;
    head.text() == work.text()
        || (marker(head) == marker(work)
            && placing::without(head, picked) == placing::without(work, picked))
}

/// The canonical text of a document without what is said about it.
fn plain(root: NodeRef<'_>) -> String {
    let text = placing::without(root.document(), |name| {
        name == ANNOTATION_KEY || name == CONFLICTS_KEY
    });
    let document = Document::from_text(text, &Limits::default());
    document
        .as_ref()
        .ok()
        .and_then(Document::root)
        .map(canonical)
        .unwrap_or_default()
}

/// Whether a mapping may carry annotations of its own.
pub(super) fn may_carry(mapping: NodeRef<'_>) -> bool {
    mapping.kind() == Kind::Mapping
        && mapping.is_structured()
        && mapping.anchor().is_none()
        && matches!(mapping.tag(), None | Some("!!map"))
        && mapping.get("<<").is_none()
        && mapping
            .entries()
            .filter(|entry| placing::is_ours(*entry))
            .all(|entry| matches!(entry.value().kind(), Kind::Scalar(_)))
}

/// Whether the annotation of a mapping is the document's marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The root.
    Root,
    /// A record.
    Record,
    /// A record in one that is new itself: born with it.
    BornAlong,
}

/// What a mapping says of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    marked: bool,
    types: BTreeMap<String, String>,
    /// Its stamps.
    pub(super) annotation: Annotation,
    /// What lost.
    pub(super) conflicts: Conflicts,
}

impl Own {
    /// What `mapping` says; what is mangled says nothing.
    pub(super) fn of(mapping: NodeRef<'_>, role: Role) -> Self {
        let text = |key| match mapping.get(key)?.value().scalar()? {
            Scalar::Str(text) => Some(text.into_owned()),
            _ => None,
        };
        let marker = text(ANNOTATION_KEY).and_then(|text| match role {
            Role::Root => Marker::parse(&text).ok(),
            _ => Annotation::parse(&text).ok().map(|annotation| Marker {
                types: BTreeMap::new(),
                annotation,
            }),
        });
        let marked = marker.is_some();
        let Marker { types, annotation } = marker.unwrap_or_default();
        Self {
            marked,
            types,
            annotation,
            conflicts: text(CONFLICTS_KEY)
                .and_then(|text| Conflicts::parse(&text).ok())
                .unwrap_or_default(),
        }
    }

    /// What makes `mapping` say this.
    pub(super) fn placed(&self, mapping: NodeRef<'_>, role: Role) -> Vec<Splice> {
        let text = match role {
            Role::Root => Marker {
                types: self.types.clone(),
                annotation: self.annotation.clone(),
            }
            .to_string(),
            _ => self.annotation.to_string(),
        };
        let conflicts = (!self.conflicts.is_empty()).then(|| self.conflicts.to_string());
        placing::place(mapping, role == Role::Root, &text, conflicts.as_deref())
    }
}

/// The field that tells the records of a list apart, in both versions.
pub(super) fn record_field(work: NodeRef<'_>, head: Option<NodeRef<'_>>) -> Option<&'static str> {
    let head = head.filter(|head| head.kind() == Kind::Sequence);
    IDENTITY_FIELDS.into_iter().find(|field| {
        let mut any = false;
        let unique = [Some(work), head].into_iter().flatten().all(|list| {
            let mut seen = BTreeSet::new();
            list.tag().is_none()
                && list.is_structured()
                && list.entries().all(|entry| {
                    any = true;
                    identity(entry.value(), field).is_some_and(|identity| seen.insert(identity))
                })
        });
        any && unique
    })
}

/// The canonical text of what a record is known by.
pub(super) fn identity(record: NodeRef<'_>, field: &str) -> Option<String> {
    if record.kind() != Kind::Mapping || !record.is_structured() {
        return None;
    }
    let value = record.get(field)?.value();
    (!matches!(value.scalar()?, Scalar::Null)).then(|| canonical(value))
}

/// The digest of what names a record: its title or name, or else all its scalar fields.
pub(super) fn defining(record: NodeRef<'_>) -> Digest {
    let named = DEFINING_FIELDS
        .into_iter()
        .find_map(|field| record.get(field));
    if let Some(entry) = named {
        return digest(entry.value());
    }
    let mut fields: Vec<String> = record
        .entries()
        .filter(|entry| !placing::is_ours(*entry) && entry.value().scalar().is_some())
        .filter_map(|entry| Some(format!("{}:{}", name_of(entry)?, canonical(entry.value()))))
        .collect();
    fields.sort();
    Digest::of(fields.join(",").as_bytes())
}

/// The leaf that stands for a whole record: the one that names it, else its first scalar.
pub(super) fn defining_leaf(record: NodeRef<'_>) -> Option<String> {
    let named = DEFINING_FIELDS
        .into_iter()
        .find(|field| record.get(field).is_some());
    let first = || {
        record
            .entries()
            .filter(|entry| !placing::is_ours(*entry) && entry.value().scalar().is_some())
            .find_map(name_of)
    };
    let name = named.map(std::borrow::Cow::Borrowed).or_else(first)?;
    Some(Annotation::path([name.as_ref()]))
}

/// A leaf of the work tree's version.
struct Leaf {
    path: String,
    digest: Digest,
    /// Whether its value is another than HEAD's.
    differs: bool,
    /// Whether it is one of the fields that name a new record.
    is_defining: bool,
    group: Option<usize>,
}

struct Stamping {
    stamp: Stamp,
    splices: Vec<Splice>,
    edits: usize,
}

impl Stamping {
    /// Stamps what a root or record holds, and the records in it; whether it has an annotation of its own to write.
    fn holder(
        &mut self,
        work: NodeRef<'_>,
        mut own: Own,
        head: Option<NodeRef<'_>>,
        role: Role,
    ) -> bool {
        let before = head.map(|head| Own::of(head, role)).unwrap_or_default();
        let is_new = head.is_none() && role != Role::Root;
        let mut leaves = Vec::new();
        self.leaves(work, head, is_new, &mut Vec::new(), &mut leaves);
        if is_new && role == Role::Record && own.annotation.birth.is_none() {
            self.edits += 1;
            own.annotation = Annotation {
                birth: Some(Birth {
                    stamp: Some(self.stamp),
                    digest: defining(work),
                }),
                ..Annotation::default()
            };
            self.splices.extend(own.placed(work, role));
            return true;
        }
        let renamed = own
            .annotation
            .birth
            .is_some_and(|birth| birth.digest != defining(work));
        let contained = Contained(&before.annotation);
        let edited: Vec<bool> = leaves
            .iter()
            .map(|leaf| {
                let has = |fits: bool| {
                    own.annotation.leaves.get(&leaf.path).is_some_and(|stamps| {
                        stamps.iter().any(|stamped| {
                            !contained.holds(&leaf.path, stamped.stamp)
                                && (!fits || stamped.digest == leaf.digest)
                        })
                    })
                };
                let must = if is_new {
                    has(false) || (renamed && leaf.is_defining)
                } else {
                    leaf.differs || has(false)
                };
                must && !has(true)
            })
            .collect();
        self.edits += edited.iter().filter(|edited| **edited).count();
        if !edited.contains(&true) {
            return false;
        }
        let in_group = |group: usize| {
            let mut both = leaves.iter().zip(&edited);
            both.any(|(leaf, edited)| *edited && leaf.group == Some(group))
        };
        let fresh: Vec<&Leaf> = leaves
            .iter()
            .zip(&edited)
            .filter(|(leaf, edited)| **edited || leaf.group.is_some_and(in_group))
            .map(|(leaf, _)| leaf)
            .collect();
        own.close_conflicts(&fresh, &before);
        let birth = own
            .annotation
            .birth
            .or(before.annotation.birth)
            .or_else(|| {
                // Whoever changes what names a record writes down what named it before.
                let names = fresh
                    .iter()
                    .any(|leaf| DEFINING_FIELDS.contains(&leaf.path.as_str()));
                head.filter(|_| names && role != Role::Root)
                    .map(|head| Birth {
                        stamp: None,
                        digest: defining(head),
                    })
            });
        own.annotation = self.annotation(
            &own.annotation,
            &before.annotation,
            birth,
            &leaves,
            &fresh,
            own_bytes(work, head),
        );
        self.splices.extend(own.placed(work, role));
        true
    }

    /// The annotation of a record that changed: its birth, what HEAD does not contain, and of the rest the newest that
    /// do not take up too much.
    fn annotation(
        &self,
        own: &Annotation,
        before: &Annotation,
        birth: Option<Birth>,
        leaves: &[Leaf],
        fresh: &[&Leaf],
        bytes: usize,
    ) -> Annotation {
        let contained = Contained(before);
        let mut annotation = Annotation {
            birth,
            ..Annotation::default()
        };
        let mut superseded = BTreeSet::new();
        for leaf in fresh {
            let stamped = StampedValue {
                stamp: self.stamp,
                digest: leaf.digest,
            };
            annotation
                .leaves
                .entry(leaf.path.clone())
                .or_default()
                .insert(stamped);
            for old in own.leaves.get(&leaf.path).into_iter().flatten() {
                superseded.insert(old.stamp);
                superseded.extend(own.superseded.get(&old.stamp).into_iter().flatten());
            }
            superseded.retain(|stamp| !contained.holds(&leaf.path, *stamp));
        }
        superseded.remove(&self.stamp);
        if !superseded.is_empty() {
            annotation.superseded.insert(self.stamp, superseded);
        }
        let mut rest: Vec<(Stamp, &str, StampedValue)> = Vec::new();
        for leaf in leaves
            .iter()
            .filter(|leaf| !fresh.iter().any(|fresh| fresh.path == leaf.path))
        {
            let known = [own, before]
                .into_iter()
                .filter_map(|side| side.leaves.get(&leaf.path));
            for stamped in known
                .flatten()
                .filter(|stamped| stamped.digest == leaf.digest)
            {
                if contained.holds(&leaf.path, stamped.stamp) {
                    rest.push((stamped.stamp, &leaf.path, *stamped));
                } else {
                    annotation
                        .leaves
                        .entry(leaf.path.clone())
                        .or_default()
                        .insert(*stamped);
                    if let Some(superseded) = own.superseded.get(&stamped.stamp) {
                        annotation
                            .superseded
                            .insert(stamped.stamp, superseded.clone());
                    }
                }
            }
        }
        rest.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        rest.dedup();
        for (_, path, stamped) in rest {
            let mut longer = annotation.clone();
            longer
                .leaves
                .entry(path.to_owned())
                .or_default()
                .insert(stamped);
            if longer.to_string().len() * 100 > bytes * KEPT_PERCENT {
                break;
            }
            annotation = longer;
        }
        annotation
    }

    /// Finds the leaves of a mapping; stamps the records in its lists.
    fn leaves(
        &mut self,
        work: NodeRef<'_>,
        head: Option<NodeRef<'_>>,
        is_new: bool,
        names: &mut Vec<String>,
        leaves: &mut Vec<Leaf>,
    ) {
        for entry in work.entries() {
            let Some(name) = name_of(entry) else { continue };
            if names.is_empty() && placing::is_ours(entry) {
                continue;
            }
            let value = entry.value();
            let old = head
                .and_then(|head| head.get(&name))
                .map(|entry| entry.value());
            names.push(name.into_owned());
            match shape(value) {
                Shape::Mapping => {
                    let old = old.filter(|old| shape(*old) == Shape::Mapping);
                    if !value.is_empty() {
                        self.leaves(value, old, is_new, names, leaves);
                    } else if old.is_none() {
                        leaves.push(leaf(value, None, names));
                    }
                }
                Shape::List if record_field(value, old).is_some() => {
                    if let Some(field) = record_field(value, old) {
                        let old = old.filter(|old| old.kind() == Kind::Sequence);
                        self.records(value, old, field, is_new, names, leaves);
                    }
                }
                _ => leaves.push(leaf(value, old, names)),
            }
            names.pop();
        }
    }

    /// Stamps the records of a list. The leaves of one that carries nothing go to the mapping around it.
    fn records(
        &mut self,
        work: NodeRef<'_>,
        head: Option<NodeRef<'_>>,
        field: &str,
        is_new: bool,
        names: &mut Vec<String>,
        leaves: &mut Vec<Leaf>,
    ) {
        let role = if is_new {
            Role::BornAlong
        } else {
            Role::Record
        };
        for Matched {
            record,
            old,
            copied,
        } in matched(work, head, field)
        {
            if may_carry(record) {
                let own = if copied {
                    Own::default()
                } else {
                    Own::of(record, role)
                };
                self.holder(record, own, old, role);
            } else {
                let named = record
                    .get(field)
                    .map(|entry| entry.value().text().into_owned());
                names.extend(named.clone());
                self.leaves(record, old, is_new, names, leaves);
                if named.is_some() {
                    names.pop();
                }
            }
        }
    }
}

impl Own {
    /// A plain edit settles what it edits: a conflict that HEAD knows, or whose winner's stamp stands beside another
    /// value now. One that a merge has just left here is not settled by being there.
    fn close_conflicts(&mut self, fresh: &[&Leaf], before: &Self) {
        let losers: Vec<_> = self
            .conflicts
            .iter()
            .map(|(loser, _)| loser.clone())
            .collect();
        for loser in losers {
            let edited = fresh.iter().any(|leaf| leaf.path == loser.leaf);
            let stale = self.annotation.leaves.contains_key(&loser.leaf);
            if edited && (stale || before.conflicts.contains(&loser)) {
                self.conflicts.remove(&loser);
            }
        }
    }
}

/// What HEAD's version of a record knows.
struct Contained<'a>(&'a Annotation);

impl Contained<'_> {
    fn holds(&self, path: &str, stamp: Stamp) -> bool {
        let Self(before) = self;
        before
            .leaves
            .get(path)
            .into_iter()
            .flatten()
            .any(|stamped| stamped.stamp == stamp)
            || before
                .superseded
                .values()
                .any(|superseded| superseded.contains(&stamp))
            || before.birth.is_some_and(|birth| birth.stamp == Some(stamp))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Mapping,
    List,
    Leaf,
}

/// What a value is to the CRDT.
fn shape(value: NodeRef<'_>) -> Shape {
    match value.kind() {
        Kind::Mapping if value.is_structured() && value.tag().is_none() => Shape::Mapping,
        Kind::Sequence => Shape::List,
        _ => Shape::Leaf,
    }
}

fn leaf(value: NodeRef<'_>, old: Option<NodeRef<'_>>, names: &[String]) -> Leaf {
    let differs = match old {
        Some(old) => !value.means(old),
        // The host tool writes what is not there as null.
        None => !matches!(value.scalar(), Some(Scalar::Null)),
    };
    let only = match names {
        [name] => Some(name.as_str()),
        _ => None,
    };
    Leaf {
        path: Annotation::path(names.iter().map(String::as_str)),
        digest: digest(value),
        differs,
        is_defining: only.is_some_and(|name| DEFINING_FIELDS.contains(&name)),
        group: only.and_then(|name| GROUPS.iter().position(|group| group.contains(&name))),
    }
}

/// A record of the work tree.
struct Matched<'w, 'h> {
    record: NodeRef<'w>,
    /// HEAD's version of it.
    old: Option<NodeRef<'h>>,
    /// Whether its annotation is another record's: it was written by copying that one.
    copied: bool,
}

/// The records of a list, each with HEAD's version of it: the one of the same identity, else of the same birth.
fn matched<'w, 'h>(
    work: NodeRef<'w>,
    head: Option<NodeRef<'h>>,
    field: &str,
) -> Vec<Matched<'w, 'h>> {
    // Records that were added in one edit share its stamp; the digest tells them apart, but for those of one name.
    let birth = |record: NodeRef<'_>| {
        let birth = Own::of(record, Role::Record).annotation.birth?;
        birth.stamp.and(Some(birth))
    };
    let named = |entry: EntryRef<'w>| identity(entry.value(), field);
    let here: HashSet<String> = work.entries().filter_map(named).collect();
    let mut by_identity = HashMap::new();
    let mut by_birth = BTreeMap::new();
    for entry in head.into_iter().flat_map(NodeRef::entries) {
        let record = entry.value();
        let identity = identity(record, field);
        if let Some(birth) = birth(record) {
            let free = identity.as_ref().is_none_or(|name| !here.contains(name));
            let known = by_birth.entry(birth).or_insert(None);
            *known = known.or(free.then_some(record));
        }
        by_identity.extend(identity.map(|identity| (identity, record)));
    }
    let fits = |record: NodeRef<'_>, birth: Birth| birth.digest == defining(record);
    let mut births: BTreeSet<Birth> = work
        .entries()
        .filter_map(|entry| birth(entry.value()).filter(|birth| fits(entry.value(), *birth)))
        .collect();
    let mut matched = Vec::with_capacity(work.len());
    for entry in work.entries() {
        let record = entry.value();
        let same = named(entry).and_then(|identity| by_identity.get(&identity).copied());
        let birth = birth(record);
        let known = birth.and_then(|birth| by_birth.get_mut(&birth));
        let (old, copied) = match (same, known) {
            (Some(same), _) => (Some(same), false),
            (None, Some(known)) => {
                let old = known.take();
                (old, old.is_none())
            }
            (None, None) => (
                None,
                birth.is_some_and(|birth| !fits(record, birth) && !births.insert(birth)),
            ),
        };
        matched.push(Matched {
            record,
            old,
            copied,
        });
    }
    matched
}

/// The bytes of what a holder holds, its records not counted.
fn own_bytes(work: NodeRef<'_>, head: Option<NodeRef<'_>>) -> usize {
    work.entries()
        .filter(|entry| !placing::is_ours(*entry))
        .filter(|entry| {
            let value = entry.value();
            let old = name_of(*entry)
                .and_then(|name| head?.get(&name))
                .map(|old| old.value());
            shape(value) != Shape::List || record_field(value, old).is_none()
        })
        .map(|entry| entry.raw().len())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Document {
        Document::from_text(text.to_owned(), &Limits::default()).unwrap()
    }

    fn at(millis: u64) -> Stamp {
        let mut clock = crate::crdt::Clock::new(crate::crdt::Replica::from_bits(7), None);
        clock.tick(1_800_000_000_000 + millis).unwrap()
    }

    /// The stamped text and the number of edits; stamping it again must find nothing more.
    fn stamped(head: &str, work: &str, millis: u64) -> (String, usize) {
        let head = read(head);
        let Stamped { text, edits } = stamp(Some(&head), &read(work), at(millis));
        let text = text.unwrap_or_else(|| work.to_owned());
        let again = stamp(Some(&head), &read(&text), at(millis + 1));
        assert_eq!(again, Stamped::UNCHANGED, "{text}");
        (text, edits)
    }

    const HEAD: &str = "\
# Todos
_crdt: v1 todos=or_set

owner: me
todos:
  - id: a
    title: 'First'
    status: pending  # soon

  # about b
  - id: b
    title: Second
    tags: [x, y]
    status: pending
";

    #[test]
    fn a_changed_field_is_stamped_behind_the_first_entry() {
        let work = HEAD.replace("pending  # soon", "done  # soon");
        let (text, edits) = stamped(HEAD, &work, 0);
        assert_eq!(edits, 1);
        let stamp = at(0);
        let digest = Digest::of(b"\"done\"");
        let expected = work.replace(
            "  - id: a\n",
            &format!("  - id: a\n    _crdt: {stamp} status~{digest}\n"),
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn fields_of_a_group_share_a_stamp_but_one_is_counted() {
        let head = HEAD.replace(
            "    title: Second\n",
            "    title: Second\n    completed_at: now\n",
        );
        let work = head.replace("y]\n    status: pending", "y]\n    status: done");
        let (text, edits) = stamped(&head, &work, 0);
        assert_eq!(edits, 1);
        assert!(text.contains(" completed_at~"), "{text}");
    }

    #[test]
    fn a_new_record_gets_a_birth_and_a_renamed_one_its_old_name() {
        let work =
            HEAD.replace("First", "Foremost") + "  - id: c\n    title: Third\n    status: new\n";
        let (text, edits) = stamped(HEAD, &work, 0);
        assert_eq!(edits, 2);
        let birth = format!("    _crdt: +{}~{}\n", at(0), Digest::of(b"\"Third\""));
        assert!(
            text.ends_with(&format!(
                "  - id: c\n{birth}    title: Third\n    status: new\n"
            )),
            "{text}"
        );
        assert!(
            text.contains(&format!("_crdt: +~{} {}", Digest::of(b"\"First\""), at(0))),
            "{text}"
        );
        // A copy of a record that was born here is a record of its own.
        let copied = format!("{text}  - id: d\n{birth}    title: Fourth\n");
        let (text, edits) = stamped(HEAD, &copied, 5);
        assert_eq!(edits, 1);
        assert!(
            text.contains(&format!("  - id: d\n    _crdt: +{}", at(5))),
            "{text}"
        );
    }

    #[test]
    fn leaves_of_the_root_are_stamped_in_the_marker() {
        let (text, edits) = stamped(
            HEAD,
            &HEAD.replace("owner: me", "owner: you\nmeta: {a: {b: 1}, c: []}"),
            0,
        );
        assert_eq!(edits, 3);
        let line = text.lines().find(|line| line.starts_with("_crdt")).unwrap();
        assert!(
            line.starts_with(&format!("_crdt: v1 todos=or_set | {} meta.a.b~", at(0))),
            "{line}"
        );
    }

    #[test]
    fn removals_and_formatting_are_no_edits() {
        for work in [
            HEAD.replace("    tags: [x, y]\n", ""),
            HEAD.replace("'First'", "First")
                .replace("[x, y]", "[x,  'y']"),
            HEAD.split("\n  # about b").next().unwrap().to_owned() + "\n",
            HEAD.replace("title: Second", "title: Second\n    due: null"),
        ] {
            assert_eq!(stamped(HEAD, &work, 0), (work.clone(), 0));
        }
    }

    #[test]
    fn a_second_edit_supersedes_the_first_and_typing_back_is_an_edit_unless_all_is() {
        let first = stamped(HEAD, &HEAD.replace("pending  # soon", "done  # soon"), 0).0;
        let (second, edits) = stamped(HEAD, &first.replace("done  # soon", "late  # soon"), 10);
        assert_eq!(edits, 1);
        assert!(
            second.contains(&format!(
                "_crdt: {} status~{} -{}\n",
                at(10),
                Digest::of(b"\"late\""),
                at(0)
            )),
            "{second}"
        );
        let typed_back = second.replace("late  # soon", "pending  # soon");
        assert_eq!(stamped(HEAD, &typed_back, 20), (HEAD.to_owned(), 0));
        let (third, edits) = stamped(HEAD, &typed_back.replace("Second", "2nd"), 20);
        assert_eq!(edits, 2);
        assert!(
            third.contains(&format!(" -{} -{}", at(0), at(10))),
            "{third}"
        );
    }

    #[test]
    fn a_value_changed_behind_a_committed_stamp_gets_a_new_one() {
        let first = stamped(HEAD, &HEAD.replace("pending  # soon", "done  # soon"), 0).0;
        let (second, edits) = stamped(&first, &first.replace("done  # soon", "late  # soon"), 10);
        assert_eq!(edits, 1);
        assert!(
            second.contains(&format!("_crdt: {} status~", at(10)))
                && !second.contains(&at(0).to_string())
        );
        // An old value with its old stamp, brought back, is a new edit.
        let chain = second.replace(
            " status~",
            &format!(" status~{} -{} x~", Digest::of(b"\"late\""), at(0)),
        );
        let (_, edits) = stamped(&chain, &first, 20);
        assert_eq!(edits, 1);
    }

    #[test]
    fn conflicts_close_when_their_leaf_is_edited() {
        let open = "    _crdt: 4k2m9xa7-7f3kqd status~000\n    _crdt_conflicts: status~~s.late title~~s.Firstly\n";
        let head = HEAD.replace("  - id: a\n", &format!("  - id: a\n{open}"));
        let (text, _) = stamped(&head, &head.replace("pending  # soon", "done  # soon"), 0);
        assert!(
            text.contains("\n    _crdt_conflicts: title~~s.Firstly\n"),
            "{text}"
        );
    }

    #[test]
    fn a_conflict_that_a_merge_has_just_left_stays_open() {
        let work = HEAD
            .replace(
                "  - id: a\n",
                "  - id: a\n    _crdt_conflicts: title~~s.Firstly\n",
            )
            .replace("'First'", "Foremost");
        let (text, _) = stamped(HEAD, &work, 0);
        assert!(
            text.contains("_crdt_conflicts: title~~s.Firstly\n"),
            "{text}"
        );
    }

    #[test]
    fn what_cannot_carry_is_named_in_what_is_around_it() {
        let head = "_crdt: v1\ntodos:\n  - &x\n    id: a\n    status: new\n  - {id: b, status: new}\n  - id: c\n";
        let work = head
            .replace("new", "old")
            .replace("- id: c\n", "- id: c\n    more: 1\n");
        let (text, edits) = stamped(head, &work, 0);
        assert_eq!(edits, 3);
        let stamp = at(0);
        assert!(
            text.starts_with(&format!("_crdt: v1 | {stamp} todos.a.status~")),
            "{text}"
        );
        assert!(
            text.contains(&format!("- {{_crdt: {stamp} status~")),
            "{text}"
        );
        assert!(
            text.contains(&format!("- id: c\n    _crdt: {stamp} more~")),
            "{text}"
        );
    }

    #[test]
    fn an_annotation_comes_first_where_the_first_entry_is_no_scalar() {
        let head = "_crdt: v1\r\nlist:\r\n- tags:\r\n  - x\r\n  id: a\r\n";
        let (text, _) = stamped(head, &head.replace("- x", "- y"), 0);
        assert!(
            text.contains(&format!("- _crdt: {} tags~", at(0))),
            "{text:?}"
        );
        assert!(
            text.ends_with("\r\n  tags:\r\n  - y\r\n  id: a\r\n"),
            "{text:?}"
        );
        let (text, _) = stamped("- id: a\n", "- id: a\n- id: b\n", 0);
        assert!(text.ends_with("\n  id: b\n"), "{text:?}");
    }

    #[test]
    fn files_without_marker_are_left_alone_and_a_marker_is_no_edit() {
        for text in [
            "a: 2\n",
            "a\n",
            "",
            "a: 2\n---\nb: 1\n",
            "_crdt: v1\n---\na: 1\n",
        ] {
            assert_eq!(
                stamp(Some(&read("a: 1\n")), &read(text), at(0)),
                Stamped::UNCHANGED
            );
        }
        assert_eq!(
            stamp(Some(&read("a: 1\n")), &read("_crdt: v1\na: 1\n"), at(0)),
            Stamped::UNCHANGED
        );
    }

    #[test]
    fn what_another_tool_rewrote_is_no_edit_and_its_marker_comes_back_with_one() {
        let head = stamped("_crdt: v1\ntodos: []\n", HEAD, 0).0;
        let rewritten = "todos:\n- status: pending\n  title: First\n  due: null\n  id: a\n- id: b\n  title: Second\n  tags:\n  - x\n  - y\n  status: pending\nowner: me\n";
        assert_eq!(stamped(&head, rewritten, 10), (rewritten.to_owned(), 0));
        let (text, edits) = stamped(&head, &rewritten.replace("First", "1st"), 10);
        assert_eq!(edits, 1);
        let marker = head.lines().find(|line| line.starts_with("_crdt")).unwrap();
        assert!(
            text.starts_with(&format!(
                "{marker}\ntodos:\n- status: pending\n  _crdt: +{}~",
                at(0)
            )),
            "{text}"
        );
        let (text, edits) = stamped(&head, &rewritten.replace("owner: me", "owner: you"), 10);
        assert_eq!(edits, 1);
        assert!(
            text.starts_with(&format!("_crdt: v1 todos=or_set | {} owner~", at(10))),
            "{text}"
        );
    }

    #[test]
    fn misplaced_annotations_count_and_move_when_rewritten() {
        let first = stamped(HEAD, &HEAD.replace("pending  # soon", "done  # soon"), 0).0;
        let line = first
            .lines()
            .find(|line| line.starts_with("    _crdt"))
            .unwrap();
        let without = first.replace(&format!("{line}\n"), "");
        let moved = without.replace("done  # soon\n", &format!("done  # soon\n{line}\n"));
        assert_eq!(stamped(HEAD, &moved, 10), (moved.clone(), 0));
        let (again, _) = stamped(HEAD, &moved.replace("'First'", "'1st'"), 10);
        assert_eq!(again.matches("    _crdt").count(), 1);
        assert!(again.contains("- id: a\n    _crdt: +~"), "{again}");
    }

    #[test]
    fn older_stamps_give_way() {
        let mut head = "_crdt: v1\ntodos:\n  - id: a\n".to_owned();
        for field in 0..12 {
            head.push_str(&format!("    field{field}: some value\n"));
        }
        let mut edited = head.clone();
        for field in 0..12 {
            let before = edited.clone();
            let from = format!("field{field}: some value");
            edited = stamped(
                &before,
                &before.replace(&from, &format!("field{field}: another")),
                field * 10,
            )
            .0;
        }
        let line = edited
            .lines()
            .find(|line| line.starts_with("    _crdt"))
            .unwrap();
        assert!(
            line.contains("field11~") && !line.contains("field1~"),
            "{line}"
        );
        assert!(
            (line.len() - 11) * 100 <= edited.len() * KEPT_PERCENT,
            "{line}"
        );
    }

    /// One change of a list of records: which record, what is done to it.
    #[derive(Clone, Copy, Debug)]
    enum Change {
        Set(usize, usize, u8),
        Remove(usize),
        Add(u8),
    }

    fn changes() -> impl Strategy<Value = Vec<Change>> {
        let change = prop_oneof![
            4 => (0usize..6, 0usize..3, any::<u8>()).prop_map(|(record, field, value)| Change::Set(record, field, value)),
            1 => (0usize..6).prop_map(Change::Remove),
            1 => any::<u8>().prop_map(Change::Add),
        ];
        proptest::collection::vec(change, 0..6)
    }

    /// Records as blocks of lines in one of several styles.
    fn records(styles: &[u8]) -> Vec<(usize, Vec<String>, u8)> {
        let fields = |index| {
            vec![
                format!("Title {index}"),
                "pending".to_owned(),
                "a".to_owned(),
            ]
        };
        styles
            .iter()
            .enumerate()
            .map(|(index, style)| (index, fields(index), *style))
            .collect()
    }

    fn written(records: &[(usize, Vec<String>, u8)], newline: &str) -> Vec<String> {
        records
            .iter()
            .map(|(id, fields, style)| {
                let [title, status, note] = [&fields[0], &fields[1], &fields[2]];
                let text = match style % 5 {
                    0 => format!("  - id: t{id}\n    title: {title}\n    status: {status}  # beside\n    note: {note}\n"),
                    1 => format!("\n  # above\n  - title: '{title}'\n    # inside\n    id: t{id}\n    status: {status}\n    note: |\n      {note}\n"),
                    2 => format!("  - {{ id: t{id}, title: \"{title}\", status: {status}, note: {note} }}\n"),
                    3 => format!("  -\n    meta:\n      note: {note}\n    id: t{id}\n    title: {title}\n    status: {status}\n"),
                    _ => format!("  - note: >-\n      {note}\n    title: {title}\n    status: {status}\n    id: t{id}\n\n"),
                };
                text.replace('\n', newline)
            })
            .collect()
    }

    /// What a record says, without what is said about it.
    fn values(record: NodeRef<'_>) -> BTreeMap<String, String> {
        let entries = record.entries().filter(|entry| !placing::is_ours(*entry));
        entries
            .map(|entry| {
                (
                    name_of(entry).unwrap().into_owned(),
                    canonical(entry.value()),
                )
            })
            .collect()
    }

    proptest! {
        #[test]
        fn stamping_is_quiet_local_and_reversible(
            styles in proptest::collection::vec(any::<u8>(), 1..6),
            scripts in proptest::collection::vec(changes(), 1..4),
            crlf: bool,
            commits in proptest::collection::vec(any::<bool>(), 3),
        ) {
            let newline = if crlf { "\r\n" } else { "\n" };
            let top = format!("# header{newline}_crdt: v1 todos=or_set{newline}todos:{newline}");
            let file = |records: &[String]| {
                if records.is_empty() { format!("{}todos: []{newline}", top.strip_suffix(&format!("todos:{newline}")).unwrap()) } else { format!("{top}{}", records.concat()) }
            };
            let mut state = records(&styles);
            let mut head = file(&written(&state, newline));
            let ours = |name: &str| name == ANNOTATION_KEY || name == CONFLICTS_KEY;
            for (step, script) in scripts.iter().enumerate() {
                let before = read(&head);
                for change in script {
                    match *change {
                        Change::Set(record, field, value) => {
                            if let Some((_, fields, _)) = state.get_mut(record) {
                                fields[field] = format!("v{}", value % 4);
                            }
                        }
                        Change::Remove(record) if record < state.len() => { state.remove(record); }
                        Change::Remove(_) => {}
                        Change::Add(style) => {
                            let id = 100 + step * 10 + state.len();
                            if state.iter().all(|(known, ..)| *known != id) {
                                state.push((id, vec!["new".into(), "open".into(), "b".into()], style));
                            }
                        }
                    }
                }
                let bare = file(&written(&state, newline));
                let work = read(&bare);
                let result = stamp(Some(&before), &work, at(step as u64 * 10));
                let text = result.text.clone().unwrap_or(bare.clone());
                let after = read(&text);
                // Without annotations these are the bytes that were typed (or HEAD's, which are the same but for them).
                prop_assert_eq!(placing::without(&after, ours), placing::without(&work, ours));
                // Everything reads back as an annotation.
                let list = after.root().unwrap().get("todos").unwrap().value();
                for entry in list.entries() {
                    if entry.value().get(ANNOTATION_KEY).is_some() {
                        let own = Own::of(entry.value(), Role::Record);
                        prop_assert!(own.marked, "{}", text);
                        let id = entry.value().get("id").unwrap().value();
                        let old = before.root().unwrap().get("todos").unwrap().value();
                        let old = old.entries().find(|old| old.value().get("id").unwrap().value().means(id));
                        let same = old.is_some_and(|old| values(old.value()) == values(entry.value()));
                        prop_assert!(!same || text == head, "{}", text);
                    }
                }
                // Again: nothing.
                let again = stamp(Some(&before), &after, at(step as u64 * 10 + 5));
                prop_assert_eq!(again.edits, 0, "{}", &text);
                prop_assert_eq!(again.text, None);
                if commits[step] {
                    head = text;
                }
            }
        }
    }
}
