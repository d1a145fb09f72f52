//! For each rule the shortest walk found in which somebody notices that it is missing: with all rules it keeps the laws,
//! without this one it breaks one.

use crate::laws::{ALL, BASIC};
use crate::rules::Rules;
use crate::walk::Deed::{
    Add, Amend, Commit, Crash, Detach, Drop, Exchange, Park, Part, Pop, Pull, Race, Rebase, Remove,
    ResetHard, ResetMixed, ResetSoft, Restore, Revert, Set, Stash, Switch, Sync,
};
use crate::walk::{Profile, Step};

/// Between two work trees.
fn two(off: Rules, steps: &[Step]) {
    noticed(&BASIC, off, steps);
}

/// Between three.
fn three(off: Rules, steps: &[Step]) {
    noticed(&ALL, off, steps);
}

fn noticed(profile: &Profile, off: Rules, steps: &[Step]) {
    if let Err(broken) = profile.run(Rules::ALL, steps) {
        panic!(
            "with all rules\n{broken}\n{}",
            profile.tell(Rules::ALL, steps)
        );
    }
    assert!(
        profile.run(off, steps).is_err(),
        "nobody notices\n{}",
        profile.tell(off, steps)
    );
}

/// All rules but these.
macro_rules! without {
    ($($rule:ident),*) => {
        Rules { $($rule: false,)* ..Rules::ALL }
    };
}

