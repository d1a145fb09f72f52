//! Documents as people write them, and what people do to them.

use crate::random::Random;

/// A document of some twenty records.
pub(crate) fn document(random: &mut Random) -> String {
    let mut text = String::new();
    if random.one_in(2) {
        text.push_str("# What is to be done.\n");
    }
    if random.one_in(3) {
        text.push_str("meta:\n    owner: ann\n");
    }
    text.push_str("todos:\n");
    let records = 8 + random.below(24);
    for number in 0..records {
        text.push_str(&record(&format!("todo-{number}"), random));
    }
    if random.one_in(2) {
        text.push_str("# The end.\nother: 1\n");
    }
    text
}

/// The lines of a record.
fn record(name: &str, random: &mut Random) -> String {
    let mut lines = String::new();
    if random.one_in(8) {
        lines.push('\n');
    }
    if random.one_in(8) {
        lines.push_str(&format!("  # About {name}.\n"));
    }
    lines.push_str(&match random.below(12) {
        0 => format!("  - id: \"{name}\"\n"),
        1 => format!("  - id: {name} # mine\n"),
        _ => format!("  - id: {name}\n"),
    });
    lines.push_str(&format!("    title: The {name}\n    status: pending\n"));
    for _ in 0..random.below(3) {
        lines.push_str(match random.below(9) {
            0 => "    text: |\n      One line:\n\n      - id: todo-3\n",
            1 => "    tags: [a, b]\n",
            2 => "    links:\n      - id: x\n        to: y\n",
            3 => "    more:\n      deep: 1\n",
            4 => "    note: \"R&D, 3 * 4\"\n",
            5 => "    mark: *none*\n",
            6 => "    other:\n        deeper: 2\n",
            _ => "    estimate: 3 # days\n",
        });
    }
    // No key twice, and nothing that cannot be read.
    let mut keys = Vec::new();
    let mut kept = String::new();
    let mut skips = false;
    for line in lines.lines() {
        if let Some(key) = line
            .strip_prefix("    ")
            .filter(|line| !line.starts_with(' '))
        {
            let key = key.split(':').next().unwrap_or_default().to_owned();
            skips = keys.contains(&key) || key == "mark";
            keys.push(key);
        }
        if !skips {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// What the records of a document are called.
pub(crate) fn names(text: &str) -> Vec<String> {
    let names = text
        .lines()
        .filter_map(|line| line.strip_prefix("  - id: "));
    let names = names.map(|name| {
        name.split(" #")
            .next()
            .unwrap_or_default()
            .trim_matches('"')
    });
    names.map(str::to_owned).collect()
}

/// A document as blocks: what stands before the records, each record's lines, what stands behind them.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = vec![String::new()];
    let mut ended = false;
    for line in text.split_inclusive('\n') {
        let is_top = blocks.len() > 1 && !ended && !line.starts_with([' ', '\n']);
        ended |= is_top;
        if line.starts_with("  - id: ") || is_top {
            blocks.push(String::new());
        }
        blocks.last_mut().unwrap().push_str(line);
    }
    blocks
}

/// The document with something done to it by hand. `other` is the document as somebody else has it.
pub(crate) fn edited(text: &str, names: &[String], random: &mut Random, other: &str) -> String {
    let mut blocks = blocks(text);
    let records = names.len();
    for _ in 0..=random.below(3) {
        let at = 1 + random.below(records.max(1));
        let Some(block) = blocks.get(at).cloned() else {
            continue;
        };
        let word = format!("new{}", random.below(1000));
        match random.below(14) {
            0..=2 => blocks[at] = block.replace("title: ", &format!("title: {word} ")),
            3 => blocks[at] = block.replace("status: pending", "status: completed"),
            4 => blocks[at] = block.replacen('\n', " # remark\n", 1),
            5 => blocks[at].push_str(&format!("  # about {word}\n")),
            6 => blocks.insert(at, record(&word, random)),
            7 => drop(blocks.remove(at)),
            8 => {
                let moved = blocks.remove(at);
                blocks.insert(1 + random.below(records.max(2) - 1), moved);
            }
            // Copied with all that is said about it.
            9 => blocks.insert(at, block.replacen("id: ", "id: copy-of-", 1)),
            10 => blocks[at] = block.replace("    title: ", "    title:  "),
            11 => blocks[at].push_str("    added: 7\n"),
            12 => blocks[at] = block.replacen("  - id: todo-", "  - id: todo-1", 1),
            _ => return other.to_owned(),
        }
    }
    blocks.concat()
}
