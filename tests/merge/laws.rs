//! What must hold for every merge.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use proptest::test_runner::RngSeed;
use rhema_crdt::yaml::{Document, Limits};

use crate::case::{merge, merge_bytes, text};
use crate::halves::{with_side, with_swapped_halves};
use crate::model::edit::{self, Kinds, Touched};
use crate::model::tree::{File, meaning_of};
use crate::model::{Tape, Words, generate, words};

/// A base with two sides, and what both sides' edits make of it where they touch different things.
struct Made {
    base: String,
    ours: String,
    theirs: String,
    both: Option<File>,
    /// Whether lists stand in the column of their keys somewhere: then a comment behind a list belongs to the next key
    /// as soon as there is one.
    flush_lists: bool,
    /// Whether a side moved entries: where they stand beside what the other side put there is not settled by both.
    entries_moved: bool,
}

const TAPE: usize = 160;

fn tape() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..TAPE)
}

fn base_of(tape: &[u8]) -> File {
    generate::file(&mut Tape::new(tape), &mut Words::from(0))
}

/// Two sides whose edits may touch the same things.
fn overlapping(base: &[u8], ours: &[u8], theirs: &[u8]) -> Made {
    let file = base_of(base);
    let (mut flush_lists, mut entries_moved) = (false, false);
    let mut side = |tape: &[u8], from: usize| {
        let mut tape = Tape::new(tape);
        let mut side = file.clone();
        side.frame = edit::reframed(file.frame, &mut tape);
        flush_lists |= side.frame.flush_lists || file.frame.flush_lists;
        let edits = edit::edits(
            &file,
            &mut tape,
            &mut Words::from(from),
            &mut Touched::default(),
            Kinds::All,
        );
        entries_moved |= edits.iter().any(edit::Edit::moves);
        edit::apply(&mut side, &edits);
        side
    };
    let (ours, theirs) = (side(ours, 1000).render(), side(theirs, 2000).render());
    Made {
        base: file.render(),
        ours,
        theirs,
        both: None,
        flush_lists,
        entries_moved,
    }
}

/// Two sides whose edits touch different things.
fn disjoint(base: &[u8], ours: &[u8], theirs: &[u8]) -> Made {
    let file = base_of(base);
    let mut touched = Touched::default();
    let mut both = file.clone();
    let (mut flush_lists, mut entries_moved) = (false, false);
    let mut side = |tape: &[u8], from: usize| {
        let mut tape = Tape::new(tape);
        let mut side = file.clone();
        side.frame = edit::reframed(file.frame, &mut tape);
        flush_lists |= side.frame.flush_lists || file.frame.flush_lists;
        let mut words = Words::from(from);
        let edits = edit::edits(&file, &mut tape, &mut words, &mut touched, Kinds::All);
        entries_moved |= edits.iter().any(edit::Edit::moves);
        edit::apply(&mut side, &edits);
        edit::apply(&mut both, &edits);
        side.render()
    };
    let (ours, theirs) = (side(ours, 1000), side(theirs, 2000));
    Made {
        base: file.render(),
        ours,
        theirs,
        both: Some(both),
        flush_lists,
        entries_moved,
    }
}

fn counted(text: &str) -> HashMap<&str, usize> {
    let mut counts = HashMap::new();
    for word in words(text) {
        *counts.entry(word).or_default() += 1;
    }
    counts
}

/// A text without comments and blank lines.
fn without_comments(text: &str) -> String {
    let bare = |line: &str| match line.trim_start().starts_with('#') {
        true => String::new(),
        false => line
            .split(" #")
            .next()
            .unwrap_or(line)
            .trim_end()
            .to_owned(),
    };
    let lines = text.lines().map(bare).filter(|line| !line.is_empty());
    lines.map(|line| line + "\n").collect()
}

impl Made {
    fn show(&self, merged: &str) -> String {
        format!(
            "--- base\n{}\n--- ours\n{}\n--- theirs\n{}\n--- merged\n{merged}\n---",
            self.base, self.ours, self.theirs
        )
    }

