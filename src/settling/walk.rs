//! The walk over open conflicts: which one is asked about next, and what an answer does.
//!
//! Nobody is asked here, and nothing shown: whoever does that tells the walk what was answered, and is told what came of it.

use super::{Conflict, Kind, Settler};
use crate::context::{Choice, Unsettled};
use crate::git::{Error, Settled};

/// What somebody answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This conflict is settled so.
    Take(Choice),
    /// It is settled by a value that is yet to be written.
    Edit,
    /// It stays open.
    Skip,
    /// In this one, and in all that follow, the winner is taken.
    TakeAll,
    /// The question before this one is asked again, and what it settled is taken back.
    Back,
    /// What was settled last is taken back, and asked about again.
    Undo,
    /// All others stay open.
    Quit,
    /// What may be answered?
    Help,
}

/// An answer that is none, and what may be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAnAnswer(String);

impl Answer {
    /// What somebody typed about a conflict.
    ///
    /// # Errors
    /// When that is no answer to it; in words that say what is.
    pub fn read(line: &str, conflict: &Conflict) -> Result<Self, NotAnAnswer> {
        let losers = conflict.losers.len();
        Self::read_among(line, conflict.kind, losers, |choice| conflict.takes(choice))
    }

    fn read_among(
        line: &str,
        kind: Kind,
        losers: usize,
        takes: impl Fn(&Choice) -> bool,
    ) -> Result<Self, NotAnAnswer> {
        let line = line.trim();
        let answer = match line {
            "" | "s" | "skip" => Self::Skip,
            "w" | "winner" => Self::Take(Choice::Winner),
            "e" | "edit" => Self::Edit,
            "a" | "all" => Self::TakeAll,
            "b" | "back" => Self::Back,
            "u" | "undo" => Self::Undo,
            "q" | "quit" => Self::Quit,
            "?" | "h" | "help" => Self::Help,
            _ => match (line.strip_prefix('='), line.parse::<usize>()) {
                (Some(value), _) => Self::Take(Choice::typed(value.trim())),
                (None, Ok(number @ 1..)) => Self::Take(Choice::Loser(number - 1)),
                _ => {
                    return Err(NotAnAnswer(format!(
                        "`{line}` is no answer; to write a value of your own, type =VALUE, and ? for help"
                    )));
                }
            },
        };
        let typed = Choice::Value(String::new());
        match &answer {
            Self::Take(choice) if !takes(choice) => Err(NotAnAnswer(match (choice, kind) {
                (Choice::Loser(_), Kind::Validator) => Unsettled::Unfit.to_string(),
                (Choice::Loser(_), _) => match losers {
                    1 => "there is no such loser: only number 1".to_owned(),
                    many => format!("there is no such loser: they are numbered 1 to {many}"),
                },
                _ => Unsettled::NotOneValue.to_string(),
            })),
            Self::Edit if !takes(&typed) => Err(NotAnAnswer(Unsettled::NotOneValue.to_string())),
            _ => Ok(answer),
        }
    }
}

/// What an answer did.
#[derive(Debug)]
#[must_use]
pub enum Step {
    /// It was settled, unless it was gone already.
    Settled,
    /// It was passed over.
    Skipped,
    /// So many were settled; of others it is told why they were not.
    All {
        /// How many.
        settled: usize,
        /// Which were not, and why.
        failed: Vec<(usize, Error)>,
    },
    /// The walk went back; whether something was taken back for that.
    Back {
        /// Whether what was settled there is open again.
        reopened: bool,
    },
    /// There is nothing to go back to.
    AtTheBeginning,
    /// Nothing was settled that could be taken back.
    NothingToUndo,
}

/// Where conflicts are settled.
pub trait Table {
    /// What is settled.
    type Matter;
    /// What was done for that.
    type Done;

    /// Whether it is still open: settling another one may have closed it.
    fn is_open(&self, matter: &Self::Matter) -> bool;

    /// Settles it, if it is still there.
    ///
    /// # Errors
    /// When it cannot be settled so.
    fn settle(&self, matter: &Self::Matter, choice: &Choice) -> Result<Option<Self::Done>, Error>;

    /// Takes that back.
    ///
    /// # Errors
    /// When something else was written since.
    fn unsettle(&self, done: &Self::Done) -> Result<(), Error>;
}

impl Table for Settler<'_> {
    type Matter = Conflict;
    type Done = Settled;

    fn is_open(&self, conflict: &Conflict) -> bool {
        Self::is_open(self, conflict)
    }

    fn settle(&self, conflict: &Conflict, choice: &Choice) -> Result<Option<Settled>, Error> {
        Self::settle(self, conflict, choice)
    }

    fn unsettle(&self, settled: &Settled) -> Result<(), Error> {
        Self::unsettle(self, settled)
    }
}

