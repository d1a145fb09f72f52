//! Random edits through drafts: what is written means what it should to two readers, and no byte changes that need not.

use rhema_crdt::yaml::{
    Collection, Document, Draft, EntryDraft, EntryRef, FileDraft, Kind, Limits, Manner, NodeRef,
    Scalar, Side, Value,
};

use crate::meaning::{self, Meaning, Props};
use crate::texts::{self, Text};

/// A small generator of pseudo-random numbers: the same seed tries the same edits everywhere.
struct Random(u64);

impl Random {
    fn new(seed: &str) -> Self {
        let hash = seed.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        Random(hash | 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound.max(1)
    }

    fn one_of<'t, T>(&mut self, items: &'t [T]) -> Option<&'t T> {
        let at = self.below(items.len());
        items.get(at)
    }
}

const TEXTS: &[&str] = &[
    "",
    " ",
    "plain",
    "two words",
    "yes",
    "No",
    "on",
    "~",
    "null",
    "true",
    "12",
    "0o7",
    "012",
    "1e3",
    "1_000",
    "2024-01-01",
    "1:30",
    "0x1F",
    ".5",
    "-",
    "- item",
    "? key",
    ": x",
    "a: b",
    "a:",
    "a #b",
    "#comment",
    "&anchor",
    "*alias",
    "!tag",
    "|",
    ">",
    "%x",
    "@x",
    "`x`",
    "[x]",
    "{x}",
    "a, b",
    "a]",
    "it's",
    "say \"hi\"",
    "back\\slash",
    "\ttab",
    "tab\tinside",
    " lead",
    "trail ",
    "---",
    "...",
    "--- x",
    "two\nlines",
    "two\nlines\n",
    "a\n\nb\n",
    "\nlead\n",
    "  indented\nless\n",
    "a\n  b\n c\n",
    "end\n\n",
    "\n",
    "\n\n",
    "a\n \nb",
    "a\n ",
    "line #x\n# y\n",
    "ünïcödé",
    "\u{85}",
    "\u{feff}x",
    "emoji 🦀",
    "<<",
    "=",
    "<<<<<<< a",
    "key: |\n  x\n",
    "a\r\nb",
    "- a\n- b\n",
    "http://x.y/z?a=b#c",
    "long words that go on and on and on, with commas, until a folded scalar would have to break them somewhere\nand more\n",
];

fn scalar(random: &mut Random) -> Scalar<'static> {
    match random.below(10) {
        0 => Scalar::Null,
        1 => Scalar::Bool(random.below(2) == 0),
        2 => Scalar::Int(random.below(2000) as i128 - 1000),
        3 => Scalar::Float([1.5, -0.25, 1e300, 1e-7, f64::INFINITY, 3.0][random.below(6)]),
        _ => Scalar::Str((*random.one_of(TEXTS).unwrap()).into()),
    }
}

fn value(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 6 } else { 9 }) {
        0..=5 => Value::Scalar(scalar(random)),
        6 => Value::Sequence(
            (0..random.below(4))
                .map(|_| value(random, depth - 1))
                .collect(),
        ),
        _ => {
            let entries =
                (0..random.below(4)).map(|index| (key(random, index), value(random, depth - 1)));
            Value::Mapping(entries.collect())
        }
    }
}

fn key(random: &mut Random, index: usize) -> Scalar<'static> {
    let text = random.one_of(TEXTS).unwrap();
    Scalar::Str(format!("{text}{index}").into())
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Op {
    Replace,
    Insert,
    First,
    Delete,
    Last,
    Move,
    Reindent,
}

const OPS: [Op; 7] = [
    Op::Replace,
    Op::Insert,
    Op::First,
    Op::Delete,
    Op::Last,
    Op::Move,
    Op::Reindent,
];

/// Where a collection (or the null that becomes one) stands.
#[derive(Clone)]
struct Site<'d> {
    part: usize,
    path: Vec<usize>,
    node: NodeRef<'d>,
}

