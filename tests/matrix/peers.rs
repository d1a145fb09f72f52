//! What peers did, shown but not committed here, and git.

// Without the store nobody knows what peers did until they tell it again.
rows! { "Edits of peers" in [plainly Plain, synced Synced]
    a_peers_edit_is_committed "
        git clone -q . ../peer    |                   |        |
        in peer
        edit b.status=done        | b.status=done     | edited | b.status=done
        in work
        receive peer              | b.status=done     | edited | nothing
        git commit -qam one       |                   | clean  |
        git revert --no-edit HEAD | as at first       |        |
        receive peer              |                   |        |
    "
    a_peers_edit_is_taken_back "
        git clone -q . ../peer    |                   |        |
        in peer
        edit b.status=done +e     | b.status=done +e  | edited | b.status=done, +e
        in work
        receive peer              | b.status=done +e  | edited | nothing
        in peer
        git restore .             | as at first       | clean  | (b.status=done), (+e)
        in work
        receive peer              | as at first       | clean  |
    "
    a_peers_edit_is_edited "
        git clone -q . ../peer    |                   |        |
        in peer
        edit b.status=done        | b.status=done     | edited | b.status=done
        in work
        receive peer              | b.status=done     | edited | nothing
        edit b.status=late        | b.status=late     |        | b.status=late
        in peer
        receive work              | b.status=late     |        |
    "
    a_peers_deletion_is_committed "
        git clone -q . ../peer    |                   |        |
        in peer
        edit -b                   | -b                | edited | -b
        in work
        receive peer              | -b                | edited | nothing
        edit c.status=done        | -b c.status=done  |        | c.status=done
        git commit -qam one       |                   | clean  |
        git revert --no-edit HEAD | as at first       |        |
        receive peer              |                   |        |
    "
    a_peers_edit_is_restored "
        git clone -q . ../peer    |                   |        |
        in peer
        edit b.status=done        | b.status=done     | edited | b.status=done
        in work
        receive peer              | b.status=done     | edited | nothing
        git restore .             | as at first       | clean  |
        receive peer              |                   |        |
        git commit -q --allow-empty -m one && rhema crdt sync -q --timeout 0 | b.status=done | edited |
    "
    a_command_follows_a_restore "
        git clone -q . ../peer    |                   |        |
        in peer
        edit b.status=done        | b.status=done     | edited | b.status=done
        in work
        receive peer              | b.status=done     | edited | nothing
        git restore . && rhema crdt set -q todos/c status=done | c.status=done | edited | c.status=done
        rhema crdt unpark -q      | b.status=done c.status=done | edited |
    "
    a_remark_while_parked "
        git clone -q . ../peer    |                   |        |
        in peer
        edit b.status=done        | b.status=done     | edited | b.status=done
        in work
        receive peer              | b.status=done     | edited | nothing
        rhema crdt park -q        | as at first       | clean  |
        sed -i 's/# What/# All that/' .rhema/todos.yaml && rhema crdt unpark -q && grep -q '# All that' .rhema/todos.yaml | b.status=done | edited | _crdt~
    "
    own_and_peers_edits_are_restored "
        git clone -q . ../peer    |                   |        |
        in peer
        edit b.status=done        | b.status=done     | edited | b.status=done
        in work
        receive peer              | b.status=done     | edited | nothing
        edit c.status=done        | b.status=done c.status=done | | c.status=done
        git restore .             | as at first       | clean  | (c.status=done)
        rhema crdt unpark -q      | b.status=done     | edited |
    "
    a_peers_edit_is_stashed "
        git clone -q . ../peer    |                   |        |
        in peer
        edit b.status=done -c     | b.status=done -c  | edited | b.status=done, -c
        in work
        receive peer              | b.status=done -c  | edited | nothing
        git stash -q              | as at first       | clean  |
        git stash pop -q          | b.status=done -c  | edited | -c
        git commit -qam one       |                   | clean  |
        without sync: nothing
    "
    a_peers_edit_is_reset "
        git clone -q . ../peer    |                   |        |
        in peer
        edit b.status=done        | b.status=done     | edited | b.status=done
        in work
        edit c.status=done        | c.status=done     | edited | c.status=done
        git commit -qam one       |                   | clean  |
        receive peer              | b.status=done c.status=done | edited |
        git reset -q --hard HEAD~1 | as at first      | clean  |
        rhema crdt unpark -q      | b.status=done     | edited |
    "
    a_peers_edit_goes_along_to_another_branch "
        git clone -q . ../peer    |                   |        |
        in peer
        edit b.status=done        | b.status=done     | edited | b.status=done
        in work
        git switch -qc f          |                   |        |
        edit c.status=done        | c.status=done     | edited | c.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        receive peer              | b.status=done     | edited |
        fails: git switch -q f    |                   |        |
        rhema crdt park -q        | as at first       | clean  |
        git switch -q f && rhema crdt sync -q --timeout 0 | b.status=done c.status=done | edited |
        git commit -qam two       |                   | clean  |
        git switch -q main        | as at first       |        |
        without sync: nothing
    "
    a_peers_edit_is_pulled "
        git clone -q . ../peer    |                   |        |
        in peer
        edit b.status=done        | b.status=done     | edited | b.status=done
        in work
        receive peer              | b.status=done     | edited | nothing
        in peer
        git commit -qam one       |                   | clean  |
        in work
        rhema crdt park -q        | as at first       | clean  |
        git pull -q ../peer main  | b.status=done     |        |
        git reset -q --hard HEAD~1 | as at first      |        |
    "
}
