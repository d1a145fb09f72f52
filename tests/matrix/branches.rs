//! Switching between branches and commits.

rows! { "Branches, and looking at other commits"
    another_branch "
        git switch -qc f          |                   |        | nothing
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        edit b.status=done        | b.status=done     | edited | a.status=done, b.status=done
        git commit -qam two       |                   | clean  |
        git switch -q f           | a.status=done     |        |
        git checkout -q main      | b.status=done     |        |
        without sync: b.status=done
    "
    uncommitted_work_goes_along "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git switch -qc f          |                   |        |
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        git merge -q f            | a.status=done     |        |
    "
    uncommitted_work_goes_along_to_another_commit "
        git switch -qc f          |                   |        |
        git commit -q --allow-empty -m one |          |        |
        git switch -q main        |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git switch -q f           |                   |        |
        git switch -q main        |                   |        |
        git restore .             | as at first       | clean  | (a.status=done)
    "
    uncommitted_work_is_merged_into_another_branch "
        git switch -qc f          |                   |        |
        edit d.status=done        | d.status=done     | edited | d.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        edit a.status=done        | a.status=done     | edited | d.status=done, a.status=done
        git checkout -qm f        | a.status=done d.status=done | |
    "
    uncommitted_work_is_thrown_away "
        git branch f              |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git switch -qf f          | as at first       | clean  | (a.status=done)
        git switch -q main        |                   |        |
    "
    uncommitted_work_in_the_way "
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        edit a.status=late        | a.status=late     | edited | a.status=done, a.status=late
        fails: git switch -q f    |                   |        |
        without sync: a.status=late
    "
    detached_head "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q --detach HEAD~1 | as at first   |        |
        edit b.status=done        | b.status=done     | edited | a.status=done, b.status=done
        git commit -qam two       |                   | clean  |
        git switch -q main        | a.status=done     |        |
        without sync: a.status=done
    "
    an_old_commit_is_looked_at "
        edit -b                   | -b                | edited | -b
        git commit -qam one       |                   | clean  |
        edit +e                   | -b +e             | edited | -b, +e
        git commit -qam two       |                   | clean  |
        git checkout -q HEAD~2    | as at first       |        |
        git checkout -q main~1    | -b                |        |
        git checkout -q main      | -b +e             |        |
    "
    bisect "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        edit b.status=done        | a.status=done b.status=done | edited | a.status=done, b.status=done
        git commit -qam two       |                   | clean  |
        edit -c                   | a.status=done b.status=done -c | edited | a.status=done, b.status=done, -c
        git commit -qam three     |                   | clean  |
        edit d.status=done        | a.status=done b.status=done -c d.status=done | edited | a.status=done, b.status=done, -c, d.status=done
        git commit -qam four      |                   | clean  |
        git bisect start HEAD HEAD~4 | a.status=done b.status=done | busy |
        git bisect bad            | a.status=done     |        |
        git bisect good           |                   |        |
        git bisect reset          | a.status=done b.status=done -c d.status=done | clean |
    "
    a_branch_without_history "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q --orphan o  | absent            |        |
        git commit -q --allow-empty -m none |         |        |
        git switch -q main        | a.status=done     |        |
    "
    commits_that_nobody_names_are_collected "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        edit b.status=done        | a.status=done b.status=done | edited | a.status=done, b.status=done
        git commit -qam two       |                   | clean  |
        git reset -q --hard HEAD~2 | as at first      |        |
        git reflog expire --expire=now --all && git gc -q --prune=now | | |
        edit c.status=done        | c.status=done     | edited | a.status=done, b.status=done, c.status=done
        git commit -qam three     |                   | clean  |
        without sync: c.status=done
    "
}
