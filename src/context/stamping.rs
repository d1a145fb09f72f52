//! What was edited since HEAD gets its stamp: the text of a file with annotations for everything that differs.
//!
//! A pure function of HEAD's file, the work tree's file and new stamps. A leaf whose value differs from HEAD's and that
//! carries no stamp of its own for it (one whose digest fits and that HEAD's file does not carry) gets the new one, with
//! the stamps that it supersedes and that HEAD does not know; a record that is new gets a birth of its own. Removals
//! write nothing. `leaves.rs` finds what a record holds, `annotate.rs` writes what it is to say.

use rustc_hash::FxHashSet;

use super::annotate::{Contained, Renewal};
use super::births::defining;
use super::leaves::{Held, Leaf, Record};
use super::own::{Own, Role, is_free, is_marked};
use super::placing::{self, Splice};
use super::{
    ANNOTATION_KEY, Annotation, Birth, CONFLICTS_KEY, DEFINING_FIELDS, Types, canonical, may_carry,
};
use crate::crdt::{Stamp, StampSet};
use crate::yaml::{Document, Kind, Limits, NodeRef};

/// What came of stamping a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped {
    /// What the file is to hold; nothing if it stays as it is.
    pub text: Option<String>,
    /// How many leaves were changed and records added that no stamp told of.
    pub edits: usize,
    /// How many of these are records that were added: each has a stamp of its own.
    pub births: usize,
}

impl Stamped {
    const UNCHANGED: Self = Self {
        text: None,
        edits: 0,
        births: 0,
    };
}

/// Stamps what differs from `head`, the file as HEAD has it: changed leaves with `stamp`, each new record with one of
/// `births` (without one, where these end). A file without a marker is left alone, unless it is a list.
#[must_use]
pub fn stamp(
    head: Option<&Document>,
    work: &Document,
    stamp: Stamp,
    births: &mut dyn Iterator<Item = Stamp>,
) -> Stamped {
    stamp_beside(
        head,
        work,
        Some(stamp),
        births,
        &FilesAlone,
        &Types::default(),
    )
}

/// What is known of edits beside what the files say.
pub trait KnownEdits {
    /// Whether a stamp stands for nothing any more: its edit is part of the history, or was taken back, and whoever brings such
    /// a value again makes a new edit.
    fn is_spent(&self, stamp: Stamp) -> bool;

    /// Whether whoever superseded `seen`, to which the two stamps of one replica belong, had seen all that this replica stamped
    /// between these, as far as it concerns the place where they were made: then a run may go from the one to the other.
    fn is_seen_between(&self, after: Stamp, until: Stamp, seen: &StampSet) -> bool;
}

/// Of edits no more is known than the files say.
pub struct FilesAlone;

impl KnownEdits for FilesAlone {
    fn is_spent(&self, _: Stamp) -> bool {
        false
    }

    fn is_seen_between(&self, _: Stamp, _: Stamp, _: &StampSet) -> bool {
        false
    }
}

/// [`stamp`] with all that is `known`. Without a `stamp` for all leaves that changed, those of the root and of each record get
/// one of their own from `stamps`, as births do: they can be committed, and taken back, one by one. Counters among `types` are
/// left out: of an edit of theirs the amount is told, for which one has to know what its author had read.
#[must_use]
pub fn stamp_beside(
    head: Option<&Document>,
    work: &Document,
    stamp: Option<Stamp>,
    stamps: &mut dyn Iterator<Item = Stamp>,
    known: &dyn KnownEdits,
    types: &Types,
) -> Stamped {
    let Some(root) = work.root().filter(|_| takes_stamps(head, work)) else {
        return Stamped::UNCHANGED;
    };
    if let Some(head) = head.filter(|head| equals_but_for_annotations(head, work)) {
        let differs = head.text() != work.text();
        return Stamped {
            text: differs.then(|| head.text().to_owned()),
            ..Stamped::UNCHANGED
        };
    }
    let mut stamping = Stamping {
        stamp,
        stamps,
        known,
        counters: types.counters(work),
        splices: Vec::new(),
        edits: 0,
        born: 0,
    };
    stamping.root(root, head.and_then(Document::root));
    let unwritten = Stamped {
        text: None,
        edits: stamping.edits,
        births: stamping.born,
    };
    if stamping.splices.is_empty() {
        return unwritten;
    }
    // Nothing is written that does not read back as the same values.
    let text = placing::apply(work.text(), stamping.splices).filter(|text| {
        Document::from_text(text.clone(), &Limits::default())
            .is_ok_and(|document| document.root().map(plain) == Some(plain(root)))
    });
    match text {
        Some(text) => Stamped {
            text: Some(text),
            ..unwritten
        },
        None => Stamped::UNCHANGED,
    }
}

