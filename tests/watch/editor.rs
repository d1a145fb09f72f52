//! Somebody at an editor, or a tool, who edits the file that is watched, and what they meant by it.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::steps::Dice;
use crate::text::{FIELDS, Leaf, Said, Typing, ids, record};

/// Fields that move alone, the first of them names the record.
const SINGLE: usize = 3;

/// How a file is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Save {
    /// A new file takes the name of the old one.
    Rename,
    /// The file is emptied and written.
    InPlace,
    /// As Vim does with `backupcopy=no`: a swap file is there, the old file becomes a backup, a new one is written, the
    /// backup is deleted.
    Backup,
    /// As `sed -i` does.
    Sed,
    /// The file is emptied and written in pieces.
    InPieces,
}

impl Save {
    /// Saves a file so.
    pub(crate) fn write(self, path: &Path, text: &str) {
        match self {
            Save::Rename => {
                let fresh = path.with_extension("fresh");
                fs::write(&fresh, text).unwrap();
                fs::rename(&fresh, path).unwrap();
            }
            Save::InPlace => fs::write(path, text).unwrap(),
            Save::Backup => {
                let name = path.file_name().unwrap().to_string_lossy();
                let swap = path.with_file_name(format!(".{name}.swp"));
                let backup = path.with_file_name(format!("{name}~"));
                fs::write(&swap, "b0VIM 9.0").unwrap();
                fs::rename(path, &backup).unwrap();
                let mut file = fs::File::create(path).unwrap();
                file.write_all(text.as_bytes()).unwrap();
                file.sync_all().unwrap();
                drop(file);
                fs::remove_file(&backup).unwrap();
                fs::remove_file(&swap).unwrap();
            }
            Save::Sed => {
                let fresh = path.with_file_name("sedXn4fZ1");
                fs::write(&fresh, text).unwrap();
                let permissions = fs::metadata(path).unwrap().permissions();
                fs::set_permissions(&fresh, permissions).unwrap();
                fs::rename(&fresh, path).unwrap();
            }
            Save::InPieces => {
                let mut file = fs::File::create(path).unwrap();
                let third = (text.len() / 3).max(1);
                for piece in text.as_bytes().chunks(third) {
                    file.write_all(piece).unwrap();
                    thread::sleep(Duration::from_millis(3));
                }
            }
        }
    }
}

/// A value that somebody wrote, or a record that they removed, and what they had before their eyes.
#[derive(Clone, Debug)]
pub(crate) struct Deed {
    /// Where; of a removed record any field.
    pub(crate) leaf: Leaf,
    /// What was written; nothing where the record was removed.
    pub(crate) value: Option<String>,
    /// The values, losing ones included, that it takes the place of.
    pub(crate) seen: BTreeSet<String>,
}

/// Somebody who edits one file again and again. Everything that they write is a word that nobody else writes.
pub(crate) struct Editor {
    path: PathBuf,
    dice: Dice,
    words: u32,
    save: &'static [Save],
    /// How long they think between reading and writing.
    thinks: Duration,
    /// The first field that they change.
    first: usize,
    /// Whether they let those records be that were not there in the beginning.
    is_sparing: bool,
    /// All that they did.
    pub(crate) deeds: Vec<Deed>,
}

/// How many words one editor has.
const WORDS: u32 = 10_000_000;

impl Editor {
    /// The editor with this number, who takes turns among ways to save.
    pub(crate) fn new(path: PathBuf, number: u32, seed: u64, save: &'static [Save]) -> Self {
        Self {
            path,
            dice: Dice::new(seed.wrapping_mul(1_000).wrapping_add(u64::from(number))),
            words: (number + 1) * WORDS,
            save,
            thinks: Duration::ZERO,
            first: 0,
            is_sparing: false,
            deeds: Vec::new(),
        }
    }

    /// One who thinks between reading and writing.
    pub(crate) fn thinking(self, thinks: Duration) -> Self {
        Self { thinks, ..self }
    }

    /// One who does not change what names a record.
    pub(crate) fn leaving_titles(self) -> Self {
        Self { first: 1, ..self }
    }

    /// One who removes no record that came but now: the file would read as it did before that came, as if they had not read of it.
    pub(crate) fn sparing(self) -> Self {
        Self {
            is_sparing: true,
            ..self
        }
    }

    fn word(&mut self) -> u32 {
        self.words += 1;
        self.words
    }

    /// Edits once, where the file can be read: a field most of the time, else a record comes or goes, of which there are always
    /// between `fewest` and twice as many.
    /// Returns what they did, for a shell.
    pub(crate) fn edit(&mut self, fewest: usize) -> Option<String> {
        let text = fs::read_to_string(&self.path).ok()?;
        let said = Said::read(&text).ok()?;
        let ids: Vec<String> = ids(&text).into_iter().map(str::to_owned).collect();
        if ids.is_empty() {
            return None;
        }
        let id = ids[self.dice.below(ids.len())].clone();
        let (typing, deeds) = match self.dice.below(8) {
            0 if ids.len() < 2 * fewest => self.add(),
            1 if ids.len() > fewest && !(self.is_sparing && id.starts_with('n')) => {
                Self::remove(&id, &said)
            }
            _ => self.set(&id, &said),
        };
        let typed = typing.apply(&text);
        thread::sleep(self.thinks);
        let save = self.save[self.dice.below(self.save.len())];
        save.write(&self.path, &typed);
        self.deeds.extend(deeds);
        Some(typing.script())
    }

    fn set(&mut self, id: &str, said: &Said) -> (Typing, Vec<Deed>) {
        let field = FIELDS[self.first + self.dice.below(SINGLE - self.first)];
        let value = format!("v{}", self.word());
        let leaf = (id.to_owned(), field.to_owned());
        let shown = said.leaves.get(&leaf).cloned();
        let deed = Deed {
            value: Some(value.clone()),
            seen: said.kept.iter().cloned().chain(shown).collect(),
            leaf,
        };
        let id = id.to_owned();
        (Typing::Set { id, field, value }, vec![deed])
    }

    fn add(&mut self) -> (Typing, Vec<Deed>) {
        let first = self.word();
        let id = format!("n{first}");
        self.words += FIELDS.len() as u32;
        let deed = |(field, number): (&&str, u32)| Deed {
            leaf: (id.clone(), (*field).to_owned()),
            value: Some(format!("v{number}")),
            seen: BTreeSet::new(),
        };
        let deeds = FIELDS.iter().zip(first..).map(deed).collect();
        (Typing::Append(record(&id, first)), deeds)
    }

    fn remove(id: &str, said: &Said) -> (Typing, Vec<Deed>) {
        let fields = said.record(id).into_values().map(str::to_owned);
        let deed = Deed {
            leaf: (id.to_owned(), String::new()),
            value: None,
            seen: said.kept.iter().cloned().chain(fields).collect(),
        };
        (Typing::Remove(id.to_owned()), vec![deed])
    }
}

/// The text that everything begins with, of so many records.
pub(crate) fn beginning(records: usize) -> String {
    let each = FIELDS.len() as u32;
    let records = (0..records as u32).map(|number| record(&format!("r{number}"), number * each));
    format!("todos:\n{}", records.collect::<String>())
}
