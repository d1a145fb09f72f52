//! Lines on which new edits are left to others to say, and how they are wanted again.

use rhema_crdt::exchange::{Access, Config, Event, Lulling, Message, Stay, Them};

use crate::line::{End, Line, chain, crypto, line, said, us};

/// A line between two of many who know the same.
fn one_of_many(stays: [Stay; 2]) -> Line {
    let them = |number: u8| Them {
        key: [number; 32],
        access: Access::Writes,
    };
    let config = Config {
        lulling: Lulling::After(3),
        ..Config::new(crypto())
    };
    let mut line = Line::new([
        End::new(us(1, stays[0]), them(2), config, &chain(1, 3)),
        End::new(us(2, stays[1]), them(1), config, &chain(2, 3)),
    ]);
    line.open();
    line
}

/// The second end hears so often what it knows.
fn repeat(line: &mut Line, times: usize) {
    for _ in 0..times {
        line.step(1, Event::Said(said(chain(1, 3))));
    }
    line.run();
}

fn lulled() -> Line {
    let mut line = one_of_many([Stay::On, Stay::On]);
    repeat(&mut line, 3);
    assert!(are_lazy(&line));
    line.ends.iter_mut().for_each(|end| end.said.clear());
    line
}

fn are_lazy(line: &Line) -> bool {
    line.ends.iter().all(|end| end.session.is_lazy())
}

/// Edits of somebody else come to one end another way.
fn comes_to(line: &mut Line, end: usize) {
    line.ends[end].shelf.put(chain(3, 2));
    line.step(end, Event::News);
    line.run();
}

fn has_said(line: &Line, is_it: impl Fn(&Message) -> bool) -> bool {
    let mut said = line.ends.iter().flat_map(|end| &end.said);
    said.any(is_it)
}

fn is_edits(message: &Message) -> bool {
    matches!(message, Message::Edits(_))
}

#[test]
fn what_brings_nothing_new_three_times_is_lulled_on_both_sides() {
    let mut line = one_of_many([Stay::On, Stay::On]);
    repeat(&mut line, 2);
    assert!(!are_lazy(&line));
    repeat(&mut line, 1);
    assert!(are_lazy(&line));
}

#[test]
fn where_there_are_few_nothing_is_lulled() {
    let mut line = line([Stay::On, Stay::On], [&chain(1, 3), &chain(2, 3)]);
    line.open();
    repeat(&mut line, 9);
    assert!(!has_said(&line, |message| *message == Message::Lull));
}

#[test]
fn who_leaves_when_all_is_said_hears_all_of_it() {
    let mut line = one_of_many([Stay::UntilDone, Stay::On]);
    repeat(&mut line, 9);
    assert!(!has_said(&line, |message| *message == Message::Lull));
}

#[test]
fn on_a_lazy_line_edits_are_told_of_and_come_when_they_are_missed() {
    let mut line = lulled();
    comes_to(&mut line, 0);
    line.wait(400);
    assert!(line.ends[0].said.is_empty(), "{:?}", line.ends[0].said);
    line.wait(200);
    assert!(matches!(line.ends[0].said[..], [Message::Stored(_)]));
    line.wait(600);
    assert_eq!(line.ends[0].shelf.edits, line.ends[1].shelf.edits);
    assert!(!are_lazy(&line), "who brought something new is heard again");
}

#[test]
fn edits_that_come_another_way_in_time_are_not_said() {
    let mut line = lulled();
    comes_to(&mut line, 0);
    line.wait(600);
    comes_to(&mut line, 1);
    line.wait(60_000);
    assert!(!has_said(&line, is_edits));
    assert!(are_lazy(&line) && line.ends[0].session.is_in_step());
}

#[test]
fn who_lost_another_line_hears_all_at_once() {
    let mut line = lulled();
    comes_to(&mut line, 0);
    line.step(1, Event::Bereft);
    line.run();
    assert_eq!(line.ends[0].shelf.edits, line.ends[1].shelf.edits);
    assert!(!are_lazy(&line));
}

#[test]
fn where_there_are_few_again_all_is_said_at_once() {
    let mut line = lulled();
    line.step(0, Event::Lulling(Lulling::Never));
    line.run();
    comes_to(&mut line, 0);
    assert_eq!(line.ends[0].shelf.edits, line.ends[1].shelf.edits);
}

#[test]
fn who_does_not_know_the_words_is_told_ever_more_rarely() {
    let mut line = one_of_many([Stay::On, Stay::On]);
    for _ in 0..96 {
        repeat(&mut line, 1);
        line.step(0, Event::Said(Message::Rouse));
    }
    let lulls = line.ends[1].said.iter();
    let lulls = lulls.filter(|message| **message == Message::Lull).count();
    assert_eq!(lulls, 6, "after 3, 6, 12, 24, 48 and 96");
}
