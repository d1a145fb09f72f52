//! The merge driver shows what the CRDT core shows: the text that it writes, lifted, is the view of both sides' edits
//! over their common ancestor.

use proptest::prelude::*;
use rhema_crdt::context::{GROUPS, lift};
use rhema_crdt::crdt::{Document, Map, Node, Record, Rules};
use rhema_crdt::yaml::double_quoted;

use crate::branches::{branch, config, merged, read};
use crate::model::{Model, edits};

pub(crate) const RULES: Rules<'static> = Rules {
    groups: &GROUPS,
    spell: double_quoted,
};

/// A document in words: values, the order of the records that all have, what lost. Plain lists are sorted: their order need not agree.
pub(crate) fn shown(document: &Document) -> String {
    let mut out = String::new();
    show_map(&document.root, "", &mut out);
    for loser in document.losers.keys() {
        let value = loser
            .value
            .as_ref()
            .map_or("deleted", |value| value.canonical());
        out.push_str(&format!("lost {}: {value}\n", loser.at));
    }
    out
}

fn show_map(map: &Map, at: &str, out: &mut String) {
    for (name, node) in map {
        let at = format!("{at}/{name}");
        match node {
            Node::Register(value, _) => out.push_str(&format!("{at}: {}\n", value.canonical())),
            Node::List(members, _) => {
                let mut members: Vec<&str> =
                    members.iter().map(|member| member.canonical()).collect();
                members.sort_unstable();
                out.push_str(&format!("{at}: {members:?}\n"));
            }
            Node::Map(map) => show_map(map, &at, out),
            Node::Set(records) if records.is_empty() => out.push_str(&format!("{at}: []\n")),
            Node::Set(records) => {
                let mut sorted: Vec<&Record> = records.iter().collect();
                sorted.sort_by_key(|record| record.name.said());
                for Record { name, fields, .. } in sorted {
                    show_map(fields, &format!("{at}/{}", name.said()), out);
                }
                // New records stand sorted in a merge, in a view as they were put: only the others' order is one.
                let names = records.iter().map(|record| record.name.said());
                let old: Vec<&str> = names.filter(|name| name.starts_with('r')).collect();
                out.push_str(&format!("{at} in order {old:?}\n"));
            }
        }
    }
}

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn the_driver_shows_the_view_of_both_sides_edits(a in edits(), b in edits()) {
        let base = Model::start().text();
        let (ours, theirs) = (branch(&a, 1).text(), branch(&b, 2).text());
        let driver = merged(&base, &ours, &theirs);
        let [before, ours, theirs, after] = [&base, &ours, &theirs, &driver].map(|text| lift(&read(text)));
        let mut both = RULES.edits(&before, &ours);
        both.extend(RULES.edits(&before, &theirs));
        let view = RULES.view(&before, &both);
        prop_assert_eq!(shown(&after), shown(&view), "in\n{}", driver);
    }

    #[test]
    fn one_sides_edits_show_that_side(a in edits()) {
        let [before, after] = [Model::start().text(), branch(&a, 1).text()].map(|text| lift(&read(&text)));
        let view = RULES.view(&before, &RULES.edits(&before, &after));
        prop_assert_eq!(shown(&after), shown(&view));
    }

    #[test]
    fn the_view_depends_on_the_set_of_edits_alone(a in edits(), b in edits(), c in edits(), seed: u64) {
        let start = Model::start();
        let before = lift(&read(&start.text()));
        let mut known = Vec::new();
        for (replica, edits) in [(1, &a), (2, &b), (3, &c)] {
            known.extend(RULES.edits(&before, &lift(&read(&branch(edits, replica).text()))));
        }
        let first = RULES.view(&before, &known);
        let mut shuffled = known.clone();
        shuffled.extend(known.iter().take((seed % 5) as usize).cloned());
        for index in (1..shuffled.len()).rev() {
            shuffled.swap(index, (seed >> (index % 48)) as usize % (index + 1));
        }
        prop_assert_eq!(first, RULES.view(&before, &shuffled));
    }
}
