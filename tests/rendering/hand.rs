//! What people write by hand comes back as they wrote it.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rhema_crdt::context::{GROUPS, Stamped, lift, stamp};
use rhema_crdt::crdt::{self, Clock, Edit, Replica, Rules, Stamp};
use rhema_crdt::overlay::{forms, render};
use rhema_crdt::yaml::{Document, Limits, double_quoted};

use crate::model::edit::{self, Kinds, Touched};
use crate::model::tree::{Entry, File, Quotes, Value};
use crate::model::{Tape, Words, generate};

pub(crate) const RULES: Rules<'static> = Rules {
    groups: &GROUPS,
    spell: double_quoted,
};

pub(crate) fn read(text: &str) -> Document {
    Document::from_text(text.to_owned(), &Limits::default())
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The same cases every time, unless a longer search is asked for: `PROPTEST_CASES=100000`.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
        config.rng_seed = RngSeed::Fixed(20_261_121);
    }
    config
}

fn tape() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..160)
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

/// A made-up document.
pub(crate) fn made_up(seed: u64) -> String {
    let mut random = crate::mutate::Random::new(seed);
    let tape: Vec<u8> = (0..100).map(|_| random.below(256) as u8).collect();
    edited(&tape, &[], 0).0
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
pub(crate) fn edits(head: &str, work: &str, replica: u32) -> Result<Vec<Edit>, String> {
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
    let changes =
        forms(&before, &base, &view, &before, &after).map_err(|error| error.to_string())?;
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

pub(crate) fn rendered(head: &str, edits: &[Edit]) -> Result<String, String> {
    let text = read(head);
    let base = lift(&text);
    let view: crdt::Document = RULES.view(&base, edits);
    render(&text, &base, &view).map_err(|error| error.to_string())
}

#[test]
#[ignore = "figures"]
fn count() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let cases: usize = std::env::var("CASES").map_or(10_000, |cases| cases.parse().unwrap());
    let show: usize = std::env::var("SHOW").map_or(3, |cases| cases.parse().unwrap());
    let mut runner = TestRunner::new(config(1));
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for _ in 0..cases {
        let (base, side) = (tape(), tape()).new_tree(&mut runner).unwrap().current();
        let (head, work) = edited(&base, &side, 1000);
        let work = stamped(&head, &work, 1);
        let outcome = edits(&head, &work, 1).and_then(|edits| rendered(&head, &edits));
        let kind = match &outcome {
            Ok(text) if *text == work => "same".to_owned(),
            Ok(text) => {
                let mut lines: Vec<&str> = text.lines().collect();
                let mut others: Vec<&str> = work.lines().collect();
                lines.sort_unstable();
                others.sort_unstable();
                if lines == others {
                    "other order".to_owned()
                } else {
                    "other lines".to_owned()
                }
            }
            Err(error) => error.chars().take(50).collect(),
        };
        let count = counts.entry(kind.clone()).or_default();
        *count += 1;
        if kind != "same" && *count <= show {
            if let Ok(text) = &outcome {
                let at = text
                    .lines()
                    .zip(work.lines())
                    .position(|(a, b)| a != b)
                    .unwrap_or(0);
                let some = |text: &str| -> Vec<String> {
                    text.lines()
                        .skip(at.saturating_sub(3))
                        .take(7)
                        .map(str::to_owned)
                        .collect()
                };
                println!("DIFF {at} work {:#?} got {:#?}", some(&work), some(text));
            }
            println!(
                "=== {kind}\n--- head\n{head}\n--- work\n{work}\n--- got\n{}",
                outcome.unwrap_or_else(|error| error)
            );
        }
    }
    println!("{counts:?}");
}

/// Edits of several people, made at once.
fn sides(base: &[u8], tapes: &[&[u8]]) -> (String, Vec<String>) {
    let head = edited(base, &[], 0).0;
    let works = tapes.iter().enumerate().map(|(index, side)| {
        let from = 1000 * (index + 1);
        let work = edited(base, side, from).1;
        stamped(&head, &work, index as u32 + 1)
    });
    let works = works.collect();
    (head, works)
}

#[test]
#[ignore = "figures"]
fn both() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let cases: usize = std::env::var("CASES").map_or(10_000, |cases| cases.parse().unwrap());
    let show: usize = std::env::var("SHOW").map_or(3, |cases| cases.parse().unwrap());
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut runner = TestRunner::new(config(1));
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for _ in 0..cases {
        let (base, a, b) = (tape(), tape(), tape())
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let (head, works) = sides(&base, &[&a, &b]);
        let merged = rhema_crdt::merge::merge(
            head.as_bytes(),
            works[0].as_bytes(),
            works[1].as_bytes(),
            &rhema_crdt::merge::Options::default(),
        );
        let all: Result<Vec<Vec<Edit>>, String> = works
            .iter()
            .zip(1..)
            .map(|(work, replica)| edits(&head, work, replica))
            .collect();
        let outcome = all.and_then(|all| rendered(&head, &all.concat()));
        let kind = match (&outcome, &merged) {
            (Err(error), _) => error.chars().take(50).collect::<String>(),
            (_, Err(error)) => format!("driver {error}"),
            (_, Ok(merged)) if merged.contested > 0 => "driver contested".to_owned(),
            (Ok(text), Ok(merged)) => {
                let merged = std::str::from_utf8(&merged.bytes).unwrap();
                let sorted = |text: &str| {
                    let mut words: Vec<String> = crate::model::words(text)
                        .into_iter()
                        .map(str::to_owned)
                        .collect();
                    words.sort();
                    words.dedup();
                    words
                };
                let lines = |text: &str| {
                    let mut lines: Vec<String> = text
                        .lines()
                        .filter(|line| !line.trim().is_empty())
                        .map(str::to_owned)
                        .collect();
                    lines.sort();
                    lines
                };
                let (mine, other) = (sorted(text), sorted(merged));
                if text == merged {
                    "same".to_owned()
                } else if mine != other {
                    match (
                        mine.iter().all(|word| other.contains(word)),
                        other.iter().all(|word| mine.contains(word)),
                    ) {
                        (true, _) => "fewer words".to_owned(),
                        (_, true) => "more words".to_owned(),
                        _ => "other words".to_owned(),
                    }
                } else if lines(text) == lines(merged) {
                    "other order".to_owned()
                } else {
                    let crdt = |text: &str| -> Vec<String> {
                        text.lines()
                            .filter(|line| {
                                !line.trim_start().starts_with("_crdt") && !line.trim().is_empty()
                            })
                            .map(str::to_owned)
                            .collect()
                    };
                    if crdt(text) == crdt(merged) {
                        "other annotations".to_owned()
                    } else {
                        "other lines".to_owned()
                    }
                }
            }
        };
        let count = counts.entry(kind.clone()).or_default();
        *count += 1;
        if kind != "same" && !kind.starts_with("driver") && *count <= show && kind.contains(&only) {
            println!(
                "=== {kind}\n--- head\n{head}\n--- one\n{}\n--- other\n{}\n--- driver\n{}\n--- got\n{}",
                works[0],
                works[1],
                merged
                    .map(|merged| String::from_utf8(merged.bytes).unwrap())
                    .unwrap_or_default(),
                outcome.unwrap_or_else(|error| error)
            );
        }
    }
    println!("{counts:?}");
}
