//! The script: who edits what, and what should come of it. Pure data.

use super::claims::Claim;
use super::edits::Edit;

/// What Ada and Ben do to the same file in one afternoon, and what the merge must hold.
pub(super) struct Scene {
    pub(super) title: &'static str,
    pub(super) file: &'static str,
    /// The record that both touch; none where both add one.
    pub(super) record: Option<&'static str>,
    pub(super) ada: Part,
    pub(super) ben: Part,
    /// Why git alone sees a conflict here, if it does.
    pub(super) because: &'static str,
    pub(super) claims: &'static [Claim],
    pub(super) lesson: &'static str,
    /// The value that both agree on in the end, where they really disagree.
    pub(super) settled: Option<&'static str>,
}

/// What one of them does.
pub(super) struct Part {
    pub(super) does: &'static str,
    pub(super) edits: &'static [Edit],
}

const TODOS: &str = ".rhema/todos.yaml";

/// Everything that happens.
pub(super) const SCENES: [Scene; 8] = [
    Scene {
        title: "Different fields of one todo",
        file: TODOS,
        record: Some("swell-forecast"),
        ada: Part {
            does: "makes the title clearer",
            edits: &[Edit::Change {
                record: "swell-forecast",
                from: "exposed entrances",
                to: "exposed entrances and bars",
            }],
        },
        ben: Part {
            does: "takes it over from Ines",
            edits: &[Edit::Change {
                record: "swell-forecast",
                from: "assigned_to: ines",
                to: "assigned_to: ben",
            }],
        },
        because: "the lines are close together",
        claims: &[
            Claim::Field(
                "swell-forecast",
                "title",
                "Show swell at exposed entrances and bars",
            ),
            Claim::Field("swell-forecast", "assigned_to", "ben"),
        ],
        lesson: "Both edits are in.",
        settled: None,
    },
    Scene {
        title: "Neighbouring fields of one todo",
        file: TODOS,
        record: Some("surge-residuals"),
        ada: Part {
            does: "starts to work on it",
            edits: &[Edit::Change {
                record: "surge-residuals",
                from: "status: pending",
                to: "status: in_progress",
            }],
        },
        ben: Part {
            does: "makes it urgent",
            edits: &[Edit::Change {
                record: "surge-residuals",
                from: "priority: high",
                to: "priority: critical",
            }],
        },
        because: "the two lines touch",
        claims: &[
            Claim::Field("surge-residuals", "status", "in_progress"),
            Claim::Field("surge-residuals", "priority", "critical"),
        ],
        lesson: "A status is not a priority, so nobody disagreed.",
        settled: None,
    },
    Scene {
        title: "Both add a todo at the end of the list",
        file: TODOS,
        record: None,
        ada: Part {
            does: "adds one",
            edits: &[Edit::Append(
                "
  - id: tide-of-the-day-mail
    title: Mail the tide of the day to those who ask for it
    status: pending
    priority: low
    assigned_to: ada
    created_at: 2025-11-03T09:12:40Z
    tags: [messages]
",
            )],
        },
        ben: Part {
            does: "adds another one",
            edits: &[Edit::Append(
                "
  - id: search-by-postcode
    title: Find the nearest port by postcode
    status: pending
    priority: medium
    assigned_to: ben
    created_at: 2025-11-03T14:51:07Z
    tags: [search, ui]
",
            )],
        },
        because: "both wrote at the same place",
        claims: &[
            Claim::Field("tide-of-the-day-mail", "assigned_to", "ada"),
            Claim::Field("search-by-postcode", "assigned_to", "ben"),
        ],
        lesson: "Two todos were added, and two are there.",
        settled: None,
    },
    Scene {
        title: "Both extend the same list of tags",
        file: TODOS,
        record: Some("notices-to-mariners"),
        ada: Part {
            does: "adds a tag",
            edits: &[Edit::Change {
                record: "notices-to-mariners",
                from: "safety]",
                to: "safety, harbours]",
            }],
        },
        ben: Part {
            does: "adds another one",
            edits: &[Edit::Change {
                record: "notices-to-mariners",
                from: "safety]",
                to: "safety, weekly]",
            }],
        },
        because: "it is one line in the file",
        claims: &[
            Claim::Members(
                "notices-to-mariners",
                "tags",
                &["ingest", "safety", "harbours", "weekly"],
            ),
            Claim::Line("    tags: [ingest, safety, harbours, weekly]"),
        ],
        lesson: "A list is a list, even on one line.",
        settled: None,
    },
    Scene {
        title: "A comment beside a value that changes",
        file: TODOS,
        record: Some("tidal-streams-hourly"),
        ada: Part {
            does: "leaves a note for the others",
            edits: &[Edit::Change {
                record: "tidal-streams-hourly",
                from: "priority: medium",
                to: "priority: medium   # the club sends its figures in March",
            }],
        },
        ben: Part {
            does: "finds it more important",
            edits: &[Edit::Change {
                record: "tidal-streams-hourly",
                from: "priority: medium",
                to: "priority: high",
            }],
        },
        because: "it is one line in the file",
        claims: &[
            Claim::Field("tidal-streams-hourly", "priority", "high"),
            Claim::Line("    priority: high   # the club sends its figures in March"),
        ],
        lesson: "Comments are worth something: they are merged, too.",
        settled: None,
    },
    Scene {
        title: "One moves a todo, the other edits it",
        file: TODOS,
        record: Some("anchor-alarm-tide"),
        ada: Part {
            does: "moves it up the list, above offline-month, as it stands",
            edits: &[Edit::Move {
                record: "anchor-alarm-tide",
                above: "offline-month",
            }],
        },
        ben: Part {
            does: "starts to work on it, where it was",
            edits: &[
                Edit::Change {
                    record: "anchor-alarm-tide",
                    from: "status: pending",
                    to: "status: in_progress",
                },
                Edit::Change {
                    record: "anchor-alarm-tide",
                    from: "assigned_to: ada",
                    to: "assigned_to: ben",
                },
            ],
        },
        because: "Ada's move looks as if she had deleted what Ben edits",
        claims: &[
            Claim::Above("anchor-alarm-tide", "offline-month"),
            Claim::Field("anchor-alarm-tide", "status", "in_progress"),
            Claim::Field("anchor-alarm-tide", "assigned_to", "ben"),
        ],
        lesson: "It is there once, in the new place, with the new values.",
        settled: None,
    },
    Scene {
        title: "Both add a paragraph to one text",
        file: "services/booking/.rhema/knowledge.yaml",
        record: Some("depth-over-time"),
        ada: Part {
            does: "knows one thing more",
            edits: &[Edit::Change {
                record: "depth-over-time",
                from: "say so.\n",
                to: "say so.\n\n      After a dredging the old survey is worth nothing. Ask for the new one, and show none until it\n      is there.\n",
            }],
        },
        ben: Part {
            does: "knows another one",
            edits: &[Edit::Change {
                record: "depth-over-time",
                from: "say so.\n",
                to: "say so.\n\n      A boat that may dry out needs no depth at all, but a bottom that is hard and even.\n",
            }],
        },
        because: "both wrote at the same place",
        claims: &[
            Claim::Text(
                "depth-over-time",
                "content",
                &[
                    "If the survey is older than five years, say so.\n\n",
                    "\n\nAfter a dredging the old survey is worth nothing. Ask for the new one, and show none until it\nis there.\n",
                    "\n\nA boat that may dry out needs no depth at all, but a bottom that is hard and even.\n",
                ],
            ),
            Claim::Field("depth-over-time", "category", "domain"),
        ],
        lesson: "A text is merged by its lines: two paragraphs were added, and two are there.",
        settled: None,
    },
    Scene {
        title: "They really disagree",
        file: ".rhema/decisions.yaml",
        record: Some("watch-app-later"),
        ada: Part {
            does: "approves the proposal",
            edits: &[Edit::Change {
                record: "watch-app-later",
                from: "status: proposed",
                to: "status: approved",
            }],
        },
        ben: Part {
            does: "rejects it",
            edits: &[Edit::Change {
                record: "watch-app-later",
                from: "status: proposed",
                to: "status: rejected",
            }],
        },
        because: "both changed the same value",
        claims: &[Claim::Field("watch-app-later", "status", "approved")],
        lesson: "No program should decide this: one value stands for now, and the other is kept.",
        settled: Some("approved"),
    },
];
