//! Edits by whoever sees a living document: each supersedes all that stands where it is made.

use crate::crdt::document::{Birth, Document, Node, Path, Record, Step};
use crate::crdt::edit::{Act, Change, Edit};
use crate::crdt::set::split_second_name;
use crate::crdt::{Digest, Found, Observed, Rules, Stamp};

use super::cell::{Origin, Writing};
use super::kept::Kept;
use super::row::{Head, Row};
use super::showing::node;
use super::table::Table;
use super::value::{Content, Value};
use super::{Living, Slot};

/// An edit that was made, and is in the document already.
#[derive(Debug)]
pub struct Made<'l> {
    living: &'l Living<'l>,
    stamp: Stamp,
    deed: Deed<'l>,
}

/// What was done, and to which row of which list.
#[derive(Debug)]
enum Deed<'l> {
    Written {
        list: &'l str,
        number: u32,
        field: u32,
    },
    Added {
        list: &'l str,
        number: u32,
    },
    Removed {
        list: &'l str,
        number: u32,
    },
    Other(Edit),
}

impl Made<'_> {
    /// The edit, to be told to others.
    #[must_use]
    pub fn edit(&self) -> Edit {
        let change = match &self.deed {
            Deed::Other(edit) => return edit.clone(),
            Deed::Written {
                list,
                number,
                field,
            } => self.written(list, *number, *field),
            Deed::Added { list, number } => self.added(list, *number),
            Deed::Removed { list, number } => self.removed(list, *number),
        };
        Edit {
            stamp: Some(self.stamp),
            changes: change.into_iter().collect(),
        }
    }

    fn kept(&self, list: &str, number: u32) -> Option<&Kept> {
        self.living.table(list)?.row(number)
    }

    fn written(&self, list: &str, number: u32, field: u32) -> Option<Change> {
        let rules = &self.living.rules;
        let (row, _) = self.kept(list, number)?.row()?;
        let (at, head) = place(list, row, rules)?;
        let cell = row.cell(field)?;
        Some(Change {
            at: at.entry(self.living.names.name(field)),
            act: match cell.content {
                Content::One(value) => Act::Write(value.atom(rules)),
                Content::List(members) => {
                    Act::Replace(members.map(|member| member.atom(rules)).collect())
                }
            },
            observed: cell.seen.observed(head.birth.stamp),
        })
    }

    fn added(&self, list: &str, number: u32) -> Option<Change> {
        let rules = &self.living.rules;
        let (row, _) = self.kept(list, number)?.row()?;
        let (at, head) = place(list, row, rules)?;
        let fields = row.cells().map(|cell| {
            let name = self.living.names.name(cell.field).to_owned();
            (name, node(cell.content, [self.stamp].into(), rules))
        });
        let record = Record {
            name: head.name.atom(rules),
            birth: head.birth,
            fields: fields.collect(),
        };
        let behind = head.behind.map(|behind| behind.atom(rules));
        Some(Change {
            at,
            act: Act::Add { record, behind },
            observed: Observed::default(),
        })
    }

    fn removed(&self, list: &str, number: u32) -> Option<Change> {
        let Kept::Gone(gone) = self.kept(list, number)? else {
            return None;
        };
        let (at, _) = place(list, &gone.row, &self.living.rules)?;
        Some(Change {
            at,
            act: Act::Remove,
            observed: gone.observed.clone(),
        })
    }
}

/// The way to a record, and how its row begins.
fn place<'l>(list: &str, row: &'l Row, rules: &Rules<'_>) -> Option<(Path, Head<'l>)> {
    let head = row.head()?;
    let record = Step::Record(head.name.atom(rules), head.birth.digest);
    Some((Path::default().entry(list).then(record), head))
}

