//! The merge of whole files: the YAML documents in them, and what stands around their roots.

use std::borrow::Cow;
use std::collections::HashMap;

use super::document::{self, Keeper};
use super::sides::Sides;
use super::tree::{Merger, Outcome};
use super::{Error, Kept, identity, trivia};
use crate::context::{Role, Types};
use crate::crdt::order::{self, Arrange, Fate, Orders};
use crate::yaml::{
    self, Document, Draft, EntryDraft, EntryRef, FileDraft, Kind, NodeRef, Part, PartDraft, Piece,
};

/// A merged file.
pub(super) struct MergedFile<'d> {
    /// As it is with the values of ours.
    pub(super) ours: FileDraft<'d>,
    /// As it is with the values of theirs, where that is another draft.
    pub(super) theirs: Option<FileDraft<'d>>,
    /// How many leaves and entries are contested.
    pub(super) contested: usize,
    /// How many losing values a document keeps since this merge.
    pub(super) kept: Kept,
}

/// Merges the YAML documents of three files, with places of these types; what happens to the anchors in `torn` is contested.
pub(super) fn merge<'d>(
    documents: &'d Sides<Document>,
    torn: &[String],
    types: Option<&Types>,
) -> Result<MergedFile<'d>, Error> {
    let parts = documents.as_ref().map(|document| {
        let parts = document.parts().iter();
        parts
            .map(|part| Place { document, part })
            .collect::<Vec<_>>()
    });
    let emptied = |side: &Vec<Place<'_>>| side.is_empty() && !parts.base.is_empty();
    if emptied(&parts.ours) || emptied(&parts.theirs) {
        return Err(Error::Documents);
    }
    let keeps = document::are_documents(documents);
    let keeper = keeps.then(|| Keeper::of(documents, types));
    let mut merger = Merger::new(torn, keeper);
    let (slots, orders) = matched(&parts);
    let mut found: Vec<Option<MergedPart<'d>>> = Vec::with_capacity(slots.len());
    for slot in &slots {
        found.push(merged_part(&mut merger, slot));
    }
    let fates: Vec<Fate> = found
        .iter()
        .map(|part| {
            if part.is_some() {
                Fate::Stays
            } else {
                Fate::Gone
            }
        })
        .collect();
    let order = order::merge(
        &Orders {
            base: &orders.base,
            ours: &orders.ours,
            theirs: &orders.theirs,
            count: slots.len(),
        },
        &fates,
        Arrange::Runs,
        |a, b| text_of(&slots[a as usize]).cmp(text_of(&slots[b as usize])),
    );
    let found: Vec<MergedPart<'d>> = order
        .into_iter()
        .filter_map(|index| found[index as usize].take())
        .collect();
    let head = LooseHead::of(documents);
    let newlines = documents.as_ref().map(Document::text).map(yaml::newline_of);
    let newline = trivia::pick(newlines.map(Some)).unwrap_or("\n");
    let differing = |part: &&MergedPart<'_>| part.only.is_some() || part.theirs.is_some();
    let differ = found.iter().filter(differing).count();
    let theirs = (differ > 0).then(|| {
        let parts = found.iter().filter_map(|part| match part.only {
            Some(yaml::Side::Ours) => None,
            _ => part.theirs.clone().or_else(|| part.ours.clone()),
        });
        file(parts.collect(), head.as_ref(), newline)
    });
    let ours = found.into_iter().filter_map(|part| match part.only {
        Some(yaml::Side::Theirs) => None,
        _ => part.ours,
    });
    Ok(MergedFile {
        ours: file(ours.collect(), head.as_ref(), newline),
        theirs,
        // What a document's records contest is settled; roots that cannot be merged entry by entry are not.
        contested: if keeps { differ } else { merger.contested },
        kept: merger
            .keeper
            .map_or_else(Kept::default, |keeper| keeper.kept),
    })
}

/// One YAML document in its file.
#[derive(Clone, Copy)]
struct Place<'d> {
    document: &'d Document,
    part: &'d Part,
}

impl<'d> Place<'d> {
    fn root(self) -> NodeRef<'d> {
        self.document.node(self.part.root)
    }

    fn draft(self) -> PartDraft<'d> {
        PartDraft::of(self.document, self.part)
    }
}

type Slot<'d> = Sides<Option<Place<'d>>>;

fn text_of<'d>(slot: &Slot<'d>) -> &'d str {
    let texts = slot.map(|place| place.map(|place| place.document.slice(place.part.span)));
    texts.ours.max(texts.theirs).unwrap_or_default()
}

