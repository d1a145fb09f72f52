//! `get`, `add`, `set`, `remove`, `move`: edits by command are what an editor and `sync` would have made of the file.

use serde_json::json;

use crate::support::{Run, Tree, World};

const FILE: &str = ".rhema/todos.yaml";

const TODOS: &str = "\
# Things to do
_crdt: v1 todos=or_set

todos:
  # the first
  - id: a
    title: \"First\"
    status: pending   # beside
    tags: [x, y]

  # about b
  - id: b
    title: \"Second\"
    status: pending
    priority: low
    meta:
      owner: me

owner: me
";

/// A clone in which everything is set up and committed.
fn set_up<'w>(world: &'w World, files: &[(&str, &str)]) -> Tree<'w> {
    let tree = world.repo("repo", files);
    tree.rhema(&["init", "--no-join"]).exits(0);
    tree.git(&["add", "-A"]);
    tree.git(&["commit", "-q", "--allow-empty", "-m", "set up"]);
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
    tree
}

/// A file without annotations.
fn bare(tree: &Tree<'_>, file: &str) -> String {
    let is_ours = |line: &&str| !line.trim_start().starts_with("_crdt: ");
    let text = tree.read(file);
    let lines = text.lines().filter(is_ours);
    lines.map(|line| format!("{line}\n")).collect()
}

fn without_marker(text: &str) -> String {
    text.replace("_crdt: v1 todos=or_set\n", "")
}

/// Nothing is left to record.
#[track_caller]
fn is_recorded(tree: &Tree<'_>) {
    let before = tree.snapshot();
    let report = tree
        .rhema(&["sync", "--timeout", "0", "--json"])
        .exits(0)
        .json();
    assert_eq!(report["documents_changed"], 0);
    assert_eq!(tree.snapshot(), before);
}

/// A command that is refused and changes nothing; what it says.
#[track_caller]
fn refused(tree: &Tree<'_>, arguments: &[&str]) -> String {
    let before = tree.snapshot();
    let run = tree.rhema(arguments).exits(3);
    let mut after = tree.snapshot();
    after.retain(|path, _| !path.ends_with("rhema/edit.lock"));
    let mut before = before;
    before.retain(|path, _| !path.ends_with("rhema/edit.lock"));
    assert_eq!(after, before);
    assert_eq!(run.stdout, "");
    run.stderr
}

#[track_caller]
fn says(run: Run, stdout: &str) {
    assert_eq!(run.exits(0).stdout, stdout);
}

#[test]
fn what_a_file_holds_is_printed_as_it_has_it() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    let b = "# about b\n- id: b\n  title: \"Second\"\n  status: pending\n  priority: low\n  meta:\n    owner: me\n";
    says(
        tree.rhema(&[
            "get",
            "todos",
            "--where",
            "status=pending",
            "--where",
            "priority=low",
        ]),
        b,
    );
    says(tree.rhema(&["get", "todos", "--where", "meta.owner=me"]), b);
    says(
        tree.rhema(&["get", "todos", "--where", "status=done"]),
        "[]\n",
    );
    says(tree.rhema(&["get", "todos/b/title"]), "\"Second\"\n");
    says(tree.rhema(&["get", "todos/b/meta.owner"]), "me\n");
    says(tree.rhema(&["get", "todos/b/meta"]), "owner: me\n");
    says(tree.rhema(&["get", "owner"]), "me\n");
    assert_eq!(
        tree.rhema(&["get", "todos/a", "--json"]).exits(0).json(),
        json!({"id": "a", "title": "First", "status": "pending", "tags": ["x", "y"]})
    );
    assert_eq!(
        tree.rhema(&["get", "todos", "--json"]).exits(0).json()[1]["meta"],
        json!({"owner": "me"})
    );
    let whole = tree.rhema(&["get", "."]).exits(0).stdout;
    assert!(
        whole.ends_with("owner: me\n") && !whole.contains("_crdt"),
        "{whole}"
    );
}

