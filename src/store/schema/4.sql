-- What proves edits. Of what is known here only that which is proved is told to others. Digests are SHA-256, signatures Ed25519.

-- One signature over a run of edits that one replica made one after the other. All of their digests stand here, of those also that are
-- not known here.
CREATE TABLE seals (
    id INTEGER PRIMARY KEY,
    author BLOB NOT NULL,
    before TEXT,
    run BLOB NOT NULL,
    signature BLOB NOT NULL
) STRICT;

ALTER TABLE edits ADD COLUMN seal INTEGER REFERENCES seals;

-- Nothing is proved yet.
DELETE FROM chains;

-- Several nodes may have replicas of one name.
CREATE TABLE owners (
    replica TEXT NOT NULL,
    key BLOB NOT NULL,
    incarnation INTEGER NOT NULL,
    PRIMARY KEY (replica, key)
) STRICT, WITHOUT ROWID;
INSERT INTO owners SELECT replica, key, incarnation FROM replicas;
DROP TABLE replicas;

-- Who says that somebody may write, whom not everybody knows.
CREATE TABLE vouchers (
    key BLOB NOT NULL,
    by BLOB NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (key, by)
) STRICT, WITHOUT ROWID;
