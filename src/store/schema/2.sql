-- The branch that an edit was made on; the peers, and what was said with them.
-- Keys are their 32 bytes, moments milliseconds since the Unix epoch.

ALTER TABLE edits ADD COLUMN branch TEXT;
ALTER TABLE equivocations ADD COLUMN branch TEXT;

-- Whose replicas these are.
CREATE TABLE replicas (
    replica TEXT PRIMARY KEY,
    key BLOB NOT NULL,
    incarnation INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE peers (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    -- Trusted by this work tree alone, in this role and under this name.
    role INTEGER,
    name TEXT,
    met INTEGER,
    exchanged INTEGER,
    latency INTEGER,
    -- What it said last that it knows.
    knowledge BLOB
) STRICT;

CREATE TABLE addresses (
    peer INTEGER NOT NULL REFERENCES peers ON DELETE CASCADE,
    address TEXT NOT NULL,
    -- When the peer was met there last; none for an address that somebody gave.
    met INTEGER,
    PRIMARY KEY (peer, address)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    key BLOB,
    event BLOB NOT NULL
) STRICT;

-- Ancestors of commits that are not at hand: who made an edit on such a commit told of them.
CREATE TABLE ancestors (
    base BLOB NOT NULL,
    ancestor BLOB NOT NULL,
    PRIMARY KEY (base, ancestor)
) STRICT, WITHOUT ROWID;
