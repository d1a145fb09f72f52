//! `sync --timeout 0`: local edits get their stamps.

use rhema_crdt::overlay::DocumentPath;
use rhema_crdt::store::{Mark, Store, Which};

use crate::support::World;

const FILE: &str = ".rhema/todos.yaml";

const TODOS: &str = "\
# Things to do
_crdt: v1 todos=or_set

todos:
  - id: a
    title: First
    status: pending
  - id: b
    title: Second
    status: pending
";

const SYNC: [&str; 4] = ["sync", "--timeout", "0", "--json"];

#[test]
fn edits_are_stamped_once_and_typing_back_undoes_it() {
    let world = World::new();
    let tree = world.repo(
        "repo",
        &[(FILE, TODOS), ("x/.rhema/k.yaml", "_crdt: v1\na: 1\n")],
    );
    let edited = TODOS.replace("First\n    status: pending", "First\n    status: done")
        + "  - id: c\n    title: Third\n";
    tree.write(FILE, &edited);
    tree.write("x/.rhema/k.yaml", "_crdt: v1\na: 2\n");
    let report = tree.rhema(&SYNC).exits(0).json();
    assert_eq!(
        report,
        serde_json::json!({"documents_changed": 2, "edits_recorded": 3, "peers": []})
    );
    let first = tree.read(FILE);
    let lines: Vec<&str> = first
        .lines()
        .filter(|line| line.starts_with("    _crdt: "))
        .collect();
    assert_eq!(lines.len(), 2, "{first}");
    let bare: String = first
        .lines()
        .filter(|line| !line.starts_with("    _crdt: "))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(bare, edited);
    assert!(tree.read("x/.rhema/k.yaml").starts_with("_crdt: v1 | "));
    let stamp = lines[0].split(' ').nth(5).unwrap();
    let before = tree.snapshot();
    let report = tree.rhema(&SYNC).exits(0).json();
    assert_eq!(report["edits_recorded"], 0);
    assert_eq!(tree.snapshot(), before, "a second time changes nothing");

    let later = first.replace("status: done", "status: late");
    tree.write(FILE, &later);
    assert_eq!(tree.rhema(&SYNC).exits(0).json()["edits_recorded"], 1);
    assert!(
        tree.read(FILE).contains(&format!(" -{stamp}\n")),
        "{}",
        tree.read(FILE)
    );

    let back = tree
        .read(FILE)
        .replace("status: late", "status: pending")
        .split("  - id: c")
        .next()
        .unwrap()
        .to_owned();
    tree.write(FILE, back);
    let report = tree.rhema(&SYNC).exits(0).json();
    assert_eq!(
        (&report["documents_changed"], &report["edits_recorded"]),
        (&1.into(), &0.into())
    );
    assert_eq!(tree.read(FILE), TODOS);
}

#[test]
fn after_a_commit_edits_get_later_stamps_of_the_same_replica() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    let stamp = |status: &str| {
        let text = tree.read(FILE);
        let line = text.lines().position(|line| line == "  - id: a").unwrap();
        tree.write(FILE, text.replacen("status: pending", status, 1));
        tree.rhema(&SYNC).exits(0);
        let text = tree.read(FILE);
        let line = text.lines().nth(line + 1).unwrap().trim();
        line.split(' ').nth(1).unwrap().to_owned()
    };
    let first = stamp("status: done");
    tree.commit("done");
    tree.write(
        FILE,
        tree.read(FILE)
            .replacen("status: done", "status: pending", 1),
    );
    let second = stamp("status: late");
    assert!(second > first);
    assert_eq!(
        second.split_once('-').unwrap().1,
        first.split_once('-').unwrap().1
    );
    assert!(!tree.read(FILE).contains(&first));
}

