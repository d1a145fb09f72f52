//! Where runs are made: folders in memory, and a repository from which every desk begins.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rhema_crdt::context::{Marking, mark};
use rhema_crdt::node::{Member, Node, Role, with_member};
use rhema_crdt::surroundings::simulate;
use rhema_crdt::yaml::{Document, Limits};
use tempfile::TempDir;

use crate::git::Git;
use crate::ledger::FIELDS;
use crate::sky::{BEGINNING, Sky};
use crate::text::FILE;

/// How many desks there are at most in a plan that was drawn.
const DESKS: usize = 4;

/// The folders of one thread that simulates.
pub(crate) struct Ground {
    folder: TempDir,
    /// The key of each desk.
    keys: Vec<Vec<u8>>,
    runs: u64,
}

/// Three records.
fn start() -> String {
    let mut text = "# What there is to do\ntodos:\n".to_owned();
    let mut number = 0;
    for id in ["a", "b", "c"] {
        text += &format!("  - id: {id}\n");
        for field in FIELDS {
            text += &format!("    {field}: v{number}\n");
            number += 1;
        }
    }
    let document = Document::from_text(text, &Limits::default()).unwrap();
    match mark(&document) {
        Marking::Marked(text) => text,
        _ => panic!("it has no marker"),
    }
}

impl Ground {
    pub(crate) fn new() -> Self {
        Self::of(DESKS)
    }

    /// One on which there may be so many desks.
    pub(crate) fn of(desks: usize) -> Self {
        let memory = Path::new("/dev/shm");
        let folder = match memory.is_dir() {
            true => tempfile::tempdir_in(memory),
            false => tempfile::tempdir(),
        };
        let folder = folder.unwrap();
        let sky = Rc::new(Sky::new(0, false));
        let _simulated = simulate(sky);
        let mut keys = Vec::new();
        let mut members = String::new();
        for desk in 0..desks {
            let own = folder.path().join(format!("key-{desk}"));
            let (node, _) = Node::create(&own).unwrap();
            let member = Member::new(
                node.key().public_text(),
                format!("desk {desk}"),
                Role::Writer,
            );
            members = with_member(&members, node.id(), &member).unwrap();
            keys.push(fs::read(node.folder().join("key")).unwrap());
        }
        let files = [
            (FILE, start().as_str()),
            (".rhema/crdt/members.yaml", members.as_str()),
            (".rhema/crdt/config.yaml", "discovery: \"off\"\n"),
        ]
        .map(|(file, text)| (file, text.to_owned()));
        let files: Vec<_> = files
            .iter()
            .map(|(file, text)| (*file, text.as_str()))
            .collect();
        Git::begun(&folder.path().join("template"), &files, BEGINNING - 60_000);
        Self {
            folder,
            keys,
            runs: 0,
        }
    }

    /// A folder for a run, with so many desks in it.
    pub(crate) fn desks(&mut self, count: usize) -> (PathBuf, Vec<PathBuf>) {
        self.runs += 1;
        let run = self.folder.path().join(format!("run-{}", self.runs));
        let desks = (0..count).map(|desk| {
            let top = run.join(format!("desk-{desk}"));
            copied(&self.folder.path().join("template"), &top);
            let key = top.join(".git/rhema/key");
            fs::create_dir_all(key.parent().unwrap()).unwrap();
            fs::write(&key, &self.keys[desk]).unwrap();
            fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
            top
        });
        let desks = desks.collect();
        (run, desks)
    }
}

/// `cp -r`
pub(crate) fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copied(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
