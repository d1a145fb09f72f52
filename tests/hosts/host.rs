//! People on hosts of their own, each with a clone of one repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rhema_crdt::overlay::Knowledge;
use rhema_crdt::store::Store;
use serde_json::Value;

use crate::net::{Hosts, ip};
use crate::support::{BINARY, Run, Tree, World, run};
use crate::watching::{Lines, Watch, eventually};

/// The document that they share.
pub(crate) const TODOS: &str = ".rhema/todos.yaml";

const BEGINNING: &str = "todos:\n  - id: a\n    title: Alpha\n    status: open\n  - id: b\n    title: Beta\n    \
                         status: open\n  - id: c\n    title: Gamma\n    status: open\n";

/// Environment variables.
pub(crate) type Environment<'a> = &'a [(&'a str, &'a str)];

/// One person's host: a network namespace, a home and a clone.
pub(crate) struct Host {
    world: World,
    top: PathBuf,
    pub(crate) namespace: String,
    /// What `watch` said here, for whoever looks for the cause of a failure.
    said: Mutex<Vec<Lines>>,
}

impl Host {
    fn new(namespace: &str) -> Self {
        let world = World::new();
        let top = world.path("clone");
        Self {
            world,
            top,
            namespace: namespace.to_owned(),
            said: Mutex::default(),
        }
    }

    pub(crate) fn tree(&self) -> Tree<'_> {
        Tree {
            world: &self.world,
            top: self.top.clone(),
        }
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.tree().git(arguments)
    }

    /// Takes over what another one committed.
    pub(crate) fn pull(&self, other: &Self) {
        self.git(&[
            "pull",
            "-q",
            "--no-edit",
            &other.top.to_string_lossy(),
            "main",
        ]);
    }

    /// What the shared document says here.
    pub(crate) fn text(&self) -> String {
        // For a moment it may not be there: git replaces files by deleting them first.
        fs::read_to_string(self.top.join(TODOS)).unwrap_or_default()
    }

    /// An edit by hand, as an editor saves it: the file is replaced at once.
    #[track_caller]
    pub(crate) fn edit(&self, old: &str, new: &str) {
        let path = self.top.join(TODOS);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "no {old} in\n{text}");
        let saved = self.world.path("saved");
        fs::write(&saved, text.replacen(old, new, 1)).unwrap();
        fs::rename(&saved, &path).unwrap();
    }

    fn command(&self, environment: Environment<'_>, folder: &Path) -> Command {
        let mut command = self.world.command("ip", folder);
        command
            .args(["netns", "exec", &self.namespace, BINARY, "crdt"])
            .envs(environment.iter().copied());
        command
    }

    /// `rhema crdt ARGUMENTS` on this host.
    pub(crate) fn rhema(&self, arguments: &[&str]) -> Run {
        self.rhema_with(&[], arguments)
    }

    /// The same, with more in the environment.
    pub(crate) fn rhema_with(&self, environment: Environment<'_>, arguments: &[&str]) -> Run {
        run(self.command(environment, &self.top).args(arguments))
    }

    /// `rhema crdt sync --json ARGUMENTS`, which must end with 0.
    #[track_caller]
    pub(crate) fn sync(&self, arguments: &[&str]) -> Value {
        let arguments = [&["sync", "--json"], arguments].concat();
        self.rhema(&arguments).exits(0).json()
    }

    #[track_caller]
    pub(crate) fn set(&self, what: &str, value: &str) {
        self.rhema(&["set", what, value]).exits(0);
    }

    /// `rhema crdt watch`, once it listens.
    #[track_caller]
    pub(crate) fn watch(&self) -> Watch {
        self.watch_with(&[], &[])
    }

    #[track_caller]
    pub(crate) fn watch_with(&self, environment: Environment<'_>, arguments: &[&str]) -> Watch {
        self.watch_in(&self.top, environment, arguments)
    }

    /// The same in a work tree of its own.
    #[track_caller]
    pub(crate) fn watch_in(
        &self,
        folder: &Path,
        environment: Environment<'_>,
        arguments: &[&str],
    ) -> Watch {
        let said = Lines::default();
        self.said.lock().unwrap().push(said.clone());
        let mut command = self.command(environment, folder);
        Watch::begin(command.args(["watch", "--json"]).args(arguments), said)
    }

    /// What all its `watch` said.
    fn log(&self) -> String {
        let said = self.said.lock().unwrap();
        let lines = said.iter().map(Lines::all);
        lines.collect::<Vec<_>>().join("-- and then\n")
    }

    /// A new work tree of this clone.
    pub(crate) fn work_tree(&self, name: &str) -> PathBuf {
        let top = self.world.path(name);
        self.git(&["worktree", "add", "-q", "--detach", &top.to_string_lossy()]);
        top
    }
}

/// Several hosts on one network, and what joins them.
pub(crate) struct Team {
    pub(crate) hosts: Vec<Host>,
    pub(crate) net: Hosts,
}

