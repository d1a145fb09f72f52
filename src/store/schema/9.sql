-- What commits did to documents, found out once: by a digest of the versions behind and before. It tells nothing that these do not, and may be
-- dropped at any time.

CREATE TABLE happenings (
    id INTEGER PRIMARY KEY,
    versions BLOB NOT NULL UNIQUE,
    -- Hashes of what it is about: most of those who ask are told by these that it is not about what they ask for.
    about BLOB NOT NULL,
    -- Compressed with zstd; the format is the caller's.
    what BLOB NOT NULL
) STRICT;
