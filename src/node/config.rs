//! `config.yaml`: how the repository is synced, for all who work in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::access::place_of_no_rule;
use super::{Access, Error, committed, read};
use crate::context::Types;
use crate::git::Repo;

/// The file, from the top of the work tree.
const FILE: &str = ".rhema/crdt/config.yaml";

/// How far ahead of a clock a stamp may be before its edit is refused, in minutes.
const ALLOWED_SKEW_MINUTES: u32 = 10;

/// How peers are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Discovery {
    /// In the local network, by multicast, and at the addresses that are known.
    #[default]
    Local,
    /// At the addresses that are known only.
    Static,
    /// Through the git remote, where everybody leaves edits and addresses, and at the addresses that are known.
    Git,
    /// Not at all: only those who are named on the command line.
    Off,
}

impl Discovery {
    /// All there are, the usual one first.
    pub const ALL: [Self; 4] = [Self::Local, Self::Static, Self::Git, Self::Off];

    /// As the file has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Discovery::Local => "local",
            Discovery::Static => "static",
            Discovery::Git => "git",
            Discovery::Off => "off",
        }
    }
}

/// Which edits of others are shown on which branch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Branches {
    /// All, whatever branch they were made on; what was committed on another branch stays there.
    #[default]
    Shared,
    /// All, and what was committed on another branch, too.
    Carry,
    /// Those that were made on this branch.
    Same,
}

/// Whether what is known of old edits is packed by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Compaction {
    /// Once a day.
    #[default]
    On,
    /// Only by `rhema crdt gc`.
    Off,
}

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How peers are found.
    pub discovery: Discovery,
    /// Which edits of others are shown on which branch.
    pub branches: Branches,
    /// Addresses of peers that are always there: `HOST:PORT`.
    pub peers: Vec<String>,
    /// The git remote through which others are met; where nothing is said, that of the branch that is checked out, else `origin`.
    pub remote: Option<String>,
    /// How far ahead of a clock a stamp may be before its edit is refused, in minutes.
    pub clock_skew_minutes: u32,
    /// Whether what is known of old edits is packed by itself.
    pub gc: Compaction,
    /// Who may write what, when and how much.
    pub access: Access,
    /// The types of places in documents, by patterns.
    #[serde(deserialize_with = "types")]
    pub types: Types,
}

fn types<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Types, D::Error> {
    let named = Option::<BTreeMap<String, String>>::deserialize(from)?;
    Types::of(&named.unwrap_or_default()).map_err(serde::de::Error::custom)
}

/// The line and the column of the first type in the text of the file that is none, or whose pattern is none.
fn place_of_no_type(text: &str) -> Option<(usize, usize)> {
    #[derive(Deserialize)]
    struct Named {
        types: BTreeMap<String, String>,
    }
    let Named { types } = serde_yaml::from_str(text).ok()?;
    let is_wrong = |pattern: &String, name: &String| {
        Types::of(&BTreeMap::from([(pattern.clone(), name.clone())])).is_err()
    };
    let (wrong, _) = types
        .iter()
        .find(|(pattern, name)| is_wrong(pattern, name))?;
    let place = |(index, line): (usize, &str)| {
        let key = line.trim_start();
        let is_it = key.split(':').next()?.trim().trim_matches(['"', '\'']) == wrong;
        is_it.then(|| (index + 1, line.len() - key.len() + 1))
    };
    text.lines().enumerate().find_map(place)
}

impl Default for Config {
    fn default() -> Self {
        Self {
            discovery: Discovery::default(),
            branches: Branches::default(),
            peers: Vec::new(),
            remote: None,
            clock_skew_minutes: ALLOWED_SKEW_MINUTES,
            gc: Compaction::default(),
            access: Access::default(),
            types: Types::of(&BTreeMap::new()).unwrap_or_default(),
        }
    }
}

impl Config {
    /// Where the file lies in the work tree with this top.
    #[must_use]
    pub fn path(top: &Path) -> PathBuf {
        top.join(FILE)
    }

    /// As HEAD has it: what all who stand on this commit have in common.
    ///
    /// # Errors
    /// When HEAD cannot be read, or what it holds is not what it should be.
    pub fn at_head(repo: &Repo) -> Result<Self, Error> {
        match committed(repo, FILE)? {
            Some(text) => Self::read(&Path::new("HEAD").join(FILE), &text),
            None => Ok(Self::default()),
        }
    }

    /// As it stands in the work tree, committed or not: how this work tree finds others.
    ///
    /// # Errors
    /// When the file cannot be read, or is not what it should be.
    pub fn in_work_tree(repo: &Repo) -> Result<Self, Error> {
        let path = Self::path(repo.top());
        let Some(bytes) = read(&path)? else {
            return Ok(Self::default());
        };
        let text = String::from_utf8(bytes);
        let text = text.map_err(|_| Error::malformed(&path, "this is no UTF-8 text"))?;
        Self::read(&path, &text)
    }

