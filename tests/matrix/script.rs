//! The form in which rows are written.
//!
//! A script is a table: a step a line, and behind it, in columns, what must be true after it: what is in the file, the work
//! tree, what would be sent. An empty column says that nothing has changed there since the line above.
//!
//! Steps:
//!
//! - `edit CHANGES`: somebody changes the file in an editor (`file.rs`).
//! - `in FOLDER`: what follows happens in this work tree. The first is `work`; all lie in one folder.
//! - `file PATH`: what follows is about this file. The first is `.rhema/todos.yaml`.
//! - `receive FOLDER`: both record, and this work tree gets and shows what that one would send.
//! - `fails: COMMAND`: a shell command that must fail.
//! - `without sync: EDITS`: what is sent in the end if nothing was recorded in between, where that is something else.
//! - anything else: a shell command.
//!
//! The file: the records and fields that are not what they were at first (`a.status=done`, `-b` for a record that is gone,
//! `+e` for a new one), or `as at first`, `absent`, `markers`. The work tree: `clean`, or some of `edited`, `staged`,
//! `untracked`, `unmerged`, and `busy` where git is in the middle of something. What is sent: this work tree's own edits with
//! commas between them, those in parentheses that were taken back since; or `nothing`.

/// A row: what is done, and what must come of it.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) script: &'static str,
}

/// A step, and what must be true after it.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) deed: Deed,
    /// As it is written.
    pub(crate) shown: &'static str,
    pub(crate) file: Option<&'static str>,
    pub(crate) tree: Option<&'static str>,
    pub(crate) sent: Option<&'static str>,
}

/// What is done in a step.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    Edit(&'static str),
    In(&'static str),
    File(&'static str),
    Receive(&'static str),
    Shell(&'static str),
    Fails(&'static str),
    /// Nothing: what is sent if nothing was recorded in between.
    WithoutSync(&'static str),
}

/// What a file holds that nobody has changed.
pub(crate) const AT_FIRST: &str = "as at first";
/// What is sent by a work tree without own edits.
pub(crate) const NOTHING: &str = "nothing";
/// The work tree of a row.
pub(crate) const FIRST_TREE: &str = "work";
/// The file of a row.
pub(crate) const FIRST_FILE: &str = ".rhema/todos.yaml";

impl Row {
    pub(crate) fn steps(&self) -> Vec<Step> {
        let lines = self.script.lines().map(str::trim);
        lines
            .filter(|line| !line.is_empty())
            .map(Step::parse)
            .collect()
    }
}

impl Step {
    fn parse(line: &'static str) -> Self {
        let mut columns = line.split('|').map(str::trim);
        let shown = columns.next().unwrap();
        let mut column = || columns.next().filter(|column| !column.is_empty());
        let (file, tree, sent) = (column(), column(), column());
        assert!(column().is_none(), "too many columns: {line}");
        let after = |prefix| shown.strip_prefix(prefix).map(str::trim);
        let deed = if let Some(changes) = after("edit ") {
            Deed::Edit(changes)
        } else if let Some(folder) = after("in ") {
            Deed::In(folder)
        } else if let Some(path) = after("file ") {
            Deed::File(path)
        } else if let Some(folder) = after("receive ") {
            Deed::Receive(folder)
        } else if let Some(sent) = after("without sync:") {
            Deed::WithoutSync(sent)
        } else if let Some(command) = after("fails:") {
            Deed::Fails(command)
        } else {
            Deed::Shell(shown)
        };
        Self {
            deed,
            shown,
            file,
            tree,
            sent,
        }
    }
}
