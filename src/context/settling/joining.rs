//! Two records that were born under one name and are one after all: what the second has goes into the first.

use super::contest::Contest;
use super::writing::{self, NewValue, rewritten, steps};
use super::{Unsettled, read, together, without_record};
use crate::context::own::{Own, Role};
use crate::context::placing::{self, is_ours, name_of};
use crate::context::records::{identity_field, member};
use crate::context::{
    Annotation, Loser, Lost, canonical, digest, is_null, leaves, same, value::said,
};
use crate::crdt::Stamp;
use crate::yaml::{Document, EntryDraft, EntryRef, Kind, NodeRef};

/// The text of a document in which the record that a contest is about was joined into the one that has its name. That one's
/// values stand; what the other says differently is kept beside them as conflicts, and what only the other has is taken.
pub(super) fn join(document: &Document, contest: &Contest) -> Result<String, Unsettled> {
    let mut document = read(document.text().to_owned())?;
    loop {
        let holder = contest.holder_like(&document).ok_or(Unsettled::NoPlace)?;
        let namesake = holder.namesake().ok_or(Unsettled::NoPlace)?;
        let (_, field) = holder.among.ok_or(Unsettled::NoPlace)?;
        let pair = Pair {
            into: namesake,
            from: holder.node,
            field,
        };
        let Some(step) = pair.next()? else {
            let cuts = without_record(&document, holder.node)?;
            let text = placing::apply(document.text(), cuts).ok_or(Unsettled::NoPlace)?;
            return read(text).map(Document::into_text);
        };
        document = step.taken_in(&document)?;
    }
}

/// Two records, of which the one is to have what the other has.
#[derive(Clone, Copy)]
struct Pair<'d> {
    into: NodeRef<'d>,
    from: NodeRef<'d>,
    /// What tells them apart from others.
    field: &'static str,
}

/// What makes a record have more of another one.
enum Step<'d> {
    /// A mapping gets an entry.
    Put {
        mapping: NodeRef<'d>,
        entry: EntryRef<'d>,
    },
    /// A list gets a record.
    Append {
        list: NodeRef<'d>,
        record: EntryRef<'d>,
    },
    /// A value is kept as a conflict in a record.
    Lose {
        record: NodeRef<'d>,
        loser: Loser,
        stamp: Option<Stamp>,
    },
}

