//! Who may write what, when and how much: the rules under `access` in `config.yaml` at HEAD.
//!
//! The first rule that names somebody decides, and whom none names may write everything. All of it is a function of the rules, of
//! who made an edit and of the edit itself, so that all who stand on one commit come to the same.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Deserializer};

use super::{NodeId, Role};
use crate::crdt::{Stamp, Step};
use crate::overlay::{DocumentPath, Known};
use crate::yaml::{Document, Limits, NodeRef};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

/// The minutes of a day.
const DAY: i64 = 1_440;

/// The rules, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access(Rules);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rules {
    These(Vec<Rule>),
    /// There are some, and nobody can tell which.
    Unreadable,
}

impl Default for Rules {
    fn default() -> Self {
        Self::These(Vec::new())
    }
}

/// What some may do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    /// Roles, names of nodes, or what members are called.
    who: Names,
    /// The documents that they may write, or parts of them; all where nothing is said.
    write: Option<Vec<Pattern>>,
    /// When they may.
    hours: Option<Hours>,
    /// How many edits of theirs are taken in an hour; what is more waits.
    edits_per_hour: Option<NonZeroU32>,
}

/// One name, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Said {
            One(String),
            Several(Vec<String>),
        }
        Ok(Self(match Said::deserialize(from)? {
            Said::One(name) => vec![name],
            Said::Several(names) => names,
        }))
    }
}

/// Who made an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writer<'w> {
    /// The name of the node.
    pub id: NodeId,
    /// What the list of members calls it; nothing for one that stands in none, which may call itself anything.
    pub name: Option<&'w str>,
    /// What it may do.
    pub role: Role,
}

/// A rule that an edit is against, in words for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Of the document, or this part of it, the writer may write nothing.
    Document(String),
    /// It may not write at this time of day.
    Hours(Hours),
    /// The rules cannot be read.
    Unreadable,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(what) => write!(f, "its author may not write {what}"),
            Self::Hours(hours) => write!(f, "its author may write from {hours} only"),
            Self::Unreadable => f.write_str(
                "the access rules in .rhema/crdt/config.yaml at HEAD cannot be read: only admins write until they can",
            ),
        }
    }
}

impl Access {
    /// Rules that nobody can read: until somebody mends them only admins may write.
    #[must_use]
    pub fn unreadable() -> Self {
        Self(Rules::Unreadable)
    }

    /// What an edit is against; nothing where it is taken.
    #[must_use]
    pub fn broken(&self, writer: Writer<'_>, edit: &Known) -> Option<Broken> {
        let rules = match &self.0 {
            Rules::Unreadable if writer.role != Role::Admin => return Some(Broken::Unreadable),
            Rules::Unreadable => return None,
            Rules::These(rules) => rules,
        };
        let rule = rules.iter().find(|rule| rule.names(writer))?;
        let parts = edit.changes().iter().map(|change| part(change.at.steps()));
        let mut parts: Vec<Option<&str>> = parts.collect();
        // What takes edits back says nothing of parts: those were written by the same author.
        let is_of_no_part = parts.is_empty();
        parts.dedup();
        rule.against(&edit.document, &parts, is_of_no_part)
            .or_else(|| rule.against_time(edit.stamp.unix_millis()))
    }

    /// What an edit at this moment would be against, of this part of a document; nothing where it is taken.
    #[must_use]
    pub fn would_break(
        &self,
        writer: Writer<'_>,
        document: &DocumentPath,
        part: Option<&str>,
        unix_millis: u64,
    ) -> Option<Broken> {
        match &self.0 {
            Rules::Unreadable => (writer.role != Role::Admin).then_some(Broken::Unreadable),
            Rules::These(rules) => {
                let rule = rules.iter().find(|rule| rule.names(writer))?;
                rule.against(document, &[part], false)
                    .or_else(|| rule.against_time(unix_millis))
            }
        }
    }

    /// How many edits of somebody are taken in an hour; all where nothing is said.
    #[must_use]
    pub fn edits_per_hour(&self, writer: Writer<'_>) -> Option<NonZeroU32> {
        let Rules::These(rules) = &self.0 else {
            return None;
        };
        let rule = rules.iter().find(|rule| rule.names(writer))?;
        rule.edits_per_hour
    }
}

impl<'de> Deserialize<'de> for Access {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let rules = Option::<Vec<Rule>>::deserialize(from)?.unwrap_or_default();
        Ok(Self(Rules::These(rules)))
    }
}

