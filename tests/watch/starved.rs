//! Somebody who saves so often that what is to be shown can hardly ever be written.

use std::collections::BTreeSet;

use crate::clones::Clones;
use crate::editor::{Editor, Save, beginning};
use crate::number;
use crate::oracle::Meant;
use crate::sent::send;
use crate::steps::Dice;
use crate::support::{BINARY, Tree, run};
use crate::text::Said;

/// Records and shows; or only records, as somebody saves the file just when it is to be written. Whoever saves has always read
/// what the file held.
fn sync(clones: &Clones, tree: &Tree<'_>, is_kept_from_writing: bool) {
    let mut command = clones.world.command(BINARY, &tree.top);
    command
        .args(["crdt", "sync", "--timeout", "0"])
        .env("RHEMA_RACE_MILLIS", "0");
    if is_kept_from_writing {
        command.env("RHEMA_CRASH_AT", "before-file");
    }
    run(&mut command);
}

fn starved(seed: u64, steps: usize) {
    const RECORDS: usize = 4;
    let start = beginning(RECORDS);
    let clones = Clones::new(3, &start);
    let mut dice = Dice::new(seed);
    let mut editors: Vec<Editor> = (0..clones.len())
        .map(|at| Editor::new(clones.file(at), at as u32, seed, &[Save::Rename]))
        .collect();
    let mut told = Vec::new();
    for _ in 0..steps {
        let at = dice.below(clones.len());
        match dice.below(8) {
            0..4 => {
                let typed = editors[at].edit(RECORDS).unwrap_or_default();
                told.push(format!("c{at} types {typed}"));
            }
            4 | 5 => {
                sync(&clones, &clones.tree(at), true);
                told.push(format!("c{at} records"));
            }
            6 => {
                sync(&clones, &clones.tree(at), false);
                told.push(format!("c{at} records and shows"));
            }
            _ => {
                let from = (at + 1 + dice.below(clones.len() - 1)) % clones.len();
                send(&clones.tree(from), &clones.tree(at));
                told.push(format!("c{at} hears from c{from}"));
            }
        }
    }
    for _ in 0..2 {
        for at in 0..clones.len() {
            sync(&clones, &clones.tree(at), false);
            for from in 0..clones.len() {
                send(&clones.tree(from), &clones.tree(at));
            }
            sync(&clones, &clones.tree(at), false);
        }
    }
    let deeds = editors.iter().flat_map(|editor| &editor.deeds);
    let meant = Meant::new(&Said::read(&start).unwrap(), deeds);
    let ends: Vec<String> = (0..clones.len()).map(|at| clones.text(at)).collect();
    let faults = meant.judge(&Said::read(&ends[0]).unwrap(), &BTreeSet::new());
    let is_in_step = ends.iter().all(|end| *end == ends[0]);
    if !faults.is_none() || !is_in_step {
        let folder = clones.keep();
        panic!(
            "seed {seed}: {told:#?}\nin step {is_in_step}, {faults:#?}\nall of it is left in {}",
            folder.display()
        );
    }
}

#[test]
fn what_is_never_shown_for_long_is_neither_lost_nor_comes_back() {
    for seed in 0..number("WATCH_SEEDS", 6) {
        starved(number("WATCH_SEED", 1) + seed, 60);
    }
}
