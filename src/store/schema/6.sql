-- Whether the current rendering of a document was written, and what the file held otherwise (`Holds`).
ALTER TABLE documents ADD COLUMN holds INTEGER NOT NULL DEFAULT 0;
