//! In which order entries stand that were added in the same place.

use std::cmp::Ordering;

use crate::context::{IDENTITY_FIELDS, original_identity};
use crate::merge::identity::{By, Matched};
use crate::yaml::{EntryRef, NodeRef};

/// The order of entries that were added in the same place: by what they are known by.
pub(super) fn compare(matched: &Matched<'_>, a: u32, b: u32) -> Ordering {
    let entry = |index: u32| {
        let slot = &matched.slots[index as usize];
        // Whichever version is asked, the answer must be the same when the sides are swapped.
        match (slot.ours, slot.theirs) {
            (Some(x), Some(y)) => Some(if x.raw() >= y.raw() { x } else { y }),
            (x, y) => x.or(y).or(slot.base),
        }
    };
    let (Some(a), Some(b)) = (entry(a), entry(b)) else {
        return Ordering::Equal;
    };
    // What names a record stands before what it holds.
    let rank = |entry: EntryRef<'_>| {
        let key = entry.key().map(NodeRef::text);
        let naming = IDENTITY_FIELDS
            .iter()
            .position(|field| key.as_deref() == Some(field));
        naming.unwrap_or(IDENTITY_FIELDS.len())
    };
    let name = |entry: EntryRef<'_>| match matched.by {
        By::Key => Some((ordinal(&entry.key()?.text()), None)),
        // One that got a second name stands behind those of the first one.
        By::Field(field) => {
            let identity = entry.value().get(field)?.value().text();
            let identity = identity.into_owned();
            Some(match original_identity(entry.value(), field) {
                Some(first) => (ordinal(&first), Some(identity)),
                None => (ordinal(&identity), None),
            })
        }
        By::Content => None,
    };
    rank(a)
        .cmp(&rank(b))
        .then_with(|| name(a).cmp(&name(b)))
        .then_with(|| a.value().raw().cmp(b.value().raw()))
        .then_with(|| a.value().props().cmp(b.value().props()))
}

/// Numbers by value, before texts by bytes.
fn ordinal(name: &str) -> (bool, i128, String) {
    match name.parse() {
        Ok(number) => (false, number, name.to_owned()),
        Err(_) => (true, 0, name.to_owned()),
    }
}
