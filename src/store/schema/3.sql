-- Edits of which nothing is seen any more: later ones, which are shown, replaced all that they wrote. As long as HEAD stands where it
-- stood, a look need not read them.

ALTER TABLE edits ADD COLUMN superseded INTEGER NOT NULL DEFAULT 0 CHECK (superseded IN (0, 1));
CREATE INDEX edits_that_count ON edits (document, stamp) WHERE superseded = 0;
