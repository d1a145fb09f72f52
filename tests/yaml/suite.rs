//! The cases of the official YAML test suite, read from its source files.

use std::path::PathBuf;

use rhema_crdt::yaml::{Document, Limits, NodeRef};

/// One case: a text, and its events unless it is no YAML.
pub(crate) struct Case {
    /// Its name in the suite, with a number where a file holds several.
    pub(crate) id: String,
    /// The text to read.
    pub(crate) yaml: String,
    /// The expected events; none if the text must be refused.
    pub(crate) events: Option<Vec<String>>,
}

/// Where the suite is checked out: `YAML_TEST_SUITE`, or the folder shared with this repository.
fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("YAML_TEST_SUITE").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/yaml-test-suite");
    [named, Some(beside)]
        .into_iter()
        .flatten()
        .map(|folder| folder.join("src"))
        .find(|folder| folder.is_dir())
}

/// All cases, or none where the suite is not at hand.
pub(crate) fn cases() -> Option<Vec<Case>> {
    let mut files: Vec<_> = std::fs::read_dir(folder()?)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let document = Document::read(&std::fs::read(&file).unwrap(), &Limits::default())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let root = document.root().unwrap();
        let many = root.len() > 1;
        // A case takes what it does not say from the one before it in the file.
        let mut yaml = String::new();
        let mut tree = None;
        // The suite keeps texts that are valid by the letter only, marked as not to be tested.
        if root
            .entries()
            .any(|case| field(case.value(), "skip").is_some())
        {
            continue;
        }
        for (index, case) in root.entries().enumerate() {
            let case = case.value();
            if let Some(text) = field(case, "yaml") {
                yaml = unescape(&text);
            }
            if let Some(text) = field(case, "tree") {
                tree = Some(text);
            }
            let fail = field(case, "fail").is_some_and(|text| text == "true");
            cases.push(Case {
                id: if many {
                    format!("{name}/{index:02}")
                } else {
                    name.clone()
                },
                yaml: yaml.clone(),
                events: (!fail).then(|| {
                    let tree = tree.as_deref().unwrap_or_default();
                    unescape(tree)
                        .lines()
                        .map(|line| line.trim_start().to_owned())
                        .collect()
                }),
            });
        }
    }
    Some(cases)
}

fn field(case: NodeRef<'_>, name: &str) -> Option<String> {
    Some(case.get(name)?.value().text().into_owned())
}

/// The suite writes white space visibly.
fn unescape(text: &str) -> String {
    let mut text = text.replace('␣', " ");
    while text.contains("—»") {
        text = text.replace("—»", "»");
    }
    text.replace('»', "\t")
        .replace('⇔', "\u{feff}")
        .replace('↵', "")
        .replace('←', "\r")
        .replace("∎\n", "")
}
