-- Edits that are over, many of one replica and one document in one piece each: nobody has to look at them as long as HEAD stands where
-- it stands. They are known like all others; what is packed stands in no other table.

CREATE TABLE packs (
    id INTEGER PRIMARY KEY,
    document INTEGER NOT NULL REFERENCES documents,
    replica TEXT NOT NULL,
    first TEXT NOT NULL,
    last TEXT NOT NULL,
    -- Whether some of them may not be superseded any more.
    counting INTEGER NOT NULL DEFAULT 0 CHECK (counting IN (0, 1)),
    -- A byte for each.
    marks BLOB NOT NULL,
    -- Compressed with zstd.
    edits BLOB NOT NULL
) STRICT;
-- When all was packed that was over.
ALTER TABLE work_tree ADD COLUMN packed INTEGER;
CREATE INDEX packs_of_replicas ON packs (replica, last);
CREATE INDEX packs_of_documents ON packs (document, first);

-- What packed edits are about: the pieces in which some are about a place (`touched`).
CREATE TABLE packed_touched (
    document INTEGER NOT NULL REFERENCES documents,
    place INTEGER NOT NULL,
    pack INTEGER NOT NULL REFERENCES packs,
    PRIMARY KEY (document, place, pack)
) STRICT, WITHOUT ROWID;
CREATE INDEX packed_touched_of_packs ON packed_touched (pack);
