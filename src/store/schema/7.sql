-- What an edit is about: the records that it changes, or the entries of the root, by a hash of their places.

CREATE TABLE touched (
    document INTEGER NOT NULL REFERENCES documents,
    place INTEGER NOT NULL,
    stamp TEXT NOT NULL,
    PRIMARY KEY (document, place, stamp)
) STRICT, WITHOUT ROWID;