#[test]
fn nothing_is_written_while_git_is_busy() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS), ("x", "1\n")]);
    tree.on_branch("other", "x", "2\n");
    tree.write("x", "3\n");
    tree.commit("three");
    tree.write(FILE, TODOS.replace("First", "Foremost"));
    let busy = |what: &str| {
        let before = tree.snapshot();
        let run = tree.rhema(&SYNC).exits(1);
        assert!(run.stderr.contains(what), "{}", run.stderr);
        assert_eq!(run.json()["documents_changed"], 0);
        assert_eq!(tree.snapshot(), before);
    };
    tree.write(".git/index.lock", "");
    busy("index.lock");
    std::fs::remove_file(tree.path(".git/index.lock")).unwrap();
    tree.try_git(&["merge", "-q", "other"]).exits(1);
    busy("a merge");
    tree.git(&["merge", "--abort"]);
    tree.try_git(&["cherry-pick", "other"]).exits(1);
    busy("a cherry-pick");
    tree.git(&["cherry-pick", "--abort"]);
    tree.git(&["bisect", "start"]);
    busy("a bisection");
    tree.git(&["bisect", "reset"]);
    tree.rhema(&SYNC).exits(0);
}

#[test]
fn two_records_of_one_name_are_left_alone() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    let typed = TODOS.to_owned() + "  - id: a\n    title: Another\n";
    tree.write(FILE, &typed);
    let done = tree.rhema(&SYNC);
    assert!(
        done.stderr.contains("two records are called `a`"),
        "{}",
        done.stderr
    );
    assert_eq!(done.exits(1).json()["edits_recorded"], 0);
    assert_eq!(tree.read(FILE), typed);
    tree.rhema(&["set", "todos/b", "status=done"]).exits(3);
    assert_eq!(tree.read(FILE), typed);
    tree.write(
        FILE,
        typed.replace("id: a\n    title: Another", "id: c\n    title: Another"),
    );
    assert_eq!(tree.rhema(&SYNC).exits(0).json()["edits_recorded"], 1);
}

#[test]
fn what_cannot_be_read_or_has_no_marker_is_left_alone() {
    let world = World::new();
    let plain = ".rhema/plain.yaml";
    let tree = world.repo(
        "repo",
        &[
            (FILE, TODOS),
            (plain, "a: 1\n"),
            (".rhema/marked.yaml", "_crdt: v1\na: 1\n"),
        ],
    );
    tree.rhema(&SYNC).exits(0);
    tree.write(FILE, "_crdt: v1\ntodos: [\n");
    tree.write(plain, "a: 2\n");
    tree.write(
        ".rhema/marked.yaml",
        "<<<<<<< a\na: 1\n=======\na: 2\n>>>>>>> b\n",
    );
    let before = tree.snapshot();
    let run = tree.rhema(&SYNC).exits(1);
    assert!(run.stderr.contains(".rhema/todos.yaml:"), "{}", run.stderr);
    assert!(run.stderr.contains(".rhema/marked.yaml:"), "{}", run.stderr);
    assert!(!run.stderr.contains("plain"), "{}", run.stderr);
    assert_eq!(tree.snapshot(), before);
}

#[test]
fn a_file_that_was_moved_is_not_new() {
    let world = World::new();
    for staged in [true, false] {
        let tree = world.repo(format!("repo {staged}"), &[(FILE, TODOS)]);
        let (old, new) = (tree.path(FILE), tree.path(".rhema/tasks.yaml"));
        std::fs::rename(old, new).unwrap();
        if staged {
            tree.git(&["add", "-A"]);
        }
        let report = tree.rhema(&SYNC).exits(0).json();
        assert_eq!(report["edits_recorded"], 0);
        assert_eq!(tree.read(".rhema/tasks.yaml"), TODOS);
        tree.write(".rhema/tasks.yaml", TODOS.replace("Second", "Other"));
        let report = tree.rhema(&SYNC).exits(0).json();
        assert_eq!(report["edits_recorded"], 1);
        let now = tree.read(".rhema/tasks.yaml");
        assert_eq!(now.matches("    _crdt: ").count(), 1, "{now}");
    }
}

#[test]
fn where_the_version_of_head_cannot_be_read_nothing_counts_as_new() {
    let world = World::new();
    let broken = TODOS.replace("  - id: b", "\t- id: b");
    let tree = world.repo("repo", &[(FILE, &broken)]);
    tree.write(FILE, TODOS);
    let run = tree.rhema(&SYNC).exits(1);
    assert!(
        run.stderr.contains("HEAD's version cannot be read (8:1: "),
        "{}",
        run.stderr
    );
    assert_eq!(run.json()["edits_recorded"], 0);
    assert_eq!(tree.read(FILE), TODOS);
}

