//! A bare repository of our own, beside the user's: what goes to a git remote and comes from it without touching theirs.
//!
//! Each replica has one ref on the remote, which it alone pushes and everybody fetches. Were these refs in the user's repository they
//! would stand in every `git log --all`, and a shallow or partial clone would have to be told what they are; here nobody
//! meets them, and the folder may be deleted at any time. The `git` program does what needs the network, with the configuration of
//! the user's repository, so that every credential helper, proxy, ssh command and address works as in their own `git fetch`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use git2::{FileMode, ObjectType, Oid, Signature, Time};

use super::away::{Away, Patience, Prompts, git_away};
use super::config;
use super::history::{blob_id, commit_id, oid};
use super::program::Answer;
use super::{Error, Repo};
use crate::overlay::{BlobId, CommitId};

/// Files in one ref at most: whoever keeps to the format has some twenty.
const MOST_FILES: usize = 1_024;

/// Refs that are looked at.
const MOST_REFS: usize = 16_384;

/// Loose objects in one of 256 folders, from which on all are packed.
const LOOSE_IN_ONE: usize = 8;

/// How long packing may take.
const TIDYING: Duration = Duration::from_secs(60);

/// Where refs stand on the remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Namespace {
    /// Below `refs/rhema`, where nobody sees them.
    Own,
    /// Among the branches, for hosts that take nothing else.
    Branches,
}

impl Namespace {
    const ALL: [Self; 2] = [Self::Own, Self::Branches];

    /// What a ref is called on the remote.
    #[must_use]
    pub fn there(self, name: &str) -> String {
        format!("{}{name}", self.prefix_there())
    }

    fn here(self, name: &str) -> String {
        format!("{}{name}", self.prefix_here())
    }

    fn prefix_there(self) -> &'static str {
        match self {
            Self::Own => "refs/rhema/",
            Self::Branches => "refs/heads/rhema/",
        }
    }

    fn prefix_here(self) -> &'static str {
        match self {
            Self::Own => "refs/rhema/",
            Self::Branches => "refs/rhema-branches/",
        }
    }
}

/// A ref, as it was fetched last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tip {
    /// What stands behind the prefix of its namespace.
    pub name: String,
    /// Where it stands.
    pub namespace: Namespace,
    /// The commit that it names.
    pub commit: CommitId,
}

/// A file of a ref.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its content.
    pub blob: BlobId,
    /// How long that is, in bytes.
    pub size: usize,
}

/// What became of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// The remote has it.
    Done,
    /// Somebody else pushed the same ref since it was fetched.
    Overtaken,
    /// The host does not let refs of this name in, and says why.
    Forbidden(String),
}

/// The repository.
pub struct Outpost<'r> {
    repo: &'r Repo,
    inner: git2::Repository,
    folder: PathBuf,
}

