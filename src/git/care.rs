//! Whether the merge driver has the care of a file: it is configured, and the attributes lead to it.

use std::path::Path;

use git2::AttrCheckFlags;

use super::{DRIVER, Error, Repo, config};

impl Repo {
    /// The command of the merge driver, from wherever in git's configuration it comes.
    ///
    /// # Errors
    ///
    /// When the configuration cannot be read.
    pub fn driver_command(&self) -> Result<Option<String>, Error> {
        let reading = || Error::libgit2("read git's configuration");
        let configuration = self
            .inner
            .config()
            .and_then(|mut all| all.snapshot())
            .map_err(reading())?;
        match configuration.get_bytes(config::COMMAND) {
            Ok([]) => Ok(None),
            Ok(command) => Ok(Some(String::from_utf8_lossy(command).into_owned())),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(reading()(error)),
        }
    }

    /// Whether the attributes hand the file at `path` (from the top of the work tree) to the merge driver.
    ///
    /// # Errors
    ///
    /// When the attributes cannot be read.
    pub fn leads_to_driver(&self, path: &Path) -> Result<bool, Error> {
        let merge = self
            .inner
            .get_attr_bytes(path, "merge", AttrCheckFlags::FILE_THEN_INDEX)
            .map_err(Error::libgit2("read git's attributes"))?;
        Ok(merge == Some(DRIVER.as_bytes()))
    }

    /// Whether the attributes hand context files to the merge driver, at the top and anywhere below. A line that comes
    /// after ours, or one in `.git/info/attributes`, may say otherwise.
    ///
    /// # Errors
    ///
    /// When the attributes cannot be read.
    pub fn attributes_are_set_up(&self) -> Result<bool, Error> {
        for probe in [
            ".rhema/any.yaml",
            ".rhema/deeper/any.yml",
            "any/folder/.rhema/any.yaml",
        ] {
            if !self.leads_to_driver(Path::new(probe))? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
