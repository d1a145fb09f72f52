//! The command that git runs to merge a file, and how this program is named in it.

use std::path::{Path, PathBuf};

use super::Error;

/// What git puts in: ancestor, ours (the result goes here), theirs, path, marker size, and the names of the three sides.
const ARGUMENTS: &str = "crdt merge-driver %O %A %B %P -L %L -S %S -X %X -Y %Y";

/// The merge driver as git's configuration describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Driver {
    program: String,
    command: String,
}

impl Driver {
    /// What `merge.rhema-crdt.name` says.
    pub const TITLE: &str = "merge YAML by structure (rhema crdt)";

    /// The driver that runs this very program: as `rhema` where PATH leads to it, by its absolute path otherwise.
    ///
    /// # Errors
    ///
    /// When the program does not know its own path, or that path cannot be written down.
    pub fn of_this_program() -> Result<Self, Error> {
        let program = current_program()?;
        if as_path_leads(&program).is_some() {
            return Ok(Self {
                program: "rhema".to_owned(),
                command: format!("rhema {ARGUMENTS}"),
            });
        }
        match program.to_str() {
            Some(path) => {
                let program = quoted(path);
                // Git itself reads `%` before the shell does.
                let command = format!("{} {ARGUMENTS}", program.replace('%', "%%"));
                Ok(Self { program, command })
            }
            None => Err(Error::UnnameableProgram {
                why: format!("{} is not UTF-8", program.display()),
            }),
        }
    }

    /// The program, as one word for the shell.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.program
    }

    /// The command line, as `merge.rhema-crdt.driver` holds it.
    #[must_use]
    pub fn command(&self) -> &str {
        &self.command
    }
}

/// The absolute path of this very program: the one to which PATH leads as `rhema` where it does, which may be a link that
/// outlives an update, and otherwise that of its file.
///
/// # Errors
///
/// When the program does not know its own path.
pub fn this_program() -> Result<PathBuf, Error> {
    let program = current_program()?;
    let named = as_path_leads(&program).and_then(|found| std::path::absolute(found).ok());
    Ok(named.unwrap_or(program))
}

fn current_program() -> Result<PathBuf, Error> {
    let unnameable = |error: std::io::Error| Error::UnnameableProgram {
        why: error.to_string(),
    };
    std::env::current_exe().map_err(unnameable)
}

/// Where PATH leads as `rhema`, if that is this program.
fn as_path_leads(program: &Path) -> Option<PathBuf> {
    let found = on_path("rhema")?;
    let is_same = found.canonicalize().ok()? == program.canonicalize().ok()?;
    is_same.then_some(found)
}

/// The first `name` on PATH that can be run.
fn on_path(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(&file))
        .find(|candidate| is_program(candidate))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// A path as one word for the shell.
fn quoted(path: &str) -> String {
    let path = if cfg!(windows) {
        path.replace('\\', "/")
    } else {
        path.to_owned()
    };
    format!("'{}'", path.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_for_the_shell() {
        assert_eq!(quoted("/opt/rhema"), "'/opt/rhema'");
        assert_eq!(quoted("/a b/it's 100%/$HOME"), r"'/a b/it'\''s 100%/$HOME'");
    }
}
