//! Several work trees, clones and copies, and repositories in repositories.

rows! { "Work trees, clones and copies"
    worktree "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git worktree add -q ../side -b f |            |        |
        in side                   | as at first       | clean  | nothing
        edit b.status=done        | b.status=done     | edited | b.status=done
        git commit -qam one       |                   | clean  |
        in work                   | a.status=done     | edited | a.status=done
        git worktree remove ../side |                 |        |
        git commit -qam two       |                   | clean  |
        git merge -q -m merge f   | a.status=done b.status=done | |
    "
    clone "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git clone -q . ../copy    |                   |        |
        in copy                   | a.status=done     | clean  | nothing
        edit b.status=done        | a.status=done b.status=done | edited | b.status=done
        git commit -qam two       |                   | clean  |
        without sync: nothing
    "
    shallow_clone "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git clone -q --depth 1 file://$PWD ../copy |  |        |
        in copy                   | a.status=done     | clean  | nothing
        edit b.status=done        | a.status=done b.status=done | edited | b.status=done
        git commit -qam two       |                   | clean  |
        git fetch -q --unshallow  |                   |        |
        without sync: nothing
    "
    partial_clone "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git config uploadpack.allowFilter true |      |        |
        git clone -q --filter=blob:none file://$PWD ../copy | | |
        in copy                   | a.status=done     | clean  | nothing
        edit b.status=done        | a.status=done b.status=done | edited | b.status=done
        git commit -qam two       |                   | clean  |
        git revert --no-edit HEAD | a.status=done     |        |
        without sync: nothing
    "
    sparse_clone "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git clone -q --sparse . ../copy |             |        |
        in copy                   | absent            | clean  | nothing
        git sparse-checkout set .rhema | a.status=done |       |
        edit b.status=done        | a.status=done b.status=done | edited | b.status=done
        git commit -qam two       |                   | clean  |
        without sync: nothing
    "
    clone_with_a_reference "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git clone -q --reference . file://$PWD ../copy | |     |
        in copy                   | a.status=done     | clean  | nothing
        edit b.status=done        | a.status=done b.status=done | edited | b.status=done
    "
    sparse_checkout "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git sparse-checkout set elsewhere | absent    |        |
        git sparse-checkout disable | a.status=done   |        |
        edit b.status=done        | a.status=done b.status=done | edited | a.status=done, b.status=done
    "
    copy "
        edit a.status=done        | a.status=done     | edited | a.status=done
        cp -r . ../copy           |                   |        |
        in copy                   | a.status=done     | edited | nothing
        edit b.status=done        | a.status=done b.status=done | | b.status=done
        git commit -qam one       |                   | clean  |
        without sync: a.status=done b.status=done
        in work
        edit c.status=done        | a.status=done c.status=done | edited | a.status=done, c.status=done
        git commit -qam two       |                   | clean  |
        git pull -q --no-rebase --no-edit ../copy main | a.status=done b.status=done c.status=done | |
        without sync: a.status=done c.status=done
    "
    submodule "
        git clone -q . ../lib && git -c protocol.file.allow=always submodule --quiet add ../lib lib && git commit -qm sub | | |
        in work/lib               | as at first       | clean  | nothing
        edit b.status=done        | b.status=done     | edited | b.status=done
        git commit -qam one       |                   | clean  |
        without sync: nothing
        in work                   | as at first       | edited | nothing
        git commit -qam two       |                   | clean  |
        git -c protocol.file.allow=always submodule --quiet update | | |
    "
    subtree "
        git clone -q . ../lib     |                   |        |
        in lib
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        without sync: nothing
        in work
        git fetch -q ../lib && git merge -q -s ours --no-commit --no-ff FETCH_HEAD && git read-tree --prefix=lib/ -u FETCH_HEAD && git commit -qm sub | | |
        file lib/.rhema/todos.yaml | a.status=done    | clean  | nothing
        edit b.status=done        | a.status=done b.status=done | edited | lib/.rhema/todos.yaml: b.status=done
        git commit -qam two       |                   | clean  |
        in lib
        edit a.priority=high      | a.status=done a.priority=high | edited | a.status=done, a.priority=high
        git commit -qam three     |                   | clean  |
        without sync: nothing
        in work
        git fetch -q ../lib && git merge -q -X subtree=lib -m merge FETCH_HEAD | a.status=done a.priority=high b.status=done | |
    "
}
