//! When files that were touched are to be looked at. Pure: it is told what happens and what time it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a file must not have been written whose writer does not say when it is done. Half of a file is seen with less.
const QUIET: Duration = Duration::from_millis(10);

/// How long after git did something the whole is looked at: several of its files follow each other.
const GIT_QUIET: Duration = Duration::from_millis(15);

/// How long a file must be gone to be taken for deleted: some editors take it away for a moment.
const GONE: Duration = Duration::from_millis(500);

/// When a file that cannot be read, which may be half of one, is looked at again.
const AGAIN: [Duration; 3] = [
    Duration::from_millis(20),
    Duration::from_millis(50),
    Duration::from_millis(200),
];

/// How long to wait while git is in the middle of something: the first time, and at most.
const BUSY: Duration = Duration::from_millis(4);
const MOST_BUSY: Duration = Duration::from_secs(2);

/// How long a file that was looked at is left alone at least, and at most however much that costs.
const REST: Duration = Duration::from_millis(2);
const MOST_REST: Duration = Duration::from_secs(1);

/// What the system tells of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Its writer is done: it was closed, or renamed to this name.
    Written,
    /// It is being written, and its writer will be told to be done.
    Opened,
    /// It is being written, or was: nobody tells when its writer is done.
    BeingWritten,
    /// It is gone.
    Gone,
}

/// What is to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// These files, from the top of the work tree.
    Files(BTreeSet<PathBuf>),
    /// Everything.
    Everything,
}

/// What was touched and not looked at since.
#[derive(Debug)]
pub struct Unrest {
    files: BTreeMap<PathBuf, Instant>,
    /// Files that are gone, and when they are taken for deleted.
    gone: BTreeMap<PathBuf, Instant>,
    /// When everything is to be looked at.
    everything: Instant,
    /// Until when files that were looked at are left alone.
    resting: BTreeMap<PathBuf, Instant>,
    /// How often files could not be read in a row.
    unread: BTreeMap<PathBuf, usize>,
    /// Nothing is looked at before.
    held_until: Option<Instant>,
    /// How long it was held the last time in a row.
    held_for: Duration,
}

