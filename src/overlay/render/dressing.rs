//! Forms put on entries: comments, spacing, keys, indentation.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use super::parts;
use crate::crdt::{Digest, Form, Formed, Part, Path, Step};
use crate::merge::Frame;
use crate::yaml::{Collection, Draft, MadeEntry, NodeRef, PartDraft, Piece};

/// The forms of a view.
#[derive(Clone, Copy)]
pub(super) struct Dressing<'v> {
    forms: &'v BTreeMap<Path, Vec<Formed>>,
}

impl<'v> Dressing<'v> {
    pub(super) fn new(forms: &'v BTreeMap<Path, Vec<Formed>>) -> Self {
        Self { forms }
    }

    /// The forms of a place and of all in it.
    fn inside(&self, at: &Path) -> impl Iterator<Item = (&'v Path, &'v Vec<Formed>)> {
        let depth = at.steps().to_vec();
        self.forms
            .range(at.clone()..)
            .take_while(move |(path, _)| path.steps().starts_with(&depth))
    }

    /// Whether anything has a form at a place, or in it.
    pub(super) fn is_formed(&self, at: &Path) -> bool {
        !self.forms.is_empty() && self.inside(at).next().is_some()
    }

    /// The records of a list that have a form, or something in them has.
    pub(super) fn formed_records(&self, at: &Path) -> FxHashSet<(&'v str, Digest)> {
        let depth = at.steps().len();
        let steps = self
            .inside(at)
            .filter_map(|(path, _)| path.steps().get(depth));
        let records = steps.filter_map(|step| match step {
            Step::Record(name, birth) => Some((name.said(), *birth)),
            Step::Entry(_) => None,
        });
        records.collect()
    }