fn sites<'d>(document: &'d Document) -> Vec<Site<'d>> {
    let mut sites = Vec::new();
    for (part, at) in document.parts().iter().enumerate() {
        let site = Site {
            part,
            path: Vec::new(),
            node: document.node(at.root),
        };
        collect(site, &mut sites);
    }
    sites
}

fn collect<'d>(site: Site<'d>, sites: &mut Vec<Site<'d>>) {
    if site.node.is_structured() {
        for (index, entry) in site.node.entries().enumerate() {
            let mut path = site.path.clone();
            path.push(index);
            let child = Site {
                part: site.part,
                path,
                node: entry.value(),
            };
            collect(child, sites);
        }
    }
    sites.push(site);
}

/// The draft of the node at a path, with everything above it opened.
fn at<'a, 'd>(draft: &'a mut FileDraft<'d>, site: &Site<'_>) -> &'a mut Draft<'d> {
    let root = &mut draft.parts[site.part].root;
    site.path.iter().fold(root, |node, &index| {
        let collection = node.open().unwrap();
        &mut collection.entries[index].open().unwrap().body.value
    })
}

enum Verdict {
    Ok,
    Wrong(String),
    Touched(String),
    Refused(String),
}

/// One edit of a text, drawn at random; nothing if the text has no place for it.
fn try_edit(text: &Text, document: &Document, op: Op, random: &mut Random) -> Option<Verdict> {
    let before = meaning::ours(document);
    let manner = Manner::of(document);
    let mut draft = FileDraft::of(document);
    let mut expected = before.clone();
    let all = sites(document);
    let collections: Vec<_> = all
        .iter()
        .filter(|site| site.node.is_structured())
        .cloned()
        .collect();
    // Which bytes of the old text may change; how many pieces of it may.
    let mut allowed = None;
    let what;
    match op {
        Op::Replace => {
            let filled: Vec<_> = collections
                .iter()
                .filter(|site| !site.node.is_empty())
                .collect();
            let site = random.one_of(&filled)?;
            let index = random.below(site.node.len());
            let entry = site.node.entries().nth(index)?;
            if !matches!(entry.value().kind(), Kind::Scalar(_)) {
                return None;
            }
            let new = Value::Scalar(scalar(random));
            what = format!("replace {:?}[{index}] by {new:?}", site.path);
            let made = at(&mut draft, site).open().unwrap().entries[index]
                .open()
                .unwrap();
            made.set(&new, manner);
            let place = expected[site.part].at(&site.path).child(index);
            let props = Props {
                tag: None,
                ..place.props()
            };
            *place = meaning::of_value(&new);
            place.set_props(props);
            allowed = Some(lines_of(document.text(), entry));
        }
        Op::Insert | Op::First => {
            let fitting: Vec<_> = if op == Op::Insert {
                collections
                    .iter()
                    .filter(|site| !site.node.is_empty())
                    .collect()
            } else {
                all.iter().filter(|site| is_empty(site.node)).collect()
            };
            let site = random.one_of(&fitting)?;
            let kind = match site.node.kind() {
                Kind::Scalar(_) if random.below(2) == 0 => Kind::Mapping,
                Kind::Scalar(_) => Kind::Sequence,
                kind => kind,
            };
            let index = random.below(site.node.len() + 1);
            let new = value(random, 2);
            let key = (kind == Kind::Mapping)
                .then(|| Scalar::Str(format!("new {}", random.below(99)).into()));
            what = format!("insert {:?}[{index}]: {key:?} {new:?}", site.path);
            let collection = if site.path.is_empty() {
                draft.parts[site.part].open_as(kind, manner)
            } else {
                at(&mut draft, site).open_as(kind, manner)
            };
            collection?.insert(index, key.as_ref(), &new, manner);
            let place = expected[site.part].at(&site.path);
            let new = meaning::of_value(&new);
            if let Meaning::Scalar(props, _) = place {
                *place = match kind {
                    Kind::Mapping => Meaning::Mapping(props.clone(), Vec::new()),
                    _ => Meaning::Sequence(props.clone(), Vec::new()),
                };
            }
            match place {
                Meaning::Sequence(_, items) => items.insert(index, new),
                Meaning::Mapping(_, entries) => {
                    entries.insert(index, (meaning::of_scalar(&key.unwrap()), new));
                }
                _ => unreachable!(),
            }
        }
        Op::Delete | Op::Last => {
            let fitting: Vec<_> = collections
                .iter()
                .filter(|site| (site.node.len() == 1) == (op == Op::Last) && !site.node.is_empty())
                .collect();
            let site = random.one_of(&fitting)?;
            let index = random.below(site.node.len());
            what = format!("delete {:?}[{index}]", site.path);
            at(&mut draft, site).open().unwrap().remove(index);
            match expected[site.part].at(&site.path) {
                Meaning::Sequence(_, items) => drop(items.remove(index)),
                Meaning::Mapping(_, entries) => drop(entries.remove(index)),
                _ => unreachable!(),
            }
        }
        Op::Move => {
            let fitting: Vec<_> = collections
                .iter()
                .filter(|site| site.node.len() > 1 && site.node.kind() == Kind::Sequence)
                .collect();
            let site = random.one_of(&fitting)?;
            let from = random.below(site.node.len());
            let to = random.below(site.node.len());
            what = format!("move {:?}[{from}] to [{to}]", site.path);
            at(&mut draft, site).open().unwrap().shift(from, to);
            match expected[site.part].at(&site.path) {
                Meaning::Sequence(_, items) => {
                    let item = items.remove(from);
                    items.insert(to, item);
                }
                _ => unreachable!(),
            }
        }
        Op::Reindent => {
            let fitting: Vec<_> = collections
                .iter()
                .filter(|site| site.node.is_block_collection())
                .collect();
            let site = random.one_of(&fitting)?;
            let collection: &mut Collection<'_> = at(&mut draft, site).open().unwrap();
            let old = collection.offset;
            collection.offset = 1 + random.below(6) as i32;
            what = format!(
                "reindent {:?} from {old} to {}",
                site.path, collection.offset
            );
        }
    }
    let after = draft.emit(Side::Ours);
    let story = |problem: &str| {
        format!(
            "{} · {what}: {problem}\n--- before\n{}\n--- after\n{}",
            text.name,
            excerpt(&text.yaml, &after),
            excerpt(&after, &text.yaml)
        )
    };
    let read = match Document::from_text(after.clone(), &Limits::default()) {
        Ok(read) => read,
        Err(error) => return Some(Verdict::Refused(story(&format!("unreadable: {error}")))),
    };
    if !draft.agrees(&read, Side::Ours) {
        return Some(Verdict::Refused(story("stopped by the gate")));
    }
    let found = meaning::ours(&read);
    if found != expected {
        return Some(Verdict::Wrong(story("our reader finds something else")));
    }
    match meaning::others(&after) {
        Ok(found) if found == expected => {}
        Ok(_) => {
            return Some(Verdict::Wrong(story(
                "the other reader finds something else",
            )));
        }
        Err(error) => {
            return Some(Verdict::Wrong(story(&format!(
                "the other reader refuses it: {error}"
            ))));
        }
    }
    let touched = touched(op, &text.yaml, &after, allowed);
    Some(match touched {
        None => Verdict::Ok,
        Some(problem) => Verdict::Touched(story(problem)),
    })
}