impl<'r> Outpost<'r> {
    /// That of a work tree, in `folder`; it is made where there is none, and made anew where it cannot be read.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(repo: &'r Repo, folder: PathBuf) -> Result<Self, Error> {
        let opened = git2::Repository::open_bare(&folder);
        let inner = match opened {
            Ok(inner) if inner.find_reference("HEAD").is_ok() => inner,
            _ => Self::make(&folder)?,
        };
        Ok(Self {
            repo,
            inner,
            folder,
        })
    }

    /// Takes away what programs left behind that were ended: nobody else is at work here. Says whether it is whole then.
    ///
    /// # Errors
    /// When it cannot be looked through.
    pub fn mend(&self) -> Result<bool, Error> {
        let read = |source| Error::Read {
            path: self.folder.clone(),
            source,
        };
        let mut is_whole = true;
        let mut folders = vec![self.folder.join("refs")];
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(read)? {
            files.push(entry.map_err(read)?.path());
        }
        files.retain(|path| path.extension().is_some_and(|ending| ending == "lock"));
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).map_err(read)? {
                let path = entry.map_err(read)?.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                if path.extension().is_some_and(|ending| ending == "lock") {
                    files.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                is_whole &= Oid::from_str(text.trim_end()).is_ok();
            }
        }
        for path in files {
            tracing::info!("{} was left behind and is taken away", path.display());
            std::fs::remove_file(&path).map_err(|source| Error::Write { path, source })?;
        }
        Ok(is_whole)
    }

    /// Packs what is here and drops what nobody names any more, where that is worth it.
    ///
    /// # Errors
    /// When git cannot.
    pub fn tidy(&self) -> Result<(), Error> {
        // One in 256 folders, as git itself estimates it.
        let some = std::fs::read_dir(self.folder.join("objects").join("17"));
        if some.map_or(0, Iterator::count) > LOOSE_IN_ONE {
            let arguments = ["gc", "--quiet", "--prune=now"];
            self.run(arguments, Prompts::None, &Patience::of(TIDYING))?
                .success()?;
        }
        Ok(())
    }

    fn make(folder: &Path) -> Result<git2::Repository, Error> {
        // Whatever stands in its place.
        let removed = match std::fs::symlink_metadata(folder) {
            Ok(there) if there.is_dir() => std::fs::remove_dir_all(folder),
            Ok(_) => std::fs::remove_file(folder),
            Err(_) => Ok(()),
        };
        removed.map_err(|source| Error::Write {
            path: folder.to_path_buf(),
            source,
        })?;
        let mut options = git2::RepositoryInitOptions::new();
        options.bare(true).external_template(false);
        let made = git2::Repository::init_opts(folder, &options)
            .map_err(Error::libgit2(format!("make {}", folder.display())))?;
        // Like the store beside it, it has what is not committed.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let only_us = std::fs::Permissions::from_mode(0o700);
            std::fs::set_permissions(folder, only_us).map_err(|source| Error::Write {
                path: folder.to_path_buf(),
                source,
            })?;
        }
        Ok(made)
    }

    /// Makes it anew: what it holds is of no use.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn begin_anew(self) -> Result<Self, Error> {
        let Self { repo, folder, .. } = self;
        let inner = Self::make(&folder)?;
        Ok(Self {
            repo,
            inner,
            folder,
        })
    }

    /// Whether all that its refs name is there.
    ///
    /// # Errors
    /// When the refs cannot be listed.
    pub fn is_whole(&self) -> Result<bool, Error> {
        let tips = self.tips()?;
        Ok(tips
            .iter()
            .all(|tip| self.pieces(tip.commit, |_| true).is_ok()))
    }

    /// Brings the refs of all replicas here.
    ///
    /// # Errors
    /// When the remote cannot be reached.
    pub fn fetch(&self, remote: &str, prompts: Prompts, patience: &Patience) -> Result<(), Error> {
        let refspecs = Namespace::ALL.map(|namespace| {
            format!(
                "+{}*:{}*",
                namespace.prefix_there(),
                namespace.prefix_here()
            )
        });
        let options = [
            "fetch",
            "--quiet",
            "--force",
            // What the host has no more nobody here needs to remember of it.
            "--prune",
            // What is missing here is fetched by nobody later, wherever the user's clone is a partial one.
            "--no-filter",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-recurse-submodules",
            // Nothing goes on here behind our back.
            "--no-auto-maintenance",
            "--refmap=",
            remote,
        ];
        let arguments = options
            .into_iter()
            .chain(refspecs.iter().map(String::as_str));
        self.run(arguments, prompts, patience)?.success()?;
        Ok(())
    }

    /// Has a ref on the remote name this commit, if it still names what it did when it was fetched last.
    ///
    /// # Errors
    /// When the remote cannot be reached, or lets nobody write who is who we are.
    pub fn push(
        &self,
        remote: &str,
        tip: &Tip,
        prompts: Prompts,
        patience: &Patience,
    ) -> Result<Pushed, Error> {
        let there = tip.namespace.there(&tip.name);
        let here = tip.namespace.here(&tip.name);
        let before = self.inner.refname_to_id(&here).ok();
        let lease = format!(
            "--force-with-lease={there}:{}",
            before.map_or(String::new(), |before| before.to_string())
        );
        let refspec = format!("{}:{there}", tip.commit);
        let arguments = [
            "push",
            "--porcelain",
            "--quiet",
            "--no-verify",
            "--no-signed",
            "--no-follow-tags",
            "--recurse-submodules=no",
            &lease,
            remote,
            &refspec,
        ];
        let answer = self.run(arguments, prompts, patience)?;
        let verdict = verdict(&answer.stdout);
        match (answer.status, verdict) {
            (Some(0), _) => {}
            (_, Some(Verdict::Overtaken)) => return Ok(Pushed::Overtaken),
            (_, Some(Verdict::Refused(why))) => {
                let said = answer.said_there();
                return Ok(Pushed::Forbidden(match said {
                    Some(said) => format!("{why}: {said}"),
                    None => why,
                }));
            }
            (_, None) => {
                answer.success()?;
            }
        }
        self.inner
            .reference(&here, oid(tip.commit), true, "pushed")
            .map_err(Error::libgit2(format!("note {there}")))?;
        Ok(Pushed::Done)
    }

    fn run<'a>(
        &self,
        arguments: impl IntoIterator<Item = &'a str>,
        prompts: Prompts,
        patience: &Patience,
    ) -> Result<Answer, Error> {
        let shared = config::path(self.repo);
        // There only where work trees have configurations of their own; what is not there is passed over.
        let own = self.repo.git_dir().join("config.worktree");
        let away = Away {
            git_dir: &self.folder,
            config: &[
                ("include.path", &shared.to_string_lossy()),
                ("include.path", &own.to_string_lossy()),
                ("core.bare", "true"),
                // Hooks of the user's are about their own branches.
                ("core.hooksPath", "/dev/null"),
            ],
            prompts: match prompts {
                // What the user set up to ask is theirs to decide.
                Prompts::None if self.repo.has_ssh_command() => Prompts::NoneOfGit,
                prompts => prompts,
            },
            patience,
        };
        let arguments: Vec<&str> = arguments.into_iter().collect();
        let shown = arguments.first().copied().unwrap_or_default().to_owned();
        let secrets = self.repo.secrets_of_remotes();
        let told = |text: &str| {
            let hide = |text: String, secret: &String| text.replace(secret, "…");
            secrets.iter().fold(text.to_owned(), hide)
        };
        let answer = git_away(self.repo, &away, arguments);
        answer.map(|answer| answer.retold(shown, told))
    }

    /// The refs as they were fetched last.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub fn tips(&self) -> Result<Vec<Tip>, Error> {
        let listing = || Error::libgit2("list the refs of the replicas");
        let mut tips = Vec::new();
        for namespace in Namespace::ALL {
            let prefix = namespace.prefix_here();
            let found = self.inner.references_glob(&format!("{prefix}*"));
            for reference in found.map_err(listing())?.take(MOST_REFS) {
                let reference = reference.map_err(listing())?;
                let name = reference
                    .name()
                    .ok()
                    .and_then(|name| name.strip_prefix(prefix));
                if let (Some(name), Some(target)) = (name, reference.target()) {
                    tips.push(Tip {
                        name: name.to_owned(),
                        namespace,
                        commit: commit_id(target),
                    });
                }
            }
        }
        Ok(tips)
    }

    /// The files that a commit has and of whose names that holds, as far as these are not too many; nothing where this is no commit.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn pieces(
        &self,
        commit: CommitId,
        is_meant: impl Fn(&str) -> bool,
    ) -> Result<Option<BTreeMap<String, Piece>>, Error> {
        let reading = || Error::libgit2(format!("read {commit}"));
        let object = self.inner.find_object(oid(commit), None);
        let Some(commit) = object.map_err(reading())?.into_commit().ok() else {
            return Ok(None);
        };
        let tree = commit.tree().map_err(reading())?;
        let odb = self.inner.odb().map_err(reading())?;
        let mut pieces = BTreeMap::new();
        for entry in tree.iter() {
            let is_file = entry.kind() == Some(ObjectType::Blob);
            let name = entry.name().ok().filter(|name| is_file && is_meant(name));
            let Some(name) = name.filter(|_| pieces.len() < MOST_FILES) else {
                continue;
            };
            let (size, _) = odb.read_header(entry.id()).map_err(reading())?;
            let blob = blob_id(entry.id());
            pieces.insert(name.to_owned(), Piece { blob, size });
        }
        Ok(Some(pieces))
    }

    /// The content of a file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn content(&self, blob: BlobId) -> Result<Vec<u8>, Error> {
        let found = self.inner.find_blob(oid(blob));
        let blob = found.map_err(Error::libgit2(format!("read {blob}")))?;
        Ok(blob.content().to_vec())
    }

    /// Keeps the content of a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, content: &[u8]) -> Result<Piece, Error> {
        let blob = self.inner.blob(content);
        let blob = blob.map_err(Error::libgit2("write a blob"))?;
        Ok(Piece {
            blob: blob_id(blob),
            size: content.len(),
        })
    }

    /// A commit with these files, after another one or without anything before it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn commit(
        &self,
        pieces: &BTreeMap<String, Piece>,
        parent: Option<CommitId>,
        message: &str,
        unix_seconds: i64,
    ) -> Result<CommitId, Error> {
        let writing = || Error::libgit2("write a commit");
        let mut tree = self.inner.treebuilder(None).map_err(writing())?;
        for (name, piece) in pieces {
            tree.insert(name, oid(piece.blob), FileMode::Blob.into())
                .map_err(writing())?;
        }
        let tree = tree.write().map_err(writing())?;
        let tree = self.inner.find_tree(tree).map_err(writing())?;
        let parent = parent.map(|parent| self.inner.find_commit(oid(parent)));
        let parent = parent.transpose().map_err(writing())?;
        let time = Time::new(unix_seconds, 0);
        let by = Signature::new("rhema", "rhema@localhost", &time).map_err(writing())?;
        let parents: Vec<_> = parent.iter().collect();
        let commit = self
            .inner
            .commit(None, &by, &by, message, &tree, &parents)
            .map_err(writing())?;
        Ok(commit_id(commit))
    }

    /// How many commits lead to this one, itself included; counted up to `most`.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn depth(&self, commit: CommitId, most: usize) -> Result<usize, Error> {
        let reading = || Error::libgit2(format!("read what lies behind {commit}"));
        let mut walk = self.inner.revwalk().map_err(reading())?;
        walk.push(oid(commit)).map_err(reading())?;
        Ok(walk.take(most).count())
    }
}

