//! `init` sets up the driver, in whatever kind of work tree.

use crate::support::{BINARY, World, run};
use std::fs;

const LINES: &str = "**/.rhema/**/*.yaml merge=rhema-crdt\n**/.rhema/**/*.yml merge=rhema-crdt\n";

#[test]
fn git_hands_context_files_at_any_depth_to_the_driver() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/todos.yaml", "todos: []\n")]);
    repo.rhema(&["init"]).exits(0);
    assert_eq!(repo.read(".gitattributes"), LINES);
    for path in [
        ".rhema/a.yaml",
        ".rhema/deep/er/a.yml",
        "some/service/.rhema/a.yaml",
    ] {
        let answer = repo.git(&["check-attr", "merge", path]);
        assert_eq!(answer, format!("{path}: merge: rhema-crdt\n"));
    }
    for path in [
        "a.yaml",
        ".rhema/a.txt",
        ".rhema-example/a.yaml",
        "x.rhema/a.yaml",
    ] {
        let answer = repo.git(&["check-attr", "merge", path]);
        assert_eq!(answer, format!("{path}: merge: unspecified\n"));
    }
}

#[test]
fn a_second_init_changes_nothing() {
    let world = World::new();
    let repo = world.repo("repo", &[(".gitattributes", "*.png binary")]);
    repo.rhema(&["init"]).exits(0);
    let first = repo.snapshot();
    let again = repo.rhema(&["init"]).exits(0);
    assert!(
        again.stdout.starts_with("Nothing to do"),
        "{}",
        again.stdout
    );
    assert_eq!(repo.snapshot(), first);
}

