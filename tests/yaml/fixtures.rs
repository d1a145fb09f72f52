//! Our own texts: `fixtures/yaml/valid` with the events that they read as, `fixtures/yaml/invalid` with the error.

use std::path::{Path, PathBuf};

use rhema_crdt::yaml::{Document, Limits};

use crate::events;

/// One text of ours.
pub(crate) struct Fixture {
    /// Its file.
    pub(crate) path: PathBuf,
    /// Its bytes, not always UTF-8.
    pub(crate) bytes: Vec<u8>,
}

impl Fixture {
    /// What stands beside it in the file with the ending `extension`; with `BLESS` set that is written anew.
    fn expected(&self, extension: &str, actual: &str) -> String {
        let path = self.path.with_extension(extension);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, actual).unwrap();
        }
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn name(&self) -> String {
        self.path
            .file_stem()
            .unwrap()
            .to_string_lossy()
            .into_owned()
    }
}

/// The texts in `fixtures/yaml/<kind>`, by name.
pub(crate) fn fixtures(kind: &str) -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/yaml")
        .join(kind);
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    paths.sort();
    let read = |path: PathBuf| Fixture {
        bytes: std::fs::read(&path).unwrap(),
        path,
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn valid_texts_read_as_their_events() {
    let mut wrong = Vec::new();
    for fixture in fixtures("valid") {
        match Document::read(&fixture.bytes, &Limits::default()) {
            Ok(document) => {
                let actual = events::events(&document).join("\n") + "\n";
                if fixture.expected("events", &actual) != actual {
                    wrong.push(format!("{}: other events\n{actual}", fixture.name()));
                }
            }
            Err(error) => wrong.push(format!("{}: refused: {error}", fixture.name())),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn invalid_texts_are_refused_with_place_and_reason() {
    let mut wrong = Vec::new();
    for fixture in fixtures("invalid") {
        match Document::read(&fixture.bytes, &Limits::default()) {
            Ok(document) => {
                let events = events::events(&document).join("\n");
                wrong.push(format!("{}: accepted:\n{events}", fixture.name()));
            }
            Err(error) => {
                let actual = format!("{error}\n");
                let expected = fixture.expected("error", &actual);
                if expected != actual {
                    wrong.push(format!("{}: {actual}instead of {expected}", fixture.name()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
