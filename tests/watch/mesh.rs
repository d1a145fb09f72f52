//! Many who edit the same records at once, each in a clone of their own that is watched.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use crate::clones::Clones;
use crate::editor::{Deed, Editor, Save, beginning};
use crate::number;
use crate::oracle::Meant;
use crate::processes::Cost;
use crate::text::Said;
use crate::watching::Watch;

/// Who edits, for how long, and how often.
struct Mesh {
    trees: usize,
    seconds: u64,
    /// Edits of each one in a second.
    rate: u64,
    seed: u64,
    /// How many records there are at least.
    records: usize,
}

/// How the editors save.
const MANNERS: &[Save] = &[Save::Rename, Save::InPlace];

/// How long the files may take to become equal at the end.
const PATIENCE: Duration = Duration::from_secs(300);

impl Mesh {
    /// Edits everywhere; what each one did.
    fn edit(&self, clones: &Clones, watches: &[Watch]) -> Vec<Deed> {
        let began = Instant::now();
        let length = Duration::from_secs(self.seconds);
        let pause = Duration::from_millis(1_000 / self.rate);
        thread::scope(|scope| {
            let editors = (0..self.trees).map(|at| {
                let editor = Editor::new(clones.file(at), at as u32, self.seed, MANNERS).sparing();
                scope.spawn(move || {
                    let mut editor = editor;
                    let mut next = Instant::now() + pause * at as u32 / self.trees as u32;
                    while began.elapsed() < length {
                        thread::sleep(next.saturating_duration_since(Instant::now()));
                        editor.edit(self.records);
                        next += pause;
                    }
                    editor.deeds
                })
            });
            let editors: Vec<_> = editors.collect();
            self.weigh(watches, began, length);
            let deeds = editors.into_iter().map(|editor| editor.join().unwrap());
            deeds.flatten().collect()
        })
    }

    /// Prints what the watchers cost, some ten times over the length.
    fn weigh(&self, watches: &[Watch], began: Instant, length: Duration) {
        let every = (length / 10).max(Duration::from_secs(1));
        let costs = || -> Vec<Cost> {
            watches
                .iter()
                .map(|watch| Cost::of(watch.process()))
                .collect()
        };
        let mut before = costs();
        println!("second | processor of each, % of one | resident, MB | open files");
        while began.elapsed() + every <= length {
            thread::sleep(every);
            let now = costs();
            let mut line = format!("{:>6} |", began.elapsed().as_secs());
            for (now, before) in now.iter().zip(&before) {
                let percent =
                    (now.computed - before.computed) as f64 / every.as_millis() as f64 * 100.0;
                let _ = write!(line, " {percent:.0}");
            }
            line += " |";
            for now in &now {
                let _ = write!(line, " {:.0}", now.resident as f64 / 1024.0);
            }
            line += " |";
            for now in &now {
                let _ = write!(line, " {}", now.open);
            }
            println!("{line}");
            before = now;
        }
    }

    /// Everybody edits; at the end all is as it was meant.
    fn run(&self, idle: u64) {
        let start = beginning(self.records);
        let clones = Clones::new(self.trees, &start);
        let mut watches = clones.watch_all();
        println!(
            "{} trees, {} records, {} edits a second each, seed {}",
            self.trees, self.records, self.rate, self.seed
        );
        let began = Instant::now();
        let deeds = self.edit(&clones, &watches);
        println!(
            "{} deeds in {:.1} s",
            deeds.len(),
            began.elapsed().as_secs_f64()
        );
        let settled = clones.settled(PATIENCE);
        let cost = |watch: &Watch| Cost::of(watch.process());
        let total: u64 = watches.iter().map(|watch| cost(watch).computed).sum();
        println!(
            "in step after {settled:?} more; {:.1} s of computing by all",
            total as f64 / 1000.0
        );
        for (at, watch) in watches.iter_mut().enumerate() {
            assert!(watch.is_running(), "{at} ended:\n{}", watch.all());
        }
        if idle > 0 {
            rest(&watches, idle);
        }
        for watch in watches {
            watch.end("TERM");
        }
        self.judge(clones, &start, &deeds, settled);
    }

    fn judge(&self, clones: Clones, start: &str, deeds: &[Deed], settled: Option<Duration>) {
        let meant = Meant::new(&Said::read(start).unwrap(), deeds);
        let mut told = Vec::new();
        if settled.is_none() {
            told.push("the files do not become equal".to_owned());
        }
        told.extend(clones.faults());
        for at in 0..clones.len() {
            match Said::read(&clones.text(at)) {
                Ok(said) => {
                    let faults = meant.judge(&said, &BTreeSet::new());
                    if !faults.is_none() {
                        told.push(format!("tree {at}: {faults:#?}"));
                    }
                }
                Err(error) => told.push(format!("tree {at}: {error}")),
            }
        }
        println!("{} values stand at the end", meant.standing().count());
        println!("warnings: {:#?}", clones.warnings());
        if !told.is_empty() {
            let folder = clones.keep();
            panic!(
                "seed {}: {}\nall of it is left in {}",
                self.seed,
                told.join("\n"),
                folder.display()
            );
        }
    }
}

/// Prints what the watchers cost while nothing happens.
fn rest(watches: &[Watch], seconds: u64) {
    thread::sleep(Duration::from_secs(10));
    let before: Vec<Cost> = watches
        .iter()
        .map(|watch| Cost::of(watch.process()))
        .collect();
    thread::sleep(Duration::from_secs(seconds));
    println!("idle for {seconds} s: computing in ms, wake-ups a second, resident MB");
    for (watch, before) in watches.iter().zip(before) {
        let now = Cost::of(watch.process());
        println!(
            "  {} ms  {:.1}/s  {:.0} MB",
            now.computed - before.computed,
            (now.waits - before.waits) as f64 / seconds as f64,
            now.resident as f64 / 1024.0
        );
    }
}

#[test]
fn three_who_edit_the_same_records_lose_nothing() {
    let mesh = Mesh {
        trees: 3,
        seconds: 2,
        rate: 5,
        seed: 1,
        records: 6,
    };
    mesh.run(0);
}

#[test]
#[ignore = "it takes minutes"]
fn mesh() {
    let mesh = Mesh {
        trees: number("WATCH_TREES", 8) as usize,
        seconds: number("WATCH_SECONDS", 300),
        rate: number("WATCH_RATE", 10),
        seed: number("WATCH_SEED", 1),
        records: number("WATCH_RECORDS", 24) as usize,
    };
    mesh.run(number("WATCH_IDLE", 60));
}
