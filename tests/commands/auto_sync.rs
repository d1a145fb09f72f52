//! `init --auto-sync`: what is written so that `watch` starts at login, and that all of it goes again.

use crate::support::{BINARY, Run, Tree, World, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const UNITS: &str = ".config/systemd/user";

/// The names of the units of a world's home, and of those of them that start at login.
fn units(world: &World) -> (Vec<String>, Vec<String>) {
    let names = |folder: PathBuf| {
        let entries = fs::read_dir(folder).into_iter().flatten();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".service"))
            .collect();
        names.sort();
        names
    };
    let folder = world.path("home").join(UNITS);
    (
        names(folder.clone()),
        names(folder.join("default.target.wants")),
    )
}

/// The path of the only unit there is.
fn unit(world: &World) -> PathBuf {
    let (units, enabled) = units(world);
    assert_eq!(units.len(), 1, "{units:?}");
    assert_eq!(units, enabled);
    world.path("home").join(UNITS).join(&units[0])
}

fn starts(world: &World) -> String {
    let text = fs::read_to_string(unit(world)).unwrap();
    let line = text.lines().find(|line| line.starts_with("ExecStart="));
    line.unwrap().to_owned()
}

fn set_up<'w>(world: &'w World, name: &str) -> Tree<'w> {
    let repo = world.repo(name, &[(".rhema/todos.yaml", "todos: []\n")]);
    repo.rhema(&["init", "--auto-sync"]).exits(0);
    repo
}

#[test]
fn a_unit_is_written_shown_and_enabled() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/todos.yaml", "todos: []\n")]);
    let home = world.tree("home");
    let before = home.snapshot();
    let told = repo
        .rhema(&["init", "--auto-sync", "--dry-run"])
        .exits(0)
        .stdout;
    assert_eq!(home.snapshot(), before);
    assert!(told.contains("  ExecStart="), "{told}");
    repo.rhema(&["init"]).exits(0);
    assert_eq!(home.snapshot(), before, "nothing comes without the flag");

    let told = repo.rhema(&["init", "--auto-sync"]).exits(0).stdout;
    let unit = unit(&world);
    let name = unit.file_stem().unwrap().to_str().unwrap();
    for part in [
        unit.to_str().unwrap(),
        "default.target.wants",
        &format!("systemctl --user daemon-reload && systemctl --user start {name}"),
        "rhema crdt init --no-auto-sync",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    let top = repo.top.to_str().unwrap();
    assert_eq!(
        starts(&world),
        format!("ExecStart=\"{BINARY}\" crdt -C \"{top}\" watch")
    );
    let link = unit.parent().unwrap().join("default.target.wants");
    assert_eq!(
        fs::read_link(link.join(unit.file_name().unwrap())).unwrap(),
        unit
    );
    let after = home.snapshot();
    let again = repo
        .rhema(&["init", "--auto-sync", "--json"])
        .exits(0)
        .json();
    assert_eq!(again["changed"], serde_json::json!([]));
    assert_eq!(home.snapshot(), after);
}

#[test]
fn status_and_verify_tell_of_it() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/todos.yaml", "todos: []\n")]);
    repo.rhema(&["init"]).exits(0);
    let tells = |run: Run| run.exits(0).json()["auto_sync"].clone();
    assert_eq!(
        tells(repo.rhema(&["status", "--json"])),
        serde_json::Value::Null
    );
    assert_eq!(tells(repo.rhema(&["verify", "--json"])), false);
    repo.rhema(&["init", "--auto-sync"]).exits(0);
    let told = tells(repo.rhema(&["status", "--json"]));
    assert_eq!(told["path"], unit(&world).to_str().unwrap());
    assert_eq!(told["stale"], false);
    assert_eq!(tells(repo.rhema(&["verify", "--json"])), true);
    for command in ["status", "verify"] {
        let told = repo.rhema(&[command]).exits(0).stdout;
        assert!(told.contains("starts here at login"), "{told}");
    }
}

