//! What two sessions say to each other, rule by rule.

use rhema_crdt::crdt::{Clock, Replica};
use rhema_crdt::exchange::{
    Access, Action, Config, Ending, Event, Happening, Hello, Introduction, Message, Now, Refusal,
    Scope, Session, Shelf as _, Stay, Them, Us, VERSIONS, Violation, digest,
};
use rhema_crdt::overlay::{CommitId, DocumentPath, Known};

use crate::line::{BEGINNING, End, Line, chain, crypto, introduction, line, said as as_said, us};
use crate::shelf::Memory;

const MINUTE: u64 = 60_000;

fn them(number: u8) -> Them {
    Them {
        key: [number; 32],
        access: Access::Writes,
    }
}

fn hello(number: u8) -> Hello {
    Hello {
        versions: VERSIONS,
        introduction: introduction(number, 0),
        boot: u64::from(number),
        roots: vec![CommitId::from_bytes([1; 20])],
        now: BEGINNING,
        stays: true,
        takes_edits: true,
        sends_edits: true,
    }
}

const START: Now = Now {
    steady: 0,
    wall: BEGINNING,
};

/// A session of replica 1 with replica 2, of which the test plays the part.
struct Played {
    session: Session,
    shelf: Memory,
}

impl Played {
    fn with(us: Us, them: Them) -> Self {
        let mut played = Self {
            session: Session::new(us, them, Config::new(crypto()), 7),
            shelf: Memory::default(),
        };
        played.does(Event::Opened);
        played
    }

    fn greeted() -> Self {
        let mut played = Self::with(us(1, Stay::On), them(2));
        played.hears(Message::Hello(hello(2)));
        played
    }

    fn does(&mut self, event: Event) -> Vec<Action> {
        self.session.step(START, event, &mut self.shelf).unwrap()
    }

    fn hears(&mut self, message: Message) -> Vec<Action> {
        self.does(Event::Said(message))
    }
}

fn ending(actions: &[Action]) -> Option<&Ending> {
    match actions.last() {
        Some(Action::End(ending)) => Some(ending),
        _ => None,
    }
}

fn said(actions: &[Action]) -> Vec<&Message> {
    let said = actions.iter().filter_map(|action| match action {
        Action::Say(message) => Some(message),
        _ => None,
    });
    said.collect()
}

#[test]
fn nothing_but_a_hello_is_said_before_theirs_came() {
    let mut played = Played::with(us(1, Stay::On), them(2));
    played.shelf.put(chain(1, 3));
    assert_eq!(played.does(Event::News), []);
    let actions = played.hears(Message::Marks(played.shelf.known()));
    assert_eq!(
        ending(&actions),
        Some(&Ending::Violated(Violation::NoHello))
    );
    assert_eq!(said(&actions).len(), 1, "but why it ends: {actions:?}");
}

#[test]
fn who_is_not_who_they_proved_to_be_is_not_spoken_to() {
    let cases = [
        (
            Hello {
                introduction: introduction(3, 0),
                ..hello(2)
            },
            Ending::Violated(Violation::Key),
        ),
        (
            Hello {
                introduction: Introduction {
                    replica: Replica::from_bits(5),
                    ..introduction(2, 0)
                },
                ..hello(2)
            },
            Ending::Violated(Violation::Name(Replica::from_bits(5))),
        ),
        (
            Hello {
                versions: (VERSIONS.1 + 1, VERSIONS.1 + 3),
                ..hello(2)
            },
            Ending::WeRefused(Refusal::Version(VERSIONS.0, VERSIONS.1)),
        ),
        (
            Hello {
                roots: vec![CommitId::from_bytes([2; 20])],
                ..hello(2)
            },
            Ending::WeRefused(Refusal::OtherRepository),
        ),
    ];
    for (hello, expected) in cases {
        let mut played = Played::with(us(1, Stay::On), them(2));
        let actions = played.hears(Message::Hello(hello));
        assert_eq!(ending(&actions), Some(&expected));
        assert!(
            matches!(said(&actions)[..], [Message::Refused(_)]),
            "{actions:?}"
        );
        assert_eq!(played.hears(Message::Done), [], "it is over");
    }
}