#[test]
fn a_record_is_added_in_the_manner_of_its_neighbours() {
    let world = World::new();
    let tree = set_up(&world, &[(FILE, TODOS)]);
    let add = [
        "add",
        "todos",
        "priority=high",
        "title=Ship it",
        "tags=[q, r]",
        "status=pending",
        "meta.owner=ada",
    ];
    says(tree.rhema(&add), "ship-it\n");
    let new = "
  - id: ship-it
    title: \"Ship it\"
    status: pending
    tags: [q, r]
    priority: high
    meta:
      owner: ada
";
    let expected = without_marker(TODOS).replace("\nowner: me\n", &format!("{new}\nowner: me\n"));
    assert_eq!(bare(&tree, FILE), expected);
    assert!(tree.read(FILE).contains("  - id: ship-it\n    _crdt: +"));
    is_recorded(&tree);
    let report = tree
        .rhema(&["add", "todos", "title=Ship it", "--json"])
        .exits(0)
        .json();
    let id = report["id"].as_str().unwrap();
    assert!(id.starts_with("ship-it-"), "{id}");
    assert_eq!(report["path"], format!("todos/{id}"));
    assert_eq!(report["file"], FILE);
    assert_eq!(report["changed"], true);
    let stamp = report["stamp"].as_str().unwrap();
    assert!(
        tree.read(FILE)
            .contains(&format!("  - id: {id}\n    _crdt: +{stamp}~"))
    );
    says(
        tree.rhema(&["add", "todos", "id=T-7", "title=Seven"]),
        "T-7\n",
    );
    is_recorded(&tree);
}

#[test]
fn an_empty_list_opens_well() {
    let world = World::new();
    for (file, list, opened) in [
        (
            ".rhema/a.yaml",
            "todos: []\n",
            "todos:\n  - id: x\n    title: X\n",
        ),
        (
            ".rhema/b.yaml",
            "deep: {a: 1}\nentries:\nowner: me\n",
            "deep: {a: 1}\nentries:\n  - id: x\n    title: X\nowner: me\n",
        ),
    ] {
        let name = list
            .split(':')
            .rev()
            .nth(if list.contains("deep") { 2 } else { 1 });
        let name = name.unwrap().trim().split('\n').next_back().unwrap();
        let tree = set_up(&world, &[(file, list)]);
        says(tree.rhema(&["add", name, "title=X", "--file", file]), "x\n");
        assert_eq!(bare(&tree, file), opened);
        std::fs::remove_dir_all(&tree.top).unwrap();
    }
}

#[test]
fn a_field_is_set_as_by_hand_and_sync() {
    let world = World::new();
    let tree = set_up(&world, &[(FILE, TODOS)]);
    let report = tree
        .rhema(&[
            "set",
            "todos/a",
            "status=completed",
            "priority=3",
            "description=",
            "--json",
        ])
        .exits(0)
        .json();
    let stamp = report["stamp"].as_str().unwrap();
    let line = tree.read(FILE).lines().nth(6).unwrap().to_owned();
    assert!(line.starts_with(&format!("    _crdt: {stamp} ")), "{line}");
    let expected = TODOS
        .replacen("status: pending ", "status: completed ", 1)
        .replacen("# beside\n", "# beside\n    priority: 3\n", 1)
        .replacen("[x, y]\n", "[x, y]\n    description: \"\"\n", 1);
    assert_eq!(bare(&tree, FILE), without_marker(&expected));
    is_recorded(&tree);

    // The same by hand, in a clone of the same commit.
    let other = world.path("by hand");
    tree.git(&["clone", "-q", ".", other.to_str().unwrap()]);
    let by_hand = world.tree("by hand");
    by_hand.write(FILE, &expected);
    by_hand.rhema(&["sync", "--timeout", "0"]).exits(0);
    let theirs = by_hand.read(FILE);
    let their_stamp = theirs.lines().nth(6).unwrap().split(' ').nth(5).unwrap();
    assert_eq!(theirs.replace(their_stamp, stamp), tree.read(FILE));

    // And back: what is as in HEAD is not annotated.
    tree.rhema(&[
        "set",
        "todos/a",
        "status=pending",
        "--unset",
        "priority",
        "--unset",
        "description",
    ])
    .exits(0);
    assert_eq!(tree.read(FILE), TODOS);
    let again = tree
        .rhema(&["set", "todos/a", "status=pending", "--json"])
        .exits(0)
        .json();
    assert_eq!(
        (&again["changed"], &again["stamp"]),
        (&json!(false), &json!(null))
    );
}

