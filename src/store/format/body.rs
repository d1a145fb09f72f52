//! The bodies of edits: what was published of their bases, and what they do.

use std::borrow::Cow;

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

use super::{Unreadable, encode_as, parted, whole};
use crate::overlay::{CommitId, Deed};

/// The format that is written: what an edit saw stands in runs of stamps.
const FORMAT: u8 = 2;

/// The format before: what an edit saw stands stamp by stamp.
const FIRST: u8 = 1;

/// What the body of an edit says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct Body<'b> {
    /// The newest ancestors of its base that stood in a remote-tracking ref.
    pub(in crate::store) published: Cow<'b, [CommitId]>,
    /// What it does.
    pub(in crate::store) deed: Cow<'b, Deed>,
}

impl Body<'_> {
    fn encode(&self) -> Result<Vec<u8>, postcard::Error> {
        encode_as(FORMAT, &(&self.published, &self.deed))
    }

    fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        let (published, deed): (Vec<CommitId>, Deed) = match parted(bytes)? {
            (FORMAT, rest) => whole(rest)?,
            (FIRST, rest) => {
                let (published, deed): (_, first::Deed) = whole(rest)?;
                (published, deed.into())
            }
            (format, _) => return Err(Unreadable::Format(format)),
        };
        Ok(Self {
            published: published.into(),
            deed: Cow::Owned(deed),
        })
    }
}

impl ToSql for Body<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let bytes = self.encode();
        let bytes = bytes.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        Ok(bytes.into())
    }
}

impl FromSql for Body<'_> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::decode(value.as_blob()?).map_err(FromSqlError::other)
    }
}

/// The types of the first format, as far as they are others by now.
mod first {
    use std::collections::BTreeSet;

    use serde::Deserialize;

    use crate::crdt::{self, Act, Digest, Path, Stamp};
    use crate::overlay;

    #[derive(Deserialize)]
    pub(super) enum Deed {
        Change(Vec<Change>),
        Retract(Vec<Stamp>),
    }

    #[derive(Deserialize)]
    pub(super) struct Change {
        at: Path,
        act: Act,
        observed: Observed,
    }

    #[derive(Deserialize)]
    struct Observed {
        stamps: BTreeSet<Stamp>,
        values: BTreeSet<Digest>,
    }

    impl From<Deed> for overlay::Deed {
        fn from(deed: Deed) -> Self {
            match deed {
                Deed::Change(changes) => {
                    Self::Change(changes.into_iter().map(Change::into).collect())
                }
                Deed::Retract(stamps) => Self::Retract(stamps),
            }
        }
    }

    impl From<Change> for crdt::Change {
        fn from(change: Change) -> Self {
            let Observed { stamps, values } = change.observed;
            Self {
                at: change.at,
                act: change.act,
                observed: crdt::Observed::new(stamps.into_iter().collect(), values),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::samples::{commit, hexadecimal, stamps};
    use super::*;
    use crate::crdt::{
        Act, Atom, Birth, Change, Digest, Form, Map, Node, Observed, Part, Path, Record, Stamp,
        Stamps,
    };

    fn record(stamp: Stamp) -> Record {
        let atom = Atom::new("1".to_owned());
        Record {
            name: Atom::text("\"a\"".to_owned(), "a".to_owned()),
            birth: Birth {
                stamp: Some(stamp),
                digest: Digest::of(b"a"),
            },
            fields: Map::from([
                (
                    "list".to_owned(),
                    Node::List(vec![atom.clone()], Stamps::new()),
                ),
                ("map".to_owned(), Node::Map(Map::new())),
                (
                    "register".to_owned(),
                    Node::Register(atom, Stamps::from([stamp])),
                ),
                ("set".to_owned(), Node::Set(Vec::new().into())),
            ]),
        }
    }

    /// The body of an edit that does all that an edit can.
    fn everything() -> Body<'static> {
        let stamps = stamps(7, 2);
        let record = record(stamps[0]);
        let place = Path::default().entry("todos").record(&record);
        let name = record.name.clone();
        let acts = [
            Act::Write(name.clone()),
            Act::Replace(vec![name.clone()]),
            Act::Remove,
            Act::Add {
                record,
                behind: Some(name.clone()),
            },
            Act::Move { behind: None },
            Act::Lose(Some(name)),
            Act::Settle(None),
        ];
        let changes = acts.into_iter().map(|act| {
            let mut observed = Observed::default();
            observed.add(Some(stamps[1]), Digest::of(b"b"));
            observed.add(None, Digest::of(b"c"));
            let at = place.entry("title");
            Change { at, act, observed }
        });
        Body {
            published: vec![commit(1)].into(),
            deed: Cow::Owned(Deed::Change(changes.collect())),
        }
    }

    /// What else came to be done, in the order in which it did.
    fn since() -> Body<'static> {
        let form = Form {
            part: Part::Beside,
            before: String::new(),
            after: " # soon".to_owned(),
        };
        let acts = [
            Act::Form(form),
            Act::Count(i64::MIN),
            Act::Raise(300),
            Act::Last(Atom::new("1".to_owned())),
        ];
        let changes = acts.into_iter().map(|act| Change {
            at: Path::default().entry("metrics"),
            act,
            observed: Observed::default(),
        });
        Body {
            published: vec![commit(1)].into(),
            deed: Cow::Owned(Deed::Change(changes.collect())),
        }
    }

    #[test]
    fn what_came_to_be_done_since_is_fixed_for_all_times() {
        let bytes = since().encode().unwrap();
        assert_eq!(hexadecimal(&bytes), include_str!("2-since.hex").trim_end());
        assert_eq!(Body::decode(&bytes).unwrap(), since());
    }

    #[test]
    fn the_formats_of_edits_are_fixed_for_all_times() {
        // These stand in stores: whoever changes a type of an edit's body makes another format of it, and reads these on.
        let bytes = everything().encode().unwrap();
        assert_eq!(hexadecimal(&bytes), include_str!("2.hex").trim_end());
        for text in [include_str!("1.hex"), include_str!("2.hex")] {
            assert_eq!(Body::decode(&bytes_of(text)).unwrap(), everything());
        }
    }

    fn bytes_of(hexadecimal: &str) -> Vec<u8> {
        let digits = hexadecimal.trim_end().as_bytes().chunks(2);
        let bytes = digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16));
        bytes.map(Result::unwrap).collect()
    }

    #[test]
    fn a_format_that_is_not_known_is_told_from_damage() {
        let mut bytes = everything().encode().unwrap();
        bytes[0] = 9;
        assert!(matches!(Body::decode(&bytes), Err(Unreadable::Format(9))));
    }

    #[test]
    fn damage_is_an_error_wherever_it_is() {
        let bytes = everything().encode().unwrap();
        for end in 0..bytes.len() {
            let cut = Body::decode(&bytes[..end]);
            assert!(matches!(cut, Err(Unreadable::Malformed(_))), "{end}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(matches!(
            Body::decode(&longer),
            Err(Unreadable::Malformed(_))
        ));
        for at in 1..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 0xff;
            // Whatever it is taken for: it is no panic.
            let _ = Body::decode(&other);
        }
    }
}
