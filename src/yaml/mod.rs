//! Reads and writes YAML without losing a byte.