impl Repo {
    /// The git remote through which others are met: the one that is named, else that of the branch that is checked out, else
    /// `origin`, else the only one.
    ///
    /// # Errors
    /// When there is none, several, or none of that name.
    pub fn meeting_remote(&self, named: Option<&str>) -> Result<String, Error> {
        let names = self.inner.remotes();
        let names = names.map_err(Error::libgit2("list the remotes"))?;
        let names: Vec<&str> = names.iter().flatten().flatten().collect();
        let of_branch = || {
            let branch = self.branch().ok().flatten()?;
            let config = self
                .inner
                .config()
                .and_then(|mut all| all.snapshot())
                .ok()?;
            config.get_string(&format!("branch.{branch}.remote")).ok()
        };
        let is_there = |name: &str| names.contains(&name);
        if let Some(named) = named {
            return match is_there(named) {
                true => Ok(named.to_owned()),
                false => Err(Error::NoSuchRemote {
                    name: named.to_owned(),
                }),
            };
        }
        let only = || match names.as_slice() {
            [only] => Some((*only).to_owned()),
            _ => None,
        };
        of_branch()
            .filter(|name| is_there(name))
            .or_else(|| is_there("origin").then(|| "origin".to_owned()))
            .or_else(only)
            .ok_or(Error::NoRemote {
                several: !names.is_empty(),
            })
    }