    fn at(&self, place: &Path, part: Part) -> impl Iterator<Item = &'v Form> {
        let formed = self.forms.get(place).into_iter().flatten();
        formed
            .map(|formed| &formed.form)
            .filter(move |form| form.part == part)
    }

    /// What a part of a place has become of `now`; nothing if it stays so.
    pub(super) fn part(
        &self,
        place: &Path,
        part: Part,
        now: impl FnOnce() -> String,
    ) -> Option<String> {
        let mut forms = self.at(place, part).peekable();
        forms.peek()?;
        let now = now();
        let then = forms.fold(now.clone(), |now, form| {
            parts::patched(part, &now, &form.before, &form.after)
        });
        (then != now).then_some(then)
    }

    /// The frame that a file gets.
    pub(super) fn frame(&self, frame: Frame) -> Frame {
        let then = self.part(&Path::default(), Part::Frame, || parts::frame(frame));
        then.map_or(frame, |text| parts::framed(&text))
    }

    /// Puts its forms on what surrounds a root.
    pub(super) fn root(&self, part: &mut PartDraft<'_>) {
        let at = Path::default();
        if let Some(head) = self.part(&at, Part::Lead, || part.head.to_string()) {
            part.head = head.into();
        }
        if let Some(beside) = self.part(&at, Part::Beside, || part.beside.to_string()) {
            part.beside = beside.into();
        }
        if let Some(rest) = self.part(&at, Part::Below, || part.rest.to_string()) {
            part.rest = rest.into();
        }
        self.value(&mut part.root, &at);
    }

    /// Whether somebody took an entry away that said nothing.
    pub(super) fn is_dropped(&self, place: &Path) -> bool {
        self.at(place, Part::Whole)
            .last()
            .is_some_and(|form| form.after.is_empty())
    }

    /// The entries of a mapping that somebody put behind others, in the order in which that is to be done.
    pub(super) fn places(&self, at: &Path) -> Vec<(&'v str, Option<&'v str>)> {
        let depth = at.steps().len();
        let mut placed: Vec<(&'v Formed, &'v str)> = Vec::new();
        for (path, formed) in self
            .inside(at)
            .filter(|(path, _)| path.steps().len() == depth + 1)
        {
            let Some(Step::Entry(name)) = path.steps().last() else {
                continue;
            };
            let last = formed
                .iter()
                .rfind(|formed| formed.form.part == Part::Place);
            placed.extend(last.map(|formed| (formed, name.as_str())));
        }
        // What was put behind the same entry at once stands sorted there.
        placed.sort_by(|(_, a), (_, b)| b.cmp(a));
        let mut waiting: Vec<(&'v str, Option<&'v str>)> = placed
            .into_iter()
            .map(|(formed, name)| {
                let behind = formed.form.after.as_str();
                (name, (!behind.is_empty()).then_some(behind))
            })
            .collect();
        let mut ordered = Vec::with_capacity(waiting.len());
        while !waiting.is_empty() {
            let is_free = |(_, behind): &(&str, Option<&str>)| {
                behind.is_none_or(|behind| waiting.iter().all(|(name, _)| *name != behind))
            };
            let next = waiting.iter().position(is_free).unwrap_or_default();
            ordered.push(waiting.remove(next));
        }
        ordered
    }

    /// Puts its forms on an entry; whether that changes it.
    pub(super) fn entry(&self, made: &mut MadeEntry<'_>, place: &Path) -> bool {
        if !self.is_formed(place) {
            return false;
        }
        let mut changed = false;
        let mut lines = |piece: &mut Piece<'_>, part: Part| {
            if let Some(text) = self.part(place, part, || parts::of_piece(piece, part)) {
                *piece = Piece::new(text, 0);
                changed = true;
            }
        };
        lines(&mut made.lead, Part::Lead);
        lines(&mut made.below, Part::Below);
        lines(&mut made.body.sep, Part::Gap);
        if let Some(head) = self.part(place, Part::Head, || made.head.to_string()) {
            made.head = head.into();
            changed = true;
        }
        let beside = || made.body.beside.trim_end_matches(['\n', '\r']).to_owned();
        if let Some(beside) = self.part(place, Part::Beside, beside) {
            made.body.beside = beside.into();
            changed = true;
        }
        changed | self.value(&mut made.body.value, place)
    }

    /// Puts its forms on what is nested at a place; whether that changes it.
    pub(super) fn value(&self, value: &mut Draft<'_>, place: &Path) -> bool {
        let is_formed = self.at(place, Part::Shape).next().is_some()
            || self.at(place, Part::Foot).next().is_some();
        if !is_formed {
            return false;
        }
        let was = match value {
            Draft::Keep(node) if node.is_block_collection() => Some(*node),
            Draft::Keep(_) => return false,
            _ => None,
        };
        let Some(collection) = value.open().filter(|collection| !collection.flow) else {
            return false;
        };
        let shaped = self.shape(collection, place);
        let footed = self.foot(collection, place);
        let changed = shaped || footed;
        if let (Some(node), false) = (was, changed) {
            restore(value, node);
        }
        changed
    }

    fn shape(&self, collection: &mut Collection<'_>, place: &Path) -> bool {
        let now = || {
            format!(
                "{}{}",
                if collection.compact { "=" } else { "+" },
                collection.offset
            )
        };
        let then = self.part(place, Part::Shape, now);
        let Some((offset, compact)) = then.as_deref().and_then(parts::shape) else {
            return false;
        };
        collection.offset = offset;
        collection.compact = compact;
        true
    }

    /// Puts its foot on a block collection; whether that changes it.
    pub(super) fn foot(&self, collection: &mut Collection<'_>, place: &Path) -> bool {
        let then = self.part(place, Part::Foot, || {
            parts::of_piece(&collection.foot, Part::Foot)
        });
        let changed = then.is_some();
        if let Some(foot) = then {
            collection.foot = Piece::new(foot, 0);
        }
        changed
    }

    /// The comments that somebody wrote in a collection at entries that do not stand there, with the first step to each.
    pub(super) fn lost(
        &self,
        at: &Path,
        stands: impl Fn(&Step) -> bool,
    ) -> Vec<(&'v Step, String)> {
        if self.forms.is_empty() {
            return Vec::new();
        }
        let depth = at.steps().len();
        let mut lost = Vec::new();
        for (path, formed) in self.inside(at) {
            let Some(step) = path.steps().get(depth).filter(|step| !stands(step)) else {
                continue;
            };
            let lines = formed
                .iter()
                .flat_map(|formed| parts::added_comments(&formed.form));
            let lines: String = lines.collect();
            if !lines.is_empty() {
                lost.push((step, lines));
            }
        }
        lost
    }
}

fn restore<'d>(value: &mut Draft<'d>, node: NodeRef<'d>) {
    *value = Draft::Keep(node);
}
