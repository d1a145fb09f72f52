//! Merges and pulls.

rows! { "Merges and pulls"
    fast_forward "
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        git merge -q f            | a.status=done     |        |
    "
    true_merge "
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        edit a.priority=high      | a.priority=high   | edited | a.status=done, a.priority=high
        git commit -qam two       |                   | clean  |
        git merge -q -m merge f   | a.status=done a.priority=high | |
    "
    merge_of_a_contested_leaf "
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        edit a.status=late        | a.status=late     | edited | a.status=done, a.status=late
        git commit -qam two       |                   | clean  |
        git merge -q -m merge f   |                   |        |
        git switch -q f           | a.status=done     |        |
        git merge -q main         | a.status=late     |        |
    "
    merge_of_a_deletion "
        git switch -qc f          |                   |        |
        edit -b                   | -b                | edited | -b
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        edit d.status=done        | d.status=done     | edited | -b, d.status=done
        git commit -qam two       |                   | clean  |
        git merge -q -m merge f   | -b d.status=done  |        |
    "
    merge_of_a_deletion_and_an_update "
        git switch -qc f          |                   |        |
        edit -b                   | -b                | edited | -b
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        edit b.status=done        | b.status=done     | edited | -b, b.status=done
        git commit -qam two       |                   | clean  |
        git merge -q -m merge f   |                   |        |
        git switch -q f           | -b                |        |
        git merge -q main         | b.status=done     |        |
    "
    merge_of_uncommitted_work_is_refused "
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        edit d.status=done        | d.status=done     | edited | a.status=done, d.status=done
        fails: git merge -q f     |                   |        |
        git commit -qam two       |                   | clean  |
        git merge -q -m merge f   | a.status=done d.status=done | |
    "
    merge_without_the_driver "
        git config --remove-section merge.rhema-crdt | |       |
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        edit d.status=done        | d.status=done     | edited | a.status=done, d.status=done
        git commit -qam two       |                   | clean  |
        git merge -q -m merge f   | a.status=done d.status=done | |
    "
    merge_without_the_driver_that_is_given_up "
        git config --remove-section merge.rhema-crdt | |       |
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        edit a.status=late        | a.status=late     | edited | a.status=done, a.status=late
        git commit -qam two       |                   | clean  |
        fails: git merge -q f     | markers           | unmerged busy |
        git merge --abort         | a.status=late     | clean  |
        without sync: a.status=late
    "
    merge_without_the_driver_that_is_mended "
        git config --remove-section merge.rhema-crdt | |       |
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        edit a.status=late        | a.status=late     | edited | a.status=done, a.status=late
        git commit -qam two       |                   | clean  |
        fails: git merge -q f     | markers           | unmerged busy |
        rhema crdt resolve -q; true | a.status=late     |        |
        git commit -qam merge     |                   | clean  |
    "
    octopus "
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -qc g main     | as at first       |        |
        edit d.status=done        | d.status=done     | edited | a.status=done, d.status=done
        git commit -qam two       |                   | clean  |
        git switch -q main        | as at first       |        |
        edit b.priority=high      | b.priority=high   | edited | a.status=done, d.status=done, b.priority=high
        git commit -qam three     |                   | clean  |
        git merge -q -m merge f g | a.status=done b.priority=high d.status=done | |
    "
    squash "
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        edit -b                   | a.status=done -b  | edited | a.status=done, -b
        git commit -qam two       |                   | clean  |
        git switch -q main        | as at first       |        |
        edit d.status=done        | d.status=done     | edited | a.status=done, -b, d.status=done
        git commit -qam three     |                   | clean  |
        git merge -q --squash f   | a.status=done -b d.status=done | staged |
        git commit -qm squashed   |                   | clean  |
        without sync: d.status=done, -b a.status=done
    "
    squash_that_is_given_up "
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        git merge -q --squash f   | a.status=done     | staged |
        git reset -q --hard       | as at first       | clean  |
        git merge -q f            | a.status=done     |        |
    "
    merge_without_commit "
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        git merge -q --no-commit --no-ff f | a.status=done | staged busy |
        git commit -qm merge      |                   | clean  |
    "
    merge_that_takes_nothing "
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        git merge -q -s ours -m merge f |             |        |
        edit b.status=done        | b.status=done     | edited | a.status=done, b.status=done
    "
    pull_of_new_commits "
        git clone -q . ../other   |                   |        |
        in other
        rhema crdt init -q --no-join | as at first    | clean  | nothing
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        without sync: nothing
        in work
        git pull -q ../other main | a.status=done     | clean  | nothing
    "
    pull_with_a_merge "
        git clone -q . ../other   |                   |        |
        in other
        rhema crdt init -q --no-join | as at first    | clean  | nothing
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        without sync: nothing
        in work
        edit a.priority=high      | a.priority=high   | edited | a.priority=high
        git commit -qam two       |                   | clean  |
        git pull -q --no-rebase --no-edit ../other main | a.status=done a.priority=high | clean |
        in other
        git pull -q ../work main  | a.status=done a.priority=high | clean |
    "
    pull_with_a_rebase "
        git clone -q . ../other   |                   |        |
        in other
        rhema crdt init -q --no-join | as at first    | clean  | nothing
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        without sync: nothing
        in work
        edit a.priority=high      | a.priority=high   | edited | a.priority=high
        git commit -qam two       |                   | clean  |
        git pull -q --rebase ../other main | a.status=done a.priority=high | clean |
        without sync: nothing
    "
    pull_over_uncommitted_work "
        git clone -q . ../other   |                   |        |
        in other
        rhema crdt init -q --no-join | as at first    | clean  | nothing
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        without sync: nothing
        in work
        edit d.status=done        | d.status=done     | edited | d.status=done
        git pull -q --rebase --autostash ../other main | a.status=done d.status=done | edited |
        git commit -qam two       |                   | clean  |
    "
}
