//! Edits by whoever sees a living document: each supersedes all that stands where it is made.

use crate::crdt::document::{Atom, Birth, Document, Node, Path, Record, Step};
use crate::crdt::edit::{Act, Change, Edit};
use crate::crdt::set::born_as;
use crate::crdt::{Digest, Found, Observed, Rules, Stamp};

use super::row::{Cell, Content, Head, Origin, Row, Value, Writing};
use super::table::{Kept, Table, shares_group};
use super::{Living, Slot};

/// An edit that was made, and is in the document already.
#[derive(Debug)]
pub struct Made<'l> {
    living: &'l Living<'l>,
    stamp: Stamp,
    deed: Deed<'l>,
}

#[derive(Debug)]
enum Deed<'l> {
    Written {
        list: &'l str,
        row: &'l Row,
        field: u32,
    },
    Added {
        list: &'l str,
        row: &'l Row,
    },
    Removed {
        list: &'l str,
        row: &'l Row,
        observed: &'l Observed,
    },
    Other(Edit),
}

impl Made<'_> {
    /// The edit, to be told to others.
    #[must_use]
    pub fn edit(&self) -> Edit {
        let rules = &self.living.rules;
        let change = match &self.deed {
            Deed::Other(edit) => return edit.clone(),
            Deed::Written { list, row, field } => place(list, row, rules)
                .zip(row.cell(*field))
                .map(|((at, head), cell)| Change {
                    at: at.entry(self.living.names.name(*field)),
                    act: match cell.content {
                        Content::One(value) => Act::Write(value.atom(rules)),
                        Content::List(members) => {
                            Act::Replace(members.map(|member| member.atom(rules)).collect())
                        }
                    },
                    observed: cell.seen.observed(head.birth.stamp),
                }),
            Deed::Added { list, row } => place(list, row, rules).map(|(at, head)| {
                let fields = row.cells().map(|cell| {
                    let name = self.living.names.name(cell.field).to_owned();
                    (
                        name,
                        super::table::node(cell.content, [self.stamp].into(), rules),
                    )
                });
                Change {
                    at,
                    act: Act::Add {
                        record: Record {
                            name: head.name.atom(rules),
                            birth: head.birth,
                            fields: fields.collect(),
                        },
                        behind: head.behind.map(|behind| behind.atom(rules)),
                    },
                    observed: Observed::default(),
                }
            }),
            Deed::Removed {
                list,
                row,
                observed,
            } => place(list, row, rules).map(|(at, _)| Change {
                at,
                act: Act::Remove,
                observed: (*observed).clone(),
            }),
        };
        Edit {
            stamp: Some(self.stamp),
            changes: change.into_iter().collect(),
        }
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
    pub fn add(
        &mut self,
        list: &str,
        name: Value<'_>,
        birth: Digest,
        fields: &[(&str, Content<'_>)],
        behind: Option<Value<'_>>,
        stamp: Stamp,
    ) -> Option<Made<'_>> {
        if !self.root.contains_key(list) {
            self.root.insert(list.to_owned(), Slot::Table(Table::new()));
        }
        let Some(Slot::Table(table)) = self.root.get_mut(list) else {
            return None;
        };
        let is_born_so = match name {
            Value::Text(text) => born_as(&Atom::new(text.to_owned()), birth) == text,
            Value::Plain(_) | Value::Spelled { .. } => {
                born_as(&name.atom(&self.rules), birth) == name.said()
            }
        };
        if !is_born_so || table.find(name.said(), Some(birth)).is_some() {
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
        let (list, table) = self.table(list)?;
        let (row, _) = table.row(number)?.row()?;
        Some(Made {
            living: self,
            stamp,
            deed: Deed::Added { list, row },
        })
    }

    fn table(&self, list: &str) -> Option<(&str, &Table)> {
        match self.root.get_key_value(list)? {
            (list, Slot::Table(table)) => Some((list, table)),
            _ => None,
        }
    }

    /// The row of a record that is called so and in which nothing is contested.
    fn row_named(&self, list: &str, record: &str) -> Option<u32> {
        let (_, table) = self.table(list)?;
        let number = table.find(record, None).filter(|_| !table.has_twins())?;
        matches!(table.row(number)?, Kept::Row(_)).then_some(number)
    }

    /// Writes a value into a field of a record. Nothing if no record is called so.
    pub fn write(
        &mut self,
        list: &str,
        record: &str,
        field: &str,
        content: Content<'_>,
        stamp: Stamp,
    ) -> Option<Made<'_>> {
        let number = match self.row_named(list, record) {
            Some(number) if !self.has_losers() => number,
            _ => return self.write_contested(list, record, field, content, stamp),
        };
        let field_number = self.names.number(field);
        let is_alone = {
            let (root, around) = self.parts(0, false, false);
            match root.get(list) {
                Some(Slot::Table(table)) => {
                    let row = table.row(number).and_then(Kept::row);
                    row.is_some_and(|(row, _)| {
                        !shares_group(row, field_number, &around)
                            && is_of_kind(row.cell(field_number), content)
                    })
                }
                _ => false,
            }
        };
        if !is_alone {
            return self.write_contested(list, record, field, content, stamp);
        }
        let writing = Writing {
            field: field_number,
            origin: Origin::Written,
            stamp: Some(stamp),
            content,
        };
        let (root, mut around) = self.parts(0, false, false);
        if let Some(Slot::Table(table)) = root.get_mut(list) {
            table.rewrite(number, &writing, stamp, &mut around);
        }
        let (list, table) = self.table(list)?;
        let (row, _) = table.row(number)?.row()?;
        Some(Made {
            living: self,
            stamp,
            deed: Deed::Written {
                list,
                row,
                field: field_number,
            },
        })
    }

    /// Takes a record away. Nothing if none is called so.
    pub fn remove(&mut self, list: &str, record: &str, stamp: Stamp) -> Option<Made<'_>> {
        let Some(number) = self.row_named(list, record).filter(|_| !self.has_losers()) else {
            return self.by_difference(list, record, stamp, |records, index| {
                records.remove(index);
            });
        };
        let observed = {
            let (_, table) = self.table(list)?;
            let (row, _) = table.row(number)?.row()?;
            all_of(row, &self.rules)
        };
        if let Some(Slot::Table(table)) = self.root.get_mut(list) {
            table.take_away(number, stamp, observed);
        }
        let (list, table) = self.table(list)?;
        let Kept::Gone(gone) = table.row(number)? else {
            return None;
        };
        Some(Made {
            living: self,
            stamp,
            deed: Deed::Removed {
                list,
                row: &gone.row,
                observed: &gone.observed,
            },
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
        let node = super::table::node(content, [stamp].into(), &self.rules);
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
    let birth = row.head().and_then(|head| head.birth.stamp);
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

/// Whether a field can be overwritten by a value of the same kind.
fn is_of_kind(cell: Option<Cell<'_>>, content: Content<'_>) -> bool {
    match (cell.map(|cell| cell.content), content) {
        (None, _)
        | (Some(Content::One(_)), Content::One(_))
        | (Some(Content::List(_)), Content::List(_)) => true,
        _ => false,
    }
}
