//! The work tree as a replica: what `sync` does, and everything else that edits documents.
//!
//! A round goes over HEAD's log, the commits made here since the last round, and every document that may have changed: a
//! *look* finds what was edited in the file and what git did to it, the edits go into the store, and the file is made to
//! show HEAD and the known edits over it. Everything is in the store before a file is touched, so that a crash between
//! the two is made good by the next look.
//!
//! `round.rs` is the whole of it, `look.rs` a look at one document (`look/writer.rs`: who wrote the file, `look/finding.rs`:
//! what was edited), `document.rs` what is there of one in git and in the store, `reading.rs` how much of that is read (`around.rs`: of what HEAD contains), `witness.rs` what the log tells, `writing.rs`
//! how edits and files are written, `editing.rs` edits by command, `errand.rs` those that another process asks for, `late.rs` what is written into files that were replaced, `committing.rs` what is done before a commit,
//! `arriving.rs` makes the files of documents that others made, `policy.rs` what holds for all documents, `reissuing.rs` makes edits again that came too early, `compacting.rs` packs what is over, `parking.rs` puts edits out of sight and back, `carrying.rs` takes them over from another branch. Depends on `overlay`,
//! `store`, `git`, `node`, `merge` and `context`, never on `cli`.

mod around;
mod arriving;
mod carrying;
mod committing;
mod compacting;
mod containing;
mod document;
mod editing;
mod errand;
mod error;
mod late;
mod look;
mod parking;
mod policy;
mod reading;
mod reissuing;
mod round;
mod standing;
mod warnings;
mod witness;
mod writing;

use std::fs::{self, File};
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use policy::Policy;

pub use compacting::Compacted;
pub use editing::Edited;
pub use errand::{Done, Errand, ErrandName};
pub use error::Error;
pub use late::Former;
pub use parking::{Hidden, Parked};
pub use round::{Holding, Left, Report, round, round_now};
pub use standing::{HiddenEdit, Overview, Why, overview};
pub use warnings::warnings;

use crate::context::ANNOTATION_KEY;
use crate::crdt::{Clock, Stamp};
use crate::git::{LogPosition, Repo, Save, Stillness, crash, sweep};
use crate::node::{ClockFile, Config, Node, state_folder};
use crate::overlay::CommitId;
use crate::store::{Author, Beginning, Durability, Moment, Opened, Store};

/// One who stays, and may have seen who writes which file.
pub trait Onlooker {
    /// What is known of whoever wrote a file, from the top of the work tree, at the moment at which that is asked: after the file
    /// was read.
    fn save(&self, file: &Path) -> Save;

    /// Keeps files that were replaced: whoever had opened them may write into them yet.
    fn keep(&self, formers: Vec<Former>);
}

/// A work tree that records and shows edits; nobody else does in it as long as this one is there.
pub struct Replica<'r> {
    repo: &'r Repo,
    store: Held<'r>,
    node: Node,
    clock_file: ClockFile,
    clock: Clock,
    now: Moment,
    /// The newest published ancestors of a commit.
    published: Option<(CommitId, Vec<CommitId>)>,
    /// The branch that is checked out, as its upstream calls it, once somebody asked.
    branch: Option<Option<String>>,
    policy: Option<Rc<Policy>>,
    /// On whose behalf something is to be recorded next.
    errand: Option<errand::Underway>,
    beginning: Beginning,
    /// How far HEAD's reflog was read in this round.
    log: Option<LogPosition>,
    /// How git stood when a round began that minds it.
    stillness: Option<Stillness>,
    /// Who is told as soon as an edit is recorded, before the file is written.
    recorded: Option<&'r mut dyn FnMut()>,
    onlooker: Option<&'r dyn Onlooker>,
    /// Files that were replaced here.
    formers: Vec<Former>,
    _turn: File,
}

impl<'r> Replica<'r> {
    /// Whether there is anything to record or to show in a work tree: it was set up, or holds a document.
    ///
    /// # Errors
    /// When the work tree cannot be searched.
    pub fn is_wanted(repo: &Repo) -> Result<bool, Error> {
        if Node::load(repo.git_dir())?.is_some() {
            return Ok(true);
        }
        let is_document = |file: &PathBuf| {
            let bytes = fs::read(repo.top().join(file)).unwrap_or_default();
            memchr::memmem::find(&bytes, ANNOTATION_KEY.as_bytes()).is_some()
        };
        Ok(repo.context_files()?.files.iter().any(is_document))
    }

    /// Opens the store and the clock of a work tree, and waits until no other process has them. A clone that nobody set up
    /// is a replica all the same.
    ///
    /// # Errors
    /// [`Error::Store`] where there can be no store: the git directory may be read-only.
    pub fn open(repo: &'r Repo) -> Result<Self, Error> {
        let turn = repo.turn()?;
        if let Err(error) = sweep(&state_folder(repo.git_dir())) {
            tracing::info!("what stopped processes left stays: {error}");
        }
        let Opened { store, beginning } = Store::open(repo.git_dir())?;
        Self::begin(repo, Held::Own(Box::new(store)), beginning, turn)
    }

    /// As [`open`](Self::open), for one who goes on to have the store of this work tree open.
    ///
    /// # Errors
    /// As there.
    pub fn with(repo: &'r Repo, store: &'r mut Store) -> Result<Self, Error> {
        let turn = repo.turn()?;
        Self::begin(repo, Held::Lent(store), Beginning::Kept, turn)
    }

