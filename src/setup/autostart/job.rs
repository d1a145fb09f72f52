//! What is started at login.

use std::path::Path;

use super::super::Error;
use super::super::journal::fingerprint;

/// How much of a work tree's own name the name of its files takes up.
const MOST_READABLE: usize = 32;

/// This program in one work tree. All texts can be written down in every format: they are UTF-8 without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Job {
    /// What the system calls it: something to recognise it by, and a fingerprint of the work tree's path.
    pub(super) name: String,
    /// The work tree's own name, as far as it goes into every format as it is.
    pub(super) readable: String,
    /// The program.
    pub(super) program: String,
    /// The top of the work tree.
    pub(super) top: String,
    /// Where warnings go that nobody else would keep.
    pub(super) log: String,
    /// The user at whose login it starts.
    pub(super) account: String,
}

impl Job {
    /// `rhema crdt watch` by this program in the work tree with its top there and its state in this folder.
    pub(super) fn new(
        program: &Path,
        top: &Path,
        state: &Path,
        account: &str,
    ) -> Result<Self, Error> {
        let text = written(top)?;
        let readable = readable(top);
        let hash = fingerprint(text.as_bytes());
        let hash = hash.get(..12).unwrap_or_default();
        Ok(Self {
            name: format!("rhema-crdt-{readable}-{hash}"),
            readable,
            program: written(program)?,
            top: text,
            log: written(&state.join("watch.log"))?,
            account: account.to_owned(),
        })
    }
}

/// A path as it can be written into a file of any format.
pub(super) fn written(path: &Path) -> Result<String, Error> {
    match path.to_str() {
        None => Err(unfit(path, "it is not UTF-8")),
        Some(text) if text.contains(char::is_control) => {
            Err(unfit(path, "it has a control character"))
        }
        Some(text) => Ok(text.to_owned()),
    }
}

/// That a path cannot stand where it would have to, and why.
pub(super) fn unfit(path: impl AsRef<Path>, why: &'static str) -> Error {
    Error::Unstartable {
        path: path.as_ref().to_path_buf(),
        why,
    }
}

/// The last part of a path, with nothing in it that any format would take amiss.
fn readable(top: &Path) -> String {
    let name = top.file_name().unwrap_or_default().to_string_lossy();
    let harmless = |c: char| match c.is_ascii_alphanumeric() {
        true => c,
        false => '-',
    };
    let name: String = name.chars().map(harmless).take(MOST_READABLE).collect();
    let parts: Vec<&str> = name.split('-').filter(|part| !part.is_empty()).collect();
    match parts.is_empty() {
        true => "tree".to_owned(),
        false => parts.join("-"),
    }
}

#[cfg(test)]
pub(super) fn example() -> Job {
    Job::new(
        Path::new("/opt/100% $HOME/rhema"),
        Path::new(r#"/home/ada/it's "100%" <$HOME> & \ so"#),
        Path::new("/home/ada/it's/.git/rhema"),
        "HARBOUR\\ada",
    )
    .unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(top: &str) -> String {
        let path = Path::new("/x");
        Job::new(path, Path::new(top), path, "").unwrap().name
    }

    #[test]
    fn two_work_trees_have_two_names_that_say_which_is_which() {
        assert_eq!(
            name("/home/ada/slackwater"),
            "rhema-crdt-slackwater-3051d42ab7bb"
        );
        assert_ne!(name("/home/ada/slackwater"), name("/home/ben/slackwater"));
        assert!(name("/home/ada/it's 100% \"mine\"").starts_with("rhema-crdt-it-s-100-mine-"));
        assert!(name("/").starts_with("rhema-crdt-tree-"));
        assert!(name("/Ωδή").starts_with("rhema-crdt-tree-"));
        assert!(name(&format!("/{}", "x".repeat(300))).len() < 64);
    }

    #[test]
    fn what_no_format_can_hold_is_refused() {
        let (good, bad) = (Path::new("/good"), Path::new("/a\nb"));
        let refused = |program, top| {
            let refused = Job::new(program, top, good, "").unwrap_err();
            refused.to_string()
        };
        assert!(refused(bad, good).contains("it has a control character"));
        assert!(refused(good, bad).contains("it has a control character"));
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt;
            let bad = Path::new(std::ffi::OsStr::from_bytes(b"/a\xff"));
            assert!(refused(good, bad).contains("it is not UTF-8"));
        }
    }
}
