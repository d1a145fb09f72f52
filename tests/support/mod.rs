//! A private world for tests: its own home, its own git identity, nothing inherited, and the real binary.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// What a program did.
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// The run, which must have ended with `status`.
    #[track_caller]
    pub(crate) fn exits(self, status: i32) -> Self {
        assert_eq!(
            self.status, status,
            "exit status\n--- stdout\n{}--- stderr\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// The JSON value on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.stdout))
    }
}

/// A temporary folder with a home in it; `git` is the first on PATH.
pub(crate) struct World {
    folder: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        // Where files are kept in memory git is several times as fast: it waits for the disk at every step.
        let memory = Path::new("/dev/shm");
        match memory.is_dir() {
            true => Self::within(memory),
            false => Self::within(&std::env::temp_dir()),
        }
    }

    /// A world in a folder.
    pub(crate) fn within(folder: &Path) -> Self {
        let folder = tempfile::tempdir_in(folder).unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        fs::write(folder.path().join("home/.gitconfig"), "").unwrap();
        Self { folder }
    }

    /// A path in the world.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    /// A new repository on branch `main` with the files in its first commit.
    pub(crate) fn repo(&self, name: impl AsRef<Path>, files: &[(&str, &str)]) -> Tree<'_> {
        let top = self.path(name);
        fs::create_dir_all(&top).unwrap();
        let tree = Tree { world: self, top };
        tree.git(&["init", "-q", "-b", "main"]);
        for (path, content) in files {
            tree.write(path, content);
        }
        tree.git(&["add", "-A"]);
        tree.git(&["commit", "-q", "--allow-empty", "-m", "start"]);
        tree
    }

    /// A work tree that is already there.
    pub(crate) fn tree(&self, name: impl AsRef<Path>) -> Tree<'_> {
        Tree {
            world: self,
            top: self.path(name),
        }
    }

    /// A program that sees nothing but this world.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>, folder: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy();
            if name_text.starts_with("GIT_")
                || name_text.starts_with("XDG_")
                || name_text == "NO_COLOR"
            {
                command.env_remove(&name);
            }
        }
        let home = self.path("home");
        command
            .current_dir(folder)
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", home.join(".config"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", home.join(".gitconfig"))
            .env("GIT_CEILING_DIRECTORIES", self.path(""))
            .env("GIT_AUTHOR_NAME", "A. Tester")
            .env("GIT_AUTHOR_EMAIL", "tester@example.org")
            .env("GIT_COMMITTER_NAME", "A. Tester")
            .env("GIT_COMMITTER_EMAIL", "tester@example.org")
            .env("LC_ALL", "C")
            .stdin(Stdio::null());
        command
    }

    /// `rhema crdt ARGUMENTS` in a folder of the world.
    pub(crate) fn rhema<A: AsRef<OsStr>>(&self, folder: &Path, arguments: &[A]) -> Run {
        run(self.command(BINARY, folder).arg("crdt").args(arguments))
    }
}

/// The program under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_rhema");

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Run {
    let mut tries = 0;
    let output = loop {
        match command.output() {
            // A program that was just copied: a process that another test starts at this moment may still hold the copy.
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && tries < 500 => {
                tries += 1;
                thread::sleep(Duration::from_millis(10));
            }
            output => break output.unwrap(),
        }
    };
    Run {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A work tree.
pub(crate) struct Tree<'w> {
    pub(crate) world: &'w World,
    pub(crate) top: PathBuf,
}

impl Tree<'_> {
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.top.join(name)
    }

    pub(crate) fn write(&self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = fs::File::create(path).unwrap();
        file.write_all(content.as_ref()).unwrap();
    }

    #[track_caller]
    pub(crate) fn read(&self, name: impl AsRef<Path>) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// `rhema crdt ARGUMENTS` at the top.
    pub(crate) fn rhema<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Run {
        self.world.rhema(&self.top, arguments)
    }

    /// `git ARGUMENTS` at the top, whatever comes of it.
    pub(crate) fn try_git<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Run {
        run(self.world.command("git", &self.top).args(arguments))
    }

    /// `git ARGUMENTS` at the top, which must succeed; its output.
    #[track_caller]
    pub(crate) fn git<A: AsRef<OsStr>>(&self, arguments: &[A]) -> String {
        self.try_git(arguments).exits(0).stdout
    }

    /// Everything below the top, `.git` included: paths and bytes. Of the files that come and go with the store only that
    /// there is one: what looking at it leaves in it is nobody's business.
    pub(crate) fn snapshot(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.top, &mut files);
        for (path, bytes) in &mut files {
            if path.ends_with("rhema/store.sqlite") {
                bytes.clear();
            }
        }
        let comes_and_goes = |path: &Path| {
            let state = path
                .parent()
                .is_some_and(|folder| folder.ends_with(".git/rhema"));
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            state && (name.starts_with("store.sqlite-") || name.ends_with(".lock"))
        };
        files.retain(|path, _| !comes_and_goes(path));
        files
    }

    /// Commits everything.
    #[track_caller]
    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    /// On a branch from `main`: writes the file and commits; back on `main` after.
    #[track_caller]
    pub(crate) fn on_branch(&self, branch: &str, file: &str, content: impl AsRef<[u8]>) {
        self.git(&["checkout", "-q", "-b", branch, "main"]);
        self.write(file, content);
        self.commit(branch);
        self.git(&["checkout", "-q", "main"]);
    }
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_symlink() {
            let target = fs::read_link(&path).unwrap();
            files.insert(path, target.into_os_string().into_encoded_bytes());
        } else if path.is_dir() {
            collect(&path, files);
        } else {
            let bytes = fs::read(&path).unwrap();
            files.insert(path, bytes);
        }
    }
}