impl Unrest {
    /// Nothing was touched; everything is due at `now`.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self {
            files: BTreeMap::new(),
            gone: BTreeMap::new(),
            everything: now,
            resting: BTreeMap::new(),
            unread: BTreeMap::new(),
            held_until: None,
            held_for: Duration::ZERO,
        }
    }

    /// A file was touched.
    pub fn touch(&mut self, file: PathBuf, sign: Sign, now: Instant) {
        if sign != Sign::Gone {
            self.gone.remove(&file);
        }
        match sign {
            Sign::Gone => {
                self.gone.insert(file, now + GONE);
            }
            Sign::Written => {
                self.files.insert(file, now);
            }
            // What is due because its writer was done is so still.
            Sign::Opened | Sign::BeingWritten => {
                let due = self.files.entry(file).or_insert(now + QUIET);
                if *due > now {
                    *due = now + QUIET;
                }
            }
        }
    }

    /// A file is being written: it is left alone until then, or until its writer is done.
    pub fn put_off(&mut self, file: PathBuf, until: Instant) {
        self.gone.remove(&file);
        self.files.insert(file, until);
    }

    /// Git wrote something of its own.
    pub fn git(&mut self, now: Instant) {
        self.everything_by(now + GIT_QUIET);
    }

    /// Everything is to be looked at, by then at the latest.
    pub fn everything_by(&mut self, by: Instant) {
        self.everything = self.everything.min(by);
    }

    /// Everything was looked at, and is to be so again at that time if nothing happens.
    pub fn swept(&mut self, next: Instant) {
        self.everything = next;
    }

    /// When something is due, as far as is known.
    #[must_use]
    pub fn next(&self) -> Instant {
        let files = self.files.iter().map(|(file, due)| self.rested(file, *due));
        let gone = self.gone.values().copied();
        let next = files.chain(gone).chain([self.everything]).min();
        let next = next.unwrap_or(self.everything);
        self.held_until.map_or(next, |held| held.max(next))
    }

    /// When a file that is due at `due` may be looked at.
    fn rested(&self, file: &Path, due: Instant) -> Instant {
        self.resting.get(file).map_or(due, |until| due.max(*until))
    }

    /// Takes what is due. What is not done of it has to be put in again.
    pub fn take_due(&mut self, now: Instant) -> Option<Due> {
        if self.held_until.is_some_and(|held| held > now) {
            return None;
        }
        self.held_until = None;
        self.resting.retain(|_, until| *until > now);
        if self.everything <= now || self.gone.values().any(|by| *by <= now) {
            self.files.clear();
            self.gone.clear();
            return Some(Due::Everything);
        }
        let is_due = |(file, due): &(&PathBuf, &Instant)| self.rested(file, **due) <= now;
        let due = self.files.iter().filter(is_due);
        let due: BTreeSet<PathBuf> = due.map(|(file, _)| file.clone()).collect();
        self.files.retain(|file, _| !due.contains(file));
        (!due.is_empty()).then_some(Due::Files(due))
    }

    /// Puts back what was due: git is in the middle of something, or about to be, for so long if that is known.
    pub fn hold(&mut self, due: Due, at_least: Option<Duration>, now: Instant) {
        match due {
            Due::Everything => self.everything = now,
            Due::Files(files) => {
                for file in files {
                    self.files.entry(file).or_insert(now);
                }
            }
        }
        let longer = (self.held_for * 2).clamp(BUSY, MOST_BUSY);
        self.held_for = at_least.unwrap_or(longer);
        self.held_until = Some(now + self.held_for);
    }

    /// Git is at rest again.
    pub fn let_go(&mut self) {
        self.held_for = Duration::ZERO;
    }

    /// A file was looked at, which took so long: in a storm it is not looked at again before as much time went by, so that it
    /// takes no more than half of it.
    pub fn looked_at(&mut self, file: &Path, took: Duration, now: Instant) {
        self.unread.remove(file);
        let until = now + took.clamp(REST, MOST_REST);
        self.resting.insert(file.to_path_buf(), until);
    }

    /// A file could not be read, which may be half of one. Whether it is looked at again, and nobody to be told yet.
    pub fn is_read_again(&mut self, file: &Path, now: Instant) -> bool {
        let times = self.unread.entry(file.to_path_buf()).or_default();
        let Some(wait) = AGAIN.get(*times) else {
            return false;
        };
        *times += 1;
        self.files.entry(file.to_path_buf()).or_insert(now + *wait);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn todos() -> PathBuf {
        PathBuf::from(".rhema/todos.yaml")
    }

    fn files(files: impl IntoIterator<Item = PathBuf>) -> Option<Due> {
        Some(Due::Files(files.into_iter().collect()))
    }

    /// One to whom everything was shown already.
    fn rested(now: Instant) -> Unrest {
        let mut unrest = Unrest::new(now);
        assert_eq!(unrest.take_due(now), Some(Due::Everything));
        unrest.swept(now + Duration::from_secs(60));
        unrest
    }

    #[test]
    fn a_file_whose_writer_is_done_is_due_at_once() {
        let now = Instant::now();
        let mut unrest = rested(now);
        unrest.touch(todos(), Sign::Written, now);
        assert_eq!(unrest.next(), now);
        assert_eq!(unrest.take_due(now), files([todos()]));
        assert_eq!(unrest.take_due(now), None);
    }

    #[test]
    fn one_that_is_being_written_is_due_once_it_is_quiet() {
        let now = Instant::now();
        let mut unrest = rested(now);
        unrest.touch(todos(), Sign::BeingWritten, now);
        unrest.touch(todos(), Sign::BeingWritten, now + ms(8));
        assert_eq!(unrest.take_due(now + ms(12)), None);
        assert_eq!(unrest.next(), now + ms(18));
        assert_eq!(unrest.take_due(now + ms(18)), files([todos()]));
    }

    #[test]
    fn a_writer_who_is_done_ends_the_wait() {
        let now = Instant::now();
        let mut unrest = rested(now);
        unrest.touch(todos(), Sign::BeingWritten, now);
        unrest.touch(todos(), Sign::Written, now + ms(1));
        unrest.touch(todos(), Sign::BeingWritten, now + ms(1));
        assert_eq!(unrest.take_due(now + ms(1)), files([todos()]));
    }

    #[test]
    fn whoever_takes_their_time_is_waited_for() {
        let now = Instant::now();
        let mut unrest = rested(now);
        unrest.touch(todos(), Sign::Written, now);
        unrest.put_off(todos(), now + ms(1_000));
        assert_eq!(unrest.take_due(now + ms(999)), None);
        assert_eq!(unrest.take_due(now + ms(1_000)), files([todos()]));
        unrest.put_off(todos(), now + ms(2_000));
        unrest.touch(todos(), Sign::Written, now + ms(1_100));
        assert_eq!(unrest.take_due(now + ms(1_100)), files([todos()]));
        assert_eq!(unrest.take_due(now + ms(2_000)), None);
    }

    #[test]
    fn in_a_storm_a_file_takes_half_of_the_time_at_most() {
        let now = Instant::now();
        let mut unrest = rested(now);
        unrest.looked_at(&todos(), ms(100), now);
        for at in 0..50 {
            unrest.touch(todos(), Sign::Written, now + ms(at));
            assert_eq!(unrest.take_due(now + ms(at)), None);
        }
        assert_eq!(unrest.next(), now + ms(100));
        assert_eq!(unrest.take_due(now + ms(100)), files([todos()]));
        assert_eq!(unrest.take_due(now + ms(100)), None, "a storm is one look");
    }

    #[test]
    fn what_one_file_costs_does_not_hold_up_another() {
        let now = Instant::now();
        let mut unrest = rested(now);
        let other = PathBuf::from(".rhema/decisions.yaml");
        unrest.looked_at(&todos(), ms(100), now);
        unrest.touch(todos(), Sign::Written, now);
        unrest.touch(other.clone(), Sign::Written, now);
        assert_eq!(unrest.take_due(now), files([other]));
    }

    #[test]
    fn while_git_is_busy_nothing_is_due_and_nothing_is_forgotten() {
        let now = Instant::now();
        let mut unrest = rested(now);
        unrest.touch(todos(), Sign::Written, now);
        let due = unrest.take_due(now).unwrap();
        unrest.hold(due, None, now);
        assert_eq!(unrest.take_due(now), None);
        let first = unrest.next();
        assert_eq!(first, now + BUSY);
        let due = unrest.take_due(first).unwrap();
        unrest.hold(due, None, first);
        assert_eq!(
            unrest.next(),
            first + BUSY * 2,
            "it waits longer and longer"
        );
        assert_eq!(unrest.take_due(first + BUSY * 2), files([todos()]));
    }

    #[test]
    fn half_a_file_is_read_again_three_times_before_anybody_is_told() {
        let now = Instant::now();
        let mut unrest = rested(now);
        let told: Vec<bool> = (0..4)
            .map(|_| unrest.is_read_again(&todos(), now))
            .collect();
        assert_eq!(told, [true, true, true, false]);
        assert_eq!(unrest.next(), now + ms(20));
        unrest.looked_at(&todos(), ms(1), now);
        assert!(
            unrest.is_read_again(&todos(), now),
            "it was read in between"
        );
    }

    #[test]
    fn a_file_that_is_gone_may_come_back() {
        let now = Instant::now();
        let mut unrest = rested(now);
        unrest.touch(todos(), Sign::Gone, now);
        assert_eq!(unrest.take_due(now + ms(100)), None);
        unrest.touch(todos(), Sign::Written, now + ms(200));
        assert_eq!(unrest.take_due(now + ms(200)), files([todos()]));
        assert_eq!(unrest.take_due(now + ms(500)), None);
        unrest.touch(todos(), Sign::Gone, now + ms(600));
        assert_eq!(unrest.next(), now + ms(1100));
        assert_eq!(unrest.take_due(now + ms(1100)), Some(Due::Everything));
    }
}
