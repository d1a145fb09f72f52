//! A tool that reads the file, takes its time and writes it back without a lock, while others edit the same file elsewhere.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use crate::clones::Clones;
use crate::editor::{Editor, Save, beginning};
use crate::number;
use crate::oracle::Meant;
use crate::text::Said;

/// How long the tool takes between reading and writing.
const THINKS: Duration = Duration::from_millis(50);

/// A tool hammers the first clone's file while somebody edits in each of the others.
fn race(seconds: u64, seed: u64, others: usize) {
    const RECORDS: usize = 8;
    let start = beginning(RECORDS);
    let clones = Clones::new(1 + others, &start);
    let watches = clones.watch_all();
    let began = Instant::now();
    let length = Duration::from_secs(seconds);
    let tool =
        Editor::new(clones.file(0), 0, seed, &[Save::Rename, Save::InPlace]).thinking(THINKS);
    let peers =
        (1..=others).map(|at| Editor::new(clones.file(at), at as u32, seed, &[Save::Rename]));
    let all = [(tool, Duration::ZERO)]
        .into_iter()
        .chain(peers.map(|peer| (peer, Duration::from_millis(100))));
    let all: Vec<_> = all
        .map(|(editor, pause)| (editor.sparing(), pause))
        .collect();
    let deeds = thread::scope(|scope| {
        let editing = all.into_iter().map(|(mut editor, pause)| {
            scope.spawn(move || {
                while began.elapsed() < length {
                    editor.edit(RECORDS);
                    thread::sleep(pause);
                }
                editor.deeds
            })
        });
        let editing: Vec<_> = editing.collect();
        let deeds = editing.into_iter().map(|editor| editor.join().unwrap());
        deeds.collect::<Vec<_>>()
    });
    let settled = clones.settled(Duration::from_secs(120));
    let counts: Vec<usize> = deeds.iter().map(Vec::len).collect();
    println!("deeds of the tool and the others: {counts:?}; in step after {settled:?}");
    for watch in watches {
        watch.end("TERM");
    }
    let meant = Meant::new(&Said::read(&start).unwrap(), deeds.iter().flatten());
    let end = Said::read(&clones.text(0)).unwrap();
    let faults = meant.judge(&end, &BTreeSet::new());
    let program = clones.faults();
    if settled.is_none() || !faults.is_none() || !program.is_empty() {
        let folder = clones.keep();
        panic!(
            "seed {seed}: settled {settled:?}, {faults:#?} {program:#?}\nall of it is left in {}",
            folder.display()
        );
    }
}

#[test]
fn what_a_slow_tool_writes_back_takes_nothing_from_others() {
    race(2, 1, 1);
}

#[test]
#[ignore = "it takes minutes"]
fn racing() {
    race(number("WATCH_SECONDS", 60), number("WATCH_SEED", 1), 2);
}
