//! Work of people and programs that know nothing of this tool, and files that cannot be merged by structure.

use std::collections::BTreeMap;

use serde_yaml::{Mapping, Value};

use crate::support::Run;
use crate::team::{FILE, Person, TODOS, Team, Way, both_ways, brief, stamped};

#[test]
fn hand_edits_behind_old_stamps_on_both_sides() {
    stamped(TODOS, |team| {
        let writer = team.person("cat");
        writer.changes("title: Show the tide", "title: Show the next tide");
        let [ann, ben] = ["ann", "ben"].map(|name| team.person_on(name, "cat"));
        // The stamp of the title stays, and no longer fits.
        ann.types("Show the next tide", "Show both tides")
            .tree
            .commit("by hand");
        ben.types("Show the next tide", "Show all tides")
            .tree
            .commit("by hand");
        let merged = team.merge(&ann, &ben);
        let listed: Vec<String> = merged.conflicts().iter().map(brief).collect();
        assert_eq!(
            listed,
            ["todos/tide/title: Show both tides [Show all tides]"]
        );
        merged.gives(
            "
            # Things to do
            _crdt: v1 todos=or_set
            todos:
              - id: tide
                _crdt: +~j5r @cat1 title~34g
                _crdt_conflicts: title~~s.Show+all+tides
                title: Show both tides
                status: pending
                priority: low
              - id: swell
                title: Show the swell
                status: pending
                priority: high
            ",
        );
    });
}

/// The file as a program writes it that reads the fields it knows into structs: comments and annotations are gone, the
/// keys in another order, what is absent is `null`, lists and quotes are written its own way.
fn rewritten(text: &str) -> String {
    let mut root: Mapping = serde_yaml::from_str(text).unwrap();
    root.retain(|key, _| !key.as_str().unwrap().starts_with("_crdt"));
    for record in root.get_mut("todos").unwrap().as_sequence_mut().unwrap() {
        let known = record.as_mapping().unwrap();
        let fields: BTreeMap<&str, &Value> = known
            .iter()
            .map(|(key, value)| (key.as_str().unwrap(), value))
            .filter(|(key, _)| !key.starts_with("_crdt"))
            .collect();
        let mut written: Mapping = fields
            .iter()
            .rev()
            .map(|(key, value)| ((*key).into(), (*value).clone()))
            .collect();
        for optional in ["assigned_to", "completed_at", "outcome"] {
            if !written.contains_key(optional) {
                written.insert(optional.into(), Value::Null);
            }
        }
        *record = Value::Mapping(written);
    }
    serde_yaml::to_string(&root).unwrap()
}

const WRITTEN: &str = "
    # Things to do

    todos:
      # the sea
      - id: tide
        title: 'Show the tide'
        status: pending
        notes: |
          Ask the harbour.
          Call Ines.
        priority: low  # for now
        tags: [ui, sea]

      - id: swell
        title: Show the swell
        status: pending
    ";

fn rewrites(person: &Person<'_>) {
    person.tree.write(FILE, rewritten(&person.tree.read(FILE)));
}

#[test]
fn a_rewrite_by_the_host_tool_is_no_edit() {
    both_ways(WRITTEN, |team| {
        let [ann, ben] = team.two();
        ben.types("title: 'Show the tide'", "title: 'Show the next tide'")
            .appends("- id: moon\n  title: Show the moon\n");
        rewrites(&ann);
        ann.tree.commit("rewritten");
        // All that Ben did, in his own form.
        assert_eq!(team.merge(&ann, &ben).text, ben.has().text);
    });
}

#[test]
fn an_edit_by_the_host_tool_is_the_only_thing_it_changes() {
    both_ways(WRITTEN, |team| {
        let [ann, ben] = team.two();
        ben.changes("title: Show the swell", "title: Show the high swell");
        rewrites(&ann);
        ann.types("priority: low", "priority: high")
            .tree
            .commit("edited by a program");
        let merged = team.merge(&ann, &ben);
        assert_eq!(
            merged.text,
            ben.has().text.replace("priority: low", "priority: high")
        );
    });
}

#[test]
fn a_rewrite_by_the_host_tool_undoes_nothing_that_was_stamped_before() {
    stamped(WRITTEN, |team| {
        let cat = team.person("cat");
        cat.types("priority: low", "priority: high")
            .appends("- id: moon\n  title: Show the moon\n  status: pending\n");
        let [ann, ben] = ["ann", "ben"].map(|name| team.person_on(name, "cat"));
        rewrites(&ann);
        ann.types("status: pending\n  priority", "status: done\n  priority")
            .tree
            .commit("edited by a program");
        ben.changes(
            "title: Show the moon\n    status: pending",
            "title: Show the moon\n    status: blocked",
        );
        let merged = team.merge(&ann, &ben);
        merged.shows(
            &ben.has()
                .shown()
                .replacen("status: pending", "status: done", 1),
        );
        assert_eq!(merged.conflicts().len(), 0, "{}", merged.text);
    });
}

