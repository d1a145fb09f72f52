//! All open conflicts of some files.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::conflict::{Conflict, Kind, Origin, Side, value_of};
use crate::context::{Address, Choice, Matter, Types, matching};
use crate::crdt::Stamp;
use crate::git::{Error, Favour, Fitting, Open, OpenConflicts, Repo, Settled, Source, git_path};
use crate::history::People;
use crate::node::Ticks;
use crate::overlay::DocumentPath;
use crate::store::{Content, Reading, Store};
use crate::yaml::{Document, Limits};

/// The open conflicts of some files.
#[derive(Debug, Default)]
pub struct Listing {
    /// All of them, by file.
    pub conflicts: Vec<Conflict>,
    /// Files with git's conflict markers.
    pub marked: Vec<PathBuf>,
    /// Files that git could not merge and left as our side has them.
    pub unmerged: Vec<PathBuf>,
    /// Files that one side of a merge under way deleted while the other changed them.
    pub half_deleted: Vec<PathBuf>,
    /// What could not be read, and why.
    pub unread: Vec<(PathBuf, String)>,
}

impl Listing {
    /// Whether nothing is left for people.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.conflicts.is_empty()
            && self.marked.is_empty()
            && self.unmerged.is_empty()
            && self.half_deleted.is_empty()
            && self.unread.is_empty()
    }
}

/// Lists and settles the conflicts of a work tree.
pub struct Settler<'r> {
    repo: &'r Repo,
    types: Types,
    store: Option<Store>,
}

impl<'r> Settler<'r> {
    /// The one of a work tree with places of these types. Without a store less is known of where values come from.
    #[must_use]
    pub fn new(repo: &'r Repo, types: Types) -> Self {
        let git_dir = repo.git_dir();
        let store = match Store::path_in(git_dir).exists() {
            true => Store::open(git_dir).map(|opened| opened.store),
            false => {
                return Self {
                    repo,
                    types,
                    store: None,
                };
            }
        };
        if let Err(error) = &store {
            tracing::info!("{error}");
        }
        Self {
            repo,
            types,
            store: store.ok(),
        }
    }

    /// Lists the open conflicts of these files.
    pub fn list(&mut self, files: &[PathBuf]) -> Listing {
        let repo = self.repo;
        let reading = self.store.as_mut().and_then(|store| store.read().ok());
        let before = |path: &Path| {
            let recorded = reading
                .as_ref()
                .and_then(|reading| rendered(repo, reading, path));
            recorded.or_else(|| repo.in_head(path).ok().flatten())
        };
        let fitting = Fitting {
            types: &self.types,
            before: &before,
        };
        let OpenConflicts {
            all,
            marked,
            unmerged,
            half_deleted,
            unread,
        } = repo.open_conflicts(files, &fitting);
        let people = match all.is_empty() {
            true => People::default(),
            false => People::of(repo, reading.as_ref()).unwrap_or_default(),
        };
        let mut telling = Telling {
            repo,
            reading: reading.as_ref(),
            people,
            conflicts: Vec::with_capacity(all.len()),
        };
        for of_file in all.chunk_by(|a, b| a.path == b.path) {
            telling.tell(of_file);
        }
        Listing {
            conflicts: telling.conflicts,
            marked,
            unmerged,
            half_deleted,
            unread,
        }
    }

    /// Whether a conflict is still open: settling another one may have closed it.
    #[must_use]
    pub fn is_open(&self, conflict: &Conflict) -> bool {
        self.repo.is_open(&conflict.open)
    }

    /// Settles a conflict, if it is still there.
    ///
    /// # Errors
    /// When the file cannot be read or written, or the choice is none.
    pub fn settle(&self, conflict: &Conflict, choice: &Choice) -> Result<Option<Settled>, Error> {
        let mut stamps = Ticks::of(self.repo);
        self.repo.settle(&conflict.open, choice, &mut stamps)
    }

    /// Takes back what was settled, if nobody wrote the file since.
    ///
    /// # Errors
    /// If somebody did, or it cannot be written.
    pub fn unsettle(&self, settled: &Settled) -> Result<(), Error> {
        self.repo.unsettle(settled)
    }

