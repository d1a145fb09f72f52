//! Sequences, where oracles lie.
//!
//! - All items of all versions are mappings with a unique identity: records, compared by identity.
//! - Any other sequence: a multiset. Base's items are traced into each side ([`align`]); an item that one side edited or
//!   removed and the other left alone goes that side's way; additions count once when both sides made them.

use std::collections::{BTreeMap, BTreeSet};

use crate::align::{self, Fate};
use crate::expect::{Expect, List, Order};
use crate::oracle::Oracle;
use crate::value::Value;

/// The keys that identify a record, the first that serves in all three versions.
const IDENTITIES: [&str; 6] = ["id", "name", "key", "title", "issue", "path"];

pub(crate) fn merge<'a>(
    oracle: &mut Oracle,
    base: &'a [Value],
    ours: &'a [Value],
    theirs: &'a [Value],
) -> Expect<'a> {
    for identity in IDENTITIES {
        if let (Some(base), Some(ours), Some(theirs)) = (
            records(base, identity),
            records(ours, identity),
            records(theirs, identity),
        ) {
            return merge_records(oracle, identity, &base, &ours, &theirs);
        }
    }
    merge_lists(oracle, base, ours, theirs)
}

type Records<'a> = Vec<(&'a Value, &'a Value)>;

/// Identity and item of each record; `None` if an item has no identity or shares it.
pub(crate) fn records<'a>(items: &'a [Value], identity: &str) -> Option<Records<'a>> {
    let mut seen = BTreeSet::new();
    items
        .iter()
        .map(|item| {
            let id = identity_of(item, identity)?;
            seen.insert(id).then_some((id, item))
        })
        .collect()
}

/// What the item carries under the identity key, if that can identify anything.
pub(crate) fn identity_of<'a>(item: &'a Value, identity: &str) -> Option<&'a Value> {
    let Value::Map(entries) = item.split().0 else {
        return None;
    };
    let id = entries.get(&Value::Text(identity.to_owned()))?;
    (id.is_scalar() && *id != Value::Null).then_some(id)
}

fn merge_records<'a>(
    oracle: &mut Oracle,
    identity: &'static str,
    base: &Records<'a>,
    ours: &Records<'a>,
    theirs: &Records<'a>,
) -> Expect<'a> {
    let order = Order {
        base: ids(base),
        ours: ids(ours),
        theirs: ids(theirs),
    };
    let [by_base, by_ours, by_theirs] =
        [base, ours, theirs].map(|side| -> BTreeMap<_, _> { side.iter().copied().collect() });
    let all: BTreeSet<&Value> = by_base
        .keys()
        .chain(by_ours.keys())
        .chain(by_theirs.keys())
        .copied()
        .collect();
    let versions =
        |id| [by_base.get(id), by_ours.get(id), by_theirs.get(id)].map(Option::<&&Value>::copied);
    let entries = oracle.slots(
        all.into_iter().map(|id| (id, versions(id))).collect(),
        Some(identity),
    );
    Expect::Records {
        identity,
        entries,
        order,
    }
}

fn ids<'a>(records: &Records<'a>) -> Vec<&'a Value> {
    records.iter().map(|(id, _)| *id).collect()
}

fn merge_lists<'a>(
    oracle: &mut Oracle,
    base: &'a [Value],
    ours: &'a [Value],
    theirs: &'a [Value],
) -> Expect<'a> {
    let (our_fates, our_new) = align::align(base, ours);
    let (their_fates, their_new) = align::align(base, theirs);
    let mut list = List {
        order: Order {
            base: base.iter().collect(),
            ours: ours.iter().collect(),
            theirs: theirs.iter().collect(),
        },
        ..List::default()
    };
    let mut removed_by_both = BTreeSet::new();
    // What each side wrote where the other left base alone, or where base has nothing.
    let mut written = [BTreeMap::new(), BTreeMap::new()];
    for at in our_new {
        *written[0].entry(&ours[at]).or_insert(0) += 1;
    }
    for at in their_new {
        *written[1].entry(&theirs[at]).or_insert(0) += 1;
    }
    for (at, item) in base.iter().enumerate() {
        *list.base.entry(item).or_default() += 1;
        let image = |fate, side: &'a [Value]| match fate {
            Fate::Edited { to, .. } => Some(&side[to]),
            _ => None,
        };
        let sure = |fate| !matches!(fate, Fate::Edited { sure: false, .. });
        let (our_fate, their_fate) = (our_fates[at], their_fates[at]);
        let (our_image, their_image) = (image(our_fate, ours), image(their_fate, theirs));
        match (our_fate, their_fate) {
            (Fate::Kept, Fate::Kept) => list.members.entry(item).or_default().kept += 1,
            (Fate::Kept, Fate::Removed) | (Fate::Removed, Fate::Kept) => {}
            (Fate::Removed, Fate::Removed) => {
                removed_by_both.insert(item);
            }
            (Fate::Edited { .. }, Fate::Kept) | (Fate::Kept, Fate::Edited { .. }) => {
                let side = usize::from(our_image.is_none());
                if let Some(image) = our_image.or(their_image) {
                    *written[side].entry(image).or_insert(0) += 1;
                    list.members.entry(image).or_default().from = Some(item);
                }
            }
            (Fate::Edited { .. }, Fate::Edited { .. }) => {
                if let (Some(our_image), Some(their_image)) = (our_image, their_image) {
                    if our_image == their_image {
                        let members = list.members.entry(our_image).or_default();
                        members.written += 1;
                        members.from = Some(item);
                    } else if !our_image.is_scalar() && !their_image.is_scalar() {
                        let merged = oracle.at(format!("[{at}]"), |oracle| {
                            oracle.merge(item, our_image, their_image)
                        });
                        list.merged.push(merged);
                    } else {
                        let hard = sure(our_fate) && sure(their_fate);
                        oracle.at(format!("[{at}]"), |oracle| {
                            oracle.contest("replaced differently by both sides", hard)
                        });
                        list.open.push(vec![item, our_image, their_image]);
                    }
                }
            }
            (Fate::Edited { .. }, Fate::Removed) | (Fate::Removed, Fate::Edited { .. }) => {
                // A scalar has no identity: "replaced" may as well be "removed, and another one added".
                let hard = !item.is_scalar() && sure(our_fate) && sure(their_fate);
                oracle.at(format!("[{at}]"), |oracle| {
                    oracle.contest("removed by one side, replaced by the other", hard)
                });
                list.open.push(
                    [our_image, their_image]
                        .into_iter()
                        .flatten()
                        .chain(hard.then_some(item))
                        .collect(),
                );
            }
        }
    }
    for item in removed_by_both {
        if list.base.get(item).is_some_and(|count| *count > 1) && list.members.contains_key(item) {
            oracle.contest("one of several equal members removed by both sides", false);
            list.open.push(vec![item; base.len()]);
        }
    }
    let [by_ours, by_theirs] = written;
    let values: BTreeSet<&Value> = by_ours.keys().chain(by_theirs.keys()).copied().collect();
    for value in values {
        let count = |side: &BTreeMap<&Value, usize>| side.get(value).copied().unwrap_or(0);
        list.members.entry(value).or_default().written += count(&by_ours).max(count(&by_theirs));
    }
    Expect::List(list)
}
