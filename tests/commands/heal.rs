//! `heal` and `verify --since`: merges that were made without the driver.

use crate::support::{Run, Tree, World};

const FILE: &str = ".rhema/todos.yaml";

fn todos(records: &[&str]) -> String {
    let mut text = "_crdt: v1 todos=or_set\ntodos:\n".to_owned();
    for record in records {
        let mut lead = "  - ";
        for line in record.lines() {
            text.push_str(&format!("{lead}{line}\n"));
            lead = "    ";
        }
    }
    text
}

const A: &str = "id: a\ntitle: Plan\nstatus: pending";
const SHIP: &str = "id: ship\n# before the fair\ntitle: Ship it\nstatus: pending\npriority: high\nassigned: nobody\ntags: [fair]\nplace: hall";
const TEST: &str = "id: test\ntitle: Test it\nstatus: pending\npriority: high\nassigned: nobody\ntags: [fair]\nowner: ada";

/// A repository that was set up, with one todo in it.
fn repo(world: &World) -> Tree<'_> {
    let repo = world.repo("repo", &[(FILE, &todos(&[A]))]);
    repo.rhema(&["init"]).exits(0);
    repo.commit("init");
    repo
}

/// A clone of it in which nobody ran `init`.
fn bare_clone<'w>(world: &'w World, repo: &Tree<'_>) -> Tree<'w> {
    let path = world.path("clone");
    repo.git(&["clone", "-q", ".", path.to_str().unwrap()]);
    let clone = world.tree("clone");
    clone.git(&["config", "user.name", "B. Tester"]);
    clone.git(&["config", "user.email", "b@example.org"]);
    clone
}

/// The two todos are added on branches, and merged by lines: of what stands at one place on both sides git takes the lines of
/// both, those that are alike once.
fn mixed<'w>(world: &'w World) -> (Tree<'w>, String) {
    let repo = repo(world);
    let start = repo.git(&["rev-parse", "HEAD"]).trim().to_owned();
    repo.on_branch("ship", FILE, todos(&[A, SHIP]));
    repo.on_branch("test", FILE, todos(&[A, TEST]));
    repo.git(&["checkout", "-q", "ship"]);
    let clone = bare_clone(world, &repo);
    clone.write(".git/info/attributes", "*.yaml merge=union\n");
    clone.git(&["merge", "-q", "-m", "Merge test", "origin/test"]);
    clone.git(&["push", "-q", "origin", "HEAD:refs/heads/merged"]);
    repo.git(&["checkout", "-q", "merged"]);
    assert_eq!(
        repo.read(FILE),
        todos(&[
            A,
            "id: ship\n# before the fair\ntitle: Ship it",
            "id: test\ntitle: Test it\nstatus: pending\npriority: high\nassigned: nobody\ntags: [fair]\nplace: hall\nowner: ada",
        ])
    );
    (repo, start)
}

fn changes(run: &Run) -> Vec<String> {
    let report = run.json();
    let merges = report["merges"].as_array().unwrap();
    let changes = merges
        .iter()
        .flat_map(|merge| merge["changes"].as_array().unwrap());
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let told = |change: &serde_json::Value| {
        let [field, kind, fate] = ["field", "kind", "fate"].map(|name| text(&change[name]));
        format!("{fate} {kind} {field}")
    };
    changes.map(told).collect()
}

#[test]
fn records_that_were_mixed_are_found_and_put_right() {
    let world = World::new();
    let (repo, start) = mixed(&world);
    let merge = repo.git(&["rev-parse", "--short", "HEAD"]);
    let merge = merge.trim();

    let found = repo.rhema(&["verify", "--since", &start]).exits(1).stdout;
    assert_eq!(
        found,
        format!(
            "problem {FILE}:6:3: todos/ship/status, todos/ship/assigned, todos/ship/place and 3 more: the merge {merge} (Merge test), made \
             without the merge driver, lost or mixed this: `rhema crdt heal {merge}` puts it right\n"
        )
    );
    let dry = repo.rhema(&["heal", "--dry-run"]).exits(1).stdout;
    assert!(dry.contains("+ todos/ship/status: \"pending\""), "{dry}");
    assert!(dry.contains("+ todos/ship/tags: [\"fair\"]"), "{dry}");
    assert!(dry.contains("- todos/test/place"), "{dry}");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");

    repo.rhema(&["heal"]).exits(0);
    let healed = repo.rhema(&["export"]).exits(0).stdout;
    for line in SHIP.lines().chain(TEST.lines()) {
        assert!(healed.contains(line), "{line} is not in\n{healed}");
    }
    assert_eq!(healed.matches("priority: high").count(), 2);
    assert_eq!(healed.matches("place: hall").count(), 1);
    // It is an edit like any other, once.
    let status = repo.rhema(&["--json", "status"]).exits(0).json();
    assert_eq!(status["documents"][0]["state"], "edited");
    assert_ne!(status["documents"][0]["pending"], 0);
    repo.rhema(&["verify", "--since", &start]).exits(0);
    let again = repo.rhema(&["heal"]).exits(0).stdout;
    assert!(again.contains("holds what both sides made"), "{again}");
    repo.commit("heal");
    repo.rhema(&["verify", "--since", &start]).exits(0);
    repo.rhema(&["heal"]).exits(0);
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}

