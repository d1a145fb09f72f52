//! How peers are found, as `init` writes it into `config.yaml` and `uninit` takes it back.

use super::Error;
use super::files::{Rewrite, read};
use super::journal::{Journal, fingerprint};
use crate::git::Repo;
use crate::node::{Config, Discovery, state_folder, with_discovery};

/// How `config.yaml` comes to say how peers are found; nothing if it does.
pub(super) fn configuring(repo: &Repo, discovery: Discovery) -> Result<Option<Rewrite>, Error> {
    let path = Config::path(repo.top());
    let before = read(&path)?;
    let Ok(text) = String::from_utf8(before.clone().unwrap_or_default()) else {
        return Err(Error::ConfigForm { path });
    };
    let config = Config::read(&path, &text)?;
    let after = with_discovery(&text, discovery);
    if after == text {
        return Ok(None);
    }
    let wanted = Config {
        discovery,
        ..config
    };
    if !Config::read(&path, &after).is_ok_and(|config| config == wanted) {
        return Err(Error::ConfigForm { path });
    }
    Ok(Some(Rewrite {
        path,
        before,
        after: Some(after.into_bytes()),
    }))
}

/// How `config.yaml` becomes what it was; nothing where `init` did not write it, or somebody did since.
pub(super) fn unconfiguring(repo: &Repo, journal: &Journal) -> Result<Option<Rewrite>, Error> {
    let Some(configured) = &journal.configured else {
        return Ok(None);
    };
    let path = Config::path(repo.top());
    let Some(now) = read(&path)?.filter(|now| fingerprint(now) == configured.written) else {
        return Ok(None);
    };
    let after = match &configured.original {
        None => None,
        Some(original) => match Journal::kept(&state_folder(repo.git_dir()), original) {
            Some(original) => Some(original),
            None => return Ok(None),
        },
    };
    Ok(Some(Rewrite {
        path,
        before: Some(now),
        after,
    }))
}
