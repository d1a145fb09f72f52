//! Edits by command: a record added, fields set or taken away, a record removed or moved; as changes of the text, so that
//! they are what somebody with an editor would have done, and are stamped as such.
//!
//! `change.rs` makes them, `given.rs` reads the values that are typed, `manner.rs` knows how the neighbours of something
//! new are written, `naming.rs` makes ids.

mod change;
mod given;
mod manner;
mod naming;

pub use given::{Assignment, Given, NotGiven};
pub(crate) use manner::Neighbours;
pub(super) use naming::alike;

use std::borrow::Cow;

use super::address::{Address, Walk, choices, new_names};
use super::own::Own;
use super::{ANNOTATION_KEY, Annotation, CONFLICTS_KEY, Types, placing, settling};
use crate::crdt::Stamp;
use crate::yaml::{Document, Draft, FileDraft, Kind, Limits, NodeRef, PartDraft, Side};

/// What is to be changed in a document.
#[derive(Clone, Debug)]
pub enum Change {
    /// A new record at the end of a list.
    Add {
        /// The list.
        to: Address,
        /// Its fields, but for the id where none is given.
        fields: Vec<Assignment>,
    },
    /// Fields of a record, of the root, or of a mapping in either.
    Set {
        /// Whose fields.
        at: Address,
        /// Those that get a value.
        fields: Vec<Assignment>,
        /// Those that are taken away.
        unset: Vec<String>,
    },
    /// A counter to which something is added.
    Increment {
        /// Which.
        at: Address,
        /// How much.
        by: i64,
    },
    /// A record, or a field, that is to go.
    Remove {
        /// Which.
        at: Address,
    },
    /// A record that is to stand elsewhere in its list.
    Move {
        /// Which.
        at: Address,
        /// Where to.
        to: Position,
    },
}

/// Where in its list a record is to stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position {
    /// Before all others.
    First,
    /// Behind all others.
    Last,
    /// Directly before the record that is called so.
    Before(String),
    /// Directly behind the record that is called so.
    After(String),
}

/// Why a change could not be made; the document is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unedited {
    /// Nothing is called so.
    #[error("there is no {name} in {within}{}", hint(.alike))]
    Unknown {
        /// What was looked for.
        name: String,
        /// Where.
        within: Address,
        /// What is there and called almost so.
        alike: Option<String>,
    },
    /// A second record of that name would stand in the list.
    #[error(
        "{within} holds a record called {name} already: give another one, or change that by `rhema crdt set`"
    )]
    Taken {
        /// The name.
        name: String,
        /// The list.
        within: Address,
    },
    /// Not a list of records.
    #[error("{at} is no list of records that something tells apart")]
    NotRecords {
        /// What it is.
        at: Address,
    },
    /// Not a member of a list.
    #[error("{at} is no record of a list, which has no place to be moved to")]
    NotARecord {
        /// What it is.
        at: Address,
    },
    /// A record without what would tell it apart.
    #[error("nothing tells the new record from others: give it one, as in `{field}=…`")]
    Nameless {
        /// The field that the list's records are told apart by.
        field: &'static str,
    },
    /// A list with records in it, where one value was to take the place of another, or none.
    #[error("{at} holds records: remove them one by one")]
    HoldsRecords {
        /// The list.
        at: Address,
    },
    /// Something that has no fields.
    #[error("{at} holds a value, and no fields")]
    NoFields {
        /// What it is.
        at: Address,
    },
    /// What annotations stand under.
    #[error("{name} belongs to rhema, and is no field")]
    Ours {
        /// The field.
        name: String,
    },
    /// The same field more than once.
    #[error("{name} is given twice")]
    Twice {
        /// The field.
        name: String,
    },
    /// Something that is counted and is no counter.
    #[error(
        "{at} is no counter: name its type under `types` in .rhema/crdt/config.yaml, as in `todos[].votes: pn_counter`, and \
         commit that"
    )]
    NoCounter {
        /// What it is.
        at: Address,
    },
    /// A counter that holds something else.
    #[error(
        "{at} is a counter and holds no whole number of 64 bits: put the number back that stood there"
    )]
    NoNumber {
        /// Where.
        at: Address,
    },
    /// A number that was to get smaller.
    #[error("{at} is a g_counter, which never gets smaller: only a pn_counter does")]
    Shrinks {
        /// Where.
        at: Address,
    },
    /// A number that 64 bits do not hold.
    #[error("{at} is {was}: with {by:+} it would be more than 64 bits hold")]
    TooMuch {
        /// Where.
        at: Address,
        /// What it holds.
        was: i64,
        /// What was to be added.
        by: i64,
    },
    /// What would be written is not what was meant.
    #[error(
        "the form of the file does not allow it: edit {at} by hand, then run `rhema crdt sync --timeout 0`"
    )]
    NoPlace {
        /// What was to be changed.
        at: Address,
    },
}