    /// What of the addresses of remotes must not be shown, the longest first: whoever stands before an `@` in them, and what
    /// stands behind a `?`.
    fn secrets_of_remotes(&self) -> Vec<String> {
        let config = self.inner.config().and_then(|mut all| all.snapshot());
        let mut secrets = Vec::new();
        let names = self.inner.remotes().ok();
        for name in names.iter().flatten().flatten().flatten() {
            for key in ["url", "pushurl"] {
                let key = format!("remote.{name}.{key}");
                let url = config
                    .as_ref()
                    .ok()
                    .and_then(|config| config.get_string(&key).ok());
                secrets.extend(url.iter().flat_map(|url| secrets_of(url)));
            }
        }
        secrets.sort_by_key(|secret: &String| std::cmp::Reverse(secret.len()));
        secrets
    }

    /// Whether the user says by which program to reach hosts over ssh.
    fn has_ssh_command(&self) -> bool {
        let in_environment = ["GIT_SSH", "GIT_SSH_COMMAND"]
            .iter()
            .any(|name| std::env::var_os(name).is_some());
        let config = self.inner.config().and_then(|mut all| all.snapshot());
        in_environment || config.is_ok_and(|config| config.get_string("core.sshCommand").is_ok())
    }
}

/// What of an address must not be shown.
fn secrets_of(url: &str) -> Vec<String> {
    let Some((_, rest)) = url.split_once("://") else {
        return Vec::new();
    };
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let host = place.split('/').next().unwrap_or_default();
    let user = host.rsplit_once('@').map_or("", |(user, _)| user);
    let password = user.split_once(':').map_or("", |(_, password)| password);
    // git itself takes the first `@` for the end of it in what it says.
    let parts = user.split(['@', ':']).skip(1);
    [user, password, query]
        .into_iter()
        .chain(parts)
        // Shorter ones stand in every other word.
        .filter(|secret| secret.len() > 3)
        .map(str::to_owned)
        .collect()
}

