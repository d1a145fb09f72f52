//! What the system tells of the folders in which documents lie.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::Sign;
use super::writers::Writers;
use crate::git::{self, Repo, Save};
use crate::node::{state_folder, wake_file};

/// The most folders that are watched one by one. Documents that come to be in others are found when everything is looked at.
const MOST_FOLDERS: usize = 4_096;

/// For how long an event is waited for that tells that the system tells of events.
const PROBE: Duration = Duration::from_millis(500);

/// Whether the system watches a folder with all below it at once, at no cost.
const IS_DEEP: bool = cfg!(any(target_os = "macos", target_os = "windows"));

/// Whether the system tells when whoever wrote a file closes it.
const TELLS_OF_CLOSES: bool = cfg!(target_os = "linux");

/// How the files are called that are made to see how far the system told of everything, in the folder of the work tree's state.
const PROBE_FILE: &str = "probe-";

/// For how long that is waited for.
const LONGEST_LAG: Duration = Duration::from_secs(2);

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touched {
    /// A document, from the top of the work tree, or what may be one.
    File(PathBuf, Sign),
    /// A folder came to be, or went.
    Folder,
    /// Git wrote something of its own.
    Git,
    /// Something, and the system does not tell what.
    Something,
}

/// Why the system tells nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Blind {
    /// Files are written by other machines, too, of which this one hears nothing.
    #[error("the file system is shared with other machines, which do not tell of what they write")]
    Shared,
    /// An event that should have come did not.
    #[error("the system tells nothing of what is written here")]
    Silent,
    /// There are too many who watch.
    #[error("the system watches no more folders (on Linux: raise fs.inotify.max_user_watches)")]
    Full,
    /// Something else.
    #[error("folders cannot be watched: {0}")]
    Failed(String),
}

/// One who is told of what happens in a work tree.
pub struct Seeing {
    watcher: RecommendedWatcher,
    /// The folders that are watched, from the top of the work tree.
    folders: BTreeSet<PathBuf>,
    top: PathBuf,
    probing: Probing,
    writers: Arc<Mutex<Writers>>,
}

impl Seeing {
    /// Begins to tell of what happens in the git directory of a work tree; of its folders once they are named by
    /// [`watch`](Self::watch). `tell` is called by a thread of its own.
    ///
    /// # Errors
    /// Where the system tells nothing, which is tried out, or nothing of what others do.
    pub fn begin(repo: &Repo, tell: impl Fn(Touched) + Send + 'static) -> Result<Self, Blind> {
        if git::is_shared(repo.top()) {
            return Err(Blind::Shared);
        }
        if is_blinded() {
            return Err(Blind::Silent);
        }
        let (probed, probes) = mpsc::channel();
        let places = Places::of(repo);
        let (top, git_dir) = (places.top.clone(), places.git_dir.clone());
        let probing = Probing {
            folder: state_folder(&git_dir),
            number: Cell::new(0),
            told: probes,
        };
        let writers = Arc::new(Mutex::new(Writers::default()));
        let see = {
            let (writers, folder) = (Arc::clone(&writers), probing.folder.clone());
            move |event: notify::Result<Event>| match event {
                Ok(event) if is_probe(&event, &folder) => {
                    // Nobody waits any more when the program ends.
                    let _ = probed.send(event.paths);
                }
                Ok(event) => places.told(&event, &mut |touched| {
                    note(&writers, &touched);
                    tell(touched);
                }),
                Err(error) => {
                    tracing::info!("watching: {error}");
                    lock(&writers).may_have_begun();
                    tell(Touched::Something);
                }
            }
        };
        let mut watcher = notify::recommended_watcher(see).map_err(|error| blind(&error))?;
        watch(&mut watcher, &probing.folder)?;
        probing.wait(PROBE)?;
        let mut seeing = Self {
            watcher,
            folders: BTreeSet::new(),
            top,
            probing,
            writers,
        };
        watch(&mut seeing.watcher, &git_dir)?;
        let log = git_dir.join("logs");
        if log.is_dir() {
            watch(&mut seeing.watcher, &log)?;
        }
        if IS_DEEP {
            let deep = seeing.watcher.watch(&seeing.top, RecursiveMode::Recursive);
            deep.map_err(|error| blind(&error))?;
        }
        Ok(seeing)
    }

