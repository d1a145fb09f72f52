//! The texts that the writer is tried on: the suite's valid cases, our fixtures, real files where they are at hand.

use std::path::{Path, PathBuf};

use crate::{corpus, suite};

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

/// Our own valid texts and the versions of our merges.
pub(crate) fn fixtures() -> Vec<Text> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut files = Vec::new();
    corpus::collect(&folder, &mut files);
    files.retain(|file| !file.components().any(|part| part.as_os_str() == "invalid"));
    files.sort();
    read(files)
}

/// Real files, where `YAML_CORPUS` names a folder of them.
pub(crate) fn corpus() -> Vec<Text> {
    read(corpus::files())
}

fn read(files: Vec<PathBuf>) -> Vec<Text> {
    files
        .into_iter()
        .filter_map(|file| {
            let yaml = corpus::read(&file)?;
            let name = file.to_string_lossy().into_owned();
            Some(Text { name, yaml })
        })
        .collect()
}