#[test]
fn fields_of_fields_and_of_the_root_are_set() {
    let world = World::new();
    let tree = set_up(&world, &[(FILE, TODOS)]);
    tree.rhema(&[
        "set",
        "todos/b",
        "meta.owner=you",
        "meta/team=red",
        "links.docs=x",
    ])
    .exits(0);
    tree.rhema(&["set", "todos/b/meta", "since=2025-11-03"])
        .exits(0);
    tree.rhema(&["set", ".", "owner=us"]).exits(0);
    tree.rhema(&["set", "todos/a", "id=first"]).exits(0);
    let expected = TODOS
        .replace("- id: a", "- id: first")
        .replace("      owner: me\n", "      owner: you\n      team: red\n      since: 2025-11-03\n    links:\n      docs: x\n")
        .replace("\nowner: me", "\nowner: us");
    assert_eq!(
        bare(&tree, FILE),
        without_marker(&expected).replace("_crdt: v1 todos=or_set", "")
    );
    let marker = tree.read(FILE).lines().nth(1).unwrap().to_owned();
    assert!(marker.contains(" owner~"), "{marker}");
    is_recorded(&tree);
}

#[test]
fn records_and_fields_are_removed_and_moved() {
    let world = World::new();
    let tree = set_up(&world, &[(FILE, TODOS)]);
    tree.rhema(&["move", "todos/b", "--first"]).exits(0);
    let first = TODOS.find("  # the first").unwrap();
    let second = TODOS.find("  # about b").unwrap();
    let end = TODOS.find("\nowner: me").unwrap();
    let swapped = format!(
        "{}{}\n{}{}",
        &TODOS[..first],
        &TODOS[second..end],
        &TODOS[first..second - 1],
        &TODOS[end..]
    );
    assert_eq!(tree.read(FILE), swapped);
    is_recorded(&tree);
    tree.rhema(&["move", "todos/b", "--after", "a"]).exits(0);
    assert_eq!(tree.read(FILE), TODOS);
    tree.rhema(&["remove", "todos/a/tags"]).exits(0);
    assert_eq!(tree.read(FILE), TODOS.replace("    tags: [x, y]\n", ""));
    tree.rhema(&["remove", "todos/a"]).exits(0);
    assert_eq!(
        tree.read(FILE),
        format!("{}{}", &TODOS[..first], &TODOS[second..])
    );
    tree.rhema(&["remove", "todos/b"]).exits(0);
    assert!(
        tree.read(FILE).contains("\ntodos: []\n"),
        "{}",
        tree.read(FILE)
    );
    is_recorded(&tree);
}

#[test]
fn setting_a_contested_field_settles_it() {
    let world = World::new();
    let contested = TODOS.replace(
        "  - id: a\n",
        "  - id: a\n    _crdt: 4k2m9xa7-7f3kqd status~000\n    _crdt_conflicts: status~4k2mez11-01xyz9~s.late title~~s.other\n",
    );
    let tree = set_up(&world, &[(FILE, TODOS)]);
    // A merge has just left this: HEAD does not know it.
    tree.write(FILE, &contested);
    tree.rhema(&["set", "todos/a", "status=pending"]).exits(0);
    let text = tree.read(FILE);
    assert!(text.contains("_crdt_conflicts: title~~s.other\n"), "{text}");
    assert!(text.contains("4k2mez11-01xyz9"), "it is superseded: {text}");
    tree.rhema(&["set", "todos/a", "title=Foremost"]).exits(0);
    let text = tree.read(FILE);
    assert!(!text.contains("_crdt_conflicts"), "{text}");
    assert!(text.contains("title: \"Foremost\""), "{text}");
    is_recorded(&tree);
}

#[test]
fn the_scope_is_that_of_the_folder_or_the_one_that_is_named() {
    let world = World::new();
    let inner = "services/api/.rhema/todos.yaml";
    let notes = ".rhema/notes.yaml";
    let tree = set_up(
        &world,
        &[
            (FILE, TODOS),
            (inner, "todos: []\n"),
            (notes, "notes: []\nowner: me\n"),
            ("services/api/src/x", ""),
        ],
    );
    let folder = tree.path("services/api/src");
    let added = world
        .rhema(&folder, &["add", "todos", "title=In", "--json"])
        .exits(0)
        .json();
    assert_eq!(added["file"], inner);
    let added = world
        .rhema(
            &folder,
            &["add", "todos", "title=Top", "--json", "--scope", "../../.."],
        )
        .exits(0)
        .json();
    assert_eq!(added["file"], FILE);
    let added = tree
        .rhema(&[
            "add",
            "todos",
            "title=In",
            "id=two",
            "--json",
            "--scope",
            "services/api",
        ])
        .exits(0)
        .json();
    assert_eq!(added["file"], inner);
    let error = world.rhema(&folder, &["get", "notes"]).exits(3).stderr;
    assert!(error.contains("`--scope .` has it"), "{error}");
    let error = refused(&tree, &["set", ".", "owner=you"]);
    assert!(
        error.contains(FILE) && error.contains(notes) && error.contains("--file"),
        "{error}"
    );
    let set = world
        .rhema(
            &folder,
            &["set", ".", "owner=you", "--file", notes, "--json"],
        )
        .exits(0)
        .json();
    assert_eq!(set["file"], notes);
    let set = world
        .rhema(
            &folder,
            &[
                "set",
                ".",
                "owner=us",
                "--file",
                "../../../.rhema/notes.yaml",
                "--json",
            ],
        )
        .exits(0)
        .json();
    assert_eq!(set["file"], notes);
    let error = refused(&tree, &["get", "todos", "--file", "nowhere.yaml"]);
    assert!(error.contains("nowhere.yaml is no context file"), "{error}");
}

