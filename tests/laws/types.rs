//! The types, held to the laws.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rhema_crdt::crdt::Stamp;
use rhema_crdt::crdt::types::{
    GCounter, GSet, Kind, List, ListEdit, LwwRegister, MapEdit, MaxRegister, MemberEdit,
    MvRegister, OrMap, OrSet, PnCounter, Put, Replicated, Standing, Text, TwoPhaseSet,
};

use crate::config;
use crate::history::{Choice, Subject, histories, obeys_the_laws};

fn small(value: u8) -> u8 {
    value % 5
}

/// A type of which an edit is that of what stands.
trait Edited: Replicated {
    fn some(&self, stamp: Stamp, choice: Choice) -> Option<Self::Edit>;
}

/// An edit that says what it replaces.
trait Replacing {
    fn replaced(&self) -> BTreeSet<Stamp>;
}

impl<P> Replacing for Put<P> {
    fn replaced(&self) -> BTreeSet<Stamp> {
        self.observed.stamps()
    }
}

impl<V> Replacing for MemberEdit<V> {
    fn replaced(&self) -> BTreeSet<Stamp> {
        self.observed().stamps()
    }
}

impl<K: Kind> Subject for Standing<K>
where
    Standing<K>: Edited<Edit: Replacing>,
{
    fn some_edit(&self, stamp: Stamp, choice: Choice) -> Option<Self::Edit> {
        self.some(stamp, choice)
    }

    fn replaced(edit: &Self::Edit) -> BTreeSet<Stamp> {
        edit.replaced()
    }
}

impl Edited for LwwRegister<u8> {
    fn some(&self, stamp: Stamp, choice: Choice) -> Option<Self::Edit> {
        Some(self.write(stamp, small(choice.value)))
    }
}

impl Edited for MvRegister<u8> {
    fn some(&self, stamp: Stamp, choice: Choice) -> Option<Self::Edit> {
        Some(self.write(stamp, small(choice.value)))
    }
}

impl Edited for MaxRegister {
    fn some(&self, stamp: Stamp, choice: Choice) -> Option<Self::Edit> {
        Some(self.raise(stamp, choice.value.into()))
    }
}

/// Amounts that fill a counter soon.
fn amount(choice: Choice) -> i64 {
    match choice.deed % 8 {
        0 => i64::MAX / 2,
        1 => i64::MIN / 2,
        _ => i64::from(choice.value) - 100,
    }
}

impl Edited for GCounter {
    fn some(&self, stamp: Stamp, choice: Choice) -> Option<Self::Edit> {
        self.increment(stamp, amount(choice).unsigned_abs()).ok()
    }
}

impl Edited for PnCounter {
    fn some(&self, stamp: Stamp, choice: Choice) -> Option<Self::Edit> {
        match choice.place % 2 {
            0 => self.increment(stamp, amount(choice)).ok(),
            _ => self.decrement(stamp, amount(choice)).ok(),
        }
    }
}

impl Edited for GSet<u8> {
    fn some(&self, stamp: Stamp, choice: Choice) -> Option<Self::Edit> {
        Some(self.add(stamp, small(choice.value)))
    }
}

impl Edited for OrSet<u8> {
    fn some(&self, stamp: Stamp, choice: Choice) -> Option<Self::Edit> {
        Some(match choice.deed % 3 {
            0 => self.remove(stamp, &small(choice.value)),
            _ => self.add(stamp, small(choice.value)),
        })
    }
}

impl Edited for TwoPhaseSet<u8> {
    fn some(&self, stamp: Stamp, choice: Choice) -> Option<Self::Edit> {
        Some(match choice.deed % 4 {
            0 => self.remove(stamp, small(choice.value)),
            _ => self.add(stamp, small(choice.value)),
        })
    }
}

fn letters(choice: Choice) -> Vec<u8> {
    // One member an edit: then an edit stands as long as its member does.
    vec![b'a' + choice.value % 26]
}