    /// What holds for any two sides.
    fn check(&self) -> Result<(), TestCaseError> {
        let Made {
            base, ours, theirs, ..
        } = self;
        for side in [base, ours, theirs] {
            let read = Document::read(side.as_bytes(), &Limits::default());
            prop_assert!(
                read.is_ok(),
                "made up what cannot be read: {read:?}\n{side}"
            );
            let same = merge(base, side, side).unwrap();
            prop_assert_eq!(text(&same), side.as_str());
            let same = merge(side, side, ours).unwrap();
            prop_assert_eq!(text(&same), ours.as_str());
            let same = merge(side, ours, side).unwrap();
            prop_assert_eq!(text(&same), ours.as_str());
        }
        let merged = match merge(base, ours, theirs) {
            Ok(merged) => merged,
            Err(error) => return Err(TestCaseError::fail(format!("{error}\n{}", self.show("")))),
        };
        let result = text(&merged);
        let shown = || self.show(result);
        let swapped = merge(base, theirs, ours).unwrap();
        let plain = |text: &str| text.replace("\r\n", "\n");
        prop_assert_eq!(
            plain(text(&swapped)),
            with_swapped_halves(&plain(result)),
            "not symmetric\n{}",
            shown()
        );
        self.check_words(result, merged.contested > 0)?;
        if merged.contested > 0 {
            for take_ours in [true, false] {
                let taken = with_side(&plain(result), take_ours);
                let read = Document::read(taken.as_bytes(), &Limits::default());
                prop_assert!(
                    read.is_ok(),
                    "one side cannot be read {read:?}\n{}",
                    shown()
                );
            }
            return Ok(());
        }
        let read = Document::read(&merged.bytes, &Limits::default());
        prop_assert!(read.is_ok(), "unreadable\n{}", shown());
        for side in [ours, theirs] {
            // A member of a plain list that one side moved and the other changed reads, once both are in one text, like
            // another member: merging a side in again then keeps both rather than lose one.
            if self.flush_lists || self.entries_moved {
                break;
            }
            let again = merge(base, result, side).unwrap();
            // Blank lines and comments at a seam belong to one neighbour or the other, which the text does not say. So
            // there they may come back, or stand twice: a known limit, of comments alone.
            let (again, once) = (without_comments(text(&again)), without_comments(result));
            prop_assert_eq!(&again, &once, "not idempotent with\n{}{}", side, shown());
        }
        Ok(())
    }

    /// Nothing that a side wrote is lost, nothing is there twice, nothing comes back.
    fn check_words(&self, result: &str, contested: bool) -> Result<(), TestCaseError> {
        let [base, ours, theirs, found] =
            [&self.base, &self.ours, &self.theirs, result].map(|text| counted(text));
        let mut all: Vec<&str> = base
            .keys()
            .chain(ours.keys())
            .chain(theirs.keys())
            .copied()
            .collect();
        all.sort_unstable();
        all.dedup();
        // Who replaces an entry takes its comments over: to delete one there is to delete it somewhere else.
        let comments: HashSet<&str> = self
            .base
            .lines()
            .filter_map(|line| line.split_once('#'))
            .flat_map(|(_, comment)| words(comment))
            .collect();
        let settled = self.both.is_some() && !self.flush_lists;
        for word in all {
            let [in_base, in_ours, in_theirs, in_result] = [&base, &ours, &theirs, &found]
                .map(|counts| counts.get(word).copied().unwrap_or(0));
            let wanted = if in_base > 0 {
                in_ours > 0 && in_theirs > 0
            } else {
                true
            };
            if wanted {
                prop_assert!(in_result > 0, "lost: {word}\n{}", self.show(result));
            } else if !contested && (self.both.is_some() || !comments.contains(word)) {
                prop_assert!(in_result == 0, "came back: {word}\n{}", self.show(result));
            }
            if !contested && (settled || !comments.contains(word)) {
                prop_assert!(in_result < 2, "doubled: {word}\n{}", self.show(result));
            }
        }
        Ok(())
    }

    /// What holds where the sides touched different things: both edits, and nothing contested.
    fn check_disjoint(&self) -> Result<(), TestCaseError> {
        self.check()?;
        let Some(both) = &self.both else {
            return Ok(());
        };
        let merged = merge(&self.base, &self.ours, &self.theirs).unwrap();
        let result = text(&merged);
        prop_assert_eq!(merged.contested, 0, "contested\n{}", self.show(result));
        let document = Document::read(&merged.bytes, &Limits::default()).unwrap();
        let found = document.root().map(meaning_of);
        prop_assert_eq!(
            found,
            Some(both.root.map_meaning()),
            "another meaning\n{}",
            self.show(result)
        );
        Ok(())
    }
}

fn config(cases: u32) -> ProptestConfig {
    // A longer search: PROPTEST_CASES=100000.
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        // The same cases every time: whoever changes something else must not be stopped by a case that nobody has met.
        config.cases = cases;
        config.rng_seed = RngSeed::Fixed(20_261_120);
    }
    config.failure_persistence = Some(Box::new(FileFailurePersistence::WithSource("regressions")));
    config
}

