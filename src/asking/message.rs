//! What is asked and answered, and how it stands in bytes.
//!
//! Either side says one thing: a frame, which is a length (four bytes, little endian) and as many bytes of `postcard`. Before
//! that, whoever listens says who it is ([`Greeting`]): nothing is asked of another work tree's program, or of another version.

use std::io;
use std::net::SocketAddr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::context::{Address, Assignment, Change, NotGiven, Position};
use crate::git::{Repo, Within, git_path, native_path};
use crate::replica::{Done, Errand, ErrandName, Report};

/// The version of what is said here. It is raised with every change of it.
const VERSION: u8 = 3;

/// Bytes before what is said.
pub(super) const HEADER: usize = 4;

/// How long a greeting may be: two paths and a version.
pub(super) const LONGEST_GREETING: usize = 16 << 10;

/// How long a question may be: longer than all that fits on a command line (2 MiB on Linux).
pub(super) const LONGEST_QUESTION: usize = 4 << 20;

/// How long an answer may be: names of files and warnings, some hundred bytes each.
pub(super) const LONGEST_ANSWER: usize = 16 << 20;

/// Who listens.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Greeting {
    version: u8,
    program: String,
    git_dir: Vec<u8>,
    top: Vec<u8>,
}

impl Greeting {
    /// That of a program of this version in a work tree.
    pub(super) fn of(repo: &Repo) -> Self {
        let bytes = |path: &std::path::Path| {
            let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
            git_path(&path)
        };
        Self {
            version: VERSION,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            git_dir: bytes(repo.git_dir()),
            top: bytes(repo.top()),
        }
    }
}

/// What a command wants.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Question {
    /// An edit.
    Edit(Edit),
    /// A round, and an exchange with the others.
    Sync(Sync),
    /// How the program that stays stands.
    Status,
}

/// An edit by command, as it was typed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Edit {
    name: ErrandName,
    within: Place,
    field: Option<String>,
    deed: Deed,
}

#[derive(Debug, Serialize, Deserialize)]
enum Place {
    Scope(Vec<u8>),
    File(Vec<u8>),
}

#[derive(Debug, Serialize, Deserialize)]
enum Deed {
    Add(String, Vec<Field>),
    Set(String, Vec<Field>, Vec<String>),
    Remove(String),
    Move(String, Where),
    Increment(String, i64),
}

/// A field, and its value as it may be typed.
type Field = (String, String);

#[derive(Debug, Serialize, Deserialize)]
enum Where {
    First,
    Last,
    Before(String),
    After(String),
}

impl From<&Errand> for Edit {
    fn from(errand: &Errand) -> Self {
        let fields = |fields: &[Assignment]| {
            let field = |field: &Assignment| (field.path.clone(), field.value.to_string());
            fields.iter().map(field).collect()
        };
        Self {
            name: errand.name,
            within: match &errand.within {
                Within::Scope(scope) => Place::Scope(git_path(scope)),
                Within::File(file) => Place::File(git_path(file)),
            },
            field: errand.field.clone(),
            deed: match &errand.change {
                Change::Add { to, fields: given } => Deed::Add(to.typed(), fields(given)),
                Change::Set {
                    at,
                    fields: given,
                    unset,
                } => Deed::Set(at.typed(), fields(given), unset.clone()),
                Change::Increment { at, by } => Deed::Increment(at.typed(), *by),
                Change::Remove { at } => Deed::Remove(at.typed()),
                Change::Move { at, to } => Deed::Move(
                    at.typed(),
                    match to {
                        Position::First => Where::First,
                        Position::Last => Where::Last,
                        Position::Before(name) => Where::Before(name.clone()),
                        Position::After(name) => Where::After(name.clone()),
                    },
                ),
            },
        }
    }
}

impl TryFrom<Edit> for Errand {
    type Error = NotGiven;

