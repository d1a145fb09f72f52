//! From a save here until it is seen there, and where the time goes.

use std::mem::MaybeUninit;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use chrono::DateTime;
use rustix::fs::inotify;

use crate::clones::Clones;
use crate::editor::{Save, beginning};
use crate::number;
use crate::steps::Dice;
use crate::text::Typing;
use crate::watching::Watch;

/// Tells what a file holds whenever it was put in place or written, and at which moment that was. The moment is taken before
/// the file is read, so that the reader costs nothing.
pub(crate) fn observe(path: &Path) -> Receiver<(Instant, Vec<u8>)> {
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
pub(crate) struct Measured(Vec<f64>);

impl Measured {
    pub(crate) fn add(&mut self, length: Duration) {
        self.0.push(length.as_secs_f64() * 1000.0);
    }

    /// The length that so many in a hundred do not exceed.
    fn percentile(&self, hundredths: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let at = (sorted.len() * hundredths).div_ceil(100).saturating_sub(1);
        sorted.get(at).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn row(&self, name: &str) -> String {
        let [half, most, nearly] = [50, 95, 99].map(|hundredths| self.percentile(hundredths));
        format!(
            "{name:<34} {half:>8.2} {most:>8.2} {nearly:>8.2}   ({})\n",
            self.0.len()
        )
    }
}

/// A line of the log with these words, or that ends with them, is the end of a stage of the way, here (0) or there (1).
const STAGES: [(usize, &str, &str); 11] = [
    (0, " round due=Files", "a round begins here"),
    (0, ": written by ", "known who wrote it"),
    (0, ": looked at\n", "looked at here"),
    (0, ": recorded\n", "recorded here"),
    (0, "happening=Sent", "sent"),
    (0, ": written\n", "stamps written here"),
    (1, "happening=Received", "received there"),
    (1, ": written by ", "known who wrote it there"),
    (1, ": looked at\n", "looked at there"),
    (1, ": recorded\n", "recorded there"),
    (1, ": written\n", "written there"),
];

/// When a line of the log was written.
fn logged(line: &str) -> Option<SystemTime> {
    let (at, _) = line.split_once(' ')?;
    Some(DateTime::parse_from_rfc3339(at).ok()?.into())
}

/// How long after `since` the first line with these words was logged, if one was.
fn stage(watch: &Watch, from: usize, words: &str, since: SystemTime) -> Option<Duration> {
    let lines = watch.said.matching(words.trim_end(), from).into_iter();
    let lines =
        lines.filter(|(_, line)| !words.ends_with('\n') || line.ends_with(words.trim_end()));
    let mut lengths = lines.filter_map(|(_, line)| logged(&line)?.duration_since(since).ok());
    lengths.next()
}

/// Puts a new text in the place of a file; when that began.
fn save(clones: &Clones, save: Save, text: &str) -> (Instant, SystemTime) {
    let path = clones.file(0);
    // What it takes to write the file beside is no part of it.
    let fresh = path.with_extension("fresh");
    if save == Save::Rename {
        std::fs::write(&fresh, text).unwrap();
    }
    let began = (Instant::now(), SystemTime::now());
    match save {
        Save::Rename => std::fs::rename(&fresh, &path).unwrap(),
        save => save.write(&path, text),
    }
    began
}

/// Saves a file so often, one edit at a time; the table of what was measured.
fn measure(clones: &Clones, watches: &[Watch], manner: Save, edits: usize, first: u32) -> String {
    let seen = observe(&clones.file(1));
    let mut dice = Dice::new(u64::from(first));
    let mut visible = Measured::default();
    let mut stages: Vec<Measured> = STAGES.iter().map(|_| Measured::default()).collect();
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
        let (began, since) = save(clones, manner, &typed);
        let at = loop {
            let (at, bytes) = seen
                .recv_timeout(Duration::from_secs(60))
                .unwrap_or_else(|_| panic!("{value} is not seen:\n{}", clones.told()));
            if memchr::memmem::find(&bytes, needle.as_bytes()).is_some() {
                break at;
            }
        };
        visible.add(at - began);
        // The lines may still be under way to here.
        thread::sleep(Duration::from_millis(5));
        for ((at, words, _), measured) in STAGES.iter().zip(&mut stages) {
            let length = stage(&watches[*at], lines[*at], words, since);
            length.into_iter().for_each(|length| measured.add(length));
        }
    }
    let mut table = visible.row("save until visible there");
    let tenth = (edits / 10).max(1);
    table += &Measured(visible.0[..tenth].to_vec()).row("  of the first tenth");
    table += &Measured(visible.0[edits - tenth..].to_vec()).row("  of the last tenth");
    for ((.., name), measured) in STAGES.iter().zip(&stages) {
        table += &measured.row(&format!("save until {name}"));
    }
    table
}

fn run(edits: usize, records: usize) {
    let mut clones = Clones::new(2, &beginning(records));
    clones.is_told_all = true;
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