#[test]
fn a_dry_run_tells_all_and_changes_nothing() {
    let world = World::new();
    let repo = world.repo("repo", &[]);
    let before = repo.snapshot();
    let told = repo.rhema(&["init", "--dry-run"]).exits(0).stdout;
    assert_eq!(repo.snapshot(), before);
    for part in [
        ".gitattributes",
        ".git/config",
        "merge.rhema-crdt.driver",
        "merge.rhema-crdt.name",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
}

#[test]
fn a_fresh_clone_only_needs_the_configuration() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/todos.yaml", "todos: []\n")]);
    repo.rhema(&["init"]).exits(0);
    repo.commit("Merge context files with rhema");
    repo.git(&["clone", "-q", ".", "../clone"]);
    let clone = world.tree("clone");
    let changed = clone.rhema(&["init", "--json"]).exits(0).json();
    let what: Vec<_> = changed["changed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| &change["what"])
        .collect();
    assert_eq!(what, ["config", "config", "node", "member"]);
    assert_eq!(
        clone.git(&["status", "--porcelain"]),
        " M .rhema/crdt/members.yaml\n"
    );
}

#[test]
fn the_driver_is_called_by_name_where_path_leads_to_this_program() {
    let world = World::new();
    let repo = world.repo("repo", &[]);
    let bin = world.path("bin");
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(BINARY, bin.join("rhema")).unwrap();
    let path = std::env::join_paths(
        std::iter::once(bin).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    run(world
        .command(BINARY, &repo.top)
        .env("PATH", path.unwrap())
        .args(["crdt", "init"]))
    .exits(0);
    let driver = repo.git(&["config", "merge.rhema-crdt.driver"]);
    assert!(
        driver.starts_with("rhema crdt merge-driver %O %A %B %P -L %L"),
        "{driver}"
    );
}

#[test]
fn the_driver_is_called_by_its_quoted_path_otherwise() {
    let world = World::new();
    let repo = world.repo("repo", &[]);
    let folder = world.path("it's 100% \"my\" $HOME");
    fs::create_dir(&folder).unwrap();
    let program = folder.join("rhema");
    fs::copy(BINARY, &program).unwrap();
    run(world.command(&program, &repo.top).args(["crdt", "init"])).exits(0);
    repo.write(".rhema/todos.yaml", "a: 1\nb: 1\nc: 1\nd: 1\n");
    repo.commit("base");
    repo.on_branch("theirs", ".rhema/todos.yaml", "a: 1\nb: 1\nc: 1\nd: 2\n");
    repo.write(".rhema/todos.yaml", "a: 2\nb: 1\nc: 1\nd: 1\n");
    repo.commit("ours");
    let merge = repo
        .try_git(&["merge", "-q", "--no-edit", "theirs"])
        .exits(0);
    assert!(!merge.stderr.contains("not found"), "{}", merge.stderr);
    assert_eq!(repo.read(".rhema/todos.yaml"), "a: 2\nb: 1\nc: 1\nd: 2\n");
}

#[test]
fn a_stale_driver_path_is_replaced() {
    let world = World::new();
    let repo = world.repo("repo", &[]);
    repo.rhema(&["init"]).exits(0);
    let fresh = repo.read(".git/config");
    repo.git(&[
        "config",
        "merge.rhema-crdt.driver",
        "/gone/rhema crdt merge-driver",
    ]);
    repo.rhema(&["init"]).exits(0);
    assert_eq!(repo.read(".git/config"), fresh);
}

#[test]
fn init_works_from_a_subfolder_and_with_c() {
    let world = World::new();
    for arguments in [
        vec!["init"],
        vec!["-C", "..", "init"],
        vec!["init", "-C", "../../deep"],
    ] {
        let name = format!(
            "repo {}",
            arguments.len() + usize::from(arguments[0] == "-C")
        );
        let repo = world.repo(&name, &[("deep/er/file", "")]);
        world.rhema(&repo.path("deep/er"), &arguments).exits(0);
        assert_eq!(repo.read(".gitattributes"), LINES, "{arguments:?}");
    }
}

#[test]
fn init_works_in_a_submodule() {
    let world = World::new();
    world.repo("library", &[(".rhema/todos.yaml", "todos: []\n")]);
    let repo = world.repo("repo", &[]);
    repo.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        "../library",
        "library",
    ]);
    let submodule = world.tree("repo/library");
    let before = submodule.snapshot();
    let config = repo.read(".git/modules/library/config");
    submodule.rhema(&["init"]).exits(0);
    assert_eq!(submodule.read(".gitattributes"), LINES);
    assert!(
        submodule
            .git(&["config", "merge.rhema-crdt.driver"])
            .contains("merge-driver")
    );
    assert!(
        !repo.path(".gitattributes").exists(),
        "the outer repository is another one"
    );
    let status = submodule.rhema(&["status", "--json"]).exits(0).json();
    assert_eq!(status["documents"][0]["path"], ".rhema/todos.yaml");
    submodule.rhema(&["uninit"]).exits(0);
    assert_eq!(submodule.snapshot(), before);
    assert_eq!(repo.read(".git/modules/library/config"), config);
}

#[test]
fn a_repository_that_the_environment_names_is_used() {
    let world = World::new();
    let repo = world.repo("repo", &[]);
    let env = [
        ("GIT_DIR", repo.path(".git")),
        ("GIT_WORK_TREE", repo.top.clone()),
    ];
    run(world
        .command(BINARY, &repo.path(".git"))
        .envs(env)
        .args(["crdt", "init"]))
    .exits(0);
    assert_eq!(repo.read(".gitattributes"), LINES);
}

#[test]
fn windows_line_endings_are_kept() {
    let world = World::new();
    let repo = world.repo("repo", &[(".gitattributes", "*.png binary\r\n")]);
    repo.rhema(&["init"]).exits(0);
    assert_eq!(
        repo.read(".gitattributes"),
        format!("*.png binary\r\n{}", LINES.replace('\n', "\r\n"))
    );
    assert_eq!(
        repo.git(&["check-attr", "merge", ".rhema/a.yml"]),
        ".rhema/a.yml: merge: rhema-crdt\n"
    );
}

#[test]
fn a_line_that_overrules_ours_is_reported() {
    let world = World::new();
    let repo = world.repo("repo", &[]);
    repo.write(".git/info/attributes", "*.yaml merge=binary\n");
    let init = repo.rhema(&["init"]).exits(1);
    assert!(
        init.stderr
            .contains("takes context files away from the driver"),
        "{}",
        init.stderr
    );
}

