//! The types by their names, as a configuration gives them to places of documents.

use std::fmt;
use std::str::FromStr;

/// What a place of a document is, as its configuration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Type {
    /// A value of which the last writer's stands, and concurrent ones are kept until somebody settles them: what any value is
    /// that nothing is said about.
    Mv,
    /// A single value of which the last writer's stands, and no other is kept.
    Lww,
    /// Records, or members that each stand once.
    OrSet,
    /// Members that each stand once, and of which none is taken out.
    GSet,
    /// A number to which is only added.
    GCounter,
    /// A number to which is added, and from which is taken.
    PnCounter,
    /// A number of which the greatest stands.
    Max,
    /// Members in an order, as often as they stand.
    List,
    /// A text, merged line by line.
    Text,
    /// Named values.
    Map,
}

/// All types by their names.
const NAMES: [(&str, Type); 10] = [
    ("mv", Type::Mv),
    ("lww", Type::Lww),
    ("or_set", Type::OrSet),
    ("g_set", Type::GSet),
    ("g_counter", Type::GCounter),
    ("pn_counter", Type::PnCounter),
    ("max", Type::Max),
    ("list", Type::List),
    ("text", Type::Text),
    ("map", Type::Map),
];

/// A name that no type of documents has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAType {
    /// It belongs to a type that documents cannot hold.
    #[error(
        "`two_phase_set` is no type for documents: a revert has to bring back what was taken out, and a file would have to list \
         for ever what never comes back; use `or_set`"
    )]
    TwoPhaseSet,
    /// It belongs to none.
    #[error(
        "`{0}` is no type: one of mv, lww, or_set, g_set, g_counter, pn_counter, max, list, text, map is"
    )]
    Unknown(String),
}

impl Type {
    /// As a sentence names one of it.
    #[must_use]
    pub fn with_article(self) -> String {
        let article = match self {
            Self::Mv | Self::Lww | Self::OrSet => "an",
            _ => "a",
        };
        format!("{article} {self}")
    }

    /// Whether amounts are added up in it.
    #[must_use]
    pub fn is_counter(self) -> bool {
        matches!(self, Type::GCounter | Type::PnCounter)
    }
}

impl FromStr for Type {
    type Err = NotAType;

    fn from_str(name: &str) -> Result<Self, NotAType> {
        let named = NAMES.iter().find(|(known, _)| *known == name);
        match (named, name) {
            (Some((_, named)), _) => Ok(*named),
            (None, "two_phase_set") => Err(NotAType::TwoPhaseSet),
            (None, _) => Err(NotAType::Unknown(name.to_owned())),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = NAMES.iter().find(|(_, known)| known == self);
        f.write_str(named.map_or("", |(name, _)| name))
    }
}
