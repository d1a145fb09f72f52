//! The texts that the writer is tried on: the suite's valid cases, our fixtures, real files where they are at hand.

use std::path::{Path, PathBuf};

use crate::suite;

/// A text and what to call it.
pub(crate) struct Text {
    pub(crate) name: String,
    pub(crate) yaml: String,
}

/// The valid cases of the YAML test suite; none where it is not at hand.
pub(crate) fn suite() -> Vec<Text> {
    let cases = suite::cases().unwrap_or_default().into_iter();
    cases
        .filter(|case| case.events.is_some())
        .map(|case| Text {
            name: case.id,
            yaml: case.yaml,
        })
        .collect()
}

/// Every YAML file below `fixtures/`.
pub(crate) fn fixtures() -> Vec<Text> {
    below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"))
}

/// Every YAML file below the folders that `YAML_CORPUS` names (separated by `:`).
pub(crate) fn corpus() -> Vec<Text> {
    let folders = std::env::var("YAML_CORPUS").unwrap_or_default();
    let folders = folders.split(':').filter(|folder| !folder.is_empty());
    folders
        .flat_map(|folder| below(Path::new(folder)))
        .collect()
}

fn below(folder: &Path) -> Vec<Text> {
    let mut files = Vec::new();
    find(folder, &mut files);
    files.sort();
    files
        .into_iter()
        .filter_map(|file| {
            let yaml = std::fs::read_to_string(&file).ok()?;
            let name = file.to_string_lossy().into_owned();
            Some(Text { name, yaml })
        })
        .collect()
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            find(&path, files);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml")
        {
            files.push(path);
        }
    }
}
