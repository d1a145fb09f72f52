//! Counters among work trees that tell each other before anything is committed.

use crate::cloned::cloned;
use crate::sent;
use crate::support::{Tree, World};
use crate::team::{FILE, FILES, count, is_recorded, sync, type_in, value, votes};

/// What one knows and the other does not comes there, and is shown.
fn send(from: &Tree<'_>, to: &Tree<'_>) {
    sent::send(from, to);
    sync(to);
}

fn pair(world: &World) -> (Tree<'_>, Tree<'_>) {
    let (ann, ben) = cloned(world, &FILES);
    sync(&ann);
    sync(&ben);
    (ann, ben)
}

#[test]
fn both_count_and_both_see_the_sum() {
    let world = World::new();
    let (ann, ben) = pair(&world);
    count(&ann, "1");
    type_in(&ben, "votes", "52");
    sync(&ben);
    send(&ann, &ben);
    send(&ben, &ann);
    assert_eq!((votes(&ann), votes(&ben)), (53, 53));
    assert_eq!(ann.read(FILE), ben.read(FILE));
    // Whoever goes on goes on from the sum.
    type_in(&ann, "votes", "54");
    sync(&ann);
    count(&ben, "100");
    send(&ann, &ben);
    send(&ben, &ann);
    assert_eq!((votes(&ann), votes(&ben)), (154, 154));
    assert_eq!(ann.read(FILE), ben.read(FILE));
}

#[test]
fn what_one_commits_counts_once_for_the_other() {
    let world = World::new();
    let (ann, ben) = pair(&world);
    count(&ann, "1");
    send(&ann, &ben);
    count(&ben, "10");
    send(&ben, &ann);
    ann.commit("both");
    sync(&ann);
    assert_eq!(votes(&ann), 53);
    ben.git(&["checkout", "-q", "--", FILE]);
    ben.git(&["pull", "-q", "../ann", "main"]);
    sync(&ben);
    assert_eq!(votes(&ben), 53);
    is_recorded(&ben);
    // A revert is a revert for both, whatever they had told each other.
    ann.git(&["revert", "--no-edit", "HEAD"]);
    sync(&ann);
    assert_eq!(votes(&ann), 42);
    ben.git(&["pull", "-q", "../ann", "main"]);
    sync(&ben);
    assert_eq!(votes(&ben), 42);
}

#[test]
fn both_commit_what_both_had_told() {
    let world = World::new();
    let (ann, ben) = pair(&world);
    count(&ann, "1");
    count(&ben, "10");
    send(&ann, &ben);
    send(&ben, &ann);
    ann.commit("sum");
    type_in(&ben, "title", "Another");
    sync(&ben);
    ben.commit("sum, and a title");
    ann.git(&["pull", "-q", "--no-rebase", "--no-edit", "../ben", "main"]);
    sync(&ann);
    assert_eq!(votes(&ann), 53, "{}", ann.read(FILE));
    assert!(!ann.read(FILE).contains("_crdt_conflicts"));
}

#[test]
fn who_takes_a_counter_away_does_not_take_what_they_had_not_seen() {
    let world = World::new();
    let (ann, ben) = pair(&world);
    ann.rhema(&["remove", "todos/a"]).exits(0);
    count(&ben, "10");
    send(&ann, &ben);
    send(&ben, &ann);
    assert_eq!((votes(&ann), votes(&ben)), (52, 52));
    assert_eq!(ann.read(FILE), ben.read(FILE));
}

#[test]
fn the_greatest_number_stands_for_both() {
    let world = World::new();
    let (ann, ben) = pair(&world);
    type_in(&ann, "load", "20");
    sync(&ann);
    type_in(&ben, "load", "9");
    sync(&ben);
    send(&ann, &ben);
    send(&ben, &ann);
    assert_eq!(
        (value(&ann, "load"), value(&ben, "load")),
        ("20".to_owned(), "20".to_owned())
    );
    assert_eq!(ann.read(FILE), ben.read(FILE));
    assert!(!ann.read(FILE).contains("_crdt_conflicts"));
}

#[test]
fn the_last_writer_has_the_word_for_both() {
    let world = World::new();
    let (ann, ben) = pair(&world);
    type_in(&ann, "seen", "by ann");
    sync(&ann);
    type_in(&ben, "seen", "by ben");
    sync(&ben);
    send(&ann, &ben);
    send(&ben, &ann);
    assert_eq!(value(&ann, "seen"), "by ben");
    assert_eq!(ann.read(FILE), ben.read(FILE));
    assert!(!ann.read(FILE).contains("_crdt_conflicts"));
    // One takes it away, the other writes: it is there.
    let without = ann.read(FILE).replace("seen: by ben\n", "");
    ann.write(FILE, without);
    sync(&ann);
    type_in(&ben, "seen", "again");
    sync(&ben);
    send(&ann, &ben);
    send(&ben, &ann);
    assert_eq!(value(&ann, "seen"), "again");
    assert_eq!(ann.read(FILE), ben.read(FILE));
    assert!(
        !ann.read(FILE).contains("_crdt_conflicts"),
        "{}",
        ann.read(FILE)
    );
    ann.commit("seen");
    sync(&ann);
    ben.git(&["checkout", "-q", "--", FILE]);
    ben.git(&["pull", "-q", "../ann", "main"]);
    sync(&ben);
    is_recorded(&ben);
    assert_eq!(ann.read(FILE), ben.read(FILE));
}
