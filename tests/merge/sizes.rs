//! Large and deep inputs: no cost grows with the square of a size, no depth overflows the stack. The bounds are those of
//! an unoptimised build on a busy machine; what is quadratic takes minutes.

use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::case::{merge, text};

const BOUND: Duration = Duration::from_secs(20);

#[track_caller]
fn merges_in_time(base: &str, ours: &str, theirs: &str) -> String {
    let start = Instant::now();
    let merged = merge(base, ours, theirs).unwrap();
    let time = start.elapsed();
    assert!(time < BOUND, "{time:?}");
    assert_eq!(merged.contested, 0);
    text(&merged).to_owned()
}

fn records(prefix: &str, count: usize) -> String {
    (0..count).fold(String::new(), |mut text, index| {
        let _ = writeln!(
            text,
            "- id: {prefix}{index}\n  title: about {prefix} {index}\n  status: open"
        );
        text
    })
}

fn lines(indent: &str, prefix: &str, count: usize) -> String {
    (0..count).fold(String::new(), |mut text, index| {
        let _ = writeln!(text, "{indent}{prefix}{index}");
        text
    })
}

#[test]
fn ten_thousand_records_inserted_by_both() {
    let base = records("base", 10);
    let (ours, theirs) = (records("ours", 10_000), records("theirs", 10_000));
    let merged = merges_in_time(&base, &format!("{base}{ours}"), &format!("{base}{theirs}"));
    assert_eq!(merged.matches("- id:").count(), 20_010);
}

#[test]
fn a_record_field_changed_everywhere() {
    let base = records("x", 10_000);
    let ours = base.replace("status: open", "status: done");
    let theirs = base.replace("title: about", "title: on");
    let merged = merges_in_time(&base, &ours, &theirs);
    assert_eq!(merged, ours.replace("title: about", "title: on"));
}

#[test]
fn ten_thousand_records_replaced_by_both() {
    let base = records("x", 10_000);
    let merged = merges_in_time(&base, &records("y", 10_000), &records("z", 10_000));
    assert_eq!(merged.matches("- id:").count(), 20_000);
}

#[test]
fn a_text_of_twenty_thousand_lines() {
    let base = format!("note: |\n{}", lines("  ", "line ", 20_000));
    let ours = base.replace("line 77\n", "LINE 77\n");
    let theirs = format!("{base}  the end\n");
    let merged = merges_in_time(&base, &ours, &theirs);
    assert_eq!(merged, format!("{ours}  the end\n"));
}

#[test]
fn ten_thousand_lines_inserted_by_both_into_one_text() {
    let base = "note: |\n  line\n";
    let ours = format!("{base}{}", lines("  ", "ours ", 10_000));
    let theirs = format!("{base}{}", lines("  ", "theirs ", 10_000));
    let merged = merges_in_time(base, &ours, &theirs);
    assert_eq!(merged.lines().count(), 20_002);
}

#[test]
fn a_list_of_ten_thousand_members_rewritten() {
    let base = lines("", "- a", 10_000);
    let ours = lines("", "- b", 10_000);
    let theirs = format!("{base}- the end\n");
    let merged = merges_in_time(&base, &ours, &theirs);
    assert!(merged.ends_with("- the end\n"));
}

#[test]
fn many_large_mappings_without_identity() {
    let member = |prefix: &str, index: usize| {
        let fields = (0..200).fold(String::new(), |mut text, field| {
            let _ = writeln!(text, "  f{field}: {prefix}{index}");
            text
        });
        fields.replacen("  ", "- ", 1)
    };
    let list = |prefix: &str| {
        (0..100)
            .map(|index| member(prefix, index))
            .collect::<String>()
    };
    let base = list("a");
    merges_in_time(
        &base,
        &format!("{}- ours\n", list("a")),
        &format!("- theirs\n{base}"),
    );
    let start = Instant::now();
    let _ = merge(&base, &list("b"), &list("c"));
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
}

#[test]
fn nesting_to_the_limit() {
    let nested = |leaf: &str, more: &str| {
        let mut text: String = (0..190)
            .map(|depth| format!("{}a:\n", " ".repeat(depth)))
            .collect();
        let _ = writeln!(text, "{0}b: {leaf}\n{0}c: {more}", " ".repeat(190));
        text
    };
    let merged = merges_in_time(&nested("1", "1"), &nested("2", "1"), &nested("1", "2"));
    assert_eq!(merged, nested("2", "2"));
    let flow = |leaf: &str| format!("a: {}{leaf}{}\nb: 1\n", "[".repeat(190), "]".repeat(190));
    let (base, ours) = (flow("x"), flow("x, y"));
    let theirs = flow("z, x");
    assert_eq!(merges_in_time(&base, &ours, &theirs), flow("z, x, y"));
}

#[test]
fn twenty_thousand_records_renamed_while_every_other_one_is_changed() {
    let base = records("x", 20_000);
    let ours = base.replace("- id: x", "- id: y");
    let theirs = base
        .split_inclusive("status: open\n")
        .enumerate()
        .map(|(index, record)| match index % 2 {
            0 => record.replace("open", "done"),
            _ => record.to_owned(),
        })
        .collect::<String>();
    let start = Instant::now();
    let merged = merge(&base, &ours, &theirs).unwrap();
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
    assert_eq!(merged.contested, 10_000);
}