/// Which documents of the three files are the same one: those that name themselves the same, else those in the same
/// place where all files have as many, else by likeness.
fn matched<'d>(parts: &Sides<Vec<Place<'d>>>) -> (Vec<Slot<'d>>, Sides<Vec<u32>>) {
    let names = parts.as_ref().map(|side| {
        side.iter()
            .map(|place| name(place.root()))
            .collect::<Option<Vec<_>>>()
    });
    if let (Some(base), Some(ours), Some(theirs)) = (&names.base, &names.ours, &names.theirs)
        && [base, ours, theirs]
            .into_iter()
            .all(|side| are_unique(side))
    {
        let mut known: HashMap<&Name<'d>, u32> = HashMap::new();
        for name in base.iter().chain(ours).chain(theirs) {
            let next = known.len() as u32;
            known.entry(name).or_insert(next);
        }
        let numbers = |side: &Vec<Name<'d>>| side.iter().map(|name| known[name]).collect();
        let orders = Sides {
            base: numbers(base),
            ours: numbers(ours),
            theirs: numbers(theirs),
        };
        return (slots(parts, &orders, known.len()), orders);
    }
    let count = parts.ours.len();
    let base_count = parts.base.len();
    if parts.theirs.len() == count && (base_count == count || base_count == 0 && count == 1) {
        let in_place = |side: &Vec<Place<'d>>| (0..side.len() as u32).collect();
        let orders = parts.as_ref().map(in_place);
        return (slots(parts, &orders, count), orders);
    }
    identity::members(parts, Place::root)
}

fn slots<'d>(
    parts: &Sides<Vec<Place<'d>>>,
    orders: &Sides<Vec<u32>>,
    count: usize,
) -> Vec<Slot<'d>> {
    let mut slots: Vec<Slot<'d>> = (0..count)
        .map(|_| Sides {
            base: None,
            ours: None,
            theirs: None,
        })
        .collect();
    for (place, &index) in parts.base.iter().zip(&orders.base) {
        slots[index as usize].base = Some(*place);
    }
    for (place, &index) in parts.ours.iter().zip(&orders.ours) {
        slots[index as usize].ours = Some(*place);
    }
    for (place, &index) in parts.theirs.iter().zip(&orders.theirs) {
        slots[index as usize].theirs = Some(*place);
    }
    slots
}

/// How a Kubernetes object names itself.
type Name<'d> = [Option<Cow<'d, str>>; 3];

fn name(root: NodeRef<'_>) -> Option<Name<'_>> {
    let metadata = root.get("metadata")?.value();
    Some([
        Some(field(root, "kind")?),
        Some(field(metadata, "name")?),
        field(metadata, "namespace"),
    ])
}

fn field<'d>(node: NodeRef<'d>, name: &str) -> Option<Cow<'d, str>> {
    let value = node.get(name)?.value();
    matches!(value.kind(), Kind::Scalar(_)).then(|| value.text())
}

fn are_unique(names: &[Name<'_>]) -> bool {
    let mut seen = std::collections::HashSet::new();
    names.iter().all(|name| seen.insert(name))
}

/// One merged YAML document.
struct MergedPart<'d> {
    ours: Option<PartDraft<'d>>,
    /// With the values of theirs, where the draft is another one.
    theirs: Option<PartDraft<'d>>,
    /// The only side that has it.
    only: Option<yaml::Side>,
}

fn merged_part<'d>(merger: &mut Merger<'_>, slot: &Slot<'d>) -> Option<MergedPart<'d>> {
    let (ours, theirs) = match (slot.ours, slot.theirs) {
        (Some(ours), Some(theirs)) => (ours, theirs),
        (None, None) => return None,
        (Some(place), None) => return one_sided(merger, slot.base, place, yaml::Side::Ours),
        (None, Some(place)) => return one_sided(merger, slot.base, place, yaml::Side::Theirs),
    };
    let base = slot.base.map(Place::root);
    let drafts = slot.map(|place| place.map(Place::draft));
    let text = |of: for<'p> fn(&'p PartDraft<'d>) -> &'p Cow<'d, str>| {
        let texts = drafts.as_ref();
        around(texts.map(|draft| draft.as_ref().map_or("", |draft| of(draft).as_ref())))
    };
    let head = text(|draft| &draft.head);
    let mut rest = text(|draft| &draft.rest);
    let besides = drafts
        .as_ref()
        .map(|draft| Some(draft.as_ref()?.beside.clone()));
    let beside = trivia::beside(besides);
    let outcome = merger.node(base, ours.root(), theirs.root(), Role::Root);
    let known = |comment: &str| head.contains(comment) || rest.contains(comment);
    let orphans: String = merger
        .take_orphans()
        .split_inclusive('\n')
        .filter(|comment| !known(comment))
        .collect();
    if !orphans.is_empty() {
        rest = Cow::Owned(format!("{orphans}{rest}"));
    }
    let part = |root: Draft<'d>| {
        Some(PartDraft {
            head: head.clone(),
            root,
            beside: beside.clone(),
            rest: rest.clone(),
        })
    };
    Some(match outcome {
        Outcome::Clean(root) => MergedPart {
            ours: part(root),
            theirs: None,
            only: None,
        },
        Outcome::Contested(mine, others) => MergedPart {
            ours: part(mine),
            theirs: part(others),
            only: None,
        },
    })
}

