//! From a save here until it is seen there, and where the time goes.

use std::fmt::Write as _;
use std::mem::MaybeUninit;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::inotify;

use crate::clones::Clones;
use crate::editor::{Save, beginning};
use crate::number;
use crate::steps::Dice;
use crate::text::Typing;
use crate::watching::Watch;

/// Tells what a file holds whenever it was put in place or written, and at which moment that was. The moment is taken before
/// the file is read, so that the reader costs nothing.
fn observe(path: &Path) -> Receiver<(Instant, Vec<u8>)> {
    let (tell, told) = channel();
    let queue = inotify::init(inotify::CreateFlags::CLOEXEC).unwrap();
    let flags = inotify::WatchFlags::MOVED_TO | inotify::WatchFlags::CLOSE_WRITE;
    inotify::add_watch(&queue, path.parent().unwrap(), flags).unwrap();
    let path = path.to_path_buf();
    thread::spawn(move || {
        let mut space = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(queue, &mut space);
        let name = path.file_name().unwrap();
        while let Ok(event) = events.next() {
            let at = Instant::now();
            if event.events().contains(inotify::ReadFlags::IGNORED) {
                return;
            }
            let named = event.file_name().map(|name| name.to_bytes());
            if named != Some(name.as_encoded_bytes()) {
                continue;
            }
            if tell
                .send((at, std::fs::read(&path).unwrap_or_default()))
                .is_err()
            {
                return;
            }
        }
    });
    told
}

/// What was measured of a stage, in milliseconds.
#[derive(Default)]
struct Measured(Vec<f64>);

impl Measured {
    fn add(&mut self, length: Duration) {
        self.0.push(length.as_secs_f64() * 1000.0);
    }

    /// The length that so many in a hundred do not exceed.
    fn percentile(&self, hundredths: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let at = (sorted.len() * hundredths).div_ceil(100).saturating_sub(1);
        sorted.get(at).copied().unwrap_or(f64::NAN)
    }

    fn row(&self, name: &str) -> String {
        let [half, most, nearly] = [50, 95, 99].map(|hundredths| self.percentile(hundredths));
        format!(
            "{name:<34} {half:>8.2} {most:>8.2} {nearly:>8.2}   ({})\n",
            self.0.len()
        )
    }
}

/// When an event was first told after a moment, if it was.
fn first_after(watch: &Watch, from: usize, event: &str, since: Instant) -> Option<Instant> {
    let words = format!("\"event\":\"{event}\"");
    let lines = watch.said.matching(&words, from);
    lines.into_iter().map(|(at, _)| at).find(|at| *at >= since)
}

/// Saves a file so often, one edit at a time; the table of what was measured.
fn measure(clones: &Clones, watches: &[Watch], save: Save, edits: usize, first: u32) -> String {
    let seen = observe(&clones.file(1));
    let mut dice = Dice::new(u64::from(first));
    let [mut visible, mut recorded, mut received, mut told] = <[Measured; 4]>::default();
    for number in 0..edits {
        thread::sleep(Duration::from_millis(30 + dice.below(50) as u64));
        let text = clones.text(0);
        let ids = crate::text::ids(&text);
        let value = format!("v{}", first + number as u32);
        let typing = Typing::Set {
            id: ids[dice.below(ids.len())].to_owned(),
            field: "owner",
            value: value.clone(),
        };
        let typed = typing.apply(&text);
        let lines = [watches[0].said.len(), watches[1].said.len()];
        let needle = format!("owner: {value}\n");
        while seen.try_recv().is_ok() {}
        let began = match save {
            // What it takes to write the file beside is no part of it.
            Save::Rename => {
                let fresh = clones.file(0).with_extension("fresh");
                std::fs::write(&fresh, &typed).unwrap();
                let began = Instant::now();
                std::fs::rename(&fresh, clones.file(0)).unwrap();
                began
            }
            save => {
                let began = Instant::now();
                save.write(&clones.file(0), &typed);
                began
            }
        };
        let at = loop {
            let (at, bytes) = seen
                .recv_timeout(Duration::from_secs(60))
                .unwrap_or_else(|_| panic!("{value} is not seen:\n{}", clones.told()));
            if memchr::memmem::find(&bytes, needle.as_bytes()).is_some() {
                break at;
            }
        };
        visible.add(at - began);
        let stage = |measured: &mut Measured, watch: &Watch, from, event| {
            let at = first_after(watch, from, event, began);
            at.into_iter().for_each(|at| measured.add(at - began));
        };
        // The lines may still be under way to here.
        thread::sleep(Duration::from_millis(5));
        stage(&mut recorded, &watches[0], lines[0], "recorded");
        stage(&mut received, &watches[1], lines[1], "received");
        stage(&mut told, &watches[1], lines[1], "rendered");
    }
    let mut table = String::new();
    let _ = write!(
        table,
        "{}{}{}{}",
        recorded.row("save until `recorded` is told here"),
        received.row("save until `received` is told there"),
        visible.row("save until visible there"),
        told.row("save until `rendered` is told there")
    );
    table
}

fn run(edits: usize, records: usize) {
    let clones = Clones::new(2, &beginning(records));
    let watches = clones.watch_all();
    watches[0].says("\"state\":\"in step\"");
    println!(
        "{records} records, {} bytes, {edits} edits a manner; ms: p50, p95, p99",
        clones.text(0).len()
    );
    let first = 1_000_000;
    for (number, save) in [Save::Rename, Save::InPlace].into_iter().enumerate() {
        let table = measure(
            &clones,
            &watches,
            save,
            edits,
            first + 100_000 * number as u32,
        );
        println!("{save:?}\n{table}");
    }
    for watch in watches {
        watch.end("TERM");
    }
}

#[test]
#[ignore = "it takes minutes"]
fn latency() {
    let records = std::env::var("WATCH_RECORDS").unwrap_or("100,10000".to_owned());
    let edits = number("WATCH_EDITS", 1_000) as usize;
    for records in records.split(',') {
        run(edits, records.parse().unwrap());
    }
}
