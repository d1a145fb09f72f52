//! To which entry each comment and blank line belongs, as `yaml::tree` says.

use rhema_crdt::yaml::{Document, EntryRef, Limits, NodeRef};

fn read(text: &str) -> Document {
    Document::read(text.as_bytes(), &Limits::default()).unwrap()
}

/// The entry of the root mapping with the key `name`.
fn entry<'d>(document: &'d Document, name: &str) -> EntryRef<'d> {
    document.root().unwrap().get(name).unwrap()
}

/// The value below the root's key `name`.
fn value<'d>(document: &'d Document, name: &str) -> NodeRef<'d> {
    entry(document, name).value()
}

#[test]
fn a_comment_directly_above_an_entry_is_its_lead() {
    let document = read("a: 1\n# above b\nb: 2\n");
    assert_eq!(entry(&document, "b").lead(), "# above b\n");
    assert_eq!(entry(&document, "a").tail(), "\n");
}

#[test]
fn blank_lines_above_an_entry_are_its_lead_with_the_comments_around_them() {
    let document = read("a: 1\n\n# far\n\n# near\nb: 2\n");
    assert_eq!(entry(&document, "b").lead(), "\n# far\n\n# near\n");
}

#[test]
fn a_comment_beside_an_entry_is_its_tail() {
    let document = read("a: 1 # beside\nb: 2\n");
    assert_eq!(entry(&document, "a").tail(), " # beside\n");
    assert_eq!(entry(&document, "b").lead(), "");
}

#[test]
fn a_deeper_comment_below_an_entry_is_its_tail_with_the_blank_lines_before_it() {
    let document = read("a: 1\n\n  # deeper\n\n# above b\nb: 2\n");
    assert_eq!(entry(&document, "a").tail(), "\n\n  # deeper\n");
    assert_eq!(entry(&document, "b").lead(), "\n# above b\n");
}

#[test]
fn a_deeper_comment_behind_one_of_the_next_entry_stays_with_it() {
    let document = read("a: 1\n# above b\n  # still above b\nb: 2\n");
    assert_eq!(entry(&document, "a").tail(), "\n");
    assert_eq!(
        entry(&document, "b").lead(),
        "# above b\n  # still above b\n"
    );
}

#[test]
fn a_comment_in_the_column_of_a_list_behind_its_last_item_is_the_lists_foot() {
    let document = read("a:\n  - x\n    # deeper than x\n  # foot\nb: 2\n");
    let list = value(&document, "a");
    assert_eq!(
        list.entries().next().unwrap().tail(),
        "\n    # deeper than x\n"
    );
    assert_eq!(list.foot(), "  # foot\n");
    assert_eq!(entry(&document, "a").tail(), "");
    assert_eq!(entry(&document, "b").lead(), "");
}

#[test]
fn a_comment_between_the_columns_of_two_collections_is_the_tail_of_the_outer_entry() {
    let document = read("a:\n    - x\n  # between\nb: 2\n");
    assert_eq!(value(&document, "a").foot(), "");
    assert_eq!(entry(&document, "a").tail(), "  # between\n");
}

#[test]
fn a_comment_behind_an_indentless_list_is_the_lead_of_the_next_key() {
    let document = read("a:\n- x\n# above b\nb: 2\n");
    assert_eq!(value(&document, "a").foot(), "");
    assert_eq!(entry(&document, "b").lead(), "# above b\n");
}

#[test]
fn a_comment_behind_the_last_entry_of_the_file_is_the_roots_foot() {
    let document = read("a: 1\n  # deeper\n\n# foot\n\n# more\n");
    assert_eq!(entry(&document, "a").tail(), "\n  # deeper\n");
    assert_eq!(document.root().unwrap().foot(), "\n# foot\n\n# more\n");
}

#[test]
fn blank_lines_at_the_end_of_the_file_belong_to_no_entry() {
    let document = read("a: 1\n\n\n");
    let root = document.root().unwrap();
    assert_eq!((root.raw(), root.foot()), ("a: 1\n", ""));
}

#[test]
fn a_comment_directly_above_the_first_entry_is_its_lead() {
    let document = read("# above a\na: 1\n");
    assert_eq!(entry(&document, "a").lead(), "# above a\n");
}