#[test]
fn a_history_that_cannot_be_told_is_anybodys() {
    let mut played = Played::with(us(1, Stay::On), them(2));
    let actions = played.hears(Message::Hello(Hello {
        roots: Vec::new(),
        versions: (0, 9),
        ..hello(2)
    }));
    assert_eq!(ending(&actions), None);
}

#[test]
fn who_meets_themselves_hangs_up() {
    let mut played = Played::with(us(1, Stay::On), them(1));
    let actions = played.hears(Message::Hello(hello(1)));
    assert_eq!(ending(&actions), Some(&Ending::Oneself));
    let mut played = Played::with(us(1, Stay::On), them(1));
    let actions = played.hears(Message::Hello(Hello {
        boot: 9,
        ..hello(1)
    }));
    let same = Happening::SameReplica(introduction(1, 0).replica);
    assert!(actions.contains(&Action::Tell(same)), "{actions:?}");
}

#[test]
fn a_repeated_hello_is_no_other_one() {
    let mut played = Played::greeted();
    assert_eq!(played.hears(Message::Hello(hello(2))), []);
    let actions = played.hears(Message::Hello(Hello {
        boot: 9,
        ..hello(2)
    }));
    assert_eq!(
        ending(&actions),
        Some(&Ending::Violated(Violation::SecondHello))
    );
}

#[test]
fn names_and_chains_that_cannot_be_are_refused() {
    let mut played = Played::greeted();
    let forged = Introduction {
        replica: Replica::from_bits(5),
        ..introduction(2, 0)
    };
    let actions = played.hears(Message::Introductions {
        replicas: vec![forged],
        vouchers: Vec::new(),
    });
    assert_eq!(
        ending(&actions),
        Some(&Ending::Violated(Violation::Name(forged.replica)))
    );
    let [first, second] = chain(2, 2).try_into().unwrap();
    let backwards = Known {
        previous: Some(second.stamp),
        ..first
    };
    let mut played = Played::greeted();
    let actions = played.hears(as_said(vec![backwards.clone()]));
    assert_eq!(
        ending(&actions),
        Some(&Ending::Violated(Violation::Chain(backwards.stamp)))
    );
    assert!(played.shelf.edits.is_empty());
}

#[test]
fn who_says_nothing_is_not_waited_for() {
    let mut line = line([Stay::On, Stay::On], [&[], &[]]);
    line.step(0, Event::Opened);
    line.ends[1].ending = Some(Ending::Finished);
    line.wait(MINUTE);
    assert_eq!(line.ends[0].ending, Some(Ending::Silent));
}

#[test]
fn an_edit_is_said_once_and_its_replica_introduced_before() {
    let edits = chain(3, 2);
    let mut line = line([Stay::On, Stay::On], [&[], &[]]);
    line.open();
    line.ends[0]
        .shelf
        .introduce(&[introduction(3, 0)], &[])
        .unwrap();
    line.ends[0].said.clear();
    for edit in &edits {
        line.ends[0].shelf.put(vec![edit.clone()]);
        line.step(0, Event::News);
        line.run();
    }
    line.step(0, Event::News);
    line.run();
    let expected = [
        Message::Introductions {
            replicas: vec![introduction(3, 0)],
            vouchers: Vec::new(),
        },
        as_said(vec![edits[0].clone()]),
        as_said(vec![edits[1].clone()]),
    ];
    assert_eq!(line.ends[0].said, expected);
    assert_eq!(
        line.ends[1].shelf.introductions[&edits[0].stamp.replica()],
        [introduction(3, 0)]
    );
    let received = Happening::Received { edits: 1, new: 1 };
    assert!(line.ends[1].told.contains(&received));
    assert!(
        line.ends[0]
            .told
            .contains(&Happening::Confirmed { edits: 1 })
    );
}

