//! What must hold of the merge of any three texts. Shared with the fuzzer.

use std::collections::BTreeSet;

use rhema_crdt::context::{Conflicts, Lost, Marking, canonical, mark};
use rhema_crdt::merge::{Merged, Options, merge};
use rhema_crdt::yaml::{Document, Kind, Limits, NodeRef, Scalar, double_quoted};

use crate::halves::{with_side, with_swapped_halves};

/// Three texts with a zero byte between two, behind a byte that says whether they are to be documents: all that the laws say of
/// their merge. Whether there was one.
pub(crate) fn judged(input: &[u8]) -> bool {
    let Some((how, texts)) = input.split_first() else {
        return false;
    };
    let mut texts = texts.splitn(3, |byte| *byte == 0);
    let mut next = || {
        let text = texts.next().unwrap_or_default();
        let are_documents = how % 2 == 1;
        let marked = are_documents.then(|| as_document(text)).flatten();
        marked.unwrap_or_else(|| text.to_vec())
    };
    let (base, ours, theirs) = (next(), next(), next());
    for side in [&ours, &theirs] {
        assert_eq!(&merged(&base, side, side).unwrap().bytes, side);
        assert_eq!(&merged(&base, &base, side).unwrap().bytes, side);
        assert_eq!(&merged(&base, side, &base).unwrap().bytes, side);
    }
    let (one, other) = (merged(&base, &ours, &theirs), merged(&base, &theirs, &ours));
    assert_eq!(one.is_ok(), other.is_ok(), "{one:?}\n{other:?}");
    let (Ok(one), Ok(other)) = (one, other) else {
        return false;
    };
    // Where two of them are the same, nobody reads them.
    let is_read = |text: &Vec<u8>| Document::read(text, &Limits::default()).is_ok();
    if ![&base, &ours, &theirs].into_iter().all(is_read) {
        return false;
    }
    let sides = [&base, &ours, &theirs].map(|text| String::from_utf8_lossy(text));
    // Where markers stood before, nobody can tell whose they are; and line breaks of old stand nowhere but in old files.
    let plain = sides.iter().all(|text| {
        !["<<<<<<<", "=======", ">>>>>>>", "\r"]
            .iter()
            .any(|mark| text.contains(mark))
    });
    if !plain {
        return true;
    }
    let text = String::from_utf8(one.bytes.clone()).unwrap();
    let swapped = String::from_utf8(other.bytes.clone()).unwrap();
    assert_eq!(swapped, with_swapped_halves(&text), "not symmetric");
    assert_eq!((one.contested, one.kept), (other.contested, other.kept));
    let shown: Vec<Document> = match one.contested {
        0 => vec![read(&text)],
        _ => [true, false]
            .map(|take_ours| read(&with_side(&text, take_ours)))
            .into(),
    };
    nothing_is_missing(&sides, &shown);
    true
}

fn merged(base: &[u8], ours: &[u8], theirs: &[u8]) -> Result<Merged, rhema_crdt::merge::Error> {
    merge(base, ours, theirs, &Options::default())
}

fn read(text: &str) -> Document {
    let document = Document::read(text.as_bytes(), &Limits::default());
    document.unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn as_document(text: &[u8]) -> Option<Vec<u8>> {
    let document = Document::read(text, &Limits::default()).ok()?;
    match mark(&document) {
        Marking::Marked(text) => Some(text.into_bytes()),
        _ => None,
    }
}

/// What one side alone has stands in the merge, or is kept as what lost.
fn nothing_is_missing(sides: &[impl AsRef<str>; 3], merged: &[Document]) {
    let [base, ours, theirs] = sides.each_ref().map(|side| {
        let read = Document::read(side.as_ref().as_bytes(), &Limits::default());
        read.map(|document| said(&document)).unwrap_or_default()
    });
    let shown: BTreeSet<String> = merged.iter().flat_map(said).collect();
    let lost: Vec<String> = merged.iter().flat_map(losers).collect();
    for (side, other) in [(&ours, &theirs), (&theirs, &ours)] {
        for one in side
            .iter()
            .filter(|one| !base.contains(*one) && !other.contains(*one))
        {
            let bare = one.trim_matches('"');
            let is_there = shown.contains(one) || lost.iter().any(|lost| lost.contains(bare));
            assert!(is_there, "lost: {one}");
        }
    }
}

/// The keys and the values of a text, word by word: texts are merged by their lines, which may be folded.
fn said(document: &Document) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for part in document.parts() {
        said_by(document.node(part.root), &mut all);
    }
    all
}

fn said_by(node: NodeRef<'_>, all: &mut BTreeSet<String>) {
    match node.kind() {
        Kind::Alias => {}
        Kind::Scalar(_) => match node.scalar() {
            // Nothing is said, and nothing need be written.
            None | Some(Scalar::Null) => {}
            // Of a tagged text the one side may change the tag, the other the text.
            Some(Scalar::Str(text) | Scalar::Tagged(_, text)) => {
                all.extend(text.split_whitespace().map(double_quoted))
            }
            Some(_) => drop(all.insert(canonical(node))),
        },
        _ => {
            for entry in node.entries() {
                let key = entry.key();
                let ours = key.is_some_and(|key| key.text().starts_with("_crdt"));
                let value = entry.value();
                if ours || value.scalar() == Some(Scalar::Null) && value.anchor().is_none() {
                    continue;
                }
                if let Some(key) = key {
                    said_by(key, all);
                }
                said_by(value, all);
            }
        }
    }
}

/// The losing values that a text keeps.
fn losers(document: &Document) -> Vec<String> {
    let mut all = Vec::new();
    let mut open: Vec<NodeRef<'_>> = document
        .parts()
        .iter()
        .map(|part| document.node(part.root))
        .collect();
    while let Some(node) = open.pop() {
        for entry in node.entries() {
            open.push(entry.value());
            let is_it = entry
                .key()
                .is_some_and(|key| key.text() == "_crdt_conflicts");
            let said = is_it.then(|| Conflicts::parse(&entry.value().text()));
            for (loser, _) in said.iter().flatten().flat_map(Conflicts::iter) {
                if let Lost::Value(value) = &loser.lost {
                    all.push(value.clone());
                }
            }
        }
    }
    all
}