    /// Tells of these folders, too, from the top of the work tree, and no longer of others.
    ///
    /// # Errors
    /// Where the system does not watch as many.
    pub fn watch(&mut self, folders: &[PathBuf]) -> Result<(), Blind> {
        if IS_DEEP {
            return Ok(());
        }
        let is_context = |folder: &&PathBuf| git::is_in_context(folder);
        let few = folders.len() <= MOST_FOLDERS;
        let named = folders.iter().filter(|folder| few || is_context(folder));
        let named: BTreeSet<PathBuf> = named.cloned().collect();
        for gone in self.folders.difference(&named) {
            // It may be gone indeed, and is not watched then.
            let _ = self.watcher.unwatch(&self.top.join(gone));
        }
        let mut watched: BTreeSet<PathBuf> = self.folders.intersection(&named).cloned().collect();
        for new in named.difference(&self.folders) {
            let folder = self.top.join(new);
            match watch(&mut self.watcher, &folder) {
                Ok(()) => {
                    watched.insert(new.clone());
                }
                Err(Blind::Full) => return Err(Blind::Full),
                // It went a moment ago.
                Err(error) => tracing::debug!("{}: {error}", folder.display()),
            }
        }
        if self.folders != watched {
            lock(&self.writers).may_have_begun();
        }
        self.folders = watched;
        Ok(())
    }

    /// What is known, at this moment, of whoever wrote a file, from the top of the work tree. What somebody read before they ask
    /// is whole if its writer is done: all that happened until now is taken into account.
    #[must_use]
    pub fn save(&self, file: &Path) -> Save {
        if !TELLS_OF_CLOSES {
            return Save::Unseen;
        }
        let known = || lock(&self.writers).save(file, Instant::now());
        if known() == Save::Underway {
            return Save::Underway;
        }
        let is_up_to_date = self.probing.wait(LONGEST_LAG).is_ok();
        match known() {
            Save::Done if !is_up_to_date => Save::Unseen,
            known => known,
        }
    }

    /// Until when whoever is writing a file is waited for at least; nothing where nobody is.
    #[must_use]
    pub fn busy_until(&self, file: &Path) -> Option<Instant> {
        lock(&self.writers).until(file, Instant::now())
    }
}

/// Files that are made to see how far the system told of everything.
struct Probing {
    folder: PathBuf,
    /// How many there were.
    number: Cell<u64>,
    told: mpsc::Receiver<Vec<PathBuf>>,
}

impl Probing {
    /// Waits until the system told of all that happened before.
    fn wait(&self, at_most: Duration) -> Result<(), Blind> {
        let number = self.number.replace(self.number.get() + 1);
        let file = self.folder.join(format!("{PROBE_FILE}{number}"));
        let made = File::create(&file).map(drop);
        made.map_err(|error| Blind::Failed(error.to_string()))?;
        if let Err(error) = fs::remove_file(&file) {
            tracing::debug!("{}: {error}", file.display());
        }
        let end = Instant::now() + at_most;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let told = self.told.recv_timeout(left).map_err(|_| Blind::Silent)?;
            if told.contains(&file) {
                return Ok(());
            }
        }
    }
}

/// Whether an event tells of a probe in this folder.
fn is_probe(event: &Event, folder: &Path) -> bool {
    event.paths.iter().any(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        path.parent() == Some(folder) && name.is_some_and(|name| name.starts_with(PROBE_FILE))
    })
}

/// Notes who is writing, before anybody acts upon it.
fn note(writers: &Mutex<Writers>, touched: &Touched) {
    match touched {
        Touched::File(file, sign) => lock(writers).touch(file, *sign, Instant::now()),
        Touched::Folder | Touched::Something => lock(writers).may_have_begun(),
        Touched::Git => {}
    }
}

fn lock(writers: &Mutex<Writers>) -> MutexGuard<'_, Writers> {
    writers.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a debug build is to take the system for one that tells nothing: the environment asks for that.
