//! Types by configuration: which places of documents are of which type, and whether what stands there fits it.
//!
//! A *pattern* names places: names with dots between them, `*` for any name, and `[]` behind a list for each of its records
//! (`metrics.*`, `todos[].votes`). It counts in every document. Where several fit, the one counts that names more by name.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use rustc_hash::FxHashSet;

use super::births::birth;
use super::lift::{atom, number};
use super::placing::{is_ours, name_of};
use super::records::{identity_field, member};
use super::{is_null, text};
use crate::crdt::{Atom, Document, Found, Node, NotAType, Path, Step, Type};
use crate::yaml::{self, Kind, NodeRef};

/// The types that places of the known context files have without anybody's naming them: lists of records, which nobody puts
/// anything else in the place of.
pub const BUILT_IN: [(&str, Type); 11] = [
    ("conventions", Type::OrSet),
    ("decisions", Type::OrSet),
    ("dependencies", Type::OrSet),
    ("entries", Type::OrSet),
    ("patterns", Type::OrSet),
    ("protocol_info.concepts", Type::OrSet),
    ("protocol_info.cql_examples", Type::OrSet),
    ("protocol_info.integrations", Type::OrSet),
    ("protocol_info.patterns", Type::OrSet),
    ("protocol_info.troubleshooting", Type::OrSet),
    ("todos", Type::OrSet),
];

/// The types of places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Types {
    /// In ascending order: the last that fits counts.
    named: Vec<Named>,
}

/// A pattern with the type of the places that it names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    /// Whether somebody said so. It counts for more than what is built in.
    is_given: bool,
    /// Those that name more by name are greater: names are greater than `*`.
    pattern: Pattern,
    kind: Type,
}

/// Why a configuration names no types.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untyped {
    /// A pattern that names no place.
    #[error(
        "`{0}` names no place: write names with dots between them, `*` for any name and `[]` behind a list for its records, \
         as in `todos[].votes`"
    )]
    NoPattern(String),
    /// A type that documents do not have.
    #[error("`{0}`: {1}")]
    NoType(String, NotAType),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pattern(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Any,
    Records,
    Name(String),
}

impl FromStr for Pattern {
    type Err = Untyped;

    fn from_str(pattern: &str) -> Result<Self, Untyped> {
        let none = || Untyped::NoPattern(pattern.to_owned());
        let mut parts = Vec::new();
        for piece in pattern.split('.') {
            let bare = piece.trim_end_matches("[]");
            let lists = (piece.len() - bare.len()) / 2;
            parts.push(match bare {
                "" => return Err(none()),
                "*" => Part::Any,
                name if name.contains(['*', '[', ']']) => return Err(none()),
                name => Part::Name(text::decode(name).ok_or_else(none)?.into_owned()),
            });
            parts.extend(std::iter::repeat_n(Part::Records, lists));
        }
        Ok(Self(parts))
    }
}

impl Pattern {
    fn fits(&self, at: &Path) -> bool {
        let fits = |(part, step): (&Part, &Step)| match (part, step) {
            (Part::Any, Step::Entry(_)) | (Part::Records, Step::Record(..)) => true,
            (Part::Name(name), Step::Entry(entry)) => name == entry,
            _ => false,
        };
        self.0.len() == at.steps().len() && self.0.iter().zip(at.steps()).all(fits)
    }
}

impl Types {
    /// What a configuration says, patterns and the names of types, and what is [built in](BUILT_IN).
    ///
    /// # Errors
    /// When one is no pattern, or names no type that documents have.
    pub fn of(named: &BTreeMap<String, String>) -> Result<Self, Untyped> {
        let built_in = BUILT_IN.iter().map(|(pattern, kind)| {
            Ok(Named {
                is_given: false,
                pattern: pattern.parse()?,
                kind: *kind,
            })
        });
        let given = named.iter().map(|(pattern, name)| {
            let kind = name.parse();
            Ok(Named {
                is_given: true,
                kind: kind.map_err(|error| Untyped::NoType(pattern.clone(), error))?,
                pattern: pattern.parse()?,
            })
        });
        let mut named: Vec<Named> = built_in.chain(given).collect::<Result<_, _>>()?;
        named.sort();
        Ok(Self { named })
    }

