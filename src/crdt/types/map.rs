//! Maps of values that are of a type themselves, maps among them (OR-Map after Almeida et al., 2018). Updates win: a removal
//! takes away what it had seen in an entry, and whoever updates that at the same time keeps the update.

use std::collections::{BTreeMap, BTreeSet};

use super::{Replicated, Value};
use crate::crdt::Stamp;

/// Named values of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrMap<K, V> {
    entries: BTreeMap<K, V>,
    /// What was taken away along with all of the map, in whatever entry that stood or is still to come.
    forgotten: BTreeSet<Stamp>,
}

/// An edit of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MapEdit<K, E> {
    /// An edit of the value of an entry.
    Within(K, E),
    /// An entry is taken away.
    Remove {
        /// Which.
        key: K,
        /// The edits of it that were seen.
        observed: BTreeSet<Stamp>,
    },
}

impl<K, V> Default for OrMap<K, V> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            forgotten: BTreeSet::new(),
        }
    }
}

impl<K: Value, V: Replicated> OrMap<K, V> {
    /// Edits the value of an entry: `edit` makes the edit of what stands there, or of nothing.
    pub fn update(&self, key: K, edit: impl FnOnce(&V) -> V::Edit) -> MapEdit<K, V::Edit> {
        let edit = match self.entries.get(&key) {
            Some(value) => edit(value),
            None => edit(&V::default()),
        };
        MapEdit::Within(key, edit)
    }

    /// Takes an entry away.
    pub fn remove(&self, key: K) -> MapEdit<K, V::Edit> {
        let value = self.entries.get(&key);
        let observed = value.map(V::standing).unwrap_or_default();
        MapEdit::Remove { key, observed }
    }

    fn entry(&mut self, key: &K) -> &mut V {
        let forgotten = &self.forgotten;
        let begun = || {
            let mut value = V::default();
            value.forget(forgotten);
            value
        };
        self.entries.entry(key.clone()).or_insert_with(begun)
    }
}

impl<K: Value, V: Replicated> Replicated for OrMap<K, V> {
    type Edit = MapEdit<K, V::Edit>;
    type View = BTreeMap<K, V::View>;

    fn apply(&mut self, edit: &Self::Edit) {
        match edit {
            MapEdit::Within(key, edit) => {
                self.entry(key).apply(edit);
            }
            MapEdit::Remove { observed, .. } if observed.is_empty() => {}
            MapEdit::Remove { key, observed } => {
                self.entry(key).forget(observed);
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        self.forget(&other.forgotten);
        for (key, value) in &other.entries {
            let entry = self.entry(key);
            entry.merge(value);
        }
    }

    fn view(&self) -> Self::View {
        let standing = self
            .entries
            .iter()
            .filter(|(_, value)| !value.standing().is_empty());
        standing
            .map(|(key, value)| (key.clone(), value.view()))
            .collect()
    }

    fn standing(&self) -> BTreeSet<Stamp> {
        self.entries.values().flat_map(V::standing).collect()
    }

    fn forget(&mut self, observed: &BTreeSet<Stamp>) {
        self.forgotten.extend(observed);
        self.entries
            .values_mut()
            .for_each(|value| value.forget(observed));
    }
}
