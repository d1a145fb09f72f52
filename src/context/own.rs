//! What a root or a record says about itself under our keys, and which mappings may say anything.

use std::collections::BTreeMap;

use super::mentions::{Claim, mentions_in};
use super::placing::{self, Splice};
use super::records::may_carry;
use super::{ANNOTATION_KEY, Annotation, CONFLICTS_KEY, Conflicts, Marker};
use crate::yaml::{Kind, NodeRef, Scalar};

/// What a mapping is to annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The root: its annotation is the document's marker.
    Root,
    /// A member of a list that carries an annotation of its own.
    Record,
    /// Anything else: its leaves are named in the annotation around it.
    Inner,
}

impl Role {
    /// Whether a mapping in this role speaks for itself.
    pub(crate) fn is_holder(self) -> bool {
        self != Role::Inner
    }

    /// The role of the member of a list: a record's if it may carry annotations and holds nothing else under our keys.
    pub(crate) fn of_member(member: NodeRef<'_>) -> Self {
        if may_carry(member) && is_free(member, Role::Record) {
            Role::Record
        } else {
            Role::Inner
        }
    }
}

/// Whether a root is that of a document: a mapping with a marker.
pub(crate) fn is_marked(root: NodeRef<'_>) -> bool {
    may_carry(root) && is_free(root, Role::Root) && Own::of(root, Role::Root).marked
}

/// Whether a root is that of a document, or a list, which has nowhere to put a marker, of which a record is annotated.
pub(crate) fn is_annotated(root: NodeRef<'_>) -> bool {
    let speaks = |member: NodeRef<'_>| {
        Role::of_member(member).is_holder() && Own::of(member, Role::Record).marked
    };
    match root.kind() {
        Kind::Sequence => root.entries().any(|entry| speaks(entry.value())),
        _ => is_marked(root),
    }
}

/// Whether nothing of somebody else's stands under our keys. What is mangled was ours: it says nothing, and may be
/// written anew.
pub(crate) fn is_free(mapping: NodeRef<'_>, role: Role) -> bool {
    mentions_in(mapping, role == Role::Root)
        .all(|mention| matches!(mention.claim, Claim::Ours | Claim::Mangled))
}

/// What a mapping says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Own {
    /// Whether an annotation stands in it that is understood: without one, another tool may have dropped it.
    pub(crate) marked: bool,
    /// The types of the collections at the top; a root's only.
    pub(crate) types: BTreeMap<String, String>,
    /// Its birth and its stamps.
    pub(crate) annotation: Annotation,
    /// What lost.
    pub(crate) conflicts: Conflicts,
}

impl Own {
    /// What `mapping` says; what is not understood says nothing.
    pub(crate) fn of(mapping: NodeRef<'_>, role: Role) -> Self {
        let marker = text_of(mapping, ANNOTATION_KEY).and_then(|text| match role {
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
            conflicts: text_of(mapping, CONFLICTS_KEY)
                .map(|text| Conflicts::salvaged(&text))
                .unwrap_or_default(),
        }
    }

    /// Whether it says nothing at all, so that another tool may have dropped what it said. What a merge left without any
    /// stamp for what lost there says that.
    pub(crate) fn is_bare(&self) -> bool {
        !self.marked && self.conflicts.is_empty()
    }

    /// The text of the annotation, or of the marker; nothing if there is nothing to say.
    pub(crate) fn annotation_text(&self, role: Role) -> Option<String> {
        let text = match role {
            Role::Root => Marker {
                types: self.types.clone(),
                annotation: self.annotation.clone(),
            }
            .to_string(),
            _ => self.annotation.to_string(),
        };
        (!text.is_empty()).then_some(text)
    }

    /// The text of the conflicts; nothing if there are none.
    pub(crate) fn conflicts_text(&self) -> Option<String> {
        (!self.conflicts.is_empty()).then(|| self.conflicts.to_string())
    }

    /// What makes `mapping` say this.
    pub(super) fn placed(&self, mapping: NodeRef<'_>, role: Role) -> Vec<Splice> {
        let (annotation, conflicts) = (self.annotation_text(role), self.conflicts_text());
        placing::place(mapping, role, annotation.as_deref(), conflicts.as_deref())
    }
}

/// The string that stands under a key.
fn text_of(mapping: NodeRef<'_>, key: &str) -> Option<String> {
    match mapping.get(key)?.value().scalar()? {
        Scalar::Str(text) => Some(text.into_owned()),
        _ => None,
    }
}
