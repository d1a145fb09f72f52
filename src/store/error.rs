//! What can go wrong with the store.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::format::Unreadable;

/// A refusal or failure; of what was being written nothing stands.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store cannot be read or written here: no permission, no space, a failing disk. What needs files alone goes on.
    #[error("the store {} cannot be used: check its permissions and the space on the disk", path.display())]
    Unavailable {
        /// The store.
        path: PathBuf,
        /// Why.
        source: Reason,
    },
    /// A newer version of the program made the store.
    #[error(
        "{}: a newer rhema wrote this store (version {found}, this one knows {known}): use that one, or move the file away to begin a new store",
        path.display()
    )]
    Newer {
        /// The store.
        path: PathBuf,
        /// The version of its schema.
        found: u32,
        /// The last version that is known here.
        known: u32,
    },
    /// A value is in a format that is not known here.
    #[error(
        "{}: a newer rhema wrote a part of this store (format {found}): use that one, or move the file away to begin a new store",
        path.display()
    )]
    UnknownFormat {
        /// The store.
        path: PathBuf,
        /// The format's number.
        found: u8,
    },
    /// The file is damaged; [`Store::begin_anew`](super::Store::begin_anew) puts it aside.
    #[error("{}: the store is damaged: `rhema crdt sync` puts it aside and begins anew", path.display())]
    Damaged {
        /// The store.
        path: PathBuf,
        /// How it shows.
        source: rusqlite::Error,
    },
    /// Another process writes to the store and does not come to an end.
    #[error("another program of rhema holds {} and was perhaps stopped: end it, then run the command again", path.display())]
    Busy {
        /// The store.
        path: PathBuf,
    },
    /// The file was removed or replaced since it was opened; whoever opens the store again has the one that is there now.
    #[error("{}: the store was removed or replaced while it was in use: run the command again", path.display())]
    Replaced {
        /// The store.
        path: PathBuf,
    },
    /// Anything else: a fault of the program.
    #[error("the store at {} failed", path.display())]
    Failed {
        /// The store.
        path: PathBuf,
        /// How.
        source: rusqlite::Error,
    },
}

/// Why there is no store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The file system refused.
    #[error(transparent)]
    Files(#[from] io::Error),
    /// The database refused.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    /// The file can be read and not be written.
    #[error("it is read-only")]
    ReadOnly,
    /// It came here from another file system, and has to be fitted to this one, which several machines share.
    #[error("it lies on a network file system, and another program uses it")]
    InUse,
}

impl Error {
    pub(super) fn unavailable(path: &Path, reason: impl Into<Reason>) -> Self {
        Self::Unavailable {
            path: path.to_path_buf(),
            source: reason.into(),
        }
    }

    pub(super) fn newer(path: &Path, found: u32, known: u32) -> Self {
        Self::Newer {
            path: path.to_path_buf(),
            found,
            known,
        }
    }

    /// What an answer of the database means for whoever asked.
    pub(super) fn database(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_path_buf();
        let code = match &source {
            rusqlite::Error::SqliteFailure(failure, _)
                if failure.extended_code == rusqlite::ffi::SQLITE_READONLY_DBMOVED =>
            {
                return Self::Replaced { path };
            }
            rusqlite::Error::SqliteFailure(failure, _) => failure.code,
            rusqlite::Error::FromSqlConversionFailure(_, _, why) => {
                return match why.downcast_ref() {
                    Some(Unreadable::Format(found)) => Self::UnknownFormat {
                        path,
                        found: *found,
                    },
                    _ => Self::Damaged { path, source },
                };
            }
            rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..) => return Self::Damaged { path, source },
            _ => return Self::Failed { path, source },
        };
        match code {
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Damaged { path, source },
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed => Self::Busy { path },
            ErrorCode::PermissionDenied
            | ErrorCode::ReadOnly
            | ErrorCode::CannotOpen
            | ErrorCode::SystemIoFailure
            | ErrorCode::DiskFull => Self::unavailable(&path, source),
            _ => Self::Failed { path, source },
        }
    }
}
