//! What the host tool reads and writes: its structures, as `docs/host-tool.md` has them, and a writer like its own.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use chrono::{DateTime, Utc};
use rustc_hash::FxHasher;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_yaml::Value;

/// Keys that a structure does not know. The host tool's map is seeded at random; this one shuffles keys always alike.
type Custom = HashMap<String, Value, BuildHasherDefault<FxHasher>>;
type Texts = Option<Vec<String>>;
type Instant = DateTime<Utc>;

/// `rhema.yaml`
#[derive(Serialize, Deserialize)]
pub(crate) struct Scope {
    name: String,
    scope_type: String,
    description: Option<String>,
    version: String,
    schema_version: Option<String>,
    dependencies: Option<Vec<Dependency>>,
    protocol_info: Option<Protocol>,
    #[serde(flatten)]
    custom: Custom,
}

#[derive(Serialize, Deserialize)]
struct Dependency {
    path: String,
    dependency_type: String,
    version: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Protocol {
    version: String,
    description: Option<String>,
    concepts: Option<Vec<Concept>>,
    cql_examples: Option<Vec<CqlExample>>,
    patterns: Option<Vec<ProtocolPattern>>,
    integrations: Option<Vec<Integration>>,
    troubleshooting: Option<Vec<Trouble>>,
    #[serde(flatten)]
    custom: Custom,
}

#[derive(Serialize, Deserialize)]
struct Concept {
    name: String,
    description: String,
    related: Texts,
    examples: Texts,
}

#[derive(Serialize, Deserialize)]
struct CqlExample {
    name: String,
    query: String,
    description: String,
    output_format: Option<String>,
    use_case: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct ProtocolPattern {
    name: String,
    description: String,
    when_to_use: Option<String>,
    examples: Texts,
}

#[derive(Serialize, Deserialize)]
struct Integration {
    name: String,
    description: String,
    setup: Texts,
    configuration: Texts,
    best_practices: Texts,
}

#[derive(Serialize, Deserialize)]
struct Trouble {
    issue: String,
    description: String,
    solution: Vec<String>,
    prevention: Texts,
}

/// `knowledge.yaml`
#[derive(Serialize, Deserialize)]
pub(crate) struct Knowledge {
    entries: Vec<KnowledgeEntry>,
    categories: Option<HashMap<String, String, BuildHasherDefault<FxHasher>>>,
    #[serde(flatten)]
    custom: Custom,
}

#[derive(Serialize, Deserialize)]
struct KnowledgeEntry {
    id: String,
    title: String,
    content: String,
    category: Option<String>,
    tags: Texts,
    confidence: Option<u8>,
    created_at: Instant,
    updated_at: Option<Instant>,
    source: Option<String>,
    #[serde(flatten)]
    custom: Custom,
}

/// `todos.yaml`
#[derive(Serialize, Deserialize)]
pub(crate) struct Todos {
    todos: Vec<Todo>,
    #[serde(flatten)]
    custom: Custom,
}

#[derive(Serialize, Deserialize)]
struct Todo {
    id: String,
    title: String,
    description: Option<String>,
    status: TodoStatus,
    priority: Priority,
    assigned_to: Option<String>,
    due_date: Option<Instant>,
    created_at: Instant,
    completed_at: Option<Instant>,
    outcome: Option<String>,
    related_knowledge: Texts,
    #[serde(flatten)]
    custom: Custom,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TodoStatus {
    Pending,
    InProgress,
    Blocked,
    Completed,
    Cancelled,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Priority {
    Low,
    Medium,
    High,
    Critical,
}

/// `decisions.yaml`
#[derive(Serialize, Deserialize)]
pub(crate) struct Decisions {
    decisions: Vec<Decision>,
    #[serde(flatten)]
    custom: Custom,
}

#[derive(Serialize, Deserialize)]
struct Decision {
    id: String,
    title: String,
    description: String,
    status: DecisionStatus,
    context: Option<String>,
    alternatives: Texts,
    rationale: Option<String>,
    consequences: Texts,
    decided_at: Instant,
    review_date: Option<Instant>,
    decision_makers: Texts,
    #[serde(flatten)]
    custom: Custom,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DecisionStatus {
    Proposed,
    UnderReview,
    Approved,
    Rejected,
    Implemented,
    Deprecated,
}

/// `patterns.yaml`
#[derive(Serialize, Deserialize)]
pub(crate) struct Patterns {
    patterns: Vec<Pattern>,
    #[serde(flatten)]
    custom: Custom,
}

#[derive(Serialize, Deserialize)]
struct Pattern {
    id: String,
    name: String,
    description: String,
    pattern_type: String,
    usage: Usage,
    effectiveness: Option<u8>,
    examples: Texts,
    anti_patterns: Texts,
    related_patterns: Texts,
    created_at: Instant,
    updated_at: Option<Instant>,
    #[serde(flatten)]
    custom: Custom,
}

/// How far a pattern or a convention binds.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Usage {
    Required,
    Recommended,
    Optional,
    Deprecated,
}

/// `conventions.yaml`
#[derive(Serialize, Deserialize)]
pub(crate) struct Conventions {
    conventions: Vec<Convention>,
    #[serde(flatten)]
    custom: Custom,
}

#[derive(Serialize, Deserialize)]
struct Convention {
    id: String,
    name: String,
    description: String,
    convention_type: String,
    enforcement: Usage,
    examples: Texts,
    tools: Texts,
    created_at: Instant,
    updated_at: Option<Instant>,
    #[serde(flatten)]
    custom: Custom,
}

/// `workflows.yaml`, of which no part keeps a key that it does not know.
#[derive(Serialize, Deserialize)]
pub(crate) struct Workflows {
    workflows: Vec<Workflow>,
}

#[derive(Serialize, Deserialize)]
struct Workflow {
    id: String,
    name: String,
    description: Option<String>,
    steps: Vec<Step>,
    metadata: Metadata,
    tags: Texts,
}

#[derive(Serialize, Deserialize)]
struct Step {
    id: String,
    name: String,
    description: Option<String>,
    prompt_pattern: String,
    task_type: Option<String>,
    order: u32,
    required: bool,
    dependencies: Texts,
}

#[derive(Serialize, Deserialize)]
struct Metadata {
    version: String,
    created_at: Instant,
    updated_at: Instant,
    author: Option<String>,
}

/// `todos.yaml` as a tool without room for other people's keys has it.
#[derive(Serialize, Deserialize)]
pub(crate) struct ClosedTodos {
    todos: Vec<ClosedTodo>,
}

#[derive(Serialize, Deserialize)]
struct ClosedTodo {
    id: String,
    title: String,
    description: Option<String>,
    status: TodoStatus,
    priority: Priority,
    assigned_to: Option<String>,
    due_date: Option<Instant>,
    created_at: Instant,
    completed_at: Option<Instant>,
    outcome: Option<String>,
    related_knowledge: Texts,
}

/// What the host tool makes of a file: it reads all of it into `T`, and writes all of it anew.
pub(crate) fn rewritten<T: Serialize + DeserializeOwned>(
    text: &str,
) -> Result<String, serde_yaml::Error> {
    serde_yaml::to_string(&serde_yaml::from_str::<T>(text)?)
}
