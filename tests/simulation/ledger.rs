//! Who typed what, and what they had before their eyes: by this alone everything is judged.
//!
//! Every value is a word that is typed once. An edit *sees* the values that stand in its place in the file from which it was
//! made: what is shown there and what lost there. A value is lost that is not to be found and that nobody saw who edited its
//! place; one is back that somebody saw who did.

use std::collections::{BTreeMap, BTreeSet};

use crate::broken::{Broken, must};
use crate::text::{self, Said};

/// The fields that people edit; none of them moves with another one.
pub(crate) const FIELDS: [&str; 3] = ["title", "owner", "priority"];

/// An edit somebody made.
#[derive(Clone, Debug)]
struct Edit {
    desk: usize,
    /// The record by the id that it was given when it was made, and the field; none for a whole record.
    record: String,
    field: Option<&'static str>,
    /// What it writes; nothing for what takes away.
    values: BTreeSet<String>,
    sees: BTreeSet<String>,
    /// What came so late that whoever made it may have read the file before.
    may_see: BTreeSet<String>,
    /// Whether it may be gone: git took it back, or it stood only in what was lost.
    is_undone: bool,
    /// Whether the program may have seen it.
    is_seen: bool,
}

impl Edit {
    fn new(desk: usize, id: &str, field: Option<&'static str>, sees: BTreeSet<String>) -> Self {
        Self {
            desk,
            record: given(id).to_owned(),
            field,
            values: BTreeSet::new(),
            sees,
            may_see: BTreeSet::new(),
            is_undone: false,
            is_seen: false,
        }
    }
}

/// All edits of a run.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    edits: Vec<Edit>,
    words: u32,
    /// Values that may be gone.
    may_go: BTreeSet<String>,
    /// Values that may be back.
    may_come: BTreeSet<String>,
    /// Records in which a file has what its lost store knew: that is recorded anew, and brings them back where they were removed.
    vouched: BTreeSet<String>,
    /// What each is the value of.
    fields: BTreeMap<String, String>,
    /// What came just now to the file that is edited.
    young: BTreeSet<String>,
    /// The desks whose stores were lost.
    pub(crate) lost_stores: BTreeSet<usize>,
    /// Those at which the program did not look since.
    blind: BTreeSet<usize>,
}

/// What a text holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) said: Said,
    /// What each record keeps of what lost in it.
    kept: BTreeMap<String, BTreeSet<String>>,
}

impl Held {
    /// Reads a text.
    ///
    /// # Errors
    /// When it is no list of records, each with an id of its own.
    pub(crate) fn read(text: &str) -> Result<Self, Broken> {
        let said = Said::read(text).map_err(|error| Broken {
            rule: "a file can be read",
            told: format!("{error}\n{text}"),
        })?;
        let mut kept: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut id = String::new();
        for line in text.lines() {
            if let Some(named) = line.strip_prefix("  - id: ") {
                id = named.to_owned();
            } else if line.starts_with("    _crdt_conflicts:") {
                kept.entry(id.clone())
                    .or_default()
                    .extend(text::words(line));
            }
        }
        Ok(Self { said, kept })
    }

    fn has(&self, id: &str) -> bool {
        self.said.leaves.keys().any(|(other, _)| other == id)
    }

    /// All values of a record.
    pub(crate) fn record(&self, id: &str) -> BTreeSet<String> {
        let shown = self.said.record(id).into_values().map(str::to_owned);
        let kept = self.kept.get(id).into_iter().flatten().cloned();
        shown.chain(kept).collect()
    }

    /// All values.
    pub(crate) fn all(&self) -> BTreeSet<String> {
        let shown = self.said.shown().into_iter().map(str::to_owned);
        shown.chain(self.said.kept.iter().cloned()).collect()
    }
}

/// The name that a record was given: what was put behind it tells it from others of that name.
fn given(id: &str) -> &str {
    id.split('-').next().unwrap_or(id)
}

impl Ledger {
    /// That of a text to which nobody did anything.
    pub(crate) fn new(start: &Held) -> Self {
        let leaves = start.said.leaves.iter();
        Self {
            fields: leaves
                .map(|((_, field), value)| (value.clone(), field.clone()))
                .collect(),
            ..Self::default()
        }
    }

    /// A word that nobody has typed.
    pub(crate) fn word(&mut self) -> u32 {
        self.words += 1;
        1_000 + self.words
    }

    /// What came to a file just before somebody edits that.
    pub(crate) fn came_just_now(&mut self, values: BTreeSet<String>) {
        self.young = values;
    }

