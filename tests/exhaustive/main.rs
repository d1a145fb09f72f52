//! Model checking of the core: three work trees that edit one record, on branches, and tell each other single edits in any
//! order and more than once. The edits, what they observe and what is shown are the work of the real code; the model
//! only decides who does what and who hears of it.
//!
//! Larger worlds take minutes: `cargo test --release --test exhaustive -- --ignored --nocapture`.
#![allow(clippy::expect_used, clippy::print_stdout)]

mod check;
mod world;

use rhema_crdt::crdt::{Act, Edit};
use stateright::{Model, Property};
use world::{Deed, State, Tree, World};

/// What can happen next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    /// A tree edits what it shows.
    Edit(usize, Deed),
    /// A tree hears of an edit, perhaps not for the first time.
    Hear { tree: usize, edit: usize },
    /// A tree checks out its other branch.
    Switch(usize),
    /// A tree merges its other branch.
    Merge(usize),
}

impl Model for World {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            trees: vec![Tree::default(); self.budgets.len()],
            edits: Vec::new(),
            repeated: 0,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (number, tree) in state.trees.iter().enumerate() {
            let made = state.edits.iter().filter(|made| made.by == number).count();
            if made < self.budgets[number] {
                let stands = self.stands(&self.shown(state, tree.here()));
                let deeds = if stands {
                    &[Deed::Write, Deed::Remove][..]
                } else {
                    &[Deed::Add]
                };
                actions.extend(deeds.iter().map(|deed| Action::Edit(number, *deed)));
            }
            for edit in 0..state.edits.len() {
                let is_known = tree.here().contains(&edit);
                if !is_known || state.repeated < self.repetitions {
                    actions.push(Action::Hear { tree: number, edit });
                }
            }
            if self.branching.contains(&number) {
                actions.extend([Action::Switch(number), Action::Merge(number)]);
            }
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Edit(number, deed) => {
                let seen = before.trees[number].here().to_vec();
                state.trees[number].here_mut().push(state.edits.len());
                state.edits.push(world::Made {
                    by: number,
                    deed,
                    seen,
                });
            }
            Action::Hear { tree, edit } => {
                let here = state.trees[tree].here_mut();
                state.repeated += usize::from(here.contains(&edit));
                here.push(edit);
            }
            Action::Switch(number) => state.trees[number].switch(),
            Action::Merge(number) => state.trees[number].merge(),
        }
        (state != *before).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(SET_ALONE, |world: &World, state: &State| {
                world.everywhere(state, |verdict| verdict.set_alone)
            }),
            Property::always(LIVING, |world: &World, state: &State| {
                world.everywhere(state, |verdict| verdict.living)
            }),
            Property::always(STAYS_AWAY, |world: &World, state: &State| {
                world.everywhere(state, |verdict| verdict.stays_away)
            }),
            Property::always(KEPT, |world: &World, state: &State| {
                world.everywhere(state, |verdict| verdict.kept)
            }),
            Property::sometimes(
                "all trees come to know all",
                |world: &World, state: &State| {
                    let all: usize = world.budgets.iter().sum();
                    let knows_all = |tree: &Tree| (0..all).all(|edit| tree.here().contains(&edit));
                    state.edits.len() == all && state.trees.iter().all(knows_all)
                },
            ),
        ]
    }
}

/// The laws.
pub(crate) const SET_ALONE: &str = "what is shown depends on the set of edits alone";
/// The incremental view is the view from scratch.
pub(crate) const LIVING: &str = "a living document shows the view";
/// No resurrection.
pub(crate) const STAYS_AWAY: &str = "what was removed and not edited unseen stays away";
/// Nothing is lost.
pub(crate) const KEPT: &str = "a value that nobody saw is shown or kept";

/// Which laws hold for what one tree knows on one branch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict {
    set_alone: bool,
    living: bool,
    stays_away: bool,
    kept: bool,
}

impl World {
    /// Whether a law holds for what every tree knows on every branch.
    fn everywhere(&self, state: &State, holds: impl Fn(Verdict) -> bool) -> bool {
        let mut branches = state.trees.iter().flat_map(Tree::branches);
        branches.all(|known| holds(self.judged(state, known)))
    }

    /// What holds for these edits, heard of in this order. Most states differ in what another tree knows: it is found out once.
    fn judged(&self, state: &State, known: &[usize]) -> Verdict {
        let key = (state.edits.clone(), known.to_vec());
        let judged = self
            .judged
            .lock()
            .expect("nobody panics with it")
            .get(&key)
            .copied();
        judged.unwrap_or_else(|| {
            let verdict = self.verdict(state, known);
            self.judged
                .lock()
                .expect("nobody panics with it")
                .insert(key, verdict);
            verdict
        })
    }

    fn verdict(&self, state: &State, known: &[usize]) -> Verdict {
        let mut sorted = known.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let (shown, living) = (self.shown(state, known), self.living(state, known));
        let edits = self.told(state, known);
        let is_gone_for = |removal: &Edit| {
            let others = || edits.iter().filter(|edit| *edit != removal);
            removes(removal) && others().all(|edit| saw(removal, edit))
        };
        let is_kept = |edit: &Edit| {
            edits.iter().any(|other| saw(other, edit))
                || world::written(edit).is_none_or(|value| world::holds(&shown, &value))
        };
        Verdict {
            set_alone: self.shown(state, &sorted) == shown,
            living: living.root == shown.root
                && living.losers == shown.losers
                && living.removed == shown.removed,
            stays_away: !(edits.iter().any(is_gone_for) && self.stands(&shown)),
            kept: edits.iter().all(is_kept),
        }
    }
}

fn removes(edit: &Edit) -> bool {
    edit.changes.iter().any(|change| change.act == Act::Remove)
}

/// Whether who made the one edit had seen the other.
fn saw(one: &Edit, other: &Edit) -> bool {
    let stamp = other.stamp;
    one.changes
        .iter()
        .any(|change| stamp.is_some_and(|stamp| change.observed.has_stamp(stamp)))
}