#[test]
fn two_that_know_the_same_hardly_speak() {
    let edits = chain(3, 5);
    let mut line = line([Stay::On, Stay::On], [&edits, &edits]);
    line.open();
    let greeting: usize = line.ends.iter().map(|end| end.said.len()).sum();
    assert_eq!(greeting, 6, "a Hello, marks and a Done each");
    line.wait(5 * MINUTE);
    line.ends.iter_mut().for_each(|end| end.said.clear());
    line.wait(60 * MINUTE);
    let said: Vec<&Message> = line.ends.iter().flat_map(|end| &end.said).collect();
    assert!(
        said.iter()
            .all(|message| matches!(message, Message::Pulse(_)))
    );
    assert!((8..=16).contains(&said.len()), "{} in an hour", said.len());
}

#[test]
fn what_is_under_way_is_bounded() {
    let mut played = Played::greeted();
    let config = Config::new(crypto());
    played.shelf.put(chain(1, 5_000));
    let actions = played.hears(Message::Marks([].into()));
    let edits = said(&actions)
        .into_iter()
        .filter(|message| matches!(message, Message::Edits(_)));
    assert_eq!(edits.count(), config.window);
    assert_eq!(played.does(Event::News), [], "there is no room");
}

#[test]
fn nothing_is_taken_from_who_only_reads_and_everything_given() {
    let (ours, theirs) = (chain(1, 3), chain(2, 3));
    let config = Config::new(crypto());
    let reader = Them {
        access: Access::Reads,
        ..them(2)
    };
    let mut line = Line::new([
        End::new(us(1, Stay::On), reader, config, &ours),
        End::new(us(2, Stay::UntilDone), them(1), config, &theirs),
    ]);
    line.open();
    let [writer, reader] = &line.ends;
    assert_eq!(writer.shelf.edits.len(), 3);
    assert_eq!(reader.shelf.edits.len(), 6);
    let refused = Happening::WeRefused(Refusal::ReadsOnly);
    assert_eq!(count(&writer.told, &refused), 1, "{:?}", writer.told);
    assert_eq!(count(&reader.told, &Happening::TheyTakeNone), 1);
    assert_eq!(reader.ending, Some(Ending::Finished));
    assert!(
        !reader
            .said
            .iter()
            .any(|message| matches!(message, Message::Edits(_)))
    );
}

fn count(told: &[Happening], what: &Happening) -> usize {
    told.iter().filter(|happening| *happening == what).count()
}

#[test]
fn who_reads_and_edits_nothing_is_no_news() {
    let reader = Them {
        access: Access::Reads,
        ..them(2)
    };
    let config = Config::new(crypto());
    // Committed edits, and such as others made, came by other ways or will.
    let mut line = Line::new([
        End::new(us(1, Stay::On), reader, config, &chain(1, 3)),
        End::new(us(2, Stay::On), them(1), config, &chain(3, 2)),
    ]);
    line.ends[1].shelf.uncommitted.clear();
    line.open();
    let [writer, reader] = &line.ends;
    let is_about_reading = |happening: &Happening| {
        matches!(
            happening,
            Happening::WeRefused(_) | Happening::TheyTakeNone | Happening::WeOnlyRead
        )
    };
    assert!(
        !writer.told.iter().any(is_about_reading),
        "{:?}",
        writer.told
    );
    assert!(
        !reader.told.iter().any(is_about_reading),
        "{:?}",
        reader.told
    );
    // Both are told of the first edit, not of each.
    for edit in chain(2, 2) {
        let end = &mut line.ends[1];
        end.shelf.uncommitted.push(edit.stamp);
        end.shelf.put(vec![edit]);
        line.step(1, Event::News);
        line.run();
        line.wait(10 * MINUTE);
    }
    let [writer, reader] = &line.ends;
    let refused = Happening::WeRefused(Refusal::ReadsOnly);
    assert_eq!(count(&writer.told, &refused), 1, "{:?}", writer.told);
    assert_eq!(count(&reader.told, &Happening::TheyTakeNone), 1);
}

