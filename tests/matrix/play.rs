//! Plays a row.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::env;
use std::fs::{self, Permissions};
use std::path::{Path, PathBuf};

use rhema_crdt::crdt::Stamp;
use rhema_crdt::overlay::Known;
use rhema_crdt::store::Store;

use crate::file::{FIRST, edited, sorted, told};
use crate::script::{AT_FIRST, Deed, FIRST_FILE, FIRST_TREE, NOTHING, Row, Step};
use crate::sent;
use crate::support::{BINARY, Run, Tree, World, run};

/// When edits are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Once, when all is done.
    Plain,
    /// After every step.
    Synced,
    /// After every step, and each time the store is deleted before.
    Forgetful,
}

/// What a file holds of which nothing can be recorded.
const UNREADABLE: [&str; 2] = ["markers", "broken"];

/// What must be true in a work tree.
#[derive(Clone, Debug)]
struct Expected {
    file: &'static str,
    path: &'static str,
    tree: &'static str,
    sent: &'static str,
}

impl Default for Expected {
    fn default() -> Self {
        Self {
            file: AT_FIRST,
            path: FIRST_FILE,
            tree: "clean",
            sent: NOTHING,
        }
    }
}

impl Expected {
    fn is_busy(&self) -> bool {
        sorted(self.tree).contains(&"busy")
    }

    /// What git tells of the tree, in the words of `tree`.
    fn of_git(&self) -> Vec<&'static str> {
        let words = sorted(self.tree).into_iter();
        words
            .filter(|word| !["busy", "clean"].contains(word))
            .collect()
    }
}

struct Player<'w> {
    world: &'w World,
    row: &'static str,
    way: Way,
    tree: &'static str,
    expected: BTreeMap<&'static str, Expected>,
    /// The git directories of the work trees.
    git_dirs: RefCell<BTreeMap<&'static str, PathBuf>>,
    /// What has been done so far, for whoever reads of a failure.
    done: Vec<&'static str>,
}

/// Plays a row in one way.
pub(crate) fn play(row: &Row, way: Way) {
    let world = World::new();
    let work = world.repo(FIRST_TREE, &[(FIRST_FILE, FIRST)]);
    work.rhema(&["init", "-q"]).exits(0);
    work.commit("init");
    work.rhema(&["sync", "-q", "--timeout", "0"]).exits(0);
    let mut player = Player {
        world: &world,
        row: row.name,
        way,
        tree: FIRST_TREE,
        expected: [(FIRST_TREE, Expected::default())].into(),
        git_dirs: RefCell::default(),
        done: Vec::new(),
    };
    for step in row.steps() {
        player.take(&step);
    }
    if way == Way::Plain {
        let trees: Vec<&'static str> = player.expected.keys().copied().collect();
        for tree in trees {
            player.tree = tree;
            if player.folder().exists() {
                player.sync();
            }
        }
    }
    player.check_names();
}

