//! Edits, and commits of them.

rows! { "Edits and commits"
    commit "
        edit a.status=done            | a.status=done | edited | a.status=done
        git commit -qam one           |               | clean  |
    "
    an_edit_is_typed_back "
        edit a.status=done            | a.status=done | edited | a.status=done
        edit a.status=open            | as at first   | clean  | (a.status=done)
    "
    commit_of_several_edits "
        edit a.status=done            | a.status=done        | edited | a.status=done
        edit -b                       | a.status=done -b     |        | a.status=done, -b
        edit +e                       | a.status=done -b +e  |        | a.status=done, -b, +e
        git commit -qam one           |                      | clean  |
        without sync: +e -b a.status=done
    "
    amend "
        edit a.status=done            | a.status=done | edited | a.status=done
        git commit -qam one           |               | clean  |
        git commit -q --amend -m two  |               |        |
        edit b.status=done            | a.status=done b.status=done | edited | a.status=done, b.status=done
        git commit -q --amend -am two |               | clean  |
        without sync: a.status=done b.status=done
    "
    part_of_an_edit_is_committed "
        edit a.status=done d.status=done                           | a.status=done d.status=done | edited | a.status=done, d.status=done
        printf 'y\\nn\\n' > ../answers && git add -p < ../answers |               | staged edited |
        git commit -qm one            |               | edited        |
        git commit -qam two           |               | clean         |
    "
    staged_and_edited_again "
        edit a.status=done            | a.status=done | edited | a.status=done
        git add -A                    |               | staged |
        edit a.status=late            | a.status=late | staged edited | a.status=done, a.status=late
        git commit -qm one            |               | edited |
        git commit -qam two           |               | clean  |
    "
    a_new_document "
        git config core.quotepath off && mkdir -p app/.rhema | | |
        cp .rhema/todos.yaml app/.rhema | as at first | untracked | app/.rhema/todos.yaml: +a, app/.rhema/todos.yaml: +b, app/.rhema/todos.yaml: +c, app/.rhema/todos.yaml: +d, app/.rhema/todos.yaml: _crdt~ todos~
        git add -A                    |               | staged |
        git commit -qm one            |               | clean  |
        without sync: app/.rhema/todos.yaml: +a +b +c +d
    "
    an_order "
        edit d>a                      | order:adbc    | edited | d>a
        git commit -qam one           |               | clean  |
        edit c.status=done            | order:adbc c.status=done | edited | d>a, c.status=done
        git commit -qam two           |               | clean  |
    "
    a_remark "
        sed -i 's/# What/# All that/' .rhema/todos.yaml | as at first | edited | _crdt~
        git commit -qam one           |               | clean  |
        without sync: nothing
    "
    an_empty_commit "
        edit a.status=done            | a.status=done | edited | a.status=done
        git commit -q --allow-empty -m one |          |        |
        git commit -qam two           |               | clean  |
    "
}
