//! What was edited, when and by whom: at the sizes that count.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod large;