/// Whether a first entry makes a collection of a node.
fn is_empty(node: NodeRef<'_>) -> bool {
    match node.kind() {
        Kind::Scalar(_) => node.scalar() == Some(Scalar::Null) && node.tag().is_none(),
        Kind::Alias => false,
        _ => node.is_structured() && node.is_empty(),
    }
}

/// The bytes of the lines that an entry's key and value stand in.
fn lines_of(text: &str, entry: EntryRef<'_>) -> (usize, usize) {
    let data = entry.data();
    let start = text[..data.start as usize]
        .rfind('\n')
        .map_or(0, |at| at + 1);
    let end = entry.value().data().span.end as usize;
    let end = if text[..end].ends_with('\n') && end > data.start as usize {
        end
    } else {
        text[end..].find('\n').map_or(text.len(), |at| end + at + 1)
    };
    (start, end)
}

/// The first byte in which two texts differ, and how many at their ends are the same.
fn common(old: &str, new: &str) -> (usize, usize) {
    let prefix = old
        .bytes()
        .zip(new.bytes())
        .take_while(|(a, b)| a == b)
        .count();
    let most = old.len().min(new.len()) - prefix;
    let ends = old.bytes().rev().zip(new.bytes().rev());
    let suffix = ends.take(most).take_while(|(a, b)| a == b).count();
    (prefix, suffix)
}

