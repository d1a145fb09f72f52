//! Where something stands in a document, as people type it: `todos/ship-it/meta.owner`.

use std::fmt;

use super::editing::alike;
use super::own::Role;
use super::placing::name_of;
use super::records::member;
use super::{Annotation, placing};
use crate::crdt::{Atom, Digest, Path, Step};
use crate::yaml::{Document, EntryRef, Kind, NodeRef};

/// A path into a document: names with `/` between them, the first of a field of the root, `.` alone for the root itself.
/// Fields inside fields may have a `.` between them, too.
///
/// Names may hold both signs, so a path means something only in a document: the longest name that fits counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// A path as it was typed.
    #[must_use]
    pub fn new(path: &str) -> Self {
        let path = path.strip_prefix("./").unwrap_or(path).trim_matches('/');
        Self(if path == "." { "" } else { path }.to_owned())
    }

    /// As it may be typed: [`new`](Self::new) makes the same of it, whatever it begins with.
    #[must_use]
    pub fn typed(&self) -> String {
        format!("./{self}")
    }

    /// Whether it is that of the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The address of what is called `name` there.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        if self.is_root() {
            Self(name.to_owned())
        } else {
            Self(format!("{}/{name}", self.0))
        }
    }

    /// What it begins with: the names that its first part may be, the longest first.
    #[must_use]
    pub fn first_names(&self) -> Vec<&str> {
        cuts(&self.0, true).map(|(name, _)| name).collect()
    }

    /// The records of lists at the top that it may lead to or into: the names of the list and of the record, the longest first.
    pub fn records(&self) -> impl Iterator<Item = (&str, &str)> {
        let lists = cuts(&self.0, true).filter(|(_, rest)| !rest.is_empty());
        lists.flat_map(|(list, rest)| cuts(rest, false).map(move |(name, _)| (list, name)))
    }

    /// The first name as it is told: the shortest that it may be.
    #[must_use]
    pub fn first_name(&self) -> &str {
        self.first_names().last().copied().unwrap_or(".")
    }

    /// What may be meant by the first name, among the fields of some documents.
    #[must_use]
    pub fn meant_in<'d>(&self, documents: impl Iterator<Item = &'d Document>) -> Option<String> {
        let known: Vec<String> = documents
            .filter_map(Document::root)
            .flat_map(choices)
            .collect();
        alike(self.first_name(), &known)
    }

    /// The place that it leads to in a document as the CRDTs see it; nothing where it leads to nothing, or into what they do not tell
    /// apart.
    #[must_use]
    pub fn place_in(&self, document: &Document) -> Option<Path> {
        let walk = self.walk(document.root()?);
        if !walk.rest.is_empty() {
            return None;
        }
        let steps = walk.way.iter().map(|entry| match name_of(*entry) {
            Some(name) => Some(Step::Entry(name.into_owned())),
            None => {
                let field = super::identity_field(std::iter::once(entry.parent()))?;
                let name = super::atom(entry.value().get(field)?.value());
                Some(Step::Record(name, super::birth(entry.value()).digest))
            }
        });
        // A root that is no mapping is an entry without a name.
        let is_entry = document
            .root()
            .is_some_and(|root| root.kind() != Kind::Mapping);
        let root = is_entry.then(|| Some(Step::Entry(String::new())));
        root.into_iter().chain(steps).collect()
    }

    /// As far as it leads from a document's root.
    pub(super) fn walk<'d>(&self, root: NodeRef<'d>) -> Walk<'d, '_> {
        let start = Walk {
            node: root,
            way: Vec::new(),
            rest: &self.0,
        };
        start.go(&mut None)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "." } else { &self.0 })
    }
}

/// Where a walk along an address has come to.
#[derive(Clone, Debug)]
pub(super) struct Walk<'d, 'a> {
    /// What stands there.
    pub(super) node: NodeRef<'d>,
    /// The entries that lead there.
    pub(super) way: Vec<EntryRef<'d>>,
    /// What of the address leads to nothing.
    pub(super) rest: &'a str,
}

