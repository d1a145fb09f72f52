//! Questions about records: `todos WHERE status = 'pending' ORDER BY created_at LIMIT 10`.
//!
//! The form is that of the host tool, which is that of SQL where the two have the same. A [`Query`] is read from a text
//! ([`parse`]) and asked of anything that can tell a field's value ([`Fields`]): records of a file, edits of a log. What a record lacks is null,
//! and null is no error: it equals nothing but null, and stands behind all else in an order. Depends on `yaml`, whose scalars are
//! the values, and on what `context` knows of moments.

mod answer;
mod parse;
mod value;

pub use answer::{Fields, select};
pub use parse::{NoQuery, parse, parse_condition};
pub use value::Value;

/// A question about the records of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// The list; nothing where it is told in another way.
    pub from: Option<String>,
    /// Which records.
    pub condition: Condition,
    /// In which order; as they stand where nothing is said.
    pub order: Vec<Order>,
    /// How many at most.
    pub limit: Option<usize>,
    /// How many of the first are passed over.
    pub offset: usize,
}

/// By what records are put in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The field.
    pub field: String,
    /// Which way.
    pub direction: Direction,
}

/// Which way an order goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The least first.
    Ascending,
    /// The greatest first.
    Descending,
}

/// What holds of a record, or does not.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// All of these: of none everything holds.
    All(Vec<Condition>),
    /// One of these at least.
    Any(Vec<Condition>),
    /// This does not.
    Not(Box<Condition>),
    /// Something about a field.
    Field {
        /// Its name, or the way to it, with dots.
        name: String,
        /// What.
        test: Test,
    },
}

impl Default for Condition {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

/// Something about a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// It is to another one as that says.
    Compares(Comparison, Value),
    /// It is a text of this form: `%` stands for any letters, `_` for one; large or small does not matter.
    Like(String),
    /// It is one of these.
    In(Vec<Value>),
    /// It is a list that has this, or a text in which this stands.
    Contains(Value),
    /// It is null, or is not there.
    IsNull,
}

/// How two values are to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`: null is unequal to all else.
    Unequal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}