/// Why a ref was not pushed.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Overtaken,
    Refused(String),
}

/// What the lines that `git push --porcelain` prints say of the ref: a flag, the ref and a summary, with tabs between them.
fn verdict(stdout: &[u8]) -> Option<Verdict> {
    let text = String::from_utf8_lossy(stdout);
    let summary = text.lines().find_map(|line| {
        let mut parts = line.splitn(3, '\t');
        (parts.next() == Some("!")).then(|| parts.nth(1).unwrap_or_default().to_owned())
    })?;
    let is_ours = |words: &str| summary.contains(words);
    // A ref that somebody is just pushing is locked; one that changed is stale.
    match [
        "stale info",
        "fetch first",
        "non-fast-forward",
        "failed to update ref",
        "cannot lock ref",
    ]
    .into_iter()
    .any(is_ours)
    {
        true => Some(Verdict::Overtaken),
        false => Some(Verdict::Refused(summary)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_addresses_are_secrets() {
        for (url, secrets) in [
            ("https://host/repo.git", &[][..]),
            ("git@host:repo.git", &[]),
            ("https://ann@host/x", &[]),
            (
                "https://ann:secret@host/x",
                &["ann:secret", "secret", "secret"],
            ),
            (
                "https://ann:one@more@host/x?token=t",
                &["ann:one@more", "one@more", "token=t", "more"],
            ),
        ] {
            assert_eq!(secrets_of(url), secrets, "{url}");
        }
    }

    #[test]
    fn why_a_ref_is_not_pushed_is_told_from_the_lines_of_git() {
        let stale = b"To ../o.git\n!\tabc:refs/rhema/x\t[rejected] (stale info)\nDone\n";
        assert_eq!(verdict(stale), Some(Verdict::Overtaken));
        let hidden = b"!\tabc:refs/rhema/x\t[remote rejected] (deny updating a hidden ref)\n";
        let why = "[remote rejected] (deny updating a hidden ref)".to_owned();
        assert_eq!(verdict(hidden), Some(Verdict::Refused(why)));
        assert_eq!(
            verdict(b"*\tabc:refs/rhema/x\t[new reference]\nDone\n"),
            None
        );
    }
}
