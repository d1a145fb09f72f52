//! What can go wrong around a repository, in words that say what to do.

use std::io;
use std::path::PathBuf;

/// A refusal or failure; nothing was changed unless the text says so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No repository here or above.
    #[error("{} is not in a git repository: go to one, or name it with `-C DIR`", folder.display())]
    NotARepository {
        /// Where the search began.
        folder: PathBuf,
    },
    /// A repository without a work tree.
    #[error("{} is a bare repository and has no files to work on: use a clone or a work tree of it", folder.display())]
    Bare {
        /// The repository.
        folder: PathBuf,
    },
    /// A name that stands for no commit.
    #[error("{name} names no commit here: `git branch -a` lists the branches that there are")]
    NoSuchCommit {
        /// The name.
        name: String,
    },
    /// A history of which a part is not at hand.
    #[error(
        "this clone does not have the history that far back: `git fetch --unshallow` brings it (in CI: fetch-depth 0)"
    )]
    CutHistory,
    /// A repository in a format that libgit2 does not read.
    #[error(
        "the repository at {} uses a format that this command cannot read (reftable or SHA-256): \
         `rhema crdt merge` and `merge-driver` work there, the rest does not",
        folder.display()
    )]
    UnsupportedFormat {
        /// Where the search began.
        folder: PathBuf,
        /// What libgit2 said.
        source: git2::Error,
    },
    /// An index in a format that libgit2 does not read.
    #[error(
        "cannot read the index: where it is split or sparse, `git update-index --no-split-index` and \
         `git sparse-checkout reapply --no-sparse-index` give it a form that this command can read"
    )]
    UnsupportedIndex {
        /// What libgit2 said.
        source: git2::Error,
    },
    /// git's guard against other people's repositories.
    #[error(
        "the repository at {} belongs to somebody else: if you trust it, run \
         `git config --global --add safe.directory FOLDER`",
        folder.display()
    )]
    ForeignOwner {
        /// Where the search began.
        folder: PathBuf,
        /// What libgit2 said.
        source: git2::Error,
    },
    /// Anything else that libgit2 reports.
    #[error("cannot {what}")]
    Libgit2 {
        /// What was tried.
        what: String,
        /// What libgit2 said.
        source: git2::Error,
    },
    /// The `git` program could not be run.
    #[error("cannot run `git`: install it, or put it on PATH")]
    NoGit {
        /// Why.
        source: io::Error,
    },
    /// The `git` program refused.
    #[error("`git {arguments}` failed: {message}")]
    GitFailed {
        /// What it was asked.
        arguments: String,
        /// What it said on stderr.
        message: String,
    },
    /// The `git` program took too long.
    #[error("`git {arguments}` took too long and was ended")]
    GitTooSlow {
        /// What it was asked.
        arguments: String,
    },
    /// There is no git remote through which others could be met.
    #[error(
        "{}",
        if *several {
            "there are several git remotes and none is `origin`: name the one where others are met with `remote: NAME` in .rhema/crdt/config.yaml"
        } else {
            "there is no git remote where others could be met: `git remote add origin URL` names one"
        }
    )]
    NoRemote {
        /// Whether that is because there are several.
        several: bool,
    },
    /// The git remote that the configuration names is not there.
    #[error(
        "there is no git remote {name}, which .rhema/crdt/config.yaml names: `git remote add {name} URL` makes it"
    )]
    NoSuchRemote {
        /// Its name.
        name: String,
    },
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {}: check its permissions and the space on the disk", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not of a kind that may be rewritten.
    #[error("{} is {kind}, not a file: replace it with a plain file first (git itself ignores it)", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// Somebody wrote the file while we did.
    #[error("{} was changed by another program just now: run the command again", path.display())]
    ChangedMeanwhile {
        /// The file.
        path: PathBuf,
    },
    /// Somebody is writing the file, and took too long to be waited for.
    #[error("{} is being written by another program: run the command again when that is done", path.display())]
    BeingWritten {
        /// The file.
        path: PathBuf,
    },
    /// The clock has run out.
    #[error("cannot make a stamp")]
    Clock {
        /// Why.
        source: crate::crdt::ClockExhausted,
    },
    /// Whoever gives out stamps could not.
    #[error("cannot make a stamp")]
    NoStamp {
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A conflict could not be settled.
    #[error("cannot settle {field}")]
    Unsettled {
        /// The record and the leaf.
        field: String,
        /// Why.
        source: crate::context::Unsettled,
    },
    /// An edit is asked for while git is in the middle of something.
    #[error("git is in the middle of {what}: finish that first; nothing was changed")]
    Busy {
        /// What it is in the middle of.
        what: &'static str,
    },
    /// A file that is no YAML.
    #[error("{file}:{problem}")]
    Unparsable {
        /// The file, from the top of the work tree.
        file: String,
        /// Line, column and what is wrong.
        problem: crate::yaml::Error,
    },
    /// Another process holds a file of ours and does not let go of it.
    #[error("another program of rhema holds {} and was perhaps stopped: end it, then run the command again", path.display())]
    Held {
        /// The file.
        path: PathBuf,
    },
    /// A file of which nobody can tell what was edited.
    #[error("{file}:{}{why}", if begins_with_a_place(why) { "" } else { " " })]
    NotRecorded {
        /// The file, from the top of the work tree.
        file: String,
        /// Why that is so.
        why: String,
    },
    /// A file whose edits are not stamped.
    #[error("{file} has no marker: run `rhema crdt init` first")]
    NoDocument {
        /// The file, from the top of the work tree.
        file: String,
    },
    /// A change that cannot be made.
    #[error("{reason}")]
    Unedited {
        /// Why.
        reason: crate::context::Unedited,
    },
    /// No document of a scope has what was named.
    #[error("no document of the scope {scope} has {name}{}", instead(.alike, .elsewhere))]
    NoSuchCollection {
        /// What was named.
        name: String,
        /// The folder whose documents were searched.
        scope: String,
        /// What is there and called almost so.
        alike: Option<String>,
        /// Another scope that has it.
        elsewhere: Option<String>,
    },
    /// Several documents of a scope have what was named.
    #[error("{name} is in several documents ({}): choose one with `--file FILE`", .files.join(", "))]
    SeveralDocuments {
        /// What was named.
        name: String,
        /// The documents, from the top of the work tree.
        files: Vec<String>,
    },
    /// The folder of hooks is not this repository's alone.
    #[error(
        "core.hooksPath is set for all repositories: put a line `rhema crdt pre-commit` into {}, \
         or give this repository its own folder (`git config core.hooksPath .git/hooks`)",
        folder.join("pre-commit").display()
    )]
    SharedHooks {
        /// The folder.
        folder: PathBuf,
    },
    /// The path of this program cannot be written into a configuration.
    #[error(
        "cannot name this program in git's configuration: {why}; put `rhema` on PATH and run it from there"
    )]
    UnnameableProgram {
        /// What is wrong with the path.
        why: String,
    },
}

fn instead(alike: &Option<String>, elsewhere: &Option<String>) -> String {
    match (elsewhere, alike) {
        (Some(scope), _) => format!(": `--scope {scope}` has it"),
        (None, Some(name)) => format!(": did you mean {name}?"),
        (None, None) => String::new(),
    }
}

impl Error {
    /// Wraps what libgit2 reports while doing `what` ("read the index").
    pub(super) fn libgit2(what: impl Into<String>) -> impl FnOnce(git2::Error) -> Self {
        let what = what.into();
        move |source| Self::Libgit2 { what, source }
    }
}

/// Whether what is the matter with a file begins with the line and the column.
fn begins_with_a_place(why: &str) -> bool {
    let mut words = why.splitn(3, ':').map(str::parse::<usize>);
    matches!((words.next(), words.next()), (Some(Ok(_)), Some(Ok(_))))
}
