//! Lists in which members are put between others, taken out and moved (after Weidner and Kleppmann, "The Art of the Fugue",
//! 2023, and Kleppmann, "Moving elements in list CRDTs", 2020).
//!
//! *Spots* form a tree that only grows: a spot is put to the left or to the right of another one, so that what two people write
//! into one place at the same time stands one behind the other, whichever way they wrote. A member stands at one spot; moving
//! it replaces that spot by another one, and taking it out replaces it by none. So a member that one moves and another takes
//! out stays, and of two moves the later counts.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::{Replicated, Value};
use crate::crdt::Stamp;

/// Names a spot: the edit that made it, and which of those of that edit it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// The edit.
    pub stamp: Stamp,
    /// Which of the spots of the edit.
    pub index: u32,
}

/// On which side of another spot a spot was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Before it.
    Left,
    /// Behind it.
    Right,
}

/// Where a spot was made: beside another one, or beside the beginning of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    beside: Option<Id>,
    side: Side,
}

/// An edit of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListEdit<V> {
    /// Members are put in, one behind the other.
    Insert {
        /// Names the edit.
        stamp: Stamp,
        /// Where the first of them stands.
        at: Spot,
        /// The members.
        members: Vec<V>,
    },
    /// Members are taken out of the spots at which they were seen.
    Delete {
        /// The spots.
        observed: BTreeSet<Id>,
    },
    /// A member gets another spot.
    Move {
        /// Names the edit.
        stamp: Stamp,
        /// The spot at which the member was put in.
        member: Id,
        /// Where it stands from now on.
        at: Spot,
        /// The spots at which it was seen.
        observed: BTreeSet<Id>,
    },
}

/// What stands at a spot.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Held<V> {
    /// A member that was put in here.
    Member(V),
    /// One that was put in at another spot, and moved here.
    Moved(Id),
}

/// Members in an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List<V> {
    spots: BTreeMap<Id, (Spot, Held<V>)>,
    /// Spots at which nothing stands any more.
    left: BTreeSet<Id>,
    /// Edits of which nothing stands any more.
    forgotten: BTreeSet<Stamp>,
}

impl<V> Default for List<V> {
    fn default() -> Self {
        Self {
            spots: BTreeMap::new(),
            left: BTreeSet::new(),
            forgotten: BTreeSet::new(),
        }
    }
}

impl<V: Value> List<V> {
    /// How many members it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shown().len()
    }

    /// Whether it has no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts members in before the one at `index`, or behind the last one where there are not so many.
    #[must_use]
    pub fn insert(&self, stamp: Stamp, index: usize, members: Vec<V>) -> ListEdit<V> {
        let at = self.spot_before(index);
        ListEdit::Insert { stamp, at, members }
    }

    /// Takes members out, as far as there are so many.
    #[must_use]
    pub fn delete(&self, range: Range<usize>) -> ListEdit<V> {
        let shown = self.shown();
        let range = range.start.min(shown.len())..range.end.min(shown.len());
        let gone = shown.get(range).unwrap_or_default();
        let observed = gone.iter().flat_map(|(member, _)| self.spots_of(*member));
        ListEdit::Delete {
            observed: observed.collect(),
        }
    }

    /// Moves a member so that it stands before the one that is at `to` now; nothing where there is no such member.
    #[must_use]
    pub fn shift(&self, stamp: Stamp, from: usize, to: usize) -> Option<ListEdit<V>> {
        let (member, _) = *self.shown().get(from)?;
        Some(ListEdit::Move {
            stamp,
            member,
            at: self.spot_before(to),
            observed: self.spots_of(member),
        })
    }

    /// The spots at which a member stands: several where it was moved at the same time.
    fn spots_of(&self, member: Id) -> BTreeSet<Id> {
        let standing = self.spots.iter().filter(|(id, _)| self.stands(**id));
        let here = standing.filter(|(id, (_, held))| member_at(**id, held) == member);
        here.map(|(id, _)| *id).collect()
    }

    fn stands(&self, id: Id) -> bool {
        !self.left.contains(&id) && !self.forgotten.contains(&id.stamp)
    }

    /// A new spot before the member at an index.
    fn spot_before(&self, index: usize) -> Spot {
        let shown = self.shown();
        let before = index.min(shown.len()).checked_sub(1);
        let left = before
            .and_then(|before| shown.get(before))
            .map(|(_, id)| *id);
        let mut children = self.spots.values().map(|(spot, _)| spot);
        let right = Spot {
            beside: left,
            side: Side::Right,
        };
        if !children.any(|spot| *spot == right) {
            return right;
        }
        // Something was written there before: the new spot comes directly before that.
        let order = self.order();
        let place = left.and_then(|left| order.iter().position(|id| *id == left));
        let next = order.get(place.map_or(0, |place| place + 1));
        Spot {
            beside: next.copied(),
            side: Side::Left,
        }
    }

    /// All spots in order, those at which nothing stands among them.
    fn order(&self) -> Vec<Id> {
        let mut children: BTreeMap<Spot, Vec<Id>> = BTreeMap::new();
        for (id, (spot, _)) in &self.spots {
            children.entry(*spot).or_default().push(*id);
        }
        enum Step {
            Enter(Id),
            Show(Id),
        }
        let of = |beside: Option<Id>, side: Side| {
            let children = children.get(&Spot { beside, side });
            children
                .into_iter()
                .flatten()
                .rev()
                .map(|id| Step::Enter(*id))
        };
        let mut order = Vec::with_capacity(self.spots.len());
        let mut waiting: Vec<Step> = of(None, Side::Right).collect();
        while let Some(step) = waiting.pop() {
            match step {
                Step::Show(id) => order.push(id),
                Step::Enter(id) => {
                    waiting.extend(of(Some(id), Side::Right));
                    waiting.push(Step::Show(id));
                    waiting.extend(of(Some(id), Side::Left));
                }
            }
        }
        order
    }

    /// The members that show, in order, each with the spot at which it does: the latest, where it has several.
    fn shown(&self) -> Vec<(Id, Id)> {
        let mut latest: BTreeMap<Id, Id> = BTreeMap::new();
        for (id, (_, held)) in self.spots.iter().filter(|(id, _)| self.stands(**id)) {
            let at = latest.entry(member_at(*id, held)).or_insert(*id);
            *at = (*at).max(*id);
        }
        let member = |id: Id| {
            let (_, held) = self.spots.get(&id)?;
            let member = member_at(id, held);
            let shows = latest.get(&member) == Some(&id) && self.spots.contains_key(&member);
            shows.then_some((member, id))
        };
        self.order().into_iter().filter_map(member).collect()
    }
}

