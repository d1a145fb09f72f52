//! Who is just writing a file, where the system tells when a writer is done. Pure: it is told what happens and what time it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Sign;
use crate::git::Save;

/// How long a writer may write nothing and is waited for all the same: some keep a file open for ever.
const SILENT: Duration = Duration::from_secs(1);

/// How long a writer is waited for in all, and how long a file is free then, however its writer goes on.
const IN_ALL: Duration = Duration::from_secs(10);
const FREE: Duration = Duration::from_secs(1);

/// What was told of each file that somebody wrote.
#[derive(Debug, Default)]
pub(super) struct Writers {
    files: BTreeMap<PathBuf, Seen>,
}

#[derive(Clone, Copy, Debug)]
enum Seen {
    Done,
    /// It has been written since `first`, the last time at `last`.
    Underway {
        first: Instant,
        last: Instant,
    },
}

impl Seen {
    /// Until when its writer is waited for.
    fn until(self) -> Option<Instant> {
        match self {
            Seen::Done => None,
            Seen::Underway { first, last } => Some((last + SILENT).min(first + IN_ALL)),
        }
    }
}

impl Writers {
    /// A file was touched.
    pub(super) fn touch(&mut self, file: &Path, sign: Sign, now: Instant) {
        let seen = match sign {
            Sign::Written => Seen::Done,
            Sign::Opened => {
                let first = match self.files.get(file) {
                    Some(Seen::Underway { first, last })
                        if now < *last + SILENT && now < *first + IN_ALL + FREE =>
                    {
                        *first
                    }
                    _ => now,
                };
                Seen::Underway { first, last: now }
            }
            // There is another file now, or none.
            Sign::BeingWritten | Sign::Gone => {
                self.files.remove(file);
                return;
            }
        };
        self.files.insert(file.to_path_buf(), seen);
    }

    /// What is known of a file.
    pub(super) fn save(&self, file: &Path, now: Instant) -> Save {
        match self.files.get(file) {
            None => Save::Unseen,
            Some(Seen::Done) => Save::Done,
            Some(underway) if underway.until().is_some_and(|until| now < until) => Save::Underway,
            Some(_) => Save::Unseen,
        }
    }

    /// Until when the writer of a file is waited for; nothing where there is none.
    pub(super) fn until(&self, file: &Path, now: Instant) -> Option<Instant> {
        let until = self.files.get(file)?.until();
        until.filter(|until| *until > now)
    }

    /// Something happened of which nothing was told: nobody may be taken to be done.
    pub(super) fn may_have_begun(&mut self) {
        self.files
            .retain(|_, seen| matches!(seen, Seen::Underway { .. }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn todos() -> &'static Path {
        Path::new(".rhema/todos.yaml")
    }

    #[test]
    fn a_file_is_being_written_until_its_writer_closes_it() {
        let now = Instant::now();
        let mut writers = Writers::default();
        assert_eq!(writers.save(todos(), now), Save::Unseen);
        writers.touch(todos(), Sign::BeingWritten, now);
        assert_eq!(writers.save(todos(), now), Save::Unseen, "a link, maybe");
        writers.touch(todos(), Sign::Opened, now);
        assert_eq!(writers.save(todos(), now + ms(900)), Save::Underway);
        assert_eq!(writers.until(todos(), now + ms(900)), Some(now + ms(1_000)));
        writers.touch(todos(), Sign::Written, now + ms(950));
        assert_eq!(writers.save(todos(), now + ms(950)), Save::Done);
        assert_eq!(writers.until(todos(), now + ms(950)), None);
        writers.touch(todos(), Sign::Opened, now + ms(960));
        assert_eq!(writers.save(todos(), now + ms(960)), Save::Underway);
        writers.touch(todos(), Sign::Gone, now + ms(970));
        assert_eq!(writers.save(todos(), now + ms(970)), Save::Unseen);
    }

    #[test]
    fn whoever_falls_silent_is_not_waited_for() {
        let now = Instant::now();
        let mut writers = Writers::default();
        writers.touch(todos(), Sign::Opened, now);
        writers.touch(todos(), Sign::Opened, now + ms(900));
        assert_eq!(writers.save(todos(), now + ms(1_899)), Save::Underway);
        assert_eq!(writers.save(todos(), now + ms(1_900)), Save::Unseen);
        assert_eq!(writers.until(todos(), now + ms(1_900)), None);
        writers.touch(todos(), Sign::Opened, now + ms(60_000));
        assert_eq!(writers.save(todos(), now + ms(60_900)), Save::Underway);
    }

    #[test]
    fn nor_is_whoever_never_ends() {
        let now = Instant::now();
        let mut writers = Writers::default();
        let mut free = Vec::new();
        for at in (0..15_000).step_by(100) {
            writers.touch(todos(), Sign::Opened, now + ms(at));
            if writers.save(todos(), now + ms(at)) != Save::Underway {
                free.push(at);
            }
        }
        assert_eq!(free, (10_000..11_000).step_by(100).collect::<Vec<_>>());
    }

    #[test]
    fn where_something_was_missed_only_those_who_write_are_known() {
        let now = Instant::now();
        let mut writers = Writers::default();
        let other = Path::new(".rhema/decisions.yaml");
        writers.touch(todos(), Sign::Written, now);
        writers.touch(other, Sign::Opened, now);
        writers.may_have_begun();
        assert_eq!(writers.save(todos(), now), Save::Unseen);
        assert_eq!(writers.save(other, now), Save::Underway);
    }
}