/// A YAML document that only one side has: added there, or deleted on the other side.
fn one_sided<'d>(
    merger: &mut Merger<'_>,
    base: Option<Place<'d>>,
    place: Place<'d>,
    side: yaml::Side,
) -> Option<MergedPart<'d>> {
    let only = match base {
        None => None,
        Some(base) if base.root().means(place.root()) => return None,
        Some(_) => Some(side),
    };
    merger.contested += usize::from(only.is_some());
    let draft = Some(place.draft());
    let (ours, theirs) = match only {
        Some(yaml::Side::Theirs) => (None, draft),
        _ => (draft, None),
    };
    Some(MergedPart { ours, theirs, only })
}

/// The merged text before the first entry where a version holds nothing but comments: they stand above whatever the
/// other versions begin with.
struct LooseHead<'d> {
    text: String,
    /// The leads that are part of it.
    leads: Vec<&'d str>,
}

impl<'d> LooseHead<'d> {
    fn of(documents: &'d Sides<Document>) -> Option<Self> {
        if documents
            .iter()
            .all(|document| !document.parts().is_empty())
        {
            return None;
        }
        let mut leads = Vec::new();
        let heads = documents.as_ref().map(|document| {
            let Some(first) = document.parts().first() else {
                return Cow::Borrowed(document.text());
            };
            let place = Place {
                document,
                part: first,
            };
            let head = place.draft().head;
            let root = place.root();
            let lead = root
                .entries()
                .next()
                .filter(|_| root.is_block_collection())
                .map_or("", EntryRef::lead);
            leads.push(lead);
            Cow::Owned(format!("{head}{lead}"))
        });
        let text = around(heads.as_ref().map(Cow::as_ref)).into_owned();
        Some(LooseHead { text, leads })
    }

    fn put(&self, part: &mut PartDraft<'d>) {
        part.head = Cow::Owned(self.text.clone());
        let Some(root) = part.root.open().filter(|root| !root.flow) else {
            return;
        };
        for entry in root.entries.iter_mut().filter_map(EntryDraft::open) {
            let known = |line: &str| self.leads.iter().any(|lead| lead.contains(line));
            if entry.lead.text.lines().all(known) {
                entry.lead = Piece::default();
            }
        }
    }
}

/// The merged text of files that hold nothing but comments.
pub(super) fn comments_alone(documents: &Sides<Document>) -> Option<String> {
    documents
        .iter()
        .all(|document| document.parts().is_empty())
        .then(|| around(documents.as_ref().map(Document::text)).into_owned())
}

/// Documents one behind the other: every one but the first begins with `---`.
fn file<'d>(
    mut parts: Vec<PartDraft<'d>>,
    head: Option<&LooseHead<'d>>,
    newline: &'static str,
) -> FileDraft<'d> {
    for (index, part) in parts.iter_mut().enumerate() {
        if index == 0 {
            if let Some(head) = head {
                head.put(part);
            }
        } else if !part.head.lines().any(|line| line.starts_with("---")) {
            part.head = Cow::Owned(format!("---{newline}{}", part.head));
        }
    }
    FileDraft {
        parts,
        newline,
        final_newline: true,
    }
}

/// Merges what stands before or behind a root.
fn around<'d>(versions: Sides<&str>) -> Cow<'d, str> {
    if versions
        .iter()
        .all(|text| text.is_empty() || text.ends_with('\n'))
    {
        let lines = trivia::lines(versions.map(|text| Some(Piece::new(text, 0))));
        return Cow::Owned(lines.text.into_owned());
    }
    Cow::Owned(
        trivia::pick(versions.map(Some))
            .unwrap_or_default()
            .to_owned(),
    )
}
