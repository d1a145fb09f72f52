//! What `init` did in this work tree, so that `uninit` can tell what was there before.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Error;
use super::autostart::Kept;
use crate::git::{replace, replace_durably};

const FILE: &str = "init";
const ORIGINALS: &str = "originals";

/// What was done, as far as it cannot be seen in the files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Journal {
    /// A fingerprint of all documents as `init` left them; empty once that is no longer known.
    pub(super) left: String,
    /// Whether the lines in `.gitattributes` came with it.
    pub(super) attributes: bool,
    /// The documents that got their markers from it.
    pub(super) marked: Vec<PathBuf>,
    /// The folders that it made, outermost first.
    pub(super) folders: Vec<PathBuf>,
    /// Whether it made `members.yaml`.
    pub(super) made_members: bool,
    /// The documents that it rewrote from the verbose form.
    pub(super) rewritten: Vec<Rewritten>,
    /// What it made of `config.yaml`.
    #[serde(default)]
    pub(super) configured: Option<Configured>,
    /// What it wrote so that `watch` starts at login.
    #[serde(default)]
    pub(super) autostart: Option<Kept>,
}

/// What was made of `config.yaml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Configured {
    /// The fingerprint of what was written.
    pub(super) written: String,
    /// The fingerprint of what it was before, under which that is kept; none where there was no file.
    pub(super) original: Option<String>,
}

/// A document that was rewritten from the verbose form.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Rewritten {
    /// Its path from the top.
    pub(super) path: PathBuf,
    /// The fingerprint of what was written.
    pub(super) written: String,
    /// The fingerprint of what it was before, under which that is kept.
    pub(super) original: String,
}

impl Journal {
    pub(super) fn path(folder: &Path) -> PathBuf {
        folder.join(FILE)
    }

    pub(super) fn load(folder: &Path) -> Result<Option<Self>, Error> {
        let path = Self::path(folder);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::Read { path, source }),
        };
        // A journal that cannot be read tells nothing, which is safe: everything is taken out then.
        Ok(serde_yaml::from_str(&text)
            .inspect_err(|error| tracing::warn!("{}: {error}", path.display()))
            .ok())
    }

    pub(super) fn save(&self, folder: &Path) -> Result<(), Error> {
        let path = Self::path(folder);
        let written = serde_yaml::to_string(self)
            .map_err(std::io::Error::other)
            .and_then(|text| replace_durably(&path, text.as_bytes()));
        written.map_err(Error::write(&path))
    }

    /// Keeps what a file was.
    pub(super) fn keep(folder: &Path, original: &[u8]) -> Result<(), Error> {
        let folder = folder.join(ORIGINALS);
        let path = folder.join(fingerprint(original));
        fs::create_dir_all(&folder)
            .and_then(|()| replace(&path, original))
            .map_err(Error::write(&path))
    }

    /// What was kept under this fingerprint, unless it is lost.
    pub(super) fn kept(folder: &Path, original: &str) -> Option<Vec<u8>> {
        let bytes = fs::read(folder.join(ORIGINALS).join(original)).ok();
        bytes.filter(|bytes| fingerprint(bytes) == original)
    }

    /// What a document was before it was rewritten; nothing if it was not.
    pub(super) fn original(&self, folder: &Path, path: &Path) -> Option<Original> {
        let rewritten = self.rewritten.iter().find(|each| each.path == path)?;
        Some(Original {
            bytes: Self::kept(folder, &rewritten.original),
            written: rewritten.written.clone(),
        })
    }
}

/// What a document was before it was rewritten from the verbose form.
pub(super) struct Original {
    /// Its bytes, unless they are lost.
    pub(super) bytes: Option<Vec<u8>>,
    written: String,
}

impl Original {
    /// Whether a document still is what was written then.
    pub(super) fn is_untouched(&self, now: &[u8]) -> bool {
        self.written == fingerprint(now)
    }
}

/// A fingerprint of some bytes.
pub(super) fn fingerprint(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes).as_slice())
}

/// A fingerprint of files with their paths, in their order.
pub(super) fn fingerprint_of<'f>(files: impl IntoIterator<Item = (&'f Path, &'f [u8])>) -> String {
    let mut hash = Sha256::new();
    for (path, bytes) in files {
        hash.update(path.as_os_str().as_encoded_bytes());
        hash.update([0]);
        hash.update(Sha256::digest(bytes));
    }
    hex(hash.finalize().as_slice())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