/// Edits are made for a replica all of whose edits of this document are in it.
impl Living<'_> {
    /// Puts a new record behind another one, or to the front. Nothing if one of that name and birth is known.
    pub fn add<'l>(
        &'l mut self,
        list: &'l str,
        name: Value<'_>,
        birth: Digest,
        fields: &[(&str, Content<'_>)],
        behind: Option<Value<'_>>,
        stamp: Stamp,
    ) -> Option<Made<'l>> {
        if !self.root.contains_key(list) {
            self.root.insert(list.to_owned(), Slot::Table(Table::new()));
        }
        let Some(Slot::Table(table)) = self.root.get_mut(list) else {
            return None;
        };
        let said = name.said();
        let is_second = split_second_name(said).is_some_and(|(_, digest)| digest == birth);
        if is_second || table.find(said, Some(birth)).is_some() {
            return None;
        }
        let head = Head {
            in_base: false,
            birth: Birth {
                stamp: Some(stamp),
                digest: birth,
            },
            name,
            behind,
        };
        let cells = fields.iter().map(|(name, content)| Writing {
            field: self.names.number(name),
            origin: Origin::Birth,
            stamp: None,
            content: *content,
        });
        let row = Row::new(&head, cells, &mut self.scratch);
        let number = table.place(row, Some(stamp));
        Some(Made {
            living: self,
            stamp,
            deed: Deed::Added { list, number },
        })
    }

    fn table(&self, list: &str) -> Option<&Table> {
        match self.root.get(list)? {
            Slot::Table(table) => Some(table),
            Slot::Open { .. } => None,
        }
    }

    /// Writes a value into a field of a record. Nothing if no record is called so.
    pub fn write<'l>(
        &'l mut self,
        list: &'l str,
        record: &str,
        field: &str,
        content: Content<'_>,
        stamp: Stamp,
    ) -> Option<Made<'l>> {
        let writing = Writing {
            field: self.names.number(field),
            origin: Origin::Written,
            stamp: Some(stamp),
            content,
        };
        let is_contested = self.has_losers();
        let (root, mut around) = self.parts(0, false, false);
        let number = match root.get_mut(list) {
            Some(Slot::Table(table)) if !is_contested => {
                table.rewrite(record, &writing, stamp, &mut around)
            }
            _ => None,
        };
        let Some(number) = number else {
            return self.write_contested(list, record, field, content, stamp);
        };
        let field = writing.field;
        Some(Made {
            living: self,
            stamp,
            deed: Deed::Written {
                list,
                number,
                field,
            },
        })
    }

    /// Takes a record away. Nothing if none is called so.
    pub fn remove<'l>(&'l mut self, list: &'l str, record: &str, stamp: Stamp) -> Option<Made<'l>> {
        let is_contested = self.has_losers();
        let number = match self.root.get_mut(list) {
            Some(Slot::Table(table)) if !is_contested => {
                table.find(record, None).filter(|number| {
                    let Some(Kept::Row(row)) = table.row(*number).filter(|_| !table.has_twins())
                    else {
                        return false;
                    };
                    let observed = all_of(row, &self.rules);
                    table.take_away(*number, stamp, observed);
                    true
                })
            }
            _ => None,
        };
        let Some(number) = number else {
            return self.by_difference(list, record, stamp, |records, index| {
                records.remove(index);
            });
        };
        Some(Made {
            living: self,
            stamp,
            deed: Deed::Removed { list, number },
        })
    }

    /// Whether anything lost anywhere and was not settled.
    fn has_losers(&self) -> bool {
        !self.frame.losers.is_empty()
            || self
                .beside
                .iter()
                .any(|(_, change)| matches!(change.act, Act::Lose(_)))
    }

    /// Writes where something is contested: with the field whatever lost there is settled.
    fn write_contested(
        &mut self,
        list: &str,
        record: &str,
        field: &str,
        content: Content<'_>,
        stamp: Stamp,
    ) -> Option<Made<'_>> {
        let node = node(content, [stamp].into(), &self.rules);
        let field = field.to_owned();
        self.by_difference(list, record, stamp, move |records, index| {
            if let Some(record) = records.get_mut(index) {
                record.fields.insert(field, node);
            }
        })
    }

    /// Does something to the records of a list, and what makes that difference is the edit.
    fn by_difference(
        &mut self,
        list: &str,
        record: &str,
        stamp: Stamp,
        deed: impl FnOnce(&mut Vec<Record>, usize),
    ) -> Option<Made<'_>> {
        let before = self.document();
        let mut after = before.clone();
        let Some(Node::Set(records)) = after.root.get_mut(list) else {
            return None;
        };
        let index = records
            .iter()
            .position(|standing| standing.name.said() == record)?;
        let at = Path::default().entry(list).record(records.get(index)?);
        deed(records, index);
        let edits = self
            .rules
            .edits(&before, &settled(after, &before, &at, &self.rules));
        let changes = edits.into_iter().flat_map(|edit| edit.changes).collect();
        let edit = Edit {
            stamp: Some(stamp),
            changes,
        };
        self.apply(&edit);
        Some(Made {
            living: self,
            stamp,
            deed: Deed::Other(edit),
        })
    }
}

/// A document in which whatever lost in the fields of a record that were edited is settled.
fn settled(mut after: Document, before: &Document, at: &Path, rules: &Rules<'_>) -> Document {
    let fields = |document: &Document| match document.found(at) {
        Some(Found::Record(record, ..)) => Some(record.fields.clone()),
        _ => None,
    };
    let (was, is) = (fields(before), fields(&after));
    let is_edited = |name: &str| match (&was, &is) {
        (Some(was), Some(is)) => was.get(name) != is.get(name),
        _ => true,
    };
    after.losers.retain(|loser, _| {
        let Some(Step::Entry(name)) = loser
            .at
            .steps()
            .get(at.steps().len())
            .filter(|_| loser.at.steps().starts_with(at.steps()))
        else {
            return is.is_some() || !loser.at.steps().starts_with(at.steps());
        };
        let group = rules
            .groups
            .iter()
            .find(|group| group.contains(&name.as_str()));
        match group {
            Some(group) => !group.iter().any(|name| is_edited(name)),
            None => !is_edited(name),
        }
    });
    after
}

/// All that a removal of a row observes.
fn all_of(row: &Row, rules: &Rules<'_>) -> Observed {
    let birth = row.birth();
    let mut observed = Observed::default();
    birth
        .into_iter()
        .for_each(|birth| observed.add_stamp(birth));
    for cell in row.cells().filter(|cell| cell.origin != Origin::Ancestor) {
        cell.made_by(birth)
            .into_iter()
            .for_each(|stamp| observed.add_stamp(stamp));
        observed.add_stamps(&cell.seen.stamps(birth));
        match cell.content {
            Content::One(value) => observed.add(None, value.digest(rules)),
            Content::List(members) => {
                members.for_each(|member| observed.add(None, member.digest(rules)))
            }
        }
    }
    observed
}
