//! What an edit costs where many watch, and how long it takes to the last of them.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::clones::Clones;
use crate::editor::{Save, beginning};
use crate::latency::{Measured, observe};
use crate::number;
use crate::processes::Cost;
use crate::steps::Dice;
use crate::text::Typing;
use crate::watching::Watch;

/// What went over the loopback device since the system began: packets and bytes, those of all who use it.
fn traffic() -> (u64, u64) {
    let devices = fs::read_to_string("/proc/net/dev").unwrap();
    let line = devices
        .lines()
        .find_map(|line| line.trim().strip_prefix("lo:"));
    let fields: Vec<u64> = line
        .unwrap()
        .split_whitespace()
        .map(|field| field.parse().unwrap())
        .collect();
    (fields[1], fields[0])
}

/// What all who watch cost so far together: milliseconds of computing, kilobytes, open files.
fn costs(watches: &[Watch]) -> (u64, u64, u64) {
    let costs: Vec<Cost> = watches
        .iter()
        .map(|watch| Cost::of(watch.process()))
        .collect();
    (
        costs.iter().map(|cost| cost.computed).sum(),
        costs.iter().map(|cost| cost.resident).sum(),
        costs.iter().map(|cost| cost.open).sum(),
    )
}

/// Saves a file somewhere so often, one edit at a time, and prints how long it took to the others.
fn one_at_a_time(clones: &Clones, watches: &[Watch], edits: usize, first: usize, is_told: bool) {
    let trees = clones.len();
    let seen: Vec<_> = (0..trees).map(|at| observe(&clones.file(at))).collect();
    let mut dice = Dice::new(first as u64);
    let (mut each, mut last) = (Measured::default(), Measured::default());
    let (before, before_costs) = (traffic(), costs(watches));
    for number in 0..edits {
        let from = dice.below(trees);
        let text = clones.text(from);
        let ids = crate::text::ids(&text);
        let value = format!("v{}", first + number);
        let typing = Typing::Set {
            id: ids[dice.below(ids.len())].to_owned(),
            field: "owner",
            value: value.clone(),
        };
        let typed = typing.apply(&text);
        let needle = format!("owner: {value}\n");
        seen.iter().for_each(|seen| seen.try_iter().for_each(drop));
        let began = Instant::now();
        Save::InPlace.write(&clones.file(from), &typed);
        let mut latest = Duration::ZERO;
        for (at, seen) in seen.iter().enumerate().filter(|(at, _)| *at != from) {
            let at = loop {
                let (at, bytes) = seen
                    .recv_timeout(Duration::from_secs(60))
                    .unwrap_or_else(|_| panic!("{value} is not seen at {at}:\n{}", clones.told()));
                if memchr::memmem::find(&bytes, needle.as_bytes()).is_some() {
                    break at;
                }
            };
            each.add(at - began);
            latest = latest.max(at - began);
        }
        last.add(latest);
        thread::sleep(Duration::from_secs(1));
    }
    if !is_told {
        return;
    }
    let (after, after_costs) = (traffic(), costs(watches));
    println!(
        "{:<34} {:>8} {:>8} {:>8}",
        "milliseconds", "p50", "p95", "p99"
    );
    print!(
        "{}{}",
        each.row("save until seen by each"),
        last.row("save until seen by the last")
    );
    println!(
        "an edit and the second after it: {:.0} packets, {:.0} bytes, {:.0} ms of computing by all",
        (after.0 - before.0) as f64 / edits as f64,
        (after.1 - before.1) as f64 / edits as f64,
        (after_costs.0 - before_costs.0) as f64 / edits as f64,
    );
}

#[test]
#[ignore = "it takes minutes"]
fn many() {
    let trees = number("WATCH_TREES", 16) as usize;
    let clones = Clones::new(trees, &beginning(24));
    let watches = clones.watch_all();
    one_at_a_time(&clones, &watches, 4 * trees, 100_000, false);
    thread::sleep(Duration::from_secs(number("WATCH_SETTLE", 120)));
    one_at_a_time(&clones, &watches, trees, 200_000, false);
    println!("{trees} trees");
    let edits = number("WATCH_EDITS", 60) as usize;
    one_at_a_time(&clones, &watches, edits, 300_000, true);
    let idle = number("WATCH_IDLE", 60);
    thread::sleep(Duration::from_secs(10));
    let (before, before_costs) = (traffic(), costs(&watches));
    thread::sleep(Duration::from_secs(idle));
    let (after, after_costs) = (traffic(), costs(&watches));
    println!(
        "idle, a minute of each: {:.0} packets, {:.0} bytes, {:.0} ms of computing; {:.1} MB, {:.1} open files",
        (after.0 - before.0) as f64 * 60.0 / (idle as f64 * trees as f64),
        (after.1 - before.1) as f64 * 60.0 / (idle as f64 * trees as f64),
        (after_costs.0 - before_costs.0) as f64 * 60.0 / (idle as f64 * trees as f64),
        after_costs.1 as f64 / 1024.0 / trees as f64,
        after_costs.2 as f64 / trees as f64,
    );
    for watch in watches {
        watch.end("TERM");
    }
}