#[test]
fn what_is_not_there_is_refused_with_what_may_be_meant() {
    let world = World::new();
    let tree = set_up(&world, &[(FILE, TODOS)]);
    for (arguments, told) in [
        (
            &["get", "todo"][..],
            "error: no document of the scope . has todo: did you mean todos?\n",
        ),
        (
            &["set", "todos/c", "x=1"],
            "error: there is no c in todos\n",
        ),
        (
            &["get", "todos/b/statu"],
            "error: there is no statu in todos/b: did you mean status?\n",
        ),
        (
            &["remove", "todos/b/meta.ownr"],
            "error: there is no ownr in todos/b/meta: did you mean owner?\n",
        ),
        (
            &["move", "todos/a", "--before", "q"],
            "error: there is no q in todos\n",
        ),
        (
            &["set", "todos/a/title", "x=1"],
            "error: todos/a/title holds a value, and no fields\n",
        ),
        (
            &["set", "todos/a", "title.x=1"],
            "error: todos/a/title holds a value, and no fields\n",
        ),
        (
            &["add", "owner", "title=x"],
            "error: owner is no list of records",
        ),
        (
            &["move", "todos", "--first"],
            "error: todos is no record of a list",
        ),
        (
            &["add", "todos", "id=b"],
            "error: todos holds a record called b already",
        ),
        (
            &["set", "todos/a", "id=b"],
            "error: todos holds a record called b already",
        ),
        (
            &["add", "todos", "title=?!"],
            "error: nothing tells the new record from others: give it one, as in `id=…`\n",
        ),
        (
            &["remove", "todos"],
            "error: todos holds records: remove them one by one\n",
        ),
        (&["set", ".", "todos=[]"], "error: todos holds records"),
        (&["remove", "todos/a/id"], "error: nothing tells"),
        (
            &["set", "todos/a", "_crdt=x"],
            "error: _crdt belongs to rhema",
        ),
        (
            &["set", "todos/a", "x=1", "x=2"],
            "error: x is given twice\n",
        ),
        (
            &["set", "todos/a", "x=1", "--unset", "nothing"],
            "error: there is no nothing in todos/a\n",
        ),
    ] {
        let error = refused(&tree, arguments);
        assert!(error.starts_with(told), "{arguments:?}: {error}");
    }
    for usage in [
        &["set", "todos/a"][..],
        &["set", "todos/a", "status"],
        &["set", "todos/a", "tags=[x"],
        &["move", "todos/a"],
        &["move", "todos/a", "--first", "--last"],
        &["add", "todos"],
    ] {
        tree.rhema(usage).exits(2);
    }
}

#[test]
fn nothing_is_edited_where_that_would_do_harm() {
    let world = World::new();
    let tree = world.repo(
        "repo",
        &[(FILE, TODOS), (".rhema/plain.yaml", "plain: []\n")],
    );
    let set = ["set", "todos/a", "status=done"];
    let error = refused(&tree, &set);
    assert!(error.contains("run `rhema crdt init` first"), "{error}");
    tree.rhema(&["init", "--no-join"]).exits(0);
    tree.write(".rhema/plain.yaml", "plain: []\n");
    tree.commit("set up");
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
    let error = refused(&tree, &["add", "plain", "title=x"]);
    assert!(error.contains(".rhema/plain.yaml has no marker"), "{error}");
    tree.write(".git/index.lock", "");
    let error = refused(&tree, &set);
    assert!(error.contains("index.lock"), "{error}");
    std::fs::remove_file(tree.path(".git/index.lock")).unwrap();
    tree.git(&["bisect", "start"]);
    let error = refused(&tree, &set);
    assert!(error.contains("a bisection"), "{error}");
    tree.git(&["bisect", "reset"]);
    tree.write(FILE, TODOS.replace("tags: [x, y]", "tags: [x, y"));
    let error = refused(&tree, &set);
    assert!(error.starts_with("error: .rhema/todos.yaml:"), "{error}");
    tree.write(
        FILE,
        "<<<<<<< a\ntodos: []\n=======\ntodos: []\n>>>>>>> b\n",
    );
    let error = refused(&tree, &set);
    assert!(
        error.starts_with("error: .rhema/todos.yaml:1:1: git conflict marker"),
        "{error}"
    );
}

