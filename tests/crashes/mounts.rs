//! Folders that become read-only, between two commands and while somebody watches, and documents that are mounted from elsewhere.

use crate::check::{FILE, OTHER, TODOS, bare, is_in_order, set_up};
use crate::disks::mounting;
use crate::support::World;

#[test]
fn what_is_read_only_between_two_commands_is_told_and_made_up_for() {
    for (folder, status) in [(".", 3), (".git", 3), (".rhema", 1)] {
        let world = World::new();
        let tree = set_up(&world);
        let typed = TODOS.replace("Second", "Beta");
        tree.write(FILE, &typed);
        let script = format!(
            r#"
            cd repo
            mount --bind {folder} {folder} && mount -o remount,bind,ro {folder} || exit 99
            cd "$PWD"
            "$0" crdt sync --timeout 0 2>&1; echo "sync ended $?"
            "$0" crdt set --file .rhema/todos.yaml todos/a title=Alpha 2>&1; echo "set ended $?"
            "$0" crdt status >/dev/null 2>&1 || exit 98
            "$0" crdt verify >/dev/null 2>&1 || exit 97
            "#
        );
        let Some(ran) = mounting(&world, &script) else {
            return;
        };
        let told = ran.exits(0).stdout;
        assert!(told.contains(&format!("sync ended {status}\n")), "{told}");
        assert!(told.contains("set ended 3\n"), "{told}");
        assert_eq!(told.matches("Read-only file system").count(), 2, "{told}");
        assert!(!told.contains("another program"), "{told}");
        assert_eq!(bare(&tree.read(FILE)), typed, "{folder}");
        is_in_order(&tree, &[(FILE, &typed), (OTHER, TODOS)], folder);
    }
}

#[test]
fn documents_that_are_mounted_from_elsewhere_are_written() {
    let world = World::new();
    let tree = set_up(&world);
    let typed = TODOS.replace("Second", "Beta");
    tree.write(FILE, &typed);
    let script = r#"
        cd repo && mount --bind .rhema .rhema || exit 99
        "$0" crdt sync --timeout 0 || exit 98
        grep -q '    _crdt: ' .rhema/todos.yaml || exit 97
        "$0" crdt set --file .rhema/todos.yaml todos/a title=Alpha || exit 96
    "#;
    let Some(ran) = mounting(&world, script) else {
        return;
    };
    assert_eq!(ran.exits(0).stderr, "");
    let expected = typed.replace("First", "Alpha");
    assert_eq!(bare(&tree.read(FILE)), expected);
    is_in_order(&tree, &[(FILE, &expected), (OTHER, TODOS)], "mounted");
}

/// What becomes read-only under `watch` lies below another mount from then on; edits come in by a second way.
#[test]
fn what_is_read_only_for_a_while_under_watch_is_told_and_made_up_for() {
    for folder in [".rhema", ".git/rhema"] {
        let world = World::new();
        let tree = set_up(&world);
        let script = format!(
            r#"
            mkdir side && cd repo && mount --bind .rhema ../side || exit 99
            "$0" crdt watch --discovery off --json >../said 2>&1 &
            watcher=$!
            await() {{
                tries=0
                until grep -q "$1" ../said; do
                    tries=$((tries + 1))
                    [ $tries -lt 900 ] || {{ cat ../said; exit $2; }}
                    sleep 0.1
                done
            }}
            await listening 98
            mount --bind {folder} {folder} && mount -o remount,bind,ro {folder} || exit 97
            sed 's/Second/Beta/' ../side/todos.yaml >../typed && cat ../typed >../side/todos.yaml
            await 'Read-only file system' 96
            umount -l {folder} || exit 95
            sed 's/Third/Gamma/' ../side/todos.yaml >../typed && cat ../typed >../side/todos.yaml
            tries=0
            until [ "$(grep -c '    _crdt: ' .rhema/todos.yaml)" = 2 ]; do
                tries=$((tries + 1))
                [ $tries -lt 900 ] || {{ cat ../said .rhema/todos.yaml; exit 94; }}
                sleep 0.1
            done
            kill -TERM $watcher && wait $watcher || exit 93
            "#
        );
        let Some(ran) = mounting(&world, &script) else {
            return;
        };
        ran.exits(0);
        let expected = TODOS.replace("Second", "Beta").replace("Third", "Gamma");
        is_in_order(&tree, &[(FILE, &expected), (OTHER, TODOS)], folder);
    }
}
