//! How records came into being: what named them then, and what they are called when two were born under one identity.

use std::borrow::Cow;

use super::own::Role;
use super::placing::{is_ours, name_of};
use super::records::identity;
use super::value::normal;
use super::{ANNOTATION_KEY, Annotation, Birth, DEFINING_FIELDS, digest, is_null};
#[cfg(doc)]
use crate::crdt::second_name;
use crate::crdt::{Digest, split_second_name};
use crate::yaml::{Document, EntryRef, Limits, NodeRef, Scalar};

/// The digest of what names a record: its defining field, or else all its scalar fields together.
pub(super) fn defining(record: NodeRef<'_>) -> Digest {
    if let Some(entry) = defining_field(record) {
        return digest(entry.value());
    }
    let mut fields: Vec<String> = scalar_fields(record)
        .filter(|entry| !is_null(entry.value()))
        .filter_map(|entry| Some(format!("{}:{}", name_of(entry)?, normal(entry.value()))))
        .collect();
    fields.sort();
    Digest::of(fields.join(",").as_bytes())
}

/// The leaf that stands for a whole record: the one that names it, else its first scalar.
pub(super) fn defining_leaf(record: NodeRef<'_>) -> Option<String> {
    let entry = defining_field(record).or_else(|| scalar_fields(record).next())?;
    Some(Annotation::path([name_of(entry)?.as_ref()]))
}

fn defining_field(record: NodeRef<'_>) -> Option<EntryRef<'_>> {
    DEFINING_FIELDS
        .into_iter()
        .find_map(|field| record.get(field))
}

fn scalar_fields(record: NodeRef<'_>) -> impl Iterator<Item = EntryRef<'_>> {
    record
        .entries()
        .filter(|entry| !is_ours(*entry) && entry.value().scalar().is_some())
}

/// The birth of the record in these lines of a list; nothing where they are not read as one.
#[must_use]
pub fn birth_in_lines(lines: &str) -> Option<Birth> {
    let read = Document::from_text(lines.to_owned(), &Limits::default()).ok()?;
    let mut members = read.root()?.entries();
    members
        .next()
        .filter(|_| members.next().is_none())
        .map(|member| birth(member.value()))
}

/// The birth of a record: as written down, else as it stands.
pub(crate) fn birth(record: NodeRef<'_>) -> Birth {
    written(record).unwrap_or_else(|| Birth {
        stamp: None,
        digest: defining(record),
    })
}

/// The birth that a record has written down.
pub(super) fn written(record: NodeRef<'_>) -> Option<Birth> {
    let text = match record.get(ANNOTATION_KEY)?.value().scalar()? {
        Scalar::Str(text) => text,
        _ => return None,
    };
    // Births stand first: most annotations need not be read.
    if !text.starts_with('+') {
        return None;
    }
    Annotation::parse(&text).ok()?.birth
}

/// Whether two records that were added under one identity are one: those born under the same name are. A copy of the
/// birth beside another name is somebody's edit of that name.
pub(crate) fn are_one(a: NodeRef<'_>, b: NodeRef<'_>) -> bool {
    birth(a).digest == birth(b).digest
}

/// The identity that a record was born with before another record of that identity made it take a second one; nothing
/// if none did.
pub(crate) fn original_identity(record: NodeRef<'_>, field: &str) -> Option<String> {
    match identity(record, field)? {
        Scalar::Str(name) => {
            former(record, &name, written(record)).map(|(name, _)| name.into_owned())
        }
        _ => None,
    }
}

/// The identity that a record was born with before it got its [`second_name`], and what named it then; nothing if it
/// got none. `written` is the birth that it has written down.
pub(super) fn former<'d>(
    record: NodeRef<'d>,
    identity: &Cow<'d, str>,
    written: Option<Birth>,
) -> Option<(Cow<'d, str>, Digest)> {
    let (former, digest) = split_second_name(identity)?;
    let born = match written {
        Some(birth) => birth.digest,
        // It has nowhere to write its birth down.
        None if Role::of_member(record) == Role::Inner => defining(record),
        None => return None,
    };
    (born == digest).then(|| (Cow::Owned(former.to_owned()), digest))
}
