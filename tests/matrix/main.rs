//! What people do with an editor and with git, step by step, with the real git and the real binary: what is in the file
//! afterwards, whether the work tree is dirty, and what would be sent to peers.
//!
//! Each row is a script (`script.rs`), written once and played in three ways (`play.rs`): with one `rhema crdt sync` at the
//! end, with one after every step, and with one after every step before each of which the store is deleted. What a row
//! expects is stated by hand, from what git promises, and is the same in all of them. `docs/git-scenarios.md` shows the
//! rows as tables; it is compared with them (`table.rs`).
#![allow(clippy::unwrap_used, clippy::expect_used)]

// Shared with the tests of the commands, which use more of it.
#[allow(dead_code)]
#[path = "../support/mod.rs"]
mod support;
#[allow(dead_code)]
#[path = "../support/text.rs"]
mod text;

mod file;
mod play;
mod script;
mod sent;
mod table;

/// Rows of one kind: the tests of each, in the ways named, and the list of them for the table.
macro_rules! rows {
    ($about:literal in $ways:tt $($name:ident $script:literal)*) => {
        /// What is done here, and the rows.
        pub(crate) const SECTION: crate::table::Section = crate::table::Section {
            about: $about,
            rows: &[$(crate::script::Row { name: stringify!($name), script: $script }),*],
        };

        $(mod $name {
            const ROW: crate::script::Row = crate::script::Row { name: stringify!($name), script: $script };

            ways! { $ways }
        })*
    };
    ($about:literal $($rows:tt)*) => {
        rows! { $about in [plainly Plain, synced Synced, forgetful Forgetful] $($rows)* }
    };
}

/// A test for each way.
macro_rules! ways {
    ([$($name:ident $way:ident),*]) => {
        $(#[test]
        fn $name() {
            crate::play::play(&ROW, crate::play::Way::$way);
        })*
    };
}

mod branches;
mod carrying;
mod editing;
mod files;
mod merging;
mod peers;
mod rebasing;
mod resetting;
mod trees;
mod undoing;
