//! Merges three versions of a document by structure.
