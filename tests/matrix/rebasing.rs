//! Rebases.

rows! { "Rebases"
    rebase "
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        edit a.priority=high      | a.priority=high   | edited | a.status=done, a.priority=high
        git commit -qam two       |                   | clean  |
        git switch -q f           | a.status=done     |        |
        git rebase -q main        | a.status=done a.priority=high | |
        without sync: a.priority=high
    "
    drop "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        edit d.status=done        | a.status=done d.status=done | edited | a.status=done, d.status=done
        git commit -qam two       |                   | clean  |
        GIT_SEQUENCE_EDITOR='sed -i 1d' git rebase -qi HEAD~2 | d.status=done | |
        edit b.status=done        | b.status=done d.status=done | edited | a.status=done, d.status=done, b.status=done
        git commit -qam three     |                   | clean  |
        without sync: b.status=done
    "
    drop_of_a_deletion "
        edit -b                   | -b                | edited | -b
        git commit -qam one       |                   | clean  |
        edit d.status=done        | -b d.status=done  | edited | -b, d.status=done
        git commit -qam two       |                   | clean  |
        GIT_SEQUENCE_EDITOR='sed -i 1d' git rebase -qi HEAD~2 | d.status=done | |
        without sync: nothing
    "
    squash_of_two_commits "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        edit a.status=late        | a.status=late     | edited | a.status=done, a.status=late
        git commit -qam two       |                   | clean  |
        GIT_SEQUENCE_EDITOR='sed -i 2s/pick/squash/' git rebase -qi HEAD~2 | | |
        without sync: nothing
    "
    reorder "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        edit d.status=done        | a.status=done d.status=done | edited | a.status=done, d.status=done
        git commit -qam two       |                   | clean  |
        GIT_SEQUENCE_EDITOR=\"sed -i -e '1{h;d}' -e 2G\" git rebase -qi HEAD~2 | | |
        git reset -q --hard HEAD~1 | d.status=done    |        |
        without sync: nothing
    "
    fixup "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        edit d.status=done        | a.status=done d.status=done | edited | a.status=done, d.status=done
        git commit -qam two       |                   | clean  |
        edit a.status=late        | a.status=late d.status=done | edited | a.status=done, d.status=done, a.status=late
        git commit -qa --fixup HEAD~1 |               | clean  |
        GIT_SEQUENCE_EDITOR=: git rebase -qi --autosquash HEAD~3 | | |
        git reset -q --hard HEAD~1 | a.status=late    |        |
        without sync: nothing
    "
    a_stop_to_edit "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        edit d.status=done        | a.status=done d.status=done | edited | a.status=done, d.status=done
        git commit -qam two       |                   | clean  |
        GIT_SEQUENCE_EDITOR='sed -i 1s/pick/edit/' git rebase -qi HEAD~2 | a.status=done | busy |
        edit b.status=done        | a.status=done b.status=done | edited busy |
        git commit -qa --amend --no-edit |            | busy   |
        git rebase --continue     | a.status=done b.status=done d.status=done | clean | a.status=done, d.status=done, b.status=done
        without sync: a.status=done b.status=done
    "
    onto "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        edit d.status=done        | a.status=done d.status=done | edited | a.status=done, d.status=done
        git commit -qam two       |                   | clean  |
        git rebase -q --onto HEAD~2 HEAD~1 | d.status=done | |
        without sync: nothing
    "
    rebase_that_is_given_up "
        git config --remove-section merge.rhema-crdt | |       |
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        edit a.status=late        | a.status=late     | edited | a.status=done, a.status=late
        git commit -qam two       |                   | clean  |
        git switch -q f           | a.status=done     |        |
        fails: git rebase -q main | markers           | unmerged busy |
        git rebase --abort        | a.status=done     | clean  |
        without sync: a.status=done
    "
    rebase_that_is_mended "
        git config --remove-section merge.rhema-crdt | |       |
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        edit a.status=late        | a.status=late     | edited | a.status=done, a.status=late
        git commit -qam two       |                   | clean  |
        git switch -q f           | a.status=done     |        |
        fails: git rebase -q main | markers           | unmerged busy |
        git checkout --theirs .rhema/todos.yaml && git add -A | a.status=done | staged busy |
        git rebase --continue     |                   | clean  |
        without sync: a.status=late
    "
    rebase_over_uncommitted_work "
        git switch -qc f          |                   |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -q main        | as at first       |        |
        edit a.priority=high      | a.priority=high   | edited | a.status=done, a.priority=high
        git commit -qam two       |                   | clean  |
        git switch -q f           | a.status=done     |        |
        edit d.status=done        | a.status=done d.status=done | edited | a.status=done, a.priority=high, d.status=done
        git rebase -q --autostash main | a.status=done a.priority=high d.status=done | |
        without sync: a.priority=high, d.status=done
    "
    a_patch_by_mail "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git format-patch -q -1 --stdout > ../patch && git reset -q --hard HEAD~1 | as at first | |
        git commit -q --allow-empty -m two |          |        |
        git am -q ../patch        | a.status=done     |        |
        without sync: nothing
    "
}