fn is_blinded() -> bool {
    cfg!(debug_assertions) && std::env::var_os("RHEMA_BLIND").is_some()
}

fn watch(watcher: &mut RecommendedWatcher, folder: &Path) -> Result<(), Blind> {
    let watched = watcher.watch(folder, RecursiveMode::NonRecursive);
    watched.map_err(|error| blind(&error))
}

fn blind(error: &notify::Error) -> Blind {
    let is_full = match &error.kind {
        ErrorKind::MaxFilesWatch => true,
        ErrorKind::Io(error) => error.kind() == io::ErrorKind::StorageFull,
        _ => false,
    };
    match is_full {
        true => Blind::Full,
        false => Blind::Failed(error.to_string()),
    }
}

fn canonical(folder: &Path) -> PathBuf {
    folder
        .canonicalize()
        .unwrap_or_else(|_| folder.to_path_buf())
}

/// What tells one path from another.
struct Places {
    top: PathBuf,
    git_dir: PathBuf,
    wake: PathBuf,
}

impl Places {
    fn of(repo: &Repo) -> Self {
        let git_dir = canonical(repo.git_dir());
        Self {
            top: canonical(repo.top()),
            wake: wake_file(&git_dir),
            git_dir,
        }
    }

    fn told(&self, event: &Event, tell: &mut dyn FnMut(Touched)) {
        if event.need_rescan() {
            tell(Touched::Something);
        }
        // Reading a file is an event, too: whoever reads on each would never end.
        let is_read = match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
            EventKind::Access(_) => true,
            _ => false,
        };
        if is_read {
            return;
        }
        for path in &event.paths {
            if let Some(touched) = self.touched(event.kind, path) {
                tell(touched);
            }
        }
    }

    fn touched(&self, kind: EventKind, path: &Path) -> Option<Touched> {
        if let Ok(inside) = path.strip_prefix(&self.git_dir) {
            if path == self.wake {
                return Some(Touched::Something);
            }
            return is_telling(inside).then_some(Touched::Git);
        }
        let file = path.strip_prefix(&self.top).ok()?;
        if git::is_context_file(file) {
            return sign(kind, path).map(|sign| Touched::File(file.to_path_buf(), sign));
        }
        // What is read as configuration is in force at once.
        if git::is_in_context(file) && file.extension().is_some_and(|end| end == "yaml") {
            return Some(Touched::Something);
        }
        let is_folder = match kind {
            EventKind::Create(_) | EventKind::Modify(ModifyKind::Name(_)) if path.is_dir() => true,
            // What it was can only be guessed: editors take files with all sorts of names away.
            EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) => {
                git::is_in_context(file) && file.extension().is_none() && !path.exists()
            }
            _ => false,
        };
        is_folder.then_some(Touched::Folder)
    }
}

/// Whether a file of the git directory tells that git did something: its index or HEAD is another one, or an operation ended.
fn is_telling(file: &Path) -> bool {
    const TELLING: [&str; 8] = [
        "index",
        "HEAD",
        "logs/HEAD",
        "MERGE_HEAD",
        "CHERRY_PICK_HEAD",
        "REVERT_HEAD",
        "rebase-merge",
        "rebase-apply",
    ];
    TELLING.iter().any(|telling| file == Path::new(telling))
}

fn sign(kind: EventKind, path: &Path) -> Option<Sign> {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Some(Sign::Written),
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)) => {
            Some(Sign::Gone)
        }
        // Some systems do not tell the old name from the new one.
        EventKind::Modify(ModifyKind::Name(_)) => Some(match path.exists() {
            true => Sign::Written,
            false => Sign::Gone,
        }),
        EventKind::Modify(ModifyKind::Metadata(_)) => None,
        EventKind::Modify(ModifyKind::Data(_)) if TELLS_OF_CLOSES => Some(Sign::Opened),
        // A file that gets its name by a link is not closed any more.
        EventKind::Create(_) | EventKind::Modify(_) | EventKind::Any => Some(Sign::BeingWritten),
        EventKind::Access(_) | EventKind::Other => None,
    }
}
