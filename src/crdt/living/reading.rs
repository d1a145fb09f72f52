//! What is shown, read as it lies: nothing is copied of records in which nothing is contested.

use crate::crdt::document::{Map, Node, Path, Record};
use crate::crdt::set::Order;
use crate::crdt::view::Viewing;

use super::cell::Origin;
use super::kept::Kept;
use super::showing::member;
use super::value::{Content, Members, Value};
use super::{Living, Slot};

/// A record as it is read.
#[derive(Debug)]
pub struct Standing<'s> {
    /// What it is called.
    pub name: Value<'s>,
    /// Its fields in no order, less those in which something is nested.
    pub fields: Vec<(&'s str, Content<'s>)>,
}

impl Living<'_> {
    /// Shows the records of a list in order; nothing where no list of records stands.
    pub fn each_record(&self, list: &str, mut show: impl FnMut(&Standing<'_>)) {
        let Some(Slot::Table(table)) = self.root.get(list) else {
            return;
        };
        let Some(spots) = table.spots() else {
            if let Some(Node::Set(records)) = self.document().root.get(list) {
                records
                    .iter()
                    .for_each(|record| self.show(record, &mut show));
            }
            return;
        };
        for kept in spots.iter().filter_map(|number| table.row(*number)) {
            match kept {
                Kept::Gone(_) => {}
                Kept::Row(row) => {
                    let Some(head) = row.head() else { continue };
                    let fields = row.cells().filter(|cell| cell.origin != Origin::Ancestor);
                    let fields = fields.map(|cell| (self.names.name(cell.field), cell.content));
                    show(&Standing {
                        name: head.name,
                        fields: fields.collect(),
                    });
                }
                Kept::Open(_) => {
                    let mut viewing = Viewing {
                        rules: &self.rules,
                        losers: self.losers(),
                        removed: self.frame.removed.clone(),
                        amounts: self.frame.amounts.clone(),
                    };
                    let mut nowhere = Order::of_keys(Vec::new());
                    let at = Path::default().entry(list);
                    let member = member(kept, &mut viewing, &mut nowhere, &self.names, &at);
                    if let Some(record) = member.and_then(|member| member.record) {
                        self.show(&record, &mut show);
                    }
                }
            }
        }
    }

    fn show(&self, record: &Record, show: &mut impl FnMut(&Standing<'_>)) {
        let lists = self.lists(&record.fields);
        let mut lists = lists.iter();
        let fields = record.fields.iter().filter_map(|(name, node)| {
            let content = match node {
                Node::Register(value, _) => Content::One(Value::of(value, &self.rules)),
                Node::List(..) => Content::List(Members::new(lists.next()?)),
                Node::Map(_) | Node::Set(_) => return None,
            };
            Some((name.as_str(), content))
        });
        show(&Standing {
            name: Value::of(&record.name, &self.rules),
            fields: fields.collect(),
        });
    }

    /// The members of all lists among these fields.
    fn lists<'n>(&self, fields: &'n Map) -> Vec<Vec<Value<'n>>> {
        let lists = fields.values().filter_map(|node| match node {
            Node::List(members, _) => Some(
                members
                    .iter()
                    .map(|member| Value::of(member, &self.rules))
                    .collect(),
            ),
            _ => None,
        });
        lists.collect()
    }
}
