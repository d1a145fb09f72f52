//! Where walks are taken: a bare repository, clones of it, and everything that is done there as a shell script.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use git2::{ObjectType, Oid, Repository};

use crate::broken::Broken;
use crate::counting::{CONFIG, with_counter};
use crate::script::Script;
use crate::support::{Run, Tree, World};
use crate::text::{self, FILE, Leaf, Said, Typing};

/// What somebody with a work tree knows of it beside what stands there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Desk {
    pub(crate) name: String,
    /// What was parked and has not been seen since; nothing for a record that was deleted.
    pub(crate) parked: BTreeMap<Leaf, Option<String>>,
    pub(crate) parked_comments: BTreeSet<String>,
    /// Values that lost and were parked.
    pub(crate) parked_losers: BTreeSet<String>,
    /// Values that had lost, whose settling was parked.
    pub(crate) parked_settlings: BTreeSet<String>,
    /// Whether what was parked is to be shown again.
    pub(crate) returns: bool,
    /// How much had been written to the log of HEAD when the tool last ran.
    pub(crate) log: u64,
    /// Whether the file was edited by hand since the tool last ran.
    pub(crate) is_typed: bool,
    /// How many records were added here under ids that others use, too.
    pub(crate) common: usize,
    /// Whether amounts were parked.
    pub(crate) has_parked_amounts: bool,
    /// Whether something was added to the counter by hand since the tool last ran.
    pub(crate) is_counted: bool,
}

pub(crate) struct Ground {
    world: World,
    pub(crate) desks: Vec<Desk>,
    script: Script,
    words: u32,
    /// How many amounts were added to the counter.
    pub(crate) amounts: u32,
    /// Whether some of them have no name any more.
    pub(crate) has_lost_amounts: bool,
    /// Whether a store was lost: edits that stood in it alone are made again, and go by two names.
    pub(crate) has_lost: bool,
    /// The values that stood in a commit.
    pub(crate) committed: BTreeSet<String>,
    /// The values that somebody told somebody else.
    pub(crate) told: BTreeSet<String>,
}

const SETTINGS: &str = "[maintenance]\nauto = false\n[gc]\nauto = 0\n[core]\neditor = true\nfsync = none\n\
    [advice]\ndetachedHead = false\n";

/// What was edited and committed before the walk begins, so that there is something to go back to.
fn earlier() -> [Typing; 3] {
    [("a", "v50"), ("b", "v51"), ("a", "v52")].map(|(id, value)| Typing::Set {
        id: id.to_owned(),
        field: "title",
        value: value.to_owned(),
    })
}

impl Ground {
    /// Two clones of one repository with the branches `main` and `side`.
    pub(crate) fn new() -> Self {
        let world = World::new();
        world.tree("home").write(".gitconfig", SETTINGS);
        let beginning = with_counter(&text::start());
        let start = world.repo("start", &[(FILE, &beginning), CONFIG]);
        start.rhema(&["init", "-q"]).exits(0);
        start.git(&["add", "-A"]);
        start.git(&["commit", "-q", "--amend", "-m", "init"]);
        for commit in earlier() {
            start.write(FILE, commit.apply(&start.read(FILE)));
            start.commit("an earlier edit");
        }
        start.git(&["branch", "side"]);
        let home = world.tree("");
        home.git(&["clone", "-q", "--bare", "start", "hub.git"]);
        let mut ground = Self {
            world,
            desks: Vec::new(),
            script: Script::default(),
            words: 100,
            amounts: 0,
            has_lost_amounts: false,
            has_lost: false,
            committed: BTreeSet::new(),
            told: BTreeSet::new(),
        };
        ground.note("export RHEMA_RACE_MILLIS=0 # a debug build, where people take their time");
        ground.note("mkdir -p start/.rhema/crdt; git -C start init -q -b main");
        for (file, text) in [(FILE, beginning.as_str()), CONFIG] {
            ground.note(&format!("cat > start/{file} <<'END'\n{text}END"));
        }
        ground.note("(cd start; rhema crdt init -q; git add -A; git commit -qm init)");
        for commit in earlier() {
            ground.note(&format!(
                "(cd start; {}; git commit -qam edit)",
                commit.script()
            ));
        }
        ground.note("git -C start branch side");
        ground.note("git clone -q --bare start hub.git");
        for name in ["ann", "ben"] {
            let home = ground.world.tree("");
            home.git(&["clone", "-q", "hub.git", name]);
            let desk = ground.world.tree(name);
            desk.git(&["branch", "-q", "side", "origin/side"]);
            desk.rhema(&["init", "-q", "--no-join"]).exits(0);
            ground.note(&format!(
                "git clone -q hub.git {name}; (cd {name}; git branch -q side origin/side; rhema crdt init -q --no-join)"
            ));
            ground.desks.push(Desk {
                name: name.to_owned(),
                ..Desk::default()
            });
        }
        ground.note_committed(0);
        ground
    }

    /// Adds a line to the script.
    pub(crate) fn note(&mut self, line: &str) {
        self.script.note(line);
    }

    /// All that was done.
    pub(crate) fn script(&self) -> String {
        self.script.text()
    }