impl<'d> Pair<'d> {
    /// What is to be done next; nothing where all of it is done.
    fn next(self) -> Result<Option<Step<'d>>, Unsettled> {
        if Role::of_member(self.into) == Role::Inner {
            return Err(Unsettled::NoPlace);
        }
        if let Some(step) = self.in_mappings(self.into, self.from, &mut Vec::new())? {
            return Ok(Some(step));
        }
        // What had lost there has lost here.
        let open = Own::of(self.from, Role::Record).conflicts;
        let name = Annotation::path([self.field]);
        let mut open = open.iter().filter(|(loser, _)| loser.leaf != name);
        Ok(open.find_map(|(loser, stamp)| self.losing(loser.clone(), stamp)))
    }

    fn in_mappings(
        self,
        into: NodeRef<'d>,
        from: NodeRef<'d>,
        names: &mut Vec<String>,
    ) -> Result<Option<Step<'d>>, Unsettled> {
        let is_top = names.is_empty();
        for entry in from.entries() {
            let name = name_of(entry).ok_or(Unsettled::NoPlace)?;
            if is_top && (is_ours(entry) || name == self.field) || is_null(entry.value()) {
                continue;
            }
            let there = into.get(&name).filter(|there| !is_null(there.value()));
            names.push(name.clone().into_owned());
            let step = match there {
                Some(there) => self.in_values(there.value(), entry.value(), names)?,
                // One field of those that change together says nothing without the others.
                None if is_top && has_any_of(into, &together(&name)) => {
                    self.differing(entry.value(), names)
                }
                None => Some(Step::Put {
                    mapping: into,
                    entry,
                }),
            };
            names.pop();
            if step.is_some() {
                return Ok(step);
            }
        }
        Ok(None)
    }

    fn in_values(
        self,
        into: NodeRef<'d>,
        from: NodeRef<'d>,
        names: &mut Vec<String>,
    ) -> Result<Option<Step<'d>>, Unsettled> {
        if same(into, from) {
            return Ok(None);
        }
        let both = |kind| into.kind() == kind && from.kind() == kind;
        if both(Kind::Mapping) && into.is_structured() && from.is_structured() {
            return self.in_mappings(into, from, names);
        }
        let lists = both(Kind::Sequence).then(|| identity_field([into, from].into_iter()));
        let Some(field) = lists.flatten() else {
            return Ok(self.differing(from, names));
        };
        for record in from.entries() {
            let name = record.value().get(field).ok_or(Unsettled::NoPlace)?;
            let step = match member(into, &name.value().text()) {
                None => Some(Step::Append { list: into, record }),
                Some(there) if same(there.value(), record.value()) => None,
                Some(there) => {
                    let pair = Pair {
                        into: there.value(),
                        from: record.value(),
                        field,
                    };
                    pair.next()?
                }
            };
            if step.is_some() {
                return Ok(step);
            }
        }
        Ok(None)
    }

    /// Keeps a value that differs from the one that stands.
    fn differing(self, from: NodeRef<'d>, names: &[String]) -> Option<Step<'d>> {
        let leaf = Annotation::path(names.iter().map(String::as_str));
        let annotation = Own::of(self.from, Role::Record).annotation;
        let stamp = annotation.fitting(&leaf, digest(from)).max();
        let lost = Lost::Value(said(from));
        self.losing(Loser { leaf, lost }, stamp)
    }

    /// Keeps a loser, unless it is kept, or shown, already.
    fn losing(self, loser: Loser, stamp: Option<Stamp>) -> Option<Step<'d>> {
        let shown = leaves::at(self.into, &Annotation::names(&loser.leaf));
        let is_shown = shown.is_some_and(|shown| loser.lost == Lost::Value(said(shown.value())));
        let is_kept = Own::of(self.into, Role::Record).conflicts.contains(&loser);
        (!is_shown && !is_kept).then_some(Step::Lose {
            record: self.into,
            loser,
            stamp,
        })
    }
}

fn has_any_of(record: NodeRef<'_>, fields: &[&str]) -> bool {
    let mut fields = fields.iter().filter_map(|field| record.get(field));
    fields.any(|entry| !is_null(entry.value()))
}

impl Step<'_> {
    /// The document in which it is done.
    fn taken_in(self, document: &Document) -> Result<Document, Unsettled> {
        match self {
            Self::Put { mapping, entry } => {
                let name = name_of(entry).ok_or(Unsettled::NoPlace)?;
                let value = NewValue::of_canonical(&canonical(entry.value()));
                let like = Some(entry.value());
                let none: [&str; 0] = [];
                let put = writing::with_field(document, mapping, &name, &value, &none, like);
                put.ok_or(Unsettled::NoPlace)
            }
            Self::Append { list, record } => {
                let root = document.root().ok_or(Unsettled::NoPlace)?;
                let way = steps(root, list).ok_or(Unsettled::NoPlace)?;
                let record = EntryDraft::Keep(record);
                let appended = rewritten(document, &way, |collection, _| {
                    collection.place(list.len(), record);
                    Some(())
                });
                appended.ok_or(Unsettled::NoPlace)
            }
            Self::Lose {
                record,
                loser,
                stamp,
            } => {
                let mut own = Own::of(record, Role::Record);
                own.conflicts.add(loser, stamp);
                let splices = own.placed(record, Role::Record);
                read(placing::apply(document.text(), splices).ok_or(Unsettled::NoPlace)?)
            }
        }
    }
}
