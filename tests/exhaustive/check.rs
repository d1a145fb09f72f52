//! The laws hold in every state; with a rule broken on purpose the checker says so.

use crate::world::{Rule, World};
use crate::{KEPT, SET_ALONE, STAYS_AWAY};
use stateright::{Checker, Model};

fn holds(name: &str, budgets: &[usize], repetitions: usize, branching: &[usize]) {
    let world = World::new(budgets, repetitions, branching, Rule::Kept);
    let checker = world.checker().threads(2).spawn_bfs().join();
    println!(
        "{name}: {} states, {} of them different, {} steps deep",
        checker.state_count(),
        checker.unique_state_count(),
        checker.max_depth()
    );
    checker.assert_properties();
}

fn is_noticed(rule: Rule, budgets: &[usize], law: &'static str) {
    let checker = World::new(budgets, 0, &[], rule)
        .checker()
        .spawn_bfs()
        .join();
    let path = checker.discovery(law);
    let path = path.unwrap_or_else(|| panic!("{rule:?} went unnoticed"));
    println!("{rule:?}: seen after {} steps", path.into_actions().len());
}

#[test]
fn three_trees_with_an_edit_each_that_hear_of_it_in_any_order() {
    holds("an edit each", &[1, 1, 1], 0, &[]);
}

#[test]
fn two_trees_with_an_edit_each_and_a_third_that_hears_of_them_and_of_one_again() {
    holds("one told again", &[1, 1, 0], 1, &[]);
}

#[test]
fn two_trees_of_which_one_makes_two_edits_and_a_third_that_hears_of_them() {
    holds("two edits in a row", &[2, 1, 0], 0, &[]);
}

#[test]
fn two_trees_of_which_one_edits_on_two_branches() {
    holds("two branches", &[1, 1], 0, &[0]);
}

#[test]
#[ignore = "minutes"]
fn larger_worlds() {
    holds("two edits on two branches", &[2, 1], 0, &[0]);
    holds("an edit each, one told again", &[1, 1, 1], 1, &[]);
    holds("two edits each", &[2, 2, 0], 0, &[]);
    holds("two edits in a row, two told again", &[2, 1, 0], 2, &[]);
    holds("three edits and one", &[3, 1, 0], 0, &[]);
    holds("an edit each, two branches", &[1, 1, 1], 0, &[0]);
}

#[test]
fn a_removal_by_name_is_noticed() {
    is_noticed(Rule::RemovesByName, &[1, 1, 1], KEPT);
}

#[test]
fn an_edit_that_observes_nothing_is_noticed() {
    is_noticed(Rule::ObservesNothing, &[1, 1], STAYS_AWAY);
}

#[test]
fn an_order_that_shows_is_noticed() {
    is_noticed(Rule::FirstComeFirstServed, &[1, 1], SET_ALONE);
}

/// Who hears of a removal and not of the write that it followed would see the record until that write arrives, too.
#[test]
fn an_edit_that_forgets_what_stood_below_is_noticed() {
    is_noticed(Rule::ForgetsBelow, &[2, 1], STAYS_AWAY);
}