impl<'d, 'a> Walk<'d, 'a> {
    /// Goes on along another path.
    pub(super) fn on<'b>(self, path: &'b str) -> Walk<'d, 'b> {
        let start = Walk {
            node: self.node,
            way: self.way,
            rest: path,
        };
        start.go(&mut None)
    }

    /// Goes on as far as possible: to the end along the longest names with which that can be reached, else to where the
    /// longest names lead.
    fn go(self, furthest: &mut Option<Walk<'d, 'a>>) -> Self {
        if self.rest.is_empty() {
            return self;
        }
        if furthest
            .as_ref()
            .is_none_or(|far| self.rest.len() < far.rest.len())
        {
            *furthest = Some(self.clone());
        }
        let is_mapping = self.node.kind() == Kind::Mapping;
        for (name, rest) in cuts(self.rest, is_mapping) {
            let entry = if is_mapping {
                self.node.get(name)
            } else {
                member(self.node, name)
            };
            let Some(entry) = entry else { continue };
            let mut next = self.clone();
            next.node = entry.value();
            next.way.push(entry);
            next.rest = rest;
            let end = next.go(furthest);
            if end.rest.is_empty() {
                return end;
            }
        }
        furthest.clone().unwrap_or(self)
    }

    /// Which entry of its collection each one on the way is.
    pub(super) fn steps(&self) -> Vec<usize> {
        let step = |entry: &EntryRef<'d>| {
            let first = entry.parent().entries().next();
            first.map_or(0, |first| (entry.index - first.index) as usize)
        };
        self.way.iter().map(step).collect()
    }

    /// The place where it leads, or would lead, as types are asked about it: records are told by nothing.
    pub(super) fn place(&self) -> Path {
        let step = |entry: &EntryRef<'_>| match name_of(*entry) {
            Some(name) => Step::Entry(name.into_owned()),
            None => Step::Record(Atom::new(String::new()), Digest::of(b"")),
        };
        let rest = (!self.rest.is_empty()).then(|| new_names(self.rest));
        let rest = rest.into_iter().flatten();
        let rest = rest.map(|name| Step::Entry(name.to_owned()));
        self.way.iter().map(step).chain(rest).collect()
    }

    /// The list that holds what stands here, and which of its members that is.
    pub(super) fn list(&self) -> Option<(NodeRef<'d>, usize)> {
        let list = self.way.last()?.parent();
        (list.kind() == Kind::Sequence).then(|| (list, self.steps().last().copied().unwrap_or(0)))
    }

    /// The root or record whose annotation speaks for what stands here, and what that calls it; nothing where it speaks
    /// for itself.
    pub(super) fn spoken_for(&self) -> (Spoken<'d>, String) {
        let root = self.way.first().map_or(self.node, |first| first.parent());
        let mut spoken = Spoken {
            node: root,
            role: Role::Root,
        };
        let mut names: Vec<String> = Vec::new();
        for entry in &self.way {
            let value = entry.value();
            if let Some(name) = name_of(*entry) {
                names.push(name.into_owned());
                continue;
            }
            match Role::of_member(value) {
                Role::Inner => names.extend(identity(*entry)),
                role => {
                    spoken = Spoken { node: value, role };
                    names.clear();
                }
            }
        }
        let leaf = match names.as_slice() {
            [] => String::new(),
            names => Annotation::path(names.iter().map(String::as_str)),
        };
        (spoken, leaf)
    }
}

/// A root or record that may carry annotations.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spoken<'d> {
    pub(super) node: NodeRef<'d>,
    pub(super) role: Role,
}

/// What a member of a list is called in annotations.
fn identity(member: EntryRef<'_>) -> Option<String> {
    let field = super::identity_field(std::iter::once(member.parent()))?;
    let entry = member.value().get(field)?;
    Some(entry.value().text().into_owned())
}

/// Each way to take a first name off a path, the longest first, with what is left. Only the fields of mappings may be
/// set off by a dot.
fn cuts(path: &str, dots: bool) -> impl Iterator<Item = (&str, &str)> {
    let ends = path
        .char_indices()
        .rev()
        .filter(move |(_, c)| *c == '/' || (dots && *c == '.'));
    let shorter = ends.map(|(at, _)| (&path[..at], &path[at + 1..]));
    std::iter::once((path, ""))
        .chain(shorter)
        .filter(|(name, _)| !name.is_empty())
}

