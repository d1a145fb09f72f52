//! Model checking of the core: three work trees that edit one record, on branches, and tell each other single edits in any
//! order and more than once. The edits, what they observe and what is shown are the work of the real code; the model
//! only decides who does what and who hears of it.

mod world;

use rhema_crdt::crdt::{Act, Document, Edit};
use stateright::{Model, Property};
pub use world::{Deed, Rule, State, Tree, World};

/// What can happen next.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
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
            Property::always(
                "what is shown depends on the set of edits alone",
                |world: &World, state: &State| {
                    world.everywhere(state, |known, shown| {
                        let mut sorted = known.to_vec();
                        sorted.sort_unstable();
                        sorted.dedup();
                        world.shown(state, &sorted) == *shown
                    })
                },
            ),
            Property::always(
                "a living document shows the view",
                |world: &World, state: &State| {
                    world.everywhere(state, |known, shown| {
                        let living = world.living(state, known);
                        living.root == shown.root
                            && living.losers == shown.losers
                            && living.removed == shown.removed
                    })
                },
            ),
            Property::always(
                "what was removed and not edited unseen stays away",
                |world: &World, state: &State| {
                    world.everywhere(state, |known, shown| {
                        let edits = world.told(state, known);
                        let removed = edits.iter().any(|removal| {
                            removes(removal)
                                && edits
                                    .iter()
                                    .all(|edit| edit == removal || saw(removal, edit))
                        });
                        !(removed && world.stands(shown))
                    })
                },
            ),
            Property::always(
                "a value that nobody saw is shown or kept",
                |world: &World, state: &State| {
                    world.everywhere(state, |known, shown| {
                        let edits = world.told(state, known);
                        edits.iter().all(|edit| {
                            edits.iter().any(|other| saw(other, edit))
                                || world::written(edit)
                                    .is_none_or(|value| world::holds(shown, &value))
                        })
                    })
                },
            ),
            Property::sometimes("all trees come to know all", |world: &World, state: &State| {
                let all: usize = world.budgets.iter().sum();
                let knows_all = |tree: &Tree| (0..all).all(|edit| tree.here().contains(&edit));
                state.edits.len() == all && state.trees.iter().all(knows_all)
            }),
        ]
    }
}

impl World {
    /// Whether something holds for what every tree knows on every branch, and shows.
    fn everywhere(&self, state: &State, holds: impl Fn(&[usize], &Document) -> bool) -> bool {
        let branches = state.trees.iter().flat_map(Tree::branches);
        branches
            .into_iter()
            .all(|known| holds(known, &self.shown(state, known)))
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
