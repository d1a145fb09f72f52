//! `members.yaml`: who may take part, in one mapping from node names to keys, names and roles.
//!
//! People read and comment this file too, so members come and go line by line; serde only reads it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::key::public_key;
use super::{Error, NodeId, committed, read};
use crate::crdt::{Replica, Stamp};
use crate::git::Repo;
use crate::yaml::{
    Collection, Document, EntryDraft, EntryRef, FileDraft, Kind, Limits, Manner, Scalar, Side,
    Value, double_quoted,
};

/// The file, from the top of the work tree.
const FILE: &str = ".rhema/crdt/members.yaml";

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Write, and change who the members are.
    Admin,
    /// Write.
    Writer,
    /// Write; what it writes is told apart from what people write.
    Agent,
    /// Know everything; nothing is taken from it.
    Reader,
    /// Nothing any more; what it wrote before it was removed is still taken, whoever brings it.
    Removed,
}

impl Role {
    /// As the file has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::Writer => "writer",
            Role::Agent => "agent",
            Role::Reader => "reader",
            Role::Removed => "removed",
        }
    }

    /// The role of this name that somebody can be given.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let roles = [Role::Admin, Role::Writer, Role::Agent, Role::Reader];
        roles.into_iter().find(|role| role.name() == name)
    }

    /// Whether edits are taken from it.
    #[must_use]
    pub fn writes(self) -> bool {
        match self {
            Role::Admin | Role::Writer | Role::Agent => true,
            Role::Reader | Role::Removed => false,
        }
    }
}

/// Up to where the edits of a removed member are taken: the last stamp of each of its replicas that whoever removed it knew.
/// Of other replicas nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Until(BTreeMap<Replica, Stamp>);

impl Until {
    /// Whether the edit with this stamp is still taken.
    #[must_use]
    pub fn includes(&self, stamp: Stamp) -> bool {
        let last = self.0.get(&stamp.replica());
        last.is_some_and(|last| stamp <= *last)
    }

    /// Whether nothing is taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The last stamp of all.
    #[must_use]
    pub fn last(&self) -> Option<Stamp> {
        self.0.values().max().copied()
    }
}

impl FromIterator<Stamp> for Until {
    /// Of two stamps of one replica the later one counts.
    fn from_iter<I: IntoIterator<Item = Stamp>>(stamps: I) -> Self {
        let mut until = BTreeMap::new();
        for stamp in stamps {
            let last = until.entry(stamp.replica()).or_insert(stamp);
            *last = stamp.max(*last);
        }
        Self(until)
    }
}

impl fmt::Display for Until {
    /// As the file has it: the stamps, with a blank between two.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, stamp) in self.0.values().enumerate() {
            let gap = if index == 0 { "" } else { " " };
            write!(f, "{gap}{stamp}")?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Until {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Option::<String>::deserialize(from)?.unwrap_or_default();
        let stamp = |word: &str| {
            let stamp = word.parse::<Stamp>();
            stamp.map_err(|_| D::Error::custom(format!("`{word}` is no stamp")))
        };
        text.split_whitespace().map(stamp).collect()
    }
}

impl Serialize for Until {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// A member.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Member {
    /// The public key, in hexadecimal digits.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// For one who was removed, up to where its edits are taken.
    #[serde(default, skip_serializing_if = "Until::is_empty")]
    pub until: Until,
}

impl Member {
    /// A member with this key that nobody removed.
    #[must_use]
    pub fn new(key: impl Into<String>, name: impl Into<String>, role: Role) -> Self {
        Self {
            key: key.into(),
            name: name.into(),
            role,
            until: Until::default(),
        }
    }

    /// Whether nobody removed it.
    #[must_use]
    pub fn takes_part(&self) -> bool {
        self.role != Role::Removed
    }
}

/// The members of a repository by the names of their nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// The members, and those who were removed.
    pub all: BTreeMap<String, Member>,
}

impl Members {
    /// Where the file lies in the work tree with this top.
    #[must_use]
    pub fn path(top: &Path) -> PathBuf {
        top.join(FILE)
    }