    /// These types, and counters wherever amounts were added that are called so; records of a list are alike.
    pub(crate) fn with_counters<'p>(&self, counters: impl Iterator<Item = &'p Path>) -> Self {
        let mut types = self.clone();
        for at in counters {
            if types.at(at).is_none() {
                let part = |step: &Step| match step {
                    Step::Entry(name) => Part::Name(name.clone()),
                    Step::Record(..) => Part::Records,
                };
                types.named.push(Named {
                    is_given: true,
                    pattern: Pattern(at.steps().iter().map(part).collect()),
                    kind: Type::PnCounter,
                });
            }
        }
        types.named.sort();
        types
    }

    /// Whether none is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// The type of a place; nothing for one that is what it holds.
    #[must_use]
    pub fn at(&self, at: &Path) -> Option<Type> {
        self.named_at(at).map(|named| named.kind)
    }

    fn named_at(&self, at: &Path) -> Option<&Named> {
        let mut last_first = self.named.iter().rev();
        last_first.find(|named| named.pattern.fits(at))
    }

    /// Whether some place has one of these types.
    pub(crate) fn have(&self, wanted: fn(Type) -> bool) -> bool {
        self.named.iter().any(|named| wanted(named.kind))
    }

    /// Whether a place is a counter.
    #[must_use]
    pub fn counts(&self, at: &Path) -> bool {
        self.at(at).is_some_and(Type::is_counter)
    }

    /// The places of a file that have a type.
    #[must_use]
    pub fn places<'d>(&self, file: &'d yaml::Document) -> Vec<Place<'d>> {
        let mut finding = Finding {
            types: self,
            places: Vec::new(),
        };
        let patterns = self.named.iter().map(|named| named.pattern.0.as_slice());
        let patterns: Vec<&[Part]> = patterns.collect();
        if let Some(root) = file.root().filter(|_| !patterns.is_empty()) {
            finding.inside(root, &Path::default(), &patterns);
        }
        finding.places
    }

    /// Where the numbers of counters begin in a file: edits of these are told by what they added.
    pub(crate) fn counters(&self, file: &yaml::Document) -> FxHashSet<u32> {
        self.starts(file, |place| {
            place.kind.is_counter() && number(place.node).is_some()
        })
    }

    /// Where the values begin in a file of which the last writer's stands alone.
    pub(crate) fn last_writers(&self, file: &yaml::Document) -> FxHashSet<u32> {
        self.starts(file, |place| place.kind == Type::Lww)
    }

    fn starts(&self, file: &yaml::Document, wanted: impl Fn(&Place<'_>) -> bool) -> FxHashSet<u32> {
        let places = self.places(file).into_iter();
        let wanted = places.filter(|place| wanted(place));
        wanted.map(|place| place.node.data().span.start).collect()
    }

    /// What in `file` does not fit its type, or may not have become of what its writer had read.
    #[must_use]
    pub fn misfit(&self, read: &Document, file: &yaml::Document) -> Option<Misfit> {
        let mut places = self.places(file).into_iter();
        places.find_map(|place| Some(place.misfit_in(file, place.became(read)?)))
    }

    /// All in `file` that does not fit the type that somebody gave it, whoever put it there, and the counters that are
    /// [full](Self::full).
    #[must_use]
    pub fn misfits(&self, file: &yaml::Document) -> Vec<Misfit> {
        let places = self.places(file).into_iter().filter(|place| place.is_given);
        let misfits = places.filter_map(|place| {
            let why = place.shape().or_else(|| place.fullness())?;
            Some(place.misfit_in(file, why))
        });
        misfits.collect()
    }

    /// The counters in `file` that stand at the end of what they hold, so that more may have been added than they tell.
    #[must_use]
    pub fn full(&self, file: &yaml::Document) -> Vec<Misfit> {
        let places = self.places(file).into_iter();
        let full = places.filter_map(|place| Some(place.misfit_in(file, place.fullness()?)));
        full.collect()
    }
}

