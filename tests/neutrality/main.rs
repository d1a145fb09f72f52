//! Annotations are neutral: where the driver does not run, git's own merge of lines conflicts no more often than without
//! them when the two sides changed different records.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod model;
#[path = "../support/mod.rs"]
#[allow(dead_code)]
mod support;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngSeed, TestRunner};

use model::{Edit, File, Start, Touched, edits, starts, ticks};
use support::{World, run};

/// A file, what was stamped and committed in it before, and what two people do to it then.
#[derive(Clone, Debug)]
struct Case {
    start: Start,
    history: Vec<Edit>,
    ours: Vec<Edit>,
    theirs: Vec<Edit>,
}

fn cases() -> impl Strategy<Value = Case> {
    (starts(), edits(4), edits(3), edits(3)).prop_map(|(start, history, ours, theirs)| Case {
        start,
        history,
        ours,
        theirs,
    })
}

/// How near the two sides came to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    /// Different records.
    DifferentRecords,
    /// Different records, and both sides added one at the end.
    BothAppend,
    /// Different records, of which some open with a text of several lines: there the annotation stands in the line that
    /// opens the record, next to the last one of the record above.
    TextFirst,
    /// Different records, and a side took records out and put others in, or moved some.
    Rearranged,
    /// Different records, but one was moved past the other.
    MovedPast,
    /// One record at least, and different fields of it.
    DifferentFields,
    /// One field at least, or one record as a whole.
    SameField,
}

impl Nearness {
    fn of(ours: &Touched, theirs: &Touched) -> Self {
        if ours.records().is_disjoint(&theirs.records()) {
            return if ours.text_first || theirs.text_first {
                Self::TextFirst
            } else if !ours.surroundings().is_disjoint(&theirs.surroundings()) {
                Self::MovedPast
            } else if ours.rearranged() || theirs.rearranged() {
                Self::Rearranged
            } else if ours.appended && theirs.appended {
                Self::BothAppend
            } else {
                Self::DifferentRecords
            };
        }
        let meets = |(record, field): &(String, Option<&'static str>)| {
            let mut others = theirs.leaves.iter().filter(|(other, _)| other == record);
            others.any(|(_, other)| field.is_none() || other.is_none() || other == field)
        };
        if ours.leaves.iter().any(meets) {
            Self::SameField
        } else {
            Self::DifferentFields
        }
    }
}

impl fmt::Display for Nearness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::DifferentRecords => "different records",
            Self::BothAppend => "different records, both appended",
            Self::TextFirst => "different records, a text opens one",
            Self::Rearranged => "different records, rearranged",
            Self::MovedPast => "one moved past the other",
            Self::DifferentFields => "different fields of one record",
            Self::SameField => "the same field or record",
        })
    }
}

/// The three versions of a file.
struct Versions {
    base: String,
    ours: String,
    theirs: String,
}

/// What git makes of a case.
struct Outcome {
    nearness: Nearness,
    plain: Versions,
    annotated: Versions,
}

impl Case {
    fn play(&self) -> Outcome {
        let base = File::start(&self.start).documented(&self.history);
        let (mut ours, mut theirs) = (base.clone(), base.clone());
        let nearness = Nearness::of(
            &ours.apply(&self.ours, "a"),
            &theirs.apply(&self.theirs, "b"),
        );
        let head = base.text();
        Outcome {
            nearness,
            annotated: Versions {
                ours: ours.stamped(&head, ticks(1, 24)),
                theirs: theirs.stamped(&head, ticks(2, 25)),
                base: head,
            },
            plain: Versions {
                base: base.plain().text(),
                ours: ours.plain().text(),
                theirs: theirs.plain().text(),
            },
        }
    }
}

/// A folder in which git merges lines.
struct Git {
    world: World,
}

impl Git {
    fn new() -> Self {
        let world = World::new();
        Self { world }
    }