impl Player<'_> {
    fn take(&mut self, step: &Step) {
        self.done.push(step.shown);
        match step.deed {
            Deed::In(folder) => {
                self.tree = folder;
                self.expected.entry(folder).or_default();
            }
            Deed::File(path) => self.now().path = path,
            Deed::Edit(changes) => {
                let file = self.file();
                let text = fs::read_to_string(&file).unwrap();
                fs::write(&file, edited(&text, changes)).unwrap();
            }
            Deed::Receive(folder) => {
                let here = (self.tree, self.git_dir());
                self.tree = folder;
                self.sync_once();
                let there = self.git_dir();
                self.tree = here.0;
                sent::send(&there, &here.1);
                self.sync_once();
            }
            Deed::Shell(command) => {
                let run = self.shell(command);
                self.holds(run.status == 0, || format!("it failed: {}", run.stderr));
            }
            Deed::Fails(command) => {
                let run = self.shell(command);
                self.holds(run.status != 0, || "it did not fail".to_owned());
            }
            Deed::WithoutSync(sent) => {
                if self.way == Way::Plain {
                    self.now().sent = sent;
                }
                return;
            }
        }
        let now = self.now();
        now.file = step.file.unwrap_or(now.file);
        now.tree = step.tree.unwrap_or(now.tree);
        now.sent = step.sent.unwrap_or(now.sent);
        if matches!(step.deed, Deed::In(_) | Deed::File(_)) && step.file.is_none() {
            return;
        }
        self.check_file("after the step");
        // What is typed back takes the annotation out only when it is recorded.
        if self.way == Way::Plain || !matches!(step.deed, Deed::Edit(_)) {
            self.check_tree();
        }
        if self.way != Way::Plain {
            self.sync();
        }
    }

    fn check_tree(&mut self) {
        let (was, expected) = (self.git_status(), self.now().of_git());
        self.holds(was == expected, || {
            format!("after the step the work tree is {was:?}, not {expected:?}")
        });
    }

    /// Records, twice, and checks what every record must hold to.
    fn sync(&mut self) {
        if self.way == Way::Forgetful {
            self.forget();
        }
        let gits = self.gits();
        self.sync_once();
        self.check_file("after `sync`");
        let (was, expected) = (self.git_status(), self.now().of_git());
        let stamped = |words: &[&str]| words.contains(&"staged");
        let only_stamped = was
            .iter()
            .all(|word| expected.contains(word) || (*word == "edited" && stamped(&expected)));
        self.holds(
            was == expected || (only_stamped && !expected.is_empty()),
            || format!("after `sync` the work tree is {was:?}, not {expected:?}"),
        );
        self.holds(gits == self.gits(), || {
            "`sync` moved HEAD or put another kind of file in place".to_owned()
        });
        let (text, edits) = (fs::read(self.file()).ok(), self.edits());
        self.check_sent(&edits);
        self.sync_once();
        self.holds(text == fs::read(self.file()).ok(), || {
            "`sync` again changed the file".to_owned()
        });
        self.holds(edits == self.edits(), || {
            format!("`sync` again recorded: {}", sent::told(&self.edits()))
        });
    }

    fn sync_once(&mut self) {
        let run = self
            .world
            .rhema(&self.folder(), &["sync", "--timeout", "0", "--json"]);
        let is_left = self.now().is_busy() || UNREADABLE.contains(&self.now().file);
        let expected = if is_left { 1 } else { 0 };
        let is_sane = run.status == expected
            && run.stderr.is_empty() != is_left
            && !run.stderr.contains("panicked");
        self.holds(is_sane, || {
            format!("`sync` ended with {}: {}", run.status, run.stderr)
        });
    }

    fn check_sent(&mut self, edits: &[Known]) {
        let (way, now) = (self.way, self.now().clone());
        let sent = sent::told(edits);
        match way {
            Way::Synced => self.holds(sent == now.sent, || {
                format!("sent is `{sent}`, not `{}`", now.sent)
            }),
            Way::Plain => {
                let (sent, expected) = (sent::kept(&sent), sent::kept(now.sent));
                self.holds(sent == expected, || {
                    format!("sent is `{sent}`, not `{expected}`")
                });
            }
            // Nobody can tell what was recorded before; but what is not committed is recorded anew, and nothing else.
            Way::Forgetful => {
                let is_edit = self.differs_from_head();
                let is_form =
                    now.tree != "clean" && sent.split(", ").all(|edit| edit.ends_with('~'));
                let is_recorded = sent != NOTHING && !is_form;
                self.holds(is_edit.is_none_or(|is_edit| is_edit == is_recorded), || {
                    format!("without a store `{sent}` is sent")
                });
            }
        }
    }

    /// Whether the file holds values that HEAD does not; nothing where more than the file is another one than in HEAD.
    fn differs_from_head(&mut self) -> Option<bool> {
        let now = self.now().clone();
        if now.tree == "clean" || now.is_busy() || UNREADABLE.contains(&now.file) {
            return Some(false);
        }
        let changed = self.git(&["status", "--porcelain"]).stdout;
        let is_alone = changed.get(3..) == Some(&format!("{}\n", now.path));
        // The way through a filter, as it is in the work tree.
        let run = self.git(&["cat-file", "--filters", &format!("HEAD:{}", now.path)]);
        let is_comparable = is_alone && run.status == 0 && now.file != "absent";
        is_comparable.then(|| sorted(&told(&run.stdout)) != sorted(now.file))
    }

    /// No stamp names two edits, whatever was copied.
    fn check_names(&mut self) {
        let mut named: BTreeMap<Stamp, Known> = BTreeMap::new();
        let trees: Vec<&'static str> = self.expected.keys().copied().collect();
        for tree in trees {
            self.tree = tree;
            if !self.folder().exists() {
                continue;
            }
            for edit in self.edits() {
                let other = named.insert(edit.stamp, edit.clone());
                self.holds(other.is_none_or(|other| other == edit), || {
                    format!("two edits are named {}", edit.stamp)
                });
            }
        }
    }

    fn check_file(&mut self, when: &str) {
        let expected = self.now().file;
        let there = match fs::read_to_string(self.file()) {
            Ok(text) => told(&text),
            Err(_) => "absent".to_owned(),
        };
        self.holds(sorted(&there) == sorted(expected), || {
            format!("{when} the file holds `{there}`, not `{expected}`")
        });
    }

    fn edits(&self) -> Vec<Known> {
        sent::own_edits(&self.git_dir())
    }

    /// Deletes the store.
    fn forget(&self) {
        let store = Store::path_in(&self.git_dir());
        for suffix in ["", "-wal", "-shm"] {
            let mut path = store.clone().into_os_string();
            path.push(suffix);
            let _ = fs::remove_file(path);
        }
    }

    fn now(&mut self) -> &mut Expected {
        self.expected.get_mut(self.tree).unwrap()
    }

    fn folder(&self) -> PathBuf {
        self.world.path(self.tree)
    }

    fn file(&self) -> PathBuf {
        self.folder().join(self.expected[self.tree].path)
    }

    fn git(&self, arguments: &[&str]) -> Run {
        let world = self.world;
        let top = self.folder();
        Tree { world, top }.try_git(arguments)
    }

    fn git_dir(&self) -> PathBuf {
        let mut known = self.git_dirs.borrow_mut();
        let git_dir = known.entry(self.tree).or_insert_with(|| {
            let run = self.git(&["rev-parse", "--absolute-git-dir"]);
            PathBuf::from(run.stdout.trim_end())
        });
        git_dir.clone()
    }

    /// What nobody but git changes: where HEAD was and is, and what kind of file the document is.
    fn gits(&self) -> (Option<Vec<u8>>, Option<(bool, Permissions)>) {
        let logged = fs::read(self.git_dir().join("logs/HEAD")).ok();
        let metadata = fs::symlink_metadata(self.file()).ok();
        (
            logged,
            metadata.map(|metadata| (metadata.is_symlink(), metadata.permissions())),
        )
    }

    fn git_status(&self) -> Vec<&'static str> {
        let run = self.git(&["status", "--porcelain"]);
        let mut words = Vec::new();
        for line in run.stdout.lines() {
            match line.as_bytes() {
                [b'?', ..] => words.push("untracked"),
                [b'U', ..] | [_, b'U', ..] | [b'A', b'A', ..] | [b'D', b'D', ..] => {
                    words.push("unmerged");
                }
                [staged, edited, ..] => {
                    words.extend((*staged != b' ').then_some("staged"));
                    words.extend((*edited != b' ').then_some("edited"));
                }
                _ => {}
            }
        }
        words.sort_unstable();
        words.dedup();
        words
    }

    fn shell(&self, command: &str) -> Run {
        let programs = Path::new(BINARY).parent().unwrap();
        let inherited = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths(
            [programs.to_owned()]
                .into_iter()
                .chain(env::split_paths(&inherited)),
        );
        run(self
            .world
            .command("sh", &self.folder())
            .env("PATH", path.unwrap())
            .env("GIT_EDITOR", "true")
            .args(["-c", command]))
    }

    #[track_caller]
    fn holds(&self, is_so: bool, why: impl FnOnce() -> String) {
        if !is_so {
            let log = self.git(&["log", "--oneline", "--graph", "-12"]).stdout;
            let text = fs::read_to_string(self.file()).unwrap_or_default();
            panic!(
                "{} ({:?}), in {}: {}\n--- done\n{}\n--- file\n{text}--- log\n{log}",
                self.row,
                self.way,
                self.tree,
                why(),
                self.done.join("\n"),
            );
        }
    }
}