/// A walk over conflicts.
pub struct Walk<'w, T: Table> {
    table: &'w T,
    matters: &'w [T::Matter],
    /// The next one to be asked about.
    at: usize,
    /// Those that were asked about, in the order of asking, with what was taken and done.
    trail: Vec<Asked<T::Done>>,
}

/// A conflict that was asked about: which, and what was taken and done if it was settled.
type Asked<D> = (usize, Option<(Choice, D)>);

impl<'w, T: Table> Walk<'w, T> {
    /// Begins at the first.
    #[must_use]
    pub fn over(matters: &'w [T::Matter], table: &'w T) -> Self {
        Self {
            table,
            matters,
            at: 0,
            trail: Vec::new(),
        }
    }

    /// The one to be asked about now, and its number, from 1; nothing at the end.
    pub fn current(&mut self) -> Option<(usize, &'w T::Matter)> {
        loop {
            let matter = self.matters.get(self.at)?;
            // Fields that change together are settled together.
            if self.table.is_open(matter) {
                return Some((self.at + 1, matter));
            }
            self.at += 1;
        }
    }

    /// Those that were settled by now, and what was taken.
    pub fn taken(&self) -> impl Iterator<Item = (&'w T::Matter, &Choice)> {
        self.trail.iter().filter_map(|(at, done)| {
            let (choice, _) = done.as_ref()?;
            Some((self.matters.get(*at)?, choice))
        })
    }

    /// The current one is settled.
    ///
    /// # Errors
    /// When it cannot be settled so: it is asked about again.
    pub fn take(&mut self, choice: &Choice) -> Result<Step, Error> {
        let Some((_, matter)) = self.current() else {
            return Ok(Step::Skipped);
        };
        let done = self.table.settle(matter, choice)?;
        self.trail
            .push((self.at, done.map(|done| (choice.clone(), done))));
        self.at += 1;
        Ok(Step::Settled)
    }

    /// The current one stays open.
    pub fn skip(&mut self) -> Step {
        self.trail.push((self.at, None));
        self.at += 1;
        Step::Skipped
    }

    /// In the current one and in all that follow the winner is taken.
    pub fn take_all(&mut self) -> Step {
        let (mut settled, mut failed) = (0, Vec::new());
        while let Some((number, _)) = self.current() {
            match self.take(&Choice::Winner) {
                Ok(_) => settled += 1,
                Err(error) => {
                    failed.push((number, error));
                    let _ = self.skip();
                }
            }
        }
        Step::All { settled, failed }
    }

    /// Asks the question again that was asked before the current one. What was settled by it is taken back.
    ///
    /// # Errors
    /// When that cannot be taken back: the walk stays where it is.
    pub fn back(&mut self) -> Result<Step, Error> {
        let Some((at, done)) = self.trail.last() else {
            return Ok(Step::AtTheBeginning);
        };
        if let Some((_, done)) = done {
            self.table.unsettle(done)?;
        }
        let reopened = done.is_some();
        self.at = *at;
        self.trail.pop();
        Ok(Step::Back { reopened })
    }