    /// The number of conflicts that `git merge-file` leaves, and the result.
    fn merge(&self, versions: &Versions) -> (usize, String) {
        let Versions { base, ours, theirs } = versions;
        for (name, text) in [("base", base), ("ours", ours), ("theirs", theirs)] {
            fs::write(self.world.path(name), text).unwrap();
        }
        let mut command = self.world.command("git", &self.world.path(""));
        command.args(["merge-file", "-p", "-q", "ours", "base", "theirs"]);
        if let Some(algorithm) = std::env::var_os("DIFF_ALGORITHM") {
            command.arg("--diff-algorithm").arg(algorithm);
        }
        let merged = run(&mut command);
        let conflicts = usize::try_from(merged.status).unwrap();
        assert!(conflicts < 128, "{}", merged.stderr);
        (conflicts, merged.stdout)
    }
}

/// The same cases every time, unless a longer search is asked for: `PROPTEST_CASES=100000`.
fn config(cases: u32) -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
        config.rng_seed = RngSeed::Fixed(20_261_121);
    }
    config
}

#[test]
fn different_records_merge_as_well_with_annotations_as_without() {
    let git = Git::new();
    let mut runner = TestRunner::new(config(400));
    runner
        .run(&cases(), |case| {
            let outcome = case.play();
            if outcome.nearness > Nearness::BothAppend {
                return Ok(());
            }
            if git.merge(&outcome.plain).0 == 0 {
                let (conflicts, text) = git.merge(&outcome.annotated);
                prop_assert_eq!(conflicts, 0, "in\n{}", text);
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

/// How often git stopped.
#[derive(Default)]
struct Tally {
    pairs: usize,
    plain: usize,
    annotated: usize,
    only_plain: usize,
    only_annotated: usize,
}

/// How often git stops for pairs of branches that came this near to each other.
fn tallies(
    config: ProptestConfig,
    counted: impl Fn(Nearness) -> bool,
) -> BTreeMap<Nearness, Tally> {
    let git = Git::new();
    let count = config.cases;
    let mut runner = TestRunner::new(config);
    let mut tallies: BTreeMap<Nearness, Tally> = BTreeMap::new();
    for _ in 0..count {
        let outcome = cases().new_tree(&mut runner).unwrap().current().play();
        if !counted(outcome.nearness) {
            continue;
        }
        let versions = [&outcome.plain, &outcome.annotated];
        let [plain, annotated] = versions.map(|versions| git.merge(versions).0 > 0);
        let tally = tallies.entry(outcome.nearness).or_default();
        tally.pairs += 1;
        tally.plain += usize::from(plain);
        tally.annotated += usize::from(annotated);
        tally.only_plain += usize::from(plain && !annotated);
        tally.only_annotated += usize::from(annotated && !plain);
    }
    tallies
}

/// A diff of lines cannot tell which of two neighbours was moved, and takes lines of a record that went for lines of one
/// that came. Which ones it takes depends on every line, so annotations make it stop here and keep it from stopping
/// there: no more often, but for two pairs in a hundred.
#[test]
fn records_that_change_places_stop_git_as_often_with_annotations_as_without() {
    let near = |nearness| matches!(nearness, Nearness::Rearranged | Nearness::MovedPast);
    for (nearness, tally) in tallies(config(600), near) {
        let excess = tally.annotated.saturating_sub(tally.plain);
        let Tally { pairs, plain, .. } = tally;
        assert!(
            excess <= 1 + pairs / 50,
            "{nearness}: {excess} more than {plain} of {pairs}"
        );
    }
}

#[test]
#[ignore = "prints how often git stops: PROPTEST_CASES=10000 cargo test --test neutrality -- --ignored --nocapture"]
fn figures() {
    println!(
        "{:<36} {:>6} {:>8} {:>10} {:>11} {:>15}",
        "", "pairs", "plain", "annotated", "only plain", "only annotated"
    );
    for (nearness, tally) in tallies(config(2000), |_| true) {
        let percent = |part: usize| format!("{:.1} %", part as f64 * 100.0 / tally.pairs as f64);
        println!(
            "{nearness:<36} {:>6} {:>8} {:>10} {:>11} {:>15}",
            tally.pairs,
            percent(tally.plain),
            percent(tally.annotated),
            tally.only_plain,
            tally.only_annotated
        );
    }
}
