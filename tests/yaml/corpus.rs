//! Real files, where there are some: every `*.yaml` and `*.yml` below the folder that `YAML_CORPUS` names.

use std::path::{Path, PathBuf};

/// All files, in order; none if `YAML_CORPUS` is not set.
pub(crate) fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    if let Some(folder) = std::env::var_os("YAML_CORPUS") {
        collect(Path::new(&folder), &mut files);
        assert!(!files.is_empty(), "no files below YAML_CORPUS");
    }
    files.sort();
    files
}

pub(crate) fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml")
        {
            files.push(path);
        }
    }
}

/// The text of a file, unless it is no UTF-8.
pub(crate) fn read(path: &Path) -> Option<String> {
    String::from_utf8(std::fs::read(path).unwrap()).ok()
}
