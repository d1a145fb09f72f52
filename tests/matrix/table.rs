//! The rows as tables for people.

use crate::script::Row;

/// Rows of one kind.
pub(crate) struct Section {
    pub(crate) about: &'static str,
    pub(crate) rows: &'static [Row],
}
