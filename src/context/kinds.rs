//! What is known of the shape of context files: what identifies a record, what names it, what changes together.

/// The key of annotations.
pub const ANNOTATION_KEY: &str = "_crdt";

/// The key of what lost.
pub const CONFLICTS_KEY: &str = "_crdt_conflicts";

/// The fields that may identify the records of a list: the first counts that every record has, each with another value.
pub const IDENTITY_FIELDS: [&str; 6] = ["id", "name", "key", "title", "issue", "path"];

/// The fields that name a record: the first that it has tells it from another record born under the same identity.
pub const DEFINING_FIELDS: [&str; 2] = ["title", "name"];

/// Fields that change together, as one register: decided one by one they would make records that nobody wrote and that
/// other tools refuse.
pub const GROUPS: [&[&str]; 1] = [&["status", "completed_at", "outcome"]];