#[test]
fn who_writes_all_the_same_is_told_that_it_is_not_taken() {
    let reader = Them {
        access: Access::Reads,
        ..them(2)
    };
    let mut played = Played::with(us(1, Stay::On), reader);
    played.hears(Message::Hello(hello(2)));
    let actions = played.hears(as_said(chain(2, 1)));
    assert_eq!(said(&actions), [&Message::Refused(Refusal::ReadsOnly)]);
    assert!(actions.contains(&Action::Tell(Happening::WeRefused(Refusal::ReadsOnly))));
    let actions = played.hears(as_said(chain(2, 2)));
    assert_eq!(
        actions,
        [Action::Say(Message::Refused(Refusal::ReadsOnly))],
        "people hear it once"
    );
    assert!(played.shelf.edits.is_empty());
    played.does(Event::Granted(Access::Writes));
    played.hears(as_said(chain(2, 1)));
    assert_eq!(played.shelf.edits.len(), 1);
}

#[test]
fn who_did_not_listen_sends_until_it_is_refused_and_both_are_told_once() {
    let reader = Them {
        access: Access::Reads,
        ..them(2)
    };
    let config = Config {
        batch: 1,
        ..Config::new(crypto())
    };
    // The one takes the other for a reader only after they greeted each other.
    let mut line = Line::new([
        End::new(us(1, Stay::On), them(2), config, &[]),
        End::new(us(2, Stay::On), them(1), config, &[]),
    ]);
    line.open();
    line.step(0, Event::Granted(reader.access));
    let edits = chain(2, 5);
    line.ends[1].shelf.uncommitted = edits.iter().map(|edit| edit.stamp).collect();
    line.ends[1].shelf.put(edits);
    line.step(1, Event::News);
    line.run();
    line.wait(10 * MINUTE);
    let [writer, reader] = &line.ends;
    assert!(writer.shelf.edits.is_empty());
    let refusal = Refusal::ReadsOnly;
    let refused = Happening::WeRefused(refusal.clone());
    assert_eq!(count(&writer.told, &refused), 1, "{:?}", writer.told);
    let refused = Happening::TheyRefused(refusal);
    assert_eq!(count(&reader.told, &refused), 1, "{:?}", reader.told);
    assert_eq!(count(&reader.told, &Happening::TheyTakeNone), 0);
}

#[test]
fn who_may_only_read_sends_nothing_and_says_so() {
    let config = Config::new(crypto());
    let reading = Us {
        access: Access::Reads,
        ..us(1, Stay::UntilDone)
    };
    let mut line = Line::new([
        End::new(reading, them(2), config, &chain(1, 3)),
        End::new(us(2, Stay::On), them(1), config, &chain(2, 3)),
    ]);
    line.open();
    assert!(line.ends[0].told.contains(&Happening::WeOnlyRead));
    assert_eq!(line.ends[0].ending, Some(Ending::Finished));
    assert_eq!(line.ends[1].shelf.edits.len(), 3);
}

#[test]
fn documents_that_may_not_be_named_are_refused_and_the_rest_is_taken() {
    let mut edits = chain(1, 4);
    edits[1].document = DocumentPath::new("../.rhema/todos.yaml");
    let mut line = line([Stay::On, Stay::On], [&edits, &[]]);
    line.open();
    let [a, b] = &line.ends;
    assert_eq!(b.shelf.edits.len(), 3);
    let refusal = Refusal::Document(vec![edits[1].stamp]);
    assert!(a.told.contains(&Happening::TheyRefused(refusal.clone())));
    assert!(b.told.contains(&Happening::WeRefused(refusal)));
    assert!(a.ending.is_none() && b.ending.is_none());
    line.ends[0].said.clear();
    line.wait(10 * MINUTE);
    let again = line.ends[0]
        .said
        .iter()
        .filter(|message| matches!(message, Message::Edits(_)));
    assert_eq!(again.count(), 0, "what was refused is not sent again");
}