/// What is wrong with the bytes that changed, if anything is.
fn touched(op: Op, old: &str, new: &str, allowed: Option<(usize, usize)>) -> Option<&'static str> {
    // Behind a list's last element stands no comma; where a comment follows, the comma moves on its own.
    let bare = |text: &str| text.replace(',', "");
    if matches!(op, Op::Insert | Op::Delete) && old.contains(" #") && old.contains(',') {
        let (old, new) = (bare(old), bare(new));
        let (prefix, suffix) = common(&old, &new);
        return (prefix + suffix < old.len().min(new.len())).then_some("not one block or cut");
    }
    let (prefix, suffix) = common(old, new);
    match op {
        Op::Replace => {
            let (start, end) = allowed?;
            let outside = prefix < start || old.len() - suffix > end;
            (old != new && outside).then_some("other lines changed")
        }
        Op::Insert => (prefix + suffix < old.len()).then_some("not one block inserted"),
        Op::Delete => (prefix + suffix < new.len()).then_some("not one cut"),
        Op::First => {
            // The brackets (or the null) go; a comment beside them then stands before what comes below.
            let gone = &old.as_bytes()[prefix..old.len() - suffix];
            let mut new = &new.as_bytes()[prefix..new.len() - suffix];
            let lost = gone.iter().filter(|&byte| {
                let found = new.iter().position(|new| new == byte);
                new = &new[found.map_or(0, |at| at + 1)..];
                found.is_none() && !byte.is_ascii_whitespace()
            });
            (lost.count() > 4).then_some("more changed than the empty collection")
        }
        Op::Last => None,
        Op::Move | Op::Reindent => (words(old) != words(new)).then_some("other lines than before"),
    }
}

/// The lines of a text without their indentation and dashes, in alphabetical order.
fn words(text: &str) -> Vec<&str> {
    let mut words: Vec<_> = text
        .split(['\n', '\r', ',', '[', ']', '#'])
        .map(|line| {
            line.trim_start_matches([' ', '\t', '-', '\u{feff}'])
                .trim_end_matches([' ', ']', '\t'])
        })
        .filter(|line| !line.is_empty())
        .collect();
    words.sort_unstable();
    words
}

/// The part of a text in which it differs from another.
fn excerpt(text: &str, other: &str) -> String {
    let (prefix, suffix) = common(text, other);
    let start = prefix.saturating_sub(150);
    let end = (text.len() - suffix + 80).min(text.len());
    let end = end.min(start + 1200);
    format!(
        "{:?}",
        String::from_utf8_lossy(&text.as_bytes()[start..end])
    )
}

#[derive(Default)]
struct Score {
    ok: usize,
    wrong: Vec<String>,
    touched: Vec<String>,
    /// Refused as an alias would name nothing.
    dangling: usize,
    refused: Vec<String>,
}