fn list_edit(list: &List<u8>, stamp: Stamp, choice: Choice) -> Option<ListEdit<u8>> {
    let place = usize::from(choice.place);
    match choice.deed % 5 {
        0 => Some(list.delete(place..place + 1)),
        1 => list.shift(stamp, place, usize::from(choice.value % 6)),
        _ => Some(list.insert(stamp, place, letters(choice))),
    }
}

fn replaced_in_list<V>(edit: &ListEdit<V>) -> BTreeSet<Stamp> {
    match edit {
        ListEdit::Insert { .. } => BTreeSet::new(),
        ListEdit::Delete { observed } | ListEdit::Move { observed, .. } => {
            observed.iter().map(|id| id.stamp).collect()
        }
    }
}

impl Subject for List<u8> {
    fn some_edit(&self, stamp: Stamp, choice: Choice) -> Option<Self::Edit> {
        list_edit(self, stamp, choice)
    }

    fn replaced(edit: &Self::Edit) -> BTreeSet<Stamp> {
        replaced_in_list(edit)
    }
}

impl Subject for Text {
    fn some_edit(&self, stamp: Stamp, choice: Choice) -> Option<Self::Edit> {
        let place = usize::from(choice.place);
        Some(match choice.deed % 4 {
            0 => self.delete(place..place + 1),
            _ => self.insert(
                stamp,
                place,
                &char::from(b'a' + choice.value % 26).to_string(),
            ),
        })
    }

    fn replaced(edit: &Self::Edit) -> BTreeSet<Stamp> {
        replaced_in_list(edit)
    }
}

impl<V: Subject> Subject for OrMap<u8, V> {
    fn some_edit(&self, stamp: Stamp, choice: Choice) -> Option<Self::Edit> {
        let key = choice.place % 3;
        if choice.deed.is_multiple_of(4) {
            return Some(self.remove(key));
        }
        let mut within = None;
        let inner = Choice {
            deed: choice.deed / 4,
            ..choice
        };
        // What stands there is shown to the one who edits it.
        let edit = self.update(key, |value| {
            within = value.some_edit(stamp, inner);
            within.clone().unwrap_or_else(|| nothing(value, stamp))
        });
        within.map(|_| edit)
    }

    fn replaced(edit: &Self::Edit) -> BTreeSet<Stamp> {
        match edit {
            MapEdit::Within(_, edit) => V::replaced(edit),
            MapEdit::Remove { observed, .. } => observed.clone(),
        }
    }
}

/// Some edit, whatever it is: it is thrown away.
fn nothing<V: Subject>(value: &V, stamp: Stamp) -> V::Edit {
    let mut deeds = (0..=u8::MAX).map(|deed| Choice {
        deed,
        place: 0,
        value: 0,
    });
    deeds
        .find_map(|choice| value.some_edit(stamp, choice))
        .unwrap()
}

macro_rules! obey {
    ($($name:ident: $type:ty),+ $(,)?) => {
        proptest! {
            #![proptest_config(config(2_000))]
            $(
                #[test]
                fn $name(steps in histories()) {
                    obeys_the_laws::<$type>(&steps)?;
                }
            )+
        }
    };
}

obey! {
    last_writer_wins: LwwRegister<u8>,
    multi_value_registers: MvRegister<u8>,
    max_registers: MaxRegister,
    growing_counters: GCounter,
    counters: PnCounter,
    growing_sets: GSet<u8>,
    observed_remove_sets: OrSet<u8>,
    two_phase_sets: TwoPhaseSet<u8>,
    lists: List<u8>,
    texts: Text,
    maps_of_registers: OrMap<u8, MvRegister<u8>>,
    maps_of_counters: OrMap<u8, PnCounter>,
    maps_of_lists: OrMap<u8, List<u8>>,
    maps_of_maps: OrMap<u8, OrMap<u8, OrSet<u8>>>,
}
