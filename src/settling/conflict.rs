//! One conflict, with all that somebody has to know to settle it.

use std::path::PathBuf;

use crate::context::{Choice, Lost, Matter};
use crate::crdt::Stamp;
use crate::git::{Open, Repo};
use crate::history::People;
use crate::overlay::Known;

/// What kind of conflict it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Two values of one leaf.
    Value,
    /// Two versions of a text that changed the same lines.
    Text,
    /// A deletion against an update.
    Deleted,
    /// Two records that were born under one id.
    Id,
    /// A value that does not fit the type of its place, and is recorded by nobody.
    Validator,
}

impl Kind {
    /// What scripts read.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Text => "text",
            Self::Deleted => "deleted",
            Self::Id => "id",
            Self::Validator => "validator",
        }
    }

    pub(super) fn of(matter: &Matter) -> Self {
        match matter {
            Matter::Value => Self::Value,
            Matter::Text => Self::Text,
            Matter::Deletion => Self::Deleted,
            Matter::Name => Self::Id,
            Matter::Misfit { .. } => Self::Validator,
        }
    }
}

/// Where something comes from, as far as anybody knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// When it was written, in milliseconds since the Unix epoch.
    pub when: Option<u64>,
    /// The node that wrote it; the replica where its key is not known.
    pub node: Option<String>,
    /// What that, or the author of the commit, is called.
    pub name: Option<String>,
    /// The branch on which it was written.
    pub branch: Option<String>,
    /// The commit that brought it, in git's short form; none where it is not committed.
    pub commit: Option<String>,
}

impl Origin {
    /// Where an edit comes from, as its stamp and what is known of it tell; and whether it is known whose it is.
    pub(super) fn of_edit(
        repo: &Repo,
        people: &People,
        stamp: Stamp,
        known: Option<&Known>,
    ) -> (Self, bool) {
        let who = people.who(repo, Some(stamp), None);
        let node = who.node.map(|node| node.to_string());
        let is_known = node.is_some();
        let origin = Self {
            when: Some(stamp.unix_millis()),
            node: node.or_else(|| Some(stamp.replica().to_string())),
            name: who.name,
            branch: known.and_then(|known| known.branch.clone()),
            commit: None,
        };
        (origin, is_known)
    }
}

/// One of the values that somebody may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// Its canonical text; nothing where it is that nothing stands there.
    pub value: Option<String>,
    /// The edit that wrote it.
    pub stamp: Option<Stamp>,
    /// Where it comes from.
    pub origin: Origin,
}

/// One way to settle a conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// How it is asked for: `winner`, the number of a loser, or `value` for one of one's own.
    pub take: String,
    /// What comes of it, in words.
    pub what: String,
}

/// An open conflict.
#[derive(Clone, Debug)]
pub struct Conflict {
    /// The file, from the top of the work tree.
    pub path: PathBuf,
    /// The record and the leaf: `todos/a/status`.
    pub field: String,
    /// Where in the file it is, from 1.
    pub line: usize,
    /// What kind it is.
    pub kind: Kind,
    /// What is shown; of a value that does not fit, what stood before.
    pub winner: Side,
    /// What lost.
    pub losers: Vec<Side>,
    /// The record that it is in or about, as its list has it, without annotations; nothing for a field of the root.
    pub record: Option<String>,
    /// The record that has the id under which this one was born.
    pub namesake: Option<String>,
    /// Why a value does not fit.
    pub why: Option<String>,
    pub(super) open: Open,
}

impl Conflict {
    /// Whether a whole record is contested: it is kept or let go, and has no value of its own.
    #[must_use]
    pub fn is_of_a_record(&self) -> bool {
        self.open.contest.is_of_a_record()
    }

    /// The other fields that are settled together with this one, since they change together.
    #[must_use]
    pub fn settled_with(&self) -> Vec<&'static str> {
        self.open.contest.settled_with()
    }

    /// What can be done about it.
    #[must_use]
    pub fn ways(&self) -> Vec<Way> {
        let way = |take: &str, what: &str| Way {
            take: take.to_owned(),
            what: what.to_owned(),
        };
        match self.kind {
            Kind::Id => vec![
                way("winner", "keep both records as they are"),
                way("1", "they are one: join them, the first one's values stand"),
                way("value", "keep both, and call this one so"),
            ],
            Kind::Validator => vec![
                way("winner", "put back what stood there"),
                way("value", "write this instead"),
            ],
            Kind::Deleted if self.is_of_a_record() => {
                vec![way("winner", "keep the record"), way("1", "delete it")]
            }
            Kind::Value | Kind::Text | Kind::Deleted => {
                let shown = match self.winner.value {
                    Some(_) => "keep what is shown",
                    None => "leave it away",
                };
                let mut ways = vec![way("winner", shown)];
                for (number, loser) in (1..).zip(&self.losers) {
                    let what = match loser.value {
                        Some(_) => "take this one",
                        None => "delete it",
                    };
                    ways.push(way(&number.to_string(), what));
                }
                ways.push(way("value", "write this instead"));
                ways
            }
        }
    }

    /// Whether this can be chosen here.
    #[must_use]
    pub fn takes(&self, choice: &Choice) -> bool {
        match choice {
            Choice::Winner => true,
            Choice::Loser(index) => *index < self.losers.len() && self.kind != Kind::Validator,
            Choice::Value(_) | Choice::Text(_) => !self.is_of_a_record(),
        }
    }

    /// Whether a path as it is typed names this one: the field, with the file before it or without.
    #[must_use]
    pub fn is_named(&self, path: &str, file: &str) -> bool {
        self.within(path, file)
            .is_some_and(|field| field == self.field)
    }

    /// Whether a path as it is typed names the record, or the list, that this one is in.
    #[must_use]
    pub fn is_in(&self, path: &str, file: &str) -> bool {
        let rest = |field: &str| {
            self.field
                .strip_prefix(field)
                .map(|rest| rest.starts_with('/'))
        };
        self.within(path, file).and_then(rest) == Some(true)
    }

    /// What of a path names the field.
    fn within<'p>(&self, path: &'p str, file: &str) -> Option<&'p str> {
        let inside = path.strip_prefix(file);
        let inside = inside.and_then(|rest| rest.strip_prefix([':', '/']));
        Some(inside.unwrap_or(path)).map(|field| field.trim_end_matches('/'))
    }
}

/// The value of a loser.
pub(super) fn value_of(lost: &Lost) -> Option<String> {
    match lost {
        Lost::Deletion => None,
        Lost::Value(value) => Some(value.clone()),
    }
}