/// The part of a document that a place is in: the entry of its root.
fn part(steps: &[Step]) -> Option<&str> {
    match steps.first() {
        Some(Step::Entry(name)) => Some(name),
        Some(Step::Record(..)) | None => None,
    }
}

impl Rule {
    fn names(&self, writer: Writer<'_>) -> bool {
        let Names(names) = &self.who;
        names.iter().any(|name| match Role::named(name) {
            Some(role) => role == writer.role,
            None => writer.name == Some(name) || writer.id.to_string() == *name,
        })
    }

    /// What writing these parts of a document is against; `is_of_no_part` where it is of the document and nobody can tell which.
    fn against(
        &self,
        document: &DocumentPath,
        parts: &[Option<&str>],
        is_of_no_part: bool,
    ) -> Option<Broken> {
        let patterns = self.write.as_ref()?;
        let path = document.to_string();
        let fitting: Vec<&Pattern> = patterns.iter().filter(|it| it.is_of(&path)).collect();
        if is_of_no_part {
            return fitting.is_empty().then_some(Broken::Document(path));
        }
        let is_open = |part: &Option<&str>| {
            let opens = |pattern: &&Pattern| match &pattern.part {
                Some(named) => *part == Some(named),
                None => true,
            };
            fitting.iter().any(opens)
        };
        let part = parts.iter().find(|part| !is_open(part))?;
        Some(Broken::Document(match part {
            Some(part) if !fitting.is_empty() => format!("{part} in {path}"),
            _ => path,
        }))
    }

    fn against_time(&self, unix_millis: u64) -> Option<Broken> {
        let hours = self.hours?;
        (!hours.include(unix_millis)).then_some(Broken::Hours(hours))
    }
}

/// Documents, or one part of each: `.rhema/todos.yaml`, `services/**/.rhema/*.yaml`, `.rhema/todos.yaml#todos`. `*` and `?` stand
/// for letters of one name, `**` for any folders. A pattern without `/` is that of a file in any folder.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    names: Vec<String>,
    part: Option<String>,
}

impl Pattern {
    fn is_of(&self, path: &str) -> bool {
        let path: Vec<&str> = path.split('/').collect();
        let is_any = |name: &String| name == "**";
        fits(&self.names, &path, is_any, |name, found| {
            let name: Vec<char> = name.chars().collect();
            let found: Vec<char> = found.chars().collect();
            let is_any = |letter: &char| *letter == '*';
            fits(&name, &found, is_any, |letter, found| {
                *letter == '?' || letter == found
            })
        })
    }
}

/// Whether a pattern fits, in which some parts stand for any number of others. In the product of both lengths at most.
fn fits<P, T>(
    pattern: &[P],
    text: &[T],
    is_any: impl Fn(&P) -> bool,
    fits_one: impl Fn(&P, &T) -> bool,
) -> bool {
    // Whether the pattern up to here fits the text up to each place.
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for part in pattern {
        let mut next = vec![false; text.len() + 1];
        if is_any(part) {
            let first = reached.iter().position(|reached| *reached);
            if let Some(first) = first {
                next.iter_mut().skip(first).for_each(|next| *next = true);
            }
        } else {
            for (at, one) in text.iter().enumerate() {
                next[at + 1] = reached[at] && fits_one(part, one);
            }
        }
        reached = next;
    }
    reached.last() == Some(&true)
}

impl TryFrom<&str> for Pattern {
    type Error = String;

    fn try_from(text: &str) -> Result<Self, String> {
        let (path, part) = match text.split_once('#') {
            Some((path, part)) => (path, Some(part)),
            None => (text, None),
        };
        let mut names: Vec<String> = path.split('/').map(str::to_owned).collect();
        if names.iter().any(String::is_empty) || part == Some("") {
            return Err(format!(
                "`{text}` names no documents: write their path from the top, `*` for letters of a name, `**` for any \
                 folders, and `#` before a part, as in `**/.rhema/todos.yaml#todos`"
            ));
        }
        if names.len() == 1 && path != "**" {
            names.insert(0, "**".to_owned());
        }
        Ok(Self {
            names,
            part: part.map(str::to_owned),
        })
    }
}

/// A time of each day: `08:00-18:00 +01:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// In minutes since midnight; the second one is not in it any more.
    from: i64,
    until: i64,
    /// In minutes.
    offset: i64,
}

