-- Invitations that were made here, by the public halves of what their tickets prove.

CREATE TABLE invitations (
    key BLOB PRIMARY KEY,
    role INTEGER NOT NULL,
    -- What who comes with it is to be called; none where it says so itself.
    name TEXT,
    made INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    revoked INTEGER,
    -- When it was used, by which node, and what that is called.
    used INTEGER,
    joiner BLOB,
    joined TEXT,
    -- Whether who joined stands in the list of members.
    listed INTEGER NOT NULL DEFAULT 0 CHECK (listed IN (0, 1))
) STRICT, WITHOUT ROWID;

-- Edits that others brought and that were not taken, until they are.
CREATE TABLE refusals (
    id INTEGER PRIMARY KEY,
    stamp TEXT NOT NULL UNIQUE,
    why TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