/// Whether edits of a file are stamped: it is a document, or was one in HEAD and lost its marker.
#[must_use]
pub fn takes_stamps(head: Option<&Document>, work: &Document) -> bool {
    work.root()
        .is_some_and(|root| is_document(root) || lost_its_marker(root, head))
}

/// `work` with the annotations that `read`, the text that its writer started from, has and that were dropped on the way:
/// an editor had the file open from before they were written, or a tool does not keep them. Nothing if none is missing.
#[must_use]
pub fn with_annotations_of(read: &Document, work: &Document) -> Option<Document> {
    carried(read, work, &|said| said)
}

/// `work` with the births that records of `read` have and that these lack in `work`, which says nothing else of them either. Nothing if
/// none is missing.
#[must_use]
pub fn with_births_of(read: &Document, work: &Document) -> Option<Document> {
    carried(read, work, &|said| Own {
        marked: said.annotation.birth.is_some(),
        annotation: Annotation {
            birth: said.annotation.birth,
            ..Annotation::default()
        },
        ..Own::default()
    })
}

/// What a mapping says of itself, or what of that is carried on.
type Chosen<'c> = &'c dyn Fn(Own) -> Own;

fn carried(read: &Document, work: &Document, chosen: Chosen<'_>) -> Option<Document> {
    let mut splices = Vec::new();
    let (before, root) = (read.root()?, work.root()?);
    carry(before, root, Role::Root, chosen, &mut splices);
    if splices.is_empty() {
        return None;
    }
    let text = placing::apply(work.text(), splices)?;
    let carried = Document::from_text(text, &Limits::default()).ok()?;
    (carried.root().map(plain) == Some(plain(root))).then_some(carried)
}

/// Puts what `before` says of itself, and the records in it, where `work` says nothing.
fn carry(
    before: NodeRef<'_>,
    work: NodeRef<'_>,
    role: Role,
    chosen: Chosen<'_>,
    splices: &mut Vec<Splice>,
) {
    for Record { node, old, copied } in Held::of(work, Some(before)).records {
        if let Some(old) = old.filter(|_| !copied) {
            carry(old, node, Role::Record, chosen, splices);
        }
    }
    let said = chosen(Own::of(before, role));
    if work.kind() == Kind::Mapping
        && said.marked
        && Own::of(work, role).is_bare()
        && is_free(work, role)
    {
        splices.extend(said.placed(work, role));
    }
}

/// Whether a root is a document's: a mapping with a marker, or a list (which has nowhere to put one).
fn is_document(root: NodeRef<'_>) -> bool {
    match root.kind() {
        Kind::Mapping => is_marked(root),
        Kind::Sequence => root.is_structured() && root.tag().is_none() && root.anchor().is_none(),
        _ => false,
    }
}

/// Whether a root is that of a document whose marker is gone, though HEAD's file has one.
fn lost_its_marker(root: NodeRef<'_>, head: Option<&Document>) -> bool {
    let before = head.and_then(Document::root);
    root.get(ANNOTATION_KEY).is_none() && may_carry(root) && before.is_some_and(is_marked)
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

/// The walk over a file's records.
struct Stamping<'s> {
    stamp: Option<Stamp>,
    stamps: &'s mut dyn Iterator<Item = Stamp>,
    known: &'s dyn KnownEdits,
    /// Where the numbers of counters begin.
    counters: FxHashSet<u32>,
    splices: Vec<Splice>,
    edits: usize,
    born: usize,
}

/// What HEAD knows of a root or record.
#[derive(Clone, Copy)]
enum Before<'h> {
    /// This version of it.
    Version(NodeRef<'h>),
    /// Nothing: it is new, or the root of a new file.
    Nothing,
    /// Nothing, as it stands in a record that is new itself: it was born along with that one.
    BornAlong,
}

impl<'h> Before<'h> {
    fn version(self) -> Option<NodeRef<'h>> {
        match self {
            Before::Version(node) => Some(node),
            Before::Nothing | Before::BornAlong => None,
        }
    }
}

