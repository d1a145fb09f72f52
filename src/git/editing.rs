//! Which file an edit by command is about, and whose turn it is to edit.

use std::cell::RefCell;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::documents::scope_of;
use super::{Error, Repo, lock, walk};
use crate::context::Address;
use crate::yaml::{Document, Kind, Limits};

/// How long others may edit before it is one's own turn: each is done in a second at most, unless it was stopped.
const MOST_WAITED: Duration = Duration::from_secs(30);

/// Where to look for what an address names.
#[derive(Clone, Debug)]
pub enum Within {
    /// The documents of a scope, by its folder from the top of the work tree.
    Scope(PathBuf),
    /// This document, from the top of the work tree.
    File(PathBuf),
}

impl Repo {
    /// The scope that a folder is in: the nearest one around it that has documents, else the top.
    ///
    /// # Errors
    ///
    /// When the work tree cannot be read.
    pub fn scope_around(&self, folder: &Path) -> Result<PathBuf, Error> {
        let scopes: Vec<PathBuf> = walk::find(self)?
            .files
            .iter()
            .map(|file| scope_of(file))
            .collect();
        let own = scope_of(folder);
        let around = own
            .ancestors()
            .find(|scope| scopes.iter().any(|one| one == scope));
        Ok(around.unwrap_or(Path::new("")).to_path_buf())
    }

    /// The document that an address is about: the only one whose root has what it begins with. For the root itself, the
    /// only one that has `field`, else the only one there is.
    ///
    /// # Errors
    ///
    /// When there is none or several, or the one that it may be in cannot be read.
    pub fn document_of(
        &self,
        within: &Within,
        at: &Address,
        field: Option<&str>,
    ) -> Result<PathBuf, Error> {
        let scope = match within {
            Within::Scope(scope) => scope,
            Within::File(file) => return Ok(file.clone()),
        };
        let (file, _) = self.found_in(scope, at, field, |file| self.read_root(file))?;
        Ok(file)
    }

    /// The document that an address is about, and what stands in it, of a large one at least what the address leads to, and the root.
    ///
    /// # Errors
    ///
    /// As [`document_of`](Self::document_of), and [`read_about`](Self::read_about).
    pub fn document_about(
        &self,
        within: &Within,
        at: &Address,
    ) -> Result<(PathBuf, Document), Error> {
        let scope = match within {
            Within::Scope(scope) => scope,
            Within::File(file) => return Ok((file.clone(), self.read_about(file, at)?)),
        };
        // A large one that has it is read once.
        let about = RefCell::new(None);
        let found = self.found_in(scope, at, None, |file| match self.part_about(file, at) {
            Some(part) => {
                *about.borrow_mut() = Some(file.to_path_buf());
                Ok(part)
            }
            None => self.read_root(file),
        });
        let (file, document) = found?;
        match about.take().is_some_and(|about| about == file) {
            true => Ok((file, document)),
            false => {
                let document = self.read_about(&file, at)?;
                Ok((file, document))
            }
        }
    }

    /// The document of a scope that an address is about, as it was read.
    fn found_in(
        &self,
        scope: &Path,
        at: &Address,
        field: Option<&str>,
        read: impl Fn(&Path) -> Result<Document, Error>,
    ) -> Result<(PathBuf, Document), Error> {
        let files = self.document_paths(Some(scope))?;
        let wanted = match field {
            Some(field) if at.is_root() => Address::new(field),
            _ => at.clone(),
        };
        let names = wanted.first_names();
        let mut having = Vec::new();
        let mut roots = Vec::new();
        let mut known: Vec<(PathBuf, Document)> = Vec::new();
        let mut unread = None;
        for file in files {
            let document = match read(&file) {
                Ok(document) => document,
                Err(error) => {
                    unread = unread.or(Some(error));
                    continue;
                }
            };
            let Some(root) = document.root().filter(|root| root.kind() == Kind::Mapping) else {
                continue;
            };
            if names.iter().any(|name| root.get(name).is_some()) {
                having.push(known.len());
            }
            roots.push(known.len());
            known.push((file, document));
        }
        let found = if at.is_root() && having.is_empty() {
            roots
        } else {
            having
        };
        match (found.as_slice(), unread) {
            ([only], _) => Ok(known.swap_remove(*only)),
            ([], Some(error)) => Err(error),
            ([], None) => Err(Error::NoSuchCollection {
                name: wanted.first_name().to_owned(),
                scope: self.scope_name(scope),
                alike: wanted.meant_in(known.iter().map(|(_, document)| document)),
                elsewhere: self.elsewhere(scope, &names)?,
            }),
            (several, _) => Err(Error::SeveralDocuments {
                name: wanted.to_string(),
                files: several
                    .iter()
                    .filter_map(|index| known.get(*index))
                    .map(|(file, _)| self.shown(file))
                    .collect(),
            }),
        }
    }

    /// The first other scope that has something of one of these names.
    fn elsewhere(&self, scope: &Path, names: &[&str]) -> Result<Option<String>, Error> {
        let found = self.document_paths(None)?.into_iter().find(|file| {
            scope_of(file) != scope
                && self.read_document(file).is_ok_and(|(_, document)| {
                    document
                        .root()
                        .is_some_and(|root| names.iter().any(|name| root.get(name).is_some()))
                })
        });
        Ok(found.map(|file| self.scope_name(&scope_of(&file))))
    }

    /// A scope as it is named on the command line.
    fn scope_name(&self, scope: &Path) -> String {
        match self.shown(scope) {
            name if name.is_empty() => ".".to_owned(),
            name => name,
        }
    }

    /// A document of the work tree, with its bytes.
    ///
    /// # Errors
    ///
    /// When it cannot be read, with the place where it is no YAML.
    pub fn read_document(&self, path: &Path) -> Result<(Vec<u8>, Document), Error> {
        let full = self.top().join(path);
        let unparsable = |problem| Error::Unparsable {
            file: self.shown(path),
            problem,
        };
        let length = full.metadata().map_or(0, |metadata| metadata.len());
        Limits::default().allow(length).map_err(unparsable)?;
        let bytes = fs::read(&full).map_err(|source| Error::Read { path: full, source })?;
        let document = Document::read(&bytes, &Limits::default()).map_err(unparsable)?;
        Ok((bytes, document))
    }

    /// Waits until no other command edits files of this work tree.
    pub(crate) fn turn(&self) -> Result<File, Error> {
        let folder = self.git_dir().join("rhema");
        let path = folder.join("edit.lock");
        match fs::create_dir_all(&folder).and_then(|()| lock(&path, MOST_WAITED)) {
            Ok(Some(turn)) => Ok(turn),
            Ok(None) => Err(Error::Held { path }),
            Err(source) => Err(Error::Write { path, source }),
        }
    }
}