#[test]
fn bytes_around_an_edit_stay_as_they_are() {
    let world = World::new();
    let windows = "\u{feff}# A\r\n_crdt: v1 todos=or_set\r\ntodos:\r\n-   id: a\r\n    title: x\t# tab\r\n-   {id: b, title: y}";
    let tree = set_up(&world, &[(FILE, windows)]);
    tree.rhema(&["set", "todos/a", "title=z"]).exits(0);
    tree.rhema(&["add", "todos", "id=c", "title=a, b"]).exits(0);
    let text = tree.read(FILE);
    let lines: Vec<&str> = text
        .split("\r\n")
        .filter(|line| !line.contains("_crdt: +~"))
        .collect();
    let before: Vec<&str> = windows.split("\r\n").collect();
    assert_eq!(lines[..4], before[..4], "{text}");
    assert_eq!(lines[4], "    title: z\t# tab");
    assert_eq!(lines[5], before[5]);
    assert!(
        lines[6].starts_with("-   {_crdt: +") && lines[6].ends_with(",id: c, title: \"a, b\"}"),
        "{text:?}"
    );
    assert_eq!(lines.len(), 7);
}

#[test]
fn commands_at_once_all_count() {
    let world = World::new();
    let tree = set_up(&world, &[(FILE, TODOS)]);
    std::thread::scope(|scope| {
        for number in 0..8 {
            let tree = &tree;
            scope.spawn(move || {
                let title = format!("title=Number {number}");
                tree.rhema(&["add", "todos", &title]).exits(0);
            });
        }
    });
    let ids = tree.rhema(&["get", "todos", "--json"]).exits(0).json();
    assert_eq!(ids.as_array().unwrap().len(), 10);
    is_recorded(&tree);
}

#[test]
fn records_that_two_branches_call_alike_both_stay() {
    let world = World::new();
    let tree = set_up(&world, &[(FILE, TODOS)]);
    tree.rhema(&["add", "todos", "title=Ship it"]).exits(0);
    tree.commit("base");
    tree.git(&["checkout", "-q", "-b", "other"]);
    let theirs = tree.rhema(&["add", "todos", "title=Ship it", "priority=low"]);
    tree.rhema(&["set", "todos/a", "status=completed"]).exits(0);
    tree.commit("theirs");
    tree.git(&["checkout", "-q", "main"]);
    let ours = tree.rhema(&["add", "todos", "title=Ship it", "priority=high"]);
    tree.rhema(&["set", "todos/a", "title=Foremost"]).exits(0);
    tree.rhema(&["move", "todos/b", "--first"]).exits(0);
    tree.commit("ours");
    tree.git(&["merge", "-q", "--no-edit", "other"]);
    let all = tree.rhema(&["get", "todos", "--json"]).exits(0).json();
    let mut ids: Vec<&str> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids[..2], ["b", "a"]);
    ids.sort_unstable();
    let (ours, theirs) = (ours.exits(0).stdout, theirs.exits(0).stdout);
    let mut expected = vec!["a", "b", "ship-it", ours.trim(), theirs.trim()];
    expected.sort_unstable();
    assert_eq!(ids, expected);
    assert_eq!(
        tree.rhema(&["get", "todos/a", "--json"]).exits(0).json(),
        json!({"id": "a", "title": "Foremost", "status": "completed", "tags": ["x", "y"]})
    );
    is_recorded(&tree);
}