    /// The text of the file; none where there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn text_at(path: &Path) -> Result<String, Error> {
        let bytes = read(path)?.unwrap_or_default();
        String::from_utf8(bytes).map_err(|_| Error::malformed(path, "this is no UTF-8 text"))
    }

    /// Reads the text of the file; an empty one has no members.
    ///
    /// # Errors
    /// When it is not what it should be, with the place.
    pub fn read(path: &Path, text: &str) -> Result<Self, Error> {
        let all: Option<BTreeMap<String, Member>> =
            serde_yaml::from_str(text).map_err(|error| {
                let place = error.location();
                let place = place.map(|place| (place.line(), place.column()));
                // What is wrong with a stamp is told of the whole member.
                let (line, column) = place_of_no_stamp(text).or(place).unwrap_or((1, 1));
                Error::Malformed {
                    path: path.to_path_buf(),
                    line,
                    column,
                    what: format!(
                        "{error}; a member is `ID: {{key: …, name: …, role: admin|writer|agent|reader}}`, one who was removed \
                         `ID: {{key: …, name: …, role: removed, until: STAMPS}}`"
                    ),
                }
            })?;
        let members = Self {
            all: all.unwrap_or_default(),
        };
        let is_wrong = |member: &Member| member.takes_part() && !member.until.is_empty();
        match members.all.iter().find(|(_, member)| is_wrong(member)) {
            Some((id, member)) => {
                let (line, column) = place_of_until(text, id).unwrap_or((1, 1));
                Err(Error::Malformed {
                    path: path.to_path_buf(),
                    line,
                    column,
                    what: format!(
                        "`until` is said of who was removed (`role: removed`), and {} is {}",
                        member.name,
                        member.role.name()
                    ),
                })
            }
            None => Ok(members),
        }
    }

    /// Those whom nobody removed.
    pub fn of_now(&self) -> impl Iterator<Item = (&String, &Member)> {
        self.all.iter().filter(|(_, member)| member.takes_part())
    }

    /// The members as HEAD has them; none where it has no such file.
    ///
    /// # Errors
    /// When HEAD cannot be read, or what it holds is not what it should be.
    pub fn at_head(repo: &Repo) -> Result<Self, Error> {
        let shown = PathBuf::from("HEAD").join(FILE);
        match committed(repo, FILE)? {
            Some(text) => Self::read(&shown, &text),
            None => Ok(Self::default()),
        }
    }

    /// The members, and who was removed, whose names are fingerprints of their keys, by their keys, and the names of all others: whoever they
    /// are, nobody else can be meant.
    #[must_use]
    pub fn by_key(&self) -> (BTreeMap<[u8; 32], &Member>, Vec<&str>) {
        let mut members = BTreeMap::new();
        let mut others = Vec::new();
        for (name, member) in &self.all {
            let key = public_key(&member.key).filter(|key| NodeId::of(key).to_string() == *name);
            match key {
                Some(key) => {
                    members.insert(key.to_bytes(), member);
                }
                None => others.push(name.as_str()),
            }
        }
        (members, others)
    }
}

/// The text of the file with one member more, behind the others; `None` for a text that is not one block mapping.
#[must_use]
pub fn with_member(text: &str, id: NodeId, member: &Member) -> Option<String> {
    let document = Document::from_text(text.to_owned(), &Limits::default()).ok()?;
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let at = match document.parts() {
        [] => text.len(),
        [_] => {
            let root = document.root()?;
            if !root.is_block_collection() || root.kind() != Kind::Mapping || root.data().column > 0
            {
                return None;
            }
            root.entries().next_back()?.data().end as usize
        }
        _ => return None,
    };
    let (before, after) = text.split_at_checked(at)?;
    let role = member.role.name();
    let unfinished = !before.is_empty() && !before.ends_with(['\n', '\r', '\u{feff}']);
    let lines = [
        format!("{}:", double_quoted(&id.to_string())),
        format!("  key: {}", double_quoted(&member.key)),
        format!("  name: {}", double_quoted(&member.name)),
        format!("  role: {role}"),
    ];
    let gap = if unfinished { newline } else { "" };
    let end = if unfinished { "" } else { newline };
    let with = format!("{before}{gap}{}{end}{after}", lines.join(newline));
    checked(text, with, |all| {
        all.insert(id.to_string(), member.clone());
    })
}

/// A text that came of another one, if it says what is meant: of two members who share lines by an anchor, none can be changed alone. Of
/// what nobody could read before, nobody knows.
fn checked(
    before: &str,
    after: String,
    change: impl FnOnce(&mut BTreeMap<String, Member>),
) -> Option<String> {
    let read = |text: &str| Members::read(Path::new(FILE), text).ok();
    let Some(mut meant) = read(before) else {
        return Some(after);
    };
    change(&mut meant.all);
    (read(&after)? == meant).then_some(after)
}

