//! What people write by hand comes back as they wrote it.

use std::collections::BTreeSet;

use rhema_crdt::context::{GROUPS, Stamped, lift, stamp};
use rhema_crdt::crdt::{self, Clock, Edit, Replica, Rules, Stamp};
use rhema_crdt::overlay::{Unrendered, forms, render};
use rhema_crdt::yaml::{Document, Limits, double_quoted};

use crate::model::edit::{self, Kinds, Touched};
use crate::model::tree::{Entry, File, Quotes, Value};
use crate::model::{Tape, Words, generate, words};
use crate::mutate::Random;

pub(crate) const RULES: Rules<'static> = Rules {
    groups: &GROUPS,
    spell: double_quoted,
};

pub(crate) fn read(text: &str) -> Document {
    Document::from_text(text.to_owned(), &Limits::default())
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// So many cases, the same every time; a longer search by `PROPTEST_CASES=100000`.
pub(crate) fn cases(count: u64) -> std::ops::Range<u64> {
    let asked = std::env::var("PROPTEST_CASES").ok();
    0..asked.map_or(count, |asked| asked.parse().unwrap())
}

/// A tape that makes a document, or edits, up.
fn tape(seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let count = random.below(160);
    (0..count).map(|_| random.below(256) as u8).collect()
}

/// A made-up document, with the marker that `init` writes.
fn document(file: &File) -> String {
    let mut file = file.clone();
    let marker = Entry {
        uid: usize::MAX,
        lead: Vec::new(),
        key: Some("_crdt".to_owned()),
        value: Value::Leaf("v1".to_owned(), Quotes::Plain),
        beside: None,
    };
    file.root.entries.insert(0, marker);
    file.render()
}

/// A document and what somebody made of it by hand.
fn edited(base: &[u8], side: &[u8], from: usize) -> (String, String) {
    let file = generate::file(&mut Tape::new(base), &mut Words::from(0));
    let mut tape = Tape::new(side);
    let mut work = file.clone();
    work.frame = edit::reframed(file.frame, &mut tape);
    let edits = edit::edits(
        &file,
        &mut tape,
        &mut Words::from(from),
        &mut Touched::default(),
        Kinds::All,
    );
    edit::apply(&mut work, &edits);
    (document(&file), document(&work))
}

/// A made-up document, and what so many people made of it by hand, each saved as `sync` does.
pub(crate) fn made_up(seed: u64, people: u64) -> (String, Vec<String>) {
    let base = tape(3 * seed);
    let head = edited(&base, &[], 0).0;
    let works = (1..=people).map(|who| {
        let side = tape(seed * 31 + who * 1_000_003);
        let work = edited(&base, &side, 1000 * who as usize).1;
        stamped(&head, &work, who as u32)
    });
    let works = works.collect();
    (head, works)
}

/// What `sync` makes of a work tree's file.
pub(crate) fn stamped(head: &str, work: &str, replica: u32) -> String {
    let mut clock = Clock::new(Replica::from_bits(replica), None);
    let mut stamps = std::iter::from_fn(|| clock.tick(1_800_000_000_000).ok());
    let edit: Stamp = stamps.next().unwrap();
    let Stamped { text, .. } = stamp(Some(&read(head)), &read(work), edit, &mut stamps);
    text.unwrap_or_else(|| work.to_owned())
}

/// The edits that made `work` of `head`, with their forms.
pub(crate) fn edits(head: &str, work: &str, replica: u32) -> Result<Vec<Edit>, Unrendered> {
    let (before, after) = (read(head), read(work));
    let base = lift(&before);
    let mut edits = RULES.edits(&base, &lift(&after));
    // What no stamp in the text tells of has one in the store: before those of records that were added behind what moved.
    let early = {
        let mut clock = Clock::new(Replica::from_bits(replica), None);
        clock.tick(1_799_999_999_000).unwrap()
    };
    for edit in &mut edits {
        edit.stamp = edit.stamp.or(Some(early));
    }
    let view = RULES.view(&base, &edits);
    let changes = forms(&before, &base, &view, &before, &after)?;
    if !changes.is_empty() {
        let earlyst = edits.iter_mut().find(|edit| edit.stamp == Some(early));
        match earlyst {
            Some(edit) => edit.changes.extend(changes),
            None => edits.push(Edit {
                stamp: Some(early),
                changes,
            }),
        }
    }
    Ok(edits)
}

pub(crate) fn rendered(head: &str, edits: &[Edit]) -> Result<String, Unrendered> {
    let text = read(head);
    let base = lift(&text);
    let view: crdt::Document = RULES.view(&base, edits);
    render(&text, &base, &view)
}

/// Every word of a text; each was written once, in a value, a key or a comment.
pub(crate) fn words_of(text: &str) -> BTreeSet<&str> {
    words(text).into_iter().collect()
}

/// Whether two texts hold the same values.
pub(crate) fn same_values(a: &str, b: &str) -> bool {
    RULES.edits(&lift(&read(a)), &lift(&read(b))).is_empty()
}

#[test]
fn what_people_write_comes_back_byte_for_byte() {
    let (mut all, mut others) = (0, 0);
    for seed in cases(400) {
        let (head, works) = made_up(seed, 1);
        let work = &works[0];
        let edits = edits(&head, work, 1).unwrap_or_else(|error| panic!("{error}\n{head}\n{work}"));
        let text =
            rendered(&head, &edits).unwrap_or_else(|error| panic!("{error}\n{head}\n{work}"));
        all += 1;
        if text != *work {
            others += 1;
            assert!(same_values(&text, work), "{head}\n{work}\n{text}");
            assert_eq!(words_of(&text), words_of(work), "{head}\n{work}\n{text}");
        }
    }
    // What differs are blank lines between what was moved.
    assert!(others * 1_000 <= all, "{others} of {all}");
}

#[test]
fn a_text_that_shows_the_view_stays_as_it_is() {
    for seed in cases(200) {
        let (head, works) = made_up(seed, 1);
        for text in [&head, &works[0]] {
            let document = read(text);
            let shown = lift(&document);
            assert_eq!(render(&document, &shown, &shown).as_ref(), Ok(text));
        }
    }
}

#[test]
fn edits_that_a_commit_holds_change_no_byte_of_it() {
    let (mut all, mut others) = (0, 0);
    for seed in cases(200) {
        let (head, works) = made_up(seed, 1);
        let edits = edits(&head, &works[0], 1).unwrap();
        let text = rendered(&head, &edits).unwrap();
        all += 1;
        others += usize::from(rendered(&text, &edits).as_ref() != Ok(&text));
    }
    // Whoever emptied a mapping wrote nothing down of it, as long as it was not empty before.
    assert!(others * 50 <= all, "{others} of {all}");
}

#[test]
fn a_text_that_keeps_the_lines_at_its_end_comes_back_as_it_was_written() {
    let head = "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    text: |+\n      keep\n\n  - id: b\n    text: x\n";
    let work = head.replace("      keep\n", "      keep\n      more\n");
    let work = stamped(head, &work, 1);
    let edits = edits(head, &work, 1).unwrap();
    assert_eq!(rendered(head, &edits).as_ref(), Ok(&work));
}