fn hint(alike: &Option<String>) -> String {
    match alike {
        Some(name) => format!(": did you mean {name}?"),
        None => String::new(),
    }
}

/// A document that was changed, before it is stamped.
#[derive(Debug)]
pub struct Edited {
    /// What it is now.
    pub document: Document,
    /// What was changed, as it is called now.
    pub at: Address,
    /// The name of a new record.
    pub new_name: Option<String>,
    /// The paths, from there, to the fields that were set or taken away.
    fields: Vec<String>,
}

impl Change {
    /// The address by which the document is found.
    #[must_use]
    pub fn address(&self) -> &Address {
        match self {
            Self::Add { to, .. } => to,
            Self::Set { at, .. }
            | Self::Increment { at, .. }
            | Self::Remove { at }
            | Self::Move { at, .. } => at,
        }
    }

    /// Makes the change in a document with places of these types.
    ///
    /// # Errors
    /// When what is to be changed is not there, or the change cannot be written. The document stays as it is.
    pub fn apply(&self, document: &Document, types: &Types) -> Result<Edited, Unedited> {
        match self {
            Self::Add { to, fields } => change::add(document, to, fields),
            Self::Set { at, fields, unset } => change::set(document, at, fields, unset),
            Self::Increment { at, by } => change::increment(document, at, *by, types),
            Self::Remove { at } => change::remove(document, at),
            Self::Move { at, to } => change::shift(document, at, to),
        }
    }
}

impl Edited {
    fn new(document: Document, at: Address) -> Self {
        Self {
            document,
            at,
            new_name: None,
            fields: Vec::new(),
        }
    }

    /// A document that is rewritten as a whole.
    #[must_use]
    pub fn rewritten(document: Document) -> Self {
        Self::new(document, Address::new("."))
    }

    /// Whether it may be another one anywhere.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.at.is_root() && self.fields.is_empty()
    }

    /// Whether a conflict is open about what was set: setting it settles that.
    #[must_use]
    pub fn is_contested(&self) -> bool {
        let open = settling::contests(&self.document);
        !open.is_empty() && open.iter().any(|contest| self.settles(contest))
    }

    /// The text with the conflicts about what was set settled, by what it was set to, under a fresh stamp. `head` is the
    /// text of HEAD's file. Nothing if that cannot be written.
    #[must_use]
    pub fn settled(self, stamp: Stamp, head: &str) -> Option<Self> {
        let mut edited = self;
        loop {
            let open = settling::contests(&edited.document);
            let Some(contest) = open.iter().find(|contest| edited.settles(contest)) else {
                return Some(edited);
            };
            let winner = settling::Choice::Winner;
            let text =
                settling::settle(&edited.document, contest, &winner, None, stamp, head).ok()?;
            edited.document = read(text)?;
        }
    }

    fn settles(&self, contest: &settling::Contest) -> bool {
        let root = self.document.root();
        self.fields.iter().any(|field| {
            let Some(root) = root else {
                return false;
            };
            let walk = self.at.walk(root);
            let walk = if walk.rest.is_empty() {
                walk.on(field)
            } else {
                walk
            };
            let (spoken, leaf) = walk.spoken_for();
            let rest = Annotation::path(new_names(walk.rest));
            let leaf = match (leaf.as_str(), walk.rest) {
                (_, "") => leaf,
                ("", _) => rest,
                _ => format!("{leaf}.{rest}"),
            };
            contest.is_about(&self.document, spoken.node, &leaf)
        })
    }
}