impl Hours {
    fn include(self, unix_millis: u64) -> bool {
        let minutes = i64::try_from(unix_millis / MINUTE).unwrap_or(i64::MAX - DAY);
        let minute = (minutes + self.offset).rem_euclid(DAY);
        match self.from < self.until {
            true => (self.from..self.until).contains(&minute),
            // Over midnight.
            false => minute >= self.from || minute < self.until,
        }
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |minutes: i64| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let sign = if self.offset < 0 { '-' } else { '+' };
        write!(
            f,
            "{}-{} {sign}{}",
            clock(self.from),
            clock(self.until),
            clock(self.offset.abs())
        )
    }
}

impl TryFrom<&str> for Hours {
    type Error = String;

    fn try_from(text: &str) -> Result<Self, String> {
        let clock = |text: &str, most: i64| {
            let (hours, minutes) = text.split_once(':')?;
            let is_digits =
                |text: &str| text.len() == 2 && text.bytes().all(|it| it.is_ascii_digit());
            let is_written = is_digits(hours) && is_digits(minutes);
            let (hours, minutes) = (hours.parse::<i64>().ok()?, minutes.parse::<i64>().ok()?);
            let all = 60 * hours + minutes;
            (is_written && minutes < 60 && all <= most).then_some(all)
        };
        let read = || {
            let (span, zone) = text.trim().split_once(' ')?;
            let (from, until) = span.split_once('-')?;
            let offset = match zone.trim() {
                "Z" | "UTC" => 0,
                zone => match zone.split_at_checked(1)? {
                    ("+", zone) => clock(zone, DAY)?,
                    ("-", zone) => -clock(zone, DAY)?,
                    _ => return None,
                },
            };
            let (from, until) = (clock(from, DAY - 1)?, clock(until, DAY)?);
            (from != until).then_some(Self {
                from,
                until,
                offset,
            })
        };
        read().ok_or_else(|| {
            format!("`{text}` is no time of day: write it with its time zone, as in `08:00-18:00 +01:00`")
        })
    }
}

