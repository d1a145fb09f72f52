//! Somebody wants both ends of a line that has long been up to know the same now.

use rhema_crdt::exchange::{Event, Message, Scope, Stay};

use crate::line::{Line, chain, line};

fn quiet_line(ours: u64, theirs: u64) -> Line {
    let mut line = line([Stay::On, Stay::On], [&chain(1, ours), &chain(2, theirs)]);
    line.open();
    for end in &mut line.ends {
        assert!(end.session.is_in_step());
        end.said.clear();
    }
    line
}

fn edits_said(line: &Line, end: usize) -> usize {
    let edits = line.ends[end].said.iter().map(|message| match message {
        Message::Edits(edits) => edits.len(),
        _ => 0,
    });
    edits.sum()
}

#[test]
fn it_is_told_once_they_answered_and_costs_four_messages_where_nothing_is_new() {
    let mut line = quiet_line(3, 3);
    line.step(0, Event::Wanted(Scope::Missing));
    assert!(
        !line.ends[0].session.is_in_step(),
        "they did not answer yet"
    );
    line.run();
    assert!(line.ends[0].session.is_in_step());
    let said = line.ends.iter().map(|end| end.said.len());
    assert!(said.sum::<usize>() <= 4, "{:?}", line.ends[0].said);
}

#[test]
fn what_they_know_and_did_not_say_comes_before_it_is_told() {
    let mut line = quiet_line(3, 3);
    // More than are under way at a time, and nobody told their session of it.
    line.ends[1].shelf.put(chain(3, 9_000));
    line.step(0, Event::Wanted(Scope::Missing));
    line.run();
    assert!(line.ends[0].session.is_in_step());
    assert_eq!(line.ends[0].shelf.edits.len(), 9_006);
}

#[test]
fn what_is_known_here_and_was_not_said_goes_out() {
    let mut line = quiet_line(3, 3);
    line.ends[0].shelf.put(chain(3, 9_000));
    line.step(0, Event::Wanted(Scope::Missing));
    line.run();
    assert!(line.ends[0].session.is_in_step());
    assert_eq!(line.ends[1].shelf.edits.len(), 9_006);
}

#[test]
fn everything_is_said_anew_by_both_if_that_is_wanted() {
    let mut line = quiet_line(2_000, 30);
    line.step(0, Event::Wanted(Scope::Everything));
    line.run();
    assert!(line.ends[0].session.is_in_step());
    assert_eq!([0, 1].map(|end| edits_said(&line, end)), [2_030, 2_030]);
}

#[test]
fn before_they_are_in_step_for_the_first_time_nothing_has_to_be_said_for_it() {
    let mut line = line([Stay::On, Stay::On], [&chain(1, 3), &chain(2, 3)]);
    line.step(0, Event::Opened);
    line.step(0, Event::Wanted(Scope::Missing));
    assert!(!line.ends[0].session.is_in_step());
    line.step(1, Event::Opened);
    line.run();
    assert!(line.ends[0].session.is_in_step());
    assert_eq!(line.ends[0].shelf.edits.len(), 6);
}