/// The newest of some stamps that stands beside what was changed in a document.
#[must_use]
pub fn stamp_at(document: &Document, at: &Address, among: &[Stamp]) -> Option<Stamp> {
    let (spoken, _) = at.walk(document.root()?).spoken_for();
    let annotation = Own::of(spoken.node, spoken.role).annotation;
    annotation
        .standing()
        .filter(|stamp| among.contains(stamp))
        .max()
}

fn found<'d, 'a>(document: &'d Document, at: &'a Address) -> Result<Walk<'d, 'a>, Unedited> {
    let root = document
        .root()
        .ok_or_else(|| Unedited::NoPlace { at: at.clone() })?;
    let walk = at.walk(root);
    if walk.rest.is_empty() {
        return Ok(walk);
    }
    Err(unknown(&walk, at))
}

/// The error for the part of an address that leads to nothing.
fn unknown(walk: &Walk<'_, '_>, at: &Address) -> Unedited {
    let whole = at.to_string();
    let within = whole.strip_suffix(walk.rest).unwrap_or_default();
    let within = Address::new(within.trim_end_matches(['/', '.']));
    if !walk.node.is_collection() {
        return Unedited::NoFields { at: within };
    }
    let name = match walk.node.kind() {
        Kind::Mapping => new_names(walk.rest).first().copied().unwrap_or_default(),
        _ => walk.rest.split('/').next().unwrap_or_default(),
    };
    Unedited::Unknown {
        alike: naming::alike(name, &choices(walk.node)),
        name: name.to_owned(),
        within,
    }
}

/// What stands at an address, or, where conditions are given, those members of the list there in which all of them
/// hold; as the file has it, without annotations.
///
/// # Errors
/// When nothing stands there, or conditions are made about what is no list.
pub fn matching(
    document: &Document,
    at: &Address,
    conditions: &[Assignment],
) -> Result<Document, Unedited> {
    let holds = |member: &NodeRef<'_>| conditions.iter().all(|one| one.holds_in(*member));
    let pick = |members: &[NodeRef<'_>]| -> Vec<usize> {
        let places = members.iter().enumerate();
        let held = places.filter(|(_, member)| holds(member));
        held.map(|(place, _)| place).collect()
    };
    match conditions {
        [] => picked(document, at, None),
        _ => picked(document, at, Some(&pick)),
    }
}

/// Which members of a list are meant, in their order.
pub type Pick<'p> = &'p dyn Fn(&[NodeRef<'_>]) -> Vec<usize>;

/// What stands at an address, of a list only the members that are picked, in that order; as the file has it, without
/// annotations.
///
/// # Errors
/// When nothing stands there, or something is to be picked from what is no list.
pub fn picked(
    document: &Document,
    at: &Address,
    pick: Option<Pick<'_>>,
) -> Result<Document, Unedited> {
    let no_place = || Unedited::NoPlace { at: at.clone() };
    let bare = placing::without(document, |name| {
        name == ANNOTATION_KEY || name == CONFLICTS_KEY
    });
    let bare = read(bare).ok_or_else(no_place)?;
    let node = found(&bare, at)?.node;
    let mut root = Draft::Keep(node);
    if let Some(collection) = root.open() {
        // It stands at the left edge, wherever it stood before.
        collection.offset = 1;
    }
    if let Some(pick) = pick {
        if node.kind() != Kind::Sequence {
            return Err(Unedited::NotRecords { at: at.clone() });
        }
        let list = root.open().ok_or_else(no_place)?;
        let members: Vec<NodeRef<'_>> = node.entries().map(|entry| entry.value()).collect();
        let places = pick(&members);
        if places.is_sorted() {
            for place in (0..members.len()).rev() {
                if places.binary_search(&place).is_err() {
                    list.remove(place);
                }
            }
        } else {
            let entries: Vec<_> = std::mem::take(&mut list.entries);
            let in_order = places.iter().filter_map(|place| entries.get(*place));
            for (place, entry) in in_order.enumerate() {
                list.place(place, entry.clone());
            }
        }
    }
    let text = FileDraft {
        parts: vec![PartDraft {
            head: Cow::Borrowed(""),
            root,
            beside: Cow::Borrowed(""),
            rest: Cow::Borrowed(""),
        }],
        newline: "\n",
        final_newline: true,
    };
    read(text.emit(Side::Ours)).ok_or_else(no_place)
}

fn read(text: String) -> Option<Document> {
    Document::from_text(text, &Limits::default()).ok()
}
