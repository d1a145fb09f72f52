//! Whether a store that is packed tells what it would tell otherwise.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::super::samples::{AUTHOR, chain, commit, edit, receive, stamps, store, todos};
use super::super::{Durability, Store, Whereabouts};
use super::*;
use crate::crdt::Path;
use crate::exchange::{Seal, sealed};
use crate::node::crypto;
use crate::overlay::{Deed, Knowledge, Known};

/// Later than all edits of these tests.
const LATER: u64 = 1_900_000_000_000;

fn other() -> DocumentPath {
    DocumentPath::new(".rhema/other.yaml")
}

/// The edits of a replica, of two documents in turn, of which one is of the size of a rewritten file, and their seals.
fn made(replica: u32) -> (Vec<Known>, Vec<Seal>) {
    let mut edits = chain(replica, 24);
    for (index, edit) in edits.iter_mut().enumerate() {
        if (index + replica as usize).is_multiple_of(3) {
            edit.document = other();
        }
        edit.base = (index % 5 != 0).then(|| commit((index / 6) as u8));
    }
    let seals = edits.chunks(7);
    let seals = seals.flat_map(|run| sealed(run, &crypto(), |_| [replica as u8; 64]));
    (edits.clone(), seals.collect())
}

#[derive(Clone, Debug)]
enum Step {
    /// Edits of a replica come.
    Come(u32, Vec<prop::sample::Index>),
    /// All edits of a replica come.
    All(u32),
    /// Edits of a replica get these marks.
    Mark(u32, Vec<prop::sample::Index>, u8),
    /// A look found that HEAD contains all, or all but some.
    Contained(Vec<prop::sample::Index>),
    /// One mark comes or goes.
    One(u32, prop::sample::Index, usize, bool),
    Superseded(Vec<prop::sample::Index>, bool),
    Retract(u32, prop::sample::Index),
    Fork(u32, prop::sample::Index),
    Equivocate(u32, prop::sample::Index),
    Disown(Option<prop::sample::Index>),
}

fn step() -> impl Strategy<Value = Step> {
    let some = || vec(any::<prop::sample::Index>(), 1..12);
    let one = any::<prop::sample::Index>;
    prop_oneof![
        3 => (7..10u32, some()).prop_map(|(of, which)| Step::Come(of, which)),
        3 => (7..10u32).prop_map(Step::All),
        2 => (7..10u32, some(), 0..32u8).prop_map(|(of, which, bits)| Step::Mark(of, which, bits)),
        4 => vec(one(), 0..4).prop_map(Step::Contained),
        1 => (7..10u32, one(), 0..5usize, any::<bool>()).prop_map(|(of, which, mark, on)| Step::One(of, which, mark, on)),
        4 => (vec(one(), 0..6), any::<bool>()).prop_map(|(but, all)| Step::Superseded(but, all)),
        1 => (7..10u32, one()).prop_map(|(of, which)| Step::Retract(of, which)),
        1 => (7..10u32, one()).prop_map(|(of, which)| Step::Fork(of, which)),
        1 => (7..10u32, one()).prop_map(|(of, which)| Step::Equivocate(of, which)),
        1 => proptest::option::of(one()).prop_map(Step::Disown),
    ]
}

fn pick<'k>(edits: &'k [Known], which: &[prop::sample::Index]) -> Vec<&'k Known> {
    which.iter().map(|index| index.get(edits)).collect()
}

fn add(writing: &Writing<'_>, edit: &Known, seals: &[Seal]) {
    let issuer = match edit.stamp.replica().bits() {
        7 => Issuer::Own,
        _ => Issuer::Other,
    };
    writing.add(edit, issuer, Way::Received).unwrap();
    let covers = |seal: &&Seal| seal.run.iter().any(|(stamp, _)| *stamp == edit.stamp);
    if let Some(seal) = seals.iter().find(covers) {
        writing.prove(&AUTHOR, seal, [edit.stamp]).unwrap();
    }
}