    /// Takes back what was settled last, and asks about it again.
    ///
    /// # Errors
    /// When it cannot be taken back: the walk stays where it is.
    pub fn undo(&mut self) -> Result<Step, Error> {
        let Some(last) = self.trail.iter().rposition(|(_, done)| done.is_some()) else {
            return Ok(Step::NothingToUndo);
        };
        if let Some((at, Some((_, done)))) = self.trail.get(last) {
            self.table.unsettle(done)?;
            self.at = *at;
        }
        self.trail.truncate(last);
        Ok(Step::Back { reopened: true })
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use super::*;

    /// Conflicts that are numbers: even ones close the one behind them, too, and 7 cannot be settled.
    #[derive(Default)]
    struct Numbers(RefCell<BTreeMap<u32, Choice>>);

    impl Table for Numbers {
        type Matter = u32;
        type Done = u32;

        fn is_open(&self, number: &u32) -> bool {
            let taken = self.0.borrow();
            let before = number.checked_sub(1).filter(|before| before % 2 == 0);
            !taken.contains_key(number) && before.is_none_or(|before| !taken.contains_key(&before))
        }

        fn settle(&self, number: &u32, choice: &Choice) -> Result<Option<u32>, Error> {
            if *number == 7 {
                return Err(Error::Unsettled {
                    field: "7".to_owned(),
                    source: Unsettled::NoPlace,
                });
            }
            self.0.borrow_mut().insert(*number, choice.clone());
            Ok(Some(*number))
        }

        fn unsettle(&self, number: &u32) -> Result<(), Error> {
            self.0.borrow_mut().remove(number);
            Ok(())
        }
    }

    fn asked(walk: &mut Walk<'_, Numbers>) -> Option<u32> {
        walk.current().map(|(_, number)| *number)
    }

    #[test]
    fn each_is_asked_about_once_unless_another_one_closed_it() {
        let (numbers, table) = ([2, 3, 5], Numbers::default());
        let mut walk = Walk::over(&numbers, &table);
        let _ = walk.take(&Choice::Winner).unwrap();
        assert_eq!(asked(&mut walk), Some(5), "3 went with 2");
        let _ = walk.skip();
        assert_eq!(asked(&mut walk), None);
        assert_eq!(walk.taken().count(), 1);
    }

    #[test]
    fn going_back_takes_back_what_was_settled_there() {
        let (numbers, table) = ([2, 3, 5], Numbers::default());
        let mut walk = Walk::over(&numbers, &table);
        assert!(matches!(walk.back(), Ok(Step::AtTheBeginning)));
        let _ = walk.take(&Choice::Loser(0)).unwrap();
        let _ = walk.skip();
        assert!(matches!(walk.back(), Ok(Step::Back { reopened: false })));
        assert_eq!(asked(&mut walk), Some(5));
        assert!(matches!(walk.back(), Ok(Step::Back { reopened: true })));
        assert_eq!(asked(&mut walk), Some(2));
        assert_eq!(walk.taken().count(), 0);
        let _ = walk.skip();
        assert_eq!(asked(&mut walk), Some(3), "nothing closed it this time");
    }

    #[test]
    fn undo_returns_to_what_was_settled_last_whatever_was_skipped_since() {
        let (numbers, table) = ([1, 5, 9, 11], Numbers::default());
        let mut walk = Walk::over(&numbers, &table);
        assert!(matches!(walk.undo(), Ok(Step::NothingToUndo)));
        let _ = walk.take(&Choice::Winner).unwrap();
        let _ = walk.take(&Choice::Winner).unwrap();
        let _ = walk.skip();
        let _ = walk.undo().unwrap();
        assert_eq!(asked(&mut walk), Some(5));
        assert_eq!(walk.taken().count(), 1);
    }

    #[test]
    fn all_others_are_taken_but_for_those_that_cannot_be() {
        let (numbers, table) = ([1, 7, 9], Numbers::default());
        let mut walk = Walk::over(&numbers, &table);
        let Step::All { settled, failed } = walk.take_all() else {
            panic!("something else was done");
        };
        assert_eq!(settled, 2);
        assert_eq!(failed.len(), 1);
        assert_eq!(failed[0].0, 2, "the second of them");
        assert_eq!(asked(&mut walk), None);
        let _ = walk.undo().unwrap();
        assert_eq!(asked(&mut walk), Some(9));
    }

    #[test]
    fn what_cannot_be_settled_is_asked_about_again() {
        let (numbers, table) = ([7], Numbers::default());
        let mut walk = Walk::over(&numbers, &table);
        assert!(walk.take(&Choice::Winner).is_err());
        assert_eq!(asked(&mut walk), Some(7));
    }

    fn read(line: &str, kind: Kind, losers: usize) -> Result<Answer, String> {
        let takes = |choice: &Choice| match choice {
            Choice::Winner => true,
            Choice::Loser(index) => *index < losers && kind != Kind::Validator,
            Choice::Value(_) | Choice::Text(_) => kind != Kind::Deleted,
        };
        Answer::read_among(line, kind, losers, takes).map_err(|error| error.to_string())
    }

    #[test]
    fn answers_are_letters_numbers_and_values() {
        for (line, answer) in [
            ("", Answer::Skip),
            ("w", Answer::Take(Choice::Winner)),
            (" 2 ", Answer::Take(Choice::Loser(1))),
            ("= done", Answer::Take(Choice::Value("done".into()))),
            ("=Fix: it", Answer::Take(Choice::Text("Fix: it".into()))),
            ("a", Answer::TakeAll),
            ("back", Answer::Back),
            ("?", Answer::Help),
        ] {
            assert_eq!(read(line, Kind::Value, 2), Ok(answer), "{line}");
        }
    }

    #[test]
    fn what_is_no_answer_says_what_is() {
        for (line, kind, told) in [
            ("what", Kind::Value, "type =VALUE"),
            ("0", Kind::Value, "type =VALUE"),
            ("3", Kind::Value, "numbered 1 to 2"),
            ("=x", Kind::Deleted, "whole record"),
            ("e", Kind::Deleted, "whole record"),
            ("1", Kind::Validator, "does not fit"),
        ] {
            let error = read(line, kind, 2).unwrap_err();
            assert!(error.contains(told), "{line}: {error}");
        }
    }
}