proptest! {
    #![proptest_config(config(3000))]

    #[test]
    fn edits_of_different_things_all_show(base in tape(), ours in tape(), theirs in tape()) {
        disjoint(&base, &ours, &theirs).check_disjoint()?;
    }

    #[test]
    fn nothing_is_lost_doubled_or_brought_back(base in tape(), ours in tape(), theirs in tape()) {
        overlapping(&base, &ours, &theirs).check()?;
    }

    #[test]
    fn three_branches_give_the_same_bytes_in_any_order(
        base in tape(),
        branches in [tape(), tape(), tape()],
    ) {
        let mut file = base_of(&base);
        // There a comment behind a list belongs to the next key as soon as there is one.
        file.frame.flush_lists = false;
        let mut touched = Touched::default();
        let texts: Vec<String> = branches
            .iter()
            .enumerate()
            .map(|(index, tape)| {
                let mut side = file.clone();
                let mut words = Words::from(1000 * (index + 1));
                let mut tape = Tape::new(tape);
                let edits =
                    edit::edits(&file, &mut tape, &mut words, &mut touched, Kinds::Leaves);
                edit::apply(&mut side, &edits);
                side.render()
            })
            .collect();
        let base = file.render();
        let all = |order: [usize; 3]| {
            let [a, b, c] = order.map(|index| texts[index].as_str());
            let first = merge(&base, a, b).unwrap();
            let all = merge(&base, text(&first), c).unwrap();
            // Blank lines are spacing, which is nobody's where entries are gone.
            let lines = text(&all).lines().filter(|line| !line.trim().is_empty());
            lines.map(|line| format!("{line}\n")).collect::<String>()
        };
        let first = all([0, 1, 2]);
        for order in [[0, 2, 1], [1, 2, 0]] {
            let other = all(order);
            prop_assert_eq!(&first, &other, "\n--- base\n{}\n--- branches\n{}", base, texts.join("\n---\n"));
        }
    }

    #[test]
    fn lines_that_nobody_touched_stay_as_they_are(base in tape(), ours in tape(), theirs in tape()) {
        let made = disjoint(&base, &ours, &theirs);
        if made.flush_lists {
            return Ok(());
        }
        let merged = merge(&made.base, &made.ours, &made.theirs).unwrap();
        let result = text(&merged);
        let lines = |text: &str| -> Vec<String> {
            text.trim_start_matches('\u{feff}').lines().map(str::to_owned).collect()
        };
        let (ours, theirs, found) = (lines(&made.ours), lines(&made.theirs), lines(result));
        for line in lines(&made.base) {
            // A key whose list was emptied has brackets beside it now.
            if words(&line).is_empty() || without_comments(&line).ends_with(":\n") || !ours.contains(&line) || !theirs.contains(&line) {
                continue;
            }
            prop_assert!(found.contains(&line), "rewritten: {line}\n{}", made.show(result));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(
        base in proptest::collection::vec(any::<u8>(), 0..60),
        ours in proptest::collection::vec(any::<u8>(), 0..60),
        theirs in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let _ = merge_bytes(&base, &ours, &theirs);
    }

    #[test]
    fn no_mutilated_document_makes_it_panic(
        made in tape(),
        cuts in proptest::collection::vec((any::<u16>(), any::<u16>(), any::<u8>()), 1..8),
    ) {
        let base = base_of(&made).render();
        let mutilated = |skip: usize| {
            let mut bytes = base.clone().into_bytes();
            for (at, length, byte) in cuts.iter().skip(skip) {
                let at = usize::from(*at) % (bytes.len() + 1);
                let end = (at + usize::from(*length) % 12).min(bytes.len());
                const BYTES: &[u8] = b"\n :-#\"'[]{}|>&*!?%\t,a1";
                let byte = BYTES[usize::from(*byte) % BYTES.len()];
                bytes.splice(at..end, [byte]);
            }
            bytes
        };
        let (ours, theirs) = (mutilated(0), mutilated(1));
        let merged = merge_bytes(base.as_bytes(), &ours, &theirs);
        let swapped = merge_bytes(base.as_bytes(), &theirs, &ours);
        prop_assert_eq!(merged.is_ok(), swapped.is_ok());
        if let (Ok(merged), Ok(swapped)) = (merged, swapped)
            && let Ok(text) = std::str::from_utf8(&merged.bytes)
            && !text.contains('\r')
        {
            let swapped = String::from_utf8(swapped.bytes).unwrap();
            prop_assert_eq!(swapped, with_swapped_halves(text), "{}\n---\n{}\n---\n{}",
                base, String::from_utf8_lossy(&ours), String::from_utf8_lossy(&theirs));
        }
    }
}

/// The laws say nothing if the edits that are made up change nothing.
#[test]
fn the_edits_that_are_made_up_are_of_every_kind() {
    let mut state = 1u64;
    let mut tape = || -> Vec<u8> {
        let mut byte = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        (0..TAPE).map(|_| byte()).collect()
    };
    const CASES: usize = 500;
    let mut kinds: HashMap<&str, usize> = HashMap::new();
    let (mut both_changed, mut contested) = (0, 0);
    for _ in 0..CASES {
        let (base, ours, theirs) = (tape(), tape(), tape());
        let file = base_of(&base);
        let edits = edit::edits(
            &file,
            &mut Tape::new(&ours),
            &mut Words::from(1000),
            &mut Touched::default(),
            Kinds::All,
        );
        for edit in edits {
            *kinds.entry(edit.kind()).or_default() += 1;
        }
        let made = disjoint(&base, &ours, &theirs);
        both_changed += usize::from(made.ours != made.base && made.theirs != made.base);
        let made = overlapping(&base, &ours, &theirs);
        let merged = merge(&made.base, &made.ours, &made.theirs).unwrap();
        contested += usize::from(merged.contested > 0);
    }
    assert_eq!(kinds.len(), 9, "{kinds:?}");
    assert!(kinds.values().all(|&count| count > CASES / 50), "{kinds:?}");
    assert!(both_changed > CASES / 3, "{both_changed}");
    assert!((CASES / 50..CASES / 2).contains(&contested), "{contested}");
}