impl Team {
    /// That many hosts whose nodes are members; nothing where there may be no hosts.
    pub(crate) fn new(name: &str, count: usize) -> Option<Self> {
        let team = Self::strangers(name, count)?;
        let (first, others) = team.hosts.split_first().unwrap();
        for other in others {
            other.pull(first);
            other.join();
            first.pull(other);
        }
        team.all_pull_from_the_first();
        Some(team)
    }

    /// Hosts with clones of one repository. Only the first one's node is a member, the others have none yet.
    pub(crate) fn strangers(name: &str, count: usize) -> Option<Self> {
        let net = Hosts::new(name, count)?;
        let hosts: Vec<Host> = (1..=count)
            .map(|number| Host::new(net.name(number)))
            .collect();
        let first = hosts[0].world.repo("clone", &[(TODOS, BEGINNING)]);
        hosts[0].join();
        for host in &hosts[1..] {
            let top = host.top.to_string_lossy();
            first.git(&["clone", "-q", ".", &top]);
        }
        Some(Self { hosts, net })
    }

    /// Takes the IPv4 addresses away. With `prefix` each host has an IPv6 address more than the one of its link: PREFIX1, PREFIX2…
    pub(crate) fn have_ipv6_only(&self, prefix: Option<&str>) {
        for (host, number) in self.hosts.iter().zip(1..) {
            let name = &host.namespace;
            ip(&format!("-n {name} -4 addr flush dev net"));
            if let Some(prefix) = prefix {
                let add = format!("-n {name} addr add {prefix}{number}/64 dev net nodad");
                ip(&add);
            }
            // An address is used once nobody else turned out to have it.
            let shown = || {
                let mut command = Command::new("ip");
                command.args(["-n", name, "-6", "addr", "show", "dev", "net"]);
                String::from_utf8(command.output().unwrap().stdout).unwrap()
            };
            eventually(|| !shown().contains("tentative"), shown);
        }
    }

    pub(crate) fn all_pull_from_the_first(&self) {
        for other in &self.hosts[1..] {
            other.pull(&self.hosts[0]);
        }
    }

    pub(crate) fn all_watch(&self) -> Vec<Watch> {
        self.all_watch_with(&[])
    }

    pub(crate) fn all_watch_with(&self, environment: Environment<'_>) -> Vec<Watch> {
        let watch = |host: &Host| host.watch_with(environment, &[]);
        self.hosts.iter().map(watch).collect()
    }

    /// Waits until all files have the same bytes, and these words in them. How long that took.
    #[track_caller]
    pub(crate) fn agree_on(&self, words: &[&str]) -> Duration {
        agree(&self.hosts.iter().collect::<Vec<_>>(), words)
    }
}

/// Waits until the files of these have the same bytes, and these words in them. How long that took.
#[track_caller]
pub(crate) fn agree(hosts: &[&Host], words: &[&str]) -> Duration {
    let began = Instant::now();
    let is_so = || {
        let texts: Vec<String> = hosts.iter().map(|host| host.text()).collect();
        let has_all = words.iter().all(|words| texts[0].contains(words));
        has_all && texts.iter().all(|text| *text == texts[0])
    };
    eventually(is_so, || {
        let told = hosts.iter().map(|host| {
            format!(
                "===== {}\n{}\n----- watch\n{}\n",
                host.namespace,
                host.text(),
                host.log()
            )
        });
        format!(
            "they do not agree on {words:?}\n{}",
            told.collect::<String>()
        )
    });
    began.elapsed()
}

impl Host {
    /// Makes this clone's node a member, and commits that.
    pub(crate) fn join(&self) {
        self.rhema(&["init"]).exits(0);
        self.tree().commit("join");
    }

    /// This node's public key.
    pub(crate) fn key(&self) -> String {
        let report = self.rhema(&["peers", "--json"]).exits(0).json();
        report["key"].as_str().unwrap().to_owned()
    }

    /// This node's name.
    pub(crate) fn node(&self) -> String {
        let report = self.rhema(&["peers", "--json"]).exits(0).json();
        report["node"].as_str().unwrap().to_owned()
    }

    /// How many edits this host knows, its own included.
    pub(crate) fn known_edits(&self) -> usize {
        let git_dir = PathBuf::from(self.git(&["rev-parse", "--absolute-git-dir"]).trim());
        let mut store = Store::open(&git_dir).unwrap().store;
        let nothing = Knowledge::new();
        store.read().unwrap().beyond(&nothing).unwrap().len()
    }

    /// Files that somebody began to write and left behind.
    pub(crate) fn left_behind(&self) -> Vec<PathBuf> {
        let status = self.git(&[
            "status",
            "--porcelain",
            "--ignored",
            "--untracked-files=all",
        ]);
        let others = status
            .lines()
            .filter(|line| line.starts_with("??") || line.starts_with("!!"));
        others.map(|line| PathBuf::from(&line[3..])).collect()
    }
}
