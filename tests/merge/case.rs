//! Three texts and what must come of them.

use crate::halves::{with_side, with_swapped_halves};
use crate::text::dedent;
use rhema_crdt::merge::{self, Error, Labels, Merged, Options};
use rhema_crdt::yaml::{Document, Limits};

/// Three versions of a file.
pub(crate) struct Case {
    base: String,
    ours: String,
    theirs: String,
}

/// A case whose texts are written in the indentation of the test around them: the line break behind the opening quote,
/// the common indentation and the blanks before the closing quote do not count.
pub(crate) fn case(base: &str, ours: &str, theirs: &str) -> Case {
    exact(&dedent(base), &dedent(ours), &dedent(theirs))
}

/// A case whose texts count to the byte.
pub(crate) fn exact(base: &str, ours: &str, theirs: &str) -> Case {
    Case {
        base: base.to_owned(),
        ours: ours.to_owned(),
        theirs: theirs.to_owned(),
    }
}

/// A merge with the labels of the tests.
pub(crate) fn merge(base: &str, ours: &str, theirs: &str) -> Result<Merged, Error> {
    merge_bytes(base.as_bytes(), ours.as_bytes(), theirs.as_bytes())
}

/// The same for bytes.
pub(crate) fn merge_bytes(base: &[u8], ours: &[u8], theirs: &[u8]) -> Result<Merged, Error> {
    merge::merge(base, ours, theirs, &Options::default())
}

/// The bytes of a merge as text.
pub(crate) fn text(merged: &Merged) -> &str {
    std::str::from_utf8(&merged.bytes).unwrap()
}

impl Case {
    /// The merge is clean and gives `expected`: in both directions, readable, and the same once more.
    #[track_caller]
    pub(crate) fn gives(&self, expected: &str) {
        let expected = dedent(expected);
        let merged = self.merged();
        assert_text("the merge", text(&merged), &expected);
        assert_eq!(merged.contested, 0, "contested places");
        let swapped = merge(&self.base, &self.theirs, &self.ours).unwrap();
        assert_text("the swapped merge", text(&swapped), &expected);
        if let Err(error) = Document::read(&merged.bytes, &Limits::default()) {
            panic!("the result cannot be read: {error}\n{expected}");
        }
        for side in [&self.ours, &self.theirs] {
            let again = merge(&self.base, &expected, side).unwrap();
            assert_text("merged with a side once more", text(&again), &expected);
        }
    }

    /// The merge contests `count` leaves and entries and gives `expected`: with swapped halves in the other direction,
    /// and readable whichever side is taken.
    #[track_caller]
    pub(crate) fn contests(&self, count: usize, expected: &str) {
        let expected = dedent(expected);
        let merged = self.merged();
        assert_text("the merge", text(&merged), &expected);
        assert_eq!(merged.contested, count, "contested places");
        let swapped = merge(&self.base, &self.theirs, &self.ours).unwrap();
        let half = with_swapped_halves(&expected);
        assert_text("the swapped merge", text(&swapped), &half);
        for take_ours in [true, false] {
            let taken = with_side(&expected, take_ours);
            if let Err(error) = Document::read(taken.as_bytes(), &Limits::default()) {
                panic!("with one side taken it cannot be read: {error}\n{taken}");
            }
        }
    }

    /// The merge is refused, in both directions.
    #[track_caller]
    pub(crate) fn is_refused(&self) -> Error {
        let swapped = merge(&self.base, &self.theirs, &self.ours);
        assert!(swapped.is_err(), "the swapped merge: {swapped:?}");
        merge(&self.base, &self.ours, &self.theirs).unwrap_err()
    }

    /// The merge with these markers.
    #[track_caller]
    pub(crate) fn marked(&self, marker_size: usize, ours: &str, theirs: &str) -> String {
        let options = Options {
            marker_size,
            labels: Labels { ours, theirs },
            ..Options::default()
        };
        let merged = merge::merge(
            self.base.as_bytes(),
            self.ours.as_bytes(),
            self.theirs.as_bytes(),
            &options,
        );
        text(&merged.unwrap()).to_owned()
    }

    #[track_caller]
    fn merged(&self) -> Merged {
        match merge(&self.base, &self.ours, &self.theirs) {
            Ok(merged) => merged,
            Err(error) => panic!("refused: {error}"),
        }
    }
}

#[track_caller]
fn assert_text(what: &str, found: &str, expected: &str) {
    assert!(
        found == expected,
        "{what}\n--- found\n{found}--- expected\n{expected}---"
    );
}
