//! What the host tool makes of a document merges as the edits that were made through it, and as nothing else.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rhema_crdt::context::{same, stamp};
use rhema_crdt::crdt::{Clock, Replica};
use rhema_crdt::merge::{Options, merge, regraft};

use crate::model::{Edit, earlier_edits, edited, edits, read, said_at_length, starts};
use crate::shapes::{ClosedTodos, Todos, rewritten};

/// The same cases every time, unless a longer search is asked for: `PROPTEST_CASES=100000`.
fn config(cases: u32) -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
        config.rng_seed = RngSeed::Fixed(20_261_121);
    }
    config
}

fn merged(base: &str, ours: &str, theirs: &str) -> String {
    let options = Options::default();
    let merged = merge(
        base.as_bytes(),
        ours.as_bytes(),
        theirs.as_bytes(),
        &options,
    )
    .unwrap_or_else(|error| panic!("{error}\n{base}\n{ours}\n{theirs}"));
    assert_eq!(merged.contested, 0, "a document is never contested");
    String::from_utf8(merged.bytes).unwrap()
}

/// The edits of a branch, stamped by their author or not.
fn branch(base: &str, edits: &[Edit], replica: u32, stamped: bool) -> String {
    let text = edited(base, edits);
    if !stamped {
        return text;
    }
    let mut clock = Clock::new(Replica::from_bits(replica), None);
    let start = 1_800_000_000_000 + u64::from(replica);
    let now = clock.tick(start).unwrap();
    let mut births = std::iter::from_fn(|| clock.tick(start).ok());
    stamp(Some(&read(base)), &read(&text), now, &mut births)
        .text
        .unwrap_or(text)
}

fn by_host(text: &str) -> String {
    rewritten::<Todos>(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn without_blank_lines(text: &str) -> String {
    let lines = text.split_inclusive('\n');
    lines.filter(|line| !line.trim().is_empty()).collect()
}

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn a_mere_rewrite_is_no_edit(start in starts(), before in earlier_edits(), other in edits()) {
        let base = branch(&start.text(), &before, 1, true);
        let rewritten = by_host(&base);
        let grafted = regraft(&read(&base), &read(&rewritten));
        prop_assert_eq!(grafted.map(|grafted| grafted.into_text()), Some(base.clone()), "{}", &rewritten);
        let theirs = branch(&base, &other, 2, true);
        prop_assert_eq!(&merged(&base, &rewritten, &theirs), if theirs == base { &rewritten } else { &theirs });
    }

    #[test]
    fn edits_through_the_host_tool_merge_like_edits_by_hand(
        start in starts(),
        before in earlier_edits(),
        mine in edits(),
        other in edits(),
        stamped in any::<[bool; 3]>(),
    ) {
        let base = branch(&start.text(), &before, 1, stamped[0]);
        let ours = branch(&base, &mine, 2, stamped[1]);
        let theirs = branch(&base, &other, 3, stamped[2]);
        let any = |of: fn(&Edit) -> bool| mine.iter().chain(&other).any(of);
        // The file does not show which of two neighbours was moved past the other, nor what was removed first, and so not to
        // whom the blank lines between records belong.
        let moves = any(|edit| matches!(edit, Edit::Move(..)))
            || any(|edit| matches!(edit, Edit::Add(_))) && any(|edit| matches!(edit, Edit::Remove(_)));
        let merged = |ours: &str, theirs: &str| {
            let text = merged(&base, ours, theirs);
            if moves { without_blank_lines(&text) } else { text }
        };
        let by_hand = merged(&ours, &theirs);
        // Where one side alone differs, or both are the same, there is nothing to merge: that one stands, bytes and all.
        if theirs != base {
            prop_assert_eq!(&merged(&by_host(&ours), &theirs), &by_hand, "{}", by_host(&ours));
            prop_assert_eq!(&merged(&theirs, &by_host(&ours)), &by_hand);
        }
        if ours != theirs {
            prop_assert_eq!(&merged(&by_host(&ours), &by_host(&theirs)), &by_hand);
        }
    }

    #[test]
    fn annotations_that_a_tool_dropped_are_not_missed(
        mut start in starts(),
        before in earlier_edits(),
        mine in edits(),
        other in edits(),
        stamped in any::<[bool; 2]>(),
    ) {
        start.custom = false;
        let by_tool = |text: &str| rewritten::<ClosedTodos>(text).unwrap();
        let base = branch(&start.text(), &before, 1, stamped[0]);
        let grafted = regraft(&read(&base), &read(&by_tool(&base)));
        prop_assert_eq!(grafted.map(|grafted| grafted.into_text()), Some(base.clone()));
        let ours = branch(&base, &mine, 2, false);
        let theirs = branch(&base, &other, 3, stamped[1]);
        if theirs != base {
            let moves = mine.iter().any(|edit| matches!(edit, Edit::Move(..) | Edit::Add(_)));
            let [by_hand, by_tool] = [ours.clone(), by_tool(&ours)].map(|ours| {
                let text = merged(&base, &ours, &theirs);
                if moves { without_blank_lines(&text) } else { text }
            });
            prop_assert_eq!(by_tool, by_hand);
        }
    }

    #[test]
    fn what_says_no_more_contests_nothing(
        start in starts(),
        before in earlier_edits(),
        mine in edits(),
        other in edits(),
        stamped in any::<[bool; 3]>(),
    ) {
        let base = branch(&start.text(), &before, 1, stamped[0]);
        let at_length = read(&said_at_length(&base));
        prop_assert_ne!(at_length.text(), base.as_str());
        let now = Clock::new(Replica::from_bits(7), None).tick(1_900_000_000_000).unwrap();
        let found = stamp(Some(&read(&base)), &at_length, now, &mut std::iter::empty());
        prop_assert_eq!((found.text, found.edits), (None, 0));
        let ours = branch(&base, &mine, 2, stamped[1]);
        let theirs = branch(&base, &other, 3, stamped[2]);
        let plain = read(&merged(&base, &ours, &theirs));
        for (ours, theirs) in [
            (said_at_length(&ours), theirs.clone()),
            (said_at_length(&ours), said_at_length(&theirs)),
        ] {
            let text = merged(&base, &ours, &theirs);
            prop_assert_eq!(&text, &merged(&base, &theirs, &ours));
            // Values, stamps and what is kept as lost.
            prop_assert!(same(read(&text).root().unwrap(), plain.root().unwrap()), "{}\n{}", plain.text(), text);
        }
    }
}
