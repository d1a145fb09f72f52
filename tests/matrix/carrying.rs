//! Switching branches where what was committed comes along.

// Without the store nobody knows what was committed here.
rows! { "Branches, where the committed configuration says `branches: carry`" in [plainly Plain, synced Synced]
    what_was_committed_comes_along "
        echo 'branches: carry' > .rhema/crdt/config.yaml && git add .rhema && git commit -qm policy | | |
        git switch -qc f          |                   |        |
        edit a.status=done +e     | a.status=done +e  | edited | a.status=done, +e
        git commit -qam one       |                   | clean  |
        git switch -q main && rhema crdt sync -q --timeout 0 | | edited |
        edit b.status=done        | a.status=done b.status=done +e | | a.status=done, +e, b.status=done
        git commit -qam two       |                   | clean  |
        git merge -q --no-edit f  |                   |        |
        without sync: +e a.status=done, b.status=done
    "
    it_is_there_as_soon_as_git_brings_it "
        echo 'branches: carry' > .rhema/crdt/config.yaml && git add .rhema && git commit -qm policy | | |
        git switch -qc f          |                   |        |
        edit a.status=done -b     | a.status=done -b  | edited | a.status=done, -b
        git commit -qam one       |                   | clean  |
        git switch -q main && rhema crdt sync -q --timeout 0 | | edited |
        rhema crdt park           | as at first       | clean  |
        git merge -q f            | a.status=done -b  |        |
        without sync: -b a.status=done
    "
    it_is_thrown_away_where_it_came "
        echo 'branches: carry' > .rhema/crdt/config.yaml && git add .rhema && git commit -qm policy | | |
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main && rhema crdt sync -q --timeout 0 | | edited |
        git restore .             | as at first       | clean  |
        git switch -q f           | a.status=done     |        |
    "
    it_goes_on_to_a_third_branch "
        echo 'branches: carry' > .rhema/crdt/config.yaml && git add .rhema && git commit -qm policy | | |
        git branch g              |                   |        |
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main && rhema crdt sync -q --timeout 0 | | edited |
        git switch -q g           |                   |        |
        git commit -qam two       |                   | clean  |
    "
    what_was_dropped_stays_dropped "
        echo 'branches: carry' > .rhema/crdt/config.yaml && git add .rhema && git commit -qm policy | | |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git reset -q --hard HEAD~1 && rhema crdt sync -q --timeout 0 | as at first | |
        git switch -qc f && rhema crdt sync -q --timeout 0 | | |
        edit b.status=done        | b.status=done     | edited | a.status=done, b.status=done
        git commit -qam two       |                   | clean  |
        git switch -q main && git branch -qD f && rhema crdt sync -q --timeout 0 | as at first | |
        without sync: nothing
    "
    an_old_commit_is_looked_at "
        echo 'branches: carry' > .rhema/crdt/config.yaml && git add .rhema && git commit -qm policy | | |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q --detach HEAD~1 && rhema crdt sync -q --timeout 0 | as at first | |
        git switch -q main        | a.status=done     |        |
        without sync: nothing
    "
    what_others_committed_stays "
        echo 'branches: carry' > .rhema/crdt/config.yaml && git add .rhema && git commit -qm policy | | |
        git clone -q . ../peer    |                   |        |
        in peer
        edit b.status=done        | b.status=done     | edited | b.status=done
        rhema crdt sync -q --timeout 0 | |            |
        git commit -qam one       |                   | clean  |
        in work
        git switch -qc f          |                   |        |
        git pull -q ../peer main && rhema crdt sync -q --timeout 0 | b.status=done | |
        edit a.status=done        | a.status=done b.status=done | edited | a.status=done
        git commit -qam two       |                   | clean  |
        git switch -q main && rhema crdt sync -q --timeout 0 | a.status=done | edited |
    "
    a_new_document_comes_along "
        echo 'branches: carry' > .rhema/crdt/config.yaml && git add .rhema && git commit -qm policy | | |
        file .rhema/more.yaml     | absent            |        |
        git switch -qc f          |                   |        |
        cp .rhema/todos.yaml .rhema/more.yaml && git add .rhema && git commit -qm one | as at first | | .rhema/more.yaml: +a +b +c +d
        git switch -q main && rhema crdt sync -q --timeout 0 | | untracked |
    "
}