#[test]
fn what_was_taken_away_and_given_again_can_be_taken_away_again() {
    let text = "todos:\n  - id: a\n    title: Alpha\n    priority: low\n    tags: [x, y]\n  - id: b\n    title: Beta\nmeta:\n  owner: ann\n";
    // What is taken away, what is set again, and what its value is then.
    for (at, field, again, value) in [
        ("todos/a", "priority", "priority=low", "low"),
        ("todos/a", "priority", "priority=high", "high"),
        ("todos/a", "tags", "tags=[x, y]", "y"),
        ("todos/a", "tags", "tags=[z]", "z"),
        (".", "meta", "meta.owner=ann", "ann"),
        (".", "meta", "meta.owner=ben", "ben"),
    ] {
        for is_beside in [true, false] {
            let world = World::new();
            let tree = set_up(&world, &[(FILE, text)]);
            if is_beside {
                tree.rhema(&["set", "todos/b", "status=y"]).exits(0);
            }
            let told = format!("{at} {again} {is_beside}");
            for _ in 0..2 {
                tree.rhema(&["set", at, "--unset", field]).exits(0);
                let now = tree.read(FILE);
                assert!(!now.contains(&format!("{field}:")), "{told}: {now}");
                assert!(!now.contains("_crdt_conflicts"), "{told}: {now}");
                tree.rhema(&["set", at, again]).exits(0);
                let now = tree.read(FILE);
                assert!(now.contains(value), "{told}: {now}");
                assert!(!now.contains("_crdt_conflicts"), "{told}: {now}");
            }
            // By hand as well.
            let now = tree.read(FILE);
            if let Some(line) = now.lines().find(|line| line.contains("priority: ")) {
                tree.write(FILE, now.replace(&format!("{line}\n"), ""));
                tree.rhema(&["sync", "--timeout", "0"]).exits(0);
                let now = tree.read(FILE);
                assert!(!now.contains("priority: "), "{told}: {now}");
                assert!(!now.contains("_crdt_conflicts"), "{told}: {now}");
            }
        }
    }
}

#[test]
fn a_new_field_that_was_taken_away_can_be_given_again() {
    let world = World::new();
    let tree = world.repo(
        "repo",
        &[(
            ".rhema/todos.yaml",
            "todos:\n  - id: a\n    title: Alpha\n  - id: b\n    title: Beta\n",
        )],
    );
    tree.rhema(&["init"]).exits(0);
    tree.commit("init");
    for edit in [
        &["set", "todos/b", "status=y"][..],
        &["set", "todos/a", "notes=X"],
        &["set", "todos/a", "--unset", "notes"],
        &["set", "todos/a", "notes=Y"],
    ] {
        tree.rhema(edit).exits(0);
    }
    let listed = tree.rhema(&["resolve", "--list", "--json"]).exits(0).json();
    assert_eq!(listed["conflicts"], serde_json::json!([]));
}

#[test]
fn what_took_the_place_of_a_mapping_stands_once_it_is_committed() {
    let text = "todos:\n  - id: a\n    title: Alpha\n  - id: b\n    title: Beta\n";
    for value in ["t=[5]", "t=five"] {
        let world = World::new();
        let tree = set_up(&world, &[(FILE, text)]);
        tree.rhema(&["set", "todos/a", "t={z: 1}"]).exits(0);
        tree.rhema(&["set", "todos/a", value]).exits(0);
        tree.commit("five");
        tree.rhema(&["sync", "--timeout", "0"]).exits(0);
        assert_eq!(
            tree.git(&["status", "--porcelain"]),
            "",
            "{}",
            tree.read(FILE)
        );
        tree.rhema(&["set", "todos/b", "x=1"]).exits(0);
        assert!(tree.read(FILE).contains("t: "), "{}", tree.read(FILE));
    }
}

#[test]
fn a_mapping_that_was_made_anew_is_not_contested_once_it_is_committed() {
    let text =
        "todos:\n  - id: a\n    title: Alpha\n    m: {x: 1, y: 2}\n  - id: b\n    title: Beta\n";
    let world = World::new();
    let tree = set_up(&world, &[(FILE, text)]);
    tree.rhema(&["set", "todos/a", "--unset", "m"]).exits(0);
    tree.rhema(&["set", "todos/a", "m.y=w"]).exits(0);
    tree.commit("anew");
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
    assert_eq!(
        tree.git(&["status", "--porcelain"]),
        "",
        "{}",
        tree.read(FILE)
    );
    tree.rhema(&["set", "todos/b", "m.y=u"]).exits(0);
    assert!(
        !tree.read(FILE).contains("_crdt_conflicts"),
        "{}",
        tree.read(FILE)
    );
}