#[test]
fn what_was_edited_after_the_merge_stays() {
    let world = World::new();
    let (repo, start) = mixed(&world);
    repo.rhema(&["set", "todos/a", "title=Plan more"]).exits(0);
    repo.rhema(&["set", "todos/test", "place=yard"]).exits(0);
    repo.rhema(&["add", "todos", "id=new", "title=New"])
        .exits(0);
    repo.commit("later");
    // Taken back again: that the field was changed in between is told by the history.
    repo.rhema(&["set", "todos/ship", "status=done"]).exits(0);
    repo.commit("done");
    repo.rhema(&["set", "todos/ship", "--unset", "status"])
        .exits(0);
    repo.commit("not done");
    repo.rhema(&["set", "todos/new", "title=Newer"]).exits(0);

    let healed = repo.rhema(&["--json", "heal"]).exits(0);
    assert_eq!(
        changes(&healed),
        [
            "changed added todos/ship/status",
            "lost added todos/ship/assigned",
            "lost added todos/ship/place",
            "lost added todos/ship/priority",
            "lost added todos/ship/tags",
            "changed removed todos/test/place",
        ]
    );
    let get = |path: &str| repo.rhema(&["get", path]).exits(0).stdout;
    assert_eq!(get("todos/a/title"), "Plan more\n");
    assert_eq!(get("todos/test/place"), "yard\n");
    assert_eq!(get("todos/test/owner"), "ada\n");
    assert_eq!(get("todos/ship/place"), "hall\n");
    assert_eq!(get("todos/new/title"), "Newer\n");
    repo.rhema(&["get", "todos/ship/status"]).exits(3);
    repo.rhema(&["verify", "--since", &start]).exits(0);
}

#[test]
fn a_record_that_both_added_at_different_places_is_told_apart() {
    let world = World::new();
    let repo = repo(&world);
    let (b, c) = ("id: b\ntitle: B", "id: c\ntitle: C");
    repo.write(FILE, todos(&[A, b, c]));
    repo.commit("more");
    let other = "id: new\ntitle: Something else\nstatus: done";
    repo.on_branch("one", FILE, todos(&["id: new\ntitle: New", A, b, c]));
    repo.on_branch("two", FILE, todos(&[A, b, c, other]));
    repo.git(&["checkout", "-q", "one"]);
    let clone = bare_clone(&world, &repo);
    clone.git(&["merge", "-q", "-m", "Merge two", "origin/two"]);
    clone.git(&["push", "-q", "origin", "HEAD:refs/heads/merged"]);
    repo.git(&["checkout", "-q", "merged"]);
    assert_eq!(repo.read(FILE).matches("id: new").count(), 2);

    let found = repo.rhema(&["verify", "--since", "main"]).exits(1).stdout;
    assert!(
        found.contains("two records of one list are called new"),
        "{found}"
    );
    // What is edited by hand meanwhile, in a file that nobody can record, stays.
    repo.write(FILE, repo.read(FILE).replace("Plan", "Plan more"));
    repo.rhema(&["heal"]).exits(0);
    let file = repo.rhema(&["export"]).exits(0).stdout;
    for line in ["title: New\n", "title: Something else", "title: Plan more"] {
        assert!(file.contains(line), "{line} is not in\n{file}");
    }
    assert_eq!(file.matches("id: new\n").count(), 1, "{file}");
    repo.rhema(&["verify", "--since", "main"]).exits(0);
}

#[test]
fn what_somebody_settled_in_a_merge_is_left_alone() {
    let world = World::new();
    let repo = repo(&world);
    repo.on_branch("ship", FILE, todos(&[A, SHIP]));
    repo.on_branch("test", FILE, todos(&[A, TEST]));
    let clone = bare_clone(&world, &repo);
    clone.git(&["checkout", "-q", "ship"]);
    clone.try_git(&["merge", "-q", "origin/test"]).exits(1);
    clone.write(FILE, todos(&[A, SHIP]));
    clone.commit("Merge test");
    clone.git(&["push", "-q", "origin", "HEAD:refs/heads/merged"]);
    repo.git(&["checkout", "-q", "merged"]);

    let verified = repo.rhema(&["verify", "--since", "main"]).exits(0);
    assert!(
        verified.stderr.contains("todos/test: settled by hand"),
        "{}",
        verified.stderr
    );
    let left = repo.rhema(&["--json", "heal"]).exits(1);
    assert_eq!(changes(&left), ["decided added todos/test"]);
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    repo.rhema(&["heal", "HEAD", "--all"]).exits(0);
    assert_eq!(
        repo.rhema(&["get", "todos/test"]).exits(0).stdout,
        TEST.to_owned() + "\n"
    );
    repo.rhema(&["verify", "--since", "main"]).exits(0);
}

