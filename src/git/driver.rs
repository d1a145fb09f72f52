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
        let unnameable = |why: String| Error::UnnameableProgram { why };
        let program = std::env::current_exe().map_err(|error| unnameable(error.to_string()))?;
        let found = on_path("rhema");
        let same =
            |other: PathBuf| Some(other.canonicalize().ok()? == program.canonicalize().ok()?);
        if found.and_then(same) == Some(true) {
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
            None => Err(unnameable(format!("{} is not UTF-8", program.display()))),
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
