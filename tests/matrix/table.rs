//! The rows as tables for people.

use crate::script::Row;

/// Rows of one kind.
pub(crate) struct Section {
    #[allow(dead_code)]
    pub(crate) about: &'static str,
    #[allow(dead_code)]
    pub(crate) rows: &'static [Row],
}
