//! A number to which everybody adds, beside the records that they edit. Each amount is another power of four, so that the number
//! tells what is in it: in base four every digit is 1 where its amount counts, 0 where it does not, and anything else where it
//! counts more than once, or was taken away from what did not hold it.

use crate::broken::{Broken, must};
use crate::ground::Ground;
use crate::oracle::Merge;
use crate::text::FILE;

/// The configuration that makes it a counter.
pub(crate) const CONFIG: (&str, &str) = (
    ".rhema/crdt/config.yaml",
    "discovery: \"off\"\ntypes:\n  counters[].votes: pn_counter\n",
);

/// How many amounts there can be.
const MOST: u32 = 30;

/// How its line begins.
const LINE: &str = "    votes: ";

/// A text with a counter in it. What is said beside that has room for the names of many amounts.
pub(crate) fn with_counter(text: &str) -> String {
    let notes = "what there is room for, ".repeat(120);
    let counter =
        format!("counters:\n  - name: hits\n    notes: {notes}and no more\n{LINE}0\ntodos:\n");
    text.replacen("todos:\n", &counter, 1)
}

/// What a text says of it.
pub(crate) fn counted(text: &str) -> Option<i64> {
    let mut lines = text.lines();
    lines.find_map(|line| line.strip_prefix(LINE)?.parse().ok())
}

/// The digits of a number, the smallest first.
fn digits(number: i64) -> impl Iterator<Item = i64> {
    (0..MOST).map(move |place| number >> (2 * place) & 3)
}

/// Whether every amount counts once or not at all.
fn is_sound(number: i64) -> bool {
    number >= 0 && digits(number).all(|digit| digit < 2)
}

impl Ground {
    /// The next amount; nothing when there is room for no more.
    fn amount(&mut self) -> Option<i64> {
        let place = self.amounts;
        self.amounts += 1;
        (place < MOST).then(|| 1 << (2 * place))
    }

    /// Somebody types the sum.
    pub(crate) fn count_by_hand(&mut self, at: usize) {
        let text = self.file(at).filter(|_| self.under_way(at).is_none());
        let Some((number, text)) = text.and_then(|text| Some((counted(&text)?, text))) else {
            return;
        };
        let Some(amount) = self.amount() else { return };
        let sum = number + amount;
        self.note(&format!(
            "(cd {}; sed -i 's/^{LINE}.*/{LINE}{sum}/' {FILE})",
            self.desks[at].name
        ));
        self.write(
            at,
            &text.replacen(&format!("{LINE}{number}\n"), &format!("{LINE}{sum}\n"), 1),
        );
        let desk = &mut self.desks[at];
        (desk.is_typed, desk.is_counted) = (true, true);
    }

    /// The same by command.
    pub(crate) fn count_by_command(&mut self, at: usize) -> Result<(), Broken> {
        if self.is_awaited(at) {
            self.sync(at)?;
        }
        let Some(before) = self.file(at).and_then(|text| counted(&text)) else {
            return Ok(());
        };
        let Some(amount) = self.amount() else {
            return Ok(());
        };
        let done = self.rhema(
            at,
            &["increment", "counters/hits/votes", &amount.to_string()],
        )?;
        if self.under_way(at).is_some() {
            return must(
                done.status == 3,
                "it counts while git is at work",
                String::new,
            );
        }
        must(done.status == 0, "a command fails", || done.stderr.clone())?;
        let text = self.file(at).unwrap_or_default();
        let is_added = counted(&text) == Some(before + amount) || !self.foreign(at).is_empty();
        must(is_added, "a command counts something else", || {
            format!("{before} and {amount}:\n{text}")
        })?;
        let log = self.log(at);
        let desk = &mut self.desks[at];
        (desk.log, desk.is_counted) = (log, false);
        self.judge_counted(at)?;
        self.judge_store(at)
    }

    /// From here on amounts have lost their names, as they do without the tool: they may count more than once.
    pub(crate) fn lose_amounts(&mut self) {
        self.has_lost_amounts = true;
    }

    /// What was typed and is committed before anybody looked has no name.
    pub(crate) fn note_counted(&mut self, at: usize) {
        if std::mem::take(&mut self.desks[at].is_counted) {
            self.lose_amounts();
        }
    }

    /// Every amount counts once, or not at all.
    pub(crate) fn judge_counted(&self, at: usize) -> Result<(), Broken> {
        let text = self.file(at).filter(|_| self.under_way(at).is_none());
        let Some(text) = text.filter(|_| !self.has_lost_amounts) else {
            return Ok(());
        };
        let is_right = counted(&text).is_none_or(is_sound);
        must(is_right, "an amount does not count once", || text.clone())
    }

    /// What comes of a counter on two sides: what either added is there, what either took back is not.
    pub(crate) fn judge_sum(&self, merge: &Merge, merged: &str) -> Result<(), Broken> {
        let sides = [&merge.base, &merge.ours, &merge.theirs].map(|said| said.counted);
        let ([Some(base), Some(ours), Some(theirs)], false) = (sides, self.has_lost_amounts) else {
            return Ok(());
        };
        if ![base, ours, theirs].into_iter().all(is_sound) {
            return Ok(());
        }
        let mut sum = 0;
        for (place, ((base, ours), theirs)) in
            (0..).zip(digits(base).zip(digits(ours)).zip(digits(theirs)))
        {
            if base == 1 && ours == 0 && theirs == 0 {
                // Of two that took it back in different commits nothing tells.
                return Ok(());
            }
            let digit = if ours == base { theirs } else { ours };
            sum += digit << (2 * place);
        }
        must(
            counted(merged) == Some(sum),
            "a merge counts something else",
            || format!("{base:x} {ours:x} {theirs:x}, not {sum:x}:\n{merged}"),
        )
    }
}