/// Line and column of what is said of a member's last edits.
fn place_of_until(text: &str, id: &str) -> Option<(usize, usize)> {
    let document = Document::from_text(text.to_owned(), &Limits::default()).ok()?;
    let until = document.root()?.get(id)?.value().get("until")?;
    Some(document.position(until.key()?.data().span.start))
}

/// Line and column of the first text that should be stamps and is not.
fn place_of_no_stamp(text: &str) -> Option<(usize, usize)> {
    let document = Document::from_text(text.to_owned(), &Limits::default()).ok()?;
    let is_wrong = |text: &str| {
        let mut words = text.split_whitespace();
        words.any(|word| word.parse::<Stamp>().is_err())
    };
    let mut said = document.root()?.entries();
    let said = said.find_map(|member| {
        let until = member.value().get("until")?.value();
        is_wrong(&until.text()).then_some(until)
    })?;
    Some(document.position(said.data().span.start))
}

/// The text of the file with a member removed, whose edits are taken `until` then; `None` where there is no such member. Its line
/// stays, as what it wrote before is still to be proved.
#[must_use]
pub fn with_removed(text: &str, id: &str, until: &Until) -> Option<String> {
    let document = Document::from_text(text.to_owned(), &Limits::default()).ok()?;
    let entry = document.root()?.get(id)?;
    let is_it = |other: &EntryRef<'_>| other.data().start == entry.data().start;
    let index = entry.parent().entries().position(|other| is_it(&other))?;
    let manner = Manner::of(&document);
    let mut file = FileDraft::of(&document);
    let members = file.parts.first_mut()?.root.open()?;
    let member = members.entries.get_mut(index)?.open()?.body.value.open()?;
    set(member, "role", Role::Removed.name(), manner)?;
    if !until.is_empty() {
        set(member, "until", &until.to_string(), manner)?;
    }
    checked(text, file.emit(Side::Ours), |all| {
        if let Some(member) = all.get_mut(id) {
            member.role = Role::Removed;
            if !until.is_empty() {
                member.until = until.clone();
            }
        }
    })
}

/// Says something of a member in place of what was said.
fn set(member: &mut Collection<'_>, field: &str, value: &str, manner: Manner) -> Option<()> {
    let text = |text: &str| Scalar::Str(text.to_owned().into());
    let said = Value::Scalar(text(value));
    let is_it = |entry: &EntryDraft<'_>| matches!(entry, EntryDraft::Keep(entry) if entry.key().is_some_and(|key| key.text() == field));
    match member.entries.iter().position(is_it) {
        Some(index) => member.entries.get_mut(index)?.open()?.set(&said, manner),
        None => member.insert(usize::MAX, Some(&text(field)), &said, manner),
    }
    Some(())
}

/// The text of the file without a member; `None` where it is none.
#[must_use]
pub fn without_member(text: &str, id: &str) -> Option<String> {
    let document = Document::from_text(text.to_owned(), &Limits::default()).ok()?;
    let entry = document.root()?.get(id)?;
    let (lead, start, end) = {
        let data = entry.data();
        (data.lead as usize, data.start as usize, data.end as usize)
    };
    // What stands above it is the entry's only if nothing stands above all entries, and other entries stay.
    let is_alone = entry.parent().len() == 1;
    let start = if lead == 0 || is_alone { start } else { lead };
    let (before, after) = (text.get(..start)?, text.get(end..)?);
    let ended = before.ends_with('\n') && after.is_empty() && !text.ends_with('\n');
    let before = if ended {
        let before = before.strip_suffix('\n').unwrap_or(before);
        before.strip_suffix('\r').unwrap_or(before)
    } else {
        before
    };
    checked(text, format!("{before}{after}"), |all| {
        all.remove(id);
    })
}

#[cfg(test)]
mod tests {
    use super::super::Node;
    use super::*;

    #[test]
    fn members_come_and_go_without_a_trace() {
        let git_dir = tempfile::tempdir().unwrap();
        let id = Node::create(git_dir.path()).unwrap().0.id();
        let member = Member::new("00ff", "O'Neill: \"J\"", Role::Writer);
        for before in [
            "",
            "# who\n",
            "\n # who",
            "\n\n # who\n\n",
            "# who\na:\n  key: x\n  name: y\n  role: admin\n",
            "a: {key: x, name: y, role: admin} # she\n# the end\n",
            "a:\r\n  key: x\r\n  name: y\r\n  role: admin",
        ] {
            let with = with_member(before, id, &member).unwrap();
            let members = Members::read(Path::new("m"), &with).unwrap();
            assert_eq!(members.all.get(&id.to_string()), Some(&member), "{with}");
            assert_eq!(
                without_member(&with, &id.to_string()).as_deref(),
                Some(before),
                "{with}"
            );
        }
    }

