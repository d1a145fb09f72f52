//! A draft that nobody edited is written as the very bytes it was read from, however much of it was opened.

use rhema_crdt::yaml::{Document, Draft, EntryDraft, FileDraft, Limits, Side};

use crate::texts::{self, Text};

/// Opens every collection and every entry that can be opened.
pub(crate) fn open_everything(draft: &mut Draft<'_>) {
    let Some(collection) = draft.open() else {
        return;
    };
    for entry in &mut collection.entries {
        if let Some(made) = EntryDraft::open(entry) {
            open_everything(&mut made.body.value);
        }
    }
}

/// How many texts came back as they were: kept as a whole, and opened everywhere.
#[derive(Default)]
struct Score {
    texts: usize,
    refused: usize,
    kept: usize,
    opened: usize,
    wrong: Vec<String>,
}

fn score(texts: &[Text]) -> Score {
    let mut score = Score::default();
    for text in texts {
        let Ok(document) = Document::from_text(text.yaml.clone(), &Limits::default()) else {
            score.refused += 1;
            continue;
        };
        score.texts += 1;
        let mut draft = FileDraft::of(&document);
        let kept = draft.emit(Side::Ours);
        if kept == text.yaml && draft.agrees(&document, Side::Ours) {
            score.kept += 1;
        } else {
            let name = &text.name;
            score
                .wrong
                .push(format!("{name} kept:\n{:?}\n{kept:?}", text.yaml));
        }
        for part in &mut draft.parts {
            open_everything(&mut part.root);
        }
        let opened = draft.emit(Side::Ours);
        if opened == text.yaml && draft.agrees(&document, Side::Ours) {
            score.opened += 1;
        } else {
            let name = &text.name;
            let agrees = draft.agrees(&document, Side::Ours);
            let at = opened
                .bytes()
                .zip(text.yaml.bytes())
                .take_while(|(a, b)| a == b)
                .count();
            let near = |text: &str| {
                let bytes = text.as_bytes();
                let end = (at + 60).min(bytes.len());
                String::from_utf8_lossy(&bytes[at.saturating_sub(60)..end]).into_owned()
            };
            score.wrong.push(format!(
                "{name} opened (agrees: {agrees}):\n{:?}\n{:?}",
                near(&text.yaml),
                near(&opened)
            ));
        }
    }
    score
}

fn table(scores: &[(&str, &Score)]) -> String {
    let mut table = "texts          read  refused     kept   opened\n".to_owned();
    for (name, score) in scores {
        let Score {
            texts,
            refused,
            kept,
            opened,
            ..
        } = score;
        table.push_str(&format!(
            "{name:10} {texts:8} {refused:8} {kept:8} {opened:8}\n"
        ));
    }
    table
}

fn check(scores: &[(&str, &Score)]) {
    println!("{}", table(scores));
    let wrong: Vec<_> = scores
        .iter()
        .flat_map(|(_, score)| score.wrong.iter().map(String::as_str))
        .collect();
    let shown = wrong.len().min(40);
    assert!(
        wrong.is_empty(),
        "{} texts came back changed:\n{}",
        wrong.len(),
        wrong[..shown].join("\n")
    );
}

#[test]
fn an_unchanged_document_is_written_as_the_bytes_it_was_read_from() {
    let suite = score(&texts::suite());
    let fixtures = score(&texts::fixtures());
    check(&[("suite", &suite), ("fixtures", &fixtures)]);
    assert_eq!(suite.refused + fixtures.refused, 0);
}

/// Real files: run with `YAML_CORPUS=<folders> cargo test --release --test yaml -- --ignored --nocapture`.
#[test]
#[ignore = "needs YAML_CORPUS"]
fn an_unchanged_real_file_is_written_as_the_bytes_it_was_read_from() {
    check(&[("corpus", &score(&texts::corpus()))]);
}
