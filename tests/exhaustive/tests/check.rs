//! The laws hold in every state; with a rule broken on purpose the checker says so.

use exhaustive::{Rule, World};
use stateright::{Checker, Model};

fn world(budgets: &[usize], repetitions: usize, branching: &[usize]) -> World {
    World {
        budgets: budgets.to_vec(),
        repetitions,
        branching: branching.to_vec(),
        rule: Rule::Kept,
    }
}

fn holds(name: &str, world: World) {
    let checker = world.checker().threads(2).spawn_bfs().join();
    println!(
        "{name}: {} states, {} of them different, {} steps deep",
        checker.state_count(),
        checker.unique_state_count(),
        checker.max_depth()
    );
    checker.assert_properties();
}

fn is_noticed(rule: Rule, property: &'static str) {
    let world = World {
        rule,
        ..world(&[1, 1, 1], 0, &[])
    };
    let checker = world.checker().spawn_bfs().join();
    let path = checker
        .discovery(property)
        .unwrap_or_else(|| panic!("{rule:?} went unnoticed"));
    println!("{rule:?} in {} steps", path.into_actions().len());
}

#[test]
fn three_trees_with_an_edit_each_that_hear_of_it_in_any_order_and_twice() {
    holds("an edit each, one told twice", world(&[1, 1, 1], 1, &[]));
}

#[test]
fn two_trees_with_two_edits_each_and_one_that_hears_of_them() {
    holds("two edits each and a reader", world(&[2, 2, 0], 0, &[]));
}

#[test]
fn three_trees_of_which_one_edits_on_two_branches() {
    holds("two branches", world(&[2, 1, 0], 0, &[0]));
}

#[test]
fn a_removal_by_name_is_noticed() {
    is_noticed(
        Rule::RemovesByName,
        "a value that nobody saw is shown or kept",
    );
}

#[test]
fn an_edit_that_observes_nothing_is_noticed() {
    is_noticed(
        Rule::ObservesNothing,
        "a value that nobody saw is shown or kept",
    );
}

#[test]
fn an_order_that_shows_is_noticed() {
    is_noticed(
        Rule::FirstComeFirstServed,
        "what is shown depends on the set of edits alone",
    );
}