    /// A tool writes a file that knows nothing of what lost in it. What came just now, and stands there bare, it may have written itself.
    pub(crate) fn strip(&mut self, desk: usize, seen: &Held) {
        self.may_come.extend(self.young.iter().cloned());
        let leaves = seen.said.leaves.iter();
        let young = leaves.filter(|(_, value)| self.young.contains(*value));
        self.vouched
            .extend(young.map(|((id, _), _)| given(id).to_owned()));
        if self.lost_stores.contains(&desk) {
            // Nothing is left that tells who made what.
            self.may_come.extend(seen.all());
        }
        self.edits.push(Edit {
            may_see: seen.said.kept.clone(),
            ..Edit::new(desk, "", Some("title"), BTreeSet::new())
        });
    }

    /// Whoever puts back just what HEAD has edits nothing.
    pub(crate) fn is_as_in_head(&mut self) {
        if let Some(edit) = self.edits.last_mut() {
            edit.is_undone = true;
            self.may_come.extend(edit.sees.iter().cloned());
        }
    }

    /// The edit that was made last.
    pub(crate) fn last(&self) -> usize {
        self.edits.len() - 1
    }

    /// What stands where a tool is about to write is committed: there it stays, whatever the tool writes.
    pub(crate) fn committed_before(&mut self, save: usize, committed: &Held) {
        let Edit { record, field, .. } = &self.edits[save];
        let there = field.map(|field| self.in_field(committed, &record.clone(), field));
        self.edits[save].may_see.extend(there.unwrap_or_default());
    }

    /// What nobody had looked at when somebody changed it again never was.
    fn note(&mut self, mut edit: Edit) {
        let unseen = self
            .edits
            .iter_mut()
            .filter(|other| other.desk == edit.desk && !other.is_seen);
        for other in unseen {
            let over: BTreeSet<String> = other.values.intersection(&edit.sees).cloned().collect();
            let is_gone =
                other.values.is_empty() && edit.field.is_none() && other.record == edit.record;
            if is_gone {
                edit.sees.extend(other.sees.iter().cloned());
                other.is_undone = true;
            }
            if !over.is_empty() {
                edit.sees.extend(other.sees.iter().cloned());
                other.values.retain(|value| !over.contains(value));
                other.is_undone |= other.values.is_empty();
            }
        }
        edit.may_see = edit.sees.intersection(&self.young).cloned().collect();
        edit.sees.retain(|value| !self.young.contains(value));
        // Of what is removed nothing in the file tells.
        if edit.values.is_empty() && self.blind.contains(&edit.desk) {
            self.may_come.extend(edit.sees.iter().cloned());
        }
        self.edits.push(edit);
    }

    /// All that was edited at a desk and that is not in what git put there is taken back: also what was edited again since.
    pub(crate) fn take_all_back(&mut self, desk: usize, after: &Held) {
        let after = after.all();
        for edit in self.edits.iter_mut().filter(|edit| edit.desk == desk) {
            if edit.values.is_disjoint(&after) {
                edit.is_undone = true;
                self.may_go.extend(edit.values.iter().cloned());
                self.may_come.extend(edit.sees.iter().cloned());
            }
        }
    }

    /// What was edited at a desk is committed before the program looked. Who took away what no commit had leaves no trace of that.
    pub(crate) fn committed(&mut self, desk: usize) {
        let unseen = self.edits.iter_mut();
        for edit in unseen.filter(|edit| edit.desk == desk && !edit.is_seen) {
            if edit.values.is_empty() || self.blind.contains(&desk) {
                edit.is_undone |= edit.values.is_empty();
                self.may_come.extend(edit.sees.iter().cloned());
            }
        }
    }

    /// A desk is copied: what nobody had looked at there two have made.
    pub(crate) fn copied(&mut self, desk: usize) {
        let unseen = self
            .edits
            .iter()
            .filter(|edit| edit.desk == desk && !edit.is_seen);
        let values = unseen.flat_map(|edit| &edit.values).cloned();
        self.may_come.extend(values);
    }

    /// What was edited at a desk with stamps of a time to come is told anew with others, which nobody has seen who took it away before.
    pub(crate) fn clock_went_back(&mut self, desk: usize) {
        let here = self.edits.iter().filter(|edit| edit.desk == desk);
        let values = here.flat_map(|edit| &edit.values).cloned();
        self.may_come.extend(values);
    }

    /// The program looked at what was edited at a desk.
    pub(crate) fn looked(&mut self, desk: usize) {
        self.blind.remove(&desk);
        let here = self.edits.iter_mut().filter(|edit| edit.desk == desk);
        here.for_each(|edit| edit.is_seen = true);
    }

    /// Somebody gives a field a value.
    pub(crate) fn set(
        &mut self,
        desk: usize,
        seen: &Held,
        id: &str,
        field: &'static str,
        value: &str,
    ) {
        let sees = self.in_field(seen, id, field);
        self.fields.insert(value.to_owned(), field.to_owned());
        self.note(Edit {
            values: [value.to_owned()].into(),
            ..Edit::new(desk, id, Some(field), sees)
        });
    }

