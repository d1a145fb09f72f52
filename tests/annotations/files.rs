//! Every context file and fixture within reach, in the shapes that editors and systems give them.

use std::fs;
use std::path::{Path, PathBuf};

/// Names and texts of the fixtures, of the example, and of the real context files where they are at hand
/// (`REAL_CONTEXT`, or the folder shared with this repository).
pub(crate) fn all() -> Vec<(String, String)> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = std::env::var_os("REAL_CONTEXT").map(PathBuf::from);
    let folders = [
        Some(here.join("fixtures")),
        Some(here.join(".rhema-example")),
        Some(named.unwrap_or_else(|| here.join("../shared/real-context"))),
    ];
    let mut files = Vec::new();
    for folder in folders.into_iter().flatten() {
        collect(&folder, &mut files);
    }
    files.sort();
    files
}

fn collect(folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml")
            && let Ok(text) = fs::read_to_string(&path)
        {
            files.push((path.display().to_string(), text));
        }
    }
}

/// The text as it is, with the line endings of another system, with a byte order mark, without a final newline, after a
/// `---`.
pub(crate) fn variants(text: &str) -> Vec<(&'static str, String)> {
    let unix = text.replace("\r\n", "\n");
    vec![
        ("as it is", text.to_owned()),
        ("CRLF", unix.replace('\n', "\r\n")),
        ("BOM", format!("\u{feff}{text}")),
        (
            "BOM and CRLF",
            format!("\u{feff}{}", unix.replace('\n', "\r\n")),
        ),
        ("no final newline", text.trim_end().to_owned()),
        ("after ---", format!("---\n{text}")),
    ]
}