/// The names of a path that leads to nothing yet: all its signs separate.
pub(super) fn new_names(rest: &str) -> Vec<&str> {
    rest.split(['/', '.']).collect()
}

/// What there is to choose from where a walk has come to: the names of fields, or of records.
pub(super) fn choices(node: NodeRef<'_>) -> Vec<String> {
    let entries = node.entries();
    match node.kind() {
        Kind::Mapping => entries
            .filter(|entry| !placing::is_ours(*entry))
            .filter_map(|entry| Some(name_of(entry)?.into_owned()))
            .collect(),
        _ => entries.filter_map(identity).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::Limits;

    const TEXT: &str = "\
todos:
  - id: src/main.rs
    meta: {a.b: 1, a: {b: 2, c: 3}}
  - id: src
    main: {rs: 4}
v1.2: 5
v1: {2: 6, 3: 7}
files:
  - path: a/b
    size: 8
";

    fn at(path: &str) -> Result<String, String> {
        let document = Document::from_text(TEXT.to_owned(), &Limits::default()).unwrap();
        let address = Address::new(path);
        let walk = address.walk(document.root().unwrap());
        if walk.rest.is_empty() {
            Ok(walk.node.raw().trim().to_owned())
        } else {
            Err(walk.rest.to_owned())
        }
    }

    #[test]
    fn the_longest_name_that_leads_to_the_end_counts() {
        for (path, value) in [
            ("todos/src/main.rs/meta.a.b", "1"),
            ("todos/src/main.rs/meta/a/b", "2"),
            ("todos/src/main.rs/meta/a.c", "3"),
            ("todos/src/main/rs", "4"),
            ("v1.2", "5"),
            ("./v1/2", "6"),
            ("v1.3", "7"),
            ("files/a/b/size", "8"),
        ] {
            assert_eq!(at(path), Ok(value.to_owned()), "{path}");
        }
    }

    #[test]
    fn what_leads_to_nothing_is_left_over() {
        for (path, rest) in [
            ("todo/x", "todo/x"),
            ("todos/lib/x", "lib/x"),
            ("todos/src/main.rs/meta.x", "x"),
            ("todos/src.main", "src.main"),
            ("v1.2/x", "x"),
        ] {
            assert_eq!(at(path), Err(rest.to_owned()), "{path}");
        }
    }

    #[test]
    fn a_leaf_is_named_in_the_nearest_record_that_speaks_for_itself() {
        let text =
            "a: {b: 1}\nlist:\n  - id: x\n    c: {d: 2}\n  - &anchored\n    id: y\n    e: 3\n";
        let document = Document::from_text(text.to_owned(), &Limits::default()).unwrap();
        let leaf = |path: &str| {
            let address = Address::new(path);
            let (spoken, leaf) = address.walk(document.root().unwrap()).spoken_for();
            (spoken.role, leaf)
        };
        assert_eq!(leaf("a.b"), (Role::Root, "a.b".to_owned()));
        assert_eq!(leaf("list/x/c.d"), (Role::Record, "c.d".to_owned()));
        assert_eq!(leaf("list/x"), (Role::Record, String::new()));
        assert_eq!(leaf("list/y/e"), (Role::Root, "list.y.e".to_owned()));
    }

    #[test]
    fn what_may_be_typed_leads_where_it_was_made_from() {
        for path in ["", "todos", "v1.2", "./odd", "todos/src"] {
            let address = Address::new(path);
            let typed = address.typed();
            assert_eq!(Address::new(&typed), address, "{typed}");
        }
    }

    #[test]
    fn a_first_name_that_slipped_is_told_from_the_names_that_are_there() {
        let document = Document::from_text(TEXT.to_owned(), &Limits::default()).unwrap();
        let meant = |path: &str| Address::new(path).meant_in([&document].into_iter());
        assert_eq!(meant("todo/src").as_deref(), Some("todos"));
        assert_eq!(meant("weather"), None);
    }
}