    fn try_from(edit: Edit) -> Result<Self, NotGiven> {
        let fields = |fields: Vec<Field>| -> Result<Vec<Assignment>, NotGiven> {
            let field = |(path, value): Field| {
                let value = value.parse()?;
                Ok(Assignment { path, value })
            };
            fields.into_iter().map(field).collect()
        };
        let address = |typed: String| Address::new(&typed);
        Ok(Self {
            name: edit.name,
            within: match edit.within {
                Place::Scope(scope) => Within::Scope(native_path(&scope)),
                Place::File(file) => Within::File(native_path(&file)),
            },
            field: edit.field,
            change: match edit.deed {
                Deed::Add(to, given) => Change::Add {
                    to: address(to),
                    fields: fields(given)?,
                },
                Deed::Set(at, given, unset) => Change::Set {
                    at: address(at),
                    fields: fields(given)?,
                    unset,
                },
                Deed::Increment(at, by) => Change::Increment {
                    at: address(at),
                    by,
                },
                Deed::Remove(at) => Change::Remove { at: address(at) },
                Deed::Move(at, to) => Change::Move {
                    at: address(at),
                    to: match to {
                        Where::First => Position::First,
                        Where::Last => Position::Last,
                        Where::Before(name) => Position::Before(name),
                        Where::After(name) => Position::After(name),
                    },
                },
            },
        })
    }
}

/// A `sync`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Sync {
    /// With this one only: its address, the name of its node or what it is called.
    pub(crate) peer: Option<String>,
    /// What that address is in numbers, if it is one.
    pub(crate) addresses: Vec<SocketAddr>,
    /// Whether everything is said anew.
    pub(crate) everything: bool,
    /// Whether most of a list was deleted on purpose.
    pub(crate) confirmed: bool,
    /// How long to wait for the others, in milliseconds; as long as it takes with those who are there, if nothing is said.
    pub(crate) timeout: Option<u64>,
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// The edit was made, or changes nothing.
    Edited(Edited),
    /// The `sync` is done.
    Synced(Outcome),
    /// How the program that stays stands.
    Stands(Standing),
    /// It failed or was refused; nothing was changed.
    Failed(Failure),
    /// This is nothing that can be done here now: ask nobody.
    Alone,
}

/// What an edit by command did, in words.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Edited {
    /// What was changed, as it is called now.
    pub(crate) path: String,
    /// The name of a new record.
    pub(crate) id: Option<String>,
    /// The document.
    pub(crate) file: String,
    /// Whether the file is another one now.
    pub(crate) changed: bool,
    /// The stamp that stands beside the edit.
    pub(crate) stamp: Option<String>,
}

impl Edited {
    /// What came of an errand.
    pub(crate) fn of(repo: &Repo, done: &Done) -> Self {
        Self {
            path: done.edited.at.to_string(),
            id: done.edited.new_name.clone(),
            file: repo.shown(&done.file),
            changed: done.edited.changed,
            stamp: done.edited.stamp.map(|stamp| stamp.to_string()),
        }
    }
}

/// What a `sync` did.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// The documents that were changed.
    pub(crate) documents: Vec<String>,
    /// How many edits were recorded.
    pub(crate) edits: usize,
    /// What people are warned of, in order.
    pub(crate) warnings: Vec<String>,
    /// Whether something needs attention.
    pub(crate) needs_attention: bool,
    /// What was said with each of the others.
    pub(crate) peers: Vec<PeerOutcome>,
    /// What was exchanged through the git remote, where that is how others are found.
    pub(crate) remote: Option<RemoteOutcome>,
    /// Why nobody could be called, if so.
    pub(crate) failure: Option<Failure>,
}

/// What was exchanged through the git remote.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct RemoteOutcome {
    /// What it is called in this clone.
    pub(crate) name: String,
    /// How many edits were left there.
    pub(crate) sent: usize,
    /// How many came in that were not known.
    pub(crate) received: usize,
    /// Bytes of the files that were left there.
    pub(crate) bytes_sent: u64,
    /// Bytes of the files that were read.
    pub(crate) bytes_received: u64,
    /// How long it took, in milliseconds.
    pub(crate) ms: u64,
    /// Why it failed, if it did.
    pub(crate) error: Option<String>,
}