    /// How far ahead of a clock a stamp may be, in milliseconds.
    #[must_use]
    pub fn allowed_skew_millis(&self) -> u64 {
        u64::from(self.clock_skew_minutes) * 60_000
    }

    /// Reads the text of the file; what it does not say is as usual.
    ///
    /// # Errors
    /// When it is not what it should be, with the place.
    pub fn read(path: &Path, text: &str) -> Result<Self, Error> {
        let parsed: Result<Option<Self>, _> = serde_yaml::from_str(text);
        parsed.map(Option::unwrap_or_default).map_err(|error| {
            let place = error.location();
            let place = place.map(|place| (place.line(), place.column()));
            // What is wrong with a value of ours is told of the whole file.
            let whole = (1, 1);
            let place = place.filter(|place| *place != whole);
            let place = place_of_no_rule(text).or(place);
            let (line, column) = place.or_else(|| place_of_no_type(text)).unwrap_or(whole);
            Error::Malformed {
                path: path.to_path_buf(),
                line,
                column,
                what: error.to_string(),
            }
        })
    }
}

/// The text of the file with another way to find peers; everything else in it stays as it is, and all of it where it says so
/// already.
#[must_use]
pub fn with_discovery(text: &str, discovery: Discovery) -> String {
    let line = format!("discovery: {}", discovery.name());
    let is_it = |old: &str| old.starts_with("discovery:");
    let says_so = |old: &str| {
        let value = old.split_once(':').map_or("", |(_, value)| value);
        value.split('#').next().unwrap_or_default().trim() == discovery.name()
    };
    if text.lines().any(is_it) {
        let lines = text
            .split_inclusive('\n')
            .map(|old| match is_it(old) && !says_so(old) {
                true => format!("{line}{}", if old.ends_with('\n') { "\n" } else { "" }),
                false => old.to_owned(),
            });
        return lines.collect();
    }
    let gap = match text.is_empty() || text.ends_with('\n') {
        true => "",
        false => "\n",
    };
    format!("{text}{gap}{line}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Config, Error> {
        Config::read(Path::new("c"), text)
    }

    #[test]
    fn what_is_not_said_is_as_usual() {
        assert_eq!(parsed("").unwrap(), Config::default());
        let some = parsed("discovery: static\npeers: [a:1]\n").unwrap();
        assert_eq!(some.discovery, Discovery::Static);
        assert_eq!(some.peers, ["a:1"]);
        assert_eq!(some.branches, Branches::Shared);
        assert_eq!(some.clock_skew_minutes, 10);
        assert_eq!(some.gc, Compaction::On);
        assert_eq!(parsed("gc: off\n").unwrap().gc, Compaction::Off);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let error = parsed("branches: shared\ndiscovery: dns\n").unwrap_err();
        assert!(error.to_string().starts_with("c:2:12: "), "{error}");
        let error = parsed("peer: [a:1]\n").unwrap_err().to_string();
        assert!(
            error.contains("`peer`") && error.contains("`peers`"),
            "{error}"
        );
    }

    #[test]
    fn a_wrong_access_rule_is_named_with_its_place() {
        let rule = |field: &str| format!("branches: same\naccess:\n  - who: agent\n    {field}\n");
        for (text, place, words) in [
            (
                rule("write: [a.yaml, a//b]"),
                "c:4:21: ",
                "`a//b` names no documents",
            ),
            (rule("hours: 8-18"), "c:4:12: ", "`8-18` is no time of day"),
            (rule("edits_per_hour: 0"), "c:4:21: ", "zero"),
            (rule("read: []"), "c:4:5: ", "`read`"),
            ("access:\n  - write: []\n".to_owned(), "c:2:5: ", "`who`"),
        ] {
            let error = parsed(&text).unwrap_err().to_string();
            assert!(error.starts_with(place) && error.contains(words), "{error}");
        }
        let some = parsed(&rule("edits_per_hour: 30")).unwrap();
        assert_ne!(some.access, Access::default());
        assert_eq!(parsed("access:\n").unwrap().access, Access::default());
    }

    #[test]
    fn discovery_is_set_and_the_rest_stays() {
        for (before, after) in [
            ("", "discovery: off\n"),
            (
                "# c\nbranches: same",
                "# c\nbranches: same\ndiscovery: off\n",
            ),
            (
                "discovery: local # x\npeers: []\n",
                "discovery: off\npeers: []\n",
            ),
            ("discovery: off # x\r\n", "discovery: off # x\r\n"),
        ] {
            assert_eq!(with_discovery(before, Discovery::Off), after);
        }
    }
}
