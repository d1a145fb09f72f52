//! Edits by command: a record added, fields set or taken away, a record removed or moved; as changes of the text, so that
//! they are what somebody with an editor would have done, and are stamped as such.
//!
//! `given.rs` reads the values that are typed, `manner.rs` knows how the neighbours of something new are written,
//! `naming.rs` makes ids.

mod given;
mod manner;
mod naming;

pub use given::{Assignment, Given, NotGiven};
pub(crate) use naming::alike;

use std::borrow::Cow;

use super::address::{Address, Walk, choices, new_names};
use super::own::Own;
use super::placing::name_of;
use super::records::{identity_field, member};
use super::settling::writing::{Fields, NewValue, rewritten, with_field};
use super::{ANNOTATION_KEY, CONFLICTS_KEY, placing, settling};
use crate::crdt::Stamp;
use crate::yaml::{Document, Draft, FileDraft, Kind, NodeRef, PartDraft, Side, Value};
use manner::Neighbours;

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
            Self::Set { at, .. } | Self::Remove { at } | Self::Move { at, .. } => at,
        }
    }

    /// Makes the change.
    ///
    /// # Errors
    /// When what is to be changed is not there, or the change cannot be written. The document stays as it is.
    pub fn apply(&self, document: &Document) -> Result<Edited, Unedited> {
        match self {
            Self::Add { to, fields } => add(document, to, fields),
            Self::Set { at, fields, unset } => set(document, at, fields, unset),
            Self::Remove { at } => remove(document, at),
            Self::Move { at, to } => shift(document, at, to),
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
            let text = settling::settle(&edited.document, contest, &winner, stamp, head).ok()?;
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
            let rest = super::Annotation::path(new_names(walk.rest));
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
        .stamps()
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

fn add(document: &Document, to: &Address, given: &[Assignment]) -> Result<Edited, Unedited> {
    let walk = found(document, to)?;
    let no_place = || Unedited::NoPlace { at: to.clone() };
    let list = walk.node;
    let not_records = || Unedited::NotRecords { at: to.clone() };
    let is_empty = super::is_null(list) || (list.kind() == Kind::Sequence && list.is_empty());
    let field = if is_empty {
        "id"
    } else {
        identity_field(std::iter::once(list)).ok_or_else(not_records)?
    };
    check(given.iter().map(|given| given.path.as_str()))?;
    let neighbours = Neighbours::of(list);
    let named = given.iter().find(|given| given.path == field);
    let name = match named {
        Some(named) => named.value.text(),
        None if field == "id" => naming::new_id(list, given),
        None => None,
    };
    let name = name.ok_or(Unedited::Nameless { field })?;
    if member(list, &name).is_some() {
        let within = to.clone();
        return Err(Unedited::Taken { name, within });
    }
    let made = Assignment {
        path: field.to_owned(),
        value: Given::text_of(&name),
    };
    let first = named.unwrap_or(&made);
    let rest = given.iter().filter(|given| given.path != field);
    // What stands deeper is put in afterwards, as `set` does.
    let (flat, deep): (Vec<_>, Vec<_>) = rest.partition(|given| new_names(&given.path).len() == 1);
    let steps = walk.steps();
    let (at, holder) = steps.split_last().ok_or_else(not_records)?;
    let index = list.len();
    let changed = rewritten(document, holder, |collection, manner| {
        let entry = collection.entries.get_mut(*at)?.open()?;
        let members = entry.body.value.open_as(Kind::Sequence, manner)?;
        members.insert(index, None, &Value::Mapping(Vec::new()), manner);
        let flow = neighbours.is_flow() || members.flow;
        let record = members.entries.get_mut(index)?.open()?;
        neighbours.shape(record, flow);
        let Draft::Collection(record) = &mut record.body.value else {
            return None;
        };
        let mut fields = Fields::of(record, manner);
        for given in std::iter::once(first).chain(flat) {
            let like = neighbours.like(&given.path);
            let value = given.value.beside(like);
            let behind = neighbours.before(&given.path);
            fields.put(&given.path, &value, &behind, like)?;
        }
        neighbours.space(record);
        Some(())
    });
    let mut changed = changed.ok_or_else(no_place)?;
    let at = to.join(&name);
    for given in deep {
        changed = put(&changed, &at, given)?;
    }
    Ok(Edited {
        new_name: Some(name),
        ..Edited::new(changed, at)
    })
}

fn set(
    document: &Document,
    at: &Address,
    given: &[Assignment],
    unset: &[String],
) -> Result<Edited, Unedited> {
    let walk = found(document, at)?;
    if walk.node.kind() != Kind::Mapping && !super::is_null(walk.node) {
        return Err(Unedited::NoFields { at: at.clone() });
    }
    let paths = given.iter().map(|given| &given.path).chain(unset);
    check(paths.map(String::as_str))?;
    let renamed = renamed(&walk, at, given)?;
    let no_place = || Unedited::NoPlace { at: at.clone() };
    let mut changed = read(document.text().to_owned()).ok_or_else(no_place)?;
    for path in unset {
        changed = without(&changed, at, path)?;
    }
    // What tells the record apart comes last: until then it goes by its old name.
    let (name, others): (Vec<_>, Vec<_>) = given.iter().partition(|given| {
        renamed
            .as_ref()
            .is_some_and(|(field, _)| given.path == *field)
    });
    for given in others.into_iter().chain(name) {
        changed = put(&changed, at, given)?;
    }
    let at = renamed.map_or_else(|| at.clone(), |(_, at)| at);
    let paths = given.iter().map(|given| &given.path).chain(unset);
    let fields = paths.cloned().collect();
    Ok(Edited {
        fields,
        ..Edited::new(changed, at)
    })
}

/// The field by which a record is told apart and its new address, if it gets another name.
fn renamed(
    walk: &Walk<'_, '_>,
    at: &Address,
    given: &[Assignment],
) -> Result<Option<(&'static str, Address)>, Unedited> {
    let Some((list, _)) = walk.list() else {
        return Ok(None);
    };
    let Some(field) = identity_field(std::iter::once(list)) else {
        return Ok(None);
    };
    let Some(name) = given.iter().find(|given| given.path == field) else {
        return Ok(None);
    };
    let old = walk.node.get(field).map(|entry| entry.value().text());
    let name = name.value.text().ok_or(Unedited::Nameless { field })?;
    let whole = at.to_string();
    let old = old.unwrap_or_default();
    let within = whole.strip_suffix(old.as_ref()).unwrap_or(&whole);
    let within = Address::new(within);
    if name != old && member(list, &name).is_some() {
        return Err(Unedited::Taken { name, within });
    }
    Ok(Some((field, within.join(&name))))
}

/// A document with a field set, and mappings made around it where there are none.
fn put(document: &Document, at: &Address, given: &Assignment) -> Result<Document, Unedited> {
    let no_place = || Unedited::NoPlace {
        at: at.join(&given.path),
    };
    let walk = found(document, at)?.on(&given.path);
    let last = walk.way.last().copied();
    let named = last.and_then(|entry| Some((entry, name_of(entry)?)));
    // What is written now: the value, or a mapping that it is put into afterwards.
    let (mapping, name, old, is_value) = match named {
        Some((entry, name)) if walk.rest.is_empty() || super::is_null(walk.node) => {
            let is_value = walk.rest.is_empty();
            (entry.parent(), name, Some(entry.value()), is_value)
        }
        _ if walk.node.kind() == Kind::Mapping => {
            let names = new_names(walk.rest);
            if names.contains(&"") {
                return Err(no_place());
            }
            let name = Cow::Borrowed(names.first().copied().unwrap_or_default());
            (walk.node, name, None, names.len() == 1)
        }
        _ => return Err(unknown(&walk, &at.join(&given.path))),
    };
    let neighbours = walk
        .list()
        .filter(|_| old.is_none())
        .map(|(list, _)| Neighbours::of(list));
    let like = neighbours.as_ref().and_then(|all| all.like(&name));
    let behind = neighbours.as_ref().map(|all| all.before(&name));
    let value = if is_value {
        given.value.beside(old.or(like))
    } else {
        NewValue::Meant(Value::Mapping(Vec::new()))
    };
    let behind = behind.unwrap_or_default();
    let changed = with_field(document, mapping, &name, &value, &behind, like);
    let changed = changed.ok_or_else(no_place)?;
    if is_value {
        Ok(changed)
    } else {
        put(&changed, at, given)
    }
}

/// Refuses fields that are ours, or named more than once.
fn check<'p>(paths: impl Iterator<Item = &'p str>) -> Result<(), Unedited> {
    let mut seen: Vec<&str> = Vec::new();
    for path in paths {
        let first = new_names(path).first().copied().unwrap_or_default();
        if [ANNOTATION_KEY, CONFLICTS_KEY].contains(&first) {
            let name = first.to_owned();
            return Err(Unedited::Ours { name });
        }
        if seen.contains(&path) {
            let name = path.to_owned();
            return Err(Unedited::Twice { name });
        }
        seen.push(path);
    }
    Ok(())
}

fn remove(document: &Document, at: &Address) -> Result<Edited, Unedited> {
    let changed = without(document, at, "")?;
    let is_record = found(document, at)?.list().is_some();
    let fields = if is_record {
        vec![]
    } else {
        vec![String::new()]
    };
    Ok(Edited {
        fields,
        ..Edited::new(changed, at.clone())
    })
}

/// A document without a record or a field: what `path` leads to from `at`.
fn without(document: &Document, at: &Address, path: &str) -> Result<Document, Unedited> {
    let walk = found(document, at)?.on(path);
    let gone = if path.is_empty() {
        at.clone()
    } else {
        at.join(path)
    };
    if !walk.rest.is_empty() {
        return Err(unknown(&walk, &gone));
    }
    let no_place = || Unedited::NoPlace { at: gone.clone() };
    if let Some(name) = walk.way.last().and_then(|entry| name_of(*entry)) {
        check(std::iter::once(name.as_ref()))?;
        let above = walk
            .way
            .len()
            .checked_sub(2)
            .and_then(|at| walk.way.get(at));
        let list = above.map(|record| record.parent());
        let field = list.and_then(|list| identity_field(std::iter::once(list)));
        if let Some(field) = field.filter(|field| *field == name) {
            return Err(Unedited::Nameless { field });
        }
    }
    let steps = walk.steps();
    let (index, holder) = steps.split_last().ok_or_else(no_place)?;
    let changed = rewritten(document, holder, |collection, _| {
        collection.remove(*index).map(|_| ())
    });
    changed.ok_or_else(no_place)
}

fn shift(document: &Document, at: &Address, to: &Position) -> Result<Edited, Unedited> {
    let walk = found(document, at)?;
    let (list, from) = walk
        .list()
        .ok_or_else(|| Unedited::NotARecord { at: at.clone() })?;
    let field = identity_field(std::iter::once(list));
    let beside = |name: &str| {
        let index = member(list, name).and_then(|found| {
            list.entries()
                .position(|entry| entry.value() == found.value())
        });
        index.ok_or_else(|| {
            let own = field.and_then(|field| walk.node.get(field));
            let own = own.map(|entry| entry.value().text().into_owned());
            let whole = at.to_string();
            let within = own.and_then(|own| whole.strip_suffix(&own).map(str::to_owned));
            Unedited::Unknown {
                name: name.to_owned(),
                within: Address::new(&within.unwrap_or(whole)),
                alike: naming::alike(name, &choices(list)),
            }
        })
    };
    // The index afterwards, when the record itself no longer stands before the other.
    let index = match to {
        Position::First => 0,
        Position::Last => list.len().saturating_sub(1),
        Position::Before(name) => {
            let other = beside(name)?;
            other - usize::from(from < other)
        }
        Position::After(name) => {
            let other = beside(name)?;
            other + usize::from(from > other)
        }
    };
    let steps = walk.steps();
    let holder = steps.get(..steps.len().saturating_sub(1));
    let changed = rewritten(document, holder.unwrap_or_default(), |collection, _| {
        collection.shift(from, index);
        Some(())
    });
    let changed = changed.ok_or_else(|| Unedited::NoPlace { at: at.clone() })?;
    Ok(Edited::new(changed, at.clone()))
}

fn read(text: String) -> Option<Document> {
    Document::from_text(text, &crate::yaml::Limits::default()).ok()
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
    if !conditions.is_empty() {
        if node.kind() != Kind::Sequence {
            return Err(Unedited::NotRecords { at: at.clone() });
        }
        let list = root.open().ok_or_else(no_place)?;
        let holds = |entry: NodeRef<'_>| conditions.iter().all(|one| one.holds_in(entry));
        for (index, member) in node.entries().enumerate().rev() {
            if !holds(member.value()) {
                list.remove(index);
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