impl Stamping<'_> {
    fn root(&mut self, root: NodeRef<'_>, head: Option<NodeRef<'_>>) {
        let before = head.filter(|head| head.kind() == root.kind());
        if root.kind() == Kind::Sequence {
            // A list cannot say anything itself.
            self.records(Held::of(root, before).records, false);
            return;
        }
        let own = Own::of(root, Role::Root);
        // Another tool dropped the marker: it comes back with the first edit.
        let lost = !own.marked;
        let own = match before {
            Some(before) if lost => Own::of(before, Role::Root),
            _ => own,
        };
        let head = before.map_or(Before::Nothing, Before::Version);
        let placed = self.holder(root, own.clone(), head, Role::Root);
        if lost && !placed && !self.splices.is_empty() {
            self.splices.extend(own.placed(root, Role::Root));
        }
    }

    fn records(&mut self, records: Vec<Record<'_, '_>>, in_new: bool) {
        for Record { node, old, copied } in records {
            let own = if copied {
                Own::default()
            } else {
                Own::of(node, Role::Record)
            };
            let before = match old {
                Some(old) => Before::Version(old),
                None if in_new => Before::BornAlong,
                None => Before::Nothing,
            };
            self.holder(node, own, before, Role::Record);
        }
    }

    /// Stamps what a root or record holds, and the records in it; whether it has an annotation of its own to write.
    fn holder(&mut self, work: NodeRef<'_>, mut own: Own, head: Before<'_>, role: Role) -> bool {
        let old = head.version();
        let is_new = old.is_none() && role != Role::Root;
        let Held {
            leaves,
            records,
            bytes,
            ..
        } = Held::of(work, old);
        self.records(records, is_new);
        if is_new && matches!(head, Before::Nothing) && own.annotation.birth.is_none() {
            self.edits += 1;
            self.born += 1;
            own.annotation = Annotation {
                birth: Some(Birth {
                    stamp: self.stamps.next(),
                    digest: defining(work),
                }),
                ..Annotation::default()
            };
            self.splices.extend(own.placed(work, role));
            return true;
        }
        let before = old.map(|old| Own::of(old, role)).unwrap_or_default();
        let mut edited = edited(work, &leaves, &own, &before, is_new, self.known);
        for (edited, leaf) in edited.iter_mut().zip(&leaves) {
            let counts = || own.annotation.amounts.contains_key(&leaf.path);
            *edited &= !(self.counters.contains(&leaf.start) || counts());
        }
        self.edits += edited.iter().filter(|edited| **edited).count();
        // Whoever changes what names a record writes down what named it before.
        let renamed = old
            .filter(|head| role != Role::Root && defining(*head) != defining(work))
            .map(|head| Birth {
                stamp: None,
                digest: defining(head),
            });
        // What has its first name again needs none written down.
        let is_told_by_name = |birth: &Birth| {
            birth.stamp.is_none() && birth.digest == defining(work) && old.is_some()
        };
        let written = own.annotation.birth.filter(|birth| !is_told_by_name(birth));
        let birth = written.or(before.annotation.birth);
        if !edited.contains(&true) {
            // What is taken away has no stamp, but the name may have gone with it.
            let is_unnamed = birth.is_none() && renamed.is_some();
            if is_unnamed {
                own.annotation.birth = renamed;
                self.splices.extend(own.placed(work, role));
            }
            return is_unnamed;
        }
        let Some(stamp) = self.stamp.or_else(|| self.stamps.next()) else {
            return false;
        };
        let in_group = |group: usize| {
            let mut both = leaves.iter().zip(&edited);
            both.any(|(leaf, edited)| *edited && leaf.group() == Some(group))
        };
        let (fresh, rest): (Vec<_>, Vec<_>) = leaves
            .iter()
            .zip(&edited)
            .partition(|(leaf, edited)| **edited || leaf.group().is_some_and(in_group));
        let renewal = Renewal {
            stamp,
            fresh: fresh.into_iter().map(|(leaf, _)| leaf).collect(),
            rest: rest.into_iter().map(|(leaf, _)| leaf).collect(),
            bytes,
            known: self.known,
        };
        renewal.apply(&mut own, &before, birth.or(renamed));
        self.splices.extend(own.placed(work, role));
        true
    }
}

/// Which leaves are edits that no stamp tells of.
fn edited(
    work: NodeRef<'_>,
    leaves: &[Leaf],
    own: &Own,
    before: &Own,
    is_new: bool,
    known: &dyn KnownEdits,
) -> Vec<bool> {
    let contained = Contained(&before.annotation);
    let birth = own.annotation.birth;
    let renamed = is_new && birth.is_some_and(|birth| birth.digest != defining(work));
    let is_edited = |leaf: &Leaf| {
        let has = |fits: bool| {
            own.annotation.leaves.get(&leaf.path).is_some_and(|stamps| {
                stamps.iter().any(|stamped| {
                    !contained.holds(&leaf.path, stamped.stamp)
                        && !before.conflicts.holds(&leaf.path, stamped.stamp)
                        && !known.is_spent(stamped.stamp)
                        && (!fits || stamped.digest == leaf.digest)
                })
            })
        };
        let names = || {
            let field = leaf.field.as_deref();
            field.is_some_and(|field| DEFINING_FIELDS.contains(&field))
        };
        let must = if is_new {
            has(false) || (renamed && names())
        } else {
            leaf.differs || has(false)
        };
        must && !has(true)
    };
    leaves.iter().map(is_edited).collect()
}

#[cfg(test)]
mod tests;
