//! Clones of one repository whose nodes know each other, and who watches them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::support::{BINARY, Tree, World};
use crate::text::FILE;
use crate::watching::{Lines, Watch, eventually};

/// Clones of one repository, each with a node of its own that the others trust; all stand on one commit.
pub(crate) struct Clones {
    pub(crate) world: World,
    names: Vec<String>,
    watched: Mutex<Vec<Watched>>,
}

/// Who watched a clone so far.
#[derive(Clone, Debug, Default)]
struct Watched {
    /// Where the last one listened.
    address: Option<String>,
    /// What each of them said.
    said: Vec<Lines>,
}

impl Clones {
    /// That many clones with this text in the file that all edit.
    pub(crate) fn new(count: usize, text: &str) -> Self {
        let world = match std::env::var_os("WATCH_FOLDER") {
            Some(folder) => World::within(Path::new(&folder)),
            None => World::new(),
        };
        let names: Vec<String> = (0..count).map(|number| format!("c{number}")).collect();
        let first = world.repo(&names[0], &[(FILE, text)]);
        first.rhema(&["init", "-q"]).exits(0);
        first.commit("init");
        for name in &names[1..] {
            first.git(&["clone", "-q", ".", &format!("../{name}")]);
            let tree = world.tree(name);
            tree.rhema(&["init", "-q"]).exits(0);
            tree.commit("join");
            first.git(&["pull", "-q", &format!("../{name}"), "main"]);
        }
        for name in &names[1..] {
            world.tree(name).git(&["pull", "-q", "origin", "main"]);
        }
        Self {
            watched: Mutex::new(vec![Watched::default(); count]),
            names,
            world,
        }
    }

    /// A work tree linked to the first clone, on a branch of its own, as one more of them.
    pub(crate) fn link(&mut self, branch: &str) {
        let name = format!("c{}", self.names.len());
        self.tree(0)
            .git(&["worktree", "add", "-q", "-b", branch, &format!("../{name}")]);
        self.names.push(name);
        self.watched.lock().unwrap().push(Watched::default());
        self.tree(self.len() - 1).rhema(&["init", "-q"]).exits(0);
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn tree(&self, at: usize) -> Tree<'_> {
        self.world.tree(&self.names[at])
    }

    /// The file that all edit.
    pub(crate) fn file(&self, at: usize) -> PathBuf {
        self.tree(at).path(FILE)
    }

    /// What that file says here; nothing while git replaces it.
    pub(crate) fn text(&self, at: usize) -> String {
        fs::read_to_string(self.file(at)).unwrap_or_default()
    }

    /// Watches a clone, where it was watched before, and calls all others that were ever watched. With `WATCH_LOG` in the
    /// environment it tells of all that it does.
    #[track_caller]
    pub(crate) fn watch(&self, at: usize) -> Watch {
        let mut command = self.world.command(BINARY, &self.tree(at).top);
        command.arg("crdt");
        if std::env::var_os("WATCH_LOG").is_some() {
            command.arg("-vv");
        }
        command.args(["watch", "--json", "--discovery", "off", "--listen"]);
        let said = Lines::default();
        {
            let mut watched = self.watched.lock().unwrap();
            command.arg(watched[at].address.as_deref().unwrap_or("127.0.0.1:0"));
            for (other, watched) in watched.iter().enumerate() {
                if let Some(address) = watched.address.as_deref().filter(|_| other != at) {
                    command.args(["--peer", address]);
                }
            }
            watched[at].said.push(said.clone());
        }
        let watch = Watch::begin(&mut command, said);
        self.watched.lock().unwrap()[at].address = Some(watch.address());
        watch
    }

    /// Watches all of them.
    #[track_caller]
    pub(crate) fn watch_all(&self) -> Vec<Watch> {
        (0..self.len()).map(|at| self.watch(at)).collect()
    }

    /// Whether all files hold the same; the text.
    pub(crate) fn common_text(&self) -> Option<String> {
        let first = self.text(0);
        let is_common = (1..self.len()).all(|at| self.text(at) == first);
        (is_common && !first.is_empty()).then_some(first)
    }

    /// Waits until all files have the same bytes, and these words in them.
    #[track_caller]
    pub(crate) fn agree_on(&self, words: &[&str]) {
        self.agree_that(
            |text| words.iter().all(|words| text.contains(words)),
            &format!("{words:?}"),
        );
    }

    /// Waits until all files have the same bytes, of which something is true.
    #[track_caller]
    pub(crate) fn agree_that(&self, is_true: impl Fn(&str) -> bool, what: &str) {
        eventually(
            || self.common_text().is_some_and(|text| is_true(&text)),
            || format!("they do not agree on {what}\n{}", self.told()),
        );
    }

    /// Waits until all files have the same bytes and keep them for a while; how long it took until then.
    pub(crate) fn settled(&self, patience: Duration) -> Option<Duration> {
        const QUIET: Duration = Duration::from_secs(3);
        let began = Instant::now();
        let mut last: Option<(String, Duration)> = None;
        while began.elapsed() < patience {
            let now = self.common_text();
            last = match (now, last) {
                (Some(text), Some((before, since))) if text == before => Some((before, since)),
                (Some(text), _) => Some((text, began.elapsed())),
                (None, _) => None,
            };
            if let Some((_, since)) = &last
                && began.elapsed() - *since > QUIET
            {
                return Some(*since);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        None
    }

    /// What those who watched a clone said, one after the other.
    fn said(&self, at: usize) -> String {
        let watched = self.watched.lock().unwrap();
        let said = watched[at].said.iter().map(Lines::all);
        said.collect::<Vec<_>>().join("-- and then\n")
    }

    /// What all files hold, and what who watches them said, for whoever looks for the cause of a failure.
    pub(crate) fn told(&self) -> String {
        let of = |at: usize| {
            let (name, text) = (&self.names[at], self.text(at));
            format!("===== {name}\n{text}----- watch\n{}", self.said(at))
        };
        (0..self.len()).map(of).collect()
    }

    /// Lines of those who watched with these words.
    fn lines(&self, words: &str) -> Vec<String> {
        let watched = self.watched.lock().unwrap();
        let said = watched.iter().flat_map(|watched| &watched.said);
        let lines = said.flat_map(|said| said.matching(words, 0));
        lines.map(|(_, line)| line).collect()
    }

    /// Lines of those who watched that tell of a fault of the program.
    pub(crate) fn faults(&self) -> Vec<String> {
        const FAULTS: [&str; 3] = [
            "panicked",
            "should not have happened",
            "cannot show all that is known",
        ];
        FAULTS
            .into_iter()
            .flat_map(|fault| self.lines(fault))
            .collect()
    }

    /// What those who watched warned of, and how often.
    pub(crate) fn warnings(&self) -> BTreeMap<String, usize> {
        let mut warnings = BTreeMap::new();
        for line in self.lines("\"event\":\"warning\"") {
            *warnings.entry(line).or_default() += 1;
        }
        warnings
    }

    /// Leaves everything where it can be looked at.
    pub(crate) fn keep(self) -> PathBuf {
        let folder = self.world.path("");
        for (at, name) in self.names.iter().enumerate() {
            fs::write(folder.join(format!("{name}.log")), self.said(at)).unwrap();
        }
        std::mem::forget(self.world);
        folder
    }
}
