-- Edits that do not count, among many that do: they are asked for whenever others come to count.
CREATE INDEX edits_that_do_not_count ON edits (document, stamp) WHERE superseded = 1;
