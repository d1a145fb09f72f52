//! What is contested, between git's conflict markers.
//!
//! The file is written twice, once with the values of each side; where the two texts differ is what is contested. So the
//! markers stand around whole lines and around nothing else, and taking one side everywhere gives a file that was
//! checked.

use crate::crdt::diff;

/// What stands behind the conflict markers.
#[derive(Clone, Copy, Debug)]
pub struct Labels<'a> {
    /// Behind `<<<<<<<`.
    pub ours: &'a str,
    /// Behind `>>>>>>>`.
    pub theirs: &'a str,
}

impl Default for Labels<'_> {
    fn default() -> Self {
        Labels {
            ours: "ours",
            theirs: "theirs",
        }
    }
}

/// Both texts as one, with conflict markers where they differ.
pub(super) fn mark(ours: &str, theirs: &str, size: usize, labels: &Labels<'_>) -> String {
    let mine: Vec<&str> = ours.split_inclusive('\n').collect();
    let others: Vec<&str> = theirs.split_inclusive('\n').collect();
    let marker = |byte: &str| byte.repeat(size);
    let mut out = String::with_capacity(ours.len() + 256);
    let mut at = 0;
    // The library may place a hunk by which text comes first; which one is ours must not matter.
    let hunks = if mine <= others {
        diff::line_hunks(&mine, &others)
    } else {
        let hunks = diff::line_hunks(&others, &mine).into_iter();
        hunks.map(diff::Hunk::swapped).collect()
    };
    for hunk in hunks {
        out.extend(mine[at..hunk.old.start].iter().copied());
        out.push_str(&format!("{} {}\n", marker("<"), labels.ours));
        lines(&mine[hunk.old.clone()], &mut out);
        out.push_str(&format!("{}\n", marker("=")));
        lines(&others[hunk.new], &mut out);
        out.push_str(&format!("{} {}\n", marker(">"), labels.theirs));
        at = hunk.old.end;
    }
    out.extend(mine[at..].iter().copied());
    out
}

fn lines(lines: &[&str], out: &mut String) {
    out.extend(lines.iter().copied());
    if !lines.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
}