#[test]
fn what_is_of_the_future_comes_when_it_is_due() {
    let mut edits = chain(1, 4);
    let mut clock = Clock::new(introduction(1, 0).replica, Some(edits[1].stamp));
    for index in 2..4 {
        edits[index].stamp = clock.tick(BEGINNING + 60 * MINUTE).unwrap();
        edits[index].previous = Some(edits[index - 1].stamp);
    }
    let mut line = line([Stay::On, Stay::On], [&edits, &[]]);
    line.open();
    assert_eq!(line.ends[1].shelf.edits.len(), 2, "the first two are taken");
    let refusal = Refusal::Future {
        from: vec![edits[2].stamp],
        now: BEGINNING,
    };
    assert!(
        line.ends[0]
            .told
            .contains(&Happening::TheyRefused(refusal.clone()))
    );
    assert!(line.ends[1].told.contains(&Happening::WeRefused(refusal)));
    line.ends[0].said.clear();
    line.wait(55 * MINUTE);
    let again = line.ends[0]
        .said
        .iter()
        .filter(|message| matches!(message, Message::Edits(_)));
    assert_eq!(again.count(), 0, "what was refused is not sent again");
    line.wait(10 * MINUTE);
    assert_eq!(line.ends[1].shelf.edits.len(), 4);
}

#[test]
fn clocks_that_differ_are_told_of() {
    let mut played = Played::with(us(1, Stay::On), them(2));
    let hour = 60 * MINUTE;
    let actions = played.hears(Message::Hello(Hello {
        now: BEGINNING - hour,
        ..hello(2)
    }));
    let differ = Happening::ClocksDiffer {
        ahead: -(hour as i64),
    };
    assert!(actions.contains(&Action::Tell(differ)));
}

#[test]
fn when_the_clock_is_set_the_conversation_begins_anew() {
    let mut played = Played::greeted();
    let later = Now {
        steady: 1_000,
        wall: BEGINNING + 60 * MINUTE,
    };
    let actions = played
        .session
        .step(later, Event::News, &mut played.shelf)
        .unwrap();
    assert_eq!(actions, [Action::End(Ending::ClockSet)]);
}

#[test]
fn ancestors_of_bases_that_are_not_at_hand_are_asked_for() {
    let commit = |number: u8| CommitId::from_bytes([number; 20]);
    let mut edits = chain(1, 1);
    edits[0].base = Some(commit(4));
    let mut line = line([Stay::UntilDone, Stay::On], [&[], &[]]);
    line.ends[1]
        .shelf
        .edits
        .insert(edits[0].stamp, edits[0].clone());
    line.ends[0].shelf.commits = vec![commit(1), commit(2)];
    line.ends[1].shelf.commits = vec![commit(1), commit(2), commit(3), commit(4)];
    line.open();
    let here = &line.ends[0];
    assert_eq!(here.shelf.ancestors[&commit(4)], [commit(2)]);
    assert!(here.told.contains(&Happening::BasesFound { bases: 1 }));
    assert_eq!(here.ending, Some(Ending::Finished));
}

#[test]
fn everything_can_be_exchanged_anew() {
    let edits = chain(3, 7);
    let anew = Config {
        scope: Scope::Everything,
        ..Config::new(crypto())
    };
    let mut line = Line::new([
        End::new(us(1, Stay::UntilDone), them(2), anew, &edits),
        End::new(us(2, Stay::On), them(1), Config::new(crypto()), &edits),
    ]);
    line.open();
    for end in &line.ends {
        assert!(end.told.contains(&Happening::Received { edits: 7, new: 0 }));
    }
    assert_eq!(line.ends[0].ending, Some(Ending::Finished));
}

#[test]
fn two_that_come_to_leave_both_finish() {
    let (ours, theirs) = (chain(1, 30), chain(2, 40));
    let mut line = line([Stay::UntilDone, Stay::UntilDone], [&ours, &theirs]);
    line.open();
    for end in &line.ends {
        assert_eq!(end.ending, Some(Ending::Finished));
        assert_eq!(end.shelf.edits.len(), 70);
    }
}

#[test]
fn the_digest_of_what_is_known_is_that_of_the_protocol() {
    let mut shelf = Memory::default();
    let edits = chain(1, 4);
    shelf.put(vec![edits[0].clone(), edits[2].clone(), edits[3].clone()]);
    let (upto, first, last) = (edits[0].stamp, edits[2].stamp, edits[3].stamp);
    let text = format!("{} {upto} {first}~{last}\n", upto.replica());
    assert_eq!(
        digest(&shelf.known()),
        xxhash_rust::xxh3::xxh3_64(text.as_bytes())
    );
}
