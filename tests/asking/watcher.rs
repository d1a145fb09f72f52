//! A watcher, and commands that must not do by themselves what it can do.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{BINARY, Run, Tree, World, run};

/// The document of the tests.
pub(crate) const FILE: &str = ".rhema/todos.yaml";

/// What it holds at first.
pub(crate) const TODOS: &str = "\
todos:
  - id: a
    title: First
    priority: low
  - id: b
    title: Second
    tags: [x, y]
owner: ada
";

/// For how long something may be waited for: never a claim about speed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until it is so.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A repository that is set up, all committed and looked at.
pub(crate) fn set_up<'w>(world: &'w World, name: &str) -> Tree<'w> {
    let tree = world.repo(name, &[(FILE, TODOS)]);
    tree.rhema(&["init"]).exits(0);
    tree.commit("init");
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
    tree
}

/// `watch` in a work tree, until it is dropped.
pub(crate) struct Watcher {
    child: Child,
    socket: PathBuf,
}

impl Watcher {
    /// One that takes questions.
    pub(crate) fn begin(tree: &Tree<'_>) -> Self {
        Self::with(tree, |_| {})
    }

    /// One whose command was changed.
    pub(crate) fn with(tree: &Tree<'_>, change: impl FnOnce(&mut Command)) -> Self {
        let runtime = tree.world.path("run");
        let _ = fs::create_dir(&runtime);
        fs::set_permissions(&runtime, Permissions::from_mode(0o700)).unwrap();
        let mut command = tree.world.command(BINARY, &tree.top);
        command
            .args(["crdt", "watch", "--json", "--discovery", "off"])
            .env("XDG_RUNTIME_DIR", &runtime)
            .stdout(fs::File::create(tree.world.path("watch.out")).unwrap())
            .stderr(Stdio::null());
        if !command.get_args().any(|argument| argument == "--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        change(&mut command);
        let child = command.spawn().unwrap();
        let git_dir = PathBuf::from(tree.git(&["rev-parse", "--absolute-git-dir"]).trim());
        let socket = git_dir.join("rhema/socket");
        until("the watcher listens to commands", || socket.exists());
        Self { child, socket }
    }

    /// The path of the socket.
    pub(crate) fn socket(&self) -> PathBuf {
        PathBuf::from(fs::read_to_string(&self.socket).unwrap().trim())
    }

    /// Kills it, as the system does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Whether it ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Stops it, or lets it go on.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let done = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(done.success());
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command that would not survive recording or showing anything by itself: it has to ask.
pub(crate) fn asks(tree: &Tree<'_>, arguments: &[&str]) -> Run {
    let mut command = tree.world.command(BINARY, &tree.top);
    let point = match arguments[0] {
        "sync" => "before-end",
        _ => "before-store",
    };
    command
        .env("RHEMA_CRASH_AT", point)
        .arg("crdt")
        .args(arguments);
    run(&mut command)
}

/// A text without what differs in every run: stamps, and how long things took.
pub(crate) fn without_stamps(text: &str) -> String {
    let is_stamp = |word: &str| {
        let parts = word.split_once('-');
        let is_name = |part: &str| {
            part.chars()
                .all(|sign| sign.is_ascii_digit() || sign.is_ascii_lowercase())
        };
        parts.is_some_and(|(time, replica)| {
            time.len() == 8 && replica.len() == 6 && is_name(time) && is_name(replica)
        })
    };
    let mut told = String::new();
    let mut word = String::new();
    for sign in text.chars().chain(['\0']) {
        if sign.is_ascii_alphanumeric() || sign == '-' {
            word.push(sign);
            continue;
        }
        told.push_str(if is_stamp(&word) { "STAMP" } else { &word });
        word.clear();
        told.push(sign);
    }
    told
}
