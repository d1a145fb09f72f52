-- How far HEAD's reflog was read when a document was looked at: a round that comes to a sudden end leaves some looked at and others not.
ALTER TABLE documents ADD COLUMN reflog BLOB;