/// The member that stands at a spot.
fn member_at<V>(id: Id, held: &Held<V>) -> Id {
    match held {
        Held::Member(_) => id,
        Held::Moved(member) => *member,
    }
}

impl<V: Value> Replicated for List<V> {
    type Edit = ListEdit<V>;
    type View = Vec<V>;

    fn apply(&mut self, edit: &ListEdit<V>) {
        match edit {
            ListEdit::Insert { stamp, at, members } => {
                let mut spot = *at;
                for (index, member) in (0..).zip(members) {
                    let id = Id {
                        stamp: *stamp,
                        index,
                    };
                    self.spots.insert(id, (spot, Held::Member(member.clone())));
                    spot = Spot {
                        beside: Some(id),
                        side: Side::Right,
                    };
                }
            }
            ListEdit::Delete { observed } => self.left.extend(observed),
            ListEdit::Move {
                stamp,
                member,
                at,
                observed,
            } => {
                let id = Id {
                    stamp: *stamp,
                    index: 0,
                };
                self.left.extend(observed);
                self.spots.insert(id, (*at, Held::Moved(*member)));
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        for (id, spot) in &other.spots {
            self.spots.entry(*id).or_insert_with(|| spot.clone());
        }
        self.left.extend(&other.left);
        self.forgotten.extend(&other.forgotten);
    }

    fn view(&self) -> Vec<V> {
        let value = |(member, _): (Id, Id)| match self.spots.get(&member) {
            Some((_, Held::Member(value))) => Some(value.clone()),
            _ => None,
        };
        self.shown().into_iter().filter_map(value).collect()
    }

    fn standing(&self) -> BTreeSet<Stamp> {
        let standing = self.spots.keys().filter(|id| self.stands(**id));
        standing.map(|id| id.stamp).collect()
    }

    fn forget(&mut self, observed: &BTreeSet<Stamp>) {
        self.forgotten.extend(observed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crdt::{Clock, Replica};

    fn typed(
        replica: u32,
        base: &List<char>,
        steps: &[(usize, char)],
    ) -> (List<char>, Vec<ListEdit<char>>) {
        let mut clock = Clock::new(Replica::from_bits(replica), None);
        let (mut list, mut edits) = (base.clone(), Vec::new());
        for (index, letter) in steps {
            let stamp = clock.tick(1_800_000_000_000).unwrap();
            let edit = list.insert(stamp, *index, vec![*letter]);
            list.apply(&edit);
            edits.push(edit);
        }
        (list, edits)
    }

    fn text(list: &List<char>) -> String {
        list.view().into_iter().collect()
    }

    #[test]
    fn runs_that_are_written_at_once_do_not_mix() {
        let (base, _) = typed(1, &List::default(), &[(0, '<'), (1, '>')]);
        // Forwards, and backwards.
        for steps in [
            [(1, 'a'), (2, 'b'), (3, 'c')],
            [(1, 'c'), (1, 'b'), (1, 'a')],
        ] {
            let (mut one, _) = typed(2, &base, &steps);
            let upper = steps.map(|(index, letter)| (index, letter.to_ascii_uppercase()));
            let (two, _) = typed(3, &base, &upper);
            one.merge(&two);
            assert!(
                ["<abcABC>", "<ABCabc>"].contains(&text(&one).as_str()),
                "{}",
                text(&one)
            );
        }
    }

    #[test]
    fn a_member_that_is_moved_twice_stands_once() {
        let (base, _) = typed(1, &List::default(), &[(0, 'a'), (1, 'b'), (2, 'c')]);
        let stamp = |replica| {
            Clock::new(Replica::from_bits(replica), None)
                .tick(1_800_000_001_000)
                .unwrap()
        };
        let mut both = base.clone();
        both.apply(&base.shift(stamp(2), 0, 3).unwrap());
        both.apply(&base.shift(stamp(3), 0, 2).unwrap());
        assert_eq!(text(&both), "bac");
        // Who takes it out at the same time loses, who takes it out afterwards does not.
        both.apply(&base.delete(0..1));
        assert_eq!(text(&both), "bac");
        let gone = both.delete(1..2);
        both.apply(&gone);
        assert_eq!(text(&both), "bc");
    }
}
