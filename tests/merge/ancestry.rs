//! What git's history adds to three files: a side that lacks what it once had has given it up.

use rhema_crdt::context::{stamp, strip};
use rhema_crdt::crdt::Stamp;
use rhema_crdt::merge::{Ancestry, Options, Version, merge};
use rhema_crdt::yaml::{Document, Limits};

/// The versions in the ancestries of base, ours and theirs.
#[derive(Debug)]
struct Versions([Vec<String>; 3]);

impl Ancestry for Versions {
    fn versions(&self, of: Version) -> Option<Vec<Vec<u8>>> {
        let Self([base, ours, theirs]) = self;
        let versions = match of {
            Version::Base => base,
            Version::Ours => ours,
            Version::Theirs => theirs,
        };
        Some(versions.iter().cloned().map(String::into_bytes).collect())
    }
}

const BASE: &str = "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    title: one\n";

fn read(text: &str) -> Document {
    Document::from_text(text.to_owned(), &Limits::default()).unwrap()
}

/// The base with another text in it, stamped.
fn edited(work: &str) -> String {
    let [change, birth] =
        ["7", "8"].map(|digit| -> Stamp { format!("4k2m9xa{digit}-7f3kqd").parse().unwrap() });
    let stamped = stamp(
        Some(&read(BASE)),
        &read(work),
        change,
        &mut [birth].into_iter(),
    );
    stamped.text.unwrap()
}

fn merged(ours: &str, theirs: &str, ancestry: Option<&dyn Ancestry>) -> String {
    let options = Options {
        ancestry,
        ..Options::default()
    };
    let [base, ours, theirs] = [BASE, ours, theirs].map(str::as_bytes);
    String::from_utf8(merge(base, ours, theirs, &options).unwrap().bytes).unwrap()
}

/// Without what is said of records: one that was changed back may say how it was born.
fn bare(text: &str) -> String {
    strip(&read(text)).unwrap_or_else(|| text.to_owned())
}

#[test]
fn what_a_side_had_and_gave_up_does_not_come_back() {
    let born = edited(&format!("{BASE}  - id: b\n    title: two\n"));
    let changed = edited(&BASE.replace("one", "uno"));
    for has in [born, changed] {
        let had = Versions([vec![], vec![has.clone()], vec![has.clone()]]);
        assert_eq!(bare(&merged(BASE, &has, Some(&had))), bare(BASE));
        assert_eq!(bare(&merged(&has, BASE, Some(&had))), bare(BASE));
        let never = Versions([vec![], vec![], vec![has.clone()]]);
        assert_eq!(merged(BASE, &has, Some(&never)), has, "it never had it");
        let before = Versions([vec![has.clone()], vec![has.clone()], vec![has.clone()]]);
        assert_eq!(
            merged(BASE, &has, Some(&before)),
            has,
            "a revert is an edit"
        );
        assert_eq!(merged(BASE, &has, None), has);
    }
}