#[test]
fn it_goes_as_it_came() {
    for off in [&["init", "--no-auto-sync"][..], &["uninit"]] {
        let world = World::new();
        let repo = world.repo("repo", &[(".rhema/todos.yaml", "todos: []\n")]);
        let home = world.tree("home");
        let before = home.snapshot();
        repo.rhema(&["init", "--auto-sync"]).exits(0);
        let name = unit(&world);
        let name = name.file_stem().unwrap().to_str().unwrap();
        let told = repo.rhema(off).exits(0).stdout;
        assert!(told.contains("- the start at login"), "{told}");
        assert_eq!(home.snapshot(), before);
        assert!(
            !world.path("home/.config").exists(),
            "folders that came with it go, too"
        );
        if off[0] == "init" {
            assert!(
                !told.contains("From now on git merges"),
                "it did before: {told}"
            );
            assert!(
                told.contains(&format!("systemctl --user stop {name}")),
                "{told}"
            );
            let status = repo.rhema(&["status", "--json"]).exits(0).json();
            assert_eq!(status["auto_sync"], serde_json::Value::Null);
            assert!(repo.rhema(off).exits(0).stdout.starts_with("Nothing to do"));
        }
    }
}

#[test]
fn what_else_lies_there_stays() {
    let world = World::new();
    let home = world.tree("home");
    home.write(format!("{UNITS}/mine.service"), "[Service]\n");
    let repo = set_up(&world, "repo");
    repo.rhema(&["uninit"]).exits(0);
    assert_eq!(units(&world), (vec!["mine.service".to_owned()], vec![]));
    assert!(!home.path(UNITS).join("default.target.wants").exists());
}

#[test]
fn two_work_trees_have_a_unit_each() {
    let world = World::new();
    let one = set_up(&world, "one");
    let linked = world.path("linked");
    one.commit("init");
    one.git(&[
        "worktree",
        "add",
        "-q",
        "-b",
        "more",
        linked.to_str().unwrap(),
    ]);
    let linked = world.tree("linked");
    assert_eq!(
        linked.rhema(&["status", "--json"]).exits(0).json()["auto_sync"],
        serde_json::Value::Null
    );
    linked.rhema(&["init", "--auto-sync"]).exits(0);
    assert_eq!(units(&world).0.len(), 2);
    linked.rhema(&["init", "--no-auto-sync"]).exits(0);
    assert!(starts(&world).contains("/one\""));
    one.rhema(&["verify"]).exits(0);
}

#[test]
fn a_moved_work_tree_is_noticed_and_mended() {
    let world = World::new();
    let repo = set_up(&world, "here");
    let former = unit(&world);
    fs::rename(&repo.top, world.path("there")).unwrap();
    let moved = world.tree("there");
    let status = moved.rhema(&["status", "--json"]).exits(0).json();
    assert_eq!(status["auto_sync"]["stale"], true);
    let told = moved.rhema(&["verify"]).exits(1).stdout;
    let place = repo.top.to_str().unwrap();
    assert!(
        told.contains(&format!(
            "does so in {place}, from where this work tree was moved"
        )),
        "{told}"
    );
    let mended = moved.rhema(&["verify", "--fix"]).exits(0).stdout;
    assert!(mended.starts_with("mended"), "{mended}");
    assert_ne!(unit(&world), former);
    assert!(starts(&world).contains("/there\""));
    moved.rhema(&["uninit"]).exits(0);
    assert_eq!(units(&world), (vec![], vec![]));
}

#[test]
fn a_copy_leaves_the_unit_of_the_original_alone() {
    let world = World::new();
    let repo = set_up(&world, "original");
    let copy = world.path("copy");
    run(Command::new("cp").arg("-a").arg(&repo.top).arg(&copy)).exits(0);
    let copy = world.tree("copy");
    let before = world.tree("home").snapshot();
    let status = copy.rhema(&["status", "--json"]).exits(0).json();
    assert_eq!(status["auto_sync"], serde_json::Value::Null);
    copy.rhema(&["init", "--no-auto-sync"]).exits(0);
    copy.rhema(&["uninit"]).exits(0);
    assert_eq!(world.tree("home").snapshot(), before);
    repo.rhema(&["verify"]).exits(0);
}

#[test]
fn a_moved_program_is_noticed_and_mended() {
    let world = World::new();
    let repo = set_up(&world, "repo");
    let program = world.path("rhema-2");
    fs::copy(BINARY, &program).unwrap();
    let rhema = |arguments: &[&str]| {
        let mut command = world.command(&program, &repo.top);
        run(command.arg("crdt").args(arguments))
    };
    let told = rhema(&["verify"]).exits(1).stdout;
    assert!(
        told.contains("starts `rhema crdt watch` at login is stale"),
        "{told}"
    );
    rhema(&["verify", "--fix"]).exits(0);
    assert!(starts(&world).starts_with(&format!("ExecStart=\"{}\" crdt", program.display())));
}