#[test]
fn windows_line_ends_and_a_byte_order_mark() {
    let list = "\u{feff}todos:\r\n  - id: a\r\n    title: First\r\n    status: pending\r\n  - id: b\r\n    title: Second\r\n";
    both_ways(list, |team| {
        let [ann, ben] = team.two();
        ann.changes("title: First", "title: 1st");
        ben.changes("status: pending", "status: done");
        team.merge(&ann, &ben).gives(
            "\u{feff}_crdt: v1 todos=or_set\r\ntodos:\r\n  - id: a\r\n    \
             _crdt: +~d2z @ann1 title~14k @ben1 status~2wk\r\n    title: 1st\r\n    status: done\r\n  \
             - id: b\r\n    title: Second\r\n",
        );
    });
}

/// Ann's file is no YAML any more; Ben's is.
fn unparsable<'t>(team: &'t Team, ben_too: (&str, &str)) -> [Person<'t>; 2] {
    let [ann, ben] = team.two();
    ann.types("title: Show the tide", "title: [Show the tide")
        .tree
        .commit("a slip");
    ben.changes(ben_too.0, ben_too.1);
    [ann, ben]
}

#[test]
fn a_side_that_does_not_parse_is_merged_as_text() {
    stamped(TODOS, |team| {
        let [ann, _] = unparsable(team, ("priority: high", "priority: low"));
        let before = ann.tree.read(FILE);
        let run: Run = ann.tree.try_git(&["merge", "--no-edit", "ben"]).exits(0);
        let told = run
            .stderr
            .lines()
            .find(|line| line.contains("merged as text"));
        let told = told.unwrap_or_else(|| panic!("{}", run.stderr));
        assert!(told.starts_with("warning: .rhema/todos.yaml:6:"), "{told}");
        assert!(told.contains("(in our version)"), "{told}");
        let text = ann.has().text;
        assert!(text.contains("title: [Show the tide\n"));
        assert_ne!(text, before);
        assert_eq!(ann.status()["state"], "unparsable");
    });
}

#[test]
fn markers_in_a_file_that_does_not_parse_are_those_of_git() {
    for way in [Way::Stamped, Way::Plain] {
        let team = Team::of(TODOS, way);
        let [ann, ben] = unparsable(&team, ("title: Show the tide", "title: Show all tides"));
        ann.tree.try_git(&["merge", "--no-edit", "ben"]).exits(1);
        let ours = ann.tree.read(FILE);
        ann.git(&["merge", "--abort"]);
        without_the_driver(&ann, &ben);
        assert_eq!(without_labels(&ours), without_labels(&ann.tree.read(FILE)));
        assert_eq!(ann.status()["state"], "conflicted");
    }
}

/// A text without the names of the sides in its markers: older versions of git do not tell them to drivers.
fn without_labels(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let is_marker = line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ");
        if is_marker { &line[..7] } else { line }
    });
    lines.map(|line| format!("{line}\n")).collect()
}

/// A merge in a clone where `init` was not run: git merges lines.
fn without_the_driver(ann: &Person<'_>, ben: &Person<'_>) {
    let driver = ann.git(&["config", "merge.rhema-crdt.driver"]);
    ann.git(&["config", "--remove-section", "merge.rhema-crdt"]);
    ann.tree.try_git(&["merge", "--no-edit", ben.name]).exits(1);
    ann.git(&["config", "merge.rhema-crdt.driver", driver.trim_end()]);
}

#[test]
fn a_merge_without_the_driver_is_mended_by_resolve() {
    both_ways(TODOS, |team| {
        let [ann, ben] = team.two();
        ann.types("title: Show the tide", "title: Show the next tide")
            .changes("priority: low", "priority: medium");
        ben.types(
            "status: pending\n    priority: low",
            "status: done\n    priority: critical",
        )
        .commits("an edit");
        let merged = team.merge(&ann, &ben);
        without_the_driver(&ann, &ben);
        assert!(ann.tree.read(FILE).contains("<<<<<<<"));
        assert_eq!(ann.status()["state"], "conflicted");
        let run = ann.rhema(&["resolve", "--list"]).exits(1);
        assert!(run.stderr.contains("conflict markers"), "{}", run.stderr);
        let run = ann.rhema(&["resolve"]).exits(1);
        assert!(run.stderr.contains("`git add` it"), "{}", run.stderr);
        assert_eq!(ann.has().text, merged.text);
        assert_ne!(ann.git(&["ls-files", "-u"]), "");
        // What is left is an ordinary conflict.
        ann.tree.commit("merged");
        let listed: Vec<String> = ann.conflicts().iter().map(brief).collect();
        assert_eq!(listed.len(), 1, "{listed:?}");
    });
}