    /// A word that nobody has used.
    pub(crate) fn word(&mut self) -> u32 {
        self.words += 1;
        self.words
    }

    pub(crate) fn value(&mut self) -> String {
        format!("v{}", self.word())
    }

    pub(crate) fn tree(&self, at: usize) -> Tree<'_> {
        self.world.tree(&self.desks[at].name)
    }

    /// What the file holds; nothing where there is none.
    pub(crate) fn file(&self, at: usize) -> Option<String> {
        fs::read_to_string(self.tree(at).path(FILE)).ok()
    }

    pub(crate) fn write(&self, at: usize, text: &str) {
        self.tree(at).write(FILE, text);
    }

    /// What the file says; nothing where it cannot be read.
    pub(crate) fn said(&self, at: usize) -> Option<Said> {
        Said::read(&self.file(at)?).ok()
    }

    pub(crate) fn repo(&self, at: usize) -> Repository {
        Repository::open(self.tree(at).top).unwrap()
    }

    /// The commit that git calls so.
    pub(crate) fn commit_named(&self, at: usize, name: &str) -> Option<Oid> {
        let repo = self.repo(at);
        let commit = repo.revparse_single(name).ok()?;
        Some(commit.peel(ObjectType::Commit).ok()?.id())
    }

    /// What is staged of the file.
    pub(crate) fn staged(&self, at: usize) -> Option<String> {
        let repo = self.repo(at);
        let entry = repo.index().unwrap().get_path(Path::new(FILE), 0)?;
        let blob = repo.find_blob(entry.id).ok()?;
        String::from_utf8(blob.content().to_vec()).ok()
    }

    /// The file's version that git calls so, as in `HEAD:`.
    pub(crate) fn version(&self, at: usize, of: &str) -> Option<String> {
        let repo = self.repo(at);
        let object = repo.revparse_single(&format!("{of}{FILE}")).ok()?;
        let blob = object.into_blob().ok()?;
        String::from_utf8(blob.content().to_vec()).ok()
    }

    pub(crate) fn head_version(&self, at: usize) -> Option<String> {
        self.version(at, "HEAD:")
    }

    /// Whether the file, HEAD and the index agree.
    pub(crate) fn is_clean(&self, at: usize) -> bool {
        let head = self.head_version(at);
        self.file(at) == head && self.staged(at) == head
    }

    /// The branch, if HEAD names one.
    pub(crate) fn branch(&self, at: usize) -> Option<String> {
        let repo = self.repo(at);
        let head = repo.head().ok().filter(|head| head.is_branch())?;
        head.shorthand().ok().map(str::to_owned)
    }

    /// How much stands in the log of HEAD.
    pub(crate) fn log(&self, at: usize) -> u64 {
        let log = fs::metadata(self.tree(at).path(".git/logs/HEAD"));
        log.map_or(0, |log| log.len())
    }

    /// What git is in the middle of.
    pub(crate) fn under_way(&self, at: usize) -> Option<&'static str> {
        let states = [
            ("rebase-merge", "rebase"),
            ("rebase-apply", "rebase"),
            ("CHERRY_PICK_HEAD", "cherry-pick"),
            ("REVERT_HEAD", "revert"),
            ("MERGE_HEAD", "merge"),
        ];
        let folder = self.tree(at).path(".git");
        let found = states
            .into_iter()
            .find(|(file, _)| folder.join(file).exists());
        found.map(|(_, what)| what)
    }

    /// `git ARGUMENTS`, whatever comes of it.
    pub(crate) fn git(&mut self, at: usize, arguments: &[&str]) -> Result<Run, Broken> {
        self.git_with(at, &[], arguments)
    }

    /// The same with something in the environment.
    pub(crate) fn git_with(
        &mut self,
        at: usize,
        environment: &[(&str, &str)],
        arguments: &[&str],
    ) -> Result<Run, Broken> {
        self.run(at, environment, "git", arguments)
    }

    /// `rhema crdt ARGUMENTS`.
    pub(crate) fn rhema(&mut self, at: usize, arguments: &[&str]) -> Result<Run, Broken> {
        self.rhema_with(at, &[], arguments)
    }

    /// The same with something in the environment.
    pub(crate) fn rhema_with(
        &mut self,
        at: usize,
        environment: &[(&str, &str)],
        arguments: &[&str],
    ) -> Result<Run, Broken> {
        let arguments: Vec<&str> = ["crdt"].iter().chain(arguments).copied().collect();
        self.run(at, environment, "rhema", &arguments)
    }

    fn run(
        &mut self,
        at: usize,
        environment: &[(&str, &str)],
        program: &str,
        arguments: &[&str],
    ) -> Result<Run, Broken> {
        let (top, name) = (self.tree(at).top, self.desks[at].name.clone());
        let within = Some(name.as_str());
        self.script
            .run(&self.world, &top, within, environment, program, arguments)
    }

    /// Remembers what HEAD holds.
    pub(crate) fn note_committed(&mut self, at: usize) {
        let head = self
            .head_version(at)
            .and_then(|head| Said::read(&head).ok());
        if let Some(said) = head {
            self.committed.extend(said.leaves.into_values());
            self.committed.extend(said.kept);
        }
    }
}
