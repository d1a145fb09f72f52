//! Files that are removed, renamed, filtered or replaced.

rows! { "Files that go, move and change their kind"
    remove "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git rm -q .rhema/todos.yaml | absent          | staged |
        git commit -qm two        |                   | clean  |
        git revert --no-edit HEAD | a.status=done     |        |
    "
    remove_of_uncommitted_work "
        edit a.status=done        | a.status=done     | edited | a.status=done
        rm .rhema/todos.yaml      | absent            |        |
        git restore .             | as at first       | clean  | (a.status=done)
        edit b.status=done        | b.status=done     | edited | (a.status=done), b.status=done
    "
    rename "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git mv .rhema/todos.yaml .rhema/tasks.yaml | absent | staged |
        file .rhema/tasks.yaml    | a.status=done     | staged |
        git commit -qm two        |                   | clean  |
        edit b.status=done        | a.status=done b.status=done | edited | a.status=done, .rhema/tasks.yaml: b.status=done
        git commit -qam three     |                   | clean  |
    "
    rename_of_uncommitted_work "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git mv .rhema/todos.yaml .rhema/tasks.yaml | absent | staged edited |
        file .rhema/tasks.yaml    | a.status=done     | staged edited |
        git commit -qam two       |                   | clean  |
    "
    rename_that_is_reverted "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git mv .rhema/todos.yaml .rhema/tasks.yaml && git commit -qm two | absent | |
        git revert --no-edit HEAD | a.status=done     |        |
    "
    rename_by_case "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git mv .rhema/todos.yaml .rhema/Todos.yaml | absent | staged |
        file .rhema/Todos.yaml    | a.status=done     | staged |
        git commit -qm two        |                   | clean  |
        edit b.status=done        | a.status=done b.status=done | edited | a.status=done, .rhema/Todos.yaml: b.status=done
    "
    rename_meets_an_edit "
        git switch -qc f          |                   |        |
        git mv .rhema/todos.yaml .rhema/tasks.yaml && git commit -qm one | absent | |
        git switch -q main        | as at first       |        |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam two       |                   | clean  |
        git merge -q -m merge f   | absent            |        |
        file .rhema/tasks.yaml    | a.status=done     | clean  |
    "
    rename_of_a_scope "
        mkdir -p app/.rhema && cp .rhema/todos.yaml app/.rhema && git add -A && git commit -qm app | | | app/.rhema/todos.yaml: +a +b +c +d
        file app/.rhema/todos.yaml | as at first      | clean  |
        edit a.status=done        | a.status=done     | edited | app/.rhema/todos.yaml: +a +b +c +d, app/.rhema/todos.yaml: a.status=done
        git commit -qam one       |                   | clean  |
        git mv app web            | absent            | staged |
        file web/.rhema/todos.yaml | a.status=done    | staged |
        git commit -qm two        |                   | clean  |
        edit b.status=done        | a.status=done b.status=done | edited | app/.rhema/todos.yaml: +a +b +c +d, app/.rhema/todos.yaml: a.status=done, web/.rhema/todos.yaml: b.status=done
        without sync: web/.rhema/todos.yaml: b.status=done
    "
    filter "
        git config filter.loud.clean \"sed 's/s: DONE/s: done/'\" && git config filter.loud.smudge \"sed 's/s: done/s: DONE/'\" && echo '*.yaml filter=loud' >> .gitattributes && git commit -qam filter | | |
        edit a.status=DONE        | a.status=DONE     | edited | a.status=DONE
        git commit -qam one       |                   | clean  |
        git switch -qc f HEAD~1   | as at first       |        |
        git switch -q main        | a.status=DONE     |        |
    "
    encryption "
        git config filter.secret.clean base64 && git config filter.secret.smudge 'base64 -d' && git config filter.secret.required true | | |
        echo '.rhema/*.yaml filter=secret' >> .gitattributes && git add --renormalize . && git commit -qam secret | | |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        edit -b                   | a.status=done -b  | edited | a.status=done, -b
        git stash -q              | a.status=done     | clean  | a.status=done, (-b)
        git switch -qc f HEAD~1   | as at first       |        |
        edit c.status=done        | c.status=done     | edited | a.status=done, (-b), c.status=done
        git commit -qam two       |                   | clean  |
        git switch -q main        | a.status=done     |        |
        without sync: a.status=done
    "
    autocrlf "
        git config core.autocrlf true && rm .rhema/todos.yaml && git checkout -q . | | |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git switch -qc f HEAD~1   | as at first       |        |
        git switch -q main        | a.status=done     |        |
        edit b.status=done        | a.status=done b.status=done | edited | a.status=done, b.status=done
        git stash -q              | a.status=done     | clean  | a.status=done, (b.status=done)
    "
    line_ends_by_attribute "
        echo '*.yaml text eol=crlf' >> .gitattributes && git commit -qam attributes && rm .rhema/todos.yaml && git checkout -q . | | |
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        git revert --no-edit HEAD | as at first       |        |
    "
    symlink "
        edit a.status=done        | a.status=done     | edited | a.status=done
        git commit -qam one       |                   | clean  |
        mv .rhema/todos.yaml ../todos && ln -s ../../todos .rhema/todos.yaml | | edited |
        git checkout -q .         |                   | clean  |
        edit b.status=done        | a.status=done b.status=done | edited | a.status=done, b.status=done
    "
    an_empty_file "
        edit a.status=done        | a.status=done     | edited | a.status=done
        true > .rhema/todos.yaml  | broken            |        |
        git restore .             | as at first       | clean  | (a.status=done)
    "
    a_file_that_does_not_parse "
        edit a.status=done        | a.status=done     | edited | a.status=done
        cp .rhema/todos.yaml ../todos && echo 'x: [' >> .rhema/todos.yaml | broken | |
        cp ../todos .rhema/todos.yaml | a.status=done |        |
        git commit -qam one       |                   | clean  |
    "
}