#[test]
fn a_file_that_is_new_and_one_before_the_first_commit_are_recorded() {
    let world = World::new();
    let tree = world.repo("repo", &[]);
    tree.write(FILE, TODOS);
    assert_eq!(tree.rhema(&SYNC).exits(0).json()["edits_recorded"], 2);
    tree.git(&["checkout", "-q", "--orphan", "fresh"]);
    let before = tree.read(FILE);
    assert_eq!(tree.rhema(&SYNC).exits(0).json()["edits_recorded"], 0);
    assert_eq!(tree.read(FILE), before);
}

#[test]
fn a_marker_that_is_not_committed_yet_stays_and_line_ends_do_too() {
    let world = World::new();
    let bare = "a: 1\nb: 1\n";
    let tree = world.repo(
        "repo",
        &[
            (FILE, bare),
            (".rhema/crlf.yaml", "_crdt: v1\na: 1\nb: 1\n"),
        ],
    );
    tree.write(FILE, format!("_crdt: v1\n{bare}"));
    tree.git(&["config", "core.autocrlf", "true"]);
    let crlf = "_crdt: v1 | 4k2m9xa7-7f3kqd a~000\r\na: 1\r\nb: 1\r\n";
    tree.write(".rhema/crlf.yaml", crlf);
    tree.rhema(&SYNC).exits(0);
    assert_eq!(tree.read(FILE), format!("_crdt: v1\n{bare}"));
    assert_eq!(
        tree.read(".rhema/crlf.yaml"),
        "_crdt: v1\r\na: 1\r\nb: 1\r\n"
    );
}

#[test]
fn who_has_nobody_to_sync_with_does_not_wait() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    tree.rhema(&["init"]).exits(0);
    for arguments in [
        &["sync", "--timeout", "600", "--json"][..],
        &["sync", "--json"],
    ] {
        let report = tree.rhema(arguments).exits(0).json();
        assert_eq!(report["peers"], serde_json::json!([]));
    }
    tree.rhema(&["sync", "--timeout", "soon"]).exits(2);
}

#[test]
fn a_document_that_was_committed_before_anybody_looked_is_contained() {
    let world = World::new();
    let tree = world.repo("repo", &[("readme", "x\n")]);
    tree.rhema(&["init"]).exits(0);
    tree.commit("init");
    tree.rhema(&SYNC).exits(0);
    tree.write(FILE, TODOS);
    tree.commit("todos");
    let report = tree.rhema(&SYNC).exits(0).json();
    assert_eq!(report["edits_recorded"], 2);
    let is_contained = || {
        let status = tree.rhema(&["status", "--json"]).exits(0).json();
        let document = &status["documents"][0];
        document["pending"] == 0 && document["parked"] == serde_json::json!([])
    };
    assert!(is_contained());
    tree.write(
        FILE,
        tree.read(FILE).replace("status: pending", "status: done"),
    );
    tree.commit("done");
    tree.rhema(&SYNC).exits(0);
    assert!(is_contained());
    assert_eq!(tree.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_record_that_is_staged_and_renamed_before_it_is_committed_is_one() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    tree.rhema(&["init"]).exits(0);
    tree.commit("init");
    tree.rhema(&SYNC).exits(0);
    tree.write(FILE, tree.read(FILE) + "  - id: c\n    title: Third\n");
    tree.git(&["add", "-A"]);
    tree.rhema(&SYNC).exits(0);
    tree.write(FILE, tree.read(FILE).replace("Third", "Last"));
    tree.rhema(&SYNC).exits(0);
    tree.commit("third");
    tree.rhema(&SYNC).exits(0);
    assert_eq!(tree.git(&["status", "--porcelain"]), "");
    assert_eq!(tree.read(FILE).matches("- id: c").count(), 1);
}

#[test]
fn a_comment_that_was_parked_comes_back() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    tree.rhema(&["init"]).exits(0);
    tree.commit("init");
    let text = tree
        .read(FILE)
        .replace("  - id: b\n", "  # of the second\n  - id: b\n");
    tree.write(FILE, &text);
    tree.rhema(&["park"]).exits(0);
    assert_eq!(tree.git(&["status", "--porcelain"]), "");
    tree.rhema(&["unpark"]).exits(0);
    assert_eq!(tree.read(FILE), text);
}