macro_rules! counterexamples {
    ($($(#[$doc:meta])* $test:ident: $players:ident without $rule:ident [$($deed:ident $tree:literal $a:literal $b:literal,)*])*) => {
        $($(#[$doc])* #[test]
        fn $test() {
            $players(without!($rule), &[$(Step($deed, $tree, $a, $b),)*]);
        })*
    };
}

counterexamples! {
    /// A removal, reverted, is removed again.
    f2_only_commits_behind_the_base_contain: two without base [
        Remove 0 1 0, Commit 0 0 0, Revert 0 0 0, Remove 0 1 0,
    ]
    /// X commits a record of Y's and reverts it; Y's own commit of it must not bring it back.
    f3_a_true_merge_asks_the_histories: two without ancestry [
        Add 1 0 0, Sync 1 0 0, Exchange 0 0 0, Sync 0 0 0, Commit 0 0 0, Commit 1 0 0, Revert 0 0 0, Pull 1 0 0,
    ]
    /// A value without a stamp over what a record was born with: the birth stood on the other side, the value did not.
    f3_what_has_no_stamp_must_have_stood_by_its_value: two without bare_stood [
        Add 1 1 0, Sync 1 0 0, Exchange 0 0 0, Sync 0 0 0, Commit 0 0 0, Set 1 3 0, Remove 0 3 0, Commit 0 0 0, Commit 1 0 0,
        Pull 1 0 0,
    ]
    /// A value typed over a stamped one and committed before we looked.
    s1_what_no_commit_held_is_listed: two without superseded [
        Set 0 0 0, Sync 0 0 0, Set 0 0 0, Sync 0 0 0, Commit 0 0 0, Sync 0 0 0, Drop 0 0 0,
    ]
    s2_a_stamp_counts_beside_its_own_value_only: two without digests [
        Race 0 0 0, Set 0 0 0, Commit 0 0 0,
    ]
    s6_what_git_discards_is_taken_back: two without retraction [
        Set 0 0 0, Sync 0 0 0, ResetHard 0 0 0,
    ]
    s6_but_not_what_a_head_since_contains: two without witness [
        Add 0 0 0, Sync 0 0 0, Commit 0 0 0, Detach 0 1 0,
    ]
    s7_a_racing_writer_did_not_delete_what_came_meanwhile: two without window [
        Race 0 0 0, Exchange 1 0 0, Race 1 0 0,
    ]
    /// Its writer touched the very leaf that came meanwhile.
    s7_wherever_it_is_as_it_was_nothing_was_typed: two without three_way [
        Race 0 1 0, Exchange 1 0 0, Race 1 1 0,
    ]
    s14_commits_before_we_looked_are_edits: two without own_commits [
        Sync 0 0 0, Set 0 0 0, Commit 0 0 0,
    ]
    s14_who_makes_the_same_change_contains_it: two without effect [
        Sync 0 0 0, Set 0 0 0, Commit 0 0 0,
    ]
    parked_edits_stay_out: three without parked [
        Set 1 0 0, Park 1 0 0,
    ]
    what_a_branch_has_stays_there: two without elsewhere [
        Set 0 0 0, Sync 0 0 0, Commit 0 0 0, ResetHard 0 2 0,
    ]
    s9_what_a_shown_edit_builds_on_is_shown: three without builds_on [
        Add 1 0 0, Add 0 0 0, Sync 1 0 0, Exchange 2 3 0, Set 1 2 0, Park 2 0 0,
    ]
    /// What a contained removal observed leaves the overlay.
    n1_a_contained_edit_still_replaces_what_it_observed: two without contained_supersedes [
        Race 1 0 0, Remove 1 0 0, Sync 1 0 0, Commit 1 0 0,
    ]
    /// The edit saw what stood between HEAD and its base, too.
    n2_an_edit_meets_head_as_its_commit_would: two without parting [
        Set 1 1 0, Commit 1 0 0, Set 1 1 0,
    ]
    /// Y never heard the name of what it pulled and edited.
    n3_an_edit_was_made_on_all_that_its_base_contains: three without on_base [
        Sync 2 0 0, Set 2 1 0, Commit 2 0 0, Pull 1 0 0, Set 1 1 0,
    ]
    /// An own commit's name stands in the store only: whoever saw it under that name sees it bare elsewhere.
    n4_a_value_is_observed_by_stamp_and_digest: two without both_names [
        Sync 1 0 0, Set 1 1 1, Commit 1 0 0, Sync 1 0 0, Exchange 1 0 0, Sync 0 0 0, Set 0 1 1,
    ]
    n4_names_in_the_store_are_observed_with_their_value: two without named [
        Set 0 1 0, Race 0 1 0,
    ]
    n5_a_stamp_that_does_not_fit_was_seen: two without stale_seen [
        Race 0 0 0, Set 0 0 0, Commit 0 0 0,
    ]
    n5_a_commit_contains_what_was_typed_over_in_it: two without typed_over [
        Set 1 0 0, Sync 1 0 0, Set 1 0 0, Commit 1 0 0, Pull 0 0 0, Exchange 0 0 0,
    ]
    n6_a_removal_saw_what_was_shown: two without removal_saw [
        Race 1 1 0, Exchange 0 0 0, Sync 0 0 0, Remove 0 1 0, Commit 0 0 0,
    ]
    /// One stamp, two leaves, one of them committed.
    n7_containment_is_told_leaf_by_leaf: two without by_leaf [
        Set 0 0 0, Add 0 1 0, Sync 0 0 0, Part 0 0 0,
    ]
    /// Put back by git, and then edited: that did not delete what peers had in the file.
    n8_the_index_tells_when_git_wrote: three without git_wrote [
        Set 0 1 0, Set 2 1 0, Sync 2 0 0, Restore 2 0 0, Set 2 0 0,
    ]
    n9_a_head_from_before_does_not_hide_an_edit: two without made_since [
        Add 0 0 0, Commit 0 0 0, ResetMixed 0 3 0,
    ]
    /// The store has the edits, the file was not written.
    n10_a_rendering_is_current_once_it_is_written: two without intended [
        Race 0 0 0, Exchange 1 0 0, Crash 1 0 0,
    ]
    /// The text is bare, and the edit replaced one that no commit held.
    n11_the_effect_of_an_edit_is_told_from_its_base: two without base_value [
        Race 1 0 1, Set 1 0 3, Crash 1 0 0, Commit 1 0 0,
    ]
    /// A removal that a peer's update made void must not be taken back by the next commit.
    n12_nothing_was_taken_out_where_the_file_is_as_it_was: two without as_before [
        Set 1 0 1, Sync 1 0 0, Remove 1 0 0, Sync 1 0 0, Set 0 0 1, Exchange 0 0 0, Sync 0 0 0, Commit 0 0 0,
    ]
    /// A removal has no stamp in the text that would tell whose it is.
    n13_what_the_file_still_shows_is_not_made_again: three without not_again [
        Remove 0 0 0, Sync 0 0 0, Exchange 2 0 0, ResetHard 0 0 0, Sync 2 0 0, Switch 2 0 0,
    ]
    /// An own commit, looked at, undone by a soft reset and edited on: the record was born once.
    n13_a_bare_value_of_an_edit_elsewhere_is_that_edit: two without bare [
        Sync 0 0 0, Add 0 0 0, Commit 0 0 0, Sync 0 0 0, ResetSoft 0 2 0, Set 0 2 0,
    ]
    /// A peer's update brought the record back; committing it is no birth.
    n13_what_comes_back_is_not_born_here: two without not_born [
        Set 1 0 0, Remove 0 0 0, Sync 1 0 0, Exchange 1 0 0, Commit 0 0 0, Sync 0 0 0, Remove 1 0 0, Commit 0 0 0,
    ]
    n14_an_amended_commit_observed_the_one_that_it_replaced: three without amended [
        Sync 1 0 0, Set 1 0 1, Commit 1 0 0, Set 1 0 1, Rebase 2 1 1, Amend 1 0 0,
    ]
    /// A stash popped over another commit: what the driver left as lost is in no commit and in no other edit.
    n15_what_lost_in_the_file_is_an_edit: three without losers [
        Set 1 0 1, Stash 1 0 0, Set 1 0 3, Commit 1 0 0, Pop 1 0 0,
    ]
}
