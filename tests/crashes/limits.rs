//! Processes that reach a limit that was set for them: of open files, of the size of a file, of memory.

use crate::check::{FILE, OTHER, SYNC, TODOS, bare, is_in_order, set_up};
use crate::support::{BINARY, Run, Tree, World, run};

/// Runs a command under a limit, said as the shell's `ulimit` takes it.
fn limited(tree: &Tree<'_>, limit: &str, arguments: &[&str]) -> Run {
    let script = format!("ulimit -c 0; ulimit {limit} || exit 99; exec \"$0\" crdt \"$@\"");
    let mut command = tree.world.command("sh", &tree.top);
    run(command.args(["-c", &script, BINARY]).args(arguments))
}

/// It did what it was asked, or says what stood in its way: by no signal, by no panic.
#[track_caller]
pub(crate) fn is_told(run: &Run, what: &str) {
    let told = &run.stderr;
    assert!(!told.contains("panicked"), "{what}: {told}");
    assert!(!told.contains("should not have"), "{what}: {told}");
    match run.status {
        0 => {}
        1 => assert!(told.contains("warning: "), "{what}: {told}"),
        3 => assert!(told.starts_with("error: "), "{what}: {told}"),
        status => panic!("{what}: {status}: {told}"),
    }
}

/// Does all of it under each of these limits, each time with another edit by hand and one by command; how often it was kept from it.
fn under(tree: &Tree<'_>, limits: &[String], why: &[&str]) -> usize {
    let mut kept = 0;
    for (round, limit) in limits.iter().enumerate() {
        let typed = TODOS.replace("Second", &format!("Typed {round}"));
        tree.write(OTHER, &typed);
        let set = format!("title=Set {round}");
        let set = ["set", "--file", FILE, "todos/a", &set];
        for arguments in [&SYNC[..], &set, &["status"], &["verify"]] {
            let what = format!("{arguments:?} with ulimit {limit}");
            let before = bare(&tree.read(FILE));
            let ran = limited(tree, limit, arguments);
            is_told(&ran, &what);
            let told = &ran.stderr;
            assert!(!told.contains("another program"), "{what}: {told}");
            if ran.status == 3 || told.contains("warning: ") {
                kept += 1;
                assert!(why.iter().any(|why| told.contains(why)), "{what}: {told}");
            }
            assert_eq!(bare(&tree.read(OTHER)), typed, "{what}");
            let after = bare(&tree.read(FILE));
            let made = TODOS.replace("First", &format!("Set {round}"));
            assert!(after == before || after == made, "{what}: {after}");
        }
        tree.rhema(&set).exits(0);
        let made = TODOS.replace("First", &format!("Set {round}"));
        is_in_order(tree, &[(FILE, &made), (OTHER, &typed)], limit);
    }
    kept
}

#[test]
fn who_may_open_few_files_says_so_and_loses_nothing() {
    let world = World::new();
    let tree = set_up(&world);
    let limits = [4, 6, 7, 8, 9, 10, 12].map(|files| format!("-n {files}"));
    let why = ["Too many open files", "unable to open database file"];
    let kept = under(&tree, &limits, &why);
    assert!(kept > 6, "{kept}");
}

#[test]
fn who_may_write_short_files_only_says_so_and_loses_nothing() {
    let world = World::new();
    let tree = set_up(&world);
    let blocks = [0, 2, 64, 128, 256];
    let limits = blocks.map(|blocks| format!("-f {blocks}"));
    let kept = under(&tree, &limits, &["File too large", "space on the disk"]);
    assert!(kept > 2, "{kept}");
}

#[test]
fn git_goes_on_where_the_driver_may_not_write_what_it_merged() {
    let world = World::new();
    let tree = set_up(&world);
    let long = |text: &str| text.to_owned() + &"# to make it long\n".repeat(100);
    tree.write("base", long(TODOS));
    tree.write("theirs", long(&TODOS.replace("First", "Alpha")));
    let ours = long(&TODOS.replace("Second", "Beta"));
    for blocks in [0, 1, 2] {
        tree.write("ours", &ours);
        let driver = ["merge-driver", "base", "ours", "theirs", FILE];
        let ran = limited(&tree, &format!("-f {blocks}"), &driver);
        assert_eq!(ran.status, 1, "{blocks}: {}", ran.stderr);
        assert!(ran.stderr.contains("File too large"), "{}", ran.stderr);
        assert_eq!(tree.read("ours"), ours);
        let merge = ["merge", "base", "ours", "theirs", "-o", "merged"];
        let ran = limited(&tree, &format!("-f {blocks}"), &merge).exits(3);
        assert!(ran.stderr.contains("merged"), "{}", ran.stderr);
        assert!(ran.stderr.contains("File too large"), "{}", ran.stderr);
    }
    let lying_about = tree.git(&["status", "--porcelain", "--untracked-files=all"]);
    assert_eq!(lying_about, "?? base\n?? ours\n?? theirs\n");
}

#[test]
fn who_runs_out_of_memory_leaves_everything_as_it_was() {
    let world = World::new();
    let tree = set_up(&world);
    let mut text = TODOS.to_owned();
    for record in 0..300 {
        text += &format!("  - id: r{record}\n    title: Of some length, number {record}\n");
    }
    let runs = |limit: &u32| limited(&tree, &format!("-v {limit}"), &["--help"]).status == 0;
    let Some(least) = (30_000..400_000).step_by(3_000).find(runs) else {
        eprintln!("skipped: no limit of memory holds here");
        return;
    };
    let mut kept = 0;
    for more in 0..4 {
        let typed = text.replace("Second", &format!("Typed {more}"));
        tree.write(FILE, &typed);
        let limit = format!("-v {}", least + more * 3_000);
        for arguments in [&["status"][..], &["verify"], &SYNC] {
            let ran = limited(&tree, &limit, arguments);
            let what = format!("{arguments:?} with ulimit {limit}");
            // The system gives none, and nothing can be done without: the process ends there and then.
            match ran.stderr.contains("memory allocation of") {
                true => assert_eq!(ran.status, -1, "{what}"),
                false => is_told(&ran, &what),
            }
            kept += usize::from(ran.status != 0);
            assert_eq!(bare(&tree.read(FILE)), typed, "{what}");
        }
        is_in_order(&tree, &[(FILE, &typed), (OTHER, TODOS)], &limit);
    }
    assert!(kept > 0, "no limit was low enough");
}