/// A place that has a type.
#[derive(Clone, Debug)]
pub struct Place<'d> {
    /// Where.
    pub at: Path,
    /// What stands there.
    pub node: NodeRef<'d>,
    /// Its type.
    pub kind: Type,
    /// Whether somebody gave it that: what is built in is about nothing but records.
    is_given: bool,
}

impl Place<'_> {
    /// Whether it holds what it held, as far as its type is about that.
    fn is_as(&self, before: &Node) -> bool {
        let is_list = self.node.kind() == Kind::Sequence;
        let mut members = self.node.entries().map(|entry| atom(entry.value()));
        match before {
            Node::Register(value, _) => *value == atom(self.node),
            Node::List(before, _) => {
                is_list
                    && before
                        .iter()
                        .all(|one| members.next().as_ref() == Some(one))
                    && members.next().is_none()
            }
            Node::Map(_) => self.node.kind() == Kind::Mapping,
            Node::Set(_) => is_list && self.kind != Type::GSet,
        }
    }

    fn misfit_in(&self, file: &yaml::Document, why: String) -> Misfit {
        let (line, column) = file.position(self.node.data().span.start);
        let at = self.at.clone();
        Misfit {
            at,
            line,
            column,
            why,
        }
    }

    /// What is wrong with what somebody wrote here who had read another version.
    fn became(&self, read: &Document) -> Option<String> {
        let before = match read.found(&self.at) {
            Some(Found::Node(node)) => Some(node),
            _ => None,
        };
        // What stood there already is nobody's edit.
        if before.is_some_and(|before| self.is_as(before)) {
            return None;
        }
        if !self.is_given && !matches!(before, Some(Node::Set(_))) {
            return None;
        }
        self.shape().or_else(|| self.step(before?))
    }

    /// What is wrong with nothing in the place of a number: half of an edit, more often than not.
    fn lack(&self, before: &Node) -> Option<String> {
        let was = before.as_number()?;
        let is_number = self.kind.is_counter() || self.kind == Type::Max;
        (is_number && is_null(self.node)).then(|| {
            format!(
                "`{}` is {}, and this is nothing: it was {was}; who wants it gone takes its name away, too",
                self.at,
                self.kind.with_article()
            )
        })
    }

    /// What is wrong with what stands here, whatever stood here before.
    fn shape(&self) -> Option<String> {
        let (at, kind) = (&self.at, self.kind);
        let not_a = |what: &str| {
            Some(format!(
                "`{at}` is {}, and this is {what}",
                kind.with_article()
            ))
        };
        let is_list = self.node.kind() == Kind::Sequence;
        match kind {
            _ if is_null(self.node) => None,
            Type::GCounter | Type::PnCounter | Type::Max => match number(self.node) {
                None => not_a("no whole number of 64 bits: put the number back that stood there"),
                Some(is) if is < 0 && kind == Type::GCounter => Some(format!(
                    "`{at}` is {}, which is never less than 0: put the number back that stood there",
                    kind.with_article()
                )),
                Some(_) => None,
            },
            Type::OrSet | Type::GSet if !is_list => not_a("no list"),
            Type::OrSet | Type::GSet => {
                let second = self.second()?;
                Some(format!(
                    "`{at}` is {}, in which each member stands once: {second} stands twice",
                    kind.with_article()
                ))
            }
            Type::List if !is_list => not_a("no list"),
            Type::Map if self.node.kind() != Kind::Mapping => not_a("no mapping"),
            Type::Text if atom(self.node).as_text().is_none() => not_a("no text"),
            Type::Mv | Type::Lww if self.node.is_collection() => not_a("no single value"),
            Type::Mv | Type::Lww | Type::List | Type::Map | Type::Text => None,
        }
    }

    /// A member that stands here for the second time, in a list of single values.
    fn second(&self) -> Option<String> {
        let is_records = identity_field(std::iter::once(self.node)).is_some();
        if is_records || !self.is_given {
            return None;
        }
        let mut members = FxHashSet::default();
        let mut entries = self.node.entries().map(|entry| atom(entry.value()));
        let second = entries.find(|member| !members.insert(member.clone()))?;
        Some(second.canonical().to_owned())
    }

    /// What is wrong with the step from what stood here to what stands here.
    fn step(&self, before: &Node) -> Option<String> {
        if let Some(lack) = self.lack(before) {
            return Some(lack);
        }
        let (at, kind) = (&self.at, self.kind);
        let a_kind = kind.with_article();
        match kind {
            Type::GCounter | Type::PnCounter | Type::Max => {
                let (was, is) = (before.as_number()?, number(self.node)?);
                if kind != Type::PnCounter && is < was {
                    return Some(format!(
                        "`{at}` is {a_kind}, which never gets smaller: it was {was}, and is to be that or more"
                    ));
                }
                let is_too_far = kind != Type::Max && is.checked_sub(was).is_none();
                is_too_far.then(|| {
                    format!(
                        "`{at}` is {a_kind}, to which no more is added at once than 64 bits hold: it was {was}"
                    )
                })
            }
            Type::GSet if !is_null(self.node) => {
                let gone = match before {
                    Node::List(before, _) => {
                        let entries = self.node.entries().map(|entry| atom(entry.value()));
                        let members: FxHashSet<_> = entries.collect();
                        before.iter().find(|member| !members.contains(member))
                    }
                    Node::Set(before) => {
                        let is_there = |name: &Atom| member(self.node, name.said()).is_some();
                        let mut names = before.iter().map(|record| &record.name);
                        names.find(|name| !is_there(name))
                    }
                    Node::Register(..) | Node::Map(_) => None,
                };
                gone.map(|gone| {
                    let gone = gone.canonical();
                    format!("`{at}` is {a_kind}, out of which nothing is taken: put {gone} back")
                })
            }
            _ => None,
        }
    }

    /// What is to be said of a counter that may hold less than was added.
    fn fullness(&self) -> Option<String> {
        let number = number(self.node).filter(|_| self.kind.is_counter())?;
        let end = match number {
            i64::MAX => "greatest",
            i64::MIN => "least",
            _ => return None,
        };
        Some(format!(
            "`{}` is {} and stands at the {end} number that 64 bits hold: what is added beyond that is lost",
            self.at,
            self.kind.with_article()
        ))
    }
}