    fn begin(
        repo: &'r Repo,
        mut store: Held<'r>,
        beginning: Beginning,
        turn: File,
    ) -> Result<Self, Error> {
        let (node, _) = Node::create(repo.git_dir())?;
        let mut clock_file = node.clock()?;
        recognise(&node, &mut clock_file, &mut store)?;
        let now = Moment::now();
        catch_up(repo, &node, &mut clock_file, &mut store, now)?;
        Ok(Self {
            repo,
            store,
            clock: clock_file.clock(),
            clock_file,
            node,
            now,
            published: None,
            branch: None,
            policy: None,
            errand: None,
            beginning,
            log: None,
            stillness: None,
            recorded: None,
            onlooker: None,
            formers: Vec::new(),
            _turn: turn,
        })
    }

    /// Tells somebody as soon as an edit is recorded: others need not wait until the file is written.
    #[must_use]
    pub fn telling(mut self, recorded: &'r mut dyn FnMut()) -> Self {
        self.recorded = Some(recorded);
        self
    }

    /// Leaves files alone that somebody is just writing, as far as one who looks on knows.
    #[must_use]
    pub fn watched_by(mut self, onlooker: &'r dyn Onlooker) -> Self {
        self.onlooker = Some(onlooker);
        self
    }

    /// What is known of whoever wrote a file, after that was read.
    fn save(&self, file: &Path) -> Save {
        let onlooker = self.onlooker;
        onlooker.map_or(Save::Unseen, |onlooker| onlooker.save(file))
    }

    /// Where a damaged store was put aside.
    fn put_aside(&self) -> Option<PathBuf> {
        match &self.beginning {
            Beginning::Anew { put_aside } => Some(put_aside.clone()),
            Beginning::Kept | Beginning::New => None,
        }
    }

    /// A new stamp. It must not be shown to anybody before [`keep_clock`](Self::keep_clock).
    fn tick(&mut self) -> Result<Stamp, Error> {
        let stamp = self.clock.tick(self.now.unix_millis());
        stamp.map_err(|source| Error::Clock { source })
    }

    /// Writes the clock down, if it went on.
    fn keep_clock(&mut self) -> Result<(), Error> {
        Ok(self.clock_file.keep(self.clock)?)
    }
}

/// The store that a replica works with.
enum Held<'r> {
    Own(Box<Store>),
    Lent(&'r mut Store),
}

impl Deref for Held<'_> {
    type Target = Store;

    fn deref(&self) -> &Store {
        match self {
            Held::Own(store) => store,
            Held::Lent(store) => store,
        }
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut Store {
        match self {
            Held::Own(store) => store,
            Held::Lent(store) => store,
        }
    }
}

impl Drop for Replica<'_> {
    /// Lets the clock know how much of what it made the store knows. Where that cannot be written the clock only knows less.
    fn drop(&mut self) {
        if let Some(onlooker) = self.onlooker {
            onlooker.keep(std::mem::take(&mut self.formers));
        }
        let replica = self.clock_file.replica();
        let reading = self
            .store
            .read()
            .and_then(|reading| reading.last_of(replica));
        match reading.map(|last| self.clock_file.note_recorded(last)) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::info!("{error}"),
            Err(error) => tracing::info!("{error}"),
        }
    }
}

/// Whose edits are made here.
fn author<'n>(node: &'n Node, clock: &ClockFile) -> Author<'n> {
    Author {
        key: node.key(),
        incarnation: clock.incarnation(),
        replica: clock.replica(),
    }
}

/// Begins a new incarnation where the clock had run ahead of the time, or the time was set back: what was made since would
/// go on to be refused by everybody.
fn catch_up(
    repo: &Repo,
    node: &Node,
    clock: &mut ClockFile,
    store: &mut Store,
    now: Moment,
) -> Result<(), Error> {
    let made = clock
        .last()
        .filter(|last| last.replica() == clock.replica());
    let Some(made) = made.filter(|made| made.unix_millis() > now.unix_millis()) else {
        return Ok(());
    };
    let allowed = Config::at_head(repo)
        .unwrap_or_default()
        .allowed_skew_millis();
    if made.unix_millis() > now.unix_millis() + allowed {
        tracing::info!("the clock was set back: a new incarnation begins");
        clock.begin_incarnation_now(node.key())?;
        // It is still the one that made what is known as its own.
        let writing = store.write(Durability::Power)?;
        writing.set_writer(clock.replica())?;
        writing.commit()?;
    }
    Ok(())
}

/// Makes sure that the clock's replica is the one for which the store was written last, and that the store knows all of its
/// edits. Where it is not so the work tree was copied, or a part of its state is lost or comes from a backup: what was made
/// under the old name could be made again with another content, so a new incarnation begins. What the store knows may belong
/// to the other copy, which goes on with it: it is known here like what any other replica made.
fn recognise(node: &Node, clock: &mut ClockFile, store: &mut Store) -> Result<(), Error> {
    let reading = store.read()?;
    let writer = reading.writer()?;
    let agrees = clock.agrees_with(reading.last_of(clock.replica())?);
    drop(reading);
    if writer == Some(clock.replica()) && agrees {
        return Ok(());
    }
    // A replica that made nothing yet, as that of a copy which was noticed a moment ago, is as good as a new one.
    let made_some = |last: Stamp| last.replica() == clock.replica();
    if clock.last().is_some_and(made_some) || !agrees {
        clock.begin_incarnation(node.key())?;
    }
    crash::here("after-incarnation");
    let writing = store.write(Durability::Power)?;
    writing.disown()?;
    writing.set_writer(clock.replica())?;
    Ok(writing.commit()?)
}
