//! Hostile texts of a megabyte cost no more than a megabyte should: nothing is quadratic, nothing overflows.

use std::time::{Duration, Instant};

use rhema_crdt::yaml::{Document, Limits, NodeRef};

/// The n-th line of a text.
type Line = fn(usize) -> String;

const MEGABYTE: usize = 1 << 20;

/// Far beyond what reading takes in an unoptimised build, far below what anything quadratic takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Reads the text in time, whatever comes of it, and decodes all that was read.
fn read_in_time(name: &str, text: &str) {
    let begun = Instant::now();
    if let Ok(document) = Document::read(text.as_bytes(), &Limits::default()) {
        for part in document.parts() {
            let root = document.node(part.root);
            decode(root);
            assert!(root.means(root), "{name}");
            root.meaning_hash();
        }
    }
    let taken = begun.elapsed();
    assert!(
        taken < PATIENCE,
        "{name}: {taken:?} for {} bytes",
        text.len()
    );
}

fn decode(node: NodeRef<'_>) {
    node.text();
    node.scalar();
    for entry in node.entries() {
        entry.key().map(NodeRef::scalar);
        entry.lead();
        entry.tail();
        decode(entry.value());
    }
}

fn repeated(piece: &str) -> String {
    piece.repeat(MEGABYTE / piece.len())
}

#[test]
fn a_megabyte_of_one_piece_is_read_in_time() {
    for piece in [
        "- ",
        "-\n",
        "? ",
        "?\n",
        ": ",
        ":\n",
        "[",
        "[]",
        "[[],",
        "{",
        "{a: ",
        "{a: b, ",
        "[a: ",
        "[? ",
        "'",
        "''",
        "\"",
        "\"\\",
        "'\n",
        "\"\n",
        "\n",
        "\r",
        " ",
        "\t",
        " \n",
        "#",
        "#\n",
        " #\n",
        "# c\n\n",
        "a",
        "a ",
        "a\n",
        "a: ",
        "a:\n",
        "&a ",
        "&a\n",
        "*a ",
        "!a ",
        "!a\n",
        "!!",
        "%",
        "%a\n",
        "%TAG !a! b\n",
        "---\n",
        "--- ",
        "...\n",
        "--- a\n...\n",
        "|\n",
        ">\n",
        "|+\n",
        "- |\n",
        "- |+\n\n",
        "\u{feff}",
        "\u{feff}\n",
        "é",
        "<<<<<<<\n",
        ",",
        "[,",
        "a: b: ",
        "- - ",
        "? - ",
        "- ? ",
        "- a: ",
        "? ? a\n",
        "|9\n",
        " |\n",
    ] {
        read_in_time(piece, &repeated(piece));
    }
}

#[test]
fn a_megabyte_behind_an_opening_is_read_in_time() {
    for (open, piece) in [
        ("[", "a, "),
        ("[", "a: b, "),
        ("[", "\n"),
        ("[", "# c\n"),
        ("[", "'a', "),
        ("[", "a\n"),
        ("[", "? a\n"),
        ("{", "? a\n,"),
        ("'", "\n"),
        ("\"", "\\\n"),
        ("\"", "a \n"),
        ("\"", "\\u0041"),
        ("a: |\n", "  x\n"),
        ("a: |\n", "\n"),
        ("a: |\n", "  \n"),
        ("a: >\n", "  x\n\n   y\n"),
        ("a: |+\n", " \n"),
        ("a:\n", "  # c\n"),
        ("a:\n", "\n"),
        ("a: x\n", "  y\n"),
        ("a: x\n", "\n"),
        ("a: x\n", " # c\n"),
        ("- a\n", "- b # c\n"),
        ("- a\n", "- b\n  # c\n"),
        ("a: &a x\nb:\n", "- *a\n"),
        ("? |\n", "  a\n"),
        ("! ", "&a\n"),
    ] {
        read_in_time(
            &format!("{open}{piece}"),
            &format!("{open}{}", repeated(piece)),
        );
    }
}

#[test]
fn a_hundred_thousand_keys_are_read_in_time() {
    let lines = |line: fn(usize) -> String| (0..100_000).map(line).collect::<String>();
    read_in_time("keys", &lines(|n| format!("key{n}: {n}\n")));
    read_in_time("quoted keys", &lines(|n| format!("'{n}': \"\\x41\"\n")));
    read_in_time("anchors", &lines(|n| format!("- &a{n} x\n- *a{n}\n")));
    read_in_time(
        "tag handles",
        &(lines(|n| format!("%TAG !h{n}! x\n")) + "---\n- !h7!a b\n"),
    );
    read_in_time(
        "flow keys",
        &format!("{{{}}}", lines(|n| format!("k{n}: 1,\n"))),
    );
    read_in_time(
        "comments and keys",
        &lines(|n| format!("# above\nk{n}: 1 # beside\n  # below\n\n")),
    );
}

#[test]
fn what_stands_behind_deep_nesting_is_read_in_time() {
    let levels = 150;
    let lists: String = "- ".repeat(levels);
    let keys: String = (0..levels)
        .map(|level| format!("{}k:\n", " ".repeat(level)))
        .collect();
    let tails: [(&str, Line); 5] = [
        ("blank lines", |_| "\n".to_owned()),
        ("comments ever less deep", |n| {
            format!("{}# c\n", " ".repeat(150 - n % 150))
        }),
        ("comments ever deeper", |n| {
            format!("{}# c\n", " ".repeat(n % 150))
        }),
        ("comments at the margin", |_| "# c\n".to_owned()),
        ("comments far to the right", |_| {
            format!("{}# c\n", " ".repeat(300))
        }),
    ];
    for (name, line) in &tails {
        let tail: String = (0..20_000).map(line).collect();
        for begin in [&lists, &keys] {
            for end in ["", "k2: v\n", "- v\n"] {
                read_in_time(name, &format!("{begin}v\n{tail}{end}"));
            }
        }
    }
}

#[test]
fn deep_documents_that_comments_and_blank_lines_separate_are_read_in_time() {
    let nested = "- ".repeat(150) + "v\n";
    let gap = "\n# c\n".repeat(100);
    read_in_time("nests and gaps", &(nested.clone() + &gap).repeat(300));
    read_in_time("documents", &(nested + &gap + "---\n").repeat(300));
}
