//! Resets, restores and stashes.

rows! { "Resets, restores and stashes"
    reset_soft "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git reset -q --soft HEAD~1 |                  | staged |
        git commit -qm again      |                   | clean  |
    "
    reset_soft_of_a_deletion "
        edit -b                   | -b                | edited | -b
        git commit -qam one       |                   | clean  |
        git reset -q --soft HEAD~1 |                  | staged |
        git restore --staged .    |                   | edited |
        git commit -qam again     |                   | clean  |
    "
    reset_mixed "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git reset -q HEAD~1       |                   | edited |
        edit b.status=done        | a.status=done b.status=done |  | a.status=done, b.status=done
        git commit -qam again     |                   | clean  |
        without sync: a.status=done b.status=done
    "
    reset_hard_to_and_fro "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        edit -b                   | a.status=done -b  | edited | a.status=done, -b
        git commit -qam two       |                   | clean  |
        git reset -q --hard HEAD~1 | a.status=done    |        |
        git reset -q --hard HEAD~1 | as at first      |        |
        git reset -q --hard HEAD@{2} | a.status=done -b |      |
    "
    reset_hard_to_an_older_commit "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git reset -q --hard HEAD~1 | as at first      |        |
        edit a.priority=high      | a.priority=high   | edited | a.status=done, a.priority=high
        git commit -qam two       |                   | clean  |
        without sync: a.priority=high
    "
    reset_hard_of_uncommitted_work "
        edit a.status=done        | a.status=done     | edited | a.status=done
        edit -b                   | a.status=done -b  |        | a.status=done, -b
        git reset -q --hard       | as at first       | clean  | (a.status=done), (-b)
        edit a.status=done        | a.status=done     | edited | (a.status=done), (-b), a.status=done
    "
    reset_hard_of_committed_and_uncommitted_work "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        edit b.status=done        | a.status=done b.status=done | edited | a.status=done, b.status=done
        git reset -q --hard HEAD~1 | as at first      | clean  | a.status=done, (b.status=done)
        git reset -q --hard HEAD@{1} | a.status=done  |        |
    "
    reset_hard_of_what_was_reset_softly "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git reset -q --soft HEAD~1 |                  | staged |
        git reset -q --hard       | as at first       | clean  |
        git reset -q --hard HEAD@{2} | a.status=done  |        |
    "
    reset_keep "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git commit -q --allow-empty -m two |          |        |
        edit b.status=done        | a.status=done b.status=done | edited | a.status=done, b.status=done
        git reset -q --keep HEAD~1 |                  |        |
    "
    restore "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git restore .rhema/todos.yaml | as at first   | clean  | (a.status=done)
        edit b.status=done        | b.status=done     | edited | (a.status=done), b.status=done
    "
    restore_to_what_is_staged "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git add -A                |                   | staged |
        edit d.status=done        | a.status=done d.status=done | staged edited | a.status=done, d.status=done
        git restore .rhema/todos.yaml | a.status=done | staged | a.status=done, (d.status=done)
        git commit -qm one        |                   | clean  |
    "
    restore_staged "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git add -A                |                   | staged |
        git restore --staged .    |                   | edited |
        git commit -qam one       |                   | clean  |
    "
    restore_from_another_commit "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        edit b.status=done        | a.status=done b.status=done | edited | a.status=done, b.status=done
        git commit -qam two       |                   | clean  |
        git restore --source HEAD~1 .rhema/todos.yaml | a.status=done | edited | a.status=done, b.status=done, b.status=open
        git commit -qam three     |                   | clean  |
    "
    restore_from_another_commit_and_back "
        edit -b                   | -b                | edited | -b
        git commit -qam one       |                   | clean  |
        git restore --source HEAD~1 .rhema/todos.yaml | as at first | edited | -b, +b
        git restore .             | -b                | clean  | -b, (+b)
    "
    checkout_of_a_file_from_another_commit "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git checkout -q HEAD~1 -- .rhema/todos.yaml | as at first | staged | a.status=done, a.status=open
        git commit -qam two       |                   | clean  |
    "
    a_file_of_another_branch "
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        git checkout -q f -- .rhema/todos.yaml | a.status=done | staged |
        git commit -qm two        |                   | clean  |
    "
    a_patch_taken_off_and_applied "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git diff > ../patch       |                   |        |
        git restore .             | as at first       | clean  | (a.status=done)
        git apply ../patch        | a.status=done     | edited | (a.status=done), a.status=done
    "
    stash "
        edit a.status=done        | a.status=done     | edited | a.status=done
        edit -b                   | a.status=done -b  |        | a.status=done, -b
        git stash -q              | as at first       | clean  | (a.status=done), (-b)
        git stash pop -q          | a.status=done -b  | edited | (a.status=done), (-b), a.status=done, -b
    "
    stash_and_pop_at_once "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git stash -q && git stash pop -q |            |        |
    "
    stash_that_is_dropped "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git stash -q              | as at first       | clean  | (a.status=done)
        git stash drop -q         |                   |        |
        edit b.status=done        | b.status=done     | edited | (a.status=done), b.status=done
    "
    stash_twice "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git stash -q              | as at first       | clean  | (a.status=done)
        git stash apply -q        | a.status=done     | edited | (a.status=done), a.status=done
        git stash -q              | as at first       | clean  | (a.status=done), (a.status=done)
        git stash pop -q          | a.status=done     | edited | (a.status=done), (a.status=done), a.status=done
        git commit -qam one       |                   | clean  |
    "
    stash_with_new_files "
        edit a.status=done        | a.status=done     | edited | a.status=done
        sed 's/: [a-d]$/&9/' .rhema/todos.yaml > .rhema/more.yaml | | edited untracked | a.status=done, .rhema/more.yaml: +a9, .rhema/more.yaml: +b9, .rhema/more.yaml: +c9, .rhema/more.yaml: +d9, .rhema/more.yaml: _crdt~ todos~
        git stash -qu             | as at first       | clean  | (a.status=done), .rhema/more.yaml: +a9, .rhema/more.yaml: +b9, .rhema/more.yaml: +c9, .rhema/more.yaml: +d9, .rhema/more.yaml: _crdt~ todos~
        git stash pop -q          | a.status=done     | edited untracked | (a.status=done), .rhema/more.yaml: +a9, .rhema/more.yaml: +b9, .rhema/more.yaml: +c9, .rhema/more.yaml: +d9, .rhema/more.yaml: _crdt~ todos~, a.status=done
    "
    stash_over_what_is_staged "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git add -A                |                   | staged |
        edit d.status=done        | a.status=done d.status=done | staged edited | a.status=done, d.status=done
        git stash -q --keep-index | a.status=done     | staged | a.status=done, (d.status=done)
        git commit -qm one        |                   | clean  |
        git stash pop -q          | a.status=done d.status=done | edited | a.status=done, (d.status=done), d.status=done
    "
    stash_onto_another_branch "
        git switch -qc f          |                   |        |
        edit a.priority=high      | a.priority=high   | edited | a.priority=high
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        edit a.status=done        | a.status=done     | edited | a.priority=high, a.status=done
        git stash -q              | as at first       | clean  | a.priority=high, (a.status=done)
        git switch -q f           | a.priority=high   |        |
        git stash pop -q          | a.priority=high a.status=done | edited | a.priority=high, (a.status=done), a.status=done
    "
    stash_branch "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git stash -q              | as at first       | clean  | (a.status=done)
        edit b.status=done        | b.status=done     | edited | (a.status=done), b.status=done
        git commit -qam one       |                   | clean  |
        git stash branch f        | a.status=done     | edited | (a.status=done), b.status=done, a.status=done
        without sync: a.status=done
    "
}