#[test]
fn records_stay_in_the_order_in_which_they_were_typed() {
    let record = |name: char| format!("  - id: {name}\n    title: {name}\n");
    let typed = |names: &str| -> String {
        let records: String = names.chars().map(record).collect();
        format!("_crdt: v1 todos=or_set\ntodos:\n{records}")
    };
    let shown = |text: String| -> String {
        let names = text
            .lines()
            .filter_map(|line| line.strip_prefix("  - id: ").map(str::to_owned));
        names.collect()
    };
    for names in ["cbad", "dcba", "cXab", "bXcaYd", "XdYcZba", "adbc", "dXa"] {
        let world = World::new();
        let tree = world.repo("repo", &[(FILE, &typed("abcd"))]);
        tree.rhema(&["init"]).exits(0);
        tree.commit("init");
        tree.rhema(&SYNC).exits(0);
        tree.write(FILE, typed(names));
        for _ in 0..2 {
            tree.rhema(&SYNC).exits(0);
            assert_eq!(shown(tree.read(FILE)), names);
        }
        tree.commit("order");
        tree.rhema(&SYNC).exits(0);
        assert_eq!(shown(tree.read(FILE)), names);
        assert_eq!(tree.git(&["status", "--short"]), "", "{names}");
    }
}

#[test]
fn a_new_file_without_a_marker_is_told_of() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS), (".rhema/old.yaml", "a: 1\n")]);
    let without_a_node = tree.rhema(&SYNC).exits(0).stderr;
    tree.rhema(&["init"]).exits(0);
    tree.write(".rhema/old.yaml", "a: 1\n");
    tree.commit("init");
    // A list and a text carry none.
    tree.write(".rhema/list.yaml", "- a\n- b\n");
    tree.write(".rhema/text.yaml", "a text\n");
    assert_eq!(tree.rhema(&SYNC).exits(0).stderr, "");
    tree.write(".rhema/new.yaml", "a: 1\n");
    tree.write("sub/.rhema/more.yaml", "a: 1\n");
    let told = tree.rhema(&SYNC).exits(0).stderr;
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(
        told.contains(".rhema/new.yaml, sub/.rhema/more.yaml: run `rhema crdt init`"),
        "{told}"
    );
    assert_eq!(without_a_node, "");
    tree.rhema(&["init"]).exits(0);
    assert_eq!(tree.rhema(&SYNC).exits(0).stderr, "");
}

#[test]
fn what_one_typed_over_is_named_as_a_run_and_contained_in_the_commit_that_names_it() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    tree.rhema(&["init", "-q"]).exits(0);
    tree.commit("init");
    tree.rhema(&SYNC).exits(0);
    let mut before = "title: First".to_owned();
    let typed = 6;
    for number in 0..typed {
        // Another field in between is no reason to name them one by one.
        let text = tree.read(FILE).replace("title: Second", "title: 2nd");
        let after = format!("title: v{number}");
        tree.write(FILE, text.replace(&before, &after));
        tree.rhema(&SYNC).exits(0);
        before = after;
    }
    let text = tree.read(FILE);
    let annotation = text.lines().find(|line| line.contains(" title~")).unwrap();
    assert_eq!(annotation.matches(" -").count(), 1, "{text}");
    assert!(annotation.contains(".."), "{text}");
    tree.commit("edited");
    tree.rhema(&SYNC).exits(0);
    let mut store = Store::open(&tree.path(".git")).unwrap().store;
    let reading = store.read().unwrap();
    let edits = reading.edits(&DocumentPath::new(FILE), Which::All).unwrap();
    assert_eq!(edits.len(), typed + 1);
    for edit in edits {
        assert!(edit.marks.contains(Mark::Contained), "{edit:?}");
    }
}