    /// Somebody takes a field away.
    pub(crate) fn unset(&mut self, desk: usize, seen: &Held, id: &str, field: &'static str) {
        let sees = self.in_field(seen, id, field);
        self.note(Edit::new(desk, id, Some(field), sees));
    }

    fn in_field(&self, seen: &Held, id: &str, field: &str) -> BTreeSet<String> {
        let is_here = |value: &String| self.fields.get(value).is_some_and(|of| of == field);
        seen.record(id).into_iter().filter(is_here).collect()
    }

    /// Somebody makes a record with these values.
    pub(crate) fn add(&mut self, desk: usize, id: &str, values: &[(&'static str, String)]) {
        for (field, value) in values {
            self.fields.insert(value.clone(), (*field).to_owned());
        }
        self.note(Edit {
            values: values.iter().map(|(_, value)| value.clone()).collect(),
            ..Edit::new(desk, id, None, BTreeSet::new())
        });
    }

    /// Somebody removes a record.
    pub(crate) fn remove(&mut self, desk: usize, seen: &Held, id: &str) {
        self.note(Edit::new(desk, id, None, seen.record(id)));
    }

    /// What stood before in a file is not there any more, on purpose or because it is lost, and what stands now may be old.
    pub(crate) fn take_back(&mut self, before: &Held, after: &Held) {
        let has = |held: &Held, record: &str| {
            let mut ids = held.said.leaves.keys().map(|(id, _)| given(id));
            ids.any(|id| id == record)
        };
        // Nobody can tell whether a field is still gone in a record that is gone.
        let is_out_of_sight = |edit: &Edit| {
            edit.field.is_some()
                && edit.values.is_empty()
                && has(before, &edit.record)
                && !has(after, &edit.record)
        };
        for edit in self.edits.iter_mut().filter(|edit| is_out_of_sight(edit)) {
            edit.is_undone = true;
        }
        let (before, after) = (before.all(), after.all());
        self.may_go.extend(before.difference(&after).cloned());
        self.may_come.extend(after.difference(&before).cloned());
        let gone: BTreeSet<&String> = before.difference(&after).collect();
        for edit in &mut self.edits {
            let brings_back = edit.sees.iter().any(|value| after.contains(value));
            let is_gone = edit.values.iter().any(|value| gone.contains(value));
            edit.is_undone |= brings_back || is_gone;
        }
    }

    /// Two versions are merged, of which nothing but commits tells: who took something away in one of them, or with a record that
    /// the other one edited, may have seen that. It stays.
    pub(crate) fn merge(&mut self, [base, ours, theirs]: &[Held; 3]) {
        for (one, other) in [(ours, theirs), (theirs, ours)] {
            for ((id, field), value) in &one.said.leaves {
                let place = (id.clone(), field.clone());
                let is_apart = match (base.has(id), other.has(id)) {
                    (false, true) => !other.said.leaves.contains_key(&place),
                    (true, false) => one.said.record(id) != base.said.record(id),
                    _ => false,
                };
                if is_apart {
                    self.may_come.insert(value.clone());
                }
            }
        }
    }

    /// Whoever puts back an older file edits the records that differ: they stand where somebody else removed them meanwhile.
    pub(crate) fn put_back(&mut self, before: &Held, after: &Held) {
        self.take_back(before, after);
        let ids = after.said.leaves.keys().map(|(id, _)| id);
        let edited = ids.filter(|id| before.said.record(id) != after.said.record(id));
        self.vouched.extend(edited.map(|id| given(id).to_owned()));
    }

    /// A tool at a desk overwrites what somebody there did since it read the file.
    pub(crate) fn overwrite(&mut self, desk: usize, now: &Held, read: &Held) {
        let (now, read) = (now.all(), read.all());
        for edit in self.edits.iter_mut().filter(|edit| edit.desk == desk) {
            let is_gone = edit
                .values
                .iter()
                .any(|value| now.contains(value) && !read.contains(value));
            let is_back = edit
                .sees
                .iter()
                .any(|value| read.contains(value) && !now.contains(value));
            if is_gone || is_back {
                edit.is_undone = true;
                self.may_go.extend(edit.values.iter().cloned());
                self.may_come.extend(edit.sees.iter().cloned());
            }
        }
    }

    /// What a desk has not committed may be lost: its store knew of it alone. What its file shows is vouched for anew: it may come
    /// back beside what took its place elsewhere meanwhile.
    pub(crate) fn lose_store(&mut self, desk: usize, committed: &Held, shown: &Held) {
        self.lost_stores.insert(desk);
        self.blind.insert(desk);
        self.may_come.extend(shown.all());
        let ids: BTreeSet<&str> = committed
            .said
            .leaves
            .keys()
            .map(|(id, _)| given(id))
            .collect();
        let committed = committed.all();
        let leaves = shown.said.leaves.iter();
        let edited = leaves.filter(|(_, value)| !committed.contains(*value));
        self.vouched
            .extend(edited.map(|((id, _), _)| given(id).to_owned()));
        for edit in self.edits.iter_mut().filter(|edit| edit.desk == desk) {
            // Of what is removed nothing in the file tells.
            // Nor does a commit of what was taken away in a record that it took away as well.
            let went = edit.field.is_some() && !ids.contains(edit.record.as_str());
            let is_gone = edit.sees.iter().all(|value| !committed.contains(value));
            let is_told = edit.is_seen && is_gone && !went;
            if edit.values.is_empty() && !is_told {
                edit.is_undone = true;
                self.may_come.extend(edit.sees.iter().cloned());
            }
        }
    }

    /// Whether somebody edited the place of a value who may have seen that. What was seen where the store was lost since, nothing
    /// tells.
    fn is_over(&self, value: &str) -> bool {
        let field = self.fields.get(value);
        let mut homes = self.edits.iter().filter(|edit| edit.values.contains(value));
        let home = homes.next().map(|edit| edit.record.as_str());
        self.edits.iter().any(|edit| {
            let is_beside = home == Some(edit.record.as_str())
                && (edit.field.is_none() || edit.field == field.map(String::as_str))
                && !edit.values.contains(value);
            edit.sees.contains(value)
                || edit.may_see.contains(value)
                || (is_beside && self.lost_stores.contains(&edit.desk))
        })
    }

    /// Whether somebody removed a record and saw this value, and somebody else edited that record who had not seen that.
    fn is_revived(&self, value: &str) -> bool {
        let removals = self.edits.iter().filter(|edit| {
            let saw = edit.sees.contains(value) || edit.may_see.contains(value);
            edit.values.is_empty() && edit.field.is_none() && saw
        });
        removals.into_iter().any(|removal| {
            self.edits.iter().any(|edit| {
                edit.record == removal.record
                    && (edit.field.is_some() || !edit.values.is_empty())
                    && edit.values.is_disjoint(&removal.sees)
            })
        })
    }

    /// What is not as it must be in a file that shows what everybody did. Says how many values are told as having lost though
    /// somebody had seen them who edited their place: nothing is wrong with what is shown then, but somebody is asked in vain.
    ///
    /// # Errors
    /// What is lost, and what is back.
    pub(crate) fn judge(&self, held: &Held, told: impl Fn() -> String) -> Result<u64, Broken> {
        let all = held.all();
        let shown = held.said.shown();
        let mut asked_in_vain = 0;
        for edit in self.edits.iter().filter(|edit| !edit.is_undone) {
            for value in &edit.values {
                let is_over = self.is_over(value);
                let is_there = all.contains(value) || is_over || self.may_go.contains(value);
                must(is_there, "nothing is lost", || {
                    format!("{value}: {edit:?}\n{}", told())
                })?;
            }
        }
        // What stood in a file whose store was lost is recorded again there, and nobody had seen that.
        let again = self
            .edits
            .iter()
            .filter(|edit| self.lost_stores.contains(&edit.desk));
        let made_again: BTreeSet<&String> = again.flat_map(|edit| &edit.values).collect();
        for edit in self.edits.iter().filter(|edit| !edit.is_undone) {
            let is_removal = edit.values.is_empty() && edit.field.is_none();
            for value in &edit.sees {
                // What came in its place went with its record, of which somebody else brought back what they had.
                let went = !edit.values.is_empty()
                    && edit.values.iter().all(|value| self.is_revived(value));
                let may_be_back = went
                    || made_again.contains(value)
                    || self.may_come.contains(value)
                    || (is_removal && self.is_revived(value))
                    || (is_removal && self.vouched.contains(&edit.record));
                let is_back = all.contains(value) && !may_be_back;
                must(
                    !is_back || !shown.contains(value.as_str()),
                    "nothing comes back",
                    || format!("{value} was seen by {edit:?}\n{}", told()),
                )?;
                asked_in_vain += u64::from(is_back);
            }
        }
        Ok(asked_in_vain)
    }

    /// What a look must not do to a file: lose what nobody took away.
    ///
    /// # Errors
    /// What is lost.
    pub(crate) fn judge_look(
        &self,
        before: &Held,
        after: &Held,
        told: impl Fn() -> String,
    ) -> Result<(), Broken> {
        let (before, after) = (before.all(), after.all());
        for value in before.difference(&after) {
            let is_over = self.is_over(value);
            must(
                is_over || self.may_go.contains(value),
                "a look takes nothing away",
                || format!("{value}\n{}", told()),
            )?;
        }
        Ok(())
    }
}
