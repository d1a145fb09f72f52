//! Where the rows of a list stand: an order that is kept as long as no name is in doubt, and found out again otherwise.

use std::collections::HashSet;

use crate::crdt::Stamp;
use crate::crdt::set::split_second_name;

use super::kept::Kept;
use super::row::Row;
use super::table::Table;

impl Table {
    /// Somebody put a record behind another one at its birth.
    pub(super) fn place(&mut self, row: Row, stamp: Option<Stamp>) -> u32 {
        let number = self.push(Kept::Row(row));
        let spot = self
            .spots
            .as_ref()
            .and_then(|spots| self.spot(spots, number, stamp));
        match (&mut self.spots, spot) {
            (Some(spots), Some(spot)) => spots.insert(spot, number),
            (spots, _) => *spots = None,
        }
        number
    }

    /// Where in the order a new record comes: directly behind its anchor, but for what was put there later. Nothing where names are
    /// not clear.
    fn spot(&self, spots: &[u32], number: u32, stamp: Option<Stamp>) -> Option<usize> {
        let behind = |number: u32| -> Option<Option<u32>> {
            let (row, _) = self.rows.get(number as usize)?.row()?;
            match row.head()?.behind {
                None => Some(None),
                Some(behind) => self.anchor(behind.said()).map(Some),
            }
        };
        let anchor = behind(number)?;
        let mut at = match anchor {
            None => 0,
            Some(anchor) if spots.last() == Some(&anchor) => return Some(spots.len()),
            Some(anchor) => spots.iter().position(|spot| *spot == anchor)? + 1,
        };
        // What follows the anchor itself, latest first, each with all that follows it.
        let mut followers = HashSet::new();
        while let Some(next) = spots.get(at) {
            if *next < self.base {
                break;
            }
            let its_anchor = behind(*next)?;
            if its_anchor == anchor {
                let (row, _) = self.rows.get(*next as usize)?.row()?;
                if row.head()?.birth.stamp < stamp {
                    break;
                }
                followers.clear();
            } else if !its_anchor.is_some_and(|anchor| followers.contains(&anchor)) {
                break;
            }
            followers.insert(*next);
            at += 1;
        }
        Some(at)
    }

    /// The record that an edit means by a name, where only one can be meant.
    fn anchor(&self, name: &str) -> Option<u32> {
        let could_be_second =
            split_second_name(name).is_some_and(|(first, _)| self.find(first, None).is_some());
        if could_be_second {
            return None;
        }
        self.find(name, None)
    }
}
