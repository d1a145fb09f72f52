//! Random histories of three replicas that edit what they see and tell each other some of it, and the laws that must hold at
//! the end of each.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rhema_crdt::crdt::types::Replicated;
use rhema_crdt::crdt::{Clock, Replica, Stamp};

/// What a type must tell so that it can be held to the laws.
pub(crate) trait Subject: Replicated {
    /// Some edit of what is there; nothing where the choice has no meaning.
    fn some_edit(&self, stamp: Stamp, choice: Choice) -> Option<Self::Edit>;

    /// The edits that an edit replaces: it had seen them.
    fn replaced(edit: &Self::Edit) -> BTreeSet<Stamp>;
}

/// What decides which edit is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    /// What is done.
    pub(crate) deed: u8,
    /// To what.
    pub(crate) place: u8,
    /// With what.
    pub(crate) value: u8,
}

/// A step of a history.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A replica edits.
    Edit(usize, Choice),
    /// A replica gets edits of another one: those of which the mask has the bit, in an order that depends on it.
    Send(usize, usize, u16),
    /// A replica gets the whole state of another one.
    Merge(usize, usize),
    /// A replica gets an old state of its own.
    Restore(usize),
}

const REPLICAS: usize = 3;

pub(crate) fn histories() -> impl Strategy<Value = Vec<Step>> {
    let replica = 0..REPLICAS;
    let choice = (any::<u8>(), 0u8..6, any::<u8>());
    let choice = choice.prop_map(|(deed, place, value)| Choice { deed, place, value });
    let step = prop_oneof![
        5 => (replica.clone(), choice).prop_map(|(at, choice)| Step::Edit(at, choice)),
        3 => (replica.clone(), replica.clone(), any::<u16>()).prop_map(|(from, to, mask)| Step::Send(from, to, mask)),
        1 => (replica.clone(), replica.clone()).prop_map(|(from, to)| Step::Merge(from, to)),
        1 => replica.prop_map(Step::Restore),
    ];
    proptest::collection::vec(step, 0..16)
}

/// A replica: what it has come to, what it knows, and what it was.
struct Node<T: Subject> {
    state: T,
    known: BTreeSet<usize>,
    old: Vec<T>,
    clock: Clock,
}

/// Plays a history, and holds what comes of it to the laws.
pub(crate) fn obeys_the_laws<T: Subject>(steps: &[Step]) -> Result<(), TestCaseError> {
    let mut log: Vec<T::Edit> = Vec::new();
    let mut nodes: Vec<Node<T>> = (0..REPLICAS as u32)
        .map(|bits| Node {
            state: T::default(),
            known: BTreeSet::new(),
            old: Vec::new(),
            clock: Clock::new(Replica::from_bits(bits + 1), None),
        })
        .collect();
    for (time, step) in steps.iter().enumerate() {
        match step {
            Step::Edit(at, choice) => {
                let node = &mut nodes[*at];
                // Clocks go by themselves.
                let stamp = node
                    .clock
                    .tick(1_800_000_000_000 + (time as u64 * 7) % 5)
                    .unwrap();
                node.old.push(node.state.clone());
                if let Some(edit) = node.state.some_edit(stamp, *choice) {
                    node.state.apply(&edit);
                    node.known.insert(log.len());
                    log.push(edit);
                }
            }
            Step::Send(from, to, mask) => {
                let mut sent: Vec<usize> = nodes[*from].known.iter().copied().collect();
                sent.retain(|index| mask >> (index % 16) & 1 == 1);
                if mask.is_multiple_of(3) {
                    sent.reverse();
                }
                let to = &mut nodes[*to];
                for index in sent {
                    to.state.apply(&log[index]);
                    to.known.insert(index);
                }
            }
            Step::Merge(from, to) => {
                let (state, known) = (nodes[*from].state.clone(), nodes[*from].known.clone());
                nodes[*to].state.merge(&state);
                nodes[*to].known.extend(known);
            }
            Step::Restore(at) => {
                let node = &mut nodes[*at];
                if let Some(old) = node.old.first() {
                    node.state.merge(old);
                }
            }
        }
    }
    for node in &nodes {
        depends_on_the_set_alone(node, &log)?;
        nothing_comes_back(node, &log)?;
    }
    merges_in_any_order(&nodes)
}

/// A state that took in these edits.
fn of<'e, T: Subject>(edits: impl Iterator<Item = &'e T::Edit>) -> T
where
    T::Edit: 'e,
{
    let mut state = T::default();
    edits.for_each(|edit| state.apply(edit));
    state
}

/// What came piece by piece, by edits and by states, is what comes of the edits from scratch: in any order, in parts, and
/// however often each came.
fn depends_on_the_set_alone<T: Subject>(
    node: &Node<T>,
    log: &[T::Edit],
) -> Result<(), TestCaseError> {
    let edits: Vec<&T::Edit> = node.known.iter().map(|index| &log[*index]).collect();
    prop_assert_eq!(&of::<T>(edits.iter().copied()), &node.state);
    prop_assert_eq!(&of::<T>(edits.iter().rev().copied()), &node.state);
    let (front, back) = edits.split_at(edits.len() / 2);
    let turned = back
        .iter()
        .chain(front)
        .chain(back)
        .chain(edits.iter().rev());
    prop_assert_eq!(&of::<T>(turned.copied()), &node.state);
    let mut parts = of::<T>(back.iter().copied());
    parts.merge(&of::<T>(front.iter().rev().copied()));
    prop_assert_eq!(&parts, &node.state);
    prop_assert_eq!(parts.view(), node.state.view());
    Ok(())
}

/// An edit that somebody replaced does not stand; neither old edits nor old states bring it back, nor what was taken away as
/// a whole.
fn nothing_comes_back<T: Subject>(node: &Node<T>, log: &[T::Edit]) -> Result<(), TestCaseError> {
    let standing = node.state.standing();
    for index in &node.known {
        let replaced = T::replaced(&log[*index]);
        prop_assert!(
            replaced.is_disjoint(&standing),
            "{:?} of {:?}",
            replaced,
            standing
        );
    }
    let mut again = node.state.clone();
    node.known
        .iter()
        .for_each(|index| again.apply(&log[*index]));
    node.old.iter().for_each(|old| again.merge(old));
    prop_assert_eq!(&again, &node.state);
    again.forget(&standing);
    prop_assert!(again.standing().is_empty());
    node.known
        .iter()
        .for_each(|index| again.apply(&log[*index]));
    node.old.iter().for_each(|old| again.merge(old));
    prop_assert!(again.standing().is_empty());
    Ok(())
}

fn merges_in_any_order<T: Subject>(nodes: &[Node<T>]) -> Result<(), TestCaseError> {
    let [a, b, c] = [&nodes[0].state, &nodes[1].state, &nodes[2].state];
    let merged = |first: &T, second: &T| {
        let mut merged = first.clone();
        merged.merge(second);
        merged
    };
    prop_assert_eq!(merged(a, b), merged(b, a));
    prop_assert_eq!(merged(&merged(a, b), c), merged(a, &merged(b, c)));
    prop_assert_eq!(&merged(a, a), a);
    prop_assert_eq!(&merged(a, &T::default()), a);
    prop_assert_eq!(&merged(&T::default(), a), a);
    prop_assert_eq!(merged(&merged(a, b), b), merged(a, b));
    Ok(())
}
