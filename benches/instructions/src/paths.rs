//! The paths: what is prepared is not counted, what is handed to `counted` is.

use std::fmt::Write;
use std::hint::black_box;

use rhema_crdt::context::{Stamped, Types, lift, stamp};
use rhema_crdt::crdt::{Clock, Document, Edit, Living, Replica, Stamp};
use rhema_crdt::exchange::Message;
use rhema_crdt::exchange::wire::{Assembly, encode, fitting};
use rhema_crdt::merge::{Options, merge};
use rhema_crdt::overlay::{
    CommitId, Deed, DocumentPath, Familiar, Judged, Known, RULES, findings, overlay, render, sights,
};
use rhema_crdt::yaml::{self, Limits};

/// Hands work to whoever counts.
pub type Counting<'c> = &'c mut dyn FnMut(&mut dyn FnMut());

/// Names, and what they do.
pub const PATHS: &[(&str, fn(Counting<'_>))] = &[
    ("parse", parse),
    ("lift", lifted),
    ("difference", difference),
    ("view", view),
    ("render", rendered),
    ("merge", merged),
    ("look", look),
    ("wire_encode", wire_encode),
    ("wire_decode", wire_decode),
    ("living_apply", living_apply),
    ("living_document", living_document),
];

/// Records of ten lines each.
const RECORDS: usize = 1_000;

/// A file of 10,000 lines.
fn file() -> String {
    let mut text = "# What is to be done\n_crdt: v1 todos=or_set\ntodos:\n".to_owned();
    for number in 0..RECORDS {
        write!(
            text,
            "  - id: todo-{number:05}\n    title: \"Check the tables of port {number} once more\" # soon\n    status: \
             pending\n    priority: medium\n    assigned_to: ada\n    description: |\n      The tables of the secondary \
             ports are computed from their differences,\n      and those of {number} were not checked.\n    tags: \
             [tables, ports, n{number}]\n    created_at: 2025-11-03T10:15:00Z\n"
        )
        .unwrap();
    }
    text
}

/// The same where each so many-th record, from one of them on, was edited by a replica of that number.
fn edited(by: u32, from: usize, each: usize) -> String {
    let (before, mut after) = (file(), file());
    for number in (from..RECORDS).step_by(each) {
        let (old, new) = (
            format!("Check the tables of port {number} once more"),
            format!("Checked the tables of port {number}, for {by}"),
        );
        after = after.replace(&old, &new);
    }
    let mut clock = Clock::new(Replica::from_bits(by), None);
    let mut stamps = std::iter::from_fn(|| clock.tick(1_800_000_000_000).ok());
    let edit = stamps.next().unwrap();
    let Stamped { text, .. } = stamp(Some(&read(&before)), &read(&after), edit, &mut stamps);
    text.unwrap()
}

fn read(text: &str) -> yaml::Document {
    yaml::Document::from_text(text.to_owned(), &Limits::default()).unwrap()
}

/// The file and a hundred edits of it, each with a stamp of its own.
fn edits() -> (Document, Vec<Edit>) {
    let base = lift(&read(&file()));
    let mut clock = Clock::new(Replica::from_bits(1), None);
    let changes = RULES
        .edits(&base, &lift(&read(&edited(1, 0, 10))))
        .into_iter()
        .flat_map(|edit| edit.changes);
    let edits = changes.map(|change| Edit {
        stamp: Some(clock.tick(1_800_000_000_000).unwrap()),
        changes: vec![change],
    });
    let edits = edits.collect();
    (base, edits)
}

/// As the store keeps them and the wire carries them.
fn known(edits: Vec<Edit>) -> Vec<Known> {
    let mut previous: Option<Stamp> = None;
    let known = edits.into_iter().map(|edit| Known {
        stamp: edit.stamp.unwrap(),
        previous: std::mem::replace(&mut previous, edit.stamp),
        document: DocumentPath::new(".rhema/todos.yaml"),
        base: Some(CommitId::from_bytes([1; 20])),
        published: vec![CommitId::from_bytes([1; 20])],
        branch: Some("main".to_owned()),
        deed: Deed::Change(edit.changes),
    });
    known.collect()
}

fn parse(counted: Counting<'_>) {
    let text = file();
    counted(&mut || drop(black_box(read(&text))));
}

fn lifted(counted: Counting<'_>) {
    let file = read(&file());
    counted(&mut || drop(black_box(lift(&file))));
}

fn difference(counted: Counting<'_>) {
    let [before, after] = [file(), edited(1, 0, 10)].map(|text| lift(&read(&text)));
    counted(&mut || drop(black_box(RULES.edits(&before, &after))));
}

fn view(counted: Counting<'_>) {
    let (base, edits) = edits();
    counted(&mut || drop(black_box(RULES.view(&base, &edits))));
}

fn rendered(counted: Counting<'_>) {
    let text = read(&file());
    let (base, edits) = edits();
    let view = RULES.view(&base, &edits);
    counted(&mut || drop(black_box(render(&text, &base, &view).unwrap())));
}

/// The driver: three files as bytes, and one.
fn merged(counted: Counting<'_>) {
    let [base, ours, theirs] = [file(), edited(1, 0, 10), edited(2, 5, 10)];
    counted(&mut || {
        let merged = merge(
            base.as_bytes(),
            ours.as_bytes(),
            theirs.as_bytes(),
            &Options::default(),
        );
        drop(black_box(merged.unwrap()));
    });
}

/// The pure part of a look: what of the known edits is shown, what the file shows of them, and what was edited in it.
fn look(counted: Counting<'_>) {
    let (head, edits) = edits();
    let known = known(edits);
    let view = |judged: &[Judged<'_>]| {
        let shown = overlay(&head, judged, &mut |_| Ok::<_, ()>(None)).unwrap();
        RULES.view(&head, &shown)
    };
    let judged: Vec<Judged<'_>> = known
        .iter()
        .map(|known| Judged {
            known,
            contained: vec![false],
            may_show: true,
            was_shown: true,
        })
        .collect();
    let mut file = view(&judged);
    let other = lift(&read(&edited(3, 777, RECORDS)));
    file.root.extend(other.root);
    counted(&mut || {
        let view = view(&judged);
        let sights = sights(&file, &head, &judged);
        let found = findings(&view, &view, None, &file, &Types::default(), &|_, _| {
            Familiar::Fresh
        });
        drop(black_box((sights, found)));
    });
}

fn messages(edits: &[Known]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let mut rest = edits;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(fitting(rest).unwrap());
        frames.extend(encode(&Message::Edits(now.to_vec())).unwrap());
        rest = later;
    }
    frames
}

fn wire_encode(counted: Counting<'_>) {
    let known = known(edits().1);
    counted(&mut || drop(black_box(messages(&known))));
}

fn wire_decode(counted: Counting<'_>) {
    let frames = messages(&known(edits().1));
    counted(&mut || {
        let mut assembly = Assembly::default();
        for frame in &frames {
            drop(black_box(assembly.add(frame).unwrap()));
        }
    });
}

fn living_apply(counted: Counting<'_>) {
    let (base, edits) = edits();
    let mut living = Living::new(RULES, base);
    counted(&mut || edits.iter().for_each(|edit| living.apply(edit)));
}

fn living_document(counted: Counting<'_>) {
    let (base, edits) = edits();
    let mut living = Living::new(RULES, base);
    edits.iter().for_each(|edit| living.apply(edit));
    counted(&mut || drop(black_box(living.document())));
}