fn take(writing: &Writing<'_>, step: &Step, number: usize) {
    let all = |but: &[prop::sample::Index]| -> BTreeSet<Stamp> {
        let mut all: Vec<Stamp> = (7..10)
            .flat_map(|of| made(of).0)
            .map(|edit| edit.stamp)
            .collect();
        for index in but {
            let gone = index.index(all.len());
            all.remove(gone);
        }
        all.into_iter().collect()
    };
    let later = |of: u32| {
        let seconds = 5_000 + number as u64;
        Stamp::from_unix_millis(1_800_000_000_000 + 1_000 * seconds, Replica::from_bits(of))
            .unwrap()
    };
    match step {
        Step::Come(of, which) => {
            let (edits, seals) = made(*of);
            pick(&edits, which)
                .iter()
                .for_each(|edit| add(writing, edit, &seals));
        }
        Step::All(of) => {
            let (edits, seals) = made(*of);
            edits.iter().for_each(|edit| add(writing, edit, &seals));
        }
        Step::Mark(of, which, bits) => {
            let (edits, _) = made(*of);
            let marks = pick(&edits, which).into_iter().map(|edit| {
                (
                    edit.stamp,
                    Marks::column_result(ValueRef::Integer((*bits).into())).unwrap(),
                )
            });
            writing.set_marks(marks.collect::<Vec<_>>()).unwrap();
        }
        Step::Contained(but) => {
            let contained = all(but);
            for document in [todos(), other()] {
                writing
                    .mark_only(&document, &contained, Mark::Contained)
                    .unwrap();
                writing
                    .mark_only(&document, &BTreeSet::new(), Mark::Shown)
                    .unwrap();
            }
        }
        Step::One(of, which, mark, on) => {
            let (edits, _) = made(*of);
            let (stamp, mark) = (which.get(&edits).stamp, Mark::ALL[*mark]);
            match on {
                true => writing.mark([stamp], mark).unwrap(),
                false => writing.unmark([stamp], mark).unwrap(),
            }
        }
        Step::Superseded(but, is_all) => {
            let superseded = all(but);
            writing
                .note_superseded(&todos(), &superseded, *is_all)
                .unwrap();
        }
        Step::Retract(of, which) => {
            let (edits, _) = made(*of);
            let retraction = Known {
                deed: Deed::Retract(vec![which.get(&edits).stamp]),
                ..edit(later(11), None, "")
            };
            add(writing, &retraction, &[]);
        }
        Step::Fork(of, which) => {
            let (edits, _) = made(*of);
            let fork = edit(later(*of), which.get(&edits).previous, "fork");
            let seals = sealed(std::slice::from_ref(&fork), &crypto(), |_| [1; 64]);
            add(writing, &fork, &seals);
        }
        Step::Equivocate(of, which) => {
            let (edits, _) = made(*of);
            let known = which.get(&edits);
            add(writing, &edit(known.stamp, known.previous, "another"), &[]);
        }
        Step::Disown(None) => writing.disown().unwrap(),
        Step::Disown(Some(which)) => {
            let (edits, _) = made(7);
            writing.disown_one(which.get(&edits).stamp).unwrap();
        }
    }
}

