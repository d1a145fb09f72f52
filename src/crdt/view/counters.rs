//! The view of numbers that people change at the same time without contest: counters, and those of which the greatest stands.

use super::{Touch, Value, Viewing};
use crate::crdt::document::{Atom, Node, Path};
use crate::crdt::edit::Act;
use crate::crdt::{Amounts, Stamp, total};

impl Viewing<'_> {
    /// A number with all that was added to it, each amount once. Whoever gave it a value, or took it away, had seen some
    /// amounts; those that nobody had seen are added to that value, or bring all of it back.
    pub(super) fn counter(
        &mut self,
        base: Option<&Node>,
        touches: &[Touch],
        at: &Path,
    ) -> Option<Node> {
        let place = at.as_born();
        let known = self.amounts.get(&place).cloned().unwrap_or_default();
        let (counts, others): (Vec<&Touch>, Vec<&Touch>) = touches
            .iter()
            .partition(|touch| matches!(touch.act, Act::Count(_)));
        // One edit goes by several names where it was found in a file before its own was heard of.
        let is_known = |count: &Touch| {
            let mut known = known.keys();
            known.any(|name| count.stamp == Some(*name) || count.observed.has_stamp(*name))
        };
        let is_seen_by = |other: &Touch, count: &Touch| {
            let stamp = count.stamp.filter(|_| other.stamp != count.stamp);
            stamp.is_some_and(|stamp| other.observed.has_stamp(stamp))
        };
        let is_renamed = |count: &Touch| counts.iter().any(|other| is_seen_by(other, count));
        let once = counts
            .iter()
            .filter(|count| !is_known(count) && !is_renamed(count));
        let once: Vec<&Touch> = once.copied().collect();
        let is_removed = others.iter().any(|other| other.act == Act::Remove);
        let is_seen = |count: &&Touch| others.iter().any(|other| is_seen_by(other, count));
        let unseen: Vec<&Touch> = once
            .iter()
            .filter(|count| !is_seen(count))
            .copied()
            .collect();
        let others: Vec<Touch> = others.into_iter().cloned().collect();
        let (mut node, mut added) = match others.is_empty() {
            true => (base.cloned(), unseen),
            false => (self.plain_leaf(base, &others, at), unseen),
        };
        if node.is_none() && is_removed {
            if added.is_empty() {
                self.amounts.remove(&place);
                return None;
            }
            // Somebody went on counting: all of it comes back.
            self.removed.remove(at);
            self.lose(at, None, None);
            (node, added) = (base.cloned(), once);
        }
        let Some(number) = node.as_ref().map_or(Some(0), Node::as_number) else {
            // There is nothing to which anything could be added.
            self.forget_amounts(at, node.as_ref());
            return node;
        };
        let amount = |count: &&Touch| match count.act {
            Act::Count(amount) => amount,
            _ => 0,
        };
        let number = total(number, added.iter().map(amount));
        let mut stamps = match &node {
            Some(Node::Register(_, stamps)) => stamps.clone(),
            _ => Default::default(),
        };
        let mut amounts: Amounts = known;
        amounts.retain(|stamp, _| stamps.contains(stamp));
        for count in &added {
            if let Some(stamp) = count.stamp {
                stamps.insert(stamp);
                amounts.insert(stamp, amount(count));
            }
        }
        match amounts.is_empty() {
            true => self.amounts.remove(&place),
            false => self.amounts.insert(place, amounts),
        };
        Some(Node::Register(Atom::number(number), stamps))
    }

    /// What is known of the amounts at a place goes with the number that they were added to.
    pub(super) fn forget_amounts(&mut self, at: &Path, node: Option<&Node>) {
        let Some(amounts) = self.amounts.get_mut(&at.as_born()) else {
            return;
        };
        match node {
            Some(Node::Register(_, stamps)) => amounts.retain(|stamp, _| stamps.contains(stamp)),
            _ => amounts.clear(),
        }
        if amounts.is_empty() {
            self.amounts.remove(&at.as_born());
        }
    }
}

/// Of concurrent values only the greatest number, in whose favour nobody has to decide anything.
pub(super) fn greatest(live: Vec<(Value, Option<Stamp>)>) -> Vec<(Value, Option<Stamp>)> {
    let number = |(value, _): &(Value, Option<Stamp>)| value.as_ref().and_then(Atom::as_number);
    let (numbers, mut others): (Vec<_>, Vec<_>) =
        live.into_iter().partition(|one| number(one).is_some());
    others.extend(numbers.into_iter().max_by_key(number));
    others
}
