//! What a list shows: rows as they are, all else as the view has it.

use crate::crdt::Rules;
use crate::crdt::document::{Map, Node, Path, Record, Stamps};
use crate::crdt::edit::Act;
use crate::crdt::set::{Key, Order};
use crate::crdt::view::Viewing;
use crate::crdt::view::records::Member;

use super::cell::Origin;
use super::kept::{Kept, is_waiting, owned_key};
use super::names::Names;
use super::table::Table;
use super::value::Content;

impl Table {
    /// The list as it is shown; nothing where no record was ever born.
    pub(super) fn view(&self, viewing: &mut Viewing<'_>, names: &Names, at: &Path) -> Option<Node> {
        let is_known = self.in_base
            || self.rows.iter().any(|kept| match kept {
                Kept::Open(open) => open
                    .touches
                    .iter()
                    .any(|touch| touch.rest.is_empty() && matches!(touch.act, Act::Add { .. })),
                _ => true,
            });
        if !is_known {
            return None;
        }
        if let Some(spots) = &self.spots {
            let mut nowhere = Order::of_keys(Vec::new());
            let mut records = Vec::with_capacity(spots.len());
            for number in spots {
                let member = self
                    .row(*number)
                    .and_then(|kept| member(kept, viewing, &mut nowhere, names, at));
                records.extend(member.and_then(|member| member.record));
            }
            // Births that are not known yet leave something behind, too.
            for kept in self.rows.iter().filter(|kept| is_waiting(kept)) {
                member(kept, viewing, &mut nowhere, names, at);
            }
            return Some(Node::Set(records.into()));
        }
        let base = self.rows.iter().take(self.base as usize);
        let mut order = Order::of_keys(base.filter_map(owned_key).collect());
        let mut family = Vec::with_capacity(self.rows.len());
        for kept in &self.rows {
            if let Some(head) = kept.row().and_then(|(row, _)| row.head())
                && !head.in_base
                && let Some(key) = owned_key(kept)
            {
                let behind = head.behind.map(|behind| behind.atom(viewing.rules));
                order.put(&key, behind.as_ref(), head.birth.stamp);
            }
            family.extend(member(kept, viewing, &mut order, names, at));
        }
        Some(Node::Set(order.arrange(viewing.named(family)).into()))
    }
}

/// A record as it is shown.
pub(super) fn member(
    kept: &Kept,
    viewing: &mut Viewing<'_>,
    order: &mut Order,
    names: &Names,
    at: &Path,
) -> Option<Member> {
    let (row, stands) = match kept {
        Kept::Open(open) => {
            return viewing.record(
                open.key.clone(),
                open.base.as_ref(),
                open.touches.cloned(),
                order,
                at,
            );
        }
        Kept::Row(row) => (row, None),
        Kept::Gone(gone) => (&gone.row, Some(gone.stamp)),
    };
    let head = row.head()?;
    let mut record = Record {
        name: head.name.atom(viewing.rules),
        birth: head.birth,
        fields: Map::new(),
    };
    let key = Key::of(&record);
    let at = at.record(&record);
    if let Some(stamp) = stands {
        viewing.removed.entry(at).or_default().insert(stamp);
        return Some(Member {
            key,
            birth: head.birth,
            came: head.birth.stamp,
            gone: Some(Some(stamp)),
            record: None,
        });
    }
    for cell in row.cells().filter(|cell| cell.origin != Origin::Ancestor) {
        let stamps = cell.made_by(head.birth.stamp).into_iter().collect();
        record.fields.insert(
            names.name(cell.field).to_owned(),
            node(cell.content, stamps, viewing.rules),
        );
    }
    // Whoever wrote some of the fields that change together left the others away.
    for group in viewing.rules.groups {
        let edited = row
            .cells()
            .filter(|cell| !matches!(cell.origin, Origin::Base | Origin::Ancestor));
        let mut edited = edited.filter(|cell| group.contains(&names.name(cell.field)));
        let Some(stamp) = edited
            .next()
            .and_then(|cell| cell.made_by(head.birth.stamp))
        else {
            continue;
        };
        for field in group
            .iter()
            .filter(|field| !record.fields.contains_key(**field))
        {
            viewing
                .removed
                .entry(at.entry(field))
                .or_default()
                .insert(stamp);
        }
    }
    Some(Member {
        key,
        birth: head.birth,
        came: head.birth.stamp,
        gone: None,
        record: Some(record),
    })
}

pub(super) fn node(content: Content<'_>, stamps: Stamps, rules: &Rules<'_>) -> Node {
    match content {
        Content::One(value) => Node::Register(value.atom(rules), stamps),
        Content::List(members) => {
            Node::List(members.map(|member| member.atom(rules)).collect(), stamps)
        }
    }
}