fn score(texts: &[Text], tries: usize) -> Vec<(Op, Score)> {
    let mut scores: Vec<_> = OPS.map(|op| (op, Score::default())).into_iter().collect();
    for text in texts {
        let Ok(document) = Document::from_text(text.yaml.clone(), &Limits::default()) else {
            continue;
        };
        // Where both readers do not agree to begin with, the comparison says nothing.
        if meaning::others(&text.yaml).as_ref() != Ok(&meaning::ours(&document)) {
            continue;
        }
        let mut random = Random::new(&text.name);
        for (op, score) in &mut scores {
            for _ in 0..tries {
                match try_edit(text, &document, *op, &mut random) {
                    None => {}
                    Some(Verdict::Ok) => score.ok += 1,
                    Some(Verdict::Wrong(story)) => score.wrong.push(story),
                    Some(Verdict::Touched(story)) => score.touched.push(story),
                    Some(Verdict::Refused(story)) if story.contains("names no anchor") => {
                        score.dangling += 1;
                    }
                    Some(Verdict::Refused(story)) => score.refused.push(story),
                }
            }
        }
    }
    scores
}

fn report(name: &str, scores: &[(Op, Score)]) -> usize {
    println!(
        "{name:10} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "ok", "wrong", "touched", "dangling", "refused"
    );
    let mut bad = 0;
    let shown = std::env::var("SHOWN")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(3);
    for (op, score) in scores {
        let Score {
            ok,
            wrong,
            touched,
            dangling,
            refused,
        } = score;
        let op = format!("{op:?}").to_lowercase();
        println!(
            "{op:10} {ok:8} {:8} {:8} {dangling:8} {:8}",
            wrong.len(),
            touched.len(),
            refused.len()
        );
        bad += wrong.len() + touched.len();
    }
    for (_, score) in scores {
        for (kind, stories) in [
            ("WRONG", &score.wrong),
            ("TOUCHED", &score.touched),
            ("REFUSED", &score.refused),
        ] {
            for story in stories.iter().take(shown) {
                println!("{kind} {story}\n");
            }
        }
    }
    bad
}

#[test]
fn random_edits_mean_what_they_should_and_touch_nothing_else() {
    let suite = score(&texts::suite(), 20);
    let fixtures = score(&texts::fixtures(), 40);
    let bad = report("suite", &suite) + report("fixtures", &fixtures);
    assert_eq!(bad, 0, "edits that were wrong or touched other bytes");
}

/// Real files: run with `YAML_CORPUS=<folders> cargo test --release --test yaml -- --ignored --nocapture`.
#[test]
#[ignore = "needs YAML_CORPUS"]
fn random_edits_of_real_files_mean_what_they_should_and_touch_nothing_else() {
    let mut files = texts::corpus();
    files.retain(|file| file.yaml.len() < 100_000);
    let mut random = Random::new("real files");
    let mut chosen = Vec::new();
    while chosen.len() < 600 && !files.is_empty() {
        chosen.push(files.swap_remove(random.below(files.len())));
    }
    let bad = report("corpus", &score(&chosen, 3));
    assert_eq!(bad, 0, "edits that were wrong or touched other bytes");
}

/// Every kept entry and part can be opened on its own without a change.
#[test]
fn an_opened_entry_is_written_as_it_was() {
    for text in texts::suite().iter().chain(&texts::fixtures()) {
        let document = Document::from_text(text.yaml.clone(), &Limits::default()).unwrap();
        for site in sites(&document) {
            for index in 0..site.node.len() {
                let mut draft = FileDraft::of(&document);
                let Some(collection) = at(&mut draft, &site).open() else {
                    continue;
                };
                EntryDraft::open(&mut collection.entries[index]).unwrap();
                assert_eq!(draft.emit(Side::Ours), text.yaml, "{}", text.name);
            }
        }
    }
}
