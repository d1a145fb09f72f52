//! The files whose growth is measured: those of real projects, and made ones of 200 records.

use std::fs;
use std::path::Path;

/// The real context files, by name, in which there is something to annotate.
pub(crate) fn real() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/context");
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            files.push((name, fs::read_to_string(path).unwrap()));
        }
    }
    files.sort();
    files
}

const PEOPLE: [&str; 5] = ["ada", "ben", "ines", "kofi", "morwenna"];

/// Prose of so many bytes.
fn prose(bytes: usize, seed: usize) -> String {
    const WORDS: [&str; 12] = [
        "the",
        "tables",
        "of",
        "secondary",
        "ports",
        "are",
        "computed",
        "from",
        "their",
        "differences",
        "and",
        "checked",
    ];
    let mut text = String::new();
    for index in seed.. {
        if text.len() >= bytes {
            break;
        }
        text.push_str(WORDS[(index * 7 + index / 5) % WORDS.len()]);
        text.push(' ');
    }
    text.truncate(bytes);
    text.trim_end().to_owned()
}

/// Todos of about this many bytes each, as a team writes them.
pub(crate) fn made(records: usize, bytes_each: usize) -> String {
    let mut out = "# Todos\ntodos:\n".to_owned();
    for index in 0..records {
        out.push_str(&made_record(index, bytes_each));
    }
    out
}

/// One of them.
pub(crate) fn made_record(index: usize, bytes: usize) -> String {
    let person = PEOPLE[index % PEOPLE.len()];
    let head = format!(
        "  - id: todo-{index:03}\n    title: {}\n",
        prose(28 + index % 17, index)
    );
    let day = 1 + index % 28;
    // Every third one is done, so that `status`, `completed_at` and `outcome` are stamped together.
    let status = if index.is_multiple_of(3) {
        format!(
            "completed\n    completed_at: 2026-04-{day:02}T16:05:00Z\n    outcome: Checked and published"
        )
    } else {
        "pending".to_owned()
    };
    let tail = format!(
        "    status: {status}\n    priority: medium\n    assigned_to: {person}\n    created_at: 2026-03-{day:02}T09:41:00Z\n    \
         tags: [tables, ports]\n",
    );
    let rest = bytes.saturating_sub(head.len() + tail.len() + "    description: \n".len());
    format!("{head}    description: {}\n{tail}", prose(rest, index + 3))
}
