//! What walks have found, each as short as it could be made.

use crate::steps::{Deed, Step};
use crate::walk::failure;

/// Takes steps of the first (0) or second (1) work tree.
#[track_caller]
fn nothing_breaks(steps: &[(usize, Deed, usize, usize)]) {
    let steps: Vec<Step> = steps
        .iter()
        .map(|(tree, deed, a, b)| Step {
            deed: *deed,
            tree: *tree,
            a: *a,
            b: *b,
        })
        .collect();
    if let Some(failure) = failure(&steps) {
        panic!(
            "{}: {}\n{}",
            failure.broken.rule, failure.broken.told, failure.script
        );
    }
}

#[test]
fn what_a_command_edited_before_the_first_sync_is_taken_back_by_git() {
    nothing_breaks(&[
        (0, Deed::SetBy, 4, 0),
        (0, Deed::Force, 6, 0),
        (0, Deed::Revert, 6, 2),
    ]);
}

#[test]
fn an_edit_that_a_committed_removal_replaced_stays_on_its_branch() {
    nothing_breaks(&[
        (0, Deed::Force, 1, 10),
        (0, Deed::Revert, 7, 0),
        (0, Deed::ResetSoft, 1, 4),
        (0, Deed::RemoveBy, 0, 7),
        (0, Deed::Merge, 10, 1),
    ]);
}

#[test]
fn one_field_of_a_group_that_was_committed_before_anybody_looked_is_contained() {
    nothing_breaks(&[
        (1, Deed::Sync, 11, 2),
        (1, Deed::Set, 6, 8),
        (1, Deed::Amend, 3, 9),
        (1, Deed::RestoreOld, 4, 5),
    ]);
}

#[test]
fn a_record_that_was_put_back_keeps_its_fields_once_it_is_committed() {
    nothing_breaks(&[
        (0, Deed::Remove, 0, 2),
        (0, Deed::Sync, 0, 0),
        (0, Deed::RestoreOld, 11, 4),
        (0, Deed::Sync, 4, 3),
        (0, Deed::SetBy, 0, 11),
    ]);
}

#[test]
fn a_record_with_a_new_title_is_not_taken_for_removed() {
    nothing_breaks(&[
        (0, Deed::Sync, 2, 3),
        (0, Deed::Remove, 2, 5),
        (0, Deed::Set, 0, 9),
        (0, Deed::Commit, 4, 10),
        (0, Deed::Sync, 8, 2),
        (0, Deed::Switch, 9, 8),
        (0, Deed::Add, 3, 5),
        (0, Deed::Set, 10, 5),
    ]);
}

#[test]
fn a_removal_that_was_put_back_is_taken_back_whatever_the_title_is() {
    nothing_breaks(&[
        (0, Deed::Remove, 10, 3),
        (0, Deed::Sync, 11, 2),
        (0, Deed::ResetHard, 0, 10),
        (0, Deed::Set, 4, 5),
        (0, Deed::RemoveBy, 10, 6),
    ]);
}

#[test]
fn a_record_that_was_put_back_is_the_same_on_every_commit() {
    nothing_breaks(&[
        (1, Deed::RemoveBy, 6, 8),
        (1, Deed::RestoreOld, 4, 7),
        (1, Deed::Park, 8, 6),
        (1, Deed::Detach, 0, 9),
    ]);
}

#[test]
fn what_a_removal_saw_does_not_come_back_where_the_record_is_gone() {
    nothing_breaks(&[
        (1, Deed::Pick, 10, 7),
        (1, Deed::Set, 11, 5),
        (1, Deed::Rebase, 8, 4),
        (1, Deed::Set, 2, 0),
        (1, Deed::RemoveBy, 5, 3),
        (1, Deed::ResetMixed, 4, 6),
    ]);
}

#[test]
fn a_conflict_goes_into_the_commit_along_with_its_record() {
    nothing_breaks(&[
        (0, Deed::SetBy, 10, 1),
        (0, Deed::Park, 9, 3),
        (1, Deed::Set, 0, 6),
        (0, Deed::Set, 7, 6),
        (0, Deed::Rebase, 8, 7),
        (0, Deed::RemoveBy, 10, 0),
    ]);
}

#[test]
fn a_deletion_that_lost_goes_with_its_record() {
    nothing_breaks(&[
        (1, Deed::RemoveBy, 0, 4),
        (0, Deed::Exchange, 0, 6),
        (0, Deed::Amend, 0, 11),
        (0, Deed::Rebase, 11, 10),
    ]);
}

#[test]
fn a_removal_on_a_commit_that_others_lack_removes_what_they_have_of_it() {
    nothing_breaks(&[
        (0, Deed::Set, 6, 4),
        (0, Deed::CommitPart, 11, 5),
        (0, Deed::Remove, 3, 8),
        (0, Deed::Exchange, 8, 5),
        (1, Deed::Commit, 2, 5),
        (0, Deed::Exchange, 2, 2),
    ]);
}

#[test]
fn a_record_that_a_lost_store_knew_is_the_same_bytes_for_all() {
    nothing_breaks(&[
        (1, Deed::Add, 0, 7),
        (1, Deed::Sync, 9, 4),
        (1, Deed::LoseStore, 6, 9),
        (1, Deed::Exchange, 8, 0),
    ]);
}

#[test]
fn what_a_crash_left_unwritten_is_not_made_again() {
    nothing_breaks(&[
        (1, Deed::Exchange, 6, 7),
        (0, Deed::Set, 1, 1),
        (0, Deed::Stash, 6, 7),
        (0, Deed::Pop, 7, 6),
        (0, Deed::Crash, 8, 0),
        (1, Deed::Exchange, 0, 2),
    ]);
}

#[test]
fn who_edits_a_field_saw_what_its_record_was_born_with() {
    nothing_breaks(&[
        (1, Deed::Add, 9, 2),
        (1, Deed::Exchange, 0, 0),
        (0, Deed::Commit, 8, 2),
        (0, Deed::Detach, 0, 5),
        (1, Deed::CommitPart, 11, 11),
        (0, Deed::Exchange, 8, 8),
    ]);
}

#[test]
fn a_record_that_is_gone_comes_back_once_whatever_its_title_was() {
    nothing_breaks(&[
        (0, Deed::Set, 9, 10),
        (0, Deed::Park, 0, 6),
        (0, Deed::Amend, 4, 7),
        (1, Deed::Drop, 9, 7),
        (0, Deed::Exchange, 0, 5),
        (1, Deed::Force, 10, 1),
        (1, Deed::RemoveBy, 6, 0),
    ]);
}

#[test]
fn a_comment_goes_with_its_record_and_does_not_come_back_when_somebody_counts() {
    nothing_breaks(&[
        (0, Deed::Comment, 6, 4),
        (0, Deed::RemoveBy, 9, 2),
        (0, Deed::Count, 9, 4),
    ]);
}

#[test]
fn who_removes_a_record_has_removed_what_was_edited_on_a_commit_that_is_gone() {
    nothing_breaks(&[
        (1, Deed::Add, 0, 0),
        (1, Deed::SetBy, 0, 9),
        (1, Deed::Add, 1, 9),
        (1, Deed::ResetSoft, 7, 8),
        (1, Deed::RemoveBy, 10, 2),
    ]);
}
