//! The example context in `.rhema-example`: well-formed for everybody, every record known by an id of its own.

use std::collections::HashSet;
use std::path::Path;

use rhema_crdt::context::{Claim, Says, mentions};
use rhema_crdt::crdt::Stamp;
use rhema_crdt::yaml::{Document, EntryRef, Kind, Limits};

use crate::{corpus, differential, peer};

fn files() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".rhema-example");
    let mut files = Vec::new();
    corpus::collect(&folder, &mut files);
    let read = |path: &std::path::PathBuf| {
        let name = path.strip_prefix(&folder).unwrap().display().to_string();
        (name, std::fs::read_to_string(path).unwrap())
    };
    files.iter().map(read).collect()
}

#[test]
fn both_scopes_hold_every_kind_of_file() {
    let names: HashSet<String> = files().into_iter().map(|(name, _)| name).collect();
    for scope in ["", "services/booking/"] {
        for kind in [
            "rhema",
            "todos",
            "knowledge",
            "decisions",
            "patterns",
            "conventions",
        ] {
            assert!(
                names.contains(&format!("{scope}.rhema/{kind}.yaml")),
                "{scope}{kind}"
            );
        }
    }
}

#[test]
fn its_files_read_the_same_for_us_and_for_an_independent_parser() {
    for (name, text) in files() {
        let document = Document::read(text.as_bytes(), &Limits::default())
            .unwrap_or_else(|error| panic!("{name}:{error}"));
        let theirs = peer::events(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(differential::our_events(&document), theirs, "{name}");
    }
}

#[test]
fn its_records_have_ids_of_their_own_and_known_values() {
    let mut records = 0;
    for (name, text) in files() {
        let document = Document::read(text.as_bytes(), &Limits::default()).unwrap();
        let root = document.root().unwrap();
        let mut ids = HashSet::new();
        for list in ["todos", "entries", "decisions", "patterns", "conventions"] {
            for record in root
                .get(list)
                .into_iter()
                .flat_map(|list| list.value().entries())
            {
                let record = record.value();
                assert_eq!(record.kind(), Kind::Mapping, "{name}");
                let text = |field: &str| {
                    let value = record.get(field).map(EntryRef::value);
                    value
                        .map(|value| value.text().into_owned())
                        .unwrap_or_default()
                };
                let id = text("id");
                assert!(!id.is_empty(), "{name}");
                let status = text("status");
                match list {
                    "todos" => {
                        assert!(
                            ["pending", "in_progress", "completed", "blocked"]
                                .contains(&status.as_str()),
                            "{name}: {id}: {status}"
                        );
                        let completed = record.get("completed_at").is_some();
                        assert_eq!(completed, status == "completed", "{name}: {id}");
                    }
                    "decisions" => assert!(
                        ["proposed", "approved", "rejected", "deprecated"]
                            .contains(&status.as_str()),
                        "{name}: {id}: {status}"
                    ),
                    _ => {}
                }
                assert!(ids.insert(id.clone()), "{name}: {id} stands twice");
                records += 1;
            }
        }
    }
    assert!(records >= 280, "{records}");
}

/// 2025-09-15 and 2025-11-03: before the first stamp, and before the afternoon that `rhema crdt demo` plays.
const WEEKS: std::ops::Range<u64> = 1_757_894_400_000..1_762_128_000_000;

#[test]
fn three_people_annotated_some_of_its_records_in_one_autumn() {
    let (mut markers, mut records) = (0, 0);
    let mut stamps: Vec<Stamp> = Vec::new();
    for (name, text) in files() {
        let document = Document::read(text.as_bytes(), &Limits::default()).unwrap();
        for mention in mentions(&document) {
            assert_eq!(
                mention.claim,
                Claim::Ours,
                "{name}:{:?}",
                mention.position()
            );
            match mention.says {
                Some(Says::Marker(marker)) => {
                    markers += 1;
                    stamps.extend(marker.annotation.named());
                }
                Some(Says::Annotation(annotation)) => {
                    records += 1;
                    stamps.extend(annotation.named());
                }
                other => panic!("{name}: {other:?}"),
            }
        }
    }
    assert_eq!(markers, 12);
    assert!((8..40).contains(&records), "{records}");
    let replicas: HashSet<_> = stamps.iter().map(|stamp| stamp.replica()).collect();
    assert_eq!(replicas.len(), 3);
    for stamp in stamps {
        assert!(WEEKS.contains(&stamp.unix_millis()), "{stamp}");
    }
}
