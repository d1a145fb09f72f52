//! What happens in a run: the network, and a script. All of it shrinks.

use proptest::prelude::*;

use crate::document::Doing;

const SECOND: u64 = 1_000;

/// How the network is until it heals.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Network {
    /// Of a hundred messages, how many get lost, and how many come twice.
    pub(crate) lost: u32,
    pub(crate) twice: u32,
    /// How long a message takes at most, in milliseconds.
    pub(crate) slowest: u64,
    /// Whether one may overtake another.
    pub(crate) overtaking: bool,
}

/// Who is connected with whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Each with each.
    Mesh,
    /// Each with the next: all must be passed on.
    Row,
}

/// Something that happens.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Edit(Doing),
    Undo,
    /// The process stops, and begins anew after so many seconds.
    Crash {
        seconds: u64,
    },
    LoseStore,
    /// It becomes a copy of another one, with its name and all.
    Copy {
        of: usize,
    },
    /// Its clock is set, so far ahead.
    SetClock {
        ahead: i64,
    },
    /// The connection to another one breaks.
    Cut {
        to: usize,
    },
    /// Those whose bit is set hear nothing of the others, and these nothing of them.
    Part {
        side: u8,
        seconds: u64,
    },
    /// Somebody calls another one, to leave when all is said.
    Visit {
        to: usize,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) nodes: usize,
    pub(crate) shape: Shape,
    pub(crate) network: Network,
    pub(crate) pushes: bool,
    /// One that only reads; whether it knows that.
    pub(crate) reader: Option<(usize, bool)>,
    /// One, the last, that passes on what it knows as it likes: how many of a hundred runs it tampers with.
    pub(crate) hostile: Option<u32>,
    /// How many edits a message has, and how many of these are under way.
    pub(crate) batch: usize,
    pub(crate) window: usize,
    /// After how many milliseconds what happens where.
    pub(crate) script: Vec<(u64, usize, Step)>,
}

pub(crate) fn edits() -> impl Strategy<Value = Doing> {
    prop_oneof![
        6 => (0usize..6, 0usize..2).prop_map(|(record, field)| Doing::Write { record, field }),
        1 => (0usize..6).prop_map(|record| Doing::Remove { record }),
        2 => Just(Doing::Add),
        1 => (0usize..6, 0usize..6).prop_map(|(record, to)| Doing::Move { record, to }),
    ]
}

fn clocks() -> impl Strategy<Value = i64> {
    const HOUR: i64 = 3_600 * SECOND as i64;
    const YEAR: i64 = 365 * 24 * HOUR;
    proptest::sample::select(vec![0, 1_000, -1_000, HOUR, -HOUR, YEAR, -YEAR])
}

/// What happens where clocks are right and stores and names are kept.
fn calm() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => edits().prop_map(Step::Edit),
        1 => Just(Step::Undo),
        1 => (0u64..60).prop_map(|seconds| Step::Crash { seconds }),
        1 => (0usize..5).prop_map(|to| Step::Cut { to }),
        1 => (any::<u8>(), 0u64..90).prop_map(|(side, seconds)| Step::Part { side, seconds }),
        1 => (0usize..5).prop_map(|to| Step::Visit { to }),
    ]
}

/// What happens.
fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        16 => calm(),
        1 => Just(Step::LoseStore),
        1 => (0usize..5).prop_map(|of| Step::Copy { of }),
        2 => clocks().prop_map(|ahead| Step::SetClock { ahead }),
    ]
}

fn network(perfect: bool) -> impl Strategy<Value = Network> {
    let worst: u32 = if perfect { 0 } else { 40 };
    (0..=worst, 0..=worst, 1u64..3_000, any::<bool>()).prop_map(
        move |(lost, twice, slowest, overtaking)| Network {
            lost,
            twice,
            slowest,
            overtaking: overtaking && !perfect,
        },
    )
}

/// Plans in which everything goes wrong.
pub(crate) fn plans() -> impl Strategy<Value = Plan> {
    plans_of(false, steps().boxed())
}

/// Plans in which nothing that is said gets lost, comes twice or is overtaken unless a connection breaks, as over QUIC.
pub(crate) fn orderly_plans() -> impl Strategy<Value = Plan> {
    plans_of(true, calm().boxed())
}

fn plans_of(perfect: bool, step: BoxedStrategy<Step>) -> impl Strategy<Value = Plan> {
    let script = proptest::collection::vec((0u64..8_000, 0usize..5, step), 1..40);
    let reader = proptest::option::weighted(0.2, (0usize..5, any::<bool>()));
    let shape = prop_oneof![3 => Just(Shape::Mesh), 1 => Just(Shape::Row)];
    let sizes = (1usize..8, 1usize..4);
    (
        any::<u64>(),
        2usize..=5,
        shape,
        network(perfect),
        any::<bool>(),
        reader,
        sizes,
        script,
    )
        .prop_map(
            |(seed, nodes, shape, network, pushes, reader, (batch, window), script)| Plan {
                seed,
                nodes,
                shape,
                network,
                pushes,
                hostile: None,
                // In a row nothing gets past one from whom nothing is taken.
                reader: reader.filter(|_| shape == Shape::Mesh),
                batch,
                window,
                script: apart(script),
            },
        )
}

/// Plans in which one of three or more says what nobody made, and not what it knows. The others hear of each other as well.
pub(crate) fn hostile_plans() -> impl Strategy<Value = Plan> {
    (plans_of(false, calm().boxed()), 20u32..100).prop_map(|(plan, hostile)| Plan {
        nodes: plan.nodes.max(3),
        shape: Shape::Mesh,
        reader: None,
        hostile: Some(hostile),
        ..plan
    })
}

/// The script, without clocks that go wrong where a work tree is copied: who writes under one name in two times at once is not
/// heard of before both have come.
fn apart(mut script: Vec<(u64, usize, Step)>) -> Vec<(u64, usize, Step)> {
    if script
        .iter()
        .any(|(.., step)| matches!(step, Step::Copy { .. }))
    {
        script.retain(|(.., step)| !matches!(step, Step::SetClock { .. }));
    }
    script
}
