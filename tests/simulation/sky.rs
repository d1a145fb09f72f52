//! The world around the replicas: its time, its chance, and where a process ends.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rhema_crdt::surroundings::Surroundings;

use crate::plan::Dice;

/// When every run begins, in milliseconds since the Unix epoch: long after all files were made, so that nothing of what the real
/// time is can be seen.
pub(crate) const BEGINNING: u64 = 2_000_000_000_000;

/// What stands in the folders of a desk that the program writes, by their paths.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(BTreeMap<PathBuf, Vec<u8>>);

/// The program's own folder, and that with the documents.
const STATE: &str = ".git/rhema";
const DOCUMENTS: &str = ".rhema";

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files_below(&entry.path(), found),
            _ => found.push(entry.path()),
        }
    }
}

fn held_in(folder: &Path) -> Disk {
    let mut files = Vec::new();
    files_below(folder, &mut files);
    // What processes share in memory is gone when they are.
    files.retain(|file| !file.to_string_lossy().ends_with("-shm"));
    let held = files
        .into_iter()
        .filter_map(|file| Some((file.clone(), fs::read(file).ok()?)));
    Disk(held.collect())
}

fn put_back(folder: &Path, disk: &Disk) {
    let mut files = Vec::new();
    files_below(folder, &mut files);
    for file in files {
        if !disk.0.contains_key(&file) {
            fs::remove_file(file).unwrap();
        }
    }
    for (file, bytes) in disk.0.iter().filter(|(file, _)| file.starts_with(folder)) {
        if fs::read(file).ok().as_ref() != Some(bytes) {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        }
    }
}

impl Disk {
    /// What the program keeps for itself at a desk.
    pub(crate) fn of_state(top: &Path) -> Self {
        held_in(&top.join(STATE))
    }

    /// The same and the documents.
    fn of_all(top: &Path) -> Self {
        let mut all = Self::of_state(top);
        all.0.extend(held_in(&top.join(DOCUMENTS)).0);
        all
    }

    /// Puts the program's own files back as they were.
    pub(crate) fn put_back_state(&self, top: &Path) {
        put_back(&top.join(STATE), self);
    }

    fn put_back_documents(&self, top: &Path) {
        put_back(&top.join(DOCUMENTS), self);
    }

    /// The same with the clock as another disk has it.
    fn with_clock_of(mut self, other: &Self, top: &Path) -> Self {
        let clock = top.join(STATE).join("clock");
        if let Some(bytes) = other.0.get(&clock) {
            self.0.insert(clock, bytes.clone());
        }
        self
    }
}

/// How the process ends that is at work.
#[derive(Clone, Copy, Debug)]
struct End {
    /// How many points it passes before.
    passes: u64,
    /// Whether what is not on the disk is lost.
    is_power_cut: bool,
}

/// What stood on the disk when the process ended.
struct Ended {
    disk: Disk,
    is_power_cut: bool,
}

/// The world of one run.
pub(crate) struct Sky {
    now: Cell<u64>,
    dice: RefCell<Dice>,
    top: RefCell<PathBuf>,
    end: Cell<Option<End>>,
    /// The documents when the work began that is to end.
    before: RefCell<Option<Disk>>,
    ended: RefCell<Option<Ended>>,
    /// Whether anybody may lose power in this run.
    has_power_cuts: bool,
    /// What of each desk's state is safely on the disk.
    kept: RefCell<BTreeMap<PathBuf, Disk>>,
}

impl Sky {
    pub(crate) fn new(seed: u64, has_power_cuts: bool) -> Self {
        Self {
            now: Cell::new(BEGINNING),
            dice: RefCell::new(Dice::new(seed ^ 0xc0ff_ee00)),
            top: RefCell::default(),
            end: Cell::new(None),
            before: RefCell::default(),
            ended: RefCell::default(),
            has_power_cuts,
            kept: RefCell::default(),
        }
    }

    /// From now on it is this time, at this desk.
    pub(crate) fn is_over(&self, top: &Path, now: u64) {
        self.now.set(now);
        self.top.replace(top.to_path_buf());
        let loses = self.end.get().is_some_and(|end| end.is_power_cut);
        let documents = loses.then(|| held_in(&top.join(DOCUMENTS)));
        self.before.replace(documents);
    }

    /// The process ends when it has passed so many points more.
    pub(crate) fn end_after(&self, passes: u64, is_power_cut: bool) {
        self.end.set(Some(End {
            passes,
            is_power_cut,
        }));
    }

    /// What is about to end ends no more.
    pub(crate) fn spare(&self) {
        self.end.set(None);
    }

    /// Whether the process ended meanwhile.
    pub(crate) fn has_ended(&self) -> bool {
        self.end.set(None);
        self.ended.borrow().is_some()
    }

    /// The disk is as it was when the process ended, whatever that did since: nothing of it may go on.
    pub(crate) fn go_back(&self) {
        let Some(Ended { disk, is_power_cut }) = self.ended.take() else {
            return;
        };
        let top = self.top.borrow().clone();
        // A file that took another one's place may not have taken it yet.
        let before = self.before.take();
        let is_late = is_power_cut && self.dice.borrow_mut().comes(40);
        match before.filter(|_| is_late) {
            Some(before) => before.put_back_documents(&top),
            None => disk.put_back_documents(&top),
        }
        let kept = self.kept.borrow().get(&top).cloned();
        let state = match kept.filter(|_| is_power_cut) {
            Some(kept) if self.dice.borrow_mut().comes(50) => kept.with_clock_of(&disk, &top),
            Some(kept) => kept,
            None => disk,
        };
        state.put_back_state(&top);
    }

    /// What stands at a desk is safely on the disk.
    pub(crate) fn keep(&self, top: &Path) {
        if self.has_power_cuts {
            let state = Disk::of_state(top);
            self.kept.borrow_mut().insert(top.to_path_buf(), state);
        }
    }
}

impl Surroundings for Sky {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.now.get())
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.dice.borrow_mut().fill(bytes);
    }

    fn reached(&self, point: &str) {
        let top = self.top.borrow().clone();
        // Whatever came before is on the disk, too.
        if point == "kept" && self.ended.borrow().is_none() {
            self.keep(&top);
        }
        match self.end.get() {
            Some(End {
                passes: 0,
                is_power_cut,
            }) => {
                self.end.set(None);
                let disk = Disk::of_all(&top);
                self.ended.replace(Some(Ended { disk, is_power_cut }));
            }
            Some(end) => self.end.set(Some(End {
                passes: end.passes - 1,
                ..end
            })),
            None => {}
        }
    }
}