    #[test]
    fn who_is_removed_keeps_the_line_and_all_around_it_stays() {
        let until: Until = ["4k2m9xa7-7f3kqd", "4k2m9xa8-7f3kqd", "4k2m9xa6-000007"]
            .map(|stamp| stamp.parse().unwrap())
            .into_iter()
            .collect();
        let (first, second) = ("4k2m9xa6-000007", "4k2m9xa8-7f3kqd");
        for (before, after) in [
            (
                "# who\na:\n  key: x\n  name: y # she\n  role: admin # first\nb: {key: x, name: z, role: reader}\n".to_owned(),
                format!("# who\na:\n  key: x\n  name: y # she\n  role: removed # first\n  until: {first} {second}\nb: {{key: x, name: z, role: reader}}\n"),
            ),
            (
                "a: {key: x, name: y, role: admin} # she\n# the end\n".to_owned(),
                format!("a: {{key: x, name: y, role: removed, until: {first} {second}}} # she\n# the end\n"),
            ),
            (
                "a:\r\n  role: writer\r\n  key: x\r\n  name: y\r\n  until: \"\"\r\n".to_owned(),
                format!("a:\r\n  role: removed\r\n  key: x\r\n  name: y\r\n  until: \"{first} {second}\"\r\n"),
            ),
        ] {
            let removed = with_removed(&before, "a", &until).unwrap();
            assert_eq!(removed, after);
            let members = Members::read(Path::new("m"), &removed).unwrap();
            assert_eq!(members.all["a"].role, Role::Removed);
            assert_eq!(members.all["a"].until, until);
            assert!(members.of_now().all(|(id, _)| id != "a"));
            assert_eq!(with_removed(&removed, "a", &until), Some(removed));
        }
        assert_eq!(
            with_removed("a: {key: x, name: y, role: admin}\n", "b", &until),
            None
        );
        let nothing = with_removed(
            "a: {key: x, name: y, role: admin}\n",
            "a",
            &Until::default(),
        );
        assert_eq!(nothing.unwrap(), "a: {key: x, name: y, role: removed}\n");
    }

    #[test]
    fn who_shares_lines_with_another_is_not_changed_alone() {
        let shared = "a: &x {key: x, name: y, role: agent}\nb: *x\n";
        assert_eq!(with_removed(shared, "a", &Until::default()), None);
        assert_eq!(without_member(shared, "a"), None);
        assert_eq!(
            without_member(shared, "b").as_deref(),
            Some("a: &x {key: x, name: y, role: agent}\n")
        );
    }

    #[test]
    fn what_was_written_until_the_end_is_taken_and_nothing_more() {
        let stamp = |text: &str| text.parse::<Stamp>().unwrap();
        let until: Until = [stamp("4k2m9xa7-7f3kqd")].into_iter().collect();
        assert!(until.includes(stamp("4k2m9xa6-7f3kqd")));
        assert!(until.includes(stamp("4k2m9xa7-7f3kqd")));
        assert!(!until.includes(stamp("4k2m9xa8-7f3kqd")));
        assert!(
            !until.includes(stamp("4k2m9xa6-000007")),
            "of a replica of which nobody knew"
        );
        assert!(!Until::default().includes(stamp("4k2m9xa6-7f3kqd")));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let error = Members::read(Path::new("m"), "a:\n  key: x\n  name: y\n  role: king\n")
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("m:4:9: "), "{error}");
        let said = |last: &str| format!("a:\n  key: x\n  name: y\n  {last}\n");
        for (text, place, words) in [
            (
                said("role: removed\n  until: never"),
                "m:5:10: ",
                "`never` is no stamp",
            ),
            (
                said("role: admin\n  until: 4k2m9xa7-7f3kqd"),
                "m:5:3: ",
                "removed",
            ),
        ] {
            let error = Members::read(Path::new("m"), &text)
                .unwrap_err()
                .to_string();
            assert!(error.starts_with(place) && error.contains(words), "{error}");
        }
    }
}
