-- The first schema. Commits and blobs are their 20 bytes, stamps and replicas their texts (a stamp's text sorts like it),
-- moments milliseconds since the Unix epoch. Values that are read as a whole begin with the byte of their format.

CREATE TABLE work_tree (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    writer TEXT,
    look BLOB
) STRICT;
INSERT INTO work_tree (only) VALUES (1);

CREATE TABLE documents (
    id INTEGER PRIMARY KEY,
    path BLOB NOT NULL UNIQUE,
    looked INTEGER NOT NULL DEFAULT 0 CHECK (looked IN (0, 1)),
    head BLOB,
    file BLOB,
    facts BLOB
) STRICT;

CREATE TABLE edits (
    id INTEGER PRIMARY KEY,
    stamp TEXT NOT NULL UNIQUE,
    replica TEXT NOT NULL,
    previous TEXT,
    document INTEGER NOT NULL REFERENCES documents,
    base BLOB,
    issuer INTEGER NOT NULL,
    way INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX edits_of_documents ON edits (document, stamp);
CREATE INDEX edits_of_replicas ON edits (replica, stamp);
CREATE INDEX edits_by_previous ON edits (replica, previous, stamp);

CREATE TABLE marks (
    edit INTEGER PRIMARY KEY REFERENCES edits,
    bits INTEGER NOT NULL
) STRICT;

CREATE TABLE retractions (
    document INTEGER NOT NULL REFERENCES documents,
    stamp TEXT NOT NULL,
    PRIMARY KEY (document, stamp)
) STRICT, WITHOUT ROWID;

-- Up to where a replica's edits are known without a hole.
CREATE TABLE chains (
    replica TEXT PRIMARY KEY,
    upto TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What came under a stamp that is known with another content.
CREATE TABLE equivocations (
    id INTEGER PRIMARY KEY,
    stamp TEXT NOT NULL REFERENCES edits (stamp),
    previous TEXT,
    document INTEGER NOT NULL REFERENCES documents,
    base BLOB,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX equivocations_of_stamps ON equivocations (stamp);

CREATE TABLE renderings (
    id INTEGER PRIMARY KEY,
    document INTEGER NOT NULL REFERENCES documents,
    since INTEGER NOT NULL,
    until INTEGER,
    head BLOB,
    blob BLOB,
    bytes BLOB,
    CHECK (blob IS NULL OR bytes IS NULL)
) STRICT;
CREATE INDEX renderings_of_documents ON renderings (document, id);

CREATE TABLE bodies (
    id INTEGER PRIMARY KEY,
    document INTEGER NOT NULL REFERENCES documents,
    record BLOB NOT NULL,
    digest BLOB NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (document, record, digest)
) STRICT;

CREATE TABLE heads (
    id INTEGER PRIMARY KEY,
    document INTEGER NOT NULL REFERENCES documents,
    head BLOB NOT NULL,
    UNIQUE (document, head)
) STRICT;

CREATE TABLE containment (
    head INTEGER NOT NULL REFERENCES heads ON DELETE CASCADE,
    stamp TEXT NOT NULL,
    inside INTEGER NOT NULL CHECK (inside IN (0, 1)),
    PRIMARY KEY (head, stamp)
) STRICT, WITHOUT ROWID;

CREATE TABLE states (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    state BLOB NOT NULL
) STRICT;
