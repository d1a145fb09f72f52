use super::*;
use crate::yaml::Limits;

fn mentioning(list: &str, name: &str) -> Mentioned {
    let mut mentioned = Mentioned::default();
    mentioned.record(list, &Atom::text(format!("\"{name}\""), name.to_owned()));
    mentioned
}

/// A list of so many records, each with these lines below its name.
fn listed(count: usize, below: impl Fn(usize) -> String) -> String {
    let record = |number| format!("  - id: record-{number}\n{}", below(number));
    let records: String = (0..count).map(record).collect();
    format!("_crdt: v1 todos=or_set\ntodos:\n{records}# end\nlast: 1\n")
}

fn titled(count: usize) -> String {
    listed(count, |number| format!("    title: T{number}\n"))
}

/// The excerpts, each of which must be read as it was meant, and become whole again.
fn excerpts<'t>(versions: &[&'t str], mentioned: &Mentioned) -> Option<Excerpts<'t>> {
    let excerpts = Excerpts::of(versions, mentioned, 0)?;
    for (index, (excerpt, version)) in excerpts.texts().iter().zip(versions).enumerate() {
        assert_eq!(excerpts.whole(excerpt).as_deref(), Some(*version));
        let read = Document::from_text(excerpt.clone(), &Limits::default()).unwrap();
        assert!(excerpts.is_read_as_meant(index, &read), "{excerpt}");
    }
    Some(excerpts)
}

#[test]
fn what_changed_stays_between_records_that_did_not() {
    let before = titled(9);
    let after = before.replace("title: T4", "title: New");
    let excerpts = excerpts(&[&after, &before], &Mentioned::default()).unwrap();
    let names = |text: &str| -> Vec<String> {
        let names = text
            .lines()
            .filter_map(|line| line.strip_prefix("  - id: record-"));
        names.map(str::to_owned).collect()
    };
    for text in excerpts.texts() {
        assert_eq!(names(text), ["0", "3", "4", "5", "8"]);
    }
}

#[test]
fn what_is_mentioned_stays() {
    let text = titled(9);
    let texts = |mentioned: &Mentioned| {
        let excerpts = excerpts(&[&text], mentioned).unwrap();
        excerpts.texts()[0].contains("record-4\n")
    };
    assert!(!texts(&Mentioned::default()));
    assert!(texts(&mentioning("todos", "record-4")));
    assert!(!texts(&mentioning("others", "record-4")));
    let entry = Mentioned {
        entries: ["todos".to_owned()].into_iter().collect(),
        ..Mentioned::default()
    };
    assert!(excerpts(&[&text], &entry).is_none());
}

#[test]
fn who_shares_a_stamp_with_what_stays_stays() {
    let stamp = "4k2m9xa7-7f3kqd";
    let text = listed(12, |number| match number {
        4 | 8 => format!("    _crdt: {stamp} title~k43\n    title: T{number}\n"),
        _ => format!("    title: T{number}\n"),
    });
    let kept = |mentioned: &Mentioned| {
        let excerpts = excerpts(&[&text], mentioned).unwrap();
        excerpts.texts()[0].contains("record-8\n")
    };
    assert!(!kept(&Mentioned::default()));
    assert!(kept(&mentioning("todos", "record-4")));
}

#[test]
fn nothing_is_left_out_of_lists_in_other_orders_or_with_names_that_stand_twice() {
    let text = titled(9);
    let record = |number: usize| format!("  - id: record-{number}\n    title: T{number}\n");
    let moved = text
        .replace(&record(7), "")
        .replace(&record(1), &(record(7) + &record(1)));
    assert!(excerpts(&[&moved, &text], &Mentioned::default()).is_none());
    let twice = text.replace(&record(7), &(record(7) + &record(7)));
    assert!(excerpts(&[&twice, &text], &Mentioned::default()).is_none());
}

#[test]
fn a_text_that_looks_like_a_list_is_not_read_as_meant() {
    let text = titled(9).replace("todos:\n", "\"todos\": \"\n  todos:\n");
    assert!(excerpts(&[&text], &Mentioned::default()).is_none());
    let quoted = format!(
        "text: \"\ntodos:\n{}",
        titled(9).split_once("todos:\n").unwrap().1
    );
    if let Some(excerpts) = Excerpts::of(&[&quoted], &Mentioned::default(), 0) {
        let read = Document::from_text(excerpts.texts()[0].clone(), &Limits::default());
        assert!(!read.is_ok_and(|read| excerpts.is_read_as_meant(0, &read)));
    }
}

#[test]
fn a_name_that_what_is_left_out_has_is_seen() {
    let text = titled(9);
    let quoted = text.replace("# end\n", "  - id: \"record-4\"\n# end\n");
    assert!(excerpts(&[&quoted, &text], &Mentioned::default()).is_none());
    let excerpts = Excerpts::of(&[&text], &Mentioned::default(), 0).unwrap();
    let second = excerpts.texts()[0].replace("record-8", "record-4-k43");
    let read = Document::from_text(second, &Limits::default()).unwrap();
    assert!(!excerpts.is_read_as_meant(0, &read));
}

#[test]
fn what_lost_its_place_does_not_become_whole() {
    let text = titled(9);
    let excerpts = excerpts(&[&text], &Mentioned::default()).unwrap();
    let torn = excerpts.texts()[0].replace("  - id: record-8", "  - id: new-one\n  - id: record-8");
    assert_eq!(excerpts.whole(&torn), None);
}

#[test]
fn a_block_scalar_is_not_cut_off_from_what_follows() {
    let text = listed(9, |_| "    text: |+\n      A\n\n".to_owned());
    assert!(excerpts(&[&text], &Mentioned::default()).is_none());
}