impl Outcome {
    /// Adds what a round did. Nothing is warned of twice.
    pub(crate) fn add(&mut self, repo: &Repo, report: &Report) {
        self.documents
            .extend(report.written.iter().map(|file| repo.shown(file)));
        self.documents.sort();
        self.documents.dedup();
        self.edits += report.edits;
        for warning in report.warnings(repo) {
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
        self.needs_attention |= report.needs_attention();
    }
}

/// What was said with one of the others.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct PeerOutcome {
    /// Its node's name; what was named where nobody was reached.
    pub(crate) node: String,
    /// What it is called.
    pub(crate) name: String,
    /// How many edits went out.
    pub(crate) sent: usize,
    /// How many came in that were not known.
    pub(crate) received: usize,
    /// How many of the edits that people see only here it does not have.
    pub(crate) kept: usize,
    /// Bytes of what was said.
    pub(crate) bytes_sent: u64,
    /// Bytes of what was heard.
    pub(crate) bytes_received: u64,
    /// Bytes of the datagrams that went out.
    pub(crate) udp_bytes_sent: u64,
    /// Bytes of the datagrams that came in.
    pub(crate) udp_bytes_received: u64,
    /// How long it took, in milliseconds.
    pub(crate) ms: u64,
    /// Why it failed, if it did.
    pub(crate) error: Option<String>,
}

/// How the program that stays stands.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// Where it listens.
    pub(crate) listening: String,
    /// How it learns that a file was written.
    pub(crate) files: Files,
    /// The lines that are up.
    pub(crate) lines: Vec<Line>,
}

/// How somebody learns that a file was written.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Files {
    /// The system tells.
    Told,
    /// They are looked at again and again.
    Polled,
}

impl Files {
    /// What scripts read.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Told => "events",
            Self::Polled => "polling",
        }
    }
}

/// A line that is up.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    /// The node at its other end.
    pub(crate) node: String,
    /// Where that is.
    pub(crate) address: String,
    /// How long a packet takes there and back, in microseconds.
    pub(crate) latency_micros: u64,
    /// For how long it has been up, in milliseconds.
    pub(crate) up_millis: u64,
    /// Whether both know the same, as far as they may.
    pub(crate) in_step: bool,
}

/// Why something failed, in words: the failure, and what caused it.
#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{what}")]
pub(crate) struct Failure {
    what: String,
    #[source]
    cause: Option<Box<Failure>>,
}

impl Failure {
    /// An error and its causes.
    pub(crate) fn of(error: &dyn std::error::Error) -> Self {
        Self {
            what: error.to_string(),
            cause: error.source().map(|cause| Box::new(Self::of(cause))),
        }
    }
}

/// Something as a frame; nothing where it is longer than anybody reads.
pub(super) fn encode(said: &impl Serialize, longest: usize) -> Option<Vec<u8>> {
    let frame = postcard::to_extend(said, vec![0; HEADER]).ok()?;
    let length = frame.len() - HEADER;
    let fits = length <= longest;
    let header = u32::try_from(length).ok().filter(|_| fits)?;
    let mut frame = frame;
    frame[..HEADER].copy_from_slice(&header.to_le_bytes());
    Some(frame)
}

/// How many bytes come behind a header.
pub(super) fn length(header: [u8; HEADER], longest: usize) -> io::Result<usize> {
    let length = usize::try_from(u32::from_le_bytes(header)).unwrap_or(usize::MAX);
    match length <= longest {
        true => Ok(length),
        false => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// What was said in a frame.
pub(super) fn decode<T: DeserializeOwned>(payload: &[u8]) -> io::Result<T> {
    match postcard::take_from_bytes(payload) {
        Ok((said, [])) => Ok(said),
        Ok(_) | Err(_) => Err(io::ErrorKind::InvalidData.into()),
    }
}
