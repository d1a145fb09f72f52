//! The example context, carried inside the program so that the demo works anywhere.

use std::fs;
use std::path::Path;

use anyhow::Context;

/// A file of `.rhema-example`: its path in there, and what it holds.
pub(super) struct File {
    pub(super) path: &'static str,
    pub(super) content: &'static str,
}

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        [$(File {
            path: $path,
            content: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/.rhema-example/", $path)),
        }),*]
    };
}

/// Every file of the example.
pub(super) const FILES: [File; 12] = files![
    ".rhema/conventions.yaml",
    ".rhema/decisions.yaml",
    ".rhema/knowledge.yaml",
    ".rhema/patterns.yaml",
    ".rhema/rhema.yaml",
    ".rhema/todos.yaml",
    "services/booking/.rhema/conventions.yaml",
    "services/booking/.rhema/decisions.yaml",
    "services/booking/.rhema/knowledge.yaml",
    "services/booking/.rhema/patterns.yaml",
    "services/booking/.rhema/rhema.yaml",
    "services/booking/.rhema/todos.yaml",
];

/// Writes the example into a folder.
pub(super) fn unpack(folder: &Path) -> anyhow::Result<()> {
    for file in &FILES {
        let path = folder.join(file.path);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, file.content))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    fn files_below(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        entries
            .flat_map(|entry| {
                if entry.path().is_dir() {
                    files_below(&entry.path())
                } else {
                    vec![entry.path()]
                }
            })
            .collect()
    }

    #[test]
    fn every_file_of_the_example_is_carried() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".rhema-example");
        let there: BTreeSet<PathBuf> = files_below(&folder).into_iter().collect();
        let carried = FILES.iter().map(|file| folder.join(file.path)).collect();
        assert_eq!(there, carried);
    }
}