/// All that a store tells, as text.
fn told(store: &mut Store) -> Vec<String> {
    let reading = store.read().unwrap();
    let mut told = Vec::new();
    let mut tell = |what: &str, text: String| told.push(format!("{what}: {text}"));
    let all: Vec<Stamp> = (7..10)
        .flat_map(|of| made(of).0)
        .map(|edit| edit.stamp)
        .collect();
    for document in [todos(), other()] {
        tell(
            "edits",
            format!("{:?}", reading.edits(&document, Which::All).unwrap()),
        );
        for which in [Which::All, Which::Counting] {
            let open = reading.open_edits(&document, which).unwrap();
            let mut all = reading.edits(&document, which).unwrap();
            all.retain(|edit| !edit.marks.contains(Mark::Contained));
            assert_eq!(open, all, "open are those that HEAD does not contain");
        }
        let title = Whereabouts::of(&Path::default().entry("title"));
        let about = reading.contained_about(&document, title).unwrap();
        tell("contained about", format!("{about:?}"));
        tell(
            "retracted",
            format!("{:?}", reading.retracted(&document).unwrap()),
        );
        tell("marks", format!("{:?}", reading.marks(&document).unwrap()));
    }
    for stamp in &all {
        tell("edit", format!("{:?}", reading.edit(*stamp).unwrap()));
        tell("author", format!("{:?}", reading.author(*stamp).unwrap()));
    }
    for document in [todos(), other()] {
        let title = Path::default().entry("title");
        for before in [None, Some(all[40]), Some(all[7])] {
            for most in [1, 9, 1000] {
                let about = reading.edits_about(&document, &title, before, most);
                tell("about", format!("{:?}", about.unwrap()));
                let newest = reading.edits_before(&document, before, most);
                tell("newest", format!("{:?}", newest.unwrap()));
            }
        }
    }
    for most in [1, 9, 1000] {
        tell("last own", format!("{:?}", reading.last_own(most).unwrap()));
    }
    let knowledge = reading.knowledge().unwrap();
    let behind = all.iter().copied().step_by(30);
    for replica in (7..12).map(Replica::from_bits) {
        tell("last", format!("{:?}", reading.last_of(replica).unwrap()));
        tell("links", format!("{:?}", reading.links(replica).unwrap()));
        for behind in behind.clone().map(Some).chain([None]) {
            tell(
                "made",
                format!("{:?}", reading.made_behind(replica, behind).unwrap()),
            );
        }
    }
    for most in [1, 5, 1000] {
        tell(
            "beyond",
            format!(
                "{:?}",
                reading.first_beyond(&Knowledge::new(), most).unwrap()
            ),
        );
    }
    let mut half = knowledge.clone();
    half.retain(|replica, _| replica.bits() != 8);
    tell("half", format!("{:?}", reading.beyond(&half).unwrap()));
    tell(
        "seals",
        format!("{:?}", reading.seals(all.clone()).unwrap()),
    );
    tell(
        "few seals",
        format!("{:?}", reading.seals(all.into_iter().step_by(9)).unwrap()),
    );
    tell("knowledge", format!("{knowledge:?}"));
    tell("bases", format!("{:?}", reading.bases().unwrap()));
    tell("forked", format!("{:?}", reading.forked().unwrap()));
    tell(
        "own",
        format!("{:?}", reading.own_after(1_800_000_007_000).unwrap()),
    );
    tell("beside", format!("{:?}", reading.equivocations().unwrap()));
    tell("open", format!("{:?}", reading.uncommitted().unwrap()));
    tell("parked", format!("{:?}", reading.parked().unwrap()));
    tell("unseen", format!("{:?}", reading.unseen().unwrap()));
    told
}

fn counting(store: &mut Store) -> BTreeSet<Stamp> {
    let reading = store.read().unwrap();
    let of = |document| reading.edits(&document, Which::Counting).unwrap();
    let counting = [todos(), other()].into_iter().flat_map(of);
    counting.map(|edit| edit.known.stamp).collect()
}

/// Few cases and always the same ones, unless `PROPTEST_CASES` asks for others.
fn config() -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 4;
        config.rng_seed = RngSeed::Fixed(20_261_122);
    }
    config
}

proptest! {
    #![proptest_config(config())]

    /// Two stores go through the same; one is packed now and then. Whatever is asked, both tell the same, so that nothing
    /// that rests on a store can come out otherwise.
    #[test]
    fn a_store_that_is_packed_anywhere_tells_what_it_would_tell_otherwise(
        steps in vec((step(), any::<bool>()), 1..24),
    ) {
        let (_plain_dir, mut plain) = store();
        let (_packed_dir, mut packed) = store();
        for (number, (step, packs)) in steps.iter().enumerate() {
            for store in [&mut plain, &mut packed] {
                let writing = store.write(Durability::Process).unwrap();
                take(&writing, step, number);
                writing.commit().unwrap();
            }
            if *packs || number + 1 == steps.len() {
                let writing = packed.write(Durability::Process).unwrap();
                writing.pack_in(LATER, 2..=5, number % 7 + 1).unwrap();
                writing.commit().unwrap();
            } else {
                continue;
            }
            for (plain, packed) in told(&mut plain).into_iter().zip(told(&mut packed)) {
                prop_assert_eq!(plain, packed, "after {:?}", step);
            }
            // What is read for nothing makes no difference; what is not read would.
            let (plain, packed) = (counting(&mut plain), counting(&mut packed));
            prop_assert!(plain.is_subset(&packed), "after {:?}", step);
        }
    }
}