    /// The choice of one side; nothing if the history does not tell which that is.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn choice_of_side(
        &self,
        conflict: &Conflict,
        side: Favour,
    ) -> Result<Option<Choice>, Error> {
        self.repo.choice_of_side(&conflict.open, side)
    }
}

/// What a file held when it was recorded last.
fn rendered(repo: &Repo, reading: &Reading<'_>, path: &Path) -> Option<Vec<u8>> {
    let rendering = reading.rendering(&DocumentPath::new(git_path(path)));
    match rendering.ok().flatten()?.content {
        Content::Bytes(bytes) => Some(bytes),
        Content::Blob(blob) => repo.bytes_in_tree(path, blob).ok(),
        Content::Absent => None,
    }
}

struct Telling<'t> {
    repo: &'t Repo,
    reading: Option<&'t Reading<'t>>,
    people: People,
    conflicts: Vec<Conflict>,
}

impl Telling<'_> {
    /// Tells of the conflicts of one file.
    fn tell(&mut self, open: &[Open]) {
        let Some(Open { path, .. }) = open.first() else {
            return;
        };
        let bytes = fs::read(self.repo.top().join(path)).unwrap_or_default();
        let Ok(document) = Document::read(&bytes, &Limits::default()) else {
            return;
        };
        let contests: Vec<_> = open.iter().map(|open| &open.contest).collect();
        let sources = self.repo.sources(path, &contests).unwrap_or_else(|error| {
            tracing::info!("{error}");
            Vec::new()
        });
        let mut sources = sources.into_iter();
        let mut records: HashMap<String, Option<String>> = HashMap::new();
        for open in open {
            let contest = &open.contest;
            let mut sources = sources.next().unwrap_or_default().into_iter();
            let mut side = |value, stamp| {
                let source = sources.next().flatten();
                self.side(value, stamp, source, &contest.matter)
            };
            let (value, stamp) = &contest.winner;
            let winner = side(value.clone(), *stamp);
            let losers = contest.losers.iter();
            let losers = losers.map(|(lost, stamp)| side(value_of(lost), *stamp));
            let losers: Vec<Side> = losers.collect();
            let mut around = |name: String| {
                let shown = |name: &String| {
                    let found = matching(&document, &Address::new(name), &[]).ok()?;
                    Some(found.into_text())
                };
                let record = records.entry(name);
                let key = record.key().clone();
                record.or_insert_with(|| shown(&key)).clone()
            };
            let offset = contest.offset_in(&document);
            let (line, _) = offset.map_or((1, 1), |offset| document.position(offset));
            let why = match &contest.matter {
                Matter::Misfit { why } => Some(why.clone()),
                _ => None,
            };
            self.conflicts.push(Conflict {
                path: path.clone(),
                field: contest.field.clone(),
                line,
                kind: Kind::of(&contest.matter),
                winner,
                losers,
                record: contest.record().and_then(&mut around),
                namesake: contest.namesake().and_then(&mut around),
                why,
                open: open.clone(),
            });
        }
    }

    fn side(
        &self,
        value: Option<String>,
        stamp: Option<Stamp>,
        source: Option<Source>,
        matter: &Matter,
    ) -> Side {
        let is_recorded = !matches!(matter, Matter::Misfit { .. });
        let source = source.filter(|_| is_recorded);
        let (mut origin, is_known) = stamp.map_or_else(Default::default, |stamp| self.of(stamp));
        if let Some(source) = source {
            origin.when = origin.when.or(Some(source.at));
            if !is_known {
                origin.name = Some(source.author);
            }
            origin.branch = origin.branch.or(source.branch);
            origin.commit = Some(source.commit);
        }
        Side {
            value,
            stamp,
            origin,
        }
    }

    fn of(&self, stamp: Stamp) -> (Origin, bool) {
        let known = self
            .reading
            .and_then(|reading| reading.edit(stamp).ok().flatten());
        let known = known.as_ref().map(|edit| &edit.known);
        Origin::of_edit(self.repo, &self.people, stamp, known)
    }
}
