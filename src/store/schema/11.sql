-- Every edit has a row of marks, and those that HEAD does not contain are found among many that it does.
INSERT OR IGNORE INTO marks (edit, bits) SELECT id, 0 FROM edits;
CREATE INDEX marks_of_open_edits ON marks (edit) WHERE bits & 1 = 0;
-- The HEAD at which all was found out of what commits did (`happenings`) that is worth it.
ALTER TABLE work_tree ADD COLUMN learned BLOB;
