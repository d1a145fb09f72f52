//! Records that were born under the identity of another one.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::about::{bear, key_of, record_name, saying};
use super::role_of;
use crate::context::{Birth, birth, canonical, original_identity};
use crate::crdt::{second_name, split_second_name};
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
        let family = split_second_name(&self.name).map_or("", |(first, _)| first);
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
    let identity = second.value().get(field).map(EntryRef::value);
    let name = identity.map_or_else(String::new, |node| second_name(&node.text(), birth.digest));
    let mut entry = saying(second, |own| own.annotation.birth = Some(birth));
    call(&mut entry, field, &name);
    (EntryDraft::Keep(first), Twin { of, name, entry })
}

/// Gives a record another identity, spelled as its own was.
fn call(entry: &mut EntryDraft<'_>, field: &str, name: &str) {
    let Some(collection) = entry.open().and_then(|made| made.body.value.open()) else {
        return;
    };
    let mut fields = collection.entries.iter_mut();
    let field = fields.find(|entry| key_of(entry).as_deref() == Some(field));
    if let Some(made) = field.and_then(EntryDraft::open) {
        let quoted = match &made.body.value {
            Draft::Keep(node) => node.raw().starts_with(['"', '\'']),
            Draft::Token(text) => text.starts_with(['"', '\'']),
            Draft::Block(_) | Draft::Collection(_) => false,
        };
        made.body.value = Draft::Token(Cow::Owned(if quoted {
            double_quoted(name)
        } else {
            name.to_owned()
        }));
    }
}

/// A record of which several were born under one identity.
struct Relative {
    slot: usize,
    birth: Birth,
}

/// Deals the names of records that were born under one identity anew: an earlier birth of one of them, known from another
/// branch, may give it the name that another one kept until now.
pub(super) fn deal<'d>(field: &str, slots: &[Slot<'d>], entries: &mut [Option<EntryDraft<'d>>]) {
    let versions = |slot: &Slot<'d>| [slot.ours, slot.theirs].into_iter().flatten();
    let mut families: BTreeMap<String, Vec<Relative>> = BTreeMap::new();
    for slot in slots {
        let origins = versions(slot).filter_map(|entry| original_identity(entry.value(), field));
        for origin in origins {
            families.entry(origin).or_default();
        }
    }
    if families.is_empty() {
        return;
    }
    for (index, slot) in slots
        .iter()
        .enumerate()
        .filter(|(index, _)| entries[*index].is_some())
    {
        let origin = |entry: EntryRef<'d>| {
            let record = entry.value();
            original_identity(record, field)
                .or_else(|| Some(record.get(field)?.value().text().into_owned()))
        };
        let Some(family) = versions(slot).filter_map(origin).min_by_key(String::len) else {
            continue;
        };
        let birth = versions(slot).map(|entry| birth(entry.value())).min();
        if let Some((family, birth)) = families.get_mut(&family).zip(birth) {
            family.push(Relative { slot: index, birth });
        }
    }
    for (name, mut family) in families {
        let is_called = |slot: usize| {
            let entry = entries[slot].as_ref();
            entry.and_then(|entry| record_name(entry, field)).as_ref() == Some(&name)
        };
        let mut places: Vec<usize> = family.iter().map(|relative| relative.slot).collect();
        places.sort_by_key(|slot| !is_called(*slot));
        family.sort_by_key(|relative| relative.birth);
        let (Some(keeper), Some(first)) = (places.first(), family.first()) else {
            continue;
        };
        if first.slot == *keeper || !is_called(*keeper) {
            continue;
        }
        // The one that keeps the name stands where the one did that had it.
        let records: Vec<_> = family
            .iter()
            .map(|relative| entries[relative.slot].take())
            .collect();
        for (number, (relative, record)) in family.iter().zip(records).enumerate() {
            let Some(mut record) = record else { continue };
            if number == 0 {
                call(&mut record, field, &name);
            } else {
                call(
                    &mut record,
                    field,
                    &second_name(&name, relative.birth.digest),
                );
                if role_of(&slots[relative.slot]).is_holder() {
                    bear(&mut record, relative.birth);
                }
            }
            entries[places[number]] = Some(record);
        }
    }
}