/// What is written as a text.
macro_rules! written {
    ($($type:ty),*) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                Self::try_from(text.as_str()).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

written!(Pattern, Hours);

/// The line and the column of the first rule in a configuration that is none, or of what is wrong in it.
pub(super) fn place_of_no_rule(text: &str) -> Option<(usize, usize)> {
    let document = Document::from_text(text.to_owned(), &Limits::default()).ok()?;
    let access = document.root()?.get("access")?.value();
    let wrong = access.entries().find_map(|rule| {
        let rule = rule.value();
        let field = |name: &str| Some(rule.get(name)?.value());
        let is_wrong_pattern = |node: &NodeRef<'_>| Pattern::try_from(&*node.text()).is_err();
        let is_wrong_time = |node: &NodeRef<'_>| Hours::try_from(&*node.text()).is_err();
        let is_wrong_count = |node: &NodeRef<'_>| node.text().parse::<NonZeroU32>().is_err();
        let patterns = field("write").into_iter();
        let mut patterns = patterns.flat_map(|list| list.entries().map(|entry| entry.value()));
        let is_known = |name: &str| ["who", "write", "hours", "edits_per_hour"].contains(&name);
        let stranger = rule.entries().find_map(|entry| {
            let key = entry.key()?;
            (!is_known(&key.text())).then_some(key)
        });
        stranger
            .or_else(|| patterns.find(is_wrong_pattern))
            .or_else(|| field("hours").filter(is_wrong_time))
            .or_else(|| field("edits_per_hour").filter(is_wrong_count))
            .or_else(|| rule.get("who").is_none().then_some(rule))
    })?;
    Some(document.position(wrong.data().span.start))
}

/// When the edits of one author are due, of whom so many are taken in an hour: each not before it was made, and an hour after the
/// one that is so many before it.
#[derive(Clone, Debug)]
pub struct Pace {
    per_hour: NonZeroU32,
    /// The edits that are taken, each with when it was due.
    taken: BTreeMap<Stamp, u64>,
}

impl Pace {
    /// That of an author of whom these edits are known.
    #[must_use]
    pub fn new(per_hour: NonZeroU32, known: impl IntoIterator<Item = Stamp>) -> Self {
        let mut pace = Self {
            per_hour,
            taken: BTreeMap::new(),
        };
        let mut known: Vec<Stamp> = known.into_iter().collect();
        known.sort();
        let mut last = VecDeque::new();
        for stamp in known {
            let due = pace.after(&last, stamp);
            last.push_back(due);
            if last.len() > per_hour.get() as usize {
                last.pop_front();
            }
            pace.taken.insert(stamp, due);
        }
        pace
    }

    fn after(&self, last: &VecDeque<u64>, stamp: Stamp) -> u64 {
        let is_full = last.len() >= self.per_hour.get() as usize;
        let earlier = last.front().filter(|_| is_full);
        let due = earlier.map_or(0, |due| due + HOUR);
        due.max(stamp.unix_millis())
    }

    /// When an edit is due, in milliseconds since the Unix epoch. One that is taken stays so.
    #[must_use]
    pub fn due(&self, stamp: Stamp) -> u64 {
        if let Some(due) = self.taken.get(&stamp) {
            return *due;
        }
        let count = self.per_hour.get() as usize;
        let before = self.taken.range(..stamp).rev().take(count);
        let mut last: VecDeque<u64> = before.map(|(_, due)| *due).collect();
        last.make_contiguous().reverse();
        self.after(&last, stamp)
    }

    /// Notes that an edit is taken.
    pub fn take(&mut self, stamp: Stamp) {
        let due = self.due(stamp);
        self.taken.insert(stamp, due);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crdt::{Act, Change, Observed, Path};
    use crate::overlay::Deed;

    const KEY: [u8; 32] = [7; 32];

    fn access(text: &str) -> Access {
        serde_yaml::from_str(text).unwrap()
    }

    fn writer(role: Role, name: Option<&str>) -> Writer<'_> {
        Writer {
            id: NodeId::of_bytes(&KEY),
            name,
            role,
        }
    }

    /// An edit at this time of a day of 2026, of these parts of a document.
    fn edit(document: &str, parts: &[&str], hour: u64, minute: u64) -> Known {
        const DAY_OF_2026: u64 = 1_795_305_600_000;
        let stamp = format!("{}", crate::crdt::Replica::from_bits(7));
        let replica = stamp.parse().unwrap();
        let millis = DAY_OF_2026 + hour * HOUR + minute * MINUTE;
        let change = |part: &&str| Change {
            at: Path::default().entry(part),
            act: Act::Remove,
            observed: Observed::default(),
        };
        Known {
            stamp: Stamp::from_unix_millis(millis, replica).unwrap(),
            previous: None,
            document: DocumentPath::new(document),
            base: None,
            published: Vec::new(),
            branch: None,
            deed: match parts {
                [] => Deed::Retract(Vec::new()),
                parts => Deed::Change(parts.iter().map(change).collect()),
            },
        }
    }

    #[test]
    fn the_first_rule_that_names_somebody_decides() {
        let rules = access(&format!(
            "- who: Ann\n  write: [\"**\"]\n- who: [reader, {}]\n  write: []\n- who: writer\n  write: [todos.yaml]\n",
            NodeId::of_bytes(&[8; 32])
        ));
        let todos = edit("a/.rhema/todos.yaml", &["todos"], 12, 0);
        let notes = edit(".rhema/notes.yaml", &["notes"], 12, 0);
        let broken = |writer, edit| rules.broken(writer, edit).map(|it| it.to_string());
        assert_eq!(broken(writer(Role::Writer, Some("Ann")), &notes), None);
        // Whoever calls itself so is not meant.
        let against = Some("its author may not write .rhema/notes.yaml".to_owned());
        assert_eq!(broken(writer(Role::Writer, None), &notes), against);
        assert_eq!(broken(writer(Role::Writer, None), &todos), None);
        assert_eq!(
            broken(writer(Role::Agent, None), &notes),
            None,
            "nobody names it"
        );
        let eighth = Writer {
            id: NodeId::of_bytes(&[8; 32]),
            ..writer(Role::Writer, None)
        };
        assert!(broken(eighth, &todos).is_some());
        assert_eq!(
            Access::default().broken(writer(Role::Agent, None), &notes),
            None
        );
    }

    #[test]
    fn a_part_of_a_document_is_what_its_root_holds() {
        let rules =
            access("- who: agent\n  write: [.rhema/todos.yaml#todos, \"**/.rhema/log*.y?ml\"]\n");
        let agent = writer(Role::Agent, None);
        for (document, parts, against) in [
            (".rhema/todos.yaml", &["todos"][..], None),
            (
                ".rhema/todos.yaml",
                &["owner"],
                Some("owner in .rhema/todos.yaml"),
            ),
            (
                ".rhema/todos.yaml",
                &["todos", "owner"],
                Some("owner in .rhema/todos.yaml"),
            ),
            (".rhema/todos.yaml", &[], None),
            (".rhema/notes.yaml", &[], Some(".rhema/notes.yaml")),
            (
                "a/.rhema/todos.yaml",
                &["todos"],
                Some("a/.rhema/todos.yaml"),
            ),
            (".rhema/log-1.yaml", &["x"], None),
            ("a/b/.rhema/log.yaml", &["x"], None),
            ("a/b/.rhema/log.yml", &["x"], Some("a/b/.rhema/log.yml")),
            (
                "a/b/.rhema/x/log.yaml",
                &["x"],
                Some("a/b/.rhema/x/log.yaml"),
            ),
        ] {
            let broken = rules.broken(agent, &edit(document, parts, 12, 0));
            let expected = against.map(|what| Broken::Document(what.to_owned()));
            assert_eq!(broken, expected, "{document} {parts:?}");
            let part = match parts {
                [part] => Some(*part),
                _ => continue,
            };
            let path = DocumentPath::new(document);
            assert_eq!(rules.would_break(agent, &path, part, 0), expected);
        }
    }

    #[test]
    fn hours_are_those_of_the_place_that_they_name() {
        let include = |hours: &str, hour, minute| {
            let rules = access(&format!("- who: agent\n  hours: \"{hours}\"\n"));
            let edit = edit("x/.rhema/a.yaml", &["a"], hour, minute);
            rules.broken(writer(Role::Agent, None), &edit).is_none()
        };
        for (hours, hour, minute, expected) in [
            ("08:00-18:00 Z", 7, 59, false),
            ("08:00-18:00 UTC", 8, 0, true),
            ("08:00-18:00 +00:00", 17, 59, true),
            ("08:00-18:00 Z", 18, 0, false),
            ("08:00-18:00 +02:00", 6, 0, true),
            ("08:00-18:00 -05:30", 13, 29, false),
            ("08:00-18:00 -05:30", 13, 30, true),
            ("22:00-06:00 Z", 23, 0, true),
            ("22:00-06:00 Z", 5, 59, true),
            ("22:00-06:00 Z", 6, 0, false),
            ("00:00-24:00 Z", 23, 59, true),
        ] {
            assert_eq!(
                include(hours, hour, minute),
                expected,
                "{hours} {hour}:{minute}"
            );
        }
        let shown = Hours::try_from("08:00-18:00 -05:30").unwrap().to_string();
        assert_eq!(shown, "08:00-18:00 -05:30");
    }

    #[test]
    fn what_cannot_be_read_lets_admins_write_alone() {
        let rules = Access::unreadable();
        let edit = edit(".rhema/a.yaml", &["a"], 12, 0);
        assert_eq!(rules.broken(writer(Role::Admin, None), &edit), None);
        let broken = rules.broken(writer(Role::Writer, None), &edit);
        assert_eq!(broken, Some(Broken::Unreadable));
    }

    #[test]
    fn what_is_beyond_the_rate_is_due_later_whatever_the_order_of_coming() {
        let at = |minute: u64| edit(".rhema/a.yaml", &["a"], 0, minute).stamp;
        let three = NonZeroU32::new(3).unwrap();
        let stamps: Vec<Stamp> = (0..8).map(at).collect();
        let since = |due: u64| (due - at(0).unix_millis()) / MINUTE;
        let all = Pace::new(three, stamps.clone());
        let dues: Vec<u64> = stamps.iter().map(|stamp| since(all.due(*stamp))).collect();
        assert_eq!(dues, [0, 1, 2, 60, 61, 62, 120, 121]);
        let mut pace = Pace::new(three, stamps[..2].iter().copied());
        for (stamp, due) in stamps.iter().zip(&dues).skip(2) {
            assert_eq!(since(pace.due(*stamp)), *due);
            pace.take(*stamp);
            assert_eq!(since(pace.due(*stamp)), *due, "taken already");
        }
        // Who paused is at no disadvantage.
        assert_eq!(since(pace.due(at(300))), 300);
    }
}