#[test]
fn a_header_above_a_blank_line_belongs_to_the_file_and_not_to_the_first_entry() {
    let document = read("# header\n\n# above a\na: 1\n");
    let root = document.root().unwrap();
    assert_eq!(entry(&document, "a").lead(), "# above a\n");
    assert_eq!(root.raw(), "# above a\na: 1\n");
}

#[test]
fn a_header_of_a_list_is_what_stands_before_the_value_of_its_key() {
    let document = read("a: # beside the key\n  # header\n\n  # above x\n  - x\n");
    assert_eq!(
        entry(&document, "a").sep(),
        " # beside the key\n  # header\n\n"
    );
    let first = value(&document, "a").entries().next().unwrap();
    assert_eq!(first.lead(), "  # above x\n");
}

#[test]
fn a_comment_between_a_key_and_its_value_is_what_separates_them() {
    let document = read("a: # beside the key\n  # below it\n  value # beside the value\n");
    let entry = entry(&document, "a");
    assert_eq!(entry.sep(), " # beside the key\n  # below it\n  ");
    assert_eq!(entry.tail(), " # beside the value\n");
}

#[test]
fn a_comment_below_a_key_without_value_is_the_entrys_tail() {
    let document = read("a: # beside\n  # deeper\nb: 2\n");
    let entry = entry(&document, "a");
    assert_eq!(
        (entry.sep(), entry.value().raw(), entry.tail()),
        ("", "", " # beside\n  # deeper\n")
    );
}

#[test]
fn a_comment_in_the_header_of_a_block_text_is_part_of_the_text() {
    let document = read("a: | # header\n  # text\n # lesser\nb: 2\n");
    let entry = entry(&document, "a");
    assert_eq!(entry.value().raw(), "| # header\n  # text\n");
    assert_eq!(entry.tail(), " # lesser\n");
}

#[test]
fn blank_lines_below_a_block_text_belong_to_it_only_if_it_keeps_them() {
    let document = read("a: |\n  x\n\nb: |+\n  x\n\nc: 3\n");
    assert_eq!(entry(&document, "a").value().raw(), "|\n  x\n");
    assert_eq!(entry(&document, "b").lead(), "\n");
    assert_eq!(entry(&document, "b").value().raw(), "|+\n  x\n\n");
    assert_eq!(entry(&document, "c").lead(), "");
}

#[test]
fn a_compact_entry_begins_in_the_line_of_its_dash() {
    let document = read("- a: 1 # beside\n  # above b\n  b: 2\n");
    let item = document.root().unwrap().entries().next().unwrap();
    let entries: Vec<_> = item
        .value()
        .entries()
        .map(|entry| (entry.lead(), entry.raw()))
        .collect();
    assert_eq!(
        entries,
        [
            ("", "a: 1 # beside\n"),
            ("  # above b\n", "  # above b\n  b: 2\n")
        ]
    );
}

#[test]
fn in_brackets_what_stands_behind_a_comma_belongs_to_the_next_element() {
    let document = read("a: [\n  1, # beside\n  # above\n  2 # last\n  ] # behind\n");
    let list = value(&document, "a");
    let pieces: Vec<_> = list
        .entries()
        .map(|entry| (entry.lead(), entry.tail()))
        .collect();
    assert_eq!(
        pieces,
        [("\n  ", ","), (" # beside\n  # above\n  ", " # last\n  ")]
    );
    assert_eq!(entry(&document, "a").tail(), " # behind\n");
}

#[test]
fn comments_above_a_marker_belong_to_the_document_that_the_marker_ends() {
    let document = read("a: 1\n# foot\n--- # second\nb: 2\n");
    let parts: Vec<_> = document
        .parts()
        .iter()
        .map(|part| document.slice(part.span))
        .collect();
    assert_eq!(parts, ["a: 1\n# foot\n", "--- # second\nb: 2\n"]);
}

#[test]
fn comments_keep_their_owner_whatever_ends_the_lines() {
    for end in ["\n", "\r\n", "\r"] {
        let text = "# header\n\n# above a\na: 1 # beside\n  # deeper\n# above b\nb: 2\n"
            .replace('\n', end);
        let document = read(&text);
        assert_eq!(entry(&document, "a").lead(), format!("# above a{end}"));
        assert_eq!(
            entry(&document, "a").tail(),
            format!(" # beside{end}  # deeper{end}")
        );
        assert_eq!(entry(&document, "b").lead(), format!("# above b{end}"));
    }
}