/// A store in which the edits of one replica are over, but for the last one.
fn over(count: usize) -> (tempfile::TempDir, Store, Vec<Known>) {
    let (git_dir, mut store) = store();
    let edits = chain(7, count);
    receive(&mut store, &edits);
    let stamps: BTreeSet<Stamp> = edits.iter().map(|edit| edit.stamp).collect();
    let writing = store.write(Durability::Process).unwrap();
    writing
        .mark(stamps.iter().copied(), Mark::Contained)
        .unwrap();
    writing.note_superseded(&todos(), &stamps, true).unwrap();
    writing.commit().unwrap();
    (git_dir, store, edits)
}

#[test]
fn what_is_over_takes_a_fraction_of_its_room() {
    let (_git_dir, mut store, edits) = over(2_000);
    let before = store.read().unwrap().bytes().unwrap();
    let writing = store.write(Durability::Process).unwrap();
    let packing = writing.pack(LATER).unwrap();
    writing.commit().unwrap();
    assert_eq!(
        packing,
        Packing {
            edits: 1_999,
            pieces: 8
        }
    );
    store.shrink().unwrap();
    let after = store.read().unwrap().bytes().unwrap();
    assert!(after < before / 2, "{before} -> {after}");
    let all = store.read().unwrap().edits(&todos(), Which::All).unwrap();
    let known: Vec<Known> = all.into_iter().map(|edit| edit.known).collect();
    assert_eq!(known, edits);
}

#[test]
fn what_is_of_late_parked_or_open_is_not_packed() {
    let packed = |change: &dyn Fn(&Writing<'_>, &[Known]), before: u64| {
        let (_git_dir, mut store, edits) = over(40);
        let writing = store.write(Durability::Process).unwrap();
        change(&writing, &edits);
        writing.pack(before).unwrap().edits
    };
    let mark = |mark| {
        move |writing: &Writing<'_>, edits: &[Known]| {
            let stamps = edits.iter().map(|edit| edit.stamp);
            writing.mark(stamps, mark).unwrap();
        }
    };
    let until = 1_800_000_019_000;
    let last = 39;
    assert_eq!(packed(&|_, _| {}, LATER), last, "the last one stays");
    assert_eq!(packed(&|_, _| {}, until), 20);
    assert_eq!(packed(&mark(Mark::Parked), LATER), 0);
    assert_eq!(packed(&mark(Mark::TakenUp), LATER), 0);
    let no_commit_has_it = |writing: &Writing<'_>, edits: &[Known]| {
        let stamps = edits.iter().map(|edit| edit.stamp);
        writing.unmark(stamps, Mark::Contained).unwrap();
    };
    let nothing_replaced_it = |writing: &Writing<'_>, _: &[Known]| {
        let none = BTreeSet::new();
        writing.note_superseded(&todos(), &none, true).unwrap();
    };
    assert_eq!(packed(&no_commit_has_it, LATER), last);
    assert_eq!(packed(&nothing_replaced_it, LATER), last);
    let neither = |writing: &Writing<'_>, edits: &[Known]| {
        no_commit_has_it(writing, edits);
        nothing_replaced_it(writing, edits);
    };
    assert_eq!(packed(&neither, LATER), 0);
    let forked = |writing: &Writing<'_>, edits: &[Known]| {
        let stamp = stamps(7, 60)[59];
        add(writing, &edit(stamp, Some(edits[3].stamp), "fork"), &[]);
    };
    assert_eq!(packed(&forked, LATER), 0, "two write under one name");
}

#[test]
fn a_piece_that_is_damaged_is_told_of() {
    let (_git_dir, mut store, _) = over(40);
    let writing = store.write(Durability::Process).unwrap();
    writing.pack(LATER).unwrap();
    writing.commit().unwrap();
    store
        .connection
        .execute("UPDATE packs SET edits = X'00'", [])
        .unwrap();
    let error = store
        .read()
        .unwrap()
        .edits(&todos(), Which::All)
        .unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
}

#[test]
fn what_is_packed_by_itself_is_bounded_and_done_in_the_end() {
    let (_git_dir, mut store, _) = over(600);
    let now = Moment::from_unix_millis(LATER);
    let mut some = || {
        let writing = store.write(Durability::Process).unwrap();
        let packing = writing.pack_some(LATER, 2, now).unwrap();
        let done = writing.last_packing().unwrap();
        writing.commit().unwrap();
        (packing.edits, done)
    };
    assert_eq!(some(), (512, None));
    assert_eq!(some(), (87, Some(now)));
}
