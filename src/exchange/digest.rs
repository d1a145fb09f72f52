//! A digest of what is known.

use std::fmt::Write as _;

use xxhash_rust::xxh3::xxh3_64;

use crate::overlay::Knowledge;

/// XXH3, 64 bits with seed 0, of a text: for each replica in the order of their names a line with its name, a blank, the
/// stamp up to which all is known or `-`, and for each island a blank, its first stamp, `~` and its last stamp.
///
/// It tells knowledge apart that differs by accident; who is trusted and wants to be left behind can have that.
#[must_use]
pub fn digest(knowledge: &Knowledge) -> u64 {
    let mut text = String::new();
    for (replica, chain) in knowledge {
        // Writing to a text does not fail.
        let _ = write!(text, "{replica} ");
        let _ = match chain.upto {
            Some(upto) => write!(text, "{upto}"),
            None => write!(text, "-"),
        };
        for island in &chain.islands {
            let _ = write!(text, " {}~{}", island.start(), island.end());
        }
        text.push('\n');
    }
    xxh3_64(text.as_bytes())
}
