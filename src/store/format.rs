//! Values that are written and read as a whole: a byte that names the format, then what `postcard` makes of them.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The format that is written, and the only one so far.
const FORMAT: u8 = 1;

/// Bytes that are no such value.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    /// They are in a format of a newer version.
    #[error("format {0} is not known here")]
    Format(u8),
    /// They are damaged.
    #[error("not what was written: {0}")]
    Malformed(#[from] postcard::Error),
}

/// The bytes of a value.
pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, postcard::Error> {
    postcard::to_extend(value, vec![FORMAT])
}

/// The value that these bytes, all of them, are of.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unreadable> {
    let (format, rest) = bytes
        .split_first()
        .ok_or(postcard::Error::DeserializeUnexpectedEnd)?;
    if *format != FORMAT {
        return Err(Unreadable::Format(*format));
    }
    match postcard::take_from_bytes(rest)? {
        (value, []) => Ok(value),
        _ => Err(postcard::Error::DeserializeBadEncoding.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{commit, hexadecimal, stamps};
    use super::*;
    use crate::crdt::{
        Act, Atom, Birth, Change, Digest, Map, Node, Observed, Path, Record, Stamp, Stamps,
    };
    use crate::overlay::{CommitId, Deed};

    type Body = (Vec<CommitId>, Deed);

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
                ("set".to_owned(), Node::Set(Vec::new())),
            ]),
        }
    }

    /// The body of an edit that does all that an edit can.
    fn everything() -> Body {
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
        (vec![commit(1)], Deed::Change(changes.collect()))
    }

    #[test]
    fn the_first_format_of_edits_is_fixed_for_all_times() {
        // These stand in stores: whoever changes a type of an edit's body makes another format of it, and reads this one on.
        let bytes = encode(&everything()).unwrap();
        assert_eq!(hexadecimal(&bytes), include_str!("format/1.hex").trim_end());
        assert_eq!(decode::<Body>(&bytes).unwrap(), everything());
    }

    #[test]
    fn a_format_that_is_not_known_is_told_from_damage() {
        let mut bytes = encode(&everything()).unwrap();
        bytes[0] = 9;
        assert!(matches!(decode::<Body>(&bytes), Err(Unreadable::Format(9))));
    }

    #[test]
    fn damage_is_an_error_wherever_it_is() {
        let bytes = encode(&everything()).unwrap();
        for end in 0..bytes.len() {
            let cut = decode::<Body>(&bytes[..end]);
            assert!(matches!(cut, Err(Unreadable::Malformed(_))), "{end}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(matches!(
            decode::<Body>(&longer),
            Err(Unreadable::Malformed(_))
        ));
        for at in 1..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 0xff;
            // Whatever it is taken for: it is no panic.
            let _ = decode::<Body>(&other);
        }
    }
}
