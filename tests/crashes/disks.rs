//! Disks that are full and files that cannot be written.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::check::{FILE, OTHER, SYNC, TODOS, bare, is_in_order, is_whole, set_up};
use crate::support::{BINARY, Run, World, run};

/// Runs a script, given the binary as `$0`, where it may mount what it likes, for itself alone; nothing where that is not allowed.
/// It ends with 99 where something cannot be mounted.
pub(crate) fn mounting(world: &World, script: &str) -> Option<Run> {
    for how in ["-m", "-rm"] {
        let mut command: Command = world.command("unshare", &world.path(""));
        command.args([how, "sh", "-c", script, BINARY]);
        let ran = run(&mut command);
        if ran.status != 99 && !ran.stderr.starts_with("unshare: ") {
            return Some(ran);
        }
    }
    eprintln!("skipped: nothing can be mounted here");
    None
}

/// The same, where a disk of this size is mounted at `disk`.
fn on_small_disk(world: &World, size: &str, script: &str) -> Option<Run> {
    fs::create_dir_all(world.path("disk")).unwrap();
    let mount = format!("mount -t tmpfs -o size={size} none disk || exit 99");
    mounting(world, &format!("{mount}\n{script}"))
}

#[test]
fn a_full_disk_costs_nothing_but_the_attempt() {
    let world = World::new();
    let tree = set_up(&world);
    // The disk is filled to the last byte, then a little is freed at a time: it runs full at another place each time.
    let script = r#"
        cp -a repo/. disk/ && cd disk || exit 98
        sed -i 's/title: Second/title: Beta/' .rhema/todos.yaml
        sed -i 's/title: First/title: Alpha/' x/.rhema/todos.yaml
        dd if=/dev/zero of=fill bs=1k 2>/dev/null
        for free in 0 4 8 12 16 24 32 48 64 96; do
            : > .git/free
            rm -f fill2
            size=$(stat -c %s fill)
            truncate -s $((size - 4096)) fill
            "$0" crdt sync --timeout 0 >out 2>err
            status=$?
            grep -q 'title: Beta' .rhema/todos.yaml || exit 97
            grep -q 'title: Alpha' x/.rhema/todos.yaml || exit 96
            case $status in 0|1|3) ;; *) cat err; exit 95;; esac
            grep -qi panic err && exit 94
        done
        rm -f fill out err .git/free
        "$0" crdt sync --timeout 0 || exit 93
        git status --porcelain
        rm -rf ../kept && cp -a . ../kept
    "#;
    let Some(ran) = on_small_disk(&world, "3m", script) else {
        return;
    };
    let ran = ran.exits(0);
    assert!(!ran.stdout.contains("??"), "{}", ran.stdout);
    let kept = world.tree("kept");
    let expected = [
        (FILE, TODOS.replace("Second", "Beta")),
        (OTHER, TODOS.replace("First", "Alpha")),
    ];
    let expected: Vec<(&str, &str)> = expected
        .iter()
        .map(|(file, text)| (*file, text.as_str()))
        .collect();
    for (file, text) in &expected {
        assert_eq!(bare(&kept.read(file)), *text);
    }
    is_whole(&kept.path(".git"), "on the small disk");
    is_in_order(&kept, &expected, "away from the small disk");
    drop(tree);
}

#[test]
fn a_command_on_a_full_disk_says_so_and_changes_nothing() {
    let world = World::new();
    let tree = set_up(&world);
    let script = r#"
        cp -a repo/. disk/ && cd disk || exit 98
        cp .rhema/todos.yaml ../before.yaml
        dd if=/dev/zero of=fill bs=1k 2>/dev/null
        "$0" crdt set todos/a title=Alpha
        status=$?
        cmp .rhema/todos.yaml ../before.yaml || exit 97
        exit $status
    "#;
    let Some(ran) = on_small_disk(&world, "3m", script) else {
        return;
    };
    let ran = ran.exits(3);
    assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("space on the disk"), "{}", ran.stderr);
    drop(tree);
}

#[test]
fn a_file_that_may_not_be_written_is_replaced_with_its_mode_kept() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let tree = set_up(&world);
    let text = TODOS.replace("Second", "Beta");
    tree.write(FILE, &text);
    fs::set_permissions(tree.path(FILE), fs::Permissions::from_mode(0o440)).unwrap();
    is_in_order(&tree, &[(FILE, &text)], "read-only file");
    let mode = tree.path(FILE).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o440);
}

/// Marks a file or folder so that not even root changes it; whether that can be done here.
fn immutable(path: &Path, on: bool) -> bool {
    let flag = if on { "+i" } else { "-i" };
    let ran = Command::new("chattr").arg(flag).arg(path).output();
    ran.is_ok_and(|ran| ran.status.success())
}

#[test]
fn a_file_that_cannot_be_written_at_all_is_told_of_and_recorded_all_the_same() {
    let world = World::new();
    let tree = set_up(&world);
    let text = TODOS.replace("Second", "Beta");
    tree.write(FILE, &text);
    tree.write(OTHER, &text);
    if !immutable(&tree.path(FILE), true) {
        eprintln!("skipped: no file can be made immutable here");
        return;
    }
    let first = tree.rhema(&SYNC);
    let second = tree.rhema(&SYNC);
    assert!(immutable(&tree.path(FILE), false));
    for ran in [first, second] {
        let ran = ran.exits(1);
        assert!(ran.stderr.contains(FILE), "{}", ran.stderr);
        assert!(ran.stderr.contains("permissions"), "{}", ran.stderr);
    }
    assert!(
        tree.read(OTHER).contains("    _crdt: "),
        "the other one is written"
    );
    is_in_order(&tree, &[(FILE, &text), (OTHER, &text)], "after");
    assert!(tree.read(FILE).contains("    _crdt: "));
}

#[test]
fn a_folder_in_the_place_of_a_document_is_left_alone() {
    let world = World::new();
    let tree = set_up(&world);
    fs::remove_file(tree.path(FILE)).unwrap();
    fs::create_dir(tree.path(FILE)).unwrap();
    tree.write(OTHER, TODOS.replace("Second", "Beta"));
    tree.rhema(&SYNC).exits(0);
    tree.rhema(&["set", "--file", FILE, "todos/a", "title=x"])
        .exits(3);
    assert!(tree.path(FILE).is_dir());
    fs::remove_dir(tree.path(FILE)).unwrap();
    tree.git(&["checkout", "-q", "--", FILE]);
    is_in_order(
        &tree,
        &[(FILE, TODOS), (OTHER, &TODOS.replace("Second", "Beta"))],
        "after",
    );
}
