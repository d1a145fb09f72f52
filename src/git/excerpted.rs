//! Large documents, read as far as somebody asks: without the records that are not asked about.
//!
//! To read a document of ten thousand records takes longer than all else that a command does which tells of one.

use std::fs;
use std::path::Path;

use super::{Error, Repo};
use crate::context::{Address, IDENTITY_FIELDS, identity_field};
use crate::crdt::{Step, split_second_name};
use crate::overlay::{Excerpts, Mentioned};
use crate::yaml::{Document, Limits};

/// What is shorter is read in an instant.
const LEAST: usize = 64 << 10;

impl Repo {
    /// A document of the work tree: all of a small one, and of a large one at least what an address leads to, and the root.
    ///
    /// # Errors
    ///
    /// When it cannot be read, with the place where it is no YAML.
    pub fn read_about(&self, path: &Path, at: &Address) -> Result<Document, Error> {
        match self.part_about(path, at) {
            Some(document) => Ok(document),
            None => Ok(self.read_document(path)?.1),
        }
    }

    /// What of a large document an address leads to, with the root; nothing where that takes reading all of it.
    pub(super) fn part_about(&self, path: &Path, at: &Address) -> Option<Document> {
        self.text_of(path).and_then(|text| about(&text, at))
    }

    /// A document of the work tree, of a large one at least what stands in the root beside lists of records.
    ///
    /// # Errors
    ///
    /// As [`read_about`](Self::read_about).
    pub(super) fn read_root(&self, path: &Path) -> Result<Document, Error> {
        let root = |text: String| excerpt(&text, &Mentioned::default());
        match self.text_of(path).and_then(root) {
            Some(document) => Ok(document),
            None => Ok(self.read_document(path)?.1),
        }
    }

    /// The text of a large document.
    fn text_of(&self, path: &Path) -> Option<String> {
        let bytes = fs::read(self.top().join(path)).ok();
        let bytes = bytes.filter(|bytes| bytes.len() >= LEAST)?;
        String::from_utf8(bytes).ok()
    }
}

/// What of a text an address leads to; nothing where it may lead elsewhere in the whole.
fn about(text: &str, at: &Address) -> Option<Document> {
    let mut mentioned = Mentioned::default();
    for (list, name) in at.records() {
        mentioned.named(list, name);
    }
    let document = excerpt(text, &mentioned)?;
    let place = at.place_in(&document)?;
    let [Step::Entry(list), Step::Record(found, _), ..] = place.steps() else {
        return None;
    };
    let found = found.said();
    // The first of the fields that tell records apart counts, and a second name is told by the one who has the first.
    let records = document.root()?.get(list)?.value();
    let is_plain = identity_field(std::iter::once(records)) == IDENTITY_FIELDS.first().copied()
        && split_second_name(found).is_none();
    // The longest name counts that something has.
    let here = at.records().filter(|(of, _)| of == list);
    let mut longer = here
        .map(|(_, name)| name)
        .filter(|name| name.len() > found.len());
    let is_longest =
        longer.all(|name| memchr::memmem::find(text.as_bytes(), name.as_bytes()).is_none());
    (is_plain && is_longest).then_some(document)
}

fn excerpt(text: &str, mentioned: &Mentioned) -> Option<Document> {
    let excerpts = Excerpts::of(&[text], mentioned, LEAST / 2)?;
    let excerpt = excerpts.texts().first()?.clone();
    let read = Document::from_text(excerpt, &Limits::default()).ok()?;
    excerpts.is_read_as_meant(0, &read).then_some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Document {
        Document::from_text(text.to_owned(), &Limits::default()).unwrap()
    }

    fn text(records: &str) -> String {
        let mut text = "owner: ann\ntodos:\n".to_owned();
        for number in 0..2_000 {
            text.push_str(&format!(
                "  - id: record-{number}x\n    title: Title of {number}\n    notes: some more words\n"
            ));
        }
        text + records + "more: 1\n"
    }

    #[test]
    fn what_an_address_leads_to_is_the_same_as_in_the_whole() {
        let text = text(
            "  - id: src\n    title: Twice\n    main: {rs: 1}\n  - id: src-main\n    title: Twice\n",
        );
        let whole = read(&text);
        for path in [
            "todos/record-7x",
            "todos/record-7x/notes",
            "todos.record-1999x.title",
            "todos/src/main.rs",
            "todos/src/main/rs",
        ] {
            let at = Address::new(path);
            let document = about(&text, &at);
            let place = at.place_in(&whole);
            if let Some(document) = &document {
                assert!(document.text().len() < text.len() / 10);
                assert_eq!(at.place_in(document), place, "{path}");
            }
            assert_eq!(document.is_some(), place.is_some(), "{path}");
        }
    }

    #[test]
    fn where_it_may_lead_elsewhere_the_whole_is_read() {
        let text = text(
            "  - id: record-7x/notes\n    title: Longer\n  - id: other-pxn\n    title: Second\n",
        );
        for path in [
            // Another one has the longer name.
            "todos/record-7x/notes",
            // It is called so in another field.
            "todos/Title of 7",
            "todos/other-pxn",
            "todos/nothing",
            "todos",
            "owner",
        ] {
            assert!(
                about(&text, &Address::new(path)).is_none_or(|document| {
                    Address::new(path).place_in(&document)
                        == Address::new(path).place_in(&read(&text))
                        && path == "todos/record-7x/notes"
                }),
                "{path}"
            );
        }
    }

    #[test]
    fn a_root_is_read_without_its_records() {
        let document = excerpt(&text(""), &Mentioned::default()).unwrap();
        let root = document.root().unwrap();
        assert!(
            ["owner", "todos", "more"]
                .iter()
                .all(|name| root.get(name).is_some())
        );
        assert!(document.text().len() < 2_000);
    }
}
