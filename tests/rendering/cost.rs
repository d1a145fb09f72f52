//! What rendering costs in a large file: figures, on demand.

use std::time::Duration;

use rhema_crdt::context::lift;
use rhema_crdt::crdt::Edit;
use rhema_crdt::overlay::{forms, render};

use crate::hand::{RULES, read, stamped};

/// A file of so many records of about 300 bytes.
fn large(records: usize) -> String {
    let mut text = String::from("# Todos\n_crdt: v1 todos=or_set\ntodos:\n");
    for index in 0..records {
        text.push_str(&format!(
            "  - id: todo-{index:05}\n    title: \"Check the tables of port {index} once more\" # soon\n    status: pending\n    priority: medium\n    \
             assigned_to: ada\n    description: |\n      The tables of the secondary ports are computed from their differences,\n      and those of {index} were not checked.\n    \
             tags: [tables, ports, n{index}]\n    created_at: 2025-11-03T10:15:00Z\n\n"
        ));
    }
    text
}

/// How long this thread has had a processor: others may be at work on the machine.
fn busy() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(
        stat.split(' ')
            .next()
            .and_then(|ns| ns.parse().ok())
            .unwrap_or_default(),
    )
}

#[test]
#[ignore = "figures"]
fn one_leaf_of_ten_thousand_records() {
    let head = large(10_000);
    let work = head.replacen(
        "    status: pending\n    priority: medium\n",
        "    status: done # at last\n    priority: medium\n",
        5_000,
    );
    let one = head.replace("Check the tables of port 7000 once more", "Checked");
    println!("{} bytes", head.len());
    for (name, work) in [("one leaf", one), ("5000 leaves", work)] {
        let work = stamped(&head, &work, 1);
        let time = |what: &str, since: Duration| println!("{name}: {what} {:?}", busy() - since);
        let start = busy();
        let text = read(&head);
        time("parse", start);
        let start = busy();
        let base = lift(&text);
        time("lift", start);
        let changed = read(&work);
        let after = lift(&changed);
        let start = busy();
        let mut edits = RULES.edits(&base, &after);
        time("edits", start);
        let start = busy();
        let view = RULES.view(&base, &edits);
        time("view", start);
        let start = busy();
        let changes = forms(&text, &base, &view, &text, &changed).unwrap();
        time("forms", start);
        println!("{} forms", changes.len());
        let stamp = edits.first().and_then(|edit| edit.stamp);
        edits.push(Edit { stamp, changes });
        let start = busy();
        let view = RULES.view(&base, &edits);
        time("view with forms", start);
        let start = busy();
        let rendered = render(&text, &base, &view).unwrap();
        time("render", start);
        assert!(rendered == work);
    }
}
