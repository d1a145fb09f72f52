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

#[test]
fn a_stamp_that_was_dropped_to_save_space_is_found_where_it_stood() {
    let has = edited(&BASE.replace("one", "uno"));
    let dropped = format!("_crdt: v1 todos=or_set\n{}", bare(&has));
    let had = Versions([
        vec![],
        vec![dropped.clone(), has.clone()],
        vec![has.clone()],
    ]);
    assert_eq!(bare(&merged(&dropped, BASE, Some(&had))), bare(BASE));
    let never = Versions([vec![], vec![dropped.clone()], vec![has]]);
    assert_eq!(merged(&dropped, BASE, Some(&never)), dropped);
}

#[test]
fn what_is_given_up_leaves_the_comment_beside_it() {
    let changed = edited(&BASE.replace("one", "uno"));
    let had = Versions([vec![], vec![changed.clone()], vec![changed.clone()]]);
    let ours = changed.replace("uno", "uno # mine");
    let theirs = BASE.replace("one", "one # theirs");
    let merged = bare(&merged(&ours, &theirs, Some(&had)));
    assert!(merged.contains("title: one"), "{merged}");
    for comment in ["# mine", "# theirs"] {
        assert!(merged.contains(comment), "{merged}");
    }
}

#[test]
fn a_record_that_keeps_what_the_other_side_never_saw_stays() {
    let born = edited(&format!("{BASE}  - id: b\n    title: two\n"));
    let kept = born.replace(
        "    title: two\n",
        "    _crdt_conflicts: title~~s.zwei\n    title: two\n",
    );
    let had = Versions([vec![], vec![kept.clone(), born.clone()], vec![born.clone()]]);
    assert_eq!(bare(&merged(&born, BASE, Some(&had))), bare(BASE));
    assert!(merged(&kept, BASE, Some(&had)).contains("title: two"));
}

#[test]
fn of_a_mapping_that_is_gone_nothing_is_given_up_leaf_by_leaf() {
    let has = edited(&format!("{BASE}meta:\n  owner: me\n  when: now\n"));
    let had = Versions([vec![], vec![has.clone()], vec![has.clone()]]);
    assert_eq!(merged(&has, BASE, Some(&had)), has);
}