/// Something that does not fit the type of its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Its place.
    pub at: Path,
    /// Its line, from 1.
    pub line: usize,
    /// Its column, from 1.
    pub column: usize,
    /// What is the matter, and what to do.
    pub why: String,
}

impl Misfit {
    /// The same in another text of the file, if its place is there.
    #[must_use]
    pub fn placed_in(self, file: &yaml::Document, types: &Types) -> Self {
        let mut places = types.places(file).into_iter();
        match places.find(|place| place.at == self.at) {
            Some(place) => {
                let (line, column) = file.position(place.node.data().span.start);
                Self {
                    line,
                    column,
                    ..self
                }
            }
            None => self,
        }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.why)
    }
}

/// A walk along patterns.
struct Finding<'t, 'd> {
    types: &'t Types,
    places: Vec<Place<'d>>,
}

impl<'d> Finding<'_, 'd> {
    /// Finds what is in a collection; `ways` is what is left of the patterns there.
    fn inside(&mut self, node: NodeRef<'d>, at: &Path, ways: &[&[Part]]) {
        if !node.is_structured() {
            return;
        }
        let on = |fits: &dyn Fn(&Part) -> bool| -> Vec<&[Part]> {
            let rest = ways.iter().filter_map(|way| way.split_first());
            let rest = rest.filter(|(part, _)| fits(part));
            rest.map(|(_, rest)| rest).collect()
        };
        match node.kind() {
            Kind::Mapping => {
                for entry in node.entries().filter(|entry| !is_ours(*entry)) {
                    let Some(name) = name_of(entry) else { continue };
                    let fits = |part: &Part| match part {
                        Part::Any => true,
                        Part::Name(wanted) => *wanted == name,
                        Part::Records => false,
                    };
                    self.there(entry.value(), &at.entry(&name), &on(&fits));
                }
            }
            Kind::Sequence => {
                let Some(field) = identity_field(std::iter::once(node)) else {
                    return;
                };
                let ways = on(&|part| *part == Part::Records);
                for record in node.entries().filter(|_| !ways.is_empty()) {
                    let record = record.value();
                    let Some(named) = record.get(field) else {
                        continue;
                    };
                    let step = Step::Record(atom(named.value()), birth(record).digest);
                    self.there(record, &at.then(step), &ways);
                }
            }
            Kind::Scalar(_) | Kind::Alias => {}
        }
    }

    fn there(&mut self, node: NodeRef<'d>, at: &Path, ways: &[&[Part]]) {
        if ways.is_empty() {
            return;
        }
        if let Some(named) = self.types.named_at(at) {
            self.places.push(Place {
                at: at.clone(),
                node,
                kind: named.kind,
                is_given: named.is_given,
            });
        }
        self.inside(node, at, ways);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::Limits;

    fn types(named: &[(&str, &str)]) -> Result<Types, Untyped> {
        let named = named.iter();
        let named = named.map(|(pattern, name)| ((*pattern).to_owned(), (*name).to_owned()));
        Types::of(&named.collect())
    }

    fn file(text: &str) -> yaml::Document {
        yaml::Document::from_text(text.to_owned(), &Limits::default()).unwrap()
    }

    fn misfit(kind: &str, before: &str, after: &str) -> Option<String> {
        let types = types(&[("v", kind)]).unwrap();
        let [before, after] = [before, after].map(|value| file(&format!("v: {value}\n")));
        let misfit = types.misfit(&crate::context::lift(&before), &after)?;
        assert_eq!((misfit.line, misfit.column), (1, 4));
        Some(misfit.why)
    }

    #[test]
    fn patterns_name_entries_and_fields_of_records() {
        let types = types(&[
            ("metrics.*", "pn_counter"),
            ("metrics.load", "max"),
            ("todos[].votes", "g_counter"),
            ("todos[].meta.*", "mv"),
        ]);
        let types = types.unwrap();
        let file = file(
            "metrics:\n  hits: 3\n  load: 7\ntodos:\n  - id: a\n    votes: 1\n    meta: {x: 1}\n  - id: b\n    title: x\n",
        );
        let places = types.places(&file);
        let told: Vec<String> = places
            .iter()
            .map(|place| format!("{} {}", place.at, place.kind))
            .collect();
        let expected = [
            "metrics/hits pn_counter",
            "metrics/load max",
            "todos or_set",
            "todos/a/votes g_counter",
            "todos/a/meta/x mv",
        ];
        assert_eq!(told, expected);
        assert!(
            places
                .iter()
                .all(|place| types.at(&place.at) == Some(place.kind))
        );
    }

    #[test]
    fn what_is_no_pattern_or_no_type_is_refused() {
        for pattern in ["", "a..b", "a[0]", "a*", "[]"] {
            let refused = types(&[(pattern, "mv")]).unwrap_err();
            assert_eq!(refused, Untyped::NoPattern(pattern.to_owned()));
        }
        let refused = types(&[("a", "counter")]).unwrap_err().to_string();
        assert!(
            refused.contains("`counter` is no type") && refused.contains("pn_counter"),
            "{refused}"
        );
        let refused = types(&[("a", "two_phase_set")]).unwrap_err().to_string();
        assert!(refused.contains("or_set"), "{refused}");
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_place() {
        for (kind, before, after, fits) in [
            ("pn_counter", "42", "45", true),
            ("pn_counter", "42", "40", true),
            ("pn_counter", "42", "many", false),
            ("pn_counter", "42", "\"43\"", false),
            ("pn_counter", "42", "4.5", false),
            ("pn_counter", "42", "9223372036854775808", false),
            ("g_counter", "42", "45", true),
            ("g_counter", "42", "41", false),
            ("g_counter", "[]", "41", true),
            ("g_counter", "[]", "-1", false),
            (
                "pn_counter",
                "-9223372036854775808",
                "9223372036854775807",
                false,
            ),
            ("max", "-9223372036854775808", "9223372036854775807", true),
            ("max", "42", "41", false),
            ("max", "42", "null", false),
            ("pn_counter", "42", "~", false),
            ("pn_counter", "[]", "null", true),
            ("g_set", "[a, b]", "[b, c, a]", true),
            ("g_set", "[a, b]", "[b, c]", false),
            ("g_set", "[a]", "[a, a]", false),
            (
                "g_set",
                "[{id: a}, {id: b}]",
                "[{id: b}, {id: a, x: 1}]",
                true,
            ),
            ("g_set", "[{id: a}, {id: b}]", "[{id: b}]", false),
            ("or_set", "[a, b]", "[b]", true),
            ("or_set", "[a]", "[a, b, a]", false),
            ("or_set", "[a]", "a", false),
            ("list", "[a]", "[a, a]", true),
            ("list", "[a]", "a", false),
            ("text", "a", "b", true),
            ("text", "a", "3", false),
            ("map", "{a: 1}", "{b: 1}", true),
            ("map", "{a: 1}", "1", false),
            ("mv", "1", "x", true),
            ("mv", "1", "[x]", false),
            ("lww", "1", "x", true),
            ("lww", "1", "{x: 1}", false),
            // What stood there before its place had a type is no edit.
            ("pn_counter", "many", "many", true),
            ("pn_counter", "many", "more", false),
            ("or_set", "[a, a]", "[a, a]", true),
            ("or_set", "[a, a]", "[a, a, a]", false),
            ("mv", "{a: 1}", "{a: 2}", true),
        ] {
            let misfit = misfit(kind, before, after);
            assert_eq!(
                misfit.is_none(),
                fits,
                "{kind}: {before} -> {after}: {misfit:?}"
            );
        }
    }

    #[test]
    fn records_of_the_known_files_stay_records() {
        let built_in = Types::of(&BTreeMap::new()).unwrap();
        let misfit = |types: &Types, before: &str, after: &str| {
            let [before, after] = [before, after].map(|value| file(&format!("todos: {value}\n")));
            let misfit = types.misfit(&crate::context::lift(&before), &after);
            misfit.map(|misfit| misfit.to_string())
        };
        let records = "[{id: a}, {id: b}]";
        let told = misfit(&built_in, records, "done").unwrap();
        assert!(
            told.contains("`todos` is an or_set, and this is no list"),
            "{told}"
        );
        for after in ["[{id: a}]", "[]", "null", "[x]"] {
            assert_eq!(misfit(&built_in, records, after), None, "{after}");
        }
        // What was no list of records is nobody's business.
        for before in ["x", "[x, y]", "{a: 1}", "[]"] {
            assert_eq!(misfit(&built_in, before, "done"), None, "{before}");
        }
        assert_eq!(built_in.misfits(&file("todos: done\n")), []);
        // What somebody says counts for more, however little it says by name.
        let given = types(&[("*", "list")]).unwrap();
        assert_eq!(given.at(&Path::default().entry("todos")), Some(Type::List));
    }

    #[test]
    fn what_does_not_fit_and_what_is_full_is_found_in_a_file() {
        let types = types(&[("n.*", "pn_counter"), ("g", "g_counter"), ("s", "g_set")]).unwrap();
        let file = file(
            "n:\n  a: 9223372036854775807\n  b: 9223372036854775806\n  c: -9223372036854775808\n  d: x\ng: -1\ns: [a, a]\n",
        );
        let lines = |misfits: Vec<Misfit>| -> Vec<(usize, usize)> {
            misfits
                .iter()
                .map(|misfit| (misfit.line, misfit.column))
                .collect()
        };
        assert_eq!(
            lines(types.misfits(&file)),
            [(2, 6), (4, 6), (5, 6), (6, 4), (7, 4)]
        );
        assert_eq!(lines(types.full(&file)), [(2, 6), (4, 6)]);
    }
}
