//! `demo`: what it tells is so, it touches nothing of ours, and it leaves nothing behind when it fails.

use crate::support::{BINARY, Run, World, run};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A world whose temporary folder is its own, and in which git knows nobody.
struct Stage {
    world: World,
}

impl Stage {
    fn new() -> Self {
        let world = World::new();
        fs::create_dir(world.path("tmp")).unwrap();
        Self { world }
    }

    fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let home = self.world.path("home");
        let mut command = self.world.command(BINARY, &home);
        for name in ["AUTHOR", "COMMITTER"] {
            command.env_remove(format!("GIT_{name}_NAME"));
            command.env_remove(format!("GIT_{name}_EMAIL"));
        }
        command
            .env("TMPDIR", self.world.path("tmp"))
            .args(["crdt", "demo"])
            .args(arguments);
        command
    }

    fn demo<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Run {
        run(&mut self.command(arguments))
    }

    /// PATH with a `git` in front of it that runs `script` and then the real one.
    fn with_git(&self, script: &str) -> OsString {
        let path = std::env::var_os("PATH").unwrap();
        let real = std::env::split_paths(&path)
            .map(|folder| folder.join("git"))
            .find(|file| file.is_file())
            .unwrap();
        let folder = self.world.path("programs");
        fs::create_dir_all(&folder).unwrap();
        let program = folder.join("git");
        let text = format!("#!/bin/sh\n{script}\nexec '{}' \"$@\"\n", real.display());
        fs::write(&program, text).unwrap();
        run(Command::new("chmod").arg("+x").arg(&program)).exits(0);
        std::env::join_paths(std::iter::once(folder).chain(std::env::split_paths(&path))).unwrap()
    }

    fn left_in_tmp(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.world.path("tmp")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

#[test]
fn it_tells_what_happened_in_plain_words() {
    let stage = Stage::new();
    let told = stage.demo::<&str>(&[]).exits(0);
    assert_eq!(told.stderr, "");
    for part in [
        "Ada",
        "Ben",
        "Git alone: 7 conflicts in 3 files. With rhema: 1 conflict",
        "tags: [ingest, safety, harbours, weekly]",
        "priority: high   # the club sends its figures in March",
        "decisions/watch-app-later/status in .rhema/decisions.yaml",
        "winner  \"rejected\"",
        "1  \"approved\"",
        "Ben's `rejected` at ",
        "Ada's `approved` at ",
        "rhema crdt resolve --path decisions/watch-app-later/status --take 1",
        "byte for byte as before",
        "The evening: both clones are watched",
        "Both change the same value at the same moment",
        "todos/search-by-postcode/priority in .rhema/todos.yaml",
        "rhema crdt resolve --path todos/search-by-postcode/priority --take 1",
        "Ben is on a train, and comes back",
        "Live: an edit was there after ",
        "without-rhema",
    ] {
        // Paragraphs are broken into lines.
        let told = told.stdout.replace('\n', " ");
        assert!(told.contains(part), "{part} in {told}");
    }
    for part in [
        "\u{1b}",
        "CRDT",
        "  NO ",
        "<<<<<<<",
        "unstamped",
        "_crdt_conflicts",
    ] {
        assert!(!told.stdout.contains(part), "{part:?} in {}", told.stdout);
    }
}

#[test]
fn it_touches_nothing_of_the_user() {
    let stage = Stage::new();
    let home = stage.world.tree("home");
    // Whatever would show if it were read or written.
    home.write(
        ".gitconfig",
        "[commit]\n\tgpgsign = true\n[core]\n\thooksPath = /nowhere\n\tautocrlf = true\n[merge]\n\tff = only\n",
    );
    let before = home.snapshot();
    // And colours come where they are wanted, only.
    let told = stage.demo(&["--color", "always"]).exits(0).stdout;
    assert!(told.contains('\u{1b}'));
    assert_eq!(home.snapshot(), before);
}

#[test]
fn the_folder_stays_for_playing_on() {
    let stage = Stage::new();
    let folder = stage.world.path("play here");
    let told = stage
        .demo(&[OsStr::new("--dir"), folder.as_os_str()])
        .exits(0);
    assert!(
        told.stdout
            .contains(&format!("cd '{}'/ben", folder.display())),
        "{}",
        told.stdout
    );
    assert!(stage.left_in_tmp().is_empty());
    let [ada, ben] = ["ada", "ben"].map(|name| stage.world.tree(folder.join(name)));
    assert_eq!(ada.read(".rhema/todos.yaml"), ben.read(".rhema/todos.yaml"));
    assert!(ben.git(&["status", "--porcelain"]).is_empty());
    ben.rhema(&["verify"]).exits(0);
    // What it says to try works.
    assert!(ben.git(&["log", "--graph", "--oneline"]).contains("Merge"));
    assert!(
        ben.git(&["diff", "HEAD~4", "HEAD~2"])
            .contains("tide-of-the-day-mail")
    );
    let without = stage.world.tree(folder.join("without-rhema"));
    assert!(without.git(&["diff"]).contains("<<<<<<<"));
    let todos = ".rhema/todos.yaml";
    let text = ada.read(todos);
    ada.write(todos, text.replacen("priority: low", "priority: medium", 1));
    ada.git(&["commit", "-q", "-a", "-m", "more"]);
    ada.git(&["push", "-q"]);
    ben.write(
        todos,
        text.replacen("status: pending", "status: in_progress", 1),
    );
    ben.git(&["commit", "-q", "-a", "-m", "more"]);
    ben.git(&["pull", "-q", "--no-edit"]);
    assert_eq!(
        ben.rhema(&["status", "--json"]).exits(0).json()["driver"]["configured"],
        true
    );
}

#[test]
fn json_holds_the_steps_the_results_and_what_was_live() {
    let stage = Stage::new();
    let run = stage.demo(&["--json"]).exits(0);
    assert_eq!(run.stderr, "");
    let json = run.json();
    assert_eq!(json["ok"], true);
    assert_eq!(json["git_alone"]["conflicts"], 7);
    assert_eq!(json["with_rhema"]["conflicts"], 1);
    assert_eq!(json["with_rhema"]["files"][0], ".rhema/decisions.yaml");
    assert_eq!(json["with_rhema"]["marked"], 0);
    let settled = &json["settled"];
    assert_eq!(settled["winner"]["by"], "Ben");
    assert_eq!(settled["loser"]["by"], "Ada");
    assert_eq!(settled["value"], settled["loser"]["value"]);
    let written = |side: &str| settled[side]["unix_millis"].as_u64().unwrap();
    assert!(written("loser") < written("winner"));
    assert!(
        PathBuf::from(json["folder"].as_str().unwrap())
            .join("ben")
            .is_dir()
    );
    assert!(json["seconds"].as_f64().unwrap() < 60.0);
    let steps = json["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 8);
    for step in steps {
        for field in [
            "title",
            "file",
            "ada",
            "ben",
            "git_alone",
            "merged",
            "lesson",
            "checks",
        ] {
            assert!(!step[field].is_null(), "{field} in {step}");
        }
        assert!(
            step["checks"]
                .as_array()
                .unwrap()
                .iter()
                .all(|check| check["holds"] == true)
        );
        assert!(!step["merged"].as_array().unwrap().is_empty(), "{step}");
    }
    was_live(&stage, &json);
}

/// What happened while both clones were watched: as told, lost by nobody, and over.
#[track_caller]
fn was_live(stage: &Stage, json: &serde_json::Value) {
    let live = &json["live"];
    assert_eq!(live["played"], true);
    assert!(live["why"].is_null(), "{live}");
    let moments = live["moments"].as_array().unwrap();
    assert_eq!(moments.len(), 5);
    for moment in moments {
        let milliseconds = moment["milliseconds"].as_f64().unwrap();
        assert!(milliseconds > 0.0 && milliseconds < 20_000.0, "{moment}");
        for field in ["title", "does", "in_words"] {
            assert!(!moment[field].is_null(), "{field} in {moment}");
        }
        let checks = moment["checks"].as_array().unwrap();
        assert!(!checks.is_empty() && checks.iter().all(|check| check["holds"] == true));
    }
    assert_eq!(live["checks"].as_array().unwrap().len(), 2);
    // What is told of is in the files, and nobody watches them any more.
    let folder = PathBuf::from(json["folder"].as_str().unwrap());
    for name in ["ada", "ben"] {
        let clone = stage.world.tree(folder.join(name));
        let get = |path| clone.rhema(&["get", path]).exits(0).stdout;
        assert_eq!(get("todos/surge-residuals/status"), "completed\n");
        assert_eq!(get("todos/negative-heights/priority"), "high\n");
        assert_eq!(get("todos/negative-heights/assigned_to"), "ben\n");
        assert_eq!(
            get("todos/warn-when-a-gauge-falls-silent/priority"),
            "high\n"
        );
        let status = clone.rhema(&["status", "--json"]).exits(0).json();
        assert_eq!(status["watching"], false);
        assert!(clone.git(&["status", "--porcelain"]).is_empty());
    }
}

#[test]
fn no_watcher_outlives_it() {
    let stage = Stage::new();
    let folder = stage.world.path("play");
    let dir = [OsStr::new("--dir"), folder.as_os_str()];
    let mut demo = stage
        .command(&dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let clones = ["ada", "ben"].map(|name| stage.world.tree(folder.join(name)));
    let is_watched = |wanted: bool| {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(60) {
            let all = clones.iter().all(|clone| {
                // Before there are clones nobody watches them.
                let lock = clone.path(".git/rhema/watch.lock");
                lock.is_file()
                    && clone.rhema(&["status", "--json"]).exits(0).json()["watching"] == wanted
            });
            if all {
                return true;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        false
    };
    assert!(is_watched(true));
    demo.kill().unwrap();
    demo.wait().unwrap();
    assert!(is_watched(false));
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_network_it_says_so_and_tells_the_rest() {
    let alone = ["-r", "-n"];
    let can = Command::new("unshare").args(alone).arg("true").output();
    if !can.is_ok_and(|output| output.status.success()) {
        return;
    }
    let stage = Stage::new();
    let inner = stage.command(&["--json"]);
    let mut command = stage.world.command("unshare", &stage.world.path("home"));
    command
        .args(alone)
        .arg(BINARY)
        .args(["crdt", "demo", "--json"]);
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let json = run(&mut command).exits(0).json();
    assert_eq!(json["ok"], true);
    assert_eq!(json["with_rhema"]["conflicts"], 1);
    assert_eq!(json["live"]["played"], false);
    assert_eq!(json["live"]["moments"], serde_json::json!([]));
    assert!(!json["live"]["why"].as_str().unwrap().is_empty());
}

#[test]
fn quiet_leaves_the_result() {
    let stage = Stage::new();
    let told = stage.demo(&["-q"]).exits(0).stdout;
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.starts_with("Git alone: 7 conflicts"), "{told}");
}

#[test]
fn every_git_will_do() {
    for git in ["/usr/bin/git", "/usr/local/bin/git"] {
        let git = PathBuf::from(git);
        if !git.is_file() {
            continue;
        }
        let stage = Stage::new();
        let folders = std::iter::once(git.parent().unwrap().to_path_buf());
        let path = std::env::var_os("PATH").unwrap();
        let path = std::env::join_paths(folders.chain(std::env::split_paths(&path))).unwrap();
        let version = run(Command::new(&git).arg("version")).stdout;
        let json = run(stage.command(&["--json"]).env("PATH", path))
            .exits(0)
            .json();
        assert!(version.contains(json["git"].as_str().unwrap()), "{version}");
    }
}

#[test]
fn what_does_not_come_out_as_told_is_noticed() {
    let stage = Stage::new();
    // A git that does not take the driver.
    let path = stage.with_git("case \"$*\" in *--replace-all*) exit 0;; esac");
    let told = run(stage.command(&["-q"]).env("PATH", path))
        .exits(1)
        .stdout;
    assert!(told.starts_with("Not everything went as told"), "{told}");
    assert!(
        told.contains("NO   priority of surge-residuals is critical"),
        "{told}"
    );
}

#[test]
fn a_failure_leaves_nothing_behind_unless_asked() {
    let stage = Stage::new();
    let path = stage.with_git("case \"$*\" in *fetch*) echo 'fatal: no' >&2; exit 128;; esac");
    let failed = run(stage.command::<&str>(&[]).env("PATH", &path)).exits(3);
    assert_eq!(failed.stdout, "");
    assert!(
        failed.stderr.starts_with("error: `git fetch -q"),
        "{}",
        failed.stderr
    );
    assert!(stage.left_in_tmp().is_empty());

    let given = stage.world.path("given");
    fs::create_dir(&given).unwrap();
    let dir = [OsStr::new("--dir"), given.as_os_str()];
    run(stage.command(&dir).env("PATH", &path)).exits(3);
    assert_eq!(fs::read_dir(&given).unwrap().count(), 0);

    let new = stage.world.path("new/one");
    run(stage
        .command(&[OsStr::new("--dir"), new.as_os_str()])
        .env("PATH", &path))
    .exits(3);
    assert!(!new.exists());

    run(stage.command(&["--keep"]).env("PATH", &path)).exits(3);
    assert_eq!(stage.left_in_tmp().len(), 1);
}

#[test]
fn without_git_it_says_so() {
    let stage = Stage::new();
    let failed = run(stage
        .command::<&str>(&[])
        .env("PATH", stage.world.path("tmp")))
    .exits(3);
    assert!(
        failed.stderr.contains("cannot run `git`: install it"),
        "{}",
        failed.stderr
    );
    assert!(stage.left_in_tmp().is_empty());
}

#[test]
fn a_folder_that_holds_something_is_refused() {
    let stage = Stage::new();
    let home = stage.world.path("home");
    let refused = stage
        .demo(&[OsStr::new("--dir"), home.as_os_str()])
        .exits(3);
    assert!(
        refused.stderr.contains("is not empty"),
        "{}",
        refused.stderr
    );
    assert!(home.join(".gitconfig").is_file());
}
