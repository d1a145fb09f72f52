//! In which manner something new is written: that of the records beside it.

use std::borrow::Cow;

use super::super::placing::{is_ours, name_of};
use super::super::{ANNOTATION_KEY, CONFLICTS_KEY};
use crate::yaml::{Collection, Draft, Kind, MadeEntry, NodeRef, Piece, Style};

/// The records of a list, as a pattern for those to come. Later ones count more.
pub(crate) struct Neighbours<'d> {
    records: Vec<NodeRef<'d>>,
    /// What stands between the `-` and the last one.
    gap: &'d str,
}

impl<'d> Neighbours<'d> {
    /// Those in a list; none in anything else.
    pub(crate) fn of(list: NodeRef<'d>) -> Self {
        let members = list.entries().map(|entry| entry.value());
        let is_record = |node: &NodeRef<'_>| node.kind() == Kind::Mapping && node.is_structured();
        let mut records: Vec<_> = members.filter(is_record).collect();
        records.reverse();
        let gap = list.entries().next_back().map(|entry| entry.sep());
        let gap = gap.filter(|gap| gap.bytes().all(|byte| byte == b' '));
        Self {
            records,
            gap: gap.unwrap_or(" "),
        }
    }

    /// Whether a new record stands in braces.
    pub(crate) fn is_flow(&self) -> bool {
        self.records.first().is_some_and(|last| last.data().flow)
    }

    /// Gives a new record, which holds nothing yet, the form of the last one: braces, or as much indentation.
    pub(crate) fn shape(&self, record: &mut MadeEntry<'d>, flow: bool) {
        let Draft::Collection(collection) = &mut record.body.value else {
            return;
        };
        collection.flow = flow;
        if flow {
            record.body.sep = Piece::new(self.gap, 0);
        } else if let Some(last) = self.records.first().filter(|last| !last.data().flow) {
            let data = last.data();
            let offset = i32::try_from(data.column).unwrap_or_default() - data.parent_column;
            collection.offset = offset.max(1);
        }
    }

    /// Gives a new record, once it is full, the spacing of the last one between its braces.
    pub(crate) fn space(&self, record: &mut Collection<'d>) {
        if record.flow {
            record.like = self.records.first().copied();
        }
    }

    /// The names of the fields that stand before the one called `name`, in the last record that has it. Annotations are
    /// among them: they stand behind a first field.
    pub(crate) fn before(&self, name: &str) -> Vec<Cow<'d, str>> {
        let Some(record) = self
            .records
            .iter()
            .find(|record| record.get(name).is_some())
        else {
            return Vec::new();
        };
        let entries = record.entries().filter(|entry| !is_ours(*entry));
        let names = entries.map_while(|entry| name_of(entry).filter(|other| other != name));
        let mut names: Vec<_> = names.collect();
        if !names.is_empty() {
            names.splice(1..1, [ANNOTATION_KEY, CONFLICTS_KEY].map(Cow::Borrowed));
        }
        names
    }

    /// A value whose form the field called `name` takes over: a collection's, or quotes that all records have there.
    pub(crate) fn like(&self, name: &str) -> Option<NodeRef<'d>> {
        let mut values = self
            .records
            .iter()
            .filter_map(|record| Some(record.get(name)?.value()));
        let last = values.next()?;
        match last.kind() {
            Kind::Sequence | Kind::Mapping => Some(last),
            Kind::Scalar(Style::Single | Style::Double) => values
                .all(|value| value.kind() == last.kind())
                .then_some(last),
            _ => None,
        }
    }
}