#[test]
fn a_program_is_named_as_path_leads_to_it() {
    let world = World::new();
    let repo = world.repo("repo", &[]);
    let bin = world.path("bin");
    fs::create_dir(&bin).unwrap();
    let link = bin.join("rhema");
    std::os::unix::fs::symlink(BINARY, &link).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let path = std::iter::once(bin).chain(std::env::split_paths(&path));
    let mut command = world.command(BINARY, &repo.top);
    command.env("PATH", std::env::join_paths(path).unwrap());
    run(command.args(["crdt", "init", "--auto-sync"])).exits(0);
    let named = format!("ExecStart=\"{}\" crdt", link.display());
    assert!(
        starts(&world).starts_with(&named),
        "an update may change where it leads"
    );
    // Where PATH does not lead to it, it is the same program all the same.
    repo.git(&["config", "merge.rhema-crdt.driver", "x"]);
    repo.rhema(&["init"]).exits(0);
    assert!(starts(&world).starts_with(&named));
}

#[test]
fn what_is_gone_or_was_changed_is_mended() {
    let world = World::new();
    let repo = set_up(&world, "repo");
    let unit = unit(&world);
    let text = fs::read(&unit).unwrap();
    let link = unit
        .parent()
        .unwrap()
        .join("default.target.wants")
        .join(unit.file_name().unwrap());
    let spoil: [&dyn Fn(); 4] = [
        &|| fs::remove_file(&unit).unwrap(),
        &|| fs::write(&unit, "[Unit]\n").unwrap(),
        &|| fs::remove_file(&link).unwrap(),
        &|| {
            fs::remove_file(&link).unwrap();
            std::os::unix::fs::symlink("/nowhere", &link).unwrap();
        },
    ];
    for (number, spoil) in spoil.iter().enumerate() {
        spoil();
        let told = repo.rhema(&["verify"]).exits(1).stdout;
        let what = ["is gone", "is stale", "is gone", "is stale"][number];
        assert!(told.contains(what), "{what} in {told}");
        repo.rhema(&["init"]).exits(0);
        assert_eq!(fs::read(&unit).unwrap(), text);
        assert_eq!(fs::read_link(&link).unwrap(), unit);
    }
}

#[test]
fn what_cannot_be_written_changes_nothing() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/todos.yaml", "todos: []\n")]);
    let home = world.tree("home");
    // Something else stands where the folder of the links would.
    home.write(format!("{UNITS}/default.target.wants"), "");
    let (before, of_home) = (repo.snapshot(), home.snapshot());
    repo.rhema(&["init", "--auto-sync"]).exits(3);
    assert_eq!(repo.snapshot(), before);
    assert_eq!(home.snapshot(), of_home);
}

#[test]
fn a_path_that_is_no_text_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let world = World::new();
    for (name, why) in [
        (&b"a\xff"[..], "it is not UTF-8"),
        (b"a\nb", "it has a control character"),
    ] {
        let repo = world.repo(Path::new(std::ffi::OsStr::from_bytes(name)), &[]);
        let before = repo.snapshot();
        let refused = repo.rhema(&["init", "--auto-sync"]).exits(3).stderr;
        assert!(refused.contains(why), "{refused}");
        assert_eq!(repo.snapshot(), before);
        repo.rhema(&["init"]).exits(0);
    }
}

#[test]
fn systemd_reads_the_unit_as_it_is_meant() {
    let is_there = Command::new("systemd-analyze")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if !is_there.is_ok_and(|status| status.success()) {
        return;
    }
    let world = World::new();
    let folder = world.path("100% of $HOME; \u{e5}");
    fs::create_dir(&folder).unwrap();
    let program = folder.join("rhema");
    fs::copy(BINARY, &program).unwrap();
    let repo = world.repo("it's 100% \"$HOME\" \\ %h", &[]);
    let mut command = world.command(&program, &repo.top);
    run(command.args(["crdt", "init", "--auto-sync"])).exits(0);
    let unit = unit(&world);
    let mut analyze = world.command("systemd-analyze", &repo.top);
    analyze.env("XDG_RUNTIME_DIR", world.path(""));
    let told = run(analyze.args(["verify", "--user", "--man=no"]).arg(&unit))
        .exits(0)
        .stderr;
    let complaints: Vec<&str> = told
        .lines()
        .filter(|line| line.contains(unit.file_name().unwrap().to_str().unwrap()))
        // Older versions do not know these two.
        .filter(|line| !line.contains("RestartSteps") && !line.contains("RestartMaxDelaySec"))
        .collect();
    assert!(complaints.is_empty(), "{complaints:?}");
}