#[test]
fn the_json_names_every_change() {
    let world = World::new();
    let repo = world.repo("repo", &[]);
    let json = repo.rhema(&["init", "--json"]).exits(0).json();
    assert_eq!(json["repo"], repo.top.to_str().unwrap());
    assert_eq!(json["dry_run"], false);
    assert_eq!(json["driver"]["name"], "rhema-crdt");
    assert_eq!(json["driver"]["configured"], true);
    assert_eq!(json["changed"][0]["what"], "attributes");
    assert_eq!(json["changed"][0]["path"], ".gitattributes");
    assert_eq!(json["changed"][2]["what"], "config");
    assert_eq!(json["changed"][2]["path"], ".git/config");
    assert_eq!(json["changed"][2]["key"], "merge.rhema-crdt.driver");
    assert_eq!(json["changed"][2]["value"], json["driver"]["command"]);
    let again = repo.rhema(&["init", "--json"]).exits(0).json();
    assert_eq!(again["changed"], serde_json::json!([]));
}

#[test]
fn it_refuses_where_there_is_no_work_tree() {
    let world = World::new();
    fs::create_dir(world.path("plain")).unwrap();
    for command in ["init", "uninit", "status"] {
        let refused = world.rhema(&world.path("plain"), &[command]).exits(3);
        assert!(refused.stderr.starts_with("error: "), "{}", refused.stderr);
        assert!(
            refused.stderr.contains("not in a git repository"),
            "{}",
            refused.stderr
        );
        assert_eq!(refused.stdout, "");
    }
    world
        .repo("repo", &[])
        .git(&["clone", "-q", "--bare", ".", "../bare.git"]);
    let bare = world.tree("bare.git");
    let before = bare.snapshot();
    let refused = bare.rhema(&["init"]).exits(3);
    assert!(refused.stderr.contains("bare"), "{}", refused.stderr);
    assert_eq!(bare.snapshot(), before);
}

#[test]
fn it_refuses_formats_that_it_cannot_read_and_says_so() {
    let world = World::new();
    for format in ["--object-format=sha256", "--ref-format=reftable"] {
        let top = world.path(format);
        fs::create_dir(&top).unwrap();
        let tree = world.tree(format);
        if tree.try_git(&["init", "-q", format]).status != 0 {
            continue; // this git does not know the format either
        }
        let refused = tree.rhema(&["status"]).exits(3);
        assert!(
            refused
                .stderr
                .contains("format that this command cannot read"),
            "{}",
            refused.stderr
        );
    }
}

#[test]
fn it_refuses_to_write_through_what_is_no_file() {
    let world = World::new();
    let repo = world.repo("repo", &[("elsewhere", "mine\n")]);
    std::os::unix::fs::symlink("elsewhere", repo.path(".gitattributes")).unwrap();
    let before = repo.snapshot();
    let refused = repo.rhema(&["init"]).exits(3);
    assert!(
        refused.stderr.contains(".gitattributes is a symbolic link"),
        "{}",
        refused.stderr
    );
    assert_eq!(repo.snapshot(), before);
}

#[test]
fn when_the_configuration_cannot_be_written_nothing_is_changed() {
    let world = World::new();
    let repo = world.repo("repo", &[(".gitattributes", "*.png binary\n")]);
    repo.write(".git/config.lock", "another git is at work\n");
    let before = repo.snapshot();
    let refused = repo.rhema(&["init"]).exits(3);
    assert!(refused.stderr.contains("git config"), "{}", refused.stderr);
    assert_eq!(repo.snapshot(), before);
}

#[test]
fn how_peers_are_found_is_refused_where_it_cannot_be_written() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/crdt/config.yaml", "{branches: same}\n")]);
    let before = repo.snapshot();
    let none = repo.rhema(&["init", "--discovery", "dns"]).exits(2).stderr;
    assert!(none.contains("local, static, git or off"), "{none}");
    let form = repo.rhema(&["init", "--discovery", "off"]).exits(3).stderr;
    assert!(
        form.contains("config.yaml:1:1: write `discovery: …`"),
        "{form}"
    );
    assert!(repo.snapshot() == before);
}
