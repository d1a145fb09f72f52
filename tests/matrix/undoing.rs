//! Reverts, cherry-picks, resets and restores.

rows! { "Reverts and cherry-picks"
    revert "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git revert --no-edit HEAD | as at first       |        |
        edit b.status=done        | b.status=done     | edited | a.status=done, b.status=done
    "
    revert_of_an_older_commit "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        edit a.priority=high      | a.status=done a.priority=high | edited | a.status=done, a.priority=high
        git commit -qam two       |                   | clean  |
        git revert --no-edit HEAD~1 | a.priority=high |        |
    "
    revert_of_a_revert "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git revert --no-edit HEAD | as at first       |        |
        git revert --no-edit HEAD | a.status=done     |        |
        git revert --no-edit HEAD | as at first       |        |
    "
    revert_of_a_birth "
        edit +e                   | +e                | edited | +e
        git commit -qam one       |                   | clean  |
        git revert --no-edit HEAD | as at first       |        |
        git revert --no-edit HEAD | +e                |        |
    "
    revert_of_a_deletion "
        edit -b                   | -b                | edited | -b
        git commit -qam one       |                   | clean  |
        git revert --no-edit HEAD | as at first       |        |
        edit b.status=done        | b.status=done     | edited | -b, b.status=done
        git commit -qam two       |                   | clean  |
        edit -b                   | -b                | edited | -b, b.status=done, -b
        git commit -qam three     |                   | clean  |
    "
    revert_of_a_merge "
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        edit a.priority=high      | a.priority=high   | edited | a.status=done, a.priority=high
        git commit -qam two       |                   | clean  |
        git merge -q -m merge f   | a.status=done a.priority=high | |
        git revert --no-edit -m 1 HEAD | a.priority=high |     |
        git merge -q f            |                   |        |
        git revert --no-edit HEAD | a.status=done a.priority=high | |
    "
    revert_over_uncommitted_work_is_refused "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        edit b.status=done        | a.status=done b.status=done | edited | a.status=done, b.status=done
        fails: git revert --no-edit HEAD |            |        |
    "
    revert_by_hand "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        edit a.status=open        | as at first       | edited | a.status=done, a.status=open
        git commit -qam two       |                   | clean  |
    "
    cherry_pick "
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        edit a.priority=high      | a.status=done a.priority=high | edited | a.status=done, a.priority=high
        git commit -qam two       |                   | clean  |
        git switch -q main        | as at first       |        |
        git cherry-pick f         | a.priority=high   |        |
        git merge -q -m merge f   | a.status=done a.priority=high | |
    "
    cherry_pick_of_one "
        git switch -qc f          |                   |        |
        edit -b                   | -b                | edited | -b
        git commit -qam one       |                   | clean  |
        edit a.status=done        | a.status=done -b  | edited | -b, a.status=done
        git commit -qam two       |                   | clean  |
        git switch -q main        | as at first       |        |
        git cherry-pick f         | a.status=done     |        |
        edit d.status=done        | a.status=done d.status=done | edited | -b, a.status=done, d.status=done
        without sync: d.status=done
    "
    cherry_pick_of_a_range "
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        edit +e                   | a.status=done +e  | edited | a.status=done, +e
        git commit -qam two       |                   | clean  |
        edit -b                   | a.status=done +e -b | edited | a.status=done, +e, -b
        git commit -qam three     |                   | clean  |
        git switch -q main        | as at first       |        |
        git cherry-pick f~2..f    | +e -b             |        |
        without sync: nothing
    "
    cherry_pick_that_is_given_up "
        git config --remove-section merge.rhema-crdt | |       |
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        edit a.status=late        | a.status=late     | edited | a.status=done, a.status=late
        git commit -qam two       |                   | clean  |
        fails: git cherry-pick f  | markers           | unmerged busy |
        git cherry-pick --abort   | a.status=late     | clean  |
        without sync: a.status=late
    "
    cherry_pick_that_is_mended "
        git config --remove-section merge.rhema-crdt | |       |
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        edit a.status=late        | a.status=late     | edited | a.status=done, a.status=late
        git commit -qam two       |                   | clean  |
        fails: git cherry-pick f  | markers           | unmerged busy |
        git checkout --theirs .rhema/todos.yaml && git add -A | a.status=done | staged busy |
        git commit -qm picked     |                   | clean  |
        without sync: a.status=late
    "
    cherry_pick_without_commit "
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        git cherry-pick -n f      | a.status=done     | staged |
        git commit -qm picked     |                   | clean  |
    "
}
