//! Records that were born under the identity of another one.

use std::borrow::Cow;

use super::about::{key_of, saying};
use crate::context::{birth, canonical};
use crate::crdt::second_name;
use crate::merge::identity::{By, Slot};
use crate::yaml::{Draft, EntryDraft, EntryRef, double_quoted};

/// A record that was born under the identity of another one, with its new name.
pub(in crate::merge) struct Twin<'d> {
    /// The slot of the record that keeps the identity.
    pub(in crate::merge) of: usize,
    /// The new name.
    name: String,
    /// The record.
    pub(in crate::merge) entry: EntryDraft<'d>,
}

impl Twin<'_> {
    /// Whether it stands behind the record called `other`, which is another twin from an earlier merge.
    pub(in crate::merge) fn stands_behind(&self, other: &str) -> bool {
        let family = self.name.rsplit_once('-').map_or("", |(name, _)| name);
        other.starts_with(family) && other.len() == self.name.len() && other < self.name.as_str()
    }
}

/// What the records of a slot are called, in a list of records.
pub(in crate::merge) fn name_of(slot: &Slot<'_>, by: By) -> String {
    let By::Field(field) = by else {
        return String::new();
    };
    let names = [slot.ours, slot.theirs]
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.value().get(field)?.value().text().into_owned()));
    names.max_by_key(String::len).unwrap_or_default()
}

/// Two records born under one identity, in the slot `of`: the earlier birth keeps it, the other is renamed and its birth
/// written down.
pub(super) fn apart<'d>(
    of: usize,
    field: &str,
    ours: EntryRef<'d>,
    theirs: EntryRef<'d>,
) -> (EntryDraft<'d>, Twin<'d>) {
    let order = |entry: EntryRef<'_>| (birth(entry.value()), canonical(entry.value()));
    let (first, second) = if order(ours) <= order(theirs) {
        (ours, theirs)
    } else {
        (theirs, ours)
    };
    let birth = birth(second.value());
    let mut entry = saying(second, |own| own.annotation.birth = Some(birth));
    let identity = second.value().get(field).map(EntryRef::value);
    let name = identity.map_or_else(String::new, |node| second_name(&node.text(), birth.digest));
    let quoted = identity.is_some_and(|node| node.raw().starts_with(['"', '\'']));
    if let Some(collection) = entry.open().and_then(|made| made.body.value.open()) {
        let mut fields = collection.entries.iter_mut();
        let field = fields.find(|entry| key_of(entry).as_deref() == Some(field));
        if let Some(made) = field.and_then(EntryDraft::open) {
            made.body.value = Draft::Token(Cow::Owned(if quoted {
                double_quoted(&name)
            } else {
                name.clone()
            }));
        }
    }
    (EntryDraft::Keep(first), Twin { of, name, entry })
}
