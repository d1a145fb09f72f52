//! What walks have found, each as short as it could be made.

use crate::walk::{Deed, Step, failure};

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
            failure.broken.kind, failure.broken.told, failure.script
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
