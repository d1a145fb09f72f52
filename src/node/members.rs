//! `members.yaml`: who may take part, in one mapping from node names to keys, names and roles.
//!
//! People read and comment this file too, so members come and go line by line; serde only reads it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::key::public_key;
use super::{Error, NodeId, committed};
use crate::git::Repo;
use crate::yaml::{Document, Kind, Limits, double_quoted};

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
        }
    }

    /// Whether edits are taken from it.
    #[must_use]
    pub fn writes(self) -> bool {
        self != Role::Reader
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
}

/// The members of a repository by the names of their nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// The members.
    pub all: BTreeMap<String, Member>,
}

impl Members {
    /// Where the file lies in the work tree with this top.
    #[must_use]
    pub fn path(top: &Path) -> PathBuf {
        top.join(FILE)
    }

    /// Reads the text of the file; an empty one has no members.
    ///
    /// # Errors
    /// When it is not what it should be, with the place.
    pub fn read(path: &Path, text: &str) -> Result<Self, Error> {
        let all: Option<BTreeMap<String, Member>> =
            serde_yaml::from_str(text).map_err(|error| {
                let place = error.location();
                Error::Malformed {
                    path: path.to_path_buf(),
                    line: place.as_ref().map_or(1, |place| place.line()),
                    column: place.as_ref().map_or(1, |place| place.column()),
                    what: format!(
                        "{error}; a member is `ID: {{key: …, name: …, role: admin|writer|agent|reader}}`"
                    ),
                }
            })?;
        Ok(Self {
            all: all.unwrap_or_default(),
        })
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

    /// The members whose names are fingerprints of their keys, by their keys, and the names of all others: whoever they
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
    Some(format!("{before}{gap}{}{end}{after}", lines.join(newline)))
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
    // What stands above it is the entry's only if nothing stands above all entries.
    let start = if lead == 0 { start } else { lead };
    let (before, after) = (text.get(..start)?, text.get(end..)?);
    let ended = before.ends_with('\n') && after.is_empty() && !text.ends_with('\n');
    let before = if ended {
        let before = before.strip_suffix('\n').unwrap_or(before);
        before.strip_suffix('\r').unwrap_or(before)
    } else {
        before
    };
    Some(format!("{before}{after}"))
}

#[cfg(test)]
mod tests {
    use super::super::Node;
    use super::*;

    #[test]
    fn members_come_and_go_without_a_trace() {
        let git_dir = tempfile::tempdir().unwrap();
        let id = Node::create(git_dir.path()).unwrap().0.id();
        let member = Member {
            key: "00ff".to_owned(),
            name: "O'Neill: \"J\"".to_owned(),
            role: Role::Writer,
        };
        for before in [
            "",
            "# who\n",
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
    fn what_is_wrong_is_named_with_its_place() {
        let error = Members::read(Path::new("m"), "a:\n  key: x\n  name: y\n  role: king\n")
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("m:4:9: "), "{error}");
    }
}