#[test]
fn merges_that_lost_nothing_are_passed_over() {
    let world = World::new();
    let repo = repo(&world);
    let (b, c) = ("id: b\ntitle: B\nstatus: done", "id: c\ntitle: C");
    repo.write(FILE, todos(&[A, b, c]));
    repo.commit("more");
    let start = repo.git(&["rev-parse", "HEAD"]);
    let start = start.trim();
    // By the driver, over and crosswise.
    for (branch, title) in [("one", "One"), ("two", "Two")] {
        let a = A.replace("Plan", title);
        repo.on_branch(
            branch,
            FILE,
            todos(&[&a, b, c, &format!("id: {branch}\ntitle: {title}")]),
        );
    }
    repo.git(&["branch", "was-two", "two"]);
    for (here, there) in [("two", "one"), ("one", "was-two")] {
        repo.git(&["checkout", "-q", here]);
        repo.git(&["merge", "-q", "-m", "crosswise", there]);
    }
    repo.rhema(&["set", "todos/c", "title=Cc"]).exits(0);
    repo.commit("c");
    repo.git(&["merge", "-q", "-m", "again", "two"]);
    // By git, of different records; and of three at once.
    repo.git(&["checkout", "-q", "main"]);
    for (branch, from, to) in [
        ("a", "Plan", "Planned"),
        ("b", "title: B", "title: Bb"),
        ("c", "title: C", "title: Cc"),
    ] {
        repo.on_branch(branch, FILE, repo.read(FILE).replace(from, to));
    }
    let clone = bare_clone(&world, &repo);
    clone.git(&["checkout", "-q", "a"]);
    clone.git(&["merge", "-q", "-m", "by lines", "origin/c"]);
    clone.git(&["push", "-q", "origin", "HEAD:refs/heads/by-lines"]);
    repo.git(&["merge", "-q", "-m", "three", "a", "b", "c"]);
    for branch in ["one", "by-lines", "main"] {
        repo.git(&["checkout", "-q", branch]);
        repo.rhema(&["heal"]).exits(0);
        let verified = repo.rhema(&["verify", "--since", start]).exits(0);
        assert!(!verified.stderr.contains("merge"), "{}", verified.stderr);
        assert_eq!(repo.git(&["status", "--porcelain"]), "");
    }
}

#[test]
fn a_workflow_is_told_in_its_own_form() {
    let world = World::new();
    let (repo, start) = mixed(&world);
    repo.git(&["commit", "-q", "--amend", "-m", "100% of both"]);
    let found = repo
        .rhema(&["verify", "--since", &start, "--format", "github"])
        .exits(1)
        .stdout;
    let (head, message) = found.split_once(",title=rhema crdt verify::").unwrap();
    assert_eq!(head, format!("::error file={FILE},line=6,col=3"));
    assert!(message.contains("(100%25 of both)"), "{message}");
    assert_eq!(found.lines().count(), 1);
}

#[test]
fn the_workflow_sets_a_fresh_clone_up_and_finds_such_a_merge() {
    let world = World::new();
    let (repo, start) = mixed(&world);
    let workflow = include_str!("../../docs/workflow.yml");
    let init = "rhema crdt init --no-join --quiet";
    let (_, script) = workflow.split_once("run: |\n").unwrap();
    assert!(workflow.contains(&format!("run: {init}\n")));
    assert!(workflow.contains("fetch-depth: 0\n"));
    let checkout = world.path("checkout");
    repo.git(&["clone", "-q", ".", checkout.to_str().unwrap()]);
    let checkout = world.tree("checkout");
    let program = std::path::Path::new(crate::support::BINARY)
        .parent()
        .unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let sh = |script: &str| {
        let mut command = world.command("sh", &checkout.top);
        command.args(["-e", "-c", script]).env("PATH", &path);
        command
    };
    crate::support::run(&mut sh(init)).exits(0);
    assert_eq!(checkout.git(&["status", "--porcelain"]), "");
    for base in [start.as_str(), "0000000000000000000000000000000000000000"] {
        let mut command = sh(script);
        let run = crate::support::run(command.env("BASE", base)).exits(1);
        assert_eq!(run.stdout.matches("::error ").count(), 1, "{}", run.stdout);
    }
}

#[test]
fn what_cannot_be_looked_at_is_named() {
    let world = World::new();
    let (repo, start) = mixed(&world);
    let error = repo.rhema(&["heal", &start]).exits(3).stderr;
    assert!(error.contains("is no merge"), "{error}");
    let error = repo
        .rhema(&["verify", "--since", "nothing"])
        .exits(3)
        .stderr;
    assert!(error.contains("names no commit"), "{error}");
    let shallow = world.path("shallow");
    let from = format!("file://{}", repo.top.display());
    repo.git(&[
        "clone",
        "-q",
        "--depth=1",
        "--no-single-branch",
        &from,
        shallow.to_str().unwrap(),
    ]);
    let shallow = world.tree("shallow");
    let error = shallow
        .rhema(&["verify", "--since", &start])
        .exits(3)
        .stderr;
    assert!(error.contains("fetch-depth 0"), "{error}");
}
